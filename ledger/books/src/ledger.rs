//! A ledger by itself: accounts with limits, transfers, two-phase transfers and linked lists, for whoever keeps double-entry books of
//! his own (SETTLEMENT section 1).
//!
//! A *transfer* moves one amount from one account to another of the same ledger. A *pending* one only holds it; it is resolved once,
//! posted in full or in part, voided, or expired. *Linked* commands succeed or fail as one. What happened is never edited.
//!
//! # Invariants
//! - Per ledger, debits equal credits, pending and posted apart.
//! - An account's limit holds after every command.
//! - A command that fails leaves nothing, its identifier neither. One that is sent again is [`Code::Exists`] and moves nothing.
//! - Tables are sized at the start; nothing is allocated after [`Books::new`], and a full table is a code.
//!
//! Not here: clients' events. Those are decided by the limit check, and [`settle`](crate::settle) posts them without asking.

use hashbrown::HashTable;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An account's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountNo(pub u32);

/// A transfer's identifier, chosen by its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransferId(pub u128);

/// What binds an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flag {
    /// Nothing.
    #[default]
    None,
    /// Debits, pending ones included, never exceed posted credits: a client's cash.
    DebitsMustNotExceedCredits,
    /// Credits, pending ones included, never exceed posted debits: an asset.
    CreditsMustNotExceedDebits,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It took effect.
    Ok,
    /// The same command took effect before.
    Exists,
    /// Another command with this identifier took effect before.
    ExistsDifferent,
    /// An account is not there.
    AccountNotFound,
    /// Both accounts are one.
    SameAccount,
    /// The accounts belong to different ledgers.
    LedgerMismatch,
    /// The amount is zero or less.
    AmountNotPositive,
    /// The debited account would owe more than it has.
    ExceedsCredits,
    /// The credited account would hold more than it was given.
    ExceedsDebits,
    /// There is no pending transfer of this identifier.
    PendingNotFound,
    /// It was posted.
    PendingAlreadyPosted,
    /// It was voided.
    PendingAlreadyVoided,
    /// It expired.
    PendingAlreadyExpired,
    /// More than the pending amount.
    ExceedsPendingAmount,
    /// Another command of the list failed.
    LinkedEventFailed,
    /// A sum would leave 128 bits.
    Overflow,
    /// The table of transfers is full.
    Full,
}

impl Code {
    /// Name in files and listings.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Exists => "EXISTS",
            Self::ExistsDifferent => "EXISTS_DIFFERENT",
            Self::AccountNotFound => "ACCOUNT_NOT_FOUND",
            Self::SameAccount => "SAME_ACCOUNT",
            Self::LedgerMismatch => "LEDGER_MISMATCH",
            Self::AmountNotPositive => "AMOUNT_NOT_POSITIVE",
            Self::ExceedsCredits => "EXCEEDS_CREDITS",
            Self::ExceedsDebits => "EXCEEDS_DEBITS",
            Self::PendingNotFound => "PENDING_NOT_FOUND",
            Self::PendingAlreadyPosted => "PENDING_ALREADY_POSTED",
            Self::PendingAlreadyVoided => "PENDING_ALREADY_VOIDED",
            Self::PendingAlreadyExpired => "PENDING_ALREADY_EXPIRED",
            Self::ExceedsPendingAmount => "EXCEEDS_PENDING_AMOUNT",
            Self::LinkedEventFailed => "LINKED_EVENT_FAILED",
            Self::Overflow => "OVERFLOW",
            Self::Full => "FULL",
        }
    }

    /// True where the command stands, now or from before.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok | Self::Exists)
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Move an amount.
    Transfer {
        /// Debited account.
        debit: AccountNo,
        /// Credited account.
        credit: AccountNo,
        /// Amount in the ledger's minor unit.
        amount: i128,
    },
    /// Hold an amount on both sides.
    Pending {
        /// Debited account.
        debit: AccountNo,
        /// Credited account.
        credit: AccountNo,
        /// Amount in the ledger's minor unit.
        amount: i128,
        /// Time after which it expires by itself; 0 for never.
        timeout: u64,
    },
    /// Move what a pending transfer holds; what is left of it is given back.
    Post {
        /// The pending transfer.
        pending: TransferId,
        /// Amount; `None` for all of it.
        amount: Option<i128>,
    },
    /// Give back what a pending transfer holds.
    Void {
        /// The pending transfer.
        pending: TransferId,
    },
}

/// A command with its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Identifier.
    pub id: TransferId,
    /// What is asked.
    pub action: Action,
}

/// An account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountRow {
    /// The ledger that it belongs to.
    pub ledger: u32,
    /// What binds it.
    pub flag: Flag,
    /// Held on the debit side.
    pub debits_pending: u128,
    /// Booked on the debit side.
    pub debits_posted: u128,
    /// Held on the credit side.
    pub credits_pending: u128,
    /// Booked on the credit side.
    pub credits_posted: u128,
}

impl AccountRow {
    /// Why an amount may not be debited.
    fn check_debit(&self, amount: u128) -> Result<(), Code> {
        let debits = self.debits_pending.checked_add(self.debits_posted);
        let debits = debits
            .and_then(|sum| sum.checked_add(amount))
            .ok_or(Code::Overflow)?;
        match self.flag {
            Flag::DebitsMustNotExceedCredits if debits > self.credits_posted => Err(Code::ExceedsCredits),
            _ => Ok(()),
        }
    }

    /// Why an amount may not be credited.
    fn check_credit(&self, amount: u128) -> Result<(), Code> {
        let credits = self.credits_pending.checked_add(self.credits_posted);
        let credits = credits
            .and_then(|sum| sum.checked_add(amount))
            .ok_or(Code::Overflow)?;
        match self.flag {
            Flag::CreditsMustNotExceedDebits if credits > self.debits_posted => Err(Code::ExceedsDebits),
            _ => Ok(()),
        }
    }
}

/// What became of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It moved an amount, or resolved a pending one.
    Done,
    Pending,
    /// By this much.
    Posted(u128),
    Voided,
    Expired,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    command: Command,
    state: State,
}

/// Accounts and their transfers.
pub struct Books {
    accounts: Vec<AccountRow>,
    records: Vec<Record>,
    index: HashTable<u32>,
    /// When pending transfers expire, with their records; those that were resolved before are passed over.
    deadlines: BinaryHeap<Reverse<(u64, u32)>>,
    now: u64,
}

impl Books {
    /// Room for so many accounts, and for so many transfers over the books' life.
    pub fn new(accounts_max: u32, transfers_max: u32) -> Self {
        Self {
            accounts: Vec::with_capacity(accounts_max as usize),
            records: Vec::with_capacity(transfers_max as usize),
            index: HashTable::with_capacity(transfers_max as usize),
            deadlines: BinaryHeap::with_capacity(transfers_max as usize),
            now: 0,
        }
    }

    /// Opens an account; `None` where there is no room.
    pub fn open(&mut self, ledger: u32, flag: Flag) -> Option<AccountNo> {
        if self.accounts.len() == self.accounts.capacity() {
            return None;
        }
        self.accounts.push(AccountRow {
            ledger,
            flag,
            ..AccountRow::default()
        });
        Some(AccountNo(self.accounts.len() as u32 - 1))
    }

    /// An account.
    pub fn account(&self, account: AccountNo) -> Option<&AccountRow> {
        self.accounts.get(account.0 as usize)
    }

    /// Lets time pass; pending transfers whose time is over expire, in the order of their deadlines, and are named. What expires at an
    /// instant does so before commands of that instant. Time never goes back.
    pub fn advance(&mut self, now: u64, mut expired: impl FnMut(TransferId)) {
        self.now = self.now.max(now);
        while let Some(&Reverse((deadline, at))) = self.deadlines.peek()
            && deadline <= self.now
        {
            self.deadlines.pop();
            if self.records[at as usize].state == State::Pending {
                self.resolve(at, State::Expired);
                expired(self.records[at as usize].command.id);
            }
        }
    }

    /// Carries out one command.
    pub fn submit(&mut self, command: &Command) -> Code {
        let mut code = [Code::Ok];
        self.submit_linked(std::slice::from_ref(command), &mut code);
        code[0]
    }

    /// Carries out all commands or none, and writes what became of each; `codes` has as many places as there are commands. Of a list
    /// that fails, the first command that cannot be carried out has its own code.
    pub fn submit_linked(&mut self, commands: &[Command], codes: &mut [Code]) {
        let before = self.records.len();
        for (at, command) in commands.iter().enumerate() {
            let code = self.carry_out(command).err().unwrap_or(Code::Ok);
            codes[at] = code;
            if !code.is_ok() {
                self.undo(before);
                codes.fill(Code::LinkedEventFailed);
                codes[at] = code;
                return;
            }
        }
        for at in before..self.records.len() {
            if let Action::Pending { timeout, .. } = self.records[at].command.action
                && timeout != 0
            {
                let deadline = self.now.saturating_add(timeout);
                self.deadlines.push(Reverse((deadline, at as u32)));
            }
        }
    }

    fn carry_out(&mut self, command: &Command) -> Result<(), Code> {
        if let Some(at) = self.find(command.id) {
            let is_same = self.records[at as usize].command == *command;
            return Err(if is_same {
                Code::Exists
            } else {
                Code::ExistsDifferent
            });
        }
        if self.records.len() == self.records.capacity() {
            return Err(Code::Full);
        }
        let state = match command.action {
            Action::Transfer {
                debit,
                credit,
                amount,
            } => {
                let amount = self.check_move(debit, credit, amount)?;
                self.accounts[debit.0 as usize].debits_posted += amount;
                self.accounts[credit.0 as usize].credits_posted += amount;
                State::Done
            }
            Action::Pending {
                debit,
                credit,
                amount,
                ..
            } => {
                let amount = self.check_move(debit, credit, amount)?;
                self.accounts[debit.0 as usize].debits_pending += amount;
                self.accounts[credit.0 as usize].credits_pending += amount;
                State::Pending
            }
            Action::Post { pending, amount } => {
                let (at, held) = self.pending(pending)?;
                let amount = match amount {
                    Some(amount) => positive(amount)?,
                    None => held,
                };
                if amount > held {
                    return Err(Code::ExceedsPendingAmount);
                }
                self.resolve(at, State::Posted(amount));
                State::Done
            }
            Action::Void { pending } => {
                let (at, _) = self.pending(pending)?;
                self.resolve(at, State::Voided);
                State::Done
            }
        };
        self.record(command, state);
        Ok(())
    }

    /// Checks a movement in the order of the codes; the amount, where it may take place.
    fn check_move(&self, debit: AccountNo, credit: AccountNo, amount: i128) -> Result<u128, Code> {
        let (Some(from), Some(to)) = (self.account(debit), self.account(credit)) else {
            return Err(Code::AccountNotFound);
        };
        if debit == credit {
            return Err(Code::SameAccount);
        }
        if from.ledger != to.ledger {
            return Err(Code::LedgerMismatch);
        }
        let amount = positive(amount)?;
        from.check_debit(amount)?;
        to.check_credit(amount)?;
        Ok(amount)
    }

    /// The record of a transfer that is pending, and what it holds.
    fn pending(&self, id: TransferId) -> Result<(u32, u128), Code> {
        let at = self.find(id).ok_or(Code::PendingNotFound)?;
        let record = &self.records[at as usize];
        match (record.state, held(&record.command)) {
            (State::Pending, Some((_, _, amount))) => Ok((at, amount)),
            (State::Posted(_), _) => Err(Code::PendingAlreadyPosted),
            (State::Voided, _) => Err(Code::PendingAlreadyVoided),
            (State::Expired, _) => Err(Code::PendingAlreadyExpired),
            _ => Err(Code::PendingNotFound),
        }
    }

    /// Changes what became of a pending transfer, from pending to resolved or back, and the sums with it.
    fn resolve(&mut self, at: u32, state: State) {
        let record = &mut self.records[at as usize];
        let was = std::mem::replace(&mut record.state, state);
        let Some((debit, credit, amount)) = held(&record.command) else {
            return;
        };
        let posted = |state| {
            if let State::Posted(amount) = state {
                amount
            } else {
                0
            }
        };
        let pending = |state| if state == State::Pending { amount } else { 0 };
        let from = &mut self.accounts[debit.0 as usize];
        from.debits_pending = from.debits_pending - pending(was) + pending(state);
        from.debits_posted = from.debits_posted - posted(was) + posted(state);
        let to = &mut self.accounts[credit.0 as usize];
        to.credits_pending = to.credits_pending - pending(was) + pending(state);
        to.credits_posted = to.credits_posted - posted(was) + posted(state);
    }

    fn record(&mut self, command: &Command, state: State) {
        let at = self.records.len() as u32;
        self.records.push(Record {
            command: *command,
            state,
        });
        let records = &self.records;
        self.index
            .insert_unique(hash(command.id), at, |&at| hash(records[at as usize].command.id));
    }

    /// Takes back the records from a place on, the last one first.
    fn undo(&mut self, before: usize) {
        while self.records.len() > before {
            let at = self.records.len() as u32 - 1;
            let record = self.records[at as usize];
            match record.command.action {
                Action::Transfer {
                    debit,
                    credit,
                    amount,
                } => {
                    self.accounts[debit.0 as usize].debits_posted -= amount.unsigned_abs();
                    self.accounts[credit.0 as usize].credits_posted -= amount.unsigned_abs();
                }
                Action::Pending { .. } => self.resolve(at, State::Voided),
                Action::Post { pending, .. } | Action::Void { pending } => {
                    if let Some(held) = self.find(pending) {
                        self.resolve(held, State::Pending);
                    }
                }
            }
            if let Ok(entry) = self
                .index
                .find_entry(hash(record.command.id), |&other| other == at)
            {
                entry.remove();
            }
            self.records.pop();
        }
    }

    fn find(&self, id: TransferId) -> Option<u32> {
        let is_it = |&at: &u32| self.records[at as usize].command.id == id;
        self.index.find(hash(id), is_it).copied()
    }
}

/// Accounts and amount of a pending transfer.
fn held(command: &Command) -> Option<(AccountNo, AccountNo, u128)> {
    match command.action {
        Action::Pending {
            debit,
            credit,
            amount,
            ..
        } => Some((debit, credit, amount.unsigned_abs())),
        _ => None,
    }
}

fn positive(amount: i128) -> Result<u128, Code> {
    match u128::try_from(amount) {
        Ok(amount) if amount > 0 => Ok(amount),
        _ => Err(Code::AmountNotPositive),
    }
}

/// Senders choose identifiers: both halves are mixed.
fn hash(id: TransferId) -> u64 {
    let folded = (id.0 as u64) ^ ((id.0 >> 64) as u64).rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15;
    let product = u128::from(folded) * 0xd134_2543_de82_ef95_u128;
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests;
