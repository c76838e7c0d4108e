//! What is now: positions, money, open orders, profit, limits, the market. Asked by every front end through one trait, answered by the
//! process's one replica ([`Live`](crate::live::Live)).
//!
//! # Invariants
//! - An answer is the state after one input, the one that it names ([`Now::as_of`]); rows of one answer never come from two moments.
//! - Decimals are exact and become text where they are written; sums are of integers.
//! - Who may see a row is the asker's business: [`Scope`] says for whom, and has no default.
//!
//! Not here: what has been (see [`history`](super::history)), and anything that changes something.

mod recon;
mod rows;

pub use recon::{ReconBreak, ReconNote, ReconRun};
pub use rows::{
    Balance, CorporateAction, FeeSchedule, LimitUsage, Market, Order, Position, Profit, ProfitPoint, Refusal,
    Settlement, Summary, Trade,
};

use serde::{Serialize, Serializer};
use std::fmt;
use tradewind_domain::fixed::{Money, NetQty, Notional, Price, Qty};
use tradewind_domain::ids::{OrderId, Seq};
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// An exact decimal in units of 1e-8; text in JSON, without trailing zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(pub i128);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Money::from_raw(self.0), f)
    }
}
impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl From<Money> for Decimal {
    fn from(money: Money) -> Self {
        Self(money.raw())
    }
}
impl From<NetQty> for Decimal {
    fn from(qty: NetQty) -> Self {
        Self(qty.raw())
    }
}
impl From<Qty> for Decimal {
    fn from(qty: Qty) -> Self {
        Self(i128::from(qty.raw()))
    }
}
impl From<Price> for Decimal {
    fn from(px: Price) -> Self {
        Self(i128::from(px.raw()))
    }
}
impl From<Notional> for Decimal {
    /// Cut to 1e-8, toward zero.
    fn from(value: Notional) -> Self {
        Self(value.raw() / 100_000_000)
    }
}

/// A name on the wires as text.
fn name<const N: usize, S: Serializer>(text: &Text<N>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.as_str())
}

/// A name as text; none where it is empty.
fn some_name<const N: usize, S: Serializer>(text: &Text<N>, serializer: S) -> Result<S::Ok, S::Error> {
    match text.is_empty() {
        true => serializer.serialize_none(),
        false => serializer.serialize_str(text.as_str()),
    }
}

/// An order's id as text; none where there is none.
fn some_order<S: Serializer>(order: &Option<OrderId>, serializer: S) -> Result<S::Ok, S::Error> {
    match order {
        Some(order) => serializer.collect_str(order),
        None => serializer.serialize_none(),
    }
}

fn order_text<S: Serializer>(order: &OrderId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(order)
}

/// A time as RFC 3339 in UTC; none for 0.
fn time<S: Serializer>(ns: &UnixNanos, serializer: S) -> Result<S::Ok, S::Error> {
    match *ns {
        0 => serializer.serialize_none(),
        ns => serializer.collect_str(&tradewind_domain::time::Rfc3339(ns)),
    }
}

/// A date as `YYYY-MM-DD`.
fn date<S: Serializer>(day: &DayNumber, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&tradewind_domain::time::Date(*day))
}

/// A date; none for 0.
fn some_date<S: Serializer>(day: &DayNumber, serializer: S) -> Result<S::Ok, S::Error> {
    match *day {
        0 => serializer.serialize_none(),
        _ => date(day, serializer),
    }
}

/// Whose rows are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's, and what belongs to nobody.
    All,
    /// Those of these nodes and of all below them; none where the list is empty. An account is a node.
    Below(Vec<Code>),
}

/// Which rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Whose.
    pub scope: Scope,
    /// Only this account.
    pub account: Option<Code>,
    /// Only this instrument.
    pub symbol: Option<Symbol>,
}

impl Filter {
    /// Everything within a scope.
    pub fn of(scope: Scope) -> Self {
        Self {
            scope,
            account: None,
            symbol: None,
        }
    }
}

/// An answer, and the moment that it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Now<T> {
    /// Number of the last input in it.
    pub as_of: Seq,
    /// When ingest took that input.
    #[serde(serialize_with = "time")]
    pub as_of_time: UnixNanos,
    /// The answer.
    pub data: T,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// The journal could not be followed any further: the replica is of no use in this run.
    #[error("{0}")]
    Failed(String),
    /// The replica has not caught up with the journal yet: try again.
    #[error("the replica is at sequence {seq} and has not caught up with the journal yet")]
    Behind {
        /// The last input in it.
        seq: Seq,
    },
    /// More requests wait for their outcome than are held.
    #[error("too many requests wait for their outcome")]
    Full,
    /// No row of that name.
    #[error("there is no {0}")]
    NotFound(String),
}

/// What is now. Every answer holds at least everything that was released when it was asked for.
pub trait Current: Send + Sync {
    /// The last input that answers hold.
    fn as_of(&self) -> (Seq, UnixNanos);
    /// Positions that ever traded, flat ones included; by account and symbol.
    fn positions(&self, filter: &Filter) -> Result<Now<Vec<Position>>, LiveError>;
    /// Money by account and currency.
    fn balances(&self, filter: &Filter) -> Result<Now<Vec<Balance>>, LiveError>;
    /// Open orders by id.
    fn open_orders(&self, filter: &Filter) -> Result<Now<Vec<Order>>, LiveError>;
    /// Open orders and the newest closed ones, newest first, at most `max`.
    fn recent_orders(&self, filter: &Filter, max: usize) -> Result<Now<Vec<Order>>, LiveError>;
    /// One order, open or closed not long ago.
    fn order(&self, order_id: OrderId) -> Result<Now<Order>, LiveError>;
    /// Newest executions first, at most `max`: the blotter.
    fn recent_trades(&self, filter: &Filter, max: usize) -> Result<Now<Vec<Trade>>, LiveError>;
    /// Newest refusals first, at most `max`.
    fn recent_refusals(&self, filter: &Filter, max: usize) -> Result<Now<Vec<Refusal>>, LiveError>;
    /// Profit by group. Sums over instruments and sectors are of the whole firm: for [`Scope::All`] only.
    fn profit(&self, scope: &Scope) -> Result<Now<Vec<Profit>>, LiveError>;
    /// Profit of a scope over time, oldest first: the newest four hours, every ten seconds.
    fn profit_history(&self, scope: &Scope) -> Result<Now<Vec<ProfitPoint>>, LiveError>;
    /// Limits in force and what is used of them.
    fn limits(&self, scope: &Scope) -> Result<Now<Vec<LimitUsage>>, LiveError>;
    /// The market of each instrument.
    fn market(&self, symbol: Option<Symbol>) -> Result<Now<Vec<Market>>, LiveError>;
    /// What falls due, and what fell due in the last days; by date, account and currency.
    fn settlement(&self, scope: &Scope) -> Result<Now<Vec<Settlement>>, LiveError>;
    /// Lines on which a statement and our books were not alike; closed ones as well. Those of accounts that we do not know are for
    /// [`Scope::All`] only. Newest first.
    fn recon_breaks(&self, filter: &Filter) -> Result<Now<Vec<ReconBreak>>, LiveError>;
    /// One of them.
    fn recon_break(&self, id: Seq) -> Result<Now<ReconBreak>, LiveError>;
    /// Reconciliations, newest first: of the whole firm, so for [`Scope::All`] only, at most `max`.
    fn recon_runs(&self, scope: &Scope, max: usize) -> Result<Now<Vec<ReconRun>>, LiveError>;
    /// Corporate actions that were announced, newest first.
    fn corporate_actions(&self) -> Result<Now<Vec<CorporateAction>>, LiveError>;
    /// Counts and sums for a first page.
    fn summary(&self, scope: &Scope) -> Result<Now<Summary>, LiveError>;
}
