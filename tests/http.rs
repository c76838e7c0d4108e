//! The HTTP interface from outside: the real binary, real sockets, and what its journal says afterwards.
//!
//! Each test starts `tradewind run` with the small firm of `tests/support/firm.toml`, a free port and no generated session.

mod support;

#[path = "http/access.rs"]
mod access;
#[path = "http/backoffice.rs"]
mod backoffice;
#[path = "http/changes.rs"]
mod changes;
#[path = "http/client.rs"]
mod client;
#[path = "http/conditions.rs"]
mod conditions;
#[path = "http/feed.rs"]
mod feed;
#[path = "http/generated.rs"]
mod generated;
#[path = "http/history.rs"]
mod history;
#[path = "http/log.rs"]
mod log;
#[path = "http/matrix.rs"]
mod matrix;
#[path = "http/orders.rs"]
mod orders;
#[path = "http/reads.rs"]
mod reads;
#[path = "http/recon.rs"]
mod recon;
#[path = "http/reports.rs"]
mod reports;
#[path = "http/server.rs"]
mod server;
#[path = "http/shape.rs"]
mod shape;
#[path = "http/socket.rs"]
mod socket;
#[path = "http/tls.rs"]
mod tls;
