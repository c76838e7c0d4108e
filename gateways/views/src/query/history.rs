//! History: what the store has kept of the journal, asked by every front end through one trait.
//!
//! # Invariants
//! - An answer names the last input that it knows of ([`Page::as_of_seq`], [`Pnl::as_of_seq`]): what came after it is not in it.
//! - Pages run from new to old and never repeat or skip a row that was there when the first one was asked, whatever is added meanwhile.
//! - Sums are exact: integers at 1e-8, added by whoever answers, never by a float.
//! - Who may see an account is the asker's business: [`Accounts`] says for whom, and has no default.
//!
//! Rows carry ids, names (of now, not of then) and decimals as text without trailing zeros; times are nanoseconds of Unix time.
//!
//! Not here: the state of now (the replica has it), and how rows are kept.

use serde::Serialize;
use std::future::Future;
use std::pin::Pin;
use tradewind_domain::codes::{OrderState, Side};
use tradewind_domain::event::HitKind;
use tradewind_domain::ids::{OrderId, Seq};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// The most rows of one page.
pub const PAGE_ROWS_MAX: u32 = 1_000;

/// An answer that comes later. It may be awaited on any executor.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, HistoryError>> + Send + 'a>>;

/// What has been, by account, order, limit and day.
pub trait History: Send + Sync {
    /// How far the answers reach.
    fn as_of(&self) -> Answer<'_, AsOf>;
    /// Orders as they stand now, or stood at their end; by order id, new to old.
    fn orders(&self, filter: OrderFilter, page: PageRequest) -> Answer<'_, Page<OrderRow>>;
    /// Trades as they stand now: corrected ones with their corrected figures, busted ones marked.
    fn trades(&self, filter: TradeFilter, page: PageRequest) -> Answer<'_, Page<TradeRow>>;
    /// Entries of the books.
    fn ledger_entries(&self, filter: LedgerFilter, page: PageRequest) -> Answer<'_, Page<LedgerEntryRow>>;
    /// Limits that spoke: refusals, warnings, alerts, with what was used and what was allowed.
    fn limit_events(&self, filter: LimitFilter, page: PageRequest) -> Answer<'_, Page<LimitEventRow>>;
    /// Inputs that were refused, and why.
    fn refusals(&self, filter: RefusalFilter, page: PageRequest) -> Answer<'_, Page<RefusalRow>>;
    /// What operators did, and what the engine did to nodes by itself.
    fn audit(&self, filter: AuditFilter, page: PageRequest) -> Answer<'_, Page<AuditRow>>;
    /// Bars of the market data that the pipeline saw.
    fn bars(&self, filter: BarFilter, page: PageRequest) -> Answer<'_, Page<BarRow>>;
    /// Profit and loss of trading days, summed by group. A row for each group and currency, sorted by both.
    fn pnl(&self, filter: PnlFilter) -> Answer<'_, Pnl>;
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HistoryError {
    /// The request cannot be answered as it stands: the asker's fault.
    #[error("{0}")]
    Request(String),
    /// The database is down, slow or being rebuilt: try again.
    #[error("history is not available: {0}")]
    Unavailable(String),
}

/// How far history reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AsOf {
    /// Number of the last input in it; 0 where there is none yet.
    pub seq: Seq,
    /// When ingest took that input, in nanoseconds.
    pub recv_ns: UnixNanos,
}

/// Whose rows are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// Everybody's, and what belongs to no account.
    All,
    /// Those of accounts with these codes; none where the list is empty.
    Of(Vec<String>),
}

/// Which part of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows at most, 1 to [`PAGE_ROWS_MAX`].
    pub limit: u32,
    /// [`Page::next`] of the page before; none for the newest rows.
    pub cursor: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: 100,
            cursor: None,
        }
    }
}

/// Rows, new to old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// For the next page; none where this was the last.
    pub next: Option<String>,
    /// Number of the last input that the answer knows of.
    pub as_of_seq: Seq,
}

/// Trading days, both included; a missing one bounds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// First day.
    pub from: Option<DayNumber>,
    /// Last day.
    pub to: Option<DayNumber>,
}

/// Which orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFilter {
    /// Whose.
    pub accounts: Accounts,
    /// Trading days on which they were entered.
    pub days: Days,
    /// Only this instrument.
    pub symbol: Option<String>,
    /// Only this side.
    pub side: Option<Side>,
    /// Only those in one of these states; empty for all.
    pub states: Vec<OrderState>,
    /// Only this order.
    pub order_id: Option<OrderId>,
    /// Only orders with this identifier of the client.
    pub cl_ord_id: Option<String>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    /// Order id, `SHARD-COUNTER`.
    pub order_id: String,
    /// Trading day on which it was entered.
    pub day: String,
    /// Number of the input that entered it.
    pub seq: Seq,
    /// Number of the last input that changed it.
    pub last_seq: Seq,
    /// When it was entered.
    pub entered_ns: UnixNanos,
    /// When it changed last.
    pub updated_ns: UnixNanos,
    /// The client's identifier now.
    pub cl_ord_id: String,
    /// Client session.
    pub session: u32,
    /// Account.
    pub account: String,
    /// The narrowest node: the account itself, or a strategy below it.
    pub node: String,
    /// Instrument.
    pub symbol: String,
    /// Side.
    pub side: String,
    /// Order type.
    pub ord_type: String,
    /// Time in force.
    pub tif: String,
    /// Total quantity.
    pub qty: String,
    /// Limit price; none where it has none.
    pub px: Option<String>,
    /// Stop price.
    pub stop_px: Option<String>,
    /// Filled quantity.
    pub cum: String,
    /// Open quantity.
    pub leaves: String,
    /// Average price of its fills, rounded half up to 1e-8; none without fills.
    pub avg_px: Option<String>,
    /// State.
    pub state: String,
    /// Currency of the prices.
    pub currency: String,
    /// The venue's name for it; empty until the venue has answered.
    pub venue_order_id: String,
}

/// Which trades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeFilter {
    /// Whose.
    pub accounts: Accounts,
    /// Trading days on which they were booked.
    pub days: Days,
    /// Only this instrument.
    pub symbol: Option<String>,
    /// Only this side.
    pub side: Option<Side>,
    /// Only those of this order.
    pub order_id: Option<OrderId>,
    /// Only those with this identifier of the venue.
    pub exec_id: Option<String>,
}

/// A trade: a fill of one of our orders, or one executed elsewhere for one of our accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TradeRow {
    /// Number of the input that booked it.
    pub seq: Seq,
    /// Trading day on which it was booked.
    pub day: String,
    /// When ingest took it.
    pub recv_ns: UnixNanos,
    /// When it happened, as its source says; 0 where it does not.
    pub origin_ns: UnixNanos,
    /// The venue's identifier.
    pub exec_id: String,
    /// The order that it filled; none for trades without one.
    pub order_id: Option<String>,
    /// Account.
    pub account: String,
    /// Narrowest node.
    pub node: String,
    /// Instrument.
    pub symbol: String,
    /// Side.
    pub side: String,
    /// Quantity.
    pub qty: String,
    /// Price.
    pub px: String,
    /// Money value.
    pub principal: String,
    /// Fee, negative for a rebate.
    pub fee: String,
    /// Profit that it realised, before fees; what later busts and corrections did to profit stands on their own records.
    pub realised: String,
    /// Currency of the money.
    pub currency: String,
    /// Venue; none where it was not given.
    pub venue: Option<u16>,
    /// `BOOKED`, `CORRECTED` or `BUSTED`.
    pub status: String,
    /// Number of the input that corrected or busted it last; none for others.
    pub changed_seq: Option<Seq>,
}

/// Which entries of the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Whose.
    pub accounts: Accounts,
    /// Trading days.
    pub days: Days,
    /// Only entries of this currency's ledger.
    pub currency: Option<String>,
    /// Only entries of this instrument's ledger.
    pub symbol: Option<String>,
    /// True leaves out what is held and released for orders.
    pub posted_only: bool,
}

/// One entry: an amount that moves between two accounts of one ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerEntryRow {
    /// Number of the input that posted it.
    pub seq: Seq,
    /// Part of the input's group: 0 for the input itself.
    pub part: u32,
    /// Line within the record, from 0.
    pub line: u32,
    /// Trading day.
    pub day: String,
    /// When ingest took the input.
    pub recv_ns: UnixNanos,
    /// What kind of movement: the posting's template.
    pub template: String,
    /// `PENDING`, `RELEASE` or `POSTED`.
    pub phase: String,
    /// Whose it is; empty where no client takes part.
    pub account: String,
    /// Debited account of the chart, for example `CASH:ACC-1:USD`.
    pub debit: String,
    /// Credited account.
    pub credit: String,
    /// The ledger: a currency or an instrument.
    pub ledger: String,
    /// Amount, above zero.
    pub amount: String,
}

/// Which events of limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitFilter {
    /// Whose orders and trades.
    pub accounts: Accounts,
    /// Days, in UTC.
    pub days: Days,
    /// Only this limit.
    pub limit: Option<String>,
    /// Only these kinds; empty for all.
    pub kinds: Vec<HitKind>,
}

/// A limit that spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitEventRow {
    /// Number of the input that it spoke on.
    pub seq: Seq,
    /// Part of the input's group.
    pub part: u32,
    /// Line within the record, from 0.
    pub line: u32,
    /// Day, in UTC.
    pub day: String,
    /// When ingest took the input.
    pub recv_ns: UnixNanos,
    /// What it spoke on, for example `order_new`.
    pub on: String,
    /// `REFUSED`, `WARNED`, `ALERTED` or `FLOOR`.
    pub kind: String,
    /// Name of the limit; empty for a rule that is no limit.
    pub limit: String,
    /// Its type; empty where it has none.
    pub limit_type: String,
    /// Level of its node.
    pub level: String,
    /// Account of the order or trade; empty where it is about none.
    pub account: String,
    /// Instrument; empty where it is about none.
    pub symbol: String,
    /// The order; none where it is about none.
    pub order_id: Option<String>,
    /// Reject code's name.
    pub code: String,
    /// What is used after the event, in the limit's unit.
    pub used: String,
    /// What is allowed, in the same unit; `none` where nothing bounds it.
    pub hard: String,
    /// The unit.
    pub unit: String,
}

/// Which refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalFilter {
    /// Whose.
    pub accounts: Accounts,
    /// Days, in UTC.
    pub days: Days,
    /// Only this instrument.
    pub symbol: Option<String>,
    /// Only this reject code, by name.
    pub code: Option<String>,
}

/// An input that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusalRow {
    /// Its number.
    pub seq: Seq,
    /// Part of the input's group.
    pub part: u32,
    /// Day, in UTC.
    pub day: String,
    /// When ingest took it.
    pub recv_ns: UnixNanos,
    /// What it was, for example `order_new`.
    pub on: String,
    /// Reject code's name.
    pub code: String,
    /// Its number.
    pub code_number: u16,
    /// Account; empty where it did not resolve, or is about none.
    pub account: String,
    /// Instrument; empty likewise.
    pub symbol: String,
    /// The client's or venue's identifier of the message; empty where it has none.
    pub identifier: String,
    /// What the source or normalize noted on it.
    pub text: String,
}

/// Which lines of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFilter {
    /// Days, in UTC.
    pub days: Days,
    /// Only what this person did.
    pub author: Option<String>,
    /// Only this kind, for example `limit_set`.
    pub kind: Option<String>,
}

/// A line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Number of the input.
    pub seq: Seq,
    /// Part of the input's group.
    pub part: u32,
    /// Day, in UTC.
    pub day: String,
    /// When ingest took it.
    pub recv_ns: UnixNanos,
    /// What kind of event it is.
    pub kind: String,
    /// Who; empty for the engine itself.
    pub author: String,
    /// The second person of a dual control; empty where there was none.
    pub second: String,
    /// What it is about: a node, limit, instrument, incident, by name.
    pub subject: String,
    /// What it says, as a JSON object.
    pub detail: String,
    /// The reason given.
    pub reason: String,
    /// Reject code's name; empty where it was accepted.
    pub refused: String,
}

/// How long a bar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarLength {
    /// One second.
    Second,
    /// One minute.
    Minute,
}

/// Which bars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarFilter {
    /// Instrument.
    pub symbol: String,
    /// Length.
    pub length: BarLength,
    /// First begin, in nanoseconds; 0 for no bound.
    pub from_ns: UnixNanos,
    /// Last begin (exclusive), in nanoseconds; `u64::MAX` for no bound.
    pub to_ns: UnixNanos,
}

/// What the market did in one second or minute: its trades, and the quotes at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BarRow {
    /// Instrument.
    pub symbol: String,
    /// Begin, in nanoseconds.
    pub begin_ns: UnixNanos,
    /// First trade; none without trades.
    pub open: Option<String>,
    /// Highest trade.
    pub high: Option<String>,
    /// Lowest trade.
    pub low: Option<String>,
    /// Last trade.
    pub close: Option<String>,
    /// Quantity traded.
    pub volume: String,
    /// Money traded: sum of price times quantity at 1e-16, for the volume-weighted price.
    pub turnover: String,
    /// Trades.
    pub trades: u64,
    /// Best bid at the end; none where there was no quote with a bid.
    pub bid: Option<String>,
    /// Best offer at the end.
    pub ask: Option<String>,
    /// Quotes.
    pub quotes: u64,
}

/// What profit is summed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PnlGroup {
    /// Account.
    Account,
    /// Narrowest node: strategies apart from their account.
    Node,
    /// Instrument.
    Instrument,
    /// Sector of the instrument.
    Sector,
    /// Organisation above the account.
    Org,
    /// Account and instrument.
    AccountInstrument,
}

/// Which profit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PnlFilter {
    /// Whose.
    pub accounts: Accounts,
    /// Trading days.
    pub days: Days,
    /// Only this instrument.
    pub symbol: Option<String>,
    /// What to sum by.
    pub group: PnlGroup,
    /// True for a row for each day, false for the sum over all days.
    pub by_day: bool,
}

/// Profit by group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pnl {
    /// Rows by day, group and currency.
    pub rows: Vec<PnlDayRow>,
    /// Number of the last input that the answer knows of.
    pub as_of_seq: Seq,
}

/// Profit of one group in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PnlDayRow {
    /// Trading day; none where all days are summed.
    pub day: Option<String>,
    /// The group: its name, or `ACCOUNT/SYMBOL`.
    pub group: String,
    /// Currency.
    pub currency: String,
    /// Realised, before fees.
    pub realised: String,
    /// Fees paid, rebates subtracted.
    pub fees: String,
    /// Income: dividends, funding, interest.
    pub income: String,
    /// Realised and income less fees.
    pub net: String,
    /// Executions that were not taken back.
    pub fills: i64,
    /// Money value of the executions.
    pub volume: String,
}
