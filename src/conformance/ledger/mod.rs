//! The family `ledger`: transfers in a ledger by itself, trades from order to settlement, conversions, and the rules of dates, fees and
//! rounding. Reconciliation is played by its own module.
//!
//! `lifecycle` and `fx` go through the pipeline: steps are messages, figures are those of a replica that has read the records.
//! `two_phase` and `linked` are the library module; dates, fees and rounding the functions that the stages call.

mod rules;
mod transfers;
mod world;

use super::analytics::Agreement;
use super::compare::Difference;
use super::file::RawCase;
use super::report::{Played, Problem, StepReport};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What a step gave, or why it could not be played.
type Got = Result<Map<String, Value>, String>;

/// Topics that are played here.
pub(crate) fn plays(topic: &str) -> bool {
    matches!(
        topic,
        "two_phase" | "linked" | "lifecycle" | "fx" | "settle_date" | "fees" | "rounding" | "round"
    )
}

/// Plays a case.
pub(crate) fn play(raw: &RawCase) -> Played {
    match raw.topic.as_str() {
        "two_phase" | "linked" => play_steps(raw, transfers::Player::open),
        "lifecycle" | "fx" => play_steps(raw, world::Player::open),
        _ => play_steps(raw, rules::Player::open),
    }
}

/// Something that plays the steps of a case in their order.
trait Plays: Sized {
    /// A step without its expectation.
    type Step: DeserializeOwned;

    /// Plays a step.
    fn play(&mut self, step: Self::Step) -> Got;
}

#[derive(Deserialize)]
struct Steps {
    #[serde(default)]
    setup: Value,
    steps: Vec<Map<String, Value>>,
}

fn play_steps<P: Plays>(
    raw: &RawCase,
    open: impl FnOnce(Value, &[Map<String, Value>]) -> Result<P, String>,
) -> Played {
    let case: Steps = match serde_json::from_value(Value::Object(raw.rest.clone())) {
        Ok(case) => case,
        Err(error) => return Played::broken("case", error.to_string()),
    };
    let mut player = match open(case.setup, &case.steps) {
        Ok(player) => player,
        Err(why) => return Played::broken("setup", why),
    };
    let mut played = Played::default();
    for (at, mut step) in case.steps.into_iter().enumerate() {
        let op = step.get("op").and_then(Value::as_str).unwrap_or_default();
        let name = format!("step {} {op}", at + 1);
        let expected = match step.remove("expect") {
            Some(Value::Object(expected)) => expected,
            _ => Map::new(),
        };
        let got = serde_json::from_value(Value::Object(step))
            .map_err(|error| error.to_string())
            .and_then(|step| player.play(step));
        match got {
            Ok(got) => played.steps.push(compared(name, expected, got)),
            Err(why) => {
                played.steps.push(StepReport::broken(name, why));
                break;
            }
        }
    }
    played
}

/// What expired must be expected; other things that nobody asks for are not looked at.
fn compared(name: String, expected: Map<String, Value>, got: Map<String, Value>) -> StepReport {
    let mut problems = Agreement::Exact.differences(&expected, &got);
    if let Some(expired) = got.get("expired").filter(|_| !expected.contains_key("expired"))
        && expired.as_array().is_some_and(|list| !list.is_empty())
    {
        problems.push(Difference {
            key: "expired".to_owned(),
            expected: None,
            got: Some(expired.clone()),
        });
    }
    StepReport {
        name,
        expected,
        got,
        problems: problems.into_iter().map(Problem::Difference).collect(),
    }
}

/// A map of these entries.
fn found<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
