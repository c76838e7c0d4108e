//! Values of bodies and parameters, from text to the types of the engine. What cannot be is refused with a pointer to it.

use crate::call::Call;
use crate::problem::{Problem, ProblemCode};
use tradewind_control::REASON_MAX;
use tradewind_domain::decimal;
use tradewind_domain::text::{ClOrdId, Text};
use tradewind_domain::time::{DayNumber, parse_date};

/// A decimal at 1e-8; none is 0.
pub(super) fn figure(pointer: &str, value: Option<&str>) -> Result<i64, Problem> {
    let Some(value) = value else { return Ok(0) };
    decimal::parse(value.as_bytes()).map_err(|error| Problem::value(pointer, error.to_string()))
}

/// A text of fixed size that must be there.
pub(super) fn text<const N: usize>(pointer: &str, value: &str) -> Result<Text<N>, Problem> {
    match Text::new(value) {
        Ok(text) if !text.is_empty() => Ok(text),
        Ok(_) => Err(Problem::value(pointer, "is empty")),
        Err(error) => Err(Problem::value(pointer, error.to_string())),
    }
}

/// A text of fixed size; none is an empty one.
pub(super) fn optional<const N: usize>(pointer: &str, value: Option<&str>) -> Result<Text<N>, Problem> {
    Text::new(value.unwrap_or("")).map_err(|error| Problem::value(pointer, error.to_string()))
}

/// A word of a closed set, in any case.
pub(super) fn word<T>(
    pointer: &str,
    value: &str,
    of: fn(&str) -> Option<T>,
    all: &str,
) -> Result<T, Problem> {
    of(&value.to_ascii_uppercase()).ok_or_else(|| Problem::value(pointer, format!("is none of {all}")))
}

/// A date.
pub(super) fn date(pointer: &str, value: &str) -> Result<DayNumber, Problem> {
    parse_date(value).ok_or_else(|| Problem::value(pointer, "is no date YYYY-MM-DD"))
}

/// Why something is changed: one line.
pub(super) fn reason(reason: &str) -> Result<&str, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_MAX || reason.chars().any(char::is_control) {
        let detail = format!("is one line of 1 to {REASON_MAX} bytes");
        return Err(Problem::value("/reason", detail));
    }
    Ok(reason)
}

/// The key that names a request.
pub(crate) fn key(call: &Call) -> Result<ClOrdId, Problem> {
    let Some(key) = call.header("idempotency-key") else {
        let detail =
            "send an Idempotency-Key of 1 to 40 printable characters; an order's becomes its ClOrdID";
        return Err(Problem::new(ProblemCode::KeyRequired, detail));
    };
    match ClOrdId::new(key) {
        Ok(key) if !key.is_empty() => Ok(key),
        _ => Err(Problem::malformed(
            "Idempotency-Key",
            "has 1 to 40 printable characters",
        )),
    }
}
