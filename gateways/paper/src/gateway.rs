//! The paper venue on a thread of its own: a follower of the journal at one end, a ring of ingest at the other.
//!
//! # Invariants
//! - An answer leaves the gateway or stays its first duty: while the ring is full nothing more is read, and nothing is dropped.
//! - It ends when it is told to, or when the pipeline has ended. Answers that are then left are made again in the next run.
//!
//! Not here: when to start and stop, and the thread itself (the binary).

use crate::venue::PaperVenue;
use std::sync::atomic::{AtomicBool, Ordering};
use tradewind_domain::event::{Event, Inbound};
use tradewind_machine::idle::{Idle, IdleStrategy};
use tradewind_machine::journal::{Follower, JournalError};
use tradewind_machine::source::Source;

/// Records that one cycle reads at most.
const BATCH_MAX: usize = 64;

/// Why the gateway ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The journal cannot be read.
    #[error("the paper venue cannot read the journal")]
    Journal(#[source] JournalError),
}

/// What went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewayCounts {
    /// Records read.
    pub records: u64,
    /// Answers passed on to ingest.
    pub sent: u64,
    /// Cycles in which the ring was full.
    pub full: u64,
    /// Records of kinds that this build does not know, passed over.
    pub unknown: u64,
}

/// The venue with its wires.
pub struct PaperGateway {
    venue: PaperVenue,
    source: Source,
    event: Event,
    answers: Vec<Inbound>,
    /// How many of `answers` are passed on.
    sent: usize,
    counts: GatewayCounts,
}

impl PaperGateway {
    /// A gateway that sends into `source`, a ring of class
    /// [`Priority`](tradewind_machine::source::SourceClass::Priority).
    pub fn new(venue: PaperVenue, source: Source) -> Self {
        Self {
            venue,
            source,
            event: Event::empty(),
            answers: Vec::new(),
            sent: 0,
            counts: GatewayCounts::default(),
        }
    }

    /// The venue.
    pub fn venue(&self) -> &PaperVenue {
        &self.venue
    }

    /// Figures.
    pub fn counts(&self) -> GatewayCounts {
        self.counts
    }

    /// True where every answer is passed on.
    pub fn is_idle(&self) -> bool {
        self.sent == self.answers.len()
    }

    /// One cycle: passes answers on, and reads on only where none is left. `follower` begins at the journal's start and stays
    /// the same from cycle to cycle. Returns how much was done.
    pub fn step(&mut self, follower: &mut Follower) -> Result<usize, GatewayError> {
        let mut work = self.send();
        let mut read = 0;
        while self.is_idle() && read < BATCH_MAX {
            let Some(record) = follower.poll().map_err(GatewayError::Journal)? else {
                break;
            };
            let known = self.event.read_record(record.bytes()).is_some();
            read += 1;
            self.counts.records += 1;
            if known {
                self.venue.on_record(&self.event, &mut self.answers);
                work += self.send();
            } else {
                self.counts.unknown += 1;
            }
        }
        Ok(work + read)
    }

    fn send(&mut self) -> usize {
        if self.is_idle() {
            return 0;
        }
        let count = self.source.push_slice(&self.answers[self.sent..]);
        self.sent += count;
        self.counts.sent += count as u64;
        if self.is_idle() {
            self.answers.clear();
            self.sent = 0;
        } else {
            self.counts.full += 1;
        }
        count
    }

    /// Cycles until `stop` is set or the pipeline has ended, waiting as `strategy` says. Nobody wakes a follower: with
    /// [`Park`](IdleStrategy::Park) an answer may wait for the strategy's longest sleep of a millisecond.
    pub fn run(
        &mut self,
        follower: &mut Follower,
        stop: &AtomicBool,
        strategy: IdleStrategy,
    ) -> Result<(), GatewayError> {
        let mut idle = Idle::new(strategy);
        idle.enter();
        while !stop.load(Ordering::Acquire) && !self.source.is_closed() {
            idle.idle(self.step(follower)?);
        }
        Ok(())
    }
}
