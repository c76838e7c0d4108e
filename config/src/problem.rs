//! What is wrong in a configuration, with its place.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `FILE:LINE`, the variable or the flag.
    pub place: String,
    /// The key or the row that it is about; empty where the place says it all.
    pub subject: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Problem {
    /// A problem at a place, about a key or row.
    pub(crate) fn new(
        place: impl fmt::Display,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            place: place.to_string(),
            subject: subject.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subject.is_empty() {
            return write!(f, "{}: {}", self.place, self.message);
        }
        write!(f, "{}: {}: {}", self.place, self.subject, self.message)
    }
}

/// Everything that is wrong in one load. Invariant: never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The problems, in the order of their layers and lines.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// `value`, unless something is wrong.
    pub(crate) fn unless<T>(value: T, problems: Vec<Problem>) -> Result<T, Self> {
        if problems.is_empty() {
            Ok(value)
        } else {
            Err(Self { problems })
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let line_break = if at == 0 { "" } else { "\n" };
            write!(f, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Lines of a text by byte offset.
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    /// Notes where the lines of `text` end.
    pub(crate) fn of(text: &str) -> Self {
        Self(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at)
                .collect(),
        )
    }

    /// The line (from 1) of a byte.
    pub(crate) fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|&end| end < offset) + 1
    }
}
