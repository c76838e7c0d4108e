//! Who waits for a record, and is told when it has been applied.
//!
//! # Invariants
//! - A waiter is told once, or dropped by its owner; at most [`WAITERS_MAX`] wait.
//! - It is told after the record is in the replica, so that what it reads then holds the record.

use std::collections::HashMap;
use tradewind_domain::event::{Event, Kind};
use tradewind_domain::ids::{OrderId, Seq};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::journal::Position;

/// Waiters at one time.
pub const WAITERS_MAX: usize = 65_536;

/// Which record somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Awaited {
    /// The input of this kind, source and time stamp of its source: whoever sends with stamps of its own finds its record.
    Stamp {
        /// Its kind.
        kind: Kind,
        /// [`Head::source`](tradewind_domain::event::Head::source).
        source: u16,
        /// [`Head::origin_ns`](tradewind_domain::event::Head::origin_ns).
        origin_ns: UnixNanos,
    },
    /// The last part of the input with this number.
    Seq(Seq),
    /// The next record that changes this order.
    Order(OrderId),
}

/// The record that was waited for.
#[derive(Clone)]
pub struct Told {
    /// The event.
    pub event: Box<Event>,
    /// Where the replica stood after it.
    pub position: Position,
}

/// Told once. It runs on the replica's thread: it may send or wake, and must not block.
pub type Tell = Box<dyn FnOnce(Told) + Send>;

/// All who wait.
#[derive(Default)]
pub(super) struct Waiters {
    waiting: HashMap<Awaited, Vec<(u64, Tell)>>,
    count: usize,
    last_id: u64,
    /// Those whose record has come, until the lock is free.
    due: Vec<(Tell, Told)>,
}

impl Waiters {
    /// `None` where too many wait.
    pub(super) fn add(&mut self, awaited: Awaited, tell: Tell) -> Option<u64> {
        if self.count == WAITERS_MAX {
            return None;
        }
        self.count += 1;
        self.last_id += 1;
        self.waiting
            .entry(awaited)
            .or_default()
            .push((self.last_id, tell));
        Some(self.last_id)
    }

    pub(super) fn remove(&mut self, awaited: Awaited, id: u64) {
        let Some(list) = self.waiting.get_mut(&awaited) else {
            return;
        };
        let before = list.len();
        list.retain(|(other, _)| *other != id);
        self.count -= before - list.len();
        if list.is_empty() {
            self.waiting.remove(&awaited);
        }
    }

    /// A record was applied; `order` is the order that it is about.
    pub(super) fn observe(&mut self, event: &Event, order: OrderId, is_last: bool, position: Position) {
        if self.count == 0 {
            return;
        }
        let stamp = event
            .kind()
            .filter(|_| event.head.part == 0)
            .map(|kind| Awaited::Stamp {
                kind,
                source: event.head.source,
                origin_ns: event.head.origin_ns,
            });
        let seq = is_last.then_some(Awaited::Seq(event.head.seq));
        let order = (!order.is_none()).then_some(Awaited::Order(order));
        for awaited in [stamp, seq, order].into_iter().flatten() {
            for (_, tell) in self.waiting.remove(&awaited).unwrap_or_default() {
                self.count -= 1;
                let told = Told {
                    event: Box::new(*event),
                    position,
                };
                self.due.push((tell, told));
            }
        }
    }

    pub(super) fn take_due(&mut self) -> Vec<(Tell, Told)> {
        std::mem::take(&mut self.due)
    }
}
