//! The pool: memory of the window that no segment uses. It is taken from the system once, before the first record, and
//! goes from a segment that is archived to the next one that is prepared.
//!
//! Fresh memory is dear: the system zeroes each page, and a virtual machine's host may have to find it first (measured:
//! 29 to 190 ms of processor time for 64 MiB, against 3 ms to wipe what is mapped already). Taken from a running pipeline
//! that fills a segment in 200 ms, this made the writer wait (docs/decisions/0019).
//!
//! # Invariants
//! - Memory in the pool is zero throughout, mapped and backed.
//! - Memory is wiped only under an exclusive lock on its file, after the file has lost its segment's name. Each follower
//!   holds a shared lock on the files that it maps, so what a follower maps is never wiped: it loses its name instead and
//!   goes when the follower lets go.
//! - No file is locked exclusively under the name of a segment that is not archived.
//!
//! Not here: when a segment may leave the window (`keeper`), and the follower's side of the lock (`window`).

use super::error::{IoContext, JournalError};
use super::folder::segment_name;
use super::format::SegmentHeader;
use super::window::{Memory, WindowSegment};
use std::path::{Path, PathBuf};

/// Memory for segments of one size.
pub(super) struct Pool {
    dir: PathBuf,
    segment_bytes: u64,
    spares: Vec<Spare>,
    /// Number of the next spare file.
    next: u64,
}

/// Memory and the name of its file.
struct Spare {
    memory: Memory,
    path: PathBuf,
}

impl Pool {
    /// Takes memory for `count` segments.
    pub(super) fn new(dir: &Path, segment_bytes: u64, count: u64) -> Result<Self, JournalError> {
        let mut pool = Self {
            dir: dir.to_path_buf(),
            segment_bytes,
            spares: Vec::new(),
            next: 0,
        };
        for _ in 0..count {
            pool.grow()?;
        }
        Ok(pool)
    }

    /// True where there is no memory for another segment.
    pub(super) fn is_empty(&self) -> bool {
        self.spares.is_empty()
    }

    /// Takes fresh memory for one more segment.
    pub(super) fn grow(&mut self) -> Result<(), JournalError> {
        let spare = self.fresh()?;
        self.spares.push(spare);
        Ok(())
    }

    fn fresh(&mut self) -> Result<Spare, JournalError> {
        let path = self.next_path();
        let memory = Memory::take(&path, self.segment_bytes)?;
        Ok(Spare { memory, path })
    }

    /// Makes a segment, of fresh memory if there is no other.
    pub(super) fn segment(&mut self, header: &SegmentHeader) -> Result<WindowSegment, JournalError> {
        let Spare { memory, path } = match self.spares.pop() {
            Some(spare) => spare,
            None => self.fresh()?,
        };
        let segment = WindowSegment::new(memory, header, &[]);
        // Before it gets its name: a follower that finds a segment locked goes to the data file, which is not written yet.
        segment.unlock().context("unlock", &path)?;
        std::fs::rename(&path, self.dir.join(segment_name(header.segment))).context("rename", &path)?;
        Ok(segment)
    }

    /// Takes the memory of a segment that is archived. False where it cannot be used again: a follower maps it, or it is of
    /// another size. It is then given back to the system, as soon as nobody maps it.
    pub(super) fn recycle(&mut self, segment: WindowSegment) -> Result<bool, JournalError> {
        let named = self.dir.join(segment_name(segment.index));
        if segment.bytes != self.segment_bytes || !segment.try_lock() {
            std::fs::remove_file(&named).context("remove", &named)?;
            return Ok(false);
        }
        let path = self.next_path();
        std::fs::rename(&named, &path).context("rename", &named)?;
        let memory = segment.wipe();
        self.spares.push(Spare { memory, path });
        Ok(true)
    }

    fn next_path(&mut self) -> PathBuf {
        self.next += 1;
        self.dir.join(format!("spare-{}", self.next))
    }
}
