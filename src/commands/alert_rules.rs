//! `tradewind alerts rules`: own alert rules, checked, tried on a recorded journal, put into force, shown.

use super::ask::{ask_and_show, show_outcome};
use crate::alerts::settings_of;
use crate::cli::{
    AlertRulesCheckArgs, AlertRulesCommand, AlertRulesLoadArgs, AlertRulesShowArgs, AlertRulesTestArgs,
};
use crate::output::{self, Table};
use anyhow::Context;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use tradewind_alerts::{AlertManager, AlertSettings, FILE_MAX, IncidentRow, Rule, Unit, replay, rules_with};
use tradewind_config::{Settings, read_text};
use tradewind_control::{Command, RulesText};

/// Runs the command.
pub fn run(command: &AlertRulesCommand) -> anyhow::Result<ExitCode> {
    match command {
        AlertRulesCommand::Check(args) => check(args),
        AlertRulesCommand::Test(args) => test(args),
        AlertRulesCommand::Load(args) => load(args),
        AlertRulesCommand::Show(args) => show(args),
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    read_text(path, FILE_MAX as u64).with_context(|| format!("{} cannot be read", path.display()))
}

/// The text of a file and the rules that it makes of the standard ones; `None` where it is wrong, which is shown with a line for each
/// error as compilers write it.
fn sound(file: &Path, standard: &[Rule], json: bool) -> anyhow::Result<Option<(String, Vec<Rule>)>> {
    let text = read(file)?;
    let errors = match rules_with(standard, &text) {
        Ok(rules) => return Ok(Some((text, rules))),
        Err(errors) => errors,
    };
    if json {
        output::json(&json!({ "errors": errors }))?;
    } else {
        for error in errors {
            let file = file.display();
            output::text(format_args!("{file}:{}: {}\n", error.line, error.problem));
        }
    }
    Ok(None)
}

/// Exit code 1 where the file is wrong.
fn check(args: &AlertRulesCheckArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load("server", None, [], &[]).context("the settings of a server")?;
    let standard = AlertSettings::new(&settings.alerts).rules;
    let Some((_, rules)) = sound(&args.file, &standard, args.json)? else {
        return Ok(ExitCode::FAILURE);
    };
    let changed = rules.iter().filter(|rule| !standard.contains(rule));
    let lines: Vec<RuleLine> = changed.map(RuleLine::of).collect();
    if args.json {
        output::json(&json!({ "errors": [], "rules": lines }))?;
    } else {
        show_rules(&lines);
        output::text(format_args!(
            "{}: sound, {} on top of {} standard ones\n",
            args.file.display(),
            output::counted(lines.len() as u64, "rule"),
            standard.len()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// A rule as people read it.
#[derive(Serialize)]
struct RuleLine {
    name: String,
    metric: &'static str,
    steps: Vec<String>,
    severity_max: &'static str,
    route: String,
    off: bool,
}

impl RuleLine {
    fn of(rule: &Rule) -> Self {
        let figure = |threshold: i64| match rule.metric.unit() {
            Unit::BasisPoints => format!("{}.{:02} %", threshold / 100, threshold % 100),
            Unit::Nanos => format!("{} ms", threshold / 1_000_000),
            Unit::Number | Unit::Events => threshold.to_string(),
        };
        let step = |step: &tradewind_alerts::Step| match step.for_ns {
            0 => format!("{} from {}", step.severity, figure(step.threshold)),
            held => format!(
                "{} from {} for {} ms",
                step.severity,
                figure(step.threshold),
                held / 1_000_000
            ),
        };
        Self {
            name: rule.name.clone(),
            metric: rule.metric.text(),
            steps: rule.steps.iter().map(step).collect(),
            severity_max: rule.severity_max.text(),
            route: rule.route.clone(),
            off: rule.is_off,
        }
    }
}

fn show_rules(lines: &[RuleLine]) {
    let mut table = Table::new(&["<rule", "<metric", "<steps", "<at worst", "<route"]);
    for line in lines {
        let steps = if line.off {
            "off".to_owned()
        } else {
            line.steps.join(", ")
        };
        table.row(vec![
            line.name.clone(),
            line.metric.to_owned(),
            steps,
            line.severity_max.to_owned(),
            line.route.clone(),
        ]);
    }
    output::text(table);
}

/// What a file makes of a journal, beside what was made of it.
fn test(args: &AlertRulesTestArgs) -> anyhow::Result<ExitCode> {
    let (settings, _) = settings_of(&args.journal)?;
    let before = AlertSettings::new(&settings.alerts);
    let Some((_, rules)) = sound(&args.file, &before.rules, args.json)? else {
        return Ok(ExitCode::FAILURE);
    };
    let blind: Vec<&str> = rules
        .iter()
        .filter(|rule| rule.metric.is_live() && !before.rules.contains(rule))
        .map(|rule| rule.name.as_str())
        .collect();
    let after = AlertSettings {
        rules: rules.clone(),
        ..before.clone()
    };
    let was = replay(&args.journal, AlertManager::new(&before))?.incidents();
    let would = replay(&args.journal, AlertManager::with_rules_fixed(&after))?.incidents();
    let difference = Difference::of(&was, &would);
    if args.json {
        output::json(
            &json!({ "rules": difference.rules, "new": difference.new, "gone": difference.gone, "not_tried": blind }),
        )?;
    } else {
        difference.show();
        if !blind.is_empty() {
            let names = blind.join(", ");
            output::text(format_args!(
                "not tried, because they look at figures of a running engine that no journal has: {names}\n"
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How often a rule made incidents, as it was and under the file.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Counts {
    was: u64,
    would: u64,
}

struct Difference<'a> {
    rules: BTreeMap<String, Counts>,
    new: Vec<&'a IncidentRow>,
    gone: Vec<&'a IncidentRow>,
}

impl<'a> Difference<'a> {
    /// Incidents are the same where rule, scope, instrument, opening and severity are.
    fn of(was: &'a [IncidentRow], would: &'a [IncidentRow]) -> Self {
        fn key(row: &IncidentRow) -> (&str, &str, &str, &str, &'static str) {
            (
                &row.rule,
                &row.scope,
                &row.instrument,
                &row.opened_at,
                row.severity.text(),
            )
        }
        let mut rules: BTreeMap<String, Counts> = BTreeMap::new();
        for row in was {
            rules.entry(row.rule.clone()).or_default().was += 1;
        }
        for row in would {
            rules.entry(row.rule.clone()).or_default().would += 1;
        }
        let known: std::collections::BTreeSet<_> = was.iter().map(key).collect();
        let made: std::collections::BTreeSet<_> = would.iter().map(key).collect();
        Self {
            rules,
            new: would.iter().filter(|row| !known.contains(&key(row))).collect(),
            gone: was.iter().filter(|row| !made.contains(&key(row))).collect(),
        }
    }

    fn show(&self) {
        let mut table = Table::new(&["<rule", "incidents", "under the file"]);
        for (rule, counts) in &self.rules {
            table.row(vec![
                rule.clone(),
                counts.was.to_string(),
                counts.would.to_string(),
            ]);
        }
        output::text(table);
        for (what, rows) in [("new", &self.new), ("gone", &self.gone)] {
            for row in rows {
                output::text(format_args!(
                    "{what:<5} {} {:<8} {} {} {}: {}\n",
                    row.opened_at,
                    row.severity.text(),
                    row.rule,
                    row.scope,
                    row.instrument,
                    row.text
                ));
            }
        }
    }
}

fn load(args: &AlertRulesLoadArgs) -> anyhow::Result<ExitCode> {
    let (settings, _) = settings_of(&args.engine.data)?;
    let standard = AlertSettings::new(&settings.alerts).rules;
    let Some((text, _)) = sound(&args.file, &standard, args.engine.json)? else {
        return Ok(ExitCode::FAILURE);
    };
    ask_and_show(
        &args.engine,
        Some(&args.why.reason),
        Command::AlertsRules(RulesText { text }),
        show_outcome,
    )
}

fn show(args: &AlertRulesShowArgs) -> anyhow::Result<ExitCode> {
    let (settings, _) = settings_of(&args.data)?;
    let standard = AlertSettings::new(&settings.alerts);
    let manager = replay(&args.data, AlertManager::new(&standard))?;
    let own = manager
        .rules()
        .iter()
        .filter(|rule| !standard.rules.contains(rule));
    let lines: Vec<RuleLine> = own.map(RuleLine::of).collect();
    if args.json {
        output::json(&json!({ "document": manager.document(), "rules": lines }))?;
        return Ok(ExitCode::SUCCESS);
    }
    match manager.document() {
        None => output::text("the standard rules; no file was put into force\n"),
        Some(document) => {
            output::text(format_args!("by {}: {}\n", document.author, document.reason));
            show_rules(&lines);
            output::text(&document.source);
        }
    }
    Ok(ExitCode::SUCCESS)
}
