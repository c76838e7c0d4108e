//! A comparison as rows, as people and programs read it.

use super::compare::{AccountLines, Comparison};
use super::holdings::{Line, LineStatus};
use super::trades::{Pair, PairStatus, Trade};
use serde::Serialize;
use tradewind_domain::codes::BreakSeverity;
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::Seq;
use tradewind_domain::time::Rfc3339;

/// What was compared, and what lies between the sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComparisonRows {
    /// Number of the last input that our side has.
    pub as_of_seq: Seq,
    /// When ingest took it.
    pub as_of_time: String,
    /// Lines that break.
    pub breaks: usize,
    /// Positions and cash.
    pub holdings: Vec<HoldingRow>,
    /// Trades.
    pub trades: Vec<TradeRow>,
}

/// A position, or cash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldingRow {
    /// Account.
    pub account: String,
    /// Instrument or currency.
    pub item: String,
    /// What lies between the sides.
    pub status: &'static str,
    /// How bad it is.
    pub severity: &'static str,
    /// Our settled figure.
    pub settled: String,
    /// Ours with the trades that are not settled yet.
    pub traded: String,
    /// The statement's.
    pub broker: String,
    /// Ours, settled, less the statement's.
    pub diff: String,
}

/// A trade of ours, one of theirs, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TradeRow {
    /// Account.
    pub account: String,
    /// What lies between the sides.
    pub status: &'static str,
    /// How bad it is.
    pub severity: &'static str,
    /// The venue's identifier; empty where neither side has one.
    pub exec_id: String,
    /// Instrument.
    pub symbol: String,
    /// Ours in words.
    pub ours: Option<String>,
    /// Theirs in words.
    pub theirs: Option<String>,
    /// Fields that differ.
    pub fields: Vec<&'static str>,
}

impl Comparison {
    /// Lines on which the sides are not alike; with `all` the others too.
    pub fn rows(&self, all: bool) -> ComparisonRows {
        let accounts = self.accounts.iter();
        ComparisonRows {
            as_of_seq: self.as_of.seq,
            as_of_time: Rfc3339(self.as_of.time_ns).to_string(),
            breaks: self.breaks(),
            holdings: accounts.clone().flat_map(|of| holdings(of, all)).collect(),
            trades: accounts.flat_map(|of| trades(of, all)).collect(),
        }
    }
}

fn holdings(of: &AccountLines, all: bool) -> impl Iterator<Item = HoldingRow> + '_ {
    let wanted = of
        .lines()
        .filter(move |line| all || line.status != LineStatus::Match);
    wanted.map(|line| holding(&of.account, line))
}

fn trades(of: &AccountLines, all: bool) -> impl Iterator<Item = TradeRow> + '_ {
    let wanted = of
        .pairs()
        .filter(move |(pair, _)| all || pair.status != PairStatus::Matched);
    wanted.map(|(pair, severity)| trade(of, pair, *severity))
}

fn holding(account: &str, line: &Line) -> HoldingRow {
    let figure = |raw: i128| Money::from_raw(raw).to_string();
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

fn trade(of: &AccountLines, pair: &Pair, severity: BreakSeverity) -> TradeRow {
    let (ours, theirs) = of.sides(pair);
    let any = ours.or(theirs);
    TradeRow {
        account: of.account.clone(),
        status: pair.status.text(),
        severity: severity.text(),
        exec_id: any.and_then(|trade| trade.exec_id.clone()).unwrap_or_default(),
        symbol: any.map_or_else(String::new, |trade| trade.symbol.clone()),
        ours: ours.map(told),
        theirs: theirs.map(told),
        fields: pair.status.differing(),
    }
}

fn told(trade: &Trade) -> String {
    let side = trade.side.as_deref().unwrap_or("");
    let fee = trade.fee.map_or_else(String::new, |fee| format!(" fee {fee}"));
    format!("{side} {} @ {}{fee}", trade.qty, trade.px)
        .trim_start()
        .to_owned()
}
