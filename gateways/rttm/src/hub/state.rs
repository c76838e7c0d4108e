//! State channels: once a tick, what changed in the tables.
//!
//! Invariant: who could not be given a frame gets a snapshot once there is room, and nothing in between.

use super::{Course, Hub, STANDING_TICKS};
use crate::class::Class;
use crate::figures::{Check, Status};
use crate::stream::{Moment, Stream, StreamKey};
use std::sync::atomic::Ordering;

impl Hub {
    pub(super) fn on_tick(&mut self) {
        if self.tick.is_multiple_of(STANDING_TICKS) || self.clients.len() < 64 {
            self.check_standing();
        }
        let now_ns = self.clock.now_ns();
        let own = self.own_checks();
        let looked = self
            .tables
            .refresh(&self.live, &*self.figures, &own, self.tick, now_ns);
        self.as_of = looked.as_of;
        if looked.reference {
            self.classes.values_mut().for_each(Class::forget);
        }
        let moment = self.moment();
        let mut streams = std::mem::take(&mut self.streams);
        for (key, stream) in &mut streams {
            if self.tick < stream.due {
                continue;
            }
            stream.due = self.tick + key.period();
            if key.channel.is_event() {
                continue;
            }
            self.state_frames(key, stream, moment);
        }
        self.streams = streams;
        self.due_events();
    }

    fn state_frames(&mut self, key: &StreamKey, stream: &mut Stream, moment: Moment) {
        let (Some(table), Some(class)) = (self.tables.get(key.channel), self.classes.get_mut(&key.class))
        else {
            return;
        };
        let update = stream.update(key, table, class, moment);
        for id in &stream.subscribers.clone() {
            let Some(client) = self.clients.get_mut(id) else {
                continue;
            };
            let Some(subscription) = client.subscriptions.get_mut(&key.channel) else {
                continue;
            };
            let is_lost = match (&update, subscription.course) {
                (Ok(Some(frame)), Course::Current) => {
                    !client
                        .mailbox
                        .state(key.channel, std::slice::from_ref(frame), false)
                }
                (Err(_), Course::Current) => true,
                _ => false,
            };
            if is_lost {
                subscription.course = Course::Snapshot(false);
                self.counts.left_out.fetch_add(1, Ordering::Relaxed);
            }
            if let Course::Snapshot(_) = subscription.course {
                let pieces = stream.snapshot(key, table, class, moment);
                if client.mailbox.state(key.channel, &pieces, true) {
                    subscription.course = Course::Current;
                }
            }
            self.counts.frames.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn own_checks(&self) -> Vec<Check> {
        let counts = &self.counts;
        let (clients, slow) = (self.clients.len() as u64, counts.slow.load(Ordering::Relaxed));
        let is_full = clients * 10 >= u64::from(self.settings.clients_max) * 9;
        let status = if is_full { Status::Warn } else { Status::Pass };
        vec![
            Check::new(
                "ws:clients",
                status,
                clients,
                "count",
                "connections of the live feed",
            ),
            Check::new(
                "ws:dropped",
                Status::Pass,
                slow,
                "count",
                "clients that were too slow and were closed",
            ),
        ]
    }
}
