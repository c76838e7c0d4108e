//! The life of an order: what it holds, what cancels and reports do to it, what the roll and a lost session ask of it.

use super::world::{A1, A2, FIRM, SESSION, World, dec, id, outcome};
use crate::limit_check::hits;
use tradewind_domain::codes::{LimitType, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{Event, Execution, Kind, OrderNew};
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::CalendarId;
use tradewind_domain::reject::{Note, RejectCode};

const NO_PARAMS: [i64; 6] = [0; 6];

#[test]
fn an_order_reserves_its_cash_and_a_cancel_releases_it_on_the_venues_word_only() {
    let mut world = World::new();
    world.deposit(0, "10000");
    let order = world.place("o1", A1, Side::Buy, "100", "50.00");
    assert_eq!(world.reserved(0), i128::from(dec("5000")));
    assert_eq!(outcome(&world.cancel("o1")), "OK");
    assert_eq!(
        world.reserved(0),
        i128::from(dec("5000")),
        "still held while the cancel is on its way"
    );
    assert_eq!(outcome(&world.cancel("o1")), "PENDING_CANCEL_REPLACE");
    world.report(Kind::VenueCancelled, id(&order));
    assert_eq!(world.reserved(0), 0);
    assert_eq!(outcome(&world.cancel("o1")), "TOO_LATE_TO_CANCEL");
    assert_eq!(outcome(&world.cancel("nobody")), "UNKNOWN_ORDER");
    assert_eq!(
        outcome(&world.report(Kind::VenueCancelled, id(&order))),
        "STATE_MISMATCH"
    );
}

#[test]
fn the_roll_expires_day_orders_in_acceptance_order_and_leaves_unknown_and_gtc_ones() {
    let mut world = World::new();
    let first = world.place("o1", A2, Side::Buy, "1", "10");
    let mut gtc = world.order("o2", A2, Side::Buy, "1", "10");
    gtc.tif = TimeInForce::Gtc as u8;
    world.send(Kind::OrderNew, &gtc);
    let unknown = world.place("o3", A2, Side::Buy, "1", "10");
    let last = world.place("o4", A2, Side::Buy, "1", "10");
    world.report(Kind::OrderUnknown, id(&unknown));
    let before = world.records.len();
    world.roll(CalendarId::UTC, 20_515);
    let effects: Vec<_> = world.records[before + 1..]
        .iter()
        .map(|event| (event.kind().unwrap(), event.head.part))
        .collect();
    assert_eq!(effects, [(Kind::OrderExpired, 1), (Kind::OrderExpired, 2)]);
    for (order, open) in [(&first, false), (&unknown, true), (&last, false)] {
        assert_eq!(
            world.limit.order(id(order)).unwrap().order_state().is_open(),
            open
        );
    }
    assert_eq!(world.limit.open_orders().count(), 2);
}

#[test]
fn the_roll_leaves_an_unknown_order_whatever_was_asked_of_it_since() {
    let mut world = World::new();
    let cancelled = world.place("o1", A2, Side::Buy, "1", "10");
    let replaced = world.place("o2", A2, Side::Buy, "1", "10");
    let acked = world.place("o3", A2, Side::Buy, "1", "10");
    for order in [&cancelled, &replaced, &acked] {
        world.report(Kind::OrderUnknown, id(order));
    }
    world.cancel("o1");
    world.replace("o2", "r2", "2", "10");
    world.cancel("o3");
    world.report(Kind::VenueAck, id(&acked));
    world.roll(CalendarId::UTC, 20_515);
    for (order, open) in [(&cancelled, true), (&replaced, true), (&acked, false)] {
        let row = world.limit.order(id(order)).unwrap();
        assert_eq!(row.order_state().is_open(), open, "{:?}", row.order_state());
    }
}

#[test]
fn a_lost_session_asks_for_cancels_of_its_day_orders() {
    let mut world = World::new();
    let day = world.place("o1", A2, Side::Buy, "1", "10");
    let mut gtc = world.order("o2", A2, Side::Buy, "1", "10");
    gtc.tif = TimeInForce::Gtc as u8;
    let gtc = world.send(Kind::OrderNew, &gtc);
    world.disconnect(SESSION, false);
    assert_eq!(
        world.limit.order(id(&day)).unwrap().order_state(),
        OrderState::PendingCancel
    );
    assert_eq!(
        world.limit.order(id(&gtc)).unwrap().order_state(),
        OrderState::PendingNew
    );
    assert_eq!(
        world.reserved(1),
        i128::from(dec("20")),
        "released on the acknowledgement, not on asking"
    );
    world.disconnect(SESSION, true);
    assert_eq!(
        world.limit.order(id(&gtc)).unwrap().order_state(),
        OrderState::PendingCancel
    );
}

#[test]
fn an_acknowledgement_that_comes_after_the_cancel_was_asked_for_is_kept() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "10", "10");
    world.cancel("o1");
    assert_eq!(outcome(&world.report(Kind::VenueAck, id(&order))), "OK");
    assert_eq!(
        world.limit.order(id(&order)).unwrap().order_state(),
        OrderState::PendingCancel
    );
    world.report(Kind::VenueCancelReject, id(&order));
    assert_eq!(
        world.limit.order(id(&order)).unwrap().order_state(),
        OrderState::Working
    );
}

#[test]
fn a_venue_reject_that_crosses_a_cancel_releases_the_order() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "10", "10");
    world.cancel("o1");
    assert_eq!(outcome(&world.report(Kind::VenueReject, id(&order))), "OK");
    assert_eq!((world.reserved(1), world.limit.open_orders().count()), (0, 0));
}

#[test]
fn a_venue_may_reject_an_order_that_it_has_acknowledged_and_filled_in_part() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "10", "10");
    world.report(Kind::VenueAck, id(&order));
    world.fill(id(&order), "4", "10");
    assert_eq!(outcome(&world.report(Kind::VenueReject, id(&order))), "OK");
    assert_eq!((world.reserved(1), world.limit.open_orders().count()), (0, 0));
    assert_eq!(
        outcome(&world.report(Kind::VenueReject, id(&order))),
        "STATE_MISMATCH",
        "once"
    );
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let mut world = World::new();
    let mut order = world.order("o1", A2, Side::Buy, "1", "10");
    (order.qty, order.px) = (i64::MAX / ONE * ONE, i64::MAX / 1_000_000 * 1_000_000);
    assert_eq!(outcome(&world.send(Kind::OrderNew, &order)), "OVERFLOW");
    let mut trade = *world.trade("T1", A2, Side::Buy, "1", "10").body::<Execution>();
    (trade.qty, trade.px) = (order.qty, order.px);
    trade.exec_id = tradewind_domain::text::ExecId::new("T2").unwrap();
    assert_eq!(outcome(&world.send(Kind::TradeCapture, &trade)), "OVERFLOW");
}

#[test]
fn market_orders_need_a_young_reference() {
    let mut world = World::new();
    let mut order = world.order("o1", A2, Side::Buy, "1", "0");
    order.ord_type = OrderType::Market as u8;
    let accepted = world.send(Kind::OrderNew, &order);
    assert_eq!(outcome(&accepted), "OK");
    assert_eq!(
        accepted.body::<OrderNew>().view.risk_px,
        dec("10.5"),
        "500 bps above the last price"
    );
    world.now_ns += 60_001_000_000;
    order.cl_ord_id = tradewind_domain::text::ClOrdId::new("o2").unwrap();
    assert_eq!(outcome(&world.send(Kind::OrderNew, &order)), "NO_REFERENCE_PRICE");
}

#[test]
fn a_stale_or_future_time_stamp_is_refused() {
    let mut world = World::new();
    for (offset_ms, expected) in [
        (-2_000i64, "OK"),
        (-2_001, "STALE_ORDER"),
        (1_000, "OK"),
        (1_001, "STALE_ORDER"),
    ] {
        let mut event = Event::empty();
        event.reset(Kind::OrderNew);
        *event.body_mut() = world.order(&format!("o{offset_ms}"), A2, Side::Buy, "1", "10");
        event.head.origin_ns = world.now_ns.saturating_add_signed(offset_ms * 1_000_000);
        assert_eq!(outcome(&world.run(event)), expected, "{offset_ms} ms");
    }
}

#[test]
fn notes_of_earlier_stages_are_merged_by_priority() {
    let mut world = World::new();
    world.limit(0, FIRM, LimitType::MaxOrderQty, i128::from(dec("1")), NO_PARAMS);
    let mut event = Event::empty();
    event.reset(Kind::OrderNew);
    *event.body_mut() = world.order("o1", A1, Side::Buy, "5.5", "10.001");
    let merged = world.run(event);
    assert_eq!(
        outcome(&merged),
        "INVALID_LOT",
        "60 comes before 70, of two by name"
    );
    let verdict = merged.body::<OrderNew>().verdict;
    let recorded: Vec<u16> = hits(&merged, verdict.hits).map(|hit| hit.code).collect();
    let reasons = [
        RejectCode::InvalidLot,
        RejectCode::InvalidTick,
        RejectCode::MaxOrderQty,
    ];
    assert_eq!(
        recorded,
        reasons.map(|code| code as u16),
        "all reasons are kept, in their order"
    );
    event.note(Note::UnknownAccount);
    event.body_mut::<OrderNew>().cl_ord_id = tradewind_domain::text::ClOrdId::new("o2").unwrap();
    assert_eq!(outcome(&world.run(event)), "UNKNOWN_ACCOUNT");
}
