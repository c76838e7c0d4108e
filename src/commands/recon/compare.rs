//! `tradewind recon --statement FILE`: compares, prints, and has a running engine journal what was found.

use super::journaled::{self, Journaled};
use super::rows::{self, AccountLines, HoldingRow, TradeRow};
use crate::cli::CompareArgs;
use crate::output;
use anyhow::Context;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use tradewind_domain::codes::BreakSeverity;
use tradewind_domain::decimal;
use tradewind_domain::fixed::Money;
use tradewind_domain::time::{DayNumber, NANOS_PER_SEC, Rfc3339, UnixNanos, parse_date};
use tradewind_reports::Period;
use tradewind_reports::recon::{Ours, Pair, PairStatus, Statement, Trade, match_trades, reconcile};

/// A statement as it was read, and what bounds the comparison.
pub(super) struct Given {
    pub(super) hash: String,
    pub(super) source: String,
    pub(super) tolerance: String,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
}

/// What was compared, and what lies between the sides.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) as_of_seq: u64,
    pub(super) as_of_time: String,
    pub(super) breaks: usize,
    pub(super) holdings: Vec<HoldingRow>,
    pub(super) trades: Vec<TradeRow>,
    /// What a running engine has made of it; absent where none runs.
    pub(super) journaled: Option<Journaled>,
}

/// Compares, has it journaled and prints. Exit code 1 where something breaks: a quantity, cash beyond the tolerance, a trade that one
/// side has not or has otherwise.
pub(super) fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let path = args.statement.as_deref().context("--statement names no file")?;
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let statement = Statement::parse(&text).with_context(|| format!("cannot take {}", path.display()))?;
    let given = Given {
        hash: blake3::hash(text.as_bytes()).to_hex().to_string(),
        source: file_name(path),
        tolerance: args.tolerance.clone(),
        from: args.from.clone(),
        to: args.to.clone(),
    };
    let (ours, lines) = compare(args, &statement)?;
    let mut report = Report {
        as_of_seq: ours.as_of.seq,
        as_of_time: Rfc3339(ours.as_of.time_ns).to_string(),
        breaks: lines.iter().map(|account| account.breaks() as usize).sum(),
        holdings: lines
            .iter()
            .flat_map(|account| account.holdings(args.all))
            .collect(),
        trades: lines
            .iter()
            .flat_map(|account| account.trades(args.all))
            .collect(),
        journaled: None,
    };
    if !args.dry_run {
        report.journaled = journaled::journal(args, &given, &report, &lines)?;
    }
    if args.engine.json {
        output::json(&report)?;
    } else {
        rows::show(&report);
    }
    Ok(if report.breaks > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Our side, and the lines of each account of the statement.
fn compare(args: &CompareArgs, statement: &Statement) -> anyhow::Result<(Ours, Vec<AccountLines>)> {
    let tolerance = decimal::parse(args.tolerance.as_bytes()).context("--tolerance")?;
    let tolerance = Money::from_raw(tolerance.into());
    let day = |text: &Option<String>| text.as_deref().map(date).transpose();
    let period = Period::new(day(&args.from)?, day(&args.to)?)?;
    let accounts: BTreeSet<String> = statement
        .holdings
        .keys()
        .chain(statement.trades.keys())
        .cloned()
        .collect();
    let until = crate::commands::until(&args.as_of)?;
    let ours = Ours::read(&args.engine.data, &accounts, until, period)?;
    let grace_ns = args.grace.saturating_mul(NANOS_PER_SEC);
    let young_from_ns = ours.as_of.time_ns.saturating_sub(grace_ns);
    let slack = |symbol: &str| ours.minor_units.get(symbol).copied().unwrap_or_default();
    let lines = accounts.into_iter().map(|account| {
        let internal = ours.holdings.get(&account).cloned().unwrap_or_default();
        let broker = statement.holdings.get(&account);
        let own = ours.trades.get(&account).cloned().unwrap_or_default();
        let theirs = statement.trades.get(&account);
        let pairs = theirs.map(|theirs| match_trades(&own, theirs, slack));
        AccountLines {
            lines: broker.map_or_else(Vec::new, |broker| reconcile(&internal, broker, tolerance)),
            covers_positions: broker.is_some_and(|broker| !broker.positions.is_empty()),
            covers_cash: broker.is_some_and(|broker| !broker.cash.is_empty()),
            pairs: pairs.map(|pairs| aged(pairs, &own, young_from_ns)),
            ours: own,
            theirs: theirs.cloned().unwrap_or_default(),
            account,
        }
    });
    let lines = lines.collect();
    Ok((ours, lines))
}

/// Each pair with how bad it is: a trade that we alone have is nothing yet while it is young.
fn aged(pairs: Vec<Pair>, ours: &[Trade], young_from_ns: UnixNanos) -> Vec<(Pair, BreakSeverity)> {
    let with_severity = pairs.into_iter().map(|pair| {
        let time_ns = pair.internal.and_then(|at| ours.get(at)?.time_ns).unwrap_or(0);
        let is_young = pair.status == PairStatus::MissingExternal && time_ns > young_from_ns;
        let severity = match is_young {
            true => BreakSeverity::Info,
            false => pair.status.severity(),
        };
        (pair, severity)
    });
    with_severity.collect()
}

fn date(text: &str) -> anyhow::Result<DayNumber> {
    parse_date(text).with_context(|| format!("{text:?} is no date like 2026-03-02"))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
