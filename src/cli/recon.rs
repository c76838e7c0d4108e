//! `tradewind recon`.

use super::{AsOf, EngineArgs, ReasonArgs, values};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use tradewind_domain::time::DayNumber;

/// `tradewind recon`: compares a statement, or what becomes of breaks.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ReconArgs {
    /// What to do with breaks; without it a statement is compared.
    #[command(subcommand)]
    pub command: Option<ReconCommand>,
    /// The statement.
    #[command(flatten)]
    pub compare: CompareArgs,
}

/// `tradewind recon --statement FILE`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The broker's statement or drop copy, CSV or JSON (docs/recon.md).
    #[arg(long, value_name = "FILE", required = true)]
    pub statement: Option<PathBuf>,
    /// The engine whose journal is compared. It has to run, unless with `--dry-run`: it journals what is found.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why, for the journal; default: the statement's name.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Compare and print, and journal nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The statement lists settled positions alone: what has not settled yet need not stand in it.
    #[arg(long)]
    pub settled_only: bool,
    /// Cash may differ by this much.
    #[arg(long, value_name = "AMOUNT", default_value = "0.01", value_parser = values::decimal)]
    pub tolerance: i64,
    /// A trade of ours that the drop copy does not have may still come for this many seconds before the cut-off.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub grace: u64,
    /// First trade date of the trades that are compared (YYYY-MM-DD); default: the journal's first.
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub from: Option<DayNumber>,
    /// Last trade date of the trades that are compared.
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub to: Option<DayNumber>,
    /// The statement's cut-off; default: the journal's end.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Show what matches as well.
    #[arg(long)]
    pub all: bool,
}

/// What becomes of breaks.
#[derive(Debug, Subcommand)]
pub enum ReconCommand {
    /// Breaks that wait for their code, newest first, and the last runs.
    List(ReconListArgs),
    /// One break, with what was said of it.
    Show(ReconShowArgs),
    /// Give a break to somebody.
    Assign(ReconAssignArgs),
    /// Say something about a break.
    Comment(ReconBreakArgs),
    /// Close a break with a code; the restriction that it brought ends with it.
    Resolve(ReconResolveArgs),
}

/// `tradewind recon list`.
#[derive(Debug, Args)]
pub struct ReconListArgs {
    /// The engine; where none runs, its journal.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Only those of this account.
    #[arg(long)]
    pub account: Option<String>,
    /// Only those that stand so: EXPLAINED, OPEN, GONE or RESOLVED.
    #[arg(long)]
    pub state: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 1_000)]
    pub limit: u32,
}

/// `tradewind recon show`.
#[derive(Debug, Args)]
pub struct ReconShowArgs {
    /// The engine; where none runs, its journal.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Number of the break.
    pub id: u64,
}

/// A break, and why.
#[derive(Debug, Args)]
pub struct ReconBreakArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why, or what is to be known.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Number of the break.
    pub id: u64,
}

/// `tradewind recon assign`.
#[derive(Debug, Args)]
pub struct ReconAssignArgs {
    /// Which break, and why.
    #[command(flatten)]
    pub of: ReconBreakArgs,
    /// Who is to see to it.
    #[arg(long, value_name = "NAME")]
    pub assignee: String,
}

/// `tradewind recon resolve`.
#[derive(Debug, Args)]
pub struct ReconResolveArgs {
    /// Which break, and why.
    #[command(flatten)]
    pub of: ReconBreakArgs,
    /// BOOKED, REVERSED, BROKER_ERROR, TIMING or FEE.
    #[arg(long)]
    pub code: String,
}
