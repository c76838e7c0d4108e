//! Decimals of vector files as integers at 1e-16, exact: large enough for values in base currency, and no float on the way.

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use tradewind_domain::fixed::{NOTIONAL_ONE, Notional};

/// Decimals that are kept.
const DP: usize = 16;

/// A decimal at 1e-16. In files a string (`"12.50"`) or a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

impl Decimal {
    /// Nothing.
    pub(crate) const ZERO: Self = Self(0);

    /// From an integer with so many decimals, at most 16. `None` where it does not fit.
    pub(crate) fn scaled(raw: i128, decimals: u32) -> Option<Self> {
        let places = (DP as u32).checked_sub(decimals)?;
        raw.checked_mul(10_i128.checked_pow(places)?).map(Self)
    }

    /// Reads a plain decimal: sign, digits, a point. `None` for anything else, for more than 16 decimals that are not zero, and
    /// for what does not fit.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > DP {
            return None;
        }
        let mut value: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        }
        let places = u32::try_from(DP - fraction.len()).ok()?;
        let value = value.checked_mul(10_i128.checked_pow(places)?)?;
        Some(Self(if negative { -value } else { value }))
    }

    /// The integer with so many decimals. `None` where digits would be lost or it does not fit.
    pub(crate) fn raw(self, decimals: u32) -> Option<i128> {
        let divisor = 10_i128.checked_pow((DP as u32).checked_sub(decimals)?)?;
        (self.0 % divisor == 0).then(|| self.0 / divisor)
    }

    /// The 64-bit integer at 1e-8 that prices and quantities are.
    pub(crate) fn e8(self) -> Option<i64> {
        self.raw(8).and_then(|raw| i64::try_from(raw).ok())
    }

    /// The whole number. `None` where it has decimals or does not fit.
    pub(crate) fn whole<T: TryFrom<i128>>(self) -> Option<T> {
        let is_whole = self.0 % NOTIONAL_ONE == 0;
        is_whole
            .then_some(self.0 / NOTIONAL_ONE)
            .and_then(|whole| T::try_from(whole).ok())
    }

    /// The difference. `None` where it does not fit.
    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Notional::from_raw(self.0), f)
    }
}

impl Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Decimal;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal string or a whole number")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
                Decimal::parse(text)
                    .ok_or_else(|| E::custom(format!("`{text}` is no decimal that can be kept")))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Decimal, E> {
                Decimal::scaled(value.into(), 0).ok_or_else(|| E::custom("too large"))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Decimal, E> {
                Decimal::scaled(value.into(), 0).ok_or_else(|| E::custom("too large"))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn the_same_number_is_equal_however_it_is_written() {
        assert_eq!(dec("1100"), dec("1100.00"));
        assert_eq!(dec("-0.5"), dec("-.50"));
        assert_eq!(dec("0.00000000000000010"), dec("0.0000000000000001"));
        assert_ne!(dec("1100"), dec("1100.0000000000000001"));
    }

    #[test]
    fn what_cannot_be_kept_exactly_is_refused() {
        for text in [
            "",
            ".",
            "-",
            "1e5",
            "+1",
            " 1",
            "0x1",
            "1.2.3",
            "0.00000000000000001",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
        assert_eq!(Decimal::parse(&"9".repeat(60)), None);
        assert_eq!(dec("0.5").whole::<i64>(), None);
        assert_eq!(dec("0.000000001").e8(), None);
        assert_eq!(dec("300").whole::<u8>(), None);
    }

    #[test]
    fn figures_of_any_scale_are_shown_plainly() {
        assert_eq!(dec("12.50").to_string(), "12.5");
        assert_eq!(Decimal::scaled(-150, 2).unwrap().to_string(), "-1.5");
        assert_eq!(Decimal::scaled(7, 0).unwrap().e8(), Some(700_000_000));
        assert_eq!(Decimal::scaled(1, 17), None);
    }
}
