//! `tradewind state`: positions, balances, profit, open orders and restrictions as the journal says.

use crate::cli::StateArgs;
use crate::output::{self, Table};
use std::process::ExitCode;
use tradewind_domain::time::Rfc3339;
use tradewind_machine::clock::Clock;
use tradewind_views::{Names, StateView};

/// Runs the command.
pub fn run(args: &StateArgs) -> anyhow::Result<ExitCode> {
    let until = super::until(&args.as_of);
    let clock = Clock::start()?;
    let replay = tradewind_views::replay(&args.dir, until, &clock)?;
    let mut state = tradewind_views::state(&replay.replica);
    if let Some(account) = &args.account {
        let names = Names(replay.replica.registry());
        if names.accounts().all(|code| code != account) {
            anyhow::bail!(super::unknown("account", account, names.accounts()));
        }
        state.positions.retain(|row| row.account == *account);
        state.balances.retain(|row| row.account == *account);
        state.orders.retain(|row| row.account == *account);
        state.pnl.retain(|row| row.account == *account);
    }
    if args.json {
        output::json(&state)?;
    } else {
        show(&state);
    }
    Ok(ExitCode::SUCCESS)
}

fn or_dash(value: &Option<String>) -> String {
    value.clone().unwrap_or_else(|| "-".to_owned())
}

fn section(title: &str, table: Table) {
    if !table.is_empty() {
        output::text(format_args!("\n{title}\n{table}"));
    }
}

fn show(state: &StateView) {
    output::text(format_args!(
        "as of seq {} at {}, base currency {}\n",
        state.last_seq,
        Rfc3339(state.last_recv_ns),
        state.base_currency
    ));
    let mut table = Table::new(&[
        "<account",
        "<symbol",
        "qty",
        "avg px",
        "mark",
        "cost",
        "realised",
        "unrealised",
        "fees",
        "<ccy",
    ]);
    for row in &state.positions {
        table.row(vec![
            row.account.clone(),
            row.symbol.clone(),
            row.qty.clone(),
            or_dash(&row.avg_px),
            or_dash(&row.mark),
            row.cost.clone(),
            row.realised.clone(),
            or_dash(&row.unrealised),
            row.fees.clone(),
            row.currency.clone(),
        ]);
    }
    section("positions", table);
    let mut table = Table::new(&[
        "<account",
        "<ccy",
        "realised",
        "unrealised",
        "fees",
        "income",
        "total",
        "open",
        "without mark",
    ]);
    for row in &state.pnl {
        let (open, unmarked) = (row.open.to_string(), row.unmarked.to_string());
        let cells = [
            &row.account,
            &row.currency,
            &row.realised,
            &row.unrealised,
            &row.fees,
            &row.income,
            &row.total,
            &open,
            &unmarked,
        ];
        table.row(cells.map(String::clone).to_vec());
    }
    section("profit and loss", table);
    let mut table = Table::new(&[
        "<account",
        "<ccy",
        "settled",
        "pending in",
        "pending out",
        "reserved",
        "available",
        "withdrawable",
        "trade date",
    ]);
    for row in &state.balances {
        table.row(
            [
                &row.account,
                &row.currency,
                &row.settled,
                &row.pending_in,
                &row.pending_out,
                &row.reserved,
                &row.available,
                &row.withdrawable,
                &row.trade_date_balance,
            ]
            .map(String::clone)
            .to_vec(),
        );
    }
    section("balances", table);
    let mut table = Table::new(&[
        "<order",
        "<cl ord id",
        "<account",
        "<symbol",
        "<side",
        "<type",
        "<tif",
        "qty",
        "filled",
        "px",
        "<state",
        "reserved",
    ]);
    for row in &state.orders {
        table.row(vec![
            row.order_id.clone(),
            row.cl_ord_id.clone(),
            row.account.clone(),
            row.symbol.clone(),
            row.side.clone(),
            row.ord_type.clone(),
            row.tif.clone(),
            row.qty.clone(),
            row.cum.clone(),
            or_dash(&row.px),
            row.state.clone(),
            row.reserved_cash.clone(),
        ]);
    }
    section("open orders", table);
    let mut table = Table::new(&["<limit", "<type", "<scope", "<symbol", "hard", "<unit", "<action"]);
    for row in &state.limits {
        table.row(vec![
            row.label.clone(),
            row.limit_type.clone(),
            row.scope.clone(),
            or_dash(&row.symbol),
            row.hard.clone(),
            row.unit.clone(),
            row.action.clone(),
        ]);
    }
    section("limits", table);
    let mut table = Table::new(&["<node", "<level", "<state"]);
    for row in &state.restrictions {
        table.row([&row.node, &row.level, &row.state].map(String::clone).to_vec());
    }
    section("restrictions", table);
    let mut table = Table::new(&["<table", "used %"]);
    for row in state.full_tables() {
        table.row(vec![row.table.clone(), row.used_pct.to_string()]);
    }
    section("tables that are nearly full", table);
}
