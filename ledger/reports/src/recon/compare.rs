//! A statement held against our books, account by account.
//!
//! Invariant: what a statement does not tell of an account (its positions, its cash, its trades) is not compared, and nothing of it is counted,
//! shown or said to be covered.

use super::holdings::{Line, LineStatus, reconcile};
use super::ours::Ours;
use super::statement::Statement;
use super::trades::{Pair, PairStatus, Trade, match_trades};
use crate::error::ReportError;
use crate::model::AsOf;
use crate::period::Period;
use std::collections::BTreeSet;
use std::path::Path;
use tradewind_domain::codes::{BreakSeverity, ReconSubject};
use tradewind_domain::fixed::Money;
use tradewind_domain::time::UnixNanos;
use tradewind_views::ReplayOptions;

/// What bounds a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Cash may differ by this much.
    pub tolerance: Money,
    /// A trade of ours that the statement does not have may still come for this long before the cut-off, nanoseconds.
    pub grace_ns: u64,
    /// The statement's cut-off.
    pub until: ReplayOptions,
    /// Trade dates of the trades that are compared.
    pub trades: Period,
    /// True where the statement lists settled positions alone: one of which nothing has settled need not stand in it.
    pub settled_only: bool,
}

/// What was compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The last input that our side has.
    pub as_of: AsOf,
    /// Each account of the statement, by name.
    pub accounts: Vec<AccountLines>,
}

/// Lines of one account of a statement.
#[derive(Clone, Debug)]
pub struct AccountLines {
    /// The account, as the statement names it.
    pub account: String,
    lines: Vec<Line>,
    /// A statement that lists no positions says nothing of them, and alike for cash.
    covers_positions: bool,
    covers_cash: bool,
    /// Pairs of trades, and how bad each is; `None` where the statement tells of no trades.
    pairs: Option<Vec<(Pair, BreakSeverity)>>,
    ours: Vec<Trade>,
    theirs: Vec<Trade>,
}

impl Statement {
    /// Every account that it speaks of, by name.
    pub fn accounts(&self) -> BTreeSet<String> {
        self.holdings.keys().chain(self.trades.keys()).cloned().collect()
    }
}

impl Comparison {
    /// Reads the journal of a data folder and compares.
    pub fn of(data: &Path, statement: &Statement, terms: &Terms) -> Result<Self, ReportError> {
        let accounts = statement.accounts();
        let mut ours = Ours::read(data, &accounts, terms.until, terms.trades)?;
        let young_from_ns = ours.as_of.time_ns.saturating_sub(terms.grace_ns);
        let lines = accounts.into_iter().map(|account| {
            let mut internal = ours.holdings.remove(&account).unwrap_or_default();
            let broker = statement.holdings.get(&account);
            if let Some(broker) = broker.filter(|_| terms.settled_only) {
                internal.leave_out_unsettled(broker);
            }
            let own = ours.trades.remove(&account).unwrap_or_default();
            let theirs = statement.trades.get(&account);
            let slack = |symbol: &str| ours.minor_units.get(symbol).copied().unwrap_or_default();
            let pairs = theirs.map(|theirs| match_trades(&own, theirs, slack));
            AccountLines {
                lines: broker.map_or_else(Vec::new, |broker| reconcile(&internal, broker, terms.tolerance)),
                covers_positions: broker.is_some_and(|broker| !broker.positions.is_empty()),
                covers_cash: broker.is_some_and(|broker| !broker.cash.is_empty()),
                pairs: pairs.map(|pairs| aged(pairs, &own, young_from_ns)),
                ours: own,
                theirs: theirs.cloned().unwrap_or_default(),
                account,
            }
        });
        let accounts = lines.collect();
        Ok(Self {
            as_of: ours.as_of,
            accounts,
        })
    }

    /// Lines that break, of all accounts.
    pub fn breaks(&self) -> usize {
        self.accounts
            .iter()
            .map(|account| account.breaks() as usize)
            .sum()
    }
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

impl AccountLines {
    /// Positions and cash that the statement tells of.
    pub fn lines(&self) -> impl Iterator<Item = &Line> + '_ {
        self.lines.iter().filter(|line| match line.is_cash {
            true => self.covers_cash,
            false => self.covers_positions,
        })
    }

    /// Trades that the statement tells of, each with how bad it is.
    pub fn pairs(&self) -> impl Iterator<Item = &(Pair, BreakSeverity)> + '_ {
        self.pairs.iter().flatten()
    }

    /// Our trade of a pair, and theirs.
    pub fn sides(&self, pair: &Pair) -> (Option<&Trade>, Option<&Trade>) {
        let ours = pair.internal.and_then(|at| self.ours.get(at));
        (ours, pair.external.and_then(|at| self.theirs.get(at)))
    }

    fn severities(&self) -> impl Iterator<Item = (bool, BreakSeverity)> + '_ {
        let lines = self
            .lines()
            .map(|line| (line.status == LineStatus::Match, line.status.severity()));
        let pairs = self
            .pairs()
            .map(|(pair, severity)| (pair.status == PairStatus::Matched, *severity));
        lines.chain(pairs)
    }

    /// Lines on which the sides are alike.
    pub fn matched(&self) -> u32 {
        self.severities().filter(|(is_match, _)| *is_match).count() as u32
    }

    /// Lines that explain themselves.
    pub fn explained(&self) -> u32 {
        let is_explained =
            |(is_match, severity): &(bool, BreakSeverity)| !is_match && *severity == BreakSeverity::Info;
        self.severities().filter(is_explained).count() as u32
    }

    /// Lines that break.
    pub fn breaks(&self) -> u32 {
        self.severities()
            .filter(|(_, severity)| *severity > BreakSeverity::Info)
            .count() as u32
    }

    /// What was compared.
    pub fn covers(&self) -> impl Iterator<Item = ReconSubject> {
        let parts = [
            (self.covers_positions, ReconSubject::Position),
            (self.covers_cash, ReconSubject::Cash),
            (self.pairs.is_some(), ReconSubject::Trade),
        ];
        let covered = parts.into_iter().filter(|(is_covered, _)| *is_covered);
        covered.map(|(_, subject)| subject)
    }
}
