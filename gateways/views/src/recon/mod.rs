//! Breaks of reconciliation: what runs have found, how old it is, who sees to it and how it was closed.
//!
//! A break is named by the number of the record that opened it. A later run that finds the same line again tells the same break; one
//! that covers the line and does not find it any more makes it *gone*, and it still waits for its code.
//!
//! # Invariants
//! - A function of the journal's records: alert manager, replica and report have the same breaks at the same place.
//! - A break is closed by a person's code and by nothing else. A run that finds it again straight after that opens it again, with its age.
//! - A run that was cut off before an account's end makes nothing of that account gone.
//! - The tables are bounded: the oldest closed breaks go first; what then finds no room is counted.
//!
//! Not here: comparing (see the reports), and what a break sets off.

mod book;
mod item;
mod rows;

pub use book::{ReconBook, Told};
pub use item::{BreakNote, BreakState, ReconBreak, RunLine};
