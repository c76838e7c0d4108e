//! Drawdown and outcome of an account by drawing its past days anew (ANALYTICS section 7, bootstrap of additive profits).
//!
//! # Invariants
//! - A path depends on the seed and its number alone. Money is added as integers, so figures are exact.

use crate::figure::Figure;
use crate::rng::SplitMix64;
use tradewind_domain::fixed::Money;

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Bootstrap<'a> {
    /// Observed profits, one for each day.
    pub profits: &'a [Money],
    /// Equity at the start of each path.
    pub start: Money,
    /// Days of a path.
    pub horizon: usize,
    /// Number of paths.
    pub paths: usize,
    /// Seed of all of them.
    pub seed: u64,
    /// Days that are drawn together, circularly: 1 forgets what follows what.
    pub block: usize,
}

/// Outcomes of all paths, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Equity at the end of each.
    pub finals: Vec<Money>,
    /// Largest loss from a path's own high, of each.
    pub drawdowns: Vec<Money>,
}

impl Bootstrap<'_> {
    /// Draws all paths. `None` without observations, without paths, or where a sum does not fit.
    pub fn run(&self) -> Option<Paths> {
        if self.profits.is_empty() || self.paths == 0 {
            return None;
        }
        let mut paths = Paths::default();
        for number in 0..self.paths {
            let (end, drawdown) = self.path(number as u64)?;
            paths.finals.push(end);
            paths.drawdowns.push(drawdown);
        }
        Some(paths)
    }

    fn path(&self, number: u64) -> Option<(Money, Money)> {
        let mut rng = SplitMix64::of_path(self.seed, number);
        let (count, block) = (self.profits.len(), self.block.max(1));
        let (mut equity, mut high, mut drawdown) = (self.start, self.start, Money::ZERO);
        let mut at = 0;
        for day in 0..self.horizon {
            at = if day % block == 0 {
                rng.index(count)
            } else {
                (at + 1) % count
            };
            equity = equity.checked_add(self.profits[at])?;
            high = high.max(equity);
            drawdown = drawdown.max(high.checked_sub(equity)?);
        }
        Some((equity, drawdown))
    }
}

impl Paths {
    /// The outcome at a share of all paths from the lowest, by nearest rank: the `ceil(share * paths)`th, at least the first.
    pub fn final_at(&self, share: Figure) -> Option<Money> {
        at_rank(&self.finals, share)
    }

    /// The drawdown at a share of all paths from the smallest.
    pub fn drawdown_at(&self, share: Figure) -> Option<Money> {
        at_rank(&self.drawdowns, share)
    }

    /// Share of paths that lost more than this from their high.
    pub fn share_with_drawdown_above(&self, amount: Money) -> Option<Figure> {
        share_of(&self.drawdowns, |drawdown| drawdown > amount)
    }

    /// Share of paths that end below this.
    pub fn share_ending_below(&self, amount: Money) -> Option<Figure> {
        share_of(&self.finals, |end| end < amount)
    }
}

fn at_rank(values: &[Money], share: Figure) -> Option<Money> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let scaled = share.raw().checked_mul(i128::try_from(sorted.len()).ok()?)?;
    let rank = scaled.div_euclid(Figure::ONE.raw()) + i128::from(scaled.rem_euclid(Figure::ONE.raw()) != 0);
    let at = usize::try_from(rank.max(1) - 1).ok()?;
    sorted.get(at).copied()
}

fn share_of(values: &[Money], holds: impl Fn(Money) -> bool) -> Option<Figure> {
    let count = values.iter().filter(|value| holds(**value)).count();
    Figure::of(count as i128, values.len() as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(units: i128) -> Money {
        Money::from_raw(units * 100_000_000)
    }

    fn profits() -> Vec<Money> {
        [
            120, -300, 80, -50, 200, -420, 15, 60, -110, 95, -75, 140, -510, 30, -20, 70, -260, 110, 45, -5,
        ]
        .map(money)
        .to_vec()
    }

    fn percent(value: i128) -> Figure {
        Figure::of(value, 100).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_comes_out() {
        let profits = profits();
        let paths = Bootstrap {
            profits: &profits,
            start: money(10_000),
            horizon: 20,
            paths: 1_000,
            seed: 42,
            block: 1,
        };
        let paths = paths.run().unwrap();
        assert_eq!(paths.finals[..2], [money(8_850), money(9_070)]);
        assert_eq!(paths.drawdowns[..2], [money(1_365), money(1_155)]);
        let finals = [5, 50, 95].map(|p| paths.final_at(percent(p)).unwrap());
        assert_eq!(finals, [money(7_720), money(9_250), money(10_465)]);
        let drawdowns = [50, 95, 99].map(|p| paths.drawdown_at(percent(p)).unwrap());
        assert_eq!(drawdowns, [money(1_135), money(2_445), money(3_000)]);
        let deep = paths.share_with_drawdown_above(money(1_000)).unwrap();
        assert_eq!(deep.to_string(), "0.577");
        assert_eq!(
            paths.share_ending_below(money(10_000)).unwrap().to_string(),
            "0.815"
        );
    }

    #[test]
    fn a_block_as_long_as_the_past_keeps_its_sum() {
        let profits = profits();
        let total: i128 = profits.iter().map(|profit| profit.raw()).sum();
        let paths = Bootstrap {
            profits: &profits,
            start: money(0),
            horizon: profits.len(),
            paths: 50,
            seed: 1,
            block: profits.len(),
        };
        let paths = paths.run().unwrap();
        assert!(paths.finals.iter().all(|end| end.raw() == total));
    }

    #[test]
    fn nothing_to_draw_from_gives_no_paths() {
        let empty = Bootstrap {
            profits: &[],
            start: money(1),
            horizon: 5,
            paths: 5,
            seed: 1,
            block: 1,
        };
        assert_eq!(empty.run(), None);
        assert_eq!(Paths::default().final_at(percent(50)), None);
        let huge = [Money::MAX];
        let overflow = Bootstrap {
            profits: &huge,
            ..empty
        };
        assert_eq!(overflow.run(), None);
    }
}
