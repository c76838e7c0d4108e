//! Tradewind: the one place that wires the parts together, and the commands of the binary.
//!
//! Parts know nothing of each other beyond `domain` and `machine`; here they become an engine, in numbered steps
//! ([`engine`]), and here their figures become text ([`commands`]).

pub mod alerts;
pub mod allocator;
pub mod audit;
pub mod cli;
pub mod commands;
pub mod conformance;
pub mod engine;
pub mod log;
pub mod memory;
pub mod output;
pub mod services;
pub mod store;
pub mod valuation;
