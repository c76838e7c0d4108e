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
