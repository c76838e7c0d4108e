//! A request on its way to its endpoint, and the answer on its way back.

use crate::conditions::is_known;
use crate::problem::{Problem, ProblemCode};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use tradewind_domain::event::Inbound;
use tradewind_identity::{Caller, Rights};

/// The longest name that a client may give a request.
const ID_MAX: usize = 64;

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) caller: Caller,
    pub(crate) rights: Rights,
}

/// Names of a request, for logs, answers and the journal.
#[derive(Clone, Debug)]
pub(crate) struct Correlation {
    /// The client's `X-Request-Id`, or one of ours.
    pub(crate) request_id: String,
    /// Trace id of the client's `traceparent`.
    pub(crate) trace_id: Option<String>,
}

impl Correlation {
    /// Of a request's headers; `next` makes a name where the client gave none that is usable.
    pub(crate) fn of(headers: &HeaderMap, next: impl FnOnce() -> String) -> Self {
        let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
        let is_usable =
            |id: &&str| !id.is_empty() && id.len() <= ID_MAX && id.bytes().all(|b| b.is_ascii_graphic());
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        Self {
            request_id: given.filter(is_usable).map_or_else(next, str::to_owned),
            trace_id: traceparent.and_then(trace_id).map(str::to_owned),
        }
    }

    /// As records have it.
    pub(crate) fn name(&self) -> String {
        match &self.trace_id {
            Some(trace) => format!("request {} trace {trace}", self.request_id),
            None => format!("request {}", self.request_id),
        }
    }

    /// On a message of the fast rings.
    pub(crate) fn on(&self, message: Inbound) -> Inbound {
        let trace = self.trace_id.as_deref();
        let trace = trace.and_then(|trace| u128::from_str_radix(trace, 16).ok());
        message.requested_by(&self.request_id, trace)
    }
}

/// The trace id of a W3C `traceparent`: version, 32 hex digits, 16 hex digits, flags.
fn trace_id(text: &str) -> Option<&str> {
    let mut parts = text.split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |part: &str, len: usize| {
        part.len() == len
            && part
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let is_valid = is_hex(version, 2) && version != "ff" && is_hex(trace, 32) && is_hex(span, 16);
    (is_valid && trace.bytes().any(|b| b != b'0')).then_some(trace)
}

/// A request whose path is known and whose sender is, where the endpoint asks for one.
pub(crate) struct Call {
    pub(crate) asker: Option<Asker>,
    /// Method and path.
    pub(crate) target: String,
    pub(crate) path: HashMap<String, String>,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) correlation: Correlation,
}

impl Call {
    /// Who asks. Endpoints that are open to everybody have nobody.
    pub(crate) fn asker(&self) -> Result<&Asker, Problem> {
        self.asker.as_ref().ok_or_else(Problem::no_token)
    }

    /// A part of the path.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let content = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        if !content.is_some_and(|content| {
            content
                .split(';')
                .next()
                .is_some_and(|kind| kind.trim() == "application/json")
        }) {
            return Err(Problem::new(
                ProblemCode::NotAcceptable,
                "the body must be application/json",
            ));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let pointer = pointer(error.path());
            let inner = error.into_inner();
            match inner.is_data() {
                true => Problem::new(ProblemCode::InvalidValue, "").with(pointer, inner.to_string()),
                false => Problem::malformed(pointer, inner.to_string()),
            }
        })?;
        reader
            .end()
            .map_err(|error| Problem::malformed("", error.to_string()))?;
        Ok(value)
    }

    /// The parameters of the query.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let text = self.query.as_deref().unwrap_or("");
        let pairs = form_urlencoded::parse(text.as_bytes());
        let reader = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(reader).map_err(|error| {
            let name = error.path().to_string();
            Problem::malformed(format!("?{name}"), error.into_inner().to_string())
        })
    }

    /// The same request as one that reads its path.
    pub(crate) fn reading(&self) -> Self {
        Self {
            asker: self.asker.clone(),
            target: self.target.clone(),
            path: self.path.clone(),
            query: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            correlation: self.correlation.clone(),
        }
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A path as RFC 6901 writes it.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

/// An answer that says yes.
pub(crate) struct Reply {
    status: StatusCode,
    body: Body,
    headers: Vec<(HeaderName, HeaderValue)>,
    etag: Option<String>,
}

enum Body {
    Nothing,
    Json(serde_json::Value),
    Text(&'static str, String),
}

impl Reply {
    /// 200 with JSON.
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Problem> {
        let value = serde_json::to_value(value).map_err(|error| {
            Problem::new(ProblemCode::Internal, format!("no answer can be made: {error}"))
        })?;
        Ok(Self {
            status: StatusCode::OK,
            body: Body::Json(value),
            headers: Vec::new(),
            etag: None,
        })
    }

    /// 200 with text.
    pub(crate) fn text(content_type: &'static str, text: String) -> Self {
        Self {
            status: StatusCode::OK,
            body: Body::Text(content_type, text),
            headers: Vec::new(),
            etag: None,
        }
    }

    /// 204.
    pub(crate) fn nothing() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: Body::Nothing,
            headers: Vec::new(),
            etag: None,
        }
    }

    /// With another status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With one more header; what is no header's value is left out.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// With a tag that says which answer it is; without one the hash of what is said is its tag.
    pub(crate) fn tagged(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    /// What names this answer among those that were different.
    pub(crate) fn etag(&self) -> String {
        let hash = match (&self.etag, &self.body) {
            (Some(etag), _) => return etag.clone(),
            (None, Body::Nothing) => blake3::hash(b""),
            (None, Body::Text(_, text)) => blake3::hash(text.as_bytes()),
            (None, Body::Json(value)) => hash_of(value),
        };
        hash.to_hex()[..32].to_owned()
    }

    /// As a response to a read. A body that the client has already (`If-None-Match`) is not sent again.
    pub(crate) fn respond(self, asked: &HeaderMap) -> Response {
        let etag = self.etag();
        let is_tagged = self.status == StatusCode::OK && !matches!(self.body, Body::Nothing);
        let is_known = is_tagged && is_known(asked, &etag);
        let mut response = match is_known {
            true => self.without_body().untagged(),
            false => self.untagged(),
        };
        if is_tagged && let Ok(etag) = HeaderValue::from_str(&format!("\"{etag}\"")) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }

    fn without_body(self) -> Self {
        Self {
            status: StatusCode::NOT_MODIFIED,
            body: Body::Nothing,
            ..self
        }
    }

    /// As a response to a change: what is said of it has no tag, which would not be that of what was changed.
    pub(crate) fn untagged(self) -> Response {
        let (content_type, text) = match self.body {
            Body::Nothing => (None, String::new()),
            Body::Json(value) => (Some("application/json"), value.to_string()),
            Body::Text(content_type, text) => (Some(content_type), text),
        };
        let mut response = (self.status, text).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        headers.extend(self.headers);
        response
    }
}

/// Members of an answer that say when it was read.
const WHEN: [&str; 2] = ["as_of", "as_of_time"];

/// The hash of an answer but for when it was read.
fn hash_of(value: &serde_json::Value) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let written = match value {
        serde_json::Value::Object(members) => { members.iter() }
            .filter(|(name, _)| !WHEN.contains(&name.as_str()))
            .try_for_each(|member| serde_json::to_writer(&mut hasher, &member)),
        other => serde_json::to_writer(&mut hasher, other),
    };
    debug_assert!(written.is_ok(), "Invariant: a hasher takes everything");
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_taken_from_a_traceparent_that_is_one() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = format!("00-{trace}-00f067aa0ba902b7-01");
        assert_eq!(trace_id(&good), Some(trace));
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_of_a_request_is_kept_where_it_is_usable() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_static("abc-1"));
        assert_eq!(Correlation::of(&headers, || "ours".into()).request_id, "abc-1");
        headers.insert("x-request-id", HeaderValue::from_static("a b"));
        assert_eq!(Correlation::of(&headers, || "ours".into()).request_id, "ours");
    }

    #[test]
    fn a_body_that_the_client_has_is_not_sent_again() {
        let first = Reply::json(&1).map(|reply| reply.respond(&HeaderMap::new())).ok();
        let etag = first.map(|response| response.headers()[header::ETAG].clone());
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, etag.unwrap());
        let again = Reply::json(&1).map(|reply| reply.respond(&asked)).ok().unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let at = |as_of: u64, data: u64| {
            Reply::json(&serde_json::json!({ "as_of": as_of, "data": data })).map(|reply| reply.etag())
        };
        assert_eq!(at(1, 7).ok(), at(2, 7).ok());
        assert_ne!(at(1, 7).ok(), at(1, 8).ok());
        let change = Reply::json(&1).map(Reply::untagged).ok().unwrap();
        assert_eq!(
            (change.status(), change.headers().get(header::ETAG)),
            (StatusCode::OK, None)
        );
        let other = Reply::json(&2).map(|reply| reply.respond(&asked)).ok().unwrap();
        assert_eq!(other.status(), StatusCode::OK);
    }
}
