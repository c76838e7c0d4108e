//! Conditions of a request on what is there: `If-None-Match` of a read, `If-Match` and `If-None-Match` of a change (RFC 9110, section 13).
//!
//! The tag of a resource is that of a GET of its path without parameters, where that shows all of it: a page's tag says nothing of the rows
//! that are not on it. It says what the resource is and not when it was looked at: `as_of` and `as_of_time` are not in it.
//!
//! # Invariants
//! - A condition is kept or refused, never passed over: where there is nothing to compare with, it does not hold. A request that is repeated
//!   under its key is no new change, and gets the first answer.
//! - Nobody learns from a condition what he may not read: who compares needs the right to the GET, as himself.
//! - Of two changes of one path with the same tag at most one holds: they are compared and made one after the other. A change without a
//!   condition waits for nobody.

use crate::call::{Call, Reply};
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

/// How two tags are compared (RFC 9110, section 8.8.3.2). None of ours is weak.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// A weak tag is like no other.
    Strong,
    /// A weak tag is like the strong one of the same text.
    Weak,
}

/// True where a header names this tag, or any.
fn names(asked: &HeaderMap, header: HeaderName, comparison: Comparison, etag: &str) -> bool {
    let is_it = |one: &[u8]| {
        let one = one.trim_ascii();
        let tag = match comparison {
            Comparison::Strong => one,
            Comparison::Weak => one.strip_prefix(b"W/").unwrap_or(one),
        };
        let text = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\""));
        one == b"*" || text == Some(etag.as_bytes())
    };
    { asked.get_all(header).iter() }
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(is_it)
}

/// True where the client has the answer with this tag (`If-None-Match`).
pub(crate) fn is_known(asked: &HeaderMap, etag: &str) -> bool {
    names(asked, header::IF_NONE_MATCH, Comparison::Weak, etag)
}

/// True where `If-Match` lets a request through to what has this tag.
fn is_named(asked: &HeaderMap, etag: &str) -> bool {
    names(asked, header::IF_MATCH, Comparison::Strong, etag)
}

/// Holds a read to its `If-Match`: the answer goes out only where it is one of those that were asked for.
pub(crate) fn read(asked: &HeaderMap, reply: Reply) -> Result<Reply, Problem> {
    match !asked.contains_key(header::IF_MATCH) || is_named(asked, &reply.etag()) {
        true => Ok(reply),
        false => Err(failed("it is another one now (If-Match)")),
    }
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
    let reads = { table.iter() }
        .find(|other| other.verb == Verb::Get && other.path == endpoint.path && other.is_whole());
    let reads = reads.ok_or_else(|| {
        failed("nothing is read as a whole at this path, so there is no ETag to compare with")
    })?;
    gateway.permit(call.asker.as_ref(), reads.need)?;
    let etag = match (reads.handle)(Arc::clone(gateway), call.reading()).await {
        Ok(reply) => Some(reply.etag()),
        Err(problem) if problem.code() == ProblemCode::NotFound => None,
        Err(problem) => return Err(problem),
    };
    match etag {
        None if must_be => Err(failed("it is not there (If-Match)")),
        Some(etag) if must_be && !is_named(&call.headers, &etag) => {
            Err(failed("it has been changed: read it again (If-Match)"))
        }
        Some(etag) if must_not_be && is_known(&call.headers, &etag) => {
            Err(failed("it is there already (If-None-Match)"))
        }
        _ => Ok(Some(turn)),
    }
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

    /// Headers of one name with these values.
    fn headers(name: &HeaderName, values: &[&[u8]]) -> HeaderMap {
        let value = |bytes: &&[u8]| HeaderValue::from_bytes(bytes).unwrap();
        { values.iter() }
            .map(|bytes| (name.clone(), value(bytes)))
            .collect()
    }

    fn lets_through(values: &[&[u8]]) -> bool {
        is_named(&headers(&header::IF_MATCH, values), "abc")
    }

    #[test]
    fn a_tag_is_named_alone_in_a_list_or_by_a_star() {
        for text in ["\"abc\"", "\"x\", \"abc\"", "\"abc\",\"x\"", "*"] {
            assert!(lets_through(&[text.as_bytes()]), "{text}");
        }
        for text in ["\"abcd\"", "", "\"x\",\"y\"", "abc", "\"x,abc\""] {
            assert!(!lets_through(&[text.as_bytes()]), "{text}");
        }
        assert!(
            lets_through(&[b"\"x\"", b"\"\xff\", \"abc\""]),
            "in a second header, beside others' bytes"
        );
        assert!(!lets_through(&[]));
    }

    #[test]
    fn a_weak_tag_spares_a_body_and_lets_no_change_through() {
        let weak: &[u8] = b"W/\"abc\"";
        assert!(is_known(&headers(&header::IF_NONE_MATCH, &[weak]), "abc"));
        assert!(!lets_through(&[weak]));
    }
}
