//! Files of own alert rules: what they change, what is wrong with them, and how they are journaled.

use tradewind_alerts::{AlertSettings, Clear, FILE_MAX, Metric, Rule, RuleDocument, Severity, rules_with};
use tradewind_config::Settings;

fn standard() -> Vec<Rule> {
    let settings = Settings::load("server", None, [], &[]).unwrap();
    AlertSettings::new(&settings.alerts).rules
}

fn with(source: &str) -> Vec<Rule> {
    rules_with(&standard(), source).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn rule(rules: &[Rule], name: &str) -> Rule {
    rules.iter().find(|rule| rule.name == name).unwrap().clone()
}

#[test]
fn a_standard_rule_keeps_what_the_file_does_not_name() {
    let rules = with(
        r#"
        [[rule]]
        name = "limit_usage"
        clear = "60.5"
        severity_max = "WARNING"
        [[rule.step]]
        at = "72.25"
        severity = "WARNING"
        [[rule.step]]
        at = 90
        severity = "ERROR"
        for_ms = 5000
        [[rule]]
        name = "journal_lag"
        route = "level3"
        "#,
    );
    assert_eq!(rules.len(), standard().len());
    let usage = rule(&rules, "limit_usage");
    let before = rule(&standard(), "limit_usage");
    assert_eq!(usage.steps[0].threshold, 7_225);
    assert_eq!(
        (usage.steps[1].threshold, usage.steps[1].for_ns),
        (9_000, 5_000_000_000)
    );
    assert_eq!(
        (usage.clear, usage.severity_max),
        (Clear::At(6_050), Severity::Warning)
    );
    assert_eq!(usage.clear_for_ns, before.clear_for_ns);
    let lag = rule(&rules, "journal_lag");
    assert_eq!(lag.route, "level3");
    assert_eq!(lag.steps, rule(&standard(), "journal_lag").steps);
}

#[test]
fn a_rule_of_another_name_is_another_rule_and_one_that_is_off_has_no_steps() {
    let rules = with(
        r#"
        [[rule]]
        name = "busy-quarantine"
        metric = "quarantined"
        window_ms = 60000
        [[rule.step]]
        at = 5
        severity = "ERROR"
        [[rule]]
        name = "engine_started"
        off = true
        "#,
    );
    assert_eq!(rules.len(), standard().len() + 1);
    let busy = rules.last().unwrap();
    assert_eq!(
        (busy.metric, busy.window_ns),
        (Metric::Quarantined, 60_000_000_000)
    );
    assert!(rule(&rules, "engine_started").is_off);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let cases = [
        ("[[rule]]\nname = \"x\"", "names no metric"),
        (
            "[[rule]]\nname = \"x\"\nmetric = \"nothing\"",
            "none of limit_usage",
        ),
        (
            "[[rule]]\nname = \"x\"\nmetric = \"quarantined\"",
            "no [[rule.step]]",
        ),
        (
            "[[rule]]\nname = \"limit_usage\"\nmetric = \"overfill\"",
            "a file does not change",
        ),
        (
            "[[rule]]\nname = \"limit_usage\"\nclear = \"1.234\"",
            "two decimals",
        ),
        (
            "[[rule]]\nname = \"limit_usage\"\nclear = 1\nclear_pct = 2",
            "one of them",
        ),
        (
            "[[rule]]\nname = \"limit_usage\"\nwindow_ms = 5",
            "things that happen",
        ),
        (
            "[[rule]]\nname = \"limit_usage\"\nroute = \"pager\"",
            "names a route",
        ),
        (
            "[[rule]]\nname = \"limit_usage\"\nseverity_max = \"BAD\"",
            "a severity",
        ),
        (
            "[[rule]]\nname = \"overfill\"\n[[rule.step]]\nat = 0\nseverity = \"INFO\"",
            "counts things",
        ),
        (
            "[[rule]]\nname = \"limit_usage\"\n[[rule.step]]\nat = 9\nseverity = \"ERROR\"\n[[rule.step]]\nat = 8\nseverity = \"ERROR\"",
            "mild to severe",
        ),
    ];
    for (source, expected) in cases {
        let errors = rules_with(&standard(), source).unwrap_err();
        assert_eq!(errors.len(), 1, "{source}");
        assert!(errors[0].problem.contains(expected), "{}", errors[0]);
        assert_eq!(errors[0].line, 2, "{source}");
    }
    let unknown = rules_with(&standard(), "\n\n[[rule]]\nname = \"x\"\nthreshold = 1").unwrap_err();
    assert_eq!(unknown[0].line, 5, "{}", unknown[0]);
    assert!(rules_with(&standard(), &" ".repeat(FILE_MAX + 1)).is_err());
}

#[test]
fn a_document_comes_back_from_its_parts() {
    let document = RuleDocument {
        author: "ada".into(),
        reason: "quiet nights".into(),
        source: "# nothing\n".repeat(500),
    };
    let parts = document.parts().unwrap();
    assert!(parts.len() > 1);
    let bytes: Vec<u8> = parts
        .iter()
        .flat_map(|part| part.event().tail().to_vec())
        .collect();
    assert_eq!(RuleDocument::read(&bytes), Some(document));
    assert_eq!(RuleDocument::read(b"{}"), None);
}
