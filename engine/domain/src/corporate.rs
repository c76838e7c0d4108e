//! Arithmetic of corporate actions, shared by all who hold quantities: the limit check, the positions, the lots (SETTLEMENT sections
//! 6 and 12).
//!
//! Invariant: integers only, each product rounded once; what does not fit is `None`.

use crate::fixed::{Money, NetQty, ONE, Price};
use crate::reference::Instrument;
use crate::rounding::{Rounding, div_round};

/// `numerator` new units for `denominator` old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// New units ...
    pub numerator: u32,
    /// ... for old units.
    pub denominator: u32,
}

impl Ratio {
    /// `None` where one of them is zero.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator == 0 || denominator == 0 {
            return None;
        }
        Some(Self {
            numerator,
            denominator,
        })
    }

    /// A price after the split, half up at 1e-8. `None` where it does not fit.
    pub fn price(self, px: i64) -> Option<i64> {
        scaled(px, self.denominator, self.numerator)
    }

    /// A usual quantity after the split, half up at 1e-8: volumes and averages. `None` where it does not fit.
    pub fn volume(self, qty: i64) -> Option<i64> {
        scaled(qty, self.numerator, self.denominator)
    }
}

fn scaled(value: i64, times: u32, by: u32) -> Option<i64> {
    let scaled = div_round(i128::from(value) * i128::from(times), by.into(), Rounding::HalfUp);
    i64::try_from(scaled?).ok()
}

/// What a split makes of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitQty {
    /// Whole steps of quantity.
    pub qty: NetQty,
    /// What is beyond them, in units of `1e-8 / denominator`: paid in cash.
    pub fraction: i128,
}

impl SplitQty {
    /// A quantity that is not negative, with steps of `step` (at 1e-8; below one counts as the smallest).
    pub fn of(qty: NetQty, ratio: Ratio, step: i64) -> Option<Self> {
        let exact = qty.raw().checked_mul(i128::from(ratio.numerator))?;
        let step = i128::from(step.max(1)).checked_mul(i128::from(ratio.denominator))?;
        let fraction = exact.checked_rem(step)?;
        Some(Self {
            qty: NetQty::from_raw((exact - fraction) / i128::from(ratio.denominator)),
            fraction,
        })
    }

    /// What the fraction is worth at a price per new unit, half up to the minor unit.
    pub fn cash(&self, ratio: Ratio, instrument: &Instrument, px: Price) -> Option<Money> {
        let dp = u32::from(instrument.money_dp.min(8));
        let product = self
            .fraction
            .checked_mul(i128::from(px.raw()))?
            .checked_mul(i128::from(instrument.mult))?;
        // Fraction, price and multiplier have 8 decimals each.
        let unit = 10i128.pow(24 - dp).checked_mul(i128::from(ratio.denominator))?;
        let minor = div_round(product, unit, Rounding::HalfUp)?;
        Some(Money::from_raw(minor.checked_mul(10i128.pow(8 - dp))?))
    }
}

/// A cash dividend on a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dividend {
    /// Gross amount; negative where a short position pays it.
    pub gross: Money,
    /// Tax that is withheld from a long position.
    pub withheld: Money,
}

impl Dividend {
    /// `gross = qty * rate` and its withheld share, each half up to the minor unit; a short position pays gross.
    pub fn of(qty: NetQty, per_unit: Money, withhold_bps: u32, money_dp: u8) -> Option<Self> {
        let unit = 10i128.pow(8 - u32::from(money_dp.min(8)));
        let product = qty.raw().checked_mul(per_unit.raw())?;
        let gross = div_round(product, i128::from(ONE) * unit, Rounding::HalfUp)?;
        let withheld = if qty.raw() > 0 {
            div_round(
                gross.checked_mul(i128::from(withhold_bps))?,
                10_000,
                Rounding::HalfUp,
            )?
        } else {
            0
        };
        Some(Self {
            gross: Money::from_raw(gross.checked_mul(unit)?),
            withheld: Money::from_raw(withheld.checked_mul(unit)?),
        })
    }

    /// What the account gets.
    pub const fn net(&self) -> Money {
        Money::from_raw(self.gross.raw().wrapping_sub(self.withheld.raw()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: i64 = ONE;

    fn units(n: i128) -> NetQty {
        NetQty::from_raw(n * i128::from(ONE))
    }

    fn cents(n: i128) -> Money {
        Money::from_raw(n * 1_000_000)
    }

    #[test]
    fn one_for_three_leaves_a_third_that_is_paid_in_cash() {
        let ratio = Ratio::new(1, 3).unwrap();
        let split = SplitQty::of(units(100), ratio, WHOLE).unwrap();
        assert_eq!(split.qty, units(33));
        let share = Instrument::default_linear();
        assert_eq!(
            split.cash(ratio, &share, Price::from_raw(27 * ONE)),
            Some(cents(900))
        );
        assert_eq!(
            ratio.price(9 * ONE),
            Some(27 * ONE),
            "a price rises as the quantity falls"
        );
        assert_eq!(ratio.volume(300), Some(100));
    }

    #[test]
    fn dividends_are_withheld_from_long_positions_only() {
        let per_unit = Money::from_raw(33_300_000);
        let long = Dividend::of(units(100), per_unit, 1_500, 2).unwrap();
        assert_eq!(
            (long.gross, long.withheld, long.net()),
            (cents(3330), cents(500), cents(2830))
        );
        let short = Dividend::of(units(-100), Money::from_raw(25_000_000), 1_500, 2).unwrap();
        assert_eq!((short.gross, short.withheld), (cents(-2500), Money::ZERO));
    }

    #[test]
    fn what_does_not_fit_is_none() {
        let ratio = Ratio::new(u32::MAX, 1).unwrap();
        assert_eq!(SplitQty::of(NetQty::MAX, ratio, 1), None);
        assert_eq!(ratio.volume(i64::MAX), None);
        assert_eq!(Ratio::new(0, 1), None);
        assert_eq!(Dividend::of(NetQty::MAX, Money::MAX, 0, 2), None);
    }
}
