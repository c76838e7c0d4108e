//! The machine that carries events: stages on threads, rings between them, one sequence, one journal.
//!
//! It knows no finance rule: an event is a [`Record`](record::Record) with a head, and stages are given to it.
//!
//! # Invariants
//! - One writer for each piece of state; no lock, allocation, system call or formatting on a pipeline thread after start-up.
//! - Nothing is seen outside before its record is released.

pub mod journal;
pub mod record;
pub mod stage;
