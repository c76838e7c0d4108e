//! The newest movements of all holdings (trades, splits, settlements), so that a bust or correction can ask what a position would be
//! had the trade been another one.
//!
//! A ring of plain rows; the rows of a holding are linked from the newest back. The position is replayed from the last moment at or
//! before the trade at which it was flat, through everything since (SETTLEMENT sections 6 and 12): splits and settlements in between
//! come out as they would have been.
//!
//! # Invariants
//! - The newest `capacity` movements are retained; a replay walks at most [`REPLAY_MAX`] of them.
//! - Where what moved since a flat position is not all retained there is no replay, and the caller adjusts.
//! - A row says by how much it changed the position as things stand: restating a trade restates the splits behind it.

use crate::average::{
    Facts, PositionRow, add, effect, in_base, margin_effect, plus, signed_qty, split_effect,
};
use crate::lots::{NamedLot, Rules};
use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::corporate::{Ratio, SplitQty};
use tradewind_domain::event::{CorporateAction, Event, Execution, HolderAction, Kind};
use tradewind_domain::fixed::{Money, NetQty, Price};
use tradewind_domain::ids::{AccountId, HoldingId, InstrumentId, Seq};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding};
use tradewind_domain::time::DayNumber;

/// Movements of one holding that a replay walks at most: some tens of microseconds.
pub(crate) const REPLAY_MAX: usize = 4_096;

/// Lots that are remembered as named by trades.
const NAMED_MAX: u32 = 16_384;

/// What moved a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Moved {
    /// A trade.
    Trade = 0,
    /// A split.
    Split = 1,
    /// Variation margin.
    Margin = 2,
    /// The settlement of a contract.
    Settled = 3,
}

/// Whose position a record moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Account and instrument.
    pub holding: HoldingId,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
}

/// One movement of a position, as it counts now: a trade, or what a corporate action did to one holder. Positions, tax lots and who counts
/// them once more take the same movements ([`Lots::take`](crate::lots::Lots::take)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Movement {
    /// Money of a trade.
    pub(crate) principal: Money,
    /// Fee of a trade.
    pub(crate) fee: Money,
    /// Signed change of quantity; 0 for a trade that was busted.
    pub(crate) qty: i64,
    pub(crate) seq: Seq,
    /// Number of the holding's movement before, counted from 1; 0 for the first.
    before: u64,
    /// Price of a split's fractions, of margin, of a settlement.
    px: i64,
    /// Base currency units per unit, at 1e-8.
    pub(crate) rate: i64,
    /// Of a split: new units, old units.
    ratio: [u32; 2],
    holding: HoldingId,
    pub(crate) day: DayNumber,
    kind: u8,
    /// Lots that the trade names: how many, and where the first of them stands.
    named_count: u8,
    reserved: [u8; 2],
    named_at: u32,
}

const _: () = assert!(size_of::<Movement>() == 96);

impl Movement {
    /// The movement of an accepted record, and whose position it moves; `None` for records that move nobody's. Busts and corrections change
    /// a movement that is there ([`restated`](Self::restated)).
    pub fn of(event: &Event) -> Option<(Whose, Self)> {
        if event.is_rejected() {
            return None;
        }
        let seq = event.head.seq;
        let kind = event.kind()?;
        let (holding, account, instrument, movement) = match kind {
            Kind::VenueFill | Kind::TradeCapture => {
                let body: &Execution = event.body();
                let movement = Self::of_execution(body, seq, 0);
                (body.holding, body.account, body.instrument, movement)
            }
            Kind::HolderSplit => {
                let body: &CorporateAction = event.body();
                (
                    body.holding,
                    body.account,
                    body.instrument,
                    Self::of_split(body, seq),
                )
            }
            Kind::HolderMargin | Kind::HolderSettled => {
                let body: &HolderAction = event.body();
                let movement = Self::of_action(body, seq, kind);
                (body.holding, body.account, body.instrument, movement)
            }
            _ => return None,
        };
        let whose = Whose {
            holding,
            account,
            instrument,
        };
        (!holding.is_none()).then_some((whose, movement))
    }

    /// The movement of an execution, at a base rate.
    pub(crate) fn of_execution(execution: &Execution, seq: Seq, rate: i64) -> Self {
        let version = Version {
            qty: signed_qty(execution) as i64,
            principal: execution.principal,
            fee: execution.fee,
        };
        Self::trade(seq, version, execution.trade_day, rate)
    }

    /// The movement of a holder's part of a split.
    pub(crate) fn of_split(split: &CorporateAction, seq: Seq) -> Self {
        let px = i64::try_from(split.cash_per_unit.raw()).unwrap_or(0); // checked where it was announced
        let qty = (split.qty_delta, px);
        Self::action(Moved::Split, seq, qty, split.ex_date, split.rate)
            .with_ratio(split.numerator, split.denominator)
    }

    /// The movement of a holder's margin, or of the settlement of its contract.
    pub(crate) fn of_action(action: &HolderAction, seq: Seq, kind: Kind) -> Self {
        let moved = if kind == Kind::HolderMargin {
            Moved::Margin
        } else {
            Moved::Settled
        };
        let qty = (action.qty_delta, action.px);
        Self::action(moved, seq, qty, action.date, action.rate)
    }

    /// A trade's movement with the quantity, money and fee of its corrected version.
    pub fn restated(&self, new: &Execution) -> Self {
        Self {
            qty: signed_qty(new) as i64,
            principal: new.principal,
            fee: new.fee,
            ..*self
        }
    }

    /// The same on another day.
    pub fn on(&self, day: DayNumber) -> Self {
        Self { day, ..*self }
    }

    /// Its date: the trade date of a trade, the ex-date of an action.
    pub fn day(&self) -> DayNumber {
        self.day
    }

    /// Signed change of quantity, as it was recorded.
    pub fn change(&self) -> NetQty {
        NetQty::from_raw(self.qty.into())
    }

    /// Money of a trade.
    pub fn money(&self) -> Money {
        self.principal
    }

    /// A trade.
    pub(crate) fn trade(seq: Seq, version: Version, day: DayNumber, rate: i64) -> Self {
        Self {
            principal: version.principal,
            fee: version.fee,
            qty: version.qty,
            seq,
            day,
            rate,
            ..Self::zeroed()
        }
    }

    /// A corporate action that changed the quantity by `qty`.
    pub(crate) fn action(moved: Moved, seq: Seq, (qty, px): (i64, i64), day: DayNumber, rate: i64) -> Self {
        Self {
            qty,
            px,
            seq,
            day,
            rate,
            kind: moved as u8,
            ..Self::zeroed()
        }
    }

    /// The same with a split's ratio.
    pub(crate) fn with_ratio(mut self, numerator: u32, denominator: u32) -> Self {
        self.ratio = [numerator, denominator];
        self
    }

    /// What it was.
    pub fn moved(&self) -> Moved {
        match self.kind {
            1 => Moved::Split,
            2 => Moved::Margin,
            3 => Moved::Settled,
            _ => Moved::Trade,
        }
    }

    /// What a split makes of a quantity, and what is paid for the fraction, unsigned. `None` where it does not fit.
    pub(crate) fn split_of(&self, held: NetQty, instrument: &Instrument) -> Option<(Ratio, SplitQty, Money)> {
        let ratio = Ratio::new(self.ratio[0], self.ratio[1])?;
        let split = SplitQty::of(held.abs(), ratio, instrument.lot)?;
        let cash = split.cash(ratio, instrument, Price::from_raw(self.px))?;
        Some((ratio, split, cash))
    }

    /// Value of a position at the action's price.
    pub(crate) fn value_of(&self, held: NetQty, instrument: &Instrument) -> Money {
        let value = rounding::value_of(instrument, held.abs(), Price::from_raw(self.px), Rounding::HalfUp);
        value.unwrap_or(Money::ZERO)
    }
}

/// A trade's signed quantity and money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) qty: i64,
    pub(crate) principal: Money,
    pub(crate) fee: Money,
}

/// A position at average cost while it is replayed from flat.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// Quantity and cost.
    position: PositionRow,
    pub(crate) realised: Money,
    pub(crate) realised_base: Money,
    pub(crate) closed: i128,
}

impl Run {
    fn new() -> Self {
        Self {
            position: PositionRow::zeroed(),
            realised: Money::ZERO,
            realised_base: Money::ZERO,
            closed: 0,
        }
    }

    pub(crate) fn cost(&self) -> Money {
        self.position.cost
    }

    /// Takes a movement; gives by how much it changes the quantity.
    fn take(&mut self, movement: &Movement, rules: Rules, instrument: &Instrument) -> i128 {
        let held = self.position.qty;
        let (facts, qty): (Facts, i128) = match movement.moved() {
            Moved::Trade => {
                let qty = i128::from(movement.qty);
                (effect(&self.position, rules, qty, movement.principal), qty)
            }
            Moved::Split => match movement.split_of(held, instrument) {
                Some((ratio, split, cash)) => split_effect(&self.position, rules, ratio, split, cash),
                None => (Facts::default(), 0),
            },
            Moved::Margin => {
                let value = movement.value_of(held, instrument);
                (margin_effect(&self.position, rules, value), 0)
            }
            Moved::Settled => {
                let (qty, value) = (held.raw().wrapping_neg(), movement.value_of(held, instrument));
                (effect(&self.position, rules, qty, value), qty)
            }
        };
        self.position.qty = plus(held, qty);
        self.position.cost = add(self.position.cost, facts.cost_delta);
        self.realised = add(self.realised, facts.realised);
        self.realised_base = add(self.realised_base, in_base(facts.realised, movement.rate));
        self.closed += i128::from(facts.closed_qty);
        qty
    }
}

/// The pool of movements.
pub(crate) struct Movements {
    rows: Vec<Movement>,
    /// Number of each holding's newest movement, counted from 1; 0 for none.
    newest: Vec<u64>,
    /// How many movements there ever were.
    count: u64,
    /// How many of them are forgotten.
    forgotten: u64,
    capacity: u64,
    /// Numbers of the movements to replay, newest first.
    path: Vec<u64>,
    /// Lots that trades name, the newest [`NAMED_MAX`].
    named: Vec<NamedLot>,
    /// How many there ever were, with those that were left free so that a trade's stand side by side.
    named_end: u32,
}

impl Movements {
    pub(crate) fn new() -> Self {
        Self {
            rows: Vec::new(),
            newest: Vec::new(),
            count: 0,
            forgotten: 0,
            capacity: 0,
            path: Vec::with_capacity(REPLAY_MAX),
            named: vec![NamedLot::default(); NAMED_MAX as usize],
            named_end: 0,
        }
    }

    /// Room for a run's tables. Allocates, at start-up only; memory is never given back, the number retained is the run's.
    pub(crate) fn grow(&mut self, holdings: u32, executions: u32) {
        let wanted = (executions as usize).max(1);
        if self.rows.len() < wanted {
            let mut rows = vec![Movement::zeroed(); wanted];
            for number in self.forgotten + 1..=self.count {
                rows[(number % wanted as u64) as usize] = self.rows[self.slot(number)];
            }
            self.rows = rows;
        }
        self.newest.resize(self.newest.len().max(holdings as usize), 0);
        self.capacity = wanted as u64;
        self.forgotten = self.forgotten.max(self.count.saturating_sub(self.capacity));
    }

    #[inline]
    fn slot(&self, number: u64) -> usize {
        (number % self.rows.len() as u64) as usize
    }

    /// The movement of a number counted from 1, where it is retained.
    #[inline]
    fn row(&self, number: u64) -> Option<&Movement> {
        (number > self.forgotten && number <= self.count).then(|| &self.rows[self.slot(number)])
    }

    /// Retains a movement that was just booked.
    #[inline]
    pub(crate) fn push(&mut self, holding: HoldingId, movement: Movement) {
        let Some(newest) = self.newest.get_mut(holding.index()) else {
            return;
        };
        self.count += 1;
        let before = std::mem::replace(newest, self.count);
        let slot = self.slot(self.count);
        self.rows[slot] = Movement {
            before,
            holding,
            ..movement
        };
        self.forgotten = self.forgotten.max(self.count.saturating_sub(self.capacity));
    }

    /// The number of the trade of a record: sequence numbers rise with them, and a record is of one holding's trade at most.
    fn find(&self, holding: HoldingId, seq: Seq) -> Option<u64> {
        let (mut low, mut high) = (self.forgotten + 1, self.count + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.row(middle)?.seq < seq {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let same = (low..=self.count).map_while(|number| Some((number, self.row(number)?)));
        same.take_while(|(_, row)| row.seq == seq)
            .find(|(_, row)| row.holding == holding && row.moved() == Moved::Trade)
            .map(|(number, _)| number)
    }

    /// Puts another version in a trade's place.
    pub(crate) fn change(&mut self, holding: HoldingId, seq: Seq, version: Version) {
        if let Some(number) = self.find(holding, seq) {
            let slot = self.slot(number);
            let row = &mut self.rows[slot];
            (row.qty, row.principal, row.fee) = (version.qty, version.principal, version.fee);
        }
    }

    /// A trade names these lots from now on: the number of the trade is that of [`find_way`](Self::find_way). What was named before them is
    /// forgotten where its place is needed, the oldest first.
    pub(crate) fn name(&mut self, number: u64, lots: impl ExactSizeIterator<Item = NamedLot>) {
        let count = lots.len() as u32;
        let at = self.named_end % NAMED_MAX;
        if at + count > NAMED_MAX {
            self.named_end = self.named_end.wrapping_add(NAMED_MAX - at);
        }
        let first = self.named_end;
        for lot in lots {
            self.named[(self.named_end % NAMED_MAX) as usize] = lot;
            self.named_end = self.named_end.wrapping_add(1);
        }
        let slot = self.slot(number);
        (self.rows[slot].named_at, self.rows[slot].named_count) = (first, count as u8);
    }

    /// The lots that a movement names.
    pub(crate) fn named(&self, movement: &Movement) -> &[NamedLot] {
        let count = usize::from(movement.named_count);
        let is_retained = self.named_end.wrapping_sub(movement.named_at) <= NAMED_MAX;
        let from = (movement.named_at % NAMED_MAX) as usize;
        match self.named.get(from..from + count) {
            Some(lots) if is_retained => lots,
            _ => &[],
        }
    }

    /// Forgets how a holding's position came about: what was restated without a replay is no way back to a flat one.
    pub(crate) fn forget(&mut self, holding: HoldingId) {
        if let Some(newest) = self.newest.get_mut(holding.index()) {
            *newest = 0;
        }
    }

    /// Finds the way that a replay of a trade goes: from the last flat position at or before it. `held` is the quantity as it is. Gives
    /// the trade's number; `None` where the way is not all retained.
    pub(crate) fn find_way(&mut self, holding: HoldingId, held: i128, seq: Seq) -> Option<u64> {
        let changed = self.find(holding, seq)?;
        self.path.clear();
        let mut number = *self.newest.get(holding.index())?;
        let mut qty = held;
        loop {
            let row = *self.row(number)?;
            if self.path.len() == REPLAY_MAX {
                return None;
            }
            self.path.push(number);
            qty -= i128::from(row.qty);
            if number <= changed && qty == 0 {
                return Some(changed);
            }
            number = row.before;
        }
    }

    /// The movements on the way that was found, oldest first, with another version of the changed trade.
    pub(crate) fn on_way(
        &self,
        changed: u64,
        version: Option<Version>,
    ) -> impl Iterator<Item = Movement> + '_ {
        self.path.iter().rev().filter_map(move |&number| {
            let mut movement = *self.row(number)?;
            if let Some(version) = version.filter(|_| number == changed) {
                (movement.qty, movement.principal, movement.fee) =
                    (version.qty, version.principal, version.fee);
            }
            Some(movement)
        })
    }

    /// Replays the way at average cost.
    pub(crate) fn run(
        &self,
        changed: u64,
        version: Option<Version>,
        rules: Rules,
        instrument: &Instrument,
    ) -> Run {
        let mut run = Run::new();
        for movement in self.on_way(changed, version) {
            run.take(&movement, rules, instrument);
        }
        run
    }

    /// Notes by how much each movement on the way changes the position now.
    pub(crate) fn renew_way(&mut self, rules: Rules, instrument: &Instrument) {
        let mut run = Run::new();
        for at in (0..self.path.len()).rev() {
            let slot = self.slot(self.path[at]);
            let qty = run.take(&self.rows[slot], rules, instrument);
            self.rows[slot].qty = qty as i64; // trades as they are; what actions change was checked to have 64 bits
        }
    }

    pub(crate) fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.count.to_le_bytes());
        for number in self.forgotten + 1..=self.count {
            sink(bytes_of(&self.rows[self.slot(number)]));
        }
        sink(&self.named_end.to_le_bytes());
        for lot in self.named.iter().take(self.named_end.min(NAMED_MAX) as usize) {
            sink(&lot.open.to_le_bytes());
            sink(&lot.qty.raw().to_le_bytes());
        }
    }
}
