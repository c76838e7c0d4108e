//! Business rules of a running engine: what is in force, and another file in its place.
//!
//! A document of rules is journaled in parts and takes effect with the last one. Whether it did is read from the replica.

use crate::answer::Outcome;
use crate::desk::{Answered, Desk, refused, value};
use crate::message::Author;
use crate::protocol::{ErrorCode, Failure};
use serde_json::json;
use std::sync::PoisonError;
use tradewind_domain::text::Text;
use tradewind_rules::{Label, changes, compile, decode, encode, parts};

/// Errors of a file that are told.
const ERRORS_TOLD: usize = 10;

impl Desk {
    pub(crate) fn rules_show(&self) -> Answered {
        let document = self.read(|held| held.replica().rules().document())?;
        let rules = document.map(|document| {
            json!({
                "author": document.label.author.as_str(),
                "reason": document.label.reason.as_str(),
                "text": String::from_utf8_lossy(&document.source),
            })
        });
        value(json!({ "rules": rules }))
    }

    pub(crate) fn rules_load(&self, text: &str, author: &Author) -> Answered {
        let _alone = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let packed = pack(text, author)?;
        let document = decode(&packed).map_err(|flaw| Failure::argument(flaw.to_string()))?;
        let before = self.read(|held| held.replica().rules().document())?;
        if before
            .as_ref()
            .is_some_and(|before| before.source == document.source)
        {
            return Err(Failure::argument("these rules are in force already"));
        }
        let mut last = None;
        for part in parts(&packed) {
            let sent = self.send(part)?;
            let outcome = Outcome::of(&sent.event, None);
            if !outcome.accepted {
                return Err(refused(outcome));
            }
            last = Some(outcome);
        }
        let outcome = last.ok_or_else(|| Failure::argument("the rules have no parts"))?;
        let in_force = self.read(|held| held.replica().rules().document())?;
        if in_force.is_none_or(|in_force| in_force.source != document.source) {
            let message = "all parts are in the journal, and the rules are not in force; another document came in between";
            return Err(Failure::new(ErrorCode::OutcomeUnknown, message));
        }
        value(json!({ "changes": changes(before.as_ref(), &document), "outcome": outcome }))
    }
}

fn pack(text: &str, author: &Author) -> Result<Vec<u8>, Failure> {
    let compiled = compile(text.as_bytes()).map_err(|errors| {
        let told = errors.0.iter().take(ERRORS_TOLD);
        let lines: Vec<String> = told
            .map(|error| format!("{}:{}: {}", error.line, error.column, error.problem))
            .collect();
        Failure::argument(lines.join("; "))
    })?;
    let label = Label {
        author: author.name,
        reason: Text::lossy(author.tail()),
    };
    encode(&compiled, label).map_err(|error| Failure::argument(error.to_string()))
}
