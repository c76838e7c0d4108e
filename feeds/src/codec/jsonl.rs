//! `jsonl`: one JSON object a line with the keys of our CSV columns. Values are strings or numbers; a number is taken digit
//! by digit as it is written, never through a float.

use super::columns::{Column, JSON, Row};
use super::error::Reason;
use super::{Decoder, Options, Outbox, rows};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use tradewind_domain::ids::SessionId;

/// Reads `jsonl`.
pub(super) struct Jsonl {
    session: SessionId,
}

impl Jsonl {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            session: options.session,
        }
    }
}

impl Decoder for Jsonl {
    fn line(&mut self, _number: u64, line: &[u8], out: &mut Outbox) -> Result<(), Reason> {
        let row = parse(line)?;
        out.push_back(match row.need(Column::Kind)? {
            b"trade" => rows::trade(&row, self.session)?,
            b"order_new" => rows::order_new(&row, self.session)?,
            b"order_cancel" => rows::order_cancel(&row, self.session)?,
            b"order_replace" => rows::order_replace(&row, self.session)?,
            _ => {
                let expected = "trade, order_new, order_cancel or order_replace";
                return Err(Reason::Value {
                    field: Column::Kind.text(),
                    expected,
                });
            }
        });
        Ok(())
    }
}

/// One object to a row.
fn parse(line: &[u8]) -> Result<Row<'_>, Reason> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let mut refused = None;
    let row = json.deserialize_map(Object {
        refused: &mut refused,
    });
    // What we refuse has to pass through the parser's error type, which keeps only text.
    if let Some(reason) = refused {
        return Err(reason);
    }
    let row = row?;
    json.end()?;
    Ok(row)
}

struct Object<'r> {
    refused: &'r mut Option<Reason>,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
        let mut row = Row::new();
        let mut seen = [false; Column::COUNT];
        while let Some(key) = map.next_key::<Key<'de>>()? {
            let raw: &'de RawValue = map.next_value()?;
            if let Err(reason) = take(&mut row, &mut seen, &key.0, raw) {
                *self.refused = Some(reason);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(row)
    }
}

/// Puts one member into the row.
fn take<'de>(
    row: &mut Row<'de>,
    seen: &mut [bool; Column::COUNT],
    key: &str,
    raw: &'de RawValue,
) -> Result<(), Reason> {
    let column = Column::find(key.as_bytes(), JSON)?;
    if std::mem::replace(&mut seen[column as usize], true) {
        return Err(Reason::Twice { field: column.text() });
    }
    row.set(column, value(column, raw)?);
    Ok(())
}

/// The text of a string, or the digits of a number as they stand; `null` is no value.
fn value<'de>(column: Column, raw: &'de RawValue) -> Result<Cow<'de, [u8]>, Reason> {
    let text = raw.get();
    match text.as_bytes() {
        b"null" => Ok(Cow::Borrowed(&[])),
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => Ok(Cow::Borrowed(inner)),
        [b'"', ..] => Ok(Cow::Owned(serde_json::from_str::<String>(text)?.into_bytes())),
        [b'-' | b'0'..=b'9', ..] => Ok(Cow::Borrowed(text.as_bytes())),
        _ => Err(Reason::Value {
            field: column.text(),
            expected: "a string or a number",
        }),
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
