//! The limit catalogue as orders meet it: figures, warnings, the order of reasons, definitions.

use super::world::{A1, A2, FIRM, ORG, S1, U1, World, dec, digest, id, outcome};
use crate::limit_check::hits;
use bytemuck::Zeroable;
use tradewind_domain::codes::{InstrumentKind, LimitAction, LimitType, Side};
use tradewind_domain::event::{Capacities, Event, HitKind, Kind, LimitSet, OrderNew};
use tradewind_domain::fixed::{NOTIONAL_ONE, ONE};
use tradewind_domain::ids::{CalendarId, InstrumentId, LimitId, NodeId};

const NO_PARAMS: [i64; 6] = [0; 6];

fn warned(event: &Event) -> bool {
    let verdict = event.body::<OrderNew>().verdict;
    hits(event, verdict.hits).any(|hit| hit.kind == HitKind::Warned as u8)
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

/// Two limits of one type at one node were silent about each other: they had one edge between them.
#[test]
fn each_limit_of_a_node_warns_for_itself() {
    let long = |id: u32, hard: &str, kind: u8, instrument: InstrumentId| LimitSet {
        hard: dec(hard).into(),
        limit_type: LimitType::PositionLong as u8,
        action: LimitAction::Alert as u8,
        soft_pct: 80,
        limit: LimitId(id),
        node: U1,
        filter_kind: kind,
        filter_instrument: instrument,
        ..LimitSet::zeroed()
    };
    let mut world = World::new();
    for set in [
        long(0, "1000", 0, InstrumentId::NONE),
        long(1, "100", InstrumentKind::Equity as u8, InstrumentId::NONE),
        long(2, "500", 0, InstrumentId(0)),
    ] {
        assert_eq!(outcome(&world.send(Kind::LimitSet, &set)), "OK");
    }
    let warned = |world: &mut World, cl: &str, qty: &str| -> Vec<u32> {
        let event = world.place(cl, A2, Side::Buy, qty, "10");
        let count = event.body::<OrderNew>().verdict.hits;
        hits(&event, count)
            .filter(|hit| hit.kind == HitKind::Warned as u8)
            .map(|hit| hit.limit.0)
            .collect()
    };
    assert_eq!(warned(&mut world, "o1", "80"), [1]);
    assert_eq!(warned(&mut world, "o2", "320"), [2]);
    assert_eq!(warned(&mut world, "o3", "400"), [0]);
    assert_eq!(warned(&mut world, "o4", "50"), [0; 0], "each once a day");
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn a_node_takes_no_more_limits_than_have_an_edge_of_their_own() {
    let mut world = World::new();
    for id in 0..16 {
        assert_eq!(
            outcome(&world.limit(id, U1, LimitType::PositionLong, 1, NO_PARAMS)),
            "OK"
        );
    }
    let one_more =
        |world: &mut World, node, limit_type| outcome(&world.limit(16, node, limit_type, 1, NO_PARAMS));
    assert_eq!(one_more(&mut world, U1, LimitType::AdvDay), "CAPACITY");
    assert_eq!(
        outcome(&world.limit(3, U1, LimitType::PositionLong, 2, NO_PARAMS)),
        "OK"
    );
    assert_eq!(one_more(&mut world, U1, LimitType::GrossExposure), "OK");
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
fn limits_that_make_no_sense_are_refused() {
    let mut world = World::new();
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
fn a_probe_answers_and_changes_nothing() {
    let mut world = World::new();
    world.limit(0, A1, LimitType::MaxOrderQty, i128::from(dec("10")), NO_PARAMS);
    let before = digest(&world.limit);
    let order = world.order("p", A1, Side::Buy, "10", "10");
    assert_eq!(outcome(&world.send(Kind::Probe, &order)), "OK");
    let order = world.order("p", A1, Side::Buy, "11", "10");
    assert_eq!(outcome(&world.send(Kind::Probe, &order)), "MAX_ORDER_QTY");
    assert_eq!(digest(&world.limit), before);
}

#[test]
fn a_limit_is_removed_by_its_label_alone_and_the_record_says_what_it_was() {
    let mut world = World::new();
    world.limit(0, A2, LimitType::OrderRate, 1, [1_000, 1, 1, 0, 0, 0]);
    world.place("o1", A2, Side::Buy, "1", "10");
    assert_eq!(
        outcome(&world.place("o2", A2, Side::Buy, "1", "10")),
        "ORDER_RATE_EXCEEDED"
    );
    let removal = LimitSet {
        removed: 1,
        limit: LimitId(0),
        node: NodeId::NONE,
        filter_instrument: InstrumentId::NONE,
        ..LimitSet::zeroed()
    };
    let removed = world.send(Kind::LimitSet, &removal);
    assert_eq!(outcome(&removed), "OK");
    let body: &LimitSet = removed.body();
    assert_eq!((body.node, body.hard, body.params[0]), (A2, 1, 1_000));
    assert_eq!(outcome(&world.place("o3", A2, Side::Buy, "1", "10")), "OK");
    assert_eq!(
        outcome(&world.send(Kind::LimitSet, &removal)),
        "UNKNOWN_LIMIT",
        "gone already"
    );
    let elsewhere = LimitSet { node: A1, ..removal };
    world.limit(0, A2, LimitType::OrderRate, 1, [1_000, 1, 1, 0, 0, 0]);
    assert_eq!(outcome(&world.send(Kind::LimitSet, &elsewhere)), "NAME_TAKEN");
}

#[test]
fn an_order_that_cannot_be_remembered_against_repeats_is_refused() {
    let mut world = World::with(Capacities {
        repeats: 2,
        ..Capacities::default()
    });
    world.limit(0, A2, LimitType::DupContent, 0, [1_000, 1, 0, 0, 0, 0]);
    assert_eq!(outcome(&world.place("o1", A2, Side::Buy, "1", "10")), "OK");
    assert_eq!(outcome(&world.place("o2", A2, Side::Buy, "2", "10")), "OK");
    assert_eq!(outcome(&world.place("o3", A2, Side::Buy, "3", "10")), "CAPACITY");
    assert_eq!(
        outcome(&world.place("o4", A2, Side::Buy, "1", "10")),
        "DUPLICATE_ORDER"
    );
    world.now_ns += 1_000_000_000;
    assert_eq!(
        outcome(&world.place("o5", A2, Side::Buy, "3", "10")),
        "OK",
        "the window reaches neither of them any more"
    );
}

/// A limit with a filter of kind and an action, set by hand: the harness sets plain ones.
fn special(
    world: &mut World,
    limit: u32,
    node: NodeId,
    limit_type: LimitType,
    hard: i128,
    params: [i64; 6],
    (kind, action): (u8, LimitAction),
) -> Event {
    world.send(
        Kind::LimitSet,
        &LimitSet {
            hard,
            params,
            limit_type: limit_type as u8,
            action: action as u8,
            filter_kind: kind,
            limit: LimitId(limit),
            node,
            filter_instrument: InstrumentId::NONE,
            ..LimitSet::zeroed()
        },
    )
}

#[test]
fn a_permission_refuses_a_cancel_only_where_it_binds_and_rejects() {
    const PLACE_ONLY: [i64; 6] = [1, 0, 0, 0, 0, 0];
    let (future, equity) = (InstrumentKind::Future as u8, InstrumentKind::Equity as u8);
    for (kind, action, expected) in [
        (future, LimitAction::Reject, "OK"),
        (equity, LimitAction::Alert, "OK"),
        (equity, LimitAction::Reject, "NOT_AUTHORIZED"),
        (0, LimitAction::Reject, "NOT_AUTHORIZED"),
    ] {
        let mut world = World::new();
        assert_eq!(outcome(&world.place("o1", A2, Side::Buy, "1", "10")), "OK");
        special(
            &mut world,
            0,
            A2,
            LimitType::Permission,
            0,
            PLACE_ONLY,
            (kind, action),
        );
        assert_eq!(outcome(&world.cancel("o1")), expected, "{kind} {action}");
    }
}

#[test]
fn an_executed_trade_that_breaks_a_limit_sets_its_state() {
    let mut world = World::new();
    let hard = i128::from(dec("10"));
    special(
        &mut world,
        0,
        U1,
        LimitType::PositionLong,
        hard,
        NO_PARAMS,
        (0, LimitAction::Kill),
    );
    let open = world.place("o1", A2, Side::Sell, "1", "20");
    world.trade("t1", A1, Side::Buy, "10", "10");
    assert_eq!(
        outcome(&world.place("o2", A2, Side::Sell, "1", "20")),
        "OK",
        "equal is no breach"
    );
    world.trade("t2", A1, Side::Buy, "1", "10");
    let kinds: Vec<Kind> = world
        .records
        .iter()
        .rev()
        .take(3)
        .filter_map(Event::kind)
        .collect();
    let expected = [Kind::CancelRequested, Kind::CancelRequested, Kind::StateChanged];
    assert_eq!(kinds, expected, "the state, then a cancel for each open order");
    assert_eq!(
        outcome(&world.place("o3", A2, Side::Sell, "1", "20")),
        "TRADING_HALTED"
    );
    assert_eq!(outcome(&open), "OK");
}

#[test]
fn a_cash_account_sells_what_it_holds_wherever_the_limit_stands() {
    for node in [S1, A1, U1, FIRM] {
        let mut world = World::new();
        world.limit(0, node, LimitType::BuyingPower, 0, NO_PARAMS);
        world.trade("t1", A1, Side::Buy, "5", "10");
        assert_eq!(
            outcome(&world.place("o1", S1, Side::Sell, "5", "10")),
            "OK",
            "{node:?}"
        );
        let refused = world.place("o2", S1, Side::Sell, "1", "10");
        assert_eq!(outcome(&refused), "INSUFFICIENT_POSITION", "{node:?}");
        assert_eq!(
            outcome(&world.place("o3", A2, Side::Sell, "1", "10")),
            "OK",
            "a margin account may"
        );
    }
}

#[test]
fn a_use_that_an_order_leaves_at_nothing_gives_no_warning() {
    let mut world = World::new();
    world.limit(0, A2, LimitType::PositionShort, 0, NO_PARAMS);
    world.trade("t1", A2, Side::Buy, "10", "10");
    let covered = world.place("o1", A2, Side::Sell, "10", "10");
    assert_eq!((outcome(&covered), warned(&covered)), ("OK", false));
    assert_eq!(
        outcome(&world.place("o2", A2, Side::Sell, "1", "10")),
        "POSITION_SHORT"
    );
}

/// LIMITS section 8.1, L29: sales never take cash.
#[test]
fn a_sale_of_what_is_held_gives_no_warning_of_buying_power() {
    let mut world = World::new();
    world.deposit(0, "1000");
    world.trade("t1", A1, Side::Buy, "10", "10");
    world.limit(0, A1, LimitType::BuyingPower, 0, NO_PARAMS);
    let sale = world.place("o1", A1, Side::Sell, "10", "10");
    assert_eq!((outcome(&sale), warned(&sale)), ("OK", false));
    assert_eq!(
        outcome(&world.place("o2", A1, Side::Sell, "1", "10")),
        "INSUFFICIENT_POSITION"
    );
}

/// LIMITS section 4: what does not increase the use of a limit passes it, also where the limit was lowered meanwhile.
#[test]
fn a_replace_that_makes_an_order_no_larger_passes_a_limit_that_was_lowered() {
    let mut world = World::new();
    let qty = |units: i128| units * i128::from(ONE);
    world.limit(0, A2, LimitType::MaxOrderQty, qty(100), NO_PARAMS);
    world.limit(
        1,
        A2,
        LimitType::MaxOrderNotional,
        1_000 * NOTIONAL_ONE,
        NO_PARAMS,
    );
    let order = id(&world.place("o1", A2, Side::Buy, "100", "10"));
    world.report(Kind::VenueAck, order);
    world.fill(order, "20", "10");
    world.limit(0, A2, LimitType::MaxOrderQty, qty(50), NO_PARAMS);
    world.limit(1, A2, LimitType::MaxOrderNotional, 500 * NOTIONAL_ONE, NO_PARAMS);
    let larger = world.replace("o1", "r1", "101", "9");
    assert_eq!(outcome(&larger), "MAX_ORDER_QTY", "its value is lower");
    let dearer = world.replace("o1", "r2", "90", "12");
    assert_eq!(outcome(&dearer), "MAX_ORDER_NOTIONAL", "1,080 on the whole");
    assert_eq!(outcome(&world.replace("o1", "r3", "90", "11")), "OK", "990");
}

#[test]
fn a_sale_is_held_to_the_accounts_position_wherever_the_limit_stands() {
    let mut world = World::new();
    world.trade("T1", A1, Side::Buy, "10", "10");
    world.trade("T2", A2, Side::Buy, "10", "10");
    world.limit(0, FIRM, LimitType::ShortSale, 0, NO_PARAMS);
    assert_eq!(
        outcome(&world.place("o1", A1, Side::Sell, "11", "10")),
        "SHORT_MARKING_REQUIRED",
        "what another account holds is not this one's to sell"
    );
    assert_eq!(outcome(&world.place("o2", A2, Side::Sell, "10", "10")), "OK");
    assert_eq!(
        outcome(&world.place("o3", A1, Side::Sell, "10", "10")),
        "OK",
        "what another account sells is not sold by this one"
    );
}

#[test]
fn a_limit_that_acts_is_recorded_however_many_speak_before_it() {
    let mut world = World::new();
    for id in 0..24 {
        world.limit(id, A2, LimitType::MaxOrderQty, i128::from(ONE), NO_PARAMS);
    }
    let kill = LimitSet {
        hard: i128::from(ONE),
        limit_type: LimitType::MaxOrderQty as u8,
        action: LimitAction::Kill as u8,
        limit: LimitId(24),
        node: A2,
        filter_instrument: InstrumentId::NONE,
        ..LimitSet::zeroed()
    };
    assert_eq!(outcome(&world.send(Kind::LimitSet, &kill)), "OK");
    world.place("o1", A2, Side::Buy, "2", "10");
    assert_eq!(
        outcome(&world.place("o2", A2, Side::Buy, "1", "10")),
        "TRADING_HALTED"
    );
}
