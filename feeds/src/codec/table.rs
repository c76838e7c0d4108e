//! `trades-csv` and `orders-csv`: a header, then one record a line. Fields may be quoted (RFC 4180); a line break ends the
//! record even within quotes.

use super::columns::{Column, ORDER, ORDER_REQUIRED, Row, TRADE, TRADE_REQUIRED};
use super::error::Reason;
use super::{Decoder, Options, Outbox, rows};
use csv_core::{ReadRecordResult, Reader};
use std::borrow::Cow;
use tradewind_domain::ids::SessionId;

/// Splits lines into fields; the columns are those of the header.
struct Table {
    reader: Reader,
    columns: Vec<Column>,
    /// Bytes of the fields of the line at hand, without quotes.
    fields: Vec<u8>,
    ends: [usize; Column::COUNT + 1],
}

impl Table {
    fn new() -> Self {
        Self {
            reader: Reader::new(),
            columns: Vec::new(),
            fields: Vec::new(),
            ends: [0; Column::COUNT + 1],
        }
    }

    /// Splits a line and returns how many fields it has.
    fn split(&mut self, line: &[u8]) -> Result<usize, Reason> {
        if line.iter().filter(|byte| **byte == b'"').count() % 2 != 0 {
            return Err(Reason::Csv);
        }
        self.reader.reset();
        self.fields.resize(line.len(), 0);
        let (result, read, filled, count) = self.reader.read_record(line, &mut self.fields, &mut self.ends);
        let too_many = Reason::FieldCount {
            found: self.ends.len(),
            expected: self.columns.len(),
        };
        match result {
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::OutputEndsFull => return Err(too_many),
            _ => return Err(Reason::Csv),
        }
        // The line's end was cut off: no more input ends the last field.
        let (result, _, _, last) =
            self.reader
                .read_record(&[], &mut self.fields[filled..], &mut self.ends[count..]);
        match result {
            ReadRecordResult::Record if read == line.len() => Ok(count + last),
            ReadRecordResult::OutputEndsFull => Err(too_many),
            _ => Err(Reason::Csv),
        }
    }

    fn field(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.fields[start..self.ends[index]]
    }

    fn header(&mut self, line: &[u8], known: &[Column], required: &[Column]) -> Result<(), Reason> {
        let count = self.split(line)?;
        self.columns.clear();
        for index in 0..count {
            let column = Column::find(self.field(index), known)?;
            if self.columns.contains(&column) {
                return Err(Reason::Twice { field: column.text() });
            }
            self.columns.push(column);
        }
        let absent = required.iter().find(|column| !self.columns.contains(column));
        absent.map_or(Ok(()), |column| Err(Reason::NoColumn { field: column.text() }))
    }

    fn row(&mut self, line: &[u8]) -> Result<Row<'_>, Reason> {
        let found = self.split(line)?;
        if found != self.columns.len() {
            return Err(Reason::FieldCount {
                found,
                expected: self.columns.len(),
            });
        }
        let mut row = Row::new();
        for (index, column) in self.columns.iter().enumerate() {
            row.set(*column, Cow::Borrowed(self.field(index)));
        }
        Ok(row)
    }
}

/// Reads `trades-csv`.
pub(super) struct TradesCsv {
    table: Table,
    session: SessionId,
}

impl TradesCsv {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            table: Table::new(),
            session: options.session,
        }
    }
}

impl Decoder for TradesCsv {
    fn has_header(&self) -> bool {
        true
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Reason> {
        self.table.header(line, TRADE, TRADE_REQUIRED)
    }

    fn line(&mut self, _number: u64, line: &[u8], out: &mut Outbox) -> Result<(), Reason> {
        out.push_back(rows::trade(&self.table.row(line)?, self.session)?);
        Ok(())
    }
}

/// Reads `orders-csv`.
pub(super) struct OrdersCsv {
    table: Table,
    session: SessionId,
}

impl OrdersCsv {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            table: Table::new(),
            session: options.session,
        }
    }
}

impl Decoder for OrdersCsv {
    fn has_header(&self) -> bool {
        true
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Reason> {
        self.table.header(line, ORDER, ORDER_REQUIRED)
    }

    fn line(&mut self, _number: u64, line: &[u8], out: &mut Outbox) -> Result<(), Reason> {
        let row = self.table.row(line)?;
        out.push_back(match row.need(Column::Type)? {
            b"new" => rows::order_new(&row, self.session)?,
            b"cancel" => rows::order_cancel(&row, self.session)?,
            b"replace" => rows::order_replace(&row, self.session)?,
            _ => {
                return Err(Reason::Value {
                    field: Column::Type.text(),
                    expected: "new, cancel or replace",
                });
            }
        });
        Ok(())
    }
}
