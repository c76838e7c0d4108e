//! What strategies have traded: each one's own fills in each instrument, at its own average cost.
//!
//! Books are kept for accounts; a strategy below one has no securities account. Its profit is what its own fills paid and got and what
//! they are worth, so that the strategies of an account add up to the account's profit where all of its trades name one.
//!
//! # Invariants
//! - Realised, unrealised and income less fees are money received less money paid and the position at its mark.
//! - A bust or correction is the trade's money and quantity the other way round: the sum is right, and what of it is realised is as if
//!   the position had been closed there.

use bytemuck::Zeroable;
use std::collections::HashMap;
use tradewind_books::position::{Position, PositionRow, Rules, decide};
use tradewind_domain::codes::{Level, Side};
use tradewind_domain::corporate::Dividend;
use tradewind_domain::event::{CorporateAction, Event, Execution, HolderAction, Kind};
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{InstrumentId, NodeId};
use tradewind_domain::reference::Instrument;
use tradewind_feeds::Registry;

/// A strategy in an instrument.
pub(crate) type StrategyKey = (NodeId, InstrumentId);

/// A strategy's position in an instrument.
#[derive(Clone, Copy)]
pub(crate) struct StrategyRow {
    pub(crate) position: PositionRow,
    /// Dividends and fundings, less tax.
    pub(crate) income: Money,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Strategies {
    rows: HashMap<StrategyKey, StrategyRow>,
    /// Strategies that ever traded an instrument.
    of_instrument: HashMap<InstrumentId, Vec<NodeId>>,
}

/// Money and signed quantity that change hands.
struct Flow {
    qty: i128,
    value: Money,
}

fn plus(a: Money, b: Money) -> Money {
    Money::from_raw(a.raw().wrapping_add(b.raw()))
}

impl Strategies {
    pub(crate) fn get(&self, key: StrategyKey) -> Option<&StrategyRow> {
        self.rows.get(&key)
    }

    /// Strategies that ever traded an instrument.
    pub(crate) fn holders(&self, instrument: InstrumentId) -> impl Iterator<Item = StrategyKey> + '_ {
        let nodes = self.of_instrument.get(&instrument).into_iter().flatten();
        nodes.map(move |node| (*node, instrument))
    }

    /// Takes an accepted record. The strategy whose row it changed, if it did.
    pub(crate) fn observe(
        &mut self,
        event: &Event,
        registry: &Registry,
        positions: &Position,
    ) -> Option<StrategyKey> {
        let kind = event.kind().filter(|_| !event.is_rejected())?;
        match kind {
            Kind::VenueFill | Kind::TradeCapture => {
                let body: &Execution = event.body();
                let row = self.row((body.leaf, body.instrument), registry)?;
                let rules = rules(positions.instrument(body.instrument)?);
                trade(row, rules, &flow(body.side, body.qty, body.principal), body.fee);
                Some((body.leaf, body.instrument))
            }
            Kind::TradeBust | Kind::TradeCorrect => self.take_back(event, registry, positions),
            Kind::HolderSplit => self.on_split(event.body(), registry),
            Kind::HolderDividend => {
                self.on_dividend(event.body(), registry, positions);
                None
            }
            Kind::HolderFunding | Kind::HolderMargin | Kind::HolderSettled => {
                self.on_holder(event.body(), kind, registry, positions)
            }
            _ => None,
        }
    }

    /// The row of a node that is a strategy.
    fn row(&mut self, key: StrategyKey, registry: &Registry) -> Option<&mut StrategyRow> {
        registry
            .node(key.0)
            .filter(|row| row.level == Level::Strategy as u8)?;
        let of_instrument = &mut self.of_instrument;
        let row = self.rows.entry(key).or_insert_with(|| {
            of_instrument.entry(key.1).or_default().push(key.0);
            StrategyRow {
                position: PositionRow::zeroed(),
                income: Money::ZERO,
            }
        });
        Some(row)
    }

    fn take_back(&mut self, event: &Event, registry: &Registry, positions: &Position) -> Option<StrategyKey> {
        let (taken, change) = (event.taken_back()?, event.adjustment());
        let key = (taken.leaf, taken.instrument);
        let row = self.row(key, registry)?;
        let rules = rules(positions.instrument(taken.instrument)?);
        let old = flow(taken.side, taken.qty, taken.principal);
        let back = Flow {
            qty: i128::from(change.qty) - old.qty,
            value: old.value,
        };
        trade(row, rules, &back, taken.fee.neg());
        row.position.realised = plus(row.position.realised, change.cash);
        row.income = plus(row.income, plus(change.income, change.withheld.neg()));
        if event.kind() == Some(Kind::TradeCorrect) {
            let new: &Execution = event.body();
            trade(row, rules, &flow(taken.side, new.qty, new.principal), new.fee);
        }
        Some(key)
    }

    fn on_split(&mut self, body: &CorporateAction, registry: &Registry) -> Option<StrategyKey> {
        let key = (body.node, body.instrument);
        let row = self.row(key, registry)?;
        row.position.realised = plus(row.position.realised, body.gross);
        row.position.qty = add(row.position.qty, body.qty_delta.into());
        Some(key)
    }

    /// An account is paid by the books; each of its strategies has earned what its own quantity brings.
    fn on_dividend(&mut self, body: &CorporateAction, registry: &Registry, positions: &Position) {
        let nodes = self.of_instrument.get(&body.instrument).into_iter().flatten();
        let Some(instrument) = positions.instrument(body.instrument) else {
            return;
        };
        for node in nodes {
            let is_paid = registry
                .node(*node)
                .is_some_and(|row| row.account == body.account);
            let row = self.rows.get_mut(&(*node, body.instrument)).filter(|_| is_paid);
            let Some(row) = row else { continue };
            let earned = Dividend::of(
                row.position.qty,
                body.cash_per_unit,
                body.withhold_bps,
                instrument.money_dp,
            );
            let net = earned.map_or(Money::ZERO, |dividend| dividend.net());
            row.income = plus(row.income, net);
        }
    }

    fn on_holder(
        &mut self,
        body: &HolderAction,
        kind: Kind,
        registry: &Registry,
        positions: &Position,
    ) -> Option<StrategyKey> {
        let key = (body.node, body.instrument);
        let row = self.row(key, registry)?;
        let rules = rules(positions.instrument(body.instrument)?);
        match kind {
            Kind::HolderFunding => row.income = plus(row.income, body.cash),
            Kind::HolderMargin => {
                // Closed at the settlement price and opened there again.
                let held = row.position.qty.raw();
                for qty in [-held, held] {
                    let value = body.value;
                    trade(row, rules, &Flow { qty, value }, Money::ZERO);
                }
            }
            _ => {
                let closed = Flow {
                    qty: body.qty_delta.into(),
                    value: body.value,
                };
                trade(row, rules, &closed, Money::ZERO);
            }
        }
        Some(key)
    }
}

fn add(qty: NetQty, delta: i128) -> NetQty {
    NetQty::from_raw(qty.raw().wrapping_add(delta))
}

fn rules(instrument: &Instrument) -> Rules {
    Rules {
        money_dp: instrument.money_dp,
        inverse: instrument.is_inverse(),
    }
}

fn flow(side: u8, qty: i64, value: Money) -> Flow {
    let sign = Side::from_code(side).map_or(0, Side::sign);
    Flow {
        qty: sign * i128::from(qty),
        value,
    }
}

/// Adds a trade to a row. A quantity beyond what one trade can have, which only a forged journal could hold, changes nothing.
fn trade(row: &mut StrategyRow, rules: Rules, flow: &Flow, fee: Money) {
    let Ok(qty) = i64::try_from(flow.qty.unsigned_abs()) else {
        return;
    };
    let side = if flow.qty > 0 { Side::Buy } else { Side::Sell };
    let execution = Execution {
        side: side as u8,
        qty,
        principal: flow.value,
        ..Execution::zeroed()
    };
    let facts = decide(&row.position, rules, &execution);
    let position = &mut row.position;
    position.qty = add(position.qty, flow.qty);
    position.cost = plus(position.cost, facts.cost_delta);
    position.realised = plus(position.realised, facts.realised);
    position.fees = plus(position.fees, fee);
}
