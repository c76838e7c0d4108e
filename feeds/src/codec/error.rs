//! Why a file or a line could not be read.

use super::Format;
use std::io;
use std::path::PathBuf;
use tradewind_domain::decimal::DecimalError;
use tradewind_domain::text::TextError;

/// A line that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LineError {
    /// Its number in the file, from 1, header included.
    pub line: u64,
    /// Why.
    pub reason: Reason,
}

/// Why a line could not be read, with the field that it is about.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The file ends where its header should be.
    #[error("the file is empty: its first line must name the columns")]
    NoHeader,
    /// A column or key that the format does not have.
    #[error("there is no column {name:?}; did you mean {nearest:?}?")]
    UnknownColumn {
        /// As the file spells it.
        name: String,
        /// The column of the format that looks most like it.
        nearest: &'static str,
    },
    /// A column or key that stands there twice.
    #[error("{field}: given twice")]
    Twice {
        /// Column.
        field: &'static str,
    },
    /// A column that must be in the header is not.
    #[error("the header lacks the column {field:?}")]
    NoColumn {
        /// Column.
        field: &'static str,
    },
    /// A header other than the one that this format has.
    #[error("the header must be {expected:?}")]
    Header {
        /// The header of the format.
        expected: &'static str,
    },
    /// More or fewer fields than the header or the format has.
    #[error("{found} fields, expected {expected}")]
    FieldCount {
        /// Fields of the line.
        found: usize,
        /// Fields of the header or the format.
        expected: usize,
    },
    /// A quote that does not end on its line, or a carriage return within it.
    #[error("not a line of CSV: a quote is not closed, or a carriage return stands in the middle")]
    Csv,
    /// A field that must have a value has none.
    #[error("{field}: missing")]
    Missing {
        /// Column.
        field: &'static str,
    },
    /// A value in a field that this kind of line does not have.
    #[error("{field}: does not belong to {kind:?}")]
    NotApplicable {
        /// Column.
        field: &'static str,
        /// Kind of the line.
        kind: &'static str,
    },
    /// A decimal that cannot be kept exactly.
    #[error("{field}: {source}")]
    Decimal {
        /// Column.
        field: &'static str,
        /// Why.
        source: DecimalError,
    },
    /// A text that does not fit.
    #[error("{field}: {source}")]
    Text {
        /// Column.
        field: &'static str,
        /// Why.
        source: TextError,
    },
    /// A value outside what the field may hold.
    #[error("{field}: expected {expected}")]
    Value {
        /// Column.
        field: &'static str,
        /// What it may hold.
        expected: &'static str,
    },
    /// No JSON, or not of the expected shape.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Longer than a line may be.
    #[error("longer than {} bytes", super::LINE_MAX)]
    TooLong,
    /// The file could not be read any further. Nothing follows this error.
    #[error("the file cannot be read any further: {0}")]
    Stream(#[source] io::Error),
}

impl Reason {
    /// The field that it is about, where it is about one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Reason::UnknownColumn { name, .. } => Some(name),
            Reason::Twice { field }
            | Reason::NoColumn { field }
            | Reason::Missing { field }
            | Reason::NotApplicable { field, .. }
            | Reason::Decimal { field, .. }
            | Reason::Text { field, .. }
            | Reason::Value { field, .. } => Some(field),
            _ => None,
        }
    }

    /// True where reading ended with it.
    pub fn is_end(&self) -> bool {
        matches!(self, Reason::Stream(_))
    }
}

/// A file that could not be opened as a recording.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file itself.
    #[error("cannot open {}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its beginning cannot be read.
    #[error("cannot read the beginning of the file")]
    Beginning(#[source] io::Error),
    /// Not the archive that it looks like.
    #[error("not a readable zip archive")]
    Zip(#[source] zip::result::ZipError),
    /// An archive with no file or several.
    #[error("the archive holds {count} files, expected one")]
    Entries {
        /// Files in it.
        count: usize,
    },
    /// Compressed in a way that is not read here, or encrypted.
    #[error("the archive's file is compressed with a method other than deflate, or encrypted")]
    Method,
    /// The header.
    #[error(transparent)]
    Header(LineError),
    /// Prints of a market need accounts.
    #[error("{format} needs at least one account to book the prints to")]
    NoAccounts {
        /// Format.
        format: Format,
    },
    /// Neither the options nor the name say which day the file is of.
    #[error("no date: give one, or name the file YYYYMMDD_symbol_...")]
    NoDate,
    /// Neither the options nor the name say which symbol the file is of.
    #[error("no symbol of at most {max} bytes: give one, or name the file YYYYMMDD_symbol_...")]
    NoSymbol {
        /// Longest symbol.
        max: usize,
    },
}

/// Of `names` the one that takes the fewest edits to become `name`.
pub(super) fn nearest(name: &str, names: &[&'static str]) -> &'static str {
    names
        .iter()
        .copied()
        .min_by_key(|candidate| edits(name, candidate))
        .unwrap_or_default()
}

/// Insertions, deletions and replacements between two names (Levenshtein), over their first 64 bytes.
fn edits(a: &str, b: &str) -> usize {
    const LONGEST: usize = 64;
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (a, b) = (&a[..a.len().min(LONGEST)], &b[..b.len().min(LONGEST)]);
    let mut row: [usize; LONGEST + 1] = std::array::from_fn(|index| index);
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(!from.eq_ignore_ascii_case(to));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_takes_the_fewest_edits() {
        let names = ["time", "account", "symbol", "px", "qty"];
        for (name, expected) in [
            ("price", "time"),
            ("acount", "account"),
            ("Symbol", "symbol"),
            ("qyt", "qty"),
            ("p", "px"),
        ] {
            assert_eq!(nearest(name, &names), expected, "{name}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), &names), "px");
        assert_eq!(
            (edits("kitten", "sitting"), edits("", "abc"), edits("abc", "")),
            (3, 3, 3)
        );
    }
}
