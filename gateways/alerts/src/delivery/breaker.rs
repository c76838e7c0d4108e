//! A circuit breaker: a receiver that fails again and again is left alone for a while, then tried with one notification.

use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// Failures in a row that open it.
const FAILURES_MAX: u32 = 5;
/// How long it stays open, nanoseconds.
const OPEN_NS: u64 = 30 * NANOS_PER_SEC;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    failures: u32,
    open_until_ns: UnixNanos,
}

impl Breaker {
    /// The instant before which nothing is to be tried.
    pub(super) fn closed_from_ns(&self) -> UnixNanos {
        self.open_until_ns
    }

    pub(super) fn on_success(&mut self) {
        *self = Self::default();
    }

    /// One failure more; the failure of the trial opens it again.
    pub(super) fn on_failure(&mut self, now_ns: UnixNanos) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            self.open_until_ns = now_ns.saturating_add(OPEN_NS);
        }
    }
}
