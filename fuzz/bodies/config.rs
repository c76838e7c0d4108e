//! Settings and reference data: any text is read or refused, and what was read becomes events.

use super::Script;
use std::io::Write;
use tradewind_config::{PROFILES, ReferenceData, Settings};

/// The first byte says what the rest is.
pub(crate) fn config(bytes: &[u8]) {
    let mut script = Script(bytes);
    let what = script.u8();
    let Ok(text) = std::str::from_utf8(script.0) else {
        return;
    };
    match what % 3 {
        0 => settings_of_flags(text),
        1 => settings_of_file(text),
        _ => reference(text),
    }
}

/// Each line is a flag, and a variable as well.
fn settings_of_flags(text: &str) {
    let (profile, flags) = text.split_once('\n').unwrap_or(("demo", text));
    let sets: Vec<String> = flags.lines().map(str::to_owned).collect();
    let variables = flags.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (format!("TRADEWIND_{name}"), value.to_owned()));
    check(Settings::load(profile, None, [], &sets));
    check(Settings::load(profile, None, variables, &[]));
}

fn settings_of_file(text: &str) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    file.write_all(text.as_bytes())
        .expect("a temporary file can be written");
    for (profile, _) in PROFILES {
        check(Settings::load(profile, Some(file.path()), [], &[]));
    }
}

fn check(settings: Result<Settings, tradewind_config::ConfigError>) {
    match settings {
        Ok(settings) => {
            let rows = settings.show();
            let sets: Vec<String> = rows
                .iter()
                .map(|row| format!("{}={}", row.key, row.value))
                .collect();
            let again = Settings::load("demo", None, [], &sets);
            let again = again.unwrap_or_else(|error| panic!("Invariant: what is shown can be set: {error}"));
            assert_eq!(
                again.hash(),
                settings.hash(),
                "Invariant: equal settings have equal hashes"
            );
        }
        Err(error) => assert!(
            !error.to_string().is_empty(),
            "Invariant: an error says something"
        ),
    }
}

fn reference(text: &str) {
    match ReferenceData::parse(text, "fuzz.toml") {
        Ok(data) => drop(data.events(20_000, 20_020)),
        Err(error) => assert!(!error.problems.is_empty(), "Invariant: an error has a problem"),
    }
}
