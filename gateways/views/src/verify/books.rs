//! The books kept once more, as a plain map fed with the postings of each record.
//!
//! An account belongs to the ledger, and to the client, of its first posting. A later posting that takes it for another one's
//! is a finding: it would move money between ledgers although every leg balances by itself.

use super::difference::{First, place};
use super::{Check, number_of};
use std::collections::HashMap;
use tradewind_books::posting::{
    Account, Ledger, Leg, Phase, Postings, adjustment, execution_instrument, postings,
};
use tradewind_books::settle::{LedgerRow, Settle};
use tradewind_domain::event::{Event, InstrumentSet, Kind};
use tradewind_domain::ids::{AccountId, InstrumentId};

#[derive(Default)]
pub(super) struct PlainBooks {
    rows: HashMap<Account, Row>,
    moves_principal: HashMap<InstrumentId, bool>,
    legs: u64,
    misused: First,
    negative: First,
}

struct Row {
    ledger: Ledger,
    client: Option<AccountId>,
    sums: LedgerRow,
}

impl PlainBooks {
    pub(super) fn see(&mut self, event: &Event) {
        if event.kind() == Some(Kind::InstrumentSet) && !event.is_rejected() {
            let row = &event.body::<InstrumentSet>().row;
            self.moves_principal.insert(row.id, row.moves_principal());
        }
        let instrument = execution_instrument(event);
        let moves = instrument
            .and_then(|id| self.moves_principal.get(&id))
            .copied()
            .unwrap_or(false);
        let all = [postings(event, moves), adjustment(event)];
        for postings in &all {
            for leg in postings.legs() {
                self.legs += 1;
                self.post(event, &leg, leg.debit, postings.parties.account, true);
                self.post(event, &leg, leg.credit, postings.parties.account, false);
            }
        }
        for leg in all.iter().flat_map(Postings::legs) {
            self.find_negative(event, leg.debit);
            self.find_negative(event, leg.credit);
        }
    }

    /// A record as a whole leaves no sum below zero: no more is released than was held.
    fn find_negative(&mut self, event: &Event, account: Account) {
        let Some(sums) = self.rows.get(&account).map(|row| row.sums) else {
            return;
        };
        let fields = [
            sums.debits_pending,
            sums.debits_posted,
            sums.credits_pending,
            sums.credits_posted,
        ];
        if fields.iter().any(|field| *field < 0) {
            self.negative
                .note(|| format!("record {} leaves {account:?} with {sums:?}", place(event)));
        }
    }

    pub(super) fn signs(&self) -> Check {
        Check::of(
            "no account has a sum below zero, after any record",
            number_of(self.rows.len(), "account"),
            self.negative.0.clone(),
        )
    }

    fn post(&mut self, event: &Event, leg: &Leg, account: Account, client: AccountId, is_debit: bool) {
        let client =
            matches!(account, Account::Cash(_) | Account::Sec(_) | Account::Borrow(_)).then_some(client);
        let row = self.rows.entry(account).or_insert(Row {
            ledger: leg.ledger,
            client,
            sums: LedgerRow::default(),
        });
        if (row.ledger, row.client) != (leg.ledger, client) {
            self.misused.note(|| {
                format!(
                    "record {} posts to {account:?} of another ledger or client",
                    place(event)
                )
            });
        }
        let (pending, posted) = if is_debit {
            (&mut row.sums.debits_pending, &mut row.sums.debits_posted)
        } else {
            (&mut row.sums.credits_pending, &mut row.sums.credits_posted)
        };
        let amount = leg.amount as i128; // wraps as the stage does
        match leg.phase {
            Phase::Pending | Phase::Unsettled => *pending = pending.wrapping_add(amount),
            Phase::Release | Phase::Voided => *pending = pending.wrapping_sub(amount),
            Phase::Posted => *posted = posted.wrapping_add(amount),
            Phase::Settled => {
                *pending = pending.wrapping_sub(amount);
                *posted = posted.wrapping_add(amount);
            }
        }
    }

    /// Debits equal credits in every ledger, pending and posted apart.
    pub(super) fn sums(&self) -> Check {
        let mut ledgers: HashMap<Ledger, LedgerRow> = HashMap::new();
        for row in self.rows.values() {
            let total = ledgers.entry(row.ledger).or_default();
            total.debits_pending = total.debits_pending.wrapping_add(row.sums.debits_pending);
            total.debits_posted = total.debits_posted.wrapping_add(row.sums.debits_posted);
            total.credits_pending = total.credits_pending.wrapping_add(row.sums.credits_pending);
            total.credits_posted = total.credits_posted.wrapping_add(row.sums.credits_posted);
        }
        let unbalanced = ledgers.iter().find(|(_, total)| !total.is_balanced());
        let finding = unbalanced.map(|(ledger, total)| format!("{ledger:?} does not balance: {total:?}"));
        let legs = number_of(self.legs, "leg");
        let figure = format!("{legs} in {}", number_of(ledgers.len(), "ledger"));
        Check::of(
            "postings sum to zero per ledger",
            figure,
            self.misused.0.clone().or(finding),
        )
    }

    /// The stage's books are these books.
    pub(super) fn compare(&self, settle: &Settle) -> Check {
        let mut first = First::default();
        for (account, row) in &self.rows {
            if settle.row(*account) != Some(&row.sums) {
                first.note(|| {
                    format!(
                        "{account:?} has {:?}, the postings give {:?}",
                        settle.row(*account),
                        row.sums
                    )
                });
            }
        }
        for (account, _) in settle.accounts() {
            if !self.rows.contains_key(&account) {
                first.note(|| format!("{account:?} has sums without a posting"));
            }
        }
        let audit = settle.audit();
        if !audit.is_sound() {
            first.note(|| format!("the books do not recount: {audit:?}"));
        }
        Check::of(
            "the books are the sum of the postings",
            number_of(self.rows.len(), "account"),
            first.0,
        )
    }
}
