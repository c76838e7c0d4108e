//! Bytes as a record: what is read is what stands there, and every record can be listed.

use tradewind::commands::record::{to_json, to_line};
use tradewind_domain::event::Event;

pub(crate) fn record(bytes: &[u8]) {
    let mut event = Event::empty();
    if event.read_record(bytes).is_none() {
        return;
    }
    assert_eq!(
        event.record_len(),
        bytes.len(),
        "Invariant: a record is as long as its head and kind say"
    );
    let read = [bytemuck::bytes_of(&event.head), event.body_bytes(), event.tail()].concat();
    assert_eq!(
        read,
        bytes[..read.len()],
        "Invariant: an event holds its record's bytes"
    );
    assert!(to_json(&event).is_object());
    assert!(
        !to_line(&event).contains('\n'),
        "Invariant: a record is listed on one line"
    );
}
