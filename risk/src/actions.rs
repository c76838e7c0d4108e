//! Corporate actions that were booked, by holding: what a bust or correction of an earlier trade changes of them.
//!
//! A ring of plain rows, the rows of a holding linked from the newest back. An action behind a trade is worked out again on the position
//! that there would have been; the differences go with the bust (SETTLEMENT section 12). Beside it, what contracts without principal have
//! cost since their last margin: variation is paid on it; and the splits of instruments, which say what a trade's quantity is today.
//!
//! # Invariants
//! - The newest `capacity` actions are retained. One that is not retained any more stays as it was booked.
//! - A row's position is the one that stands now: restating a trade restates the actions behind it.

use bytemuck::{Pod, Zeroable, bytes_of};
use std::collections::VecDeque;
use tradewind_domain::codes::CorporateActionKind;
use tradewind_domain::corporate::{Dividend, Ratio, SplitQty};
use tradewind_domain::event::Adjustment;
use tradewind_domain::fixed::{Money, NetQty, Price};
use tradewind_domain::ids::{HoldingId, InstrumentId, Seq};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding};

/// Actions of one holding that a bust looks at.
const WAY_MAX: usize = 64;

/// One action as it was booked for one holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ActionRow {
    /// Position that it was booked on, at 1e-8.
    pub before: i128,
    /// Dividend per unit, price of fractions, mark or settlement price, at 1e-8.
    pub px: i64,
    /// Rate of a funding at 1e-8.
    pub rate: i64,
    /// Of a split: new units, old units.
    pub ratio: [u32; 2],
    /// Sequence number of its record.
    pub seq: Seq,
    /// Number of the holding's action before, counted from 1; 0 for the first.
    #[doc(hidden)]
    pub link: u64,
    /// Withheld share in basis points.
    pub withhold_bps: u32,
    /// [`CorporateActionKind`].
    pub kind: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
}

const _: () = assert!(size_of::<ActionRow>() == 64);

/// What a restated trade changes of the position that an action is booked on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shift {
    /// Quantity.
    pub qty: i128,
    /// Signed money of the trades since the last margin.
    pub value: i128,
}

/// The newest actions.
pub struct Actions {
    rows: Vec<ActionRow>,
    newest: Vec<u64>,
    count: u64,
    capacity: u64,
    /// By holding: signed money of the trades in contracts without principal since their last margin.
    margined: Vec<i128>,
    /// The newest splits of all instruments, oldest first.
    splits: VecDeque<SplitRow>,
}

/// A split that has taken effect.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct SplitRow {
    /// Sequence number of its record.
    seq: Seq,
    instrument: InstrumentId,
    /// New units, old units.
    ratio: [u32; 2],
    reserved: u32,
}

/// Splits that are retained: trades settle, or fail for good, long before so many have been.
const SPLITS_MAX: usize = 4_096;

impl Actions {
    /// Room for the newest `capacity` actions.
    pub fn new(holdings: u32, capacity: u32) -> Self {
        let rows = (capacity as usize).max(1);
        Self {
            rows: vec![ActionRow::zeroed(); rows],
            newest: vec![0; holdings as usize],
            count: 0,
            capacity: rows as u64,
            margined: vec![0; holdings as usize],
            splits: VecDeque::with_capacity(SPLITS_MAX),
        }
    }

    /// Retains a split that has taken effect on an instrument.
    pub fn note_split(&mut self, instrument: InstrumentId, seq: Seq, ratio: Ratio) {
        if self.splits.len() == SPLITS_MAX {
            self.splits.pop_front();
        }
        self.splits.push_back(SplitRow {
            seq,
            instrument,
            ratio: [ratio.numerator, ratio.denominator],
            reserved: 0,
        });
    }

    /// What a quantity of a trade, which is not negative, is in present units: whole steps after each split since. `None` where it does
    /// not fit.
    pub fn in_present_units(&self, instrument: &Instrument, trade_seq: Seq, qty: i64) -> Option<i64> {
        let since = self
            .splits
            .iter()
            .filter(|split| split.instrument == instrument.id && split.seq > trade_seq);
        let mut present = NetQty::from_raw(qty.into());
        for split in since {
            let ratio = Ratio::new(split.ratio[0], split.ratio[1])?;
            present = SplitQty::of(present, ratio, instrument.lot)?.qty;
        }
        i64::try_from(present.raw()).ok()
    }

    /// Sets how many are retained, at most what there is memory for.
    pub fn set_capacity(&mut self, capacity: u32) {
        self.capacity = u64::from(capacity.max(1)).min(self.rows.len() as u64);
    }

    /// Retains an action that was just booked.
    pub fn push(&mut self, holding: HoldingId, row: ActionRow) {
        let Some(newest) = self.newest.get_mut(holding.index()) else {
            return;
        };
        self.count += 1;
        let link = std::mem::replace(newest, self.count);
        let slot = self.slot(self.count);
        self.rows[slot] = ActionRow { link, ..row };
    }

    /// Signed money of the trades in a contract without principal since its last margin.
    #[inline]
    pub fn margined(&self, holding: HoldingId) -> i128 {
        self.margined.get(holding.index()).copied().unwrap_or(0)
    }

    /// Adds the signed money of a trade.
    #[inline]
    pub fn add_margined(&mut self, holding: HoldingId, value: i128) {
        if let Some(sum) = self.margined.get_mut(holding.index()) {
            *sum = sum.wrapping_add(value);
        }
    }

    /// The position has cost this from its margin on.
    pub fn set_margined(&mut self, holding: HoldingId, value: i128) {
        if let Some(sum) = self.margined.get_mut(holding.index()) {
            *sum = value;
        }
    }

    fn slot(&self, number: u64) -> usize {
        (number % self.rows.len() as u64) as usize
    }

    fn row(&self, number: u64) -> Option<&ActionRow> {
        let is_retained = number != 0 && number <= self.count && self.count - number < self.capacity;
        is_retained.then(|| &self.rows[self.slot(number)])
    }

    /// Numbers of a holding's actions behind a trade, newest first.
    fn behind(&self, holding: HoldingId, seq: Seq) -> ([u64; WAY_MAX], usize) {
        let (mut way, mut len) = ([0; WAY_MAX], 0);
        let mut number = self.newest.get(holding.index()).copied().unwrap_or(0);
        while let Some(row) = self.row(number).filter(|row| row.seq > seq && len < WAY_MAX) {
            way[len] = number;
            len += 1;
            number = row.link;
        }
        (way, len)
    }

    /// What a trade that is restated by `shift` changes of the actions behind it. `None` where it does not fit.
    pub fn adjustment(
        &self,
        holding: HoldingId,
        seq: Seq,
        instrument: &Instrument,
        shift: Shift,
    ) -> Option<Adjustment> {
        let (way, len) = self.behind(holding, seq);
        let (mut now, mut sum) = (shift, Adjustment::default());
        for &number in way[..len].iter().rev() {
            now = adjust(self.row(number)?, instrument, now, &mut sum)?;
        }
        sum.qty = i64::try_from(now.qty.checked_sub(shift.qty)?).ok()?;
        let is_small = sum.cash.is_postable() && sum.income.is_postable() && sum.withheld.is_postable();
        is_small.then_some(sum)
    }

    /// Makes the restatement true.
    pub fn restate(&mut self, holding: HoldingId, seq: Seq, instrument: &Instrument, shift: Shift) {
        let (way, len) = self.behind(holding, seq);
        let mut now = shift;
        for &number in way[..len].iter().rev() {
            let slot = self.slot(number);
            let row = self.rows[slot];
            self.rows[slot].before = row.before.wrapping_add(now.qty);
            now = adjust(&row, instrument, now, &mut Adjustment::default()).unwrap_or(now);
        }
        if !instrument.moves_principal() {
            self.add_margined(holding, now.value);
        }
    }

    /// Feeds the rows to a hash, from the oldest.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.count.to_le_bytes());
        for number in self.count.saturating_sub(self.capacity) + 1..=self.count {
            sink(bytes_of(&self.rows[self.slot(number)]));
        }
        for (at, sum) in (0u32..).zip(&self.margined).filter(|(_, sum)| **sum != 0) {
            sink(&at.to_le_bytes());
            sink(&sum.to_le_bytes());
        }
        self.splits.iter().for_each(|split| sink(bytes_of(split)));
    }
}

/// Works an action out on the position as it was and as it would have been. Gives what is shifted behind it.
fn adjust(row: &ActionRow, instrument: &Instrument, shift: Shift, sum: &mut Adjustment) -> Option<Shift> {
    let positions = [row.before, row.before.checked_add(shift.qty)?];
    match CorporateActionKind::from_code(row.kind)? {
        CorporateActionKind::Split => {
            let ratio = Ratio::new(row.ratio[0], row.ratio[1])?;
            let [was, would] = positions.map(|position| split(position, ratio, instrument, row.px));
            let ((was_qty, was_cash), (would_qty, would_cash)) = (was?, would?);
            sum.cash = plus(sum.cash, would_cash - was_cash)?;
            Some(Shift {
                qty: would_qty - was_qty,
                ..shift
            })
        }
        CorporateActionKind::CashDividend => {
            let per_unit = Money::from_raw(row.px.into());
            let [was, would] = positions.map(|position| {
                Dividend::of(
                    NetQty::from_raw(position),
                    per_unit,
                    row.withhold_bps,
                    instrument.money_dp,
                )
            });
            let (was, would) = (was?, would?);
            sum.income = plus(sum.income, would.gross.raw() - was.gross.raw())?;
            sum.withheld = plus(sum.withheld, would.withheld.raw() - was.withheld.raw())?;
            Some(shift)
        }
        CorporateActionKind::Funding => {
            let [was, would] = positions.map(|position| funding(position, instrument, row.px, row.rate));
            sum.income = plus(sum.income, would?.raw() - was?.raw())?;
            Some(shift)
        }
        kind => {
            let [was, would] = positions.map(|position| value(position, instrument, row.px));
            let change = would? - was?;
            let is_end = kind == CorporateActionKind::Settlement;
            let paid = if instrument.moves_principal() {
                change
            } else {
                margin_sign(instrument) * (change - shift.value)
            };
            sum.cash = plus(sum.cash, paid)?;
            Some(match is_end {
                true => Shift::default(),
                false => Shift {
                    value: change,
                    ..shift
                },
            })
        }
    }
}

fn plus(sum: Money, change: i128) -> Option<Money> {
    sum.checked_add(Money::from_raw(change))
}

/// A position after a split, and the cash for the fraction, which a short position pays.
pub fn split(position: i128, ratio: Ratio, instrument: &Instrument, px: i64) -> Option<(i128, i128)> {
    let side = position.signum();
    let split = SplitQty::of(NetQty::from_raw(position.checked_abs()?), ratio, instrument.lot)?;
    let cash = split.cash(ratio, instrument, Price::from_raw(px))?;
    Some((side * split.qty.raw(), side * cash.raw()))
}

/// What a holder gets of a funding: longs pay a rate above zero.
pub fn funding(position: i128, instrument: &Instrument, px: i64, rate: i64) -> Option<Money> {
    let qty = NetQty::from_raw(position);
    rounding::value_share(instrument, qty, Price::from_raw(px), rate, Rounding::HalfUp).map(Money::neg)
}

/// Signed money value of a position.
pub fn value(position: i128, instrument: &Instrument, px: i64) -> Option<i128> {
    let qty = NetQty::from_raw(position);
    rounding::value_of(instrument, qty, Price::from_raw(px), Rounding::HalfUp).map(Money::raw)
}

/// Margin of a rising value: what inverse contracts are worth falls.
pub fn margin_sign(instrument: &Instrument) -> i128 {
    if instrument.is_inverse() { -1 } else { 1 }
}

#[cfg(test)]
mod tests {
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
}
