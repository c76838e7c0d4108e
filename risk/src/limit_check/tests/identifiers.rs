//! Identifiers that count once, and tables that are full.

use super::world::{A1, A2, World, dec, id, outcome};
use crate::limit_check::hits;
use tradewind_domain::codes::{LimitType, Side, TimeInForce};
use tradewind_domain::event::{Capacities, Event, Kind, OrderNew};
use tradewind_domain::ids::{CalendarId, InstrumentId};
use tradewind_domain::reject::{Note, RejectCode};

const NO_PARAMS: [i64; 6] = [0; 6];

#[test]
fn a_clordid_counts_once_a_session_and_day_even_when_its_order_was_refused() {
    let mut world = World::new();
    world.limit(0, A1, LimitType::MaxOrderQty, i128::from(dec("10")), NO_PARAMS);
    assert_eq!(
        outcome(&world.place("o1", A1, Side::Buy, "11", "10")),
        "MAX_ORDER_QTY"
    );
    assert_eq!(
        outcome(&world.place("o1", A1, Side::Buy, "1", "10")),
        "DUPLICATE_CLORDID"
    );
    assert_eq!(outcome(&world.place("o2", A1, Side::Buy, "1", "10")), "OK");
    world.roll(CalendarId::UTC, 20_515);
    world.last(0, "10");
    assert_eq!(
        outcome(&world.place("o1", A1, Side::Buy, "1", "10")),
        "OK",
        "a new day"
    );
}

#[test]
fn an_open_orders_identifier_stays_taken_over_the_roll() {
    let mut world = World::new();
    let mut order = world.order("gtc", A1, Side::Buy, "1", "10");
    order.tif = TimeInForce::Gtc as u8;
    assert_eq!(outcome(&world.send(Kind::OrderNew, &order)), "OK");
    world.roll(CalendarId::UTC, 20_515);
    world.last(0, "10");
    assert_eq!(outcome(&world.send(Kind::OrderNew, &order)), "DUPLICATE_CLORDID");
}

#[test]
fn the_identifier_of_an_order_that_closed_yesterday_is_free_and_names_it_until_it_is_taken() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "10", "10");
    world.fill(id(&order), "10", "10");
    world.place("o2", A2, Side::Buy, "10", "10");
    assert_eq!(outcome(&world.cancel("o1")), "TOO_LATE_TO_CANCEL");
    world.roll(CalendarId::UTC, 20_515);
    world.last(0, "10");
    let late = ["o1", "o2"].map(|cl| outcome(&world.cancel(cl)));
    assert_eq!(late, ["TOO_LATE_TO_CANCEL"; 2], "o2 expired at the roll");
    assert_eq!(
        outcome(&world.replace("o2", "r2", "11", "10")),
        "TOO_LATE_TO_CANCEL"
    );
    assert_eq!(outcome(&world.place("o1", A2, Side::Buy, "1", "10")), "OK");
    assert_eq!(outcome(&world.cancel("o1")), "OK");
    for day in [20_516, 20_517] {
        world.roll(CalendarId::UTC, day);
        world.last(0, "10");
        world.place(&format!("d{day}"), A2, Side::Buy, "1", "10");
    }
    assert_eq!(
        outcome(&world.cancel("o2")),
        "UNKNOWN_ORDER",
        "two days later it is forgotten"
    );
}

#[test]
fn an_identifier_is_a_duplicate_also_where_nobody_knows_the_instrument() {
    let mut world = World::new();
    let mut order = world.order("o1", A2, Side::Buy, "1", "10");
    assert_eq!(outcome(&world.send(Kind::OrderNew, &order)), "OK");
    // Without an instrument there is no calendar but the node's: that of the message has no date.
    (order.instrument, order.calendar) = (InstrumentId::NONE, CalendarId(7));
    let mut event = Event::empty();
    event.reset(Kind::OrderNew);
    *event.body_mut() = order;
    event.head.notes |= Note::UnknownSymbol.bit();
    let refused = world.run(event);
    let codes: Vec<u16> = hits(&refused, refused.body::<OrderNew>().verdict.hits)
        .map(|hit| hit.code)
        .collect();
    assert!(
        codes.contains(&(RejectCode::DuplicateClOrdId as u16)),
        "{codes:?}"
    );
}

#[test]
fn a_full_table_refuses_orders_and_says_so() {
    let capacities = Capacities {
        open_orders: 2,
        ..Capacities::default()
    };
    let mut world = World::with(capacities);
    world.place("o1", A2, Side::Buy, "1", "10");
    let second = world.place("o2", A2, Side::Buy, "1", "10");
    assert_eq!(outcome(&world.place("o3", A2, Side::Buy, "1", "10")), "CAPACITY");
    world.fill(id(&second), "1", "10");
    assert_eq!(outcome(&world.place("o4", A2, Side::Buy, "1", "10")), "OK");
}

#[test]
fn a_days_identifiers_fill_their_table_once_and_open_orders_take_theirs_into_the_next_day() {
    let capacities = Capacities {
        cl_ord_ids: 10,
        ..Capacities::default()
    };
    let mut world = World::with(capacities);
    let mut order = world.order("g0", A2, Side::Buy, "1", "10");
    order.tif = TimeInForce::Gtc as u8;
    let gtc = id(&world.send(Kind::OrderNew, &order));
    world.report(Kind::VenueAck, gtc);
    assert_eq!(outcome(&world.replace("g0", "g1", "2", "10")), "OK");
    for n in 0..8 {
        assert_eq!(
            outcome(&world.place(&format!("o{n}"), A2, Side::Buy, "1", "10")),
            "OK",
            "an order that is open counts with its identifier, not beside it"
        );
    }
    assert_eq!(outcome(&world.place("o8", A2, Side::Buy, "1", "10")), "CAPACITY");
    world.roll(CalendarId::UTC, 20_515);
    world.last(0, "10");
    for n in 0..8 {
        assert_eq!(
            outcome(&world.place(&format!("o{n}"), A2, Side::Buy, "1", "10")),
            "OK",
            "two are carried over: both names of the order that is still open"
        );
    }
    assert_eq!(outcome(&world.place("o8", A2, Side::Buy, "1", "10")), "CAPACITY");
    assert_eq!(
        outcome(&world.place("g0", A2, Side::Buy, "1", "10")),
        "DUPLICATE_CLORDID"
    );
}

#[test]
fn each_table_says_how_full_it_is_and_those_at_ninety_percent_raise_an_alert() {
    let capacities = Capacities {
        open_orders: 10,
        nodes: 6,
        instruments: 3,
        ..Capacities::default()
    };
    let mut world = World::with(capacities);
    let gauge = world.limit.gauge();
    world.limit(0, A2, LimitType::MaxOpenOrders, 100, [0; 6]);
    for n in 0..8 {
        world.place(&format!("o{n}"), A2, Side::Buy, "1", "10");
    }
    let share = |world: &World, name| {
        world
            .limit
            .used_pct()
            .into_iter()
            .find(|table| table.0 == name)
            .unwrap()
            .1
    };
    assert_eq!(share(&world, "open_orders"), 80);
    assert_eq!((share(&world, "nodes"), share(&world, "instruments")), (100, 66));
    assert_eq!(share(&world, "sessions"), 0);
    world.session(Kind::SessionConnected, 127);
    assert_eq!(share(&world, "sessions"), 50);
    world.place("o8", A2, Side::Buy, "1", "10");
    for _ in 0..300 {
        world.last(0, "10");
    }
    let alerts: Vec<_> = gauge.alerts().collect();
    assert_eq!(alerts, [("open_orders", 90), ("nodes", 100)]);
    let replica = world.replica.used_pct();
    assert_eq!(world.limit.used_pct(), replica);
}
