//! Short sales by holding: what was located for the day, what is open and what was sold (L14).

use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::ids::HoldingId;
use tradewind_domain::time::DayNumber;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct ShortRow {
    located: i64,
    open: i64,
    sold: i64,
    day: DayNumber,
    used: u32,
}

/// Figures of one holding at 1e-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShortFigures {
    /// Located for the day; the grant stands until it is changed.
    pub located: i128,
    /// Open quantity of short sales.
    pub open: i128,
    /// Sold short today; zero again at the roll.
    pub sold_today: i128,
}

impl ShortFigures {
    /// Nothing located, nothing open, nothing sold.
    pub const NONE: Self = Self {
        located: 0,
        open: 0,
        sold_today: 0,
    };
}

/// All holdings, by id.
pub struct Shorts {
    rows: Vec<ShortRow>,
}

impl Shorts {
    /// Room for `max` holdings.
    pub fn new(max: u32) -> Self {
        Self {
            rows: vec![ShortRow::default(); max as usize],
        }
    }

    /// The figures of a holding on a trading date.
    #[inline]
    pub fn figures(&self, holding: HoldingId, date: DayNumber) -> ShortFigures {
        let Some(row) = self.rows.get(holding.index()) else {
            return ShortFigures::default();
        };
        ShortFigures {
            located: i128::from(row.located),
            open: i128::from(row.open),
            sold_today: if row.day == date { i128::from(row.sold) } else { 0 },
        }
    }

    /// Sets what was located.
    pub fn locate(&mut self, holding: HoldingId, qty: i64) {
        if let Some(row) = self.rows.get_mut(holding.index()) {
            (row.located, row.used) = (qty, 1);
        }
    }

    /// Adds to what is open.
    #[inline]
    pub fn reserve(&mut self, holding: HoldingId, qty: i64) {
        if let Some(row) = self.rows.get_mut(holding.index()) {
            row.open = row.open.saturating_add(qty);
            row.used = 1;
        }
    }

    /// Counts what was sold on a date.
    #[inline]
    pub fn sell(&mut self, holding: HoldingId, qty: i64, date: DayNumber) {
        if let Some(row) = self.rows.get_mut(holding.index()) {
            if row.day != date {
                (row.day, row.sold) = (date, 0);
            }
            row.sold = row.sold.saturating_add(qty);
            row.used = 1;
        }
    }

    /// Feeds the rows to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for (at, row) in self.rows.iter().enumerate().filter(|(_, row)| row.used != 0) {
            sink(&(at as u32).to_le_bytes());
            sink(bytes_of(row));
        }
    }
}
