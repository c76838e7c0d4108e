//! Lines of restricted lists: what a RESTRICTED limit says of an instrument (L06).

use crate::hierarchy::hash;
use bytemuck::{Pod, Zeroable, bytes_of};
use hashbrown::HashTable;
use tradewind_domain::ids::{InstrumentId, LimitId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Line {
    limit: LimitId,
    instrument: InstrumentId,
    restriction: u32,
}

/// All lines. One that was taken off the list keeps its row: lists change, they do not grow for ever.
pub struct RestrictedLists {
    lines: Vec<Line>,
    index: HashTable<u32>,
    /// Room as the run recorded it, at most what was allocated.
    max: usize,
}

impl RestrictedLists {
    /// Room for `max` lines.
    pub fn new(max: u32) -> Self {
        Self {
            lines: Vec::with_capacity(max as usize),
            index: HashTable::with_capacity(max as usize),
            max: max as usize,
        }
    }

    /// Takes the size that the run recorded, at most what was allocated.
    pub fn set_capacity(&mut self, max: u32) {
        self.max = (max as usize).min(self.lines.capacity());
    }

    fn find(&self, limit: LimitId, instrument: InstrumentId) -> Option<usize> {
        let key = key(limit, instrument);
        let found = self.index.find(hash(key), |&at| {
            let line = &self.lines[at as usize];
            self::key(line.limit, line.instrument) == key
        });
        found.map(|&at| at as usize)
    }

    /// What the limit says of the instrument; 0 for nothing.
    #[inline]
    pub fn restriction(&self, limit: LimitId, instrument: InstrumentId) -> u8 {
        if self.lines.is_empty() {
            return 0;
        }
        self.find(limit, instrument)
            .map_or(0, |at| self.lines[at].restriction as u8)
    }

    /// True where the line can be set.
    pub fn has_room(&self, limit: LimitId, instrument: InstrumentId) -> bool {
        self.lines.len() < self.max || self.find(limit, instrument).is_some()
    }

    /// Share of the room that is used, in percent.
    pub fn used_pct(&self) -> u32 {
        (self.lines.len() * 100 / self.max.max(1)) as u32
    }

    /// Sets a line. False where there is no room for it: whoever decided asked before, so the journal is another engine's.
    #[must_use]
    pub fn set(&mut self, limit: LimitId, instrument: InstrumentId, restriction: u8) -> bool {
        if let Some(at) = self.find(limit, instrument) {
            self.lines[at].restriction = u32::from(restriction);
            return true;
        }
        if self.lines.len() >= self.max {
            return false;
        }
        let at = self.lines.len() as u32;
        self.lines.push(Line {
            limit,
            instrument,
            restriction: u32::from(restriction),
        });
        let lines = &self.lines;
        self.index.insert_unique(hash(key(limit, instrument)), at, |&at| {
            let line = &lines[at as usize];
            hash(key(line.limit, line.instrument))
        });
        true
    }

    /// Feeds the lines to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for line in &self.lines {
            sink(bytes_of(line));
        }
    }
}

fn key(limit: LimitId, instrument: InstrumentId) -> u64 {
    (u64::from(limit.0) << 32) | u64::from(instrument.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_size_counts_and_a_line_off_the_list_keeps_its_row() {
        let mut lists = RestrictedLists::new(8);
        lists.set_capacity(1);
        let (limit, one, other) = (LimitId(3), InstrumentId(1), InstrumentId(2));
        assert!(lists.set(limit, one, 1));
        assert_eq!((lists.restriction(limit, one), lists.used_pct()), (1, 100));
        assert!(lists.has_room(limit, one) && !lists.has_room(limit, other));
        assert!(lists.set(limit, one, 0));
        assert_eq!(lists.restriction(limit, one), 0);
        assert!(!lists.has_room(limit, other));
    }
}
