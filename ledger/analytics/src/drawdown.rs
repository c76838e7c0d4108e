//! Drawdown: how far equity is below the highest it has been (ANALYTICS section 3). One step for each observation.

use crate::figure::Figure;
use tradewind_domain::fixed::Money;

/// The deepest drawdown so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deepest {
    /// Share of the peak that was lost.
    pub share: Figure,
    /// The same in money.
    pub amount: Money,
    /// Number of the peak, from 0.
    pub peak: usize,
    /// Number of the lowest point after it.
    pub trough: usize,
}

/// Drawdown of a series that grows. Equity is that of a flow-adjusted index, or of an account without flows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawdown {
    count: usize,
    high: Money,
    high_at: usize,
    current: Figure,
    deepest: Deepest,
    /// Observations since the last high, and of the longest such time.
    below: usize,
    below_max: usize,
}

impl Drawdown {
    /// Takes the next observation. Before equity was ever above zero there is no share to lose, and nothing is counted.
    pub fn observe(&mut self, equity: Money) {
        let at = self.count;
        self.count += 1;
        if at == 0 || equity > self.high {
            (self.high, self.high_at) = (equity, at);
            (self.current, self.below) = (Figure::ZERO, 0);
            if at == 0 {
                (self.deepest.peak, self.deepest.trough) = (at, at);
            }
            return;
        }
        self.below += usize::from(equity < self.high);
        self.below_max = self.below_max.max(self.below);
        let lost = Money::from_raw(self.high.raw().saturating_sub(equity.raw()));
        self.current = Figure::of(lost.raw(), self.high.raw()).unwrap_or_default();
        if self.current > self.deepest.share {
            self.deepest = Deepest {
                share: self.current,
                amount: lost,
                peak: self.high_at,
                trough: at,
            };
        }
    }

    /// The deepest drawdown; the first of equals. `None` before the first observation.
    pub fn deepest(&self) -> Option<Deepest> {
        (self.count > 0).then_some(self.deepest)
    }

    /// How far the last observation is below the highest.
    pub fn current(&self) -> Figure {
        self.current
    }

    /// The highest equity so far.
    pub fn high(&self) -> Option<Money> {
        (self.count > 0).then_some(self.high)
    }

    /// Observations below the highest: since it, and in the longest such time.
    pub fn observations_below(&self) -> (usize, usize) {
        (self.below, self.below_max)
    }
}

/// The deepest drawdown of a whole series.
pub fn max_drawdown(equity: &[Money]) -> Option<Deepest> {
    let mut drawdown = Drawdown::default();
    for value in equity {
        drawdown.observe(*value);
    }
    drawdown.deepest()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(units: &[i128]) -> Option<(String, usize, usize, i128)> {
        let equity: Vec<Money> = units.iter().map(|u| Money::from_raw(u * 100_000_000)).collect();
        max_drawdown(&equity).map(|deepest| {
            let amount = deepest.amount.raw() / 100_000_000;
            (deepest.share.to_string(), deepest.peak, deepest.trough, amount)
        })
    }

    #[test]
    fn the_deepest_counts_and_the_first_of_equals() {
        let example = [
            100_000, 104_000, 101_000, 106_000, 98_580, 103_000, 97_520, 108_000,
        ];
        assert_eq!(of(&example), Some(("0.08".into(), 3, 6, 8_480)));
        assert_eq!(of(&[100, 90, 100, 90]), Some(("0.1".into(), 0, 1, 10)));
        assert_eq!(of(&[1, 2, 3]), Some(("0".into(), 0, 0, 0)));
        assert_eq!(of(&[100, 90, 50]), Some(("0.5".into(), 0, 2, 50)));
        assert_eq!(of(&[100, -20]), Some(("1.2".into(), 0, 1, 120)));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn equity_that_was_never_above_zero_has_no_share_to_lose() {
        assert_eq!(of(&[0, -5, -7]), Some(("0".into(), 0, 0, 0)));
        assert_eq!(of(&[-5, 10, 5]), Some(("0.5".into(), 1, 2, 5)));
    }

    #[test]
    fn time_below_the_high_is_counted_until_a_new_one() {
        let mut drawdown = Drawdown::default();
        for equity in [10, 9, 8, 10, 9, 11, 10] {
            drawdown.observe(Money::from_raw(equity));
        }
        assert_eq!(drawdown.observations_below(), (1, 3));
        assert_eq!(drawdown.high(), Some(Money::from_raw(11)));
        assert_eq!(drawdown.current(), Figure::of(1, 11).unwrap());
    }

    proptest! {
        /// Against every pair of points.
        #[test]
        fn no_pair_of_points_lies_further_apart(equity in prop::collection::vec(1i128..1_000, 1..40)) {
            let found = max_drawdown(&equity.iter().map(|e| Money::from_raw(*e)).collect::<Vec<_>>()).unwrap();
            let mut deepest = Figure::ZERO;
            for (at, high) in equity.iter().enumerate() {
                for low in &equity[at..] {
                    deepest = deepest.max(Figure::of(high - low, *high).unwrap());
                }
            }
            prop_assert_eq!(found.share, deepest);
            let (high, low) = (equity[found.peak], equity[found.trough]);
            prop_assert_eq!(found.share, Figure::of(high - low, high).unwrap().max(Figure::ZERO));
            prop_assert_eq!(found.amount.raw(), high - low);
        }
    }
}
