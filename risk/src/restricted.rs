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
}

impl RestrictedLists {
    /// Room for `max` lines.
    pub fn new(max: u32) -> Self {
        Self {
            lines: Vec::with_capacity(max as usize),
            index: HashTable::with_capacity(max as usize),
        }
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
        self.lines.len() < self.lines.capacity() || self.find(limit, instrument).is_some()
    }

    /// Share of the room that is used, in percent.
    pub fn used_pct(&self) -> u32 {
        (self.lines.len() * 100 / self.lines.capacity().max(1)) as u32
    }

    /// Sets a line.
    pub fn set(&mut self, limit: LimitId, instrument: InstrumentId, restriction: u8) {
        if let Some(at) = self.find(limit, instrument) {
            self.lines[at].restriction = u32::from(restriction);
            return;
        }
        if self.lines.len() == self.lines.capacity() {
            return;
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
