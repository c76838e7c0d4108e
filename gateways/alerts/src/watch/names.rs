//! Names for ids and the hierarchy above a node, as far as alerts speak of them. Ids without a row show as `#id`.

use crate::fact::{CHAIN_MAX, Subject};
use std::collections::HashMap;
use std::sync::Arc;
use tradewind_domain::codes::LimitType;
use tradewind_domain::event::{Control, Event, InstrumentSet, Kind, LimitSet, NodeSet, SymbolChange};
use tradewind_domain::ids::{CalendarId, InstrumentId, LimitId, NodeId};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    code: Arc<str>,
    parent: NodeId,
    calendar: CalendarId,
}

/// What alerts say about a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// `NODE/LABEL`.
    pub(super) name: Arc<str>,
    pub(super) node: NodeId,
    /// Calendar whose roll resets it.
    pub(super) calendar: CalendarId,
    pub(super) limit_type: u8,
    pub(super) action: u8,
    /// True where it applies to each instrument alone.
    pub(super) by_instrument: bool,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    nodes: HashMap<u32, Node>,
    instruments: HashMap<u32, Arc<str>>,
    limits: HashMap<u32, Limit>,
}

impl Names {
    /// Takes accepted reference data.
    pub(super) fn observe(&mut self, event: &Event, kind: Kind) {
        match kind {
            Kind::NodeSet | Kind::AccountSet => {
                let set: &NodeSet = event.body();
                let node = Node {
                    code: set.code.as_str().into(),
                    parent: set.parent,
                    calendar: set.calendar,
                };
                self.nodes.insert(set.node.0, node);
            }
            Kind::InstrumentSet => {
                let row = &event.body::<InstrumentSet>().row;
                self.instruments.insert(row.id.0, row.symbol.as_str().into());
            }
            Kind::SymbolChange => {
                let change: &SymbolChange = event.body();
                self.instruments
                    .insert(change.instrument.0, change.symbol.as_str().into());
            }
            Kind::LimitSet => self.set_limit(event.body()),
            _ => {}
        }
    }

    fn set_limit(&mut self, set: &LimitSet) {
        let limit = Limit {
            name: format!("{}/{}", self.node(set.node), set.label).into(),
            node: set.node,
            calendar: self
                .nodes
                .get(&set.node.0)
                .map_or(CalendarId::UTC, |node| node.calendar),
            limit_type: set.limit_type,
            action: set.action,
            by_instrument: set.filter_instrument.is_none() && is_by_instrument(set.limit_type),
        };
        self.limits.insert(set.limit.0, limit);
    }

    /// The code of a node.
    pub(super) fn node(&self, id: NodeId) -> Arc<str> {
        match self.nodes.get(&id.0) {
            Some(node) => Arc::clone(&node.code),
            None => format!("#{id}").into(),
        }
    }

    /// The symbol of an instrument; empty for none.
    pub(super) fn instrument(&self, id: InstrumentId) -> Arc<str> {
        match self.instruments.get(&id.0) {
            Some(symbol) => Arc::clone(symbol),
            None if id.is_none() => "".into(),
            None => format!("#{id}").into(),
        }
    }

    pub(super) fn limit(&self, id: u32) -> Option<&Limit> {
        self.limits.get(&id)
    }

    /// The node and those above it.
    pub(super) fn chain(&self, node: NodeId) -> [NodeId; CHAIN_MAX] {
        let mut chain = [NodeId::NONE; CHAIN_MAX];
        let mut next = node;
        for place in &mut chain {
            if next.is_none() {
                break;
            }
            *place = next;
            next = self.nodes.get(&next.0).map_or(NodeId::NONE, |node| node.parent);
        }
        chain
    }

    /// About a node, and an instrument or none.
    pub(super) fn node_subject(&self, node: NodeId, instrument: InstrumentId) -> Subject {
        Subject {
            scope: if node.is_none() {
                "engine".into()
            } else {
                self.node(node)
            },
            instrument: self.instrument(instrument),
            chain: self.chain(node),
        }
    }

    /// About a limit, and an instrument where the limit applies to each alone.
    pub(super) fn limit_subject(&self, limit: &Limit, instrument: u32) -> Subject {
        Subject {
            scope: Arc::clone(&limit.name),
            instrument: self.instrument(InstrumentId(instrument)),
            chain: self.chain(limit.node),
        }
    }

    /// About a limit that is known by its number only.
    pub(super) fn unknown_limit(&self, id: LimitId) -> Subject {
        Subject::engine(&format!("limit #{id}"))
    }

    /// About what a control event names.
    pub(super) fn control(&self, body: &Control) -> Subject {
        if !body.node.is_none() {
            return self.node_subject(body.node, InstrumentId::NONE);
        }
        let scope: Arc<str> = if !body.instrument.is_none() {
            "instrument".into()
        } else if !body.session.is_none() {
            format!("session {}", body.session).into()
        } else if !body.venue.is_none() {
            format!("venue {}", body.venue).into()
        } else {
            "engine".into()
        };
        Subject {
            scope,
            instrument: self.instrument(body.instrument),
            chain: [NodeId::NONE; CHAIN_MAX],
        }
    }
}

/// Types whose use is kept for each instrument alone unless a filter names one.
fn is_by_instrument(limit_type: u8) -> bool {
    matches!(
        LimitType::from_code(limit_type),
        Some(
            LimitType::PositionLong
                | LimitType::PositionShort
                | LimitType::Concentration
                | LimitType::AdvOrder
                | LimitType::AdvDay
                | LimitType::PriceCollar
                | LimitType::Restricted
        )
    )
}
