//! Rows as bytes: JSON arrays, and the compact binary form (docs/rttm.md, "Binary frames").
//!
//! A row is written once, when it changes, and copied into every frame that has it.

use std::fmt::{Display, Write as _};
use tradewind_domain::time::{Date, DayNumber, Rfc3339, UnixNanos};
use tradewind_views::query::current::Decimal;

/// Writes the cells of a row, in the order of the columns.
pub(crate) trait Cells {
    fn null(&mut self);
    fn text(&mut self, text: &str);
    fn number(&mut self, number: i64);
    fn decimal(&mut self, decimal: Decimal);
    fn truth(&mut self, truth: bool);
    fn date(&mut self, day: DayNumber);
    /// Nanoseconds since 1970.
    fn time(&mut self, ns: UnixNanos);

    /// Something that shows as text.
    fn shown(&mut self, value: &impl Display) {
        let mut text = String::new();
        let _ = write!(text, "{value}"); // writing to a string does not fail
        self.text(&text);
    }
    /// Text that may be missing.
    fn text_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }
    /// A decimal that may be missing.
    fn decimal_or_null(&mut self, decimal: Option<Decimal>) {
        match decimal {
            Some(decimal) => self.decimal(decimal),
            None => self.null(),
        }
    }
    /// A count; what is beyond 63 bits shows as the largest.
    fn count(&mut self, count: u64) {
        self.number(i64::try_from(count).unwrap_or(i64::MAX));
    }
    /// A count that may be missing.
    fn count_or_null(&mut self, count: Option<u64>) {
        match count {
            Some(count) => self.count(count),
            None => self.null(),
        }
    }
    /// A time; 0 is none.
    fn time_or_null(&mut self, ns: UnixNanos) {
        match ns {
            0 => self.null(),
            ns => self.time(ns),
        }
    }
}

/// A JSON array without its brackets.
#[derive(Default)]
pub(crate) struct JsonCells(String);

impl JsonCells {
    fn next(&mut self) -> &mut String {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        &mut self.0
    }

    /// The array.
    pub(crate) fn finish(self) -> Box<[u8]> {
        let mut bytes = Vec::with_capacity(self.0.len() + 2);
        bytes.push(b'[');
        bytes.extend_from_slice(self.0.as_bytes());
        bytes.push(b']');
        bytes.into_boxed_slice()
    }
}

impl Cells for JsonCells {
    fn null(&mut self) {
        self.next().push_str("null");
    }
    fn text(&mut self, text: &str) {
        quoted(self.next(), text);
    }
    fn number(&mut self, number: i64) {
        let _ = write!(self.next(), "{number}");
    }
    fn decimal(&mut self, decimal: Decimal) {
        let _ = write!(self.next(), "\"{decimal}\"");
    }
    fn truth(&mut self, truth: bool) {
        self.next().push_str(if truth { "true" } else { "false" });
    }
    fn date(&mut self, day: DayNumber) {
        let _ = write!(self.next(), "\"{}\"", Date(day));
    }
    fn time(&mut self, ns: UnixNanos) {
        let _ = write!(self.next(), "\"{}\"", Rfc3339(ns));
    }
}

/// Appends a JSON string.
pub(crate) fn quoted(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

/// Tags of binary cells.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const TEXT_8: u8 = 1;
    pub(super) const TEXT_16: u8 = 2;
    pub(super) const NUMBER: u8 = 3;
    pub(super) const DECIMAL_64: u8 = 4;
    pub(super) const DECIMAL_128: u8 = 5;
    pub(super) const FALSE: u8 = 7;
    pub(super) const TRUE: u8 = 8;
    pub(super) const TIME: u8 = 9;
    pub(super) const DATE: u8 = 10;
}

/// Binary cells, one behind the other.
#[derive(Default)]
pub(crate) struct BinaryCells(Vec<u8>);

impl BinaryCells {
    /// The cells.
    pub(crate) fn finish(self) -> Box<[u8]> {
        self.0.into_boxed_slice()
    }
}

impl Cells for BinaryCells {
    fn null(&mut self) {
        self.0.push(tag::NULL);
    }
    fn text(&mut self, text: &str) {
        let mut text = text;
        if let Ok(len) = u8::try_from(text.len()) {
            self.0.extend_from_slice(&[tag::TEXT_8, len]);
        } else {
            let max = usize::from(u16::MAX);
            if text.len() > max {
                text = &text[..text.floor_char_boundary(max)];
            }
            self.0.push(tag::TEXT_16);
            self.0.extend_from_slice(&(text.len() as u16).to_le_bytes());
        }
        self.0.extend_from_slice(text.as_bytes());
    }
    fn number(&mut self, number: i64) {
        self.0.push(tag::NUMBER);
        self.0.extend_from_slice(&number.to_le_bytes());
    }
    fn decimal(&mut self, decimal: Decimal) {
        if let Ok(raw) = i64::try_from(decimal.0) {
            self.0.push(tag::DECIMAL_64);
            self.0.extend_from_slice(&raw.to_le_bytes());
        } else {
            self.0.push(tag::DECIMAL_128);
            self.0.extend_from_slice(&decimal.0.to_le_bytes());
        }
    }
    fn truth(&mut self, truth: bool) {
        self.0.push(if truth { tag::TRUE } else { tag::FALSE });
    }
    fn date(&mut self, day: DayNumber) {
        self.0.push(tag::DATE);
        self.0.extend_from_slice(&day.to_le_bytes());
    }
    fn time(&mut self, ns: UnixNanos) {
        self.0.push(tag::TIME);
        self.0.extend_from_slice(&ns.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(cells: &mut impl Cells) {
        cells.text("a\"b\\\n\u{e9}");
        cells.null();
        cells.number(-7);
        cells.decimal(Decimal(-150_000_000));
        cells.decimal(Decimal(i128::from(i64::MAX) + 1));
        cells.truth(true);
        cells.time(1_000_000_000);
    }

    #[test]
    fn a_row_is_a_json_array_that_any_reader_takes() {
        let mut cells = JsonCells::default();
        write(&mut cells);
        let row: serde_json::Value = serde_json::from_slice(&cells.finish()).unwrap();
        let known = serde_json::json!([
            "a\"b\\\n\u{e9}",
            null,
            -7,
            "-1.5",
            "92233720368.54775808",
            true,
            "1970-01-01T00:00:01.000000000Z"
        ]);
        assert_eq!(row, known);
    }

    #[test]
    fn binary_cells_are_a_tag_and_a_value_of_the_documented_width() {
        let mut cells = BinaryCells::default();
        write(&mut cells);
        let bytes = cells.finish();
        assert_eq!(&bytes[..9], b"\x01\x07a\"b\\\n\xc3\xa9");
        assert_eq!(bytes[9], 0);
        assert_eq!(&bytes[10..19], b"\x03\xf9\xff\xff\xff\xff\xff\xff\xff");
        assert_eq!(bytes[19], 4);
        assert_eq!(&bytes[20..28], &(-150_000_000i64).to_le_bytes());
        assert_eq!((bytes[28], bytes[45], bytes[46]), (5, 8, 9));
        assert_eq!(bytes.len(), 55);
        let mut long = BinaryCells::default();
        long.text(&"\u{e9}".repeat(40_000));
        let long = long.finish();
        assert_eq!(&long[..3], &[2, 0xfe, 0xff], "cut between two characters");
    }
}
