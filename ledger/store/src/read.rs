//! Reading, alike for both databases: every column comes as text, and becomes what it is in one place.
//!
//! A statement names its arguments `$1`, `$2` …, which both databases understand. What they do not share (casts, bytes) is said
//! through [`Dialect`].

mod breaks;

pub(crate) use breaks::breaks;

use crate::error::StoreError;
use crate::names::Names;
use crate::position::{Place, Saved};
use crate::rows::{CurrencyRow, InstrumentRow, LimitRow, NodeRow, SessionRow};
use crate::schema::Dialect;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row as _};
use tradewind_domain::text::Text;
use tradewind_machine::journal::Position;

/// A connection to read from.
pub(crate) enum Source<'a> {
    /// Postgres.
    Postgres(&'a mut PgConnection),
    /// SQLite.
    Sqlite(&'a mut SqliteConnection),
}

/// An argument of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    /// A whole number.
    Int(i64),
    /// Text, or a date.
    Text(String),
}

/// A row, each column as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextRow(pub(crate) Vec<Option<String>>);

impl TextRow {
    /// A column that must be there.
    pub(crate) fn text(&self, at: usize) -> Result<&str, StoreError> {
        self.opt(at)
            .ok_or_else(|| StoreError::Damaged(format!("column {at} is empty")))
    }

    /// A column that may be empty.
    pub(crate) fn opt(&self, at: usize) -> Option<&str> {
        self.0.get(at)?.as_deref()
    }

    /// A whole number.
    pub(crate) fn int<T: TryFrom<i64>>(&self, at: usize) -> Result<T, StoreError> {
        let text = self.text(at)?;
        let number = text
            .parse::<i64>()
            .ok()
            .and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| StoreError::Damaged(format!("{text:?} is no such number")))
    }

    /// A number of a record, a time or a count: 64 bits without a sign.
    pub(crate) fn seq(&self, at: usize) -> Result<u64, StoreError> {
        Ok(self.int::<i64>(at)? as u64)
    }

    /// A whole number whose bits are an id: `-1` is the largest one.
    pub(crate) fn id(&self, at: usize) -> Result<u32, StoreError> {
        Ok(self.int::<i32>(at)? as u32)
    }
}

impl Source<'_> {
    /// Which database.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// All rows of a statement whose columns are text.
    pub(crate) async fn rows(&mut self, sql: &str, args: &[Arg]) -> Result<Vec<TextRow>, StoreError> {
        macro_rules! fetch {
            ($connection:expr, $columns:ident, $row:ident) => {{
                let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
                for arg in args {
                    query = match arg {
                        Arg::Int(value) => query.bind(*value),
                        Arg::Text(value) => query.bind(value.clone()),
                    };
                }
                let rows = query.fetch_all(&mut **$connection).await?;
                let text = |row: sqlx::$columns::$row| -> Result<TextRow, StoreError> {
                    let columns = (0..row.len()).map(|at| row.try_get::<Option<String>, _>(at));
                    Ok(TextRow(columns.collect::<Result<_, _>>()?))
                };
                rows.into_iter().map(text).collect()
            }};
        }
        match self {
            Self::Postgres(connection) => fetch!(connection, postgres, PgRow),
            Self::Sqlite(connection) => fetch!(connection, sqlite, SqliteRow),
        }
    }
}

impl Dialect {
    /// A column as text.
    pub(crate) fn text(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("({column})::text"),
            Self::Sqlite => format!("CAST({column} AS TEXT)"),
        }
    }

    /// Columns as text, with commas.
    pub(crate) fn texts(self, columns: &[&str]) -> String {
        let texts: Vec<String> = columns.iter().map(|column| self.text(column)).collect();
        texts.join(", ")
    }

    /// Bytes as hexadecimal text.
    pub(crate) fn hex(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("encode({column}, 'hex')"),
            Self::Sqlite => format!("lower(hex({column}))"),
        }
    }

    /// The scaled integer of a decimal that was read as text.
    pub(crate) fn raw(self, text: &str, scale: u8) -> Result<i128, StoreError> {
        let damaged = || StoreError::Damaged(format!("{text:?} is no decimal with {scale} places"));
        match self {
            Self::Sqlite if scale == 8 => text.parse().map_err(|_| damaged()),
            _ => scaled(text, scale).ok_or_else(damaged),
        }
    }
}

/// The scaled integer of a plain decimal.
fn scaled(text: &str, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let missing = u32::try_from(usize::from(scale).checked_sub(fraction.len())?).ok()?;
    let joined = format!("{}{whole}{fraction}", if negative { "-" } else { "" });
    joined
        .parse::<i128>()
        .ok()?
        .checked_mul(10i128.checked_pow(missing)?)
}

/// Where the database stands. With `lock`, others wait for the end of the transaction (SQLite has one writer anyway).
pub(crate) async fn saved(source: &mut Source<'_>, lock: bool) -> Result<Saved, StoreError> {
    let dialect = source.dialect();
    let texts = dialect.texts(&[
        "next",
        "last",
        "crc",
        "seq",
        "part",
        "recv_ns",
        "epoch",
        "chain_segment",
    ]);
    let (id, chain) = (dialect.hex("journal_id"), dialect.hex("chain"));
    let suffix = if lock && dialect == Dialect::Postgres {
        " FOR UPDATE"
    } else {
        ""
    };
    let sql = format!("SELECT {texts}, {id}, {chain} FROM store_place{suffix}");
    let rows = source.rows(&sql, &[]).await?;
    let Some(row) = rows.first() else {
        return Ok(Saved::default());
    };
    let place = Place {
        next: Position(row.int::<i64>(0)? as u64),
        last: Position(row.int::<i64>(1)? as u64),
        crc: row.int(2)?,
        seq: row.int::<i64>(3)? as u64,
        part: row.int(4)?,
        recv_ns: row.int::<i64>(5)? as u64,
        epoch: row.int(6)?,
    };
    Ok(Saved {
        journal_id: Some(bytes_of_hex(row.text(8)?)?),
        place: Some(place),
        chain: bytes_of_hex(row.text(9)?)?,
        chain_segment: row.int::<i64>(7)? as u64,
    })
}

fn bytes_of_hex<const N: usize>(text: &str) -> Result<[u8; N], StoreError> {
    let damaged = || StoreError::Damaged(format!("{text:?} are not {N} bytes"));
    if text.len() != 2 * N || !text.is_ascii() {
        return Err(damaged());
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| damaged())?;
    }
    Ok(bytes)
}

/// Refuses to write where somebody else has written meanwhile.
pub(crate) fn check_same(found: &Saved, left: &Saved) -> Result<(), StoreError> {
    if found == left {
        return Ok(());
    }
    let seq = |saved: &Saved| saved.place.map_or(0, |place| place.seq);
    Err(StoreError::OtherWriter {
        found: seq(found),
        left: seq(left),
    })
}

/// Reference data as of the place: what the projection has to know.
pub(crate) async fn names(source: &mut Source<'_>) -> Result<Names, StoreError> {
    let dialect = source.dialect();
    let mut names = Names::default();
    let sql = |columns: &[&str], table| format!("SELECT {} FROM {table}", dialect.texts(columns));
    let columns = ["currency_id", "code", "money_dp", "rate"];
    for row in source.rows(&sql(&columns, "currencies"), &[]).await? {
        let rate = row.opt(3).map(|text| dialect.raw(text, 8)).transpose()?;
        names.put_currency(&CurrencyRow {
            id: row.id(0)?,
            code: Text::lossy(row.text(1)?),
            money_dp: row.int(2)?,
            rate: rate.unwrap_or(0) as i64, // rates have 64 bits
        });
    }
    for row in source
        .rows(
            &sql(&["node_id", "code", "level", "parent_id", "account_id"], "nodes"),
            &[],
        )
        .await?
    {
        names.put_node(&NodeRow {
            id: row.id(0)?,
            code: Text::lossy(row.text(1)?),
            level: row.int(2)?,
            parent: row.id(3)?,
            account: row.id(4)?,
        });
    }
    let columns = [
        "instrument_id",
        "symbol",
        "sector",
        "kind",
        "currency_id",
        "calendar_id",
        "mult",
        "tick",
        "lot",
    ];
    for row in source.rows(&sql(&columns, "instruments"), &[]).await? {
        let dec = |at| Ok::<_, StoreError>(dialect.raw(row.text(at)?, 8)? as i64);
        names.put_instrument(&InstrumentRow {
            id: row.id(0)?,
            symbol: Text::lossy(row.text(1)?),
            sector: Text::lossy(row.text(2)?),
            kind: row.int(3)?,
            currency: row.id(4)?,
            calendar: row.id(5)?,
            mult: dec(6)?,
            tick: dec(7)?,
            lot: dec(8)?,
        });
    }
    let columns = [
        "limit_id",
        "label",
        "limit_type",
        "node_id",
        "action",
        "soft_pct",
        "removed",
        "hard_raw",
        "param_0",
        "param_1",
    ];
    for row in source.rows(&sql(&columns, "limits"), &[]).await? {
        names.put_limit(&LimitRow {
            id: row.id(0)?,
            label: Text::lossy(row.text(1)?),
            limit_type: row.int(2)?,
            node: row.id(3)?,
            action: row.int(4)?,
            soft_pct: row.int(5)?,
            removed: row.int(6)?,
            hard: dialect.raw(row.text(7)?, 0)?,
            period_ms: row.int(8)?,
            algo: row.int(9)?,
        });
    }
    for row in source
        .rows(&sql(&["session_id", "name"], "sessions"), &[])
        .await?
    {
        names.put_session(&SessionRow {
            id: row.id(0)?,
            name: Text::lossy(row.text(1)?),
        });
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(scaled("12.50000000", 8), Some(1_250_000_000));
        assert_eq!(scaled("-0.00000001", 8), Some(-1));
        assert_eq!(scaled("0", 16), Some(0));
        assert_eq!(scaled("1.123456789", 8), None, "more places than there are");
        assert_eq!(Dialect::Sqlite.raw("1250000000", 8).ok(), Some(1_250_000_000));
        assert_eq!(
            Dialect::Sqlite.raw("-1.5", 16).ok(),
            Some(-15_000_000_000_000_000)
        );
    }
}
