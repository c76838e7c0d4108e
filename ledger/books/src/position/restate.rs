//! Busts and corrections: what the position would be, had the trade been another one.

use super::Position;
use crate::average::{Facts, PositionRow, Restated, add, adjusted_cost, in_base, side_sign};
use crate::lots::{Action, Rules};
use tradewind_domain::event::{Event, Execution, Kind, TakenBack, TradeBust, execution_alerts};
use tradewind_domain::fixed::Money;
use tradewind_domain::reference::Instrument;

impl Position {
    /// What a bust or correction does to the position, and whether it had to be adjusted for want of a replay.
    fn decide_restated(&mut self, taken: &TakenBack, new: &Restated) -> (Facts, bool) {
        let position = self.positions.get(taken.holding.index()).copied();
        let instrument = self.instruments.get(taken.instrument.index()).copied();
        let (Some(position), Some(instrument), Some(rules)) =
            (position, instrument, self.rules(taken.instrument))
        else {
            return (Facts::default(), true);
        };
        let held = position.qty.raw();
        let Some(changed) = self.movements.find_way(taken.holding, held, taken.trade_seq) else {
            return (adjusted(&position, rules, &instrument, taken, new), true);
        };
        let old = self.movements.run(changed, None, rules, &instrument);
        let version = new.version(taken);
        let now = self.movements.run(changed, Some(version), rules, &instrument);
        // Profit moves by the difference of the two ways, and by what the cost had drifted from the first of them: profit and cost
        // together stay the money that moved.
        let drift = held
            .signum()
            .wrapping_mul(old.cost().raw().wrapping_sub(position.cost.raw()));
        let drift = if rules.inverse {
            drift.wrapping_neg()
        } else {
            drift
        };
        let gain = now.realised.raw().wrapping_sub(old.realised.raw());
        let facts = Facts {
            realised: Money::from_raw(gain.wrapping_add(drift)),
            cost_delta: Money::from_raw(now.cost().raw().wrapping_sub(position.cost.raw())),
            closed_qty: (now.closed - old.closed) as i64,
        };
        (facts, false)
    }

    pub(super) fn process_restated(&mut self, event: &mut Event, taken: &TakenBack) {
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

    pub(super) fn on_restated(&mut self, event: &Event) {
        let Some(taken) = event.taken_back() else {
            self.unplaced += 1;
            return;
        };
        let new = Restated::of(event);
        let base = self.restate_movements(event, &taken, &new);
        match self.positions.get_mut(taken.holding.index()) {
            Some(position) => {
                position.restate(&taken, &new);
                position.realised_base = add(position.realised_base, base);
            }
            None => self.unplaced += 1,
        }
        let adjustment = &new.adjustment;
        let rate = self.rate_of(taken.instrument);
        let moves_principal = self
            .instruments
            .get(taken.instrument.index())
            .is_some_and(|row| row.moves_principal());
        if let Some(income) = self.incomes.get_mut(taken.holding.index()) {
            income.add(adjustment.income, adjustment.withheld, rate);
            if !moves_principal {
                income.margin = add(income.margin, adjustment.cash);
            }
        }
    }

    /// Restates the retained trade and the tax lots, before the position is. Gives the change of profit in base currency.
    fn restate_movements(&mut self, event: &Event, taken: &TakenBack, new: &Restated) -> Money {
        let (holding, seq, version) = (taken.holding, taken.trade_seq, new.version(taken));
        let held = self.positions.get(holding.index()).map(|row| row.qty.raw());
        let instrument = self.instruments.get(taken.instrument.index()).copied();
        let (Some(held), Some(instrument), Some(rules)) = (held, instrument, self.rules(taken.instrument))
        else {
            return Money::ZERO;
        };
        let terms = self.tax.terms(taken.account, rules);
        let Some(changed) = self.movements.find_way(holding, held, seq) else {
            let action = Action {
                id: event.head.seq,
                day: taken.trade_day,
            };
            let rate = self.rate_of(taken.instrument);
            self.tax.adjust(holding, terms, (action, rate), taken, new);
            self.movements.change(holding, seq, version);
            if new.adjustment.qty != 0 {
                self.movements.forget(holding);
            }
            return in_base(new.facts.realised, self.rate_of(taken.instrument));
        };
        let old = self.movements.run(changed, None, rules, &instrument);
        let now = self.movements.run(changed, Some(version), rules, &instrument);
        self.tax
            .replay(holding, terms, (&self.movements, changed), version, &instrument);
        self.movements.change(holding, seq, version);
        self.movements.renew_way(rules, &instrument);
        Money::from_raw(now.realised_base.raw().wrapping_sub(old.realised_base.raw()))
    }
}

/// A bust or correction without a replay: an opposite trade at the trade's own price, and the new version. Profit is the money that moved
/// and what it left behind as cost.
fn adjusted(
    position: &PositionRow,
    rules: Rules,
    instrument: &Instrument,
    taken: &TakenBack,
    new: &Restated,
) -> Facts {
    let sign = side_sign(taken.side);
    let held = position.qty.raw();
    let qty_after = new.qty_after(held, taken);
    let cost = adjusted_cost(position, rules, taken, new);
    let held_cost = |qty: i128, cost: Money| qty.signum().wrapping_mul(cost.raw());
    let mut moved = sign.wrapping_mul(taken.principal.raw().wrapping_sub(new.principal.raw()));
    if instrument.moves_principal() {
        moved = moved.wrapping_add(new.adjustment.cash.raw());
    }
    let left = held_cost(qty_after, cost).wrapping_sub(held_cost(held, position.cost));
    let gain = moved.wrapping_add(left);
    let gain = if rules.inverse { gain.wrapping_neg() } else { gain };
    Facts {
        realised: Money::from_raw(gain),
        cost_delta: Money::from_raw(cost.raw().wrapping_sub(position.cost.raw())),
        closed_qty: 0,
    }
}
