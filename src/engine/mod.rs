//! The engine: stages, journal, recovery and sources, wired in numbered steps.
//!
//! # Invariants
//! - A run begins with `EngineStarted` and, where it ends in good order, ends with `EngineStopped`.
//! - What recovery applied is what the journal says, and an open group is finished before anything new is taken.
//!
//! Not here: what feeds the sources and what follows the journal; the commands decide that.

mod error;
mod reference;
mod rules;
mod trial;
mod wiring;

pub use error::EngineError;
pub(crate) use error::places;
pub use reference::{ReferenceChanges, Refused, apply_reference, load_reference};
pub use rules::{RuleChanges, pack_rules, read_rules};
pub use trial::Trial;
pub use wiring::{Prepared, RecoveryReport, prepare, stages, topology as topology_of};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tradewind_config::Settings;
use tradewind_domain::event::{EngineStopped, Event, InboundLong, Kind};
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::{Follower, JournalHandle, JournalWriter, StartAt};
use tradewind_machine::pipeline::{Finished, Running, StopMode};
use tradewind_machine::source::LongSource;
use tradewind_risk::limit_check::TableGauge;

/// How often a stop looks whether it goes on, and how often in a row the journal may have had no room.
const STOP_TICK: Duration = Duration::from_millis(5);
const STUCK_TICKS: u32 = 1_000;

/// Version and commit of this build, as it stands in the journal.
pub fn build_name() -> String {
    let commit = env!("TRADEWIND_COMMIT");
    format!("tradewind {} {commit}", env!("CARGO_PKG_VERSION"))
}

/// A running engine.
pub struct Engine {
    running: Running<Event, JournalWriter>,
    journal: JournalHandle,
    admin: LongSource,
    epoch: u32,
    data_dir: PathBuf,
    tables: Arc<TableGauge>,
}

/// What is left of an engine that stopped in good order.
pub struct Stopped {
    /// Stages, journal writer, last number, figures.
    pub finished: Finished<Event, JournalWriter>,
}

impl Engine {
    /// Starts the pipeline's threads.
    pub fn start(prepared: Prepared, cores: &Cores) -> Result<Self, EngineError> {
        let Prepared {
            builder,
            journal,
            epoch,
            data_dir,
            tables,
            ..
        } = prepared;
        let admin = builder.long_source();
        let running = builder.start(cores)?;
        Ok(Self {
            running,
            journal,
            admin,
            epoch,
            data_dir,
            tables,
        })
    }

    /// The queue for admin, cash and documents.
    pub fn admin(&self) -> &LongSource {
        &self.admin
    }

    /// The journal's figures and followers.
    pub fn journal(&self) -> &JournalHandle {
        &self.journal
    }

    /// The pipeline's threads.
    pub fn running(&self) -> &Running<Event, JournalWriter> {
        &self.running
    }

    /// How full the tables are.
    pub fn tables(&self) -> &TableGauge {
        &self.tables
    }

    /// Number of this run.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// A follower of the released records.
    pub fn follower(&self, from: StartAt) -> Result<Follower, EngineError> {
        Ok(self.journal.follower(from)?)
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Takes what the sources still hold, ends the sequence with `EngineStopped`, archives and syncs everything. A journal that has no room for
    /// that, and gets none, ends the run without: what was not journaled was not accepted.
    pub fn stop(self) -> Result<Stopped, EngineError> {
        let body = EngineStopped {
            epoch: self.epoch,
            ..bytemuck::Zeroable::zeroed()
        };
        let last = InboundLong::new(Kind::EngineStopped, &body);
        self.running.stopper().stop(StopMode::Drain, Some(last));
        if self.waits_for_space() {
            drop(self.running);
            self.journal.stop()?;
            return Err(EngineError::NoSpaceToStop { path: self.data_dir });
        }
        let finished = self.running.join()?;
        self.journal.stop()?;
        Ok(Stopped { finished })
    }

    /// Waits for the end of a pipeline that was asked to stop. True where the journal has had no room for so long that it will not come.
    fn waits_for_space(&self) -> bool {
        let mut before = self.journal.committed();
        let mut ticks = 0;
        while !self.running.is_ended() {
            std::thread::park_timeout(STOP_TICK);
            let now = self.journal.committed();
            let is_stuck = self.journal.space_low() && now == before;
            ticks = if is_stuck { ticks + 1 } else { 0 };
            if ticks == STUCK_TICKS {
                return true;
            }
            before = now;
        }
        false
    }
}

/// The journal's settings.
pub(crate) fn journal_config(
    settings: &Settings,
    data_dir: &Path,
) -> tradewind_machine::journal::JournalConfig {
    use tradewind_config::Durability as Configured;
    use tradewind_machine::journal::{Durability, JournalConfig};
    let keys = &settings.journal;
    let retention = if keys.retention_bytes == 0 {
        u64::MAX
    } else {
        keys.retention_bytes
    };
    JournalConfig {
        window_dir: PathBuf::from(&keys.window_dir),
        segment_bytes: keys.segment_bytes,
        window_bytes: keys.window_bytes,
        durability: match keys.durability {
            Configured::Memory => Durability::Memory,
            Configured::Disk => Durability::Disk,
        },
        sync_interval: Duration::from_millis(u64::from(keys.sync_interval_ms)),
        keep_bytes: retention,
        retention_bytes: retention,
        reserve_bytes: keys.reserve_bytes,
        shard: settings.engine.shard,
        schema_hash: tradewind_domain::event::schema_hash(),
        schemas_known: tradewind_domain::event::SCHEMAS_READ.to_vec(),
        allow_unsafe_fs: keys.allow_unsafe_fs,
        ..JournalConfig::new(data_dir)
    }
}
