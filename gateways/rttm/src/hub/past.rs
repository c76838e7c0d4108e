//! The past of event channels: for who begins, who comes back, and who lost rows.
//!
//! Invariant: frames of the past and of the present join without a gap and without a row twice.

use super::{Course, Hub, Subscription, event_index};
use crate::class::Class;
use crate::events::{EventRows, Placed, end_of};
use crate::frame::Frame;
use crate::stream::{Moment, ROWS_MAX, Stream, StreamKey};
use axum::extract::ws::Message;
use std::sync::atomic::Ordering;
use tradewind_views::live::Live;

impl Hub {
    /// Sends the past to those who are not current. True while somebody is not.
    pub(super) fn catch_up(&mut self) -> bool {
        let mut behind = Vec::new();
        for (key, stream) in self.streams.iter().filter(|(key, _)| key.channel.is_event()) {
            for id in &stream.subscribers {
                let held = self
                    .clients
                    .get(id)
                    .and_then(|client| client.subscriptions.get(&key.channel));
                let is_behind =
                    |held: &Subscription| matches!(held.course, Course::Snapshot(_) | Course::Past { .. });
                if held.is_some_and(is_behind) {
                    behind.push((*id, key.clone()));
                }
            }
        }
        let is_behind = !behind.is_empty();
        for (id, key) in behind {
            self.send_past(id, &key);
        }
        is_behind
    }

    fn send_past(&mut self, id: u64, key: &StreamKey) {
        let moment = self.moment();
        let (Some(client), Some(stream)) = (self.clients.get_mut(&id), self.streams.get(key)) else {
            return;
        };
        let Some(class) = self.classes.get_mut(&key.class) else {
            return;
        };
        let Some(held) = client.subscriptions.get_mut(&key.channel) else {
            return;
        };
        if !client.mailbox.is_calm() {
            return;
        }
        let rows = &self.events[event_index(key.channel)];
        let message = match held.course {
            Course::Current | Course::Ahead { .. } => return,
            Course::Snapshot(gap) => {
                held.course = Course::Current;
                Some(newest_frame(rows, &self.live, key, stream, class, moment, gap))
            }
            Course::Past { seq, .. } if seq > stream.place.0 => {
                // It knows more than the journal does: another one told it.
                held.course = Course::Snapshot(true);
                None
            }
            Course::Past { place, seq } => match rows.read(&self.live, place, ROWS_MAX) {
                None => {
                    held.course = Course::Snapshot(true);
                    None
                }
                Some(found) => {
                    let (course, message) = past_frame(found, key, stream, class, moment, seq);
                    held.course = course;
                    message
                }
            },
        };
        if let Some(message) = message {
            client.mailbox.event(key.channel, message);
            self.counts.frames.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The newest rows as a snapshot.
fn newest_frame(
    rows: &EventRows,
    live: &Live,
    key: &StreamKey,
    stream: &Stream,
    class: &mut Class,
    moment: Moment,
    gap: bool,
) -> Message {
    let found = rows.newest(live, stream.place, |whose| key.takes_of(class, whose));
    let mut head = key.head(moment, true, stream.seq, 0);
    head.gap = gap;
    let mut frame = Frame::new(head, key.encoding());
    for placed in &found {
        frame.row(&placed.row.json, &placed.row.binary);
    }
    frame.finish()
}

/// A piece of the past behind `seq`, and where the subscriber is after it.
fn past_frame(
    mut found: Vec<Placed>,
    key: &StreamKey,
    stream: &Stream,
    class: &mut Class,
    moment: Moment,
    seq: u64,
) -> (Course, Option<Message>) {
    let is_cut = found.len() == ROWS_MAX;
    if is_cut {
        // Rows of one input stand in one frame: the last one may not be whole.
        let last = found.last().map_or(0, |placed| placed.place.0);
        if found.first().is_some_and(|placed| placed.place.0 < last) {
            found.retain(|placed| placed.place.0 < last);
        }
    }
    let is_done = !is_cut || found.last().is_none_or(|placed| placed.place >= stream.place);
    found.retain(|placed| placed.place <= stream.place);
    let reached = found.last().map_or(seq, |placed| placed.place.0);
    let to = if is_done { stream.seq.max(seq) } else { reached };
    let rows: Vec<_> = found
        .iter()
        .filter(|placed| key.takes(class, &placed.row))
        .collect();
    let course = if is_done && to > stream.seq {
        Course::Ahead { seq: to }
    } else if is_done {
        Course::Current
    } else {
        Course::Past {
            place: end_of(reached),
            seq: if rows.is_empty() { seq } else { to },
        }
    };
    if rows.is_empty() && (!is_done || to <= seq) {
        return (course, None);
    }
    let mut head = key.head(moment, false, to, seq);
    head.more = !is_done;
    let mut frame = Frame::new(head, key.encoding());
    for placed in rows {
        frame.row(&placed.row.json, &placed.row.binary);
    }
    (course, Some(frame.finish()))
}
