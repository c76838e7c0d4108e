//! Transfers between accounts of the firm: booked at once, or held and then posted or voided (SETTLEMENT section 1).
//!
//! # Invariants
//! - An identifier counts once; a pending transfer resolves once.
//! - What a POST or VOID moves is worked out from what is pending and stands in its record.
//!
//! Not here: clients' money and holdings, which no transfer touches; expiry of what is pending, which a person sees to.

use super::book::Book;
use crate::orders::keys::Key;
use crate::transfers::PendingState;
use tradewind_domain::codes::TransferPhase;
use tradewind_domain::event::{Event, LedgerTransfer, TransferFacts};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::CalendarId;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::rounding::{Rounding, to_money};

/// Scope of identifiers of transfers in the key space of executions.
const TRANSFER_SCOPE: u64 = 1 << 43;

impl Book {
    fn transfer_key(&self, body: &LedgerTransfer) -> Key {
        self.hasher.key(TRANSFER_SCOPE, body.transfer_id.padded())
    }

    /// Decides a transfer.
    pub(super) fn decide_transfer(&self, event: &mut Event) {
        let result = match Note::first(event.head.notes) {
            Some(code) => Err(code),
            None => self.transfer_facts(event),
        };
        match result {
            Ok(facts) => event.set_transfer_facts(&facts),
            Err(code) => event.reject(code),
        }
    }

    fn transfer_facts(&self, event: &Event) -> Result<TransferFacts, RejectCode> {
        let body: &LedgerTransfer = event.body();
        let facts = event.transfer_facts().ok_or(RejectCode::Malformed)?;
        if body.transfer_id.is_empty() {
            return Err(RejectCode::Malformed);
        }
        match body.phase().ok_or(RejectCode::InvalidValue)? {
            TransferPhase::Post => self.resolution(body, body.amount),
            TransferPhase::Void if !body.amount.is_zero() => Err(RejectCode::InvalidValue),
            TransferPhase::Void => self.resolution(body, Money::ZERO),
            phase => self.new_transfer(body, facts, phase == TransferPhase::Pending),
        }
    }

    fn new_transfer(
        &self,
        body: &LedgerTransfer,
        facts: TransferFacts,
        is_pending: bool,
    ) -> Result<TransferFacts, RejectCode> {
        if self.exec_ids.is_known(self.transfer_key(body)) {
            return Err(RejectCode::DuplicateExecId);
        }
        if facts.debit == facts.credit {
            return Err(RejectCode::SameAccount);
        }
        let raw = body.amount.raw();
        let is_amount = raw > 0
            && body.amount.is_postable()
            && to_money(raw, 8, facts.money_dp, Rounding::HalfUp) == Some(body.amount);
        if !is_amount {
            return Err(RejectCode::InvalidValue);
        }
        let day = self.calendars.date(CalendarId::UTC);
        let is_full = self.exec_ids.is_full(day, 0, self.exec_ids.capacity() / 8);
        if is_full || (is_pending && !self.transfers.has_room()) {
            return Err(RejectCode::Capacity);
        }
        Ok(TransferFacts {
            amount: body.amount,
            ..facts
        })
    }

    /// What a POST (of everything where `amount` is zero) or VOID comes to.
    fn resolution(&self, body: &LedgerTransfer, amount: Money) -> Result<TransferFacts, RejectCode> {
        let row = self.transfers.find(self.transfer_key(body));
        let row = row.ok_or(RejectCode::PendingNotFound)?;
        match row.state() {
            PendingState::Posted => return Err(RejectCode::PendingAlreadyPosted),
            PendingState::Voided => return Err(RejectCode::PendingAlreadyVoided),
            PendingState::Pending => {}
        }
        if amount.is_negative() {
            return Err(RejectCode::InvalidValue);
        }
        if amount > row.amount() {
            return Err(RejectCode::ExceedsPendingAmount);
        }
        let rounded = to_money(amount.raw(), 8, row.facts.money_dp, Rounding::HalfUp);
        if rounded != Some(amount) {
            return Err(RejectCode::InvalidValue);
        }
        let is_void = body.phase() == Some(TransferPhase::Void);
        Ok(TransferFacts {
            amount: if amount.is_zero() && !is_void {
                row.amount()
            } else {
                amount
            },
            released: row.amount(),
            ..row.facts
        })
    }

    /// Makes a transfer true.
    pub(super) fn apply_transfer(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        let body: &LedgerTransfer = event.body();
        let key = self.transfer_key(body);
        let (Some(phase), Some(facts)) = (body.phase(), event.transfer_facts()) else {
            self.faults += 1;
            return;
        };
        let is_known = match phase {
            TransferPhase::Post => self.transfers.resolve(key, PendingState::Posted),
            TransferPhase::Void => self.transfers.resolve(key, PendingState::Voided),
            TransferPhase::Posted | TransferPhase::Pending => {
                let day = self.calendars.date(CalendarId::UTC);
                self.exec_ids.remember(key, event.head.seq, day);
                phase == TransferPhase::Posted || self.transfers.hold(key, &facts)
            }
        };
        self.faults += u64::from(!is_known);
    }
}
