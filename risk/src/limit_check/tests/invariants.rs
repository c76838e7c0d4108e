//! What must hold after every event of any stream: reserved figures are the sums over open orders, positions and the day's figures
//! those over live executions, and a replica that only applies records is in the same state.

use super::world::{A1, A2, FIRM, ORG, S1, U1, World, dec, digest};
use crate::orders::table::OrderRow;
use bytemuck::Zeroable;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradewind_domain::codes::{ControlState, LimitType, Side, TimeInForce};
use tradewind_domain::event::{
    Capacities, Event, Execution, Kind, QuarantineResolve, TradeBust, VenueReport,
};
use tradewind_domain::fixed::{Money, NOTIONAL_ONE};
use tradewind_domain::ids::{AccountId, CalendarId, InstrumentId, NodeId, OrderId};
use tradewind_domain::reject::Note;
use tradewind_domain::text::{Code, ExecId};
use tradewind_machine::stage::Stage as _;

#[derive(Clone, Copy, Debug)]
struct Step {
    op: u8,
    who: u8,
    a: u16,
    b: u16,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step =
        (0..21u8, 0..3u8, any::<u16>(), any::<u16>()).prop_map(|(op, who, a, b)| Step { op, who, a, b });
    prop::collection::vec(step, 1..120)
}

fn run(world: &mut World, at: usize, step: Step, orders: &mut Vec<OrderId>, date: &mut u32) {
    let leaf = [A1, A2, S1][usize::from(step.who)];
    let side = if step.a.is_multiple_of(2) {
        Side::Buy
    } else {
        Side::Sell
    };
    let (qty, px) = (
        i64::from(step.b % 200) * dec("1"),
        dec("9") + i64::from(step.a % 200) * dec("0.01"),
    );
    let some = orders
        .get(usize::from(step.b) % orders.len().max(1))
        .copied()
        .unwrap_or(OrderId::new(0, 77));
    let report = |world: &mut World, kind| {
        world.send(
            kind,
            &VenueReport {
                order_id: some,
                status: step.a as u8 % 10,
                ..VenueReport::zeroed()
            },
        )
    };
    match step.op {
        0..=3 => {
            let mut order = world.order(&format!("o{}", at % 40), leaf, side, "1", "10");
            (order.qty, order.px) = (qty, px);
            order.tif = if step.a.is_multiple_of(3) {
                TimeInForce::Gtc
            } else {
                TimeInForce::Day
            } as u8;
            let event = world.send(Kind::OrderNew, &order);
            if !event.is_rejected() {
                orders.push(event.body::<tradewind_domain::event::OrderNew>().view.order_id);
            }
        }
        4 | 5 => {
            let exec_id = ExecId::new(format!("E{}", at % 90)).unwrap();
            world.send(
                Kind::VenueFill,
                &Execution {
                    exec_id,
                    order_id: some,
                    qty,
                    px,
                    ..Execution::zeroed()
                },
            );
        }
        6 => drop(world.cancel(&format!("o{}", step.a % 40))),
        7 => {
            let cl = format!("r{}", at % 50);
            let (orig, qty) = (format!("o{}", step.b % 40), (step.a % 150).to_string());
            world.replace(&orig, &cl, &qty, "9.5");
        }
        8 => drop(report(
            world,
            [Kind::VenueAck, Kind::VenueReject][usize::from(step.a % 2)],
        )),
        9 => drop(report(
            world,
            [Kind::VenueCancelled, Kind::VenueReplaced, Kind::VenueCancelReject][usize::from(step.a % 3)],
        )),
        10 => drop(report(
            world,
            [Kind::VenueExpired, Kind::OrderUnknown, Kind::VenueStatus][usize::from(step.a % 3)],
        )),
        11 => {
            let state = [
                ControlState::Active,
                ControlState::ReduceOnly,
                ControlState::CancelOnly,
            ][usize::from(step.a % 3)];
            world.control(Kind::StateSet, U1, state as u8, "ann", "");
        }
        12 if step.a.is_multiple_of(4) => {
            *date += 1;
            world.roll(CalendarId::UTC, *date);
            world.last(0, "10");
        }
        12 => world.disconnect(super::world::SESSION, step.a.is_multiple_of(2)),
        // A replace of an order that most likely works, a fill in the middle of it, and in some steps later an answer.
        13 | 14 => {
            let Some(row) = world.limit.order(some).copied() else {
                return;
            };
            let (orig, qty, px) = (
                row.cl_ord_id,
                row.cum + qty,
                ["8", "9.5", "31"][usize::from(step.a % 3)],
            );
            let orig = String::from_utf8_lossy(orig.as_bytes()).into_owned();
            report(world, Kind::VenueAck);
            world.replace(&orig, &format!("p{}", at % 60), &qty_text(qty), px);
            check_reservations(world);
            world.fill(some, &qty_text(i64::from(step.a % 120) * dec("1")), "10");
        }
        15 => {
            let answers = [
                Kind::VenueReplaced,
                Kind::VenueCancelReject,
                Kind::VenueCancelled,
                Kind::OrderUnknown,
            ];
            world.fill(some, &qty_text(i64::from(step.a % 50) * dec("1")), "10");
            check_reservations(world);
            report(world, answers[usize::from(step.a % 4)]);
        }
        16 => drop(world.trade(&format!("T{}", at % 60), leaf, side, "3", "10")),
        17 | 18 => {
            let Some(trade) = some_execution(world, step.b) else {
                return;
            };
            if step.op == 17 {
                bust(world, &trade);
            } else {
                let (qty, px) = (qty % dec("50"), px * i64::from(step.a % 2));
                world.send(
                    Kind::TradeCorrect,
                    &Execution {
                        qty,
                        px,
                        flags: 0,
                        side: 0,
                        ..trade
                    },
                );
            }
        }
        19 => put_aside(world, &format!("Q{}", at % 30), side, qty, px),
        _ => resolve(world, step.a, step.b, leaf),
    }
}

/// One of the accepted executions of the stream.
fn some_execution(world: &World, pick: u16) -> Option<Execution> {
    let is_booked = |event: &&Event| {
        matches!(event.kind(), Some(Kind::VenueFill | Kind::TradeCapture)) && !event.is_rejected()
    };
    let booked: Vec<_> = world.records.iter().filter(is_booked).collect();
    let event = booked.get(usize::from(pick) % booked.len().max(1))?;
    Some(*event.body())
}

fn bust(world: &mut World, trade: &Execution) {
    let body = TradeBust {
        exec_ref_id: trade.exec_id,
        trade_date: trade.trade_date,
        ..TradeBust::zeroed()
    };
    world.send(Kind::TradeBust, &body);
}

/// A trade of an account that nobody knows.
fn put_aside(world: &mut World, exec_id: &str, side: Side, qty: i64, px: i64) {
    let mut event = Event::empty();
    event.reset(Kind::TradeCapture);
    *event.body_mut() = Execution {
        exec_id: ExecId::new(exec_id).unwrap(),
        qty,
        px,
        qty_dp: 8,
        px_dp: 8,
        side: side as u8,
        leaf: NodeId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId(0),
        ..Execution::zeroed()
    };
    event.note(Note::UnknownAccount);
    world.now_ns += 1;
    world.run(event);
}

/// A person decides about one of the trades that wait, or about one that does not.
fn resolve(world: &mut World, pick: u16, action: u16, leaf: NodeId) {
    let waiting: Vec<_> = world.limit.quarantined().map(|row| row.seq).collect();
    let trade_seq = waiting
        .get(usize::from(pick) % 6)
        .copied()
        .unwrap_or(u64::from(pick));
    let body = QuarantineResolve {
        trade_seq,
        author: Code::new("ann").unwrap(),
        action: 1 + (action % 3) as u8,
        leaf,
        account: AccountId(if leaf == A2 { 1 } else { 0 }),
        instrument: InstrumentId::NONE,
        ..QuarantineResolve::zeroed()
    };
    world.send(Kind::QuarantineResolve, &body);
}

/// An execution that counts: the version that is live.
#[derive(Clone, Copy)]
struct Live {
    leaf: NodeId,
    day: u32,
    signed_qty: i128,
    value: i128,
    is_buy: bool,
}

/// Live executions by sequence number, read from all records.
fn live_executions(world: &World) -> BTreeMap<u64, Live> {
    let mut live = BTreeMap::new();
    for event in world.records.iter().filter(|event| !event.is_rejected()) {
        let body: &Execution = event.body();
        let version = |side: u8, leaf, day| {
            let is_buy = side == Side::Buy as u8;
            let qty = i128::from(body.qty);
            Live {
                leaf,
                day,
                signed_qty: if is_buy { qty } else { -qty },
                value: body.consumed.raw(),
                is_buy,
            }
        };
        match (event.kind(), event.taken_back()) {
            (Some(Kind::VenueFill | Kind::TradeCapture), _) => {
                live.insert(event.head.seq, version(body.side, body.leaf, body.trade_day));
            }
            (Some(Kind::TradeBust), Some(taken)) => drop(live.remove(&taken.trade_seq)),
            (Some(Kind::TradeCorrect), Some(taken)) => {
                let new = version(taken.side, taken.leaf, taken.trade_day);
                assert!(live.insert(taken.trade_seq, new).is_some());
            }
            _ => {}
        }
    }
    live
}

/// Sums over live executions, against what nodes and pairs hold.
fn check_executions(world: &World, date: u32) {
    let live = live_executions(world);
    for (node, row) in world.limit.nodes() {
        let is_below = |live: &&Live| live.leaf == node || above(live.leaf).contains(&node);
        let of_node: Vec<_> = live.values().filter(is_below).collect();
        let today = of_node.iter().filter(|live| live.day == date);
        let value = |is_buy: bool| -> i128 {
            let of_side = today.clone().filter(|live| live.is_buy == is_buy);
            of_side.map(|live| live.value).sum()
        };
        let figures = row.flow.today(date);
        assert_eq!(figures.bought_value, value(true), "bought at node {node}");
        assert_eq!(figures.sold_value, value(false), "sold at node {node}");
        assert_eq!(figures.trades as usize, today.count(), "trades at node {node}");
        let position: i128 = of_node.iter().map(|live| live.signed_qty).sum();
        let pair = world.limit.pairs().iter().find(|pair| pair.node == node);
        assert_eq!(pair.map_or(0, |pair| pair.flow.position), position, "node {node}");
    }
}

/// The nodes above a leaf of the test's firm.
fn above(leaf: NodeId) -> &'static [NodeId] {
    if leaf == S1 {
        &[A1, U1, ORG, FIRM]
    } else {
        &[U1, ORG, FIRM]
    }
}

/// A quantity at 1e-8 that is whole, as text.
fn qty_text(qty: i64) -> String {
    (qty / dec("1")).to_string()
}

/// Cash that `rest` of `whole` needs, where `cash` was enough for all of it: the principal up to the cent, and of the fee what the
/// filled part's share, half even, leaves.
fn cash_of_rest(cash: Money, whole: i64, rest: i64, px: i64) -> i128 {
    const CENT: i128 = 1_000_000;
    let unit = CENT * i128::from(dec("1"));
    let cents = |qty: i64| (i128::from(qty) * i128::from(px) + unit - 1) / unit;
    if cash.raw() == 0 || rest <= 0 {
        return 0;
    }
    let fee = cash.raw() / CENT - cents(whole);
    let filled = i128::from(whole - rest);
    let (twice, whole) = (2 * fee * filled, i128::from(whole));
    let up = (twice + whole) / (2 * whole);
    // Half even.
    let share = if (twice + whole) % (2 * whole) == 0 && up % 2 == 1 {
        up - 1
    } else {
        up
    };
    (cents(rest) + fee - share) * CENT
}

/// Each order holds what its rest needs, and while a replace is pending the larger of the old and the new rest.
fn check_order(order: &OrderRow) {
    let new_leaves = if order.new_qty > 0 {
        (order.new_qty - order.cum).max(0)
    } else {
        0 // none pending, or busts took more than it asks for
    };
    let (old_value, new_value) = (
        i128::from(order.leaves) * i128::from(order.unit),
        i128::from(new_leaves) * i128::from(order.new_unit),
    );
    assert_eq!(order.reserved_qty(), order.leaves.max(new_leaves));
    assert_eq!(
        order.reserved_value().raw(),
        old_value.max(new_value),
        "{order:?}"
    );
    if order.new_qty == 0 {
        return assert_eq!(order.reserved_cash(), order.cash);
    }
    let whole = order.leaves + (order.cum - order.pending_cum);
    let old_cash = cash_of_rest(order.cash, whole, order.leaves, order.risk_px);
    let new_whole = order.new_qty - order.pending_cum;
    let new_cash = cash_of_rest(order.new_cash, new_whole, new_leaves, order.new_risk_px);
    assert_eq!(order.reserved_cash().raw(), old_cash.max(new_cash), "{order:?}");
}

/// Sums over open orders, against what nodes, pairs and wallets hold.
fn check_reservations(world: &World) {
    world
        .limit
        .open_orders()
        .for_each(|(_, order)| check_order(order));
    for (node, row) in world.limit.nodes() {
        let below: Vec<_> = world
            .limit
            .open_orders()
            .filter(|(_, order)| world.limit.is_within(order, node))
            .collect();
        let sum = |buy: bool| -> (i128, i128) {
            let of_side = below
                .iter()
                .filter(|(_, order)| order.order_side().is_buy() == buy);
            of_side.fold((0, 0), |(qty, value), (_, order)| {
                (
                    qty + i128::from(order.reserved_qty()),
                    value + order.reserved_value().raw(),
                )
            })
        };
        assert_eq!(
            (row.flow.buy_qty, row.flow.buy_value),
            sum(true),
            "buys of node {node}"
        );
        assert_eq!(
            (row.flow.sell_qty, row.flow.sell_value),
            sum(false),
            "sells of node {node}"
        );
        assert_eq!(row.flow.open_count as usize, below.len());
        let pair: i128 = world
            .limit
            .pairs()
            .iter()
            .filter(|pair| pair.node == node)
            .map(|pair| pair.flow.buy_qty)
            .sum();
        assert_eq!(pair, row.flow.buy_qty, "pairs of node {node}");
    }
    for account in 0..2 {
        let orders = world
            .limit
            .open_orders()
            .filter(|(_, order)| order.account == AccountId(account));
        let sum: i128 = orders.map(|(_, order)| order.reserved_cash().raw()).sum();
        assert_eq!(world.reserved(account), sum, "cash of account {account}");
    }
}

fn world(capacities: Capacities) -> World {
    let mut world = World::with(capacities);
    world.limit(0, A1, LimitType::BuyingPower, 0, [0, 7, 0, 0, 0, 0]);
    world.limit(1, U1, LimitType::OpenNotional, 20_000 * NOTIONAL_ONE, [0; 6]);
    world.limit(2, FIRM, LimitType::DailyNotional, 90_000 * NOTIONAL_ONE, [0; 6]);
    world.limit(3, FIRM, LimitType::MsgRate, 50, [1, 1, 20, 0, 0, 0]);
    world.limit(
        4,
        NodeId(4),
        LimitType::PositionShort,
        i128::from(dec("500")),
        [0; 6],
    );
    world.deposit(0, "20000");
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reservations_are_the_sums_over_open_orders_and_a_replica_agrees(steps in steps(), small in any::<bool>()) {
        let tight = Capacities { open_orders: 6, closed_orders: 4, cl_ord_ids: 30, exec_ids: 40, executions: 12, quarantine: 3, ..Capacities::default() };
        let mut world = world(if small { tight } else { Capacities::default() });
        let (mut orders, mut date) = (Vec::new(), 20_514);
        for (at, step) in steps.into_iter().enumerate() {
            run(&mut world, at, step, &mut orders, &mut date);
            check_reservations(&world);
            check_executions(&world, date);
        }
        prop_assert_eq!(world.limit.faults(), 0);
        prop_assert!(digest(&world.limit) == digest(&world.replica), "the replica's state differs");
    }

    #[test]
    fn no_bytes_make_the_stages_panic(
        kinds in prop::collection::vec((0..170u16, prop::collection::vec(any::<u8>(), 448), any::<u64>()), 1..40)
    ) {
        use tradewind_domain::event::Head;
        let mut world = world(Capacities::default());
        for (number, bytes, notes) in kinds {
            let Some(kind) = Kind::from_number(number) else { continue };
            if kind.is_internal() {
                continue; // only the engine makes them
            }
            let mut event = Event::empty();
            let mut record = vec![0u8; tradewind_domain::event::record_len(number, 0)];
            let head = Head { kind: number, notes: notes & ((1 << 28) - 1), ..Head::zeroed() };
            record[..64].copy_from_slice(bytemuck::bytes_of(&head));
            let input = kind.input_len();
            record[64..64 + input].copy_from_slice(&bytes[..input]);
            event.read_record(&record).unwrap();
            world.run(event);
            check_reservations(&world);
        }
    }
}
