//! What a trade is: ids, fixed-point numbers, events, reject codes, reference data.
//!
//! Pure: no I/O, no clock, no threads. All stages, readers and wires share these types.

pub mod codes;
pub mod corporate;
pub mod decimal;
pub mod event;
pub mod fees;
pub mod fixed;
pub mod ids;
pub mod reference;
pub mod reject;
pub mod rounding;
pub mod settlement;
pub mod text;
pub mod time;
pub mod wide;
