//! What clients say, and the answers (docs/rttm.md).

use crate::channel::Channel;
use crate::frame::Encoding;
use axum::extract::ws::Message;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tradewind_domain::ids::Seq;
use tradewind_domain::text::{Code, Symbol};
use tradewind_domain::time::{Rfc3339, UnixNanos};

/// Bytes of a request's own number at most.
const REQ_ID_MAX: usize = 64;
/// Names in a filter at most.
const NAMES_MAX: usize = 100;
/// Frames a second of a state channel where nothing is said.
const HZ: u8 = 10;
/// Frames a second that may be asked for.
const RATES: [u8; 4] = [4, 5, 10, 20];

/// An error of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

pub(crate) fn problem(code: &'static str, message: impl Into<String>) -> Problem {
    Problem {
        code,
        message: message.into(),
    }
}

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) req_id: Option<Value>,
    pub(crate) method: String,
    pub(crate) params: Value,
    pub(crate) time_in: UnixNanos,
}

#[derive(Deserialize)]
struct Wire {
    method: String,
    #[serde(default)]
    req_id: Option<Value>,
    #[serde(default)]
    params: Value,
}

impl Request {
    /// Reads a message.
    pub(crate) fn read(text: &str, time_in: UnixNanos) -> Result<Self, Problem> {
        let wire: Wire = serde_json::from_str(text)
            .map_err(|error| problem("MALFORMED", format!("no request: {error}")))?;
        let is_id = |id: &Value| match id {
            Value::Number(_) => true,
            Value::String(text) => text.len() <= REQ_ID_MAX,
            _ => false,
        };
        if wire.req_id.as_ref().is_some_and(|id| !is_id(id)) {
            return Err(problem(
                "MALFORMED",
                format!("req_id is a number or a string of at most {REQ_ID_MAX} bytes"),
            ));
        }
        Ok(Self {
            req_id: wire.req_id,
            method: wire.method,
            params: wire.params,
            time_in,
        })
    }

    /// The answer to it.
    pub(crate) fn answer(&self, method: &str, result: Result<Value, Problem>, now_ns: UnixNanos) -> Message {
        answer(method, self.req_id.clone(), result, self.time_in, now_ns)
    }
}

/// An answer as a message.
pub(crate) fn answer(
    method: &str,
    req_id: Option<Value>,
    result: Result<Value, Problem>,
    time_in: UnixNanos,
    now_ns: UnixNanos,
) -> Message {
    let mut answer = json!({ "method": method, "success": result.is_ok() });
    let members = [
        ("req_id", req_id),
        ("time_in", Some(Rfc3339(time_in).to_string().into())),
        ("time_out", Some(Rfc3339(now_ns).to_string().into())),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            answer[name] = value;
        }
    }
    match result {
        Ok(Value::Null) => {}
        Ok(result) => answer["result"] = result,
        Err(problem) => answer["error"] = json!({ "code": problem.code, "message": problem.message }),
    }
    Message::Text(answer.to_string().into())
}

/// The token of an `authenticate`, and the form that subscriptions have where they say nothing.
pub(crate) fn credentials(params: &Value) -> Result<(String, Encoding), Problem> {
    let token = params.get("token").and_then(Value::as_str);
    let token = token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| problem("INVALID_PARAMS", "params.token is missing"))?;
    Ok((token.to_owned(), encoding(params)?.unwrap_or_default()))
}

fn encoding(params: &Value) -> Result<Option<Encoding>, Problem> {
    let Some(value) = params.get("encoding") else {
        return Ok(None);
    };
    let known = value.as_str().and_then(Encoding::named);
    known
        .map(Some)
        .ok_or_else(|| problem("INVALID_PARAMS", "encoding is json or binary"))
}

/// Which rows of a channel; empty sets choose all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Choice {
    pub(crate) accounts: BTreeSet<Code>,
    pub(crate) symbols: BTreeSet<Symbol>,
}

impl Choice {
    /// Whether it takes a row.
    pub(crate) fn takes(&self, account: &Code, symbol: &Symbol) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(account))
            && (self.symbols.is_empty() || self.symbols.contains(symbol))
    }
}

/// A subscription as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) channel: Channel,
    pub(crate) choice: Choice,
    /// Frames a second at most; 0 for as it happens.
    pub(crate) hz: u8,
    pub(crate) encoding: Encoding,
    pub(crate) snapshot: bool,
    pub(crate) from_seq: Option<Seq>,
}

/// The channel of a request.
pub(crate) fn channel(params: &Value) -> Result<Channel, Problem> {
    let name = params.get("channel").and_then(Value::as_str);
    let name = name.ok_or_else(|| problem("INVALID_PARAMS", "params.channel is missing"))?;
    Channel::named(name).ok_or_else(|| problem("UNKNOWN_CHANNEL", format!("there is no channel {name:?}")))
}

/// Reads the parameters of a `subscribe`.
pub(crate) fn wish(params: &Value, default: Encoding) -> Result<Wish, Problem> {
    let channel = channel(params)?;
    let accounts = names(params, "accounts")?;
    let symbols = names(params, "symbols")?;
    if !accounts.is_empty() && !channel.has_accounts() {
        let message = format!("{} has no accounts to choose from", channel.name());
        return Err(problem("INVALID_PARAMS", message));
    }
    if !symbols.is_empty() && !channel.has_symbols() {
        let message = format!("{} has no symbols to choose from", channel.name());
        return Err(problem("INVALID_PARAMS", message));
    }
    let snapshot = match params.get("snapshot") {
        None => true,
        Some(Value::Bool(snapshot)) => *snapshot,
        Some(_) => return Err(problem("INVALID_PARAMS", "snapshot is true or false")),
    };
    let from_seq = match params.get("from_seq") {
        None | Some(Value::Null) => None,
        Some(value) => Some(
            value
                .as_u64()
                .ok_or_else(|| problem("INVALID_PARAMS", "from_seq is a whole number"))?,
        ),
    };
    Ok(Wish {
        channel,
        choice: Choice { accounts, symbols },
        hz: rate(params, channel)?,
        encoding: encoding(params)?.unwrap_or(default),
        snapshot,
        from_seq: from_seq.filter(|_| channel.is_event()),
    })
}

fn rate(params: &Value, channel: Channel) -> Result<u8, Problem> {
    let Some(value) = params.get("hz") else {
        return Ok(if channel.is_event() { 0 } else { HZ });
    };
    let hz = value.as_u64().and_then(|hz| u8::try_from(hz).ok());
    hz.filter(|hz| RATES.contains(hz) || (*hz == 0 && channel.is_event()))
        .ok_or_else(|| {
            let or_zero = if channel.is_event() { ", or 0" } else { "" };
            problem("INVALID_PARAMS", format!("hz is 4, 5, 10 or 20{or_zero}"))
        })
}

fn names<const N: usize>(
    params: &Value,
    member: &str,
) -> Result<BTreeSet<tradewind_domain::text::Text<N>>, Problem> {
    let list = match params.get(member) {
        None | Some(Value::Null) => return Ok(BTreeSet::new()),
        Some(Value::Array(list)) if list.len() <= NAMES_MAX => list,
        Some(_) => {
            let message = format!("{member} is a list of at most {NAMES_MAX} names");
            return Err(problem("INVALID_PARAMS", message));
        }
    };
    let name = |value: &Value| {
        let name = value
            .as_str()
            .and_then(|name| tradewind_domain::text::Text::new(name).ok());
        name.ok_or_else(|| problem("INVALID_PARAMS", format!("{member}: {value} is no name")))
    };
    list.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_what_was_said_and_defaults_for_the_rest() {
        let state = wish(&json!({"channel": "positions"}), Encoding::Binary).unwrap();
        assert_eq!(
            (state.hz, state.encoding, state.snapshot),
            (10, Encoding::Binary, true)
        );
        let event = json!({"channel": "trades", "accounts": ["A"], "symbols": ["X"], "from_seq": 9, "encoding": "json"});
        let event = wish(&event, Encoding::Binary).unwrap();
        assert_eq!(
            (event.hz, event.encoding, event.from_seq),
            (0, Encoding::Json, Some(9))
        );
        assert!(event.choice.takes(&Code::lossy("A"), &Symbol::lossy("X")));
        assert!(!event.choice.takes(&Code::lossy("B"), &Symbol::lossy("X")));
        assert!(!event.choice.takes(&Code::lossy("A"), &Symbol::lossy("Y")));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_reason() {
        let code = |params: Value| wish(&params, Encoding::Json).unwrap_err().code;
        assert_eq!(code(json!({"channel": "postions"})), "UNKNOWN_CHANNEL");
        assert_eq!(code(Value::Null), "INVALID_PARAMS");
        for params in [
            json!({"channel": "positions", "hz": 7}),
            json!({"channel": "positions", "hz": 0}),
            json!({"channel": "positions", "hz": "fast"}),
            json!({"channel": "positions", "accounts": "A"}),
            json!({"channel": "positions", "accounts": ["\u{e9}"]}),
            json!({"channel": "positions", "accounts": vec!["A"; 101]}),
            json!({"channel": "positions", "snapshot": 1}),
            json!({"channel": "positions", "encoding": "xml"}),
            json!({"channel": "market", "accounts": ["A"]}),
            json!({"channel": "health", "symbols": ["X"]}),
            json!({"channel": "trades", "from_seq": -1}),
        ] {
            assert_eq!(code(params), "INVALID_PARAMS");
        }
        assert_eq!(
            wish(&json!({"channel": "trades", "hz": 0}), Encoding::Json)
                .unwrap()
                .hz,
            0
        );
    }

    #[test]
    fn an_answer_gives_the_number_back_and_says_what_is_wrong() {
        let request = Request::read(r#"{"method":"ping","req_id":"a7"}"#, 5).unwrap();
        let text = |message: Message| match message {
            Message::Text(text) => serde_json::from_str::<Value>(&text).unwrap(),
            _ => panic!("answers are text"),
        };
        let good = text(request.answer("pong", Ok(Value::Null), 7));
        assert_eq!(
            (&good["method"], &good["req_id"], &good["success"]),
            (&"pong".into(), &"a7".into(), &true.into())
        );
        assert!(good.get("result").is_none() && good.get("error").is_none());
        let bad = text(request.answer("ping", Err(problem("MALFORMED", "no")), 7));
        assert_eq!(
            (&bad["success"], &bad["error"]["code"]),
            (&false.into(), &"MALFORMED".into())
        );
        for text in [
            "",
            "[]",
            "7",
            "{\"method\":7}",
            "{\"method\":\"x\",\"req_id\":[1]}",
            "{}",
        ] {
            assert_eq!(Request::read(text, 0).unwrap_err().code, "MALFORMED", "{text}");
        }
    }
}
