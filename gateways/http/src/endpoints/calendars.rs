//! Trading calendars: which there are, their days, and days that are added or changed.

use super::changes::{author_code, changed, outcome_schema};
use super::v1;
use super::values::{date, text};
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle, params};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, Wire, object, rows, wire};
use bytemuck::Zeroable;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tradewind_domain::event::{CalendarSet, InboundLong, Kind};
use tradewind_domain::ids::CalendarId;
use tradewind_domain::reference::CalendarDay;
use tradewind_domain::text::Code;
use tradewind_domain::time::{Date, DayNumber, Rfc3339, parse_rfc3339};
use tradewind_identity::Permission;
use tradewind_views::live::Held;

const GROUP: &str = "reference";
/// Days that one event carries.
const DAYS_MAX: usize = 8;
/// Days of a listing.
const LISTED_MAX: usize = 1_000;

wire! {
    /// A trading day, in UTC instants.
    Day {
        /// The trading date, YYYY-MM-DD.
        date: String,
        /// When this trading day begins, RFC 3339: daily counters are reset.
        roll: String,
        /// When its session opens.
        open: String,
        /// When its session closes; equal to `open` where it has none.
        close: String,
    }
}

wire! {
    /// Days that are added to a calendar or changed.
    SetCalendar {
        /// 1 to 8 days, ascending. What has begun already cannot be changed.
        days: Vec<Day>,
        /// Why.
        reason: String,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    from: Option<String>,
    to: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(
            Verb::Get,
            v1!("/calendars"),
            read,
            handle!(list),
            "Trading calendars.",
        )
        .gives(200, || rows(calendar_schema(), &[])),
        new(
            Verb::Get,
            v1!("/calendars/{name}"),
            read,
            handle!(show),
            "A calendar with its trading days, 1,000 at most.",
        )
        .params(params![
            "from" text "First date, YYYY-MM-DD; left out: the present one.",
            "to" text "Last date.",
        ])
        .gives(200, days_schema),
        new(
            Verb::Put,
            v1!("/calendars/{name}"),
            Need::Firm(Permission::Admin),
            handle!(set),
            "Adds trading days to a calendar, or changes them; makes the calendar where there is none of this name.",
        )
        .takes::<SetCalendar>()
        .gives(200, outcome_schema),
    ]
}

const CALENDAR: [(&str, &str, &str); 3] = [
    ("id", "count", "Number."),
    ("name", "text", "Name."),
    ("today", "text?", "Its trading date; none before its first roll."),
];

fn calendar_schema() -> Schema {
    object("A calendar.", &CALENDAR)
}

fn days_schema() -> Schema {
    let mut schema = calendar_schema();
    schema["properties"]["days"] = json!({ "type": "array", "items": Day::schema() });
    if let Some(required) = schema["required"].as_array_mut() {
        required.push("days".into());
    }
    schema
}

fn named(held: &Held, name: &str) -> Option<CalendarId> {
    let registry = held.replica().registry();
    let mut ids = (0..CalendarId::COUNT_MAX).map(CalendarId);
    ids.find(|id| registry.calendar(*id).is_some_and(|code| code.as_str() == name))
}

/// A calendar by its name; none keeps `known`.
pub(super) fn calendar(
    held: &Held,
    pointer: &str,
    name: Option<&str>,
    known: CalendarId,
) -> Result<CalendarId, Problem> {
    let Some(name) = name else { return Ok(known) };
    named(held, name).ok_or_else(|| Problem::value(pointer, format!("there is no calendar {name}")))
}

fn today(held: &Held, id: CalendarId) -> Option<DayNumber> {
    Some(held.replica().limit_check().date(id)).filter(|day| *day != 0)
}

fn head(held: &Held, id: CalendarId) -> Option<Value> {
    let name = held.replica().registry().calendar(id)?;
    let today = today(held, id).map(|day| Date(day).to_string());
    Some(json!({ "id": id.0, "name": name.as_str(), "today": today }))
}

async fn list(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    let rows: Vec<Value> = gateway.live.look(|held| {
        let ids = (0..CalendarId::COUNT_MAX).map(CalendarId);
        ids.filter_map(|id| head(held, id)).collect()
    });
    Reply::json(&json!({ "data": rows }))
}

async fn show(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let name = call.path("name").to_owned();
    let span: Span = call.query()?;
    let day =
        |pointer: &str, text: &Option<String>| text.as_deref().map(|text| date(pointer, text)).transpose();
    let (from, to) = (day("?from", &span.from)?, day("?to", &span.to)?);
    let asked = name.clone();
    let found = gateway.read(move |live| {
        live.read_now(|held| {
            let id = named(held, &asked)?;
            let (from, to) = (
                from.or(today(held, id)).unwrap_or(0),
                to.unwrap_or(DayNumber::MAX),
            );
            let days = held.known().calendar_days(&asked);
            let days = days.filter(|day| (from..=to).contains(&day.date));
            Some((head(held, id)?, days.map(line).collect::<Vec<Value>>()))
        })
    });
    let (mut calendar, days) = found.await?.ok_or_else(|| Problem::not_found("calendar", name))?;
    let listed = json!(days[..days.len().min(LISTED_MAX)]);
    calendar["days"] = days.into();
    let whole = Reply::json(&calendar)?.etag(); // of the days too that have no room in the listing
    calendar["days"] = listed;
    Ok(Reply::json(&calendar)?.tagged(whole))
}

fn line(day: &CalendarDay) -> Value {
    let instant = |ns| Rfc3339(ns).to_string();
    json!({
        "date": Date(day.date).to_string(),
        "roll": instant(day.roll_ns),
        "open": instant(day.open_ns),
        "close": instant(day.close_ns),
    })
}

async fn set(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetCalendar = call.json()?;
    let code: Code = text("name", call.path("name"))?;
    if body.days.is_empty() || body.days.len() > DAYS_MAX {
        return Err(Problem::value("/days", format!("has 1 to {DAYS_MAX} days")));
    }
    let mut days = [CalendarDay::zeroed(); DAYS_MAX];
    for (at, (to, day)) in days.iter_mut().zip(&body.days).enumerate() {
        *to = day_of(at, day)?;
    }
    let calendar = gateway.live.look(|held| {
        let registry = held.replica().registry();
        let mut ids = (1..CalendarId::COUNT_MAX).map(CalendarId);
        // The engine refuses the second of two new calendars that come at one time.
        named(held, code.as_str()).or_else(|| ids.find(|id| registry.calendar(*id).is_none()))
    });
    let set = CalendarSet {
        code,
        calendar: calendar.ok_or_else(|| Problem::value("name", "no further calendar has room"))?,
        count: body.days.len() as u8, // at most DAYS_MAX
        days,
        ..CalendarSet::zeroed()
    };
    // The body has no author: the reason names him.
    let reason = format!("{}: {}", author_code(call.asker()?), body.reason.trim());
    changed(
        &gateway,
        &call,
        InboundLong::new(Kind::CalendarSet, &set),
        &reason,
    )
    .await
}

fn day_of(at: usize, day: &Day) -> Result<CalendarDay, Problem> {
    let instant = |member: &str, text: &str| {
        let pointer = format!("/days/{at}/{member}");
        parse_rfc3339(text).ok_or_else(|| Problem::value(pointer, "is no RFC 3339 time"))
    };
    Ok(CalendarDay {
        date: date(&format!("/days/{at}/date"), &day.date)?,
        roll_ns: instant("roll", &day.roll)?,
        open_ns: instant("open", &day.open)?,
        close_ns: instant("close", &day.close)?,
        ..CalendarDay::zeroed()
    })
}
