//! Names of nodes and currencies by id: what a condition on an account or a currency looks at.

use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::codes::Level;
use tradewind_domain::event::{CurrencySet, Event, Kind, NodeSet};
use tradewind_domain::ids::{CurrencyId, NodeId};
use tradewind_domain::reference::CURRENCIES_MAX;
use tradewind_domain::text::{Code, Text};

/// No name.
static NAMELESS: Code = Code::EMPTY;

/// A node's name and place.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Row {
    code: Code,
    parent: NodeId,
    /// [`Level`]; 0 for a row without a node.
    level: u8,
    /// [`AccountKind`](tradewind_domain::codes::AccountKind) of an account.
    kind: u8,
    reserved: u16,
}

/// Names by id.
pub(super) struct Directory {
    nodes: Vec<Row>,
    currencies: Vec<Text<32>>,
}

impl Directory {
    /// Room for so many nodes.
    pub(super) fn new(nodes_max: u32) -> Self {
        Self {
            nodes: vec![Row::zeroed(); nodes_max as usize],
            currencies: vec![Text::EMPTY; CURRENCIES_MAX],
        }
    }

    /// Takes an accepted row of reference data.
    pub(super) fn apply(&mut self, event: &Event) {
        if event.kind() == Some(Kind::CurrencySet) {
            let set: &CurrencySet = event.body();
            if let Some(row) = self.currencies.get_mut(set.currency.index()) {
                *row = Text::lossy(set.code.as_bytes());
            }
            return;
        }
        let set: &NodeSet = event.body();
        if let Some(row) = self.nodes.get_mut(set.node.index()) {
            *row = Row {
                code: set.code,
                parent: set.parent,
                level: set.level,
                kind: set.kind,
                reserved: 0,
            };
        }
    }

    /// The node of a level on the way from a leaf to the firm.
    #[inline]
    fn above(&self, leaf: NodeId, level: Level) -> Option<&Row> {
        let mut at = leaf;
        for _ in 0..crate::hierarchy::CHAIN_MAX {
            let row = self.nodes.get(at.index())?;
            if row.level >= level as u8 {
                return (row.level == level as u8).then_some(row);
            }
            at = row.parent;
        }
        None
    }

    /// The name of the node of a level on the way from a leaf to the firm; empty where there is none.
    #[inline]
    pub(super) fn name(&self, leaf: NodeId, level: Level) -> &[u8; 32] {
        self.above(leaf, level)
            .map_or(&NAMELESS, |row| &row.code)
            .padded()
    }

    /// The kind of the account of a leaf.
    #[inline]
    pub(super) fn account_kind(&self, leaf: NodeId) -> Option<u8> {
        self.above(leaf, Level::Account).map(|row| row.kind)
    }

    /// The code of a currency.
    #[inline]
    pub(super) fn currency(&self, id: CurrencyId) -> &[u8; 32] {
        self.currencies.get(id.index()).unwrap_or(&NAMELESS).padded()
    }

    /// Feeds the state to a hash.
    pub(super) fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        self.nodes
            .iter()
            .filter(|row| row.level != 0)
            .for_each(|row| sink(bytes_of(row)));
        self.currencies
            .iter()
            .filter(|code| !code.is_empty())
            .for_each(|code| sink(code.as_bytes()));
    }
}
