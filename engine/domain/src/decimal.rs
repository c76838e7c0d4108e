//! Decimals as the wires write them, to fixed point, without floats and without allocation.

use crate::fixed::SCALE_DP;

/// Why a decimal was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Nothing, or something that is no plain decimal.
    #[error("not a decimal number")]
    Syntax,
    /// More than eight decimals that are not zero.
    #[error("more than {SCALE_DP} decimals")]
    Precision,
    /// Outside the range of 64 bits at 1e-8 (about 92 billion).
    #[error("out of range")]
    Range,
}

/// Reads a plain decimal (`-12.5`, `.5`, `7.`) to an integer at 1e-8. No exponent, no separators, no white space.
///
/// Zeros after the eighth decimal are accepted, other digits are not: nothing is rounded on the way in.
pub fn parse(bytes: &[u8]) -> Result<i64, DecimalError> {
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, bytes),
    };
    let mut value: i128 = 0;
    let (mut seen_digit, mut decimals) = (false, None::<u32>);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                let places = decimals.unwrap_or(0);
                if places >= SCALE_DP {
                    if byte != b'0' {
                        return Err(DecimalError::Precision);
                    }
                    continue;
                }
                value = value * 10 + i128::from(byte - b'0');
                if value > i128::from(i64::MAX) {
                    return Err(DecimalError::Range);
                }
                if let Some(places) = decimals.as_mut() {
                    *places += 1;
                }
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return Err(DecimalError::Syntax),
        }
    }
    if !seen_digit {
        return Err(DecimalError::Syntax);
    }
    let missing = SCALE_DP - decimals.unwrap_or(0);
    let scaled = value * 10i128.pow(missing);
    i64::try_from(if negative { -scaled } else { scaled }).map_err(|_| DecimalError::Range)
}

/// Scales an integer with `dp` decimals to 1e-8. `None` where digits would be lost or it does not fit.
#[inline]
pub fn rescale(mantissa: i64, dp: u8) -> Option<i64> {
    const POW: [i64; 9] = [
        1,
        10,
        100,
        1_000,
        10_000,
        100_000,
        1_000_000,
        10_000_000,
        100_000_000,
    ];
    let dp = usize::from(dp);
    if dp <= 8 {
        return mantissa.checked_mul(POW[8 - dp]);
    }
    let divisor = POW.get(dp - 8)?;
    (mantissa % divisor == 0).then(|| mantissa / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_decimals_exactly() {
        for (text, raw) in [
            ("1", 100_000_000),
            ("-12.5", -1_250_000_000),
            (".5", 50_000_000),
            ("7.", 700_000_000),
            ("0.00000001", 1),
            ("1.000000000", 100_000_000),
            ("+3", 300_000_000),
            ("92233720368.54775807", i64::MAX),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(raw), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_would_have_to_guess() {
        for text in ["", "-", ".", "1e5", "1,000", " 1", "1 ", "--1", "1.2.3", "NaN"] {
            assert_eq!(parse(text.as_bytes()), Err(DecimalError::Syntax), "{text:?}");
        }
        assert_eq!(parse(b"0.000000001"), Err(DecimalError::Precision));
        assert_eq!(parse(b"92233720368.54775808"), Err(DecimalError::Range));
        assert_eq!(
            parse(b"99999999999999999999999999999999999999999999"),
            Err(DecimalError::Range)
        );
    }

    #[test]
    fn rescales_only_without_loss() {
        assert_eq!(rescale(1_674_200, 4), Some(16_742_000_000));
        assert_eq!(rescale(10, 9), Some(1));
        assert_eq!(rescale(1, 9), None);
        assert_eq!(rescale(i64::MAX, 0), None);
        assert_eq!(rescale(1, 200), None);
    }
}
