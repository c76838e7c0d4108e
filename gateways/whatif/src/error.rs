//! Why limits cannot be held against a journal.

use tradewind_config::ConfigError;
use tradewind_views::ViewError;

/// A fault of the journal, or limits that do not go with it.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// The journal cannot be read.
    #[error("the journal could not be played")]
    View(#[from] ViewError),
    /// The new limits are not sound.
    #[error("the new limits are not sound")]
    Limits(#[from] ConfigError),
    /// A request to change a limit that cannot be read.
    #[error("{request}: must be {expected}")]
    Request {
        /// The request as it was written.
        request: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A request about a limit that is not there.
    #[error("{request}: there is no limit {label}{}", near.as_deref().map_or_else(String::new, |near| format!("; did you mean {near}?")))]
    NoSuchLimit {
        /// The request as it was written.
        request: String,
        /// The limit that it names.
        label: String,
        /// The label that it may mean.
        near: Option<String>,
    },
    /// The limit check refuses a new limit, as the engine would.
    #[error("limit {label}: the engine refuses it with {code}")]
    Refused {
        /// The limit.
        label: String,
        /// Why.
        code: String,
    },
}
