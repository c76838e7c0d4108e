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
//! Not here: when a trade settles (the limit check), client overdraft limits.

use crate::posting::{
    self, Account, Ledger, Leg, LegSpec, Parties, Phase, Poster, Postings, execution_instrument, postings,
};
use bytemuck::{Pod, Zeroable};
use tradewind_domain::codes::AccountKind;
use tradewind_domain::event::{Capacities, EngineStarted, Event, InstrumentSet, Kind, NodeSet};
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
        let (pending, posted) = phase.signs();
        self.debits_pending = self.debits_pending.wrapping_add(pending.wrapping_mul(amount));
        self.debits_posted = self.debits_posted.wrapping_add(posted.wrapping_mul(amount));
    }

    #[inline(always)]
    fn credit(&mut self, amount: i128, phase: Phase) {
        let (pending, posted) = phase.signs();
        self.credits_pending = self.credits_pending.wrapping_add(pending.wrapping_mul(amount));
        self.credits_posted = self.credits_posted.wrapping_add(posted.wrapping_mul(amount));
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
    /// What unsettled trades bring in.
    pub pending_in: Money,
    /// What unsettled trades cost.
    pub pending_out: Money,
    /// Held for open orders.
    pub reserved: Money,
    /// What new orders may use: settled, less what goes out and what is held; in a margin account with what comes in.
    pub available: Money,
}

impl Wallet {
    /// Money by trade date: what is settled once every trade is.
    pub const fn trade_date_balance(&self) -> Money {
        let settled = self.settled.raw().wrapping_add(self.pending_in.raw());
        Money::from_raw(settled.wrapping_sub(self.pending_out.raw()))
    }

    /// What may leave the firm: available and settled.
    pub const fn withdrawable(&self) -> Money {
        if self.available.raw() < self.settled.raw() {
            self.available
        } else {
            self.settled
        }
    }
}

/// A client's quantity of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Custody {
    /// In custody, negative where sold short.
    pub settled: NetQty,
    /// What unsettled trades bring in.
    pub pending_in: NetQty,
    /// What unsettled trades deliver.
    pub pending_out: NetQty,
}

impl Custody {
    /// Quantity by trade date: the position.
    pub const fn trade_date_qty(&self) -> NetQty {
        let settled = self.settled.raw().wrapping_add(self.pending_in.raw());
        NetQty::from_raw(settled.wrapping_sub(self.pending_out.raw()))
    }
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
    borrow: Vec<LedgerRow>,
    street: Vec<LedgerRow>,
    bank: Vec<LedgerRow>,
    fees: Vec<LedgerRow>,
    tax: Vec<LedgerRow>,
    div: Vec<LedgerRow>,
    fx_pool: Vec<LedgerRow>,
    suspense: Vec<LedgerRow>,
    sec_street: Vec<LedgerRow>,
    suspense_sec: Vec<LedgerRow>,
    /// By wallet: the part of its pending debits that is for unsettled trades; the rest is held for orders.
    unsettled_out: Vec<i128>,
    /// By account: 1 where it is a margin account.
    is_margin: Vec<u8>,
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
            borrow: Vec::new(),
            street: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            bank: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            fees: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            tax: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            div: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            fx_pool: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            suspense: vec![LedgerRow::zeroed(); CURRENCIES_MAX],
            sec_street: Vec::new(),
            suspense_sec: Vec::new(),
            unsettled_out: Vec::new(),
            is_margin: Vec::new(),
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
        self.unsettled_out.resize(wallets, 0);
        let nodes = self.is_margin.len().max(capacities.nodes as usize);
        self.is_margin.resize(nodes, 0);
        self.sec.resize(holdings, LedgerRow::zeroed());
        self.sec_owner.resize(holdings, Owner::zeroed());
        self.borrow.resize(holdings, LedgerRow::zeroed());
        self.sec_street.resize(instruments, LedgerRow::zeroed());
        self.suspense_sec.resize(instruments, LedgerRow::zeroed());
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
            Some(Kind::AccountSet) if !event.is_rejected() => self.on_account(event.body()),
            Some(Kind::EngineStarted) => self.grow(&event.body::<EngineStarted>().capacities),
            _ => {
                let postings = self.postings(event);
                if let Some(template) = postings.template {
                    self.own(&postings.parties);
                    template.give(&postings, self);
                }
                let adjusted = posting::adjustment(event);
                if let Some(template) = adjusted.template {
                    template.give(&adjusted, self);
                }
            }
        }
    }

    fn on_instrument(&mut self, body: &InstrumentSet) {
        if let Some(moves) = self.moves_principal.get_mut(body.row.id.index()) {
            *moves = u8::from(body.row.moves_principal());
        }
    }

    fn on_account(&mut self, body: &NodeSet) {
        if let Some(is_margin) = self.is_margin.get_mut(body.account.index()) {
            *is_margin = u8::from(body.kind == AccountKind::Margin as u8);
        }
    }

    /// Notes whose wallets and holding these are. The first use decides; a later one that differs shows in the totals.
    #[inline]
    fn own(&mut self, parties: &Parties) {
        let wallets = [
            (parties.wallet, parties.currency),
            (parties.wallet_bought, parties.currency_bought),
        ];
        for (wallet, currency) in wallets {
            if let Some(owner) = self.cash_owner.get_mut(wallet.index())
                && owner.used == 0
            {
                *owner = Owner {
                    account: parties.account.0,
                    ledger: currency.0.into(),
                    used: 1,
                };
            }
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

    #[inline(always)]
    fn post_leg(&mut self, leg: Leg) {
        // Wraps only for amounts beyond POSTED_MAX (module docs).
        let amount = leg.amount as i128;
        if !self.debit(leg.debit, amount, leg.phase) {
            self.unposted += 1;
        } else if !self.credit(leg.credit, amount, leg.phase) {
            self.debit(leg.debit, amount.wrapping_neg(), leg.phase); // takes it back: both sides or neither
            self.unposted += 1;
        } else if leg.phase.is_dated()
            && let Account::Cash(wallet) = leg.debit
            && let Some(out) = self.unsettled_out.get_mut(wallet.index())
        {
            *out = out.wrapping_add(leg.phase.signs().0.wrapping_mul(amount));
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
            Account::Street(id)
            | Account::Bank(id)
            | Account::Fees(id)
            | Account::Tax(id)
            | Account::Div(id)
            | Account::FxPool(id)
            | Account::Suspense(id) => currency(id.0.into()).then_some(Ledger::Currency(id)),
            Account::Sec(id) | Account::Borrow(id) => {
                let owner = self.sec_owner.get(id.index())?;
                instrument(owner.ledger).then_some(Ledger::Instrument(InstrumentId(owner.ledger)))
            }
            Account::SecStreet(id) | Account::SuspenseSec(id) => {
                instrument(id.0).then_some(Ledger::Instrument(id))
            }
        }
    }

    #[inline(always)]
    fn row_and_totals(&mut self, account: Account) -> Option<(&mut LedgerRow, &mut LedgerRow)> {
        let (rows, at, ledger) = match account {
            Account::Cash(id) => {
                let ledger = self.cash_owner.get(id.index())?.ledger;
                (&mut self.cash, id.index(), ledger as usize)
            }
            Account::Street(id) => (&mut self.street, id.index(), id.index()),
            Account::Bank(id) => (&mut self.bank, id.index(), id.index()),
            Account::Fees(id) => (&mut self.fees, id.index(), id.index()),
            Account::Tax(id) => (&mut self.tax, id.index(), id.index()),
            Account::Div(id) => (&mut self.div, id.index(), id.index()),
            Account::FxPool(id) => (&mut self.fx_pool, id.index(), id.index()),
            Account::Suspense(id) => (&mut self.suspense, id.index(), id.index()),
            Account::Sec(id) => {
                let ledger = self.sec_owner.get(id.index())?.ledger;
                (&mut self.sec, id.index(), ledger as usize)
            }
            Account::Borrow(id) => {
                let ledger = self.sec_owner.get(id.index())?.ledger;
                (&mut self.borrow, id.index(), ledger as usize)
            }
            Account::SecStreet(id) => (&mut self.sec_street, id.index(), id.index()),
            Account::SuspenseSec(id) => (&mut self.suspense_sec, id.index(), id.index()),
        };
        let totals = if account.is_quantity() {
            &mut self.instrument_totals
        } else {
            &mut self.currency_totals
        };
        Some((rows.get_mut(at)?, totals.get_mut(ledger)?))
    }
}

impl Poster for Settle {
    /// The same as walking [`Postings::legs`], as straight-line code for each template: lines are constants to the compiler, so finding
    /// an account's row takes no branch on its class (measured: half the time of an order's cycle).
    #[inline(always)]
    fn post_lines<const N: usize>(&mut self, postings: &Postings, lines: &[LegSpec; N]) {
        for (line, amount) in lines.iter().zip(postings.amounts) {
            if let Some(leg) = postings.leg(line, amount) {
                self.post_leg(leg);
            }
        }
    }
}

impl Settle {
    /// An account's sums.
    pub fn row(&self, account: Account) -> Option<&LedgerRow> {
        let (rows, at) = match account {
            Account::Cash(id) => (&self.cash, id.index()),
            Account::Street(id) => (&self.street, id.index()),
            Account::Bank(id) => (&self.bank, id.index()),
            Account::Fees(id) => (&self.fees, id.index()),
            Account::Tax(id) => (&self.tax, id.index()),
            Account::Div(id) => (&self.div, id.index()),
            Account::FxPool(id) => (&self.fx_pool, id.index()),
            Account::Suspense(id) => (&self.suspense, id.index()),
            Account::Sec(id) => (&self.sec, id.index()),
            Account::Borrow(id) => (&self.borrow, id.index()),
            Account::SecStreet(id) => (&self.sec_street, id.index()),
            Account::SuspenseSec(id) => (&self.suspense_sec, id.index()),
        };
        rows.get(at)
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
        let pending_out = self.unsettled_out.get(wallet.index()).copied().unwrap_or(0);
        let is_margin = self.is_margin.get(owner.account as usize) == Some(&1);
        let usable = if is_margin { row.credits_pending } else { 0 };
        let available = row
            .balance()
            .wrapping_add(usable)
            .wrapping_sub(row.debits_pending);
        Some(Wallet {
            account: AccountId(owner.account),
            currency: CurrencyId(owner.ledger as u16),
            settled: Money::from_raw(row.balance()),
            pending_in: Money::from_raw(row.credits_pending),
            pending_out: Money::from_raw(pending_out),
            reserved: Money::from_raw(row.debits_pending.wrapping_sub(pending_out)),
            available: Money::from_raw(available),
        })
    }

    /// Every wallet that was posted to, by id.
    pub fn wallets(&self) -> impl Iterator<Item = (WalletId, Wallet)> + '_ {
        (0..self.cash.len() as u32)
            .map(WalletId)
            .filter_map(|id| Some((id, self.wallet(id)?)))
    }

    /// What a client has of an instrument, settled and pending.
    pub fn custody(&self, holding: HoldingId) -> Custody {
        let row = self.sec.get(holding.index()).copied().unwrap_or_default();
        Custody {
            settled: NetQty::from_raw(row.balance()),
            pending_in: NetQty::from_raw(row.credits_pending),
            pending_out: NetQty::from_raw(row.debits_pending),
        }
    }

    /// Whose holding it is; `None` for one that was never posted to.
    pub fn holder(&self, holding: HoldingId) -> Option<(AccountId, InstrumentId)> {
        let owner = self
            .sec_owner
            .get(holding.index())
            .filter(|owner| owner.used != 0)?;
        Some((AccountId(owner.account), InstrumentId(owner.ledger)))
    }

    /// Every holding that was posted to, by id.
    pub fn holdings(&self) -> impl Iterator<Item = HoldingId> + '_ {
        (0u32..)
            .zip(&self.sec_owner)
            .filter_map(|(id, owner)| (owner.used != 0).then_some(HoldingId(id)))
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
        fn of<'a>(
            rows: &'a [LedgerRow],
            account: impl Fn(u32) -> Account + 'a,
        ) -> impl Iterator<Item = (Account, &'a LedgerRow)> {
            (0u32..).zip(rows).map(move |(id, row)| (account(id), row))
        }
        let currency = |id: u32| CurrencyId(id as u16);
        let all = of(&self.cash, |id| Account::Cash(WalletId(id)))
            .chain(of(&self.street, move |id| Account::Street(currency(id))))
            .chain(of(&self.bank, move |id| Account::Bank(currency(id))))
            .chain(of(&self.fees, move |id| Account::Fees(currency(id))))
            .chain(of(&self.tax, move |id| Account::Tax(currency(id))))
            .chain(of(&self.div, move |id| Account::Div(currency(id))))
            .chain(of(&self.fx_pool, move |id| Account::FxPool(currency(id))))
            .chain(of(&self.suspense, move |id| Account::Suspense(currency(id))))
            .chain(of(&self.sec, |id| Account::Sec(HoldingId(id))))
            .chain(of(&self.borrow, |id| Account::Borrow(HoldingId(id))))
            .chain(of(&self.sec_street, |id| Account::SecStreet(InstrumentId(id))))
            .chain(of(&self.suspense_sec, |id| {
                Account::SuspenseSec(InstrumentId(id))
            }));
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
        for rows in [&self.tax, &self.div, &self.fx_pool, &self.suspense, &self.borrow] {
            digest_rows(rows, sink);
        }
        digest_rows(&self.sec_street, sink);
        digest_rows(&self.suspense_sec, sink);
        digest_rows(&self.unsettled_out, sink);
        digest_rows(&self.is_margin, sink);
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
