//! The one live replica of the process: a thread follows the journal from its first record, readers see what it has made of it, and who
//! waits for a record is told when it is in.
//!
//! # Invariants
//! - A read that asks for it shows at least everything that was released when it was asked for, or fails: who changed something
//!   sees the change in what he reads next.
//! - A read is of one moment. It holds a lock that the follower needs, never one that the pipeline knows of; the follower lets
//!   readers in between batches of 256 records at most.
//! - A journal that cannot be followed ends the reads of this run and nothing else.
//! - Memory is bounded: by capacities of tables, and beside them by the constants of the rings here.
//!
//! Not here: what goes over wires, and who may see what.

mod actions;
mod answers;
mod blotter;
mod changes;
mod fees;
mod held;
mod history;
mod life;
mod lines;
mod market;
mod orders;
mod profit;
mod quarantine;
mod settlement;
mod standing;
mod strategies;
mod waiters;

pub use changes::{Changes, KeySet};
pub use held::Held;
pub use profit::{Group, GroupKey};
pub use quarantine::{Quarantine, QuarantinedTrade};
pub use settlement::DueKey;
pub use standing::ProfitStanding;
pub use waiters::{Awaited, Tell, Told, WAITERS_MAX};

use crate::query::current::LiveError;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;
use tradewind_domain::event::{Capacities, Event};
use tradewind_domain::ids::Seq;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::journal::{Follower, JournalError, Position, StartAt};

/// The pause where there is nothing new.
const PAUSE: Duration = Duration::from_millis(1);
/// The pause where there was something a moment ago: an execution is shown at once.
const SHORT_PAUSE: Duration = Duration::from_micros(100);
/// Short pauses before a long one.
const SHORT_PAUSES: u32 = 50;
/// The pause that lets somebody in who waits for the lock.
const YIELD: Duration = Duration::from_micros(50);
/// How long a read waits for the replica to catch up.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How often a waiting read looks again at least.
const LOOK: Duration = Duration::from_millis(100);

/// Called with every record, before who waits for it is told. It runs under the replica's lock: it must be quick and ask nothing of it.
pub type Observer = Box<dyn FnMut(&Event) + Send>;

/// The replica with its readers. Shared by all of them.
pub struct Live {
    data_dir: PathBuf,
    held: Mutex<Held>,
    moved: Condvar,
    waiting: AtomicU32,
    seq: AtomicU64,
    recv_ns: AtomicU64,
    /// Woken when executions or refusals have come.
    bell: OnceLock<Thread>,
    /// Executions and refusals that have come, for whoever is woken.
    rung: AtomicU64,
}

impl Live {
    /// An empty replica of a data folder's journal, with room for `capacities`.
    pub fn new(data_dir: &Path, capacities: &Capacities) -> Result<Arc<Self>, JournalError> {
        let hash_key = tradewind_machine::journal::identity(data_dir)?.hash_key;
        Ok(Arc::new(Self {
            data_dir: data_dir.to_path_buf(),
            held: Mutex::new(Held::new(capacities, &hash_key)),
            moved: Condvar::new(),
            waiting: AtomicU32::new(0),
            seq: AtomicU64::new(0),
            recv_ns: AtomicU64::new(0),
            bell: OnceLock::new(),
            rung: AtomicU64::new(0),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `observer` see every record. To be asked before anything is followed: it is not told what was there already.
    pub fn observe(&self, observer: Observer) {
        self.lock().observers.push(observer);
    }

    /// Number and time of the last input that is in, without the lock.
    pub fn last(&self) -> (Seq, UnixNanos) {
        let recv_ns = self.recv_ns.load(Ordering::Acquire);
        (self.seq.load(Ordering::Acquire), recv_ns)
    }

    /// Follows the journal from its start until `stop`, or until it cannot be followed. To be called by one thread of its own;
    /// whoever sets `stop` unparks it.
    pub fn follow(&self, mut follower: Follower, stop: &AtomicBool) {
        let mut event = Event::empty();
        let mut idle = 0;
        while !stop.load(Ordering::Acquire) {
            let (step, rung) = self.step(&mut follower, &mut event);
            self.moved.notify_all();
            if rung && let Some(thread) = self.bell.get() {
                thread.unpark();
            }
            match step {
                Err(()) => return,
                Ok(0) => {
                    idle += 1;
                    let pause = if idle < SHORT_PAUSES { SHORT_PAUSE } else { PAUSE };
                    std::thread::park_timeout(pause);
                }
                Ok(_) => {
                    idle = 0;
                    if self.waiting.load(Ordering::Relaxed) > 0 {
                        std::thread::park_timeout(YIELD);
                    }
                }
            }
        }
    }

    /// One batch; true where executions or refusals were among it.
    fn step(&self, follower: &mut Follower, event: &mut Event) -> (Result<usize, ()>, bool) {
        let (step, due, rung) = {
            let mut held = self.lock();
            let before = held.newest_places();
            let step = held.step(follower, event);
            let step = step.map_err(|fault| held.fault = Some(fault));
            let (seq, recv_ns) = held.as_of();
            self.seq.store(seq, Ordering::Release);
            self.recv_ns.store(recv_ns, Ordering::Release);
            (step, held.waiters.take_due(), held.newest_places() != before)
        };
        for (tell, told) in due {
            tell(told);
        }
        if rung {
            self.rung.fetch_add(1, Ordering::Release);
        }
        (step, rung)
    }

    /// From now on the calling thread is woken when executions or refusals have come. One thread can be.
    pub fn wake_me(&self) {
        let _ = self.bell.set(std::thread::current());
    }

    /// How often there was something to wake for.
    pub fn rung(&self) -> u64 {
        self.rung.load(Ordering::Acquire)
    }

    /// Reads what is there now, without waiting for the journal. Reads and writes of `look` are of one moment.
    pub fn look<T>(&self, look: impl FnOnce(&mut Held) -> T) -> T {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let seen = look(&mut self.lock());
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        seen
    }

    /// Why the journal is not followed any more.
    pub fn fault(&self) -> Option<String> {
        self.look(|held| held.fault.clone())
    }

    /// Reads once everything is in that is released now.
    pub fn read_now<T>(&self, read: impl FnOnce(&mut Held) -> T) -> Result<T, LiveError> {
        let end = Follower::open(&self.data_dir, StartAt::End);
        let end = end.map_err(|error| LiveError::Failed(format!("the journal cannot be read: {error}")))?;
        self.read(end.position(), read)
    }

    /// Reads once everything up to `released` is in.
    pub fn read<T>(&self, released: Position, read: impl FnOnce(&mut Held) -> T) -> Result<T, LiveError> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let result = self.caught_up(released).map(|mut held| read(&mut held));
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        result
    }

    fn caught_up(&self, released: Position) -> Result<MutexGuard<'_, Held>, LiveError> {
        let mut held = self.lock();
        // The next time that the end is met lies behind everything that is released now.
        let ends = held.ends;
        let mut looks = WAIT_MAX.as_millis() / LOOK.as_millis();
        while held.position < released && held.ends == ends {
            if let Some(fault) = &held.fault {
                return Err(LiveError::Failed(fault.clone()));
            }
            if looks == 0 {
                return Err(LiveError::Behind { seq: held.as_of().0 });
            }
            let (back, timeout) = self
                .moved
                .wait_timeout(held, LOOK)
                .unwrap_or_else(PoisonError::into_inner);
            held = back;
            looks -= u128::from(timeout.timed_out());
        }
        match &held.fault {
            Some(fault) => Err(LiveError::Failed(fault.clone())),
            None => Ok(held),
        }
    }

    /// Has `tell` called with the record that is awaited, once it is in. To be asked before the message is sent that makes
    /// the record. Dropping what is returned takes the wish back.
    pub fn expect(self: &Arc<Self>, awaited: Awaited, tell: Tell) -> Result<Expectation, LiveError> {
        let mut held = self.lock();
        if let Some(fault) = &held.fault {
            return Err(LiveError::Failed(fault.clone()));
        }
        let id = held.waiters.add(awaited, tell).ok_or(LiveError::Full)?;
        drop(held);
        Ok(Expectation {
            live: Arc::clone(self),
            awaited,
            id,
        })
    }
}

/// A wish to be told; dropped, it is taken back.
pub struct Expectation {
    live: Arc<Live>,
    awaited: Awaited,
    id: u64,
}

impl Drop for Expectation {
    fn drop(&mut self) {
        self.live.lock().waiters.remove(self.awaited, self.id);
    }
}

/// The live replica with the thread that follows the journal for it.
pub struct LiveThread {
    live: Arc<Live>,
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl LiveThread {
    /// Starts to follow.
    pub fn start(live: Arc<Live>, follower: Follower) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("tw-live".into()).spawn({
            let (live, stop) = (Arc::clone(&live), Arc::clone(&stop));
            move || live.follow(follower, &stop)
        })?;
        Ok(Self { live, stop, thread })
    }

    /// The replica.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Ends the thread. Reads that still wait fail once their time is over.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let _ = self.thread.join(); // a thread that broke has nothing more to give back
    }
}
