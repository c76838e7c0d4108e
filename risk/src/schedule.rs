//! What is due when: day rolls and the grace of lost sessions. Ingest asks before each event and when it idles; what it emits
//! is journaled, so nothing after ingest looks at a clock.

use crate::calendar::Calendars;
use tradewind_domain::event::{CalendarSet, Event, Kind, SessionEvent, Timer, TimerKind};
use tradewind_domain::ids::{CalendarId, SessionId};
use tradewind_domain::text::Code;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::pipeline::Schedule;

#[derive(Clone, Copy)]
struct Grace {
    session: SessionId,
    due_ns: UnixNanos,
    include_gtc: u8,
}

/// Timers of the trading day and of sessions.
pub struct TradingSchedule {
    calendars: Calendars,
    /// Names of the calendars; empty where there is none.
    names: [Code; CalendarId::COUNT_MAX as usize],
    /// Lost sessions whose grace runs; sized at start-up.
    graces: Vec<Grace>,
    next_due_ns: UnixNanos,
    /// Calendars do not roll before the first engine start has been seen.
    started: bool,
}

impl TradingSchedule {
    /// Room for as many lost sessions as there are sessions.
    pub fn new(sessions_max: u32) -> Self {
        Self {
            calendars: Calendars::new(),
            names: [Code::EMPTY; CalendarId::COUNT_MAX as usize],
            graces: Vec::with_capacity(sessions_max as usize),
            next_due_ns: u64::MAX,
            started: false,
        }
    }

    fn due_roll(&self, now_ns: UnixNanos) -> Option<(CalendarId, u32, UnixNanos)> {
        (0..CalendarId::COUNT_MAX)
            .map(CalendarId)
            .filter_map(|calendar| {
                let (date, due_ns) = self.calendars.due_roll(calendar, now_ns)?;
                Some((calendar, date, due_ns))
            })
            .min_by_key(|&(calendar, _, due_ns)| (due_ns, calendar))
    }

    /// Gives a calendar its name as normalize does: the first one stands, and no two calendars share one. False where normalize
    /// will refuse the event.
    fn take_name(&mut self, event: &CalendarSet) -> bool {
        let at = event.calendar.index();
        let taken = self
            .names
            .iter()
            .enumerate()
            .any(|(other, name)| other != at && *name == event.code);
        let Some(name) = self
            .names
            .get_mut(at)
            .filter(|name| name.is_empty() || **name == event.code)
        else {
            return false;
        };
        if taken || event.code.is_empty() {
            return false;
        }
        *name = event.code;
        true
    }

    fn refresh(&mut self) {
        if !self.started {
            return;
        }
        let rolls = (0..CalendarId::COUNT_MAX)
            .map(|id| self.calendars.next_roll_ns(CalendarId(id)))
            .min();
        let graces = self.graces.iter().map(|grace| grace.due_ns).min();
        self.next_due_ns = rolls.unwrap_or(u64::MAX).min(graces.unwrap_or(u64::MAX));
    }
}

impl Schedule<Event> for TradingSchedule {
    #[inline]
    fn next_due_ns(&self) -> UnixNanos {
        self.next_due_ns
    }

    /// Of several that are due the earliest comes first.
    fn emit(&mut self, now_ns: UnixNanos, out: &mut Event) -> bool {
        if self.next_due_ns > now_ns {
            return false;
        }
        let roll = self.due_roll(now_ns);
        let grace = self
            .graces
            .iter()
            .filter(|grace| grace.due_ns <= now_ns)
            .min_by_key(|grace| grace.due_ns)
            .copied();
        out.reset(Kind::Timer);
        let timer: &mut Timer = out.body_mut();
        timer.session = SessionId::NONE;
        match (roll, grace) {
            (Some((calendar, date, due_ns)), grace) if grace.is_none_or(|grace| due_ns <= grace.due_ns) => {
                timer.timer = TimerKind::DayRoll as u8;
                timer.calendar = calendar;
                timer.date = date;
                timer.due_ns = due_ns;
            }
            (_, Some(grace)) => {
                timer.timer = TimerKind::CancelOnDisconnect as u8;
                timer.session = grace.session;
                timer.include_gtc = grace.include_gtc;
                timer.due_ns = grace.due_ns;
            }
            _ => {
                self.refresh();
                return false;
            }
        }
        true
    }

    /// Learns from an event that was sequenced (or replayed): calendars, rolls, sessions.
    #[inline]
    fn observe(&mut self, event: &Event) {
        match event.kind() {
            Some(Kind::EngineStarted) => self.started = true,
            Some(Kind::CalendarSet) => {
                // Ingest sees it before normalize decides: the same condition is asked here.
                let body: &CalendarSet = event.body();
                if !body.is_well_formed() || !self.take_name(body) {
                    return;
                }
                self.calendars.set_days(body);
            }
            Some(Kind::Timer) => {
                let timer: &Timer = event.body();
                if timer.timer == TimerKind::DayRoll as u8 {
                    self.calendars.roll(timer.calendar, timer.date);
                } else {
                    self.graces.retain(|grace| grace.session != timer.session);
                }
            }
            Some(Kind::SessionConnected) => {
                let session = event.body::<SessionEvent>().session;
                self.graces.retain(|grace| grace.session != session);
            }
            Some(Kind::SessionDisconnected) => {
                let body: &SessionEvent = event.body();
                self.graces.retain(|grace| grace.session != body.session);
                if body.grace_ms != u32::MAX && self.graces.len() < self.graces.capacity() {
                    let due_ns = event
                        .head
                        .recv_ns
                        .saturating_add(u64::from(body.grace_ms) * 1_000_000);
                    self.graces.push(Grace {
                        session: body.session,
                        due_ns,
                        include_gtc: body.include_gtc,
                    });
                }
            }
            _ => return,
        }
        self.refresh();
    }
}
