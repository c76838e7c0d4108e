//! Why a store does not go on.

use tradewind_machine::journal::{JournalError, Position};

/// Why a store does not go on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address names no database that is known.
    #[error("the store's address must be sqlite:FILE or postgres://HOST/DATABASE")]
    Url,
    /// The database, or the way to it: tried again.
    #[error("the database cannot be used")]
    Database(#[source] sqlx::Error),
    /// The journal.
    #[error("the journal cannot be read")]
    Journal(#[from] JournalError),
    /// A record that this build does not know.
    #[error(
        "record {seq} at {position} has kind {kind}, which this build does not know: use the build that wrote it"
    )]
    UnknownRecord {
        /// Number of the record.
        seq: u64,
        /// Its kind.
        kind: u16,
        /// Where it stands.
        position: Position,
    },
    /// The database has the rows of another journal.
    #[error(
        "the database belongs to journal {theirs}, and this one is {ours}: name another database, or empty it with `tradewind store rebuild`"
    )]
    OtherJournal {
        /// Id of the journal that it has.
        theirs: String,
        /// Id of the journal that is followed.
        ours: String,
    },
    /// The database has what the journal has not.
    #[error(
        "the database is ahead of the journal: it has records up to {seq}, and the journal {why} (after a power loss a journal can lose what the database has kept). `tradewind store rebuild` makes it anew from the journal"
    )]
    Ahead {
        /// Number of the last input in the database.
        seq: u64,
        /// What the journal has instead.
        why: String,
    },
    /// The journal has lost the records that the database needs next.
    #[error(
        "the journal begins at {oldest}, and the database needs what was before: put the missing segments back, or make the database anew from a copy of the whole journal"
    )]
    Behind {
        /// Its oldest position.
        oldest: Position,
    },
    /// Somebody else writes to the same database.
    #[error(
        "another process writes to this database: it stands at record {found}, and this one left it at {left}"
    )]
    OtherWriter {
        /// Number of the last input that it has now.
        found: u64,
        /// Number of the last input as it was left.
        left: u64,
    },
    /// The schema is newer than this build.
    #[error("the database has schema {found}, and this build knows up to {known}: use a newer build")]
    NewerSchema {
        /// Its version.
        found: i32,
        /// The newest that this build knows.
        known: i32,
    },
    /// A migration was not the one of this build.
    #[error(
        "migration {version} of the database is not the one of this build: the schema was changed by others"
    )]
    OtherSchema {
        /// The migration.
        version: i32,
    },
    /// A value in the database that no store wrote.
    #[error("the database holds a value that no store wrote: {0}")]
    Damaged(String),
    /// A thread could not be started.
    #[error("a thread of the store could not be started")]
    Thread(#[source] std::io::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl StoreError {
    /// True where another try may go well: the database is down, slow or full.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Database(_))
    }

    /// The error and its causes on one line.
    pub fn line(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let said = cause.to_string();
            if !text.ends_with(&said) {
                text.push_str(": ");
                text.push_str(&said); // the driver's errors hold the text of their causes already
            }
            source = cause.source();
        }
        text
    }
}
