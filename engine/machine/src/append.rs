//! What the machine asks of a journal.
//!
//! # Invariants
//! - `append` takes the whole event or nothing. A journal that is full says so and the pipeline waits; nothing is lost.
//! - A journal that cannot go on says so in `commit`, and the pipeline stops with that fault.
//!
//! Not here: segments, checksums, files. That is the `journal` module.

use std::error::Error;
use tradewind_domain::time::UnixNanos;

/// There is no room at this moment: try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Why a journal cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("the journal failed")]
pub struct Fault(#[source] pub Box<dyn Error + Send + Sync>);

/// The end of the pipeline: keeps events in the order they come.
pub trait Append<E>: Send {
    /// Takes one event; nothing is seen of it before the next `commit`.
    fn append(&mut self, event: &E) -> Result<(), Full>;

    /// Makes what was appended visible, stamped with this time. Called after each batch, and also while `append` says
    /// [`Full`], so that a journal which waits for something that has failed can say so.
    fn commit(&mut self, now_ns: UnixNanos) -> Result<(), Fault>;

    /// True where the space for the journal is running out: new orders are refused from then on.
    fn space_low(&self) -> bool;
}

/// A journal that keeps nothing: for measuring the machine itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullJournal;

impl<E> Append<E> for NullJournal {
    #[inline]
    fn append(&mut self, _event: &E) -> Result<(), Full> {
        Ok(())
    }
    #[inline]
    fn commit(&mut self, _now_ns: UnixNanos) -> Result<(), Fault> {
        Ok(())
    }
    fn space_low(&self) -> bool {
        false
    }
}

/// A journal in memory, for tests and simulation: a growing list of events.
#[derive(Clone, Debug)]
pub struct VecJournal<E> {
    events: Vec<E>,
    committed: usize,
    commits: u64,
}

impl<E> Default for VecJournal<E> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            committed: 0,
            commits: 0,
        }
    }
}

impl<E> VecJournal<E> {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }
    /// The committed events.
    pub fn events(&self) -> &[E] {
        &self.events[..self.committed]
    }
    /// How often something was committed.
    pub fn commits(&self) -> u64 {
        self.commits
    }
}

impl<E: Copy + Send> Append<E> for VecJournal<E> {
    fn append(&mut self, event: &E) -> Result<(), Full> {
        self.events.push(*event);
        Ok(())
    }
    fn commit(&mut self, _now_ns: UnixNanos) -> Result<(), Fault> {
        self.commits += u64::from(self.committed < self.events.len());
        self.committed = self.events.len();
        Ok(())
    }
    fn space_low(&self) -> bool {
        false
    }
}
