//! What splits and variation margin do to a holding's lots (SETTLEMENT sections 6 and 12).

use super::pool::{Lots, NIL};
use super::{ClosedBy, Closing, Outcome, Terms, gain_of, plus};
use crate::wide::share;
use tradewind_domain::corporate::{Ratio, SplitQty};
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{HoldingId, Seq};
use tradewind_domain::time::DayNumber;

/// What happens to all lots of a holding at once.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Sequence number of its record.
    pub id: Seq,
    /// Its date.
    pub day: DayNumber,
}

impl Lots {
    /// Splits a holding's lots. Quantities follow in the order of acquisition, each lot the difference of two rounded running sums; the
    /// fraction of the total is paid with `cash` and takes its share of cost from the newest lot, and from older ones where it is larger.
    ///
    /// Nothing changes where the quantity does not fit.
    pub fn split(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        action: Action,
        (ratio, step): (Ratio, i64),
        cash: Money,
        sink: &mut impl FnMut(&Closing),
    ) -> Outcome {
        let Some(&head) = self.head(holding) else {
            return Outcome::default();
        };
        let Some(split) = SplitQty::of(head.qty.abs(), ratio, step) else {
            return Outcome::default();
        };
        // The order is built anew behind this: rows change while they are in none.
        self.heads[holding.index()].drop_order();
        let mut outcome = Outcome::default();
        if split.fraction > 0 {
            self.pay_fraction(
                holding,
                terms,
                action,
                (ratio, split.fraction),
                cash,
                &mut outcome,
                sink,
            );
        }
        self.scale(holding, ratio, step);
        let side = head.qty.raw().signum();
        let head = &mut self.heads[holding.index()];
        head.qty = NetQty::from_raw(side * split.qty.raw());
        head.cost = plus(head.cost, outcome.cost_delta.raw());
        head.realised = plus(head.realised, outcome.realised.raw());
        self.order_anew(holding, side > 0, terms);
        outcome
    }

    /// Takes the cost of a fraction out of the newest lots. Their quantities are still those before the split: in units of
    /// `1 / denominator` a lot is `qty * numerator`.
    #[allow(clippy::too_many_arguments)] // one step of `split`, with its state
    fn pay_fraction(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        action: Action,
        (ratio, fraction): (Ratio, i128),
        mut cash: Money,
        outcome: &mut Outcome,
        sink: &mut impl FnMut(&Closing),
    ) {
        let (dp, is_long) = (terms.rules.money_dp, self.heads[holding.index()].is_long());
        let mut left = fraction;
        let mut at = self.heads[holding.index()].newest;
        while let Some(lot) = self.get_mut(at) {
            let exact = lot.qty.raw() * i128::from(ratio.numerator); // fits: the sum of all did
            let take = left.min(exact);
            let cost = if take == exact {
                lot.cost
            } else {
                share(lot.cost, take, exact, dp)
            };
            let proceeds = if take == left {
                cash
            } else {
                share(cash, take, left, dp)
            };
            lot.cost = plus(lot.cost, cost.raw().wrapping_neg());
            let lot = *lot;
            cash = plus(cash, proceeds.raw().wrapping_neg());
            left -= take;
            let gain = gain_of(cost, proceeds, is_long, terms.rules.inverse);
            outcome.realised = plus(outcome.realised, gain.raw());
            outcome.cost_delta = plus(outcome.cost_delta, cost.raw().wrapping_neg());
            sink(&Closing {
                open: lot.open,
                open_day: lot.day,
                close: action.id,
                close_day: action.day,
                qty: NetQty::from_raw(take / i128::from(ratio.denominator)),
                cost,
                proceeds,
                gain,
                is_long,
                is_merged: lot.is_merged(),
                by: ClosedBy::CashInLieu,
            });
            if left == 0 {
                return;
            }
            at = lot.older;
        }
    }

    /// Gives each lot its quantity after the split. One that has none left gives its cost to the next.
    fn scale(&mut self, holding: HoldingId, ratio: Ratio, step: i64) {
        let (mut sum, mut given, mut carried) = (0i128, 0i128, Money::ZERO);
        let mut at = self.heads[holding.index()].oldest;
        while let Some(&lot) = self.get(at) {
            sum = sum.wrapping_add(lot.qty.raw());
            let upto =
                SplitQty::of(NetQty::from_raw(sum), ratio, step).map_or(given, |split| split.qty.raw());
            let cost = plus(lot.cost, carried.raw());
            if upto == given {
                carried = cost;
                self.remove(holding, at);
            } else {
                carried = Money::ZERO;
                self.set(holding, at, NetQty::from_raw(upto - given), cost);
            }
            (given, at) = (upto, lot.newer);
        }
        // What the last lots leave has been paid with the fraction, to the last unit of money.
        let newest = self.heads[holding.index()].newest;
        if !carried.is_zero() && newest != NIL {
            self.grow_lot(holding, newest, NetQty::ZERO, carried);
        }
    }

    /// Variation margin: the lots of a holding cost `value` from now on, and the difference is realised.
    pub fn revalue(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        action: Action,
        value: Money,
        sink: &mut impl FnMut(&Closing),
    ) -> Outcome {
        let Some(&head) = self.head(holding) else {
            return Outcome::default();
        };
        if head.count == 0 {
            return Outcome::default();
        }
        self.heads[holding.index()].drop_order();
        let mut outcome = Outcome::default();
        let (mut left, mut rest) = (head.qty.raw().saturating_abs(), value);
        let mut at = head.oldest;
        while let Some(&lot) = self.get(at) {
            let qty = lot.qty.raw();
            let cost = if qty == left {
                rest
            } else {
                share(rest, qty, left, terms.rules.money_dp)
            };
            (left, rest) = (left - qty, plus(rest, cost.raw().wrapping_neg()));
            let gain = gain_of(lot.cost, cost, head.is_long(), terms.rules.inverse);
            outcome.realised = plus(outcome.realised, gain.raw());
            outcome.cost_delta = plus(outcome.cost_delta, cost.raw().wrapping_sub(lot.cost.raw()));
            self.set(holding, at, lot.qty, cost);
            sink(&Closing {
                open: lot.open,
                open_day: lot.day,
                close: action.id,
                close_day: action.day,
                qty: lot.qty,
                cost: lot.cost,
                proceeds: cost,
                gain,
                is_long: head.is_long(),
                is_merged: lot.is_merged(),
                by: ClosedBy::Revaluation,
            });
            at = lot.newer;
        }
        let sums = &mut self.heads[holding.index()];
        sums.cost = plus(sums.cost, outcome.cost_delta.raw());
        sums.realised = plus(sums.realised, outcome.realised.raw());
        self.order_anew(holding, head.is_long(), terms);
        outcome
    }
}
