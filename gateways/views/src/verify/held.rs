//! Reservations counted once more from the facts of order events, against the order table, wallets, nodes and pairs of the
//! limit check.
//!
//! Each order's value, cash and quantity are carried in a plain map from record to record. An order that closes must have
//! given back all it held.

use super::difference::{First, place};
use super::{Check, number_of};
use std::collections::BTreeMap;
use tradewind_domain::codes::{OrderState, Side};
use tradewind_domain::event::{
    DerivedOrder, Event, Execution, Kind, NodeSet, OrderCancel, OrderNew, OrderReplace, OrderView,
    VenueReport, execution_alerts,
};
use tradewind_domain::ids::{InstrumentId, NodeId, OrderId, WalletId};
use tradewind_risk::LimitCheck;
use tradewind_risk::hierarchy::{CHAIN_MAX, Flow};

#[derive(Default)]
pub(super) struct Held {
    open: BTreeMap<OrderId, Order>,
    parents: BTreeMap<NodeId, NodeId>,
    accepted: u64,
    leaked: First,
    overfilled: First,
}

#[derive(Clone, Copy)]
struct Order {
    leaf: NodeId,
    instrument: InstrumentId,
    wallet: WalletId,
    is_buy: bool,
    value: i128,
    cash: i128,
    leaves: i64,
    cum: i64,
    /// Total quantity that a pending replace asks for; 0 where none is pending.
    new_qty: i64,
    state: u8,
}

/// What is open at a node, or for a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Open {
    buy_value: i128,
    sell_value: i128,
    buy_qty: i128,
    sell_qty: i128,
    count: u32,
}

impl Open {
    fn add(&mut self, order: &Order) {
        let new_leaves = order.new_qty.saturating_sub(order.cum);
        let qty = i128::from(order.leaves.max(new_leaves));
        let (value_sum, qty_sum) = if order.is_buy {
            (&mut self.buy_value, &mut self.buy_qty)
        } else {
            (&mut self.sell_value, &mut self.sell_qty)
        };
        *value_sum = value_sum.wrapping_add(order.value);
        *qty_sum += qty;
        self.count += 1;
    }

    fn of_flow(flow: &Flow) -> Self {
        Self {
            buy_value: flow.buy_value,
            sell_value: flow.sell_value,
            buy_qty: flow.buy_qty,
            sell_qty: flow.sell_qty,
            count: flow.open_count,
        }
    }
}

impl Held {
    pub(super) fn see(&mut self, event: &Event) {
        let (Some(kind), false) = (event.kind(), event.is_rejected()) else {
            return;
        };
        match kind {
            Kind::AccountSet | Kind::NodeSet => {
                let node: &NodeSet = event.body();
                self.parents.insert(node.node, node.parent);
            }
            Kind::OrderNew => self.begin(event.body()),
            Kind::OrderReplace => self.replace(event),
            Kind::OrderCancel => self.cancel(event, &event.body::<OrderCancel>().view),
            Kind::CancelRequested => self.cancel(event, &event.body::<DerivedOrder>().view),
            Kind::OrderReleased => self.change_state(&event.body::<DerivedOrder>().view),
            Kind::OrderExpired => self.report(event, &event.body::<DerivedOrder>().view),
            Kind::VenueFill => self.fill(event),
            Kind::TradeBust | Kind::TradeCorrect => self.take_back(event),
            _ if kind.is_report() => self.report(event, &event.body::<VenueReport>().view),
            _ => {}
        }
    }

    fn begin(&mut self, body: &OrderNew) {
        self.accepted += 1;
        let order = Order {
            leaf: body.leaf,
            instrument: body.instrument,
            wallet: body.view.wallet,
            is_buy: Side::from_code(body.side).is_some_and(Side::is_buy),
            value: body.view.value.raw(),
            cash: body.view.cash.raw(),
            leaves: body.view.leaves,
            cum: 0,
            new_qty: 0,
            state: body.view.state_after,
        };
        self.open.insert(body.view.order_id, order);
    }

    fn change_state(&mut self, view: &OrderView) {
        if let Some(order) = self.open.get_mut(&view.order_id) {
            order.state = view.state_after;
        }
    }

    /// A cancel asks the venue; one of an order that was held ends it at once.
    fn cancel(&mut self, event: &Event, view: &OrderView) {
        if view.state_after == OrderState::PendingCancel as u8 {
            self.change_state(view);
        } else {
            self.report(event, view);
        }
    }

    fn replace(&mut self, event: &Event) {
        let body: &OrderReplace = event.body();
        let Some(order) = self.open.get_mut(&body.view.order_id) else {
            return;
        };
        order.new_qty = body.qty;
        order.value = order.value.wrapping_add(body.view.value.raw());
        order.cash = order.cash.wrapping_add(body.view.cash.raw());
        order.state = body.view.state_after;
    }

    fn report(&mut self, event: &Event, view: &OrderView) {
        let Some(order) = self.open.get_mut(&view.order_id) else {
            return;
        };
        order.value = order.value.wrapping_add(view.value.raw());
        order.cash = order.cash.wrapping_add(view.cash.raw());
        order.leaves = view.leaves;
        // A pending replace is over when it took place, or with the order's next state, but for one that waits for an answer still or
        // that nobody knows anything of. A refused one is over for an order that is unknown, too.
        let asked = [OrderState::PendingCancel as u8, OrderState::PendingReplace as u8];
        let waits = asked.contains(&view.state_after) || event.kind() == Some(Kind::OrderUnknown);
        if !waits || event.kind() == Some(Kind::VenueReplaced) {
            order.new_qty = 0;
        }
        order.state = view.state_after;
        self.close(event, view.order_id);
    }

    fn fill(&mut self, event: &Event) {
        let fill: &Execution = event.body();
        let Some(order) = self.open.get_mut(&fill.order_id) else {
            return;
        };
        // While a replace is under way the larger of old and new may be filled.
        let open = order.leaves.max(order.new_qty.saturating_sub(order.cum));
        if fill.qty > open && fill.alerts & execution_alerts::OVERFILL == 0 {
            let id = fill.order_id;
            self.overfilled.note(|| {
                format!(
                    "record {} fills {} of order {id}, of which {open} is open, and says nothing",
                    place(event),
                    fill.qty
                )
            });
        }
        order.value = order.value.wrapping_sub(fill.released_value.raw());
        order.cash = order.cash.wrapping_sub(fill.cash_released.raw());
        (order.leaves, order.cum) = (fill.leaves, fill.cum);
        order.state = fill.state_after;
        self.close(event, fill.order_id);
    }

    /// What is open stays; the filled quantity and the one that a pending replace asks for change alike.
    fn take_back(&mut self, event: &Event) {
        let Some(taken) = event.taken_back() else { return };
        let Some(order) = self.open.get_mut(&taken.order_id) else {
            return;
        };
        let delta = taken.cum.wrapping_sub(order.cum);
        order.cum = taken.cum;
        if order.new_qty != 0 {
            order.new_qty = order.new_qty.wrapping_add(delta);
        }
    }

    fn close(&mut self, event: &Event, id: OrderId) {
        let Some(order) = self.open.get(&id).copied() else {
            return;
        };
        if OrderState::from_code(order.state).is_some_and(OrderState::is_open) {
            return;
        }
        self.open.remove(&id);
        if order.value != 0 || order.cash != 0 {
            self.leaked.note(|| {
                format!(
                    "record {} closes order {id}, which still holds value {} and cash {}",
                    place(event),
                    order.value,
                    order.cash
                )
            });
        }
    }

    /// The first fill of more than was open that does not say so.
    pub(super) fn overfilled(&self) -> Option<String> {
        self.overfilled.0.clone()
    }

    pub(super) fn compare(&self, limit: &LimitCheck) -> Check {
        let mut first = First(self.leaked.0.clone());
        self.compare_orders(limit, &mut first);
        self.compare_wallets(limit, &mut first);
        let nodes = self.compare_nodes(limit, &mut first);
        let (accepted, open) = (number_of(self.accepted, "order"), self.open.len());
        let figure = format!(
            "{accepted} accepted, {open} open, at {}",
            number_of(nodes, "node")
        );
        Check::of("reservations are the sum over open orders", figure, first.0)
    }

    fn compare_orders(&self, limit: &LimitCheck, first: &mut First) {
        let mut seen = 0;
        for (_, row) in limit.open_orders() {
            seen += 1;
            let id = row.order_id;
            let Some(order) = self.open.get(&id) else {
                first.note(|| format!("order {id} is open in the table and closed by the records"));
                continue;
            };
            let what = |figure: &'static str| move || format!("{figure} of order {id}");
            first.equal(
                what("value"),
                ("records", order.value),
                ("table", row.reserved_value().raw()),
            );
            first.equal(
                what("cash"),
                ("records", order.cash),
                ("table", row.reserved_cash().raw()),
            );
            first.equal(
                what("open quantity"),
                ("records", order.leaves.into()),
                ("table", row.leaves.into()),
            );
            first.equal(
                what("state"),
                ("records", order.state.into()),
                ("table", row.state.into()),
            );
        }
        first.equal(
            || "open orders".to_owned(),
            ("records", self.open.len() as i128),
            ("table", seen),
        );
    }

    fn compare_wallets(&self, limit: &LimitCheck, first: &mut First) {
        let mut sums: BTreeMap<WalletId, i128> = BTreeMap::new();
        for order in self.open.values() {
            let sum = sums.entry(order.wallet).or_default();
            *sum = sum.wrapping_add(order.cash);
        }
        for (id, row) in limit.wallets() {
            let sum = sums.remove(&id).unwrap_or(0);
            first.equal(
                || format!("reserved cash of wallet {id}"),
                ("open orders", sum),
                ("wallet", row.reserved.raw()),
            );
        }
        if let Some((id, _)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
            first.note(|| format!("open orders hold cash of wallet {id}, which does not exist"));
        }
    }

    fn compare_nodes(&self, limit: &LimitCheck, first: &mut First) -> usize {
        let mut nodes: BTreeMap<NodeId, Open> = BTreeMap::new();
        let mut pairs: BTreeMap<(NodeId, InstrumentId), Open> = BTreeMap::new();
        for order in self.open.values() {
            for node in self.chain(order.leaf) {
                nodes.entry(node).or_default().add(order);
                pairs.entry((node, order.instrument)).or_default().add(order);
            }
        }
        for (id, row) in limit.nodes() {
            let (sum, held) = (
                nodes.get(&id).copied().unwrap_or_default(),
                Open::of_flow(&row.flow),
            );
            if sum != held {
                first.note(|| format!("node {id} holds {held:?}, its open orders sum to {sum:?}"));
            }
        }
        for row in limit.pairs() {
            let sum = pairs.remove(&(row.node, row.instrument)).unwrap_or_default();
            let held = Open::of_flow(&row.flow);
            if sum != held {
                let (node, instrument) = (row.node, row.instrument);
                first.note(|| format!("node {node} holds {held:?} of instrument {instrument}, its open orders sum to {sum:?}"));
            }
        }
        if let Some(((node, instrument), _)) = pairs.into_iter().next() {
            first.note(|| format!("open orders of instrument {instrument} are not counted at node {node}"));
        }
        nodes.len()
    }

    /// A leaf and the nodes above it.
    fn chain(&self, leaf: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let above = move |node: &NodeId| self.parents.get(node).copied().filter(|parent| !parent.is_none());
        std::iter::successors(Some(leaf), above).take(CHAIN_MAX)
    }
}
