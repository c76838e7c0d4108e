//! Cash of an account: what was booked, and that it leads from one balance to the other.

use crate::dated::Dated;
use crate::error::ReportError;
use crate::model::{Cell, Section};
use crate::walk::{At, Walked};
use std::collections::BTreeMap;
use tradewind_books::posting::{Account, adjustment};
use tradewind_domain::event::{DatedSettlement, Event, Kind};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, CurrencyId, Seq, WalletId};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// What an entry is about, by what booked it and by the account on its other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Money from and to the client.
    Payments,
    /// Principal of trades.
    Trades,
    /// Fees and rebates.
    Fees,
    /// Dividends and fundings, less tax.
    Income,
    /// Fractions of splits, variation margin, settlement of contracts.
    Actions,
    /// One currency for another.
    Conversions,
    /// Everything else.
    Other,
}

impl Purpose {
    const ALL: [Self; 7] = [
        Self::Payments,
        Self::Trades,
        Self::Fees,
        Self::Income,
        Self::Actions,
        Self::Conversions,
        Self::Other,
    ];

    /// `acts` is true for what corporate actions book, and for what they change where a trade is taken back.
    fn of(acts: bool, other: Account) -> Self {
        match other {
            Account::Div(_) | Account::Tax(_) => Self::Income,
            Account::Bank(_) => Self::Payments,
            Account::Fees(_) => Self::Fees,
            Account::FxPool(_) => Self::Conversions,
            Account::Street(_) if acts => Self::Actions,
            Account::Street(_) => Self::Trades,
            _ => Self::Other,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Trades => "trades",
            Self::Fees => "fees",
            Self::Income => "income",
            Self::Actions => "actions",
            Self::Conversions => "conversions",
            Self::Other => "other",
        }
    }
}

/// Booked cash.
pub(crate) struct Entry {
    pub(crate) seq: Seq,
    pub(crate) time_ns: UnixNanos,
    pub(crate) day: DayNumber,
    pub(crate) currency: CurrencyId,
    pub(crate) purpose: Purpose,
    /// What kind of event booked it.
    pub(crate) event: &'static str,
    pub(crate) amount: Money,
}

/// The booked entries of a period, with the balances that it begins with.
#[derive(Default)]
pub(crate) struct Cash {
    opening: BTreeMap<CurrencyId, Money>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) dated: Dated,
    /// What of the record that is being looked at was fee, where it is a settlement.
    settled_fees: Money,
}

impl Cash {
    pub(crate) fn begin(&mut self, at: &At<'_>) {
        self.opening = balances(at);
    }

    /// Takes every record of the journal, before [`Cash::see`].
    pub(crate) fn before(&mut self, event: &Event, at: &At<'_>) {
        self.settled_fees = self.dated.observe(event, at);
    }

    /// Takes what an accepted record of the period booked on the account's cash.
    pub(crate) fn see(&mut self, event: &Event, at: &At<'_>) {
        let postings = at.replica.settle().postings(event);
        if postings.parties.account != at.account {
            return;
        }
        let acts = event.kind().is_some_and(Kind::is_of_holder);
        let adjusted = adjustment(event);
        let legs = postings.legs().map(|leg| (acts, leg));
        let legs = legs.chain(adjusted.legs().map(|leg| (true, leg)));
        for (acts, leg) in legs.filter(|(_, leg)| leg.phase.signs().1 != 0) {
            let amount = Money::from_raw(leg.amount as i128); // bounded by what one event may move
            let (wallet, other, amount) = match (leg.debit, leg.credit) {
                (Account::Cash(wallet), other) => (wallet, other, amount.neg()),
                (other, Account::Cash(wallet)) => (wallet, other, amount),
                _ => continue,
            };
            self.enter(event, at, wallet, Purpose::of(acts, other), amount);
        }
        self.split_fees(event, at);
    }

    fn enter(&mut self, event: &Event, at: &At<'_>, wallet: WalletId, purpose: Purpose, amount: Money) {
        self.entries.push(Entry {
            seq: event.head.seq,
            time_ns: event.head.recv_ns,
            day: at.day,
            currency: currency_of(at, wallet),
            purpose,
            event: event.kind().map_or("", |kind| kind.text()),
            amount,
        });
    }

    /// A settlement books principal and fee as one amount: the fee gets a line of its own.
    fn split_fees(&mut self, event: &Event, at: &At<'_>) {
        let fees = self.settled_fees;
        if fees.is_zero() || event.kind() != Some(Kind::DatedCashSettled) {
            return;
        }
        let wallet = event.body::<DatedSettlement>().wallet;
        let of_trades = self
            .entries
            .last_mut()
            .filter(|entry| entry.seq == event.head.seq);
        match of_trades {
            Some(entry) => entry.amount = Money::from_raw(entry.amount.raw().wrapping_add(fees.raw())),
            // Principal and fees were alike: no cash was booked.
            None => self.enter(event, at, wallet, Purpose::Trades, fees),
        }
        self.enter(event, at, wallet, Purpose::Fees, fees.neg());
    }

    /// Each currency: opening balance, entries by purpose, closing balance. An error where they do not add up.
    pub(crate) fn summary(&self, walked: &Walked) -> Result<Section, ReportError> {
        let mut section = Section::new(
            "cash",
            "Settled cash",
            &[
                ("currency", "Currency"),
                ("opening", "Opening"),
                ("payments", "Payments"),
                ("trades", "Trades"),
                ("fees", "Fees"),
                ("income", "Income"),
                ("actions", "Corporate actions"),
                ("conversions", "Conversions"),
                ("other", "Other"),
                ("closing", "Closing"),
            ],
        );
        let closing = balances(&walked.at());
        let mut currencies: Vec<CurrencyId> = self.opening.keys().chain(closing.keys()).copied().collect();
        currencies.sort_by_key(|currency| walked.names().currency(*currency));
        currencies.dedup();
        for currency in currencies {
            let dp = decimals(&walked.at(), currency);
            let sums = self.sums(currency)?;
            let opening = self.opening.get(&currency).copied().unwrap_or_default();
            let closed = closing.get(&currency).copied().unwrap_or_default();
            let found = sums
                .values()
                .try_fold(opening, |sum, amount| sum.checked_add(*amount))
                .ok_or(ReportError::Overflow)?;
            if found != closed {
                return Err(ReportError::Cash {
                    currency: walked.names().currency(currency),
                    seq: walked.as_of.seq,
                    entries: found.to_string(),
                    books: closed.to_string(),
                });
            }
            let of = |purpose| Cell::Money(sums.get(&purpose).copied().unwrap_or_default(), dp);
            let mut cells = vec![
                Cell::text(walked.names().currency(currency)),
                Cell::Money(opening, dp),
            ];
            cells.extend(Purpose::ALL.map(of));
            cells.push(Cell::Money(closed, dp));
            section.rows.push(cells);
        }
        Ok(section)
    }

    fn sums(&self, currency: CurrencyId) -> Result<BTreeMap<Purpose, Money>, ReportError> {
        let mut sums: BTreeMap<Purpose, Money> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.currency == currency) {
            let sum = sums.entry(entry.purpose).or_default();
            *sum = sum.checked_add(entry.amount).ok_or(ReportError::Overflow)?;
        }
        Ok(sums)
    }

    /// Every entry, with the balance after it.
    pub(crate) fn listing(&self, walked: &Walked) -> Result<Section, ReportError> {
        let mut section = Section::new(
            "cash_entries",
            "Cash entries",
            &[
                ("time", "Time"),
                ("day", "Day"),
                ("seq", "Sequence"),
                ("event", "Event"),
                ("purpose", "Purpose"),
                ("currency", "Currency"),
                ("amount", "Amount"),
                ("balance", "Balance"),
            ],
        );
        let mut balances = self.opening.clone();
        for entry in &self.entries {
            let balance = balances.entry(entry.currency).or_default();
            *balance = balance.checked_add(entry.amount).ok_or(ReportError::Overflow)?;
            let dp = decimals(&walked.at(), entry.currency);
            section.push([
                Cell::Time(entry.time_ns),
                day_cell(entry.day),
                Cell::Count(entry.seq),
                Cell::text(entry.event),
                Cell::text(entry.purpose.text()),
                Cell::text(walked.names().currency(entry.currency)),
                Cell::Money(entry.amount, dp),
                Cell::Money(*balance, dp),
            ]);
        }
        Ok(section)
    }
}

/// A trading date; none before a calendar has rolled.
pub(crate) fn day_cell(day: DayNumber) -> Cell {
    if day == 0 { Cell::None } else { Cell::Day(day) }
}

/// Booked cash of the account, by currency.
pub(crate) fn balances(at: &At<'_>) -> BTreeMap<CurrencyId, Money> {
    if at.account == AccountId::NONE {
        return BTreeMap::new();
    }
    let wallets = at.replica.settle().wallets().map(|(_, wallet)| wallet);
    let own = wallets.filter(|wallet| wallet.account == at.account);
    own.map(|wallet| (wallet.currency, wallet.settled)).collect()
}

/// Cash of the account by trade date, by currency: what positions were paid with counts on both sides.
pub(crate) fn trade_date_balances(at: &At<'_>) -> BTreeMap<CurrencyId, Money> {
    if at.account == AccountId::NONE {
        return BTreeMap::new();
    }
    let wallets = at.replica.settle().wallets().map(|(_, wallet)| wallet);
    let own = wallets.filter(|wallet| wallet.account == at.account);
    own.map(|wallet| (wallet.currency, wallet.trade_date_balance()))
        .collect()
}

/// What there is at the end: settled, on its way in and out, held for orders, and what may be used and paid out.
pub(crate) fn standing(walked: &Walked) -> Section {
    let mut section = Section::new(
        "balances",
        "Cash at the end",
        &[
            ("currency", "Currency"),
            ("settled", "Settled"),
            ("unsettled_in", "Unsettled in"),
            ("unsettled_out", "Unsettled out"),
            ("trade_date", "By trade date"),
            ("reserved", "Held for orders"),
            ("available", "Available"),
            ("withdrawable", "Withdrawable"),
        ],
    );
    let wallets = walked.replica.settle().wallets().map(|(_, wallet)| wallet);
    let mut own: Vec<_> = wallets
        .filter(|wallet| wallet.account == walked.account)
        .collect();
    own.sort_by_key(|wallet| walked.names().currency(wallet.currency));
    for wallet in own {
        let dp = decimals(&walked.at(), wallet.currency);
        let money = |amount: Money| Cell::Money(amount, dp);
        section.push([
            Cell::text(walked.names().currency(wallet.currency)),
            money(wallet.settled),
            money(wallet.pending_in),
            money(wallet.pending_out.neg()),
            money(wallet.trade_date_balance()),
            money(wallet.reserved),
            money(wallet.available),
            money(wallet.withdrawable()),
        ]);
    }
    section
}

fn currency_of(at: &At<'_>, wallet: WalletId) -> CurrencyId {
    let wallet = at.replica.settle().wallet(wallet);
    wallet.map_or(CurrencyId::NONE, |wallet| wallet.currency)
}

/// Decimals of a currency's minor unit.
pub(crate) fn decimals(at: &At<'_>, currency: CurrencyId) -> u8 {
    at.replica
        .registry()
        .currency(currency)
        .map_or(2, |row| row.money_dp)
}
