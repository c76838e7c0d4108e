//! Vector files against the engine: cases with expected results, played through the pipeline that `run` builds.
//!
//! A family plays its cases: it turns setup and steps into events, sends them through the real stages, and reads its answers from
//! the records of the journal. Rules that are pure functions (analytics, reconciliation) are called as their users call them. A
//! family or topic that this version does not play is skipped, never passed.
//!
//! # Invariants
//! - Nothing is read from a stage's memory: an answer stands in a record, or there is none.
//! - Each case has an engine of its own, or none; cases do not know each other.
//!
//! Not here: what the files should say. The schema is theirs (`README.md` beside them).

mod analytics;
mod compare;
mod decimals;
mod desk;
mod file;
mod known;
mod ledger;
mod limits;
mod positions;
mod recon;
mod report;

pub use compare::Difference;
pub use file::{FileError, RawCase, VectorFile};
pub use report::{CaseReport, FileReport, Outcome, Played, Problem, StepReport, Totals};

use std::path::Path;

/// Rules that files are about. A family whose topics are played in different ways has an entry for each way.
struct Family {
    name: &'static str,
    /// True for topics that are played; the others are skipped.
    plays: fn(topic: &str) -> bool,
    play: fn(case: &RawCase) -> Played,
}

/// The families that are played.
const FAMILIES: &[Family] = &[
    Family {
        name: "limits",
        plays: |_| true,
        play: limits::play,
    },
    Family {
        name: "positions",
        plays: |_| true,
        play: positions::play,
    },
    Family {
        name: "ledger",
        plays: |topic| topic == "recon",
        play: recon::play,
    },
    Family {
        name: "ledger",
        plays: ledger::plays,
        play: ledger::play,
    },
    Family {
        name: "analytics",
        plays: analytics::plays,
        play: analytics::play,
    },
];

/// What is to be played and reported.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only the case with this identifier.
    pub case: Option<String>,
    /// All steps of all cases in the report, not only those that differ.
    pub all_steps: bool,
}

/// Plays the cases of a file.
pub fn play_file(path: &Path, options: &Options) -> Result<FileReport, FileError> {
    let file = VectorFile::read(path)?;
    let mut report = FileReport {
        file: path.display().to_string(),
        family: file.family.clone(),
        totals: Totals::default(),
        cases: Vec::new(),
    };
    let is_asked = |case: &&RawCase| options.case.as_ref().is_none_or(|id| *id == case.id);
    for case in file.cases.iter().filter(is_asked) {
        let played = play_case(&file.family, case, options);
        report.totals.add(played.outcome);
        report.cases.push(played);
    }
    Ok(report)
}

fn play_case(family: &str, case: &RawCase, options: &Options) -> CaseReport {
    let report = |outcome, why: String, steps| CaseReport {
        id: case.id.clone(),
        topic: case.topic.clone(),
        title: case.title.clone(),
        outcome,
        why,
        steps,
    };
    let mut of_family = FAMILIES.iter().filter(|rules| rules.name == family).peekable();
    if of_family.peek().is_none() {
        return report(
            Outcome::Skipped,
            format!("family {family} is not played"),
            Vec::new(),
        );
    }
    let Some(rules) = of_family.find(|rules| (rules.plays)(&case.topic)) else {
        return report(
            Outcome::Skipped,
            format!("topic {} is not played", case.topic),
            Vec::new(),
        );
    };
    let Played { mut steps } = (rules.play)(case);
    let failed = steps.is_empty() || steps.iter().any(|step| !step.problems.is_empty());
    if !options.all_steps {
        steps.retain(|step| !step.problems.is_empty());
    }
    report(
        if failed { Outcome::Failed } else { Outcome::Passed },
        String::new(),
        steps,
    )
}
