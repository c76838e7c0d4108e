//! Rules: at which figure, held for how long, an incident opens, how bad it is, and when it is over.
//!
//! # Invariants
//! - A rule's steps rise in severity, and a figure that reaches a later step reaches the earlier ones.
//! - Thresholds and figures are integers in the metric's unit; nothing is divided.
//!
//! Not here: who is told (see `routes`), and the state of a rule for one subject (see `condition`).

use crate::fact::Metric;
use crate::severity::Severity;
use tradewind_domain::time::NANOS_PER_SEC;

/// How a figure is compared with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// `value >= threshold`.
    AtLeast,
    /// `value > threshold`.
    Above,
    /// `value <= threshold`.
    AtMost,
    /// `value < threshold`.
    Below,
}

impl Comparator {
    /// True where the figure is on the wrong side.
    pub const fn holds(self, value: i64, threshold: i64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::AtMost => value <= threshold,
            Self::Below => value < threshold,
        }
    }
}

/// When a figure counts as back to normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// On the good side of this percentage of the threshold (for falling thresholds: of 200 less it), strictly.
    Percent(u8),
    /// On the good side of this figure, strictly.
    At(i64),
}

/// One threshold of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// In the metric's unit; for things that happen, how many of them within the window.
    pub threshold: i64,
    /// Nanoseconds for which it must have held; 0 fires at once.
    pub for_ns: u64,
    /// How bad it is.
    pub severity: Severity,
}

/// What makes an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name, part of the key of its incidents.
    pub name: String,
    /// What it looks at.
    pub metric: Metric,
    /// How.
    pub comparator: Comparator,
    /// Thresholds, mild to severe.
    pub steps: Vec<Step>,
    /// When it is over.
    pub clear: Clear,
    /// Nanoseconds for which that must have held; for things that happen, the quiet after the last of them.
    pub clear_for_ns: u64,
    /// Nanoseconds over which things that happen are counted.
    pub window_ns: u64,
    /// Route in place of that of the severity; empty for that.
    pub route: String,
    /// What it makes of something worse is no worse than this.
    pub severity_max: Severity,
    /// True where it is switched off: it makes nothing.
    pub is_off: bool,
}

/// Default of [`Rule::clear_for_ns`].
pub const CLEAR_FOR_NS: u64 = 30 * NANOS_PER_SEC;
/// Default of [`Clear::Percent`].
pub const CLEAR_PERCENT: u8 = 95;
/// Default of [`Rule::window_ns`].
pub const WINDOW_NS: u64 = 60 * NANOS_PER_SEC;

impl Rule {
    /// A rule named after its metric, with `value >= threshold` and the defaults.
    pub fn new(metric: Metric, steps: Vec<Step>) -> Self {
        Self {
            name: metric.text().into(),
            metric,
            comparator: Comparator::AtLeast,
            steps,
            clear: Clear::Percent(CLEAR_PERCENT),
            clear_for_ns: CLEAR_FOR_NS,
            window_ns: WINDOW_NS,
            route: String::new(),
            severity_max: Severity::Critical,
            is_off: false,
        }
    }

    /// A rule that fires each time something happens.
    pub fn each(metric: Metric, severity: Severity) -> Self {
        Self::new(metric, vec![Step::at(1, severity)])
    }

    /// The same, switched off.
    pub fn switched_off(self) -> Self {
        Self {
            steps: Vec::new(),
            is_off: true,
            ..self
        }
    }

    /// A severity, no worse than the rule's worst.
    pub fn capped(&self, severity: Severity) -> Severity {
        severity.min(self.severity_max)
    }

    /// True where the figure is back to normal: beyond the clear threshold of the mildest step.
    pub fn is_clear(&self, value: i64) -> bool {
        let Some(step) = self.steps.first() else {
            return true;
        };
        let rises = matches!(self.comparator, Comparator::AtLeast | Comparator::Above);
        let (value, threshold) = (i128::from(value), i128::from(step.threshold));
        let (scaled, bound) = match self.clear {
            Clear::At(bound) => (value, i128::from(bound)),
            Clear::Percent(percent) => {
                let share = if rises {
                    i128::from(percent)
                } else {
                    200 - i128::from(percent)
                };
                (value * 100, threshold * share)
            }
        };
        // A threshold of zero has no share below it: off the threshold is clear.
        let strictly = if rises { scaled < bound } else { scaled > bound };
        strictly || (bound == 0 && !self.comparator.holds(step.threshold, step.threshold) && scaled == 0)
    }

    /// How many past events must be remembered to count to the highest threshold.
    pub fn stamps_max(&self) -> usize {
        let most = self.steps.iter().map(|step| step.threshold).max().unwrap_or(1);
        usize::try_from(most).unwrap_or(1).clamp(1, STAMPS_MAX)
    }
}

/// The highest count of events that a rule can ask for.
pub const STAMPS_MAX: usize = 1_024;

impl Step {
    /// A threshold that fires at once.
    pub const fn at(threshold: i64, severity: Severity) -> Self {
        Self {
            threshold,
            for_ns: 0,
            severity,
        }
    }

    /// With the time for which it must have held.
    pub const fn held_for(self, for_ns: u64) -> Self {
        Self { for_ns, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_that_fires_at_eighty_is_clear_below_seventy_six() {
        let rule = Rule::new(Metric::LimitUsage, vec![Step::at(8_000, Severity::Warning)]);
        for (value, is_clear) in [(8_100, false), (7_800, false), (7_600, false), (7_590, true)] {
            assert_eq!(rule.is_clear(value), is_clear, "{value}");
        }
    }

    #[test]
    fn a_switch_is_clear_at_zero_only() {
        let rule = Rule::each(Metric::ControlState, Severity::Error);
        assert!(rule.is_clear(0));
        assert!(!rule.is_clear(1));
    }

    #[test]
    fn a_threshold_from_above_is_clear_beyond_its_mirror() {
        let rule = Rule {
            comparator: Comparator::Below,
            ..Rule::new(Metric::QueueFill, vec![Step::at(100, Severity::Warning)])
        };
        assert!(Comparator::Below.holds(99, 100) && !Comparator::Below.holds(100, 100));
        for (value, is_clear) in [(99, false), (105, false), (106, true)] {
            assert_eq!(rule.is_clear(value), is_clear, "{value}");
        }
    }

    #[test]
    fn a_threshold_of_more_than_zero_is_clear_at_zero() {
        let rule = Rule {
            comparator: Comparator::Above,
            ..Rule::new(Metric::QuarantineOverdue, vec![Step::at(0, Severity::Error)])
        };
        assert!(rule.is_clear(0) && !rule.is_clear(1));
    }

    #[test]
    fn extreme_figures_overflow_nothing() {
        let rule = Rule::new(Metric::FeedSilent, vec![Step::at(i64::MAX, Severity::Error)]);
        assert!(rule.is_clear(i64::MIN) && !rule.is_clear(i64::MAX));
    }
}
