//! Times and trading days. Nothing here reads a clock.

use std::fmt;

/// Nanoseconds since 1970-01-01T00:00:00Z.
pub type UnixNanos = u64;

/// Nanoseconds of a second.
pub const NANOS_PER_SEC: u64 = 1_000_000_000;
/// Nanoseconds of a day.
pub const NANOS_PER_DAY: u64 = 86_400 * NANOS_PER_SEC;

/// A calendar date as days since 1970-01-01: trading dates and settlement dates.
pub type DayNumber = u32;

/// The UTC date of an instant.
#[inline]
pub const fn utc_day(ns: UnixNanos) -> DayNumber {
    (ns / NANOS_PER_DAY) as DayNumber
}

/// Year, month and day of a date.
pub const fn civil(day: DayNumber) -> (i32, u32, u32) {
    // Days to civil date, proleptic Gregorian, with years that start on 1 March.
    let z = day as i64 + 719_468;
    let era = z / 146_097;
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let m = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    let y = yoe + era * 400 + if m <= 2 { 1 } else { 0 };
    (y as i32, m, d)
}

/// The day number of a date, or `None` before 1970, after 9999 or for a date that does not exist.
pub const fn day_number(year: i32, month: u32, day: u32) -> Option<DayNumber> {
    if year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 {
        return None;
    }
    let y = if month <= 2 { year as i64 - 1 } else { year as i64 };
    let era = y / 400;
    let yoe = y - era * 400;
    let mp = if month > 2 {
        month as i64 - 3
    } else {
        month as i64 + 9
    };
    let doy = (153 * mp + 2) / 5 + day as i64 - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    let number = (era * 146_097 + doe - 719_468) as DayNumber;
    let (y2, m2, d2) = civil(number);
    if y2 == year && m2 == month && d2 == day {
        Some(number)
    } else {
        None
    }
}

/// Shows an instant as RFC 3339 in UTC with nanoseconds.
pub struct Rfc3339(pub UnixNanos);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = civil(utc_day(self.0));
        let in_day = self.0 % NANOS_PER_DAY;
        let secs = in_day / NANOS_PER_SEC;
        let (h, min, s) = (secs / 3600, secs / 60 % 60, secs % 60);
        write!(
            f,
            "{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}.{:09}Z",
            in_day % NANOS_PER_SEC
        )
    }
}

/// Shows a date as `YYYY-MM-DD`.
pub struct Date(pub DayNumber);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = civil(self.0);
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

/// Reads `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<DayNumber> {
    let mut parts = text.splitn(3, '-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    if y.len() != 4 || m.len() != 2 || d.len() != 2 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    {
        return None;
    }
    day_number(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?)
}

/// Reads RFC 3339 in UTC (`2026-03-02T14:30:00Z`, with up to nine decimals of a second), up to the year 2554,
/// where 64 bits of nanoseconds end.
pub fn parse_rfc3339(text: &str) -> Option<UnixNanos> {
    let (date, rest) = text.split_at_checked(10)?;
    let day = parse_date(date)?;
    let time = rest.strip_prefix('T')?.strip_suffix('Z')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    if clock.len() != 8 || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut units = clock.split(':');
    let mut unit = |max: u64| {
        let text = units
            .next()
            .filter(|t| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit()))?;
        text.parse::<u64>().ok().filter(|&v| v < max)
    };
    let secs = unit(24)? * 3600 + unit(60)? * 60 + unit(60)?;
    let nanos = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<u64>().ok()? * 10u64.pow(9 - fraction.len() as u32)
    };
    u64::from(day)
        .checked_mul(NANOS_PER_DAY)?
        .checked_add(secs * NANOS_PER_SEC + nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive_the_round_trip_for_a_thousand_years() {
        let mut last = None;
        for day in 0..366 * 1000 {
            let (y, m, d) = civil(day);
            assert_eq!(day_number(y, m, d), Some(day));
            assert_ne!(last, Some((y, m, d)));
            last = Some((y, m, d));
        }
        assert_eq!(day_number(2026, 2, 29), None);
        assert_eq!(day_number(2024, 2, 29).map(civil), Some((2024, 2, 29)));
    }

    #[test]
    fn instants_are_read_and_shown_alike() {
        let ns = parse_rfc3339("2026-03-02T14:30:01.000Z").unwrap();
        assert_eq!(Rfc3339(ns).to_string(), "2026-03-02T14:30:01.000000000Z");
        assert_eq!(utc_day(ns), day_number(2026, 3, 2).unwrap());
        for bad in [
            "2026-03-02",
            "2026-03-02T14:30:01",
            "2026-13-02T14:30:01Z",
            "2026-03-02T24:30:01Z",
            "2026-03-02T1é:30:01Z",
            "",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }
}
