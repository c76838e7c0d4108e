//! Verify: does a journal agree with itself, and would this build have decided alike?
//!
//! Each check counts something twice, on two ways that share as little code as they can: plain maps fed from the records
//! against the tables of the stages, and decisions made anew against those recorded. A check gives its figure, and names the
//! first record or row that differs.
//!
//! # Invariants
//! - Works from the journal alone, takes no lock, changes nothing.
//! - Reading stops at the first record that cannot be read or does not follow; the figures are those up to there, and the
//!   check that saw it fails.
//!
//! The invariants I1 to I12 of the books each have their check, which names them; one that has nothing to be about says so.
//!
//! Not here: the stores that other processes keep of the journal.

mod books;
mod counters;
mod cycles;
mod decided;
mod difference;
mod fills;
mod held;
mod keys;
mod repeat;
mod shadow;
mod suspense;

use crate::error::ViewError;
use crate::reader::Reader;
use crate::replica::Replica;
use books::PlainBooks;
use counters::Counters;
use cycles::Cycles;
use decided::Decided;
use fills::Fills;
use held::Held;
use keys::Keys;
use repeat::Repeat;
use serde::Serialize;
use std::path::Path;
use suspense::Suspense;
use tradewind_domain::event::{Capacities, Event};
use tradewind_domain::ids::Seq;
use tradewind_machine::journal::JournalError;
use tradewind_machine::stage::Stage;

pub use repeat::without_facts;
pub use shadow::Shadow;

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The invariants of the books that it shows, as `I1` to `I12`; empty for what a journal needs beside them.
    pub invariants: &'static str,
    /// What holds if it is ok.
    pub name: &'static str,
    /// True where it holds, and where there is nothing that it could be about.
    pub ok: bool,
    /// False where this version has nothing that it could be about: that is no proof of it.
    pub applies: bool,
    /// What was counted.
    pub figure: String,
    /// The first thing that is wrong, or what could not be checked.
    pub detail: Option<String>,
}

impl Check {
    /// A check that holds where there is no finding.
    pub(crate) fn of(name: &'static str, figure: String, finding: Option<String>) -> Self {
        Self {
            invariants: "",
            name,
            ok: finding.is_none(),
            applies: true,
            figure,
            detail: finding,
        }
    }

    /// The same, as a proof of these invariants.
    const fn shows(mut self, invariants: &'static str) -> Self {
        self.invariants = invariants;
        self
    }

    /// An invariant that there is nothing to hold to yet.
    fn not_applicable(invariants: &'static str, name: &'static str, why: &str) -> Self {
        Self {
            applies: false,
            detail: Some(why.to_owned()),
            ..Self::of(name, "nothing to check".to_owned(), None).shows(invariants)
        }
    }
}

/// A number of things: 1 segment, 2 segments.
fn number_of(count: impl std::fmt::Display, thing: &str) -> String {
    let count = count.to_string();
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// What an audit found.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// All checks, in a fixed order.
    pub checks: Vec<Check>,
    /// Records that were read.
    pub records: u64,
    /// Number of the last input.
    pub last_seq: Seq,
}

impl VerifyReport {
    /// True where every check holds.
    pub fn is_ok(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }
}

/// Audits the journal of a data folder. An error means that there is nothing to audit; what is wrong with a journal that can be
/// opened stands in the report.
pub fn verify(data_dir: &Path) -> Result<VerifyReport, ViewError> {
    let structure = structure(data_dir)?;
    let mut reader = match Reader::open(data_dir) {
        Ok(reader) => reader,
        // Corruption stands in the structure's check; nothing else can be said then.
        Err(ViewError::Journal(JournalError::Corrupt { .. })) => {
            return Ok(VerifyReport {
                checks: vec![structure],
                records: 0,
                last_seq: 0,
            });
        }
        Err(error) => return Err(error),
    };
    let mut auditor = Auditor::new(reader.capacities(), reader.hash_key());
    let mut event = Event::empty();
    loop {
        match reader.next_into(&mut event) {
            Ok(Some(_)) => auditor.see(&event),
            Ok(None) => break,
            Err(error) => {
                auditor.stop(error.to_string());
                break;
            }
        }
    }
    let mut report = auditor.finish();
    report.checks.insert(0, structure);
    Ok(report)
}

fn structure(data_dir: &Path) -> Result<Check, ViewError> {
    let found = tradewind_machine::journal::verify(data_dir)?;
    let figure = format!(
        "{} in {}, {}, {}",
        number_of(found.records, "record"),
        number_of(found.segments, "segment"),
        number_of(found.seals, "seal"),
        number_of(found.bytes, "byte")
    );
    let first = found.problems.first();
    let finding = first.map(|problem| {
        format!(
            "{}: {} ({} in all)",
            problem.position,
            problem.text,
            found.problems.len()
        )
    });
    Ok(Check::of("checksums and seals are good", figure, finding))
}

/// Checks records one after another, wherever they come from.
pub struct Auditor {
    replica: Replica,
    books: PlainBooks,
    decided: Decided,
    fills: Fills,
    held: Held,
    cycles: Cycles,
    keys: Keys,
    suspense: Suspense,
    counters: Counters,
    repeat: Repeat,
    stopped: Option<String>,
}

impl Auditor {
    /// With room for these capacities: at least those of every run in the records.
    pub fn new(capacities: &Capacities, hash_key: &[u8; 16]) -> Self {
        Self {
            replica: Replica::new(capacities, hash_key),
            books: PlainBooks::default(),
            decided: Decided::default(),
            fills: Fills::default(),
            held: Held::default(),
            cycles: Cycles::default(),
            keys: Keys::default(),
            suspense: Suspense::default(),
            counters: Counters::default(),
            repeat: Repeat::new(capacities, hash_key),
            stopped: None,
        }
    }

    /// Takes the next record. After one that does not follow nothing more is taken.
    pub fn see(&mut self, event: &Event) {
        if self.stopped.is_some() {
            return;
        }
        if let Err(error) = self.replica.apply(event) {
            return self.stop(error.to_string());
        }
        self.books.see(event);
        self.decided.see(event);
        self.fills.see(event);
        self.held.see(event);
        self.cycles.see(event);
        self.keys.see(event);
        self.suspense.see(event);
        self.counters.see(event);
        self.repeat.see(event);
    }

    fn stop(&mut self, why: String) {
        self.stopped.get_or_insert(why);
    }

    /// True within a group of records: what belongs together has not all been seen.
    pub fn is_open(&self) -> bool {
        self.replica.is_open()
    }

    /// Records seen.
    pub fn records(&self) -> u64 {
        self.replica.records()
    }

    /// All checks but that of the files, as of the last record.
    pub fn finish(mut self) -> VerifyReport {
        self.report()
    }

    /// All checks but that of the files, as of the last record; more records may follow.
    pub fn report(&mut self) -> VerifyReport {
        let (records, last) = (self.replica.records(), self.replica.last());
        let figure = format!("{}, to sequence {}", number_of(records, "record"), last.seq);
        let mut checks = vec![Check::of(
            "the sequence has no gap and no contradiction",
            figure,
            self.stopped.clone(),
        )];
        checks.extend(self.invariants());
        let (limit, settle, positions) = (
            self.replica.limit_check(),
            self.replica.settle(),
            self.replica.positions(),
        );
        checks.push(self.books.compare(settle));
        let counted = [
            ("limit check", limit.faults()),
            ("settle", settle.unposted()),
            ("position", positions.unplaced()),
        ];
        checks.push(rows(&counted));
        VerifyReport {
            checks,
            records,
            last_seq: last.seq,
        }
    }

    /// The invariants of the books, in their order.
    fn invariants(&mut self) -> Vec<Check> {
        let (limit, settle, positions) = (
            self.replica.limit_check(),
            self.replica.settle(),
            self.replica.positions(),
        );
        let mut checks = vec![
            self.books.sums().shows("I1"),
            self.books.signs().shows("I2"),
            self.fills.compare(limit, settle, positions).shows("I3"),
            self.held.compare(limit).shows("I4"),
            self.cycles.compare(positions).shows("I5"),
            self.fills.money(positions).shows("I6"),
            self.decided.compare(limit, settle).shows("I7"),
            self.decided
                .by_date(limit, self.replica.settle(), !self.replica.is_open())
                .shows("I8"),
            self.keys.compare(self.held.overfilled()).shows("I9"),
            self.suspense.compare(settle),
        ];
        let counters = self.counters.compare(limit).shows("I12");
        checks.push(self.repeat.finish(&self.replica).shows("I11"));
        checks.push(counters);
        checks
    }
}

fn rows(counted: &[(&str, u64)]) -> Check {
    let total: u64 = counted.iter().map(|(_, count)| count).sum();
    let first = counted.iter().find(|(_, count)| *count != 0);
    let finding = first.map(|(stage, count)| format!("{stage} met {count}"));
    Check::of(
        "every fact has its row",
        format!("{} without a row", number_of(total, "fact")),
        finding,
    )
}
