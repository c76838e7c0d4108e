//! `tradewind cash` and `market`: money, marks, rates, valuations and halts of a running engine.

use super::ask::{ask_and_show, show_outcome};
use crate::cli::{CashCommand, EngineArgs, HaltArgs, MarketCommand, PaymentArgs, ReasonArgs};
use std::process::ExitCode;
use tradewind_control::{CashMove, Command, Convert, Halt, MarkSet, RateSet, ValuationSet};

fn done(engine: &EngineArgs, why: &ReasonArgs, command: Command) -> anyhow::Result<ExitCode> {
    ask_and_show(engine, Some(&why.reason), command, show_outcome)
}

/// Runs `tradewind cash`.
pub fn cash(command: &CashCommand) -> anyhow::Result<ExitCode> {
    match command {
        CashCommand::Deposit(args) => done(&args.engine, &args.why, Command::CashDeposit(moved(args))),
        CashCommand::Withdraw(args) => done(&args.engine, &args.why, Command::CashWithdraw(moved(args))),
        CashCommand::Convert(args) => {
            let convert = Command::CashConvert(Convert {
                account: args.account.clone(),
                sell: args.sell.clone(),
                buy: args.buy.clone(),
                amount: args.amount.clone(),
                rate: args.rate.clone(),
                reference: args.reference.clone(),
            });
            done(&args.engine, &args.why, convert)
        }
    }
}

fn moved(args: &PaymentArgs) -> CashMove {
    CashMove {
        account: args.account.clone(),
        currency: args.currency.clone(),
        amount: args.amount.clone(),
        reference: args.reference.clone(),
        value_date: args.value_date.clone(),
    }
}

/// Runs `tradewind market`.
pub fn market(command: &MarketCommand) -> anyhow::Result<ExitCode> {
    match command {
        MarketCommand::Mark(args) => {
            let mark = Command::MarketMark(MarkSet {
                symbol: args.symbol.clone(),
                px: args.px.clone(),
                settlement: args.settlement,
            });
            done(&args.engine, &args.why, mark)
        }
        MarketCommand::Rate(args) => {
            let rate = Command::MarketRate(RateSet {
                currency: args.currency.clone(),
                rate: args.rate.clone(),
            });
            done(&args.engine, &args.why, rate)
        }
        MarketCommand::Valuation(args) => {
            let valuation = Command::MarketValuation(ValuationSet {
                node: args.node.clone(),
                equity: args.equity.clone(),
                balance: args.balance.clone(),
            });
            done(&args.engine, &args.why, valuation)
        }
        MarketCommand::Halt(args) => halted(args, true),
        MarketCommand::Resume(args) => halted(args, false),
    }
}

fn halted(args: &HaltArgs, halted: bool) -> anyhow::Result<ExitCode> {
    let halt = Command::MarketHalt(Halt {
        symbol: args.symbol.clone(),
        halted,
    });
    done(&args.engine, &args.why, halt)
}
