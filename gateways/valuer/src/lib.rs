//! The valuer: what accounts, and the nodes above them, are worth by our own books, told to the limit check.
//!
//! Limits on equity (L33 to L35) and shares of equity (L27, L28, L30 to L32) read figures that arrive as `Valuation` events. This crate
//! follows the journal, keeps cash, positions and marks, and sends such an event where a figure has changed. So the figures are journaled,
//! replayed and visible like any other input, and the pipeline computes nothing for them.
//!
//! ```text
//! equity  = cash at the rate + what positions are worth at the mark
//! balance = equity without what is not realised yet
//! ```
//!
//! to which an opening valuation of the reference data is added: what a node is worth beside what is in our books.
//!
//! # Invariants
//! - Only nodes that such a limit binds are valued, and none that somebody outside values: those figures override (LIMITS section 14).
//! - A mark gives a node one figure in 100 ms at most; fills, fees and payments give one at once. What has not changed is not sent.
//! - A node that holds something at a stale mark, or without rate or price, is frozen: no figure, and that is told (L33).
//! - Work is bounded: a record, however many hold its instrument, queues one walk, and a step takes a part of it.
//! - Nothing is sent before the journal is read to its end, so a start never assesses a half of the books.
//!
//! Not here: strategies (the books do not know whose of an account's positions are whose; they are named and not valued), the thread
//! and the ring (the binary), what a figure does (the limit check).

mod age;
mod books;
mod calls;
mod follow;
mod nodes;
mod walk;

pub use age::AgeFigures;
pub use follow::{Scout, Valuer, ValuerError, ValuerFigures};
