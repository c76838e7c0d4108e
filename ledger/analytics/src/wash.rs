//! The wash-sale rule (ANALYTICS section 8): a loss is not allowed as far as the same thing was bought around the sale.
//!
//! # Invariants
//! - Losses are matched in time order, each against the earliest acquisition in its window first, share for share.
//! - A share of an acquisition disallows one share of loss, once.
//!
//! Quantities are of one unit: who calls brings those of before a split into it.
//!
//! Not here: what is substantially identical (the caller gives sales and acquisitions of one identity group and one owner), and
//! accounts in which the loss is lost instead of deferred.

use tradewind_domain::fixed::{NetQty, Notional};
use tradewind_domain::time::DayNumber;
use tradewind_domain::wide::mul_div_half_even;

/// Days before and after a sale in which an acquisition counts, both inclusive.
pub const WINDOW_DAYS: u32 = 30;

/// Shares of one lot sold at a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossSale {
    /// The lot: its own acquisition replaces nothing.
    pub lot: String,
    /// Other lots that the same sale closed, which replace nothing either.
    pub sold_with: Vec<String>,
    /// When it was sold.
    pub day: DayNumber,
    /// When the lot was bought, or counts as held from; below zero before 1970.
    pub lot_day: i64,
    /// Shares sold, above zero.
    pub qty: NetQty,
    /// The loss on all of them, above zero.
    pub loss: Notional,
    /// Parts of the loss are multiples of this, rounded half even, and the remainder stays with what is left.
    pub unit: Notional,
}

/// Shares bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquisition {
    /// The lot that they became.
    pub lot: String,
    /// When.
    pub day: DayNumber,
    /// How many.
    pub qty: NetQty,
}

/// Shares that take over a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The lot that replaces the one sold.
    pub replacement: String,
    /// How many of its shares.
    pub qty: NetQty,
    /// What is added to their basis.
    pub basis_add: Notional,
    /// From when they count as held; below zero before 1970.
    pub holding_start: i64,
}

/// What becomes of the loss of one sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WashOutcome {
    /// The part that is not allowed now.
    pub disallowed: Notional,
    /// The part that is.
    pub allowed: Notional,
    /// Where the disallowed part went.
    pub matches: Vec<Match>,
}

/// Acquisitions, and what of them has not replaced anything yet.
#[derive(Clone, Debug, Default)]
pub struct Replacements {
    bought: Vec<Bought>,
}

#[derive(Clone, Debug)]
struct Bought {
    lot: String,
    day: DayNumber,
    /// Shares that are still held.
    held: i128,
    /// Those of them that have not replaced anything.
    free: i128,
}

impl Replacements {
    /// All shares are held and free.
    pub fn new(acquisitions: &[Acquisition]) -> Self {
        let bought = |acquisition: &Acquisition| Bought {
            lot: acquisition.lot.clone(),
            day: acquisition.day,
            held: acquisition.qty.raw(),
            free: acquisition.qty.raw(),
        };
        let mut bought: Vec<Bought> = acquisitions.iter().map(bought).collect();
        bought.sort_by_key(|bought| bought.day);
        Self { bought }
    }

    /// Shares of a lot are gone: they replace nothing that is sold from now on. Those that replaced something go first.
    pub fn sold(&mut self, lot: &str, qty: NetQty) {
        if let Some(bought) = self.bought.iter_mut().find(|bought| bought.lot == lot) {
            bought.held = bought.held.saturating_sub(qty.raw()).max(0);
            bought.free = bought.free.min(bought.held);
        }
    }

    /// A split has left so much of each of a holding's lots, oldest first: fractions moved from one to the other. Shares that have replaced
    /// something stay so; where a lot has no room for them any more, the next one takes them over.
    pub fn rescaled<'a>(&mut self, lots: impl IntoIterator<Item = (&'a str, NetQty)>) {
        let mut moved = 0;
        for (lot, now) in lots {
            if let Some(bought) = self.bought.iter_mut().find(|bought| bought.lot == lot) {
                let used = (bought.held - bought.free).saturating_add(moved);
                let kept = used.min(now.raw());
                moved = used - kept;
                (bought.held, bought.free) = (now.raw(), now.raw() - kept);
            }
        }
    }

    /// What becomes of the next loss; sales come in time order. `None` where an amount does not fit.
    pub fn sale(&mut self, sale: &LossSale) -> Option<WashOutcome> {
        let window = sale.day.saturating_sub(WINDOW_DAYS)..=sale.day.saturating_add(WINDOW_DAYS);
        let held = i64::from(sale.day).checked_sub(sale.lot_day)?;
        let (mut open, mut loss) = (sale.qty.raw(), sale.loss.raw());
        let mut matches = Vec::new();
        for bought in &mut self.bought {
            let was_sold = bought.lot == sale.lot || sale.sold_with.contains(&bought.lot);
            let qty = open.min(bought.free);
            if was_sold || qty <= 0 || !window.contains(&bought.day) {
                continue;
            }
            let part = share(loss, qty, open, sale.unit.raw())?;
            bought.free -= qty;
            open -= qty;
            loss = loss.checked_sub(part)?;
            matches.push(Match {
                replacement: bought.lot.clone(),
                qty: NetQty::from_raw(qty),
                basis_add: Notional::from_raw(part),
                holding_start: i64::from(bought.day).checked_sub(held)?,
            });
        }
        Some(WashOutcome {
            disallowed: Notional::from_raw(sale.loss.raw().checked_sub(loss)?),
            allowed: Notional::from_raw(loss),
            matches,
        })
    }
}

/// `loss * part / whole` in multiples of `unit`.
fn share(loss: i128, part: i128, whole: i128, unit: i128) -> Option<i128> {
    if part == whole {
        return Some(loss);
    }
    let units = mul_div_half_even(loss.checked_div(unit)?, part, whole)?;
    units.checked_mul(unit)
}

/// What becomes of each sale, in the order given. `None` where an amount does not fit.
pub fn wash_sales(sales: &[LossSale], acquisitions: &[Acquisition]) -> Option<Vec<WashOutcome>> {
    let mut replacements = Replacements::new(acquisitions);
    let mut order: Vec<usize> = (0..sales.len()).collect();
    order.sort_by_key(|at| sales[*at].day);
    let mut outcomes: Vec<Option<WashOutcome>> = vec![None; sales.len()];
    for at in order {
        outcomes[at] = Some(replacements.sale(&sales[at])?);
    }
    outcomes.into_iter().collect()
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
            lot_day: parse_date(lot_day).unwrap().into(),
            qty: NetQty::from_raw(i128::from(qty * ONE)),
            loss: Notional::from_raw(i128::from(qty * loss) * NOTIONAL_ONE),
            unit: Notional::from_raw(1),
        }
    }

    fn bought(lot: &str, day: &str, qty: i64) -> Acquisition {
        Acquisition {
            lot: lot.into(),
            day: parse_date(day).unwrap(),
            qty: NetQty::from_raw(i128::from(qty * ONE)),
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
    fn shares_that_were_sold_before_replace_nothing() {
        let mut replacements = Replacements::new(&[bought("N", "2026-03-10", 100)]);
        replacements.sold("N", NetQty::from_raw(i128::from(70 * ONE)));
        let outcome = replacements
            .sale(&sale("L1", "2026-03-20", "2025-06-01", 80, 10))
            .unwrap();
        assert_eq!((told(&outcome).0, told(&outcome).1), (300, 500));
        // The thirty that replaced something are sold next; nothing of them is free.
        replacements.sold("N", NetQty::from_raw(i128::from(30 * ONE)));
        let outcome = replacements
            .sale(&sale("L2", "2026-03-21", "2025-06-01", 80, 10))
            .unwrap();
        assert_eq!(told(&outcome).0, 0);
    }

    #[test]
    fn shares_that_a_split_moves_from_one_lot_to_another_are_as_free_as_they_were() {
        let mut replacements =
            Replacements::new(&[bought("A", "2026-03-10", 10), bought("B", "2026-03-11", 10)]);
        let told_of = |replacements: &mut Replacements, lot: &str| {
            let outcome = replacements.sale(&sale(lot, "2026-03-20", "2025-06-01", 15, 10));
            let (disallowed, _, matches) = told(&outcome.unwrap());
            (disallowed, matches.len())
        };
        let units = |qty: i64| NetQty::from_raw(i128::from(qty * ONE));
        replacements.rescaled([("A", units(8)), ("B", units(12))]);
        assert_eq!(told_of(&mut replacements, "L1"), (150, 2), "8 of A and 7 of B");
        assert_eq!(told_of(&mut replacements, "L2"), (50, 1), "5 of B are free");
        replacements.rescaled([("A", units(0)), ("B", units(20))]);
        assert_eq!(
            told_of(&mut replacements, "L3"),
            (0, 0),
            "what A had replaced is B's now"
        );
    }

    #[test]
    fn a_loss_that_does_not_fit_is_none() {
        let mut sold = sale("L1", "2026-03-20", "2025-06-01", 150, 10);
        (sold.loss, sold.unit) = (Notional::MAX, Notional::ZERO);
        assert_eq!(wash_sales(&[sold], &[bought("N", "2026-03-22", 1)]), None);
    }

    #[test]
    fn parts_of_a_loss_are_whole_cents_and_the_remainder_stays() {
        let mut sold = sale("L1", "2026-03-20", "2025-06-01", 3, 0);
        (sold.loss, sold.unit) = (
            Notional::from_raw(NOTIONAL_ONE),
            Notional::from_raw(NOTIONAL_ONE / 100),
        );
        let outcomes = wash_sales(
            &[sold],
            &[bought("A", "2026-03-21", 1), bought("B", "2026-03-22", 1)],
        )
        .unwrap();
        let parts: Vec<String> = outcomes[0]
            .matches
            .iter()
            .map(|m| m.basis_add.to_string())
            .collect();
        assert_eq!(parts, ["0.33", "0.34"]); // 1.00 / 3, then 0.67 / 2 to even
        assert_eq!(outcomes[0].allowed.to_string(), "0.33");
    }

    proptest! {
        /// No share of loss or of purchase is counted twice, and nothing of the loss gets lost.
        #[test]
        fn every_share_is_used_once(
            sales in prop::collection::vec((100u32..200, 1i128..50, 0i128..2_000), 0..12),
            buys in prop::collection::vec((60u32..240, 1i128..50), 0..12),
        ) {
            let sales: Vec<LossSale> = sales.iter().enumerate().map(|(at, (day, qty, loss))| LossSale {
                lot: format!("S{at}"), sold_with: Vec::new(), day: *day, lot_day: 50,
                qty: NetQty::from_raw(*qty), loss: Notional::from_raw(*loss), unit: Notional::from_raw(1),
            }).collect();
            let buys: Vec<Acquisition> = buys.iter().enumerate()
                .map(|(at, (day, qty))| Acquisition { lot: format!("B{at}"), day: *day, qty: NetQty::from_raw(*qty) }).collect();
            let outcomes = wash_sales(&sales, &buys).unwrap();
            let matched = |outcome: &WashOutcome| outcome.matches.iter().map(|m| m.qty.raw()).sum::<i128>();
            for (sale, outcome) in sales.iter().zip(&outcomes) {
                prop_assert!(matched(outcome) <= sale.qty.raw());
                prop_assert_eq!(outcome.disallowed.raw() + outcome.allowed.raw(), sale.loss.raw());
                let exact = sale.loss.raw() * matched(outcome);
                // Each part is rounded once.
                prop_assert!((outcome.disallowed.raw() * sale.qty.raw() - exact).abs() <= sale.qty.raw() * outcome.matches.len() as i128);
                for found in &outcome.matches {
                    let buy = buys.iter().find(|buy| buy.lot == found.replacement).unwrap();
                    prop_assert!(buy.day.abs_diff(sale.day) <= WINDOW_DAYS);
                }
            }
            for buy in &buys {
                let used: i128 = outcomes.iter().flat_map(|o| &o.matches)
                    .filter(|m| m.replacement == buy.lot).map(|m| m.qty.raw()).sum();
                prop_assert!(used <= buy.qty.raw());
                // What is left of it replaces nothing that is still open in its window.
                let waits = sales.iter().zip(&outcomes)
                    .any(|(sale, outcome)| buy.day.abs_diff(sale.day) <= WINDOW_DAYS && matched(outcome) < sale.qty.raw());
                prop_assert!(used == buy.qty.raw() || !waits);
            }
        }
    }
}
