//! Orders of both worlds: which recorded order is which in the second world, and which orders live there alone.
//!
//! # Invariants
//! - What is kept grows with the orders that the second world's table remembers, not with the journal.

use std::collections::{HashMap, HashSet};
use tradewind_domain::event::{Event, Execution, Kind, OrderCancel, OrderReplace, VenueReport};
use tradewind_domain::ids::OrderId;
use tradewind_domain::reject::RejectCode;
use tradewind_risk::LimitCheck;

/// Entries at which the map is looked through for the first time.
const SWEEP_MIN: usize = 1 << 16;

/// What a recorded order is in the second world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twin {
    /// This order.
    Is(OrderId),
    /// Nothing: it was refused there.
    Refused,
    /// Nothing, and the journal's engine did not know it either.
    Unknown,
}

pub(crate) struct Orders {
    twins: HashMap<OrderId, OrderId>,
    sweep_at: usize,
    sweep_alone_at: usize,
    /// Orders that only the second world accepted: no venue has them.
    alone: HashSet<OrderId>,
}

impl Orders {
    pub(crate) fn new() -> Self {
        Self {
            twins: HashMap::new(),
            sweep_at: SWEEP_MIN,
            sweep_alone_at: SWEEP_MIN,
            alone: HashSet::new(),
        }
    }

    /// Both worlds have accepted the order.
    pub(crate) fn pair(&mut self, recorded: OrderId, again: OrderId, limit: &LimitCheck) {
        self.twins.insert(recorded, again);
        if self.twins.len() > self.sweep_at {
            self.twins.retain(|_, id| limit.order(*id).is_some());
            self.sweep_at = SWEEP_MIN.max(self.twins.len() * 2);
        }
    }

    /// Only the second world has accepted the order.
    pub(crate) fn add_alone(&mut self, again: OrderId, limit: &LimitCheck) {
        self.alone.insert(again);
        if self.alone.len() > self.sweep_alone_at {
            self.sweep_alone(limit);
            self.sweep_alone_at = SWEEP_MIN.max(self.alone.len() * 2);
        }
    }

    fn sweep_alone(&mut self, limit: &LimitCheck) {
        let is_open = |id: &OrderId| limit.order(*id).is_some_and(|row| row.order_state().is_open());
        self.alone.retain(is_open);
    }

    pub(crate) fn is_alone(&self, again: OrderId) -> bool {
        self.alone.contains(&again)
    }

    /// Orders that only the second world has, and that are open there.
    pub(crate) fn open_alone(&mut self, limit: &LimitCheck) -> Vec<OrderId> {
        self.sweep_alone(limit);
        let mut ids: Vec<OrderId> = self.alone.iter().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Orders that only the second world has; those that ended since the last look are still counted.
    pub(crate) fn alone_count(&self) -> usize {
        self.alone.len()
    }

    /// The twin of the order that a recorded event is about.
    pub(crate) fn twin(&self, recorded: &Event, order_id: OrderId) -> Twin {
        match self.twins.get(&order_id) {
            Some(&again) => Twin::Is(again),
            None if is_unknown(recorded) => Twin::Unknown,
            None => Twin::Refused,
        }
    }
}

fn is_unknown(recorded: &Event) -> bool {
    matches!(
        recorded.reject_code(),
        Some(RejectCode::UnknownOrder | RejectCode::OrphanFill)
    )
}

/// The order that an event names by id, where its kind does that and it does so.
pub(crate) fn named_by_id(event: &mut Event) -> Option<&mut OrderId> {
    let id = match event.kind()? {
        Kind::VenueFill => &mut event.body_mut::<Execution>().order_id,
        Kind::OrderCancel => by_id(event.body_mut::<OrderCancel>())?,
        Kind::OrderReplace => {
            let body: &mut OrderReplace = event.body_mut();
            if !body.orig_cl_ord_id.is_empty() {
                return None;
            }
            &mut body.order_id
        }
        kind if kind.is_report() => &mut event.body_mut::<VenueReport>().order_id,
        _ => return None,
    };
    (!id.is_none()).then_some(id)
}

fn by_id(cancel: &mut OrderCancel) -> Option<&mut OrderId> {
    cancel.orig_cl_ord_id.is_empty().then_some(&mut cancel.order_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::event::Capacities;

    #[test]
    fn orders_that_the_table_has_forgotten_are_forgotten_here_too() {
        let limit = LimitCheck::new(&Capacities::default(), &[0; 16]);
        let mut orders = Orders::new();
        for counter in 1..=3 * SWEEP_MIN as u64 {
            orders.pair(OrderId::new(0, counter), OrderId::new(0, counter), &limit);
            orders.add_alone(OrderId::new(0, counter), &limit);
        }
        assert!(orders.twins.len() <= SWEEP_MIN && orders.alone_count() <= SWEEP_MIN);
    }

    #[test]
    fn an_order_is_its_twin_or_refused_or_was_never_known() {
        let limit = LimitCheck::new(&Capacities::default(), &[0; 16]);
        let mut orders = Orders::new();
        let [first, second, again] = [1, 2, 7].map(|counter| OrderId::new(0, counter));
        orders.pair(first, again, &limit);
        let mut fill = Event::empty();
        fill.reset(Kind::VenueFill);
        assert_eq!(orders.twin(&fill, first), Twin::Is(again));
        assert_eq!(orders.twin(&fill, second), Twin::Refused);
        fill.reject(RejectCode::OrphanFill);
        assert_eq!(orders.twin(&fill, second), Twin::Unknown);
    }
}
