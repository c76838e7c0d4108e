//! A break, and a run.

use tradewind_domain::codes::{BreakSeverity, ReconResolution, ReconStatus, ReconSubject, ReconVerb};
use tradewind_domain::event::{ReconEnd, ReconFinding, ReconRun, recon_covers};
use tradewind_domain::ids::Seq;
use tradewind_domain::text::Code;
use tradewind_domain::time::{DayNumber, UnixNanos};

const DAY_NS: u64 = 86_400_000_000_000;
/// Words of people that are kept with a break, the newest ones.
const NOTES_MAX: usize = 32;

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakState {
    /// It differs, and something explains it: nobody has to close it.
    Explained,
    /// It differs.
    Open,
    /// The last run that covers it has not found it any more; its code is missing.
    Gone,
    /// Closed with a code.
    Resolved,
}

impl BreakState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Explained, Self::Open, Self::Gone, Self::Resolved];

    /// The state of a name.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.text() == text)
    }

    /// The name in files and messages.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Explained => "EXPLAINED",
            Self::Open => "OPEN",
            Self::Gone => "GONE",
            Self::Resolved => "RESOLVED",
        }
    }

    /// True where a code is missing.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Open | Self::Gone)
    }
}

/// What somebody did to a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakNote {
    /// Number of the record.
    pub seq: Seq,
    /// When.
    pub at_ns: UnixNanos,
    /// Who.
    pub author: Code,
    /// What.
    pub verb: ReconVerb,
    /// In his words.
    pub text: String,
}

/// A line on which the sides are not alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconBreak {
    /// Number of the record that opened it.
    pub id: Seq,
    /// What the last run found.
    pub last: ReconFinding,
    /// What lies between the sides, by the last run.
    pub status: ReconStatus,
    /// What it is about.
    pub subject: ReconSubject,
    /// Where it stands.
    pub state: BreakState,
    /// When it was found first: its age counts from here.
    pub opened_ns: UnixNanos,
    /// When it was found last.
    pub seen_ns: UnixNanos,
    /// Runs that found it.
    pub found: u32,
    /// How often it was found again after it had been closed.
    pub reopened: u32,
    /// Who is to see to it; empty for nobody.
    pub assignee: Code,
    /// Why it is closed.
    pub resolution: Option<ReconResolution>,
    /// When it was closed; 0 while it is not.
    pub resolved_ns: UnixNanos,
    /// True where a run has covered it and not found it since it was closed: the line may break anew, as another break.
    pub is_over: bool,
    /// The newest words about it, oldest first.
    pub notes: Vec<BreakNote>,
}

impl ReconBreak {
    pub(super) fn new(
        id: Seq,
        at_ns: UnixNanos,
        body: &ReconFinding,
        status: ReconStatus,
        subject: ReconSubject,
    ) -> Self {
        Self {
            id,
            last: *body,
            status,
            subject,
            state: if status.is_explained() {
                BreakState::Explained
            } else {
                BreakState::Open
            },
            opened_ns: at_ns,
            seen_ns: at_ns,
            found: 1,
            reopened: 0,
            assignee: Code::EMPTY,
            resolution: None,
            resolved_ns: 0,
            is_over: false,
            notes: Vec::new(),
        }
    }

    /// Found once more.
    pub(super) fn again(&mut self, at_ns: UnixNanos, body: &ReconFinding, status: ReconStatus) {
        self.reopened += u32::from(self.state == BreakState::Resolved);
        self.state = match (self.state, status.is_explained()) {
            (BreakState::Explained, true) => BreakState::Explained,
            // What explains itself now has no code yet.
            (_, true) => BreakState::Gone,
            (_, false) => BreakState::Open,
        };
        (self.last, self.status, self.seen_ns) = (*body, status, at_ns);
        (self.resolution, self.resolved_ns) = (None, 0);
        self.found = self.found.saturating_add(1);
    }

    pub(super) fn note(&mut self, note: BreakNote) {
        if self.notes.len() == NOTES_MAX {
            self.notes.remove(0);
        }
        self.notes.push(note);
    }

    /// How bad it is: by what it is, and nothing once it is closed or gone.
    pub fn severity(&self) -> BreakSeverity {
        match self.state {
            BreakState::Open => self.status.severity(),
            _ => BreakSeverity::Info,
        }
    }

    /// Whole days since it was found first; of a closed one until it was closed.
    pub fn age_days(&self, now_ns: UnixNanos) -> u64 {
        let until_ns = match self.resolved_ns {
            0 => now_ns,
            resolved_ns => resolved_ns,
        };
        until_ns.saturating_sub(self.opened_ns) / DAY_NS
    }

    /// The instant at which its age becomes `days`.
    pub fn is_days_old_at(&self, days: u64) -> UnixNanos {
        self.opened_ns.saturating_add(days.saturating_mul(DAY_NS))
    }

    /// True where a run that ended so has compared this line.
    pub(super) fn is_covered(&self, end: &ReconEnd, run: &RunLine) -> bool {
        let bit = match self.subject {
            ReconSubject::Position => recon_covers::POSITIONS,
            ReconSubject::Cash => recon_covers::CASH,
            ReconSubject::Trade => recon_covers::TRADES,
        };
        let is_dated = self.subject != ReconSubject::Trade || run.covers_date(self.last.trade_date);
        end.account_code == self.last.account_code && end.covers & bit != 0 && is_dated
    }
}

/// A run: one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLine {
    /// Number of its record.
    pub id: Seq,
    /// When.
    pub at_ns: UnixNanos,
    /// What it was.
    pub run: ReconRun,
    /// Accounts that were compared to their end.
    pub ended: u32,
    /// Lines that are alike.
    pub matched: u64,
    /// Lines that explain themselves.
    pub explained: u64,
    /// Lines that break.
    pub breaks: u64,
}

impl RunLine {
    pub(super) fn new(id: Seq, at_ns: UnixNanos, run: &ReconRun) -> Self {
        Self {
            id,
            at_ns,
            run: *run,
            ended: 0,
            matched: 0,
            explained: 0,
            breaks: 0,
        }
    }

    /// True where every account was compared to its end.
    pub fn is_complete(&self) -> bool {
        self.ended >= self.run.accounts
    }

    /// True for a trade date that the run looked at; a trade without one only where it looked at all.
    fn covers_date(&self, date: DayNumber) -> bool {
        let (from, to) = (self.run.from, self.run.to);
        let is_unbounded = from == 0 && to == 0;
        is_unbounded || (date != 0 && date >= from && (to == 0 || date <= to))
    }
}
