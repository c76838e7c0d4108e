//! Which rows may be others since somebody looked last.
//!
//! # Invariants
//! - A row that changed is named once until it is taken; one that did not may be named too.
//! - What is kept is bounded by the tables: each list has every key at most once.

use super::profit::GroupKey;
use std::collections::HashSet;
use std::hash::Hash;
use tradewind_domain::ids::{HoldingId, InstrumentId, OrderId};

/// Keys, each once.
#[derive(Clone, Debug)]
pub struct KeySet<K> {
    keys: Vec<K>,
    held: HashSet<K>,
}

impl<K> Default for KeySet<K> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            held: HashSet::new(),
        }
    }
}

impl<K: Copy + Eq + Hash> KeySet<K> {
    /// Adds a key.
    pub(crate) fn add(&mut self, key: K) {
        if self.held.insert(key) {
            self.keys.push(key);
        }
    }

    /// Takes at most `max` keys, those that came last first.
    pub(crate) fn take(&mut self, max: usize, mut each: impl FnMut(K)) {
        for _ in 0..max {
            let Some(key) = self.keys.pop() else { break };
            self.held.remove(&key);
            each(key);
        }
    }

    /// The keys, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = K> + '_ {
        self.keys.iter().copied()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }
}

/// What changed, by channel.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Positions: traded, or valued at another mark.
    pub holdings: KeySet<HoldingId>,
    /// Orders; one that is not there any more was forgotten.
    pub orders: KeySet<OrderId>,
    /// Markets.
    pub markets: KeySet<InstrumentId>,
    /// Sums of profit.
    pub groups: KeySet<GroupKey>,
    /// Nodes, accounts, instruments or currencies were set: names, sectors and who belongs where may be others.
    pub reference: bool,
    /// A limit was set or removed.
    pub limits: bool,
}
