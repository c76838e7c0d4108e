//! The rows of an event channel on their way: each is written once and goes into every stream that takes it.
//!
//! # Invariants
//! - Rows are taken in the journal's order, and only once their whole group is in the replica.
//! - A row is kept until every stream has gone past it.

use crate::channel::Channel;
use crate::row::{Line, Row, Whose};
use std::collections::VecDeque;
use tradewind_domain::ids::Seq;
use tradewind_views::live::{Held, Live};
use tradewind_views::query::current::{Refusal, Trade};

/// Rows that are read under one hold of the replica's lock.
const SLICE: usize = 1_024;
/// Rows of the present that a snapshot begins with.
pub(crate) const NEWEST: usize = 500;
/// Rows of the past that are looked through for them.
const LOOKED_THROUGH: usize = 20_000;

/// A row with its place in the journal.
pub(crate) struct Placed {
    pub(crate) place: (Seq, u32),
    pub(crate) row: Row,
}

/// Rows of either channel as the replica gives them.
enum Lines {
    Trades(Vec<Trade>),
    Refusals(Vec<Refusal>),
}

fn lines_after(held: &Held, channel: Channel, place: (Seq, u32), max: usize) -> Option<Lines> {
    match channel {
        Channel::Rejects => held.refusals_after(place, max).map(Lines::Refusals),
        _ => held.trades_after(place, max).map(Lines::Trades),
    }
}

/// The newest rows of one event channel.
pub(crate) struct EventRows {
    pub(crate) channel: Channel,
    rows: VecDeque<Placed>,
    /// Everything up to here was taken.
    pub(crate) place: (Seq, u32),
    pub(crate) is_binary: bool,
}

/// Everything of an input and before.
pub(crate) const fn end_of(seq: Seq) -> (Seq, u32) {
    (seq, u32::MAX)
}

impl EventRows {
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            channel,
            rows: VecDeque::new(),
            place: (0, 0),
            is_binary: false,
        }
    }

    /// Begins at the present.
    pub(crate) fn begin(&mut self, live: &Live) {
        self.rows.clear();
        self.place = end_of(live.look(|held| held.whole_seq()));
    }

    /// Takes what has come. False where rows were forgotten before they were taken.
    pub(crate) fn take(&mut self, live: &Live) -> bool {
        loop {
            let (end, lines) = live.look(|held| {
                let lines = lines_after(held, self.channel, self.place, SLICE);
                (held.whole_seq(), lines)
            });
            let Some(lines) = lines else {
                self.begin(live);
                return false;
            };
            let mut found = self.placed(&lines);
            let is_all = found.len() < SLICE;
            found.retain(|placed| placed.place.0 <= end);
            match found.last() {
                Some(last) if !is_all => self.place = last.place,
                _ => self.place = self.place.max(end_of(end)),
            }
            self.rows.extend(found);
            if is_all {
                return true;
            }
        }
    }

    /// Rows behind a place, oldest first; none where some were forgotten.
    pub(crate) fn read(&self, live: &Live, place: (Seq, u32), max: usize) -> Option<Vec<Placed>> {
        let lines = live.look(|held| lines_after(held, self.channel, place, max))?;
        Some(self.placed(&lines))
    }

    /// The newest rows up to a place that `takes` lets through, oldest first.
    pub(crate) fn newest(
        &self,
        live: &Live,
        place: (Seq, u32),
        mut takes: impl FnMut(&Whose) -> bool,
    ) -> Vec<Placed> {
        let lines = live.look(|held| match self.channel {
            Channel::Rejects => {
                let lines = held.newest_refusals().take(LOOKED_THROUGH);
                let lines = lines.filter(|line| (line.seq, line.part) <= place && takes(&line.whose()));
                Lines::Refusals(lines.take(NEWEST).collect())
            }
            _ => {
                let lines = held.newest_trades().take(LOOKED_THROUGH);
                let lines = lines.filter(|line| (line.seq, line.part) <= place && takes(&line.whose()));
                Lines::Trades(lines.take(NEWEST).collect())
            }
        });
        let mut found = self.placed(&lines);
        found.reverse();
        found
    }

    fn placed(&self, lines: &Lines) -> Vec<Placed> {
        let placed = |seq, part, row| Placed {
            place: (seq, part),
            row,
        };
        match lines {
            Lines::Trades(lines) => {
                let rows = lines.iter();
                rows.map(|line| placed(line.seq, line.part, Row::of(line, self.is_binary)))
                    .collect()
            }
            Lines::Refusals(lines) => {
                let rows = lines.iter();
                rows.map(|line| placed(line.seq, line.part, Row::of(line, self.is_binary)))
                    .collect()
            }
        }
    }

    /// Rows behind a place that were taken.
    pub(crate) fn after(&self, place: (Seq, u32)) -> impl Iterator<Item = &Placed> {
        let at = self.rows.partition_point(|placed| placed.place <= place);
        self.rows.range(at..)
    }

    /// Forgets what all streams have gone past.
    pub(crate) fn forget(&mut self, place: (Seq, u32)) {
        let at = self.rows.partition_point(|placed| placed.place <= place);
        self.rows.drain(..at);
    }
}
