//! The sender: pushes the stream into the engine's ring, each message at its planned time.
//!
//! # Invariants
//! - The planned time stands on the message and never moves. Where the ring is full the sender waits, and the wait counts
//!   as latency (no coordinated omission). With [`Rate::Max`] a message is planned for the moment at which it is sent.
//! - How late the sender itself was is kept for each message; waits for a full ring are the engine's and not counted there.
//! - Between start and end it allocates nothing and makes no system call.
//!
//! It runs on the thread of the caller, which pins it ([`pinned::on_core`](crate::pinned::on_core)): on a core of its own,
//! or what it measures is the scheduler.

use crate::pace::{Pace, Rate};
use crate::percentiles::{Latencies, Latency};
use crate::workload::{Stream, Workload};
use serde::Serialize;
use tradewind_domain::event::Inbound;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::{JournalHandle, Position};
use tradewind_machine::latency::Counters;
use tradewind_machine::source::Source;
use tradewind_machine::topology::StageName;

/// Slots of the ring that the caller should ask for: 256 KiB, which stays in a core's cache.
pub const RING_SLOTS: usize = 1_024;
/// Messages made ahead of their time.
const AHEAD: usize = 256;
/// Messages stamped and pushed at a time without a pace.
const BATCH: usize = 64;
/// A loop of the sender that takes longer than this was interrupted, nanoseconds.
const STALL_MIN_NS: u64 = 10_000;
/// Time between making the first message and its planned time, nanoseconds.
const LEAD_NS: u64 = 1_000_000;
/// Changes of the released position that are remembered.
const RELEASES_MAX: usize = 1 << 22;

/// What to send, and where to.
pub struct Sending<'a> {
    /// The messages.
    pub workload: &'a Workload,
    /// The run's tag in identifiers: the epoch of the journal.
    pub run_tag: u32,
    /// The ring.
    pub source: &'a mut Source,
    /// The engine's clock.
    pub clock: &'a Clock,
    /// The engine's counters, to see the end.
    pub counters: &'a Counters,
    /// How fast.
    pub rate: Rate,
    /// Under durability `disk`: the journal, whose released position is watched, because records carry the time at which
    /// they were committed. `None` under durability `memory`, where that is the same and watching would disturb.
    pub watch_release: Option<&'a JournalHandle>,
    /// With [`Rate::Max`], asked about every 1,024 messages: true holds the sender back. For runs longer than the window,
    /// where the engine would refuse new orders because the disk is behind.
    pub hold: Option<&'a dyn Fn() -> bool>,
    /// Called once, shortly before the warm-up ends: the caller reads its counters.
    pub at_mark: &'a mut dyn FnMut(),
}

/// The pipeline ended under the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline ended after {sent} messages")]
pub struct SendError {
    /// Messages it had taken.
    pub sent: u64,
}

/// How the sender kept up.
#[derive(Clone, Debug, Serialize)]
pub struct SenderReport {
    /// Messages sent, warm-up included.
    pub messages: u64,
    /// Seconds from the first to the last.
    pub seconds: f64,
    /// How late the sender itself was, over the measured messages, nanoseconds.
    pub late_ns: Latency,
    /// Times it found the ring full: zero under `max` says that the harness, not the engine, set the rate.
    pub ring_full_waits: u64,
    /// Times it was itself interrupted for more than 10 us.
    pub stalls: u64,
    /// The longest of these, nanoseconds.
    pub stall_max_ns: u64,
    /// Times it was held back because the disk was behind.
    pub holds: u64,
}

/// A finished sending.
pub struct Sent {
    /// How the sender kept up.
    pub report: SenderReport,
    /// Messages sent after `at_mark` was called.
    pub after_mark: u64,
    /// How late the sender was with each message, nanoseconds.
    pub(crate) late_ns: Vec<u32>,
    /// When the released position was first seen there.
    pub(crate) releases: Vec<(Position, UnixNanos)>,
}

/// Sends the whole workload and waits until all of it is journaled (and released, where that is watched).
pub fn send(sending: Sending<'_>) -> Result<Sent, SendError> {
    let counters = sending.counters;
    let journaled = || counters.figures()[StageName::Journal as usize].events;
    let target = journaled() + sending.workload.messages();
    let mut sender = Sender::new(sending);
    let started_ns = sender.clock.now_ns();
    match sender.rate {
        Rate::Max => sender.send_max()?,
        Rate::OrdersPerSecond(rate) => sender.send_paced(rate)?,
    }
    let ended_ns = sender.clock.now_ns();
    while journaled() < target {
        sender.check_open()?;
        sender.note_release(sender.clock.now_ns());
    }
    sender.await_release()?;
    Ok(sender.finish(started_ns, ended_ns))
}

struct Sender<'a> {
    stream: Stream<'a>,
    workload: &'a Workload,
    source: &'a mut Source,
    clock: &'a Clock,
    rate: Rate,
    watch_release: Option<&'a JournalHandle>,
    hold: Option<&'a dyn Fn() -> bool>,
    at_mark: &'a mut dyn FnMut(),
    mark_at: u64,
    is_marked: bool,
    sent: u64,
    late_ns: Vec<u32>,
    releases: Vec<(Position, UnixNanos)>,
    ring_full_waits: u64,
    stalls: u64,
    stall_max_ns: u64,
    holds: u64,
    last_ns: UnixNanos,
}

impl<'a> Sender<'a> {
    fn new(sending: Sending<'a>) -> Self {
        let workload = sending.workload;
        let warmup = workload.warmup_messages();
        Self {
            stream: workload.stream(sending.run_tag),
            workload,
            source: sending.source,
            clock: sending.clock,
            rate: sending.rate,
            watch_release: sending.watch_release,
            hold: sending.hold,
            at_mark: sending.at_mark,
            // The caller's reading takes some microseconds; what falls behind is sent before the warm-up ends.
            mark_at: warmup - warmup / 10,
            is_marked: false,
            sent: 0,
            // Written, so that no page fault comes later.
            late_ns: vec![u32::MAX; workload.messages() as usize],
            releases: match sending.watch_release {
                Some(_) => {
                    let mut room = vec![(Position(u64::MAX), u64::MAX); RELEASES_MAX];
                    room.clear();
                    room
                }
                None => Vec::new(),
            },
            ring_full_waits: 0,
            stalls: 0,
            stall_max_ns: 0,
            holds: 0,
            last_ns: 0,
        }
    }

    fn check_open(&self) -> Result<(), SendError> {
        if self.source.is_closed() {
            Err(SendError { sent: self.sent })
        } else {
            Ok(())
        }
    }

    /// Counts where this thread was away.
    #[inline]
    fn note_time(&mut self, now_ns: UnixNanos) {
        let gap = now_ns.saturating_sub(self.last_ns);
        if gap > STALL_MIN_NS && self.last_ns != 0 {
            self.stalls += 1;
            self.stall_max_ns = self.stall_max_ns.max(gap);
        }
        self.last_ns = now_ns;
        self.note_release(now_ns);
    }

    #[inline]
    fn note_release(&mut self, now_ns: UnixNanos) {
        let Some(journal) = self.watch_release else { return };
        let released = journal.released();
        let is_news = self.releases.last().is_none_or(|&(last, _)| last < released);
        if is_news && self.releases.len() < RELEASES_MAX {
            self.releases.push((released, now_ns));
        }
    }

    #[inline]
    fn mark(&mut self) {
        if !self.is_marked && self.sent >= self.mark_at {
            self.is_marked = true;
            self.mark_at = self.sent;
            (self.at_mark)();
            self.last_ns = 0;
        }
    }

    fn send_max(&mut self) -> Result<(), SendError> {
        let total = self.workload.messages();
        let mut batch = [self.stream.next_message(); BATCH];
        let mut made = 1;
        while self.sent < total {
            self.mark();
            let wanted = (total - self.sent).min(BATCH as u64) as usize;
            while made < wanted {
                batch[made] = self.stream.next_message();
                made += 1;
            }
            self.push_all(&mut batch[..wanted])?;
            made = 0;
            if self.sent % 1_024 < BATCH as u64 {
                self.wait_for_disk()?;
            }
        }
        Ok(())
    }

    /// Stamps what fits with the present time and pushes it, until nothing is left.
    fn push_all(&mut self, messages: &mut [Inbound]) -> Result<(), SendError> {
        let mut from = 0;
        while from < messages.len() {
            let now_ns = self.clock.now_ns();
            self.note_time(now_ns);
            let fits = self.source.free().min(messages.len() - from);
            let part = &mut messages[from..from + fits];
            part.iter_mut().for_each(|message| message.origin_ns = now_ns);
            let pushed = self.source.push_slice(part);
            if pushed == 0 {
                self.ring_full_waits += 1;
                self.check_open()?;
                std::hint::spin_loop();
            }
            self.late_ns[self.sent as usize..][..pushed].fill(0);
            self.sent += pushed as u64;
            from += pushed;
        }
        Ok(())
    }

    fn wait_for_disk(&mut self) -> Result<(), SendError> {
        let Some(hold) = self.hold else { return Ok(()) };
        if !hold() {
            return Ok(());
        }
        self.holds += 1;
        while hold() {
            self.check_open()?;
            self.note_release(self.clock.now_ns());
            std::thread::yield_now();
        }
        self.last_ns = 0;
        Ok(())
    }

    fn send_paced(&mut self, orders_per_s: u64) -> Result<(), SendError> {
        let total = self.workload.messages();
        let (messages, orders) = self.workload.block();
        let pace = Pace::new(self.clock.now_ns() + LEAD_NS, orders_per_s, messages, orders);
        let mut ahead = Ahead {
            messages: [bytemuck::Zeroable::zeroed(); AHEAD],
            first: 0,
            end: 0,
        };
        let (mut made, mut engine_is_behind) = (0, false);
        while self.sent < total {
            let now_ns = self.clock.now_ns();
            self.note_time(now_ns);
            self.mark();
            let due = ahead.due(now_ns);
            if due.is_empty() {
                // Nothing made is no sign of having caught up; a message that must wait for its time is.
                engine_is_behind &= ahead.is_empty();
                if ahead.has_room() && made < total {
                    ahead.add(self.stream.next_message().at(pace.planned_ns(made)));
                    made += 1;
                } else {
                    std::hint::spin_loop();
                }
                continue;
            }
            let pushed = self.source.push_slice(due);
            if pushed < due.len() {
                engine_is_behind = true;
                self.ring_full_waits += 1;
                self.check_open()?;
            }
            for (late, message) in self.late_ns[self.sent as usize..].iter_mut().zip(&due[..pushed]) {
                *late = if engine_is_behind {
                    0
                } else {
                    lateness(now_ns, message.origin_ns)
                };
            }
            self.sent += pushed as u64;
            ahead.first += pushed;
        }
        Ok(())
    }

    fn await_release(&mut self) -> Result<(), SendError> {
        let Some(journal) = self.watch_release else {
            return Ok(());
        };
        let target = journal.committed();
        while journal.released() < target {
            self.check_open()?;
            self.note_release(self.clock.now_ns());
        }
        self.note_release(self.clock.now_ns());
        Ok(())
    }

    fn finish(self, started_ns: UnixNanos, ended_ns: UnixNanos) -> Sent {
        let mut late = Latencies::default();
        let measured = &self.late_ns[self.workload.warmup_messages() as usize..];
        measured.iter().for_each(|&ns| late.record(u64::from(ns)));
        let report = SenderReport {
            messages: self.sent,
            seconds: ended_ns.saturating_sub(started_ns) as f64 / 1e9,
            late_ns: late.summary(),
            ring_full_waits: self.ring_full_waits,
            stalls: self.stalls,
            stall_max_ns: self.stall_max_ns,
            holds: self.holds,
        };
        Sent {
            report,
            after_mark: self.sent - self.mark_at,
            late_ns: self.late_ns,
            releases: self.releases,
        }
    }
}

fn lateness(now_ns: UnixNanos, planned_ns: UnixNanos) -> u32 {
    u32::try_from(now_ns.saturating_sub(planned_ns)).unwrap_or(u32::MAX)
}

/// Messages made ahead of their time, stamped with it.
struct Ahead {
    messages: [Inbound; AHEAD],
    first: usize,
    end: usize,
}

impl Ahead {
    #[inline]
    fn is_empty(&self) -> bool {
        self.first == self.end
    }

    #[inline]
    fn has_room(&mut self) -> bool {
        if self.is_empty() {
            (self.first, self.end) = (0, 0);
        }
        self.end < AHEAD
    }

    #[inline]
    fn add(&mut self, message: Inbound) {
        self.messages[self.end] = message;
        self.end += 1;
    }

    /// Those whose time has come.
    #[inline]
    fn due(&self, now_ns: UnixNanos) -> &[Inbound] {
        let waiting = &self.messages[self.first..self.end];
        let count = waiting
            .iter()
            .take_while(|message| message.origin_ns <= now_ns)
            .count();
        &waiting[..count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn only_messages_whose_time_has_come_are_due() {
        let mut ahead = Ahead {
            messages: [Inbound::zeroed(); AHEAD],
            first: 0,
            end: 0,
        };
        [10, 20, 30]
            .into_iter()
            .for_each(|ns| ahead.add(Inbound::zeroed().at(ns)));
        assert_eq!([9, 10, 29, 99].map(|now| ahead.due(now).len()), [0, 1, 2, 3]);
        ahead.first = 3;
        assert!(ahead.has_room() && ahead.due(99).is_empty() && ahead.end == 0);
    }

    #[test]
    fn a_sender_on_time_is_not_late() {
        assert_eq!(lateness(5, 9), 0);
        assert_eq!(lateness(9, 5), 4);
        assert_eq!(lateness(u64::MAX, 0), u32::MAX);
    }
}
