//! What is measured in: an engine with its replica, the feed, and a server that lets clients in without asking who they are.

use crate::engine::{self, Engine};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tradewind_alerts::IncidentRow;
use tradewind_config::Settings;
use tradewind_domain::ids::NodeId;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::StartAt;
use tradewind_machine::latency::SpanCounts;
use tradewind_machine::source::{Source, SourceClass};
use tradewind_rttm::{Check, Entitlements, Feed, FeedSettings, Figures, Refused, StageRow, Standing, Viewer};
use tradewind_views::live::{Live, LiveThread};

/// Somebody who sees everything; all clients are.
struct Everybody;

impl Viewer for Everybody {
    fn user(&self) -> String {
        "bench".to_owned()
    }
    fn class(&self) -> u64 {
        1
    }
    fn sees(&self, _: NodeId) -> bool {
        true
    }
    fn sees_firm(&self) -> bool {
        true
    }
    fn is_operator(&self) -> bool {
        true
    }
    fn standing(&self) -> Standing {
        Standing::Good
    }
}

impl Entitlements for Everybody {
    fn authenticate(&self, _: &str) -> Result<Arc<dyn Viewer>, Refused> {
        Ok(Arc::new(Everybody))
    }
}

impl Figures for Everybody {
    fn stages(&self) -> Vec<StageRow> {
        Vec::new()
    }
    fn checks(&self) -> Vec<Check> {
        Vec::new()
    }
    fn incidents(&self) -> Option<Arc<Vec<IncidentRow>>> {
        None
    }
}

/// All that runs.
pub(super) struct Bed {
    pub(super) engine: Engine,
    pub(super) clock: Clock,
    pub(super) feed: Feed,
    /// Where clients come in.
    pub(super) address: SocketAddr,
    live: LiveThread,
    server: Runtime,
}

impl Bed {
    /// Starts it, with a ring for what is sent.
    pub(super) fn start(
        settings: &Settings,
        data_dir: &Path,
        cores: &Cores,
        clients: usize,
        class: SourceClass,
        slots: usize,
    ) -> anyhow::Result<(Self, Source)> {
        let mut prepared = engine::prepare(settings, data_dir, cores, None)?;
        let clock = prepared.clock.clone();
        let source = prepared.builder.source(class, slots);
        let engine = Engine::start(prepared, cores)?;
        let live = Live::new(engine.data_dir(), &settings.capacities())?;
        let live = LiveThread::start(live, engine.follower(StartAt::Start)?)?;
        let feed_settings = FeedSettings {
            clients_max: u32::try_from(clients)?.saturating_add(1),
            ..FeedSettings::default()
        };
        let everybody: Arc<Everybody> = Arc::new(Everybody);
        let feed = Feed::start(
            Arc::clone(live.live()),
            Arc::clone(&everybody) as Arc<dyn Figures>,
            everybody,
            feed_settings,
            clock.clone(),
        )?;
        let server = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cores.count().max(2) / 2)
            .enable_all()
            .build()?;
        let listener = server.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let router = feed.router();
        server.spawn(async move { axum::serve(listener, router).await });
        let bed = Self {
            engine,
            clock,
            feed,
            address,
            live,
            server,
        };
        Ok((bed, source))
    }

    /// From ingest to the release of records, since the start.
    pub(super) fn spans(&self) -> SpanCounts {
        self.live.live().look(|held| held.spans())
    }

    /// Ends it in the order of the flow.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.feed.stop();
        self.server.shutdown_background();
        self.live.stop();
        self.engine.stop()?;
        Ok(())
    }
}
