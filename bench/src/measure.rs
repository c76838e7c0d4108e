//! Reads what the run did from its journal, after the run: nothing follows beside it that could disturb.
//!
//! The end of a latency is `journaled_ns` of the input's last record: taken once for each batch, right before its records
//! are released. Under durability `disk` records are released later, and the moment at which the sender saw that counts.
//!
//! # Invariants
//! - The k-th input of the sender's ring in the journal is the k-th message it sent: a ring keeps its order.
//! - Warm-up counts nowhere but in the state that it leaves.
//!
//! Not here: latencies without the machine's hiccups. From the pipeline's own time stamps a pause of the machine cannot be
//! told from one of the engine, so nothing is taken out; hiccups stand beside ([`crate::machine_noise`]).

use crate::open_loop::Sent;
use crate::percentiles::Latencies;
use crate::workload::{Outcome, Outcomes, Workload};
use std::path::Path;
use tradewind_domain::event::{Head, Kind, head_flags};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::journal::{Follower, JournalError, Position, StartAt};

/// Parts of the measured span whose rates are given one by one.
pub const SPANS: usize = 10;

/// What a run did, from its journal.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Planned send to released, all measured messages.
    pub latency: Latencies,
    /// The same, new orders alone.
    pub orders: Latencies,
    /// The same, fills alone.
    pub fills: Latencies,
    /// From the moment at which the sender came to the message: without what the sender itself was late.
    pub from_send: Latencies,
    /// Measured inputs.
    pub events: u64,
    /// New orders among them, refused ones included.
    pub order_count: u64,
    /// Records of these inputs, effects included.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// From the first measured record's time to the last one's, nanoseconds.
    pub span_ns: u64,
    /// Inputs a second in each tenth of the measured span; `None` where a whole tenth was released at one moment.
    pub rates: Vec<Option<f64>>,
    /// Outcomes of the measured inputs.
    pub outcomes: Outcomes,
    /// Refused inputs of any other source: the preparation should have none.
    pub other_refused: u64,
}

/// Why a run could not be read.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The journal.
    #[error("the journal of the run cannot be read")]
    Journal(#[from] JournalError),
    /// Messages are missing.
    #[error("the journal holds {found} of {sent} messages")]
    Missing {
        /// Inputs found.
        found: u64,
        /// Messages sent.
        sent: u64,
    },
}

impl Measured {
    fn per_second(&self, count: u64) -> f64 {
        if self.span_ns == 0 {
            0.0
        } else {
            count as f64 * 1e9 / self.span_ns as f64
        }
    }

    /// Inputs a second over the measured span.
    pub fn events_per_s(&self) -> f64 {
        self.per_second(self.events)
    }

    /// New orders, with all that becomes of them, a second.
    pub fn order_cycles_per_s(&self) -> f64 {
        self.per_second(self.order_count)
    }

    /// Journal bytes for each input.
    pub fn bytes_per_event(&self) -> f64 {
        self.bytes as f64 / self.events.max(1) as f64
    }
}

/// Reads the journal of `data_dir` from `from` on. `source` is the number of the sender's ring
/// ([`Source::id`](tradewind_machine::source::Source::id)).
pub fn read(
    data_dir: &Path,
    from: StartAt,
    source: u16,
    workload: &Workload,
    sent: &Sent,
) -> Result<Measured, MeasureError> {
    let mut follower = Follower::open(data_dir, from)?;
    let mut reader = Reader::new(source, workload, sent);
    while reader.found < sent.late_ns.len() as u64 || reader.is_open {
        let Some(record) = follower.poll()? else { break };
        reader.take(record.position(), record.head());
    }
    if reader.found < sent.late_ns.len() as u64 {
        return Err(MeasureError::Missing {
            found: reader.found,
            sent: sent.late_ns.len() as u64,
        });
    }
    Ok(reader.finish())
}

/// Takes records in order.
struct Reader<'a> {
    source: u16,
    warmup: u64,
    span_len: u64,
    sent: &'a Sent,
    release_at: usize,
    /// Inputs of the sender so far.
    found: u64,
    /// Kind and time of the input whose last record has not come yet.
    input: Head,
    is_open: bool,
    first_ns: UnixNanos,
    last_ns: UnixNanos,
    span_began_ns: UnixNanos,
    measured: Measured,
}

impl<'a> Reader<'a> {
    fn new(source: u16, workload: &Workload, sent: &'a Sent) -> Self {
        let warmup = workload.warmup_messages();
        Self {
            source,
            warmup,
            span_len: ((workload.messages() - warmup) / SPANS as u64).max(1),
            sent,
            release_at: 0,
            found: 0,
            input: bytemuck::Zeroable::zeroed(),
            is_open: false,
            first_ns: 0,
            last_ns: 0,
            span_began_ns: 0,
            measured: Measured::default(),
        }
    }

    fn take(&mut self, position: Position, head: &Head) {
        if head.source != self.source {
            let is_event = Kind::from_number(head.kind).is_some();
            self.measured.other_refused += u64::from(is_event && head.outcome != 0);
            return;
        }
        if head.part == 0 {
            self.found += 1;
            self.input = *head;
            self.is_open = true;
        }
        let is_last = head.flags & head_flags::LAST != 0;
        self.is_open &= !is_last;
        if self.found <= self.warmup {
            return;
        }
        self.measured.records += 1;
        self.measured.bytes += u64::from(head.len);
        if head.part == 0 {
            self.count(head);
        }
        if is_last {
            self.end_input(position, head.journaled_ns);
        }
    }

    fn count(&mut self, head: &Head) {
        let measured = &mut self.measured;
        measured.events += 1;
        measured.order_count += u64::from(head.kind == Kind::OrderNew as u16);
        let outcome = Outcome {
            kind: head.kind,
            code: head.outcome,
        };
        *measured.outcomes.entry(outcome).or_default() += 1;
    }

    fn end_input(&mut self, position: Position, journaled_ns: UnixNanos) {
        let released_ns = self.released_ns(position, journaled_ns);
        let latency = released_ns.saturating_sub(self.input.origin_ns);
        let late = self
            .sent
            .late_ns
            .get((self.found - 1) as usize)
            .copied()
            .unwrap_or(0);
        let measured = &mut self.measured;
        measured.latency.record(latency);
        measured.from_send.record(latency.saturating_sub(u64::from(late)));
        match Kind::from_number(self.input.kind) {
            Some(Kind::OrderNew) => measured.orders.record(latency),
            Some(Kind::VenueFill) => measured.fills.record(latency),
            _ => {}
        }
        self.note_rate(released_ns);
    }

    /// When the record at `position` was released.
    fn released_ns(&mut self, position: Position, journaled_ns: UnixNanos) -> UnixNanos {
        let releases = &self.sent.releases;
        while releases
            .get(self.release_at)
            .is_some_and(|&(released, _)| released <= position)
        {
            self.release_at += 1;
        }
        releases
            .get(self.release_at)
            .map_or(journaled_ns, |&(_, seen_ns)| seen_ns.max(journaled_ns))
    }

    fn note_rate(&mut self, released_ns: UnixNanos) {
        let nth = self.found - self.warmup;
        if nth == 1 {
            (self.first_ns, self.span_began_ns) = (released_ns, released_ns);
        }
        self.last_ns = released_ns;
        if nth.is_multiple_of(self.span_len) && self.measured.rates.len() < SPANS {
            let ns = released_ns.saturating_sub(self.span_began_ns);
            let rate = (ns > 0).then(|| self.span_len as f64 * 1e9 / ns as f64);
            self.measured.rates.push(rate);
            self.span_began_ns = released_ns;
        }
    }

    fn finish(mut self) -> Measured {
        self.measured.span_ns = self.last_ns.saturating_sub(self.first_ns);
        self.measured
    }
}
