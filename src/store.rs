//! The store beside a running engine: what it is told to do, what is told of it, and which part of the journal it still needs.
//!
//! A store that fails leaves the engine alone: the status line and an alert say so, and the next start goes on where the database stands.

use crate::engine::Engine;
use anyhow::Context;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tradewind_alerts::{Figure, Figures, Metric};
use tradewind_config::Settings;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;
use tradewind_store::{FollowSettings, State, Status, Store, StoreError, StoreHistory, Target};
use tradewind_views::query::history::History;

/// Name of the pin that keeps the segments which the store still needs.
const PIN: &str = "store";
/// A lag of which the status line says nothing, nanoseconds.
const QUIET_NS: u64 = 2_000_000_000;

/// How a store follows the journal of a data folder, as the settings say. `url` takes the place of theirs.
pub fn follow_settings(
    settings: &Settings,
    data_dir: &Path,
    url: Option<&str>,
) -> Result<FollowSettings, StoreError> {
    let keys = &settings.store;
    Ok(FollowSettings {
        data_dir: data_dir.to_path_buf(),
        target: Target::parse(url.unwrap_or(&keys.url), data_dir)?,
        pause: Duration::from_millis(keys.pause_ms.into()),
        drain: Duration::from_millis(keys.drain_ms.into()),
        records_max: None,
    })
}

/// What of the settings the store would refuse at a start.
pub fn problem(settings: &Settings, data_dir: &Path) -> Option<anyhow::Error> {
    let target = Target::parse(&settings.store.url, data_dir).context("store.url");
    target.err().filter(|_| settings.store.enabled)
}

/// What has been, for front ends; none where there is no store.
pub fn history(settings: &Settings, data_dir: &Path) -> Result<Option<Arc<dyn History>>, StoreError> {
    if !settings.store.enabled {
        return Ok(None);
    }
    let target = Target::parse(&settings.store.url, data_dir)?;
    let history: Arc<dyn History> = StoreHistory::open(&target)?;
    Ok(Some(history))
}

/// The store's threads.
pub struct StoreService {
    store: Store,
    status: Arc<Status>,
    clock: Clock,
}

impl StoreService {
    /// Starts it, where the settings ask for it. The database need not be there.
    pub fn start(settings: &Settings, engine: &Engine, clock: &Clock) -> anyhow::Result<Option<Self>> {
        if !settings.store.enabled {
            return Ok(None);
        }
        let follow = follow_settings(settings, engine.data_dir(), None).context("store.url")?;
        let store = Store::start(follow, clock.clone())?;
        let status = store.status();
        Ok(Some(Self {
            store,
            status,
            clock: clock.clone(),
        }))
    }

    /// Its figures, for whoever shows them.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }

    /// Keeps the part of the journal that it needs, and tells alerts how it is. To be called some times a second.
    pub fn look(&self, engine: &Engine, now_ns: UnixNanos, alerts: Option<&Figures>) {
        let position = self.status.figures().position;
        if position.segment() != 0 {
            engine.journal().pin(PIN, position);
        }
        let Some(alerts) = alerts else { return };
        let lag = self.status.lag(now_ns, Some(engine.journal().released()));
        alerts.put(Figure {
            metric: Metric::StoreLag,
            scope: "store",
            value: i64::try_from(lag.ns).unwrap_or(i64::MAX),
            text: format!("the database is {} ms behind the journal", lag.ns / 1_000_000),
        });
        let has_ended = self.status.state() == State::Refused;
        alerts.put(Figure {
            metric: Metric::StoreStopped,
            scope: "store",
            value: i64::from(has_ended),
            text: self.status.problem().unwrap_or_default(),
        });
    }

    /// What the status line says of it; nothing where all is well.
    pub fn line(&self) -> String {
        let lag = self.status.lag(self.clock.now_ns(), None);
        match self.status.state() {
            State::Refused => ", THE STORE HAS STOPPED".into(),
            State::Waiting => ", the store waits for its database".into(),
            _ if lag.ns > QUIET_NS => format!(", the store is {} s behind", lag.ns / 1_000_000_000),
            _ => String::new(),
        }
    }

    /// Lets it write what the journal has, and ends it. To be called after the journal's last record.
    pub fn stop(self) -> Result<(), StoreError> {
        self.store.stop()
    }
}
