//! The day's executed value, quantity and number of trades of each node, counted once more from the executions.
//!
//! The date of a node is that of its calendar as the rolls in the journal set it. A bust takes from the day on which the trade was counted,
//! if that is still the day that the node counts.

use super::difference::First;
use super::{Check, number_of};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    ChainDays, Event, Execution, Kind, NodeSet, Timer, TimerKind, execution_flags,
};
use tradewind_domain::fixed::Notional;
use tradewind_domain::ids::{CalendarId, NodeId};
use tradewind_domain::time::DayNumber;
use tradewind_risk::LimitCheck;
use tradewind_risk::hierarchy::CHAIN_MAX;

#[derive(Default)]
pub(super) struct Counters {
    nodes: BTreeMap<NodeId, Node>,
    dates: BTreeMap<CalendarId, DayNumber>,
    executions: u64,
}

#[derive(Clone, Copy, Default)]
struct Node {
    parent: NodeId,
    calendar: CalendarId,
    day: DayNumber,
    sums: Sums,
}

/// Value bought and sold, quantity bought and sold, trades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    value: [i128; 2],
    qty: [i128; 2],
    trades: i128,
}

impl Sums {
    fn add(&mut self, is_buy: bool, qty: i64, value: Notional, sign: i128) {
        let side = usize::from(!is_buy);
        self.value[side] = self.value[side].wrapping_add(sign * value.raw());
        self.qty[side] = self.qty[side].wrapping_add(sign * i128::from(qty));
        self.trades += sign;
    }
}

impl Counters {
    pub(super) fn see(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        match event.kind() {
            Some(Kind::AccountSet | Kind::NodeSet) => self.set(event.body()),
            Some(Kind::Timer) => {
                let timer: &Timer = event.body();
                if timer.timer == TimerKind::DayRoll as u8 {
                    self.dates.insert(timer.calendar, timer.date);
                }
            }
            Some(Kind::VenueFill | Kind::TradeCapture) => self.execute(event.body()),
            Some(Kind::TradeBust | Kind::TradeCorrect) => self.take_back(event),
            _ => {}
        }
    }

    fn set(&mut self, set: &NodeSet) {
        let node = self.nodes.entry(set.node).or_default();
        (node.parent, node.calendar) = (set.parent, set.calendar);
    }

    /// A leg of an allocation was executed nowhere.
    fn execute(&mut self, execution: &Execution) {
        if execution.flags & execution_flags::ALLOCATED != 0 {
            return;
        }
        self.executions += 1;
        let is_buy = Side::from_code(execution.side).is_some_and(Side::is_buy);
        for id in self.chain(execution.leaf) {
            let date = self.date_of(id);
            let Some(node) = self.nodes.get_mut(&id) else {
                continue;
            };
            if node.day != date {
                (node.day, node.sums) = (date, Sums::default());
            }
            node.sums.add(is_buy, execution.qty, execution.consumed, 1);
        }
    }

    fn take_back(&mut self, event: &Event) {
        let Some(taken) = event.taken_back() else { return };
        let is_buy = Side::from_code(taken.side).is_some_and(Side::is_buy);
        let chain = self.chain(taken.leaf);
        let days: ChainDays = taken.days;
        for (id, day) in chain.into_iter().zip(days) {
            let Some(node) = self.nodes.get_mut(&id).filter(|node| node.day == day) else {
                continue;
            };
            node.sums.add(is_buy, taken.qty, taken.consumed, -1);
            if event.kind() == Some(Kind::TradeCorrect) {
                let new: &Execution = event.body();
                node.sums.add(is_buy, new.qty, new.consumed, 1);
            }
        }
    }

    fn date_of(&self, id: NodeId) -> DayNumber {
        let calendar = self.nodes.get(&id).map(|node| node.calendar);
        calendar.map_or(0, |calendar| self.dates.get(&calendar).copied().unwrap_or(0))
    }

    /// A leaf and the nodes above it.
    fn chain(&self, leaf: NodeId) -> Vec<NodeId> {
        let above = |node: &NodeId| {
            self.nodes
                .get(node)
                .map(|row| row.parent)
                .filter(|parent| !parent.is_none())
        };
        std::iter::successors(Some(leaf), above).take(CHAIN_MAX).collect()
    }

    pub(super) fn compare(&self, limit: &LimitCheck) -> Check {
        let mut first = First::default();
        for (id, row) in limit.nodes() {
            let date = self.date_of(id);
            let counted = self
                .nodes
                .get(&id)
                .filter(|node| node.day == date)
                .map(|node| node.sums);
            let counted = counted.unwrap_or_default();
            let today = row.flow.today(date);
            let held = Sums {
                value: [today.bought_value, today.sold_value],
                qty: [today.bought_qty, today.sold_qty],
                trades: today.trades.into(),
            };
            if counted != held {
                first.note(|| {
                    format!("node {id} counts {held:?} for the day, its executions sum to {counted:?}")
                });
            }
        }
        let known: BTreeSet<NodeId> = limit.nodes().map(|(id, _)| id).collect();
        if let Some(id) = self.nodes.keys().find(|id| !known.contains(id)) {
            first.note(|| format!("node {id} was set and is not there"));
        }
        let executions = number_of(self.executions, "execution");
        let figure = format!("{executions} at {}", number_of(self.nodes.len(), "node"));
        Check::of(
            "the day's counters are the sum of the day's fills",
            figure,
            first.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use tradewind_domain::codes::Level;
    use tradewind_domain::event::{Body, Capacities};
    use tradewind_domain::ids::AccountId;
    use tradewind_machine::stage::Stage;

    const DAY: DayNumber = 20_000;

    fn event<T: Body>(kind: Kind, body: T) -> Event {
        let mut event = Event::empty();
        event.reset(kind);
        *event.body_mut() = body;
        event
    }

    fn node() -> Event {
        event(
            Kind::NodeSet,
            NodeSet {
                level: Level::Firm as u8,
                parent: NodeId::NONE,
                account: AccountId::NONE,
                ..NodeSet::zeroed()
            },
        )
    }

    fn roll(date: DayNumber) -> Event {
        event(
            Kind::Timer,
            Timer {
                timer: TimerKind::DayRoll as u8,
                date,
                ..Timer::zeroed()
            },
        )
    }

    fn trade(consumed: i128) -> Event {
        event(
            Kind::TradeCapture,
            Execution {
                side: Side::Buy as u8,
                qty: 5,
                consumed: Notional::from_raw(consumed),
                ..Execution::zeroed()
            },
        )
    }

    /// What the recount of some events says against a limit check that was told others.
    fn compare(counted: &[Event], told: &[Event]) -> Check {
        let mut limit = LimitCheck::new(&Capacities::default(), &[0; 16]);
        told.iter().for_each(|event| limit.apply(event));
        let mut counters = Counters::default();
        counted.iter().for_each(|event| counters.see(event));
        counters.compare(&limit)
    }

    #[test]
    fn a_counter_that_differs_from_the_executions_is_found() {
        let quiet = [node(), roll(DAY)];
        assert!(compare(&quiet, &quiet).ok);
        let busy = [node(), roll(DAY), trade(7)];
        let found = compare(&busy, &quiet);
        assert!(!found.ok && found.detail.is_some_and(|text| text.starts_with("node 0 counts")));
        // Yesterday's executions count no more.
        let rolled = [node(), roll(DAY), trade(7), roll(DAY + 1)];
        assert!(compare(&rolled, &[node(), roll(DAY), roll(DAY + 1)]).ok);
        assert!(!compare(&quiet, &[]).ok);
    }
}
