//! States and sessions: who may stop trading, and who may start it again.

use super::world::{A1, A2, ORG, U1, World, digest, outcome};
use bytemuck::Zeroable;
use tradewind_domain::codes::{ControlState, LimitType, Side};
use tradewind_domain::event::{DerivedOrder, Event, Kind, Valuation};
use tradewind_domain::fixed::{Money, NOTIONAL_ONE, ONE};
use tradewind_domain::ids::NodeId;

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
fn a_session_beyond_the_table_is_refused() {
    let mut world = World::new();
    assert_eq!(outcome(&world.session(Kind::SessionConnected, 3)), "OK");
    assert_eq!(
        outcome(&world.session(Kind::SessionConnected, 9_999)),
        "UNKNOWN_SESSION"
    );
}

/// An equity figure of a node.
fn equity(world: &mut World, node: NodeId, units: i128) -> Event {
    let figure = Money::from_raw(units * i128::from(ONE));
    let body = Valuation {
        equity: figure,
        balance: figure,
        has_balance: 1,
        node,
        ..Valuation::zeroed()
    };
    world.send(Kind::Valuation, &body)
}

/// Effects behind the last input, as kinds and identifiers.
fn effects(world: &World) -> Vec<String> {
    let last = world.records.last().map_or(0, |event| event.head.seq);
    let of_last = world.records.iter().filter(|event| event.head.seq == last);
    let effect = |event: &Event| match event.kind() {
        Some(Kind::CancelRequested) => event.body::<DerivedOrder>().cl_ord_id.to_string(),
        kind => kind.map_or_else(String::new, |kind| kind.to_string()),
    };
    of_last.filter(|event| event.head.part > 0).map(effect).collect()
}

/// A position of 10, a sale of 6 and purchases that rest, when the day's loss is reached.
fn with_a_loss(cancel_resting: i64) -> World {
    let mut world = World::new();
    world.deposit(0, "100000");
    let params = [ControlState::ReduceOnly as i64, 0, cancel_resting, 0, 0, 0];
    world.limit(0, A1, LimitType::DailyLoss, 100 * NOTIONAL_ONE, params);
    world.trade("T", A1, Side::Buy, "10", "10");
    world.place("buy", A1, Side::Buy, "1", "9");
    world.place("sell", A1, Side::Sell, "6", "11");
    world.place("other", A2, Side::Buy, "1", "9");
    equity(&mut world, A1, 100_000);
    equity(&mut world, A1, 99_899);
    world
}

#[test]
fn a_loss_also_cancels_what_rests_and_does_not_reduce_where_the_limit_says_so() {
    assert_eq!(effects(&with_a_loss(0)), ["state_changed"]);
    let mut world = with_a_loss(1);
    assert_eq!(
        effects(&world),
        ["state_changed", "buy"],
        "the sale reduces, the other account has lost nothing"
    );
    equity(&mut world, A1, 99_000);
    assert!(effects(&world).is_empty(), "told once");
    assert!(
        digest(&world.limit) == digest(&world.replica),
        "a replica has done the same"
    );
}
