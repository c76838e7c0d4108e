//! Binary COPY: rows as the bytes that Postgres takes fastest.
//!
//! The format is that of the documentation of COPY: a signature, then for each row a count of fields and each field with its length,
//! big-endian; -1 for nothing. Decimals are digits to base 10,000, made from the scaled integer without text or rounding.

use crate::fields::Fields;
use crate::table::Row;
use tradewind_domain::time::{DayNumber, UnixNanos};

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1i16).to_be_bytes();
/// 1 January 2000, as days since 1970.
const EPOCH_DAY: i32 = 10_957;
/// The same in microseconds.
const EPOCH_US: i64 = EPOCH_DAY as i64 * 86_400_000_000;

/// Rows of one table.
pub(super) struct Copy {
    bytes: Vec<u8>,
    /// Where the count of the row's fields stands, and how many there are so far.
    row_at: usize,
    count: i16,
    rows: u64,
}

impl Copy {
    /// Rows of a table.
    pub(super) fn of<'a, R: Row + 'a>(rows: impl IntoIterator<Item = &'a R>) -> Self {
        let mut copy = Self::empty();
        for row in rows {
            copy.row(row);
        }
        copy
    }

    pub(super) fn empty() -> Self {
        Self {
            bytes: HEADER.to_vec(),
            row_at: 0,
            count: 0,
            rows: 0,
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, row: &impl Row) {
        self.row_of(|copy| row.fields(copy));
    }

    /// Adds a row whose fields are put by `put`.
    pub(super) fn row_of(&mut self, put: impl FnOnce(&mut Self)) {
        self.row_at = self.bytes.len();
        self.count = 0;
        self.bytes.extend_from_slice(&[0; 2]);
        put(self);
        self.bytes[self.row_at..self.row_at + 2].copy_from_slice(&self.count.to_be_bytes());
        self.rows += 1;
    }

    /// Rows in it.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// A list of 64-bit numbers.
    pub(super) fn int8_list(&mut self, values: &[i64]) {
        const INT8: i32 = 20; // the type's number, fixed in Postgres' catalog
        let dimensions = i32::from(!values.is_empty());
        let size = 12 + 8 * dimensions as usize + 12 * values.len();
        self.count += 1;
        let mut put = |word: i32| self.bytes.extend_from_slice(&word.to_be_bytes());
        put(size as i32);
        for word in [dimensions, 0, INT8] {
            put(word);
        }
        if dimensions != 0 {
            put(values.len() as i32);
            put(1); // where its count begins
        }
        for value in values {
            self.bytes.extend_from_slice(&8i32.to_be_bytes());
            self.bytes.extend_from_slice(&value.to_be_bytes());
        }
    }

    /// The whole message.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&TRAILER);
        self.bytes
    }

    fn field(&mut self, bytes: &[u8]) {
        self.count += 1;
        self.bytes.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }
}

impl Fields for Copy {
    fn null(&mut self) {
        self.count += 1;
        self.bytes.extend_from_slice(&(-1i32).to_be_bytes());
    }
    fn flag(&mut self, value: bool) {
        self.field(&[u8::from(value)]);
    }
    fn int2(&mut self, value: i16) {
        self.field(&value.to_be_bytes());
    }
    fn int4(&mut self, value: i32) {
        self.field(&value.to_be_bytes());
    }
    fn int8(&mut self, value: i64) {
        self.field(&value.to_be_bytes());
    }
    fn dec(&mut self, raw: i128) {
        let numeric = Numeric::of(raw, 8);
        self.field(numeric.bytes());
    }
    fn number(&mut self, (raw, scale): (i128, u8)) {
        let numeric = Numeric::of(raw, scale);
        self.field(numeric.bytes());
    }
    fn text(&mut self, value: &str) {
        self.field(value.as_bytes());
    }
    fn bytes(&mut self, value: &[u8]) {
        self.field(value);
    }
    fn day(&mut self, day: DayNumber) {
        let days = i64::from(day) - i64::from(EPOCH_DAY);
        self.field(&i32::try_from(days).unwrap_or(i32::MAX).to_be_bytes());
    }
    fn time(&mut self, ns: UnixNanos) {
        let us = (ns / 1_000) as i64 - EPOCH_US; // 64 bits of nanoseconds end in 2554
        self.field(&us.to_be_bytes());
        self.field(&(ns as i64).to_be_bytes());
    }
    fn opt_time(&mut self, ns: UnixNanos) {
        if ns == 0 {
            self.null();
            self.null();
        } else {
            self.time(ns);
        }
    }
}

/// The most digits to base 10,000 of 128 bits and four decimals of padding.
const DIGITS_MAX: usize = 12;

/// A NUMERIC as it travels.
struct Numeric {
    bytes: [u8; 8 + 2 * DIGITS_MAX],
    len: usize,
}

impl Numeric {
    /// The number `raw * 10^-scale`, with `scale` decimals.
    fn of(raw: i128, scale: u8) -> Self {
        let mut numeric = Self {
            bytes: [0; 8 + 2 * DIGITS_MAX],
            len: 8,
        };
        let mut digits = [0u16; DIGITS_MAX];
        let mut count = 0;
        let mut push = |digit: u16| {
            digits[count] = digit;
            count += 1;
        };
        // Decimals come in fours: what is missing to a whole digit is padded below.
        let missing = (4 - scale % 4) % 4;
        let mut rest = raw.unsigned_abs();
        if missing != 0 {
            let part = 10u128.pow(u32::from(4 - missing));
            push((rest % part) as u16 * 10u16.pow(u32::from(missing)));
            rest /= part;
        }
        while rest > u128::from(u64::MAX) {
            push((rest % 10_000) as u16);
            rest /= 10_000;
        }
        let mut rest = rest as u64;
        while rest != 0 {
            push((rest % 10_000) as u16);
            rest /= 10_000;
        }
        let fraction = usize::from(scale.div_ceil(4));
        let low = digits[..count].iter().take_while(|digit| **digit == 0).count();
        let kept = &digits[low.min(count)..count];
        let kept = &kept[..kept.len() - kept.iter().rev().take_while(|digit| **digit == 0).count()];
        let weight = (low + kept.len()) as i16 - fraction as i16 - 1;
        let sign: u16 = if raw < 0 { 0x4000 } else { 0 };
        let head = [
            kept.len() as u16,
            if kept.is_empty() { 0 } else { weight as u16 },
            sign,
            u16::from(scale),
        ];
        for (at, word) in head.into_iter().enumerate() {
            numeric.bytes[at * 2..at * 2 + 2].copy_from_slice(&word.to_be_bytes());
        }
        for digit in kept.iter().rev() {
            numeric.bytes[numeric.len..numeric.len + 2].copy_from_slice(&digit.to_be_bytes());
            numeric.len += 2;
        }
        numeric
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(raw: i128, scale: u8) -> Vec<i16> {
        let numeric = Numeric::of(raw, scale);
        let pairs = numeric.bytes().chunks_exact(2);
        pairs.map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn a_numeric_is_digits_to_base_ten_thousand() {
        assert_eq!(words(0, 8), [0, 0, 0, 8]);
        assert_eq!(words(100_000_000, 8), [1, 0, 0, 8, 1], "1");
        assert_eq!(words(1, 8), [1, -2, 0, 8, 1], "0.00000001");
        assert_eq!(
            words(1_234_567_800_000_000, 8),
            [2, 1, 0, 8, 1234, 5678],
            "12345678"
        );
        assert_eq!(words(-1_050_000_000, 8), [2, 0, 0x4000, 8, 10, 5000], "-10.5");
        assert_eq!(words(123, 2), [2, 0, 0, 2, 1, 2300], "1.23");
        assert_eq!(words(40_000, 0), [1, 1, 0, 0, 4], "40000");
        assert_eq!(
            words(10_000_000_000_000_000, 16),
            [1, 0, 0, 16, 1],
            "1 with 16 places"
        );
    }

    #[test]
    fn the_largest_numbers_fit() {
        for raw in [i128::MAX, i128::MIN, i128::MIN + 1] {
            for scale in [0, 2, 8, 16] {
                let back = value(&words(raw, scale), scale);
                assert_eq!(back, Some(raw.unsigned_abs()), "{raw} {scale}");
            }
        }
    }

    /// The scaled integer of a number's words, its sign apart.
    fn value(words: &[i16], scale: u8) -> Option<u128> {
        let fraction = i32::from(scale.div_ceil(4));
        let mut sum: u128 = 0;
        let missing = (4 - scale % 4) % 4;
        for (at, digit) in words[4..].iter().enumerate() {
            let power = i32::from(words[1]) - at as i32 + fraction;
            let mut term = *digit as u128;
            let mut tens = power * 4 - i32::from(missing);
            while tens < 0 {
                term /= 10;
                tens += 1;
            }
            sum = sum.checked_add(term.checked_mul(10u128.checked_pow(tens as u32)?)?)?;
        }
        Some(sum)
    }
}
