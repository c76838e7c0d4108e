//! A channel on a thread of its own, behind a bounded queue.
//!
//! # Invariants
//! - Handing a notification over never waits: a full queue gives it back.
//! - What became of each is reported; a courier that is told to end tries once more what it has not tried yet, and gives up the
//!   rest unreported, so that the next run sends it again.

use super::Channel;
use super::mailbox::{Mailbox, Outcome};
use crate::notification::Notification;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;

/// Notifications that wait for one channel.
pub const QUEUE_MAX: usize = 1_024;
/// The longest that a courier sleeps.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// How long a courier that is told to end goes on, nanoseconds.
const LINGER_NS: u64 = 2_000_000_000;

/// What became of a notification.
#[derive(Debug)]
pub(super) enum Report {
    Delivered {
        channel: String,
        notification: Box<Notification>,
    },
    Dead {
        channel: String,
        notification: Box<Notification>,
        why: String,
    },
}

/// The near end of a channel's thread.
pub struct Courier {
    name: String,
    /// `None` once it is told to end.
    queue: Option<SyncSender<Notification>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Courier {
    /// Starts the thread.
    pub(super) fn start(
        mut channel: Box<dyn Channel>,
        clock: Clock,
        reports: Sender<Report>,
    ) -> io::Result<Self> {
        let name = channel.name().to_owned();
        let (queue, letters) = sync_channel(QUEUE_MAX);
        let ending = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name(format!("tw-{name}")).spawn({
            let ending = Arc::clone(&ending);
            move || run(channel.as_mut(), &clock, &letters, &reports, &ending)
        })?;
        Ok(Self {
            name,
            queue: Some(queue),
            ending,
            thread: Some(thread),
        })
    }

    /// The channel's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hands a notification over; gives it back where the queue is full.
    pub(super) fn hand(&self, notification: Notification) -> Result<(), Box<Notification>> {
        let Some(queue) = &self.queue else {
            return Err(Box::new(notification));
        };
        queue.try_send(notification).map_err(|error| match error {
            TrySendError::Full(back) | TrySendError::Disconnected(back) => Box::new(back),
        })
    }

    /// Tells it to end.
    pub(super) fn end(&mut self) {
        self.ending.store(true, Ordering::Release);
        self.queue = None; // wakes it where it waits
    }

    /// Waits for its end.
    pub(super) fn join(&mut self) {
        self.end();
        if let Some(thread) = self.thread.take() {
            // A channel that panicked has delivered nothing since: what it owes is sent by the next run.
            let _ = thread.join();
        }
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.join();
    }
}

fn run(
    channel: &mut dyn Channel,
    clock: &Clock,
    letters: &Receiver<Notification>,
    reports: &Sender<Report>,
    ending: &AtomicBool,
) {
    let mut mailbox = Mailbox::new(QUEUE_MAX);
    while !ending.load(Ordering::Acquire) {
        let sleep = sleep_of(mailbox.next_due_ns(), clock.now_ns());
        if mailbox.is_full() {
            // The queue is left alone, so that it fills and gives back.
            std::thread::park_timeout(sleep);
        } else if let Ok(notification) = letters.recv_timeout(sleep) {
            let _ = mailbox.push(notification, clock.now_ns()); // there was room
        }
        step(&mut mailbox, clock.now_ns(), channel, reports);
    }
    let end_ns = clock.now_ns().saturating_add(LINGER_NS);
    while clock.now_ns() < end_ns {
        let mut work = false;
        if !mailbox.is_full()
            && let Ok(notification) = letters.try_recv()
        {
            work = mailbox.push(notification, clock.now_ns()).is_ok();
        }
        if !step(&mut mailbox, clock.now_ns(), channel, reports) && !work {
            return;
        }
    }
}

fn sleep_of(due_ns: Option<UnixNanos>, now_ns: UnixNanos) -> Duration {
    due_ns.map_or(SLEEP_MAX, |due_ns| {
        Duration::from_nanos(due_ns.saturating_sub(now_ns)).min(SLEEP_MAX)
    })
}

/// One attempt, where one is due.
fn step(
    mailbox: &mut Mailbox,
    now_ns: UnixNanos,
    channel: &mut dyn Channel,
    reports: &Sender<Report>,
) -> bool {
    let Some(outcome) = mailbox.step(now_ns, channel) else {
        return false;
    };
    let name = channel.name().to_owned();
    let report = match outcome {
        Outcome::Delivered(notification) => Report::Delivered {
            channel: name,
            notification: Box::new(notification),
        },
        Outcome::Dead(notification, why) => Report::Dead {
            channel: name,
            notification: Box::new(notification),
            why,
        },
        Outcome::Waits => return true,
    };
    let _ = reports.send(report); // nobody listens any more: the next run sends it again
    true
}
