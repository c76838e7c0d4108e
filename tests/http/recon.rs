//! Reconciliation over HTTP: a statement held against the books, what becomes of its breaks, and who may do what.

use crate::client::{Answer, Client, Engine, Place, of_kind};
use serde_json::{Value, json};
use tradewind_domain::event::{Control, Kind, ReconAction, ReconRun};

const BREAKS: &str = "/api/v1/recon/breaks";
const STATEMENTS: &str = "/api/v1/recon/statements";

/// FREE buys 100 and sells 20 GIZMO today: 80 are traded.
fn trades(admin: &Client) {
    let trade = |side: &str, qty: &str, exec_id: &str| json!({ "account": "FREE", "symbol": "GIZMO", "side": side, "qty": qty, "px": "50", "exec_id": exec_id });
    let trades = json!({ "trades": [trade("BUY", "100", "T1"), trade("SELL", "20", "T2")] });
    assert_eq!(admin.post("/api/v1/trades", &trades).must(200)["booked"], 2);
}

/// Uploads lines of positions and cash as CSV.
fn upload(client: &Client, query: &str, lines: &[&str]) -> Answer {
    let text = format!("type,account,name,amount\n{}\n", lines.join("\n"));
    let csv = [("Content-Type", "text/csv")];
    client.raw("POST", &format!("{STATEMENTS}{query}"), &csv, text.as_bytes())
}

fn listed(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("{BREAKS}{query}")).must(200);
    answer["data"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_statement_is_held_against_the_books_and_its_break_is_seen_to_and_closed() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    trades(&admin);
    let found = upload(
        &admin,
        "?source=broker.csv&reason=morning",
        &["POSITION,FREE,GIZMO,75"],
    )
    .must(200);
    assert_eq!(
        (&found["breaks"], &found["holdings"][0]["status"]),
        (&json!(1), &json!("QTY_BREAK"))
    );
    assert_eq!(found["journaled"]["restricted"], json!(["GIZMO"]));
    let id = found["journaled"]["new"][0].as_u64().expect("a number");
    let rows = listed(&admin, "");
    assert_eq!(
        (rows.len(), &rows[0]["id"], &rows[0]["severity"]),
        (1, &json!(id), &json!("CRITICAL"))
    );
    admin
        .keyed("POST", "/api/v1/orders", "a", &crate::client::buy("FREE", "10"))
        .refused(422, "REDUCE_ONLY");

    // Sent once more as JSON it finds the same break.
    let lines =
        json!({ "lines": [{ "type": "POSITION", "account": "FREE", "name": "GIZMO", "amount": "75" }] });
    let again = admin.post(STATEMENTS, &lines).must(200);
    assert_eq!(again["journaled"]["known"], json!([id]));

    let (user, _) = engine.user(&admin, "bo", "RISK", Some("DESK"));
    let act = |action: &str, body: Value| admin.post(&format!("{BREAKS}/{id}/{action}"), &body);
    act("assign", json!({ "assignee": user, "reason": "yours" })).must(200);
    act("comment", json!({ "reason": "asked the broker" })).must(200);
    let closed = act(
        "resolve",
        json!({ "code": "BROKER_ERROR", "reason": "corrected" }),
    )
    .must(200);
    assert_eq!(closed["lifted"]["kind"], "rearm");
    act("resolve", json!({ "code": "FEE", "reason": "twice" })).refused(422, "INVALID_VALUE");
    admin
        .keyed("POST", "/api/v1/orders", "b", &crate::client::buy("FREE", "10"))
        .must(201);

    assert!(listed(&admin, "").is_empty(), "nothing waits for its code");
    assert_eq!(listed(&admin, "?state=resolved&account=FREE&item=GIZMO").len(), 1);
    let shown = &admin.get(&format!("{BREAKS}/{id}")).must(200)["data"];
    assert_eq!(
        (&shown["assignee"], &shown["resolution"]),
        (&json!(format!("u{user}")), &json!("BROKER_ERROR"))
    );
    assert_eq!(shown["notes"].as_array().map(Vec::len), Some(3));
    let runs = admin.get("/api/v1/recon/runs?limit=1").must(200);
    assert_eq!(
        (&runs["data"][0]["source"], &runs["data"][0]["is_complete"]),
        (&json!("upload"), &json!(true))
    );

    let events = engine.stop();
    let runs = of_kind(&events, Kind::ReconRun);
    let first: &ReconRun = runs[0].body();
    assert_eq!(
        (runs.len(), first.source.as_str(), first.author.as_str()),
        (2, "broker.csv", "u1")
    );
    assert!(String::from_utf8_lossy(runs[0].tail()).starts_with("morning"));
    assert_eq!(
        of_kind(&events, Kind::StateSet)[0]
            .body::<Control>()
            .author
            .as_str(),
        "u1"
    );
    let acts = of_kind(&events, Kind::ReconAction);
    assert!(
        acts.iter()
            .all(|event| event.body::<ReconAction>().author.as_str() == "u1")
    );
    assert_eq!(acts.len(), 3, "what was refused is not journaled");
}

#[test]
fn breaks_are_seen_by_who_sees_their_account_and_closed_by_who_controls_it() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    trades(&admin);
    let user = |name: &str, role: &str, node: &str| engine.user(&admin, name, role, Some(node)).1;
    let (viewer, trader) = (user("viewer", "VIEWER", "DESK"), user("trader", "TRADER", "DESK"));
    let (risk, other) = (user("risk", "RISK", "DESK"), user("other", "RISK", "OTHER-DESK"));

    // A node's risk officer compares; what restricts an instrument for everybody is for who controls the firm.
    let cash = ["CASH,FREE,USD,7"];
    for client in [&viewer, &trader, &other] {
        upload(client, "", &cash).refused(403, "NOT_PERMITTED");
    }
    engine.anybody().get(BREAKS).refused(401, "UNAUTHENTICATED");
    upload(&risk, "", &["POSITION,FREE,GIZMO,75"]).refused(403, "NOT_PERMITTED");
    let dry = upload(&risk, "?dry_run=true", &["POSITION,FREE,GIZMO,75"]).must(200);
    assert_eq!((&dry["breaks"], &dry["journaled"]), (&json!(1), &Value::Null));
    upload(&risk, "", &["CASH,FREE,USD,7", "CASH,KILLED,USD,7"]).refused(403, "NOT_PERMITTED");
    upload(&risk, "", &["CASH,NOBODY,USD,7"]).refused(403, "NOT_PERMITTED");
    assert!(listed(&admin, "").is_empty(), "nothing was journaled so far");
    let own = upload(&risk, "", &cash).must(200)["journaled"]["new"][0].clone();
    let held = upload(&admin, "", &["POSITION,FREE,GIZMO,75"]).must(200)["journaled"]["new"][0].clone();
    upload(&admin, "", &["CASH,NOBODY,USD,7"]).must(200);

    assert_eq!(
        (
            listed(&admin, "").len(),
            listed(&viewer, "").len(),
            listed(&other, "").len()
        ),
        (3, 2, 0)
    );
    viewer.get(&format!("{BREAKS}/{own}")).must(200);
    other.get(&format!("{BREAKS}/{own}")).refused(404, "NOT_FOUND");
    other
        .get(&format!("{BREAKS}?account=FREE"))
        .refused(403, "NOT_PERMITTED");
    risk.get("/api/v1/recon/runs").refused(403, "NOT_PERMITTED");
    let resolve = |client: &Client, id: &Value| {
        let body = json!({ "code": "FEE", "reason": "a fee" });
        client.post(&format!("{BREAKS}/{id}/resolve"), &body)
    };
    resolve(&viewer, &own).refused(403, "NOT_PERMITTED");
    resolve(&trader, &own).refused(403, "NOT_PERMITTED");
    resolve(&other, &own).refused(404, "NOT_FOUND");
    resolve(&risk, &held).refused(403, "NOT_PERMITTED");
    resolve(&risk, &own).must(200);
    resolve(&admin, &held).must(200);
}

#[test]
fn what_is_no_statement_or_no_break_is_refused_with_what_is_wrong_and_journals_nothing() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let cash = ["CASH,FREE,USD,7"];
    for (query, status, code) in [
        ("?tolerance=much", 422, "INVALID_VALUE"),
        ("?tolerance=-1", 422, "INVALID_VALUE"),
        ("?from=2026-03-03&to=2026-03-02", 422, "INVALID_VALUE"),
        ("?to_time=noon", 422, "INVALID_VALUE"),
        ("?to_time=2026-03-02T14:30:00Z&to_seq=1", 422, "INVALID_VALUE"),
        ("?dry_run=perhaps", 400, "MALFORMED"),
        ("?grace=-1", 400, "MALFORMED"),
        ("?reason=", 422, "INVALID_VALUE"),
    ] {
        upload(&admin, query, &cash).refused(status, code);
    }
    upload(&admin, "", &["LOAN,FREE,USD,7"]).refused(422, "INVALID_VALUE");
    upload(&admin, "", &["CASH,FREE,USD,7", "CASH,FREE,USD,8"]).refused(422, "INVALID_VALUE");
    upload(&admin, "", &[]).refused(422, "INVALID_VALUE");
    // An account whose name the journal could not hold.
    let long = format!("CASH,{},USD,7", "A".repeat(40));
    upload(&admin, "", &[cash[0], &long]).refused(422, "INVALID_VALUE");
    let raw = |kind: &str, body: &[u8]| admin.raw("POST", STATEMENTS, &[("Content-Type", kind)], body);
    raw("text/plain", b"type\n").refused(415, "UNSUPPORTED_MEDIA_TYPE");
    raw("text/csv", b"typ,account\n").refused(400, "MALFORMED");
    raw("text/csv", b"\xff\xfe").refused(400, "MALFORMED");
    raw("application/json", b"{\"lines\":[{\"loan\":1}]}").refused(400, "MALFORMED");
    let act = |id: &str, action: &str, body: &Value| admin.post(&format!("{BREAKS}/{id}/{action}"), body);
    let why = json!({ "reason": "x" });
    act("7", "comment", &why).refused(404, "NOT_FOUND");
    act("seven", "comment", &why).refused(404, "NOT_FOUND");
    admin
        .get(&format!("{BREAKS}?state=lost"))
        .refused(422, "INVALID_VALUE");
    let id = upload(&admin, "", &cash).must(200)["journaled"]["new"][0].to_string();
    act(&id, "assign", &json!({ "assignee": 99, "reason": "x" })).refused(422, "INVALID_VALUE");
    act(&id, "resolve", &json!({ "code": "LOST", "reason": "x" })).refused(422, "INVALID_VALUE");
    act(&id, "comment", &json!({ "reason": " " })).refused(422, "INVALID_VALUE");
    let events = engine.stop();
    let (runs, acts) = (
        of_kind(&events, Kind::ReconRun),
        of_kind(&events, Kind::ReconAction),
    );
    assert_eq!((runs.len(), acts.len()), (1, 0));
}
