//! Ingest: merges all sources into one sequence and gives each event its number and time.
//!
//! # Invariants
//! - `seq` rises by one, `recv_ns` strictly, from one event to the next and across restarts.
//! - Work that is due has its place before the event whose time makes it due.
//! - What has been taken from a ring gets a number, or is counted as refused: of an unknown kind, or of a kind that no
//!   source may send.
//! - No source starves: each class has its share of every batch, and the rings of a class take turns.
//!
//! Not here: what an event means. A [`Schedule`] knows when something is due; the stages know the rest.

use crate::clock::Clock;
use crate::control::{Control, StopMode};
use crate::latency::Meter;
use crate::slab::{Pool, Slot};
use crate::source::{Intake, Ring, SOURCE_ENGINE, SOURCE_LONG, Sources};
use std::sync::Arc;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{InboundLong, head_flags};
use tradewind_domain::ids::Seq;
use tradewind_domain::reject::Note;
use tradewind_domain::time::UnixNanos;

/// Knows when something is due. Lives in ingest, on a pinned thread: no allocation, no clock.
pub trait Schedule<E>: Send {
    /// When the next thing is due; `u64::MAX` where nothing is.
    fn next_due_ns(&self) -> UnixNanos;

    /// Makes `out` the event of the next thing that is due at `now_ns`. `out` holds old bytes: it resets it first. The
    /// event comes back through [`observe`](Self::observe), and that is what moves the schedule on. False where it has
    /// no event (such a tick takes no number); then `emit` itself moves on.
    fn emit(&mut self, now_ns: UnixNanos, out: &mut E) -> bool;

    /// Sees each event of the sequence once it has its number, its own included; in recovery, each input of the journal.
    fn observe(&mut self, event: &E);
}

/// The end of a sequence: the next event is numbered after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastSeen {
    /// Number of the last input; 0 before the first.
    pub seq: Seq,
    /// Its time.
    pub recv_ns: UnixNanos,
}

/// Ingest waits until so many slots are free, so that every class can have its share of a batch.
const POLL_MIN: usize = 8;
/// The smallest pool of inputs.
pub(crate) const INGEST_SLOTS_MIN: usize = 2 * POLL_MIN;
/// Messages from one ring before it is the next ring's turn.
const RING_QUOTA: usize = 4;
/// Time stamps of sources above this are none: they leave no room for those that follow (the year 2116).
const ORIGIN_MAX: UnixNanos = 1 << 62;

/// The sequence itself: numbers, times, and what is due.
pub(crate) struct Sequencer<E> {
    pub(crate) pool: Pool<E>,
    last: LastSeen,
    mode: ClockMode,
    schedule: Option<Box<dyn Schedule<E>>>,
    next_due_ns: UnixNanos,
    now_ns: UnixNanos,
    notes: u64,
    /// An event that waits for room because something is due before it.
    pending: Option<(Slot<E>, u16)>,
    refused: u64,
}

impl<E: Intake> Sequencer<E> {
    pub(crate) fn new(
        pool: Pool<E>,
        last: LastSeen,
        mode: ClockMode,
        schedule: Option<Box<dyn Schedule<E>>>,
    ) -> Self {
        let mut sequencer = Self {
            pool,
            last,
            mode,
            schedule,
            next_due_ns: u64::MAX,
            now_ns: 0,
            notes: 0,
            pending: None,
            refused: 0,
        };
        sequencer.refresh_due();
        sequencer
    }

    /// Makes an event in a free slot and numbers it. The caller has seen that `batch` is below `limit`.
    #[inline]
    fn admit(
        &mut self,
        batch: &mut Vec<Slot<E>>,
        limit: usize,
        source: u16,
        fill: impl FnOnce(&mut E) -> bool,
    ) {
        let Some(mut slot) = self.pool.take() else {
            unreachable!("Invariant: the limit of a batch counts free slots, and nothing is pending");
        };
        if fill(&mut slot) {
            self.place(slot, source, batch, limit);
        } else {
            self.pool.put(slot);
            self.refused += 1;
        }
    }

    /// Numbers an event after everything that is due before it; without room for all of that, it waits.
    #[inline]
    fn place(&mut self, slot: Slot<E>, source: u16, batch: &mut Vec<Slot<E>>, limit: usize) {
        let time = self.time_of(&slot);
        let due_remains = time >= self.next_due_ns && !self.emit_due(time, batch, limit);
        if due_remains || batch.len() >= limit {
            self.pending = Some((slot, source));
            return;
        }
        let recv_ns = time.max(self.last.recv_ns + 1);
        self.number(slot, recv_ns, source, self.notes, batch);
    }

    /// The time that the event claims for itself.
    #[inline]
    fn time_of(&self, event: &E) -> UnixNanos {
        match self.mode {
            ClockMode::Wall => self.now_ns,
            ClockMode::Input => Some(event.head().origin_ns)
                .filter(|ns| *ns < ORIGIN_MAX)
                .unwrap_or(0),
        }
    }

    /// Emits what is due until then. False where the batch has no room for all of it.
    fn emit_due(&mut self, until_ns: UnixNanos, batch: &mut Vec<Slot<E>>, limit: usize) -> bool {
        while self.next_due_ns <= until_ns {
            if batch.len() >= limit {
                return false;
            }
            let Some(mut slot) = self.pool.take() else {
                return false;
            };
            let due_ns = self.next_due_ns;
            if self
                .schedule
                .as_mut()
                .is_some_and(|schedule| schedule.emit(until_ns, &mut slot))
            {
                let recv_ns = due_ns.max(self.last.recv_ns + 1);
                self.number(slot, recv_ns, SOURCE_ENGINE, 0, batch);
            } else {
                self.pool.put(slot);
                self.refresh_due();
                if self.next_due_ns == due_ns {
                    return true; // A schedule that stands still has nothing to say; it is asked again next time.
                }
            }
        }
        true
    }

    #[inline]
    fn number(
        &mut self,
        mut slot: Slot<E>,
        recv_ns: UnixNanos,
        source: u16,
        notes: u64,
        batch: &mut Vec<Slot<E>>,
    ) {
        self.last = LastSeen {
            seq: self.last.seq + 1,
            recv_ns,
        };
        let notes = if notes != 0 && slot.yields_space() {
            notes
        } else {
            0
        };
        let head = slot.head_mut();
        head.len = 0;
        head.crc = 0;
        head.seq = self.last.seq;
        head.journaled_ns = 0;
        head.recv_ns = recv_ns;
        head.part = 0;
        head.source = source;
        head.flags = head.flags & head_flags::POSS_RESEND | head_flags::LAST;
        head.field = 0;
        head.outcome = 0;
        head.notes = notes;
        if let Some(schedule) = &mut self.schedule {
            schedule.observe(&slot);
            self.next_due_ns = schedule.next_due_ns();
        }
        batch.push(slot);
    }

    fn refresh_due(&mut self) {
        self.next_due_ns = self
            .schedule
            .as_ref()
            .map_or(u64::MAX, |schedule| schedule.next_due_ns());
    }

    /// Numbers the first event of the run: not even what is due comes before it.
    fn open(&mut self, opening: &InboundLong, batch: &mut Vec<Slot<E>>) {
        let Some(mut slot) = self.pool.take() else { return };
        if slot.take_long(opening, true) {
            let recv_ns = self.time_of(&slot).max(self.last.recv_ns + 1);
            self.number(slot, recv_ns, SOURCE_ENGINE, self.notes, batch);
        } else {
            self.pool.put(slot);
            self.refused += 1;
        }
    }

    fn place_pending(&mut self, batch: &mut Vec<Slot<E>>, limit: usize) {
        if let Some((slot, source)) = self.pending.take() {
            self.place(slot, source, batch, limit);
        }
    }
}

/// All sources and the sequence that they are merged into.
pub(crate) struct Ingest<E> {
    sources: Sources,
    pub(crate) sequencer: Sequencer<E>,
    pub(crate) meter: Meter,
    clock: Clock,
    control: Arc<Control>,
    /// Which ring of each class comes first; moves on with every poll.
    turn: usize,
    /// The first event of the run, before anything that is due.
    opening: Option<InboundLong>,
    /// The last event of the run has been taken: nothing is taken after it.
    leaving: bool,
    finished: bool,
}

impl<E: Intake> Ingest<E> {
    pub(crate) fn new(
        sources: Sources,
        sequencer: Sequencer<E>,
        meter: Meter,
        clock: Clock,
        control: Arc<Control>,
        opening: Option<InboundLong>,
    ) -> Self {
        Self {
            sources,
            sequencer,
            meter,
            clock,
            control,
            turn: 0,
            opening,
            leaving: false,
            finished: false,
        }
    }

    /// Takes what waits, up to `max` events, into the empty `batch`. Returns how many messages and timers it looked at.
    pub(crate) fn poll(&mut self, batch: &mut Vec<Slot<E>>, max: usize) -> usize {
        let limit = self.sequencer.pool.available(max);
        if self.finished || limit < max.min(POLL_MIN) {
            return 0;
        }
        let stop = self.control.stop_asked();
        let refused_before = self.sequencer.refused;
        self.begin_cycle();
        if let Some(opening) = self.opening.take() {
            self.sequencer.open(&opening, batch);
        }
        self.sequencer.place_pending(batch, limit);
        if stop != Some(StopMode::Now) && !self.leaving {
            self.take_sources(batch, limit);
        }
        if self.sequencer.mode == ClockMode::Wall && self.sequencer.pending.is_none() && !self.leaving {
            self.sequencer.emit_due(self.sequencer.now_ns, batch, limit);
        }
        if let Some(mode) = stop {
            self.take_leave(mode, batch, limit);
        }
        let refused = self.sequencer.refused - refused_before;
        if refused > 0 {
            self.meter.refused(refused);
        }
        batch.len() + refused as usize
    }

    #[inline]
    fn begin_cycle(&mut self) {
        if self.sequencer.mode == ClockMode::Wall {
            self.sequencer.now_ns = self.clock.now_ns();
        }
        self.sequencer.notes = if self.control.space_low() {
            Note::JournalSpaceLow.bit()
        } else {
            0
        };
    }

    /// The engine's own events first, then half of the room for priority rings, an eighth for the long queue, and the
    /// rest for orders but for a quarter of it that is kept where market data waits.
    fn take_sources(&mut self, batch: &mut Vec<Slot<E>>, limit: usize) {
        self.turn = self.turn.wrapping_add(1);
        let Self {
            sources,
            sequencer,
            turn,
            ..
        } = self;
        let room = limit.saturating_sub(batch.len());
        take_long(sequencer, batch, limit, room, SOURCE_ENGINE, || {
            sources.pop_engine()
        });
        let room = limit.saturating_sub(batch.len());
        take_rings(
            sequencer,
            batch,
            limit,
            room.div_ceil(2),
            &mut sources.priority,
            *turn,
        );
        take_long(sequencer, batch, limit, (limit / 8).max(1), SOURCE_LONG, || {
            sources.pop_long()
        });
        let room = limit.saturating_sub(batch.len());
        let market_waits = sources.market.iter().any(|ring| !ring.messages.is_empty());
        let kept = if market_waits { room.div_ceil(4) } else { 0 };
        take_rings(sequencer, batch, limit, room - kept, &mut sources.order, *turn);
        let room = limit.saturating_sub(batch.len());
        take_rings(sequencer, batch, limit, room, &mut sources.market, *turn);
    }

    /// Ends the sequence once nothing waits that the mode wants taken.
    fn take_leave(&mut self, mode: StopMode, batch: &mut Vec<Slot<E>>, limit: usize) {
        self.sources.close();
        let drained = mode == StopMode::Now || self.sources.is_empty();
        if self.sequencer.pending.is_some() || batch.len() >= limit || !(drained || self.leaving) {
            return;
        }
        self.leaving = true;
        if let Some(last) = self.control.take_farewell() {
            self.sequencer
                .admit(batch, limit, SOURCE_ENGINE, |event| event.take_long(&last, true));
        }
        self.finished = self.sequencer.pending.is_none();
    }

    /// True once the sequence has ended: no poll will find anything.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// True where nothing waits to be numbered; what may be due is not asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.opening.is_none() && self.sequencer.pending.is_none() && self.sources.is_empty()
    }

    pub(crate) fn last(&self) -> LastSeen {
        self.sequencer.last
    }
}

/// Takes up to `budget` messages of one class, a few from each ring in turn.
#[inline]
fn take_rings<E: Intake>(
    sequencer: &mut Sequencer<E>,
    batch: &mut Vec<Slot<E>>,
    limit: usize,
    mut budget: usize,
    rings: &mut [Ring],
    turn: usize,
) {
    let count = rings.len();
    let quota = if count == 1 { budget } else { RING_QUOTA };
    loop {
        let mut found = false;
        for step in 0..count {
            let ring = &mut rings[(turn + step) % count];
            let taken = take_ring(sequencer, batch, limit, quota.min(budget), ring);
            budget -= taken;
            found |= taken > 0;
        }
        if !found {
            return;
        }
    }
}

/// Takes up to `count_max` messages from one ring and says how many.
#[inline]
fn take_ring<E: Intake>(
    sequencer: &mut Sequencer<E>,
    batch: &mut Vec<Slot<E>>,
    limit: usize,
    count_max: usize,
    ring: &mut Ring,
) -> usize {
    let count = ring.messages.slots().min(count_max);
    if count == 0 {
        return 0;
    }
    let Ok(chunk) = ring.messages.read_chunk(count) else {
        return 0;
    };
    let (first, second) = chunk.as_slices();
    let mut taken = 0;
    for message in first.iter().chain(second) {
        if batch.len() >= limit || sequencer.pending.is_some() {
            break;
        }
        sequencer.admit(batch, limit, ring.id, |event| event.take(message));
        taken += 1;
    }
    chunk.commit(taken);
    ring.gauge.taken(taken);
    taken
}

/// Takes up to `budget` messages from a long queue.
#[inline]
fn take_long<E: Intake>(
    sequencer: &mut Sequencer<E>,
    batch: &mut Vec<Slot<E>>,
    limit: usize,
    budget: usize,
    source: u16,
    mut pop: impl FnMut() -> Option<InboundLong>,
) {
    for _ in 0..budget {
        if batch.len() >= limit || sequencer.pending.is_some() {
            return;
        }
        let Some(message) = pop() else { return };
        sequencer.admit(batch, limit, source, |event| {
            event.take_long(&message, source == SOURCE_ENGINE)
        });
    }
}
