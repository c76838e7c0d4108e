//! Allocations: a block that one account has executed moves to client accounts at its average price (SETTLEMENT section 3).
//!
//! An accepted allocation becomes one execution for the block's account, on the other side, and one for each leg: part 1 and on of its
//! group. They carry the flag ALLOCATED, move money and positions as any trade does, and settle when the block settles. Nothing was executed,
//! so counters of the day, short sales, repeated executions and marks do not move.
//!
//! # Invariants
//! - Quantities, money and fees of the legs add up to those of the block: what rounding leaves goes to the largest leg, among equals to
//!   the lowest account. The block's account keeps nothing of it.
//! - An allocation is booked whole or refused: each leg is tried before the first is booked.
//! - It stands as long as the executions that it names. A bust or correction of one of them, or an allocation without legs, takes all of its
//!   legs back; a leg by itself is not taken back. What was corrected is then allocated anew.
//!
//! Not here: which account a client wants (the source says), cost and profit (position).

use super::book::Book;
use super::effects::Trips;
use super::execution::exec_scope;
use super::expand::Cursor;
use super::look_ahead::Hint;
use crate::checks::is_multiple;
use crate::orders::executions::ExecutionRow;
use crate::orders::keys::Key;
use bytemuck::Zeroable;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    ALLOCATED_MAX, Allocation, AllocationLeg, ChainDays, Event, Execution, Kind, LEGS_MAX, TakenBack,
    TradeBust, execution_alerts, execution_flags,
};
use tradewind_domain::fixed::{Money, Price, Qty};
use tradewind_domain::ids::{CalendarId, OrderId, Seq, VenueId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::rounding::{self, Rounding};
use tradewind_domain::text::ExecId;
use tradewind_domain::time::DayNumber;
use tradewind_domain::wide::share;

/// Scope of identifiers of allocations in the key space of executions.
const ALLOCATION_SCOPE: u64 = 1 << 42;

/// The day of counters that a leg went into: none.
pub(super) const NO_DAY: DayNumber = DayNumber::MAX;

/// [`NO_DAY`] at every level.
pub(super) const NO_DAYS: ChainDays = [NO_DAY; 6];

/// A block, and what each leg gets of it.
#[derive(Clone, Copy)]
pub(super) struct Block {
    seq: Seq,
    body: Allocation,
    legs: [AllocationLeg; LEGS_MAX],
    /// Money and fee of each leg.
    amounts: [(Money, Money); LEGS_MAX],
}

impl Block {
    /// None.
    pub(super) fn empty() -> Self {
        Self {
            seq: 0,
            body: Allocation::zeroed(),
            legs: [AllocationLeg::zeroed(); LEGS_MAX],
            amounts: [(Money::ZERO, Money::ZERO); LEGS_MAX],
        }
    }

    /// The block of an event with its facts; `None` where an amount does not fit.
    fn of(event: &Event, body: &Allocation, instrument: &Instrument) -> Option<Self> {
        let mut block = Self {
            seq: event.head.seq,
            body: *body,
            ..Self::empty()
        };
        for (to, leg) in block.legs.iter_mut().zip(event.allocation_legs()) {
            *to = leg;
        }
        block.share_out(instrument)?;
        Some(block)
    }

    fn legs(&self) -> &[AllocationLeg] {
        &self.legs[..usize::from(self.body.legs).min(LEGS_MAX)]
    }

    /// Each leg gets its quantity at the average price and its share of the fees; the largest also what is left.
    fn share_out(&mut self, instrument: &Instrument) -> Option<()> {
        let (mut money, mut fees) = (self.body.principal, self.body.fee);
        let largest = self.largest();
        let count = self.legs().len();
        for at in 0..count {
            let qty = self.legs[at].qty;
            let px = Price::from_raw(self.body.px);
            let principal = rounding::principal(instrument, Qty::from_raw(qty), px, Rounding::HalfUp)?;
            let fee = share(
                self.body.fee,
                qty.into(),
                self.body.qty.into(),
                instrument.money_dp,
            );
            self.amounts[at] = (principal, fee);
            (money, fees) = (money.checked_sub(principal)?, fees.checked_sub(fee)?);
        }
        let (principal, fee) = self.amounts.get_mut(largest)?;
        (*principal, *fee) = (principal.checked_add(money)?, fee.checked_add(fees)?);
        Some(())
    }

    fn largest(&self) -> usize {
        let rank = |leg: &AllocationLeg| (leg.qty, std::cmp::Reverse(leg.account));
        let legs = self.legs().iter().enumerate();
        legs.max_by_key(|(_, leg)| rank(leg)).map_or(0, |(at, _)| at)
    }

    /// The execution of the block's account (0) or of a leg (from 1), as its source would write it.
    fn execution(&self, at: usize) -> Option<Execution> {
        let body = &self.body;
        let side = Side::from_code(body.side)?;
        let (leaf, account, qty, side, fee) = match at.checked_sub(1) {
            None => (body.leaf, body.account, body.qty, opposite(side), body.fee.neg()),
            Some(at) => {
                let leg = self.legs().get(at)?;
                (leg.leaf, leg.account, leg.qty, side, self.amounts[at].1)
            }
        };
        Some(Execution {
            exec_id: leg_id(self.seq, at),
            order_id: OrderId::NONE,
            qty,
            px: body.px,
            fee,
            trade_date: body.trade_date,
            settle_date: body.settle_date,
            venue: VenueId::NONE,
            side: side as u8,
            flags: execution_flags::HAS_FEE | execution_flags::HAS_SETTLE_DATE | execution_flags::ALLOCATED,
            qty_dp: 8,
            px_dp: 8,
            leaf,
            account,
            instrument: body.instrument,
            currency: body.currency,
            calendar: body.calendar,
            ..Execution::zeroed()
        })
    }

    fn principal(&self, at: usize) -> Money {
        at.checked_sub(1)
            .map_or(self.body.principal, |at| self.amounts[at].0)
    }
}

const fn opposite(side: Side) -> Side {
    match side {
        Side::Buy => Side::Sell,
        Side::Sell | Side::SellShort => Side::Buy,
    }
}

/// What the execution of a leg is called: `alloc-SEQ-LEG`.
fn leg_id(seq: Seq, leg: usize) -> ExecId {
    let mut text = [0; 40];
    let mut len = 0;
    let mut push = |bytes: &[u8]| {
        text[len..len + bytes.len()].copy_from_slice(bytes);
        len += bytes.len();
    };
    push(b"alloc-");
    for (number, before) in [(seq, &b""[..]), (leg as u64, b"-")] {
        push(before);
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        push(&digits[at..]);
    }
    ExecId::lossy(&text[..len])
}

impl Book {
    fn allocation_key(&self, body: &Allocation) -> Key {
        let scope = ALLOCATION_SCOPE | u64::from(body.account.0);
        self.hasher.key(scope, body.alloc_id.padded())
    }

    /// Decides an allocation: executions that stand, legs that add up to them, and room for all of it.
    pub(super) fn decide_allocation(&self, event: &mut Event) {
        let result = match Note::first(event.head.notes) {
            Some(code) => Err(code),
            None => self.allocation_facts(event),
        };
        match result {
            Ok(body) => *event.body_mut() = body,
            Err(code) => event.reject(code),
        }
    }

    fn allocation_facts(&self, event: &Event) -> Result<Allocation, RejectCode> {
        let mut body: Allocation = *event.body();
        (body.px, body.principal, body.fee, body.taken_back) = (0, Money::ZERO, Money::ZERO, 0);
        if body.alloc_id.is_empty() {
            return Err(RejectCode::Malformed);
        }
        let key = self.allocation_key(&body);
        if body.legs == 0 {
            let found = self.exec_ids.find(key).ok_or(RejectCode::UnknownAllocation)?;
            body.taken_back = self.standing(found.value)?;
            return Ok(body);
        }
        if self.exec_ids.is_known(key) {
            return Err(RejectCode::DuplicateExecId);
        }
        self.gather(event, &mut body)?;
        check_legs(event, &body)?;
        let instrument = self
            .market
            .instrument(body.instrument)
            .ok_or(RejectCode::UnknownSymbol)?;
        let is_on_lot = |leg: AllocationLeg| is_multiple(leg.qty, instrument.lot);
        if !event.allocation_legs().all(is_on_lot) {
            return Err(RejectCode::InvalidLot);
        }
        let px = rounding::average_price(instrument, Qty::from_raw(body.qty), body.principal);
        body.px = px.ok_or(RejectCode::Overflow)?.raw();
        let block = Block::of(event, &body, instrument).ok_or(RejectCode::Overflow)?;
        self.check_block_room(&block)?;
        (0..=block.legs().len()).try_for_each(|at| self.leg_of(&block, at).map(|_| ()))?;
        Ok(body)
    }

    /// The allocation of a record where it stands. One whose first leg is not retained any more is not known.
    fn standing(&self, seq: Seq) -> Result<Seq, RejectCode> {
        let first = self.executions.of_record(seq).next();
        let first = first.ok_or(RejectCode::UnknownAllocation)?;
        let scope = exec_scope(VenueId::NONE, first.trade_date);
        let key = self.hasher.key(scope, leg_id(seq, 0).padded());
        match self.executions.find(key) {
            Some(row) if row.is_busted() => Err(RejectCode::AlreadyBusted),
            Some(row) if row.is_leg() => Ok(seq),
            _ => Err(RejectCode::UnknownAllocation),
        }
    }

    /// The allocation that an execution is part of, where it stands.
    pub(super) fn allocation_of(&self, row: &ExecutionRow) -> Option<Seq> {
        (row.allocation != 0)
            .then(|| self.standing(row.allocation).ok())
            .flatten()
    }

    /// Sums up the executions that are named: of one account, instrument, side, trade date and settlement date, and not allocated.
    fn gather(&self, event: &Event, body: &mut Allocation) -> Result<(), RejectCode> {
        let (mut rows, mut qty) = ([0; ALLOCATED_MAX], 0_i64);
        let mut count = 0;
        for named in event.allocated() {
            let (date, row) = self.booked(named.venue, named.trade_date, &named.exec_id)?;
            if row.is_leg() {
                return Err(RejectCode::AllocationLeg);
            }
            if self.allocation_of(row).is_some() {
                return Err(RejectCode::AlreadyAllocated);
            }
            let mut taken = row.trade;
            self.note_pending(&mut taken);
            if count == 0 {
                begin_block(body, &taken, date)?;
            }
            let is_same = rows.len() > count
                && !rows[..count].contains(&taken.trade_seq)
                && (taken.account, taken.instrument) == (body.account, body.instrument)
                && taken.side == body.side
                && (date, settles(&taken, date)) == (body.trade_date, body.settle_date);
            // A block is shared out at the prices and quantities that it was executed at: not in other units.
            let instrument = self.market.instrument(taken.instrument);
            let is_split =
                instrument.is_some_and(|row| self.present_qty(row, taken.trade_seq, taken.qty) != taken.qty);
            if !is_same || is_split {
                return Err(RejectCode::InvalidValue);
            }
            rows[count] = taken.trade_seq;
            count += 1;
            let sum = |sum: Money, more| sum.checked_add(more).filter(|sum| sum.is_postable());
            body.principal = sum(body.principal, taken.principal).ok_or(RejectCode::Overflow)?;
            body.fee = sum(body.fee, taken.fee).ok_or(RejectCode::Overflow)?;
            qty = qty.checked_add(taken.qty).ok_or(RejectCode::Overflow)?;
        }
        if count == 0 || count != usize::from(body.executions) {
            return Err(RejectCode::Malformed);
        }
        if body.qty != 0 && body.qty != qty {
            return Err(RejectCode::AllocationQty);
        }
        body.qty = qty;
        Ok(())
    }

    /// Room for all that the legs make: rows of pairs, holdings and wallets, and identifiers.
    fn check_block_room(&self, block: &Block) -> Result<(), RejectCode> {
        let (mut pairs, mut holdings, mut wallets) = (0_u32, 0_u32, 0_u32);
        for leg in block.legs() {
            let chain = self.hierarchy.chain(leg.leaf, block.body.instrument);
            pairs = pairs.saturating_add(chain.missing_pairs());
            holdings += u32::from(chain.holding.is_none());
            let wallet = self.wallets.find(leg.account, block.body.currency);
            wallets += u32::from(wallet.is_none());
        }
        let day = self.calendars.date(block.body.calendar);
        let identifiers = self.exec_ids.capacity() / 8 + block.legs().len() as u32 + 2;
        let is_full = self.hierarchy.is_full(pairs)
            || self.holdings_used.saturating_add(holdings) > self.holdings_max
            || !self.wallets.has_room(wallets)
            || self.exec_ids.is_full(day, 0, identifiers);
        if is_full {
            Err(RejectCode::Capacity)
        } else {
            Ok(())
        }
    }

    /// The execution of a leg with its facts.
    fn leg_of(&self, block: &Block, at: usize) -> Result<Execution, RejectCode> {
        let mut leg = block.execution(at).ok_or(RejectCode::Malformed)?;
        let instrument = self
            .market
            .instrument(leg.instrument)
            .ok_or(RejectCode::UnknownSymbol)?;
        if !instrument.settles_later() {
            (leg.settle_date, leg.flags) = (0, leg.flags & !execution_flags::HAS_SETTLE_DATE);
        }
        self.trade_facts(&mut leg, Hint::NONE)?;
        // The value of a leg is its share of the block's.
        leg.principal = block.principal(at);
        leg.alerts &= !execution_alerts::OVERDRAFT;
        self.check_overdraft(instrument, &mut leg);
        Ok(leg)
    }

    /// Makes an allocation true: its identifier counts, and its executions are allocated. The legs follow as effects.
    pub(super) fn apply_allocation(&mut self, event: &Event) {
        let body: &Allocation = event.body();
        if event.is_rejected() || body.taken_back != 0 {
            return;
        }
        let day = self.calendars.date(CalendarId::UTC);
        let key = self.allocation_key(body);
        self.exec_ids.remember(key, event.head.seq, day);
        for named in event.allocated() {
            let scope = exec_scope(named.venue, body.trade_date);
            let key = self.hasher.key(scope, named.exec_id.padded());
            if !self
                .executions
                .note_allocation(key, event.head.seq, body.trade_date)
            {
                self.faults += 1;
            }
        }
    }

    /// What an accepted allocation sets off: its legs, or those of the one that it takes back.
    pub(super) fn allocation_effects(&mut self, event: &Event) -> Cursor {
        let body: &Allocation = event.body();
        if event.is_rejected() {
            return Cursor::Idle;
        }
        if body.taken_back != 0 {
            return Cursor::Unallocated(body.taken_back, 0);
        }
        let instrument = self.market.instrument(body.instrument).copied();
        let block = instrument.and_then(|instrument| Block::of(event, body, &instrument));
        match block {
            Some(block) => {
                self.allocating = block;
                Cursor::Legs(0, Trips::default())
            }
            None => {
                self.faults += 1; // it was tried before it was accepted
                Cursor::Idle
            }
        }
    }

    /// What a bust or correction sets off: the allocation that its trade was part of stands no more.
    pub(super) fn unallocated_by(&self, event: &Event, kind: Kind) -> Option<Seq> {
        event.taken_back()?;
        let row = self.executions.find(self.taken_key(event, kind))?;
        if row.is_leg() {
            return None;
        }
        self.allocation_of(row)
    }

    /// Writes a leg; `None` behind the last one.
    pub(super) fn write_leg(&self, at: u16, out: &mut Event) -> Option<Kind> {
        let block = &self.allocating;
        let at = usize::from(at);
        let leg = block.execution(at)?;
        out.reset(Kind::TradeCapture);
        (out.head.seq, out.head.part) = (block.seq, 1);
        match self.leg_of(block, at) {
            Ok(leg) => *out.body_mut() = leg,
            Err(code) => {
                *out.body_mut() = leg;
                out.reject(code);
            }
        }
        Some(Kind::TradeCapture)
    }

    /// Writes the bust of a leg: `None` behind the last one, and for what was taken back already.
    pub(super) fn write_unallocated(&self, seq: Seq, at: u16, out: &mut Event) -> Option<Option<Kind>> {
        let at = usize::from(at);
        let row = self.executions.of_record(seq).nth(at)?;
        if row.is_busted() {
            return Some(None);
        }
        out.reset(Kind::TradeBust);
        (out.head.seq, out.head.part) = (self.input_seq, 1);
        *out.body_mut() = TradeBust {
            exec_id: leg_id(seq, at),
            exec_ref_id: leg_id(seq, at),
            trade_date: row.trade_date,
            venue: VenueId::NONE,
            ..TradeBust::zeroed()
        };
        self.take_back(out, Kind::TradeBust, false);
        Some(Some(Kind::TradeBust))
    }
}

/// What a block takes from the first of its executions.
fn begin_block(body: &mut Allocation, taken: &TakenBack, date: DayNumber) -> Result<(), RejectCode> {
    let is_buy = |side: u8| Side::from_code(side).map(Side::is_buy);
    if body.side != 0 && is_buy(body.side) != is_buy(taken.side) {
        return Err(RejectCode::InvalidSide);
    }
    (body.side, body.leaf) = (taken.side, taken.leaf);
    (body.currency, body.calendar) = (taken.currency, taken.calendar);
    (body.trade_date, body.settle_date) = (date, settles(taken, date));
    Ok(())
}

/// When the legs of a trade settle: with it, or at once where it has settled.
fn settles(taken: &TakenBack, trade_date: DayNumber) -> DayNumber {
    if taken.settle_calendar == 0 {
        trade_date
    } else {
        taken.settle_date
    }
}

/// Legs of different accounts other than the block's, that add up to it.
fn check_legs(event: &Event, body: &Allocation) -> Result<(), RejectCode> {
    let mut sum = 0_i64;
    let mut count = 0_usize;
    for leg in event.allocation_legs() {
        if leg.qty <= 0 {
            return Err(RejectCode::InvalidQty);
        }
        let others = || event.allocation_legs().take(count);
        if leg.account == body.account || others().any(|other| other.account == leg.account) {
            return Err(RejectCode::InvalidValue);
        }
        sum = sum.checked_add(leg.qty).ok_or(RejectCode::Overflow)?;
        count += 1;
    }
    if count != usize::from(body.legs) || count > LEGS_MAX {
        return Err(RejectCode::Malformed);
    }
    if sum == body.qty {
        Ok(())
    } else {
        Err(RejectCode::AllocationQty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_is_called_by_the_number_of_its_allocation() {
        assert_eq!(leg_id(1, 0).as_str(), "alloc-1-0");
        assert_eq!(
            leg_id(u64::MAX, LEGS_MAX).as_str(),
            "alloc-18446744073709551615-48"
        );
    }
}
