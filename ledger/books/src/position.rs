//! Position: what each holding's quantity cost, and what its trades earned (average cost).
//!
//! `cost` is the rounded money of the fills that make up the position: paid for a long one, received for a short one. It is the
//! same number that the books moved, so cost and ledger tie out to the minor unit (SETTLEMENT section 6).
//!
//! # Invariants
//! - A position's quantity is the signed sum of its executions; a flat position has cost zero.
//! - Net money of the trades + side * cost is the realised profit of linear contracts, exactly, and its opposite for inverse ones.
//! - [`decide`] reads and computes; `apply` only adds what the record says, so an old record rebuilds under any later rule.
//! - Fills are never refused, so no arithmetic can fail: quantities are 64-bit and their sum has 128 bits; the product of a
//!   cost share takes 256 bits where 128 do not suffice; sums of money hold `2^47` amounts of
//!   [`POSTED_MAX`](tradewind_domain::fixed::POSTED_MAX) and wrap, rather than stop the stage, if that bound were broken.
//!
//! Busts and corrections: the position becomes what it would be, had the trade been another one, by a replay of the fills since it
//! was flat (`replay.rs`). Where those are not all retained the cost is adjusted as an opposite trade at the same price would, and
//! the record says so. Either way profit follows from cost by the invariant above.
//!
//! Not here: lots and tax methods, splits, dividends, funding, variation margin, base currency.

pub use crate::lots::Rules;
use crate::replay::{Fills, Version};
use crate::settle::digest_rows;
use crate::wide::{mul_div_half_even, share};
use bytemuck::{Pod, Zeroable};
use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    Capacities, EngineStarted, Event, Execution, InstrumentSet, Kind, LastTrade, Mark, TakenBack, TradeBust,
    execution_alerts,
};
use tradewind_domain::fixed::{Money, NetQty, Price};
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, Seq};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding};
use tradewind_machine::stage::Stage;

/// A holding's position: average cost, one continuous record through all crossings of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct PositionRow {
    /// Signed quantity.
    pub qty: NetQty,
    /// Money of the fills that make it up: paid (long) or received (short).
    pub cost: Money,
    /// Realised profit, before fees.
    pub realised: Money,
    /// Fees paid, rebates subtracted.
    pub fees: Money,
    /// Quantity that opened or added to a position, over all time.
    pub opened_qty: NetQty,
    /// Quantity that closed a position, over all time.
    pub closed_qty: NetQty,
    /// Executions that were not taken back.
    pub fills: u64,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved: [u64; 2],
}

const _: () = assert!(size_of::<PositionRow>() == 128); // two cache lines

/// What position reads of an instrument at every execution, and the prices that value it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct Priced {
    /// Last trade or outside mark, at 1e-8, where `has_mark` is 1.
    mark: i64,
    /// Price of our last execution, at 1e-8, where `has_fill` is 1.
    fill: i64,
    money_dp: u8,
    inverse: u8,
    known: u8,
    has_mark: u8,
    has_fill: u8,
    reserved: [u8; 3],
}

/// What an execution does to a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Profit of the closed part, before fees.
    pub realised: Money,
    /// Change of the cost.
    pub cost_delta: Money,
    /// Quantity that closed, at 1e-8.
    pub closed_qty: i64,
}

/// What stands in a trade's place after a bust or correction, and what that does to the position.
#[derive(Clone, Copy)]
struct Restated {
    /// Quantity at 1e-8; 0 after a bust.
    qty: i64,
    principal: Money,
    fee: Money,
    is_bust: bool,
    facts: Facts,
}

impl Restated {
    /// As an accepted bust or correction records it.
    fn of(event: &Event) -> Self {
        if event.kind() == Some(Kind::TradeBust) {
            let body: &TradeBust = event.body();
            return Self {
                qty: 0,
                principal: Money::ZERO,
                fee: Money::ZERO,
                is_bust: true,
                facts: Facts {
                    realised: body.realised,
                    cost_delta: body.cost_delta,
                    closed_qty: body.closed_qty,
                },
            };
        }
        let body: &Execution = event.body();
        Self {
            qty: body.qty,
            principal: body.principal,
            fee: body.fee,
            is_bust: false,
            facts: Facts {
                realised: body.realised,
                cost_delta: body.cost_delta,
                closed_qty: body.closed_qty,
            },
        }
    }

    fn version(&self, taken: &TakenBack) -> Version {
        Version {
            qty: side_sign(taken.side) as i64 * self.qty,
            principal: self.principal,
        }
    }
}

#[inline]
fn side_sign(side: u8) -> i128 {
    Side::from_code(side).map_or(0, Side::sign)
}

/// Signed quantity of an execution; zero where the side is none, which the limit check never accepts.
#[inline]
fn signed_qty(execution: &Execution) -> i128 {
    side_sign(execution.side) * i128::from(execution.qty)
}

/// What the execution does to the position (SETTLEMENT section 6, average cost). Reads state, changes nothing.
#[inline]
pub fn decide(position: &PositionRow, rules: Rules, execution: &Execution) -> Facts {
    if execution.qty <= 0 {
        return Facts::default();
    }
    effect(position, rules, signed_qty(execution), execution.principal)
}

/// What a trade of this signed quantity and money does.
#[inline]
pub(crate) fn effect(position: &PositionRow, rules: Rules, signed: i128, value: Money) -> Facts {
    let held = position.qty.raw();
    if signed == 0 {
        return Facts::default();
    }
    if held == 0 || (held < 0) == (signed < 0) {
        return Facts {
            cost_delta: value,
            ..Facts::default()
        };
    }
    let (qty, open) = (signed.unsigned_abs(), held.unsigned_abs());
    let close = qty.min(open) as i128; // at most `qty`, which has 63 bits
    let closed_value = if close as u128 == qty {
        value
    } else {
        share(value, close, qty as i128, rules.money_dp)
    };
    let removed = if close as u128 == open {
        position.cost
    } else {
        share(position.cost, close, open as i128, rules.money_dp)
    };
    let gain = closed_value.raw().wrapping_sub(removed.raw());
    let gain = if (held < 0) != rules.inverse {
        gain.wrapping_neg()
    } else {
        gain
    };
    let opened_value = value.raw().wrapping_sub(closed_value.raw());
    Facts {
        realised: Money::from_raw(gain),
        cost_delta: Money::from_raw(opened_value.wrapping_sub(removed.raw())),
        closed_qty: close as i64,
    }
}

impl PositionRow {
    /// Makes the recorded facts true.
    #[inline]
    fn apply(&mut self, execution: &Execution) {
        let closed = i128::from(execution.closed_qty);
        self.qty = NetQty::from_raw(self.qty.raw().wrapping_add(signed_qty(execution)));
        self.cost = add(self.cost, execution.cost_delta);
        self.realised = add(self.realised, execution.realised);
        self.fees = add(self.fees, execution.fee);
        self.opened_qty = NetQty::from_raw(
            self.opened_qty
                .raw()
                .wrapping_add(i128::from(execution.qty) - closed),
        );
        self.closed_qty = NetQty::from_raw(self.closed_qty.raw().wrapping_add(closed));
        self.fills += 1;
        self.account = execution.account;
        self.instrument = execution.instrument;
    }

    /// Makes the recorded facts of a bust or correction true.
    fn restate(&mut self, taken: &TakenBack, new: &Restated) {
        let sign = side_sign(taken.side);
        let qty = i128::from(new.qty) - i128::from(taken.qty);
        let closed = i128::from(new.facts.closed_qty);
        self.qty = NetQty::from_raw(self.qty.raw().wrapping_add(sign * qty));
        self.cost = add(self.cost, new.facts.cost_delta);
        self.realised = add(self.realised, new.facts.realised);
        self.fees = add(self.fees, new.fee);
        self.fees = add(self.fees, taken.fee.neg());
        self.opened_qty = NetQty::from_raw(self.opened_qty.raw().wrapping_add(qty - closed));
        self.closed_qty = NetQty::from_raw(self.closed_qty.raw().wrapping_add(closed));
        self.fills = self.fills.wrapping_sub(u64::from(new.is_bust));
    }

    /// Profit at `mark` that is not realised yet. `None` where the value does not fit or has none (inverse price not above zero).
    pub fn unrealised(&self, instrument: &Instrument, mark: Price) -> Option<Money> {
        let value = rounding::value_of(instrument, self.qty.abs(), mark, Rounding::HalfUp)?;
        let gain = value.checked_sub(self.cost)?;
        Some(if self.qty.is_negative() != instrument.is_inverse() {
            gain.neg()
        } else {
            gain
        })
    }

    /// Average price at 1e-8, half even: for display, never fed back. `None` for a flat position, or where it has none.
    pub fn avg_px(&self, instrument: &Instrument) -> Option<i128> {
        let qty_mult = self.qty.abs().raw().checked_mul(i128::from(instrument.mult))?;
        if instrument.is_inverse() {
            return mul_div_half_even(qty_mult, 1, self.cost.raw());
        }
        mul_div_half_even(self.cost.raw(), 10i128.pow(16), qty_mult)
    }
}

/// The cost after an opposite trade of the same quantity and money, and a new one: for trades whose later fills are forgotten.
fn adjusted_cost(position: &PositionRow, rules: Rules, taken: &TakenBack, new: &Restated) -> Money {
    let sign = side_sign(taken.side);
    let mut position = *position;
    for (signed, value) in [
        (-sign * i128::from(taken.qty), taken.principal),
        (sign * i128::from(new.qty), new.principal),
    ] {
        let facts = effect(&position, rules, signed, value);
        position.cost = add(position.cost, facts.cost_delta);
        position.qty = NetQty::from_raw(position.qty.raw().wrapping_add(signed));
    }
    position.cost
}

#[inline]
fn add(sum: Money, amount: Money) -> Money {
    Money::from_raw(sum.raw().wrapping_add(amount.raw()))
}

/// Profit of an account's positions in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountTotals {
    /// Realised profit, before fees.
    pub realised: Money,
    /// Fees paid, rebates subtracted.
    pub fees: Money,
    /// Unrealised profit of the positions that have a mark.
    pub unrealised: Money,
    /// Open positions.
    pub open: u32,
    /// Open positions without a mark: not in `unrealised`.
    pub unmarked: u32,
}

impl AccountTotals {
    /// Realised and unrealised profit less fees.
    pub fn total(&self) -> Money {
        Money::from_raw(
            self.realised
                .raw()
                .wrapping_add(self.unrealised.raw())
                .wrapping_sub(self.fees.raw()),
        )
    }
}

/// The position stage.
pub struct Position {
    positions: Vec<PositionRow>,
    priced: Vec<Priced>,
    instruments: Vec<Instrument>,
    fills: Fills,
    /// Accepted executions without a row; zero where the limit check gave the id.
    unplaced: u64,
}

impl Position {
    /// No positions, with rows for these many ids.
    pub fn new(capacities: &Capacities) -> Self {
        let mut position = Self {
            positions: Vec::new(),
            priced: Vec::new(),
            instruments: Vec::new(),
            fills: Fills::new(),
            unplaced: 0,
        };
        position.grow(capacities);
        position
    }

    /// A run may begin with larger tables than before. Allocates, at start-up only; rows are never taken away.
    fn grow(&mut self, capacities: &Capacities) {
        let holdings = self.positions.len().max(capacities.holdings as usize);
        let instruments = self.priced.len().max(capacities.instruments as usize);
        self.positions.resize(holdings, PositionRow::zeroed());
        self.priced.resize(instruments, Priced::zeroed());
        self.instruments.resize(instruments, Instrument::zeroed());
        self.fills.grow(capacities.holdings, capacities.executions);
    }

    #[inline]
    fn rules(&self, instrument: InstrumentId) -> Option<Rules> {
        self.priced.get(instrument.index()).map(|priced| Rules {
            money_dp: priced.money_dp,
            inverse: priced.inverse != 0,
        })
    }

    #[inline]
    fn decide(&self, execution: &Execution) -> Facts {
        let position = self.positions.get(execution.holding.index());
        let (Some(position), Some(rules)) = (position, self.rules(execution.instrument)) else {
            return Facts::default();
        };
        decide(position, rules, execution)
    }

    /// What a bust or correction does to the position, and whether that was found without a replay.
    fn decide_restated(&mut self, taken: &TakenBack, new: &Restated) -> (Facts, bool) {
        let position = self.positions.get(taken.holding.index()).copied();
        let (Some(position), Some(rules)) = (position, self.rules(taken.instrument)) else {
            return (Facts::default(), true);
        };
        let sign = side_sign(taken.side);
        let held = position.qty.raw();
        let qty_after = held.wrapping_add(sign * (i128::from(new.qty) - i128::from(taken.qty)));
        let replayed = self
            .fills
            .replay(taken.holding, held, taken.trade_seq, new.version(taken), rules);
        let (cost, closed_qty) = match replayed {
            Some(replayed) => (replayed.cost, replayed.closed_qty as i64),
            None => (adjusted_cost(&position, rules, taken, new), 0),
        };
        // Profit is the money that moved and what it left behind as cost: the trade's money goes back, the new version's comes.
        let held_cost = |qty: i128, cost: Money| qty.signum().wrapping_mul(cost.raw());
        let moved = sign.wrapping_mul(taken.principal.raw().wrapping_sub(new.principal.raw()));
        let left = held_cost(qty_after, cost).wrapping_sub(held_cost(held, position.cost));
        let gain = moved.wrapping_add(left);
        let gain = if rules.inverse { gain.wrapping_neg() } else { gain };
        let facts = Facts {
            realised: Money::from_raw(gain),
            cost_delta: Money::from_raw(cost.raw().wrapping_sub(position.cost.raw())),
            closed_qty,
        };
        (facts, replayed.is_none())
    }

    fn process_restated(&mut self, event: &mut Event, taken: &TakenBack) {
        let (facts, is_adjusted) = self.decide_restated(taken, &Restated::of(event));
        let alert = if is_adjusted {
            execution_alerts::NOT_REPLAYED
        } else {
            0
        };
        if event.kind() == Some(Kind::TradeBust) {
            let body: &mut TradeBust = event.body_mut();
            (body.realised, body.cost_delta) = (facts.realised, facts.cost_delta);
            body.closed_qty = facts.closed_qty;
            body.alerts |= alert;
        } else {
            let body: &mut Execution = event.body_mut();
            (body.realised, body.cost_delta) = (facts.realised, facts.cost_delta);
            body.closed_qty = facts.closed_qty;
            body.alerts |= alert;
        }
    }

    fn on_restated(&mut self, event: &Event) {
        let Some(taken) = event.taken_back() else {
            self.unplaced += 1;
            return;
        };
        let new = Restated::of(event);
        match self.positions.get_mut(taken.holding.index()) {
            Some(position) => position.restate(&taken, &new),
            None => self.unplaced += 1,
        }
        self.fills.change(taken.trade_seq, new.version(&taken));
    }

    #[inline]
    fn on_execution(&mut self, execution: &Execution, seq: Seq) {
        let Some(position) = self.positions.get_mut(execution.holding.index()) else {
            self.unplaced += 1;
            return;
        };
        position.apply(execution);
        let version = Version {
            qty: signed_qty(execution) as i64,
            principal: execution.principal,
        };
        self.fills.push(execution.holding, seq, version);
        if let Some(priced) = self.priced.get_mut(execution.instrument.index()) {
            priced.fill = execution.px;
            priced.has_fill = 1;
        }
    }

    fn on_instrument(&mut self, body: &InstrumentSet) {
        let index = body.row.id.index();
        if let (Some(priced), Some(row)) = (self.priced.get_mut(index), self.instruments.get_mut(index)) {
            priced.money_dp = body.row.money_dp;
            priced.inverse = u8::from(body.row.is_inverse());
            priced.known = 1;
            *row = body.row;
        }
    }

    #[inline]
    fn on_mark(&mut self, instrument: InstrumentId, px: i64) {
        if let Some(priced) = self.priced.get_mut(instrument.index()) {
            priced.mark = px;
            priced.has_mark = 1;
        }
    }
}

impl Position {
    /// A holding's position; `None` where it never traded.
    pub fn position(&self, holding: HoldingId) -> Option<&PositionRow> {
        self.positions.get(holding.index()).filter(|row| row.fills != 0)
    }

    /// Every position that ever traded, flat ones included, by id.
    pub fn positions(&self) -> impl Iterator<Item = (HoldingId, &PositionRow)> + '_ {
        (0u32..)
            .map(HoldingId)
            .zip(&self.positions)
            .filter(|(_, row)| row.fills != 0)
    }

    /// An instrument's row.
    pub fn instrument(&self, instrument: InstrumentId) -> Option<&Instrument> {
        let known = self.priced.get(instrument.index())?.known != 0;
        self.instruments.get(instrument.index()).filter(|_| known)
    }

    /// The price that values positions: last trade or outside mark, else the configured mark, else the last execution
    /// (LIMITS section 14, Marks). A quote is none, and a settlement price belongs to statements.
    pub fn mark(&self, instrument: InstrumentId) -> Option<Price> {
        let priced = self.priced.get(instrument.index())?;
        let configured = self.instruments.get(instrument.index())?.configured_mark;
        if priced.has_mark != 0 {
            return Some(Price::from_raw(priced.mark));
        }
        if configured != 0 {
            return Some(Price::from_raw(configured));
        }
        (priced.has_fill != 0).then_some(Price::from_raw(priced.fill))
    }

    /// Profit of a holding that is not realised yet, at the mark; `None` where there is no mark, position or value.
    pub fn unrealised(&self, holding: HoldingId) -> Option<Money> {
        let row = self.position(holding)?;
        row.unrealised(self.instrument(row.instrument)?, self.mark(row.instrument)?)
    }

    /// An account's profit in one currency. Walks every holding: for readers, not for a stage.
    pub fn account_totals(&self, account: AccountId, currency: CurrencyId) -> AccountTotals {
        let mut totals = AccountTotals::default();
        for (holding, row) in self.positions().filter(|(_, row)| row.account == account) {
            if self
                .instrument(row.instrument)
                .is_none_or(|instrument| instrument.currency != currency)
            {
                continue;
            }
            totals.realised = add(totals.realised, row.realised);
            totals.fees = add(totals.fees, row.fees);
            if row.qty.is_zero() {
                continue;
            }
            totals.open += 1;
            match self.unrealised(holding) {
                Some(unrealised) => totals.unrealised = add(totals.unrealised, unrealised),
                None => totals.unmarked += 1,
            }
        }
        totals
    }

    /// Accepted executions that named no row; zero in a sound journal.
    pub fn unplaced(&self) -> u64 {
        self.unplaced
    }
}

impl Stage<Event> for Position {
    fn name(&self) -> &'static str {
        "position"
    }

    fn process(&mut self, event: &mut Event) {
        if matches!(event.kind(), Some(Kind::VenueFill | Kind::TradeCapture)) && !event.is_rejected() {
            let facts = self.decide(event.body());
            let execution: &mut Execution = event.body_mut();
            execution.realised = facts.realised;
            execution.cost_delta = facts.cost_delta;
            execution.closed_qty = facts.closed_qty;
        } else if let Some(taken) = event.taken_back() {
            self.process_restated(event, &taken);
        }
        self.apply(event);
    }

    #[inline]
    fn apply(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        match event.kind() {
            Some(Kind::VenueFill | Kind::TradeCapture) => self.on_execution(event.body(), event.head.seq),
            Some(Kind::TradeBust | Kind::TradeCorrect) => self.on_restated(event),
            Some(Kind::LastTrade) => {
                let trade: &LastTrade = event.body();
                self.on_mark(trade.instrument, trade.px);
            }
            Some(Kind::Mark) => {
                let mark: &Mark = event.body();
                if mark.settlement == 0 {
                    self.on_mark(mark.instrument, mark.px);
                }
            }
            Some(Kind::InstrumentSet) => self.on_instrument(event.body()),
            Some(Kind::EngineStarted) => self.grow(&event.body::<EngineStarted>().capacities),
            _ => {}
        }
    }

    fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        digest_rows(&self.positions, sink);
        digest_rows(&self.priced, sink);
        digest_rows(&self.instruments, sink);
        self.fills.digest(sink);
        sink(&self.unplaced.to_le_bytes());
    }

    fn faults(&self) -> u64 {
        self.unplaced()
    }
}

#[cfg(test)]
#[path = "position_tests.rs"]
mod tests;
