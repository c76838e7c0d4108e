//! Trading calendars as explicit days in UTC instants: which trading date it is, and whether the session is open.
//!
//! The current date of a calendar changes only by a day-roll timer, which is journaled: nothing here looks at a clock.
//! Days come from `CalendarSet` events; calendar 0 (UTC) needs none.

use bytemuck::{Zeroable, bytes_of};
use tradewind_domain::event::CalendarSet;
use tradewind_domain::ids::CalendarId;
use tradewind_domain::reference::CalendarDay;
use tradewind_domain::settlement::is_weekend;
use tradewind_domain::time::{DayNumber, NANOS_PER_DAY, UnixNanos, utc_day};

/// Days held for each; older ones make room.
pub const DAYS_MAX: usize = 512;

#[derive(Clone)]
struct Row {
    /// Current trading date; 0 before the first roll.
    date: DayNumber,
    /// Index of the current date's day; `days.len()` where there is none.
    at: usize,
    /// Ascending by date and roll.
    days: Vec<CalendarDay>,
}

/// All calendars, by id.
#[derive(Clone)]
pub struct Calendars {
    rows: Vec<Row>,
}

impl Default for Calendars {
    fn default() -> Self {
        Self::new()
    }
}

impl Calendars {
    /// Empty calendars with all memory allocated.
    pub fn new() -> Self {
        let row = || Row {
            date: 0,
            at: 0,
            days: Vec::with_capacity(DAYS_MAX),
        };
        Self {
            rows: (0..CalendarId::COUNT_MAX).map(|_| row()).collect(),
        }
    }

    /// The current trading date; 0 where the calendar has not begun.
    #[inline]
    pub fn date(&self, calendar: CalendarId) -> DayNumber {
        self.rows.get(calendar.index()).map_or(0, |row| row.date)
    }

    /// True where `now_ns` is in the session [open, close) of the current trading day. The UTC calendar is always open.
    #[inline]
    pub fn is_open(&self, calendar: CalendarId, now_ns: UnixNanos) -> bool {
        if calendar == CalendarId::UTC {
            return true;
        }
        let Some(row) = self.rows.get(calendar.index()) else {
            return false;
        };
        row.days
            .get(row.at)
            .is_some_and(|day| (day.open_ns..day.close_ns).contains(&now_ns))
    }

    /// Open and close of the current trading date; `None` before the first roll and on a day without a session. The UTC
    /// calendar's session is its day.
    #[inline]
    pub fn session(&self, calendar: CalendarId) -> Option<(UnixNanos, UnixNanos)> {
        let row = self.rows.get(calendar.index())?;
        if calendar == CalendarId::UTC {
            let open_ns = u64::from(row.date) * NANOS_PER_DAY;
            return (row.date != 0).then_some((open_ns, open_ns + NANOS_PER_DAY));
        }
        let day = row.days.get(row.at)?;
        (day.open_ns < day.close_ns).then_some((day.open_ns, day.close_ns))
    }

    /// Takes an accepted event's days: a date that is held is replaced, a later one appended.
    pub fn set_days(&mut self, event: &CalendarSet) {
        let Some(row) = self.rows.get_mut(event.calendar.index()) else {
            return;
        };
        for day in event.days.iter().take(usize::from(event.count)) {
            match row.days.binary_search_by_key(&day.date, |held| held.date) {
                Ok(at) => row.days[at] = *day,
                Err(at) => {
                    if row.days.len() == DAYS_MAX {
                        row.days.remove(0);
                        row.days.insert(at.saturating_sub(1), *day);
                    } else {
                        row.days.insert(at, *day);
                    }
                }
            }
        }
        row.at = position(row);
    }

    /// The trading day rolls.
    pub fn roll(&mut self, calendar: CalendarId, date: DayNumber) {
        let Some(row) = self.rows.get_mut(calendar.index()) else {
            return;
        };
        row.date = date;
        row.at = position(row);
    }

    /// The newest day that has begun by `now_ns` and is later than the current date: several missed days give one roll.
    pub fn due_roll(&self, calendar: CalendarId, now_ns: UnixNanos) -> Option<(DayNumber, UnixNanos)> {
        let row = self.rows.get(calendar.index())?;
        if calendar == CalendarId::UTC {
            let today = utc_day(now_ns);
            return (today > row.date).then(|| (today, u64::from(today) * NANOS_PER_DAY));
        }
        let day = row.days.iter().rev().find(|day| day.roll_ns <= now_ns)?;
        (day.date > row.date).then_some((day.date, day.roll_ns))
    }

    /// When the next roll of a calendar is due; `u64::MAX` where none is known.
    pub fn next_roll_ns(&self, calendar: CalendarId) -> UnixNanos {
        let Some(row) = self.rows.get(calendar.index()) else {
            return u64::MAX;
        };
        if calendar == CalendarId::UTC {
            return if row.date == 0 {
                0
            } else {
                (u64::from(row.date) + 1) * NANOS_PER_DAY
            };
        }
        row.days
            .iter()
            .find(|day| day.date > row.date)
            .map_or(u64::MAX, |day| day.roll_ns)
    }

    /// The last day that is held, to warn before a calendar runs out.
    pub fn last_date(&self, calendar: CalendarId) -> Option<DayNumber> {
        self.rows.get(calendar.index())?.days.last().map(|day| day.date)
    }

    /// True for a date that the calendar has. Beyond the days that are held every weekday counts: a settlement date must be found
    /// while a calendar runs out, and its roll waits for the days.
    #[inline]
    pub fn has_date(&self, calendar: CalendarId, date: DayNumber) -> bool {
        if calendar == CalendarId::UTC {
            return true;
        }
        let Some(row) = self.rows.get(calendar.index()) else {
            return false;
        };
        // Most are asked about the current date and the next.
        if let Some([today, tomorrow]) = row.days.get(row.at..row.at.saturating_add(2))
            && (today.date..=tomorrow.date).contains(&date)
        {
            return date == today.date || date == tomorrow.date;
        }
        match (row.days.first(), row.days.last()) {
            (Some(first), Some(last)) if (first.date..=last.date).contains(&date) => {
                row.days.binary_search_by_key(&date, |held| held.date).is_ok()
            }
            _ => !is_weekend(date),
        }
    }

    /// Feeds the state to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for row in &self.rows {
            sink(&row.date.to_le_bytes());
            for day in &row.days {
                sink(bytes_of(day));
            }
        }
    }
}

fn position(row: &Row) -> usize {
    row.days
        .binary_search_by_key(&row.date, |day| day.date)
        .unwrap_or(row.days.len())
}

/// A calendar set of these days, for tests and tools.
pub fn calendar_set(calendar: CalendarId, days: &[CalendarDay]) -> CalendarSet {
    let mut event = CalendarSet {
        calendar,
        count: days.len().min(8) as u8,
        ..CalendarSet::zeroed()
    };
    for (to, from) in event.days.iter_mut().zip(days) {
        *to = *from;
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAL: CalendarId = CalendarId(1);

    fn day(date: u32) -> CalendarDay {
        let roll_ns = u64::from(date) * 1_000;
        CalendarDay {
            roll_ns,
            open_ns: roll_ns + 100,
            close_ns: roll_ns + 200,
            date,
            reserved: 0,
        }
    }

    #[test]
    fn a_session_is_half_open_and_belongs_to_the_current_date() {
        let mut calendars = Calendars::new();
        calendars.set_days(&calendar_set(CAL, &[day(5), day(6)]));
        assert!(!calendars.is_open(CAL, 5_100));
        calendars.roll(CAL, 5);
        for (now, open) in [
            (5_099, false),
            (5_100, true),
            (5_199, true),
            (5_200, false),
            (6_150, false),
        ] {
            assert_eq!(calendars.is_open(CAL, now), open, "{now}");
        }
    }

    #[test]
    fn several_missed_days_give_one_roll_to_the_newest() {
        let mut calendars = Calendars::new();
        calendars.set_days(&calendar_set(CAL, &[day(5), day(6), day(9)]));
        assert_eq!(calendars.due_roll(CAL, 4_999), None);
        assert_eq!(calendars.due_roll(CAL, 9_500), Some((9, 9_000)));
        calendars.roll(CAL, 6);
        assert_eq!(calendars.next_roll_ns(CAL), 9_000);
        calendars.roll(CAL, 9);
        assert_eq!(calendars.due_roll(CAL, 99_000), None);
        assert_eq!(calendars.next_roll_ns(CAL), u64::MAX);
    }

    #[test]
    fn the_utc_calendar_rolls_at_midnight_and_never_closes() {
        let mut calendars = Calendars::new();
        let noon = 20_000 * NANOS_PER_DAY + NANOS_PER_DAY / 2;
        assert!(calendars.is_open(CalendarId::UTC, noon));
        assert_eq!(
            calendars.due_roll(CalendarId::UTC, noon),
            Some((20_000, 20_000 * NANOS_PER_DAY))
        );
        calendars.roll(CalendarId::UTC, 20_000);
        assert_eq!(calendars.next_roll_ns(CalendarId::UTC), 20_001 * NANOS_PER_DAY);
    }

    #[test]
    fn dates_are_those_that_are_held_and_weekdays_beyond_them() {
        let mut calendars = Calendars::new();
        // 2026-03-06 is a Friday.
        let friday = tradewind_domain::time::parse_date("2026-03-06").unwrap();
        let held = [friday - 3, friday - 1, friday, friday + 3];
        calendars.set_days(&calendar_set(CAL, &held.map(day)));
        for today in [0, friday - 1, friday, friday + 3] {
            calendars.roll(CAL, today);
            let dates = |range: std::ops::RangeInclusive<u32>| {
                range
                    .filter(|&date| calendars.has_date(CAL, date))
                    .collect::<Vec<_>>()
            };
            assert_eq!(dates(friday - 3..=friday + 3), held);
            assert_eq!(
                dates(friday + 4..=friday + 10),
                [4, 5, 6, 7, 10].map(|days| friday + days)
            );
        }
        assert!(calendars.has_date(CalendarId::UTC, friday + 1));
    }

    #[test]
    fn days_beyond_the_capacity_push_out_the_oldest() {
        let mut calendars = Calendars::new();
        for date in 1..=DAYS_MAX as u32 + 3 {
            calendars.set_days(&calendar_set(CAL, &[day(date)]));
        }
        assert_eq!(calendars.rows[1].days.len(), DAYS_MAX);
        assert_eq!(calendars.rows[1].days[0].date, 4);
        assert_eq!(calendars.last_date(CAL), Some(DAYS_MAX as u32 + 3));
    }
}
