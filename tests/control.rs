//! A running engine and the people who operate it: the real binary, its control socket, and what its journal says afterwards.
//!
//! Each test starts `tradewind run` with the small firm of `tests/support/firm.toml` in a folder of its own, without a generated session, so
//! that every record is one that the test asked for.

mod support;

#[path = "control/kill.rs"]
mod kill;
#[path = "control/limits.rs"]
mod limits;
#[path = "control/positions.rs"]
mod positions;
#[path = "control/recon.rs"]
mod recon;
#[path = "control/socket.rs"]
mod socket;

use serde_json::Value;
use support::place::Place;
use support::process::{Engine, ask, code, of_kind, records, stderr, tail};
use tradewind_domain::event::{AlertAction, Control, Kind, LimitSet, QuarantineResolve};

/// Would this much GIZMO be bought now?
fn buying(qty: &str) -> [&str; 12] {
    [
        "limits",
        "check",
        "--account",
        "FREE",
        "--symbol",
        "GIZMO",
        "--side",
        "buy",
        "--qty",
        qty,
        "--px",
        "50",
    ]
}

#[test]
fn every_change_is_journaled_with_operator_and_reason() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let by = |args: &[&'static str]| [args, &["--operator", "ada"]].concat();
    engine.json(&by(&[
        "limits",
        "set",
        "new-limit",
        "--scope",
        "DESK",
        "--type",
        "MAX_ORDER_QTY",
        "--hard",
        "7.5",
        "--reason",
        "first day",
    ]));
    engine.json(&by(&["limits", "remove", "new-limit", "--reason", "last day"]));
    engine.json(&by(&[
        "kill",
        "--node",
        "DESK",
        "--level",
        "cancel-only",
        "--reason",
        "too fast",
    ]));
    engine.json(&by(&[
        "mass-cancel",
        "--node",
        "DESK",
        "--reason",
        "stale orders",
    ]));
    engine.json(&by(&["kill", "--symbol", "ACME", "--reason", "halted"]));
    let incidents = engine.json(&["alerts", "list"]);
    let incident = incidents["incidents"][0]["id"].to_string();
    let ack = [
        "alerts",
        "ack",
        &incident,
        "--comment",
        "looking",
        "--operator",
        "ada",
    ];
    engine.json(&ack);
    engine.ask(&by(&["quarantine", "release", "99", "--reason", "checked"]));
    engine.ask(&by(&[
        "flatten",
        "DESK",
        "--confirm",
        "DESK",
        "--reason",
        "get out",
    ]));
    let events = engine.stop();

    let authored = |kind: Kind, author: &str, reason: &str| {
        let found = of_kind(&events, kind);
        let event = found
            .iter()
            .find(|event| tail(event).starts_with(reason))
            .unwrap_or_else(|| panic!("no {kind} with the reason {reason:?}"));
        assert_eq!(author, "ada", "{kind}");
        assert!(tail(event).contains("[os user "), "{kind}: {}", tail(event));
    };
    let limits = of_kind(&events, Kind::LimitSet);
    let ours: Vec<_> = limits
        .iter()
        .filter(|event| event.body::<LimitSet>().author.as_str() == "ada")
        .collect();
    assert_eq!(ours.len(), 2);
    assert_eq!(
        (
            ours[0].body::<LimitSet>().hard,
            ours[1].body::<LimitSet>().removed
        ),
        (750_000_000, 1)
    );
    assert!(tail(ours[0]).starts_with("first day [") && tail(ours[1]).starts_with("last day ["));
    let control = |kind| of_kind(&events, kind)[0].body::<Control>().author;
    authored(Kind::StateSet, control(Kind::StateSet).as_str(), "too fast");
    authored(Kind::Kill, control(Kind::Kill).as_str(), "halted");
    authored(Kind::Flatten, control(Kind::Flatten).as_str(), "get out");
    authored(Kind::MassCancel, "ada", "ada: stale orders");
    let alert = of_kind(&events, Kind::AlertAction)[0].body::<AlertAction>();
    authored(Kind::AlertAction, alert.author.as_str(), "looking");
    assert_eq!(alert.incident.to_string(), incident);
    let resolve = of_kind(&events, Kind::QuarantineResolve)[0].body::<QuarantineResolve>();
    authored(Kind::QuarantineResolve, resolve.author.as_str(), "checked");
    assert_eq!(resolve.trade_seq, 99);
}

#[test]
fn a_change_without_a_reason_or_with_a_figure_that_cannot_be_is_wrong_usage_and_sends_nothing() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let before = records(&place).len();
    for args in [
        &["kill", "--node", "DESK"][..],
        &["kill", "--node", "DESK", "--symbol", "ACME", "--reason", "x"],
        &["kill", "--reason", "x"],
        &["mass-cancel", "--reason", "x"],
        &["quarantine", "repair", "7", "--reason", "x"],
        &["quarantine", "repair", "7", "--qty", "0", "--reason", "x"],
        &[
            "limits",
            "set",
            "a",
            "--scope",
            "DESK",
            "--type",
            "MAX_ORDER_QTY",
            "--hard",
            "many",
            "--reason",
            "x",
        ],
        &[
            "limits",
            "set",
            "a",
            "--scope",
            "NOWHERE",
            "--type",
            "MAX_ORDER_QTY",
            "--hard",
            "1",
            "--reason",
            "x",
        ],
        &["limits", "set", "a", "--param", "no-value", "--reason", "x"],
        &["limits", "set", "a", "--hard", "1", "--reason", "  "],
        &["flatten", "DESK", "--confirm", "OTHER-DESK", "--reason", "x"],
        &[
            "limits",
            "check",
            "--account",
            "FREE",
            "--symbol",
            "ACME",
            "--side",
            "UP",
            "--qty",
            "1",
        ],
    ] {
        let output = engine.ask(args);
        assert_eq!(code(&output), 2, "{args:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty(), "{args:?}");
    }
    assert_eq!(records(&place).len(), before);
    drop(engine);
}

#[test]
fn an_incident_is_listed_taken_by_its_number_and_ended() {
    let place = Place::new();
    let engine = Engine::start(&place);
    assert_eq!(
        engine.refusal(&["alerts", "ack", "7", "--comment", "x"], 1)["code"],
        "NOT_FOUND"
    );
    engine.json(&[
        "kill",
        "--node",
        "DESK",
        "--operator",
        "ada",
        "--reason",
        "runaway",
    ]);
    let listed = engine.json(&["alerts", "list"]);
    let open = listed["incidents"].as_array().expect("incidents");
    let incident = open
        .iter()
        .find(|incident| incident["state"] == "OPEN")
        .expect("a kill is an incident");
    let number = incident["id"].clone();
    let id = number.to_string();
    engine.json(&["alerts", "ack", &id, "--operator", "ben", "--comment", "I see it"]);
    let state = |of: &Value| {
        let rows = of["incidents"].as_array().expect("incidents").clone();
        let row = rows
            .into_iter()
            .find(|row| row["id"] == number)
            .expect("it stays listed");
        (row["state"].clone(), row["acknowledged_by"].clone())
    };
    assert_eq!(
        state(&engine.json(&["alerts", "list"])),
        ("ACKNOWLEDGED".into(), "ben".into())
    );
    engine.json(&["alerts", "resolve", &id, "--operator", "ben", "--comment", "over"]);
    assert_eq!(state(&engine.json(&["alerts", "list"])).0, "RESOLVED");
    drop(engine);
}

#[test]
fn what_the_engine_cannot_do_yet_is_said_plainly() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let list = engine.json(&["quarantine", "list"]);
    assert_eq!(list["trades"], serde_json::json!([]));
    let release = engine.refusal(&["quarantine", "release", "1", "--reason", "x"], 1);
    assert_eq!(release["code"], "REFUSED");
    let flatten = engine.refusal(&["flatten", "DESK", "--confirm", "DESK", "--reason", "x"], 1);
    assert_eq!(flatten["code"], "REFUSED");
    drop(engine);
}

#[test]
fn without_an_engine_a_command_says_how_to_start_one() {
    let place = Place::new();
    let output = ask(&place, &["limits", "list"]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("tradewind run --data"),
        "{}",
        stderr(&output)
    );
}
