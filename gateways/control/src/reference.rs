//! Reference data of a running engine: fees, locates, sessions of trading days, and whatever else a reference-data file says.
//!
//! # Invariants
//! - Every event says who asked and why, in its tail; what a file sets is still the file's, so that the next start changes nothing.
//! - A session is only set for a day that the journal has: which days trade is what calendars are made of.
//!
//! Not here: whether the engine takes it. A node never moves and a currency keeps its decimals, whoever asks.

use crate::answer::Outcome;
use crate::command::{CalendarDays, DayRow, FeesSet, LocateSet, SessionSet};
use crate::desk::{Answered, Desk, value};
use crate::message::{Author, Made, choice, optional, optional_figure, text};
use crate::protocol::{ErrorCode, Failure};
use bytemuck::Zeroable;
use serde_json::json;
use std::sync::PoisonError;
use tradewind_config::{Change, Known, REFERENCE_AUTHOR, ReferenceData};
use tradewind_domain::event::{CalendarSet, FeeScheduleSet, InboundLong, Kind, Locate};
use tradewind_domain::fees::{FeeModel, fee_params};
use tradewind_domain::fixed::SCALE_DP;
use tradewind_domain::ids::{AccountId, CalendarId, HoldingId, InstrumentId, NodeId, VenueId};
use tradewind_domain::reference::CalendarDay;
use tradewind_domain::text::{Code, Text};
use tradewind_domain::time::{Date, DayNumber, NANOS_PER_DAY, Rfc3339, UnixNanos, parse_date, parse_rfc3339};

/// Name of the file in what is said about one.
const FILE: &str = "reference data";
/// Trading days that are shown of each calendar where nothing else is asked.
const DAYS_SHOWN: u32 = 10;
/// Takes a fee schedule away.
const NO_MODEL: &str = "NONE";

/// What was located.
pub(crate) fn locate(args: &LocateSet, author: &Author) -> Made {
    let body = Locate {
        qty: optional_figure("qty", Some(&args.qty))?,
        qty_dp: SCALE_DP as u8,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        leaf: NodeId::NONE,
        holding: HoldingId::NONE,
        ..Locate::zeroed()
    };
    Ok(InboundLong::new(Kind::Locate, &body)
        .named(text("symbol", &args.symbol)?, text("account", &args.account)?)
        .with_tail(author.named_tail().as_bytes()))
}

fn model_of(name: &str) -> Option<FeeModel> {
    FeeModel::ALL.into_iter().find(|model| model.text() == name)
}

/// A fee schedule.
pub(crate) fn fees(args: &FeesSet, author: &Author) -> Made {
    let model = if args.model.eq_ignore_ascii_case(NO_MODEL) {
        None
    } else {
        let mut names: Vec<_> = FeeModel::ALL.into_iter().map(FeeModel::text).collect();
        names.push(NO_MODEL);
        Some(choice("model", &args.model, model_of, &names)?)
    };
    let mut params = [0; 6];
    for (at, what, given) in [
        (fee_params::RATE, "rate", &args.rate),
        (fee_params::MIN, "min", &args.min),
        (fee_params::MAX, "max", &args.max),
        (fee_params::MAX_PCT, "max_pct", &args.max_pct),
        (fee_params::MAKER_RATE, "maker_rate", &args.maker_rate),
    ] {
        params[at] = optional_figure(what, given.as_deref())?;
    }
    if model.is_some() != args.rate.is_some() {
        let message = "a schedule has a rate, and taking one away has none";
        return Err(Failure::argument(message));
    }
    let body = FeeScheduleSet {
        params,
        code: Text::new(&args.name).map_err(|error| Failure::argument(format!("name: {error}")))?,
        author: author.name,
        model: model.map_or(0, |model| model as u8),
        flags: u8::from(args.maker_rate.is_some()),
        venue: args.venue.map_or(VenueId::NONE, VenueId),
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..FeeScheduleSet::zeroed()
    };
    let symbol = optional("symbol", args.symbol.as_deref())?;
    let account = optional("account", args.account.as_deref())?;
    Ok(InboundLong::new(Kind::FeeScheduleSet, &body)
        .named(symbol, account)
        .with_tail(author.tail().as_bytes()))
}

fn date(what: &str, value: &str) -> Result<DayNumber, Failure> {
    parse_date(value)
        .ok_or_else(|| Failure::argument(format!("{what} {value:?}: must be a date like 2026-03-02")))
}

fn instant(what: &str, value: &str) -> Result<UnixNanos, Failure> {
    let message = || format!("{what} {value:?}: must be a time like 2026-03-02T14:30:00Z");
    parse_rfc3339(value).ok_or_else(|| Failure::argument(message()))
}

/// A day of a calendar with the hours of a request.
fn session(args: &SessionSet, known: &Known) -> Result<(Code, CalendarId, CalendarDay), Failure> {
    let code: Code = text("calendar", &args.calendar)?;
    let date = date("date", &args.date)?;
    let not_found = |message| Failure::new(ErrorCode::NotFound, message);
    let (id, days) = known
        .calendar(&code)
        .ok_or_else(|| not_found(format!("there is no calendar {code}")))?;
    let held = days
        .get(&date)
        .ok_or_else(|| not_found(format!("{} is no trading day of {code}", Date(date))))?;
    let given = |what, value: &Option<String>| value.as_deref().map(|value| instant(what, value)).transpose();
    let open_ns = given("open", &args.open)?.unwrap_or(held.open_ns);
    let day = CalendarDay {
        open_ns,
        close_ns: given("close", &args.close)?.unwrap_or(open_ns),
        ..*held
    };
    if day.open_ns < day.roll_ns || day.close_ns < day.open_ns {
        let message = format!(
            "a session lies behind the roll of its day, {}, and closes behind its opening",
            Rfc3339(day.roll_ns)
        );
        return Err(Failure::argument(message));
    }
    Ok((code, id, day))
}

fn session_event(code: Code, calendar: CalendarId, day: CalendarDay, author: &Author) -> InboundLong {
    let mut body = CalendarSet {
        code,
        calendar,
        count: 1,
        ..CalendarSet::zeroed()
    };
    body.days[0] = day;
    InboundLong::new(Kind::CalendarSet, &body).with_tail(author.named_tail().as_bytes())
}

fn day_row(calendar: Code, day: &CalendarDay) -> DayRow {
    let time = |ns| (day.close_ns > day.open_ns).then(|| Rfc3339(ns).to_string());
    DayRow {
        calendar: calendar.to_string(),
        date: Date(day.date).to_string(),
        roll: Rfc3339(day.roll_ns).to_string(),
        open: time(day.open_ns),
        close: time(day.close_ns),
    }
}

impl Desk {
    pub(crate) fn calendars_show(&self, args: &CalendarDays) -> Answered {
        let from = match &args.from {
            Some(from) => date("from", from)?,
            None => self.today(),
        };
        let most = args.limit.unwrap_or(DAYS_SHOWN) as usize;
        let wanted = |name: &Code| {
            args.calendar
                .as_ref()
                .is_none_or(|calendar| name.as_str() == calendar)
        };
        let rows: Vec<DayRow> = self.read(|held| {
            let calendars = held.known().calendars().filter(|(name, ..)| wanted(name));
            let rows = calendars.flat_map(|(name, _, days)| {
                days.range(from..)
                    .take(most)
                    .map(move |(_, day)| day_row(name, day))
            });
            rows.collect()
        })?;
        value(json!({ "days": rows }))
    }

    pub(crate) fn calendars_session(&self, args: &SessionSet, author: &Author) -> Answered {
        let (code, id, day) = self.read(|held| session(args, held.known()))??;
        self.change(session_event(code, id, day, author))
    }

    /// The day of the engine's time, UTC.
    fn today(&self) -> DayNumber {
        DayNumber::try_from(self.present_ns() / NANOS_PER_DAY).unwrap_or(DayNumber::MAX)
    }

    /// What a file says and the journal does not, and what operators have set otherwise.
    fn reference_changes(&self, source: &str) -> Result<(Vec<Change>, Vec<String>), Failure> {
        let failed = |error: tradewind_config::ConfigError| Failure::argument(error.to_string());
        let data = ReferenceData::parse(source, FILE).map_err(failed)?;
        let day = self.today();
        self.read(|held| {
            let changes = data.diff_around(held.known(), day).map_err(failed)?;
            Ok((changes, data.overruled(held.known())))
        })?
    }

    pub(crate) fn reference_check(&self, source: &str) -> Answered {
        let (changes, overruled) = self.reference_changes(source)?;
        let lines: Vec<&str> = changes.iter().map(|change| change.line.as_str()).collect();
        value(json!({ "changes": lines, "overruled": overruled }))
    }

    /// Each change is an event of its own; one that is refused leaves the others.
    pub(crate) fn reference_load(&self, source: &str, author: &Author) -> Answered {
        let _alone = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let (changes, overruled) = self.reference_changes(source)?;
        let (mut lines, mut refused, mut last) = (Vec::new(), Vec::new(), None);
        for change in changes {
            let tail = format!("{REFERENCE_AUTHOR}: {}", author.named_tail());
            let event = change.event.with_tail(tail.as_bytes());
            let outcome = Outcome::of(&self.send(event)?.event, None);
            match &outcome.code {
                None => lines.push(change.line),
                Some(code) => refused.push(json!({ "line": change.line, "code": code })),
            }
            last = Some(outcome);
        }
        value(json!({ "changes": lines, "refused": refused, "overruled": overruled, "outcome": last }))
    }
}
