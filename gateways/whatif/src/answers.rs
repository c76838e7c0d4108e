//! What venues would have said of orders, replaces and cancels that only the second world accepts.
//!
//! The journal has no answer to them, so the second world gives the one that keeps nearest to what was: a new order works and is
//! never filled (IOC and FOK end at once), a replace takes place, a cancel of an order that went on trading is refused, one
//! of an order that no venue has succeeds.

use crate::world::{Unfilled, World};
use tradewind_domain::codes::TimeInForce;
use tradewind_domain::event::{Event, Kind, MassCancel, OrderCancel, OrderNew, OrderReplace};
use tradewind_domain::ids::{InstrumentId, NodeId, OrderId};

impl World {
    /// Answers the input that was just decided, where no venue does.
    pub(crate) fn answer(&mut self, recorded: &Event) {
        let (was, is) = (!recorded.is_rejected(), !self.event.is_rejected());
        match recorded.kind() {
            Some(Kind::OrderNew) if is => self.answer_order(recorded.body(), was),
            Some(Kind::OrderReplace) if is => {
                let id = self.event.body::<OrderReplace>().view.order_id;
                if !was || self.orders.is_alone(id) {
                    self.say(Kind::VenueReplaced, id);
                }
            }
            Some(Kind::OrderCancel) if is => {
                let id = self.event.body::<OrderCancel>().view.order_id;
                if self.orders.is_alone(id) {
                    self.say(Kind::VenueCancelled, id);
                } else if !was {
                    self.say(Kind::VenueCancelReject, id);
                }
            }
            Some(Kind::MassCancel) if is => self.answer_mass_cancel(),
            _ => {}
        }
        while let Some(id) = self.cancels.pop() {
            self.say(Kind::VenueCancelled, id);
        }
    }

    fn answer_order(&mut self, recorded: &OrderNew, was: bool) {
        let id = self.event.body::<OrderNew>().view.order_id;
        if was {
            return self.orders.pair(recorded.view.order_id, id, &self.limit);
        }
        self.orders.add_alone(id, &self.limit);
        self.make_room();
        self.say(Kind::VenueAck, id);
        let ends_at_once = self.unfilled == Unfilled::Ended
            || matches!(
                TimeInForce::from_code(recorded.tif),
                Some(TimeInForce::Ioc | TimeInForce::Fok)
            );
        if ends_at_once {
            self.say(Kind::VenueCancelled, id);
        }
    }

    /// A recorded effect. An order that the journal's engine made is the one that this world's engine made in its place.
    pub(crate) fn pair_effect(&mut self, recorded: &Event) {
        if recorded.kind() != Some(Kind::OrderNew) || recorded.is_rejected() {
            return;
        }
        let order: &OrderNew = recorded.body();
        let is_twin =
            |made: &(NodeId, InstrumentId, OrderId)| (made.0, made.1) == (order.leaf, order.instrument);
        if let Some(at) = self.made.iter().position(is_twin) {
            let (.., id) = self.made.swap_remove(at);
            self.orders.pair(order.view.order_id, id, &self.limit);
        }
    }

    /// Orders that the engine made in this world alone: at the market, and nobody fills them.
    pub(crate) fn end_made(&mut self) {
        while let Some((.., id)) = self.made.pop() {
            self.say(Kind::VenueAck, id);
            self.say(Kind::VenueCancelled, id);
        }
    }

    /// The cancels of a scope go out through followers: of orders that are here alone nobody has heard.
    fn answer_mass_cancel(&mut self) {
        let request: MassCancel = *self.event.body();
        let open = self.orders.open_alone(&self.limit);
        let is_meant = |id: &OrderId| {
            self.limit.order(*id).is_some_and(|row| {
                (request.session_only == 0 || row.session == request.session)
                    && (request.side == 0 || row.side == request.side)
                    && (request.instrument.is_none() || row.instrument == request.instrument)
                    && (request.node.is_none() || self.limit.is_within(row, request.node))
            })
        };
        let meant: Vec<OrderId> = open.into_iter().filter(is_meant).collect();
        for id in meant {
            self.say(Kind::VenueCancelled, id);
        }
    }
}
