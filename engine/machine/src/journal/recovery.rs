//! Finds the end of a journal that a process or a machine left behind, and cuts what was torn.
//!
//! # Invariants
//! - What the dead writer committed and this boot's memory still has is copied to the data files first.
//! - Below the durable position every record must be good; the first bad one there is an error that names its byte.
//! - At or above it, the journal ends at the first place that holds no good record. What stood behind is kept in a file
//!   beside, and the segment is replaced, never truncated.
//!
//! Not here: what records mean. The engine replays them.
#![allow(unsafe_code)] // reason: it reads the window of a writer that is dead

use super::archiver::ChainHasher;
use super::error::{IoContext, JournalError};
use super::folder::{Folder, corrupt};
use super::format::{DurableSlot, Framed, HEADER_LEN, Position, SEAL_LEN, frame_at, head_of};
use super::scan::SegmentScan;
use super::storage::Storage;
use super::sys;
use super::window::{ControlMap, WindowSegment, remove_dir};
use std::path::{Path, PathBuf};
use tradewind_domain::event::{Head, head_flags};

/// The last record of a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastRecord {
    /// Sequence number.
    pub seq: u64,
    /// Part of the group.
    pub part: u32,
    /// [`head_flags`].
    pub flags: u8,
    /// When ingest took its input, nanoseconds.
    pub recv_ns: u64,
}

impl LastRecord {
    fn of(head: &Head) -> Self {
        Self {
            seq: head.seq,
            part: head.part,
            flags: head.flags,
            recv_ns: head.recv_ns,
        }
    }

    /// True where the record closes its group; otherwise the group is open and recovery finishes it.
    pub fn closes_group(&self) -> bool {
        self.flags & head_flags::LAST != 0
    }
}

/// Bytes that were cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// Where the journal ended.
    pub position: Position,
    /// Bytes that were not taken.
    pub bytes: u64,
    /// The file that keeps them.
    pub kept: PathBuf,
}

/// What recovery found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Where the next record goes.
    pub end: Position,
    /// The oldest record's position.
    pub oldest: Position,
    /// The last record; `None` in an empty journal.
    pub last: Option<LastRecord>,
    /// True where the run before stopped in good order.
    pub clean: bool,
    /// Bytes that were in memory only, and are on disk now.
    pub taken_over_bytes: u64,
    /// What was cut.
    pub torn: Vec<TornTail>,
}

/// Copies what a dead writer of this boot committed, and nobody archived, from its window to the data files. Returns the
/// position up to which the data files are complete, and the bytes copied.
pub(super) fn take_over(
    folder: &Folder,
    storage: &dyn Storage,
    slot: &DurableSlot,
    window: &Path,
) -> Result<(Position, u64), JournalError> {
    let durable = Position(slot.position);
    let Some(control) = ControlMap::take_over(window, &slot.journal_id)? else {
        return Ok((durable, 0));
    };
    let usable = !control.is_closed() && control.epoch == slot.epoch && control.boot_id == sys::boot_id();
    let committed = control.committed.position();
    if !usable || committed <= durable {
        return Ok((durable, 0));
    }
    let mut copied = 0;
    for index in durable.segment()..=committed.segment() {
        let Some(segment) = WindowSegment::open(window, index)? else {
            continue;
        }; // archived, and gone from memory
        let from = if index == durable.segment() {
            durable.offset()
        } else {
            HEADER_LEN
        };
        let until = if index == committed.segment() {
            committed.offset()
        } else {
            u64::MAX
        };
        let to = valid_end(&segment, from, until, window)?;
        let path = folder.segment(index);
        let (file, _) = folder.open_segment(storage, index)?;
        // SAFETY: the writer is dead (its lock is held here), so nothing in the window changes.
        file.write_at(unsafe { segment.bytes(from, to) }, from)
            .context("write", &path)?;
        file.sync_data().context("sync", &path)?;
        copied += to - from;
    }
    Ok((committed, copied))
}

/// Closes a dead writer's window for the followers that still map it, and removes it.
pub(super) fn drop_window(window: &Path, journal_id: &[u8; 16]) -> Result<(), JournalError> {
    if let Some(control) = ControlMap::take_over(window, journal_id)? {
        control.close();
    }
    remove_dir(window)
}

/// Checks the committed records of a window segment; returns where they end.
fn valid_end(segment: &WindowSegment, from: u64, until: u64, window: &Path) -> Result<u64, JournalError> {
    let limit = segment.bytes - SEAL_LEN;
    let mut at = from;
    while at < until {
        // SAFETY: the writer is dead, so nothing in the window changes.
        let bytes = unsafe { segment.bytes(at, limit.max(at)) };
        match frame_at(segment.seed, at, bytes, limit) {
            Framed::Record(len) => at += len as u64,
            Framed::End => return Ok(at + 64),
            Framed::Nothing => {
                return Err(corrupt(
                    window,
                    segment.index,
                    at,
                    "a committed record is missing in memory",
                ));
            }
            Framed::Bad(reason) => return Err(corrupt(window, segment.index, at, reason)),
        }
    }
    Ok(at)
}

/// Where the records of a journal end.
pub(super) struct End {
    pub(super) position: Position,
    pub(super) last: Option<LastRecord>,
}

/// Finds the end: reads from the segment of `durable` on. `segments` are the indexes that are there.
pub(super) fn find_end(
    folder: &Folder,
    storage: &dyn Storage,
    segments: &[u64],
    durable: Position,
) -> Result<End, JournalError> {
    let mut last = None;
    let mut index = durable.segment();
    // Retention never removes the segment of `durable`: without it, what was durable is not there, and nothing may be cut.
    if segments.first().is_none_or(|&oldest| index < oldest) {
        return Err(JournalError::MissingSegment {
            path: folder.path().to_path_buf(),
            segment: index,
        });
    }
    loop {
        if !segments.contains(&index) {
            if Position::start_of(index) < durable {
                return Err(JournalError::MissingSegment {
                    path: folder.path().to_path_buf(),
                    segment: index,
                });
            }
            return finish(folder, storage, segments, Position::start_of(index), last);
        }
        let mut scan = SegmentScan::open(folder, storage, index)?;
        match read_segment(&mut scan, &mut last)? {
            Framed::End => index += 1,
            fault => {
                let position = Position::new(index, scan.at);
                if position < durable {
                    let reason = if let Framed::Bad(reason) = fault {
                        reason
                    } else {
                        "a durable record is missing"
                    };
                    return Err(corrupt(scan.path(), index, scan.at, reason));
                }
                return finish(folder, storage, segments, position, last);
            }
        }
    }
}

/// Reads records up to the first place that holds none; returns what stands there.
fn read_segment(scan: &mut SegmentScan, last: &mut Option<LastRecord>) -> Result<Framed, JournalError> {
    loop {
        match scan.frame()? {
            Framed::Record(len) => {
                *last = Some(LastRecord::of(&head_of(scan.record(scan.at, len))));
                scan.at += len as u64;
            }
            Framed::End => {
                scan.at += 64;
                return Ok(Framed::End);
            }
            other => return Ok(other),
        }
    }
}

/// Looks for the last record in the segment before, where the segments read had none.
fn finish(
    folder: &Folder,
    storage: &dyn Storage,
    segments: &[u64],
    position: Position,
    mut last: Option<LastRecord>,
) -> Result<End, JournalError> {
    let mut before = position.segment();
    while last.is_none() && before > 1 && segments.contains(&(before - 1)) {
        before -= 1;
        read_segment(&mut SegmentScan::open(folder, storage, before)?, &mut last)?;
    }
    Ok(End { position, last })
}

/// Seals the segments that ended without their seal: the writer died between the end record and the seal.
pub(super) fn seal_ended(
    folder: &Folder,
    storage: &dyn Storage,
    indexes: std::ops::Range<u64>,
) -> Result<(), JournalError> {
    for index in indexes {
        let mut scan = SegmentScan::open(folder, storage, index)?;
        if scan.seal()?.is_some() {
            continue;
        }
        let chain_before = match index {
            1 => [0; 32],
            _ => chain_of(folder, storage, index - 1)?,
        };
        read_segment(&mut scan, &mut None)?;
        let bytes = scan.bytes(0, scan.at)?;
        let mut hasher = ChainHasher::new(chain_before);
        hasher.add(&bytes, true);
        let last_seq = head_of(&bytes[bytes.len() - 64..]).seq;
        let seal = hasher.seal(index, scan.at, last_seq);
        let (file, header) = folder.open_segment(storage, index)?;
        let path = folder.segment(index);
        file.write_at(bytemuck::bytes_of(&seal), header.segment_bytes - SEAL_LEN)
            .context("write", &path)?;
        file.sync_data().context("sync", &path)?;
    }
    Ok(())
}

/// The chain hash in a segment's seal.
pub(super) fn chain_of(folder: &Folder, storage: &dyn Storage, index: u64) -> Result<[u8; 32], JournalError> {
    let scan = SegmentScan::open(folder, storage, index)?;
    let reason = "the seal is missing or damaged";
    let at = scan.header.segment_bytes - SEAL_LEN;
    scan.seal()?
        .map(|seal| seal.chain)
        .ok_or_else(|| corrupt(scan.path(), index, at, reason))
}

/// Cuts everything behind `end`: keeps a copy of what is not zero, replaces the segment by one with the good part, and
/// removes later segments.
pub(super) fn cut(
    folder: &Folder,
    storage: &dyn Storage,
    segments: &[u64],
    end: Position,
) -> Result<Vec<TornTail>, JournalError> {
    let mut torn = Vec::new();
    for &index in segments.iter().filter(|&&index| index > end.segment()) {
        // A later segment was prepared and never reached, or holds records behind a hole.
        let position = Position::start_of(index);
        let bytes = SegmentScan::open(folder, storage, index)?.bytes_after(HEADER_LEN)?;
        torn.extend(keep(folder, storage, position, &bytes)?);
        storage
            .remove(&folder.segment(index))
            .context("remove", &folder.segment(index))?;
    }
    if segments.contains(&end.segment()) {
        let scan = SegmentScan::open(folder, storage, end.segment())?;
        if let Some(tail) = keep(folder, storage, end, &scan.bytes_after(end.offset())?)? {
            torn.insert(0, tail);
            replace(folder, storage, &scan, end)?;
        }
    }
    storage.sync_dir(folder.path()).context("sync", folder.path())?;
    Ok(torn)
}

/// Keeps bytes that are cut off in a file beside the segments. `None` where there are none.
fn keep(
    folder: &Folder,
    storage: &dyn Storage,
    position: Position,
    bytes: &[u8],
) -> Result<Option<TornTail>, JournalError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let kept = folder.torn(position.segment(), position.offset());
    let file = storage
        .create(&kept, bytes.len() as u64)
        .context("create", &kept)?;
    file.write_at(bytes, 0).context("write", &kept)?;
    file.sync_data().context("sync", &kept)?;
    Ok(Some(TornTail {
        position,
        bytes: bytes.len() as u64,
        kept,
    }))
}

/// Puts a new file with the bytes below `end` in place of a segment.
fn replace(
    folder: &Folder,
    storage: &dyn Storage,
    scan: &SegmentScan,
    end: Position,
) -> Result<(), JournalError> {
    let (unfinished, path) = (folder.unfinished(end.segment()), folder.segment(end.segment()));
    let file = storage
        .create(&unfinished, scan.header.segment_bytes)
        .context("allocate", &unfinished)?;
    file.write_at(&scan.bytes(0, end.offset())?, 0)
        .context("write", &unfinished)?;
    file.sync_data().context("sync", &unfinished)?;
    storage.rename(&unfinished, &path).context("rename", &unfinished)
}
