//! Random events into the stage and the model, and the comparison after each.

use super::super::world::{SESSION, World, dec, digest, outcome};
use super::firm::{self, ACCOUNTS, LEAVES, OTHER, Rng};
use super::history::{DISABLED, Exec, History, Life, Message, Order, SLOW, Worth};
use super::price::Ask;
use super::verdict::{Answer, named};
use crate::hierarchy::node_flags;
use crate::limit_check::{LimitCheck, hits};
use bytemuck::Zeroable;
use std::collections::BTreeMap;
use tradewind_domain::codes::{InstrumentKind, LimitType, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    Body, CashMove, Control, DerivedOrder, EntitlementSource, Event, Execution, FxRate, HitKind,
    InstrumentStatus, Kind, LastTrade, LimitProbe, LimitSet, Locate, Mark, OrderCancel, OrderNew,
    OrderReplace, RestrictedSet, Timer, TimerKind, TradeBust, Valuation, VenueReport,
};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{AccountId, CalendarId, InstrumentId, NodeId, OrderId, SessionId, VenueId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::{ClOrdId, Code, ExecId, Symbol};
use tradewind_machine::stage::Stage as _;

/// Findings that a record has room for; where more speak, only the first reason is compared.
const RECORDED_MAX: usize = 20;
/// Steps between comparisons of the whole state with the replica.
const DIGEST_EVERY: u64 = 100;

/// What the streams met: a comparison that never had anything to compare would prove nothing.
#[derive(Default)]
pub(super) struct Seen {
    accepted: u64,
    refused: BTreeMap<&'static str, u64>,
    warned: u64,
    alerted: u64,
    held: u64,
    trips: u64,
    breaches: u64,
    probes: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.warned += other.warned;
        self.alerted += other.alerted;
        self.held += other.held;
        self.trips += other.trips;
        self.breaches += other.breaches;
        self.probes += other.probes;
        for (code, count) in &other.refused {
            *self.refused.entry(code).or_default() += count;
        }
    }

    /// A run of some length has met everything that the model knows.
    pub(super) fn check(&self, steps: u64) {
        println!(
            "{} accepted, {} warned, {} alerted, {} held, {} states set, {} breaches, {} probes; {:?}",
            self.accepted,
            self.warned,
            self.alerted,
            self.held,
            self.trips,
            self.breaches,
            self.probes,
            self.refused
        );
        if steps >= 10_000 {
            let counts = [
                self.accepted,
                self.warned,
                self.alerted,
                self.held,
                self.trips,
                self.breaches,
                self.probes,
            ];
            assert!(
                counts.iter().all(|&count| count > 0),
                "something never happened: {counts:?}"
            );
            assert!(
                self.refused.len() >= 35,
                "reasons that were met: {:?}",
                self.refused.keys()
            );
        }
    }
}

/// One stream.
pub(in crate::limit_check::tests) struct Trial {
    world: World,
    history: History,
    rng: Rng,
    seed: u64,
    step: u64,
    names: u64,
    limits: u32,
    pub(super) seen: Seen,
}

impl Trial {
    pub(in crate::limit_check::tests) fn new(seed: u64) -> Self {
        let rng = Rng(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let (world, history) = firm::build();
        let mut trial = Self {
            world,
            history,
            rng,
            seed,
            step: 0,
            names: 0,
            limits: 0,
            seen: Seen::default(),
        };
        // One that is never removed: equal orders are remembered while such a limit is in force.
        trial.set_limit(LimitType::DupContent);
        for &limit_type in LimitType::ALL {
            trial.set_limit(limit_type);
        }
        for _ in 0..8 {
            trial.more_limits();
        }
        for instrument in 0..7 {
            trial.last(instrument);
        }
        for &account in ACCOUNTS {
            for currency in 0..3 {
                trial.pay(account, currency, Kind::Deposit, dec("6000"));
            }
        }
        for node in 0..trial.history.nodes.len() as u32 {
            trial.value(node);
        }
        trial
    }

    fn at(&self) -> String {
        format!("NAIVE_FIRST={} step {}", self.seed, self.step)
    }

    /// Sends an event at the time that the history has moved on to; gives the group of records.
    fn send<T: Body>(&mut self, kind: Kind, body: &T) -> Vec<Event> {
        let mut event = Event::empty();
        event.reset(kind);
        *event.body_mut() = *body;
        self.run(event)
    }

    fn run(&mut self, event: Event) -> Vec<Event> {
        let from = self.world.records.len();
        self.world.now_ns = self.history.now_ns;
        self.world.run(event);
        for stage in [&mut self.world.limit, &mut self.world.replica] {
            stage.book.hierarchy.drain(usize::MAX);
        }
        let group = self.world.records[from..].to_vec();
        self.history.at += 1;
        self.note_effects(&group);
        group
    }

    pub(in crate::limit_check::tests) fn step(&mut self, step: u64) {
        self.step = step;
        let pause = match self.rng.below(40) {
            0 => self.rng.below(3_600_000_000_000),
            1..=4 => self.rng.below(10_000_000_000),
            _ => self.rng.below(300_000_000),
        };
        self.history.now_ns += pause + 1;
        match self.rng.below(100) {
            0..=41 => self.place(),
            42..=48 => self.replace(),
            49..=53 => self.cancel(),
            54..=61 => self.report(&[Kind::VenueAck, Kind::VenueReplaced]),
            62..=74 => self.fill(),
            75..=77 => self.report(&[
                Kind::VenueReject,
                Kind::VenueCancelled,
                Kind::VenueCancelReject,
                Kind::VenueExpired,
                Kind::OrderUnknown,
                Kind::VenueStatus,
            ]),
            78..=79 => self.report(&[Kind::VenueCancelled]),
            80..=82 => self.trade(),
            83 => self.bust(),
            84..=87 => {
                let instrument = self.rng.below(7) as u32;
                self.last(instrument);
            }
            88 => self.market(),
            89..=90 => {
                let (account, currency) = (self.rng.pick(ACCOUNTS), self.rng.below(3) as u16);
                let kind = self.rng.pick(&[Kind::Deposit, Kind::Deposit, Kind::Withdrawal]);
                let amount = self.rng.range(1, 9_000) * ONE;
                self.pay(account, currency, kind, amount);
            }
            91..=93 => {
                let node = self.rng.below(self.history.nodes.len() as u64) as u32;
                self.value(node);
            }
            94 => self.change_limit(),
            95 => self.list(),
            96..=97 => self.control(),
            98 => self.source(),
            _ => self.roll(),
        }
        if self.rng.one_in(12) {
            self.rearm();
        }
        self.check_sums();
        self.check_states();
        self.probe();
        if step.is_multiple_of(DIGEST_EVERY) {
            self.check_replica();
        }
    }

    /// At the end of a stream.
    pub(super) fn finish(&mut self) {
        self.check_replica();
        assert_eq!(self.world.limit.faults(), 0, "{}", self.at());
    }

    fn check_replica(&self) {
        assert!(
            digest(&self.world.limit) == digest(&self.world.replica),
            "replica, {}",
            self.at()
        );
    }

    fn name(&mut self, letter: char) -> String {
        self.names += 1;
        format!("{letter}{}", self.names)
    }

    // For tests that look at the stage alone

    pub(in crate::limit_check::tests) fn records(&self) -> &[Event] {
        &self.world.records
    }

    pub(in crate::limit_check::tests) fn inputs(&self) -> &[Event] {
        &self.world.inputs
    }

    pub(in crate::limit_check::tests) fn stage(&self) -> &LimitCheck {
        &self.world.limit
    }

    pub(in crate::limit_check::tests) fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    pub(in crate::limit_check::tests) fn in_force(&self) -> Vec<LimitSet> {
        self.history.in_force()
    }

    /// The answer to a probe of an order.
    pub(in crate::limit_check::tests) fn ask(&mut self, order: &OrderNew) -> &'static str {
        outcome(&self.send(Kind::Probe, order)[0])
    }

    /// The answer of the same stage if the entitlement source were up.
    pub(in crate::limit_check::tests) fn ask_without_outage(&mut self, order: &OrderNew) -> &'static str {
        let down_since = std::mem::take(&mut self.world.limit.book.outage_ns);
        let answer = self.ask(order);
        self.world.limit.book.outage_ns = down_since;
        answer
    }

    /// A limit of a type somewhere in the firm, new.
    pub(in crate::limit_check::tests) fn some_limit(&mut self, limit_type: LimitType) -> LimitSet {
        self.limits += 1;
        firm::random_limit(&mut self.rng, self.limits - 1, limit_type)
    }

    /// Another limit like this one, for all instruments.
    pub(in crate::limit_check::tests) fn filterless(&mut self, set: &LimitSet) -> LimitSet {
        LimitSet {
            filter_instrument: InstrumentId::NONE,
            filter_kind: 0,
            filter_sector: Symbol::EMPTY,
            label: set.label,
            limit: self.some_limit(LimitType::MaxOrderQty).limit,
            ..*set
        }
    }

    /// Sets a limit; false where it is refused.
    pub(in crate::limit_check::tests) fn change(&mut self, set: &LimitSet) -> bool {
        let accepted = !self.send(Kind::LimitSet, set)[0].is_rejected();
        if accepted {
            self.history.limits.push((self.history.at, *set));
        }
        accepted
    }

    /// The entitlement source goes down or up.
    pub(in crate::limit_check::tests) fn set_source(&mut self, up: bool) {
        let body = EntitlementSource {
            up: u8::from(up),
            ..EntitlementSource::zeroed()
        };
        self.send(Kind::EntitlementSource, &body);
        self.history.sources.push((self.history.now_ns, up));
    }

    // Orders

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

    fn place(&mut self) {
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

    fn replace(&mut self) {
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

    fn cancel(&mut self) {
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
    fn qty(&mut self, instrument: usize) -> i64 {
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
    fn px(&mut self, instrument: usize) -> i64 {
        let usual = ["10", "10", "9", "10", "8000", "30", "0.4", "20"][instrument];
        let width = ["2", "2", "2", "2", "900", "5", "0.3", "4"][instrument];
        let ticks = self
            .rng
            .range(-dec(width) / dec("0.01"), dec(width) / dec("0.01"));
        let rough = ticks / 20 * 20; // few prices, so that own orders meet
        dec(usual) + rough * dec("0.01") + i64::from(self.rng.one_in(80))
    }

    /// What is wrong with the values of an order by themselves.
    fn plain(&self, instrument: usize, qty: i64, prices: &[i64], is_duplicate: bool) -> Vec<RejectCode> {
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
    fn is_used(&self, name: &str, date: u32) -> bool {
        let last = self.history.keys.iter().rev().find(|key| key.0 == name);
        let open = |order: usize| self.history.standing(order).is_open();
        last.is_some_and(|key| key.1 == date || key.2.is_some_and(open))
    }

    /// One of the orders, mostly an open one.
    fn some_order(&mut self) -> Option<usize> {
        let open: Vec<usize> = self.history.open().map(|(at, ..)| at).collect();
        if self.history.orders.is_empty() {
            return None;
        }
        if open.is_empty() || self.rng.one_in(10) {
            return Some(self.rng.below(self.history.orders.len() as u64) as usize);
        }
        Some(self.rng.pick(&open))
    }

    fn message(&mut self, leaf: u32, tokens: Vec<(u32, bool)>) {
        let (at, ns) = (self.history.at, self.history.now_ns);
        self.history.messages.push(Message { at, ns, leaf, tokens });
    }

    // Reports, executions

    fn report(&mut self, kinds: &[Kind]) {
        let Some(at) = self.some_order() else { return };
        let kind = self.rng.pick(kinds);
        let kind = match (kind, self.history.standing(at).pending.is_some()) {
            (Kind::VenueAck, true) => Kind::VenueReplaced,
            (kind, _) => kind,
        };
        let body = VenueReport {
            order_id: OrderId(self.history.orders[at].id),
            status: self.rng.below(10) as u8,
            ..VenueReport::zeroed()
        };
        let group = self.send(kind, &body);
        if !group[0].is_rejected() {
            let state = group[0].body::<VenueReport>().view.state_after;
            let back = [OrderState::Working as u8, OrderState::PendingNew as u8].contains(&state)
                || kind == Kind::VenueCancelReject && state == OrderState::Unknown as u8;
            if kind == Kind::VenueReplaced {
                self.history.orders[at].life.push(Life::Replaced);
            } else if back && self.history.standing(at).pending.is_some() {
                self.history.orders[at].life.push(Life::ReplaceOff);
            }
            self.went(at, state);
        }
        self.note_orders(&group[1..]);
    }

    fn went(&mut self, order: usize, state: u8) {
        let state = OrderState::from_code(state).unwrap();
        self.history.orders[order].life.push(Life::Went(state));
    }

    fn fill(&mut self) {
        let Some(at) = self.some_order() else { return };
        let (order, now) = (&self.history.orders[at], self.history.standing(at));
        let (id, leaf, side) = (order.id, order.asked.leaf.0, order.side());
        let instrument = order.asked.instrument.index();
        let lot = self.history.instruments[instrument].lot;
        let whole = (now.leaves as i64).max(lot);
        let qty = match self.rng.below(8) {
            0 => whole + lot * self.rng.range(1, 20),
            1..=3 => whole,
            _ => (self.rng.range(1, 100) * whole / 100 / lot * lot).max(lot),
        };
        let (name, px) = (self.name('e'), self.px(instrument));
        let body = Execution {
            exec_id: ExecId::new(&name).unwrap(),
            order_id: OrderId(id),
            qty,
            px,
            ..Execution::zeroed()
        };
        self.execute(Kind::VenueFill, &body, (leaf, instrument, side, Some(at)), name);
    }

    fn trade(&mut self) {
        let (leaf, instrument) = (self.rng.pick(LEAVES), self.rng.below(8) as usize);
        let row = self.history.instruments[instrument];
        let side = self.rng.pick(&[Side::Buy, Side::Sell]);
        let (name, qty) = (self.name('t'), self.rng.range(1, 30) * row.lot);
        let px = self.px(instrument) / row.tick * row.tick;
        let body = Execution {
            exec_id: ExecId::new(&name).unwrap(),
            qty,
            px,
            side: side as u8,
            leaf: NodeId(leaf),
            account: AccountId(self.history.nodes[leaf as usize].account.unwrap()),
            instrument: row.id,
            currency: row.currency,
            calendar: row.calendar,
            ..Execution::zeroed()
        };
        self.execute(Kind::TradeCapture, &body, (leaf, instrument, side, None), name);
    }

    fn execute(
        &mut self,
        kind: Kind,
        body: &Execution,
        (leaf, instrument, side, order): (u32, usize, Side, Option<usize>),
        name: String,
    ) {
        let (qty, px) = (i128::from(body.qty), i128::from(body.px));
        let value = self.history.execution_value(leaf, instrument, side, qty, px);
        let stood: Vec<u32> = self
            .history
            .chain(leaf)
            .into_iter()
            .flat_map(|node| self.history.standing_trips(node))
            .collect();
        let group = self.send(kind, body);
        assert_eq!(outcome(&group[0]), "OK", "{body:?}, {}", self.at());
        let decided: Execution = *group[0].body();
        assert_eq!(decided.consumed.raw(), value, "value of {body:?}, {}", self.at());
        let (at, ns) = (self.history.at, self.history.now_ns);
        let exec = Exec {
            name,
            at,
            leaf,
            instrument,
            side,
            qty,
            px,
            value,
            ns,
            trade_date: decided.trade_date,
            order,
            busted: false,
        };
        self.history.execs.push(exec);
        if let Some(order) = order {
            self.history.orders[order].life.push(Life::Filled { qty });
        }
        let hits: u16 = alerts_of(&group[0]);
        let mut said: Vec<u32> = self.hits_of(&group[0], hits, HitKind::Alerted);
        said.sort_unstable();
        let expected = self.history.audit(leaf, instrument, side);
        self.seen.breaches += expected.len() as u64;
        if expected.len() < RECORDED_MAX {
            assert_eq!(said, expected, "breaches after {body:?}, {}", self.at());
        }
        let mut trips = self.history.repeated(leaf);
        // A fill that breaks a limit sets its state (LIMITS sections 2 and 9).
        trips.extend(
            expected
                .into_iter()
                .filter(|&limit| self.history.acts_on_a_state(limit)),
        );
        trips.sort_unstable();
        trips.dedup();
        trips.retain(|limit| !stood.contains(limit));
        trips.sort_unstable();
        self.check_trips(&group, &trips, &Answer::default());
        self.note_orders(&group[1..]);
    }

    fn bust(&mut self) {
        let count = self.history.execs.len() as u64;
        if count == 0 {
            return;
        }
        let at = self.rng.below(count) as usize;
        let exec = &self.history.execs[at];
        let (name, order, qty, was_busted) = (exec.name.clone(), exec.order, exec.qty, exec.busted);
        let body = TradeBust {
            exec_ref_id: ExecId::new(&name).unwrap(),
            trade_date: exec.trade_date,
            ..TradeBust::zeroed()
        };
        let group = self.send(Kind::TradeBust, &body);
        let expected = if was_busted { "ALREADY_BUSTED" } else { "OK" };
        assert_eq!(outcome(&group[0]), expected, "bust of {name}, {}", self.at());
        if !was_busted {
            self.history.execs[at].busted = true;
            if let Some(order) = order {
                self.history.orders[order].life.push(Life::Busted { qty });
            }
        }
        self.note_orders(&group[1..]);
    }

    // Market, money

    fn last(&mut self, instrument: u32) {
        let px = self.px(instrument as usize).max(1) / dec("0.01") * dec("0.01");
        let body = LastTrade {
            px,
            qty: ONE,
            instrument: InstrumentId(instrument),
            ..LastTrade::zeroed()
        };
        if !self.send(Kind::LastTrade, &body)[0].is_rejected() {
            self.history
                .lasts
                .push((instrument as usize, px, self.history.now_ns));
        }
    }

    fn market(&mut self) {
        let instrument = self.rng.below(8) as usize;
        match self.rng.below(3) {
            0 => {
                // The last instrument has no mark until somebody trades it.
                let instrument = instrument.min(6);
                let px = self.px(instrument);
                let body = Mark {
                    px,
                    instrument: InstrumentId(instrument as u32),
                    ..Mark::zeroed()
                };
                self.send(Kind::Mark, &body);
                self.history.marks.push((instrument, px));
            }
            1 => {
                let (currency, rate) = self
                    .rng
                    .pick(&[(1, "1.05"), (1, "1.2"), (2, "7600"), (2, "8400.5")]);
                let body = FxRate {
                    rate: dec(rate),
                    currency: tradewind_domain::ids::CurrencyId(currency),
                    ..FxRate::zeroed()
                };
                self.send(Kind::FxRate, &body);
                self.history.rates.push((currency, dec(rate)));
            }
            _ => {
                let halted = self.rng.one_in(3);
                let body = InstrumentStatus {
                    halted: u8::from(halted),
                    instrument: InstrumentId(instrument as u32),
                    ..InstrumentStatus::zeroed()
                };
                self.send(Kind::InstrumentStatus, &body);
                self.history.halts.push((instrument, halted));
            }
        }
    }

    fn pay(&mut self, account: u32, currency: u16, kind: Kind, amount: i64) {
        let name = self.name('c');
        let body = CashMove {
            reference: ExecId::new(&name).unwrap(),
            amount: Money::from_raw(i128::from(amount)),
            account: AccountId(self.history.nodes[account as usize].account.unwrap()),
            currency: tradewind_domain::ids::CurrencyId(currency),
            leaf: NodeId(account),
            ..CashMove::zeroed()
        };
        let cash = self.history.cash(account, currency);
        let free = cash.held - cash.unsettled - cash.reserved;
        let refused = kind == Kind::Withdrawal && i128::from(amount) > free;
        let group = self.send(kind, &body);
        let expected = if refused { "BUYING_POWER" } else { "OK" };
        assert_eq!(
            outcome(&group[0]),
            expected,
            "{kind:?} of {amount}, free {free}, {}",
            self.at()
        );
        if !refused {
            let amount = if kind == Kind::Withdrawal {
                -i128::from(amount)
            } else {
                i128::from(amount)
            };
            let one = i128::from(ONE);
            let value = (2 * amount * self.history.rate(currency) + one).div_euclid(2 * one);
            let paid = Worth::Paid {
                leaf: account,
                currency,
                amount,
                value,
            };
            self.history.worths.push((self.history.at, paid));
        }
    }

    fn value(&mut self, node: u32) {
        let equity = i128::from(self.rng.range(38_000, 60_000)) * i128::from(ONE);
        let balance = self
            .rng
            .one_in(2)
            .then(|| equity + i128::from(self.rng.range(-3_000, 3_000)) * i128::from(ONE));
        let body = Valuation {
            equity: Money::from_raw(equity),
            balance: Money::from_raw(balance.unwrap_or(0)),
            has_balance: u8::from(balance.is_some()),
            node: NodeId(node),
            ..Valuation::zeroed()
        };
        self.history.worths.push((
            self.history.at + 1,
            Worth::Valued {
                node,
                equity,
                balance,
            },
        ));
        let expected = self.history.floors(node);
        let group = self.send(Kind::Valuation, &body);
        let count = group[0].body::<Valuation>().hits;
        let mut said: Vec<_> = hits(&group[0], count)
            .map(|hit| (hit.limit.0, hit.kind, hit.hard))
            .collect();
        said.sort_by_key(|said| (said.0, said.1));
        let shown: Vec<_> = expected
            .iter()
            .map(|said| (said.0, said.1 as u8, said.2))
            .collect();
        let mut shown_sorted = shown.clone();
        shown_sorted.sort_by_key(|said| (said.0, said.1));
        assert_eq!(said, shown_sorted, "floors of node {node}, {}", self.at());
        let mut trips: Vec<u32> = expected
            .iter()
            .filter(|said| said.1 == HitKind::Alerted)
            .map(|said| said.0)
            .collect();
        trips.sort_unstable();
        self.check_trips(&group, &trips, &Answer::default());
        for said in expected.iter().filter(|said| said.1 == HitKind::Warned) {
            let set = self.history.limit(said.0).unwrap();
            let key = self.history.warning(&set, 0);
            self.history.warnings.push(key);
        }
        self.note_orders(&group[1..]);
    }

    // Limits, states, time

    fn set_limit(&mut self, limit_type: LimitType) {
        let set = firm::random_limit(&mut self.rng, self.limits, limit_type);
        self.limits += 1;
        self.put_limit(&set);
    }

    fn more_limits(&mut self) {
        let one_only = [LimitType::Emergency, LimitType::DupContent];
        let limit_type = self.rng.pick(LimitType::ALL);
        // Two limits of one kind at one node that warn per symbol share their edge: one of them is enough here.
        let per_symbol = matches!(
            limit_type,
            LimitType::AdvDay | LimitType::PositionLong | LimitType::PositionShort | LimitType::Concentration
        );
        if !one_only.contains(&limit_type) && !per_symbol {
            self.set_limit(limit_type);
        }
    }

    fn put_limit(&mut self, set: &LimitSet) {
        let group = self.send(Kind::LimitSet, set);
        assert_eq!(outcome(&group[0]), "OK", "{set:?}, {}", self.at());
        self.history.limits.push((self.history.at, *set));
    }

    /// A new limit, another figure of one, or the end of one whose state does not stand.
    fn change_limit(&mut self) {
        if self.rng.one_in(4) {
            return self.more_limits();
        }
        let limits = self.history.in_force();
        let set = self.rng.pick(&limits);
        let keeps = [10, 11, 12, 13, 36].contains(&set.limit_type);
        if keeps || self.history.has_tripped(set.limit.0) {
            return;
        }
        let removed = u8::from(self.rng.one_in(5));
        let hard = set.hard * i128::from(self.rng.range(60, 170)) / 100;
        self.put_limit(&LimitSet { hard, removed, ..set });
    }

    fn list(&mut self) {
        let instrument = self.rng.below(8) as usize;
        if self.rng.one_in(2) {
            let account = self.rng.pick(ACCOUNTS);
            let qty = self.rng.range(0, 600) * ONE;
            let body = Locate {
                qty,
                qty_dp: 8,
                account: AccountId(self.history.nodes[account as usize].account.unwrap()),
                instrument: InstrumentId(instrument as u32),
                leaf: NodeId(account),
                ..Locate::zeroed()
            };
            assert_eq!(outcome(&self.send(Kind::Locate, &body)[0]), "OK", "{}", self.at());
            return self.history.locates.push((account, instrument, qty));
        }
        let lists: Vec<LimitSet> = self
            .history
            .in_force()
            .into_iter()
            .filter(|set| set.limit_type == 6)
            .collect();
        if lists.is_empty() {
            return;
        }
        let limit = self.rng.pick(&lists).limit;
        let restriction = self.rng.pick(&[0, 0, 0, 1, 2, 3]);
        let body = RestrictedSet {
            restriction,
            limit,
            instrument: InstrumentId(instrument as u32),
            ..RestrictedSet::zeroed()
        };
        assert_eq!(
            outcome(&self.send(Kind::RestrictedSet, &body)[0]),
            "OK",
            "{}",
            self.at()
        );
        self.history.lines.push((limit.0, instrument, restriction));
    }

    /// Somebody sets the state of a node or an instrument.
    fn control(&mut self) {
        let nodes = self.history.nodes.len() as i64;
        let (kind, state) = self.rng.pick(&[
            (Kind::Rearm, 0),
            (Kind::StateSet, 1),
            (Kind::StateSet, 2),
            (Kind::StateSet, 0),
            (Kind::Kill, 3),
        ]);
        let target = match self.rng.one_in(6) {
            true => (None, Some(self.rng.below(8) as usize)),
            false => (Some(self.rng.range(1, nodes) as u32), None),
        };
        self.set_state(kind, state, target);
    }

    /// Somebody re-arms what is out of play: states that limits set would stop everything before long.
    fn rearm(&mut self) {
        let nodes = self.history.nodes.len() as u32;
        let is_out =
            |&node: &u32| !self.history.standing_trips(node).is_empty() || self.history.node_state(node) != 0;
        let nodes = (0..nodes).filter(is_out).map(|node| (Some(node), None));
        let is_out = |&instrument: &usize| {
            let last = self
                .history
                .controls
                .iter()
                .rev()
                .find(|control| control.2 == Some(instrument));
            last.is_some_and(|control| control.3 != 0)
        };
        let targets: Vec<_> = nodes
            .chain((0..8).filter(is_out).map(|at| (None, Some(at))))
            .collect();
        if !targets.is_empty() {
            let target = self.rng.pick(&targets);
            self.set_state(Kind::Rearm, 0, target);
        }
    }

    fn set_state(&mut self, kind: Kind, state: u8, (node, instrument): (Option<u32>, Option<usize>)) {
        let body = Control {
            author: Code::new("ann").unwrap(),
            second: Code::new(if self.rng.one_in(5) { "" } else { "bob" }).unwrap(),
            state,
            node: node.map_or(NodeId::NONE, NodeId),
            instrument: instrument.map_or(InstrumentId::NONE, |at| InstrumentId(at as u32)),
            session: SessionId::NONE,
            venue: VenueId::NONE,
            ..Control::zeroed()
        };
        let group = self.send(kind, &body);
        if !group[0].is_rejected() {
            self.history
                .controls
                .push((self.history.at, node, instrument, state, kind == Kind::Rearm));
        }
        self.note_orders(&group[1..]);
    }

    fn source(&mut self) {
        let up = !self.rng.one_in(5);
        self.set_source(up);
    }

    fn roll(&mut self) {
        let calendar = self.rng.pick(&[0, OTHER]);
        let date = self.history.date(calendar) + 1;
        let body = Timer {
            timer: TimerKind::DayRoll as u8,
            calendar: CalendarId(calendar),
            date,
            session: SessionId::NONE,
            ..Timer::zeroed()
        };
        let group = self.send(Kind::Timer, &body);
        self.history.rolls.push((self.history.at, calendar, date));
        self.note_orders(&group[1..]);
    }

    // What records say

    /// States that limits set.
    fn note_effects(&mut self, group: &[Event]) {
        for record in group
            .iter()
            .filter(|record| record.kind() == Some(Kind::StateChanged))
        {
            let control: &Control = record.body();
            if control.lapses == 0 {
                self.history.trips.push((self.history.at, control.limit.0));
            }
        }
    }

    /// Orders that effects have ended, asked to cancel or let out.
    fn note_orders(&mut self, effects: &[Event]) {
        for record in effects {
            if matches!(
                record.kind(),
                Some(Kind::OrderExpired | Kind::CancelRequested | Kind::OrderReleased)
            ) {
                let view = record.body::<DerivedOrder>().view;
                let order = self.history.order(view.order_id.0).unwrap();
                self.went(order, view.state_after);
            }
        }
    }

    fn note_warnings(&mut self, answer: &Answer, instrument: usize) {
        for said in &answer.warned {
            let set = self.history.limit(said.limit.unwrap()).unwrap();
            let key = self.history.warning(&set, instrument);
            self.history.warnings.push(key);
        }
    }

    fn hits_of(&self, event: &Event, count: u16, kind: HitKind) -> Vec<u32> {
        hits(event, count)
            .filter(|hit| hit.kind == kind as u8)
            .filter_map(|hit| named(hit.limit))
            .collect()
    }

    // Comparisons

    fn compare(&mut self, event: &Event, count: u16, answer: &Answer, what: &str) {
        assert_eq!(
            outcome(event),
            answer.code(),
            "{what}\nthe model says {:?}\n{}",
            answer.refused,
            self.at()
        );
        *self.seen.refused.entry(answer.code()).or_default() += 1;
        self.seen.accepted += u64::from(answer.refused.is_empty());
        self.seen.warned += answer.warned.len() as u64;
        self.seen.alerted += answer.alerted.len() as u64;
        if answer.refused.len() + answer.warned.len() + answer.alerted.len() + 8 > RECORDED_MAX {
            return;
        }
        let code = |hit: &tradewind_domain::event::LimitHit| {
            RejectCode::from_number(hit.code).map_or("", RejectCode::text)
        };
        let refused: Vec<_> = hits(event, count)
            .filter(|hit| hit.kind == HitKind::Refused as u8)
            .map(|hit| (named(hit.limit), code(&hit)))
            .collect();
        let expected: Vec<_> = answer.refused.iter().map(super::verdict::Said::shown).collect();
        assert_eq!(refused, expected, "{what}, {}", self.at());
        for (kind, said) in [
            (HitKind::Warned, &answer.warned),
            (HitKind::Alerted, &answer.alerted),
        ] {
            let mut found = self.hits_of(event, count, kind);
            let mut expected: Vec<u32> = said.iter().filter_map(|said| said.limit).collect();
            found.sort_unstable();
            expected.sort_unstable();
            let differs = found
                .iter()
                .chain(&expected)
                .find(|limit| found.contains(limit) != expected.contains(limit));
            let set = differs.and_then(|&limit| self.history.limit(limit));
            assert_eq!(found, expected, "{kind:?}: {what}, {set:?}, {}", self.at());
        }
    }

    /// The states that an event's limits have set.
    fn check_trips(&mut self, group: &[Event], expected: &[u32], answer: &Answer) {
        if answer.refused.len() + 8 > RECORDED_MAX || expected.len() > 8 {
            return;
        }
        let changes = group
            .iter()
            .filter(|record| record.kind() == Some(Kind::StateChanged));
        let mut found: Vec<u32> = changes.map(|record| record.body::<Control>().limit.0).collect();
        found.sort_unstable();
        self.seen.trips += expected.len() as u64;
        assert_eq!(found, expected, "states, {}", self.at());
    }

    /// Reserved is the sum over open orders, at every node and in every wallet; positions and the day's figures are those of the
    /// executions.
    fn check_sums(&self) {
        let history = &self.history;
        let open: Vec<_> = history.open().collect();
        for (id, node) in self.world.limit.nodes() {
            let (mut bought, mut sold, mut count) = ((0, 0), (0, 0), 0);
            for (_, order, now) in &open {
                if !history.is_below(order.asked.leaf.0, id.0) {
                    continue;
                }
                let side = if order.is_buy() { &mut bought } else { &mut sold };
                (side.0, side.1, count) = (
                    side.0 + now.reserved_qty(),
                    side.1 + now.reserved_value(),
                    count + 1,
                );
            }
            assert_eq!(
                (node.flow.buy_qty, node.flow.buy_value),
                bought,
                "buys of node {}, {}",
                id.0,
                self.at()
            );
            assert_eq!(
                (node.flow.sell_qty, node.flow.sell_value),
                sold,
                "sales of node {}, {}",
                id.0,
                self.at()
            );
            assert_eq!(
                node.flow.open_count,
                count,
                "open orders of node {}, {}",
                id.0,
                self.at()
            );
        }
        for (_, wallet) in self.world.limit.wallets() {
            let account = ACCOUNTS
                .iter()
                .find(|&&node| history.nodes[node as usize].account == Some(wallet.account.0));
            let cash = history.cash(*account.unwrap(), wallet.currency.0);
            assert_eq!(
                wallet.reserved.raw(),
                cash.reserved,
                "reserved of {wallet:?}, {}",
                self.at()
            );
            assert_eq!(
                wallet.settled.raw() - wallet.collateral.raw(),
                cash.held,
                "cash of {wallet:?}, {}",
                self.at()
            );
        }
    }

    fn check_states(&self) {
        for (id, node) in self.world.limit.nodes() {
            assert_eq!(
                node.control_state(),
                self.history.node_state(id.0),
                "state of node {}, {}",
                id.0,
                self.at()
            );
            let stands = |state: u8| {
                self.history
                    .standing_trips(id.0)
                    .into_iter()
                    .any(|limit| self.history.trip_state(limit) == state)
            };
            assert_eq!(
                node.flags & node_flags::DISABLED != 0,
                stands(DISABLED),
                "node {}, {}",
                id.0,
                self.at()
            );
            assert_eq!(
                node.flags & node_flags::SLOW != 0,
                stands(SLOW),
                "node {}, {}",
                id.0,
                self.at()
            );
        }
    }

    /// What is used of one of the limits, by the stage and by the model.
    fn probe(&mut self) {
        let limits = self.history.in_force();
        let set = self.rng.pick(&limits);
        // Gates have no use, rates and equity are looked at elsewhere, and a figure without an order is none of L15, L32.
        if [5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 32, 33, 34, 35, 36].contains(&set.limit_type) {
            return;
        }
        let below: Vec<u32> = LEAVES
            .iter()
            .copied()
            .filter(|&leaf| self.history.is_below(leaf, set.node.0))
            .collect();
        let (leaf, instrument) = (self.rng.pick(&below), self.rng.below(8) as usize);
        let side = self.rng.pick(&[Side::Buy, Side::Sell]);
        let ask = Ask {
            leaf,
            instrument,
            side,
            ord_type: OrderType::Limit,
            qty: 0,
            leaves: 0,
            px: 0,
            stop_px: 0,
            stop_loss_px: 0,
            origin_ns: 0,
            old: None,
            is_new: false,
        };
        let body = LimitProbe {
            side: side as u8,
            limit: set.limit,
            leaf: NodeId(leaf),
            instrument: InstrumentId(instrument as u32),
            ..LimitProbe::zeroed()
        };
        let Some(expected) = self.history.measure(&set, &ask, None) else {
            return;
        };
        let group = self.send(Kind::LimitProbe, &body);
        let found: LimitProbe = *group[0].body();
        let scale = match set.limit_type {
            3 => i128::from(ONE),
            4 | 104 => 100 * i128::from(ONE),
            27 | 28 | 30 => 100,
            _ => 1,
        };
        let shown = if set.limit_type == 29 { i128::from(ONE) } else { 1 };
        let expected = (expected.used / scale * shown, expected.limit / scale * shown);
        self.seen.probes += 1;
        assert_eq!(
            (found.used, found.hard),
            expected,
            "use of {set:?} with {side:?} of {instrument} at {leaf}, {}",
            self.at()
        );
    }
}

/// Hits at the end of an execution's record: the tail has nothing else.
fn alerts_of(event: &Event) -> u16 {
    (event.tail().len() / size_of::<tradewind_domain::event::LimitHit>()) as u16
}
