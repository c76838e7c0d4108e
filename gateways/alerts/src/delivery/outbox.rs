//! What goes where, once: routes, the memory of what was delivered, rate caps, dead letters.
//!
//! # Invariants
//! - A notification goes to each channel of its route once; what a maintenance window mutes goes nowhere.
//! - Nothing here waits for a channel.
//!
//! Not here: what is to be said (the manager), and the time (the caller).

use super::Channel;
use super::courier::{Courier, Report};
use super::dead_letters::{DEAD_LETTER_BYTES_MAX, DeadLetters};
use super::rate_cap::RateCap;
use super::sent::Sent;
use crate::fact::Metric;
use crate::notification::Notification;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;

/// Delivered notifications that are remembered before those of forgotten incidents are dropped.
const REMEMBERED_MAX: usize = 65_536;

/// Where notifications go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxSettings {
    /// Folder of the files of sent notifications and dead letters; made where it is missing.
    pub folder: PathBuf,
    /// Identity of the journal, so that another journal's ids are not taken for its own.
    pub journal: String,
    /// Channels by route; a route that is not there has none.
    pub routes: BTreeMap<String, Vec<String>>,
    /// Notifications a minute on each route.
    pub per_minute: u32,
}

/// A notification that ended as a dead letter: somebody is to be told on another channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// The channel that did not take it.
    pub channel: String,
    /// Its id.
    pub id: String,
    /// Why.
    pub why: String,
}

/// See the module.
pub struct Outbox {
    routes: BTreeMap<String, Vec<String>>,
    per_minute: u32,
    caps: BTreeMap<String, RateCap>,
    couriers: Vec<Courier>,
    reports: Receiver<Report>,
    sent: Sent,
    prune_at: usize,
    dead_letters: DeadLetters,
    undelivered: Vec<Undelivered>,
}

impl Outbox {
    /// Opens the files and starts a thread for each channel.
    pub fn open(
        settings: OutboxSettings,
        channels: Vec<Box<dyn Channel>>,
        clock: &Clock,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(&settings.folder)?;
        let (sender, reports): (Sender<Report>, _) = channel();
        let couriers = channels
            .into_iter()
            .map(|channel| Courier::start(channel, clock.clone(), sender.clone()))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            routes: settings.routes,
            per_minute: settings.per_minute,
            caps: BTreeMap::new(),
            couriers,
            reports,
            sent: Sent::open(&settings.folder, &settings.journal)?,
            prune_at: REMEMBERED_MAX,
            dead_letters: DeadLetters::open(&settings.folder, DEAD_LETTER_BYTES_MAX)?,
            undelivered: Vec::new(),
        })
    }

    /// Sends a notification to the channels of its route that have not had it.
    pub fn offer(&mut self, notification: &Notification, now_ns: UnixNanos) -> io::Result<()> {
        if notification.muted {
            return Ok(());
        }
        let due: Vec<usize> = self
            .channels_of(notification)
            .into_iter()
            .filter(|&at| !self.sent.contains(self.couriers[at].name(), notification))
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        let cap = cap_of(&mut self.caps, self.per_minute, &notification.route);
        let is_admitted = cap.admit(notification.severity, now_ns);
        for at in due {
            if is_admitted {
                self.hand(at, notification)?;
            } else {
                // Told in the sum.
                let Self { couriers, sent, .. } = self;
                sent.done(couriers[at].name(), notification)?;
            }
        }
        Ok(())
    }

    fn hand(&mut self, at: usize, notification: &Notification) -> io::Result<()> {
        let name = self.couriers[at].name().to_owned();
        self.sent.on_way(&name, notification);
        match self.couriers[at].hand(notification.clone()) {
            Ok(()) => Ok(()),
            Err(back) => self.bury(&name, &back, "too many wait for this channel"),
        }
    }

    /// Channels of a notification's route, without the one that it is about.
    fn channels_of(&self, notification: &Notification) -> Vec<usize> {
        let names = self
            .routes
            .get(&notification.route)
            .map_or(&[][..], Vec::as_slice);
        let is_about = notification.rule == Metric::DeadLetter.text();
        self.couriers
            .iter()
            .enumerate()
            .filter(|(_, courier)| names.iter().any(|name| name == courier.name()))
            .filter(|(_, courier)| !(is_about && courier.name() == notification.scope))
            .map(|(at, _)| at)
            .collect()
    }

    /// Takes what the channels report, and sends the sums of what rate caps held back.
    pub fn poll(&mut self, now_ns: UnixNanos) -> io::Result<()> {
        while let Ok(report) = self.reports.try_recv() {
            match report {
                Report::Delivered {
                    channel,
                    notification,
                } => self.sent.done(&channel, &notification)?,
                Report::Dead {
                    channel,
                    notification,
                    why,
                } => self.bury(&channel, &notification, &why)?,
            }
        }
        let due: Vec<Notification> = self
            .caps
            .iter_mut()
            .filter_map(|(route, cap)| cap.summary(route, now_ns))
            .collect();
        for summary in due {
            for at in self.channels_of(&summary) {
                self.hand(at, &summary)?;
            }
        }
        Ok(())
    }

    fn bury(&mut self, channel: &str, notification: &Notification, why: &str) -> io::Result<()> {
        self.sent.done(channel, notification)?;
        self.dead_letters.put(channel, notification, why)?;
        // A dead letter about dead letters would go round in circles.
        if notification.rule != Metric::DeadLetter.text() {
            self.undelivered.push(Undelivered {
                channel: channel.into(),
                id: notification.id.clone(),
                why: why.into(),
            });
        }
        Ok(())
    }

    /// Dead letters since the last call.
    pub fn drain_undelivered(&mut self) -> Vec<Undelivered> {
        std::mem::take(&mut self.undelivered)
    }

    /// Forgets what was sent about incidents that are forgotten, now and then.
    pub fn prune(&mut self, is_known: impl Fn(u64) -> bool) -> io::Result<()> {
        if self.sent.len() < self.prune_at {
            return Ok(());
        }
        self.sent.retain(is_known)?;
        self.prune_at = REMEMBERED_MAX.max(2 * self.sent.len());
        Ok(())
    }

    /// Ends all channels: each tries what it has not tried yet, for two seconds at most, and reports.
    pub fn close(mut self) -> io::Result<()> {
        for courier in &mut self.couriers {
            courier.end();
        }
        for courier in &mut self.couriers {
            courier.join();
        }
        self.poll(0)
    }
}

fn cap_of<'a>(caps: &'a mut BTreeMap<String, RateCap>, per_minute: u32, route: &str) -> &'a mut RateCap {
    caps.entry(route.to_owned())
        .or_insert_with(|| RateCap::new(per_minute))
}
