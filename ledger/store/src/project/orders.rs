//! Orders: what each event makes of its order.

use crate::batch::Batch;
use crate::rows::{Asked, Entered, Order, Origin};
use tradewind_domain::codes::OrderState;
use tradewind_domain::event::{Event, Execution, Kind, OrderNew, OrderReplace, OrderView, VenueReport};
use tradewind_domain::ids::OrderId;
use tradewind_domain::text::ExecId;

/// A new order.
pub(super) fn entered(event: &Event, origin: Origin, batch: &mut Batch) {
    let body: &OrderNew = event.body();
    let view = &body.view;
    let asked = Asked {
        qty: body.qty,
        px: body.px,
        stop_px: body.stop_px,
        cl_ord_id: body.cl_ord_id,
    };
    let order = Order {
        entered: Some(Entered {
            origin,
            session: body.session.0,
            account: body.account,
            node: body.leaf,
            instrument: body.instrument,
            currency: body.currency.0,
            side: body.side,
            ord_type: body.ord_type,
            tif: body.tif,
        }),
        is: Some(asked),
        ..unchanged(event, view.order_id, view)
    };
    batch.orders.insert(view.order_id.0, order);
}

/// An order as one event leaves it, with nothing but its state.
fn unchanged(event: &Event, order: OrderId, view: &OrderView) -> Order {
    Order {
        order,
        entered: None,
        last_seq: event.head.seq,
        updated_ns: event.head.recv_ns,
        state: view.state_after,
        cum: view.cum,
        leaves: view.leaves,
        value: 0,
        is: None,
        takes_pending: false,
        restated_qty: None,
        pending: None,
        pending_shift: 0,
        venue_order_id: ExecId::EMPTY,
    }
}

/// State and quantities as the record's facts say.
pub(super) fn changed<'a>(event: &Event, view: &OrderView, batch: &'a mut Batch) -> &'a mut Order {
    let now = unchanged(event, view.order_id, view);
    let order = batch.orders.entry(view.order_id.0).or_insert(now);
    order.last_seq = now.last_seq;
    order.updated_ns = now.updated_ns;
    (order.state, order.cum, order.leaves) = (now.state, now.cum, now.leaves);
    order
}

/// A replace that the venue is asked for.
pub(super) fn asked(event: &Event, batch: &mut Batch) {
    let body: &OrderReplace = event.body();
    let order = changed(event, &body.view, batch);
    order.pending = Some(Asked {
        qty: body.qty,
        px: body.px,
        stop_px: body.stop_px,
        cl_ord_id: body.cl_ord_id,
    });
}

/// What a venue says of an order.
pub(super) fn reported(event: &Event, kind: Kind, batch: &mut Batch) {
    let body: &VenueReport = event.body();
    let order = changed(event, &body.view, batch);
    if kind == Kind::VenueReplaced {
        order.replace();
    }
    if !body.venue_order_id.is_empty() {
        order.venue_order_id = body.venue_order_id;
    }
}

/// A fill of an order.
pub(super) fn filled(event: &Event, body: &Execution, batch: &mut Batch) {
    if body.order_id.is_none() {
        return;
    }
    let order = touched(event, body.order_id, body.state_after, batch);
    (order.cum, order.leaves) = (body.cum, body.leaves);
    order.value += i128::from(body.qty) * i128::from(body.px);
}

/// The order of an event that says what state it has, and not through a view.
fn touched<'a>(event: &Event, id: OrderId, state: u8, batch: &'a mut Batch) -> &'a mut Order {
    let view = OrderView {
        order_id: id,
        state_after: state,
        ..bytemuck::Zeroable::zeroed()
    };
    let order = batch
        .orders
        .entry(id.0)
        .or_insert_with(|| unchanged(event, id, &view));
    order.last_seq = event.head.seq;
    order.updated_ns = event.head.recv_ns;
    order.state = state;
    order
}

/// What a bust or correction restates of an order. Its state stays: 0 is none, and is laid over nothing.
pub(super) struct OrderRestated {
    pub(super) id: OrderId,
    pub(super) qty: i64,
    pub(super) cum: i64,
    pub(super) leaves: i64,
    /// Change of its filled quantity.
    pub(super) delta: i64,
    /// Change of the money of its fills, at 1e-16.
    pub(super) value: i128,
}

/// A bust or correction of one of an order's fills.
pub(super) fn restated(event: &Event, new: &OrderRestated, batch: &mut Batch) {
    if new.id.is_none() || new.qty == 0 {
        return; // without an order, or the engine does not remember it any more
    }
    let known = batch.orders.get(&new.id.0).map(|order| order.state);
    let state = known.unwrap_or(OrderState::None as u8);
    let order = touched(event, new.id, state, batch);
    (order.cum, order.leaves) = (new.cum, new.leaves);
    order.value += new.value;
    order.restated_qty = Some(new.qty);
    order.shift_pending(new.delta);
}
