//! A stream: random events into the stage and the model, one after the other.

use super::super::world::{World, dec, digest, outcome};
use super::firm::{self, ACCOUNTS, Rng};
use super::history::History;
use super::verdict::{Answer, named};
use crate::limit_check::{LimitCheck, hits};
use bytemuck::Zeroable;
use std::collections::BTreeMap;
use tradewind_domain::codes::LimitType;
use tradewind_domain::event::{
    Body, Control, DerivedOrder, EntitlementSource, Event, HitKind, Kind, LimitSet, OrderNew,
};
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::InstrumentId;
use tradewind_domain::text::Symbol;
use tradewind_machine::stage::Stage as _;

/// Steps between comparisons of the whole state with the replica.
const DIGEST_EVERY: u64 = 100;

/// The first seed whose streams have fundings and margins beside dividends: those before are as they were when they found errors.
pub(super) const ALL_ACTIONS_FROM: u64 = 20_000;

/// What the streams met: a comparison that never had anything to compare would prove nothing.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) accepted: u64,
    pub(super) refused: BTreeMap<&'static str, u64>,
    pub(super) warned: u64,
    pub(super) alerted: u64,
    pub(super) held: u64,
    pub(super) trips: u64,
    pub(super) breaches: u64,
    pub(super) probes: u64,
    pub(super) corrected: u64,
    pub(super) settled: u64,
    pub(super) dividends: u64,
    pub(super) fundings: u64,
    pub(super) margins: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.warned += other.warned;
        self.alerted += other.alerted;
        self.held += other.held;
        self.trips += other.trips;
        self.breaches += other.breaches;
        self.probes += other.probes;
        self.corrected += other.corrected;
        self.settled += other.settled;
        self.dividends += other.dividends;
        self.fundings += other.fundings;
        self.margins += other.margins;
        for (code, count) in &other.refused {
            *self.refused.entry(code).or_default() += count;
        }
    }

    /// A run of some length has met everything that the model knows.
    pub(super) fn check(&self, steps: u64) {
        if steps >= 10_000 {
            let counts = [
                self.accepted,
                self.warned,
                self.alerted,
                self.held,
                self.trips,
                self.breaches,
                self.probes,
                self.corrected,
                self.settled,
                self.dividends,
                self.fundings,
                self.margins,
            ];
            assert!(
                counts.iter().all(|&count| count > 0),
                "something never happened: {counts:?}"
            );
            assert!(
                self.refused.len() >= 35,
                "reasons that were met: {:?}",
                self.refused.keys()
            );
        }
    }
}

/// One stream.
pub(in crate::limit_check::tests) struct Trial {
    pub(super) world: World,
    pub(super) history: History,
    pub(super) rng: Rng,
    pub(super) seed: u64,
    pub(super) step: u64,
    pub(super) names: u64,
    pub(super) limits: u32,
    pub(super) seen: Seen,
}

impl Trial {
    pub(in crate::limit_check::tests) fn new(seed: u64) -> Self {
        let rng = Rng(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let (world, history) = firm::build();
        let mut trial = Self {
            world,
            history,
            rng,
            seed,
            step: 0,
            names: 0,
            limits: 0,
            seen: Seen::default(),
        };
        // One that is never removed: equal orders are remembered while such a limit is in force.
        trial.set_limit(LimitType::DupContent);
        for &limit_type in LimitType::ALL {
            trial.set_limit(limit_type);
        }
        for _ in 0..8 {
            trial.more_limits();
        }
        for instrument in 0..7 {
            trial.last(instrument);
        }
        for &account in ACCOUNTS {
            for currency in 0..3 {
                trial.pay(account, currency, Kind::Deposit, dec("6000"));
            }
        }
        for node in 0..trial.history.nodes.len() as u32 {
            trial.value(node);
        }
        trial
    }

    pub(super) fn at(&self) -> String {
        format!("NAIVE_FIRST={} step {}", self.seed, self.step)
    }

    /// Sends an event at the time that the history has moved on to; gives the group of records.
    pub(super) fn send<T: Body>(&mut self, kind: Kind, body: &T) -> Vec<Event> {
        let mut event = Event::empty();
        event.reset(kind);
        *event.body_mut() = *body;
        self.run(event)
    }

    pub(super) fn run(&mut self, event: Event) -> Vec<Event> {
        let from = self.world.records.len();
        self.world.now_ns = self.history.now_ns;
        self.world.run(event);
        for stage in [&mut self.world.limit, &mut self.world.replica] {
            stage.book.hierarchy.drain(usize::MAX);
        }
        let group = self.world.records[from..].to_vec();
        self.history.at += 1;
        self.note_effects(&group);
        group
    }

    pub(in crate::limit_check::tests) fn step(&mut self, step: u64) {
        self.step = step;
        let pause = match self.rng.below(40) {
            0 => self.rng.below(3_600_000_000_000),
            1..=4 => self.rng.below(10_000_000_000),
            _ => self.rng.below(300_000_000),
        };
        self.history.now_ns += pause + 1;
        match self.rng.below(100) {
            0..=41 => self.place(),
            42..=48 => self.replace(),
            49..=53 => self.cancel(),
            54..=61 => self.report(&[Kind::VenueAck, Kind::VenueReplaced]),
            62..=74 => self.fill(),
            75..=77 => self.report(&[
                Kind::VenueReject,
                Kind::VenueCancelled,
                Kind::VenueCancelReject,
                Kind::VenueExpired,
                Kind::OrderUnknown,
                Kind::VenueStatus,
            ]),
            78..=79 => self.report(&[Kind::VenueCancelled]),
            80..=81 => self.trade(),
            82 => self.correct(),
            83 => self.bust(),
            84..=87 => {
                let instrument = self.rng.below(7) as u32;
                self.last(instrument);
            }
            88 => self.market(),
            89..=90 => {
                let (account, currency) = (self.rng.pick(ACCOUNTS), self.rng.below(3) as u16);
                let kind = self.rng.pick(&[Kind::Deposit, Kind::Deposit, Kind::Withdrawal]);
                let amount = self.rng.range(1, 9_000) * ONE;
                self.pay(account, currency, kind, amount);
            }
            91..=93 => {
                let node = self.rng.below(self.history.nodes.len() as u64) as u32;
                self.value(node);
            }
            94 => self.change_limit(),
            95 => self.list(),
            96..=97 => self.control(),
            98 if self.rng.one_in(2) => self.corporate(),
            98 => self.source(),
            _ => self.roll(),
        }
        if self.rng.one_in(12) {
            self.rearm();
        }
        self.check_sums();
        self.check_states();
        self.probe();
        if step.is_multiple_of(DIGEST_EVERY) {
            self.check_replica();
        }
    }

    /// At the end of a stream.
    pub(super) fn finish(&mut self) {
        self.check_replica();
        assert_eq!(self.world.limit.faults(), 0, "{}", self.at());
    }

    pub(super) fn check_replica(&self) {
        assert!(
            digest(&self.world.limit) == digest(&self.world.replica),
            "replica, {}",
            self.at()
        );
    }

    pub(super) fn name(&mut self, letter: char) -> String {
        self.names += 1;
        format!("{letter}{}", self.names)
    }

    // For tests that look at the stage alone

    pub(in crate::limit_check::tests) fn records(&self) -> &[Event] {
        &self.world.records
    }

    pub(in crate::limit_check::tests) fn inputs(&self) -> &[Event] {
        &self.world.inputs
    }

    pub(in crate::limit_check::tests) fn stage(&self) -> &LimitCheck {
        &self.world.limit
    }

    pub(in crate::limit_check::tests) fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    pub(in crate::limit_check::tests) fn in_force(&self) -> Vec<LimitSet> {
        self.history.in_force()
    }

    /// The answer to a probe of an order.
    pub(in crate::limit_check::tests) fn ask(&mut self, order: &OrderNew) -> &'static str {
        outcome(&self.send(Kind::Probe, order)[0])
    }

    /// The answer of the same stage if the entitlement source were up.
    pub(in crate::limit_check::tests) fn ask_without_outage(&mut self, order: &OrderNew) -> &'static str {
        let down_since = std::mem::take(&mut self.world.limit.book.outage_ns);
        let answer = self.ask(order);
        self.world.limit.book.outage_ns = down_since;
        answer
    }

    /// A limit of a type somewhere in the firm, new.
    pub(in crate::limit_check::tests) fn some_limit(&mut self, limit_type: LimitType) -> LimitSet {
        self.limits += 1;
        firm::random_limit(&mut self.rng, self.limits - 1, limit_type)
    }

    /// Another limit like this one, for all instruments.
    pub(in crate::limit_check::tests) fn filterless(&mut self, set: &LimitSet) -> LimitSet {
        LimitSet {
            filter_instrument: InstrumentId::NONE,
            filter_kind: 0,
            filter_sector: Symbol::EMPTY,
            label: set.label,
            limit: self.some_limit(LimitType::MaxOrderQty).limit,
            ..*set
        }
    }

    /// Sets a limit; false where it is refused.
    pub(in crate::limit_check::tests) fn change(&mut self, set: &LimitSet) -> bool {
        let accepted = !self.send(Kind::LimitSet, set)[0].is_rejected();
        if accepted {
            self.history.limits.push((self.history.at, *set));
        }
        accepted
    }

    /// The entitlement source goes down or up.
    pub(in crate::limit_check::tests) fn set_source(&mut self, up: bool) {
        let body = EntitlementSource {
            up: u8::from(up),
            ..EntitlementSource::zeroed()
        };
        self.send(Kind::EntitlementSource, &body);
        self.history.sources.push((self.history.now_ns, up));
    }

    // What records say

    /// States that limits set.
    pub(super) fn note_effects(&mut self, group: &[Event]) {
        for record in group
            .iter()
            .filter(|record| record.kind() == Some(Kind::StateChanged))
        {
            let control: &Control = record.body();
            if control.lapses == 0 {
                self.history.trips.push((self.history.at, control.limit.0));
            }
        }
    }

    /// Orders that effects have ended, asked to cancel or let out.
    pub(super) fn note_orders(&mut self, effects: &[Event]) {
        for record in effects {
            if matches!(
                record.kind(),
                Some(Kind::OrderExpired | Kind::CancelRequested | Kind::OrderReleased)
            ) {
                let view = record.body::<DerivedOrder>().view;
                let order = self.history.order(view.order_id.0).unwrap();
                self.went(order, view.state_after);
            }
        }
    }

    pub(super) fn note_warnings(&mut self, answer: &Answer, instrument: usize) {
        for said in &answer.warned {
            let set = self.history.limit(said.limit.unwrap()).unwrap();
            let key = self.history.warning(&set, instrument);
            self.history.warnings.push(key);
        }
    }

    pub(super) fn hits_of(&self, event: &Event, count: u16, kind: HitKind) -> Vec<u32> {
        hits(event, count)
            .filter(|hit| hit.kind == kind as u8)
            .filter_map(|hit| named(hit.limit))
            .collect()
    }
}
