//! A running engine and the people who operate it: the real binary, its control socket, and what its journal says afterwards.
//!
//! Each test starts `tradewind run` with the small firm of `tests/support/firm.toml` in a folder of its own, without a generated session, so
//! that every record is one that the test asked for.

mod support;

#[path = "control/positions.rs"]
mod positions;
#[path = "control/recon.rs"]
mod recon;
#[path = "control/socket.rs"]
mod socket;

use serde_json::Value;
use support::place::Place;
use support::process::{Engine, ask, code, of_kind, records, stderr, tail};
use tradewind_domain::event::{AlertAction, Control, Kind, LimitSet, OrderNew, QuarantineResolve};

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
fn a_limit_that_is_changed_binds_the_next_question_and_shows_in_the_next_listing() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let question = [
        "limits",
        "check",
        "--account",
        "FREE",
        "--symbol",
        "GIZMO",
        "--side",
        "buy",
        "--qty",
        "80",
        "--px",
        "50",
    ];
    let before = engine.ask(&question);
    let set = [
        "limits",
        "set",
        "tight",
        "--scope",
        "DESK",
        "--type",
        "MAX_ORDER_QTY",
        "--hard",
        "75",
        "--symbol",
        "GIZMO",
    ];
    engine.json(&[&set[..], &["--reason", "test"]].concat());
    let rows = engine.json(&["limits", "list", "--node", "DESK", "--type", "max_order_qty"]);
    let labels: Vec<_> = rows["limits"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["label"].clone())
        .collect();
    assert!(labels.contains(&"tight".into()), "{rows}");
    let row = engine.json(&["limits", "show", "tight"]);
    assert_eq!(
        (&row["limit"]["hard"], &row["limit"]["symbol"]),
        (&"75".into(), &"GIZMO".into())
    );

    let refused = engine.ask(&question);
    let text = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert_eq!(code(&refused), 1, "{text}");
    assert!(
        text.contains("limit tight at DESK DESK, used 80 of 75 quantity"),
        "{text}"
    );
    assert!(!String::from_utf8_lossy(&before.stdout).contains("tight"));

    // A limit in force keeps what is not named.
    engine.json(&["limits", "set", "tight", "--hard", "90", "--reason", "wider"]);
    let row = engine.json(&["limits", "show", "tight"]);
    assert_eq!(
        (&row["limit"]["hard"], &row["limit"]["symbol"]),
        (&"90".into(), &"GIZMO".into())
    );
    engine.json(&["limits", "remove", "tight", "--reason", "done"]);
    assert_eq!(
        engine.refusal(&["limits", "show", "tight"], 1)["code"],
        "NOT_FOUND"
    );
    assert_eq!(
        engine.refusal(&["limits", "remove", "tight", "--reason", "again"], 1)["code"],
        "NOT_FOUND"
    );

    let events = engine.stop();
    let probes = of_kind(&events, Kind::Probe);
    assert_eq!(probes.len(), 2, "questions are journaled");
    assert!(
        probes
            .iter()
            .all(|probe| probe.body::<OrderNew>().view.order_id.is_none())
    );
}

/// Would GIZMO be bought now?
const BUY: [&str; 12] = [
    "limits",
    "check",
    "--account",
    "FREE",
    "--symbol",
    "GIZMO",
    "--side",
    "buy",
    "--qty",
    "10",
    "--px",
    "50",
];

#[test]
fn an_instrument_is_put_on_a_restricted_list_and_taken_off_while_the_engine_runs() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let list = [
        "limits",
        "set",
        "list",
        "--scope",
        "DESK",
        "--type",
        "RESTRICTED",
        "--reason",
        "test",
    ];
    engine.json(&list);
    let before = engine.ask(&BUY);
    engine.json(&[
        "limits", "restrict", "list", "GIZMO", "no_trade", "--reason", "halted",
    ]);
    let refused = engine.ask(&BUY);
    let text = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(
        code(&refused) == 1 && text.contains("limit list at DESK DESK"),
        "{text}"
    );
    engine.json(&["limits", "restrict", "list", "GIZMO", "none", "--reason", "over"]);
    let after = engine.ask(&BUY);
    assert_eq!(code(&after), code(&before));
    assert!(!String::from_utf8_lossy(&after.stdout).contains("limit list"));
    let wrong = engine.refusal(
        &["limits", "restrict", "list", "GIZMO", "maybe", "--reason", "x"],
        2,
    );
    assert_eq!(wrong["code"], "BAD_ARGUMENT");
    assert!(
        engine.refusal(
            &["limits", "restrict", "list", "NOBODY", "none", "--reason", "x"],
            1
        )["outcome"]
            .is_object()
    );
}

#[test]
fn rules_come_into_force_and_go_while_the_engine_runs() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let file = place.data().join("desk.rules");
    let path = file.to_str().expect("a path");
    let write = |text: &str| std::fs::write(&file, text).expect("a file can be written");
    let load = ["rules", "load", path, "--reason", "test"];
    write(
        "rule \"small\" on order\n  when order.qty >= 10\n  then reject \"SMALL-ONLY\" \"small orders only\"\n",
    );
    assert_eq!(
        engine.json(&load)["changes"],
        serde_json::json!(["rules: add \"small\""])
    );
    let refused = engine.ask(&BUY);
    let text = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(code(&refused) == 1 && text.contains("BUSINESS_RULE"), "{text}");
    assert_eq!(
        engine.refusal(&load, 2)["code"],
        "BAD_ARGUMENT",
        "they are in force already"
    );

    write("rule \"broken\" on order\n  when order.nothing > 1\n  then reject \"A\" \"a\"\n");
    let wrong = engine.ask(&[&load[..], &["--json"]].concat());
    assert_eq!(code(&wrong), 1);
    let wrong: Value = serde_json::from_slice(&wrong.stdout).expect("JSON");
    assert_eq!(wrong["errors"][0]["line"], 2, "{wrong}");

    write("# none\n");
    assert_eq!(
        engine.json(&load)["changes"],
        serde_json::json!(["rules: remove \"small\""])
    );
    let after = engine.ask(&BUY);
    assert!(!String::from_utf8_lossy(&after.stdout).contains("BUSINESS_RULE"));
    // A long file travels in many parts.
    let comment = format!("# {}\n", "x".repeat(100)).repeat(1_000);
    write(&comment);
    assert_eq!(
        engine.json(&load)["changes"],
        serde_json::json!(["rules: comments only"])
    );
    assert!(of_kind(&engine.stop(), Kind::Blob).len() > 100);
}

#[test]
fn a_kill_is_undone_by_two_people_and_not_by_one() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let killed = engine.json(&[
        "kill",
        "--node",
        "DESK",
        "--operator",
        "ada",
        "--reason",
        "runaway",
    ]);
    assert_eq!(killed["outcome"]["state_after"], "KILL");
    let asked = engine.ask(&[
        "rearm",
        "--node",
        "DESK",
        "--operator",
        "ada",
        "--reason",
        "mended",
        "--json",
    ]);
    assert_eq!(code(&asked), 1, "one person does not suffice");
    let asked: Value = serde_json::from_slice(&asked.stdout).expect("JSON");
    assert_eq!(asked["outcome"]["code"], "DUAL_CONTROL_REQUIRED");
    let id = asked["pending"]["id"].to_string();
    assert_eq!(
        engine.json(&["rearm", "--pending"])["pending"][0]["operator"],
        "ada"
    );

    let same = engine.refusal(
        &[
            "rearm",
            "--confirm",
            &id,
            "--operator",
            " ADA",
            "--reason",
            "me too",
        ],
        1,
    );
    assert_eq!(same["code"], "SAME_PERSON");
    let unknown = engine.refusal(
        &["rearm", "--confirm", "77", "--operator", "ben", "--reason", "x"],
        1,
    );
    assert_eq!(unknown["code"], "NOT_FOUND");
    assert_eq!(
        engine.json(&["limits", "list"])["limits"]
            .as_array()
            .map(Vec::is_empty),
        Some(false)
    );
    let confirmed = engine.json(&[
        "rearm",
        "--confirm",
        &id,
        "--operator",
        "ben",
        "--reason",
        "I looked",
    ]);
    assert_eq!(confirmed["outcome"]["state_after"], "ACTIVE");
    assert_eq!(
        engine.json(&["rearm", "--pending"])["pending"],
        serde_json::json!([])
    );

    let events = engine.stop();
    let rearms = of_kind(&events, Kind::Rearm);
    let accepted: Vec<_> = rearms.iter().filter(|event| !event.is_rejected()).collect();
    assert_eq!(
        (rearms.len(), accepted.len()),
        (3, 1),
        "the attempts stand in the journal"
    );
    let body = accepted[0].body::<Control>();
    assert_eq!((body.author.as_str(), body.second.as_str()), ("ada", "ben"));
    assert!(
        tail(accepted[0]).starts_with("mended; ben: I looked ["),
        "{}",
        tail(accepted[0])
    );
}

#[test]
fn where_a_second_person_is_named_nobody_else_confirms_and_one_suffices_below_a_kill() {
    let place = Place::new();
    let engine = Engine::start(&place);
    engine.json(&[
        "kill",
        "--symbol",
        "ACME",
        "--operator",
        "ada",
        "--reason",
        "halt",
    ]);
    let ask = [
        "rearm",
        "--symbol",
        "ACME",
        "--operator",
        "ada",
        "--second",
        "ben",
        "--reason",
        "mended",
    ];
    assert_eq!(code(&engine.ask(&ask)), 1);
    let cleo = engine.refusal(
        &["rearm", "--confirm", "1", "--operator", "cleo", "--reason", "x"],
        1,
    );
    assert_eq!(cleo["code"], "SAME_PERSON");
    engine.json(&["rearm", "--confirm", "1", "--operator", "ben", "--reason", "x"]);

    let milder = engine.json(&[
        "kill",
        "--session",
        "3",
        "--level",
        "reduce-only",
        "--reason",
        "careful",
    ]);
    assert_eq!(milder["outcome"]["state_after"], "REDUCE_ONLY");
    let back = engine.json(&["rearm", "--session", "3", "--reason", "fine"]);
    assert_eq!(back["rearmed"], true);
    let nobody = engine.refusal(&["kill", "--node", "NOWHERE", "--reason", "x"], 1);
    assert_eq!(
        (&nobody["code"], &nobody["outcome"]["code"]),
        (&"REFUSED".into(), &"UNKNOWN_NODE".into())
    );
    drop(engine);
}

#[test]
fn the_use_of_a_limit_is_answered_by_the_running_stage_and_journaled() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let set = [
        "limits",
        "set",
        "few",
        "--scope",
        "DESK",
        "--type",
        "MAX_OPEN_ORDERS",
        "--hard",
        "40",
        "--reason",
        "test",
    ];
    engine.json(&set);
    let answer = engine.json(&["limits", "usage", "few", "--operator", "ada"]);
    let usage = &answer["usage"];
    assert_eq!(
        (&usage["used"], &usage["hard"]),
        (&"0".into(), &"40".into()),
        "{usage}"
    );
    assert_eq!(
        (&usage["used_pct"], &usage["unit"]),
        (&0.into(), &"orders".into())
    );
    let listed = engine.json(&["limits", "list", "--node", "DESK", "--type", "MAX_OPEN_ORDERS"]);
    let row = listed["limits"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["label"] == "few");
    assert_eq!(row.expect("it is listed")["used"], "0");
    let nothing = engine.refusal(&["limits", "usage", "no-such-limit"], 1);
    assert_eq!(nothing["outcome"]["code"], "UNKNOWN_LIMIT");
    let elsewhere = engine.refusal(&["limits", "usage", "few", "--account", "KILLED"], 1);
    assert_eq!(elsewhere["outcome"]["code"], "UNKNOWN_NODE");
    let events = engine.stop();
    let probes = of_kind(&events, Kind::LimitProbe);
    assert_eq!(probes.len(), 3, "a listing asks the replica and journals nothing");
    assert!(
        tail(probes[0]).starts_with("ada [os user "),
        "{}",
        tail(probes[0])
    );
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
