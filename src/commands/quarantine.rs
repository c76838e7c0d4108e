//! `tradewind quarantine`: executed trades that a running engine put aside.

use super::ask::{ask_and_show, field, show_outcome};
use crate::cli::{QuarantineArgs, QuarantineCommand};
use crate::output::{self, Table};
use serde_json::Value;
use std::process::ExitCode;
use tradewind_control::{Command, Nothing, QuarantineResolve, QuarantinedTrade};

/// Runs the command.
pub fn run(command: &QuarantineCommand) -> anyhow::Result<ExitCode> {
    match command {
        QuarantineCommand::List(engine) => {
            ask_and_show(engine, None, Command::QuarantineList(Nothing {}), show_list)
        }
        QuarantineCommand::Release(args) => resolve(args, resolution(args, "RELEASE")),
        QuarantineCommand::Reject(args) => resolve(args, resolution(args, "REJECT")),
        QuarantineCommand::Repair(args) => {
            let repair = QuarantineResolve {
                qty: args.qty.clone(),
                px: args.px.clone(),
                side: args.side.clone(),
                account: args.account.clone(),
                symbol: args.symbol.clone(),
                ..resolution(&args.trade, "REPAIR")
            };
            resolve(&args.trade, repair)
        }
    }
}

fn resolution(args: &QuarantineArgs, action: &str) -> QuarantineResolve {
    QuarantineResolve {
        trade_seq: args.seq,
        action: action.to_owned(),
        ..QuarantineResolve::default()
    }
}

fn resolve(args: &QuarantineArgs, resolution: QuarantineResolve) -> anyhow::Result<ExitCode> {
    let command = Command::QuarantineResolve(resolution);
    ask_and_show(&args.engine, Some(&args.why.reason), command, show_outcome)
}

fn show_list(value: &Value) -> anyhow::Result<()> {
    let trades: Vec<QuarantinedTrade> = field(value, "trades")?;
    let mut table = Table::new(&[
        "seq", "<time", "<reason", "<exec id", "<account", "<symbol", "<side", "qty", "px", "<text",
    ]);
    for trade in trades {
        table.row(vec![
            trade.seq.to_string(),
            trade.time,
            trade.reason,
            trade.exec_id,
            trade.account,
            trade.symbol,
            trade.side,
            trade.qty,
            trade.px,
            trade.text,
        ]);
    }
    output::text(table);
    let not_listed: u64 = field(value, "not_listed")?;
    if not_listed > 0 {
        output::note(format_args!(
            "and {not_listed} older ones, which stand in the journal alone"
        ));
    }
    Ok(())
}
