//! Value at risk and expected shortfall of profit scenarios (ANALYTICS section 4): order statistics, no interpolation.

use crate::figure::{FIGURE_ONE, Figure};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::wide::mul_div_half_even;

/// The tail of a set of scenarios. Positive figures are losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailRisk {
    /// The loss of one scenario: the confidence's share of all is no worse.
    pub value_at_risk: Money,
    /// The mean loss of the tail, in units of money; never below the value at risk.
    pub expected_shortfall: Figure,
}

/// The tail beyond `confidence`, from 0 to 1, where 1 is the worst scenario alone. `None` without scenarios, for a confidence out
/// of range, and for amounts that do not fit.
pub fn tail_risk(profits: &[Money], confidence: Figure) -> Option<TailRisk> {
    let count = i128::try_from(profits.len()).ok()?;
    let share = FIGURE_ONE.checked_sub(confidence.raw())?;
    if count == 0 || !(0..=FIGURE_ONE).contains(&share) {
        return None;
    }
    let mut losses: Vec<i128> = profits
        .iter()
        .map(|profit| profit.raw().checked_neg())
        .collect::<Option<_>>()?;
    losses.sort_unstable_by(|a, b| b.cmp(a));
    // The tail in scenarios, at 1e-18: whole ones, and a fraction of the last.
    let tail = count.checked_mul(share)?;
    let last = (tail.div_euclid(FIGURE_ONE) + i128::from(tail % FIGURE_ONE != 0)).max(1);
    let at = usize::try_from(last - 1).ok()?;
    let value_at_risk = *losses.get(at)?;
    if tail == 0 {
        return of(value_at_risk, scaled(value_at_risk)?);
    }
    let whole: i128 = losses[..at]
        .iter()
        .try_fold(0_i128, |sum, loss| sum.checked_add(*loss))?;
    // sum of the whole ones / tail + fraction * last one / tail, each rounded once at 1e-18
    let fraction = tail - (last - 1) * FIGURE_ONE;
    let of_whole = mul_div_half_even(scaled(whole)?, FIGURE_ONE, tail)?;
    let of_last = mul_div_half_even(scaled(value_at_risk)?, fraction, tail)?;
    of(value_at_risk, of_whole.checked_add(of_last)?)
}

fn of(value_at_risk: i128, shortfall: i128) -> Option<TailRisk> {
    Some(TailRisk {
        value_at_risk: Money::from_raw(value_at_risk),
        expected_shortfall: Figure::from_raw(shortfall),
    })
}

/// Money at a figure's scale.
fn scaled(raw: i128) -> Option<i128> {
    raw.checked_mul(FIGURE_ONE / i128::from(ONE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(units: i128) -> Money {
        Money::from_raw(units * 100_000_000)
    }

    #[track_caller]
    fn check(percent: i128, value_at_risk: i128, shortfall: &str) {
        let profits = [
            120, -300, 80, -50, 200, -420, 15, 60, -110, 95, -75, 140, -510, 30, -20, 70, -260, 110, 45, -5,
        ]
        .map(money);
        let found = tail_risk(&profits, Figure::of(percent, 100).unwrap()).unwrap();
        assert_eq!(found.value_at_risk, money(value_at_risk));
        assert_eq!(found.expected_shortfall.to_string(), shortfall);
    }

    #[test]
    fn the_examples_of_the_specification_come_out() {
        check(95, 510, "510");
        check(90, 420, "465");
        check(93, 420, "484.285714285714");
        check(50, -15, "173.5");
        check(99, 510, "510");
        check(100, 510, "510");
    }

    #[test]
    fn nothing_and_impossible_confidences_have_no_tail() {
        assert_eq!(tail_risk(&[], Figure::of(95, 100).unwrap()), None);
        assert_eq!(tail_risk(&[money(1)], Figure::of(101, 100).unwrap()), None);
        assert_eq!(tail_risk(&[money(1)], Figure::of(-1, 100).unwrap()), None);
        assert_eq!(tail_risk(&[Money::from_raw(i128::MIN)], Figure::ONE), None);
        let all = tail_risk(&[money(1), money(-3)], Figure::ZERO).unwrap();
        assert_eq!(
            (all.value_at_risk, all.expected_shortfall.to_string()),
            (money(-1), "1".into())
        );
    }

    proptest! {
        #[test]
        fn shortfall_is_at_least_the_value_at_risk_and_both_rise_with_confidence(
            profits in prop::collection::vec(-10_000i128..10_000, 1..60), a in 0i128..=1_000, b in 0i128..=1_000,
        ) {
            let profits: Vec<Money> = profits.into_iter().map(money).collect();
            let at = |permille: i128| tail_risk(&profits, Figure::of(permille, 1_000).unwrap()).unwrap();
            let (low, high) = (at(a.min(b)), at(a.max(b)));
            for risk in [low, high] {
                let value = risk.value_at_risk.raw() * 10_000_000_000;
                // Each of the two terms of the shortfall is rounded once.
                prop_assert!(risk.expected_shortfall.raw() >= value - 1);
            }
            prop_assert!(low.value_at_risk <= high.value_at_risk);
            prop_assert!(low.expected_shortfall.raw() <= high.expected_shortfall.raw() + 2);
        }
    }
}
