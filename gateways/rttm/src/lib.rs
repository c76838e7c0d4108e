//! RTTM: the live feed over WebSocket (docs/rttm.md). One thread makes frames out of the live replica, each once for all who share
//! it; a task for each connection writes them.
//!
//! # Invariants
//! - Every row is filtered by what its viewer may see; viewers who see the same share the same bytes.
//! - A client that does not read costs a bounded amount of memory, and delays neither another client nor the replica.
//! - Rows folded from a snapshot and its updates are those of the replica.
//!
//! Not here: who people are (see [`Entitlements`]), the server that the route is in, anything that changes something.

mod channel;
mod class;
mod encode;
mod events;
mod feed;
mod figures;
mod frame;
mod hub;
mod mailbox;
mod protocol;
mod row;
mod socket;
mod stream;
mod table;
mod tables;
mod viewer;

pub use channel::Channel;
pub use feed::{Feed, FeedCounts, FeedSettings};
pub use figures::{Check, Figures, StageFigure, StageRow, StageWindow, Status};
pub use viewer::{Entitlements, Refused, Standing, Viewer};
