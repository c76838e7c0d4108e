//! Settlement dates of executions, and what settles when a settlement calendar rolls (SETTLEMENT sections 2 to 4).
//!
//! # Invariants
//! - Cash that is pending of a wallet is the sum over its buckets; a trade is in one bucket until it settles, or in none.
//! - Settlement refuses nothing. What finds no room for its date settles at once and carries SETTLED_EARLY.
//!
//! Not here: postings (settle), which days are business days (calendars).

use super::book::Book;
use super::execution::{Version, cash_change};
use crate::dated::{Amounts, Bucket, BucketKey, BucketOwner};
use crate::hierarchy::PairRow;
use crate::wallets::WalletRow;
use bytemuck::Zeroable;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    DatedSettlement, Event, Execution, HolderAction, Kind, TakenBack, execution_alerts, execution_flags,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{CalendarId, HoldingId, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::settlement;
use tradewind_domain::time::DayNumber;

/// What one version of a trade leaves pending.
pub(super) fn pending_of(instrument: &Instrument, side: Side, trade: &Version) -> Amounts {
    let cash = cash_change(instrument, side, trade.principal, trade.fee);
    Amounts::of(cash, side.sign() * i128::from(trade.qty))
}

pub(super) fn key_of(holding: HoldingId, date: DayNumber, calendar: u8) -> BucketKey {
    BucketKey {
        holding,
        date,
        calendar: CalendarId(calendar.into()),
    }
}

impl Book {
    /// Writes when an execution settles: on a date of its calendar, or at once.
    pub(super) fn date_execution(&self, instrument: &Instrument, execution: &mut Execution) {
        execution.settle_calendar = 0;
        if !instrument.settles_later() {
            return;
        }
        let is_reported = execution.flags & execution_flags::HAS_SETTLE_DATE != 0
            && execution.settle_date >= execution.trade_date;
        if !is_reported {
            execution.settle_date = self.settle_date(instrument, execution.trade_date);
        }
        let calendar = instrument.settle_calendar;
        if execution.settle_date <= self.calendars.date(calendar) {
            return; // that day's run is over
        }
        let Ok(code) = u8::try_from(calendar.0) else {
            return;
        };
        if self
            .dated
            .has_room(key_of(execution.holding, execution.settle_date, code))
        {
            execution.settle_calendar = code;
        } else {
            execution.alerts |= execution_alerts::SETTLED_EARLY;
        }
    }

    fn settle_date(&self, instrument: &Instrument, trade_date: DayNumber) -> DayNumber {
        let days = instrument.settle_days_of(trade_date);
        settlement::settle_date(trade_date, days, |date| {
            self.calendars.has_date(instrument.settle_calendar, date)
                && self.calendars.has_date(instrument.cash_calendar, date)
        })
    }

    /// The business day after a date, on the calendars of market and currency.
    pub(super) fn next_settlement(&self, instrument: &Instrument, date: DayNumber) -> DayNumber {
        settlement::settle_date(date.saturating_add(1), 0, |date| {
            self.calendars.has_date(instrument.settle_calendar, date)
                && self.calendars.has_date(instrument.cash_calendar, date)
        })
    }

    /// The calendar whose roll pays what is due on an instrument: that of its settlements, else its own.
    pub(super) fn pay_calendar(instrument: &Instrument) -> CalendarId {
        if instrument.settles_later() {
            instrument.settle_calendar
        } else {
            instrument.calendar
        }
    }

    /// Writes whether a trade that is taken back is still pending: then it is voided, else reversed.
    pub(super) fn note_pending(&self, taken: &mut TakenBack) {
        let calendar = CalendarId(taken.settle_calendar.into());
        if taken.settle_calendar != 0 && taken.settle_date <= self.calendars.date(calendar) {
            taken.settle_calendar = 0;
        }
    }

    /// Writes when a corrected version settles: as the one before, or on the date that the correction names. The correction of a
    /// settled trade is booked at once.
    pub(super) fn date_correction(&self, body: &mut Execution, taken: &TakenBack) {
        body.settle_calendar = taken.settle_calendar;
        if taken.settle_calendar == 0 {
            return;
        }
        let calendar = CalendarId(taken.settle_calendar.into());
        let is_reported = body.flags & execution_flags::HAS_SETTLE_DATE != 0
            && body.settle_date > self.calendars.date(calendar)
            && self
                .dated
                .has_room(key_of(taken.holding, body.settle_date, taken.settle_calendar));
        if !is_reported {
            body.settle_date = taken.settle_date;
        }
    }

    /// Puts an execution that settles later into its bucket.
    pub(super) fn hold_until_settled(&mut self, instrument: &Instrument, execution: &Execution) {
        if execution.settle_calendar == 0 {
            return;
        }
        let side = Side::from_code(execution.side).unwrap_or(Side::Sell);
        let amounts = pending_of(instrument, side, &Version::of(execution));
        let owner = BucketOwner {
            account: execution.account,
            wallet: execution.wallet,
            instrument: execution.instrument,
            leaf: execution.leaf,
            currency: execution.currency,
        };
        let key = key_of(
            execution.holding,
            execution.settle_date,
            execution.settle_calendar,
        );
        if !self.dated.add(key, &owner, &amounts) {
            self.faults += 1;
        }
        self.move_pending(execution.wallet, &amounts, 1);
    }

    /// Takes a pending trade out of its bucket.
    pub(super) fn void_pending(&mut self, instrument: &Instrument, taken: &TakenBack, trade: &Version) {
        let side = Side::from_code(taken.side).unwrap_or(Side::Sell);
        let amounts = pending_of(instrument, side, trade);
        let key = key_of(taken.holding, taken.settle_date, taken.settle_calendar);
        if !self.dated.take(key, &amounts) {
            self.faults += 1;
        }
        self.move_pending(taken.wallet, &amounts, -1);
    }

    pub(super) fn move_pending(&mut self, wallet: WalletId, amounts: &Amounts, sign: i128) {
        let Some(row) = self.wallets.row_mut(wallet) else {
            self.faults += 1;
            return;
        };
        row.pending_in = Money::from_raw(
            row.pending_in
                .raw()
                .wrapping_add(amounts.cash_in.raw().wrapping_mul(sign)),
        );
        row.pending_out = Money::from_raw(
            row.pending_out
                .raw()
                .wrapping_add(amounts.cash_out.raw().wrapping_mul(sign)),
        );
    }

    /// Cash of a wallet that buys nothing yet: in a cash account what comes in on later dates; proceeds of today's sales that have no
    /// date.
    #[inline]
    pub(super) fn unsettled_cash(&self, row: &WalletRow) -> i128 {
        let undated = row.unsettled_on(self.account_date(row.account)).raw();
        if self.is_cash_account(row.account) {
            undated.wrapping_add(row.pending_in.raw())
        } else {
            undated
        }
    }

    /// Cash of a wallet that may leave the firm: available, and settled (SETTLEMENT section 1).
    pub(super) fn withdrawable(&self, wallet: WalletId) -> i128 {
        let Some(row) = self.wallets.row(wallet) else {
            return 0;
        };
        let held = row.collateral.raw().wrapping_add(row.reserved.raw());
        let available = row
            .settled
            .raw()
            .wrapping_sub(self.unsettled_cash(row))
            .wrapping_sub(held);
        available.min(row.settled_cash())
    }

    /// True where a bucket settles now that its calendar stands at a date.
    pub(super) fn is_due(&self, bucket: &Bucket, calendar: CalendarId) -> bool {
        bucket.trades != 0 && bucket.calendar == calendar && bucket.date <= self.calendars.date(calendar)
    }

    /// Writes the settlement of a bucket.
    pub(super) fn write_settlement(&self, bucket: &Bucket, out: &mut Event) -> Kind {
        out.reset(Kind::DatedCashSettled);
        let amounts = bucket.amounts;
        let change = amounts.cash_in.raw().wrapping_sub(amounts.cash_out.raw());
        let settled = self
            .wallets
            .row(bucket.wallet)
            .map_or(0, |row| row.settled_cash());
        let overdraws =
            change < 0 && settled.wrapping_add(change) < 0 && self.is_cash_account(bucket.account);
        *out.body_mut() = DatedSettlement {
            cash_in: amounts.cash_in,
            cash_out: amounts.cash_out,
            qty_in: amounts.qty_in,
            qty_out: amounts.qty_out,
            account: bucket.account,
            wallet: bucket.wallet,
            holding: bucket.holding,
            instrument: bucket.instrument,
            settle_date: bucket.date,
            trades: bucket.trades,
            leaf: bucket.leaf,
            currency: bucket.currency,
            calendar: bucket.calendar,
            alerts: if overdraws { execution_alerts::OVERDRAFT } else { 0 },
            ..DatedSettlement::zeroed()
        };
        Kind::DatedCashSettled
    }

    /// Writes what has to be borrowed for the holding of a pair, or given back, now that its calendar's trades have settled; `None` where
    /// what is borrowed is what is short.
    pub(super) fn write_borrow(&self, pair: &PairRow, calendar: CalendarId, out: &mut Event) -> Option<Kind> {
        if pair.holding.is_none() {
            return None;
        }
        let instrument = self.market.instrument(pair.instrument)?;
        if instrument.settle_calendar != calendar || !instrument.settles_later() {
            return None;
        }
        let settled = pair.flow.position.wrapping_sub(self.dated.pending(pair.holding));
        let short = i64::try_from(settled.wrapping_neg().max(0)).unwrap_or(i64::MAX);
        let change = short - self.dated.borrowed(pair.holding);
        if change == 0 {
            return None;
        }
        let account = self.hierarchy.node(pair.node).map(|node| node.account);
        out.reset(Kind::StockBorrowed);
        out.head.seq = self.input_seq;
        *out.body_mut() = HolderAction {
            qty_delta: change,
            node: pair.node,
            instrument: pair.instrument,
            holding: pair.holding,
            account: account.unwrap_or_default(),
            wallet: WalletId::NONE,
            date: self.calendars.date(calendar),
            currency: instrument.currency,
            ..HolderAction::zeroed()
        };
        Some(Kind::StockBorrowed)
    }

    /// Makes a borrowing true.
    pub(super) fn apply_borrow(&mut self, body: &HolderAction) {
        self.dated.borrow(body.holding, body.qty_delta);
    }

    /// The row of the bucket that a settlement is about.
    pub(super) fn settled_row(&self, body: &DatedSettlement) -> Option<u32> {
        self.dated.find(settled_key(body))
    }

    /// Makes a settlement true: what was pending is cash.
    pub(super) fn apply_settlement(&mut self, event: &Event) {
        let body: &DatedSettlement = event.body();
        if !self.dated.remove(settled_key(body)) {
            self.faults += 1;
        }
        let amounts = Amounts {
            cash_in: body.cash_in,
            cash_out: body.cash_out,
            ..Amounts::default()
        };
        self.move_pending(body.wallet, &amounts, -1);
    }
}

fn settled_key(body: &DatedSettlement) -> BucketKey {
    BucketKey {
        holding: body.holding,
        date: body.settle_date,
        calendar: body.calendar,
    }
}
