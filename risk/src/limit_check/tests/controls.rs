//! States and sessions: who may stop trading, and who may start it again.

use super::world::{A2, ORG, U1, World, outcome};
use tradewind_domain::codes::{ControlState, Side};
use tradewind_domain::event::Kind;

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
