//! Cancels from clients and reports from venues: what they do to an order's state and reservation.
//!
//! A reservation falls on the venue's acknowledgement, never on sending a cancel and never on a timer (LIMITS section 2).

use super::book::Book;
use super::rest::Need;
use crate::limits::Action;
use crate::orders::table::OrderRow;
use bytemuck::Zeroable;
use tradewind_domain::codes::OrderState;
use tradewind_domain::event::{Event, Kind, MassCancel, OrderCancel, OrderView, VenueReport, Verdict};
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::ids::OrderSlot;
use tradewind_domain::reject::RejectCode;

/// What a report does.
enum Step {
    /// Only the state changes.
    To(OrderState),
    /// The order ends and everything it holds is released.
    Close(OrderState),
    /// A pending cancel or replace is off; what a replace held on top is released.
    Rest,
    /// The replace took place.
    Replace,
    /// One of the requests is refused, which one is not said: the order goes on holding for the replace.
    Keep,
    /// The venue has the order, and the cancel or replace that is on its way stays so.
    Acknowledge,
    /// The report does not go with the order's state.
    Ignore,
}

/// What becomes of a replace, where one is on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Replace {
    /// It may still take place: the order holds for it.
    Waits,
    /// It took place.
    Done,
    /// It will not take place.
    Off,
}

impl Book {
    /// Decides a client's cancel.
    pub(super) fn decide_cancel(&self, event: &mut Event) {
        let request: OrderCancel = *event.body();
        let mut view = OrderView {
            slot: OrderSlot::NONE,
            ..OrderView::zeroed()
        };
        let found = self.find_order(request.session, &request.orig_cl_ord_id, request.order_id);
        let code = match &found {
            None => Some(RejectCode::UnknownOrder),
            Some((_, row)) if !row.order_state().is_open() => Some(RejectCode::TooLateToCancel),
            Some((_, row))
                if matches!(
                    row.order_state(),
                    OrderState::PendingCancel | OrderState::PendingReplace
                ) =>
            {
                Some(RejectCode::PendingCancelReplace)
            }
            Some((_, row)) => {
                (!self.may(row.leaf, row.instrument, Action::Cancel)).then_some(RejectCode::NotAuthorized)
            }
        };
        if let Some((slot, row)) = &found {
            view = view_of(*slot, row);
            view.trade_day = self.calendars.date(row.calendar);
            let body: &mut OrderCancel = event.body_mut();
            (body.leaf, body.account, body.instrument) = (row.leaf, row.account, row.instrument);
            (body.currency, body.calendar) = (row.currency, row.calendar);
        }
        match (code, &found) {
            (Some(code), _) => event.reject(code),
            (None, Some((_, row))) => self.end_by_cancel(row, &mut view),
            (None, None) => {}
        }
        let body: &mut OrderCancel = event.body_mut();
        (body.view, body.verdict) = (view, Verdict::default());
    }

    /// Makes a cancel's facts true. It counts as a message whatever becomes of it.
    pub(super) fn apply_cancel(&mut self, event: &Event) {
        let request: &OrderCancel = event.body();
        if request.view.slot.is_none() {
            return;
        }
        self.charge(event, request.leaf, &request.verdict, false);
        if event.is_rejected() {
            return;
        }
        self.apply_cancelled(&request.view);
    }

    /// What a cancel does to an open order: it asks the venue. An order that is held is not there: it ends at once.
    pub(super) fn end_by_cancel(&self, row: &OrderRow, view: &mut OrderView) {
        if row.order_state() == OrderState::Held {
            view.state_after = OrderState::Cancelled as u8;
            view.leaves = 0;
            self.hold(row, Need::default(), view);
        } else {
            view.state_after = OrderState::PendingCancel as u8;
        }
    }

    /// Makes true what a cancel did.
    pub(super) fn apply_cancelled(&mut self, view: &OrderView) {
        if view.state_after == OrderState::PendingCancel as u8 {
            self.set_pending_cancel(view.slot, view.state_after);
        } else {
            self.apply_view(view, Replace::Off);
        }
    }

    /// A cancel is on its way.
    pub(super) fn set_pending_cancel(&mut self, slot: OrderSlot, state_after: u8) {
        match self.orders.get_mut(slot) {
            Some(row) => {
                // A replace that is on its way stays so: the order holds for both, and rests where it rested before.
                if row.state != OrderState::PendingReplace as u8 {
                    row.resting_state = row.state;
                }
                row.state = state_after;
                row.cancels = row.cancels.saturating_add(1);
            }
            None => self.faults += 1,
        }
    }

    /// Decides a mass cancel: the request must name what exists. The cancels themselves go out through followers.
    pub(super) fn decide_mass_cancel(&self, event: &mut Event) {
        if let Some(code) = tradewind_domain::reject::Note::first(event.head.notes) {
            return event.reject(code);
        }
        let request: &MassCancel = event.body();
        if request.session_only != 0 && !self.knows_session(request.session) {
            event.reject(RejectCode::UnknownSession);
        }
    }

    /// Decides a venue's report on an order.
    pub(super) fn decide_report(&self, event: &mut Event, kind: Kind) {
        let report: VenueReport = *event.body();
        let Some((slot, row)) = self.orders.find(report.order_id) else {
            let body: &mut VenueReport = event.body_mut();
            body.view.slot = OrderSlot::NONE;
            return event.reject(RejectCode::UnknownOrder);
        };
        let mut view = view_of(slot, row);
        view.trade_day = self.calendars.date(row.calendar);
        let step = match step(kind, row, report.status) {
            Step::Rest if row.cancels != 0 && row.has_replace() => Step::Keep,
            // A fill that crossed the request has left nothing to go on with.
            Step::To(OrderState::Working) if row.leaves == 0 => Step::Close(OrderState::Filled),
            Step::Rest if row.leaves == 0 => Step::Close(OrderState::Filled),
            step => step,
        };
        match step {
            Step::To(state) => view.state_after = state as u8,
            Step::Close(state) => {
                view.state_after = state as u8;
                view.leaves = 0;
                self.hold(row, Need::default(), &mut view);
            }
            Step::Rest => {
                view.state_after = rests_in(row) as u8;
                self.forget_replace(row, &mut view);
            }
            Step::Replace => self.replaced(row, &mut view),
            Step::Acknowledge => view.state_after = waits_in(row, row.cancels) as u8,
            Step::Keep => view.state_after = waits_in(row, row.cancels - 1) as u8,
            Step::Ignore => event.reject(RejectCode::StateMismatch),
        }
        let copy = *row;
        let body: &mut VenueReport = event.body_mut();
        (body.leaf, body.account, body.instrument) = (copy.leaf, copy.account, copy.instrument);
        (body.currency, body.calendar) = (copy.currency, copy.calendar);
        (body.session, body.side, body.cl_ord_id) = (copy.session, copy.side, copy.cl_ord_id);
        body.view = view;
    }

    /// The replaced order: the new quantity less what was filled meanwhile, at the new unit.
    fn replaced(&self, row: &OrderRow, view: &mut OrderView) {
        let leaves = row.new_leaves();
        view.state_after = match row.order_state() {
            _ if leaves == 0 => OrderState::Filled as u8,
            OrderState::PendingCancel => OrderState::PendingCancel as u8,
            _ => OrderState::Working as u8,
        };
        (view.leaves, view.unit, view.risk_px) = (leaves, row.new_unit, row.new_risk_px);
        self.hold(row, self.need_of_new(row), view);
    }

    /// The order goes on as it was: what a replace held on top is released.
    fn forget_replace(&self, row: &OrderRow, view: &mut OrderView) {
        if row.has_replace() {
            self.hold(row, self.need_of_old(row), view);
        }
    }

    /// Writes the changes that leave an order with what it needs from now on.
    pub(super) fn hold(&self, row: &OrderRow, needs: Need, view: &mut OrderView) {
        view.value = Notional::from_raw(needs.value - row.reserved_value().raw());
        view.cash = Money::from_raw(needs.cash - row.reserved_cash().raw());
        view.fee = Money::from_raw(needs.fee - self.need(row).fee);
    }

    /// Makes a report's facts true.
    pub(super) fn apply_report(&mut self, event: &Event, kind: Kind) {
        if event.is_rejected() {
            return;
        }
        let view = &event.body::<VenueReport>().view;
        let waits =
            [OrderState::PendingCancel as u8, OrderState::PendingReplace as u8].contains(&view.state_after);
        if waits && kind != Kind::VenueReplaced {
            return self.apply_waiting(view, kind);
        }
        let replace = match kind {
            Kind::VenueReplaced => Replace::Done,
            Kind::OrderUnknown => Replace::Waits,
            _ => Replace::Off,
        };
        self.apply_view(view, replace);
    }

    /// The order goes on waiting for the answer to a cancel or replace, and holds what it held.
    fn apply_waiting(&mut self, view: &OrderView, kind: Kind) {
        let Some(row) = self.orders.get_mut(view.slot) else {
            self.faults += 1;
            return;
        };
        row.state = view.state_after;
        if kind == Kind::VenueCancelReject {
            row.cancels = row.cancels.saturating_sub(1);
        } else {
            // The order rests where the venue has it now, should the pending request be refused.
            row.resting_state = OrderState::Working as u8;
        }
    }

    /// Makes a changed reservation and state true.
    pub(super) fn apply_view(&mut self, view: &OrderView, replace: Replace) {
        let Some(row) = self.order(view.slot) else {
            self.faults += 1;
            return;
        };
        let need = self.need_of(view.slot);
        self.change_order(&row, view, replace);
        self.note_need(view.slot, row.wallet, need);
    }

    fn change_order(&mut self, row: &OrderRow, view: &OrderView, replace: Replace) {
        let closes = !OrderState::from_code(view.state_after).is_some_and(OrderState::is_open);
        if let Some(wallet) = self.wallets.row_mut(row.wallet) {
            wallet.reserved = Money::from_raw(wallet.reserved.raw() + view.cash.raw());
        }
        let qty_after = if closes { 0 } else { view.leaves };
        let qty_before = row.reserved_qty();
        let (replaces, keeps_extra) = (replace == Replace::Done, replace == Replace::Waits);
        let qty_after = if keeps_extra { qty_before } else { qty_after };
        let count = if closes { -1 } else { 0 };
        self.reserve(
            row.leaf,
            row.node_instrument,
            row.order_side(),
            qty_after - qty_before,
            view.value.raw(),
            count,
        );
        if closes {
            let filled = replaces && view.state_after == OrderState::Filled as u8;
            if filled && let Some(row) = self.orders.get_mut(view.slot) {
                row.qty = row.new_qty;
            }
            return self.close_order(view.slot, view.state_after);
        }
        let Some(held) = self.orders.get_mut(view.slot) else {
            return;
        };
        held.state = view.state_after;
        if replaces {
            (held.qty, held.px, held.stop_px) = (row.new_qty, row.new_px, row.new_stop_px);
            (held.leaves, held.unit, held.risk_px) = (view.leaves, view.unit, view.risk_px);
            (held.close_qty, held.short_unit) = (row.new_close_left(), row.new_short_unit);
            held.cl_ord_id = row.new_cl_ord_id;
            held.resting_state = OrderState::Working as u8;
        }
        if !keeps_extra {
            held.cash = Money::from_raw(row.reserved_cash().raw() + view.cash.raw());
            held.drop_pending();
        }
        if row.has_replace() {
            self.rest_anew(view.slot);
        }
    }
}

/// The facts of an order that an event is about, before the event changes anything.
pub(super) fn view_of(slot: OrderSlot, row: &OrderRow) -> OrderView {
    OrderView {
        order_id: row.order_id,
        slot,
        holding: row.holding,
        wallet: row.wallet,
        state_before: row.state,
        state_after: row.state,
        leaves: row.leaves,
        cum: row.cum,
        unit: row.unit,
        risk_px: row.risk_px,
        ..OrderView::zeroed()
    }
}

/// Where an order stands that waits for the answers to its replace, if it has one, and to `cancels`.
fn waits_in(row: &OrderRow, cancels: u8) -> OrderState {
    if cancels == 0 && row.has_replace() {
        OrderState::PendingReplace
    } else {
        OrderState::PendingCancel
    }
}

/// Where an order stands once its cancel or replace is refused. One that has become unknown since, and that the venue never
/// acknowledged, is unknown still: a refused request says nothing of it.
fn rests_in(row: &OrderRow) -> OrderState {
    match OrderState::from_code(row.resting_state) {
        Some(OrderState::PendingNew) if row.order_state() == OrderState::Unknown => OrderState::Unknown,
        Some(state) => state,
        None => OrderState::Unknown,
    }
}

/// What a report does to an order in a state.
fn step(kind: Kind, row: &OrderRow, status: u8) -> Step {
    let state = row.order_state();
    // No venue has an order that is held.
    if !state.is_open() || state == OrderState::Held {
        return Step::Ignore;
    }
    match (kind, state) {
        // That the venue has the order says nothing of a replace that it may still take.
        (Kind::VenueAck, OrderState::Unknown) if row.has_replace() => Step::Acknowledge,
        (Kind::VenueAck, OrderState::PendingNew | OrderState::Unknown) => Step::To(OrderState::Working),
        (Kind::VenueAck, OrderState::PendingCancel | OrderState::PendingReplace) => Step::Acknowledge,
        // Also of an order that it has acknowledged before; what was asked of it since is void.
        (Kind::VenueReject, _) => Step::Close(OrderState::Rejected),
        (Kind::VenueCancelled, _) => Step::Close(OrderState::Cancelled),
        (Kind::VenueExpired, _) => Step::Close(OrderState::Expired),
        (Kind::VenueReplaced, OrderState::PendingReplace) => Step::Replace,
        (Kind::VenueReplaced, OrderState::PendingCancel | OrderState::Unknown) if row.has_replace() => {
            Step::Replace
        }
        (Kind::VenueCancelReject, OrderState::PendingCancel | OrderState::PendingReplace) => Step::Rest,
        (Kind::VenueCancelReject, OrderState::Unknown) if row.has_replace() => Step::Rest,
        (Kind::OrderUnknown, _) => Step::To(OrderState::Unknown),
        (Kind::VenueStatus, _) => match OrderState::from_code(status) {
            Some(OrderState::Working) if state == OrderState::Unknown && row.has_replace() => {
                Step::Acknowledge
            }
            Some(OrderState::Working) if matches!(state, OrderState::Unknown | OrderState::PendingNew) => {
                Step::To(OrderState::Working)
            }
            Some(end @ (OrderState::Cancelled | OrderState::Rejected | OrderState::Expired)) => {
                Step::Close(end)
            }
            _ => Step::Ignore,
        },
        _ => Step::Ignore,
    }
}
