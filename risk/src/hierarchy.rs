//! The hierarchy: nodes with their states and counters, and the same counters for each pair of node and instrument.
//!
//! An order belongs to one leaf; what it does is counted at the leaf and at every node above it, at most six. Positions net at
//! each node; open orders never do (LIMITS section 5).
//!
//! # Invariants
//! - A node's parent is broader than the node, so a chain has at most six nodes.
//! - Every pair row has the pair rows of the nodes above, linked narrow to broad, so one lookup serves a whole chain.

use crate::flow::FLOW_AT;
use crate::groups::{GROUPS_OF_A_PAIR, Groups};
use crate::limits::Block;
use crate::pair_index::PairIndex;
use bytemuck::{Pod, Zeroable, bytes_of};
use std::mem::offset_of;
use tradewind_domain::ids::{AccountId, CalendarId, HoldingId, InstrumentId, NodeId, WalletId};
use tradewind_domain::time::{DayNumber, UnixNanos};
use tradewind_machine::prefetch::prefetch_lines;

/// Nodes of the longest chain.
pub const CHAIN_MAX: usize = 6;
/// No row.
pub const NIL: u32 = u32::MAX;

pub use crate::flow::{Flow, Today};

/// A node. What every order reads and changes stands in the first two cache lines, the day's figures in the third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct NodeRow {
    /// The node above; [`NIL`] for the firm.
    pub parent: u32,
    /// The gathered figures over all instruments; [`NIL`] where no limit asks for them.
    pub totals: u32,
    /// The node's limits that look at a priced order.
    pub limits: Block,
    /// The node's limits that count messages, and its gates: asked before the order is priced.
    pub gates: Block,
    /// Calendar whose roll resets the daily figures.
    pub calendar: CalendarId,
    /// [`Level`](tradewind_domain::codes::Level); 0 for a row without a node.
    pub level: u8,
    /// [`ControlState`](tradewind_domain::codes::ControlState) that people set, and KILL set by a limit.
    pub state: u8,
    /// State below KILL that limits set.
    pub limit_state: u8,
    /// [`node_flags`].
    pub flags: u8,
    /// Fee estimate of the node's BUYING_POWER limits, in basis points; [`NodeRow::NO_FEE`] where it has none.
    pub fee_bps: u16,
    /// Over all instruments.
    pub flow: Flow,
    /// Equity in base currency at 1e-8, as it was last heard or valued.
    pub equity: i128,
    /// Balance, likewise.
    pub balance: i128,
    /// The node's limits on equity.
    pub equities: Block,
    /// The node's limits that watch executions.
    pub watchers: Block,
    /// The account; for strategies the account above.
    pub account: AccountId,
    /// The node's pair rows, linked by `next_of_node`.
    pub first_pair: u32,
    /// Trading date that `sod_balance` belongs to; 0 before the first valuation.
    pub sod_day: DayNumber,
    /// [`AccountKind`](tradewind_domain::codes::AccountKind) of an account.
    pub account_kind: u8,
    /// [`gathers`](crate::groups::gathers) that limits of the node ask for.
    pub gathers: u8,
    #[doc(hidden)]
    pub reserved: u16,
    /// Balance at the start of the trading day.
    pub sod_balance: i128,
    /// Equity at the start of the trading day.
    pub sod_equity: i128,
    /// When money last came in or went out below the node; 0 for never.
    pub paid_ns: UnixNanos,
    #[doc(hidden)]
    pub reserved2: [u64; 3],
}

/// Bits of [`NodeRow::flags`].
pub mod node_flags {
    /// Orders of the node are refused with STRATEGY_DISABLED until a person re-arms it (L13).
    pub const DISABLED: u8 = 1;
    /// The node's rates are a tenth (action SLOW) until a person re-arms it.
    pub const SLOW: u8 = 2;
    /// A balance was heard, not only an equity.
    pub const HAS_BALANCE: u8 = 4;
    /// Own orders below the node must not trade with one another (L15): they stand in the index of resting orders.
    pub const SELF_TRADE: u8 = 8;
    /// Somebody outside says what the node's equity is: figures of our own books are refused.
    pub const VALUED_OUTSIDE: u8 = 16;
    /// Limits of the node watch executions.
    pub const WATCHED: u8 = 32;
}

impl NodeRow {
    /// No BUYING_POWER limit.
    pub const NO_FEE: u16 = u16::MAX;

    /// A row without a node.
    pub const NONE: Self = Self {
        parent: NIL,
        totals: NIL,
        limits: Block::EMPTY,
        gates: Block::EMPTY,
        calendar: CalendarId::UTC,
        level: 0,
        state: 0,
        limit_state: 0,
        flags: 0,
        fee_bps: Self::NO_FEE,
        flow: Flow::ZERO,
        equity: 0,
        balance: 0,
        equities: Block::EMPTY,
        watchers: Block::EMPTY,
        account: AccountId::NONE,
        first_pair: NIL,
        sod_day: 0,
        account_kind: 0,
        gathers: 0,
        reserved: 0,
        sod_balance: 0,
        sod_equity: 0,
        paid_ns: 0,
        reserved2: [0; 3],
    };

    /// The state that counts: the more severe of what people and limits set.
    #[inline]
    pub fn control_state(&self) -> u8 {
        self.state.max(self.limit_state)
    }
}

/// A pair of node and instrument. What every order reads and changes stands in the first two cache lines, the day's figures in
/// the third; the fourth is read where limits gather the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct PairRow {
    /// The node.
    pub node: NodeId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// The pair of the node above; [`NIL`] at the firm.
    pub parent: u32,
    /// The holding, at account level.
    pub holding: HoldingId,
    /// Date of the warning edges in `warned`.
    pub warned_day: DayNumber,
    /// Warning edges of per-instrument limits given on `warned_day`.
    pub warned: u16,
    /// 1 where limits gather the pair: it has a place in `groups`.
    pub is_gathered: u16,
    /// Next pair of the same node.
    pub next_of_node: u32,
    /// At account level, the wallet that the account's last order of the instrument used: none before the first.
    pub wallet: WalletId,
    /// Of this instrument.
    pub flow: Flow,
    /// Value of the position at the mark, signed, 1e-16 base: as of the last revaluation.
    pub mark_value: i128,
    /// Margin that position and open orders need, 1e-16 base: as of the last revaluation.
    pub margin: i128,
    /// Gathered rows that this pair adds to: all, sector, kind, sector and kind; [`NIL`] where no limit asks.
    pub groups: [u32; 4],
    /// Next pair of the same instrument.
    pub next_of_instrument: u32,
    #[doc(hidden)]
    pub reserved: [u32; 3],
}

impl PairRow {
    /// A row without a pair.
    pub const NONE: Self = Self {
        node: NodeId::NONE,
        instrument: InstrumentId::NONE,
        parent: NIL,
        holding: HoldingId::NONE,
        warned_day: 0,
        warned: 0,
        is_gathered: 0,
        next_of_node: NIL,
        wallet: WalletId::NONE,
        flow: Flow::ZERO,
        mark_value: 0,
        margin: 0,
        groups: [NIL; 4],
        next_of_instrument: NIL,
        reserved: [0; 3],
    };
}

const _: () = {
    assert!(size_of::<NodeRow>() == 320 && size_of::<PairRow>() == 256);
    assert!(offset_of!(NodeRow, flow) == FLOW_AT && offset_of!(PairRow, flow) == FLOW_AT);
};

/// Places of a chain: a power of two, so that a level is masked and never out of bounds.
const PLACES: usize = 8;
const _: () = assert!(CHAIN_MAX < PLACES);

/// A leaf and the nodes above it, narrow to broad, each with its pair row where there is one, and what these rows say together.
#[derive(Clone, Copy)]
pub struct Chain {
    nodes: [u32; PLACES],
    pairs: [u32; PLACES],
    len: u32,
    missing: u32,
    /// The account's pair; [`NIL`] where there is none.
    account_pair: u32,
    /// The account's holding of the instrument; none where it has never traded it.
    pub holding: HoldingId,
    /// The wallet that the account's last order of the instrument used.
    pub wallet: WalletId,
    /// The most severe state of its nodes.
    pub state: u8,
    /// Flags that any of its nodes has.
    pub flags: u8,
    /// Fee estimate of the narrowest node that has one; [`NodeRow::NO_FEE`] where none has.
    pub fee_bps: u16,
    /// Levels whose nodes have gates.
    pub gates: Levels,
    /// Levels whose nodes have limits that look at a priced order.
    pub limits: Levels,
}

/// Some levels of a chain, from the leaf; a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels(u8);

impl Levels {
    /// True for none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline]
    fn put(&mut self, level: usize, is_set: bool) {
        self.0 |= u8::from(is_set) << level;
    }
}

impl Iterator for Levels {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let level = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(level)
    }
}

impl Chain {
    /// No nodes.
    const EMPTY: Self = Self {
        nodes: [NIL; PLACES],
        pairs: [NIL; PLACES],
        len: 0,
        missing: 0,
        account_pair: NIL,
        holding: HoldingId::NONE,
        wallet: WalletId::NONE,
        state: 0,
        flags: 0,
        fee_bps: NodeRow::NO_FEE,
        gates: Levels(0),
        limits: Levels(0),
    };

    /// Node and pair ([`NIL`] where none) of each level.
    #[inline]
    pub fn levels(&self) -> impl Iterator<Item = (NodeId, u32)> + '_ {
        let len = self.len as usize % PLACES;
        let nodes = self.nodes[..len].iter();
        nodes
            .zip(&self.pairs[..len])
            .map(|(&node, &pair)| (NodeId(node), pair))
    }

    /// Node and pair of one level.
    #[inline]
    pub fn level(&self, level: usize) -> (NodeId, u32) {
        let at = level % PLACES;
        (NodeId(self.nodes[at]), self.pairs[at])
    }

    /// How many pair rows would have to be made.
    #[inline]
    pub fn missing_pairs(&self) -> u32 {
        self.missing
    }

    /// The pair row of the leaf; [`NIL`] where there is none.
    #[inline]
    pub fn leaf_pair(&self) -> u32 {
        self.pairs[0]
    }
}

/// All nodes and pairs, and what limits gather from them.
pub struct Hierarchy {
    pub(crate) nodes: Vec<NodeRow>,
    nodes_used: u32,
    pub(crate) pairs: Vec<PairRow>,
    pair_index: PairIndex,
    pairs_max: u32,
    /// Figures gathered over instruments.
    pub groups: Groups,
}

impl Hierarchy {
    /// Room for nodes and pairs.
    pub fn new(nodes_max: u32, pairs_max: u32, instruments_max: u32) -> Self {
        Self {
            groups: Groups::new(pairs_max, instruments_max),
            nodes: vec![NodeRow::zeroed(); nodes_max as usize],
            nodes_used: 0,
            pairs: Vec::with_capacity(pairs_max as usize),
            pair_index: PairIndex::new(pairs_max),
            pairs_max,
        }
    }

    /// Sets how many pairs are accepted, at most what there is memory for.
    pub fn set_capacity(&mut self, pairs_max: u32) {
        self.pairs_max = pairs_max.min(self.pairs.capacity() as u32);
        self.groups.set_capacity(pairs_max);
    }

    /// True where `more` pairs do not fit.
    #[inline]
    pub fn is_full(&self, more: u32) -> bool {
        (self.pairs.len() as u32).saturating_add(more) > self.pairs_max
            || self.groups.is_full(more.saturating_mul(GROUPS_OF_A_PAIR))
    }

    /// The node, where it exists.
    #[inline]
    pub fn node(&self, id: NodeId) -> Option<&NodeRow> {
        self.nodes.get(id.index()).filter(|row| row.level != 0)
    }

    /// The node, to apply facts to.
    #[inline]
    pub fn node_mut(&mut self, id: NodeId) -> Option<&mut NodeRow> {
        self.nodes.get_mut(id.index()).filter(|row| row.level != 0)
    }

    /// Puts a node into its row, keeping the counters, limits and state of one that is there.
    pub fn set_node(&mut self, id: NodeId, row: NodeRow) {
        let Some(held) = self.nodes.get_mut(id.index()) else {
            return;
        };
        if held.level == 0 {
            *held = NodeRow {
                parent: row.parent,
                account: row.account,
                calendar: row.calendar,
                level: row.level,
                account_kind: row.account_kind,
                ..NodeRow::NONE
            };
            self.nodes_used = self.nodes_used.max(id.0 + 1);
        } else {
            held.calendar = row.calendar;
            held.account_kind = row.account_kind;
        }
    }

    /// The pair's row.
    #[inline]
    pub fn pair(&self, at: u32) -> Option<&PairRow> {
        self.pairs.get(at as usize)
    }

    /// The pair's row, to apply facts to.
    #[inline]
    pub fn pair_mut(&mut self, at: u32) -> Option<&mut PairRow> {
        self.pairs.get_mut(at as usize)
    }

    /// The pair of a node and an instrument; [`NIL`] where there is none.
    #[inline]
    pub fn find_pair(&self, node: NodeId, instrument: InstrumentId) -> u32 {
        self.pair_index.find(pair_key(node, instrument))
    }

    /// The chain of a leaf for an instrument: one lookup where the leaf has traded it.
    #[inline]
    pub fn chain(&self, leaf: NodeId, instrument: InstrumentId) -> Chain {
        let leaf_pair = self.find_pair(leaf, instrument);
        self.chain_from(leaf, leaf_pair, instrument)
    }

    /// As [`chain`](Self::chain), where the leaf's pair is known.
    #[inline]
    pub fn chain_from(&self, leaf: NodeId, leaf_pair: u32, instrument: InstrumentId) -> Chain {
        let mut chain = Chain::EMPTY;
        let (mut at, mut pair_at) = (leaf.0, leaf_pair);
        let mut len = 0;
        while len < CHAIN_MAX {
            let Some(node) = self.node(NodeId(at)) else { break };
            chain.nodes[len] = at;
            chain.state = chain.state.max(node.control_state());
            chain.flags |= node.flags;
            chain.gates.put(len, !node.gates.is_empty());
            chain.limits.put(len, !node.limits.is_empty());
            if chain.fee_bps == NodeRow::NO_FEE {
                chain.fee_bps = node.fee_bps;
            }
            at = node.parent;
            if let Some(pair) = self.pair(pair_at) {
                chain.pairs[len] = pair_at;
                if chain.account_pair == NIL && !pair.holding.is_none() {
                    (chain.account_pair, chain.holding) = (pair_at, pair.holding);
                    chain.wallet = pair.wallet;
                }
                pair_at = pair.parent;
            } else {
                chain.missing += 1;
            }
            len += 1;
            if pair_at == NIL && at != NIL {
                pair_at = self.find_pair(NodeId(at), instrument);
            }
        }
        chain.len = len as u32;
        chain
    }

    /// Fetches a leaf's row, and the place that says where its pair is.
    #[inline]
    pub fn prefetch_leaf(&self, leaf: NodeId, instrument: InstrumentId) {
        self.pair_index.prefetch(pair_key(leaf, instrument));
        self.prefetch_node(leaf);
    }

    /// Fetches what an order reads and changes of a node.
    #[inline]
    pub fn prefetch_node(&self, id: NodeId) {
        if let Some(row) = self.nodes.get(id.index()) {
            prefetch_lines::<3, _>(row);
        }
    }

    /// Fetches what an order reads and changes of a pair.
    #[inline]
    pub fn prefetch_pair(&self, at: u32) {
        if let Some(row) = self.pairs.get(at as usize) {
            prefetch_lines::<2, _>(row);
        }
    }

    /// Makes the pair rows that a chain lacks, broad to narrow, the account's with this holding; returns the leaf's.
    pub fn make_pairs(&mut self, chain: &Chain, instrument: InstrumentId, holding: HoldingId) -> u32 {
        let mut parent = NIL;
        for place in (0..chain.len as usize % PLACES).rev() {
            let (node, pair) = (chain.nodes[place], chain.pairs[place]);
            if pair != NIL {
                parent = pair;
                continue;
            }
            if self.pairs.len() == self.pairs.capacity() {
                return NIL;
            }
            let node = NodeId(node);
            let is_account = self
                .node(node)
                .is_some_and(|row| row.level == tradewind_domain::codes::Level::Account as u8);
            let at = self.pairs.len() as u32;
            let holding = if is_account { holding } else { HoldingId::NONE };
            let next_of_node = self.node(node).map_or(NIL, |row| row.first_pair);
            self.pairs.push(PairRow {
                node,
                instrument,
                parent,
                holding,
                next_of_node,
                ..PairRow::NONE
            });
            if let Some(row) = self.node_mut(node) {
                row.first_pair = at;
            }
            self.pair_index.insert(pair_key(node, instrument), at);
            self.gather_pair(at);
            parent = at;
        }
        parent
    }

    /// The row of the account on a chain's pairs.
    #[inline]
    pub fn account_pair(&self, chain: &Chain) -> Option<&PairRow> {
        self.pair(chain.account_pair)
    }

    /// Notes the wallet that an order of the account on a leaf's pairs used.
    pub fn set_wallet(&mut self, leaf_pair: u32, wallet: WalletId) {
        let mut at = leaf_pair;
        while let Some(row) = self.pair_mut(at) {
            if !row.holding.is_none() {
                row.wallet = wallet;
                return;
            }
            at = row.parent;
        }
    }

    /// True where `node` is `below` or one of the nodes above it.
    pub fn is_within(&self, below: NodeId, node: NodeId) -> bool {
        let mut at = below;
        for _ in 0..CHAIN_MAX {
            if at == node {
                return true;
            }
            let Some(row) = self.node(at) else { return false };
            at = NodeId(row.parent);
        }
        false
    }

    /// Ids of nodes that were given out, with those that are none: they end here.
    pub fn nodes_used(&self) -> u32 {
        self.nodes_used
    }

    /// Every node with its id.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &NodeRow)> {
        let used = &self.nodes[..self.nodes_used as usize];
        used.iter()
            .enumerate()
            .filter(|(_, row)| row.level != 0)
            .map(|(at, row)| (NodeId(at as u32), row))
    }

    /// Every pair.
    pub fn pairs(&self) -> &[PairRow] {
        &self.pairs
    }

    /// Feeds the rows to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for (_, row) in self.nodes() {
            sink(bytes_of(row));
        }
        for row in &self.pairs {
            sink(bytes_of(row));
        }
        self.groups.digest(sink);
    }
}

#[inline]
fn pair_key(node: NodeId, instrument: InstrumentId) -> u64 {
    (u64::from(node.0) << 32) | u64::from(instrument.0)
}

/// Ids are ours and dense: a multiplication spreads them well enough, and nobody outside can choose them.
#[inline]
pub(crate) fn hash(key: u64) -> u64 {
    let product = u128::from(key ^ 0x9e37_79b9_7f4a_7c15) * 0xd134_2543_de82_ef95_u128;
    (product as u64) ^ ((product >> 64) as u64)
}
