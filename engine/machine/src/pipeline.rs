//! Builds a pipeline and runs it: on its own threads, or cycle by cycle on the thread of the caller.
//!
//! # Invariants
//! - Both ways run the same code over the same stages; journals differ in their time stamps alone.
//! - Everything is allocated before the first event; a pipeline thread starts nothing and gives all back at its end.
//! - A fault of the journal or a panic of a stage ends every thread; [`Running::join`] says which it was.
//!
//! Not here: what the stages do, where sources come from, what the journal is.

use crate::agent::{Agent, Home, Inlet, Metered, Outlet, Parts, thread_name};
use crate::append::{Append, Fault};
use crate::clock::Clock;
use crate::control::Control;
pub use crate::control::StopMode;
use crate::cores::{Cores, PinError};
use crate::expander::Expander;
use crate::idle::{Idle, IdleStrategy, Waker};
use crate::latency::{Counters, Meter, StageReport};
use crate::sequencer::{INGEST_SLOTS_MIN, Ingest, Sequencer};
pub use crate::sequencer::{LastSeen, Schedule};
use crate::slab::{Pool, PoolId};
use crate::source::{Intake, LongSource, Source, SourceClass, Sources};
use crate::stage::{EXPANDER, Stage, Stages};
use crate::topology::{Lane, StageName, Topology};
use rtrb::RingBuffer;
use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tradewind_domain::codes::ClockMode;
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

/// A pipeline with its parts, before it runs. Sources are made here.
pub struct Builder<E, J> {
    settings: Settings,
    stages: Stages<E>,
    journal: J,
    clock: Clock,
    mode: ClockMode,
    last: LastSeen,
    schedule: Option<Box<dyn Schedule<E>>>,
    opening: Option<InboundLong>,
    on_thread_start: Option<fn()>,
    sources: Sources,
    ingest_idle: Idle,
}

impl<E: Intake, J: Append<E> + 'static> Builder<E, J> {
    /// A pipeline of these stages, with an empty sequence and no schedule.
    pub fn new(settings: Settings, stages: Stages<E>, journal: J, clock: Clock, mode: ClockMode) -> Self {
        let sources = Sources::new(settings.long_slots);
        let ingest_idle = Idle::new(settings.idle);
        let last = LastSeen::default();
        Self {
            settings,
            stages,
            journal,
            clock,
            mode,
            last,
            schedule: None,
            opening: None,
            on_thread_start: None,
            sources,
            ingest_idle,
        }
    }

    /// Goes on after this input: what recovery has found.
    pub fn resume_after(mut self, last: LastSeen) -> Self {
        self.last = last;
        self
    }

    /// With something that knows when work is due; in recovery it has observed the journal's inputs.
    pub fn schedule(mut self, schedule: Box<dyn Schedule<E>>) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// With this as the first event of the run, before everything that waits or is due.
    pub fn open_with(mut self, first: InboundLong) -> Self {
        self.opening = Some(first);
        self
    }

    /// With this called once on each pipeline thread before its first event: for counters that watch threads.
    pub fn on_thread_start(mut self, hook: fn()) -> Self {
        self.on_thread_start = Some(hook);
        self
    }

    /// A ring for one producer.
    pub fn source(&mut self, class: SourceClass, slots: usize) -> Source {
        let waker = self.ingest_idle.waker();
        self.sources.add(class, slots, waker)
    }

    /// The queue for everybody else: admin, documents, HTTP.
    pub fn long_source(&self) -> LongSource {
        self.sources.long_source(self.ingest_idle.waker())
    }

    /// The engine's own queue: looked at first, and the only one for kinds that the engine alone makes.
    pub fn engine_source(&self) -> LongSource {
        self.sources.engine_source(self.ingest_idle.waker())
    }

    /// Starts the threads. Returns once each of them is pinned and runs.
    pub fn start(self, cores: &Cores) -> Result<Running<E, J>, PipelineError> {
        let (pin, lanes) = (self.settings.pin, self.settings.topology.lanes().to_vec());
        let hook = self.on_thread_start;
        if pin == PinPolicy::Require {
            for lane in &lanes {
                let Some(core) = lane.core() else { continue };
                cores.check(core).map_err(|source| PipelineError::Pin {
                    name: thread_name(lane.stages()),
                    source,
                })?;
            }
        }
        let Assembly {
            agents,
            idles,
            control,
            counters,
        } = self.assemble(&lanes);
        let mut running = Running {
            threads: Vec::new(),
            control,
            counters,
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

    /// The pipeline on the thread of the caller, all stages fused, whatever the topology says.
    pub fn inline(self) -> Inline<E, J> {
        let lanes = Topology::fused();
        let Assembly {
            mut agents,
            control,
            counters,
            ..
        } = self.assemble(lanes.lanes());
        let Some(agent) = agents.pop() else {
            unreachable!("Invariant: a fused topology has one thread")
        };
        Inline {
            agent,
            control,
            counters,
        }
    }

    fn assemble(self, lanes: &[Lane]) -> Assembly<E, J> {
        let settings = self.settings;
        let mut idles = vec![self.ingest_idle];
        idles.extend(lanes[1..].iter().map(|_| Idle::new(settings.idle)));
        let wakers: Vec<Waker> = idles.iter().map(Idle::waker).collect();
        let control = Arc::new(Control::new(wakers[0].clone()));
        let counters = Arc::new(Counters::default());
        let meter = |stage| Meter::new(stage, Arc::clone(&counters), self.clock.clone());

        let mut ingest_pool = Pool::new(PoolId::Ingest, settings.ingest_slots.max(INGEST_SLOTS_MIN));
        let mut effects_pool = Pool::new(PoolId::Effects, settings.effect_slots.max(1) + 1);
        let ingest_home = way_home(&mut ingest_pool, StageName::Ingest, lanes, &wakers);
        let effects_home = way_home(&mut effects_pool, StageName::Limit, lanes, &wakers);
        let mut effects_pool = Some(effects_pool);

        let sequencer = Sequencer::new(ingest_pool, self.last, self.mode, self.schedule);
        let (ingest_meter, clock) = (meter(StageName::Ingest), self.clock.clone());
        let ingest = Ingest::new(
            self.sources,
            sequencer,
            ingest_meter,
            clock,
            Arc::clone(&control),
            self.opening,
        );
        let (journal_meter, clock) = (Box::new(meter(StageName::Journal)), self.clock.clone());
        let end = Outlet::Journal {
            journal: self.journal,
            meter: journal_meter,
            clock,
        };

        let links = link(Inlet::Ingest(Box::new(ingest)), end, settings.ring_slots, &wakers);
        let agent =
            |(inlet, outlet)| Agent::new(inlet, outlet, Arc::clone(&control), settings.batch_max.max(1));
        let mut agents: Vec<_> = links.into_iter().map(agent).collect();
        for (position, (stage, &name)) in self.stages.into_iter().zip(&StageName::ALL[1..]).enumerate() {
            let agent = &mut agents[lane_of(name, lanes)];
            match effects_pool.take_if(|_| position == EXPANDER) {
                Some(pool) => agent.expander = Some(Expander::new(stage, meter(name), pool)),
                None => agent.add(Metered {
                    stage,
                    meter: meter(name),
                }),
            }
        }
        if let Some(last) = agents.last_mut() {
            last.ingest_home = ingest_home;
            last.effects_home = effects_home;
        }
        Assembly {
            agents,
            idles,
            control,
            counters,
        }
    }
}

/// Index of the thread that runs a stage.
fn lane_of(stage: StageName, lanes: &[Lane]) -> usize {
    lanes
        .iter()
        .position(|lane| lane.stages().contains(&stage))
        .unwrap_or(0)
}

/// The way of slots from the journal's thread to the stage that takes them, where that is another one.
fn way_home<E: Intake>(
    pool: &mut Pool<E>,
    taker: StageName,
    lanes: &[Lane],
    wakers: &[Waker],
) -> Option<Home<E>> {
    let taker = lane_of(taker, lanes);
    let is_elsewhere = taker != lane_of(StageName::Journal, lanes);
    is_elsewhere.then(|| Home {
        returns: pool.open_returns(),
        waker: wakers[taker].clone(),
    })
}

/// Both ends of each thread, one for each waker: the first inlet and the last outlet are given, rings lie between.
fn link<E, J>(
    first: Inlet<E>,
    last: Outlet<E, J>,
    ring_slots: usize,
    wakers: &[Waker],
) -> Vec<(Inlet<E>, Outlet<E, J>)> {
    let (mut inlets, mut outlets) = (vec![first], Vec::new());
    for pair in wakers.windows(2) {
        let (producer, consumer) = RingBuffer::new(ring_slots.max(1));
        outlets.push(Outlet::Ring {
            ring: producer,
            downstream: pair[1].clone(),
        });
        inlets.push(Inlet::Ring {
            ring: consumer,
            upstream: pair[0].clone(),
        });
    }
    outlets.push(last);
    inlets.into_iter().zip(outlets).collect()
}

struct Assembly<E, J> {
    agents: Vec<Agent<E, J>>,
    idles: Vec<Idle>,
    control: Arc<Control>,
    counters: Arc<Counters>,
}

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
    warnings: Vec<(String, PinError)>,
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

/// What a thread does before its first event.
struct ThreadStart {
    cores: Cores,
    pinned: mpsc::Sender<(String, Result<(), PinError>)>,
    hook: Option<fn()>,
}

impl<E: Intake, J: Append<E> + 'static> Running<E, J> {
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

/// A pipeline that the caller drives, cycle by cycle: tests, replay, simulation.
pub struct Inline<E, J> {
    agent: Agent<E, J>,
    control: Arc<Control>,
    counters: Arc<Counters>,
}

impl<E: Intake, J: Append<E>> Inline<E, J> {
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
