//! Values of rows as arguments of a SQLite statement.

use crate::error::StoreError;
use crate::fields::Fields;
use sqlx::Arguments as _;
use sqlx::sqlite::SqliteArguments;
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::time::{Date, DayNumber, UnixNanos};

/// Arguments of one statement.
#[derive(Default)]
pub(super) struct Values {
    arguments: SqliteArguments,
    failed: Option<sqlx::error::BoxDynError>,
}

impl Values {
    /// The arguments.
    pub(super) fn finish(self) -> Result<SqliteArguments, StoreError> {
        match self.failed {
            None => Ok(self.arguments),
            Some(error) => Err(StoreError::Database(sqlx::Error::Encode(error))),
        }
    }

    pub(super) fn put<'a, T>(&mut self, value: T)
    where
        T: sqlx::Encode<'a, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + 'a,
    {
        if let Err(error) = self.arguments.add(value) {
            self.failed = Some(error);
        }
    }
}

/// A decimal as text, plain and without trailing zeros.
fn plain(raw: i128, scale: u8) -> String {
    match scale {
        0 => raw.to_string(),
        8 => Money::from_raw(raw).to_string(),
        16 => Notional::from_raw(raw).to_string(),
        scale => {
            let one = 10u128.pow(u32::from(scale.min(38)));
            let sign = if raw < 0 { "-" } else { "" };
            let (whole, fraction) = (raw.unsigned_abs() / one, raw.unsigned_abs() % one);
            format!("{sign}{whole}.{fraction:0width$}", width = usize::from(scale))
        }
    }
}

impl Fields for Values {
    fn null(&mut self) {
        self.put(None::<i64>);
    }
    fn flag(&mut self, value: bool) {
        self.put(i64::from(value));
    }
    fn int2(&mut self, value: i16) {
        self.put(i64::from(value));
    }
    fn int4(&mut self, value: i32) {
        self.put(i64::from(value));
    }
    fn int8(&mut self, value: i64) {
        self.put(value);
    }
    fn dec(&mut self, raw: i128) {
        match i64::try_from(raw) {
            Ok(raw) => self.put(raw),
            Err(_) => self.put(raw.to_string()),
        }
    }
    fn number(&mut self, (raw, scale): (i128, u8)) {
        self.put(plain(raw, scale));
    }
    fn text(&mut self, value: &str) {
        self.put(value.to_owned());
    }
    fn bytes(&mut self, value: &[u8]) {
        self.put(value.to_vec());
    }
    fn day(&mut self, day: DayNumber) {
        self.put(Date(day).to_string());
    }
    fn time(&mut self, ns: UnixNanos) {
        self.put(ns as i64); // 63 bits end in 2262
    }
    fn opt_time(&mut self, ns: UnixNanos) {
        if ns == 0 { self.null() } else { self.time(ns) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_plain_text() {
        assert_eq!(plain(-123, 2), "-1.23");
        assert_eq!(plain(15_000_000_000_000_000, 16), "1.5");
        assert_eq!(plain(7, 0), "7");
    }
}
