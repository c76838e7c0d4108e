//! Settings of a journal.

use super::error::JournalError;
use super::format::{SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};
use std::path::PathBuf;
use std::time::Duration;

/// When a record is released to followers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Once committed: survives the process, not the machine.
    Memory,
    /// Once synced to disk: survives the machine.
    Disk,
}

/// What names a journal. Random at creation; tests fix it, so that two journals can be compared byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Journal id.
    pub id: [u8; 16],
    /// Key of the hashes by which the engine finds client identifiers.
    pub hash_key: [u8; 16],
}

/// Settings of a journal.
#[derive(Clone, Debug)]
pub struct JournalConfig {
    /// The data folder; the journal lives in its subfolder `journal`.
    pub dir: PathBuf,
    /// Folder of the window, on a memory file system.
    pub window_dir: PathBuf,
    /// Bytes of a segment, a multiple of 4096. A change holds from the next segment on.
    pub segment_bytes: u64,
    /// Bytes of memory that the window takes, all of them at the start; at least three segments.
    pub window_bytes: u64,
    /// When a record is released.
    pub durability: Durability,
    /// Under [`Durability::Memory`]: longest time that committed bytes stay unsynced.
    pub sync_interval: Duration,
    /// Under [`Durability::Memory`]: unsynced bytes that start a sync before the interval is over.
    pub sync_bytes: u64,
    /// Data files are not removed below this total, in bytes; above it, those that a snapshot covers
    /// ([`set_covered`](super::JournalHandle::set_covered)) are removed, oldest first.
    pub keep_bytes: u64,
    /// A pin holds data files up to this total, in bytes, and then breaks.
    pub retention_bytes: u64,
    /// Free bytes of the data folder's disk below which space counts as low.
    pub reserve_bytes: u64,
    /// Shard of the engine.
    pub shard: u16,
    /// Hash of the record layouts that this build writes.
    pub schema_hash: u64,
    /// Hashes of older layouts that this build can still read.
    pub schemas_known: Vec<u64>,
    /// Identity of a new journal; random where `None`.
    pub identity: Option<Identity>,
    /// Takes file systems that are refused otherwise (overlay, network; a window that is not in memory). For tests.
    pub allow_unsafe_fs: bool,
}

impl JournalConfig {
    /// Settings for a data folder: 64 MiB segments, a window of 256 MiB in `/dev/shm`, durability `disk`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            window_dir: PathBuf::from("/dev/shm"),
            segment_bytes: 64 << 20,
            window_bytes: 256 << 20,
            durability: Durability::Disk,
            sync_interval: Duration::from_millis(20),
            sync_bytes: 8 << 20,
            keep_bytes: u64::MAX,
            retention_bytes: u64::MAX,
            reserve_bytes: 64 << 20,
            shard: 0,
            schema_hash: 0,
            schemas_known: Vec::new(),
            identity: None,
            allow_unsafe_fs: false,
        }
    }

    /// Segments that the window may hold at a time.
    pub(super) fn window_segments(&self) -> u64 {
        self.window_bytes / self.segment_bytes
    }

    /// Segments that are prepared ahead of the writer: a quarter of the window, four at most. More would not help, and each
    /// takes the place of one that followers could read from memory.
    pub(super) fn stock_segments(&self) -> usize {
        (self.window_segments() / 4).clamp(1, 4) as usize
    }

    /// Refuses settings that cannot work.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        if !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&self.segment_bytes)
            || !self.segment_bytes.is_multiple_of(4096)
        {
            return Err(JournalError::Config(format!(
                "segment_bytes {} is not a multiple of 4096 from {SEGMENT_BYTES_MIN} to {SEGMENT_BYTES_MAX}",
                self.segment_bytes
            )));
        }
        if self.window_segments() < 3 {
            return Err(JournalError::Config(format!(
                "window_bytes {} holds fewer than three segments of {} bytes",
                self.window_bytes, self.segment_bytes
            )));
        }
        Ok(())
    }
}
