//! Why an engine does not start or go on.

use std::path::{Path, PathBuf};
use tradewind_machine::journal::JournalError;
use tradewind_machine::pipeline::PipelineError;
use tradewind_machine::replay::ReplayError;
use tradewind_machine::topology::TopologyError;

/// Why an engine does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The journal.
    #[error("the journal cannot be used")]
    Journal(#[from] JournalError),
    /// The threads.
    #[error("the pipeline failed")]
    Pipeline(#[from] PipelineError),
    /// A run that could not be ended in good order.
    #[error(
        "the journal in {} has no room left: the run was ended without its last record, and what was not journaled was not accepted; free space before the next start",
        path.display()
    )]
    NoSpaceToStop {
        /// The data folder.
        path: PathBuf,
    },
    /// Records that are no sequence.
    #[error("the journal cannot be replayed")]
    Replay(#[from] ReplayError),
    /// The topology's text.
    #[error("engine.topology")]
    Topology(#[from] TopologyError),
    /// The reference data.
    #[error("the reference data cannot be used:\n{0}")]
    Reference(#[from] tradewind_config::ConfigError),
    /// A rules file that cannot be read.
    #[error("the rules file {} cannot be read", path.display())]
    RulesFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A rules file that is wrong.
    #[error("the rules are wrong:\n{}", places(path, errors))]
    Rules {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        errors: tradewind_rules::RuleErrors,
    },
    /// Rules that are too large.
    #[error("the rules in {} are too large", path.display())]
    RulesSize {
        /// The file.
        path: PathBuf,
        /// How large.
        source: tradewind_rules::DocumentError,
    },
    /// The clock.
    #[error("no clock could be read")]
    Clock(#[source] std::io::Error),
    /// A record of a kind that this build does not know.
    #[error(
        "record {seq}/{part} is of kind {kind}, which this build does not know: the journal was written by a newer one"
    )]
    UnknownKind {
        /// Its number.
        seq: u64,
        /// Its part.
        part: u32,
        /// Its kind's number.
        kind: u16,
    },
    /// Tables that are too small for the journal.
    #[error("the journal was written with larger tables than are configured now ({hint})")]
    TooSmall {
        /// Which capacities were larger.
        hint: String,
    },
    /// Records that do not go with those before them.
    #[error("facts that name a row which no record before made: {count}; run `tradewind journal verify`")]
    Contradiction {
        /// How many.
        count: u64,
    },
    /// Tables and window do not fit.
    #[error("there is too little memory")]
    Memory(#[from] crate::memory::TooLittle),
    /// The oldest segments are gone, and there is no snapshot to begin from.
    #[error("the journal begins at {oldest}: the segments before it are missing, and a start needs them all")]
    BeginsLate {
        /// Its oldest position.
        oldest: tradewind_machine::journal::Position,
    },
    /// Two clock modes.
    #[error("the journal in {} runs on {journal} time, engine.clock says {configured}: a journal has one clock for its whole life", path.display())]
    ClockMode {
        /// The data folder.
        path: PathBuf,
        /// What the journal has.
        journal: &'static str,
        /// What is configured.
        configured: &'static str,
    },
    /// Another shard.
    #[error("the journal belongs to shard {journal}, engine.shard says {configured}")]
    Shard {
        /// What the journal has.
        journal: u16,
        /// What is configured.
        configured: u16,
    },
    /// The pipeline ended while something was to be handed to it.
    #[error("the pipeline ended while {0}")]
    Ended(&'static str),
}

/// What is wrong with rules, as compilers write it, so that an editor finds the place: a line `FILE:LINE:COLUMN: problem` each.
pub(crate) fn places(path: &Path, errors: &tradewind_rules::RuleErrors) -> String {
    let line = |error: &tradewind_rules::RuleError| {
        let (file, line, column) = (path.display(), error.line, error.column);
        format!("{file}:{line}:{column}: {}", error.problem)
    };
    errors.0.iter().map(line).collect::<Vec<_>>().join("\n")
}
