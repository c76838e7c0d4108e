//! What stands around a running engine for people and programs elsewhere: the live replica, the operators' desk, the HTTP server with
//! identities, the WebSocket and the dashboard.
//!
//! The one place where they are wired. A part that reads the journal is fed by the replica; a part that sends has rings of its own, which
//! must be asked for before the pipeline starts ([`Wires`]).
//!
//! Invariant: they end before the pipeline does, in the order of the flow: no new requests, and what is at work gets its outcome. The
//! replica reads on to the journal's end.

mod access;
mod feed;
mod people;
mod requests;
mod telemetry;

use crate::alerts::AlertService;
use crate::commands::report::tax_rules;
use crate::engine::{self, Engine, Prepared};
use crate::log;
use crate::store::StoreService;
use anyhow::Context;
use feed::{Doorkeeper, EngineFigures};
use people::Registrar;
use requests::Requests;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use telemetry::{EngineTelemetry, FeedTelemetry, StoreTelemetry};
use tokio::runtime::{Handle, Runtime};
use tradewind_config::{Durability, HttpKeys, IdentityKeys, Settings};
use tradewind_control::{Desk, EngineFacts, Server};
use tradewind_http::{
    Acknowledgement, HttpService, HttpSettings, JournalCounts, KeyIndex, Parts, Rings, Telemetry,
};
use tradewind_identity::{Access, Identity, IdentitySettings, OutsideIssuer, PasswordCost};
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::StartAt;
use tradewind_machine::source::{Source, SourceClass};
use tradewind_reports::TaxRules;
use tradewind_rttm::{Feed, FeedSettings, Figures};
use tradewind_views::live::{Live, LiveThread};
use tradewind_views::{RecordCounts, Replica};

/// Nanoseconds of a minute.
const MINUTE_NS: u64 = 60_000_000_000;

/// Rings of the HTTP server.
pub struct Wires {
    orders: Source,
    trades: Source,
}

impl Wires {
    /// Where the settings ask for a server.
    pub fn new(settings: &Settings, prepared: &mut Prepared) -> Option<Self> {
        let (orders, trades) = (settings.sources.order_slots, settings.sources.priority_slots);
        (!settings.http.listen.is_empty()).then(|| Self {
            orders: prepared
                .builder
                .source(SourceClass::Order, orders as usize)
                .named("http_orders"),
            trades: prepared
                .builder
                .source(SourceClass::Priority, trades as usize)
                .named("http_trades"),
        })
    }
}

/// What else stands beside the engine.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    /// Incidents.
    pub alerts: Option<&'a AlertService>,
    /// The database.
    pub store: Option<&'a StoreService>,
    /// The profile's name, which dashboards show.
    pub environment: &'a str,
}

/// All that runs.
#[derive(Default)]
pub struct Services {
    reading: Option<Reading>,
    control: Option<Server>,
    web: Option<Web>,
    telemetry: Option<Arc<EngineTelemetry>>,
}

/// The replica, and what it has counted of the run.
pub struct Reading {
    live: LiveThread,
    counts: Arc<Mutex<RecordCounts>>,
}

impl Reading {
    /// Ends it with a last look at what the run came to. To be called once the pipeline has ended; `None` where the replica has not come to
    /// the journal's end.
    pub fn end<T>(self, look: impl FnOnce(&RecordCounts, &Replica) -> T) -> Option<T> {
        let read = self.live.live().read_now(|held| {
            let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            look(&counts, held.replica())
        });
        self.live.stop();
        read.ok()
    }
}

/// The HTTP server with the live feed, and the runtime that they run in.
struct Web {
    http: HttpService,
    feed: Feed,
    runtime: Runtime,
}

impl Services {
    /// Starts what the settings ask for.
    pub fn start(
        settings: &Settings,
        engine: &Engine,
        clock: &Clock,
        beside: Beside<'_>,
        wires: Option<Wires>,
    ) -> anyhow::Result<Self> {
        if !settings.control.socket && wires.is_none() {
            return Ok(Self::default());
        }
        // 1. The replica, and who sees every record of it from the first one on.
        let live = Live::new(engine.data_dir(), &settings.capacities())?;
        let (access, keys) = (Arc::new(Access::default()), Arc::new(KeyIndex::default()));
        let telemetry = Arc::new(EngineTelemetry::new(engine, settings, &live, clock));
        let counts = Arc::default();
        observe(&live, &access, &keys, telemetry.counted(), &counts);
        let figures = Arc::new(EngineFigures::new(&telemetry, beside, clock));
        // 2. The desk, for operators here and elsewhere, and its socket.
        let desk = Arc::new(desk(settings, engine, clock, &live, beside.alerts, &figures));
        let control = settings
            .control
            .socket
            .then(|| control_socket(&desk))
            .transpose()?;
        // 3. The thread that feeds them all.
        let live = LiveThread::start(live, engine.follower(StartAt::Start)?)?;
        // 4. The server.
        let web = wires
            .map(|wires| {
                let parts = Around {
                    engine,
                    clock,
                    live: live.live(),
                    desk: &desk,
                    access,
                    keys,
                    telemetry: &telemetry,
                    figures: Arc::clone(&figures),
                    beside,
                };
                parts.serve(settings, wires)
            })
            .transpose()?;
        Ok(Self {
            reading: Some(Reading { live, counts }),
            control,
            web,
            telemetry: Some(telemetry),
        })
    }

    /// Looks at what only the running engine knows. To be called some times a second.
    pub fn look(&self, engine: &Engine, alerts: Option<&AlertService>) {
        let Some(telemetry) = &self.telemetry else { return };
        telemetry.look(engine);
        if let Some(alerts) = alerts {
            telemetry.tell(&alerts.figures());
        }
    }

    /// Ends requests first, then those who answered them. What reads the journal goes on.
    pub fn stop(self) -> Option<Reading> {
        if let Some(Web { http, feed, runtime }) = self.web {
            http.begin_stop();
            feed.stop();
            http.stop(runtime);
        }
        if let Some(control) = self.control {
            control.stop();
        }
        self.reading
    }
}

/// Has everything that is made of records see them.
fn observe(
    live: &Live,
    access: &Arc<Access>,
    keys: &Arc<KeyIndex>,
    counted: Arc<JournalCounts>,
    counts: &Arc<Mutex<RecordCounts>>,
) {
    let (access, keys, counts) = (Arc::clone(access), Arc::clone(keys), Arc::clone(counts));
    live.observe(Box::new(move |event| {
        access.observe(event);
        keys.observe(event);
        counted.observe(event);
        counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count_in_run(event);
    }));
}

fn desk(
    settings: &Settings,
    engine: &Engine,
    clock: &Clock,
    live: &Arc<Live>,
    alerts: Option<&AlertService>,
    figures: &Arc<EngineFigures>,
) -> Desk {
    let facts = EngineFacts {
        data_dir: engine.data_dir().to_path_buf(),
        build: engine::build_name(),
        epoch: engine.epoch(),
        clock_mode: settings.engine.clock,
    };
    let figures = Arc::clone(figures);
    let desk = Desk::new(facts, engine.admin().clone(), clock.clone(), Arc::clone(live))
        .with_gauges(Box::new(move || figures.gauges()));
    match alerts {
        Some(alerts) => desk
            .with_incidents(alerts.incidents())
            .with_alert_rules(alerts.rules()),
        None => desk,
    }
}

fn control_socket(desk: &Arc<Desk>) -> anyhow::Result<Server> {
    Server::start(Arc::clone(desk)).context(
        "there is no control socket, and without it no operator on this machine reaches the engine; --set control.socket=false starts it all \
         the same",
    )
}

/// What the server is put between.
struct Around<'a> {
    engine: &'a Engine,
    clock: &'a Clock,
    live: &'a Arc<Live>,
    desk: &'a Arc<Desk>,
    access: Arc<Access>,
    keys: Arc<KeyIndex>,
    telemetry: &'a Arc<EngineTelemetry>,
    figures: Arc<EngineFigures>,
    beside: Beside<'a>,
}

impl Around<'_> {
    fn serve(self, settings: &Settings, wires: Wires) -> anyhow::Result<Web> {
        let http_settings = http_settings(&settings.http);
        let runtime = HttpService::runtime(&http_settings)?;
        let identity = identity_settings(&settings.identity, self.engine);
        let now_ns = self.clock.now_ns();
        let identity = runtime.block_on(Identity::open(identity, Arc::clone(&self.access), now_ns))?;
        let identity = Arc::new(identity);
        let feed = self.feed(&identity, runtime.handle())?;
        self.desk.tell_of(Box::new(Registrar {
            identity: Arc::clone(&identity),
            clock: self.clock.clone(),
            runtime: runtime.handle().clone(),
        }));
        let mut telemetry: Vec<Arc<dyn Telemetry>> = vec![
            Arc::clone(self.telemetry) as Arc<dyn Telemetry>,
            Arc::new(FeedTelemetry(feed.counts())),
            Arc::new(Requests),
        ];
        if let Some(store) = self.beside.store {
            let (status, clock) = (store.status(), self.clock.clone());
            telemetry.push(Arc::new(StoreTelemetry { status, clock }));
        }
        let parts = Parts {
            data_dir: self.engine.data_dir().to_path_buf(),
            build: engine::build_name(),
            acknowledgement: match settings.journal.durability {
                Durability::Memory => Acknowledgement::Memory,
                Durability::Disk => Acknowledgement::Disk,
            },
            clock: self.clock.clone(),
            clock_mode: settings.engine.clock,
            identity: Arc::clone(&identity),
            live: Arc::clone(self.live),
            desk: Arc::clone(self.desk),
            history: crate::store::history(settings, self.engine.data_dir())?,
            tax: Arc::new(tax(settings)?),
            rings: Rings {
                orders: wires.orders,
                trades: wires.trades,
                admin: self.engine.admin().clone(),
            },
            keys: self.keys,
            log: Arc::new(Requests),
            telemetry,
            routes: feed.router(),
        };
        let http = HttpService::start(runtime.handle(), http_settings, parts)?;
        let first = runtime.block_on(access::first_user(
            &identity,
            self.engine.admin(),
            self.live,
            settings.engine.clock,
            now_ns,
            |first| access::keep(first, self.engine.data_dir()),
        ))?;
        log::info(
            "http",
            format_args!("dashboard and HTTP interface at {}", http.url()),
        );
        if let Some(first) = &first {
            access::tell(first, self.engine.data_dir());
        }
        Ok(Web { http, feed, runtime })
    }

    /// The live feed.
    fn feed(&self, identity: &Arc<Identity>, runtime: &Handle) -> anyhow::Result<Feed> {
        let doorkeeper = Doorkeeper::new(Arc::clone(identity), self.clock.clone(), runtime.clone());
        let settings = FeedSettings {
            server: engine::build_name(),
            environment: self.beside.environment.to_owned(),
            epoch: self.engine.epoch(),
            ..FeedSettings::default()
        };
        Ok(Feed::start(
            Arc::clone(self.live),
            Arc::clone(&self.figures) as Arc<dyn Figures>,
            Arc::new(doorkeeper),
            settings,
            self.clock.clone(),
        )?)
    }
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn http_settings(keys: &HttpKeys) -> HttpSettings {
    let origins = keys
        .cors_origins
        .split(',')
        .map(str::trim)
        .filter(|origin| !origin.is_empty());
    HttpSettings {
        listen: keys.listen.clone(),
        tls_cert_file: path(&keys.tls_cert_file),
        tls_key_file: path(&keys.tls_key_file),
        insecure_remote: keys.insecure_remote,
        cors_origins: origins.map(str::to_owned).collect(),
        body_bytes_max: usize::try_from(keys.body_bytes).unwrap_or(usize::MAX),
        connections_max: keys.connections,
        header_timeout_ms: keys.header_timeout_ms,
        requests_per_s: keys.requests_per_s,
        requests_burst: keys.requests_burst,
        threads: keys.threads,
        log: keys.log,
    }
}

fn outside(keys: &IdentityKeys) -> Option<OutsideIssuer> {
    path(&keys.outside_jwks_file).map(|jwks_file| OutsideIssuer {
        issuer: keys.outside_issuer.clone(),
        audience: keys.outside_audience.clone(),
        jwks_file,
    })
}

/// What of the settings the HTTP server and the identities would refuse at a start.
pub fn problems(settings: &Settings) -> Vec<anyhow::Error> {
    if settings.http.listen.is_empty() {
        return Vec::new();
    }
    let server = HttpService::check(&http_settings(&settings.http)).context("http.listen");
    let issuer = outside(&settings.identity).map_or(Ok(()), |issuer| issuer.check());
    let issuer = issuer.context("identity.outside_jwks_file");
    [server.err(), issuer.err(), tax(settings).err()]
        .into_iter()
        .flatten()
        .collect()
}

/// The firm's tax rules.
fn tax(settings: &Settings) -> anyhow::Result<TaxRules> {
    match settings.reports.tax_file.as_str() {
        "" => Ok(TaxRules::default()),
        path => tax_rules(Path::new(path)).context("reports.tax_file"),
    }
}

fn identity_settings(keys: &IdentityKeys, engine: &Engine) -> IdentitySettings {
    IdentitySettings {
        dir: engine.data_dir().to_path_buf(),
        token_ns: u64::from(keys.token_minutes) * MINUTE_NS,
        refresh_ns: u64::from(keys.refresh_hours) * 60 * MINUTE_NS,
        failures_max: keys.login_failures,
        lock_ns: u64::from(keys.lock_minutes) * MINUTE_NS,
        cost: PasswordCost::default(),
        outside: outside(keys),
    }
}
