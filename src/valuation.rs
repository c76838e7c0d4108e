//! The valuer beside a running engine: a thread that follows the journal, and a ring into ingest for what nodes are worth.
//!
//! Before a limit reads equity the thread only looks at heads of records and keeps no books. A valuer that fails leaves the engine alone:
//! limits on equity then keep the figures that they have, and the status line says so.

use crate::engine::Engine;
use crate::{log, output};
use anyhow::Context;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tradewind_alerts::{Figure, Figures, Metric};
use tradewind_config::Settings;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;
use tradewind_machine::idle::{Idle, IdleStrategy};
use tradewind_machine::journal::{Follower, StartAt};
use tradewind_machine::source::Source;
use tradewind_valuer::{Scout, Valuer, ValuerError, ValuerFigures};

/// How often figures are shown to others, nanoseconds.
const SHOW_EVERY_NS: u64 = 200_000_000;

/// The thread.
pub struct ValuationService {
    thread: JoinHandle<Result<(), ValuerError>>,
    stop: Arc<AtomicBool>,
    shown: Arc<Shown>,
}

/// What others may see of it.
#[derive(Default)]
struct Shown(Mutex<ValuerFigures>);

impl Shown {
    fn put(&self, figures: ValuerFigures) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }

    fn get(&self) -> ValuerFigures {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ValuationService {
    /// Starts it. `source` is a ring of class [`Market`](tradewind_machine::source::SourceClass::Market): figures follow from marks, and
    /// like those they go behind orders.
    pub fn start(
        source: Source,
        settings: &Settings,
        engine: &Engine,
        clock: &Clock,
        alerts: Option<Figures>,
    ) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let shown = Arc::new(Shown::default());
        let worker = Worker {
            source,
            data_dir: engine.data_dir().to_path_buf(),
            clock: (settings.engine.clock == ClockMode::Wall).then(|| clock.clone()),
            alerts,
            stop: Arc::clone(&stop),
            shown: Arc::clone(&shown),
            shown_ns: 0,
            named: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name("tw-valuer".into())
            .spawn(move || worker.run())?;
        Ok(Self { thread, stop, shown })
    }

    /// What the status line says of it; nothing where all is well.
    pub fn line(&self) -> String {
        if self.thread.is_finished() {
            return ", VALUATION HAS STOPPED".into();
        }
        match self.shown.get().frozen {
            0 => String::new(),
            frozen => format!(", equity of {} frozen", output::counted(frozen, "node")),
        }
    }

    /// Ends it; `None` where nothing was to be valued.
    pub fn stop(self) -> anyhow::Result<Option<ValuerFigures>> {
        self.stop.store(true, Ordering::Release);
        let ended = self
            .thread
            .join()
            .ok()
            .context("the valuer stopped at a broken invariant")?;
        ended?;
        let figures = self.shown.get();
        Ok((figures != ValuerFigures::default()).then_some(figures))
    }
}

/// What the thread owns.
struct Worker {
    source: Source,
    data_dir: PathBuf,
    /// `None` where the journal's time is not the clock's.
    clock: Option<Clock>,
    alerts: Option<Figures>,
    stop: Arc<AtomicBool>,
    shown: Arc<Shown>,
    shown_ns: UnixNanos,
    /// Strategies that were named as not valued.
    named: Vec<String>,
}

impl Worker {
    fn run(mut self) -> Result<(), ValuerError> {
        let mut idle = Idle::new(IdleStrategy::Park);
        idle.enter();
        let mut scout = Scout::default();
        let mut ahead = Follower::open(&self.data_dir, StartAt::Start)?;
        loop {
            match scout.step(&mut ahead)? {
                None => break,
                Some(_) if self.is_over() => return Ok(()),
                Some(read) => idle.idle(read),
            }
        }
        drop(ahead);
        let follower = Follower::open(&self.data_dir, StartAt::Start)?;
        self.value(follower, &mut idle)
    }

    fn value(&mut self, mut follower: Follower, idle: &mut Idle) -> Result<(), ValuerError> {
        let mut valuer = Valuer::new();
        while !self.is_over() {
            let now_ns = self.clock.as_ref().map_or(0, Clock::now_ns);
            let source = &mut self.source;
            let work = valuer.step(&mut follower, now_ns, &mut |message| source.push(message).is_ok())?;
            self.show(&mut valuer, now_ns, false);
            idle.idle(work);
        }
        self.show(&mut valuer, 0, true);
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Acquire) || self.source.is_closed()
    }

    /// Shows figures some times a second, and at the end.
    fn show(&mut self, valuer: &mut Valuer, now_ns: UnixNanos, is_last: bool) {
        if !is_last && now_ns.saturating_sub(self.shown_ns) < SHOW_EVERY_NS {
            return;
        }
        self.shown_ns = now_ns;
        let figures = valuer.figures();
        for name in figures
            .strategies
            .iter()
            .filter(|name| !self.named.contains(name))
        {
            log::warn(
                "valuation",
                format_args!(
                    "strategy {name} has a limit that reads equity, and nobody values it: the books know accounts; send its valuations from outside"
                ),
            );
        }
        self.named.clone_from(&figures.strategies);
        if let Some(alerts) = &self.alerts {
            tell(alerts, &figures, valuer.take_late_ns());
        }
        self.shown.put(figures);
    }
}

fn tell(alerts: &Figures, figures: &ValuerFigures, late_ns: u64) {
    alerts.put(Figure {
        metric: Metric::EquityFrozen,
        scope: "equity",
        value: i64::try_from(figures.frozen).unwrap_or(i64::MAX),
        text: format!(
            "{} nodes are not valued: a mark older than 60 s, or no rate ({})",
            figures.frozen, figures.frozen_node
        ),
    });
    alerts.put(Figure {
        metric: Metric::EquityLate,
        scope: "equity",
        value: i64::try_from(late_ns).unwrap_or(i64::MAX),
        text: format!("a figure of equity came {} ms late", late_ns / 1_000_000),
    });
}
