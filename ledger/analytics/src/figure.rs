//! Exact figures that are no money: returns, shares, means over scenarios.

use std::fmt;
use tradewind_domain::rounding::{Rounding, div_round};
use tradewind_domain::wide::mul_div_half_even;

/// Raw value of 1 in a [`Figure`].
pub const FIGURE_ONE: i128 = 1_000_000_000_000_000_000;
/// Decimals that are shown.
const SHOWN_DP: u32 = 12;

/// A figure at 1e-18: 0.01 is 1 %. Shown with at most 12 decimals, halves to the even neighbour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Figure(i128);

impl Figure {
    /// Zero.
    pub const ZERO: Self = Self(0);
    /// One: the whole, or an index at its start.
    pub const ONE: Self = Self(FIGURE_ONE);

    /// From the scaled integer.
    pub const fn from_raw(raw: i128) -> Self {
        Self(raw)
    }

    /// The scaled integer.
    pub const fn raw(self) -> i128 {
        self.0
    }

    /// `part / whole`. `None` where `whole` is not positive or it does not fit.
    pub fn of(part: i128, whole: i128) -> Option<Self> {
        mul_div_half_even(part, FIGURE_ONE, whole).map(Self)
    }

    /// This times `part / whole`. `None` where `whole` is not positive or it does not fit.
    pub fn times(self, part: i128, whole: i128) -> Option<Self> {
        mul_div_half_even(self.0, part, whole).map(Self)
    }

    /// This less one: from an index to a return.
    pub fn less_one(self) -> Option<Self> {
        self.0.checked_sub(FIGURE_ONE).map(Self)
    }

    /// The nearest float, for ratios and pictures.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / FIGURE_ONE as f64
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_i128.pow(18 - SHOWN_DP);
        let rounded = div_round(self.0, unit, Rounding::HalfEven)
            .unwrap_or(0)
            .unsigned_abs();
        let one = 10_u128.pow(SHOWN_DP);
        let (whole, mut fraction, mut width) = (rounded / one, rounded % one, SHOWN_DP as usize);
        let sign = if self.0 < 0 && rounded != 0 { "-" } else { "" };
        if fraction == 0 {
            return f.pad(&format!("{sign}{whole}"));
        }
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        f.pad(&format!("{sign}{whole}.{fraction:0width$}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_with_twelve_decimals_and_no_zeros_behind() {
        let shown = |part, whole| Figure::of(part, whole).map(|figure| figure.to_string());
        assert_eq!(shown(1, 3).as_deref(), Some("0.333333333333"));
        assert_eq!(shown(2, 3).as_deref(), Some("0.666666666667"));
        assert_eq!(shown(-9, 200).as_deref(), Some("-0.045"));
        assert_eq!(shown(12, 4).as_deref(), Some("3"));
        assert_eq!(shown(-1, 10_i128.pow(15)).as_deref(), Some("0"));
        assert_eq!(shown(1, 0), None);
        assert_eq!(shown(1, -1), None);
    }

    #[test]
    fn what_does_not_fit_is_none() {
        assert_eq!(Figure::of(i128::MAX, 1), None);
        assert_eq!(Figure::from_raw(i128::MIN).less_one(), None);
        assert_eq!(Figure::ONE.times(3, 4), Figure::of(3, 4));
    }
}
