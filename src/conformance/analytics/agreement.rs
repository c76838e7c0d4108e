//! When a figure is the one that a file expects.
//!
//! The files keep ratios with twelve decimals and yearly rates with eight, halves rounded; a figure agrees where it is not further
//! away than that rounding and 1e-9 of its size.

use super::super::compare::Difference;
use super::super::decimals::Decimal;
use serde_json::{Map, Value};

/// Half of the twelfth decimal, and of the eighth.
const HALF_OF_TWELFTH: f64 = 5e-13;
const HALF_OF_EIGHTH: f64 = 5e-9;
const RELATIVE: f64 = 1e-9;

/// How figures of a topic agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// Decimals as numbers, everything else as it is.
    Exact,
    /// As `Exact`, and what is found must be expected.
    Complete,
    /// Exact figures that the file rounds.
    Rounded,
    /// Ratios.
    Ratio,
    /// Yearly rates.
    Rate,
    /// A value at risk exactly, a shortfall as a ratio.
    Tail,
}

impl Agreement {
    /// Every key that differs, in the order of the expectation.
    pub(crate) fn differences(
        self,
        expected: &Map<String, Value>,
        got: &Map<String, Value>,
    ) -> Vec<Difference> {
        let wrong = expected
            .iter()
            .filter(|(key, value)| {
                !got.get(*key)
                    .is_some_and(|got| self.of_key(key).holds(value, got))
            })
            .map(|(key, value)| difference(key, Some(value), got.get(key)));
        let unexpected = got
            .iter()
            .filter(|(key, _)| self == Self::Complete && !expected.contains_key(*key))
            .map(|(key, value)| difference(key, None, Some(value)));
        wrong.chain(unexpected).collect()
    }

    fn of_key(self, key: &str) -> Self {
        match (self, key) {
            (Self::Tail, "var") => Self::Exact,
            (Self::Tail, _) => Self::Ratio,
            _ => self,
        }
    }

    fn holds(self, expected: &Value, got: &Value) -> bool {
        match (expected, got) {
            (Value::Array(expected), Value::Array(got)) => {
                let pairs = || expected.iter().zip(got);
                expected.len() == got.len() && pairs().all(|(expected, got)| self.holds(expected, got))
            }
            (Value::Object(expected), Value::Object(got)) => {
                expected.len() == got.len()
                    && expected
                        .iter()
                        .all(|(key, value)| got.get(key).is_some_and(|got| self.holds(value, got)))
            }
            (Value::String(expected), Value::String(got)) => expected == got || self.agree(expected, got),
            _ => expected == got,
        }
    }

    fn agree(self, expected: &str, got: &str) -> bool {
        let (relative, absolute) = match self {
            Self::Exact | Self::Complete | Self::Tail => {
                let (expected, got) = (decimal(expected), decimal(got));
                return expected.is_some() && expected == got;
            }
            Self::Rounded => (0.0, HALF_OF_TWELFTH),
            Self::Ratio => (RELATIVE, HALF_OF_TWELFTH),
            Self::Rate => (RELATIVE, HALF_OF_EIGHTH),
        };
        match (expected.parse::<f64>(), got.parse::<f64>()) {
            (Ok(expected), Ok(got)) => {
                // A little more than half: the nearest floats of a half and its rounding may lie further apart.
                (expected - got).abs() <= relative * expected.abs() + absolute * (1.0 + 1e-6)
            }
            _ => false,
        }
    }
}

/// A decimal, plain or with an exponent: files write small ones as `1E-8`.
fn decimal(text: &str) -> Option<Decimal> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Decimal::parse(text);
    };
    let (exponent, raw) = (exponent.parse::<i32>().ok()?, Decimal::parse(mantissa)?.raw(16)?);
    let factor = 10_i128.checked_pow(exponent.unsigned_abs())?;
    let raw = if exponent >= 0 {
        raw.checked_mul(factor)?
    } else {
        (raw % factor == 0).then_some(raw / factor)?
    };
    Decimal::scaled(raw, 16)
}

fn difference(key: &str, expected: Option<&Value>, got: Option<&Value>) -> Difference {
    Difference {
        key: key.to_owned(),
        expected: expected.cloned(),
        got: got.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn agrees(agreement: Agreement, expected: Value, got: Value) -> bool {
        let map = |value| Map::from_iter([("x".to_owned(), value)]);
        agreement.differences(&map(expected), &map(got)).is_empty()
    }

    #[test]
    fn ratios_agree_to_nine_digits_and_the_last_decimal_of_the_file() {
        let ratio = |expected: &str, got: &str| agrees(Agreement::Ratio, json!(expected), json!(got));
        assert!(ratio("4.060293253992", "4.06029325399244"));
        assert!(ratio("0", "0.0000000000000003"));
        assert!(!ratio("4.060293253992", "4.06029326"));
        assert!(!ratio("0.5", "0.50001"));
        assert!(agrees(
            Agreement::Rate,
            json!("0.12048717"),
            json!("0.12048716711864571")
        ));
        assert!(!agrees(Agreement::Rate, json!("0.12048717"), json!("0.12048718")));
    }

    #[test]
    fn nothing_is_no_number_and_a_number_is_not_nothing() {
        for agreement in [
            Agreement::Ratio,
            Agreement::Rounded,
            Agreement::Exact,
            Agreement::Tail,
        ] {
            assert!(agrees(agreement, Value::Null, Value::Null));
            assert!(!agrees(agreement, Value::Null, json!("0")));
            assert!(!agrees(agreement, json!("0"), Value::Null));
        }
    }

    #[test]
    fn exact_figures_are_equal_as_numbers_in_every_place() {
        let exact = |expected, got| agrees(Agreement::Exact, expected, got);
        assert!(exact(json!([["a", "1.50"]]), json!([["a", "1.5"]])));
        assert!(!exact(json!([["a", "1.50"]]), json!([["a", "1.5"], ["b", "1"]])));
        assert!(!exact(json!("1.5"), json!("1.5000001")));
        assert!(exact(json!("-1E-8"), json!("-0.00000001")));
        assert!(exact(json!("1.2e+3"), json!("1200")));
        assert!(!exact(json!("1E-8"), json!("0")));
        assert!(!exact(json!({"a": "1"}), json!({"a": "1", "b": "1"})));
        assert!(!agrees(Agreement::Rounded, json!("0.045"), json!("0.0451")));
        assert!(agrees(
            Agreement::Rounded,
            json!("0.333333333333"),
            json!("0.3333333333333333")
        ));
    }

    #[test]
    fn a_verdict_has_nothing_that_is_not_expected() {
        let (expected, got) = (
            json!({"status": "ACTIVE"}),
            json!({"status": "ACTIVE", "reason": "MAX_LOSS"}),
        );
        let (Value::Object(expected), Value::Object(got)) = (expected, got) else {
            unreachable!("two objects")
        };
        assert!(Agreement::Exact.differences(&expected, &got).is_empty());
        assert_eq!(Agreement::Complete.differences(&expected, &got).len(), 1);
        assert_eq!(Agreement::Exact.differences(&got, &expected).len(), 1);
    }
}
