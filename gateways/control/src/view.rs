//! The replica behind listings: one thread follows the journal from its first record, requests read what it has made of it.
//!
//! # Invariants
//! - A listing shows at least everything that was released when it was asked for, or fails: an operator who changed a limit
//!   sees the change in the next listing.
//! - A journal that cannot be followed ends the listings of this run and nothing else.
//!
//! Not here: outcomes of requests. They are read from the journal's end by who sent them (see `desk`).

use crate::protocol::{ErrorCode, Failure};
use crate::quarantine::Quarantine;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tradewind_config::Known;
use tradewind_domain::event::{Capacities, Event};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::journal::{Follower, Position};
use tradewind_views::Replica;

/// Records that are taken under one hold of the lock.
const BATCH_MAX: usize = 256;
/// The pause where there is nothing new.
const PAUSE: Duration = Duration::from_millis(1);
/// The pause that lets somebody in who waits for the lock.
const YIELD: Duration = Duration::from_micros(200);
/// How long a request waits for the replica to catch up.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How often a waiting request looks again at least.
const LOOK: Duration = Duration::from_millis(100);

/// What the journal has led to so far.
pub(crate) struct Held {
    /// The stages in apply mode.
    pub(crate) replica: Replica,
    /// Reference data as rows.
    pub(crate) known: Known,
    /// Trades that were put aside.
    pub(crate) quarantine: Quarantine,
    position: Position,
    /// How often the end was met.
    ends: u64,
    fault: Option<String>,
}

/// What is held, for one writer and many readers.
pub(crate) struct View {
    held: Mutex<Held>,
    moved: Condvar,
    waiting: AtomicU32,
}

impl View {
    /// Nothing yet.
    pub(crate) fn new(capacities: &Capacities, hash_key: &[u8; 16]) -> Self {
        let held = Held {
            replica: Replica::new(capacities, hash_key),
            known: Known::default(),
            quarantine: Quarantine::default(),
            position: Position::default(),
            ends: 0,
            fault: None,
        };
        Self {
            held: Mutex::new(held),
            moved: Condvar::new(),
            waiting: AtomicU32::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of the last record that was taken.
    pub(crate) fn last_recv_ns(&self) -> UnixNanos {
        self.lock().replica.last().recv_ns
    }

    /// Follows the journal until `stop`, or until it cannot be followed.
    pub(crate) fn follow(&self, mut follower: Follower, stop: &AtomicBool) {
        let mut event = Event::empty();
        while !stop.load(Ordering::Acquire) {
            let step = {
                let mut held = self.lock();
                let step = held.step(&mut follower, &mut event);
                if let Err(fault) = &step {
                    held.fault = Some(fault.clone());
                }
                step
            };
            self.moved.notify_all();
            match step {
                Err(_) => return,
                Ok(0) => std::thread::park_timeout(PAUSE),
                Ok(_) if self.waiting.load(Ordering::Relaxed) > 0 => std::thread::park_timeout(YIELD),
                Ok(_) => {}
            }
        }
    }

    /// Reads what is held once it has everything up to `released`.
    pub(crate) fn read<T>(
        &self,
        released: Position,
        read: impl FnOnce(&mut Held) -> T,
    ) -> Result<T, Failure> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let result = self.caught_up(released).map(|mut held| read(&mut held));
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        result
    }

    fn caught_up(&self, released: Position) -> Result<MutexGuard<'_, Held>, Failure> {
        let mut held = self.lock();
        // The next time that the end is met lies behind everything that is released now.
        let ends = held.ends;
        let mut looks = WAIT_MAX.as_millis() / LOOK.as_millis();
        while held.position < released && held.ends == ends {
            if let Some(fault) = &held.fault {
                return Err(Failure::new(ErrorCode::ReadsFailed, fault.clone()));
            }
            if looks == 0 {
                let message = format!(
                    "the replica is at sequence {} and has not caught up with the journal yet",
                    held.replica.last().seq
                );
                return Err(Failure::new(ErrorCode::ReadsBehind, message));
            }
            let (back, timeout) = self
                .moved
                .wait_timeout(held, LOOK)
                .unwrap_or_else(PoisonError::into_inner);
            held = back;
            looks -= u128::from(timeout.timed_out());
        }
        match &held.fault {
            Some(fault) => Err(Failure::new(ErrorCode::ReadsFailed, fault.clone())),
            None => Ok(held),
        }
    }
}

impl Held {
    /// Takes what there is, at most a batch. The fault is for people.
    fn step(&mut self, follower: &mut Follower, event: &mut Event) -> Result<usize, String> {
        let mut taken = 0;
        while taken < BATCH_MAX {
            let Some(record) = follower
                .poll()
                .map_err(|error| format!("the journal cannot be read: {error}"))?
            else {
                self.ends += 1;
                break;
            };
            let head = *record.head();
            if event.read_record(record.bytes()).is_none() {
                return Err(format!(
                    "record {} is of kind {}, which this build does not know",
                    head.seq, head.kind
                ));
            }
            self.take(event)?;
            taken += 1;
        }
        self.position = follower.position();
        Ok(taken)
    }

    fn take(&mut self, event: &Event) -> Result<(), String> {
        if self.replica.records() == 0 && event.head.seq != 1 {
            return Err(format!(
                "the journal begins at sequence {}: listings need it all",
                event.head.seq
            ));
        }
        self.replica.apply(event).map_err(|error| error.to_string())?;
        self.known.observe(event);
        self.quarantine.observe(event, self.replica.registry());
        Ok(())
    }
}
