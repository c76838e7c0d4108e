//! The alert manager as a follower of the journal, and as a view of a journal at rest.
//!
//! # Invariants
//! - While it catches up nothing is sent. After that it sends what nobody was told about incidents that are still not over, and
//!   from then on everything once.
//! - Time goes on between records only where the journal has been read to its end, and [`SETTLE_NS`] behind the clock, so that a
//!   record on its way is not overtaken in the ordinary case; where it is, the record puts the state right.
//!
//! Not here: the thread.

use crate::delivery::Outbox;
use crate::fact::Metric;
use crate::incident::State;
use crate::manager::AlertManager;
use crate::notification::{Cause, Notification};
use crate::severity::Severity;
use crate::standard::AlertSettings;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tradewind_domain::event::Event;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::journal::{Follower, JournalError, StartAt};

/// How far time between records stays behind the clock, nanoseconds.
pub const SETTLE_NS: u64 = 500_000_000;
/// Records that one step reads at most: one that reads fewer has met the end.
pub const RECORDS_OF_STEP: usize = 4_096;
/// Nanoseconds between two looks at the time.
const TICK_NS: u64 = 50_000_000;
/// Live figures that wait to be taken.
const FIGURES_MAX: usize = 256;
/// Notifications of the past that are held before those of incidents that are over are dropped.
const BACKLOG_MAX: usize = 16_384;

/// Why alerts ended.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// The journal cannot be read.
    #[error("alerts cannot read the journal")]
    Journal(#[from] JournalError),
    /// The files of what was sent cannot be written.
    #[error("alerts cannot write what was sent")]
    Files(#[from] io::Error),
}

/// Figures for a status line.
#[derive(Debug, Default)]
pub struct AlertStatus {
    open: AtomicU64,
    worst: AtomicU8,
    undelivered: AtomicU64,
}

impl AlertStatus {
    /// Incidents that are not over.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// How bad the worst of them is.
    pub fn worst(&self) -> Option<Severity> {
        let worst = self.worst.load(Ordering::Relaxed);
        Severity::ALL
            .into_iter()
            .find(|severity| *severity as u8 == worst)
    }

    /// Notifications that ended as dead letters.
    pub fn undelivered(&self) -> u64 {
        self.undelivered.load(Ordering::Relaxed)
    }
}

/// A live figure on its way to the manager.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What.
    pub metric: Metric,
    /// Of which queue or follower.
    pub scope: &'static str,
    /// In the metric's unit.
    pub value: i64,
    /// For people.
    pub text: String,
}

/// Where others put live figures. One that finds no room is left out: the next one says the same.
#[derive(Clone, Debug)]
pub struct Figures(SyncSender<Figure>);

impl Figures {
    /// Hands a figure over, never waiting.
    pub fn put(&self, figure: Figure) {
        let _ = self.0.try_send(figure);
    }
}

/// The manager with its wires.
pub struct AlertFollower {
    manager: AlertManager,
    outbox: Outbox,
    /// `None` once the journal has been read to its end.
    backlog: Option<Vec<Notification>>,
    event: Event,
    figures: Receiver<Figure>,
    sender: Figures,
    status: Arc<AlertStatus>,
    ticked_ns: UnixNanos,
    /// False where the journal's time is not the clock's.
    wall_time: bool,
    unknown: u64,
}

impl AlertFollower {
    /// A manager that sends through `outbox`. With `wall_time` false time goes on with records alone.
    pub fn new(settings: &AlertSettings, outbox: Outbox, wall_time: bool) -> Self {
        let (sender, figures) = sync_channel(FIGURES_MAX);
        Self {
            manager: AlertManager::new(settings),
            outbox,
            backlog: Some(Vec::new()),
            event: Event::empty(),
            figures,
            sender: Figures(sender),
            status: Arc::default(),
            ticked_ns: 0,
            wall_time,
            unknown: 0,
        }
    }

    /// The manager.
    pub fn manager(&self) -> &AlertManager {
        &self.manager
    }

    /// Figures for a status line.
    pub fn status(&self) -> Arc<AlertStatus> {
        Arc::clone(&self.status)
    }

    /// Where live figures are put.
    pub fn figures(&self) -> Figures {
        self.sender.clone()
    }

    /// Records of kinds that this build does not know, passed over.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// One cycle. `follower` begins at the journal's start and stays the same from cycle to cycle. Returns how many records
    /// were read.
    pub fn step(&mut self, follower: &mut Follower, now_ns: UnixNanos) -> Result<usize, AlertsError> {
        let mut read = 0;
        while read < RECORDS_OF_STEP {
            let Some(record) = follower.poll()? else { break };
            read += 1;
            if self.event.read_record(record.bytes()).is_some() {
                self.manager.on_record(&self.event);
            } else {
                self.unknown += 1;
            }
        }
        let is_at_end = read < RECORDS_OF_STEP;
        if now_ns.saturating_sub(self.ticked_ns) >= TICK_NS {
            self.ticked_ns = now_ns;
            self.tick(is_at_end, now_ns);
        }
        self.send(is_at_end, now_ns)?;
        Ok(read)
    }

    fn tick(&mut self, is_at_end: bool, now_ns: UnixNanos) {
        if self.wall_time && is_at_end {
            self.manager.tick(now_ns.saturating_sub(SETTLE_NS));
        }
        while let Ok(figure) = self.figures.try_recv() {
            self.manager
                .observe(figure.metric, figure.scope, figure.value, figure.text, now_ns);
        }
        for letter in self.outbox.drain_undelivered() {
            self.status.undelivered.fetch_add(1, Ordering::Relaxed);
            let text = format!("notification {} was not delivered: {}", letter.id, letter.why);
            self.manager
                .happened(Metric::DeadLetter, &letter.channel, text, now_ns);
        }
        self.show();
    }

    fn send(&mut self, is_at_end: bool, now_ns: UnixNanos) -> Result<(), AlertsError> {
        let new = self.manager.drain();
        match &mut self.backlog {
            Some(backlog) => {
                backlog.extend(new);
                if is_at_end {
                    self.catch_up(now_ns)?;
                } else if backlog.len() > BACKLOG_MAX {
                    keep_untold(backlog, &self.manager);
                }
            }
            None => {
                for notification in &new {
                    self.outbox.offer(notification, now_ns)?;
                }
            }
        }
        self.outbox.poll(now_ns)?;
        let manager = &self.manager;
        self.outbox.prune(|id| manager.incident(id).is_some())?;
        Ok(())
    }

    /// What nobody was told before the last run ended.
    fn catch_up(&mut self, now_ns: UnixNanos) -> Result<(), AlertsError> {
        let Some(mut backlog) = self.backlog.take() else {
            return Ok(());
        };
        keep_untold(&mut backlog, &self.manager);
        for notification in &backlog {
            self.outbox.offer(notification, now_ns)?;
        }
        Ok(())
    }

    fn show(&self) {
        let worst = self.manager.worst().map_or(0, |severity| severity as u8);
        self.status
            .open
            .store(self.manager.open_count() as u64, Ordering::Relaxed);
        self.status.worst.store(worst, Ordering::Relaxed);
    }

    /// Ends the channels.
    pub fn close(self) -> Result<(), AlertsError> {
        Ok(self.outbox.close()?)
    }
}

/// Of the past only what is about incidents that are not over is news.
fn keep_untold(backlog: &mut Vec<Notification>, manager: &AlertManager) {
    backlog.retain(|notification| {
        notification.cause != Cause::Resolved
            && manager
                .incident(notification.incident)
                .is_some_and(|incident| incident.state != State::Resolved)
    });
}

/// The incidents of a journal, live or at rest, as of its newest record. The caller may [`tick`](AlertManager::tick) it to the
/// present where the journal runs on the machine's clock.
pub fn rebuild(data_dir: &Path, settings: &AlertSettings) -> Result<AlertManager, AlertsError> {
    replay(data_dir, AlertManager::new(settings))
}

/// What a manager that knows nothing yet makes of a journal.
pub fn replay(data_dir: &Path, mut manager: AlertManager) -> Result<AlertManager, AlertsError> {
    let mut follower = Follower::open(data_dir, StartAt::Start)?;
    let mut event = Event::empty();
    while let Some(record) = follower.poll()? {
        if event.read_record(record.bytes()).is_some() {
            manager.on_record(&event);
        }
        manager.drain();
    }
    Ok(manager)
}
