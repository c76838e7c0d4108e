//! Business rules as an operator meets them: a file that is put into force at a start, what it refuses, and what another file would
//! have done to the recorded journal.

mod support;

use serde_json::Value;
use std::process::{Command, Output};
use support::place::Place;

const BINARY: &str = env!("CARGO_BIN_EXE_tradewind");

const RULES: &str = r#"# first version
rule "small-lots" on order
  when order.qty < 50 and account.code = "FREE"
  then reject "SMALL" "fewer than fifty"
rule "large-lots" on order
  when order.qty > 200
  then alert "LARGE" "more than two hundred"
"#;

const ORDERS: &str = "time,type,cl_ord_id,orig_cl_ord_id,order_id,account,symbol,side,ord_type,tif,qty,px\n\
    2026-03-02T09:00:00Z,new,C1,,,FREE,GIZMO,BUY,LIMIT,DAY,40,50\n\
    2026-03-02T09:00:01Z,new,C2,,,FREE,GIZMO,BUY,LIMIT,DAY,100,50\n\
    2026-03-02T09:00:02Z,new,C3,,,FREE,GIZMO,BUY,LIMIT,DAY,300,50\n\
    2026-03-02T09:00:03Z,replace,C4,C2,,,,,,,30,50\n\
    2026-03-02T09:00:04Z,new,C5,,,FREE-2,GIZMO,BUY,LIMIT,DAY,40,50\n";

/// A folder with reference data, a rules file and a journal.
struct Firm {
    place: Place,
}

impl Firm {
    fn new() -> Self {
        let place = Place::new();
        let write = |name: &str, text: &str| {
            std::fs::write(place.root().join(name), text).expect("a file can be written");
        };
        write("firm.toml", include_str!("support/firm.toml"));
        write("orders.csv", ORDERS);
        write("first.rules", RULES);
        Self { place }
    }

    fn path(&self, name: &str) -> String {
        self.place.root().join(name).display().to_string()
    }

    fn data(&self) -> String {
        self.place.data().display().to_string()
    }

    /// Carries the orders through the engine, with this file of rules configured.
    fn ingest(&self, rules: &str) -> Output {
        let reference = format!("reference.path={}", self.path("firm.toml"));
        let rules = format!("rules.file={}", self.path(rules));
        let orders = self.path("orders.csv");
        let mut command = Command::new(BINARY);
        command.args([
            "ingest",
            &orders,
            "--format",
            "orders-csv",
            "--data",
            &self.data(),
        ]);
        for set in self.place.sets(&[&reference, &rules]) {
            command.args(["--set", &set]);
        }
        command.output().expect("the binary starts")
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(BINARY)
            .args(args)
            .output()
            .expect("the binary starts")
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn explain(&self, order: &str) -> Value {
        self.json(&["explain", &self.data(), order])["events"][0]["verdict"].clone()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_file_of_rules_comes_into_force_once_and_its_refusals_can_be_explained() {
    let firm = Firm::new();
    let first = firm.ingest("first.rules");
    assert!(first.status.success(), "{}", stderr(&first));
    for line in ["rules: add \"small-lots\"", "rules: add \"large-lots\""] {
        assert!(stderr(&first).contains(line), "{}", stderr(&first));
    }

    let refused = firm.explain("C1");
    assert_eq!(refused["code"], "BUSINESS_RULE");
    assert_eq!(refused["rule"]["name"], "small-lots");
    assert_eq!(refused["rule"]["code"], "SMALL");
    assert_eq!(refused["rule"]["text"], "fewer than fifty");
    assert_eq!(refused["rule_alert"], Value::Null);
    let flagged = firm.explain("C3");
    assert_eq!(
        (&flagged["accepted"], &flagged["rule_alert"]["code"]),
        (&true.into(), &"LARGE".into())
    );
    let life = firm.json(&["explain", &firm.data(), "C2"]);
    let replace = &life["events"][1];
    assert_eq!(
        (&replace["kind"], &replace["verdict"]["rule"]["code"]),
        (&"order_replace".into(), &"SMALL".into())
    );
    let text = firm.run(&["explain", &firm.data(), "C1"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("rule \"small-lots\" reject: SMALL fewer than fifty"),
        "{text}"
    );

    let shown = firm.json(&["rules", "show", &firm.data()]);
    assert_eq!(
        (&shown["author"], &shown["source"]),
        (&"rules.file".into(), &RULES.into())
    );
    let verified = firm.run(&["journal", "verify", &firm.data()]);
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );

    // The same text again is no change; another one is.
    let again = firm.ingest("first.rules");
    assert!(
        again.status.success() && !stderr(&again).contains("rules:"),
        "{}",
        stderr(&again)
    );
    let second = RULES
        .replace("< 50", "< 20")
        .replace("\"large-lots\"", "\"big-lots\"");
    std::fs::write(firm.path("second.rules"), &second).expect("a file can be written");
    let changed = stderr(&firm.ingest("second.rules"));
    for line in [
        "remove \"large-lots\"",
        "add \"big-lots\"",
        "change \"small-lots\"",
    ] {
        assert!(changed.contains(&format!("rules: {line}")), "{changed}");
    }
    assert_eq!(
        firm.json(&["rules", "show", &firm.data()])["source"],
        second.as_str()
    );
}

#[test]
fn a_file_that_is_wrong_starts_nothing_and_says_where() {
    let firm = Firm::new();
    std::fs::write(
        firm.path("bad.rules"),
        RULES.replace("order.qty > 200", "order.qty >"),
    )
    .expect("a file");
    let output = firm.ingest("bad.rules");
    assert_eq!(output.status.code(), Some(1));
    let place = "bad.rules:7:3: expected a field";
    assert!(stderr(&output).contains(place), "{}", stderr(&output));

    let checked = firm.run(&["rules", "check", &firm.path("bad.rules")]);
    assert_eq!(checked.status.code(), Some(1));
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(text.contains("bad.rules:7:3: expected a field"), "{text}");
    let sound = firm.json(&["rules", "check", &firm.path("first.rules")]);
    assert_eq!(sound["errors"], Value::Array(Vec::new()));
    assert_eq!(sound["rules"][1]["code"], "LARGE");
}

#[test]
fn a_test_of_rules_counts_what_they_would_have_done_and_shows_examples() {
    let firm = Firm::new();
    assert!(firm.ingest("first.rules").status.success());
    let tried = r#"
        rule "four" on order when order.qty = 40 then reject "FOUR" "four"
        rule "replaces" on order when order.is_replace and order.side = BUY then alert "R" "a replace"
        rule "untold" on order when order.stop_px > 1 then alert "U" "cannot be told"
        rule "never" on trade when trade.qty > 0 then quarantine "N" "no trades here"
    "#;
    std::fs::write(firm.path("tried.rules"), tried).expect("a file");
    let args = [
        "rules",
        "test",
        &firm.path("tried.rules"),
        "--journal",
        &firm.data(),
        "--examples",
        "1",
    ];
    let test = firm.json(&args);
    assert_eq!((&test["orders"], &test["trades"]), (&5.into(), &0.into()));
    // C1 was refused at the time; C5 was accepted.
    assert_eq!(test["orders_refused"], 1);
    let figures: Vec<[u64; 4]> = test["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| {
            ["asked", "acted", "acted_on_accepted", "unknown"].map(|key| rule[key].as_u64().expect(key))
        })
        .collect();
    assert_eq!(figures, [[5, 2, 1, 0], [5, 1, 0, 0], [5, 5, 3, 5], [0, 0, 0, 0]]);
    let example = &test["rules"][0]["examples"][0];
    let expected = [
        ("id", "C1"),
        ("symbol", "GIZMO"),
        ("qty", "40"),
        ("px", "50"),
        ("account", "FREE"),
        ("recorded", "BUSINESS_RULE"),
    ];
    for (key, value) in expected {
        assert_eq!(example[key], value, "{key}");
    }
    assert_eq!(
        test["rules"][0]["examples"].as_array().expect("examples").len(),
        1
    );
    let shown = firm.run(&args);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        text.contains("\"four\" (line 2): reject 2 orders of 5, 1 were accepted"),
        "{text}"
    );
}
