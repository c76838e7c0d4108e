//! Cash of accounts as the limit check sees it: settled and reserved, by account and currency.

use crate::hierarchy::hash;
use bytemuck::{Pod, Zeroable, bytes_of};
use hashbrown::HashTable;
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, CurrencyId, WalletId};
use tradewind_domain::time::DayNumber;
use tradewind_machine::prefetch::prefetch_lines;

/// The cash of one account in one currency, in two cache lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct WalletRow {
    /// Owned, at trade date: what is not settled yet included.
    pub settled: Money,
    /// Held back for open orders.
    pub reserved: Money,
    /// What binary shorts must hold.
    pub collateral: Money,
    /// Part of `settled` that comes in on later settlement dates.
    pub pending_in: Money,
    /// What goes out on later settlement dates; `settled` is less by it already.
    pub pending_out: Money,
    /// Proceeds since `unsettled_day` began of sales without a settlement date.
    unsettled: Money,
    /// Account.
    pub account: AccountId,
    /// Currency.
    pub currency: CurrencyId,
    #[doc(hidden)]
    pub reserved2: u16,
    /// Trading date of the proceeds in `unsettled`.
    unsettled_day: DayNumber,
    #[doc(hidden)]
    pub reserved3: u32,
    /// What open orders need of the account's cash in base currency, their fee estimates included, 1e-16: kept once a limit
    /// compares it (`in_base`).
    pub need_in_base: i128,
}

const _: () = assert!(size_of::<WalletRow>() == 128);

impl WalletRow {
    /// Cash that has settled: what may leave the firm at most.
    #[inline]
    pub const fn settled_cash(&self) -> i128 {
        self.settled
            .raw()
            .wrapping_sub(self.pending_in.raw())
            .wrapping_add(self.pending_out.raw())
    }

    /// False where all of `settled` has settled, whatever the date and the account.
    #[inline]
    pub const fn has_unsettled(&self) -> bool {
        self.unsettled.raw() | self.pending_in.raw() != 0
    }

    /// The part of `settled` that is not settled on a trading date: proceeds of the day's sales without a settlement date (L29).
    #[inline]
    pub fn unsettled_on(&self, date: DayNumber) -> Money {
        if self.unsettled_day == date {
            self.unsettled
        } else {
            Money::ZERO
        }
    }

    /// Notes that cash which was just booked settles with the next trading day; a negative amount takes such cash back.
    pub fn defer(&mut self, amount: Money, date: DayNumber) {
        if self.unsettled_day != date {
            (self.unsettled_day, self.unsettled) = (date, Money::ZERO);
        }
        self.unsettled = Money::from_raw(self.unsettled.raw() + amount.raw());
    }
}

/// All wallets; ids are given in the order of first use.
pub struct Wallets {
    rows: Vec<WalletRow>,
    index: HashTable<u32>,
    max: u32,
    currencies: u16,
}

impl Wallets {
    /// Room for `max` wallets.
    pub fn new(max: u32) -> Self {
        Self {
            rows: Vec::with_capacity(max as usize),
            index: HashTable::with_capacity(max as usize),
            max,
            currencies: 0,
        }
    }

    /// One more than the highest currency that a wallet has.
    #[inline]
    pub fn currencies(&self) -> u16 {
        self.currencies
    }

    /// Sets how many are accepted, at most what there is memory for.
    pub fn set_capacity(&mut self, max: u32) {
        self.max = max.min(self.rows.capacity() as u32);
    }

    /// The wallet of an account; none where it has none yet.
    #[inline]
    pub fn find(&self, account: AccountId, currency: CurrencyId) -> WalletId {
        let key = key(account, currency);
        let found = self.index.find(hash(key), |&at| {
            let row = &self.rows[at as usize];
            self::key(row.account, row.currency) == key
        });
        found.map_or(WalletId::NONE, |&at| WalletId(at))
    }

    /// As [`find`](Self::find), where the wallet is most likely known.
    #[inline]
    pub fn find_likely(&self, likely: WalletId, account: AccountId, currency: CurrencyId) -> WalletId {
        match self.row(likely) {
            Some(row) if row.account == account && row.currency == currency => likely,
            _ => self.find(account, currency),
        }
    }

    /// Brings a wallet's row closer.
    #[inline]
    pub fn prefetch(&self, wallet: WalletId) {
        if let Some(row) = self.row(wallet) {
            prefetch_lines::<2, _>(row);
        }
    }

    /// The wallet of an account, or the id that a new one would get; `None` where the table is full.
    #[inline]
    pub fn find_or_next(&self, account: AccountId, currency: CurrencyId) -> Option<WalletId> {
        let found = self.find(account, currency);
        if !found.is_none() {
            return Some(found);
        }
        self.next()
    }

    /// The id that a new wallet would get; `None` where the table is full.
    #[inline]
    pub fn next(&self) -> Option<WalletId> {
        let next = self.rows.len() as u32;
        (next < self.max).then_some(WalletId(next))
    }

    /// True where so many more wallets find a place.
    pub fn has_room(&self, more: u32) -> bool {
        (self.rows.len() as u32).saturating_add(more) <= self.max
    }

    /// Makes the wallet that [`find_or_next`](Self::find_or_next) named, where it does not exist.
    pub fn make(&mut self, wallet: WalletId, account: AccountId, currency: CurrencyId) {
        if wallet.index() != self.rows.len() || self.rows.len() == self.rows.capacity() {
            return;
        }
        self.rows.push(WalletRow {
            account,
            currency,
            ..WalletRow::zeroed()
        });
        self.currencies = self.currencies.max(currency.0.saturating_add(1));
        let rows = &self.rows;
        self.index
            .insert_unique(hash(key(account, currency)), wallet.0, |&at| {
                let row = &rows[at as usize];
                hash(key(row.account, row.currency))
            });
    }

    /// The row.
    #[inline]
    pub fn row(&self, wallet: WalletId) -> Option<&WalletRow> {
        self.rows.get(wallet.index())
    }

    /// The row, to apply facts to.
    #[inline]
    pub fn row_mut(&mut self, wallet: WalletId) -> Option<&mut WalletRow> {
        self.rows.get_mut(wallet.index())
    }

    /// All rows, by id.
    pub fn rows(&self) -> &[WalletRow] {
        &self.rows
    }

    /// Feeds the rows to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for row in &self.rows {
            sink(bytes_of(row));
        }
    }
}

#[inline]
fn key(account: AccountId, currency: CurrencyId) -> u64 {
    (u64::from(account.0) << 16) | u64::from(currency.0)
}
