//! `tradewind bench rttm --fills N`: how long a fill takes to a client that wants executions as they happen.
//!
//! Orders are sent at a steady pace, each followed by its fill. Time counts from the moment in which ingest took the fill, which is
//! in its row, to the moment in which the client has read the frame: journal, replica, the feed's thread, server, socket. Where a frame has
//! several fills its oldest one counts.

use super::bed::Bed;
use super::clients::{Clients, Watch};
use crate::cli::{BenchRttmArgs, SettingsArgs};
use crate::commands::bench::Folder;
use crate::output;
use anyhow::ensure;
use serde::Serialize;
use std::process::ExitCode;
use std::time::Duration;
use tradewind_bench::open_loop::RING_SLOTS;
use tradewind_bench::workload::{self, Stream};
use tradewind_bench::{Mix, Workload, WorkloadConfig};
use tradewind_config::Settings;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::source::{Source, SourceClass};

/// Accounts and instruments that trade.
const ACCOUNTS: u32 = 100;
const INSTRUMENTS: u32 = 100;
/// Messages of a fill: its order, and itself.
const MESSAGES_OF_FILL: u64 = 2;
/// Seconds before the measured ones.
const WARM_UP_S: u64 = 2;
/// How long clients have to come in.
const LOGIN_S: u64 = 30;
/// How long the sender sleeps between two looks at what is due.
const PAUSE: Duration = Duration::from_micros(200);

/// What the run says.
#[derive(Debug, Serialize)]
struct Report {
    clients: usize,
    fills_per_s: u64,
    seconds: u64,
    frames: u64,
    /// From ingest of the oldest fill of a frame to the reading of the frame.
    fill_p50_ns: Option<u64>,
    fill_p99_ns: Option<u64>,
    fill_p999_ns: Option<u64>,
    fill_max_ns: Option<u64>,
    /// From ingest to the release of the record, of all inputs: a part of the way.
    release_p99_ns: Option<u64>,
    slow: u64,
    closed: u64,
    cores: usize,
    idle: String,
}

pub(super) fn run(args: &BenchRttmArgs, per_s: u32) -> anyhow::Result<ExitCode> {
    ensure!(
        per_s > 0 && args.clients > 0,
        "--fills and --clients are above zero"
    );
    let cores = Cores::detect();
    let (per_s, seconds) = (u64::from(per_s), args.seconds.max(1));
    let workload = Workload::new(WorkloadConfig {
        mix: Mix::Cycles,
        accounts: ACCOUNTS,
        instruments: INSTRUMENTS,
        events: per_s * MESSAGES_OF_FILL * (seconds + WARM_UP_S + LOGIN_S),
        warmup: Some(0),
    })?;
    let folder = Folder::new(None)?;
    let settings = settings(args, &workload)?;
    // 1. The engine with its replica and the feed, and the firm that trades.
    let (bed, source) = Bed::start(
        &settings,
        folder.path(),
        &cores,
        args.clients,
        SourceClass::Order,
        RING_SLOTS,
    )?;
    workload::prepare(&workload, bed.engine.admin(), &bed.engine.running().counters())?;
    let mut pace = Pace {
        source,
        clock: bed.clock.clone(),
        stream: workload.stream(1),
        per_s: per_s * MESSAGES_OF_FILL,
        sent: 0,
    };
    // 2. Clients that wait for executions.
    let clients = Clients::start(bed.address, args.clients, Watch::Fills, bed.clock.clone())?;
    let mut waited = 0;
    while clients.ready() < args.clients as u64 {
        pace.send_for(1)?;
        waited += 1;
        let ready = clients.ready();
        ensure!(
            waited < LOGIN_S,
            "only {ready} of {} clients came in (descriptors: ulimit -n)",
            args.clients
        );
    }
    pace.send_for(WARM_UP_S)?;
    // 3. What is measured.
    let (spans, seen) = (bed.spans(), clients.seen());
    pace.send_for(seconds)?;
    let (spans, seen) = (bed.spans().since(&spans), clients.seen().since(&seen));
    let (slow, closed) = (bed.feed.counts().slow(), clients.closed());
    clients.stop();
    bed.stop()?;
    let report = Report {
        clients: args.clients,
        fills_per_s: per_s,
        seconds,
        frames: seen.frames,
        fill_p50_ns: seen.spans.permille(500),
        fill_p99_ns: seen.spans.permille(990),
        fill_p999_ns: seen.spans.permille(999),
        fill_max_ns: seen.spans.permille(1_000),
        release_p99_ns: spans.permille(990),
        slow,
        closed,
        cores: cores.count(),
        idle: args.idle.clone(),
    };
    if args.json {
        output::json(&report)?;
    } else {
        output::text(text(&report));
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(args: &BenchRttmArgs, workload: &Workload) -> anyhow::Result<Settings> {
    let set = |key: &str, value: &dyn std::fmt::Display| format!("{key}={value}");
    let mut sets = vec![
        set("engine.idle", &args.idle),
        set("journal.window_dir", &args.window_dir.display()),
    ];
    sets.extend(crate::commands::bench::of_workload(workload));
    let args = SettingsArgs {
        profile: "demo".to_owned(),
        config: None,
        sets,
    };
    crate::commands::settings(&args, &[])
}

/// Sends orders and fills at a steady pace.
struct Pace<'a> {
    source: Source,
    clock: Clock,
    stream: Stream<'a>,
    per_s: u64,
    sent: u64,
}

impl Pace<'_> {
    fn send_for(&mut self, seconds: u64) -> anyhow::Result<()> {
        let (began, first, whole_ns) = (self.clock.raw(), self.sent, seconds * 1_000_000_000);
        loop {
            let passed_ns = self.clock.span_ns(began, self.clock.raw()).min(whole_ns);
            let due = u128::from(passed_ns) * u128::from(self.per_s) / 1_000_000_000;
            let due = first + u64::try_from(due)?;
            while self.sent < due {
                let mut message = self.stream.next_message();
                while let Err(back) = self.source.push(message) {
                    ensure!(!self.source.is_closed(), "the pipeline has ended");
                    message = back;
                    std::thread::yield_now();
                }
                self.sent += 1;
            }
            if passed_ns == whole_ns {
                return Ok(());
            }
            std::thread::park_timeout(PAUSE);
        }
    }
}

fn text(report: &Report) -> String {
    let micros = super::micros;
    format!(
        "{} clients that want executions as they happen, {} fills a second for {} s, {} cores, idle {}\n\
         fill to frame   p50 {}, p99 {}, p99.9 {}, max {} (ingest of the oldest fill to read, {} frames)\n\
         of it           p99 {} from ingest to the release of the record\n\
         left            {} clients too slow, {} closed\n",
        report.clients,
        output::count(report.fills_per_s),
        report.seconds,
        report.cores,
        report.idle,
        micros(report.fill_p50_ns),
        micros(report.fill_p99_ns),
        micros(report.fill_p999_ns),
        micros(report.fill_max_ns),
        output::count(report.frames),
        micros(report.release_p99_ns),
        report.slow,
        report.closed,
    )
}
