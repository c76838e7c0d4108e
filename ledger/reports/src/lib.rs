//! Reports: what the journal says of one account (and of the groups below a node), for those who file it, check it or print it; and reconciliation with what others
//! say of the same account.
//!
//! A report is plain data ([`Report`]): sections with typed cells. CSV, JSON and HTML are written from it and add nothing.
//!
//! # Invariants
//! - Made from the journal alone, and of tax from the firm's [`TaxRules`]. The same journal gives the same bytes, whoever asks and whenever;
//!   what it is made of stands in it (sequence number and time of the last input).
//! - Figures are integers written as decimals. Floats are in ratios, which say so, and in the places of a picture.
//! - What does not add up is an error and no report: cash that the entries do not explain is never shown.
//!
//! Not here: whether somebody may see an account, and where a report is sent.

mod actions;
mod breaches;
mod cash;
mod dated;
mod error;
mod groups;
mod lots;
mod messages;
mod model;
mod performance;
mod period;
mod pnl;
pub mod recon;
mod render;
mod statement;
mod tax_rules;
mod trades;
mod walk;

pub use error::ReportError;
pub use lots::HarvestTerms;
pub use model::{AsOf, Cell, Chart, Column, Highlight, Report, Scope, Section, Series};
pub use period::Period;
pub use render::{csv, html, json};
pub use tax_rules::{TAX_FILE_MAX, TaxRules};

use std::path::Path;
use std::sync::Arc;
use tradewind_domain::codes::LotMethod;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// Positions, cash, trades and profit of a period.
    Statement,
    /// Profit by day and instrument, and what it says of the risk taken.
    Pnl,
    /// What was realised lot by lot, with wash sales, and the lots that are held.
    TaxLots,
    /// Lots at a loss that could be sold now, and what the wash-sale rule leaves of it.
    Harvest,
    /// Limits that spoke, and what people and limits did to the account.
    Breaches,
    /// Orders and other messages for each trade.
    OrderToTrade,
    /// Profit by every group at and below a node.
    Groups,
}

impl ReportKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Statement,
        Self::Pnl,
        Self::TaxLots,
        Self::Harvest,
        Self::Breaches,
        Self::OrderToTrade,
        Self::Groups,
    ];

    /// The name on the command line and in files.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::Pnl => "pnl",
            Self::TaxLots => "tax-lots",
            Self::Harvest => "harvest",
            Self::Breaches => "breaches",
            Self::OrderToTrade => "order-to-trade",
            Self::Groups => "groups",
        }
    }
}

/// How lots are told and what a loss is worth, for the reports that need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportOptions {
    /// Which lots close first.
    pub method: LotMethod,
    /// What makes a lot a candidate for harvesting.
    pub harvest: HarvestTerms,
    /// What is identical, and which accounts are for retirement.
    pub tax: Arc<TaxRules>,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            method: LotMethod::Fifo,
            harvest: HarvestTerms::default(),
            tax: Arc::default(),
        }
    }
}

impl ReportOptions {
    /// True where a file says more of tax than the journal knows.
    fn has_tax_rules(&self) -> bool {
        *self.tax != TaxRules::default()
    }
}

/// Makes a report of an account from the journal of a data folder; [`ReportKind::Groups`] is of a node.
pub fn report(
    data: &Path,
    kind: ReportKind,
    account: &str,
    period: Period,
    options: &ReportOptions,
) -> Result<Report, ReportError> {
    match kind {
        ReportKind::Statement => statement::make(data, account, period),
        ReportKind::Pnl => pnl::make(data, account, period),
        ReportKind::TaxLots => lots::tax_lots(data, account, period, options),
        ReportKind::Harvest => lots::harvest(data, account, period, options),
        ReportKind::Breaches => breaches::make(data, account, period),
        ReportKind::OrderToTrade => messages::make(data, account, period),
        ReportKind::Groups => groups::make(data, account, period),
    }
}
