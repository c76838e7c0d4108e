//! `tradewind bench limits`: what the limit check costs an order, by itself, with limits in force and tables of every size.
//!
//! The stage runs alone on one pinned thread, on batches as the pipeline gives them to it: it looks ahead at a batch, then decides and
//! applies each event. Every order is cancelled by its venue before long, so the tables keep their size; those reports are not
//! timed. The figure of a batch is its time by the clock divided by its orders.
//!
//! Not here: the other stages, the rings and the journal; those are `bench pipeline`'s.

mod firm;
mod storm;

pub use firm::{Firm, FirmConfig};
pub use storm::Storm;

use crate::percentiles::{Latencies, Latency};
use serde::Serialize;
use tradewind_domain::event::Event;
use tradewind_machine::clock::Clock;
use tradewind_machine::stage::{Expansion, Stage};

/// Events of a batch.
const BATCH: usize = 32;

/// Orders that are sent at a rate, in rounds; the events of a round are made before it.
const PACED_MAX: u64 = 50_000;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The firm.
    pub firm: FirmConfig,
    /// Orders that are timed, after as many tenths that are not.
    pub orders: u64,
}

/// Nanoseconds of one stage for one event.
#[derive(Clone, Debug, Serialize)]
pub struct LimitFigures {
    /// Accounts.
    pub accounts: u32,
    /// Limits that look at each order.
    pub limits_per_order: u32,
    /// Levels that they stand on.
    pub levels: u32,
    /// New orders that pass, each: a tenth are at most this. On a machine that others use it is nearest to what a quiet one shows.
    pub accepted_p10_ns: u64,
    /// New orders that pass, each.
    pub accepted_ns: Latency,
    /// New orders that break every limit that can be broken by size, each.
    pub rejected_ns: Latency,
    /// Fills of such orders, each.
    pub filled_ns: Latency,
    /// What refused orders do to others. Nothing where no limits are set.
    #[serde(flatten)]
    pub storm: Storm,
    /// New orders right behind a trade of an instrument that every account holds, that trade included.
    pub after_mark_ns: Latency,
    /// Pairs that such a trade lets be revalued.
    pub pairs_of_mark: u64,
    /// Limits that are set.
    pub limits_in_force: u64,
}

/// Runs the plan.
pub fn run(plan: &Plan, clock: &Clock) -> LimitFigures {
    let mut firm = Firm::new(&plan.firm);
    let mut batch = vec![Box::new(Event::empty()); BATCH];
    let mut out = Event::empty();
    let warm_up = plan.orders / 10;
    let accepted = orders(
        &mut firm,
        clock,
        plan.orders,
        warm_up,
        &mut batch,
        &mut out,
        false,
    );
    let rejected = if plan.firm.limits > 0 {
        orders(
            &mut firm,
            clock,
            plan.orders / 4,
            warm_up,
            &mut batch,
            &mut out,
            true,
        )
    } else {
        Latencies::default()
    };
    let filled = fills(&mut firm, clock, plan.orders / 4, &mut batch, &mut out);
    let paced = (plan.orders / 8).min(PACED_MAX);
    let storm = if plan.firm.limits > 0 {
        storm::compare(&mut firm, clock, paced, &mut out)
    } else {
        Storm::default()
    };
    let after_mark = marks(&mut firm, clock, plan.orders / 4, &mut out);
    LimitFigures {
        accounts: plan.firm.accounts,
        limits_per_order: firm.limits_per_order(),
        levels: firm::LEVELS,
        accepted_p10_ns: accepted.at(10.0),
        accepted_ns: accepted.summary(),
        rejected_ns: rejected.summary(),
        filled_ns: filled.summary(),
        storm,
        after_mark_ns: after_mark.summary(),
        pairs_of_mark: firm.pairs_of_mark(),
        limits_in_force: firm.limits_in_force(),
    }
}

/// Batches of new orders, timed; the reports that close them are not.
fn orders(
    firm: &mut Firm,
    clock: &Clock,
    count: u64,
    warm_up: u64,
    batch: &mut [Box<Event>],
    out: &mut Event,
    too_large: bool,
) -> Latencies {
    let mut latencies = Latencies::default();
    let mut done = 0;
    while done < count + warm_up {
        for event in batch.iter_mut() {
            firm.new_order(event, too_large);
        }
        let began = clock.raw();
        if too_large {
            process_refused(firm, batch, out);
        } else {
            process(firm, batch, out);
        }
        let each = clock.span_ns(began, clock.raw()) / batch.len() as u64;
        firm.expect(batch, too_large);
        if done >= warm_up {
            latencies.record(each);
        }
        done += batch.len() as u64;
        firm.close(batch, out);
    }
    latencies
}

/// Batches of fills, timed; the orders that they fill are not.
fn fills(firm: &mut Firm, clock: &Clock, count: u64, batch: &mut [Box<Event>], out: &mut Event) -> Latencies {
    let mut latencies = Latencies::default();
    let mut done = 0;
    while done < count {
        for event in batch.iter_mut() {
            firm.new_order(event, false);
        }
        process(firm, batch, out);
        firm.fills(batch);
        let began = clock.raw();
        process_fills(firm, batch, out);
        latencies.record(clock.span_ns(began, clock.raw()) / batch.len() as u64);
        firm.expect(batch, false);
        done += batch.len() as u64;
    }
    latencies
}

/// As `process`, under names of their own for profilers.
#[inline(never)]
fn process_refused(firm: &mut Firm, batch: &mut [Box<Event>], out: &mut Event) {
    process(firm, batch, out);
}

#[inline(never)]
fn process_fills(firm: &mut Firm, batch: &mut [Box<Event>], out: &mut Event) {
    process(firm, batch, out);
}

#[inline(never)]
fn process(firm: &mut Firm, batch: &mut [Box<Event>], out: &mut Event) {
    let stage = firm.stage();
    // When the batch is taken, and once more when the stages before have seen it.
    stage.look_ahead_at(batch);
    stage.look_ahead_at(batch);
    for event in batch.iter_mut() {
        stage.process(event);
        while stage.expand(out) != Expansion::Done {}
    }
}

/// A trade of the instrument that everyone holds, then one order, timed together.
fn marks(firm: &mut Firm, clock: &Clock, count: u64, out: &mut Event) -> Latencies {
    let mut latencies = Latencies::default();
    let mut pair = vec![Box::new(Event::empty()); 2];
    for _ in 0..count {
        let (trade, order) = pair.split_at_mut(1);
        firm.last_trade(&mut trade[0]);
        firm.new_order(&mut order[0], false);
        let began = clock.raw();
        process(firm, &mut pair, out);
        latencies.record(clock.span_ns(began, clock.raw()));
        firm.close(&mut pair[1..], out);
    }
    latencies
}
