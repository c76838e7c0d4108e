//! A small firm to test against: FIRM > ORG > U1 > accounts A1 (cash) and A2 (margin) > strategy S1 of A1; instruments 0 (a
//! share in the base currency, lot 1, tick 0.01) and 1 (a share that closes).

use crate::{LimitCheck, Validate};
use bytemuck::Zeroable;
use tradewind_domain::codes::{AccountKind, Level, LimitAction, LimitType, OrderType, Side, TimeInForce};
use tradewind_domain::decimal;
use tradewind_domain::event::{
    Body, Capacities, CashMove, Control, CurrencySet, EngineStarted, Event, Execution, InstrumentSet, Kind,
    LastTrade, LimitSet, NodeSet, OrderCancel, OrderNew, OrderReplace, SessionEvent, Timer, TimerKind,
    VenueReport, head_flags,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{
    AccountId, CalendarId, CurrencyId, InstrumentId, LimitId, NodeId, OrderId, SessionId, VenueId,
};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{ClOrdId, ExecId, Text};
use tradewind_machine::stage::{Expansion, Stage};

pub(super) const FIRM: NodeId = NodeId(0);
pub(super) const ORG: NodeId = NodeId(1);
pub(super) const U1: NodeId = NodeId(2);
pub(super) const A1: NodeId = NodeId(3);
pub(super) const A2: NodeId = NodeId(4);
pub(super) const S1: NodeId = NodeId(5);
pub(super) const SESSION: SessionId = SessionId(1);

/// `text` as an integer at 1e-8.
pub(super) fn dec(text: &str) -> i64 {
    decimal::parse(text.as_bytes()).unwrap()
}

/// The stages under test, and a second limit check that only applies what the first recorded.
pub(super) struct World {
    pub(super) validate: Validate,
    pub(super) limit: LimitCheck,
    pub(super) replica: LimitCheck,
    pub(super) now_ns: u64,
    seq: u64,
    exec: u64,
    /// Every input, before a stage has seen it.
    pub(super) inputs: Vec<Event>,
    /// Every record, effects included.
    pub(super) records: Vec<Event>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(Capacities::default())
    }

    pub(super) fn with(capacities: Capacities) -> Self {
        let key = *b"0123456789abcdef";
        let mut world = Self {
            validate: Validate::new(&capacities),
            limit: LimitCheck::new(&capacities, &key),
            replica: LimitCheck::new(&capacities, &key),
            now_ns: 1_772_461_800_000_000_000,
            seq: 0,
            exec: 0,
            inputs: Vec::new(),
            records: Vec::new(),
        };
        world.engine_started(capacities);
        world.roll(CalendarId::UTC, 20_514);
        world.send(
            Kind::CurrencySet,
            &CurrencySet {
                code: Text::new("USD").unwrap(),
                money_dp: 2,
                ..CurrencySet::zeroed()
            },
        );
        world.node(FIRM, NodeId::NONE, Level::Firm, AccountId::NONE, None);
        world.node(ORG, FIRM, Level::Org, AccountId::NONE, None);
        world.node(U1, ORG, Level::User, AccountId::NONE, None);
        world.node(A1, U1, Level::Account, AccountId(0), Some(AccountKind::Cash));
        world.node(A2, U1, Level::Account, AccountId(1), Some(AccountKind::Margin));
        world.node(S1, A1, Level::Strategy, AccountId(0), None);
        for id in 0..2 {
            let row = Instrument {
                id: InstrumentId(id),
                avg_order_qty: dec("200"),
                ..Instrument::default_linear()
            };
            world.send(
                Kind::InstrumentSet,
                &InstrumentSet {
                    row,
                    ..InstrumentSet::zeroed()
                },
            );
        }
        world.last(0, "10");
        world.last(1, "10");
        world
    }

    fn engine_started(&mut self, capacities: Capacities) {
        let start = EngineStarted {
            epoch: 1,
            rules_version: crate::RULES_VERSION,
            market_slip_bps: 500,
            ref_max_age_ms: 60_000,
            stale_order_ms: 2_000,
            capacities,
            ..EngineStarted::zeroed()
        };
        self.send(Kind::EngineStarted, &start);
    }

    pub(super) fn node(
        &mut self,
        node: NodeId,
        parent: NodeId,
        level: Level,
        account: AccountId,
        kind: Option<AccountKind>,
    ) {
        let body = NodeSet {
            level: level as u8,
            kind: kind.map_or(0, |kind| kind as u8),
            calendar: CalendarId::UTC,
            node,
            parent,
            account,
            ..NodeSet::zeroed()
        };
        self.send(
            if kind.is_some() {
                Kind::AccountSet
            } else {
                Kind::NodeSet
            },
            &body,
        );
    }

    /// Sends one event through both stages, and its effects; gives the record.
    pub(super) fn send<T: Body>(&mut self, kind: Kind, body: &T) -> Event {
        let mut event = Event::empty();
        event.reset(kind);
        *event.body_mut() = *body;
        self.now_ns += 1;
        self.run(event)
    }

    /// As [`send`](Self::send), for an event with notes or times of its own.
    pub(super) fn run(&mut self, mut event: Event) -> Event {
        self.seq += 1;
        event.head.seq = self.seq;
        event.head.recv_ns = self.now_ns;
        self.inputs.push(event);
        self.validate.process(&mut event);
        self.limit.process(&mut event);
        let mut group = vec![event];
        let mut effect = Event::empty();
        loop {
            match self.limit.expand(&mut effect) {
                Expansion::Done => break,
                Expansion::Busy => {}
                Expansion::Produced => {
                    effect.head.seq = self.seq;
                    effect.head.part = group.len() as u32;
                    effect.head.recv_ns = self.now_ns;
                    group.push(effect);
                }
            }
        }
        group.last_mut().unwrap().head.flags |= head_flags::LAST;
        for record in &group {
            self.replica.apply(record);
        }
        let first = group[0];
        self.records.extend(group);
        first
    }

    pub(super) fn roll(&mut self, calendar: CalendarId, date: u32) {
        let timer = Timer {
            timer: TimerKind::DayRoll as u8,
            calendar,
            date,
            session: SessionId::NONE,
            ..Timer::zeroed()
        };
        self.send(Kind::Timer, &timer);
    }

    pub(super) fn disconnect(&mut self, session: SessionId, include_gtc: bool) {
        let timer = Timer {
            timer: TimerKind::CancelOnDisconnect as u8,
            session,
            include_gtc: u8::from(include_gtc),
            ..Timer::zeroed()
        };
        self.send(Kind::Timer, &timer);
    }

    pub(super) fn last(&mut self, instrument: u32, px: &str) {
        let body = LastTrade {
            px: dec(px),
            qty: dec("1"),
            instrument: InstrumentId(instrument),
            ..LastTrade::zeroed()
        };
        self.send(Kind::LastTrade, &body);
    }

    pub(super) fn deposit(&mut self, account: u32, amount: &str) -> Event {
        self.cash(Kind::Deposit, account, amount)
    }

    pub(super) fn withdraw(&mut self, account: u32, amount: &str) -> Event {
        self.cash(Kind::Withdrawal, account, amount)
    }

    fn cash(&mut self, kind: Kind, account: u32, amount: &str) -> Event {
        self.exec += 1;
        let body = CashMove {
            reference: ExecId::new(format!("C{}", self.exec)).unwrap(),
            amount: Money::from_raw(i128::from(dec(amount))),
            account: AccountId(account),
            leaf: NodeId(3 + account),
            ..CashMove::zeroed()
        };
        self.send(kind, &body)
    }

    pub(super) fn limit(
        &mut self,
        id: u32,
        node: NodeId,
        limit_type: LimitType,
        hard: i128,
        params: [i64; 6],
    ) -> Event {
        let body = LimitSet {
            hard,
            params,
            limit_type: limit_type as u8,
            action: LimitAction::Reject as u8,
            soft_pct: 80,
            limit: LimitId(id),
            node,
            filter_instrument: InstrumentId::NONE,
            ..LimitSet::zeroed()
        };
        self.send(Kind::LimitSet, &body)
    }

    pub(super) fn order(&self, cl: &str, leaf: NodeId, side: Side, qty: &str, px: &str) -> OrderNew {
        OrderNew {
            cl_ord_id: ClOrdId::new(cl).unwrap(),
            qty: dec(qty),
            px: dec(px),
            session: SESSION,
            side: side as u8,
            ord_type: OrderType::Limit as u8,
            tif: TimeInForce::Day as u8,
            leaf,
            account: AccountId(if leaf == A2 { 1 } else { 0 }),
            instrument: InstrumentId(0),
            currency: CurrencyId(0),
            calendar: CalendarId::UTC,
            ..OrderNew::zeroed()
        }
    }

    pub(super) fn place(&mut self, cl: &str, leaf: NodeId, side: Side, qty: &str, px: &str) -> Event {
        let order = self.order(cl, leaf, side, qty, px);
        self.send(Kind::OrderNew, &order)
    }

    pub(super) fn cancel(&mut self, cl: &str) -> Event {
        let body = OrderCancel {
            cl_ord_id: ClOrdId::new(format!("X{cl}")).unwrap(),
            orig_cl_ord_id: ClOrdId::new(cl).unwrap(),
            session: SESSION,
            ..OrderCancel::zeroed()
        };
        self.send(Kind::OrderCancel, &body)
    }

    pub(super) fn replace(&mut self, orig: &str, cl: &str, qty: &str, px: &str) -> Event {
        let body = OrderReplace {
            cl_ord_id: ClOrdId::new(cl).unwrap(),
            orig_cl_ord_id: ClOrdId::new(orig).unwrap(),
            qty: dec(qty),
            px: dec(px),
            session: SESSION,
            ..OrderReplace::zeroed()
        };
        self.send(Kind::OrderReplace, &body)
    }

    pub(super) fn report(&mut self, kind: Kind, order_id: OrderId) -> Event {
        self.send(
            kind,
            &VenueReport {
                order_id,
                ..VenueReport::zeroed()
            },
        )
    }

    pub(super) fn fill(&mut self, order_id: OrderId, qty: &str, px: &str) -> Event {
        self.exec += 1;
        let exec_id = ExecId::new(format!("E{}", self.exec)).unwrap();
        self.send(
            Kind::VenueFill,
            &Execution {
                exec_id,
                order_id,
                qty: dec(qty),
                px: dec(px),
                ..Execution::zeroed()
            },
        )
    }

    pub(super) fn trade(&mut self, exec_id: &str, leaf: NodeId, side: Side, qty: &str, px: &str) -> Event {
        let body = Execution {
            exec_id: ExecId::new(exec_id).unwrap(),
            qty: dec(qty),
            px: dec(px),
            side: side as u8,
            leaf,
            account: AccountId(if leaf == A2 { 1 } else { 0 }),
            instrument: InstrumentId(0),
            ..Execution::zeroed()
        };
        self.send(Kind::TradeCapture, &body)
    }

    pub(super) fn control(
        &mut self,
        kind: Kind,
        node: NodeId,
        state: u8,
        author: &str,
        second: &str,
    ) -> Event {
        let body = Control {
            author: Text::new(author).unwrap(),
            second: Text::new(second).unwrap(),
            state,
            node,
            instrument: InstrumentId::NONE,
            session: SessionId::NONE,
            venue: VenueId::NONE,
            ..Control::zeroed()
        };
        self.send(kind, &body)
    }

    pub(super) fn session(&mut self, kind: Kind, session: u32) -> Event {
        self.send(
            kind,
            &SessionEvent {
                session: SessionId(session),
                ..SessionEvent::zeroed()
            },
        )
    }

    /// Reserved cash of the account's wallet, in units of 1e-8.
    pub(super) fn reserved(&self, account: u32) -> i128 {
        let rows = self.limit.wallets();
        rows.filter(|(_, row)| row.account == AccountId(account))
            .map(|(_, row)| row.reserved.raw())
            .sum()
    }

    pub(super) fn settled(&self, account: u32) -> i128 {
        let rows = self.limit.wallets();
        rows.filter(|(_, row)| row.account == AccountId(account))
            .map(|(_, row)| row.settled.raw())
            .sum()
    }
}

/// What a record says: `OK` or the reject code.
pub(super) fn outcome(event: &Event) -> &'static str {
    event.reject_code().map_or("OK", |code| code.text())
}

/// The id of an accepted order.
pub(super) fn id(event: &Event) -> OrderId {
    assert_eq!(outcome(event), "OK");
    event.body::<OrderNew>().view.order_id
}

/// State as one hash-like list of bytes.
pub(super) fn digest(stage: &impl Stage<Event>) -> Vec<u8> {
    let mut bytes = Vec::new();
    stage.digest(&mut |row| bytes.extend_from_slice(row));
    bytes
}
