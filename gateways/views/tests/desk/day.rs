//! A day on which some of everything happens.

use super::{Desk, SESSION, dec, text};
use bytemuck::Zeroable;
use tradewind_domain::codes::{LimitAction, LimitType, OrderType, Side, TimeInForce};
use tradewind_domain::event::{Event, Kind, LimitSet, OrderNew, Quote, SessionEvent, Valuation};
use tradewind_domain::ids::SessionId;
use tradewind_machine::append::Append;

impl<J: Append<Event> + 'static> Desk<J> {
    /// Some of everything: fills, replaces, cancels, refusals, expiry, a kill and a late fill.
    pub fn busy_day(&mut self) {
        self.deposit("A", "10000");
        self.order("a1", "A", Side::Buy, "100", "10"); // 1
        self.report(Kind::VenueAck, 1);
        self.fill(1, "40", "9.90");
        self.last_trade("10.10");
        self.order("big", "A", Side::Buy, "2000", "10");
        self.order("nobody", "Z", Side::Buy, "1", "10");
        self.order("a1", "A", Side::Buy, "1", "10");
        self.replace("a1", "a2", "150", "10.05");
        self.fill(1, "10", "9.95");
        self.report(Kind::VenueReplaced, 1);
        self.order("b1", "B", Side::SellShort, "50", "10.10"); // 2
        self.fill(2, "50", "10.11");
        self.trade("B", Side::Buy, "80", "10.07");
        self.order("s1", "S", Side::Sell, "30", "10.20"); // 3
        self.report(Kind::VenueAck, 3);
        self.cancel("s1");
        self.report(Kind::VenueCancelled, 3);
        self.fill(3, "5", "10.20"); // too late, and booked
        self.order("b2", "B", Side::Buy, "20", "10"); // 4
        self.report(Kind::OrderUnknown, 4);
        self.report(Kind::VenueStatus, 4);
        self.cash(Kind::Withdrawal, "A", "100");
        self.cash(Kind::Withdrawal, "A", "1000000");
        self.fill(77, "1", "10");
        self.control(Kind::Kill, "B", "");
        self.order("b3", "B", Side::Buy, "1", "10");
        self.control(Kind::Rearm, "B", "boss");
        self.order_tif("g1", "B", Side::Buy, "7", "9", TimeInForce::Gtc); // 5
        self.trade("B", Side::Buy, "1500", "10"); // beyond what ORG may be long: booked, with an alert
        self.odds_and_ends();
        self.next_day(); // a1 and b2 expire, the lost session's g1 does not
        self.order("a3", "A", Side::Sell, "20", "10"); // 6
        self.fill(6, "20", "10.30");
    }

    /// Kinds that few orders need: probes, sessions, quotes, refusals of every stage.
    fn odds_and_ends(&mut self) {
        let probe = OrderNew {
            cl_ord_id: text("p1"),
            ..self.market_order("5000")
        };
        self.send(Kind::Probe, &probe, "ACME", "A");
        let market = OrderNew {
            cl_ord_id: text("m1"),
            ..self.market_order("3")
        };
        self.send(Kind::OrderNew, &market, "ACME", "B");
        let crossed = Quote {
            bid: -1,
            bid_qty: dec("1"),
            px_dp: 8,
            qty_dp: 8,
            ..Quote::zeroed()
        };
        self.send(Kind::Quote, &crossed, "ACME", "");
        self.send(Kind::Valuation, &Valuation::zeroed(), "", "A");
        self.limit(
            "nowhere",
            LimitType::MaxOrderQty,
            "Z",
            1,
            [0; 6],
            LimitAction::Reject,
        );
        self.limit(
            "max-qty",
            LimitType::MaxOpenOrders,
            "ORG",
            1,
            [0; 6],
            LimitAction::Reject,
        );
        let removed = LimitSet {
            label: text("A-cash"),
            removed: 1,
            ..LimitSet::zeroed()
        };
        self.send(Kind::LimitSet, &removed, "", "");
        self.replace("none", "r1", "1", "1");
        self.cancel("none");
        self.mass_cancel("ORG");
        let session = SessionEvent {
            session: SESSION,
            grace_ms: 5_000,
            ..SessionEvent::zeroed()
        };
        self.send(Kind::SessionConnected, &session, "", "");
        self.send(Kind::SessionDisconnected, &session, "", "");
        let unknown = SessionEvent {
            session: SessionId(99),
            ..session
        };
        self.send(Kind::SessionConnected, &unknown, "", "");
    }

    fn market_order(&self, qty: &str) -> OrderNew {
        OrderNew {
            qty: dec(qty),
            qty_dp: 8,
            px_dp: 8,
            session: SESSION,
            side: Side::Buy as u8,
            ord_type: OrderType::Market as u8,
            tif: TimeInForce::Ioc as u8,
            ..OrderNew::zeroed()
        }
    }
}
