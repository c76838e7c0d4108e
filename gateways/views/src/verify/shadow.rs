//! The auditor beside a running engine: it follows the journal as it is released and looks at everything from time to time.
//!
//! # Invariants
//! - The first difference is the last word: nothing is taken after it, since state that rests on a wrong record would differ in everything.
//! - It reads the journal alone and holds nothing up; how far behind it is does not matter to the engine.

use super::{Auditor, Check};
use crate::error::ViewError;
use crate::reader::Reader;
use std::path::Path;
use tradewind_domain::event::Event;
use tradewind_domain::ids::Seq;
use tradewind_machine::journal::{Follower, Position, StartAt};

/// An auditor that goes on.
pub struct Shadow {
    auditor: Auditor,
    follower: Follower,
    event: Box<Event>,
    last_seq: Seq,
    found: Option<Check>,
}

impl Shadow {
    /// At the first record of the journal of a data folder, with room for every run in it.
    pub fn open(data_dir: &Path) -> Result<Self, ViewError> {
        let reader = Reader::open(data_dir)?;
        Ok(Self {
            auditor: Auditor::new(reader.capacities(), reader.hash_key()),
            follower: Follower::open(data_dir, StartAt::Start)?,
            event: Box::new(Event::empty()),
            last_seq: 0,
            found: None,
        })
    }

    /// Takes at most so many records. Gives how many there were: fewer means that the journal was read to its end.
    pub fn poll(&mut self, count_max: usize) -> Result<usize, ViewError> {
        for taken in 0..count_max {
            let Some(record) = self.follower.poll()? else {
                return Ok(taken);
            };
            let (position, head): (Position, _) = (record.position(), *record.head());
            let event = &mut *self.event;
            event
                .read_record(record.bytes())
                .ok_or(ViewError::UnknownRecord {
                    seq: head.seq,
                    kind: head.kind,
                    position,
                })?;
            if self.found.is_none() {
                self.auditor.see(event);
            }
            self.last_seq = head.seq;
        }
        Ok(count_max)
    }

    /// Looks at everything that was taken so far: the first check that fails, now or before. Within a group of records nothing is looked at.
    pub fn check(&mut self) -> Option<&Check> {
        if self.found.is_none() && !self.auditor.is_open() {
            let report = self.auditor.report();
            self.found = report.checks.into_iter().find(|check| !check.ok);
        }
        self.found.as_ref()
    }

    /// Number of the last record that was taken.
    pub fn last_seq(&self) -> Seq {
        self.last_seq
    }

    /// Records that were audited.
    pub fn records(&self) -> u64 {
        self.auditor.records()
    }
}
