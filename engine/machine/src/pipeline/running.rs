//! A pipeline on its own threads: their start, their loop, their end.
//!
//! # Invariants
//! - A thread that ends early takes the others with it; its error is the one that is told.
//! - No thread outlives the [`Running`] that it belongs to.

use super::builder::Assembly;
use super::{Finished, PinPolicy, PipelineError, StopMode, Stopper, gather};
use crate::agent::{Agent, Parts, thread_name};
use crate::append::{Append, Fault};
use crate::control::Control;
use crate::cores::{Cores, PinError};
use crate::idle::Idle;
use crate::latency::Counters;
use crate::queues::Queues;
use crate::source::Intake;
use crate::topology::Lane;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tradewind_domain::event::InboundLong;

/// Why a thread ended early.
enum Stopped {
    Fault(Fault),
    Halted,
}

type Ended<E, J> = Result<Parts<E, J>, Stopped>;

/// A pipeline on its own threads. Dropping it ends the threads without draining anything.
pub struct Running<E, J> {
    threads: Vec<(String, JoinHandle<Ended<E, J>>)>,
    control: Arc<Control>,
    counters: Arc<Counters>,
    queues: Arc<Queues>,
    warnings: Vec<(String, PinError)>,
}

/// What a thread does before its first event.
struct ThreadStart {
    cores: Cores,
    pinned: mpsc::Sender<(String, Result<(), PinError>)>,
    hook: Option<fn()>,
}

impl<E: Intake, J: Append<E> + 'static> Running<E, J> {
    /// Starts a thread for each lane. Returns once each of them is pinned, as far as `pin` asks for it, and runs.
    pub(super) fn start(
        assembly: Assembly<E, J>,
        lanes: &[Lane],
        cores: &Cores,
        pin: PinPolicy,
        hook: Option<fn()>,
    ) -> Result<Self, PipelineError> {
        let Assembly {
            agents,
            idles,
            control,
            counters,
            queues,
        } = assembly;
        let mut running = Self {
            threads: Vec::new(),
            control,
            counters,
            queues,
            warnings: Vec::new(),
        };
        let (pinned, pins) = mpsc::channel();
        for ((lane, agent), idle) in lanes.iter().zip(agents).zip(idles) {
            let start = ThreadStart {
                cores: cores.clone(),
                pinned: pinned.clone(),
                hook,
            };
            running.spawn(lane, agent, idle, start)?;
        }
        drop(pinned);
        for (name, result) in pins {
            match (result, pin) {
                (Ok(()), _) => {}
                (Err(source), PinPolicy::Try) => running.warnings.push((name, source)),
                (Err(source), PinPolicy::Require) => return Err(PipelineError::Pin { name, source }),
            }
        }
        Ok(running)
    }

    fn spawn(
        &mut self,
        lane: &Lane,
        agent: Agent<E, J>,
        mut idle: Idle,
        start: ThreadStart,
    ) -> Result<(), PipelineError> {
        let ThreadStart { cores, pinned, hook } = start;
        let (name, core) = (thread_name(lane.stages()), lane.core());
        let thread = std::thread::Builder::new().name(name.clone()).spawn({
            let name = name.clone();
            move || {
                let pin = core.map_or(Ok(()), |core| cores.pin_current(core));
                // Nobody listens only where the start has failed already, and then the control says halt.
                let _ = pinned.send((name, pin));
                drop(pinned);
                idle.enter();
                if let Some(hook) = hook {
                    hook();
                }
                run_agent(agent, idle)
            }
        });
        match thread {
            Ok(handle) => {
                self.threads.push((name, handle));
                Ok(())
            }
            Err(source) => Err(PipelineError::Spawn { name, source }),
        }
    }
}

impl<E, J> Running<E, J> {
    /// A handle that can stop it.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            control: Arc::clone(&self.control),
        }
    }

    /// What the stages have done so far.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// How full the queues are.
    pub fn queues(&self) -> Arc<Queues> {
        Arc::clone(&self.queues)
    }

    /// Threads that run without the core they should have.
    pub fn pin_warnings(&self) -> &[(String, PinError)] {
        &self.warnings
    }

    /// True once a thread has ended: [`join`](Self::join) will not take long.
    pub fn is_ended(&self) -> bool {
        self.threads.iter().any(|(_, thread)| thread.is_finished())
    }

    /// Stops it and waits for its end. `last` becomes the last event of the sequence.
    pub fn stop(self, mode: StopMode, last: Option<InboundLong>) -> Result<Finished<E, J>, PipelineError> {
        self.control.stop(mode, last);
        self.join()
    }

    /// Waits until somebody has stopped it, or until it has failed.
    pub fn join(mut self) -> Result<Finished<E, J>, PipelineError> {
        let mut parts = Vec::new();
        let mut worst: Option<PipelineError> = None;
        for (name, thread) in std::mem::take(&mut self.threads) {
            let error = match thread.join() {
                Ok(Ok(ended)) => {
                    parts.push(ended);
                    continue;
                }
                Ok(Err(Stopped::Fault(fault))) => PipelineError::Journal(fault),
                Ok(Err(Stopped::Halted)) => PipelineError::Halted { name },
                Err(panic) => PipelineError::Panicked {
                    name,
                    message: panic_message(&*panic),
                },
            };
            // A thread that was halted only follows the one that failed.
            if worst
                .as_ref()
                .is_none_or(|worst| matches!(worst, PipelineError::Halted { .. }))
            {
                worst = Some(error);
            }
        }
        worst.map_or_else(|| Ok(gather(parts)), Err)
    }
}

impl<E, J> Drop for Running<E, J> {
    fn drop(&mut self) {
        if self.threads.is_empty() {
            return;
        }
        self.control.halt();
        for (_, thread) in self.threads.drain(..) {
            // It is being abandoned: nobody is left to hear why a thread failed.
            let _ = thread.join();
        }
    }
}

/// The loop of a pipeline thread. One that ends early drops its rings: those before it see that they are cut off, and
/// those behind it finish what they were given.
fn run_agent<E: Intake, J: Append<E>>(mut agent: Agent<E, J>, mut idle: Idle) -> Ended<E, J> {
    loop {
        let work = agent.do_work().map_err(Stopped::Fault)?;
        if work == 0 {
            agent.count_idle();
            if agent.is_finished() {
                return Ok(agent.into_parts());
            }
        }
        if agent.control.is_halted() || agent.is_cut_off() {
            return Err(Stopped::Halted);
        }
        idle.idle(work);
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
        .to_owned()
}
