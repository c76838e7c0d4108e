//! What goes wrong: with somebody who wants in, and with the database and files behind it.

use std::io;
use std::path::PathBuf;
use tradewind_domain::time::UnixNanos;

/// Why somebody is not let in. Texts are for the one at the door: they do not tell an unknown name from a wrong password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Wrong name or password.
    #[error("user or password is wrong")]
    BadCredentials,
    /// Too many failures.
    #[error("too many failures: try again later")]
    LockedOut {
        /// Until when, nanoseconds.
        until_ns: UnixNanos,
    },
    /// No token of ours, nor of the issuer that is trusted.
    #[error("the token is not valid")]
    BadToken,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Something was revoked for its user since it was made, or it was logged out.
    #[error("the token has been revoked: log in again")]
    Revoked,
    /// A refresh token that was used before: everything that came from the same login is ended.
    #[error("the refresh token was used before: log in again")]
    Reused,
    /// Too many passwords are being checked.
    #[error("too many logins at one time: try again")]
    Busy,
}

/// Why something cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Somebody is not let in.
    #[error(transparent)]
    Denied(#[from] AuthError),
    /// The database does not work.
    #[error("identity.db does not answer")]
    Database(#[from] sqlx::Error),
    /// A file does not work.
    #[error("failed to use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} {what}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The name is taken.
    #[error("the name {name:?} is taken")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A value that cannot be.
    #[error("{0}")]
    BadValue(&'static str),
    /// There is none.
    #[error("there is no such {what}")]
    NotFound {
        /// user, group, key.
        what: &'static str,
    },
    /// The system has no random numbers, or the library refuses its own key.
    #[error("the cryptographic library failed")]
    Crypto,
    /// No thread is left.
    #[error("a thread ended")]
    Thread,
}
