//! What the machine itself costs an event: stages that do nothing and a journal that keeps nothing, on one thread.
//!
//! A rise here is paid by every event of every workload. In batches of 32 it should stay below 30 ns.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Event, Inbound, Kind, Quote};
use tradewind_machine::append::NullJournal;
use tradewind_machine::clock::Clock;
use tradewind_machine::pipeline::{Builder, Settings};
use tradewind_machine::source::SourceClass;
use tradewind_machine::stage::{Stage, Stages};

struct Nothing;

impl Stage<Event> for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }
    fn process(&mut self, _event: &mut Event) {}
    fn apply(&mut self, _event: &Event) {}
    fn digest(&self, _sink: &mut dyn FnMut(&[u8])) {}
}

fn stages() -> Stages<Event> {
    std::array::from_fn(|_| Box::new(Nothing) as Box<dyn Stage<Event>>)
}

/// Nanoseconds per event of the pipeline's own cycles, where `group` messages wait at a time.
fn fused_ns(clock: &Clock, group: usize, event_count: usize) -> f64 {
    let settings = Settings::default();
    let mut builder = Builder::new(settings, stages(), NullJournal, clock.clone(), ClockMode::Wall);
    let mut source = builder.source(SourceClass::Order, 4_096);
    let mut pipe = builder.inline();
    let quote: Quote = bytemuck::Zeroable::zeroed();
    let messages = vec![Inbound::new(Kind::Quote, &quote).at(1); group];
    let (mut pushed, mut spent_ns) = (0, 0);
    while pushed < event_count {
        pushed += source.push_slice(&messages);
        let begun = clock.raw();
        pipe.run().expect("a journal that keeps nothing cannot fail");
        spent_ns += clock.span_ns(begun, clock.raw());
    }
    assert_eq!(pipe.last().seq, pushed as u64, "every message is numbered");
    spent_ns as f64 / pushed as f64
}

/// Nanoseconds of one reading of the clock.
fn clock_ns(clock: &Clock) -> f64 {
    let begun = clock.raw();
    let mut last = 0;
    for _ in 0..1_000_000 {
        last = std::hint::black_box(clock.now_ns());
    }
    assert!(last > 0);
    clock.span_ns(begun, clock.raw()) as f64 / 1e6
}

fn main() {
    let clock = Clock::start().expect("the helper thread of the clock");
    // `cargo test` runs benches small, so that they do not rot.
    let event_count = if std::env::args().any(|arg| arg == "--bench") {
        5_000_000
    } else {
        20_000
    };
    println!("clock reading: {:.1} ns", clock_ns(&clock));
    for group in [1, 8, 32, 1_024] {
        let best = (0..5)
            .map(|_| fused_ns(&clock, group, event_count))
            .fold(f64::MAX, f64::min);
        println!("fused, {group} waiting: {best:.1} ns an event");
    }
}
