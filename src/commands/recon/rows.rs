//! What was compared of an account, as it is counted, shown and journaled.

use super::compare::Report;
use crate::output::{self, Table};
use serde::Serialize;
use tradewind_control::ReconLine;
use tradewind_domain::codes::{BreakSeverity, ReconSubject};
use tradewind_domain::fixed::Money;
use tradewind_domain::time::Date;
use tradewind_reports::recon::{Line, LineStatus, Pair, PairStatus, Trade};

/// Lines of one account of a statement.
pub(super) struct AccountLines {
    pub(super) account: String,
    pub(super) lines: Vec<Line>,
    /// A statement that lists no positions says nothing of them, and alike for cash.
    pub(super) covers_positions: bool,
    pub(super) covers_cash: bool,
    /// Pairs of trades, and how bad each is; `None` where the statement tells of no trades.
    pub(super) pairs: Option<Vec<(Pair, BreakSeverity)>>,
    pub(super) ours: Vec<Trade>,
    pub(super) theirs: Vec<Trade>,
}

#[derive(Serialize)]
pub(super) struct HoldingRow {
    account: String,
    item: String,
    status: &'static str,
    severity: &'static str,
    settled: String,
    traded: String,
    broker: String,
    diff: String,
}

#[derive(Serialize)]
pub(super) struct TradeRow {
    account: String,
    status: &'static str,
    severity: &'static str,
    exec_id: String,
    symbol: String,
    ours: Option<String>,
    theirs: Option<String>,
    fields: Vec<&'static str>,
}

fn figure(raw: i128) -> String {
    Money::from_raw(raw).to_string()
}

impl AccountLines {
    fn told(&self) -> impl Iterator<Item = &Line> + '_ {
        self.lines.iter().filter(|line| match line.is_cash {
            true => self.covers_cash,
            false => self.covers_positions,
        })
    }

    fn told_pairs(&self) -> impl Iterator<Item = &(Pair, BreakSeverity)> + '_ {
        self.pairs.iter().flatten()
    }

    fn severities(&self) -> impl Iterator<Item = (bool, BreakSeverity)> + '_ {
        let lines = self
            .told()
            .map(|line| (line.status == LineStatus::Match, line.status.severity()));
        let pairs = self
            .told_pairs()
            .map(|(pair, severity)| (pair.status == PairStatus::Matched, *severity));
        lines.chain(pairs)
    }

    /// Lines on which the sides are alike.
    pub(super) fn matched(&self) -> u32 {
        self.severities().filter(|(is_match, _)| *is_match).count() as u32
    }

    /// Lines that explain themselves.
    pub(super) fn explained(&self) -> u32 {
        let is_explained =
            |(is_match, severity): &(bool, BreakSeverity)| !is_match && *severity == BreakSeverity::Info;
        self.severities().filter(is_explained).count() as u32
    }

    /// Lines that break.
    pub(super) fn breaks(&self) -> u32 {
        self.severities()
            .filter(|(_, severity)| *severity > BreakSeverity::Info)
            .count() as u32
    }

    /// What was compared.
    pub(super) fn covers(&self) -> Vec<String> {
        let parts = [
            (self.covers_positions, ReconSubject::Position),
            (self.covers_cash, ReconSubject::Cash),
            (self.pairs.is_some(), ReconSubject::Trade),
        ];
        let covered = parts.into_iter().filter(|(is_covered, _)| *is_covered);
        covered.map(|(_, subject)| subject.text().to_owned()).collect()
    }

    pub(super) fn holdings(&self, all: bool) -> impl Iterator<Item = HoldingRow> + '_ {
        let wanted = self
            .told()
            .filter(move |line| all || line.status != LineStatus::Match);
        wanted.map(|line| holding_row(&self.account, line))
    }

    pub(super) fn trades(&self, all: bool) -> impl Iterator<Item = TradeRow> + '_ {
        let wanted = self
            .told_pairs()
            .filter(move |(pair, _)| all || pair.status != PairStatus::Matched);
        wanted.map(|(pair, severity)| trade_row(self, pair, *severity))
    }

    /// What is journaled: lines on which the sides are not alike, but for young trades that may still come.
    pub(super) fn findings(&self) -> Vec<ReconLine> {
        let holdings = self.told().filter_map(|line| holding_line(&self.account, line));
        let settled = self
            .told_pairs()
            .filter(|(_, severity)| *severity > BreakSeverity::Info);
        let trades = settled.filter_map(|(pair, _)| trade_line(self, pair));
        holdings.chain(trades).collect()
    }

    fn sides(&self, pair: &Pair) -> (Option<&Trade>, Option<&Trade>) {
        let ours = pair.internal.and_then(|at| self.ours.get(at));
        (ours, pair.external.and_then(|at| self.theirs.get(at)))
    }
}

fn holding_row(account: &str, line: &Line) -> HoldingRow {
    HoldingRow {
        account: account.to_owned(),
        item: line.item.clone(),
        status: line.status.text(),
        severity: line.status.severity().text(),
        settled: figure(line.internal),
        traded: figure(line.traded),
        broker: figure(line.broker),
        diff: figure(line.diff),
    }
}

fn holding_line(account: &str, line: &Line) -> Option<ReconLine> {
    let subject = match line.is_cash {
        true => ReconSubject::Cash,
        false => ReconSubject::Position,
    };
    Some(ReconLine {
        about: subject.text().to_owned(),
        status: line.status.recorded()?.text().to_owned(),
        account: account.to_owned(),
        item: line.item.clone(),
        ours: Some(figure(line.internal)),
        traded: Some(figure(line.traded)),
        theirs: Some(figure(line.broker)),
        ..ReconLine::default()
    })
}

fn trade_line(of: &AccountLines, pair: &Pair) -> Option<ReconLine> {
    let (ours, theirs) = of.sides(pair);
    let any = ours.or(theirs)?;
    let other = theirs.unwrap_or(any);
    let identifier = any
        .exec_id
        .clone()
        .or_else(|| other.exec_id.clone())
        .or_else(|| any.order_id.clone());
    Some(ReconLine {
        about: ReconSubject::Trade.text().to_owned(),
        status: pair.status.recorded()?.text().to_owned(),
        account: of.account.clone(),
        item: any.symbol.clone(),
        identifier,
        venue: [&any.venue, &other.venue]
            .into_iter()
            .find_map(|venue| venue.parse().ok()),
        trade_date: any.trade_date.map(|day| Date(day).to_string()),
        ours: ours.map(|trade| trade.qty.to_string()),
        traded: ours.map(|trade| trade.qty.to_string()),
        theirs: theirs.map(|trade| trade.qty.to_string()),
        our_px: ours.map(|trade| trade.px.to_string()),
        their_px: theirs.map(|trade| trade.px.to_string()),
        our_fee: ours.and_then(|trade| trade.fee).map(|fee| fee.to_string()),
        their_fee: theirs.and_then(|trade| trade.fee).map(|fee| fee.to_string()),
        fields: differing(&pair.status).into_iter().map(str::to_owned).collect(),
    })
}

fn differing(status: &PairStatus) -> Vec<&'static str> {
    match status {
        PairStatus::FieldMismatch(fields) => fields.iter().map(|field| field.text()).collect(),
        _ => Vec::new(),
    }
}

fn trade_row(of: &AccountLines, pair: &Pair, severity: BreakSeverity) -> TradeRow {
    let (ours, theirs) = of.sides(pair);
    let any = ours.or(theirs);
    let told = |trade: &Trade| {
        let side = trade.side.as_deref().unwrap_or("");
        let fee = trade.fee.map_or_else(String::new, |fee| format!(" fee {fee}"));
        format!("{side} {} @ {}{fee}", trade.qty, trade.px)
            .trim_start()
            .to_owned()
    };
    TradeRow {
        account: of.account.clone(),
        status: pair.status.text(),
        severity: severity.text(),
        exec_id: any.and_then(|trade| trade.exec_id.clone()).unwrap_or_default(),
        symbol: any.map_or_else(String::new, |trade| trade.symbol.clone()),
        ours: ours.map(told),
        theirs: theirs.map(told),
        fields: differing(&pair.status),
    }
}

/// Prints for people.
pub(super) fn show(report: &Report) {
    output::text(format_args!(
        "as of seq {} at {}\n",
        report.as_of_seq, report.as_of_time
    ));
    if !report.holdings.is_empty() {
        show_holdings(&report.holdings);
    }
    if !report.trades.is_empty() {
        show_trades(&report.trades);
    }
    output::text(match report.breaks {
        0 => "no breaks\n".to_owned(),
        1 => "1 break\n".to_owned(),
        breaks => format!("{breaks} breaks\n"),
    });
    if let Some(journaled) = &report.journaled {
        output::text(format_args!("{journaled}\n"));
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
