//! Replay: the state that a journal leads to, as a hash, with counts of what it took.
//!
//! Not here: comparing decisions (see `verify`); a replay believes the record.

use crate::error::ViewError;
use crate::reader::Reader;
use crate::replica::Replica;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use tradewind_domain::event::{Event, Head, Kind};
use tradewind_domain::ids::Seq;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;

/// Where a replay ends. Inputs are taken with all their effects or not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayOptions {
    /// After this sequence number.
    pub to_seq: Option<Seq>,
    /// After the last input that ingest took at this time or before, in nanoseconds.
    pub to_time_ns: Option<UnixNanos>,
}

impl ReplayOptions {
    pub(crate) fn ends_before(&self, head: &Head) -> bool {
        self.to_seq.is_some_and(|seq| head.seq > seq) || self.to_time_ns.is_some_and(|ns| head.recv_ns > ns)
    }
}

/// What a replay took and came to.
#[derive(Clone, Debug, Serialize)]
pub struct ReplaySummary {
    /// Hash of the state, in hexadecimal: equal for equal histories.
    pub digest: String,
    /// Number of the last input; 0 for an empty journal.
    pub last_seq: Seq,
    /// When ingest took it, in nanoseconds.
    pub last_recv_ns: UnixNanos,
    /// Records applied.
    pub records: u64,
    /// Inputs among them.
    pub inputs: u64,
    /// Effects among them.
    pub effects: u64,
    /// Bytes of those records.
    pub bytes: u64,
    /// True where the last group is open: a crash cut it off, and the next start will finish it.
    pub open_group: bool,
    /// Records by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Refused inputs by code.
    pub rejects: BTreeMap<String, u64>,
    /// Time that applying took, reading included, in seconds.
    pub seconds: f64,
    /// Records a second.
    pub records_per_s: f64,
}

/// The state, and what led to it.
pub struct Replay {
    /// The stages as they stand.
    pub replica: Replica,
    /// Counts and hash.
    pub summary: ReplaySummary,
    /// What the last run has recorded.
    pub last_run: RecordCounts,
}

/// Applies a journal to an empty replica. `clock` measures how long it takes.
pub fn replay(data_dir: &Path, options: ReplayOptions, clock: &Clock) -> Result<Replay, ViewError> {
    let mut reader = Reader::open(data_dir)?;
    let mut replica = reader.replica();
    let (mut counts, mut last_run) = (RecordCounts::default(), RecordCounts::default());
    let mut event = Event::empty();
    let begun = clock.raw();
    while reader.next_into(&mut event)?.is_some() {
        if options.ends_before(&event.head) {
            break;
        }
        replica.apply(&event)?;
        counts.count(&event);
        last_run.count_in_run(&event);
    }
    let seconds = clock.span_ns(begun, clock.raw()) as f64 / 1e9;
    let summary = counts.into_summary(&replica, seconds);
    Ok(Replay {
        replica,
        summary,
        last_run,
    })
}

/// How many records there were, by kind and by refusal.
#[derive(Clone, Debug)]
pub struct RecordCounts {
    kinds: [u64; 256],
    rejects: BTreeMap<u16, u64>,
    /// Records, effects included.
    pub records: u64,
    /// Inputs among them.
    pub inputs: u64,
    /// Bytes of the records.
    pub bytes: u64,
}

impl Default for RecordCounts {
    fn default() -> Self {
        Self {
            kinds: [0; 256],
            rejects: BTreeMap::new(),
            records: 0,
            inputs: 0,
            bytes: 0,
        }
    }
}

impl RecordCounts {
    /// Counts a record.
    pub fn count(&mut self, event: &Event) {
        self.kinds[usize::from(event.head.kind & 0xff)] += 1;
        self.records += 1;
        self.inputs += u64::from(event.head.part == 0);
        self.bytes += event.record_len() as u64;
        if event.is_rejected() {
            *self.rejects.entry(event.head.outcome).or_default() += 1;
        }
    }

    /// Counts a record of a run: one that begins a run begins the counts.
    pub fn count_in_run(&mut self, event: &Event) {
        if event.kind() == Some(Kind::EngineStarted) {
            *self = Self::default();
        }
        self.count(event);
    }

    /// Records by kind.
    pub fn kinds(&self) -> BTreeMap<String, u64> {
        let kinds = Kind::ALL
            .iter()
            .map(|&kind| (kind.text().to_owned(), self.kinds[kind as usize & 0xff]));
        kinds.filter(|(_, count)| *count != 0).collect()
    }

    /// Refused inputs by code.
    pub fn rejects(&self) -> BTreeMap<String, u64> {
        let text = |number: u16| {
            let code = RejectCode::from_number(number);
            code.map_or_else(|| number.to_string(), |code| code.text().to_owned())
        };
        let rejects = self.rejects.iter();
        rejects.map(|(number, count)| (text(*number), *count)).collect()
    }

    fn into_summary(self, replica: &Replica, seconds: f64) -> ReplaySummary {
        ReplaySummary {
            digest: replica.digest_text(),
            last_seq: replica.last().seq,
            last_recv_ns: replica.last().recv_ns,
            records: self.records,
            inputs: self.inputs,
            effects: self.records - self.inputs,
            bytes: self.bytes,
            open_group: replica.is_open(),
            kinds: self.kinds(),
            rejects: self.rejects(),
            seconds,
            records_per_s: if seconds > 0.0 {
                self.records as f64 / seconds
            } else {
                0.0
            },
        }
    }
}
