//! Session, engine and venue together: the real stages on one thread, driven by a clock that the test sets.

use bytemuck::Zeroable;
use std::collections::BTreeMap;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_config::{DemoKeys, ReferenceData};
use tradewind_domain::codes::{ClockMode, OrderState, Side};
use tradewind_domain::event::{Capacities, EngineStarted, Event, Execution, Inbound, InboundLong, Kind};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::DayNumber;
use tradewind_feeds::Normalize;
use tradewind_machine::append::VecJournal;
use tradewind_machine::clock::{Clock, ManualTime};
use tradewind_machine::pipeline::{Builder, Inline, Settings};
use tradewind_machine::source::{LongSource, Source, SourceClass};
use tradewind_machine::stage::{Stage, Stages};
use tradewind_paper::{DemoSession, FillSettings, PaperVenue};
use tradewind_risk::{LimitCheck, TradingSchedule, Validate};

const START_NS: u64 = 1_772_461_800_000_000_000;
const DAY_NS: u64 = 86_400_000_000_000;
const STEP_NS: u64 = 1_000_000;
const HASH_KEY: &[u8; 16] = b"0123456789abcdef";

fn capacities() -> Capacities {
    Capacities::default()
}

fn stages() -> Stages<Event> {
    let capacities = capacities();
    [
        Box::new(Normalize::new(&capacities)),
        Box::new(Validate::new(&capacities)),
        Box::new(LimitCheck::new(&capacities, HASH_KEY)),
        Box::new(Settle::new(&capacities)),
        Box::new(Position::new(&capacities)),
    ]
}

fn engine_started() -> EngineStarted {
    EngineStarted {
        epoch: 1,
        clock_mode: ClockMode::Wall as u8,
        market_slip_bps: 500,
        ref_max_age_ms: 60_000,
        stale_order_ms: 2_000,
        capacities: capacities(),
        ..Zeroable::zeroed()
    }
}

/// An engine with its venue and its market.
struct House {
    pipe: Inline<Event, VecJournal<Event>>,
    time: ManualTime,
    admin: LongSource,
    orders: Source,
    market: Source,
    executions: Source,
    venue: PaperVenue,
    seen: usize,
    now_ns: u64,
}

impl House {
    fn open() -> Self {
        let (clock, time) = Clock::manual(START_NS);
        let journal = VecJournal::new();
        let mut builder = Builder::new(Settings::default(), stages(), journal, clock, ClockMode::Wall)
            .schedule(Box::new(TradingSchedule::new(capacities().sessions)))
            .open_with(InboundLong::new(Kind::EngineStarted, &engine_started()));
        let mut house = Self {
            admin: builder.long_source(),
            orders: builder.source(SourceClass::Order, 256),
            market: builder.source(SourceClass::Market, 256),
            executions: builder.source(SourceClass::Priority, 256),
            pipe: builder.inline(),
            time,
            venue: PaperVenue::new(FillSettings::default(), 1),
            seen: 0,
            now_ns: START_NS,
        };
        house.settle_down();
        house
    }

    fn set_up(&mut self, reference: &ReferenceData) {
        let today = DayNumber::try_from(START_NS / DAY_NS).unwrap();
        for event in reference.events(today - 3, today + 3) {
            assert!(self.admin.push(event).is_ok());
            self.pipe.run().unwrap();
        }
        self.settle_down();
        let refused: Vec<String> = { self.pipe.journal().events().iter() }
            .filter_map(|event| Some(format!("{} {}", event.kind()?, event.reject_code()?)))
            .collect();
        assert!(refused.is_empty(), "reference data is taken: {refused:?}");
    }

    /// Runs until neither the pipeline nor the venue has anything to do.
    fn settle_down(&mut self) {
        loop {
            self.pipe.run().unwrap();
            let mut answers = Vec::new();
            for event in &self.pipe.journal().events()[self.seen..] {
                self.venue.on_record(event, &mut answers);
            }
            self.seen = self.pipe.journal().events().len();
            if answers.is_empty() {
                return;
            }
            self.send(answers);
        }
    }

    fn send(&mut self, answers: Vec<Inbound>) {
        for answer in answers {
            let mut pushed = self.executions.push(answer);
            while let Err(back) = pushed {
                self.pipe.run().unwrap();
                pushed = self.executions.push(back);
            }
        }
    }

    /// A millisecond of the session.
    fn step(&mut self, session: &mut DemoSession) {
        self.now_ns += STEP_NS;
        self.time.set(self.now_ns);
        let Self { orders, market, .. } = self;
        session.next_before(self.now_ns, &mut |class, message| {
            let ring = if class == SourceClass::Order {
                &mut *orders
            } else {
                &mut *market
            };
            assert!(ring.push(message).is_ok());
        });
        self.settle_down();
    }

    fn events(&self) -> &[Event] {
        self.pipe.journal().events()
    }
}

fn run_session(events_min: usize) -> (House, DemoSession) {
    let reference = ReferenceData::load(None).unwrap();
    let keys = DemoKeys {
        instruments: 0,
        accounts: 0,
        orders_per_s: 500,
        quotes_per_s: 1_000,
        seed: 1,
        speed: "max".to_owned(),
    };
    let mut house = House::open();
    house.set_up(&reference);
    let mut session = DemoSession::new(&keys, &reference, START_NS, 1);
    while house.events().len() < events_min {
        house.step(&mut session);
    }
    (house, session)
}

fn count(events: &[Event], kind: Kind) -> usize {
    { events.iter() }
        .filter(|event| event.kind() == Some(kind) && !event.is_rejected())
        .count()
}

#[test]
fn a_session_runs_through_the_engine_and_every_order_is_answered() {
    let (house, session) = run_session(20_000);
    let events = house.events();
    let mut limit = LimitCheck::new(&capacities(), HASH_KEY);
    events.iter().for_each(|event| limit.apply(event));
    assert_eq!(limit.faults(), 0);

    let open: Vec<_> = limit
        .open_orders()
        .map(|(_, row)| (row.order_id, row.order_state()))
        .collect();
    let unanswered: Vec<_> = { open.iter() }
        .filter(|(_, state)| *state != OrderState::Working)
        .collect();
    assert!(unanswered.is_empty(), "{unanswered:?}");
    assert!(open.len() > 20);
    assert_eq!(
        house.venue.counts().open_orders as usize,
        open.len(),
        "venue and engine agree"
    );

    for (kind, least) in [
        (Kind::VenueAck, 1_000),
        (Kind::VenueFill, 1_000),
        (Kind::VenueCancelled, 100),
        (Kind::VenueReplaced, 50),
        (Kind::VenueExpired, 1),
    ] {
        assert!(count(events, kind) >= least, "{kind}: {}", count(events, kind));
    }
    let acks = { events.iter() }.filter(|event| event.kind() == Some(Kind::VenueAck));
    assert_eq!(count(events, Kind::OrderNew), acks.count());
    // Most of the flow is accepted: rejects are there to be seen, not to rule.
    let accepted = count(events, Kind::OrderNew) as u64;
    assert!(
        accepted * 2 > session.counts().orders,
        "{accepted} of {:?}",
        session.counts()
    );
}

#[test]
fn rejects_of_many_kinds_are_seen() {
    let (house, _) = run_session(60_000);
    let mut rejects: BTreeMap<&str, usize> = BTreeMap::new();
    for event in house.events() {
        if let Some(code) = event.reject_code() {
            *rejects.entry(code.text()).or_default() += 1;
        }
    }
    for code in [
        RejectCode::InvalidTick,
        RejectCode::InvalidQty,
        RejectCode::UnknownSymbol,
        RejectCode::UnknownAccount,
        RejectCode::DuplicateClOrdId,
        RejectCode::StaleOrder,
        RejectCode::PriceOutsideCollar,
        RejectCode::TooLateToCancel,
        RejectCode::MaxOrderNotional,
    ] {
        assert!(rejects.contains_key(code.text()), "no {code} in {rejects:?}");
    }
    // What does not fit the order's state are reports that crossed a request: a cancel-reject of an order that was just
    // filled, an acknowledgement of an order whose cancel or replace is on its way.
    let misfits: Vec<String> = { house.events().iter() }
        .filter(|event| event.kind().is_some_and(|kind| (16..32).contains(&(kind as u16))))
        .filter_map(|event| Some(format!("{} {}", event.kind()?, event.reject_code()?)))
        .filter(|text| text != "venue_cancel_reject STATE_MISMATCH" && text != "venue_ack STATE_MISMATCH")
        .collect();
    assert!(misfits.is_empty(), "{misfits:?}");
}

#[test]
fn positions_are_the_sums_of_fills() {
    let (house, _) = run_session(20_000);
    let mut position = Position::new(&capacities());
    let mut sums = BTreeMap::new();
    for event in house.events() {
        position.apply(event);
        if event.kind() == Some(Kind::VenueFill) && !event.is_rejected() {
            let fill: &Execution = event.body();
            let sign = Side::from_code(fill.side).unwrap().sign();
            *sums.entry((fill.account, fill.instrument)).or_insert(0) += sign * i128::from(fill.qty);
        }
    }
    let held: BTreeMap<_, _> = { position.positions() }
        .map(|(_, row)| ((row.account, row.instrument), row.qty.raw()))
        .collect();
    assert!(held.len() > 10);
    assert_eq!(held, sums);
}

#[test]
fn a_venue_that_reads_the_whole_journal_again_has_nothing_to_add() {
    let (house, _) = run_session(5_000);
    let mut venue = PaperVenue::new(FillSettings::default(), 2);
    let mut out = Vec::new();
    house
        .events()
        .iter()
        .for_each(|event| venue.on_record(event, &mut out));
    assert!(out.is_empty());
    let counts = venue.counts();
    assert_eq!((counts.waiting, counts.foreign), (0, 0));
    assert_eq!(counts.found, house.venue.counts().answered);
    assert_eq!(counts.open_orders, house.venue.counts().open_orders);
}
