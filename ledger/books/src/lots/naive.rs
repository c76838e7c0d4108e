//! The rules of lots written down plainly: a list of lots, exact fractions in 128 bits, a search for the lot that closes next.

use super::{Rules, Terms};
use tradewind_domain::codes::LotMethod;
use tradewind_domain::corporate::Ratio;
use tradewind_domain::rounding::{Rounding, div_round};

/// A lot: opening trade, quantity, cost.
pub(super) type NaiveLot = (u64, i128, i128);

/// A holding.
#[derive(Clone, Debug)]
pub(super) struct Naive {
    terms: Terms,
    pub(super) side: i128,
    pub(super) lots: Vec<NaiveLot>,
    pub(super) realised: i128,
}

fn share(amount: i128, part: i128, whole: i128) -> i128 {
    const CENT: i128 = 1_000_000;
    div_round(amount / CENT * part, whole, Rounding::HalfEven).unwrap() * CENT
}

impl Naive {
    /// Money has two decimals.
    pub(super) fn new(method: LotMethod, inverse: bool, fee_in_basis: bool) -> Self {
        let rules = Rules { money_dp: 2, inverse };
        Self {
            terms: Terms {
                rules,
                method,
                fee_in_basis,
            },
            side: 0,
            lots: Vec::new(),
            realised: 0,
        }
    }

    pub(super) fn terms(&self) -> Terms {
        self.terms
    }

    pub(super) fn qty(&self) -> i128 {
        self.side * self.lots.iter().map(|lot| lot.1).sum::<i128>()
    }

    pub(super) fn cost(&self) -> i128 {
        self.lots.iter().map(|lot| lot.2).sum()
    }

    fn realise(&mut self, proceeds: i128, cost: i128) {
        let gain = (proceeds - cost) * self.side;
        self.realised += if self.terms.rules.inverse { -gain } else { gain };
    }

    /// The lot that closes next.
    fn next(&self) -> usize {
        let unit_cost_below = |a: NaiveLot, b: NaiveLot| a.2 * b.1 < b.2 * a.1;
        match self.terms.method {
            LotMethod::Lifo => self.lots.len() - 1,
            LotMethod::Hifo => (1..self.lots.len()).fold(0, |best, at| {
                let is_better = if (self.side > 0) != self.terms.rules.inverse {
                    unit_cost_below(self.lots[best], self.lots[at])
                } else {
                    unit_cost_below(self.lots[at], self.lots[best])
                };
                if is_better { at } else { best }
            }),
            _ => 0,
        }
    }

    pub(super) fn trade(&mut self, id: u64, signed: i128, value: i128, fee: i128) {
        let (sign, qty) = (signed.signum(), signed.abs());
        let mut close = 0;
        if self.side == -sign {
            close = qty.min(self.qty().abs());
        }
        let part = |amount| {
            if close == qty {
                amount
            } else {
                share(amount, close, qty)
            }
        };
        let (closed_value, closed_fee) = if close == 0 {
            (0, 0)
        } else {
            (part(value), part(fee))
        };
        let basis = |value, fee| value + if self.terms.fee_in_basis { sign * fee } else { 0 };
        let proceeds = basis(closed_value, closed_fee);
        let cost = basis(value - closed_value, fee - closed_fee);
        let (mut left, mut removed) = (close, 0);
        while left > 0 {
            let at = self.next();
            let lot = &mut self.lots[at];
            let take = left.min(lot.1);
            let cost = if take == lot.1 {
                lot.2
            } else {
                share(lot.2, take, lot.1)
            };
            (lot.1, lot.2, left, removed) = (lot.1 - take, lot.2 - cost, left - take, removed + cost);
            if lot.1 == 0 {
                self.lots.remove(at);
            }
        }
        if close > 0 {
            self.realise(proceeds, removed);
        }
        if qty > close {
            match self.lots.first_mut() {
                Some(lot) if self.terms.method == LotMethod::AverageCost => {
                    (lot.1, lot.2) = (lot.1 + qty - close, lot.2 + cost)
                }
                _ => {
                    self.side = sign;
                    self.lots.push((id, qty - close, cost));
                }
            }
        }
        if self.lots.is_empty() {
            self.side = 0;
        }
    }

    pub(super) fn split(&mut self, ratio: Ratio, step: i128, cash: i128) {
        let (n, d) = (i128::from(ratio.numerator), i128::from(ratio.denominator));
        let whole = |qty: i128| qty * n / (d * step) * step;
        let total: i128 = self.lots.iter().map(|lot| lot.1).sum();
        let mut fraction = total * n - whole(total) * d;
        let mut removed = 0;
        for lot in self.lots.iter_mut().rev() {
            let take = fraction.min(lot.1 * n);
            if take > 0 {
                let cost = if take == lot.1 * n {
                    lot.2
                } else {
                    share(lot.2, take, lot.1 * n)
                };
                (lot.2, removed, fraction) = (lot.2 - cost, removed + cost, fraction - take);
            }
        }
        if whole(total) * d != total * n {
            self.realise(cash, removed);
        }
        let (mut sum, mut carried) = (0, 0);
        let old = std::mem::take(&mut self.lots);
        for (id, qty, cost) in old {
            let new = whole(sum + qty) - whole(sum);
            sum += qty;
            if new == 0 {
                carried += cost;
            } else {
                self.lots.push((id, new, cost + carried));
                carried = 0;
            }
        }
        assert_eq!(carried, 0, "the cost of what is gone went with the cash");
        if self.lots.is_empty() {
            self.side = 0;
        }
    }
}
