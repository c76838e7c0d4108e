//! Fixed-point numbers: prices, quantities, money, limit values.
//!
//! Invariant: no float and no silent wrap. Everything that can overflow returns an `Option`, and the caller turns
//! `None` into a reject.
//!
//! Not here: text to number (see [`Decimal`](crate::decimal)) and which rounding applies where (see
//! [`rounding`](crate::rounding)).

use bytemuck::{Pod, Zeroable};
use std::fmt;

/// Decimal places of [`Price`], [`Qty`] and [`Money`].
pub const SCALE_DP: u32 = 8;
/// `10^SCALE_DP`: the raw value of 1.
pub const ONE: i64 = 100_000_000;
/// Raw value of 1 in a [`Notional`], which has 16 decimal places.
pub const NOTIONAL_ONE: i128 = 10_000_000_000_000_000;

macro_rules! fixed {
    ($(#[$doc:meta])* $name:ident, $raw:ty, $dp:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name($raw);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);
            /// The largest value that can be held.
            pub const MAX: Self = Self(<$raw>::MAX);
            /// From the scaled integer.
            #[inline]
            pub const fn from_raw(raw: $raw) -> Self { Self(raw) }
            /// The scaled integer.
            #[inline]
            pub const fn raw(self) -> $raw { self.0 }
            /// Sum, or `None` where it does not fit.
            #[inline]
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) { Some(raw) => Some(Self(raw)), None => None }
            }
            /// Difference, or `None` where it does not fit.
            #[inline]
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) { Some(raw) => Some(Self(raw)), None => None }
            }
            /// True for values below zero.
            #[inline]
            pub const fn is_negative(self) -> bool { self.0 < 0 }
            /// True for zero.
            #[inline]
            pub const fn is_zero(self) -> bool { self.0 == 0 }
        }

        impl fmt::Display for $name {
            #[allow(clippy::cast_lossless)] // one body for 64 and 128 bits
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_scaled(f, self.0 as i128, $dp)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

fixed!(
    /// A price in units of 1e-8 of the instrument's currency. May be negative where the instrument allows it.
    Price, i64, 8
);
fixed!(
    /// A quantity in units of 1e-8. Orders and fills carry it unsigned in meaning (the side says the direction);
    /// `validate` refuses values that are not positive.
    Qty, i64, 8
);
fixed!(
    /// An amount of one currency in units of 1e-8, posted amounts being multiples of the currency's minor unit.
    Money, i128, 8
);
fixed!(
    /// A sum of quantities, signed, in units of 1e-8: positions and open quantities. Wide, because fills are never refused.
    NetQty, i128, 8
);
fixed!(
    /// A limit value in base currency in units of 1e-16: quantity (1e-8) times the base value of one unit (1e-8),
    /// exact and never rounded again (LIMITS section 14, Precision).
    Notional, i128, 16
);

/// The largest amount that one event may move, in either direction: `2^80` raw, about 12 quadrillion units of a currency.
/// What is larger does not fit and is refused (OVERFLOW), so that sums of amounts in 128 bits hold `2^47` of them: years at
/// a million a second.
pub const POSTED_MAX: Money = Money::from_raw(1 << 80);

impl Money {
    /// True where one event may move this amount (see [`POSTED_MAX`]).
    #[inline]
    pub const fn is_postable(self) -> bool {
        self.0.unsigned_abs() <= POSTED_MAX.0.unsigned_abs()
    }
    /// Absolute value; the one value without a counterpart stays at `MAX`.
    #[inline]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
    /// The opposite amount; the one value without a counterpart becomes `MAX`.
    #[inline]
    pub const fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl NetQty {
    /// Absolute value; the one value without a counterpart stays at `MAX`.
    #[inline]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl From<Qty> for NetQty {
    #[inline]
    fn from(qty: Qty) -> Self {
        Self(i128::from(qty.0))
    }
}

/// Writes a scaled integer as a plain decimal without trailing zeros.
fn fmt_scaled(f: &mut fmt::Formatter<'_>, raw: i128, dp: u32) -> fmt::Result {
    let one = 10u128.pow(dp);
    let magnitude = raw.unsigned_abs();
    let (whole, mut fraction) = (magnitude / one, magnitude % one);
    let sign = if raw < 0 { "-" } else { "" };
    if fraction == 0 {
        return f.pad_integral(raw >= 0, "", &whole.to_string());
    }
    let mut width = dp as usize;
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    f.pad(&format!("{sign}{whole}.{fraction:0width$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_plain_decimals_without_trailing_zeros() {
        assert_eq!(Price::from_raw(1_050_000_000).to_string(), "10.5");
        assert_eq!(Price::from_raw(-1).to_string(), "-0.00000001");
        assert_eq!(Qty::from_raw(300_000_000).to_string(), "3");
        assert_eq!(Money::from_raw(-250_000_000).to_string(), "-2.5");
        assert_eq!(
            Notional::from_raw(NOTIONAL_ONE * 7 + 1).to_string(),
            "7.0000000000000001"
        );
    }

    #[test]
    fn sums_that_do_not_fit_are_none() {
        assert_eq!(Qty::MAX.checked_add(Qty::from_raw(1)), None);
        assert_eq!(Price::from_raw(i64::MIN).checked_sub(Price::from_raw(1)), None);
    }
}
