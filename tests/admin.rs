//! What an operator changes in a running engine holds from the next decision on, names him and says why, and is the same on replay:
//! limits, permissions, restricted lists, locates, fees, sessions, hierarchy.
//!
//! The decisions are asked of the real stages (`limits check`); `journal verify` decides every record again from the journal alone.

mod support;

use serde_json::{Value, json};
use std::process::{Command, Output};
use support::place::Place;
use support::process::{BINARY, Engine, code, of_kind, records, stderr, tail};
use tradewind_domain::event::{Event, FeeScheduleSet, Kind, NodeSet};

/// Arguments of a change, by Ada and with a reason.
fn by_ada<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--operator", "ada", "--reason", "as agreed"]].concat()
}

/// What would become of an order: `OK`, or the code of the refusal.
fn verdict(engine: &Engine<'_>, order: &str) -> String {
    let words: Vec<&str> = order.split_whitespace().collect();
    let names = ["--account", "--symbol", "--side", "--qty", "--px"];
    let flags = names.iter().zip(&words).flat_map(|(name, word)| [*name, *word]);
    let args: Vec<&str> = ["limits", "check", "--json"].into_iter().chain(flags).collect();
    let output = engine.ask(&args);
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    match answer["outcome"]["code"].as_str() {
        None => "OK".to_owned(),
        Some(code) => code.to_owned(),
    }
}

/// The journal decides itself again, and all its figures tie out.
fn assert_replays(place: &Place) {
    let verify = Command::new(BINARY)
        .args(["journal", "verify"])
        .arg(place.data())
        .output();
    let output = verify.expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(code(&output), 0, "{said}{}", stderr(&output));
}

fn assert_authored(event: &Event) {
    let tail = tail(event);
    assert!(tail.contains("as agreed [os user "), "{tail}");
}

/// Each change, and an order that it makes another verdict of.
#[test]
fn a_change_holds_from_the_next_decision_on_and_names_who_made_it() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let limit = |label: &'static str, limit_type: &'static str, hard: &'static str, more: &[&'static str]| {
        let set = ["limits", "set", label, "--scope", "FREE", "--type", limit_type];
        let figure = ["--hard", hard];
        let hard = if hard.is_empty() { &[] } else { &figure[..] };
        engine.json(&by_ada(&[&set[..], hard, more].concat()));
    };
    limit("short", "SHORT_SALE", "", &[]);
    limit("list", "RESTRICTED", "", &[]);
    let steps: [(&str, &str, &str, Vec<&str>); 6] = [
        (
            "FREE GIZMO BUY 100 50",
            "OK",
            "MAX_ORDER_QTY",
            vec![
                "limits",
                "set",
                "size",
                "--scope",
                "FREE",
                "--type",
                "MAX_ORDER_QTY",
                "--hard",
                "99",
            ],
        ),
        (
            "FREE GIZMO BUY 10 50",
            "OK",
            "RESTRICTED_SYMBOL",
            vec!["limits", "restrict", "list", "GIZMO", "NO_TRADE"],
        ),
        (
            "FREE EURO SELL_SHORT 50 20",
            "LOCATE_REQUIRED",
            "OK",
            vec!["limits", "locate", "FREE", "EURO", "50"],
        ),
        (
            "FREE EURO BUY 10 20",
            "OK",
            "NOT_AUTHORIZED",
            vec![
                "limits",
                "set",
                "mask",
                "--scope",
                "FREE",
                "--type",
                "PERMISSION",
                "--param",
                "order_types=MARKET",
            ],
        ),
        (
            "CASH GIZMO BUY 190 50",
            "OK",
            "BUYING_POWER",
            vec![
                "fees",
                "set",
                "FLAT",
                "--rate",
                "600",
                "--account",
                "CASH",
                "--name",
                "broker",
            ],
        ),
        (
            "CASH GIZMO BUY 190 50",
            "BUYING_POWER",
            "OK",
            vec!["fees", "set", "NONE", "--account", "CASH"],
        ),
    ];
    for (order, before, after, change) in &steps {
        assert_eq!(verdict(&engine, order), *before, "before {change:?}");
        engine.json(&by_ada(change));
        assert_eq!(verdict(&engine, order), *after, "after {change:?}");
    }
    let events = engine.stop();
    for kind in [Kind::RestrictedSet, Kind::Locate, Kind::FeeScheduleSet] {
        let found = of_kind(&events, kind);
        assert!(!found.is_empty(), "{kind}");
        found.into_iter().for_each(assert_authored);
    }
    let fees = of_kind(&events, Kind::FeeScheduleSet)[0].body::<FeeScheduleSet>();
    assert_eq!((fees.author.as_str(), fees.code.as_str()), ("ada", "broker"));
    assert!(tail(of_kind(&events, Kind::Locate)[0]).starts_with("ada: "));
    assert_replays(&place);
}

#[test]
fn a_file_loaded_into_a_running_engine_sets_what_the_next_start_would_set() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let more = r#"
[[account]]
code = "NEW"
parent = "USER"
kind = "MARGIN"
currency = "USD"
[[instrument]]
symbol = "FRESH"
kind = "EQUITY"
currency = "USD"
calendar = "UTC"
tick = "0.01"
mark = "10"
[[limit]]
label = "new"
scope = "NEW"
type = "MAX_ORDER_QTY"
hard = "5"
"#;
    let text = format!("{}{more}", include_str!("support/firm.toml"));
    // Without this limit the file removes it.
    let text = text.replace(
        "label = \"l01\"\nscope = \"L01\"",
        "label = \"l01b\"\nscope = \"L01\"",
    );
    let file = place.root().join("new.toml");
    std::fs::write(&file, text).expect("a file");
    let file = file.display().to_string();

    assert_eq!(verdict(&engine, "NEW FRESH BUY 5 10"), "UNKNOWN_ACCOUNT");
    let before = records(&place).len();
    let shown = engine.json(&["reference", "check", &file]);
    assert_eq!(records(&place).len(), before, "a check sends nothing");
    let loaded = engine.json(&by_ada(&["reference", "load", &file]));
    assert_eq!(loaded["changes"], shown["changes"]);
    let lines: Vec<&str> = loaded["changes"]
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert!(lines.contains(&"limit l01: removed"), "{lines:#?}");
    assert_eq!(
        (&loaded["refused"], &loaded["overruled"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(verdict(&engine, "NEW FRESH BUY 5 10"), "OK");
    assert_eq!(verdict(&engine, "NEW FRESH BUY 6 10"), "MAX_ORDER_QTY");
    let again = engine.json(&by_ada(&["reference", "load", &file]));
    assert_eq!(again["changes"], json!([]), "it is in force");

    let wrong = place.root().join("wrong.toml");
    std::fs::write(
        &wrong,
        "[[node]]\ncode = \"X\"\nlevel = \"DESK\"\nparent = \"NOWHERE\"\n",
    )
    .expect("a file");
    let refused = engine.ask(&by_ada(&["reference", "load", &wrong.display().to_string()]));
    assert_eq!(code(&refused), 1);
    assert!(
        stderr(&refused).contains("wrong.toml:1: "),
        "{}",
        stderr(&refused)
    );

    let events = engine.stop();
    let accounts = of_kind(&events, Kind::AccountSet);
    let new = accounts.last().expect("accounts");
    assert_eq!(new.body::<NodeSet>().code.as_str(), "NEW");
    assert!(
        tail(new).starts_with("reference-data: ada: as agreed [os user "),
        "{}",
        tail(new)
    );
    assert_replays(&place);
}

/// The file still says what it said before people tightened it: neither a crash nor an ordinary restart gives anything back.
#[test]
fn what_is_refused_before_a_crash_is_refused_after_it_whatever_the_file_says() {
    let place = Place::new();
    let engine = Engine::start(&place);
    for change in [
        &["limits", "set", "l01", "--hard", "10"][..],
        &[
            "limits",
            "set",
            "size",
            "--scope",
            "FREE",
            "--type",
            "MAX_ORDER_QTY",
            "--hard",
            "100",
        ],
        &["limits", "set", "list", "--scope", "FREE", "--type", "RESTRICTED"],
        &["limits", "restrict", "list", "EURO", "NO_TRADE"],
        &["kill", "--node", "L17"],
    ] {
        engine.json(&by_ada(change));
    }
    let verdicts = [
        ("L01 GIZMO BUY 10 50", "OK"),
        ("L01 GIZMO BUY 20 50", "MAX_ORDER_QTY"),
        ("FREE GIZMO BUY 100 50", "OK"),
        ("FREE GIZMO BUY 110 50", "MAX_ORDER_QTY"),
        ("FREE EURO BUY 1 20", "RESTRICTED_SYMBOL"),
        ("L17 GIZMO BUY 1 50", "TRADING_HALTED"),
    ];
    let holds = |engine: &Engine<'_>| {
        for (order, expected) in verdicts {
            assert_eq!(verdict(engine, order), expected, "{order}");
        }
    };
    holds(&engine);
    engine.kill();
    let engine = Engine::start(&place);
    holds(&engine);
    engine.stop();
    let engine = Engine::start(&place);
    holds(&engine);
    engine.stop();
    assert_replays(&place);
}

#[test]
fn a_holiday_set_by_an_operator_closes_the_market_and_outlives_a_restart() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let shown = engine.json(&["calendars", "show", "floor", "--days", "4"]);
    let days = shown["days"].as_array().expect("days").clone();
    assert_eq!(days.len(), 4);
    let text = |day: &Value, name: &str| day[name].as_str().expect("a text").to_owned();
    // Open from roll to roll, whatever the time of this test is.
    for pair in days.windows(2) {
        let (date, open, close) = (
            text(&pair[0], "date"),
            text(&pair[0], "roll"),
            text(&pair[1], "roll"),
        );
        engine.json(&by_ada(&[
            "calendars",
            "session",
            "floor",
            &date,
            "--open",
            &open,
            "--close",
            &close,
        ]));
    }
    let order = "FREE ACME BUY 1 100";
    assert_eq!(verdict(&engine, order), "OK");
    for day in &days[..3] {
        engine.json(&by_ada(&["calendars", "close", "floor", &text(day, "date")]));
    }
    assert_eq!(verdict(&engine, order), "MARKET_CLOSED");
    let none = engine.json(&["calendars", "show", "floor", "--days", "1"]);
    assert_eq!(none["days"][0]["open"], Value::Null);
    let sunday = engine.refusal(&by_ada(&["calendars", "close", "settlement", "2030-01-06"]), 1);
    assert_eq!(sunday["code"], "NOT_FOUND");
    let late = engine.refusal(
        &by_ada(&[
            "calendars",
            "session",
            "floor",
            &text(&days[0], "date"),
            "--close",
            "2020-01-01T00:00:00Z",
        ]),
        2,
    );
    assert_eq!(late["code"], "BAD_ARGUMENT");
    let events = engine.stop();
    let set: Vec<_> = of_kind(&events, Kind::CalendarSet)
        .into_iter()
        .filter(|event| !event.tail().is_empty())
        .collect();
    assert_eq!(set.len(), 6);
    set.into_iter().for_each(assert_authored);
    assert_replays(&place);

    // The file still has a session on that day; the operator's word stands.
    let engine = Engine::start(&place);
    assert_eq!(verdict(&engine, order), "MARKET_CLOSED");
    engine.stop();
    assert_replays(&place);
}

#[test]
fn alert_rules_are_checked_tried_on_a_journal_and_put_into_force_while_it_runs() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let write = |name: &str, text: &str| {
        let path = place.root().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let wrong = write(
        "wrong.toml",
        "\n[[rule]]\nname = \"control_state\"\nroute = \"pager\"\n",
    );
    let checked = engine_less(&["alerts", "rules", "check", &wrong]);
    assert_eq!(code(&checked), 1);
    assert!(
        String::from_utf8_lossy(&checked.stdout).contains("wrong.toml:3: "),
        "{checked:?}"
    );
    let refused = engine.ask(&by_ada(&["alerts", "rules", "load", &wrong]));
    assert_eq!((code(&refused), refused.stdout), (1, checked.stdout));

    let mild = write(
        "mild.toml",
        "[[rule]]\nname = \"control_state\"\nseverity_max = \"WARNING\"\n",
    );
    assert_eq!(code(&engine_less(&["alerts", "rules", "check", &mild])), 0);
    let severity = |engine: &Engine<'_>| {
        let listed = engine.json(&["alerts", "list"]);
        let rows = listed["incidents"].as_array().expect("incidents").clone();
        let of_state = rows.into_iter().rfind(|row| row["rule"] == "control_state");
        of_state.map(|row| row["severity"].as_str().expect("a severity").to_owned())
    };
    engine.json(&by_ada(&["kill", "--node", "OTHER-DESK"]));
    assert_eq!(severity(&engine).as_deref(), Some("CRITICAL"));
    let data = place.data().display().to_string();
    let tried = engine_less(&["alerts", "rules", "test", &mild, "--journal", &data, "--json"]);
    let tried: Value = serde_json::from_slice(&tried.stdout).expect("JSON");
    assert_eq!(tried["rules"]["control_state"], json!({ "was": 1, "would": 1 }));
    assert_eq!(tried["new"][0]["severity"], "WARNING");
    assert_eq!(tried["gone"][0]["severity"], "CRITICAL");

    engine.json(&by_ada(&["alerts", "rules", "load", &mild]));
    engine.json(&by_ada(&["kill", "--symbol", "ACME"]));
    assert_eq!(severity(&engine).as_deref(), Some("WARNING"));
    let events = engine.stop();
    assert!(!of_kind(&events, Kind::Blob).is_empty());
    let shown = engine_less(&["alerts", "rules", "show", &data, "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["document"]["author"], "ada");
    assert!(
        shown["document"]["reason"]
            .as_str()
            .is_some_and(|reason| reason.starts_with("as agreed [os user ")),
        "{shown}"
    );
    assert_eq!(shown["rules"][0]["name"], "control_state");

    // The journal remembers them.
    let engine = Engine::start(&place);
    engine.json(&by_ada(&["kill", "--symbol", "GIZMO"]));
    assert_eq!(severity(&engine).as_deref(), Some("WARNING"));
    engine.stop();
    assert_replays(&place);
}

/// A command that needs no engine.
fn engine_less(args: &[&str]) -> Output {
    let output = Command::new(BINARY).args(args).output();
    output.expect("the binary starts")
}
