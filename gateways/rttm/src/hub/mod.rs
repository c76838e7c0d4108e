//! The hub: one thread that makes every frame and puts it into the mailboxes of those who share it. Who comes and goes, and what they may
//! see, is in `clients`; tables in `state`; executions and refusals as they happen in `events`, and for who was away in `past`.
//!
//! # Invariants
//! - Nobody is waited for: a mailbox that is full costs its owner the frame (state channels) or the connection (event channels).
//! - A frame is made once for all who share it, whatever their number.
//! - Who was revoked is out within [`STANDING_TICKS`] ticks.
//!
//! Not here: sockets (see `socket`).

mod clients;
mod events;
mod past;
mod state;

use crate::channel::Channel;
use crate::class::Class;
use crate::events::EventRows;
use crate::feed::{FeedCounts, FeedSettings};
use crate::figures::Figures;
use crate::mailbox::{Mailbox, ending};
use crate::protocol::{Request, Wish};
use crate::stream::{Moment, Stream, StreamKey, TICKS_PER_S};
use crate::tables::Tables;
use crate::viewer::Viewer;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tradewind_domain::ids::Seq;
use tradewind_machine::clock::{Clock, RawStamp};
use tradewind_views::live::{Held, Live};

/// Nanoseconds of a tick.
const TICK_NS: u64 = 1_000_000_000 / TICKS_PER_S;
/// Ticks between two looks at whether tokens still count.
pub(crate) const STANDING_TICKS: u64 = 4;
/// The pause while somebody catches up.
const SHORT_PAUSE: Duration = Duration::from_millis(2);

/// What connections tell the hub.
pub(crate) enum Command {
    /// A connection that is let in.
    Open {
        id: u64,
        mailbox: Arc<Mailbox>,
        viewer: Arc<dyn Viewer>,
    },
    /// It has shown a new token.
    Renew { id: u64, viewer: Arc<dyn Viewer> },
    /// It wants a channel.
    Subscribe { id: u64, request: Request, wish: Wish },
    /// It does not want a channel any more.
    Unsubscribe {
        id: u64,
        request: Request,
        channel: Channel,
    },
    /// It is gone.
    Close { id: u64 },
}

/// Where a subscriber of a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// It has everything up to the stream's last frame.
    Current,
    /// It is to get a snapshot; with true because rows were lost to it.
    Snapshot(bool),
    /// Event channels: it gets the past first, from behind this place; the last number that it was told.
    Past { place: (Seq, u32), seq: u64 },
    /// Event channels: it has everything, and was told a later number than the stream's last frame said.
    Ahead { seq: u64 },
}

struct Subscription {
    key: StreamKey,
    course: Course,
}

struct Client {
    mailbox: Arc<Mailbox>,
    viewer: Arc<dyn Viewer>,
    class: u64,
    subscriptions: BTreeMap<Channel, Subscription>,
}

/// The thread's state.
pub(crate) struct Hub {
    live: Arc<Live>,
    figures: Arc<dyn Figures>,
    clock: Clock,
    settings: FeedSettings,
    commands: Receiver<Command>,
    counts: Arc<FeedCounts>,
    clients: HashMap<u64, Client>,
    classes: HashMap<u64, Class>,
    streams: BTreeMap<StreamKey, Stream>,
    tables: Tables,
    events: [EventRows; 2],
    tick: u64,
    as_of: Seq,
    /// Subscribers that want events as they happen.
    immediate: u64,
    rung: u64,
    round_at: RawStamp,
    /// How long events wait for the next round, where some do.
    to_round: Option<Duration>,
    /// Somebody gets the past.
    is_catching_up: bool,
}

impl Hub {
    pub(crate) fn new(
        live: Arc<Live>,
        figures: Arc<dyn Figures>,
        clock: Clock,
        settings: FeedSettings,
        commands: Receiver<Command>,
        counts: Arc<FeedCounts>,
    ) -> Self {
        let round_at = clock.raw();
        Self {
            live,
            figures,
            clock,
            settings,
            commands,
            counts,
            clients: HashMap::new(),
            classes: HashMap::new(),
            streams: BTreeMap::new(),
            tables: Tables::default(),
            events: [EventRows::new(Channel::Trades), EventRows::new(Channel::Rejects)],
            tick: 1,
            as_of: 0,
            immediate: 0,
            rung: 0,
            round_at,
            to_round: None,
            is_catching_up: false,
        }
    }

    /// Makes frames until `stop`.
    pub(crate) fn run(mut self, stop: &AtomicBool) {
        self.live.wake_me();
        self.live.look(Held::watch);
        let began = self.clock.raw();
        while !stop.load(Ordering::Acquire) {
            while let Ok(command) = self.commands.try_recv() {
                self.obey(command);
            }
            self.immediate_events();
            let passed_ns = self.clock.span_ns(began, self.clock.raw());
            let tick = 1 + passed_ns / TICK_NS;
            if tick > self.tick {
                self.tick = tick;
                self.on_tick();
            }
            if self.is_catching_up {
                self.is_catching_up = self.catch_up();
            }
            self.wait(began);
        }
        for client in self.clients.values() {
            client.mailbox.end(ending::RESTART);
        }
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Open { mailbox, .. } = command {
                mailbox.end(ending::RESTART);
            }
        }
    }

    fn wait(&self, began: RawStamp) {
        let passed_ns = self.clock.span_ns(began, self.clock.raw());
        let to_tick = Duration::from_nanos((self.tick * TICK_NS).saturating_sub(passed_ns));
        let to_past = self.is_catching_up.then_some(SHORT_PAUSE);
        let pause = { [Some(to_tick), self.to_round, to_past].into_iter() }
            .flatten()
            .min()
            .unwrap_or_default();
        if !pause.is_zero() {
            std::thread::park_timeout(pause);
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            tick: self.tick,
            as_of: self.as_of,
            now_ns: self.clock.now_ns(),
        }
    }
}

fn event_index(channel: Channel) -> usize {
    usize::from(channel == Channel::Rejects)
}
