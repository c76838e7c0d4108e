//! Corporate actions: the limit check says what they do to quantity and cash, this stage what to cost and profit.

use super::Position;
use crate::average::{Facts, PositionRow, add, effect, in_base, margin_effect, split_effect};
use crate::replay::Movement;
use tradewind_domain::corporate::Ratio;
use tradewind_domain::event::{CorporateAction, Event, HolderAction, Kind};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::Seq;

impl Position {
    pub(super) fn process_action(&self, event: &mut Event, kind: Kind) {
        if kind == Kind::HolderSplit {
            let split: &CorporateAction = event.body();
            let position = self.positions.get(split.holding.index());
            let cost_delta = position.map_or(Money::ZERO, |row| self.split_cost(row, split));
            event.body_mut::<CorporateAction>().cost_delta = cost_delta;
        } else if kind != Kind::HolderDividend {
            let action: &HolderAction = event.body();
            let facts = self.action_facts(action, kind);
            let body: &mut HolderAction = event.body_mut();
            (body.cost_delta, body.realised) = (facts.cost_delta, facts.realised);
        }
    }

    /// Cost that goes with the fraction that a split leaves of a position: what its record says of a holding, and what readers who keep
    /// other positions in the instrument take from theirs.
    pub fn split_cost(&self, position: &PositionRow, split: &CorporateAction) -> Money {
        let found = || {
            let instrument = self.instruments.get(split.instrument.index())?;
            let movement = Movement::of_split(split, 0);
            let (ratio, whole, cash) = movement.split_of(position.qty, instrument)?;
            let rules = self.rules(split.instrument)?;
            Some(split_effect(position, rules, ratio, whole, cash).0.cost_delta)
        };
        found().unwrap_or(Money::ZERO)
    }

    fn action_facts(&self, action: &HolderAction, kind: Kind) -> Facts {
        let position = self.positions.get(action.holding.index());
        let (Some(position), Some(rules)) = (position, self.rules(action.instrument)) else {
            return Facts::default();
        };
        match kind {
            Kind::HolderMargin => margin_effect(position, rules, action.value),
            Kind::HolderSettled => effect(position, rules, action.qty_delta.into(), action.value),
            _ => Facts::default(),
        }
    }

    pub(super) fn on_action(&mut self, event: &Event, kind: Kind) {
        match kind {
            Kind::HolderSplit => self.on_split(event.body(), event.head.seq),
            Kind::HolderDividend => {
                let paid: &CorporateAction = event.body();
                if let Some(income) = self.incomes.get_mut(paid.holding.index()) {
                    income.add(paid.gross, paid.withheld, paid.rate);
                }
            }
            _ => self.on_holder(event.body(), event.head.seq, kind),
        }
    }

    fn on_split(&mut self, split: &CorporateAction, seq: Seq) {
        if split.holding.is_none() {
            if split.node.is_none() {
                self.split_prices(split);
            }
            return;
        }
        let Some(position) = self.positions.get_mut(split.holding.index()) else {
            self.unplaced += 1;
            return;
        };
        let realised = position.apply_split(split);
        position.realised_base = add(position.realised_base, in_base(realised, split.rate));
        self.retain(
            split.holding,
            split.account,
            split.instrument,
            Movement::of_split(split, seq),
        );
    }

    fn on_holder(&mut self, action: &HolderAction, seq: Seq, kind: Kind) {
        if action.holding.is_none() {
            return;
        }
        if kind == Kind::HolderFunding {
            if let Some(income) = self.incomes.get_mut(action.holding.index()) {
                income.add(action.cash, Money::ZERO, action.rate);
            }
            return;
        }
        let Some(position) = self.positions.get_mut(action.holding.index()) else {
            self.unplaced += 1;
            return;
        };
        position.apply_action(action);
        let moves_principal = self
            .instruments
            .get(action.instrument.index())
            .is_some_and(|row| row.moves_principal());
        if let Some(income) = self.incomes.get_mut(action.holding.index())
            && !moves_principal
        {
            income.margin = add(income.margin, action.cash);
        }
        position.realised_base = add(position.realised_base, in_base(action.realised, action.rate));
        let movement = Movement::of_action(action, seq, kind);
        self.retain(action.holding, action.account, action.instrument, movement);
    }

    /// Prices and usual quantities are those of the new units from now on.
    fn split_prices(&mut self, split: &CorporateAction) {
        let index = split.instrument.index();
        let Some(ratio) = Ratio::new(split.numerator, split.denominator) else {
            return;
        };
        if let (Some(priced), Some(row)) = (self.priced.get_mut(index), self.instruments.get_mut(index)) {
            priced.mark = ratio.price(priced.mark).unwrap_or(priced.mark);
            priced.fill = ratio.price(priced.fill).unwrap_or(priced.fill);
            row.split(ratio);
        }
    }
}
