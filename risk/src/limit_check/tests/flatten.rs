//! FLATTEN: when it is allowed, what it closes, and what stops one of its orders.

use super::world::{A1, A2, FIRM, S1, SESSION, U1, World, dec, digest, outcome};
use crate::LimitCheck;
use tradewind_domain::codes::{ControlState, LimitType, OrderState, OrderType, SelfTradeMode, Side};
use tradewind_domain::event::{Capacities, Control, Event, Kind, OrderNew};
use tradewind_domain::ids::{NodeId, OrderId};
use tradewind_machine::stage::{Expansion, Stage as _};

/// A1 is long 10 of instrument 0, A2 short 5, and S1 has bought 3 of the 10.
fn world() -> World {
    let mut world = World::new();
    world.deposit(0, "1000");
    world.trade("t1", A1, Side::Buy, "7", "10");
    world.trade("t2", S1, Side::Buy, "3", "10");
    world.trade("t3", A2, Side::Sell, "5", "10");
    world
}

fn flatten(world: &mut World, node: NodeId) -> Event {
    world.control(Kind::Flatten, node, ControlState::Kill as u8, "ann", "")
}

/// Orders of the last group: leaf, side, quantity, outcome.
fn orders(world: &World) -> Vec<(NodeId, u8, i64, &'static str)> {
    let seq = world.records.last().unwrap().head.seq;
    let parts = world
        .records
        .iter()
        .filter(|record| record.head.seq == seq && record.head.part > 0);
    parts
        .map(|record| {
            assert_eq!(record.kind(), Some(Kind::OrderNew));
            let order: &OrderNew = record.body();
            assert_eq!(order.ord_type, OrderType::Market as u8);
            (order.leaf, order.side, order.qty, outcome(record))
        })
        .collect()
}

fn ids(world: &World) -> Vec<OrderId> {
    world.limit.open_orders().map(|(_, row)| row.order_id).collect()
}

#[test]
fn only_a_killed_node_without_open_orders_is_flattened() {
    let mut world = world();
    world.place("o1", A2, Side::Buy, "1", "9");
    assert_eq!(outcome(&flatten(&mut world, U1)), "NOT_KILLED");
    world.control(Kind::StateSet, U1, ControlState::CancelOnly as u8, "ann", "");
    assert_eq!(outcome(&flatten(&mut world, U1)), "NOT_KILLED");
    world.control(Kind::Kill, FIRM, 0, "ann", "");
    assert_eq!(
        outcome(&flatten(&mut world, U1)),
        "OPEN_ORDERS",
        "its cancel is on its way"
    );
    assert_eq!(outcome(&flatten(&mut world, NodeId(99))), "UNKNOWN_NODE");
    let order = ids(&world)[0];
    world.report(Kind::VenueCancelled, order);
    let nameless = world.control(Kind::Flatten, U1, 0, "", "");
    assert_eq!(outcome(&nameless), "INVALID_VALUE");
    assert_eq!(
        outcome(&flatten(&mut world, U1)),
        "OK",
        "killed by the firm above it"
    );
}

#[test]
fn each_holding_below_the_node_is_closed_by_one_market_order_and_once() {
    let mut world = world();
    world.limit(0, U1, LimitType::MaxOrderQty, i128::from(dec("1")), [0; 6]);
    world.control(Kind::Kill, U1, 0, "ann", "");
    let command = flatten(&mut world, U1);
    let body: &Control = command.body();
    assert_eq!((body.state_before, body.state_after), (3, 3));
    let expected = [
        (A1, Side::Sell as u8, dec("10"), "OK"),
        (A2, Side::Buy as u8, dec("5"), "OK"),
    ];
    assert_eq!(orders(&world), expected, "no limit keeps them in");
    assert_eq!(
        outcome(&flatten(&mut world, U1)),
        "OPEN_ORDERS",
        "they are under way"
    );
    for (order, qty) in ids(&world).into_iter().zip(["10", "5"]) {
        world.report(Kind::VenueAck, order);
        world.fill(order, qty, "10");
    }
    assert_eq!(outcome(&flatten(&mut world, U1)), "OK");
    assert!(orders(&world).is_empty(), "nothing is left");
    assert_eq!(world.reserved(1), 0);
    assert_eq!(digest(&world.limit), digest(&world.replica));
    assert_eq!(world.limit.faults(), 0);
}

#[test]
fn a_flattened_strategy_closes_its_own_position_only() {
    let mut world = world();
    world.control(Kind::Kill, S1, 0, "ann", "");
    flatten(&mut world, S1);
    assert_eq!(orders(&world), [(S1, Side::Sell as u8, dec("3"), "OK")]);
    let name = world.records.last().unwrap().body::<OrderNew>().cl_ord_id;
    let seq = world.records.last().unwrap().head.seq;
    assert_eq!(name.as_str(), format!("FLATTEN-{seq}-1"));
}

#[test]
fn what_cannot_go_out_is_recorded_with_its_reason() {
    let mut world = world();
    world.limit(
        0,
        FIRM,
        LimitType::SelfTrade,
        0,
        [SelfTradeMode::CancelOldest as i64, 0, 0, 0, 0, 0],
    );
    // The other account's purchase rests where a sale of the killed one would meet it.
    world.place("b", A2, Side::Buy, "1", "9");
    world.control(Kind::Kill, A1, 0, "ann", "");
    assert_eq!(outcome(&flatten(&mut world, A1)), "OK");
    assert_eq!(orders(&world), [(A1, Side::Sell as u8, dec("10"), "SELF_TRADE")]);
    assert_eq!(world.limit.open_orders().count(), 1);
    assert_eq!(world.reserved(0), 0);
    assert_eq!(digest(&world.limit), digest(&world.replica));
}

#[test]
fn a_client_cannot_make_an_order_of_a_flatten() {
    let mut world = world();
    world.control(Kind::Kill, U1, 0, "ann", "");
    let mut order = world.order("FLATTEN-1-1", A1, Side::Sell, "10", "0");
    (order.ord_type, order.px, order.session) = (OrderType::Market as u8, 0, SESSION);
    assert_eq!(outcome(&world.send(Kind::OrderNew, &order)), "TRADING_HALTED");
}

#[test]
fn a_flatten_that_was_cut_off_is_finished_as_it_began() {
    let mut world = world();
    world.control(Kind::Kill, U1, 0, "ann", "");
    flatten(&mut world, U1);
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
        let mut out = Event::empty();
        let mut left = world.records[cut..].iter();
        loop {
            match recovered.expand(&mut out) {
                Expansion::Done => break,
                Expansion::Busy => {}
                Expansion::Produced => {
                    assert_eq!(out.body::<OrderNew>(), left.next().unwrap().body::<OrderNew>());
                }
            }
        }
        assert!(left.next().is_none() && recovered.faults() == 0);
        assert_eq!(digest(&recovered), digest(&world.limit));
    }
    assert!(
        world
            .limit
            .open_orders()
            .all(|(_, row)| row.order_state() == OrderState::PendingNew)
    );
}
