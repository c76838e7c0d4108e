//! All breaks and runs, kept up to date record by record.

use super::item::{BreakNote, BreakState, ReconBreak, RunLine};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use tradewind_domain::codes::{ControlState, ReconResolution, ReconStatus, ReconSubject, ReconVerb};
use tradewind_domain::event::{Control, Event, Kind, ReconAction, ReconEnd, ReconFinding, ReconRun};
use tradewind_domain::ids::{InstrumentId, Seq};
use tradewind_domain::time::UnixNanos;

/// Lines that are held at most, closed ones included.
const LINES_MAX: usize = 65_536;

type Key = [u8; 16];

/// What a record made of a line.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// It is there, and it is so.
    Is(&'a ReconBreak),
    /// It is held no more: it explained itself and was not found again, or it was closed long ago and another one needed its room.
    Left(&'a ReconBreak),
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReconBook {
    lines: BTreeMap<Seq, ReconBreak>,
    by_key: HashMap<Key, Seq>,
    /// Closed ones in the order in which they were closed, with when that was; some may have opened again.
    closed: VecDeque<(Seq, UnixNanos)>,
    runs: VecDeque<RunLine>,
    /// Findings that found no room.
    dropped: u64,
    /// The last control of each instrument that ever had one, and the state after it.
    controls: HashMap<InstrumentId, (Seq, u8)>,
    /// Controls that were set because of a line.
    restrictions: HashSet<Seq>,
}

impl ReconBook {
    /// Runs that are held.
    pub const RUNS_MAX: usize = 1_024;

    /// The book as of some record, from the lines and the newest runs that it held then. Controls of instruments are not known to it.
    pub fn restore(
        lines: impl IntoIterator<Item = ReconBreak>,
        runs: impl IntoIterator<Item = RunLine>,
    ) -> Self {
        let mut book = Self::default();
        for line in lines {
            book.lines.insert(line.id, line);
        }
        let mut closed = Vec::new();
        for (id, line) in &book.lines {
            book.by_key.insert(line.last.key, *id); // of lines with one key the newest counts
            if line.state == BreakState::Resolved {
                closed.push((line.resolved_ns, *id));
            }
        }
        closed.sort_unstable();
        book.closed = closed.into_iter().map(|(at_ns, id)| (id, at_ns)).collect();
        let mut runs: Vec<_> = runs.into_iter().collect();
        runs.sort_unstable_by_key(|run| run.id);
        runs.into_iter().for_each(|run| book.on_run(run));
        book
    }

    /// Takes a record of the journal. True where a line may be another one now.
    pub fn observe(&mut self, event: &Event) -> bool {
        self.observe_each(event, &mut |_| ())
    }

    /// Takes a record of the journal, and tells each line that is another one behind it. True where a line may be another one now, be
    /// it only by what controls say of its instrument.
    pub fn observe_each(&mut self, event: &Event, told: &mut dyn FnMut(Told<'_>)) -> bool {
        let Some(kind) = event.kind().filter(|_| !event.is_rejected()) else {
            return false;
        };
        let (seq, at_ns) = (event.head.seq, event.head.recv_ns);
        match kind {
            Kind::ReconRun => self.on_run(RunLine::new(seq, at_ns, event.body::<ReconRun>())),
            Kind::ReconFinding => self.on_finding(seq, at_ns, event.body(), told),
            Kind::ReconEnd => self.on_end(event.body(), told),
            Kind::ReconAction => self.on_action(seq, at_ns, event, told),
            Kind::StateSet | Kind::Kill | Kind::Rearm | Kind::StateChanged => {
                return self.on_control(seq, event.body());
            }
            _ => return false,
        }
        true
    }

    fn on_control(&mut self, seq: Seq, body: &Control) -> bool {
        if body.instrument.is_none() {
            return false;
        }
        let before = self.controls.insert(body.instrument, (seq, body.state_after));
        before.is_some_and(|(before, _)| self.restrictions.contains(&before))
    }

    fn on_run(&mut self, run: RunLine) {
        if self.runs.len() == Self::RUNS_MAX {
            self.runs.pop_front();
        }
        self.runs.push_back(run);
    }

    fn on_finding(
        &mut self,
        seq: Seq,
        at_ns: UnixNanos,
        body: &ReconFinding,
        told: &mut dyn FnMut(Told<'_>),
    ) {
        let codes = (
            ReconStatus::from_code(body.status),
            ReconSubject::from_code(body.subject),
        );
        let (Some(status), Some(subject)) = codes else {
            return;
        };
        if body.restricted_by != 0 {
            self.restrictions.insert(body.restricted_by);
        }
        let known = self.by_key.get(&body.key).copied();
        if let Some(line) = known.and_then(|id| self.lines.get_mut(&id)) {
            let is_same = match line.state {
                BreakState::Explained => status.is_explained(),
                BreakState::Open | BreakState::Gone => true,
                BreakState::Resolved => !line.is_over && !status.is_explained(),
            };
            if is_same {
                line.again(at_ns, body, status);
                return told(Told::Is(line));
            }
            if line.state == BreakState::Explained {
                let id = line.id;
                if let Some(line) = self.lines.remove(&id) {
                    told(Told::Left(&line));
                }
            }
        }
        if self.lines.len() >= LINES_MAX && !self.make_room(told) {
            self.dropped += 1;
            return;
        }
        let line = ReconBreak::new(seq, at_ns, body, status, subject);
        told(Told::Is(&line));
        self.lines.insert(seq, line);
        self.by_key.insert(body.key, seq);
    }

    /// Forgets the break that was closed longest ago. False where none is closed.
    fn make_room(&mut self, told: &mut dyn FnMut(Told<'_>)) -> bool {
        while let Some((id, at_ns)) = self.closed.pop_front() {
            let is_closed =
                |line: &&ReconBreak| line.state == BreakState::Resolved && line.resolved_ns == at_ns;
            if self.lines.get(&id).filter(is_closed).is_none() {
                continue;
            }
            if let Some(line) = self.lines.remove(&id) {
                if self.by_key.get(&line.last.key) == Some(&id) {
                    self.by_key.remove(&line.last.key);
                }
                told(Told::Left(&line));
            }
            return true;
        }
        false
    }

    fn on_end(&mut self, end: &ReconEnd, told: &mut dyn FnMut(Told<'_>)) {
        let Some(run) = self.runs.iter_mut().rev().find(|run| run.id == end.run) else {
            return;
        };
        run.ended = run.ended.saturating_add(1);
        run.matched += u64::from(end.matched);
        run.explained += u64::from(end.explained);
        run.breaks += u64::from(end.breaks);
        let by_key = &mut self.by_key;
        let run = &*run;
        self.lines.retain(|id, line| {
            if line.last.run >= run.id || !line.is_covered(end, run) {
                return true;
            }
            match line.state {
                BreakState::Explained => {
                    if by_key.get(&line.last.key) == Some(id) {
                        by_key.remove(&line.last.key);
                    }
                    told(Told::Left(line));
                    return false;
                }
                BreakState::Open => line.state = BreakState::Gone,
                BreakState::Resolved if !line.is_over => line.is_over = true,
                BreakState::Resolved | BreakState::Gone => return true,
            }
            told(Told::Is(line));
            true
        });
    }

    fn on_action(&mut self, seq: Seq, at_ns: UnixNanos, event: &Event, told: &mut dyn FnMut(Told<'_>)) {
        let body: &ReconAction = event.body();
        let (Some(line), Some(verb)) = (
            self.lines.get_mut(&body.break_seq),
            ReconVerb::from_code(body.verb),
        ) else {
            return;
        };
        match verb {
            ReconVerb::Assign => line.assignee = body.assignee,
            ReconVerb::Comment => {}
            ReconVerb::Resolve => {
                let Some(resolution) =
                    ReconResolution::from_code(body.resolution).filter(|_| line.state.waits())
                else {
                    return;
                };
                line.is_over = line.state == BreakState::Gone;
                line.state = BreakState::Resolved;
                (line.resolution, line.resolved_ns) = (Some(resolution), at_ns);
                self.closed.push_back((line.id, at_ns));
            }
        }
        line.note(BreakNote {
            seq,
            at_ns,
            author: body.author,
            verb,
            text: String::from_utf8_lossy(event.tail()).into_owned(),
        });
        told(Told::Is(line));
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &ReconBreak> + '_ {
        self.lines.values()
    }

    /// A line by the number of the record that opened it.
    pub fn line(&self, id: Seq) -> Option<&ReconBreak> {
        self.lines.get(&id)
    }

    /// The line that a finding tells.
    pub fn line_of(&self, finding: &ReconFinding) -> Option<&ReconBreak> {
        self.line(*self.by_key.get(&finding.key)?)
    }

    /// Runs, newest first.
    pub fn runs(&self) -> impl Iterator<Item = &RunLine> + '_ {
        self.runs.iter().rev()
    }

    /// A run by its number.
    pub fn run(&self, id: Seq) -> Option<&RunLine> {
        self.runs().find(|run| run.id == id)
    }

    /// Findings that found no room: they stand in the journal alone.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The control that restricts an instrument because of a line, as long as nothing else was said of the instrument since.
    pub fn restriction(&self, instrument: InstrumentId) -> Option<Seq> {
        let (control, _) = *self.controls.get(&instrument)?;
        self.restrictions.contains(&control).then_some(control)
    }

    /// True where an instrument trades freely, as far as its own controls go.
    pub fn is_free(&self, instrument: InstrumentId) -> bool {
        let control = self.controls.get(&instrument);
        control.is_none_or(|(_, state)| *state == ControlState::Active as u8)
    }

    /// True where a line that waits for its code restricts its instrument by this control.
    pub fn is_held(&self, control: Seq) -> bool {
        self.lines()
            .any(|line| line.state.waits() && line.last.restricted_by == control)
    }
}
