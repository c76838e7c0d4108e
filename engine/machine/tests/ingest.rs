//! How sources become one sequence: order, fairness, time, timers.

mod toy;

use toy::{MoodyJournal, input, stages};
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Event, Inbound, InboundLong, Kind, Quote, Timer, head_flags};
use tradewind_domain::reject::Note;
use tradewind_machine::clock::{Clock, ManualTime};
use tradewind_machine::pipeline::{Builder, Inline, LastSeen, Schedule, Settings, StopMode};
use tradewind_machine::source::SourceClass;
use tradewind_machine::topology::StageName;

type Pipe = Inline<Event, MoodyJournal>;

fn builder(mode: ClockMode, now_ns: u64) -> (Builder<Event, MoodyJournal>, ManualTime) {
    let (clock, time) = Clock::manual(now_ns);
    (
        Builder::new(
            Settings::default(),
            stages(),
            MoodyJournal::default(),
            clock,
            mode,
        ),
        time,
    )
}

fn order(value: i64) -> Inbound {
    input(value, 0, false, 0)
}

fn values(pipe: &Pipe) -> Vec<i64> {
    pipe.journal()
        .events
        .iter()
        .map(|event| event.body::<Quote>().bid)
        .collect()
}

/// Something due at each of these times; the timer's body says when it was due.
struct Alarms {
    due: Vec<u64>,
    /// Due, but without an event.
    silent: Vec<u64>,
    /// After each input, something is due so much later.
    after_input: Option<u64>,
}

impl Schedule<Event> for Alarms {
    fn next_due_ns(&self) -> u64 {
        self.due.first().copied().unwrap_or(u64::MAX)
    }

    fn emit(&mut self, now_ns: u64, out: &mut Event) -> bool {
        let due_ns = self.next_due_ns();
        assert!(due_ns <= now_ns);
        if self.silent.contains(&due_ns) {
            self.due.remove(0);
            return false;
        }
        out.reset(Kind::Timer);
        out.body_mut::<Timer>().due_ns = due_ns;
        true
    }

    fn observe(&mut self, event: &Event) {
        match (event.kind(), self.after_input) {
            (Some(Kind::Timer), _) => assert_eq!(self.due.remove(0), event.body::<Timer>().due_ns),
            (_, Some(delay)) => self.due.push(event.head.recv_ns + delay),
            _ => {}
        }
    }
}

fn alarms(due: &[u64]) -> Alarms {
    Alarms {
        due: due.to_vec(),
        silent: Vec::new(),
        after_input: None,
    }
}

/// `(recv_ns, is a timer)` of each record.
fn times(pipe: &Pipe) -> Vec<(u64, bool)> {
    let events = &pipe.journal().events;
    events
        .iter()
        .map(|event| (event.head.recv_ns, event.kind() == Some(Kind::Timer)))
        .collect()
}

#[test]
fn numbers_rise_by_one_and_times_strictly_across_restarts_and_a_clock_that_stands_still() {
    let (builder, time) = builder(ClockMode::Wall, 1_000);
    let mut builder = builder.resume_after(LastSeen {
        seq: 41,
        recv_ns: 5_000,
    });
    let mut source = builder.source(SourceClass::Order, 64);
    let mut pipe = builder.inline();
    source.push_slice(&[order(1), order(2)]);
    pipe.run().unwrap();
    time.set(9_000);
    source.push_slice(&[order(3), order(4)]);
    pipe.run().unwrap();
    let heads: Vec<_> = pipe
        .journal()
        .events
        .iter()
        .map(|event| (event.head.seq, event.head.recv_ns))
        .collect();
    assert_eq!(heads, [(42, 5_001), (43, 5_002), (44, 9_000), (45, 9_001)]);
    assert_eq!(
        pipe.last(),
        LastSeen {
            seq: 45,
            recv_ns: 9_001
        }
    );
    assert!(
        pipe.journal()
            .events
            .iter()
            .all(|event| event.head.flags == head_flags::LAST)
    );
}

#[test]
fn in_input_mode_the_time_is_that_of_the_event() {
    let (mut builder, _) = builder(ClockMode::Input, 77);
    let mut source = builder.source(SourceClass::Order, 64);
    let mut pipe = builder.inline();
    for at_ns in [500, 400, 0, u64::MAX, 600] {
        assert!(source.push(input(1, 0, false, at_ns)).is_ok());
    }
    pipe.run().unwrap();
    let times: Vec<u64> = pipe
        .journal()
        .events
        .iter()
        .map(|event| event.head.recv_ns)
        .collect();
    assert_eq!(
        times,
        [500, 501, 502, 503, 600],
        "no stamp, or an absurd one, comes right after"
    );
}

#[test]
fn the_engine_comes_first_then_executions_then_admin_orders_and_market_data() {
    let (mut builder, _) = builder(ClockMode::Wall, 1);
    let mut market = builder.source(SourceClass::Market, 8);
    let mut orders = builder.source(SourceClass::Order, 8);
    let mut fills = builder.source(SourceClass::Priority, 8);
    let (admin, engine) = (builder.long_source(), builder.engine_source());
    assert!(market.push(order(5)).is_ok());
    assert!(orders.push(order(4)).is_ok());
    assert!(admin.push(order(3).into()).is_ok());
    assert!(fills.push(order(2)).is_ok());
    assert!(engine.push(order(1).into()).is_ok());
    let mut pipe = builder.inline();
    pipe.run().unwrap();
    assert_eq!(values(&pipe), [1, 2, 3, 4, 5]);
    let sources: Vec<u16> = pipe
        .journal()
        .events
        .iter()
        .map(|event| event.head.source)
        .collect();
    assert_eq!(sources, [0, fills.id(), 1, orders.id(), market.id()]);
}

#[test]
fn no_class_starves_while_all_are_flooded() {
    let (mut builder, _) = builder(ClockMode::Wall, 1);
    let classes = [SourceClass::Priority, SourceClass::Order, SourceClass::Market];
    let mut sources = classes.map(|class| builder.source(class, 64));
    let admin = builder.long_source();
    let mut pipe = builder.inline();
    for _ in 0..50 {
        for (value, source) in (1..).zip(&mut sources) {
            while source.push(order(value)).is_ok() {}
        }
        while admin.push(order(4).into()).is_ok() {}
        pipe.step().unwrap();
    }
    let count = |value| values(&pipe).into_iter().filter(|found| *found == value).count();
    assert_eq!(
        [count(1), count(2), count(3), count(4)],
        [50 * 16, 50 * 9, 50 * 3, 50 * 4]
    );
}

#[test]
fn rings_of_a_class_take_turns_and_keep_their_own_order() {
    let (mut builder, _) = builder(ClockMode::Wall, 1);
    let mut sources: Vec<_> = (0..5).map(|_| builder.source(SourceClass::Order, 256)).collect();
    for (index, source) in (0..).zip(&mut sources) {
        for n in 0..200 {
            assert!(source.push(order(index * 1_000 + n)).is_ok());
        }
    }
    let mut pipe = builder.inline();
    for _ in 0..10 {
        pipe.step().unwrap();
    }
    let values = values(&pipe);
    assert_eq!(values.len(), 320);
    for index in 0..5 {
        let own: Vec<i64> = values
            .iter()
            .filter(|value| *value / 1_000 == index)
            .map(|value| value % 1_000)
            .collect();
        assert!(
            (60..=68).contains(&own.len()),
            "source {index} had {} of 320",
            own.len()
        );
        assert!(own.iter().copied().eq(0..own.len() as i64));
    }
}

#[test]
fn what_no_source_may_send_is_counted_and_gets_no_number() {
    let (mut builder, _) = builder(ClockMode::Wall, 1);
    let mut source = builder.source(SourceClass::Order, 64);
    let (admin, engine) = (builder.long_source(), builder.engine_source());
    let mut pipe = builder.inline();
    for kind in [
        0,
        5,
        999,
        Kind::Timer as u16,
        Kind::EngineStarted as u16,
        Kind::OrderExpired as u16,
    ] {
        let mut message = order(1);
        message.kind = kind;
        assert!(source.push(message).is_ok());
    }
    let timer = || InboundLong::new(Kind::Timer, Event::empty().body::<Timer>());
    assert!(admin.push(timer()).is_ok());
    assert!(engine.push(timer()).is_ok());
    assert!(source.push(order(2)).is_ok());
    pipe.run().unwrap();
    let kinds: Vec<_> = pipe
        .journal()
        .events
        .iter()
        .map(|event| (event.head.seq, event.kind().unwrap()))
        .collect();
    assert_eq!(kinds, [(1, Kind::Timer), (2, Kind::Quote)]);
    assert_eq!(pipe.counters().figures()[StageName::Ingest as usize].refused, 7);
}

#[test]
fn what_is_due_comes_before_the_event_whose_time_makes_it_due() {
    let (builder, _) = builder(ClockMode::Input, 1);
    let schedule = Alarms {
        silent: vec![350],
        ..alarms(&[100, 200, 350, 400, 400, 9_000])
    };
    let mut builder = builder.schedule(Box::new(schedule));
    let mut source = builder.source(SourceClass::Order, 64);
    let mut pipe = builder.inline();
    for at_ns in [150, 400, 401, 500] {
        assert!(source.push(input(1, 0, false, at_ns)).is_ok());
    }
    pipe.run().unwrap();
    let expected = [
        (100, true),
        (150, false),
        (200, true),
        (400, true),
        (401, true),
        (402, false),
        (403, false),
        (500, false),
    ];
    assert_eq!(
        times(&pipe),
        expected,
        "the one at 350 has no event and no number, the one at 9000 is not due"
    );
}

#[test]
fn in_wall_mode_time_alone_makes_things_due_and_in_input_mode_it_does_not() {
    for (mode, expected) in [(ClockMode::Wall, 2), (ClockMode::Input, 0)] {
        let (builder, time) = builder(mode, 1);
        let mut pipe = builder.schedule(Box::new(alarms(&[100, 200, 300]))).inline();
        time.set(250);
        pipe.run().unwrap();
        assert_eq!(pipe.journal().events.len(), expected, "{mode}");
    }
}

#[test]
fn more_timers_than_slots_delay_an_event_and_lose_nothing() {
    let (mut builder, _) = builder(ClockMode::Input, 1);
    builder = builder.schedule(Box::new(alarms(&(100..200).collect::<Vec<_>>())));
    let mut source = builder.source(SourceClass::Order, 64);
    let mut pipe = builder.inline();
    source.push_slice(&[input(1, 0, false, 150), input(2, 0, false, 1_000)]);
    pipe.run().unwrap();
    assert!(pipe.is_drained());
    let times = times(&pipe);
    assert_eq!(times.len(), 102);
    assert_eq!(times[51], (151, false), "after the timers at 100 to 150");
    assert_eq!(times[101], (1_000, false));
    assert!(times.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn what_an_input_makes_due_at_once_follows_it_directly() {
    let (builder, _) = builder(ClockMode::Wall, 1_000);
    let mut builder = builder.schedule(Box::new(Alarms {
        after_input: Some(0),
        ..alarms(&[])
    }));
    let mut source = builder.source(SourceClass::Order, 64);
    let mut pipe = builder.inline();
    source.push_slice(&[order(1), order(2)]);
    pipe.run().unwrap();
    // The second event bears the same clock reading, so the timer of the first is due before it.
    assert_eq!(times(&pipe)[..2], [(1_000, false), (1_001, true)]);
    assert_eq!(
        values(&pipe).len(),
        3,
        "the timer of the second is due when the clock says so"
    );
}

#[test]
fn nothing_is_taken_behind_the_last_event_even_while_timers_delay_it() {
    let (builder, _) = builder(ClockMode::Input, 1);
    let mut builder = builder.schedule(Box::new(alarms(&(100..200).collect::<Vec<_>>())));
    let mut source = builder.source(SourceClass::Order, 64);
    let mut pipe = builder.inline();
    pipe.stopper().stop(
        StopMode::Drain,
        Some(InboundLong::from(input(9, 0, false, 1_000))),
    );
    pipe.step().unwrap();
    assert!(
        source.push(input(1, 0, false, 2_000)).is_err(),
        "a pipeline that stops closes its sources"
    );
    pipe.run().unwrap();
    let times = times(&pipe);
    assert_eq!((times.len(), times[100]), (101, (1_000, false)));
}

#[test]
fn a_journal_short_of_space_is_noted_on_the_orders_that_come_then_and_on_nothing_else() {
    let (clock, time) = Clock::manual(1);
    let journal = MoodyJournal {
        low_after: Some(2),
        ..MoodyJournal::default()
    };
    let mut builder = Builder::new(Settings::default(), stages(), journal, clock, ClockMode::Wall);
    let mut source = builder.source(SourceClass::Order, 64);
    let mut pipe = builder.inline();
    let of_kind = |kind: Kind| {
        let mut message = order(1);
        message.kind = kind as u16;
        message
    };
    let kinds = [
        Kind::OrderNew,
        Kind::OrderReplace,
        Kind::OrderCancel,
        Kind::VenueFill,
        Kind::Quote,
    ];
    for _ in 0..2 {
        source.push_slice(&kinds.map(of_kind));
        time.advance(10);
        pipe.run().unwrap();
    }
    let low = Note::JournalSpaceLow.bit();
    let notes: Vec<bool> = pipe
        .journal()
        .events
        .iter()
        .map(|event| event.head.notes & low != 0)
        .collect();
    let (before, after) = notes.split_at(kinds.len());
    assert_eq!(before, [false; 5]);
    assert_eq!(after, [true, true, false, false, false]);
}
