//! Puts a pipeline together: pools, rings, threads' agents, and who wakes whom.
//!
//! # Invariants
//! - Each slot finds its way back to the pool that it comes from, over a ring where that is another thread's.
//! - Nothing runs before everything is made; under [`PinPolicy::Require`] nothing runs without its core.

use super::inline::Inline;
use super::running::Running;
use super::{PinPolicy, PipelineError, Settings};
use crate::agent::{Agent, Home, Inlet, Metered, Outlet, thread_name};
use crate::append::Append;
use crate::clock::Clock;
use crate::control::Control;
use crate::cores::Cores;
use crate::expander::Expander;
use crate::idle::{Idle, Waker};
use crate::latency::{Counters, Meter};
use crate::queues::Queues;
use crate::sequencer::{INGEST_SLOTS_MIN, Ingest, LastSeen, Schedule, Sequencer};
use crate::slab::{Pool, PoolId};
use crate::source::{Intake, LongSource, Source, SourceClass, Sources};
use crate::stage::{EXPANDER, Stages};
use crate::topology::{Lane, StageName, Topology};
use rtrb::RingBuffer;
use std::sync::Arc;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::InboundLong;

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
        Running::start(self.assemble(&lanes), &lanes, cores, pin, hook)
    }

    /// The pipeline on the thread of the caller, all stages fused, whatever the topology says.
    pub fn inline(self) -> Inline<E, J> {
        let lanes = Topology::fused();
        Inline::new(self.assemble(lanes.lanes()))
    }

    fn assemble(self, lanes: &[Lane]) -> Assembly<E, J> {
        let settings = self.settings;
        let mut idles = vec![self.ingest_idle];
        idles.extend(lanes[1..].iter().map(|_| Idle::new(settings.idle)));
        let wakers: Vec<Waker> = idles.iter().map(Idle::waker).collect();
        let control = Arc::new(Control::new(wakers[0].clone()));
        let counters = Arc::new(Counters::default());
        let meter = |stage| Meter::new(stage, Arc::clone(&counters), self.clock.clone());
        let queues = Queues::new(
            self.sources.gauges(),
            lanes,
            settings.ring_slots,
            Arc::clone(&counters),
        );

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
            queues: Arc::new(queues),
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

/// A pipeline that is put together, with an agent and a way to idle for each thread.
pub(super) struct Assembly<E, J> {
    pub(super) agents: Vec<Agent<E, J>>,
    pub(super) idles: Vec<Idle>,
    pub(super) control: Arc<Control>,
    pub(super) counters: Arc<Counters>,
    pub(super) queues: Arc<Queues>,
}
