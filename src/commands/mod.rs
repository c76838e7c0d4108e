//! One file a command: reads its arguments, calls the parts, prints.

pub mod alert_rules;
pub mod alerts;
pub mod ask;
pub mod bench;
pub mod bench_books;
pub mod bench_limits;
mod bench_rttm;
pub mod bench_store;
pub mod cash;
pub mod changes;
pub mod config;
pub mod conformance;
pub mod doctor;
pub mod explain;
pub mod ingest;
pub mod journal;
pub mod kill;
pub mod limits;
pub mod positions;
pub mod quarantine;
pub mod recon;
pub mod record;
pub mod reference;
pub mod replay;
pub mod report;
pub mod rules;
pub mod run;
pub mod state;
pub mod store;
pub mod summary;
pub mod token;
#[cfg(feature = "tui")]
pub mod top;
pub mod user;
pub mod version;
pub mod whatif;

use crate::cli::{
    AsOf, BenchCommand, Cli, Command, ConfigCommand, JournalCommand, RulesCommand, SettingsArgs,
};
use anyhow::Context;
use std::process::ExitCode;
use tradewind_config::{Settings, nearest};
use tradewind_machine::journal::Position;
use tradewind_views::ReplayOptions;

/// Arguments that cannot be, as only the command itself sees: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// What is said of a name that is not known: the nearest one that is.
pub(crate) fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(near) => format!("there is no {what} {name:?}; did you mean {near:?}?"),
        None => format!("there is no {what} {name:?}"),
    }
}

/// What of the settings has no effect, for people. An operator who relies on it learns it before it matters.
pub(crate) fn without_effect(settings: &Settings) -> Option<&'static str> {
    (settings.journal.retention_bytes != 0).then_some(
        "journal.retention_bytes has no effect yet: segments are only removed once a snapshot covers them, and there are no snapshots, so the \
         whole journal is kept",
    )
}

/// Runs the command. An error is exit code 1; a command may also say so itself after it has printed what it found.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Ingest(args) => ingest::run(&args),
        Command::Journal(JournalCommand::Info(args)) => journal::info(&args),
        Command::Journal(JournalCommand::Cat(args)) => journal::cat(&args),
        Command::Journal(JournalCommand::Follow(args)) => journal::follow(&args),
        Command::Journal(JournalCommand::Verify(args)) => journal::verify(&args),
        Command::Journal(JournalCommand::Repair(args)) => journal::repair(&args),
        Command::Replay(args) => replay::run(&args),
        Command::State(args) => state::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Recon(args) => recon::run(&args),
        Command::Whatif(args) => whatif::run(&args),
        Command::Limits(command) => limits::run(&command),
        Command::Reference(command) => reference::run(&command),
        Command::Fees(command) => reference::fees(&command),
        Command::Calendars(command) => reference::calendars(&command),
        Command::Kill(args) => kill::kill(&args),
        Command::Rearm(args) => kill::rearm(&args),
        Command::MassCancel(args) => kill::mass_cancel(&args),
        Command::Flatten(args) => kill::flatten(&args),
        Command::Quarantine(command) => quarantine::run(&command),
        Command::User(command) => user::run(&command),
        Command::Token(command) => token::run(&command),
        Command::Positions(command) => positions::run(&command),
        Command::Cash(command) => cash::cash(&command),
        Command::Market(command) => cash::market(&command),
        Command::Alerts(command) => alerts::run(&command),
        #[cfg(feature = "tui")]
        Command::Top(args) => top::run(&args),
        Command::Config(ConfigCommand::Check(args)) => config::check(&args),
        Command::Config(ConfigCommand::Show(args)) => config::show(&args),
        Command::Rules(RulesCommand::Check(args)) => rules::check(&args),
        Command::Rules(RulesCommand::Test(args)) => rules::test(&args),
        Command::Rules(RulesCommand::Show(args)) => rules::show(&args),
        Command::Rules(RulesCommand::Load(args)) => rules::load(&args),
        Command::Store(command) => store::run(&command),
        Command::Doctor(args) => doctor::run(&args),
        Command::Bench(BenchCommand::Pipeline(args)) => bench::run(&args),
        Command::Bench(BenchCommand::Limits(args)) => bench_limits::run(&args),
        Command::Bench(BenchCommand::Books(args)) => bench_books::run(&args),
        Command::Bench(BenchCommand::Rttm(args)) => bench_rttm::run(&args),
        Command::Conformance(args) => conformance::run(&args),
    }
}

/// Variables that choose the profile or the build rather than set a key.
const OTHER_VARIABLES: [&str; 4] = [
    "TRADEWIND_PROFILE",
    "TRADEWIND_DATA",
    "TRADEWIND_COMMIT",
    "TRADEWIND_STORE_URL",
];
/// Facts of the build, which cargo hands to what it runs.
const BUILD_VARIABLES: &str = "TRADEWIND_BUILD_";

/// The settings that the arguments ask for, with `first` below the flags.
pub(crate) fn settings(args: &SettingsArgs, first: &[&str]) -> anyhow::Result<Settings> {
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !OTHER_VARIABLES.contains(&name.as_str()) && !name.starts_with(BUILD_VARIABLES));
    let sets: Vec<String> = first
        .iter()
        .map(|set| (*set).to_owned())
        .chain(args.sets.iter().cloned())
        .collect();
    Settings::load(&args.profile, args.config.as_deref(), env, &sets)
        .context("the configuration is not sound")
}

/// Where a replay ends.
pub(crate) fn until(as_of: &AsOf) -> ReplayOptions {
    ReplayOptions {
        to_seq: as_of.to_seq,
        to_time_ns: as_of.to_time,
    }
}

/// Bytes between two positions of a journal whose segments are this long; close enough for figures.
pub(crate) fn distance(from: Position, to: Position, segment_bytes: u64) -> u64 {
    let segments = to.segment().saturating_sub(from.segment());
    (segments * segment_bytes + to.offset()).saturating_sub(from.offset())
}
