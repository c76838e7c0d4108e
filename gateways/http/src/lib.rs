//! The HTTP interface: orders, trades, limits, positions, alerts, access and operations, as JSON below `/api/v1`, with problem documents
//! (RFC 9457), one table of endpoints and the OpenAPI document made from it (docs/http-api.md).
//!
//! # Invariants
//! - The only way in are the rings of ingest, the only way out the journal: an answer to a change is its record, released and in the replica.
//! - Nobody sees or touches what his rights do not open; what is not his to see is not there for him.
//! - A client that hangs, floods or lies costs bounded memory for a bounded time; refusals say when to come again.
//! - An order is sent once however often its request is repeated, also across a restart.
//!
//! Not here: who somebody is and what he may do (`identity`), the WebSocket (`rttm`), the dashboard's files (`web`).

mod call;
mod conditions;
mod counters;
mod endpoint;
mod endpoints;
mod gate;
mod gateway;
mod jobs;
mod keys;
mod log;
mod openapi;
mod problem;
mod rate;
mod router;
mod schema;
mod server;
mod service;
mod settings;
mod telemetry;

pub use counters::JournalCounts;
pub use gate::Rings;
pub use gateway::{Acknowledgement, Phase};
pub use keys::KeyIndex;
pub use log::{Answered, Refusal, RequestLog, Served};
pub use problem::{Problem, ProblemCode};
pub use server::ServerError;
pub use service::{HttpService, Parts};
pub use settings::HttpSettings;
pub use telemetry::{Check, Health, MetricKind, MetricsPage, Telemetry};

/// The OpenAPI document, as `/openapi.json` gives it, with line breaks.
pub fn openapi() -> String {
    let document = openapi::document(endpoints::all());
    format!("{document:#}\n")
}
