//! Busts and corrections: what was booked is taken back, each figure where it was booked.

use super::world::{A1, A2, S1, U1, World, dec, digest, id, outcome};
use bytemuck::Zeroable;
use tradewind_domain::codes::{InstrumentKind, LimitType, OrderState, Side};
use tradewind_domain::event::{
    Capacities, Event, Execution, InstrumentSet, Kind, TradeBust, execution_alerts, execution_flags,
};
use tradewind_domain::fixed::{Money, NOTIONAL_ONE};
use tradewind_domain::ids::{AccountId, CalendarId, InstrumentId, NodeId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::ExecId;

const DAY: u32 = 20_514;
const NO_PARAMS: [i64; 6] = [0; 6];

fn bust_on(world: &mut World, exec_id: &str, trade_date: u32) -> Event {
    let body = TradeBust {
        exec_id: ExecId::new("B").unwrap(),
        exec_ref_id: ExecId::new(exec_id).unwrap(),
        trade_date,
        ..TradeBust::zeroed()
    };
    world.send(Kind::TradeBust, &body)
}

fn bust(world: &mut World, exec_id: &str) -> Event {
    bust_on(world, exec_id, DAY)
}

fn correct(world: &mut World, exec_id: &str, qty: &str, px: &str) -> Event {
    let body = Execution {
        exec_id: ExecId::new(exec_id).unwrap(),
        qty: dec(qty),
        px: dec(px),
        trade_date: DAY,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..Execution::zeroed()
    };
    world.send(Kind::TradeCorrect, &body)
}

/// Value bought today at a node, in units of the base currency.
fn bought(world: &World, node: NodeId, date: u32) -> i128 {
    let row = world.limit.nodes().find(|(id, _)| *id == node).unwrap().1;
    row.flow.today(date).bought_value / NOTIONAL_ONE
}

fn position(world: &World, node: NodeId) -> i128 {
    let pair = world.limit.pairs().iter().find(|row| row.node == node);
    pair.map_or(0, |row| row.flow.position / i128::from(dec("1")))
}

fn fill(world: &mut World, exec_id: &str, order: &Event, qty: &str, px: &str) -> Event {
    let body = Execution {
        exec_id: ExecId::new(exec_id).unwrap(),
        order_id: id(order),
        qty: dec(qty),
        px: dec(px),
        ..Execution::zeroed()
    };
    world.send(Kind::VenueFill, &body)
}

#[test]
fn a_bust_on_the_same_day_gives_consumption_position_and_cash_back_at_every_node() {
    let mut world = World::new();
    world.deposit(0, "1000");
    world.trade("T1", S1, Side::Buy, "5", "10");
    let before = (world.settled(0), bought(&world, U1, DAY));
    world.trade("T2", S1, Side::Buy, "7", "11");
    assert_eq!((bought(&world, U1, DAY), position(&world, A1)), (127, 12));
    let event = bust(&mut world, "T2");
    assert_eq!(outcome(&event), "OK");
    assert_eq!((world.settled(0), bought(&world, U1, DAY)), before);
    for node in [S1, A1, U1] {
        assert_eq!((position(&world, node), bought(&world, node, DAY)), (5, 50));
    }
    let body: &TradeBust = event.body();
    assert_eq!((body.qty, body.principal.raw()), (dec("7"), dec("77").into()));
    assert_eq!((body.account, body.alerts), (AccountId(0), 0));
    assert_eq!(event.taken_back().unwrap().days[..4], [DAY; 4]);
}

/// The text that the source gave stands behind what is taken back, and limits speak behind both.
#[test]
fn a_bust_keeps_the_reason_that_its_source_gave() {
    let reason = b"fat finger of the broker";
    let mut world = World::new();
    world.deposit(0, "1000");
    world.limit(0, S1, LimitType::PositionShort, dec("1").into(), NO_PARAMS);
    for (at, with_breach) in [(1, false), (2, true)] {
        world.trade(&format!("T{at}"), S1, Side::Buy, "5", "10");
        if with_breach {
            world.trade("S", S1, Side::Sell, "5", "10");
        }
        let mut event = Event::empty();
        event.reset(Kind::TradeBust);
        *event.body_mut() = TradeBust {
            exec_ref_id: ExecId::new(format!("T{at}")).unwrap(),
            trade_date: DAY,
            ..TradeBust::zeroed()
        };
        event.set_tail(reason);
        let bust = world.run(event);
        assert_eq!(outcome(&bust), "OK");
        let rest = &bust.tail()[bust.taken_back_len()..];
        assert_eq!(&rest[..reason.len()], reason);
        assert_eq!(rest.len() > reason.len(), with_breach);
        assert_eq!(
            bust.body::<TradeBust>().alerts == execution_alerts::BREACH,
            with_breach
        );
    }
    assert_eq!(digest(&world.limit), digest(&world.replica));
}

#[test]
fn a_bust_of_an_earlier_days_trade_leaves_todays_counters() {
    let mut world = World::new();
    world.trade("T1", A2, Side::Buy, "5", "10");
    world.roll(CalendarId::UTC, DAY + 1);
    world.trade("T2", A2, Side::Buy, "2", "10");
    let event = bust(&mut world, "T1");
    assert_eq!(outcome(&event), "OK");
    assert_eq!(event.body::<TradeBust>().alerts, execution_alerts::PRIOR_DAY_ADJ);
    assert_eq!((bought(&world, A2, DAY + 1), position(&world, A2)), (20, 2));
}

#[test]
fn a_trade_is_busted_once_and_its_identifier_is_not_used_again() {
    let mut world = World::new();
    assert_eq!(outcome(&bust(&mut world, "T9")), "UNKNOWN_TRADE");
    assert_eq!(outcome(&bust(&mut world, "")), "MALFORMED");
    world.trade("T1", A2, Side::Buy, "5", "10");
    assert_eq!(outcome(&bust_on(&mut world, "T1", DAY - 1)), "UNKNOWN_TRADE");
    assert_eq!(
        outcome(&bust_on(&mut world, "T1", 0)),
        "OK",
        "today, where the source names no day"
    );
    assert_eq!(outcome(&bust(&mut world, "T1")), "ALREADY_BUSTED");
    assert_eq!(outcome(&correct(&mut world, "T1", "1", "1")), "ALREADY_BUSTED");
    let again = world.trade("T1", A2, Side::Buy, "5", "10");
    assert_eq!(outcome(&again), "DUPLICATE_EXEC_ID");
    assert_eq!(position(&world, A2), 0);
}

#[test]
fn a_bust_on_an_open_order_keeps_what_is_open_and_lowers_the_order() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "100", "10");
    fill(&mut world, "F1", &order, "60", "10");
    let before = *world.limit.order(id(&order)).unwrap();
    let event = bust(&mut world, "F1");
    let after = *world.limit.order(id(&order)).unwrap();
    assert_eq!((after.qty, after.cum, after.leaves), (dec("40"), 0, dec("40")));
    assert_eq!(after.cash, before.cash);
    let taken = event.taken_back().unwrap();
    assert_eq!(
        (taken.order_qty, taken.cum, taken.leaves),
        (dec("40"), 0, dec("40"))
    );
}

#[test]
fn a_bust_on_a_closed_order_lowers_its_filled_quantity_and_does_not_open_it() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "100", "10");
    fill(&mut world, "F1", &order, "100", "10");
    bust(&mut world, "F1");
    let row = world.limit.order(id(&order)).unwrap();
    assert_eq!((row.qty, row.cum, row.leaves), (dec("100"), 0, 0));
    assert_eq!(row.order_state(), OrderState::Filled);
}

/// Fills beyond the quantity that a pending replace asks for, busted while it pends: the order holds no more and no less.
#[test]
fn a_bust_while_a_replace_pends_changes_no_reservation() {
    for (replace_to, fills) in [("120", ["30", "20"]), ("50", ["50", "10"]), ("20", ["20", "40"])] {
        let mut world = World::new();
        let order = world.place("o1", A2, Side::Buy, "100", "10");
        world.report(Kind::VenueAck, id(&order));
        assert_eq!(outcome(&world.replace("o1", "r1", replace_to, "11")), "OK");
        fill(&mut world, "F1", &order, fills[0], "10");
        fill(&mut world, "F2", &order, fills[1], "10");
        let held = |world: &World| {
            let row = world.limit.order(id(&order)).unwrap();
            (
                row.reserved_qty(),
                row.reserved_value(),
                row.reserved_cash(),
                row.new_leaves(),
            )
        };
        let before = held(&world);
        for exec_id in ["F2", "F1"] {
            assert_eq!(outcome(&bust(&mut world, exec_id)), "OK");
            assert_eq!(held(&world), before, "{replace_to}: {exec_id}");
            assert!(world.limit.order(id(&order)).unwrap().has_replace());
        }
        assert_eq!(world.limit.order(id(&order)).unwrap().cum, 0);
    }
}

#[test]
fn proceeds_of_a_busted_sale_go_back_and_an_overdraft_is_flagged() {
    let mut world = World::new();
    world.deposit(0, "100");
    world.trade("T1", A1, Side::Buy, "10", "10");
    world.trade("T2", A1, Side::Sell, "10", "12");
    world.trade("T3", A1, Side::Buy, "10", "12");
    let event = bust(&mut world, "T2");
    assert_eq!(event.body::<TradeBust>().alerts, execution_alerts::OVERDRAFT);
    assert_eq!(
        (world.settled(0), position(&world, A1)),
        (i128::from(dec("-120")), 20)
    );
}

#[test]
fn a_bust_that_leaves_too_large_a_position_is_flagged_and_not_refused() {
    let mut world = World::new();
    world.limit(0, U1, LimitType::PositionLong, i128::from(dec("10")), NO_PARAMS);
    world.trade("T1", A2, Side::Buy, "10", "10");
    world.trade("T2", A2, Side::Sell, "5", "10");
    world.trade("T3", A2, Side::Buy, "5", "10");
    let event = bust(&mut world, "T2");
    assert_eq!(outcome(&event), "OK");
    assert_ne!(event.body::<TradeBust>().alerts & execution_alerts::BREACH, 0);
}

#[test]
fn a_correction_puts_the_new_figures_in_the_place_of_the_old_ones() {
    let mut world = World::new();
    world.deposit(0, "1000");
    let order = world.place("o1", A1, Side::Buy, "10", "10");
    fill(&mut world, "F1", &order, "4", "10");
    let event = correct(&mut world, "F1", "5", "9");
    assert_eq!(outcome(&event), "OK");
    let body: &Execution = event.body();
    assert_eq!(
        (body.account, body.order_id, body.cum),
        (AccountId(0), id(&order), dec("5"))
    );
    assert_eq!(event.taken_back().unwrap().principal.raw(), dec("40").into());
    assert_eq!(world.settled(0), i128::from(dec("955")));
    assert_eq!((position(&world, A1), bought(&world, U1, DAY)), (5, 45));
    let row = *world.limit.order(id(&order)).unwrap();
    assert_eq!((row.qty, row.cum, row.leaves), (dec("11"), dec("5"), dec("6")));
    // A second one starts from the first, and leaves the price as it is where it names none.
    assert_eq!(outcome(&correct(&mut world, "F1", "4", "0")), "OK");
    assert_eq!(
        (world.settled(0), position(&world, A1)),
        (i128::from(dec("964")), 4)
    );
    bust(&mut world, "F1");
    assert_eq!(
        (world.settled(0), position(&world, A1)),
        (i128::from(dec("1000")), 0)
    );
    assert_eq!(bought(&world, U1, DAY), 0);
}

#[test]
fn a_correction_moves_no_trade_to_another_account_instrument_or_side() {
    let mut world = World::new();
    let trade = *world.trade("T1", A2, Side::Buy, "5", "10").body::<Execution>();
    let ask = |world: &mut World, change: fn(&mut Execution)| {
        let mut body = Execution {
            qty: dec("6"),
            ..trade
        };
        change(&mut body);
        outcome(&world.send(Kind::TradeCorrect, &body))
    };
    assert_eq!(
        ask(&mut world, |body| body.account = AccountId(0)),
        "INVALID_VALUE"
    );
    assert_eq!(
        ask(&mut world, |body| body.instrument = InstrumentId(1)),
        "INVALID_VALUE"
    );
    assert_eq!(
        ask(&mut world, |body| body.side = Side::Sell as u8),
        "INVALID_SIDE"
    );
    assert_eq!(ask(&mut world, |body| body.qty = -1), "INVALID_QTY");
    assert_eq!(ask(&mut world, |body| body.px = -1), "INVALID_PRICE");
    assert_eq!(position(&world, A2), 5);
    assert_eq!(ask(&mut world, |_| {}), "OK");
    assert_eq!(position(&world, A2), 6);
}

/// Of a binary sale that closes a position and opens a short, the proceeds of what closes settle later, and go back as that.
#[test]
fn a_binary_sale_defers_what_it_closes_and_a_bust_takes_that_back_alone() {
    let mut world = World::new();
    let row = Instrument {
        id: InstrumentId(0),
        kind: InstrumentKind::Binary as u8,
        settle_days: 1,
        ..Instrument::default_linear()
    };
    let body = InstrumentSet {
        row,
        ..InstrumentSet::zeroed()
    };
    assert_eq!(outcome(&world.send(Kind::InstrumentSet, &body)), "OK");
    world.last(0, "0.5");
    world.deposit(0, "100");
    world.trade("T1", A1, Side::Buy, "10", "0.5");
    let unsettled = |world: &World| {
        let (_, row) = world
            .limit
            .wallets()
            .find(|(_, row)| row.account == AccountId(0))
            .unwrap();
        row.unsettled_on(DAY).raw()
    };
    let cents = |text: &str| i128::from(dec(text));
    world.trade("T2", A1, Side::Sell, "4", "0.5");
    assert_eq!(unsettled(&world), cents("2"), "closes alone");
    world.trade("T3", A1, Side::Sell, "16", "0.5");
    assert_eq!(unsettled(&world), cents("5"), "6 of 16 close");
    world.trade("T4", A1, Side::Sell, "10", "0.5");
    assert_eq!(unsettled(&world), cents("5"), "opens alone");
    assert_eq!(outcome(&bust(&mut world, "T4")), "OK");
    assert_eq!(unsettled(&world), cents("5"), "it deferred nothing");
    assert_eq!(outcome(&correct(&mut world, "T3", "20", "0.5")), "OK");
    assert_eq!(unsettled(&world), cents("5"), "4 more open");
    assert_eq!(outcome(&correct(&mut world, "T3", "16", "0.4")), "OK");
    assert_eq!(unsettled(&world), cents("4.4"));
    assert_eq!(outcome(&bust(&mut world, "T3")), "OK");
    assert_eq!(unsettled(&world), cents("2"));
    assert_eq!(outcome(&bust(&mut world, "T2")), "OK");
    assert_eq!((unsettled(&world), world.settled(0)), (0, cents("95")));
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn a_corrected_fee_is_the_only_one_that_counts() {
    let mut world = World::new();
    world.deposit(0, "1000");
    let with_fee = |fee: &str| Execution {
        exec_id: ExecId::new("T1").unwrap(),
        qty: dec("5"),
        px: dec("10"),
        fee: Money::from_raw(dec(fee).into()),
        flags: execution_flags::HAS_FEE,
        side: Side::Buy as u8,
        leaf: A1,
        account: AccountId(0),
        instrument: InstrumentId(0),
        ..Execution::zeroed()
    };
    world.send(Kind::TradeCapture, &with_fee("1"));
    assert_eq!(outcome(&correct(&mut world, "T1", "5", "10")), "OK");
    assert_eq!(
        world.settled(0),
        i128::from(dec("949")),
        "kept where none is given"
    );
    world.send(
        Kind::TradeCorrect,
        &Execution {
            trade_date: DAY,
            ..with_fee("0.25")
        },
    );
    assert_eq!(world.settled(0), i128::from(dec("949.75")));
}

#[test]
fn executions_beyond_the_retained_ones_cannot_be_busted() {
    let small = Capacities {
        executions: 2,
        ..Capacities::default()
    };
    let mut world = World::with(small);
    for exec_id in ["T1", "T2", "T3"] {
        world.trade(exec_id, A2, Side::Buy, "1", "10");
    }
    assert_eq!(outcome(&bust(&mut world, "T1")), "UNKNOWN_TRADE");
    assert_eq!(outcome(&bust(&mut world, "T2")), "OK");
    assert!(digest(&world.limit) == digest(&world.replica));
}

/// A venue that uses its identifiers again every day, and calendars that do not roll together.
#[test]
fn a_bust_without_a_trade_date_is_refused_where_two_trades_may_be_meant() {
    let mut world = World::new();
    world.trade("17", A2, Side::Buy, "5", "10");
    world.roll(CalendarId(1), DAY);
    world.roll(CalendarId(3), DAY);
    world.roll(CalendarId::UTC, DAY + 1);
    world.trade("17", A2, Side::Buy, "7", "10");
    world.trade("18", A2, Side::Buy, "1", "10");
    assert_eq!(outcome(&bust_on(&mut world, "17", 0)), "UNKNOWN_TRADE");
    assert_eq!(position(&world, A2), 13);
    assert_eq!(world.limit.quarantined().count(), 1, "it waits for a person");
    assert_eq!(outcome(&bust_on(&mut world, "18", 0)), "OK");
    assert_eq!(outcome(&bust_on(&mut world, "17", DAY)), "OK");
    assert_eq!(position(&world, A2), 7);
}

#[test]
fn a_trade_is_known_however_many_days_later() {
    let mut world = World::new();
    world.trade("T1", A2, Side::Buy, "5", "10");
    for day in 1..=5 {
        world.roll(CalendarId::UTC, DAY + day);
        world.trade(&format!("D{day}"), A2, Side::Buy, "1", "10");
    }
    assert_eq!(outcome(&bust(&mut world, "T1")), "OK");
    assert_eq!(position(&world, A2), 5);
}
