//! Rows: what a batch of records becomes, table by table, before any database is spoken of.
//!
//! Two kinds. *Appended* rows are written once and never again: executions, entries, refusals, audit. *Merged* rows are changes of what a
//! table holds: a position's change is added to it, an order's patch is laid over it. Merging twice within a batch and once in the
//! database gives what merging three times in the database would.
//!
//! # Invariants
//! - Plain data: ids, integers at 1e-8 and nanoseconds as the journal has them. Nothing is rounded.
//! - Each row stands beside its table, which says what becomes of each of its values.

mod bars;
mod events;
mod executions;
mod holdings;
mod orders;
mod place;
mod recon;
mod reference;

pub(crate) use bars::{BARS, Bar};
pub(crate) use events::{ALERTS, AUDIT, Alert, Audit, Figure, LIMIT_EVENTS, LimitEvent, REFUSALS, Refusal};
pub(crate) use executions::{EXECUTIONS, Entry, Execution, LEDGER_LEGS, Posting, RESTATED, Restated};
pub(crate) use holdings::{
    BALANCES, BalanceChange, EQUITY_DAYS, EquityDay, PNL_DAYS, POSITIONS, PnlChange, PositionChange,
};
pub(crate) use orders::{Asked, Entered, NewOrder, ORDER_PATCHES, ORDERS, Order, OrderPatch};
pub(crate) use place::{PLACE, PlaceRow};
pub(crate) use recon::{BreakRow, RECON_BREAKS, RECON_RUNS, hex};
pub(crate) use reference::{
    ACCOUNTS, AccountRow, CURRENCIES, CurrencyRow, INSTRUMENTS, InstrumentRow, LIMITS, LimitRow, NODES,
    NodeRow, SESSIONS, SessionRow,
};

use tradewind_domain::ids::{AccountId, InstrumentId, OrderId};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    /// Number of the input.
    pub(crate) seq: u64,
    /// Part of the input's group.
    pub(crate) part: u32,
    /// Day by which the row is kept: the trading day where the record has one, else the UTC date.
    pub(crate) day: DayNumber,
    /// When ingest took the input.
    pub(crate) recv_ns: UnixNanos,
}

/// What an input was about, as far as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// Account.
    pub(crate) account: AccountId,
    /// Instrument.
    pub(crate) instrument: InstrumentId,
    /// Order; none where it is about none.
    pub(crate) order: OrderId,
}

impl About {
    fn order_id(&self) -> Option<i64> {
        order_id(self.order)
    }
}

/// An order's number, where there is one.
fn order_id(order: OrderId) -> Option<i64> {
    (!order.is_none()).then_some(order.0 as i64)
}

/// A price or a rate, where there is one.
pub(crate) fn opt_px(px: i64) -> Option<i128> {
    (px != 0).then_some(px.into())
}
