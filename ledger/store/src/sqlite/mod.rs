//! SQLite: multi-row statements in one transaction, in a file with a write-ahead log.
//!
//! # Invariants
//! - Exact numbers: an integer at 1e-8 while it fits 64 bits, its text where it does not, other scales as decimal text. Sums of merged
//!   rows are made here, in 128 bits, since SQLite's own would turn to floats.
//! - The place in the journal is written in the transaction of its rows.

mod bind;
mod cells;
mod merge;

use crate::batch::Batch;
use crate::error::StoreError;
use crate::position::Saved;
use crate::read::{self, Source};
use crate::rows::{NewOrder, PlaceRow};
use crate::schema::Dialect;
use crate::table::{Row, Table};
use bind::Values;
use cells::Cells;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::time::Duration;

/// Rows of one statement, large and small: each length is a statement of its own, prepared once.
const ROWS: [usize; 3] = [256, 16, 1];
/// The most values of one statement.
const VALUES_MAX: usize = 32_000;
/// How long a reader that holds the file up is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// The writer's connection.
pub(crate) struct Sqlite {
    connection: SqliteConnection,
}

impl Sqlite {
    /// Opens the file, made where it is missing.
    pub(crate) async fn connect(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let options = options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What a power loss takes back, the journal gives again; the log keeps the file whole.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY)
            .pragma("cache_size", "-65536")
            .disable_statement_logging();
        let connection = options.connect().await?;
        Ok(Self { connection })
    }

    /// The connection, for migrations and questions.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Writes a batch that begins where the database stands.
    pub(crate) async fn write(
        &mut self,
        batch: &Batch,
        before: &Saved,
        after: &Saved,
    ) -> Result<(), StoreError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let found = read::saved(&mut Source::Sqlite(&mut transaction), true).await?;
        read::check_same(&found, before)?;
        append(&mut transaction, batch).await?;
        merge::all(&mut transaction, batch).await?;
        merge::merge(&mut transaction, PlaceRow::of(after).as_ref()).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn append(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), StoreError> {
    let orders: Vec<NewOrder<'_>> = batch
        .orders
        .values()
        .filter_map(|order| Some(NewOrder(order, order.entered.as_ref()?)))
        .collect();
    append_to(connection, &orders).await?;
    append_to(connection, &batch.executions).await?;
    append_to(connection, &batch.entries).await?;
    append_to(connection, &batch.limit_events).await?;
    append_to(connection, &batch.refusals).await?;
    append_to(connection, &batch.alerts).await?;
    append_to(connection, &batch.audit).await
}

async fn append_to<R: Row>(connection: &mut SqliteConnection, rows: &[R]) -> Result<(), StoreError> {
    insert(connection, "INSERT", R::TABLE, rows, R::fields).await
}

/// Writes rows in place of those with the same key.
async fn insert_cells(
    connection: &mut SqliteConnection,
    table: &'static Table,
    rows: &[Cells],
) -> Result<(), StoreError> {
    insert(connection, "INSERT OR REPLACE", table, rows, Cells::put).await
}

/// Writes rows, as many at a time as one statement takes.
async fn insert<T>(
    connection: &mut SqliteConnection,
    verb: &str,
    table: &'static Table,
    rows: &[T],
    put: fn(&T, &mut Values),
) -> Result<(), StoreError> {
    let columns = table.names(Dialect::Sqlite);
    let width = table.written().count();
    let mut rest = rows;
    while !rest.is_empty() {
        let fits = |count: &&usize| **count <= rest.len() && **count * width <= VALUES_MAX;
        let count = ROWS.iter().find(fits).copied().unwrap_or(1);
        let (now, later) = rest.split_at(count);
        let sql = statement(verb, table.name, &columns, width, count);
        let mut values = Values::default();
        now.iter().for_each(|row| put(row, &mut values));
        connection
            .execute(sqlx::query_with(AssertSqlSafe(sql), values.finish()?))
            .await?;
        rest = later;
    }
    Ok(())
}

fn statement(verb: &str, table: &str, columns: &str, width: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    format!(
        "{verb} INTO {table} ({columns}) VALUES {}",
        vec![row; rows].join(",")
    )
}
