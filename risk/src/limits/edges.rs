//! Warning edges: which limits warn once a day, which once a day and instrument, and where that is remembered.
//!
//! A limit that binds one instrument, or counts over all, remembers the day in its own row. One that looks at each instrument by itself has
//! a bit of its own in the pairs of its node; the bits go by the limits' numbers, which never change.
//!
//! # Invariants
//! - No two limits share an edge: a node takes no more such limits than a pair has bits.

use super::{LimitRow, Limits, Terms, WarnEdge, traits};
use crate::hierarchy::{Hierarchy, NodeRow};
use tradewind_domain::event::LimitSet;
use tradewind_domain::ids::LimitId;

/// Limits of one node that may warn for each instrument by itself: the bits of [`PairRow::warned`](crate::hierarchy::PairRow::warned).
const PER_PAIR_MAX: usize = u16::BITS as usize;

/// Where a limit remembers that it has warned today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It warns never, or on each order.
    Nowhere,
    /// In its row.
    Row,
    /// In this bit of the pair.
    Pair(u16),
}

fn is_per_pair(terms: &Terms) -> bool {
    terms.spec().warn == WarnEdge::DailyPerPair && !terms.has(traits::INSTRUMENT)
}

impl Limits {
    /// Where a limit of the node remembers that it has warned.
    pub fn edge(&self, terms: &Terms, node: &NodeRow) -> Edge {
        match terms.spec().warn {
            WarnEdge::None | WarnEdge::Each => Edge::Nowhere,
            WarnEdge::Daily => Edge::Row,
            WarnEdge::DailyPerPair if terms.has(traits::INSTRUMENT) => Edge::Row,
            WarnEdge::DailyPerPair => Edge::Pair(1 << (self.rank(terms.id, node) % PER_PAIR_MAX)),
        }
    }

    /// As [`edge`](Self::edge), by the row.
    pub fn edge_of(&self, id: LimitId, row: &LimitRow, node: &NodeRow) -> Edge {
        self.edge(&Terms::of(id, row), node)
    }

    /// Limits of the node with lower numbers that look at each instrument by itself, removed ones too: they may come back.
    fn rank(&self, id: LimitId, node: &NodeRow) -> usize {
        let terms = self.terms(node.limits).iter();
        terms
            .filter(|other| is_per_pair(other) && other.id.0 < id.0)
            .count()
    }

    /// True where every limit of the node would still have an edge of its own with this one.
    pub fn has_edge(&self, event: &LimitSet, hierarchy: &Hierarchy) -> bool {
        let warns =
            super::spec_of(event.limit_type).is_some_and(|(_, spec)| spec.warn == WarnEdge::DailyPerPair);
        if !warns || !event.filter_instrument.is_none() {
            return true;
        }
        let Some(node) = hierarchy.node(event.node) else {
            return true;
        };
        let terms = self.terms(node.limits).iter();
        let others = terms.filter(|other| is_per_pair(other) && other.id != event.limit);
        others.count() < PER_PAIR_MAX
    }
}
