//! Bodies of executions: fills of our orders, and trades executed elsewhere for our accounts.

use super::{Body, Event, Kind};
use crate::fixed::{Money, Notional};
use crate::ids::{
    AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, NodeId, OrderId, OrderSlot, Seq, SessionId,
    VenueId, WalletId,
};
use crate::text::ExecId;
use crate::time::DayNumber;
use bytemuck::{Pod, Zeroable};

/// Bits of [`Execution::flags`].
pub mod execution_flags {
    /// `fee` is what the venue reported (it wins over an estimate).
    pub const HAS_FEE: u8 = 1;
    /// `settle_date` is what the venue reported.
    pub const HAS_SETTLE_DATE: u8 = 2;
    /// A leg of an allocation: it moves positions and money and was executed nowhere. Written by the limit check.
    pub const ALLOCATED: u8 = 4;
    /// The bits that a source may set.
    pub const OF_SOURCES: u8 = HAS_FEE | HAS_SETTLE_DATE;
}

/// Bits of [`Execution::alerts`].
pub mod execution_alerts {
    /// The order was closed already.
    pub const LATE_FILL: u8 = 1;
    /// More than the order's open quantity.
    pub const OVERFILL: u8 = 2;
    /// The wallet is overdrawn by this execution.
    pub const OVERDRAFT: u8 = 4;
    /// A limit is broken by this execution.
    pub const BREACH: u8 = 8;
    /// A bust or correction of an earlier day's trade: today's books take the difference (PRIOR_DAY_ADJ), closed days stay.
    pub const PRIOR_DAY_ADJ: u8 = 16;
    /// The fills since are not all retained: the position's cost was adjusted, not replayed.
    pub const NOT_REPLAYED: u8 = 32;
    /// A bust or correction of this execution came before it: it is an effect in its group, or waits in quarantine for a person.
    pub const TAKING_BACK_WAITS: u8 = 64;
    /// There was no room for its settlement date (`capacity.unsettled`): it was booked as settled at once.
    pub const SETTLED_EARLY: u8 = 128;
}

/// A fill or an executed trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Execution {
    /// The venue's identifier: an execution is booked once per venue, trade date and identifier.
    pub exec_id: ExecId,
    /// Our order; none for trades without one.
    pub order_id: OrderId,
    /// Quantity; at 1e-8 once `qty_dp` is 8.
    pub qty: i64,
    /// Price; at 1e-8 once `px_dp` is 8.
    pub px: i64,
    /// Fee in the instrument's currency, negative for a rebate.
    pub fee: Money,
    /// Trade date as the source reports it; 0 = the trading date of `recv_ns`.
    pub trade_date: DayNumber,
    /// Settlement date; 0 = not reported. Completed by the limit check where `settle_calendar` is not 0.
    pub settle_date: DayNumber,
    /// The session that reported it.
    pub session: SessionId,
    /// The venue.
    pub venue: VenueId,
    /// [`Side`](crate::codes::Side); for a fill the order's side, filled in by the limit check.
    pub side: u8,
    /// [`execution_flags`].
    pub flags: u8,
    /// Decimals of `qty` as the source wrote it.
    pub qty_dp: u8,
    /// Decimals of `px` as the source wrote it.
    pub px_dp: u8,
    /// 1 maker, 2 taker, 0 unknown.
    pub liquidity: u8,
    #[doc(hidden)]
    pub reserved: u8,
    /// Narrowest node of the hierarchy.
    pub leaf: NodeId,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// Calendar of the instrument.
    pub calendar: CalendarId,
    /// Order's state before.
    pub state_before: u8,
    /// Order's state after.
    pub state_after: u8,
    /// [`execution_alerts`].
    pub alerts: u8,
    /// Settlement calendar whose roll to `settle_date` settles it: cash and securities are pending until then. 0: it settles at
    /// once.
    pub settle_calendar: u8,
    /// Row of the order table; none for trades without an order.
    pub slot: OrderSlot,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Money value of the fill, rounded half up to the minor unit; never negative for positive prices.
    pub principal: Money,
    /// Limit value of the fill at the fill's price.
    pub consumed: Notional,
    /// Limit value that the order gives back, at its frozen unit; zero without an order.
    pub released_value: Notional,
    /// Reserved cash that the order gives back; zero without an order.
    pub cash_released: Money,
    /// Realised profit of the part that closed a position, fees apart. Written by position.
    pub realised: Money,
    /// Change of the position's cost. Written by position.
    pub cost_delta: Money,
    /// Order's open quantity after, at 1e-8.
    pub leaves: i64,
    /// Order's filled quantity after, at 1e-8.
    pub cum: i64,
    /// Account and currency.
    pub wallet: WalletId,
    /// Trading date of the instrument's calendar.
    pub trade_day: DayNumber,
    /// Quantity that closed an existing position, at 1e-8. Written by position.
    pub closed_qty: i64,
}

const _: () = assert!(size_of::<Execution>() == 256);

impl Body for Execution {
    const INPUT_LEN: usize = 100;
}

/// A trade is taken back. What the books need stands in the tail, as [`TakenBack`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct TradeBust {
    /// The venue's identifier of the bust.
    pub exec_id: ExecId,
    /// The trade that is taken back.
    pub exec_ref_id: ExecId,
    /// Trade date of the trade; 0 = not reported: the present trading date of any calendar.
    pub trade_date: DayNumber,
    /// The venue.
    pub venue: VenueId,
    /// [`execution_alerts`]. Written by the limit check and position.
    pub alerts: u8,
    #[doc(hidden)]
    pub reserved: u8,
    /// Account of the trade.
    pub account: AccountId,
    /// Instrument of the trade.
    pub instrument: InstrumentId,
    /// Principal that is taken back.
    pub principal: Money,
    /// Fee that is taken back.
    pub fee: Money,
    /// Change of the realised profit, fees apart. Written by position.
    pub realised: Money,
    /// Change of the position's cost. Written by position.
    pub cost_delta: Money,
    /// Limit value that is given back on the day of the trade.
    pub consumed: Notional,
    /// Quantity that is taken back, at 1e-8.
    pub qty: i64,
    /// Change of the quantity that closed positions, at 1e-8. Written by position.
    pub closed_qty: i64,
}

const _: () = assert!(size_of::<TradeBust>() == 192);

impl Body for TradeBust {
    const INPUT_LEN: usize = 88;
}

/// Trading dates of a chain's nodes, narrow to broad: the days whose counters an execution went into.
pub type ChainDays = [DayNumber; 6];

/// The version of a trade that a bust or correction takes back, as it was booked: the first bytes of the record's tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct TakenBack {
    /// Sequence number of the trade's record.
    pub trade_seq: Seq,
    /// Our order; none for trades without one.
    pub order_id: OrderId,
    /// Principal.
    pub principal: Money,
    /// Fee.
    pub fee: Money,
    /// Limit value.
    pub consumed: Notional,
    /// Quantity, at 1e-8.
    pub qty: i64,
    /// Price, at 1e-8.
    pub px: i64,
    /// The order's total quantity after, restated; 0 where the order is not known any more.
    pub order_qty: i64,
    /// The order's filled quantity after.
    pub cum: i64,
    /// The order's open quantity, which stays.
    pub leaves: i64,
    /// Narrowest node of the trade.
    pub leaf: NodeId,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Row of the order table; none for trades without an order, and where the order is not known any more.
    pub slot: OrderSlot,
    /// Trading date of the instrument's calendar when it was booked.
    pub trade_day: DayNumber,
    /// Dates of the counters that it went into.
    pub days: ChainDays,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// Calendar of the instrument.
    pub calendar: CalendarId,
    /// [`Side`](crate::codes::Side).
    pub side: u8,
    /// Versions of the trade before this one: 0 for what was booked first.
    pub version: u8,
    /// Settlement calendar of the trade where it is not settled: its pending cash and securities are voided. 0: it is settled,
    /// and reversed.
    pub settle_calendar: u8,
    /// 1 where an [`Adjustment`](super::Adjustment) follows: corporate actions since the trade are what they would have been, or what is
    /// pending is in other units.
    pub adjusts: u8,
    /// Settlement date of the trade where it was dated, 0 where it settled at once.
    pub settle_date: DayNumber,
    /// What it has pending in present units less its quantity, at 1e-8: not zero where splits have been since. Zero where it is settled.
    pub pending_change: i64,
}

const _: () = assert!(size_of::<TakenBack>() == 176);

impl Event {
    /// What an accepted bust or correction takes back; `None` for every other event.
    #[inline]
    pub fn taken_back(&self) -> Option<TakenBack> {
        if self.is_rejected() || !matches!(self.kind(), Some(Kind::TradeBust | Kind::TradeCorrect)) {
            return None;
        }
        let bytes = self.tail().get(..size_of::<TakenBack>())?;
        Some(bytemuck::pod_read_unaligned(bytes))
    }
}
