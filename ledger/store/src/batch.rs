//! A batch: everything that some whole groups of records change, ready to be written in one transaction.

use crate::position::Place;
use crate::rows::{
    AccountRow, Alert, Audit, BalanceChange, Bar, BreakRow, CurrencyRow, Entry, EquityDay, Execution,
    InstrumentRow, LimitEvent, LimitRow, NodeRow, Order, PnlChange, PositionChange, Refusal, Restated,
    SessionRow,
};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::time::DayNumber;
use tradewind_views::recon::RunLine;

/// Rows of a batch at which it is handed over, however busy the database is.
pub(crate) const ROWS_MAX: usize = 100_000;
/// Records of a batch, likewise: most market data leaves few rows.
pub(crate) const RECORDS_MAX: u64 = 200_000;

/// Rows of some whole groups of records.
///
/// Merged rows are kept by their keys, rising, so that the same records give the same statements in the same order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Where the journal goes on behind it; none for an empty batch.
    pub(crate) end: Option<Place>,
    /// When the last of them was journaled, in nanoseconds.
    pub(crate) journaled_ns: u64,
    /// Records in it.
    pub(crate) records: u64,
    /// Executions.
    pub(crate) executions: Vec<Execution>,
    /// Trades that were corrected or busted, by record.
    pub(crate) restated: BTreeMap<u64, Restated>,
    /// Entries of the books.
    pub(crate) entries: Vec<Entry>,
    /// Limits that spoke.
    pub(crate) limit_events: Vec<LimitEvent>,
    /// Refused inputs.
    pub(crate) refusals: Vec<Refusal>,
    /// Alerts.
    pub(crate) alerts: Vec<Alert>,
    /// Audit trail.
    pub(crate) audit: Vec<Audit>,
    /// Orders, by id.
    pub(crate) orders: BTreeMap<u64, Order>,
    /// Positions, by holding.
    pub(crate) positions: BTreeMap<u32, PositionChange>,
    /// Balances, by class and owner.
    pub(crate) balances: BTreeMap<(u8, u32), BalanceChange>,
    /// Profit, by day, node and instrument.
    pub(crate) pnl: BTreeMap<(DayNumber, u32, u32), PnlChange>,
    /// Equity, by day and node.
    pub(crate) equity: BTreeMap<(DayNumber, u32), EquityDay>,
    /// Bars, by length, begin and instrument.
    pub(crate) bars: BTreeMap<(u16, u64, u32), Bar>,
    /// Runs of reconciliation, by record.
    pub(crate) recon_runs: BTreeMap<u64, RunLine>,
    /// Breaks, by the record that opened them.
    pub(crate) breaks: BTreeMap<u64, BreakRow>,
    /// Names and rows of reference data, by id.
    pub(crate) names: NamesChange,
}

/// Reference data that changed.
#[derive(Debug, Default)]
pub(crate) struct NamesChange {
    /// Currencies.
    pub(crate) currencies: BTreeMap<u32, CurrencyRow>,
    /// Nodes.
    pub(crate) nodes: BTreeMap<u32, NodeRow>,
    /// Accounts.
    pub(crate) accounts: BTreeMap<u32, AccountRow>,
    /// Instruments.
    pub(crate) instruments: BTreeMap<u32, InstrumentRow>,
    /// Limits.
    pub(crate) limits: BTreeMap<u32, LimitRow>,
    /// Sessions.
    pub(crate) sessions: BTreeMap<u32, SessionRow>,
}

impl Batch {
    /// True where nothing is in it, not even a record without rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// True where more was there to be read than a batch takes.
    pub(crate) fn is_full(&self) -> bool {
        self.rows() >= ROWS_MAX || self.records >= RECORDS_MAX
    }

    /// Rows that are written, reference data apart.
    pub(crate) fn rows(&self) -> usize {
        self.executions.len()
            + self.entries.len()
            + self.limit_events.len()
            + self.refusals.len()
            + self.alerts.len()
            + self.audit.len()
            + self.orders.len()
            + self.positions.len()
            + self.balances.len()
            + self.pnl.len()
            + self.equity.len()
            + self.bars.len()
            + self.recon_runs.len()
            + self.breaks.len()
    }

    /// The days whose partitions are written to.
    pub(crate) fn days(&self) -> BTreeSet<DayNumber> {
        let mut days = BTreeSet::new();
        days.extend(self.executions.iter().map(|row| row.origin.day));
        days.extend(self.entries.iter().map(|row| row.origin.day));
        days.extend(self.limit_events.iter().map(|row| row.origin.day));
        days.extend(self.refusals.iter().map(|row| row.origin.day));
        days.extend(
            self.orders
                .values()
                .filter_map(|order| Some(order.entered?.origin.day)),
        );
        days
    }
}
