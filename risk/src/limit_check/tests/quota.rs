//! Shares of the firm's limits, as orders meet them.

use super::world::{A1, FIRM, ORG, World, outcome};
use bytemuck::Zeroable;
use tradewind_domain::codes::{LimitAction, LimitType, Side};
use tradewind_domain::event::{Kind, LimitSet, QuotaGrant};
use tradewind_domain::fixed::{NOTIONAL_ONE, ONE};
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId};

const OPEN: LimitId = LimitId(0);

fn set(world: &mut World, limit: LimitId, node: NodeId, limit_type: LimitType, hard: i128, removed: u8) {
    let body = LimitSet {
        hard,
        limit,
        node,
        limit_type: limit_type as u8,
        action: LimitAction::Reject as u8,
        removed,
        filter_instrument: InstrumentId::NONE,
        ..LimitSet::zeroed()
    };
    assert_eq!(outcome(&world.send(Kind::LimitSet, &body)), "OK");
}

fn grant(world: &mut World, limit: LimitId, granted: i128) -> &'static str {
    let body = QuotaGrant {
        granted,
        limit,
        ..QuotaGrant::zeroed()
    };
    outcome(&world.send(Kind::QuotaGrant, &body))
}

/// A firm that may have 1000 open, and an account with money.
fn world() -> World {
    let mut world = World::new();
    world.deposit(0, "100000");
    set(
        &mut world,
        OPEN,
        FIRM,
        LimitType::OpenNotional,
        1_000 * NOTIONAL_ONE,
        0,
    );
    world
}

fn buy(world: &mut World, cl: &str, qty: &str) -> &'static str {
    outcome(&world.place(cl, A1, Side::Buy, qty, "10"))
}

#[test]
fn what_is_granted_binds_from_the_next_order_on() {
    let mut world = world();
    assert_eq!(buy(&mut world, "a", "30"), "OK");
    assert_eq!(grant(&mut world, OPEN, 400 * NOTIONAL_ONE), "OK");
    assert_eq!(buy(&mut world, "b", "11"), "OPEN_NOTIONAL");
    assert_eq!(buy(&mut world, "c", "10"), "OK");
    assert_eq!(
        grant(&mut world, OPEN, 200 * NOTIONAL_ONE),
        "OK",
        "below what is open: nothing is cancelled"
    );
    assert_eq!(buy(&mut world, "d", "1"), "OPEN_NOTIONAL");
    assert_eq!(grant(&mut world, OPEN, 900 * NOTIONAL_ONE), "OK");
    assert_eq!(buy(&mut world, "e", "50"), "OK");
    assert_eq!(buy(&mut world, "f", "1"), "OPEN_NOTIONAL");
}

#[test]
fn a_grant_never_loosens_what_is_configured() {
    let mut world = world();
    assert_eq!(grant(&mut world, OPEN, 5_000 * NOTIONAL_ONE), "OK");
    assert_eq!(buy(&mut world, "a", "101"), "OPEN_NOTIONAL");
    assert_eq!(grant(&mut world, OPEN, 800 * NOTIONAL_ONE), "OK");
    set(
        &mut world,
        OPEN,
        FIRM,
        LimitType::OpenNotional,
        500 * NOTIONAL_ONE,
        0,
    );
    assert_eq!(buy(&mut world, "b", "51"), "OPEN_NOTIONAL");
    set(
        &mut world,
        OPEN,
        FIRM,
        LimitType::OpenNotional,
        2_000 * NOTIONAL_ONE,
        0,
    );
    assert_eq!(
        buy(&mut world, "c", "81"),
        "OPEN_NOTIONAL",
        "the grant still binds"
    );
    assert_eq!(buy(&mut world, "d", "80"), "OK");
}

#[test]
fn a_limit_that_is_removed_forgets_its_grant() {
    let mut world = world();
    assert_eq!(grant(&mut world, OPEN, 0), "OK");
    assert_eq!(buy(&mut world, "a", "1"), "OPEN_NOTIONAL");
    set(&mut world, OPEN, FIRM, LimitType::OpenNotional, 0, 1);
    assert_eq!(grant(&mut world, OPEN, NOTIONAL_ONE), "UNKNOWN_LIMIT");
    set(
        &mut world,
        OPEN,
        FIRM,
        LimitType::OpenNotional,
        1_000 * NOTIONAL_ONE,
        0,
    );
    assert_eq!(buy(&mut world, "b", "100"), "OK");
}

#[test]
fn only_what_adds_up_over_the_firm_is_granted() {
    let mut world = world();
    assert_eq!(grant(&mut world, OPEN, -1), "INVALID_VALUE");
    assert_eq!(grant(&mut world, LimitId(7), 1), "UNKNOWN_LIMIT");
    set(
        &mut world,
        LimitId(1),
        ORG,
        LimitType::OpenNotional,
        NOTIONAL_ONE,
        0,
    );
    assert_eq!(
        grant(&mut world, LimitId(1), 1),
        "INVALID_VALUE",
        "not of the firm"
    );
    set(
        &mut world,
        LimitId(2),
        FIRM,
        LimitType::MaxOrderQty,
        i128::from(ONE),
        0,
    );
    assert_eq!(
        grant(&mut world, LimitId(2), 1),
        "INVALID_VALUE",
        "on a single order"
    );
}
