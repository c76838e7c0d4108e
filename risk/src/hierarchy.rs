//! The hierarchy: nodes with their states and counters, and the same counters for each pair of node and instrument.
//!
//! An order belongs to one leaf; what it does is counted at the leaf and at every node above it, at most six. Positions net at
//! each node; open orders never do (LIMITS section 5).
//!
//! # Invariants
//! - A node's parent is broader than the node, so a chain has at most six nodes.
//! - Every pair row has the pair rows of the nodes above, linked narrow to broad, so one lookup serves a whole chain.
//! - Daily figures count for the date in `day` only: read through [`Flow::today`].

use bytemuck::{Pod, Zeroable, bytes_of};
use hashbrown::HashTable;
use tradewind_domain::ids::{AccountId, CalendarId, HoldingId, InstrumentId, LimitId, NodeId};
use tradewind_domain::time::DayNumber;
use tradewind_machine::prefetch::prefetch;

/// Nodes of the longest chain.
pub const CHAIN_MAX: usize = 6;
/// No row.
pub const NIL: u32 = u32::MAX;

/// What orders and executions have added up to, at one node or for one pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Flow {
    /// Open buy value (1e-16 base).
    pub buy_value: i128,
    /// Open sell value.
    pub sell_value: i128,
    /// Open buy quantity (1e-8).
    pub buy_qty: i128,
    /// Open sell quantity.
    pub sell_qty: i128,
    /// Value bought on `day`.
    bought_value: i128,
    /// Value sold on `day`.
    sold_value: i128,
    /// Quantity bought on `day`.
    bought_qty: i128,
    /// Quantity sold on `day`.
    sold_qty: i128,
    /// Net position (1e-8); of a node over all instruments it has no meaning and is not used.
    pub position: i128,
    /// Trading date of the daily figures, by the calendar of the node.
    pub day: DayNumber,
    /// Open orders.
    pub open_count: u32,
    #[doc(hidden)]
    pub reserved: u64,
}

/// The daily figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// Value bought (1e-16 base).
    pub bought_value: i128,
    /// Value sold.
    pub sold_value: i128,
    /// Quantity bought (1e-8).
    pub bought_qty: i128,
    /// Quantity sold.
    pub sold_qty: i128,
}

impl Flow {
    /// Nothing yet.
    pub const ZERO: Self = Self {
        buy_value: 0,
        sell_value: 0,
        buy_qty: 0,
        sell_qty: 0,
        bought_value: 0,
        sold_value: 0,
        bought_qty: 0,
        sold_qty: 0,
        position: 0,
        day: 0,
        open_count: 0,
        reserved: 0,
    };

    /// The figures of `date`: zero where the last execution was on another day.
    #[inline]
    pub fn today(&self, date: DayNumber) -> Today {
        if self.day != date {
            return Today::default();
        }
        Today {
            bought_value: self.bought_value,
            sold_value: self.sold_value,
            bought_qty: self.bought_qty,
            sold_qty: self.sold_qty,
        }
    }

    /// Adds to what is open.
    #[inline]
    pub fn reserve(&mut self, is_buy: bool, qty: i64, value: i128, count: i32) {
        if is_buy {
            self.buy_qty += i128::from(qty);
            self.buy_value += value;
        } else {
            self.sell_qty += i128::from(qty);
            self.sell_value += value;
        }
        self.open_count = self.open_count.saturating_add_signed(count);
    }

    /// Adds an execution on `date`.
    #[inline]
    pub fn execute(&mut self, is_buy: bool, qty: i64, value: i128, date: DayNumber) {
        if self.day != date {
            self.day = date;
            (self.bought_value, self.sold_value, self.bought_qty, self.sold_qty) = (0, 0, 0, 0);
        }
        let qty = i128::from(qty);
        if is_buy {
            self.bought_value += value;
            self.bought_qty += qty;
            self.position += qty;
        } else {
            self.sold_value += value;
            self.sold_qty += qty;
            self.position -= qty;
        }
    }
}

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct NodeRow {
    /// Over all instruments.
    pub flow: Flow,
    /// The node above; [`NIL`] for the firm.
    pub parent: u32,
    /// The account; for strategies the account above.
    pub account: AccountId,
    /// First of the node's limits that look at an order.
    pub limits: LimitId,
    /// First of the node's limits that count messages.
    pub rates: LimitId,
    /// The node's BUYING_POWER limit.
    pub buying_power: LimitId,
    /// Calendar whose roll resets the daily figures.
    pub calendar: CalendarId,
    /// [`Level`](tradewind_domain::codes::Level); 0 for a row without a node.
    pub level: u8,
    /// [`ControlState`](tradewind_domain::codes::ControlState).
    pub state: u8,
    /// [`AccountKind`](tradewind_domain::codes::AccountKind) of an account.
    pub account_kind: u8,
    #[doc(hidden)]
    pub reserved: [u8; 7],
}

/// A pair of node and instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct PairRow {
    /// Of this instrument.
    pub flow: Flow,
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
    pub warned: u32,
    #[doc(hidden)]
    pub reserved: u64,
}

const _: () = assert!(size_of::<NodeRow>() == 192 && size_of::<PairRow>() == 192);

/// A leaf and the nodes above it, narrow to broad, each with its pair row where there is one.
#[derive(Clone, Copy)]
pub struct Chain {
    nodes: [u32; CHAIN_MAX],
    pairs: [u32; CHAIN_MAX],
    len: usize,
}

impl Chain {
    /// Node and pair ([`NIL`] where none) of each level.
    #[inline]
    pub fn levels(&self) -> impl Iterator<Item = (NodeId, u32)> + '_ {
        self.nodes[..self.len]
            .iter()
            .zip(&self.pairs[..self.len])
            .map(|(&node, &pair)| (NodeId(node), pair))
    }

    /// How many pair rows would have to be made.
    #[inline]
    pub fn missing_pairs(&self) -> u32 {
        self.pairs[..self.len].iter().filter(|&&pair| pair == NIL).count() as u32
    }

    /// The pair row of the leaf; [`NIL`] where there is none.
    #[inline]
    pub fn leaf_pair(&self) -> u32 {
        self.pairs[0]
    }
}

/// All nodes and pairs.
pub struct Hierarchy {
    nodes: Vec<NodeRow>,
    nodes_used: u32,
    pairs: Vec<PairRow>,
    pair_index: HashTable<u32>,
    pairs_max: u32,
}

impl Hierarchy {
    /// Room for nodes and pairs.
    pub fn new(nodes_max: u32, pairs_max: u32) -> Self {
        Self {
            nodes: vec![NodeRow::zeroed(); nodes_max as usize],
            nodes_used: 0,
            pairs: Vec::with_capacity(pairs_max as usize),
            pair_index: HashTable::with_capacity(pairs_max as usize),
            pairs_max,
        }
    }

    /// Sets how many pairs are accepted, at most what there is memory for.
    pub fn set_capacity(&mut self, pairs_max: u32) {
        self.pairs_max = pairs_max.min(self.pairs.capacity() as u32);
    }

    /// True where `more` pairs do not fit.
    #[inline]
    pub fn is_full(&self, more: u32) -> bool {
        (self.pairs.len() as u32).saturating_add(more) > self.pairs_max
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
                limits: LimitId::NONE,
                rates: LimitId::NONE,
                buying_power: LimitId::NONE,
                ..row
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
        let key = pair_key(node, instrument);
        let found = self.pair_index.find(hash(key), |&at| {
            let row = &self.pairs[at as usize];
            pair_key(row.node, row.instrument) == key
        });
        found.copied().unwrap_or(NIL)
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
        let mut chain = Chain {
            nodes: [NIL; CHAIN_MAX],
            pairs: [NIL; CHAIN_MAX],
            len: 0,
        };
        let (mut node, mut pair) = (leaf, leaf_pair);
        while let Some(row) = self.node(node) {
            if chain.len == CHAIN_MAX {
                break;
            }
            if pair == NIL {
                pair = if chain.len == 0 {
                    NIL
                } else {
                    self.find_pair(node, instrument)
                };
            }
            chain.nodes[chain.len] = node.0;
            chain.pairs[chain.len] = pair;
            chain.len += 1;
            pair = self.pair(pair).map_or(NIL, |row| row.parent);
            node = NodeId(row.parent);
        }
        chain
    }

    /// Finds a leaf's pair and fetches the rows that deciding an order will read: the pair's, the leaf's and its parent's.
    #[inline]
    pub fn prefetch(&self, leaf: NodeId, instrument: InstrumentId) -> u32 {
        if let Some(row) = self.nodes.get(leaf.index()) {
            fetch(row);
        }
        let at = self.find_pair(leaf, instrument);
        if let Some(row) = self.pairs.get(at as usize) {
            fetch(row);
        }
        at
    }

    /// Makes the pair rows that a chain lacks, broad to narrow, the account's with this holding; returns the leaf's.
    pub fn make_pairs(&mut self, chain: &Chain, instrument: InstrumentId, holding: HoldingId) -> u32 {
        let mut parent = NIL;
        for (&node, &pair) in chain.nodes[..chain.len]
            .iter()
            .zip(&chain.pairs[..chain.len])
            .rev()
        {
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
            self.pairs.push(PairRow {
                node,
                instrument,
                parent,
                holding,
                ..PairRow::zeroed()
            });
            let pairs = &self.pairs;
            self.pair_index
                .insert_unique(hash(pair_key(node, instrument)), at, |&at| {
                    let row = &pairs[at as usize];
                    hash(pair_key(row.node, row.instrument))
                });
            parent = at;
        }
        parent
    }

    /// The holding of a chain's account for the instrument; none where it has never traded it.
    #[inline]
    pub fn holding(&self, chain: &Chain) -> HoldingId {
        let holding = |(_, pair): (NodeId, u32)| {
            self.pair(pair)
                .map(|row| row.holding)
                .filter(|holding| !holding.is_none())
        };
        chain.levels().find_map(holding).unwrap_or(HoldingId::NONE)
    }

    /// The row of the account on a chain's pairs.
    #[inline]
    pub fn account_pair(&self, chain: &Chain) -> Option<&PairRow> {
        chain
            .levels()
            .filter_map(|(_, pair)| self.pair(pair))
            .find(|row| !row.holding.is_none())
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
    }
}

/// Fetches all cache lines of a row.
#[inline]
fn fetch<T: Pod>(row: &T) {
    for line in bytes_of(row).chunks(64) {
        prefetch(&line[0]);
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
