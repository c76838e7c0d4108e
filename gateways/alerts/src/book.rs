//! The incidents, and the rules that make them: facts in, notifications out.
//!
//! # Invariants
//! - State and notifications follow from the facts and their times alone: whoever tells the same facts at the same times gets
//!   the same incidents, however often time was advanced in between.
//! - A fact goes before what is due at the same instant, so an acknowledgement on the last moment spares a level.
//! - There is at most one open incident for a key. What is held is bounded: incidents, conditions, timers, windows.
//!
//! Not here: where facts come from, what was sent, and the time.

mod change;
mod clock;
mod telling;
#[cfg(test)]
mod tests;

use crate::condition::{Condition, Due};
use crate::escalation::Timings;
use crate::fact::{Fact, Maintenance, Metric, Subject};
use crate::incident::{Act, Incident, IncidentRow, Key, NUMBERS_OF_A_RECORD, State};
use crate::notification::{Cause, Notification};
use crate::rule::Rule;
use crate::severity::Severity;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use tradewind_domain::time::UnixNanos;

/// Incidents that can be open at one time; more of a rule become one that says so.
pub const OPEN_MAX: usize = 10_000;
/// Resolved incidents that are remembered.
pub const RESOLVED_MAX: usize = 10_000;
/// Maintenance windows that are remembered.
const WINDOWS_MAX: usize = 1_024;
/// Scope of the incident that stands for those which no longer fit.
const OVERFLOW_SCOPE: &str = "(more)";

/// What is due without a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A condition has held, or been gone, for long enough.
    Condition(Key),
    /// The next level of an incident whose clock was not restarted since.
    Level { incident: u64, clock: u32, level: u8 },
    /// A reminder of an acknowledged incident.
    Remind {
        incident: u64,
        clock: u32,
        reminder: u32,
    },
}

/// The condition of a rule for one subject, and what was said of it last.
#[derive(Clone, PartialEq)]
struct Held {
    condition: Condition,
    /// When its timer stands.
    armed_ns: Option<UnixNanos>,
    /// The last figure, and the severity that came with it; `None` for things that happen.
    level: Option<(i64, Option<Severity>)>,
    subject: Subject,
    text: String,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct IncidentBook {
    rules: Arc<[Rule]>,
    timings: Timings,
    conditions: BTreeMap<Key, Held>,
    incidents: BTreeMap<u64, Incident>,
    /// The last incident of each key that is remembered.
    by_key: BTreeMap<Key, u64>,
    /// Resolved incidents, in the order in which they ended; one that was reopened since is skipped.
    resolved: VecDeque<(u64, UnixNanos)>,
    open: usize,
    timers: BTreeSet<(UnixNanos, Timer)>,
    windows: VecDeque<Maintenance>,
    next_number: u64,
    /// Sequence number of the last record.
    seq: u64,
    out: Vec<Notification>,
}

impl PartialEq for IncidentBook {
    /// What is due to be sent is not state.
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules
            && self.conditions == other.conditions
            && self.incidents == other.incidents
            && self.by_key == other.by_key
            && self.resolved == other.resolved
            && self.timers == other.timers
            && self.windows == other.windows
            && self.next_number == other.next_number
    }
}

impl IncidentBook {
    /// An empty book whose incidents are numbered from `first`.
    pub(crate) fn new(rules: Arc<[Rule]>, timings: Timings, first: u64) -> Self {
        Self {
            rules,
            timings,
            conditions: BTreeMap::new(),
            incidents: BTreeMap::new(),
            by_key: BTreeMap::new(),
            resolved: VecDeque::new(),
            open: 0,
            timers: BTreeSet::new(),
            windows: VecDeque::new(),
            next_number: first,
            seq: 0,
            out: Vec::new(),
        }
    }

    /// Facts that follow are of this record, or of the time after it.
    pub(crate) fn set_seq(&mut self, seq: u64) {
        self.seq = seq;
    }

    /// When something is due without a fact; `u64::MAX` for never.
    pub(crate) fn next_due_ns(&self) -> UnixNanos {
        self.timers.first().map_or(UnixNanos::MAX, |(due_ns, _)| *due_ns)
    }

    /// Runs the first timer; to be called at its time.
    pub(crate) fn run_due(&mut self) {
        let Some((due_ns, timer)) = self.timers.pop_first() else {
            return;
        };
        match timer {
            Timer::Condition(key) => self.run_condition(key, due_ns),
            Timer::Level {
                incident,
                clock,
                level,
            } => self.escalate(incident, clock, level, due_ns),
            Timer::Remind {
                incident,
                clock,
                reminder,
            } => self.remind(incident, clock, reminder, due_ns),
        }
    }

    /// Takes a fact. What was due before it has been run.
    pub(crate) fn on_fact(&mut self, fact: &Fact, at_ns: UnixNanos) {
        match fact {
            Fact::Level {
                metric,
                subject,
                value,
                at_least,
                text,
            } => self.each_rule(*metric, subject, |book, key, rule| {
                book.on_level(key, rule, (*value, *at_least), subject, text, at_ns);
            }),
            Fact::Event {
                metric,
                subject,
                severity,
                text,
            } => self.each_rule(*metric, subject, |book, key, rule| {
                let held = book.held(&key, rule, subject);
                let fires = held.condition.on_event(rule, *severity, at_ns);
                book.rearm(&key, rule);
                if let Some(severity) = fires {
                    book.fire(key, severity, subject, text, at_ns);
                }
            }),
            Fact::Acknowledge {
                incident,
                user,
                comment,
            } => self.acknowledge(*incident, act(at_ns, user, comment)),
            Fact::Resolve {
                incident,
                user,
                comment,
            } => self.resolve(*incident, act(at_ns, user, comment)),
            Fact::Maintenance(window) => self.set_window(window, at_ns),
        }
    }

    /// What people are to be told since the last call.
    pub(crate) fn drain(&mut self) -> Vec<Notification> {
        std::mem::take(&mut self.out)
    }

    /// True where nobody is to be told anything.
    pub(crate) fn is_quiet(&self) -> bool {
        self.out.is_empty()
    }

    /// Incidents that are not resolved.
    pub(crate) fn open_count(&self) -> usize {
        self.open
    }

    /// The worst severity of those.
    pub(crate) fn worst(&self) -> Option<Severity> {
        let open = self
            .incidents
            .values()
            .filter(|incident| incident.resolved.is_none());
        open.map(|incident| incident.severity).max()
    }

    /// Every incident that is remembered, by number.
    pub(crate) fn rows(&self, at_ns: UnixNanos) -> impl Iterator<Item = IncidentRow> + '_ {
        self.incidents
            .values()
            .map(move |incident| self.row_of(incident, at_ns))
    }

    /// One of them.
    pub(crate) fn row(&self, number: u64, at_ns: UnixNanos) -> Option<IncidentRow> {
        Some(self.row_of(self.incidents.get(&number)?, at_ns))
    }

    fn row_of(&self, incident: &Incident, at_ns: UnixNanos) -> IncidentRow {
        incident.row(self.rule_name(&incident.key), at_ns, &self.timings)
    }

    fn rule_name(&self, key: &Key) -> &str {
        self.rules
            .get(usize::from(key.rule))
            .map_or("", |rule| rule.name.as_str())
    }

    fn each_rule(&mut self, metric: Metric, subject: &Subject, mut act: impl FnMut(&mut Self, Key, &Rule)) {
        let rules = Arc::clone(&self.rules);
        let looks = |rule: &Rule| rule.metric == metric && !rule.is_off;
        for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| looks(rule)) {
            let key = Key {
                rule: index as u16,
                scope: Arc::clone(&subject.scope),
                instrument: Arc::clone(&subject.instrument),
            };
            act(self, key, rule);
        }
    }

    fn held(&mut self, key: &Key, rule: &Rule, subject: &Subject) -> &mut Held {
        self.conditions.entry(key.clone()).or_insert_with(|| Held {
            condition: Condition::new(rule),
            armed_ns: None,
            level: None,
            subject: subject.clone(),
            text: String::new(),
        })
    }

    fn on_level(
        &mut self,
        key: Key,
        rule: &Rule,
        (value, at_least): (i64, Option<Severity>),
        subject: &Subject,
        text: &str,
        at_ns: UnixNanos,
    ) {
        if !self.conditions.contains_key(&key) && Condition::is_idle(rule, value, at_least) {
            return;
        }
        let held = self.held(&key, rule, subject);
        held.level = Some((value, at_least));
        let fires = held.condition.on_level(rule, value, at_least, at_ns);
        held.text.clear();
        held.text.push_str(text);
        self.rearm(&key, rule);
        if let Some(severity) = fires {
            self.fire(key, severity, subject, text, at_ns);
        }
    }

    /// Moves a condition's timer to where it is due now.
    fn rearm(&mut self, key: &Key, rule: &Rule) {
        let Some(held) = self.conditions.get_mut(key) else {
            return;
        };
        let due_ns = held.condition.next_due_ns(rule);
        if due_ns == held.armed_ns {
            return;
        }
        let before_ns = std::mem::replace(&mut held.armed_ns, due_ns);
        if let Some(before_ns) = before_ns {
            self.timers.remove(&(before_ns, Timer::Condition(key.clone())));
        }
        if let Some(due_ns) = due_ns {
            self.timers.insert((due_ns, Timer::Condition(key.clone())));
        }
    }

    fn run_condition(&mut self, key: Key, at_ns: UnixNanos) {
        let rules = Arc::clone(&self.rules);
        let (Some(rule), Some(held)) = (rules.get(usize::from(key.rule)), self.conditions.get_mut(&key))
        else {
            return;
        };
        held.armed_ns = None;
        match held.condition.run_due(rule, at_ns) {
            Some(Due::Fire(severity)) => {
                let (subject, text) = (held.subject.clone(), held.text.clone());
                self.rearm(&key, rule);
                self.fire(key, severity, &subject, &text, at_ns);
            }
            Some(Due::Cleared) => {
                self.conditions.remove(&key);
                self.clear(&key, at_ns);
            }
            None => self.rearm(&key, rule),
        }
    }

    /// The condition of a key is gone.
    fn clear(&mut self, key: &Key, at_ns: UnixNanos) {
        let Some(incident) = self
            .by_key
            .get(key)
            .and_then(|number| self.incidents.get_mut(number))
        else {
            return;
        };
        if incident.severity.resolves_itself() {
            let number = incident.number;
            self.resolve(number, act(at_ns, "", ""));
        } else {
            incident.cleared_ns = Some(at_ns);
        }
    }

    /// A rule fires: an incident opens, counts on, gets worse, or comes back.
    fn fire(&mut self, key: Key, severity: Severity, subject: &Subject, text: &str, at_ns: UnixNanos) {
        let rule = self.rules.get(usize::from(key.rule));
        let severity = rule.map_or(severity, |rule| rule.capped(severity));
        let number = self.by_key.get(&key).copied();
        let known = number.and_then(|number| self.incidents.get_mut(&number));
        let Some(incident) = known else {
            return self.open(key, severity, subject, text, at_ns);
        };
        let ended_ns = incident.resolved.as_ref().map(|act| act.at_ns);
        if ended_ns.is_some_and(|ended_ns| at_ns.saturating_sub(ended_ns) > self.timings.reopen_ns) {
            return self.open(key, severity, subject, text, at_ns);
        }
        incident.count = incident.count.saturating_add(1);
        incident.last_ns = at_ns;
        incident.cleared_ns = None;
        incident.text.clear();
        incident.text.push_str(text);
        let (number, is_worse) = (incident.number, severity > incident.severity);
        incident.severity = incident.severity.max(severity);
        let comes_back = incident.resolved.take().is_some();
        let was_taken = incident.acknowledged.is_some();
        if comes_back {
            self.open += 1;
        }
        if is_worse {
            self.start_clock(number, at_ns, Cause::Raised);
        } else if comes_back && was_taken {
            self.start_clock(number, at_ns, Cause::Reopened);
        } else if comes_back {
            self.arm_levels(number, at_ns);
        }
    }

    fn open(&mut self, key: Key, severity: Severity, subject: &Subject, text: &str, at_ns: UnixNanos) {
        if self.open >= OPEN_MAX && &*key.scope != OVERFLOW_SCOPE {
            return self.open_for_more(&key, severity, text, at_ns);
        }
        let number = self.next_number.max(self.seq.saturating_mul(NUMBERS_OF_A_RECORD));
        self.next_number = number + 1;
        self.open += 1;
        self.by_key.insert(key.clone(), number);
        let incident = Incident {
            number,
            key,
            subject: subject.clone(),
            severity,
            opened_ns: at_ns,
            clock: 0,
            clock_ns: at_ns,
            level_told: 1,
            last_ns: at_ns,
            count: 1,
            text: text.into(),
            cleared_ns: None,
            acknowledged: None,
            resolved: None,
            reminders: 0,
            ends: 0,
        };
        self.incidents.insert(number, incident);
        self.notify(number, Cause::Opened, 1, at_ns);
        self.arm_levels(number, at_ns);
        self.forget(at_ns);
    }

    /// One incident of each rule stands for those that no longer fit; it is over when none came for a while.
    fn open_for_more(&mut self, key: &Key, severity: Severity, text: &str, at_ns: UnixNanos) {
        if let Some(armed_ns) = self.conditions.remove(key).and_then(|held| held.armed_ns) {
            self.timers.remove(&(armed_ns, Timer::Condition(key.clone())));
        }
        let rules = Arc::clone(&self.rules);
        let Some(rule) = rules.get(usize::from(key.rule)) else {
            return;
        };
        let more = Subject::engine(OVERFLOW_SCOPE);
        let key = Key {
            rule: key.rule,
            scope: Arc::clone(&more.scope),
            instrument: Arc::clone(&more.instrument),
        };
        self.held(&key, rule, &more)
            .condition
            .on_event(rule, Some(severity), at_ns);
        self.rearm(&key, rule);
        self.fire(key, severity, &more, text, at_ns);
    }

    /// The first acknowledgement counts; one of an incident that is over, or was not there yet, is none.
    fn acknowledge(&mut self, number: u64, act: Act) {
        let Some(incident) = self.incidents.get_mut(&number) else {
            return;
        };
        if incident.state() != State::Open || act.at_ns < incident.opened_ns {
            return;
        }
        let (clock, at_ns) = (incident.clock, act.at_ns);
        incident.acknowledged = Some(act);
        self.arm_reminder(number, clock, 1, at_ns);
    }

    fn resolve(&mut self, number: u64, act: Act) {
        let Some(incident) = self.incidents.get_mut(&number) else {
            return;
        };
        if incident.resolved.is_some() || act.at_ns < incident.opened_ns {
            return;
        }
        let at_ns = act.at_ns;
        incident.resolved = Some(act);
        incident.ends += 1;
        self.open -= 1;
        self.resolved.push_back((number, at_ns));
        self.notify(number, Cause::Resolved, 1, at_ns);
        self.forget(at_ns);
    }

    /// Drops the oldest resolved incidents beyond what is remembered.
    fn forget(&mut self, at_ns: UnixNanos) {
        while self.resolved.len() > RESOLVED_MAX {
            let Some((number, ended_ns)) = self.resolved.pop_front() else {
                return;
            };
            let is_over = |incident: &Incident| {
                incident
                    .resolved
                    .as_ref()
                    .is_some_and(|act| act.at_ns == ended_ns)
            };
            if self.incidents.get(&number).is_some_and(is_over)
                && let Some(incident) = self.incidents.remove(&number)
                && self.by_key.get(&incident.key) == Some(&number)
            {
                self.by_key.remove(&incident.key);
            }
        }
        // Timers of resolved incidents run out by themselves, within hours.
        self.windows.retain(|window| window.until_ns > at_ns);
    }
}

fn act(at_ns: UnixNanos, user: &str, comment: &str) -> Act {
    Act {
        at_ns,
        user: user.into(),
        comment: comment.into(),
    }
}
