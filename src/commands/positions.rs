//! `tradewind positions`: corporate actions, tax lots, allocations, fails, symbols and transfers of a running engine.

use super::ask::{ask_and_show, field, show_outcome};
use crate::cli::PositionsCommand;
use crate::output::{self, Table};
use anyhow::Context;
use serde_json::Value;
use std::process::ExitCode;
use tradewind_control::{
    Allocate, Announce, Command, Fail, LotMethod, LotName, Nothing, Rename, SelectLots, Transfer,
};
use tradewind_domain::time::parse_date;

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
        PositionsCommand::Actions(args) => ask_and_show(
            &args.engine,
            None,
            Command::PositionsActions(Nothing {}),
            show_actions,
        ),
        PositionsCommand::SelectLots(args) => {
            let select = Command::PositionsSelectLots(SelectLots {
                exec_id: args.exec_id.clone(),
                venue: args.venue,
                trade_date: args.trade_date.clone(),
                lots: args
                    .lots
                    .iter()
                    .map(|lot| named_lot(lot))
                    .collect::<Result<_, _>>()?,
            });
            ask_and_show(&args.engine, Some(&args.why.reason), select, show_outcome)
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

/// `EXEC_ID[@DATE]=QTY`. What stands behind an `@` and is no date belongs to the identifier.
fn named_lot(text: &str) -> anyhow::Result<LotName> {
    let (name, qty) = text
        .rsplit_once('=')
        .with_context(|| format!("lot {text:?}: must be EXEC_ID[@DATE]=QTY"))?;
    let dated = name
        .rsplit_once('@')
        .filter(|(_, date)| parse_date(date).is_some());
    let (exec_id, trade_date) = match dated {
        Some((exec_id, date)) => (exec_id, Some(date.to_owned())),
        None => (name, None),
    };
    Ok(LotName {
        exec_id: exec_id.to_owned(),
        qty: qty.to_owned(),
        venue: None,
        trade_date,
    })
}

fn show_actions(value: &Value) -> anyhow::Result<()> {
    const COLUMNS: [&str; 10] = [
        "seq",
        "symbol",
        "action",
        "state",
        "ex_date",
        "pay_date",
        "ratio",
        "amount",
        "withhold_pct",
        "text",
    ];
    let mut table = Table::new(&[
        "seq",
        "<symbol",
        "<action",
        "<state",
        "<ex-date",
        "<pay-date",
        "ratio",
        "amount",
        "withheld %",
        "<by, why",
    ]);
    for row in field::<Vec<Value>>(value, "actions")? {
        table.row(COLUMNS.iter().map(|column| output::cell(&row[*column])).collect());
    }
    output::text(table);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_is_named_by_its_execution_and_its_date_where_that_is_given() {
        let named = |text: &str| {
            let lot = named_lot(text).unwrap();
            (lot.exec_id, lot.trade_date, lot.qty)
        };
        let own = |text: &str| text.to_owned();
        assert_eq!(named("X-1=100"), (own("X-1"), None, own("100")));
        let dated = Some(own("2026-03-02"));
        assert_eq!(named("X@1@2026-03-02=.5"), (own("X@1"), dated, own(".5")));
        assert_eq!(named("X@noon=1"), (own("X@noon"), None, own("1")));
        assert!(named_lot("X-1").is_err());
    }
}
