//! Counts what differs between the record of an input and what the second world made of it.
//!
//! # Invariants
//! - What is kept grows with limits, accounts and reasons; of changed verdicts at most as many as asked for.

use crate::report::{ChangedOrder, Counts, Verdict};
use crate::subject::{Asked, Class, Subject, refused_by, spoke, value_of, verdict_of};
use crate::world::Step;
use std::collections::{BTreeMap, HashMap};
use tradewind_domain::codes::{LimitType, Side};
use tradewind_domain::event::{Event, Execution, HitKind, LimitSet};
use tradewind_domain::fixed::{Notional, Qty};
use tradewind_domain::ids::{AccountId, CurrencyId, LimitId};
use tradewind_domain::reject::RejectCode;
use tradewind_feeds::Registry;
use tradewind_views::{Names, Unit, px_or_none};

/// Number and value (base currency at 1e-16) of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) count: u64,
    pub(crate) value: i128,
}

impl Sum {
    fn add(&mut self, value: i128) {
        self.count += 1;
        self.value = self.value.saturating_add(value);
    }
}

/// What a limit did in both worlds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LimitSums {
    pub(crate) newly_rejected: Sum,
    pub(crate) newly_accepted: Sum,
    pub(crate) knock_on: u64,
    pub(crate) warnings: [u64; 2],
    pub(crate) alerts: [u64; 2],
}

#[derive(Clone, Debug, Default)]
pub(crate) struct AccountSums {
    pub(crate) orders: u64,
    pub(crate) newly_rejected: Sum,
    pub(crate) newly_accepted: Sum,
    pub(crate) dropped: Sum,
    /// Realised profit at 1e-8 in both worlds.
    pub(crate) realised: BTreeMap<CurrencyId, [i128; 2]>,
}

impl AccountSums {
    pub(crate) fn is_changed(&self) -> bool {
        let sums = [self.newly_rejected, self.newly_accepted, self.dropped];
        sums.iter().any(|sum| sum.count != 0) || self.realised.values().any(|[was, is]| was != is)
    }
}

/// Limits as they were set last in each world: a limit may be removed after it spoke.
#[derive(Default)]
pub(crate) struct Definitions {
    pub(crate) before: HashMap<LimitId, LimitSet>,
    pub(crate) after: HashMap<LimitId, LimitSet>,
}

impl Definitions {
    /// True where both worlds have the limit and it allows the same in both.
    fn is_same(&self, id: LimitId) -> bool {
        let allows = |set: &LimitSet| {
            (
                (set.hard, set.params, set.action, set.removed),
                (set.limit_type, set.node),
                (set.filter_instrument, set.filter_kind, set.filter_sector),
            )
        };
        match (self.before.get(&id), self.after.get(&id)) {
            (Some(before), Some(after)) => allows(before) == allows(after),
            _ => false,
        }
    }
}

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) counts: [Counts; 7],
    pub(crate) limits: BTreeMap<LimitId, LimitSums>,
    pub(crate) reasons: BTreeMap<u16, [u64; 2]>,
    pub(crate) accounts: BTreeMap<AccountId, AccountSums>,
    pub(crate) changed: Vec<ChangedOrder>,
    pub(crate) changed_count: u64,
    pub(crate) dropped_fills: Sum,
    pub(crate) cut_fills: u64,
    pub(crate) dropped_requests: u64,
    pub(crate) dropped_reports: u64,
    list_max: usize,
}

impl Tally {
    pub(crate) fn new(list_max: usize) -> Self {
        Self {
            list_max,
            ..Self::default()
        }
    }

    pub(crate) fn counts(&self, class: Class) -> Counts {
        self.counts[class as usize]
    }

    /// Takes a recorded input and what the second world made of it.
    pub(crate) fn see(
        &mut self,
        recorded: &Event,
        again: &Event,
        step: Step,
        registry: &Registry,
        definitions: &Definitions,
    ) {
        let class = Class::of(recorded);
        self.realise(recorded, 0);
        match (step, class) {
            (_, Class::Market) => return,
            (Step::Dropped, _) => return self.drop(recorded, class),
            (Step::Moot, _) => return self.dropped_requests += 1,
            (_, Class::Report) => return self.report(recorded, again),
            _ => {}
        }
        self.realise(again, 1);
        if let Step::Cut(qty) = step {
            self.cut(recorded, qty);
        }
        self.speak(recorded, 0);
        self.speak(again, 1);
        let subject = Subject::of_either(recorded, again);
        if class.asks() {
            self.accounts.entry(subject.account).or_default().orders += 1;
        }
        if !self.count(recorded, again, class) {
            return;
        }
        let decided = refused_by(decisive(recorded, again));
        let knock_on = decided.is_none() || definitions.is_same(decided);
        self.change(recorded, again, class, &subject, knock_on);
        self.changed_count += 1;
        if self.changed.len() < self.list_max {
            let entry = entry(recorded, again, &subject, registry, definitions);
            self.changed.push(ChangedOrder { knock_on, ..entry });
        }
    }

    /// Counts an input in its class. True where the verdict or its reason changed.
    fn count(&mut self, recorded: &Event, again: &Event, class: Class) -> bool {
        let counts = &mut self.counts[class as usize];
        let (was, is) = (!recorded.is_rejected(), !again.is_rejected());
        counts.inputs += 1;
        counts.accepted_before += u64::from(was);
        counts.rejected_before += u64::from(!was);
        counts.accepted += u64::from(is);
        counts.rejected += u64::from(!is);
        counts.newly_rejected += u64::from(was && !is);
        counts.newly_accepted += u64::from(!was && is);
        let reason = |event: &Event| (event.head.outcome, refused_by(event));
        let other_reason = !was && !is && reason(recorded) != reason(again);
        counts.reason_changed += u64::from(other_reason);
        was != is || other_reason
    }

    /// Puts a changed verdict to the account of whoever gave it: a limit, or a reason without one.
    fn change(&mut self, recorded: &Event, again: &Event, class: Class, subject: &Subject, knock_on: bool) {
        if recorded.is_rejected() == again.is_rejected() {
            return;
        }
        self.counts[class as usize].knock_on += u64::from(knock_on);
        if !class.asks() {
            return;
        }
        let (is_refusal, by) = (again.is_rejected(), decisive(recorded, again));
        let value = value_of(recorded).max(value_of(again));
        let account = self.accounts.entry(subject.account).or_default();
        let limit = refused_by(by);
        if is_refusal {
            account.newly_rejected.add(value);
        } else {
            account.newly_accepted.add(value);
        }
        if limit.is_none() {
            self.reasons.entry(by.head.outcome).or_default()[usize::from(!is_refusal)] += 1;
            return;
        }
        let sums = self.limits.entry(limit).or_default();
        sums.knock_on += u64::from(knock_on);
        if is_refusal {
            sums.newly_rejected.add(value);
        } else {
            sums.newly_accepted.add(value);
        }
    }

    /// Warnings and alerts, of the journal (0) or of the second world (1).
    fn speak(&mut self, event: &Event, world: usize) {
        for hit in spoke(event, HitKind::Warned) {
            self.limits.entry(hit.limit).or_default().warnings[world] += 1;
        }
        for hit in spoke(event, HitKind::Alerted) {
            self.limits.entry(hit.limit).or_default().alerts[world] += 1;
        }
    }

    fn realise(&mut self, event: &Event, world: usize) {
        if Class::of(event) != Class::Execution || event.is_rejected() {
            return;
        }
        let fill: &Execution = event.body();
        if fill.realised.is_zero() {
            return;
        }
        let account = self.accounts.entry(fill.account).or_default();
        let sum = &mut account.realised.entry(fill.currency).or_default()[world];
        *sum = sum.saturating_add(fill.realised.raw());
    }

    /// A report that was of use in the journal and is of none here: the replace that it answers was refused.
    fn report(&mut self, recorded: &Event, again: &Event) {
        self.dropped_reports += u64::from(!recorded.is_rejected() && again.is_rejected());
    }

    fn drop(&mut self, recorded: &Event, class: Class) {
        if class != Class::Execution {
            self.dropped_reports += 1;
        } else if !recorded.is_rejected() {
            self.drop_value(recorded, value_of(recorded));
        }
    }

    fn cut(&mut self, recorded: &Event, qty: i64) {
        let fill: &Execution = recorded.body();
        self.cut_fills += 1;
        let whole = i128::from(fill.qty.max(1));
        let value = fill.consumed.raw().checked_mul(i128::from(qty));
        let value = value.map_or(fill.consumed.raw(), |product| product / whole);
        self.dropped_fills.value = self.dropped_fills.value.saturating_add(value);
        self.accounts.entry(fill.account).or_default().dropped.add(value);
    }

    fn drop_value(&mut self, recorded: &Event, value: i128) {
        self.dropped_fills.add(value);
        let account = recorded.body::<Execution>().account;
        self.accounts.entry(account).or_default().dropped.add(value);
    }
}

/// Of two records the one whose refusal makes the difference.
fn decisive<'a>(recorded: &'a Event, again: &'a Event) -> &'a Event {
    if again.is_rejected() { again } else { recorded }
}

fn entry(
    recorded: &Event,
    again: &Event,
    subject: &Subject,
    registry: &Registry,
    definitions: &Definitions,
) -> ChangedOrder {
    let (names, asked) = (Names(registry), Asked::of(recorded));
    let value = value_of(recorded).max(value_of(again));
    let side = Side::from_code(asked.side);
    ChangedOrder {
        seq: recorded.head.seq,
        recv_ns: recorded.head.recv_ns,
        kind: recorded.kind().map_or("", tradewind_domain::event::Kind::text),
        id: asked.id,
        account: names.account(subject.account),
        node: names.node(subject.leaf),
        symbol: names.symbol(subject.instrument),
        side: side.map_or_else(String::new, |side| side.to_string()),
        qty: asked.qty.map(|qty| Qty::from_raw(qty).to_string()),
        px: asked.px.and_then(px_or_none),
        value: (value != 0).then(|| Notional::from_raw(value).to_string()),
        knock_on: false,
        before: verdict(recorded, registry, &definitions.before),
        after: verdict(again, registry, &definitions.after),
    }
}

fn verdict(event: &Event, registry: &Registry, limits: &HashMap<LimitId, LimitSet>) -> Verdict {
    let names = Names(registry);
    let first = refused_by(event);
    let mut said = Verdict {
        accepted: !event.is_rejected(),
        code: event.is_rejected().then(|| code_text(event.head.outcome)),
        limit: (!first.is_none()).then(|| names.limit(first)),
        used: None,
        hard: None,
        unit: None,
        also: Vec::new(),
    };
    if first.is_none() {
        return said;
    }
    let figures = |raw: i128, code: u16| {
        let set = limits.get(&first)?;
        let limit_type = LimitType::from_code(set.limit_type)?;
        let unit = Unit::of_hit(limit_type, RejectCode::from_number(code), &set.params);
        Some((unit.show(raw, &set.params), unit.text()))
    };
    if let Some((used, unit)) = figures(verdict_of(event).used, event.head.outcome) {
        (said.used, said.unit) = (Some(used), Some(unit));
    }
    for hit in spoke(event, HitKind::Refused) {
        if hit.limit == first {
            said.hard = figures(hit.hard, hit.code).map(|(hard, _)| hard);
        } else {
            said.also.push(names.limit(hit.limit));
        }
    }
    said
}

/// Name of a reject code; the number where this build does not know it.
pub(crate) fn code_text(number: u16) -> String {
    RejectCode::from_number(number).map_or_else(|| number.to_string(), |code| code.text().to_owned())
}
