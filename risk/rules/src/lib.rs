//! Business rules that an operator writes: the language, its compiled form, and what runs it.
//!
//! A rules file is compiled at the edge ([`compile`]) and packed with its source text, author and reason into a document
//! ([`encode`]). The document is journaled in parts; a stage puts them together in memory that it owns, verifies the compiled
//! form and asks it about each order, trade or quote ([`RuleBook`]).
//!
//! # Invariants
//! - Nothing here panics or loops without end, whatever the bytes of a file or of a document are.
//! - [`RuleBook`] allocates only when it is made. A program runs forward only, so its instructions bound its time.
//! - What a program answers depends on its document and the facts alone: a replay answers alike.
//! - A condition that cannot be answered (a value is missing or does not fit) counts as met: a check that cannot be made is
//!   not passed.
//!
//! Not here: where facts come from (the stages know), and what a refusal does (they decide).

mod assembly;
mod book;
mod changes;
mod compile;
mod document;
mod error;
mod evaluate;
mod expression;
mod fields;
mod numbers;
mod parse;
mod program;
mod token;
mod verify;

#[cfg(test)]
mod tests;

pub use assembly::{Assembly, Part, parts, parts_of};
pub use book::{Answer, Findings, RuleBook};
pub use changes::changes;
pub use compile::{Compiled, SOURCE_MAX, compile};
pub use document::{Document, DocumentError, Label, RuleInfo, decode, encode};
pub use error::{Problem, RuleError, RuleErrors};
pub use evaluate::Facts;
pub use fields::{Field, FieldType, RuleEvent};
pub use program::{Action, DOCUMENT_MAX, RULES_MAX, RuleRow};
pub use verify::Flaw;
