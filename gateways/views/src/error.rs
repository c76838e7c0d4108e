//! Why a view cannot be made.

use tradewind_domain::ids::Seq;
use tradewind_machine::journal::{JournalError, Position};

/// A fault of the journal that was to be read.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The journal cannot be read.
    #[error("the journal could not be read")]
    Journal(#[from] JournalError),
    /// A record that this build does not know.
    #[error(
        "record {seq} at {position} has kind {kind}, which this build does not know: use the build that wrote it"
    )]
    UnknownRecord {
        /// Number of the record.
        seq: Seq,
        /// Its kind.
        kind: u16,
        /// Where it stands.
        position: Position,
    },
    /// The oldest records are gone, and there is no snapshot to begin from.
    #[error("the journal begins at sequence {seq}: what was before is missing, and state needs it all")]
    BeginsLate {
        /// Number of the oldest record.
        seq: Seq,
    },
    /// The first record is not the start of an engine.
    #[error("the journal begins with {kind} instead of the start of an engine")]
    NoStart {
        /// Kind of the first record.
        kind: String,
    },
    /// A record that does not follow the one before it.
    #[error("record {seq}/{part} does not follow {last_seq}/{last_part}")]
    OutOfSequence {
        /// Number of the record.
        seq: Seq,
        /// Its part.
        part: u32,
        /// Number of the record before.
        last_seq: Seq,
        /// Its part.
        last_part: u32,
    },
    /// A record whose facts contradict those before it.
    #[error("record {seq}/{part} contradicts the records before it: {what}")]
    Contradiction {
        /// Number of the record.
        seq: Seq,
        /// Its part.
        part: u32,
        /// What does not fit.
        what: &'static str,
    },
}
