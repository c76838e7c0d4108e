//! What limits do beside refusing, and what follows from it: changes of state, kills that cancel many orders, orders that are held
//! and released, closed positions, floors under equity, trades in quarantine, busts and corrections.
//!
//! The accounts are those of `catalogue.toml`: each part leaves alone what the other parts of a scenario use.

use super::firm::{
    self, Order, bust, cancel, control, correct, dec, fill, last, replace, report, resolve, text, trade,
};
use super::script::Script;
use bytemuck::Zeroable;
use tradewind_domain::codes::{ControlState, OrderType, QuarantineAction, Restriction, Side, TimeInForce};
use tradewind_domain::event::{
    EntitlementSource, InboundLong, Kind, LimitProbe, Locate, RestrictedSet, Valuation,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::{Code, Symbol};

/// Orders below the account that a limit kills: more than the slots that the tests give to effects.
const KILLED_ORDERS: u64 = 80;

/// The first trading day, from nine o'clock: it needs the numbers of the run's own inputs, so no timer and no restart before it.
pub(crate) fn first_day(script: &mut Script) {
    restricts(script);
    kills_and_flattens(script);
    slows(script);
    disables(script);
    floors(script);
    lists(script);
    shorts(script);
    outage(script);
    quarantine(script);
    busts(script);
    self_trades(script);
    cancels_both(script);
}

/// The trading day after it.
pub(crate) fn second_day(script: &mut Script) {
    // What DAILY_LOSS restricted trades again, what a kill stopped does not.
    script.order(gizmo("LOSS-6", "LOSS", "10"));
    script.refused(
        gizmo("DRAWN-9", "DRAWN", "10").message(),
        RejectCode::TradingHalted,
    );
    script.accepted(valuation("LOSS", "47000", "47000"));
    // Yesterday's grant of stock is gone, yesterday's trade is taken back.
    script.accepted(bust("BUST-T2", firm::first_day()));
    script.refused(bust("BUST-T2", firm::first_day()), RejectCode::AlreadyBusted);
    // The order that was held has expired with the one it waited for; the lasting one is there.
    script.refused(cancel("SELF-11", "SELF-10"), RejectCode::TooLateToCancel);
    script.accepted(cancel("SELF-12", "SELF-L"));
}

fn gizmo(id: &str, account: &str, qty: &str) -> Order {
    Order::buy(id, account, "GIZMO", qty, "50")
}

/// One person takes back what a limit below KILL has set.
fn rearm(node: &str) -> InboundLong {
    control(Kind::Rearm, node, ControlState::Active, "ann", "")
}

/// An order too large restricts its account to what reduces it.
fn restricts(script: &mut Script) {
    script.accepted(trade("TRIP-T1", "TRIP", "GIZMO", Side::Buy, "30", "50"));
    script.refused(
        gizmo("TRIP-1", "TRIP", "210").message(),
        RejectCode::MaxOrderNotional,
    );
    script.refused(gizmo("TRIP-2", "TRIP", "10").message(), RejectCode::ReduceOnly);
    script.order(Order::sell("TRIP-3", "TRIP", "GIZMO", "20", "50"));
    script.refused(
        Order::sell("TRIP-4", "TRIP", "GIZMO", "20", "50").message(),
        RejectCode::ReduceOnly,
    );
    script.accepted(rearm("TRIP"));
    let order = script.order(gizmo("TRIP-5", "TRIP", "200"));
    script.accepted(report(Kind::VenueAck, order));
    script.refused(
        replace("TRIP-6", "TRIP-5", "220", "50"),
        RejectCode::MaxOrderNotional,
    );
    script.refused(gizmo("TRIP-7", "TRIP", "10").message(), RejectCode::ReduceOnly);
}

/// An order too large kills its account: all of its open orders are asked back, then its position is closed.
fn kills_and_flattens(script: &mut Script) {
    let orders: Vec<_> = (0..KILLED_ORDERS)
        .map(|number| {
            let id = script.order(gizmo(&format!("FALL-{number}"), "FALL", "10"));
            if number % 2 == 0 {
                script.accepted(report(Kind::VenueAck, id));
            }
            if number % 10 == 4 {
                script.accepted(cancel(&format!("FALL-C-{number}"), &format!("FALL-{number}")));
            }
            id
        })
        .collect();
    script.refused(gizmo("FALL-X", "FALL", "1010").message(), RejectCode::MaxOrderQty);
    script.refused(gizmo("FALL-Y", "FALL", "10").message(), RejectCode::TradingHalted);
    script.refused(flatten("FALL"), RejectCode::OpenOrders);
    // The first cancel crosses a fill, the second is refused by the venue and asked again by a mass cancel.
    script.accepted(fill("FALL-E1", orders[0], "10", "50"));
    script.accepted(report(Kind::VenueCancelReject, orders[2]));
    script.accepted(super::scenario::mass_cancel("FALL-M1", "FALL"));
    for order in &orders[1..] {
        script.accepted(report(Kind::VenueCancelled, *order));
    }
    script.accepted(flatten("FALL"));
    let closing = script.made();
    script.refused(flatten("FALL"), RejectCode::OpenOrders);
    script.accepted(report(Kind::VenueAck, closing));
    script.accepted(fill("FALL-E2", closing, "10", "49.95"));
    script.refused(
        control(Kind::Rearm, "FALL", ControlState::Active, "ann", "ann"),
        RejectCode::DualControlRequired,
    );
    script.accepted(control(Kind::Rearm, "FALL", ControlState::Active, "ann", "bob"));
    script.refused(flatten("FALL"), RejectCode::NotKilled);
    script.order(gizmo("FALL-Z", "FALL", "10"));
}

fn flatten(node: &str) -> InboundLong {
    control(Kind::Flatten, node, ControlState::Kill, "ann", "")
}

/// A burst slows its account to a tenth of its rate.
fn slows(script: &mut Script) {
    let order = |number: u32| gizmo(&format!("SLOW-{number}"), "SLOW", "10");
    for number in 0..10 {
        script.order(order(number));
    }
    script.refused(order(10).message(), RejectCode::OrderRateExceeded);
    script.wait_ms(1_100);
    script.order(order(11));
    script.refused(order(12).message(), RejectCode::OrderRateExceeded);
    script.accepted(rearm("SLOW"));
    script.order(order(13));
}

/// Executions in quick succession disable an account until somebody re-arms it.
fn disables(script: &mut Script) {
    for number in 0..3 {
        let id = format!("OFTEN-T{number}");
        script.accepted(trade(&id, "OFTEN", "GIZMO", Side::Buy, "10", "50"));
    }
    script.refused(
        gizmo("OFTEN-1", "OFTEN", "10").message(),
        RejectCode::StrategyDisabled,
    );
    script.accepted(rearm("OFTEN"));
    script.order(gizmo("OFTEN-2", "OFTEN", "10"));
}

/// Equity that falls through a floor restricts one account for the day and kills another for good.
fn floors(script: &mut Script) {
    script.refused(gizmo("LOSS-1", "LOSS", "10").message(), RejectCode::Leverage);
    script.accepted(valuation("LOSS", "50000", "50000"));
    script.order(gizmo("LOSS-2", "LOSS", "10"));
    script.accepted(valuation("LOSS", "49100", "50000"));
    script.order(gizmo("LOSS-3", "LOSS", "10"));
    script.accepted(valuation("LOSS", "48999.99", "49000"));
    script.refused(gizmo("LOSS-4", "LOSS", "10").message(), RejectCode::ReduceOnly);
    script.accepted(valuation("LOSS", "49500", "49500"));
    script.refused(gizmo("LOSS-5", "LOSS", "10").message(), RejectCode::ReduceOnly);
    script.accepted(limit_probe("loss"));
    script.refused(limit_probe("nowhere"), RejectCode::UnknownLimit);

    script.accepted(valuation("DRAWN", "100000", "100000"));
    for number in 0..4 {
        script.order(gizmo(&format!("DRAWN-{number}"), "DRAWN", "10"));
    }
    script.accepted(valuation("DRAWN", "90000", "90000"));
    script.order(gizmo("DRAWN-4", "DRAWN", "10"));
    script.accepted(valuation("DRAWN", "89999.99", "90000"));
    script.refused(
        gizmo("DRAWN-5", "DRAWN", "10").message(),
        RejectCode::TradingHalted,
    );
    script.refused(valuation("NOWHERE", "1", "1"), RejectCode::UnknownNode);
}

/// Equity and balance of a node as somebody outside sees them.
fn valuation(node: &str, equity: &str, balance: &str) -> InboundLong {
    let money = |text: &str| Money::from_raw(dec(text).into());
    let body = Valuation {
        equity: money(equity),
        balance: money(balance),
        has_balance: 1,
        ..Valuation::zeroed()
    };
    InboundLong::new(Kind::Valuation, &body).named(Symbol::EMPTY, text(node))
}

fn limit_probe(label: &str) -> InboundLong {
    let body = LimitProbe {
        label: text(label),
        ..LimitProbe::zeroed()
    };
    InboundLong::new(Kind::LimitProbe, &body)
}

/// A line of a restricted list comes, changes and goes.
fn lists(script: &mut Script) {
    let euro = Order::buy("LISTED-1", "LISTED", "EURO", "10", "20");
    script.refused(euro.message(), RejectCode::RestrictedSymbol);
    script.order(gizmo("LISTED-2", "LISTED", "10"));
    script.accepted(listed("GIZMO", Restriction::CloseOnly as u8));
    script.refused(
        gizmo("LISTED-3", "LISTED", "10").message(),
        RejectCode::CloseOnlySymbol,
    );
    script.accepted(listed("GIZMO", Restriction::NoShort as u8));
    script.order(gizmo("LISTED-4", "LISTED", "10"));
    script.refused(
        short("LISTED-5", "LISTED", "10").message(),
        RejectCode::NoShortSymbol,
    );
    script.accepted(listed("GIZMO", 0));
    script.order(short("LISTED-6", "LISTED", "10"));
    script.refused(listed("GIZMO", 9), RejectCode::InvalidValue);
}

fn listed(symbol: &str, restriction: u8) -> InboundLong {
    let body = RestrictedSet {
        label: text("listed"),
        author: text("ann"),
        restriction,
        ..RestrictedSet::zeroed()
    };
    InboundLong::new(Kind::RestrictedSet, &body).named(text(symbol), Code::EMPTY)
}

fn short(id: &str, account: &str, qty: &str) -> Order {
    Order::sell(id, account, "GIZMO", qty, "50").with(|body| body.side = Side::SellShort as u8)
}

/// Short sales need located stock.
fn shorts(script: &mut Script) {
    script.refused(
        Order::sell("SHORTS-1", "SHORTS", "GIZMO", "10", "50").message(),
        RejectCode::ShortMarkingRequired,
    );
    script.refused(
        short("SHORTS-2", "SHORTS", "10").message(),
        RejectCode::LocateRequired,
    );
    let locate = Locate {
        qty: dec("100"),
        qty_dp: 8,
        ..Locate::zeroed()
    };
    script.accepted(InboundLong::new(Kind::Locate, &locate).named(text("GIZMO"), text("SHORTS")));
    script.order(short("SHORTS-3", "SHORTS", "100"));
    script.refused(
        short("SHORTS-4", "SHORTS", "10").message(),
        RejectCode::LocateRequired,
    );
}

/// While nobody can say what a user may do, only small orders pass, and cancels.
fn outage(script: &mut Script) {
    let entitlements = |up: u8| {
        let body = EntitlementSource {
            up,
            author: text("ann"),
            ..EntitlementSource::zeroed()
        };
        InboundLong::new(Kind::EntitlementSource, &body)
    };
    let resting = script.order(gizmo("OUTAGE-1", "OUTAGE", "100"));
    script.accepted(report(Kind::VenueAck, resting));
    script.accepted(entitlements(0));
    script.order(gizmo("OUTAGE-2", "OUTAGE", "40"));
    script.refused(
        gizmo("OUTAGE-3", "OUTAGE", "50").message(),
        RejectCode::EmergencySingleLimit,
    );
    script.refused(
        replace("OUTAGE-4", "OUTAGE-1", "110", "50"),
        RejectCode::EmergencyAction,
    );
    script.accepted(cancel("OUTAGE-5", "OUTAGE-1"));
    script.accepted(entitlements(1));
    script.order(gizmo("OUTAGE-6", "OUTAGE", "50"));
}

/// Trades that cannot be booked wait until a person lets them out, repairs or refuses them.
fn quarantine(script: &mut Script) {
    script.accepted(last("ACME", "100"));
    let far = script.next_seq();
    script.refused(
        trade("ASIDE-T1", "ASIDE", "ACME", Side::Buy, "10", "200"),
        RejectCode::QuarantinePrice,
    );
    let nobody = script.next_seq();
    script.refused(
        trade("ASIDE-T2", "NOBODY", "GIZMO", Side::Buy, "10", "50"),
        RejectCode::UnknownAccount,
    );
    let wrong = script.next_seq();
    script.refused(
        trade("ASIDE-T3", "ASIDE", "NOTHING", Side::Buy, "10", "50"),
        RejectCode::UnknownSymbol,
    );
    let resolve = |seq, action| resolve(seq, action, "", "0");
    script.refused(resolve(1, QuarantineAction::Release), RejectCode::UnknownTrade);
    script.refused(
        resolve(nobody, QuarantineAction::Release),
        RejectCode::UnknownAccount,
    );
    script.accepted(resolve(far, QuarantineAction::Release));
    script.refused(resolve(far, QuarantineAction::Release), RejectCode::StateMismatch);
    script.accepted(firm::resolve(nobody, QuarantineAction::Repair, "ASIDE", "20"));
    script.accepted(resolve(wrong, QuarantineAction::Reject));
    // One stays where it is.
    script.refused(
        trade("ASIDE-T4", "NOBODY", "GIZMO", Side::Sell, "10", "50"),
        RejectCode::UnknownAccount,
    );
}

/// Executions are taken back and corrected, of open orders, of closed ones and of none.
fn busts(script: &mut Script) {
    let open = script.order(gizmo("BUST-1", "ASIDE", "100"));
    script.accepted(report(Kind::VenueAck, open));
    script.accepted(fill("BUST-E1", open, "30", "50"));
    script.accepted(fill("BUST-E2", open, "20", "49.95"));
    script.refused(bust("BUST-E9", 0), RejectCode::UnknownTrade);
    script.accepted(bust("BUST-E1", 0));
    script.refused(bust("BUST-E1", 0), RejectCode::AlreadyBusted);
    script.accepted(correct("BUST-E2", "10", "49.9"));
    script.accepted(fill("BUST-E3", open, "50", "50"));
    script.accepted(trade("BUST-T1", "ASIDE", "GIZMO", Side::Buy, "20", "50.05"));
    script.accepted(trade("BUST-T2", "ASIDE", "GIZMO", Side::Buy, "40", "50.05"));
    script.accepted(bust("BUST-T1", 0));
}

/// A newcomer is held until the orders that it would trade against are gone.
fn self_trades(script: &mut Script) {
    let sell = |id: &str, px: &str| Order::sell(id, "SELF-A", "GIZMO", "10", px);
    let buy = |id: &str, px: &str| Order::buy(id, "SELF-B", "GIZMO", "10", px);
    let (low, high) = (
        script.order(sell("SELF-1", "50")),
        script.order(sell("SELF-2", "50.05")),
    );
    script.accepted(report(Kind::VenueAck, low));
    script.accepted(report(Kind::VenueAck, high));
    let held = script.order(buy("SELF-3", "50.05"));
    script.order(buy("SELF-4", "49.95"));
    script.refused(report(Kind::VenueAck, held), RejectCode::StateMismatch);
    script.accepted(report(Kind::VenueCancelled, low));
    // The other one crosses a fill: what stood in the way is gone all the same.
    script.accepted(fill("SELF-E1", high, "10", "50.05"));
    script.accepted(report(Kind::VenueAck, held));
    // Held while it is asked back: nothing of it is at a venue.
    let market = sell("SELF-5", "50").with(|body| {
        (body.ord_type, body.px) = (OrderType::Market as u8, 0);
    });
    script.order(market);
    script.accepted(cancel("SELF-6", "SELF-5"));
    // Two that are held cancel one another at once; what stands in the way of the next one is cancelled by the venue.
    script.order(sell("SELF-7", "50.05"));
    let released = script.order(buy("SELF-8", "50.05"));
    script.accepted(report(Kind::VenueCancelled, held));
    script.accepted(report(Kind::VenueAck, released));
    script.order(sell("SELF-9", "50.05"));
    script.accepted(report(Kind::VenueCancelled, released));
    // One waits until the day ends; a good-till-cancelled one outlives it.
    script.order(buy("SELF-10", "50.05"));
    let lasting = sell("SELF-L", "50.10");
    script.order(lasting.with(|body| body.tif = TimeInForce::Gtc as u8));
}

/// Where both are to be cancelled, the newcomer is refused and the resting order asked back.
fn cancels_both(script: &mut Script) {
    let resting = script.order(Order::sell("BOTH-1", "BOTH", "GIZMO", "10", "50"));
    script.refused(gizmo("BOTH-2", "BOTH", "10").message(), RejectCode::SelfTrade);
    script.accepted(report(Kind::VenueCancelled, resting));
    script.order(gizmo("BOTH-3", "BOTH", "10"));
}
