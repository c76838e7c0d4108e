//! What can go wrong with a journal, said so that an operator knows what to do.

use super::format::Position;
use std::io;
use std::path::{Path, PathBuf};

/// A fault of the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// An operation on a file failed.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A setting that cannot work.
    #[error("journal setting refused: {0}")]
    Config(String),
    /// Another process writes this journal.
    #[error("journal {} is being written by {holder}; a journal has one writer", path.display())]
    Locked {
        /// The journal folder.
        path: PathBuf,
        /// The process that holds the lock, as far as known.
        holder: String,
    },
    /// A folder of the journal or of its window cannot be written.
    #[error("{} cannot be written (read-only file system or missing permission)", path.display())]
    ReadOnly {
        /// The folder, or the file in it.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file system does not keep its promises about syncing or locking.
    #[error(
        "{} is on {file_system}, which does not keep what it was told to sync or lock: put the data folder on a local disk file system (ext4, xfs, btrfs, zfs)",
        path.display()
    )]
    FileSystem {
        /// The folder.
        path: PathBuf,
        /// Name of the file system.
        file_system: &'static str,
    },
    /// The memory file system is too small for the window.
    #[error(
        "{} has {have_bytes} bytes free of {size_bytes} but the journal window needs {need_bytes}: enlarge it (docker run --shm-size=1g; mount -o remount,size=1g /dev/shm), or lower journal.window_bytes and journal.segment_bytes, or set journal.window_dir",
        path.display()
    )]
    WindowTooSmall {
        /// The window folder.
        path: PathBuf,
        /// Bytes of the window.
        need_bytes: u64,
        /// Bytes free.
        have_bytes: u64,
        /// Bytes of the file system.
        size_bytes: u64,
    },
    /// The disk has no room for the next segment.
    #[error("{} has {have_bytes} bytes free but the journal needs {need_bytes} for its segments", path.display())]
    NoSpace {
        /// The folder.
        path: PathBuf,
        /// Bytes needed.
        need_bytes: u64,
        /// Bytes free.
        have_bytes: u64,
    },
    /// There is no journal in this folder.
    #[error("{} holds no journal", path.display())]
    NoJournal {
        /// The folder.
        path: PathBuf,
    },
    /// The file has another format version.
    #[error("{} has journal format version {found}, this build reads version {known}: use the build that wrote it", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Version of the file.
        found: u32,
        /// Version of this build.
        known: u32,
    },
    /// The records have layouts that this build does not know.
    #[error("{} has records of schema {found:#018x}, which this build (schema {known:#018x}) does not know", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Schema of the file.
        found: u64,
        /// Schema of this build.
        known: u64,
    },
    /// A file of another journal, or of another shard, lies in the folder.
    #[error("{} belongs to another journal: {difference}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What differs.
        difference: &'static str,
    },
    /// A segment that must be there is not.
    #[error("segment {segment} of journal {} is missing", path.display())]
    MissingSegment {
        /// The journal folder.
        path: PathBuf,
        /// Index of the segment.
        segment: u64,
    },
    /// Neither slot of the durable position can be read.
    #[error("{} is missing or damaged, so nobody knows what must be complete: `journal repair --cut-durable` keeps what the segments hold up to the first damage", path.display())]
    DurableLost {
        /// The file.
        path: PathBuf,
    },
    /// Bytes that were durable, or released, are not what was written.
    #[error("corrupt journal: {} at byte {offset}: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Index of the segment.
        segment: u64,
        /// Byte within the segment.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The segment of the asked position is not there any more.
    #[error("position {asked} is not in the journal any more, which begins at {oldest}")]
    Expired {
        /// What was asked for.
        asked: Position,
        /// The oldest position that is there.
        oldest: Position,
    },
    /// The segment of the asked sequence number is not there any more.
    #[error("sequence {asked} is not in the journal any more, which begins with {first}")]
    SeqExpired {
        /// What was asked for.
        asked: u64,
        /// Number of the oldest record.
        first: u64,
    },
    /// The asked position is beyond the end: the reader has seen another, longer journal.
    #[error("position {asked} is ahead of the journal, which ends at {end}")]
    Ahead {
        /// What was asked for.
        asked: Position,
        /// End of the journal.
        end: Position,
    },
    /// The asked sequence number is beyond the end.
    #[error("sequence {asked} is ahead of the journal, whose last is {last}")]
    SeqAhead {
        /// What was asked for.
        asked: u64,
        /// Number of the last record; 0 where there is none.
        last: u64,
    },
    /// Syncing or copying to disk failed; the journal takes nothing more in this run.
    #[error(
        "journal stopped: {0}; what was released under durability `disk` is safe, the process must be started anew"
    )]
    Failed(String),
}

impl JournalError {
    /// A failed operation on a file.
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        if matches!(source.kind(), io::ErrorKind::ReadOnlyFilesystem) {
            return JournalError::ReadOnly {
                path: path.to_path_buf(),
                source,
            };
        }
        JournalError::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}

/// Adds what was tried, and where, to an I/O result.
pub(super) trait IoContext<T> {
    /// With context.
    fn context(self, action: &'static str, path: &Path) -> Result<T, JournalError>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, JournalError> {
        self.map_err(|source| JournalError::io(action, path, source))
    }
}
