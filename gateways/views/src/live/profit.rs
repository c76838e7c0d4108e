//! Profit summed by node, instrument and sector, kept up to date holding by holding.
//!
//! Each holding's part is remembered; when it changes, the difference goes to the account's node and every node above, to the
//! instrument and to its sector. A strategy's part in an instrument is that of its own fills (see `strategies`).
//!
//! # Invariants
//! - A group's sum is that of its holdings' parts as they were set last.
//! - Sums wrap rather than stop (amounts are bounded so that it takes 2^47 of them).

use super::strategies::{Strategies, StrategyKey};
use std::collections::HashMap;
use tradewind_books::position::{Position, PositionRow};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{CurrencyId, HoldingId, InstrumentId, NodeId};
use tradewind_domain::text::Symbol;
use tradewind_feeds::Registry;

/// What a sum is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// A node and all below it.
    Node(NodeId),
    /// An instrument, over the whole firm.
    Instrument(InstrumentId),
    /// A sector, over the whole firm.
    Sector(Symbol),
}

/// A sum's key: amounts of different currencies are not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKey {
    /// Over what.
    pub group: Group,
    /// In which currency.
    pub currency: CurrencyId,
}

/// A holding's part of a sum, or a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) realised: Money,
    pub(crate) unrealised: Money,
    pub(crate) fees: Money,
    /// Dividends and fundings, less tax.
    pub(crate) income: Money,
    pub(crate) open: i64,
    pub(crate) unmarked: i64,
}

fn difference(a: Money, b: Money) -> Money {
    Money::from_raw(a.raw().wrapping_sub(b.raw()))
}

fn sum(a: Money, b: Money) -> Money {
    Money::from_raw(a.raw().wrapping_add(b.raw()))
}

impl Part {
    fn minus(self, other: Part) -> Part {
        Part {
            realised: difference(self.realised, other.realised),
            unrealised: difference(self.unrealised, other.unrealised),
            fees: difference(self.fees, other.fees),
            income: difference(self.income, other.income),
            open: self.open - other.open,
            unmarked: self.unmarked - other.unmarked,
        }
    }

    fn add(&mut self, other: Part) {
        self.realised = sum(self.realised, other.realised);
        self.unrealised = sum(self.unrealised, other.unrealised);
        self.fees = sum(self.fees, other.fees);
        self.income = sum(self.income, other.income);
        self.open += other.open;
        self.unmarked += other.unmarked;
    }

    /// Realised, unrealised and income less fees.
    pub(crate) fn total(&self) -> Money {
        let gain = sum(self.realised, self.unrealised);
        difference(sum(gain, self.income), self.fees)
    }

    /// Of a position that is worth `unrealised`, where something says what.
    fn of(row: &PositionRow, income: Money, unrealised: impl FnOnce() -> Option<Money>) -> Part {
        let mut part = Part {
            realised: row.realised,
            fees: row.fees,
            income,
            ..Part::default()
        };
        if !row.qty.is_zero() {
            part.open = 1;
            match unrealised() {
                Some(unrealised) => part.unrealised = unrealised,
                None => part.unmarked = 1,
            }
        }
        part
    }
}

/// All sums.
#[derive(Default)]
pub(crate) struct Profits {
    /// By holding.
    parts: Vec<Part>,
    groups: HashMap<GroupKey, Part>,
    /// By strategy and instrument.
    strategy_parts: HashMap<StrategyKey, Part>,
    strategies: HashMap<GroupKey, Part>,
}

impl Profits {
    /// A sum; `None` where nothing ever went into it.
    pub(crate) fn get(&self, key: GroupKey) -> Option<&Part> {
        self.groups.get(&key).or_else(|| self.strategies.get(&key))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = GroupKey> + '_ {
        self.groups.keys().chain(self.strategies.keys()).copied()
    }

    /// Forgets the sums over holdings: nodes or sectors have changed. Every holding has to be set anew.
    pub(crate) fn clear(&mut self, mut told: impl FnMut(GroupKey)) {
        self.groups.drain().for_each(|(key, _)| told(key));
        self.parts.clear();
    }

    /// Sets a strategy's part in an instrument to what it is now.
    pub(crate) fn set_strategy(
        &mut self,
        key: StrategyKey,
        strategies: &Strategies,
        positions: &Position,
        mut told: impl FnMut(GroupKey),
    ) {
        let (Some(row), Some(instrument)) = (strategies.get(key), positions.instrument(key.1)) else {
            return;
        };
        let mark = positions.mark(key.1);
        let new = Part::of(&row.position, row.income, || {
            row.position.unrealised(instrument, mark?)
        });
        let change = new.minus(self.strategy_parts.insert(key, new).unwrap_or_default());
        let group = GroupKey {
            group: Group::Node(key.0),
            currency: instrument.currency,
        };
        self.strategies.entry(group).or_default().add(change);
        told(group);
    }

    /// Sets a holding's part to what it is now.
    pub(crate) fn set(
        &mut self,
        holding: HoldingId,
        positions: &Position,
        registry: &Registry,
        mut told: impl FnMut(GroupKey),
    ) {
        let Some(row) = positions.position(holding) else {
            return;
        };
        let Some(instrument) = registry.instrument(row.instrument) else {
            return;
        };
        let income = positions
            .income(holding)
            .map_or(Money::ZERO, |income| income.net());
        let new = Part::of(row, income, || positions.unrealised(holding));
        let at = holding.index();
        if at >= self.parts.len() {
            self.parts.resize(at + 1, Part::default());
        }
        let change = new.minus(self.parts[at]);
        self.parts[at] = new;
        let currency = instrument.currency;
        let mut add = |group: Group| {
            let key = GroupKey { group, currency };
            let is_new = !self.groups.contains_key(&key);
            if is_new || change != Part::default() {
                self.groups.entry(key).or_default().add(change);
                told(key);
            }
        };
        let account = registry.account(row.account).map(|account| account.node);
        for node in account.into_iter().flat_map(|node| above(registry, node)) {
            add(Group::Node(node));
        }
        add(Group::Instrument(row.instrument));
        add(Group::Sector(sector_of(instrument.sector)));
    }
}

/// The sector's name in rows.
pub(crate) fn sector_of(sector: Symbol) -> Symbol {
    if sector.is_empty() {
        Symbol::lossy("UNCLASSIFIED")
    } else {
        sector
    }
}

/// A node and those above it, narrow to broad.
pub(crate) fn above(registry: &Registry, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    let first = (!node.is_none()).then_some(node);
    std::iter::successors(first, move |node| {
        let parent = registry.node(*node)?.parent;
        (!parent.is_none()).then_some(parent)
    })
    .take(CHAIN_MAX)
}

/// Nodes of the longest chain.
pub(crate) const CHAIN_MAX: usize = 6;
