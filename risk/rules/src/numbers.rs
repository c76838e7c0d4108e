//! Numbers of the language: decimals at 1e-8 in 128 bits, checked.

use crate::error::Problem;
use tradewind_domain::fixed::SCALE_DP;

/// Raw value of 1.
pub(crate) const ONE: i128 = tradewind_domain::fixed::ONE as i128;

/// The largest number in a file: 10^18 less one unit, so that a literal always has 18 digits before the point at most.
const RAW_MAX: i128 = 1_000_000_000_000_000_000 * ONE - 1;
/// How it is written.
const MAX_TEXT: &str = "999,999,999,999,999,999.99999999";

/// Reads digits with one point and `_` between digits, as the tokenizer cut them.
pub(crate) fn parse(text: &[u8]) -> Result<i128, Problem> {
    let (mut raw, mut decimals) = (0_i128, None::<u32>);
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                if decimals.is_some_and(|places| places >= SCALE_DP) {
                    if byte != b'0' {
                        return Err(Problem::Precision);
                    }
                    continue;
                }
                raw = raw * 10 + i128::from(byte - b'0');
                if raw > RAW_MAX {
                    return Err(Problem::Range { max: MAX_TEXT });
                }
                decimals = decimals.map(|places| places + 1);
            }
            b'.' => decimals = Some(0),
            _ => {}
        }
    }
    let raw = raw * 10_i128.pow(SCALE_DP - decimals.unwrap_or(0));
    if raw > RAW_MAX {
        return Err(Problem::Range { max: MAX_TEXT });
    }
    Ok(raw)
}

/// Product at 1e-8, cut towards zero; `None` where it does not fit.
#[inline]
pub(crate) fn multiply(left: i128, right: i128) -> Option<i128> {
    let product = left.checked_mul(right)?;
    // Most products fit 64 bits, and their division costs a fraction of the wide one.
    Some(match i64::try_from(product) {
        Ok(narrow) => i128::from(narrow / tradewind_domain::fixed::ONE),
        Err(_) => product / ONE,
    })
}

/// Quotient at 1e-8, cut towards zero; `None` where it does not fit or `right` is zero.
#[inline]
pub(crate) fn divide(left: i128, right: i128) -> Option<i128> {
    left.checked_mul(ONE)?.checked_div(right)
}
