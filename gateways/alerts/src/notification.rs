//! What people are told, once each.

use crate::severity::Severity;
use serde::Serialize;

/// Why people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An incident opened.
    Opened,
    /// It got worse: its clock starts anew.
    Raised,
    /// It came back after somebody had taken it: its clock starts anew.
    Reopened,
    /// Nobody has taken it: the next level.
    Escalated,
    /// Somebody took it and it is still not over.
    Reminder,
    /// It is over.
    Resolved,
    /// More notifications than a route takes in a minute, summed up.
    Summary,
}

impl Cause {
    /// The name in messages.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Raised => "raised",
            Self::Reopened => "reopened",
            Self::Escalated => "escalated",
            Self::Reminder => "reminder",
            Self::Resolved => "resolved",
            Self::Summary => "summary",
        }
    }
}

/// One notification. A receiver may get it twice after a crash, with the same `id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// Which notification of which incident: `INCIDENT:LEVEL`, with the restart of the clock or the reminder where there is one.
    pub id: String,
    /// Number of the incident.
    pub incident: u64,
    /// Why.
    pub cause: Cause,
    /// Level of escalation, 1 to 3.
    pub level: u8,
    /// How bad.
    pub severity: Severity,
    /// Rule.
    pub rule: String,
    /// Node, limit, venue or part of the engine.
    pub scope: String,
    /// Instrument; empty where it is not about one.
    pub instrument: String,
    /// What happened.
    pub text: String,
    /// How often it fired.
    pub count: u64,
    /// When the incident began, RFC 3339 in UTC.
    pub opened_at: String,
    /// When this notification was due, RFC 3339 in UTC.
    pub at: String,
    /// The same in nanoseconds.
    pub at_ns: u64,
    /// Who is to be told: the name of a route.
    pub route: String,
    /// True within a maintenance window: recorded, not sent.
    pub muted: bool,
}

impl Notification {
    /// All of it in a line, without the time: `alert 12 WARNING level 1 opened: limit_usage FIRM/DAY: ...`
    pub fn line(&self) -> String {
        let instrument = match self.instrument.as_str() {
            "" => String::new(),
            instrument => format!(" {instrument}"),
        };
        format!(
            "alert {} {} level {} {}: {} {}{instrument}: {}",
            self.incident,
            self.severity,
            self.level,
            self.cause.text(),
            self.rule,
            self.scope,
            self.text
        )
    }
}

/// The route of a level: that of the severity for level 1, those of the higher levels by their number.
pub fn route_of(severity: Severity, level: u8) -> &'static str {
    match (level, severity) {
        (2, _) => "level2",
        (3.., _) => "level3",
        (_, Severity::Info) => "info",
        (_, Severity::Warning) => "warning",
        (_, Severity::Error) => "error",
        (_, Severity::Critical) => "critical",
    }
}
