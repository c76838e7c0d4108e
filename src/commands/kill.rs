//! `tradewind kill`, `rearm`, `mass-cancel`, `flatten`: stopping trade in a running engine, and letting it go on.

use super::ask::{ask, ask_and_show, field, show_outcome};
use crate::cli::{FlattenArgs, KillArgs, Level, MassCancelArgs, RearmArgs};
use crate::output;
use serde_json::Value;
use std::process::ExitCode;
use tradewind_control::{Command, Confirm, Flatten, MassCancel, Nothing, PendingRearm, Rearm, StateSet};

/// Runs `kill`.
pub fn kill(args: &KillArgs) -> anyhow::Result<ExitCode> {
    let level = match args.level {
        Level::ReduceOnly => "REDUCE_ONLY",
        Level::CancelOnly => "CANCEL_ONLY",
        Level::Kill => "KILL",
    };
    let set = StateSet {
        level: level.to_owned(),
        node: args.target.node.clone(),
        symbol: args.target.symbol.clone(),
        session: args.target.session,
    };
    let reason = Some(args.why.reason.as_str());
    ask_and_show(&args.engine, reason, Command::StateSet(set), show_outcome)
}

/// Runs `rearm`. Exit code 0 only where trade goes on: what waits for a second person is 1.
pub fn rearm(args: &RearmArgs) -> anyhow::Result<ExitCode> {
    let reason = args.reason.as_deref();
    if args.pending {
        return ask_and_show(
            &args.engine,
            None,
            Command::StatePending(Nothing {}),
            show_pending,
        );
    }
    if let Some(id) = args.confirm {
        let confirm = Command::StateConfirm(Confirm { id });
        return ask_and_show(&args.engine, reason, confirm, show_outcome);
    }
    let rearm = Rearm {
        node: args.target.node.clone(),
        symbol: args.target.symbol.clone(),
        session: args.target.session,
        second: args.second.clone(),
    };
    let value = match ask(&args.engine, reason, Command::StateRearm(rearm))? {
        Ok(value) => value,
        Err(code) => return Ok(code),
    };
    let rearmed: bool = field(&value, "rearmed")?;
    if args.engine.json {
        output::json(&value)?;
    } else if rearmed {
        show_outcome(&value)?;
    } else {
        let pending: PendingRearm = field(&value, "pending")?;
        let who = pending.second.as_deref().unwrap_or("another person");
        output::text(format_args!(
            "not re-armed yet: {who} must confirm until {}\n    tradewind rearm --confirm {} --operator NAME --reason TEXT --data {}\n",
            pending.expires,
            pending.id,
            args.engine.data.display()
        ));
    }
    Ok(if rearmed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show_pending(value: &Value) -> anyhow::Result<()> {
    let all: Vec<PendingRearm> = field(value, "pending")?;
    let mut table = output::Table::new(&[
        "id",
        "<target",
        "<asked by",
        "<to be confirmed by",
        "<until",
        "<reason",
    ]);
    for one in all {
        table.row(vec![
            one.id.to_string(),
            one.target,
            one.operator,
            one.second.unwrap_or_else(|| "anybody else".to_owned()),
            one.expires,
            one.reason,
        ]);
    }
    output::text(table);
    Ok(())
}

/// Runs `mass-cancel`.
pub fn mass_cancel(args: &MassCancelArgs) -> anyhow::Result<ExitCode> {
    let scope = MassCancel {
        node: args.target.node.clone(),
        symbol: args.target.symbol.clone(),
        side: args.side.clone(),
        session: args.target.session,
    };
    let reason = Some(args.why.reason.as_str());
    ask_and_show(
        &args.engine,
        reason,
        Command::OrdersMassCancel(scope),
        show_outcome,
    )
}

/// Runs `flatten`.
pub fn flatten(args: &FlattenArgs) -> anyhow::Result<ExitCode> {
    let flatten = Flatten {
        node: args.node.clone(),
        confirm: args.confirm.clone(),
    };
    let reason = Some(args.why.reason.as_str());
    ask_and_show(&args.engine, reason, Command::Flatten(flatten), show_outcome)
}
