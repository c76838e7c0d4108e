//! The running journal, for everyone but the pipeline: figures, followers, retention, stop.

use super::error::JournalError;
use super::folder::segment_name;
use super::follower::{Follower, StartAt};
use super::format::Position;
use super::keeper::Keeper;
use super::lock::Lock;
use super::shared::{Phase, Pin, Shared, lock};
use super::window::remove_dir;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

/// Figures of a running journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalStats {
    /// Next byte to be committed.
    pub committed: Position,
    /// Followers read below.
    pub released: Position,
    /// On disk below.
    pub durable: Position,
    /// Bytes copied to disk in this run.
    pub archived_bytes: u64,
    /// Syncs of this run.
    pub sync_count: u64,
    /// Segments in the window.
    pub window_segments: u64,
    /// Segments that are begun and not wholly on disk.
    pub lag_segments: u64,
    /// Complete data files.
    pub data_segments: u64,
    /// True while new orders are to be refused for want of space.
    pub space_low: bool,
}

/// A running journal. Dropped without [`stop`](JournalHandle::stop), it still archives what is committed.
pub struct JournalHandle {
    shared: Arc<Shared>,
    threads: Option<Threads>,
    /// Held until the end; the next writer takes it.
    lock: Option<Lock>,
}

/// The helper threads.
pub(super) struct Threads {
    pub(super) archiver: JoinHandle<()>,
    pub(super) keeper: JoinHandle<Keeper>,
}

impl JournalHandle {
    pub(super) fn new(shared: Arc<Shared>, threads: Threads, lock: Lock) -> Self {
        Self {
            shared,
            threads: Some(threads),
            lock: Some(lock),
        }
    }

    /// A follower of this journal.
    pub fn follower(&self, from: StartAt) -> Result<Follower, JournalError> {
        Follower::open(&self.shared.config.dir, from)
    }

    /// Next byte to be committed.
    pub fn committed(&self) -> Position {
        self.shared.control.committed.position()
    }

    /// Followers read below.
    pub fn released(&self) -> Position {
        self.shared.control.released.position()
    }

    /// On disk below.
    pub fn durable(&self) -> Position {
        self.shared.control.durable.position()
    }

    /// Figures.
    pub fn stats(&self) -> JournalStats {
        let (committed, durable) = (self.committed(), self.durable());
        JournalStats {
            committed,
            released: self.released(),
            durable,
            archived_bytes: self.shared.archived_bytes.load(Ordering::Relaxed),
            sync_count: self.shared.sync_count.load(Ordering::Relaxed),
            window_segments: lock(&self.shared.window).len() as u64,
            lag_segments: (committed.segment() + 1).saturating_sub(durable.segment()),
            data_segments: lock(&self.shared.archived).len() as u64,
            space_low: self.space_low(),
        }
    }

    /// True while new orders are to be refused for want of space.
    pub fn space_low(&self) -> bool {
        self.shared.space_low.load(Ordering::Relaxed)
    }

    /// Why the journal failed, where it did.
    pub fn failure(&self) -> Option<JournalError> {
        self.shared.failure()
    }

    /// Says that a snapshot covers everything up to this sequence number; it only rises. Until it is called nothing is removed: recovery
    /// needs every record. The engine has no snapshots and never calls it.
    pub fn set_covered(&self, seq: u64) {
        self.shared.covered_seq.fetch_max(seq, Ordering::AcqRel);
    }

    /// Keeps the data files from `position` on, as far as `retention_bytes` allows. A later call moves the pin and mends a
    /// broken one.
    pub fn pin(&self, name: &str, position: Position) {
        lock(&self.shared.pins).insert(
            name.to_owned(),
            Pin {
                position,
                broken: false,
            },
        );
    }

    /// Gives a pin up.
    pub fn unpin(&self, name: &str) {
        lock(&self.shared.pins).remove(name);
    }

    /// True where a pin was broken because the data files exceeded `retention_bytes`.
    pub fn pin_is_broken(&self, name: &str) -> bool {
        lock(&self.shared.pins).get(name).is_some_and(|pin| pin.broken)
    }

    /// Archives and syncs everything committed, notes a clean end, and gives the window and the lock back. The writer must
    /// have committed its last record before.
    pub fn stop(mut self) -> Result<(), JournalError> {
        self.end(Phase::Stopping)
    }

    fn end(&mut self, phase: Phase) -> Result<(), JournalError> {
        let Some(threads) = self.threads.take() else {
            return Ok(());
        };
        self.shared.enter(phase);
        threads.archiver.thread().unpark();
        threads.keeper.thread().unpark();
        let archiver = threads.archiver.join();
        let keeper = threads.keeper.join();
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let (Ok(()), Ok(mut keeper)) = (archiver, keeper) else {
            return Err(JournalError::Failed("a journal thread panicked".to_owned()));
        };
        if phase == Phase::Stopping {
            keeper.finish()?;
            self.shared.control.close();
            remove_dir(&self.shared.window_dir)?;
        }
        self.lock = None;
        Ok(())
    }

    /// Ends the threads where they are and frees the lock, as the death of the process would.
    #[cfg(test)]
    pub(super) fn kill(mut self) {
        let _ = self.end(Phase::Ended);
    }

    /// Path of a segment in the window.
    #[doc(hidden)]
    pub fn window_segment_path(&self, index: u64) -> std::path::PathBuf {
        self.shared.window_dir.join(segment_name(index))
    }
}

impl Drop for JournalHandle {
    fn drop(&mut self) {
        let _ = self.end(Phase::Stopping); // a failure was kept and said before
    }
}
