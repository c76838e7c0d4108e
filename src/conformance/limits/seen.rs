//! What the records of one step say beside the answer to its input: rolls, expiries, cancels, states.

use super::days::NODES;
use crate::conformance::known::Known;
use serde_json::{Map, Value, json};
use tradewind_domain::codes::{ControlState, OrderState};
use tradewind_domain::event::{Control, DerivedOrder, Event, Kind, Timer, TimerKind, control_effects};
use tradewind_domain::ids::{OrderId, Seq};
use tradewind_domain::time::Date;

/// Orders that something happened to, by acceptance.
type Orders = Vec<(OrderId, String)>;

/// What the records of a step say.
#[derive(Default)]
pub(crate) struct Seen {
    rolled_to: Option<String>,
    expired: Orders,
    cod_cancelled: Orders,
    cancelled: Orders,
    killed: bool,
    disabled: Option<String>,
    /// The input whose effects are being read.
    root: Option<(Seq, Kind)>,
    /// Orders whose cancel the engine asks of the venue and that nobody has answered yet.
    asked: Vec<OrderId>,
}

impl Seen {
    /// Reads a record.
    pub(crate) fn observe(&mut self, event: &Event, known: &Known) {
        let Some(kind) = event.kind() else { return };
        if event.head.part == 0 {
            self.root = Some((event.head.seq, kind));
        }
        if event.is_rejected() {
            return;
        }
        match kind {
            Kind::Timer => {
                let timer: &Timer = event.body();
                if timer.timer == TimerKind::DayRoll as u8 && timer.calendar == NODES {
                    self.rolled_to = Some(Date(timer.date).to_string());
                }
            }
            Kind::OrderExpired => self.expired.push(order(event)),
            Kind::CancelRequested => {
                let order = order(event);
                // An order that was held is gone at once: no venue has it.
                if event.body::<DerivedOrder>().view.state_after == OrderState::PendingCancel as u8 {
                    self.asked.push(order.0);
                }
                match self.root {
                    Some((seq, Kind::Timer)) if seq == event.head.seq => self.cod_cancelled.push(order),
                    _ => self.cancelled.push(order),
                }
            }
            Kind::Kill => self.killed = true,
            Kind::StateChanged => {
                let control: &Control = event.body();
                self.killed |= control.state_after == ControlState::Kill as u8;
                if control.state_after == control_effects::DISABLED {
                    self.disabled = known.node(control.node).map(str::to_owned);
                }
            }
            _ => {}
        }
    }

    /// The orders that the venue has to cancel, each once.
    pub(crate) fn take_asked(&mut self) -> Vec<OrderId> {
        std::mem::take(&mut self.asked)
    }

    /// True where an order has expired in this step.
    pub(crate) fn has_expired(&self, order_id: OrderId) -> bool {
        self.expired.iter().any(|(expired, _)| *expired == order_id)
    }

    /// True where orders were cancelled.
    pub(crate) fn has_cancelled(&self) -> bool {
        !self.cancelled.is_empty()
    }

    /// Adds what was seen to a step's answer. Of a roll and a lost session that are due before the same step the files take the roll
    /// first: what it expires is not there to be cancelled.
    pub(crate) fn write(mut self, got: &mut Map<String, Value>) {
        let mut cod_cancelled = std::mem::take(&mut self.cod_cancelled);
        cod_cancelled.retain(|(order, _)| !self.has_expired(*order));
        let mut put = |key: &str, value: Value| got.insert(key.to_owned(), value);
        if let Some(date) = self.rolled_to {
            put("rolled_to", json!(date));
        }
        if let Some(node) = self.disabled {
            put("disabled", json!(node));
        }
        let has_cancelled = self.killed || !self.cancelled.is_empty();
        for (key, orders, is_there) in [
            ("expired", self.expired, false),
            ("cod_cancelled", cod_cancelled, false),
            ("cancelled", self.cancelled, has_cancelled),
        ] {
            if is_there || !orders.is_empty() {
                put(key, by_acceptance(orders));
            }
        }
    }
}

fn order(event: &Event) -> (OrderId, String) {
    let body: &DerivedOrder = event.body();
    (body.view.order_id, body.cl_ord_id.to_string())
}

fn by_acceptance(mut orders: Orders) -> Value {
    orders.sort_by_key(|(order, _)| order.counter());
    orders.into_iter().map(|(_, cl)| Value::String(cl)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use tradewind_domain::text::Text;

    fn record(seq: Seq, part: u32, kind: Kind) -> Event {
        let mut event = Event::empty();
        event.reset(kind);
        (event.head.seq, event.head.part) = (seq, part);
        event
    }

    fn on_order(seq: Seq, part: u32, kind: Kind, counter: u64, cl: &str) -> Event {
        let mut event = record(seq, part, kind);
        let mut body = DerivedOrder {
            cl_ord_id: Text::new(cl).unwrap(),
            ..DerivedOrder::zeroed()
        };
        body.view.order_id = OrderId::new(0, counter);
        *event.body_mut() = body;
        event
    }

    fn answer(events: &[Event]) -> Value {
        let (mut seen, known, mut got) = (Seen::default(), Known::default(), Map::new());
        events.iter().for_each(|event| seen.observe(event, &known));
        seen.write(&mut got);
        Value::Object(got)
    }

    #[test]
    fn orders_are_listed_by_acceptance_and_by_what_ended_them() {
        let kind = Kind::CancelRequested;
        let events = [
            record(1, 0, Kind::Timer),
            on_order(1, 1, kind, 4, "late"),
            on_order(1, 2, kind, 3, "early"),
            record(2, 0, Kind::Kill),
            on_order(2, 1, kind, 5, "killed"),
        ];
        assert_eq!(
            answer(&events),
            json!({"cod_cancelled": ["early", "late"], "cancelled": ["killed"]})
        );
    }

    #[test]
    fn what_a_roll_expires_was_not_cancelled_for_its_lost_session() {
        let events = [
            record(1, 0, Kind::Timer),
            on_order(1, 1, Kind::CancelRequested, 3, "day"),
            on_order(1, 2, Kind::CancelRequested, 4, "until cancelled"),
            record(2, 0, Kind::Timer),
            on_order(2, 1, Kind::OrderExpired, 3, "day"),
        ];
        assert_eq!(
            answer(&events),
            json!({"expired": ["day"], "cod_cancelled": ["until cancelled"]})
        );
    }

    #[test]
    fn a_kill_that_found_nothing_to_cancel_says_so() {
        assert_eq!(answer(&[record(1, 0, Kind::Kill)]), json!({"cancelled": []}));
        let mut refused = record(1, 0, Kind::Kill);
        refused.reject(tradewind_domain::reject::RejectCode::UnknownNode);
        assert_eq!(answer(&[refused]), json!({}));
        assert_eq!(answer(&[record(1, 0, Kind::StateSet)]), json!({}));
    }

    #[test]
    fn only_the_roll_of_the_case_is_told() {
        let roll = |calendar| {
            let mut event = record(1, 0, Kind::Timer);
            *event.body_mut() = Timer {
                timer: TimerKind::DayRoll as u8,
                calendar,
                date: 20_514,
                ..Timer::zeroed()
            };
            event
        };
        assert_eq!(answer(&[roll(NODES)]), json!({"rolled_to": "2026-03-02"}));
        assert_eq!(answer(&[roll(tradewind_domain::ids::CalendarId::UTC)]), json!({}));
    }
}
