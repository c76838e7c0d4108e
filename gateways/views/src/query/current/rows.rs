//! Rows of positions, money, orders, trades, corporate actions, profit, limits and the market.

use super::{Decimal, date, name, order_text, some_date, some_name, some_order, time};
use serde::Serialize;
use tradewind_domain::ids::{NodeId, OrderId, Seq};
use tradewind_domain::text::{ClOrdId, Code, ExecId, Symbol, Text};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// A position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Account.
    #[serde(serialize_with = "name")]
    pub account: Code,
    /// Its node, for entitlements.
    #[serde(skip)]
    pub node: NodeId,
    /// Instrument.
    #[serde(serialize_with = "name")]
    pub symbol: Symbol,
    /// Signed quantity.
    pub qty: Decimal,
    /// Average price; none for a flat position.
    pub avg_px: Option<Decimal>,
    /// The price that values it.
    pub mark: Option<Decimal>,
    /// Signed market value in its currency; none without a mark.
    pub value: Option<Decimal>,
    /// The same in base currency; none without a rate.
    pub value_base: Option<Decimal>,
    /// Money paid for it (long) or received (short).
    pub cost: Decimal,
    /// Profit at the mark; none without a mark.
    pub unrealised: Option<Decimal>,
    /// Realised profit, before fees.
    pub realised: Decimal,
    /// Fees paid, rebates subtracted.
    pub fees: Decimal,
    /// Currency of the money.
    #[serde(serialize_with = "name")]
    pub currency: Text<8>,
    /// Kind of instrument.
    pub kind: &'static str,
    /// Sector; `UNCLASSIFIED` where it has none.
    #[serde(serialize_with = "name")]
    pub sector: Symbol,
    /// Executions.
    pub fills: u64,
}

/// Money of an account in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Account.
    #[serde(serialize_with = "name")]
    pub account: Code,
    /// Its node, for entitlements.
    #[serde(skip)]
    pub node: NodeId,
    /// Currency.
    #[serde(serialize_with = "name")]
    pub currency: Text<8>,
    /// Booked.
    pub settled: Decimal,
    /// What unsettled trades bring in.
    pub pending_in: Decimal,
    /// What unsettled trades cost.
    pub pending_out: Decimal,
    /// Held for open orders.
    pub reserved: Decimal,
    /// Settled less what goes out and what is held; in a margin account with what comes in.
    pub available: Decimal,
    /// What may leave the firm: available and settled.
    pub withdrawable: Decimal,
    /// What is settled once every trade is.
    pub trade_date_balance: Decimal,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Order {
    /// Order id, `SHARD-COUNTER`.
    #[serde(serialize_with = "order_text")]
    pub order_id: OrderId,
    /// The client's identifier.
    #[serde(serialize_with = "name")]
    pub cl_ord_id: ClOrdId,
    /// Account.
    #[serde(serialize_with = "name")]
    pub account: Code,
    /// The narrowest node: the account itself, or a strategy below it.
    #[serde(serialize_with = "name")]
    pub node: Code,
    /// Node of the account, for entitlements.
    #[serde(skip)]
    pub account_node: NodeId,
    /// Instrument.
    #[serde(serialize_with = "name")]
    pub symbol: Symbol,
    /// Side.
    pub side: &'static str,
    /// Order type.
    #[serde(rename = "type")]
    pub ord_type: &'static str,
    /// Time in force.
    pub tif: &'static str,
    /// Total quantity.
    pub qty: Decimal,
    /// Filled quantity.
    pub cum: Decimal,
    /// Open quantity.
    pub leaves: Decimal,
    /// Limit price.
    pub px: Option<Decimal>,
    /// Stop price.
    pub stop_px: Option<Decimal>,
    /// Average price of its fills, rounded half up to 1e-8.
    pub avg_px: Option<Decimal>,
    /// State.
    pub state: &'static str,
    /// Cash held for it.
    pub reserved_cash: Decimal,
    /// Currency of the cash.
    #[serde(serialize_with = "name")]
    pub currency: Text<8>,
    /// Client session.
    pub session: u32,
    /// When it was taken.
    #[serde(serialize_with = "time")]
    pub created: UnixNanos,
    /// When it changed last.
    #[serde(serialize_with = "time")]
    pub updated: UnixNanos,
    /// Number of the input that changed it last.
    pub last_seq: Seq,
}

/// An execution: a fill, a captured trade, a bust or a correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trade {
    /// Number of its input.
    pub seq: Seq,
    /// Part of the group; 0 for the input itself.
    pub part: u32,
    /// When ingest took it.
    #[serde(serialize_with = "time")]
    pub time: UnixNanos,
    /// FILL, TRADE, CORRECT or BUST.
    pub kind: &'static str,
    /// The venue's identifier.
    #[serde(serialize_with = "name")]
    pub exec_id: ExecId,
    /// Of a bust or correction: number of the trade as it was booked.
    pub ref_seq: Option<Seq>,
    /// Our order.
    #[serde(serialize_with = "some_order")]
    pub order_id: Option<OrderId>,
    /// Account.
    #[serde(serialize_with = "name")]
    pub account: Code,
    /// The narrowest node.
    #[serde(serialize_with = "name")]
    pub node: Code,
    /// Node of the account, for entitlements.
    #[serde(skip)]
    pub account_node: NodeId,
    /// Instrument.
    #[serde(serialize_with = "name")]
    pub symbol: Symbol,
    /// Side.
    pub side: &'static str,
    /// Quantity; of a bust what is taken back.
    pub qty: Decimal,
    /// Price.
    pub px: Decimal,
    /// Money value; of a bust what is taken back.
    pub principal: Decimal,
    /// Fee; of a bust what is taken back.
    pub fee: Decimal,
    /// Currency of the money.
    #[serde(serialize_with = "name")]
    pub currency: Text<8>,
    /// Profit of the part that closed a position; of a bust or correction its change.
    pub realised: Decimal,
    /// Open quantity of the order after it.
    pub leaves: Option<Decimal>,
    /// MAKER or TAKER, where the venue said it.
    pub liquidity: Option<&'static str>,
    /// What the engine noted, words with a space between.
    pub flags: String,
}

/// A refused order, request or trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Number of its input.
    pub seq: Seq,
    /// Part of the group.
    pub part: u32,
    /// When ingest took it.
    #[serde(serialize_with = "time")]
    pub time: UnixNanos,
    /// What was refused.
    pub kind: &'static str,
    /// The client's identifier, or the venue's of a trade.
    #[serde(serialize_with = "name")]
    pub cl_ord_id: ClOrdId,
    /// Account; empty where none exists.
    #[serde(serialize_with = "name")]
    pub account: Code,
    /// The narrowest node.
    #[serde(serialize_with = "name")]
    pub node: Code,
    /// Node of the account, for entitlements; none where the message named none that exists.
    #[serde(skip)]
    pub account_node: NodeId,
    /// Instrument; empty where none exists.
    #[serde(serialize_with = "name")]
    pub symbol: Symbol,
    /// Side.
    pub side: Option<&'static str>,
    /// Quantity.
    pub qty: Option<Decimal>,
    /// Price.
    pub px: Option<Decimal>,
    /// Reject code.
    pub code: &'static str,
    /// Label of the limit that spoke.
    #[serde(serialize_with = "some_name")]
    pub limit: Code,
    /// What the limit found, in its unit.
    pub used: Option<String>,
    /// What it allows.
    pub hard: Option<String>,
    /// What those count.
    pub unit: &'static str,
    /// In plain words.
    pub reason: String,
}

/// Profit of a group in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profit {
    /// STRATEGY, ACCOUNT, USER, DESK, ORG, FIRM, INSTRUMENT or SECTOR.
    pub group: &'static str,
    /// Code, symbol or sector.
    #[serde(serialize_with = "name")]
    pub name: Code,
    /// Node of the group; none for instruments and sectors, which belong to the firm.
    #[serde(skip)]
    pub node: NodeId,
    /// Currency.
    #[serde(serialize_with = "name")]
    pub currency: Text<8>,
    /// Realised, before fees.
    pub realised: Decimal,
    /// At the marks; of a strategy its own fills at its own average cost.
    pub unrealised: Decimal,
    /// Fees paid.
    pub fees: Decimal,
    /// Dividends and fundings, less tax.
    pub income: Decimal,
    /// Realised, unrealised and income less fees.
    pub total: Decimal,
    /// Total in base currency; none without a rate.
    pub total_base: Option<Decimal>,
    /// Open positions.
    pub open: u64,
    /// Open positions without a mark: not in `unrealised`.
    pub unmarked: u64,
}

/// Profit at a moment, in base currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfitPoint {
    /// The moment: every input before it is counted.
    #[serde(serialize_with = "time")]
    pub time: UnixNanos,
    /// Realised, before fees.
    pub realised: Decimal,
    /// At the marks.
    pub unrealised: Decimal,
    /// Fees paid.
    pub fees: Decimal,
    /// Dividends and fundings, less tax.
    pub income: Decimal,
    /// Realised, unrealised and income less fees.
    pub total: Decimal,
}

/// A limit and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitUsage {
    /// Label.
    #[serde(serialize_with = "name")]
    pub label: Code,
    /// Type.
    #[serde(rename = "type")]
    pub limit_type: String,
    /// Node that it binds.
    #[serde(serialize_with = "name")]
    pub scope: Code,
    /// That node, for entitlements.
    #[serde(skip)]
    pub node: NodeId,
    /// Level of the node.
    pub level: String,
    /// Only this instrument.
    #[serde(serialize_with = "some_name")]
    pub symbol: Symbol,
    /// What is used; none where nothing is counted.
    pub used: Option<String>,
    /// What must not be exceeded.
    pub hard: String,
    /// What the two count.
    pub unit: &'static str,
    /// Whole percent, rounded down.
    pub used_pct: Option<u64>,
    /// Warning threshold in percent; 0 for none.
    pub soft_pct: u8,
    /// What a breach does.
    pub action: String,
    /// OK, WARN or BREACH.
    pub status: &'static str,
}

/// The market of an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Market {
    /// Instrument.
    #[serde(serialize_with = "name")]
    pub symbol: Symbol,
    /// Best bid.
    pub bid: Option<Decimal>,
    /// Quantity at the bid.
    pub bid_qty: Option<Decimal>,
    /// Best offer.
    pub ask: Option<Decimal>,
    /// Quantity at the offer.
    pub ask_qty: Option<Decimal>,
    /// Last trade of the market.
    pub last: Option<Decimal>,
    /// Its quantity.
    pub last_qty: Option<Decimal>,
    /// What values positions.
    pub mark: Option<Decimal>,
    /// Mark against the first one that the replica saw, in percent with two decimals.
    pub change_pct: Option<Decimal>,
    /// TRADING or HALTED.
    pub status: &'static str,
    /// Currency.
    #[serde(serialize_with = "name")]
    pub currency: Text<8>,
    /// Kind of instrument.
    pub kind: &'static str,
    /// Sector.
    #[serde(serialize_with = "name")]
    pub sector: Symbol,
    /// Last quote, trade or mark.
    #[serde(serialize_with = "time")]
    pub updated: UnixNanos,
}

/// A fee schedule in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeeSchedule {
    /// Name, for people.
    #[serde(serialize_with = "name")]
    pub name: Code,
    /// Only this account.
    #[serde(serialize_with = "some_name")]
    pub account: Code,
    /// Its node, for entitlements; none for a schedule of all accounts.
    #[serde(skip)]
    pub node: NodeId,
    /// Only this instrument.
    #[serde(serialize_with = "some_name")]
    pub symbol: Symbol,
    /// Only this venue.
    pub venue: Option<u16>,
    /// How it charges.
    pub model: &'static str,
    /// Basis points, money a unit or an order, or a factor, by model.
    pub rate: Decimal,
    /// Least fee of an order; 0 for none.
    pub min: Decimal,
    /// Greatest fee of an order; 0 for none.
    pub max: Decimal,
    /// Greatest fee of an order in percent of its value; 0 for none.
    pub max_pct: Decimal,
    /// Rate of fills that made liquidity, where it is another one.
    pub maker_rate: Option<Decimal>,
}

/// A corporate action that was announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CorporateAction {
    /// Number of its record.
    pub seq: Seq,
    /// When it was announced.
    #[serde(serialize_with = "time")]
    pub time: UnixNanos,
    /// Instrument, as it is called now.
    #[serde(serialize_with = "name")]
    pub symbol: Symbol,
    /// SPLIT, CASH_DIVIDEND, FUNDING, VARIATION_MARGIN or SETTLEMENT.
    pub action: &'static str,
    /// Of a split: new units for old ones.
    pub ratio: Option<String>,
    /// Dividend per unit, price of a split's fractions, rate of a funding, settlement price or value.
    pub amount: Decimal,
    /// Price that a funding is reckoned at; 0 for the mark.
    pub px: Decimal,
    /// Tax withheld from a dividend, in percent.
    pub withhold_pct: Decimal,
    /// When it takes or took effect; none for one that took effect at once.
    #[serde(serialize_with = "some_date")]
    pub ex_date: DayNumber,
    /// When it is paid; none for the ex-date.
    #[serde(serialize_with = "some_date")]
    pub pay_date: DayNumber,
    /// WAITING for its ex-date, or EFFECTIVE.
    pub state: &'static str,
    /// Who announced it, and why.
    pub text: String,
}

/// What falls due for an account on a date, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settlement {
    /// The date.
    #[serde(serialize_with = "date")]
    pub settle_date: DayNumber,
    /// Account.
    #[serde(serialize_with = "name")]
    pub account: Code,
    /// Its node, for entitlements.
    #[serde(skip)]
    pub node: NodeId,
    /// Currency.
    #[serde(serialize_with = "name")]
    pub currency: Text<8>,
    /// Money that comes in: proceeds of sales.
    pub to_receive: Decimal,
    /// Money that goes out: purchases with their fees, and fees beyond proceeds.
    pub to_pay: Decimal,
    /// The difference.
    pub net: Decimal,
    /// Executions in it.
    pub trades: u64,
    /// PENDING; LATE where its date is over and a part has not settled; SETTLED.
    pub state: &'static str,
}

/// Counts and sums of a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Base currency; empty before there is one.
    #[serde(serialize_with = "name")]
    pub base_currency: Text<8>,
    /// Accounts.
    pub accounts: u64,
    /// Open positions.
    pub open_positions: u64,
    /// Open orders.
    pub open_orders: u64,
    /// Value of long positions in base currency, those without mark or rate left out.
    pub long_value: Decimal,
    /// Value of short positions, above zero.
    pub short_value: Decimal,
    /// Profit in base currency: realised, unrealised and income less fees, those without a rate left out.
    pub profit: Decimal,
    /// Realised part of it, before fees.
    pub realised: Decimal,
    /// Unrealised part of it.
    pub unrealised: Decimal,
    /// Fees in it.
    pub fees: Decimal,
    /// Dividends and fundings in it, less tax.
    pub income: Decimal,
    /// Positions left out for want of a mark or rate.
    pub not_valued: u64,
    /// Limits at or above their warning threshold.
    pub limits_warn: u64,
    /// Limits that are used up or broken.
    pub limits_breached: u64,
    /// Nodes that do not trade freely.
    pub restricted_nodes: u64,
    /// Breaks of reconciliation that wait for their code.
    pub recon_breaks: u64,
}
