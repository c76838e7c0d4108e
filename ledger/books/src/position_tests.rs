use super::*;
use crate::testing::*;
use proptest::prelude::*;
use tradewind_domain::codes::{InstrumentKind, Side};
use tradewind_domain::event::{TradeBust, execution_alerts};
use tradewind_domain::fixed::{NetQty, POSTED_MAX};

fn share_row() -> Instrument {
    instrument(0, InstrumentKind::Equity, 2)
}

fn inverse_row() -> Instrument {
    instrument(0, InstrumentKind::Inverse, 8)
}

/// Runs "BUY qty px" lines and checks "= qty cost realised" after them.
fn check(of: Instrument, script: &str) -> Desk {
    let mut desk = Desk::new(&[of]);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["=", qty, cost, realised] => {
                let row = desk.position.position(holding(A, of.id)).unwrap();
                let found = (
                    row.qty.to_string(),
                    row.cost.to_string(),
                    row.realised.to_string(),
                );
                let expected = (NetQty::from_raw(raw(qty).into()), money(cost), money(realised));
                assert_eq!(
                    found,
                    (
                        expected.0.to_string(),
                        expected.1.to_string(),
                        expected.2.to_string()
                    ),
                    "{line}"
                );
            }
            ["mark", px, unrealised] => {
                desk.run(last_trade(&of, raw(px)));
                assert_eq!(
                    desk.position.unrealised(holding(A, of.id)),
                    Some(money(unrealised)),
                    "{line}"
                );
            }
            [side, qty, px] => {
                let side = Side::from_text(side).unwrap();
                desk.run(execution(A, &of, side, raw(qty), raw(px), Money::ZERO));
            }
            _ => panic!("{line}"),
        }
    }
    assert!(desk.settle.audit().is_sound());
    desk
}

#[test]
fn average_cost_is_that_of_the_table_in_section_6() {
    check(
        share_row(),
        "BUY 100 10
         BUY 100 14
         BUY 100 12
         SELL 150 15
         = 150 1800 450
         mark 13 150",
    );
    check(
        share_row(),
        "SELL_SHORT 100 10
         SELL_SHORT 100 14
         SELL_SHORT 100 12
         BUY 150 9
         = -150 1800 450
         mark 11 150",
    );
}

#[test]
fn crossing_zero_closes_and_opens_in_one_fill() {
    let desk = check(
        share_row(),
        "BUY 100 10
         SELL 150 12
         = -50 600 200
         BUY 50 11
         = 0 0 250",
    );
    let row = desk.position.position(holding(A, InstrumentId(0))).unwrap();
    assert_eq!(row.opened_qty, NetQty::from_raw(units(150).into()));
    assert_eq!(row.closed_qty, NetQty::from_raw(units(150).into()));
}

#[test]
fn partial_closes_keep_the_remainder_with_the_rest() {
    check(
        share_row(),
        "BUY 3 33.335
         = 3 100.01 0
         SELL 1 33.335
         = 2 66.67 0
         SELL 1 33.335
         = 1 33.33 0
         SELL 1 33.33
         = 0 0 0",
    );
}

#[test]
fn inverse_contracts_gain_as_their_coin_value_falls() {
    check(
        inverse_row(),
        "BUY 10000 8000
         = 10000 1.25 0
         SELL 10000 12500
         = 0 0 0.45",
    );
    check(inverse_row(), "SELL_SHORT 1000 5000\nmark 4500 0.02222222");
    let desk = check(inverse_row(), "BUY 1000 5000\nBUY 2000 6000\n= 3000 0.53333333 0");
    let row = desk.position.position(holding(A, InstrumentId(0))).unwrap();
    assert_eq!(row.avg_px(&inverse_row()), Some(raw("5625.00003516").into()));
}

#[test]
fn a_binary_settled_at_one_or_zero_gains_or_loses_what_was_paid() {
    let row = instrument(0, InstrumentKind::Binary, 2);
    check(row, "BUY 100 0.42\nSELL 100 1\n= 0 0 58");
    check(row, "BUY 100 0.42\nSELL 100 0\n= 0 0 -42");
}

#[test]
fn dust_that_rounds_to_nothing_is_held_at_cost_zero() {
    check(
        share_row(),
        "BUY 0.00000001 0.5
         = 0.00000001 0 0
         SELL 0.00000001 0.5
         = 0 0 0",
    );
}

#[test]
fn negative_prices_give_negative_cost() {
    check(
        share_row(),
        "BUY 10 -3
         = 10 -30 0
         SELL 5 -1
         = 5 -15 10
         SELL 10 2
         = -5 10 35",
    );
}

#[test]
fn position_writes_its_facts_on_the_execution() {
    let desk = check(share_row(), "BUY 100 10\nSELL 150 12");
    let facts = desk.last();
    assert_eq!(
        (facts.realised, facts.cost_delta, facts.closed_qty),
        (money("200"), money("-400"), units(100))
    );
}

#[test]
fn fees_are_summed_beside_the_realised_profit() {
    let of = share_row();
    let mut desk = Desk::new(&[of]);
    desk.run(execution(A, &of, Side::Buy, units(10), units(5), money("0.30")));
    desk.run(execution(A, &of, Side::Sell, units(10), units(6), money("-0.10")));
    let totals = desk.position.account_totals(A, USD);
    assert_eq!(
        (totals.realised, totals.fees, totals.total()),
        (money("10"), money("0.20"), money("9.80"))
    );
    assert_eq!((totals.open, totals.unmarked), (0, 0));
}

#[test]
fn the_mark_is_the_last_trade_then_the_configured_mark_then_the_last_fill() {
    let (of, id) = (share_row(), share_row().id);
    let mut desk = Desk::new(&[of]);
    assert_eq!(desk.position.mark(id), None);
    desk.run(execution(A, &of, Side::Buy, units(10), units(5), Money::ZERO));
    assert_eq!(desk.position.mark(id), Some(Price::from_raw(units(5))));
    desk.run(instrument_set(Instrument {
        configured_mark: units(6),
        ..of
    }));
    assert_eq!(desk.position.unrealised(holding(A, id)), Some(money("10")));
    desk.run(last_trade(&of, units(7)));
    assert_eq!(desk.position.unrealised(holding(A, id)), Some(money("20")));
    desk.run(quote(&of, units(90), units(91)));
    desk.run(outside_mark(&of, units(80), 1));
    desk.run(execution(A, &of, Side::Buy, units(1), units(8), Money::ZERO));
    assert_eq!(desk.position.mark(id), Some(Price::from_raw(units(7))));
    desk.run(outside_mark(&of, units(4), 0));
    assert_eq!(desk.position.mark(id), Some(Price::from_raw(units(4))));
}

#[test]
fn totals_are_per_account_and_currency() {
    let rows = [share_row(), instrument(1, InstrumentKind::Equity, 2)];
    let mut desk = Desk::new(&rows);
    desk.run(execution(A, &rows[0], Side::Buy, units(10), units(5), money("1")));
    desk.run(execution(A, &rows[1], Side::Buy, units(10), units(5), money("2")));
    desk.run(execution(
        AccountId(2),
        &rows[0],
        Side::Buy,
        units(10),
        units(5),
        money("4"),
    ));
    desk.run(last_trade(&rows[0], units(6)));
    let totals = desk.position.account_totals(A, USD);
    assert_eq!(
        (totals.fees, totals.unrealised, totals.open),
        (money("1"), money("10"), 1)
    );
    assert_eq!(desk.position.account_totals(A, CurrencyId(1)).fees, money("2"));
    assert_eq!(
        desk.position.account_totals(A, CurrencyId(2)),
        AccountTotals::default()
    );
}

#[test]
fn applying_follows_the_record_even_where_the_rule_says_otherwise() {
    let desk = check(share_row(), "BUY 100 10\nSELL 50 12\n= 50 500 100");
    let mut replica = Desk::new(&[]);
    for event in &desk.journal {
        let mut event = *event;
        if event.kind() == Some(Kind::TradeCapture) && event.body::<Execution>().closed_qty != 0 {
            event.body_mut::<Execution>().realised = money("99.99");
            event.body_mut::<Execution>().cost_delta = money("-499.99");
        }
        replica.position.apply(&event);
    }
    let row = replica.position.position(holding(A, InstrumentId(0))).unwrap();
    assert_eq!((row.cost, row.realised), (money("500.01"), money("99.99")));
}

#[test]
fn an_execution_without_a_row_is_counted() {
    let of = share_row();
    let mut desk = Desk::new(&[of]);
    let mut lost = execution(A, &of, Side::Buy, 1, 1, Money::ZERO);
    lost.body_mut::<Execution>().holding = HoldingId::NONE;
    desk.run(lost);
    assert_eq!(desk.position.unplaced(), 1);
    assert_eq!(desk.position.positions().count(), 0);
}

#[test]
fn shares_whose_product_leaves_128_bits_are_exact() {
    let of = instrument(0, InstrumentKind::Crypto, 8);
    let mut desk = Desk::new(&[of]);
    let (third, lots) = (POSTED_MAX.raw() / 4, i64::MAX / 3);
    let trade = |desk: &mut Desk, side, qty: i64, principal: i128| {
        let mut event = execution(A, &of, side, qty, 1, Money::ZERO);
        event.body_mut::<Execution>().principal = Money::from_raw(principal);
        desk.run(event);
        let row = desk.position.position(holding(A, of.id)).unwrap();
        (row.qty.raw(), row.cost.raw(), row.realised.raw())
    };
    let whole = i128::from(lots) * 3;
    assert_eq!((3 * third).checked_mul(whole), None);
    assert_eq!(
        trade(&mut desk, Side::Buy, 3 * lots, 3 * third),
        (whole, 3 * third, 0)
    );
    assert_eq!(
        trade(&mut desk, Side::Sell, lots, third + 5),
        (whole / 3 * 2, 2 * third, 5)
    );
    // A sale of three that closes two and opens one: both halves are shares of large amounts.
    assert_eq!(
        trade(&mut desk, Side::Sell, 3 * lots, 3 * third + 3),
        (-whole / 3, third + 1, 7)
    );
}

/// The obvious model: counts in minor units, closes first, then opens, each as its own step.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
struct Naive {
    qty: i128,
    cost: i128,
    realised: i128,
}

/// `n / d` to the nearest whole number, halves to the even one, found from below.
fn half_even(n: i128, d: i128) -> i128 {
    let floor = n.div_euclid(d);
    let twice = 2 * (n - floor * d);
    if twice > d || (twice == d && floor.rem_euclid(2) == 1) {
        floor + 1
    } else {
        floor
    }
}

impl Naive {
    fn trade(&mut self, mut signed: i128, mut value: i128, inverse: bool) {
        let side = self.qty.signum();
        if side * signed < 0 {
            let close = self.qty.abs().min(signed.abs());
            let closed_value = half_even(value * close, signed.abs());
            let removed = half_even(self.cost * close, self.qty.abs());
            self.realised += (closed_value - removed) * side * if inverse { -1 } else { 1 };
            self.cost -= removed;
            self.qty -= side * close;
            signed += side * close;
            value -= closed_value;
        }
        self.qty += signed;
        self.cost += value;
    }
}

/// Side, quantity in lots, price in ticks.
fn trades() -> impl Strategy<Value = Vec<(bool, i64, i64)>> {
    prop::collection::vec((any::<bool>(), 1i64..500, 1i64..20_000), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn positions_agree_with_the_obvious_model(trades in trades(), inverse: bool, negative: bool) {
        let of = if inverse { inverse_row() } else { share_row() };
        let minor_unit = 10i128.pow(8 - u32::from(of.money_dp));
        let mut desk = Desk::new(&[of]);
        let (mut naive, mut flow, mut net) = (Naive::default(), 0i128, 0i128);
        for (buy, lots, ticks) in trades {
            let side = if buy { Side::Buy } else { Side::Sell };
            let px = if negative && !inverse { ticks - 10_000 } else { ticks } * 100_000;
            desk.run(execution(A, &of, side, lots * 1_000_000, px, Money::ZERO));
            let principal = desk.last().principal.raw();
            naive.trade(side.sign() * i128::from(lots), principal / minor_unit, inverse);
            flow -= side.sign() * principal;
            net += side.sign() * i128::from(lots * 1_000_000);
            let row = desk.position.position(holding(A, of.id)).unwrap();
            prop_assert_eq!(row.qty.raw(), naive.qty * 1_000_000);
            prop_assert_eq!(row.cost.raw(), naive.cost * minor_unit);
            prop_assert_eq!(row.realised.raw(), naive.realised * minor_unit);
            // I3, I6 and "flat costs nothing" of SETTLEMENT section 8.
            prop_assert_eq!(row.qty.raw(), net);
            let sign = if inverse { -1 } else { 1 };
            prop_assert_eq!(row.realised.raw() * sign - row.qty.raw().signum() * row.cost.raw(), flow);
            prop_assert!(row.qty.raw() != 0 || row.cost.raw() == 0);
            prop_assert_eq!(row.opened_qty.raw() - row.closed_qty.raw(), row.qty.raw().abs());
        }
        prop_assert_eq!(desk.replayed().digest(), desk.digest());
    }

    #[test]
    fn extreme_quantities_and_values_keep_every_identity(
        trades in prop::collection::vec((any::<bool>(), 1i64.., -POSTED_MAX.raw()..=POSTED_MAX.raw()), 1..30),
        mark: i64,
    ) {
        let of = instrument(0, InstrumentKind::Crypto, 8);
        let mut desk = Desk::new(&[of]);
        let (mut flow, mut net) = (0i128, 0i128);
        for (buy, qty, principal) in trades {
            let side = if buy { Side::Buy } else { Side::Sell };
            let mut event = execution(A, &of, side, qty, 1, Money::ZERO);
            event.body_mut::<Execution>().principal = Money::from_raw(principal);
            desk.run(event);
            flow -= side.sign() * principal;
            net += side.sign() * i128::from(qty);
            let row = desk.position.position(holding(A, of.id)).unwrap();
            prop_assert_eq!(row.qty.raw(), net);
            prop_assert_eq!(row.realised.raw() - net.signum() * row.cost.raw(), flow);
            row.avg_px(&of);
        }
        desk.run(last_trade(&of, mark));
        desk.position.account_totals(A, USD);
        prop_assert!(desk.settle.audit().is_sound() || desk.settle.audit().negative > 0);
        prop_assert_eq!(desk.settle.audit().unbalanced + desk.settle.audit().drifted, 0);
    }
}

/// SETTLEMENT section 6: buy 100 @ 10, buy 100 @ 20, sell 100 @ 15; the second is busted.
#[test]
fn a_busted_trade_leaves_the_position_that_would_be_without_it() {
    let of = share_row();
    let mut desk = Desk::new(&[of]);
    for (side, px) in [(Side::Buy, 10), (Side::Buy, 20), (Side::Sell, 15)] {
        desk.run(execution(A, &of, side, units(100), units(px), money("1")));
    }
    let trade = desk.journal[2];
    desk.run(bust(&taken_back(&trade, trade.body())));
    let body: &TradeBust = desk.journal.last().unwrap().body();
    assert_eq!((body.realised, body.cost_delta), (money("500"), money("-1500")));
    assert_eq!((body.closed_qty, body.alerts), (0, 0));
    let row = *desk.position.position(holding(A, of.id)).unwrap();
    assert_eq!(
        (row.qty.raw(), row.realised, row.cost),
        (0, money("500"), Money::ZERO)
    );
    assert_eq!((row.fees, row.fills), (money("2"), 2));
}

#[test]
fn a_position_of_which_every_trade_was_busted_never_was() {
    let of = share_row();
    let mut desk = Desk::new(&[of]);
    desk.run(execution(A, &of, Side::Buy, units(3), units(10), Money::ZERO));
    let trade = desk.journal[1];
    desk.run(bust(&taken_back(&trade, trade.body())));
    assert_eq!(desk.position.position(holding(A, of.id)), None);
    assert_eq!(desk.settle.custody(holding(A, of.id)).settled.raw(), 0);
}

/// The test's desk remembers three fills: the trade is forgotten, and so is the way back to a flat position.
#[test]
fn without_all_fills_since_the_trade_the_cost_is_adjusted_and_the_record_says_so() {
    let of = share_row();
    let mut desk = Desk::with_executions(&[of], 3);
    let mut bust_nth = |nth: usize| {
        if desk.journal.len() == 1 {
            for px in [10, 20, 30, 40] {
                desk.run(execution(A, &of, Side::Buy, units(1), units(px), Money::ZERO));
            }
        }
        let trade = desk.journal[nth];
        desk.run(bust(&taken_back(&trade, trade.body())));
        assert_eq!(desk.replayed().digest(), desk.digest());
        let alerts = desk.journal.last().unwrap().body::<TradeBust>().alerts;
        let row = *desk.position.position(holding(A, of.id)).unwrap();
        (alerts, row.cost, row.realised)
    };
    // 100 were paid and 10 come back: three shares keep three quarters of the cost, and the rest counts as a loss.
    assert_eq!(
        bust_nth(1),
        (execution_alerts::NOT_REPLAYED, money("75"), money("-15"))
    );
    // Without the first the position was flat before the second: from there everything is retained, and known again.
    assert_eq!(bust_nth(3), (0, money("60"), Money::ZERO));
}

/// One step of a day of trades: a new one, or another version of one there was.
#[derive(Clone, Copy, Debug)]
enum Change {
    Trade(bool, i64, i64),
    Bust(usize),
    Correct(usize, i64, i64),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let (lots, ticks) = (1i64..60, 1i64..20_000);
    let change = prop_oneof![
        4 => (any::<bool>(), lots.clone(), ticks.clone()).prop_map(|(buy, lots, ticks)| Change::Trade(buy, lots, ticks)),
        1 => any::<usize>().prop_map(Change::Bust),
        1 => (any::<usize>(), lots, ticks).prop_map(|(nth, lots, ticks)| Change::Correct(nth, lots, ticks)),
    ];
    prop::collection::vec(change, 1..80)
}

/// A desk that only ever saw the live versions.
fn as_if(of: &Instrument, live: &[Execution]) -> Desk {
    let mut desk = Desk::new(&[*of]);
    for version in live {
        let side = Side::from_code(version.side).unwrap();
        desk.run(execution(A, of, side, version.qty, version.px, version.fee));
    }
    desk
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn busts_and_corrections_leave_what_would_be_had_the_trades_been_others(changes in changes(), inverse: bool) {
        let of = if inverse { inverse_row() } else { share_row() };
        let mut desk = Desk::new(&[of]);
        let mut live: Vec<(Event, Execution)> = Vec::new();
        for change in changes {
            match change {
                Change::Trade(buy, lots, ticks) => {
                    let side = if buy { Side::Buy } else { Side::Sell };
                    desk.run(execution(A, &of, side, lots * 1_000_000, ticks * 100_000, money("0.01")));
                    live.push((*desk.journal.last().unwrap(), *desk.last()));
                }
                _ if live.is_empty() => continue,
                Change::Bust(nth) => {
                    let (trade, version) = live.remove(nth % live.len());
                    desk.run(bust(&taken_back(&trade, &version)));
                }
                Change::Correct(nth, lots, ticks) => {
                    let nth = nth % live.len();
                    let (trade, version) = live[nth];
                    let taken = taken_back(&trade, &version);
                    desk.run(correction(&taken, &of, lots * 1_000_000, ticks * 100_000, money("0.02")));
                    live[nth].1 = *desk.last();
                }
            }
            let versions: Vec<_> = live.iter().map(|(_, version)| *version).collect();
            let other = as_if(&of, &versions);
            let id = holding(A, of.id);
            prop_assert_eq!(desk.position.position(id), other.position.position(id));
            prop_assert_eq!(desk.settle.custody(id), other.settle.custody(id));
            let cash = |desk: &Desk| desk.settle.wallet(wallet(A, of.currency)).map(|wallet| wallet.settled);
            prop_assert_eq!(cash(&desk).unwrap_or(Money::ZERO), cash(&other).unwrap_or(Money::ZERO));
        }
        prop_assert!(desk.settle.audit().is_sound());
        prop_assert_eq!(desk.replayed().digest(), desk.digest());
    }
}
