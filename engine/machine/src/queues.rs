//! How full the queues are: rings and queues into ingest, and rings between pipeline threads.
//!
//! What went in and what came out are numbers with one writer each, and what waits is their difference. For rings between threads these
//! are the counts that the stages at both ends keep anyway.
//!
//! # Invariants
//! - Whoever asks reads; nobody waits. A figure may be a batch old.
//! - Nothing is counted where nothing moves: a poll of an empty ring costs what it did.

use crate::latency::{Count, Counters};
use crate::topology::{Lane, StageName};
use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;
use std::sync::{Arc, OnceLock};
use tradewind_domain::event::InboundLong;

/// Counts of a ring into ingest.
#[derive(Debug)]
pub(crate) struct Gauge {
    class: &'static str,
    name: OnceLock<&'static str>,
    slots: usize,
    /// Counted by the producer.
    pushed: CachePadded<Count>,
    /// Counted by ingest.
    taken: CachePadded<Count>,
}

impl Gauge {
    pub(crate) fn new(class: &'static str, slots: usize) -> Self {
        Self {
            class,
            name: OnceLock::new(),
            slots,
            pushed: CachePadded::default(),
            taken: CachePadded::default(),
        }
    }

    /// Only the first name counts.
    pub(crate) fn rename(&self, name: &'static str) {
        let _ = self.name.set(name);
    }

    #[inline]
    pub(crate) fn pushed(&self, count: usize) {
        self.pushed.add(count as u64);
    }

    #[inline]
    pub(crate) fn taken(&self, count: usize) {
        self.taken.add(count as u64);
    }

    fn figure(&self) -> QueueFigure {
        // What came out first: what went in may only have grown since.
        let taken = self.taken.get();
        QueueFigure::new(
            self.name.get().copied().unwrap_or(self.class),
            self.pushed.get().saturating_sub(taken),
            self.slots,
        )
    }
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFigure {
    /// Who fills a ring into ingest; the stage that a ring between threads leads to.
    pub name: &'static str,
    /// Messages or events that wait.
    pub waiting: usize,
    /// How many there is room for.
    pub slots: usize,
}

impl QueueFigure {
    fn new(name: &'static str, waiting: u64, slots: usize) -> Self {
        let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
        Self {
            name,
            waiting: waiting.min(slots),
            slots,
        }
    }
}

/// All queues of a pipeline.
#[derive(Debug)]
pub struct Queues {
    rings: Vec<Arc<Gauge>>,
    long: [Arc<ArrayQueue<InboundLong>>; 2],
    /// Stages that begin a thread.
    links: Vec<StageName>,
    link_slots: usize,
    counters: Arc<Counters>,
}

impl Queues {
    pub(crate) fn new(
        (rings, long): (Vec<Arc<Gauge>>, [Arc<ArrayQueue<InboundLong>>; 2]),
        lanes: &[Lane],
        link_slots: usize,
        counters: Arc<Counters>,
    ) -> Self {
        let firsts = lanes.iter().skip(1).filter_map(|lane| lane.stages().first());
        Self {
            rings,
            long,
            links: firsts.copied().collect(),
            link_slots: link_slots.max(1),
            counters,
        }
    }

    /// How full they are now.
    pub fn figures(&self) -> Vec<QueueFigure> {
        let rings = self.rings.iter().map(|gauge| gauge.figure());
        let names = ["admin", "engine"];
        let long = names.into_iter().zip(&self.long);
        let long = long.map(|(name, queue)| QueueFigure::new(name, queue.len() as u64, queue.capacity()));
        rings.chain(long).chain(self.links()).collect()
    }

    /// What the stage before has passed on and the stage behind has not seen. The latter is read first.
    fn links(&self) -> impl Iterator<Item = QueueFigure> + '_ {
        let behind = self.counters.figures();
        let before = self.counters.figures();
        self.links.iter().map(move |stage| {
            let at = *stage as usize;
            let seen = behind[at].events.saturating_sub(behind[at].effects);
            let passed = before[at.saturating_sub(1)].events;
            QueueFigure::new(stage.text(), passed.saturating_sub(seen), self.link_slots)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::latency::Meter;
    use crate::topology::Topology;

    #[test]
    fn what_waits_is_what_went_in_and_did_not_come_out() {
        let gauge = Gauge::new("order", 8);
        gauge.pushed(5);
        gauge.taken(2);
        assert_eq!(gauge.figure(), QueueFigure::new("order", 3, 8));
        gauge.rename("http_orders");
        gauge.rename("other");
        gauge.taken(4); // counted before what went in is
        assert_eq!(gauge.figure(), QueueFigure::new("http_orders", 0, 8));
    }

    #[test]
    fn a_ring_between_threads_holds_what_the_stage_behind_it_has_not_seen() {
        let counters = Arc::new(Counters::default());
        let meter = |stage| Meter::new(stage, Arc::clone(&counters), Clock::manual(0).0);
        let (mut validate, mut limit) = (meter(StageName::Validate), meter(StageName::Limit));
        validate.end(None, 10);
        limit.end(None, 9); // seven of them, and two effects
        limit.effects(2);
        let long = || Arc::new(ArrayQueue::new(4));
        let lanes: Topology = "ingest+normalize+validate,limit+settle+position+journal"
            .parse()
            .unwrap();
        let queues = Queues::new(
            (vec![], [long(), long()]),
            lanes.lanes(),
            16,
            Arc::clone(&counters),
        );
        let figures = queues.figures();
        assert_eq!(figures.last(), Some(&QueueFigure::new("limit", 3, 16)));
        assert_eq!(figures.len(), 3);
    }
}
