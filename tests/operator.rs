//! What a careful operator meets: wrong values, files that do not fit, what is missing and what was left behind, each said before it does
//! harm.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use support::place::Place;
use support::process::{BINARY, Engine, code, stderr};

fn tradewind(args: &[&str]) -> Output {
    Command::new(BINARY)
        .args(args)
        .output()
        .expect("the binary starts")
}

/// The binary with the place's settings as flags.
fn with_sets(place: &Place, args: &[&str], sets: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(args);
    for set in place.sets(sets) {
        command.args(["--set", &set]);
    }
    command.output().expect("the binary starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

fn file(place: &Place, name: &str, content: &str) -> String {
    let path = place.root().join(name);
    std::fs::write(&path, content).expect("a file");
    path.display().to_string()
}

#[test]
fn a_value_that_cannot_be_is_a_usage_error_and_names_what_can() {
    for (args, near) in [
        (&["config", "show", "--profile", "servr"][..], "server"),
        (
            &["config", "show", "--set", "journal.durabilty=disk"],
            "journal.durability",
        ),
        (&["config", "show", "--set", "engine.idle=sleep"], "park"),
        (&["ingest", "x", "--format", "orders-cvs"], "orders-csv"),
        (
            &["ingest", "x", "--format", "jsonl", "--speed", "fast"],
            "realtime",
        ),
        (&["ingest", "x", "--format", "jsonl", "--speed", "NaNx"], "0.01x"),
        (
            &["ingest", "x", "--format", "jsonl", "--date", "2026-02-30"],
            "2026-03-02",
        ),
        (&["bench", "pipeline", "--rate", "0"], "order cycles"),
        (&["bench", "pipeline", "--mix", "cycle"], "cycles"),
        (&["bench", "pipeline", "--topology", "fuzed"], "fused"),
        (&["bench", "pipeline", "--durability", "dsk"], "disk"),
        (&["bench", "limits", "--limits", "13"], "twelve"),
        (&["journal", "cat", "x", "--kind", "order_nwe"], "order_new"),
        (&["replay", "x", "--to-time", "yesterday"], "2026-03-02T14:30:00Z"),
        (
            &["limits", "set", "x", "--param", "period", "--reason", "r"],
            "NAME=VALUE",
        ),
        (
            &["whatif", "--journal", "x", "--set", "hard=1"],
            "LABEL.FIELD=VALUE",
        ),
        (
            &["report", "statement", "--account", "A", "--from", "1.1.2026"],
            "2026-03-02",
        ),
    ] {
        let output = tradewind(args);
        assert_eq!(code(&output), 2, "{args:?}: {}", stderr(&output));
        assert!(
            stderr(&output).starts_with("error: ") && stderr(&output).contains(near),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_password_in_a_wrong_flag_is_not_repeated() {
    for flag in [
        "store.url=mysql://me:secret@host/db",
        "store.ulr=postgres://me:secret@host/db",
    ] {
        let output = tradewind(&["config", "show", "--set", flag]);
        assert_eq!(code(&output), 2, "{}", stderr(&output));
        assert!(!stderr(&output).contains("secret"), "{}", stderr(&output));
    }
}

#[test]
fn a_wrong_rules_file_is_told_alike_by_whatever_reads_it() {
    let place = Place::new();
    let rules = file(
        &place,
        "house.rules",
        "rule \"a\"\non order\nwhen qty >\nreject A \"a\"\n",
    );
    let engine = Engine::start(&place);
    let check = tradewind(&["rules", "check", &rules]);
    let load = engine.ask(&["rules", "load", &rules, "--reason", "test"]);
    let test = tradewind(&["rules", "test", &rules, "--journal", text(&place.data())]);
    for output in [&check, &load, &test] {
        assert_eq!(code(output), 1, "{}", stderr(output));
        assert_eq!(stdout(output), stdout(&check));
    }
    assert!(
        stdout(&check).starts_with(&format!("{rules}:")),
        "{}",
        stdout(&check)
    );
    let setting = format!("rules.file={rules}");
    let start = with_sets(&place, &["config", "check"], &[&setting]);
    assert_eq!(code(&start), 1);
    assert!(
        stderr(&start).contains(stdout(&check).trim_end()),
        "{}",
        stderr(&start)
    );
}

#[test]
fn config_check_finds_all_that_a_first_start_would_refuse() {
    let place = Place::new();
    let nothing = place.root().join("nothing.pem").display().to_string();
    let junk = file(&place, "junk.json", "{}");
    let reference = file(&place, "firm.toml", include_str!("support/firm.toml"));
    let sets = [
        &format!("reference.path={reference}"),
        "rules.file=/no/such/file.rules",
        "http.listen=127.0.0.1:0",
        &format!("http.tls_cert_file={nothing}"),
        &format!("http.tls_key_file={nothing}"),
        &format!("identity.outside_jwks_file={junk}"),
        &format!("reports.tax_file={junk}"),
        "alerts.enabled=true",
        "alerts.sms_url=http://localhost:1/",
        "alerts.sms_body=to {nobody}",
        "capacity.limits=2",
    ];
    let output = with_sets(&place, &["config", "check", "--json"], &sets);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let problems = json(&output)["problems"].to_string();
    for what in [
        "/no/such/file.rules",
        "nothing.pem",
        "identity.outside_jwks_file",
        "reports.tax_file",
        "alerts.sms_body",
        "CAPACITY",
        "capacity.limits (2)",
    ] {
        assert!(problems.contains(what), "{what}: {problems}");
    }
    assert!(!place.data().exists(), "nothing was begun");
    let sound = with_sets(&place, &["config", "check", "--json"], &[sets[0]]);
    assert_eq!(code(&sound), 0, "{}", stdout(&sound));
    assert_eq!(json(&sound)["problems"], Value::Array(Vec::new()));
}

#[test]
fn config_check_says_what_the_next_start_on_a_journal_would_set_and_refuse() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let data = place.data();
    let firm = include_str!("support/firm.toml");
    let check = |reference: &str, sets: &[&str]| {
        let reference = file(&place, "next.toml", reference);
        let reference = format!("reference.path={reference}");
        let sets = [&[reference.as_str(), "engine.clock=wall"], sets].concat();
        let output = with_sets(
            &place,
            &["config", "check", "--json", "--data", text(&data)],
            &sets,
        );
        (code(&output), json(&output))
    };
    let problems = |(exit, found): (i32, Value)| {
        assert_eq!(exit, 1, "{found}");
        found["problems"].to_string()
    };
    let (exit, same) = check(firm, &[]);
    assert_eq!(
        (exit, &same["problems"]),
        (0, &Value::Array(Vec::new())),
        "{same}"
    );
    let in_journal = same["journal"]["records"].as_u64().expect("a count");
    assert!(
        in_journal > 50 && same["journal"]["changes"] == Value::Array(Vec::new()),
        "{same}"
    );

    let (exit, other) = check(&firm.replacen("hard = \"1000\"", "hard = \"1001\"", 1), &[]);
    let changes = other["journal"]["changes"].as_array().expect("a list");
    assert_eq!((exit, changes.len()), (0, 1), "{other}");
    assert!(
        changes[0].as_str().is_some_and(|line| line.contains("l01")),
        "{other}"
    );

    let more: String = (0..20)
        .map(|number| {
            format!("[[instrument]]\nsymbol = \"N{number}\"\nkind = \"EQUITY\"\ncurrency = \"USD\"\ncalendar = \"UTC\"\ntick = \"0.01\"\n")
        })
        .collect();
    let refused = problems(check(&format!("{firm}\n{more}"), &[]));
    assert!(refused.contains("the next start: refused CAPACITY"), "{refused}");
    assert!(problems(check(firm, &["capacity.nodes=63"])).contains("larger tables"));
    assert!(problems(check(firm, &["engine.clock=input"])).contains("runs on wall time"));

    let before = engine.json(&["limits", "list"]);
    assert!(before.to_string().contains("l01"), "the engine went on meanwhile");
    assert!(engine.stop().len() as u64 >= in_journal);
}

#[test]
fn an_engine_that_does_not_fit_into_memory_is_refused_before_anything_is_begun() {
    let place = Place::new();
    let large = ["capacity.cl_ord_ids=1073741824", "capacity.exec_ids=1073741824"];
    let data = place.data();
    let run = ["run", "--duration", "1", "--data", text(&data)];
    let output = with_sets(&place, &run, &large);
    assert_eq!(code(&output), 1);
    for what in ["too little memory", "ClOrdIDs", "engine.memory_overcommit=true"] {
        assert!(stderr(&output).contains(what), "{what}: {}", stderr(&output));
    }
    assert!(!data.exists(), "nothing was begun");
    let doctor = with_sets(&place, &["doctor", "--json", "--data", text(&data)], &large);
    let memory = finding(&doctor, "memory");
    assert_eq!(memory["grade"], "bad");
    let told = with_sets(&place, &["config", "check", "--json"], &large);
    assert!(json(&told)["warnings"].to_string().contains("on this machine"));
}

fn finding(doctor: &Output, subject: &str) -> Value {
    let findings = json(doctor);
    let mut found = findings.as_array().expect("findings").iter();
    found
        .rfind(|finding| finding["subject"] == subject)
        .cloned()
        .unwrap_or_default()
}

#[test]
fn a_setting_without_effect_is_said_to_have_none() {
    let place = Place::new();
    let sets = ["journal.retention_bytes=1GiB"];
    let told = with_sets(&place, &["config", "check", "--json"], &sets);
    assert_eq!(code(&told), 0, "{}", stdout(&told));
    assert!(json(&told)["warnings"].to_string().contains("no snapshots"));
    let data = place.data();
    let run = ["run", "--duration", "0", "--data", text(&data)];
    let sets = [sets[0], "engine.clock=wall"];
    let output = with_sets(&place, &run, &sets);
    assert!(
        code(&output) == 0 && stderr(&output).contains("journal.retention_bytes has no effect yet"),
        "{}",
        stderr(&output)
    );
    let none = with_sets(&place, &["config", "check", "--json"], &[]);
    assert!(!json(&none)["warnings"].to_string().contains("retention"));
}

#[test]
fn names_that_nothing_has_are_errors_with_the_nearest_that_there_is() {
    let place = Place::new();
    let engine = Engine::start(&place);
    for (args, exit, near) in [
        (&["limits", "list", "--node", "DSEK"][..], 1, "DESK"),
        (
            &["limits", "list", "--type", "MAX_OPEN_ORDER"],
            2,
            "MAX_OPEN_ORDERS",
        ),
    ] {
        let output = engine.ask(args);
        assert_eq!(code(&output), exit, "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(near), "{args:?}: {}", stderr(&output));
    }
    let all = engine.json(&["limits", "list"]);
    assert!(!all["limits"].as_array().expect("rows").is_empty());
    engine.stop();
    let state = tradewind(&["state", text(&place.data()), "--json"]);
    let account = json(&state)["balances"][0]["account"]
        .as_str()
        .expect("one")
        .to_owned();
    let known = tradewind(&["state", text(&place.data()), "--account", &account]);
    assert_eq!(code(&known), 0, "{}", stderr(&known));
    let misspelt = format!("{account}x");
    let output = tradewind(&["state", text(&place.data()), "--account", &misspelt]);
    assert!(
        code(&output) == 1 && stderr(&output).contains(&format!("did you mean {account:?}?")),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_limit_that_counts_nothing_shows_no_figure() {
    let place = Place::new();
    let engine = Engine::start(&place);
    for (label, limit_type, more) in [
        ("collar", "PRICE_COLLAR", &["--param", "pct=5"][..]),
        ("cash", "BUYING_POWER", &[]),
        ("share", "ADV_ORDER", &["--hard", "5"]),
        ("listed", "RESTRICTED", &[]),
    ] {
        let set = [
            "limits", "set", label, "--scope", "FREE", "--type", limit_type, "--reason", "test",
        ];
        engine.json(&[&set[..], more].concat());
    }
    let symbol = first_symbol(&place);
    engine.json(&[
        "limits",
        "restrict",
        "listed",
        &symbol,
        "CLOSE_ONLY",
        "--reason",
        "test",
    ]);
    for (label, said) in [
        ("collar", "yes or no"),
        ("cash", "name an instrument"),
        ("share", "name an instrument"),
        ("listed", "CLOSE_ONLY"),
    ] {
        let output = engine.ask(&["limits", "usage", label]);
        assert_eq!(code(&output), 2, "{label}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{label}: {}", stderr(&output));
    }
    let listed = engine.json(&["limits", "list", "--type", "PRICE_COLLAR"]);
    let rows = listed["limits"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row["used"].is_null()), "{listed}");
}

fn first_symbol(place: &Place) -> String {
    let text = std::fs::read_to_string(place.root().join("firm.toml")).expect("the reference data");
    let line = text
        .lines()
        .find(|line| line.starts_with("symbol = "))
        .expect("an instrument");
    line.split('"').nth(1).expect("a symbol").to_owned()
}

#[test]
fn a_journal_says_what_is_missing_and_who_writes_it() {
    let place = Place::new();
    let data = place.data();
    let info = || json(&tradewind(&["journal", "info", text(&data), "--json"]));
    let engine = Engine::start(&place);
    assert_eq!(info()["writer"]["pid"], engine.process.id());
    engine.kill();
    let left = info();
    assert_eq!((&left["writer"], &left["clean"]), (&Value::Null, &false.into()));
    let beyond = tradewind(&["journal", "cat", text(&data), "--from-seq", "1000000"]);
    assert!(
        code(&beyond) == 1
            && stderr(&beyond).contains("sequence 1000000 is ahead of the journal, whose last is"),
        "{}",
        stderr(&beyond)
    );
    Engine::start(&place).stop();
    assert_eq!(
        (info()["clean"].clone(), info()["missing"].clone()),
        (true.into(), Value::Array(Vec::new()))
    );
    let first = data.join("journal/00000000000000000001.twj");
    std::fs::rename(&first, place.root().join("elsewhere")).expect("it is there");
    assert_eq!(info()["missing"][0][0], 1);
    let shown = stdout(&tradewind(&["journal", "info", text(&data)]));
    assert!(shown.contains("MISSING"), "{shown}");
    let run = ["run", "--duration", "1", "--data", text(&data)];
    let start = with_sets(&place, &run, &["engine.clock=wall"]);
    assert_eq!(
        code(&start),
        1,
        "a start without its first records: {}",
        stdout(&start)
    );
}

#[test]
fn the_doctor_names_windows_of_killed_engines_and_folders_that_cannot_be_written() {
    let place = Place::new();
    let data = place.data();
    let doctor = |data: &Path| with_sets(&place, &["doctor", "--json", "--data", text(data)], &[]);
    let engine = Engine::start(&place);
    assert_eq!(
        finding(&doctor(&data), "left behind"),
        Value::Null,
        "its writer lives"
    );
    engine.kill();
    let left = finding(&doctor(&data), "left behind");
    let found = left["found"].as_str().expect("a finding");
    assert!(found.contains("tradewind-") && found.contains("MiB"), "{found}");
    let mend = left["mend"].as_str().expect("how to mend it");
    assert!(mend.contains(text(&data)) && mend.contains("rm -r "), "{mend}");
    Engine::start(&place).stop();
    assert_eq!(
        finding(&doctor(&data), "left behind"),
        Value::Null,
        "a start takes it in"
    );
    let no_folder = file(&place, "file", "");
    let disk = finding(&doctor(Path::new(&no_folder)), "disk");
    assert_eq!(disk["grade"], "bad", "{disk}");
}
