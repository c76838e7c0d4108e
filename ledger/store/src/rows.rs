//! Rows: what a batch of records becomes, table by table, before any database is spoken of.
//!
//! Two kinds. *Appended* rows are written once and never again: executions, entries, refusals, audit. *Merged* rows are changes of what a
//! table holds: a position's change is added to it, an order's patch is laid over it. Merging twice within a batch and once in the
//! database gives what merging three times in the database would.
//!
//! # Invariants
//! - Plain data: ids, integers at 1e-8 and nanoseconds as the journal has them. Nothing is rounded.
//! - The fields of a row come in the order of its table's columns.

use crate::fields::{Fields, Row, Table};
use tradewind_domain::ids::{AccountId, InstrumentId, LimitId, NodeId, OrderId};
use tradewind_domain::text::{ClOrdId, ExecId};
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

impl Origin {
    fn fields(&self, out: &mut impl Fields) {
        out.int8(self.seq as i64);
        out.int4(self.part as i32);
        out.day(self.day);
        out.time(self.recv_ns);
    }
}

macro_rules! table {
    ($name:ident, $text:literal, [$($column:literal),* $(,)?]) => {
        /// The table.
        pub(crate) const $name: Table = Table { name: $text, columns: &[$($column),*] };
    };
}

/// A fill, an executed trade, a bust or a correction. A busted or corrected one is marked by [`Restated`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Execution {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// When it happened, as its source says; 0 where it does not.
    pub(crate) origin_ns: UnixNanos,
    /// The record's kind.
    pub(crate) kind: u16,
    /// The venue's identifier.
    pub(crate) exec_id: ExecId,
    /// The trade that is taken back; 0 for one that is booked first.
    pub(crate) trade_seq: u64,
    /// The order; none without one.
    pub(crate) order: OrderId,
    /// Account.
    pub(crate) account: AccountId,
    /// Narrowest node.
    pub(crate) node: NodeId,
    /// Instrument.
    pub(crate) instrument: InstrumentId,
    /// Currency.
    pub(crate) currency: u16,
    /// Venue.
    pub(crate) venue: u16,
    /// [`Side`](tradewind_domain::codes::Side).
    pub(crate) side: u8,
    /// 1 maker, 2 taker, 0 unknown.
    pub(crate) liquidity: u8,
    /// Quantity; of a bust what was taken back.
    pub(crate) qty: i64,
    /// Price; of a bust that of the trade.
    pub(crate) px: i64,
    /// Money value.
    pub(crate) principal: i128,
    /// Fee.
    pub(crate) fee: i128,
    /// Change of realised profit.
    pub(crate) realised: i128,
    /// Quantity that closed a position.
    pub(crate) closed_qty: i64,
    /// Date of settlement that was reported; 0 for none.
    pub(crate) settle_day: DayNumber,
    /// Alert bits.
    pub(crate) alerts: u8,
}

table!(
    EXECUTIONS,
    "executions",
    [
        "seq",
        "part",
        "day",
        "recv*",
        "origin*",
        "kind",
        "exec_id",
        "trade_seq",
        "order_id",
        "account_id",
        "node_id",
        "instrument_id",
        "currency_id",
        "venue",
        "side",
        "liquidity",
        "qty",
        "px",
        "principal",
        "fee",
        "realised",
        "closed_qty",
        "settle_day",
        "alerts",
    ]
);

impl Row for Execution {
    const TABLE: Table = EXECUTIONS;
    fn fields(&self, out: &mut impl Fields) {
        self.origin.fields(out);
        out.opt_time(self.origin_ns);
        out.int2(self.kind as i16);
        out.text(self.exec_id.as_str());
        out.opt_int8((self.trade_seq != 0).then_some(self.trade_seq as i64));
        out.opt_int8((!self.order.is_none()).then_some(self.order.0 as i64));
        out.int4(self.account.0 as i32);
        out.int4(self.node.0 as i32);
        out.int4(self.instrument.0 as i32);
        out.int4(i32::from(self.currency));
        out.opt_int4((self.venue != u16::MAX).then_some(i32::from(self.venue)));
        out.int2(i16::from(self.side));
        out.int2(i16::from(self.liquidity));
        out.dec(self.qty.into());
        out.dec(self.px.into());
        out.dec(self.principal);
        out.dec(self.fee);
        out.dec(self.realised);
        out.dec(self.closed_qty.into());
        out.opt_day(self.settle_day);
        out.int2(i16::from(self.alerts));
    }
}

/// A trade was corrected or busted: its first record is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restated {
    /// Number of the trade's record.
    pub(crate) trade_seq: u64,
    /// Number of the record that corrected or busted it last.
    pub(crate) changed_seq: u64,
    /// 2 corrected, 3 busted.
    pub(crate) status: u8,
}

table!(RESTATED, "restated", ["trade_seq", "changed_seq", "status"]);

impl Row for Restated {
    const TABLE: Table = RESTATED;
    fn fields(&self, out: &mut impl Fields) {
        out.int8(self.trade_seq as i64);
        out.int8(self.changed_seq as i64);
        out.int2(i16::from(self.status));
    }
}

/// One leg of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Line within the record.
    pub(crate) line: u16,
    /// Template's number.
    pub(crate) template: u8,
    /// Phase's number.
    pub(crate) phase: u8,
    /// The client's account; none where none takes part.
    pub(crate) account: AccountId,
    /// Debited class.
    pub(crate) debit_class: u8,
    /// Debited account within the class: a wallet, holding, currency or instrument.
    pub(crate) debit_id: u32,
    /// Credited class.
    pub(crate) credit_class: u8,
    /// Credited account within the class.
    pub(crate) credit_id: u32,
    /// 1 a currency's ledger, 2 an instrument's.
    pub(crate) ledger_kind: u8,
    /// The currency or instrument.
    pub(crate) ledger_id: u32,
    /// Amount, above zero.
    pub(crate) amount: i128,
}

table!(
    LEDGER_ENTRIES,
    "ledger_entries",
    [
        "seq",
        "part",
        "day",
        "recv*",
        "line",
        "template",
        "phase",
        "account_id",
        "debit_class",
        "debit_id",
        "credit_class",
        "credit_id",
        "ledger_kind",
        "ledger_id",
        "amount",
    ]
);

impl Row for Entry {
    const TABLE: Table = LEDGER_ENTRIES;
    fn fields(&self, out: &mut impl Fields) {
        self.origin.fields(out);
        out.int2(self.line as i16);
        out.int2(i16::from(self.template));
        out.int2(i16::from(self.phase));
        out.int4(self.account.0 as i32);
        out.int2(i16::from(self.debit_class));
        out.int4(self.debit_id as i32);
        out.int2(i16::from(self.credit_class));
        out.int4(self.credit_id as i32);
        out.int2(i16::from(self.ledger_kind));
        out.int4(self.ledger_id as i32);
        out.dec(self.amount);
    }
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
    fn fields(&self, out: &mut impl Fields) {
        out.int4(self.account.0 as i32);
        out.int4(self.instrument.0 as i32);
        out.opt_int8((!self.order.is_none()).then_some(self.order.0 as i64));
    }
}

/// A limit that spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitEvent {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Line within the record.
    pub(crate) line: u16,
    /// The record's kind.
    pub(crate) on: u16,
    /// Whom it is about.
    pub(crate) about: About,
    /// [`HitKind`](tradewind_domain::event::HitKind).
    pub(crate) kind: u8,
    /// The limit; none for a rule that is no limit.
    pub(crate) limit: LimitId,
    /// The limit's type at the time; 0 for a rule that is no limit.
    pub(crate) limit_type: u8,
    /// Level of its node.
    pub(crate) level: u8,
    /// Reject code.
    pub(crate) code: u16,
    /// What is used after the event.
    pub(crate) used: Figure,
    /// What is allowed; none where nothing bounds it.
    pub(crate) hard: Option<Figure>,
    /// What the figures count.
    pub(crate) unit: &'static str,
}

/// A number with as many decimals as its unit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    /// The scaled integer.
    pub(crate) raw: i128,
    /// Its decimals.
    pub(crate) scale: u8,
}

table!(
    LIMIT_EVENTS,
    "limit_events",
    [
        "seq",
        "part",
        "day",
        "recv*",
        "line",
        "on_kind",
        "account_id",
        "instrument_id",
        "order_id",
        "hit_kind",
        "limit_id",
        "limit_type",
        "level",
        "code",
        "used",
        "hard",
        "unit",
    ]
);

impl Row for LimitEvent {
    const TABLE: Table = LIMIT_EVENTS;
    fn fields(&self, out: &mut impl Fields) {
        self.origin.fields(out);
        out.int2(self.line as i16);
        out.int2(self.on as i16);
        self.about.fields(out);
        out.int2(i16::from(self.kind));
        out.opt_int4((!self.limit.is_none()).then_some(self.limit.0 as i32));
        out.int2(i16::from(self.limit_type));
        out.int2(i16::from(self.level));
        out.int4(i32::from(self.code));
        out.number(Some((self.used.raw, self.used.scale)));
        out.number(self.hard.map(|hard| (hard.raw, hard.scale)));
        out.text(self.unit);
    }
}

/// An input that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// The record's kind.
    pub(crate) on: u16,
    /// Reject code.
    pub(crate) code: u16,
    /// The business rule that refused, counted from 1; 0 where none did.
    pub(crate) rule: u8,
    /// Whom it is about.
    pub(crate) about: About,
    /// Client's or venue's identifier of the message.
    pub(crate) identifier: ExecId,
    /// What the source or normalize noted.
    pub(crate) text: String,
}

table!(
    REFUSALS,
    "refusals",
    [
        "seq",
        "part",
        "day",
        "recv*",
        "on_kind",
        "code",
        "rule",
        "account_id",
        "instrument_id",
        "order_id",
        "identifier",
        "text",
    ]
);

impl Row for Refusal {
    const TABLE: Table = REFUSALS;
    fn fields(&self, out: &mut impl Fields) {
        self.origin.fields(out);
        out.int2(self.on as i16);
        out.int4(i32::from(self.code));
        out.int2(i16::from(self.rule));
        self.about.fields(out);
        out.text(self.identifier.as_str());
        out.text(&self.text);
    }
}

/// Something that somebody should look at, as the record itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Line within the record.
    pub(crate) line: u16,
    /// The record's kind.
    pub(crate) on: u16,
    /// What: for example `OVERFILL`.
    pub(crate) alert: &'static str,
    /// The business rule that alerts, counted from 1; 0 where it is none.
    pub(crate) rule: u8,
    /// Whom it is about.
    pub(crate) about: About,
}

table!(
    ALERTS,
    "alerts",
    [
        "seq",
        "part",
        "day",
        "recv*",
        "line",
        "on_kind",
        "alert",
        "rule",
        "account_id",
        "instrument_id",
        "order_id"
    ]
);

impl Row for Alert {
    const TABLE: Table = ALERTS;
    fn fields(&self, out: &mut impl Fields) {
        self.origin.fields(out);
        out.int2(self.line as i16);
        out.int2(self.on as i16);
        out.text(self.alert);
        out.int2(i16::from(self.rule));
        self.about.fields(out);
    }
}

/// What an operator did, or the engine by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// The record's kind.
    pub(crate) kind: u16,
    /// Who; empty for the engine.
    pub(crate) author: String,
    /// The second person.
    pub(crate) second: String,
    /// What it is about, by name.
    pub(crate) subject: String,
    /// What it says: a JSON object.
    pub(crate) detail: String,
    /// The reason given.
    pub(crate) reason: String,
    /// Reject code; 0 where it was accepted.
    pub(crate) code: u16,
}

table!(
    AUDIT,
    "audit",
    [
        "seq", "part", "day", "recv*", "kind", "author", "second", "subject", "detail", "reason", "code"
    ]
);

impl Row for Audit {
    const TABLE: Table = AUDIT;
    fn fields(&self, out: &mut impl Fields) {
        self.origin.fields(out);
        out.int2(self.kind as i16);
        out.text(&self.author);
        out.text(&self.second);
        out.text(&self.subject);
        out.text(&self.detail);
        out.text(&self.reason);
        out.int4(i32::from(self.code));
    }
}

/// What a replace asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Total quantity.
    pub(crate) qty: i64,
    /// Limit price; 0 for none.
    pub(crate) px: i64,
    /// Stop price; 0 for none.
    pub(crate) stop_px: i64,
    /// The client's identifier from then on.
    pub(crate) cl_ord_id: ClOrdId,
}

/// What an order is from its entry on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entered {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Client session.
    pub(crate) session: u32,
    /// Account.
    pub(crate) account: AccountId,
    /// Narrowest node.
    pub(crate) node: NodeId,
    /// Instrument.
    pub(crate) instrument: InstrumentId,
    /// Currency.
    pub(crate) currency: u16,
    /// [`Side`](tradewind_domain::codes::Side).
    pub(crate) side: u8,
    /// [`OrderType`](tradewind_domain::codes::OrderType).
    pub(crate) ord_type: u8,
    /// [`TimeInForce`](tradewind_domain::codes::TimeInForce).
    pub(crate) tif: u8,
}

/// What a batch knows of an order: all of it where the batch has its entry, else what changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// The order.
    pub(crate) order: OrderId,
    /// Its entry, where the batch has it.
    pub(crate) entered: Option<Entered>,
    /// Number of the last input that changed it.
    pub(crate) last_seq: u64,
    /// When that was taken.
    pub(crate) updated_ns: UnixNanos,
    /// State.
    pub(crate) state: u8,
    /// Filled quantity.
    pub(crate) cum: i64,
    /// Open quantity.
    pub(crate) leaves: i64,
    /// Money of its fills at 1e-16: price times quantity. A change where the entry is not in the batch.
    pub(crate) value: i128,
    /// What it is from now on, where that is in the batch.
    pub(crate) is: Option<Asked>,
    /// True where it becomes what a replace before this batch asked for.
    pub(crate) takes_pending: bool,
    /// Total quantity, restated by a bust or correction.
    pub(crate) restated_qty: Option<i64>,
    /// What a pending replace asks for.
    pub(crate) pending: Option<Asked>,
    /// Change of the quantity that a replace before this batch asks for, by busts and corrections.
    pub(crate) pending_shift: i64,
    /// The venue's name for it, where it was said.
    pub(crate) venue_order_id: ExecId,
}

impl Order {
    /// A bust or correction changes the filled quantity: what a pending replace asks for changes alike (an open order goes on with
    /// what it has open).
    pub(crate) fn shift_pending(&mut self, delta: i64) {
        match &mut self.pending {
            Some(asked) => asked.qty = asked.qty.saturating_add(delta),
            None if !self.takes_pending => self.pending_shift = self.pending_shift.saturating_add(delta),
            None => {}
        }
    }

    /// Makes it what its pending replace asked for.
    pub(crate) fn replace(&mut self) {
        match self.pending.take() {
            Some(asked) => self.is = Some(asked),
            None => self.takes_pending = true,
        }
        self.restated_qty = None;
    }
}

pub(crate) fn opt_px(px: i64) -> Option<i128> {
    (px != 0).then_some(px.into())
}

table!(
    ORDERS,
    "orders",
    [
        "order_id",
        "seq",
        "day",
        "entered*",
        "session",
        "account_id",
        "node_id",
        "instrument_id",
        "currency_id",
        "side",
        "ord_type",
        "tif",
        "last_seq",
        "updated*",
        "state",
        "cum",
        "leaves",
        "value",
        "qty",
        "px",
        "stop_px",
        "cl_ord_id",
        "new_qty",
        "new_px",
        "new_stop_px",
        "new_cl_ord_id",
        "venue_order_id",
    ]
);

/// An order with its entry, as a whole row.
pub(crate) struct NewOrder<'a>(pub(crate) &'a Order, pub(crate) &'a Entered);

impl Row for NewOrder<'_> {
    const TABLE: Table = ORDERS;
    fn fields(&self, out: &mut impl Fields) {
        let (order, entered) = (self.0, self.1);
        out.int8(order.order.0 as i64);
        out.int8(entered.origin.seq as i64);
        out.day(entered.origin.day);
        out.time(entered.origin.recv_ns);
        out.int8(i64::from(entered.session));
        out.int4(entered.account.0 as i32);
        out.int4(entered.node.0 as i32);
        out.int4(entered.instrument.0 as i32);
        out.int4(i32::from(entered.currency));
        out.int2(i16::from(entered.side));
        out.int2(i16::from(entered.ord_type));
        out.int2(i16::from(entered.tif));
        order.changes(out);
        let is = order.is.unwrap_or(NOTHING);
        out.dec(order.restated_qty.unwrap_or(is.qty).into());
        out.opt_dec(opt_px(is.px));
        out.opt_dec(opt_px(is.stop_px));
        out.text(is.cl_ord_id.as_str());
        order.asked(out);
        out.text(order.venue_order_id.as_str());
    }
}

const NOTHING: Asked = Asked {
    qty: 0,
    px: 0,
    stop_px: 0,
    cl_ord_id: ClOrdId::EMPTY,
};

impl Order {
    fn changes(&self, out: &mut impl Fields) {
        out.int8(self.last_seq as i64);
        out.time(self.updated_ns);
        out.int2(i16::from(self.state));
        out.dec(self.cum.into());
        out.dec(self.leaves.into());
        out.wide(self.value);
    }

    fn asked(&self, out: &mut impl Fields) {
        out.opt_dec(self.pending.map(|asked| asked.qty.into()));
        out.opt_dec(self.pending.and_then(|asked| opt_px(asked.px)));
        out.opt_dec(self.pending.and_then(|asked| opt_px(asked.stop_px)));
        out.opt_text(self.pending.as_ref().map(|asked| asked.cl_ord_id.as_str()));
    }
}

table!(
    ORDER_PATCHES,
    "order_patches",
    [
        "order_id",
        "last_seq",
        "updated*",
        "state",
        "cum",
        "leaves",
        "value",
        "is_set",
        "qty",
        "px",
        "stop_px",
        "cl_ord_id",
        "takes_pending",
        "pending_shift",
        "restated_qty",
        "sets_pending",
        "new_qty",
        "new_px",
        "new_stop_px",
        "new_cl_ord_id",
        "venue_order_id",
    ]
);

/// An order without its entry, as what changes.
pub(crate) struct OrderPatch<'a>(pub(crate) &'a Order);

impl Row for OrderPatch<'_> {
    const TABLE: Table = ORDER_PATCHES;
    fn fields(&self, out: &mut impl Fields) {
        let order = self.0;
        out.int8(order.order.0 as i64);
        order.changes(out);
        out.flag(order.is.is_some());
        out.opt_dec(order.is.map(|is| is.qty.into()));
        out.opt_dec(order.is.and_then(|is| opt_px(is.px)));
        out.opt_dec(order.is.and_then(|is| opt_px(is.stop_px)));
        out.opt_text(order.is.as_ref().map(|is| is.cl_ord_id.as_str()));
        out.flag(order.takes_pending);
        out.dec(order.pending_shift.into());
        out.opt_dec(order.restated_qty.map(i128::from));
        out.flag(order.pending.is_some());
        order.asked(out);
        let venue = order.venue_order_id.as_str();
        out.opt_text((!venue.is_empty()).then_some(venue));
    }
}

/// A change of a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PositionChange {
    /// The pair of account and instrument.
    pub(crate) holding: u32,
    /// Account.
    pub(crate) account: AccountId,
    /// Instrument.
    pub(crate) instrument: InstrumentId,
    /// Signed quantity.
    pub(crate) qty: i128,
    /// Cost.
    pub(crate) cost: i128,
    /// Realised profit.
    pub(crate) realised: i128,
    /// Fees.
    pub(crate) fees: i128,
    /// Dividends, funding and the like.
    pub(crate) income: i128,
    /// Executions.
    pub(crate) fills: i64,
    /// Number of the last input that changed it.
    pub(crate) last_seq: u64,
}

table!(
    POSITIONS,
    "positions",
    [
        "holding_id",
        "account_id",
        "instrument_id",
        "qty",
        "cost",
        "realised",
        "fees",
        "income",
        "fills",
        "last_seq",
    ]
);

impl Row for PositionChange {
    const TABLE: Table = POSITIONS;
    fn fields(&self, out: &mut impl Fields) {
        out.int4(self.holding as i32);
        out.int4(self.account.0 as i32);
        out.int4(self.instrument.0 as i32);
        out.dec(self.qty);
        out.dec(self.cost);
        out.dec(self.realised);
        out.dec(self.fees);
        out.dec(self.income);
        out.int8(self.fills);
        out.int8(self.last_seq as i64);
    }
}

/// A change of an account of a currency's ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BalanceChange {
    /// Class of the chart.
    pub(crate) class: u8,
    /// The account within the class.
    pub(crate) owner: u32,
    /// The client's account; none for the firm's.
    pub(crate) account: AccountId,
    /// Currency.
    pub(crate) currency: u16,
    /// Held on the debit side.
    pub(crate) debits_pending: i128,
    /// Booked on the debit side.
    pub(crate) debits_posted: i128,
    /// Held on the credit side.
    pub(crate) credits_pending: i128,
    /// Booked on the credit side.
    pub(crate) credits_posted: i128,
    /// Number of the last input that changed it.
    pub(crate) last_seq: u64,
}

table!(
    BALANCES,
    "balances",
    [
        "class",
        "owner_id",
        "account_id",
        "currency_id",
        "debits_pending",
        "debits_posted",
        "credits_pending",
        "credits_posted",
        "last_seq",
    ]
);

impl Row for BalanceChange {
    const TABLE: Table = BALANCES;
    fn fields(&self, out: &mut impl Fields) {
        out.int2(i16::from(self.class));
        out.int4(self.owner as i32);
        out.int4(self.account.0 as i32);
        out.int4(i32::from(self.currency));
        out.dec(self.debits_pending);
        out.dec(self.debits_posted);
        out.dec(self.credits_pending);
        out.dec(self.credits_posted);
        out.int8(self.last_seq as i64);
    }
}

/// A change of what a node made with an instrument on a trading day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PnlChange {
    /// Trading day.
    pub(crate) day: DayNumber,
    /// Narrowest node.
    pub(crate) node: NodeId,
    /// Instrument.
    pub(crate) instrument: InstrumentId,
    /// Account.
    pub(crate) account: AccountId,
    /// Currency.
    pub(crate) currency: u16,
    /// Realised profit, before fees.
    pub(crate) realised: i128,
    /// Fees.
    pub(crate) fees: i128,
    /// Dividends, funding and the like.
    pub(crate) income: i128,
    /// Executions.
    pub(crate) fills: i64,
    /// Money value of the executions.
    pub(crate) volume: i128,
    /// Number of the last input that changed it.
    pub(crate) last_seq: u64,
}

table!(
    PNL_DAYS,
    "pnl_days",
    [
        "day",
        "node_id",
        "instrument_id",
        "account_id",
        "currency_id",
        "realised",
        "fees",
        "income",
        "fills",
        "volume",
        "last_seq",
    ]
);

impl Row for PnlChange {
    const TABLE: Table = PNL_DAYS;
    fn fields(&self, out: &mut impl Fields) {
        out.day(self.day);
        out.int4(self.node.0 as i32);
        out.int4(self.instrument.0 as i32);
        out.int4(self.account.0 as i32);
        out.int4(i32::from(self.currency));
        out.dec(self.realised);
        out.dec(self.fees);
        out.dec(self.income);
        out.int8(self.fills);
        out.dec(self.volume);
        out.int8(self.last_seq as i64);
    }
}

/// What the market did in one second or minute, or the part of it that a batch saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Seconds of the bar: 1 or 60.
    pub(crate) seconds: u16,
    /// Instrument.
    pub(crate) instrument: InstrumentId,
    /// Begin.
    pub(crate) begin_ns: UnixNanos,
    /// First, highest, lowest and last trade; none without trades.
    pub(crate) prices: Option<[i64; 4]>,
    /// Quantity traded.
    pub(crate) volume: i128,
    /// Price times quantity, at 1e-16.
    pub(crate) turnover: i128,
    /// Trades.
    pub(crate) trades: i64,
    /// Best bid and offer of the last quote, 0 where a side was empty; none without quotes.
    pub(crate) quote: Option<[i64; 2]>,
    /// Quotes.
    pub(crate) quotes: i64,
}

table!(
    BARS,
    "bars",
    [
        "seconds",
        "instrument_id",
        "begin*",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "turnover",
        "trades",
        "bid",
        "ask",
        "quotes",
    ]
);

impl Bar {
    /// Lays what came later over it.
    pub(crate) fn merge(&mut self, later: &Bar) {
        self.prices = match (self.prices, later.prices) {
            (Some([open, high, low, _]), Some([_, high2, low2, close])) => {
                Some([open, high.max(high2), low.min(low2), close])
            }
            (old, new) => new.or(old),
        };
        self.volume += later.volume;
        self.turnover += later.turnover;
        self.trades += later.trades;
        self.quote = later.quote.or(self.quote);
        self.quotes += later.quotes;
    }
}

impl Row for Bar {
    const TABLE: Table = BARS;
    fn fields(&self, out: &mut impl Fields) {
        out.int2(self.seconds as i16);
        out.int4(self.instrument.0 as i32);
        out.time(self.begin_ns);
        for at in 0..4 {
            out.opt_dec(self.prices.map(|prices| prices[at].into()));
        }
        out.dec(self.volume);
        out.wide(self.turnover);
        out.int8(self.trades);
        for at in 0..2 {
            out.opt_dec(self.quote.and_then(|quote| opt_px(quote[at])));
        }
        out.int8(self.quotes);
    }
}
