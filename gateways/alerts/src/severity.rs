//! How bad something is, and what follows from it alone.

use serde::Serialize;
use std::fmt;

/// Severity of an incident, mild to severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// To be known; never escalates.
    Info = 1,
    /// To be looked at today; reaches level 2 at most.
    Warning = 2,
    /// To be looked at now.
    Error = 3,
    /// Money or control is at stake: only a person resolves it.
    Critical = 4,
}

impl Severity {
    /// All of them, mild to severe.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name in files and messages.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// The severity of a name.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.text() == text)
    }

    /// The highest level of escalation that it reaches.
    pub const fn level_max(self) -> u8 {
        match self {
            Self::Info => 1,
            Self::Warning => 2,
            Self::Error | Self::Critical => 3,
        }
    }

    /// True where an incident ends by itself once its condition is gone.
    pub const fn resolves_itself(self) -> bool {
        !matches!(self, Self::Critical)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}
