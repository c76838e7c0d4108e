//! `tradewind conformance`: the shared vector files, the examples of the rules in `tests/vectors`, and small files that say what the
//! command must find.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;
use tradewind::conformance::{FileReport, Options, Outcome, play_file};

/// Plays a file; every case must pass.
fn assert_holds(path: &Path) -> FileReport {
    let report = play_file(path, &Options::default()).expect("a vector file");
    let wrong: Vec<String> = report
        .cases
        .iter()
        .filter(|case| case.outcome == Outcome::Failed)
        .map(|case| {
            let problems = case.steps.iter().flat_map(|step| &step.problems);
            let problems: Vec<String> = problems.map(ToString::to_string).collect();
            format!(
                "{} {:?} {}: {}",
                case.id,
                case.outcome,
                case.title,
                problems.join("; ")
            )
        })
        .collect();
    assert!(!report.cases.is_empty(), "{} has no cases", path.display());
    assert!(
        wrong.is_empty(),
        "{} cases of {}:\n{}",
        wrong.len(),
        path.display(),
        wrong.join("\n")
    );
    report
}

/// The folder of the shared vector files, beside the checkout or above it.
fn shared_vectors() -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = checkout.ancestors().map(|folder| folder.join("shared/vectors"));
    folders.find(|folder| folder.is_dir())
}

#[test]
fn the_engine_holds_to_every_shared_vector_file() {
    let Some(folder) = shared_vectors() else {
        eprintln!("skipped: no shared/vectors beside {}", env!("CARGO_MANIFEST_DIR"));
        return;
    };
    let paths = vector_files(&folder);
    assert!(!paths.is_empty(), "{} has no vector files", folder.display());
    for path in paths {
        assert_holds(&path);
    }
}

/// The vector files of a folder, by name.
fn vector_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
}

/// `tests/vectors/README.md` says where their values come from.
#[test]
fn the_engine_holds_to_the_examples_of_the_rules_and_to_the_cases_of_independent_programs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let paths = vector_files(&folder);
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let report = assert_holds(&path);
        assert_eq!(report.totals.skipped, 0, "{}", path.display());
    }
}

/// The setup of our own cases: one account with one strategy, one share, these limits.
fn setup(limits: Value) -> Value {
    json!({
        "base_ccy": "USD", "tz": "America/New_York", "day_roll": "20:00", "holidays": [],
        "tree": {"S1": "A1", "A1": "FIRM"},
        "levels": {"S1": "STRATEGY", "A1": "ACCOUNT", "FIRM": "FIRM"},
        "instruments": {"ABC": {"ccy": "USD", "mult": "1", "kind": "EQUITY", "lot": "1", "tick": "0.01"}},
        "limits": limits,
    })
}

fn place(t: &str, cl: &str, qty: &str, expect: Value) -> Value {
    json!({"t": t, "op": "place", "cl": cl, "node": "S1", "sym": "ABC", "side": "BUY", "qty": qty, "px": "10", "expect": expect})
}

/// A vector file in a folder of its own.
struct Vectors {
    folder: TempDir,
}

impl Vectors {
    fn new(family: &str, cases: &[(&str, Value, Value)]) -> Self {
        let case = |(id, setup, steps): &(&str, Value, Value)| json!({"id": id, "family": family, "topic": "own", "title": id, "setup": setup, "steps": steps});
        let cases: Vec<Value> = cases.iter().map(case).collect();
        let file = json!({"schema": "risk-vectors/1", "family": family, "split": "own", "count": cases.len(), "cases": cases});
        let vectors = Self {
            folder: TempDir::new().expect("a temporary folder"),
        };
        std::fs::write(vectors.path(), file.to_string()).expect("a file");
        vectors
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("vectors.json")
    }

    fn play(&self) -> FileReport {
        play_file(&self.path(), &Options::default()).expect("a vector file")
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        command.arg("conformance").arg(self.path()).args(args);
        command.output().expect("the binary starts")
    }
}

const MORNING: &str = "2026-03-02T14:30:01.000Z";
const NEXT_MORNING: &str = "2026-03-03T14:30:01.000Z";

/// One case with a limit of 100 on the order quantity.
fn one(expect_small: Value, expect_large: Value) -> Vectors {
    let limits = json!([{"id": "L1", "scope": "A1", "type": "MAX_ORDER_QTY", "hard": "100"}]);
    let steps = json!([
        place(MORNING, "a", "100", expect_small),
        place("2026-03-02T14:30:02.000Z", "b", "101", expect_large),
    ]);
    Vectors::new("limits", &[("OWN-1", setup(limits), steps)])
}

fn refusal(reason: &str) -> Value {
    json!({"decision": "REJECT", "reason": reason, "fix_ord_rej_reason": 3, "limit_id": "L1", "all": [format!("{reason}:L1")]})
}

fn outcome(vectors: &Vectors) -> Outcome {
    vectors.play().cases[0].outcome
}

#[test]
fn a_case_passes_only_if_every_step_is_as_its_file_says() {
    let accepted = json!({"decision": "ACCEPT"});
    let refused = refusal("MAX_ORDER_QTY");
    assert_eq!(outcome(&one(accepted.clone(), refused.clone())), Outcome::Passed);
    assert_eq!(outcome(&one(refused.clone(), refused.clone())), Outcome::Failed);
    assert_eq!(outcome(&one(accepted.clone(), accepted.clone())), Outcome::Failed);
    assert_eq!(
        outcome(&one(accepted.clone(), refusal("FAT_FINGER"))),
        Outcome::Failed
    );
    // Nothing is said of a limit, so none may have spoken.
    let bare = json!({"decision": "REJECT", "reason": "MAX_ORDER_QTY"});
    assert_eq!(outcome(&one(accepted, bare)), Outcome::Failed);
}

#[test]
fn a_day_order_expires_at_the_roll_of_the_case() {
    let rolled = json!({"decision": "ACCEPT", "rolled_to": "2026-03-03", "expired": ["a"]});
    for (expect, passes) in [(rolled, true), (json!({"decision": "ACCEPT"}), false)] {
        let steps = json!([
            place(MORNING, "a", "1", json!({"decision": "ACCEPT"})),
            place(NEXT_MORNING, "a", "1", expect),
        ]);
        let vectors = Vectors::new("limits", &[("OWN-2", setup(json!([])), steps)]);
        assert_eq!(outcome(&vectors) == Outcome::Passed, passes);
    }
}

/// Time rises with every event, and a roll is one: it must not take the instant of the step that it comes with.
#[test]
fn windows_are_exact_also_where_the_first_step_is_at_the_roll() {
    let limits = json!([{"id": "L1", "scope": "S1", "type": "ORDER_RATE",
        "params": {"algo": "SLIDING", "rate": 1, "period_ms": 1000}}]);
    let taken = json!({"decision": "ACCEPT"});
    let steps = json!([
        place("2026-03-03T01:00:00.000Z", "a", "1", taken.clone()),
        place("2026-03-03T01:00:01.000Z", "b", "1", taken.clone()),
        place(
            "2026-03-04T01:00:00.000Z",
            "c",
            "1",
            json!({"decision": "ACCEPT", "rolled_to": "2026-03-04", "expired": ["a", "b"]})
        ),
        place("2026-03-04T01:00:01.000Z", "d", "1", taken),
    ]);
    let vectors = Vectors::new("limits", &[("OWN-7", setup(limits), steps)]);
    assert_eq!(outcome(&vectors), Outcome::Passed);
}

#[test]
fn an_order_that_is_cancelled_gives_back_what_was_open() {
    let released = |qty: &str| {
        let cancel = json!({"decision": "ACCEPT", "released_qty": qty, "released_notional": "600.00"});
        let steps = json!([
            place(MORNING, "a", "100", json!({"decision": "ACCEPT"})),
            {"t": "2026-03-02T14:30:02.000Z", "op": "fill", "cl": "a", "qty": "40", "px": "9", "expect": {}},
            {"t": "2026-03-02T14:30:03.000Z", "op": "cancel", "cl": "a", "expect": cancel},
            {"t": "2026-03-02T14:30:04.000Z", "op": "fill", "cl": "a", "qty": "1", "px": "9", "expect": {"alert": "LATE_FILL"}},
            {"t": "2026-03-02T14:30:05.000Z", "op": "cancel", "cl": "a", "expect":
                {"decision": "REJECT", "reason": "TOO_LATE_TO_CANCEL", "fix_cxl_rej_reason": 0}},
        ]);
        outcome(&Vectors::new("limits", &[("OWN-3", setup(json!([])), steps)]))
    };
    assert_eq!(released("60"), Outcome::Passed);
    assert_eq!(released("100"), Outcome::Failed);
}

#[test]
fn what_the_schema_does_not_have_fails_and_other_families_are_skipped() {
    let step = |more: Value| {
        let mut step = place(MORNING, "a", "1", json!({"decision": "ACCEPT"}));
        let (Value::Object(step_map), Value::Object(more)) = (&mut step, more) else {
            unreachable!("two objects")
        };
        step_map.extend(more);
        Vectors::new("limits", &[("OWN-4", setup(json!([])), json!([step]))])
    };
    assert_eq!(outcome(&step(json!({}))), Outcome::Passed);
    assert_eq!(outcome(&step(json!({"iceberg": true}))), Outcome::Failed);
    assert_eq!(outcome(&step(json!({"op": "teleport"}))), Outcome::Failed);
    let other = Vectors::new("astrology", &[("OWN-5", json!({}), json!([]))]);
    assert_eq!(outcome(&other), Outcome::Skipped);
    let no_topic = Vectors::new("analytics", &[("OWN-8", json!({}), json!([]))]);
    assert_eq!(outcome(&no_topic), Outcome::Skipped);
    let without_steps = Vectors::new("limits", &[("OWN-6", setup(json!([])), json!([]))]);
    assert_eq!(outcome(&without_steps), Outcome::Failed);
}

/// A file of the family whose cases have an input in place of steps.
fn analytics(topic: &str, input: Value, expect: Value) -> Outcome {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("vectors.json");
    let case = json!({"id": "OWN-9", "family": "analytics", "topic": topic, "title": "own", "input": input, "expect": expect});
    let file = json!({"schema": "risk-vectors/1", "family": "analytics", "split": "own", "count": 1, "cases": [case]});
    std::fs::write(&path, file.to_string()).expect("a file");
    play_file(&path, &Options::default())
        .expect("a vector file")
        .cases[0]
        .outcome
}

#[test]
fn figures_that_are_wrong_or_undefined_fail_where_the_file_says_otherwise() {
    let twr =
        |pairs: Value, expect: Value| analytics("twr", json!({"subperiods": pairs}), json!({"twr": expect}));
    assert_eq!(
        twr(json!([["1000", "1100"], ["1600", "1520"]]), json!("0.045")),
        Outcome::Passed
    );
    assert_eq!(
        twr(json!([["1000", "1100"]]), json!("0.1000001")),
        Outcome::Failed
    );
    assert_eq!(twr(json!([["3", "4"]]), json!("0.333333333333")), Outcome::Passed);
    assert_eq!(twr(json!([]), Value::Null), Outcome::Passed);
    assert_eq!(twr(json!([]), json!("0")), Outcome::Failed);
    assert_eq!(twr(json!([["0", "1"]]), Value::Null), Outcome::Passed);
    let unknown = json!({"subperiods": [], "currency": "USD"});
    assert_eq!(analytics("twr", unknown, json!({"twr": null})), Outcome::Failed);
    assert_eq!(analytics("moon", json!({}), json!({})), Outcome::Skipped);
    let flows = json!([["2025-01-01", "-1000"], ["2026-01-01", "-1"]]);
    assert_eq!(
        analytics("xirr", json!({"flows": flows}), json!({"xirr": null})),
        Outcome::Passed
    );
    let dietz = json!({"v0": "100", "v1": "50", "days": 10, "flows": [[0, "-100"]]});
    assert_eq!(analytics("dietz", dietz, json!({"dietz": null})), Outcome::Passed);
}

#[test]
fn a_verdict_with_a_reason_that_is_not_expected_fails() {
    let input = json!({"rules": {"initial": "100", "target_pct": "10", "max_loss_pct": "10"},
        "events": [{"e": "open"}, {"e": "equity", "equity": "80"}]});
    let failed = json!({"status": "FAILED", "reason": "MAX_LOSS", "event_index": 1, "trading_days": 1});
    assert_eq!(analytics("assessment", input.clone(), failed), Outcome::Passed);
    let bare = json!({"status": "FAILED", "event_index": 1, "trading_days": 1});
    assert_eq!(analytics("assessment", input, bare), Outcome::Failed);
}

#[test]
fn the_command_ends_with_the_counts_and_fails_if_a_case_does() {
    let accepted = json!({"decision": "ACCEPT"});
    let good = one(accepted.clone(), refusal("MAX_ORDER_QTY"));
    let bad = one(accepted.clone(), accepted);
    let text = |output: &Output| String::from_utf8(output.stdout.clone()).expect("text");
    let output = good.run(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output).ends_with("\n1 passed, 0 failed\n"),
        "{}",
        text(&output)
    );
    let output = bad.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    assert!(text.ends_with("\n0 passed, 1 failed\n"), "{text}");
    assert!(
        text.contains(r#"decision: expected "ACCEPT", got "REJECT""#),
        "{text}"
    );
    assert!(text.contains(r#"limit_id: expected nothing, got "L1""#), "{text}");
    let report: Value = serde_json::from_slice(&bad.run(&["--json"]).stdout).expect("JSON");
    assert_eq!(report["totals"], json!({"passed": 0, "failed": 1, "skipped": 0}));
    assert_eq!(bad.run(&["--case", "OWN-1"]).status.code(), Some(1));
    assert_eq!(bad.run(&["--case", "NONE"]).status.code(), Some(1));
}

#[test]
fn a_file_that_cannot_be_played_is_told_and_the_others_are_played_all_the_same() {
    let good = one(json!({"decision": "ACCEPT"}), refusal("MAX_ORDER_QTY"));
    let bare = good.folder.path().join("bare.json");
    std::fs::write(&bare, "[]").expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command
        .args(["conformance", "no-such-file.json"])
        .arg(&bare)
        .arg(good.path());
    let output = command.output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    assert!(text(&output.stdout).ends_with("\n1 passed, 0 failed\n"));
    let told = text(&output.stderr);
    for part in [
        "cannot read no-such-file.json",
        "is no vector file, which is one JSON object",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

/// A limit binds what an account is worth as the file says it, whatever cash and positions it began with.
#[test]
fn an_equity_of_the_setup_is_not_moved_by_the_cash_and_the_positions_beside_it() {
    let limits = json!([{"id": "L1", "scope": "FIRM", "type": "LEVERAGE", "hard": "1"}]);
    let mut setup = setup(limits);
    let Value::Object(map) = &mut setup else {
        unreachable!("an object")
    };
    let more = json!({"cash": {"A1": "500"}, "positions": {"A1": {"ABC": "-10"}}, "marks": {"ABC": "10"}, "equity": {"FIRM": "1000"}});
    let Value::Object(more) = more else {
        unreachable!("an object")
    };
    map.extend(more);
    let query = json!([{"t": MORNING, "op": "query", "limit_id": "L1", "sym": "ABC",
        "expect": {"used": "100", "limit": "1000", "remaining": "900"}}]);
    assert_eq!(
        outcome(&Vectors::new("limits", &[("OWN-10", setup, query)])),
        Outcome::Passed
    );
}

/// The engine values what is held a few rows with each event; the files value it at once.
#[test]
fn marks_that_move_together_have_reached_every_position_at_the_next_step() {
    let symbols: Vec<String> = (0..6).map(|at| format!("Y{at}")).collect();
    let limits = json!([{"id": "L1", "scope": "FIRM", "type": "GROSS_EXPOSURE", "hard": "100000"}]);
    let mut setup = setup(limits);
    let instrument = setup["instruments"]["ABC"].clone();
    for symbol in &symbols {
        setup["instruments"][symbol] = instrument.clone();
        setup["positions"]["A1"][symbol] = json!("1");
    }
    let mark =
        |symbol: &String| json!({"t": MORNING, "op": "md", "sym": symbol, "last": "100", "expect": {}});
    let mut steps: Vec<Value> = symbols.iter().map(mark).collect();
    steps.push(
        json!({"t": "2026-03-02T14:30:01.001Z", "op": "query", "limit_id": "L1", "sym": "Y0",
        "expect": {"used": "600", "limit": "100000", "remaining": "99400"}}),
    );
    let vectors = Vectors::new("limits", &[("OWN-11", setup, json!(steps))]);
    assert_eq!(outcome(&vectors), Outcome::Passed);
}

#[test]
fn a_restricted_list_may_name_what_a_case_does_not_trade() {
    let list = json!({"symbols": {"ABC": "NO_TRADE", "ELSEWHERE": "CLOSE_ONLY"}});
    let limits = json!([{"id": "L1", "scope": "FIRM", "type": "RESTRICTED", "params": list}]);
    let refused = json!({"decision": "REJECT", "reason": "RESTRICTED_SYMBOL", "fix_ord_rej_reason": 0, "limit_id": "L1",
        "all": ["RESTRICTED_SYMBOL:L1"]});
    let steps = json!([place(MORNING, "a", "1", refused)]);
    let vectors = Vectors::new("limits", &[("OWN-12", setup(limits), steps)]);
    assert_eq!(outcome(&vectors), Outcome::Passed);
}

#[test]
fn an_incident_at_a_time_that_nobody_lives_to_see_fails_its_case_and_no_more() {
    let level = |at: Value| {
        let input = json!({"severity": "ERROR", "opened_s": 0, "acknowledged_s": null, "query_s": [at]});
        analytics("escalation", input, json!({"levels": [2]}))
    };
    assert_eq!(level(json!(900)), Outcome::Passed);
    for at in [json!(1e22), json!(-1)] {
        assert_eq!(level(at), Outcome::Failed);
    }
}
