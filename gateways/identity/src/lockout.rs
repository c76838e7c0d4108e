//! How many failures somebody may have.

use tradewind_domain::time::UnixNanos;

/// When a user or a key is locked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LockOut {
    /// Failures in a row after which it is.
    pub(crate) failures_max: u32,
    /// For how long, nanoseconds.
    pub(crate) lock_ns: u64,
}

/// What is remembered of somebody's failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failures {
    pub(crate) count: u32,
    pub(crate) locked_until_ns: UnixNanos,
}

impl Failures {
    /// Until when somebody is locked out, where he is.
    pub(crate) fn locked_until(&self, now_ns: UnixNanos) -> Option<UnixNanos> {
        (self.locked_until_ns > now_ns).then_some(self.locked_until_ns)
    }

    /// After one more failure. A lock that has ended starts the count anew.
    pub(crate) fn after_one_more(self, rules: LockOut, now_ns: UnixNanos) -> Self {
        let before = match self.locked_until_ns {
            0 => self.count,
            _ => 0,
        };
        let count = before.saturating_add(1);
        let is_locked = count >= rules.failures_max;
        Self {
            count,
            locked_until_ns: if is_locked {
                now_ns.saturating_add(rules.lock_ns)
            } else {
                0
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_failures_in_a_row_lock_out_and_the_count_begins_anew_behind_it() {
        let rules = LockOut {
            failures_max: 3,
            lock_ns: 100,
        };
        let mut failures = Failures::default();
        for now_ns in [10, 11] {
            failures = failures.after_one_more(rules, now_ns);
            assert_eq!(failures.locked_until(now_ns), None);
        }
        failures = failures.after_one_more(rules, 12);
        assert_eq!(failures.locked_until(13), Some(112));
        assert_eq!(failures.locked_until(112), None);
        failures = failures.after_one_more(rules, 200);
        assert_eq!(failures.count, 1);
        assert_eq!(failures.locked_until(201), None);
    }
}
