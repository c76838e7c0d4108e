//! A kill that is undone: by one person where that suffices, by two where the engine wants them.
//!
//! Invariant: whatever is asked is journaled, the engine's refusal too.

use super::{Answered, Desk, refused, value};
use crate::answer::Outcome;
use crate::dual::Waiting;
use crate::message::{self, Author, Target};
use crate::protocol::{ErrorCode, Failure};
use serde_json::json;
use tradewind_domain::reject::RejectCode;

impl Desk {
    /// Asks for a re-arm. Where the engine wants two people it is kept for the second one; the request is journaled either way.
    pub(super) fn rearm(&self, target: Target, second: Option<&str>, author: &Author) -> Answered {
        let outcome = Outcome::of(&self.send(message::rearm(target, author))?.event, None);
        if outcome.accepted {
            return value(json!({ "rearmed": true, "outcome": outcome }));
        }
        if outcome.code.as_deref() != Some(RejectCode::DualControlRequired.text()) {
            return Err(refused(outcome));
        }
        let waiting = self.rearms().add(Waiting {
            id: 0,
            target,
            operator: author.name.to_string(),
            origin: author.origin.clone(),
            reason: author.reason.clone(),
            second: second.map(str::to_owned),
            seq: outcome.seq,
            asked_ns: self.clock.now_ns(),
        });
        value(json!({ "rearmed": false, "pending": waiting.view(), "outcome": outcome }))
    }

    /// The second person's yes. One who may not say it is journaled with the engine's refusal.
    pub(super) fn confirm(&self, id: u64, author: &Author) -> Answered {
        let found = self.rearms().find(id, self.clock.now_ns());
        let Some(waiting) = found else {
            let message =
                format!("no re-arm {id} waits; it may have expired, or the engine was started anew");
            return Err(Failure::new(ErrorCode::NotFound, message));
        };
        let first = Author::new(&waiting.operator, &waiting.origin, Some(&waiting.reason))?;
        if !waiting.may_be_confirmed_by(author.name.as_str()) {
            let alone = Author {
                reason: format!("{}; not confirmed by {}", first.reason, author.name),
                ..first
            };
            let outcome = Outcome::of(&self.send(message::rearm(waiting.target, &alone))?.event, None);
            let message = match &waiting.second {
                Some(named) => format!("{} asked for it, and {named} is to confirm it", waiting.operator),
                None => format!("{} asked for it and cannot confirm it too", waiting.operator),
            };
            return Err(Failure {
                code: ErrorCode::SamePerson,
                message,
                outcome: Some(Box::new(outcome)),
            });
        }
        let sent = self.send(message::rearm_by_two(waiting.target, &first, author))?;
        let outcome = Outcome::of(&sent.event, None);
        if !outcome.accepted {
            return Err(refused(outcome));
        }
        self.rearms().remove(id);
        value(json!({ "rearmed": true, "outcome": outcome }))
    }
}
