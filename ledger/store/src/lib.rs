//! The store: the journal in SQL, for everything that is asked of the past.
//!
//! A follower turns whole groups of records into rows and writes them to SQLite (a file) or Postgres, each batch with its place in the
//! journal in one transaction. The engine does not know that it is there: a database that is down, slow, full or gone costs nothing but lag.
//!
//! # Invariants
//! - The database holds exactly what the records up to its place say, once each, across crashes of either side.
//! - Rows are a function of the records (`project`): a database made anew from the journal equals the one that was followed.
//! - A database that belongs to another journal, or knows what the journal has lost, is refused and never written to.
//! - Amounts are exact in both databases, and so are their sums.
//!
//! Not here: the state of now (the replica has it), reports, who may ask. docs/store.md has the tables.

mod batch;
mod database;
mod error;
mod fields;
mod follow;
mod history;
mod names;
mod position;
mod postgres;
mod project;
mod read;
mod reader;
mod rows;
mod schema;
mod sqlite;
mod status;
mod table;
mod target;
mod tools;

pub use error::StoreError;
pub use follow::{FollowSettings, Store};
pub use history::StoreHistory;
pub use position::{Place, Saved};
pub use status::{Figures, Lag, State, Status};
pub use target::Target;
pub use tools::{Contents, Inspection, clear, compare, contents, inspect, migrate, migrate_to, rebuild};
