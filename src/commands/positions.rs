//! `tradewind positions`: corporate actions and lot methods of a running engine.

use super::ask::{ask_and_show, show_outcome};
use crate::cli::PositionsCommand;
use std::process::ExitCode;
use tradewind_control::{Announce, Command, LotMethod};

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
    }
}
