//! Own orders that must not meet (L15): the index of resting orders and the list of held ones against a scan of all open orders, after
//! each of random events.

use super::self_trade::{parts, set};
use super::world::{A1, A2, S1, SESSION, U1, World, dec, digest, outcome};
use crate::orders::resting::{Ladder, Resting, market_px};
use crate::orders::table::OrderRow;
use bytemuck::Zeroable;
use proptest::prelude::*;
use tradewind_domain::codes::{
    ControlState, LimitAction, LimitType, OrderState, OrderType, SelfTradeMode, Side, TimeInForce,
};
use tradewind_domain::event::{Kind, LimitSet, OrderNew, VenueReport};
use tradewind_domain::ids::{CalendarId, InstrumentId, LimitId, NodeId, OrderId};
use tradewind_machine::stage::Stage as _;

/// Where an order stands by the naive rule.
fn naive_px(row: &OrderRow) -> Option<i64> {
    let is_buy = row.order_side().is_buy();
    match row.order_type() {
        OrderType::Limit if row.has_replace() && is_buy => Some(row.px.max(row.new_px)),
        OrderType::Limit if row.has_replace() => Some(row.px.min(row.new_px)),
        OrderType::Limit => Some(row.px),
        OrderType::Market if row.order_state() == OrderState::Held => Some(market_px(is_buy)),
        _ => None,
    }
}

fn meets(buy_px: i64, sell_px: i64) -> bool {
    buy_px >= sell_px
}

/// Open orders below a node that an order at a price would trade against, by a scan.
fn naive_crossed(world: &World, node: NodeId, side: Side, px: i64) -> Vec<OrderRow> {
    let open = world.limit.open_orders().map(|(_, row)| *row);
    open.filter(|row| world.limit.is_within(row, node) && row.order_side().is_buy() != side.is_buy())
        .filter(|row| {
            naive_px(row).is_some_and(|other| {
                if side.is_buy() {
                    meets(px, other)
                } else {
                    meets(other, px)
                }
            })
        })
        .collect()
}

/// The index and the list of held orders against a scan of the open orders.
pub(super) fn check(world: &World) {
    let book = &world.limit.book;
    for (at, pair) in world.limit.pairs().iter().enumerate() {
        for is_buy in [false, true] {
            let ladder = Ladder {
                pair: at as u32,
                is_buy,
            };
            let mut expected: Vec<_> = world
                .limit
                .open_orders()
                .filter(|(_, row)| {
                    book.prevents_at(pair.node)
                        && world.limit.is_within(row, pair.node)
                        && row.instrument == pair.instrument
                        && row.order_side().is_buy() == is_buy
                })
                .filter_map(|(slot, row)| Some((naive_px(row)?, row.order_id.counter(), slot)))
                .collect();
            expected.sort_by_key(|&(px, age, _)| (if is_buy { !px } else { px }, age));
            let found: Vec<_> = book
                .resting
                .crossed_by(ladder, market_px(!is_buy))
                .map(|(slot, _)| slot)
                .collect();
            let expected: Vec<_> = expected.into_iter().map(|(_, _, slot)| slot).collect();
            assert_eq!(found, expected, "node {} buys {is_buy}", pair.node);
        }
    }
    let held = std::iter::successors(book.resting.first_held(), |&slot| {
        Resting::next_held(&book.orders, slot)
    });
    let is_held = |row: &OrderRow| row.order_state() == OrderState::Held;
    let expected = world.limit.open_orders().filter(|(_, row)| is_held(row));
    assert_eq!(
        held.collect::<Vec<_>>(),
        expected.map(|(slot, _)| slot).collect::<Vec<_>>()
    );
}

#[derive(Clone, Copy, Debug)]
struct Step {
    op: u8,
    who: u8,
    a: u8,
    px: u8,
}

fn newcomer(world: &mut World, at: usize, step: Step, mode: SelfTradeMode) -> Option<OrderId> {
    let leaf = [A1, A2, S1][usize::from(step.who)];
    let side = if step.a.is_multiple_of(2) {
        Side::Buy
    } else {
        Side::Sell
    };
    let mut order = world.order(&format!("o{at}"), leaf, side, "1", "0");
    order.px = dec("10") + i64::from(step.px) * dec("0.01");
    let mut reach = Some(order.px);
    if step.a.is_multiple_of(7) {
        (order.ord_type, order.px) = (OrderType::Market as u8, 0);
        reach = Some(market_px(side.is_buy()));
    } else if step.a.is_multiple_of(11) {
        (order.ord_type, order.stop_px, reach) = (OrderType::StopLimit as u8, order.px, None);
    }
    let crossed = reach.map_or(Vec::new(), |px| naive_crossed(world, U1, side, px));
    let event = world.send(Kind::OrderNew, &order);
    let refuses = matches!(mode, SelfTradeMode::CancelNewest | SelfTradeMode::CancelBoth);
    let expected = if refuses && !crossed.is_empty() {
        "SELF_TRADE"
    } else {
        "OK"
    };
    assert_eq!(outcome(&event), expected, "{step:?}");
    let cancels = matches!(mode, SelfTradeMode::CancelOldest | SelfTradeMode::CancelBoth);
    let asked: Vec<_> = crossed
        .iter()
        .filter(|row| cancels && row.order_state() != OrderState::PendingCancel)
        .map(|row| (Kind::CancelRequested, row.order_id.counter()))
        .collect();
    assert_eq!(parts(world)[..asked.len()], asked);
    if event.is_rejected() {
        return None;
    }
    let after = event.body::<OrderNew>().view.state_after;
    assert_eq!(after == OrderState::Held as u8, cancels && !crossed.is_empty());
    Some(event.body::<OrderNew>().view.order_id)
}

fn play(world: &mut World, at: usize, step: Step, mode: SelfTradeMode, orders: &mut Vec<OrderId>) {
    let some = orders.get(usize::from(step.a) % orders.len().max(1)).copied();
    let name = |order: OrderId, world: &World| {
        let row = world.limit.order(order).copied();
        row.map(|row| String::from_utf8_lossy(row.cl_ord_id.as_bytes()).into_owned())
    };
    match (step.op, some) {
        (0..=4, _) | (_, None) => orders.extend(newcomer(world, at, step, mode)),
        (5..=7, Some(order)) => {
            let kinds = [
                Kind::VenueAck,
                Kind::VenueCancelled,
                Kind::VenueReplaced,
                Kind::VenueCancelReject,
                Kind::VenueReject,
            ];
            let kind = kinds[usize::from(step.px) % kinds.len()];
            world.send(
                kind,
                &VenueReport {
                    order_id: order,
                    ..VenueReport::zeroed()
                },
            );
        }
        (8, Some(order)) => {
            let is_held = world.limit.order(order).map(OrderRow::order_state) == Some(OrderState::Held);
            if !is_held {
                world.fill(order, "1", "10");
            }
        }
        (9, Some(order)) => {
            let px = format!("10.{:02}", step.px);
            if let Some(orig) = name(order, world) {
                world.replace(&orig, &format!("r{at}"), "1", &px);
            }
        }
        (_, Some(order)) => {
            if let Some(orig) = name(order, world) {
                world.cancel(&orig);
            }
        }
    }
}

/// No two orders that may both be at a venue meet, and nothing is held for no reason.
fn check_apart(world: &World) {
    for (_, row) in world.limit.open_orders() {
        let Some(px) = naive_px(row) else { continue };
        let crossed = naive_crossed(world, U1, row.order_side(), px);
        let is_older = |other: &&OrderRow| other.order_id.counter() < row.order_id.counter();
        if row.order_state() == OrderState::Held {
            assert!(
                crossed.iter().any(|other| is_older(&other)),
                "held for nothing: {row:?}"
            );
        } else {
            let out = crossed
                .iter()
                .find(|other| other.order_state() != OrderState::Held);
            assert!(out.is_none(), "{row:?} meets {out:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn own_orders_never_meet_at_a_venue_and_a_scan_finds_what_the_index_finds(
        mode in 0..3u8,
        steps in prop::collection::vec((0..12u8, 0..3u8, any::<u8>(), 0..6u8), 1..150)
    ) {
        let mode = SelfTradeMode::from_code(mode).unwrap();
        let mut world = World::new();
        set(&mut world, 0, U1, mode);
        let mut orders = Vec::new();
        for (at, (op, who, a, px)) in steps.into_iter().enumerate() {
            play(&mut world, at, Step { op, who, a, px }, mode, &mut orders);
            check(&world);
            check_apart(&world);
        }
        prop_assert_eq!(world.limit.faults(), 0);
        prop_assert!(digest(&world.limit) == digest(&world.replica), "the replica's state differs");
    }

    #[test]
    fn the_index_follows_through_rolls_lost_sessions_states_and_changes_of_the_limits(
        steps in prop::collection::vec((0..18u8, 0..3u8, any::<u8>(), 0..6u8), 1..150)
    ) {
        let mut world = World::new();
        set(&mut world, 0, U1, SelfTradeMode::CancelOldest);
        let (mut orders, mut date) = (Vec::new(), 20_514);
        for (at, (op, who, a, px)) in steps.into_iter().enumerate() {
            let step = Step { op, who, a, px };
            match op {
                12 => change_limits(&mut world, step),
                13 => {
                    let state = [ControlState::Active, ControlState::CancelOnly][usize::from(a % 2)];
                    world.control(Kind::StateSet, [A1, A2, S1][usize::from(who)], state as u8, "ann", "");
                }
                14 if a.is_multiple_of(4) => {
                    date += 1;
                    world.roll(CalendarId::UTC, date);
                    world.last(0, "10");
                }
                15 if a.is_multiple_of(4) => world.disconnect(SESSION, false),
                16 if a.is_multiple_of(8) => {
                    world.control(Kind::Kill, A2, 0, "ann", "");
                    world.control(Kind::Rearm, A2, 0, "ann", "bob");
                }
                _ => place_freely(&mut world, at, step, &mut orders),
            }
            check(&world);
            for (_, row) in world.limit.open_orders() {
                let is_held = row.order_state() == OrderState::Held;
                prop_assert!(!is_held || world.limit.book.is_blocked(row), "held for nothing: {:?}", row);
            }
        }
        prop_assert_eq!(world.limit.faults(), 0);
        prop_assert!(digest(&world.limit) == digest(&world.replica), "the replica's state differs");
    }
}

/// Sets or removes one of two limits, in any mode.
fn change_limits(world: &mut World, step: Step) {
    let limit = u32::from(step.who % 2);
    let body = LimitSet {
        params: [i64::from(step.a % 4), 0, 0, 0, 0, 0],
        limit_type: LimitType::SelfTrade as u8,
        action: LimitAction::Reject as u8,
        removed: u8::from(step.px == 0),
        limit: LimitId(limit),
        node: [U1, A2][limit as usize],
        filter_instrument: InstrumentId::NONE,
        ..LimitSet::zeroed()
    };
    world.send(Kind::LimitSet, &body);
}

/// As [`play`], whatever the limits make of a newcomer.
fn place_freely(world: &mut World, at: usize, step: Step, orders: &mut Vec<OrderId>) {
    if step.op % 12 > 4 && !orders.is_empty() {
        let step = Step {
            op: step.op % 12,
            ..step
        };
        return play(world, at, step, SelfTradeMode::CancelOldest, orders);
    }
    let leaf = [A1, A2, S1][usize::from(step.who)];
    let side = [Side::Buy, Side::Sell][usize::from(step.a % 2)];
    let mut order = world.order(&format!("o{at}"), leaf, side, "1", "0");
    order.px = dec("10") + i64::from(step.px) * dec("0.01");
    order.tif = [TimeInForce::Day, TimeInForce::Gtc][usize::from(step.a / 2 % 2)] as u8;
    if step.a.is_multiple_of(7) {
        (order.ord_type, order.px) = (OrderType::Market as u8, 0);
    }
    let event = world.send(Kind::OrderNew, &order);
    if !event.is_rejected() {
        orders.push(event.body::<OrderNew>().view.order_id);
    }
}
