//! The family `positions`: one account's position in one instrument, through trades, corrections and corporate actions.
//!
//! Every step enters as an event; what the position is afterwards is read from a position stage that applies the records of the journal
//! as recovery does. Average cost without fees in the basis is the live position, everything else the tax lots of the same run.
//!
//! Not here: orders (trades are captured), settlement dates.

mod play;
mod schema;

use super::compare::differences;
use super::file::RawCase;
use super::report::{Played, Problem, StepReport};
use play::Player;
use schema::{Case, Step};
use serde_json::Value;

/// Plays a case on an engine of its own.
pub(crate) fn play(raw: &RawCase) -> Played {
    let mut rest = raw.rest.clone();
    rest.retain(|key, _| matches!(key.as_str(), "setup" | "steps"));
    let case: Case = match serde_json::from_value(Value::Object(rest)) {
        Ok(case) => case,
        Err(error) => return Played::broken("case", error.to_string()),
    };
    let mut player = match Player::open(&case.setup) {
        Ok(player) => player,
        Err(error) => return Played::broken("setup", error),
    };
    let mut played = Played::default();
    for (at, Step { op, expect }) in case.steps.iter().enumerate() {
        let name = format!("step {} {}", at + 1, op.name());
        match player.play(op) {
            Ok(got) => {
                let differences = differences(expect, &got);
                played.steps.push(StepReport {
                    name,
                    expected: expect.clone(),
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
