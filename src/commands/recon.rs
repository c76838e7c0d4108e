//! `tradewind recon`: a broker's statement or drop copy against our books.

use crate::cli::ReconArgs;
use crate::output::{self, Table};
use anyhow::Context;
use serde::Serialize;
use std::collections::BTreeSet;
use std::process::ExitCode;
use tradewind_domain::decimal;
use tradewind_domain::fixed::Money;
use tradewind_domain::time::{DayNumber, Rfc3339, parse_date};
use tradewind_reports::Period;
use tradewind_reports::recon::{
    Broker, Internal, Line, LineStatus, Ours, Pair, PairStatus, Severity, Statement, Trade, match_trades,
    reconcile,
};

/// What was compared, and what lies between the sides.
#[derive(Serialize)]
struct Report {
    as_of_seq: u64,
    as_of_time: String,
    breaks: usize,
    holdings: Vec<HoldingRow>,
    trades: Vec<TradeRow>,
}

#[derive(Serialize)]
struct HoldingRow {
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
struct TradeRow {
    account: String,
    status: &'static str,
    severity: &'static str,
    exec_id: String,
    symbol: String,
    ours: Option<String>,
    theirs: Option<String>,
    fields: Vec<&'static str>,
}

/// Compares and prints. Exit code 1 where something breaks: a quantity, cash beyond the tolerance, a trade that one side has not or has
/// otherwise.
pub fn run(args: &ReconArgs) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&args.statement)
        .with_context(|| format!("cannot read {}", args.statement.display()))?;
    let statement =
        Statement::parse(&text).with_context(|| format!("cannot take {}", args.statement.display()))?;
    let tolerance = decimal::parse(args.tolerance.as_bytes()).context("--tolerance")?;
    let day = |text: &Option<String>| text.as_deref().map(date).transpose();
    let period = Period::new(day(&args.from)?, day(&args.to)?)?;
    let accounts: BTreeSet<String> = statement
        .holdings
        .keys()
        .chain(statement.trades.keys())
        .cloned()
        .collect();
    let ours = Ours::read(&args.data, &accounts, super::until(&args.as_of)?, period)?;
    let mut report = Report {
        as_of_seq: ours.as_of.seq,
        as_of_time: Rfc3339(ours.as_of.time_ns).to_string(),
        breaks: 0,
        holdings: Vec::new(),
        trades: Vec::new(),
    };
    for (account, broker) in &statement.holdings {
        let nothing = Internal::default();
        let internal = ours.holdings.get(account).unwrap_or(&nothing);
        report.holdings(
            account,
            internal,
            broker,
            Money::from_raw(tolerance.into()),
            args.all,
        );
    }
    for (account, theirs) in &statement.trades {
        let own = ours.trades.get(account).map_or(&[][..], Vec::as_slice);
        let slack = |symbol: &str| ours.minor_units.get(symbol).copied().unwrap_or_default();
        let pairs = match_trades(own, theirs, slack);
        report.trades(account, own, theirs, &pairs, args.all);
    }
    if args.json {
        output::json(&report)?;
    } else {
        show(&report);
    }
    Ok(if report.breaks > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn date(text: &str) -> anyhow::Result<DayNumber> {
    parse_date(text).with_context(|| format!("{text:?} is no date like 2026-03-02"))
}

impl Report {
    fn holdings(&mut self, account: &str, internal: &Internal, broker: &Broker, tolerance: Money, all: bool) {
        // A statement that lists no cash says nothing of it, and alike for positions.
        let lines = reconcile(internal, broker, tolerance);
        let is_told = |line: &&Line| {
            if line.is_cash {
                !broker.cash.is_empty()
            } else {
                !broker.positions.is_empty()
            }
        };
        for line in lines.iter().filter(is_told) {
            self.breaks += usize::from(line.status.severity() >= Severity::Error);
            if all || line.status != LineStatus::Match {
                self.holdings.push(holding_row(account, line));
            }
        }
    }

    fn trades(&mut self, account: &str, ours: &[Trade], theirs: &[Trade], pairs: &[Pair], all: bool) {
        for pair in pairs {
            let is_match = pair.status == PairStatus::Matched;
            self.breaks += usize::from(!is_match);
            if all || !is_match {
                self.trades.push(trade_row(account, ours, theirs, pair));
            }
        }
    }
}

fn holding_row(account: &str, line: &Line) -> HoldingRow {
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

fn trade_row(account: &str, ours: &[Trade], theirs: &[Trade], pair: &Pair) -> TradeRow {
    let ours = pair.internal.and_then(|at| ours.get(at));
    let theirs = pair.external.and_then(|at| theirs.get(at));
    let any = ours.or(theirs);
    let told = |trade: &Trade| {
        let side = trade.side.as_deref().unwrap_or("");
        let fee = trade.fee.map_or_else(String::new, |fee| format!(" fee {fee}"));
        format!("{side} {} @ {}{fee}", trade.qty, trade.px)
            .trim_start()
            .to_owned()
    };
    TradeRow {
        account: account.to_owned(),
        status: pair.status.text(),
        severity: pair.status.severity().text(),
        exec_id: any.and_then(|trade| trade.exec_id.clone()).unwrap_or_default(),
        symbol: any.map_or_else(String::new, |trade| trade.symbol.clone()),
        ours: ours.map(told),
        theirs: theirs.map(told),
        fields: match &pair.status {
            PairStatus::FieldMismatch(fields) => fields.iter().map(|field| field.text()).collect(),
            _ => Vec::new(),
        },
    }
}

fn show(report: &Report) {
    output::text(format_args!(
        "as of seq {} at {}\n",
        report.as_of_seq, report.as_of_time
    ));
    if !report.holdings.is_empty() {
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
        for row in &report.holdings {
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
    if !report.trades.is_empty() {
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
        for row in &report.trades {
            let fields = row.fields.join(" ");
            let or_dash = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
            table.row(vec![
                row.account.clone(),
                row.exec_id.clone(),
                row.symbol.clone(),
                row.status.to_owned(),
                row.severity.to_owned(),
                or_dash(&row.ours),
                or_dash(&row.theirs),
                fields,
            ]);
        }
        output::text(format_args!("\n{table}"));
    }
    output::text(match report.breaks {
        0 => "no breaks\n".to_owned(),
        1 => "1 break\n".to_owned(),
        breaks => format!("{breaks} breaks\n"),
    });
}
