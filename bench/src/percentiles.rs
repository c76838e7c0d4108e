//! Percentiles of latencies.

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest latency that is told apart, 60 s in nanoseconds; longer ones count as this.
const LATENCY_MAX_NS: u64 = 60_000_000_000;
/// Significant digits.
const DIGITS: u8 = 3;

/// A histogram of latencies, 1 ns to 60 s with three digits.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_MAX_NS, DIGITS)
            .expect("Invariant: the bounds of the histogram are constants that it takes");
        Self(histogram)
    }
}

impl Latencies {
    /// Adds one, nanoseconds.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        self.0.saturating_record(ns);
    }

    /// Adds those of another.
    pub fn add(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("Invariant: all histograms have the same bounds");
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The value that this share of all are at most, in percent.
    pub fn at(&self, percent: f64) -> u64 {
        self.0.value_at_percentile(percent)
    }

    /// The percentiles.
    pub fn summary(&self) -> Latency {
        Latency::of(&self.0)
    }
}

/// Percentiles in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half are at most this.
    pub p50: u64,
    /// 90 %.
    pub p90: u64,
    /// 99 %.
    pub p99: u64,
    /// 99.9 %.
    pub p999: u64,
    /// 99.99 %.
    pub p9999: u64,
    /// All.
    pub max: u64,
    /// Samples.
    pub count: u64,
}

impl Latency {
    /// Of any histogram of nanoseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile);
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            p9999: at(0.9999),
            max: histogram.max(),
            count: histogram.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_samples() {
        let mut latencies = Latencies::default();
        (1..=10_000).rev().for_each(|ns| latencies.record(ns));
        let summary = latencies.summary();
        let near = |value: u64, exact: u64| value.abs_diff(exact) * 1_000 <= exact;
        assert!(near(summary.p50, 5_000) && near(summary.p90, 9_000) && near(summary.p99, 9_900));
        assert!(near(summary.p999, 9_990) && near(summary.p9999, 9_999) && near(summary.max, 10_000));
        assert_eq!(summary.count, 10_000);
    }

    #[test]
    fn a_latency_beyond_the_bounds_counts_at_the_bound() {
        let mut latencies = Latencies::default();
        latencies.record(u64::MAX);
        latencies.record(0);
        assert_eq!(latencies.count(), 2);
        assert!(latencies.summary().max >= LATENCY_MAX_NS);
    }
}
