//! The book of access of the running process: one thread writes what the journal says, any number ask.
//!
//! Invariant: whoever has seen a record's number here finds it in the book.

use crate::book::AccessBook;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::watch;
use tradewind_domain::event::{Event, Kind};
use tradewind_domain::ids::Seq;

/// The book, shared.
#[derive(Debug)]
pub struct Access {
    book: RwLock<AccessBook>,
    /// The last record that is in the book.
    seen: AtomicU64,
    changed: watch::Sender<u64>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            book: RwLock::default(),
            seen: AtomicU64::new(0),
            changed: watch::Sender::new(0),
        }
    }
}

impl Access {
    /// Takes the next record, and tells who waits where access has changed. Called for every record by one thread: most are no
    /// concern of the book and cost one store.
    pub fn observe(&self, event: &Event) {
        let concerns = matches!(
            event.kind(),
            Some(Kind::AccessSet | Kind::AccountSet | Kind::NodeSet)
        );
        let changed = concerns.then(|| {
            let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
            book.observe(event).then(|| book.version())
        });
        self.seen.store(event.head.seq, Ordering::Release);
        if let Some(Some(version)) = changed {
            self.changed.send_replace(version);
        }
    }

    /// The last record that was taken: whatever was revoked up to it is in the book.
    pub fn seen(&self) -> Seq {
        self.seen.load(Ordering::Acquire)
    }

    /// Reads.
    pub fn book(&self) -> RwLockReadGuard<'_, AccessBook> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of every change of access: whoever keeps a connection looks at its rights again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::codes::{AccessStatus, Role};
    use tradewind_domain::event::{AccessSet, Body, Quote};
    use tradewind_domain::ids::{GroupId, NodeId, UserId};

    fn event<T: Body>(kind: Kind, seq: Seq, body: T) -> Event {
        let mut event = Event::empty();
        event.reset(kind);
        event.head.seq = seq;
        *event.body_mut::<T>() = body;
        event
    }

    #[test]
    fn those_who_wait_are_told_of_a_change_and_of_nothing_else() {
        let access = Access::default();
        let mut changes = access.changes();
        let quote: Quote = bytemuck::Zeroable::zeroed();
        access.observe(&event(Kind::Quote, 1, quote));
        assert!(!changes.has_changed().unwrap());
        let body = AccessSet {
            user: UserId(1),
            group: GroupId::NONE,
            role: Role::Viewer as u8,
            status: AccessStatus::Granted as u8,
            node: NodeId::NONE,
            ..bytemuck::Zeroable::zeroed()
        };
        access.observe(&event(Kind::AccessSet, 2, body));
        assert!(changes.has_changed().unwrap());
        assert_eq!((*changes.borrow_and_update(), access.seen()), (1, 2));
    }
}
