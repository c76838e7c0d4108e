//! The feed beside a running engine: the hub's thread, and the route that lets clients in.

use crate::figures::Figures;
use crate::hub::{Command, Hub};
use crate::socket;
use crate::viewer::Entitlements;
use axum::Router;
use axum::routing::get;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;
use tradewind_machine::clock::Clock;
use tradewind_views::live::Live;

/// How long connections have to say goodbye when the feed stops.
const GOODBYE: Duration = Duration::from_millis(1_500);
/// How often it is looked at whether they have.
const LOOK: Duration = Duration::from_millis(10);

/// Settings of the feed.
#[derive(Clone, Debug)]
pub struct FeedSettings {
    /// Connections at one time.
    pub clients_max: u32,
    /// Milliseconds for which a client may keep the server from writing before it is closed.
    pub send_timeout_ms: u32,
    /// What answers to `authenticate` say of the program.
    pub server: String,
    /// And of its profile: a client shows it, so that nobody takes one for the other.
    pub environment: String,
    /// And of the run's number.
    pub epoch: u32,
}

impl Default for FeedSettings {
    fn default() -> Self {
        Self {
            clients_max: 10_000,
            send_timeout_ms: 5_000,
            server: String::new(),
            environment: String::new(),
            epoch: 0,
        }
    }
}

/// What the feed has done, readable at any time.
#[derive(Debug, Default)]
pub struct FeedCounts {
    pub(crate) clients: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) subscriptions: AtomicU64,
    pub(crate) frames: AtomicU64,
    pub(crate) left_out: AtomicU64,
    pub(crate) slow: AtomicU64,
    pub(crate) refused: AtomicU64,
}

impl FeedCounts {
    /// Connections that are let in.
    pub fn clients(&self) -> u64 {
        self.clients.load(Ordering::Relaxed)
    }
    /// Subscriptions.
    pub fn subscriptions(&self) -> u64 {
        self.subscriptions.load(Ordering::Relaxed)
    }
    /// Frames that were put into mailboxes.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }
    /// Frames of state channels that a slow client did not get: it got a snapshot later.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }
    /// Clients that were closed for being slow.
    pub fn slow(&self) -> u64 {
        self.slow.load(Ordering::Relaxed)
    }
    /// Clients that were not let in.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// What connections need.
pub(crate) struct Shared {
    pub(crate) live: Arc<Live>,
    pub(crate) clock: Clock,
    pub(crate) settings: FeedSettings,
    pub(crate) entitlements: Arc<dyn Entitlements>,
    pub(crate) counts: Arc<FeedCounts>,
    pub(crate) last_id: AtomicU64,
    pub(crate) stop: AtomicBool,
    commands: Sender<Command>,
    hub: Thread,
}

impl Shared {
    /// Tells the hub.
    pub(crate) fn tell(&self, command: Command) {
        let _ = self.commands.send(command); // a hub that has stopped needs to know nothing
        self.hub.unpark();
    }
}

/// A running feed.
pub struct Feed {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Feed {
    /// Starts the hub's thread. One feed a replica.
    pub fn start(
        live: Arc<Live>,
        figures: Arc<dyn Figures>,
        entitlements: Arc<dyn Entitlements>,
        settings: FeedSettings,
        clock: Clock,
    ) -> io::Result<Self> {
        let (commands, orders) = channel();
        let counts = Arc::new(FeedCounts::default());
        let hub = Hub::new(
            Arc::clone(&live),
            figures,
            clock.clone(),
            settings.clone(),
            orders,
            Arc::clone(&counts),
        );
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("tw-rttm".into()).spawn({
            let stop = Arc::clone(&stop);
            move || hub.run(&stop)
        })?;
        let shared = Arc::new(Shared {
            live,
            clock,
            settings,
            entitlements,
            counts,
            last_id: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            commands,
            hub: thread.thread().clone(),
        });
        Ok(Self { shared, stop, thread })
    }

    /// The route `/ws`, to be merged into a server's router.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/ws", get(socket::upgrade))
            .with_state(Arc::clone(&self.shared))
    }

    /// What it has done.
    pub fn counts(&self) -> Arc<FeedCounts> {
        Arc::clone(&self.shared.counts)
    }

    /// Tells every client that the server stops, and ends the thread. To be called before the server's runtime ends.
    pub fn stop(self) {
        self.shared.stop.store(true, Ordering::Release);
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let _ = self.thread.join(); // a thread that broke has nothing more to give back
        let mut waited = Duration::ZERO;
        while self.shared.counts.connections.load(Ordering::Acquire) > 0 && waited < GOODBYE {
            std::thread::park_timeout(LOOK);
            waited += LOOK;
        }
    }
}
