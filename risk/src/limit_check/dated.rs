//! Settlement dates of executions, and what settles when a settlement calendar rolls (SETTLEMENT sections 2 to 4).
//!
//! # Invariants
//! - Cash that is pending of a wallet is the sum over its buckets; a trade is in one bucket until it settles, or in none.
//! - Behind a split everything that is pending is in its new units: whole steps for each bucket, and for each trade that leaves it.
//! - Settlement refuses nothing. What finds no room for its date settles at once and carries SETTLED_EARLY.
//!
//! Not here: postings (settle), which days are business days (calendars).

use super::book::Book;
use super::bust::version_of;
use super::execution::{Version, cash_change};
use crate::corporate::split_ratio;
use crate::dated::{Amounts, Bucket, BucketKey, BucketOwner};
use crate::hierarchy::PairRow;
use crate::wallets::WalletRow;
use bytemuck::Zeroable;
use tradewind_domain::codes::Side;
use tradewind_domain::corporate::SplitQty;
use tradewind_domain::event::{
    CorporateAction, DatedSettlement, DatedSplit, Event, Execution, HolderAction, Kind, TakenBack,
    execution_alerts, execution_flags,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{CalendarId, HoldingId, Seq, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::settlement;
use tradewind_domain::time::DayNumber;

/// What one version of a trade leaves pending: its money, and a quantity in present units.
pub(super) fn pending_of(instrument: &Instrument, side: Side, trade: &Version, qty: i64) -> Amounts {
    let cash = cash_change(instrument, side, trade.principal, trade.fee);
    Amounts::of(cash, side.sign() * i128::from(qty))
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

    /// What a trade of a side, which is pending on a date, has in its bucket: its quantity in present units, and no more than is there.
    pub(super) fn pending_qty(&self, instrument: &Instrument, taken: &TakenBack) -> i64 {
        let qty = self.present_qty(instrument, taken.trade_seq, taken.qty);
        let key = key_of(taken.holding, taken.settle_date, taken.settle_calendar);
        let bucket = self.dated.find(key).and_then(|at| self.dated.row(at));
        let Some(amounts) = bucket.map(|row| row.amounts) else {
            return qty;
        };
        let is_buy = Side::from_code(taken.side).is_some_and(Side::is_buy);
        let there = if is_buy { amounts.qty_in } else { amounts.qty_out };
        qty.min(i64::try_from(there.raw()).unwrap_or(i64::MAX))
    }

    /// A quantity of a trade in present units; as it is where that does not fit.
    pub(super) fn present_qty(&self, instrument: &Instrument, trade_seq: Seq, qty: i64) -> i64 {
        self.actions
            .in_present_units(instrument, trade_seq, qty)
            .unwrap_or(qty)
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

    /// Puts an execution that settles later into its bucket; `qty` is what it brings or takes, in present units.
    pub(super) fn hold_until_settled(&mut self, instrument: &Instrument, execution: &Execution, qty: i64) {
        if execution.settle_calendar == 0 {
            return;
        }
        let side = Side::from_code(execution.side).unwrap_or(Side::Sell);
        let amounts = pending_of(instrument, side, &Version::of(execution), qty);
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
    pub(super) fn void_pending(&mut self, instrument: &Instrument, taken: &TakenBack) {
        let side = Side::from_code(taken.side).unwrap_or(Side::Sell);
        let qty = taken.qty.saturating_add(taken.pending_change);
        let amounts = pending_of(instrument, side, &version_of(taken), qty);
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
        // Most wallets have none: then nobody has to know whose they are.
        if !row.has_unsettled() {
            return 0;
        }
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
        bucket.is_used() && bucket.calendar == calendar && bucket.date <= self.calendars.date(calendar)
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

    /// Writes what a split makes of a bucket; `None` where it changes nothing of it, or does not fit.
    pub(super) fn write_dated_split(
        &self,
        action: &CorporateAction,
        bucket: &Bucket,
        out: &mut Event,
    ) -> Option<Kind> {
        if !bucket.is_used() || bucket.instrument != action.instrument {
            return None;
        }
        let ratio = split_ratio(action)?;
        let step = self.market.instrument(action.instrument)?.lot;
        let Amounts { qty_in, qty_out, .. } = bucket.amounts;
        let (new_in, new_out) = (
            SplitQty::of(qty_in, ratio, step)?.qty,
            SplitQty::of(qty_out, ratio, step)?.qty,
        );
        if (new_in, new_out) == (qty_in, qty_out) {
            return None;
        }
        out.reset(Kind::DatedSplit);
        out.head.seq = self.input_seq;
        *out.body_mut() = DatedSplit {
            qty_in,
            qty_out,
            new_in,
            new_out,
            account: bucket.account,
            wallet: bucket.wallet,
            holding: bucket.holding,
            instrument: bucket.instrument,
            settle_date: bucket.date,
            leaf: bucket.leaf,
            numerator: ratio.numerator,
            denominator: ratio.denominator,
            trades: bucket.trades,
            currency: bucket.currency,
            calendar: bucket.calendar,
            ..DatedSplit::zeroed()
        };
        Some(Kind::DatedSplit)
    }

    /// The row of the bucket that a split is about.
    pub(super) fn split_row(&self, body: &DatedSplit) -> Option<u32> {
        self.dated.find(split_key(body))
    }

    /// Makes other units of a bucket true.
    pub(super) fn apply_dated_split(&mut self, body: &DatedSplit) {
        if !self.dated.convert(split_key(body), body.new_in, body.new_out) {
            self.faults += 1;
        }
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

fn split_key(body: &DatedSplit) -> BucketKey {
    BucketKey {
        holding: body.holding,
        date: body.settle_date,
        calendar: body.calendar,
    }
}

fn settled_key(body: &DatedSettlement) -> BucketKey {
    BucketKey {
        holding: body.holding,
        date: body.settle_date,
        calendar: body.calendar,
    }
}
