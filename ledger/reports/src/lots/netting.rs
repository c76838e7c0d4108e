//! What the pieces of each calendar year leave for tax, and what goes from one year to the next.

use super::realised::Piece;
use super::term;
use crate::cash::decimals;
use crate::error::ReportError;
use crate::model::{Cell, Section};
use crate::walk::Walked;
use std::collections::BTreeMap;
use tradewind_analytics::{ByTerm, Netted, netted};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::time::civil;

/// The most of a year's loss that goes against income.
const OFFSET_MAX: Money = Money::from_raw(3_000 * ONE as i128);

/// By currency each year from the first to the last in which something was closed.
pub(super) fn by_year(walked: &Walked, pieces: &[&Piece]) -> Result<Section, ReportError> {
    let mut section = Section::new(
        "netting",
        "Netting",
        &[
            ("currency", "Currency"),
            ("year", "Year"),
            ("short", "Short term"),
            ("long", "Long term"),
            ("net", "Net"),
            ("against_income", "Against income"),
            ("carried_short", "Carried, short term"),
            ("carried_long", "Carried, long term"),
        ],
    );
    let mut currencies: BTreeMap<String, (BTreeMap<i32, ByTerm>, u8)> = BTreeMap::new();
    for piece in pieces {
        let currency = walked.names().currency(piece.currency);
        let (years, dp) = currencies.entry(currency).or_default();
        *dp = decimals(&walked.at(), piece.currency);
        let year = years.entry(civil(piece.close_day).0).or_default();
        let of_term = match term(piece.held_from, piece.close_day) {
            "LONG" => &mut year.long,
            _ => &mut year.short,
        };
        let [.., reported] = piece.figures();
        let sum = of_term.raw().checked_add(reported).ok_or(ReportError::Overflow)?;
        *of_term = Money::from_raw(sum);
    }
    for (currency, (sums, dp)) in currencies {
        let money = |amount: Money| Cell::Money(amount, dp);
        for (year, found) in carried_on(&sums).ok_or(ReportError::Overflow)? {
            section.push([
                Cell::text(currency.clone()),
                Cell::text(year.to_string()),
                money(found.by_term.short),
                money(found.by_term.long),
                money(found.net),
                money(found.against_income),
                money(found.carried.short),
                money(found.carried.long),
            ]);
        }
    }
    Ok(section)
}

/// Each year from the first to the last, with what the year before it carried. In a year between them without a closing a carried loss
/// goes against income all the same.
fn carried_on(sums: &BTreeMap<i32, ByTerm>) -> Option<Vec<(i32, Netted)>> {
    let (Some((&first, _)), Some((&last, _))) = (sums.first_key_value(), sums.last_key_value()) else {
        return Some(Vec::new());
    };
    let mut carried = ByTerm::default();
    let year = |year: i32| {
        let sum = sums.get(&year).copied().unwrap_or_default();
        let found = netted(sum, carried, OFFSET_MAX)?;
        carried = found.carried;
        Some((year, found))
    };
    (first..=last).map(year).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carried_loss_goes_against_the_income_of_a_year_without_a_closing() {
        let whole = |amount: i128| Money::from_raw(amount * i128::from(ONE));
        let sum = |short: i128, long: i128| ByTerm {
            short: whole(short),
            long: whole(long),
        };
        let sums = BTreeMap::from([(2021, sum(-10_000, 0)), (2023, sum(500, 1_000))]);
        let told = |(year, found): (i32, Netted)| {
            let [net, income, carried] = [found.net, found.against_income, found.carried.short];
            (
                year,
                [net, income, carried].map(|amount| amount.raw() / i128::from(ONE)),
            )
        };
        let years: Vec<_> = carried_on(&sums)
            .expect("figures that fit")
            .into_iter()
            .map(told)
            .collect();
        assert_eq!(
            years,
            [
                (2021, [-10_000, 3_000, -7_000]),
                (2022, [-7_000, 3_000, -4_000]),
                (2023, [-2_500, 2_500, 0])
            ]
        );
        assert_eq!(carried_on(&BTreeMap::new()), Some(Vec::new()));
    }
}
