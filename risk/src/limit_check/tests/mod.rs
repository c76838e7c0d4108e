//! Tests of validate and the limit check together, on resolved events.

mod invariants;
mod rules;
mod world;
