//! Merged rows: read, added in 128 bits, written back.

use super::bind::Values;
use super::insert;
use crate::batch::Batch;
use crate::error::StoreError;
use crate::fields::{Fields, Row};
use crate::read::{Arg, Source, TextRow};
use crate::rows::{self, BalanceChange, Bar, Order, PnlChange, PositionChange};
use crate::schema::Dialect::Sqlite;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor};
use tradewind_domain::time::Date;

/// Lays every merged row of a batch over what is there.
pub(super) async fn all(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), StoreError> {
    merge(connection, batch.positions.values()).await?;
    merge(connection, batch.balances.values()).await?;
    merge(connection, batch.pnl.values()).await?;
    merge(connection, batch.bars.values()).await?;
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

/// A row that is laid over what is there.
trait Merged: Row + Copy {
    /// Columns of the key, with their values.
    fn key(&self) -> Vec<(&'static str, Arg)>;
    /// Columns that are read of the row that is there.
    const READ: &'static [&'static str];
    /// Lays itself over them.
    fn over(&mut self, old: &TextRow) -> Result<(), StoreError>;
}

async fn merge<'a, R: Merged + 'a>(
    connection: &mut SqliteConnection,
    rows: impl Iterator<Item = &'a R>,
) -> Result<(), StoreError> {
    let mut merged = Vec::new();
    for row in rows {
        let mut row = *row;
        let (columns, args): (Vec<&str>, Vec<Arg>) = row.key().into_iter().unzip();
        let conditions: Vec<String> = (1..)
            .zip(&columns)
            .map(|(at, column)| format!("{column} = ${at}"))
            .collect();
        let (texts, table) = (Sqlite.texts(R::READ), R::TABLE.name);
        let sql = format!("SELECT {texts} FROM {table} WHERE {}", conditions.join(" AND "));
        let found = Source::Sqlite(connection).rows(&sql, &args).await?;
        if let Some(old) = found.first() {
            row.over(old)?;
        }
        merged.push(row);
    }
    insert(connection, "INSERT OR REPLACE", &merged).await
}

fn dec(old: &TextRow, at: usize) -> Result<i128, StoreError> {
    Sqlite.raw(old.text(at)?, 8)
}

fn opt_dec(old: &TextRow, at: usize) -> Result<Option<i64>, StoreError> {
    let raw = old.opt(at).map(|text| Sqlite.raw(text, 8)).transpose()?;
    Ok(raw.map(|raw| raw as i64)) // prices have 64 bits
}

impl Merged for PositionChange {
    fn key(&self) -> Vec<(&'static str, Arg)> {
        vec![("holding_id", Arg::Int((self.holding as i32).into()))]
    }
    const READ: &'static [&'static str] = &["qty", "cost", "realised", "fees", "income", "fills"];
    fn over(&mut self, old: &TextRow) -> Result<(), StoreError> {
        self.qty += dec(old, 0)?;
        self.cost += dec(old, 1)?;
        self.realised += dec(old, 2)?;
        self.fees += dec(old, 3)?;
        self.income += dec(old, 4)?;
        self.fills += old.int::<i64>(5)?;
        Ok(())
    }
}

impl Merged for BalanceChange {
    fn key(&self) -> Vec<(&'static str, Arg)> {
        vec![
            ("class", Arg::Int(self.class.into())),
            ("owner_id", Arg::Int((self.owner as i32).into())),
        ]
    }
    const READ: &'static [&'static str] = &[
        "debits_pending",
        "debits_posted",
        "credits_pending",
        "credits_posted",
    ];
    fn over(&mut self, old: &TextRow) -> Result<(), StoreError> {
        self.debits_pending += dec(old, 0)?;
        self.debits_posted += dec(old, 1)?;
        self.credits_pending += dec(old, 2)?;
        self.credits_posted += dec(old, 3)?;
        Ok(())
    }
}

impl Merged for PnlChange {
    fn key(&self) -> Vec<(&'static str, Arg)> {
        vec![
            ("day", Arg::Text(Date(self.day).to_string())),
            ("node_id", Arg::Int((self.node.0 as i32).into())),
            ("instrument_id", Arg::Int((self.instrument.0 as i32).into())),
        ]
    }
    const READ: &'static [&'static str] = &["realised", "fees", "income", "fills", "volume"];
    fn over(&mut self, old: &TextRow) -> Result<(), StoreError> {
        self.realised += dec(old, 0)?;
        self.fees += dec(old, 1)?;
        self.income += dec(old, 2)?;
        self.fills += old.int::<i64>(3)?;
        self.volume += dec(old, 4)?;
        Ok(())
    }
}

impl Merged for Bar {
    fn key(&self) -> Vec<(&'static str, Arg)> {
        vec![
            ("seconds", Arg::Int(self.seconds.into())),
            ("instrument_id", Arg::Int((self.instrument.0 as i32).into())),
            ("begin_ns", Arg::Int(self.begin_ns as i64)),
        ]
    }
    const READ: &'static [&'static str] = &[
        "open", "high", "low", "close", "volume", "turnover", "trades", "bid", "ask", "quotes",
    ];
    fn over(&mut self, old: &TextRow) -> Result<(), StoreError> {
        let prices = [
            opt_dec(old, 0)?,
            opt_dec(old, 1)?,
            opt_dec(old, 2)?,
            opt_dec(old, 3)?,
        ];
        let quotes = old.int(9)?;
        let mut bar = Self {
            prices: match prices {
                [Some(open), Some(high), Some(low), Some(close)] => Some([open, high, low, close]),
                _ => None,
            },
            volume: dec(old, 4)?,
            turnover: Sqlite.raw(old.text(5)?, 16)?,
            trades: old.int(6)?,
            quote: (quotes > 0).then_some([opt_dec(old, 7)?.unwrap_or(0), opt_dec(old, 8)?.unwrap_or(0)]),
            quotes,
            ..*self
        };
        bar.merge(self);
        *self = bar;
        Ok(())
    }
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
            set("px", &mut |out| out.opt_dec(rows::opt_px(is.px)));
            set("stop_px", &mut |out| out.opt_dec(rows::opt_px(is.stop_px)));
            set("cl_ord_id", &mut |out| out.text(is.cl_ord_id.as_str()));
        }
        if let Some(asked) = &order.pending {
            set("new_qty", &mut |out| out.dec(asked.qty.into()));
            set("new_px", &mut |out| out.opt_dec(rows::opt_px(asked.px)));
            set("new_stop_px", &mut |out| out.opt_dec(rows::opt_px(asked.stop_px)));
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
