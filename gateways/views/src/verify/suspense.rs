//! I10: what the firm has in suspense is what its transfers put there, each of them an item with its identifier and reason; what it has from
//! conversions is what it sold and bought.

use super::Check;
use super::difference::First;
use std::collections::BTreeMap;
use tradewind_books::posting::Account;
use tradewind_books::settle::Settle;
use tradewind_domain::codes::{FirmAccount, TransferPhase};
use tradewind_domain::event::{Event, FxConversion, FxRate, Kind, LedgerTransfer, TransferFacts};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::CurrencyId;
use tradewind_domain::rounding::{Rounding, div_round};

#[derive(Default)]
pub(super) struct Suspense {
    /// Credits less debits by account of suspense or pool, and how many records made them.
    booked: BTreeMap<Account, (i128, u64)>,
    /// Base units per unit of a currency; the base currency is not there.
    rates: BTreeMap<CurrencyId, i64>,
    records: u64,
}

impl Suspense {
    pub(super) fn see(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        match event.kind() {
            Some(Kind::LedgerTransfer) => self.transfer(event),
            Some(Kind::FxConversion) => {
                let body: &FxConversion = event.body();
                self.records += 1;
                self.add(Account::FxPool(body.sold), body.amount.raw());
                self.add(Account::FxPool(body.currency_bought), -body.bought.raw());
            }
            Some(Kind::FxRate) => {
                let body: &FxRate = event.body();
                self.rates.insert(body.currency, body.rate);
            }
            _ => {}
        }
    }

    fn transfer(&mut self, event: &Event) {
        let body: &LedgerTransfer = event.body();
        let is_booked = matches!(body.phase(), Some(TransferPhase::Posted | TransferPhase::Post));
        let Some(facts) = event.transfer_facts().filter(|_| is_booked) else {
            return;
        };
        self.records += 1;
        if let Some((debit, credit)) = facts.accounts() {
            let amount = facts.amount.raw();
            for (account, sign) in [(debit, -1), (credit, 1)] {
                if let Some(account) = watched(account, &facts) {
                    self.add(account, sign * amount);
                }
            }
        }
    }

    fn add(&mut self, account: Account, amount: i128) {
        let (balance, count) = self.booked.entry(account).or_default();
        *balance = balance.wrapping_add(amount);
        *count += 1;
    }

    pub(super) fn compare(&self, settle: &Settle) -> Check {
        const NAME: &str = "suspense is itemised, and the conversion pool is booked";
        let is_watched = |account: &Account| {
            matches!(
                account,
                Account::Suspense(_) | Account::SuspenseSec(_) | Account::FxPool(_)
            )
        };
        let mut first = First::default();
        for (account, row) in settle.accounts().filter(|(account, _)| is_watched(account)) {
            let booked = self.booked.get(&account).map_or(0, |(balance, _)| *balance);
            let what = || format!("balance of {account:?}");
            first.equal(what, ("records", booked), ("books", row.balance()));
        }
        for (account, (balance, _)) in &self.booked {
            let held = settle.row(*account).map_or(0, |row| row.balance());
            let what = || format!("balance of {account:?}");
            first.equal(what, ("records", *balance), ("books", held));
        }
        if self.records == 0 && first.0.is_none() {
            return Check::not_applicable("I10", NAME, "no transfer of the firm and no conversion");
        }
        Check::of(NAME, self.figure(), first.0).shows("I10")
    }

    /// What is in suspense, and what the pool is worth at the present rates: what conversions have brought the firm.
    fn figure(&self) -> String {
        let is_open = |(account, (balance, _)): &(&Account, &(i128, u64))| {
            *balance != 0 && !matches!(account, Account::FxPool(_))
        };
        let open = self.booked.iter().filter(is_open);
        let (accounts, items) = open.fold((0_u64, 0), |(accounts, items), (_, (_, count))| {
            (accounts + 1, items + count)
        });
        let pool = self
            .booked
            .iter()
            .filter_map(|(account, (balance, _))| match account {
                Account::FxPool(currency) => self.in_base(*currency, *balance),
                _ => None,
            });
        let pool = Money::from_raw(pool.fold(0, i128::wrapping_add));
        format!("{accounts} suspense accounts open with {items} items; conversion pool worth {pool}")
    }

    /// The base currency is the first one. `None` where no rate is known.
    fn in_base(&self, currency: CurrencyId, balance: i128) -> Option<i128> {
        let rate = match currency {
            CurrencyId(0) => ONE,
            _ => *self.rates.get(&currency)?,
        };
        let product = balance.checked_mul(rate.into())?;
        let minor = div_round(product, i128::from(ONE) * 1_000_000, Rounding::HalfUp)?;
        minor.checked_mul(1_000_000)
    }
}

/// The account of the books, of those that are watched here.
fn watched(account: FirmAccount, facts: &TransferFacts) -> Option<Account> {
    match account {
        FirmAccount::Suspense => Some(Account::Suspense(facts.currency)),
        FirmAccount::SuspenseSec => Some(Account::SuspenseSec(facts.instrument)),
        FirmAccount::FxPool => Some(Account::FxPool(facts.currency)),
        _ => None,
    }
}
