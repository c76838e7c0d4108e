//! What writer, archiver, keeper and handle of one running journal share.

use super::config::JournalConfig;
use super::error::JournalError;
use super::folder::Folder;
use super::format::{Position, SegmentHeader};
use super::storage::{Storage, StorageFile};
use super::window::{ControlMap, WindowSegment};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A segment that is written, or prepared: its memory and its file.
pub(super) struct Segment {
    pub(super) window: WindowSegment,
    pub(super) file: Box<dyn StorageFile>,
}

/// What the threads are asked to do. Rises only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Phase {
    /// Work.
    Running = 0,
    /// Archive what is committed, then end.
    Stopping = 1,
    /// End at once: something failed, or a test kills the journal.
    Ended = 2,
}

/// A data file that is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Archived {
    pub(super) index: u64,
    pub(super) last_seq: u64,
    pub(super) bytes: u64,
}

/// A reader's wish that segments stay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pin {
    pub(super) position: Position,
    pub(super) broken: bool,
}

/// State of a running journal.
pub(super) struct Shared {
    pub(super) config: JournalConfig,
    pub(super) folder: Folder,
    pub(super) window_dir: PathBuf,
    /// Locked as long as this lives, so that others see whose window it is.
    pub(super) _owner: File,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) control: ControlMap,
    /// Header of the next segments, but for index, size and checksum.
    pub(super) header: SegmentHeader,
    /// Segments in the window, rising, without a gap. The last may be prepared and not in use yet.
    pub(super) window: Mutex<VecDeque<Arc<Segment>>>,
    /// Data files that are complete, rising.
    pub(super) archived: Mutex<VecDeque<Archived>>,
    pub(super) pins: Mutex<BTreeMap<String, Pin>>,
    /// Sequence numbers up to this one are covered by a snapshot.
    pub(super) covered_seq: AtomicU64,
    pub(super) space_low: AtomicBool,
    pub(super) sync_count: AtomicU64,
    pub(super) archived_bytes: AtomicU64,
    phase: AtomicU8,
    failed: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn new(
        config: JournalConfig,
        folder: Folder,
        (window_dir, owner): (PathBuf, File),
        storage: Arc<dyn Storage>,
        control: ControlMap,
        header: SegmentHeader,
    ) -> Self {
        Self {
            config,
            folder,
            window_dir,
            _owner: owner,
            storage,
            control,
            header,
            window: Mutex::default(),
            archived: Mutex::default(),
            pins: Mutex::default(),
            covered_seq: AtomicU64::new(0),
            space_low: AtomicBool::new(false),
            sync_count: AtomicU64::new(0),
            archived_bytes: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Running as u8),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// The header of a segment that is made in this run.
    pub(super) fn header_of(&self, index: u64) -> SegmentHeader {
        SegmentHeader {
            segment: index,
            segment_bytes: self.config.segment_bytes,
            ..self.header
        }
        .sealed()
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Running,
            1 => Phase::Stopping,
            _ => Phase::Ended,
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    /// Nothing is taken, synced or released any more. The first failure is kept.
    pub(super) fn fail(&self, error: &JournalError) {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        lock(&self.failure).get_or_insert(text);
        self.failed.store(true, Ordering::Release);
        self.enter(Phase::Ended);
    }

    /// True after a failure.
    #[inline]
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    pub(super) fn failure(&self) -> Option<JournalError> {
        lock(&self.failure).clone().map(JournalError::Failed)
    }

    /// The window's segment of this index, where it is there.
    pub(super) fn segment(&self, index: u64) -> Option<Arc<Segment>> {
        lock(&self.window)
            .iter()
            .find(|segment| segment.window.index == index)
            .cloned()
    }
}

/// Takes a lock; a thread that panicked with it has left plain data behind.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
