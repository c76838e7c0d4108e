//! Fills and trades executed elsewhere: booked once, whatever the limits say.

use super::world::{A1, A2, ORG, S1, U1, World, dec, digest, id, outcome};
use bytemuck::Zeroable;
use tradewind_domain::codes::{AccountKind, InstrumentKind, Level, LimitType, OrderState, Side};
use tradewind_domain::event::{
    Execution, InstrumentSet, Kind, Locate, NodeSet, OrderNew, TradeBust, execution_alerts,
};
use tradewind_domain::ids::{AccountId, CalendarId, InstrumentId, NodeId, OrderId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::ExecId;

const NO_PARAMS: [i64; 6] = [0; 6];

/// SETTLEMENT section 2, worked: reserve 5002.50; fills of 40 and 20; available 6999.20 after the release.
#[test]
fn partial_fills_void_and_reserve_again() {
    let mut world = World::new();
    world.limit(0, A1, LimitType::BuyingPower, 0, [0, 4, 0, 0, 0, 0]);
    world.deposit(0, "10000");
    let mut order = world.order("o1", A1, Side::Buy, "100", "50.00");
    order.px = dec("50.01");
    let order = world.send(Kind::OrderNew, &order);
    // 5001.00 and 4 bps of it, ceiled to the cent: 2.01.
    assert_eq!(world.reserved(0), i128::from(dec("5003.01")));
    world.fill(id(&order), "40", "49.99");
    // 60 at 50.01 and 60/100 of the fee, half even: 1.21 (1.206).
    assert_eq!(world.reserved(0), i128::from(dec("3001.81")));
    assert_eq!(world.settled(0), i128::from(dec("8000.40")));
    world.report(Kind::VenueCancelled, id(&order));
    assert_eq!(world.reserved(0), 0);
}

/// Of a binary sale what closes goes first and holds no cash, also where both parts are worth the same: at a price of one half.
#[test]
fn the_closing_part_of_a_binary_sale_holds_no_cash_whatever_its_unit_is() {
    let mut world = World::new();
    let body = InstrumentSet {
        row: Instrument {
            id: InstrumentId(0),
            kind: InstrumentKind::Binary as u8,
            ..Instrument::default_linear()
        },
        ..InstrumentSet::zeroed()
    };
    assert_eq!(outcome(&world.send(Kind::InstrumentSet, &body)), "OK");
    world.limit(0, A1, LimitType::BuyingPower, 0, [0, 100, 0, 0, 0, 0]);
    world.last(0, "0.5");
    world.deposit(0, "1000");
    world.trade("T1", A1, Side::Buy, "16", "0.5");
    let order = world.place("o1", A1, Side::Sell, "100", "0.5");
    let held = |world: &World| world.reserved(0);
    // 84 open a short: 42, and one percent of it.
    assert_eq!((outcome(&order), held(&world)), ("OK", i128::from(dec("42.42"))));
    world.fill(id(&order), "10", "0.5");
    world.fill(id(&order), "6", "0.5");
    assert_eq!(held(&world), i128::from(dec("42.42")), "they closed");
    world.fill(id(&order), "42", "0.5");
    assert_eq!(
        held(&world),
        i128::from(dec("21.21")),
        "half of what opens is left"
    );
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn a_fill_beyond_the_order_and_a_fill_after_its_end_are_booked_with_an_alert() {
    let mut world = World::new();
    let order = world.place("o1", A2, Side::Buy, "10", "10");
    let over = world.fill(id(&order), "12", "10");
    assert_eq!(outcome(&over), "OK");
    assert_eq!(over.body::<Execution>().alerts, execution_alerts::OVERFILL);
    assert_eq!(over.body::<Execution>().state_after, OrderState::Filled as u8);
    let late = world.fill(id(&order), "1", "10");
    assert_eq!(late.body::<Execution>().alerts, execution_alerts::LATE_FILL);
    let pair = world.limit.pairs().iter().find(|row| row.node == A2).unwrap();
    assert_eq!(pair.flow.position, i128::from(dec("13")));
    assert_eq!(
        outcome(&world.fill(OrderId::new(0, 999), "1", "10")),
        "ORPHAN_FILL"
    );
}

#[test]
fn an_execution_is_booked_once() {
    let mut world = World::new();
    assert_eq!(outcome(&world.trade("T1", A2, Side::Buy, "5", "10")), "OK");
    assert_eq!(
        outcome(&world.trade("T1", A2, Side::Buy, "5", "10")),
        "DUPLICATE_EXEC_ID"
    );
    let pair = world.limit.pairs().iter().find(|row| row.node == A2).unwrap();
    assert_eq!(pair.flow.position, i128::from(dec("5")));
}

#[test]
fn an_execution_is_known_the_day_after_it_was_booked() {
    let mut world = World::new();
    world.trade("T1", A2, Side::Buy, "5", "10");
    world.roll(CalendarId::UTC, 20_515);
    for n in 0..100 {
        world.trade(&format!("N{n}"), A2, Side::Buy, "1", "10");
    }
    let mut again = *world.trade("N0", A2, Side::Buy, "5", "10").body::<Execution>();
    again.exec_id = ExecId::new("T1").unwrap();
    again.trade_date = 20_514;
    assert_eq!(
        outcome(&world.send(Kind::TradeCapture, &again)),
        "DUPLICATE_EXEC_ID"
    );
}

#[test]
fn a_trade_that_breaks_a_limit_is_booked_and_flagged() {
    let mut world = World::new();
    world.limit(0, U1, LimitType::PositionLong, i128::from(dec("10")), NO_PARAMS);
    let trade = world.trade("T1", A2, Side::Buy, "10", "10");
    assert_eq!(
        trade.body::<Execution>().alerts & execution_alerts::BREACH,
        0,
        "at the figure"
    );
    let trade = world.trade("T2", A2, Side::Buy, "1", "10");
    assert_eq!(outcome(&trade), "OK");
    assert_ne!(trade.body::<Execution>().alerts & execution_alerts::BREACH, 0);
}

#[test]
fn a_fill_that_overdraws_a_cash_account_is_flagged_and_a_margin_account_may_borrow() {
    let mut world = World::new();
    world.deposit(0, "10");
    for (leaf, px, expected) in [
        (A1, "10", 0),
        (S1, "0.01", execution_alerts::OVERDRAFT),
        (A2, "1000", 0),
    ] {
        let trade = world.trade(&format!("T{px}"), leaf, Side::Buy, "1", px);
        assert_eq!(outcome(&trade), "OK");
        assert_eq!(trade.body::<Execution>().alerts, expected, "{leaf} at {px}");
    }
}

/// The account's calendar decides for what it owns: nodes above it, and the strategy below, have calendars that roll at other times.
#[test]
fn proceeds_and_short_sales_are_of_the_accounts_day_whatever_calendars_stand_around_it() {
    const DAY: u32 = 20_514;
    let mut world = World::new();
    let (account, around) = (CalendarId(1), CalendarId(2));
    let node = |world: &mut World,
                node: NodeId,
                parent,
                level: Level,
                owner,
                kind: Option<AccountKind>,
                calendar| {
        let body = NodeSet {
            level: level as u8,
            kind: kind.map_or(0, |kind| kind as u8),
            calendar,
            node,
            parent,
            account: owner,
            ..NodeSet::zeroed()
        };
        let set = if kind.is_some() {
            Kind::AccountSet
        } else {
            Kind::NodeSet
        };
        world.send(set, &body);
    };
    node(&mut world, U1, ORG, Level::User, AccountId::NONE, None, around);
    node(
        &mut world,
        A1,
        U1,
        Level::Account,
        AccountId(0),
        Some(AccountKind::Cash),
        account,
    );
    node(&mut world, S1, A1, Level::Strategy, AccountId(0), None, around);
    let row = Instrument {
        id: InstrumentId(0),
        settle_days: 2,
        ..Instrument::default_linear()
    };
    let set = InstrumentSet {
        row,
        ..InstrumentSet::zeroed()
    };
    world.send(Kind::InstrumentSet, &set);
    world.roll(account, DAY);
    world.roll(around, DAY);
    world.limit(0, U1, LimitType::BuyingPower, 0, [0; 6]);
    world.trade("T1", S1, Side::Buy, "10", "10");
    world.deposit(0, "100");
    let sale = world.trade("T2", S1, Side::Sell, "10", "10");
    let spends = |world: &mut World, name: &str| {
        let order = world.place(name, S1, Side::Buy, "10", "10");
        let code = outcome(&order);
        if code == "OK" {
            let id = order.body::<OrderNew>().view.order_id;
            world.report(Kind::VenueCancelled, id);
        }
        code
    };
    assert_eq!(spends(&mut world, "o1"), "BUYING_POWER", "not settled yet");
    // The day ends around the account, and not for it.
    world.roll(around, DAY + 1);
    assert_eq!(spends(&mut world, "o2"), "BUYING_POWER");
    assert_eq!(outcome(&world.withdraw(0, "1")), "BUYING_POWER");
    let body = TradeBust {
        exec_ref_id: ExecId::new("T2").unwrap(),
        trade_date: sale.body::<Execution>().trade_date,
        ..TradeBust::zeroed()
    };
    assert_eq!(outcome(&world.send(Kind::TradeBust, &body)), "OK");
    world.deposit(0, "100");
    assert_eq!(
        spends(&mut world, "o3"),
        "OK",
        "what was deferred went back with the sale"
    );
    world.trade("T3", S1, Side::Sell, "10", "10");
    world.withdraw(0, "100");
    assert_eq!(spends(&mut world, "o4"), "BUYING_POWER");
    world.roll(account, DAY + 1);
    assert_eq!(spends(&mut world, "o5"), "OK", "the account's next day");
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn shorts_sold_count_on_the_accounts_day_at_every_node() {
    const DAY: u32 = 20_514;
    let mut world = World::new();
    let body = NodeSet {
        level: Level::User as u8,
        calendar: CalendarId(2),
        node: U1,
        parent: ORG,
        account: AccountId::NONE,
        ..NodeSet::zeroed()
    };
    world.send(Kind::NodeSet, &body);
    world.roll(CalendarId(2), DAY);
    world.limit(0, U1, LimitType::ShortSale, 0, [0; 6]);
    let locate = Locate {
        qty: dec("10"),
        qty_dp: 8,
        account: AccountId(1),
        instrument: InstrumentId(0),
        leaf: A2,
        ..Locate::zeroed()
    };
    assert_eq!(outcome(&world.send(Kind::Locate, &locate)), "OK");
    world.trade("T1", A2, Side::SellShort, "10", "10");
    let sells = |world: &mut World, name: &str| outcome(&world.place(name, A2, Side::SellShort, "1", "10"));
    assert_ne!(sells(&mut world, "o1"), "OK");
    world.roll(CalendarId(2), DAY + 1);
    assert_ne!(
        sells(&mut world, "o2"),
        "OK",
        "the grant is used up for the account's day"
    );
    world.roll(CalendarId::UTC, DAY + 1);
    assert_eq!(sells(&mut world, "o3"), "OK");
}
