//! Changes that become one admin event: it is sent, and its record is the answer.

use super::values::{key, reason};
use crate::call::{Asker, Call, Reply};
use crate::gateway::{Gateway, author};
use crate::keys::{Change, Found};
use crate::problem::{Problem, ProblemCode};
use crate::schema::{Schema, object};
use serde_json::json;
use std::sync::Arc;
use tradewind_control::{Command, Hit, Outcome};
use tradewind_domain::event::{Event, InboundLong};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Code;

pub(super) fn outcome_schema() -> Schema {
    let mut schema = object(
        "What became of it.",
        &[("outcome", "any", "The journal's record.")],
    );
    schema["additionalProperties"] = true.into();
    schema
}

/// The journal's name of who asks, for messages whose body has an author.
pub(super) fn author_code(asker: &Asker) -> Code {
    Code::lossy(author(asker))
}

/// A refusal of the engine.
pub(super) fn refused(gateway: &Gateway, event: &Event, code: RejectCode) -> Problem {
    let outcome = gateway.live.look(|held| Outcome::of(event, Some(held)));
    let detail = match why(&outcome) {
        why if why.is_empty() => format!("the engine refused it with {code}"),
        why => format!("the engine refused it with {code}: {why}"),
    };
    Problem::refused(code, detail, json!(outcome))
}

/// What stands behind a refusal, for people: the limit that gave its code; else the record's words, without the request that they know.
fn why(outcome: &Outcome) -> String {
    let gave = |hit: &&Hit| Some(&hit.code) == outcome.code.as_ref() && !hit.limit.is_empty();
    if let Some(hit) = outcome.hits.iter().find(gave) {
        let figures = match hit.unit.is_empty() {
            true => String::new(),
            false => format!(": {} against {} ({})", hit.used, hit.hard, hit.unit),
        };
        return format!("limit {} at {} {}{figures}", hit.limit, hit.level, hit.scope);
    }
    let (before, request) = outcome
        .text
        .split_once("[request ")
        .unwrap_or((&outcome.text, ""));
    let after = request.split_once(']').map_or("", |(_, after)| after);
    format!("{} {}", before.trim(), after.trim()).trim().to_owned()
}

/// Sends a change with its reason, behind which the record names the request.
pub(super) async fn change(
    gateway: &Gateway,
    call: &Call,
    message: InboundLong,
    why: &str,
) -> Result<Outcome, Problem> {
    let tail = format!("{} [{}]", reason(why)?, call.correlation.name());
    let event = gateway.gate.admin(message.with_tail(tail.as_bytes())).await?;
    match event.reject_code() {
        Some(code) => Err(refused(gateway, &event, code)),
        None => Ok(Outcome::of(&event, None)),
    }
}

/// As [`change`], with the outcome as the answer.
pub(super) async fn changed(
    gateway: &Gateway,
    call: &Call,
    message: InboundLong,
    why: &str,
) -> Result<Reply, Problem> {
    Reply::json(&json!({ "outcome": change(gateway, call, message, why).await? }))
}

/// Has the desk do something that must not be done twice: the `Idempotency-Key` stands in the record, and a repeat is answered with it.
pub(super) async fn once(
    gateway: &Arc<Gateway>,
    call: &Call,
    why: &str,
    command: Command,
) -> Result<Reply, Problem> {
    let key = key(call)?;
    if key.as_str().contains(' ') {
        return Err(Problem::malformed("Idempotency-Key", "has no spaces here"));
    }
    let asker = call.asker()?;
    let change = Change::of(&call.target, &call.body);
    let work = match gateway.keys.take_change(asker.caller.user, key, &change) {
        Found::New(work) => work,
        Found::Same(event) => return answered(gateway, &event),
        Found::Other => return Err(Problem::key_reused(&key)),
        Found::InFlight => return Err(Problem::in_flight(&key)),
    };
    let via = format!(
        "{}; {}",
        call.correlation.name(),
        change.name(asker.caller.user, key)
    );
    let answer = gateway.desk_as(call, via, Some(why), command).await;
    let is_told = match &answer {
        Err(problem) => problem.code() != ProblemCode::OutcomeUnknown,
        // The record has to be in the index before the key is given free.
        Ok(_) => gateway.read(|live| live.read_now(|_| ())).await.is_ok(),
    };
    match is_told {
        true => drop(work),
        false => work.keep(),
    }
    Reply::json(&answer?)
}

/// The answer of a record that was asked for before.
fn answered(gateway: &Gateway, event: &Event) -> Result<Reply, Problem> {
    if let Some(code) = event.reject_code() {
        return Err(refused(gateway, event, code));
    }
    let reply = Reply::json(&json!({ "outcome": Outcome::of(event, None) }))?;
    Ok(reply.header("idempotency-replayed", "true"))
}
