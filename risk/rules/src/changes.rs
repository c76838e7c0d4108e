//! What changes for people when one document of rules takes the place of another.

use crate::document::Document;
use std::collections::BTreeMap;

/// A line for each rule that is added, changed or removed; one line where only comments differ.
pub fn changes(before: Option<&Document>, after: &Document) -> Vec<String> {
    let before = before.map(statements).unwrap_or_default();
    let lines = difference(&before, &statements(after));
    if lines.is_empty() {
        vec!["rules: comments only".to_owned()]
    } else {
        lines
    }
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
    use crate::compile::compile;
    use crate::document::{Label, decode, encode};
    use tradewind_domain::text::Text;

    fn document(source: &str) -> Document {
        let label = Label {
            author: Text::EMPTY,
            reason: Text::EMPTY,
        };
        let compiled = compile(source.as_bytes()).expect("sound rules");
        decode(&encode(&compiled, label).expect("it fits")).expect("a sound document")
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
            changes(Some(&before), &after),
            ["rules: remove \"a\"", "rules: change \"b\"", "rules: add \"d\""]
        );
        assert_eq!(changes(Some(&before), &before), ["rules: comments only"]);
    }
}
