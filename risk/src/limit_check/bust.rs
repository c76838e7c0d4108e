//! Busts and corrections: a trade that was booked is taken back, and where it was corrected booked anew (LIMITS sections 2 and 14,
//! SETTLEMENT section 3).
//!
//! # Invariants
//! - A bust takes back exactly what was booked: the figures stand in the retained row, nothing is priced again.
//! - Today's counters change only where the trade went into them: each node's own date was kept with the trade.
//! - What an order has open and holds stays as it is; its filled quantity, and while it is open its total quantity, fall.
//! - What a correction makes of a trade without an order is asked what such a trade is asked; a bust is asked nothing, as it only says
//!   which trade never was.
//! - Neither is refused for a limit. Locates that were used stay used, stamps of REPEATED_EXEC stay.

use super::allocation::NO_DAY;
use super::book::Book;
use super::execution::{Version, cash_change, collateral_of, deferred, exec_scope};
use super::findings::Findings;
use crate::checks;
use crate::orders::executions::{ExecutionRow, TradeState};
use crate::orders::keys::{Key, KeyHasher};
use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    Event, Execution, Kind, TakenBack, TradeBust, execution_alerts, execution_flags,
};
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::ids::{CalendarId, NodeId, OrderSlot, VenueId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::ExecId;
use tradewind_domain::time::DayNumber;

/// What stands in a trade's place once the event is applied: nothing after a bust.
fn rebooked(event: &Event) -> Version {
    match event.kind() {
        Some(Kind::TradeCorrect) => Version::of(event.body()),
        _ => Version::default(),
    }
}

pub(super) fn version_of(taken: &TakenBack) -> Version {
    Version {
        qty: taken.qty,
        px: taken.px,
        principal: taken.principal,
        fee: taken.fee,
        consumed: taken.consumed,
    }
}

pub(super) fn side_of(taken: &TakenBack) -> Side {
    Side::from_code(taken.side).unwrap_or(Side::Sell)
}

impl Book {
    /// Decides a bust or a correction: the trade must be known and live, and no leg of an allocation but where all of them go. What a
    /// correction makes of a trade is asked what the trade was asked, unless a person has overruled that.
    pub(super) fn take_back(&self, event: &mut Event, kind: Kind, is_overruled: bool) {
        let result = match Note::first(event.head.notes) {
            Some(code) => Err(code),
            None if event.head.part == 0 && self.names_leg(event, kind) => Err(RejectCode::AllocationLeg),
            None if kind == Kind::TradeBust => self.bust_facts(event.body_mut()),
            None => self.correction_facts(event.body_mut()),
        };
        let result = result.and_then(|taken| {
            if kind == Kind::TradeCorrect && taken.order_id.is_none() && !is_overruled {
                self.ask_correction(event)?;
            }
            Ok(taken)
        });
        match result {
            Ok(taken) => self.write_taken(event, taken),
            Err(code) => event.reject(code),
        }
    }

    fn ask_correction(&self, event: &mut Event) -> Result<(), RejectCode> {
        event.head.notes |= checks::trade_notes(&self.market, event.body());
        self.rules.judge(event, &self.market, &self.calendars);
        Note::first(event.head.notes).map_or(Ok(()), Err)
    }

    /// True where the trade that a bust or correction names is a live leg of an allocation.
    fn names_leg(&self, event: &Event, kind: Kind) -> bool {
        let row = self.executions.find(self.taken_key(event, kind));
        row.is_some_and(|row| row.is_leg() && !row.is_busted())
    }

    /// The key of the trade that a bust or correction names.
    pub(super) fn taken_key(&self, event: &Event, kind: Kind) -> Key {
        key_of(&self.hasher, event, kind)
    }

    /// Writes what is taken back and what that changes of corporate actions since, in front of the source's text.
    fn write_taken(&self, event: &mut Event, mut taken: TakenBack) {
        let new = rebooked(event);
        let Some(instrument) = self.market.instrument(taken.instrument) else {
            return event.reject(RejectCode::UnknownSymbol);
        };
        let mut booked_change = 0;
        if taken.settle_calendar != 0 {
            taken.pending_change = self.pending_qty(instrument, &taken) - taken.qty;
            booked_change = self.present_qty(instrument, taken.trade_seq, new.qty) - new.qty;
        }
        match self.adjustment_of(&taken, instrument, (new.qty, new.principal)) {
            Err(code) => event.reject(code),
            Ok(mut adjustment) => {
                adjustment.pending_change = booked_change;
                event.put_taken_back(&taken, &adjustment);
            }
        }
    }

    pub(super) fn bust_facts(&self, bust: &mut TradeBust) -> Result<TakenBack, RejectCode> {
        let (date, row) = self.booked(bust.venue, bust.trade_date, &bust.exec_ref_id)?;
        let taken = self.taken(row, -row.trade.qty)?;
        bust.trade_date = date;
        bust.alerts = self.alerts_of(&taken, &Version::default())?;
        (bust.account, bust.instrument) = (taken.account, taken.instrument);
        (bust.principal, bust.fee) = (taken.principal, taken.fee);
        (bust.consumed, bust.qty) = (taken.consumed, taken.qty);
        (bust.realised, bust.cost_delta, bust.closed_qty) = (Money::ZERO, Money::ZERO, 0);
        Ok(taken)
    }

    /// The correction's body becomes the new version: what the source leaves out stays as it was.
    pub(super) fn correction_facts(&self, body: &mut Execution) -> Result<TakenBack, RejectCode> {
        let (date, row) = self.booked(body.venue, body.trade_date, &body.exec_id)?;
        let old = row.trade;
        self.check_same_trade(body, &old)?;
        let instrument = self
            .market
            .instrument(old.instrument)
            .ok_or(RejectCode::UnknownSymbol)?;
        if body.qty == 0 {
            body.qty = old.qty;
        }
        if body.px == 0 && !instrument.allows_negative_prices() {
            body.px = old.px;
        }
        if body.qty < 0 {
            return Err(RejectCode::InvalidQty);
        }
        if body.px <= 0 && !instrument.allows_negative_prices() {
            return Err(RejectCode::InvalidPrice);
        }
        if body.flags & execution_flags::HAS_FEE == 0 {
            (body.fee, body.flags) = (old.fee, body.flags | execution_flags::HAS_FEE);
        }
        if !body.fee.is_postable() {
            return Err(RejectCode::Overflow);
        }
        // Side and place first: the value of a binary sale depends on them.
        let taken = self.taken(row, body.qty - old.qty)?;
        self.complete(body, &taken, date);
        self.date_correction(body, &taken);
        (body.principal, body.consumed) = self.worth(instrument, body)?;
        body.alerts = self.alerts_of(&taken, &Version::of(body))?;
        Ok(taken)
    }

    /// A correction keeps account, instrument and side: what moves a trade elsewhere is a bust and another trade.
    fn check_same_trade(&self, body: &Execution, old: &TakenBack) -> Result<(), RejectCode> {
        if body.side != 0 && body.side != old.side {
            return Err(RejectCode::InvalidSide);
        }
        let differs = |named: bool, same: bool| named && !same;
        if differs(!body.account.is_none(), body.account == old.account)
            || differs(!body.instrument.is_none(), body.instrument == old.instrument)
        {
            return Err(RejectCode::InvalidValue);
        }
        Ok(())
    }

    /// Writes what the new version has in common with the old one.
    fn complete(&self, body: &mut Execution, taken: &TakenBack, trade_date: DayNumber) {
        (body.leaf, body.account, body.instrument) = (taken.leaf, taken.account, taken.instrument);
        (body.holding, body.wallet) = (taken.holding, taken.wallet);
        (body.currency, body.calendar, body.side) = (taken.currency, taken.calendar, taken.side);
        (body.order_id, body.slot) = (taken.order_id, taken.slot);
        (body.leaves, body.cum) = (taken.leaves, taken.cum);
        body.trade_date = trade_date;
        body.trade_day = self.calendars.date(taken.calendar);
        let state = self.orders.get(taken.slot).map_or(0, |row| row.state);
        (body.state_before, body.state_after) = (state, state);
        (body.released_value, body.cash_released) = (Notional::ZERO, Money::ZERO);
        (body.realised, body.cost_delta, body.closed_qty) = (Money::ZERO, Money::ZERO, 0);
    }

    /// The live trade of an identifier, with the trade date that it stands under.
    pub(super) fn booked(
        &self,
        venue: VenueId,
        trade_date: DayNumber,
        exec_id: &ExecId,
    ) -> Result<(DayNumber, &ExecutionRow), RejectCode> {
        if exec_id.is_empty() {
            return Err(RejectCode::Malformed);
        }
        match self.retained(venue, trade_date, exec_id) {
            Some((_, row)) if row.is_busted() => Err(RejectCode::AlreadyBusted),
            Some(found) => Ok(found),
            None => Err(RejectCode::UnknownTrade),
        }
    }

    /// A trade that is retained, busted or not. Where the source names no date, it must stand under one of the present dates alone.
    pub(super) fn retained(
        &self,
        venue: VenueId,
        trade_date: DayNumber,
        exec_id: &ExecId,
    ) -> Option<(DayNumber, &ExecutionRow)> {
        let find = |date: DayNumber| {
            let key = self.hasher.key(exec_scope(venue, date), exec_id.padded());
            self.executions.find(key).map(|row| (date, row))
        };
        if trade_date != 0 {
            return find(trade_date);
        }
        // Neighbours with the same date are asked once.
        let dates = (0..CalendarId::COUNT_MAX).map(|id| self.calendars.date(CalendarId(id)));
        let mut before = 0;
        let mut all = dates
            .filter(|&date| date != std::mem::replace(&mut before, date) && date != 0)
            .filter_map(find);
        let first = all.next();
        first.filter(|&(date, _)| all.all(|(other, _)| other == date))
    }

    /// A retained trade with what its order looks like once its filled quantity has changed by `delta`.
    fn taken(&self, row: &ExecutionRow, delta: i64) -> Result<TakenBack, RejectCode> {
        let mut taken = row.trade;
        self.note_pending(&mut taken);
        let Some((slot, order)) = self.orders.find(taken.order_id) else {
            taken.slot = OrderSlot::NONE;
            return Ok(taken);
        };
        order.cum.checked_add(delta).ok_or(RejectCode::Overflow)?;
        order.qty.checked_add(delta).ok_or(RejectCode::Overflow)?;
        let mut after = *order;
        after.restate(delta);
        taken.slot = slot;
        (taken.order_qty, taken.cum, taken.leaves) = (after.qty, after.cum, after.leaves);
        Ok(taken)
    }

    fn alerts_of(&self, taken: &TakenBack, new: &Version) -> Result<u8, RejectCode> {
        let instrument = self
            .market
            .instrument(taken.instrument)
            .ok_or(RejectCode::UnknownSymbol)?;
        let mut alerts = 0;
        if taken.trade_day != self.calendars.date(taken.calendar) {
            alerts |= execution_alerts::PRIOR_DAY_ADJ;
        }
        let change = cash_difference(instrument, taken, new);
        if change < 0 && self.is_cash_account(taken.account) && self.overdraws(taken.wallet, change) {
            alerts |= execution_alerts::OVERDRAFT;
        }
        Ok(alerts)
    }

    /// Makes a bust or correction true.
    pub(super) fn apply_taking_back(&mut self, event: &Event, kind: Kind) {
        if event.is_rejected() {
            return self.put_aside(event, kind);
        }
        let (Some(taken), new) = (event.taken_back(), rebooked(event)) else {
            self.faults += 1;
            return;
        };
        let Some(instrument) = self.market.instrument(taken.instrument).copied() else {
            self.faults += 1;
            return;
        };
        let key = key_of(&self.hasher, event, kind);
        let opened = self.executions.find(key).map_or(0, |row| row.opened);
        // Of another quantity what closes comes first.
        let opens = if opened == 0 {
            0
        } else {
            (new.qty - (taken.qty - opened)).max(0)
        };
        self.move_cash_back(&instrument, (&taken, opened), (&new, opens));
        if taken.settle_calendar != 0 {
            self.void_pending(&instrument, &taken);
            if kind == Kind::TradeCorrect {
                let body: &Execution = event.body();
                let qty = body.qty.saturating_add(event.adjustment().pending_change);
                self.hold_until_settled(&instrument, body, qty);
            }
        }
        let before = self.account_position(taken.leaf, taken.instrument);
        self.move_flows_back(&taken, &new);
        let version = (new.qty, new.principal);
        self.apply_adjustment(&taken, &instrument, version, &event.adjustment());
        self.move_collateral(&instrument, &taken, before);
        if let Some(order) = self.orders.get_mut(taken.slot) {
            order.restate(new.qty - taken.qty);
        }
        let (state, trade) = if kind == Kind::TradeBust {
            (TradeState::Busted, taken)
        } else {
            (TradeState::Live, corrected(&taken, event.body()))
        };
        if !self.executions.change(key, state, trade) {
            self.faults += 1;
        }
        if opens != opened {
            self.executions.note_opened(key, opens);
        }
    }

    /// `opened` is the part of each version that opened a binary short.
    fn move_cash_back(
        &mut self,
        instrument: &Instrument,
        (taken, opened): (&TakenBack, i64),
        (new, opens): (&Version, i64),
    ) {
        let date = self.account_date(taken.account);
        let chain = self.hierarchy.chain(taken.leaf, taken.instrument);
        let level = self.account_node(&chain).map_or(0, |(level, _)| level);
        let Some(wallet) = self.wallets.row_mut(taken.wallet) else {
            self.faults += 1;
            return;
        };
        let change = cash_difference(instrument, taken, new);
        wallet.settled = Money::from_raw(wallet.settled.raw() + change);
        if instrument.settles_later() {
            return;
        }
        // Proceeds of the day's sales are not settled yet; those of an earlier day are, and go back as settled cash.
        let day = match taken.days.get(level).copied().unwrap_or(0) {
            NO_DAY if taken.trade_day == self.calendars.date(taken.calendar) => date,
            day => day,
        };
        let held = wallet.unsettled_on(day).raw();
        if day == date && held > 0 {
            let before = deferred(instrument, side_of(taken), &version_of(taken), opened);
            let after = deferred(instrument, side_of(taken), new, opens);
            wallet.defer(Money::from_raw((after - before).max(-held)), day);
        }
    }

    /// What binary shorts must hold follows the position.
    fn move_collateral(&mut self, instrument: &Instrument, taken: &TakenBack, before: i128) {
        let after = self.account_position(taken.leaf, taken.instrument);
        let change = collateral_of(instrument, after) - collateral_of(instrument, before);
        if let Some(wallet) = self.wallets.row_mut(taken.wallet) {
            wallet.collateral = Money::from_raw(wallet.collateral.raw() + change);
        }
    }

    /// Positions move at every node; counters where they still are those of the day that the trade was booked on.
    fn move_flows_back(&mut self, taken: &TakenBack, new: &Version) {
        let is_buy = side_of(taken).is_buy();
        let rebooks = new.qty != 0;
        let mut pair = self.hierarchy.find_pair(taken.leaf, taken.instrument);
        let mut node = taken.leaf;
        for day in taken.days {
            let change = |flow: &mut crate::hierarchy::Flow| {
                flow.take_back(is_buy, taken.qty, taken.consumed.raw(), day);
                if rebooks {
                    flow.put_back(is_buy, new.qty, new.consumed.raw(), day);
                }
            };
            let Some(row) = self.hierarchy.node_mut(node) else {
                break;
            };
            change(&mut row.flow);
            node = NodeId(row.parent);
            if self.hierarchy.pair(pair).is_some() {
                pair = self.hierarchy.change_pair(pair, change);
            }
        }
    }

    /// Compares what is left after a bust or correction with the limits that bind executed trades.
    pub(super) fn audit_taking_back(&self, event: &mut Event, findings: &mut Findings) {
        let Some(taken) = event.taken_back() else { return };
        let Some(instrument) = self.market.instrument(taken.instrument) else {
            return;
        };
        let grows = rebooked(event).qty > taken.qty;
        let side = match (side_of(&taken).is_buy(), grows) {
            (true, true) | (false, false) => Side::Buy,
            (true, false) | (false, true) => Side::Sell,
        };
        findings.clear();
        let pair = self.hierarchy.find_pair(taken.leaf, taken.instrument);
        self.audit_execution(taken.leaf, pair, instrument, side, findings);
        if findings.write(event).hits == 0 {
            return;
        }
        let alerts = match event.kind() {
            Some(Kind::TradeBust) => &mut event.body_mut::<TradeBust>().alerts,
            _ => &mut event.body_mut::<Execution>().alerts,
        };
        *alerts |= execution_alerts::BREACH;
    }
}

/// The key of the trade that an accepted bust or correction names.
fn key_of(hasher: &KeyHasher, event: &Event, kind: Kind) -> Key {
    let (venue, date, exec_id) = if kind == Kind::TradeBust {
        let body: &TradeBust = event.body();
        (body.venue, body.trade_date, body.exec_ref_id)
    } else {
        let body: &Execution = event.body();
        (body.venue, body.trade_date, body.exec_id)
    };
    hasher.key(exec_scope(venue, date), exec_id.padded())
}

/// The corrected version, as the next bust would take it back: it stays on the days of the first.
fn corrected(taken: &TakenBack, body: &Execution) -> TakenBack {
    TakenBack {
        principal: body.principal,
        fee: body.fee,
        consumed: body.consumed,
        qty: body.qty,
        px: body.px,
        version: taken.version.saturating_add(1),
        pending_change: 0,
        settle_calendar: body.settle_calendar,
        settle_date: if body.settle_calendar == 0 {
            0
        } else {
            body.settle_date
        },
        ..*taken
    }
}

/// Change of settled cash when one version of a trade takes the other's place.
fn cash_difference(instrument: &Instrument, taken: &TakenBack, new: &Version) -> i128 {
    let side = side_of(taken);
    cash_change(instrument, side, new.principal, new.fee)
        - cash_change(instrument, side, taken.principal, taken.fee)
}
