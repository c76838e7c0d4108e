//! Trading days of a case: its roll for every node and order, and the session of each instrument within those days.
//!
//! The engine wants explicit days in UTC. They are made for the dates around the case's steps with the rules that reference data
//! are read with, so that the case and `run` share one notion of a trading day.

use super::schema::{Session, Setup, Step, minute_of};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use tradewind_config::{Calendar, EarlyClose};
use tradewind_domain::codes::LimitType;
use tradewind_domain::ids::CalendarId;
use tradewind_domain::reference::CalendarDay;
use tradewind_domain::time::{DayNumber, NANOS_PER_SEC, UnixNanos, parse_date, utc_day};

/// Days before and after a step that the engine knows: longer than any run of dates without trading in the files.
const AROUND: DayNumber = 14;
/// Trading days between the one on which the setup is booked and the one of the first step: what it paid for has settled.
const BOOKED_BEFORE: usize = 3;
/// How much earlier than stated a day begins. The files' clock has milliseconds, so no step falls in between; the roll and the setup
/// take their own nanoseconds there, and a step at the very roll keeps its time.
const EARLY_NS: u64 = 500_000;
/// The calendar of the nodes.
pub(crate) const NODES: CalendarId = CalendarId(1);

/// The calendars of a case.
pub(crate) struct Days {
    /// The nodes' days: the case's roll, open all day.
    pub(crate) nodes: Vec<CalendarDay>,
    /// Days with the hours of a session, by calendar from the second on.
    pub(crate) sessions: Vec<Vec<CalendarDay>>,
    ids: BTreeMap<Session, CalendarId>,
    /// When reference data and positions are booked.
    pub(crate) booked_ns: UnixNanos,
    /// When those positions have settled, on the trading day before the first step's.
    pub(crate) settled_ns: UnixNanos,
    /// When the first step's trading day begins.
    pub(crate) first_roll_ns: UnixNanos,
}

impl Days {
    /// The days around the steps.
    pub(crate) fn of(setup: &Setup, steps: &[Step]) -> Result<Self, String> {
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
            return Err("a case without steps".to_owned());
        };
        let (from, to) = (
            utc_day(first.t).saturating_sub(AROUND),
            utc_day(last.t).saturating_add(AROUND),
        );
        let nodes = all_day(&roll_calendar(setup)?, from, to);
        let nodes = near(nodes, steps);
        let today = nodes
            .iter()
            .rposition(|day| day.roll_ns <= first.t)
            .ok_or("the first step has no trading day")?;
        let booked = today
            .checked_sub(BOOKED_BEFORE)
            .ok_or("no trading days before the first step")?;
        let mut days = Self {
            booked_ns: nodes[booked].roll_ns + NANOS_PER_SEC,
            settled_ns: nodes[today - 1].roll_ns + NANOS_PER_SEC,
            first_roll_ns: nodes[today].roll_ns,
            nodes,
            sessions: Vec::new(),
            ids: BTreeMap::new(),
        };
        // The engine always keeps an instrument's hours; in the files only a MARKET_HOURS limit does.
        if setup
            .limits
            .iter()
            .any(|limit| limit.limit_type == LimitType::MarketHours)
        {
            for instrument in setup.instruments.values() {
                if let Some(session) = &instrument.session {
                    days.add(session, setup, from, to)?;
                }
            }
        }
        Ok(days)
    }

    /// The calendar of an instrument with this session.
    pub(crate) fn calendar_of(&self, session: Option<&Session>) -> CalendarId {
        session
            .and_then(|session| self.ids.get(session))
            .copied()
            .unwrap_or(NODES)
    }

    fn add(
        &mut self,
        session: &Session,
        setup: &Setup,
        from: DayNumber,
        to: DayNumber,
    ) -> Result<(), String> {
        if self.ids.contains_key(session) {
            return Ok(());
        }
        let hours = session_calendar(session, setup)?.days(from, to);
        let with_hours = |day: &CalendarDay| {
            let roll_end = day.close_ns;
            // Zones may be half a day apart, so a session's date need not be that of the day that it falls into.
            let within = |hours: &&CalendarDay| {
                let end_ns = hours.close_ns.min(roll_end);
                end_ns.saturating_sub(hours.open_ns.max(day.roll_ns))
            };
            let hours = hours.iter().max_by_key(within).filter(|hours| within(hours) > 0);
            let (open, close) = hours.map_or((day.roll_ns, day.roll_ns), |hours| {
                (hours.open_ns, hours.close_ns)
            });
            // A day's session lies within the day.
            let open_ns = open.clamp(day.roll_ns, roll_end);
            CalendarDay {
                open_ns,
                close_ns: close.clamp(open_ns, roll_end),
                ..*day
            }
        };
        self.sessions.push(self.nodes.iter().map(with_hours).collect());
        let id = CalendarId(NODES.0 + self.sessions.len() as u16);
        if id.0 >= CalendarId::COUNT_MAX {
            return Err("more sessions than calendars".to_owned());
        }
        self.ids.insert(session.clone(), id);
        Ok(())
    }
}

/// Days that are open from their roll to the next one.
fn all_day(calendar: &Calendar, from: DayNumber, to: DayNumber) -> Vec<CalendarDay> {
    let mut days = calendar.days(from, to);
    for day in &mut days {
        day.roll_ns = day.roll_ns.saturating_sub(EARLY_NS);
    }
    for at in 1..days.len() {
        days[at - 1].close_ns = days[at].roll_ns;
    }
    // The last day only ends the one before it.
    days.pop();
    for day in &mut days {
        day.open_ns = day.roll_ns;
    }
    days
}

/// The days that some step is near to.
fn near(days: Vec<CalendarDay>, steps: &[Step]) -> Vec<CalendarDay> {
    let near = |day: &CalendarDay| {
        steps
            .iter()
            .any(|step| utc_day(step.t).abs_diff(day.date) <= AROUND)
    };
    days.into_iter().filter(near).collect()
}

fn roll_calendar(setup: &Setup) -> Result<Calendar, String> {
    // The session is not used: any that lies within the day will do.
    let roll = setup.day_roll % 1_440;
    let (open_minute, close_minute) = if roll == 0 { (0, 1_440) } else { (roll, roll) };
    Ok(Calendar {
        name: "nodes".to_owned(),
        tz: zone(&setup.tz)?,
        roll_minute: roll,
        open_minute,
        close_minute,
        weekend_trading: setup.weekend_trading,
        holidays: setup.holidays.clone(),
        early_closes: Vec::new(),
        settle_minute: None,
    })
}

fn session_calendar(session: &Session, setup: &Setup) -> Result<Calendar, String> {
    let mut early_closes = Vec::new();
    for (date, time) in &session.early_close {
        let (Some(date), Some(close_minute)) = (parse_date(date), minute_of(time)) else {
            return Err(format!("early close {date} {time}: no date and time"));
        };
        early_closes.push(EarlyClose { date, close_minute });
    }
    let close_minute = if session.close == 0 { 1_440 } else { session.close };
    Ok(Calendar {
        name: "session".to_owned(),
        tz: zone(&session.tz)?,
        roll_minute: 0,
        open_minute: session.open,
        close_minute,
        weekend_trading: setup.weekend_trading,
        holidays: setup.holidays.clone(),
        early_closes,
        settle_minute: None,
    })
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|error| format!("time zone {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn days(changes: Value, at: &str) -> Result<Days, String> {
        let mut setup = json!({
            "base_ccy": "USD", "tz": "America/New_York", "day_roll": "20:00",
            "tree": {}, "levels": {}, "instruments": {},
        });
        let (Value::Object(all), Value::Object(changes)) = (&mut setup, changes) else {
            unreachable!("two objects")
        };
        all.extend(changes);
        let setup: Setup = serde_json::from_value(setup).unwrap();
        let step: Step = serde_json::from_value(json!({"t": at, "op": "tick"})).unwrap();
        Days::of(&setup, &[step])
    }

    fn ns(text: &str) -> UnixNanos {
        tradewind_domain::time::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn days_touch_and_the_first_step_lies_in_its_own() {
        let days = days(json!({}), "2026-03-07T01:00:00.000Z").unwrap();
        assert!(
            days.nodes
                .windows(2)
                .all(|pair| pair[0].close_ns == pair[1].roll_ns)
        );
        // Friday 20:00 in New York: Monday's day begins.
        assert_eq!(days.first_roll_ns, ns("2026-03-07T01:00:00Z") - EARLY_NS);
        assert_eq!(days.booked_ns, ns("2026-03-04T01:00:01Z") - EARLY_NS);
    }

    #[test]
    fn a_session_binds_only_where_a_limit_does() {
        let session = json!({"tz": "America/New_York", "open": "09:30", "close": "16:00", "early_close": {"2026-11-27": "13:00"}});
        let abc = json!({"ABC": {"ccy": "USD", "mult": "1", "kind": "EQUITY", "session": session}});
        let hours = json!([{"id": "L1", "scope": "A", "type": "MARKET_HOURS"}]);
        let at = "2026-11-25T12:00:00.000Z";
        let free = days(json!({"instruments": abc}), at).unwrap();
        assert!(free.sessions.is_empty());
        let holidays = json!(["2026-11-26"]);
        let bound = days(
            json!({"instruments": abc, "limits": hours, "holidays": holidays}),
            at,
        )
        .unwrap();
        let friday = parse_date("2026-11-27").unwrap();
        let friday = bound.sessions[0].iter().find(|day| day.date == friday).unwrap();
        assert_eq!(
            (friday.open_ns, friday.close_ns),
            (ns("2026-11-27T14:30:00Z"), ns("2026-11-27T18:00:00Z"))
        );
        let session: Session = serde_json::from_value(session).unwrap();
        assert_eq!(bound.calendar_of(Some(&session)), CalendarId(2));
        assert_eq!(
            (bound.calendar_of(None), free.calendar_of(Some(&session))),
            (NODES, NODES)
        );
    }

    #[test]
    fn a_zone_that_nobody_knows_is_said() {
        let error = days(json!({"tz": "Mars/Olympus"}), "2026-03-07T01:00:00.000Z").err();
        assert!(error.is_some_and(|error| error.contains("Mars/Olympus")));
    }
}
