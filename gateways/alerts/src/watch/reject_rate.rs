//! The share of new orders that were refused in the last minute, told once a second while there is something to tell.
//!
//! Counts are kept in buckets of a second, so that a flood of orders costs no memory; the window is 60 whole seconds.

use crate::fact::{Fact, Metric, Subject};
use std::collections::VecDeque;
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// Seconds of the window.
const WINDOW_S: u64 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    second: u64,
    orders: u64,
    refused: u64,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RejectRate {
    orders_min: u64,
    buckets: VecDeque<Bucket>,
    /// Seconds before this one have been told.
    told_until: u64,
    told_bp: i64,
}

impl RejectRate {
    pub(super) fn new(orders_min: u64) -> Self {
        Self {
            orders_min,
            buckets: VecDeque::with_capacity(WINDOW_S as usize + 2),
            told_until: 0,
            told_bp: 0,
        }
    }

    pub(super) fn on_order(&mut self, at_ns: UnixNanos, refused: bool) {
        let second = at_ns / NANOS_PER_SEC;
        match self.buckets.back_mut() {
            Some(last) if last.second >= second => {
                last.orders += 1;
                last.refused += u64::from(refused);
            }
            _ => self.buckets.push_back(Bucket {
                second,
                orders: 1,
                refused: u64::from(refused),
            }),
        }
    }

    /// The end of the last second that was counted, and after that each second until the window is empty.
    pub(super) fn next_due_ns(&self) -> UnixNanos {
        let Some(last) = self.buckets.back() else {
            return UnixNanos::MAX;
        };
        let (first, end) = (self.buckets[0].second, (last.second + 1) * NANOS_PER_SEC);
        if self.told_until <= last.second {
            end
        } else {
            // Nothing new: what changes next is the oldest second leaving.
            (first + WINDOW_S + 1) * NANOS_PER_SEC
        }
    }

    pub(super) fn run_due(&mut self, at_ns: UnixNanos, out: &mut Vec<Fact>) {
        if self.next_due_ns() > at_ns {
            return;
        }
        let now = at_ns / NANOS_PER_SEC;
        while self
            .buckets
            .front()
            .is_some_and(|bucket| bucket.second + WINDOW_S < now)
        {
            self.buckets.pop_front();
        }
        self.told_until = now;
        let (orders, refused) = self
            .buckets
            .iter()
            .fold((0u64, 0u64), |(orders, refused), bucket| {
                (orders + bucket.orders, refused + bucket.refused)
            });
        let rate_bp = if orders == 0 || orders < self.orders_min {
            0
        } else {
            (u128::from(refused) * 10_000 / u128::from(orders)) as i64
        };
        if rate_bp == self.told_bp {
            return;
        }
        self.told_bp = rate_bp;
        out.push(Fact::Level {
            metric: Metric::RejectRate,
            subject: Subject::engine("orders"),
            value: rate_bp,
            at_least: None,
            text: format!("{refused} of {orders} new orders in the last minute were refused"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEC: u64 = NANOS_PER_SEC;

    /// Figures told up to a time, with their seconds.
    fn run(rate: &mut RejectRate, until_ns: u64) -> Vec<(u64, i64)> {
        let mut told = Vec::new();
        while rate.next_due_ns() <= until_ns {
            let (due_ns, mut out) = (rate.next_due_ns(), Vec::new());
            rate.run_due(due_ns, &mut out);
            told.extend(out.into_iter().map(|fact| match fact {
                Fact::Level { value, .. } => (due_ns / SEC, value),
                other => panic!("{other:?}"),
            }));
        }
        told
    }

    #[test]
    fn the_share_is_told_at_the_end_of_the_second_and_leaves_with_the_window() {
        let mut rate = RejectRate::new(20);
        for order in 0..20 {
            rate.on_order(5 * SEC + order, order < 2);
        }
        assert_eq!(run(&mut rate, 200 * SEC), [(6, 1_000), (66, 0)]);
        assert_eq!(rate.next_due_ns(), u64::MAX);
    }

    #[test]
    fn fewer_orders_than_the_minimum_have_no_rate() {
        let mut rate = RejectRate::new(20);
        for order in 0..19 {
            rate.on_order(5 * SEC + order, true);
        }
        assert_eq!(run(&mut rate, 10 * SEC), []);
        rate.on_order(11 * SEC, false);
        assert_eq!(run(&mut rate, 13 * SEC), [(12, 9_500)]);
    }

    #[test]
    fn orders_of_each_second_leave_after_sixty() {
        let mut rate = RejectRate::new(1);
        rate.on_order(0, true);
        assert_eq!(run(&mut rate, 29 * SEC), [(1, 10_000)]);
        rate.on_order(30 * SEC, false);
        assert_eq!(run(&mut rate, 300 * SEC), [(31, 5_000), (61, 0)]);
    }
}
