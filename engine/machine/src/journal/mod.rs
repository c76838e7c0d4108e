//! The journal: the one append-only record of what the engine took in and decided, and the queue that everyone reads.
//!
//! A [`JournalWriter`] on the pipeline thread copies records into segments that are mapped in memory (the *window*). A
//! helper thread, the archiver, copies committed bytes to files of the same layout in the data folder and syncs them;
//! a second one, the keeper, prepares segments ahead, in memory that it uses again and again. [`Follower`]s, in this process or another,
//! read what is released, each at its own pace. docs/journal-format.md describes every byte.
//!
//! # Invariants
//! - One writer per journal, held by a lock on a file.
//! - `durable <= committed` and `released <= committed`; a follower sees only what is released.
//! - A committed byte never changes; a segment file is never truncated, only replaced or removed.
//! - The bytes depend on the records alone, except for `journaled_ns`, which no checksum covers.
//! - What is below the persisted `durable` position is complete: a bad record there is corruption and is refused.
//!
//! Not here: what a record means. The journal knows a record's [`Head`](tradewind_domain::event::Head) and its length.

mod archiver;
mod config;
mod crc;
mod error;
mod folder;
mod follower;
mod format;
mod handle;
mod identity;
mod keeper;
mod lock;
mod open;
mod overview;
mod pool;
mod recovery;
mod scan;
mod shared;
mod storage;
mod sys;
mod verify;
mod window;
mod windows;
mod writer;

#[cfg(test)]
mod tests;

pub use config::{Durability, Identity, JournalConfig};
pub use error::JournalError;
pub use follower::{Follower, RecordRef, StartAt};
pub use format::{END_KIND, FORMAT_VERSION, Position, RECORD_MAX, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};
pub use handle::{JournalHandle, JournalStats};
pub use identity::{has_writer, identity};
pub use open::{Journal, Opened, Records};
pub use overview::{Overview, Writer, overview};
pub use recovery::{LastRecord, Recovery, TornTail};
pub use storage::{DiskStorage, Storage, StorageFile};
pub use sys::FileSystem;
pub use verify::{Problem, SegmentInfo, SegmentState, VerifyReport, repair, segment, segments, verify};
pub use windows::{WindowInfo, bytes_left_behind, windows};
pub use writer::{BATCH_MAX, JournalWriter};
