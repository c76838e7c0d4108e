//! Alerts: what the journal says that people must know, who is told when, and that they are told.
//!
//! Records become facts (`watch`), facts make incidents by rules (`book`), incidents make notifications, and those go out through
//! channels, each on a thread of its own.
//!
//! # Invariants
//! - Incidents follow from the journal alone; whoever reads it gets the same ones ([`AlertManager`]).
//! - A notification has an id, is remembered once it is delivered, and goes out again only where a crash came in between.
//! - A channel that hangs or fails holds up nobody else: queues are bounded, and what cannot be delivered is kept in a file.
//!
//! Not here: mail, chat and the browser (they are further [`Channel`](delivery::Channel)s), and the commands of people, which are journaled events.

mod book;
mod condition;
pub mod delivery;
pub mod escalation;
mod fact;
mod follow;
mod incident;
mod manager;
mod notification;
mod own;
mod rule;
mod severity;
mod standard;
#[cfg(test)]
mod testing;
mod watch;

pub use book::{OPEN_MAX, RESOLVED_MAX};
pub use fact::{CHAIN_MAX, Fact, Maintenance, Metric, Subject, Unit};
pub use follow::{
    AlertFollower, AlertStatus, AlertsError, Figure, Figures, RECORDS_OF_STEP, SETTLE_NS, rebuild, replay,
};
pub use incident::{IncidentRow, LIVE_FIRST, NUMBERS_OF_A_RECORD, State};
pub use manager::AlertManager;
pub use notification::{Cause, Notification, route_of};
pub use own::{FILE_MAX, RuleDocument, RuleFileError, rules_with};
pub use rule::{CLEAR_FOR_NS, CLEAR_PERCENT, Clear, Comparator, Rule, STAMPS_MAX, Step, WINDOW_NS};
pub use severity::Severity;
pub use standard::AlertSettings;
pub use watch::WatchSettings;
