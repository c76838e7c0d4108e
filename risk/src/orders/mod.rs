//! The order table, the executions that can still be taken back, and the keys that find both: owned by the limit check, written by
//! nobody else.

pub mod executions;
pub mod keys;
pub mod resting;
pub mod table;
