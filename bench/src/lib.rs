//! The load harness behind `tradewind bench pipeline`: makes the load, sends it at planned times, reads the latencies from
//! the journal, measures the machine beside, and writes the report.
//!
//! The caller wires the engine and hands over a [`Source`](tradewind_machine::source::Source), the engine's clock, its
//! counters and the folder of its journal. In order: [`Workload::new`], [`workload::prepare`], [`open_loop::send`],
//! [`measure::read`], [`PipelineReport`].
//!
//! # Invariants
//! - A latency begins when the message was *planned* to be sent and ends when its last record was released.
//! - The sender makes messages ahead and allocates nothing while it sends.
//! - A run whose outcomes are not those that the workload foresees says so in its report.
//!
//! Not here: the engine's wiring, the command line, and any figure of the engine that it does not report itself.

pub mod books;
pub mod conditions;
pub mod limits;
pub mod machine_noise;
pub mod measure;
pub mod open_loop;
pub mod pace;
pub mod percentiles;
pub mod perf;
pub mod pinned;
pub mod report;
pub mod workload;

pub use conditions::{Conditions, RunFacts};
pub use pace::Rate;
pub use percentiles::Latency;
pub use report::PipelineReport;
pub use workload::{Mix, Workload, WorkloadConfig};
