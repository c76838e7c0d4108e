//! Arguments of commands about corporate actions, lots, allocations, fails, renames, money of clients and transfers of the firm.

use serde::{Deserialize, Serialize};

/// A corporate action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Announce {
    /// The instrument.
    pub symbol: String,
    /// SPLIT, CASH_DIVIDEND, FUNDING, VARIATION_MARGIN or SETTLEMENT.
    pub action: String,
    /// Of a split: new units for old ones, like `2:1`.
    pub ratio: Option<String>,
    /// Dividend per unit, price of a split's fractions, rate of a funding, settlement price or value.
    pub amount: Option<String>,
    /// Price that a funding is reckoned at; absent: the mark.
    pub px: Option<String>,
    /// Tax withheld from a dividend, in percent.
    pub withhold_pct: Option<String>,
    /// When it takes effect; absent: at once.
    pub ex_date: Option<String>,
    /// When it is paid; absent: on the ex-date.
    pub pay_date: Option<String>,
}

/// How an account's tax lots are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LotMethod {
    /// The account.
    pub account: String,
    /// FIFO, LIFO, HIFO or AVCO.
    pub method: String,
    /// True where fees of purchases are part of the cost and fees of sales are taken from the proceeds.
    pub fee_in_basis: bool,
}

/// A block that goes to client accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allocate {
    /// Identifier of the allocation.
    pub id: String,
    /// The account that holds the block.
    pub account: String,
    /// The instrument.
    pub symbol: String,
    /// Identifiers of the block's executions.
    pub executions: Vec<String>,
    /// Their venue; absent: 0.
    pub venue: Option<u16>,
    /// Their trade date; absent: the present one.
    pub trade_date: Option<String>,
    /// Accounts and quantities, like `A1=34`. None: the allocation is taken back.
    pub legs: Vec<String>,
}

/// A trade that did not settle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fail {
    /// The venue's identifier of the trade.
    pub exec_id: String,
    /// Its venue; absent: 0.
    pub venue: Option<u16>,
    /// Its trade date; absent: the present one.
    pub trade_date: Option<String>,
    /// When it is to settle; absent: on the next business day.
    pub settle_date: Option<String>,
}

/// Another symbol for an instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rename {
    /// The present symbol.
    pub symbol: String,
    /// The new one.
    pub to: String,
}

/// A transfer between accounts of the firm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transfer {
    /// Identifier; of a POST or VOID that of the pending transfer.
    pub id: String,
    /// POSTED, PENDING, POST or VOID; absent: POSTED.
    pub phase: Option<String>,
    /// Account that is debited, like `STREET:USD`; none for a POST or VOID.
    pub debit: Option<String>,
    /// Account that is credited.
    pub credit: Option<String>,
    /// Amount; of a POST absent for all that is pending.
    pub amount: Option<String>,
}

/// Tax lots that an execution closes first, in this order. None: all of it goes by the account's method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SelectLots {
    /// The venue's identifier of the execution that closes.
    pub exec_id: String,
    /// Its venue; absent: 0.
    pub venue: Option<u16>,
    /// Its trade date; absent: the present one.
    pub trade_date: Option<String>,
    /// The lots.
    pub lots: Vec<LotName>,
}

/// A tax lot by the execution that opened it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LotName {
    /// The venue's identifier of that execution.
    pub exec_id: String,
    /// At most so much of it.
    pub qty: String,
    /// Its venue; absent: that of the execution that closes.
    pub venue: Option<u16>,
    /// Its trade date; absent: the present one.
    pub trade_date: Option<String>,
}

/// A deposit or a withdrawal. It is booked once for its account and reference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CashMove {
    /// The account.
    pub account: String,
    /// Currency.
    pub currency: String,
    /// Amount, above zero.
    pub amount: String,
    /// Reference of the payment.
    pub reference: String,
    /// Date from which the money is settled; absent: at once.
    pub value_date: Option<String>,
}

/// A conversion. It is booked once for its account and reference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Convert {
    /// The account.
    pub account: String,
    /// Currency that is sold.
    pub sell: String,
    /// Currency that is bought.
    pub buy: String,
    /// Amount that is sold, above zero.
    pub amount: String,
    /// Units bought for one that is sold.
    pub rate: String,
    /// Reference.
    pub reference: String,
}
