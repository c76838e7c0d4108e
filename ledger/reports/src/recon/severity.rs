//! How bad a difference is (SETTLEMENT section 9).

use super::holdings::LineStatus;
use super::trades::PairStatus;

/// How bad a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is explained.
    Info,
    /// It may explain itself.
    Warning,
    /// Somebody has to see to it.
    Error,
    /// Somebody has to see to it at once.
    Critical,
}

impl Severity {
    /// The name in files and messages.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

impl LineStatus {
    /// A position that nothing explains is critical, cash that nothing explains an error.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Match | Self::Timing | Self::WithinTolerance => Severity::Info,
            Self::CashBreak => Severity::Error,
            Self::QtyBreak | Self::MissingAtBroker | Self::MissingInternally => Severity::Critical,
        }
    }
}

impl PairStatus {
    /// A trade that we have alone may still come; one that we do not have, or have otherwise, must be booked or corrected.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Matched => Severity::Info,
            Self::MissingExternal => Severity::Warning,
            Self::MissingInternal | Self::FieldMismatch(_) => Severity::Error,
        }
    }
}
