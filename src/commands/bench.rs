//! `tradewind bench pipeline`: the whole engine under open-loop load.

use super::Usage;
use super::bench_store::{StoreFigures, StoreLoad};
use crate::allocator;
use crate::cli::{BenchArgs, SettingsArgs};
use crate::engine::{self, Engine, Prepared};
use crate::output;
use anyhow::{Context, bail};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tradewind_bench::machine_noise::NoisePlan;
use tradewind_bench::measure;
use tradewind_bench::open_loop::{self, RING_SLOTS, Sending};
use tradewind_bench::perf::{self, PerfCounters};
use tradewind_bench::report::{Counted, Parts};
use tradewind_bench::workload;
use tradewind_bench::{Conditions, PipelineReport, Rate, RunFacts, Workload, WorkloadConfig};
use tradewind_config::{Durability, Settings};
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::StartAt;
use tradewind_machine::source::SourceClass;
use tradewind_machine::topology::Topology;

/// Bytes of a segment in a bench run.
const SEGMENT_BYTES: u64 = 64 << 20;
/// Journal bytes that an event takes at most, to size the window by.
const EVENT_BYTES: u64 = 384;
/// The largest window of a run, as the low-latency profile has it: what is longer uses the window's memory again.
const WINDOW_BYTES_MAX: u64 = 2 << 30;
/// Share of the window's file system that a run takes at most, in percent.
const WINDOW_SHARE_PCT: u64 = 70;

/// Runs the command.
pub fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let config = WorkloadConfig {
        mix: args.mix,
        accounts: args.accounts,
        instruments: args.instruments,
        events: args.events,
        ..WorkloadConfig::default()
    };
    let workload = Workload::new(config).map_err(|error| Usage(error.to_string()))?;
    let cores = Cores::detect();
    let layout = Layout::new(&args.topology, &cores)?;
    let folder = Folder::new(args.data.as_deref())?;
    let settings = settings(args, &workload, &layout)?;
    let (report, store) = measure_run(
        args,
        &settings,
        &workload,
        args.rate,
        &cores,
        &layout,
        folder.path(),
    )?;
    if let Some(path) = &args.save {
        report.save(path).with_context(|| path.display().to_string())?;
    }
    if args.json {
        let mut report = serde_json::to_value(&report)?;
        if let (Some(figures), Some(report)) = (&store, report.as_object_mut()) {
            report.insert("store".to_owned(), serde_json::to_value(figures)?);
        }
        output::json(&report)?;
    } else {
        output::text(format_args!("{report}\n"));
        if let Some(figures) = store {
            output::text(format_args!("{figures}\n"));
        }
    }
    Ok(if report.outcomes_as_foreseen {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Which cores the sender and the pipeline get: the sender the first, the pipeline's threads the last ones, so far as there
/// is one for each; otherwise the scheduler places them.
struct Layout {
    topology: Topology,
    sender: Option<usize>,
}

impl Layout {
    fn new(text: &str, cores: &Cores) -> anyhow::Result<Self> {
        let topology: Topology = if text == "auto" {
            Topology::default_for(cores.count())
        } else {
            text.parse().context("--topology")?
        };
        let ids = cores.ids();
        let named = topology.lanes().iter().any(|lane| lane.core().is_some());
        let sender = ids.first().copied().filter(|_| ids.len() > 1);
        if named || topology.lanes().len() + 1 > ids.len() {
            return Ok(Self { topology, sender });
        }
        let own = &ids[ids.len() - topology.lanes().len()..];
        Ok(Self {
            topology: topology.pinned(own)?,
            sender,
        })
    }
}

/// A folder of the run's own, removed at the end unless it was named.
pub(super) struct Folder {
    path: PathBuf,
    is_ours: bool,
}

impl Folder {
    pub(super) fn new(given: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = given {
            if path.join("journal").exists() {
                bail!(
                    "{} holds a journal: a bench run begins with an empty one",
                    path.display()
                );
            }
            return Ok(Self {
                path: path.to_path_buf(),
                is_ours: false,
            });
        }
        let path = std::env::current_dir()?.join(format!("tradewind-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self { path, is_ours: true })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// What a workload asks of any run: its tables, and how old its messages may be.
pub(super) fn of_workload(workload: &Workload) -> Vec<String> {
    let capacities = workload.capacities();
    let tables = [
        ("capacity.instruments", capacities.instruments),
        ("capacity.nodes", capacities.nodes),
        ("capacity.open_orders", capacities.open_orders),
        ("capacity.closed_orders", capacities.closed_orders),
        ("capacity.node_instruments", capacities.node_instruments),
        ("capacity.holdings", capacities.holdings),
        ("capacity.wallets", capacities.wallets),
        ("capacity.limits", capacities.limits),
        ("capacity.cl_ord_ids", capacities.cl_ord_ids),
        ("capacity.exec_ids", capacities.exec_ids),
        ("capacity.sessions", capacities.sessions),
    ];
    let tables = tables.iter().map(|(key, rows)| format!("{key}={rows}"));
    let age = format!("engine.stale_order_ms={}", workload::STALE_ORDER_MS);
    tables.chain([age]).collect()
}

/// Settings of the run: the low-latency profile with what the workload and the arguments ask for.
fn settings(args: &BenchArgs, workload: &Workload, layout: &Layout) -> anyhow::Result<Settings> {
    let free = super::doctor::free_bytes(&args.window_dir).unwrap_or(0);
    let wanted = workload.messages().saturating_mul(EVENT_BYTES) + 4 * SEGMENT_BYTES;
    let most = WINDOW_BYTES_MAX.min(free / 100 * WINDOW_SHARE_PCT);
    let window = wanted.min(most).max(4 * SEGMENT_BYTES) / SEGMENT_BYTES * SEGMENT_BYTES;
    let set = |key: &str, value: &dyn std::fmt::Display| format!("{key}={value}");
    let mut sets = vec![
        set("engine.topology", &layout.topology),
        set("engine.idle", &args.idle),
        set("journal.durability", &args.durability),
        set("journal.window_dir", &args.window_dir.display()),
        set("journal.window_bytes", &window),
        set("journal.segment_bytes", &SEGMENT_BYTES),
    ];
    sets.extend(of_workload(workload));
    let args = SettingsArgs {
        profile: "low-latency".to_owned(),
        config: None,
        sets,
    };
    super::settings(&args, &[])
}

fn measure_run(
    args: &BenchArgs,
    settings: &Settings,
    workload: &Workload,
    rate: Rate,
    cores: &Cores,
    layout: &Layout,
    data_dir: &Path,
) -> anyhow::Result<(PipelineReport, Option<StoreFigures>)> {
    // 1. The machine by itself, before the engine's threads spin on it.
    let clock = tradewind_machine::clock::Clock::start()?;
    let machine = tradewind_bench::machine_noise::MachineNoise::measure(
        &clock,
        cores,
        &NoisePlan::new(cores, Some(data_dir)),
    )?;
    // 2. The engine, with allocations of its pipeline threads counted.
    let Prepared {
        builder,
        journal,
        clock,
        known,
        rules,
        recovery,
        epoch,
        data_dir,
        tables,
    } = engine::prepare(settings, data_dir, cores, None)?;
    let mut builder = builder.on_thread_start(allocator::watch_current_thread);
    let mut source = builder.source(SourceClass::Order, RING_SLOTS);
    let id = source.id();
    let engine = Engine::start(
        Prepared {
            builder,
            journal,
            clock: clock.clone(),
            known,
            rules,
            recovery,
            epoch,
            data_dir,
            tables,
        },
        cores,
    )?;
    let counters = engine.running().counters();
    workload::prepare(workload, engine.admin(), &counters)?;
    let store = args
        .store
        .as_deref()
        .map(|url| StoreLoad::start(url, engine.data_dir(), &clock))
        .transpose()?;
    // 3. The load, from a core of its own; counters are read where the warm-up ends.
    let threads = perf::pipeline_threads();
    let mut perf = PerfCounters::open(&threads);
    let marked = Cell::new((0, None, None));
    let from = StartAt::Position(engine.journal().released());
    let handle = engine.journal();
    let window = settings.journal.window_bytes;
    let behind = move || super::distance(handle.durable(), handle.committed(), SEGMENT_BYTES) > window / 2;
    let sent = {
        let mut at_mark = || {
            marked.set((
                allocator::count(),
                perf.as_mut().and_then(PerfCounters::read),
                perf::waited_ns(&threads),
            ))
        };
        let fits = workload.messages().saturating_mul(EVENT_BYTES) <= window;
        let sending = Sending {
            workload,
            run_tag: epoch,
            source: &mut source,
            clock: &clock,
            counters: &counters,
            rate,
            watch_release: (settings.journal.durability == Durability::Disk).then_some(handle),
            hold: if fits { None } else { Some(&behind) },
            at_mark: &mut at_mark,
        };
        // The engine's threads run already: none of them inherits the sender's pin.
        if let Some(core) = layout.sender {
            cores.pin_current(core)?;
        }
        open_loop::send(sending)?
    };
    let (allocations, perf_before, waited_before) = marked.get();
    let counted = Counted {
        allocations: Some(allocator::count() - allocations),
        perf: perf
            .as_mut()
            .and_then(PerfCounters::read)
            .zip(perf_before)
            .map(|(after, before)| after.since(before)),
        waited_ns: perf::waited_ns(&threads)
            .zip(waited_before)
            .map(|(after, before)| after.saturating_sub(before)),
    };
    // 4. What the journal says, once nothing else runs.
    let unpinned = engine
        .running()
        .pin_warnings()
        .iter()
        .map(|(thread, _)| thread.clone())
        .collect();
    let data_dir = engine.data_dir().to_path_buf();
    let stopped = engine.stop()?;
    let store = store.map(StoreLoad::finish).transpose()?;
    let measured = measure::read(&data_dir, from, id, workload, &sent)?;
    let facts = RunFacts {
        topology: layout.topology.to_string(),
        idle: args.idle.clone(),
        durability: args.durability.clone(),
        window_bytes: settings.journal.window_bytes,
        commit: env!("TRADEWIND_COMMIT").to_owned(),
        followers: args.store.iter().map(|_| "store".to_owned()).collect(),
        sender_core: layout.sender,
        unpinned,
    };
    let report = PipelineReport::new(Parts {
        workload,
        sent: &sent,
        measured: &measured,
        stages: &stopped.finished.reports,
        counted,
        machine: Some(machine),
        conditions: Conditions::detect(workload, rate, facts),
    });
    Ok((report, store))
}
