//! Executions and the entries of the books.

use super::{Origin, order_id};
use crate::table::table;
use tradewind_domain::ids::{AccountId, HoldingId, InstrumentId, NodeId, OrderId, WalletId};
use tradewind_domain::text::ExecId;
use tradewind_domain::time::{DayNumber, UnixNanos};

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
    /// What it posts, where its own row says it.
    pub(crate) posting: Option<Posting>,
}

/// What a fill or an executed trade posts, beside what its row has anyway: the view `ledger_entries` makes its legs of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    /// Template's number.
    pub(crate) template: u8,
    /// Account and currency.
    pub(crate) wallet: WalletId,
    /// Account and instrument.
    pub(crate) holding: HoldingId,
    /// What was held for the order and is given back.
    pub(crate) released: i128,
    /// Cash that moves.
    pub(crate) cash: i128,
}

table! {
    /// Fills, executed trades, busts and corrections.
    EXECUTIONS = "executions", key [seq, part, day], by day, of |row: Execution| {
        seq: int8 = row.origin.seq as i64;
        part: int4 = row.origin.part as i32;
        day: day = row.origin.day;
        recv: time = row.origin.recv_ns;
        origin: opt_time = row.origin_ns;
        kind: int2 = row.kind as i16;
        exec_id: text = row.exec_id.as_str();
        trade_seq: opt_int8 = (row.trade_seq != 0).then_some(row.trade_seq as i64);
        order_id: opt_int8 = order_id(row.order);
        account_id: int4 = row.account.0 as i32;
        node_id: int4 = row.node.0 as i32;
        instrument_id: int4 = row.instrument.0 as i32;
        currency_id: int4 = i32::from(row.currency);
        venue: opt_int4 = (row.venue != u16::MAX).then_some(i32::from(row.venue));
        side: int2 = i16::from(row.side);
        liquidity: int2 = i16::from(row.liquidity);
        qty: dec = row.qty.into();
        px: dec = row.px.into();
        principal: dec = row.principal;
        fee: dec = row.fee;
        realised: dec = row.realised;
        closed_qty: dec = row.closed_qty.into();
        settle_day: opt_day = row.settle_day;
        alerts: int2 = i16::from(row.alerts);
        template: opt_int2 @ 3 = row.posting.map(|posting| i16::from(posting.template));
        wallet_id: opt_int4 @ 3 = row.posting.map(|posting| posting.wallet.0 as i32);
        holding_id: opt_int4 @ 3 = row.posting.map(|posting| posting.holding.0 as i32);
        released: opt_dec @ 3 = row.posting.map(|posting| posting.released);
        cash: opt_dec @ 3 = row.posting.map(|posting| posting.cash);
    }
    filled_in {
        status: opt_int2;
        changed_seq: opt_int8;
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

table! {
    /// Marks of trades, on their way to `executions`.
    RESTATED = "restated", key [trade_seq], of |row: Restated| {
        trade_seq: int8 = row.trade_seq as i64;
        changed_seq: int8 = row.changed_seq as i64;
        status: int2 = i16::from(row.status);
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

table! {
    /// Legs of postings, those of fills and executed trades apart.
    LEDGER_LEGS = "ledger_legs", key [seq, part, line, day], by day, of |row: Entry| {
        seq: int8 = row.origin.seq as i64;
        part: int4 = row.origin.part as i32;
        day: day = row.origin.day;
        recv: time = row.origin.recv_ns;
        line: int2 = row.line as i16;
        template: int2 = i16::from(row.template);
        phase: int2 = i16::from(row.phase);
        account_id: int4 = row.account.0 as i32;
        debit_class: int2 = i16::from(row.debit_class);
        debit_id: int4 = row.debit_id as i32;
        credit_class: int2 = i16::from(row.credit_class);
        credit_id: int4 = row.credit_id as i32;
        ledger_kind: int2 = i16::from(row.ledger_kind);
        ledger_id: int4 = row.ledger_id as i32;
        amount: dec = row.amount;
    }
}
