//! Tests of validate and the limit check together, on resolved events.

mod controls;
mod executions;
mod identifiers;
mod invariants;
mod limits;
mod orders;
mod replaces;
mod self_trade;
mod world;
