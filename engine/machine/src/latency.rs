//! What each stage did and how long it took.
//!
//! Counters are atomics with one writer each, so that a status line can read them at any time. The time of every 64th
//! batch goes into buckets that anybody may read, and into a finer histogram which is handed over when the pipeline ends.
//!
//! # Invariants
//! - No lock, and no allocation after start-up; a batch that is not sampled costs two plain stores per stage.

use crate::clock::{Clock, RawStamp};
use crate::topology::StageName;
use crossbeam_utils::CachePadded;
use hdrhistogram::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One batch of so many is timed; a power of two.
const SAMPLE_EVERY: u64 = 64;
/// The longest time per event that the histograms tell apart: 10 s, nanoseconds.
const SAMPLE_MAX_NS: u64 = 10_000_000_000;
/// Two digits: a histogram of 10 s then takes 30 KB.
const SAMPLE_DIGITS: u8 = 2;

/// A number that one thread counts up and any thread reads.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    #[inline]
    pub(crate) fn add(&self, count: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(count),
            Ordering::Relaxed,
        );
    }
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Buckets of each doubling: a value is known to an eighth.
const BUCKETS_OF_OCTAVE: usize = 8;
/// Buckets up to `2^34 - 1` ns, 17 s; what is longer goes into the last one.
const BUCKETS: usize = 32 * BUCKETS_OF_OCTAVE;

/// Which bucket a value goes into. Values below 8 have one each.
const fn bucket(value: u64) -> usize {
    let octaves = (value | 7).ilog2() as usize - 2;
    let at = octaves * BUCKETS_OF_OCTAVE + (value >> octaves.saturating_sub(1)) as usize % BUCKETS_OF_OCTAVE;
    if octaves == 0 {
        value as usize
    } else if at < BUCKETS {
        at
    } else {
        BUCKETS - 1
    }
}

/// The largest value that goes into a bucket.
const fn bucket_max(at: usize) -> u64 {
    let octaves = at / BUCKETS_OF_OCTAVE;
    if octaves == 0 {
        return at as u64;
    }
    let width = 1 << (octaves - 1);
    (BUCKETS_OF_OCTAVE as u64 + (at % BUCKETS_OF_OCTAVE) as u64) * width + width - 1
}

/// A histogram of nanoseconds that one thread fills and any thread reads.
#[derive(Debug)]
pub struct Spans([Count; BUCKETS]);

impl Default for Spans {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Count::default()))
    }
}

impl Spans {
    /// Counts a value. To be called by one thread.
    #[inline]
    pub fn record(&self, ns: u64) {
        self.0[bucket(ns)].add(1);
    }

    /// The counts at this moment.
    pub fn counts(&self) -> SpanCounts {
        SpanCounts(std::array::from_fn(|at| self.0[at].get()))
    }
}

/// How often values of each size were counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanCounts([u64; BUCKETS]);

impl Default for SpanCounts {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl SpanCounts {
    /// What came since `earlier` counts of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &SpanCounts) -> SpanCounts {
        SpanCounts(std::array::from_fn(|at| self.0[at].saturating_sub(earlier.0[at])))
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The value below which `permille` of a thousand lie, rounded up by at most an eighth; `None` where there are none.
    pub fn permille(&self, permille: u64) -> Option<u64> {
        let count = self.count();
        let rank = count.saturating_mul(permille).div_ceil(1_000).max(1);
        let mut seen = 0;
        let at = self.0.iter().position(|in_bucket| {
            seen += in_bucket;
            seen >= rank
        })?;
        (count > 0).then(|| bucket_max(at))
    }

    /// Each bucket that holds values: the largest value that goes into it, and how many.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let counted = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(at, count)| (bucket_max(at), *count))
    }
}

#[derive(Debug, Default)]
struct StageCounts {
    spans: Spans,
    events: Count,
    batches: Count,
    effects: Count,
    full_waits: Count,
    idle_cycles: Count,
    refused: Count,
}

/// What the stages have done so far, readable from any thread.
#[derive(Debug, Default)]
pub struct Counters {
    stages: [CachePadded<StageCounts>; 7],
}

/// The counts of one stage at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageFigures {
    /// The stage.
    pub stage: StageName,
    /// Events it has seen, effects included.
    pub events: u64,
    /// Batches it has seen.
    pub batches: u64,
    /// Effects it has made: the limit check alone makes some.
    pub effects: u64,
    /// Cycles in which the next ring, the journal or the pool of effects had no room. Counted at the last stage of a
    /// thread.
    pub full_waits: u64,
    /// Cycles without work. Counted at the first stage of a thread.
    pub idle_cycles: u64,
    /// Messages of unknown kind, or of a kind that no source may send: ingest alone counts some.
    pub refused: u64,
}

impl Counters {
    /// The counts of all seven stages.
    pub fn figures(&self) -> [StageFigures; 7] {
        StageName::ALL.map(|stage| {
            let counts = &self.stages[stage as usize];
            StageFigures {
                stage,
                events: counts.events.get(),
                batches: counts.batches.get(),
                effects: counts.effects.get(),
                full_waits: counts.full_waits.get(),
                idle_cycles: counts.idle_cycles.get(),
                refused: counts.refused.get(),
            }
        })
    }
}

impl Counters {
    /// Nanoseconds per event of a stage's sampled batches since the start.
    pub fn spans(&self, stage: StageName) -> SpanCounts {
        self.stages[stage as usize].spans.counts()
    }
}

/// What a stage did over the whole run.
#[derive(Clone, Debug)]
pub struct StageReport {
    /// Its counts.
    pub figures: StageFigures,
    /// Nanoseconds per event, one value for each sampled batch.
    pub ns_per_event: Histogram<u64>,
}

/// Measures one stage, on the thread that runs it.
pub(crate) struct Meter {
    stage: StageName,
    counters: Arc<Counters>,
    clock: Clock,
    batches: u64,
    ns_per_event: Histogram<u64>,
}

impl Meter {
    pub(crate) fn new(stage: StageName, counters: Arc<Counters>, clock: Clock) -> Self {
        let ns_per_event = Histogram::new_with_bounds(1, SAMPLE_MAX_NS, SAMPLE_DIGITS)
            .expect("Invariant: the bounds of the histogram are constants that it takes");
        Self {
            stage,
            counters,
            clock,
            batches: 0,
            ns_per_event,
        }
    }

    #[inline]
    fn counts(&self) -> &StageCounts {
        &self.counters.stages[self.stage as usize]
    }

    /// To be called before a batch.
    #[inline]
    pub(crate) fn begin(&self) -> Option<RawStamp> {
        (self.batches % SAMPLE_EVERY == SAMPLE_EVERY - 1).then(|| self.clock.raw())
    }

    /// To be called after it, with what `begin` gave. A batch without events is none.
    #[inline]
    pub(crate) fn end(&mut self, begun: Option<RawStamp>, event_count: usize) {
        if event_count == 0 {
            return;
        }
        self.batches += 1;
        let counts = self.counts();
        counts.events.add(event_count as u64);
        counts.batches.add(1);
        if let Some(begun) = begun {
            let ns = self.clock.span_ns(begun, self.clock.raw()) / event_count as u64;
            self.counts().spans.record(ns);
            self.ns_per_event.saturating_record(ns);
        }
    }

    #[inline]
    pub(crate) fn effects(&self, count: u64) {
        self.counts().effects.add(count);
    }
    #[inline]
    pub(crate) fn full_wait(&self) {
        self.counts().full_waits.add(1);
    }
    #[inline]
    pub(crate) fn idle_cycle(&self) {
        self.counts().idle_cycles.add(1);
    }
    #[inline]
    pub(crate) fn refused(&self, count: u64) {
        self.counts().refused.add(count);
    }

    pub(crate) fn into_report(self) -> StageReport {
        let figures = self.counters.figures()[self.stage as usize];
        StageReport {
            figures,
            ns_per_event: self.ns_per_event,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_64th_batch_is_timed_and_all_are_counted() {
        let counters = Arc::new(Counters::default());
        let mut meter = Meter::new(StageName::Limit, Arc::clone(&counters), Clock::manual(0).0);
        for _ in 0..640 {
            let begun = meter.begin();
            meter.end(begun, 3);
        }
        let begun = meter.begin();
        meter.end(begun, 0);
        let figures = counters.figures()[StageName::Limit as usize];
        assert_eq!((figures.events, figures.batches), (1920, 640));
        assert_eq!(counters.spans(StageName::Limit).count(), 10);
        assert_eq!(meter.into_report().ns_per_event.len(), 10);
    }

    #[test]
    fn a_bucket_holds_what_is_at_most_an_eighth_below_its_largest_value() {
        let large = (12..34).flat_map(|bits| [(1u64 << bits) - 1, 1 << bits, 3 << (bits - 1)]);
        for value in (0..4_000).chain(large) {
            let at = bucket(value);
            let max = bucket_max(at);
            assert!(
                value <= max && max - value <= value / 8,
                "{value} in {at}, to {max}"
            );
            assert!(at == 0 || bucket_max(at - 1) < value);
        }
        assert_eq!(
            [bucket((1 << 34) - 1), bucket(1 << 34), bucket(u64::MAX)],
            [BUCKETS - 1; 3]
        );
    }

    #[test]
    fn percentiles_are_of_what_was_counted_between_two_looks() {
        let spans = Spans::default();
        assert_eq!(spans.counts().permille(500), None);
        spans.record(1_000_000);
        let before = spans.counts();
        for ns in 1..=1_000 {
            spans.record(ns);
        }
        let since = spans.counts().since(&before);
        assert_eq!((since.count(), since.permille(1_000)), (1_000, Some(1_023)));
        let p50 = since.permille(500).unwrap();
        assert!((500..=562).contains(&p50), "{p50}");
    }
}
