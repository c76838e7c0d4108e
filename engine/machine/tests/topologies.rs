//! Whatever the topology, the rings and the pools: the same journal, the same state, nothing lost.

mod toy;

use bytemuck::Zeroable;
use toy::{MoodyJournal, assert_same_journal, digests_of, inputs, naive, stages, stages_that_panic_at};
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{EngineStopped, Event, Inbound, InboundLong, Kind};
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::idle::IdleStrategy;
use tradewind_machine::pipeline::{
    Builder, Finished, PinPolicy, PipelineError, Running, Schedule, Settings, StopMode,
};
use tradewind_machine::source::{Source, SourceClass};

const TOPOLOGIES: [&str; 5] = [
    "fused",
    "split",
    "staged",
    "ingest+normalize+validate+limit,settle+position+journal",
    "ingest,normalize+validate,limit+settle,position+journal",
];

fn settings(topology: &str, ring_slots: usize, effect_slots: usize) -> Settings {
    Settings {
        topology: topology.parse().unwrap(),
        idle: IdleStrategy::Park,
        ring_slots,
        effect_slots,
        ..Settings::default()
    }
}

fn builder(settings: Settings, journal: MoodyJournal) -> Builder<Event, MoodyJournal> {
    Builder::new(settings, stages(), journal, Clock::manual(1).0, ClockMode::Input)
}

fn push_all(source: &mut Source, mut inputs: &[Inbound]) {
    while !inputs.is_empty() {
        let pushed = source.push_slice(inputs);
        inputs = &inputs[pushed..];
        if pushed == 0 {
            std::thread::yield_now();
        }
    }
}

fn run(settings: Settings, journal: MoodyJournal, inputs: &[Inbound]) -> Finished<Event, MoodyJournal> {
    let mut builder = builder(settings, journal);
    let mut source = builder.source(SourceClass::Order, 16);
    let running = builder.start(&Cores::detect()).unwrap();
    push_all(&mut source, inputs);
    running.stop(StopMode::Drain, None).unwrap()
}

fn check(settings: Settings, full_every: u64, inputs: &[Inbound]) {
    let what = format!("{settings:?}, full every {full_every}");
    let finished = run(settings, MoodyJournal::full_every(full_every), inputs);
    let (journal, digests) = naive(inputs);
    assert_same_journal(&finished.journal.events, &journal, &what);
    assert_eq!(finished.journal.committed, journal.len(), "{what}");
    assert_eq!(digests_of(&finished.stages), digests, "{what}");
    assert_eq!(finished.last.seq, inputs.len() as u64);
    let events: Vec<u64> = finished
        .reports
        .iter()
        .map(|report| report.figures.events)
        .collect();
    let (inputs, records) = (inputs.len() as u64, journal.len() as u64);
    assert_eq!(
        events,
        [inputs, inputs, inputs, records, records, records, records],
        "{what}"
    );
    assert_eq!(finished.reports[3].figures.effects, records - inputs);
}

#[test]
fn journals_and_states_are_equal_under_every_topology() {
    let inputs = inputs(4_000, 1);
    for topology in TOPOLOGIES {
        check(settings(topology, 512, 256), 0, &inputs);
    }
}

#[test]
fn rings_that_are_full_in_the_middle_of_an_expansion_lose_and_reorder_nothing() {
    for (seed, topology) in (2..).zip(TOPOLOGIES) {
        let inputs = inputs(500, seed);
        for (ring_slots, effect_slots) in [(1, 1), (2, 1), (2, 2), (2, 4), (3, 2)] {
            check(settings(topology, ring_slots, effect_slots), 0, &inputs);
        }
    }
}

#[test]
fn a_journal_without_room_makes_the_pipeline_wait() {
    for topology in TOPOLOGIES {
        let inputs = inputs(500, 9);
        check(settings(topology, 2, 1), 2, &inputs);
        check(settings(topology, 8, 3), 7, &inputs);
    }
}

#[test]
fn batches_of_one_and_spinning_threads_give_the_same_journal() {
    let inputs = inputs(500, 11);
    for idle in [
        IdleStrategy::Spin,
        IdleStrategy::SpinThenYield,
        IdleStrategy::Park,
    ] {
        for batch_max in [1, 2, 64] {
            check(
                Settings {
                    idle,
                    batch_max,
                    ingest_slots: 1,
                    ..settings("split", 4, 2)
                },
                5,
                &inputs,
            );
            check(
                Settings {
                    idle,
                    batch_max,
                    ingest_slots: 1,
                    ..settings("fused", 4, 2)
                },
                5,
                &inputs,
            );
        }
    }
}

#[test]
fn the_pipeline_inline_gives_the_same_journal() {
    let inputs = inputs(3_000, 12);
    for effect_slots in [1, 2, 3, 256] {
        let mut builder = builder(settings("staged", 2, effect_slots), MoodyJournal::full_every(6));
        let mut source = builder.source(SourceClass::Order, 8);
        let mut inline = builder.inline();
        let mut rest = &inputs[..];
        while !rest.is_empty() || !inline.is_drained() {
            rest = &rest[source.push_slice(rest)..];
            inline.step().unwrap();
        }
        let (journal, digests) = naive(&inputs);
        assert_same_journal(&inline.journal().events, &journal, "inline");
        assert_eq!(toy::digests(inline.stages()), digests);
        assert_eq!(inline.last().seq, 3_000);
    }
}

#[test]
fn the_first_and_the_last_event_of_a_run_have_their_places() {
    for topology in TOPOLOGIES {
        let stopped = || InboundLong::new(Kind::EngineStopped, &EngineStopped::zeroed());
        let builder = builder(settings(topology, 2, 1), MoodyJournal::default());
        let mut builder = builder.open_with(InboundLong::from(toy::input(77, 0, false, 5)));
        let mut source = builder.source(SourceClass::Order, 512);
        push_all(&mut source, &inputs(400, 3));
        let running = builder.start(&Cores::detect()).unwrap();
        let finished = running.stop(StopMode::Drain, Some(stopped())).unwrap();
        let journal = finished.journal.events;
        assert_eq!((journal[0].head.seq, journal[0].head.source), (1, 0));
        let last = journal.last().unwrap();
        assert_eq!(
            (last.kind(), last.head.seq),
            (Some(Kind::EngineStopped), 402),
            "{topology}"
        );
        assert!(
            source.push(toy::input(1, 0, false, 9)).is_err(),
            "a source sees that it has ended"
        );
    }
}

#[test]
fn stopping_now_leaves_the_sources_alone_and_finishes_what_was_taken() {
    for topology in TOPOLOGIES {
        let mut builder = builder(settings(topology, 2, 1), MoodyJournal::default());
        let mut source = builder.source(SourceClass::Order, 4_096);
        let inputs = inputs(4_000, 4);
        push_all(&mut source, &inputs);
        let running = builder.start(&Cores::detect()).unwrap();
        let finished = running.stop(StopMode::Now, None).unwrap();
        let taken = finished.last.seq as usize;
        let (journal, digests) = naive(&inputs[..taken]);
        assert_same_journal(&finished.journal.events, &journal, topology);
        assert_eq!(digests_of(&finished.stages), digests);
    }
}

/// Always due again: a timer for every nanosecond.
struct Ticking(u64);

impl Schedule<Event> for Ticking {
    fn next_due_ns(&self) -> u64 {
        self.0
    }
    fn emit(&mut self, _now_ns: u64, out: &mut Event) -> bool {
        out.reset(Kind::Timer);
        true
    }
    fn observe(&mut self, event: &Event) {
        self.0 += u64::from(event.kind() == Some(Kind::Timer));
    }
}

#[test]
fn timers_and_busy_sources_do_not_come_after_the_last_event() {
    for (topology, mode) in [
        ("fused", StopMode::Now),
        ("split", StopMode::Drain),
        ("staged", StopMode::Now),
    ] {
        let (clock, time) = Clock::manual(1);
        let settings = settings(topology, 4, 2);
        let builder = Builder::new(
            settings,
            stages(),
            MoodyJournal::default(),
            clock,
            ClockMode::Wall,
        );
        let mut builder = builder.schedule(Box::new(Ticking(5)));
        let mut source = builder.source(SourceClass::Order, 64);
        let running = builder.start(&Cores::detect()).unwrap();
        let busy = std::thread::spawn(move || {
            while !source.is_closed() {
                time.advance(1);
                let _ = source.push(toy::input(1, 0, false, 0)); // full now and then, and closed at the end
                std::thread::yield_now();
            }
        });
        while running.counters().figures()[0].events < 200 {
            std::thread::yield_now();
        }
        let last = InboundLong::new(Kind::EngineStopped, &EngineStopped::zeroed());
        let finished = running.stop(mode, Some(last)).unwrap();
        busy.join().unwrap();
        let journal = finished.journal.events;
        assert_eq!(
            journal.last().unwrap().kind(),
            Some(Kind::EngineStopped),
            "{topology}"
        );
        assert!(
            (1..).zip(&journal).all(|(seq, event)| event.head.seq == seq),
            "{topology}"
        );
    }
}

fn end_of(running: Running<Event, MoodyJournal>) -> PipelineError {
    match running.join() {
        Ok(_) => panic!("it ended in good order"),
        Err(error) => error,
    }
}

#[test]
fn a_journal_that_fails_stops_every_thread_and_says_why() {
    for topology in TOPOLOGIES {
        let journal = MoodyJournal {
            fails_after: Some(50),
            ..MoodyJournal::default()
        };
        let mut builder = builder(settings(topology, 4, 2), journal);
        let mut source = builder.source(SourceClass::Order, 512);
        push_all(&mut source, &inputs(400, 5));
        let error = end_of(builder.start(&Cores::detect()).unwrap());
        let PipelineError::Journal(fault) = &error else {
            panic!("{topology}: {error}")
        };
        assert_eq!(fault.0.to_string(), "the toy disk is gone");
        assert!(source.is_closed());
    }
}

#[test]
fn a_stage_that_panics_stops_every_thread_and_is_named() {
    for topology in TOPOLOGIES {
        let (clock, mode) = (Clock::manual(1).0, ClockMode::Input);
        let settings = settings(topology, 4, 2);
        let mut builder = Builder::new(
            settings,
            stages_that_panic_at(100),
            MoodyJournal::default(),
            clock,
            mode,
        );
        let mut source = builder.source(SourceClass::Order, 512);
        push_all(&mut source, &inputs(400, 6));
        let error = end_of(builder.start(&Cores::detect()).unwrap());
        let PipelineError::Panicked { name, message } = &error else {
            panic!("{topology}: {error}")
        };
        assert!(
            name.contains("settle") && message.contains("told to panic"),
            "{error}"
        );
    }
}

#[test]
fn a_core_that_is_not_there_stops_the_start_only_where_it_is_required() {
    let pinned = |pin| {
        let topology = settings("split", 2, 1).topology.pinned(&[9_999]).unwrap();
        builder(
            Settings {
                topology,
                pin,
                ..settings("split", 2, 1)
            },
            MoodyJournal::default(),
        )
    };
    let running = pinned(PinPolicy::Try).start(&Cores::detect()).unwrap();
    assert_eq!(running.pin_warnings().len(), 1);
    running.stop(StopMode::Drain, None).unwrap();
    let refused = pinned(PinPolicy::Require).start(&Cores::detect());
    assert!(matches!(refused, Err(PipelineError::Pin { .. })));
}

#[test]
fn a_dropped_pipeline_ends_its_threads() {
    let mut builder = builder(settings("staged", 2, 1), MoodyJournal::full_every(1));
    let mut source = builder.source(SourceClass::Order, 64);
    push_all(&mut source, &inputs(64, 7));
    drop(builder.start(&Cores::detect()).unwrap());
    assert!(source.is_closed());
}
