//! `tradewind run`: the engine, and where the profile asks for it a generated market session with paper fills.

use super::changes::{self, Setting};
use super::summary::{self, Summary};
use crate::alerts::AlertService;
use crate::audit::AuditService;
use crate::cli::RunArgs;
use crate::engine::{self, Engine, Prepared, ReferenceChanges, RuleChanges};
use crate::log::{self, Level, Line};
use crate::output::{self, count};
use crate::services::{self, Beside, Services};
use crate::store::StoreService;
use crate::valuation::ValuationService;
use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tradewind_config::{ReferenceData, Settings};
use tradewind_domain::event::{Event, Inbound, InboundLong, Kind, SessionEvent};
use tradewind_domain::time::utc_day;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::idle::IdleStrategy;
use tradewind_machine::journal::{Follower, StartAt};
use tradewind_machine::source::{Source, SourceClass};
use tradewind_machine::topology::StageName;
use tradewind_paper::{DemoSession, FillSettings, GatewayError, PaperGateway, PaperVenue};

/// How often signals are looked at.
const TICK: Duration = Duration::from_millis(20);
/// The longest that the session sleeps before it looks at the time again.
const SESSION_PAUSE: Duration = Duration::from_millis(2);
/// Ticks that the venue gets at the end to answer what is in the journal.
const DRAIN_TICKS: u32 = 100;
/// Records that the session is told at most before it sends again.
const TOLD_MAX: usize = 4_096;

/// Runs the command.
pub fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let settings = super::settings(&args.settings, &[])?;
    log::set_format(&settings.log.format);
    // 1. Signals first: a run that is asked to stop while it recovers stops in good order.
    let stop = stop_flag()?;
    // 2. Journal, recovery, pipeline. The log's thread keeps off their cores.
    let cores = Cores::detect();
    let mut prepared = engine::prepare(&settings, &args.data, &cores, None)?;
    log::start(prepared.clock.clone())?;
    if let Some(text) = super::without_effect(&settings) {
        log::warn("settings", text);
    }
    summary::show_recovery(&prepared.recovery);
    let (clock, is_new) = (prepared.clock.clone(), prepared.recovery.is_new);
    let reference = engine::load_reference(&settings, None)?;
    if settings.reference.path.is_empty() && settings.demo.orders_per_s == 0 {
        log::warn(
            "settings",
            "reference.path names no file: the firm is the demo's, with its accounts and limits",
        );
    }
    let wires = Wires::new(&settings, &mut prepared);
    let web_wires = services::Wires::new(&settings, &mut prepared);
    let figures = settings.valuation.own.then(|| {
        let slots = settings.sources.market_slots as usize;
        prepared
            .builder
            .source(SourceClass::Market, slots)
            .named("valuer")
    });
    let rules = RuleChanges::find(&settings, prepared.rules.as_ref())?;
    let changes = ReferenceChanges::find(reference.clone(), &prepared.known, utc_day(clock.now_ns()))?
        .with_rules(rules);
    let engine = Engine::start(prepared, &cores)?;
    for (thread, error) in engine.running().pin_warnings() {
        log::warn("pipeline", format_args!("thread {thread} is not pinned: {error}"));
    }
    // 3. Reference data: what differs from the journal, shown before anything else enters.
    let setting = Setting {
        is_new,
        origin_ns: 0,
        despite_refusals: args.despite_refusals,
    };
    let engine = changes::set(engine, &changes, setting)?;
    // 4. Alerts, the valuer and the store follow the journal, then the session and its venue, where the profile asks for them.
    let mut alerts = AlertService::start(&settings, &engine, &clock)?;
    let valuation = figures
        .map(|source| {
            let told = alerts.as_ref().map(AlertService::figures);
            ValuationService::start(source, &settings, &engine, &clock, told)
        })
        .transpose()?;
    let store = StoreService::start(&settings, &engine, &clock)?;
    let told = alerts.as_ref().map(AlertService::figures);
    let audit = AuditService::start(&settings, &engine, &clock, told)?;
    let demo = wires
        .map(|wires| Demo::start(wires, &settings, &reference, &engine, &clock))
        .transpose()?;
    // 5. The control socket and the HTTP server: from here on people reach the engine.
    let beside = Beside {
        alerts: alerts.as_ref(),
        store: store.as_ref(),
        environment: &args.settings.profile,
    };
    let services = Services::start(&settings, &engine, &clock, beside, web_wires)?;
    let began = clock.raw();
    log::info(
        "run",
        format_args!(
            "run {} in {}, topology {}, durability {}; stop with Ctrl-C",
            engine.epoch(),
            args.data.display(),
            engine::topology_of(&settings, &cores)?,
            if settings.journal.durability == tradewind_config::Durability::Disk {
                "disk"
            } else {
                "memory"
            }
        ),
    );
    // 6. Until somebody asks for the end.
    let watched = Watched {
        alerts: alerts.as_mut(),
        valuation: valuation.as_ref(),
        services: &services,
        store: store.as_ref(),
        audit: audit.as_ref(),
    };
    wait(&engine, &stop, &clock, args.duration, &settings, watched);
    let seconds = clock.span_ns(began, clock.raw()) as f64 / 1e9;
    // 7. The end, in the order of the flow: people, session, venue, valuer, pipeline, journal, and those who read it.
    let reading = services.stop();
    let demo = demo.map(Demo::stop);
    let valuation = valuation.map(ValuationService::stop);
    engine.stop()?;
    let audit = audit.map(AuditService::stop);
    let alerts = alerts.map(AlertService::stop);
    if let Some(Err(error)) = store.map(StoreService::stop) {
        log::error("store", format_args!("the store ended early: {}", error.line()));
    }
    demo.transpose()?;
    if let Some(Err(error)) = alerts {
        log::error("alert", format_args!("alerts ended early: {error:#}"));
    }
    match audit {
        Some(Ok(Some(found))) => log::error("audit", format_args!("the auditor found a difference: {found}")),
        Some(Err(error)) => log::error("audit", format_args!("the audit ended early: {error:#}")),
        Some(Ok(None)) | None => {}
    }
    let mut summary = match reading.and_then(|reading| reading.end(Summary::of)) {
        Some(summary) => summary,
        None => Summary::of_journal(&args.data, &clock)?,
    };
    match valuation {
        Some(Ok(figures)) => summary.valuation = figures,
        Some(Err(error)) => log::error("valuation", format_args!("valuation ended early: {error:#}")),
        None => {}
    }
    summary.seconds = seconds;
    summary.messages = summary.inputs;
    log::flush();
    if args.json {
        output::json(&summary)?;
    } else {
        output::text(&summary);
    }
    Ok(ExitCode::SUCCESS)
}

/// Set by the first Ctrl-C or SIGTERM; the second one ends the process at once.
fn stop_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// What stands beside the engine and has a word in the status line.
struct Watched<'a> {
    alerts: Option<&'a mut AlertService>,
    valuation: Option<&'a ValuationService>,
    services: &'a Services,
    store: Option<&'a StoreService>,
    audit: Option<&'a AuditService>,
}

impl Watched<'_> {
    fn line(&self) -> String {
        let alerts = self.alerts.as_ref().map(|alerts| alerts.line());
        let valuation = self.valuation.map(ValuationService::line);
        let store = self.store.map(StoreService::line);
        let audit = self.audit.map(AuditService::line);
        [alerts, valuation, store, audit].into_iter().flatten().collect()
    }
}

/// Waits for a signal, the end of the time, or the end of the pipeline, and prints a line now and then.
fn wait(
    engine: &Engine,
    stop: &AtomicBool,
    clock: &Clock,
    duration: Option<u64>,
    settings: &Settings,
    mut watched: Watched<'_>,
) {
    let (interval_ms, segment_bytes) = (settings.log.status_interval_ms, settings.journal.segment_bytes);
    let began = clock.raw();
    let mut shown_ns = 0;
    let mut before = Status::of(engine, segment_bytes);
    while !stop.load(Ordering::Relaxed) && !engine.running().is_ended() {
        std::thread::park_timeout(TICK);
        let passed_ns = clock.span_ns(began, clock.raw());
        if let Some(alerts) = &mut watched.alerts {
            alerts.look(engine, clock.now_ns());
        }
        watched.services.look(engine, watched.alerts.as_deref());
        if let Some(store) = watched.store {
            let told = watched.alerts.as_ref().map(|alerts| alerts.figures());
            store.look(engine, clock.now_ns(), told.as_ref());
        }
        if duration.is_some_and(|seconds| passed_ns >= seconds.saturating_mul(1_000_000_000)) {
            break;
        }
        let interval_ns = u64::from(interval_ms) * 1_000_000;
        if interval_ns > 0 && passed_ns - shown_ns >= interval_ns {
            let now = Status::of(engine, segment_bytes);
            now.show(&before, (passed_ns - shown_ns) as f64 / 1e9, &watched.line());
            (before, shown_ns) = (now, passed_ns);
        }
    }
    log::flush();
}

/// Figures of a moment.
struct Status {
    inputs: u64,
    effects: u64,
    full_waits: u64,
    refused: u64,
    lag_bytes: u64,
    space_low: bool,
    full_tables: Vec<(&'static str, u32)>,
}

impl Status {
    fn of(engine: &Engine, segment_bytes: u64) -> Self {
        let figures = engine.running().counters().figures();
        let stats = engine.journal().stats();
        let ingest = figures.iter().find(|figure| figure.stage == StageName::Ingest);
        Self {
            inputs: ingest.map_or(0, |figure| figure.events),
            effects: figures.iter().map(|figure| figure.effects).sum(),
            full_waits: figures.iter().map(|figure| figure.full_waits).sum(),
            refused: figures.iter().map(|figure| figure.refused).sum(),
            lag_bytes: super::distance(stats.durable, stats.committed, segment_bytes),
            space_low: stats.space_low,
            full_tables: engine.tables().alerts().collect(),
        }
    }

    fn show(&self, before: &Status, seconds: f64, of_watched: &str) {
        let rate = (self.inputs - before.inputs) as f64 / seconds;
        let mut line = format!(
            "{} events/s, {} in all, {}, not on disk {}",
            count(rate as u64),
            count(self.inputs),
            output::counted(self.effects, "effect"),
            output::bytes(self.lag_bytes)
        );
        if self.full_waits > before.full_waits {
            line.push_str(&format!(
                ", {} for the journal",
                output::counted(self.full_waits - before.full_waits, "wait")
            ));
        }
        if self.refused > 0 {
            let refused = output::counted(self.refused, "message");
            line.push_str(&format!(", {refused} without a kind"));
        }
        if self.space_low {
            line.push_str(", SPACE LOW: new orders are refused");
        }
        for (table, used_pct) in &self.full_tables {
            line.push_str(&format!(", TABLE {table} {used_pct} % FULL"));
        }
        line.push_str(of_watched);
        let is_well = !self.space_low && self.full_tables.is_empty();
        Line::new(if is_well { Level::Info } else { Level::Warn }, "status", line)
            .with("events_per_s", rate as u64)
            .with("events", self.inputs)
            .with("effects", self.effects)
            .with("unsynced_bytes", self.lag_bytes)
            .with("full_waits", self.full_waits - before.full_waits)
            .with("space_low", self.space_low)
            .put_status();
    }
}

/// Slots of the ring for trades that were made elsewhere: there are few.
const AWAY_SLOTS: u32 = 16;

/// Rings of the generated session.
struct Wires {
    orders: Source,
    market: Source,
    trades: Source,
    venue: Source,
}

impl Wires {
    /// Rings where the settings ask for a session.
    fn new(settings: &Settings, prepared: &mut Prepared) -> Option<Self> {
        let keys = &settings.demo;
        if keys.orders_per_s == 0 && keys.quotes_per_s == 0 {
            return None;
        }
        let builder = &mut prepared.builder;
        let mut ring = |name, class, slots: u32| builder.source(class, slots as usize).named(name);
        let slots = &settings.sources;
        Some(Self {
            orders: ring("demo_orders", SourceClass::Order, slots.order_slots),
            market: ring("demo_market", SourceClass::Market, slots.market_slots),
            trades: ring("demo_trades", SourceClass::Priority, AWAY_SLOTS),
            venue: ring("paper_venue", SourceClass::Priority, slots.priority_slots),
        })
    }
}

/// The generated session and the paper venue, on a thread each.
struct Demo {
    session: JoinHandle<()>,
    session_stop: Arc<AtomicBool>,
    venue: JoinHandle<Result<(), GatewayError>>,
    venue_stop: Arc<AtomicBool>,
    venue_idle: Arc<AtomicBool>,
}

impl Demo {
    fn start(
        wires: Wires,
        settings: &Settings,
        reference: &ReferenceData,
        engine: &Engine,
        clock: &Clock,
    ) -> anyhow::Result<Self> {
        let Wires {
            orders,
            market,
            trades,
            venue,
        } = wires;
        let start_ns = clock.now_ns();
        let session = DemoSession::new(&settings.demo, reference, start_ns, u64::from(engine.epoch()));
        connect(&session, engine)?;
        let session_stop = Arc::new(AtomicBool::new(false));
        let venue_stop = Arc::new(AtomicBool::new(false));
        let venue_idle = Arc::new(AtomicBool::new(false));
        let speed = Speed::parse(&settings.demo.speed);
        let session = std::thread::Builder::new().name("tw-session".into()).spawn({
            let (clock, stop) = (clock.clone(), Arc::clone(&session_stop));
            let pump = SessionPump {
                session,
                journal: Some(engine.follower(StartAt::Start)?),
                record: Event::empty(),
                orders,
                market,
                trades,
            };
            move || pump.run(&clock, start_ns, speed, &stop)
        })?;
        let follower = engine.follower(StartAt::Start)?;
        let paper = PaperVenue::new(FillSettings::default(), engine.epoch());
        let venue = std::thread::Builder::new().name("tw-paper".into()).spawn({
            let (stop, idle) = (Arc::clone(&venue_stop), Arc::clone(&venue_idle));
            move || run_venue(PaperGateway::new(paper, venue), follower, &stop, &idle)
        })?;
        Ok(Self {
            session,
            session_stop,
            venue,
            venue_stop,
            venue_idle,
        })
    }

    /// Ends the session, lets the venue answer what is in the journal, and ends it too.
    fn stop(self) -> anyhow::Result<()> {
        self.session_stop.store(true, Ordering::Release);
        let session = self.session.join();
        for _ in 0..DRAIN_TICKS {
            self.venue_idle.store(false, Ordering::Release);
            std::thread::park_timeout(TICK);
            if self.venue_idle.load(Ordering::Acquire) || self.venue.is_finished() {
                break;
            }
        }
        self.venue_stop.store(true, Ordering::Release);
        let venue = self.venue.join();
        session
            .ok()
            .context("the session stopped at a broken invariant")?;
        venue
            .ok()
            .context("the paper venue stopped at a broken invariant")??;
        Ok(())
    }
}

/// Tells the engine which sessions there are.
fn connect(session: &DemoSession, engine: &Engine) -> anyhow::Result<()> {
    for (id, name) in session.sessions() {
        let body = SessionEvent {
            session: id,
            grace_ms: u32::MAX,
            name,
            ..bytemuck::Zeroable::zeroed()
        };
        let mut message = InboundLong::new(Kind::SessionConnected, &body);
        while let Err(back) = engine.admin().push(message) {
            anyhow::ensure!(
                !engine.running().is_ended(),
                "the pipeline ended while sessions were connected"
            );
            message = back;
            std::thread::yield_now();
        }
    }
    Ok(())
}

/// How fast the session's time runs: `None` for as fast as the rings take it.
#[derive(Clone, Copy)]
struct Speed(Option<f64>);

impl Speed {
    /// The configuration has checked the text.
    fn parse(text: &str) -> Self {
        match text {
            "max" => Self(None),
            _ => Self(Some(
                text.strip_suffix('x')
                    .and_then(|factor| factor.parse().ok())
                    .unwrap_or(1.0),
            )),
        }
    }

    /// The session's time.
    fn at(self, start_ns: u64, now_ns: u64, next_due_ns: u64) -> u64 {
        match self.0 {
            None => next_due_ns,
            Some(factor) => start_ns + (now_ns.saturating_sub(start_ns) as f64 * factor) as u64,
        }
    }
}

/// The session with its wires.
struct SessionPump {
    session: DemoSession,
    /// What became of its orders; `None` once it cannot be read any more: the session goes on, and other readers say what is wrong.
    journal: Option<Follower>,
    record: Event,
    orders: Source,
    market: Source,
    trades: Source,
}

impl SessionPump {
    fn run(mut self, clock: &Clock, start_ns: u64, speed: Speed, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) && !self.orders.is_closed() {
            self.tell();
            let now_ns = speed.at(start_ns, clock.now_ns(), self.session.next_due_ns());
            let (orders, market, trades) = (&mut self.orders, &mut self.market, &mut self.trades);
            self.session.next_before(now_ns, &mut |class, message| {
                let source = match class {
                    SourceClass::Market => &mut *market,
                    SourceClass::Priority => &mut *trades,
                    _ => &mut *orders,
                };
                push(source, message, stop);
            });
            if speed.0.is_some() {
                std::thread::park_timeout(SESSION_PAUSE);
            }
        }
    }

    /// Tells the traders what there is to read, up to a bound.
    fn tell(&mut self) {
        for _ in 0..TOLD_MAX {
            let Some(journal) = &mut self.journal else { return };
            match journal.poll() {
                Ok(Some(record)) => {
                    if self.record.read_record(record.bytes()).is_some() {
                        self.session.tell(&self.record);
                    }
                }
                Ok(None) => return,
                Err(_) => self.journal = None,
            }
        }
    }
}

/// Pushes one message, waiting for room: the session slows down, nothing is dropped.
fn push(source: &mut Source, message: Inbound, stop: &AtomicBool) {
    let mut message = message;
    while let Err(back) = source.push(message) {
        if source.is_closed() || stop.load(Ordering::Acquire) {
            return;
        }
        message = back;
        std::thread::yield_now();
    }
}

/// Follows the journal until it is told to end; says when there is nothing left to answer.
fn run_venue(
    mut gateway: PaperGateway,
    mut follower: Follower,
    stop: &AtomicBool,
    idle: &AtomicBool,
) -> Result<(), GatewayError> {
    let mut wait = tradewind_machine::idle::Idle::new(IdleStrategy::Park);
    wait.enter();
    while !stop.load(Ordering::Acquire) {
        let work = gateway.step(&mut follower)?;
        if work == 0 {
            idle.store(true, Ordering::Release);
        }
        wait.idle(work);
    }
    Ok(())
}
