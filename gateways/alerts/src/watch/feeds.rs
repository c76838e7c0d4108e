//! Market data that does not come: a venue or an instrument that was heard before is silent while its session is open, and
//! last prices that are too old to be a reference.
//!
//! # Invariants
//! - Silence counts from the last data, from the session's opening or from the engine's start, whichever came last.
//! - A venue is in session while one of the instruments that it sent is.
//! - `due_ns` is at most the instant at which something changes; looking too early changes nothing.
//!
//! A name that was never heard is not missed.

use super::WatchSettings;
use super::names::Names;
use super::sessions::{Phase, Sessions};
use crate::fact::{Fact, Metric, Subject};
use std::collections::BTreeMap;
use tradewind_domain::event::{CalendarSet, InstrumentSet};
use tradewind_domain::ids::{CalendarId, InstrumentId, VenueId};
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// Instruments that are watched: the most that the configuration allows.
const INSTRUMENTS_MAX: usize = 1 << 24;
/// How often the age of references is looked at.
const REFERENCES_EVERY_NS: u64 = 10 * NANOS_PER_SEC;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Instrument {
    /// Last data; 0 for never.
    heard_ns: UnixNanos,
    /// Last trade; 0 for never.
    traded_ns: UnixNanos,
    venue: VenueId,
    calendar: CalendarId,
    halted: bool,
    silent: bool,
}

impl Default for Instrument {
    fn default() -> Self {
        Self {
            heard_ns: 0,
            traded_ns: 0,
            venue: VenueId::NONE,
            calendar: CalendarId::UTC,
            halted: false,
            silent: false,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Venue {
    heard_ns: UnixNanos,
    silent: bool,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Feeds {
    feed_ns: u64,
    instrument_ns: u64,
    reference_ns: u64,
    instruments: Vec<Instrument>,
    venues: BTreeMap<u16, Venue>,
    sessions: Sessions,
    /// False between two runs of the engine: nothing is expected then.
    running: bool,
    due_ns: UnixNanos,
    references_due_ns: UnixNanos,
    stale_bp: i64,
}

impl Feeds {
    pub(super) fn new(settings: &WatchSettings) -> Self {
        Self {
            feed_ns: settings.feed_silent_ns,
            instrument_ns: settings.instrument_silent_ns,
            reference_ns: 0,
            instruments: Vec::new(),
            venues: BTreeMap::new(),
            sessions: Sessions::default(),
            running: false,
            due_ns: UnixNanos::MAX,
            references_due_ns: UnixNanos::MAX,
            stale_bp: 0,
        }
    }

    pub(super) fn next_due_ns(&self) -> UnixNanos {
        self.due_ns.min(self.references_due_ns)
    }

    /// Data of an instrument from a venue (none for data without one).
    pub(super) fn on_market(
        &mut self,
        at_ns: UnixNanos,
        venue: VenueId,
        instrument: InstrumentId,
        is_trade: bool,
        names: &Names,
        out: &mut Vec<Fact>,
    ) {
        let Some(row) = row(&mut self.instruments, instrument) else {
            return;
        };
        let mut is_new = row.heard_ns == 0;
        row.heard_ns = at_ns;
        if is_trade {
            if row.traded_ns == 0 && self.references_due_ns == UnixNanos::MAX {
                self.references_due_ns = (at_ns / REFERENCES_EVERY_NS + 1) * REFERENCES_EVERY_NS;
            }
            row.traded_ns = at_ns;
        }
        if std::mem::take(&mut row.silent) {
            is_new = true;
            out.push(instrument_fact(names, instrument, 0));
        }
        if !venue.is_none() {
            row.venue = venue;
            let feed = self.venues.entry(venue.0).or_default();
            is_new |= feed.heard_ns == 0;
            feed.heard_ns = at_ns;
            if std::mem::take(&mut feed.silent) {
                is_new = true;
                out.push(venue_fact(venue.0, 0));
            }
        }
        // What is heard for the first time, or again, has a deadline of its own from here on.
        if is_new && self.running {
            self.due_ns = self.due_ns.min(at_ns.saturating_add(1));
        }
    }

    pub(super) fn on_instrument(&mut self, set: &InstrumentSet, at_ns: UnixNanos) {
        if let Some(row) = row(&mut self.instruments, set.row.id) {
            row.calendar = set.row.calendar;
            self.look_again(at_ns);
        }
    }

    pub(super) fn on_calendar(&mut self, set: &CalendarSet, at_ns: UnixNanos) {
        self.sessions.set_days(set);
        self.look_again(at_ns);
    }

    pub(super) fn on_status(&mut self, instrument: InstrumentId, halted: bool, at_ns: UnixNanos) {
        if let Some(row) = row(&mut self.instruments, instrument) {
            row.halted = halted;
            self.look_again(at_ns);
        }
    }

    /// A run begins: what was heard before is expected from now on.
    pub(super) fn on_started(&mut self, ref_max_age_ms: u32, at_ns: UnixNanos) {
        self.running = true;
        self.reference_ns = u64::from(ref_max_age_ms) * 1_000_000;
        for row in self.instruments.iter_mut().filter(|row| row.heard_ns != 0) {
            row.heard_ns = at_ns;
        }
        for venue in self.venues.values_mut() {
            venue.heard_ns = at_ns;
        }
        self.look_again(at_ns);
    }

    /// A run ends: nothing is expected, and what was silent is not missed.
    pub(super) fn on_stopped(&mut self, names: &Names, out: &mut Vec<Fact>) {
        self.running = false;
        (self.due_ns, self.references_due_ns) = (UnixNanos::MAX, UnixNanos::MAX);
        for (at, row) in self.instruments.iter_mut().enumerate() {
            if std::mem::take(&mut row.silent) {
                out.push(instrument_fact(names, InstrumentId(at as u32), 0));
            }
        }
        for (venue, row) in &mut self.venues {
            if std::mem::take(&mut row.silent) {
                out.push(venue_fact(*venue, 0));
            }
        }
        self.tell_stale(0, 0, out);
        for row in &mut self.instruments {
            row.traded_ns = 0; // a price of a run that is over is no reference
        }
    }

    fn look_again(&mut self, at_ns: UnixNanos) {
        if self.running {
            self.due_ns = self.due_ns.min(at_ns);
        }
    }

    pub(super) fn run_due(&mut self, at_ns: UnixNanos, names: &Names, out: &mut Vec<Fact>) {
        if self.due_ns <= at_ns {
            let instruments = self.run_instruments(at_ns, names, out);
            self.due_ns = instruments.min(self.run_venues(at_ns, out));
        }
        if self.references_due_ns <= at_ns {
            self.references_due_ns = (at_ns / REFERENCES_EVERY_NS + 1) * REFERENCES_EVERY_NS;
            self.run_references(at_ns, out);
        }
    }

    fn run_instruments(&mut self, at_ns: UnixNanos, names: &Names, out: &mut Vec<Fact>) -> UnixNanos {
        let (limit_ns, sessions) = (self.instrument_ns, &self.sessions);
        let mut next_ns = UnixNanos::MAX;
        if limit_ns == 0 {
            return next_ns;
        }
        for (at, row) in self
            .instruments
            .iter_mut()
            .enumerate()
            .filter(|(_, row)| row.heard_ns != 0)
        {
            let phase = phase_of(sessions, row, at_ns);
            let change = step(phase, row.heard_ns, limit_ns, &mut row.silent, at_ns);
            if let Some(silent_ns) = change.tell_ns {
                out.push(instrument_fact(names, InstrumentId(at as u32), silent_ns));
            }
            next_ns = next_ns.min(change.next_ns);
        }
        next_ns
    }

    fn run_venues(&mut self, at_ns: UnixNanos, out: &mut Vec<Fact>) -> UnixNanos {
        let mut next_ns = UnixNanos::MAX;
        if self.feed_ns == 0 {
            return next_ns;
        }
        let phases = self.venue_phases(at_ns);
        for (venue, row) in &mut self.venues {
            let phase = phases.get(venue).copied().unwrap_or(Phase::Closed {
                opens_ns: UnixNanos::MAX,
            });
            let change = step(phase, row.heard_ns, self.feed_ns, &mut row.silent, at_ns);
            if let Some(silent_ns) = change.tell_ns {
                out.push(venue_fact(*venue, silent_ns));
            }
            next_ns = next_ns.min(change.next_ns);
        }
        next_ns
    }

    /// Of each venue the sessions of its instruments taken together.
    fn venue_phases(&self, at_ns: UnixNanos) -> BTreeMap<u16, Phase> {
        let mut phases: BTreeMap<u16, Phase> = BTreeMap::new();
        for row in self.instruments.iter().filter(|row| !row.venue.is_none()) {
            let phase = phase_of(&self.sessions, row, at_ns);
            phases
                .entry(row.venue.0)
                .and_modify(|known| *known = either(*known, phase))
                .or_insert(phase);
        }
        phases
    }

    fn run_references(&mut self, at_ns: UnixNanos, out: &mut Vec<Fact>) {
        let (mut known, mut stale) = (0u64, 0u64);
        for row in self.instruments.iter().filter(|row| row.traded_ns != 0) {
            if matches!(phase_of(&self.sessions, row, at_ns), Phase::Open { .. }) {
                known += 1;
                stale += u64::from(at_ns.saturating_sub(row.traded_ns) > self.reference_ns);
            }
        }
        self.tell_stale(stale, known, out);
    }

    fn tell_stale(&mut self, stale: u64, known: u64, out: &mut Vec<Fact>) {
        let share_bp = (stale * 10_000).checked_div(known).unwrap_or(0) as i64;
        if share_bp == self.stale_bp {
            return;
        }
        self.stale_bp = share_bp;
        out.push(Fact::Level {
            metric: Metric::StaleReferences,
            subject: Subject::engine("references"),
            value: share_bp,
            at_least: None,
            text: format!("last prices of {stale} of {known} instruments are too old to be a reference"),
        });
    }
}

/// The row of an instrument, made where there is none yet.
fn row(rows: &mut Vec<Instrument>, id: InstrumentId) -> Option<&mut Instrument> {
    let at = id.index();
    if at >= rows.len() {
        if at >= INSTRUMENTS_MAX {
            return None;
        }
        rows.resize(at + 1, Instrument::default());
    }
    rows.get_mut(at)
}

/// An instrument's session; a halt is none.
fn phase_of(sessions: &Sessions, row: &Instrument, at_ns: UnixNanos) -> Phase {
    if row.halted {
        return Phase::Closed {
            opens_ns: UnixNanos::MAX,
        };
    }
    sessions.phase(row.calendar, at_ns)
}

/// Open where one of two is; else the earlier opening.
fn either(a: Phase, b: Phase) -> Phase {
    match (a, b) {
        (
            Phase::Open {
                since_ns: a,
                until_ns: x,
            },
            Phase::Open {
                since_ns: b,
                until_ns: y,
            },
        ) => Phase::Open {
            since_ns: a.min(b),
            until_ns: x.max(y),
        },
        (open @ Phase::Open { .. }, _) | (_, open @ Phase::Open { .. }) => open,
        (Phase::Closed { opens_ns: a }, Phase::Closed { opens_ns: b }) => {
            Phase::Closed { opens_ns: a.min(b) }
        }
    }
}

struct Change {
    /// Silence to tell; 0 where it is over.
    tell_ns: Option<u64>,
    /// When to look again.
    next_ns: UnixNanos,
}

/// One source of data at an instant.
fn step(phase: Phase, heard_ns: UnixNanos, limit_ns: u64, silent: &mut bool, at_ns: UnixNanos) -> Change {
    let (tell_ns, next_ns) = match phase {
        Phase::Closed { opens_ns } => {
            let was_silent = std::mem::take(silent);
            (
                was_silent.then_some(0),
                opens_ns.saturating_add(limit_ns).saturating_add(1),
            )
        }
        Phase::Open { until_ns, .. } if *silent => (None, until_ns),
        Phase::Open { since_ns, until_ns } => {
            let from_ns = heard_ns.max(since_ns);
            let due_ns = from_ns.saturating_add(limit_ns).saturating_add(1);
            if due_ns <= at_ns {
                *silent = true;
                (Some(at_ns - from_ns), until_ns)
            } else {
                (None, due_ns)
            }
        }
    };
    Change { tell_ns, next_ns }
}

fn venue_fact(venue: u16, silent_ns: u64) -> Fact {
    silence(
        Metric::FeedSilent,
        Subject::engine(&format!("venue {venue}")),
        silent_ns,
    )
}

fn instrument_fact(names: &Names, instrument: InstrumentId, silent_ns: u64) -> Fact {
    let subject = Subject {
        instrument: names.instrument(instrument),
        ..Subject::engine("market data")
    };
    silence(Metric::InstrumentSilent, subject, silent_ns)
}

fn silence(metric: Metric, subject: Subject, silent_ns: u64) -> Fact {
    let text = match silent_ns {
        0 => "market data comes again, or its session is over".into(),
        ns => format!("no market data for {} ms in the session", ns / 1_000_000),
    };
    Fact::Level {
        metric,
        subject,
        value: i64::try_from(silent_ns).unwrap_or(i64::MAX),
        at_least: None,
        text,
    }
}
