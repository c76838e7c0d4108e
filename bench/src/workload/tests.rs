//! The workloads against the real stages, on one thread with a journal in memory.

use super::*;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{EngineStarted, Event, Execution, Kind, OrderNew};
use tradewind_feeds::Normalize;
use tradewind_machine::append::VecJournal;
use tradewind_machine::clock::Clock;
use tradewind_machine::pipeline::{Builder, Inline, Settings};
use tradewind_machine::source::{Source, SourceClass};
use tradewind_machine::stage::Stages;
use tradewind_risk::{LimitCheck, TradingSchedule, Validate};

/// A time in the middle of a day, nanoseconds since 1970.
const NOON_NS: u64 = 1_772_452_800_000_000_000;

struct World {
    pipe: Inline<Event, VecJournal<Event>>,
    source: Source,
    prepared: usize,
}

impl World {
    /// The real stages, with the workload's firm set up.
    fn new(workload: &Workload) -> Self {
        let capacities = workload.capacities();
        let stages: Stages<Event> = [
            Box::new(Normalize::new(&capacities)),
            Box::new(Validate::new(&capacities)),
            Box::new(LimitCheck::new(&capacities, b"0123456789abcdef")),
            Box::new(Settle::new(&capacities)),
            Box::new(Position::new(&capacities)),
        ];
        let start = EngineStarted {
            epoch: 1,
            stale_order_ms: STALE_ORDER_MS,
            capacities,
            ..bytemuck::Zeroable::zeroed()
        };
        let (clock, _) = Clock::manual(NOON_NS);
        let mut builder = Builder::new(
            Settings::default(),
            stages,
            VecJournal::new(),
            clock,
            ClockMode::Wall,
        )
        .schedule(Box::new(TradingSchedule::new(capacities.sessions)))
        .open_with(InboundLong::new(Kind::EngineStarted, &start));
        let source = builder.source(SourceClass::Order, 1_024);
        let long = builder.long_source();
        let mut pipe = builder.inline();
        for event in workload.preparation() {
            let mut message = event;
            while let Err(back) = long.push(message) {
                message = back;
                pipe.run().unwrap();
            }
        }
        pipe.run().unwrap();
        let prepared = pipe.journal().events().len();
        Self {
            pipe,
            source,
            prepared,
        }
    }

    fn send(&mut self, stream: &mut Stream<'_>, count: u64) {
        for _ in 0..count {
            let mut message = stream.next_message();
            while let Err(back) = self.source.push(message) {
                message = back;
                self.pipe.run().unwrap();
            }
        }
        self.pipe.run().unwrap();
    }

    /// What became of the stream's messages.
    fn inputs(&self) -> &[Event] {
        &self.pipe.journal().events()[self.prepared..]
    }
}

fn outcomes(events: &[Event]) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for event in events {
        *outcomes
            .entry(Outcome {
                kind: event.head.kind,
                code: event.head.outcome,
            })
            .or_default() += 1;
    }
    outcomes
}

fn workload(mix: Mix, accounts: u32, instruments: u32, events: u64) -> Workload {
    Workload::new(WorkloadConfig {
        mix,
        accounts,
        instruments,
        events,
        warmup: Some(0),
    })
    .unwrap()
}

#[test]
fn the_whole_firm_is_accepted() {
    for (accounts, instruments) in [(1, 1), (450, 30)] {
        let workload = workload(Mix::Cycles, accounts, instruments, 2);
        let world = World::new(&workload);
        let events = world.pipe.journal().events();
        let refused: Vec<_> = events
            .iter()
            .filter(|event| event.is_rejected())
            .map(Event::reject_code)
            .collect();
        assert_eq!(refused, []);
        // The engine's start, the roll of its calendar, and ours.
        assert_eq!(events.len() as u64, 2 + workload.preparation_len());
    }
}

#[test]
fn every_order_of_cycles_is_accepted_and_its_fill_fills_it() {
    for (accounts, instruments) in [(1, 1), (3, 2), (1_000, 100)] {
        let workload = workload(Mix::Cycles, accounts, instruments, 30_000);
        let mut world = World::new(&workload);
        world.send(&mut workload.stream(1), workload.messages());
        assert_eq!(outcomes(world.inputs()), workload.foreseen());
        for pair in world.inputs().chunks(2) {
            let (order, fill): (&OrderNew, &Execution) = (pair[0].body(), pair[1].body());
            assert_eq!(fill.order_id, order.view.order_id);
            assert_eq!((fill.qty, fill.leaves, fill.alerts), (order.qty, 0, 0));
            assert_eq!((fill.account, fill.instrument), (order.account, order.instrument));
            assert_eq!(order.verdict.hits, 0, "no limit comes near its warning");
        }
    }
}

#[test]
fn canonical_has_the_outcomes_that_its_table_says() {
    for (accounts, instruments) in [(1, 1), (7, 3), (1_000, 100)] {
        let workload = workload(Mix::Canonical, accounts, instruments, 20_000);
        let mut world = World::new(&workload);
        world.send(&mut workload.stream(1), workload.messages());
        assert_eq!(
            outcomes(world.inputs()),
            workload.foreseen(),
            "{accounts} accounts"
        );
    }
}

#[test]
fn positions_stay_bounded() {
    let workload = workload(Mix::Cycles, 10, 5, 40_000);
    let mut world = World::new(&workload);
    world.send(&mut workload.stream(1), workload.messages());
    let mut positions = BTreeMap::<(u32, u32), i64>::new();
    let mut largest = 0;
    for event in world
        .inputs()
        .iter()
        .filter(|event| event.kind() == Some(Kind::VenueFill))
    {
        let fill: &Execution = event.body();
        let position = positions.entry((fill.account.0, fill.instrument.0)).or_default();
        *position += if fill.side == 1 { fill.qty } else { -fill.qty };
        largest = largest.max(position.abs());
    }
    assert_eq!(positions.len(), 40);
    assert!(largest <= 500 * 100_000_000, "{largest}");
}

#[test]
fn a_second_run_in_the_same_journal_has_identifiers_of_its_own() {
    let workload = workload(Mix::Cycles, 3, 2, 100);
    let mut world = World::new(&workload);
    world.send(&mut workload.stream(1), workload.messages());
    world.send(&mut workload.stream(2), workload.messages());
    let duplicates = world
        .inputs()
        .iter()
        .filter(|event| event.reject_code() == Some(RejectCode::DuplicateClOrdId));
    assert_eq!(duplicates.count(), 0);
}

#[test]
fn blocks_are_never_cut() {
    let workload = Workload::new(WorkloadConfig {
        mix: Mix::Canonical,
        events: 1_500,
        ..WorkloadConfig::default()
    });
    let workload = workload.unwrap();
    assert_eq!(workload.messages() - workload.warmup_messages(), 2_000);
    // One pass over 4,000 pairs takes 40 blocks of 100 orders.
    assert_eq!(workload.warmup_messages(), 40_000);
}

#[test]
fn sizes_out_of_range_are_refused_by_name() {
    let refused = |config: WorkloadConfig| Workload::new(config).unwrap_err().to_string();
    let base = WorkloadConfig::default();
    assert_eq!(
        refused(WorkloadConfig { accounts: 0, ..base }),
        "accounts must be from 1 to 1000000, not 0"
    );
    assert!(
        refused(WorkloadConfig {
            instruments: 100_001,
            ..base
        })
        .starts_with("instruments")
    );
    assert!(refused(WorkloadConfig { events: 0, ..base }).starts_with("events"));
    assert!(
        refused(WorkloadConfig {
            warmup: Some(u64::MAX),
            ..base
        })
        .starts_with("events and warm-up")
    );
    assert!("other".parse::<Mix>().is_err());
}
