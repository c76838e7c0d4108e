//! What days of equity say of return and risk, by currency (ANALYTICS sections 2 and 3).

use crate::model::{Cell, Chart, Section, Series};
use tradewind_analytics::{Figure, RatioInput, max_drawdown, ratios, time_weighted};
use tradewind_domain::fixed::Money;
use tradewind_domain::time::{Date, DayNumber};

/// Trading days of a year.
const PERIODS: u32 = 252;

/// A trading date: what the account was worth at its end, and what was paid in or out on it.
pub(crate) struct Day {
    pub(crate) day: DayNumber,
    pub(crate) equity: Money,
    pub(crate) flow: Money,
}

/// Figures of each currency: its code, the equity before the first day, the days.
pub(crate) fn performance(currencies: impl Iterator<Item = (String, Money, Vec<Day>)>) -> Section {
    let mut section = Section::new(
        "performance",
        "Performance",
        &[
            ("currency", "Currency"),
            ("days", "Days"),
            ("twr", "Time-weighted return"),
            ("max_drawdown", "Largest drawdown"),
            ("volatility", "Volatility a year"),
            ("sharpe", "Sharpe"),
            ("sortino", "Sortino"),
        ],
    );
    for (currency, opening, days) in currencies {
        let Some(curve) = Curve::of(opening, &days) else {
            continue;
        };
        let returns: Vec<f64> = curve.returns.iter().map(|figure| figure.to_f64()).collect();
        let found = ratios(&RatioInput {
            returns: &returns,
            risk_free: 0.0,
            acceptable: 0.0,
            periods: PERIODS,
        });
        let ratio = |ratio: Option<f64>| Cell::or_none(ratio.map(Cell::Ratio));
        section.push([
            Cell::text(currency.clone()),
            Cell::Count(returns.len() as u64),
            Cell::or_none(curve.twr.map(Cell::Share)),
            Cell::or_none(max_drawdown(&curve.index).map(|deepest| Cell::Share(deepest.share))),
            ratio(found.volatility),
            ratio(found.sharpe),
            ratio(found.sortino),
        ]);
        if curve.index.len() > 2 {
            section.charts.push(Chart {
                title: format!("What 1 became, {currency}"),
                series: Series::Line(curve.points),
            });
        }
    }
    section
}

/// Days on which there was something to earn with.
struct Curve {
    returns: Vec<Figure>,
    /// What one unit became, at the start and after each day, at a figure's scale.
    index: Vec<Money>,
    points: Vec<(String, f64)>,
    twr: Option<Figure>,
}

impl Curve {
    /// Payments count at the start of the day on which they arrive. `None` where no day begins with equity above zero.
    fn of(opening: Money, days: &[Day]) -> Option<Self> {
        let (mut start, mut pairs) = (opening, Vec::new());
        let mut names = Vec::new();
        for day in days {
            let invested = start.checked_add(day.flow)?;
            start = day.equity;
            if invested.raw() > 0 {
                pairs.push((invested, day.equity));
                names.push(Date(day.day).to_string());
            }
        }
        if pairs.is_empty() {
            return None;
        }
        let returns = pairs.iter().map(|pair| time_weighted(std::slice::from_ref(pair)));
        let returns: Vec<Figure> = returns.collect::<Option<_>>()?;
        let mut index = Figure::ONE;
        let mut curve = vec![unit(index)];
        for (start, end) in &pairs {
            index = index.times(end.raw(), start.raw())?;
            curve.push(unit(index));
        }
        let points = names.into_iter().zip(&curve[1..]);
        Some(Self {
            points: points
                .map(|(name, value)| (name, crate::model::place(value.raw())))
                .collect(),
            twr: time_weighted(&pairs),
            returns,
            index: curve,
        })
    }
}

/// An index as an amount of which shares are taken; its unit does not matter there.
fn unit(index: Figure) -> Money {
    Money::from_raw(index.raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: DayNumber, equity: i128, flow: i128) -> Day {
        let money = |units: i128| Money::from_raw(units * 100_000_000);
        Day {
            day,
            equity: money(equity),
            flow: money(flow),
        }
    }

    #[test]
    fn payments_are_no_profit_and_count_from_the_morning_on() {
        // 100 paid in on the first day earn 10; 90 more on the second, and the 200 lose 20.
        let days = [day(1, 110, 100), day(2, 180, 90)];
        let curve = Curve::of(Money::ZERO, &days).unwrap();
        assert_eq!(curve.twr.unwrap().to_string(), "-0.01");
        let returns: Vec<String> = curve.returns.iter().map(ToString::to_string).collect();
        assert_eq!(returns, ["0.1", "-0.1"]);
    }

    #[test]
    fn days_without_money_have_no_return() {
        assert!(Curve::of(Money::ZERO, &[day(1, 0, 0)]).is_none());
        assert!(Curve::of(Money::ZERO, &[]).is_none());
        let curve = Curve::of(Money::ZERO, &[day(1, 0, 0), day(2, 100, 100)]).unwrap();
        assert_eq!(curve.returns.len(), 1);
    }
}
