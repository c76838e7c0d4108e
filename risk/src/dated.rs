//! Unsettled trades: cash and securities by holding and settlement date, until the settlement calendar rolls to that date.
//!
//! # Invariants
//! - A bucket is the sum of its trades, in present units. One whose last trade was taken out is gone, but where a split has rounded: what
//!   the whole had more than its trades one by one stays, and settles on its date.
//! - Rows are reused in an order that follows from the events alone, so that settlements come out alike on every replay.
//! - No allocation after [`Dated::new`]. What finds no room settles at once; the execution says so.
//!
//! - What is pending of a holding is the sum over its buckets.
//!
//! Not here: the wallets' sums over their buckets ([`crate::wallets`]), which trade is in which bucket (the retained executions).

use crate::hierarchy::hash;
use bytemuck::{Pod, Zeroable, bytes_of};
use hashbrown::HashTable;
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, NodeId, WalletId};
use tradewind_domain::time::DayNumber;

/// What is pending of one trade, or of many. All figures are zero or above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Amounts {
    /// Cash that comes in.
    pub cash_in: Money,
    /// Cash that goes out.
    pub cash_out: Money,
    /// Quantity that comes in.
    pub qty_in: NetQty,
    /// Quantity that goes out.
    pub qty_out: NetQty,
}

impl Amounts {
    /// Amounts of a trade that changes cash by `cash` and the position by `qty`.
    pub fn of(cash: i128, qty: i128) -> Self {
        Self {
            cash_in: Money::from_raw(cash.max(0)),
            cash_out: Money::from_raw(cash.wrapping_neg().max(0)),
            qty_in: NetQty::from_raw(qty.max(0)),
            qty_out: NetQty::from_raw(qty.wrapping_neg().max(0)),
        }
    }

    fn add(&mut self, other: &Self, sign: i128) {
        self.cash_in = Money::from_raw(
            self.cash_in
                .raw()
                .wrapping_add(other.cash_in.raw().wrapping_mul(sign)),
        );
        self.cash_out = Money::from_raw(
            self.cash_out
                .raw()
                .wrapping_add(other.cash_out.raw().wrapping_mul(sign)),
        );
        self.qty_in = NetQty::from_raw(
            self.qty_in
                .raw()
                .wrapping_add(other.qty_in.raw().wrapping_mul(sign)),
        );
        self.qty_out = NetQty::from_raw(
            self.qty_out
                .raw()
                .wrapping_add(other.qty_out.raw().wrapping_mul(sign)),
        );
    }
}

/// Which trades are settled together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketKey {
    /// Account and instrument.
    pub holding: HoldingId,
    /// Settlement date.
    pub date: DayNumber,
    /// Settlement calendar.
    pub calendar: CalendarId,
}

impl BucketKey {
    #[inline]
    fn hash(self) -> u64 {
        hash((u64::from(self.holding.0) << 32) | u64::from(self.date)) ^ u64::from(self.calendar.0)
    }
}

/// Whose trades they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketOwner {
    /// Account.
    pub account: AccountId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Narrowest node of the first trade.
    pub leaf: NodeId,
    /// Currency.
    pub currency: CurrencyId,
}

/// The unsettled trades of a holding that settle on one date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Bucket {
    /// Sums.
    pub amounts: Amounts,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Settlement date.
    pub date: DayNumber,
    /// Trades in it.
    pub trades: u32,
    /// Account.
    pub account: AccountId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Narrowest node of the first trade.
    pub leaf: NodeId,
    /// The next free row.
    next_free: u32,
    /// Currency.
    pub currency: CurrencyId,
    /// Settlement calendar.
    pub calendar: CalendarId,
    #[doc(hidden)]
    pub reserved: [u32; 3],
}

const _: () = assert!(size_of::<Bucket>() == 112);

impl Bucket {
    /// True where something settles with it. What rounding at a split has left stays behind the last of its trades.
    #[inline]
    pub fn is_used(&self) -> bool {
        self.trades != 0 || self.amounts != Amounts::default()
    }

    /// What identifies it.
    pub fn key(&self) -> BucketKey {
        BucketKey {
            holding: self.holding,
            date: self.date,
            calendar: self.calendar,
        }
    }
}

const NIL: u32 = u32::MAX;

/// Settlement calendars that there may be.
const CALENDARS: usize = 256;

/// All buckets, and what they add up to for each holding.
pub struct Dated {
    /// By holding: quantity that comes in less quantity that goes out.
    pending: Vec<i128>,
    /// By holding: stock that is borrowed for a settled short position.
    borrowed: Vec<i64>,
    /// Calendars on which trades were ever to settle.
    calendars: [u64; CALENDARS / 64],
    rows: Vec<Bucket>,
    index: HashTable<u32>,
    first_free: u32,
    used: u32,
    max: u32,
}

impl Dated {
    /// Room for `max` buckets of so many holdings.
    pub fn new(max: u32, holdings: u32) -> Self {
        Self {
            pending: vec![0; holdings as usize],
            borrowed: vec![0; holdings as usize],
            calendars: [0; CALENDARS / 64],
            rows: Vec::with_capacity(max as usize),
            index: HashTable::with_capacity(max as usize),
            first_free: NIL,
            used: 0,
            max,
        }
    }

    /// Sets how many are accepted, at most what there is memory for.
    pub fn set_capacity(&mut self, max: u32) {
        self.max = max.min(self.rows.capacity() as u32);
    }

    /// Buckets in use.
    pub fn used(&self) -> u32 {
        self.used
    }

    /// The row of a key.
    #[inline]
    pub fn find(&self, key: BucketKey) -> Option<u32> {
        let found = self
            .index
            .find(key.hash(), |&at| self.rows[at as usize].key() == key);
        found.copied()
    }

    /// True where a trade of this key has a bucket or can have one.
    #[inline]
    pub fn has_room(&self, key: BucketKey) -> bool {
        self.used < self.max || self.find(key).is_some()
    }

    /// Puts a trade into its bucket. False where there is no row for it.
    pub fn add(&mut self, key: BucketKey, owner: &BucketOwner, amounts: &Amounts) -> bool {
        let Some(at) = self.find(key).or_else(|| self.make(key, owner)) else {
            return false;
        };
        let row = &mut self.rows[at as usize];
        row.amounts.add(amounts, 1);
        row.trades += 1;
        if let Some(word) = self.calendars.get_mut(key.calendar.index() / 64) {
            *word |= 1 << (key.calendar.index() % 64);
        }
        self.pend(key.holding, amounts, 1);
        true
    }

    fn pend(&mut self, holding: HoldingId, amounts: &Amounts, sign: i128) {
        if let Some(sum) = self.pending.get_mut(holding.index()) {
            let net = amounts.qty_in.raw().wrapping_sub(amounts.qty_out.raw());
            *sum = sum.wrapping_add(net.wrapping_mul(sign));
        }
    }

    /// Quantity of a holding that comes in less that which goes out.
    pub fn pending(&self, holding: HoldingId) -> i128 {
        self.pending.get(holding.index()).copied().unwrap_or(0)
    }

    /// Stock that is borrowed for a holding.
    pub fn borrowed(&self, holding: HoldingId) -> i64 {
        self.borrowed.get(holding.index()).copied().unwrap_or(0)
    }

    /// Stock is borrowed, or given back.
    pub fn borrow(&mut self, holding: HoldingId, change: i64) {
        if let Some(held) = self.borrowed.get_mut(holding.index()) {
            *held = held.saturating_add(change);
        }
    }

    /// True where trades were ever to settle with this calendar.
    pub fn has_calendar(&self, calendar: CalendarId) -> bool {
        let word = self.calendars.get(calendar.index() / 64).copied().unwrap_or(0);
        word >> (calendar.index() % 64) & 1 == 1
    }

    /// Takes a trade out of its bucket. False where it is in none.
    pub fn take(&mut self, key: BucketKey, amounts: &Amounts) -> bool {
        let Some(at) = self.find(key) else { return false };
        let row = &mut self.rows[at as usize];
        row.amounts.add(amounts, -1);
        row.trades = row.trades.saturating_sub(1);
        if !row.is_used() {
            self.free(at);
        }
        self.pend(key.holding, amounts, -1);
        true
    }

    /// A split has made other units of what a bucket brings and takes. False where there is none.
    pub fn convert(&mut self, key: BucketKey, qty_in: NetQty, qty_out: NetQty) -> bool {
        let Some(at) = self.find(key) else { return false };
        let before = self.rows[at as usize].amounts;
        let after = Amounts {
            qty_in,
            qty_out,
            ..before
        };
        self.rows[at as usize].amounts = after;
        self.pend(key.holding, &before, -1);
        self.pend(key.holding, &after, 1);
        true
    }

    /// A bucket has settled. False where there is none.
    pub fn remove(&mut self, key: BucketKey) -> bool {
        let Some(at) = self.find(key) else { return false };
        let amounts = self.rows[at as usize].amounts;
        self.pend(key.holding, &amounts, -1);
        self.free(at);
        true
    }

    /// The row at a place; `None` behind the last one that was ever used.
    #[inline]
    pub fn row(&self, at: u32) -> Option<&Bucket> {
        self.rows.get(at as usize)
    }

    /// Every bucket, in the order of rows.
    pub fn all(&self) -> impl Iterator<Item = &Bucket> {
        self.rows.iter().filter(|row| row.is_used())
    }

    fn make(&mut self, key: BucketKey, owner: &BucketOwner) -> Option<u32> {
        let row = Bucket {
            holding: key.holding,
            date: key.date,
            calendar: key.calendar,
            account: owner.account,
            wallet: owner.wallet,
            instrument: owner.instrument,
            leaf: owner.leaf,
            currency: owner.currency,
            ..Bucket::zeroed()
        };
        let at = if let Some(free) = self.rows.get_mut(self.first_free as usize) {
            let at = self.first_free;
            self.first_free = free.next_free;
            *free = row;
            at
        } else if self.rows.len() < self.rows.capacity() {
            self.rows.push(row);
            self.rows.len() as u32 - 1
        } else {
            return None;
        };
        self.used += 1;
        let rows = &self.rows;
        self.index
            .insert_unique(key.hash(), at, |&at| rows[at as usize].key().hash());
        Some(at)
    }

    fn free(&mut self, at: u32) {
        let key = self.rows[at as usize].key();
        if let Ok(entry) = self.index.find_entry(key.hash(), |&other| other == at) {
            entry.remove();
        }
        self.rows[at as usize] = Bucket {
            next_free: self.first_free,
            ..Bucket::zeroed()
        };
        self.first_free = at;
        self.used -= 1;
    }

    /// Feeds the rows to a hash, and the order in which free ones are used again.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.first_free.to_le_bytes());
        for row in &self.rows {
            sink(bytes_of(row));
        }
        sink(bytes_of(&self.calendars));
        for (at, borrowed) in (0u32..)
            .zip(&self.borrowed)
            .filter(|(_, borrowed)| **borrowed != 0)
        {
            sink(&at.to_le_bytes());
            sink(&borrowed.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: BucketOwner = BucketOwner {
        account: AccountId(1),
        wallet: WalletId(1),
        instrument: InstrumentId(1),
        leaf: NodeId(1),
        currency: CurrencyId(0),
    };

    fn key(holding: u32, date: u32) -> BucketKey {
        BucketKey {
            holding: HoldingId(holding),
            date,
            calendar: CalendarId(1),
        }
    }

    #[test]
    fn a_bucket_is_the_sum_of_its_trades_and_goes_with_the_last() {
        let mut dated = Dated::new(4, 16);
        let (buy, sale) = (Amounts::of(-500, 10), Amounts::of(300, -4));
        assert!(dated.add(key(1, 7), &OWNER, &buy) && dated.add(key(1, 7), &OWNER, &sale));
        assert!(dated.add(key(1, 8), &OWNER, &buy));
        let row = *dated.row(dated.find(key(1, 7)).unwrap()).unwrap();
        assert_eq!(
            (row.amounts.cash_in.raw(), row.amounts.cash_out.raw()),
            (300, 500)
        );
        assert_eq!((row.amounts.qty_in.raw(), row.amounts.qty_out.raw()), (10, 4));
        assert!(dated.take(key(1, 7), &buy) && dated.take(key(1, 7), &sale));
        assert_eq!((dated.find(key(1, 7)), dated.used()), (None, 1));
        assert!(!dated.take(key(1, 7), &buy));
        assert!(dated.remove(key(1, 8)) && !dated.remove(key(1, 8)));
    }

    #[test]
    fn a_full_table_takes_trades_of_its_buckets_and_no_new_bucket() {
        let mut dated = Dated::new(3, 16);
        dated.set_capacity(2);
        let amounts = Amounts::of(-1, 1);
        for holding in 1..=2 {
            assert!(dated.has_room(key(holding, 7)) && dated.add(key(holding, 7), &OWNER, &amounts));
        }
        assert!(dated.has_room(key(1, 7)) && !dated.has_room(key(3, 7)));
        assert!(dated.remove(key(2, 7)));
        assert!(dated.has_room(key(3, 7)));
    }

    #[test]
    fn rows_are_used_again_the_last_one_freed_first() {
        let mut dated = Dated::new(3, 16);
        let amounts = Amounts::of(-1, 1);
        for holding in 0..3 {
            dated.add(key(holding, 7), &OWNER, &amounts);
        }
        dated.remove(key(0, 7));
        dated.remove(key(2, 7));
        for (holding, at) in [(5, 2), (6, 0)] {
            dated.add(key(holding, 8), &OWNER, &amounts);
            assert_eq!(dated.find(key(holding, 8)), Some(at));
        }
        assert!(!dated.add(key(9, 8), &OWNER, &amounts));
    }
}
