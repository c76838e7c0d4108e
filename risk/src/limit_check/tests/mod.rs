//! Tests of validate and the limit check together, on resolved events.

mod busts;
mod controls;
mod corporate;
mod dated;
mod early;
mod executions;
mod fees;
mod flatten;
mod identifiers;
mod invariants;
mod limits;
mod marks;
mod naive;
mod never_looser;
mod orders;
mod quarantine;
mod quota;
mod replaces;
mod self_trade;
mod self_trade_scan;
mod world;
