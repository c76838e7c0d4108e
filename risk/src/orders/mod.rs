//! The order table and the keys that find orders: owned by the limit check, written by nobody else.

pub mod keys;
pub mod resting;
pub mod table;
