//! What waits to go out to one client.
//!
//! # Invariants
//! - It is bounded, whatever the client does: a few frames of each state channel, [`EVENT_FRAMES_MAX`] frames and
//!   [`EVENT_BYTES_MAX`] bytes of event channels, answers to as many requests as a client may send.
//! - Frames leave in the order in which they came. Nobody waits to put one in.

use crate::channel::{CHANNELS, Channel};
use axum::extract::ws::Message;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Frames of a state channel that wait at most; a snapshot's pieces count as one.
const STATE_FRAMES_MAX: u32 = 4;
/// Frames of event channels that wait at most.
pub(crate) const EVENT_FRAMES_MAX: u32 = 1_024;
/// Bytes of event channels that wait at most.
pub(crate) const EVENT_BYTES_MAX: usize = 4 << 20;
/// Answers that wait at most.
const ANSWERS_MAX: u32 = 256;

/// Why a connection ends, as the close frame says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

/// Endings, as docs/rttm.md lists them.
pub(crate) mod ending {
    use super::Ending;

    const fn of(code: u16, reason: &'static str) -> Ending {
        Ending { code, reason }
    }
    pub(crate) const BINARY: Ending = of(1003, "clients send text");
    pub(crate) const TOO_MANY: Ending = of(1008, "too many messages");
    pub(crate) const RESTART: Ending = of(1012, "the server stops or restarts");
    pub(crate) const FULL: Ending = of(1013, "too many connections");
    pub(crate) const NOT_AUTHENTICATED: Ending = of(4001, "not authenticated");
    pub(crate) const EXPIRED: Ending = of(4001, "the token's time is over");
    pub(crate) const REVOKED: Ending = of(4003, "revoked");
    pub(crate) const SLOW: Ending = of(4008, "too slow: connect again and resume");
}

/// One message on its way.
enum Waiting {
    Answer(Message),
    /// A frame; of a snapshot in pieces only the last one counts.
    Frame(Channel, Message, bool),
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Frames by channel.
    frames: [u32; CHANNELS],
    event_frames: u32,
    event_bytes: usize,
    answers: u32,
    ending: Option<Ending>,
}

/// The mailbox of one connection.
#[derive(Default)]
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    filled: Notify,
    ended: Notify,
}

impl Mailbox {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an answer in. A client that asks without reading is slow.
    pub(crate) fn answer(&self, message: Message) {
        let mut queue = self.queue();
        if queue.ending.is_some() {
            return;
        }
        queue.answers += 1;
        if queue.answers > ANSWERS_MAX {
            drop(queue);
            return self.end(ending::SLOW);
        }
        queue.waiting.push_back(Waiting::Answer(message));
        drop(queue);
        self.filled.notify_one();
    }

    /// Puts a state channel's frame in: an update, or the pieces of a snapshot. False where there is no room: the client is to get a
    /// snapshot later.
    pub(crate) fn state(&self, channel: Channel, pieces: &[Message], is_snapshot: bool) -> bool {
        let mut queue = self.queue();
        let waiting = queue.frames[channel.index()];
        if queue.ending.is_some() || waiting >= STATE_FRAMES_MAX || (is_snapshot && waiting > 0) {
            return false;
        }
        queue.frames[channel.index()] += 1;
        for (at, piece) in pieces.iter().enumerate() {
            let is_last = at + 1 == pieces.len();
            queue
                .waiting
                .push_back(Waiting::Frame(channel, piece.clone(), is_last));
        }
        drop(queue);
        self.filled.notify_one();
        true
    }

    /// Puts an event channel's frame in. A client that has left too much lying is slow.
    pub(crate) fn event(&self, channel: Channel, message: Message) {
        let mut queue = self.queue();
        if queue.ending.is_some() {
            return;
        }
        queue.event_frames += 1;
        queue.event_bytes += size_of_message(&message);
        if queue.event_frames > EVENT_FRAMES_MAX || queue.event_bytes > EVENT_BYTES_MAX {
            drop(queue);
            return self.end(ending::SLOW);
        }
        queue.frames[channel.index()] += 1;
        queue.waiting.push_back(Waiting::Frame(channel, message, true));
        drop(queue);
        self.filled.notify_one();
    }

    /// True where a piece of the past may follow.
    pub(crate) fn is_calm(&self) -> bool {
        let queue = self.queue();
        queue.event_frames < 4 && queue.ending.is_none()
    }

    /// The next message; answers and frames in the order in which they came.
    pub(crate) fn next(&self) -> Option<Message> {
        let mut queue = self.queue();
        match queue.waiting.pop_front()? {
            Waiting::Answer(message) => {
                queue.answers = queue.answers.saturating_sub(1);
                Some(message)
            }
            Waiting::Frame(channel, message, is_last) => {
                if is_last {
                    let waiting = &mut queue.frames[channel.index()];
                    *waiting = waiting.saturating_sub(1);
                }
                if channel.is_event() {
                    queue.event_frames = queue.event_frames.saturating_sub(1);
                    let bytes = size_of_message(&message);
                    queue.event_bytes = queue.event_bytes.saturating_sub(bytes);
                }
                Some(message)
            }
        }
    }

    /// Drops the frames of a channel that the client has left.
    pub(crate) fn forget(&self, channel: Channel) {
        let mut queue = self.queue();
        let mut kept = VecDeque::with_capacity(queue.waiting.len());
        let (mut frames, mut bytes) = (0, 0);
        for waiting in queue.waiting.drain(..) {
            match &waiting {
                Waiting::Frame(of, message, _) if *of == channel => {
                    frames += 1;
                    bytes += size_of_message(message);
                }
                _ => kept.push_back(waiting),
            }
        }
        queue.waiting = kept;
        queue.frames[channel.index()] = 0;
        if channel.is_event() {
            queue.event_frames = queue.event_frames.saturating_sub(frames);
            queue.event_bytes = queue.event_bytes.saturating_sub(bytes);
        }
    }

    /// Ends the connection; what waits is dropped. The first reason counts.
    pub(crate) fn end(&self, ending: Ending) {
        let mut queue = self.queue();
        if queue.ending.is_none() {
            queue.ending = Some(ending);
            queue.waiting.clear();
        }
        drop(queue);
        self.ended.notify_one();
        self.filled.notify_one();
    }

    /// Why it is to end.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.queue().ending
    }

    /// Returns once something may have come.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Returns once it is to end.
    pub(crate) async fn ended(&self) {
        self.ended.notified().await;
    }
}

fn size_of_message(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) => bytes.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(len: usize) -> Message {
        Message::Text("x".repeat(len).into())
    }

    #[test]
    fn a_state_channel_takes_a_few_frames_and_a_snapshot_only_where_none_waits() {
        let mailbox = Mailbox::default();
        assert!(mailbox.state(Channel::Positions, &[text(1), text(2)], true));
        assert!(!mailbox.state(Channel::Positions, &[text(1)], true));
        for _ in 1..STATE_FRAMES_MAX {
            assert!(mailbox.state(Channel::Positions, &[text(3)], false));
        }
        assert!(!mailbox.state(Channel::Positions, &[text(3)], false));
        assert!(
            mailbox.state(Channel::Pnl, &[text(3)], true),
            "another channel has room of its own"
        );
        mailbox.next().unwrap();
        assert!(
            !mailbox.state(Channel::Positions, &[text(3)], false),
            "half of a snapshot still waits"
        );
        mailbox.next().unwrap();
        assert!(mailbox.state(Channel::Positions, &[text(3)], false));
        mailbox.forget(Channel::Positions);
        assert!(mailbox.state(Channel::Positions, &[text(1)], true));
        assert_eq!(mailbox.ending(), None);
    }

    #[test]
    fn who_leaves_events_lying_is_slow_by_frames_or_by_bytes() {
        let by_frames = Mailbox::default();
        for _ in 0..EVENT_FRAMES_MAX {
            by_frames.event(Channel::Trades, text(1));
        }
        assert_eq!(by_frames.ending(), None);
        by_frames.event(Channel::Rejects, text(1));
        assert_eq!(by_frames.ending(), Some(ending::SLOW));
        assert!(by_frames.next().is_none(), "what waited is dropped");

        let by_bytes = Mailbox::default();
        for _ in 0..4 {
            by_bytes.event(Channel::Trades, text(1 << 20));
        }
        while by_bytes.next().is_some() {}
        for _ in 0..4 {
            by_bytes.event(Channel::Trades, text(1 << 20));
        }
        assert_eq!(by_bytes.ending(), None, "what was read does not count");
        by_bytes.event(Channel::Trades, text(1));
        assert_eq!(by_bytes.ending(), Some(ending::SLOW));
    }
}
