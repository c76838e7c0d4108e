//! One thread of the pipeline: takes a batch, runs its stages over it, passes it on.
//!
//! # Invariants
//! - Batches are bounded; order is kept; what the next ring or the journal has no room for waits here, and with it
//!   everything before.
//! - Stages behind the expander, and the way back of slots, go on while it is paused: it cannot block itself.
//! - A slot goes back to its pool after its event was committed.

use crate::append::{Append, Fault, Full};
use crate::clock::Clock;
use crate::control::Control;
use crate::expander::Expander;
use crate::idle::Waker;
use crate::latency::{Meter, StageReport};
use crate::sequencer::{Ingest, LastSeen};
use crate::slab::{PoolId, Returns, Slot};
use crate::source::Intake;
use crate::stage::Stage;
use crate::topology::StageName;
use rtrb::chunks::ChunkError;
use rtrb::{Consumer, Producer};
use std::sync::Arc;

/// Where events come from.
pub(crate) enum Inlet<E> {
    Ingest(Box<Ingest<E>>),
    Ring {
        ring: Consumer<Slot<E>>,
        upstream: Waker,
    },
}

/// Where they go.
pub(crate) enum Outlet<E, J> {
    Ring {
        ring: Producer<Slot<E>>,
        downstream: Waker,
    },
    Journal {
        journal: J,
        meter: Box<Meter>,
        clock: Clock,
    },
}

/// The way back for slots whose pool is on another thread.
pub(crate) struct Home<E> {
    pub(crate) returns: Returns<E>,
    pub(crate) waker: Waker,
}

/// A stage with its figures.
pub(crate) struct Metered<E> {
    pub(crate) stage: Box<dyn Stage<E>>,
    pub(crate) meter: Meter,
}

impl<E> Metered<E> {
    #[inline]
    fn run(&mut self, batch: &mut [Slot<E>]) {
        let begun = self.meter.begin();
        self.stage.process_batch(batch);
        self.meter.end(begun, batch.len());
    }
}

/// All that one thread runs.
pub(crate) struct Agent<E, J> {
    inlet: Inlet<E>,
    /// The stages before the expander, or all of them where it runs elsewhere.
    before: Vec<Metered<E>>,
    pub(crate) expander: Option<Expander<E>>,
    after: Vec<Metered<E>>,
    outlet: Outlet<E, J>,
    pub(crate) ingest_home: Option<Home<E>>,
    pub(crate) effects_home: Option<Home<E>>,
    pub(crate) control: Arc<Control>,
    batch_max: usize,
    /// Taken, and through the stages before the expander.
    input: Vec<Slot<E>>,
    /// Through all stages here, to be passed on.
    output: Vec<Slot<E>>,
}

/// What an agent was made of, after its end.
pub(crate) struct Parts<E, J> {
    pub(crate) stages: Vec<Box<dyn Stage<E>>>,
    pub(crate) reports: Vec<StageReport>,
    pub(crate) last: Option<LastSeen>,
    pub(crate) journal: Option<J>,
}

impl<E: Intake, J: Append<E>> Agent<E, J> {
    /// Without stages so far; they are added in order.
    pub(crate) fn new(
        inlet: Inlet<E>,
        outlet: Outlet<E, J>,
        control: Arc<Control>,
        batch_max: usize,
    ) -> Self {
        Self {
            inlet,
            before: Vec::new(),
            expander: None,
            after: Vec::new(),
            outlet,
            ingest_home: None,
            effects_home: None,
            control,
            batch_max,
            input: Vec::with_capacity(batch_max),
            output: Vec::with_capacity(batch_max),
        }
    }

    /// Adds a stage that does not expand behind those there are.
    pub(crate) fn add(&mut self, stage: Metered<E>) {
        if self.expander.is_some() {
            self.after.push(stage)
        } else {
            self.before.push(stage)
        }
    }

    /// One cycle. Returns how much was done; 0 says that the caller may idle.
    pub(crate) fn do_work(&mut self) -> Result<usize, Fault> {
        let mut work = self.deliver()?;
        if self.output.is_empty() {
            if self.input.is_empty() && !self.expander.as_ref().is_some_and(Expander::is_open) {
                work += self.take_batch();
            }
            work += self.advance();
            work += self.deliver()?;
        }
        Ok(work)
    }

    /// True once nothing will come and nothing is left.
    pub(crate) fn is_finished(&self) -> bool {
        let inlet_ended = match &self.inlet {
            Inlet::Ingest(ingest) => ingest.is_finished(),
            // In this order: what the producer pushed before it ended must be seen.
            Inlet::Ring { ring, .. } => ring.is_abandoned() && ring.is_empty(),
        };
        inlet_ended && self.is_drained()
    }

    /// True where nothing is under way in this agent.
    pub(crate) fn is_drained(&self) -> bool {
        self.input.is_empty()
            && self.output.is_empty()
            && !self.expander.as_ref().is_some_and(Expander::is_open)
    }

    /// True where nothing waits to be taken.
    pub(crate) fn inlet_is_empty(&self) -> bool {
        match &self.inlet {
            Inlet::Ingest(ingest) => ingest.is_empty(),
            Inlet::Ring { ring, .. } => ring.is_empty(),
        }
    }

    /// True where the thread behind has ended before this one: it is broken.
    pub(crate) fn is_cut_off(&self) -> bool {
        matches!(&self.outlet, Outlet::Ring { ring, .. } if ring.is_abandoned())
    }

    /// Counts a cycle without work.
    #[inline]
    pub(crate) fn count_idle(&self) {
        match &self.inlet {
            Inlet::Ingest(ingest) => ingest.meter.idle_cycle(),
            Inlet::Ring { .. } => {
                if let Some(first) = self.before.first() {
                    first.meter.idle_cycle();
                } else if let Some(expander) = &self.expander {
                    expander.meter.idle_cycle();
                } else if let Outlet::Journal { meter, .. } = &self.outlet {
                    meter.idle_cycle();
                }
            }
        }
    }

    fn take_batch(&mut self) -> usize {
        let work = match &mut self.inlet {
            Inlet::Ingest(ingest) => {
                let begun = ingest.meter.begin();
                let work = ingest.poll(&mut self.input, self.batch_max);
                ingest.meter.end(begun, self.input.len());
                work
            }
            Inlet::Ring { ring, upstream } => {
                let count = ring.slots().min(self.batch_max);
                if let (1.., Ok(chunk)) = (count, ring.read_chunk(count)) {
                    self.input.extend(chunk);
                    upstream.wake();
                }
                count
            }
        };
        if !self.input.is_empty() {
            if let Some(expander) = &self.expander {
                expander.look_ahead(&mut self.input);
            }
            for stage in &mut self.before {
                stage.run(&mut self.input);
            }
        }
        work
    }

    /// Through the expander and the stages after it, into the empty `output`.
    fn advance(&mut self) -> usize {
        let Some(expander) = &mut self.expander else {
            // Counted where it was taken.
            std::mem::swap(&mut self.input, &mut self.output);
            return 0;
        };
        let work = expander.run(&mut self.input, &mut self.output, self.batch_max);
        if !self.output.is_empty() {
            for stage in &mut self.after {
                stage.run(&mut self.output);
            }
        }
        work
    }

    fn deliver(&mut self) -> Result<usize, Fault> {
        if self.output.is_empty() {
            return Ok(0);
        }
        let delivered = match &mut self.outlet {
            Outlet::Ring { ring, downstream } => {
                let count = push_front(ring, &mut self.output);
                downstream.wake();
                count
            }
            Outlet::Journal { .. } => self.append_output()?,
        };
        if !self.output.is_empty() {
            self.last_meter().full_wait();
        }
        Ok(delivered)
    }

    /// Appends what the journal has room for, commits it with one stamp, and gives the slots back.
    fn append_output(&mut self) -> Result<usize, Fault> {
        let Outlet::Journal {
            journal,
            meter,
            clock,
        } = &mut self.outlet
        else {
            return Ok(0);
        };
        let begun = meter.begin();
        let mut count = 0;
        for slot in &self.output {
            match journal.append(slot) {
                Ok(()) => count += 1,
                Err(Full) => break,
            }
        }
        journal.commit(clock.now_ns())?;
        self.control.set_space_low(journal.space_low());
        meter.end(begun, count);
        self.give_back(count);
        Ok(count)
    }

    /// Gives the slots at the front of `output` back. The first of them goes last, so that it is taken next.
    fn give_back(&mut self, count: usize) {
        let (mut to_ingest, mut to_effects) = (false, false);
        for slot in self.output.drain(..count).rev() {
            match slot.pool() {
                PoolId::Ingest => match (&mut self.inlet, &mut self.ingest_home) {
                    (Inlet::Ingest(ingest), _) => ingest.sequencer.pool.put(slot),
                    (_, home) => to_ingest |= send_home(home, slot),
                },
                PoolId::Effects => match (&mut self.expander, &mut self.effects_home) {
                    (Some(expander), _) => expander.pool.put(slot),
                    (_, home) => to_effects |= send_home(home, slot),
                },
            }
        }
        if let (true, Some(home)) = (to_ingest, &self.ingest_home) {
            home.waker.wake();
        }
        if let (true, Some(home)) = (to_effects, &self.effects_home) {
            home.waker.wake();
        }
    }

    fn last_meter(&self) -> &Meter {
        if let Outlet::Journal { meter, .. } = &self.outlet {
            return meter;
        }
        if let Some(last) = self.after.last() {
            return &last.meter;
        }
        match (&self.expander, self.before.last(), &self.inlet) {
            (Some(expander), ..) => &expander.meter,
            (None, Some(last), _) => &last.meter,
            (None, None, Inlet::Ingest(ingest)) => &ingest.meter,
            (None, None, Inlet::Ring { .. }) => {
                unreachable!("Invariant: a thread between two rings has a stage")
            }
        }
    }

    /// The stages in order, for readers of their state between cycles.
    pub(crate) fn stages(&self) -> impl Iterator<Item = &dyn Stage<E>> {
        let before = self.before.iter().map(|metered| &*metered.stage);
        let expander = self.expander.iter().map(|expander| &*expander.stage);
        let after = self.after.iter().map(|metered| &*metered.stage);
        before.chain(expander).chain(after)
    }

    /// The journal, where it is here.
    pub(crate) fn journal(&self) -> Option<&J> {
        match &self.outlet {
            Outlet::Journal { journal, .. } => Some(journal),
            Outlet::Ring { .. } => None,
        }
    }

    /// Number and time of the last input, where ingest is here.
    pub(crate) fn last_seen(&self) -> Option<LastSeen> {
        match &self.inlet {
            Inlet::Ingest(ingest) => Some(ingest.last()),
            Inlet::Ring { .. } => None,
        }
    }

    /// Takes it apart.
    pub(crate) fn into_parts(self) -> Parts<E, J> {
        let last = self.last_seen();
        let mut parts = Parts {
            stages: Vec::new(),
            reports: Vec::new(),
            last,
            journal: None,
        };
        let mut keep = |stage: Box<dyn Stage<E>>, meter: Meter| {
            parts.stages.push(stage);
            parts.reports.push(meter.into_report());
        };
        self.before
            .into_iter()
            .for_each(|metered| keep(metered.stage, metered.meter));
        if let Some(expander) = self.expander {
            keep(expander.stage, expander.meter);
        }
        self.after
            .into_iter()
            .for_each(|metered| keep(metered.stage, metered.meter));
        if let Inlet::Ingest(ingest) = self.inlet {
            parts.reports.insert(0, ingest.meter.into_report());
        }
        if let Outlet::Journal { journal, meter, .. } = self.outlet {
            parts.reports.push(meter.into_report());
            parts.journal = Some(journal);
        }
        parts
    }
}

/// Moves as many slots from the front as the ring has room for.
fn push_front<E>(ring: &mut Producer<Slot<E>>, slots: &mut Vec<Slot<E>>) -> usize {
    let chunk = match ring.write_chunk_uninit(slots.len()) {
        Ok(chunk) => chunk,
        Err(ChunkError::TooFewSlots(0)) => return 0,
        Err(ChunkError::TooFewSlots(free)) => match ring.write_chunk_uninit(free) {
            Ok(chunk) => chunk,
            Err(_) => return 0,
        },
    };
    let count = chunk.len();
    chunk.fill_from_iter(slots.drain(..count))
}

fn send_home<E>(home: &mut Option<Home<E>>, slot: Slot<E>) -> bool {
    let Some(home) = home else {
        unreachable!("Invariant: every pool is on this thread or has a way back to its own")
    };
    home.returns.put(slot);
    true
}

/// Name of the thread that runs these stages: `tw-` and their names. The system shows its first 15 bytes.
pub(crate) fn thread_name(stages: &[StageName]) -> String {
    let names: Vec<&str> = stages.iter().map(|stage| stage.text()).collect();
    format!("tw-{}", names.join("+"))
}
