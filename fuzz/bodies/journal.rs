//! Journals of any content: readers and recovery end, do not panic, and say the same thing twice.
//!
//! Bytes that nobody repaired fail at the first checksum. So a script changes a good journal of three segments, and may give
//! what it changed a checksum that fits, by docs/journal-format.md alone.

use super::Script;
use std::path::Path;
use std::sync::OnceLock;
use tradewind_domain::event::{Blob, Event, Kind, Quote, head_flags};
use tradewind_machine::journal::{
    self, Durability, Follower, Identity, Journal, JournalConfig, JournalError, Position, StartAt,
};

const SEGMENT_BYTES: usize = 64 << 10;
const HEADER_LEN: usize = 4096;
const IDENTITY: Identity = Identity {
    id: [7; 16],
    hash_key: [9; 16],
};
/// Sequence numbers of the good journal: enough for three segments.
const SEQ_MAX: u64 = 900;
/// Changes of one script.
const CHANGES_MAX: usize = 16;

/// Files of a journal: `durable`, and segments with the index in their names.
#[derive(Clone)]
struct Files {
    durable: Vec<u8>,
    segments: Vec<(u64, Vec<u8>)>,
}

/// Reads a journal in every way there is.
pub(crate) fn reader(bytes: &[u8]) {
    let mut script = Script(bytes);
    let files = files(&mut script);
    let place = tempfile::tempdir_in(memory()).expect("a temporary folder can be made");
    files.write(place.path());
    // A record has 64 bytes at least, so this many records say that a reader goes round in circles.
    let records_max = files.segments.len() * SEGMENT_BYTES / 64;
    let seq = script.u64();
    for from in [
        StartAt::Start,
        StartAt::Seq(seq % (2 * SEQ_MAX)),
        StartAt::Seq(seq),
        StartAt::Position(Position(seq)),
        StartAt::Position(Position::new(
            1 + seq % 3,
            (seq >> 8) % SEGMENT_BYTES as u64 / 64 * 64,
        )),
        StartAt::End,
    ] {
        read_all(place.path(), from, records_max);
    }
    say(journal::segments(place.path()));
    say(journal::identity(place.path()));
    let first = journal::verify(place.path());
    let second = journal::verify(place.path());
    assert_eq!(first.ok(), second.ok(), "Invariant: a look changes nothing");
}

/// Opens a journal to go on with it, twice: the second time there is nothing left to mend.
pub(crate) fn recovery(bytes: &[u8]) {
    let mut script = Script(bytes);
    let files = files(&mut script);
    let place = tempfile::tempdir_in(memory()).expect("a temporary folder can be made");
    files.write(place.path());
    let config = config(place.path());
    if script.u8() & 1 == 1 {
        say(journal::repair(&config));
    }
    let Some(first) = say(Journal::open(config.clone())) else {
        return;
    };
    let end = first.recovery().end;
    if let Some(mut records) = say(first.records()) {
        while say(records.next()).flatten().is_some() {}
    }
    drop(first);
    let second = Journal::open(config);
    let second =
        second.unwrap_or_else(|error| panic!("Invariant: what was opened can be opened again: {error}"));
    assert_eq!(second.recovery().end, end, "Invariant: recovery finds one end");
    assert!(
        second.recovery().torn.is_empty(),
        "Invariant: recovery leaves nothing torn"
    );
}

/// The value; an error must say something.
fn say<T>(result: Result<T, JournalError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(
                !error.to_string().is_empty(),
                "Invariant: an error says something"
            );
            None
        }
    }
}

fn read_all(dir: &Path, from: StartAt, records_max: usize) {
    let Some(mut follower) = say(Follower::open(dir, from)) else {
        return;
    };
    let (mut event, mut records) = (Event::empty(), 0);
    while let Some(record) = say(follower.poll()).flatten() {
        let known = event.read_record(record.bytes()).is_some();
        assert!(
            !known || event.head == *record.head(),
            "Invariant: an event holds its record's head"
        );
        records += 1;
        assert!(records <= records_max, "Invariant: a follower goes on and ends");
    }
}

/// What a script makes: the good journal with changes, or bytes that stand for one of its files.
fn files(script: &mut Script<'_>) -> Files {
    let mut files = good().clone();
    match script.u8() % 8 {
        0 => {
            let mut segment = script.take(SEGMENT_BYTES).to_vec();
            segment.resize(SEGMENT_BYTES, 0);
            files.segments = vec![(1, segment)];
        }
        1 => files.durable = script.take(8192).to_vec(),
        _ => {
            for _ in 0..CHANGES_MAX {
                if script.is_empty() {
                    break;
                }
                files.change(script);
            }
        }
    }
    files
}

impl Files {
    fn change(&mut self, script: &mut Script<'_>) {
        let (what, count) = (script.u8(), self.segments.len());
        if count == 0 {
            return;
        }
        let at = script.below(count);
        let segment = &mut self.segments[at].1;
        match what % 10 {
            0 => overwrite(segment, script),
            1 => overwrite(&mut self.durable, script),
            2 => change_record(segment, script),
            3 => change_header(segment, script),
            4 => change_seal(segment, script),
            5 => change_slot(&mut self.durable, script),
            6 => drop(self.segments.remove(at)),
            7 => self.segments[at].0 = script.u64(),
            8 => segment.truncate(script.u32() as usize),
            _ => self.durable.truncate(usize::from(script.u16())),
        }
    }

    fn write(&self, data_dir: &Path) {
        let folder = data_dir.join("journal");
        std::fs::create_dir(&folder).expect("a folder can be made");
        std::fs::write(folder.join("durable"), &self.durable).expect("a file can be written");
        for (index, bytes) in &self.segments {
            std::fs::write(folder.join(format!("{index:020}.twj")), bytes).expect("a file can be written");
        }
    }
}

/// Some bytes at a place.
fn overwrite(file: &mut [u8], script: &mut Script<'_>) {
    let (at, len) = (script.u32() as usize, usize::from(script.u8()));
    let bytes = script.take(len);
    if let Some(place) = file.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
        place.copy_from_slice(bytes);
    }
}

/// Bytes within a record, whose checksum then fits them.
fn change_record(segment: &mut [u8], script: &mut Script<'_>) {
    let mut at = HEADER_LEN;
    for _ in 0..script.below(600) {
        match u32_at(segment, at) as usize {
            0 => return,
            len => at += len,
        }
    }
    let Some(record) = segment.get_mut(at..) else {
        return;
    };
    overwrite_within(record, 256, script);
    let (index, id) = (
        u64_at(segment, 48),
        segment.get(16..32).unwrap_or_default().to_vec(),
    );
    let len = u32_at(segment, at) as usize;
    let Some(record) = segment.get_mut(at..).and_then(|rest| rest.get_mut(..len)) else {
        return;
    };
    if len < 64 {
        return;
    }
    let place = [
        &id[..],
        &index.to_le_bytes(),
        &(at as u32).to_le_bytes(),
        &(len as u32).to_le_bytes(),
    ]
    .concat();
    let crc = crc32c::crc32c(&[&place, &record[8..16], &record[24..]].concat());
    record[4..8].copy_from_slice(&crc.to_le_bytes());
}

fn change_header(segment: &mut [u8], script: &mut Script<'_>) {
    if let Some(header) = segment.get_mut(..88) {
        overwrite_within(header, 84, script);
        fit(header);
    }
}

fn change_seal(segment: &mut [u8], script: &mut Script<'_>) {
    let from = segment.len().saturating_sub(128);
    if let Some(seal) = segment.get_mut(from..).filter(|seal| seal.len() == 128) {
        overwrite_within(seal, 124, script);
        fit(seal);
    }
}

fn change_slot(durable: &mut [u8], script: &mut Script<'_>) {
    if let Some(slot) = durable.get_mut(..64) {
        overwrite_within(slot, 60, script);
        fit(slot);
    }
}

/// A few bytes at a place below `end`.
fn overwrite_within(bytes: &mut [u8], end: usize, script: &mut Script<'_>) {
    let end = end.min(bytes.len());
    let (at, len) = (usize::from(script.u8()).min(end), usize::from(script.u8() % 17));
    let from = script.take(len.min(end - at));
    bytes[at..at + from.len()].copy_from_slice(from);
}

/// Gives a header, seal or slot the checksum of the bytes before its last four.
fn fit(bytes: &mut [u8]) {
    let crc_at = bytes.len() - 4;
    let crc = crc32c::crc32c(&bytes[..crc_at]);
    bytes[crc_at..].copy_from_slice(&crc.to_le_bytes());
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |word| u32::from_le_bytes(*word))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |word| u64::from_le_bytes(*word))
}

/// A memory file system where there is one: a fuzzer writes these files thousands of times a second.
fn memory() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        memory.to_path_buf()
    } else {
        std::env::temp_dir()
    }
}

fn config(data_dir: &Path) -> JournalConfig {
    JournalConfig {
        window_dir: memory(),
        segment_bytes: SEGMENT_BYTES as u64,
        window_bytes: 4 * SEGMENT_BYTES as u64,
        durability: Durability::Memory,
        reserve_bytes: 0,
        identity: Some(IDENTITY),
        allow_unsafe_fs: true,
        ..JournalConfig::new(data_dir)
    }
}

/// The first segment of the good journal, header and first records alone.
pub(crate) fn segment_start() -> Vec<u8> {
    good().segments[0].1[..HEADER_LEN + 512].to_vec()
}

/// The slot in the file `durable` of the good journal.
pub(crate) fn slot() -> Vec<u8> {
    good().durable[..64].to_vec()
}

/// A journal of three segments, two of them sealed, that was stopped in good order.
fn good() -> &'static Files {
    static GOOD: OnceLock<Files> = OnceLock::new();
    GOOD.get_or_init(|| {
        let place = tempfile::tempdir_in(memory()).expect("a temporary folder can be made");
        write_good(place.path());
        let folder = place.path().join("journal");
        let read = |name: &str| std::fs::read(folder.join(name)).expect("what was written can be read");
        let segments: Vec<_> = (1..=3)
            .map(|index| (index, read(&format!("{index:020}.twj"))))
            .collect();
        Files {
            durable: steady(&read("durable")),
            segments,
        }
    })
}

/// The newer slot alone, as the second one ever written: how often a slot is written depends on how fast the machine is.
fn steady(durable: &[u8]) -> Vec<u8> {
    let counter = |at: usize| u64_at(durable, at + 24);
    let newest = if counter(0) > counter(4096) { 0 } else { 4096 };
    let mut steady = vec![0; durable.len()];
    steady[..64].copy_from_slice(&durable[newest..newest + 64]);
    steady[24..32].copy_from_slice(&2u64.to_le_bytes());
    fit(&mut steady[..64]);
    steady
}

fn write_good(data_dir: &Path) {
    let opened = Journal::open(config(data_dir)).expect("a journal can be made");
    let (mut writer, handle) = opened.start().expect("a journal can be started");
    for seq in 1..=SEQ_MAX {
        for part in 0..=u32::from(seq.is_multiple_of(50)) {
            let event = event(seq, part);
            while writer.append(&event).is_err() {
                writer.commit(seq).expect("a journal in memory takes records");
                std::thread::yield_now();
            }
        }
        writer.commit(seq).expect("a journal in memory takes records");
    }
    handle.stop().expect("a journal can be stopped");
}

/// The record of a number: every seventh has a tail, every fiftieth an effect.
fn event(seq: u64, part: u32) -> Event {
    let mut event = Event::empty();
    if seq.is_multiple_of(7) {
        event.reset(Kind::Blob);
        event.body_mut::<Blob>().total_len = seq as u32;
        event.set_tail(&vec![seq as u8; (seq * 31 % 700) as usize]);
    } else {
        event.reset(Kind::Quote);
        event.body_mut::<Quote>().bid = seq as i64;
    }
    event.head.seq = seq;
    event.head.part = part;
    event.head.recv_ns = 1_000 * seq;
    event.head.flags = if seq.is_multiple_of(50) && part == 0 {
        0
    } else {
        head_flags::LAST
    };
    event
}
