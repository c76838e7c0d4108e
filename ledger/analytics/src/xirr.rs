//! The money-weighted return (ANALYTICS section 2): the yearly rate at which flows are worth nothing together.

use tradewind_domain::fixed::Money;
use tradewind_domain::time::DayNumber;

/// Where the rate is looked for.
const LOWEST: f64 = -0.99;
const HIGHEST: f64 = 10.0;
/// More than a float can tell apart in that range.
const STEPS: u32 = 200;

/// The yearly rate `r` with `sum of flow / (1 + r)^(days / 365) = 0` within -0.99 and 10, found by bisection. Flows may come in
/// any order. `None` where the worth has the same sign at both ends, and for flows that are worth nothing at any rate.
pub fn xirr(flows: &[(DayNumber, Money)]) -> Option<f64> {
    let first = flows.iter().map(|(day, _)| *day).min()?;
    let last = flows.iter().map(|(day, _)| *day).max()?;
    let mut sorted = flows.to_vec();
    sorted.sort_unstable(); // so that the sum below is the same in whatever order they came
    let flows: Vec<(f64, f64, f64)> = sorted
        .iter()
        .map(|(day, amount)| {
            let (since, until) = (f64::from(day - first), f64::from(last - day));
            (since / 365.0, until / 365.0, amount.raw() as f64)
        })
        .collect();
    // Discounted to the first day at positive rates and to the last at negative ones: the sign is that of the worth, and no factor
    // is above one, so that nothing overflows however long the span.
    let sign = |rate: f64| {
        let worth: f64 = flows
            .iter()
            .map(|(since, until, amount)| {
                let exponent = if rate >= 0.0 { -since } else { *until };
                amount * (1.0 + rate).powf(exponent)
            })
            .sum();
        worth.partial_cmp(&0.0)
    };
    let (mut low, mut high) = (LOWEST, HIGHEST);
    let (at_low, at_high) = (sign(low)?, sign(high)?);
    if at_low == at_high {
        return None;
    }
    if at_low.is_eq() || at_high.is_eq() {
        return Some(if at_low.is_eq() { low } else { high });
    }
    for _ in 0..STEPS {
        let middle = low + (high - low) / 2.0;
        let at_middle = sign(middle)?;
        if at_middle.is_eq() {
            return Some(middle);
        }
        if at_middle == at_low {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low + (high - low) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_domain::time::parse_date;

    fn rate(flows: &[(&str, i128)]) -> Option<f64> {
        let flows: Vec<_> = flows
            .iter()
            .map(|(date, units)| (parse_date(date).unwrap(), Money::from_raw(units * 100_000_000)))
            .collect();
        xirr(&flows)
    }

    #[test]
    fn the_rate_makes_the_flows_worth_nothing() {
        let flows = [
            ("2025-01-01", -1_000),
            ("2025-07-01", -500),
            ("2026-01-01", 1_650),
        ];
        assert!((rate(&flows).unwrap() - 0.120_487_167_118_645_71).abs() < 1e-14);
        let turned = [flows[2], flows[0], flows[1]];
        assert_eq!(rate(&turned), rate(&flows));
    }

    #[test]
    fn flows_of_one_sign_of_one_day_or_none_have_no_rate() {
        assert_eq!(rate(&[]), None);
        assert_eq!(rate(&[("2025-01-01", -1)]), None);
        assert_eq!(rate(&[("2025-01-01", -1), ("2026-01-01", -1)]), None);
        assert_eq!(rate(&[("2025-01-01", -1), ("2025-01-01", 2)]), None);
        assert_eq!(rate(&[("2025-01-01", -1), ("2025-01-01", 1)]), None);
        assert_eq!(rate(&[("2025-01-01", 0), ("2026-01-01", 0)]), None);
    }

    #[test]
    fn a_span_of_centuries_overflows_nothing() {
        let doubled = rate(&[("1970-01-01", -1), ("2970-01-01", 2)]).unwrap();
        assert!(doubled > 0.000_6 && doubled < 0.000_8, "{doubled}");
        let halved = rate(&[("1970-01-01", -2), ("2970-01-01", 1)]).unwrap();
        assert!(halved < 0.0, "{halved}");
    }

    proptest! {
        /// What one amount grew to in whole days has the rate by which it grew.
        #[test]
        fn one_amount_grows_at_its_rate(yearly in -0.9..9.0f64, days in 30u32..3_000) {
            let end = 1e15 * (1.0 + yearly).powf(f64::from(days) / 365.0);
            let flows = [(1_000, Money::from_raw(-1_000_000_000_000_000)), (1_000 + days, Money::from_raw(end as i128))];
            let found = xirr(&flows).unwrap();
            prop_assert!((found - yearly).abs() < 1e-9 * (1.0 + yearly.abs()), "{found}");
        }
    }
}
