//! Keys that must not come twice: ClOrdIDs of a session, ExecIDs of a venue, references of payments.
//!
//! A key is a 128-bit hash under a random key of the journal, so nobody can choose colliding identifiers. An entry is live
//! while its day is the current one or its order is open; others are swept away a few at a time, with every insert.
//!
//! # Invariants
//! - No allocation after [`KeyTable::new`]; an insert touches the probe run of its key and a bounded number of buckets.
//! - Whether a key is accepted depends on counts by day, never on how far the sweep has come, so a replay decides alike.

use bytemuck::{Pod, Zeroable};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;
use tradewind_domain::time::DayNumber;
use tradewind_machine::prefetch::prefetch;

/// Buckets that each insert sweeps.
const SWEEP_BUCKETS: usize = 4;

/// A hashed identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Key(pub(crate) u64, pub(crate) u64);

/// Hashes identifiers under the journal's key.
#[derive(Clone)]
pub struct KeyHasher {
    base: SipHasher13,
}

impl KeyHasher {
    /// With the 16 random bytes of the journal header.
    pub fn new(hash_key: &[u8; 16]) -> Self {
        Self {
            base: SipHasher13::new_with_key(hash_key),
        }
    }

    /// The key of an identifier within a scope (a session, a venue and day, an account).
    #[inline]
    pub fn key(&self, scope: u64, identifier: &[u8]) -> Key {
        let mut hasher = self.base;
        hasher.write_u64(scope);
        hasher.write(identifier);
        let hash = hasher.finish128();
        Key(hash.h1, hash.h2)
    }
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Entry {
    key: [u64; 2],
    value: u64,
    day: DayNumber,
    used: u32,
}

/// What is kept under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the key stands for: an order id, a sequence number.
    pub value: u64,
    /// Trading date on which it was seen.
    pub day: DayNumber,
}

/// Open-addressed table of keys.
pub struct KeyTable {
    entries: Vec<Entry>,
    mask: usize,
    /// Keys inserted since the day began.
    today_count: u32,
    today: DayNumber,
    capacity: u32,
    sweep_at: usize,
    /// Buckets that the sweep has still to look at: none before the first change of day.
    sweep_left: usize,
}

impl KeyTable {
    /// Room for `capacity` keys a day. Those of the day before stay: calendars do not roll together, and one may be a day behind
    /// the newest. Older ones have room until they are swept.
    pub fn new(capacity: u32) -> Self {
        let buckets = (capacity as usize * 3 + 8).next_power_of_two();
        Self {
            entries: vec![Entry::zeroed(); buckets],
            mask: buckets - 1,
            today_count: 0,
            today: 0,
            capacity,
            sweep_at: 0,
            sweep_left: 0,
        }
    }

    /// Sets how many keys a day are accepted, at most what there is memory for.
    pub fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity.min((self.entries.len() / 3) as u32);
    }

    /// Brings the bucket of a key closer, for a lookup that comes soon.
    #[inline]
    pub fn prefetch(&self, key: Key) {
        prefetch(&self.entries[key.0 as usize & self.mask]);
    }

    /// The entry of a key.
    #[inline]
    pub fn find(&self, key: Key) -> Option<Found> {
        let mut at = key.0 as usize & self.mask;
        for _ in 0..self.entries.len() {
            let entry = &self.entries[at];
            if entry.used == 0 {
                return None;
            }
            if entry.key == [key.0, key.1] {
                return Some(Found {
                    value: entry.value,
                    day: entry.day,
                });
            }
            at = (at + 1) & self.mask;
        }
        None
    }

    /// True where a key was seen on the newest day or the one before: what the sweep may or may not have taken is not asked.
    #[inline]
    pub fn is_known(&self, key: Key) -> bool {
        self.find(key).is_some_and(|found| found.day + 1 >= self.today)
    }

    /// Keys a day.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// True where the day's keys, and `carried` ones that live on from earlier days, fill the table.
    #[inline]
    pub fn is_full(&self, day: DayNumber, carried: u32) -> bool {
        let today = if day > self.today { 0 } else { self.today_count };
        today.saturating_add(carried) >= self.capacity
    }

    /// Share of the day's capacity that is used, in percent.
    pub fn used_pct(&self) -> u32 {
        (u64::from(self.today_count) * 100 / u64::from(self.capacity.max(1))) as u32
    }

    /// Inserts or replaces. `is_live(value)` says of an older day's entry whether it must stay.
    #[inline]
    pub fn insert(&mut self, key: Key, value: u64, day: DayNumber, is_live: impl Fn(u64) -> bool) {
        if day > self.today {
            self.today = day;
            self.today_count = 0;
            self.sweep_left = self.entries.len();
        }
        if self.sweep_left > 0 {
            self.sweep(&is_live);
        }
        self.today_count = self.today_count.saturating_add(1);
        let mut at = key.0 as usize & self.mask;
        // Invariant: the callers ask `is_full` first and the sweep outruns the inserts, so a free bucket exists. Should
        // both fail the probe ends after one round instead of never.
        for _ in 0..self.entries.len() {
            let entry = &mut self.entries[at];
            if entry.used == 0 || entry.key == [key.0, key.1] {
                *entry = Entry {
                    key: [key.0, key.1],
                    value,
                    day,
                    used: 1,
                };
                return;
            }
            at = (at + 1) & self.mask;
        }
        debug_assert!(false, "Invariant: the key table has a free bucket");
    }

    fn sweep(&mut self, is_live: &impl Fn(u64) -> bool) {
        for _ in 0..SWEEP_BUCKETS {
            let entry = self.entries[self.sweep_at];
            if entry.used != 0 && entry.day + 1 < self.today && !is_live(entry.value) {
                // The next entry of the run may move here: look at this bucket again next time.
                self.remove(self.sweep_at);
            } else {
                self.sweep_at = (self.sweep_at + 1) & self.mask;
                self.sweep_left = self.sweep_left.saturating_sub(1);
            }
        }
    }

    /// Removes a bucket's entry and closes the gap in its probe run.
    fn remove(&mut self, mut hole: usize) {
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask;
            let entry = self.entries[at];
            if entry.used == 0 {
                break;
            }
            let home = entry.key[0] as usize & self.mask;
            // The entry may move into the hole unless its home lies between hole and itself.
            if (at.wrapping_sub(home) & self.mask) >= (at.wrapping_sub(hole) & self.mask) {
                self.entries[hole] = entry;
                hole = at;
            }
        }
        self.entries[hole] = Entry::zeroed();
    }

    /// Feeds what can change an outcome to a hash: the counts, and the live entries in an order of their own.
    pub fn digest(&self, is_live: impl Fn(u64) -> bool, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.today.to_le_bytes());
        sink(&self.today_count.to_le_bytes());
        // Bucket order depends on the sweep; a sum over the live entries does not.
        let mut sum = [0u64; 3];
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.used != 0 && (entry.day + 1 >= self.today || is_live(entry.value)))
        {
            sum[0] = sum[0].wrapping_add(entry.key[0] ^ u64::from(entry.day).rotate_left(32));
            sum[1] = sum[1].wrapping_add(entry.key[1]);
            sum[2] = sum[2].wrapping_add(entry.value);
        }
        for word in sum {
            sink(&word.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn key(n: u64) -> Key {
        KeyHasher::new(b"0123456789abcdef").key(1, &n.to_le_bytes())
    }

    #[test]
    fn keys_differ_by_scope_and_identifier_and_by_hash_key() {
        let hasher = KeyHasher::new(b"0123456789abcdef");
        assert_eq!(hasher.key(1, b"A"), hasher.key(1, b"A"));
        assert_ne!(hasher.key(1, b"A"), hasher.key(2, b"A"));
        assert_ne!(hasher.key(1, b"A"), hasher.key(1, b"B"));
        assert_ne!(
            hasher.key(1, b"A"),
            KeyHasher::new(b"fedcba9876543210").key(1, b"A")
        );
    }

    #[test]
    fn finds_what_a_map_finds_over_many_days_of_inserts_and_sweeps() {
        let mut table = KeyTable::new(64);
        let mut model: HashMap<u64, (u64, u32)> = HashMap::new();
        for day in 1..200u32 {
            // Some orders live for one day more than their own.
            let live = |value: u64| value.is_multiple_of(7) && value / 1000 + 1 >= u64::from(day);
            for n in 0..60u64 {
                let id = u64::from(day) * 40 + n; // overlaps the day before
                let value = u64::from(day) * 1000 + n;
                table.insert(key(id), value, day, live);
                model.insert(id, (value, day));
            }
            for (&id, &(value, seen)) in &model {
                if seen == day || live(value) && seen + 1 >= day {
                    assert_eq!(
                        table.find(key(id)),
                        Some(Found { value, day: seen }),
                        "day {day} id {id}"
                    );
                }
            }
            model.retain(|_, &mut (value, seen)| seen + 1 >= day && (seen == day || live(value)));
        }
    }

    #[test]
    fn fullness_counts_the_day_and_what_is_carried() {
        let mut table = KeyTable::new(3);
        for n in 0..3 {
            assert!(!table.is_full(1, 0));
            table.insert(key(n), n, 1, |_| false);
        }
        assert!(table.is_full(1, 0));
        assert!(!table.is_full(2, 0), "a new day begins empty");
        assert!(table.is_full(2, 3), "open orders of earlier days count");
    }
}
