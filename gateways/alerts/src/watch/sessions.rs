//! When sessions are open, by the calendars of the journal.

use tradewind_domain::event::CalendarSet;
use tradewind_domain::ids::CalendarId;
use tradewind_domain::reference::CalendarDay;
use tradewind_domain::time::UnixNanos;

/// Days held for each calendar; older ones make room.
const DAYS_MAX: usize = 512;

/// Where an instant lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// In a session: since when, and until when (exclusive).
    Open {
        since_ns: UnixNanos,
        until_ns: UnixNanos,
    },
    /// Outside: when the next one opens; `u64::MAX` where none is known.
    Closed { opens_ns: UnixNanos },
}

/// Days of all calendars, ascending by opening.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sessions {
    calendars: Vec<Vec<(UnixNanos, UnixNanos)>>,
}

impl Sessions {
    /// Takes an accepted event's days.
    pub(super) fn set_days(&mut self, set: &CalendarSet) {
        let at = set.calendar.index();
        if at >= usize::from(CalendarId::COUNT_MAX) {
            return;
        }
        if self.calendars.len() <= at {
            self.calendars.resize(at + 1, Vec::new());
        }
        let held = &mut self.calendars[at];
        for day in set.days.iter().take(usize::from(set.count)) {
            put(held, day);
        }
        let surplus = held.len().saturating_sub(DAYS_MAX);
        held.drain(..surplus);
    }

    /// The calendar's phase at an instant. The built-in calendar is always open.
    pub(super) fn phase(&self, calendar: CalendarId, at_ns: UnixNanos) -> Phase {
        if calendar == CalendarId::UTC {
            return Phase::Open {
                since_ns: 0,
                until_ns: UnixNanos::MAX,
            };
        }
        let days: &[_] = self.calendars.get(calendar.index()).map_or(&[], Vec::as_slice);
        let next = days.partition_point(|(_, close_ns)| *close_ns <= at_ns);
        match days.get(next) {
            Some(&(since_ns, until_ns)) if since_ns <= at_ns => Phase::Open { since_ns, until_ns },
            Some(&(opens_ns, _)) => Phase::Closed { opens_ns },
            None => Phase::Closed {
                opens_ns: UnixNanos::MAX,
            },
        }
    }
}

/// A day that overlaps what is held replaces it: the calendar was corrected.
fn put(held: &mut Vec<(UnixNanos, UnixNanos)>, day: &CalendarDay) {
    let end_ns = day.close_ns.max(day.open_ns + 1);
    held.retain(|&(open_ns, close_ns)| close_ns <= day.roll_ns.min(day.open_ns) || open_ns >= end_ns);
    if day.close_ns > day.open_ns {
        let at = held.partition_point(|(open_ns, _)| *open_ns < day.open_ns);
        held.insert(at, (day.open_ns, day.close_ns));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    fn set(days: &[(u64, u64, u64)]) -> CalendarSet {
        let mut set = CalendarSet::zeroed();
        set.calendar = CalendarId(3);
        set.count = days.len() as u8;
        for (to, (roll_ns, open_ns, close_ns)) in set.days.iter_mut().zip(days) {
            *to = CalendarDay {
                roll_ns: *roll_ns,
                open_ns: *open_ns,
                close_ns: *close_ns,
                ..CalendarDay::zeroed()
            };
        }
        set
    }

    #[test]
    fn an_instant_is_in_a_session_or_before_the_next() {
        let mut sessions = Sessions::default();
        sessions.set_days(&set(&[(5, 10, 20), (25, 30, 40)]));
        let open = |since_ns, until_ns| Phase::Open { since_ns, until_ns };
        for (at_ns, phase) in [
            (0, Phase::Closed { opens_ns: 10 }),
            (10, open(10, 20)),
            (19, open(10, 20)),
            (20, Phase::Closed { opens_ns: 30 }),
            (35, open(30, 40)),
            (40, Phase::Closed { opens_ns: u64::MAX }),
        ] {
            assert_eq!(sessions.phase(CalendarId(3), at_ns), phase, "{at_ns}");
        }
        assert_eq!(
            sessions.phase(CalendarId(9), 1),
            Phase::Closed { opens_ns: u64::MAX }
        );
        assert_eq!(sessions.phase(CalendarId::UTC, 1), open(0, u64::MAX));
    }

    #[test]
    fn a_corrected_day_takes_the_place_of_the_old_one() {
        let mut sessions = Sessions::default();
        sessions.set_days(&set(&[(5, 10, 20), (25, 30, 40)]));
        sessions.set_days(&set(&[(25, 30, 35)]));
        assert_eq!(
            sessions.phase(CalendarId(3), 35),
            Phase::Closed { opens_ns: u64::MAX }
        );
        sessions.set_days(&set(&[(5, 10, 10)])); // a holiday after all
        assert_eq!(sessions.phase(CalendarId(3), 12), Phase::Closed { opens_ns: 30 });
    }
}
