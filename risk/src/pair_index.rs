//! Where the pair of a node and an instrument stands: open addressing, the key beside the number, so that a lookup reads one cache
//! line and no row. Pairs are never taken out.
//!
//! # Invariants
//! - No allocation after [`PairIndex::new`], and more places than pairs, so that a search ends.

use crate::hierarchy::{NIL, hash};
use tradewind_machine::prefetch::prefetch;

#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Entry {
    key: u64,
    /// The pair; [`NIL`] in a free place.
    at: u32,
}

/// All pairs by node and instrument.
pub(crate) struct PairIndex {
    entries: Vec<Entry>,
    shift: u32,
}

impl PairIndex {
    /// Room for `max` pairs.
    pub(crate) fn new(max: u32) -> Self {
        let places = (max as usize * 2).next_power_of_two().max(2);
        Self {
            entries: vec![Entry { key: 0, at: NIL }; places],
            shift: 64 - places.trailing_zeros(),
        }
    }

    /// The pair of a key; [`NIL`] where there is none.
    #[inline]
    pub(crate) fn find(&self, key: u64) -> u32 {
        let mask = self.entries.len() - 1;
        let mut place = self.home(key);
        loop {
            let entry = self.entries[place & mask];
            if entry.key == key || entry.at == NIL {
                return entry.at;
            }
            place += 1;
        }
    }

    /// Notes a pair that is not there yet.
    pub(crate) fn insert(&mut self, key: u64, at: u32) {
        let mask = self.entries.len() - 1;
        let mut place = self.home(key) & mask;
        while self.entries[place].at != NIL {
            place = (place + 1) & mask;
        }
        self.entries[place] = Entry { key, at };
    }

    /// Brings a key's place closer, for a lookup that comes soon.
    #[inline]
    pub(crate) fn prefetch(&self, key: u64) {
        if let Some(entry) = self.entries.get(self.home(key)) {
            prefetch(entry);
        }
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        (hash(key) >> self.shift) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_found_when_all_room_is_used_and_none_else() {
        for max in [1, 2, 3, 1_000] {
            let mut index = PairIndex::new(max);
            let key = |at: u32| u64::from(at / 7) << 32 | u64::from(at % 7);
            for at in 0..max {
                assert_eq!(index.find(key(at)), NIL);
                index.insert(key(at), at);
            }
            assert!((0..max).all(|at| index.find(key(at)) == at));
            assert_eq!(index.find(key(max)), NIL);
        }
    }
}
