//! Builds a pipeline and runs it: on its own threads, or cycle by cycle on the thread of the caller.
//!
//! # Invariants
//! - Both ways run the same code over the same stages; journals differ in their time stamps alone.
//! - Everything is allocated before the first event; a pipeline thread starts nothing and gives all back at its end.
//! - A fault of the journal or a panic of a stage ends every thread; [`Running::join`] says which it was.
//!
//! Not here: what the stages do, where sources come from, what the journal is.

mod builder;
mod inline;
mod running;

pub use crate::control::StopMode;
pub use crate::sequencer::{LastSeen, Schedule};
pub use builder::Builder;
pub use inline::Inline;
pub use running::Running;

use crate::agent::Parts;
use crate::append::Fault;
use crate::control::Control;
use crate::cores::PinError;
use crate::idle::IdleStrategy;
use crate::latency::StageReport;
use crate::stage::Stages;
use crate::topology::Topology;
use std::io;
use std::sync::Arc;
use tradewind_domain::event::InboundLong;

/// What to do where a thread cannot have the core that the topology gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PinPolicy {
    /// The pipeline does not start.
    Require,
    /// It runs unpinned; [`Running::pin_warnings`] says so.
    #[default]
    Try,
}

/// Sizes and places. None of them can change an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which threads there are.
    pub topology: Topology,
    /// How they wait.
    pub idle: IdleStrategy,
    /// What happens where a core cannot be had.
    pub pin: PinPolicy,
    /// Inputs under way at most; at least 16 are allocated.
    pub ingest_slots: usize,
    /// Effects under way at most, beside the one that is being written.
    pub effect_slots: usize,
    /// Slots of each ring between two threads.
    pub ring_slots: usize,
    /// Events of a batch at most.
    pub batch_max: usize,
    /// Messages of each long queue.
    pub long_slots: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            topology: Topology::fused(),
            idle: IdleStrategy::default(),
            pin: PinPolicy::default(),
            ingest_slots: 1024,
            effect_slots: 256,
            ring_slots: 512,
            batch_max: 32,
            long_slots: 256,
        }
    }
}

/// Why a pipeline did not start, or ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The system gave no thread.
    #[error("failed to start thread {name}")]
    Spawn {
        /// The thread.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A core that cannot be had.
    #[error("failed to pin thread {name}")]
    Pin {
        /// The thread.
        name: String,
        /// Why.
        source: PinError,
    },
    /// The journal cannot go on.
    #[error("the pipeline stopped")]
    Journal(#[source] Fault),
    /// A broken invariant.
    #[error("thread {name} stopped at a broken invariant: {message}")]
    Panicked {
        /// The thread.
        name: String,
        /// What it said.
        message: String,
    },
    /// Another thread ended it; that thread's error is the cause.
    #[error("thread {name} was stopped because another one failed")]
    Halted {
        /// The thread.
        name: String,
    },
}

/// What is left of a pipeline that ended in good order.
pub struct Finished<E, J> {
    /// The stages with their state.
    pub stages: Stages<E>,
    /// The journal, all committed.
    pub journal: J,
    /// Number and time of the last input.
    pub last: LastSeen,
    /// Counts and times of the seven stages.
    pub reports: Vec<StageReport>,
}

/// Puts the parts of all threads, in order, together again.
fn gather<E, J>(parts: Vec<Parts<E, J>>) -> Finished<E, J> {
    let mut stages = Vec::with_capacity(5);
    let (mut reports, mut journal, mut last) = (Vec::new(), None, None);
    for part in parts {
        stages.extend(part.stages);
        reports.extend(part.reports);
        journal = journal.or(part.journal);
        last = last.or(part.last);
    }
    let (Ok(stages), Some(journal), Some(last)) = (Stages::try_from(stages), journal, last) else {
        unreachable!("Invariant: the threads together have five stages, one ingest and one journal");
    };
    Finished {
        stages,
        journal,
        last,
        reports,
    }
}

/// Asks a pipeline to end, from any thread.
#[derive(Clone)]
pub struct Stopper {
    control: Arc<Control>,
}

impl Stopper {
    /// Asks it to end, with `last` as the last event of its sequence. The first call decides.
    pub fn stop(&self, mode: StopMode, last: Option<InboundLong>) {
        self.control.stop(mode, last);
    }
}
