//! Arguments of the commands that read a journal: `journal`, `replay`, `state`, `explain`, `whatif`.

use super::values;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use tradewind_domain::event::Kind;
use tradewind_domain::time::UnixNanos;

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
