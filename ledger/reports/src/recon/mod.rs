//! Reconciliation: our books against a broker's statement, line by line, and trade by trade (SETTLEMENT section 9).
//!
//! # Invariants
//! - Pure: the same two sides give the same lines in the same order, whatever order they were read in.
//! - Every item of either side has exactly one line, and every trade of either side is in exactly one pair.
//!
//! Not here: where the sides come from, and what a break sets off.

mod holdings;
mod trades;

pub use holdings::{Broker, Internal, Line, LineStatus, Quantity, reconcile};
pub use trades::{Field, Pair, PairStatus, TIME_SLACK_NS, Trade, match_trades};
