//! Limits, restricted lists and rules that change while the engine runs, and what is asked of them.

use super::{Engine, Place, buying, code, of_kind, tail};
use serde_json::Value;
use tradewind_domain::event::{Kind, OrderNew};

#[test]
fn a_limit_that_is_changed_binds_the_next_question_and_shows_in_the_next_listing() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let question = buying("80");
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
    let before = engine.ask(&buying("10"));
    engine.json(&[
        "limits", "restrict", "list", "GIZMO", "no_trade", "--reason", "halted",
    ]);
    let refused = engine.ask(&buying("10"));
    let text = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(
        code(&refused) == 1 && text.contains("limit list at DESK DESK"),
        "{text}"
    );
    engine.json(&["limits", "restrict", "list", "GIZMO", "none", "--reason", "over"]);
    let after = engine.ask(&buying("10"));
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
    let refused = engine.ask(&buying("10"));
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
    let after = engine.ask(&buying("10"));
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
