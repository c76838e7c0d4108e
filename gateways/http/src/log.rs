//! What the log is told of each answer. Who writes it down, and how, is the process's affair.
//!
//! Invariant: nothing of a query, a body or a token is told: method, path, status, time, names of request, trace and user.

use axum::http::{Method, Response};
use serde_json::{Map, Value, json};

/// Takes what is told. Must not wait.
pub trait RequestLog: Send + Sync {
    /// An answer.
    fn answered(&self, answered: &Answered);
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Method of the request.
    pub method: Method,
    /// Path of the request, without its query.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// From the request's head to the answer's, microseconds.
    pub took_us: u64,
    /// Name of the request: the client's or ours.
    pub request_id: String,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// What answered, and to whom.
    pub served: Served,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
}

/// What answered, and to whom. Travels with the response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Served {
    /// Path of the endpoint in the table; none for files and the WebSocket.
    pub route: Option<&'static str>,
    /// Number of the user who asked.
    pub user: Option<u32>,
}

/// Why a request was refused. Travels with the response.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The code of the problem.
    pub code: String,
    /// What went wrong inside, which the client is not told.
    pub cause: Option<String>,
}

impl Answered {
    /// Of a response, with what travels with it.
    pub(crate) fn of<B>(request: Request, response: &Response<B>, took_ns: u64) -> Self {
        Self {
            method: request.method,
            path: request.path,
            status: response.status().as_u16(),
            took_us: took_ns / 1_000,
            request_id: request.request_id,
            trace_id: request.trace_id,
            served: response.extensions().get().copied().unwrap_or_default(),
            refusal: response.extensions().get().cloned(),
        }
    }

    /// True where the fault is the server's own: somebody has to look, whether requests are logged or not.
    pub fn is_fault(&self) -> bool {
        self.status == 500
    }

    /// In a line, for people.
    pub fn line(&self) -> String {
        let Self {
            method,
            path,
            status,
            took_us,
            request_id,
            ..
        } = self;
        let mut line = format!("{method} {path} {status} in {took_us} us, request {request_id}");
        let more = [
            self.trace_id.as_ref().map(|trace| format!(", trace {trace}")),
            self.served.user.map(|user| format!(", user {user}")),
            self.refusal.as_ref().map(|refusal| format!(", {}", refusal.code)),
            self.cause().map(|cause| format!(": {cause}")),
        ];
        line.extend(more.into_iter().flatten());
        line
    }

    /// As members of an object, for programs.
    pub fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let all = [
            ("method", json!(self.method.as_str())),
            ("path", json!(self.path)),
            ("route", json!(self.served.route)),
            ("status", json!(self.status)),
            ("took_us", json!(self.took_us)),
            ("request_id", json!(self.request_id)),
            ("trace_id", json!(self.trace_id)),
            ("user", json!(self.served.user)),
            ("code", json!(self.refusal.as_ref().map(|refusal| &refusal.code))),
            ("cause", json!(self.cause())),
        ];
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_null()) {
            members.insert(name.to_owned(), value);
        }
        members
    }

    fn cause(&self) -> Option<&str> {
        self.refusal.as_ref()?.cause.as_deref()
    }
}

/// What a request leaves for the log.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) request_id: String,
    pub(crate) trace_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_in_a_line_and_in_members_and_what_is_not_there_is_left_out() {
        let request = || Request {
            method: Method::GET,
            path: "/api/v1/users".to_owned(),
            request_id: "r1".to_owned(),
            trace_id: None,
        };
        let mut response = Response::new(());
        let plain = Answered::of(request(), &response, 1_500);
        assert_eq!(plain.line(), "GET /api/v1/users 200 in 1 us, request r1");
        assert_eq!(plain.members().len(), 5, "{:?}", plain.members());
        *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(Served {
            route: Some("/api/v1/users"),
            user: Some(7),
        });
        response.extensions_mut().insert(Refusal {
            code: "INTERNAL".to_owned(),
            cause: Some("disk I/O error".to_owned()),
        });
        let fault = Answered::of(request(), &response, 2_000);
        assert!(fault.is_fault());
        assert_eq!(
            fault.line(),
            "GET /api/v1/users 500 in 2 us, request r1, user 7, INTERNAL: disk I/O error"
        );
        assert_eq!(fault.members()["cause"], "disk I/O error");
    }
}
