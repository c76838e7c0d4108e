//! What refused orders do to others: orders that pass come at a fixed rate, alone and with several between them that fail.
//!
//! Open loop: an order has a planned time, and its latency runs from there, so that what it waited for counts.

use super::firm::Firm;
use super::process;
use crate::percentiles::Latencies;
use tradewind_domain::event::Event;
use tradewind_machine::clock::Clock;

/// Orders that pass come this often, nanoseconds.
const EVERY_NS: u64 = 10_000;
/// Refused orders between two that pass, in a storm.
pub(super) const REFUSED: u64 = 3;
/// Events of a batch at most, as the pipeline takes them.
const BATCH_MAX: usize = 64;

/// Latencies of `count` orders that pass, from planned to decided, with `refused` others between each two.
pub(super) fn run(firm: &mut Firm, clock: &Clock, count: u64, refused: u64, out: &mut Event) -> Latencies {
    let period = 1 + refused;
    let passes = |at: usize| (at as u64).is_multiple_of(period);
    let mut events: Vec<Box<Event>> = (0..(count * period) as usize)
        .map(|at| {
            let mut event = Box::new(Event::empty());
            firm.new_order(&mut event, !passes(at));
            event
        })
        .collect();
    let mut latencies = Latencies::default();
    let planned_ns = |at: usize| at as u64 * EVERY_NS / period;
    let began = clock.raw();
    let mut done = 0;
    while done < events.len() {
        let now_ns = clock.span_ns(began, clock.raw());
        let mut due = done;
        while due < events.len().min(done + BATCH_MAX) && planned_ns(due) <= now_ns {
            due += 1;
        }
        if due == done {
            std::hint::spin_loop();
            continue;
        }
        process(firm, &mut events[done..due], out);
        let ended_ns = clock.span_ns(began, clock.raw());
        for at in (done..due).filter(|&at| passes(at)) {
            latencies.record(ended_ns.saturating_sub(planned_ns(at)));
        }
        done = due;
    }
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event.is_rejected(), !passes(at), "outcome {}", event.head.outcome);
    }
    firm.close(&mut events, out);
    latencies
}
