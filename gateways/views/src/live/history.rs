//! Profit over time: the sums of nodes in base currency, every ten seconds of the journal's time.
//!
//! # Invariants
//! - A point holds every input before its time and none after it, so a journal that is read again gives the same points.
//! - Memory is bounded: [`POINTS_MAX`] points of [`NODES_MAX`] nodes, about 24 MB, the broadest nodes first where there are more.
//!
//! Not here: profit from before the oldest point; reports read it from the journal.

use super::held::Held;
use super::profit::{Group, above};
use std::collections::{BTreeMap, VecDeque};
use tradewind_domain::codes::Level;
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::NodeId;
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// Nanoseconds between two points.
pub(crate) const STEP_NS: u64 = 10 * NANOS_PER_SEC;
/// Points that are kept: four hours.
const POINTS_MAX: usize = 1_440;
/// Nodes of a point.
const NODES_MAX: usize = 256;

/// Parts of a profit in base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) realised: i128,
    pub(crate) unrealised: i128,
    pub(crate) fees: i128,
    pub(crate) income: i128,
}

impl Sum {
    /// Realised, unrealised and income less fees.
    pub(crate) fn total(&self) -> i128 {
        let gain = self.realised.wrapping_add(self.unrealised);
        gain.wrapping_add(self.income).wrapping_sub(self.fees)
    }

    fn add(&mut self, other: &Sum) {
        self.realised = self.realised.wrapping_add(other.realised);
        self.unrealised = self.unrealised.wrapping_add(other.unrealised);
        self.fees = self.fees.wrapping_add(other.fees);
        self.income = self.income.wrapping_add(other.income);
    }
}

/// The sums of a moment; none for a node of which a currency has no rate.
struct Point {
    time_ns: UnixNanos,
    sums: Box<[(NodeId, Option<Sum>)]>,
}

/// The points.
#[derive(Default)]
pub(crate) struct History {
    points: VecDeque<Point>,
    /// The end of the present step.
    due_ns: UnixNanos,
}

impl History {
    /// True where an input of this time begins another step.
    pub(crate) fn is_due(&self, recv_ns: UnixNanos) -> bool {
        recv_ns >= self.due_ns
    }

    fn push(&mut self, point: Point) {
        if self.points.len() == POINTS_MAX {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    /// What nodes made together, oldest first; points at which a part of it has no value in base currency are left out.
    pub(crate) fn of(&self, nodes: &[NodeId]) -> Vec<(UnixNanos, Sum)> {
        let sum = |point: &Point| {
            let mut sum = Sum::default();
            for (_, part) in point.sums.iter().filter(|(node, _)| nodes.contains(node)) {
                sum.add(part.as_ref()?);
            }
            Some((point.time_ns, sum))
        };
        self.points.iter().filter_map(sum).collect()
    }
}

impl Held {
    /// Takes a point before the first input of another step.
    pub(super) fn keep_history(&mut self, recv_ns: UnixNanos) {
        let (step, is_first) = (recv_ns - recv_ns % STEP_NS, self.history.due_ns == 0);
        self.history.due_ns = step.saturating_add(STEP_NS);
        if is_first {
            return; // nothing was there before
        }
        while self.refresh(usize::MAX) {}
        let point = Point {
            time_ns: step,
            sums: self.node_sums(),
        };
        self.history.push(point);
    }

    /// The sum of each node over its currencies, broad nodes first.
    fn node_sums(&self) -> Box<[(NodeId, Option<Sum>)]> {
        let mut sums: BTreeMap<(u8, NodeId), Option<Sum>> = BTreeMap::new();
        for key in self.groups() {
            let Group::Node(node) = key.group else { continue };
            let (Some(part), Some(row)) = (self.profits.get(key), self.registry().node(node)) else {
                continue;
            };
            if row.level == Level::Strategy as u8 {
                continue; // its positions are its account's
            }
            let base = |amount: Money| self.in_base(amount, key.currency).map(Money::raw);
            let in_base = || {
                Some(Sum {
                    realised: base(part.realised)?,
                    unrealised: base(part.unrealised)?,
                    fees: base(part.fees)?,
                    income: base(part.income)?,
                })
            };
            let part = in_base();
            let depth = u8::try_from(above(self.registry(), node).count()).unwrap_or(u8::MAX);
            let sum = sums.entry((depth, node)).or_insert(Some(Sum::default()));
            match (sum.as_mut(), part) {
                (Some(sum), Some(part)) => sum.add(&part),
                _ => *sum = None,
            }
        }
        let broadest = sums.into_iter().take(NODES_MAX);
        broadest.map(|((_, node), sum)| (node, sum)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(time_ns: UnixNanos, sums: &[(u32, Option<i128>)]) -> Point {
        let sum = |(node, realised): &(u32, Option<i128>)| {
            let sum = realised.map(|realised| Sum {
                realised,
                ..Sum::default()
            });
            (NodeId(*node), sum)
        };
        Point {
            time_ns,
            sums: sums.iter().map(sum).collect(),
        }
    }

    #[test]
    fn nodes_are_added_up_and_a_point_without_a_rate_is_left_out() {
        let mut history = History::default();
        history.push(point(10, &[(1, Some(5)), (2, Some(7))]));
        history.push(point(20, &[(1, Some(6)), (2, None)]));
        history.push(point(30, &[(1, Some(8)), (2, Some(1)), (3, None)]));
        let of = |nodes: &[u32]| -> Vec<_> {
            let nodes: Vec<_> = nodes.iter().copied().map(NodeId).collect();
            let points = history.of(&nodes).into_iter();
            points.map(|(time_ns, sum)| (time_ns, sum.realised)).collect()
        };
        assert_eq!(of(&[1, 2]), [(10, 12), (30, 9)]);
        assert_eq!(of(&[1]), [(10, 5), (20, 6), (30, 8)]);
        assert_eq!(
            of(&[9]),
            [(10, 0), (20, 0), (30, 0)],
            "who has not traded has made nothing"
        );
    }

    #[test]
    fn the_oldest_points_go_first() {
        let mut history = History::default();
        for at in 0..=POINTS_MAX as u64 {
            history.push(point(at, &[(1, Some(1))]));
        }
        let points = history.of(&[NodeId(1)]);
        assert_eq!((points.len(), points[0].0), (POINTS_MAX, 1));
    }
}
