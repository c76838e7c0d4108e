//! Replaces: the new order is asked about with the old one left out, and what it needs more is held until the venue answers.

use super::ask::{SAID_BY_LIMITS, recorded_parts};
use super::book::Book;
use super::findings::Findings;
use crate::checks;
use crate::limits::{Action, Ask, Old, Priced};
use crate::orders::keys::Use;
use crate::orders::table::OrderRow;
use crate::repeats::STAMPS;
use crate::rules::Requested;
use bytemuck::Zeroable;
use tradewind_domain::codes::{OrderState, OrderType};
use tradewind_domain::event::{Event, OrderReplace, OrderView, Verdict};
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::ids::{OrderId, OrderSlot, SessionId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::time::UnixNanos;

impl Book {
    /// Decides a replace: the new order with the old one left out. State stays as it is.
    pub(super) fn decide_replace(&self, event: &mut Event, findings: &mut Findings) {
        findings.clear();
        let now_ns = event.head.recv_ns;
        let request: OrderReplace = *event.body();
        let mut view = OrderView {
            slot: OrderSlot::NONE,
            ..OrderView::zeroed()
        };
        let found = self.find_order(request.session, &request.orig_cl_ord_id, request.order_id);
        let Some((slot, old)) = found else {
            return self.refuse_replace(event, view, RejectCode::UnknownOrder);
        };
        {
            let body: &mut OrderReplace = event.body_mut();
            (body.leaf, body.account, body.instrument) = (old.leaf, old.account, old.instrument);
            (body.currency, body.calendar) = (old.currency, old.calendar);
        }
        let state = old.order_state();
        (view.order_id, view.slot, view.holding, view.wallet) = (old.order_id, slot, old.holding, old.wallet);
        (view.state_before, view.state_after) = (old.state, old.state);
        (view.leaves, view.cum) = (old.leaves, old.cum);
        view.trade_day = self.calendars.date(old.calendar);
        if !state.is_open() {
            return self.refuse_replace(event, view, RejectCode::TooLateToCancel);
        }
        // An unknown order may have a replace on its way: with a second one it would have to hold for three. One that is held is not
        // at the venue yet.
        let waits = [
            OrderState::PendingCancel,
            OrderState::PendingReplace,
            OrderState::Held,
        ]
        .contains(&state);
        if waits || old.has_replace() {
            return self.refuse_replace(event, view, RejectCode::PendingCancelReplace);
        }
        event.head.notes |= self.replace_notes(&request, &old, now_ns);
        let requested = Requested::of_replace(&request, &old);
        self.rules
            .judge_replace(event, &self.market, &self.calendars, &requested);
        let notes = event.head.notes;
        if request.qty > 0 && request.qty <= old.cum {
            return self.refuse_replace(event, view, RejectCode::ReplaceQtyNotAboveCum);
        }
        findings.refuse_notes(notes & !SAID_BY_LIMITS);
        let key = self
            .hasher
            .key(u64::from(request.session.0), request.cl_ord_id.padded());
        view.burns_key = u8::from(
            self.check_key(self.cl_ord_ids.find(key), view.trade_day, findings)
                && !request.cl_ord_id.is_empty(),
        );
        let chain = self
            .hierarchy
            .chain_from(old.leaf, old.node_instrument, old.instrument);
        let ask = Ask {
            wallet: old.wallet,
            instrument: old.instrument,
            session: old.session,
            action: Action::Replace,
            side: old.order_side(),
            ord_type: old.order_type(),
            qty: request.qty,
            leaves: request.qty.saturating_sub(old.cum),
            px: request.px,
            stop_px: request.stop_px,
            stop_loss_px: old.stop_loss_px,
            now_ns,
            origin_ns: event.head.origin_ns,
            repeats: [0; STAMPS],
            replaces: true,
            old: Old::of(&old),
        };
        let mut priced = Priced::default();
        self.check_order(&ask, &chain, notes, &mut priced, findings);
        let mut verdict = findings.write(event);
        let rejected = event.is_rejected();
        if !rejected {
            (view.risk_px, view.unit) = (priced.risk_px, priced.unit);
            view.value = Notional::from_raw((priced.value - old.reserved_value().raw()).max(0));
            view.cash = Money::from_raw((priced.cash - old.reserved_cash().raw()).max(0));
            if priced.cash > old.reserved_cash().raw() {
                view.fee = Money::from_raw(priced.fee - self.need_of_old(&old).fee);
            }
            view.state_after = OrderState::PendingReplace as u8;
            priced.record_parts(event, &mut verdict);
        }
        let body: &mut OrderReplace = event.body_mut();
        (body.view, body.verdict) = (view, verdict);
        if !rejected {
            (body.new_cash, body.new_fee) = (Money::from_raw(priced.cash), Money::from_raw(priced.fee));
        }
    }

    /// What validate would have noted, had it known the instrument.
    fn replace_notes(&self, request: &OrderReplace, old: &OrderRow, now_ns: UnixNanos) -> u64 {
        let Some(instrument) = checks::known(&self.market, old.instrument) else {
            return Note::UnknownSymbol.bit();
        };
        let ord_type = old.order_type();
        let mut notes = checks::qty_notes(Some(instrument), request.qty)
            | checks::price_notes(instrument, ord_type, request.px, request.stop_px)
            | checks::session_notes(instrument, &self.market, &self.calendars, now_ns);
        if matches!(ord_type, OrderType::Limit | OrderType::StopLimit) {
            notes |= checks::collar_notes(instrument, &self.market, request.px, now_ns);
        }
        if request.cl_ord_id.is_empty() {
            notes |= Note::Malformed.bit();
        }
        notes
    }

    fn refuse_replace(&self, event: &mut Event, view: OrderView, code: RejectCode) {
        event.reject(code);
        let body: &mut OrderReplace = event.body_mut();
        (body.view, body.verdict) = (view, Verdict::default());
    }

    /// Makes a replace's facts true: what it holds on top is reserved until the venue answers.
    pub(super) fn apply_replace(&mut self, event: &Event) {
        let request: &OrderReplace = event.body();
        let view = &request.view;
        if view.burns_key != 0 {
            let scope = u64::from(request.session.0);
            self.burn_key(Use {
                key: self.hasher.key(scope, request.cl_ord_id.padded()),
                value: view.order_id.0,
                day: view.trade_day,
                is_new: false,
            });
            self.orders.add_key(view.slot);
        }
        if !view.slot.is_none() {
            self.charge(event, request.leaf, &request.verdict, true);
        }
        if event.is_rejected() {
            return;
        }
        let (close_qty, short_unit) = recorded_parts(event, &request.verdict, view.unit);
        let need = self.need_of(view.slot);
        let Some(row) = self.orders.get_mut(view.slot) else {
            self.faults += 1;
            return;
        };
        let qty_before = row.reserved_qty();
        row.resting_state = row.state;
        row.state = view.state_after;
        row.extra_value = Notional::from_raw(row.extra_value.raw() + view.value.raw());
        row.extra_cash = Money::from_raw(row.extra_cash.raw() + view.cash.raw());
        (row.new_qty, row.new_px, row.new_stop_px) = (request.qty, request.px, request.stop_px);
        (row.new_risk_px, row.new_unit) = (view.risk_px, view.unit);
        (row.new_close_qty, row.new_short_unit) = (close_qty, short_unit);
        row.pending_close = row.close_qty;
        row.was_replaced = 1;
        (row.new_cash, row.pending_cum) = (request.new_cash, row.cum);
        row.new_cl_ord_id = request.cl_ord_id;
        let row = *row;
        self.rest_anew(view.slot);
        self.note_need(view.slot, row.wallet, need);
        if let Some(wallet) = self.wallets.row_mut(row.wallet) {
            wallet.reserved = Money::from_raw(wallet.reserved.raw() + view.cash.raw());
        }
        self.reserve(
            row.leaf,
            row.node_instrument,
            row.order_side(),
            row.reserved_qty() - qty_before,
            view.value.raw(),
            0,
        );
        self.mark_warnings(event, request.verdict.hits, row.node_instrument);
    }

    /// The order that a request names: by the session's ClOrdID, or by its id.
    pub(super) fn find_order(
        &self,
        session: SessionId,
        cl_ord_id: &tradewind_domain::text::ClOrdId,
        order_id: OrderId,
    ) -> Option<(OrderSlot, OrderRow)> {
        if cl_ord_id.is_empty() {
            return self.orders.find(order_id).map(|(slot, row)| (slot, *row));
        }
        let key = self.hasher.key(u64::from(session.0), cl_ord_id.padded());
        let found = self.cl_ord_ids.find(key)?;
        let (slot, row) = self.orders.find(OrderId(found.value))?;
        // The identifier of an order that closed on an earlier day is free again, but it still names that order until another takes
        // it. What is older than the day before is forgotten, swept away already or not.
        let names = row.order_state().is_open() || found.is_recent();
        names.then_some((slot, *row))
    }
}
