//! Arguments of `tradewind bench`.

use super::values;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use tradewind_bench::{Mix, Rate};

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
