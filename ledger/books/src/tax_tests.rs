//! Tax lots and corporate actions in the position stage.

use crate::lots::Lot;
use crate::testing::*;
use bytemuck::Zeroable;
use proptest::prelude::*;
use tradewind_domain::codes::{CorporateActionKind, InstrumentKind, LotMethod, Side};
use tradewind_domain::corporate::{Ratio, SplitQty};
use tradewind_domain::event::{CorporateAction, Event, Execution, FxRate, HolderAction, Kind, LotMethodSet};
use tradewind_domain::fixed::{Money, NetQty, ONE, Price};
use tradewind_domain::ids::{HoldingId, NodeId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding};

const METHODS: [LotMethod; 4] = [
    LotMethod::Fifo,
    LotMethod::Lifo,
    LotMethod::Hifo,
    LotMethod::AverageCost,
];

fn share_row() -> Instrument {
    instrument(0, InstrumentKind::Equity, 2)
}

fn method_set(method: LotMethod, fee_in_basis: bool) -> Event {
    event(
        Kind::LotMethodSet,
        LotMethodSet {
            account: A,
            method: method as u8,
            fee_in_basis: u8::from(fee_in_basis),
            ..Zeroable::zeroed()
        },
    )
}

fn desk(of: &Instrument, method: LotMethod, fee_in_basis: bool) -> Desk {
    let mut desk = Desk::new(&[*of]);
    desk.run(method_set(method, fee_in_basis));
    desk
}

fn trade(desk: &mut Desk, of: &Instrument, side: Side, qty: i64, px: &str, fee: &str) {
    desk.run(execution(A, of, side, units(qty), raw(px), money(fee)));
}

/// Quantities and costs of the lots.
fn lots(desk: &Desk, of: &Instrument) -> Vec<(NetQty, Money)> {
    let lot = |lot: Lot| (lot.qty, lot.cost);
    desk.position.lots(holding(A, of.id)).map(lot).collect()
}

/// What the limit check writes of a split for the holding.
fn split(desk: &Desk, of: &Instrument, (numerator, denominator): (u32, u32), px: &str) -> Event {
    let held = desk
        .position
        .position(holding(A, of.id))
        .map_or(0, |row| row.qty.raw());
    let ratio = Ratio::new(numerator, denominator).unwrap();
    let whole = SplitQty::of(NetQty::from_raw(held.abs()), ratio, of.lot).unwrap();
    let cash = whole.cash(ratio, of, Price::from_raw(raw(px))).unwrap();
    let body = CorporateAction {
        cash_per_unit: money(px),
        gross: Money::from_raw(held.signum() * cash.raw()),
        numerator,
        denominator,
        action: CorporateActionKind::Split as u8,
        instrument: of.id,
        holding: holding(A, of.id),
        account: A,
        wallet: wallet(A, of.currency),
        currency: of.currency,
        node: NodeId(1),
        is_short: u8::from(held < 0),
        qty_delta: (held.signum() * whole.qty.raw() - held) as i64,
        rate: ONE,
        ..Zeroable::zeroed()
    };
    event(Kind::HolderSplit, body)
}

/// What the limit check writes of variation margin or a settlement.
fn action(desk: &Desk, of: &Instrument, kind: Kind, px: &str) -> Event {
    let held = desk
        .position
        .position(holding(A, of.id))
        .map_or(0, |row| row.qty.raw());
    let value = rounding::value_of(
        of,
        NetQty::from_raw(held),
        Price::from_raw(raw(px)),
        Rounding::HalfUp,
    );
    let body = HolderAction {
        value: value.unwrap().abs(),
        px: raw(px),
        rate: ONE,
        qty_delta: if kind == Kind::HolderSettled {
            -held as i64
        } else {
            0
        },
        node: NodeId(1),
        instrument: of.id,
        holding: holding(A, of.id),
        account: A,
        wallet: wallet(A, of.currency),
        currency: of.currency,
        ..Zeroable::zeroed()
    };
    event(kind, body)
}

#[test]
fn tax_lots_are_those_of_the_accounts_method_beside_the_average() {
    let of = share_row();
    for (method, realised) in [
        (LotMethod::Fifo, "550"),
        (LotMethod::Lifo, "350"),
        (LotMethod::Hifo, "250"),
    ] {
        let mut desk = desk(&of, method, false);
        for px in ["10", "14", "12"] {
            trade(&mut desk, &of, Side::Buy, 100, px, "1");
        }
        trade(&mut desk, &of, Side::Sell, 150, "15", "1");
        let row = desk.position.position(holding(A, of.id)).unwrap();
        assert_eq!(row.realised, money("450"), "average cost is the live figure");
        let tax = desk.position.tax_lots(holding(A, of.id)).unwrap();
        assert_eq!(tax.realised, money(realised), "{method}");
        assert_eq!(tax.qty, row.qty);
        assert!(desk.replayed().digest() == desk.digest());
    }
}

#[test]
fn a_split_leaves_cost_with_the_lots_and_pays_the_fraction() {
    let of = share_row();
    let mut desk = desk(&of, LotMethod::Fifo, false);
    for px in ["9", "12"] {
        trade(&mut desk, &of, Side::Buy, 50, px, "0");
    }
    let event = split(&desk, &of, (1, 3), "40");
    desk.run(event);
    let row = *desk.position.position(holding(A, of.id)).unwrap();
    // 33 and a third: the third is worth 13.33, its share of 1050.00 is 10.50.
    assert_eq!(
        (row.qty.raw(), row.cost),
        (i128::from(units(33)), money("1039.50"))
    );
    assert_eq!((row.realised, row.realised_base), (money("2.83"), money("2.83")));
    assert_eq!(row.opened_qty.raw() - row.closed_qty.raw(), row.qty.raw());
    // Of the newest lot's 600.00 the third takes 12.00.
    let lot = |qty, cost| (NetQty::from_raw(units(qty).into()), money(cost));
    assert_eq!(lots(&desk, &of), [lot(16, "450"), lot(17, "588")]);
    assert!(desk.replayed().digest() == desk.digest());
}

#[test]
fn prices_and_usual_quantities_are_divided_with_the_split() {
    let of = share_row();
    let mut desk = desk(&of, LotMethod::Fifo, false);
    trade(&mut desk, &of, Side::Buy, 10, "9", "0");
    desk.run(last_trade(&of, units(9)));
    let mut body: CorporateAction = *split(&desk, &of, (3, 1), "3").body();
    (body.holding, body.node) = (HoldingId::NONE, NodeId::NONE);
    desk.run(event(Kind::HolderSplit, body));
    assert_eq!(desk.position.mark(of.id), Some(Price::from_raw(units(3))));
    assert_eq!(
        desk.position.position(holding(A, of.id)).unwrap().qty.raw(),
        i128::from(units(10))
    );
}

#[test]
fn margin_and_settlement_turn_what_is_not_realised_into_profit() {
    let of = instrument(0, InstrumentKind::Future, 2);
    for method in METHODS {
        let mut desk = desk(&of, method, false);
        trade(&mut desk, &of, Side::Sell, 3, "100", "0");
        let margin = action(&desk, &of, Kind::HolderMargin, "90");
        desk.run(margin);
        let row = *desk.position.position(holding(A, of.id)).unwrap();
        assert_eq!((row.realised, row.cost), (money("30"), money("270")));
        let settled = action(&desk, &of, Kind::HolderSettled, "95");
        desk.run(settled);
        let row = *desk.position.position(holding(A, of.id)).unwrap();
        assert_eq!(
            (row.realised, row.cost, row.qty.raw()),
            (money("15"), Money::ZERO, 0)
        );
        let tax = desk.position.tax_lots(holding(A, of.id)).unwrap();
        assert_eq!((tax.realised, tax.count), (money("15"), 0));
        assert!(desk.replayed().digest() == desk.digest());
    }
}

#[test]
fn income_stands_apart_from_profit_and_in_base_currency_at_its_own_rate() {
    let mut of = share_row();
    of.currency = tradewind_domain::ids::CurrencyId(1);
    let mut desk = desk(&of, LotMethod::Fifo, false);
    let rate = |desk: &mut Desk, rate: &str| {
        desk.run(event(
            Kind::FxRate,
            FxRate {
                rate: raw(rate),
                currency: of.currency,
                ..Zeroable::zeroed()
            },
        ));
    };
    rate(&mut desk, "1.10");
    trade(&mut desk, &of, Side::Buy, 100, "50", "0");
    let body = CorporateAction {
        gross: money("33.30"),
        withheld: money("5.00"),
        action: CorporateActionKind::CashDividend as u8,
        instrument: of.id,
        holding: holding(A, of.id),
        account: A,
        wallet: wallet(A, of.currency),
        currency: of.currency,
        rate: raw("1.10"),
        ..Zeroable::zeroed()
    };
    desk.run(event(Kind::HolderDividend, body));
    rate(&mut desk, "1.20");
    trade(&mut desk, &of, Side::Sell, 50, "52", "0");
    rate(&mut desk, "1.05");
    trade(&mut desk, &of, Side::Sell, 50, "49", "0");
    let income = desk.position.income(holding(A, of.id)).unwrap();
    assert_eq!((income.net(), income.net_base), (money("28.30"), money("31.13")));
    let row = desk.position.position(holding(A, of.id)).unwrap();
    assert_eq!((row.realised, row.realised_base), (money("50"), money("67.50")));
    let tax = desk.position.tax_lots(holding(A, of.id)).unwrap();
    assert_eq!(tax.realised_base, money("67.50"));
    assert!(desk.replayed().digest() == desk.digest());
}

/// A trade, or the bust (true) or correction of an earlier one.
#[derive(Clone, Debug)]
enum Change {
    Trade(bool, i64, i64, i64),
    Restate(prop::sample::Index, bool, i64, i64),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let (qty, ticks, fee) = (1i64..200, 1i64..3_000, 0i64..300);
    let trade = (any::<bool>(), qty.clone(), ticks.clone(), fee)
        .prop_map(|(buy, qty, ticks, fee)| Change::Trade(buy, qty, ticks, fee));
    let restate = (any::<prop::sample::Index>(), any::<bool>(), qty, ticks)
        .prop_map(|(at, bust, qty, ticks)| Change::Restate(at, bust, qty, ticks));
    prop::collection::vec(prop_oneof![4 => trade, 1 => restate], 1..50)
}

/// A desk that only ever saw the live versions.
fn as_if(of: &Instrument, method: LotMethod, fee_in_basis: bool, live: &[Option<Execution>]) -> Desk {
    let mut desk = desk(of, method, fee_in_basis);
    for body in live.iter().flatten() {
        desk.run(event(
            Kind::TradeCapture,
            Execution {
                realised: Money::ZERO,
                cost_delta: Money::ZERO,
                closed_qty: 0,
                ..*body
            },
        ));
    }
    desk
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn busts_and_corrections_leave_the_lots_that_would_be_had_the_trades_been_others(
        changes in changes(), method in prop::sample::select(METHODS.to_vec()), fee_in_basis: bool, inverse: bool,
    ) {
        let of = if inverse { instrument(0, InstrumentKind::Inverse, 8) } else { share_row() };
        let mut desk = desk(&of, method, fee_in_basis);
        let mut live: Vec<(Event, Option<Execution>)> = Vec::new();
        for change in changes {
            match change {
                Change::Trade(buy, qty, ticks, fee) => {
                    let side = if buy { Side::Buy } else { Side::Sell };
                    desk.run(execution(A, &of, side, units(qty), ticks * 1_000_000, Money::from_raw(i128::from(fee) * 1_000_000)));
                    let event = *desk.journal.last().unwrap();
                    live.push((event, Some(*event.body())));
                }
                Change::Restate(at, is_bust, qty, ticks) if !live.is_empty() => {
                    let at = at.index(live.len());
                    let (event, version) = &mut live[at];
                    let Some(held) = *version else { continue };
                    let taken = taken_back(event, &held);
                    if is_bust {
                        *version = None;
                        desk.run(bust(&taken));
                    } else {
                        let correction = correction(&taken, &of, units(qty), ticks * 1_000_000, held.fee);
                        *version = Some(*correction.body());
                        desk.run(correction);
                    }
                }
                Change::Restate(..) => {}
            }
        }
        let versions: Vec<Option<Execution>> = live.iter().map(|(_, version)| *version).collect();
        let expected = as_if(&of, method, fee_in_basis, &versions);
        prop_assert_eq!(lots(&desk, &of), lots(&expected, &of));
        let head = |desk: &Desk| {
            let head = desk.position.tax_lots(holding(A, of.id)).unwrap();
            (head.qty, head.cost, head.realised, head.realised_base)
        };
        prop_assert_eq!(head(&desk), head(&expected));
        let held = desk.position.position(holding(A, of.id)).map_or(NetQty::ZERO, |row| row.qty);
        prop_assert_eq!(head(&desk).0, held);
        prop_assert!(desk.replayed().digest() == desk.digest());
    }
}
