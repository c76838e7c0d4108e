//! `tradewind bench rttm`: the live feed under many clients, and what they cost the pipeline.
//!
//! One engine, fed with last trades of many instruments at a steady pace: first without clients, then with them, all of them subscribed to
//! the market. Engine, server and clients share the machine; the clients have a thread of their own. With `--fills` what a fill takes from
//! ingest to a client instead (see `fills`).

mod bed;
mod clients;
mod fills;

use super::bench::Folder;
use crate::cli::{BenchRttmArgs, SettingsArgs};
use crate::output;
use anyhow::ensure;
use bed::Bed;
use bytemuck::Zeroable;
use clients::{Clients, Watch};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tradewind_config::Settings;
use tradewind_domain::event::{CurrencySet, Inbound, InboundLong, InstrumentSet, Kind, LastTrade};
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::InstrumentId;
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::latency::SpanCounts;
use tradewind_machine::source::{LongSource, Source, SourceClass};

/// Slots of the ring for market data.
const RING_SLOTS: usize = 8_192;
/// How long the sender sleeps between two looks at what is due.
const PAUSE: Duration = Duration::from_micros(500);
/// How long clients have to come in.
const LOGIN_S: u64 = 60;

/// Nanoseconds from ingest to the release of a record.
#[derive(Debug, Serialize)]
struct PipelineFigures {
    events: u64,
    p50_ns: Option<u64>,
    p99_ns: Option<u64>,
    p999_ns: Option<u64>,
}

impl PipelineFigures {
    fn of(spans: &SpanCounts) -> Self {
        Self {
            events: spans.count(),
            p50_ns: spans.permille(500),
            p99_ns: spans.permille(990),
            p999_ns: spans.permille(999),
        }
    }
}

/// What the run says.
#[derive(Debug, Serialize)]
struct Report {
    clients: usize,
    rows: u32,
    hz: u8,
    encoding: &'static str,
    seconds: f64,
    frames: u64,
    frames_per_s: f64,
    /// Of the frames that were due.
    delivered_pct: f64,
    bytes_per_s: f64,
    /// From the making of a frame to its reading by the client.
    frame_p50_ns: Option<u64>,
    frame_p99_ns: Option<u64>,
    frame_max_ns: Option<u64>,
    left_out: u64,
    slow: u64,
    closed: u64,
    pipeline_without: PipelineFigures,
    pipeline_with: PipelineFigures,
    /// p99 with clients by p99 without.
    pipeline_p99_ratio: Option<f64>,
    cores: usize,
}

/// Runs the command.
pub(super) fn run(args: &BenchRttmArgs) -> anyhow::Result<ExitCode> {
    if let Some(per_s) = args.fills {
        return fills::run(args, per_s);
    }
    let cores = Cores::detect();
    let folder = Folder::new(None)?;
    let settings = settings(args)?;
    let report = measure(args, &settings, &cores, folder.path())?;
    if args.json {
        output::json(&report)?;
    } else {
        output::text(text(&report));
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(args: &BenchRttmArgs) -> anyhow::Result<Settings> {
    let set = |key: &str, value: &dyn std::fmt::Display| format!("{key}={value}");
    let sets = vec![
        set("engine.idle", &args.idle),
        set("journal.window_dir", &args.window_dir.display()),
        set("capacity.instruments", &args.rows.max(1_024)),
    ];
    let args = SettingsArgs {
        profile: "demo".to_owned(),
        config: None,
        sets,
    };
    super::settings(&args, &[])
}

fn measure(
    args: &BenchRttmArgs,
    settings: &Settings,
    cores: &Cores,
    data_dir: &Path,
) -> anyhow::Result<Report> {
    // 1. The engine with its replica and the feed.
    let (bed, source) = Bed::start(
        settings,
        data_dir,
        cores,
        args.clients,
        SourceClass::Market,
        RING_SLOTS,
    )?;
    let clock = bed.clock.clone();
    // 2. Instruments, then trades at a steady pace.
    set_instruments(bed.engine.admin(), args.rows)?;
    let mut pace = Pace {
        source,
        clock: clock.clone(),
        rows: args.rows,
        per_s: u64::from(args.rows) * u64::from(args.hz),
        sent: 0,
    };
    let seconds = args.seconds.max(1);
    pace.send_for(1)?;
    let before = bed.spans();
    pace.send_for(seconds)?;
    let without = bed.spans().since(&before);
    // 3. The same with clients.
    let watch = Watch::Market {
        hz: args.hz,
        is_binary: args.binary,
    };
    let clients = Clients::start(bed.address, args.clients, watch, clock.clone())?;
    let mut waited = 0;
    while clients.ready() < args.clients as u64 {
        pace.send_for(1)?;
        waited += 1;
        ensure!(
            waited < LOGIN_S,
            "only {} of {} clients came in (descriptors: ulimit -n)",
            clients.ready(),
            args.clients
        );
    }
    let (before, seen_before, began) = (bed.spans(), clients.seen(), clock.raw());
    pace.send_for(seconds)?;
    let passed_s = clock.span_ns(began, clock.raw()) as f64 / 1e9;
    let with = bed.spans().since(&before);
    let seen = clients.seen().since(&seen_before);
    // 4. The end.
    let counts = bed.feed.counts();
    let (left_out, slow) = (counts.left_out(), counts.slow());
    let closed = clients.closed();
    clients.stop();
    bed.stop()?;
    let (pipeline_without, pipeline_with) = (PipelineFigures::of(&without), PipelineFigures::of(&with));
    let due = args.clients as f64 * f64::from(args.hz) * passed_s;
    let ratio = pipeline_with.p99_ns.zip(pipeline_without.p99_ns);
    Ok(Report {
        clients: args.clients,
        rows: args.rows,
        hz: args.hz,
        encoding: if args.binary { "binary" } else { "json" },
        seconds: passed_s,
        frames: seen.frames,
        frames_per_s: seen.frames as f64 / passed_s,
        delivered_pct: seen.frames as f64 * 100.0 / due,
        bytes_per_s: seen.bytes as f64 / passed_s,
        frame_p50_ns: seen.spans.permille(500),
        frame_p99_ns: seen.spans.permille(990),
        frame_max_ns: seen.spans.permille(1_000),
        left_out,
        slow,
        closed,
        pipeline_p99_ratio: ratio.map(|(with, without)| with as f64 / without.max(1) as f64),
        pipeline_without,
        pipeline_with,
        cores: cores.count(),
    })
}

fn set_instruments(admin: &LongSource, rows: u32) -> anyhow::Result<()> {
    let currency = CurrencySet {
        code: Text::lossy("USD"),
        money_dp: 2,
        ..CurrencySet::zeroed()
    };
    push(admin, InboundLong::new(Kind::CurrencySet, &currency))?;
    for number in 0..rows {
        let row = Instrument {
            symbol: symbol(number),
            id: InstrumentId::NONE,
            ..Instrument::default_linear()
        };
        let body = InstrumentSet {
            row,
            currency_code: Text::lossy("USD"),
            ..InstrumentSet::zeroed()
        };
        push(admin, InboundLong::new(Kind::InstrumentSet, &body))?;
    }
    Ok(())
}

fn symbol(number: u32) -> Symbol {
    Symbol::lossy(format!("BENCH{number:05}"))
}

fn push(admin: &LongSource, mut message: InboundLong) -> anyhow::Result<()> {
    while let Err(back) = admin.push(message) {
        ensure!(!admin.is_closed(), "the pipeline has ended");
        message = back;
        std::thread::yield_now();
    }
    Ok(())
}

/// Sends last trades at a steady pace, one instrument after the other.
struct Pace {
    source: Source,
    clock: Clock,
    rows: u32,
    per_s: u64,
    sent: u64,
}

impl Pace {
    fn send_for(&mut self, seconds: u64) -> anyhow::Result<()> {
        let began = self.clock.raw();
        let first = self.sent;
        loop {
            let passed_ns = self.clock.span_ns(began, self.clock.raw());
            let passed_ns = passed_ns.min(seconds * 1_000_000_000);
            let due = first + u64::try_from(u128::from(passed_ns) * u128::from(self.per_s) / 1_000_000_000)?;
            while self.sent < due {
                let number = u32::try_from(self.sent % u64::from(self.rows))?;
                let body = LastTrade {
                    px: 100 * ONE + i64::try_from(self.sent % 1_000)? * ONE / 100,
                    qty: ONE,
                    px_dp: 8,
                    qty_dp: 8,
                    ..LastTrade::zeroed()
                };
                let mut message = Inbound::new(Kind::LastTrade, &body).named(symbol(number), Code::EMPTY);
                while let Err(back) = self.source.push(message) {
                    ensure!(!self.source.is_closed(), "the pipeline has ended");
                    message = back;
                    std::thread::yield_now();
                }
                self.sent += 1;
            }
            if passed_ns == seconds * 1_000_000_000 {
                return Ok(());
            }
            std::thread::park_timeout(PAUSE);
        }
    }
}

fn micros(ns: Option<u64>) -> String {
    ns.map_or_else(|| "-".to_owned(), |ns| format!("{:.1} us", ns as f64 / 1e3))
}

fn text(report: &Report) -> String {
    let pipeline = |figures: &PipelineFigures| {
        format!(
            "p50 {}, p99 {}, p99.9 {} ({} events)",
            micros(figures.p50_ns),
            micros(figures.p99_ns),
            micros(figures.p999_ns),
            output::count(figures.events)
        )
    };
    format!(
        "{} clients, {} changing rows at {} Hz, {}, {} cores\n\
         frames     {:.0}/s, {:.1} % of what was due, {}/s\n\
         latency    p50 {}, p99 {}, max {} (made to read)\n\
         left out   {} frames; {} clients too slow; {} closed\n\
         pipeline   without clients: {}\n\
         \x20          with clients:    {}\n\
         \x20          p99 ratio {}\n",
        report.clients,
        report.rows,
        report.hz,
        report.encoding,
        report.cores,
        report.frames_per_s,
        report.delivered_pct,
        output::bytes(report.bytes_per_s as u64),
        micros(report.frame_p50_ns),
        micros(report.frame_p99_ns),
        micros(report.frame_max_ns),
        report.left_out,
        report.slow,
        report.closed,
        pipeline(&report.pipeline_without),
        pipeline(&report.pipeline_with),
        report
            .pipeline_p99_ratio
            .map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
    )
}
