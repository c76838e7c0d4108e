//! What is used of a limit: asked of the running stage and journaled, or for listings of the replica's own.
//!
//! # Invariants
//! - A limit that says yes or no to each order counts nothing, and no figure is made up for it.
//! - Where the answer depends on an instrument or an account that was not named, that is said before anything is journaled.
//!
//! Not here: whether an order would pass (`limits.validate`).

use crate::answer::{Outcome, Usage};
use crate::command::LimitUsage;
use crate::desk::{Answered, Desk, reads_failed, refused, value};
use crate::message::{self, Author};
use crate::protocol::Failure;
use serde_json::json;
use tradewind_config::{Known, Limit};
use tradewind_domain::codes::LimitType;
use tradewind_domain::event::{Event, InboundLong, Kind, LimitProbe};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::{Code, Symbol};
use tradewind_views::Unit;
use tradewind_views::live::Held;

impl Desk {
    pub(crate) fn limits_usage(&self, args: &LimitUsage, author: &Author) -> Answered {
        self.read(|held| {
            limit_named(held.known(), &args.label).map_or(Ok(()), |limit| can_say(held.known(), limit, args))
        })??;
        let sent = self.send(message::limit_usage(args, author)?)?;
        let outcome = Outcome::of(&sent.event, None);
        if !outcome.accepted {
            return Err(self.explained(args, refused(outcome)));
        }
        let usage = self
            .live()
            .read(sent.released, |held| Usage::of(sent.event.body(), held.known()))
            .map_err(reads_failed)?;
        value(json!({ "usage": usage, "outcome": outcome }))
    }
}

impl Desk {
    /// The stage has one code for a limit that there is not, and for one that has no figure for what was asked: says which.
    fn explained(&self, args: &LimitUsage, failure: Failure) -> Failure {
        let code = failure
            .outcome
            .as_ref()
            .and_then(|outcome| outcome.code.as_deref());
        let is_known = self.read(|held| limit_named(held.known(), &args.label).is_some());
        if code != Some(RejectCode::UnknownLimit.text()) || !is_known.unwrap_or(false) {
            return failure;
        }
        let message = format!(
            "{}: {} is in force and has no figure for this: it counts for each account or instrument and none that it binds was named (account, \
             symbol), or it has not begun to count",
            failure.message, args.label
        );
        Failure { message, ..failure }
    }
}

/// What the replica's own stage says; a question does not change it. `None` where the limit counts nothing, or not without more names.
pub(crate) fn usage(held: &mut Held, label: &str) -> Option<Usage> {
    let says_nothing = |limit| is_gate(limit) || needs_instrument(limit);
    if limit_named(held.known(), label).is_some_and(says_nothing) {
        return None;
    }
    let body = LimitProbe {
        label: Code::new(label).ok()?,
        qty_dp: 8,
        px_dp: 8,
        ..bytemuck::Zeroable::zeroed()
    };
    let message = InboundLong::new(Kind::LimitProbe, &body).named(Symbol::EMPTY, Code::EMPTY);
    let mut event: Box<Event> = Box::new(*message.event());
    held.question(&mut event);
    (!event.is_rejected()).then(|| Usage::of(event.body(), held.known()))
}

/// A limit in force.
pub(crate) fn limit_named<'a>(known: &'a Known, label: &str) -> Option<&'a Limit> {
    known.limits().find(|limit| limit.label.as_str() == label)
}

/// True for limits that say yes or no.
fn is_gate(limit: &Limit) -> bool {
    Unit::of_hit(limit.limit_type, None, &limit.params) == Unit::Gate
}

/// True for limits whose figure is that of an instrument, where they are not set on one: its volume, or the currency that it trades in.
fn needs_instrument(limit: &Limit) -> bool {
    use LimitType as L;
    let has_own = !limit.instrument.is_empty();
    !has_own
        && matches!(
            limit.limit_type,
            L::BuyingPower | L::FatFinger | L::AdvOrder | L::AdvDay
        )
}

/// Says why there is no figure for what was asked, where that is plain.
fn can_say(known: &Known, limit: &Limit, args: &LimitUsage) -> Result<(), Failure> {
    let (label, limit_type) = (limit.label, limit.limit_type);
    if limit_type == LimitType::Restricted {
        let lines = known.restricted().filter(|line| line.limit == label);
        let listed: Vec<String> = lines
            .map(|line| format!("{} {}", line.instrument, line.restriction.text()))
            .collect();
        let listed = if listed.is_empty() {
            "nothing".to_owned()
        } else {
            listed.join(", ")
        };
        let message = format!("{label} is a list (RESTRICTED) and counts nothing; on it: {listed}");
        return Err(Failure::argument(message));
    }
    if is_gate(limit) {
        let message = format!(
            "{label} ({limit_type}) says yes or no to each order and counts nothing; limits.validate (`limits check`) asks it about an order"
        );
        return Err(Failure::argument(message));
    }
    if !needs_instrument(limit) || args.symbol.is_some() {
        return Ok(());
    }
    let of = match limit_type {
        LimitType::BuyingPower => "the cash of an account in an instrument's currency",
        _ => "by a figure of an instrument (adv, avg_order_qty)",
    };
    let message = format!(
        "{label} ({limit_type}) counts {of}: name an instrument (symbol), and above accounts the account"
    );
    Err(Failure::argument(message))
}
