//! Breaks of reconciliation: each is told when it is found, anew with each day of its age, and when it is gone or closed.
//!
//! The figure is the age in days, so that rules make an old break worse; how bad it is from the start follows from what it is.

use super::names::Names;
use crate::fact::{Fact, Metric, Subject};
use crate::severity::Severity;
use std::sync::Arc;
use tradewind_domain::codes::{BreakSeverity, ReconSubject};
use tradewind_domain::event::{Event, Kind, ReconAction, ReconEnd, ReconFinding};
use tradewind_domain::fixed::Money;
use tradewind_domain::time::UnixNanos;
use tradewind_views::recon::{BreakState, ReconBook, ReconBreak};

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recon {
    book: Arc<ReconBook>,
    /// When a break becomes a day older.
    due_ns: UnixNanos,
    /// Until when ages were told.
    told_ns: UnixNanos,
}

impl Recon {
    pub(super) fn new() -> Self {
        Self {
            book: Arc::default(),
            due_ns: UnixNanos::MAX,
            told_ns: 0,
        }
    }

    pub(super) fn next_due_ns(&self) -> UnixNanos {
        self.due_ns
    }

    /// Takes a record that reconciliation may be concerned with.
    pub(super) fn on_record(&mut self, event: &Event, kind: Kind, names: &Names, out: &mut Vec<Fact>) {
        let at_ns = event.head.recv_ns;
        Arc::make_mut(&mut self.book).observe(event);
        match kind {
            Kind::ReconFinding => {
                if let Some(line) = self.book.line_of(event.body::<ReconFinding>()) {
                    self.due_ns = self.due_ns.min(next_day_ns(line, at_ns));
                    tell(line, at_ns, names, out);
                }
            }
            Kind::ReconEnd => {
                let account = event.body::<ReconEnd>().account_code;
                let gone = self.book.lines().filter(|line| line.state == BreakState::Gone);
                gone.filter(|line| line.last.account_code == account)
                    .for_each(|line| tell(line, at_ns, names, out));
            }
            Kind::ReconAction => {
                if let Some(line) = self.book.line(event.body::<ReconAction>().break_seq) {
                    tell(line, at_ns, names, out);
                }
            }
            _ => {}
        }
    }

    pub(super) fn run_due(&mut self, at_ns: UnixNanos, names: &Names, out: &mut Vec<Fact>) {
        if self.due_ns > at_ns {
            return;
        }
        let open = || self.book.lines().filter(|line| line.state == BreakState::Open);
        for line in open().filter(|line| line.age_days(at_ns) > line.age_days(self.told_ns)) {
            tell(line, at_ns, names, out);
        }
        let next = open().map(|line| next_day_ns(line, at_ns)).min();
        (self.told_ns, self.due_ns) = (at_ns, next.unwrap_or(UnixNanos::MAX));
    }
}

/// When it becomes a day older.
fn next_day_ns(line: &ReconBreak, now_ns: UnixNanos) -> UnixNanos {
    line.is_days_old_at(line.age_days(now_ns) + 1)
}

fn tell(line: &ReconBreak, at_ns: UnixNanos, names: &Names, out: &mut Vec<Fact>) {
    let is_open = line.state == BreakState::Open;
    let is_there = is_open || line.state == BreakState::Explained;
    let age = if is_open { line.age_days(at_ns) } else { 0 };
    out.push(Fact::Level {
        metric: Metric::ReconBreak,
        subject: subject(line, names),
        value: i64::try_from(age).unwrap_or(i64::MAX),
        at_least: is_there.then(|| severity(line.status.severity())),
        text: text(line, age),
    });
}

fn subject(line: &ReconBreak, names: &Names) -> Subject {
    let (last, account) = (&line.last, line.last.account_code);
    Subject {
        scope: match line.subject {
            ReconSubject::Trade => format!("{account}/{}", last.identifier).into(),
            ReconSubject::Position | ReconSubject::Cash => account.as_str().into(),
        },
        instrument: last.item.as_str().into(),
        chain: names.chain(last.node),
    }
}

fn text(line: &ReconBreak, age: u64) -> String {
    let (id, status, item) = (line.id, line.status, line.last.item);
    let state = match line.state {
        BreakState::Open | BreakState::Explained => {
            let figure = |raw: i128| Money::from_raw(raw);
            let (ours, theirs) = (figure(line.last.ours), figure(line.last.theirs));
            let traded = match line.last.traded == line.last.ours {
                true => String::new(),
                false => format!(" ({} traded)", figure(line.last.traded)),
            };
            format!("ours {ours}{traded}, theirs {theirs}, for {age} days")
        }
        BreakState::Gone => "is there no more; its code is missing".to_owned(),
        BreakState::Resolved => {
            let code = line.resolution.map_or("", |code| code.text());
            format!("closed with {code}")
        }
    };
    format!("break {id}, {item} {status}: {state}")
}

fn severity(of: BreakSeverity) -> Severity {
    match of {
        BreakSeverity::Info => Severity::Info,
        BreakSeverity::Warning => Severity::Warning,
        BreakSeverity::Error => Severity::Error,
        BreakSeverity::Critical => Severity::Critical,
    }
}
