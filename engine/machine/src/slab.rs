//! Slots for events: all allocated at start-up, then only handed on.
//!
//! A [`Slot`] owns its event, so at every moment one thread can touch it and the compiler knows which. What travels in
//! the rings between threads is the handle, 16 bytes, not the event. The allocator places slots of one pool one after
//! another, so this is the usual slab without an index to check and without unsafe code.
//!
//! # Invariants
//! - The number of slots of a pool never changes: a slot that left its pool comes back to it once its event is journaled.
//! - On the thread that takes them, slots come back last in, first out, so that a light load stays in the cache.
//! - No allocation after start-up.

use crate::record::Record;
use rtrb::{Consumer, Producer, RingBuffer};
use std::ops::{Deref, DerefMut};

/// Which pool a slot belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolId {
    /// Inputs: taken by ingest.
    Ingest,
    /// Effects: taken by the expander.
    Effects,
}

/// One event and the right to touch it.
pub struct Slot<E> {
    event: Box<E>,
    pool: PoolId,
}

impl<E> Slot<E> {
    #[inline]
    pub(crate) fn pool(&self) -> PoolId {
        self.pool
    }
}

impl<E> Deref for Slot<E> {
    type Target = E;
    #[inline]
    fn deref(&self) -> &E {
        &self.event
    }
}

impl<E> DerefMut for Slot<E> {
    #[inline]
    fn deref_mut(&mut self) -> &mut E {
        &mut self.event
    }
}

/// Free slots, on the thread that takes them.
pub(crate) struct Pool<E> {
    free: Vec<Slot<E>>,
    returns: Option<Consumer<Slot<E>>>,
}

impl<E: Record> Pool<E> {
    /// Allocates and touches all slots.
    pub(crate) fn new(id: PoolId, slot_count: usize) -> Self {
        let free = (0..slot_count)
            .map(|_| Slot {
                event: Box::new(E::empty()),
                pool: id,
            })
            .collect();
        Self { free, returns: None }
    }

    /// The way back for another thread. The ring has room for every slot, so giving back never waits.
    pub(crate) fn open_returns(&mut self) -> Returns<E> {
        let (producer, consumer) = RingBuffer::new(self.free.len());
        self.returns = Some(consumer);
        Returns { ring: producer }
    }

    /// How many slots can be taken now, counting up to `wanted`.
    #[inline]
    pub(crate) fn available(&mut self, wanted: usize) -> usize {
        // Even where enough are free: those that came back last are the ones still in a cache.
        self.collect();
        self.free.len().min(wanted)
    }

    /// A free slot, with whatever its last event left in it.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Slot<E>> {
        if self.free.is_empty() {
            self.collect();
        }
        self.free.pop()
    }

    /// Takes a slot back, on this thread.
    #[inline]
    pub(crate) fn put(&mut self, slot: Slot<E>) {
        self.free.push(slot);
    }

    fn collect(&mut self) {
        let Some(returns) = &mut self.returns else { return };
        let count = returns.slots();
        if let Ok(chunk) = returns.read_chunk(count) {
            self.free.extend(chunk);
        }
    }
}

/// The way back into a pool from another thread.
pub(crate) struct Returns<E> {
    ring: Producer<Slot<E>>,
}

impl<E> Returns<E> {
    /// Gives a slot back. Where the pool's thread has ended the slot is dropped with it.
    #[inline]
    pub(crate) fn put(&mut self, slot: Slot<E>) {
        let full = self.ring.push(slot).is_err();
        debug_assert!(
            !full,
            "Invariant: the ring of returns has room for every slot of its pool"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::event::Event;

    #[test]
    fn a_slot_comes_back_last_in_first_out() {
        let mut pool: Pool<Event> = Pool::new(PoolId::Ingest, 2);
        let mut first = pool.take().unwrap();
        let second = pool.take().unwrap();
        assert!(pool.take().is_none());
        first.head.seq = 7;
        pool.put(second);
        pool.put(first);
        assert_eq!(pool.take().unwrap().head.seq, 7);
        assert_eq!(pool.available(9), 1);
    }

    #[test]
    fn slots_travel_to_another_thread_and_back() {
        let mut pool: Pool<Event> = Pool::new(PoolId::Effects, 4);
        let mut returns = pool.open_returns();
        let (mut there, mut here) = RingBuffer::new(4);
        let other = std::thread::spawn(move || {
            let mut sum = 0;
            for _ in 0..200 {
                let slot: Slot<Event> = loop {
                    match here.pop() {
                        Ok(slot) => break slot,
                        Err(_) => std::thread::yield_now(),
                    }
                };
                sum += slot.head.seq;
                returns.put(slot);
            }
            sum
        });
        for seq in 1..=200 {
            let mut slot = loop {
                match pool.take() {
                    Some(slot) => break slot,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(slot.pool(), PoolId::Effects);
            slot.head.seq = seq;
            assert!(there.push(slot).is_ok());
        }
        assert_eq!(other.join().unwrap(), 200 * 201 / 2);
        assert_eq!(pool.available(9), 4);
    }
}
