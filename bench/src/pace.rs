//! When each message is planned to be sent.
//!
//! # Invariants
//! - Planned times are a function of the message's index alone: how the run goes does not move them.
//! - Messages are evenly spaced, and rounding never adds up: message `k` is `k` exact intervals after the start.

use std::fmt;
use std::str::FromStr;
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// How fast to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// As fast as the engine takes messages: a full ring holds the sender back.
    Max,
    /// Open loop: so many new orders a second, whatever the engine does. The other messages of the mix come in proportion.
    OrdersPerSecond(u64),
}

/// A rate that is neither `max` nor a number above zero.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rate is `max` or order cycles a second, from 1 to 1000000000, not `{0}`")]
pub struct RateError(String);

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        if text == "max" {
            return Ok(Rate::Max);
        }
        match text.parse() {
            Ok(rate @ 1..=1_000_000_000) => Ok(Rate::OrdersPerSecond(rate)),
            _ => Err(RateError(text.to_owned())),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Max => f.pad("max"),
            Rate::OrdersPerSecond(rate) => write!(f, "{rate}/s"),
        }
    }
}

/// Evenly spaced planned times.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    start_ns: UnixNanos,
    /// An interval in nanoseconds is `numerator / denominator`.
    numerator: u128,
    denominator: u128,
}

impl Pace {
    /// From `start_ns` on, `orders_per_s` orders a second where every `messages` messages hold `orders` orders. Rates of
    /// zero count as one.
    pub fn new(start_ns: UnixNanos, orders_per_s: u64, messages: u64, orders: u64) -> Self {
        Self {
            start_ns,
            numerator: u128::from(NANOS_PER_SEC) * u128::from(orders.max(1)),
            denominator: u128::from(orders_per_s.max(1)) * u128::from(messages.max(1)),
        }
    }

    /// When message `index` is planned, nanoseconds since 1970.
    #[inline]
    pub fn planned_ns(&self, index: u64) -> UnixNanos {
        let after = u128::from(index) * self.numerator / self.denominator;
        self.start_ns
            .saturating_add(u64::try_from(after).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_planned_whole_intervals_after_the_start() {
        // 250,000 cycles of two messages a second: one message every 2 us.
        let pace = Pace::new(1_000, 250_000, 2, 1);
        assert_eq!(
            [0, 1, 2, 500_000].map(|k| pace.planned_ns(k)),
            [1_000, 3_000, 5_000, 1_000_001_000]
        );
    }

    #[test]
    fn rounding_does_not_add_up() {
        // Three messages a second: an interval of 333,333,333.3 ns.
        let pace = Pace::new(0, 3, 1, 1);
        assert_eq!(pace.planned_ns(1), 333_333_333);
        assert_eq!(pace.planned_ns(3_000_000_000), 1_000_000_000 * NANOS_PER_SEC);
    }

    #[test]
    fn the_share_of_orders_sets_the_pace_of_the_whole_mix() {
        // 100 orders in 1,000 messages: 1,000 orders a second are 10,000 messages a second.
        let pace = Pace::new(0, 1_000, 1_000, 100);
        assert_eq!(pace.planned_ns(10_000), NANOS_PER_SEC);
    }

    #[test]
    fn a_rate_is_max_or_a_number() {
        assert_eq!("max".parse(), Ok(Rate::Max));
        assert_eq!("250000".parse(), Ok(Rate::OrdersPerSecond(250_000)));
        for bad in ["", "0", "-1", "fast", "1000000001"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
