//! Arguments of the commands that act on a running engine through its control socket.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Which engine, and who asks.
#[derive(Debug, Args)]
pub struct EngineArgs {
    /// Data folder of the running engine.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Who asks, for the journal; default: who ran sudo, else the user of the operating system.
    #[arg(long, value_name = "NAME")]
    pub operator: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Why something is changed.
#[derive(Debug, Args)]
pub struct ReasonArgs {
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// How far trading is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Only orders that reduce a position.
    #[value(alias = "REDUCE_ONLY")]
    ReduceOnly,
    /// No new orders and no replaces; resting orders stay.
    #[value(alias = "CANCEL_ONLY")]
    CancelOnly,
    /// As cancel-only, and every open order is cancelled.
    #[value(alias = "KILL")]
    Kill,
}

/// What a control state is about.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Node or account.
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Instrument.
    #[arg(long, value_name = "SYMBOL")]
    pub symbol: Option<String>,
    /// Number of a session.
    #[arg(long, value_name = "N")]
    pub session: Option<u32>,
}

/// `tradewind kill`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("target").required(true).args(["node", "symbol", "session"])))]
pub struct KillArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// What is stopped.
    #[command(flatten)]
    pub target: TargetArgs,
    /// How far.
    #[arg(long, value_enum, default_value = "kill")]
    pub level: Level,
}

/// `tradewind rearm`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["node", "symbol", "session", "confirm", "pending"])))]
pub struct RearmArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// What trades again.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The only one who may confirm; default: anybody but you.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["confirm", "pending"])]
    pub second: Option<String>,
    /// Confirm what another person asked for, by its number.
    #[arg(long, value_name = "ID")]
    pub confirm: Option<u64>,
    /// List what waits for a second person.
    #[arg(long)]
    pub pending: bool,
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT", required_unless_present = "pending")]
    pub reason: Option<String>,
}

/// `tradewind mass-cancel`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("scope").required(true).multiple(true).args(["node", "symbol", "side", "session", "all"])))]
pub struct MassCancelArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Whose orders, and of what.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Only BUY, SELL or SELL_SHORT.
    #[arg(long)]
    pub side: Option<String>,
    /// All orders of the engine.
    #[arg(long, conflicts_with_all = ["node", "symbol", "side", "session"])]
    pub all: bool,
}

/// `tradewind flatten`.
#[derive(Debug, Args)]
pub struct FlattenArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// The killed node or account.
    pub node: String,
    /// Its name again.
    #[arg(long, value_name = "NODE")]
    pub confirm: String,
}

/// `tradewind quarantine`.
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// Trades that wait.
    List(EngineArgs),
    /// Book a trade as it is.
    Release(QuarantineArgs),
    /// Refuse a trade for good.
    Reject(QuarantineArgs),
    /// Book a trade with changes.
    Repair(QuarantineRepairArgs),
}

/// `tradewind quarantine release` and `reject`.
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Sequence number of the trade.
    pub seq: u64,
}

/// `tradewind quarantine repair`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("repairs").required(true).multiple(true).args(["qty", "px", "side", "account", "symbol"])))]
pub struct QuarantineRepairArgs {
    /// Which trade, and why.
    #[command(flatten)]
    pub trade: QuarantineArgs,
    /// Right quantity.
    #[arg(long)]
    pub qty: Option<String>,
    /// Right price.
    #[arg(long)]
    pub px: Option<String>,
    /// Right side.
    #[arg(long)]
    pub side: Option<String>,
    /// Right account.
    #[arg(long)]
    pub account: Option<String>,
    /// Right instrument.
    #[arg(long)]
    pub symbol: Option<String>,
}
