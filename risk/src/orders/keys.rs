//! Keys that must not come twice: ClOrdIDs of a session, ExecIDs of a venue, references of payments.
//!
//! A key is a 128-bit hash under a random key of the journal, so nobody can choose colliding identifiers. Entries stand in a ring in
//! the order of their arrival; an index of small tags says where. An insert writes the end of the ring and one cache line of the
//! index, and so does a lookup that finds nothing read one line: the usual case, an identifier that is new.
//!
//! Time is cut into *spans*: one begins with the first key of a newer trading day. Keys of the present span and the one before are
//! kept; older ones only while their order is open. Spans and not dates decide, because calendars do not roll together: over a
//! weekend one of them may be days ahead of another.
//!
//! # Invariants
//! - No allocation after [`KeyTable::new`]; an insert touches the probe run of its key and a bounded number of old entries.
//! - A tag or a mark whose position is outside the ring is free: forgetting a key moves the ring's start and writes nothing else.
//! - What a key is taken for, and whether one is accepted, depends on spans and counts, never on how far the sweep has come, so a
//!   replay decides alike.

use bytemuck::{Pod, Zeroable};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;
use tradewind_domain::time::DayNumber;
use tradewind_machine::prefetch::prefetch;

/// Old entries that each insert looks at.
const SWEEP: u32 = 4;

/// A hashed identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Key(pub(crate) u64, pub(crate) u64);

/// Bytes of an identifier, padding included.
pub const IDENTIFIER_LEN: usize = 40;
/// Words that are hashed: the scope, and those of an identifier.
const WORDS: usize = 1 + IDENTIFIER_LEN / 8;

/// One half of a key: a sum of products, modulo 2^128, of the words and as many random factors; the upper 64 bits count.
///
/// Such a sum is strongly universal (Lemire and Kaser, "Strongly universal string hashing is fast"): whoever does not know the factors cannot
/// choose two identifiers whose sums agree more often than once in 2^64. The products do not wait for one another, as the
/// rounds of a cipher do, and a word of padding is none: an identifier of sixteen characters costs three.
#[derive(Clone)]
struct Sum {
    offset: u128,
    factors: [u128; WORDS],
}

impl Sum {
    /// Factors of the journal's random bytes, spread by a cipher.
    fn new(hash_key: &[u8; 16], number: u64) -> Self {
        let spread = |place: u64| {
            let mut hasher = SipHasher13::new_with_key(hash_key);
            hasher.write_u64(number);
            hasher.write_u64(place);
            hasher.finish128().as_u128()
        };
        Self {
            offset: spread(0),
            factors: std::array::from_fn(|at| spread(1 + at as u64)),
        }
    }
}

/// Hashes identifiers under the journal's key.
#[derive(Clone)]
pub struct KeyHasher {
    sums: [Sum; 2],
}

impl KeyHasher {
    /// With the 16 random bytes of the journal header.
    pub fn new(hash_key: &[u8; 16]) -> Self {
        Self {
            sums: [Sum::new(hash_key, 0), Sum::new(hash_key, 1)],
        }
    }

    /// The key of an identifier within a scope (a session, a venue and day, an account).
    #[inline]
    pub fn key(&self, scope: u64, identifier: &[u8; IDENTIFIER_LEN]) -> Key {
        let [first, second] = &self.sums;
        let mut sums = (first.offset, second.offset);
        let mut add = |at: usize, word: u64| {
            let word = u128::from(word);
            sums.0 = sums.0.wrapping_add(first.factors[at].wrapping_mul(word));
            sums.1 = sums.1.wrapping_add(second.factors[at].wrapping_mul(word));
        };
        add(0, scope);
        let (words, _) = identifier.as_chunks::<8>();
        for (at, bytes) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            if word != 0 {
                add(1 + at, word);
            }
        }
        // The sums of identifiers that are numbered are evenly spaced: mixed, they are spread over the index like any.
        Key(mixed((sums.0 >> 64) as u64), (sums.1 >> 64) as u64)
    }
}

/// A permutation after which close numbers are far from one another (the finalizer of MurmurHash3).
#[inline]
fn mixed(mut word: u64) -> u64 {
    word = (word ^ (word >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    word = (word ^ (word >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

/// A key that counts as used from now on.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// The key.
    pub key: Key,
    /// What it stands for: an order id, a sequence number.
    pub value: u64,
    /// Trading date on which it is used.
    pub day: DayNumber,
    /// True where it was looked for and is not there: it is not looked for again.
    pub is_new: bool,
}

/// What is kept under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the key stands for: an order id, a sequence number.
    pub value: u64,
    /// Trading date on which it was seen.
    day: DayNumber,
    /// True for a key of the present span or the one before.
    is_recent: bool,
}

impl Found {
    /// True for a key of the present span or the one before.
    #[inline]
    pub fn is_recent(&self) -> bool {
        self.is_recent
    }

    /// True where the key was used on this date of its calendar.
    #[inline]
    pub fn was_seen_on(&self, day: DayNumber) -> bool {
        self.is_recent && self.day == day
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Entry {
    key: [u64; 2],
    value: u64,
    day: DayNumber,
    /// 1 for an entry that was moved to the end because its order was still open.
    is_carried: u32,
}

/// Tags of a bucket: the eighth place is the overflow mark's.
const TAGS: usize = 7;
/// A position that no entry ever has.
const NOWHERE: u32 = u32::MAX;

/// One cache line of the index.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Bucket {
    /// Low bits of the keys' second words; the eighth is not used.
    tags: [u32; TAGS + 1],
    /// Where their entries stand; last, the newest entry that found this bucket full and went on to the next.
    positions: [u32; TAGS + 1],
}

impl Bucket {
    /// Places with this tag, a byte each; what they point to may be forgotten.
    #[inline]
    fn with_tag(&self, tag: u32) -> Places {
        let same: [u8; TAGS + 1] = std::array::from_fn(|at| u8::from(self.tags[at] == tag));
        Places(u64::from_le_bytes(same) & !(0xff << (8 * TAGS)))
    }

    /// The first place whose entry is forgotten.
    #[inline]
    fn free_place(&self, ring: Ring) -> Option<usize> {
        self.positions[..TAGS]
            .iter()
            .position(|&position| !ring.holds(position))
    }

    /// True where a key may stand in the next bucket.
    #[inline]
    fn overflows(&self, ring: Ring) -> bool {
        ring.holds(self.positions[TAGS])
    }
}

/// Some places of a bucket: a byte each, 1 or 0.
struct Places(u64);

impl Iterator for Places {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let place = self.0.trailing_zeros() as usize / 8;
        self.0 &= self.0 - 1;
        Some(place)
    }
}

/// The part of the ring that is in use. Positions count up to `period`, a multiple of the ring's length, and start anew.
#[derive(Clone, Copy)]
struct Ring {
    start: u32,
    count: u32,
    period: u32,
}

impl Ring {
    /// How many entries stand before a position.
    #[inline]
    fn rank(self, position: u32) -> u32 {
        let wrapped = if position < self.start { self.period } else { 0 };
        position.wrapping_sub(self.start).wrapping_add(wrapped)
    }

    #[inline]
    fn holds(self, position: u32) -> bool {
        self.rank(position) < self.count
    }

    #[inline]
    fn position(self, rank: u32) -> u32 {
        // Both are below the period, which leaves room for the ring's length.
        let sum = self.start + rank;
        if sum >= self.period {
            sum - self.period
        } else {
            sum
        }
    }
}

/// The table of keys.
pub struct KeyTable {
    entries: Vec<Entry>,
    index: Vec<Bucket>,
    ring: Ring,
    /// Entries older than the span before the present one: the sweep has not looked at them yet.
    old: u32,
    /// Entries of the present span.
    present: u32,
    /// Newest trading day.
    today: DayNumber,
    /// Keys that count against the capacity: those of the present span, and those that were carried into it.
    used: u32,
    capacity: u32,
    capacity_max: u32,
}

impl KeyTable {
    /// Room for `capacity` keys a span: for those of two spans, and for what the sweep has not looked at yet.
    pub fn new(capacity: u32) -> Self {
        let capacity = capacity.min(1 << 29);
        // The sweep frees four entries with each insert; keys of open orders move to the end, so they free nothing. Should a whole
        // span's keys be open orders', a quarter of them arrives before the first entry is free.
        let len = capacity * 2 + capacity / SWEEP + SWEEP + 1;
        // Five tags in seven places when all is full.
        let buckets = len as usize / (TAGS - 2) + 1;
        let empty = Bucket {
            tags: [0; TAGS + 1],
            positions: [NOWHERE; TAGS + 1],
        };
        Self {
            entries: vec![Entry::zeroed(); len as usize],
            index: vec![empty; buckets],
            ring: Ring {
                start: 0,
                count: 0,
                period: (u32::MAX - len) / len * len,
            },
            old: 0,
            present: 0,
            today: 0,
            used: 0,
            capacity,
            capacity_max: capacity,
        }
    }

    /// Sets how many keys a span are accepted, at most what there is memory for.
    pub fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity.min(self.capacity_max);
    }

    /// Brings the bucket of a key closer, for a lookup that comes soon.
    #[inline]
    pub fn prefetch(&self, key: Key) {
        prefetch(&self.index[self.home(key)]);
    }

    /// The entry of a key.
    #[inline]
    pub fn find(&self, key: Key) -> Option<Found> {
        let position = self.locate(key)?;
        let entry = &self.entries[self.slot(position)];
        Some(Found {
            value: entry.value,
            day: entry.day,
            is_recent: entry.is_carried == 0 && self.ring.rank(position) >= self.old,
        })
    }

    /// True where a key was seen in the present span or the one before.
    #[inline]
    pub fn is_known(&self, key: Key) -> bool {
        self.find(key).is_some_and(|found| found.is_recent)
    }

    /// Keys a span.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// True where all but `kept` places of the span that a key of `day` belongs to are used. `carried` keys go into a span that
    /// begins with it.
    #[inline]
    pub fn is_full(&self, day: DayNumber, carried: u32, kept: u32) -> bool {
        let used = if day > self.today { carried } else { self.used };
        used.saturating_add(kept) >= self.capacity
    }

    /// Share of the span's capacity that is used, in percent.
    pub fn used_pct(&self) -> u32 {
        (u64::from(self.used) * 100 / u64::from(self.capacity.max(1))) as u32
    }

    /// Takes a key in, in place of what stood under it. `carried` counts the keys of open orders; `is_live(value)` says of an old entry
    /// whether it is one of them.
    #[inline]
    pub fn insert(&mut self, used: Use, carried: u32, is_live: impl Fn(u64) -> bool) {
        debug_assert!(
            !used.is_new || self.locate(used.key).is_none(),
            "Invariant: the key is new"
        );
        if used.day > self.today {
            self.today = used.day;
            self.used = carried;
            self.old = self.ring.count.saturating_sub(self.present);
            self.present = 0;
        }
        if self.old > 0 {
            self.sweep(&is_live);
        }
        self.used = self.used.saturating_add(1);
        let entry = Entry {
            key: [used.key.0, used.key.1],
            value: used.value,
            day: used.day,
            is_carried: 0,
        };
        self.append(entry, used.is_new);
    }

    /// Takes in a key of something that is over: no entry of this table is kept beyond its span.
    #[inline]
    pub fn remember(&mut self, key: Key, value: u64, day: DayNumber) {
        let used = Use {
            key,
            value,
            day,
            is_new: false,
        };
        self.insert(used, 0, |_| false);
    }

    /// Looks at the oldest entries: what is not needed any more is left behind, the keys of open orders move to the end.
    fn sweep(&mut self, is_live: &impl Fn(u64) -> bool) {
        for _ in 0..SWEEP.min(self.old) {
            let position = self.ring.start;
            let entry = self.entries[self.slot(position)];
            let stays =
                is_live(entry.value) && self.locate(Key(entry.key[0], entry.key[1])) == Some(position);
            self.forget_oldest();
            if stays {
                let entry = Entry {
                    is_carried: 1,
                    ..entry
                };
                self.append(entry, false);
            }
        }
    }

    fn forget_oldest(&mut self) {
        self.ring.start = self.ring.position(1);
        self.ring.count -= 1;
        self.old = self.old.saturating_sub(1);
    }

    fn append(&mut self, entry: Entry, is_new: bool) {
        if self.ring.count as usize == self.entries.len() {
            // Invariant: the callers ask `is_full` first and the sweep outruns the inserts. Should both fail the oldest key goes.
            debug_assert!(false, "Invariant: the ring has a free place");
            self.forget_oldest();
        }
        let position = self.ring.position(self.ring.count);
        let slot = self.slot(position);
        self.entries[slot] = entry;
        self.ring.count += 1;
        self.present += 1;
        self.point(Key(entry.key[0], entry.key[1]), position, is_new);
    }

    /// Makes the index say where a key's entry stands now.
    #[inline]
    fn point(&mut self, key: Key, position: u32, is_new: bool) {
        let held = if is_new { None } else { self.tag_of(key) };
        let ring = self.ring;
        let mut at = self.home(key);
        for _ in 0..self.index.len() {
            let bucket = &mut self.index[at];
            let place = match held {
                Some((bucket, place)) => (bucket == at).then_some(place),
                None => bucket.free_place(ring),
            };
            if let Some(place) = place {
                bucket.tags[place] = key.1 as u32;
                bucket.positions[place] = position;
                return;
            }
            bucket.positions[TAGS] = position;
            at = self.next(at);
        }
        debug_assert!(false, "Invariant: the index has more places than the ring");
    }

    /// The bucket and the place in it of the tag that points to a key's entry.
    #[inline]
    fn tag_of(&self, key: Key) -> Option<(usize, usize)> {
        let mut at = self.home(key);
        for _ in 0..self.index.len() {
            let bucket = &self.index[at];
            for place in bucket.with_tag(key.1 as u32) {
                let position = bucket.positions[place];
                if self.ring.holds(position) && self.entries[self.slot(position)].key == [key.0, key.1] {
                    return Some((at, place));
                }
            }
            if !bucket.overflows(self.ring) {
                return None;
            }
            at = self.next(at);
        }
        None
    }

    #[inline]
    fn locate(&self, key: Key) -> Option<u32> {
        self.tag_of(key)
            .map(|(bucket, place)| self.index[bucket].positions[place])
    }

    #[inline]
    fn home(&self, key: Key) -> usize {
        // The key's first word as a fraction of the index: any number of buckets will do.
        ((u128::from(key.0) * self.index.len() as u128) >> 64) as usize
    }

    #[inline]
    fn next(&self, bucket: usize) -> usize {
        if bucket + 1 == self.index.len() {
            0
        } else {
            bucket + 1
        }
    }

    #[inline]
    fn slot(&self, position: u32) -> usize {
        (position % self.entries.len() as u32) as usize
    }

    /// Entries that can change an outcome: those of the last two spans, and the keys of open orders.
    fn needed(&self, is_live: impl Fn(u64) -> bool) -> impl Iterator<Item = Entry> {
        (0..self.ring.count).filter_map(move |rank| {
            let position = self.ring.position(rank);
            let entry = self.entries[self.slot(position)];
            let is_recent = rank >= self.old && entry.is_carried == 0;
            let stays = is_recent
                || is_live(entry.value) && self.locate(Key(entry.key[0], entry.key[1])) == Some(position);
            stays.then_some(entry)
        })
    }

    /// Feeds what can change an outcome to a hash. The order of what the sweep has moved depends on its progress; a sum does not.
    pub fn digest(&self, is_live: impl Fn(u64) -> bool, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.today.to_le_bytes());
        sink(&self.used.to_le_bytes());
        let mut sum = [0u64; 3];
        for entry in self.needed(is_live) {
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
mod tests;
