//! What the order table does not keep of an order: when it came and changed, what its fills cost, and which orders closed last.
//!
//! # Invariants
//! - An order that is open has an entry, and so have the newest [`CLOSED_MAX`] closed ones (fewer where the order table remembers fewer).
//!   No other has one.

use super::life::Steps;
use std::collections::{HashMap, VecDeque};
use tradewind_domain::event::{Event, Execution, Kind};
use tradewind_domain::ids::{OrderId, Seq};
use tradewind_domain::time::UnixNanos;
use tradewind_risk::orders::table::OrderRow;

/// Closed orders that are kept.
pub(crate) const CLOSED_MAX: usize = 2_000;

/// Beside an order's row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    pub(crate) created_ns: UnixNanos,
    pub(crate) updated_ns: UnixNanos,
    pub(crate) last_seq: Seq,
    /// Price times quantity of its fills, at 1e-16.
    value: i128,
    /// Quantity of its fills, at 1e-8.
    qty: i128,
    /// Which closing of all closings it was; 0 while it is open.
    closing: u64,
    /// Where its records stand, and what each left.
    steps: Steps,
}

impl Extra {
    /// Average price of the fills at 1e-8, half up.
    pub(crate) fn avg_px(&self) -> Option<i128> {
        let doubled = self.value.checked_mul(2)?.checked_add(self.qty)?;
        (self.qty > 0).then(|| doubled.div_euclid(self.qty.saturating_mul(2)))
    }

    fn fill(&mut self, px: i64, qty: i64) {
        self.value = self.value.saturating_add(i128::from(px) * i128::from(qty));
        self.qty = self.qty.saturating_add(i128::from(qty));
    }
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is there, and may be another one.
    Changed(OrderId),
    /// It has made room for a newer one.
    Forgotten(OrderId),
}

/// All of them.
#[derive(Default)]
pub(crate) struct Orders {
    extra: HashMap<OrderId, Extra>,
    /// Closed orders, oldest first, with the number of the closing. One that was opened again leaves its old entry here.
    closed: VecDeque<(OrderId, u64)>,
    closings: u64,
}

impl Orders {
    pub(crate) fn get(&self, order: OrderId) -> Option<&Extra> {
        self.extra.get(&order)
    }

    /// The events of an order that has an entry.
    pub(super) fn steps(&self, order: OrderId) -> Option<&Steps> {
        self.extra.get(&order).map(|extra| &extra.steps)
    }

    pub(super) fn steps_mut(&mut self, order: OrderId) -> Option<&mut Steps> {
        self.extra.get_mut(&order).map(|extra| &mut extra.steps)
    }

    /// Orders that have an entry.
    pub(crate) fn ids(&self) -> impl Iterator<Item = OrderId> + '_ {
        self.extra.keys().copied()
    }

    /// Takes an accepted event about `order`, whose row is as the event left it. `closed_max` is how many the table remembers.
    pub(crate) fn observe(
        &mut self,
        event: &Event,
        row: &OrderRow,
        closed_max: usize,
        mut told: impl FnMut(Change),
    ) {
        let id = row.order_id;
        let is_new = event.kind() == Some(Kind::OrderNew) || row.order_state().is_open();
        if !is_new && !self.extra.contains_key(&id) {
            return; // it was forgotten, or the engine closes positions with orders that are filled at once
        }
        let extra = self.extra.entry(id).or_insert_with(|| Extra {
            created_ns: event.head.recv_ns,
            ..Extra::default()
        });
        extra.updated_ns = event.head.recv_ns;
        extra.last_seq = event.head.seq;
        match event.kind() {
            Some(Kind::VenueFill) => {
                let fill: &Execution = event.body();
                extra.fill(fill.px, fill.qty);
            }
            Some(Kind::TradeBust | Kind::TradeCorrect) => {
                if let Some(taken) = event.taken_back() {
                    extra.fill(taken.px, -taken.qty);
                }
                if event.kind() == Some(Kind::TradeCorrect) {
                    let new: &Execution = event.body();
                    extra.fill(new.px, new.qty);
                }
            }
            _ => {}
        }
        match (row.order_state().is_open(), extra.closing) {
            (true, closing) if closing != 0 => extra.closing = 0,
            (false, 0) => {
                self.closings += 1;
                extra.closing = self.closings;
                self.closed.push_back((id, self.closings));
            }
            _ => {}
        }
        told(Change::Changed(id));
        while self.closed.len() > closed_max.min(CLOSED_MAX) {
            let Some((old, closing)) = self.closed.pop_front() else {
                break;
            };
            if self.extra.get(&old).is_some_and(|extra| extra.closing == closing) {
                self.extra.remove(&old);
                told(Change::Forgotten(old));
            }
        }
    }

    /// Newest closed orders first.
    #[cfg(test)]
    pub(crate) fn closed(&self) -> impl Iterator<Item = OrderId> + '_ {
        let is_current = |(id, closing): &&(OrderId, u64)| {
            self.extra.get(id).is_some_and(|extra| extra.closing == *closing)
        };
        self.closed.iter().rev().filter(is_current).map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use tradewind_domain::codes::OrderState;

    fn event(kind: Kind, seq: Seq) -> Event {
        let mut event = Event::empty();
        event.reset(kind);
        event.head.seq = seq;
        event.head.recv_ns = seq * 10;
        event
    }

    fn row(id: u64, state: OrderState) -> OrderRow {
        let mut row = OrderRow::zeroed();
        row.order_id = OrderId::new(0, id);
        row.state = state as u8;
        row
    }

    fn fill(seq: Seq, px: i64, qty: i64) -> Event {
        let mut fill = event(Kind::VenueFill, seq);
        let body: &mut Execution = fill.body_mut();
        (body.px, body.qty) = (px, qty);
        fill
    }

    #[test]
    fn the_oldest_closed_order_makes_room_and_one_that_came_back_does_not() {
        let mut orders = Orders::default();
        let mut told = Vec::new();
        let mut see = |orders: &mut Orders, event: &Event, row: &OrderRow| {
            orders.observe(event, row, 2, |change| told.push(change));
        };
        for id in 1..=4 {
            see(
                &mut orders,
                &event(Kind::OrderNew, id),
                &row(id, OrderState::PendingNew),
            );
        }
        see(
            &mut orders,
            &event(Kind::OrderUnknown, 5),
            &row(1, OrderState::Expired),
        );
        see(
            &mut orders,
            &event(Kind::VenueStatus, 6),
            &row(1, OrderState::Working),
        );
        for (seq, id) in [(7, 2), (8, 3), (9, 4)] {
            see(
                &mut orders,
                &event(Kind::VenueCancelled, seq),
                &row(id, OrderState::Cancelled),
            );
        }
        assert_eq!(told.last(), Some(&Change::Forgotten(OrderId::new(0, 2))));
        assert!(orders.get(OrderId::new(0, 1)).is_some(), "it is open again");
        let closed: Vec<_> = orders.closed().collect();
        assert_eq!(closed, [OrderId::new(0, 4), OrderId::new(0, 3)]);
        let late = fill(10, 5, 5);
        orders.observe(&late, &row(2, OrderState::Cancelled), 2, |_| {
            panic!("it was forgotten")
        });
    }

    #[test]
    fn the_average_price_is_of_the_fills_rounded_half_up() {
        let mut orders = Orders::default();
        let working = row(1, OrderState::Working);
        orders.observe(&event(Kind::OrderNew, 1), &working, 9, |_| {});
        assert_eq!(orders.get(working.order_id).unwrap().avg_px(), None);
        orders.observe(&fill(2, 10, 1), &working, 9, |_| {});
        orders.observe(&fill(3, 11, 1), &working, 9, |_| {});
        let extra = orders.get(working.order_id).unwrap();
        assert_eq!(
            (extra.avg_px(), extra.created_ns, extra.updated_ns),
            (Some(11), 10, 30)
        );
    }
}
