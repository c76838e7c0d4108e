//! Business rules at a start: what the configured file says beyond the rules in force becomes parts of a document.

use super::EngineError;
use std::io::Read;
use std::path::Path;
use tradewind_config::Settings;
use tradewind_domain::event::InboundLong;
use tradewind_domain::text::Text;
use tradewind_rules::{Document, Label, SOURCE_MAX, changes, compile, encode, parts};

/// Author of rules that a start puts into force.
const AUTHOR: &str = "rules.file";

/// What has to be sent so that the configured rules are in force, and what that changes.
#[derive(Default)]
pub struct RuleChanges {
    /// A line for each rule that differs.
    pub lines: Vec<String>,
    pub(super) events: Vec<InboundLong>,
}

impl RuleChanges {
    /// Compares the configured file with the rules in force. Nothing to do where no file is configured or its text is the one in
    /// force: a start never takes rules away by itself.
    pub fn find(settings: &Settings, in_force: Option<&Document>) -> Result<Self, EngineError> {
        let path = settings.rules.file.as_str();
        if path.is_empty() {
            return Ok(Self::default());
        }
        let source = read_rules(Path::new(path))?;
        if in_force.is_some_and(|document| document.source == source) {
            return Ok(Self::default());
        }
        let label = Label {
            author: Text::lossy(AUTHOR),
            reason: Text::lossy(format!("start with {path}")),
        };
        let document = pack_rules(Path::new(path), &source, label)?;
        let after = tradewind_rules::decode(&document);
        Ok(Self {
            lines: after.map_or_else(|_| Vec::new(), |after| changes(in_force, &after)),
            events: parts(&document).collect(),
        })
    }
}

/// The bytes of a rules file.
pub fn read_rules(path: &Path) -> Result<Vec<u8>, EngineError> {
    let read = || {
        let mut source = Vec::new();
        // One byte more than is accepted: whatever endless thing the path names is too long, and no more.
        let file = std::fs::File::open(path)?;
        file.take(SOURCE_MAX as u64 + 1).read_to_end(&mut source)?;
        Ok(source)
    };
    read().map_err(|source| EngineError::RulesFile {
        path: path.to_path_buf(),
        source,
    })
}

/// Compiles and packs a rules file: the document that is journaled.
pub fn pack_rules(path: &Path, source: &[u8], label: Label) -> Result<Vec<u8>, EngineError> {
    let path = path.to_path_buf();
    let compiled = compile(source).map_err(|errors| EngineError::Rules {
        path: path.clone(),
        errors,
    })?;
    encode(&compiled, label).map_err(|source| EngineError::RulesSize { path, source })
}
