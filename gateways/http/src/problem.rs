//! What a refused request is answered with: problem details (RFC 9457) with a code that never changes its meaning.
//!
//! Invariant: nothing of a request's secrets, and nothing of the inside (paths, SQL, addresses), is said.

use crate::log::Refusal;
use crate::schema::{Schema, object};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tradewind_control::{ErrorCode, Failure};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ClOrdId;
use tradewind_identity::{AuthError, IdentityError};
use tradewind_views::query::current::LiveError;
use tradewind_views::query::history::HistoryError;

macro_rules! problems {
    ($($name:ident = $text:literal, $status:ident, $title:literal;)*) => {
        /// Why a request was not fulfilled. Beside these, `code` may be a reject code of the engine (docs/http-api.md).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemCode { $(#[doc = $title] $name,)* }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &[ProblemCode] = &[$(ProblemCode::$name,)*];
            /// For programs.
            pub const fn text(self) -> &'static str {
                match self { $(ProblemCode::$name => $text,)* }
            }
            /// The answer's status.
            pub const fn status(self) -> StatusCode {
                match self { $(ProblemCode::$name => StatusCode::$status,)* }
            }
            /// For people.
            pub const fn title(self) -> &'static str {
                match self { $(ProblemCode::$name => $title,)* }
            }
        }
    };
}

problems! {
    Malformed = "MALFORMED", BAD_REQUEST, "The request is not what the endpoint takes";
    InvalidValue = "INVALID_VALUE", UNPROCESSABLE_ENTITY, "A value is not what it must be";
    KeyRequired = "IDEMPOTENCY_KEY_REQUIRED", BAD_REQUEST, "The header Idempotency-Key is missing";
    KeyReused = "IDEMPOTENCY_KEY_REUSED", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request";
    InFlight = "REQUEST_IN_FLIGHT", CONFLICT, "A request with this Idempotency-Key is being worked on";
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED, "A valid access token or API key is needed";
    BadCredentials = "BAD_CREDENTIALS", UNAUTHORIZED, "User or password is wrong";
    TokenExpired = "TOKEN_EXPIRED", UNAUTHORIZED, "The token has expired";
    TokenRevoked = "TOKEN_REVOKED", UNAUTHORIZED, "The token has been revoked";
    LockedOut = "LOCKED_OUT", TOO_MANY_REQUESTS, "Too many failed logins";
    NotPermitted = "NOT_PERMITTED", FORBIDDEN, "The user has no right to this";
    NotFound = "NOT_FOUND", NOT_FOUND, "There is no such thing";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED, "The resource does not take this method";
    NotAcceptable = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE, "The body has a type that the endpoint does not take";
    TooLarge = "BODY_TOO_LARGE", PAYLOAD_TOO_LARGE, "The body is too large";
    TooSlow = "REQUEST_TIMEOUT", REQUEST_TIMEOUT, "The request took too long to arrive";
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS, "Too many requests";
    Conflict = "CONFLICT", CONFLICT, "The state of things forbids it";
    ConditionFailed = "PRECONDITION_FAILED", PRECONDITION_FAILED, "What is there is not what the request names";
    Refused = "REFUSED", UNPROCESSABLE_ENTITY, "The engine refused it";
    SamePerson = "SECOND_PERSON_REQUIRED", CONFLICT, "Another person has to confirm it";
    Starting = "STARTING", SERVICE_UNAVAILABLE, "The engine is starting";
    Stopping = "STOPPING", SERVICE_UNAVAILABLE, "The engine is stopping; nothing was sent";
    Busy = "BUSY", SERVICE_UNAVAILABLE, "The engine cannot take more now; nothing was sent";
    OutcomeUnknown = "OUTCOME_UNKNOWN", GATEWAY_TIMEOUT, "It was sent, and its outcome was not seen in time";
    ReadsFailed = "READS_FAILED", SERVICE_UNAVAILABLE, "Reads are not available";
    NoHistory = "NO_HISTORY", SERVICE_UNAVAILABLE, "No store is configured: there is no history";
    HistoryDown = "HISTORY_UNAVAILABLE", SERVICE_UNAVAILABLE, "The store does not answer";
    NotHere = "NOT_CONFIGURED", SERVICE_UNAVAILABLE, "This part of the engine is not running";
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR, "Something is wrong with the server";
}

/// A finding about one member of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// JSON pointer into the body, or `?name` for a parameter.
    pointer: String,
    /// For programs.
    code: &'static str,
    /// For people.
    detail: String,
}

/// The status of a refusal of the engine: that of a broken rule, where the code does not say something else (LIMITS section 6).
fn status_of(reject: RejectCode) -> StatusCode {
    use RejectCode as Reject;
    match reject {
        Reject::NotAuthorized => StatusCode::FORBIDDEN,
        Reject::DuplicateClOrdId
        | Reject::DuplicateOrder
        | Reject::DuplicateExecId
        | Reject::AlreadyBusted
        | Reject::AlreadyAllocated
        | Reject::PendingAlreadyPosted
        | Reject::PendingAlreadyVoided
        | Reject::TooLateToCancel
        | Reject::PendingCancelReplace
        | Reject::StateMismatch => StatusCode::CONFLICT,
        Reject::OrderRateExceeded | Reject::MsgRateExceeded => StatusCode::TOO_MANY_REQUESTS,
        Reject::Capacity | Reject::JournalSpaceLow => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// An answer that says no.
#[derive(Clone, Debug)]
pub struct Problem {
    code: ProblemCode,
    /// The engine's reject code in place of ours.
    reject: Option<RejectCode>,
    detail: String,
    retry_after_s: Option<u64>,
    errors: Vec<Finding>,
    more: Map<String, Value>,
    /// For the log alone.
    cause: Option<String>,
}

impl Problem {
    /// With a sentence for people.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let retry_after_s = match code {
            ProblemCode::Starting | ProblemCode::Busy | ProblemCode::HistoryDown | ProblemCode::InFlight => {
                Some(1)
            }
            ProblemCode::Stopping | ProblemCode::RateLimited => Some(2),
            _ => None,
        };
        Self {
            code,
            reject: None,
            detail: detail.into(),
            retry_after_s,
            errors: Vec::new(),
            more: Map::new(),
            cause: None,
        }
    }

    /// A value that is not what it must be.
    pub fn value(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::InvalidValue, "").with(pointer, detail)
    }

    /// Something that cannot be read.
    pub fn malformed(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::Malformed, "").with(pointer, detail)
    }

    /// Nothing of this name.
    pub fn not_found(what: &str, name: impl std::fmt::Display) -> Self {
        Self::new(
            ProblemCode::NotFound,
            format!("there is no {what} {name}, or it is not yours to see"),
        )
    }

    /// No right.
    pub fn not_permitted(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::NotPermitted, detail)
    }

    /// Nobody in particular asks for what somebody must.
    pub(crate) fn no_token() -> Self {
        let detail = "send an access token or API key: Authorization: Bearer …";
        Self::new(ProblemCode::Unauthenticated, detail)
    }

    /// A key that names another request.
    pub(crate) fn key_reused(key: &ClOrdId) -> Self {
        Self::new(
            ProblemCode::KeyReused,
            format!("the key {key} was sent with another request"),
        )
    }

    /// A key whose request has no answer yet.
    pub(crate) fn in_flight(key: &ClOrdId) -> Self {
        Self::new(
            ProblemCode::InFlight,
            format!("a request with the key {key} is being worked on"),
        )
    }

    /// With a finding about one member.
    pub fn with(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let (pointer, detail) = (pointer.into(), detail.into());
        if self.detail.is_empty() {
            self.detail = format!("{pointer}: {detail}");
        }
        self.errors.push(Finding {
            pointer,
            code: self.code.text(),
            detail,
        });
        self
    }

    /// What the engine's record says of a refusal; its reject code becomes the code.
    pub fn refused(reject: RejectCode, detail: impl Into<String>, outcome: Value) -> Self {
        let mut problem = Self::new(ProblemCode::Refused, detail).rejected(reject);
        problem.more.insert("outcome".into(), outcome);
        problem
    }

    fn rejected(mut self, reject: RejectCode) -> Self {
        let waits = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        self.retry_after_s = waits.contains(&status_of(reject)).then_some(1);
        self.reject = Some(reject);
        self
    }

    /// When to come again, seconds.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// With what went wrong inside. The log has it, the answer does not.
    pub fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(source) = next {
            text = format!("{text}: {source}");
            next = source.source();
        }
        self.cause = Some(text);
        self
    }

    /// What kind of problem it is.
    pub fn code(&self) -> ProblemCode {
        self.code
    }

    /// The code that the answer carries.
    pub fn code_text(&self) -> &str {
        self.reject.map_or(self.code.text(), RejectCode::text)
    }

    /// What is said to people; none where there is nothing to say.
    pub fn detail(&self) -> Option<String> {
        Some(self.detail.clone()).filter(|detail| !detail.is_empty())
    }

    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        self.reject.map_or(self.code.status(), status_of)
    }

    /// As the answer of a request.
    pub fn respond(&self, instance: &str, request_id: &str, trace_id: Option<&str>) -> Response {
        let mut body = json!({
            "type": format!("/docs#{}", self.code.text()),
            "title": self.code.title(),
            "status": self.status().as_u16(),
            "detail": self.detail,
            "instance": instance,
            "code": self.code_text(),
            "request_id": request_id,
        });
        if let Some(members) = body.as_object_mut() {
            if let Some(trace_id) = trace_id {
                members.insert("trace_id".into(), trace_id.into());
            }
            if !self.errors.is_empty() {
                members.insert("errors".into(), json!(self.errors));
            }
            members.extend(self.more.clone());
        }
        let content = [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        )];
        let mut response = (self.status(), content, body.to_string()).into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Refusal {
            code: self.code_text().to_owned(),
            cause: self.cause.clone(),
        });
        if self.status() == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"tradewind\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// The schema of every problem.
pub(crate) fn schema() -> Schema {
    object(
        "Problem details (RFC 9457).",
        &[
            ("type", "text", "Where the code is explained."),
            ("title", "text", "What kind of problem it is."),
            ("status", "count", "The answer's status."),
            ("detail", "text", "What is wrong with this request."),
            ("instance", "text", "The request's path."),
            (
                "code",
                "text",
                "For programs: a code of this interface, or a reject code of the engine.",
            ),
            ("request_id", "text", "The request, as logs name it."),
            ("trace_id", "text?", "The trace that it belongs to."),
            ("errors", "any?", "Findings: JSON pointer, code and detail."),
            ("outcome", "any?", "What the journal says of a refusal."),
        ],
    )
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Denied(why) => why.into(),
            IdentityError::NameTaken { name } => {
                Self::new(ProblemCode::Conflict, format!("the name {name:?} is taken"))
            }
            IdentityError::BadValue(what) => Self::new(ProblemCode::InvalidValue, what),
            IdentityError::NotFound { what } => {
                Self::new(ProblemCode::NotFound, format!("there is no such {what}"))
            }
            other => Self::new(ProblemCode::Internal, "identities are not available").caused_by(&other),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let code = match error {
            AuthError::BadCredentials => ProblemCode::BadCredentials,
            AuthError::LockedOut { .. } => ProblemCode::LockedOut,
            AuthError::BadToken => ProblemCode::Unauthenticated,
            AuthError::Expired => ProblemCode::TokenExpired,
            AuthError::Revoked | AuthError::Reused => ProblemCode::TokenRevoked,
            AuthError::Busy => ProblemCode::Busy,
        };
        Self::new(code, error.to_string())
    }
}

impl From<LiveError> for Problem {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::NotFound(what) => Self::new(ProblemCode::NotFound, format!("there is no {what}")),
            LiveError::Failed(why) => Self::new(ProblemCode::ReadsFailed, why),
            LiveError::Behind { .. } => Self::new(ProblemCode::Starting, error.to_string()),
            LiveError::Full => Self::new(ProblemCode::Busy, error.to_string()),
        }
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Request(why) => Self::new(ProblemCode::InvalidValue, why),
            HistoryError::Unavailable(why) => Self::new(ProblemCode::HistoryDown, why),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let code = match failure.code {
            ErrorCode::BadRequest
            | ErrorCode::LineTooLong
            | ErrorCode::UnsupportedVersion
            | ErrorCode::UnknownCommand => ProblemCode::Malformed,
            ErrorCode::BadArgument | ErrorCode::ReasonRequired => ProblemCode::InvalidValue,
            ErrorCode::NotPermitted => ProblemCode::NotPermitted,
            ErrorCode::Busy | ErrorCode::QueueFull => ProblemCode::Busy,
            ErrorCode::Refused => ProblemCode::Refused,
            ErrorCode::NotFound => ProblemCode::NotFound,
            ErrorCode::SamePerson => ProblemCode::SamePerson,
            ErrorCode::EngineStopping => ProblemCode::Stopping,
            ErrorCode::OutcomeUnknown => ProblemCode::OutcomeUnknown,
            ErrorCode::ReadsBehind => ProblemCode::Starting,
            ErrorCode::ReadsFailed | ErrorCode::JournalFailed => ProblemCode::ReadsFailed,
        };
        let mut problem = Self::new(code, failure.message);
        if let Some(outcome) = failure.outcome {
            let named = |reject: &&RejectCode| outcome.code.as_deref() == Some(reject.text());
            let reject = RejectCode::ALL.iter().find(named);
            if let Some(&reject) = reject.filter(|_| code == ProblemCode::Refused) {
                problem = problem.rejected(reject);
            }
            problem.more.insert("outcome".into(), json!(outcome));
        }
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_code_status_and_pointer_and_says_when_to_come_again() {
        let problem = Problem::value("/qty", "is not above zero");
        assert_eq!(
            (problem.status().as_u16(), problem.code_text()),
            (422, "INVALID_VALUE")
        );
        let response = problem.respond("/api/v1/orders", "r1", None);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let busy = Problem::new(ProblemCode::Busy, "full").respond("/", "r", None);
        assert_eq!(
            (busy.status().as_u16(), &busy.headers()["retry-after"]),
            (503, &HeaderValue::from(1))
        );
        let stranger = Problem::from(AuthError::BadToken).respond("/", "r", None);
        assert!(stranger.headers().contains_key("www-authenticate"));
    }

    #[test]
    fn a_refusal_of_the_engine_has_the_status_of_what_it_is() {
        let answer = |reject| Problem::refused(reject, "", Value::Null).respond("/", "r", None);
        for (reject, status, comes_again) in [
            (RejectCode::MaxOrderQty, 422, false),
            (RejectCode::NotAuthorized, 403, false),
            (RejectCode::DuplicateClOrdId, 409, false),
            (RejectCode::OrderRateExceeded, 429, true),
            (RejectCode::JournalSpaceLow, 503, true),
        ] {
            let response = answer(reject);
            assert_eq!(response.status().as_u16(), status, "{reject}");
            assert_eq!(
                response.headers().contains_key("retry-after"),
                comes_again,
                "{reject}"
            );
        }
    }

    #[test]
    fn codes_are_written_once() {
        let mut texts: Vec<_> = ProblemCode::ALL.iter().map(|code| code.text()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), ProblemCode::ALL.len());
    }
}
