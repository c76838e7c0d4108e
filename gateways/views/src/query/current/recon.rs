//! Rows of reconciliation: breaks, what was said of them, runs.

use super::{Decimal, name, some_name, time};
use serde::Serialize;
use tradewind_domain::ids::{NodeId, Seq};
use tradewind_domain::text::{Code, ExecId, Symbol, Text};
use tradewind_domain::time::UnixNanos;

/// A line on which a statement and our books were not alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReconBreak {
    /// Number of the record that opened it: its name for good.
    pub id: Seq,
    /// EXPLAINED, OPEN, GONE (a later run has not found it any more) or RESOLVED.
    pub state: &'static str,
    /// What lies between the sides, by the last run.
    pub status: &'static str,
    /// INFO, WARNING, ERROR or CRITICAL.
    pub severity: &'static str,
    /// POSITION, CASH or TRADE.
    pub about: &'static str,
    /// Account, as the statement names it.
    #[serde(serialize_with = "name")]
    pub account: Code,
    /// Its node, for entitlements; none where we do not know the account.
    #[serde(skip)]
    pub node: NodeId,
    /// Instrument or currency.
    #[serde(serialize_with = "name")]
    pub item: Symbol,
    /// The venue's identifier of a trade, or its order's.
    #[serde(serialize_with = "some_name")]
    pub identifier: ExecId,
    /// Our settled quantity or cash, or our trade's quantity.
    pub ours: Decimal,
    /// The same with trades that are not settled yet.
    pub traded: Decimal,
    /// What the statement says.
    pub theirs: Decimal,
    /// Ours less theirs.
    pub diff: Decimal,
    /// Price of our trade.
    pub our_px: Option<Decimal>,
    /// Price of the statement's trade.
    pub their_px: Option<Decimal>,
    /// Fields of a trade that differ: symbol, side, qty, px, fee.
    pub fields: Vec<&'static str>,
    /// When it was found first.
    #[serde(serialize_with = "time")]
    pub opened: UnixNanos,
    /// Whole days since then, until now or until it was closed.
    pub age_days: u64,
    /// When it was found last.
    #[serde(serialize_with = "time")]
    pub seen: UnixNanos,
    /// Runs that found it.
    pub found: u32,
    /// Number of the last one.
    pub run: Seq,
    /// How often it was found again after it had been closed.
    pub reopened: u32,
    /// Who is to see to it.
    #[serde(serialize_with = "some_name")]
    pub assignee: Code,
    /// BOOKED, REVERSED, BROKER_ERROR, TIMING or FEE, where it is closed.
    pub resolution: Option<&'static str>,
    /// When it was closed.
    #[serde(serialize_with = "time")]
    pub resolved: UnixNanos,
    /// Number of the control that restricts the instrument because of it, while it does.
    pub restricted_by: Option<Seq>,
    /// The newest words about it, oldest first.
    pub notes: Vec<ReconNote>,
}

/// What somebody did to a break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReconNote {
    /// Number of its record.
    pub seq: Seq,
    /// When.
    #[serde(serialize_with = "time")]
    pub time: UnixNanos,
    /// Who.
    #[serde(serialize_with = "name")]
    pub author: Code,
    /// ASSIGN, COMMENT or RESOLVE.
    pub action: &'static str,
    /// In his words.
    pub text: String,
}

/// A reconciliation: one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReconRun {
    /// Number of its record.
    pub id: Seq,
    /// When.
    #[serde(serialize_with = "time")]
    pub time: UnixNanos,
    /// Who asked for it.
    #[serde(serialize_with = "name")]
    pub author: Code,
    /// The statement's file.
    #[serde(serialize_with = "name")]
    pub source: Text<40>,
    /// BLAKE3 of the statement, hexadecimal.
    pub statement: String,
    /// Last input of our side.
    pub as_of_seq: Seq,
    /// Its time.
    #[serde(serialize_with = "time")]
    pub as_of: UnixNanos,
    /// Cash could differ by this much.
    pub tolerance: Decimal,
    /// Accounts of the statement.
    pub accounts: u32,
    /// False where it was cut off.
    pub is_complete: bool,
    /// Lines that are alike.
    pub matched: u64,
    /// Lines that explain themselves.
    pub explained: u64,
    /// Lines that break.
    pub breaks: u64,
}
