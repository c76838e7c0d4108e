//! The archiver: copies committed bytes from the window to the data files, syncs them, and seals segments that are full.
//!
//! # Invariants
//! - `durable` rises only after the bytes below it, and the seals of the segments below it, were synced.
//! - A failed write or sync is never tried again: the kernel may have dropped the pages, and a second sync would lie.
//!
//! Not here: making and removing files (`keeper`).
#![allow(unsafe_code)] // reason: it reads committed bytes of the mapped window, which never change

use super::config::Durability;
use super::error::{IoContext, JournalError};
use super::format::{HEADER_LEN, JOURNALED_NS_AT, Position, SEAL_LEN, Seal, head_of};
use super::shared::{Archived, Phase, Segment, Shared, lock};
use bytemuck::Zeroable;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Bytes copied and hashed at a time.
const CHUNK: u64 = 256 << 10;
/// Looks for work before the thread sleeps, under durability `disk`.
const SPINS: u32 = 2_000;
/// Shortest and longest sleep. A pipeline thread makes no system call, so nobody wakes the archiver.
const SLEEP_MIN: Duration = Duration::from_micros(50);
const SLEEP_MAX: Duration = Duration::from_micros(800);

/// The archiver's state.
pub(super) struct Archiver {
    shared: Arc<Shared>,
    keeper: Thread,
    segment: Arc<Segment>,
    /// Copied below.
    copied: Position,
    /// Synced below.
    durable: Position,
    unsynced_since: Option<Instant>,
    hasher: ChainHasher,
}

impl Archiver {
    /// An archiver that goes on at `position`, in `segment`, whose bytes below are on disk. `chain_before` is the chain
    /// hash of the segment before.
    pub(super) fn new(
        shared: Arc<Shared>,
        keeper: Thread,
        segment: Arc<Segment>,
        position: Position,
        chain_before: [u8; 32],
    ) -> Self {
        let mut hasher = ChainHasher::new(chain_before);
        // SAFETY: bytes below the start position never change.
        hasher.add(unsafe { segment.window.bytes(0, position.offset()) }, true);
        Self {
            shared,
            keeper,
            segment,
            copied: position,
            durable: position,
            unsynced_since: None,
            hasher,
        }
    }

    /// Works until the journal stops or fails.
    pub(super) fn run(mut self) {
        if let Err(error) = self.work() {
            self.shared.fail(&error);
        }
        self.keeper.unpark();
    }

    fn work(&mut self) -> Result<(), JournalError> {
        let (mut idle, mut sleep) = (0, SLEEP_MIN);
        loop {
            let phase = self.shared.phase();
            if phase == Phase::Ended {
                return Ok(());
            }
            let worked = self.copy()? | self.sync_if_due(phase)?;
            if worked {
                (idle, sleep) = (0, SLEEP_MIN);
            } else if phase == Phase::Stopping {
                return Ok(());
            } else if self.shared.config.durability == Durability::Disk && idle < SPINS {
                idle += 1;
                std::hint::spin_loop();
            } else {
                std::thread::park_timeout(sleep);
                sleep = (sleep * 2).min(SLEEP_MAX);
            }
        }
    }

    /// Copies a piece of what is committed. False where there is nothing.
    fn copy(&mut self) -> Result<bool, JournalError> {
        let committed = self.shared.control.committed.position();
        if self.copied >= committed {
            return Ok(false);
        }
        let here = self.segment.window.index == committed.segment();
        let end = if here {
            committed.offset()
        } else {
            self.segment.window.ended()
        };
        let from = self.copied.offset();
        if from < end {
            let to = self.piece_end(from, end);
            // SAFETY: committed bytes never change.
            let bytes = unsafe { self.segment.window.bytes(from, to) };
            let path = || self.shared.folder.segment(self.segment.window.index);
            self.segment
                .file
                .write_at(bytes, from)
                .map_err(|source| JournalError::io("write", &path(), source))?;
            self.hasher.add(bytes, false);
            self.copied = Position::new(self.segment.window.index, to);
            self.shared.archived_bytes.fetch_add(to - from, Ordering::Relaxed);
            self.unsynced_since.get_or_insert_with(now);
        }
        if !here && self.copied.offset() == end {
            self.finish_segment(end)?;
        }
        Ok(true)
    }

    /// The end of the last record that fits a piece.
    fn piece_end(&self, from: u64, end: u64) -> u64 {
        let mut to = from;
        while to < end {
            // SAFETY: committed bytes never change.
            let head = head_of(unsafe { self.segment.window.bytes(to, to + 64) });
            if to > from && to + u64::from(head.len) > from + CHUNK {
                break;
            }
            to += u64::from(head.len);
        }
        to
    }

    /// Seals a segment that is copied in full, syncs it and goes on with the next one.
    fn finish_segment(&mut self, end: u64) -> Result<(), JournalError> {
        let window = &self.segment.window;
        let index = window.index;
        // SAFETY: the end record is committed; it never changes.
        let last_seq = head_of(unsafe { window.bytes(end - 64, end) }).seq;
        let seal = self.hasher.seal(index, end, last_seq);
        let seal_at = window.bytes - SEAL_LEN;
        // SAFETY: the seal's place belongs to the archiver.
        unsafe { window.bytes_mut(seal_at, SEAL_LEN as usize) }.copy_from_slice(bytemuck::bytes_of(&seal));
        let path = self.shared.folder.segment(index);
        self.segment
            .file
            .write_at(bytemuck::bytes_of(&seal), seal_at)
            .context("write", &path)?;
        self.hasher = ChainHasher::new(seal.chain);
        let bytes = window.bytes;
        self.sync(Position::start_of(index + 1))?;
        let next = self.shared.segment(index + 1).ok_or_else(|| {
            JournalError::Failed(format!(
                "segment {} was committed to but is not in the window",
                index + 1
            ))
        })?;
        // SAFETY: the header was written before the segment was handed over.
        self.hasher.add(unsafe { next.window.bytes(0, HEADER_LEN) }, true);
        self.segment = next;
        self.copied = self.durable;
        lock(&self.shared.archived).push_back(Archived {
            index,
            last_seq,
            bytes,
        });
        self.keeper.unpark();
        Ok(())
    }

    /// Syncs where the durability asks for it now.
    fn sync_if_due(&mut self, phase: Phase) -> Result<bool, JournalError> {
        let Some(since) = self.unsynced_since else {
            return Ok(false);
        };
        let config = &self.shared.config;
        let due = match config.durability {
            Durability::Disk => true,
            Durability::Memory => {
                let bytes = self.copied.offset().saturating_sub(self.durable.offset());
                phase != Phase::Running
                    || bytes >= config.sync_bytes
                    || since.elapsed() >= config.sync_interval
            }
        };
        if due {
            self.sync(self.copied)?;
        }
        Ok(due)
    }

    /// Syncs the segment, after which everything below `position` is on disk.
    fn sync(&mut self, position: Position) -> Result<(), JournalError> {
        let path = self.shared.folder.segment(self.segment.window.index);
        self.segment.file.sync_data().context("sync", &path)?;
        self.unsynced_since = None;
        self.durable = position;
        self.shared.sync_count.fetch_add(1, Ordering::Relaxed);
        self.shared.control.durable.set(position);
        if self.shared.config.durability == Durability::Disk {
            self.shared.control.released.set(position);
        }
        Ok(())
    }
}

/// Hashes a segment for its seal, with every `journaled_ns` as zeros.
pub(super) struct ChainHasher {
    hasher: blake3::Hasher,
    chain_before: [u8; 32],
    copy: Vec<u8>,
}

impl ChainHasher {
    /// Starts a segment.
    pub(super) fn new(chain_before: [u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&chain_before);
        Self {
            hasher,
            chain_before,
            copy: Vec::new(),
        }
    }

    /// Adds whole records; with `from_start`, a segment's header comes first.
    pub(super) fn add(&mut self, bytes: &[u8], from_start: bool) {
        self.copy.clear();
        self.copy.extend_from_slice(bytes);
        let mut at = if from_start { HEADER_LEN as usize } else { 0 };
        while let Some(head) = self.copy.get(at..at + 64) {
            let len = head_of(head).len as usize;
            self.copy[at + JOURNALED_NS_AT..at + JOURNALED_NS_AT + 8].fill(0);
            at += len.max(64);
        }
        self.hasher.update(&self.copy);
    }

    /// The seal of the segment.
    pub(super) fn seal(&self, segment: u64, end: u64, last_seq: u64) -> Seal {
        let chain = *self.hasher.finalize().as_bytes();
        Seal {
            segment,
            end,
            last_seq,
            chain_before: self.chain_before,
            chain,
            ..Seal::zeroed()
        }
        .sealed()
    }
}

#[allow(clippy::disallowed_methods)] // reason: the archiver is no stage; it times its syncs
fn now() -> Instant {
    Instant::now()
}
