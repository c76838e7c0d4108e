//! Fills and trades executed elsewhere: booked once, whatever the limits say.

use super::world::{A1, A2, S1, U1, World, dec, id, outcome};
use tradewind_domain::codes::{LimitType, OrderState, Side};
use tradewind_domain::event::{Execution, Kind, execution_alerts};
use tradewind_domain::ids::{CalendarId, OrderId};

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
    again.exec_id = tradewind_domain::text::ExecId::new("T1").unwrap();
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
