//! Stamps of sliding windows: when the last N messages or executions were, exact, a ring for each limit that asks for one.
//!
//! All rings lie in one pool of configured size. A ring's room is a power of two; room that is given back is found again by the
//! next ring of its size.
//!
//! # Invariants
//! - No allocation after [`Stamps::new`].
//! - Stamps of a ring never fall, since time never does.

use crate::hierarchy::NIL;
use bytemuck::{Pod, Zeroable};
use tradewind_domain::time::UnixNanos;

/// The longest ring.
pub const RING_MAX: u32 = 1 << 20;

/// One ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Ring {
    at: u32,
    len: u32,
    count: u64,
}

impl Ring {
    /// No ring.
    pub const NONE: Self = Self {
        at: NIL,
        len: 0,
        count: 0,
    };

    /// How many stamps it holds at most.
    pub fn room(&self) -> u32 {
        self.len
    }

    /// Where the stamp of this number stands: its room is a power of two, so that a mask does what a division would.
    #[inline]
    fn place(&self, number: u64) -> usize {
        let mask = u64::from(self.len.next_power_of_two()) - 1;
        self.at as usize + (number & mask) as usize
    }

    /// Forgets its stamps.
    pub fn clear(&mut self) {
        self.count = 0;
    }
}

/// The pool.
pub struct Stamps {
    pool: Vec<u64>,
    /// Room as the run recorded it, at most what was allocated.
    max: u32,
    used: u32,
    /// First free block of each size; a free block's first word names the next.
    free: [u32; 21],
}

impl Stamps {
    /// Room for `max` stamps.
    pub fn new(max: u32) -> Self {
        Self {
            pool: vec![0; max as usize],
            max,
            used: 0,
            free: [NIL; 21],
        }
    }

    /// Takes the size that the run recorded, at most what was allocated.
    pub fn set_capacity(&mut self, max: u32) {
        self.max = max.min(self.pool.len() as u32);
    }

    /// True where a ring of this length can be had.
    pub fn has_room(&self, len: u32) -> bool {
        let Some((class, len)) = class_of(len) else {
            return false;
        };
        self.free[class] != NIL || u64::from(self.used) + u64::from(len) <= u64::from(self.max)
    }

    /// Share of the pool that is given out, in percent.
    pub fn used_pct(&self) -> u32 {
        (u64::from(self.used) * 100 / u64::from(self.max.max(1))) as u32
    }

    /// Makes a ring this long, with the newest stamps that it had.
    pub fn grow(&mut self, ring: &mut Ring, len: u32) {
        let Some(at) = self.take(len) else { return };
        let old = *ring;
        let kept = old.count.min(u64::from(old.len)).min(u64::from(len));
        for n in 0..kept {
            let stamp = self.nth_last(&old, kept - n).unwrap_or(0);
            self.pool[at as usize + n as usize] = stamp;
        }
        if old.len != 0 {
            self.give_back(old);
        }
        *ring = Ring { at, len, count: kept };
    }

    fn take(&mut self, len: u32) -> Option<u32> {
        let (class, room) = class_of(len)?;
        let at = self.free[class];
        if at != NIL {
            self.free[class] = self.pool[at as usize] as u32;
            return Some(at);
        }
        let end = self.used.checked_add(room)?;
        if end > self.max {
            return None;
        }
        Some(std::mem::replace(&mut self.used, end))
    }

    fn give_back(&mut self, ring: Ring) {
        if let Some((class, _)) = class_of(ring.len) {
            self.pool[ring.at as usize] = u64::from(self.free[class]);
            self.free[class] = ring.at;
        }
    }

    /// Puts a stamp; the oldest leaves where the ring is full.
    #[inline]
    pub fn put(&mut self, ring: &mut Ring, now_ns: UnixNanos) {
        if ring.len == 0 {
            return;
        }
        if let Some(place) = self.pool.get_mut(ring.place(ring.count)) {
            *place = now_ns;
            ring.count += 1;
        }
    }

    /// The `n`th stamp from the newest, which is the first; `None` where there are fewer.
    #[inline]
    pub fn nth_last(&self, ring: &Ring, n: u64) -> Option<UnixNanos> {
        if n == 0 || n > ring.count || n > u64::from(ring.len) {
            return None;
        }
        self.pool.get(ring.place(ring.count - n)).copied()
    }

    /// How many stamps are younger than `window_ns` at `now_ns`: a bisection, since stamps never fall.
    pub fn count(&self, ring: &Ring, now_ns: UnixNanos, window_ns: u64) -> u64 {
        let is_young = |n: u64| {
            let stamp = self.nth_last(ring, n);
            stamp.is_some_and(|stamp| now_ns.saturating_sub(stamp) < window_ns)
        };
        let (mut young, mut beyond) = (0, ring.count.min(u64::from(ring.len)) + 1);
        while beyond - young > 1 {
            let middle = young + (beyond - young) / 2;
            if is_young(middle) {
                young = middle;
            } else {
                beyond = middle;
            }
        }
        young
    }

    /// Feeds the pool to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(bytemuck::cast_slice(&self.pool[..self.used as usize]));
    }
}

/// Size class of a ring and its room.
fn class_of(len: u32) -> Option<(usize, u32)> {
    if len == 0 || len > RING_MAX {
        return None;
    }
    let room = len.next_power_of_two();
    Some((room.trailing_zeros() as usize, room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_counts_what_a_list_counts() {
        let mut stamps = Stamps::new(64);
        let mut ring = Ring::NONE;
        stamps.grow(&mut ring, 5);
        let mut list: Vec<u64> = Vec::new();
        for now in (0..400).step_by(7) {
            for window in [1, 10, 30, 1000] {
                let expected = list
                    .iter()
                    .rev()
                    .take(5)
                    .filter(|&&stamp| now - stamp < window)
                    .count();
                assert_eq!(
                    stamps.count(&ring, now, window),
                    expected as u64,
                    "{now} {window}"
                );
            }
            stamps.put(&mut ring, now);
            list.push(now);
        }
    }

    #[test]
    fn the_recorded_size_counts_and_not_the_allocated_one() {
        let mut stamps = Stamps::new(64);
        stamps.set_capacity(4);
        assert!(stamps.has_room(4) && !stamps.has_room(8));
        stamps.grow(&mut Ring::NONE.clone(), 4);
        assert_eq!((stamps.has_room(1), stamps.used_pct()), (false, 100));
        stamps.set_capacity(128);
        assert!(
            stamps.has_room(32) && !stamps.has_room(64),
            "what is allocated bounds it"
        );
    }

    #[test]
    fn a_ring_that_grows_keeps_its_newest_stamps_and_gives_its_room_back() {
        let mut stamps = Stamps::new(16);
        let mut ring = Ring::NONE;
        stamps.grow(&mut ring, 3);
        for now in 1..=5 {
            stamps.put(&mut ring, now);
        }
        stamps.grow(&mut ring, 8);
        assert_eq!(
            [1, 2, 3, 4].map(|n| stamps.nth_last(&ring, n)),
            [Some(5), Some(4), Some(3), None]
        );
        assert!(stamps.has_room(4), "the old room is free again");
        assert!(!stamps.has_room(8));
        assert!(!stamps.has_room(0) && !stamps.has_room(RING_MAX + 1));
    }
}
