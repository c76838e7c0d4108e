use super::*;
use tradewind_domain::fixed::ONE;

const H: HoldingId = HoldingId(0);
const fn units(n: i128) -> i128 {
    n * ONE as i128
}

fn row(kind: CorporateActionKind, seq: Seq, before: i128, px: i64) -> ActionRow {
    ActionRow {
        before,
        px,
        seq,
        ratio: [1, 3],
        kind: kind as u8,
        withhold_bps: 1_500,
        ..ActionRow::zeroed()
    }
}

fn cents(n: i128) -> Money {
    Money::from_raw(n * 1_000_000)
}

#[test]
fn a_trade_that_is_taken_back_takes_its_part_of_splits_and_dividends_back() {
    let share = Instrument::default_linear();
    let mut actions = Actions::new(1, 8);
    // 151 shares become 50 and a third; then 0.50 is paid on 50.
    actions.push(H, row(CorporateActionKind::Split, 5, units(151), 27 * ONE));
    actions.push(H, row(CorporateActionKind::CashDividend, 6, units(50), ONE / 2));
    let shift = Shift {
        qty: -units(51),
        value: 0,
    };
    // 100 become 33 and a third: the position falls by 17 instead of 51, the fraction is worth 9.00 in both.
    let sum = actions.adjustment(H, 3, &share, shift).unwrap();
    assert_eq!(i128::from(sum.qty), units(34));
    assert_eq!(
        (sum.cash, sum.income, sum.withheld),
        (cents(0), cents(-850), cents(-127))
    );
    actions.restate(H, 3, &share, shift);
    assert_eq!(actions.row(1).map(|row| row.before), Some(units(100)));
    assert_eq!(actions.row(2).map(|row| row.before), Some(units(33)));
    // A trade behind both changes neither.
    assert_eq!(
        actions.adjustment(H, 7, &share, shift),
        Some(Adjustment::default())
    );
}

#[test]
fn a_dividend_that_found_the_holder_flat_is_owed_once_an_earlier_trade_is_taken_back() {
    let share = Instrument::default_linear();
    let dividend = |seq| row(CorporateActionKind::CashDividend, seq, 0, ONE / 2);
    let mut actions = Actions::new(2, 8);
    for seq in [5, 6, 7] {
        actions.note(share.id, dividend(seq));
        actions.note(InstrumentId(9), dividend(seq));
    }
    // Flat at the first and at the third, 10 shares at the second.
    actions.push(
        H,
        ActionRow {
            before: units(10),
            ..dividend(6)
        },
    );
    let bought = Shift {
        qty: -units(4),
        value: 0,
    };
    // Of the four that were never bought: 2.00 each at the two when it was flat, which a short position pays without tax, and 2.00
    // less 0.30 at the other.
    let sum = actions.adjustment(H, 3, &share, bought).unwrap();
    assert_eq!((sum.income, sum.withheld), (cents(-600), cents(-30)));
    actions.restate(H, 3, &share, bought);
    // What was restated is what stands: taking the same back once more finds four short, and six.
    let again = actions.adjustment(H, 3, &share, bought).unwrap();
    assert_eq!((again.income, again.withheld), (cents(-600), cents(-30)));
    let put_back = Shift {
        qty: units(4),
        value: 0,
    };
    actions.restate(H, 3, &share, put_back);
    let positions: Vec<_> = actions
        .behind(H, 3, share.id)
        .steps()
        .map(|step| step.row.before)
        .collect();
    assert_eq!(positions, [0, units(10), 0]);
    // A trade behind the second takes part in the third alone.
    let sum = actions.adjustment(H, 6, &share, bought).unwrap();
    assert_eq!(sum.income, cents(-200));
}

#[test]
fn where_rows_were_forgotten_nobody_is_taken_to_have_been_flat() {
    let share = Instrument::default_linear();
    let mut actions = Actions::new(2, 2);
    for seq in [5, 6, 7] {
        let dividend = row(CorporateActionKind::CashDividend, seq, 0, ONE / 2);
        actions.note(share.id, dividend);
        let before = units(10);
        actions.push(H, ActionRow { before, ..dividend });
    }
    let bought = Shift {
        qty: -units(4),
        value: 0,
    };
    // The row of the first is gone: it stays as it was booked, for the holder who had one and for the other.
    assert_eq!(
        actions.adjustment(H, 3, &share, bought).unwrap().income,
        cents(-400)
    );
    let other = HoldingId(1);
    assert_eq!(
        actions.adjustment(other, 3, &share, bought).unwrap().income,
        cents(-400)
    );
}

#[test]
fn margin_is_paid_once_whatever_is_restated() {
    let mut future = Instrument::default_linear();
    future.kind = tradewind_domain::codes::InstrumentKind::Future as u8;
    let mut actions = Actions::new(1, 8);
    actions.push(
        H,
        row(CorporateActionKind::VariationMargin, 5, units(2), 110 * ONE),
    );
    actions.set_margined(H, units(220));
    // One of two contracts at 100 is taken back: its margin of 10.00 goes back, and it costs nothing any more.
    let shift = Shift {
        qty: -units(1),
        value: -units(100),
    };
    let sum = actions.adjustment(H, 3, &future, shift).unwrap();
    assert_eq!((sum.cash, sum.qty), (cents(-1000), 0));
    actions.restate(H, 3, &future, shift);
    assert_eq!(actions.margined(H), units(110));
}

#[test]
fn of_many_payments_that_found_the_holder_flat_the_newest_count_and_displace_no_row_of_its_own() {
    let share = Instrument::default_linear();
    let many = 3 * WAY_MAX as u64;
    let mut actions = Actions::new(2, 4 * WAY_MAX as u32);
    for seq in 1..=many {
        let dividend = row(CorporateActionKind::CashDividend, seq, 0, ONE / 2);
        actions.note(share.id, dividend);
        // Every third found shares.
        if seq % 3 == 0 {
            let before = units(10);
            actions.push(H, ActionRow { before, ..dividend });
        }
    }
    let way = actions.behind(H, 0, share.id);
    let own: Vec<_> = way.steps().filter(|step| step.number != 0).collect();
    assert_eq!(own.len(), WAY_MAX);
    assert!(way.steps().is_sorted_by_key(|step| step.row.seq));
    let flat = way.steps().filter(|step| step.number == 0);
    assert_eq!(
        flat.map(|step| step.row.seq).min(),
        Some(many - WAY_MAX as u64 + 2)
    );
}
