//! Products of 256 bits, for the rare amounts that leave 128: `a * b / c`, comparisons of products, shares of money.
//!
//! The wide road is slow (one step per bit of a division) and exact; the 128-bit road comes first.

use crate::fixed::{Money, NetQty};
use crate::rounding;
use std::cmp::Ordering;

/// The share `part / whole` of `amount`: half even to the minor unit, the remainder stays. `part` is at most `whole`, so the
/// share is never more than the amount and always fits.
#[inline]
pub fn share(amount: Money, part: i128, whole: i128, dp: u8) -> Money {
    if let Some(share) = rounding::split(amount, NetQty::from_raw(part), NetQty::from_raw(whole), dp) {
        return share;
    }
    let minor_unit = 10i128.pow(8 - u32::from(dp.min(8)));
    let minor = mul_div_half_even(amount.raw() / minor_unit, part, whole).unwrap_or(0);
    Money::from_raw(minor * minor_unit)
}

/// Compares `a.0 * a.1` with `b.0 * b.1`.
#[inline]
pub fn compare_products(a: (i128, i128), b: (i128, i128)) -> Ordering {
    match (a.0.checked_mul(a.1), b.0.checked_mul(b.1)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => wide_product(a).cmp(&wide_product(b)),
    }
}

/// A product as something that sorts like it: its sign, then its magnitude, which counts backwards below zero.
fn wide_product((a, b): (i128, i128)) -> (i128, u128, u128) {
    let (high, low) = widening_mul(a.unsigned_abs(), b.unsigned_abs());
    match a.signum() * b.signum() {
        -1 => (-1, !high, !low),
        sign => (sign, high, low),
    }
}

/// `a * b / c`, halves to the even neighbour. `None` where `c` is not positive or the result does not fit.
pub fn mul_div_half_even(a: i128, b: i128, c: i128) -> Option<i128> {
    if c <= 0 {
        return None;
    }
    let divisor = c.unsigned_abs();
    let (high, low) = widening_mul(a.unsigned_abs(), b.unsigned_abs());
    let (quotient, remainder) = div_rem(high, low, divisor)?;
    let other = divisor - remainder;
    let away = remainder > other || (remainder == other && quotient & 1 == 1);
    let magnitude = quotient.checked_add(u128::from(away))?;
    if (a < 0) != (b < 0) {
        0i128.checked_sub_unsigned(magnitude)
    } else {
        i128::try_from(magnitude).ok()
    }
}

/// The product as its high and low 128 bits.
fn widening_mul(a: u128, b: u128) -> (u128, u128) {
    const HALF: u128 = u64::MAX as u128;
    let (a1, a0) = (a >> 64, a & HALF);
    let (b1, b0) = (b >> 64, b & HALF);
    let low = a0 * b0;
    // Each term is below 2^128 - 2^65 + 1 and each carry below 2^64: the sums fit.
    let middle = a1 * b0 + (low >> 64);
    let cross = a0 * b1 + (middle & HALF);
    (
        a1 * b1 + (middle >> 64) + (cross >> 64),
        (cross << 64) | (low & HALF),
    )
}

/// Long division of a 256-bit number. `None` where the quotient leaves 128 bits.
fn div_rem(high: u128, low: u128, divisor: u128) -> Option<(u128, u128)> {
    if high >= divisor {
        return None;
    }
    let (mut quotient, mut remainder) = (0u128, high);
    for bit in (0..128).rev() {
        // The remainder is below the divisor, which is below 2^127: doubling it fits.
        remainder = (remainder << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if remainder >= divisor {
            remainder -= divisor;
            quotient |= 1;
        }
    }
    Some((quotient, remainder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounding::{Rounding, div_round};
    use proptest::prelude::*;

    #[test]
    fn products_beyond_128_bits_divide_exactly() {
        let big = 1i128 << 120;
        assert_eq!(mul_div_half_even(big, big, big), Some(big));
        assert_eq!(
            mul_div_half_even(i128::MAX, i128::MAX, i128::MAX),
            Some(i128::MAX)
        );
        assert_eq!(mul_div_half_even(i128::MIN, 1, 1), Some(i128::MIN));
        assert_eq!(mul_div_half_even(i128::MIN, -1, 1), None);
        assert_eq!(mul_div_half_even(i128::MIN, i128::MIN, 1), None);
        assert_eq!(mul_div_half_even(big, big, 1), None);
        assert_eq!(mul_div_half_even(1, 1, 0), None);
        assert_eq!(mul_div_half_even(1, 1, -1), None);
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        for (a, expected) in [(5, 2), (7, 4), (-5, -2), (-7, -4), (3, 2), (1, 0)] {
            assert_eq!(mul_div_half_even(a, 1, 2), Some(expected), "{a}/2");
        }
    }

    #[test]
    fn products_compare_exactly_beyond_128_bits() {
        let big = i128::MAX;
        assert_eq!(compare_products((big, big), (big, big - 1)), Ordering::Greater);
        assert_eq!(compare_products((-big, big), (-big, big - 1)), Ordering::Less);
        assert_eq!(compare_products((-big, big), (1, 1)), Ordering::Less);
        assert_eq!(compare_products((-big, -big), (big, big)), Ordering::Equal);
        assert_eq!(compare_products((0, big), (-big, big)), Ordering::Greater);
        assert_eq!(
            compare_products((i128::MIN, i128::MIN), (big, big)),
            Ordering::Greater
        );
    }

    proptest! {
        #[test]
        fn comparing_products_agrees_with_128_bits(a: i64, b: i64, c: i64, d: i64) {
            let [a, b, c, d] = [a, b, c, d].map(i128::from);
            prop_assert_eq!(compare_products((a, b), (c, d)), (a * b).cmp(&(c * d)));
            prop_assert_eq!(wide_product((a, b)).cmp(&wide_product((c, d))), (a * b).cmp(&(c * d)));
        }

        #[test]
        fn agrees_with_128_bits_where_they_suffice(a: i64, b: i64, c in 1i128..) {
            let narrow = div_round(i128::from(a) * i128::from(b), c, Rounding::HalfEven);
            prop_assert_eq!(mul_div_half_even(a.into(), b.into(), c), narrow);
        }

        #[test]
        fn a_multiple_divides_back(a: i128, c in 1i128..) {
            prop_assert_eq!(mul_div_half_even(a, c, c), Some(a));
            prop_assert_eq!(mul_div_half_even(c, a, c), Some(a));
        }
    }
}
