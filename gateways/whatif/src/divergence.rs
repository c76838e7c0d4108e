//! How far a difference reaches: which later orders meet a limit whose counters are not those of the journal any more.
//!
//! A difference is noted at the nodes on the order's way, and for its instrument there. A later order could be judged differently
//! because of it where one of its nodes is noted and has a limit in force that remembers something: limits on a single order
//! do not.
//!
//! # Invariants
//! - What is kept grows with nodes and pairs of node and instrument.
//! - Before the first difference nothing is reached.

use std::collections::{HashMap, HashSet};
use tradewind_domain::codes::LimitType;
use tradewind_domain::event::LimitSet;
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId, Seq};
use tradewind_domain::time::UnixNanos;
use tradewind_feeds::Registry;
use tradewind_risk::hierarchy::CHAIN_MAX;

#[derive(Default)]
pub(crate) struct Divergence {
    nodes: HashSet<NodeId>,
    pairs: HashSet<(NodeId, InstrumentId)>,
    /// Limits in force at a node, with the one instrument that they look at.
    limits: HashMap<NodeId, Vec<(LimitId, InstrumentId)>>,
    /// Number and time of the first difference.
    pub(crate) first: Option<(Seq, UnixNanos)>,
}

impl Divergence {
    /// A limit was set or removed in the second world.
    pub(crate) fn set_limit(&mut self, set: &LimitSet) {
        for limits in self.limits.values_mut() {
            limits.retain(|(id, _)| *id != set.limit);
        }
        let remembers = LimitType::from_code(set.limit_type).is_none_or(remembers);
        if set.removed == 0 && remembers {
            let limits = self.limits.entry(set.node).or_default();
            limits.push((set.limit, set.filter_instrument));
        }
    }

    /// The worlds differ in what an event of this leaf and instrument did.
    pub(crate) fn mark(
        &mut self,
        registry: &Registry,
        (leaf, instrument): (NodeId, InstrumentId),
        at: (Seq, UnixNanos),
    ) {
        self.first.get_or_insert(at);
        for node in chain(registry, leaf) {
            self.nodes.insert(node);
            self.pairs.insert((node, instrument));
        }
    }

    /// True where an order of this leaf and instrument meets a limit that a difference has reached.
    pub(crate) fn reaches(&self, registry: &Registry, leaf: NodeId, instrument: InstrumentId) -> bool {
        let meets = |node: NodeId, only: InstrumentId| {
            if only.is_none() {
                self.nodes.contains(&node)
            } else {
                only == instrument && self.pairs.contains(&(node, instrument))
            }
        };
        self.first.is_some()
            && chain(registry, leaf).any(|node| {
                let limits = self.limits.get(&node).map_or(&[][..], Vec::as_slice);
                limits.iter().any(|&(_, only)| meets(node, only))
            })
    }
}

/// False for types that look at one order by itself.
fn remembers(limit_type: LimitType) -> bool {
    !matches!(
        limit_type,
        LimitType::MaxOrderQty
            | LimitType::MaxOrderNotional
            | LimitType::FatFinger
            | LimitType::AdvOrder
            | LimitType::PriceCollar
            | LimitType::Permission
            | LimitType::MarketHours
            | LimitType::StaleOrder
    )
}

/// A leaf and the nodes above it.
fn chain(registry: &Registry, leaf: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    let above = move |node: &NodeId| registry.node(*node).map(|row| row.parent);
    std::iter::successors(Some(leaf), above)
        .take_while(|node| !node.is_none())
        .take(CHAIN_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use tradewind_domain::codes::{Level, LimitAction};
    use tradewind_domain::event::{Capacities, Event, Kind, NodeSet};
    use tradewind_domain::text::Code;
    use tradewind_feeds::Normalize;
    use tradewind_machine::stage::Stage;

    const ALL: InstrumentId = InstrumentId::NONE;

    /// A firm with two desks: nodes 0, 1 and 2.
    fn normalize() -> Normalize {
        let mut normalize = Normalize::new(&Capacities::default());
        for (code, parent, level) in [
            ("F", "", Level::Firm),
            ("A", "F", Level::Desk),
            ("B", "F", Level::Desk),
        ] {
            let mut event = Event::empty();
            event.reset(Kind::NodeSet);
            *event.body_mut() = NodeSet {
                code: Code::lossy(code),
                parent_code: Code::lossy(parent),
                level: level as u8,
                ..NodeSet::zeroed()
            };
            normalize.process(&mut event);
            assert!(!event.is_rejected());
        }
        normalize
    }

    fn limit(id: u32, node: u32, limit_type: LimitType, instrument: InstrumentId) -> LimitSet {
        LimitSet {
            limit: LimitId(id),
            node: NodeId(node),
            limit_type: limit_type as u8,
            action: LimitAction::Reject as u8,
            filter_instrument: instrument,
            ..LimitSet::zeroed()
        }
    }

    #[test]
    fn a_difference_reaches_orders_that_share_a_limit_which_remembers() {
        let normalize = normalize();
        let registry = normalize.registry();
        let (a, b, one, two) = (NodeId(1), NodeId(2), InstrumentId(1), InstrumentId(2));
        let mut divergence = Divergence::default();
        divergence.set_limit(&limit(0, 1, LimitType::MaxOrderQty, ALL));
        divergence.set_limit(&limit(1, 0, LimitType::DailyQty, one));
        assert!(!divergence.reaches(registry, a, one), "nothing differs yet");
        divergence.mark(registry, (a, two), (5, 50));
        assert!(
            !divergence.reaches(registry, a, two),
            "a limit on single orders remembers nothing"
        );
        assert!(
            !divergence.reaches(registry, b, one),
            "the firm's limit counts the other instrument"
        );
        divergence.mark(registry, (a, one), (6, 60));
        assert!(
            divergence.reaches(registry, b, one),
            "the firm's limit counts both desks"
        );
        divergence.set_limit(&LimitSet {
            removed: 1,
            ..limit(1, 0, LimitType::DailyQty, one)
        });
        assert!(!divergence.reaches(registry, b, one));
        assert_eq!(divergence.first, Some((5, 50)));
    }
}
