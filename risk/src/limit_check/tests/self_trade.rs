//! Self-trade prevention: the four modes, held orders and what releases them.

use super::self_trade_scan::check;
use super::world::{A1, A2, FIRM, ORG, S1, SESSION, U1, World, dec, digest, id, outcome};
use crate::LimitCheck;
use bytemuck::Zeroable;
use tradewind_domain::codes::{
    AccountKind, ControlState, Level, LimitAction, LimitType, OrderState, OrderType, SelfTradeMode, Side,
    TimeInForce,
};
use tradewind_domain::event::{Capacities, DerivedOrder, Event, Kind, LimitSet, OrderNew, head_flags};
use tradewind_domain::ids::{AccountId, CalendarId, InstrumentId, LimitId, NodeId};
use tradewind_machine::stage::{Expansion, Stage as _};

/// A world with a SELF_TRADE limit.
fn world(node: NodeId, mode: SelfTradeMode) -> World {
    let mut world = World::new();
    world.deposit(0, "100000");
    set(&mut world, 0, node, mode);
    world
}

pub(super) fn set(world: &mut World, limit: u32, node: NodeId, mode: SelfTradeMode) {
    let event = world.limit(limit, node, LimitType::SelfTrade, 0, [mode as i64, 0, 0, 0, 0, 0]);
    assert_eq!(outcome(&event), "OK");
}

fn market(world: &mut World, cl: &str, leaf: NodeId, side: Side) -> Event {
    let mut order = world.order(cl, leaf, side, "5", "0");
    (order.ord_type, order.px) = (OrderType::Market as u8, 0);
    world.send(Kind::OrderNew, &order)
}

/// The parts of the last group: kind and order.
pub(super) fn parts(world: &World) -> Vec<(Kind, u64)> {
    let seq = world.records.last().unwrap().head.seq;
    let group = world.records.iter().filter(|record| record.head.seq == seq);
    group
        .filter(|record| record.head.part > 0)
        .map(|record| {
            let order = record.body::<DerivedOrder>().view.order_id;
            (record.kind().unwrap(), order.counter())
        })
        .collect()
}

fn state(world: &World, order: &Event) -> OrderState {
    let id = order.body::<OrderNew>().view.order_id;
    world.limit.order(id).unwrap().order_state()
}

fn cancel_of(order: &Event) -> (Kind, u64) {
    (Kind::CancelRequested, id(order).counter())
}

fn release_of(order: &Event) -> (Kind, u64) {
    (Kind::OrderReleased, id(order).counter())
}

#[test]
fn a_purchase_crosses_an_own_sale_at_its_price_and_not_below() {
    let mut world = world(U1, SelfTradeMode::CancelNewest);
    world.place("o1", A2, Side::Sell, "10", "10.00");
    let crossing = world.place("o2", A1, Side::Buy, "5", "10.00");
    assert_eq!(outcome(&crossing), "SELF_TRADE");
    assert_eq!(crossing.body::<OrderNew>().verdict.limit, LimitId(0));
    assert!(parts(&world).is_empty());
    assert_eq!(outcome(&world.place("o3", A1, Side::Buy, "5", "9.99")), "OK");
    assert_eq!(
        outcome(&world.place("o4", A2, Side::Sell, "5", "9.99")),
        "SELF_TRADE"
    );
    assert_eq!(outcome(&market(&mut world, "o5", A2, Side::Sell)), "SELF_TRADE");
}

#[test]
fn other_groups_and_other_instruments_do_not_cross() {
    let mut world = world(A1, SelfTradeMode::CancelNewest);
    world.place("o1", A2, Side::Sell, "10", "10");
    assert_eq!(outcome(&world.place("o2", S1, Side::Buy, "5", "10")), "OK");
    let mut elsewhere = world.order("o3", S1, Side::Sell, "5", "9");
    elsewhere.instrument = InstrumentId(1);
    assert_eq!(outcome(&world.send(Kind::OrderNew, &elsewhere)), "OK");
    let sale = world.place("o4", A1, Side::Sell, "5", "10");
    assert_eq!(outcome(&sale), "SELF_TRADE", "strategy and account are one group");
}

#[test]
fn the_newcomer_is_held_until_the_last_order_in_its_way_is_gone() {
    let mut world = world(U1, SelfTradeMode::CancelOldest);
    let high = world.place("o1", A2, Side::Sell, "10", "10.20");
    let low = world.place("o2", A2, Side::Sell, "10", "10.10");
    let out_of_reach = world.place("o3", A2, Side::Sell, "10", "10.30");
    let second_low = world.place("o4", A2, Side::Sell, "10", "10.10");
    let newcomer = world.place("o5", A1, Side::Buy, "5", "10.20");
    assert_eq!(state(&world, &newcomer), OrderState::Held);
    assert_eq!(
        world.reserved(0),
        i128::from(dec("51")),
        "reserved while it is held"
    );
    let cancels = [cancel_of(&high), cancel_of(&low), cancel_of(&second_low)];
    assert_eq!(parts(&world), cancels, "in acceptance order");
    assert_eq!(state(&world, &out_of_reach), OrderState::PendingNew);
    world.report(Kind::VenueCancelled, id(&low));
    assert!(parts(&world).is_empty());
    world.report(Kind::VenueCancelReject, id(&high));
    assert_eq!(
        state(&world, &newcomer),
        OrderState::Held,
        "a refused cancel releases nothing"
    );
    world.fill(id(&high), "10", "10.20");
    assert!(parts(&world).is_empty());
    world.report(Kind::VenueExpired, id(&second_low));
    assert_eq!(parts(&world), [release_of(&newcomer)]);
    assert_eq!(state(&world, &newcomer), OrderState::PendingNew);
    world.report(Kind::VenueAck, id(&newcomer));
    assert_eq!(state(&world, &newcomer), OrderState::Working);
    assert_eq!(digest(&world.limit), digest(&world.replica));
}

#[test]
fn a_market_order_cancels_all_own_orders_on_the_other_side() {
    let mut world = world(U1, SelfTradeMode::CancelOldest);
    let sales = ["11", "12"].map(|px| world.place(&format!("s{px}"), A2, Side::Sell, "1", px));
    let newcomer = market(&mut world, "m", A1, Side::Buy);
    assert_eq!(parts(&world), [cancel_of(&sales[0]), cancel_of(&sales[1])]);
    // A market order that is held is in the way of those behind it, at any price.
    let behind = world.place("s99", A2, Side::Sell, "1", "99");
    assert_eq!(parts(&world)[0], cancel_of(&newcomer));
    assert_eq!(
        state(&world, &newcomer),
        OrderState::Cancelled,
        "nothing of it is at a venue"
    );
    assert_eq!(parts(&world)[1..], [release_of(&behind)]);
    assert_eq!(world.reserved(0), 0);
}

#[test]
fn a_market_order_that_went_out_is_in_nobodys_way() {
    let mut world = world(U1, SelfTradeMode::CancelOldest);
    let sale = world.place("s", A2, Side::Sell, "1", "11");
    let newcomer = market(&mut world, "m", A1, Side::Buy);
    world.report(Kind::VenueCancelled, id(&sale));
    assert_eq!(parts(&world), [release_of(&newcomer)]);
    let behind = world.place("s2", A2, Side::Sell, "1", "9");
    assert_eq!(state(&world, &behind), OrderState::PendingNew);
}

#[test]
fn two_newcomers_wait_for_the_same_order_and_its_cancel_is_asked_once() {
    let mut world = world(U1, SelfTradeMode::CancelOldest);
    let sale = world.place("s", A2, Side::Sell, "1", "10");
    let buys = ["b1", "b2"].map(|cl| world.place(cl, A1, Side::Buy, "1", "10"));
    assert!(parts(&world).is_empty(), "the cancel is on its way already");
    world.report(Kind::VenueCancelled, id(&sale));
    assert_eq!(parts(&world), [release_of(&buys[0]), release_of(&buys[1])]);
}

#[test]
fn no_cancel_goes_out_for_a_newcomer_that_fails_another_check() {
    for mode in [SelfTradeMode::CancelOldest, SelfTradeMode::CancelBoth] {
        let mut world = world(U1, mode);
        world.limit(1, U1, LimitType::MaxOpenOrders, 1, [0; 6]);
        let sale = world.place("s", A2, Side::Sell, "1", "10");
        let newcomer = world.place("b", A1, Side::Buy, "1", "10");
        assert!(newcomer.is_rejected());
        assert!(parts(&world).is_empty(), "{mode:?}");
        assert_eq!(state(&world, &sale), OrderState::PendingNew);
    }
}

#[test]
fn cancel_both_refuses_the_newcomer_and_cancels_the_resting_orders() {
    let mut world = world(U1, SelfTradeMode::CancelBoth);
    let sales = ["10.10", "10"].map(|px| world.place(&format!("s{px}"), A2, Side::Sell, "1", px));
    let newcomer = world.place("b", A1, Side::Buy, "1", "10.10");
    assert_eq!(outcome(&newcomer), "SELF_TRADE");
    assert_eq!(parts(&world), [cancel_of(&sales[0]), cancel_of(&sales[1])]);
    assert_eq!(state(&world, &sales[0]), OrderState::PendingCancel);
}

#[test]
fn decrement_is_left_to_the_venue_and_an_alert_only_alerts() {
    let mut world = world(U1, SelfTradeMode::Decrement);
    world.place("s", A2, Side::Sell, "1", "10");
    let crossing = world.place("b", A1, Side::Buy, "1", "10");
    assert_eq!(
        (outcome(&crossing), state(&world, &crossing)),
        ("OK", OrderState::PendingNew)
    );
    let body = LimitSet {
        params: [SelfTradeMode::CancelOldest as i64, 0, 0, 0, 0, 0],
        limit_type: LimitType::SelfTrade as u8,
        action: LimitAction::Alert as u8,
        node: U1,
        filter_instrument: InstrumentId::NONE,
        ..LimitSet::zeroed()
    };
    world.send(Kind::LimitSet, &body);
    let alerted = world.place("b2", A1, Side::Buy, "1", "10");
    assert_eq!(
        (outcome(&alerted), state(&world, &alerted)),
        ("OK", OrderState::PendingNew)
    );
    assert_eq!(alerted.body::<OrderNew>().verdict.hits, 1);
}

#[test]
fn stops_neither_cross_nor_are_crossed_before_they_are_triggered() {
    let mut world = world(U1, SelfTradeMode::CancelNewest);
    let mut stop = world.order("stop", A2, Side::Buy, "1", "0");
    (stop.ord_type, stop.px, stop.stop_px) = (OrderType::Stop as u8, 0, dec("12"));
    world.place("s", A2, Side::Sell, "1", "11");
    assert_eq!(outcome(&world.send(Kind::OrderNew, &stop)), "OK");
    assert_eq!(outcome(&world.place("s2", A2, Side::Sell, "1", "9")), "OK");
}

#[test]
fn two_users_of_one_desk_are_one_group_where_the_desk_has_the_limit() {
    let mut world = World::new();
    let (user, account) = (NodeId(6), NodeId(7));
    world.node(user, ORG, Level::User, AccountId::NONE, None);
    world.node(
        account,
        user,
        Level::Account,
        AccountId(2),
        Some(AccountKind::Margin),
    );
    set(&mut world, 0, ORG, SelfTradeMode::CancelOldest);
    set(&mut world, 1, U1, SelfTradeMode::CancelNewest);
    let mut sale = world.order("s", account, Side::Sell, "1", "10");
    sale.account = AccountId(2);
    let sale = world.send(Kind::OrderNew, &sale);
    let buy = world.place("b", A2, Side::Buy, "1", "10");
    assert_eq!(state(&world, &buy), OrderState::Held);
    assert_eq!(parts(&world), [cancel_of(&sale)]);
    assert_eq!(
        outcome(&world.place("s2", A1, Side::Sell, "1", "10")),
        "SELF_TRADE"
    );
}

#[test]
fn a_cancel_of_a_held_order_ends_it_at_once_and_a_replace_is_refused() {
    let mut world = world(U1, SelfTradeMode::CancelOldest);
    let sale = world.place("s", A2, Side::Sell, "1", "10");
    let buy = world.place("b", A1, Side::Buy, "1", "10");
    assert_eq!(
        outcome(&world.replace("b", "b2", "2", "9")),
        "PENDING_CANCEL_REPLACE"
    );
    assert_eq!(
        outcome(&world.report(Kind::VenueCancelled, id(&buy))),
        "STATE_MISMATCH"
    );
    assert_eq!(
        outcome(&world.report(Kind::OrderUnknown, id(&buy))),
        "STATE_MISMATCH"
    );
    assert_eq!(outcome(&world.cancel("b")), "OK");
    assert_eq!(state(&world, &buy), OrderState::Cancelled);
    assert_eq!(world.reserved(0), 0);
    world.report(Kind::VenueCancelled, id(&sale));
    assert!(parts(&world).is_empty());
    assert_eq!(digest(&world.limit), digest(&world.replica));
}

#[test]
fn kill_roll_and_lost_session_end_held_orders_at_once() {
    type End = fn(&mut World);
    let ends: [(End, OrderState); 3] = [
        (
            |world| {
                world.control(Kind::Kill, FIRM, 0, "ann", "");
            },
            OrderState::Cancelled,
        ),
        (|world| world.roll(CalendarId::UTC, 20_515), OrderState::Expired),
        (|world| world.disconnect(SESSION, true), OrderState::Cancelled),
    ];
    for (end, expected) in ends {
        let mut world = world(U1, SelfTradeMode::CancelOldest);
        world.place("s", A2, Side::Sell, "1", "10");
        let buy = world.place("b", A1, Side::Buy, "1", "10");
        end(&mut world);
        assert_eq!(state(&world, &buy), expected);
        assert_eq!(world.reserved(0), 0);
        assert_eq!(world.limit.book.resting.first_held(), None);
    }
}

#[test]
fn the_roll_that_expires_what_is_in_the_way_releases_the_held_order_in_its_group() {
    let mut world = world(U1, SelfTradeMode::CancelOldest);
    let sale = world.place("s", A2, Side::Sell, "1", "10");
    let mut buy = world.order("b", A1, Side::Buy, "1", "10");
    buy.tif = TimeInForce::Gtc as u8;
    let buy = world.send(Kind::OrderNew, &buy);
    world.roll(CalendarId::UTC, 20_515);
    assert_eq!(
        parts(&world),
        [(Kind::OrderExpired, id(&sale).counter()), release_of(&buy)]
    );
}

#[test]
fn a_held_order_whose_turn_comes_while_nothing_may_be_placed_is_cancelled() {
    let mut world = world(U1, SelfTradeMode::CancelOldest);
    let sale = world.place("s", A2, Side::Sell, "1", "10");
    let buy = world.place("b", A1, Side::Buy, "1", "10");
    world.control(Kind::StateSet, A1, ControlState::CancelOnly as u8, "ann", "");
    assert_eq!(state(&world, &buy), OrderState::Held);
    world.report(Kind::VenueCancelled, id(&sale));
    assert_eq!(parts(&world), [cancel_of(&buy)]);
    assert_eq!(state(&world, &buy), OrderState::Cancelled);
}

#[test]
fn a_limit_set_in_the_middle_of_a_day_finds_what_rests_and_its_removal_lets_held_orders_out() {
    let mut world = World::new();
    let sale = world.place("s", A2, Side::Sell, "1", "10");
    set(&mut world, 0, U1, SelfTradeMode::CancelOldest);
    let buy = world.place("b", A2, Side::Buy, "1", "10");
    assert_eq!(parts(&world), [cancel_of(&sale)]);
    let removal = LimitSet {
        removed: 1,
        node: NodeId::NONE,
        filter_instrument: InstrumentId::NONE,
        ..LimitSet::zeroed()
    };
    assert_eq!(outcome(&world.send(Kind::LimitSet, &removal)), "OK");
    assert_eq!(parts(&world), [release_of(&buy)]);
    assert_eq!(state(&world, &buy), OrderState::PendingNew);
    assert_eq!(outcome(&world.place("s2", A2, Side::Sell, "1", "9")), "OK");
    check(&world);
}

#[test]
fn a_replace_that_would_cross_is_refused_in_every_mode_and_one_that_moves_away_is_not() {
    for mode in [
        SelfTradeMode::CancelNewest,
        SelfTradeMode::CancelOldest,
        SelfTradeMode::CancelBoth,
    ] {
        let mut world = world(U1, mode);
        world.place("s", A2, Side::Sell, "1", "10");
        let buy = world.place("b", A2, Side::Buy, "1", "9");
        world.report(Kind::VenueAck, id(&buy));
        assert_eq!(
            outcome(&world.replace("b", "b2", "1", "10")),
            "SELF_TRADE",
            "{mode:?}"
        );
        assert!(parts(&world).is_empty());
        assert_eq!(outcome(&world.replace("b", "b3", "1", "9.50")), "OK");
        // Until the venue answers, both prices are in the way.
        let between = world.place("s2", A2, Side::Sell, "1", "9.20");
        assert!(between.is_rejected() || state(&world, &between) == OrderState::Held);
        check(&world);
    }
}

#[test]
fn a_replace_to_a_worse_price_releases_what_waited_for_the_order() {
    let mut world = world(U1, SelfTradeMode::CancelOldest);
    let sale = world.place("s", A2, Side::Sell, "1", "10");
    world.report(Kind::VenueAck, id(&sale));
    assert_eq!(outcome(&world.replace("s", "s2", "1", "11")), "OK");
    let buy = world.place("b", A1, Side::Buy, "1", "10");
    assert_eq!(parts(&world), [cancel_of(&sale)]);
    world.report(Kind::VenueReplaced, id(&sale));
    assert_eq!(
        parts(&world),
        [release_of(&buy)],
        "at 11 it is in nobody's way, cancelled or not"
    );
}

#[test]
fn a_full_index_refuses_orders_and_limits_with_capacity() {
    let capacities = Capacities {
        open_orders: 2,
        ..Capacities::default()
    };
    let mut world = World::with(capacities);
    for (limit, node) in [(0, U1), (1, ORG), (2, FIRM)] {
        set(&mut world, limit, node, SelfTradeMode::CancelNewest);
    }
    assert_eq!(outcome(&world.place("o1", A2, Side::Buy, "1", "10")), "OK");
    assert_eq!(outcome(&world.place("o2", A2, Side::Buy, "1", "10")), "CAPACITY");
    let limit = world.limit(3, A2, LimitType::SelfTrade, 0, [0; 6]);
    assert_eq!(outcome(&limit), "OK", "one place is left");
    let limit = world.limit(4, NodeId(0), LimitType::SelfTrade, 0, [0; 6]);
    assert_eq!(outcome(&limit), "OK", "the firm's orders stand there already");
    assert_eq!(world.limit.book.resting.room(), 0);
}

/// Recovery from a journal that ends inside the newcomer's group: the rest of the group is what it was.
#[test]
fn a_group_that_was_cut_off_is_finished_as_it_began() {
    for mode in [SelfTradeMode::CancelOldest, SelfTradeMode::CancelBoth] {
        let mut world = world(U1, mode);
        for (at, px) in ["10.10", "10", "10.20", "10.05"].into_iter().enumerate() {
            world.place(&format!("s{at}"), A2, Side::Sell, "1", px);
        }
        world.place("b", A1, Side::Buy, "1", "10.10");
        if mode == SelfTradeMode::CancelOldest {
            // A market order behind a held one: its group closes one order at once, cancels others, and releases itself or not.
            market(&mut world, "m", A2, Side::Sell);
        }
        let last = world.records.last().unwrap().head.seq;
        let begin = world
            .records
            .iter()
            .position(|record| record.head.seq == last)
            .unwrap();
        for cut in begin + 1..=world.records.len() {
            let mut recovered = LimitCheck::new(&Capacities::default(), b"0123456789abcdef");
            world.records[..cut]
                .iter()
                .for_each(|record| recovered.apply(record));
            let mut finished = Vec::new();
            let mut out = Event::empty();
            if world.records[cut - 1].head.flags & head_flags::LAST == 0 {
                loop {
                    match recovered.expand(&mut out) {
                        Expansion::Done => break,
                        Expansion::Busy => {}
                        Expansion::Produced => finished.push((out.kind(), *out.body::<DerivedOrder>())),
                    }
                }
            }
            let expected: Vec<_> = world.records[cut..]
                .iter()
                .map(|record| (record.kind(), *record.body::<DerivedOrder>()))
                .collect();
            assert_eq!(finished, expected, "{mode:?} cut at {cut}");
            assert_eq!(digest(&recovered), digest(&world.limit));
        }
    }
}
