//! The wire: one JSON object a line, a request each way in and an answer each way out (docs/control-socket.md).
//!
//! # Invariants
//! - [`decode`] takes any bytes: what is no request is a [`Failure`] with a code, never a panic.
//! - A field or argument that is not known is refused, so that a misspelt one is not silently ignored.
//! - Codes of errors never change their meaning.
//!
//! Not here: what a command does (see `desk`), sockets (see `server`).

use crate::answer::Outcome;
use crate::command::Command;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The protocol's version: a request with another one is refused.
pub const VERSION: u32 = 1;
/// Bytes of a request's line at most, its end included: room for the largest rules file, with what JSON escapes.
pub const LINE_MAX: usize = 256 * 1024;
/// Bytes of a request's id at most.
pub const ID_MAX: usize = 64;
/// Bytes of a reason at most: it stands in the tail of a record, with room beside it for what stages add.
pub const REASON_MAX: usize = 400;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Chosen by the client and repeated in the answer.
    pub id: String,
    /// Who asks; absent: the name of the operating system's user at the other end.
    pub operator: Option<String>,
    /// Why; what changes something must say it.
    pub reason: Option<String>,
    /// What is asked.
    pub command: Command,
}

/// The line before its command is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    v: u32,
    #[serde(default)]
    id: String,
    command: String,
    #[serde(default)]
    operator: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    args: Option<Value>,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// [`VERSION`].
    pub v: u32,
    /// The request's id; empty where it could not be read.
    pub id: String,
    /// True where `result` is there, false where `error` is.
    pub ok: bool,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

impl Answer {
    /// The answer of a request that was or was not fulfilled.
    pub fn new(id: &str, result: Result<Value, Failure>) -> Self {
        let (result, error) = match result {
            Ok(value) => (Some(value), None),
            Err(failure) => (None, Some(failure)),
        };
        Self {
            v: VERSION,
            id: id.to_owned(),
            ok: error.is_none(),
            result,
            error,
        }
    }
}

/// Why a request was not fulfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The line is no JSON object with the fields of a request.
    BadRequest,
    /// The line is longer than [`LINE_MAX`]; the connection is closed.
    LineTooLong,
    /// The request has another protocol version.
    UnsupportedVersion,
    /// There is no such command.
    UnknownCommand,
    /// An argument is missing, not known, or not what it must be.
    BadArgument,
    /// A change without a reason.
    ReasonRequired,
    /// The peer is neither the engine's user nor root; the connection is closed.
    NotPermitted,
    /// All connections are at work; the connection is closed.
    Busy,
    /// The engine decided against it: `outcome` says why. Journaled.
    Refused,
    /// Nothing has the name or number that was given.
    NotFound,
    /// The one who asked for a re-arm cannot confirm it, or another person was named to do so.
    SamePerson,
    /// The engine's queue stayed full: nothing was sent.
    QueueFull,
    /// The engine takes nothing more: nothing was sent.
    EngineStopping,
    /// It was sent, and its outcome was not seen in time: look into the journal before it is sent again.
    OutcomeUnknown,
    /// The replica has not caught up with the journal yet.
    ReadsBehind,
    /// The replica has failed: listings are not available in this run.
    ReadsFailed,
    /// The journal cannot be read.
    JournalFailed,
}

/// Why a request was not fulfilled, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// What the journal says, where the engine has decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Box<Outcome>>,
}

impl Failure {
    /// A failure that the engine had no part in.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            outcome: None,
        }
    }

    /// An argument that is not what it must be.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadArgument, message)
    }
}

/// Reads one line, its end included or not. The failure comes with the request's id, as far as it could be read.
pub fn decode(line: &[u8]) -> Result<Request, (String, Failure)> {
    if line.len() > LINE_MAX {
        return Err((String::new(), too_long()));
    }
    let envelope: Envelope = serde_json::from_slice(line).map_err(|error| {
        (
            String::new(),
            Failure::new(ErrorCode::BadRequest, error.to_string()),
        )
    })?;
    let id = envelope.id.clone();
    request(envelope).map_err(|failure| (id, failure))
}

/// The failure of a line without an end.
pub(crate) fn too_long() -> Failure {
    Failure::new(
        ErrorCode::LineTooLong,
        format!("a request has at most {LINE_MAX} bytes"),
    )
}

fn request(envelope: Envelope) -> Result<Request, Failure> {
    if envelope.v != VERSION {
        let message = format!("version {} is not spoken here, {VERSION} is", envelope.v);
        return Err(Failure::new(ErrorCode::UnsupportedVersion, message));
    }
    if envelope.id.len() > ID_MAX {
        let message = format!("an id has at most {ID_MAX} bytes");
        return Err(Failure::new(ErrorCode::BadRequest, message));
    }
    if !Command::NAMES.contains(&envelope.command.as_str()) {
        let message = format!("there is no command {:?}", shortened(&envelope.command));
        return Err(Failure::new(ErrorCode::UnknownCommand, message));
    }
    let args = envelope.args.filter(|args| !args.is_null());
    let tagged = json!({ "command": envelope.command, "args": args.unwrap_or_else(|| json!({})) });
    let command = serde_json::from_value(tagged)
        .map_err(|error| Failure::argument(format!("{}: {error}", envelope.command)))?;
    Ok(Request {
        id: envelope.id,
        operator: envelope.operator,
        reason: envelope.reason,
        command,
    })
}

/// Enough of a text that somebody sent to know it again.
fn shortened(text: &str) -> String {
    text.chars().take(ID_MAX).collect()
}

/// Writes one request as a line.
pub fn encode(request: &Request) -> Result<Vec<u8>, serde_json::Error> {
    let mut object = serde_json::to_value(&request.command)?;
    if let Value::Object(fields) = &mut object {
        fields.insert("v".into(), VERSION.into());
        fields.insert("id".into(), request.id.clone().into());
        let texts = [("operator", &request.operator), ("reason", &request.reason)];
        for (name, text) in texts {
            if let Some(text) = text {
                fields.insert(name.into(), text.clone().into());
            }
        }
    }
    let mut line = serde_json::to_vec(&object)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{LimitName, Nothing};

    fn code(line: &str) -> ErrorCode {
        decode(line.as_bytes()).unwrap_err().1.code
    }

    #[test]
    fn a_request_written_is_read_back() {
        let request = Request {
            id: "7".into(),
            operator: Some("ada".into()),
            reason: Some("too wide".into()),
            command: Command::LimitsRemove(LimitName { label: "a\"b".into() }),
        };
        assert_eq!(decode(&encode(&request).unwrap()).unwrap(), request);
        let hello = decode(br#"{"v":1,"command":"hello"}"#).unwrap();
        assert_eq!(hello.command, Command::Hello(Nothing {}));
        assert_eq!(hello.id, "");
    }

    #[test]
    fn what_is_no_request_says_what_is_wrong_with_it() {
        assert_eq!(code(""), ErrorCode::BadRequest);
        assert_eq!(code("{"), ErrorCode::BadRequest);
        assert_eq!(code("[1]"), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"v":1}"#), ErrorCode::BadRequest);
        assert_eq!(
            code(r#"{"v":1,"command":"hello","more":1}"#),
            ErrorCode::BadRequest
        );
        assert_eq!(
            code(r#"{"v":2,"command":"hello"}"#),
            ErrorCode::UnsupportedVersion
        );
        assert_eq!(code(r#"{"v":1,"command":"helo"}"#), ErrorCode::UnknownCommand);
        assert_eq!(
            code(r#"{"v":1,"command":"hello","args":{"x":1}}"#),
            ErrorCode::BadArgument
        );
        assert_eq!(code(r#"{"v":1,"command":"limits.show"}"#), ErrorCode::BadArgument);
        assert_eq!(code(&"x".repeat(LINE_MAX + 1)), ErrorCode::LineTooLong);
        let deep = format!(
            r#"{{"v":1,"command":"hello","args":{}{}}}"#,
            "[".repeat(4_000),
            "]".repeat(4_000)
        );
        assert_eq!(code(&deep), ErrorCode::BadRequest);
    }

    #[test]
    fn a_failure_keeps_the_id_of_its_request() {
        let line = br#"{"v":1,"id":"42","command":"nothing"}"#;
        assert_eq!(decode(line).unwrap_err().0, "42");
    }

    #[test]
    fn codes_are_written_as_documented() {
        let page = include_str!("../../../docs/control-socket.md");
        for code in [
            ErrorCode::BadRequest,
            ErrorCode::LineTooLong,
            ErrorCode::UnsupportedVersion,
            ErrorCode::UnknownCommand,
            ErrorCode::BadArgument,
            ErrorCode::ReasonRequired,
            ErrorCode::NotPermitted,
            ErrorCode::Busy,
            ErrorCode::Refused,
            ErrorCode::NotFound,
            ErrorCode::SamePerson,
            ErrorCode::QueueFull,
            ErrorCode::EngineStopping,
            ErrorCode::OutcomeUnknown,
            ErrorCode::ReadsBehind,
            ErrorCode::ReadsFailed,
            ErrorCode::JournalFailed,
        ] {
            let text = serde_json::to_string(&code).unwrap().replace('"', "`");
            assert!(page.contains(&format!("| {text} |")), "{text} is not in the page");
        }
        for name in Command::NAMES {
            assert!(
                page.contains(&format!("| `{name}` |")),
                "{name} is not in the page"
            );
        }
    }
}
