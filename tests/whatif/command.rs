//! `tradewind whatif` as people call it, and its report as programs read it.

use crate::{run, tradewind, two_orders};
use serde_json::Value;

#[test]
fn the_command_prints_the_report_and_check_fails_where_anything_changes() {
    let place = run(&two_orders());
    let data = place.data().display().to_string();
    let same = tradewind(&["whatif", "--journal", &data, "--check"]);
    assert!(same.status.success());
    let text = String::from_utf8_lossy(&same.stdout).into_owned();
    assert!(
        text.contains("no verdict changes") && text.contains("exact: both worlds did the same"),
        "{text}"
    );
    let other = tradewind(&[
        "whatif",
        "--journal",
        &data,
        "--set",
        "l17.hard=1",
        "--check",
        "--max",
        "1",
    ]);
    assert_eq!(other.status.code(), Some(1));
    let text = String::from_utf8_lossy(&other.stdout).into_owned();
    for part in [
        "limit l17: hard 10000 -> 1",
        "changed verdicts: 2",
        "and 1 more",
        "fills dropped: 1 whole, 0 in part, worth 5000 USD",
        "newly accepted orders are not filled",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let without_check = tradewind(&["whatif", "--journal", &data, "--set", "l17.hard=1"]);
    assert!(without_check.status.success());
    let printed = tradewind(&["whatif", "--journal", &data, "--print-limits"]);
    let file = place.root().join("same.toml");
    std::fs::write(&file, printed.stdout).expect("a file");
    let same = tradewind(&[
        "whatif",
        "--journal",
        &data,
        "--limits",
        &file.display().to_string(),
        "--check",
    ]);
    assert!(same.status.success());
}

#[test]
fn the_json_report_has_the_fields_that_its_page_names() {
    let place = run(&two_orders());
    let data = place.data().display().to_string();
    let output = tradewind(&["whatif", "--journal", &data, "--set", "l17.hard=1", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let page = include_str!("../../docs/whatif.md");
    let mut missing = Vec::new();
    names_of(&report, &mut |name| {
        if !page.contains(&format!("`{name}`")) {
            missing.push(name.to_owned());
        }
    });
    assert!(missing.is_empty(), "docs/whatif.md does not name {missing:?}");
    assert_eq!(report["totals"]["orders"]["newly_rejected"], 2);
    assert_eq!(report["changed"][0]["after"]["limit"], "l17");
    assert_eq!(report["dropped"]["fills_value"], "5000");
}

fn names_of(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            see(name);
            names_of(value, see);
        }),
        Value::Array(items) => items.iter().for_each(|item| names_of(item, see)),
        _ => {}
    }
}
