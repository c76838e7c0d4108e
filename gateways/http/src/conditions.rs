//! Conditions of a request on what is there: `If-None-Match` of a read, `If-Match` and `If-None-Match` of a change (RFC 9110, section 13).
//!
//! The tag of a resource is that of a GET of its path without parameters. It says what the resource is and not when it was looked at:
//! `as_of` and `as_of_time` are not in it.
//!
//! # Invariants
//! - A condition is kept or refused, never passed over: where there is nothing to compare with, it does not hold. A request that is repeated
//!   under its key is no new change, and gets the first answer.
//! - Of two changes of one path with the same tag at most one holds: they are compared and made one after the other. A change without a
//!   condition waits for nobody.

use crate::call::Call;
use crate::endpoint::{Endpoint, Keyed, Verb};
use crate::endpoints;
use crate::gateway::Gateway;
use crate::problem::{Problem, ProblemCode};
use axum::http::{HeaderMap, HeaderName, header};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// Paths share so many locks.
const LOCKS: usize = 64;

/// Has changes with conditions made one after the other, by path.
pub(crate) struct Turns([Mutex<()>; LOCKS]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    async fn take(&self, path: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        self.0[hasher.finish() as usize % LOCKS].lock().await
    }
}

/// True where a header names this tag, or any.
fn names(asked: &HeaderMap, header: HeaderName, etag: &str) -> bool {
    let is_it = |one: &str| one == "*" || one.trim_start_matches("W/").trim_matches('"') == etag;
    let texts = { asked.get_all(header).iter() }.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .any(|one| is_it(one.trim()))
}

/// True where the client has the answer with this tag (`If-None-Match`).
pub(crate) fn is_known(asked: &HeaderMap, etag: &str) -> bool {
    names(asked, header::IF_NONE_MATCH, etag)
}

/// Holds a change to its conditions. What is given back keeps other changes with conditions out until this one is made.
pub(crate) async fn hold<'a>(
    gateway: &'a Arc<Gateway>,
    table: &[Endpoint],
    endpoint: &Endpoint,
    call: &Call,
) -> Result<Option<MutexGuard<'a, ()>>, Problem> {
    let has = |name| call.headers.contains_key(name);
    let (must_be, must_not_be) = (has(header::IF_MATCH), has(header::IF_NONE_MATCH));
    if endpoint.verb == Verb::Get || !(must_be || must_not_be) {
        return Ok(None);
    }
    let path = call.target.split_once(' ').map_or("", |(_, path)| path);
    let turn = gateway.turns.take(path).await;
    // Looked at in turn: the first one may have been under way until now.
    if is_repeat(gateway, endpoint, call) {
        return Ok(Some(turn)); // the first one held, or was refused, and changed what there was
    }
    let reads = { table.iter() }.find(|other| other.verb == Verb::Get && other.path == endpoint.path);
    let reads =
        reads.ok_or_else(|| failed("nothing is read at this path, so there is no ETag to compare with"))?;
    let etag = match (reads.handle)(Arc::clone(gateway), call.reading()).await {
        Ok(reply) => Some(reply.etag()),
        Err(problem) if problem.code() == ProblemCode::NotFound => None,
        Err(problem) => return Err(problem),
    };
    let is_named = |header| {
        etag.as_ref()
            .is_some_and(|etag| names(&call.headers, header, etag))
    };
    if must_be && !is_named(header::IF_MATCH) {
        return Err(failed(match etag {
            Some(_) => "it has been changed: read it again (If-Match)",
            None => "it is not there (If-Match)",
        }));
    }
    if must_not_be && is_named(header::IF_NONE_MATCH) {
        return Err(failed("it is there already (If-None-Match)"));
    }
    Ok(Some(turn))
}

/// True where the answer comes from the record of an earlier request. A key names one order and one other change, so each is looked for
/// among its own.
fn is_repeat(gateway: &Gateway, endpoint: &Endpoint, call: &Call) -> bool {
    let key = endpoints::values::key(call).ok();
    let user = call.asker.as_ref().map(|asker| asker.caller.user);
    let Some((user, key)) = user.zip(key) else {
        return false;
    };
    match endpoint.keyed {
        Keyed::Nothing => false,
        Keyed::Order => gateway.keys.has_order(user, key),
        Keyed::Change => gateway.keys.has_change(user, key),
    }
}

fn failed(detail: &str) -> Problem {
    Problem::new(ProblemCode::ConditionFailed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_tag_is_named_alone_in_a_list_weakly_or_by_a_star() {
        let named = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_static(text));
            names(&headers, header::IF_MATCH, "abc")
        };
        for text in ["\"abc\"", "\"x\", \"abc\"", "W/\"abc\"", "*"] {
            assert!(named(text), "{text}");
        }
        for text in ["\"abcd\"", "", "\"x\",\"y\""] {
            assert!(!named(text), "{text}");
        }
    }
}
