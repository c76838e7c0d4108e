//! What limits gather over several instruments of a node: exposures, margin, and flows of one sector or kind.
//!
//! A limit on exposure or on a sector needs sums over a node's pairs. They are kept only where a limit asks for them: then each
//! pair of the node names the rows it adds to, and every change of the pair changes them by the difference. A row is made by
//! adding up the pairs that exist, so a limit that is set in the middle of a day knows the whole day.
//!
//! # Marks
//! A new mark changes nothing but the instrument's unit value. The pairs that limits gather are revalued afterwards, a few with every
//! event ([`DRAIN_PER_EVENT`]), so that a quote on an instrument which many accounts hold delays nobody. An execution revalues
//! its own pairs at once.
//!
//! # Invariants
//! - A gathered row's totals are the sum of the shares of its pairs, each as of its last revaluation.
//! - What is here follows from the events alone: replaying them gives the same rows.

use crate::hierarchy::{Flow, Hierarchy, NIL, PairRow, hash};
use crate::limits::times;
use bytemuck::{Pod, Zeroable, bytes_of};
use hashbrown::HashTable;
use std::collections::VecDeque;
use tradewind_domain::ids::{InstrumentId, NodeId};
use tradewind_domain::text::Symbol;

/// Rows that one pair can add to: all instruments, its sector, its kind, its sector and kind.
pub const GROUPS_OF_A_PAIR: u32 = 4;
/// Pairs that are revalued with every event.
pub const DRAIN_PER_EVENT: usize = 2;
/// Pairs that are revalued beside with the first event of each millisecond.
pub const DRAIN_PER_TICK: usize = 32;

/// What limits of a node ask for, as bits; the bit's place is the place in [`PairRow::groups`].
pub mod gathers {
    /// All instruments.
    pub const ALL: u8 = 1;
    /// By sector.
    pub const SECTOR: u8 = 2;
    /// By kind of instrument.
    pub const KIND: u8 = 4;
    /// By sector and kind.
    pub const SECTOR_KIND: u8 = 8;
}

/// Sums over pairs, 1e-16 base currency (LIMITS section 8.1, L23 to L31).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Totals {
    /// Of `max(0, m + open buys)`.
    pub long: i128,
    /// Of `max(0, open sells - m)`.
    pub short: i128,
    /// Of `max(|m + open buys|, |m - open sells|)`.
    pub gross: i128,
    /// Of the margin that each needs.
    pub margin: i128,
    /// Of `m`, the signed value of the position at the mark.
    pub mark: i128,
}

impl Totals {
    /// Nothing.
    pub const ZERO: Self = Self {
        long: 0,
        short: 0,
        gross: 0,
        margin: 0,
        mark: 0,
    };

    /// The share of one instrument.
    #[inline]
    pub fn share(mark: i128, buys: i128, sells: i128, margin: i128) -> Self {
        let (up, down) = (mark + buys, mark - sells);
        Self {
            long: up.max(0),
            short: (-down).max(0),
            gross: up.abs().max(down.abs()),
            margin,
            mark,
        }
    }

    /// The share of a pair as it stands.
    #[inline]
    pub fn of(pair: &PairRow) -> Self {
        Self::share(
            pair.mark_value,
            pair.flow.buy_value,
            pair.flow.sell_value,
            pair.margin,
        )
    }

    #[inline]
    fn change(&mut self, before: &Totals, after: &Totals) {
        self.long += after.long - before.long;
        self.short += after.short - before.short;
        self.gross += after.gross - before.gross;
        self.margin += after.margin - before.margin;
        self.mark += after.mark - before.mark;
    }
}

/// Sums over some pairs of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct GroupRow {
    /// What is open and what was executed.
    pub flow: Flow,
    /// Exposures and margin.
    pub totals: Totals,
    /// The node.
    pub node: NodeId,
    /// Which pairs: all, a sector, a kind.
    pub key: u32,
    #[doc(hidden)]
    pub reserved: u64,
}

const _: () = assert!(size_of::<GroupRow>() == 256);

/// What an instrument is worth, in base currency: kept so that revaluing a pair is a multiplication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Units {
    /// One unit at the mark, 1e-8 base currency.
    pub mark: i64,
    /// One unit of a short position at the mark: differs for binary contracts only.
    pub short_mark: i64,
    /// Initial margin of one unit bought, 1e-8 base; 0 for all of its value.
    pub im_buy: i64,
    /// Likewise sold.
    pub im_sell: i64,
    /// First pair that limits gather.
    first_pair: u32,
    /// Next pair to revalue, while the instrument waits in the queue.
    cursor: u32,
    /// Number of the sector, by order of appearance; 0 for unclassified.
    pub sector: u16,
    /// Kind.
    pub kind: u8,
    /// 1 where there is a mark.
    pub has_mark: u8,
    /// 1 while it waits in the queue; 2 where the mark moved again since its turn began.
    queued: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
}

impl Units {
    /// Of an instrument that is not known.
    pub const NEW: Self = Self {
        mark: 0,
        short_mark: 0,
        im_buy: 0,
        im_sell: 0,
        first_pair: NIL,
        cursor: NIL,
        sector: 0,
        kind: 0,
        has_mark: 0,
        queued: 0,
        reserved: [0; 3],
    };

    /// Signed value of a position at the mark.
    #[inline]
    pub fn mark_value(&self, position: i128) -> i128 {
        let unit = if position < 0 { self.short_mark } else { self.mark };
        times(position, unit)
    }

    /// Margin that a position and open orders need: the worse side, never less than nothing (L30).
    #[inline]
    pub fn margin(&self, position: i128, flow: &OpenFigures, mark_value: i128) -> i128 {
        let long = match self.im_buy {
            0 => mark_value + flow.buy_value,
            im => times(position + flow.buy_qty, im),
        };
        let short = match self.im_sell {
            0 => flow.sell_value - mark_value,
            im => times(flow.sell_qty - position, im),
        };
        long.max(short).max(0)
    }
}

/// Open orders of one instrument at one node.
#[derive(Clone, Copy, Debug)]
pub struct OpenFigures {
    /// Open buy quantity.
    pub buy_qty: i128,
    /// Open sell quantity.
    pub sell_qty: i128,
    /// Open buy value.
    pub buy_value: i128,
    /// Open sell value.
    pub sell_value: i128,
}

impl OpenFigures {
    /// As a flow has them.
    #[inline]
    pub fn of(flow: &Flow) -> Self {
        Self {
            buy_qty: flow.buy_qty,
            sell_qty: flow.sell_qty,
            buy_value: flow.buy_value,
            sell_value: flow.sell_value,
        }
    }
}

/// Sectors that can be told apart; further ones count as unclassified, which is limited like any.
const SECTORS_MAX: usize = 1 << 12;

/// All gathered rows, the instruments' units and the queue of those to revalue.
pub struct Groups {
    rows: Vec<GroupRow>,
    max: usize,
    index: HashTable<u32>,
    units: Vec<Units>,
    sectors: Vec<Symbol>,
    /// Instruments that wait, each once: there is room for all.
    queue: VecDeque<InstrumentId>,
}

impl Groups {
    pub(crate) fn new(rows_max: u32, instruments_max: u32) -> Self {
        let mut sectors = Vec::with_capacity(SECTORS_MAX);
        sectors.push(Symbol::EMPTY);
        Self {
            rows: Vec::with_capacity(rows_max as usize),
            max: rows_max as usize,
            index: HashTable::with_capacity(rows_max as usize),
            units: vec![Units::NEW; instruments_max as usize],
            sectors,
            queue: VecDeque::with_capacity(instruments_max as usize),
        }
    }

    /// The row.
    #[inline]
    pub fn row(&self, at: u32) -> Option<&GroupRow> {
        self.rows.get(at as usize)
    }

    /// The units of an instrument.
    #[inline]
    pub fn units(&self, instrument: InstrumentId) -> Option<&Units> {
        self.units.get(instrument.index())
    }

    /// True where `more` rows do not fit.
    #[inline]
    pub fn is_full(&self, more: u32) -> bool {
        self.rows.len() + more as usize > self.max
    }

    /// Sets how many rows are accepted, at most what there is memory for.
    pub(crate) fn set_capacity(&mut self, max: u32) {
        self.max = (max as usize).min(self.rows.capacity());
    }

    /// Rows in use, in percent.
    pub fn used_pct(&self) -> u32 {
        (self.rows.len() * 100 / self.max.max(1)) as u32
    }

    /// Instruments whose pairs wait to be revalued.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The number of a sector, given at its first appearance.
    pub fn sector(&mut self, name: &Symbol) -> u16 {
        if let Some(at) = self.sectors.iter().position(|known| known == name) {
            return at as u16;
        }
        if self.sectors.len() == SECTORS_MAX {
            return 0;
        }
        self.sectors.push(*name);
        (self.sectors.len() - 1) as u16
    }

    /// The name of a sector.
    pub fn sector_name(&self, sector: u16) -> Symbol {
        self.sectors
            .get(usize::from(sector))
            .copied()
            .unwrap_or(Symbol::EMPTY)
    }

    /// Takes an instrument's units: from its row, its mark or its currency's rate. A change lets its pairs be revalued.
    pub(crate) fn set_units(&mut self, instrument: InstrumentId, change: impl FnOnce(&mut Units)) {
        let Some(units) = self.units.get_mut(instrument.index()) else {
            return;
        };
        let before = *units;
        change(units);
        if *units == before || units.first_pair == NIL {
            return;
        }
        if units.queued == 0 {
            units.queued = 1;
            units.cursor = units.first_pair;
            self.queue.push_back(instrument);
        } else {
            units.queued = 2;
        }
    }

    /// The turn of the first in the queue is over; it takes another where its mark moved meanwhile.
    fn end_turn(&mut self) {
        let Some(instrument) = self.queue.pop_front() else {
            return;
        };
        let units = &mut self.units[instrument.index()];
        if units.queued == 2 {
            units.queued = 1;
            units.cursor = units.first_pair;
            self.queue.push_back(instrument);
        } else {
            units.queued = 0;
        }
    }

    pub(crate) fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for row in &self.rows {
            sink(bytes_of(row));
        }
        for units in self.units.iter().filter(|units| **units != Units::NEW) {
            sink(bytes_of(units));
        }
        for sector in &self.sectors {
            sink(bytes_of(sector));
        }
        for instrument in &self.queue {
            sink(&instrument.0.to_le_bytes());
        }
    }

    /// The row of a key, made where it does not exist; [`NIL`] where there is no room.
    fn find_or_make(&mut self, node: NodeId, key: u32) -> (u32, bool) {
        let full = (u64::from(node.0) << 32) | u64::from(key);
        let rows = &self.rows;
        let of = |at: &u32| {
            let row = &rows[*at as usize];
            (u64::from(row.node.0) << 32) | u64::from(row.key)
        };
        if let Some(&at) = self.index.find(hash(full), |at| of(at) == full) {
            return (at, false);
        }
        if self.rows.len() >= self.max {
            return (NIL, false);
        }
        let at = self.rows.len() as u32;
        self.index.insert_unique(hash(full), at, |at| hash(of(at)));
        self.rows.push(GroupRow {
            node,
            key,
            ..GroupRow::zeroed()
        });
        (at, true)
    }
}

/// The key of a gathered row: which bit of [`gathers`], and the sector and kind.
fn key_of(place: usize, units: &Units) -> u32 {
    let sector = if place & 1 == 1 {
        u32::from(units.sector)
    } else {
        0
    };
    let kind = if place & 2 == 2 { u32::from(units.kind) } else { 0 };
    ((place as u32) << 28) | (kind << 16) | sector
}

impl Hierarchy {
    /// Lets a pair add to what limits of its node ask for. Called when the pair is made, and when a limit begins to ask.
    pub(crate) fn gather_pair(&mut self, at: u32) {
        let Some(pair) = self.pairs.get(at as usize).copied() else {
            return;
        };
        let Some(node) = self.node(pair.node) else { return };
        let (wanted, date) = (node.gathers, pair.flow.day);
        let Some(units) = self.groups.units.get_mut(pair.instrument.index()) else {
            return;
        };
        if wanted == 0 {
            return;
        }
        if pair.is_gathered == 0 {
            self.pairs[at as usize].is_gathered = 1;
            let first = std::mem::replace(&mut units.first_pair, at);
            self.pairs[at as usize].next_of_instrument = first;
            self.value_pair(at);
        }
        let Some(units) = self.groups.units(pair.instrument).copied() else {
            return;
        };
        for place in (0..4).filter(|place| wanted & (1 << place) != 0) {
            if self.pairs[at as usize].groups[place] != NIL {
                continue;
            }
            let (row_at, _) = self.groups.find_or_make(pair.node, key_of(place, &units));
            self.pairs[at as usize].groups[place] = row_at;
            if place == 0
                && let Some(node) = self.node_mut(pair.node)
            {
                node.totals = row_at;
            }
            let pair = self.pairs[at as usize];
            if let Some(row) = self.groups.rows.get_mut(row_at as usize) {
                row.totals.change(&Totals::ZERO, &Totals::of(&pair));
                row.flow.gather(&pair.flow, date.max(row.flow.day));
            }
        }
    }

    /// A limit of the node asks for sums: they are made from the pairs that exist.
    pub(crate) fn ask_for(&mut self, node: NodeId, wanted: u8) {
        let Some(row) = self.node_mut(node) else { return };
        if row.gathers | wanted == row.gathers {
            return;
        }
        row.gathers |= wanted;
        let mut at = row.first_pair;
        while let Some(pair) = self.pair(at) {
            let next = pair.next_of_node;
            self.gather_pair(at);
            at = next;
        }
    }

    /// Pairs of a node: what a limit that begins to ask needs room for.
    pub(crate) fn count_pairs(&self, node: NodeId) -> u32 {
        let first = self.node(node).map_or(NIL, |row| row.first_pair);
        std::iter::successors(self.pair(first), |pair| self.pair(pair.next_of_node)).count() as u32
    }

    /// Values position and margin of a pair at the present units, without telling the gathered rows.
    fn value_pair(&mut self, at: u32) {
        let Some(pair) = self.pairs.get_mut(at as usize) else {
            return;
        };
        let Some(units) = self.groups.units.get(pair.instrument.index()) else {
            return;
        };
        pair.mark_value = units.mark_value(pair.flow.position);
        pair.margin = units.margin(pair.flow.position, &OpenFigures::of(&pair.flow), pair.mark_value);
    }

    /// Changes a pair's flow; what it adds to elsewhere follows by the difference.
    #[inline]
    pub(crate) fn change_pair(&mut self, at: u32, change: impl Fn(&mut Flow)) -> u32 {
        let Some(pair) = self.pairs.get_mut(at as usize) else {
            return NIL;
        };
        if pair.is_gathered == 0 {
            change(&mut pair.flow);
            return pair.parent;
        }
        self.change_gathered(at, &change)
    }

    fn change_gathered(&mut self, at: u32, change: &dyn Fn(&mut Flow)) -> u32 {
        let before = Totals::of(&self.pairs[at as usize]);
        change(&mut self.pairs[at as usize].flow);
        self.value_pair(at);
        let pair = &self.pairs[at as usize];
        let (after, groups, parent) = (Totals::of(pair), pair.groups, pair.parent);
        for (place, row_at) in groups.into_iter().enumerate() {
            if let Some(row) = self.groups.rows.get_mut(row_at as usize) {
                row.totals.change(&before, &after);
                if place != 0 {
                    change(&mut row.flow);
                }
            }
        }
        parent
    }

    /// Revalues the next pairs of the queue, at most `count`.
    #[inline]
    pub(crate) fn drain(&mut self, count: usize) {
        if !self.groups.queue.is_empty() {
            self.drain_queue(count);
        }
    }

    fn drain_queue(&mut self, count: usize) {
        for _ in 0..count {
            let Some(&instrument) = self.groups.queue.front() else {
                return;
            };
            let at = self.groups.units[instrument.index()].cursor;
            let Some(next) = self.pair(at).map(|pair| pair.next_of_instrument) else {
                self.groups.end_turn();
                continue;
            };
            self.change_gathered(at, &|_| {});
            self.groups.units[instrument.index()].cursor = next;
            if next == NIL {
                self.groups.end_turn();
            }
        }
    }

    /// The gathered row that a filter of sector or kind means, for a pair; `None` where nothing was traded yet.
    #[inline]
    pub(crate) fn group_of(&self, pair: &PairRow, place: usize) -> Option<&GroupRow> {
        self.groups.row(pair.groups[place])
    }

    /// The gathered row of a node for a sector or kind, whether or not an instrument of it is at hand.
    pub(crate) fn find_group(&self, node: NodeId, place: usize, sector: u16, kind: u8) -> Option<&GroupRow> {
        let units = Units {
            sector,
            kind,
            ..Units::NEW
        };
        let key = (u64::from(node.0) << 32) | u64::from(key_of(place, &units));
        let rows = &self.groups.rows;
        let found = self.groups.index.find(hash(key), |&at| {
            let row = &rows[at as usize];
            ((u64::from(row.node.0) << 32) | u64::from(row.key)) == key
        });
        found.and_then(|&at| self.groups.row(at))
    }
}
