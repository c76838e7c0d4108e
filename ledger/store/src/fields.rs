//! Fields: what takes the values of a row, once for every database.
//!
//! A [`Row`](crate::table::Row) hands its values, column by column, to whatever implements [`Fields`]: the binary COPY of Postgres, the
//! arguments of a SQLite statement. What differs between databases is decided there and nowhere else.

use tradewind_domain::time::{DayNumber, UnixNanos};

/// Takes the values of a row.
pub(crate) trait Fields {
    /// Nothing.
    fn null(&mut self);
    /// A truth value.
    fn flag(&mut self, value: bool);
    /// 16 bits.
    fn int2(&mut self, value: i16);
    /// 32 bits.
    fn int4(&mut self, value: i32);
    /// 64 bits.
    fn int8(&mut self, value: i64);
    /// A decimal with 8 places.
    fn dec(&mut self, raw: i128);
    /// A decimal with as many places as it says.
    fn number(&mut self, value: (i128, u8));
    /// Text without zero bytes.
    fn text(&mut self, value: &str);
    /// Bytes.
    fn bytes(&mut self, value: &[u8]);
    /// A date.
    fn day(&mut self, day: DayNumber);
    /// A time.
    fn time(&mut self, ns: UnixNanos);
    /// A time that may be missing: two columns in Postgres.
    fn opt_time(&mut self, ns: UnixNanos);

    /// A decimal with 16 places.
    fn wide(&mut self, raw: i128) {
        self.number((raw, 16));
    }
    /// 16 bits, or nothing.
    fn opt_int2(&mut self, value: Option<i16>) {
        match value {
            Some(value) => self.int2(value),
            None => self.null(),
        }
    }
    /// 32 bits, or nothing.
    fn opt_int4(&mut self, value: Option<i32>) {
        match value {
            Some(value) => self.int4(value),
            None => self.null(),
        }
    }
    /// 64 bits, or nothing.
    fn opt_int8(&mut self, value: Option<i64>) {
        match value {
            Some(value) => self.int8(value),
            None => self.null(),
        }
    }
    /// A decimal with 8 places, or nothing.
    fn opt_dec(&mut self, raw: Option<i128>) {
        match raw {
            Some(raw) => self.dec(raw),
            None => self.null(),
        }
    }
    /// A decimal with as many places as it says, or nothing.
    fn opt_number(&mut self, value: Option<(i128, u8)>) {
        match value {
            Some(value) => self.number(value),
            None => self.null(),
        }
    }
    /// Text, or nothing.
    fn opt_text(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }
    /// A date; 0 is none.
    fn opt_day(&mut self, day: DayNumber) {
        if day == 0 { self.null() } else { self.day(day) }
    }
}
