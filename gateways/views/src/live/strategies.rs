//! What strategies have traded: each one's own fills in each instrument, at its own average cost.
//!
//! The books are kept for accounts; a strategy below one has no securities account. Its profit is what its own fills paid and got and what
//! they are worth, so that the strategies of an account add up to the account's profit where all of its trades name one. They are counted as
//! accounts are, by a position stage of their own: trades, busts and corrections, and what corporate actions bring by their own quantity.
//!
//! # Invariants
//! - Realised, unrealised and income less fees are money received less money paid and the position at its mark.
//! - A trade that was taken back has never been, as far back as [`MOVEMENTS_MAX`] movements of all strategies go.
//! - A strategy's quantity is the limit check's. What a bust changes of corporate actions is its account's difference: cents, and tax, may
//!   differ from what the strategy's quantity alone would have brought.
//!
//! Until rules version 5 dividends stood in the record of the account alone: of those runs each strategy's is worked out here. Fundings and
//! fractions of splits brought strategies nothing then.

use bytemuck::Zeroable;
use std::collections::HashMap;
use tradewind_books::position::{Position, PositionRow};
use tradewind_domain::codes::Level;
use tradewind_domain::corporate::Dividend;
use tradewind_domain::event::{
    Body, Capacities, CorporateAction, EngineStarted, Event, Execution, HolderAction, Kind,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{HoldingId, InstrumentId, NodeId};
use tradewind_feeds::Registry;
use tradewind_machine::stage::Stage;

/// A strategy in an instrument.
pub(crate) type StrategyKey = (NodeId, InstrumentId);

/// A strategy's position in an instrument.
#[derive(Clone, Copy)]
pub(crate) struct StrategyRow {
    pub(crate) position: PositionRow,
    /// Dividends and fundings, less tax.
    pub(crate) income: Money,
}

/// Movements of strategies that are retained for busts, where the engine retains as many.
const MOVEMENTS_MAX: u32 = 65_536;

/// Rows at first; they double.
const ROWS_FIRST: u32 = 64;

/// The first version of the rules that records what dividends and fundings bring a strategy.
const SHARES: u32 = 6;

/// All of them.
pub(crate) struct Strategies {
    books: Position,
    capacities: Capacities,
    ids: HashMap<StrategyKey, HoldingId>,
    /// Strategies that ever traded an instrument.
    of_instrument: HashMap<InstrumentId, Vec<NodeId>>,
    /// True in runs whose rules recorded no shares of strategies.
    is_without_shares: bool,
}

impl Strategies {
    pub(crate) fn new(capacities: &Capacities) -> Self {
        let capacities = Capacities {
            nodes: 1, // all tax lots are kept alike: nobody reads them
            holdings: ROWS_FIRST,
            executions: capacities.executions.min(MOVEMENTS_MAX),
            lots: 1,
            ..*capacities
        };
        Self {
            books: Position::new(&capacities),
            capacities,
            ids: HashMap::new(),
            of_instrument: HashMap::new(),
            is_without_shares: false,
        }
    }

    pub(crate) fn get(&self, key: StrategyKey) -> Option<StrategyRow> {
        let id = *self.ids.get(&key)?;
        let position = self.books.position(id).copied();
        Some(StrategyRow {
            position: position.unwrap_or(PositionRow::zeroed()), // all of its trades were taken back
            income: self.books.income(id).map_or(Money::ZERO, |income| income.net()),
        })
    }

    /// Strategies that ever traded an instrument.
    pub(crate) fn holders(&self, instrument: InstrumentId) -> impl Iterator<Item = StrategyKey> + '_ {
        let nodes = self.of_instrument.get(&instrument).into_iter().flatten();
        nodes.map(move |node| (*node, instrument))
    }

    /// Takes an accepted record. The strategy whose row it changed, if it changed one.
    pub(crate) fn observe(&mut self, event: &Event, registry: &Registry) -> Option<StrategyKey> {
        let kind = event.kind().filter(|_| !event.is_rejected())?;
        match kind {
            Kind::VenueFill | Kind::TradeCapture => {
                let body: &Execution = event.body();
                let key = (body.leaf, body.instrument);
                self.book::<Execution>(event, key, registry, |body, id| body.holding = id)
            }
            Kind::TradeBust | Kind::TradeCorrect => self.take_back(event, registry),
            Kind::HolderDividend if self.is_without_shares => {
                self.share_dividend(event, registry);
                None
            }
            Kind::HolderSplit | Kind::HolderDividend => {
                let body: &CorporateAction = event.body();
                if body.node.is_none() {
                    self.books.apply(event);
                    return None;
                }
                let key = (body.node, body.instrument);
                self.book::<CorporateAction>(event, key, registry, |body, id| body.holding = id)
            }
            Kind::HolderFunding | Kind::HolderMargin | Kind::HolderSettled => {
                let body: &HolderAction = event.body();
                let key = (body.node, body.instrument);
                self.book::<HolderAction>(event, key, registry, |body, id| body.holding = id)
            }
            Kind::InstrumentSet => {
                self.books.apply(event);
                None
            }
            Kind::EngineStarted => {
                let started: &EngineStarted = event.body();
                self.is_without_shares = started.rules_version < SHARES;
                self.capacities.instruments = self.capacities.instruments.max(started.capacities.instruments);
                self.grow();
                None
            }
            _ => None,
        }
    }

    /// Lets the books take a record as that of a strategy, which `name` writes into it.
    fn book<T: Body>(
        &mut self,
        event: &Event,
        key: StrategyKey,
        registry: &Registry,
        name: impl FnOnce(&mut T, HoldingId),
    ) -> Option<StrategyKey> {
        let id = self.row(key, registry)?;
        let mut own = *event;
        name(own.body_mut(), id);
        self.books.process(&mut own);
        Some(key)
    }

    /// The row of a node that is a strategy.
    fn row(&mut self, key: StrategyKey, registry: &Registry) -> Option<HoldingId> {
        registry
            .node(key.0)
            .filter(|row| row.level == Level::Strategy as u8)?;
        if let Some(&id) = self.ids.get(&key) {
            return Some(id);
        }
        let id = HoldingId(self.ids.len() as u32);
        if id.0 == self.capacities.holdings {
            self.capacities.holdings = self.capacities.holdings.saturating_mul(2);
            self.grow();
        }
        self.ids.insert(key, id);
        self.of_instrument.entry(key.1).or_default().push(key.0);
        Some(id)
    }

    fn grow(&mut self) {
        let mut started = Event::empty();
        started.reset(Kind::EngineStarted);
        *started.body_mut() = EngineStarted {
            capacities: self.capacities,
            ..EngineStarted::zeroed()
        };
        self.books.apply(&started);
    }

    fn take_back(&mut self, event: &Event, registry: &Registry) -> Option<StrategyKey> {
        let (mut taken, adjustment) = (event.taken_back()?, event.adjustment());
        let key = (taken.leaf, taken.instrument);
        taken.holding = self.row(key, registry)?;
        let mut own = *event;
        own.set_tail(&[]);
        own.put_taken_back(&taken, &adjustment);
        if event.kind() == Some(Kind::TradeCorrect) {
            own.body_mut::<Execution>().holding = taken.holding;
        }
        self.books.process(&mut own);
        Some(key)
    }

    /// An account is paid by the books; each of its strategies has earned what its own quantity brings.
    fn share_dividend(&mut self, event: &Event, registry: &Registry) {
        let body: &CorporateAction = event.body();
        let Some(money_dp) = self.books.instrument(body.instrument).map(|row| row.money_dp) else {
            return;
        };
        let Self {
            books,
            ids,
            of_instrument,
            ..
        } = self;
        for node in of_instrument.get(&body.instrument).into_iter().flatten() {
            let is_paid = registry
                .node(*node)
                .is_some_and(|row| row.account == body.account);
            let Some(&id) = ids.get(&(*node, body.instrument)).filter(|_| is_paid) else {
                continue;
            };
            let qty = books.position(id).map(|row| row.qty).unwrap_or_default();
            let earned = Dividend::of(qty, body.cash_per_unit, body.withhold_bps, money_dp);
            let Dividend { gross, withheld } = earned.unwrap_or_default();
            let mut own = *event;
            *own.body_mut() = CorporateAction {
                gross,
                withheld,
                holding: id,
                node: *node,
                ..*body
            };
            books.apply(&own);
        }
    }
}
