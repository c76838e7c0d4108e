//! The language as tables: programs with what they come to, files with what is wrong, documents with what becomes of them.

mod documents;
mod errors;
mod programs;

use crate::{Facts, Field, Label, RuleBook, RuleErrors, compile, encode, parts};
use std::collections::HashMap;
use tradewind_domain::event::Event;
use tradewind_domain::text::Text;

/// Facts as a table; what is not in it is missing.
#[derive(Default)]
pub(super) struct Table {
    numbers: HashMap<Field, i128>,
    texts: HashMap<Field, Text<32>>,
}

impl Facts for Table {
    fn number(&self, field: Field) -> Option<i128> {
        self.numbers.get(&field).copied()
    }

    fn text(&self, field: Field) -> &[u8; 32] {
        self.texts.get(&field).map_or(&[0; 32], Text::padded)
    }
}

pub(super) fn label() -> Label {
    Label {
        author: Text::new("ops").unwrap(),
        reason: Text::new("a test").unwrap(),
    }
}

pub(super) fn document(source: &str) -> Vec<u8> {
    let compiled = compile(source.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{source}"));
    encode(&compiled, label()).expect("a small document")
}

/// The errors of a file.
pub(super) fn errors(source: &[u8]) -> RuleErrors {
    compile(source).expect_err("the file is wrong")
}

/// Sends a document through a book; true where it took effect.
pub(super) fn send(book: &mut RuleBook, document: &[u8]) -> bool {
    let mut event = Event::empty();
    let mut taken = false;
    for part in parts(document) {
        part.fill(&mut event);
        taken = book.observe(&event);
    }
    taken
}

pub(super) fn book(source: &str) -> RuleBook {
    let mut book = RuleBook::new();
    assert!(send(&mut book, &document(source)), "{source}");
    book
}

/// The tables of docs/rules.md, from the table of fields.
#[test]
fn the_manual_lists_every_field_and_every_word() {
    use crate::{FieldType, RuleEvent};
    let mut fields = String::from("| field | on | is | |\n|---|---|---|---|\n");
    let mut words = Vec::new();
    for field in Field::ALL {
        let events = RuleEvent::ALL.into_iter().filter(|event| field.is_of(*event));
        let events: Vec<&str> = events.map(RuleEvent::text).collect();
        let on = if events.len() == RuleEvent::ALL.len() {
            "all".to_owned()
        } else {
            events.join(", ")
        };
        let of = field.field_type();
        fields += &format!(
            "| `{}` | {on} | {} | {} |\n",
            field.text(),
            of.text(),
            field.doc()
        );
        let names: Vec<String> = of.words().iter().map(|(word, _)| format!("`{word}`")).collect();
        let line = format!("- {}: {}", of.text(), names.join(", "));
        if of != FieldType::Number && !names.is_empty() && !words.contains(&line) {
            words.push(line);
        }
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
    let text = std::fs::read_to_string(page).unwrap();
    let part = |from: &str, to: &str| {
        text.split_once(from)
            .unwrap()
            .1
            .split_once(to)
            .unwrap()
            .0
            .trim()
            .to_owned()
    };
    let expected = (fields.trim().to_owned(), words.join("\n"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text = text
            .replace(&part("## Fields\n", "\nWords:"), &expected.0)
            .replace(&part("\nWords:\n", "\n## How it runs"), &expected.1);
        std::fs::write(page, text).unwrap();
        return;
    }
    let found = (
        part("## Fields\n", "\nWords:"),
        part("\nWords:\n", "\n## How it runs"),
    );
    assert_eq!(found, expected, "run with UPDATE_DOCS=1");
}

#[test]
fn the_example_of_the_manual_is_sound() {
    let page = include_str!("../../../../docs/rules.md");
    let example = page.split("```").nth(1).unwrap();
    let shown: Vec<String> = compile(example.as_bytes())
        .unwrap()
        .rows()
        .iter()
        .map(|row| row.code.to_string())
        .collect();
    assert_eq!(shown, ["PENNY", "LARGE", "FAR", "CROSSED"]);
}
