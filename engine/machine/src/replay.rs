//! Recovery: makes the state of stages from recorded events, and finishes the group that a crash cut off.
//!
//! # Invariants
//! - Records are applied, never decided again; what was cut off is decided as the live pipeline would have gone on.
//! - An input visits all stages; an effect those from the expander on, as it did when it was made.
//!
//! Not here: reading a journal, and what schedules must see. The caller does both.

use crate::append::{Append, Fault, Full};
use crate::expander::Group;
use crate::record::Record;
use crate::sequencer::LastSeen;
use crate::stage::{EXPANDER, Expansion, Stages};
use tradewind_domain::event::{Head, head_flags};
use tradewind_domain::ids::Seq;
use tradewind_domain::time::UnixNanos;

/// Why recorded events are no sequence, or a group cannot be finished.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A record that does not follow the one before it.
    #[error("record {seq}/{part} does not follow {last_seq}/{last_part}")]
    OutOfSequence {
        /// Number of the record.
        seq: Seq,
        /// Its part.
        part: u32,
        /// Number of the record before.
        last_seq: Seq,
        /// Its part.
        last_part: u32,
    },
    /// The group says that more follows, and the expander has nothing more.
    #[error("group {seq} is open after part {part}, but there is nothing to finish it with")]
    NothingToFinish {
        /// Number of the group.
        seq: Seq,
        /// The last part there is.
        part: u32,
    },
    /// The journal failed while the group was finished.
    #[error("the open group could not be written")]
    Journal(#[source] Fault),
}

/// Applies records to stages, in the order of the journal.
pub struct Replay<'a, E> {
    stages: &'a mut Stages<E>,
    last: Option<Head>,
    records: u64,
}

impl<'a, E: Record> Replay<'a, E> {
    /// Onto stages in their first state.
    pub fn new(stages: &'a mut Stages<E>) -> Self {
        Self {
            stages,
            last: None,
            records: 0,
        }
    }

    /// Onto stages that have applied everything up to the record with this head: to finish its group once there is a
    /// journal to write to.
    pub fn resume(stages: &'a mut Stages<E>, last: Head) -> Self {
        Self {
            stages,
            last: Some(last),
            records: 0,
        }
    }

    /// Applies one record. The first one may have any number: a journal may begin anywhere.
    pub fn apply(&mut self, event: &E) -> Result<(), ReplayError> {
        let head = event.head();
        if let Some(last) = &self.last {
            let follows = if last.flags & head_flags::LAST == 0 {
                head.seq == last.seq && head.part == last.part + 1
            } else {
                head.seq == last.seq + 1 && head.part == 0
            };
            if !follows {
                let (seq, part) = (head.seq, head.part);
                return Err(ReplayError::OutOfSequence {
                    seq,
                    part,
                    last_seq: last.seq,
                    last_part: last.part,
                });
            }
        }
        let first = if head.part == 0 { 0 } else { EXPANDER };
        for stage in &mut self.stages[first..] {
            stage.apply(event);
        }
        self.last = Some(*head);
        self.records += 1;
        Ok(())
    }

    /// Records applied so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Number and time of the last input.
    pub fn last(&self) -> LastSeen {
        self.last.as_ref().map_or(LastSeen::default(), |head| LastSeen {
            seq: head.seq,
            recv_ns: head.recv_ns,
        })
    }

    /// True where the last record says that more of its group follows.
    pub fn is_open(&self) -> bool {
        self.last
            .as_ref()
            .is_some_and(|head| head.flags & head_flags::LAST == 0)
    }

    /// Lets the expander finish an open group: its effects go through the later stages and into the journal, stamped
    /// with `now_ns`. Returns how many there were. The state is then that of the live pipeline after the whole group.
    pub fn finish_group<J: Append<E>>(
        &mut self,
        journal: &mut J,
        now_ns: UnixNanos,
    ) -> Result<u64, ReplayError> {
        let Some(last) = self.last.filter(|head| head.flags & head_flags::LAST == 0) else {
            return Ok(0);
        };
        let mut group = Group::after(&last);
        let (mut held, mut next) = (E::empty(), E::empty());
        if self.ask(&mut held) != Expansion::Produced {
            return Err(ReplayError::NothingToFinish {
                seq: last.seq,
                part: last.part,
            });
        }
        let mut effects = 0;
        loop {
            group.adopt(held.head_mut());
            let more = self.ask(&mut next) == Expansion::Produced;
            if more {
                held.head_mut().flags &= !head_flags::LAST;
            }
            self.write(&mut held, journal, now_ns)?;
            effects += 1;
            if !more {
                return Ok(effects);
            }
            std::mem::swap(&mut held, &mut next);
        }
    }

    /// Asks the expander until it has an effect or no more of them.
    fn ask(&mut self, out: &mut E) -> Expansion {
        loop {
            match self.stages[EXPANDER].expand(out) {
                Expansion::Busy => {}
                expansion => return expansion,
            }
        }
    }

    fn write<J: Append<E>>(
        &mut self,
        effect: &mut E,
        journal: &mut J,
        now_ns: UnixNanos,
    ) -> Result<(), ReplayError> {
        for stage in &mut self.stages[EXPANDER + 1..] {
            stage.process(effect);
        }
        while journal.append(effect) == Err(Full) {
            journal.commit(now_ns).map_err(ReplayError::Journal)?;
            std::thread::yield_now();
        }
        journal.commit(now_ns).map_err(ReplayError::Journal)?;
        self.last = Some(*effect.head());
        self.records += 1;
        Ok(())
    }
}
