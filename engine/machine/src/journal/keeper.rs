//! The keeper: prepares segments ahead of the writer, removes those that nobody needs, and persists `durable`.
//!
//! It does what may take milliseconds (allocating, wiping, removing), so that the archiver never waits for it.
//!
//! # Invariants
//! - The window and the pool together never hold more than `window_bytes`; a segment leaves the window only when it is
//!   archived, and as late as possible: followers read it from memory until then.
//! - In a run that followers keep up with, no memory is taken from the system.
//! - The persisted `durable` is a lower bound of the real one.
//! - Data files go oldest first, and the last complete one stays: its seal begins the next one's chain.
//! - None goes that no snapshot covers. The engine has none yet, so in a running engine none goes.

use super::error::JournalError;
use super::folder::SlotFile;
use super::format::{DurableSlot, Position};
use super::pool::Pool;
use super::shared::{Archived, Phase, Segment, Shared, lock};
use super::sys;
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
    pool: Pool,
    slots: SlotFile,
    slot: DurableSlot,
}

/// What came of trying to prepare a segment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prepared {
    /// One more is ready.
    One,
    /// Nothing was to be done, or nothing can be done until a segment is archived.
    Nothing,
    /// There is no space.
    NoSpace,
}

impl Keeper {
    pub(super) fn new(
        shared: Arc<Shared>,
        ready: rtrb::Producer<Arc<Segment>>,
        next: u64,
        pool: Pool,
        slots: SlotFile,
        slot: DurableSlot,
    ) -> Self {
        Self {
            shared,
            ready,
            next,
            pool,
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
            let prepared = self.prepare()?;
            let starved = prepared == Prepared::NoSpace;
            if starved || round % SPACE_ROUNDS == 0 {
                self.watch_space(starved);
                self.retain()?;
            }
            self.persist(false)?;
            if prepared != Prepared::One {
                std::thread::park_timeout(SLEEP);
            }
        }
        Ok(())
    }

    /// Prepares the next segment if the writer's stock is not full and the window has room.
    fn prepare(&mut self) -> Result<Prepared, JournalError> {
        if self.ready.is_full() {
            return Ok(Prepared::Nothing);
        }
        match self.make_segment() {
            Ok(true) => Ok(Prepared::One),
            Ok(false) => Ok(Prepared::Nothing),
            Err(JournalError::Io { source, .. }) if sys::is_full(&source) => Ok(Prepared::NoSpace),
            Err(error) => Err(error),
        }
    }

    /// Makes the next segment and hands it over. False where the window has no room.
    fn make_segment(&mut self) -> Result<bool, JournalError> {
        if !self.make_room()? {
            return Ok(false);
        }
        let shared = &self.shared;
        let header = shared.header_of(self.next);
        let file = shared.folder.create_segment(&*shared.storage, &header)?;
        let window = self.pool.segment(&header)?;
        let segment = Arc::new(Segment { window, file });
        lock(&shared.window).push_back(segment.clone());
        let pushed = self.ready.push(segment);
        assert!(
            pushed.is_ok(),
            "Invariant: only the keeper fills the ring, and it looked"
        );
        self.next += 1;
        Ok(true)
    }

    /// True where the pool has memory for a segment, after the oldest archived one has given its own if need be.
    fn make_room(&mut self) -> Result<bool, JournalError> {
        if !self.pool.is_empty() {
            return Ok(true);
        }
        if (lock(&self.shared.window).len() as u64) >= self.shared.config.window_segments() {
            let Some(oldest) = self.take_archived() else {
                return Ok(false);
            };
            if self.pool.recycle(oldest.window)? {
                return Ok(true);
            }
        }
        // A follower has kept the memory that is missing, or the run's first segment was of another size.
        self.pool.grow()?;
        Ok(true)
    }

    /// Takes the oldest segment out of the window, where it is archived and nobody uses it.
    fn take_archived(&self) -> Option<Segment> {
        let durable = self.shared.control.durable.position();
        // The writer or the archiver may still hold it for a moment; it is given back to the system here if at all, and not
        // there, because that is a system call.
        let oldest = lock(&self.shared.window).pop_front_if(|oldest| {
            oldest.window.index < durable.segment() && Arc::strong_count(oldest) == 1
        })?;
        Arc::into_inner(oldest)
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
