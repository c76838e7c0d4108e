//! A table from names to what orders need of the row behind the name.
//!
//! The name and the value lie together in one bucket, so that a lookup touches two cache lines: the control bytes and the
//! bucket. Names are compared as four words.
//!
//! Invariant: the table never grows. It is allocated at start for its capacity, and the caller asks [`NameTable::is_full`]
//! before it inserts.
//!
//! The hash has a fixed key on purpose: names come in only through admin events, so nobody on a wire can choose them to
//! collide, and nothing is ever read out in the table's order.

use hashbrown::HashTable;

/// A name of up to 32 bytes as four words.
pub(super) type Key = [u64; 4];

/// The words of a padded text.
#[inline]
pub(super) fn key(padded: &[u8; 32]) -> Key {
    bytemuck::cast(*padded)
}

struct Entry<V> {
    key: Key,
    value: V,
}

/// Names and values, of a capacity fixed at start.
pub(super) struct NameTable<V> {
    entries: HashTable<Entry<V>>,
    capacity: usize,
}

impl<V: Copy> NameTable<V> {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            entries: HashTable::with_capacity(capacity),
            capacity,
        }
    }

    /// The value of a name.
    #[inline]
    pub(super) fn get(&self, key: &Key) -> Option<V> {
        self.entries
            .find(hash(key), |entry| entry.key == *key)
            .map(|entry| entry.value)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.capacity
    }

    /// Sets the value of a name.
    ///
    /// # Panics
    /// Where the name is new and the table is full.
    pub(super) fn put(&mut self, key: Key, value: V) {
        let hash_of_key = hash(&key);
        if let Some(entry) = self.entries.find_mut(hash_of_key, |entry| entry.key == key) {
            entry.value = value;
            return;
        }
        assert!(
            !self.is_full(),
            "Invariant: name tables are sized at start for every journaled row"
        );
        self.entries
            .insert_unique(hash_of_key, Entry { key, value }, |entry| hash(&entry.key));
    }
}

/// Odd words without structure (digits of pi), so that short names, whose upper words are zero, still mix.
const SEEDS: [u64; 5] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7345,
    0xa409_3822_299f_31d1,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
];

#[inline]
fn hash(key: &Key) -> u64 {
    let low = fold(key[0] ^ SEEDS[0], key[1] ^ SEEDS[1]);
    let high = fold(key[2] ^ SEEDS[2], key[3] ^ SEEDS[3]);
    fold(low ^ high.rotate_left(23), SEEDS[4])
}

/// Upper and lower half of the product, xored: every bit of the result depends on every bit of both factors.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(n: u32) -> Key {
        let mut padded = [0; 32];
        let text = format!("ACC-{n:07}");
        padded[..text.len()].copy_from_slice(text.as_bytes());
        key(&padded)
    }

    #[test]
    fn a_name_gives_back_what_was_put_last() {
        let mut table = NameTable::with_capacity(2);
        table.put(numbered(1), 10u32);
        table.put(numbered(1), 11);
        assert_eq!(table.get(&numbered(1)), Some(11));
        assert_eq!(table.get(&numbered(2)), None);
        assert!(!table.is_full());
    }

    #[test]
    fn names_with_a_running_number_spread_over_buckets_and_control_bytes() {
        let mut low = [0u32; 256];
        let mut high = [0u32; 128];
        for n in 0..100_000 {
            let hash = hash(&numbered(n));
            low[(hash & 0xff) as usize] += 1;
            high[(hash >> 57) as usize] += 1;
        }
        assert!(low.iter().all(|&count| (300..=480).contains(&count)), "{low:?}");
        assert!(high.iter().all(|&count| (640..=920).contains(&count)), "{high:?}");
    }

    #[test]
    #[should_panic(expected = "Invariant: name tables are sized at start")]
    fn a_full_table_takes_no_new_name() {
        let mut table = NameTable::with_capacity(1);
        table.put(numbered(1), 1u32);
        table.put(numbered(2), 2u32);
    }
}
