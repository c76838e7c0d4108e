//! Trading calendars: from local rules (time zone, day roll, session, holidays) to explicit days in UTC.
//!
//! The rule of LIMITS section 3: at or after `day_roll` (unless it is 00:00) an instant belongs to the next local date; then,
//! unless the calendar trades at weekends, it moves forward over weekends and holidays. Friday 20:00 in New York is Monday's.
//!
//! # Invariants
//! - Days ascend, each rolls where the one before ends, and a session lies within its day. The days of a settlement calendar roll on
//!   their own date: what is due on a Monday is not settled on the Saturday before.
//! - Daylight saving comes from the bundled time zone rules, so every machine computes the same instants.
//!
//! Not here: the roll itself. The engine sees only the explicit days that the journal holds.

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use tradewind_domain::reference::CalendarDay;
use tradewind_domain::time::DayNumber;

/// Minutes of a day.
pub(crate) const DAY_MINUTES: u16 = 24 * 60;
/// The last trading date whose instants are computed: 2500-01-01, before 64 bits of nanoseconds end.
const LAST_DATE: DayNumber = 193_579;

/// A day that closes early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlyClose {
    /// Trading date.
    pub date: DayNumber,
    /// Local close in minutes after midnight.
    pub close_minute: u16,
}

/// A calendar as a file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Name.
    pub name: String,
    /// Time zone by IANA name.
    pub tz: TimeZone,
    /// Local minute at which the trading day ends; 0 is midnight.
    pub roll_minute: u16,
    /// Local minute at which the session opens; one that is not before the close opens on the evening before.
    pub open_minute: u16,
    /// Local minute at which the session closes (exclusive); 1440 is midnight at the end of the date.
    pub close_minute: u16,
    /// True where Saturdays, Sundays and holidays are trading dates too.
    pub weekend_trading: bool,
    /// Dates without a session, ascending.
    pub holidays: Vec<DayNumber>,
    /// Dates that close early, ascending.
    pub early_closes: Vec<EarlyClose>,
    /// Of a settlement calendar the local minute of the settlement run. Each of its days begins then, on its own date, and has no
    /// session; roll, open and close do not count.
    pub settle_minute: Option<u16>,
}

impl Calendar {
    /// The trading days with dates from `from_day` to `to_day`, both included.
    pub fn days(&self, from_day: DayNumber, to_day: DayNumber) -> Vec<CalendarDay> {
        // Day 0 stands for none.
        let dates = (from_day.max(1)..=to_day.min(LAST_DATE)).filter(|day| self.is_trading_date(*day));
        dates.filter_map(|day| self.day(day)).collect()
    }

    /// True where the session, with the early closes, lies within the trading day; the file is refused otherwise.
    pub(crate) fn session_fits_day(&self) -> bool {
        let (roll, close, day) = (
            i32::from(self.roll_minute),
            i32::from(self.close_minute),
            i32::from(DAY_MINUTES),
        );
        let (begin, end) = if roll == 0 { (0, day) } else { (roll - day, roll) };
        let open = self.open_offset();
        let early = self
            .early_closes
            .iter()
            .all(|early| i32::from(early.close_minute) >= open);
        begin <= open && open <= close && close <= end && early
    }

    /// Opening of the session in minutes after midnight of the trading date; negative on the evening before.
    fn open_offset(&self) -> i32 {
        let open = i32::from(self.open_minute);
        if self.open_minute >= self.close_minute {
            open - i32::from(DAY_MINUTES)
        } else {
            open
        }
    }

    fn is_trading_date(&self, day: DayNumber) -> bool {
        self.weekend_trading || !(is_weekend(day) || self.is_holiday(day))
    }

    fn is_holiday(&self, day: DayNumber) -> bool {
        self.holidays.binary_search(&day).is_ok()
    }

    fn day(&self, day: DayNumber) -> Option<CalendarDay> {
        if let Some(minute) = self.settle_minute {
            let run_ns = self.instant(day, minute.into())?;
            return Some(CalendarDay {
                roll_ns: run_ns,
                open_ns: run_ns,
                close_ns: run_ns,
                date: day,
                reserved: 0,
            });
        }
        let before = (0..day)
            .rev()
            .take(MOVE_DAYS_MAX)
            .find(|earlier| self.is_trading_date(*earlier))?;
        // The day begins where the one before ends: at its roll, or at the midnight after it.
        let roll_ns = if self.roll_minute == 0 {
            self.instant(before + 1, 0)?
        } else {
            self.instant(before, i32::from(self.roll_minute))?
        };
        let open_ns = self.instant(day, self.open_offset())?;
        let early = self.early_closes.iter().find(|early| early.date == day);
        let close_minute = early.map_or(self.close_minute, |early| early.close_minute);
        let close_ns = if self.is_holiday(day) {
            open_ns
        } else {
            self.instant(day, i32::from(close_minute))?
        };
        Some(CalendarDay {
            roll_ns,
            open_ns,
            close_ns,
            date: day,
            reserved: 0,
        })
    }

    /// The instant of a local time, `minutes` after midnight of a date. A time that a change of the clock skips is taken as
    /// that much later, one that comes twice as the first.
    fn instant(&self, day: DayNumber, minutes: i32) -> Option<u64> {
        let day_minutes = i32::from(DAY_MINUTES);
        let date = civil_date(i64::from(day) + i64::from(minutes.div_euclid(day_minutes)))?;
        let minute = minutes.rem_euclid(day_minutes);
        let time = Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok()?;
        let zoned = self.tz.to_zoned(date.to_datetime(time)).ok()?;
        u64::try_from(zoned.timestamp().as_nanosecond()).ok()
    }
}

/// The longest run of dates without trading that is looked through.
const MOVE_DAYS_MAX: usize = 366;

fn civil_date(days: i64) -> Option<Date> {
    let days = i32::try_from(days)
        .ok()
        .filter(|days| days.unsigned_abs() <= LAST_DATE + 1)?;
    Date::constant(1970, 1, 1).checked_add(days.days()).ok()
}

fn is_weekend(day: DayNumber) -> bool {
    // 1970-01-01 was a Thursday.
    matches!(day % 7, 2 | 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::Weekday;
    use tradewind_domain::time::{parse_date, parse_rfc3339};

    fn new_york() -> Calendar {
        Calendar {
            name: "us".into(),
            tz: TimeZone::get("America/New_York").unwrap(),
            roll_minute: 20 * 60,
            open_minute: 9 * 60 + 30,
            close_minute: 16 * 60,
            weekend_trading: false,
            holidays: vec![parse_date("2026-11-26").unwrap()],
            early_closes: vec![EarlyClose {
                date: parse_date("2026-11-27").unwrap(),
                close_minute: 13 * 60,
            }],
            settle_minute: None,
        }
    }

    fn day(calendar: &Calendar, date: &str) -> CalendarDay {
        let date = parse_date(date).unwrap();
        calendar.days(date, date)[0]
    }

    fn ns(text: &str) -> u64 {
        parse_rfc3339(text).unwrap()
    }

    #[test]
    fn sessions_follow_daylight_saving() {
        assert_eq!(day(&new_york(), "2026-03-06").open_ns, ns("2026-03-06T14:30:00Z"));
        assert_eq!(day(&new_york(), "2026-03-09").open_ns, ns("2026-03-09T13:30:00Z"));
        assert_eq!(
            day(&new_york(), "2026-03-09").close_ns,
            ns("2026-03-09T20:00:00Z")
        );
    }

    #[test]
    fn the_day_after_thanksgiving_closes_at_one() {
        let friday = day(&new_york(), "2026-11-27");
        assert_eq!(friday.close_ns, ns("2026-11-27T18:00:00Z"));
        // Wednesday's evening belongs to Friday: Thursday is a holiday.
        assert_eq!(friday.roll_ns, ns("2026-11-26T01:00:00Z"));
        let thursday = parse_date("2026-11-26").unwrap();
        assert!(new_york().days(thursday, thursday).is_empty());
    }

    #[test]
    fn friday_at_eight_in_new_york_belongs_to_monday() {
        // 2026-03-06 is a Friday; 20:00 EST is 01:00Z of Saturday.
        let monday = day(&new_york(), "2026-03-09");
        assert_eq!(monday.roll_ns, ns("2026-03-07T01:00:00Z"));
        let friday = parse_date("2026-03-06").unwrap();
        assert_eq!(
            new_york()
                .days(friday, friday + 3)
                .iter()
                .map(|day| day.date)
                .collect::<Vec<_>>(),
            [friday, friday + 3]
        );
    }

    #[test]
    fn a_session_may_open_on_the_evening_before() {
        let mut futures = new_york();
        futures.tz = TimeZone::get("America/Chicago").unwrap();
        (futures.roll_minute, futures.open_minute, futures.close_minute) = (17 * 60, 17 * 60, 16 * 60);
        futures.early_closes.clear();
        assert!(futures.session_fits_day());
        let monday = day(&futures, "2026-03-09");
        assert_eq!(monday.open_ns, ns("2026-03-08T22:00:00Z"));
        assert_eq!(monday.close_ns, ns("2026-03-09T21:00:00Z"));
    }

    #[test]
    fn no_calendar_has_day_0_which_stands_for_none() {
        let mut always = new_york();
        (always.tz, always.weekend_trading) = (TimeZone::UTC, true);
        let days = always.days(0, 30);
        assert!(days.len() > 20 && days.iter().all(|day| day.date > 0), "{days:?}");
    }

    #[test]
    fn days_without_end_touch_and_ascend_over_years() {
        let mut crypto = new_york();
        (crypto.tz, crypto.weekend_trading) = (TimeZone::UTC, true);
        (crypto.roll_minute, crypto.open_minute, crypto.close_minute) = (0, 0, DAY_MINUTES);
        crypto.early_closes.clear();
        for calendar in [new_york(), crypto] {
            let days = calendar.days(20_000, 21_000);
            assert!(days.len() > 700);
            for pair in days.windows(2) {
                assert!(pair[0].roll_ns < pair[1].roll_ns && pair[0].close_ns <= pair[1].roll_ns);
            }
            assert!(
                days.iter()
                    .all(|day| day.roll_ns <= day.open_ns && day.open_ns <= day.close_ns)
            );
        }
    }

    #[test]
    fn the_ends_of_time_are_empty_rather_than_wrong() {
        assert!(new_york().days(0, 0).is_empty());
        assert!(new_york().days(LAST_DATE + 1, u32::MAX).is_empty());
        assert_eq!(civil_date(i64::MAX), None);
        assert_eq!(Some(LAST_DATE), parse_date("2500-01-01"));
    }

    #[test]
    fn weekends_are_found_without_a_library() {
        for day in 0..10_000 {
            let weekday = civil_date(day).unwrap().weekday();
            assert_eq!(
                is_weekend(day as u32),
                matches!(weekday, Weekday::Saturday | Weekday::Sunday)
            );
        }
    }

    #[test]
    fn a_settlement_calendar_runs_on_the_morning_of_each_business_day() {
        let calendar = Calendar {
            holidays: vec![parse_date("2026-07-03").unwrap()],
            settle_minute: Some(6 * 60),
            ..new_york()
        };
        let from = parse_date("2026-07-01").unwrap();
        let days = calendar.days(from, from + 6);
        let dates: Vec<u32> = days.iter().map(|day| day.date - from).collect();
        assert_eq!(dates, [0, 1, 5, 6], "neither holiday nor weekend");
        // 06:00 in summer is 10:00 UTC.
        for day in days {
            let run_ns = (u64::from(day.date) * 24 + 10) * 3_600 * 1_000_000_000;
            assert_eq!((day.roll_ns, day.open_ns, day.close_ns), (run_ns, run_ns, run_ns));
        }
    }
}
