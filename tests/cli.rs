//! The command line as a user meets it: exit codes, figures as JSON, messages that name what is wrong.

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use support::firm::{Order, quote};
use support::place::Place;
use support::scenario;
use support::script::Script;
use tradewind_domain::event::Kind;
use tradewind_machine::journal::{Follower, StartAt};

const BINARY: &str = env!("CARGO_BIN_EXE_tradewind");

fn tradewind(args: &[&str]) -> Output {
    Command::new(BINARY)
        .args(args)
        .output()
        .expect("the binary starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn json(output: &Output) -> Value {
    assert_eq!(code(output), 0, "{}{}", stdout(output), stderr(output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

/// Arguments of `ingest` for a file, with the place's settings as flags.
fn ingest_args(place: &Place, file: &Path, format: &str) -> Vec<String> {
    let reference = place.root().join("firm.toml");
    std::fs::write(&reference, include_str!("support/firm.toml")).expect("a reference file");
    let reference = format!("reference.path={}", reference.display());
    let mut args: Vec<String> = ["ingest", text(file), "--format", format, "--data"]
        .map(str::to_owned)
        .to_vec();
    args.push(place.data().display().to_string());
    for set in place.sets(&[&reference]) {
        args.extend(["--set".to_owned(), set]);
    }
    args
}

fn ingest(place: &Place, file: &Path, format: &str, more: &[&str]) -> Output {
    let args = ingest_args(place, file, format);
    Command::new(BINARY)
        .args(args)
        .args(more)
        .output()
        .expect("the binary starts")
}

/// A journal of all kinds of events.
fn journal() -> Place {
    let place = Place::new();
    place.run(
        &["capacity.instruments=5", "capacity.open_orders=400"],
        &scenario::everything().messages,
    );
    place
}

#[test]
fn wrong_usage_is_exit_code_2_and_a_failure_is_1() {
    assert_eq!(code(&tradewind(&["--help"])), 0);
    for usage in [
        &["no-such-command"][..],
        &[],
        &["journal"],
        &["ingest"],
        &["replay", "x", "--to-seq", "many"],
        &["config", "check", "--profile", "none"],
    ] {
        assert_eq!(code(&tradewind(usage)), 2, "{usage:?}");
    }
    for failure in [
        &["replay", "/no/such/folder"][..],
        &["journal", "info", "/no/such/folder"],
        &["config", "check", "--config", "/no/such/file.toml"],
    ] {
        let output = tradewind(failure);
        assert_eq!(code(&output), 1, "{failure:?}");
        assert!(
            stderr(&output).starts_with("error: ") && output.stdout.is_empty(),
            "{failure:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn an_unknown_command_profile_or_key_names_what_there_is() {
    assert!(stderr(&tradewind(&["journl"])).contains("journal"));
    let profile = stderr(&tradewind(&["config", "show", "--profile", "lptop"]));
    assert!(
        profile.contains("lptop") && profile.contains("laptop"),
        "{profile}"
    );
    let key = stderr(&tradewind(&["config", "show", "--set", "journal.durabilty=disk"]));
    assert!(
        key.contains("journal.durabilty") && key.contains("journal.durability"),
        "{key}"
    );
    let value = stderr(&tradewind(&[
        "config",
        "show",
        "--set",
        "journal.durability=paper",
    ]));
    assert!(value.contains("memory") && value.contains("disk"), "{value}");
}

#[test]
fn the_version_says_what_was_built_and_how() {
    let output = tradewind(&["--version"]);
    assert_eq!(code(&output), 0);
    let said = stdout(&output);
    for fact in [
        env!("CARGO_PKG_VERSION"),
        "commit: ",
        "profile: ",
        "target: ",
        "rustc: rustc 1.",
        "journal format: 1",
    ] {
        assert!(said.contains(fact), "{fact}: {said}");
    }
}

#[test]
fn config_show_says_where_each_value_comes_from() {
    let place = Place::new();
    let file = place.root().join("engine.toml");
    std::fs::write(&file, "[engine]\nbatch_max = 16\nidle = \"yield\"\n").expect("a file");
    let args = [
        "config",
        "show",
        "--json",
        "--profile",
        "laptop",
        "--config",
        text(&file),
        "--set",
        "engine.idle=spin",
    ];
    let output = Command::new(BINARY)
        .args(args)
        .env("TRADEWIND_JOURNAL__DURABILITY", "memory")
        .output()
        .expect("the binary starts");
    let rows = json(&output);
    let origin = |key: &str| {
        let rows = rows.as_array().expect("rows");
        let row = rows
            .iter()
            .find(|row| row["key"] == key)
            .expect("a row for each key");
        (
            row["value"].as_str().unwrap_or_default().to_owned(),
            row["origin"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let (value, from) = origin("engine.batch_max");
    assert!(value == "16" && from.ends_with("engine.toml:2"), "{value} {from}");
    assert_eq!(
        origin("engine.idle"),
        ("spin".to_owned(), "--set engine.idle=spin".to_owned())
    );
    assert_eq!(
        origin("journal.durability"),
        ("memory".to_owned(), "TRADEWIND_JOURNAL__DURABILITY".to_owned())
    );
    assert!(origin("engine.shard").1.starts_with("profile laptop:"));
    assert_eq!(json(&tradewind(&["config", "check", "--json"]))["ok"], true);
}

#[test]
fn a_file_that_is_missing_is_a_failure_and_an_unknown_format_wrong_usage() {
    let place = Place::new();
    let missing = ingest(&place, Path::new("/no/such/file.csv"), "trades-csv", &[]);
    assert_eq!(code(&missing), 1);
    assert!(
        stderr(&missing).contains("/no/such/file.csv"),
        "{}",
        stderr(&missing)
    );
    let file = place.root().join("orders.csv");
    std::fs::write(&file, "time,type,cl_ord_id\n").expect("a file");
    let format = ingest(&place, &file, "orders-cvs", &[]);
    assert_eq!(code(&format), 2);
    assert!(stderr(&format).contains("orders-csv"), "{}", stderr(&format));
    assert!(!place.data().join("journal").exists(), "nothing was begun");
}

#[test]
fn lines_that_cannot_be_read_are_named_and_the_others_are_taken() {
    let place = Place::new();
    let file = place.root().join("trades.csv");
    let lines = [
        "time,account,symbol,side,qty,px,exec_id",
        "2026-03-02T09:00:00Z,FREE,GIZMO,BUY,30,50,E1",
        "2026-03-02T09:00:01Z,FREE,GIZMO,BUY,ten,50,E2",
        "2026-03-02T09:00:02Z,FREE,GIZMO,HOLD,10,50,E3",
        "2026-03-02T09:00:03Z,FREE,NOTHING,BUY,10,50,E4",
        "2026-03-02T09:00:04Z,FREE,GIZMO,SELL,10,51,E5",
    ];
    std::fs::write(&file, lines.join("\n")).expect("a file");
    let output = ingest(&place, &file, "trades-csv", &["--json"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let said = stderr(&output);
    for place in ["line 3", "line 4"] {
        assert!(said.contains(place), "{place}: {said}");
    }
    let summary: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(summary["lines_unreadable"], 2);
    assert_eq!(summary["messages"], 3);
    assert_eq!(summary["kinds"]["trade_capture"], 3);
    assert_eq!(summary["rejects"]["UNKNOWN_SYMBOL"], 1);
    let position = &summary["state"]["positions"][0];
    assert_eq!(
        (position["account"].as_str(), position["qty"].as_str()),
        (Some("FREE"), Some("20"))
    );
    assert_eq!(position["realised"], "10");
}

#[test]
fn journal_info_and_cat_show_what_is_there() {
    let place = journal();
    let data = place.data();
    let info = json(&tradewind(&["journal", "info", text(&data), "--json"]));
    let segments = info["segments"].as_array().expect("segments");
    assert!(segments.len() > 2 && segments[0]["state"] == "sealed", "{info}");
    assert_eq!(segments[0]["first_seq"], 1);
    assert_eq!(code(&tradewind(&["journal", "info", text(&data)])), 0);

    let lines = |args: &[&str]| -> Vec<Value> {
        let all: Vec<&str> = ["journal", "cat", text(&data), "--json"]
            .iter()
            .chain(args)
            .copied()
            .collect();
        let output = tradewind(&all);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        stdout(&output)
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    let all = lines(&[]);
    let replay = place.replay(None);
    assert_eq!(all.len() as u64, replay.records);
    let part = lines(&["--from-seq", "50", "--to-seq", "60"]);
    assert_eq!(
        (part[0]["seq"].as_u64(), part[part.len() - 1]["seq"].as_u64()),
        (Some(50), Some(60))
    );
    let rejected = lines(&["--rejected", "--kind", "order_new", "--limit", "3"]);
    assert!(
        rejected.len() == 3
            && rejected
                .iter()
                .all(|line| line["kind"] == "order_new" && line["reject"].is_string())
    );
    let unknown = tradewind(&["journal", "cat", text(&data), "--kind", "order"]);
    assert!(
        code(&unknown) == 2 && stderr(&unknown).contains("order_new"),
        "{}",
        stderr(&unknown)
    );
    let listing = stdout(&tradewind(&["journal", "cat", text(&data), "--rejected"]));
    assert!(listing.lines().all(|line| line.contains("REJECTED")));
}

#[test]
fn replay_state_explain_and_verify_agree_on_a_journal() {
    let place = journal();
    let data = place.data();
    let replay = json(&tradewind(&["replay", text(&data), "--json"]));
    assert_eq!(
        replay["digest"].as_str(),
        Some(place.replay(None).digest.as_str())
    );
    let early = json(&tradewind(&["replay", text(&data), "--json", "--to-seq", "100"]));
    assert_eq!(early["last_seq"], 100);
    assert_ne!(early["digest"], replay["digest"]);

    let state = json(&tradewind(&["state", text(&data), "--json"]));
    assert!(state["positions"].as_array().is_some_and(|rows| !rows.is_empty()));
    let of_one = json(&tradewind(&["state", text(&data), "--json", "--account", "FREE"]));
    assert!(
        of_one["positions"]
            .as_array()
            .is_some_and(|rows| rows.iter().all(|row| row["account"] == "FREE"))
    );
    assert_eq!(code(&tradewind(&["state", text(&data)])), 0);

    let life = json(&tradewind(&["explain", text(&data), "A1", "--json"]));
    assert!(life.to_string().contains("FILLED"), "{life}");
    assert_eq!(code(&tradewind(&["explain", text(&data), "A1"])), 0);
    assert_eq!(code(&tradewind(&["explain", text(&data), "NOBODY-SENT-THIS"])), 1);

    let audit = tradewind(&["journal", "verify", text(&data), "--json"]);
    assert_eq!(code(&audit), 0, "{}", stdout(&audit));
    assert!(
        json(&audit)["checks"]
            .as_array()
            .is_some_and(|checks| checks.len() > 5)
    );
}

#[test]
fn verify_names_the_byte_of_a_damaged_record_and_fails() {
    let place = journal();
    let data = place.data();
    let segment = data.join("journal/00000000000000000001.twj");
    let mut bytes = std::fs::read(&segment).expect("a segment");
    bytes[4096 + 64 + 10] ^= 1;
    std::fs::write(&segment, bytes).expect("a segment");
    let output = tradewind(&["journal", "verify", text(&data)]);
    assert_eq!(code(&output), 1);
    assert!(
        stdout(&output).contains("4096") || stderr(&output).contains("4096"),
        "{}",
        stdout(&output)
    );
    assert_eq!(code(&tradewind(&["replay", text(&data)])), 1);
    assert_eq!(
        code(&tradewind(&["journal", "repair", text(&data)])),
        1,
        "a repair cuts only where it is told to"
    );
}

#[test]
fn follow_prints_records_as_they_are_released() {
    let place = Place::new();
    let engine = place.start(&[]);
    let mut args = vec![
        "journal".to_owned(),
        "follow".to_owned(),
        text(&place.data()).to_owned(),
    ];
    args.extend(["--json", "--from-seq", "1", "--limit", "40"].map(str::to_owned));
    let mut child = Command::new(BINARY)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut script = Script::new();
    script.accepted(quote("GIZMO", "49.95", "50.05"));
    script.order(Order::buy("A1", "FREE", "GIZMO", "10", "50"));
    support::place::feed(&engine, &script.messages);
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let seqs: Vec<u64> = lines
        .map(|line| {
            serde_json::from_str::<Value>(&line.expect("a line")).expect("JSON")["seq"]
                .as_u64()
                .expect("a number")
        })
        .collect();
    assert_eq!(seqs, (1..=40).collect::<Vec<u64>>());
    assert!(child.wait().expect("a child").success());
    engine.stop().expect("a clean stop");
}

#[test]
fn a_second_engine_on_the_same_folder_is_told_who_has_it() {
    let place = Place::new();
    let engine = place.start(&[]);
    let output = run(&place, &["--duration", "1"])
        .output()
        .expect("the binary starts");
    assert_eq!(code(&output), 1);
    let said = stderr(&output);
    assert!(
        said.contains("being written by") && said.contains(&std::process::id().to_string()),
        "{said}"
    );
    engine.stop().expect("a clean stop");
}

/// `run` with a generated session in a place.
fn run(place: &Place, more: &[&str]) -> Command {
    let sets = [
        "engine.clock=wall",
        "engine.stale_order_ms=0",
        "demo.orders_per_s=2000",
        "capacity.open_orders=8192",
        "capacity.nodes=1024",
        "capacity.limits=1024",
        "capacity.instruments=1024",
    ];
    let mut command = Command::new(BINARY);
    command
        .args(["run", "--json", "--data"])
        .arg(place.data())
        .args(more);
    for set in place.sets(&sets) {
        command.args(["--set", &set]);
    }
    command
}

fn assert_audit(place: &Place) {
    let audit = tradewind(&["journal", "verify", text(&place.data())]);
    assert_eq!(code(&audit), 0, "{}", stdout(&audit));
}

#[test]
fn a_generated_session_runs_stops_and_leaves_a_sound_journal() {
    let place = Place::new();
    let summary = json(
        &run(&place, &["--duration", "1"])
            .output()
            .expect("the binary starts"),
    );
    assert!(
        summary["kinds"]["order_new"]
            .as_u64()
            .is_some_and(|count| count > 100),
        "{summary}"
    );
    assert!(
        summary["kinds"]["venue_fill"]
            .as_u64()
            .is_some_and(|count| count > 10),
        "{summary}"
    );
    assert_audit(&place);
}

#[test]
fn a_session_that_is_asked_to_end_ends_in_good_order_and_goes_on_later() {
    let place = Place::new();
    for round in 1..=2 {
        let mut command = run(&place, &[]);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        wait_for_fills(&place, round);
        let asked = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .expect("kill starts");
        assert!(asked.success());
        let summary = json(&child.wait_with_output().expect("a child"));
        assert_eq!(summary["kinds"]["engine_stopped"], 1, "{summary}");
        assert_audit(&place);
    }
    let runs = support::journal::events(&place.data());
    let started = runs
        .iter()
        .filter(|event| event.kind() == Some(Kind::EngineStarted))
        .count();
    assert_eq!(started, 2);
}

/// Waits until a run has booked some fills.
fn wait_for_fills(place: &Place, run: u32) {
    let mut follower = None;
    let (mut epoch, mut fills) = (0, 0);
    while epoch < run || fills < 20 {
        let open = follower
            .take()
            .or_else(|| Follower::open(&place.data(), StartAt::Start).ok());
        let Some(mut open) = open else {
            std::thread::park_timeout(Duration::from_millis(1));
            continue;
        };
        match open.poll().expect("a journal").map(|record| record.head().kind) {
            Some(kind) if kind == Kind::EngineStarted as u16 => (epoch, fills) = (epoch + 1, 0),
            Some(kind) => fills += u32::from(kind == Kind::VenueFill as u16),
            None => std::thread::park_timeout(Duration::from_millis(1)),
        }
        follower = Some(open);
    }
}

#[test]
fn every_fill_reaches_the_clients_that_want_it_as_it_happens() {
    let place = Place::new();
    let window = place.window();
    let bench = Command::new(BINARY)
        .args(["bench", "rttm", "--json", "--fills", "100", "--clients", "3"])
        .args(["--seconds", "1", "--window-dir", text(&window)])
        .env("TRADEWIND_JOURNAL__ALLOW_UNSAFE_FS", "true")
        .current_dir(place.root())
        .output()
        .expect("the binary starts");
    let report = json(&bench);
    // Fills that are taken together stand in one frame.
    assert!(report["frames"].as_u64() > Some(3), "{report}");
    assert!(report["fill_p50_ns"].is_u64(), "{report}");
    assert_eq!((&report["slow"], &report["closed"]), (&0.into(), &0.into()));
}

#[test]
fn doctor_and_a_small_bench_print_figures_as_json() {
    let place = Place::new();
    let doctor = tradewind(&["doctor", "--json", "--data", text(place.root())]);
    assert!(
        serde_json::from_slice::<Value>(&doctor.stdout).is_ok(),
        "{}",
        stdout(&doctor)
    );
    let (data, window) = (place.data(), place.window());
    let args = [
        "bench",
        "pipeline",
        "--json",
        "--events",
        "2000",
        "--rate",
        "max",
        "--accounts",
        "10",
        "--instruments",
        "5",
    ];
    let bench = Command::new(BINARY)
        .args(args)
        .args([
            "--idle",
            "park",
            "--data",
            text(&data),
            "--window-dir",
            text(&window),
        ])
        .env("TRADEWIND_JOURNAL__ALLOW_UNSAFE_FS", "true")
        .output()
        .expect("the binary starts");
    let report = json(&bench);
    for key in [
        "events_per_s",
        "order_cycles_per_s",
        "latency_ns",
        "stages",
        "allocations_per_event",
        "journal_bytes_per_event",
        "conditions",
    ] {
        assert!(!report[key].is_null(), "{key}");
    }
    assert!(
        ["p50", "p90", "p99", "p999", "p9999", "max"]
            .iter()
            .all(|key| report["latency_ns"][key].is_u64()),
        "{report}"
    );
}
