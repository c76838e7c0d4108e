//! `tradewind positions`: corporate actions, lot methods, allocations, fails, symbols and transfers of a running engine.

use super::ask::{ask_and_show, show_outcome};
use crate::cli::PositionsCommand;
use std::process::ExitCode;
use tradewind_control::{Allocate, Announce, Command, Fail, LotMethod, Rename, Transfer};

/// Runs the command.
pub fn run(command: &PositionsCommand) -> anyhow::Result<ExitCode> {
    match command {
        PositionsCommand::Announce(args) => {
            let action = Command::PositionsAnnounce(Announce {
                symbol: args.symbol.clone(),
                action: args.action.clone(),
                ratio: args.ratio.clone(),
                amount: args.amount.clone(),
                px: args.px.clone(),
                withhold_pct: args.withhold.clone(),
                ex_date: args.ex_date.clone(),
                pay_date: args.pay_date.clone(),
            });
            ask_and_show(&args.engine, Some(&args.why.reason), action, show_outcome)
        }
        PositionsCommand::LotMethod(args) => {
            let method = Command::PositionsLotMethod(LotMethod {
                account: args.account.clone(),
                method: args.method.clone(),
                fee_in_basis: args.fee_in_basis,
            });
            ask_and_show(&args.engine, Some(&args.why.reason), method, show_outcome)
        }
        PositionsCommand::Allocate(args) => {
            let block = Command::PositionsAllocate(Allocate {
                id: args.id.clone(),
                account: args.account.clone(),
                symbol: args.symbol.clone(),
                executions: args.executions.clone(),
                venue: args.venue,
                trade_date: args.trade_date.clone(),
                legs: args.legs.clone(),
            });
            ask_and_show(&args.engine, Some(&args.why.reason), block, show_outcome)
        }
        PositionsCommand::Fail(args) => {
            let fail = Command::PositionsFail(Fail {
                exec_id: args.exec_id.clone(),
                venue: args.venue,
                trade_date: args.trade_date.clone(),
                settle_date: args.settle_date.clone(),
            });
            ask_and_show(&args.engine, Some(&args.why.reason), fail, show_outcome)
        }
        PositionsCommand::Rename(args) => {
            let rename = Command::PositionsRename(Rename {
                symbol: args.symbol.clone(),
                to: args.to.clone(),
            });
            ask_and_show(&args.engine, Some(&args.why.reason), rename, show_outcome)
        }
        PositionsCommand::Transfer(args) => {
            let transfer = Command::PositionsTransfer(Transfer {
                id: args.id.clone(),
                phase: Some(args.phase.clone()),
                debit: args.debit.clone(),
                credit: args.credit.clone(),
                amount: args.amount.clone(),
            });
            ask_and_show(&args.engine, Some(&args.why.reason), transfer, show_outcome)
        }
    }
}
