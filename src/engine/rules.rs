//! Business rules at a start: what the configured file says beyond the rules in force becomes parts of a document.

use super::EngineError;
use std::collections::BTreeMap;
use std::path::Path;
use tradewind_config::Settings;
use tradewind_domain::event::InboundLong;
use tradewind_domain::text::Text;
use tradewind_rules::{Document, Label, compile, encode, parts};

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
        let before = in_force.map(statements).unwrap_or_default();
        let after = tradewind_rules::decode(&document).map(|document| statements(&document));
        let lines = difference(&before, &after.unwrap_or_default());
        Ok(Self {
            lines: if lines.is_empty() {
                vec!["rules: comments only".to_owned()]
            } else {
                lines
            },
            events: parts(&document).collect(),
        })
    }
}

/// The bytes of a rules file.
pub fn read_rules(path: &Path) -> Result<Vec<u8>, EngineError> {
    std::fs::read(path).map_err(|source| EngineError::RulesFile {
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

/// Rules by name, each as it is written from its own line to the next rule.
fn statements(document: &Document) -> BTreeMap<String, String> {
    let source = String::from_utf8_lossy(&document.source);
    let lines: Vec<&str> = source
        .lines()
        .map(|line| line.split('#').next().unwrap_or("").trim())
        .collect();
    let starts = document.rules.iter().map(|rule| rule.row.line as usize);
    let ends = starts.clone().skip(1).chain([usize::MAX]);
    let spans = starts.zip(ends).map(|(start, end)| {
        // Two rules may begin on one line: each then shows that line.
        let first = start.saturating_sub(1);
        let past = end.saturating_sub(1).max(start).min(lines.len());
        lines.get(first..past).unwrap_or_default().join(" ")
    });
    let names = document.rules.iter().map(|rule| rule.row.name.to_string());
    names.zip(spans).collect()
}

fn difference(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let mut lines: Vec<String> = gone.map(|name| format!("rules: remove {name:?}")).collect();
    for (name, statement) in after {
        match before.get(name) {
            None => lines.push(format!("rules: add {name:?}")),
            Some(was) if was != statement => lines.push(format!("rules: change {name:?}")),
            Some(_) => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(source: &str) -> Document {
        let label = Label {
            author: Text::EMPTY,
            reason: Text::EMPTY,
        };
        let packed = pack_rules(Path::new("x"), source.as_bytes(), label).expect("sound rules");
        tradewind_rules::decode(&packed).expect("a sound document")
    }

    #[test]
    fn a_change_of_rules_is_shown_rule_by_rule() {
        let rule = |name: &str, px: &str| {
            format!("rule \"{name}\" on order # why\n  when order.px < {px}\n  then alert \"A\" \"a\"\n")
        };
        let before = document(&[rule("a", "1"), rule("b", "1"), rule("c", "1")].concat());
        let after = document(
            &[
                "# moved\n".to_owned(),
                rule("c", "1"),
                rule("b", "2"),
                rule("d", "1"),
            ]
            .concat(),
        );
        assert_eq!(
            difference(&statements(&before), &statements(&after)),
            ["rules: remove \"a\"", "rules: change \"b\"", "rules: add \"d\""]
        );
        assert!(difference(&statements(&before), &statements(&before)).is_empty());
    }
}
