//! Fees by schedule, and conversions between currencies.

use super::world::*;
use bytemuck::Zeroable;
use tradewind_domain::codes::{LimitType, Side};
use tradewind_domain::event::{
    CurrencySet, Event, Execution, FeeScheduleSet, FxConversion, FxRate, Kind, OrderNew, execution_flags,
};
use tradewind_domain::fees::FeeModel;
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, CurrencyId, InstrumentId, VenueId};
use tradewind_domain::text::{ExecId, Text};

fn schedule(account: u32, model: FeeModel, rate: &str, min: &str) -> FeeScheduleSet {
    FeeScheduleSet {
        params: [dec(rate), dec(min), 0, 0, 0, 0],
        model: model as u8,
        venue: VenueId::NONE,
        account: AccountId(account),
        instrument: InstrumentId::NONE,
        ..FeeScheduleSet::zeroed()
    }
}

fn fee(event: &Event) -> String {
    assert_eq!(outcome(event), "OK");
    event.body::<Execution>().fee.to_string()
}

#[test]
fn an_order_reserves_its_schedules_fee_and_its_fills_are_charged_it() {
    let mut world = World::new();
    world.limit(0, U1, LimitType::BuyingPower, 0, [0, 100, 0, 0, 0, 0]);
    world.deposit(0, "10000");
    let set = schedule(0, FeeModel::PerUnit, "0.005", "1");
    assert_eq!(outcome(&world.send(Kind::FeeScheduleSet, &set)), "OK");
    let placed = world.place("o1", S1, Side::Buy, "100", "10");
    assert_eq!(placed.body::<OrderNew>().view.fee.to_string(), "1", "and not 1 %");
    assert_eq!(world.reserved(0), i128::from(dec("1001")));
    let order = id(&placed);
    assert_eq!(fee(&world.fill(order, "30", "10")), "1", "the minimum");
    assert_eq!(fee(&world.fill(order, "30", "10")), "0", "is the order's");
    let reported = Execution {
        exec_id: ExecId::new("R1").unwrap(),
        order_id: order,
        qty: dec("10"),
        px: dec("10"),
        fee: Money::from_raw(dec("0.33").into()),
        flags: execution_flags::HAS_FEE,
        ..Execution::zeroed()
    };
    assert_eq!(
        fee(&world.send(Kind::VenueFill, &reported)),
        "0.33",
        "what the venue says"
    );
    assert_eq!(fee(&world.fill(order, "30", "10")), "0");
    assert_eq!(world.reserved(0), 0);
    assert_eq!(world.settled(0), i128::from(dec("8998.67")));
    assert_eq!(fee(&world.trade("T1", S1, Side::Sell, "400", "10")), "2");
    assert_eq!(
        fee(&world.trade("T2", A2, Side::Sell, "400", "10")),
        "0",
        "no schedule"
    );
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn a_schedule_that_makes_no_sense_is_refused_and_one_is_removed_by_model_0() {
    let mut world = World::new();
    let nonsense = schedule(0, FeeModel::Bps, "1", "1");
    assert_eq!(
        outcome(&world.send(Kind::FeeScheduleSet, &nonsense)),
        "INVALID_VALUE"
    );
    let flat = schedule(0, FeeModel::Flat, "2", "0");
    world.send(Kind::FeeScheduleSet, &flat);
    assert_eq!(fee(&world.trade("T1", S1, Side::Buy, "1", "10")), "2");
    world.send(Kind::FeeScheduleSet, &FeeScheduleSet { model: 0, ..flat });
    assert_eq!(fee(&world.trade("T2", S1, Side::Buy, "1", "10")), "0");
    assert!(digest(&world.limit) == digest(&world.replica));
}

const YEN: CurrencyId = CurrencyId(1);

fn with_yen() -> World {
    let mut world = World::new();
    let yen = CurrencySet {
        code: Text::new("JPY").unwrap(),
        currency: YEN,
        ..CurrencySet::zeroed()
    };
    world.send(Kind::CurrencySet, &yen);
    let rate = FxRate {
        rate: dec("0.0066"),
        rate_dp: 8,
        currency: YEN,
        ..FxRate::zeroed()
    };
    world.send(Kind::FxRate, &rate);
    world
}

fn convert(world: &mut World, reference: &str, amount: &str, rate: &str) -> Event {
    let body = FxConversion {
        reference: ExecId::new(reference).unwrap(),
        amount: Money::from_raw(dec(amount).into()),
        rate: dec(rate),
        rate_dp: 8,
        sold_dp: 2,
        sold: CurrencyId(0),
        currency_bought: YEN,
        account: AccountId(0),
        leaf: A1,
        ..FxConversion::zeroed()
    };
    world.send(Kind::FxConversion, &body)
}

#[test]
fn a_conversion_sells_an_exact_amount_and_buys_whole_yen() {
    let mut world = with_yen();
    world.deposit(0, "100");
    let done = convert(&mut world, "X1", "33.33", "151.237");
    assert_eq!(outcome(&done), "OK");
    assert_eq!(done.body::<FxConversion>().bought.to_string(), "5041");
    let cash = |currency: CurrencyId| {
        let rows = world.limit.wallets();
        let of: Vec<i128> = rows
            .filter(|(_, row)| row.currency == currency)
            .map(|(_, row)| row.settled.raw())
            .collect();
        of
    };
    assert_eq!(cash(CurrencyId(0)), [i128::from(dec("66.67"))]);
    assert_eq!(cash(YEN), [i128::from(dec("5041"))]);
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn a_conversion_takes_money_that_could_leave_and_each_reference_once() {
    let mut world = with_yen();
    world.limit(0, U1, LimitType::BuyingPower, 0, [0; 6]);
    assert_eq!(outcome(&convert(&mut world, "X0", "1", "150")), "BUYING_POWER");
    world.deposit(0, "1000");
    world.place("o1", S1, Side::Buy, "90", "10");
    for (reference, amount, rate, expected) in [
        ("X1", "100.01", "150", "BUYING_POWER"),
        ("X1", "100.001", "150", "INVALID_VALUE"),
        ("X1", "0", "150", "INVALID_VALUE"),
        ("X1", "0.01", "1", "INVALID_VALUE"), // buys nothing
        ("X1", "10", "-1", "INVALID_VALUE"),
        ("", "10", "150", "MALFORMED"),
        ("X1", "90", "150", "OK"),
        ("X1", "1", "150", "DUPLICATE_EXEC_ID"),
        ("X2", "10", "150", "OK"),
        ("X3", "0.01", "150", "BUYING_POWER"),
    ] {
        assert_eq!(
            outcome(&convert(&mut world, reference, amount, rate)),
            expected,
            "{amount} at {rate}"
        );
    }
    assert!(digest(&world.limit) == digest(&world.replica));
}
