//! What refused orders do to others: orders that pass come at a fixed rate, alone and with several between them that fail.
//!
//! Open loop: an order has a planned time, and its latency runs from there, so that what it waited for counts. Rounds with and without
//! refused orders take turns, each pair in the other order than the one before, so that both meet the same machine; what is told is the
//! median of the pairs' ratios, which a few pairs that something else disturbed do not move.

use super::firm::Firm;
use super::process;
use crate::percentiles::{Latencies, Latency};
use serde::Serialize;
use tradewind_domain::event::Event;
use tradewind_machine::clock::Clock;

/// Orders that pass come this often, nanoseconds.
const EVERY_NS: u64 = 10_000;
/// Refused orders between two that pass, in a storm.
const REFUSED: u64 = 3;
/// Pairs of rounds.
const PAIRS: u64 = 25;
/// Events of a batch at most, as the pipeline takes them.
const BATCH_MAX: usize = 64;

/// What a storm of refused orders does to those that pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Storm {
    /// Orders that pass, at 100,000 a second, from planned to decided.
    pub calm_ns: Latency,
    /// The same with three refused orders for each that passes.
    pub storm_ns: Latency,
    /// p99 in a storm as a multiple of p99 without, of each pair of rounds: the quarter, the half and three quarters of them that are
    /// lowest are at most this, in percent.
    pub p99_ratio_pct: [u64; 3],
}

/// Rounds of `count` orders that pass altogether, for each of both.
pub(super) fn compare(firm: &mut Firm, clock: &Clock, count: u64, out: &mut Event) -> Storm {
    let (mut calm, mut storm) = (Latencies::default(), Latencies::default());
    let mut ratios = Vec::new();
    for pair in 0..PAIRS {
        let mut round = |refused| run(firm, clock, (count / PAIRS).max(1), refused, out);
        let (alone, among) = if pair.is_multiple_of(2) {
            let alone = round(0);
            (alone, round(REFUSED))
        } else {
            let among = round(REFUSED);
            (round(0), among)
        };
        ratios.push(among.at(99.0) * 100 / alone.at(99.0).max(1));
        calm.add(&alone);
        storm.add(&among);
    }
    Storm {
        calm_ns: calm.summary(),
        storm_ns: storm.summary(),
        p99_ratio_pct: quartiles(ratios),
    }
}

/// The values a quarter, a half and three quarters of the way up; zeroes of none.
fn quartiles(mut values: Vec<u64>) -> [u64; 3] {
    values.sort_unstable();
    [1, 2, 3].map(|quarter| {
        let at = values.len().saturating_sub(1) * quarter / 4;
        values.get(at).copied().unwrap_or(0)
    })
}

/// Latencies of `count` orders that pass, from planned to decided, with `refused` others between each two.
fn run(firm: &mut Firm, clock: &Clock, count: u64, refused: u64, out: &mut Event) -> Latencies {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_disturbed_pair_moves_no_median() {
        assert_eq!(quartiles(vec![110, 2_300, 120, 90, 130]), [110, 120, 130]);
        assert_eq!(quartiles(vec![7]), [7; 3]);
        assert_eq!(quartiles(Vec::new()), [0; 3]);
    }
}
