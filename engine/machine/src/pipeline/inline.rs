//! A pipeline without threads of its own, for whoever must know what happens when: tests, replay, simulation.

use super::builder::Assembly;
use super::{Finished, PipelineError, StopMode, Stopper, gather};
use crate::agent::Agent;
use crate::append::Append;
use crate::control::Control;
use crate::latency::Counters;
use crate::sequencer::LastSeen;
use crate::source::Intake;
use crate::stage::Stage;
use std::sync::Arc;
use tradewind_domain::event::InboundLong;

/// A pipeline that the caller drives, cycle by cycle: tests, replay, simulation.
pub struct Inline<E, J> {
    agent: Agent<E, J>,
    control: Arc<Control>,
    counters: Arc<Counters>,
}

impl<E: Intake, J: Append<E>> Inline<E, J> {
    pub(super) fn new(assembly: Assembly<E, J>) -> Self {
        let Assembly {
            mut agents,
            control,
            counters,
            ..
        } = assembly;
        let Some(agent) = agents.pop() else {
            unreachable!("Invariant: a fused topology has one thread")
        };
        Self {
            agent,
            control,
            counters,
        }
    }

    /// One cycle. Returns how much was done.
    pub fn step(&mut self) -> Result<usize, PipelineError> {
        self.agent.do_work().map_err(PipelineError::Journal)
    }

    /// Cycles until one does nothing. Returns how much was done; what waits for room in the journal may be left
    /// ([`is_drained`](Self::is_drained)).
    pub fn run(&mut self) -> Result<usize, PipelineError> {
        let mut total = 0;
        loop {
            match self.step()? {
                0 => return Ok(total),
                work => total += work,
            }
        }
    }

    /// True where nothing waits in the sources and nothing is under way.
    pub fn is_drained(&self) -> bool {
        self.agent.is_drained() && self.agent.inlet_is_empty()
    }

    /// Number and time of the last input.
    pub fn last(&self) -> LastSeen {
        self.agent.last_seen().unwrap_or_default()
    }

    /// The stages, in order.
    pub fn stages(&self) -> impl Iterator<Item = &dyn Stage<E>> {
        self.agent.stages()
    }

    /// The journal.
    pub fn journal(&self) -> &J {
        match self.agent.journal() {
            Some(journal) => journal,
            None => unreachable!("Invariant: a fused pipeline has its journal"),
        }
    }

    /// What the stages have done so far.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// A handle that can end its sequence; cycles then go on until nothing is left.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            control: Arc::clone(&self.control),
        }
    }

    /// Takes what waits in the sources, with `last` as the last event, and gives everything back.
    pub fn finish(mut self, last: Option<InboundLong>) -> Result<Finished<E, J>, PipelineError> {
        self.control.stop(StopMode::Drain, last);
        while !self.agent.is_finished() {
            if self.step()? == 0 {
                std::thread::yield_now();
            }
        }
        Ok(gather(vec![self.agent.into_parts()]))
    }
}
