//! The rows of a state channel, and which of them changed in the last ticks.
//!
//! # Invariants
//! - Rows that changed since a tick, and keys that are gone since, are known for the last [`WINDOW`] ticks: longer than the
//!   slowest rate of frames.
//! - A row whose bytes are the same as before has not changed.

use crate::row::{Encoded, Key, Line, Row, Whose, key_of};
use std::collections::{BTreeMap, VecDeque};

/// Ticks that changes are kept for.
pub(crate) const WINDOW: u64 = 8;

struct Held {
    row: Row,
    /// The tick in which it changed last.
    changed: u64,
    key: Encoded,
}

/// A row that is gone.
pub(crate) struct Gone {
    pub(crate) key: Encoded,
    pub(crate) whose: Whose,
}

/// The rows of a channel.
#[derive(Default)]
pub(crate) struct Table {
    rows: BTreeMap<Key, Held>,
    changed: VecDeque<(u64, Vec<Key>)>,
    gone: VecDeque<(u64, Key, Gone)>,
    /// Rows are kept in the binary form too.
    pub(crate) is_binary: bool,
}

impl Table {
    /// Sets a row, or takes it away.
    pub(crate) fn set(&mut self, tick: u64, key: Key, line: Option<&impl Line>) {
        let Some(line) = line else {
            return self.remove(tick, key);
        };
        let row = Row::of(line, self.is_binary);
        match self.rows.get_mut(&key) {
            Some(held) if held.row.json == row.json && held.row.whose.owner == row.whose.owner => {
                held.row.binary = row.binary;
                return;
            }
            Some(held) => {
                let is_noted = held.changed == tick;
                (held.row, held.changed) = (row, tick);
                if is_noted {
                    return;
                }
            }
            None => {
                let held = Held {
                    row,
                    changed: tick,
                    key: key_of(line),
                };
                self.rows.insert(key, held);
            }
        }
        match self.changed.back_mut() {
            Some((at, keys)) if *at == tick => keys.push(key),
            _ => self.changed.push_back((tick, vec![key])),
        }
    }

    fn remove(&mut self, tick: u64, key: Key) {
        if let Some(held) = self.rows.remove(&key) {
            let gone = Gone {
                key: held.key,
                whose: held.row.whose,
            };
            self.gone.push_back((tick, key, gone));
        }
    }

    /// Takes every row away that `keep` does not name.
    pub(crate) fn retain(&mut self, tick: u64, keep: impl Fn(&Key) -> bool) {
        let old: Vec<Key> = self.rows.keys().filter(|key| !keep(key)).copied().collect();
        old.into_iter().for_each(|key| self.remove(tick, key));
    }

    /// Forgets changes that no frame asks for any more.
    pub(crate) fn prune(&mut self, tick: u64) {
        let is_old = |at: u64| at + WINDOW < tick;
        while self.changed.front().is_some_and(|(at, _)| is_old(*at)) {
            self.changed.pop_front();
        }
        while self.gone.front().is_some_and(|(at, ..)| is_old(*at)) {
            self.gone.pop_front();
        }
    }

    /// All rows, by key.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().map(|held| &held.row)
    }

    /// Rows that changed after a tick, each once.
    pub(crate) fn changed_after(&self, tick: u64) -> impl Iterator<Item = &Row> {
        let ticks = self.changed.iter().filter(move |(at, _)| *at > tick);
        ticks.flat_map(|(at, keys)| {
            let rows = keys.iter().filter_map(|key| self.rows.get(key));
            rows.filter(|held| held.changed == *at).map(|held| &held.row)
        })
    }

    /// Rows that are gone since a tick and have not come back.
    pub(crate) fn gone_after(&self, tick: u64) -> impl Iterator<Item = &Gone> {
        let gone = self.gone.iter().filter(move |(at, ..)| *at > tick);
        gone.filter(|(_, key, _)| !self.rows.contains_key(key))
            .map(|(.., gone)| gone)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Check, Status};
    use tradewind_domain::text::Code;

    fn check(name: &str, value: u64) -> (Key, Check) {
        (
            Key::Check(Code::lossy(name)),
            Check::new(name, Status::Pass, value, "count", ""),
        )
    }

    fn texts<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<String> {
        rows.map(|row| String::from_utf8_lossy(&row.json).into_owned())
            .collect()
    }

    #[test]
    fn changes_are_told_once_and_only_where_bytes_differ() {
        let mut table = Table::default();
        let set = |table: &mut Table, tick, name: &str, value| {
            let (key, line) = check(name, value);
            table.set(tick, key, Some(&line));
        };
        set(&mut table, 1, "a", 1);
        set(&mut table, 1, "b", 1);
        set(&mut table, 2, "a", 1);
        assert!(
            texts(table.changed_after(1)).is_empty(),
            "the same again is no change"
        );
        set(&mut table, 2, "a", 2);
        set(&mut table, 2, "a", 3);
        set(&mut table, 3, "a", 4);
        assert_eq!(
            texts(table.changed_after(1)),
            [r#"["a","PASS","4","count","",null]"#]
        );
        assert_eq!(texts(table.changed_after(0)).len(), 2);
        table.prune(2 + WINDOW);
        assert_eq!(
            texts(table.changed_after(0)).len(),
            1,
            "what changed long ago is forgotten"
        );
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn a_row_that_is_gone_is_told_unless_it_came_back() {
        let mut table = Table::default();
        let (key, line) = check("a", 1);
        table.set(1, key, Some(&line));
        table.set(2, key, None::<&Check>);
        assert_eq!(table.gone_after(1).count(), 1);
        assert_eq!(table.gone_after(2).count(), 0);
        table.set(3, key, Some(&line));
        assert_eq!(table.gone_after(1).count(), 0);
        assert_eq!(texts(table.changed_after(1)).len(), 1);
        table.retain(4, |_| false);
        assert_eq!((table.gone_after(3).count(), table.len()), (1, 0));
    }
}
