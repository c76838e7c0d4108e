//! Settle: posts reservations, fills and payments in double entry.
//!
//! One row of four sums per account, found by dense id. Settle decides nothing: it expands the event's facts with
//! [`posting::postings`] and adds the legs. What overdraws a wallet is booked (the limit check raises
//! the alert on the execution).
//!
//! # Invariants
//! - Per ledger debits equal credits, pending and posted apart. The running totals are kept by the ledger of each *account*
//!   that was touched, not by that of the leg, so a wallet or holding id used for two ledgers shows as an imbalance.
//! - Amounts beyond [`POSTED_MAX`](tradewind_domain::fixed::POSTED_MAX) are refused before they get here, so the 128-bit sums
//!   hold `2^47` postings. Sums wrap rather than stop: no input can halt the stage, and debits and credits stay equal.
//! - A leg with an account that has no row is posted on neither side and counted; a sound journal counts none.
//!
//! Not here: settlement dates, client overdraft limits, transfers of the firm.

use crate::posting::{
    self, Account, Ledger, Leg, LegSpec, Parties, Phase, Postings, Template, execution_instrument, postings,
};
use bytemuck::{Pod, Zeroable};
use tradewind_domain::event::{Capacities, EngineStarted, Event, InstrumentSet, Kind};
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, WalletId};
use tradewind_domain::reference::CURRENCIES_MAX;
use tradewind_machine::stage::Stage;

/// The four sums of an account, or of a ledger, in units of 1e-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LedgerRow {
    /// Held on the debit side.
    pub debits_pending: i128,
    /// Booked on the debit side.
    pub debits_posted: i128,
    /// Held on the credit side.
    pub credits_pending: i128,
    /// Booked on the credit side.
    pub credits_posted: i128,
}

const _: () = assert!(size_of::<LedgerRow>() == 64); // one cache line

impl LedgerRow {
    /// Credits less debits, booked.
    #[inline]
    pub const fn balance(&self) -> i128 {
        self.credits_posted.wrapping_sub(self.debits_posted)
    }

    /// True for a ledger whose debits equal its credits, pending and posted apart.
    #[inline]
    pub const fn is_balanced(&self) -> bool {
        self.debits_pending == self.credits_pending && self.debits_posted == self.credits_posted
    }

    #[inline(always)]
    fn debit(&mut self, amount: i128, phase: Phase) {
        match phase {
            Phase::Pending => self.debits_pending = self.debits_pending.wrapping_add(amount),
            Phase::Release => self.debits_pending = self.debits_pending.wrapping_sub(amount),
            Phase::Posted => self.debits_posted = self.debits_posted.wrapping_add(amount),
        }
    }

    #[inline(always)]
    fn credit(&mut self, amount: i128, phase: Phase) {
        match phase {
            Phase::Pending => self.credits_pending = self.credits_pending.wrapping_add(amount),
            Phase::Release => self.credits_pending = self.credits_pending.wrapping_sub(amount),
            Phase::Posted => self.credits_posted = self.credits_posted.wrapping_add(amount),
        }
    }

    fn add(&mut self, other: &LedgerRow) {
        self.debits_pending = self.debits_pending.wrapping_add(other.debits_pending);
        self.debits_posted = self.debits_posted.wrapping_add(other.debits_posted);
        self.credits_pending = self.credits_pending.wrapping_add(other.credits_pending);
        self.credits_posted = self.credits_posted.wrapping_add(other.credits_posted);
    }

    const fn has_negative(&self) -> bool {
        self.debits_pending < 0
            || self.debits_posted < 0
            || self.credits_pending < 0
            || self.credits_posted < 0
    }
}

/// Whose row it is: the first posting says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Owner {
    /// Account's id.
    account: u32,
    /// Currency's or instrument's id.
    ledger: u32,
    /// 1 once the row was used.
    used: u32,
}

/// A client's money in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// Account.
    pub account: AccountId,
    /// Currency.
    pub currency: CurrencyId,
    /// Booked money: credits less debits.
    pub settled: Money,
    /// Held for open orders.
    pub reserved: Money,
    /// What new orders may use: settled less reserved.
    pub available: Money,
}

/// What a recount of the books finds. All but the first two are zero in sound books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Ledgers with postings.
    pub ledgers: u64,
    /// Accounts with postings.
    pub accounts: u64,
    /// Ledgers whose debits differ from their credits.
    pub unbalanced: u64,
    /// Ledgers whose running totals differ from the sums of their accounts' rows.
    pub drifted: u64,
    /// Accounts with a sum below zero (more released than was held).
    pub negative: u64,
    /// Legs that had no row to post to.
    pub unposted: u64,
}

impl Audit {
    /// True where nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.unbalanced == 0 && self.drifted == 0 && self.negative == 0 && self.unposted == 0
    }
}

/// The settle stage.
pub struct Settle {
    cash: Vec<LedgerRow>,
    cash_owner: Vec<Owner>,
    sec: Vec<LedgerRow>,
    sec_owner: Vec<Owner>,
    street: Vec<LedgerRow>,
    bank: Vec<LedgerRow>,
    fees: Vec<LedgerRow>,
    sec_street: Vec<LedgerRow>,
    currency_totals: Vec<LedgerRow>,
    instrument_totals: Vec<LedgerRow>,
    /// By instrument: 1 where the principal of a trade moves as cash.
    moves_principal: Vec<u8>,
    unposted: u64,
}

impl Settle {
    /// Empty books with rows for these many ids.
    pub fn new(capacities: &Capacities) -> Self {
        let mut settle = Self {
            cash: Vec::new(),
            cash_owner: Vec::new(),
            sec: Vec::new(),
            sec_owner: Vec::new(),
            street: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            bank: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            fees: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            sec_street: Vec::new(),
            currency_totals: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            instrument_totals: Vec::new(),
            moves_principal: Vec::new(),
            unposted: 0,
        };
        settle.grow(capacities);
        settle
    }

    /// A run may begin with larger tables than the books were made for. Allocates, at start-up only; rows are never taken away.
    fn grow(&mut self, capacities: &Capacities) {
        let wallets = self.cash.len().max(capacities.wallets as usize);
        let holdings = self.sec.len().max(capacities.holdings as usize);
        let instruments = self.sec_street.len().max(capacities.instruments as usize);
        self.cash.resize(wallets, LedgerRow::zeroed());
        self.cash_owner.resize(wallets, Owner::zeroed());
        self.sec.resize(holdings, LedgerRow::zeroed());
        self.sec_owner.resize(holdings, Owner::zeroed());
        self.sec_street.resize(instruments, LedgerRow::zeroed());
        self.instrument_totals.resize(instruments, LedgerRow::zeroed());
        self.moves_principal.resize(instruments, 0);
    }

    /// What `event` posts in these books: what the stage adds, and what the auditor compares with.
    #[inline]
    pub fn postings(&self, event: &Event) -> Postings {
        let moves_principal = match execution_instrument(event) {
            Some(instrument) => self
                .moves_principal
                .get(instrument.index())
                .is_some_and(|moves| *moves != 0),
            None => false,
        };
        postings(event, moves_principal)
    }

    #[inline]
    fn on_event(&mut self, event: &Event) {
        match event.kind() {
            Some(Kind::Quote | Kind::LastTrade) => {} // most events, and they post nothing
            Some(Kind::InstrumentSet) if !event.is_rejected() => self.on_instrument(event.body()),
            Some(Kind::EngineStarted) => self.grow(&event.body::<EngineStarted>().capacities),
            _ => {
                let postings = self.postings(event);
                if postings.template.is_some() {
                    self.own(&postings.parties);
                    self.post(&postings);
                }
            }
        }
    }

    fn on_instrument(&mut self, body: &InstrumentSet) {
        if let Some(moves) = self.moves_principal.get_mut(body.row.id.index()) {
            *moves = u8::from(body.row.moves_principal());
        }
    }

    /// Notes whose wallet and holding these are. The first use decides; a later one that differs shows in the totals.
    #[inline]
    fn own(&mut self, parties: &Parties) {
        if let Some(owner) = self.cash_owner.get_mut(parties.wallet.index())
            && owner.used == 0
        {
            *owner = Owner {
                account: parties.account.0,
                ledger: parties.currency.0.into(),
                used: 1,
            };
        }
        if let Some(owner) = self.sec_owner.get_mut(parties.holding.index())
            && owner.used == 0
        {
            *owner = Owner {
                account: parties.account.0,
                ledger: parties.instrument.0,
                used: 1,
            };
        }
    }

    /// Posts the legs; the same as walking [`Postings::legs`], as straight-line code for each template: lines are constants to
    /// the compiler, so finding an account's row takes no branch on its class (measured: half the time of an order's cycle).
    #[inline]
    fn post(&mut self, postings: &Postings) {
        match postings.template {
            Some(Template::Reserve) => self.post_lines(postings, &posting::RESERVE),
            Some(Template::Release) => self.post_lines(postings, &posting::RELEASE),
            Some(Template::Buy) => self.post_lines(postings, &posting::BUY),
            Some(Template::Sell) => self.post_lines(postings, &posting::SELL),
            Some(Template::Deposit) => self.post_lines(postings, &posting::DEPOSIT),
            Some(Template::Withdrawal) => self.post_lines(postings, &posting::WITHDRAWAL),
            Some(Template::BustBuy) => self.post_lines(postings, &posting::BUST_BUY),
            Some(Template::BustSell) => self.post_lines(postings, &posting::BUST_SELL),
            Some(Template::CorrectBuy) => self.post_lines(postings, &posting::CORRECT_BUY),
            Some(Template::CorrectSell) => self.post_lines(postings, &posting::CORRECT_SELL),
            None => {}
        }
    }

    #[inline(always)]
    fn post_lines<const N: usize>(&mut self, postings: &Postings, lines: &[LegSpec; N]) {
        for (line, amount) in lines.iter().zip(postings.amounts) {
            if let Some(leg) = postings.leg(line, amount) {
                self.post_leg(leg);
            }
        }
    }

    #[inline(always)]
    fn post_leg(&mut self, leg: Leg) {
        // Wraps only for amounts beyond POSTED_MAX (module docs).
        let amount = leg.amount as i128;
        if !self.debit(leg.debit, amount, leg.phase) {
            self.unposted += 1;
        } else if !self.credit(leg.credit, amount, leg.phase) {
            self.debit(leg.debit, amount.wrapping_neg(), leg.phase); // takes it back: both sides or neither
            self.unposted += 1;
        }
    }

    /// False, and nothing changes, where the account has no row.
    #[inline(always)]
    fn debit(&mut self, account: Account, amount: i128, phase: Phase) -> bool {
        let Some((row, totals)) = self.row_and_totals(account) else {
            return false;
        };
        row.debit(amount, phase);
        totals.debit(amount, phase);
        true
    }

    /// False, and nothing changes, where the account has no row.
    #[inline(always)]
    fn credit(&mut self, account: Account, amount: i128, phase: Phase) -> bool {
        let Some((row, totals)) = self.row_and_totals(account) else {
            return false;
        };
        row.credit(amount, phase);
        totals.credit(amount, phase);
        true
    }

    /// The ledger that an account belongs to; `None` where the account has no row.
    pub fn ledger_of(&self, account: Account) -> Option<Ledger> {
        let currency = |id: u32| (id as usize) < self.currency_totals.len();
        let instrument = |id: u32| (id as usize) < self.instrument_totals.len();
        match account {
            Account::Cash(id) => {
                let owner = self.cash_owner.get(id.index())?;
                currency(owner.ledger).then_some(Ledger::Currency(CurrencyId(owner.ledger as u16)))
            }
            Account::Street(id) | Account::Bank(id) | Account::Fees(id) => {
                currency(id.0.into()).then_some(Ledger::Currency(id))
            }
            Account::Sec(id) => {
                let owner = self.sec_owner.get(id.index())?;
                instrument(owner.ledger).then_some(Ledger::Instrument(InstrumentId(owner.ledger)))
            }
            Account::SecStreet(id) => instrument(id.0).then_some(Ledger::Instrument(id)),
        }
    }

    #[inline(always)]
    fn row_and_totals(&mut self, account: Account) -> Option<(&mut LedgerRow, &mut LedgerRow)> {
        let (row, totals, ledger) = match account {
            Account::Cash(id) => {
                let owner = self.cash_owner.get(id.index())?;
                (
                    self.cash.get_mut(id.index()),
                    &mut self.currency_totals,
                    owner.ledger as usize,
                )
            }
            Account::Street(id) => (
                self.street.get_mut(id.index()),
                &mut self.currency_totals,
                id.index(),
            ),
            Account::Bank(id) => (
                self.bank.get_mut(id.index()),
                &mut self.currency_totals,
                id.index(),
            ),
            Account::Fees(id) => (
                self.fees.get_mut(id.index()),
                &mut self.currency_totals,
                id.index(),
            ),
            Account::Sec(id) => {
                let owner = self.sec_owner.get(id.index())?;
                (
                    self.sec.get_mut(id.index()),
                    &mut self.instrument_totals,
                    owner.ledger as usize,
                )
            }
            Account::SecStreet(id) => (
                self.sec_street.get_mut(id.index()),
                &mut self.instrument_totals,
                id.index(),
            ),
        };
        Some((row?, totals.get_mut(ledger)?))
    }
}

impl Settle {
    /// An account's sums.
    pub fn row(&self, account: Account) -> Option<&LedgerRow> {
        match account {
            Account::Cash(id) => self.cash.get(id.index()),
            Account::Street(id) => self.street.get(id.index()),
            Account::Bank(id) => self.bank.get(id.index()),
            Account::Fees(id) => self.fees.get(id.index()),
            Account::Sec(id) => self.sec.get(id.index()),
            Account::SecStreet(id) => self.sec_street.get(id.index()),
        }
    }

    /// A ledger's running sums over all its accounts.
    pub fn totals(&self, ledger: Ledger) -> Option<&LedgerRow> {
        match ledger {
            Ledger::Currency(id) => self.currency_totals.get(id.index()),
            Ledger::Instrument(id) => self.instrument_totals.get(id.index()),
        }
    }

    /// A wallet's balance; `None` for one that was never posted to.
    pub fn wallet(&self, wallet: WalletId) -> Option<Wallet> {
        let owner = self
            .cash_owner
            .get(wallet.index())
            .filter(|owner| owner.used != 0)?;
        let row = self.cash.get(wallet.index())?;
        Some(Wallet {
            account: AccountId(owner.account),
            currency: CurrencyId(owner.ledger as u16),
            settled: Money::from_raw(row.balance()),
            reserved: Money::from_raw(row.debits_pending),
            available: Money::from_raw(row.balance().wrapping_sub(row.debits_pending)),
        })
    }

    /// Every wallet that was posted to, by id.
    pub fn wallets(&self) -> impl Iterator<Item = (WalletId, Wallet)> + '_ {
        (0..self.cash.len() as u32)
            .map(WalletId)
            .filter_map(|id| Some((id, self.wallet(id)?)))
    }

    /// Quantity in custody, negative where sold short.
    pub fn holding_qty(&self, holding: HoldingId) -> NetQty {
        NetQty::from_raw(self.sec.get(holding.index()).map_or(0, LedgerRow::balance))
    }

    /// Legs that had no row to post to; zero in sound books.
    pub fn unposted(&self) -> u64 {
        self.unposted
    }

    /// Counts the books anew and compares with the running totals. For auditors: walks every row and allocates.
    pub fn audit(&self) -> Audit {
        let mut audit = Audit {
            unposted: self.unposted,
            ..Audit::default()
        };
        let mut currencies = vec![LedgerRow::zeroed(); self.currency_totals.len()];
        let mut instruments = vec![LedgerRow::zeroed(); self.instrument_totals.len()];
        for (account, row) in self.accounts() {
            audit.accounts += 1;
            audit.negative += u64::from(row.has_negative());
            let sums = match self.ledger_of(account) {
                Some(Ledger::Currency(id)) => currencies.get_mut(id.index()),
                Some(Ledger::Instrument(id)) => instruments.get_mut(id.index()),
                None => None,
            };
            if let Some(sums) = sums {
                sums.add(row);
            }
        }
        let running = self.currency_totals.iter().chain(&self.instrument_totals);
        for (counted, running) in currencies.iter().chain(&instruments).zip(running) {
            audit.ledgers += u64::from(*running != LedgerRow::zeroed());
            audit.unbalanced += u64::from(!counted.is_balanced());
            audit.drifted += u64::from(counted != running);
        }
        audit
    }

    /// Every account with a sum that is not zero.
    pub fn accounts(&self) -> impl Iterator<Item = (Account, &LedgerRow)> + '_ {
        let cash = (0u32..)
            .zip(&self.cash)
            .map(|(id, row)| (Account::Cash(WalletId(id)), row));
        let street = (0u16..)
            .zip(&self.street)
            .map(|(id, row)| (Account::Street(CurrencyId(id)), row));
        let bank = (0u16..)
            .zip(&self.bank)
            .map(|(id, row)| (Account::Bank(CurrencyId(id)), row));
        let fees = (0u16..)
            .zip(&self.fees)
            .map(|(id, row)| (Account::Fees(CurrencyId(id)), row));
        let sec = (0u32..)
            .zip(&self.sec)
            .map(|(id, row)| (Account::Sec(HoldingId(id)), row));
        let sec_street = (0u32..)
            .zip(&self.sec_street)
            .map(|(id, row)| (Account::SecStreet(InstrumentId(id)), row));
        let all = cash
            .chain(street)
            .chain(bank)
            .chain(fees)
            .chain(sec)
            .chain(sec_street);
        all.filter(|(_, row)| **row != LedgerRow::zeroed())
    }
}

/// Feeds the rows that are not zero, each after its index, so that the hash does not depend on how many rows there are.
pub(crate) fn digest_rows<T: Pod + PartialEq>(rows: &[T], sink: &mut dyn FnMut(&[u8])) {
    for (index, row) in (0u64..).zip(rows).filter(|(_, row)| **row != T::zeroed()) {
        sink(&index.to_le_bytes());
        sink(bytemuck::bytes_of(row));
    }
    sink(&u64::MAX.to_le_bytes());
}

impl Stage<Event> for Settle {
    fn name(&self) -> &'static str {
        "settle"
    }

    fn process(&mut self, event: &mut Event) {
        self.on_event(event);
    }

    fn apply(&mut self, event: &Event) {
        self.on_event(event);
    }

    fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        digest_rows(&self.cash, sink);
        digest_rows(&self.cash_owner, sink);
        digest_rows(&self.sec, sink);
        digest_rows(&self.sec_owner, sink);
        digest_rows(&self.street, sink);
        digest_rows(&self.bank, sink);
        digest_rows(&self.fees, sink);
        digest_rows(&self.sec_street, sink);
        digest_rows(&self.moves_principal, sink);
        sink(&self.unposted.to_le_bytes());
    }

    fn faults(&self) -> u64 {
        self.unposted()
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
