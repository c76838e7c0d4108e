//! The books: double entry for cash and securities (settle), cost and profit of positions (position).
//!
//! Both stages are total. They refuse nothing and decide nothing about acceptance: they post the amounts that the limit
//! check wrote on an accepted event. Only position adds facts of its own, the realised profit of an execution.
//!
//! # Invariants
//! - Per ledger (a currency, or one instrument's quantity) debits equal credits after every event, pending and posted apart.
//! - A position's quantity is the signed sum of its fills, and equals the securities account in the books.
//! - State depends on accepted events and their facts alone; `apply` of the records rebuilds what `process` built.
//!
//! - A bust leaves what there would be without the trade: it takes the booked amounts back, and the position is replayed.
//!
//! Not here: who may trade and what a corporate action pays (risk), settlement dates, the SQL store.
//!
//! docs/ledger.md has the chart of accounts and a worked example.

mod average;
pub mod ledger;
pub mod lots;
pub mod position;
pub mod posting;
mod replay;
pub mod settle;
mod tax;
#[cfg(test)]
mod testing;

pub use replay::{Moved, Movement, Whose};

use tradewind_domain::wide;
