//! `tradewind report`.

use super::values;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use tradewind_domain::time::DayNumber;

/// Which report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportArg {
    /// Positions, cash, trades and profit of a period.
    Statement,
    /// Profit by day and instrument, return and risk.
    Pnl,
    /// What was realised lot by lot, wash sales, lots that are held.
    TaxLots,
    /// Lots at a loss that could be sold.
    Harvest,
    /// Limits that spoke, what was done to the account, changes of limits.
    Breaches,
    /// Messages for each trade.
    OrderToTrade,
    /// Profit by organisation, desk, user, account, strategy, instrument and sector, at and below a node.
    Groups,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// Blocks of comma-separated lines.
    Csv,
    /// One object.
    Json,
    /// A page for the screen and for paper.
    Html,
}

/// Which lots close first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MethodArg {
    /// The oldest.
    Fifo,
    /// The newest.
    Lifo,
    /// Those that earn the least.
    Hifo,
    /// One lot at average cost.
    Avco,
}

/// `tradewind report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Which report.
    #[arg(value_enum)]
    pub report: ReportArg,
    /// Code of the account; for `groups` of any node.
    #[arg(long, value_name = "CODE")]
    pub account: String,
    /// First trading date (YYYY-MM-DD); default: the journal's first.
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub from: Option<DayNumber>,
    /// Last trading date; default: the journal's last.
    #[arg(long, value_name = "DATE", value_parser = values::date)]
    pub to: Option<DayNumber>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = FormatArg::Html)]
    pub format: FormatArg,
    /// Data folder.
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// Write to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which lots close first (tax-lots, harvest).
    #[arg(long, value_enum, default_value_t = MethodArg::Fifo)]
    pub method: MethodArg,
    /// Smallest loss of a lot, in its currency (harvest).
    #[arg(long, value_name = "AMOUNT", default_value = "0", value_parser = values::decimal)]
    pub loss_min: i64,
    /// Smallest loss of a lot, in percent of its cost (harvest).
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = values::decimal)]
    pub loss_min_pct: i64,
    /// Tax rate on short-term gains in percent: the score is what a loss saves (harvest).
    #[arg(long, value_name = "PERCENT", default_value = "100", value_parser = values::decimal)]
    pub rate_short: i64,
    /// Tax rate on long-term gains in percent (harvest).
    #[arg(long, value_name = "PERCENT", default_value = "100", value_parser = values::decimal)]
    pub rate_long: i64,
    /// What selling a lot and replacing it is estimated to cost, in percent of its market value (harvest).
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = values::decimal)]
    pub cost_pct: i64,
    /// TOML file of what is identical and which accounts are for retirement (tax-lots, harvest; docs/reports.md).
    #[arg(long, value_name = "FILE")]
    pub tax: Option<PathBuf>,
}
