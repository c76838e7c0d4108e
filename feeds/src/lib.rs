//! Feeds: outside names and bytes in, dense ids and events out.
//!
//! [`Normalize`] is the first deciding stage of the pipeline; its [`Registry`] gives names for ids. [`codec`] reads recorded
//! files for `tradewind ingest`.

pub mod codec;
mod normalize;
mod registry;

pub use normalize::Normalize;
pub use registry::{CurrencyRow, NodeRow, Registry};
