//! A stage: state, and what it does to one event.

use crate::slab::Slot;

/// What [`Stage::expand`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// The last processed event has no (more) effects.
    Done,
    /// One effect was written into the slot.
    Produced,
    /// Nothing yet: it looked at a bounded number of rows and wants to be asked again.
    Busy,
}

/// One of the stages between ingest and the journal. A plain struct that owns its state: no I/O, no allocation after
/// start-up, no clock.
pub trait Stage<E>: Send {
    /// Name in figures and thread names.
    fn name(&self) -> &'static str;

    /// Decides where it is the decider, notes where it is before it, and applies the facts to its state.
    fn process(&mut self, event: &mut E);

    /// Makes recorded facts true: adds and sets recorded integers, refuses nothing. Recovery and replicas call only this.
    /// `process` of an event followed by the next, and `apply` of the records of the same events, leave equal states.
    fn apply(&mut self, event: &E);

    /// Writes the next effect of the event processed (or applied) last into `out`. The machine gives `out` its sequence,
    /// part and times; the stage has already applied the effect when it returns [`Expansion::Produced`]. `out` holds old
    /// bytes: the stage resets it to a kind first.
    fn expand(&mut self, out: &mut E) -> Expansion {
        let _ = out;
        Expansion::Done
    }

    /// Feeds every row of state that can change an outcome to `sink`, in an order that depends on the state alone.
    fn digest(&self, sink: &mut dyn FnMut(&[u8]));

    /// Facts that named a row which this stage does not hold: not zero means that the tables are smaller than those that
    /// wrote the journal, or that the journal is damaged.
    fn faults(&self) -> u64 {
        0
    }

    /// Sees an event ahead of its turn: when its batch is taken, before the stages ahead of this one have seen it, and once more
    /// right before the batch is processed. The place to fetch table rows, so that their cache misses pass while others
    /// work. Changes nothing but the event's scratch, and nothing may depend on its having been called.
    #[inline]
    fn look_ahead(&self, event: &mut E) {
        let _ = event;
    }

    /// Processes a batch: one virtual call, so that `process` is inlined into the loop. Not meant to be overridden.
    fn process_batch(&mut self, batch: &mut [Slot<E>]) {
        for slot in batch {
            self.process(slot);
        }
    }

    /// Looks ahead at a batch: as each event by itself, unless a stage gains by looking at all together.
    fn look_ahead_batch(&self, batch: &mut [Slot<E>]) {
        for slot in batch {
            self.look_ahead(slot);
        }
    }

    /// Processes events from the front of `batch` up to the first one that has effects or may have. Returns how many it
    /// processed, and what [`expand`](Self::expand) said of the last of them. Not meant to be overridden.
    fn process_until_effects(&mut self, batch: &mut [Slot<E>], out: &mut E) -> (usize, Expansion) {
        for (index, slot) in batch.iter_mut().enumerate() {
            self.process(slot);
            let expansion = self.expand(out);
            if expansion != Expansion::Done {
                return (index + 1, expansion);
            }
        }
        (batch.len(), Expansion::Done)
    }
}

/// The five stages between ingest and the journal: normalize, validate, limit check, settle, position.
pub type Stages<E> = [Box<dyn Stage<E>>; 5];

/// Where the one stage that expands stands in [`Stages`]: the limit check.
pub const EXPANDER: usize = 2;
