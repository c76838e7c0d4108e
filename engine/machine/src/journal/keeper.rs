//! The keeper: prepares segments ahead of the writer, removes those that nobody needs, and persists `durable`.
//!
//! It does what may take milliseconds (allocating, removing), so that the archiver never waits for it.
//!
//! # Invariants
//! - The window never holds more than `window_bytes`; a segment leaves it only when it is archived.
//! - The persisted `durable` is a lower bound of the real one.
//! - Data files go oldest first, and the last complete one stays: its seal begins the next one's chain.

use super::error::JournalError;
use super::folder::SlotFile;
use super::format::{DurableSlot, Position};
use super::shared::{Archived, Phase, Segment, Shared, lock};
use super::storage::StorageFile;
use super::sys;
use super::window::WindowSegment;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long the keeper sleeps; also how far the persisted `durable` may lag behind.
const SLEEP: Duration = Duration::from_millis(10);
/// Rounds between two looks at the disk's free space.
const SPACE_ROUNDS: u32 = 10;

/// The keeper's state.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    ready: rtrb::Producer<Arc<Segment>>,
    /// Index of the next segment to prepare.
    next: u64,
    /// The data file of the next segment, where only its memory is missing.
    half: Option<Box<dyn StorageFile>>,
    slots: SlotFile,
    slot: DurableSlot,
}

impl Keeper {
    pub(super) fn new(
        shared: Arc<Shared>,
        ready: rtrb::Producer<Arc<Segment>>,
        next: u64,
        slots: SlotFile,
        slot: DurableSlot,
    ) -> Self {
        Self {
            shared,
            ready,
            next,
            half: None,
            slots,
            slot,
        }
    }

    /// Works until the journal stops or fails; then says where it persisted `durable` last.
    pub(super) fn run(mut self) -> Self {
        if let Err(error) = self.work() {
            self.shared.fail(&error);
        }
        self
    }

    fn work(&mut self) -> Result<(), JournalError> {
        for round in 0u32.. {
            if self.shared.phase() != Phase::Running {
                return Ok(());
            }
            let starved = self.prepare()?;
            if starved || round % SPACE_ROUNDS == 0 {
                self.watch_space(starved);
                self.retain()?;
            }
            self.persist(false)?;
            std::thread::park_timeout(SLEEP);
        }
        Ok(())
    }

    /// Prepares the next segment if the writer has none in stock and the window has room. True where there is no space.
    fn prepare(&mut self) -> Result<bool, JournalError> {
        if self.ready.is_full() || !self.make_room() {
            return Ok(false);
        }
        match self.make_segment() {
            Ok(()) => Ok(false),
            Err(JournalError::Io { source, .. }) if sys::is_full(&source) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn make_segment(&mut self) -> Result<(), JournalError> {
        let shared = &self.shared;
        let header = shared.header_of(self.next);
        if self.half.is_none() {
            self.half = Some(shared.folder.create_segment(&*shared.storage, &header)?);
        }
        let window = WindowSegment::create(&shared.window_dir, &header, &[])?;
        let Some(file) = self.half.take() else {
            return Ok(());
        };
        let segment = Arc::new(Segment { window, file });
        lock(&shared.window).push_back(segment.clone());
        let pushed = self.ready.push(segment);
        assert!(
            pushed.is_ok(),
            "Invariant: only the keeper fills the ring, and it looked"
        );
        self.next += 1;
        Ok(())
    }

    /// True where the window has room for one more segment, after the oldest archived one has left if need be.
    fn make_room(&mut self) -> bool {
        let mut window = lock(&self.shared.window);
        if (window.len() as u64) < self.shared.config.window_segments() {
            return true;
        }
        let durable = self.shared.control.durable.position();
        // The writer or the archiver may still hold it for a moment; it is dropped here and not there, because
        // unmapping is a system call.
        let Some(oldest) = window
            .pop_front_if(|oldest| oldest.window.index < durable.segment() && Arc::strong_count(oldest) == 1)
        else {
            return false;
        };
        drop(window);
        let _ = std::fs::remove_file(
            self.shared
                .window_dir
                .join(super::folder::segment_name(oldest.window.index)),
        );
        true
    }

    fn watch_space(&self, starved: bool) {
        let free = self
            .shared
            .storage
            .free_bytes(self.shared.folder.path())
            .unwrap_or(0);
        let low = starved || free < self.shared.config.reserve_bytes;
        self.shared.space_low.store(low, Ordering::Relaxed);
    }

    /// Removes data files that are covered and not wanted any more.
    fn retain(&mut self) -> Result<(), JournalError> {
        while let Some(oldest) = self.removable() {
            let path = self.shared.folder.segment(oldest.index);
            self.shared
                .storage
                .remove(&path)
                .map_err(|source| JournalError::io("remove", &path, source))?;
            lock(&self.shared.archived).pop_front();
        }
        Ok(())
    }

    /// The oldest data file, where it may go.
    fn removable(&self) -> Option<Archived> {
        let shared = &self.shared;
        let (oldest, total) = {
            let archived = lock(&shared.archived);
            if archived.len() < 2 {
                return None;
            }
            (
                *archived.front()?,
                archived.iter().map(|segment| segment.bytes).sum::<u64>(),
            )
        };
        let covered = oldest.last_seq <= shared.covered_seq.load(Ordering::Acquire);
        let persisted = Position(self.slot.position).segment() > oldest.index;
        if !covered || !persisted || total <= shared.config.keep_bytes {
            return None;
        }
        let mut pins = lock(&shared.pins);
        let wanted = |pin: &&mut super::shared::Pin| !pin.broken && pin.position.segment() <= oldest.index;
        if total <= shared.config.retention_bytes {
            return pins.values_mut().find(wanted).is_none().then_some(oldest);
        }
        pins.values_mut().filter(wanted).for_each(|pin| pin.broken = true);
        Some(oldest)
    }

    /// Writes `durable` to disk, if it has moved.
    fn persist(&mut self, clean: bool) -> Result<(), JournalError> {
        let position = self.shared.control.durable.position().0;
        if position != self.slot.position || clean {
            let slot = DurableSlot {
                counter: self.slot.counter + 1,
                position,
                clean: u32::from(clean),
                ..self.slot
            };
            self.slots.write(slot)?;
            self.slot = slot;
        }
        Ok(())
    }

    /// After the archiver has ended: notes that everything is on disk, and removes the segment that was never used.
    pub(super) fn finish(&mut self) -> Result<(), JournalError> {
        self.persist(true)?;
        let used = self.shared.control.committed.position().segment();
        for index in used + 1..=self.next {
            match self.shared.storage.remove(&self.shared.folder.segment(index)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(JournalError::io(
                        "remove",
                        &self.shared.folder.segment(index),
                        error,
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
