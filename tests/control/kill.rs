//! A kill, and the people who undo it.

use super::{Engine, Place, code, of_kind, tail};
use serde_json::Value;
use tradewind_domain::event::{Control, Kind};

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
