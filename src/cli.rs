//! The command line.

mod backoffice;
mod control;
mod recon;
mod reference;
mod report;
#[cfg(feature = "tui")]
mod top;
mod values;

pub use backoffice::*;
pub use control::*;
pub use recon::*;
pub use reference::*;
pub use report::*;
#[cfg(feature = "tui")]
pub use top::*;
pub use values::Speed;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use tradewind_bench::{Mix, Rate};
use tradewind_domain::event::Kind;
use tradewind_domain::text::{Code, Symbol};
use tradewind_domain::time::{DayNumber, UnixNanos};
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
    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind journal`.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Segments, sizes, runs, positions.
    Info(JournalArgs),
    /// Print records, one a line.
    Cat(CatArgs),
    /// Print records as they are released, across rolls and restarts, until interrupted.
    Follow(FollowArgs),
    /// Check everything that the journal alone can prove.
    Verify(JournalArgs),
    /// Cut a damaged end off, keeping a copy.
    Repair(RepairArgs),
}

/// A journal's folder.
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// Data folder.
    pub dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind journal cat`.
#[derive(Debug, Args)]
pub struct CatArgs {
    /// Data folder.
    pub dir: PathBuf,
    /// First sequence number.
    #[arg(long, value_name = "N")]
    pub from_seq: Option<u64>,
    /// Last sequence number.
    #[arg(long, value_name = "N")]
    pub to_seq: Option<u64>,
    /// Only this kind, for example order_new.
    #[arg(long, value_parser = values::kind(), hide_possible_values = true)]
    pub kind: Option<Kind>,
    /// Only refused events.
    #[arg(long)]
    pub rejected: bool,
    /// At most so many records.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind journal follow`.
#[derive(Debug, Args)]
pub struct FollowArgs {
    /// Data folder.
    pub dir: PathBuf,
    /// First sequence number; default: from the next record on.
    #[arg(long, value_name = "N")]
    pub from_seq: Option<u64>,
    /// Stop after so many records.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind journal repair`.
#[derive(Debug, Args)]
pub struct RepairArgs {
    /// Data folder.
    pub dir: PathBuf,
    /// Cut also where records were durable: what follows the damage is lost to the journal (a copy is kept).
    #[arg(long)]
    pub cut_durable: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A moment of a journal; the end where nothing is said.
#[derive(Debug, Args)]
pub struct AsOf {
    /// Up to this sequence number.
    #[arg(long, value_name = "N")]
    pub to_seq: Option<u64>,
    /// Up to this time (RFC 3339 in UTC).
    #[arg(long, value_name = "T", conflicts_with = "to_seq", value_parser = values::time)]
    pub to_time: Option<UnixNanos>,
}

/// `tradewind replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Data folder.
    pub dir: PathBuf,
    /// Where to end.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind state`.
#[derive(Debug, Args)]
pub struct StateArgs {
    /// Data folder.
    pub dir: PathBuf,
    /// Where to end.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Only this account.
    #[arg(long)]
    pub account: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Data folder.
    pub dir: PathBuf,
    /// Order id (SHARD-COUNTER) or ClOrdID.
    #[arg(value_parser = values::order)]
    pub order: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// How newly accepted orders live in `tradewind whatif`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnfilledArg {
    /// They take room until they expire.
    Open,
    /// They end at once.
    Ended,
}

/// `tradewind whatif`.
#[derive(Debug, Args)]
pub struct WhatIfArgs {
    /// Data folder of the journal.
    #[arg(long, value_name = "DIR")]
    pub journal: PathBuf,
    /// File with `[[limit]]` tables as in reference data: these limits instead of the journal's.
    #[arg(long, value_name = "FILE")]
    pub limits: Option<PathBuf>,
    /// Keep the journal's limits but for those that the file names (without a file they always stay).
    #[arg(long)]
    pub keep: bool,
    /// Change one field or parameter of one limit, for example desk-daily.hard=250000.
    #[arg(long = "set", value_name = "LABEL.FIELD=VALUE", value_parser = values::limit_field)]
    pub sets: Vec<String>,
    /// Leave this limit out.
    #[arg(long = "remove", value_name = "LABEL")]
    pub removes: Vec<String>,
    /// How newly accepted orders live, which are never filled: they take room until they expire (open), or end at once (ended).
    #[arg(long, value_enum, default_value_t = UnfilledArg::Open)]
    pub unfilled: UnfilledArg,
    /// List at most so many changed verdicts.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub max: usize,
    /// Exit with 1 if anything changes: a verdict, a reason, a warning, an alert.
    #[arg(long)]
    pub check: bool,
    /// Print the limits in force at the end of the journal as a file to start from, and play nothing.
    #[arg(long)]
    pub print_limits: bool,
    /// Where to end.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether settings and reference data are sound.
    Check(ConfigArgs),
    /// Every value and where it comes from.
    Show(ConfigArgs),
}

/// Which configuration.
#[derive(Debug, Args)]
pub struct ConfigArgs {
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

/// `tradewind bench`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// The whole pipeline under open-loop load.
    Pipeline(BenchArgs),
    /// The limit check alone, over numbers of accounts.
    Limits(BenchLimitsArgs),
    /// Settlement, position and tax lots alone, over how many fills came before.
    Books(BenchBooksArgs),
    /// The live feed under many clients, and what they cost the pipeline.
    Rttm(BenchRttmArgs),
}

/// `tradewind bench rttm`.
#[derive(Debug, Args)]
pub struct BenchRttmArgs {
    /// Clients, each subscribed to the market.
    #[arg(long, default_value_t = 1_000, value_parser = values::clients)]
    pub clients: usize,
    /// Rows that change.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub rows: u32,
    /// Changes of each row, and frames, a second: 4, 5, 10 or 20.
    #[arg(long, default_value_t = 10, value_parser = values::frames)]
    pub hz: u8,
    /// Seconds that are measured, without clients and with them.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Binary frames in place of JSON.
    #[arg(long)]
    pub binary: bool,
    /// Instead: so many fills a second, to clients that want executions as they happen; how long a fill takes to them.
    #[arg(long, value_name = "PER_S")]
    pub fills: Option<u32>,
    /// How pipeline threads wait.
    #[arg(long, default_value = "park", value_parser = values::idle())]
    pub idle: String,
    /// Folder of the journal's window.
    #[arg(long, value_name = "DIR", default_value = "/dev/shm")]
    pub window_dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind bench limits`.
#[derive(Debug, Args)]
pub struct BenchLimitsArgs {
    /// Accounts, one run each.
    #[arg(long, value_delimiter = ',', default_value = "100,1000,10000,100000",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub accounts: Vec<u32>,
    /// Limits that look at each order, over five levels: a multiple of twelve up to 192; 0 for none.
    #[arg(long, default_value_t = 12, value_parser = values::dozens)]
    pub limits: u32,
    /// Every account holds one instrument and has a limit on its exposure.
    #[arg(long)]
    pub held: bool,
    /// Orders that are timed.
    #[arg(long, default_value_t = 400_000)]
    pub orders: u64,
    /// Save the figures to this file.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind bench books`.
#[derive(Debug, Args)]
pub struct BenchBooksArgs {
    /// Fills of the position that came before those that are measured, one run each.
    #[arg(long, value_delimiter = ',', default_value = "200,4000,100000",
        value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    pub fills_before: Vec<u32>,
    /// Fills that are measured with each of them; they make its history longer.
    #[arg(long, default_value_t = 2_048, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub fills: u64,
    /// Save the figures to this file.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind bench pipeline`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Messages, warm-up apart.
    #[arg(long, default_value_t = 2_000_000)]
    pub events: u64,
    /// Order cycles a second, or max.
    #[arg(long, default_value = "250000", value_parser = values::rate)]
    pub rate: Rate,
    /// Topology: auto, fused, split, staged or a list.
    #[arg(long, default_value = "fused", value_parser = values::topology)]
    pub topology: String,
    /// When records count as released.
    #[arg(long, default_value = "memory", value_parser = values::durability())]
    pub durability: String,
    /// Accounts.
    #[arg(long, default_value_t = 1_000)]
    pub accounts: u32,
    /// Instruments.
    #[arg(long, default_value_t = 100)]
    pub instruments: u32,
    /// What is sent.
    #[arg(long, default_value = "cycles", value_parser = values::mix())]
    pub mix: Mix,
    /// How pipeline threads wait.
    #[arg(long, default_value = "spin", value_parser = values::idle())]
    pub idle: String,
    /// Folder for the journal; default: a temporary folder in the current one.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder of the journal's window.
    #[arg(long, value_name = "DIR", default_value = "/dev/shm")]
    pub window_dir: PathBuf,
    /// Write the journal to this database meanwhile, which is EMPTIED first: `sqlite:FILE` or `postgres://HOST/DATABASE`.
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// Save the figures to this file.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
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
