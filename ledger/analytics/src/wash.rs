//! The wash-sale rule (ANALYTICS section 8): a loss is not allowed as far as the same thing was bought around the sale.
//!
//! # Invariants
//! - Losses are matched in time order, each against the earliest acquisition in its window first, share for share.
//! - A share of an acquisition disallows one share of loss, once.
//!
//! Not here: what is substantially identical (the caller gives sales and acquisitions of one identity group and one owner), and
//! accounts in which the loss is lost instead of deferred.

use tradewind_domain::fixed::{Money, Notional, Qty};
use tradewind_domain::time::DayNumber;

/// Days before and after a sale in which an acquisition counts, both inclusive.
pub const WINDOW_DAYS: u32 = 30;

/// Shares of one lot sold at a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossSale {
    /// The lot: its own acquisition replaces nothing. Sales of one event share it where they name it alike.
    pub lot: String,
    /// Other lots that the same sale closed, which replace nothing either.
    pub sold_with: Vec<String>,
    /// When it was sold.
    pub day: DayNumber,
    /// When the lot was bought.
    pub lot_day: DayNumber,
    /// Shares sold.
    pub qty: Qty,
    /// Loss on each share, positive, at 1e-8.
    pub loss_per_share: Money,
}

/// Shares bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquisition {
    /// The lot that they became.
    pub lot: String,
    /// When.
    pub day: DayNumber,
    /// How many.
    pub qty: Qty,
}

/// Shares that take over a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The lot that replaces the one sold.
    pub replacement: String,
    /// How many of its shares.
    pub qty: Qty,
    /// What is added to their basis, exact.
    pub basis_add: Notional,
    /// From when they count as held; negative before 1970.
    pub holding_start: i64,
}

/// What becomes of the loss of one sale, exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WashOutcome {
    /// The part that is not allowed now.
    pub disallowed: Notional,
    /// The part that is.
    pub allowed: Notional,
    /// Where the disallowed part went.
    pub matches: Vec<Match>,
}

/// What becomes of each sale, in the order given. `None` where an amount does not fit.
pub fn wash_sales(sales: &[LossSale], acquisitions: &[Acquisition]) -> Option<Vec<WashOutcome>> {
    let mut bought: Vec<(&Acquisition, i64)> = acquisitions.iter().map(|a| (a, a.qty.raw())).collect();
    bought.sort_by_key(|(acquisition, _)| acquisition.day);
    let mut order: Vec<usize> = (0..sales.len()).collect();
    order.sort_by_key(|at| sales[*at].day);
    let mut outcomes: Vec<Option<WashOutcome>> = vec![None; sales.len()];
    for at in order {
        outcomes[at] = Some(match_sale(&sales[at], &mut bought)?);
    }
    outcomes.into_iter().collect()
}

fn match_sale(sale: &LossSale, bought: &mut [(&Acquisition, i64)]) -> Option<WashOutcome> {
    let window = sale.day.saturating_sub(WINDOW_DAYS)..=sale.day.saturating_add(WINDOW_DAYS);
    let held = i64::from(sale.day) - i64::from(sale.lot_day);
    let mut open = sale.qty.raw();
    let mut matches = Vec::new();
    for (acquisition, left) in bought.iter_mut() {
        let was_sold = acquisition.lot == sale.lot || sale.sold_with.contains(&acquisition.lot);
        let qty = open.min(*left);
        if was_sold || qty <= 0 || !window.contains(&acquisition.day) {
            continue;
        }
        *left -= qty;
        open -= qty;
        matches.push(Match {
            replacement: acquisition.lot.clone(),
            qty: Qty::from_raw(qty),
            basis_add: loss(sale, qty)?,
            holding_start: i64::from(acquisition.day) - held,
        });
    }
    Some(WashOutcome {
        disallowed: loss(sale, sale.qty.raw() - open)?,
        allowed: loss(sale, open)?,
        matches,
    })
}

fn loss(sale: &LossSale, qty: i64) -> Option<Notional> {
    sale.loss_per_share
        .raw()
        .checked_mul(i128::from(qty))
        .map(Notional::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_domain::fixed::{NOTIONAL_ONE, ONE};
    use tradewind_domain::time::{Date, parse_date};

    fn sale(lot: &str, day: &str, lot_day: &str, qty: i64, loss: i64) -> LossSale {
        LossSale {
            lot: lot.into(),
            sold_with: Vec::new(),
            day: parse_date(day).unwrap(),
            lot_day: parse_date(lot_day).unwrap(),
            qty: Qty::from_raw(qty * ONE),
            loss_per_share: Money::from_raw(i128::from(loss * ONE)),
        }
    }

    fn bought(lot: &str, day: &str, qty: i64) -> Acquisition {
        Acquisition {
            lot: lot.into(),
            day: parse_date(day).unwrap(),
            qty: Qty::from_raw(qty * ONE),
        }
    }

    /// Disallowed and allowed in whole units, and `lot qty basis holding-start` for each match.
    fn told(outcome: &WashOutcome) -> (i128, i128, Vec<String>) {
        let matches = outcome.matches.iter().map(|m| {
            let start = Date(u32::try_from(m.holding_start).unwrap());
            format!("{} {} {} {start}", m.replacement, m.qty, m.basis_add)
        });
        let whole = |amount: Notional| amount.raw() / NOTIONAL_ONE;
        (
            whole(outcome.disallowed),
            whole(outcome.allowed),
            matches.collect(),
        )
    }

    #[test]
    fn the_example_of_the_specification_comes_out() {
        let sales = [sale("L1", "2026-03-20", "2025-06-01", 150, 10)];
        let acquisitions = [
            bought("C", "2026-04-20", 100),
            bought("B", "2026-04-19", 60),
            bought("A", "2026-03-01", 50),
        ];
        let outcomes = wash_sales(&sales, &acquisitions).unwrap();
        let matches = vec!["A 50 500 2025-05-13".to_owned(), "B 60 600 2025-07-01".to_owned()];
        assert_eq!(told(&outcomes[0]), (1_100, 400, matches));
    }

    #[test]
    fn the_lot_itself_and_those_sold_with_it_replace_nothing() {
        let mut sold = sale("L1", "2026-03-20", "2026-03-10", 100, 10);
        sold.sold_with.push("L2".into());
        let acquisitions = [bought("L1", "2026-03-10", 100), bought("L2", "2026-03-11", 100)];
        let outcomes = wash_sales(&[sold], &acquisitions).unwrap();
        assert_eq!(told(&outcomes[0]), (0, 1_000, Vec::new()));
    }

    #[test]
    fn a_share_bought_disallows_one_loss_and_the_earlier_one() {
        let sales = [
            sale("L2", "2026-03-25", "2025-06-01", 80, 5),
            sale("L1", "2026-03-20", "2025-06-01", 80, 10),
        ];
        let outcomes = wash_sales(&sales, &[bought("N", "2026-03-22", 100)]).unwrap();
        assert_eq!((told(&outcomes[1]).0, told(&outcomes[0]).0), (800, 100));
    }

    #[test]
    fn a_loss_that_does_not_fit_is_none() {
        let mut sold = sale("L1", "2026-03-20", "2025-06-01", 150, 10);
        sold.loss_per_share = Money::MAX;
        assert_eq!(wash_sales(&[sold], &[]), None);
    }

    proptest! {
        /// No share of loss or of purchase is counted twice, and nothing of the loss gets lost.
        #[test]
        fn every_share_is_used_once(
            sales in prop::collection::vec((100u32..200, 1i64..50, 0i64..20), 0..12),
            buys in prop::collection::vec((60u32..240, 1i64..50), 0..12),
        ) {
            let sales: Vec<LossSale> = sales.iter().enumerate().map(|(at, (day, qty, loss))| LossSale {
                lot: format!("S{at}"), sold_with: Vec::new(), day: *day, lot_day: 50,
                qty: Qty::from_raw(*qty), loss_per_share: Money::from_raw(i128::from(*loss)),
            }).collect();
            let buys: Vec<Acquisition> = buys.iter().enumerate()
                .map(|(at, (day, qty))| Acquisition { lot: format!("B{at}"), day: *day, qty: Qty::from_raw(*qty) }).collect();
            let outcomes = wash_sales(&sales, &buys).unwrap();
            for (sale, outcome) in sales.iter().zip(&outcomes) {
                let matched: i64 = outcome.matches.iter().map(|m| m.qty.raw()).sum();
                prop_assert!(matched <= sale.qty.raw());
                let whole = sale.loss_per_share.raw() * i128::from(sale.qty.raw());
                prop_assert_eq!(outcome.disallowed.raw() + outcome.allowed.raw(), whole);
                prop_assert_eq!(outcome.disallowed.raw(), sale.loss_per_share.raw() * i128::from(matched));
                for found in &outcome.matches {
                    let buy = buys.iter().find(|buy| buy.lot == found.replacement).unwrap();
                    prop_assert!(buy.day.abs_diff(sale.day) <= WINDOW_DAYS);
                }
            }
            for buy in &buys {
                let used: i64 = outcomes.iter().flat_map(|o| &o.matches)
                    .filter(|m| m.replacement == buy.lot).map(|m| m.qty.raw()).sum();
                prop_assert!(used <= buy.qty.raw());
                // What is left of it replaces nothing that is still open in its window.
                let waits = sales.iter().zip(&outcomes).any(|(sale, outcome)| {
                    let matched: i64 = outcome.matches.iter().map(|m| m.qty.raw()).sum();
                    buy.day.abs_diff(sale.day) <= WINDOW_DAYS && matched < sale.qty.raw()
                });
                prop_assert!(used == buy.qty.raw() || !waits);
            }
        }
    }
}
