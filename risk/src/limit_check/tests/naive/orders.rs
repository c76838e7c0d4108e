//! Random orders, replaces and cancels, predicted by the model before the stage sees them.

use super::super::world::{SESSION, dec, outcome};
use super::drive::Trial;
use super::firm::LEAVES;
use super::history::{Life, Message, Order};
use super::price::Ask;
use super::verdict::Answer;
use bytemuck::Zeroable;
use tradewind_domain::codes::{InstrumentKind, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{Event, Kind, OrderCancel, OrderNew, OrderReplace};
use tradewind_domain::ids::{AccountId, NodeId, OrderId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ClOrdId;

impl Trial {
    /// Any order.
    pub(in crate::limit_check::tests) fn some_probe(&mut self) -> OrderNew {
        let instrument = self.rng.below(8) as usize;
        let side = self
            .rng
            .pick(&[Side::Buy, Side::Buy, Side::Sell, Side::Sell, Side::SellShort]);
        let ord_type = self.rng.pick(&[
            OrderType::Limit,
            OrderType::Limit,
            OrderType::Limit,
            OrderType::Limit,
            OrderType::Market,
            OrderType::Stop,
            OrderType::StopLimit,
        ]);
        let tif = self.rng.pick(&[
            TimeInForce::Day,
            TimeInForce::Day,
            TimeInForce::Gtc,
            TimeInForce::Ioc,
        ]);
        let leaf = self.rng.pick(LEAVES);
        let row = self.history.instruments[instrument];
        let has_px = matches!(ord_type, OrderType::Limit | OrderType::StopLimit);
        let has_stop = matches!(ord_type, OrderType::Stop | OrderType::StopLimit);
        let known = self.names.max(1);
        let name = if self.rng.one_in(25) {
            format!("o{}", self.rng.below(known))
        } else {
            self.name('o')
        };
        OrderNew {
            cl_ord_id: ClOrdId::new(&name).unwrap(),
            qty: self.qty(instrument),
            px: if has_px { self.px(instrument) } else { 0 },
            stop_px: if has_stop { self.px(instrument) } else { 0 },
            stop_loss_px: if self.rng.one_in(3) {
                0
            } else {
                self.px(instrument)
            },
            session: SESSION,
            side: side as u8,
            ord_type: ord_type as u8,
            tif: tif as u8,
            leaf: NodeId(leaf),
            account: AccountId(self.history.nodes[leaf as usize].account.unwrap()),
            instrument: row.id,
            currency: row.currency,
            calendar: row.calendar,
            ..OrderNew::zeroed()
        }
    }

    pub(super) fn place(&mut self) {
        let body = self.some_probe();
        let (leaf, instrument) = (body.leaf.0, body.instrument.index());
        let (side, ord_type) = (
            Side::from_code(body.side).unwrap(),
            OrderType::from_code(body.ord_type).unwrap(),
        );
        let name = body.cl_ord_id.to_string();
        let origin_ns = match self.rng.below(12) {
            0 => self.history.now_ns - self.rng.below(4_000_000_000),
            1 => self.history.now_ns + self.rng.below(1_500_000_000),
            _ => 0,
        };
        let date = self.history.date(0);
        let is_duplicate = self.is_used(&name, date);
        let ask = Ask {
            leaf,
            instrument,
            side,
            ord_type,
            qty: i128::from(body.qty),
            leaves: i128::from(body.qty),
            px: body.px,
            stop_px: body.stop_px,
            stop_loss_px: body.stop_loss_px,
            origin_ns,
            old: None,
            is_new: true,
        };
        let plain = self.plain(instrument, body.qty, &[body.px, body.stop_px], is_duplicate);
        let answer = self.history.answer(&ask, &plain);
        let kind = if self.rng.one_in(6) {
            Kind::Probe
        } else {
            Kind::OrderNew
        };
        let trips = self.history.tripped_by(&answer.refused);
        let tokens = self.history.tokens(leaf, true, &answer.refused);
        let mut event = Event::empty();
        event.reset(kind);
        *event.body_mut() = body;
        event.head.origin_ns = origin_ns;
        let group = self.run(event);
        let decided: OrderNew = *group[0].body();
        self.compare(
            &group[0],
            decided.verdict.hits,
            &answer,
            &format!("{kind:?} {body:?}"),
        );
        if kind == Kind::Probe {
            return;
        }
        self.check_trips(&group, &trips, &answer);
        self.message(leaf, tokens);
        let accepted = !group[0].is_rejected();
        if accepted {
            assert_eq!(
                decided.view.state_after == OrderState::Held as u8,
                answer.held,
                "held, {}",
                self.at()
            );
            let price = answer.price.unwrap();
            assert_eq!(decided.view.value.raw(), price.value, "value, {}", self.at());
            assert_eq!(decided.view.cash.raw(), price.cash, "cash, {}", self.at());
            self.seen.held += u64::from(answer.held);
            let order = Order {
                id: decided.view.order_id.0,
                asked: body,
                price,
                accepted_ns: self.history.now_ns,
                held: answer.held,
                life: Vec::new(),
            };
            self.history.orders.push(order);
        }
        let order = accepted.then(|| self.history.orders.len() - 1);
        if !is_duplicate {
            self.history.keys.push((name, date, order));
        }
        // The order is in the history now: what its arrival released or cancelled is noted behind it.
        self.note_orders(&group[1..]);
        self.note_warnings(&answer, instrument);
    }

    pub(super) fn replace(&mut self) {
        let Some(at) = self.some_order() else { return };
        let (now, order) = (self.history.standing(at), &self.history.orders[at]);
        let (id, instrument, leaf) = (order.id, order.asked.instrument.index(), order.asked.leaf.0);
        let ord_type = order.ord_type();
        let stop_loss_px = order.asked.stop_loss_px;
        let qty = if self.rng.one_in(8) {
            now.cum as i64
        } else {
            now.cum as i64 + self.qty(instrument)
        };
        let has_px = matches!(ord_type, OrderType::Limit | OrderType::StopLimit);
        let has_stop = matches!(ord_type, OrderType::Stop | OrderType::StopLimit);
        let name = self.name('r');
        let body = OrderReplace {
            cl_ord_id: ClOrdId::new(&name).unwrap(),
            order_id: OrderId(id),
            qty,
            px: if has_px { self.px(instrument) } else { 0 },
            stop_px: if has_stop { self.px(instrument) } else { 0 },
            session: SESSION,
            ..OrderReplace::zeroed()
        };
        let waits = [
            OrderState::PendingCancel,
            OrderState::PendingReplace,
            OrderState::Held,
        ]
        .contains(&now.state);
        let early = if !now.is_open() {
            Some(RejectCode::TooLateToCancel)
        } else if waits || now.pending.is_some() {
            Some(RejectCode::PendingCancelReplace)
        } else if qty > 0 && i128::from(qty) <= now.cum {
            Some(RejectCode::ReplaceQtyNotAboveCum)
        } else {
            None
        };
        let plain = self.plain(instrument, qty, &[body.px, body.stop_px], false);
        let answer = match early {
            Some(code) => Answer {
                refused: vec![super::verdict::Said::plain(code)],
                ..Answer::default()
            },
            None => {
                let order = &self.history.orders[at];
                let ask = Ask {
                    leaf,
                    instrument,
                    side: order.side(),
                    ord_type,
                    qty: i128::from(qty),
                    leaves: i128::from(qty) - now.cum,
                    px: body.px,
                    stop_px: body.stop_px,
                    stop_loss_px,
                    origin_ns: 0,
                    old: Some((order, now)),
                    is_new: false,
                };
                self.history.answer(&ask, &plain)
            }
        };
        let trips = self.history.tripped_by(&answer.refused);
        let tokens = self.history.tokens(leaf, true, &answer.refused);
        let group = self.send(Kind::OrderReplace, &body);
        let decided: OrderReplace = *group[0].body();
        if early.is_some() {
            assert_eq!(
                outcome(&group[0]),
                answer.code(),
                "replace {body:?}, {}",
                self.at()
            );
        } else {
            self.compare(
                &group[0],
                decided.verdict.hits,
                &answer,
                &format!("replace {body:?} of {now:?}"),
            );
            self.history.keys.push((name, self.history.date(0), Some(at)));
        }
        self.check_trips(&group, &trips, &answer);
        self.message(leaf, tokens);
        if !group[0].is_rejected() {
            let step = Life::Asked {
                qty: i128::from(qty),
                px: body.px,
                price: answer.price.unwrap(),
            };
            self.history.orders[at]
                .life
                .extend([step, Life::Went(OrderState::PendingReplace)]);
        }
        self.note_orders(&group[1..]);
        self.note_warnings(&answer, instrument);
    }

    pub(super) fn cancel(&mut self) {
        let Some(at) = self.some_order() else { return };
        let (id, leaf) = (self.history.orders[at].id, self.history.orders[at].asked.leaf.0);
        let name = self.name('x');
        let body = OrderCancel {
            cl_ord_id: ClOrdId::new(&name).unwrap(),
            order_id: OrderId(id),
            session: SESSION,
            ..OrderCancel::zeroed()
        };
        let tokens = self.history.tokens(leaf, false, &[]);
        let group = self.send(Kind::OrderCancel, &body);
        self.message(leaf, tokens);
        if !group[0].is_rejected() {
            let view = group[0].body::<OrderCancel>().view;
            self.went(at, view.state_after);
        }
        self.note_orders(&group[1..]);
    }

    /// A quantity, now and then one that is no quantity of the instrument.
    pub(super) fn qty(&mut self, instrument: usize) -> i64 {
        let row = self.history.instruments[instrument];
        let lots = match InstrumentKind::from_code(row.kind).unwrap() {
            InstrumentKind::Future => self.rng.range(1, 30),
            InstrumentKind::Inverse => self.rng.range(1, 60),
            InstrumentKind::Crypto => self.rng.range(1, 90_000),
            _ => self.rng.range(1, 200),
        };
        match self.rng.below(60) {
            0 => 0,
            1 => lots * row.lot + 1,
            2..=9 => 50 * row.lot,
            _ => lots * row.lot,
        }
    }

    /// A price near the instrument's usual one, now and then off the tick.
    pub(super) fn px(&mut self, instrument: usize) -> i64 {
        let usual = ["10", "10", "9", "10", "8000", "30", "0.4", "20"][instrument];
        let width = ["2", "2", "2", "2", "900", "5", "0.3", "4"][instrument];
        let ticks = self
            .rng
            .range(-dec(width) / dec("0.01"), dec(width) / dec("0.01"));
        let rough = ticks / 20 * 20; // few prices, so that own orders meet
        dec(usual) + rough * dec("0.01") + i64::from(self.rng.one_in(80))
    }

    /// What is wrong with the values of an order by themselves.
    pub(super) fn plain(
        &self,
        instrument: usize,
        qty: i64,
        prices: &[i64],
        is_duplicate: bool,
    ) -> Vec<RejectCode> {
        let row = self.history.instruments[instrument];
        let mut codes = Vec::new();
        if qty <= 0 {
            codes.push(RejectCode::InvalidQty);
        } else if qty % row.lot != 0 {
            codes.push(RejectCode::InvalidLot);
        }
        if prices.iter().any(|px| px % row.tick != 0) {
            codes.push(RejectCode::InvalidTick);
        }
        if is_duplicate {
            codes.push(RejectCode::DuplicateClOrdId);
        }
        codes
    }

    /// L10a: seen on this trading day, or of an open order.
    pub(super) fn is_used(&self, name: &str, date: u32) -> bool {
        let last = self.history.keys.iter().rev().find(|key| key.0 == name);
        let open = |order: usize| self.history.standing(order).is_open();
        last.is_some_and(|key| key.1 == date || key.2.is_some_and(open))
    }

    /// One of the orders, mostly an open one.
    pub(super) fn some_order(&mut self) -> Option<usize> {
        let open: Vec<usize> = self.history.open().map(|(at, ..)| at).collect();
        if self.history.orders.is_empty() {
            return None;
        }
        if open.is_empty() || self.rng.one_in(10) {
            return Some(self.rng.below(self.history.orders.len() as u64) as usize);
        }
        Some(self.rng.pick(&open))
    }

    pub(super) fn message(&mut self, leaf: u32, tokens: Vec<(u32, bool)>) {
        let (at, ns) = (self.history.at, self.history.now_ns);
        self.history.messages.push(Message { at, ns, leaf, tokens });
    }
}
