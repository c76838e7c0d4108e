//! Looks at a journal from outside: lists its segments, checks its structure, repairs it on demand.
//!
//! `segments` and `verify` take no lock and write nothing, so they work beside a running writer.
//!
//! Not here: whether the events make sense. That needs the stages.

use super::archiver::ChainHasher;
use super::config::JournalConfig;
use super::error::{IoContext, JournalError};
use super::folder::{Folder, SlotFile};
use super::follower::{Follower, StartAt};
use super::format::{DurableSlot, Framed, Position, SEAL_LEN, head_of};
use super::lock::Lock;
use super::recovery::{TornTail, cut, seal_ended};
use super::scan::SegmentScan;
use super::storage::{DiskStorage, ReadOnlyDisk};
use bytemuck::Zeroable;
use std::path::{Path, PathBuf};
use tradewind_domain::event::head_flags;

/// How far a segment got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentState {
    /// Complete: it ends with an end record and a seal.
    Sealed,
    /// Records are being written to it, or it is the last one.
    Open,
    /// Prepared ahead; no record yet.
    Empty,
}

/// A segment file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Index of the segment.
    pub index: u64,
    /// The file.
    pub path: PathBuf,
    /// How far it got.
    pub state: SegmentState,
    /// Sequence number of the first record; 0 where there is none.
    pub first_seq: u64,
    /// Sequence number of the last record, as the seal says; 0 where it is not sealed.
    pub last_seq: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Run in which the segment was made.
    pub epoch: u32,
    /// Hash of the record layouts.
    pub schema_hash: u64,
    /// Chain hash of the seal; zeros where it is not sealed.
    pub chain: [u8; 32],
}

/// Lists the segments of a data folder, rising.
pub fn segments(data_dir: &Path) -> Result<Vec<SegmentInfo>, JournalError> {
    let folder = Folder::of(data_dir);
    folder
        .segments(&ReadOnlyDisk)?
        .into_iter()
        .map(|index| segment_info(&folder, index))
        .collect()
}

/// One segment of a data folder.
pub fn segment(data_dir: &Path, index: u64) -> Result<SegmentInfo, JournalError> {
    segment_info(&Folder::of(data_dir), index)
}

fn segment_info(folder: &Folder, index: u64) -> Result<SegmentInfo, JournalError> {
    let mut scan = SegmentScan::open(folder, &ReadOnlyDisk, index)?;
    let first_seq = match scan.frame()? {
        Framed::Record(len) => head_of(scan.record(scan.at, len)).seq,
        _ => 0,
    };
    let seal = scan.seal()?;
    let state = match (seal, first_seq) {
        (Some(_), _) => SegmentState::Sealed,
        (None, 0) => SegmentState::Empty,
        (None, _) => SegmentState::Open,
    };
    Ok(SegmentInfo {
        index,
        path: folder.segment(index),
        state,
        first_seq,
        last_seq: seal.map_or(0, |seal| seal.last_seq),
        bytes: scan.header.segment_bytes,
        epoch: scan.header.epoch,
        schema_hash: scan.header.schema_hash,
        chain: seal.map_or([0; 32], |seal| seal.chain),
    })
}

/// Something that is wrong with a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub position: Position,
    /// What.
    pub text: String,
}

/// What a check of the structure found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Records with a good checksum.
    pub records: u64,
    /// Groups (inputs with their effects) that are complete.
    pub groups: u64,
    /// Bytes of those records.
    pub bytes: u64,
    /// Segments that records were found in.
    pub segments: u64,
    /// Seals that hold: the hash is that of the segment, and chained to the one before.
    pub seals: u64,
    /// Sequence number of the first and of the last record; 0 where there is none.
    pub seqs: (u64, u64),
    /// True where the last group is open, as a crash may leave it.
    pub open_group: bool,
    /// Where the records end.
    pub end: Position,
    /// What is wrong; empty where the journal is sound.
    pub problems: Vec<Problem>,
}

/// Checks every record's checksum, the sequence without gaps, every seal and their chain.
pub fn verify(data_dir: &Path) -> Result<VerifyReport, JournalError> {
    let mut report = VerifyReport::default();
    check_records(data_dir, &mut report)?;
    check_seals(&Folder::of(data_dir), &mut report)?;
    Ok(report)
}

/// The record before, as far as the order of records depends on it.
#[derive(Clone, Copy)]
struct Before {
    seq: u64,
    part: u32,
    closed: bool,
}

fn check_records(data_dir: &Path, report: &mut VerifyReport) -> Result<(), JournalError> {
    let mut follower = Follower::open(data_dir, StartAt::Start)?;
    let mut before: Option<Before> = None;
    loop {
        let record = match follower.poll() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(JournalError::Corrupt {
                segment,
                offset,
                reason,
                ..
            }) => {
                report.problems.push(Problem {
                    position: Position::new(segment, offset),
                    text: reason,
                });
                break;
            }
            Err(error) => return Err(error),
        };
        let (position, head, bytes) = (record.position(), record.head(), record.bytes().len() as u64);
        let here = Before {
            seq: head.seq,
            part: head.part,
            closed: head.flags & head_flags::LAST != 0,
        };
        if let Some(text) = before.and_then(|before| out_of_order(before, here)) {
            report.problems.push(Problem { position, text });
        }
        report.count(before, here, bytes);
        before = Some(here);
    }
    report.end = follower.position();
    report.segments = segments_between(&Folder::of(data_dir), report.end)?;
    report.open_group = before.is_some_and(|before| !before.closed);
    Ok(())
}

impl VerifyReport {
    fn count(&mut self, before: Option<Before>, here: Before, bytes: u64) {
        self.records += 1;
        self.bytes += bytes;
        self.groups += u64::from(here.closed);
        self.seqs = (if before.is_none() { here.seq } else { self.seqs.0 }, here.seq);
    }
}

/// What is wrong with a record that stands behind another; `None` where it follows.
fn out_of_order(before: Before, here: Before) -> Option<String> {
    let expected = if before.closed {
        (before.seq + 1, 0)
    } else {
        (before.seq, before.part + 1)
    };
    if (here.seq, here.part) == expected {
        return None;
    }
    Some(format!(
        "sequence {}/{} where {}/{} is due",
        here.seq, here.part, expected.0, expected.1
    ))
}

fn segments_between(folder: &Folder, end: Position) -> Result<u64, JournalError> {
    let indexes = folder.segments(&ReadOnlyDisk)?;
    Ok(indexes
        .iter()
        .filter(|&&index| Position::start_of(index) < end)
        .count() as u64)
}

/// Checks the seals of all segments below the one in which the records end.
fn check_seals(folder: &Folder, report: &mut VerifyReport) -> Result<(), JournalError> {
    let mut chain: Option<[u8; 32]> = None;
    // A segment below `durable` has its seal; one above may still be waiting for the archiver.
    let durable = folder
        .read_slot(&ReadOnlyDisk)?
        .map_or(0, |slot| Position(slot.position).segment());
    for index in folder.segments(&ReadOnlyDisk)? {
        if index >= report.end.segment() {
            break;
        }
        let scan = SegmentScan::open(folder, &ReadOnlyDisk, index)?;
        let Some(seal) = scan.seal()? else {
            if index < durable {
                report.seal_problem(&scan, "the seal is missing or damaged");
            }
            chain = None;
            continue;
        };
        let before = if index == 1 {
            [0; 32]
        } else {
            chain.unwrap_or(seal.chain_before)
        };
        let limit = scan.header.segment_bytes - SEAL_LEN;
        if seal.segment != index || seal.end > limit || seal.chain_before != before {
            report.seal_problem(&scan, "the seal does not follow the one before");
        } else if seal_hash(&scan, seal.end, before)? != seal.chain {
            report.seal_problem(&scan, "the seal's hash is not that of the segment");
        } else {
            report.seals += 1;
        }
        chain = Some(seal.chain);
    }
    Ok(())
}

impl VerifyReport {
    fn seal_problem(&mut self, scan: &SegmentScan, text: &str) {
        let position = Position::new(scan.header.segment, scan.header.segment_bytes - SEAL_LEN);
        self.problems.push(Problem {
            position,
            text: text.to_owned(),
        });
    }
}

fn seal_hash(scan: &SegmentScan, end: u64, chain_before: [u8; 32]) -> Result<[u8; 32], JournalError> {
    let mut hasher = ChainHasher::new(chain_before);
    hasher.add(&scan.bytes(0, end)?, true);
    Ok(hasher.seal(scan.header.segment, end, 0).chain)
}

/// Cuts a journal at its first bad record, even where that was durable, and keeps a copy of what stood behind. Takes the
/// lock; to be asked for explicitly, because what is cut was promised to be there. Returns what was cut.
///
/// A writer's window that is left over is not taken in: start the engine for that.
pub fn repair(config: &JournalConfig) -> Result<Vec<TornTail>, JournalError> {
    let folder = Folder::of(&config.dir);
    let segments = folder.segments(&DiskStorage)?;
    let Some(&first) = segments.first() else {
        return Err(JournalError::NoJournal {
            path: folder.path().into(),
        });
    };
    let lock = Lock::take(&folder.lock())?;
    let (mut epoch, mut journal_id, mut end) = (0, [0; 16], Position::start_of(first));
    let mut ended_below = first;
    for &index in &segments {
        if index != end.segment() {
            break; // a segment is missing, or the one before did not end
        }
        let Ok(mut scan) = SegmentScan::open(&folder, &DiskStorage, index) else {
            break;
        };
        (epoch, journal_id) = (scan.header.epoch.max(epoch), scan.header.journal_id);
        end = good_end(&mut scan)?;
        ended_below = end.segment();
    }
    let slot = match folder.read_slot(&DiskStorage) {
        Ok(slot) => slot.unwrap_or(DurableSlot::zeroed()),
        Err(JournalError::DurableLost { path }) => {
            std::fs::remove_file(&path).context("remove", &path)?;
            DurableSlot {
                epoch,
                journal_id,
                shard: config.shard,
                ..DurableSlot::zeroed()
            }
        }
        Err(error) => return Err(error),
    };
    let torn = cut(&folder, &DiskStorage, &segments, end)?;
    seal_ended(&folder, &DiskStorage, first..ended_below)?;
    let slot = DurableSlot {
        counter: slot.counter + 1,
        position: end.0,
        clean: 0,
        epoch: slot.epoch.max(epoch),
        journal_id,
        ..slot
    };
    SlotFile::open(&folder, &DiskStorage, slot)?.write(slot)?;
    drop(lock);
    Ok(torn)
}

/// Where the good records of a segment end; the start of the next one where it is complete.
fn good_end(scan: &mut SegmentScan) -> Result<Position, JournalError> {
    let index = scan.header.segment;
    loop {
        match scan.frame()? {
            Framed::Record(len) => scan.at += len as u64,
            Framed::End => return Ok(Position::start_of(index + 1)),
            Framed::Nothing | Framed::Bad(_) => return Ok(Position::new(index, scan.at)),
        }
    }
}
