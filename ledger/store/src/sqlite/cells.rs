//! A row as a list of values, to be laid over the one that is there by the rules of its columns.

use crate::error::StoreError;
use crate::fields::Fields;
use crate::read::TextRow;
use crate::schema::Dialect::Sqlite;
use crate::table::{Column, Row, Rule, Table, Type};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Dec(i128),
    Number(i128, u8),
    Text(String),
    Bytes(Vec<u8>),
    Day(DayNumber),
    Time(UnixNanos),
}

/// The values of one row.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells(Vec<Cell>);

impl Cells {
    /// Those of a row.
    pub(super) fn of(row: &impl Row) -> Self {
        let mut cells = Self::default();
        row.fields(&mut cells);
        cells
    }

    /// Gives them to a statement.
    pub(super) fn put(&self, out: &mut impl Fields) {
        self.0.iter().for_each(|cell| cell.put(out));
    }

    /// The value of a column.
    pub(super) fn get(&self, table: &Table, name: &str) -> Option<&Cell> {
        let at = table.written().position(|column| column.name == name)?;
        self.0.get(at)
    }

    /// Lays them over a row that is there: `old` has the columns of [`read_columns`], in their order.
    pub(super) fn over(&mut self, table: &Table, old: &TextRow) -> Result<(), StoreError> {
        let is_quoted = matches!(self.get(table, "quotes"), Some(Cell::Int(count)) if *count > 0);
        let columns = table.written().zip(&mut self.0);
        let read = columns.filter(|(column, _)| is_read(column));
        for (at, (column, cell)) in read.enumerate() {
            let was = match old.opt(at) {
                Some(text) => Cell::read(column.holds, text)?,
                None => Cell::Null,
            };
            *cell = match (column.rule, &was, &*cell) {
                (Rule::Both, Cell::Null, _) | (Rule::Both, _, Cell::Null) => Cell::Null,
                (_, Cell::Null, now) => now.clone(),
                (Rule::Quoted, _, _) if is_quoted => continue,
                (_, _, Cell::Null) | (Rule::First | Rule::Quoted, _, _) => was,
                (Rule::Add | Rule::Both, was, now) => was.plus(now)?,
                (Rule::High, was, now) => was.higher(now).clone(),
                (Rule::Low, was, now) => was.lower(now).clone(),
                (Rule::Stays | Rule::Set | Rule::Last, _, now) => now.clone(),
            };
        }
        Ok(())
    }
}

/// Columns of a table whose old value counts.
pub(super) fn read_columns(table: &Table) -> Vec<&'static str> {
    let read = table.written().filter(|column| is_read(column));
    read.map(|column| column.name).collect()
}

fn is_read(column: &Column) -> bool {
    !matches!(column.rule, Rule::Stays | Rule::Set)
}

impl Cell {
    fn put(&self, out: &mut impl Fields) {
        match self {
            Self::Null => out.null(),
            Self::Int(value) => out.int8(*value),
            Self::Dec(raw) => out.dec(*raw),
            Self::Number(raw, scale) => out.number((*raw, *scale)),
            Self::Text(text) => out.text(text),
            Self::Bytes(bytes) => out.bytes(bytes),
            Self::Day(day) => out.day(*day),
            Self::Time(ns) => out.time(*ns),
        }
    }

    /// A value as the database has it; of sums and prices, which are all that is read.
    fn read(holds: Type, text: &str) -> Result<Self, StoreError> {
        const SCALE: u8 = 16; // of products of price and quantity
        Ok(match holds {
            Type::Dec => Self::Dec(Sqlite.raw(text, 8)?),
            Type::Number => Self::Number(Sqlite.raw(text, SCALE)?, SCALE),
            _ => Self::Int(
                text.parse()
                    .map_err(|_| StoreError::Damaged(format!("{text:?} is no number")))?,
            ),
        })
    }

    fn plus(&self, other: &Self) -> Result<Self, StoreError> {
        let sum = match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.checked_add(*b).map(Self::Int),
            (Self::Dec(a), Self::Dec(b)) => a.checked_add(*b).map(Self::Dec),
            (Self::Number(a, scale), Self::Number(b, same)) if scale == same => {
                a.checked_add(*b).map(|sum| Self::Number(sum, *scale))
            }
            _ => None,
        };
        sum.ok_or_else(|| StoreError::Damaged(format!("{self:?} and {other:?} have no sum")))
    }

    fn raw(&self) -> i128 {
        match self {
            Self::Dec(raw) | Self::Number(raw, _) => *raw,
            Self::Int(value) => (*value).into(),
            _ => 0,
        }
    }

    fn higher<'a>(&'a self, other: &'a Self) -> &'a Self {
        if other.raw() > self.raw() { other } else { self }
    }

    fn lower<'a>(&'a self, other: &'a Self) -> &'a Self {
        if other.raw() < self.raw() { other } else { self }
    }
}

impl Fields for Cells {
    fn null(&mut self) {
        self.0.push(Cell::Null);
    }
    fn flag(&mut self, value: bool) {
        self.0.push(Cell::Int(value.into()));
    }
    fn int2(&mut self, value: i16) {
        self.0.push(Cell::Int(value.into()));
    }
    fn int4(&mut self, value: i32) {
        self.0.push(Cell::Int(value.into()));
    }
    fn int8(&mut self, value: i64) {
        self.0.push(Cell::Int(value));
    }
    fn dec(&mut self, raw: i128) {
        self.0.push(Cell::Dec(raw));
    }
    fn number(&mut self, (raw, scale): (i128, u8)) {
        self.0.push(Cell::Number(raw, scale));
    }
    fn text(&mut self, value: &str) {
        self.0.push(Cell::Text(value.to_owned()));
    }
    fn bytes(&mut self, value: &[u8]) {
        self.0.push(Cell::Bytes(value.to_vec()));
    }
    fn day(&mut self, day: DayNumber) {
        self.0.push(Cell::Day(day));
    }
    fn time(&mut self, ns: UnixNanos) {
        self.0.push(Cell::Time(ns));
    }
    fn opt_time(&mut self, ns: UnixNanos) {
        self.0.push(if ns == 0 { Cell::Null } else { Cell::Time(ns) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{BARS, Bar};
    use tradewind_domain::ids::InstrumentId;

    fn bar(prices: Option<[i64; 4]>, quote: Option<[i64; 2]>) -> Bar {
        Bar {
            seconds: 1,
            instrument: InstrumentId(1),
            begin_ns: 1,
            prices,
            volume: 1,
            turnover: 1,
            trades: 1,
            quote,
            quotes: quote.is_some().into(),
        }
    }

    /// A row as it is read back.
    fn stored(row: &Bar) -> TextRow {
        let cells = Cells::of(row);
        let text = |name: &&str| match cells.get(&BARS, name) {
            Some(Cell::Int(value)) => Some(value.to_string()),
            Some(Cell::Dec(raw)) => Some(raw.to_string()),
            Some(Cell::Number(raw, _)) => Some(format!("0.{raw:016}")),
            _ => None,
        };
        TextRow(read_columns(&BARS).iter().map(text).collect())
    }

    #[test]
    fn rows_laid_over_one_another_here_are_as_rows_merged_in_a_batch() {
        let some = [
            bar(None, None),
            bar(Some([5, 9, 2, 7]), None),
            bar(Some([6, 8, 1, 3]), Some([4, 0])),
            bar(None, Some([3, 6])),
        ];
        for earlier in &some {
            for later in &some {
                let mut merged = *earlier;
                merged.merge(later);
                let mut laid = Cells::of(later);
                laid.over(&BARS, &stored(earlier)).expect("sums that fit");
                assert_eq!(laid.0, Cells::of(&merged).0, "{earlier:?} {later:?}");
            }
        }
    }
}
