//! The store beside an engine: a thread that keeps the database up with the journal, and one that reads for it.
//!
//! A *session* begins where the database says that it stands and ends with the first fault of the database. The next one begins again
//! where the database stands then: whether a commit was lost, or only its answer, needs not be known.
//!
//! # Invariants
//! - The engine is never waited for, and never waits: this reads released records and touches nothing else.
//! - What is in the database is exactly what the records up to its place say, once each, across crashes of either side.

use crate::batch::Batch;
use crate::database::Database;
use crate::error::StoreError;
use crate::position::Saved;
use crate::project::Projection;
use crate::reader::{Handed, Reader};
use crate::status::{State, Status, Written};
use crate::target::Target;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::{self, Position};

/// How a store follows.
#[derive(Clone, Debug)]
pub struct FollowSettings {
    /// The data folder of the journal.
    pub data_dir: PathBuf,
    /// The database.
    pub target: Target,
    /// The shortest time between two transactions: smaller batches cost more of the machine.
    pub pause: Duration,
    /// How long a stop waits for a database that does not answer.
    pub drain: Duration,
    /// Records of a batch at most; none for the usual size.
    pub records_max: Option<u64>,
}

/// First wait after a fault; doubled up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(100);
/// The longest wait after a fault.
const RETRY_MAX: Duration = Duration::from_secs(10);
/// With each so many rows of a batch the wait behind it gets longer by a pause ...
const ROWS_OF_PAUSE: usize = 1_000;
/// ... up to so many.
const PAUSES_MAX: u32 = 8;
/// How often a waiting thread looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);
/// How far the store's threads stand back, in steps of the system.
const NICENESS: i32 = 10;
/// How long one statement or connection may take before the database counts as down.
const ANSWER: Duration = Duration::from_secs(120);

/// A store that follows a journal.
pub struct Store {
    thread: JoinHandle<Result<(), StoreError>>,
    stop: Arc<AtomicBool>,
    status: Arc<Status>,
}

impl Store {
    /// Starts it. The database need not be there yet.
    pub fn start(settings: FollowSettings, clock: Clock) -> Result<Self, StoreError> {
        let (stop, status) = (Arc::new(AtomicBool::new(false)), Arc::new(Status::default()));
        let worker = Worker {
            settings,
            clock,
            stop: Arc::clone(&stop),
            status: Arc::clone(&status),
        };
        let thread = std::thread::Builder::new()
            .name("tw-store".into())
            .spawn(move || worker.run())
            .map_err(StoreError::Thread)?;
        Ok(Self { thread, stop, status })
    }

    /// Its figures.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }

    /// Lets it write what is in the journal now, and ends it. A database that does not answer is given up after the settings' time:
    /// the next start goes on where it stands.
    pub fn stop(self) -> Result<(), StoreError> {
        self.stop.store(true, Ordering::Release);
        match self.thread.join() {
            Ok(ended) => ended,
            Err(_) => Err(StoreError::Thread(std::io::Error::other(
                "the store stopped at a broken invariant",
            ))),
        }
    }
}

/// Follows a journal to the end that it has now, on this thread.
pub(crate) fn follow_to_end(
    settings: FollowSettings,
    clock: Clock,
    watch: impl FnOnce(&Arc<Status>),
) -> Result<(), StoreError> {
    let store = Store::start(settings, clock)?;
    watch(&store.status);
    store.stop()
}

struct Worker {
    settings: FollowSettings,
    clock: Clock,
    stop: Arc<AtomicBool>,
    status: Arc<Status>,
}

/// How a session ended.
enum End {
    /// Everything is written, and no more was wanted.
    Done,
    /// Everything is written but the whole groups before a place behind which the journal's last group was cut off.
    Cut(Position),
    /// The database failed.
    Failed(StoreError),
}

impl Worker {
    fn run(self) -> Result<(), StoreError> {
        give_way();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StoreError::Thread)?;
        let mut wait = RETRY_MIN;
        let (mut stopping_since, mut until) = (None, None);
        loop {
            let written = self.status.figures().batches;
            let error = match self.session(&runtime, until) {
                Ok(End::Done) => {
                    self.status.set_state(State::Stopped, None);
                    return Ok(());
                }
                Ok(End::Cut(end)) => {
                    until = Some(end);
                    continue;
                }
                Ok(End::Failed(error)) | Err(error) => error,
            };
            if !error.is_passing() {
                self.status.set_state(State::Refused, Some(error.line()));
                return Err(error);
            }
            self.status.set_state(State::Waiting, Some(error.line()));
            if self.status.figures().batches != written {
                wait = RETRY_MIN; // it went well for a while
            }
            if self.is_given_up(&mut stopping_since) {
                self.status.set_state(State::Stopped, Some(error.line()));
                return Err(error);
            }
            self.wait(wait);
            wait = (wait * 2).min(RETRY_MAX);
        }
    }

    /// True once a stop has waited long enough for the database.
    fn is_given_up(&self, since: &mut Option<UnixNanos>) -> bool {
        if !self.stop.load(Ordering::Acquire) {
            return false;
        }
        let now_ns = self.clock.now_ns();
        let since = *since.get_or_insert(now_ns);
        u128::from(now_ns.saturating_sub(since)) >= self.settings.drain.as_nanos()
    }

    /// Waits, and no longer than a stop allows.
    fn wait(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            let part = left.min(LOOK);
            std::thread::park_timeout(part);
            left -= part;
            if self.stop.load(Ordering::Acquire) {
                return std::thread::park_timeout(LOOK);
            }
        }
    }

    /// Follows until the database fails or everything is written, before `until` where that is given.
    fn session(&self, runtime: &tokio::runtime::Runtime, until: Option<Position>) -> Result<End, StoreError> {
        self.status.set_state(State::Connecting, None);
        let opened = runtime.block_on(within(self.open()));
        let (mut database, saved, projection) = opened?;
        let reader = Reader::open(&self.settings.data_dir, saved, projection)?
            .with_records_max(self.settings.records_max)
            .with_end(until);
        if let Some(last) = journal::segments(&self.settings.data_dir)?.last() {
            self.status.set_segment_bytes(last.bytes);
        }
        let (seq, now_ns) = (saved.place.map_or(0, |place| place.seq), self.clock.now_ns());
        self.status.begin(reader.position(), seq, now_ns);
        self.status.set_state(State::Writing, None);
        let (hand, handed) = sync_channel(0); // a batch grows until it is asked for
        let is_over = Arc::new(AtomicBool::new(false));
        let reading = std::thread::Builder::new()
            .name("tw-store-read".into())
            .spawn({
                let (stop, status) = (Arc::clone(&self.stop), Arc::clone(&self.status));
                let is_over = Arc::clone(&is_over);
                move || {
                    give_way();
                    reader.run(&hand, &stop, &is_over, &status)
                }
            })
            .map_err(StoreError::Thread)?;
        let written = runtime.block_on(self.write_all(&mut database, saved, &handed));
        is_over.store(true, Ordering::Release);
        drop(handed); // a reader that waits to hand something over ends now
        let read = match reading.join() {
            Ok(read) => read,
            Err(_) => Err(StoreError::Thread(std::io::Error::other(
                "the reader stopped at a broken invariant",
            ))),
        };
        match (written, read) {
            (Err(error), _) => Ok(End::Failed(error)),
            (Ok(()), Err(error)) => Err(error),
            (Ok(()), Ok(None)) => Ok(End::Done),
            (Ok(()), Ok(Some(end))) => Ok(End::Cut(end)),
        }
    }

    async fn open(&self) -> Result<(Database, Saved, Projection), StoreError> {
        let mut database = Database::connect(&self.settings.target).await?;
        database.migrate().await?;
        let saved = database.saved().await?;
        let projection = database.projection().await?;
        Ok((database, saved, projection))
    }

    /// Writes what the reader hands over, until it ends.
    async fn write_all(
        &self,
        database: &mut Database,
        begin: Saved,
        handed: &Receiver<Handed>,
    ) -> Result<(), StoreError> {
        let mut before = begin;
        loop {
            let Handed { batch, after } = match handed.recv_timeout(LOOK) {
                Ok(handed) => handed,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let began = self.clock.now_ns();
            within(database.write(&batch, &before, &after)).await?;
            before = after;
            if let Some(place) = batch.end {
                self.status.note_written(&Written {
                    records: batch.records,
                    rows: batch.rows() as u64,
                    trades: batch.executions.len() as u64,
                    seq: place.seq,
                    journaled_ns: batch.journaled_ns,
                    position: place.next,
                });
            }
            let took = Duration::from_nanos(self.clock.now_ns().saturating_sub(began));
            let pause = pause_behind(self.settings.pause, &batch);
            if !self.stop.load(Ordering::Acquire) {
                self.wait(pause.saturating_sub(took));
            }
        }
    }
}

/// How long the next transaction waits behind one of this batch. Rows that are merged (positions, balances, profit) cost as much for one
/// change as for a thousand, so a busy store waits longer and writes them less often; one that is behind does not wait.
fn pause_behind(pause: Duration, batch: &Batch) -> Duration {
    if batch.is_full() {
        return Duration::ZERO;
    }
    let times = 1 + batch.rows() / ROWS_OF_PAUSE;
    pause * u32::try_from(times).unwrap_or(u32::MAX).min(PAUSES_MAX)
}

/// Lets the calling thread run behind those of the pipeline where both want a core. A system that refuses changes nothing but speed.
fn give_way() {
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

/// A database that hangs is one that is down.
async fn within<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER, work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Database(sqlx::Error::PoolTimedOut)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{RECORDS_MAX, ROWS_MAX};
    use crate::rows::PositionChange;

    #[test]
    fn a_busy_store_waits_longer_and_one_that_is_behind_does_not_wait() {
        let pause = Duration::from_millis(50);
        let of = |rows: usize, records: u64| {
            let positions = (0..rows as u32).map(|holding| (holding, PositionChange::default()));
            let batch = Batch {
                records,
                positions: positions.collect(),
                ..Batch::default()
            };
            pause_behind(pause, &batch).as_millis()
        };
        assert_eq!([of(0, 1), of(999, 999), of(1_000, 1_000)], [50, 50, 100]);
        assert_eq!([of(7_000, 7_000), of(90_000, 90_000)], [400, 400]);
        assert_eq!([of(ROWS_MAX, 1), of(0, RECORDS_MAX)], [0, 0]);
    }
}
