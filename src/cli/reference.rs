//! Arguments of the commands that change reference data of a running engine.

use super::backoffice::ListArgs;
use super::control::{EngineArgs, ReasonArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `tradewind reference`.
#[derive(Debug, Subcommand)]
pub enum ReferenceCommand {
    /// What `load` would change.
    Check(ReferenceCheckArgs),
    /// Set what a file says and the running engine does not, as the next start would.
    Load(ReferenceLoadArgs),
}

/// `tradewind reference check`.
#[derive(Debug, Args)]
pub struct ReferenceCheckArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Reference-data file.
    pub file: PathBuf,
}

/// `tradewind reference load`.
#[derive(Debug, Args)]
pub struct ReferenceLoadArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// The whole reference-data file: a limit that it leaves out is removed.
    pub file: PathBuf,
}

/// `tradewind fees`.
#[derive(Debug, Subcommand)]
pub enum FeesCommand {
    /// Fee schedules in force.
    List(ListArgs),
    /// Set what orders are charged, from their next fill on.
    Set(Box<FeesSetArgs>),
}

/// `tradewind fees set`. Without account, symbol and venue it is the schedule of everybody.
#[derive(Debug, Args)]
pub struct FeesSetArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// BPS, PER_UNIT, FLAT, SELL_ONLY_BPS, BINARY_QUADRATIC, or NONE to take the schedule away.
    pub model: String,
    /// Basis points, money a unit or an order, or a plain factor, by model.
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub rate: Option<String>,
    /// Rate of fills that made liquidity.
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub maker_rate: Option<String>,
    /// Least fee of an order.
    #[arg(long, value_name = "X")]
    pub min: Option<String>,
    /// Greatest fee of an order.
    #[arg(long, value_name = "X")]
    pub max: Option<String>,
    /// Greatest fee of an order in percent of its value.
    #[arg(long, value_name = "PERCENT")]
    pub max_pct: Option<String>,
    /// Only this account.
    #[arg(long)]
    pub account: Option<String>,
    /// Only this instrument.
    #[arg(long)]
    pub symbol: Option<String>,
    /// Only this venue, by its number.
    #[arg(long, value_name = "N")]
    pub venue: Option<u16>,
    /// Name of the schedule, for people.
    #[arg(long, default_value = "")]
    pub name: String,
}

/// `tradewind calendars`.
#[derive(Debug, Subcommand)]
pub enum CalendarsCommand {
    /// Trading days with their sessions, UTC.
    Show(CalendarsShowArgs),
    /// Set the hours of a trading day, or end them.
    Session(CalendarsSessionArgs),
    /// Take the session of a trading day away: a holiday that was not known.
    Close(CalendarsCloseArgs),
}

/// `tradewind calendars show`.
#[derive(Debug, Args)]
pub struct CalendarsShowArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Only this calendar.
    pub calendar: Option<String>,
    /// From this date; default: the present one.
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// So many days of each calendar at most.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub days: u32,
}

/// `tradewind calendars session`.
#[derive(Debug, Args)]
pub struct CalendarsSessionArgs {
    /// Which day.
    #[command(flatten)]
    pub day: CalendarsCloseArgs,
    /// Opening, UTC; default: as it is.
    #[arg(long, value_name = "TIME")]
    pub open: Option<String>,
    /// Close, UTC, like 2026-11-27T18:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub close: String,
}

/// `tradewind calendars close`.
#[derive(Debug, Args)]
pub struct CalendarsCloseArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Calendar.
    pub calendar: String,
    /// Trading date.
    pub date: String,
}
