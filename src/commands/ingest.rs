//! `tradewind ingest`: recorded files through the same pipeline that `run` builds.

use super::changes::{self, Setting};
use super::summary::{self, Summary};
use super::unknown;
use crate::cli::{IngestArgs, Speed};
use crate::engine::{self, Engine, EngineError, ReferenceChanges, RuleChanges};
use crate::output;
use crate::store::StoreService;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tradewind_config::{ReferenceData, Settings};
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::Inbound;
use tradewind_domain::time::{NANOS_PER_SEC, utc_day};
use tradewind_feeds::codec::{self, Counts, Format, Options};
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::source::{Source, SourceClass};

/// Messages handed over at a time.
const BATCH: usize = 64;
/// Unreadable lines that are shown.
const ERRORS_SHOWN: u64 = 5;
/// Wait before a full ring is tried again.
const PAUSE: Duration = Duration::from_micros(20);

const US_EQUITY: (&str, &str) = (
    "us-equity-day.toml",
    include_str!("../../config/reference/us-equity-day.toml"),
);
const BINANCE: (&str, &str) = (
    "binance.toml",
    include_str!("../../config/reference/binance.toml"),
);

/// Reference data that goes with a format, where the settings name none.
fn fallback(format: Format) -> Option<(&'static str, &'static str)> {
    match format {
        Format::UsEquityTrades => Some(US_EQUITY),
        Format::BinanceTradesCsv | Format::BinanceFrames => Some(BINANCE),
        _ => None,
    }
}

fn options(args: &IngestArgs, reference: &ReferenceData) -> anyhow::Result<Options> {
    let known = || reference.accounts.iter().map(|account| account.code);
    for wanted in &args.accounts {
        if known().all(|code| code != *wanted) {
            let codes: Vec<String> = known().map(|code| code.to_string()).collect();
            anyhow::bail!(unknown(
                "account",
                wanted.as_str(),
                codes.iter().map(String::as_str)
            ));
        }
    }
    Ok(Options {
        accounts: match args.accounts.is_empty() {
            true => known().collect(),
            false => args.accounts.clone(),
        },
        last_trades: true,
        symbol: args.symbol,
        date: args.date,
        ..Options::default()
    })
}

/// The first message's time: reference data is set just before it. `None` for a file without messages. One that says nothing in this
/// format starts no journal.
fn first_time(format: Format, path: &Path, options: &Options) -> anyhow::Result<Option<u64>> {
    let mut recording = codec::open(format, path, options).with_context(|| path.display().to_string())?;
    let (mut readable, mut problem) = (false, None);
    for message in recording.by_ref() {
        match message {
            Ok(message) if message.origin_ns > 0 => return Ok(Some(message.origin_ns)),
            Ok(_) => readable = true,
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    match problem.filter(|_| !readable) {
        Some(error) => Err(anyhow::anyhow!(
            "{}: no line can be read; the first: {error}",
            path.display()
        )),
        None => Ok(readable.then_some(NANOS_PER_SEC)),
    }
}

/// Runs the command.
pub fn run(args: &IngestArgs) -> anyhow::Result<ExitCode> {
    let format = args.format;
    let settings = super::settings(&args.settings, &["engine.clock=input"])?;
    if let Some(text) = super::without_effect(&settings) {
        output::note(text);
    }
    let reference = engine::load_reference(&settings, fallback(format))?;
    let options = options(args, &reference)?;
    // Every file is opened before anything starts: one that cannot be read ends nothing half-way.
    for path in &args.files {
        codec::open(format, path, &options).with_context(|| path.display().to_string())?;
    }
    let mut times = args.files.iter().map(|path| first_time(format, path, &options));
    let start_ns = times
        .find_map(Result::transpose)
        .transpose()?
        .context("there is no message in any of the files")?;

    let cores = Cores::detect();
    let mut prepared = engine::prepare(&settings, &args.data, &cores, None)?;
    summary::show_recovery(&prepared.recovery);
    // One ring for the whole file: what stands first in it is sequenced first, market data and trades alike.
    let mut source = prepared
        .builder
        .source(SourceClass::Order, settings.sources.order_slots as usize);
    let rules = RuleChanges::find(&settings, prepared.rules.as_ref())?;
    let changes = ReferenceChanges::find(reference, &prepared.known, utc_day(start_ns))?.with_rules(rules);
    let (clock, is_new) = (prepared.clock.clone(), prepared.recovery.is_new);
    let engine = Engine::start(prepared, &cores)?;
    let setting = Setting {
        is_new,
        origin_ns: reference_ns(&settings, start_ns),
        despite_refusals: args.despite_refusals,
    };
    let engine = changes::set(engine, &changes, setting)?;

    let store = StoreService::start(&settings, &engine, &clock)?;
    let began = clock.raw();
    let read = args.files.iter().try_fold(Counts::default(), |counts, path| {
        Ok::<_, anyhow::Error>(sum(
            counts,
            pump(format, path, &options, &mut source, &engine, &clock, args.speed)?,
        ))
    });
    let seconds = clock.span_ns(began, clock.raw()) as f64 / 1e9;
    // What was handed over is taken and the run ends in good order, whatever stopped the reading.
    engine.stop()?;
    if let Some(Err(error)) = store.map(StoreService::stop) {
        output::note(format_args!("the store ended early: {}", error.line()));
    }
    let counts = read?;
    let mut summary = Summary::of_journal(&args.data, &clock)?;
    summary.lines_unreadable = counts.errors;
    summary.lines_skipped = counts.skipped;
    summary.messages = counts.events;
    summary.seconds = seconds;
    if args.json {
        output::json(&summary)?;
    } else {
        output::text(&summary);
    }
    Ok(if counts.errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// On input time the admin events bear the second before the first message; on wall time the stamp says nothing.
fn reference_ns(settings: &Settings, start_ns: u64) -> u64 {
    match settings.engine.clock {
        ClockMode::Input => start_ns.saturating_sub(NANOS_PER_SEC),
        _ => 0,
    }
}

/// Pushes a file's messages. A full ring makes it wait; nothing is dropped.
fn pump(
    format: Format,
    path: &Path,
    options: &Options,
    source: &mut Source,
    engine: &Engine,
    clock: &Clock,
    speed: Speed,
) -> anyhow::Result<Counts> {
    let mut recording = codec::open(format, path, options).with_context(|| path.display().to_string())?;
    let progress = recording.progress();
    let bar = bar(path, progress.total());
    let mut batch: Vec<Inbound> = Vec::with_capacity(BATCH);
    let mut pace = match speed {
        Speed::Max => None,
        Speed::Times(factor) => Some(Pace {
            factor,
            first_ns: None,
            began: clock.raw(),
        }),
    };
    let mut shown = 0;
    for message in recording.by_ref() {
        match message {
            Ok(message) => {
                if let Some(pace) = &mut pace {
                    flush(&mut batch, source, engine)?;
                    pace.wait(clock, message.origin_ns);
                }
                batch.push(message);
                if batch.len() == BATCH {
                    flush(&mut batch, source, engine)?;
                    bar.set_position(progress.read());
                }
            }
            Err(error) => {
                if shown < ERRORS_SHOWN {
                    bar.suspend(|| output::note(format_args!("{}: {error}", path.display())));
                }
                shown += 1;
            }
        }
    }
    flush(&mut batch, source, engine)?;
    bar.finish_and_clear();
    if shown > ERRORS_SHOWN {
        output::note(format_args!(
            "{}: {} could not be read",
            path.display(),
            output::counted(shown - ERRORS_SHOWN, "more line")
        ));
    }
    Ok(recording.counts())
}

fn bar(path: &Path, total: u64) -> ProgressBar {
    if !output::is_terminal() {
        return ProgressBar::hidden();
    }
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {percent}% {bytes_per_sec} eta {eta}");
    let bar = ProgressBar::new(total).with_message(name);
    match style {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

fn flush(batch: &mut Vec<Inbound>, source: &mut Source, engine: &Engine) -> Result<(), EngineError> {
    let mut done = 0;
    while done < batch.len() {
        let taken = source.push_slice(&batch[done..]);
        if taken == 0 {
            if source.is_closed() || engine.running().is_ended() {
                return Err(EngineError::Ended("a file was read"));
            }
            std::thread::park_timeout(PAUSE);
        }
        done += taken;
    }
    batch.clear();
    Ok(())
}

/// Keeps the recorded distances, stretched or shortened.
struct Pace {
    factor: f64,
    first_ns: Option<u64>,
    began: tradewind_machine::clock::RawStamp,
}

impl Pace {
    fn wait(&mut self, clock: &Clock, origin_ns: u64) {
        if origin_ns == 0 {
            return;
        }
        let first = *self.first_ns.get_or_insert(origin_ns);
        let due_ns = (origin_ns.saturating_sub(first) as f64 / self.factor) as u64;
        loop {
            let passed = clock.span_ns(self.began, clock.raw());
            if passed >= due_ns {
                return;
            }
            std::thread::park_timeout(Duration::from_nanos((due_ns - passed).min(50_000_000)));
        }
    }
}

fn sum(a: Counts, b: Counts) -> Counts {
    Counts {
        lines: a.lines + b.lines,
        events: a.events + b.events,
        skipped: a.skipped + b.skipped,
        errors: a.errors + b.errors,
    }
}
