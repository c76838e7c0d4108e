//! Figures and checks of the engine itself, for `/metrics` and `/health`.
//!
//! Counters of the stages are atomics that anybody reads; what only the engine's owner may ask is noted by [`EngineTelemetry::look`] some
//! times a second.

use crate::engine::Engine;
use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tradewind_alerts::{Figure, Figures, Metric};
use tradewind_config::Settings;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::time::NANOS_PER_SEC;
use tradewind_http::{Check, Health, JournalCounts, MetricKind, MetricsPage, Telemetry};
use tradewind_machine::clock::Clock;
use tradewind_machine::latency::{Counters, SpanCounts};
use tradewind_machine::queues::{QueueFigure, Queues};
use tradewind_machine::topology::StageName;
use tradewind_risk::limit_check::ALERT_PCT;
use tradewind_rttm::{Check as FeedCheck, FeedCounts, StageFigure, StageRow, StageWindow, Status};
use tradewind_store::{State, Status as StoreStatus};
use tradewind_views::live::Live;

/// A pipeline thread that has not moved for so long is stuck, nanoseconds.
const STUCK_NS: u64 = 2_000_000_000;
/// How often the alerts are told of times: a percentile needs some events.
const TELL_EVERY_NS: u64 = 1_000_000_000;
/// Upper bounds of stage times, seconds.
const BOUNDS_S: [f64; 13] = [
    1e-7, 2.5e-7, 5e-7, 1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0,
];

/// What was seen last.
#[derive(Default)]
struct Seen {
    unsynced_bytes: u64,
    lag_segments: u64,
    sync_count: u64,
    is_space_low: bool,
    is_ended: bool,
    full_tables: Vec<(&'static str, u32)>,
    /// Work and idle cycles of all stages, and when they moved last.
    moved: u64,
    moved_ns: u64,
    /// Times of releases up to the last telling, and when that was.
    spans: SpanCounts,
    told_ns: u64,
}

/// The engine, to be asked how it is.
pub(super) struct EngineTelemetry {
    counters: Arc<Counters>,
    queues: Arc<Queues>,
    live: Arc<Live>,
    clock: Clock,
    segment_bytes: u64,
    is_wall_time: bool,
    counted: Arc<JournalCounts>,
    seen: Mutex<Seen>,
    stages: Mutex<Stages>,
    looks: AtomicU64,
}

/// The stages over the last seconds.
#[derive(Default)]
struct Stages {
    window: StageWindow,
    looked_ns: u64,
    rows: Vec<StageRow>,
}

impl EngineTelemetry {
    pub(super) fn new(engine: &Engine, settings: &Settings, live: &Arc<Live>, clock: &Clock) -> Self {
        let seen = Seen {
            moved_ns: clock.now_ns(),
            ..Seen::default()
        };
        Self {
            counters: engine.running().counters(),
            queues: engine.running().queues(),
            live: Arc::clone(live),
            clock: clock.clone(),
            segment_bytes: settings.journal.segment_bytes,
            is_wall_time: settings.engine.clock == ClockMode::Wall,
            counted: Arc::default(),
            seen: Mutex::new(seen),
            stages: Mutex::default(),
            looks: AtomicU64::new(0),
        }
    }

    /// What is counted of the journal, to be fed with its records.
    pub(super) fn counted(&self) -> Arc<JournalCounts> {
        Arc::clone(&self.counted)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how the journal and the threads are.
    pub(super) fn look(&self, engine: &Engine) {
        let (stats, figures) = (engine.journal().stats(), self.counters.figures());
        let moved = figures
            .iter()
            .map(|figure| figure.idle_cycles.wrapping_add(figure.batches))
            .fold(0, u64::wrapping_add);
        let full_tables = match self.looks.fetch_add(1, Ordering::Relaxed) % 50 {
            0 => Some(engine.tables().alerts().collect()),
            _ => None, // tables fill slowly
        };
        let mut seen = self.seen();
        seen.unsynced_bytes = crate::commands::distance(stats.durable, stats.committed, self.segment_bytes);
        (seen.lag_segments, seen.sync_count) = (stats.lag_segments, stats.sync_count);
        (seen.is_space_low, seen.is_ended) = (stats.space_low, engine.running().is_ended());
        if let Some(full_tables) = full_tables {
            seen.full_tables = full_tables;
        }
        if moved != seen.moved {
            (seen.moved, seen.moved_ns) = (moved, self.clock.now_ns());
        }
        drop(seen);
        self.look_at_stages();
    }

    /// Tells the alerts how long releases take, of those since the last look, and how full the queues are.
    pub(super) fn tell(&self, alerts: &Figures) {
        for queue in self.fullest() {
            alerts.put(Figure {
                metric: Metric::QueueFill,
                scope: queue.name,
                value: i64::try_from(queue.waiting * 10_000 / queue.slots).unwrap_or(i64::MAX),
                text: format!(
                    "{} of {} places of the queue are taken",
                    queue.waiting, queue.slots
                ),
            });
        }
        let now_ns = self.clock.now_ns();
        let mut seen = self.seen();
        if !self.is_wall_time || now_ns.saturating_sub(seen.told_ns) < TELL_EVERY_NS {
            return;
        }
        seen.told_ns = now_ns;
        let spans = self.live.look(|held| held.spans());
        let since = spans.since(&seen.spans);
        seen.spans = spans;
        // Without an event nothing took any time.
        let p99_ns = since.permille(990).unwrap_or(0);
        alerts.put(Figure {
            metric: Metric::PipelineP99,
            scope: "pipeline",
            value: i64::try_from(p99_ns).unwrap_or(i64::MAX),
            text: format!("one release in a hundred took more than {} µs", p99_ns / 1_000),
        });
    }

    /// The queues; of several with one name the fullest.
    fn fullest(&self) -> Vec<QueueFigure> {
        let mut figures = self.queues.figures();
        figures.sort_by_key(|queue| (queue.name, Reverse(queue.waiting * 10_000 / queue.slots)));
        figures.dedup_by_key(|queue| queue.name);
        figures
    }

    /// Once a second: rates are those of a second, percentiles those of ten.
    fn look_at_stages(&self) {
        let now_ns = self.clock.now_ns();
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        if now_ns.saturating_sub(stages.looked_ns) < NANOS_PER_SEC {
            return;
        }
        stages.looked_ns = now_ns;
        let figures = self.stage_figures();
        stages.rows = stages.window.look(now_ns, figures);
    }

    /// The stages over the last seconds.
    pub(super) fn stage_rows(&self) -> Vec<StageRow> {
        let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.rows.clone()
    }

    /// The stages since the start, and the pipeline as a whole.
    fn stage_figures(&self) -> Vec<StageFigure> {
        let figure = |figure: &tradewind_machine::latency::StageFigures| StageFigure {
            stage: figure.stage.text(),
            events: figure.events,
            batches: figure.batches,
            idle_cycles: figure.idle_cycles,
            full_waits: figure.full_waits,
            spans: self.counters.spans(figure.stage),
        };
        let mut figures: Vec<_> = self.counters.figures().iter().map(figure).collect();
        figures.push(StageFigure::pipeline(&self.live, &figures));
        figures
    }

    /// Checks for the live feed.
    pub(super) fn feed_checks(&self) -> Vec<FeedCheck> {
        let status = |is_well: bool, otherwise: Status| if is_well { Status::Pass } else { otherwise };
        let (fault, tables) = (
            self.live.fault(),
            self.live.look(|held| held.replica().limit_check().used_pct()),
        );
        let (_, recv_ns) = self.live.last();
        let now_ns = self.clock.now_ns();
        let seen = self.seen();
        let still_ms = now_ns.saturating_sub(seen.moved_ns) / 1_000_000;
        let is_running = !seen.is_ended && still_ms <= STUCK_NS / 1_000_000;
        let age_ms = match self.is_wall_time {
            true => now_ns.saturating_sub(recv_ns) / 1_000_000,
            false => 0,
        };
        let mut checks = vec![
            FeedCheck::new(
                "pipeline:running",
                status(is_running, Status::Fail),
                still_ms,
                "ms",
                match (seen.is_ended, is_running) {
                    (true, _) => "a pipeline thread has ended",
                    (false, false) => "no pipeline thread moves",
                    (false, true) => "since a pipeline thread moved",
                },
            ),
            FeedCheck::new(
                "journal:lag",
                status(seen.lag_segments <= 1, Status::Warn),
                seen.unsynced_bytes,
                "bytes",
                "committed and not on disk",
            ),
            FeedCheck::new(
                "journal:space",
                status(!seen.is_space_low, Status::Fail),
                u64::from(seen.is_space_low),
                "",
                match seen.is_space_low {
                    true => "space is low: new orders are refused",
                    false => "there is space",
                },
            ),
            FeedCheck::new(
                "replica:lag",
                status(fault.is_none(), Status::Fail),
                age_ms,
                "ms",
                fault.unwrap_or_else(|| "since the last input that the replica has".to_owned()),
            ),
        ];
        checks.extend(tables.into_iter().map(|(table, used_pct)| {
            FeedCheck::new(
                &format!("table:{table}"),
                status(used_pct < ALERT_PCT, Status::Warn),
                used_pct.into(),
                "percent",
                "of the table's capacity",
            )
        }));
        checks
    }

    fn stage_metrics(&self, page: &mut MetricsPage) {
        let figures = self.counters.figures();
        let mut counter =
            |name: &str, help: &str, value: fn(&tradewind_machine::latency::StageFigures) -> u64| {
                page.metric(name, MetricKind::Counter, help);
                for figure in &figures {
                    page.sample(name, &[("stage", figure.stage.text())], value(figure) as f64);
                }
            };
        counter(
            "tradewind_stage_events_total",
            "Events that a stage has seen, effects included.",
            |f| f.events,
        );
        counter(
            "tradewind_stage_batches_total",
            "Batches that a stage has seen.",
            |f| f.batches,
        );
        counter(
            "tradewind_stage_full_waits_total",
            "Cycles in which what comes next had no room.",
            |f| f.full_waits,
        );
        page.metric(
            "tradewind_stage_latency_seconds",
            MetricKind::Histogram,
            "Time of an event in a stage, of every 64th batch.",
        );
        for stage in StageName::ALL {
            histogram(
                page,
                "tradewind_stage_latency_seconds",
                &[("stage", stage.text())],
                &self.counters.spans(stage),
            );
        }
        if self.is_wall_time {
            page.metric(
                "tradewind_release_latency_seconds",
                MetricKind::Histogram,
                "Time from ingest's stamp of an input to the release of its record.",
            );
            histogram(
                page,
                "tradewind_release_latency_seconds",
                &[],
                &self.live.look(|held| held.spans()),
            );
        }
    }
}

/// Buckets of an eighth of a doubling, gathered into a few.
fn histogram(page: &mut MetricsPage, name: &str, labels: &[(&str, &str)], spans: &SpanCounts) {
    let (mut counts, mut sum) = ([0; BOUNDS_S.len() + 1], 0.0);
    for (max_ns, count) in spans.buckets() {
        let seconds = max_ns as f64 / 1e9;
        let at = BOUNDS_S
            .iter()
            .position(|bound| seconds <= *bound)
            .unwrap_or(BOUNDS_S.len());
        counts[at] += count;
        sum += seconds * count as f64;
    }
    page.histogram(name, labels, &BOUNDS_S, &counts, sum);
}

impl Telemetry for EngineTelemetry {
    fn metrics(&self, page: &mut MetricsPage) {
        self.stage_metrics(page);
        page.metric(
            "tradewind_ring_occupancy_ratio",
            MetricKind::Gauge,
            "How full a ring is, from 0 to 1: into ingest by who fills it, between threads by the stage that it leads to.",
        );
        for queue in self.fullest() {
            let ratio = queue.waiting as f64 / queue.slots as f64;
            page.sample("tradewind_ring_occupancy_ratio", &[("ring", queue.name)], ratio);
        }
        self.counted.write(page);
        let seen = self.seen();
        let mut gauge = |name: &str, help: &str, value: f64| {
            page.metric(name, MetricKind::Gauge, help);
            page.sample(name, &[], value);
        };
        gauge(
            "tradewind_journal_unsynced_bytes",
            "Committed bytes that are not on disk.",
            seen.unsynced_bytes as f64,
        );
        gauge(
            "tradewind_journal_lag_segments",
            "Segments that are begun and not wholly on disk.",
            seen.lag_segments as f64,
        );
        gauge(
            "tradewind_journal_space_low",
            "1 while new orders are refused for want of space.",
            f64::from(u8::from(seen.is_space_low)),
        );
        let (seq, recv_ns) = self.live.last();
        gauge(
            "tradewind_replica_seq",
            "Last input in the live replica.",
            seq as f64,
        );
        if self.is_wall_time {
            let age_s = self.clock.now_ns().saturating_sub(recv_ns) as f64 / 1e9;
            gauge(
                "tradewind_replica_age_seconds",
                "Age of the last input in the live replica.",
                age_s,
            );
        }
        page.metric(
            "tradewind_table_fill_ratio",
            MetricKind::Gauge,
            "How full a table is, of those that somebody should know of.",
        );
        for (table, percent) in &seen.full_tables {
            page.sample(
                "tradewind_table_fill_ratio",
                &[("table", table)],
                f64::from(*percent) / 100.0,
            );
        }
        page.metric(
            "tradewind_journal_syncs_total",
            MetricKind::Counter,
            "Syncs of the journal to disk.",
        );
        page.sample("tradewind_journal_syncs_total", &[], seen.sync_count as f64);
    }

    fn checks(&self) -> Vec<Check> {
        let seen = self.seen();
        let still_ns = self.clock.now_ns().saturating_sub(seen.moved_ns);
        let check = |name: &str, health: Health, output: String, is_vital: bool| Check {
            name: name.into(),
            health,
            output,
            is_vital,
        };
        let pipeline = match (seen.is_ended, still_ns > STUCK_NS) {
            (true, _) => (Health::Fail, "a pipeline thread has ended".to_owned()),
            (false, true) => (
                Health::Fail,
                format!("no pipeline thread has moved for {} ms", still_ns / 1_000_000),
            ),
            (false, false) => (Health::Pass, String::new()),
        };
        let space = match seen.is_space_low {
            true => (Health::Fail, "space is low: new orders are refused".to_owned()),
            false => (Health::Pass, String::new()),
        };
        let replica = match self.live.fault() {
            Some(fault) => (Health::Fail, fault),
            None => (Health::Pass, String::new()),
        };
        let tables = match seen.full_tables.is_empty() {
            true => (Health::Pass, String::new()),
            false => (Health::Warn, format!("nearly full: {:?}", seen.full_tables)),
        };
        vec![
            check("pipeline:heartbeat", pipeline.0, pipeline.1, true),
            check("journal:space", space.0, space.1, false),
            check("replica:follows", replica.0, replica.1, false),
            check("tables:fill", tables.0, tables.1, false),
        ]
    }
}

/// The live feed, to be asked for its figures.
pub(super) struct FeedTelemetry(pub(super) Arc<FeedCounts>);

impl Telemetry for FeedTelemetry {
    fn metrics(&self, page: &mut MetricsPage) {
        let counts = &self.0;
        let mut metric = |name: &str, kind: MetricKind, help: &str, value: u64| {
            page.metric(name, kind, help);
            page.sample(name, &[], value as f64);
        };
        let (gauge, counter) = (MetricKind::Gauge, MetricKind::Counter);
        metric(
            "tradewind_ws_clients",
            gauge,
            "WebSocket connections that are let in.",
            counts.clients(),
        );
        metric(
            "tradewind_ws_subscriptions",
            gauge,
            "Their subscriptions.",
            counts.subscriptions(),
        );
        metric(
            "tradewind_ws_frames_total",
            counter,
            "Frames that were put into mailboxes.",
            counts.frames(),
        );
        metric(
            "tradewind_ws_dropped_frames_total",
            counter,
            "Frames of tables that a slow client did not get: it got a snapshot later.",
            counts.left_out(),
        );
        metric(
            "tradewind_ws_slow_clients_total",
            counter,
            "Clients that were closed for being slow.",
            counts.slow(),
        );
    }
}

/// The store, to be asked how far it is behind.
pub(super) struct StoreTelemetry {
    pub(super) status: Arc<StoreStatus>,
    pub(super) clock: Clock,
}

impl StoreTelemetry {
    /// For the live feed and the terminal.
    pub(super) fn feed_check(&self) -> FeedCheck {
        let lag = self.status.lag(self.clock.now_ns(), None);
        let problem = self.status.problem();
        let status = match self.status.state() {
            State::Waiting | State::Refused => Status::Warn,
            _ => Status::Pass,
        };
        let text = problem.unwrap_or_else(|| "the database behind the journal".to_owned());
        FeedCheck::new("store:lag", status, lag.ns / 1_000_000, "ms", text)
    }
}

impl Telemetry for StoreTelemetry {
    fn metrics(&self, page: &mut MetricsPage) {
        let (lag, figures) = (self.status.lag(self.clock.now_ns(), None), self.status.figures());
        let mut metric = |name: &str, kind: MetricKind, help: &str, value: f64| {
            page.metric(name, kind, help);
            page.sample(name, &[], value);
        };
        let counter = MetricKind::Counter;
        let behind = lag.ns as f64 / 1e9;
        metric(
            "tradewind_persist_lag_seconds",
            MetricKind::Gauge,
            "How far the store is behind the journal.",
            behind,
        );
        metric(
            "tradewind_store_records_total",
            counter,
            "Records written to the store.",
            figures.records as f64,
        );
        metric(
            "tradewind_store_retries_total",
            counter,
            "Times that the database could not be used.",
            figures.retries as f64,
        );
    }

    /// A database that is down costs lag and nothing else: it is no reason to take no orders.
    fn checks(&self) -> Vec<Check> {
        let health = match self.status.state() {
            State::Waiting | State::Refused => Health::Warn,
            _ => Health::Pass,
        };
        vec![Check {
            name: "store:follows".into(),
            health,
            output: self.status.problem().unwrap_or_default(),
            is_vital: false,
        }]
    }
}
