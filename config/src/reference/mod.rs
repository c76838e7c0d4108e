//! Reference data: who trades what under which limits, as a file describes it and as admin events carry it.
//!
//! A file is read strictly into [`ReferenceData`]; [`Known`] collects what a journal's accepted admin events have set; the
//! difference becomes events in an order in which each finds what it names. The first start is the difference to nothing.
//!
//! # Invariants
//! - A file against a journal that holds all of it gives no event.
//! - Every name that a row mentions is a row of the same file.
//!
//! Not here: ids (normalize gives them), and whether an event is accepted (the deciding stage says).

mod diff;
mod fields;
mod known;
mod limit_file;
mod limits;
mod parse;
mod rows;
mod settlement;

pub use diff::Change;
pub use known::Known;
pub use rows::{
    Account, Currency, Deposit, FxOpening, InstrumentRow, Limit, LotTerms, Node, OpeningValuation,
    RestrictedLine,
};

use crate::calendar::Calendar;
use crate::problem::{ConfigError, Problem};
use crate::text_file::read_text;
use std::path::Path;
use tradewind_domain::event::InboundLong;
use tradewind_domain::time::DayNumber;

/// Author of the admin events that come from reference data, and the tail of its FX rates.
pub const REFERENCE_AUTHOR: &str = "reference-data";

/// One file of reference data. Every list is in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReferenceData {
    /// Currencies; the first is the base currency.
    pub currencies: Vec<Currency>,
    /// Calendars; their ids are given in this order, from 1.
    pub calendars: Vec<Calendar>,
    /// Firm, organisations, desks, users and strategies.
    pub nodes: Vec<Node>,
    /// Accounts.
    pub accounts: Vec<Account>,
    /// How their tax lots are kept, where the file says so.
    pub lot_terms: Vec<LotTerms>,
    /// Instruments.
    pub instruments: Vec<InstrumentRow>,
    /// FX rates to open with.
    pub fx: Vec<FxOpening>,
    /// Limits.
    pub limits: Vec<Limit>,
    /// Lines of the lists of RESTRICTED limits.
    pub restricted: Vec<RestrictedLine>,
    /// Opening deposits.
    pub deposits: Vec<Deposit>,
    /// Opening valuations.
    pub valuations: Vec<OpeningValuation>,
}

impl ReferenceData {
    /// The built-in demo data.
    pub const DEMO: &str = include_str!("../../reference/demo.toml");

    /// The longest file that is read, bytes: some million rows.
    pub const FILE_BYTES_MAX: u64 = 1 << 30;

    /// Reads a document; `file` names it in problems.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigError> {
        parse::document(text, file)
    }

    /// Reads a file; no path reads the built-in demo data.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Self::parse(Self::DEMO, "built-in demo.toml");
        };
        let file = path.display().to_string();
        match read_text(path, Self::FILE_BYTES_MAX) {
            Ok(text) => Self::parse(&text, &file),
            Err(error) => Err(ConfigError {
                problems: vec![Problem::new(file, "", format!("failed to read: {error}"))],
            }),
        }
    }

    /// Everything as admin events for a new journal, with the calendars' days from `from_day` to `to_day`, both included:
    /// currencies, calendars, nodes and accounts from broad to narrow, instruments, rates, valuations, deposits, limits with their lists.
    pub fn events(&self, from_day: DayNumber, to_day: DayNumber) -> Vec<InboundLong> {
        // Nothing in an empty journal can contradict the file, so no problem can arise.
        let changes = self.diff(&Known::default(), from_day, to_day).unwrap_or_default();
        changes.into_iter().map(|change| change.event).collect()
    }
}

#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod tests;
