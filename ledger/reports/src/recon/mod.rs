//! Reconciliation: our books against a broker's statement, line by line, and trade by trade (SETTLEMENT section 9).
//!
//! # Invariants
//! - Comparing is pure: the same two sides give the same lines in the same order, whatever order they were read in.
//! - Every item of either side has exactly one line, and every trade of either side is in exactly one pair.
//!
//! Not here: what a break sets off, and its life from one run to the next (gateways/views).

mod compare;
mod holdings;
mod ours;
mod rows;
mod severity;
mod statement;
mod trades;

pub use compare::{AccountLines, Comparison, Terms};
pub use holdings::{Broker, Internal, Line, LineStatus, Quantity, reconcile};
pub use ours::Ours;
pub use rows::{ComparisonRows, HoldingRow, TradeRow};
pub use statement::{Statement, StatementError};
pub use trades::{Field, Pair, PairStatus, TIME_SLACK_NS, Trade, match_trades};
