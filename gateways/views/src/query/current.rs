//! What is now: positions, money, open orders, profit, limits, the market. Asked by every front end through one trait, answered by the
//! process's one replica ([`Live`](crate::live::Live)).
//!
//! # Invariants
//! - An answer is the state after one input, the one that it names ([`Now::as_of`]); rows of one answer never come from two moments.
//! - Decimals are exact and become text where they are written; sums are of integers.
//! - Who may see a row is the asker's business: [`Scope`] says for whom, and has no default.
//!
//! Not here: what has been (see [`history`](super::history)), and anything that changes something.

use serde::{Serialize, Serializer};
use std::fmt;
use tradewind_domain::fixed::{Money, NetQty, Notional, Price, Qty};
use tradewind_domain::ids::{NodeId, OrderId, Seq};
use tradewind_domain::text::{ClOrdId, Code, ExecId, Symbol, Text};
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
    /// Held for open orders.
    pub reserved: Decimal,
    /// Settled less reserved.
    pub available: Decimal,
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
