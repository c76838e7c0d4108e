//! What if: a journal under other limits. Which orders would have been refused, which accepted, by which limit, and how much of
//! each limit would have been used.
//!
//! Two passes over the journal. The first learns names and limits, so that a mistake in the new limits is told at once. The
//! second plays each input into a second world made of the engine's own stages (see `world`), and compares what they decide
//! with the record.
//!
//! # Invariants
//! - The journal is only read; no stage of a running engine is touched.
//! - Under the journal's own limits nothing differs.
//! - Memory grows with reference data and open orders, not with the journal's length.
//!
//! What cannot be known is not guessed: a newly accepted order is never filled, since no venue has seen it, and nobody knows what
//! a client would have sent instead of an order that is newly refused. The report says from where on that matters and for how
//! many orders.
//!
//! Not here: command line, rendering.

mod answers;
mod divergence;
mod error;
mod orders;
mod peaks;
mod plan;
mod report;
mod run;
mod subject;
mod summary;
mod survey;
mod tally;
mod world;

pub use error::WhatIfError;
pub use plan::LimitRequest;
pub use report::{
    AccountEffect, Approximation, ChangedOrder, Counts, Dropped, LimitDifference, LimitEffect, LimitLine,
    Moment, PeakUse, Realised, ReasonEffect, Report, Span, Totals, Verdict,
};
pub use run::{Options, journal_limits, whatif};
pub use survey::Until;
pub use world::Unfilled;
