//! Orders: whole rows of those that a batch sees entered, patches of the others.

use super::{Origin, opt_px};
use crate::table::table;
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId, OrderId};
use tradewind_domain::text::{ClOrdId, ExecId};
use tradewind_domain::time::UnixNanos;

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

impl Asked {
    fn limit(&self) -> Option<i128> {
        opt_px(self.px)
    }

    fn stop(&self) -> Option<i128> {
        opt_px(self.stop_px)
    }
}

/// An order with its entry, as a whole row.
pub(crate) struct NewOrder<'a>(pub(crate) &'a Order, pub(crate) &'a Entered);

table! {
    /// Accepted orders, as they stand.
    ORDERS = "orders", key [order_id, day], by day, of |row: NewOrder<'_>| {
        order_id: int8 = row.0.order.0 as i64;
        seq: int8 = row.1.origin.seq as i64;
        day: day = row.1.origin.day;
        entered: time = row.1.origin.recv_ns;
        session: int8 = i64::from(row.1.session);
        account_id: int4 = row.1.account.0 as i32;
        node_id: int4 = row.1.node.0 as i32;
        instrument_id: int4 = row.1.instrument.0 as i32;
        currency_id: int4 = i32::from(row.1.currency);
        side: int2 = i16::from(row.1.side);
        ord_type: int2 = i16::from(row.1.ord_type);
        tif: int2 = i16::from(row.1.tif);
        last_seq: int8 = row.0.last_seq as i64;
        updated: time = row.0.updated_ns;
        state: int2 = i16::from(row.0.state);
        cum: dec = row.0.cum.into();
        leaves: dec = row.0.leaves.into();
        value: wide = row.0.value;
        qty: dec = row.0.restated_qty.unwrap_or(row.0.is.map_or(0, |is| is.qty)).into();
        px: opt_dec = row.0.is.and_then(|is| is.limit());
        stop_px: opt_dec = row.0.is.and_then(|is| is.stop());
        cl_ord_id: text = row.0.is.as_ref().map_or("", |is| is.cl_ord_id.as_str());
        new_qty: opt_dec = row.0.pending.map(|asked| asked.qty.into());
        new_px: opt_dec = row.0.pending.and_then(|asked| asked.limit());
        new_stop_px: opt_dec = row.0.pending.and_then(|asked| asked.stop());
        new_cl_ord_id: opt_text = row.0.pending.as_ref().map(|asked| asked.cl_ord_id.as_str());
        venue_order_id: text = row.0.venue_order_id.as_str();
    }
}

/// An order without its entry, as what changes.
pub(crate) struct OrderPatch<'a>(pub(crate) &'a Order);

table! {
    /// Patches of orders, on their way to `orders`.
    ORDER_PATCHES = "order_patches", key [order_id], of |row: OrderPatch<'_>| {
        order_id: int8 = row.0.order.0 as i64;
        last_seq: int8 = row.0.last_seq as i64;
        updated: time = row.0.updated_ns;
        state: int2 = i16::from(row.0.state);
        cum: dec = row.0.cum.into();
        leaves: dec = row.0.leaves.into();
        value: wide = row.0.value;
        is_set: flag = row.0.is.is_some();
        qty: opt_dec = row.0.is.map(|is| is.qty.into());
        px: opt_dec = row.0.is.and_then(|is| is.limit());
        stop_px: opt_dec = row.0.is.and_then(|is| is.stop());
        cl_ord_id: opt_text = row.0.is.as_ref().map(|is| is.cl_ord_id.as_str());
        takes_pending: flag = row.0.takes_pending;
        pending_shift: dec = row.0.pending_shift.into();
        restated_qty: opt_dec = row.0.restated_qty.map(i128::from);
        sets_pending: flag = row.0.pending.is_some();
        new_qty: opt_dec = row.0.pending.map(|asked| asked.qty.into());
        new_px: opt_dec = row.0.pending.and_then(|asked| asked.limit());
        new_stop_px: opt_dec = row.0.pending.and_then(|asked| asked.stop());
        new_cl_ord_id: opt_text = row.0.pending.as_ref().map(|asked| asked.cl_ord_id.as_str());
        venue_order_id: opt_text = row.0.venue_name();
    }
}

impl Order {
    /// The venue's name, where it was said.
    fn venue_name(&self) -> Option<&str> {
        Some(self.venue_order_id.as_str()).filter(|name| !name.is_empty())
    }
}
