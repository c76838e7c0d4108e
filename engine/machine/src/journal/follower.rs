//! A follower: reads released records in order, in the writer's process or another, live or from the files. One code path.
//!
//! While a writer runs, the follower maps the window's control page and segments; a segment that has left the window is
//! read from its file. Where no writer runs, it reads the files up to their end. A new writer is found by itself.
//!
//! # Invariants
//! - Nothing above `released` is returned, and every record returned has a good checksum.
//! - The follower writes nothing and holds nothing up.
//!
//! Not here: waiting. [`poll`](Follower::poll) returns `None` where there is nothing new.
#![allow(unsafe_code)] // reason: it reads released bytes of the mapped window, which never change

use super::error::JournalError;
use super::folder::{Folder, corrupt};
use super::format::{Framed, Position, SEAL_LEN, frame_at};
use super::lock::{Note, is_held};
use super::scan::SegmentScan;
use super::storage::ReadOnlyDisk;
use super::window::{ControlMap, WindowSegment};
use std::path::{Path, PathBuf};
use tradewind_domain::event::Head;

/// Where a follower begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// The oldest record.
    Start,
    /// A position that a record or [`Follower::position`] gave.
    Position(Position),
    /// The first record of this sequence number.
    Seq(u64),
    /// Behind what is released now.
    End,
}

/// One record, in place.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    position: Position,
    bytes: &'a [u8],
}

impl<'a> RecordRef<'a> {
    /// Where it begins.
    pub fn position(&self) -> Position {
        self.position
    }
    /// Its head.
    pub fn head(&self) -> &'a Head {
        bytemuck::from_bytes(&self.bytes[..size_of::<Head>()])
    }
    /// All its bytes, aligned to 16: for [`Record::read_record`](crate::record::Record::read_record), or to read bodies in
    /// place.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Where the bytes of the current segment come from.
enum Source {
    Window(WindowSegment),
    File(SegmentScan),
}

/// How far a follower may read.
enum Bound {
    /// As far as the control page of this window folder says.
    Live(ControlMap, PathBuf),
    /// As far as the files are good; looked up again at each end.
    Files,
    /// To a position, and no further.
    Fixed,
}

/// Reads a journal. `Send`, so that it may live on any thread.
pub struct Follower {
    folder: Folder,
    journal_id: [u8; 16],
    next: Position,
    limit: Position,
    bound: Bound,
    source: Option<Source>,
}

impl Follower {
    /// Follows the journal of a data folder.
    pub fn open(data_dir: &Path, from: StartAt) -> Result<Self, JournalError> {
        let mut follower = Self::over_files(data_dir, Position::default(), Position::default())?;
        follower.bound = Bound::Files;
        match from {
            StartAt::Start => follower.next = Position::start_of(follower.oldest()?),
            StartAt::Position(position) => follower.seek(position)?,
            StartAt::Seq(seq) => follower.seek_seq(seq)?,
            StartAt::End => follower.seek_end()?,
        }
        Ok(follower)
    }

    /// Reads the files between two positions that are known to be good.
    pub(super) fn over_files(data_dir: &Path, from: Position, to: Position) -> Result<Self, JournalError> {
        let folder = Folder::of(data_dir);
        let Some(slot) = folder.read_slot(&ReadOnlyDisk)? else {
            // Segments are never there without it (a start writes it first): then it is lost.
            let is_lost = folder
                .segments(&ReadOnlyDisk)
                .is_ok_and(|segments| !segments.is_empty());
            return Err(match is_lost {
                true => JournalError::DurableLost {
                    path: folder.durable(),
                },
                false => JournalError::NoJournal {
                    path: folder.path().into(),
                },
            });
        };
        let journal_id = slot.journal_id;
        Ok(Self {
            folder,
            journal_id,
            next: from,
            limit: to,
            bound: Bound::Fixed,
            source: None,
        })
    }

    /// Where the next record begins, or will begin. A follower that starts there goes on without a gap.
    pub fn position(&self) -> Position {
        self.next
    }

    /// How far records were released when that was looked up last.
    pub fn released(&self) -> Position {
        self.limit
    }

    /// The next released record; `None` where there is nothing new. After an error the follower stays where it is.
    #[inline]
    pub fn poll(&mut self) -> Result<Option<RecordRef<'_>>, JournalError> {
        let Some((position, len)) = self.advance()? else {
            return Ok(None);
        };
        let bytes = match &self.source {
            // SAFETY: released bytes never change.
            Some(Source::Window(window)) => unsafe {
                window.bytes(position.offset(), position.offset() + len as u64)
            },
            Some(Source::File(scan)) => scan.record(position.offset(), len),
            None => return Ok(None),
        };
        Ok(Some(RecordRef { position, bytes }))
    }

    /// Steps over the next record and says where it stands.
    fn advance(&mut self) -> Result<Option<(Position, usize)>, JournalError> {
        loop {
            if self.next >= self.limit && !self.look_up_limit()? {
                return Ok(None);
            }
            let position = self.next;
            match self.frame()? {
                Framed::Record(len) => {
                    self.next = Position(position.0 + len as u64);
                    return Ok(Some((position, len)));
                }
                Framed::End => {
                    self.next = Position::start_of(position.segment() + 1);
                    self.source = None;
                }
                _ if self.limit == Position(u64::MAX) => {
                    // No writer runs and the files end here, or are torn here, which the next one will cut.
                    self.limit = self.next;
                    return Ok(None);
                }
                Framed::Nothing => return Err(self.corrupt("a released record is missing")),
                Framed::Bad(reason) => return Err(self.corrupt(reason)),
            }
        }
    }

    fn corrupt(&mut self, reason: &str) -> JournalError {
        self.source = None; // a later look reads the bytes anew
        corrupt(
            &self.folder.segment(self.next.segment()),
            self.next.segment(),
            self.next.offset(),
            reason,
        )
    }

    /// Looks at what stands at the next position.
    #[inline]
    fn frame(&mut self) -> Result<Framed, JournalError> {
        let at = self.next.offset();
        if self.source.is_none() {
            self.source = self.open_source(self.next.segment())?;
        }
        match &mut self.source {
            Some(Source::Window(window)) => {
                let end = window.bytes - SEAL_LEN;
                if at >= end {
                    return Ok(Framed::Bad("records run into the seal"));
                }
                let to = if self.limit.segment() == window.index {
                    self.limit.offset().min(end)
                } else {
                    end
                };
                // SAFETY: bytes below `released` never change; where that lies in a later segment, this one is complete.
                let bytes = unsafe { window.bytes(at, to) };
                Ok(frame_at(window.seed, at, bytes, end))
            }
            Some(Source::File(scan)) => {
                scan.at = at;
                scan.frame()
            }
            None => Ok(Framed::Nothing),
        }
    }

    /// The segment's memory while a writer runs and it is in the window, else its file. `None` where the segment was not
    /// made yet.
    fn open_source(&self, index: u64) -> Result<Option<Source>, JournalError> {
        if let Bound::Live(_, window) = &self.bound
            && let Some(segment) = WindowSegment::open(window, index)?
        {
            return Ok(Some(Source::Window(segment)));
        }
        match SegmentScan::open(&self.folder, &ReadOnlyDisk, index) {
            Ok(scan) => Ok(Some(Source::File(scan))),
            Err(JournalError::MissingSegment { path, segment }) => {
                let oldest = self.oldest()?;
                if index < oldest {
                    return Err(JournalError::Expired {
                        asked: self.next,
                        oldest: Position::start_of(oldest),
                    });
                }
                // After a clean stop the next segment is made by the next run only.
                let made_later = self.limit == Position(u64::MAX) || self.limit <= self.next;
                if made_later {
                    Ok(None)
                } else {
                    Err(JournalError::MissingSegment { path, segment })
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Looks up how far records are released. True where that is beyond the next position.
    fn look_up_limit(&mut self) -> Result<bool, JournalError> {
        if let Bound::Live(control, _) = &self.bound {
            let closed = control.is_closed(); // before the position: after closing it does not move
            let released = control.released.position();
            if released > self.limit {
                return Ok(self.extend(released));
            }
            if !closed {
                return Ok(false);
            }
            self.bound = Bound::Files;
            self.source = None;
        }
        match self.bound {
            Bound::Files => self.look_up_files(),
            _ => Ok(false),
        }
    }

    fn extend(&mut self, limit: Position) -> bool {
        self.limit = limit;
        if let Some(Source::File(scan)) = &mut self.source {
            scan.forget();
        }
        limit > self.next
    }

    /// Without a control page: attaches to a writer if one is there, else goes by the files.
    fn look_up_files(&mut self) -> Result<bool, JournalError> {
        let note = Note::read(&self.folder.lock());
        if let Some(window) = note.and_then(|note| note.window)
            && let Some(control) = ControlMap::open(&window, &self.journal_id)?
            && !control.is_closed()
        {
            let released = control.released.position();
            self.bound = Bound::Live(control, window);
            self.source = None;
            return Ok(released > self.limit && self.extend(released));
        }
        let slot = self.folder.read_slot(&ReadOnlyDisk)?;
        if let Some(slot) = slot
            && slot.position > self.limit.0
        {
            return Ok(self.extend(Position(slot.position)));
        }
        let ended_clean = slot.is_some_and(|slot| slot.clean == 1);
        if ended_clean || is_held(&self.folder.lock()) {
            return Ok(false);
        }
        Ok(self.extend(Position(u64::MAX)))
    }

    fn oldest(&self) -> Result<u64, JournalError> {
        Ok(self.folder.segments(&ReadOnlyDisk)?.first().copied().unwrap_or(1))
    }

    fn seek(&mut self, position: Position) -> Result<(), JournalError> {
        let oldest = Position::start_of(self.oldest()?);
        if !position.offset().is_multiple_of(64) || position < Position::start_of(position.segment()) {
            return Err(JournalError::Config(format!(
                "position {position} is not where a record can begin"
            )));
        }
        if position < oldest {
            return Err(JournalError::Expired {
                asked: position,
                oldest,
            });
        }
        self.next = position;
        self.look_up_limit()?;
        self.look_up_limit()?; // without a writer, the first one found only what `durable` says
        if position > self.limit {
            return Err(JournalError::Ahead {
                asked: position,
                end: self.limit,
            });
        }
        Ok(())
    }

    /// Goes to the first record of a sequence number. Where a segment is removed under its eyes, it looks again at what is left.
    fn seek_seq(&mut self, seq: u64) -> Result<(), JournalError> {
        loop {
            match self.seek_seq_once(seq) {
                Err(JournalError::Expired { .. }) => {}
                sought => return sought,
            }
        }
    }

    /// From the last segment that begins before the number.
    fn seek_seq_once(&mut self, seq: u64) -> Result<(), JournalError> {
        let segments = self.folder.segments(&ReadOnlyDisk)?;
        let oldest = segments.first().copied().unwrap_or(1);
        for &index in segments.iter().rev() {
            self.go_to(Position::start_of(index));
            let first = self.poll()?.map(|record| (record.head().seq, record.head().part));
            let begins_before = first.is_some_and(|first| first <= (seq, 0));
            if begins_before || index == oldest {
                if let Some((first, _)) = first.filter(|_| !begins_before && oldest > 1) {
                    return Err(JournalError::SeqExpired { asked: seq, first });
                }
                self.go_to(Position::start_of(index));
                break;
            }
        }
        self.skip_to_seq(seq)
    }

    fn skip_to_seq(&mut self, seq: u64) -> Result<(), JournalError> {
        let mut last = 0;
        loop {
            let before = self.next;
            match self.poll()?.map(|record| record.head().seq) {
                Some(found) if found >= seq => {
                    self.rewind(before);
                    return Ok(());
                }
                Some(found) => last = found,
                None if last + 1 < seq => {
                    return Err(JournalError::SeqAhead { asked: seq, last });
                }
                None => return Ok(()),
            }
        }
    }

    fn seek_end(&mut self) -> Result<(), JournalError> {
        self.next = Position::start_of(self.oldest()?);
        self.look_up_limit()?;
        self.look_up_limit()?; // without a writer, the first one found only what `durable` says
        if self.limit == Position(u64::MAX) || self.limit < self.next {
            while self.poll()?.is_some() {}
        } else {
            self.next = self.limit;
            self.source = None;
        }
        Ok(())
    }

    fn go_to(&mut self, position: Position) {
        self.next = position;
        self.source = None;
    }

    /// Back to a record read just before; the segment may have changed in between.
    fn rewind(&mut self, position: Position) {
        if position.segment() != self.next.segment() {
            self.source = None;
        }
        self.next = position;
    }
}
