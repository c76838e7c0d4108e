//! An order as the venue holds it.

use tradewind_domain::codes::{OrderType, Side, TimeInForce};
use tradewind_domain::event::{Event, OrderNew};
use tradewind_domain::ids::{InstrumentId, OrderId};
use tradewind_domain::time::UnixNanos;

/// An open order of the venue. Quantities and prices at 1e-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) ord_type: OrderType,
    pub(crate) tif: TimeInForce,
    pub(crate) px: i64,
    pub(crate) stop_px: i64,
    pub(crate) leaves: i64,
    pub(crate) cum: i64,
    /// When it takes its end, for GTD; `u64::MAX` for all others.
    pub(crate) expire_ns: UnixNanos,
    /// Place among orders of one price: given at arrival, and again when a replace makes the order larger or moves its price.
    pub(crate) rank: u64,
    /// Fills so far, which number the execution ids.
    pub(crate) fills: u32,
}

impl Order {
    /// The order of an accepted record; `None` where the record is damaged and holds no order.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let body: &OrderNew = event.body();
        let tif = TimeInForce::from_code(body.tif)?;
        Some(Self {
            id: body.view.order_id,
            instrument: body.instrument,
            side: Side::from_code(body.side)?,
            ord_type: OrderType::from_code(body.ord_type)?,
            tif,
            px: body.px,
            stop_px: body.stop_px,
            leaves: body.qty,
            cum: 0,
            expire_ns: if tif == TimeInForce::Gtd {
                body.expire_ns
            } else {
                UnixNanos::MAX
            },
            rank: 0,
            fills: 0,
        })
    }

    /// True while it waits for its stop price.
    pub(crate) fn is_stop(&self) -> bool {
        matches!(self.ord_type, OrderType::Stop | OrderType::StopLimit)
    }

    /// True where what does not fill at once is cancelled.
    pub(crate) fn never_rests(&self) -> bool {
        self.ord_type == OrderType::Market || matches!(self.tif, TimeInForce::Ioc | TimeInForce::Fok)
    }

    /// True where it would trade at `touch`, the best price of the other side.
    pub(crate) fn takes(&self, touch: i64) -> bool {
        match self.ord_type {
            OrderType::Market => true,
            _ if self.side.is_buy() => touch <= self.px,
            _ => touch >= self.px,
        }
    }

    /// True where a last trade at `px` sets the stop off.
    pub(crate) fn is_triggered_by(&self, px: i64) -> bool {
        if self.side.is_buy() {
            px >= self.stop_px
        } else {
            px <= self.stop_px
        }
    }
}
