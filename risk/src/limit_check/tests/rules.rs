//! One rule a test.

use super::world::{A1, A2, FIRM, ORG, S1, SESSION, U1, World, dec, id, outcome};
use crate::limit_check::hits;
use tradewind_domain::codes::{ControlState, LimitType, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{Capacities, Event, Execution, HitKind, Kind, OrderNew, execution_alerts};
use tradewind_domain::fixed::{NOTIONAL_ONE, ONE};
use tradewind_domain::ids::{CalendarId, OrderId};
use tradewind_domain::reject::{Note, RejectCode};

const NO_PARAMS: [i64; 6] = [0; 6];

fn warned(event: &Event) -> bool {
    let verdict = event.body::<OrderNew>().verdict;
    hits(event, verdict.hits).any(|hit| hit.kind == HitKind::Warned as u8)
}

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

/// SETTLEMENT section 2, worked: reserve 5002.50; fills of 40 and 20; available 6999.20 after the release.
#[test]
fn partial_fills_void_and_reserve_again() {
    let mut world = World::new();
    world.limit(0, A1, LimitType::BuyingPower, 0, [0, 4, 0, 0, 0, 0]);
    world.deposit(0, "10000");
    let mut order = world.order("o1", A1, Side::Buy, "100", "50.00");
    order.px = dec("50.01");
    let order = world.send(Kind::OrderNew, &order);
    // 5001.00 and 4 bps of it, ceiled to the cent: 2.01.
    assert_eq!(world.reserved(0), i128::from(dec("5003.01")));
    world.fill(id(&order), "40", "49.99");
    // 60 at 50.01 and 60/100 of the fee, half even: 1.21 (1.206).
    assert_eq!(world.reserved(0), i128::from(dec("3001.81")));
    assert_eq!(world.settled(0), i128::from(dec("8000.40")));
    world.report(Kind::VenueCancelled, id(&order));
    assert_eq!(world.reserved(0), 0);
}

#[test]
fn a_fill_beyond_the_order_and_a_fill_after_its_end_are_booked_with_an_alert() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "10", "10");
    let over = world.fill(id(&order), "12", "10");
    assert_eq!(outcome(&over), "OK");
    assert_eq!(over.body::<Execution>().alerts, execution_alerts::OVERFILL);
    assert_eq!(over.body::<Execution>().state_after, OrderState::Filled as u8);
    let late = world.fill(id(&order), "1", "10");
    assert_eq!(late.body::<Execution>().alerts, execution_alerts::LATE_FILL);
    let pair = world.limit.pairs().iter().find(|row| row.node == A2).unwrap();
    assert_eq!(pair.flow.position, i128::from(dec("13")));
    assert_eq!(
        outcome(&world.fill(OrderId::new(0, 999), "1", "10")),
        "ORPHAN_FILL"
    );
}

#[test]
fn an_execution_is_booked_once() {
    let mut world = World::new();
    assert_eq!(outcome(&world.trade("T1", A2, Side::Buy, "5", "10")), "OK");
    assert_eq!(
        outcome(&world.trade("T1", A2, Side::Buy, "5", "10")),
        "DUPLICATE_EXEC_ID"
    );
    let pair = world.limit.pairs().iter().find(|row| row.node == A2).unwrap();
    assert_eq!(pair.flow.position, i128::from(dec("5")));
}

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
fn what_a_replace_holds_on_top_comes_back_once_when_a_silent_venue_answers() {
    for answer in [Kind::VenueAck, Kind::VenueCancelled] {
        let mut world = World::new();
        world.deposit(0, "10000");
        let order = id(&world.place("o1", A1, Side::Buy, "100", "10"));
        world.report(Kind::VenueAck, order);
        world.replace("o1", "o2", "150", "10");
        world.report(Kind::OrderUnknown, order);
        assert_eq!(
            world.reserved(0),
            i128::from(dec("1500")),
            "nobody knows which of the two works"
        );
        world.replace("o2", "o3", "180", "10");
        assert_eq!(world.reserved(0), i128::from(dec("1800")));
        world.report(Kind::VenueCancelReject, order);
        assert_eq!(world.reserved(0), i128::from(dec("1800")), "unknown again");
        world.report(answer, order);
        let left = if answer == Kind::VenueAck { "1000" } else { "0" };
        assert_eq!(world.reserved(0), i128::from(dec(left)), "{answer}");
    }
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
fn notes_of_earlier_stages_are_merged_by_priority() {
    let mut world = World::new();
    world.limit(0, FIRM, LimitType::MaxOrderQty, i128::from(dec("1")), NO_PARAMS);
    let mut event = Event::empty();
    event.reset(Kind::OrderNew);
    *event.body_mut() = world.order("o1", A1, Side::Buy, "5.5", "10.001");
    let merged = world.run(event);
    assert_eq!(outcome(&merged), "INVALID_TICK", "60 comes before 70");
    let verdict = merged.body::<OrderNew>().verdict;
    let recorded: Vec<u16> = hits(&merged, verdict.hits).map(|hit| hit.code).collect();
    assert_eq!(
        recorded,
        [RejectCode::MaxOrderQty as u16],
        "all limits that refuse are kept"
    );
    event.note(Note::UnknownAccount);
    event.body_mut::<OrderNew>().cl_ord_id = tradewind_domain::text::ClOrdId::new("o2").unwrap();
    assert_eq!(outcome(&world.run(event)), "UNKNOWN_ACCOUNT");
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

/// LIMITS section 8.1, one line a limit: the last order that passes and the first that does not.
#[test]
fn limits_pass_at_their_figure_and_refuse_above_it() {
    let value = |units: i128| units * NOTIONAL_ONE;
    let qty = |units: i128| units * i128::from(ONE);
    type Case = (
        LimitType,
        i128,
        [i64; 6],
        &'static [(Side, &'static str, &'static str, &'static str)],
    );
    let cases: &[Case] = &[
        (
            LimitType::MaxOrderQty,
            qty(1000),
            NO_PARAMS,
            &[
                (Side::Buy, "1000", "10", "OK"),
                (Side::Buy, "1001", "10", "MAX_ORDER_QTY"),
            ],
        ),
        (
            LimitType::MaxOrderNotional,
            value(2000),
            NO_PARAMS,
            &[
                (Side::Buy, "100", "20.00", "OK"),
                (Side::Buy, "100", "20.01", "MAX_ORDER_NOTIONAL"),
            ],
        ),
        (
            LimitType::FatFinger,
            qty(10),
            NO_PARAMS,
            &[
                (Side::Buy, "2000", "1", "OK"),
                (Side::Buy, "2001", "1", "FAT_FINGER"),
            ],
        ),
        (
            LimitType::MaxOpenOrders,
            3,
            NO_PARAMS,
            &[
                (Side::Buy, "1", "1", "OK"),
                (Side::Buy, "1", "1", "OK"),
                (Side::Buy, "1", "1", "OK"),
                (Side::Buy, "1", "1", "MAX_OPEN_ORDERS"),
            ],
        ),
        (
            LimitType::OpenNotional,
            value(1000),
            NO_PARAMS,
            &[
                (Side::Buy, "60", "10", "OK"),
                (Side::Sell, "40", "10", "OK"),
                (Side::Buy, "1", "10", "OPEN_NOTIONAL"),
            ],
        ),
        (
            LimitType::DailyNotional,
            value(1000),
            [1, 0, 0, 0, 0, 0],
            &[
                (Side::Buy, "100", "10", "OK"),
                (Side::Sell, "500", "10", "OK"),
                (Side::Buy, "1", "10", "DAILY_NOTIONAL"),
            ],
        ),
        (
            LimitType::DailyQty,
            qty(100),
            NO_PARAMS,
            &[
                (Side::Buy, "60", "10", "OK"),
                (Side::Sell, "40", "10", "OK"),
                (Side::Sell, "1", "10", "DAILY_QTY"),
            ],
        ),
        (
            LimitType::PositionLong,
            qty(100),
            NO_PARAMS,
            &[
                (Side::Sell, "40", "10", "OK"),
                (Side::Buy, "100", "10", "OK"),
                (Side::Buy, "1", "10", "POSITION_LONG"),
            ],
        ),
        (
            LimitType::PositionShort,
            qty(100),
            NO_PARAMS,
            &[
                (Side::Buy, "40", "10", "OK"),
                (Side::Sell, "100", "10", "OK"),
                (Side::Sell, "1", "10", "POSITION_SHORT"),
            ],
        ),
        (
            LimitType::OrderRate,
            2,
            [1_000, 1, 2, 0, 0, 0],
            &[
                (Side::Buy, "1", "10", "OK"),
                (Side::Buy, "1", "10", "OK"),
                (Side::Buy, "1", "10", "ORDER_RATE_EXCEEDED"),
            ],
        ),
    ];
    for node in [A2, U1, ORG, FIRM] {
        for (limit_type, hard, params, orders) in cases {
            let mut world = World::new();
            assert_eq!(outcome(&world.limit(0, node, *limit_type, *hard, *params)), "OK");
            for (at, (side, qty, px, expected)) in orders.iter().enumerate() {
                let got = world.place(&format!("o{at}"), A2, *side, qty, px);
                assert_eq!(outcome(&got), *expected, "{limit_type} at {node}, order {at}");
            }
        }
    }
}

#[test]
fn buying_power_binds_purchases_to_settled_cash_and_sales_to_what_is_held() {
    let mut world = World::new();
    world.limit(0, A1, LimitType::BuyingPower, 0, [0, 10, 0, 0, 0, 0]);
    world.deposit(0, "1001");
    assert_eq!(
        outcome(&world.place("s1", A1, Side::Sell, "1", "10")),
        "INSUFFICIENT_POSITION"
    );
    assert_eq!(
        outcome(&world.place("o1", A1, Side::Buy, "101", "10")),
        "BUYING_POWER"
    );
    let order = world.place("o2", A1, Side::Buy, "100", "10");
    assert_eq!(outcome(&order), "OK", "1000 and a fee of 1");
    assert_eq!(
        outcome(&world.place("o3", A1, Side::Buy, "1", "0.01")),
        "BUYING_POWER"
    );
    world.fill(id(&order), "100", "10");
    assert_eq!(outcome(&world.place("s2", A1, Side::Sell, "100", "10")), "OK");
    assert_eq!(
        outcome(&world.place("s3", A1, Side::Sell, "1", "10")),
        "INSUFFICIENT_POSITION"
    );
    assert_eq!(outcome(&world.withdraw(0, "1.01")), "BUYING_POWER");
    assert_eq!(outcome(&world.withdraw(0, "1")), "OK");
}

#[test]
fn warnings_come_once_a_day_and_never_with_a_reject() {
    let mut world = World::new();
    world.limit(0, U1, LimitType::OpenNotional, 1000 * NOTIONAL_ONE, NO_PARAMS);
    assert!(!warned(&world.place("o1", A2, Side::Buy, "79", "10")));
    let rejected = world.place("o2", A2, Side::Buy, "90", "10");
    assert!(!warned(&rejected));
    assert!(
        warned(&world.place("o3", A2, Side::Buy, "1", "10")),
        "800 is 80 %"
    );
    assert!(
        !warned(&world.place("o4", A2, Side::Buy, "1", "10")),
        "once a day"
    );
    world.roll(CalendarId::UTC, 20_515);
    world.last(0, "10");
    assert!(warned(&world.place("o5", A2, Side::Buy, "85", "10")), "a new day");
}

#[test]
fn of_several_limits_the_narrowest_level_is_named() {
    let mut world = World::new();
    world.limit(0, FIRM, LimitType::MaxOrderQty, i128::from(dec("10")), NO_PARAMS);
    world.limit(1, A1, LimitType::MaxOrderQty, i128::from(dec("10")), NO_PARAMS);
    let refused = world.place("o1", S1, Side::Buy, "11", "10");
    let verdict = refused.body::<OrderNew>().verdict;
    assert_eq!((verdict.node, verdict.hits), (A1, 2));
}

#[test]
fn states_stop_orders_and_a_kill_takes_two_people_to_lift() {
    let mut world = World::new();
    world.place("o1", A2, Side::Buy, "5", "10");
    assert_eq!(
        outcome(&world.control(Kind::StateSet, ORG, ControlState::CancelOnly as u8, "ann", "")),
        "OK"
    );
    assert_eq!(
        outcome(&world.place("o2", A2, Side::Buy, "1", "10")),
        "TRADING_HALTED"
    );
    assert_eq!(outcome(&world.cancel("o1")), "OK", "cancels always get out");
    assert_eq!(outcome(&world.control(Kind::Rearm, ORG, 0, "ann", "")), "OK");
    assert_eq!(outcome(&world.control(Kind::Kill, ORG, 0, "ann", "")), "OK");
    for (author, second, expected) in [
        ("ann", "", "DUAL_CONTROL_REQUIRED"),
        ("ann", "ann", "DUAL_CONTROL_REQUIRED"),
        ("", "bob", "DUAL_CONTROL_REQUIRED"),
        ("ann", "bob", "OK"),
    ] {
        assert_eq!(
            outcome(&world.control(Kind::Rearm, ORG, 0, author, second)),
            expected
        );
    }
    assert_eq!(
        outcome(&world.control(Kind::StateSet, ORG, ControlState::Kill as u8, "ann", "")),
        "INVALID_VALUE"
    );
    assert_eq!(outcome(&world.place("o3", A2, Side::Buy, "1", "10")), "OK");
}

#[test]
fn reduce_only_lets_pass_what_reduces_the_position() {
    let mut world = World::new();
    world.trade("T1", A2, Side::Buy, "5", "10");
    world.control(Kind::StateSet, U1, ControlState::ReduceOnly as u8, "ann", "");
    assert_eq!(
        outcome(&world.place("b", A2, Side::Buy, "1", "10")),
        "REDUCE_ONLY"
    );
    assert_eq!(outcome(&world.place("s1", A2, Side::Sell, "5", "10")), "OK");
    assert_eq!(
        outcome(&world.place("s2", A2, Side::Sell, "1", "10")),
        "REDUCE_ONLY"
    );
}

#[test]
fn a_replace_holds_the_larger_of_old_and_new_until_the_venue_answers() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "10", "10");
    world.report(Kind::VenueAck, id(&order));
    assert_eq!(outcome(&world.replace("o1", "o2", "20", "10")), "OK");
    assert_eq!(world.reserved(1), i128::from(dec("200")));
    assert_eq!(
        outcome(&world.replace("o1", "o3", "5", "10")),
        "PENDING_CANCEL_REPLACE"
    );
    world.report(Kind::VenueCancelReject, id(&order));
    assert_eq!(
        world.reserved(1),
        i128::from(dec("100")),
        "refused: the old one stands"
    );
    assert_eq!(outcome(&world.replace("o1", "o4", "4", "9")), "OK");
    assert_eq!(
        world.reserved(1),
        i128::from(dec("100")),
        "smaller: the old reservation holds until then"
    );
    world.fill(id(&order), "2", "10");
    world.report(Kind::VenueReplaced, id(&order));
    assert_eq!(world.reserved(1), i128::from(dec("18")), "4 less 2 filled, at 9");
    assert_eq!(
        outcome(&world.replace("o4", "o5", "2", "9")),
        "REPLACE_QTY_NOT_ABOVE_CUM"
    );
    assert_eq!(
        outcome(&world.cancel("o4")),
        "OK",
        "the new identifier names the order"
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
fn values_that_do_not_fit_are_refused() {
    let mut world = World::new();
    let mut order = world.order("o1", A2, Side::Buy, "1", "10");
    (order.qty, order.px) = (i64::MAX / ONE * ONE, i64::MAX / 1_000_000 * 1_000_000);
    assert_eq!(outcome(&world.send(Kind::OrderNew, &order)), "OVERFLOW");
    let mut trade = *world.trade("T1", A2, Side::Buy, "1", "10").body::<Execution>();
    (trade.qty, trade.px) = (i64::MAX, i64::MAX);
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
fn a_probe_answers_and_changes_nothing() {
    let mut world = World::new();
    world.limit(0, A1, LimitType::MaxOrderQty, i128::from(dec("10")), NO_PARAMS);
    let before = super::world::digest(&world.limit);
    let order = world.order("p", A1, Side::Buy, "10", "10");
    assert_eq!(outcome(&world.send(Kind::Probe, &order)), "OK");
    let order = world.order("p", A1, Side::Buy, "11", "10");
    assert_eq!(outcome(&world.send(Kind::Probe, &order)), "MAX_ORDER_QTY");
    assert_eq!(super::world::digest(&world.limit), before);
}

#[test]
fn a_trade_that_breaks_a_limit_is_booked_and_flagged() {
    let mut world = World::new();
    world.limit(0, U1, LimitType::PositionLong, i128::from(dec("10")), NO_PARAMS);
    let trade = world.trade("T1", A2, Side::Buy, "10", "10");
    assert_eq!(
        trade.body::<Execution>().alerts & execution_alerts::BREACH,
        0,
        "at the figure"
    );
    let trade = world.trade("T2", A2, Side::Buy, "1", "10");
    assert_eq!(outcome(&trade), "OK");
    assert_ne!(trade.body::<Execution>().alerts & execution_alerts::BREACH, 0);
}

#[test]
fn limits_that_this_version_does_not_evaluate_are_refused() {
    let mut world = World::new();
    assert_eq!(
        outcome(&world.limit(0, A1, LimitType::GrossExposure, 1, NO_PARAMS)),
        "UNKNOWN_LIMIT"
    );
    assert_eq!(
        outcome(&world.limit(0, A1, LimitType::OrderRate, 1, NO_PARAMS)),
        "INVALID_VALUE"
    );
    assert_eq!(
        outcome(&world.limit(0, A1, LimitType::MaxOrderQty, -1, NO_PARAMS)),
        "INVALID_VALUE"
    );
    assert_eq!(
        outcome(&world.limit(0, A1, LimitType::MaxOrderQty, 1, NO_PARAMS)),
        "OK"
    );
    assert_eq!(
        outcome(&world.limit(0, A2, LimitType::MaxOrderQty, 1, NO_PARAMS)),
        "NAME_TAKEN"
    );
}

#[test]
fn a_session_beyond_the_table_is_refused() {
    let mut world = World::new();
    assert_eq!(outcome(&world.session(Kind::SessionConnected, 3)), "OK");
    assert_eq!(
        outcome(&world.session(Kind::SessionConnected, 9_999)),
        "UNKNOWN_SESSION"
    );
}

#[test]
fn a_replace_that_crosses_the_last_fill_leaves_nothing_open() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "10", "10");
    world.report(Kind::VenueAck, id(&order));
    world.replace("o1", "o2", "20", "10");
    world.fill(id(&order), "10", "10");
    world.report(Kind::VenueCancelReject, id(&order));
    assert_eq!(
        world.limit.order(id(&order)).unwrap().order_state(),
        OrderState::Filled
    );
    assert_eq!((world.limit.open_orders().count(), world.reserved(1)), (0, 0));
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
fn the_identifier_of_an_order_that_closed_yesterday_names_nothing() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "10", "10");
    world.fill(id(&order), "10", "10");
    assert_eq!(outcome(&world.cancel("o1")), "TOO_LATE_TO_CANCEL");
    world.roll(CalendarId::UTC, 20_515);
    assert_eq!(outcome(&world.cancel("o1")), "UNKNOWN_ORDER");
}

#[test]
fn a_lowered_rate_keeps_its_debt_in_its_own_scale() {
    let mut world = World::new();
    world.limit(0, A2, LimitType::OrderRate, 100, [1_000, 1, 1, 0, 0, 0]);
    assert_eq!(outcome(&world.place("o1", A2, Side::Buy, "1", "10")), "OK");
    world.limit(0, A2, LimitType::OrderRate, 50, [1_000, 1, 1, 0, 0, 0]);
    assert_eq!(
        outcome(&world.place("o2", A2, Side::Buy, "1", "10")),
        "ORDER_RATE_EXCEEDED"
    );
    world.now_ns += 1_000_000_000;
    assert_eq!(outcome(&world.place("o3", A2, Side::Buy, "1", "10")), "OK");
}

#[test]
fn a_cancel_on_disconnect_over_a_pending_replace_forgets_neither() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "100", "10");
    world.report(Kind::VenueAck, id(&order));
    world.replace("o1", "o2", "200", "10");
    world.disconnect(SESSION, false);
    world.report(Kind::VenueCancelReject, id(&order));
    assert_eq!(
        world.reserved(1),
        i128::from(dec("2000")),
        "which request was refused is not said"
    );
    world.report(Kind::VenueReplaced, id(&order));
    let row = world.limit.order(id(&order)).unwrap();
    assert_eq!((row.order_state(), row.leaves), (OrderState::Working, dec("200")));
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
fn an_execution_is_known_the_day_after_it_was_booked() {
    let mut world = World::new();
    world.trade("T1", A2, Side::Buy, "5", "10");
    world.roll(CalendarId::UTC, 20_515);
    for n in 0..100 {
        world.trade(&format!("N{n}"), A2, Side::Buy, "1", "10");
    }
    let mut again = *world.trade("N0", A2, Side::Buy, "5", "10").body::<Execution>();
    again.exec_id = tradewind_domain::text::ExecId::new("T1").unwrap();
    again.trade_date = 20_514;
    assert_eq!(
        outcome(&world.send(Kind::TradeCapture, &again)),
        "DUPLICATE_EXEC_ID"
    );
}
