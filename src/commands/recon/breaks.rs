//! Breaks of a running engine, or of a journal: who sees to them, and how they are closed.

use crate::cli::{
    EngineArgs, ReconAssignArgs, ReconBreakArgs, ReconListArgs, ReconResolveArgs, ReconShowArgs,
};
use crate::commands::ask::{ask_and_show, field, show_outcome};
use crate::output::{self, Table};
use anyhow::Context;
use serde_json::{Value, json};
use std::process::ExitCode;
use tradewind_control::{ClientError, Command, Outcome, ReconAct, ReconFilter, ReconName};
use tradewind_domain::event::Event;
use tradewind_machine::journal::{self, JournalError};
use tradewind_views::Reader;
use tradewind_views::recon::ReconBook;

pub(super) fn list(args: &ReconListArgs) -> anyhow::Result<ExitCode> {
    let filter = ReconFilter {
        account: args.account.clone(),
        state: args.state.clone(),
        limit: Some(args.limit),
    };
    let answered = ask_and_show(&args.engine, None, Command::ReconList(filter), show_list);
    or_from_journal(answered, &args.engine, |book, now_ns| {
        let is_wanted = |row: &Value| {
            let (state, account) = (row["state"].as_str(), row["account"].as_str());
            let waits = matches!(state, Some("OPEN" | "GONE"));
            let is_state = |wanted: &String| state == Some(wanted.to_ascii_uppercase().as_str());
            args.state.as_ref().map_or(waits, is_state)
                && args
                    .account
                    .as_deref()
                    .is_none_or(|wanted| account == Some(wanted))
        };
        let rows: Result<Vec<Value>, _> = book.rows(now_ns).map(serde_json::to_value).collect();
        let mut rows: Vec<Value> = rows?.into_iter().filter(is_wanted).collect();
        rows.reverse();
        let count = rows.len();
        rows.truncate(args.limit as usize);
        let runs: Vec<_> = book.run_rows().take(20).collect();
        let value = json!({ "breaks": rows, "count": count, "runs": runs, "not_listed": book.dropped() });
        print(&args.engine, &value, show_list)
    })
}

pub(super) fn show(args: &ReconShowArgs) -> anyhow::Result<ExitCode> {
    let name = ReconName { id: args.id };
    let answered = ask_and_show(&args.engine, None, Command::ReconShow(name), show_break);
    or_from_journal(answered, &args.engine, |book, now_ns| {
        let row = book.row_of(args.id, now_ns);
        let row = row.with_context(|| format!("there is no break {}", args.id))?;
        print(&args.engine, &json!({ "break": row }), show_break)
    })
}

pub(super) fn assign(args: &ReconAssignArgs) -> anyhow::Result<ExitCode> {
    act(&args.of, "ASSIGN", Some(&args.assignee), None)
}

pub(super) fn comment(args: &ReconBreakArgs) -> anyhow::Result<ExitCode> {
    act(args, "COMMENT", None, None)
}

pub(super) fn resolve(args: &ReconResolveArgs) -> anyhow::Result<ExitCode> {
    act(&args.of, "RESOLVE", None, Some(&args.code))
}

fn act(
    of: &ReconBreakArgs,
    action: &str,
    assignee: Option<&str>,
    resolution: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let act = ReconAct {
        id: of.id,
        action: action.to_owned(),
        assignee: assignee.map(str::to_owned),
        resolution: resolution.map(str::to_owned),
    };
    let command = Command::ReconAct(act);
    ask_and_show(&of.engine, Some(&of.why.reason), command, |value| {
        show_outcome(value)?;
        if let Some(lifted) = field::<Option<Outcome>>(value, "lifted")? {
            show_outcome(&json!({ "outcome": lifted }))?;
        }
        Ok(())
    })
}

/// Where no engine runs, the journal says the same.
fn or_from_journal(
    answered: anyhow::Result<ExitCode>,
    engine: &EngineArgs,
    show: impl FnOnce(&ReconBook, u64) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let error = match answered {
        Err(error) if matches!(error.downcast_ref(), Some(ClientError::NoEngine { .. })) => error,
        answered => return answered,
    };
    match journal::identity(&engine.data) {
        Err(JournalError::NoJournal { .. }) => return Err(error), // no journal either
        Err(damage) => return Err(damage.into()),
        Ok(_) => {}
    }
    let (mut book, mut now_ns) = (ReconBook::default(), 0);
    let mut reader = Reader::open(&engine.data)?;
    let mut event = Event::empty();
    while reader.next_into(&mut event)?.is_some() {
        book.observe(&event);
        now_ns = event.head.recv_ns;
    }
    show(&book, now_ns)?;
    Ok(ExitCode::SUCCESS)
}

fn print(
    engine: &EngineArgs,
    value: &Value,
    show: impl FnOnce(&Value) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match engine.json {
        true => output::json(value),
        false => show(value),
    }
}

fn cell(row: &Value, name: &str) -> String {
    output::cell(&row[name])
}

fn show_list(value: &Value) -> anyhow::Result<()> {
    let rows: Vec<Value> = field(value, "breaks")?;
    let mut table = Table::new(&[
        "id",
        "<state",
        "<severity",
        "<account",
        "<about",
        "<item",
        "<status",
        "ours",
        "traded",
        "theirs",
        "diff",
        "days",
        "<assignee",
    ]);
    const NAMES: [&str; 13] = [
        "id", "state", "severity", "account", "about", "item", "status", "ours", "traded", "theirs", "diff",
        "age_days", "assignee",
    ];
    for row in &rows {
        table.row(NAMES.iter().map(|name| cell(row, name)).collect());
    }
    output::text(&table);
    let count: usize = field(value, "count")?;
    if count > rows.len() {
        output::note(format_args!("and {} older ones (--limit)", count - rows.len()));
    }
    let runs: Vec<Value> = field(value, "runs")?;
    let mut table = Table::new(&[
        "run",
        "<time",
        "<by",
        "<statement",
        "matched",
        "explained",
        "breaks",
        "<complete",
    ]);
    const OF_RUN: [&str; 8] = [
        "id",
        "time",
        "author",
        "source",
        "matched",
        "explained",
        "breaks",
        "is_complete",
    ];
    for run in &runs {
        table.row(OF_RUN.iter().map(|name| cell(run, name)).collect());
    }
    output::text(format_args!("\n{table}"));
    Ok(())
}

fn show_break(value: &Value) -> anyhow::Result<()> {
    let row = &value["break"];
    const LINES: [&str; 20] = [
        "id",
        "state",
        "status",
        "severity",
        "about",
        "account",
        "item",
        "identifier",
        "ours",
        "traded",
        "theirs",
        "diff",
        "our_px",
        "their_px",
        "opened",
        "age_days",
        "found",
        "assignee",
        "resolution",
        "restricted_by",
    ];
    for name in LINES {
        let text = cell(row, name);
        if !text.is_empty() {
            output::text(format_args!("{name:<14}{text}\n"));
        }
    }
    for note in row["notes"].as_array().into_iter().flatten() {
        let (time, author, action, text) = (
            cell(note, "time"),
            cell(note, "author"),
            cell(note, "action"),
            cell(note, "text"),
        );
        output::text(format_args!("  {time} {author} {action}: {text}\n"));
    }
    Ok(())
}
