//! New orders, replaces and probes: priced, looked at by every limit on the chain, and reserved.

use super::book::Book;
use super::findings::{Findings, hits};
use super::look_ahead::Hint;
use crate::checks;
use crate::hierarchy::{Chain, Flow, PairRow};
use crate::limits::{self, LimitRow, Measure, Question, WarnEdge};
use crate::orders::keys::Key;
use crate::orders::table::OrderRow;
use bytemuck::Zeroable;
use tradewind_domain::codes::{AccountKind, ControlState, LimitAction, OrderState, OrderType, Side};
use tradewind_domain::event::{Event, HitKind, LimitHit, OrderNew, OrderReplace, OrderView, Verdict};
use tradewind_domain::fixed::{Money, Notional, Price, Qty};
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId, OrderId, OrderSlot, SessionId, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::rounding::{self, Rounding, div_round};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// The largest value of one order or execution, 10^13 units of base currency at 1e-16: far above every real one, and small
/// enough that sums over a billion of them fit 128 bits.
pub(super) const VALUE_MAX: i128 = 100_000_000_000_000_000_000_000_000_000;

static NO_FLOW: Flow = Flow::ZERO;

/// An order as the limits are asked about it: a new one, or what a replace would make of an old one.
pub(super) struct Ask {
    pub(super) wallet: WalletId,
    pub(super) instrument: InstrumentId,
    pub(super) session: SessionId,
    pub(super) is_buy: bool,
    pub(super) ord_type: OrderType,
    pub(super) qty: i64,
    pub(super) leaves: i64,
    pub(super) px: i64,
    pub(super) stop_px: i64,
    pub(super) now_ns: UnixNanos,
    /// The order that a replace takes the place of.
    pub(super) old: Option<OrderRow>,
}

/// What an order is worth, frozen at acceptance.
#[derive(Clone, Copy, Default)]
pub(super) struct Priced {
    pub(super) risk_px: i64,
    pub(super) unit: i64,
    pub(super) value: i128,
    pub(super) order_value: i128,
    pub(super) cash: i128,
    pub(super) fee: i128,
}

/// What deciding found out that applying needs again.
#[derive(Clone, Copy)]
pub(super) struct PlaceHint {
    pub(super) key: Key,
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
        let day = self.calendars.date(order.calendar);
        let mut view = OrderView {
            trade_day: day,
            order_id: OrderId::NONE,
            slot: OrderSlot::NONE,
            ..OrderView::zeroed()
        };
        view.holding = tradewind_domain::ids::HoldingId::NONE;
        view.wallet = WalletId::NONE;
        if notes & Note::UnknownAccount.bit() != 0 {
            findings.refuse(RejectCode::UnknownAccount);
        } else {
            findings.refuse_notes(notes);
            view.burns_key = u8::from(self.check_key(key, day, findings) && !order.cl_ord_id.is_empty());
            let wallet = self.wallets.find(order.account, order.currency);
            let ask = Ask {
                wallet,
                instrument: order.instrument,
                session: order.session,
                is_buy: Side::from_code(order.side).is_some_and(Side::is_buy),
                ord_type: OrderType::from_code(order.ord_type).unwrap_or(OrderType::Limit),
                qty: order.qty,
                leaves: order.qty,
                px: order.px,
                stop_px: order.stop_px,
                now_ns,
                old: None,
            };
            if let Some(priced) = self.check_order(&ask, &chain, notes, findings) {
                view.risk_px = priced.risk_px;
                view.unit = priced.unit;
                view.value = Notional::from_raw(priced.value);
                view.cash = Money::from_raw(priced.cash);
                view.fee = Money::from_raw(priced.fee);
            }
            self.check_room(wallet, &chain, &mut view, findings);
        }
        let qty = order.qty;
        let verdict = findings.write(event);
        view.state_before = OrderState::None as u8;
        if event.is_rejected() {
            view = refused(view);
        } else {
            view.order_id = OrderId::new(self.settings.shard as u16, self.order_counter + 1);
            view.slot = self.orders.next_slot();
            view.state_after = OrderState::PendingNew as u8;
            view.leaves = qty;
        }
        let body: &mut OrderNew = event.body_mut();
        (body.view, body.verdict) = (view, verdict);
        PlaceHint { key, chain }
    }

    /// Refuses an identifier that was used; says whether this one counts as used from now on.
    fn check_key(&self, key: Key, day: DayNumber, findings: &mut Findings) -> bool {
        if let Some(found) = self.cl_ord_ids.find(key)
            && (found.day == day || self.orders.is_open(OrderId(found.value)))
        {
            findings.refuse(RejectCode::DuplicateClOrdId);
            return false;
        }
        if self.cl_ord_ids.is_full(day, self.orders.open_count()) {
            findings.refuse(RejectCode::Capacity);
            return false;
        }
        true
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
            (Some(holding), Some(wallet)) if !self.orders.is_full() => {
                (view.holding, view.wallet) = (holding, wallet);
            }
            _ => findings.refuse(RejectCode::Capacity),
        }
    }

    /// States, rates and limits on an order; the price that it would be frozen at.
    pub(super) fn check_order(
        &self,
        ask: &Ask,
        chain: &Chain,
        notes: u64,
        findings: &mut Findings,
    ) -> Option<Priced> {
        let state = self.control_state(chain, ask.instrument, ask.session);
        if Self::is_halted(state) {
            findings.refuse(RejectCode::TradingHalted);
        } else if state == ControlState::ReduceOnly as u8 && !self.reduces(ask, chain) {
            findings.refuse(RejectCode::ReduceOnly);
        }
        let instrument = checks::known(&self.market, ask.instrument);
        self.ask_limits(
            ask,
            chain,
            instrument.unwrap_or(&Instrument::zeroed()),
            &Priced::default(),
            findings,
            true,
        );
        // Values that are no numbers have no price either; what can be said without one has been said.
        let unusable = Note::InvalidQty.bit()
            | Note::InvalidSide.bit()
            | Note::InvalidOrderType.bit()
            | Note::InvalidPrecision.bit()
            | Note::InvalidPrice.bit()
            | Note::InvalidStopPrice.bit();
        let instrument = instrument.filter(|_| notes & unusable == 0)?;
        match self.price(ask, chain, instrument) {
            Ok(priced) => {
                self.ask_limits(ask, chain, instrument, &priced, findings, false);
                Some(priced)
            }
            Err(code) => {
                findings.refuse(code);
                None
            }
        }
    }

    /// True where the order only reduces the account's position, its own open orders counted (LIMITS section 7).
    fn reduces(&self, ask: &Ask, chain: &Chain) -> bool {
        let Some(pair) = self.hierarchy.account_pair(chain) else {
            return false;
        };
        let old = ask.old.map_or(0, |row| i128::from(row.reserved_qty()));
        let (position, leaves) = (pair.flow.position, i128::from(ask.leaves));
        if ask.is_buy {
            position < 0 && pair.flow.buy_qty - old + leaves <= -position
        } else {
            position > 0 && pair.flow.sell_qty - old + leaves <= position
        }
    }

    /// Risk price, value and cash of an order (LIMITS section 1).
    fn price(&self, ask: &Ask, chain: &Chain, instrument: &Instrument) -> Result<Priced, RejectCode> {
        let rate = self
            .market
            .rate(instrument.currency)
            .ok_or(RejectCode::NoReferencePrice)?;
        let risk_px = self.risk_price(ask)?;
        let unit = rounding::unit_value(instrument, risk_px, rate).ok_or(RejectCode::Overflow)?;
        let value = i128::from(ask.leaves) * i128::from(unit);
        let order_value = i128::from(ask.qty) * i128::from(unit);
        if order_value.abs() > VALUE_MAX {
            return Err(RejectCode::Overflow);
        }
        let mut priced = Priced {
            risk_px: risk_px.raw(),
            unit,
            value,
            order_value,
            cash: 0,
            fee: 0,
        };
        if ask.is_buy && instrument.moves_principal() {
            let principal =
                rounding::principal(instrument, Qty::from_raw(ask.leaves), risk_px, Rounding::Ceiling)
                    .ok_or(RejectCode::Overflow)?
                    .raw()
                    .max(0);
            priced.fee = self
                .fee_estimate(chain, principal, instrument)
                .ok_or(RejectCode::Overflow)?;
            priced.cash = principal.checked_add(priced.fee).ok_or(RejectCode::Overflow)?;
            if !Money::from_raw(priced.cash).is_postable() {
                return Err(RejectCode::Overflow);
            }
        }
        Ok(priced)
    }

    /// The estimated fee that is reserved with the principal: rate of the account's buying power limit, ceiled.
    fn fee_estimate(&self, chain: &Chain, principal: i128, instrument: &Instrument) -> Option<i128> {
        let limit = chain.levels().find_map(|(node, _)| {
            let row = self.hierarchy.node(node)?;
            self.limits.get(row.buying_power)
        });
        let Some(limit) = limit else { return Some(0) };
        let bps = i128::from(limit.params[limits::cash::FEE_BPS]);
        rounding::to_money(
            principal.checked_mul(bps)?,
            12,
            instrument.money_dp,
            Rounding::Ceiling,
        )
        .map(Money::raw)
    }

    fn risk_price(&self, ask: &Ask) -> Result<Price, RejectCode> {
        let reference = self
            .market
            .reference(ask.instrument, ask.now_ns, self.settings.ref_max_age_ms);
        let slipped = |px: i64| {
            let slipped = i128::from(px) * (10_000 + i128::from(self.settings.market_slip_bps));
            let raw = div_round(slipped, 10_000, Rounding::Ceiling).and_then(|raw| i64::try_from(raw).ok());
            raw.map(Price::from_raw).ok_or(RejectCode::Overflow)
        };
        let above = |px: i64| reference.map_or(px, |reference| reference.raw().max(px));
        match (ask.ord_type, ask.is_buy) {
            (OrderType::Limit | OrderType::StopLimit, true) => Ok(Price::from_raw(ask.px)),
            (OrderType::Limit | OrderType::StopLimit, false) => Ok(Price::from_raw(above(ask.px))),
            (OrderType::Market, true) => slipped(reference.ok_or(RejectCode::NoReferencePrice)?.raw()),
            (OrderType::Market, false) => reference.ok_or(RejectCode::NoReferencePrice),
            (OrderType::Stop, true) => slipped(above(ask.stop_px)),
            (OrderType::Stop, false) => Ok(Price::from_raw(above(ask.stop_px))),
        }
    }

    /// Asks the limits of every node on the chain: those that count messages, or those that look at the order.
    fn ask_limits(
        &self,
        ask: &Ask,
        chain: &Chain,
        instrument: &Instrument,
        priced: &Priced,
        findings: &mut Findings,
        rates: bool,
    ) {
        let wallet = if rates { None } else { self.wallets.row(ask.wallet) };
        let mut question = Question {
            is_buy: ask.is_buy,
            new_orders: u32::from(ask.old.is_none()),
            qty: ask.qty,
            leaves: ask.leaves,
            order_value: priced.order_value,
            value: priced.value,
            cash: priced.cash,
            old_qty: ask.old.as_ref().map_or(0, OrderRow::reserved_qty),
            old_value: ask.old.as_ref().map_or(0, |row| row.reserved_value().raw()),
            old_cash: ask.old.as_ref().map_or(0, |row| row.reserved_cash().raw()),
            flow: &NO_FLOW,
            pair: &NO_FLOW,
            instrument,
            settled: wallet.map_or(0, |row| row.settled.raw()),
            reserved: wallet.map_or(0, |row| row.reserved.raw()),
            is_cash_account: false,
            date: 0,
            now_ns: ask.now_ns,
        };
        for (node_id, pair) in chain.levels() {
            let Some(node) = self.hierarchy.node(node_id) else {
                continue;
            };
            let first = if rates { node.rates } else { node.limits };
            if first.is_none() {
                continue;
            }
            let pair_row = self.hierarchy.pair(pair);
            question.pair = pair_row.map_or(&NO_FLOW, |row| &row.flow);
            question.is_cash_account = node.account_kind == AccountKind::Cash as u8;
            question.date = self.calendars.date(node.calendar);
            for (id, row) in self.limits.list(first) {
                question.flow = if row.instrument.is_none() {
                    &node.flow
                } else {
                    question.pair
                };
                if !row.instrument.is_none() && row.instrument != ask.instrument {
                    continue;
                }
                if let Some(measure) = (row.spec().measure)(row, &question) {
                    let at = Place {
                        date: question.date,
                        pair: pair_row,
                        level: node.level,
                        node: node_id,
                    };
                    judge(id, row, measure, &at, findings);
                }
            }
        }
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
            let orders = &self.orders;
            let value = order.view.order_id.0;
            self.cl_ord_ids
                .insert(key, value, order.view.trade_day, |id| orders.is_open(OrderId(id)));
        }
        self.charge(event, order.leaf, &order.verdict, true);
        if event.is_rejected() {
            return;
        }
        let is_buy = Side::from_code(order.side).is_some_and(Side::is_buy);
        let view = &order.view;
        let pair = match hint
            .map(|hint| hint.chain)
            .filter(|chain| chain.missing_pairs() == 0)
        {
            Some(chain) => chain.leaf_pair(),
            None => self.make_pairs(order.leaf, order.instrument, view.holding),
        };
        self.wallets.make(view.wallet, order.account, order.currency);
        if let Some(wallet) = self.wallets.row_mut(view.wallet) {
            wallet.reserved = Money::from_raw(wallet.reserved.raw() + view.cash.raw());
        }
        self.order_counter = view.order_id.counter();
        let row = OrderRow {
            order_id: view.order_id,
            qty: order.qty,
            leaves: order.qty,
            px: order.px,
            stop_px: order.stop_px,
            risk_px: view.risk_px,
            unit: view.unit,
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
            state: OrderState::PendingNew as u8,
            resting_state: OrderState::PendingNew as u8,
            cl_ord_id: order.cl_ord_id,
            ..OrderRow::zeroed()
        };
        if self.orders.insert(row) != Some(view.slot) {
            self.faults += 1;
        }
        self.reserve(order.leaf, pair, is_buy, order.qty, view.value.raw(), 1);
        self.mark_warnings(event, order.verdict.hits, pair);
    }

    /// Uses a token of every rate on the chain, but not of one that refused by itself.
    pub(super) fn charge(&mut self, event: &Event, leaf: NodeId, verdict: &Verdict, is_order: bool) {
        let now_ns = event.head.recv_ns;
        let mut node = leaf;
        while let Some(row) = self.hierarchy.node(node) {
            node = NodeId(row.parent);
            let mut at = row.rates;
            while let Some(limit) = self.limits.row_mut(at) {
                let id = at;
                at = limit.next;
                let counts =
                    is_order || limit.limit_type == tradewind_domain::codes::LimitType::MsgRate as u8;
                let refused = verdict.hits != 0
                    && hits(event, verdict.hits)
                        .any(|hit| hit.limit == id && hit.kind == HitKind::Refused as u8);
                if limit.state == 1 && counts && !refused {
                    limits::charge(limit, now_ns);
                }
            }
        }
    }

    /// Remembers that a warning was given: once a day, or once a day and instrument.
    pub(super) fn mark_warnings(&mut self, event: &Event, count: u16, leaf_pair: u32) {
        for hit in hits(event, count).filter(|hit| hit.kind == HitKind::Warned as u8) {
            let Some(row) = self.limits.row_mut(hit.limit) else {
                continue;
            };
            let Some(node) = self.hierarchy.node(row.node) else {
                continue;
            };
            let date = self.calendars.date(node.calendar);
            match row.spec().warn {
                WarnEdge::Daily => row.warned_day = date,
                WarnEdge::DailyPerPair(bit) => {
                    let owner = row.node;
                    let mut at = leaf_pair;
                    while let Some(pair) = self.hierarchy.pair_mut(at) {
                        if pair.node == owner {
                            pair.warned = if pair.warned_day == date {
                                pair.warned | bit
                            } else {
                                bit
                            };
                            pair.warned_day = date;
                        }
                        at = pair.parent;
                    }
                }
                WarnEdge::None | WarnEdge::Each => {}
            }
        }
    }

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
        if matches!(state, OrderState::PendingCancel | OrderState::PendingReplace) {
            return self.refuse_replace(event, view, RejectCode::PendingCancelReplace);
        }
        let notes = event.head.notes | self.replace_notes(&request, &old, now_ns);
        event.head.notes = notes;
        if request.qty > 0 && request.qty <= old.cum {
            return self.refuse_replace(event, view, RejectCode::ReplaceQtyNotAboveCum);
        }
        findings.refuse_notes(notes);
        let key = self
            .hasher
            .key(u64::from(request.session.0), request.cl_ord_id.padded());
        view.burns_key =
            u8::from(self.check_key(key, view.trade_day, findings) && !request.cl_ord_id.is_empty());
        let chain = self
            .hierarchy
            .chain_from(old.leaf, old.node_instrument, old.instrument);
        let ask = Ask {
            wallet: old.wallet,
            instrument: old.instrument,
            session: old.session,
            is_buy: old.order_side().is_buy(),
            ord_type: old.order_type(),
            qty: request.qty,
            leaves: request.qty.saturating_sub(old.cum),
            px: request.px,
            stop_px: request.stop_px,
            now_ns,
            old: Some(old),
        };
        let priced = self
            .check_order(&ask, &chain, notes, findings)
            .unwrap_or_default();
        let verdict = findings.write(event);
        let rejected = event.is_rejected();
        if !rejected {
            (view.risk_px, view.unit) = (priced.risk_px, priced.unit);
            view.value = Notional::from_raw((priced.value - old.reserved_value().raw()).max(0));
            view.cash = Money::from_raw((priced.cash - old.reserved_cash().raw()).max(0));
            view.state_after = OrderState::PendingReplace as u8;
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
            let key = self
                .hasher
                .key(u64::from(request.session.0), request.cl_ord_id.padded());
            let orders = &self.orders;
            self.cl_ord_ids
                .insert(key, view.order_id.0, view.trade_day, |id| {
                    orders.is_open(OrderId(id))
                });
        }
        if !view.slot.is_none() {
            self.charge(event, request.leaf, &request.verdict, true);
        }
        if event.is_rejected() {
            return;
        }
        let Some(row) = self.orders.get_mut(view.slot) else {
            self.faults += 1;
            return;
        };
        let new_leaves = request.qty - row.cum;
        // An unknown order may hold something for an earlier replace: the new one adds what it needs beyond that.
        let extra_qty = (new_leaves - row.leaves).max(row.extra_qty);
        let added_qty = extra_qty - row.extra_qty;
        row.resting_state = row.state;
        row.state = view.state_after;
        row.extra_value = Notional::from_raw(row.extra_value.raw() + view.value.raw());
        row.extra_cash = Money::from_raw(row.extra_cash.raw() + view.cash.raw());
        row.extra_qty = extra_qty;
        (row.new_qty, row.new_px, row.new_stop_px) = (request.qty, request.px, request.stop_px);
        (row.new_risk_px, row.new_unit) = (view.risk_px, view.unit);
        (row.new_cash, row.new_fee) = (request.new_cash, request.new_fee);
        row.new_cl_ord_id = request.cl_ord_id;
        let row = *row;
        if let Some(wallet) = self.wallets.row_mut(row.wallet) {
            wallet.reserved = Money::from_raw(wallet.reserved.raw() + view.cash.raw());
        }
        let is_buy = row.order_side().is_buy();
        self.reserve(
            row.leaf,
            row.node_instrument,
            is_buy,
            added_qty,
            view.value.raw(),
            0,
        );
        self.mark_warnings(event, request.verdict.hits, row.node_instrument);
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

/// Where a limit stands.
struct Place<'a> {
    date: DayNumber,
    pair: Option<&'a PairRow>,
    level: u8,
    node: NodeId,
}

/// Compares a measure with its limit and reports what has to be said.
#[inline]
fn judge(id: LimitId, row: &LimitRow, measure: Measure, at: &Place<'_>, findings: &mut Findings) {
    if measure.used > measure.limit {
        let kind = if row.action == LimitAction::Alert as u8 {
            HitKind::Alerted
        } else {
            HitKind::Refused
        };
        findings.hit(kind, hit_of(id, measure, at), measure.code, at.node);
    } else if row.soft_pct != 0 && measure.used * 100 >= measure.limit * i128::from(row.soft_pct) {
        let given = match row.spec().warn {
            WarnEdge::None => true,
            WarnEdge::Each => false,
            WarnEdge::Daily => row.warned_day == at.date,
            WarnEdge::DailyPerPair(bit) => at
                .pair
                .is_some_and(|pair| pair.warned_day == at.date && pair.warned & bit != 0),
        };
        if !given {
            findings.hit(HitKind::Warned, hit_of(id, measure, at), measure.code, at.node);
        }
    }
}

#[cold]
fn hit_of(id: LimitId, measure: Measure, at: &Place<'_>) -> LimitHit {
    LimitHit {
        used: measure.used,
        hard: measure.limit,
        limit: id,
        level: at.level,
        ..LimitHit::zeroed()
    }
}

impl Book {
    /// Compares what is booked with the limits that bind executed trades: a breach raises an alert, nothing is refused.
    pub(super) fn audit_execution(
        &self,
        leaf: NodeId,
        pair: u32,
        instrument: &Instrument,
        is_buy: bool,
        findings: &mut Findings,
    ) {
        let chain = self.hierarchy.chain_from(leaf, pair, instrument.id);
        for (node_id, pair) in chain.levels() {
            let Some(node) = self.hierarchy.node(node_id) else {
                continue;
            };
            let pair_flow = self.hierarchy.pair(pair).map_or(&NO_FLOW, |row| &row.flow);
            for (id, row) in self.limits.list(node.limits) {
                let binds = row.instrument.is_none() || row.instrument == instrument.id;
                if !row.spec().post_trade || !binds {
                    continue;
                }
                // Asked with an order of the smallest size, whose use is taken off again.
                let question = Question {
                    is_buy,
                    new_orders: 0,
                    qty: 1,
                    leaves: 1,
                    order_value: 1,
                    value: 1,
                    cash: 0,
                    old_qty: 0,
                    old_value: 0,
                    old_cash: 0,
                    flow: if row.instrument.is_none() {
                        &node.flow
                    } else {
                        pair_flow
                    },
                    pair: pair_flow,
                    instrument,
                    settled: 0,
                    reserved: 0,
                    is_cash_account: false,
                    date: self.calendars.date(node.calendar),
                    now_ns: 0,
                };
                let Some(measure) = (row.spec().measure)(row, &question) else {
                    continue;
                };
                let used = measure.used - 1;
                if used > measure.limit {
                    let hit = LimitHit {
                        used,
                        hard: measure.limit,
                        limit: id,
                        level: node.level,
                        ..LimitHit::zeroed()
                    };
                    findings.hit(HitKind::Alerted, hit, measure.code, node_id);
                }
            }
        }
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
        // The identifier of an order that closed on an earlier day is free again, swept away already or not.
        let lives = row.order_state().is_open() || found.day == self.calendars.date(row.calendar);
        lives.then_some((slot, *row))
    }
}
