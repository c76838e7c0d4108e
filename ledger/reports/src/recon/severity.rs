//! What is journaled of a line or a trade, and how bad it is (SETTLEMENT section 9).

use super::holdings::LineStatus;
use super::trades::PairStatus;
use tradewind_domain::codes::{BreakSeverity, ReconStatus};

impl LineStatus {
    /// What is journaled; nothing where the sides are alike.
    pub const fn recorded(self) -> Option<ReconStatus> {
        match self {
            Self::Match => None,
            Self::Timing => Some(ReconStatus::Timing),
            Self::WithinTolerance => Some(ReconStatus::WithinTolerance),
            Self::CashBreak => Some(ReconStatus::CashBreak),
            Self::QtyBreak => Some(ReconStatus::QtyBreak),
            Self::MissingAtBroker => Some(ReconStatus::MissingAtBroker),
            Self::MissingInternally => Some(ReconStatus::MissingInternally),
        }
    }

    /// How bad it is.
    pub const fn severity(self) -> BreakSeverity {
        severity(self.recorded())
    }
}

impl PairStatus {
    /// What is journaled; nothing where the sides are alike.
    pub const fn recorded(&self) -> Option<ReconStatus> {
        match self {
            Self::Matched => None,
            Self::MissingInternal => Some(ReconStatus::MissingInternal),
            Self::MissingExternal => Some(ReconStatus::MissingExternal),
            Self::FieldMismatch(_) => Some(ReconStatus::FieldMismatch),
        }
    }

    /// How bad it is.
    pub const fn severity(&self) -> BreakSeverity {
        severity(self.recorded())
    }
}

const fn severity(recorded: Option<ReconStatus>) -> BreakSeverity {
    match recorded {
        Some(status) => status.severity(),
        None => BreakSeverity::Info,
    }
}
