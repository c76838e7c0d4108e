//! Conversions: a client's money of one currency against the firm's of another, at a rate that the firm has quoted (SETTLEMENT section
//! 7).
//!
//! # Invariants
//! - Both legs are worked out once and recorded; neither is ever computed from the other again.
//! - Only money that could leave the firm is sold: settled, and held by nothing.
//!
//! Not here: who may convert and at which rate; what the firm makes of its position (FXPOOL in the books).

use super::book::Book;
use tradewind_domain::event::{Event, FxConversion, Verdict};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{CalendarId, WalletId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::rounding::{Rounding, to_money};

impl Book {
    /// Decides a conversion.
    pub(super) fn decide_conversion(&self, event: &mut Event) {
        let notes = event.head.notes;
        let body: &mut FxConversion = event.body_mut();
        (body.bought, body.verdict) = (Money::ZERO, Verdict::default());
        (body.wallet_sold, body.wallet_bought) = (WalletId::NONE, WalletId::NONE);
        let result = match Note::first(notes) {
            Some(code) => Err(code),
            None => self.conversion_facts(body),
        };
        if let Err(code) = result {
            event.reject(code);
        }
    }

    fn conversion_facts(&self, body: &mut FxConversion) -> Result<(), RejectCode> {
        let is_amount = body.amount.raw() > 0
            && body.amount.is_postable()
            && to_money(body.amount.raw(), 8, body.sold_dp, Rounding::HalfUp) == Some(body.amount);
        if !is_amount || body.rate <= 0 || body.sold == body.currency_bought {
            return Err(RejectCode::InvalidValue);
        }
        if body.reference.is_empty() {
            return Err(RejectCode::Malformed);
        }
        let day = self.calendars.date(CalendarId::UTC);
        if self.exec_ids.is_full(day, 0, self.exec_ids.capacity() / 8) {
            return Err(RejectCode::Capacity);
        }
        if self
            .exec_ids
            .is_known(self.payment_key(body.account, &body.reference))
        {
            return Err(RejectCode::DuplicateExecId);
        }
        let product = body.amount.raw().checked_mul(body.rate.into());
        body.bought = product
            .and_then(|exact| to_money(exact, 16, body.bought_dp, Rounding::HalfUp))
            .filter(|bought| bought.is_postable())
            .ok_or(RejectCode::Overflow)?;
        if body.bought.is_zero() {
            return Err(RejectCode::InvalidValue);
        }
        body.wallet_sold = self.wallets.find(body.account, body.sold);
        if body.amount.raw() > self.withdrawable(body.wallet_sold) {
            body.verdict.used = body.amount.raw();
            return Err(RejectCode::BuyingPower);
        }
        body.wallet_bought = self
            .wallets
            .find_or_next(body.account, body.currency_bought)
            .ok_or(RejectCode::Capacity)?;
        Ok(())
    }

    /// Makes a conversion's facts true.
    pub(super) fn apply_conversion(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        let body: &FxConversion = event.body();
        let key = self.payment_key(body.account, &body.reference);
        let day = self.calendars.date(CalendarId::UTC);
        self.exec_ids.remember(key, event.head.seq, day);
        self.wallets
            .make(body.wallet_bought, body.account, body.currency_bought);
        let legs = [
            (body.wallet_sold, body.amount.raw().wrapping_neg()),
            (body.wallet_bought, body.bought.raw()),
        ];
        for (wallet, change) in legs {
            match self.wallets.row_mut(wallet) {
                Some(row) => row.settled = Money::from_raw(row.settled.raw().wrapping_add(change)),
                None => self.faults += 1,
            }
        }
    }
}
