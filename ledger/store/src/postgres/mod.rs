//! Postgres: batches by binary COPY, straight into the partition of their day; merged rows through staging tables.
//!
//! # Invariants
//! - The place in the journal is written in the transaction of its rows, and read back under a lock before: another writer is seen.
//! - A commit may be lost by a crash of the server (`synchronous_commit` is off): then the place is lost with it, and the rows come again.
//! - Partitions are made apart, before the batch, and attached without a lock that readers would notice.

mod accounts;
mod at_once;
mod copy;
mod merge;

use crate::batch::Batch;
use crate::error::StoreError;
use crate::position::Saved;
use crate::read;
use crate::rows::{EXECUTIONS, PLACE};
use crate::rows::{NewOrder, ORDER_PATCHES, ORDERS, OrderPatch, PlaceRow, RESTATED, Restated};
use crate::schema::{Dialect, TABLES, partitioned};
use crate::table::{Row, Table};
use copy::Copy;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::time::{Date, DayNumber};

/// Days whose partitions are made ahead of the newest one.
const DAYS_AHEAD: DayNumber = 2;
/// A day only grows, and its rows are found by keys: it is vacuumed and analysed when it has doubled, not with each tenth and fifth that
/// comes, which the hours of the open have every minute.
const SELDOM_SWEPT: &str = "autovacuum_analyze_scale_factor = 1, autovacuum_vacuum_insert_scale_factor = 1";
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
        let port = connection.fetch_one("SELECT inet_client_port()").await?;
        if let Some(Ok(port)) = port.try_get::<Option<i32>, _>(0)?.map(u16::try_from) {
            at_once::send_at_once(port);
        }
        // What a crash of the server takes back, the journal gives again.
        run(&mut connection, "SET synchronous_commit = off").await?;
        run(&mut connection, "SET jit = off").await?;
        // What is staged is small beside what it is laid over, which no statistics of a temporary table say: rows are found by keys.
        run(&mut connection, "SET enable_hashjoin = off").await?;
        run(&mut connection, "SET enable_mergejoin = off").await?;
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
        list_rows(&mut transaction, batch).await?;
        merge_rows(&mut transaction, batch).await?;
        patch_orders(&mut transaction, batch, &days).await?;
        mark_trades(&mut transaction, batch, &days).await?;
        save(&mut transaction, after).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Staging tables and partitions, before the transaction.
    async fn prepare(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if !self.is_staged {
            let merged = TABLES.iter().copied().filter(|table| table.is_merged());
            for table in merged.chain([&ORDER_PATCHES, &RESTATED, &PLACE]) {
                run(&mut self.connection, merge::stage(table)).await?;
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
        let tables = partitioned().map(|table| table.name);
        for table in tables.chain([accounts::TABLE]) {
            let name = partition(table, day);
            // Orders change where they stand.
            let fill = if table == ORDERS.name {
                "fillfactor = 80, "
            } else {
                ""
            };
            let statements = [
                format!("CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS) WITH ({fill}{SELDOM_SWEPT})"),
                format!("ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{from}') TO ('{to}')"),
            ];
            for statement in statements {
                run(&mut transaction, statement).await?;
            }
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

/// Sends rows to a table with these columns.
async fn send(
    connection: &mut PgConnection,
    table: &str,
    columns: &str,
    copy: Copy,
) -> Result<(), StoreError> {
    if copy.rows() == 0 {
        return Ok(());
    }
    let statement = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
    let mut sink = connection.copy_in_raw(&statement).await?;
    for chunk in copy.finish().chunks(CHUNK) {
        sink.send(chunk).await?;
    }
    sink.finish().await?;
    Ok(())
}

/// Sends rows to their table, or to a partition or stage of it.
async fn copy_in<R: Row>(connection: &mut PgConnection, table: &str, copy: Copy) -> Result<(), StoreError> {
    send(connection, table, &R::TABLE.names(Dialect::Postgres), copy).await
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
    macro_rules! by_day {
        ($($rows:ident),*) => {
            $(by_day(connection, batch.$rows.iter().map(|row| (row.origin.day, row))).await?;)*
        };
    }
    by_day!(executions, entries, limit_events, refusals);
    plain(connection, &batch.alerts).await?;
    plain(connection, &batch.audit).await
}

/// Rows of a table that is not kept by day.
async fn plain<R: Row>(connection: &mut PgConnection, rows: &[R]) -> Result<(), StoreError> {
    copy_in::<R>(connection, R::TABLE.name, Copy::of(rows)).await
}

/// Which rows the accounts have in this batch.
async fn list_rows(connection: &mut PgConnection, batch: &Batch) -> Result<(), StoreError> {
    let upto = batch.end.map_or(0, |place| place.seq);
    for (day, copy) in accounts::rows(batch, upto) {
        let table = partition(accounts::TABLE, day);
        send(connection, &table, accounts::COLUMNS, copy).await?;
    }
    Ok(())
}

/// Stages rows and lays them over their table.
async fn merge<'a, R: Row + 'a>(
    connection: &mut PgConnection,
    rows: impl IntoIterator<Item = &'a R>,
) -> Result<(), StoreError> {
    if stage(connection, Copy::of(rows), R::TABLE).await? > 0 {
        run(connection, merge::over(R::TABLE)).await?;
    }
    Ok(())
}

/// Stages rows. Gives how many there are.
async fn stage(connection: &mut PgConnection, copy: Copy, table: &Table) -> Result<u64, StoreError> {
    let count = copy.rows();
    let name = format!("stage_{}", table.name);
    send(connection, &name, &table.names(Dialect::Postgres), copy).await?;
    Ok(count)
}

async fn merge_rows(connection: &mut PgConnection, batch: &Batch) -> Result<(), StoreError> {
    let names = &batch.names;
    macro_rules! merge {
        ($batch:expr, $($rows:ident),*) => {
            $(merge(connection, $batch.$rows.values()).await?;)*
        };
    }
    merge!(batch, positions, balances, pnl, equity, bars, recon_runs, breaks);
    merge!(names, currencies, nodes, accounts, instruments, limits, sessions);
    Ok(())
}

/// Lays patches over orders, newest day first: most orders are of today, and who is found is not looked for again.
async fn patch_orders(
    connection: &mut PgConnection,
    batch: &Batch,
    days: &[DayNumber],
) -> Result<(), StoreError> {
    let mut copy = Copy::empty();
    let patches = batch.orders.values().filter(|order| order.entered.is_none());
    patches.for_each(|order| copy.row(&OrderPatch(order)));
    let staged = stage(connection, copy, OrderPatch::TABLE).await?;
    over_days(connection, staged, days, |day| {
        merge::patch(&partition(ORDERS.name, day))
    })
    .await
}

/// Marks trades that were corrected or busted, likewise.
async fn mark_trades(
    connection: &mut PgConnection,
    batch: &Batch,
    days: &[DayNumber],
) -> Result<(), StoreError> {
    let staged = stage(connection, Copy::of(batch.restated.values()), Restated::TABLE).await?;
    over_days(connection, staged, days, |day| {
        merge::mark(&partition(EXECUTIONS.name, day))
    })
    .await
}

/// Runs a statement for each day, until all staged rows have found theirs.
async fn over_days(
    connection: &mut PgConnection,
    staged: u64,
    days: &[DayNumber],
    statement: impl Fn(DayNumber) -> String,
) -> Result<(), StoreError> {
    let mut left = staged;
    for day in days {
        if left == 0 {
            break;
        }
        left = left.saturating_sub(run(connection, statement(*day)).await?);
    }
    Ok(())
}

async fn save(connection: &mut PgConnection, saved: &Saved) -> Result<(), StoreError> {
    merge(connection, PlaceRow::of(saved).as_ref()).await
}
