//! Replaces: an order holds the larger of old and new until the venue answers, whatever crosses the request.

use super::world::{A1, A2, SESSION, World, dec, digest, id, outcome};
use bytemuck::Zeroable;
use tradewind_domain::codes::{LimitType, OrderState, Side};
use tradewind_domain::event::{Event, Execution, Kind, OrderNew, OrderReplace, VenueReport};

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
fn what_a_replace_holds_on_top_comes_back_once_when_a_silent_venue_answers() {
    // That the venue has the order (a second acknowledgement) says nothing of the replace: only its own answer does.
    for (answer, left) in [
        (Kind::VenueAck, "1500"),
        (Kind::VenueCancelReject, "1000"),
        (Kind::VenueReplaced, "1500"),
        (Kind::VenueCancelled, "0"),
    ] {
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
        assert_eq!(
            outcome(&world.replace("o2", "o3", "180", "10")),
            "PENDING_CANCEL_REPLACE",
            "one request at a time: it may still take place"
        );
        world.report(answer, order);
        assert_eq!(world.reserved(0), i128::from(dec(left)), "{answer}");
        world.report(Kind::VenueCancelled, order);
        assert_eq!(world.reserved(0), 0, "{answer}");
    }
}

/// LIMITS section 2, rule (c): a timeout, and then the answer to the order itself, give nothing of the replace back.
#[test]
fn a_late_acknowledgement_of_the_order_keeps_what_a_replace_in_flight_holds() {
    for by_status in [false, true] {
        for (answer, left, qty) in [
            (Kind::VenueReplaced, "10000", "1000"),
            (Kind::VenueCancelReject, "1000", "100"),
        ] {
            let mut world = World::new();
            let order = id(&world.place("o1", A2, Side::Buy, "100", "10"));
            assert_eq!(outcome(&world.replace("o1", "o2", "1000", "10")), "OK");
            world.report(Kind::OrderUnknown, order);
            let body = VenueReport {
                order_id: order,
                status: OrderState::Working as u8,
                ..VenueReport::zeroed()
            };
            let kind = if by_status {
                Kind::VenueStatus
            } else {
                Kind::VenueAck
            };
            assert_eq!(outcome(&world.send(kind, &body)), "OK");
            let row = *world.limit.order(order).unwrap();
            assert_eq!(row.order_state(), OrderState::PendingReplace);
            assert_eq!(world.reserved(1), i128::from(dec("10000")));
            assert_eq!(outcome(&world.report(answer, order)), "OK");
            let row = *world.limit.order(order).unwrap();
            assert_eq!((row.order_state(), row.leaves), (OrderState::Working, dec(qty)));
            assert_eq!(world.reserved(1), i128::from(dec(left)), "{answer}");
        }
    }
}

#[test]
fn a_replace_that_is_refused_while_its_order_is_unknown_gives_back_its_own_part_alone() {
    for is_acked in [false, true] {
        let mut world = World::new();
        let order = id(&world.place("o1", A2, Side::Buy, "100", "10"));
        if is_acked {
            world.report(Kind::VenueAck, order);
        }
        world.replace("o1", "o2", "1000", "10");
        world.report(Kind::OrderUnknown, order);
        assert_eq!(outcome(&world.report(Kind::VenueCancelReject, order)), "OK");
        let row = *world.limit.order(order).unwrap();
        let state = if is_acked {
            OrderState::Working
        } else {
            OrderState::Unknown
        };
        assert_eq!((row.order_state(), row.has_replace()), (state, false));
        assert_eq!(world.reserved(1), i128::from(dec("1000")));
    }
}

#[test]
fn a_refusal_that_may_be_the_cancels_gives_nothing_of_the_replace_back_across_a_timeout() {
    let mut world = World::new();
    let order = id(&world.place("o1", A2, Side::Buy, "100", "10"));
    world.replace("o1", "o2", "1000", "10");
    world.disconnect(SESSION, false);
    world.report(Kind::OrderUnknown, order);
    world.report(Kind::VenueAck, order);
    let state = |world: &World| world.limit.order(order).unwrap().order_state();
    assert_eq!(state(&world), OrderState::PendingCancel);
    world.report(Kind::VenueCancelReject, order);
    assert_eq!(state(&world), OrderState::PendingReplace);
    assert_eq!(world.reserved(1), i128::from(dec("10000")));
    world.report(Kind::VenueCancelReject, order);
    assert_eq!(
        (state(&world), world.reserved(1)),
        (OrderState::Working, i128::from(dec("1000")))
    );
    assert!(digest(&world.limit) == digest(&world.replica));
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

/// Rule (b) of LIMITS section 2, through fills: the larger of old and new is worked out anew with each of them.
#[test]
fn a_fill_during_a_pending_replace_leaves_the_larger_of_both_rests_held() {
    // (new quantity and price, quantity filled meanwhile, cash held then, and after VenueReplaced or VenueCancelReject)
    let cases = [
        // The new order is larger: the fill counts against it, at its price.
        (("200", "10"), "40", "1600", "1600", "600"),
        // Fewer, but dearer: 60 at 20 need more than 90 at 10, and after the fill 20 at 20 less than 60 at 10.
        (("60", "20"), "10", "1000", "1000", "900"),
        (("60", "20"), "40", "600", "400", "600"),
        // Smaller than what is filled: only the old order holds.
        (("30", "10"), "40", "600", "0", "600"),
        // All of the old order and some of the new.
        (("150", "10"), "100", "500", "500", "0"),
        (("150", "10"), "120", "300", "300", "0"),
    ];
    for ((qty, px), filled, pending, replaced, refused) in cases {
        for (answer, left) in [
            (Kind::VenueReplaced, replaced),
            (Kind::VenueCancelReject, refused),
            (Kind::VenueCancelled, "0"),
        ] {
            let mut world = World::new();
            let order = id(&world.place("o1", A2, Side::Buy, "100", "10"));
            world.report(Kind::VenueAck, order);
            assert_eq!(outcome(&world.replace("o1", "o2", qty, px)), "OK");
            let fill = world.fill(order, filled, "10");
            assert_eq!(
                fill.body::<Execution>().alerts,
                0,
                "the venue may have replaced already"
            );
            let what = format!("{qty}@{px}, {filled} filled, {answer}");
            assert_eq!(world.reserved(1), i128::from(dec(pending)), "{what}");
            world.report(answer, order);
            assert_eq!(world.reserved(1), i128::from(dec(left)), "{what}");
        }
    }
}

#[test]
fn the_fee_estimate_of_both_orders_is_split_as_fills_come_and_its_changes_add_up() {
    let mut world = World::new();
    world.limit(0, A1, LimitType::BuyingPower, 0, [0, 10, 0, 0, 0, 0]);
    world.deposit(0, "10000");
    let placed = world.place("o1", A1, Side::Buy, "100", "10");
    let order = id(&placed);
    world.report(Kind::VenueAck, order);
    let replaced = world.replace("o1", "o2", "200", "10");
    let fee = |event: &Event| match event.kind() {
        Some(Kind::OrderNew) => event.body::<OrderNew>().view.fee.raw(),
        Some(Kind::OrderReplace) => event.body::<OrderReplace>().view.fee.raw(),
        _ => event.body::<VenueReport>().view.fee.raw(),
    };
    assert_eq!(
        (fee(&placed), fee(&replaced)),
        (i128::from(dec("1")), i128::from(dec("1"))),
        "1000 and then 2000 at 10 bps"
    );
    world.fill(order, "50", "10");
    assert_eq!(
        world.reserved(0),
        i128::from(dec("1501.50")),
        "150 of the new order"
    );
    let answer = world.report(Kind::VenueCancelReject, order);
    assert_eq!(world.reserved(0), i128::from(dec("500.50")), "50 of the old one");
    assert_eq!(fee(&answer), -i128::from(dec("1")));
    world.fill(order, "25", "10");
    assert_eq!(world.reserved(0), i128::from(dec("250.25")));
    let end = world.report(Kind::VenueCancelled, order);
    assert_eq!((world.reserved(0), fee(&end)), (0, -i128::from(dec("0.25"))));
}
