//! The family `analytics`: an input, and the figures that come out of it.
//!
//! No engine runs here: these rules are pure functions, of the crates that the engine and its readers use them from.
//!
//! # Invariants
//! - `null` is expected and found where a figure is undefined, never a number in its place.
//! - Amounts, quantities, counts and dates are equal; ratios agree to 1e-9 of their size and the last decimal that the files keep.

mod agreement;
mod attempts;
mod figures;
mod washes;

use super::decimals::Decimal;
use super::file::RawCase;
use super::report::{Played, Problem, StepReport};
pub(crate) use agreement::Agreement;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tradewind_domain::fixed::Money;

/// What a topic makes of an input.
type Answer = Result<Map<String, Value>, String>;

/// A topic.
struct Topic {
    name: &'static str,
    agreement: Agreement,
    answer: fn(input: Value, expect: &Map<String, Value>) -> Answer,
}

const TOPICS: &[Topic] = &[
    topic("ratios", Agreement::Ratio, figures::ratios),
    topic("beta", Agreement::Ratio, figures::beta),
    topic("xirr", Agreement::Rate, figures::xirr),
    topic("var_es", Agreement::Tail, figures::tail),
    topic("twr", Agreement::Rounded, figures::time_weighted),
    topic("dietz", Agreement::Rounded, figures::modified_dietz),
    topic("drawdown", Agreement::Rounded, figures::drawdown),
    topic("rank", Agreement::Exact, figures::rank),
    topic("bootstrap", Agreement::Exact, figures::bootstrap),
    topic("rng", Agreement::Exact, figures::numbers),
    topic("wash_sale", Agreement::Exact, washes::wash_sale),
    topic("escalation", Agreement::Exact, attempts::escalation),
    topic("assessment", Agreement::Complete, attempts::assessment),
];

const fn topic(
    name: &'static str,
    agreement: Agreement,
    answer: fn(Value, &Map<String, Value>) -> Answer,
) -> Topic {
    Topic {
        name,
        agreement,
        answer,
    }
}

/// True for topics that are played.
pub(crate) fn plays(name: &str) -> bool {
    TOPICS.iter().any(|topic| topic.name == name)
}

/// Plays a case: one step.
pub(crate) fn play(raw: &RawCase) -> Played {
    let Some(topic) = TOPICS.iter().find(|topic| topic.name == raw.topic) else {
        return Played::broken("case", format!("there is no topic {}", raw.topic));
    };
    let (Some(input), Some(Value::Object(expect))) = (raw.rest.get("input"), raw.rest.get("expect")) else {
        return Played::broken("case", "it needs an input and what to expect".to_owned());
    };
    match (topic.answer)(input.clone(), expect) {
        Ok(got) => {
            let differences = topic.agreement.differences(expect, &got);
            let step = StepReport {
                name: topic.name.to_owned(),
                expected: expect.clone(),
                got,
                problems: differences.into_iter().map(Problem::Difference).collect(),
            };
            Played { steps: vec![step] }
        }
        Err(why) => Played::broken("input", why),
    }
}

/// Reads an input.
fn read<T: DeserializeOwned>(input: Value) -> Result<T, String> {
    serde_json::from_value(input).map_err(|error| error.to_string())
}

/// Money of a file.
fn money(decimal: Decimal) -> Result<Money, String> {
    let raw = decimal.raw(8).map(Money::from_raw);
    raw.ok_or_else(|| format!("{decimal} has more than 8 decimals"))
}

/// Answers by key.
fn answers<const N: usize>(pairs: [(&str, Value); N]) -> Answer {
    Ok(pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect())
}
