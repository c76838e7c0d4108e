//! Event channels: executions and refusals, as they happen or a few times a second.
//!
//! Invariant: a row goes into every stream that takes it once, in the journal's order.

use super::{Course, Hub};
use crate::frame::Frame;
use crate::stream::{Moment, Stream, StreamKey};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// For each subscriber of unconflated events so long must pass between two rounds of them, and at most [`ROUND_NS_MAX`]. Writing a frame takes
/// the server about 8 us: rounds that follow one another closer than it can write queue up behind one another.
const ROUND_NS_OF_SUBSCRIBER: u64 = 20_000;
const ROUND_NS_MAX: u64 = 50_000_000;

impl Hub {
    /// Events for those who want them as they happen. With many of them rounds are some time apart.
    pub(super) fn immediate_events(&mut self) {
        self.to_round = None;
        let rung = self.live.rung();
        if self.immediate == 0 || rung == self.rung {
            return;
        }
        let now = self.clock.raw();
        let pause_ns = (self.immediate * ROUND_NS_OF_SUBSCRIBER).min(ROUND_NS_MAX);
        let passed_ns = self.clock.span_ns(self.round_at, now);
        if passed_ns < pause_ns {
            self.to_round = Some(Duration::from_nanos(pause_ns - passed_ns));
            return;
        }
        (self.rung, self.round_at) = (rung, now);
        self.as_of = self.live.last().0;
        self.event_frames(|key, _| key.hz == 0);
    }

    /// Events for those who want them a few times a second; and for all others what a bell did not ring for.
    pub(super) fn due_events(&mut self) {
        if self.streams.keys().any(|key| key.channel.is_event()) {
            let tick = self.tick;
            self.event_frames(|key, stream| key.hz == 0 || stream.due == tick + key.period());
        }
    }

    fn event_frames(&mut self, is_due: impl Fn(&StreamKey, &Stream) -> bool) {
        let moment = self.moment();
        let mut streams = std::mem::take(&mut self.streams);
        for at in 0..self.events.len() {
            let channel = self.events[at].channel;
            let mut of_channel = streams
                .iter_mut()
                .filter(|(key, _)| key.channel == channel)
                .peekable();
            if of_channel.peek().is_none() {
                continue;
            }
            let is_whole = self.events[at].take(&self.live);
            let mut slowest = self.events[at].place;
            for (key, stream) in of_channel {
                if !is_whole {
                    self.lose(key, stream, at);
                } else if is_due(key, stream) {
                    self.event_frame(key, stream, at, moment);
                }
                slowest = slowest.min(stream.place);
            }
            self.events[at].forget(slowest);
        }
        self.streams = streams;
    }

    /// Rows were forgotten before they went out: everybody begins anew, and is told.
    fn lose(&mut self, key: &StreamKey, stream: &mut Stream, at: usize) {
        self.is_catching_up = true;
        (stream.place, stream.seq) = (self.events[at].place, self.events[at].place.0);
        for id in &stream.subscribers {
            let client = self.clients.get_mut(id);
            if let Some(held) = client.and_then(|client| client.subscriptions.get_mut(&key.channel)) {
                held.course = Course::Snapshot(true);
            }
        }
    }

    fn event_frame(&mut self, key: &StreamKey, stream: &mut Stream, at: usize, moment: Moment) {
        let Some(class) = self.classes.get_mut(&key.class) else {
            return;
        };
        let rows = self.events[at].after(stream.place);
        let rows: Vec<_> = rows.filter(|placed| key.takes(class, &placed.row)).collect();
        stream.place = self.events[at].place;
        let Some(last) = rows.last() else { return };
        let seq = last.place.0;
        let frame_after = |prev: u64| {
            let mut frame = Frame::new(key.head(moment, false, seq, prev), key.encoding());
            for placed in &rows {
                frame.row(&placed.row.json, &placed.row.binary);
            }
            frame.finish()
        };
        let message = frame_after(stream.seq);
        stream.seq = seq;
        for id in &stream.subscribers {
            let Some(client) = self.clients.get_mut(id) else {
                continue;
            };
            let Some(held) = client.subscriptions.get_mut(&key.channel) else {
                continue;
            };
            let message = match held.course {
                Course::Current => message.clone(),
                Course::Ahead { seq } => frame_after(seq),
                Course::Snapshot(_) | Course::Past { .. } => continue,
            };
            held.course = Course::Current;
            client.mailbox.event(key.channel, message);
            self.counts.frames.fetch_add(1, Ordering::Relaxed);
        }
    }
}
