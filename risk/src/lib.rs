//! Risk: the validate and limit-check stages, the order table, the limit catalogue, and the schedule of timers.
//!
//! Everything here runs on pipeline threads: no I/O, no clock, no allocation after start-up.

pub mod actions;
pub mod assessment;
pub mod calendar;
pub mod checks;
pub mod corporate;
pub mod dated;
pub mod fees;
pub mod flow;
pub mod groups;
pub mod hierarchy;
pub mod limit_check;
pub mod limits;
pub mod market;
pub mod orders;
mod pair_index;
pub mod repeats;
pub mod restricted;
pub mod rules;
pub mod schedule;
pub mod shorts;
pub mod stamps;
pub mod transfers;
pub mod validate;
pub mod wallets;

pub use limit_check::LimitCheck;
pub use schedule::TradingSchedule;
pub use validate::Validate;

/// Version of the rules that validate and the limit check decide by, journaled with each run: it rises with every change that
/// gives any event another outcome, amount or finding. An auditor re-executes the runs of the version it implements.
pub const RULES_VERSION: u32 = 6;
