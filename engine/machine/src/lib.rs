//! The machine that carries events: stages on threads, rings between them, one sequence, one journal.
//!
//! It knows no finance rule: an event is a [`Record`](record::Record) with a head, and stages are given to it.
//!
//! # Invariants
//! - One writer for each piece of state; no lock, allocation, system call or formatting on a pipeline thread after start-up.
//! - Nothing is seen outside before its record is released.

mod agent;
pub mod append;
pub mod clock;
mod control;
pub mod cores;
mod expander;
pub mod idle;
pub mod journal;
pub mod latency;
pub mod pipeline;
pub mod prefetch;
pub mod queues;
pub mod record;
pub mod replay;
mod sequencer;
pub mod slab;
pub mod source;
pub mod stage;
pub mod topology;
