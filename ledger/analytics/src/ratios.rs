//! Return against risk (ANALYTICS section 3): volatility, Sharpe, Sortino, Calmar, beta.
//!
//! Whether a deviation is zero is decided by comparing observations, never by what is left of a subtraction: a series that does
//! not move has no ratio, and rounding must not give it a large one.

use crate::returns::finite;

/// Days that a beta needs before it is used for anything but an example.
pub const BETA_POINTS_MIN: usize = 20;

/// A series of returns and what it is measured against, all as fractions a period.
#[derive(Clone, Copy, Debug)]
pub struct RatioInput<'a> {
    /// One for each period.
    pub returns: &'a [f64],
    /// Risk-free return of a period.
    pub risk_free: f64,
    /// The least that is acceptable (MAR).
    pub acceptable: f64,
    /// Periods of a year: 252, or 365 where weekends trade.
    pub periods: u32,
}

/// What a series says. `None` where a figure is not defined: a mean and a downside deviation need one point, deviations and
/// ratios two, and a ratio something to divide by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ratios {
    /// Mean return of a period.
    pub mean: Option<f64>,
    /// Sample deviation of a period.
    pub stdev: Option<f64>,
    /// That of a year.
    pub volatility: Option<f64>,
    /// Mean beyond the risk-free return by deviation, of a year.
    pub sharpe: Option<f64>,
    /// Root of the mean square below what is acceptable, over all periods.
    pub downside_deviation: Option<f64>,
    /// Mean beyond what is acceptable by downside deviation, of a year.
    pub sortino: Option<f64>,
}

/// The figures of a series.
pub fn ratios(input: &RatioInput<'_>) -> Ratios {
    let returns = input.returns;
    let Some(mean) = mean(returns) else {
        return Ratios::default();
    };
    let (count, year) = (returns.len() as f64, f64::from(input.periods).sqrt());
    let stdev = deviation(returns, mean);
    let below: Vec<f64> = returns
        .iter()
        .map(|r| (r - input.acceptable).min(0.0).powi(2))
        .collect();
    let downside = (sum(&below) / count).sqrt();
    let of_year = |excess: f64, risk: f64| {
        let is_defined = risk > 0.0 && returns.len() > 1;
        is_defined.then(|| finite(excess / risk * year)).flatten()
    };
    Ratios {
        mean: finite(mean),
        stdev,
        volatility: stdev.and_then(|stdev| finite(stdev * year)),
        sharpe: stdev.and_then(|stdev| of_year(mean - input.risk_free, stdev)),
        downside_deviation: finite(downside),
        sortino: of_year(mean - input.acceptable, downside),
    }
}

/// How returns move with the market's on the same days. `None` for fewer than two days, for series of different length, and for
/// a market that does not move.
pub fn beta(returns: &[f64], market: &[f64]) -> Option<f64> {
    if returns.len() != market.len() || returns.len() < 2 || is_constant(market) {
        return None;
    }
    let (mean_r, mean_m) = (mean(returns)?, mean(market)?);
    let products = returns
        .iter()
        .zip(market)
        .map(|(r, m)| (r - mean_r) * (m - mean_m));
    let squares = market.iter().map(|m| (m - mean_m).powi(2));
    finite(sum(&products.collect::<Vec<_>>()) / sum(&squares.collect::<Vec<_>>()))
}

/// The mean return of a day that neither the risk-free rate nor the market explains.
pub fn alpha(returns: &[f64], market: &[f64], risk_free: f64) -> Option<f64> {
    let beta = beta(returns, market)?;
    finite(mean(returns)? - risk_free - beta * (mean(market)? - risk_free))
}

/// Growth by largest drawdown. `None` without a drawdown.
pub fn calmar(cagr: f64, max_drawdown: f64) -> Option<f64> {
    (max_drawdown > 0.0)
        .then(|| finite(cagr / max_drawdown))
        .flatten()
}

fn mean(values: &[f64]) -> Option<f64> {
    match values {
        [] => None,
        [first, ..] if is_constant(values) => Some(*first),
        _ => Some(sum(values) / values.len() as f64),
    }
}

/// The sample deviation; `None` for fewer than two points.
fn deviation(values: &[f64], mean: f64) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    if is_constant(values) {
        return Some(0.0);
    }
    let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
    finite((sum(&squares) / (values.len() - 1) as f64).sqrt())
}

fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

/// The sum with what each addition lost carried along (Neumaier).
fn sum(values: &[f64]) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() {
            (total - next) + value
        } else {
            (value - next) + total
        };
        total = next;
    }
    total + lost
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: [f64; 8] = [0.010, -0.005, 0.007, -0.012, 0.004, 0.009, -0.003, 0.006];

    fn of(returns: &[f64]) -> Ratios {
        ratios(&RatioInput {
            returns,
            risk_free: 0.0,
            acceptable: 0.0,
            periods: 252,
        })
    }

    #[track_caller]
    fn near(got: Option<f64>, expected: f64) {
        let got = got.expect("a figure");
        assert!(
            (got - expected).abs() <= 1e-9 * expected.abs(),
            "{got} is not {expected}"
        );
    }

    #[test]
    fn the_examples_of_the_specification_come_out() {
        let found = of(&EXAMPLE);
        near(found.mean, 0.002);
        near(found.volatility, 0.124_128_965_193);
        near(found.sharpe, 4.060_293_253_992);
        near(found.sortino, 6.730_777_873_806);
        let market = [0.008, -0.004, 0.005, -0.010, 0.002, 0.007, -0.001, 0.004];
        near(beta(&EXAMPLE, &market), 1.273_689_273_689);
    }

    #[test]
    fn a_series_that_does_not_move_has_no_ratio() {
        let flat = of(&[0.001; 5]);
        assert_eq!(
            (flat.mean, flat.stdev, flat.sharpe),
            (Some(0.001), Some(0.0), None)
        );
        assert_eq!((flat.downside_deviation, flat.sortino), (Some(0.0), None));
        assert_eq!(beta(&[0.1, 0.2, 0.3], &[0.001; 3]), None);
        assert_eq!(calmar(0.1, 0.0), None);
    }

    #[test]
    fn one_point_has_a_mean_and_nothing_else_that_divides() {
        let one = of(&[-0.01]);
        assert_eq!((one.mean, one.downside_deviation), (Some(-0.01), Some(0.01)));
        assert_eq!((one.stdev, one.sharpe, one.sortino), (None, None, None));
        assert_eq!(of(&[]), Ratios::default());
        assert_eq!(beta(&[0.1], &[0.1]), None);
        assert_eq!(beta(&[0.1, 0.2], &[0.1]), None);
    }

    #[test]
    fn what_overflows_is_undefined() {
        let found = of(&[1e300, -1e300, 1e308, 1e308]);
        assert_eq!((found.stdev, found.sharpe), (None, None));
    }

    proptest! {
        /// Against the definition over integers, which loses nothing before the last step.
        #[test]
        fn deviations_are_those_of_exact_integers(raw in prop::collection::vec(-50_000i64..50_000, 2..60)) {
            let returns: Vec<f64> = raw.iter().map(|r| *r as f64 / 1e6).collect();
            let (n, total) = (raw.len() as i128, raw.iter().map(|r| i128::from(*r)).sum::<i128>());
            let squares: i128 = raw.iter().map(|r| (n * i128::from(*r) - total).pow(2)).sum();
            let stdev = (squares as f64 / (n * n * (n - 1)) as f64).sqrt() / 1e6;
            let found = of(&returns);
            prop_assert!((found.stdev.unwrap() - stdev).abs() <= 1e-12 * stdev);
            prop_assert_eq!(found.sharpe.is_none(), squares == 0);
            prop_assert_eq!(found.sortino.is_none(), raw.iter().all(|r| *r >= 0));
        }

        #[test]
        fn a_multiple_of_the_market_has_that_beta(raw in prop::collection::vec(-500i32..500, 2..40), factor in -5i32..5) {
            let market: Vec<f64> = raw.iter().map(|r| f64::from(*r) / 1e4).collect();
            let returns: Vec<f64> = raw.iter().map(|r| f64::from(r * factor) / 1e4).collect();
            match beta(&returns, &market) {
                Some(beta) => prop_assert!((beta - f64::from(factor)).abs() < 1e-9),
                None => prop_assert!(raw.windows(2).all(|pair| pair[0] == pair[1])),
            }
        }
    }
}
