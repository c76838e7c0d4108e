//! The clock of an incident that nobody has taken: levels, and reminders once somebody has.
//!
//! Invariant: a timer of a clock that was started anew does nothing.

use super::{IncidentBook, Timer};
use crate::incident::State;
use crate::notification::Cause;
use tradewind_domain::time::UnixNanos;

impl IncidentBook {
    /// The clock of escalation starts anew; nobody has taken the incident any more.
    pub(super) fn start_clock(&mut self, number: u64, at_ns: UnixNanos, cause: Cause) {
        let Some(incident) = self.incidents.get_mut(&number) else {
            return;
        };
        incident.clock += 1;
        incident.clock_ns = at_ns;
        incident.level_told = 1;
        incident.acknowledged = None;
        incident.reminders = 0;
        self.notify(number, cause, 1, at_ns);
        self.arm_levels(number, at_ns);
    }

    /// Timers of the levels to come; one whose time has passed while the incident was resolved is due now.
    pub(super) fn arm_levels(&mut self, number: u64, at_ns: UnixNanos) {
        let Some(incident) = self.incidents.get(&number) else {
            return;
        };
        for level in 2..=incident.severity.level_max() {
            let due_ns = self.timings.due_ns(level, incident.clock_ns).max(at_ns);
            let timer = Timer::Level {
                incident: number,
                clock: incident.clock,
                level,
            };
            self.timers.insert((due_ns, timer));
        }
    }

    pub(super) fn escalate(&mut self, number: u64, clock: u32, level: u8, at_ns: UnixNanos) {
        let Some(incident) = self.incidents.get_mut(&number) else {
            return;
        };
        // One that was resolved and came back may have two timers for a level.
        let is_due =
            incident.state() == State::Open && incident.clock == clock && incident.level_told < level;
        if is_due {
            incident.level_told = level;
            self.notify(number, Cause::Escalated, level, at_ns);
        }
    }

    pub(super) fn remind(&mut self, number: u64, clock: u32, reminder: u32, at_ns: UnixNanos) {
        let Some(incident) = self.incidents.get_mut(&number) else {
            return;
        };
        let is_due = incident.state() == State::Acknowledged
            && incident.clock == clock
            && incident.reminders + 1 == reminder;
        if !is_due {
            return;
        }
        incident.reminders = reminder;
        self.notify(number, Cause::Reminder, 1, at_ns);
        self.arm_reminder(number, clock, reminder + 1, at_ns);
    }

    pub(super) fn arm_reminder(&mut self, incident: u64, clock: u32, reminder: u32, at_ns: UnixNanos) {
        let timer = Timer::Remind {
            incident,
            clock,
            reminder,
        };
        self.timers
            .insert((at_ns.saturating_add(self.timings.renotify_ns), timer));
    }
}
