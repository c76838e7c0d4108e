//! Position: what each holding's quantity cost, and what it earned (average cost), by trades and by corporate actions.
//!
//! `cost` is the rounded money of the fills that make up the position: paid for a long one, received for a short one. It is the
//! same number that the books moved, so cost and ledger tie out to the minor unit (SETTLEMENT section 6).
//!
//! # Invariants
//! - A position's quantity is the signed sum of its executions, as splits and settlements changed it; a flat position has cost zero.
//! - Net money of the trades + side * cost is the realised profit of linear contracts, exactly, and its opposite for inverse ones.
//! - [`decide`] reads and computes; `apply` only adds what the record says, so an old record rebuilds under any later rule.
//! - Fills are never refused, so no arithmetic can fail: quantities are 64-bit and their sum has 128 bits; the product of a
//!   cost share takes 256 bits where 128 do not suffice; sums of money hold `2^47` amounts of
//!   [`POSTED_MAX`](tradewind_domain::fixed::POSTED_MAX) and wrap, rather than stop the stage, if that bound were broken.
//!
//! Beside it the tax lots of the account's method are kept from the same movements (`tax.rs`), income apart from profit, and both in base
//! currency at the rate of the closing trade.
//!
//! Busts and corrections: the position becomes what it would be, had the trade been another one, by a replay of what moved it since it
//! was flat (`replay.rs`). Where that is not all retained the cost is adjusted as an opposite trade at the same price would, and
//! the record says so. Either way profit follows from cost by the invariant above.
//!
//! Not here: who is affected by a corporate action and what is paid for it (the limit check), profit by strategy, sector and organisation
//! (projections of readers).

mod actions;
mod restate;
mod select;

pub use crate::average::{Facts, IncomeRow, PositionRow, decide, in_base};
pub use crate::lots::Rules;

use crate::average::add;
use crate::lots::{Lot, LotHead, Terms};
use crate::replay::{Movement, Movements};
use crate::settle::digest_rows;
use crate::tax::TaxLots;
use bytemuck::{Pod, Zeroable};
use tradewind_domain::codes::LotMethod;
use tradewind_domain::event::{
    Capacities, EngineStarted, Event, Execution, FxRate, InstrumentSet, Kind, LastTrade, Mark,
};
use tradewind_domain::fixed::{Money, ONE, Price};
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, Seq};
use tradewind_domain::reference::{CURRENCIES_MAX, Instrument};
use tradewind_machine::stage::Stage;

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
    incomes: Vec<IncomeRow>,
    priced: Vec<Priced>,
    instruments: Vec<Instrument>,
    /// Base currency units per unit, at 1e-8; 0 = not known. The first currency is the base.
    rates: Vec<i64>,
    movements: Movements,
    tax: TaxLots,
    /// Accepted executions without a row; zero where the limit check gave the id.
    unplaced: u64,
}

impl Position {
    /// No positions, with rows for these many ids.
    pub fn new(capacities: &Capacities) -> Self {
        let mut rates = vec![0; CURRENCIES_MAX];
        rates[0] = ONE;
        let mut position = Self {
            positions: Vec::new(),
            incomes: Vec::new(),
            priced: Vec::new(),
            instruments: Vec::new(),
            rates,
            movements: Movements::new(),
            tax: TaxLots::new(),
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
        self.incomes.resize(holdings, IncomeRow::zeroed());
        self.priced.resize(instruments, Priced::zeroed());
        self.instruments.resize(instruments, Instrument::zeroed());
        self.movements.grow(capacities.holdings, capacities.executions);
        self.tax
            .grow(capacities.nodes, capacities.holdings, capacities.tax_lots());
    }

    #[inline]
    fn rules(&self, instrument: InstrumentId) -> Option<Rules> {
        let priced = self.priced.get(instrument.index())?;
        (priced.known != 0).then_some(Rules {
            money_dp: priced.money_dp,
            inverse: priced.inverse != 0,
        })
    }

    /// Base units per unit of an instrument's currency; 0 where none is known.
    #[inline]
    fn rate_of(&self, instrument: InstrumentId) -> i64 {
        let currency = self.instruments.get(instrument.index()).map(|row| row.currency);
        let rate = currency.and_then(|currency| self.rates.get(currency.index()));
        rate.copied().unwrap_or(0)
    }

    #[inline]
    fn decide(&self, execution: &Execution) -> Facts {
        match (
            self.positions.get(execution.holding.index()),
            self.rules(execution.instrument),
        ) {
            (Some(position), Some(rules)) => decide(position, rules, execution),
            _ => Facts::default(),
        }
    }

    #[inline]
    fn on_execution(&mut self, execution: &Execution, seq: Seq) {
        let rate = self.rate_of(execution.instrument);
        let Some(position) = self.positions.get_mut(execution.holding.index()) else {
            self.unplaced += 1;
            return;
        };
        position.apply(execution);
        if !execution.realised.is_zero() {
            position.realised_base = add(position.realised_base, in_base(execution.realised, rate));
        }
        let movement = Movement::of_execution(execution, seq, rate);
        self.retain(
            execution.holding,
            execution.account,
            execution.instrument,
            movement,
        );
        if let Some(priced) = self.priced.get_mut(execution.instrument.index()) {
            priced.fill = execution.px;
            priced.has_fill = 1;
        }
    }

    /// Keeps a movement for replays, and takes it into the tax lots.
    #[inline]
    fn retain(
        &mut self,
        holding: HoldingId,
        account: AccountId,
        instrument: InstrumentId,
        movement: Movement,
    ) {
        self.movements.push(holding, movement);
        if let (Some(row), Some(rules)) = (self.instruments.get(instrument.index()), self.rules(instrument)) {
            let terms = self.tax.terms(account, rules);
            self.tax.take(holding, terms, (&movement, &[]), row);
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

    /// What a holding earned beside trades; `None` without a row.
    pub fn income(&self, holding: HoldingId) -> Option<&IncomeRow> {
        self.incomes.get(holding.index())
    }

    /// How an account's tax lots are kept: the method, and whether fees are part of the cost.
    pub fn lot_method(&self, account: AccountId) -> (LotMethod, bool) {
        self.tax.method(account)
    }

    /// A holding's tax lots in sum, under its account's method; `None` without a row.
    pub fn tax_lots(&self, holding: HoldingId) -> Option<&LotHead> {
        self.tax.lots().head(holding)
    }

    /// Share of the pool of tax lots that is used, in percent.
    pub fn lots_used_pct(&self) -> u32 {
        self.tax.lots().used_pct()
    }

    /// A holding's tax lots, in the order in which they were acquired.
    pub fn lots(&self, holding: HoldingId) -> impl Iterator<Item = Lot> + '_ {
        self.tax.lots().lots(holding)
    }

    /// How the tax lots of an account are kept in an instrument; `None` where it is not known.
    pub fn lot_terms(&self, account: AccountId, instrument: InstrumentId) -> Option<Terms> {
        Some(self.tax.terms(account, self.rules(instrument)?))
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
        } else if let Some(kind) = event.kind().filter(|kind| kind.is_of_holder())
            && !event.is_rejected()
        {
            self.process_action(event, kind);
        } else if event.kind() == Some(Kind::LotSelect) && !event.is_rejected() {
            self.process_select(event);
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
            Some(kind) if kind.is_of_holder() => self.on_action(event, kind),
            Some(Kind::FxRate) => {
                let body: &FxRate = event.body();
                if let Some(rate) = self.rates.get_mut(body.currency.index()) {
                    *rate = body.rate;
                }
            }
            Some(Kind::LotMethodSet) => self.tax.set_method(event.body()),
            Some(Kind::LotSelect) => self.on_select(event),
            Some(Kind::InstrumentSet) => self.on_instrument(event.body()),
            Some(Kind::EngineStarted) => self.grow(&event.body::<EngineStarted>().capacities),
            _ => {}
        }
    }

    fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        digest_rows(&self.positions, sink);
        digest_rows(&self.priced, sink);
        digest_rows(&self.instruments, sink);
        digest_rows(&self.incomes, sink);
        digest_rows(&self.rates, sink);
        self.movements.digest(sink);
        self.tax.digest(sink);
        sink(&self.unplaced.to_le_bytes());
    }

    fn faults(&self) -> u64 {
        self.unplaced()
    }
}

#[cfg(test)]
#[path = "position_tests.rs"]
mod tests;
