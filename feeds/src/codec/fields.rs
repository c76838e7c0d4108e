//! Bytes of one field to one value.

use super::error::Reason;
use tradewind_domain::decimal;
use tradewind_domain::text::Text;
use tradewind_domain::time::{DayNumber, NANOS_PER_SEC, UnixNanos, day_number, parse_date, parse_rfc3339};

/// A plain decimal at 1e-8.
pub(super) fn decimal(field: &'static str, bytes: &[u8]) -> Result<i64, Reason> {
    decimal::parse(bytes).map_err(|source| Reason::Decimal { field, source })
}

/// Printable ASCII of at most `N` bytes.
pub(super) fn text<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<Text<N>, Reason> {
    Text::new(bytes).map_err(|source| Reason::Text { field, source })
}

/// Digits to an integer.
pub(super) fn integer<T: TryFrom<u64>>(field: &'static str, bytes: &[u8]) -> Result<T, Reason> {
    digits(bytes)
        .and_then(|value| T::try_from(value).ok())
        .ok_or(Reason::Value {
            field,
            expected: "a whole number within range",
        })
}

/// Nanoseconds since 1970, or RFC 3339 in UTC.
pub(super) fn time(field: &'static str, bytes: &[u8]) -> Result<UnixNanos, Reason> {
    digits(bytes)
        .or_else(|| parse_rfc3339(std::str::from_utf8(bytes).ok()?))
        .ok_or(Reason::Value {
            field,
            expected: "nanoseconds since 1970, or a time as 2026-03-02T14:30:00.5Z",
        })
}

/// Seconds since 1970 with up to nine decimals.
pub(super) fn seconds_ns(field: &'static str, bytes: &[u8]) -> Result<UnixNanos, Reason> {
    const DECIMALS: u32 = NANOS_PER_SEC.ilog10();
    let (whole, part) = match bytes.iter().position(|byte| *byte == b'.') {
        Some(point) => (&bytes[..point], &bytes[point + 1..]),
        None => (bytes, &b"0"[..]),
    };
    let nanos = || {
        let missing = DECIMALS.checked_sub(u32::try_from(part.len()).ok()?)?;
        let part = digits(part)?.checked_mul(10u64.pow(missing))?;
        digits(whole)?.checked_mul(NANOS_PER_SEC)?.checked_add(part)
    };
    nanos().ok_or(Reason::Value {
        field,
        expected: "seconds since 1970 with at most nine decimals",
    })
}

/// A date as `2026-03-02`.
pub(super) fn date(field: &'static str, bytes: &[u8]) -> Result<DayNumber, Reason> {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(parse_date)
        .ok_or(Reason::Value {
            field,
            expected: "a date as 2026-03-02",
        })
}

/// A date as `20260302`.
pub(super) fn compact_date(text: &str) -> Option<DayNumber> {
    let number: u32 = digits(text.as_bytes())
        .filter(|_| text.len() == 8)?
        .try_into()
        .ok()?;
    day_number((number / 10_000) as i32, number / 100 % 100, number % 100)
}

fn digits(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0u64, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_nanoseconds_or_rfc3339() {
        assert_eq!(
            time("time", b"1381248000000000001").unwrap(),
            1_381_248_000_000_000_001
        );
        assert_eq!(
            time("time", b"2013-10-08T16:00:00.5Z").unwrap(),
            1_381_248_000_500_000_000
        );
        for bad in [
            "",
            "-1",
            "1e9",
            "2013-10-08",
            "2013-10-08 16:00:00Z",
            "18446744073709551616",
            "\u{00b2}",
        ] {
            assert!(time("time", bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_keep_every_decimal_that_nanoseconds_have() {
        let read = |text: &str| seconds_ns("recv_s", text.as_bytes()).ok();
        assert_eq!(read("1626992741.06217"), Some(1_626_992_741_062_170_000));
        assert_eq!(read("1633998512.0633569"), Some(1_633_998_512_063_356_900));
        assert_eq!(read("1.000000001"), Some(1_000_000_001));
        assert_eq!(read("7"), Some(7_000_000_000));
        for bad in [
            "",
            ".5",
            "1.",
            "1.0000000001",
            "-1",
            "1e9",
            "1.2.3",
            "18446744074",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_exist_and_numbers_fit() {
        assert_eq!(compact_date("20131008"), date("d", b"2013-10-08").ok());
        for bad in ["2013108", "20131308", "20130229", "2013100a", ""] {
            assert_eq!(compact_date(bad), None, "{bad}");
        }
        assert_eq!(integer::<u16>("venue", b"65535").unwrap(), u16::MAX);
        assert!(integer::<u16>("venue", b"65536").is_err());
    }
}
