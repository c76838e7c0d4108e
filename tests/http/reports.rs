//! Reports over HTTP: the same bytes as `tradewind report` writes, and only for who sees the account.

use crate::client::{Engine, Place};
use serde_json::{Value, json};
use std::process::Command;

const KINDS: [&str; 7] = [
    "statement",
    "pnl",
    "tax-lots",
    "harvest",
    "breaches",
    "order-to-trade",
    "groups",
];

fn with_trades(engine: &Engine<'_>) {
    let trade = |account: &str, side: &str, px: &str, exec_id: &str| json!({ "account": account, "symbol": "GIZMO", "side": side, "qty": "10", "px": px, "exec_id": exec_id });
    let trades = json!({ "trades": [trade("FREE", "BUY", "50", "a"), trade("FREE", "SELL", "48", "b"), trade("KILLED", "BUY", "50", "c")] });
    assert_eq!(
        engine.admin().post("/api/v1/trades", &trades).must(200)["booked"],
        3
    );
}

/// A report without the lines that say of which moment it is.
fn without_moment(text: &str, format: &str) -> Vec<String> {
    if format == "json" {
        let mut report: Value = serde_json::from_str(text).expect("JSON");
        (report["as_of_seq"], report["as_of_time"]) = (Value::Null, Value::Null);
        return vec![report.to_string()];
    }
    let is_of_moment = |line: &&str| line.contains("as_of") || line.to_lowercase().contains("sequence");
    let lines = text.lines().filter(|line| !is_of_moment(line));
    lines.map(str::to_owned).collect()
}

#[test]
fn every_report_comes_in_every_format_as_the_command_line_writes_it() {
    let place = Place::new();
    let engine = Engine::start(&place);
    with_trades(&engine);
    let admin = engine.admin();
    let listed = admin.get("/api/v1/reports").must(200);
    let names = listed["data"].as_array().expect("rows").iter();
    assert_eq!(
        names
            .map(|row| row["name"].as_str().expect("a name"))
            .collect::<Vec<_>>(),
        KINDS
    );
    let mut answers = Vec::new();
    for kind in KINDS {
        for (format, content) in [
            ("json", "application/json"),
            ("csv", "text/csv; charset=utf-8"),
            ("html", "text/html; charset=utf-8"),
        ] {
            let path =
                format!("/api/v1/reports/{kind}?account=FREE&format={format}&method=hifo&loss_min=0.5");
            let answer = admin.get(&path);
            assert_eq!(
                (answer.status, answer.headers["content-type"].as_str()),
                (200, content),
                "{}",
                answer.text
            );
            assert!(answer.headers["content-disposition"].contains(&format!("{kind}-FREE.{format}")));
            answers.push((kind, format, answer.text));
        }
    }
    engine.stop();
    for (kind, format, text) in answers {
        // Nothing of the account has happened since; the engine's stop is one more input.
        let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .args(["report", kind, "--account", "FREE", "--format", format])
            .args(["--method", "hifo", "--loss-min", "0.5", "--data"])
            .arg(place.data())
            .output()
            .expect("the binary starts");
        let written = String::from_utf8(output.stdout).expect("text");
        assert_eq!(
            without_moment(&text, format),
            without_moment(&written, format),
            "{kind} as {format}"
        );
    }
}

#[test]
fn a_report_that_is_known_is_not_made_again() {
    let place = Place::new();
    let engine = Engine::start(&place);
    with_trades(&engine);
    let admin = engine.admin();
    let path = "/api/v1/reports/statement?account=FREE";
    let first = admin.get(path);
    let tag = first.headers["etag"].clone();
    let seq = first.json()["as_of_seq"].as_u64().expect("a number");
    assert!(tag.starts_with(&format!("\"{seq}-")), "{tag}");
    let known = |path: &str| admin.ask("GET", path, &[("If-None-Match", &tag)], None);
    assert_eq!((known(path).status, known(path).text.as_str()), (304, ""));
    assert_eq!(
        known("/api/v1/reports/statement?account=KILLED").status,
        200,
        "another account is another report"
    );
    let trade = json!({ "trades": [{ "account": "FREE", "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": "z" }] });
    admin.post("/api/v1/trades", &trade).must(200);
    assert_eq!(known(path).status, 200, "something has happened since");
}

#[test]
fn reports_are_for_who_sees_the_account_and_refuse_what_cannot_be() {
    let place = Place::new();
    let engine = Engine::start(&place);
    with_trades(&engine);
    let admin = engine.admin();
    let (_, viewer) = engine.user(&admin, "viewer", "VIEWER", Some("DESK"));
    viewer.get("/api/v1/reports/statement?account=FREE").must(200);
    viewer
        .get("/api/v1/reports/statement?account=KILLED")
        .refused(403, "NOT_PERMITTED");
    viewer
        .get("/api/v1/reports/horoscope?account=FREE")
        .refused(404, "NOT_FOUND");
    for (query, status, code, pointer) in [
        ("", 400, "MALFORMED", "?account"),
        ("?account=DESK", 422, "INVALID_VALUE", "?account"),
        ("?account=FREE&format=pdf", 422, "INVALID_VALUE", "?format"),
        ("?account=FREE&from=yesterday", 422, "INVALID_VALUE", "?from"),
        (
            "?account=FREE&from=2026-02-02&to=2026-02-01",
            422,
            "INVALID_VALUE",
            "?to",
        ),
        ("?account=FREE&method=MOOD", 422, "INVALID_VALUE", "?method"),
        ("?account=FREE&loss_min=-1", 422, "INVALID_VALUE", "?loss_min"),
    ] {
        let answer = viewer.get(&format!("/api/v1/reports/statement{query}"));
        answer.refused(status, code);
        if status == 422 {
            assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.text);
        }
    }
    engine
        .anybody()
        .get("/api/v1/reports/statement?account=FREE")
        .refused(401, "UNAUTHENTICATED");
}
