//! The replica: the engine's state, made from recorded events by the stages themselves in apply mode.
//!
//! # Invariants
//! - After the same records the replica's state is that of the live stages: the digests are equal.
//! - Records are taken in the order of the journal and without gaps, or refused.
//! - A record that would break a stage's own invariants is refused before any stage sees it (see `guard`).
//!
//! Not here: reading the journal (see [`Reader`](crate::Reader)), deciding anything anew (see `verify`).

use crate::error::ViewError;
use crate::guard;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_domain::event::{Capacities, Event, Head, Kind, head_flags};
use tradewind_feeds::{Normalize, Registry};
use tradewind_machine::pipeline::LastSeen;
use tradewind_machine::stage::Stage;
use tradewind_risk::{LimitCheck, Validate};
use tradewind_rules::RuleBook;

/// The five stages, fed with records.
pub struct Replica {
    normalize: Normalize,
    validate: Validate,
    limit: LimitCheck,
    settle: Settle,
    position: Position,
    room: Capacities,
    last: Option<Head>,
    records: u64,
}

impl Replica {
    /// An empty replica. The capacities must be at least those of every run that it will be fed: see
    /// [`Reader::replica`](crate::Reader::replica).
    pub fn new(capacities: &Capacities, hash_key: &[u8; 16]) -> Self {
        Self {
            normalize: Normalize::new(capacities),
            validate: Validate::new(capacities),
            limit: LimitCheck::new(capacities, hash_key),
            settle: Settle::new(capacities),
            position: Position::new(capacities),
            room: *capacities,
            last: None,
            records: 0,
        }
    }

    /// Takes the next record: an input visits all stages, an effect those from the limit check on. A refused record leaves
    /// everything as it was.
    pub fn apply(&mut self, event: &Event) -> Result<(), ViewError> {
        check_order(self.last.as_ref(), &event.head)?;
        guard::check(event, self)?;
        if event.head.part == 0 {
            self.normalize.apply(event);
            self.validate.apply(event);
        }
        self.limit.apply(event);
        self.settle.apply(event);
        self.position.apply(event);
        self.last = Some(event.head);
        self.records += 1;
        Ok(())
    }

    /// Answers a question as the stages would: what is used of a limit, would this order pass. Facts are written into `event`,
    /// which is given the time of the last record; the state stays as it is. Other kinds are left alone.
    pub fn question(&mut self, event: &mut Event) {
        if !matches!(event.kind(), Some(Kind::Probe | Kind::LimitProbe)) {
            return;
        }
        event.head.recv_ns = self.last().recv_ns;
        self.normalize.process(event);
        self.validate.process(event);
        self.limit.process(event);
    }

    /// Hash of the whole state: equal for equal histories, whatever room there is.
    pub fn digest(&self) -> [u8; 32] {
        let stages: [&dyn Stage<Event>; 5] = [
            &self.normalize,
            &self.validate,
            &self.limit,
            &self.settle,
            &self.position,
        ];
        state_digest(stages)
    }

    /// The same in hexadecimal.
    pub fn digest_text(&self) -> String {
        blake3::Hash::from_bytes(self.digest()).to_hex().to_string()
    }

    /// Number and time of the last input.
    pub fn last(&self) -> LastSeen {
        self.last.map_or(LastSeen::default(), |head| LastSeen {
            seq: head.seq,
            recv_ns: head.recv_ns,
        })
    }

    /// True where the last record says that more of its group follows: a crash cut the group off.
    pub fn is_open(&self) -> bool {
        self.last.is_some_and(|head| head.flags & head_flags::LAST == 0)
    }

    /// Records applied.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Names and rows of reference data.
    pub fn registry(&self) -> &Registry {
        self.normalize.registry()
    }

    /// Business rules in force.
    pub fn rules(&self) -> &RuleBook {
        self.validate.rules().book()
    }

    /// Orders, limits, reservations.
    pub fn limit_check(&self) -> &LimitCheck {
        &self.limit
    }

    /// The books.
    pub fn settle(&self) -> &Settle {
        &self.settle
    }

    /// Positions.
    pub fn positions(&self) -> &Position {
        &self.position
    }

    /// The room that tables were allocated for.
    pub(crate) fn room(&self) -> &Capacities {
        &self.room
    }
}

/// The hash of stages' state: BLAKE3 over each stage's name and the BLAKE3 of its rows, in the order of the pipeline. The live
/// engine asks the same of its own stages.
pub fn state_digest<'a>(stages: impl IntoIterator<Item = &'a dyn Stage<Event>>) -> [u8; 32] {
    let mut whole = blake3::Hasher::new();
    for stage in stages {
        let mut rows = blake3::Hasher::new();
        stage.digest(&mut |row| {
            rows.update(row);
        });
        whole.update(stage.name().as_bytes());
        whole.update(rows.finalize().as_bytes());
    }
    *whole.finalize().as_bytes()
}

/// Refuses a record that does not follow the last one. The first one may be any input.
fn check_order(last: Option<&Head>, head: &Head) -> Result<(), ViewError> {
    let Some(last) = last else {
        return match head.part {
            0 => Ok(()),
            _ => Err(ViewError::BeginsLate { seq: head.seq }),
        };
    };
    let due = if last.flags & head_flags::LAST == 0 {
        (last.seq, last.part.wrapping_add(1))
    } else {
        (last.seq.wrapping_add(1), 0)
    };
    if (head.seq, head.part) == due {
        return Ok(());
    }
    Err(ViewError::OutOfSequence {
        seq: head.seq,
        part: head.part,
        last_seq: last.seq,
        last_part: last.part,
    })
}
