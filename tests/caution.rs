//! What a start, an import or a rebuild leaves alone, because going on would do harm; and who may look.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use support::place::Place;
use support::process::{BINARY, Engine, code, stderr};
use tradewind_domain::event::Kind;

/// The binary with the place's folders and small settings.
fn tradewind(place: &Place, args: &[&str], sets: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(args).arg("--data").arg(place.data());
    for set in place.sets(sets) {
        command.args(["--set", &set]);
    }
    command.output().expect("the binary starts")
}

#[test]
fn a_start_whose_limits_are_refused_lets_nothing_in_unless_told_to() {
    let place = Place::new();
    let run = |args: &[&str]| {
        let args = [&["run", "--duration", "1", "--json"], args].concat();
        tradewind(&place, &args, &["engine.clock=wall", "capacity.limits=5"])
    };
    let stopped = run(&[]);
    assert_eq!(code(&stopped), 1, "{}", stderr(&stopped));
    assert!(
        stderr(&stopped).contains("--despite-refusals"),
        "{}",
        stderr(&stopped)
    );
    let records = Command::new(BINARY)
        .args(["journal", "cat", "--kind", "order_new", "--json"])
        .arg(place.data())
        .output()
        .expect("the binary starts");
    assert_eq!((code(&records), records.stdout.len()), (0, 0), "an order came in");
    let goes_on = run(&["--despite-refusals"]);
    assert_eq!(code(&goes_on), 0, "{}", stderr(&goes_on));
}

#[test]
fn files_are_not_read_where_limits_are_refused_unless_told_to() {
    let place = Place::new();
    let file = place.root().join("orders.jsonl");
    let line = r#"{"kind":"order_new","time":"2026-03-02T14:30:00Z","cl_ord_id":"A","account":"N-CASH-1","symbol":"MARVO","side":"BUY","qty":1,"px":"71.8"}"#;
    std::fs::write(&file, line).expect("a file");
    let file = file.to_str().expect("a path that is text");
    let ingest = |args: &[&str]| {
        let args = [&["ingest", file, "--format", "jsonl"], args].concat();
        tradewind(&place, &args, &["capacity.limits=5"])
    };
    let orders = || {
        let mut events = support::journal::events(&place.data()).into_iter();
        events.any(|event| event.kind() == Some(Kind::OrderNew))
    };
    let stopped = ingest(&[]);
    assert_eq!(code(&stopped), 1, "{}", stderr(&stopped));
    for what in ["refused CAPACITY: limit", "--despite-refusals"] {
        assert!(stderr(&stopped).contains(what), "{what}: {}", stderr(&stopped));
    }
    assert!(!orders(), "an order came in");
    let goes_on = ingest(&["--despite-refusals"]);
    assert_eq!(code(&goes_on), 0, "{}", stderr(&goes_on));
    assert!(orders(), "the file was read");
}

#[test]
fn a_file_without_a_line_in_its_format_begins_no_journal() {
    let place = Place::new();
    let file = place.root().join("notes.jsonl");
    std::fs::write(&file, "this is\nno message\n").expect("a file");
    let file = file.to_str().expect("a path that is text");
    let output = tradewind(&place, &["ingest", file, "--format", "jsonl"], &[]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("no line can be read"),
        "{}",
        stderr(&output)
    );
    assert!(!place.data().exists(), "nothing was begun");
}

#[test]
fn a_store_that_a_running_engine_writes_is_not_made_anew_under_it() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let rebuild = |sets: &[&str]| tradewind(&place, &["store", "rebuild"], sets);
    let refused = rebuild(&["store.enabled=true"]);
    assert_eq!(code(&refused), 1);
    assert!(
        stderr(&refused).contains("an engine runs on"),
        "{}",
        stderr(&refused)
    );
    engine.stop();
    let done = rebuild(&["store.enabled=true"]);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
}

#[test]
fn what_people_trade_is_open_to_their_own_user_alone() {
    let place = Place::new();
    drop(place.start(&[]).stop().expect("a clean stop"));
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&place.data()), 0o700);
}

#[test]
fn a_file_of_rules_without_an_end_is_too_long_and_no_more() {
    let output = Command::new(BINARY)
        .args(["rules", "check", "/dev/zero"])
        .output()
        .expect("the binary starts");
    assert_eq!(code(&output), 1, "{}", stderr(&output));
}

#[test]
fn looking_at_a_store_that_is_not_there_makes_none() {
    let place = Place::new();
    drop(place.start(&[]).stop().expect("a clean stop"));
    let output = tradewind(&place, &["store", "status"], &[]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("no store has been written"),
        "{}",
        stderr(&output)
    );
    assert!(!place.data().join("store.db").exists());
}
