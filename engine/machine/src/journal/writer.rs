//! The writer's end of the journal, on the pipeline thread.
//!
//! [`append`](JournalWriter::append) copies a record into the window and checksums it; [`commit`](JournalWriter::commit)
//! makes all records appended since the last commit valid, in order, and lets followers see them.
//!
//! # Invariants
//! - No allocation, system call, lock or formatting.
//! - A record whose length word is not zero is complete.
//!
//! Not here: waiting. Where the window is full, `append` says so and the caller decides how to idle.
#![allow(unsafe_code)] // reason: it writes mapped memory that it alone owns above `committed`

use super::config::Durability;
use super::crc::record_crc;
use super::error::JournalError;
use super::format::{END_KIND, END_LEN, HEADER_LEN, Position, RECORD_MAX, records_end};
use super::recovery::LastRecord;
use super::shared::{Segment, Shared};
use crate::append::{Append, Fault, Full};
use crate::record::Record;
use bytemuck::Zeroable;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tradewind_domain::event::{HEAD_LEN, Head};
use tradewind_domain::time::UnixNanos;

/// The most records of one commit.
pub const BATCH_MAX: usize = 1024;

/// A record that is written and not committed.
#[derive(Clone, Copy)]
struct Pending {
    at: u32,
    len: u32,
}

/// Writes records. One per journal.
pub struct JournalWriter {
    shared: Arc<Shared>,
    segment: Arc<Segment>,
    /// The segment before, while records in it are not committed.
    previous: Option<Arc<Segment>>,
    /// Byte of the next record.
    at: u64,
    /// Where records of the segment must have ended.
    end: u64,
    /// Records since the last commit. Room for a batch and an end record is allocated once.
    pending: Vec<Pending>,
    /// How many of them are in `previous`.
    pending_before: usize,
    ready: rtrb::Consumer<Arc<Segment>>,
    /// Sequence number and part of the last record.
    last: (u64, u32),
    releases: bool,
}

impl JournalWriter {
    pub(super) fn new(
        shared: Arc<Shared>,
        segment: Arc<Segment>,
        at: u64,
        last: Option<LastRecord>,
        ready: rtrb::Consumer<Arc<Segment>>,
    ) -> Self {
        let end = records_end(segment.window.bytes);
        let releases = shared.config.durability == Durability::Memory;
        let pending = Vec::with_capacity(BATCH_MAX + 1);
        let last = last.map_or((0, 0), |last| (last.seq, last.part));
        Self {
            shared,
            segment,
            previous: None,
            at,
            end,
            pending,
            pending_before: 0,
            ready,
            last,
            releases,
        }
    }

    /// Writes a record behind the others, not yet valid. On [`Full`] nothing was written of it: commit, then try again.
    /// The batch is full, or the window is because the disk is behind.
    #[inline]
    pub fn append<R: Record>(&mut self, record: &R) -> Result<(), Full> {
        let len = record.record_len();
        if self.pending.len() >= BATCH_MAX {
            return Err(Full);
        }
        if self.at + len as u64 > self.end {
            self.roll()?;
        }
        self.write(*record.head(), record.body_bytes(), record.tail(), len);
        let head = record.head();
        self.last = (head.seq, head.part);
        Ok(())
    }

    /// Records appended and not committed.
    #[inline]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Makes everything appended valid and lets readers know. Returns the position after it. An error says that the
    /// journal cannot go on; nothing more is released then.
    #[inline]
    pub fn commit(&mut self, now_ns: UnixNanos) -> Result<Position, JournalError> {
        if self.shared.has_failed() {
            return Err(self.failure());
        }
        let position = Position::new(self.segment.window.index, self.at);
        if self.pending.is_empty() {
            return Ok(position);
        }
        let (before, current) = self.pending.split_at(self.pending_before);
        if let Some(previous) = self.previous.take() {
            publish(&previous, before, now_ns);
        }
        publish(&self.segment, current, now_ns);
        self.pending.clear();
        self.pending_before = 0;
        self.shared.control.committed.set(position);
        if self.releases {
            self.shared.control.released.set(position);
        }
        Ok(position)
    }

    #[cold]
    fn failure(&self) -> JournalError {
        self.shared
            .failure()
            .unwrap_or_else(|| JournalError::Failed("for an unknown reason".to_owned()))
    }

    /// True while the disk or the window has no room for another segment: new orders are to be refused, so that what is
    /// left serves fills and cancels.
    #[inline]
    pub fn space_low(&self) -> bool {
        self.shared.space_low.load(Ordering::Relaxed)
    }

    /// Position up to which followers may read.
    #[inline]
    pub fn released(&self) -> Position {
        self.shared.control.released.position()
    }

    /// Goes on in the next segment, if it is there and the batch has not changed segments already.
    #[cold]
    fn roll(&mut self) -> Result<(), Full> {
        if self.previous.is_some() {
            return Err(Full);
        }
        let next = self.ready.pop().map_err(|_| Full)?;
        let (seq, part) = self.last;
        let head = Head {
            seq,
            part,
            kind: END_KIND,
            ..Head::zeroed()
        };
        self.write(head, &[], &[], END_LEN as usize);
        self.segment.window.set_ended(self.at);
        self.pending_before = self.pending.len();
        self.at = HEADER_LEN;
        self.end = records_end(next.window.bytes);
        self.previous = Some(std::mem::replace(&mut self.segment, next));
        Ok(())
    }

    /// Copies a record to the next place. The memory there is zero: nobody has written it since it was allocated.
    #[inline]
    fn write(&mut self, mut head: Head, body: &[u8], tail: &[u8], len: usize) {
        let (tail_at, used) = (HEAD_LEN + body.len(), HEAD_LEN + body.len() + tail.len());
        assert!(
            used <= len && len <= RECORD_MAX && len.is_multiple_of(64),
            "Invariant: a record has its whole length"
        );
        // SAFETY: the range is above `committed`, and there is one writer.
        let record = unsafe { self.segment.window.bytes_mut(self.at, len) };
        head.len = 0;
        head.crc = 0;
        head.journaled_ns = 0;
        record[..HEAD_LEN].copy_from_slice(bytemuck::bytes_of(&head));
        record[HEAD_LEN..tail_at].copy_from_slice(body);
        record[tail_at..used].copy_from_slice(tail);
        let crc = record_crc(self.segment.window.seed, self.at, record);
        record[4..8].copy_from_slice(&crc.to_le_bytes());
        self.pending.push(Pending {
            at: self.at as u32,
            len: len as u32,
        });
        self.at += len as u64;
    }
}

impl<R: Record> Append<R> for JournalWriter {
    #[inline]
    fn append(&mut self, event: &R) -> Result<(), Full> {
        JournalWriter::append(self, event)
    }
    #[inline]
    fn commit(&mut self, now_ns: UnixNanos) -> Result<(), Fault> {
        match JournalWriter::commit(self, now_ns) {
            Ok(_) => Ok(()),
            Err(error) => Err(Fault(Box::new(error))),
        }
    }
    fn space_low(&self) -> bool {
        JournalWriter::space_low(self)
    }
}

/// Makes records valid, in order.
#[inline]
fn publish(segment: &Segment, records: &[Pending], now_ns: UnixNanos) {
    for record in records {
        // SAFETY: the caller is the writer, and the records are above `committed`.
        unsafe { segment.window.publish(u64::from(record.at), record.len, now_ns) };
    }
}
