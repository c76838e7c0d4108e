//! Paper trading: a venue that answers orders as the journal shows them, and a market session made up from reference data.
//!
//! [`PaperVenue`] reads released records and answers as an exchange would; [`PaperGateway`] runs it on a thread of its own.
//! [`DemoSession`] makes quotes, trades and order flow for the `demo` profile.
//!
//! # Invariants
//! - No clock and no chance: what the venue answers follows from the journal, what the session sends from its seed.
//! - Nothing here runs on a pipeline thread, and nothing here touches a stage's state.
//!
//! Not here: matching our own orders against each other. The market is what quotes and trades say it is.

mod answer;
mod book;
mod flow;
mod gateway;
mod order;
mod random;
mod session;
mod told;
mod venue;
mod walk;

pub use book::{FILL_PARTS_MAX, FillSettings};
pub use gateway::{GatewayCounts, GatewayError, PaperGateway};
pub use random::SplitMix;
pub use session::{DemoSession, SessionCounts};
pub use venue::{PAPER_VENUE, PaperVenue, VenueCounts};
