//! `tradewind reference`, `fees` and `calendars`: reference data of a running engine.

use super::ask::{ask_and_show, field, show_outcome};
use crate::cli::{
    CalendarsCloseArgs, CalendarsCommand, CalendarsShowArgs, FeesCommand, FeesSetArgs, ReferenceCommand,
};
use crate::output::{self, Table};
use anyhow::Context;
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;
use tradewind_config::{ReferenceData, read_text};
use tradewind_control::{CalendarDays, Command, DayRow, FeesSet, Nothing, ReferenceText, SessionSet};

/// Runs `tradewind reference`.
pub fn run(command: &ReferenceCommand) -> anyhow::Result<ExitCode> {
    match command {
        ReferenceCommand::Check(args) => {
            let check = Command::ReferenceCheck(read(&args.file)?);
            ask_and_show(&args.engine, None, check, |value| {
                show_changes(value, "would change")
            })
        }
        ReferenceCommand::Load(args) => {
            let load = Command::ReferenceLoad(read(&args.file)?);
            ask_and_show(&args.engine, Some(&args.why.reason), load, |value| {
                show_changes(value, "changed")
            })
        }
    }
}

fn read(path: &Path) -> anyhow::Result<ReferenceText> {
    let text = read_text(path, ReferenceData::FILE_BYTES_MAX)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    // Read here first: the engine does not know the file's name.
    ReferenceData::parse(&text, &path.display().to_string())?;
    Ok(ReferenceText { text })
}

fn show_changes(value: &Value, what: &str) -> anyhow::Result<()> {
    let changes: Vec<String> = field(value, "changes")?;
    for line in &changes {
        output::text(format_args!("{line}\n"));
    }
    for refused in value["refused"].as_array().into_iter().flatten() {
        output::text(format_args!(
            "REFUSED {}: {}\n",
            refused["code"].as_str().unwrap_or_default(),
            refused["line"].as_str().unwrap_or_default()
        ));
    }
    for line in field::<Vec<String>>(value, "overruled")? {
        output::text(format_args!("{line}\n"));
    }
    match changes.len() {
        0 => output::text("nothing to change\n"),
        lines => output::text(format_args!("{} {what}\n", output::counted(lines as u64, "line"))),
    }
    Ok(())
}

/// Runs `tradewind fees`.
pub fn fees(command: &FeesCommand) -> anyhow::Result<ExitCode> {
    match command {
        FeesCommand::List(args) => {
            ask_and_show(&args.engine, None, Command::FeesList(Nothing {}), show_schedules)
        }
        FeesCommand::Set(args) => {
            let set = Command::FeesSet(fees_set(args));
            ask_and_show(&args.engine, Some(&args.why.reason), set, show_outcome)
        }
    }
}

fn show_schedules(value: &Value) -> anyhow::Result<()> {
    const COLUMNS: [&str; 10] = [
        "name",
        "account",
        "symbol",
        "venue",
        "model",
        "rate",
        "maker_rate",
        "min",
        "max",
        "max_pct",
    ];
    let mut table = Table::new(&[
        "<name", "<account", "<symbol", "venue", "<model", "rate", "maker", "min", "max", "max %",
    ]);
    for row in field::<Vec<Value>>(value, "schedules")? {
        table.row(COLUMNS.iter().map(|column| output::cell(&row[*column])).collect());
    }
    output::text(table);
    Ok(())
}

fn fees_set(args: &FeesSetArgs) -> FeesSet {
    FeesSet {
        name: args.name.clone(),
        model: args.model.clone(),
        rate: args.rate.clone(),
        maker_rate: args.maker_rate.clone(),
        min: args.min.clone(),
        max: args.max.clone(),
        max_pct: args.max_pct.clone(),
        account: args.account.clone(),
        symbol: args.symbol.clone(),
        venue: args.venue,
    }
}

/// Runs `tradewind calendars`.
pub fn calendars(command: &CalendarsCommand) -> anyhow::Result<ExitCode> {
    match command {
        CalendarsCommand::Show(args) => show(args),
        CalendarsCommand::Session(args) => session(&args.day, args.open.clone(), Some(args.close.clone())),
        CalendarsCommand::Close(args) => session(args, None, None),
    }
}

fn session(
    args: &CalendarsCloseArgs,
    open: Option<String>,
    close: Option<String>,
) -> anyhow::Result<ExitCode> {
    let set = Command::CalendarsSession(SessionSet {
        calendar: args.calendar.clone(),
        date: args.date.clone(),
        open,
        close,
    });
    ask_and_show(&args.engine, Some(&args.why.reason), set, show_outcome)
}

fn show(args: &CalendarsShowArgs) -> anyhow::Result<ExitCode> {
    let days = Command::CalendarsShow(CalendarDays {
        calendar: args.calendar.clone(),
        from: args.from.clone(),
        limit: Some(args.days),
    });
    ask_and_show(&args.engine, None, days, |value| {
        let rows: Vec<DayRow> = field(value, "days")?;
        let mut table = Table::new(&["<calendar", "<date", "<roll", "<open", "<close"]);
        for row in rows {
            let session = |time: Option<String>| time.unwrap_or_else(|| "no session".to_owned());
            table.row(vec![
                row.calendar,
                row.date,
                row.roll,
                session(row.open),
                session(row.close),
            ]);
        }
        output::text(table);
        Ok(())
    })
}
