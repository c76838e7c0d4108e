//! Fails of settlement: a trade that did not settle on its date is pending until another one (SETTLEMENT sections 3 and 12).
//!
//! # Invariants
//! - A fail changes when money and securities change hands, and nothing else: position, counters and cash by trade date stay.
//! - A trade that is pending moves to another date's bucket. One that the books have settled goes back to pending, both sides of it.
//! - It settles with the run of its new date as any other, unless it is said to have failed again.
//!
//! Not here: who is to blame and what that costs (claims come as payments).

use super::book::Book;
use super::bust::version_of;
use super::dated::{key_of, pending_of};
use super::execution::exec_scope;
use crate::dated::{Amounts, BucketOwner};
use crate::orders::keys::Key;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, SettlementFail};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::CalendarId;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::time::DayNumber;

/// The oldest fail whose business days are counted.
const AGE_DAYS_MAX: DayNumber = 366;

impl Book {
    fn failed_key(&self, body: &SettlementFail) -> Key {
        let scope = exec_scope(body.venue, body.trade_date);
        self.hasher.key(scope, body.exec_id.padded())
    }

    /// Decides a fail: a trade that counts and that has a settlement date.
    pub(super) fn decide_fail(&self, event: &mut Event) {
        let result = match Note::first(event.head.notes) {
            Some(code) => Err(code),
            None => self.fail_facts(event.body()),
        };
        match result {
            Ok(body) => *event.body_mut() = body,
            Err(code) => event.reject(code),
        }
    }

    fn fail_facts(&self, asked: &SettlementFail) -> Result<SettlementFail, RejectCode> {
        let (trade_date, row) = self.booked(asked.venue, asked.trade_date, &asked.exec_id)?;
        let taken = row.trade;
        let instrument = self
            .market
            .instrument(taken.instrument)
            .ok_or(RejectCode::UnknownSymbol)?;
        if taken.settle_calendar == 0 {
            return Err(RejectCode::InvalidValue); // it settled when it was made
        }
        let calendar = CalendarId(taken.settle_calendar.into());
        let today = self.calendars.date(calendar);
        let last = taken.settle_date.max(today);
        let settle_date = match asked.settle_date {
            0 => self.next_settlement(instrument, last),
            date if date > last => date,
            _ => return Err(RejectCode::InvalidValue),
        };
        let key = key_of(taken.holding, settle_date, taken.settle_calendar);
        if !self.dated.has_room(key) {
            return Err(RejectCode::Capacity);
        }
        let side = Side::from_code(taken.side).unwrap_or(Side::Sell);
        let was_settled = taken.settle_date <= today;
        let qty = if was_settled {
            self.present_qty(instrument, taken.trade_seq, taken.qty)
        } else {
            self.pending_qty(instrument, &taken)
        };
        let amounts = pending_of(instrument, side, &version_of(&taken), qty);
        let cash = amounts.cash_in.raw() - amounts.cash_out.raw();
        let failed_from = match row.failed_from {
            0 => taken.settle_date,
            first => first,
        };
        let days = failed_from..settle_date.min(failed_from.saturating_add(AGE_DAYS_MAX));
        Ok(SettlementFail {
            trade_date,
            settle_date,
            settle_calendar: taken.settle_calendar,
            was_settled: was_settled.into(),
            side: taken.side,
            currency: taken.currency,
            qty,
            cash: Money::from_raw(if side.is_buy() { -cash } else { cash }),
            account: taken.account,
            instrument: taken.instrument,
            holding: taken.holding,
            wallet: taken.wallet,
            leaf: taken.leaf,
            settle_date_before: taken.settle_date,
            failed_from,
            age_days: days
                .filter(|&date| self.calendars.has_date(calendar, date))
                .count() as u32,
            trade_seq: taken.trade_seq,
            ..*asked
        })
    }

    /// Makes a fail true.
    pub(super) fn apply_fail(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        let body: &SettlementFail = event.body();
        let side = Side::from_code(body.side).unwrap_or(Side::Sell);
        let cash = if side.is_buy() {
            -body.cash.raw()
        } else {
            body.cash.raw()
        };
        let amounts = Amounts::of(cash, side.sign() * i128::from(body.qty));
        let owner = BucketOwner {
            account: body.account,
            wallet: body.wallet,
            instrument: body.instrument,
            leaf: body.leaf,
            currency: body.currency,
        };
        let bucket = |date| key_of(body.holding, date, body.settle_calendar);
        let mut is_sound = true;
        if body.was_settled == 0 {
            is_sound = self.dated.take(bucket(body.settle_date_before), &amounts);
        } else {
            self.move_pending(body.wallet, &amounts, 1);
        }
        is_sound &= self.dated.add(bucket(body.settle_date), &owner, &amounts);
        let key = self.failed_key(body);
        is_sound &= self.executions.redate(key, body.settle_date, body.failed_from);
        self.faults += u64::from(!is_sound);
    }
}
