//! The pipeline with the real journal at its end: equal bytes under every topology, and a restart from them.

mod toy;

use std::path::Path;
use tempfile::TempDir;
use toy::{digests_of, inputs, naive, record, stages};
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Event, Inbound};
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::idle::IdleStrategy;
use tradewind_machine::journal::{Durability, Follower, Identity, Journal, JournalConfig, StartAt};
use tradewind_machine::pipeline::{Builder, Settings, StopMode};
use tradewind_machine::record::Record;
use tradewind_machine::replay::Replay;
use tradewind_machine::source::SourceClass;

/// Bytes of `journaled_ns` in a record: the only ones that may differ.
const STAMP: std::ops::Range<usize> = 16..24;

/// Small segments and a small window: the journal rolls and is full often.
fn config(place: &TempDir) -> JournalConfig {
    JournalConfig {
        window_dir: place.path().join("window"),
        segment_bytes: 64 << 10,
        window_bytes: 256 << 10,
        durability: Durability::Memory,
        reserve_bytes: 0,
        identity: Some(Identity {
            id: [7; 16],
            hash_key: [9; 16],
        }),
        allow_unsafe_fs: true,
        ..JournalConfig::new(place.path().join("data"))
    }
}

fn place() -> TempDir {
    let place = TempDir::new().unwrap();
    for folder in ["window", "data"] {
        std::fs::create_dir(place.path().join(folder)).unwrap();
    }
    place
}

/// Recovers what is there, runs the inputs behind it, and returns the digests of all stages.
fn run(place: &TempDir, topology: &str, inputs: &[Inbound]) -> Vec<u8> {
    let opened = Journal::open(config(place)).unwrap();
    let mut stages = stages();
    let mut replay = Replay::new(&mut stages);
    let mut records = opened.records().unwrap();
    let mut event = Event::empty();
    while let Some(found) = records.next().unwrap() {
        event.read_record(found.bytes()).unwrap();
        replay.apply(&event).unwrap();
    }
    let last = replay.last();
    let (mut writer, handle) = opened.start().unwrap();
    replay.finish_group(&mut writer, 1).unwrap();

    let settings = Settings {
        topology: topology.parse().unwrap(),
        idle: IdleStrategy::Park,
        ring_slots: 8,
        ..Settings::default()
    };
    let clock = Clock::start().unwrap();
    let mut builder = Builder::new(settings, stages, writer, clock, ClockMode::Input).resume_after(last);
    let mut source = builder.source(SourceClass::Order, 64);
    let running = builder.start(&Cores::detect()).unwrap();
    let mut rest = inputs;
    while !rest.is_empty() {
        rest = &rest[source.push_slice(rest)..];
        std::thread::yield_now();
    }
    let finished = running.stop(StopMode::Drain, None).unwrap();
    drop(finished.journal);
    handle.stop().unwrap();
    digests_of(&finished.stages)
}

/// All records, with their time stamps blanked.
fn journal(data: &Path) -> Vec<Vec<u8>> {
    let mut follower = Follower::open(data, StartAt::Start).unwrap();
    let mut records = Vec::new();
    while let Some(found) = follower.poll().unwrap() {
        assert_ne!(found.head().journaled_ns, 0);
        let mut bytes = found.bytes().to_vec();
        bytes[STAMP].fill(0);
        records.push(bytes);
    }
    records
}

#[test]
fn journals_on_disk_are_equal_in_every_byte_but_the_time_stamp() {
    let inputs = inputs(4_000, 41);
    let (expected, digests) = naive(&inputs);
    let mut first: Option<Vec<Vec<u8>>> = None;
    for topology in [
        "fused",
        "split",
        "staged",
        "ingest+normalize,validate+limit+settle,position+journal",
    ] {
        let place = place();
        assert_eq!(run(&place, topology, &inputs), digests, "{topology}");
        let found = journal(&place.path().join("data"));
        assert_eq!(found.len(), expected.len(), "{topology}");
        let first = first.get_or_insert_with(|| found.clone());
        assert!(*first == found, "{topology} differs from fused");
    }
    for (found, expected) in first.unwrap().iter().zip(&expected) {
        // Behind length and checksum, which the journal writes, it is the event.
        let (found_event, expected) = (&found[8..], &record(expected)[8..]);
        assert_eq!(&found_event[..expected.len()], expected);
    }
}

#[test]
fn a_run_that_goes_on_after_a_restart_equals_one_without() {
    let inputs = inputs(2_000, 42);
    let (expected, digests) = naive(&inputs);
    let place = place();
    run(&place, "split", &inputs[..700]);
    run(&place, "fused", &inputs[700..1_400]);
    assert_eq!(run(&place, "staged", &inputs[1_400..]), digests);
    let found = journal(&place.path().join("data"));
    let mut event = Event::empty();
    assert_eq!(found.len(), expected.len());
    for (bytes, expected) in found.iter().zip(&expected) {
        Record::read_record(&mut event, bytes).unwrap();
        assert_eq!(
            (event.head.seq, event.head.part),
            (expected.head.seq, expected.head.part)
        );
        assert_eq!(event.body_bytes(), expected.body_bytes());
    }
}
