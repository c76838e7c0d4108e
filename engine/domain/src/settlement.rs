//! Settlement dates: N business days after the trade date, on the calendars of market and currency together (SETTLEMENT section 4).
//!
//! # Invariants
//! - A settlement date is a business day, and not before the trade date.
//! - The date follows from its arguments alone; no calendar, however odd, makes the search endless.
//!
//! Not here: which days are business days (the calendars that were journaled), when on its day a trade settles (the roll of the
//! market's settlement calendar).

use crate::time::DayNumber;

/// The longest run of days without business that is looked through.
const CLOSED_DAYS_MAX: u32 = 366;

/// True for Saturdays and Sundays.
#[inline]
pub const fn is_weekend(date: DayNumber) -> bool {
    matches!(date % 7, 2 | 3) // 1970-01-01 was a Thursday
}

/// The settlement date of a trade: the `days`-th business day after the first one that is not before the trade date. Where none comes
/// within `CLOSED_DAYS_MAX` days, the day that many after the last.
pub fn settle_date(
    trade_date: DayNumber,
    days: u8,
    is_business_day: impl Fn(DayNumber) -> bool,
) -> DayNumber {
    let on_or_after = |date: DayNumber| {
        let last = date.saturating_add(CLOSED_DAYS_MAX);
        (date..last).find(|&date| is_business_day(date)).unwrap_or(last)
    };
    (0..days).fold(on_or_after(trade_date), |date, _| {
        on_or_after(date.saturating_add(1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_date;
    use proptest::prelude::*;

    fn day(text: &str) -> DayNumber {
        parse_date(text).expect("a date")
    }

    /// The date that is `days` after a trade, with these holidays.
    fn after(trade: &str, days: u8, holidays: &[&str]) -> DayNumber {
        let holidays: Vec<DayNumber> = holidays.iter().map(|text| day(text)).collect();
        settle_date(day(trade), days, |date| {
            !is_weekend(date) && !holidays.contains(&date)
        })
    }

    #[test]
    fn settlement_dates_are_those_of_the_specification() {
        assert_eq!(after("2026-03-06", 1, &[]), day("2026-03-09"));
        assert_eq!(after("2026-07-02", 1, &["2026-07-03"]), day("2026-07-06"));
        assert_eq!(after("2026-11-25", 1, &["2026-11-26"]), day("2026-11-27"));
        // Good Friday and Easter Monday: closed in either place.
        let closed = ["2026-04-03", "2026-04-06"];
        assert_eq!(after("2026-04-01", 2, &closed), day("2026-04-07"));
    }

    #[test]
    fn a_trade_on_a_closed_day_counts_from_the_next_business_day() {
        assert_eq!(after("2026-03-07", 1, &[]), day("2026-03-10"));
        assert_eq!(after("2026-04-03", 0, &["2026-04-03"]), day("2026-04-06"));
    }

    #[test]
    fn a_calendar_without_a_business_day_ends_the_search() {
        assert_eq!(settle_date(10, 2, |_| false), 10 + 3 * CLOSED_DAYS_MAX + 2);
        assert_eq!(settle_date(DayNumber::MAX, 3, |_| false), DayNumber::MAX);
    }

    proptest! {
        #[test]
        fn each_further_day_is_the_next_business_day(trade in 10_000u32..40_000, days in 0u8..10, closed in any::<u64>()) {
            let is_open = |date: DayNumber| closed >> (date % 64) & 1 == 0 || date % 64 == 5;
            let date = settle_date(trade, days, is_open);
            prop_assert!(is_open(date) && date >= trade);
            let next = settle_date(trade, days + 1, is_open);
            prop_assert_eq!((date + 1..=next).filter(|&date| is_open(date)).count(), 1);
        }
    }
}
