//! `tradewind rules`: checks a file of business rules, shows it a recorded journal, and shows the rules that a journal has in
//! force.

use super::ask::{ask_and_show, field, show_outcome};
use crate::cli::{RulesCheckArgs, RulesLoadArgs, RulesShowArgs, RulesTestArgs};
use crate::engine::{pack_rules, places, read_rules};
use crate::output::{self, count};
use anyhow::Context;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;
use tradewind_control::{Command, RulesText};
use tradewind_domain::event::Event;
use tradewind_domain::text::Text;
use tradewind_domain::time::Rfc3339;
use tradewind_rules::{Document, Label, RuleBook, RuleErrors, RuleInfo, compile, decode};
use tradewind_views::{Reader, RuleExample, RuleFigures, RuleTest, test_rules};

/// A rule of a file.
#[derive(Serialize)]
struct RuleLine {
    number: u8,
    line: u32,
    name: String,
    event: &'static str,
    action: &'static str,
    code: String,
    text: String,
}

impl From<RuleInfo> for RuleLine {
    fn from(info: RuleInfo) -> Self {
        Self {
            number: info.number,
            line: info.row.line,
            name: info.row.name.to_string(),
            event: info.event.text(),
            action: info.action.text(),
            code: info.row.code.to_string(),
            text: info.row.text.to_string(),
        }
    }
}

/// Something that is wrong with a file.
#[derive(Serialize)]
struct ErrorLine {
    line: u32,
    column: u32,
    problem: String,
}

#[derive(Serialize)]
struct Checked {
    errors: Vec<ErrorLine>,
    rules: Vec<RuleLine>,
}

/// The text of a file with rules that are right; `None` where they are not, which is shown. Whatever is to be done with the file, what is
/// wrong in it is said alike.
fn sound(file: &Path, json: bool) -> anyhow::Result<Option<Vec<u8>>> {
    let source = read_rules(file)?;
    let Err(errors) = compile(&source) else {
        return Ok(Some(source));
    };
    if json {
        output::json(&Checked {
            errors: error_lines(errors),
            rules: Vec::new(),
        })?;
    } else {
        output::text(format_args!("{}\n", places(file, &errors)));
    }
    Ok(None)
}

/// Runs `tradewind rules check`: exit code 1 where the file is wrong.
pub fn check(args: &RulesCheckArgs) -> anyhow::Result<ExitCode> {
    let Some(source) = sound(&args.file, args.json)? else {
        return Ok(ExitCode::FAILURE);
    };
    let document = packed(&args.file, &source)?;
    if args.json {
        output::json(&Checked {
            errors: Vec::new(),
            rules: document.rules.into_iter().map(RuleLine::from).collect(),
        })?;
    } else {
        show_rules(&document);
        output::text(format_args!(
            "{}: {}, sound\n",
            args.file.display(),
            output::counted(document.rules.len() as u64, "rule")
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn error_lines(errors: RuleErrors) -> Vec<ErrorLine> {
    let line = |error: tradewind_rules::RuleError| ErrorLine {
        line: error.line,
        column: error.column,
        problem: error.problem.to_string(),
    };
    errors.0.into_iter().map(line).collect()
}

/// The file as a stage would have it.
fn packed(path: &Path, source: &[u8]) -> anyhow::Result<Document> {
    decode(&pack_rules(path, source, nobody())?).context("the compiled rules do not verify")
}

/// Nobody puts these rules into force.
fn nobody() -> Label {
    Label {
        author: Text::EMPTY,
        reason: Text::EMPTY,
    }
}

fn show_rules(document: &Document) {
    for rule in &document.rules {
        output::text(format_args!(
            "{:>3}  line {:<5} on {:<6} {:<10} {:<16} {:?}\n",
            rule.number,
            rule.row.line,
            rule.event.text(),
            rule.action.text(),
            rule.row.code.as_str(),
            rule.row.name.as_str()
        ));
    }
}

/// Runs `tradewind rules load`: the running engine compiles the file anew, and says what changed.
pub fn load(args: &RulesLoadArgs) -> anyhow::Result<ExitCode> {
    let Some(source) = sound(&args.file, args.engine.json)? else {
        return Ok(ExitCode::FAILURE);
    };
    let text =
        String::from_utf8(source).with_context(|| format!("{} is no text in UTF-8", args.file.display()))?;
    let load = Command::RulesLoad(RulesText { text });
    ask_and_show(&args.engine, Some(&args.why.reason), load, |value| {
        for line in field::<Vec<String>>(value, "changes")? {
            output::text(format_args!("{line}\n"));
        }
        show_outcome(value)
    })
}

/// Runs `tradewind rules test`.
pub fn test(args: &RulesTestArgs) -> anyhow::Result<ExitCode> {
    let Some(source) = sound(&args.file, args.json)? else {
        return Ok(ExitCode::FAILURE);
    };
    let document = pack_rules(&args.file, &source, nobody())?;
    let until = super::until(&args.as_of);
    let test = test_rules(&args.journal, &document, until, args.examples)?;
    if args.json {
        output::json(&test)?;
    } else {
        show_test(&test);
    }
    Ok(ExitCode::SUCCESS)
}

fn show_test(test: &RuleTest) {
    output::text(format_args!(
        "{} records: {} orders and replaces, {} trades, {} quotes\n\
         would have refused {} orders and {} quotes that were accepted, put aside {} trades that were booked\n",
        count(test.records),
        count(test.orders),
        count(test.trades),
        count(test.quotes),
        count(test.orders_refused),
        count(test.quotes_refused),
        count(test.trades_quarantined)
    ));
    for rule in &test.rules {
        show_rule(rule);
    }
    output::text(
        "Each event is shown as it was recorded, to every rule by itself. What a refused order did later (fills, \
         positions) is not taken back.\n",
    );
}

fn show_rule(rule: &RuleFigures) {
    output::text(format_args!(
        "\n{:?} (line {}): {} {} {} {}, {} were accepted\n",
        rule.name,
        rule.line,
        rule.action,
        count(rule.acted),
        if rule.acted == 1 {
            rule.event.clone()
        } else {
            format!("{}s", rule.event)
        },
        format_args!("of {}", count(rule.asked)),
        count(rule.acted_on_accepted)
    ));
    if rule.unknown > 0 {
        output::text(format_args!(
            "    {} because the condition could not be told: a value was missing (known(...) asks for it)\n",
            count(rule.unknown)
        ));
    }
    for example in &rule.examples {
        show_example(example);
    }
}

fn show_example(example: &RuleExample) {
    let words = [
        &example.kind,
        &example.account,
        &example.side,
        &example.qty,
        &example.symbol,
        &example.px,
        &example.id,
    ];
    let words: Vec<&str> = words
        .iter()
        .map(|word| word.as_str())
        .filter(|word| !word.is_empty())
        .collect();
    output::text(format_args!(
        "    {}  {}  {}  then {}{}\n",
        example.seq,
        Rfc3339(example.recv_ns),
        words.join(" "),
        example.recorded,
        if example.unknown { ", cannot be told" } else { "" }
    ));
}

#[derive(Serialize)]
struct InForce {
    author: String,
    reason: String,
    source: String,
    rules: Vec<RuleLine>,
}

/// Runs `tradewind rules show`.
pub fn show(args: &RulesShowArgs) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.dir)?;
    let mut book = RuleBook::new();
    let mut event = Event::empty();
    while reader.next_into(&mut event)?.is_some() {
        book.observe(&event);
    }
    let Some(document) = book.document() else {
        if args.json {
            output::json(&None::<InForce>)?;
        } else {
            output::text("no rules are in force\n");
        }
        return Ok(ExitCode::SUCCESS);
    };
    let source = String::from_utf8_lossy(&document.source).into_owned();
    let (author, reason) = (document.label.author, document.label.reason);
    if args.json {
        output::json(&InForce {
            author: author.to_string(),
            reason: reason.to_string(),
            source,
            rules: document.rules.into_iter().map(RuleLine::from).collect(),
        })?;
    } else {
        output::text(format_args!("# by {author}: {reason}\n{source}"));
    }
    Ok(ExitCode::SUCCESS)
}
