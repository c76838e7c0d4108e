//! Frames: rows of one channel with a head, in the form that the subscriber asked for.

use crate::channel::Channel;
use crate::encode::quoted;
use axum::extract::ws::{Message, Utf8Bytes};
use bytes::Bytes;
use std::fmt::Write as _;
use tradewind_domain::ids::Seq;
use tradewind_domain::time::{Rfc3339, UnixNanos};

/// First byte of a binary frame.
const MAGIC: u8 = 0x54;
/// Version of the binary form.
const VERSION: u8 = 1;

/// The form of a subscription's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) enum Encoding {
    /// JSON text.
    #[default]
    Json,
    /// The compact binary form.
    Binary,
}

impl Encoding {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Encoding::Json => "json",
            Encoding::Binary => "binary",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Encoding::Json, Encoding::Binary]
            .into_iter()
            .find(|encoding| encoding.name() == name)
    }
}

/// What stands before the rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameHead {
    pub(crate) channel: Channel,
    pub(crate) is_snapshot: bool,
    pub(crate) seq: u64,
    pub(crate) prev: u64,
    pub(crate) as_of: Seq,
    pub(crate) now_ns: UnixNanos,
    pub(crate) more: bool,
    pub(crate) gap: bool,
}

/// A frame that is being made.
pub(crate) struct Frame {
    head: FrameHead,
    encoding: Encoding,
    rows: Vec<u8>,
    row_count: u32,
    removed: Vec<u8>,
    removed_count: u32,
}

impl Frame {
    pub(crate) fn new(head: FrameHead, encoding: Encoding) -> Self {
        Self {
            head,
            encoding,
            rows: Vec::new(),
            row_count: 0,
            removed: Vec::new(),
            removed_count: 0,
        }
    }

    /// True where it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.row_count == 0 && self.removed_count == 0
    }

    /// Adds a row by its bytes in both forms.
    pub(crate) fn row(&mut self, json: &[u8], binary: &[u8]) {
        add(&mut self.rows, self.row_count, self.encoding, json, binary);
        self.row_count += 1;
    }

    /// Adds the key of a row that is gone.
    pub(crate) fn remove(&mut self, json: &[u8], binary: &[u8]) {
        add(&mut self.removed, self.removed_count, self.encoding, json, binary);
        self.removed_count += 1;
    }

    /// The message.
    pub(crate) fn finish(self) -> Message {
        match self.encoding {
            Encoding::Json => Message::Text(self.json()),
            Encoding::Binary => Message::Binary(self.binary()),
        }
    }

    fn json(self) -> Utf8Bytes {
        let head = &self.head;
        let mut json = String::with_capacity(self.rows.len() + self.removed.len() + 512);
        let kind = if head.is_snapshot { "snapshot" } else { "update" };
        let _ = write!(
            json,
            r#"{{"channel":"{}","type":"{kind}","seq":{},"prev":{},"as_of":{},"ts":"{}""#,
            head.channel.name(),
            head.seq,
            head.prev,
            head.as_of,
            Rfc3339(head.now_ns)
        );
        if head.is_snapshot {
            let _ = write!(
                json,
                r#","key_columns":{},"columns":["#,
                head.channel.key_columns()
            );
            for (at, column) in head.channel.columns().iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                quoted(&mut json, column);
            }
            json.push(']');
        }
        for (is_set, member) in [(head.more, r#","more":true"#), (head.gap, r#","gap":true"#)] {
            if is_set {
                json.push_str(member);
            }
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned(); // written by `JsonCells`: always text
        json.push_str(r#","data":["#);
        json.push_str(&text(&self.rows));
        json.push(']');
        if self.removed_count > 0 {
            json.push_str(r#","removed":["#);
            json.push_str(&text(&self.removed));
            json.push(']');
        }
        json.push('}');
        json.into()
    }

    fn binary(self) -> Bytes {
        let head = &self.head;
        let mut bytes = Vec::with_capacity(48 + self.rows.len() + self.removed.len());
        let kind = if head.is_snapshot { 1 } else { 2 };
        let flags = u8::from(head.more) | u8::from(head.gap) << 1;
        bytes.extend_from_slice(&[MAGIC, VERSION, head.channel as u8, kind, flags]);
        let (columns, keys) = (head.channel.columns().len(), head.channel.key_columns());
        bytes.extend_from_slice(&[columns as u8, keys as u8, 0]);
        for number in [head.seq, head.prev, head.as_of, head.now_ns] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for count in [self.row_count, self.removed_count] {
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        bytes.extend_from_slice(&self.rows);
        bytes.extend_from_slice(&self.removed);
        bytes.into()
    }
}

fn add(to: &mut Vec<u8>, count: u32, encoding: Encoding, json: &[u8], binary: &[u8]) {
    match encoding {
        Encoding::Json => {
            if count > 0 {
                to.push(b',');
            }
            to.extend_from_slice(json);
        }
        Encoding::Binary => to.extend_from_slice(binary),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: FrameHead = FrameHead {
        channel: Channel::Market,
        is_snapshot: false,
        seq: 42,
        prev: 41,
        as_of: 7,
        now_ns: 1_000_000_000,
        more: true,
        gap: false,
    };

    fn frame(encoding: Encoding, is_snapshot: bool) -> Message {
        let mut frame = Frame::new(FrameHead { is_snapshot, ..HEAD }, encoding);
        assert!(frame.is_empty());
        frame.row(b"[\"A\",1]", &[1, 1, b'A']);
        frame.row(b"[\"B\",2]", &[1, 1, b'B']);
        frame.remove(b"[\"C\"]", &[1, 1, b'C']);
        assert!(!frame.is_empty());
        frame.finish()
    }

    #[test]
    fn a_frame_is_json_with_columns_only_in_snapshots() {
        let Message::Text(text) = frame(Encoding::Json, false) else {
            panic!("a JSON frame is text");
        };
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let known = serde_json::json!({
            "channel": "market", "type": "update", "seq": 42, "prev": 41, "as_of": 7,
            "ts": "1970-01-01T00:00:01.000000000Z", "more": true,
            "data": [["A", 1], ["B", 2]], "removed": [["C"]],
        });
        assert_eq!(json, known);
        let Message::Text(text) = frame(Encoding::Json, true) else {
            panic!("a JSON frame is text");
        };
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&json["type"], &json["key_columns"]),
            (&"snapshot".into(), &1.into())
        );
        assert_eq!(json["columns"].as_array().unwrap().len(), 14);
    }

    #[test]
    fn a_binary_frame_has_the_documented_head() {
        let Message::Binary(bytes) = frame(Encoding::Binary, false) else {
            panic!("a binary frame is binary");
        };
        assert_eq!(&bytes[..8], &[0x54, 1, 8, 2, 1, 14, 1, 0]);
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        assert_eq!(
            [number(8), number(16), number(24), number(32)],
            [42, 41, 7, 1_000_000_000]
        );
        assert_eq!(&bytes[40..48], &[2, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(&bytes[48..], &[1, 1, b'A', 1, 1, b'B', 1, 1, b'C']);
    }
}
