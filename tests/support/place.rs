//! A folder of its own for each engine, small settings, and an engine from start to stop.

use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tradewind::engine::{Engine, Prepared, Stopped, prepare};
use tradewind_config::Settings;
use tradewind_domain::event::InboundLong;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::Identity;
use tradewind_views::{ReplayOptions, ReplaySummary, replay, state_digest};

/// The identity of journals that are compared byte for byte.
pub(crate) const IDENTITY: Identity = Identity {
    id: *b"whole-program-01",
    hash_key: *b"0123456789abcdef",
};

/// Settings that hold for every test: a journal that rolls often, tables that are small, time from the input.
const BASE: &[&str] = &[
    "engine.clock=input",
    "engine.idle=park",
    "engine.stale_order_ms=2000",
    "engine.slab_slots=256",
    "engine.batch_max=32",
    "engine.effect_slots=64",
    "engine.ring_slots=64",
    "journal.allow_unsafe_fs=true",
    "journal.reserve_bytes=512KiB",
    "journal.retention_bytes=0",
    "journal.segment_bytes=256KiB",
    "journal.window_bytes=1MiB",
    "capacity.instruments=16",
    "capacity.nodes=64",
    "capacity.open_orders=512",
    "capacity.closed_orders=4096",
    "capacity.node_instruments=1024",
    "capacity.holdings=512",
    "capacity.wallets=128",
    "capacity.limits=64",
    "capacity.cl_ord_ids=16384",
    "capacity.exec_ids=16384",
    "capacity.sessions=16",
    "log.status_interval_ms=0",
    "http.listen=",
];

/// A data folder and a window folder that go away with the test.
pub(crate) struct Place {
    root: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(root.path().join("window")).expect("a folder for the window");
        Self { root }
    }

    /// The folder around both.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    pub(crate) fn window(&self) -> PathBuf {
        self.root.path().join("window")
    }

    /// The settings as flags: those of every test, then `more`.
    pub(crate) fn sets(&self, more: &[&str]) -> Vec<String> {
        let window = format!("journal.window_dir={}", self.window().display());
        let all = BASE.iter().chain(more).map(|set| (*set).to_owned());
        std::iter::once(window).chain(all).collect()
    }

    pub(crate) fn settings(&self, more: &[&str]) -> Settings {
        Settings::load("demo", None, [], &self.sets(more)).expect("sound settings")
    }

    /// Opens, recovers, prepares.
    pub(crate) fn prepare(&self, more: &[&str]) -> Prepared {
        prepare(
            &self.settings(more),
            &self.data(),
            &Cores::detect(),
            Some(IDENTITY),
        )
        .expect("an engine")
    }

    pub(crate) fn start(&self, more: &[&str]) -> Engine {
        Engine::start(self.prepare(more), &Cores::detect()).expect("a running engine")
    }

    /// One run: starts, takes all messages in their order, stops in good order.
    pub(crate) fn run(&self, more: &[&str], messages: &[InboundLong]) -> Stopped {
        let engine = self.start(more);
        feed(&engine, messages);
        engine.stop().expect("a clean stop")
    }

    /// The state that the journal leads to, by another road than the engine's own recovery.
    pub(crate) fn replay(&self, to_seq: Option<u64>) -> ReplaySummary {
        let options = ReplayOptions {
            to_seq,
            to_time_ns: None,
        };
        replay(&self.data(), options, &clock())
            .expect("a journal that can be replayed")
            .summary
    }

    /// The state right after recovery, before anything new is taken; the engine is closed again.
    pub(crate) fn recovered_digest(&self, more: &[&str]) -> String {
        let Prepared { builder, journal, .. } = self.prepare(more);
        let pipe = builder.inline();
        let digest = hex(&state_digest(pipe.stages()));
        drop(pipe);
        journal.stop().expect("a clean stop");
        digest
    }
}

/// Hands messages over in their order, waiting where the queue is full.
pub(crate) fn feed(engine: &Engine, messages: &[InboundLong]) {
    for message in messages {
        while engine.admin().push(*message).is_err() {
            assert!(!engine.running().is_ended(), "the pipeline ended early");
            std::thread::yield_now();
        }
    }
}

/// The state of an engine that has stopped.
pub(crate) fn live_digest(stopped: &Stopped) -> String {
    hex(&state_digest(
        stopped.finished.stages.iter().map(|stage| &**stage),
    ))
}

pub(crate) fn clock() -> Clock {
    Clock::start().expect("a clock")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
