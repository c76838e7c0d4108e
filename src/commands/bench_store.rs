//! The store under the load of `tradewind bench pipeline --store URL`: how much it writes a second, and how far it stays behind.
//!
//! The lag is looked at every 20 ms from the first to the last message; what is left then counts into the time, so a rate is one that the
//! database sustains to the journal's last record.

use anyhow::Context;
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tradewind_config::without_password;
use tradewind_machine::clock::{Clock, RawStamp};
use tradewind_store::{FollowSettings, Status, Store, Target, clear};

/// How often the lag is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The shortest time between two transactions, as in the server profile.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the end waits for the database.
const DRAIN: Duration = Duration::from_secs(600);

/// What the store did.
#[derive(Clone, Debug, Serialize)]
pub struct StoreFigures {
    /// The database.
    pub url: String,
    /// Seconds from the first message until everything was written.
    pub seconds: f64,
    /// Records of the journal.
    pub records: u64,
    /// Rows written.
    pub rows: u64,
    /// Trades among them.
    pub trades: u64,
    /// Trades a second, with all their rows.
    pub trades_per_s: f64,
    /// Rows a second.
    pub rows_per_s: f64,
    /// Transactions.
    pub batches: u64,
    /// The largest lag while messages came, in milliseconds.
    pub lag_max_ms: u64,
    /// The median of the lag, in milliseconds.
    pub lag_p50_ms: u64,
}

impl fmt::Display for StoreFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "store {}: {} trades, {} rows, {} transactions in {:.2} s",
            self.url, self.trades, self.rows, self.batches, self.seconds
        )?;
        write!(
            f,
            "  {:.0} trades/s with all their rows, {:.0} rows/s; behind {} ms (median), {} ms at most",
            self.trades_per_s, self.rows_per_s, self.lag_p50_ms, self.lag_max_ms
        )
    }
}

/// A store beside a bench run.
pub struct StoreLoad {
    store: Store,
    status: Arc<Status>,
    clock: Clock,
    began: RawStamp,
    url: String,
    stop: Arc<AtomicBool>,
    looking: JoinHandle<Vec<u64>>,
}

impl StoreLoad {
    /// Empties the database and follows the journal.
    pub fn start(url: &str, data_dir: &Path, clock: &Clock) -> anyhow::Result<Self> {
        let target = Target::parse(url, data_dir).context("--store")?;
        clear(&target).context("the database cannot be emptied")?;
        let settings = FollowSettings {
            data_dir: data_dir.to_path_buf(),
            target,
            pause: PAUSE,
            drain: DRAIN,
            records_max: None,
        };
        let store = Store::start(settings, clock.clone())?;
        let status = store.status();
        let stop = Arc::new(AtomicBool::new(false));
        let looking = std::thread::Builder::new().name("tw-store-lag".into()).spawn({
            let (stop, status, clock) = (Arc::clone(&stop), Arc::clone(&status), clock.clone());
            let began = clock.raw();
            move || look(&stop, &status, &clock, began)
        })?;
        Ok(Self {
            store,
            status,
            clock: clock.clone(),
            began: clock.raw(),
            url: without_password(url),
            stop,
            looking,
        })
    }

    /// Waits until everything is written.
    pub fn finish(self) -> anyhow::Result<StoreFigures> {
        self.stop.store(true, Ordering::Release);
        let mut lags = self.looking.join().unwrap_or_default();
        self.store.stop().context("the store ended early")?;
        let seconds = self.clock.span_ns(self.began, self.clock.raw()) as f64 / 1e9;
        lags.sort_unstable();
        let figures = self.status.figures();
        Ok(StoreFigures {
            url: self.url,
            seconds,
            records: figures.records,
            rows: figures.rows,
            trades: figures.trades,
            trades_per_s: figures.trades as f64 / seconds,
            rows_per_s: figures.rows as f64 / seconds,
            batches: figures.batches,
            lag_max_ms: lags.last().copied().unwrap_or(0),
            lag_p50_ms: lags.get(lags.len() / 2).copied().unwrap_or(0),
        })
    }
}

/// The lag now and then, in milliseconds. A store that has written nothing yet is behind by all of the run.
fn look(stop: &AtomicBool, status: &Status, clock: &Clock, began: RawStamp) -> Vec<u64> {
    let mut lags = Vec::new();
    while !stop.load(Ordering::Acquire) {
        std::thread::park_timeout(LOOK);
        let behind_ns = if status.figures().batches == 0 {
            clock.span_ns(began, clock.raw())
        } else {
            status.lag(clock.now_ns(), None).ns
        };
        lags.push(behind_ns / 1_000_000);
    }
    lags
}
