//! Whose turn it is to be told, by time.

use crate::nodes::{Node, Nodes};
use std::collections::BTreeSet;
use tradewind_domain::ids::NodeId;
use tradewind_domain::time::UnixNanos;

/// The pause between two figures of a node that only marks have caused, in journaled nanoseconds (L33).
pub(crate) const PAUSE_NS: u64 = 100_000_000;

/// Why a node's figure has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A fill, a fee, a payment: told at once.
    Booked,
    /// A mark or a rate of this time: told after the pause.
    Marked(UnixNanos),
}

/// Nodes that wait, by the time from which they may be told.
#[derive(Default)]
pub(crate) struct Calls {
    waiting: BTreeSet<(UnixNanos, u32)>,
}

impl Calls {
    /// A node's figure may have changed.
    pub(crate) fn put(&mut self, id: NodeId, node: &mut Node, cause: Cause) {
        if !node.is_ours() {
            return;
        }
        let due_ns = match cause {
            Cause::Booked => {
                node.is_urgent = true;
                0
            }
            Cause::Marked(at_ns) => {
                if node.since_ns == 0 {
                    node.since_ns = at_ns;
                }
                node.told_ns.saturating_add(PAUSE_NS)
            }
        };
        // While a figure is on its way the next one waits for it.
        if !node.is_sent {
            self.put_back(id, node, due_ns);
        }
    }

    /// A node waits until then, or as long as it waits already.
    pub(crate) fn put_back(&mut self, id: NodeId, node: &mut Node, due_ns: UnixNanos) {
        match node.due_ns {
            Some(before) if before <= due_ns => return,
            Some(before) => self.waiting.remove(&(before, id.0)),
            None => false,
        };
        node.due_ns = Some(due_ns);
        self.waiting.insert((due_ns, id.0));
    }

    /// The next node that may be told by `now_ns`; it no longer waits.
    pub(crate) fn take(&mut self, nodes: &mut Nodes, now_ns: UnixNanos) -> Option<(NodeId, UnixNanos)> {
        let &(due_ns, id) = self.waiting.first().filter(|(due_ns, _)| *due_ns <= now_ns)?;
        self.waiting.remove(&(due_ns, id));
        if let Some(node) = nodes.get_mut(NodeId(id)) {
            node.due_ns = None;
        }
        Some((NodeId(id), due_ns))
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}
