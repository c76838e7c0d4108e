//! What people are told of an incident, and when not: windows of maintenance.
//!
//! Invariant: an identifier names one thing that was said, whoever works it out again.

use super::{IncidentBook, WINDOWS_MAX};
use crate::fact::Maintenance;
use crate::incident::{Incident, time};
use crate::notification::{Cause, Notification, route_of};
use crate::severity::Severity;
use tradewind_domain::ids::NodeId;
use tradewind_domain::time::UnixNanos;

impl IncidentBook {
    pub(super) fn set_window(&mut self, window: &Maintenance, at_ns: UnixNanos) {
        if window.until_ns <= window.from_ns {
            self.windows.retain(|known| known.node != window.node);
            return;
        }
        if self.windows.len() == WINDOWS_MAX {
            self.windows.pop_front();
        }
        self.windows.push_back(window.clone());
        self.forget(at_ns);
    }

    /// True where a window of everything, or of one of the nodes above, is open.
    fn is_muted(&self, incident: &Incident, at_ns: UnixNanos) -> bool {
        let concerns = |node: NodeId| node.is_none() || incident.subject.chain.contains(&node);
        incident.severity < Severity::Critical
            && self
                .windows
                .iter()
                .any(|window| (window.from_ns..window.until_ns).contains(&at_ns) && concerns(window.node))
    }

    pub(super) fn notify(&mut self, number: u64, cause: Cause, level: u8, at_ns: UnixNanos) {
        let Some(incident) = self.incidents.get(&number) else {
            return;
        };
        let rule = self.rules.get(usize::from(incident.key.rule));
        let route = rule
            .map(|rule| rule.route.as_str())
            .filter(|route| !route.is_empty() && level == 1)
            .unwrap_or(route_of(incident.severity, level));
        let notification = Notification {
            id: notification_id(incident, cause, level),
            incident: number,
            cause,
            level,
            severity: incident.severity,
            rule: self.rule_name(&incident.key).into(),
            scope: incident.subject.scope.to_string(),
            instrument: incident.subject.instrument.to_string(),
            text: incident.text.clone(),
            count: incident.count,
            opened_at: time(incident.opened_ns),
            at: time(at_ns),
            at_ns,
            route: route.into(),
            muted: self.is_muted(incident, at_ns),
        };
        self.out.push(notification);
    }
}

fn notification_id(incident: &Incident, cause: Cause, level: u8) -> String {
    let number = incident.number;
    let clock = match incident.clock {
        0 => String::new(),
        clock => format!(".{clock}"),
    };
    match cause {
        Cause::Reminder => format!("{number}{clock}:1r{}", incident.reminders),
        Cause::Resolved => format!("{number}:end{}", incident.ends),
        _ => format!("{number}{clock}:{level}"),
    }
}
