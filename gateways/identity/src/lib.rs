//! Identity: who somebody is, and what he may do.
//!
//! Two halves that never mix. *What somebody may do* follows from the journal: [`AccessBook`] reads `access_set` records, which name
//! users and groups by number. *Who the numbers are* stands in `identity.db`: names, mail addresses, hashes of passwords and keys.
//! A row of it can be erased; the journal, which cannot, then speaks of a number that nobody knows.
//!
//! # Invariants
//! - No secret is printed: passwords, keys and tokens are [`Secret`]s, whose `Debug` shows nothing.
//! - A token counts as long as nothing was revoked for its user since it was made, in the order of the journal and not of clocks.
//! - Only GRANTED opens anything; a role at a node reaches everything below the node and nothing beside or above it.
//!
//! Not here: HTTP, and sending `access_set` to the engine (the gateway does), what pipeline stages check (they trust their sources).

mod access;
mod book;
mod database;
mod error;
mod identity;
mod jwks;
mod key;
mod lockout;
mod password;
mod permission;
mod secret;
mod token;

pub use access::Access;
pub use book::{AccessBook, AccessView, Rights};
pub use database::{ApiKeyRow, GroupRow, NewUser, UserRow};
pub use error::{AuthError, IdentityError};
pub use identity::{Caller, Identity, IdentitySettings, Issued, NewKey, OneTimePassword, OutsideIssuer};
pub use password::PasswordCost;
pub use permission::Permission;
pub use secret::Secret;
