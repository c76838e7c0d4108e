//! Memory of the window: taken once, used again, and never under a follower's eyes.

use super::recovery::without_times;
use super::support::{Place, check, drain, wait_until, write};
use crate::journal::folder::segment_name;
use crate::journal::format::SegmentHeader;
use crate::journal::pool::Pool;
use crate::journal::window::WindowSegment;
use crate::journal::{Journal, JournalConfig, StartAt};
use bytemuck::Zeroable;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

/// Inodes and sizes of the segments and spares in the window.
fn memory(place: &Place) -> Vec<(u64, u64)> {
    let folder = std::fs::read_dir(place.window.path()).unwrap().next().unwrap();
    std::fs::read_dir(folder.unwrap().path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "control" && entry.file_name() != "owner")
        // A file may go, or change its name, while the folder is read.
        .filter_map(|entry| entry.metadata().ok())
        .map(|file| (file.ino(), file.len()))
        .collect()
}

#[test]
fn a_start_takes_all_the_memory_of_the_window() {
    let place = Place::new();
    let (writer, handle) = place.start();
    let bytes: u64 = memory(&place).iter().map(|(_, bytes)| bytes).sum();
    assert_eq!(bytes, place.config().window_bytes);
    drop(writer);
    handle.stop().unwrap();
}

#[test]
fn a_long_run_takes_no_memory_beyond_that_of_its_start() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    let start: BTreeSet<_> = memory(&place).into_iter().collect();
    for first in (1..20_000).step_by(500) {
        write(&mut writer, first..=first + 499, 32);
        let now: BTreeSet<_> = memory(&place).into_iter().collect();
        assert!(now.is_subset(&start), "{now:?} is not among {start:?}");
    }
    assert!(handle.committed().segment() > 40, "{:?}", handle.stats());
    handle.stop().unwrap();
    assert_eq!(place.seqs(), (1..=20_000).collect::<Vec<_>>());
}

#[test]
fn memory_that_is_used_again_leaves_no_trace_in_the_journal() {
    let [again, fresh] = [256 << 10, 16 << 20].map(|window_bytes| {
        let place = Place::new();
        let config = JournalConfig {
            window_bytes,
            ..place.config()
        };
        let (mut writer, handle) = Journal::open(config).unwrap().start().unwrap();
        write(&mut writer, 1..=10_000, 32);
        let last = handle.committed().segment();
        assert!((10..256).contains(&last), "{last}");
        handle.stop().unwrap();
        (1..=last)
            .map(|index| without_times(std::fs::read(place.segment(index)).unwrap()))
            .collect::<Vec<_>>()
    });
    assert!(again == fresh);
}

#[test]
fn what_a_follower_maps_never_changes() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    write(&mut writer, 1..=100, 10);
    let mut slow = handle.follower(StartAt::Start).unwrap();
    let record = slow.poll().unwrap().unwrap();
    let bytes = record.bytes().to_vec();
    write(&mut writer, 101..=10_000, 32);
    wait_until("the follower's segment has left the window", || {
        !handle.window_segment_path(1).exists()
    });
    write(&mut writer, 10_001..=12_000, 32);
    assert_eq!(record.bytes(), bytes);
    check(&record);
    assert_eq!(drain(&mut slow), (2..=12_000).collect::<Vec<_>>());
    let taken: u64 = memory(&place).iter().map(|(_, bytes)| bytes).sum();
    assert!(
        taken <= place.config().window_bytes,
        "other memory took its place"
    );
    handle.stop().unwrap();
}

#[test]
fn followers_that_come_and_go_at_every_place_read_every_record() {
    const LAST: u64 = 30_000;
    let place = Place::new();
    let (mut writer, handle) = place.start();
    write(&mut writer, 1..=1, 1);
    std::thread::scope(|scope| {
        for reader in 1..=3 {
            let (place, mut next) = (&place, 1);
            // A new follower for every few records maps a segment, leaves it, and meets those that are wiped.
            let mut read_on = move || {
                let mut follower = place.follower(StartAt::Seq(next));
                for _ in 0..97 * reader {
                    let Some(record) = follower.poll().unwrap() else {
                        break;
                    };
                    check(&record);
                    assert_eq!(record.head().seq, next);
                    next += 1;
                }
                next > LAST
            };
            scope.spawn(move || wait_until("every record is read", &mut read_on));
        }
        write(&mut writer, 2..=LAST, 32);
    });
    handle.stop().unwrap();
}

#[test]
fn a_first_segment_of_another_size_is_replaced_by_one_of_the_size_that_is_set() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    write(&mut writer, 1..=100, 10);
    handle.stop().unwrap();
    let config = JournalConfig {
        segment_bytes: 128 << 10,
        window_bytes: 512 << 10,
        ..place.config()
    };
    let (mut writer, handle) = Journal::open(config).unwrap().start().unwrap();
    write(&mut writer, 101..=10_000, 32);
    wait_until("the window has its size", || {
        memory(&place).iter().map(|(_, bytes)| bytes).sum::<u64>() == 512 << 10
    });
    handle.stop().unwrap();
    assert_eq!(place.seqs(), (1..=10_000).collect::<Vec<_>>());
}

#[test]
fn a_reader_that_opened_a_file_before_it_became_another_segment_does_not_map_it() {
    let place = Place::new();
    let dir = place.window.path();
    let header = |segment| SegmentHeader {
        segment,
        segment_bytes: 64 << 10,
        ..SegmentHeader::zeroed()
    };
    let mut pool = Pool::new(dir, 64 << 10, 1).unwrap();
    let first = pool.segment(&header(1).sealed()).unwrap();
    let path = dir.join(segment_name(1));
    let opened = std::fs::File::open(&path).unwrap();
    assert!(pool.recycle(first).unwrap());
    let wiped = WindowSegment::map(opened.try_clone().unwrap(), &path, 1).unwrap();
    assert!(wiped.is_none(), "it is locked");
    let second = pool.segment(&header(2).sealed()).unwrap();
    let renamed = WindowSegment::map(opened, &path, 1).unwrap();
    assert!(renamed.is_none(), "its name is gone");
    let reader = WindowSegment::open(dir, 2).unwrap();
    assert!(
        reader.is_some(),
        "a segment can be mapped as soon as it has its name"
    );
    assert!(!pool.recycle(second).unwrap(), "a reader maps it");
}
