//! `tradewind recon`: statements and drop copies against a journal.

mod support;

use serde_json::Value;
use std::process::{Command, Output};
use support::firm::{bust, correct, last, trade};
use support::place::Place;
use support::script::Script;
use tradewind_domain::codes::Side;

/// Two accounts of a morning: GIZMO bought and sold, a correction, a bust.
fn journal() -> Place {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(last("GIZMO", "50"));
    script.accepted(trade("T1", "FREE", "GIZMO", Side::Buy, "100", "50"));
    script.accepted(trade("T2", "FREE", "GIZMO", Side::Sell, "40", "51"));
    script.accepted(trade("T3", "FREE", "GIZMO", Side::Buy, "10", "50"));
    script.accepted(correct("T3", "20", "50"));
    script.accepted(trade("X1", "FREE", "GIZMO", Side::Buy, "500", "45"));
    script.accepted(bust("X1", 0));
    let place = Place::new();
    place.run(&[], &script.messages);
    place
}

fn recon(place: &Place, statement: &str, more: &[&str]) -> Output {
    let path = place.root().join("statement");
    std::fs::write(&path, statement).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command
        .args(["recon", "--data"])
        .arg(place.data())
        .arg("--statement")
        .arg(path)
        .args(more);
    command.output().expect("the binary starts")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

const DROP_COPY: &str = "type,account,symbol,side,qty,px,exec_id,venue\n\
    TRADE,FREE,GIZMO,BUY,100,50,T1,1\n\
    TRADE,FREE,GIZMO,SELL,40,51,T2,1\n\
    TRADE,FREE,GIZMO,BUY,20,50,T3,1\n";

#[test]
fn a_drop_copy_of_what_was_booked_has_no_breaks() {
    let place = journal();
    let output = recon(&place, DROP_COPY, &["--json", "--dry-run"]);
    assert_eq!(json(&output)["breaks"], 0);
    assert_eq!(json(&output)["not_journaled"], "dry_run");
    assert_eq!(output.status.code(), Some(0));
    let all = json(&recon(&place, DROP_COPY, &["--json", "--all"]));
    assert_eq!(all["trades"].as_array().map(Vec::len), Some(3));
}

#[test]
fn what_was_to_be_journaled_and_finds_no_engine_is_no_success() {
    let place = journal();
    let output = recon(&place, DROP_COPY, &["--json"]);
    assert_eq!(json(&output)["breaks"], 0);
    assert_eq!(json(&output)["not_journaled"], "no_engine");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("nothing is journaled"), "{said}");
}

#[test]
fn trades_that_one_side_has_not_or_has_otherwise_are_breaks() {
    let place = journal();
    let copy = DROP_COPY
        .replace("T2,1", "T9,1")
        .replace("BUY,20,50", "BUY,10,50.05");
    let output = recon(&place, &copy, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let found = json(&output);
    let statuses: Vec<(&str, &str)> = found["trades"]
        .as_array()
        .expect("trades")
        .iter()
        .map(|row| {
            (
                row["exec_id"].as_str().unwrap_or(""),
                row["status"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        statuses,
        [
            ("T2", "MISSING_EXTERNAL"),
            ("T3", "FIELD_MISMATCH"),
            ("T9", "MISSING_INTERNAL")
        ]
    );
    assert_eq!(found["trades"][1]["fields"], serde_json::json!(["qty", "px"]));
    // Another day's trades are not asked for.
    let none = json(&recon(
        &place,
        "type,account,symbol,side,qty,px,exec_id\n",
        &["--json"],
    ));
    assert_eq!(none["breaks"], 0);
}

#[test]
fn positions_and_cash_are_held_against_the_broker() {
    let place = journal();
    // 100 - 40 + 20 held; the broker knows of a stock that we do not, and of a cent more.
    let statement = "type,account,name,amount\n\
        POSITION,FREE,GIZMO,80\nPOSITION,FREE,ACME,5\nCASH,FREE,USD,1.00\n";
    let output = recon(&place, statement, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let found = json(&output);
    let rows: Vec<(&str, &str, &str)> = found["holdings"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|row| {
            (
                row["item"].as_str().unwrap_or(""),
                row["status"].as_str().unwrap_or(""),
                row["severity"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(rows[0], ("ACME", "MISSING_INTERNALLY", "CRITICAL"));
    assert_eq!(rows.last(), Some(&("USD", "CASH_BREAK", "ERROR")));
    // The cash that the books have, within a cent.
    let usd = found["holdings"]
        .as_array()
        .and_then(|rows| rows.last())
        .expect("cash");
    let settled: f64 = usd["settled"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a figure");
    let near = format!("type,account,name,amount\nCASH,FREE,USD,{:.2}\n", settled + 0.01);
    let output = recon(&place, &near, &["--json", "--dry-run"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(json(&output)["holdings"][0]["status"], "WITHIN_TOLERANCE");
    let output = recon(&place, &near, &["--json", "--tolerance", "0"]);
    assert_eq!(json(&output)["holdings"][0]["status"], "CASH_BREAK");
}

#[test]
fn an_account_that_we_do_not_know_is_missing_and_a_statement_that_cannot_be_read_names_its_line() {
    let place = journal();
    let output = recon(
        &place,
        "type,account,name,amount\nPOSITION,NOBODY,GIZMO,1\n",
        &["--json"],
    );
    assert_eq!(json(&output)["holdings"][0]["status"], "MISSING_INTERNALLY");
    let output = recon(&place, "type,account,name,amount\nPOSITION,FREE,GIZMO,one\n", &[]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("line 2: amount \"one\""), "{text}");
}
