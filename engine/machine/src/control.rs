//! The few flags that threads of one pipeline share.

use crate::idle::Waker;
use crossbeam_queue::ArrayQueue;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use tradewind_domain::event::InboundLong;

/// How a pipeline ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Closes the sources, takes what waits in them, then ends.
    Drain,
    /// Closes the sources and takes nothing more from them. What ingest took before still goes all the way.
    Now,
}

const RUNNING: u8 = 0;
const DRAINING: u8 = 1;
const STOPPING: u8 = 2;

/// Flags, each written rarely and read once a batch.
pub(crate) struct Control {
    state: AtomicU8,
    halted: AtomicBool,
    space_low: AtomicBool,
    farewell: ArrayQueue<InboundLong>,
    ingest: Waker,
}

impl Control {
    pub(crate) fn new(ingest: Waker) -> Self {
        Self {
            state: AtomicU8::new(RUNNING),
            halted: AtomicBool::new(false),
            space_low: AtomicBool::new(false),
            farewell: ArrayQueue::new(1),
            ingest,
        }
    }

    /// Asks the pipeline to end, with `last` as the last event of the sequence. The first call counts.
    pub(crate) fn stop(&self, mode: StopMode, last: Option<InboundLong>) {
        if let Some(last) = last {
            // A second farewell has nowhere to go: the first one is the last event.
            let _ = self.farewell.push(last);
        }
        let state = if mode == StopMode::Drain {
            DRAINING
        } else {
            STOPPING
        };
        let _ = self
            .state
            .compare_exchange(RUNNING, state, Ordering::AcqRel, Ordering::Relaxed);
        self.ingest.wake();
    }

    #[inline]
    pub(crate) fn stop_asked(&self) -> Option<StopMode> {
        match self.state.load(Ordering::Acquire) {
            RUNNING => None,
            DRAINING => Some(StopMode::Drain),
            _ => Some(StopMode::Now),
        }
    }

    pub(crate) fn take_farewell(&self) -> Option<InboundLong> {
        self.farewell.pop()
    }

    /// Ends every thread at its next cycle: something is broken.
    pub(crate) fn halt(&self) {
        self.halted.store(true, Ordering::Release);
        self.ingest.wake();
    }

    #[inline]
    pub(crate) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn set_space_low(&self, low: bool) {
        if self.space_low.load(Ordering::Relaxed) != low {
            self.space_low.store(low, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn space_low(&self) -> bool {
        self.space_low.load(Ordering::Relaxed)
    }
}
