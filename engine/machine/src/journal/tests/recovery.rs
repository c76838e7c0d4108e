//! What a start finds after a crash of the process, a damage, or a mistake of the operator.

use super::support::{Bits, Place, drain, event, wait_until, write};
use crate::journal::folder::{Folder, SlotFile};
use crate::journal::format::DurableSlot;
use crate::journal::storage::DiskStorage;
use crate::journal::{
    Durability, Follower, Journal, JournalConfig, JournalError, Opened, Position, StartAt, repair, verify,
};
use std::fs;
use std::os::unix::fs::FileExt;

fn open(place: &Place) -> Result<Opened, JournalError> {
    Journal::open(place.config())
}

fn flip(path: &std::path::Path, at: u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x40], at).unwrap();
}

fn replayed(opened: &Opened) -> Vec<u64> {
    let mut records = opened.records().unwrap();
    let mut seqs = Vec::new();
    while let Some(record) = records.next().unwrap() {
        super::support::check(&record);
        seqs.push(record.head().seq);
    }
    seqs
}

/// A journal that ended in good order after `count` records.
fn stopped(count: u64) -> Place {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    write(&mut writer, 1..=count, 16);
    handle.stop().unwrap();
    place
}

#[test]
fn a_new_journal_is_empty_and_its_first_run_is_number_one() {
    let place = Place::new();
    let opened = open(&place).unwrap();
    assert!(opened.is_new());
    assert_eq!((opened.epoch(), opened.recovery().last), (1, None));
    assert_eq!(opened.recovery().end, Position::start_of(1));
}

#[test]
fn a_clean_stop_goes_on_where_it_ended() {
    let place = stopped(1_000);
    let opened = open(&place).unwrap();
    assert!(opened.recovery().clean && opened.recovery().torn.is_empty());
    assert_eq!((opened.epoch(), opened.is_new()), (2, false));
    assert_eq!(opened.recovery().last.unwrap().seq, 1_000);
    assert_eq!(replayed(&opened), (1..=1_000).collect::<Vec<_>>());
    let (mut writer, handle) = opened.start().unwrap();
    write(&mut writer, 1_001..=2_000, 16);
    handle.stop().unwrap();
    assert_eq!(place.seqs(), (1..=2_000).collect::<Vec<_>>());
    assert_eq!(verify(place.data.path()).unwrap().problems, []);
}

#[test]
fn a_dead_process_loses_nothing_that_it_committed() {
    let place = Place::new();
    let config = JournalConfig {
        sync_interval: std::time::Duration::from_secs(3600),
        ..place.config()
    };
    let mut next = 1;
    for round in 0..8 {
        let (mut writer, handle) = Journal::open(config.clone()).unwrap().start().unwrap();
        let count = 37 + round * 211;
        write(&mut writer, next..=next + count - 1, 5);
        writer.append(&event(next + count)).unwrap(); // appended, never committed
        handle.kill();
        drop(writer);
        next += count;
        let opened = open(&place).unwrap();
        assert_eq!(opened.recovery().last.unwrap().seq, next - 1, "round {round}");
        assert!(opened.recovery().torn.is_empty());
        assert_eq!(replayed(&opened), (1..next).collect::<Vec<_>>());
        drop(opened);
    }
    assert_eq!(verify(place.data.path()).unwrap().problems, []);
}

#[test]
fn two_journals_of_the_same_records_are_equal_but_for_the_time_stamps() {
    let bytes = |batch, durability| {
        let place = Place::new();
        let config = JournalConfig {
            durability,
            ..place.config()
        };
        for first in [1, 1_001] {
            let (mut writer, handle) = Journal::open(config.clone()).unwrap().start().unwrap();
            write(&mut writer, first..=first + 999, batch);
            handle.stop().unwrap();
        }
        let seals: Vec<_> = crate::journal::segments(place.data.path())
            .unwrap()
            .iter()
            .map(|s| s.chain)
            .collect();
        let files: Vec<_> = (1..)
            .map_while(|index| fs::read(place.segment(index)).ok())
            .map(without_times)
            .collect();
        (seals, files)
    };
    let one = bytes(1, Durability::Memory);
    assert!(one.1.len() > 3);
    assert!(one == bytes(64, Durability::Disk));
}

pub(super) fn without_times(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 4096;
    while at + 64 < bytes.len() {
        let len = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        if len == 0 || !len.is_multiple_of(64) || bytes[at + 44..at + 46] == [0xff, 0xff] {
            break;
        }
        bytes[at + 16..at + 24].fill(0);
        at += len;
    }
    bytes[at + 16..at + 24].fill(0);
    bytes
}

#[test]
fn a_second_writer_is_refused_and_told_who_writes() {
    let place = Place::new();
    let (_writer, handle) = place.start();
    let Err(error) = open(&place) else {
        panic!("a second writer")
    };
    assert!(
        error
            .to_string()
            .contains(&format!("process {}", std::process::id())),
        "{error}"
    );
    handle.stop().unwrap();
    open(&place).unwrap();
}

#[test]
fn a_bad_record_below_durable_is_refused_and_named() {
    let place = stopped(1_000);
    flip(&place.segment(2), 4096 + 100);
    let opened = open(&place).unwrap(); // the damage is in a segment that only the replay reads
    let mut records = opened.records().unwrap();
    let error = loop {
        match records.next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the damage was not seen"),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(
            error,
            JournalError::Corrupt {
                segment: 2,
                offset: 4096,
                ..
            }
        ),
        "{error}"
    );
    drop(opened);
    let problems = verify(place.data.path()).unwrap().problems;
    assert_eq!(problems[0].position, Position::new(2, 4096));
}

#[test]
fn a_bad_record_below_durable_in_the_last_segment_keeps_the_journal_shut() {
    let place = stopped(50);
    flip(&place.segment(1), 4096 + 40);
    assert!(matches!(
        open(&place),
        Err(JournalError::Corrupt {
            segment: 1,
            offset: 4096,
            ..
        })
    ));
    assert!(
        matches!(open(&place), Err(JournalError::Corrupt { .. })),
        "and it stays shut"
    );
}

#[test]
fn repair_cuts_at_the_first_bad_record_and_keeps_what_stood_behind() {
    let place = stopped(1_000);
    flip(&place.segment(2), 4096 + 100);
    let torn = repair(&place.config()).unwrap();
    assert_eq!(torn[0].position, Position::start_of(2));
    assert!(
        torn.iter()
            .all(|tail| fs::metadata(&tail.kept).unwrap().len() == tail.bytes)
    );
    let opened = open(&place).unwrap();
    let last = opened.recovery().last.unwrap().seq;
    assert_eq!(replayed(&opened), (1..=last).collect::<Vec<_>>());
    let (mut writer, handle) = opened.start().unwrap();
    write(&mut writer, last + 1..=last + 500, 9);
    handle.stop().unwrap();
    assert_eq!(verify(place.data.path()).unwrap().problems, []);
}

#[test]
fn a_torn_tail_above_durable_is_cut_and_kept() {
    let place = stopped(100);
    let end = open(&place).unwrap().recovery().end;
    let path = place.segment(end.segment());
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let mut torn = vec![0xab; 200];
    torn[..4].copy_from_slice(&128u32.to_le_bytes());
    file.write_all_at(&torn, end.offset()).unwrap();
    let opened = open(&place).unwrap();
    assert_eq!(opened.recovery().end, end);
    assert_eq!(opened.recovery().torn[0].position, end);
    assert_eq!(fs::read(&opened.recovery().torn[0].kept).unwrap(), torn);
    assert_eq!(replayed(&opened).len(), 100);
    drop(opened);
    assert!(open(&place).unwrap().recovery().torn.is_empty());
}

#[test]
fn a_missing_segment_and_a_lost_durable_file_are_named() {
    let place = stopped(1_000);
    fs::rename(place.segment(2), place.data.path().join("elsewhere")).unwrap();
    assert!(matches!(
        open(&place),
        Err(JournalError::MissingSegment { segment: 2, .. })
    ));
    fs::rename(place.data.path().join("elsewhere"), place.segment(2)).unwrap();
    fs::remove_file(place.data.path().join("journal/durable")).unwrap();
    assert!(matches!(open(&place), Err(JournalError::DurableLost { .. })));
    assert!(matches!(
        verify(place.data.path()),
        Err(JournalError::DurableLost { .. })
    ));
    assert!(repair(&place.config()).unwrap().is_empty());
    assert_eq!(open(&place).unwrap().recovery().last.unwrap().seq, 1_000);
}

/// Found by the fuzz target `journal_recovery`: everything was cut, and kept aside, as if it stood behind the end.
#[test]
fn a_durable_position_before_the_oldest_segment_is_refused_and_nothing_is_cut() {
    let place = stopped(1_000);
    let folder = Folder::of(place.data.path());
    let slot = folder.read_slot(&DiskStorage).unwrap().unwrap();
    let slot = DurableSlot {
        counter: slot.counter + 1,
        position: Position::new(0, 128).0,
        ..slot
    };
    let slots = SlotFile::open(&folder, &DiskStorage, slot).unwrap();
    slots.write(slot).unwrap();
    assert!(matches!(
        open(&place),
        Err(JournalError::MissingSegment { segment: 0, .. })
    ));
    assert!(place.segment(1).exists() && place.segment(2).exists());
}

#[test]
fn files_that_cannot_be_segments_are_left_alone() {
    let place = stopped(10);
    for index in [0, 1 << 32, u64::MAX] {
        fs::copy(place.segment(1), place.segment(index)).unwrap();
    }
    assert_eq!(open(&place).unwrap().recovery().last.unwrap().seq, 10);
    assert_eq!(place.seqs(), (1..=10).collect::<Vec<_>>());
}

#[test]
fn another_version_schema_or_shard_is_refused() {
    let place = stopped(10);
    let shard = JournalConfig {
        shard: 3,
        ..place.config()
    };
    assert!(matches!(Journal::open(shard), Err(JournalError::Foreign { .. })));
    let schema = JournalConfig {
        schema_hash: 5,
        ..place.config()
    };
    assert!(matches!(
        Journal::open(schema.clone()),
        Err(JournalError::Schema {
            found: 0,
            known: 5,
            ..
        })
    ));
    drop(
        Journal::open(JournalConfig {
            schemas_known: vec![0],
            ..schema
        })
        .unwrap(),
    );
    let file = fs::OpenOptions::new().write(true).open(place.segment(1)).unwrap();
    file.write_all_at(&9u32.to_le_bytes(), 8).unwrap();
    assert!(matches!(
        open(&place),
        Err(JournalError::Version {
            found: 9,
            known: 1,
            ..
        })
    ));
}

#[test]
fn a_window_that_cannot_fit_is_refused_with_the_way_out() {
    let place = Place::new();
    let config = JournalConfig {
        window_bytes: 1 << 50,
        ..place.config()
    };
    let Err(error) = Journal::open(config) else {
        panic!("no memory file system has a pebibyte")
    };
    assert!(matches!(error, JournalError::WindowTooSmall { .. }));
    assert!(error.to_string().contains("--shm-size"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_is_said_to_be_so() {
    let place = Place::new();
    let config = JournalConfig {
        dir: "/sys/tradewind".into(),
        ..place.config()
    };
    let Err(error) = Journal::open(config) else {
        panic!("nobody makes folders there")
    };
    assert!(matches!(error, JournalError::ReadOnly { .. }), "{error:?}");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let place = Place::new();
    for (segment_bytes, window_bytes) in [
        (1 << 10, 1 << 20),
        ((64 << 10) + 1, 1 << 20),
        (64 << 10, 128 << 10),
    ] {
        let config = JournalConfig {
            segment_bytes,
            window_bytes,
            ..place.config()
        };
        assert!(matches!(Journal::open(config), Err(JournalError::Config(_))));
    }
}

#[test]
fn a_follower_goes_on_when_the_writer_stops_dies_and_comes_back() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    let mut follower = handle.follower(StartAt::Start).unwrap();
    write(&mut writer, 1..=300, 7);
    let mut seen = drain(&mut follower);
    handle.stop().unwrap();
    drop(writer);
    seen.extend(drain(&mut follower));
    let (mut writer, handle) = place.start();
    write(&mut writer, 301..=900, 7);
    wait_until("the follower has found the second writer", || {
        seen.extend(drain(&mut follower));
        seen.len() == 900
    });
    handle.kill();
    drop(writer);
    let (mut writer, handle) = place.start();
    write(&mut writer, 901..=1_500, 7);
    wait_until("the follower has found the third writer", || {
        seen.extend(drain(&mut follower));
        seen.len() == 1_500
    });
    assert_eq!(seen, (1..=1_500).collect::<Vec<_>>());
    handle.stop().unwrap();
}

#[test]
fn a_copy_of_the_folder_leaves_the_window_of_the_original_alone() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    write(&mut writer, 1..=100, 10);
    wait_until("all is on disk", || handle.durable() == handle.committed());
    let copy = tempfile::TempDir::new().unwrap();
    fs::create_dir(copy.path().join("journal")).unwrap();
    for name in ["LOCK", "durable", "00000000000000000001.twj"] {
        fs::copy(
            place.data.path().join("journal").join(name),
            copy.path().join("journal").join(name),
        )
        .unwrap();
    }
    let opened = Journal::open(JournalConfig {
        dir: copy.path().to_path_buf(),
        ..place.config()
    })
    .unwrap();
    assert_eq!(opened.recovery().last.unwrap().seq, 100);
    drop(opened);
    write(&mut writer, 101..=200, 10);
    assert_eq!(
        drain(&mut handle.follower(StartAt::Seq(101)).unwrap()),
        (101..=200).collect::<Vec<_>>()
    );
    handle.stop().unwrap();
}

/// Readers meet files that anything may have happened to: they answer with an error or a problem, never with a panic.
#[test]
fn no_damage_makes_a_reader_panic() {
    let place = stopped(400);
    let names = [
        "durable",
        "LOCK",
        "00000000000000000001.twj",
        "00000000000000000002.twj",
    ];
    let paths: Vec<_> = names
        .iter()
        .map(|name| place.data.path().join("journal").join(name))
        .collect();
    let sound: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut bits = Bits::seeded(5);
    for _ in 0..300 {
        for (path, bytes) in paths.iter().zip(&sound) {
            fs::write(path, bytes).unwrap();
        }
        let target = bits.next() as usize % paths.len();
        let mut bytes = sound[target].clone();
        for _ in 0..1 + bits.next() % 4 {
            // Heads are hit more often than chance would have it.
            let at =
                (bits.next() as usize % bytes.len()) & if bits.next().is_multiple_of(2) { !0 } else { !63 };
            bytes[at] = bits.next() as u8;
        }
        if bits.next().is_multiple_of(8) {
            bytes.truncate(bits.next() as usize % bytes.len());
        }
        fs::write(&paths[target], &bytes).unwrap();
        let _ = crate::journal::segments(place.data.path());
        let _ = verify(place.data.path());
        if let Ok(mut follower) = Follower::open(place.data.path(), StartAt::Seq(bits.next() % 500)) {
            while let Ok(Some(_)) = follower.poll() {}
        }
        if let Ok(opened) = open(&place) {
            let mut records = opened.records().unwrap();
            while let Ok(Some(_)) = records.next() {}
        }
    }
}
