//! `tradewind limits`: limits of a running engine.

use super::ask::{ask, ask_and_show, field, show_hits, show_outcome};
use crate::cli::{LimitsCheckArgs, LimitsCommand, LimitsSetArgs};
use crate::output::{self, Table};
use serde_json::Value;
use std::process::ExitCode;
use tradewind_control::{
    Command, LimitFilter, LimitName, LimitRow, LimitSet, LimitUsage, LocateSet, OrderQuestion, Outcome,
    Restrict, Usage,
};

/// Runs the command.
pub fn run(command: &LimitsCommand) -> anyhow::Result<ExitCode> {
    match command {
        LimitsCommand::List(args) => {
            let filter = LimitFilter {
                node: args.node.clone(),
                limit_type: args.limit_type.clone(),
            };
            ask_and_show(&args.engine, None, Command::LimitsList(filter), show_list)
        }
        LimitsCommand::Show(args) => {
            let name = LimitName {
                label: args.label.clone(),
            };
            ask_and_show(&args.engine, None, Command::LimitsShow(name), show_one)
        }
        LimitsCommand::Usage(args) => {
            let usage = LimitUsage {
                label: args.label.clone(),
                account: args.account.clone(),
                symbol: args.symbol.clone(),
            };
            ask_and_show(&args.engine, None, Command::LimitsUsage(usage), show_usage)
        }
        LimitsCommand::Set(args) => {
            let set = Command::LimitsSet(limit_set(args));
            ask_and_show(&args.engine, Some(&args.why.reason), set, show_outcome)
        }
        LimitsCommand::Remove(args) => {
            let name = LimitName {
                label: args.label.clone(),
            };
            let remove = Command::LimitsRemove(name);
            ask_and_show(&args.engine, Some(&args.why.reason), remove, show_outcome)
        }
        LimitsCommand::Restrict(args) => {
            let line = Command::LimitsRestrict(Restrict {
                label: args.label.clone(),
                symbol: args.symbol.clone(),
                restriction: args.restriction.clone(),
            });
            ask_and_show(&args.engine, Some(&args.why.reason), line, show_outcome)
        }
        LimitsCommand::Locate(args) => {
            let locate = Command::LimitsLocate(LocateSet {
                account: args.account.clone(),
                symbol: args.symbol.clone(),
                qty: args.qty.clone(),
            });
            ask_and_show(&args.engine, Some(&args.why.reason), locate, show_outcome)
        }
        LimitsCommand::Check(args) => check(args),
    }
}

fn limit_set(args: &LimitsSetArgs) -> LimitSet {
    LimitSet {
        label: args.label.clone(),
        scope: args.scope.clone(),
        limit_type: args.limit_type.clone(),
        hard: args.hard.clone(),
        soft_pct: args.soft.clone(),
        action: args.action.clone(),
        params: args.params.iter().cloned().collect(),
        symbol: args.symbol.clone(),
        kind: args.kind.clone(),
        sector: args.sector.clone(),
    }
}

fn check(args: &LimitsCheckArgs) -> anyhow::Result<ExitCode> {
    let question = OrderQuestion {
        account: args.account.clone(),
        symbol: args.symbol.clone(),
        side: args.side.clone(),
        qty: args.qty.clone(),
        px: args.px.clone(),
        stop_px: args.stop_px.clone(),
        ord_type: args.ord_type.clone(),
        tif: args.tif.clone(),
    };
    let value = match ask(&args.engine, None, Command::LimitsValidate(question))? {
        Ok(value) => value,
        Err(code) => return Ok(code),
    };
    let outcome: Outcome = field(&value, "outcome")?;
    if args.engine.json {
        output::json(&value)?;
    } else {
        match &outcome.code {
            None => output::text(format_args!("it would pass (asked at {})\n", outcome.seq)),
            Some(code) => output::text(format_args!(
                "it would be refused: {code} (asked at {})\n",
                outcome.seq
            )),
        }
        show_hits(&outcome.hits);
    }
    Ok(if outcome.accepted {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show_list(value: &Value) -> anyhow::Result<()> {
    let rows: Vec<LimitRow> = field(value, "limits")?;
    let mut table = Table::new(&[
        "<limit", "<type", "<node", "<filter", "hard", "<unit", "soft %", "<action", "used", "used %",
    ]);
    for row in rows {
        let (filter, used) = (filter_text(&row), used_text(&row));
        table.row(vec![
            row.label,
            row.limit_type,
            row.scope,
            filter,
            row.hard,
            row.unit,
            row.soft_pct.to_string(),
            row.action,
            used,
            row.used_pct.map_or_else(|| "-".to_owned(), |pct| pct.to_string()),
        ]);
    }
    output::text(table);
    Ok(())
}

/// What is used, with its unit where that is not the hard figure's.
fn used_text(row: &LimitRow) -> String {
    match (&row.used, &row.used_unit) {
        (Some(used), Some(unit)) if *unit != row.unit => format!("{used} {unit}"),
        (Some(used), _) => used.clone(),
        (None, _) => "-".to_owned(),
    }
}

/// What the limit is narrowed to.
fn filter_text(row: &LimitRow) -> String {
    let parts = [&row.symbol, &row.kind, &row.sector];
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| part.as_deref()).collect();
    if parts.is_empty() {
        "-".to_owned()
    } else {
        parts.join(" ")
    }
}

fn show_one(value: &Value) -> anyhow::Result<()> {
    let row: LimitRow = field(value, "limit")?;
    output::text(&row.toml);
    if row.used.is_some() {
        let pct = row.used_pct.map_or_else(String::new, |pct| format!(" ({pct} %)"));
        output::text(format_args!(
            "# used {}{pct} of {} {}\n",
            used_text(&row),
            row.hard,
            row.unit
        ));
    }
    output::text(format_args!("# binds {} {}\n", row.level, row.scope));
    Ok(())
}

fn show_usage(value: &Value) -> anyhow::Result<()> {
    let (usage, outcome): (Usage, Outcome) = (field(value, "usage")?, field(value, "outcome")?);
    let pct = usage
        .used_pct
        .map_or_else(String::new, |pct| format!(", {pct} %"));
    output::text(format_args!(
        "{} ({}): used {} of {} {}{pct}, as of sequence {}\n",
        usage.label, usage.limit_type, usage.used, usage.hard, usage.unit, outcome.seq
    ));
    if let Some(equity) = &usage.equity {
        output::text(format_args!("equity {equity}\n"));
    }
    Ok(())
}
