//! What a step gave against what its file expects.
//!
//! # Invariants
//! - A key that is expected must be there with an equal value: decimals compare as numbers, lists in their order.
//! - A key of [`ABSENT_UNLESS_EXPECTED`] must not be there where it is not expected.
//! - Everything else that was found and is not asked for is not looked at.

use super::decimals::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;

/// Keys whose absence from `expect` says that the event must not have happened.
pub(crate) const ABSENT_UNLESS_EXPECTED: &[&str] = &[
    "warn",
    "breach",
    "cancelled",
    "cod_cancelled",
    "expired",
    "rolled_to",
    "alert",
    "disabled",
    "note",
    "limit_id",
    REFUSED,
];

/// The engine's refusal of an input that can have no other answer than being taken: no file expects it.
pub(crate) const REFUSED: &str = "refused";

/// Keys with decimals, alone or by name in a map.
const DECIMALS: &[&str] = &[
    "used",
    "limit",
    "remaining",
    "floor",
    "released_qty",
    "released_notional",
    "qty",
    "cost",
    "realised",
    "realised_base",
    "fees",
    "income",
    "avg_px",
    "max_loss",
    "unrealised",
    "total_pnl",
];

/// Lists of lots: opening trade, quantity, cost.
const LOTS: &str = "lots";

/// Lists of labels for which the files state no order.
const UNORDERED: &[&str] = &["warn", "breach"];

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Which.
    pub key: String,
    /// What the file says; none where the key must not be there.
    pub expected: Option<Value>,
    /// What was found; none where nothing was.
    pub got: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Value>| match value {
            Some(value) => value.to_string(),
            None => "nothing".to_owned(),
        };
        write!(
            f,
            "{}: expected {}, got {}",
            self.key,
            show(&self.expected),
            show(&self.got)
        )
    }
}

/// Every key that differs, in the order of the expectation.
pub(crate) fn differences(expected: &Map<String, Value>, got: &Map<String, Value>) -> Vec<Difference> {
    let mut found: Vec<Difference> = expected
        .iter()
        .filter(|(key, value)| !got.get(*key).is_some_and(|got| is_equal(key, value, got)))
        .map(|(key, value)| Difference {
            key: key.clone(),
            expected: Some(value.clone()),
            got: got.get(key).cloned(),
        })
        .collect();
    let unexpected = ABSENT_UNLESS_EXPECTED
        .iter()
        .filter(|key| !expected.contains_key(**key))
        .filter_map(|key| Some((key, got.get(*key)?)));
    found.extend(unexpected.map(|(key, got)| Difference {
        key: (*key).to_owned(),
        expected: None,
        got: Some(got.clone()),
    }));
    found
}

fn is_equal(key: &str, expected: &Value, got: &Value) -> bool {
    if DECIMALS.contains(&key) {
        return equal_decimals(expected, got);
    }
    match (expected, got) {
        (Value::Array(expected), Value::Array(got)) if key == LOTS => {
            expected.len() == got.len()
                && expected
                    .iter()
                    .zip(got)
                    .all(|(expected, got)| is_equal_lot(expected, got))
        }
        (Value::Array(expected), Value::Array(got)) if UNORDERED.contains(&key) => {
            let sorted = |list: &[Value]| {
                let mut texts: Vec<String> = list.iter().map(Value::to_string).collect();
                texts.sort();
                texts
            };
            sorted(expected) == sorted(got)
        }
        _ => expected == got,
    }
}

fn is_equal_lot(expected: &Value, got: &Value) -> bool {
    match (
        expected.as_array().map(Vec::as_slice),
        got.as_array().map(Vec::as_slice),
    ) {
        (Some([open, qty, cost]), Some([got_open, got_qty, got_cost])) => {
            open == got_open && equal_decimals(qty, got_qty) && equal_decimals(cost, got_cost)
        }
        _ => false,
    }
}

fn equal_decimals(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            expected.len() == got.len()
                && expected
                    .iter()
                    .all(|(name, value)| got.get(name).is_some_and(|got| equal_decimals(value, got)))
        }
        _ => match (decimal(expected), decimal(got)) {
            (Some(expected), Some(got)) => expected == got,
            _ => false,
        },
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    serde_json::from_value(value.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The keys that differ.
    fn keys(expected: Value, got: Value) -> Vec<String> {
        let (Value::Object(expected), Value::Object(got)) = (expected, got) else {
            panic!("two objects")
        };
        let differences = differences(&expected, &got);
        differences.into_iter().map(|difference| difference.key).collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn a_wrong_value_is_found() {
        let got = json!({"decision": "REJECT", "reason": "MAX_ORDER_QTY", "fix_ord_rej_reason": 3});
        assert_eq!(keys(json!({"decision": "ACCEPT"}), got.clone()), ["decision"]);
        assert_eq!(
            keys(json!({"fix_ord_rej_reason": 99}), got.clone()),
            ["fix_ord_rej_reason"]
        );
        assert_eq!(
            keys(json!({"decision": "REJECT", "fix_ord_rej_reason": 3}), got),
            NONE
        );
    }

    #[test]
    fn a_missing_key_is_found() {
        assert_eq!(keys(json!({"warn": ["L1"]}), json!({})), ["warn"]);
        assert_eq!(keys(json!({"used": {"L1": "1"}}), json!({})), ["used"]);
    }

    #[test]
    fn a_key_that_must_not_be_there_is_found() {
        for key in ABSENT_UNLESS_EXPECTED {
            let mut got = Map::new();
            got.insert((*key).to_owned(), json!([]));
            let found = differences(&Map::new(), &got);
            assert_eq!(found.len(), 1, "{key}");
            assert_eq!((found[0].key.as_str(), &found[0].expected), (*key, &None));
        }
        assert_eq!(keys(json!({}), json!({"state": "ACTIVE", "used": {}})), NONE);
    }

    #[test]
    fn decimals_compare_as_numbers_and_labels_as_text() {
        assert_eq!(
            keys(
                json!({"used": {"L1": "1100.00"}}),
                json!({"used": {"L1": "1100"}})
            ),
            NONE
        );
        assert_eq!(keys(json!({"remaining": "-0"}), json!({"remaining": "0"})), NONE);
        assert_eq!(
            keys(json!({"expired": ["1.0"]}), json!({"expired": ["1"]})),
            ["expired"]
        );
        assert_eq!(
            keys(
                json!({"used": {"L1": "1100.0000000000000001"}}),
                json!({"used": {"L1": "1100"}})
            ),
            ["used"]
        );
        assert_eq!(
            keys(json!({"used": {"L1": "x"}}), json!({"used": {"L1": "x"}})),
            ["used"]
        );
    }

    #[test]
    fn a_map_has_the_same_names_on_both_sides() {
        assert_eq!(
            keys(
                json!({"floor": {"L1": "1"}}),
                json!({"floor": {"L1": "1", "L2": "1"}})
            ),
            ["floor"]
        );
        assert_eq!(
            keys(
                json!({"floor": {"L1": "1", "L2": "1"}}),
                json!({"floor": {"L1": "1"}})
            ),
            ["floor"]
        );
    }

    #[test]
    fn lists_keep_their_order_but_for_warnings() {
        assert_eq!(
            keys(json!({"cancelled": ["a", "b"]}), json!({"cancelled": ["b", "a"]})),
            ["cancelled"]
        );
        assert_eq!(
            keys(json!({"warn": ["a", "b"]}), json!({"warn": ["b", "a"]})),
            NONE
        );
        assert_eq!(
            keys(json!({"warn": ["a"]}), json!({"warn": ["a", "a"]})),
            ["warn"]
        );
    }
}
