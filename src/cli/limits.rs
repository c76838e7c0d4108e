//! Arguments of `tradewind limits`.

use super::{EngineArgs, ReasonArgs, values};
use clap::{Args, Subcommand};

/// `tradewind limits`.
#[derive(Debug, Subcommand)]
pub enum LimitsCommand {
    /// Limits in force, with what is used of them.
    List(LimitsListArgs),
    /// One limit, all of it.
    Show(LimitsShowArgs),
    /// What is used of a limit, answered by the running stage.
    Usage(LimitsUsageArgs),
    /// Set a limit: a new one, or some values of one in force.
    Set(LimitsSetArgs),
    /// Remove a limit.
    Remove(LimitsRemoveArgs),
    /// Put an instrument on the list of a RESTRICTED limit, or take it off.
    Restrict(LimitsRestrictArgs),
    /// Set what was located of an instrument for an account's short sales of the day.
    Locate(LimitsLocateArgs),
    /// Would this order pass? Answered by the running stages; exit code 0 yes, 1 no.
    #[command(alias = "validate")]
    Check(LimitsCheckArgs),
}

/// `tradewind limits list`.
#[derive(Debug, Args)]
pub struct LimitsListArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Only those of this node or account.
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Only this type, for example DAILY_NOTIONAL.
    #[arg(long = "type", value_name = "TYPE")]
    pub limit_type: Option<String>,
}

/// `tradewind limits show`.
#[derive(Debug, Args)]
pub struct LimitsShowArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Its name.
    pub label: String,
}

/// `tradewind limits usage`.
#[derive(Debug, Args)]
pub struct LimitsUsageArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Its name.
    pub label: String,
    /// Account or strategy, where the limit counts for each by itself.
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Instrument, where the limit counts for each by itself.
    #[arg(long, value_name = "SYMBOL")]
    pub symbol: Option<String>,
}

/// `tradewind limits restrict`.
#[derive(Debug, Args)]
pub struct LimitsRestrictArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Name of the limit.
    pub label: String,
    /// Instrument.
    pub symbol: String,
    /// NO_TRADE, CLOSE_ONLY, NO_SHORT, or NONE to take it off the list.
    pub restriction: String,
}

/// `tradewind limits locate`.
#[derive(Debug, Args)]
pub struct LimitsLocateArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Account.
    pub account: String,
    /// Instrument.
    pub symbol: String,
    /// Quantity in all, in place of what was located before.
    pub qty: String,
}

/// `tradewind limits set`. Values are written as in reference data (docs/limits.md).
#[derive(Debug, Args)]
pub struct LimitsSetArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Its name. A limit in force keeps what is not named here.
    pub label: String,
    /// Node or account that it binds.
    #[arg(long, value_name = "NODE")]
    pub scope: Option<String>,
    /// Type, for example MAX_ORDER_NOTIONAL.
    #[arg(long = "type", value_name = "TYPE")]
    pub limit_type: Option<String>,
    /// The figure that must not be exceeded, in the type's unit.
    #[arg(long, value_name = "X")]
    pub hard: Option<String>,
    /// Warning threshold in percent of it; 0 for none.
    #[arg(long, value_name = "PERCENT")]
    pub soft: Option<String>,
    /// What a breach does: ALERT, REJECT, RESTRICT, KILL, SLOW.
    #[arg(long)]
    pub action: Option<String>,
    /// A parameter of the type.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = values::pair)]
    pub params: Vec<(String, String)>,
    /// Only this instrument.
    #[arg(long)]
    pub symbol: Option<String>,
    /// Only this sector.
    #[arg(long)]
    pub sector: Option<String>,
    /// Only this kind of instrument.
    #[arg(long)]
    pub kind: Option<String>,
}

/// `tradewind limits remove`.
#[derive(Debug, Args)]
pub struct LimitsRemoveArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Its name.
    pub label: String,
}

/// `tradewind limits check`.
#[derive(Debug, Args)]
pub struct LimitsCheckArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Account or strategy.
    #[arg(long)]
    pub account: String,
    /// Instrument.
    #[arg(long)]
    pub symbol: String,
    /// BUY, SELL or SELL_SHORT.
    #[arg(long)]
    pub side: String,
    /// Quantity.
    #[arg(long)]
    pub qty: String,
    /// Limit price.
    #[arg(long)]
    pub px: Option<String>,
    /// Stop price.
    #[arg(long)]
    pub stop_px: Option<String>,
    /// MARKET, LIMIT, STOP or STOP_LIMIT; default: what the prices say.
    #[arg(long = "type", value_name = "TYPE")]
    pub ord_type: Option<String>,
    /// DAY, GTC, IOC or FOK; default: DAY.
    #[arg(long)]
    pub tif: Option<String>,
}
