//! What gains and losses of a year leave for tax (ANALYTICS section 8): short against short, long against long, then across, so much of the
//! excess against income, and the rest to the next year.
//!
//! # Invariants
//! - Nothing gets lost: what a year is net of plus what goes against income is what it carries, or a gain.
//! - What is carried keeps its term. Income takes short-term losses first.
//!
//! Not here: whose losses these are, currencies, tax rates.

use tradewind_domain::fixed::Money;

/// Gains (above zero) or losses (below) by term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByTerm {
    /// Held a year or less.
    pub short: Money,
    /// Held longer.
    pub long: Money,
}

/// What a year leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Netted {
    /// By term, with what the year before carried.
    pub by_term: ByTerm,
    /// Both together.
    pub net: Money,
    /// The part of a loss that goes against income, zero or above.
    pub against_income: Money,
    /// What goes to the next year, zero or below.
    pub carried: ByTerm,
}

/// Nets a year. `offset_max` is the most that goes against income, zero or above. `None` where a sum does not fit.
pub fn netted(year: ByTerm, carried: ByTerm, offset_max: Money) -> Option<Netted> {
    let short = year.short.raw().checked_add(carried.short.raw())?;
    let long = year.long.raw().checked_add(carried.long.raw())?;
    let net = short.checked_add(long)?;
    let offset = net.checked_neg()?.clamp(0, offset_max.raw().max(0));
    // Of a loss, the term that is a gain has used up its share of the other.
    let (short_left, long_left) = match (net < 0, short < 0, long < 0) {
        (false, ..) => (0, 0),
        (true, true, true) => (short, long),
        (true, true, false) => (net, 0),
        (true, false, _) => (0, net),
    };
    let of_short = offset.min(-short_left);
    Some(Netted {
        by_term: ByTerm {
            short: Money::from_raw(short),
            long: Money::from_raw(long),
        },
        net: Money::from_raw(net),
        against_income: Money::from_raw(offset),
        carried: ByTerm {
            short: Money::from_raw(short_left + of_short),
            long: Money::from_raw(long_left + (offset - of_short)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_term(short: i128, long: i128) -> ByTerm {
        ByTerm {
            short: Money::from_raw(short),
            long: Money::from_raw(long),
        }
    }

    /// Net, against income, carried short, carried long.
    fn told(year: (i128, i128), carried: (i128, i128)) -> [i128; 4] {
        let found = netted(
            by_term(year.0, year.1),
            by_term(carried.0, carried.1),
            Money::from_raw(3_000),
        );
        let found = found.expect("figures that fit");
        [
            found.net,
            found.against_income,
            found.carried.short,
            found.carried.long,
        ]
        .map(Money::raw)
    }

    #[test]
    fn losses_go_against_gains_then_income_and_the_rest_is_carried_by_its_term() {
        assert_eq!(told((500, -200), (0, 0)), [300, 0, 0, 0]);
        assert_eq!(told((-500, -200), (0, 0)), [-700, 700, 0, 0]);
        assert_eq!(told((-5_000, 1_000), (0, 0)), [-4_000, 3_000, -1_000, 0]);
        assert_eq!(told((1_000, -9_000), (0, 0)), [-8_000, 3_000, 0, -5_000]);
        // Income takes short-term losses first.
        assert_eq!(told((-2_000, -4_000), (0, 0)), [-6_000, 3_000, 0, -3_000]);
        assert_eq!(told((-4_000, -4_000), (0, 0)), [-8_000, 3_000, -1_000, -4_000]);
        // What was carried counts first of all against gains of its own term.
        assert_eq!(told((700, 900), (-1_000, -100)), [500, 0, 0, 0]);
        assert_eq!(told((0, 0), (0, -3_001)), [-3_001, 3_000, 0, -1]);
    }

    #[test]
    fn sums_that_do_not_fit_are_none() {
        assert_eq!(netted(by_term(i128::MIN, 0), by_term(-1, 0), Money::ZERO), None);
        assert_eq!(netted(by_term(i128::MIN, 0), by_term(0, 0), Money::ZERO), None);
    }

    proptest! {
        #[test]
        fn nothing_gets_lost(year in (-9_000i128..9_000, -9_000i128..9_000), carried in (-9_000i128..=0, -9_000i128..=0)) {
            let [net, offset, short, long] = told(year, carried);
            prop_assert_eq!(net, year.0 + year.1 + carried.0 + carried.1);
            prop_assert!((0..=3_000).contains(&offset) && short <= 0 && long <= 0);
            prop_assert_eq!(short + long, (net + offset).min(0));
            prop_assert!(offset == 3_000 || short + long == 0, "income takes what it can");
        }
    }
}
