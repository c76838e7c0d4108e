//! Executed trades from outside: one or a batch, as JSON or CSV, each line with a result of its own.

use super::v1;
use super::values::{date, figure, text, word};
use crate::call::{Asker, Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle};
use crate::gate::Sent;
use crate::gateway::Gateway;
use crate::keys::session_of;
use crate::problem::{Problem, ProblemCode};
use crate::schema::{Schema, object, wire};
use axum::http::header;
use bytemuck::Zeroable;
use csv_core::{ReadRecordResult, Reader};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, Execution, Inbound, Kind, execution_flags};
use tradewind_domain::fixed::{Money, SCALE_DP};
use tradewind_domain::ids::{OrderId, Seq, VenueId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::{Code, Symbol};
use tradewind_identity::Permission;
use tradewind_risk::limit_check::is_put_aside;

const GROUP: &str = "trades";
/// Trades of one request.
const LINES_MAX: usize = 1_000;
/// Columns of a CSV body; the first line names those that are there, in any order.
const COLUMNS: [&str; 10] = [
    "account",
    "symbol",
    "side",
    "qty",
    "px",
    "exec_id",
    "venue",
    "trade_date",
    "settle_date",
    "fee",
];

wire! {
    /// Executed trades.
    Capture {
        /// 1 to 1,000 trades; booked in this order.
        trades: Vec<CapturedTrade>,
    }
}

wire! {
    /// An executed trade of one of our accounts. Venue, trade date and exec_id name it: sent again it is a duplicate.
    CapturedTrade {
        /// Account.
        account: String,
        /// Instrument.
        symbol: String,
        /// BUY, SELL or SELL_SHORT.
        side: String,
        /// Quantity.
        qty: String,
        /// Price.
        px: String,
        /// The venue's identifier of the execution, up to 40 characters.
        exec_id: String,
        /// Number of the venue; left out: 0.
        venue: Option<u16>,
        /// Trade date, YYYY-MM-DD; left out: that on which it comes.
        trade_date: Option<String>,
        /// Settlement date, YYYY-MM-DD; left out: by the instrument.
        settle_date: Option<String>,
        /// Fee in the instrument's currency, negative for a rebate; left out: by the schedule.
        fee: Option<String>,
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let capture = Need::Right(Permission::Capture);
    vec![
        Endpoint::new(
            Verb::Post,
            v1!("/trades"),
            GROUP,
            capture,
            handle!(take),
            "Reports executed trades; each line has a result of its own. CSV: a first line with the names of the columns.",
        )
        .takes_csv_too::<Capture>()
        .gives(200, results_schema),
    ]
}

/// What became of a line or of one trade.
const RESULT: [(&str, &str, &str); 4] = [
    (
        "status",
        "text",
        "BOOKED, DUPLICATE, QUARANTINED, INVALID, NOT_PERMITTED, NOT_SENT or UNKNOWN.",
    ),
    ("seq", "any?", "Number of its record."),
    ("code", "text?", "Why not."),
    ("detail", "text?", "In words."),
];

pub(super) fn result_schema() -> Schema {
    object("What became of a trade.", &RESULT)
}

fn results_schema() -> Schema {
    let line = (
        "line",
        "count",
        "Its number, from 1, the line of names not counted.",
    );
    let row = object("What became of a line.", &[&[line], RESULT.as_slice()].concat());
    let mut schema = object("Results.", &[("booked", "count", "Lines that were booked.")]);
    schema["properties"]["results"] = json!({ "type": "array", "items": row });
    schema["required"] = json!(["booked", "results"]);
    schema
}

async fn take(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let asker = call.asker()?;
    let lines = lines(&call)?;
    if lines.is_empty() || lines.len() > LINES_MAX {
        return Err(Problem::value("/trades", format!("has 1 to {LINES_MAX} trades")));
    }
    // All are sent before the first is waited for: a batch costs one wait for the disk.
    let sent: Vec<_> = lines
        .into_iter()
        .map(|line| send(&gateway, &call, asker, line))
        .collect();
    let (mut results, mut booked) = (Vec::with_capacity(sent.len()), 0);
    for (at, sent) in sent.into_iter().enumerate() {
        let outcome = match sent {
            Ok(sent) => sent.outcome().await,
            Err(problem) => Err(problem),
        };
        let result = outcome.map_or_else(
            |problem| TradeResult::of_problem(&problem),
            |event| TradeResult::of(&event),
        );
        booked += u32::from(result.status == BOOKED);
        results.push(Numbered { line: at + 1, result });
    }
    Reply::json(&json!({ "booked": booked, "results": results }))
}

type Line = Result<CapturedTrade, Problem>;

fn lines(call: &Call) -> Result<Vec<Line>, Problem> {
    let content = call
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if content
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim() == "text/csv")
    {
        return csv(&call.body);
    }
    let body: Capture = call.json()?;
    Ok(body.trades.into_iter().map(Ok).collect())
}

fn send(gateway: &Gateway, call: &Call, asker: &Asker, line: Line) -> Result<Sent, Problem> {
    let line = line?;
    gateway.require(asker, Permission::Capture, &line.account)?;
    let (symbol, account): (Symbol, Code) =
        (text("/symbol", &line.symbol)?, text("/account", &line.account)?);
    let body = execution(&line, asker)?;
    let message = Inbound::new(Kind::TradeCapture, &body).named(symbol, account);
    gateway.gate.trade(call.correlation.on(message))
}

fn execution(line: &CapturedTrade, asker: &Asker) -> Result<Execution, Problem> {
    let date =
        |pointer: &str, text: &Option<String>| text.as_deref().map_or(Ok(0), |text| date(pointer, text));
    let has_fee = if line.fee.is_some() {
        execution_flags::HAS_FEE
    } else {
        0
    };
    let has_date = if line.settle_date.is_some() {
        execution_flags::HAS_SETTLE_DATE
    } else {
        0
    };
    Ok(Execution {
        exec_id: text("/exec_id", &line.exec_id)?,
        order_id: OrderId::NONE,
        qty: figure("/qty", Some(&line.qty))?,
        px: figure("/px", Some(&line.px))?,
        fee: Money::from_raw(figure("/fee", line.fee.as_deref())?.into()),
        trade_date: date("/trade_date", &line.trade_date)?,
        settle_date: date("/settle_date", &line.settle_date)?,
        session: session_of(asker.caller.user),
        venue: VenueId(line.venue.unwrap_or(0)),
        side: word("/side", &line.side, Side::from_text, "BUY, SELL, SELL_SHORT")? as u8,
        flags: has_fee | has_date,
        qty_dp: SCALE_DP as u8,
        px_dp: SCALE_DP as u8,
        ..Execution::zeroed()
    })
}

const BOOKED: &str = "BOOKED";

/// What became of a trade.
#[derive(Debug, Serialize)]
pub(super) struct TradeResult {
    status: &'static str,
    seq: Option<Seq>,
    code: Option<String>,
    detail: Option<String>,
}

#[derive(Serialize)]
struct Numbered {
    line: usize,
    #[serde(flatten)]
    result: TradeResult,
}

impl TradeResult {
    /// As its record says.
    pub(super) fn of(event: &Event) -> Self {
        let code = event.reject_code();
        let text = String::from_utf8_lossy(event.tail());
        Self {
            status: match code {
                None => BOOKED,
                Some(RejectCode::DuplicateExecId | RejectCode::AlreadyBusted) => "DUPLICATE",
                Some(code) if event.kind().is_some_and(|kind| is_put_aside(kind, code)) => "QUARANTINED",
                Some(_) => "INVALID",
            },
            seq: Some(event.head.seq),
            code: code.map(|code| code.text().to_owned()),
            // What is booked has figures there.
            detail: code.filter(|_| !text.is_empty()).map(|_| text.into_owned()),
        }
    }

    /// Of one that has no record.
    fn of_problem(problem: &Problem) -> Self {
        Self {
            status: match problem.code_text() {
                "NOT_PERMITTED" => "NOT_PERMITTED",
                "OUTCOME_UNKNOWN" => "UNKNOWN",
                "BUSY" | "STOPPING" | "READS_FAILED" => "NOT_SENT",
                _ => "INVALID",
            },
            seq: None,
            code: Some(problem.code_text().to_owned()),
            detail: problem.detail(),
        }
    }
}

/// Lines of a CSV body. A line that cannot be read is a result of its own; a first line that names unknown columns refuses the whole.
fn csv(bytes: &[u8]) -> Result<Vec<Line>, Problem> {
    let mut records = CsvRecords::new(bytes);
    let names = records
        .next()
        .ok_or_else(|| Problem::malformed("", "there is no line with the names of the columns"))?;
    let names = names.map_err(|error| Problem::malformed("", error))?;
    let mut columns = Vec::new();
    for name in &names {
        let name = name.trim().trim_start_matches('\u{feff}');
        let known = COLUMNS.iter().find(|known| **known == name);
        let known = known.ok_or_else(|| {
            Problem::malformed(
                "",
                format!("there is no column {name:?}, only {}", COLUMNS.join(", ")),
            )
        })?;
        columns.push(*known);
    }
    let line = |record: Result<Vec<String>, String>| -> Line {
        let fields = record.map_err(|error| Problem::new(ProblemCode::Malformed, error))?;
        if fields.len() != columns.len() {
            let detail = format!(
                "has {} fields, and there are {} columns",
                fields.len(),
                columns.len()
            );
            return Err(Problem::new(ProblemCode::Malformed, detail));
        }
        let present = columns.iter().zip(fields).filter(|(_, field)| !field.is_empty());
        let mut object = serde_json::Map::new();
        for (name, field) in present {
            let value = match *name {
                "venue" => field
                    .parse::<u32>()
                    .map_or_else(|_| Value::from(field), Value::from),
                _ => Value::from(field),
            };
            object.insert((*name).to_owned(), value);
        }
        serde_json::from_value(Value::Object(object))
            .map_err(|error| Problem::new(ProblemCode::InvalidValue, error.to_string()))
    };
    Ok(records.take(LINES_MAX + 1).map(line).collect())
}

/// Records of CSV bytes (RFC 4180).
struct CsvRecords<'a> {
    reader: Reader,
    rest: &'a [u8],
    is_ended: bool,
}

impl<'a> CsvRecords<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(),
            rest: bytes,
            is_ended: false,
        }
    }
}

impl Iterator for CsvRecords<'_> {
    type Item = Result<Vec<String>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        const FIELDS_MAX: usize = 32;
        let (mut text, mut ends) = ([0; 2_048], [0; FIELDS_MAX]);
        let (mut text_len, mut ends_len) = (0, 0);
        while !self.is_ended {
            let (result, read, written, ended) =
                self.reader
                    .read_record(self.rest, &mut text[text_len..], &mut ends[ends_len..]);
            self.rest = &self.rest[read..];
            text_len += written;
            ends_len += ended;
            match result {
                ReadRecordResult::InputEmpty => {} // the next call has the end
                ReadRecordResult::Record => return Some(fields(&text[..text_len], &ends[..ends_len])),
                ReadRecordResult::End => self.is_ended = true,
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    self.is_ended = true;
                    return Some(Err("the line is too long".into()));
                }
            }
        }
        None
    }
}

fn fields(text: &[u8], ends: &[usize]) -> Result<Vec<String>, String> {
    let mut from = 0;
    let mut fields = Vec::with_capacity(ends.len());
    for &end in ends {
        let field = std::str::from_utf8(&text[from..end]).map_err(|_| "the line is no UTF-8".to_owned())?;
        fields.push(field.to_owned());
        from = end;
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_csv_are_trades_or_say_what_is_wrong_with_them() {
        let text = "account,symbol,side,qty,px,exec_id,venue\nA,\"X,Y\",BUY,1,2.5,e1,7\nA,X,BUY,1\r\nA,X,SELL,1,2,e2,\nA,X,BUY,,2,e3,x\n";
        let lines = csv(text.as_bytes()).unwrap();
        assert_eq!(lines.len(), 4);
        let first = lines[0].as_ref().unwrap();
        assert_eq!((first.symbol.as_str(), first.venue), ("X,Y", Some(7)));
        assert_eq!(lines[1].as_ref().unwrap_err().code_text(), "MALFORMED");
        assert_eq!(lines[2].as_ref().unwrap().venue, None);
        assert_eq!(lines[3].as_ref().unwrap_err().code_text(), "INVALID_VALUE");
    }

    #[test]
    fn columns_that_are_not_known_refuse_the_whole() {
        for text in ["", "account,colour\nA,red\n", "account\n\"A"] {
            let lines = csv(text.as_bytes());
            assert!(
                lines.is_err() || lines.unwrap().iter().all(Result::is_err),
                "{text:?}"
            );
        }
        let long = format!("account\n{}\n", "x".repeat(5_000));
        assert!(csv(long.as_bytes()).unwrap()[0].is_err());
    }
}
