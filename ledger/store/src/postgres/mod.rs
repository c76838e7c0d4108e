//! Postgres: batches by binary COPY, straight into the partition of their day; merged rows through staging tables.
//!
//! # Invariants
//! - The place in the journal is written in the transaction of its rows, and read back under a lock before: another writer is seen.
//! - A commit may be lost by a crash of the server (`synchronous_commit` is off): then the place is lost with it, and the rows come again.
//! - Partitions are made apart, before the batch, and attached without a lock that readers would notice.

mod copy;
mod merge;

use crate::batch::Batch;
use crate::error::StoreError;
use crate::fields::Row;
use crate::names;
use crate::position::Saved;
use crate::read;
use crate::rows::{self, NewOrder, OrderPatch};
use crate::schema::{Dialect, PARTITIONED};
use copy::Copy;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::time::{Date, DayNumber};

/// Days whose partitions are made ahead of the newest one.
const DAYS_AHEAD: DayNumber = 2;
/// Bytes handed over at a time.
const CHUNK: usize = 1 << 18;

/// The writer's connection.
pub(crate) struct Postgres {
    connection: PgConnection,
    /// Days that have their partitions.
    days: BTreeSet<DayNumber>,
    is_staged: bool,
}

impl Postgres {
    /// Connects.
    pub(crate) async fn connect(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let options = options
            .clone()
            .application_name("tradewind-store")
            .disable_statement_logging();
        let mut connection = PgConnection::connect_with(&options).await?;
        // What a crash of the server takes back, the journal gives again.
        run(&mut connection, "SET synchronous_commit = off").await?;
        run(&mut connection, "SET jit = off").await?;
        Ok(Self {
            connection,
            days: BTreeSet::new(),
            is_staged: false,
        })
    }

    /// The connection, for migrations and questions.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Writes a batch that begins where the database stands.
    pub(crate) async fn write(
        &mut self,
        batch: &Batch,
        before: &Saved,
        after: &Saved,
    ) -> Result<(), StoreError> {
        self.prepare(batch).await?;
        let days: Vec<DayNumber> = self.days.iter().rev().copied().collect();
        let mut transaction = self.connection.begin().await?;
        let found = read::saved(&mut read::Source::Postgres(&mut transaction), true).await?;
        read::check_same(&found, before)?;
        append(&mut transaction, batch).await?;
        merge_rows(&mut transaction, batch).await?;
        patch_orders(&mut transaction, batch, &days).await?;
        mark_trades(&mut transaction, batch, &days).await?;
        reference(&mut transaction, batch).await?;
        save(&mut transaction, after).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Staging tables and partitions, before the transaction.
    async fn prepare(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if !self.is_staged {
            for statement in merge::staging() {
                run(&mut self.connection, statement).await?;
            }
            self.days = self.partitions().await?;
            self.is_staged = true;
        }
        let days = batch.days();
        let mut missing: BTreeSet<DayNumber> = days.difference(&self.days).copied().collect();
        if let Some(last) = missing.last().copied()
            && self.days.last().is_none_or(|newest| *newest < last)
        {
            missing.extend((last + 1..=last + DAYS_AHEAD).filter(|day| !self.days.contains(day)));
        }
        for day in missing {
            self.make_partitions(day).await?;
            self.days.insert(day);
        }
        Ok(())
    }

    async fn partitions(&mut self) -> Result<BTreeSet<DayNumber>, StoreError> {
        let rows = self
            .connection
            .fetch_all(
                "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
                 WHERE i.inhparent = 'refusals'::regclass",
            )
            .await?;
        let mut days = BTreeSet::new();
        for row in rows {
            let name: String = row.try_get(0)?;
            days.extend(day_of(&name));
        }
        Ok(days)
    }

    /// The partitions of one day: made apart and attached, which waits for no reader.
    async fn make_partitions(&mut self, day: DayNumber) -> Result<(), StoreError> {
        let (from, to) = (Date(day), Date(day + 1));
        let mut transaction = self.connection.begin().await?;
        for table in PARTITIONED {
            let name = partition(table, day);
            let fill = if table == "orders" {
                "WITH (fillfactor = 80)"
            } else {
                ""
            }; // orders change where they stand
            run(
                &mut transaction,
                format!("CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS) {fill}"),
            )
            .await?;
            run(
                &mut transaction,
                format!("ALTER TABLE {name} ADD CHECK (day >= '{from}' AND day < '{to}')"),
            )
            .await?;
            run(
                &mut transaction,
                format!("ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{from}') TO ('{to}')"),
            )
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

fn partition(table: &str, day: DayNumber) -> String {
    format!("{table}_{}", Date(day).to_string().replace('-', ""))
}

/// The day of a partition's name.
fn day_of(name: &str) -> Option<DayNumber> {
    let digits = name.rsplit_once('_')?.1;
    let (year, month, day) = (digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?);
    tradewind_domain::time::day_number(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

async fn run(connection: &mut PgConnection, sql: impl Into<String>) -> Result<u64, StoreError> {
    Ok(connection
        .execute(AssertSqlSafe(sql.into()))
        .await?
        .rows_affected())
}

/// Sends rows to a table, or to a partition or stage with its columns.
async fn copy_in<R: Row>(connection: &mut PgConnection, table: &str, copy: Copy) -> Result<(), StoreError> {
    if copy.is_empty() {
        return Ok(());
    }
    let columns = Dialect::Postgres.column_list(R::TABLE.columns);
    let statement = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
    let mut sink = connection.copy_in_raw(&statement).await?;
    for chunk in copy.finish().chunks(CHUNK) {
        sink.send(chunk).await?;
    }
    sink.finish().await?;
    Ok(())
}

/// Rows by day, each day to its partition.
async fn by_day<R: Row>(
    connection: &mut PgConnection,
    rows: impl Iterator<Item = (DayNumber, R)>,
) -> Result<(), StoreError> {
    let mut copies: BTreeMap<DayNumber, Copy> = BTreeMap::new();
    for (day, row) in rows {
        copies.entry(day).or_insert_with(Copy::empty).row(&row);
    }
    for (day, copy) in copies {
        copy_in::<R>(connection, &partition(R::TABLE.name, day), copy).await?;
    }
    Ok(())
}

async fn append(connection: &mut PgConnection, batch: &Batch) -> Result<(), StoreError> {
    let orders = batch.orders.values().filter_map(|order| {
        let entered = order.entered.as_ref()?;
        Some((entered.origin.day, NewOrder(order, entered)))
    });
    by_day(connection, orders).await?;
    by_day(
        connection,
        batch.executions.iter().map(|row| (row.origin.day, row)),
    )
    .await?;
    by_day(connection, batch.entries.iter().map(|row| (row.origin.day, row))).await?;
    by_day(
        connection,
        batch.limit_events.iter().map(|row| (row.origin.day, row)),
    )
    .await?;
    by_day(connection, batch.refusals.iter().map(|row| (row.origin.day, row))).await?;
    copy_in::<rows::Alert>(connection, rows::ALERTS.name, Copy::of(&batch.alerts)).await?;
    copy_in::<rows::Audit>(connection, rows::AUDIT.name, Copy::of(&batch.audit)).await
}

/// Stages rows and lays them over the table.
async fn stage<'a, R: Row + 'a>(
    connection: &mut PgConnection,
    rows: impl IntoIterator<Item = &'a R>,
    statement: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    let copy = Copy::of(rows);
    if copy.is_empty() {
        return Ok(());
    }
    copy_in::<R>(connection, &format!("stage_{}", R::TABLE.name), copy).await?;
    run(connection, statement()).await?;
    Ok(())
}

async fn merge_rows(connection: &mut PgConnection, batch: &Batch) -> Result<(), StoreError> {
    stage(connection, batch.positions.values(), merge::positions).await?;
    stage(connection, batch.balances.values(), merge::balances).await?;
    stage(connection, batch.pnl.values(), merge::pnl).await?;
    stage(connection, batch.bars.values(), merge::bars).await
}

/// Lays patches over orders, newest day first: most orders are of today, and who is found is not looked for again.
async fn patch_orders(
    connection: &mut PgConnection,
    batch: &Batch,
    days: &[DayNumber],
) -> Result<(), StoreError> {
    let patches = || batch.orders.values().filter(|order| order.entered.is_none());
    let mut copy = Copy::empty();
    patches().for_each(|order| copy.row(&OrderPatch(order)));
    if copy.is_empty() {
        return Ok(());
    }
    copy_in::<OrderPatch<'_>>(connection, "stage_order_patches", copy).await?;
    let mut left = patches().count() as u64;
    for day in days {
        if left == 0 {
            break;
        }
        left = left.saturating_sub(run(connection, merge::patch(&partition("orders", *day))).await?);
    }
    Ok(())
}

/// Marks trades that were corrected or busted, likewise.
async fn mark_trades(
    connection: &mut PgConnection,
    batch: &Batch,
    days: &[DayNumber],
) -> Result<(), StoreError> {
    let copy = Copy::of(batch.restated.values());
    if copy.is_empty() {
        return Ok(());
    }
    copy_in::<rows::Restated>(connection, "stage_restated", copy).await?;
    let mut left = batch.restated.len() as u64;
    for day in days {
        if left == 0 {
            break;
        }
        left = left.saturating_sub(run(connection, merge::mark(&partition("executions", *day))).await?);
    }
    Ok(())
}

async fn reference(connection: &mut PgConnection, batch: &Batch) -> Result<(), StoreError> {
    let names = &batch.names;
    let replace = |table: crate::fields::Table| move || merge::replace(table.name, table.columns);
    stage(connection, names.currencies.values(), replace(names::CURRENCIES)).await?;
    stage(connection, names.nodes.values(), replace(names::NODES)).await?;
    stage(connection, names.accounts.values(), replace(names::ACCOUNTS)).await?;
    stage(
        connection,
        names.instruments.values(),
        replace(names::INSTRUMENTS),
    )
    .await?;
    stage(connection, names.limits.values(), replace(names::LIMITS)).await?;
    stage(connection, names.sessions.values(), replace(names::SESSIONS)).await
}

async fn save(connection: &mut PgConnection, saved: &Saved) -> Result<(), StoreError> {
    let Some((id, place)) = saved.journal_id.zip(saved.place) else {
        return Ok(());
    };
    run(connection, "DELETE FROM store_place").await?;
    let mut copy = Copy::empty();
    copy.row(&read::PlaceRow { id, place, saved });
    copy_in::<read::PlaceRow<'_>>(connection, "store_place", copy).await
}
