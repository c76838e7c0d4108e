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

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Address(_) => "address",
        }
    }
}

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may go on, and so many more at once.
    Now(Option<Left>),
    /// It may come again after so many seconds, rounded up.
    After(u64, Left),
}

/// What is left of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Whose bucket it is: `user` or `address`.
    name: &'static str,
    /// Requests that may come at once.
    requests: u64,
    /// Until it is full again, seconds, rounded up.
    full_after_s: u64,
    /// Requests of a full bucket, and how long an empty one takes to become full, seconds, rounded up.
    burst: u64,
    window_s: u64,
}

impl Left {
    /// The headers `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    pub(crate) fn headers(self) -> [(&'static str, String); 2] {
        let Self {
            name,
            requests,
            full_after_s,
            burst,
            window_s,
        } = self;
        [
            ("ratelimit", format!("\"{name}\";r={requests};t={full_after_s}")),
            ("ratelimit-policy", format!("\"{name}\";q={burst};w={window_s}")),
        ]
    }
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
            return Turn::Now(None);
        }
        let each_ns = (NANOS_PER_SEC / self.per_second).max(1);
        let room_ns = each_ns.saturating_mul(self.burst);
        let left = |full_ns: UnixNanos| {
            let owed_ns = full_ns.saturating_sub(now_ns);
            Left {
                name: who.name(),
                requests: room_ns.saturating_sub(owed_ns) / each_ns,
                full_after_s: owed_ns.div_ceil(NANOS_PER_SEC),
                burst: self.burst,
                window_s: room_ns.div_ceil(NANOS_PER_SEC),
            }
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, full_ns| *full_ns > now_ns);
            if buckets.len() >= BUCKETS_MAX {
                return Turn::After(1, left(now_ns.saturating_add(room_ns)));
            }
        }
        let full_ns = buckets.entry(who).or_insert(now_ns);
        let next_ns = (*full_ns).max(now_ns).saturating_add(each_ns);
        if next_ns > now_ns.saturating_add(room_ns) {
            let wait_ns = next_ns - now_ns - room_ns;
            return Turn::After(wait_ns.div_ceil(NANOS_PER_SEC), left(*full_ns));
        }
        *full_ns = next_ns;
        Turn::Now(Some(left(next_ns)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Who = Who::User(UserId(1));

    #[test]
    fn a_burst_passes_and_then_so_many_a_second() {
        let rates = Rates::new(10, 3);
        let passes = |who, now_ns| matches!(rates.take(who, now_ns), Turn::Now(_));
        let passed = |now_ns| (0..10).filter(|_| passes(ANN, now_ns)).count();
        assert_eq!(passed(0), 3);
        assert!(matches!(rates.take(ANN, 0), Turn::After(1, _)));
        assert_eq!(passed(100_000_000), 1);
        assert_eq!(passed(1_000_000_000), 3);
        assert!(passes(Who::User(UserId(2)), 0));
    }

    #[test]
    fn without_a_rate_everything_passes() {
        let rates = Rates::new(0, 0);
        assert!((0..1_000).all(|_| rates.take(ANN, 0) == Turn::Now(None)));
    }

    #[test]
    fn who_asks_is_told_what_is_left() {
        let rates = Rates::new(10, 30);
        let told = |turn| match turn {
            Turn::Now(Some(left)) | Turn::After(_, left) => left.headers().map(|(_, text)| text),
            Turn::Now(None) => Default::default(),
        };
        assert_eq!(
            told(rates.take(ANN, 0)),
            ["\"user\";r=29;t=1", "\"user\";q=30;w=3"]
        );
        let last = (0..29)
            .map(|_| told(rates.take(ANN, 0)))
            .last()
            .unwrap_or_default();
        assert_eq!(last[0], "\"user\";r=0;t=3");
        assert_eq!(told(rates.take(ANN, 0)), last);
        assert_eq!(told(rates.take(ANN, 1_000_000_000))[0], "\"user\";r=9;t=3");
    }
}
