//! The reader: follows the journal on a thread of its own, and makes batches of whole groups.
//!
//! # Invariants
//! - A batch ends with the last part of a group, never between.
//! - Beside the batch that is written there is the one that is made, and no other: memory stays bounded however slow the database is.

use crate::batch::{Batch, RECORDS_MAX, ROWS_MAX};
use crate::error::StoreError;
use crate::position::{Place, Saved};
use crate::project::Projection;
use crate::rows::hex;
use crate::status::Status;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use tradewind_domain::event::{EngineStarted, Event, Head, Kind, head_flags};
use tradewind_machine::idle::{Idle, IdleStrategy};
use tradewind_machine::journal::{self, Follower, JournalError, Position, SegmentState, StartAt};

/// What the reader hands over.
pub(crate) struct Handed {
    pub(crate) batch: Batch,
    /// Where the database stands once it is written.
    pub(crate) after: Saved,
}

/// Follows a journal from where a database stands.
pub(crate) struct Reader {
    data_dir: PathBuf,
    follower: Follower,
    projection: Projection,
    saved: Saved,
    batch: Batch,
    epoch: u32,
    /// Records read since the figures were told.
    untold: u64,
    records_max: u64,
    is_whole: bool,
    /// Behind the last whole group.
    whole_end: Option<Position>,
    /// Nothing from here on is read.
    until: Option<Position>,
}

impl Reader {
    /// A reader that goes on where the database stands, after a check that the journal is the same one.
    pub(crate) fn open(data_dir: &Path, saved: Saved, projection: Projection) -> Result<Self, StoreError> {
        let follower = follow_from(data_dir, &saved)?;
        let saved = Saved {
            journal_id: Some(journal::identity(data_dir)?.id),
            ..saved
        };
        Ok(Self {
            data_dir: data_dir.to_path_buf(),
            follower,
            projection,
            epoch: saved.place.map_or(0, |place| place.epoch),
            saved,
            batch: Batch::default(),
            untold: 0,
            records_max: RECORDS_MAX,
            is_whole: true,
            whole_end: None,
            until: None,
        })
    }

    /// Hands over after so many records, in place of the usual ones.
    pub(crate) fn with_records_max(mut self, records_max: Option<u64>) -> Self {
        self.records_max = records_max.unwrap_or(RECORDS_MAX);
        self
    }

    /// Reads nothing from a place on.
    pub(crate) fn with_end(mut self, until: Option<Position>) -> Self {
        self.until = until;
        self
    }

    /// Where the next record is.
    pub(crate) fn position(&self) -> Position {
        self.follower.position()
    }

    /// Reads and hands over until told to stop and nothing is left, or until nobody takes batches any more: `is_over` says so while
    /// there is nothing to hand over.
    ///
    /// Gives a place where a crash has cut the journal's last group off and whole groups before it were not handed over: the projection
    /// has seen a part of the group by then, so another reader has to hand them over, up to that place. The group itself comes once a
    /// run has finished it.
    pub(crate) fn run(
        mut self,
        hand: &SyncSender<Handed>,
        stop: &AtomicBool,
        is_over: &AtomicBool,
        status: &Status,
    ) -> Result<Option<Position>, StoreError> {
        let mut idle = Idle::new(IdleStrategy::Park);
        idle.enter();
        let mut event = Event::empty();
        while !is_over.load(Ordering::Acquire) {
            let is_last = stop.load(Ordering::Acquire); // before reading: what is in the journal by then is read
            let read = self.read_some(&mut event, status)?;
            let is_full = self.batch.rows() >= ROWS_MAX || self.batch.records >= self.records_max;
            if self.is_whole && !self.batch.is_empty() && (is_full || read == 0) {
                let handed = self.take();
                let after = handed.after;
                // A full batch waits for its turn; a small one grows while the database is busy.
                if is_full || is_last {
                    if hand.send(handed).is_err() {
                        return Ok(None);
                    }
                    self.note_handed(after);
                } else {
                    match hand.try_send(handed) {
                        Ok(()) => self.note_handed(after),
                        Err(TrySendError::Full(handed)) => self.put_back(handed),
                        Err(TrySendError::Disconnected(_)) => return Ok(None),
                    }
                }
            } else if read == 0 && is_last {
                return Ok(self.whole_end.filter(|_| !self.is_whole));
            }
            idle.idle(read);
        }
        Ok(None)
    }

    /// Reads records until the batch is full, or there are none.
    fn read_some(&mut self, event: &mut Event, status: &Status) -> Result<usize, StoreError> {
        const LOOK_EVERY: usize = 4_096;
        let mut count = 0;
        while count < LOOK_EVERY && !(self.is_whole && self.batch.records >= self.records_max) {
            if self.until.is_some_and(|end| self.follower.position() >= end) {
                break;
            }
            let Some(record) = self.follower.poll()? else {
                break;
            };
            let (position, head) = (record.position(), *record.head());
            if event.read_record(record.bytes()).is_none() {
                return Err(StoreError::UnknownRecord {
                    seq: head.seq,
                    kind: head.kind,
                    position,
                });
            }
            self.take_record(event, position, &head);
            count += 1;
        }
        self.untold += count as u64;
        status.note_read(std::mem::take(&mut self.untold), self.follower.released());
        Ok(count)
    }

    fn take_record(&mut self, event: &Event, position: Position, head: &Head) {
        if event.kind() == Some(Kind::EngineStarted) {
            self.epoch = event.body::<EngineStarted>().epoch;
        }
        self.projection.add(event, &mut self.batch);
        self.batch.records += 1;
        self.batch.journaled_ns = head.journaled_ns;
        self.is_whole = head.flags & head_flags::LAST != 0;
        if self.is_whole {
            self.whole_end = Some(self.follower.position());
        }
        self.batch.end = Some(Place {
            next: self.follower.position(),
            last: position,
            crc: head.crc,
            seq: head.seq,
            part: head.part,
            recv_ns: head.recv_ns,
            epoch: self.epoch,
        });
    }

    /// The batch, with where the database stands behind it.
    fn take(&mut self) -> Handed {
        let batch = std::mem::take(&mut self.batch);
        let mut after = Saved {
            place: batch.end,
            ..self.saved
        };
        self.follow_chain(&mut after);
        Handed { batch, after }
    }

    /// What was handed over is behind the reader.
    fn note_handed(&mut self, after: Saved) {
        self.saved = after;
        self.whole_end = None;
    }

    /// Takes a batch back that could not be handed over, to go on with it.
    fn put_back(&mut self, handed: Handed) {
        self.batch = handed.batch;
    }

    /// Notes the chain hash of the newest sealed segment behind the place.
    fn follow_chain(&mut self, after: &mut Saved) {
        let Some(place) = after.place else { return };
        let newest = place.next.segment().saturating_sub(1);
        if newest > self.saved.chain_segment
            && let Ok(info) = journal::segment(&self.data_dir, newest)
            && info.state == SegmentState::Sealed
        {
            (after.chain, after.chain_segment) = (info.chain, newest);
            (self.saved.chain, self.saved.chain_segment) = (info.chain, newest);
        }
    }
}

/// The journal from where a database stands, after a check that it is the same journal.
pub(crate) fn follow_from(data_dir: &Path, saved: &Saved) -> Result<Follower, StoreError> {
    let id = journal::identity(data_dir)?.id;
    if let Some(theirs) = saved.journal_id.filter(|theirs| *theirs != id) {
        return Err(StoreError::OtherJournal {
            theirs: hex(&theirs),
            ours: hex(&id),
        });
    }
    match saved.place {
        None => first(data_dir),
        Some(place) => {
            check_chain(data_dir, saved, &place)?;
            resume(data_dir, &place)
        }
    }
}

/// The journal from its first record on.
fn first(data_dir: &Path) -> Result<Follower, StoreError> {
    let follower = Follower::open(data_dir, StartAt::Start)?;
    let oldest = follower.position();
    if oldest.segment() > 1 {
        return Err(StoreError::Behind { oldest });
    }
    Ok(follower)
}

/// A sealed segment behind the place must be the one that the database saw.
fn check_chain(data_dir: &Path, saved: &Saved, place: &Place) -> Result<(), StoreError> {
    if saved.chain_segment == 0 {
        return Ok(());
    }
    match journal::segment(data_dir, saved.chain_segment) {
        Ok(info) if info.state == SegmentState::Sealed && info.chain == saved.chain => Ok(()),
        Ok(_) => Err(ahead(
            place,
            format!("has another segment {}", saved.chain_segment),
        )),
        Err(JournalError::MissingSegment { .. }) => Ok(()), // retention took it
        Err(error) => Err(error.into()),
    }
}

fn ahead(place: &Place, why: String) -> StoreError {
    StoreError::Ahead { seq: place.seq, why }
}

/// The journal behind the last record that the database has, after a look at that record.
fn resume(data_dir: &Path, place: &Place) -> Result<Follower, StoreError> {
    let mut follower = match Follower::open(data_dir, StartAt::Position(place.last)) {
        Ok(follower) => follower,
        Err(JournalError::Ahead { end, .. }) => return Err(ahead(place, format!("ends at {end}"))),
        Err(JournalError::Expired { oldest, .. }) if place.next >= oldest => {
            return Ok(Follower::open(data_dir, StartAt::Position(place.next))?);
        }
        Err(JournalError::Expired { oldest, .. }) => return Err(StoreError::Behind { oldest }),
        Err(error) => return Err(error.into()),
    };
    let found = match follower.poll() {
        Ok(Some(record)) => Some((record.position(), *record.head())),
        Ok(None) | Err(JournalError::Corrupt { .. } | JournalError::MissingSegment { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    match found {
        Some((position, head)) if position == place.last && is_record(&head, place) => Ok(follower),
        Some((position, head)) => Err(ahead(place, format!("has record {} at {position}", head.seq))),
        None => Err(ahead(place, format!("has no record at {}", place.last))),
    }
}

fn is_record(head: &Head, place: &Place) -> bool {
    (head.crc, head.seq, head.part) == (place.crc, place.seq, place.part)
}
