//! The state of one rule for one subject: which steps hold and since when, and since when it is clear again.
//!
//! # Invariants
//! - It fires once for each step that begins to hold, when it has held long enough; flapping between the clear threshold and
//!   the threshold fires nothing and clears nothing.
//! - Time is what the caller says; what is due in between is run by the caller at its own instant.
//!
//! Not here: incidents.

use crate::rule::Rule;
use crate::severity::Severity;
use std::collections::VecDeque;
use tradewind_domain::time::UnixNanos;

/// A step that holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    since_ns: Option<UnixNanos>,
    fired: bool,
}

/// What became due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A step has held long enough.
    Fire(Severity),
    /// Back to normal for long enough.
    Cleared,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    steps: Vec<Held>,
    /// Times of the last events, oldest first.
    stamps: VecDeque<UnixNanos>,
    clear_since_ns: Option<UnixNanos>,
}

impl Condition {
    pub(crate) fn new(rule: &Rule) -> Self {
        Self {
            steps: vec![Held::default(); rule.steps.len()],
            ..Self::default()
        }
    }

    /// True where a figure is of no interest to a rule that has no condition yet.
    pub(crate) fn is_idle(rule: &Rule, value: i64, at_least: Option<Severity>) -> bool {
        at_least.is_none()
            && !rule
                .steps
                .iter()
                .any(|step| rule.comparator.holds(value, step.threshold))
    }

    /// A figure. Returns the severity that fires now.
    pub(crate) fn on_level(
        &mut self,
        rule: &Rule,
        value: i64,
        at_least: Option<Severity>,
        at_ns: UnixNanos,
    ) -> Option<Severity> {
        let mut fires = at_least;
        for (held, step) in self.steps.iter_mut().zip(&rule.steps) {
            let holds = rule.comparator.holds(value, step.threshold)
                || at_least.is_some_and(|severity| severity >= step.severity);
            if !holds {
                *held = Held::default();
            } else if held.since_ns.is_none() {
                held.since_ns = Some(at_ns);
                held.fired = step.for_ns == 0;
                fires = fires.max(held.fired.then_some(step.severity));
            }
        }
        if at_least.is_none() && rule.is_clear(value) {
            self.clear_since_ns.get_or_insert(at_ns);
        } else {
            self.clear_since_ns = None;
        }
        fires
    }

    /// Something happened. Returns the severity that fires now: by the count within the window, or as the event says.
    pub(crate) fn on_event(
        &mut self,
        rule: &Rule,
        severity: Option<Severity>,
        at_ns: UnixNanos,
    ) -> Option<Severity> {
        while self
            .stamps
            .front()
            .is_some_and(|&stamp| stamp.saturating_add(rule.window_ns) <= at_ns)
        {
            self.stamps.pop_front();
        }
        if self.stamps.len() == rule.stamps_max() {
            self.stamps.pop_front();
        }
        self.stamps.push_back(at_ns);
        self.clear_since_ns = Some(at_ns);
        let count = self.stamps.len() as i64;
        let reached = rule
            .steps
            .iter()
            .filter(|step| rule.comparator.holds(count, step.threshold));
        reached.map(|step| step.severity).max().max(severity)
    }

    /// Nothing has happened since; what happened before counts no more.
    pub(crate) fn is_quiet_from(&mut self, at_ns: UnixNanos) {
        self.clear_since_ns = Some(at_ns);
    }

    /// When something is due without another fact.
    pub(crate) fn next_due_ns(&self, rule: &Rule) -> Option<UnixNanos> {
        let pending = self.steps.iter().zip(&rule.steps).filter(|(held, _)| !held.fired);
        let fires = pending.filter_map(|(held, step)| Some(held.since_ns?.saturating_add(step.for_ns)));
        let clears = self
            .clear_since_ns
            .map(|since_ns| since_ns.saturating_add(rule.clear_for_ns));
        fires.chain(clears).min()
    }

    /// What is due at `at_ns`.
    pub(crate) fn run_due(&mut self, rule: &Rule, at_ns: UnixNanos) -> Option<Due> {
        let mut fires = None;
        for (held, step) in self.steps.iter_mut().zip(&rule.steps) {
            let is_due = held
                .since_ns
                .is_some_and(|since_ns| since_ns.saturating_add(step.for_ns) <= at_ns);
            if is_due && !held.fired {
                held.fired = true;
                fires = fires.max(Some(step.severity));
            }
        }
        if let Some(severity) = fires {
            return Some(Due::Fire(severity));
        }
        let clears = self
            .clear_since_ns
            .is_some_and(|since_ns| since_ns.saturating_add(rule.clear_for_ns) <= at_ns);
        clears.then_some(Due::Cleared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Metric;
    use crate::rule::Step;
    use tradewind_domain::time::NANOS_PER_SEC as SEC;

    fn usage() -> Rule {
        Rule::new(
            Metric::LimitUsage,
            vec![
                Step::at(8_000, Severity::Warning),
                Step::at(9_500, Severity::Error),
            ],
        )
    }

    #[test]
    fn flapping_around_a_threshold_fires_once() {
        let rule = usage();
        let mut condition = Condition::new(&rule);
        assert_eq!(
            condition.on_level(&rule, 8_100, None, SEC),
            Some(Severity::Warning)
        );
        for second in 2..60 {
            let value = if second % 2 == 0 { 7_700 } else { 7_999 };
            assert_eq!(condition.on_level(&rule, value, None, second * SEC), None);
            assert_eq!(condition.next_due_ns(&rule), None);
        }
    }

    #[test]
    fn it_clears_after_thirty_seconds_below_the_clear_threshold() {
        let rule = usage();
        let mut condition = Condition::new(&rule);
        condition.on_level(&rule, 8_100, None, 0);
        condition.on_level(&rule, 7_800, None, SEC);
        assert_eq!(condition.next_due_ns(&rule), None);
        condition.on_level(&rule, 7_590, None, 2 * SEC);
        condition.on_level(&rule, 7_580, None, 9 * SEC); // the time counts from the first
        assert_eq!(condition.next_due_ns(&rule), Some(32 * SEC));
        assert_eq!(condition.run_due(&rule, 32 * SEC - 1), None);
        assert_eq!(condition.run_due(&rule, 32 * SEC), Some(Due::Cleared));
        condition.on_level(&rule, 7_700, None, 31 * SEC);
        assert_eq!(condition.next_due_ns(&rule), None, "back between the thresholds");
    }

    #[test]
    fn a_later_step_fires_when_it_is_reached() {
        let rule = usage();
        let mut condition = Condition::new(&rule);
        condition.on_level(&rule, 8_100, None, 0);
        assert_eq!(condition.on_level(&rule, 9_500, None, 1), Some(Severity::Error));
        assert_eq!(condition.on_level(&rule, 9_600, None, 2), None);
    }

    #[test]
    fn a_step_must_hold_for_its_time_without_a_break() {
        let rule = Rule::new(
            Metric::PipelineP99,
            vec![Step::at(100, Severity::Warning).held_for(10 * SEC)],
        );
        let mut condition = Condition::new(&rule);
        assert_eq!(condition.on_level(&rule, 100, None, 0), None);
        condition.on_level(&rule, 99, None, 9 * SEC);
        assert_eq!(condition.next_due_ns(&rule), None);
        condition.on_level(&rule, 120, None, 10 * SEC);
        assert_eq!(condition.next_due_ns(&rule), Some(20 * SEC));
        assert_eq!(
            condition.run_due(&rule, 20 * SEC),
            Some(Due::Fire(Severity::Warning))
        );
        assert_eq!(condition.next_due_ns(&rule), None);
    }

    #[test]
    fn a_limits_own_warning_holds_below_the_rules_threshold() {
        let rule = usage();
        let mut condition = Condition::new(&rule);
        let fires = condition.on_level(&rule, 7_000, Some(Severity::Warning), 0);
        assert_eq!(fires, Some(Severity::Warning));
        assert_eq!(condition.next_due_ns(&rule), None);
        condition.on_level(&rule, 0, None, SEC);
        assert_eq!(condition.next_due_ns(&rule), Some(31 * SEC));
    }

    #[test]
    fn the_third_event_within_the_window_is_worse() {
        let rule = Rule::new(
            Metric::LimitReject,
            vec![Step::at(1, Severity::Warning), Step::at(3, Severity::Error)],
        );
        let mut condition = Condition::new(&rule);
        let fires: Vec<_> = [0, 30, 60, 61, 89]
            .map(|second| condition.on_event(&rule, None, second * SEC).unwrap())
            .into();
        // At 60 the first is out of the window, at 61 there are 30, 60 and 61.
        let (w, e) = (Severity::Warning, Severity::Error);
        assert_eq!(fires, [w, w, w, e, e]);
        assert_eq!(condition.next_due_ns(&rule), Some(119 * SEC));
    }

    #[test]
    fn an_event_may_say_how_bad_it_is() {
        let rule = Rule::each(Metric::LimitBreach, Severity::Warning);
        let mut condition = Condition::new(&rule);
        assert_eq!(
            condition.on_event(&rule, Some(Severity::Critical), 0),
            Some(Severity::Critical)
        );
    }
}
