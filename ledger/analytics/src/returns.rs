//! Returns of a portfolio with money coming and going (ANALYTICS section 2).

use crate::figure::Figure;
use tradewind_domain::fixed::Money;

/// Money that came in (or went out, below zero) at the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatedFlow {
    /// Days since the start of the span.
    pub day: u32,
    /// Amount.
    pub amount: Money,
}

/// The time-weighted return: sub-periods, each from the value after the flow that begins it to the value before the flow that
/// ends it, linked. `None` without a sub-period, or where one does not begin with something.
pub fn time_weighted(subperiods: &[(Money, Money)]) -> Option<Figure> {
    if subperiods.is_empty() {
        return None;
    }
    let linked = subperiods.iter().try_fold(Figure::ONE, |index, (start, end)| {
        index.times(end.raw(), start.raw())
    });
    linked?.less_one()
}

/// The modified Dietz return of a span of `days`, for flows without a valuation: each counts for the days after its own.
/// `None` where what was invested on average is not positive, or a flow lies outside the span.
pub fn modified_dietz(start: Money, end: Money, days: u32, flows: &[DatedFlow]) -> Option<Figure> {
    let mut net = 0_i128;
    let mut invested = start.raw().checked_mul(i128::from(days))?;
    for flow in flows {
        let rest = days.checked_sub(flow.day)?;
        net = net.checked_add(flow.amount.raw())?;
        invested = invested.checked_add(flow.amount.raw().checked_mul(i128::from(rest))?)?;
    }
    let gain = end.raw().checked_sub(start.raw())?.checked_sub(net)?;
    Figure::of(gain.checked_mul(i128::from(days))?, invested)
}

/// The yearly rate that grows `start` to `end` in so many days. `None` where one of them is not positive or no day passed.
pub fn cagr(start: Money, end: Money, days: u32) -> Option<f64> {
    if start.raw() <= 0 || end.raw() <= 0 || days == 0 {
        return None;
    }
    finite((end.raw() as f64 / start.raw() as f64).powf(365.0 / f64::from(days)) - 1.0)
}

/// What a yearly rate comes to in so many days. `None` for a rate of -1 or less.
pub fn period_rate(yearly: f64, days: u32) -> Option<f64> {
    (yearly > -1.0).then(|| (1.0 + yearly).powf(f64::from(days) / 365.0) - 1.0)
}

/// The float where it is a number.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(units: i128) -> Money {
        Money::from_raw(units * 100_000_000)
    }

    fn pairs(units: &[(i128, i128)]) -> Vec<(Money, Money)> {
        units
            .iter()
            .map(|(start, end)| (money(*start), money(*end)))
            .collect()
    }

    #[test]
    fn flows_cut_the_time_weighted_return() {
        let parts = pairs(&[(100_000, 105_000), (125_000, 120_000), (110_000, 121_000)]);
        assert_eq!(time_weighted(&parts).unwrap().to_string(), "0.1088");
        assert_eq!(time_weighted(&[]), None);
        assert_eq!(time_weighted(&pairs(&[(0, 5)])), None);
        assert_eq!(time_weighted(&pairs(&[(5, 0)])).unwrap().to_string(), "-1");
    }

    #[test]
    fn modified_dietz_weighs_flows_by_the_days_that_follow_them() {
        let flows = [(10, 20_000), (20, -10_000)].map(|(day, units)| DatedFlow {
            day,
            amount: money(units),
        });
        let dietz = |flows: &[DatedFlow]| modified_dietz(money(100_000), money(121_000), 30, flows);
        assert_eq!(dietz(&flows).unwrap().to_string(), "0.1");
        let all_out = [DatedFlow {
            day: 0,
            amount: money(-100_000),
        }];
        assert_eq!(dietz(&all_out), None);
        let late = [DatedFlow {
            day: 31,
            amount: money(1),
        }];
        assert_eq!(dietz(&late), None);
    }

    #[test]
    fn growth_is_undefined_without_days_or_money() {
        assert_eq!(cagr(money(100), money(200), 0), None);
        assert_eq!(cagr(money(0), money(200), 365), None);
        assert_eq!(cagr(money(100), money(-1), 365), None);
        assert!((cagr(money(100), money(121), 730).unwrap() - 0.1).abs() < 1e-12);
        assert!((period_rate(0.21, 365).unwrap() - 0.21).abs() < 1e-12);
        assert_eq!(period_rate(-1.0, 30), None);
    }

    proptest! {
        /// Cutting a period where nothing flows changes nothing.
        #[test]
        fn a_cut_without_a_flow_changes_nothing(a in 1..1i128 << 70, b in 1..1i128 << 70, c in 1..1i128 << 70) {
            let (a, b, c) = (Money::from_raw(a), Money::from_raw(b), Money::from_raw(c));
            let (cut, whole) = (time_weighted(&[(a, b), (b, c)]), time_weighted(&[(a, c)]));
            if let (Some(cut), Some(whole)) = (cut, whole) {
                // The index is kept at 1e-18, and rounded once more where it is cut.
                let slack = (c.raw() / b.raw() + 2) as f64 * 1e-18;
                prop_assert!((cut.to_f64() - whole.to_f64()).abs() <= slack + 1e-15 * whole.to_f64().abs());
            }
        }

        /// Without flows all three agree.
        #[test]
        fn without_flows_dietz_is_the_simple_return(start in 1..1i128 << 70, end in 0..1i128 << 70, days in 1u32..2000) {
            let (start, end) = (Money::from_raw(start), Money::from_raw(end));
            prop_assert_eq!(modified_dietz(start, end, days, &[]), Figure::of(end.raw() - start.raw(), start.raw()));
        }
    }
}
