//! What an order is compared with: the terms of the limits that are in force, side by side for each node.
//!
//! A limit's row (`rows`) holds all that is known of it, and what it remembers. An order needs neither the one nor the other of
//! most limits: it reads terms, one cache line each, and those of a node stand together in one block of a pool. Setting
//! a limit writes its terms anew; nothing else does.
//!
//! # Invariants
//! - A node's block holds the terms of all its limits of one list, in the order in which they were first set; those of a limit
//!   that was removed say so and bind nothing.
//! - Terms follow from the rows: they hold no state of their own.
//! - No allocation after [`Pool::new`].

use super::{LimitRow, Spec, When, spec_of_type};
use crate::hierarchy::NIL;
use bytemuck::{Pod, Zeroable};
use tradewind_domain::codes::LimitType;
use tradewind_domain::ids::{InstrumentId, LimitId};
use tradewind_machine::prefetch::prefetch;

/// The terms of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Terms {
    /// The figure that must not be exceeded, in the type's unit.
    pub hard: i128,
    /// First four parameters by type (docs/limits.md); the others stand in the row.
    pub params: [i64; 4],
    /// The limit.
    pub id: LimitId,
    /// Only this instrument; none for all.
    pub instrument: InstrumentId,
    /// Number of the only sector, where [`traits::SECTOR`] is set.
    pub filter_sector: u16,
    /// [`traits`]: what has to be found out before the limit can be measured; 0 for most.
    pub traits: u8,
    /// [`LimitAction`](tradewind_domain::codes::LimitAction).
    pub action: u8,
    /// Warning threshold in percent; 0 for none.
    pub soft_pct: u8,
    /// Only this kind of instrument; 0 for all.
    pub filter_kind: u8,
    /// True where executed trades are compared with it.
    pub post_trade: bool,
    /// Its type.
    pub limit_type: LimitType,
}

const _: () = assert!(size_of::<Terms>() == 64);

/// Bits of [`Terms::traits`].
pub mod traits {
    /// Binds one instrument.
    pub const INSTRUMENT: u8 = 1;
    /// Binds one kind of instrument.
    pub const KIND: u8 = 2;
    /// Binds one sector.
    pub const SECTOR: u8 = 4;
    /// Counts in a gathered row.
    pub const GATHERED: u8 = 8;
    /// Is about a known instrument.
    pub const KNOWN: u8 = 16;
    /// Asks for more than the order and its counters.
    pub const SPECIAL: u8 = 32;
    /// Was removed: it binds nothing.
    pub const REMOVED: u8 = 64;
    /// Counts messages: each uses a token of it.
    pub const RATE: u8 = 128;

    /// Some orders pass it by.
    pub(super) const FILTERS: u8 = INSTRUMENT | KIND | SECTOR | REMOVED;
    /// It wants more than the node's own figures.
    pub(super) const WANTS: u8 = INSTRUMENT | GATHERED | KNOWN | SPECIAL;
}

impl Terms {
    const NONE: Self = Self {
        hard: 0,
        params: [0; 4],
        id: LimitId::NONE,
        instrument: InstrumentId::NONE,
        filter_sector: 0,
        traits: 0,
        action: 0,
        soft_pct: 0,
        filter_kind: 0,
        post_trade: false,
        limit_type: LimitType::Emergency, // measures nothing
    };

    /// Of a limit as its row has them.
    pub fn of(id: LimitId, row: &LimitRow) -> Self {
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let traits = bit(!row.instrument.is_none(), traits::INSTRUMENT)
            | bit(row.filter_kind != 0, traits::KIND)
            | bit(row.has_sector == 1, traits::SECTOR)
            | bit(row.place != 0, traits::GATHERED)
            | bit(row.spec().when == When::GateOfInstrument, traits::KNOWN)
            | bit(is_special(row.limit_type), traits::SPECIAL)
            | bit(row.state != 1, traits::REMOVED)
            | bit(is_rate(row.limit_type), traits::RATE);
        Self {
            hard: row.hard,
            params: [
                row.params[0],
                row.params[1],
                row.more_params[0],
                row.more_params[1],
            ],
            id,
            instrument: row.instrument,
            filter_sector: row.filter_sector,
            traits,
            action: row.action,
            soft_pct: row.soft_pct,
            filter_kind: row.filter_kind,
            post_trade: row.spec().post_trade,
            limit_type: row.spec().limit_type,
        }
    }

    /// True where it has this trait.
    #[inline]
    pub fn has(&self, bit: u8) -> bool {
        self.traits & bit != 0
    }

    /// True where every order of the node is compared with it, and the node's own figures are all that it wants.
    #[inline]
    pub fn is_plain(&self) -> bool {
        !self.has(traits::FILTERS | traits::WANTS)
    }

    /// True where some orders of the node pass it by, or it was removed.
    #[inline]
    pub fn is_filtered(&self) -> bool {
        self.has(traits::FILTERS)
    }

    /// True where the node's ceilings answer for it.
    pub fn is_covered(&self) -> bool {
        super::ceilings::covered(self).is_some()
    }

    /// The same limit, looking at nothing.
    pub(super) fn removed(&self) -> Self {
        Self {
            traits: self.traits | traits::REMOVED,
            ..*self
        }
    }

    /// How its type is treated.
    #[inline]
    pub fn spec(&self) -> &'static Spec {
        spec_of_type(self.limit_type)
    }

    /// The gathered row that it counts in, as a place in [`crate::hierarchy::PairRow::groups`]; `None` where it counts the node as a
    /// whole and needs no exposures, or one instrument.
    #[inline]
    pub fn place(&self) -> Option<usize> {
        let by_sector = self.has(traits::SECTOR) || self.limit_type == LimitType::Sector;
        let place = usize::from(by_sector) | usize::from(self.has(traits::KIND)) << 1;
        self.has(traits::GATHERED).then_some(place)
    }
}

fn is_rate(limit_type: u8) -> bool {
    [LimitType::OrderRate as u8, LimitType::MsgRate as u8].contains(&limit_type)
}

/// True for types that ask for more than the order and its counters (`find_special`).
fn is_special(limit_type: u8) -> bool {
    const TYPES: [u8; 5] = [
        LimitType::Restricted as u8,
        LimitType::MarketHours as u8,
        LimitType::ShortSale as u8,
        LimitType::SelfTrade as u8,
        LimitType::BuyingPower as u8,
    ];
    TYPES.contains(&limit_type)
}

/// Where a node's limits of one list stand in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Block {
    at: u32,
    len: u32,
}

impl Block {
    /// No terms.
    pub const EMPTY: Self = Self { at: 0, len: 0 };

    /// True where the node has no such limit in force.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// Size classes of blocks: powers of two.
const CLASSES: usize = 32;

/// All blocks.
pub(super) struct Pool {
    terms: Vec<Terms>,
    /// First free block of each size; a free block's first id names the next.
    free: [u32; CLASSES],
}

impl Pool {
    /// Room for the terms of `limits_max` limits, each in two blocks at most, however they are spread over nodes: one with n limits has a
    /// block of less than 2n places, and has left smaller ones with less than 2n together.
    pub(super) fn new(limits_max: u32) -> Self {
        Self {
            terms: Vec::with_capacity(limits_max as usize * 8),
            free: [NIL; CLASSES],
        }
    }

    /// The terms of a block, those of the oldest limit first.
    #[inline]
    pub(super) fn of(&self, block: Block) -> &[Terms] {
        let from = block.at as usize;
        self.terms.get(from..from + block.len as usize).unwrap_or(&[])
    }

    /// Fetches the newest terms of a block.
    #[inline]
    pub(super) fn prefetch(&self, block: Block) {
        for terms in self.of(block).iter().rev().take(4) {
            prefetch(terms);
        }
    }

    /// True where a block has terms of this limit.
    pub(super) fn has(&self, block: Block, id: LimitId) -> bool {
        self.of(block).iter().any(|held| held.id == id)
    }

    /// Puts a limit's terms into a block, in the place that they have there or at its end.
    pub(super) fn put(&mut self, block: &mut Block, terms: Terms) {
        let held = self.of(*block).iter().position(|held| held.id == terms.id);
        let place = held.unwrap_or_else(|| self.make_place(block));
        self.terms[block.at as usize + place] = terms;
    }

    /// A place at the end of a block. One that is full moves to a block twice its size.
    fn make_place(&mut self, block: &mut Block) -> usize {
        let len = block.len;
        if len == 0 || len.is_power_of_two() {
            let at = self.take((2 * len).max(1));
            let from = block.at as usize;
            self.terms.copy_within(from..from + len as usize, at as usize);
            if len != 0 {
                self.terms[from].id = LimitId(self.free[class(len)]);
                self.free[class(len)] = block.at;
            }
            block.at = at;
        }
        block.len += 1;
        len as usize
    }

    fn take(&mut self, room: u32) -> u32 {
        let free = self.free[class(room)];
        if free != NIL {
            self.free[class(room)] = self.terms[free as usize].id.0;
            return free;
        }
        let at = self.terms.len();
        let end = at + room as usize;
        assert!(
            end <= self.terms.capacity(),
            "Invariant: the pool has room for every limit's terms"
        );
        self.terms.resize(end, Terms::NONE);
        at as u32
    }
}

/// The class of a block with this many places, a power of two.
fn class(room: u32) -> usize {
    room.trailing_zeros() as usize % CLASSES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_their_terms_in_order_and_room_for_all_is_enough() {
        const LIMITS: u32 = 1_000;
        for nodes in [1, 7, 400] {
            let mut pool = Pool::new(LIMITS);
            let mut blocks = vec![Block::EMPTY; nodes as usize];
            for id in 0..LIMITS {
                let terms = Terms {
                    id: LimitId(id),
                    ..Terms::NONE
                };
                pool.put(&mut blocks[(id * id % nodes) as usize], terms);
                let again = Terms {
                    hard: i128::from(id),
                    ..terms
                };
                pool.put(&mut blocks[(id * id % nodes) as usize], again);
            }
            let mut count = 0;
            for (node, block) in blocks.iter().enumerate() {
                let ids: Vec<_> = pool.of(*block).iter().map(|terms| terms.id.0).collect();
                let expected: Vec<_> = (0..LIMITS)
                    .filter(|id| (id * id % nodes) as usize == node)
                    .collect();
                assert_eq!(ids, expected);
                assert!(
                    pool.of(*block)
                        .iter()
                        .all(|terms| terms.hard == i128::from(terms.id.0))
                );
                count += ids.len();
            }
            assert_eq!(count, LIMITS as usize);
        }
    }
}
