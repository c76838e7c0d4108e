//! The running server: its parts, its threads, its start and its end.

use crate::conditions::{Turns, is_known};
use crate::counters::Counters;
use crate::endpoints;
use crate::gate::{Gate, Rings};
use crate::gateway::{Acknowledgement, Gateway, Phase};
use crate::jobs::Jobs;
use crate::keys::KeyIndex;
use crate::log::RequestLog;
use crate::rate::Rates;
use crate::router::{Routing, router};
use crate::server::{ServerError, bind, check, serve};
use crate::settings::HttpSettings;
use crate::telemetry::Telemetry;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytemuck::Zeroable;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;
use tradewind_control::Desk;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{EdgeStats, InboundLong, Kind};
use tradewind_identity::Identity;
use tradewind_machine::clock::Clock;
use tradewind_reports::TaxRules;
use tradewind_views::live::Live;
use tradewind_views::query::history::History;

/// Threads that wait for the replica or the journal on behalf of requests.
const WAITING_THREADS_MAX: usize = 64;
/// Logins a second from one address, and at once.
const LOGINS: (u32, u32) = (5, 20);
/// How long requests that still run get at the end.
const END_MAX: Duration = Duration::from_secs(2);
/// The pause before the replica is asked again whether it has caught up.
const CATCH_UP_PAUSE: Duration = Duration::from_millis(20);
/// How often refusals are journaled.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What the server needs of the process.
pub struct Parts {
    /// The data folder.
    pub data_dir: PathBuf,
    /// Version and commit of the program.
    pub build: String,
    /// What an answer to an order says of its safety.
    pub acknowledgement: Acknowledgement,
    /// The clock.
    pub clock: Clock,
    /// Where the engine's time comes from.
    pub clock_mode: ClockMode,
    /// Who there is. Its access book must be fed by the replica.
    pub identity: Arc<Identity>,
    /// The replica.
    pub live: Arc<Live>,
    /// The operators' desk.
    pub desk: Arc<Desk>,
    /// The store, where there is one.
    pub history: Option<Arc<dyn History>>,
    /// The firm's tax rules, for reports.
    pub tax: Arc<TaxRules>,
    /// Where messages go.
    pub rings: Rings,
    /// Answers of requests, by key. Must be fed by the replica.
    pub keys: Arc<KeyIndex>,
    /// What is told of answers.
    pub log: Arc<dyn RequestLog>,
    /// Figures and checks of other parts.
    pub telemetry: Vec<Arc<dyn Telemetry>>,
    /// Other routes: the WebSocket.
    pub routes: Router,
}

/// A running server.
pub struct HttpService {
    gateway: Arc<Gateway>,
    address: SocketAddr,
    is_tls: bool,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
    told: tokio::task::JoinHandle<()>,
}

/// A runtime for the server and what runs beside it.
pub(crate) fn runtime(threads: u32) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.max(1) as usize)
        .max_blocking_threads(WAITING_THREADS_MAX)
        .thread_name("tw-http")
        .enable_all()
        .build()
}

impl HttpService {
    /// Says whether a server could start with these settings. Nothing listens.
    pub fn check(settings: &HttpSettings) -> Result<(), ServerError> {
        check(settings)
    }

    /// A runtime with as many threads as the settings say, for [`start`](Self::start) and for what its parts need.
    pub fn runtime(settings: &HttpSettings) -> Result<Runtime, ServerError> {
        runtime(settings.threads).map_err(ServerError::Start)
    }

    /// Binds the address and starts to answer. Requests with data are answered once the replica has read what the journal has now.
    pub fn start(runtime: &Handle, settings: HttpSettings, parts: Parts) -> Result<Self, ServerError> {
        let bound = runtime.block_on(bind(&settings))?;
        let (address, is_tls) = (bound.address, bound.is_tls());
        let routes = parts.routes.clone();
        let gateway = Arc::new(gateway(&settings, parts));
        let routing = Routing {
            gateway: Arc::clone(&gateway),
            endpoints: endpoints::all(),
            body_max: settings.body_bytes_max,
            origins: settings.cors_origins.clone(),
        };
        let router = router(routing, routes.merge(dashboard()));
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(catch_up(Arc::clone(&gateway)));
        let told = runtime.spawn(tell_refusals(Arc::clone(&gateway)));
        let server = runtime.spawn(serve(bound, router, Arc::clone(&gateway), settings, stopped));
        Ok(Self {
            gateway,
            address,
            is_tls,
            stop,
            server,
            told,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a browser takes it.
    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// `/ready` says no from here on; requests are still answered.
    pub fn begin_stop(&self) {
        self.gateway.set_phase(Phase::Stopping);
    }

    /// Takes no more connections, finishes what is at work, and closes identities. To be called before the pipeline stops: orders at
    /// work get their outcome.
    pub fn stop(self, runtime: Runtime) {
        self.begin_stop();
        let _ = self.stop.send(true); // the server may have ended
        self.told.abort();
        let identity = Arc::clone(&self.gateway.identity);
        runtime.block_on(async {
            let _ = self.server.await;
            identity.close().await;
        });
        drop(self.gateway);
        runtime.shutdown_timeout(END_MAX);
    }
}

fn gateway(settings: &HttpSettings, parts: Parts) -> Gateway {
    let run_id = parts.clock.now_ns();
    let gate = Gate::new(
        parts.rings,
        Arc::clone(&parts.live),
        parts.clock.clone(),
        parts.clock_mode,
    );
    Gateway {
        data_dir: parts.data_dir,
        build: parts.build,
        acknowledgement: parts.acknowledgement,
        clock: parts.clock,
        identity: parts.identity,
        live: parts.live,
        desk: parts.desk,
        history: parts.history,
        tax: parts.tax,
        gate,
        keys: parts.keys,
        rates: Rates::new(settings.requests_per_s, settings.requests_burst),
        logins: Rates::new(LOGINS.0, LOGINS.1),
        telemetry: parts.telemetry,
        counters: Counters::new(endpoints::all()),
        log: parts.log,
        logs_all: settings.log,
        turns: Turns::default(),
        jobs: Jobs::default(),
        phase: AtomicU8::new(Phase::Starting as u8),
        openapi: crate::openapi(),
        run_id: run_id / 1_000_000,
        requests: AtomicU64::new(1),
    }
}

/// Waits until the replica has everything that the journal had at the start: before that nobody's rights are known.
async fn catch_up(gateway: Arc<Gateway>) {
    while gateway.phase() == Phase::Starting {
        let live = Arc::clone(&gateway.live);
        let read = tokio::task::spawn_blocking(move || live.read_now(|_| ())).await;
        match read {
            Ok(Ok(())) => {
                // A stop in between stays a stop.
                let (starting, ready) = (Phase::Starting as u8, Phase::Ready as u8);
                let order = std::sync::atomic::Ordering::AcqRel;
                let _ = gateway.phase.compare_exchange(
                    starting,
                    ready,
                    order,
                    std::sync::atomic::Ordering::Acquire,
                );
            }
            _ => tokio::time::sleep(CATCH_UP_PAUSE).await,
        }
    }
}

/// Journals once a second what was refused before ingest could see it.
async fn tell_refusals(gateway: Arc<Gateway>) {
    let mut last = EdgeStats::zeroed();
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        if let Some(stats) = gateway.counters.edge_stats(&mut last) {
            gateway.gate.tell(InboundLong::new(Kind::EdgeStats, &stats));
        }
    }
}

/// The dashboard's files.
fn dashboard() -> Router {
    let mut router = Router::new().route("/", axum::routing::get(file));
    for asset in tradewind_web::assets() {
        router = router.route(&format!("/{}", asset.path), axum::routing::get(file));
    }
    router
}

async fn file(request: Request<Body>) -> Response {
    let Some(asset) = tradewind_web::asset(request.uri().path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = match is_known(request.headers(), asset.etag.trim_matches('"')) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => asset.bytes.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(asset.cache_control),
    );
    for (name, value) in tradewind_web::SECURITY_HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
