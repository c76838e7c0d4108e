//! What the records of a journal have told so far: names behind ids, trading dates, states of nodes. No stage is asked.

use std::collections::HashMap;
use tradewind_domain::codes::{ControlState, LimitType};
use tradewind_domain::event::{Control, Event, Kind, LimitSet, NodeSet, Timer, TimerKind};
use tradewind_domain::ids::{CalendarId, LimitId, NodeId};
use tradewind_domain::time::DayNumber;

/// What has been told.
#[derive(Default)]
pub(crate) struct Known {
    nodes: HashMap<u32, Node>,
    limits: HashMap<u32, (String, LimitType)>,
    dates: HashMap<u16, DayNumber>,
}

struct Node {
    code: String,
    parent: NodeId,
    state: u8,
}

impl Known {
    /// Learns from a record.
    pub(crate) fn observe(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        match event.kind() {
            Some(Kind::NodeSet | Kind::AccountSet) => {
                let body: &NodeSet = event.body();
                let node = Node {
                    code: body.code.to_string(),
                    parent: body.parent,
                    state: ControlState::Active as u8,
                };
                self.nodes.insert(body.node.0, node);
            }
            Some(Kind::LimitSet) => {
                let body: &LimitSet = event.body();
                if let Some(limit_type) = LimitType::from_code(body.limit_type) {
                    self.limits
                        .insert(body.limit.0, (body.label.to_string(), limit_type));
                }
            }
            Some(Kind::StateSet | Kind::Kill | Kind::Rearm | Kind::StateChanged) => {
                let body: &Control = event.body();
                // A strategy that is disabled keeps the state that it has.
                let is_state = ControlState::from_code(body.state_after).is_some();
                if let Some(node) = self.nodes.get_mut(&body.node.0).filter(|_| is_state) {
                    node.state = body.state_after;
                }
            }
            Some(Kind::Timer) => {
                let body: &Timer = event.body();
                if body.timer == TimerKind::DayRoll as u8 {
                    self.dates.insert(body.calendar.0, body.date);
                }
            }
            _ => {}
        }
    }

    /// The code of a node.
    pub(crate) fn node(&self, id: NodeId) -> Option<&str> {
        self.nodes.get(&id.0).map(|node| node.code.as_str())
    }

    /// The most severe state of a node and those above it; `None` where there is no such node.
    pub(crate) fn state(&self, code: &str) -> Option<ControlState> {
        let mut at = self.nodes.values().find(|node| node.code == code)?;
        let mut state = at.state;
        while let Some(parent) = self.nodes.get(&at.parent.0) {
            at = parent;
            state = state.max(at.state);
        }
        ControlState::from_code(state)
    }

    /// The label of a limit.
    pub(crate) fn limit(&self, id: LimitId) -> Option<&str> {
        self.limits.get(&id.0).map(|(label, _)| label.as_str())
    }

    /// The type of the limit with this label.
    pub(crate) fn limit_type(&self, label: &str) -> Option<LimitType> {
        let found = self.limits.values().find(|(name, _)| name == label);
        found.map(|(_, limit_type)| *limit_type)
    }

    /// The current trading date of a calendar; `None` before its first roll.
    pub(crate) fn date(&self, calendar: CalendarId) -> Option<DayNumber> {
        self.dates.get(&calendar.0).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use tradewind_domain::event::control_effects;
    use tradewind_domain::text::Text;

    fn node(id: u32, code: &str, parent: NodeId) -> Event {
        let mut event = Event::empty();
        event.reset(Kind::NodeSet);
        *event.body_mut() = NodeSet {
            code: Text::new(code).unwrap(),
            node: NodeId(id),
            parent,
            ..NodeSet::zeroed()
        };
        event
    }

    fn state(id: u32, state_after: u8) -> Event {
        let mut event = Event::empty();
        event.reset(Kind::StateSet);
        *event.body_mut() = Control {
            node: NodeId(id),
            state_after,
            ..Control::zeroed()
        };
        event
    }

    #[test]
    fn the_most_severe_state_above_a_node_is_its_own() {
        let mut known = Known::default();
        known.observe(&node(0, "FIRM", NodeId::NONE));
        known.observe(&node(1, "A", NodeId(0)));
        assert_eq!(known.state("A"), Some(ControlState::Active));
        known.observe(&state(0, ControlState::CancelOnly as u8));
        known.observe(&state(1, ControlState::ReduceOnly as u8));
        assert_eq!(known.state("A"), Some(ControlState::CancelOnly));
        known.observe(&state(0, ControlState::Active as u8));
        assert_eq!(known.state("A"), Some(ControlState::ReduceOnly));
        // A number that is no state leaves the state as it is.
        known.observe(&state(1, control_effects::DISABLED));
        assert_eq!(known.state("A"), Some(ControlState::ReduceOnly));
        assert_eq!(known.state("B"), None);
    }

    #[test]
    fn a_refused_event_tells_nothing() {
        let mut known = Known::default();
        let mut event = node(0, "FIRM", NodeId::NONE);
        event.reject(tradewind_domain::reject::RejectCode::NameTaken);
        known.observe(&event);
        assert_eq!(known.node(NodeId(0)), None);
    }
}
