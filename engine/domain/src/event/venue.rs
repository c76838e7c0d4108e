//! Bodies of what venues report about orders, fills aside.

use super::{Body, OrderView};
use crate::ids::{AccountId, CalendarId, CurrencyId, InstrumentId, NodeId, OrderId, SessionId, VenueId};
use crate::text::{ClOrdId, ExecId};
use bytemuck::{Pod, Zeroable};

/// A venue's report on one of our orders: acknowledgement, reject, cancelled, replaced, cancel-reject, expired, status,
/// or no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct VenueReport {
    /// Our order.
    pub order_id: OrderId,
    /// The venue's name for it.
    pub venue_order_id: ExecId,
    /// Quantity that the venue reports: new total of a replaced order; at 1e-8 once `qty_dp` is 8.
    pub qty: i64,
    /// Price that the venue reports; at 1e-8 once `px_dp` is 8.
    pub px: i64,
    /// The venue.
    pub venue: VenueId,
    /// The venue's reason (FIX 102, 103 or its own).
    pub reason: u16,
    /// For a status: [`OrderState`](crate::codes::OrderState) at the venue.
    pub status: u8,
    /// Decimals of `qty`.
    pub qty_dp: u8,
    /// Decimals of `px`.
    pub px_dp: u8,
    /// Side of the order.
    pub side: u8,
    /// The order's client session.
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
    /// The client's identifier of the order.
    pub cl_ord_id: ClOrdId,
    #[doc(hidden)]
    pub reserved2: u64,
}

impl Body for VenueReport {
    const INPUT_LEN: usize = 71;
}
