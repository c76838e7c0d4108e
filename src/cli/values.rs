//! Values of arguments that are more than text. They are read where the command line is, so that one which cannot be is a usage error
//! (exit code 2) that names what can be, and nothing has begun.
//!
//! Not here: what only a running engine can judge (names of accounts, limits, instruments): it answers with its own error.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use std::ffi::OsStr;
use tradewind_bench::{Mix, Rate};
use tradewind_config::{PROFILES, Settings, nearest};
use tradewind_domain::decimal;
use tradewind_domain::event::Kind;
use tradewind_domain::ids::OrderId;
use tradewind_domain::text::{ClOrdId, Code, Symbol};
use tradewind_domain::time::{DayNumber, UnixNanos, parse_date, parse_rfc3339};
use tradewind_feeds::codec::Format;
use tradewind_machine::topology::Topology;

/// How fast recorded time runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As fast as it goes.
    Max,
    /// So many times as fast as it was.
    Times(f64),
}

/// The slowest and the fastest multiple.
const TIMES: std::ops::RangeInclusive<f64> = 0.01..=1_000_000.0;

pub(super) fn speed(text: &str) -> Result<Speed, String> {
    let times = |text: &str| text.strip_suffix('x')?.parse::<f64>().ok();
    match text {
        "max" => Ok(Speed::Max),
        "realtime" => Ok(Speed::Times(1.0)),
        _ => match times(text).filter(|factor| TIMES.contains(factor)) {
            Some(factor) => Ok(Speed::Times(factor)),
            None => Err("it is max, realtime, or a multiple from 0.01x to 1000000x".to_owned()),
        },
    }
}

/// A built-in profile.
pub(super) fn profile() -> PossibleValuesParser {
    PossibleValuesParser::new(PROFILES.map(|(name, _)| name))
}

/// A format of recorded files.
pub(super) fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::text)).try_map(|name| name.parse::<Format>())
}

/// A kind of event.
pub(super) fn kind() -> impl TypedValueParser<Value = Kind> {
    let named = |name: &str| Kind::ALL.iter().copied().find(|kind| kind.text() == name);
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.text()))
        .try_map(move |name| named(&name).ok_or("there is no such kind"))
}

/// A mix of messages.
pub(super) fn mix() -> impl TypedValueParser<Value = Mix> {
    PossibleValuesParser::new(["cycles", "canonical"]).try_map(|name| name.parse::<Mix>())
}

pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let problem = |_| "it is max, or order cycles a second from 1 to 1000000000".to_owned();
    text.parse().map_err(problem)
}

/// How a pipeline thread waits.
pub(super) fn idle() -> PossibleValuesParser {
    PossibleValuesParser::new(["spin", "yield", "park"])
}

/// When a record is released.
pub(super) fn durability() -> PossibleValuesParser {
    PossibleValuesParser::new(["memory", "disk"])
}

pub(super) fn topology(text: &str) -> Result<String, String> {
    const NAMES: [&str; 4] = ["auto", "fused", "split", "staged"];
    if text == NAMES[0] {
        return Ok(text.to_owned());
    }
    match text.parse::<Topology>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(match nearest(text, NAMES) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it is one of {}, or a list of stages: {error}", NAMES.join(", ")),
        }),
    }
}

/// A setting by itself, `section.key=value`. What it was given is not repeated where it may hold a password.
#[derive(Clone)]
pub(super) struct Setting;

impl TypedValueParser for Setting {
    type Value = String;

    fn parse_ref(&self, cmd: &Command, _: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        let wrong = |text: String| cmd.clone().error(ErrorKind::ValueValidation, text);
        let text = value
            .to_str()
            .ok_or_else(|| wrong("--set: must be text in UTF-8".to_owned()))?;
        match Settings::check_flag(text) {
            Ok(()) => Ok(text.to_owned()),
            Err(problem) => Err(wrong(problem.to_string())),
        }
    }
}

pub(super) fn date(text: &str) -> Result<DayNumber, String> {
    parse_date(text).ok_or_else(|| "it is a date like 2026-03-02".to_owned())
}

pub(super) fn time(text: &str) -> Result<UnixNanos, String> {
    parse_rfc3339(text).ok_or_else(|| "it is a time in UTC like 2026-03-02T14:30:00Z".to_owned())
}

/// An amount or rate at 1e-8 that is not below zero.
pub(super) fn decimal(text: &str) -> Result<i64, String> {
    match decimal::parse(text.as_bytes()) {
        Ok(number @ 0..) => Ok(number),
        Ok(_) => Err("it must not be below zero".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn code(text: &str) -> Result<Code, String> {
    Code::new(text).map_err(|error| error.to_string())
}

pub(super) fn symbol(text: &str) -> Result<Symbol, String> {
    Symbol::new(text).map_err(|error| error.to_string())
}

/// An order's id or its client's identifier.
pub(super) fn order(text: &str) -> Result<String, String> {
    let is_name = ClOrdId::new(text).is_ok_and(|name| !name.is_empty());
    match is_name || text.parse::<OrderId>().is_ok() {
        true => Ok(text.to_owned()),
        false => Err("it is an order id like 0-17, or a ClOrdID in printable ASCII".to_owned()),
    }
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is NAME=VALUE".to_owned()),
    }
}

/// `LABEL.FIELD=VALUE`.
pub(super) fn limit_field(text: &str) -> Result<String, String> {
    let field = text.split_once('=').and_then(|(field, _)| field.rsplit_once('.'));
    match field {
        Some((label, name)) if !label.is_empty() && !name.is_empty() => Ok(text.to_owned()),
        _ => Err("it is LABEL.FIELD=VALUE, like desk-daily.hard=250000".to_owned()),
    }
}

/// Clients of a bench.
pub(super) fn clients(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "it is a number above zero".to_owned())
}

/// Frames a second that the live feed can be asked for.
pub(super) fn frames(text: &str) -> Result<u8, String> {
    let number = text.parse().ok().filter(|hz| matches!(hz, 4 | 5 | 10 | 20));
    number.ok_or_else(|| "it is 4, 5, 10 or 20".to_owned())
}

/// Limits of a bench. Of more than 192 a node would have over sixteen that warn by instrument, which is refused.
pub(super) fn dozens(text: &str) -> Result<u32, String> {
    let is_right = |limits: &u32| *limits <= 192 && limits.is_multiple_of(12);
    let number = text.parse().ok().filter(is_right);
    number.ok_or_else(|| "it is a multiple of twelve up to 192".to_owned())
}
