//! Rounding of products to a number of decimals (SETTLEMENT section 5). Every product is rounded once.
//!
//! Powers of ten come from a table, and values that fit 64 bits take 64-bit operations: the wide path exists for correctness, not
//! for speed.

use crate::fixed::{Money, NetQty, Notional, ONE, Price, Qty};
use crate::reference::Instrument;
use crate::wide::mul_div_half_even;

/// How the part that does not fit is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Halves away from zero, alike for both signs: posted money.
    HalfUp,
    /// Halves to the even neighbour: internal splits, where the remainder stays with the rest.
    HalfEven,
    /// Towards plus infinity: reservations and limit values, so that rounding never hides exposure.
    Ceiling,
    /// Towards zero: what is shown and never posted.
    Down,
}

/// Powers of ten that fit 128 bits.
static POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// `10^exponent`, where it fits.
#[inline]
fn power(exponent: u32) -> Option<i128> {
    POWERS.get(exponent as usize).copied()
}

/// `a * b`, where it fits: one multiplication where `a` has 64 bits.
#[inline]
fn product(a: i128, b: i64) -> Option<i128> {
    match i64::try_from(a) {
        Ok(a) => Some(i128::from(a) * i128::from(b)),
        Err(_) => a.checked_mul(i128::from(b)),
    }
}

/// `numerator / denominator` rounded. `denominator` must be positive; `None` for zero or a negative one.
#[inline]
pub fn div_round(numerator: i128, denominator: i128, mode: Rounding) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let (quotient, remainder) = div_rem(numerator, denominator);
    let rest = remainder.unsigned_abs();
    let goes_up = || {
        goes_away(
            quotient & 1 != 0,
            numerator < 0,
            rest,
            denominator.unsigned_abs(),
            mode,
        )
    };
    if rest == 0 || !goes_up() {
        return Some(quotient);
    }
    Some(if numerator < 0 { quotient - 1 } else { quotient + 1 })
}

/// True where a quotient that leaves `rest` of `denominator` is rounded away from zero.
#[inline]
fn goes_away<N: Copy + Ord + std::ops::Sub<Output = N>>(
    is_odd: bool,
    is_negative: bool,
    rest: N,
    denominator: N,
    mode: Rounding,
) -> bool {
    let other = denominator - rest;
    match mode {
        Rounding::Ceiling => !is_negative,
        Rounding::Down => false,
        Rounding::HalfUp => rest >= other,
        Rounding::HalfEven => rest > other || (rest == other && is_odd),
    }
}

/// Powers of five that fit 64 bits.
static FIVES: [u64; 28] = {
    let mut fives = [1; 28];
    let mut at = 1;
    while at < fives.len() {
        fives[at] = fives[at - 1] * 5;
        at += 1;
    }
    fives
};

/// `value / 10^decimals` rounded; `None` where that power does not fit.
#[inline]
fn drop_decimals(value: i128, decimals: u32, mode: Rounding) -> Option<i128> {
    let denominator = power(decimals)?;
    let (Ok(value), Ok(denominator)) = (i64::try_from(value), u64::try_from(denominator)) else {
        return Some(drop_of_wide(value, decimals, denominator.unsigned_abs(), mode));
    };
    let magnitude = value.unsigned_abs();
    let (quotient, rest) = (magnitude / denominator, magnitude % denominator);
    let goes_up = rest != 0 && goes_away(quotient & 1 != 0, value < 0, rest, denominator, mode);
    let rounded = i128::from(quotient) + i128::from(goes_up);
    Some(if value < 0 { -rounded } else { rounded })
}

/// Ten is two times five: what is left of nearly every amount once it is shifted has 64 bits, and is divided in one step.
fn drop_of_wide(value: i128, decimals: u32, denominator: u128, mode: Rounding) -> i128 {
    let magnitude = value.unsigned_abs();
    let quotient = match (u64::try_from(magnitude >> decimals), FIVES.get(decimals as usize)) {
        (Ok(shifted), Some(five)) => u128::from(shifted / five),
        _ => magnitude / denominator,
    };
    let rest = magnitude - quotient * denominator;
    let goes_up = rest != 0 && goes_away(quotient & 1 != 0, value < 0, rest, denominator, mode);
    // The least value has no opposite: its magnitude is itself, and so is the opposite of that.
    let rounded = (quotient + u128::from(goes_up)) as i128;
    if value < 0 {
        rounded.wrapping_neg()
    } else {
        rounded
    }
}

#[inline]
fn div_rem(numerator: i128, denominator: i128) -> (i128, i128) {
    match (i64::try_from(numerator), i64::try_from(denominator)) {
        (Ok(n), Ok(d)) => (i128::from(n.wrapping_div(d)), i128::from(n.wrapping_rem(d))),
        _ => (numerator / denominator, numerator % denominator),
    }
}

/// `value * factor`, where `factor` has 8 decimals, kept exact as `(product, decimals)` with 8 more decimals;
/// whole factors add none.
#[inline]
fn times_factor(value: i128, decimals: u32, factor: i64) -> Option<(i128, u32)> {
    if factor == ONE {
        return Some((value, decimals));
    }
    if factor % ONE == 0 {
        return Some((product(value, factor / ONE)?, decimals));
    }
    Some((product(value, factor)?, decimals + 8))
}

/// Rounds a value with `decimals` decimals to `dp` decimals and gives it in [`Money`]'s 8.
#[inline]
pub fn to_money(value: i128, decimals: u32, dp: u8, mode: Rounding) -> Option<Money> {
    let dp = u32::from(dp.min(8));
    let drop = decimals.checked_sub(dp)?;
    let minor = drop_decimals(value, drop, mode)?;
    // At most 10^8: it fits.
    Some(Money::from_raw(product(minor, power(8 - dp)? as i64)?))
}

/// Money value of `qty` at `px` in the instrument's currency: `qty * px * mult`, or `qty * mult / px` for inverse
/// contracts, rounded once to the currency's minor unit. `None` where it does not fit, is more than one event may move
/// ([`POSTED_MAX`](crate::fixed::POSTED_MAX)) or an inverse price is not positive.
#[inline]
pub fn principal(instrument: &Instrument, qty: Qty, px: Price, mode: Rounding) -> Option<Money> {
    value_of(instrument, NetQty::from(qty), px, mode).filter(|money| money.is_postable())
}

/// As [`principal`], for a position's quantity; the sign follows the quantity.
#[inline]
pub fn value_of(instrument: &Instrument, qty: NetQty, px: Price, mode: Rounding) -> Option<Money> {
    let dp = instrument.money_dp;
    if instrument.is_inverse() {
        let scaled = qty.raw().checked_mul(i128::from(instrument.mult))?;
        let denominator = i128::from(px.raw()).checked_mul(10i128.pow(8 - u32::from(dp.min(8))))?;
        let minor = div_round(scaled, denominator, mode)?;
        return Some(Money::from_raw(
            minor.checked_mul(10i128.pow(8 - u32::from(dp.min(8))))?,
        ));
    }
    let value = product(qty.raw(), px.raw())?;
    let (exact, decimals) = times_factor(value, 16, instrument.mult)?;
    to_money(exact, decimals, dp, mode)
}

/// The price at which `qty` comes to `value`: an average, half even at 1e-8, to be shown and to spread a value by. `None` where there is
/// none that fits.
pub fn average_price(instrument: &Instrument, qty: Qty, value: Money) -> Option<Price> {
    let (qty, mult) = (i128::from(qty.raw()), i128::from(instrument.mult));
    let px = if instrument.is_inverse() {
        mul_div_half_even(qty, mult, value.raw())?
    } else {
        mul_div_half_even(
            value.raw(),
            i128::from(ONE) * i128::from(ONE),
            qty.checked_mul(mult)?,
        )?
    };
    i64::try_from(px).ok().map(Price::from_raw)
}

/// As [`value_of`], of which `rate` (8 decimals) is taken: funding. Rounded once.
pub fn value_share(
    instrument: &Instrument,
    qty: NetQty,
    px: Price,
    rate: i64,
    mode: Rounding,
) -> Option<Money> {
    let dp = u32::from(instrument.money_dp.min(8));
    if instrument.is_inverse() {
        let scaled = qty
            .raw()
            .checked_mul(i128::from(instrument.mult))?
            .checked_mul(i128::from(rate))?;
        let denominator = i128::from(px.raw()).checked_mul(10i128.pow(16 - dp))?;
        let minor = div_round(scaled, denominator, mode)?;
        return Some(Money::from_raw(minor.checked_mul(10i128.pow(8 - dp))?));
    }
    let product = qty.raw().checked_mul(i128::from(px.raw()))?;
    let (exact, decimals) = times_factor(product, 16, instrument.mult)?;
    let (exact, decimals) = times_factor(exact, decimals, rate)?;
    to_money(exact, decimals, instrument.money_dp, mode)
}

/// Base value of one unit, ceiled once to 1e-8 (LIMITS section 1): `px * mult * fx`, inverse `mult / px * fx`.
/// `fx` is base units per unit of the instrument's currency, with 8 decimals. `None` where it does not fit.
#[inline]
pub fn unit_value(instrument: &Instrument, px: Price, fx: i64) -> Option<i64> {
    let exact = if instrument.is_inverse() {
        let numerator = i128::from(instrument.mult).checked_mul(i128::from(fx))?;
        div_round(numerator, i128::from(px.raw()), Rounding::Ceiling)?
    } else {
        let (value, decimals) = times_factor(i128::from(px.raw()), 8, instrument.mult)?;
        let (value, decimals) = times_factor(value, decimals, fx)?;
        if decimals == 8 {
            value
        } else {
            drop_decimals(value, decimals - 8, Rounding::Ceiling)?
        }
    };
    i64::try_from(exact).ok()
}

/// `qty * unit`, exact.
#[inline]
pub fn notional(qty: Qty, unit: i64) -> Notional {
    // Two 64-bit factors always fit 128 bits.
    Notional::from_raw(i128::from(qty.raw()) * i128::from(unit))
}

/// The share `part / whole` of `amount`, rounded half even to `dp` decimals: the remainder stays with the rest.
/// `None` where `whole` is not positive or the product does not fit.
#[inline]
pub fn split(amount: Money, part: NetQty, whole: NetQty, dp: u8) -> Option<Money> {
    let minor_unit = 10i128.pow(8 - u32::from(dp.min(8)));
    let minor = amount.raw() / minor_unit;
    let share = div_round(minor.checked_mul(part.raw())?, whole.raw(), Rounding::HalfEven)?;
    Some(Money::from_raw(share.checked_mul(minor_unit)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MODES: [Rounding; 4] = [
        Rounding::HalfUp,
        Rounding::HalfEven,
        Rounding::Ceiling,
        Rounding::Down,
    ];

    proptest! {
        #[test]
        fn dropping_decimals_is_dividing_by_a_power_of_ten(
            value: i128,
            size in 0u32..127,
            decimals in 0u32..39,
            off in -1i128..2,
        ) {
            let unit = power(decimals).unwrap();
            let value = value >> size;
            // Halves and multiples, and their neighbours, come by themselves too seldom.
            let half = (value / unit).checked_mul(unit).map(|whole| whole.saturating_add(unit / 2));
            for value in [Some(value), half, half.and_then(|half| half.checked_add(off))].into_iter().flatten() {
                for mode in MODES {
                    prop_assert_eq!(drop_decimals(value, decimals, mode), div_round(value, unit, mode), "{} {:?}", value, mode);
                }
            }
        }
    }

    #[test]
    fn the_least_value_drops_its_decimals_like_any() {
        for decimals in 0..39 {
            for mode in MODES {
                let expected = div_round(i128::MIN, power(decimals).unwrap(), mode);
                assert_eq!(drop_decimals(i128::MIN, decimals, mode), expected);
            }
        }
        assert_eq!(drop_decimals(1, 39, Rounding::Down), None);
    }

    #[test]
    fn rounds_as_settlement_section_5_shows() {
        let cents = |v: i128, mode| div_round(v, 10, mode).unwrap();
        assert_eq!(cents(2345, Rounding::HalfUp), 235);
        assert_eq!(cents(2345, Rounding::HalfEven), 234);
        assert_eq!(cents(-2345, Rounding::HalfUp), -235);
        assert_eq!(cents(-2341, Rounding::Ceiling), -234);
        assert_eq!(cents(2341, Rounding::Ceiling), 235);
        assert_eq!(cents(-2349, Rounding::Down), -234);
    }

    #[test]
    fn division_by_nothing_is_none() {
        assert_eq!(div_round(1, 0, Rounding::HalfUp), None);
        assert_eq!(div_round(1, -1, Rounding::HalfUp), None);
    }

    #[test]
    fn splits_keep_the_remainder_with_the_rest() {
        let dollars = |c: i128| Money::from_raw(c * 1_000_000);
        let shares = |n: i128| NetQty::from_raw(n * 100_000_000);
        // 3 @ 33.335 = 100.01; one sold removes 33.34 and 66.67 stay; one more removes 33.34 (33.335 to even).
        assert_eq!(
            split(dollars(10_001), shares(1), shares(3), 2),
            Some(dollars(3334))
        );
        assert_eq!(split(dollars(6667), shares(1), shares(2), 2), Some(dollars(3334)));
    }

    #[test]
    fn an_average_price_spreads_a_value_over_a_quantity() {
        let linear = Instrument::default_linear();
        let block = Money::from_raw(100_001_000_000);
        let px = average_price(&linear, Qty::from_raw(100 * ONE), block);
        assert_eq!(px, Some(Price::from_raw(1_000_010_000)));
        let third = average_price(&linear, Qty::from_raw(3 * ONE), Money::from_raw(200_000_000));
        assert_eq!(third, Some(Price::from_raw(66_666_667)));
        assert_eq!(average_price(&linear, Qty::ZERO, block), None);
        let mut inverse = Instrument::default_linear();
        inverse.kind = crate::codes::InstrumentKind::Inverse as u8;
        let px = average_price(
            &inverse,
            Qty::from_raw(10_000 * ONE),
            Money::from_raw(125_000_000),
        );
        assert_eq!(px, Some(Price::from_raw(8_000 * ONE)));
    }

    #[test]
    fn principal_rounds_once_and_inverse_divides() {
        let mut linear = Instrument::default_linear();
        linear.money_dp = 2;
        let px = Price::from_raw(3_333_500_000);
        assert_eq!(
            principal(&linear, Qty::from_raw(3 * ONE), px, Rounding::HalfUp),
            Some(Money::from_raw(10_001_000_000))
        );
        let mut inverse = Instrument::default_linear();
        inverse.kind = crate::codes::InstrumentKind::Inverse as u8;
        inverse.money_dp = 8;
        let value = principal(
            &inverse,
            Qty::from_raw(10_000 * ONE),
            Price::from_raw(8000 * ONE),
            Rounding::HalfUp,
        );
        assert_eq!(value, Some(Money::from_raw(125_000_000)));
    }

    #[test]
    fn unit_values_are_ceiled_and_overflow_is_none() {
        let linear = Instrument::default_linear();
        assert_eq!(unit_value(&linear, Price::from_raw(3), 50_000_000), Some(2));
        let mut large = Instrument::default_linear();
        large.mult = i64::MAX;
        assert_eq!(unit_value(&large, Price::from_raw(i64::MAX), i64::MAX), None);
    }
}
