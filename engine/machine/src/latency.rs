//! What each stage did and how long it took.
//!
//! Counters are atomics with one writer each, so that a status line can read them at any time. The time of every 64th
//! batch goes into a histogram which is handed over when the pipeline ends.
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
struct Count(AtomicU64);

impl Count {
    #[inline]
    fn add(&self, count: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(count),
            Ordering::Relaxed,
        );
    }
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct StageCounts {
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
        assert_eq!(meter.into_report().ns_per_event.len(), 10);
    }
}
