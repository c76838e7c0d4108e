//! Journals as a reader sees them: records as bytes and as events, segment files with their time stamps masked.

use std::path::Path;
use tradewind_domain::event::{Event, HEAD_LEN, Head, Kind, head_flags};
use tradewind_domain::reject::RejectCode;
use tradewind_machine::journal::{END_KIND, Follower, StartAt};

/// Where `journaled_ns` stands in a record: the only bytes that may differ between equal runs.
const JOURNALED_NS: std::ops::Range<usize> = 16..24;
/// Where records begin in a segment file.
const RECORDS_AT: usize = 4096;

/// Every record of a journal, as bytes.
pub(crate) fn records(data: &Path) -> Vec<Vec<u8>> {
    let mut follower = Follower::open(data, StartAt::Start).expect("a journal");
    let mut records = Vec::new();
    while let Some(record) = follower.poll().expect("a sound journal") {
        records.push(record.bytes().to_vec());
    }
    records
}

/// Every record of a journal, its time of journaling zeroed.
pub(crate) fn masked_records(data: &Path) -> Vec<Vec<u8>> {
    let mut records = records(data);
    records.iter_mut().for_each(|record| record[JOURNALED_NS].fill(0));
    records
}

/// Every record of a journal, as an event.
pub(crate) fn events(data: &Path) -> Vec<Event> {
    records(data).iter().map(|bytes| event(bytes)).collect()
}

pub(crate) fn event(bytes: &[u8]) -> Event {
    let mut event = Event::empty();
    event.read_record(bytes).expect("a record of a known kind");
    event
}

/// Inputs that came from outside, with what became of them.
pub(crate) fn outcomes(events: &[Event]) -> Vec<Option<RejectCode>> {
    let from_outside = |event: &&Event| {
        event.head.part == 0
            && !event
                .kind()
                .is_some_and(|kind| kind.is_internal() || kind == Kind::EngineStopped)
    };
    events
        .iter()
        .filter(from_outside)
        .map(Event::reject_code)
        .collect()
}

/// Numbers without gaps from 1, parts without gaps from 0, `LAST` on the last part of each group alone.
pub(crate) fn assert_sequence(events: &[Event]) {
    let mut due = (1, 0);
    for event in events {
        let head = &event.head;
        assert_eq!((head.seq, head.part), due, "the sequence has a gap");
        let is_last = head.flags & head_flags::LAST != 0;
        due = if is_last {
            (head.seq + 1, 0)
        } else {
            (head.seq, head.part + 1)
        };
    }
    assert_eq!(due.1, 0, "the last group is open");
}

/// The segment files in their order, each byte but those of `journaled_ns`.
pub(crate) fn masked_segments(data: &Path) -> Vec<(String, Vec<u8>)> {
    let folder = data.join("journal");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("a journal folder")
        .map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".twj"))
        .collect();
    names.sort();
    let masked = |name: String| {
        let mut bytes = std::fs::read(folder.join(&name)).expect("a segment");
        mask(&mut bytes);
        (name, bytes)
    };
    names.into_iter().map(masked).collect()
}

/// Walks a segment's records as docs/journal-format.md describes them.
fn mask(segment: &mut [u8]) {
    let mut at = RECORDS_AT;
    while let Some(bytes) = segment.get_mut(at..at + HEAD_LEN) {
        let head: Head = bytemuck::pod_read_unaligned(bytes);
        if head.len == 0 {
            return;
        }
        bytes[JOURNALED_NS].fill(0);
        if head.kind == END_KIND {
            return;
        }
        at += head.len as usize;
    }
}
