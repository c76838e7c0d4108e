//! Bodies of client orders, and the facts that the limit check writes on them.

use super::Body;
use crate::fixed::{Money, Notional};
use crate::ids::{
    AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, LimitId, NodeId, OrderId, OrderSlot,
    SessionId, WalletId,
};
use crate::text::ClOrdId;
use crate::time::DayNumber;
use bytemuck::{Pod, Zeroable};

/// What the limit check made of an order: settle and position post these amounts and compute none of them anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct OrderView {
    /// The order.
    pub order_id: OrderId,
    /// Its row in the order table.
    pub slot: OrderSlot,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Trading date of the instrument's calendar.
    pub trade_day: DayNumber,
    /// Settlement date of a fill; 0 where none.
    pub settle_day: DayNumber,
    /// [`OrderState`](crate::codes::OrderState) before the event.
    pub state_before: u8,
    /// State after the event.
    pub state_after: u8,
    /// 1 where the request's ClOrdID counts as used from now on.
    pub burns_key: u8,
    /// 1 where the event asks for the cancel of own orders that the new one would trade against (L15).
    pub cancels_resting: u8,
    /// Open quantity after the event, at 1e-8.
    pub leaves: i64,
    /// Filled quantity after the event, at 1e-8.
    pub cum: i64,
    /// Base value of one unit, frozen at acceptance, at 1e-8.
    pub unit: i64,
    /// Risk price, frozen at acceptance, at 1e-8.
    pub risk_px: i64,
    /// Change of the reserved limit value.
    pub value: Notional,
    /// Change of the reserved cash (principal and estimated fee) in the instrument's currency.
    pub cash: Money,
    /// Change of the estimated fee within the reserved cash: part of `cash`.
    pub fee: Money,
}

const _: () = assert!(size_of::<OrderView>() == 112);

/// Which limit spoke, and with what figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Verdict {
    /// The first reported limit's use after the event, in the limit's own unit (see [`LimitHit::used`]).
    pub used: i128,
    /// The first reported limit; none where no configured limit spoke.
    pub limit: LimitId,
    /// The node that it belongs to.
    pub node: NodeId,
    /// How many [`LimitHit`]s stand at the end of the tail.
    pub hits: u16,
    #[doc(hidden)]
    pub reserved: [u8; 6],
}

const _: () = assert!(size_of::<Verdict>() == 32);

impl Default for Verdict {
    fn default() -> Self {
        Self {
            limit: LimitId::NONE,
            node: NodeId::NONE,
            ..Self::zeroed()
        }
    }
}

/// What a [`LimitHit`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum HitKind {
    /// The limit refused.
    Refused = 1,
    /// The limit's warning threshold was reached for the first time today.
    Warned = 2,
    /// The limit is broken and only raises an alert (fills, action ALERT).
    Alerted = 3,
    /// A floor under equity as it stands: `used` is the equity, `hard` the floor, both at 1e-16.
    Floor = 4,
    /// No limit: how a binary sale is valued that opens a short. `used` is the quantity at 1e-8 that closes a long position and
    /// counts by the order's unit, `hard` the base value at 1e-8 of one unit of the rest.
    Parts = 5,
}

/// One limit that refused or warned, in the tail of a record: all of them are kept for the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LimitHit {
    /// Use after the event: quantities and multiples at 1e-8, values (those that a percentage of equity is compared with too) at
    /// 1e-16 base currency, counts as they are.
    pub used: i128,
    /// The limit, in the same unit.
    pub hard: i128,
    /// The limit; none where a rule that is no limit refused.
    pub limit: LimitId,
    /// Reject code.
    pub code: u16,
    /// [`HitKind`].
    pub kind: u8,
    /// [`Level`](crate::codes::Level) of the limit's node.
    pub level: u8,
    #[doc(hidden)]
    pub reserved: u64,
}

const _: () = assert!(size_of::<LimitHit>() == 48);

/// A new order, or a probe of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct OrderNew {
    /// The client's identifier.
    pub cl_ord_id: ClOrdId,
    /// Quantity; at 1e-8 once `qty_dp` is 8.
    pub qty: i64,
    /// Limit price; at 1e-8 once `px_dp` is 8.
    pub px: i64,
    /// Stop price, as `px`.
    pub stop_px: i64,
    /// Price at which the trader would give up (risk per trade), as `px`; 0 where none.
    pub stop_loss_px: i64,
    /// When a GTD order ends, nanoseconds.
    pub expire_ns: u64,
    /// The client session.
    pub session: SessionId,
    /// [`Side`](crate::codes::Side).
    pub side: u8,
    /// [`OrderType`](crate::codes::OrderType).
    pub ord_type: u8,
    /// [`TimeInForce`](crate::codes::TimeInForce).
    pub tif: u8,
    /// Decimals of `qty` as the source wrote it.
    pub qty_dp: u8,
    /// Decimals of the prices as the source wrote them.
    pub px_dp: u8,
    /// 1 where a locate was obtained (FIX tag 114=N).
    pub located: u8,
    #[doc(hidden)]
    pub reserved: [u8; 6],
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
    /// Facts.
    pub view: OrderView,
    /// Facts.
    pub verdict: Verdict,
}

impl Body for OrderNew {
    const INPUT_LEN: usize = 96;
}

/// Cancel one order, named by `orig_cl_ord_id` or by `order_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct OrderCancel {
    /// Identifier of the request.
    pub cl_ord_id: ClOrdId,
    /// Identifier of the order; empty where `order_id` names it.
    pub orig_cl_ord_id: ClOrdId,
    /// The order; none where `orig_cl_ord_id` names it.
    pub order_id: OrderId,
    /// The client session.
    pub session: SessionId,
    #[doc(hidden)]
    pub reserved: u32,
    /// Narrowest node of the order.
    pub leaf: NodeId,
    /// Account of the order.
    pub account: AccountId,
    /// Instrument of the order.
    pub instrument: InstrumentId,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// Calendar of the instrument.
    pub calendar: CalendarId,
    /// Facts.
    pub view: OrderView,
    /// Facts.
    pub verdict: Verdict,
}

impl Body for OrderCancel {
    const INPUT_LEN: usize = 96;
}

/// Replace quantity and price of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct OrderReplace {
    /// Identifier of the order from now on, if the venue accepts.
    pub cl_ord_id: ClOrdId,
    /// Identifier of the order until then; empty where `order_id` names it.
    pub orig_cl_ord_id: ClOrdId,
    /// The order; none where `orig_cl_ord_id` names it.
    pub order_id: OrderId,
    /// New total quantity (fills included); at 1e-8 once `qty_dp` is 8.
    pub qty: i64,
    /// New limit price; at 1e-8 once `px_dp` is 8.
    pub px: i64,
    /// New stop price, as `px`.
    pub stop_px: i64,
    /// The client session.
    pub session: SessionId,
    /// Decimals of `qty` as the source wrote it.
    pub qty_dp: u8,
    /// Decimals of the prices as the source wrote them.
    pub px_dp: u8,
    #[doc(hidden)]
    pub reserved: [u8; 10],
    /// Narrowest node of the order.
    pub leaf: NodeId,
    /// Account of the order.
    pub account: AccountId,
    /// Instrument of the order.
    pub instrument: InstrumentId,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// Calendar of the instrument.
    pub calendar: CalendarId,
    /// Facts: `unit` and `risk_px` are those of the new order, `value`, `cash` and `fee` what is held on top until the venue
    /// answers; `leaves` and `cum` stay those of the order as it is.
    pub view: OrderView,
    /// Facts.
    pub verdict: Verdict,
    /// Reserved cash of the new order alone, fee included.
    pub new_cash: Money,
    /// Estimated fee of the new order alone.
    pub new_fee: Money,
}

impl Body for OrderReplace {
    const INPUT_LEN: usize = 128;
}

/// Cancel all orders of a scope. One record; the cancels go out through followers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct MassCancel {
    /// Identifier of the request.
    pub cl_ord_id: ClOrdId,
    /// The client session; only its orders where `session_only` is 1.
    pub session: SessionId,
    /// 1: only orders of `session`.
    pub session_only: u8,
    /// Only this side; 0 for all.
    pub side: u8,
    #[doc(hidden)]
    pub reserved: u16,
    /// Only orders below this node; none for all.
    pub node: NodeId,
    /// Only this instrument; none for all.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved2: u64,
}

impl Body for MassCancel {
    const INPUT_LEN: usize = 48;
}

/// What the engine itself does to an order: expiry at the roll, cancel on disconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct DerivedOrder {
    /// The client's identifier of the order.
    pub cl_ord_id: ClOrdId,
    /// The client session.
    pub session: SessionId,
    /// Side of the order.
    pub side: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
    /// Narrowest node of the order.
    pub leaf: NodeId,
    /// Account of the order.
    pub account: AccountId,
    /// Instrument of the order.
    pub instrument: InstrumentId,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// Calendar of the instrument.
    pub calendar: CalendarId,
    /// Facts.
    pub view: OrderView,
    #[doc(hidden)]
    pub reserved2: [u64; 2],
}

impl Body for DerivedOrder {
    const INPUT_LEN: usize = 0;
}
