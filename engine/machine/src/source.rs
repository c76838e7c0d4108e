//! Sources: how events get from wires into ingest.
//!
//! A wire with a thread of its own has a [`Source`], a ring with one producer. Everything else (admin, HTTP) shares the
//! long queue, a [`LongSource`] with many producers. A second long queue belongs to the engine itself.
//!
//! # Invariants
//! - A full ring gives the message back; nothing is dropped, nothing waits.
//! - What ingest has not taken is not accepted: a pipeline that stops closes its sources, and gives messages back.
//! - Only the engine's queue may carry kinds that the engine alone makes.

use crate::idle::Waker;
use crate::queues::Gauge;
use crate::record::Record;
use crossbeam_queue::ArrayQueue;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tradewind_domain::event::{Event, Inbound, InboundLong, Kind};

/// How soon ingest looks at a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceClass {
    /// Executions and the kill switch: first, up to half of a batch.
    Priority,
    /// Orders.
    Order,
    /// Market data: last, but a share of every batch is kept for it.
    Market,
}

impl SourceClass {
    /// For figures.
    const fn text(self) -> &'static str {
        match self {
            SourceClass::Priority => "priority",
            SourceClass::Order => "order",
            SourceClass::Market => "market",
        }
    }
}

/// An event that can be made of what sources push.
pub trait Intake: Record {
    /// Makes the event this message. False where it is of a kind that no source may send.
    fn take(&mut self, message: &Inbound) -> bool;
    /// As [`take`](Self::take), for the long road. `internal`: it comes from the engine itself.
    fn take_long(&mut self, message: &InboundLong, internal: bool) -> bool;
    /// True where ingest is to note on it that the journal's space is low: what opens orders, and not what ends or fills
    /// them, for which the rest of the space is kept.
    fn yields_space(&self) -> bool;
}

impl Intake for Event {
    #[inline]
    fn take(&mut self, message: &Inbound) -> bool {
        Kind::from_number(message.kind).is_some_and(|kind| !kind.is_internal()) && message.fill(self)
    }
    fn take_long(&mut self, message: &InboundLong, internal: bool) -> bool {
        message.kind().is_some_and(|kind| internal || !kind.is_internal()) && message.fill(self)
    }
    fn yields_space(&self) -> bool {
        self.kind().is_some_and(Kind::is_new_order)
    }
}

/// The number of the engine's own queue and of timers in [`Head::source`](tradewind_domain::event::Head).
pub const SOURCE_ENGINE: u16 = 0;
/// The number of the long queue.
pub const SOURCE_LONG: u16 = 1;
/// The number of the first ring; the others follow in the order in which they were asked for.
pub const SOURCE_RINGS: u16 = 2;

/// The producer's end of one ring.
pub struct Source {
    ring: Producer<Inbound>,
    closed: Arc<AtomicBool>,
    waker: Waker,
    id: u16,
    gauge: Arc<Gauge>,
}

impl Source {
    /// With a name for figures in place of its class: who fills the ring.
    pub fn named(self, name: &'static str) -> Self {
        self.gauge.rename(name);
        self
    }

    /// Passes a message on, or gives it back: the ring is full, or the pipeline has ended.
    #[expect(
        clippy::result_large_err,
        reason = "the message goes back to who has it, never to the heap"
    )]
    #[inline]
    pub fn push(&mut self, message: Inbound) -> Result<(), Inbound> {
        if self.is_closed() {
            return Err(message);
        }
        let pushed = self.ring.push(message);
        self.gauge.pushed(usize::from(pushed.is_ok()));
        self.waker.wake();
        pushed.map_err(|rtrb::PushError::Full(message)| message)
    }

    /// Passes on as many as there is room for, from the front, and says how many.
    pub fn push_slice(&mut self, messages: &[Inbound]) -> usize {
        if self.is_closed() {
            return 0;
        }
        let (pushed, _) = self.ring.push_partial_slice(messages);
        let count = pushed.len();
        self.gauge.pushed(count);
        self.waker.wake();
        count
    }

    /// Messages that fit at this moment.
    pub fn free(&self) -> usize {
        self.ring.slots()
    }

    /// True once the pipeline takes no more: it is stopping, or has ended.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The number that its events carry.
    pub fn id(&self) -> u16 {
        self.id
    }
}

/// The producers' end of a long queue: for any number of threads.
#[derive(Clone)]
pub struct LongSource {
    queue: Arc<ArrayQueue<InboundLong>>,
    closed: Arc<AtomicBool>,
    waker: Waker,
}

impl LongSource {
    /// Passes a message on, or gives it back: the queue is full, or the pipeline has ended.
    #[expect(
        clippy::result_large_err,
        reason = "the message goes back to who has it, never to the heap"
    )]
    pub fn push(&self, message: InboundLong) -> Result<(), InboundLong> {
        if self.is_closed() {
            return Err(message);
        }
        let pushed = self.queue.push(message);
        self.waker.wake();
        pushed
    }

    /// True once the pipeline takes no more: it is stopping, or has ended.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// Ingest's end of a ring.
pub(crate) struct Ring {
    pub(crate) messages: Consumer<Inbound>,
    pub(crate) id: u16,
    pub(crate) gauge: Arc<Gauge>,
}

/// Ingest's end of all sources.
pub(crate) struct Sources {
    pub(crate) priority: Vec<Ring>,
    pub(crate) order: Vec<Ring>,
    pub(crate) market: Vec<Ring>,
    long: Arc<ArrayQueue<InboundLong>>,
    engine: Arc<ArrayQueue<InboundLong>>,
    closed: Arc<AtomicBool>,
    ring_count: u16,
}

impl Sources {
    pub(crate) fn new(long_slots: usize) -> Self {
        let queue = || Arc::new(ArrayQueue::new(long_slots.max(1)));
        Self {
            priority: Vec::new(),
            order: Vec::new(),
            market: Vec::new(),
            long: queue(),
            engine: queue(),
            closed: Arc::default(),
            ring_count: 0,
        }
    }

    /// From here on producers are given their messages back.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn add(&mut self, class: SourceClass, slots: usize, waker: Waker) -> Source {
        let (ring, messages) = RingBuffer::new(slots.max(1));
        let id = SOURCE_RINGS.saturating_add(self.ring_count);
        self.ring_count = self.ring_count.saturating_add(1);
        let gauge = Arc::new(Gauge::new(class.text(), slots.max(1)));
        self.rings_mut(class).push(Ring {
            messages,
            id,
            gauge: Arc::clone(&gauge),
        });
        Source {
            ring,
            closed: Arc::clone(&self.closed),
            waker,
            id,
            gauge,
        }
    }

    /// Gauges of all rings, and the two long queues.
    pub(crate) fn gauges(&self) -> (Vec<Arc<Gauge>>, [Arc<ArrayQueue<InboundLong>>; 2]) {
        let rings = self.priority.iter().chain(&self.order).chain(&self.market);
        let gauges = rings.map(|ring| Arc::clone(&ring.gauge)).collect();
        (gauges, [Arc::clone(&self.long), Arc::clone(&self.engine)])
    }

    pub(crate) fn rings_mut(&mut self, class: SourceClass) -> &mut Vec<Ring> {
        match class {
            SourceClass::Priority => &mut self.priority,
            SourceClass::Order => &mut self.order,
            SourceClass::Market => &mut self.market,
        }
    }

    pub(crate) fn long_source(&self, waker: Waker) -> LongSource {
        LongSource {
            queue: Arc::clone(&self.long),
            closed: Arc::clone(&self.closed),
            waker,
        }
    }

    pub(crate) fn engine_source(&self, waker: Waker) -> LongSource {
        LongSource {
            queue: Arc::clone(&self.engine),
            closed: Arc::clone(&self.closed),
            waker,
        }
    }

    #[inline]
    pub(crate) fn pop_long(&self) -> Option<InboundLong> {
        // An empty look costs two loads; a pop of an empty queue costs a fence as well.
        if self.long.is_empty() {
            None
        } else {
            self.long.pop()
        }
    }

    #[inline]
    pub(crate) fn pop_engine(&self) -> Option<InboundLong> {
        if self.engine.is_empty() {
            None
        } else {
            self.engine.pop()
        }
    }

    /// True where nothing waits anywhere.
    pub(crate) fn is_empty(&self) -> bool {
        let rings = self.priority.iter().chain(&self.order).chain(&self.market);
        self.long.is_empty() && self.engine.is_empty() && { rings }.all(|ring| ring.messages.is_empty())
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::event::Quote;

    fn quote(bid: i64) -> Inbound {
        let mut body: Quote = bytemuck::Zeroable::zeroed();
        body.bid = bid;
        Inbound::new(Kind::Quote, &body)
    }

    #[test]
    fn a_full_ring_gives_the_message_back() {
        let mut sources = Sources::new(1);
        let mut source = sources.add(SourceClass::Market, 2, Waker::default());
        assert_eq!(source.push_slice(&[quote(1), quote(2), quote(3)]), 2);
        let back = source.push(quote(4)).unwrap_err();
        let mut event = Event::empty();
        assert!(event.take(&back));
        assert_eq!(event.body::<Quote>().bid, 4);
        let long = sources.long_source(Waker::default());
        assert!(long.push(quote(5).into()).is_ok());
        assert!(long.push(quote(6).into()).is_err());
    }

    #[test]
    fn a_pipeline_that_has_ended_takes_nothing() {
        let mut sources = Sources::new(4);
        let mut source = sources.add(SourceClass::Order, 2, Waker::default());
        let long = sources.long_source(Waker::default());
        assert!(!source.is_closed() && !long.is_closed());
        drop(sources);
        assert!(source.is_closed() && long.is_closed());
        assert!(source.push(quote(1)).is_err());
        assert_eq!(source.push_slice(&[quote(1)]), 0);
        assert!(long.push(quote(1).into()).is_err());
    }

    #[test]
    fn kinds_of_the_engine_are_taken_from_the_engine_alone() {
        let mut event = Event::empty();
        let mut timer = quote(1);
        timer.kind = Kind::Timer as u16;
        assert!(!event.take(&timer));
        assert!(!event.take_long(&timer.into(), false));
        assert!(event.take_long(&timer.into(), true));
        let mut unknown = quote(1);
        unknown.kind = 5;
        assert!(!event.take(&unknown));
        assert!(!event.take_long(&unknown.into(), true));
    }
}
