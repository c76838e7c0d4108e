use super::*;
use proptest::prelude::*;
use std::io::Write;

fn load(
    profile: &str,
    file: Option<&str>,
    env: &[(&str, &str)],
    sets: &[&str],
) -> Result<Settings, ConfigError> {
    let env: Vec<_> = env
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let sets: Vec<_> = sets.iter().map(|set| set.to_string()).collect();
    let Some(text) = file else {
        return Settings::load(profile, None, env, &sets);
    };
    let mut on_disk = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    on_disk.write_all(text.as_bytes()).unwrap();
    Settings::load(profile, Some(on_disk.path()), env, &sets)
}

/// The one problem of a load that fails, without the temporary folder.
fn refusal(file: Option<&str>, env: &[(&str, &str)], sets: &[&str]) -> String {
    let error = load("demo", file, env, sets).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
    let text = error.to_string();
    text.split_once(".toml:")
        .map_or(text.clone(), |(_, rest)| format!("line {rest}"))
}

fn row(settings: &Settings, key: &str) -> (String, String) {
    let row = settings.show().into_iter().find(|row| row.key == key).unwrap();
    let origin = row.origin.to_string();
    (row.value, origin.rsplit('/').next().unwrap().to_owned())
}

#[test]
fn a_later_layer_wins_and_the_origin_says_which() {
    let file = "[engine]\nbatch_max = 32\nring_slots = 512\nshard = 7\n";
    let env = [
        ("TRADEWIND_ENGINE__RING_SLOTS", "256"),
        ("TRADEWIND_ENGINE__SHARD", "8"),
        ("HOME", "/x"),
    ];
    let settings = load("demo", Some(file), &env, &["engine.shard=9", "engine.shard=10"]).unwrap();
    assert_eq!(
        (
            settings.engine.batch_max,
            settings.engine.ring_slots,
            settings.engine.shard
        ),
        (32, 256, 10)
    );
    assert_eq!(
        row(&settings, "engine.shard"),
        ("10".into(), "--set engine.shard=10".into())
    );
    assert_eq!(
        row(&settings, "engine.ring_slots").1,
        "TRADEWIND_ENGINE__RING_SLOTS"
    );
    assert!(row(&settings, "engine.batch_max").1.ends_with(".toml:2"));
    assert!(row(&settings, "engine.idle").1.starts_with("profile demo:"));
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one() {
    let near_key = "unknown key `engine.bacth_max`; did you mean `engine.batch_max`?";
    assert_eq!(
        refusal(Some("[engine]\nbacth_max = 1\n"), &[], &[]),
        format!("line 2: {near_key}")
    );
    assert_eq!(
        refusal(None, &[], &["engine.bacth_max=1"]),
        format!("--set engine.bacth_max=...: {near_key}")
    );
    assert_eq!(
        refusal(None, &[("TRADEWIND_ENGINE_BATCH_MAX", "1")], &[]),
        "TRADEWIND_ENGINE_BATCH_MAX: unknown variable `TRADEWIND_ENGINE_BATCH_MAX`; did you mean `TRADEWIND_ENGINE__BATCH_MAX`?"
    );
    let no_profile = load("lowlatency", None, &[], &[]).unwrap_err().to_string();
    assert!(no_profile.contains("did you mean `low-latency`?"), "{no_profile}");
}

#[test]
fn a_wrong_value_names_key_origin_and_range() {
    assert_eq!(
        refusal(Some("\n[engine]\nbatch_max = 5000\n"), &[], &[]),
        "line 3: engine.batch_max: 5000 is not allowed; allowed: 1 to 4096"
    );
    assert_eq!(
        refusal(Some("engine.idle = \"sleep\""), &[], &[]),
        "line 1: engine.idle: \"sleep\" is not allowed; allowed: spin, yield, park"
    );
    assert_eq!(
        refusal(None, &[("TRADEWIND_JOURNAL__SYNC_INTERVAL_MS", "5ms")], &[]),
        "TRADEWIND_JOURNAL__SYNC_INTERVAL_MS: journal.sync_interval_ms: \"5ms\" is not allowed; allowed: 1 to 60000"
    );
    assert_eq!(
        refusal(None, &[], &["nothing"]),
        "--set nothing: must be section.key=value"
    );
    assert_eq!(
        refusal(Some("engine = 1"), &[], &[]),
        "line 1: unknown key `engine`"
    );
}

#[test]
fn all_problems_of_all_layers_come_together() {
    let error = load(
        "demo",
        Some("[x]\na = 1\n[engine]\nidle = 1\n"),
        &[("TRADEWIND_X", "")],
        &["a.b=c"],
    )
    .unwrap_err();
    assert_eq!(error.problems.len(), 4, "{error}");
    let missing = Settings::load("demo", Some(Path::new("/nonexistent/x.toml")), [], &[]).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("/nonexistent/x.toml: failed to read"),
        "{missing}"
    );
}

#[test]
fn sizes_that_do_not_fit_together_are_refused() {
    assert_eq!(
        refusal(None, &[], &["journal.segment_bytes=100000"]),
        "--set journal.segment_bytes=100000: journal.segment_bytes: 100000 must be a multiple of 4096"
    );
    for set in [
        "journal.window_bytes=16MiB",
        "journal.reserve_bytes=1MiB",
        "journal.retention_bytes=8MiB",
        "engine.effect_slots=8192",
    ] {
        let key = set.split('=').next().unwrap();
        assert!(refusal(None, &[], &[set]).contains(&format!("{key}: ")), "{set}");
    }
}

#[test]
fn the_hash_follows_what_decides_and_nothing_else() {
    let base = load("demo", None, &[], &[]).unwrap().hash();
    assert_eq!(
        load(
            "demo",
            None,
            &[],
            &["engine.idle=spin", "log.status_interval_ms=0"]
        )
        .unwrap()
        .hash(),
        base
    );
    assert_eq!(
        load("demo", None, &[], &["engine.market_slip_bps=500"])
            .unwrap()
            .hash(),
        base
    );
    assert_ne!(
        load("demo", None, &[], &["engine.market_slip_bps=501"])
            .unwrap()
            .hash(),
        base
    );
    assert_ne!(
        load("demo", None, &[], &["capacity.limits=7"]).unwrap().hash(),
        base
    );
}

#[test]
fn every_profile_sets_every_key_with_the_comment_of_the_table() {
    for (name, text) in PROFILES {
        let settings = load(name, None, &[], &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let lines: Vec<&str> = text.lines().collect();
        for (key, row) in KEYS.iter().zip(settings.show()) {
            let Origin::Profile { line, .. } = row.origin else {
                panic!("{name} does not set {}", key.name)
            };
            let above = lines[..line - 1]
                .iter()
                .rev()
                .take_while(|line| line.starts_with('#'));
            let comment: Vec<&str> = above.map(|line| line.trim_start_matches(['#', ' '])).collect();
            let comment: String = comment.into_iter().rev().collect::<Vec<_>>().join(" ");
            assert!(
                comment.contains(key.doc),
                "{name}.toml: {} lacks its comment: {}",
                key.name,
                key.doc
            );
        }
    }
}

#[test]
fn the_largest_value_of_each_range_fits_its_type() {
    for key in KEYS {
        let (Range::Count { max, .. } | Range::Bytes { max, .. }) = key.range else {
            continue;
        };
        let problems = match load("server", None, &[], &[&format!("{}={max}", key.name)]) {
            Ok(_) => continue,
            Err(error) => error.problems,
        };
        // Some extremes break a rule between keys, which is checked after the types.
        assert!(
            problems.iter().all(|problem| problem.message.contains("must")),
            "{problems:?}"
        );
    }
}

#[test]
fn what_is_shown_reads_back_to_the_same_settings() {
    for (name, _) in PROFILES {
        let settings = load(name, None, &[], &[]).unwrap();
        let sets: Vec<String> = settings
            .show()
            .iter()
            .map(|row| format!("{}={}", row.key, row.value))
            .collect();
        let back = Settings::load("demo", None, [], &sets).unwrap();
        assert_eq!(
            back.show().iter().map(|row| &row.value).collect::<Vec<_>>(),
            settings.show().iter().map(|row| &row.value).collect::<Vec<_>>()
        );
    }
}

#[test]
fn the_head_of_each_profile_states_its_memory() {
    for (name, text) in PROFILES {
        let total: u64 = load(name, None, &[], &[])
            .unwrap()
            .memory_estimate()
            .iter()
            .map(|(_, bytes)| bytes)
            .sum();
        let head: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        let stated: f64 = head
            .split_once("bout ")
            .unwrap()
            .1
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let gib = total as f64 / (1u64 << 30) as f64;
        assert!(
            (stated / gib - 1.0).abs() < 0.25,
            "{name}.toml says {stated} GiB, the sizes add up to {gib:.2}"
        );
    }
}

#[test]
fn the_reference_page_of_settings_is_up_to_date() {
    let mut page = String::from(
        "# Settings\n\nFrom the table in config/src/settings/keys.rs; values by profile in config/profiles. `UPDATE_DOCS=1 cargo test -p \
         tradewind-config` rewrites this page.\nLayers: profile < `--config FILE` < `TRADEWIND_SECTION__KEY` < `--set section.key=value`. \
         *decides*: can change an outcome and is part of the configuration hash.\n\n| key | allowed | decides | meaning |\n|---|---|---|---|\n",
    );
    for key in KEYS {
        let decides = if key.decides { "yes" } else { "" };
        page += &format!("| `{}` | {} | {decides} | {} |\n", key.name, key.range, key.doc);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/settings.md is old: run with UPDATE_DOCS=1"
    );
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}", noise in "[\\[\\]a-z._=\"0-9\n #-]{0,200}") {
        for text in [&text, &noise] {
            let _ = load("demo", Some(text), &[("TRADEWIND_ENGINE__SHARD", text)], &[text]);
            let _ = load(text, None, &[(text, text)], &[]);
            for key in KEYS {
                let _ = key.range.read(Raw::Untyped(text));
            }
        }
    }
}
