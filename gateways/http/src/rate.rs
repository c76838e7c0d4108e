//! How many requests somebody may send: a bucket of tokens for each user, and for each address that is not logged in.
//!
//! Invariant: memory is bounded; buckets that are full again are forgotten.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use tradewind_domain::ids::UserId;
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// Buckets before full ones are looked for.
const BUCKETS_MAX: usize = 65_536;

/// Whose bucket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    User(UserId),
    Address(IpAddr),
}

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may go on.
    Now,
    /// It may come again after so many seconds, rounded up.
    After(u64),
}

/// A bucket: when it will be full again, nanoseconds (GCRA's theoretical arrival time).
type Bucket = UnixNanos;

/// All buckets.
pub(crate) struct Rates {
    per_second: u64,
    burst: u64,
    buckets: Mutex<HashMap<Who, Bucket>>,
}

impl Rates {
    /// So many requests a second, and so many at once. None a second means any number.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        Self {
            per_second: per_second.into(),
            burst: burst.max(1).into(),
            buckets: Mutex::default(),
        }
    }

    /// Takes a token.
    pub(crate) fn take(&self, who: Who, now_ns: UnixNanos) -> Turn {
        if self.per_second == 0 {
            return Turn::Now;
        }
        let each_ns = (NANOS_PER_SEC / self.per_second).max(1);
        let room_ns = each_ns.saturating_mul(self.burst);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, full_ns| *full_ns > now_ns);
            if buckets.len() >= BUCKETS_MAX {
                return Turn::After(1);
            }
        }
        let full_ns = buckets.entry(who).or_insert(now_ns);
        let next_ns = (*full_ns).max(now_ns).saturating_add(each_ns);
        if next_ns > now_ns.saturating_add(room_ns) {
            let wait_ns = next_ns - now_ns - room_ns;
            return Turn::After(wait_ns.div_ceil(NANOS_PER_SEC));
        }
        *full_ns = next_ns;
        Turn::Now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Who = Who::User(UserId(1));

    #[test]
    fn a_burst_passes_and_then_so_many_a_second() {
        let rates = Rates::new(10, 3);
        let passed = |now_ns| (0..10).filter(|_| rates.take(ANN, now_ns) == Turn::Now).count();
        assert_eq!(passed(0), 3);
        assert_eq!(rates.take(ANN, 0), Turn::After(1));
        assert_eq!(passed(100_000_000), 1);
        assert_eq!(passed(1_000_000_000), 3);
        assert_eq!(rates.take(Who::User(UserId(2)), 0), Turn::Now);
    }

    #[test]
    fn without_a_rate_everything_passes() {
        let rates = Rates::new(0, 0);
        assert!((0..1_000).all(|_| rates.take(ANN, 0) == Turn::Now));
    }
}
