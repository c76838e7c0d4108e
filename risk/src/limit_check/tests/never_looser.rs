//! No limit is loosened by a restart, a replay, an outage of the entitlement source, or a change that is meant to tighten: the streams
//! are those of the naive model, with limits of all types at once and changes of all kinds in them.

use super::naive::{Trial, capacities};
use super::world::{A2, World, digest, outcome};
use crate::{LimitCheck, Validate};
use tradewind_domain::codes::{LimitType, Side};
use tradewind_domain::event::{Event, LimitSet, head_flags};
use tradewind_machine::stage::{Expansion, Stage as _};

/// Stages rebuilt from records alone, up to a cut.
struct Rebuilt {
    validate: Validate,
    limit: LimitCheck,
}

impl Rebuilt {
    fn from(records: &[Event]) -> Self {
        let (capacities, key) = (capacities(), *b"0123456789abcdef");
        let mut stages = Self {
            validate: Validate::new(&capacities),
            limit: LimitCheck::new(&capacities, &key),
        };
        for record in records {
            stages.validate.apply(record);
            stages.limit.apply(record);
            if record.head.flags & head_flags::LAST != 0 {
                stages.drain();
            }
        }
        stages
    }

    /// Marks reach all pairs before the next input, as in the run that recorded.
    fn drain(&mut self) {
        self.limit.book.hierarchy.drain(usize::MAX);
    }

    /// Effects that are still to come of the input before.
    fn effects(&mut self, group: &mut Vec<Event>) {
        let head = group[0].head;
        loop {
            let mut effect = Event::empty();
            match self.limit.expand(&mut effect) {
                Expansion::Done => break,
                Expansion::Busy => {}
                Expansion::Produced => {
                    effect.head.seq = head.seq;
                    effect.head.part = group.len() as u32;
                    effect.head.recv_ns = head.recv_ns;
                    group.push(effect);
                }
            }
        }
        self.drain();
    }

    /// Decides an input, with all its effects.
    fn decide(&mut self, mut event: Event) -> Vec<Event> {
        self.validate.process(&mut event);
        self.limit.process(&mut event);
        let mut group = vec![event];
        self.effects(&mut group);
        group
    }
}

/// What a record says, its checksums and places apart.
fn said(event: &Event) -> (u16, u16, &'static str, Vec<u8>, Vec<u8>) {
    let kind = event.head.kind;
    (
        kind,
        event.head.part as u16,
        outcome(event),
        event.body_bytes().to_vec(),
        event.tail().to_vec(),
    )
}

#[test]
fn a_stage_that_was_rebuilt_from_its_records_goes_on_with_the_same_verdicts() {
    let mut types = Vec::new();
    for seed in 0..12 {
        let mut trial = Trial::new(7_000 + seed);
        (0..250).for_each(|step| trial.step(step));
        types.extend(trial.in_force().into_iter().map(|set| set.limit_type));
        let part = trial.below(1_000) as usize;
        let records = trial.records();
        // In the middle of a group too: what a crash has cut off is finished.
        let cut = records.len() / 4 + records.len() / 2 * part / 1_000;
        let mut rebuilt = Rebuilt::from(&records[..cut]);
        let mut at = cut;
        if records[cut - 1].head.flags & head_flags::LAST == 0 {
            let from = (0..cut).rev().find(|&at| records[at].head.part == 0).unwrap();
            let mut group = records[from..cut].to_vec();
            rebuilt.effects(&mut group);
            for (finished, recorded) in group.iter().zip(&records[from..]) {
                assert_eq!(said(finished), said(recorded), "seed {seed}, cut {cut}");
            }
            at = from + group.len();
        }
        while at < records.len() {
            for decided in rebuilt.decide(trial.inputs()[records[at].head.seq as usize - 1]) {
                assert_eq!(
                    said(&decided),
                    said(&records[at]),
                    "seed {seed}, cut {cut}, record {at}"
                );
                at += 1;
            }
        }
        assert!(
            digest(&rebuilt.limit) == digest(trial.stage()),
            "seed {seed}, cut {cut}"
        );
    }
    let missing = LimitType::ALL
        .iter()
        .find(|limit_type| !types.contains(&(**limit_type as u8)));
    assert_eq!(missing, None, "a type that no restart met");
}

#[test]
fn what_passes_during_an_outage_passes_without_one() {
    let (mut passed, mut held_back) = (0, 0);
    for seed in 0..12 {
        let mut trial = Trial::new(8_000 + seed);
        for step in 0..250 {
            trial.step(step);
            trial.set_source(step % 3 == 0);
            for _ in 0..3 {
                let order = trial.some_probe();
                let during = trial.ask(&order);
                let without = trial.ask_without_outage(&order);
                assert!(
                    during != "OK" || without == "OK",
                    "{without} without an outage: {order:?}, seed {seed}, step {step}"
                );
                passed += u32::from(during == "OK");
                held_back += u32::from(during != "OK" && without == "OK");
            }
        }
    }
    assert!(
        passed > 100 && held_back > 100,
        "{passed} passed, {held_back} held back"
    );
}

/// A change that tightens: a lower figure, one more limit, a copy of a limit without its filter.
fn tighten(trial: &mut Trial) -> LimitSet {
    let limits = trial.in_force();
    let set = limits[trial.below(limits.len() as u64) as usize];
    match trial.below(3) {
        0 => {
            // A rate has at least one message a period, and a burst that is not above it.
            let is_rate = [11, 12, 13].contains(&set.limit_type);
            let hard = (set.hard * i128::from(trial.below(100)) / 100).max(i128::from(is_rate));
            let mut lower = LimitSet { hard, ..set };
            if is_rate {
                lower.params[2] = lower.params[2].min(hard as i64);
            }
            lower
        }
        1 => {
            let limit_type = LimitType::ALL[trial.below(LimitType::ALL.len() as u64) as usize];
            trial.some_limit(limit_type)
        }
        _ => trial.filterless(&set),
    }
}

#[test]
fn a_lower_figure_one_more_limit_and_a_copy_without_filter_let_no_refused_order_pass() {
    let (mut still_refused, mut refused_now) = (0, 0);
    for seed in 0..200 {
        let mut trial = Trial::new(9_000 + seed);
        (0..60).for_each(|step| trial.step(step));
        for round in 0..12 {
            let orders: Vec<_> = (0..8).map(|_| trial.some_probe()).collect();
            let before: Vec<_> = orders.iter().map(|order| trial.ask(order)).collect();
            let change = tighten(&mut trial);
            if !trial.change(&change) {
                continue;
            }
            for (order, before) in orders.iter().zip(before) {
                let after = trial.ask(order);
                assert!(
                    before == "OK" || after != "OK",
                    "{before} before {change:?}: {order:?}, seed {seed}, round {round}"
                );
                still_refused += u32::from(before != "OK");
                refused_now += u32::from(before == "OK" && after != "OK");
            }
        }
    }
    assert!(
        still_refused > 1_000 && refused_now > 50,
        "{still_refused} still refused, {refused_now} refused now"
    );
}

/// A client that had used up its burst could go on at once when its rate was lowered, or its period made longer: the arrival time stayed
/// the same, and under the new rate it meant fewer messages.
#[test]
fn a_lower_rate_or_a_longer_period_forgives_no_message() {
    for (hard, period_ms) in [(5, 1_000), (10, 10_000)] {
        let mut world = World::new();
        world.limit(0, A2, LimitType::OrderRate, 10, [1_000, 1, 5, 0, 0, 0]);
        for at in 0..5 {
            let order = world.place(&format!("o{at}"), A2, Side::Buy, "1", "10");
            assert_eq!(outcome(&order), "OK");
        }
        assert_eq!(
            outcome(&world.place("o5", A2, Side::Buy, "1", "10")),
            "ORDER_RATE_EXCEEDED"
        );
        world.limit(0, A2, LimitType::OrderRate, hard, [period_ms, 1, 5, 0, 0, 0]);
        assert_eq!(
            outcome(&world.place("o6", A2, Side::Buy, "1", "10")),
            "ORDER_RATE_EXCEEDED"
        );
        world.now_ns += period_ms as u64 * 1_000_000 / hard as u64 + 1;
        assert_eq!(outcome(&world.place("o7", A2, Side::Buy, "1", "10")), "OK");
    }
}
