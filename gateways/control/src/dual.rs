//! Re-arms that wait for a second person.
//!
//! # Invariants
//! - Who asked never confirms, however the name is written (case and space apart it is the same name).
//! - What waits is bounded and ends: after [`EXPIRES_NS`], and with the engine's run.
//!
//! Not here: the verdict. The limit check alone decides whether two names suffice; this only brings them together.

use crate::message::Target;
use serde::{Deserialize, Serialize};
use tradewind_domain::time::{Rfc3339, UnixNanos};

/// How long a re-arm waits for its second person.
const EXPIRES_NS: u64 = 15 * 60 * 1_000_000_000;
/// How many wait at most; the oldest gives way.
const WAITING_MAX: usize = 64;

/// A re-arm that waits, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRearm {
    /// Its number, for the second person.
    pub id: u64,
    /// What is to be re-armed.
    pub target: String,
    /// Who asked.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// The only one who may confirm, where somebody was named.
    pub second: Option<String>,
    /// Sequence number of the journaled request.
    pub seq: u64,
    /// Until when it waits.
    pub expires: String,
}

/// One that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) id: u64,
    pub(crate) target: Target,
    pub(crate) operator: String,
    pub(crate) origin: String,
    pub(crate) reason: String,
    pub(crate) second: Option<String>,
    pub(crate) seq: u64,
    pub(crate) asked_ns: UnixNanos,
}

impl Waiting {
    /// True where this person may confirm it.
    pub(crate) fn may_be_confirmed_by(&self, operator: &str) -> bool {
        !same(&self.operator, operator) && self.second.as_deref().is_none_or(|named| same(named, operator))
    }

    pub(crate) fn view(&self) -> PendingRearm {
        PendingRearm {
            id: self.id,
            target: self.target.to_string(),
            operator: self.operator.clone(),
            reason: self.reason.clone(),
            second: self.second.clone(),
            seq: self.seq,
            expires: Rfc3339(self.asked_ns.saturating_add(EXPIRES_NS)).to_string(),
        }
    }
}

/// The same person's name.
fn same(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

/// All that wait.
#[derive(Debug, Default)]
pub(crate) struct Rearms {
    last_id: u64,
    waiting: Vec<Waiting>,
}

impl Rearms {
    /// Takes one more; another one of the same person for the same target gives way. Gives it with its number.
    pub(crate) fn add(&mut self, mut new: Waiting) -> Waiting {
        self.drop_expired(new.asked_ns);
        self.waiting
            .retain(|old| old.target != new.target || !same(&old.operator, &new.operator));
        if self.waiting.len() == WAITING_MAX {
            self.waiting.remove(0);
        }
        self.last_id += 1;
        new.id = self.last_id;
        self.waiting.push(new.clone());
        new
    }

    /// The one with this number.
    pub(crate) fn find(&mut self, id: u64, now_ns: UnixNanos) -> Option<Waiting> {
        self.drop_expired(now_ns);
        self.waiting.iter().find(|one| one.id == id).cloned()
    }

    /// It is done.
    pub(crate) fn remove(&mut self, id: u64) {
        self.waiting.retain(|one| one.id != id);
    }

    /// All of them, oldest first.
    pub(crate) fn list(&mut self, now_ns: UnixNanos) -> Vec<PendingRearm> {
        self.drop_expired(now_ns);
        self.waiting.iter().map(Waiting::view).collect()
    }

    fn drop_expired(&mut self, now_ns: UnixNanos) {
        self.waiting
            .retain(|one| now_ns.saturating_sub(one.asked_ns) < EXPIRES_NS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(operator: &str, session: u32, asked_ns: u64) -> Waiting {
        Waiting {
            id: 0,
            target: Target::Session(session),
            operator: operator.into(),
            origin: "os user root".into(),
            reason: "done".into(),
            second: None,
            seq: 1,
            asked_ns,
        }
    }

    #[test]
    fn nobody_confirms_what_he_asked_for() {
        let one = asked("Ada", 1, 0);
        assert!(!one.may_be_confirmed_by("Ada") && !one.may_be_confirmed_by(" ada "));
        assert!(one.may_be_confirmed_by("ben"));
    }

    #[test]
    fn where_somebody_is_named_nobody_else_confirms() {
        let one = Waiting {
            second: Some("ben".into()),
            ..asked("ada", 1, 0)
        };
        assert!(one.may_be_confirmed_by("Ben") && !one.may_be_confirmed_by("cleo"));
    }

    #[test]
    fn what_waits_is_bounded_and_ends() {
        let mut rearms = Rearms::default();
        for session in 0..100 {
            rearms.add(asked("ada", session, u64::from(session)));
        }
        assert_eq!(rearms.list(100).len(), WAITING_MAX);
        assert!(rearms.find(100, 100).is_some() && rearms.find(1, 100).is_none());
        assert!(rearms.list(EXPIRES_NS + 99).is_empty());
    }

    #[test]
    fn asking_again_takes_the_place_of_what_was_asked_before() {
        let mut rearms = Rearms::default();
        rearms.add(asked("ada", 1, 0));
        let again = rearms.add(asked("ADA", 1, 5));
        assert_eq!(rearms.list(5).len(), 1);
        rearms.remove(again.id);
        assert!(rearms.list(5).is_empty());
    }
}
