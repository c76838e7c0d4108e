//! Incidents: OPEN, ACKNOWLEDGED, RESOLVED, and what is said about them.

use crate::escalation::{Timings, level};
use crate::fact::Subject;
use crate::severity::Severity;
use serde::Serialize;
use std::sync::Arc;
use tradewind_domain::time::{Rfc3339, UnixNanos};

/// Incidents of live figures are numbered from here; those of the journal lie below.
pub const LIVE_FIRST: u64 = 4_000_000_000_000_001;
/// Numbers that the incidents of one record have for themselves: an incident's number is its record's sequence number times
/// this, and some. So the words that people journaled about an incident still mean it when rules have changed since.
pub const NUMBERS_OF_A_RECORD: u64 = 100;

/// By what facts are one incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// Index of the rule.
    pub(crate) rule: u16,
    pub(crate) scope: Arc<str>,
    pub(crate) instrument: Arc<str>,
}

/// Where an incident is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Nobody has taken it: it escalates.
    Open,
    /// Somebody has taken it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl State {
    /// The name in listings.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Resolved => "RESOLVED",
        }
    }
}

/// What somebody, or the engine, did to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) at_ns: UnixNanos,
    /// Empty where nobody did it: it cleared by itself.
    pub(crate) user: String,
    pub(crate) comment: String,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Incident {
    pub(crate) number: u64,
    pub(crate) key: Key,
    pub(crate) subject: Subject,
    pub(crate) severity: Severity,
    pub(crate) opened_ns: UnixNanos,
    /// How often the clock of escalation was started anew.
    pub(crate) clock: u32,
    pub(crate) clock_ns: UnixNanos,
    /// Highest level that was told since then.
    pub(crate) level_told: u8,
    pub(crate) last_ns: UnixNanos,
    pub(crate) count: u64,
    /// What the last fact said.
    pub(crate) text: String,
    /// Since when the condition is gone, where only a person may end the incident.
    pub(crate) cleared_ns: Option<UnixNanos>,
    pub(crate) acknowledged: Option<Act>,
    pub(crate) resolved: Option<Act>,
    /// Reminders after the acknowledgement.
    pub(crate) reminders: u32,
    /// How often it ended.
    pub(crate) ends: u32,
}

impl Incident {
    pub(crate) fn state(&self) -> State {
        match (&self.resolved, &self.acknowledged) {
            (Some(_), _) => State::Resolved,
            (None, Some(_)) => State::Acknowledged,
            (None, None) => State::Open,
        }
    }

    /// When its clock stopped.
    pub(crate) fn stopped_ns(&self) -> Option<UnixNanos> {
        let acts = self.acknowledged.iter().chain(&self.resolved);
        acts.map(|act| act.at_ns).min()
    }

    pub(crate) fn row(&self, rule: &str, at_ns: UnixNanos, timings: &Timings) -> IncidentRow {
        let level = level(self.severity, self.clock_ns, self.stopped_ns(), at_ns, timings);
        let is_open = self.state() == State::Open;
        let next = (is_open && level < self.severity.level_max())
            .then(|| time(timings.due_ns(level.max(1) + 1, self.clock_ns)));
        let at = |act: &Option<Act>| act.as_ref().map(|act| time(act.at_ns));
        let by = |act: &Option<Act>| act.as_ref().map(|act| act.user.clone());
        let comment = |act: &Option<Act>| act.as_ref().map(|act| act.comment.clone());
        IncidentRow {
            id: self.number,
            live: self.number >= LIVE_FIRST,
            rule: rule.into(),
            scope: self.subject.scope.to_string(),
            instrument: self.subject.instrument.to_string(),
            severity: self.severity,
            state: self.state(),
            level,
            next_level_at: next,
            count: self.count,
            text: self.text.clone(),
            opened_at: time(self.opened_ns),
            last_at: time(self.last_ns),
            cleared_at: self.cleared_ns.map(time),
            acknowledged_at: at(&self.acknowledged),
            acknowledged_by: by(&self.acknowledged),
            acknowledge_comment: comment(&self.acknowledged),
            resolved_at: at(&self.resolved),
            resolved_by: by(&self.resolved),
            resolve_comment: comment(&self.resolved),
        }
    }
}

pub(crate) fn time(ns: UnixNanos) -> String {
    Rfc3339(ns).to_string()
}

/// An incident as listings show it. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentRow {
    /// Number, by which it is acknowledged.
    pub id: u64,
    /// True for an incident of live figures: not in the journal, gone with the run.
    pub live: bool,
    /// Rule that it is of.
    pub rule: String,
    /// Node, limit, venue or part of the engine.
    pub scope: String,
    /// Instrument; empty where it is not about one.
    pub instrument: String,
    /// How bad.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: State,
    /// Level of escalation, 1 to 3.
    pub level: u8,
    /// When the next level is reached unless somebody takes it.
    pub next_level_at: Option<String>,
    /// How often it fired.
    pub count: u64,
    /// What was said last.
    pub text: String,
    /// When it began.
    pub opened_at: String,
    /// When it fired last.
    pub last_at: String,
    /// Since when its condition is gone, where a person must end it.
    pub cleared_at: Option<String>,
    /// When somebody took it.
    pub acknowledged_at: Option<String>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// With which words.
    pub acknowledge_comment: Option<String>,
    /// When it ended.
    pub resolved_at: Option<String>,
    /// Who ended it; empty where it ended by itself.
    pub resolved_by: Option<String>,
    /// With which words.
    pub resolve_comment: Option<String>,
}
