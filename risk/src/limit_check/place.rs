//! New orders and probes: priced, asked about at every node on the chain, and reserved.

use super::ask::{SAID_BY_LIMITS, recorded_parts};
use super::book::Book;
use super::findings::Findings;
use super::look_ahead::Hint;
use crate::hierarchy::Chain;
use crate::limits::{Action, Ask, Old, Priced};
use crate::orders::keys::{Found, Key, Use};
use crate::orders::table::OrderRow;
use crate::repeats::{Content, STAMPS};
use bytemuck::Zeroable;
use tradewind_domain::codes::{OrderState, OrderType, Side};
use tradewind_domain::event::{Event, OrderNew, OrderView};
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::ids::{OrderId, OrderSlot, WalletId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// What deciding found out that applying needs again.
#[derive(Clone, Copy)]
pub(super) struct PlaceHint {
    pub(super) key: Key,
    /// True where the key has never been used, as far as is known.
    pub(super) is_new_key: bool,
    pub(super) chain: Chain,
}

impl Book {
    /// Decides a new order and writes the facts. State stays as it is.
    pub(super) fn decide_new(&self, event: &mut Event, findings: &mut Findings) -> PlaceHint {
        findings.clear();
        let notes = event.head.notes;
        let now_ns = event.head.recv_ns;
        let order: &OrderNew = event.body();
        let scope = u64::from(order.session.0);
        let hint = Hint::of(event);
        let key = hint
            .key(scope)
            .unwrap_or_else(|| self.hasher.key(scope, order.cl_ord_id.padded()));
        let chain = match hint.pair(event) {
            Some(pair) => self.hierarchy.chain_from(order.leaf, pair, order.instrument),
            None => self.hierarchy.chain(order.leaf, order.instrument),
        };
        let day = self.identifier_day(order, notes);
        let mut view = OrderView {
            trade_day: day,
            order_id: OrderId::NONE,
            slot: OrderSlot::NONE,
            ..OrderView::zeroed()
        };
        let mut is_held = false;
        view.holding = tradewind_domain::ids::HoldingId::NONE;
        view.wallet = WalletId::NONE;
        let mut priced = Priced::default();
        let mut is_new_key = false;
        if notes & Note::UnknownAccount.bit() != 0 {
            findings.refuse(RejectCode::UnknownAccount);
        } else {
            findings.refuse_notes(notes & !SAID_BY_LIMITS);
            let used = self.cl_ord_ids.find(key);
            is_new_key = used.is_none();
            view.burns_key = u8::from(self.check_key(used, day, findings) && !order.cl_ord_id.is_empty());
            let wallet = self
                .wallets
                .find_likely(chain.wallet, order.account, order.currency);
            let ask = Ask {
                wallet,
                instrument: order.instrument,
                session: order.session,
                action: Action::Place,
                side: Side::from_code(order.side).unwrap_or(Side::Sell),
                ord_type: OrderType::from_code(order.ord_type).unwrap_or(OrderType::Limit),
                qty: order.qty,
                leaves: order.qty,
                px: order.px,
                stop_px: order.stop_px,
                stop_loss_px: order.stop_loss_px,
                now_ns,
                origin_ns: event.head.origin_ns,
                repeats: self.repeats_of(order),
                replaces: false,
                old: Old::default(),
            };
            // An order that is a part of a group closes a position of a killed node.
            let has_price = if event.head.part == 0 {
                self.check_order(&ask, &chain, notes, &mut priced, findings)
            } else {
                self.check_closing(&ask, &chain, &mut priced, findings)
            };
            if has_price {
                view.risk_px = priced.risk_px;
                view.unit = priced.unit;
                view.value = Notional::from_raw(priced.value);
                view.cash = Money::from_raw(priced.cash);
                view.fee = Money::from_raw(priced.fee);
            }
            self.check_room(wallet, &chain, &mut view, findings);
            self.check_repeats(order, now_ns, findings);
            if findings.code().is_none() {
                is_held = self.has_to_wait(&ask, &chain);
            } else {
                view.cancels_resting = u8::from(self.cancels_with_itself(findings));
            }
        }
        let qty = order.qty;
        let mut verdict = findings.write(event);
        view.state_before = OrderState::None as u8;
        if event.is_rejected() {
            view = refused(view);
        } else {
            view.order_id = OrderId::new(self.settings.shard as u16, self.order_counter + 1);
            view.slot = self.orders.next_slot();
            let state = if is_held {
                OrderState::Held
            } else {
                OrderState::PendingNew
            };
            (view.state_after, view.cancels_resting) = (state as u8, u8::from(is_held));
            view.leaves = qty;
            priced.record_parts(event, &mut verdict);
        }
        let body: &mut OrderNew = event.body_mut();
        (body.view, body.verdict) = (view, verdict);
        PlaceHint {
            key,
            is_new_key,
            chain,
        }
    }

    /// The trading day that an order's identifier belongs to: that of its instrument's market, or that of its leaf where nobody knows
    /// the instrument.
    #[inline]
    fn identifier_day(&self, order: &OrderNew, notes: u64) -> DayNumber {
        let leaf = || self.hierarchy.node(order.leaf).map(|node| node.calendar);
        let is_unknown = notes & Note::UnknownSymbol.bit() != 0;
        let calendar = is_unknown.then(leaf).flatten();
        self.calendars.date(calendar.unwrap_or(order.calendar))
    }

    /// Refuses an identifier that was used; says whether this one counts as used from now on.
    pub(super) fn check_key(&self, used: Option<Found>, day: DayNumber, findings: &mut Findings) -> bool {
        if let Some(found) = used
            && (found.was_seen_on(day) || self.orders.is_open(OrderId(found.value)))
        {
            findings.refuse(RejectCode::DuplicateClOrdId);
            return false;
        }
        if self.cl_ord_ids.is_full(day, self.orders.open_keys(), 0) {
            findings.refuse(RejectCode::Capacity);
            return false;
        }
        true
    }

    /// An identifier counts as used from now on.
    pub(super) fn burn_key(&mut self, used: Use) {
        let orders = &self.orders;
        self.cl_ord_ids
            .insert(used, orders.open_keys(), |id| orders.is_open(OrderId(id)));
    }

    /// Finds rows for an order that may be accepted.
    fn check_room(&self, wallet: WalletId, chain: &Chain, view: &mut OrderView, findings: &mut Findings) {
        if findings.code().is_some() {
            return;
        }
        let holding = self.holding_or_next(chain);
        let wallet = if wallet.is_none() {
            self.wallets.next()
        } else {
            Some(wallet)
        };
        match (holding, wallet) {
            (Some(holding), Some(wallet)) if !self.orders.is_full() && self.has_resting_room(chain) => {
                (view.holding, view.wallet) = (holding, wallet);
            }
            _ => findings.refuse(RejectCode::Capacity),
        }
    }

    /// Where a limit asks for repeats, an order that cannot be remembered is refused: its repeat would pass.
    #[inline]
    fn check_repeats(&self, order: &OrderNew, now_ns: UnixNanos, findings: &mut Findings) {
        if self.limits.repeats == 0 || findings.code().is_some() {
            return;
        }
        let window_ns = self.limits.repeats_window_ns;
        if !self.repeats.has_room(&Content::of(order), now_ns, window_ns) {
            findings.refuse(RejectCode::Capacity);
        }
    }

    /// When equal orders were accepted, where a limit asks.
    #[inline]
    fn repeats_of(&self, order: &OrderNew) -> [UnixNanos; STAMPS] {
        if self.limits.repeats == 0 {
            return [0; STAMPS];
        }
        self.repeats.stamps(&Content::of(order))
    }

    /// Makes an order's facts true.
    pub(super) fn apply_new(&mut self, event: &Event, hint: Option<PlaceHint>) {
        let order: &OrderNew = event.body();
        let key = hint.map_or_else(
            || {
                self.hasher
                    .key(u64::from(order.session.0), order.cl_ord_id.padded())
            },
            |hint| hint.key,
        );
        if order.view.burns_key != 0 {
            self.burn_key(Use {
                key,
                value: order.view.order_id.0,
                day: order.view.trade_day,
                is_new: hint.is_some_and(|hint| hint.is_new_key),
            });
        }
        if event.is_rejected() {
            return self.charge(event, order.leaf, &order.verdict, true);
        }
        let side = Side::from_code(order.side).unwrap_or(Side::Sell);
        let view = &order.view;
        let (is_buy, qty, value) = (side.is_buy(), order.qty, view.value.raw());
        self.charge_and(event, order.leaf, &order.verdict, true, |flow| {
            flow.reserve(is_buy, qty, value, 1);
        });
        if self.limits.repeats != 0 {
            let window_ns = self.limits.repeats_window_ns;
            self.repeats
                .put(&Content::of(order), event.head.recv_ns, window_ns);
        }
        let pair = match hint
            .map(|hint| hint.chain)
            .filter(|chain| chain.missing_pairs() == 0)
        {
            Some(chain) => chain.leaf_pair(),
            None => self.make_pairs(order.leaf, order.instrument, view.holding),
        };
        self.wallets.make(view.wallet, order.account, order.currency);
        if hint.is_none_or(|hint| hint.chain.wallet != view.wallet) {
            self.hierarchy.set_wallet(pair, view.wallet);
        }
        if let Some(wallet) = self.wallets.row_mut(view.wallet) {
            wallet.reserved = Money::from_raw(wallet.reserved.raw() + view.cash.raw());
        }
        self.order_counter = view.order_id.counter();
        let (close_qty, short_unit) = recorded_parts(event, &order.verdict, view.unit);
        let row = OrderRow {
            order_id: view.order_id,
            qty: order.qty,
            leaves: order.qty,
            px: order.px,
            stop_px: order.stop_px,
            stop_loss_px: order.stop_loss_px,
            risk_px: view.risk_px,
            unit: view.unit,
            short_unit,
            close_qty,
            cash: view.cash,
            expire_ns: order.expire_ns,
            leaf: order.leaf,
            account: order.account,
            instrument: order.instrument,
            node_instrument: pair,
            holding: view.holding,
            wallet: view.wallet,
            session: order.session,
            trade_day: view.trade_day,
            currency: order.currency,
            calendar: order.calendar,
            side: order.side,
            ord_type: order.ord_type,
            tif: order.tif,
            state: view.state_after,
            resting_state: OrderState::PendingNew as u8,
            keys: u32::from(view.burns_key),
            cl_ord_id: order.cl_ord_id,
            ..OrderRow::zeroed()
        };
        if self.orders.insert(&row) != Some(view.slot) {
            self.faults += 1;
        }
        self.note_need(view.slot, view.wallet, 0);
        if view.state_after == OrderState::Held as u8 {
            self.resting.hold(&mut self.orders, view.slot);
        }
        self.rest(view.slot);
        self.reserve_pairs(pair, side, qty, value, 1);
        self.mark_warnings(event, order.verdict.hits, pair);
    }
}

/// The facts of a refused order: what it would have been worth stays for the record, what it would have held does not.
fn refused(view: OrderView) -> OrderView {
    OrderView {
        value: Notional::ZERO,
        cash: Money::ZERO,
        fee: Money::ZERO,
        holding: tradewind_domain::ids::HoldingId::NONE,
        wallet: WalletId::NONE,
        state_after: OrderState::Rejected as u8,
        ..view
    }
}
