//! What the tests share: a journal in temporary folders, events with a checkable content, and patience.

use crate::append::Full;
use crate::journal::{
    Durability, Follower, Identity, Journal, JournalConfig, JournalHandle, JournalWriter, RecordRef, StartAt,
};
use crate::record::Record;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tradewind_domain::event::{Blob, Event, Kind, Quote, head_flags};

/// Folders of one journal.
pub(super) struct Place {
    pub(super) data: TempDir,
    pub(super) window: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        let window = tempfile::Builder::new()
            .prefix("tw-test")
            .tempdir_in(window_root())
            .unwrap();
        Self {
            data: TempDir::new().unwrap(),
            window,
        }
    }

    /// Small segments, so that tests roll often.
    pub(super) fn config(&self) -> JournalConfig {
        JournalConfig {
            window_dir: self.window.path().to_path_buf(),
            segment_bytes: 64 << 10,
            window_bytes: 256 << 10,
            durability: Durability::Memory,
            reserve_bytes: 0,
            identity: Some(Identity {
                id: [7; 16],
                hash_key: [9; 16],
            }),
            allow_unsafe_fs: true,
            ..JournalConfig::new(self.data.path())
        }
    }

    pub(super) fn disk_config(&self) -> JournalConfig {
        JournalConfig {
            durability: Durability::Disk,
            ..self.config()
        }
    }

    pub(super) fn start(&self) -> (JournalWriter, JournalHandle) {
        Journal::open(self.config()).unwrap().start().unwrap()
    }

    pub(super) fn follower(&self, from: StartAt) -> Follower {
        Follower::open(self.data.path(), from).unwrap()
    }

    pub(super) fn segment(&self, index: u64) -> PathBuf {
        self.data.path().join("journal").join(format!("{index:020}.twj"))
    }

    /// Sequence numbers that a follower finds from the start on.
    pub(super) fn seqs(&self) -> Vec<u64> {
        drain(&mut self.follower(StartAt::Start))
    }
}

fn window_root() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        memory.to_path_buf()
    } else {
        std::env::temp_dir()
    }
}

/// The event of a sequence number: every seventh has a tail.
pub(super) fn event(seq: u64) -> Event {
    let mut event = Event::empty();
    if seq.is_multiple_of(7) {
        event.reset(Kind::Blob);
        event.body_mut::<Blob>().total_len = seq as u32;
        event.set_tail(&vec![seq as u8; (seq * 31 % 1025) as usize]);
    } else {
        event.reset(Kind::Quote);
        *event.body_mut::<Quote>() = Quote {
            bid: seq as i64,
            ask: seq as i64 + 1,
            ..*event.body::<Quote>()
        };
    }
    event.head.seq = seq;
    event.head.recv_ns = 1_000 * seq;
    event.head.flags = head_flags::LAST;
    event
}

/// Appends and commits, one commit for each `batch`, waiting where the journal is full.
pub(super) fn write(writer: &mut JournalWriter, seqs: std::ops::RangeInclusive<u64>, batch: u64) {
    for seq in seqs.clone() {
        append(writer, &event(seq));
        if seq.is_multiple_of(batch) || seq == *seqs.end() {
            writer.commit(seq).unwrap();
        }
    }
}

pub(super) fn append(writer: &mut JournalWriter, event: &Event) {
    wait_until("the journal has room", || match writer.append(event) {
        Ok(()) => true,
        Err(Full) => {
            writer.commit(0).unwrap();
            false
        }
    });
}

/// Reads what is there and checks each record against the event of its number.
pub(super) fn drain(follower: &mut Follower) -> Vec<u64> {
    let mut seqs = Vec::new();
    while let Some(record) = follower.poll().unwrap() {
        check(&record);
        seqs.push(record.head().seq);
    }
    seqs
}

pub(super) fn check(record: &RecordRef<'_>) {
    let mut read = Event::empty();
    read.read_record(record.bytes()).unwrap();
    let written = event(record.head().seq);
    assert_eq!(Record::body_bytes(&read), Record::body_bytes(&written));
    assert_eq!(Record::tail(&read), Record::tail(&written));
}

/// Waits for something that another thread does, ten seconds at most.
pub(super) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if done() {
            return;
        }
        std::thread::park_timeout(Duration::from_micros(100));
    }
    panic!("waited in vain until {what}");
}

/// A small generator of reproducible bits (xorshift).
pub(super) struct Bits(u64);

impl Bits {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
