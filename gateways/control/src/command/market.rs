//! Arguments of commands about marks, rates and halts.

use serde::{Deserialize, Serialize};

/// A price from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarkSet {
    /// The instrument.
    pub symbol: String,
    /// Price.
    pub px: String,
    /// True where it is a settlement price.
    pub settlement: bool,
}

/// A currency's rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateSet {
    /// The currency.
    pub currency: String,
    /// Units of the base currency for one of it.
    pub rate: String,
}

/// What a node is worth, as somebody outside says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValuationSet {
    /// The node or account.
    pub node: String,
    /// Equity in base currency.
    pub equity: String,
    /// Balance in base currency; absent: as it is.
    pub balance: Option<String>,
}

/// An instrument's halt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Halt {
    /// The instrument.
    pub symbol: String,
    /// True halts it; false lets it trade as its calendar says.
    pub halted: bool,
}
