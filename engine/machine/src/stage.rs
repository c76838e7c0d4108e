//! A stage: state, and what it does to one event.

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
    /// part and times; the stage has already applied the effect when it returns [`Expansion::Produced`].
    fn expand(&mut self, out: &mut E) -> Expansion {
        let _ = out;
        Expansion::Done
    }

    /// Feeds every row of state that can change an outcome to `sink`, in an order that depends on the state alone.
    fn digest(&self, sink: &mut dyn FnMut(&[u8]));
}
