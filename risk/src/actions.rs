//! Corporate actions that were booked, by holding: what a bust or correction of an earlier trade changes of them.
//!
//! A ring of plain rows, the rows of a holding linked from the newest back. An action behind a trade is worked out again on the position
//! that there would have been; the differences go with the bust (SETTLEMENT section 12). Beside it, what contracts without principal have
//! cost since their last margin: variation is paid on it; and what took effect on instruments, whoever held them: it says what a trade's
//! quantity is today, in which order actions of one moment took effect, and what a dividend or funding would have paid a holder who was flat
//! then, and would not have been.
//!
//! # Invariants
//! - The newest `capacity` actions are retained. One that is not retained any more stays as it was booked.
//! - A row's position is the one that stands now: restating a trade restates the actions behind it.
//! - The rows of a holding are linked by sequence number. A split, margin or settlement that found the holder flat has a row of its own;
//!   a payment that did has one once a trade is restated so that it would not have been.

use bytemuck::{Pod, Zeroable, bytes_of};
use std::collections::VecDeque;
use tradewind_domain::codes::CorporateActionKind;
use tradewind_domain::corporate::{Dividend, Ratio, SplitQty};
use tradewind_domain::event::Adjustment;
use tradewind_domain::fixed::{Money, NetQty, Price};
use tradewind_domain::ids::{HoldingId, InstrumentId, Seq};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding};

/// Actions that a bust looks at: the newest so many of the holding's own, and as many that found it flat.
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
    /// 1 where all that took effect on the instrument is retained around it, in its order; until rules version 5 payments and splits
    /// were, and those of one moment in none.
    pub in_order: u8,
    #[doc(hidden)]
    pub reserved: [u8; 2],
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
    /// Sequence number up to which rows may have been forgotten.
    forgotten: Seq,
    /// By holding: contracts without principal, and legs of allocations.
    margined: Vec<Margined>,
    /// The newest actions of all instruments, oldest first, as a holder has them who is flat.
    took_effect: VecDeque<(InstrumentId, ActionRow)>,
    /// Version of the rules of the present run.
    rules_version: u32,
}

/// What a holding's trades in a contract without principal have come to.
#[derive(Clone, Copy, Default)]
struct Margined {
    /// Their signed money since the last margin.
    value: i128,
    /// Sequence number of the newest, and of the newest leg of any instrument; 0 for none.
    traded: Seq,
}

/// The first version that retains all actions in their order.
const IN_ORDER: u32 = 6;

/// Actions of instruments that are retained: trades settle, or fail for good, long before so many have been.
const TOOK_EFFECT_MAX: usize = 4_096;

/// Actions of one holding behind a trade, oldest first.
struct Way {
    steps: [Step; 2 * WAY_MAX],
    len: usize,
}

/// One of them.
#[derive(Clone, Copy)]
struct Step {
    row: ActionRow,
    /// Its number; 0 where the holder was flat and has no row.
    number: u64,
}

impl Actions {
    /// Room for the newest `capacity` actions.
    pub fn new(holdings: u32, capacity: u32) -> Self {
        let rows = (capacity as usize).max(1);
        Self {
            rows: vec![ActionRow::zeroed(); rows],
            newest: vec![0; holdings as usize],
            count: 0,
            capacity: rows as u64,
            forgotten: 0,
            margined: vec![Margined::default(); holdings as usize],
            took_effect: VecDeque::with_capacity(TOOK_EFFECT_MAX),
            rules_version: IN_ORDER,
        }
    }

    /// A run begins, by rules of this version.
    pub fn begin_run(&mut self, rules_version: u32) {
        self.rules_version = rules_version;
    }

    /// Retains what has taken effect on an instrument; the row is that of a holder who is flat.
    pub fn note(&mut self, instrument: InstrumentId, row: ActionRow) {
        let in_order = self.rules_version >= IN_ORDER;
        if !in_order && !row.pays() && !row.splits() {
            return;
        }
        if self.took_effect.len() == TOOK_EFFECT_MAX {
            self.took_effect.pop_front();
        }
        let row = ActionRow {
            in_order: u8::from(in_order),
            ..row
        };
        self.took_effect.push_back((instrument, row));
    }

    /// What took effect on an instrument behind a trade, oldest first. Of a trade of these days that is little: the rest is stepped over.
    fn since(&self, instrument: InstrumentId, seq: Seq) -> impl DoubleEndedIterator<Item = &ActionRow> {
        let behind = self.took_effect.partition_point(|(_, row)| row.seq <= seq);
        let of_instrument = self
            .took_effect
            .range(behind..)
            .filter(move |(of, _)| *of == instrument);
        of_instrument.map(|(_, row)| row)
    }

    /// The newest payments on an instrument behind a trade, and what took effect between them, oldest first, and how many there are.
    fn met_since(&self, instrument: InstrumentId, seq: Seq) -> ([ActionRow; WAY_MAX], usize) {
        let (mut rows, mut len) = ([ActionRow::zeroed(); WAY_MAX], 0);
        let newest_first = self
            .since(instrument, seq)
            .rev()
            .filter(|row| row.pays() || row.in_order != 0)
            .take(WAY_MAX);
        for row in newest_first {
            rows[len] = *row;
            len += 1;
        }
        rows[..len].reverse();
        (rows, len)
    }

    /// What a quantity of a trade, which is not negative, is in present units: whole steps after each split since. `None` where it does
    /// not fit.
    pub fn in_present_units(&self, instrument: &Instrument, trade_seq: Seq, qty: i64) -> Option<i64> {
        let mut present = NetQty::from_raw(qty.into());
        for split in self.since(instrument.id, trade_seq).filter(|row| row.splits()) {
            let ratio = Ratio::new(split.ratio[0], split.ratio[1])?;
            present = SplitQty::of(present, ratio, instrument.lot)?.qty;
        }
        i64::try_from(present.raw()).ok()
    }

    /// Sets how many are retained, at most what there is memory for.
    pub fn set_capacity(&mut self, capacity: u32) {
        let retained = self.count.saturating_sub(self.capacity) + 1;
        self.capacity = u64::from(capacity.max(1)).min(self.rows.len() as u64);
        for number in retained..=self.count.saturating_sub(self.capacity) {
            self.forget(number);
        }
    }

    /// Retains an action that was just booked.
    pub fn push(&mut self, holding: HoldingId, row: ActionRow) {
        let Some(&link) = self.newest.get(holding.index()) else {
            return;
        };
        self.newest[holding.index()] = self.place(ActionRow { link, ..row });
    }

    /// Puts a row where the oldest stands; gives its number.
    fn place(&mut self, row: ActionRow) -> u64 {
        self.count += 1;
        self.forget(self.count.saturating_sub(self.capacity));
        let slot = self.slot(self.count);
        self.rows[slot] = row;
        self.count
    }

    /// A row is not retained any more.
    fn forget(&mut self, number: u64) {
        if number != 0 {
            self.forgotten = self.forgotten.max(self.rows[self.slot(number)].seq);
        }
    }

    /// Signed money of the trades in a contract without principal since its last margin.
    #[inline]
    pub fn margined(&self, holding: HoldingId) -> i128 {
        self.margined.get(holding.index()).map_or(0, |row| row.value)
    }

    /// Sequence number of a holding's newest trade in a contract without principal, or of the newest that no counter of the day saw; 0 for
    /// none.
    pub fn traded(&self, holding: HoldingId) -> Seq {
        self.margined.get(holding.index()).map_or(0, |row| row.traded)
    }

    /// Adds the signed money of a trade.
    #[inline]
    pub fn add_margined(&mut self, holding: HoldingId, value: i128, seq: Seq) {
        if let Some(row) = self.margined.get_mut(holding.index()) {
            row.value = row.value.wrapping_add(value);
            row.traded = seq;
        }
    }

    /// Notes a trade that no counter of the day sees: a leg of an allocation.
    pub fn note_traded(&mut self, holding: HoldingId, seq: Seq) {
        if let Some(row) = self.margined.get_mut(holding.index()) {
            row.traded = seq;
        }
    }

    /// The position has cost this from its margin on.
    pub fn set_margined(&mut self, holding: HoldingId, value: i128) {
        if let Some(row) = self.margined.get_mut(holding.index()) {
            row.value = value;
        }
    }

    fn slot(&self, number: u64) -> usize {
        (number % self.rows.len() as u64) as usize
    }

    fn row(&self, number: u64) -> Option<&ActionRow> {
        let is_retained = number != 0 && number <= self.count && self.count - number < self.capacity;
        is_retained.then(|| &self.rows[self.slot(number)])
    }

    /// Numbers of a holding's own rows behind a trade, newest first.
    fn own_rows(&self, holding: HoldingId, seq: Seq) -> ([u64; WAY_MAX], usize) {
        let (mut numbers, mut len) = ([0; WAY_MAX], 0);
        let mut number = self.newest.get(holding.index()).copied().unwrap_or(0);
        while let Some(row) = self.row(number).filter(|row| row.seq > seq && len < WAY_MAX) {
            numbers[len] = number;
            len += 1;
            number = row.link;
        }
        (numbers, len)
    }

    /// The actions of a holding behind a trade: its own rows, and between them what was paid while it was flat, in the order in which they
    /// took effect. Where rows may have been forgotten nobody knows any more who was flat: those payments are left out.
    fn behind(&self, holding: HoldingId, seq: Seq, instrument: InstrumentId) -> Way {
        let (numbers, len) = self.own_rows(holding, seq);
        let mut own = numbers[..len].iter().rev().copied().peekable();
        let oldest_own = own.peek().and_then(|&number| self.row(number));
        let forgotten = match oldest_own {
            Some(row) if len == WAY_MAX => row.seq,
            _ => self.forgotten,
        };
        let mut way = Way::new();
        let (met, len) = self.met_since(instrument, seq.max(forgotten));
        for &row in &met[..len] {
            let mut is_own = false;
            while let Some(number) = own.next_if(|&number| self.comes_up_to(number, &row)) {
                way.push(self.rows[self.slot(number)], number);
                is_own |= self.rows[self.slot(number)].is_of(&row);
                if is_own {
                    break;
                }
            }
            if !is_own && row.pays() {
                way.push(row, 0);
            }
        }
        own.for_each(|number| way.push(self.rows[self.slot(number)], number));
        way
    }

    /// True for an own row that comes before what took effect on the instrument, or is the holder's row of it.
    fn comes_up_to(&self, number: u64, action: &ActionRow) -> bool {
        let row = &self.rows[self.slot(number)];
        row.seq < action.seq || row.is_of(action)
    }

    /// What a trade that is restated by `shift` changes of the actions behind it. `None` where it does not fit.
    pub fn adjustment(
        &self,
        holding: HoldingId,
        seq: Seq,
        instrument: &Instrument,
        shift: Shift,
    ) -> Option<Adjustment> {
        let (mut now, mut sum) = (shift, Adjustment::default());
        for step in self.behind(holding, seq, instrument.id).steps() {
            now = adjust(&step.row, instrument, now, &mut sum)?;
        }
        sum.qty = i64::try_from(now.qty.checked_sub(shift.qty)?).ok()?;
        let is_small = sum.cash.is_postable() && sum.income.is_postable() && sum.withheld.is_postable();
        is_small.then_some(sum)
    }

    /// Makes the restatement true.
    pub fn restate(&mut self, holding: HoldingId, seq: Seq, instrument: &Instrument, shift: Shift) {
        let mut now = shift;
        let mut behind = 0;
        for step in self.behind(holding, seq, instrument.id).steps() {
            let before = step.row.before.wrapping_add(now.qty);
            if step.number == 0 && before != 0 {
                behind = self.insert(holding, behind, seq, ActionRow { before, ..step.row });
            } else if self.row(step.number).is_some() {
                let slot = self.slot(step.number);
                self.rows[slot].before = before;
                behind = step.number;
            }
            now = adjust(&step.row, instrument, now, &mut Adjustment::default()).unwrap_or(now);
        }
        if !instrument.moves_principal() {
            self.set_margined(holding, self.margined(holding).wrapping_add(now.value));
        }
    }

    /// Puts a row behind the holding's row `behind`, or where that is 0 behind its rows up to the trade `seq`. Gives its number.
    fn insert(&mut self, holding: HoldingId, behind: u64, seq: Seq, row: ActionRow) -> u64 {
        let newest = self.newest.get(holding.index()).copied().unwrap_or(0);
        let (mut after, mut number) = (0, newest);
        while let Some(at) = self.row(number).filter(|at| number != behind && at.seq > seq) {
            (after, number) = (number, at.link);
        }
        let made = self.place(ActionRow { link: number, ..row });
        if after == 0 {
            if let Some(newest) = self.newest.get_mut(holding.index()) {
                *newest = made;
            }
        } else if self.row(after).is_some() {
            let slot = self.slot(after);
            self.rows[slot].link = made;
        }
        made
    }

    /// Feeds the rows to a hash, from the oldest.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.count.to_le_bytes());
        for number in self.count.saturating_sub(self.capacity) + 1..=self.count {
            sink(bytes_of(&self.rows[self.slot(number)]));
        }
        for (at, row) in (0u32..).zip(&self.margined).filter(|(_, row)| row.traded != 0) {
            sink(&at.to_le_bytes());
            sink(&row.value.to_le_bytes());
            sink(&row.traded.to_le_bytes());
        }
        sink(&self.rules_version.to_le_bytes());
        if self.forgotten != 0 {
            sink(&self.forgotten.to_le_bytes());
        }
        for (instrument, row) in &self.took_effect {
            sink(&instrument.0.to_le_bytes());
            sink(bytes_of(row));
        }
    }
}

impl ActionRow {
    /// True for what pays a position and leaves it as it is.
    fn pays(&self) -> bool {
        [CorporateActionKind::CashDividend, CorporateActionKind::Funding]
            .iter()
            .any(|kind| self.kind == *kind as u8)
    }

    fn splits(&self) -> bool {
        self.kind == CorporateActionKind::Split as u8
    }

    /// True for a holder's row of what took effect on the instrument.
    fn is_of(&self, action: &ActionRow) -> bool {
        (self.seq, self.kind, self.px) == (action.seq, action.kind, action.px)
    }
}

impl Way {
    fn new() -> Self {
        let nothing = Step {
            row: ActionRow::zeroed(),
            number: 0,
        };
        Self {
            steps: [nothing; 2 * WAY_MAX],
            len: 0,
        }
    }

    /// Adds a step at the end.
    fn push(&mut self, row: ActionRow, number: u64) {
        if let Some(step) = self.steps.get_mut(self.len) {
            *step = Step { row, number };
            self.len += 1;
        }
    }

    fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        self.steps[..self.len].iter().copied()
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
mod tests;
