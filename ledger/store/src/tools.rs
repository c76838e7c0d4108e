//! What operators do with a store while nobody writes to it: look, migrate, make it anew. Each call blocks until it is done.

use crate::database::Database;
use crate::error::StoreError;
use crate::follow::{FollowSettings, follow_to_end};
use crate::position::Saved;
use crate::schema::{Listing, MIGRATIONS, listings};
use crate::status::Status;
use crate::target::Target;
use std::path::Path;
use std::sync::Arc;
use tradewind_domain::fixed::Money;
use tradewind_machine::clock::Clock;

/// What a database says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Version of its schema; 0 where it is empty.
    pub schema: i32,
    /// The newest version that this build knows.
    pub schema_known: i32,
    /// How far it is.
    pub saved: Saved,
}

/// Runs work that waits for a database.
fn blocking<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StoreError::Thread)?;
    runtime.block_on(work)
}

/// Where a database stands.
pub fn inspect(target: &Target) -> Result<Inspection, StoreError> {
    blocking(async {
        let mut database = Database::connect(target).await?;
        let schema = database.version().await?;
        let saved = match schema {
            0 => Saved::default(),
            _ => database.saved().await?,
        };
        Ok(Inspection {
            schema,
            schema_known: MIGRATIONS.last().map_or(0, |migration| migration.version),
            saved,
        })
    })
}

/// Brings a schema to the newest version; says what was done.
pub fn migrate(target: &Target) -> Result<Vec<String>, StoreError> {
    migrate_to(target, i32::MAX)
}

/// Brings a schema to a version, for tests of the steps between versions.
#[doc(hidden)]
pub fn migrate_to(target: &Target, version: i32) -> Result<Vec<String>, StoreError> {
    blocking(async { Database::connect(target).await?.migrate_to(version).await })
}

/// Takes everything out of a database that a store put there.
pub fn clear(target: &Target) -> Result<(), StoreError> {
    blocking(async { Database::connect(target).await?.drop_all().await })
}

/// Empties the database and makes it anew from the journal, up to the journal's end. `watch` is given the figures as soon as there
/// are some.
pub fn rebuild(
    settings: FollowSettings,
    clock: Clock,
    watch: impl FnOnce(&Arc<Status>),
) -> Result<(), StoreError> {
    clear(&settings.target)?;
    follow_to_end(settings, clock, watch)
}

/// All rows of one table, in the order of its key, every value as text: what a comparison of two databases looks at, whatever they
/// are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The table.
    pub table: &'static str,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Everything that a database holds.
pub fn contents(target: &Target) -> Result<Vec<Contents>, StoreError> {
    blocking(async {
        let mut database = Database::connect(target).await?;
        let mut all = Vec::new();
        for listing in listings() {
            all.push(read_table(&mut database, listing).await?);
        }
        Ok(all)
    })
}

async fn read_table(database: &mut Database, listing: Listing) -> Result<Contents, StoreError> {
    let mut source = database.source();
    let dialect = source.dialect();
    let columns: Vec<&str> = listing.columns.iter().map(String::as_str).collect();
    let (texts, table) = (dialect.texts(&columns), listing.table);
    // A bare name would mean the column of the answer, which is text.
    let key: Vec<String> = listing
        .key
        .iter()
        .map(|column| format!("{table}.{column}"))
        .collect();
    let key = key.join(", ");
    let found = source
        .rows(&format!("SELECT {texts} FROM {table} ORDER BY {key}"), &[])
        .await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in found {
        let mut values = Vec::with_capacity(row.0.len());
        for (value, is_decimal) in row.0.into_iter().zip(&listing.decimals) {
            values.push(match value {
                Some(text) if *is_decimal => Some(Money::from_raw(dialect.raw(&text, 8)?).to_string()),
                Some(text) => Some(without_zeros(text)),
                None => None,
            });
        }
        rows.push(values);
    }
    Ok(Contents {
        table,
        columns: listing.columns,
        rows,
    })
}

/// A decimal without trailing zeros; other text as it is.
fn without_zeros(text: String) -> String {
    let is_decimal = text.contains('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    if !is_decimal {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Bytes of the journal behind the place of a database, or why the two do not go together. Nothing is written.
pub fn compare(data_dir: &Path, saved: &Saved) -> Result<u64, StoreError> {
    let mut follower = crate::reader::follow_from(data_dir, saved)?;
    let mut bytes = 0;
    while let Some(record) = follower.poll()? {
        bytes += record.bytes().len() as u64;
    }
    Ok(bytes)
}
