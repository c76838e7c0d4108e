//! Orders of equal content: when the last few of each were accepted (L10b).
//!
//! Content is leaf, instrument, side, type, quantity and prices, kept in full. Rows are reused in the order of their last use: a row whose
//! newest stamp no limit's window reaches any more is free.

use crate::hierarchy::{NIL, hash};
use bytemuck::{Pod, Zeroable, bytes_of};
use hashbrown::HashTable;
use tradewind_domain::event::OrderNew;
use tradewind_domain::time::UnixNanos;

/// Stamps that are kept of each content: the most that a limit may allow.
pub const STAMPS: usize = 8;

/// What makes two orders equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Content {
    qty: i64,
    px: i64,
    stop_px: i64,
    leaf: u32,
    instrument: u32,
    side: u8,
    ord_type: u8,
    reserved: [u8; 6],
}

impl Content {
    /// Of an order.
    pub fn of(order: &OrderNew) -> Self {
        Self {
            qty: order.qty,
            px: order.px,
            stop_px: order.stop_px,
            leaf: order.leaf.0,
            instrument: order.instrument.0,
            side: order.side,
            ord_type: order.ord_type,
            reserved: [0; 6],
        }
    }

    fn hash(&self) -> u64 {
        let words: [u64; 5] = bytemuck::cast(*self);
        words.into_iter().fold(0, |sum, word| hash(sum ^ word))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Row {
    content: Content,
    stamps: [u64; STAMPS],
    /// Used before it, in the order of last use.
    older: u32,
    newer: u32,
    /// Place of the newest stamp.
    at: u64,
}

/// All contents that may still count.
pub struct Repeats {
    rows: Vec<Row>,
    index: HashTable<u32>,
    /// Room as the run recorded it, at most what was allocated.
    max: usize,
    oldest: u32,
    newest: u32,
}

impl Repeats {
    /// Room for `max` contents.
    pub fn new(max: u32) -> Self {
        Self {
            rows: Vec::with_capacity(max as usize),
            index: HashTable::with_capacity(max as usize),
            max: max as usize,
            oldest: NIL,
            newest: NIL,
        }
    }

    /// Takes the size that the run recorded, at most what was allocated.
    pub fn set_capacity(&mut self, max: u32) {
        self.max = (max as usize).min(self.rows.capacity());
    }

    fn find(&self, content: &Content) -> Option<u32> {
        let found = self
            .index
            .find(content.hash(), |&at| self.rows[at as usize].content == *content);
        found.copied()
    }

    /// When orders of this content were accepted; zeroes where never.
    pub fn stamps(&self, content: &Content) -> [UnixNanos; STAMPS] {
        self.find(content)
            .map_or([0; STAMPS], |at| self.rows[at as usize].stamps)
    }

    /// True where one more content can be remembered at this time, windows being at most so long.
    pub fn has_room(&self, content: &Content, now_ns: UnixNanos, window_ns: u64) -> bool {
        self.rows.len() < self.max || self.is_spent(now_ns, window_ns) || self.find(content).is_some()
    }

    /// True where no window reaches the row that was used longest ago.
    fn is_spent(&self, now_ns: UnixNanos, window_ns: u64) -> bool {
        let Some(row) = self.rows.get(self.oldest as usize) else {
            return false;
        };
        now_ns.saturating_sub(row.stamps[row.at as usize % STAMPS]) >= window_ns
    }

    /// Remembers an accepted order; one that [`has_room`](Self::has_room) had room for.
    pub fn put(&mut self, content: &Content, now_ns: UnixNanos, window_ns: u64) {
        let Some(at) = self
            .find(content)
            .or_else(|| self.take(content, now_ns, window_ns))
        else {
            return;
        };
        self.unlink(at);
        let row = &mut self.rows[at as usize];
        row.at = (row.at + 1) % STAMPS as u64;
        row.stamps[row.at as usize] = now_ns;
        (row.older, row.newer) = (self.newest, NIL);
        match self.rows.get_mut(self.newest as usize) {
            Some(newest) => newest.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }

    /// A row for a new content: a fresh one, or the oldest that is spent. It stands in no list yet.
    fn take(&mut self, content: &Content, now_ns: UnixNanos, window_ns: u64) -> Option<u32> {
        let fresh = Row {
            content: *content,
            stamps: [0; STAMPS],
            older: NIL,
            newer: NIL,
            at: 0,
        };
        let at = if self.rows.len() < self.max {
            self.rows.push(fresh);
            (self.rows.len() - 1) as u32
        } else if self.is_spent(now_ns, window_ns) {
            let at = self.oldest;
            let spent = self.rows[at as usize].content;
            if let Ok(entry) = self.index.find_entry(spent.hash(), |&found| found == at) {
                entry.remove();
            }
            self.unlink(at);
            self.rows[at as usize] = fresh;
            at
        } else {
            return None;
        };
        let rows = &self.rows;
        self.index
            .insert_unique(content.hash(), at, |&at| rows[at as usize].content.hash());
        Some(at)
    }

    /// Takes a row out of the order of last use; one that is in none stays out.
    fn unlink(&mut self, at: u32) {
        let Row { older, newer, .. } = self.rows[at as usize];
        if older == NIL && newer == NIL && self.oldest != at {
            return;
        }
        match self.rows.get_mut(older as usize) {
            Some(row) => row.newer = newer,
            None => self.oldest = newer,
        }
        match self.rows.get_mut(newer as usize) {
            Some(row) => row.older = older,
            None => self.newest = older,
        }
        (self.rows[at as usize].older, self.rows[at as usize].newer) = (NIL, NIL);
    }

    /// Feeds the rows to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for row in &self.rows {
            sink(bytes_of(row));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: u64 = 1_000;

    fn content(n: i64) -> Content {
        Content {
            qty: n,
            ..Content::zeroed()
        }
    }

    #[test]
    fn stamps_of_a_content_are_kept_in_a_ring() {
        let mut repeats = Repeats::new(4);
        for now in 1..=10 {
            repeats.put(&content(1), now, WINDOW);
        }
        let mut stamps = repeats.stamps(&content(1));
        stamps.sort_unstable();
        assert_eq!(stamps, [3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(repeats.stamps(&content(2)), [0; STAMPS]);
    }

    #[test]
    fn a_full_table_reuses_what_no_window_reaches_and_nothing_else() {
        let mut repeats = Repeats::new(8);
        repeats.set_capacity(2);
        repeats.put(&content(1), 1, WINDOW);
        repeats.put(&content(2), 2, WINDOW);
        repeats.put(&content(1), 3, WINDOW);
        assert!(!repeats.has_room(&content(3), 4, WINDOW));
        assert!(repeats.has_room(&content(2), 4, WINDOW), "it has its row");
        let later = 2 + WINDOW;
        assert!(repeats.has_room(&content(3), later, WINDOW));
        repeats.put(&content(3), later, WINDOW);
        assert_eq!(repeats.stamps(&content(2)), [0; STAMPS]);
        assert_ne!(repeats.stamps(&content(1)), [0; STAMPS]);
        assert!(!repeats.has_room(&content(4), later, WINDOW));
    }
}
