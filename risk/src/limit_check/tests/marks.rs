//! Revaluation behind a mark: a few pairs with every event, whoever holds the instrument.

use super::world::{ORG, World, dec, digest, outcome};
use crate::groups::DRAIN_PER_EVENT;
use bytemuck::Zeroable;
use tradewind_domain::codes::{AccountKind, Level, LimitType, Side};
use tradewind_domain::event::{Event, Execution, Kind};
use tradewind_domain::fixed::NOTIONAL_ONE;
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId};
use tradewind_domain::text::ExecId;

/// Accounts that hold the share; each has a limit on what it holds.
const HOLDERS: u32 = 50;

fn holder(at: u32) -> NodeId {
    NodeId(10 + at)
}

/// Each holder has 10 at 10, and may have 115.
fn world() -> World {
    let mut world = World::new();
    for at in 0..HOLDERS {
        let (node, account) = (holder(at), AccountId(10 + at));
        world.node(node, ORG, Level::Account, account, Some(AccountKind::Margin));
        let limit = world.limit(at, node, LimitType::LongExposure, 115 * NOTIONAL_ONE, [0; 6]);
        assert_eq!(outcome(&limit), "OK");
        let trade = Execution {
            exec_id: ExecId::new(format!("T{at}")).unwrap(),
            qty: dec("10"),
            px: dec("10"),
            side: Side::Buy as u8,
            leaf: node,
            account,
            instrument: InstrumentId(0),
            ..Execution::zeroed()
        };
        assert_eq!(outcome(&world.send(Kind::TradeCapture, &trade)), "OK");
    }
    world
}

/// Holders whose position is valued at this.
fn valued_at(world: &World, units: i128) -> usize {
    let value = units * NOTIONAL_ONE;
    let pairs = world.limit.pairs().iter();
    let of_holders = pairs.filter(|pair| (10..10 + HOLDERS).contains(&pair.node.0));
    of_holders.filter(|pair| pair.mark_value == value).count()
}

fn buy(world: &mut World, cl: &str, at: u32, qty: &str) -> Event {
    let mut order = world.order(cl, holder(at), Side::Buy, qty, "10");
    order.account = AccountId(10 + at);
    world.send(Kind::OrderNew, &order)
}

#[test]
fn an_event_revalues_two_pairs_and_the_order_behind_a_mark_reads_the_last_totals() {
    let mut world = world();
    let all = HOLDERS as usize;
    assert_eq!(valued_at(&world, 100), all);
    world.last(0, "11");
    assert_eq!(valued_at(&world, 110), DRAIN_PER_EVENT, "the mark's own event");
    // The newest holder comes first. The oldest one's order adds 10 to the 100 that were, and passes; at the mark it would be 120.
    assert_eq!(outcome(&buy(&mut world, "a", 0, "1")), "OK");
    let mut before = valued_at(&world, 110);
    while before < all {
        world.last(1, "10");
        let after = valued_at(&world, 110);
        assert!(
            after > before && after - before <= DRAIN_PER_EVENT,
            "however many hold it"
        );
        before = after;
    }
    assert_eq!(outcome(&buy(&mut world, "b", 1, "1")), "LONG_EXPOSURE");
    assert!(
        digest(&world.limit) == digest(&world.replica),
        "a replica revalues alike"
    );
}

#[test]
fn a_mark_that_moves_during_its_turn_reaches_everybody_all_the_same() {
    let mut world = world();
    for px in ["11", "12", "13", "14"] {
        world.last(0, px);
    }
    for _ in 0..HOLDERS {
        world.last(1, "10");
    }
    assert_eq!(valued_at(&world, 140), HOLDERS as usize);
}
