//! Merged rows: read, added in 128 bits, written back.

use super::bind::Values;
use super::cells::{Cell, Cells, read_columns};
use super::insert_cells;
use crate::batch::Batch;
use crate::error::StoreError;
use crate::fields::Fields;
use crate::read::Source;
use crate::read::{Arg, TextRow};
use crate::rows::{Order, opt_px};
use crate::schema::Dialect::Sqlite;
use crate::table::{Row, Table};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor};
use tradewind_domain::time::Date;

/// Lays every merged row of a batch over what is there.
pub(super) async fn all(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), StoreError> {
    let names = &batch.names;
    macro_rules! merge {
        ($batch:expr, $($rows:ident),*) => {
            $(merge(connection, $batch.$rows.values()).await?;)*
        };
    }
    merge!(batch, positions, balances, pnl, equity, bars, recon_runs, breaks);
    merge!(names, currencies, nodes, accounts, instruments, limits, sessions);
    for order in batch.orders.values().filter(|order| order.entered.is_none()) {
        patch(connection, order).await?;
    }
    for row in batch.restated.values() {
        let mut values = Values::default();
        values.int2(i16::from(row.status));
        values.int8(row.changed_seq as i64);
        values.int8(row.trade_seq as i64);
        let sql = "UPDATE executions SET status = ?, changed_seq = ? WHERE seq = ? AND trade_seq IS NULL";
        connection
            .execute(sqlx::query_with(sql, values.finish()?))
            .await?;
    }
    Ok(())
}

/// Lays rows over those that are there.
pub(super) async fn merge<'a, R: Row + 'a>(
    connection: &mut SqliteConnection,
    rows: impl IntoIterator<Item = &'a R>,
) -> Result<(), StoreError> {
    let columns = read_columns(R::TABLE);
    let mut merged = Vec::new();
    for row in rows {
        let mut cells = Cells::of(row);
        if !columns.is_empty()
            && let Some(old) = find(connection, R::TABLE, &columns, &cells).await?
        {
            cells.over(R::TABLE, &old)?;
        }
        merged.push(cells);
    }
    insert_cells(connection, R::TABLE, &merged).await
}

/// Columns of the row that is there.
async fn find(
    connection: &mut SqliteConnection,
    table: &'static Table,
    columns: &[&str],
    row: &Cells,
) -> Result<Option<TextRow>, StoreError> {
    let mut args = Vec::with_capacity(table.key.len());
    let mut conditions = Vec::with_capacity(table.key.len());
    for (at, name) in (1..).zip(table.key) {
        args.push(match row.get(table, name.trim_end_matches("_ns")) {
            Some(Cell::Int(value)) => Arg::Int(*value),
            Some(Cell::Time(ns)) => Arg::Int(*ns as i64),
            Some(Cell::Day(day)) => Arg::Text(Date(*day).to_string()),
            _ => return Err(StoreError::Damaged(format!("{name} is no key of {}", table.name))),
        });
        conditions.push(format!("{name} = ${at}"));
    }
    let sql = format!(
        "SELECT {} FROM {} WHERE {}",
        Sqlite.texts(columns),
        table.name,
        conditions.join(" AND ")
    );
    let found = Source::Sqlite(connection).rows(&sql, &args).await?;
    Ok(found.into_iter().next())
}

fn opt_dec(old: &TextRow, at: usize) -> Result<Option<i64>, StoreError> {
    let raw = old.opt(at).map(|text| Sqlite.raw(text, 8)).transpose()?;
    Ok(raw.map(|raw| raw as i64)) // prices have 64 bits
}

/// Lays a patch over an order, as `postgres::merge::patch` says it in one statement.
async fn patch(connection: &mut SqliteConnection, order: &Order) -> Result<(), StoreError> {
    let columns = Sqlite.texts(&["value", "new_qty"]);
    let sql = format!("SELECT {columns} FROM orders WHERE order_id = $1");
    let found = Source::Sqlite(connection)
        .rows(&sql, &[Arg::Int(order.order.0 as i64)])
        .await?;
    let Some(old) = found.first() else {
        return Ok(()); // of a time before the database, which only a damaged journal has
    };
    let value = Sqlite.raw(old.text(0)?, 16)? + order.value;
    let pending = opt_dec(old, 1)?.map(|qty| qty.saturating_add(order.pending_shift));
    let takes_pending = order.takes_pending && pending.is_some();
    let mut values = Values::default();
    let mut sets: Vec<String> = Vec::new();
    {
        let mut set = |column: &str, put: &mut dyn FnMut(&mut Values)| {
            put(&mut values);
            sets.push(format!("{column} = ?"));
        };
        set("last_seq", &mut |out| out.int8(order.last_seq as i64));
        set("updated_ns", &mut |out| out.time(order.updated_ns));
        if order.state != 0 {
            set("state", &mut |out| out.int2(order.state.into()));
        }
        set("cum", &mut |out| out.dec(order.cum.into()));
        set("leaves", &mut |out| out.dec(order.leaves.into()));
        set("value", &mut |out| out.wide(value));
        let taken = pending.filter(|_| takes_pending);
        if let Some(qty) = order.restated_qty.or(order.is.map(|is| is.qty)).or(taken) {
            set("qty", &mut |out| out.dec(qty.into()));
        }
        if let Some(is) = &order.is {
            set("px", &mut |out| out.opt_dec(opt_px(is.px)));
            set("stop_px", &mut |out| out.opt_dec(opt_px(is.stop_px)));
            set("cl_ord_id", &mut |out| out.text(is.cl_ord_id.as_str()));
        }
        if let Some(asked) = &order.pending {
            set("new_qty", &mut |out| out.dec(asked.qty.into()));
            set("new_px", &mut |out| out.opt_dec(opt_px(asked.px)));
            set("new_stop_px", &mut |out| out.opt_dec(opt_px(asked.stop_px)));
            set("new_cl_ord_id", &mut |out| out.text(asked.cl_ord_id.as_str()));
        } else if !takes_pending && order.is.is_none() {
            set("new_qty", &mut |out| out.opt_dec(pending.map(i128::from)));
        }
        if !order.venue_order_id.is_empty() {
            set("venue_order_id", &mut |out| {
                out.text(order.venue_order_id.as_str())
            });
        }
    }
    let mut sql_sets = sets.join(", ");
    if takes_pending && order.is.is_none() {
        sql_sets
            .push_str(", px = new_px, stop_px = new_stop_px, cl_ord_id = COALESCE(new_cl_ord_id, cl_ord_id)");
    }
    if order.pending.is_none() && (takes_pending || order.is.is_some()) {
        sql_sets.push_str(", new_qty = NULL, new_px = NULL, new_stop_px = NULL, new_cl_ord_id = NULL");
    }
    values.int8(order.order.0 as i64);
    let sql = format!("UPDATE orders SET {sql_sets} WHERE order_id = ?");
    connection
        .execute(sqlx::query_with(AssertSqlSafe(sql), values.finish()?))
        .await?;
    Ok(())
}
