//! The family `limits`: orders, fills and operators' commands against the limits of a hierarchy.
//!
//! The setup enters as admin events, the steps as orders, reports, market data and commands; expectations are compared with what
//! stands in the records. What is used of a limit is asked of the engine with a `LimitProbe`.
//!
//! Not here, because the engine has it otherwise: one space of order identifiers over all sessions (it has one a session), and
//! hours or halts that bind some accounts alone (it keeps them for all; cases without a MARKET_HOURS limit trade around the
//! clock).

mod answers;
mod commands;
mod days;
mod opening;
mod orders;
mod play;
mod schema;
mod seen;
mod units;

use super::compare::differences;
use super::file::RawCase;
use super::report::{Played, Problem, StepReport};
use play::Player;
use schema::{Case, Step};
use serde_json::Value;
use tradewind_domain::time::Rfc3339;

/// Plays a case on an engine of its own.
pub(crate) fn play(raw: &RawCase) -> Played {
    let case: Case = match serde_json::from_value(Value::Object(rest_of(raw))) {
        Ok(case) => case,
        Err(error) => return Played::broken("case", error.to_string()),
    };
    let mut player = match opening::open(&case) {
        Ok(opened) => Player::new(&case, opened),
        Err(error) => return Played::broken("setup", error),
    };
    let mut played = Played::default();
    for (at, step) in case.steps.iter().enumerate() {
        let name = name_of(at, step);
        match player.play(step) {
            Ok(got) => {
                let differences = differences(&step.expect, &got);
                played.steps.push(StepReport {
                    name,
                    expected: step.expect.clone(),
                    got,
                    problems: differences.into_iter().map(Problem::Difference).collect(),
                });
            }
            Err(error) => {
                played.steps.push(StepReport::broken(name, error));
                break;
            }
        }
    }
    played
}

/// Setup and steps without what belongs to the file.
fn rest_of(raw: &RawCase) -> serde_json::Map<String, Value> {
    let mut rest = raw.rest.clone();
    rest.retain(|key, _| matches!(key.as_str(), "setup" | "steps"));
    rest
}

fn name_of(at: usize, step: &Step) -> String {
    let subject = [
        &step.cl,
        &step.exec_id,
        &step.limit_id,
        &step.node,
        &step.sym,
        &step.session,
    ];
    let subject = subject
        .into_iter()
        .flatten()
        .next()
        .map(String::as_str)
        .unwrap_or_default();
    let op = format!("{:?}", step.op).to_lowercase();
    format!("step {} {} {op} {subject}", at + 1, Rfc3339(step.t))
        .trim_end()
        .to_owned()
}
