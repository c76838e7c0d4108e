//! Executions: fills of our orders, and trades executed elsewhere. They are consumed first and compared afterwards: a fill is
//! never refused because of a limit (LIMITS section 2, rule e; section 9).

use super::allocation::NO_DAYS;
use super::ask::VALUE_MAX;
use super::book::{Book, OpenChange};
use super::findings::Findings;
use super::look_ahead::Hint;
use super::rest;
use crate::orders::keys::Key;
use crate::orders::table::{OrderRow, parts_value};
use bytemuck::Zeroable;
use tradewind_domain::codes::{InstrumentKind, OrderState, Side};
use tradewind_domain::event::{
    ChainDays, Event, Execution, Kind, TakenBack, execution_alerts, execution_flags,
};
use tradewind_domain::fixed::{Money, Notional, ONE, Price, Qty};
use tradewind_domain::ids::{HoldingId, InstrumentId, NodeId, OrderId, OrderSlot, Seq, VenueId, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::rounding::{self, Rounding};
use tradewind_domain::time::DayNumber;

/// Scope of ExecID keys, so that they never meet ClOrdIDs in one hash space.
const EXEC_SCOPE: u64 = 1 << 40;

/// Scope of an execution's key: its venue and trade date.
pub(super) fn exec_scope(venue: VenueId, trade_date: DayNumber) -> u64 {
    EXEC_SCOPE | (u64::from(venue.0) << 48) | u64::from(trade_date)
}

impl Book {
    pub(super) fn exec_key(&self, execution: &Execution, hint: Hint) -> Key {
        let scope = exec_scope(execution.venue, execution.trade_date);
        hint.key(scope)
            .unwrap_or_else(|| self.hasher.key(scope, execution.exec_id.padded()))
    }

    /// Decides an execution: only what cannot be booked at all is refused (and kept in the journal with its reason).
    pub(super) fn decide_execution(&self, event: &mut Event, kind: Kind) {
        let notes = event.head.notes;
        let hint = Hint::of(event);
        let body: &mut Execution = event.body_mut();
        (body.slot, body.holding, body.wallet) = (OrderSlot::NONE, HoldingId::NONE, WalletId::NONE);
        body.flags &= execution_flags::OF_SOURCES;
        let result = match Note::first(notes) {
            Some(code) => Err(code),
            None if kind == Kind::VenueFill => self.fill_facts(event.body_mut(), hint),
            None => self
                .check_dates(event.body())
                .and_then(|()| self.trade_facts(event.body_mut(), hint)),
        };
        match result {
            Ok(()) => self.flag_taking_back(event.body_mut()),
            Err(code) => event.reject(code),
        }
    }

    fn check_exec_key(&self, execution: &Execution, hint: Hint) -> Result<(), RejectCode> {
        if self.exec_ids.is_known(self.exec_key(execution, hint)) {
            return Err(RejectCode::DuplicateExecId);
        }
        // The last eighth is kept for fills of our orders: what is traded elsewhere, and payments, stop earlier.
        let kept = if execution.order_id.is_none() {
            self.exec_ids.capacity() / 8
        } else {
            0
        };
        if self.exec_ids.is_full(execution.trade_day, 0, kept) {
            Err(RejectCode::Capacity)
        } else {
            Ok(())
        }
    }

    /// Money and limit value of an execution at its own price and the present rate.
    pub(super) fn worth(
        &self,
        instrument: &Instrument,
        execution: &Execution,
    ) -> Result<(Money, Notional), RejectCode> {
        let rate = self
            .market
            .rate(instrument.currency)
            .ok_or(RejectCode::NoReferencePrice)?;
        let (qty, px) = (Qty::from_raw(execution.qty), Price::from_raw(execution.px));
        let principal =
            rounding::principal(instrument, qty, px, Rounding::HalfUp).ok_or(RejectCode::Overflow)?;
        let unit = |px: Price| {
            rounding::unit_value(instrument, px, rate)
                .and_then(i64::checked_abs)
                .ok_or(RejectCode::Overflow)
        };
        let closes = self.closing_part(instrument, execution);
        let consumed = if closes == execution.qty {
            rounding::notional(qty, unit(px)?)
        } else {
            let short = unit(Price::from_raw(ONE - px.raw()))?;
            Notional::from_raw(parts_value(execution.qty, closes, unit(px)?, short))
        };
        if consumed.raw().abs() > VALUE_MAX {
            Err(RejectCode::Overflow)
        } else {
            Ok((principal, consumed))
        }
    }

    /// The part of an execution that counts by its own price: all of it, but of a binary sale what closes a long position.
    fn closing_part(&self, instrument: &Instrument, execution: &Execution) -> i64 {
        let is_sale = Side::from_code(execution.side).is_some_and(|side| !side.is_buy());
        if instrument.kind != InstrumentKind::Binary as u8 || !is_sale {
            return execution.qty;
        }
        let position = self.account_position(execution.leaf, execution.instrument);
        position.clamp(0, i128::from(execution.qty)) as i64
    }

    fn fill_facts(&self, fill: &mut Execution, hint: Hint) -> Result<(), RejectCode> {
        let (slot, row) = self.orders.find(fill.order_id).ok_or(RejectCode::OrphanFill)?;
        let instrument = self
            .market
            .instrument(row.instrument)
            .ok_or(RejectCode::UnknownSymbol)?;
        (fill.leaf, fill.account, fill.instrument) = (row.leaf, row.account, row.instrument);
        (fill.currency, fill.calendar, fill.side) = (row.currency, row.calendar, row.side);
        (fill.holding, fill.wallet) = (row.holding, row.wallet);
        (fill.state_before, fill.state_after) = (row.state, row.state);
        fill.trade_day = self.calendars.date(row.calendar);
        if fill.trade_date == 0 {
            fill.trade_date = fill.trade_day;
        }
        if fill.px <= 0 && !instrument.allows_negative_prices() {
            return Err(RejectCode::InvalidPrice);
        }
        self.check_exec_key(fill, hint)?;
        fill.slot = slot;
        (fill.principal, fill.consumed) = self.worth(instrument, fill)?;
        self.write_fee(instrument, fill)?;
        fill.cum = row.cum.checked_add(fill.qty).ok_or(RejectCode::Overflow)?;
        fill.alerts = 0;
        (fill.released_value, fill.cash_released) = (Notional::ZERO, Money::ZERO);
        if row.order_state().is_open() {
            self.consume(row, instrument, fill);
        } else {
            fill.alerts |= execution_alerts::LATE_FILL;
            fill.leaves = 0;
        }
        self.date_execution(instrument, fill);
        self.check_overdraft(instrument, fill);
        Ok(())
    }

    /// What an open order gives back and keeps.
    fn consume(&self, row: &OrderRow, instrument: &Instrument, fill: &mut Execution) {
        fill.leaves = (row.leaves - fill.qty).max(0);
        // A fill that only the order asked for by a pending replace has room for says that the venue has replaced already.
        if fill.qty > row.reserved_qty() {
            fill.alerts |= execution_alerts::OVERFILL;
        }
        if fill.leaves == 0 && row.new_qty <= fill.cum {
            fill.state_after = OrderState::Filled as u8;
            fill.released_value = row.reserved_value();
            fill.cash_released = row.reserved_cash();
            return;
        }
        // A venue that fills an order which is held has it, whatever we know.
        if matches!(row.order_state(), OrderState::PendingNew | OrderState::Held) {
            fill.state_after = OrderState::Working as u8;
        }
        if row.has_replace() {
            let after = self.need(&filled(row, fill));
            fill.released_value = Notional::from_raw(row.reserved_value().raw() - after.value);
            fill.cash_released = Money::from_raw(row.reserved_cash().raw() - after.cash);
            return;
        }
        let close_qty = close_left(row, fill);
        let open_after = parts_value(fill.leaves, close_qty, row.unit, row.short_unit);
        fill.released_value = Notional::from_raw(row.open_value() - open_after);
        let (whole, rest) = (row.leaves - row.close_qty, fill.leaves - close_qty);
        let kept = rest::cash_need(row.cash, whole, rest, row.risk_px, Some(instrument));
        fill.cash_released = Money::from_raw(row.cash.raw() - kept.cash);
    }

    /// No trade is of a day that has not begun, or settles before it was made.
    fn check_dates(&self, trade: &Execution) -> Result<(), RejectCode> {
        let today = self.calendars.date(trade.calendar);
        let of_a_later_day = today != 0 && trade.trade_date > today;
        if of_a_later_day || (trade.settle_date != 0 && trade.settle_date < trade.trade_date) {
            Err(RejectCode::InvalidValue)
        } else {
            Ok(())
        }
    }

    /// What a trade without an order of ours does.
    pub(super) fn trade_facts(&self, trade: &mut Execution, hint: Hint) -> Result<(), RejectCode> {
        let instrument = self
            .market
            .instrument(trade.instrument)
            .ok_or(RejectCode::UnknownSymbol)?;
        trade.trade_day = self.calendars.date(trade.calendar);
        if trade.trade_date == 0 {
            trade.trade_date = trade.trade_day;
        }
        (trade.state_before, trade.state_after, trade.alerts) = (0, 0, 0);
        (trade.leaves, trade.cum) = (0, 0);
        (trade.released_value, trade.cash_released) = (Notional::ZERO, Money::ZERO);
        self.check_exec_key(trade, hint)?;
        (trade.principal, trade.consumed) = self.worth(instrument, trade)?;
        self.write_fee(instrument, trade)?;
        let chain = self.hierarchy.chain(trade.leaf, trade.instrument);
        trade.holding = self.holding_or_next(&chain).ok_or(RejectCode::Capacity)?;
        trade.wallet = self
            .wallets
            .find_or_next(trade.account, trade.currency)
            .ok_or(RejectCode::Capacity)?;
        self.date_execution(instrument, trade);
        self.check_overdraft(instrument, trade);
        Ok(())
    }

    /// Flags a cash account whose settled cash this execution takes below zero.
    pub(super) fn check_overdraft(&self, instrument: &Instrument, execution: &mut Execution) {
        if !self.is_cash_account(execution.account) {
            return;
        }
        let side = Side::from_code(execution.side).unwrap_or(Side::Sell);
        let change = cash_change(instrument, side, execution.principal, execution.fee);
        if self.overdraws(execution.wallet, change) {
            execution.alerts |= execution_alerts::OVERDRAFT;
        }
    }

    /// True where a change of settled cash takes a wallet below zero.
    pub(super) fn overdraws(&self, wallet: WalletId, change: i128) -> bool {
        let settled = self.wallets.row(wallet).map_or(0, |row| row.settled.raw());
        settled + change < 0
    }

    /// Makes an execution's facts true; one that was refused is put aside.
    pub(super) fn apply_execution(&mut self, event: &Event) {
        let execution: &Execution = event.body();
        if event.is_rejected() {
            let kind = event.kind().unwrap_or(Kind::TradeCapture);
            return self.put_aside(event, kind);
        }
        let key = self.exec_key(execution, Hint::of(event));
        self.exec_ids.remember(key, event.head.seq, execution.trade_day);
        let Some(instrument) = self.market.instrument(execution.instrument).copied() else {
            self.faults += 1;
            return;
        };
        let side = Side::from_code(execution.side).unwrap_or(Side::Sell);
        let account_date = self.account_date(execution.account);
        let collateral = self.collateral_change(&instrument, execution);
        let opened = execution.qty - self.closing_part(&instrument, execution);
        self.wallets
            .make(execution.wallet, execution.account, execution.currency);
        if let Some(wallet) = self.wallets.row_mut(execution.wallet) {
            let change = cash_change(&instrument, side, execution.principal, execution.fee);
            wallet.settled = Money::from_raw(wallet.settled.raw() + change);
            let deferred = deferred(&instrument, side, &Version::of(execution), opened);
            if deferred > 0 && is_undated(&instrument, execution) {
                wallet.defer(Money::from_raw(deferred), account_date);
            }
            wallet.collateral = Money::from_raw(wallet.collateral.raw() + collateral);
            wallet.reserved = Money::from_raw(wallet.reserved.raw() - execution.cash_released.raw());
        }
        self.hold_until_settled(&instrument, execution, execution.qty);
        self.count_fee(&instrument, execution);
        if execution.flags & execution_flags::ALLOCATED != 0 {
            return self.apply_leg(&instrument, execution, (key, event.head.seq));
        }
        // Where nothing else says a mark, this price is it: what the execution moves is valued at it.
        if self.market.note_fill(execution.instrument, execution.px) {
            self.value_instrument(execution.instrument);
        }
        let (pair, open) = match self.orders.get(execution.slot).map(|row| row.node_instrument) {
            Some(pair) => {
                let need = self.need_of(execution.slot);
                let open = self.apply_fill(execution);
                self.note_need(execution.slot, execution.wallet, need);
                (pair, open)
            }
            None => (
                self.make_pairs(execution.leaf, execution.instrument, execution.holding),
                OpenChange::default(),
            ),
        };
        if !instrument.moves_principal() {
            let value = side.sign() * execution.principal.raw();
            self.actions
                .add_margined(execution.holding, value, event.head.seq);
        }
        let done = (execution.qty, execution.consumed.raw());
        let days = self.execute(execution.leaf, pair, side, done, open);
        self.executions
            .push(key, retained(execution, event.head.seq, days));
        if opened != 0 {
            self.executions.note_opened(key, opened);
        }
        self.watch_execution(execution.leaf, event.head.recv_ns);
        if execution.alerts & execution_alerts::TAKING_BACK_WAITS != 0 {
            self.quarantine.note_arrival(execution, event.head.recv_ns);
        }
    }

    /// A leg of an allocation moves the position and is remembered; no counter of the day sees it.
    fn apply_leg(&mut self, instrument: &Instrument, leg: &Execution, (key, seq): (Key, Seq)) {
        let pair = self.make_pairs(leg.leaf, leg.instrument, leg.holding);
        let sign = Side::from_code(leg.side).map_or(0, Side::sign);
        if !instrument.moves_principal() {
            self.actions
                .add_margined(leg.holding, sign * leg.principal.raw(), seq);
        }
        self.actions.note_traded(leg.holding, seq);
        let opened = leg.qty - self.closing_part(instrument, leg);
        self.shift_positions(pair, sign * i128::from(leg.qty));
        self.executions.push(key, retained(leg, seq, NO_DAYS));
        self.executions.note_allocation(key, seq, leg.trade_date);
        if opened != 0 {
            self.executions.note_opened(key, opened);
        }
    }

    /// By how much an execution changes what binary shorts must hold.
    pub(super) fn collateral_change(&self, instrument: &Instrument, execution: &Execution) -> i128 {
        if instrument.kind != InstrumentKind::Binary as u8 {
            return 0;
        }
        let before = self.account_position(execution.leaf, execution.instrument);
        let is_buy = Side::from_code(execution.side).is_some_and(Side::is_buy);
        let qty = i128::from(execution.qty);
        let after = if is_buy { before + qty } else { before - qty };
        collateral_of(instrument, after) - collateral_of(instrument, before)
    }

    /// Position of the account on a leaf's chain.
    pub(super) fn account_position(&self, leaf: NodeId, instrument: InstrumentId) -> i128 {
        let chain = self.hierarchy.chain(leaf, instrument);
        let pair = self.hierarchy.account_pair(&chain);
        pair.map_or(0, |pair| pair.flow.position)
    }

    /// Makes a fill true of its order; says what that changes of what is open.
    fn apply_fill(&mut self, fill: &Execution) -> OpenChange {
        let slot = fill.slot;
        let Some(row) = self.orders.get_mut(slot) else {
            return OpenChange::default();
        };
        if !row.order_state().is_open() {
            row.cum = fill.cum;
            return OpenChange::default();
        }
        let (state, qty) = (row.state, row.reserved_qty());
        if fill.state_after != state {
            self.end_hold(slot);
        }
        let closes = fill.state_after == OrderState::Filled as u8;
        let qty_after = self.orders.get_mut(slot).map_or(0, |row| {
            take_fill(row, fill);
            if closes { 0 } else { row.reserved_qty() }
        });
        if closes {
            self.close_order(slot, fill.state_after);
        } else if state == OrderState::Held as u8 {
            // A market order that the venue has after all rests no longer.
            self.rest_anew(slot);
        }
        OpenChange {
            qty: qty_after - qty,
            value: -fill.released_value.raw(),
            count: -i32::from(closes),
        }
    }

    /// Compares an applied execution with the limits that bind executed trades, and writes what they say.
    pub(super) fn audit(&self, event: &mut Event, findings: &mut Findings) {
        if event.is_rejected() {
            return;
        }
        let execution: &Execution = event.body();
        let Some(instrument) = self.market.instrument(execution.instrument) else {
            return;
        };
        findings.clear();
        let pair = match self.orders.get(execution.slot) {
            Some(row) => row.node_instrument,
            None => self.hierarchy.find_pair(execution.leaf, execution.instrument),
        };
        let side = Side::from_code(execution.side).unwrap_or(Side::Sell);
        self.audit_execution(execution.leaf, pair, instrument, side, findings);
        let verdict = findings.write(event);
        if verdict.hits != 0 {
            event.body_mut::<Execution>().alerts |= execution_alerts::BREACH;
        }
    }
}

/// What a position in a binary contract must hold: sold, it pays at most one (LIMITS section 14, Cash).
pub(super) fn collateral_of(instrument: &Instrument, position: i128) -> i128 {
    if instrument.kind != InstrumentKind::Binary as u8 {
        return 0;
    }
    let short = i64::try_from((-position).max(0)).unwrap_or(i64::MAX);
    let (short, one) = (Qty::from_raw(short), Price::from_raw(ONE));
    rounding::principal(instrument, short, one, Rounding::Ceiling).map_or(0, Money::raw)
}

/// What of an order still closes a position after a fill: what closes goes first.
fn close_left(row: &OrderRow, fill: &Execution) -> i64 {
    row.close_qty.saturating_sub(fill.qty).max(0).min(fill.leaves)
}

/// An order's quantities after a fill.
fn filled(row: &OrderRow, fill: &Execution) -> OrderRow {
    OrderRow {
        cum: fill.cum,
        leaves: fill.leaves,
        close_qty: close_left(row, fill),
        ..*row
    }
}

/// Makes an open order's row what it is after a fill. All figures are recorded: what it holds on top for a pending replace is what
/// it held, less what the fill gave back, less what the rest of the old order holds.
fn take_fill(row: &mut OrderRow, fill: &Execution) {
    let held = row.reserved_value().raw() - fill.released_value.raw();
    row.close_qty = close_left(row, fill);
    (row.cum, row.leaves, row.state) = (fill.cum, fill.leaves, fill.state_after);
    if row.resting_state == OrderState::PendingNew as u8 {
        row.resting_state = OrderState::Working as u8;
    }
    if row.has_replace() {
        row.extra_value = Notional::from_raw(held - row.open_value());
        row.extra_cash = Money::from_raw(row.extra_cash.raw() - fill.cash_released.raw());
    } else {
        row.cash = Money::from_raw(row.cash.raw() - fill.cash_released.raw());
    }
}

/// True for an execution that has no settlement date although it should have one: its proceeds come with the next trading day.
fn is_undated(instrument: &Instrument, execution: &Execution) -> bool {
    !instrument.settles_later() || execution.alerts & execution_alerts::SETTLED_EARLY != 0
}

/// An execution as a bust would take it back.
pub(super) fn retained(execution: &Execution, trade_seq: Seq, days: ChainDays) -> TakenBack {
    TakenBack {
        trade_seq,
        // A trade that was booked without an order, whatever its source said of one, changes none.
        order_id: if execution.slot.is_none() {
            OrderId::NONE
        } else {
            execution.order_id
        },
        principal: execution.principal,
        fee: execution.fee,
        consumed: execution.consumed,
        qty: execution.qty,
        px: execution.px,
        leaf: execution.leaf,
        account: execution.account,
        instrument: execution.instrument,
        holding: execution.holding,
        wallet: execution.wallet,
        slot: OrderSlot::NONE,
        trade_day: execution.trade_day,
        days,
        currency: execution.currency,
        calendar: execution.calendar,
        side: execution.side,
        settle_calendar: execution.settle_calendar,
        settle_date: if execution.settle_calendar == 0 {
            0
        } else {
            execution.settle_date
        },
        ..TakenBack::zeroed()
    }
}

/// Change of settled cash: principal where it moves, and the fee.
pub(super) fn cash_change(instrument: &Instrument, side: Side, principal: Money, fee: Money) -> i128 {
    let principal = if instrument.moves_principal() {
        principal.raw()
    } else {
        0
    };
    let signed = if side.is_buy() { -principal } else { principal };
    signed - fee.raw()
}

/// What one version of a trade says of money.
#[derive(Clone, Copy, Default)]
pub(super) struct Version {
    pub(super) qty: i64,
    pub(super) px: i64,
    pub(super) principal: Money,
    pub(super) fee: Money,
    pub(super) consumed: Notional,
}

impl Version {
    pub(super) fn of(execution: &Execution) -> Self {
        Self {
            qty: execution.qty,
            px: execution.px,
            principal: execution.principal,
            fee: execution.fee,
            consumed: execution.consumed,
        }
    }
}

/// The part of a trade's proceeds that settles later: all of them, but of a binary sale those of what it closed. Proceeds of `opened`
/// are collateral, not cash that comes later.
pub(super) fn deferred(instrument: &Instrument, side: Side, trade: &Version, opened: i64) -> i128 {
    let change = cash_change(instrument, side, trade.principal, trade.fee).max(0);
    if instrument.settle_days == 0 {
        return 0;
    }
    if opened == 0 {
        return change;
    }
    let closed = Qty::from_raw((trade.qty - opened).max(0));
    let of_closed = rounding::principal(instrument, closed, Price::from_raw(trade.px), Rounding::HalfUp);
    of_closed.map_or(change, |of_closed| change.min(of_closed.raw().max(0)))
}
