//! The command line.

mod alerts;
mod backoffice;
mod bench;
mod control;
mod journal;
mod limits;
mod people;
mod positions;
mod recon;
mod reference;
mod report;
#[cfg(feature = "tui")]
mod top;
mod values;

pub use alerts::*;
pub use backoffice::*;
pub use bench::*;
pub use control::*;
pub use journal::*;
pub use limits::*;
pub use people::*;
pub use positions::*;
pub use recon::*;
pub use reference::*;
pub use report::*;
#[cfg(feature = "tui")]
pub use top::*;
pub use values::Speed;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use tradewind_domain::text::{Code, Symbol};
use tradewind_domain::time::DayNumber;
use tradewind_feeds::codec::Format;

/// A low-latency trade pipeline: orders, executions and market data through six stages into one journal.
#[derive(Debug, Parser)]
#[command(name = "tradewind", version, long_version = crate::commands::version::LONG, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the engine; the default profile runs a generated market session.
    Run(RunArgs),
    /// Carry recorded files through the pipeline.
    Ingest(IngestArgs),
    /// Look at a journal, follow it, check it, mend it.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Rebuild the state from a journal and print its hash.
    Replay(ReplayArgs),
    /// Positions, balances and open orders as the journal says.
    State(StateArgs),
    /// The whole life of one order.
    Explain(ExplainArgs),
    /// What the journal says of one account, as CSV, JSON or a page.
    Report(ReportArgs),
    /// Hold a broker's statement or drop copy against the journal; exit code 1 where something breaks.
    Recon(ReconArgs),
    /// Play a journal under other limits: what would have been refused or accepted instead.
    Whatif(WhatIfArgs),
    /// Limits of a running engine: look, ask, change.
    #[command(subcommand)]
    Limits(LimitsCommand),
    /// Reference data of a running engine: show what a file would change, set it.
    #[command(subcommand)]
    Reference(ReferenceCommand),
    /// Fee schedules of a running engine.
    #[command(subcommand)]
    Fees(FeesCommand),
    /// Trading calendars of a running engine: look, set a holiday or other hours.
    #[command(subcommand)]
    Calendars(CalendarsCommand),
    /// Stop trading of a node, an instrument or a session in a running engine.
    Kill(KillArgs),
    /// Let a node, an instrument or a session trade again; after a kill two people are needed.
    Rearm(RearmArgs),
    /// Ask the venues to cancel all orders of a scope.
    MassCancel(MassCancelArgs),
    /// Close the positions below a killed node.
    Flatten(FlattenArgs),
    /// Executed trades that a running engine put aside.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Users of a running engine's HTTP server: who may see and do what.
    #[command(subcommand)]
    User(UserCommand),
    /// API keys of a running engine's HTTP server: make, list, revoke.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Positions of a running engine: corporate actions, allocations, fails, tax lots, symbols, transfers of the firm.
    #[command(subcommand)]
    Positions(PositionsCommand),
    /// Money of a running engine: deposits, withdrawals, conversions.
    #[command(subcommand)]
    Cash(CashCommand),
    /// Prices from outside and halts of a running engine.
    #[command(subcommand)]
    Market(MarketCommand),
    /// Incidents of a running engine.
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// A running engine on the terminal: throughput, latency, rejects, positions, alerts.
    #[cfg(feature = "tui")]
    Top(TopArgs),
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Business rules: check a file, try it on a recorded journal, show those in force.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// The journal in SQL: bring the schema up, see how far it is, make it anew.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Look at this machine: what will hurt, and how to mend it.
    Doctor(DoctorArgs),
    /// Measure.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Play vector files (cases with expected results) through the pipeline.
    Conformance(ConformanceArgs),
}

/// Where settings come from.
#[derive(Debug, Args, Clone)]
pub struct SettingsArgs {
    /// Profile.
    #[arg(
        long,
        default_value = "demo",
        env = "TRADEWIND_PROFILE",
        hide_env_values = true,
        value_parser = values::profile()
    )]
    pub profile: String,
    /// Settings file (TOML) on top of the profile.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting on top of everything, for example journal.durability=disk.
    #[arg(long = "set", value_name = "A.B=C", value_parser = values::Setting)]
    pub sets: Vec<String>,
}

/// `tradewind run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Data folder.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Stop after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<u64>,
    /// Trade although changes of reference data were refused: without the limits that they would have set.
    #[arg(long)]
    pub despite_refusals: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind store`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Bring the schema of the database to this build's version.
    Migrate(StoreArgs),
    /// How far the database is, and whether it goes with the journal.
    Status(StoreArgs),
    /// Empty the database and make it anew from the journal.
    Rebuild(StoreArgs),
}

/// What the commands of `tradewind store` take.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Data folder of the journal.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Database, in place of store.url: `sqlite:FILE` or `postgres://HOST/DATABASE`.
    #[arg(long, value_name = "URL", env = "TRADEWIND_STORE_URL", hide_env_values = true)]
    pub url: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind ingest`.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Files, in this order.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Format of the files.
    #[arg(long, value_name = "FORMAT", value_parser = values::format())]
    pub format: Format,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Data folder.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// As fast as it goes (max), at the recorded pace (realtime), or a multiple (10x).
    #[arg(long, default_value = "max", value_parser = values::speed)]
    pub speed: Speed,
    /// Accounts that market prints are booked on, comma-separated; default: all accounts of the reference data.
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = values::code)]
    pub accounts: Vec<Code>,
    /// Symbol, where the file does not name it.
    #[arg(long, value_parser = values::symbol)]
    pub symbol: Option<Symbol>,
    /// Date (YYYY-MM-DD), where the file does not name it.
    #[arg(long, value_parser = values::date)]
    pub date: Option<DayNumber>,
    /// Read the files although changes of reference data were refused: without the limits that they would have set.
    #[arg(long)]
    pub despite_refusals: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether settings and reference data are sound, and go with the journal of the data folder.
    Check(ConfigCheckArgs),
    /// Every value and where it comes from.
    Show(ConfigShowArgs),
}

/// `tradewind config check`.
#[derive(Debug, Args)]
pub struct ConfigCheckArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Data folder. Where it holds a journal, that is read, and what the next start would set or refuse is said.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind config show`.
#[derive(Debug, Args)]
pub struct ConfigShowArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind rules`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Say whether a file is sound; errors name line and column.
    Check(RulesCheckArgs),
    /// What the rules of a file would have done to a recorded journal.
    Test(RulesTestArgs),
    /// The rules that a journal has in force.
    Show(RulesShowArgs),
    /// Put a file into force in a running engine.
    Load(RulesLoadArgs),
}

/// `tradewind rules load`.
#[derive(Debug, Args)]
pub struct RulesLoadArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Rules file; an empty one takes all rules away.
    pub file: PathBuf,
}

/// `tradewind rules check`.
#[derive(Debug, Args)]
pub struct RulesCheckArgs {
    /// Rules file.
    pub file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind rules test`.
#[derive(Debug, Args)]
pub struct RulesTestArgs {
    /// Rules file.
    pub file: PathBuf,
    /// Data folder of the recorded journal.
    #[arg(long, value_name = "DIR")]
    pub journal: PathBuf,
    /// Where to end.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Examples of each rule.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub examples: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind rules show`.
#[derive(Debug, Args)]
pub struct RulesShowArgs {
    /// Data folder.
    pub dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Settings that the machine is held against.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Data folder.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind conformance`.
#[derive(Debug, Args)]
pub struct ConformanceArgs {
    /// Vector files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only the case with this identifier.
    #[arg(long, value_name = "ID")]
    pub case: Option<String>,
    /// Show every case, and of each every step with what was expected and found.
    #[arg(long)]
    pub verbose: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
