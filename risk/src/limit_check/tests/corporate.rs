//! Corporate actions: who holds the instrument gets his part, prices and orders follow, and a trade that is taken back takes its part
//! of them with it.

use super::world::{A1, A2, FIRM, S1, U1, World, dec, digest, id, outcome};
use bytemuck::Zeroable;
use tradewind_domain::codes::{CorporateActionKind, InstrumentKind, Side, TimeInForce};
use tradewind_domain::event::{
    CorporateAction, Event, HolderAction, InstrumentSet, Kind, TradeBust, head_flags,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{CalendarId, HoldingId, InstrumentId, NodeId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::ExecId;
use tradewind_machine::stage::Stage;

const DAY: u32 = 20_514;

fn money(text: &str) -> Money {
    Money::from_raw(dec(text).into())
}

fn action(kind: CorporateActionKind, amount: &str) -> CorporateAction {
    CorporateAction {
        cash_per_unit: money(amount),
        action: kind as u8,
        instrument: InstrumentId(0),
        holding: HoldingId::NONE,
        node: NodeId::NONE,
        ..CorporateAction::zeroed()
    }
}

fn split(numerator: u32, denominator: u32, cash: &str) -> CorporateAction {
    CorporateAction {
        numerator,
        denominator,
        ..action(CorporateActionKind::Split, cash)
    }
}

fn announce(world: &mut World, action: &CorporateAction) -> Vec<Event> {
    let before = world.records.len();
    let record = world.send(Kind::CorporateAction, action);
    assert_eq!(outcome(&record), "OK");
    world.records[before + 1..].to_vec()
}

fn position(world: &World, node: NodeId) -> i64 {
    let pair = world
        .limit
        .pairs()
        .iter()
        .find(|pair| pair.node == node && pair.instrument == InstrumentId(0));
    pair.map_or(0, |pair| pair.flow.position as i64)
}

/// Live and replayed state are one, and nothing was out of place.
fn check(world: &World) {
    assert!(
        digest(&world.limit) == digest(&world.replica),
        "the replica's state differs"
    );
    assert_eq!((world.limit.faults(), world.replica.faults()), (0, 0));
}

/// A1 holds 100 of its own and 51 through its strategy, A2 is short 10.
fn holders() -> World {
    let mut world = World::new();
    world.deposit(0, "10000");
    for (exec_id, leaf, side, qty) in [
        ("T1", A1, Side::Buy, "100"),
        ("T2", S1, Side::Buy, "51"),
        ("T3", A2, Side::SellShort, "10"),
    ] {
        assert_eq!(outcome(&world.trade(exec_id, leaf, side, qty, "10")), "OK");
    }
    world
}

#[test]
fn a_split_changes_what_everybody_holds_and_pays_the_fractions() {
    let mut world = holders();
    let cash = (world.settled(0), world.settled(1));
    let effects = announce(&mut world, &split(1, 3, "30"));
    // 151 become 50 and a third, of which 51 are 17; a short of 10 becomes 3 and a third, which is paid for.
    assert_eq!(position(&world, A1), dec("50"));
    assert_eq!(position(&world, S1), dec("17"));
    assert_eq!(position(&world, A2), dec("-3"));
    for node in [U1, FIRM] {
        assert_eq!(position(&world, node), dec("47"), "node {node}");
    }
    assert_eq!(world.settled(0) - cash.0, i128::from(dec("10")));
    assert_eq!(world.settled(1) - cash.1, i128::from(dec("-10")));
    // Prices first, then one event for each holder and each strategy.
    let nodes: Vec<NodeId> = effects
        .iter()
        .map(|effect| effect.body::<CorporateAction>().node)
        .collect();
    assert_eq!(nodes.len(), 4);
    assert_eq!(nodes[0], NodeId::NONE);
    assert!(
        effects
            .last()
            .is_some_and(|effect| effect.head.flags & head_flags::LAST != 0)
    );
    check(&world);
}

#[test]
fn collar_and_usual_quantities_are_divided_with_the_split_and_open_orders_are_cancelled() {
    let mut world = World::new();
    let row = Instrument {
        collar_bps: 1_000,
        avg_order_qty: dec("200"),
        ..Instrument::default_linear()
    };
    world.send(
        Kind::InstrumentSet,
        &InstrumentSet {
            row,
            ..InstrumentSet::zeroed()
        },
    );
    world.last(0, "10");
    world.deposit(0, "10000");
    let gtc = {
        let mut order = world.order("gtc", A1, Side::Buy, "1", "10");
        order.tif = TimeInForce::Gtc as u8;
        order
    };
    let order = world.send(Kind::OrderNew, &gtc);
    world.report(Kind::VenueAck, id(&order));
    let effects = announce(&mut world, &split(2, 1, "5"));
    assert_eq!(effects.last().and_then(Event::kind), Some(Kind::CancelRequested));
    // The reference is 5.00 now: 10.00 is outside of 10 %.
    assert_eq!(
        outcome(&world.place("far", A1, Side::Buy, "1", "10")),
        "PRICE_OUTSIDE_COLLAR"
    );
    assert_eq!(outcome(&world.place("near", A1, Side::Buy, "1", "5.2")), "OK");
    assert_eq!(
        world
            .limit
            .book
            .market
            .instrument(InstrumentId(0))
            .map(|row| row.avg_order_qty),
        Some(dec("400"))
    );
    check(&world);
}

#[test]
fn what_is_announced_for_a_later_day_takes_effect_when_the_day_begins() {
    let mut world = holders();
    let later = CorporateAction {
        ex_date: DAY + 1,
        ..split(2, 1, "5")
    };
    assert!(announce(&mut world, &later).is_empty());
    let dividend = CorporateAction {
        ex_date: DAY + 1,
        withhold_bps: 1_500,
        ..action(CorporateActionKind::CashDividend, "0.333")
    };
    assert!(announce(&mut world, &dividend).is_empty());
    assert_eq!(position(&world, A1), dec("151"));
    check(&world);
    let cash = world.settled(0);
    world.roll(CalendarId::UTC, DAY + 1);
    assert_eq!(position(&world, A1), dec("302"));
    // In the order of their announcement: 302 x 0.333 = 100.57, less 15.09.
    assert_eq!(world.settled(0) - cash, i128::from(dec("85.48")));
    world.roll(CalendarId::UTC, DAY + 2);
    assert_eq!(position(&world, A1), dec("302"), "once");
    check(&world);
}

#[test]
fn announcements_that_make_no_sense_are_refused() {
    let mut world = holders();
    let past = CorporateAction {
        ex_date: DAY - 1,
        ..split(2, 1, "5")
    };
    let unknown = CorporateAction {
        instrument: InstrumentId(9),
        ..split(2, 1, "5")
    };
    let withheld = CorporateAction {
        withhold_bps: 10_001,
        ..action(CorporateActionKind::CashDividend, "1")
    };
    for (body, reason) in [
        (past, "INVALID_VALUE"),
        (unknown, "UNKNOWN_SYMBOL"),
        (split(0, 1, "5"), "INVALID_VALUE"),
        (split(1, 1, "-5"), "INVALID_VALUE"),
        (withheld, "INVALID_VALUE"),
        (
            action(CorporateActionKind::VariationMargin, "10"),
            "INVALID_VALUE",
        ),
        (
            CorporateAction {
                action: 9,
                ..split(2, 1, "5")
            },
            "INVALID_VALUE",
        ),
    ] {
        assert_eq!(outcome(&world.send(Kind::CorporateAction, &body)), reason);
    }
    for at in 0..=crate::corporate::ANNOUNCED_MAX {
        let body = CorporateAction {
            ex_date: DAY + 1,
            ..split(2, 1, "5")
        };
        let expected = if at < crate::corporate::ANNOUNCED_MAX {
            "OK"
        } else {
            "CAPACITY"
        };
        assert_eq!(outcome(&world.send(Kind::CorporateAction, &body)), expected);
    }
    check(&world);
}

#[test]
fn what_does_not_fit_is_journaled_with_its_reason_and_changes_nothing() {
    let mut world = holders();
    let effects = announce(&mut world, &split(u32::MAX, 1, "92233720368"));
    let holders = &effects[1..];
    assert!(holders.iter().any(|effect| outcome(effect) == "OVERFLOW"));
    assert_eq!(position(&world, A1), dec("151"));
    check(&world);
}

fn future(world: &mut World, kind: InstrumentKind) {
    let row = Instrument {
        kind: kind as u8,
        ..Instrument::default_linear()
    };
    world.send(
        Kind::InstrumentSet,
        &InstrumentSet {
            row,
            ..InstrumentSet::zeroed()
        },
    );
}

#[test]
fn variation_margin_pays_the_difference_to_the_last_settlement_price() {
    let mut world = World::new();
    future(&mut world, InstrumentKind::Future);
    world.trade("T1", A2, Side::Buy, "2", "100");
    assert_eq!(world.settled(1), 0, "no principal moves");
    announce(&mut world, &action(CorporateActionKind::VariationMargin, "110"));
    assert_eq!(world.settled(1), i128::from(dec("20")));
    world.trade("T2", A2, Side::Sell, "2", "105");
    let effects = announce(&mut world, &action(CorporateActionKind::VariationMargin, "90"));
    // Flat since 105: the last contract's loss of 10.00 is paid all the same.
    assert_eq!(effects.len(), 1);
    assert_eq!(world.settled(1), i128::from(dec("10")));
    // Nothing was traded since, and nothing is owed: the margin is recorded for a trade that may be taken back.
    let found = announce(&mut world, &action(CorporateActionKind::VariationMargin, "80"));
    assert_eq!(found.len(), 1);
    assert!(found[0].body::<HolderAction>().found_nothing());
    assert_eq!(world.settled(1), i128::from(dec("10")));
    check(&world);
}

/// A1's strategy sold what it had bought, at the same price; A2 has an order and never traded.
fn flat() -> World {
    let mut world = World::new();
    world.deposit(0, "10000");
    world.trade("T1", S1, Side::Buy, "100", "10");
    world.trade("T2", S1, Side::Sell, "100", "10");
    world.deposit(1, "10000");
    assert_eq!(outcome(&world.place("open", A2, Side::Buy, "1", "10")), "OK");
    world
}

#[test]
fn a_split_that_found_the_holder_flat_splits_what_a_bust_leaves() {
    let mut world = flat();
    let effects = announce(&mut world, &split(1, 3, "30"));
    // Prices, and the account; nobody else ever held it.
    let is_split = |effect: &&Event| effect.kind() == Some(Kind::HolderSplit);
    let splits: Vec<&Event> = effects.iter().filter(is_split).collect();
    assert_eq!(splits.len(), 2);
    assert!(splits[1].body::<CorporateAction>().found_nothing());
    let record = bust(&mut world, "T2");
    assert_eq!(record.adjustment().qty, dec("-67"));
    assert_eq!(
        (position(&world, A1), position(&world, FIRM)),
        (dec("33"), dec("33"))
    );
    // A hundred for 1000.00, and 10.00 for the third of a share.
    assert_eq!(world.settled(0), i128::from(dec("9010")));
    check(&world);
}

#[test]
fn what_took_effect_at_one_moment_is_found_in_its_order() {
    let mut world = flat();
    let tomorrow = DAY + 1;
    let at = |action: CorporateAction| CorporateAction {
        ex_date: tomorrow,
        ..action
    };
    announce(&mut world, &at(split(2, 1, "0")));
    announce(&mut world, &at(action(CorporateActionKind::CashDividend, "0.5")));
    world.roll(CalendarId::UTC, tomorrow);
    // The dividend is paid on the new units.
    let record = bust(&mut world, "T2");
    assert_eq!(record.adjustment().income, money("100"));
    assert_eq!(position(&world, A1), dec("200"));
    check(&world);
}

#[test]
fn strategies_have_their_own_share_of_what_is_paid_and_no_cash() {
    let mut world = holders();
    let cash = world.settled(0);
    let dividend = CorporateAction {
        withhold_bps: 1_500,
        ..action(CorporateActionKind::CashDividend, "0.333")
    };
    let paid = announce(&mut world, &dividend);
    let share = |node: NodeId| {
        let of_node = |effect: &&Event| effect.body::<CorporateAction>().node == node;
        let body: &CorporateAction = paid.iter().find(of_node).unwrap().body();
        (body.gross, body.withheld, body.holding.is_none())
    };
    // 151 shares, of which 51 are the strategy's.
    assert_eq!(share(A1), (money("50.28"), money("7.54"), false));
    assert_eq!(share(S1), (money("16.98"), money("2.55"), true));
    assert_eq!(world.settled(0) - cash, i128::from(dec("42.74")));
    check(&world);
}

#[test]
fn longs_pay_a_funding_above_zero_and_shorts_get_it() {
    let mut world = World::new();
    future(&mut world, InstrumentKind::Future);
    world.trade("T1", A1, Side::Buy, "3", "100");
    world.trade("T2", A2, Side::SellShort, "3", "100");
    let effects = announce(
        &mut world,
        &CorporateAction {
            gross: money("200"),
            ..action(CorporateActionKind::Funding, "0.0001")
        },
    );
    assert_eq!(
        (world.settled(0), world.settled(1)),
        (-i128::from(dec("0.06")), i128::from(dec("0.06")))
    );
    assert_eq!(effects[0].body::<HolderAction>().px, dec("200"));
    // Without a price it is the mark.
    announce(&mut world, &action(CorporateActionKind::Funding, "-0.01"));
    assert_eq!(world.settled(0), i128::from(dec("0.24")));
    check(&world);
}

#[test]
fn a_binary_contract_ends_at_its_value_and_frees_what_it_held() {
    let mut world = World::new();
    future(&mut world, InstrumentKind::Binary);
    world.deposit(0, "1000");
    world.deposit(1, "1000");
    world.trade("T1", S1, Side::Buy, "100", "0.42");
    world.trade("T2", A2, Side::SellShort, "100", "0.42");
    announce(&mut world, &action(CorporateActionKind::Settlement, "1"));
    assert_eq!(
        (position(&world, A1), position(&world, S1), position(&world, A2)),
        (0, 0, 0)
    );
    assert_eq!(world.settled(0), i128::from(dec("1058")));
    assert_eq!(world.settled(1), i128::from(dec("942")));
    let held: i128 = world.limit.wallets().map(|(_, row)| row.collateral.raw()).sum();
    assert_eq!(held, 0);
    check(&world);
}

fn bust(world: &mut World, exec_id: &str) -> Event {
    let body = TradeBust {
        exec_id: ExecId::new("B").unwrap(),
        exec_ref_id: ExecId::new(exec_id).unwrap(),
        trade_date: DAY,
        ..TradeBust::zeroed()
    };
    let record = world.send(Kind::TradeBust, &body);
    assert_eq!(outcome(&record), "OK");
    record
}

#[test]
fn a_bust_behind_a_split_and_a_dividend_leaves_what_there_would_be_without_the_trade() {
    let without = {
        let mut world = World::new();
        world.deposit(0, "10000");
        world.trade("T1", A1, Side::Buy, "100", "10");
        announce(&mut world, &split(1, 3, "30"));
        announce(&mut world, &action(CorporateActionKind::CashDividend, "0.5"));
        (position(&world, A1), world.settled(0))
    };
    let mut world = World::new();
    world.deposit(0, "10000");
    world.trade("T1", A1, Side::Buy, "100", "10");
    world.trade("T2", A1, Side::Buy, "51", "10");
    announce(&mut world, &split(1, 3, "30"));
    announce(&mut world, &action(CorporateActionKind::CashDividend, "0.5"));
    let record = bust(&mut world, "T2");
    let adjustment = record.adjustment();
    assert_eq!(adjustment.qty, dec("34"), "17 fewer instead of 51");
    assert_eq!(adjustment.income, money("-8.50"));
    assert_eq!((position(&world, A1), world.settled(0)), without);
    assert_eq!(position(&world, FIRM), without.0);
    check(&world);
}
