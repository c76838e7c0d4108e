//! How old a mark is when the figure that has it is journaled.

use hdrhistogram::Histogram;
use serde::Serialize;
use tradewind_domain::time::UnixNanos;

/// The oldest age that is told apart, nanoseconds: an hour.
const AGE_MAX_NS: u64 = 3_600_000_000_000;

/// Ages of marks, in journaled nanoseconds from the mark to the figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AgeFigures {
    /// Figures that a mark has caused.
    pub count: u64,
    /// Median.
    pub p50_ns: u64,
    /// 99 of 100 are not older.
    pub p99_ns: u64,
    /// The oldest.
    pub max_ns: u64,
    /// The longest that a figure came later than the pause between two figures of a node asks for.
    pub late_max_ns: u64,
}

/// All ages of a run.
pub(crate) struct Ages {
    ages: Option<Histogram<u64>>,
    late_max_ns: u64,
    /// As `late_max_ns`, since somebody asked last.
    late_recent_ns: u64,
}

impl Ages {
    pub(crate) fn new() -> Self {
        Self {
            ages: Histogram::new_with_max(AGE_MAX_NS, 3).ok(),
            late_max_ns: 0,
            late_recent_ns: 0,
        }
    }

    /// A figure is journaled at `now_ns` that has a mark of `since_ns` and could have been sent at `due_ns`.
    pub(crate) fn add(&mut self, since_ns: UnixNanos, due_ns: UnixNanos, now_ns: UnixNanos) {
        if let Some(ages) = &mut self.ages {
            ages.saturating_record(now_ns.saturating_sub(since_ns));
        }
        let late_ns = now_ns.saturating_sub(due_ns.max(since_ns));
        self.late_max_ns = self.late_max_ns.max(late_ns);
        self.late_recent_ns = self.late_recent_ns.max(late_ns);
    }

    pub(crate) fn figures(&self) -> AgeFigures {
        let Some(ages) = self.ages.as_ref().filter(|ages| !ages.is_empty()) else {
            return AgeFigures::default();
        };
        AgeFigures {
            count: ages.len(),
            p50_ns: ages.value_at_quantile(0.5),
            p99_ns: ages.value_at_quantile(0.99),
            max_ns: ages.max(),
            late_max_ns: self.late_max_ns,
        }
    }

    /// How late the latest figure since the last call was.
    pub(crate) fn take_late_ns(&mut self) -> u64 {
        std::mem::take(&mut self.late_recent_ns)
    }
}
