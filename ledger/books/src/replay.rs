//! The newest fills of all holdings, so that a bust or correction can ask what a position would be had the trade been another one.
//!
//! A ring of plain rows; the rows of a holding are linked from the newest back. The position is replayed from the last moment at or
//! before the trade at which it was flat, through every live fill since (SETTLEMENT section 6): cost is then known to the minor
//! unit, and realised profit follows from it, since profit and cost together are the money that moved.
//!
//! # Invariants
//! - The newest `capacity` fills are retained; a replay walks at most [`REPLAY_MAX`] of them.
//! - Where the fills since a flat position are not all retained there is no replay, and the caller adjusts.

use crate::position::{Facts, PositionRow, Rules, effect};
use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{HoldingId, Seq};

/// Fills of one holding that a replay walks at most: some tens of microseconds.
pub(crate) const REPLAY_MAX: usize = 4_096;

/// One fill of a position, as it counts now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct FillRow {
    principal: Money,
    /// Signed quantity; 0 once it was busted.
    qty: i64,
    seq: Seq,
    /// Number of the holding's fill before, counted from 1; 0 for the first.
    before: u64,
    holding: HoldingId,
    reserved: u32,
}

/// A fill's signed quantity and money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) qty: i64,
    pub(crate) principal: Money,
}

/// What a replay finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// The position's cost with the new version.
    pub(crate) cost: Money,
    /// Change of the quantity that closed.
    pub(crate) closed_qty: i128,
}

/// The pool of fills.
pub(crate) struct Fills {
    rows: Vec<FillRow>,
    /// Number of each holding's newest fill, counted from 1; 0 for none.
    newest: Vec<u64>,
    /// How many fills there ever were.
    count: u64,
    /// How many of them are forgotten.
    forgotten: u64,
    capacity: u64,
    /// Numbers of the fills to replay, newest first.
    path: Vec<u64>,
}

impl Fills {
    pub(crate) fn new() -> Self {
        Self {
            rows: Vec::new(),
            newest: Vec::new(),
            count: 0,
            forgotten: 0,
            capacity: 0,
            path: Vec::with_capacity(REPLAY_MAX),
        }
    }

    /// Room for a run's tables. Allocates, at start-up only; memory is never given back, the number retained is the run's.
    pub(crate) fn grow(&mut self, holdings: u32, executions: u32) {
        let wanted = (executions as usize).max(1);
        if self.rows.len() < wanted {
            let mut rows = vec![FillRow::zeroed(); wanted];
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

    /// The fill of a number counted from 1, where it is retained.
    #[inline]
    fn row(&self, number: u64) -> Option<&FillRow> {
        (number > self.forgotten && number <= self.count).then(|| &self.rows[self.slot(number)])
    }

    /// Retains a fill that was just booked.
    #[inline]
    pub(crate) fn push(&mut self, holding: HoldingId, seq: Seq, version: Version) {
        let Some(newest) = self.newest.get_mut(holding.index()) else {
            return;
        };
        self.count += 1;
        let before = std::mem::replace(newest, self.count);
        let slot = self.slot(self.count);
        self.rows[slot] = FillRow {
            principal: version.principal,
            qty: version.qty,
            seq,
            before,
            holding,
            reserved: 0,
        };
        self.forgotten = self.forgotten.max(self.count.saturating_sub(self.capacity));
    }

    /// The number of the fill of a record: sequence numbers rise with them.
    fn find(&self, seq: Seq) -> Option<u64> {
        let (mut low, mut high) = (self.forgotten + 1, self.count + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.row(middle)?.seq < seq {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.row(low).filter(|row| row.seq == seq).map(|_| low)
    }

    /// Puts another version in a fill's place.
    pub(crate) fn change(&mut self, seq: Seq, version: Version) {
        if let Some(number) = self.find(seq) {
            let slot = self.slot(number);
            (self.rows[slot].qty, self.rows[slot].principal) = (version.qty, version.principal);
        }
    }

    /// What the position would be, had the fill of `seq` been `version`. `held` is the position's quantity as it is.
    pub(crate) fn replay(
        &mut self,
        holding: HoldingId,
        held: i128,
        seq: Seq,
        version: Version,
        rules: Rules,
    ) -> Option<Replayed> {
        let changed = self.find(seq)?;
        self.walk_back(holding, held, changed)?;
        let (cost, closed) = self.run(rules, changed, Some(version));
        let (_, closed_before) = self.run(rules, changed, None);
        Some(Replayed {
            cost,
            closed_qty: closed - closed_before,
        })
    }

    /// Notes the way from the newest fill back to the last flat position at or before the changed one.
    fn walk_back(&mut self, holding: HoldingId, held: i128, changed: u64) -> Option<()> {
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
                return Some(());
            }
            number = row.before;
        }
    }

    /// Cost and closed quantity at the end of the way.
    fn run(&self, rules: Rules, changed: u64, version: Option<Version>) -> (Money, i128) {
        let mut position = PositionRow::zeroed();
        let mut closed = 0;
        for &number in self.path.iter().rev() {
            let Some(row) = self.row(number) else { continue };
            let mut fill = Version {
                qty: row.qty,
                principal: row.principal,
            };
            if number == changed {
                fill = version.unwrap_or(fill);
            }
            let facts: Facts = effect(&position, rules, fill.qty.into(), fill.principal);
            position.qty = NetQty::from_raw(position.qty.raw().wrapping_add(fill.qty.into()));
            position.cost = Money::from_raw(position.cost.raw().wrapping_add(facts.cost_delta.raw()));
            closed += i128::from(facts.closed_qty);
        }
        (position.cost, closed)
    }

    pub(crate) fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.count.to_le_bytes());
        for number in self.forgotten + 1..=self.count {
            sink(bytes_of(&self.rows[self.slot(number)]));
        }
    }
}
