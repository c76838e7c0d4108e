//! The hierarchy with what each node is worth, and which nodes somebody asks the worth of.
//!
//! # Invariants
//! - A node's worth is the sum of what is below it; one change is added at the account and at each node above, at most six.

use crate::books::Worth;
use std::collections::BTreeSet;
use tradewind_domain::codes::{Level, LimitType};
use tradewind_domain::event::{Kind, LimitSet, NodeSet};
use tradewind_domain::ids::{AccountId, NodeId};
use tradewind_domain::text::Code;
use tradewind_domain::time::UnixNanos;

/// Nodes of the longest chain.
const CHAIN_MAX: usize = 6;

/// A figure as it was journaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) equity: i128,
    pub(crate) balance: i128,
}

/// One node.
#[derive(Clone, Copy, Default)]
pub(crate) struct Node {
    parent: NodeId,
    /// 0 for a row without a node.
    level: u8,
    pub(crate) code: Code,
    pub(crate) worth: Worth,
    /// What it is worth beside what is below it.
    pub(crate) opening: Figure,
    /// Limits in force that read its equity.
    asks: u32,
    /// Money or a position was seen below it.
    pub(crate) is_funded: bool,
    /// Somebody outside values it.
    pub(crate) is_valued_outside: bool,
    /// The last figure of ours that is journaled.
    pub(crate) told: Option<Figure>,
    /// When that was.
    pub(crate) told_ns: UnixNanos,
    /// A figure is on its way into the journal.
    pub(crate) is_sent: bool,
    /// Something was booked that no figure has.
    pub(crate) is_urgent: bool,
    /// The oldest mark that no figure has; 0 for none.
    pub(crate) since_ns: UnixNanos,
    /// The oldest mark in the figure that is on its way, and when that was due; 0 for none.
    pub(crate) sent_since_ns: UnixNanos,
    pub(crate) sent_due_ns: UnixNanos,
    /// When it is to be called, while it waits.
    pub(crate) due_ns: Option<UnixNanos>,
}

impl Node {
    fn is_strategy(&self) -> bool {
        self.level == Level::Strategy as u8
    }

    /// True where figures of ours are wanted.
    pub(crate) fn is_ours(&self) -> bool {
        self.asks > 0 && self.is_funded && !self.is_valued_outside && !self.is_strategy()
    }

    /// The figure that it would be told with; `None` where it is frozen.
    pub(crate) fn figure(&self) -> Option<Figure> {
        (self.worth.frozen == 0).then_some(Figure {
            equity: self.worth.equity.saturating_add(self.opening.equity),
            balance: self.worth.balance.saturating_add(self.opening.balance),
        })
    }
}

/// True for limits that read the equity of their node.
pub(crate) fn reads_equity(limit_type: u8) -> bool {
    matches!(
        LimitType::from_code(limit_type),
        Some(
            LimitType::Concentration
                | LimitType::Sector
                | LimitType::Margin
                | LimitType::Leverage
                | LimitType::RiskPerTrade
                | LimitType::DailyLoss
                | LimitType::MaxDdStatic
                | LimitType::MaxDdTrailing
        )
    )
}

/// All nodes.
#[derive(Default)]
pub(crate) struct Nodes {
    rows: Vec<Node>,
    accounts: Vec<NodeId>,
    /// The node whose equity a limit reads, by limit.
    readers: Vec<NodeId>,
    /// Nodes with such a limit.
    asked: BTreeSet<u32>,
}

impl Nodes {
    /// Takes a node or account.
    pub(crate) fn set(&mut self, body: &NodeSet, kind: Kind) {
        let row = grown(&mut self.rows, body.node.index());
        row.parent = body.parent;
        row.level = body.level;
        row.code = body.code;
        if kind == Kind::AccountSet {
            *grown(&mut self.accounts, body.account.index()) = body.node;
        }
    }

    /// Takes a limit; names the node that begins to be asked for.
    pub(crate) fn limit(&mut self, limit: &LimitSet) -> Option<NodeId> {
        let reads = limit.removed == 0 && reads_equity(limit.limit_type);
        let reader = grown(&mut self.readers, limit.limit.index());
        let before = std::mem::replace(reader, if reads { limit.node } else { NodeId::NONE });
        if let Some(row) = self.rows.get_mut(before.index()) {
            row.asks = row.asks.saturating_sub(1);
            if row.asks == 0 {
                self.asked.remove(&before.0);
            }
        }
        let row = self.rows.get_mut(limit.node.index()).filter(|_| reads)?;
        row.asks += 1;
        self.asked.insert(limit.node.0);
        (row.asks == 1).then_some(limit.node)
    }

    /// The node of an account.
    pub(crate) fn of_account(&self, account: AccountId) -> NodeId {
        self.accounts.get(account.index()).copied().unwrap_or_default()
    }

    pub(crate) fn get(&self, node: NodeId) -> Option<&Node> {
        self.rows.get(node.index()).filter(|row| row.level != 0)
    }

    pub(crate) fn get_mut(&mut self, node: NodeId) -> Option<&mut Node> {
        self.rows.get_mut(node.index()).filter(|row| row.level != 0)
    }

    /// Adds to a node and those above it, and gives each to `touch`.
    pub(crate) fn add(&mut self, leaf: NodeId, change: &Worth, mut touch: impl FnMut(NodeId, &mut Node)) {
        let mut at = leaf;
        for _ in 0..CHAIN_MAX {
            let Some(row) = self.get_mut(at) else { return };
            row.worth.add(change);
            row.is_funded = true;
            touch(at, row);
            at = row.parent;
        }
    }

    /// Nodes with a limit that reads their equity.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &Node> {
        self.asked.iter().filter_map(|&id| self.get(NodeId(id)))
    }

    /// Strategies with a limit that reads an equity which nobody says.
    pub(crate) fn unvalued(&self) -> impl Iterator<Item = &Code> {
        self.asked()
            .filter(|row| row.is_strategy() && !row.is_valued_outside)
            .map(|row| &row.code)
    }
}

/// The limits of one run that read equity, by a look at records alone.
#[derive(Default)]
pub(crate) struct Readers {
    reads: Vec<bool>,
    count: usize,
}

impl Readers {
    /// Takes an accepted limit; true where one now reads equity.
    pub(crate) fn set(&mut self, limit: &LimitSet) -> bool {
        let reads = limit.removed == 0 && reads_equity(limit.limit_type);
        let held = grown(&mut self.reads, limit.limit.index());
        let before = std::mem::replace(held, reads);
        self.count = self.count + usize::from(reads) - usize::from(before);
        self.count > 0
    }
}

/// The row of an index, made where it does not exist. Indexes of an accepted record are those of tables of configured capacity.
pub(crate) fn grown<T: Clone + Default>(rows: &mut Vec<T>, at: usize) -> &mut T {
    if rows.len() <= at {
        rows.resize(at + 1, T::default());
    }
    &mut rows[at]
}
