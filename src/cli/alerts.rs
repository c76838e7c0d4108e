//! Arguments of `tradewind alerts`.

use super::{EngineArgs, ReasonArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `tradewind alerts`.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// Incidents, open ones first.
    List(EngineArgs),
    /// Somebody has taken the incident: it escalates no further.
    Ack(AlertArgs),
    /// The incident is over.
    Resolve(AlertArgs),
    /// Own rules on top of the standard ones: check a file, try it on a journal, put it into force.
    #[command(subcommand)]
    Rules(AlertRulesCommand),
}

/// `tradewind alerts rules`.
#[derive(Debug, Subcommand)]
pub enum AlertRulesCommand {
    /// Is a file sound? Errors name their line.
    Check(AlertRulesCheckArgs),
    /// Which incidents would a file have made of a recorded journal?
    Test(AlertRulesTestArgs),
    /// Put a file into force in a running engine; an empty one leaves the standard rules.
    Load(AlertRulesLoadArgs),
    /// The rules that a journal has in force, and who put them there.
    Show(AlertRulesShowArgs),
}

/// `tradewind alerts rules check`.
#[derive(Debug, Args)]
pub struct AlertRulesCheckArgs {
    /// Rules file.
    pub file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind alerts rules test`.
#[derive(Debug, Args)]
pub struct AlertRulesTestArgs {
    /// Rules file.
    pub file: PathBuf,
    /// Data folder with the journal.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub journal: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind alerts rules load`.
#[derive(Debug, Args)]
pub struct AlertRulesLoadArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Rules file.
    pub file: PathBuf,
}

/// `tradewind alerts rules show`.
#[derive(Debug, Args)]
pub struct AlertRulesShowArgs {
    /// Data folder with the journal, of a running engine or at rest.
    #[arg(default_value = "data")]
    pub data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `tradewind alerts ack` and `resolve`.
#[derive(Debug, Args)]
pub struct AlertArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Number of the incident.
    pub incident: u64,
    /// What is known or was done, for the journal.
    #[arg(long, value_name = "TEXT", alias = "reason")]
    pub comment: String,
}
