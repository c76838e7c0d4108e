//! Arguments of commands about reconciliation.

use serde::{Deserialize, Serialize};

/// A statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconBegin {
    /// BLAKE3 of its bytes, hexadecimal.
    pub statement: String,
    /// Name of its file; what is longer than 40 bytes is cut.
    pub source: String,
    /// Last input of our side.
    pub as_of_seq: u64,
    /// Its time, RFC 3339.
    pub as_of: String,
    /// Cash may differ by this much.
    pub tolerance: String,
    /// First trade date that was compared.
    pub from: Option<String>,
    /// Last trade date that was compared.
    pub to: Option<String>,
    /// Accounts of the statement.
    pub accounts: u32,
}

/// Lines of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconReport {
    /// Number of the run.
    pub run: u64,
    /// The lines, journaled in this order.
    pub findings: Vec<ReconLine>,
}

/// A line on which the sides are not alike. Figures that a side does not have are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconLine {
    /// POSITION, CASH or TRADE.
    pub about: String,
    /// What lies between the sides.
    pub status: String,
    /// Account.
    pub account: String,
    /// Instrument or currency.
    pub item: String,
    /// The venue's identifier of a trade, or its order's.
    pub identifier: Option<String>,
    /// Number of a trade's venue.
    pub venue: Option<u16>,
    /// Trade date of a trade.
    pub trade_date: Option<String>,
    /// Our settled quantity or cash, or our trade's quantity.
    pub ours: Option<String>,
    /// The same with trades that are not settled yet.
    pub traded: Option<String>,
    /// What the statement says.
    pub theirs: Option<String>,
    /// Price of our trade.
    pub our_px: Option<String>,
    /// Price of the statement's trade.
    pub their_px: Option<String>,
    /// Fee of our trade.
    pub our_fee: Option<String>,
    /// Fee of the statement's trade.
    pub their_fee: Option<String>,
    /// Fields of a trade that differ: symbol, side, qty, px, fee.
    pub fields: Vec<String>,
}

/// The end of an account in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconEnd {
    /// Number of the run.
    pub run: u64,
    /// Account.
    pub account: String,
    /// Lines that are alike.
    pub matched: u32,
    /// Lines that explain themselves.
    pub explained: u32,
    /// Lines that break.
    pub breaks: u32,
    /// What was compared: POSITION, CASH, TRADE.
    pub covers: Vec<String>,
}

/// Which breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconFilter {
    /// Only those of this account.
    pub account: Option<String>,
    /// Only those that stand so: EXPLAINED, OPEN, GONE or RESOLVED; absent: those that wait for their code.
    pub state: Option<String>,
    /// At most so many; absent: 1,000.
    pub limit: Option<u32>,
}

/// A break by its number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconName {
    /// Its number.
    pub id: u64,
}

/// What becomes of a break.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconAct {
    /// Its number.
    pub id: u64,
    /// ASSIGN, COMMENT or RESOLVE.
    pub action: String,
    /// Who is to see to it, of ASSIGN.
    pub assignee: Option<String>,
    /// BOOKED, REVERSED, BROKER_ERROR, TIMING or FEE, of RESOLVE.
    pub resolution: Option<String>,
}
