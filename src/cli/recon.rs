//! `tradewind recon`.

use super::AsOf;
use clap::Args;
use std::path::PathBuf;

/// `tradewind recon`.
#[derive(Debug, Args)]
pub struct ReconArgs {
    /// The broker's statement or drop copy, CSV or JSON (docs/recon.md).
    #[arg(long, value_name = "FILE")]
    pub statement: PathBuf,
    /// Data folder.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Cash may differ by this much.
    #[arg(long, value_name = "AMOUNT", default_value = "0.01")]
    pub tolerance: String,
    /// First trade date of the trades that are compared (YYYY-MM-DD); default: the journal's first.
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Last trade date of the trades that are compared.
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
    /// The statement's cut-off; default: the journal's end.
    #[command(flatten)]
    pub as_of: AsOf,
    /// Show what matches as well.
    #[arg(long)]
    pub all: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
