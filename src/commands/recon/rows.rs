//! What was compared with a statement, for people.

use super::compare::{NotJournaled, Report};
use crate::output::{self, Table};
use tradewind_reports::recon::{HoldingRow, TradeRow};

/// Prints for people.
pub(super) fn show(report: &Report) {
    let rows = &report.rows;
    output::text(format_args!(
        "as of seq {} at {}\n",
        rows.as_of_seq, rows.as_of_time
    ));
    if !rows.holdings.is_empty() {
        show_holdings(&rows.holdings);
    }
    if !rows.trades.is_empty() {
        show_trades(&rows.trades);
    }
    output::text(match rows.breaks {
        0 => "no breaks\n".to_owned(),
        1 => "1 break\n".to_owned(),
        breaks => format!("{breaks} breaks\n"),
    });
    if let Some(journaled) = &report.journaled {
        output::text(format_args!("{journaled}\n"));
    }
    if report.not_journaled == Some(NotJournaled::DryRun) {
        output::text("dry run: nothing is journaled\n");
    }
}

fn show_holdings(rows: &[HoldingRow]) {
    let mut table = Table::new(&[
        "<account",
        "<item",
        "<status",
        "<severity",
        "settled",
        "traded",
        "broker",
        "diff",
    ]);
    for row in rows {
        let cells = [
            row.account.as_str(),
            &row.item,
            row.status,
            row.severity,
            &row.settled,
            &row.traded,
            &row.broker,
            &row.diff,
        ];
        table.row(cells.map(str::to_owned).to_vec());
    }
    output::text(format_args!("\n{table}"));
}

fn show_trades(rows: &[TradeRow]) {
    let mut table = Table::new(&[
        "<account",
        "<execution",
        "<symbol",
        "<status",
        "<severity",
        "<ours",
        "<theirs",
        "<fields",
    ]);
    for row in rows {
        let or_dash = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
        table.row(vec![
            row.account.clone(),
            row.exec_id.clone(),
            row.symbol.clone(),
            row.status.to_owned(),
            row.severity.to_owned(),
            or_dash(&row.ours),
            or_dash(&row.theirs),
            row.fields.join(" "),
        ]);
    }
    output::text(format_args!("\n{table}"));
}
