//! The life of a break: found, told, restricting its instrument, found again, assigned and closed; and what the journal alone says of it.

use super::support::firm::{last, trade};
use super::support::place::clock;
use super::{Engine, Place, ask, buying, code, of_kind, stderr, tail};
use serde_json::Value;
use std::path::PathBuf;
use tradewind_config::ReferenceData;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Control, Event, Kind, ReconEnd, ReconFinding};
use tradewind_domain::time::utc_day;

/// A journal of an account that bought and sold today and holds 80 GIZMO, none of them settled.
pub(super) fn held_place() -> Place {
    let today = utc_day(clock().now_ns());
    let firm = include_str!("../support/firm.toml");
    let firm = ReferenceData::parse(firm, "firm.toml").expect("sound reference data");
    let mut messages = firm.events(today - 7, today + 14);
    messages.extend([
        last("GIZMO", "50"),
        trade("T1", "FREE", "GIZMO", Side::Buy, "100", "50"),
        trade("T2", "FREE", "GIZMO", Side::Sell, "20", "51"),
    ]);
    let place = Place::new();
    place.run(&["engine.clock=wall"], &messages);
    place
}

fn statement(place: &Place, lines: &[&str]) -> PathBuf {
    let path = place.root().join("broker.csv");
    let text = format!("type,account,name,amount\n{}\n", lines.join("\n"));
    std::fs::write(&path, text).expect("a file");
    path
}

/// Compares a statement with these lines; the exit code is 1 where something breaks.
fn compare(engine: &Engine<'_>, lines: &[&str], exit: i32) -> Value {
    let path = statement(engine.place, lines).display().to_string();
    let output = engine.ask(&["recon", "--statement", &path, "--operator", "ops", "--json"]);
    assert_eq!(code(&output), exit, "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn breaks(engine: &Engine<'_>) -> Vec<Value> {
    let list = engine.json(&["recon", "list"]);
    list["breaks"].as_array().cloned().unwrap_or_default()
}

/// True where an order that opens a position is refused because positions may only be reduced.
fn is_restricted(engine: &Engine<'_>) -> bool {
    let output = engine.ask(&buying("1"));
    String::from_utf8_lossy(&output.stdout).contains("REDUCE_ONLY")
}

/// The incident of the break: the alert manager follows the journal beside the engine, so it may be asked before it has read so far.
fn incident(engine: &Engine<'_>) -> Value {
    let of_break = |incident: &Value| incident["rule"] == "recon_break";
    for _ in 0..500 {
        let listed = engine.json(&["alerts", "list"])["incidents"].clone();
        let found = listed.as_array().into_iter().flatten().find(|row| of_break(row));
        if let Some(found) = found {
            return found.clone();
        }
    }
    panic!("no incident of the break");
}

#[test]
fn a_position_break_restricts_its_instrument_until_it_is_closed_with_a_code() {
    let place = held_place();
    let engine = Engine::start(&place);
    assert!(!is_restricted(&engine));
    let found = compare(&engine, &["POSITION,FREE,GIZMO,75"], 1);
    assert_eq!(found["holdings"][0]["status"], "QTY_BREAK");
    assert_eq!(found["journaled"]["restricted"][0], "GIZMO");
    let id = found["journaled"]["new"][0].as_u64().expect("a number");
    assert!(is_restricted(&engine), "the instrument may only be reduced");

    let rows = breaks(&engine);
    assert_eq!((rows.len(), &rows[0]["state"]), (1, &Value::from("OPEN")));
    assert_eq!(rows[0]["severity"], "CRITICAL");
    assert_eq!(
        (&rows[0]["traded"], &rows[0]["theirs"]),
        (&Value::from("80"), &Value::from("75"))
    );
    assert_eq!(incident(&engine)["severity"], "CRITICAL");

    // Another run finds the same break.
    let again = compare(&engine, &["POSITION,FREE,GIZMO,75"], 1);
    assert_eq!(again["journaled"]["known"][0], id);
    let number = id.to_string();
    let by = [
        "--reason",
        "asked the broker",
        "--operator",
        "ops",
        number.as_str(),
    ];
    let act = |more: &[&str]| engine.json(&[&["recon"][..], more, &by[..]].concat());
    act(&["assign", "--assignee", "bo"]);
    let refused = engine.refusal(
        &["recon", "resolve", "--code", "LOST", "--reason", "x", &number],
        2,
    );
    assert_eq!(refused["code"], "BAD_ARGUMENT");
    let closed = act(&["resolve", "--code", "BROKER_ERROR"]);
    assert_eq!(closed["lifted"]["kind"], "rearm");
    assert!(!is_restricted(&engine));
    assert!(breaks(&engine).is_empty());
    let shown = &engine.json(&["recon", "show", &number])["break"];
    assert_eq!(
        (&shown["state"], &shown["resolution"]),
        (&Value::from("RESOLVED"), &Value::from("BROKER_ERROR"))
    );
    assert_eq!(
        (&shown["assignee"], &shown["found"]),
        (&Value::from("bo"), &Value::from(2))
    );

    let events = engine.stop();
    assert_journaled(&events, id);
    // Without an engine the journal says the same.
    let output = ask(&place, &["recon", "show", &number, "--json"]);
    let from_journal: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(from_journal["break"]["notes"], shown["notes"]);
}

/// The restriction stands before the line that names it, and every act names who did it.
fn assert_journaled(events: &[Event], id: u64) {
    let findings = of_kind(events, Kind::ReconFinding);
    assert_eq!(findings.len(), 2);
    assert_eq!(findings[0].head.seq, id);
    let control = findings[0].body::<ReconFinding>().restricted_by;
    let set = of_kind(events, Kind::StateSet)[0];
    assert_eq!(
        (set.head.seq, set.body::<Control>().author.as_str()),
        (control, "ops")
    );
    assert!(
        control < id && tail(set).contains("FREE GIZMO QTY_BREAK"),
        "{}",
        tail(set)
    );
    assert_eq!(
        findings[1].body::<ReconFinding>().restricted_by,
        control,
        "the same one"
    );
    assert!(tail(of_kind(events, Kind::Rearm)[0]).contains(&format!("break {id} is closed")));
    assert_eq!(of_kind(events, Kind::ReconEnd)[0].body::<ReconEnd>().breaks, 1);
}

#[test]
fn what_is_not_settled_explains_itself_and_what_is_found_no_more_is_gone() {
    let place = held_place();
    let engine = Engine::start(&place);
    let found = compare(&engine, &["POSITION,FREE,GIZMO,80", "CASH,FREE,USD,1.00"], 1);
    assert_eq!(found["holdings"][0]["status"], "TIMING");
    assert_eq!(found["journaled"]["restricted"], serde_json::json!([]));
    assert!(!is_restricted(&engine), "cash restricts nothing");
    let rows = breaks(&engine);
    assert_eq!(rows.len(), 1, "what explains itself waits for no code");
    assert_eq!(
        (&rows[0]["item"], &rows[0]["severity"]),
        (&Value::from("USD"), &Value::from("ERROR"))
    );

    let settled = rows[0]["ours"].as_str().expect("a figure").to_owned();
    compare(
        &engine,
        &["POSITION,FREE,GIZMO,80", &format!("CASH,FREE,USD,{settled}")],
        0,
    );
    assert_eq!(breaks(&engine)[0]["state"], "GONE");
    let id = rows[0]["id"].to_string();
    engine.json(&[
        "recon",
        "resolve",
        "--code",
        "FEE",
        "--reason",
        "booked next day",
        &id,
    ]);
    assert!(breaks(&engine).is_empty());
    let runs = engine.json(&["recon", "list"])["runs"].as_array().map(Vec::len);
    assert_eq!(runs, Some(2));
    drop(engine);
}

#[test]
fn a_break_is_there_after_a_restart_with_its_age_and_a_dry_run_journals_nothing() {
    let place = held_place();
    let engine = Engine::start(&place);
    compare(&engine, &["CASH,FREE,USD,1.00"], 1);
    let before = breaks(&engine);
    engine.stop();
    let engine = Engine::start(&place);
    let after = breaks(&engine);
    assert_eq!(after[0]["id"], before[0]["id"]);
    assert_eq!(after[0]["opened"], before[0]["opened"]);
    let path = statement(&place, &["CASH,FREE,USD,2.00"]).display().to_string();
    let output = engine.ask(&["recon", "--statement", &path, "--dry-run", "--json"]);
    let dry: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (dry["breaks"].as_u64(), &dry["journaled"]),
        (Some(1), &Value::Null)
    );
    assert_eq!(of_kind(&engine.stop(), Kind::ReconRun).len(), 1);
}
