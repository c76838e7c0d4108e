//! The worked examples of SETTLEMENT section 6 and 12, and the engine against the plain model of it.

use super::naive::{Naive, NaiveLot};
use super::*;
use crate::testing::{money, raw, units};
use proptest::prelude::*;
use tradewind_domain::corporate::{Ratio, SplitQty};
use tradewind_domain::fixed::{ONE, Price};
use tradewind_domain::ids::HoldingId;
use tradewind_domain::reference::Instrument;

const H: HoldingId = HoldingId(1);
const METHODS: [LotMethod; 4] = [
    LotMethod::Fifo,
    LotMethod::Lifo,
    LotMethod::Hifo,
    LotMethod::AverageCost,
];

/// One holding under one method, money with two decimals.
struct Desk {
    lots: Lots,
    terms: Terms,
    next: Seq,
    closings: Vec<Closing>,
}

impl Desk {
    fn new(method: LotMethod) -> Self {
        Self::with(Naive::new(method, false, false).terms(), 1_000)
    }

    fn with(terms: Terms, room: u32) -> Self {
        Self {
            lots: Lots::new(2, room),
            terms,
            next: 1,
            closings: Vec::new(),
        }
    }

    fn book(&mut self, qty: i128, value: i128, fee: i128, named: &[NamedLot]) -> Outcome {
        let trade = Trade {
            id: self.next,
            qty: NetQty::from_raw(qty),
            value: Money::from_raw(value),
            fee: Money::from_raw(fee),
            day: 20_260_302,
            named,
        };
        self.next += 1;
        let closings = &mut self.closings;
        self.lots
            .trade(H, self.terms, &trade, &mut |closing| closings.push(*closing))
    }

    fn trade(&mut self, qty: i64, px: &str) {
        let value = i128::from(qty.abs()) * i128::from(raw(px));
        self.book(i128::from(units(qty)), value, 0, &[]);
    }

    fn split(&mut self, ratio: Ratio, step: i64, cash: Money) -> Outcome {
        let action = Action {
            id: self.next,
            day: 20_260_303,
        };
        self.next += 1;
        let closings = &mut self.closings;
        self.lots
            .split(H, self.terms, action, (ratio, step), cash, &mut |closing| {
                closings.push(*closing)
            })
    }

    fn head(&self) -> &LotHead {
        self.lots.head(H).expect("a row")
    }

    fn held(&self) -> Vec<NaiveLot> {
        let lot = |lot: Lot| (lot.open, lot.qty.raw(), lot.cost.raw());
        self.lots.lots(H).map(lot).collect()
    }

    /// The invariants of the module's head.
    fn check(&self) {
        let (head, held) = (self.head(), self.held());
        assert_eq!(held.iter().map(|lot| lot.1).sum::<i128>(), head.qty.raw().abs());
        assert_eq!(held.iter().map(|lot| lot.2).sum::<i128>(), head.cost.raw());
        assert_eq!(held.len(), head.count as usize);
        assert!(held.iter().all(|lot| lot.1 > 0));
        let gains: i128 = self.closings.iter().map(|closing| closing.gain.raw()).sum();
        assert_eq!(
            gains,
            head.realised.raw(),
            "what the visitor saw is what was realised"
        );
    }
}

#[test]
fn each_method_closes_the_lots_that_the_specification_names() {
    // 100@10, 100@14, 100@12, then 150 closed at 15 (long) or 9 (short): realised and cost left.
    for (method, long, short) in [
        (LotMethod::AverageCost, ("450", "1800"), ("450", "1800")),
        (LotMethod::Fifo, ("550", "1900"), ("350", "1900")),
        (LotMethod::Lifo, ("350", "1700"), ("550", "1700")),
        (LotMethod::Hifo, ("250", "1600"), ("250", "2000")),
    ] {
        for (side, px, (realised, cost)) in [(1, "15", long), (-1, "9", short)] {
            let mut desk = Desk::new(method);
            for open in ["10", "14", "12"] {
                desk.trade(side * 100, open);
            }
            desk.trade(side * -150, px);
            desk.check();
            assert_eq!(desk.head().realised, money(realised), "{method} {side}");
            assert_eq!(desk.head().cost, money(cost), "{method} {side}");
        }
    }
}

#[test]
fn a_trade_through_zero_closes_one_side_and_opens_the_other_at_its_own_price() {
    for method in METHODS {
        let mut desk = Desk::new(method);
        desk.trade(100, "10");
        desk.trade(-150, "12");
        assert_eq!(desk.head().realised, money("200"));
        assert_eq!(desk.held(), [(2, i128::from(units(50)), money("600").raw())]);
        desk.trade(50, "11");
        assert_eq!((desk.head().realised, desk.head().count), (money("250"), 0));
        desk.check();
    }
}

#[test]
fn named_lots_close_first_and_the_rest_goes_by_the_method() {
    let mut desk = Desk::new(LotMethod::Hifo);
    for px in ["10", "14", "12"] {
        desk.trade(100, px);
    }
    let qty = NetQty::from_raw(units(60).into());
    let named = [NamedLot { open: 1, qty }, NamedLot { open: 99, qty }];
    desk.book(-i128::from(units(100)), money("1500").raw(), 0, &named);
    desk.check();
    let lot = |open, qty, cost| (open, i128::from(units(qty)), money(cost).raw());
    assert_eq!(
        desk.held(),
        [lot(1, 40, "400"), lot(2, 60, "840"), lot(3, 100, "1200")]
    );
    assert_eq!(desk.head().realised, money("340"));
}

#[test]
fn fees_in_the_basis_go_to_both_parts_of_a_trade_through_zero() {
    let mut desk = Desk::with(Naive::new(LotMethod::Fifo, false, true).terms(), 10);
    let units = |n| i128::from(units(n));
    desk.book(units(100), money("1000").raw(), money("5").raw(), &[]);
    desk.book(units(-150), money("1800").raw(), money("6").raw(), &[]);
    // 4.00 of the fee goes with the close, 2.00 is taken off the short's proceeds.
    assert_eq!(desk.head().realised, money("191"));
    assert_eq!(desk.head().cost, money("598"));
}

#[test]
fn a_reverse_split_pays_the_remainder_of_the_total_out_of_the_newest_lot() {
    let mut desk = Desk::new(LotMethod::Fifo);
    for px in ["9", "10", "11"] {
        desk.trade(50, px);
    }
    desk.trade(1, "12");
    let ratio = Ratio::new(1, 3).unwrap();
    // 151 / 3 = 50 and a third: all of the newest lot goes with the cash.
    desk.split(ratio, ONE, money("40"));
    desk.check();
    let lot = |open, qty, cost| (open, i128::from(units(qty)), money(cost).raw());
    assert_eq!(
        desk.held(),
        [lot(1, 16, "450"), lot(2, 17, "500"), lot(3, 17, "550")]
    );
    assert_eq!(desk.head().realised, money("28"));
}

#[test]
fn variation_margin_leaves_the_total_profit_as_it_was() {
    for method in METHODS {
        let mut desk = Desk::new(method);
        desk.trade(2, "5000.33");
        desk.trade(1, "5010.01");
        let action = Action {
            id: 9,
            day: 20_260_303,
        };
        let terms = desk.terms;
        let outcome = desk
            .lots
            .revalue(H, terms, action, money("15060.01"), &mut |_| {});
        assert_eq!(outcome.realised, money("49.34"));
        assert_eq!(desk.head().cost, money("15060.01"));
        assert_eq!(desk.head().realised, money("49.34"));
        desk.closings.clear();
        desk.trade(-3, "5000");
        assert_eq!(
            desk.head().realised,
            money("-10.67"),
            "{method}: 15000.00 - 15010.67"
        );
    }
}

#[test]
fn a_full_pool_merges_the_oldest_lots_at_carried_cost_and_says_so() {
    for method in [LotMethod::Fifo, LotMethod::Lifo, LotMethod::Hifo] {
        let mut desk = Desk::with(Naive::new(method, false, false).terms(), 2);
        for (count, px) in (1..).zip(["10", "14", "12", "11", "13"]) {
            desk.trade(100, px);
            assert_eq!(
                desk.head().count,
                count.min(3),
                "two rows of the pool and one of its own"
            );
            desk.check();
        }
        assert_eq!(desk.head().merges, 2);
        let merged: Vec<bool> = desk.lots.lots(H).map(|lot| lot.is_merged).collect();
        assert_eq!(merged, [true, false, false], "{method}");
        assert_eq!(desk.held()[0], (1, i128::from(units(300)), money("3600").raw()));
        // The other holding has a row of its own still, and no more.
        let other = HoldingId(0);
        for id in [101, 102] {
            let trade = Trade {
                id,
                qty: NetQty::from_raw(ONE.into()),
                value: money("10"),
                fee: Money::ZERO,
                day: 0,
                named: &[],
            };
            desk.lots.trade(other, desk.terms, &trade, &mut |_| {});
        }
        let head = desk.lots.head(other).unwrap();
        assert_eq!((head.count, head.merges, head.cost), (1, 1, money("20")));
    }
}

#[test]
fn a_change_of_method_orders_the_lots_anew() {
    let mut desk = Desk::new(LotMethod::Fifo);
    for px in ["10", "14", "12"] {
        desk.trade(100, px);
    }
    desk.terms.method = LotMethod::Hifo;
    desk.trade(-100, "15");
    assert_eq!(desk.head().realised, money("100"));
    desk.terms.method = LotMethod::AverageCost;
    desk.trade(-100, "15");
    assert_eq!((desk.head().realised, desk.head().count), (money("500"), 1));
    desk.check();
}

#[test]
fn rows_that_are_given_back_are_used_again() {
    let mut desk = Desk::with(Naive::new(LotMethod::Lifo, false, false).terms(), 3);
    for _ in 0..100 {
        for px in ["10", "14", "12"] {
            desk.trade(10, px);
        }
        desk.trade(-30, "12");
        desk.check();
    }
    assert_eq!(desk.head().merges, 0);
    desk.trade(10, "10");
    desk.lots.clear(H);
    assert_eq!(
        (desk.head().count, desk.held().len(), desk.lots.used_pct()),
        (0, 0, 0)
    );
}

/// What happens to a holding.
#[derive(Clone, Debug)]
enum Step {
    /// Signed quantity, price in cents, fee in cents.
    Trade(i64, i64, i64),
    /// Ratio, and cash in lieu per new unit in cents.
    Split(u32, u32, i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (-300i64..300, 1i64..5_000, -50i64..200).prop_map(|(qty, px, fee)| Step::Trade(qty, px, fee)),
        1 => (1u32..5, 1u32..5, 1i64..5_000).prop_map(|(n, d, px)| Step::Split(n, d, px)),
    ]
}

fn play(steps: &[Step], naive: &mut Naive, desk: &mut Desk) -> i128 {
    const CENT: i128 = 1_000_000;
    let mut flow = 0;
    for step in steps {
        match *step {
            Step::Trade(0, ..) => {}
            Step::Trade(qty, px, fee) => {
                let (value, fee) = (i128::from(qty.abs() * px) * CENT, i128::from(fee) * CENT);
                let signed = i128::from(qty) * i128::from(ONE);
                naive.trade(desk.next, signed, value, fee);
                desk.book(signed, value, fee, &[]);
                flow -= signed.signum() * value;
            }
            Step::Split(n, d, px) => {
                let ratio = Ratio::new(n, d).unwrap();
                let px = Price::from_raw(px * 1_000_000);
                let split = SplitQty::of(desk.head().qty.abs(), ratio, ONE).unwrap();
                let cash = split.cash(ratio, &Instrument::default_linear(), px).unwrap();
                flow += naive.side * cash.raw();
                naive.split(ratio, i128::from(ONE), cash.raw());
                desk.split(ratio, ONE, cash);
            }
        }
        desk.check();
        assert_eq!(desk.held(), naive.lots);
        assert_eq!(
            (desk.head().qty.raw(), desk.head().cost.raw()),
            (naive.qty(), naive.cost())
        );
        assert_eq!(desk.head().realised.raw(), naive.realised);
    }
    flow
}

proptest! {
    #[test]
    fn the_engine_agrees_with_the_plain_model(
        steps in prop::collection::vec(step(), 1..60), method in prop::sample::select(METHODS.to_vec()), inverse: bool, fee_in_basis: bool,
    ) {
        let mut naive = Naive::new(method, inverse, fee_in_basis);
        let mut desk = Desk::with(naive.terms(), 1_000);
        play(&steps, &mut naive, &mut desk);
    }

    #[test]
    fn realised_profit_and_cost_are_the_money_that_moved_and_flat_positions_earned_the_same(
        steps in prop::collection::vec(step(), 1..40), room in 0u32..6,
    ) {
        let mut earned = Vec::new();
        for method in METHODS {
            let mut naive = Naive::new(method, false, false);
            let mut desk = Desk::with(naive.terms(), 1_000);
            let mut flow = play(&steps, &mut naive, &mut desk);
            let head = *desk.head();
            prop_assert_eq!(head.realised.raw() - head.qty.raw().signum() * head.cost.raw(), flow);
            // Closed out, every method has earned what moved.
            let rest = head.qty.raw();
            let value = rest.abs() / 4;
            desk.book(-rest, value, 0, &[]);
            flow += rest.signum() * value;
            desk.check();
            prop_assert_eq!(desk.head().realised.raw(), flow);
            earned.push(flow);
            // So has a pool that is too small for them.
            let mut small = Desk::with(desk.terms, room);
            for step in &steps {
                if let Step::Trade(qty, px, _) = *step {
                    small.book(i128::from(qty) * i128::from(ONE), i128::from(qty.abs() * px) * 1_000_000, 0, &[]);
                    small.check();
                    prop_assert!(small.head().count <= room + 1);
                }
            }
        }
    }

    #[test]
    fn no_amount_stops_the_engine(
        trades in prop::collection::vec((any::<i64>(), any::<i128>(), any::<i128>()), 1..20),
        method in prop::sample::select(METHODS.to_vec()), inverse: bool, fee_in_basis: bool, n: u32, d: u32, step: i64,
    ) {
        let mut desk = Desk::with(Naive::new(method, inverse, fee_in_basis).terms(), 3);
        for (qty, value, fee) in trades {
            desk.book(qty.into(), value, fee, &[]);
            if let Some(ratio) = Ratio::new(n, d) {
                desk.split(ratio, step, Money::from_raw(value));
            }
            let action = Action { id: 0, day: 0 };
            let terms = desk.terms;
            desk.lots.revalue(H, terms, action, Money::from_raw(fee), &mut |_| {});
        }
    }
}
