//! Vector files as they are written: a header, and cases that stay raw until their family reads them.

use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The format that this version reads.
pub(crate) const SCHEMA: &str = "risk-vectors/1";

/// Why a file cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no vector file.
    #[error("{} is no vector file, which is one JSON object with `schema`, `family` and `cases`", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Where it went wrong.
        source: serde_json::Error,
    },
    /// Another version of the format.
    #[error("{} has schema `{found}`, not `{SCHEMA}`", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// The header's count is not that of the cases.
    #[error("{} says {said} cases and has {found}: is it complete?", path.display())]
    Count {
        /// The file.
        path: PathBuf,
        /// What the header says.
        said: usize,
        /// What there is.
        found: usize,
    },
}

/// A vector file.
#[derive(Debug, Deserialize)]
pub struct VectorFile {
    schema: String,
    /// Which rules it is about.
    pub family: String,
    count: Option<usize>,
    /// The cases.
    pub cases: Vec<RawCase>,
}

/// A case whose setup and steps are not yet read.
#[derive(Clone, Debug, Deserialize)]
pub struct RawCase {
    /// Identifier.
    pub id: String,
    /// What it is about.
    pub topic: String,
    /// What it shows.
    #[serde(default)]
    pub title: String,
    /// Setup and steps, or input and expectation.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

impl VectorFile {
    /// Reads a file and its header.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let bytes = std::fs::read(path).map_err(|source| FileError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&bytes, path)
    }

    /// Takes the bytes of a file that is called so.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, FileError> {
        let path = || path.to_owned();
        let file: Self =
            serde_json::from_slice(bytes).map_err(|source| FileError::Format { path: path(), source })?;
        if file.schema != SCHEMA {
            return Err(FileError::Schema {
                path: path(),
                found: file.schema,
            });
        }
        match file.count {
            Some(said) if said != file.cases.len() => Err(FileError::Count {
                path: path(),
                said,
                found: file.cases.len(),
            }),
            _ => Ok(file),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<VectorFile, FileError> {
        VectorFile::parse(text.as_bytes(), Path::new("x.json"))
    }

    #[test]
    fn a_file_of_another_schema_or_with_missing_cases_is_refused() {
        let case = r#"{"id":"A","topic":"t","title":"x","setup":{},"steps":[]}"#;
        let file = |schema: &str, count: u32| {
            parse(&format!(
                r#"{{"schema":"{schema}","family":"limits","split":"open","count":{count},"cases":[{case}]}}"#
            ))
        };
        assert_eq!(file(SCHEMA, 1).unwrap().cases[0].id, "A");
        assert!(matches!(file("risk-vectors/2", 1), Err(FileError::Schema { .. })));
        assert!(matches!(
            file(SCHEMA, 2),
            Err(FileError::Count {
                said: 2,
                found: 1,
                ..
            })
        ));
        assert!(matches!(parse("[]"), Err(FileError::Format { .. })));
    }
}
