//! How a store is doing: figures that any thread may read at any time.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::journal::Position;

/// What it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// It looks for the database.
    Connecting = 0,
    /// It reads and writes.
    Writing = 1,
    /// The database could not be used; it tries again.
    Waiting = 2,
    /// It has ended: see [`Status::problem`].
    Refused = 3,
    /// It was stopped.
    Stopped = 4,
}

impl State {
    /// Name in listings.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Writing => "writing",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
        }
    }

    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Connecting,
            1 => Self::Writing,
            2 => Self::Waiting,
            3 => Self::Refused,
            _ => Self::Stopped,
        }
    }
}

/// How far the database is behind what is released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Records that were read and not written.
    pub records: u64,
    /// Bytes of the journal that were released and not written.
    pub bytes: u64,
    /// Age of the last record that was written, while something waits; 0 where nothing does. In nanoseconds.
    pub ns: u64,
}

/// Figures of a store.
#[derive(Debug, Default)]
pub struct Status {
    state: AtomicU8,
    segment_bytes: AtomicU64,
    released: AtomicU64,
    written: AtomicU64,
    written_seq: AtomicU64,
    written_ns: AtomicU64,
    records_read: AtomicU64,
    records_written: AtomicU64,
    rows_written: AtomicU64,
    trades_written: AtomicU64,
    batches: AtomicU64,
    retries: AtomicU64,
    problem: Mutex<Option<String>>,
}

/// Figures of a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Number of the last input that was written.
    pub seq: u64,
    /// Where the journal goes on behind it.
    pub position: Position,
    /// Records written since the start.
    pub records: u64,
    /// Rows written since the start.
    pub rows: u64,
    /// Fills, executed trades, busts and corrections among them.
    pub trades: u64,
    /// Transactions since the start.
    pub batches: u64,
    /// Times that the database could not be used.
    pub retries: u64,
}

impl Status {
    /// What it is doing.
    pub fn state(&self) -> State {
        State::from_code(self.state.load(Ordering::Acquire))
    }

    /// True once it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.state(), State::Refused | State::Stopped)
    }

    /// Why it waits or has ended.
    pub fn problem(&self) -> Option<String> {
        self.problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Figures.
    pub fn figures(&self) -> Figures {
        Figures {
            seq: self.written_seq.load(Ordering::Acquire),
            position: Position(self.written.load(Ordering::Acquire)),
            records: self.records_written.load(Ordering::Relaxed),
            rows: self.rows_written.load(Ordering::Relaxed),
            trades: self.trades_written.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
        }
    }

    /// How far it is behind. `released` is where the journal is released now, where the caller knows better than the last look.
    pub fn lag(&self, now_ns: UnixNanos, released: Option<Position>) -> Lag {
        let released = released.unwrap_or(Position(self.released.load(Ordering::Acquire)));
        let written = Position(self.written.load(Ordering::Acquire));
        let bytes = distance(written, released, self.segment_bytes.load(Ordering::Relaxed));
        let read = self.records_read.load(Ordering::Relaxed);
        let records = read.saturating_sub(self.records_written.load(Ordering::Relaxed));
        let ns = if bytes == 0 {
            0
        } else {
            now_ns.saturating_sub(self.written_ns.load(Ordering::Acquire))
        };
        Lag { records, bytes, ns }
    }

    pub(crate) fn set_state(&self, state: State, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
        self.state.store(state as u8, Ordering::Release);
        if state == State::Waiting {
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn set_segment_bytes(&self, bytes: u64) {
        self.segment_bytes.store(bytes, Ordering::Relaxed);
    }

    /// A session begins where the database stands.
    pub(crate) fn begin(&self, position: Position, seq: u64, now_ns: UnixNanos) {
        self.written.store(position.0, Ordering::Release);
        self.written_seq.store(seq, Ordering::Release);
        self.written_ns.store(now_ns, Ordering::Release);
        self.records_read
            .store(self.records_written.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(crate) fn note_read(&self, records: u64, released: Position) {
        self.records_read.fetch_add(records, Ordering::Relaxed);
        self.released.fetch_max(released.0, Ordering::AcqRel);
    }

    pub(crate) fn note_written(&self, written: &Written) {
        self.records_written.fetch_add(written.records, Ordering::Relaxed);
        self.rows_written.fetch_add(written.rows, Ordering::Relaxed);
        self.trades_written.fetch_add(written.trades, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.written_seq.store(written.seq, Ordering::Release);
        self.written_ns.store(written.journaled_ns, Ordering::Release);
        self.written.store(written.position.0, Ordering::Release);
    }
}

/// What one transaction has brought.
pub(crate) struct Written {
    pub(crate) records: u64,
    pub(crate) rows: u64,
    pub(crate) trades: u64,
    pub(crate) seq: u64,
    pub(crate) journaled_ns: UnixNanos,
    pub(crate) position: Position,
}

/// Bytes between two positions of a journal whose segments are this long; close enough for figures.
fn distance(from: Position, to: Position, segment_bytes: u64) -> u64 {
    if to.0 == u64::MAX {
        return 0; // no writer runs, and the end was not looked for
    }
    let segments = to.segment().saturating_sub(from.segment());
    (segments * segment_bytes + to.offset()).saturating_sub(from.offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_what_was_released_and_not_written() {
        let status = Status::default();
        status.set_segment_bytes(1 << 20);
        status.begin(Position::new(1, 4096), 0, 5);
        status.note_read(10, Position::new(2, 8192));
        let lag = status.lag(25, None);
        assert_eq!((lag.records, lag.bytes, lag.ns), (10, (1 << 20) + 4096, 20));
        status.note_written(&Written {
            records: 10,
            rows: 3,
            trades: 1,
            seq: 9,
            journaled_ns: 7,
            position: Position::new(2, 8192),
        });
        assert_eq!(status.lag(25, None), Lag::default());
        assert_eq!(
            status.lag(25, Some(Position::new(2, 8256))).bytes,
            64,
            "released since"
        );
    }
}
