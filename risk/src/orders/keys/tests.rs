//! Keys against a list of all that was inserted.

use super::*;
use proptest::prelude::*;

fn identifier(text: &str) -> [u8; IDENTIFIER_LEN] {
    let mut padded = [0; IDENTIFIER_LEN];
    padded[..text.len()].copy_from_slice(text.as_bytes());
    padded
}

#[test]
fn keys_differ_by_scope_and_identifier_and_by_hash_key() {
    let hasher = KeyHasher::new(b"0123456789abcdef");
    let (a, b) = (identifier("A"), identifier("B"));
    let long = identifier("0123456789012345678901234567890123456789");
    assert_eq!(hasher.key(1, &a), hasher.key(1, &a));
    assert_ne!(hasher.key(1, &a), hasher.key(2, &a));
    assert_ne!(hasher.key(1, &a), hasher.key(1, &b));
    let other = KeyHasher::new(b"fedcba9876543210");
    assert_ne!(hasher.key(1, &a), other.key(1, &a));
    for at in 0..IDENTIFIER_LEN {
        let mut changed = long;
        changed[at] = b'x';
        assert_ne!(hasher.key(1, &long), hasher.key(1, &changed), "byte {at}");
    }
}

#[test]
fn numbered_identifiers_are_spread_like_any() {
    const HOMES: usize = 1 << 12;
    for hash_key in [b"0123456789abcdef", b"fedcba9876543210", &[0; 16]] {
        let hasher = KeyHasher::new(hash_key);
        let mut loads = vec![0u32; HOMES];
        for number in 0..HOMES * 4 {
            let key = hasher.key(1, &identifier(&format!("order-{number}")));
            loads[(key.0 >> 52) as usize] += 1;
        }
        // Four on the average: more than twenty in one place come once in ten million places.
        assert!(loads.iter().all(|&load| load <= 20));
    }
}

/// Keys that meet in three buckets under four tags, and differ all the same.
fn key(id: u64) -> Key {
    Key((id % 3) << 62 | id, id % 4)
}

/// A key that is used, looked for as the callers do.
fn use_of(table: &KeyTable, id: u64, value: u64, day: DayNumber) -> Use {
    let key = key(id);
    Use {
        key,
        value,
        day,
        is_new: table.find(key).is_none(),
    }
}

/// What was inserted, in a list: the table as one would write it with all the time in the world.
struct Model {
    inserts: Vec<(u64, u64, DayNumber, u32)>,
    open: Vec<u64>,
    day: DayNumber,
    span: u32,
    used: u32,
}

impl Model {
    fn latest(&self, id: u64) -> Option<(u64, DayNumber, u32)> {
        let of_id = self.inserts.iter().rev().find(|insert| insert.0 == id);
        of_id.map(|&(_, value, day, span)| (value, day, span))
    }

    fn carried(&self) -> u32 {
        self.open.len() as u32
    }

    fn is_recent(&self, span: u32) -> bool {
        span + 1 >= self.span
    }

    /// Inserts unless the identifier is taken or the table is full, as the limit check does.
    fn insert(&mut self, table: &mut KeyTable, id: u64, day: DayNumber, opens: bool) {
        let taken = self.latest(id).is_some_and(|(value, seen, span)| {
            self.is_recent(span) && seen == day || self.open.contains(&value)
        });
        let found = table.find(key(id));
        let refused = found.is_some_and(|found| found.was_seen_on(day) || self.open.contains(&found.value));
        assert_eq!(refused, taken, "identifier {id} on day {day}");
        let used = if day > self.day { self.carried() } else { self.used };
        let is_full = used >= table.capacity();
        assert_eq!(table.is_full(day, self.carried(), 0), is_full);
        if taken || is_full {
            return;
        }
        let value = self.inserts.len() as u64;
        let open = &self.open;
        let inserted = use_of(table, id, value, day);
        table.insert(inserted, self.carried(), |value| open.contains(&value));
        if day > self.day {
            (self.day, self.span) = (day, self.span + 1);
        }
        self.used = used + 1;
        self.inserts.push((id, value, day, self.span));
        if opens {
            self.open.push(value);
        }
    }

    fn check(&self, table: &KeyTable) {
        for &(id, ..) in &self.inserts {
            let (value, day, span) = self.latest(id).unwrap();
            let found = table.find(key(id));
            if self.is_recent(span) || self.open.contains(&value) {
                let is_recent = self.is_recent(span);
                assert_eq!(
                    found,
                    Some(Found {
                        value,
                        day,
                        is_recent
                    }),
                    "identifier {id}"
                );
            } else {
                assert!(found.is_none_or(|found| !found.is_recent), "identifier {id}");
            }
        }
        let needed = table.needed(|value| self.open.contains(&value));
        let mut needed: Vec<_> = needed.map(|entry| entry.value).collect();
        needed.sort_unstable();
        let expected = self
            .inserts
            .iter()
            .filter(|&&(_, value, _, span)| self.is_recent(span) || self.open.contains(&value));
        let expected: Vec<_> = expected.map(|&(_, value, ..)| value).collect();
        assert_eq!(
            needed, expected,
            "what a hash of the state must say, however far the sweep is"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The day goes on slowly, orders stay open over several of them, and positions start anew every few rounds of the ring.
    #[test]
    fn finds_what_a_list_finds_over_spans_sweeps_and_rounds_of_the_ring(
        capacity in 1..24u32,
        steps in prop::collection::vec((0..8u8, 0..40u64), 1..400),
    ) {
        let mut table = KeyTable::new(capacity);
        table.ring.period = table.entries.len() as u32 * 2;
        let mut model = Model { inserts: Vec::new(), open: Vec::new(), day: 0, span: 0, used: 0 };
        let mut day = 1;
        for (op, id) in steps {
            match op {
                0 if id < 20 => day += 1,
                0 | 1 if !model.open.is_empty() => drop(model.open.remove(id as usize % model.open.len())),
                // Another calendar is a day behind.
                2 => model.insert(&mut table, id, day - 1, false),
                op => model.insert(&mut table, id, day, op % 2 == 0),
            }
            model.check(&table);
        }
    }
}

#[test]
fn fullness_counts_the_span_and_what_was_carried_into_it() {
    let mut table = KeyTable::new(3);
    let fill = |table: &mut KeyTable, ids: std::ops::Range<u64>, day, carried| {
        for id in ids {
            assert!(!table.is_full(day, carried, 0));
            let used = use_of(table, id, id, day);
            table.insert(used, carried, |_| false);
        }
        assert!(table.is_full(day, carried, 0));
    };
    fill(&mut table, 0..3, 1, 0);
    assert!(!table.is_full(2, 0, 0), "a new day begins empty");
    assert!(table.is_full(2, 3, 0), "but for the keys of orders that are open");
    fill(&mut table, 3..4, 2, 2);
    assert_eq!(table.used_pct(), 100, "the share is that of what counts");
    assert!(
        table.is_full(2, 0, 0),
        "orders that close give nothing back before the next span"
    );
    assert!(table.is_full(3, 0, 3), "what is kept for others is not there");
}

#[test]
fn a_calendar_that_is_days_behind_over_a_weekend_keeps_its_keys() {
    let mut table = KeyTable::new(10);
    // Friday evening: one market's Monday has begun, another's Friday goes on into Saturday.
    for (id, day) in [(0, 5), (1, 8), (2, 6), (3, 7), (4, 7)] {
        table.remember(key(id), id, day);
    }
    for id in 0..5 {
        assert!(table.is_known(key(id)), "identifier {id}");
    }
}
