//! Bodies of what happens to trades and instruments between trade date and settlement: fails, and symbols that change.

use super::Body;
use crate::fixed::{Money, NetQty};
use crate::ids::{
    AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, NodeId, Seq, VenueId, WalletId,
};
use crate::text::{Code, ExecId, Symbol};
use crate::time::DayNumber;
use bytemuck::{Pod, Zeroable};

/// A trade did not settle on its date: it is pending until another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct SettlementFail {
    /// The trade, as its venue calls it.
    pub exec_id: ExecId,
    /// Its trade date; 0: the present trading date of any calendar.
    pub trade_date: DayNumber,
    /// When it is to settle; 0: on the next business day. Written: the date.
    pub settle_date: DayNumber,
    /// The venue.
    pub venue: VenueId,
    /// Settlement calendar of the trade.
    pub settle_calendar: u8,
    /// 1 where the books had settled it: its settlement is reversed. 0: it stays pending.
    pub was_settled: u8,
    /// [`Side`](crate::codes::Side) of the trade.
    pub side: u8,
    #[doc(hidden)]
    pub reserved: u8,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// Quantity of the trade, at 1e-8, in present units.
    pub qty: i64,
    /// Cash that changes hands when it settles: what a purchase costs, what a sale brings.
    pub cash: Money,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Narrowest node of the trade.
    pub leaf: NodeId,
    /// The settlement date before.
    pub settle_date_before: DayNumber,
    /// The first settlement date that it failed on.
    pub failed_from: DayNumber,
    /// Business days from there to the new date.
    pub age_days: u32,
    /// Sequence number of the trade's record.
    pub trade_seq: Seq,
    #[doc(hidden)]
    pub reserved2: u64,
}

const _: () = assert!(size_of::<SettlementFail>() == 128);

impl Body for SettlementFail {
    const INPUT_LEN: usize = 50;
}

/// A split on its ex-date makes other units of what unsettled trades of a holding bring or take on one date. Made by the limit check behind
/// the holders' parts, which the position has taken whole: what is settled of it changes by the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct DatedSplit {
    /// Quantity that comes in, in old units, at 1e-8.
    pub qty_in: NetQty,
    /// Quantity that goes out, in old units.
    pub qty_out: NetQty,
    /// Quantity that comes in, in new units.
    pub new_in: NetQty,
    /// Quantity that goes out, in new units.
    pub new_out: NetQty,
    /// Account.
    pub account: AccountId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Settlement date of the trades.
    pub settle_date: DayNumber,
    /// Narrowest node of the first of them.
    pub leaf: NodeId,
    /// New units ...
    pub numerator: u32,
    /// ... for old units.
    pub denominator: u32,
    /// Trades in it.
    pub trades: u32,
    /// Currency.
    pub currency: CurrencyId,
    /// Settlement calendar.
    pub calendar: CalendarId,
    #[doc(hidden)]
    pub reserved: [u64; 3],
}

const _: () = assert!(size_of::<DatedSplit>() == 128);

impl Body for DatedSplit {
    const INPUT_LEN: usize = 0;
}

/// An instrument gets another symbol, at once. The event's names give the one that it has; it stays valid as another name of the instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct SymbolChange {
    /// The new symbol.
    pub symbol: Symbol,
    /// Who says so.
    pub author: Code,
    /// The symbol before.
    pub symbol_before: Symbol,
    /// Instrument.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved: [u32; 7],
}

const _: () = assert!(size_of::<SymbolChange>() == 128);

impl Body for SymbolChange {
    const INPUT_LEN: usize = 64;
}
