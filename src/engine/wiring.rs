//! From settings and a data folder to a pipeline that is ready to start.

use super::{EngineError, build_name, journal_config};
use crate::memory;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_config::{Idle, Known, Settings};
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Capacities, EngineStarted, Event, InboundLong, Kind, schema_hash};
use tradewind_domain::text::Text;
use tradewind_feeds::Normalize;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::idle::IdleStrategy;
use tradewind_machine::journal::{
    Identity, Journal, JournalHandle, JournalWriter, Records, bytes_left_behind,
};
use tradewind_machine::pipeline::{Builder, LastSeen, PinPolicy, Schedule, Settings as PipelineSettings};
use tradewind_machine::replay::Replay;
use tradewind_machine::stage::Stages;
use tradewind_machine::topology::Topology;
use tradewind_risk::limit_check::TableGauge;
use tradewind_risk::{LimitCheck, RULES_VERSION, TradingSchedule, Validate};
use tradewind_rules::{Document, RuleBook};

/// What recovery did.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct RecoveryReport {
    /// True where there was no journal before.
    pub is_new: bool,
    /// Records applied.
    pub records: u64,
    /// Effects that finished an open group.
    pub finished_effects: u64,
    /// Bytes taken over from the memory of a run that was killed.
    pub taken_over_bytes: u64,
    /// Bytes of torn tails that were cut and kept aside.
    pub torn_bytes: u64,
    /// Last sequence number.
    pub last_seq: u64,
    /// Seconds from opening the journal to being ready.
    pub seconds: f64,
    /// Records applied a second.
    pub records_per_s: f64,
    /// What the journal's file systems do not promise.
    pub cautions: Vec<String>,
}

/// A pipeline that is ready to start: add sources, then start it.
pub struct Prepared {
    /// The pipeline.
    pub builder: Builder<Event, JournalWriter>,
    /// The journal.
    pub journal: JournalHandle,
    /// The clock that stamps events.
    pub clock: Clock,
    /// Reference data as the journal has it.
    pub known: Known,
    /// Business rules in force.
    pub rules: Option<Document>,
    /// What recovery did.
    pub recovery: RecoveryReport,
    /// Number of the run.
    pub epoch: u32,
    /// The data folder.
    pub data_dir: PathBuf,
    /// How full the tables are.
    pub tables: Arc<TableGauge>,
}

/// The five stages between ingest and the journal, in order.
pub fn stages(capacities: &Capacities, hash_key: &[u8; 16]) -> Stages<Event> {
    stages_and_gauge(capacities, hash_key).0
}

/// The stages, and how full their tables are.
fn stages_and_gauge(capacities: &Capacities, hash_key: &[u8; 16]) -> (Stages<Event>, Arc<TableGauge>) {
    let limit_check = LimitCheck::new(capacities, hash_key);
    let gauge = limit_check.gauge();
    let stages: Stages<Event> = [
        Box::new(Normalize::new(capacities)),
        Box::new(Validate::new(capacities)),
        Box::new(limit_check),
        Box::new(Settle::new(capacities)),
        Box::new(Position::new(capacities)),
    ];
    (stages, gauge)
}

/// Opens the journal, recovers the state, and prepares the pipeline. `identity` fixes the identity of a new journal, for
/// comparisons.
pub fn prepare(
    settings: &Settings,
    data_dir: &Path,
    cores: &Cores,
    identity: Option<Identity>,
) -> Result<Prepared, EngineError> {
    // 1. The clock, before anything is timed by it.
    let clock = Clock::start().map_err(EngineError::Clock)?;
    let began = clock.raw();

    // What the kernel would end half-way is not begun.
    let window_dir = Path::new(&settings.journal.window_dir);
    memory::check(settings, bytes_left_behind(window_dir, data_dir))?;

    // Threads that are started from here on keep off the pipeline's cores: archiver, keeper, readers, sessions.
    let topology = topology(settings, cores)?;
    let taken: Vec<usize> = topology.lanes().iter().filter_map(|lane| lane.core()).collect();
    cores.keep_off(&taken);

    // 2. The journal: lock, take-over, torn tail.
    let mut config = journal_config(settings, data_dir);
    config.identity = identity;
    let opened = Journal::open(config)?;

    // 3. The stages with all their memory, and the state that the journal says.
    let capacities = settings.capacities();
    let (mut stages, tables) = stages_and_gauge(&capacities, &opened.identity().hash_key);
    let mut schedule = TradingSchedule::new(capacities.sessions);
    let recovered = replay(settings, data_dir, opened.records()?, &mut stages, &mut schedule)?;
    let mut report = RecoveryReport {
        is_new: opened.is_new(),
        records: recovered.records,
        taken_over_bytes: opened.recovery().taken_over_bytes,
        torn_bytes: opened.recovery().torn.iter().map(|torn| torn.bytes).sum(),
        cautions: opened.cautions().to_vec(),
        ..RecoveryReport::default()
    };

    // 4. The window and the helper threads; an open group is finished through them.
    let epoch = opened.epoch();
    let (mut writer, journal) = opened.start()?;
    let mut last = recovered.last;
    if let Some(tail) = recovered.open_group {
        let mut replay = Replay::resume(&mut stages, tail);
        report.finished_effects = replay.finish_group(&mut writer, clock.now_ns())?;
        last = replay.last();
    }
    report.last_seq = last.seq;
    report.seconds = clock.span_ns(began, clock.raw()) as f64 / 1e9;
    report.records_per_s = if report.records == 0 {
        0.0
    } else {
        report.records as f64 / report.seconds
    };

    // 5. The pipeline, with the engine's start as its first event.
    let start = engine_started(settings, epoch, last.seq, &capacities);
    let pipeline = pipeline_settings(settings, topology);
    let builder = Builder::new(pipeline, stages, writer, clock.clone(), settings.engine.clock)
        .resume_after(last)
        .schedule(Box::new(schedule))
        .open_with(InboundLong::new(Kind::EngineStarted, &start));
    let data_dir = data_dir.to_path_buf();
    Ok(Prepared {
        builder,
        journal,
        clock,
        known: recovered.known,
        rules: recovered.rules.document(),
        recovery: report,
        epoch,
        data_dir,
        tables,
    })
}

/// What the records of a journal say.
pub(super) struct Recovered {
    /// How many there are.
    pub(super) records: u64,
    /// The last one's number and time.
    pub(super) last: LastSeen,
    /// The last one, where its group is not whole.
    pub(super) open_group: Option<tradewind_domain::event::Head>,
    pub(super) known: Known,
    pub(super) rules: RuleBook,
}

/// Applies every record of the journal.
pub(super) fn replay(
    settings: &Settings,
    data_dir: &Path,
    mut records: Records,
    stages: &mut Stages<Event>,
    schedule: &mut TradingSchedule,
) -> Result<Recovered, EngineError> {
    let (mut known, mut rules) = (Known::default(), RuleBook::new());
    let oldest = records.oldest();
    if oldest.segment() > 1 {
        return Err(EngineError::BeginsLate { oldest });
    }
    let mut event = Event::empty();
    let mut replay = Replay::new(stages);
    while let Some(record) = records.next()? {
        if event.read_record(record.bytes()).is_none() {
            let head = record.head();
            return Err(EngineError::UnknownKind {
                seq: head.seq,
                part: head.part,
                kind: head.kind,
            });
        }
        if event.kind() == Some(Kind::EngineStarted) {
            check_start(settings, data_dir, event.body())?;
        }
        replay.apply(&event)?;
        schedule.observe(&event);
        known.observe(&event);
        rules.observe(&event);
    }
    let (count, last) = (replay.records(), replay.last());
    let open_group = replay.is_open().then_some(event.head);
    let faults: u64 = stages.iter().map(|stage| stage.faults()).sum();
    if faults != 0 {
        return Err(EngineError::Contradiction { count: faults });
    }
    Ok(Recovered {
        records: count,
        last,
        open_group,
        known,
        rules,
    })
}

/// A journal has one clock and one shard for its whole life, and its records need tables as large as those that they were made
/// with.
fn check_start(settings: &Settings, data_dir: &Path, start: &EngineStarted) -> Result<(), EngineError> {
    let configured = settings.engine.clock;
    if let Some(mode) = ClockMode::from_code(start.clock_mode)
        && mode != configured
    {
        return Err(EngineError::ClockMode {
            path: data_dir.to_path_buf(),
            journal: mode.text(),
            configured: configured.text(),
        });
    }
    if start.shard != settings.engine.shard {
        return Err(EngineError::Shard {
            journal: start.shard,
            configured: settings.engine.shard,
        });
    }
    match shrunk(&settings.capacities(), &start.capacities) {
        Some(hint) => Err(EngineError::TooSmall { hint }),
        None => Ok(()),
    }
}

/// Names the capacities that were larger in the journal.
fn shrunk(now: &Capacities, before: &Capacities) -> Option<String> {
    let pairs = [
        ("instruments", now.instruments, before.instruments),
        ("nodes", now.nodes, before.nodes),
        ("open_orders", now.open_orders, before.open_orders),
        ("closed_orders", now.closed_orders, before.closed_orders),
        ("node_instruments", now.node_instruments, before.node_instruments),
        ("holdings", now.holdings, before.holdings),
        ("wallets", now.wallets, before.wallets),
        ("limits", now.limits, before.limits),
        ("cl_ord_ids", now.cl_ord_ids, before.cl_ord_ids),
        ("exec_ids", now.exec_ids, before.exec_ids),
        ("sessions", now.sessions, before.sessions),
        ("limit_stamps", now.limit_stamps, before.limit_stamps),
        ("restricted", now.restricted, before.restricted),
        ("repeats", now.repeats, before.repeats),
        ("executions", now.executions, before.executions),
        ("quarantine", now.quarantine, before.quarantine),
        ("unsettled", now.unsettled, before.unsettled),
        ("lots", now.lots, before.lots),
    ];
    let smaller = pairs.iter().filter(|(_, now, before)| now < before);
    let text: Vec<String> = smaller
        .map(|(key, now, before)| format!("capacity.{key}: {now}, was {before}"))
        .collect();
    (!text.is_empty()).then(|| text.join("; "))
}

pub(super) fn engine_started(
    settings: &Settings,
    epoch: u32,
    previous_seq: u64,
    capacities: &Capacities,
) -> EngineStarted {
    let engine = &settings.engine;
    EngineStarted {
        epoch,
        rules_version: RULES_VERSION,
        schema_hash: schema_hash(),
        config_hash: settings.hash(),
        previous_seq,
        build: Text::lossy(build_name()),
        clock_mode: engine.clock as u8,
        shard: engine.shard,
        market_slip_bps: engine.market_slip_bps,
        ref_max_age_ms: engine.ref_max_age_ms,
        stale_order_ms: engine.stale_order_ms,
        capacities: *capacities,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// The topology of the settings; `auto` is what fits the machine. A pipeline that spins gets cores of its own, the last ones,
/// where one is left for everything else.
pub fn topology(settings: &Settings, cores: &Cores) -> Result<Topology, EngineError> {
    if settings.engine.topology != "auto" {
        return Ok(settings.engine.topology.parse()?);
    }
    let topology = Topology::default_for(cores.count());
    let (threads, ids) = (topology.lanes().len(), cores.ids());
    if settings.engine.idle != Idle::Spin || threads >= ids.len() {
        return Ok(topology);
    }
    Ok(topology.pinned(&ids[ids.len() - threads..])?)
}

fn pipeline_settings(settings: &Settings, topology: Topology) -> PipelineSettings {
    let engine = &settings.engine;
    PipelineSettings {
        topology,
        idle: match engine.idle {
            Idle::Spin => IdleStrategy::Spin,
            Idle::Yield => IdleStrategy::SpinThenYield,
            Idle::Park => IdleStrategy::Park,
        },
        pin: PinPolicy::Try,
        ingest_slots: engine.slab_slots as usize,
        effect_slots: engine.effect_slots as usize,
        ring_slots: engine.ring_slots as usize,
        batch_max: engine.batch_max as usize,
        long_slots: settings.sources.admin_slots as usize,
    }
}
