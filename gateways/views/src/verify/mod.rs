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
//! Not here: the stores that other processes keep of the journal.

mod books;
mod decided;
mod difference;
mod fills;
mod held;
mod repeat;

use crate::error::ViewError;
use crate::reader::Reader;
use crate::replica::Replica;
use books::PlainBooks;
use decided::Decided;
use fills::Fills;
use held::Held;
use repeat::Repeat;
use serde::Serialize;
use std::path::Path;
use tradewind_domain::event::{Capacities, Event};
use tradewind_domain::ids::Seq;
use tradewind_machine::journal::JournalError;
use tradewind_machine::stage::Stage;

pub use repeat::without_facts;

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What holds if it is ok.
    pub name: &'static str,
    /// True where it holds.
    pub ok: bool,
    /// What was counted.
    pub figure: String,
    /// The first thing that is wrong, or what could not be checked.
    pub detail: Option<String>,
}

impl Check {
    /// A check that holds where there is no finding.
    pub(crate) fn of(name: &'static str, figure: String, finding: Option<String>) -> Self {
        Self {
            name,
            ok: finding.is_none(),
            figure,
            detail: finding,
        }
    }
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
        "{} records in {} segments, {} seals, {} bytes",
        found.records, found.segments, found.seals, found.bytes
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
        self.repeat.see(event);
    }

    fn stop(&mut self, why: String) {
        self.stopped.get_or_insert(why);
    }

    /// All checks but that of the files.
    pub fn finish(mut self) -> VerifyReport {
        let (records, last) = (self.replica.records(), self.replica.last());
        let (limit, settle, positions) = (
            self.replica.limit_check(),
            self.replica.settle(),
            self.replica.positions(),
        );
        let figure = format!("{records} records, to sequence {}", last.seq);
        let mut checks = vec![Check::of(
            "the sequence has no gap and no contradiction",
            figure,
            self.stopped,
        )];
        checks.push(self.books.sums());
        checks.push(self.books.compare(settle));
        checks.push(self.decided.compare(limit, settle));
        checks.push(self.fills.compare(limit, settle, positions));
        checks.push(self.held.compare(limit));
        checks.push(self.repeat.finish(&self.replica));
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
}

fn rows(counted: &[(&str, u64)]) -> Check {
    let total: u64 = counted.iter().map(|(_, count)| count).sum();
    let first = counted.iter().find(|(_, count)| *count != 0);
    let finding = first.map(|(stage, count)| format!("{stage} met {count}"));
    Check::of(
        "every fact has its row",
        format!("{total} facts without a row"),
        finding,
    )
}
