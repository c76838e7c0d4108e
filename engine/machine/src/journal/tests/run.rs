//! A journal while it runs: rolls, followers, retention, back-pressure, space.

use super::sim::SimDisk;
use super::support::{Place, append, drain, event, wait_until, write};
use crate::journal::{Follower, Journal, JournalConfig, JournalError, Position, StartAt};
use std::sync::Arc;

#[test]
fn what_is_committed_is_read_back_over_many_segments() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    let mut follower = handle.follower(StartAt::Start).unwrap();
    let mut seen = Vec::new();
    for first in (1..5_000).step_by(500) {
        write(&mut writer, first..=first + 499, 32);
        seen.extend(drain(&mut follower));
    }
    assert_eq!(seen, (1..=5_000).collect::<Vec<_>>());
    assert!(handle.committed().segment() > 10, "{:?}", handle.stats());
    handle.stop().unwrap();
    assert_eq!(place.seqs(), seen);
}

#[test]
fn nothing_is_seen_before_its_commit() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    let mut follower = handle.follower(StartAt::Start).unwrap();
    append(&mut writer, &event(1));
    assert!(follower.poll().unwrap().is_none());
    writer.commit(77).unwrap();
    assert_eq!(follower.poll().unwrap().unwrap().head().journaled_ns, 77);
    assert!(follower.poll().unwrap().is_none());
    handle.stop().unwrap();
}

#[test]
fn a_follower_begins_where_it_is_told() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    write(&mut writer, 1..=2_000, 32);
    for seq in [1, 2, 777, 1_999, 2_000] {
        let mut follower = handle.follower(StartAt::Seq(seq)).unwrap();
        assert_eq!(drain(&mut follower), (seq..=2_000).collect::<Vec<_>>());
    }
    let mut end = handle.follower(StartAt::End).unwrap();
    assert_eq!(drain(&mut end), []);
    let mut next = handle.follower(StartAt::Seq(2_001)).unwrap();
    assert!(matches!(
        handle.follower(StartAt::Seq(2_002)),
        Err(JournalError::SeqAhead {
            asked: 2_002,
            last: 2_000
        })
    ));
    let beyond = Position(handle.committed().0 + 64);
    assert!(matches!(
        handle.follower(StartAt::Position(beyond)),
        Err(JournalError::Ahead { .. })
    ));
    let within = Position(handle.committed().0 - 8);
    assert!(matches!(
        handle.follower(StartAt::Position(within)),
        Err(JournalError::Config(_))
    ));
    write(&mut writer, 2_001..=2_100, 32);
    assert_eq!(drain(&mut end), (2_001..=2_100).collect::<Vec<_>>());
    assert_eq!(drain(&mut next), (2_001..=2_100).collect::<Vec<_>>());
    let mut again = handle.follower(StartAt::Position(end.position())).unwrap();
    assert_eq!(drain(&mut again), []);
    handle.stop().unwrap();
}

#[test]
fn under_durability_disk_nothing_is_released_before_it_is_durable() {
    let place = Place::new();
    let (mut writer, handle) = Journal::open(place.disk_config()).unwrap().start().unwrap();
    let mut follower = handle.follower(StartAt::Start).unwrap();
    for seq in 1..=300 {
        append(&mut writer, &event(seq));
        let position = writer.commit(seq).unwrap();
        assert!(handle.released() <= handle.durable());
        wait_until("the record is released", || handle.released() >= position);
        assert!(handle.durable() >= position);
        assert_eq!(drain(&mut follower), [seq]);
    }
    assert!(handle.stats().sync_count >= 300);
    handle.stop().unwrap();
}

#[test]
fn covered_segments_go_oldest_first_and_a_follower_left_behind_is_told() {
    let place = Place::new();
    let config = JournalConfig {
        keep_bytes: 256 << 10,
        ..place.config()
    };
    let (mut writer, handle) = Journal::open(config).unwrap().start().unwrap();
    let mut slow = handle.follower(StartAt::Start).unwrap();
    write(&mut writer, 1..=1, 1);
    assert_eq!(drain(&mut slow), [1]);
    write(&mut writer, 2..=5_000, 32);
    assert!(place.segment(1).exists(), "nothing is covered");
    handle.set_covered(2_500);
    wait_until("covered segments are gone", || {
        !place.segment(1).exists() && !place.segment(3).exists()
    });
    let error = loop {
        match slow.poll() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the slow follower missed the removal"),
            Err(error) => break error,
        }
    };
    let JournalError::Expired { oldest, .. } = error else {
        panic!("{error}")
    };
    assert!(oldest.segment() > 3);
    assert!(matches!(
        Follower::open(place.data.path(), StartAt::Seq(1)),
        Err(JournalError::SeqExpired { asked: 1, .. })
    ));
    handle.stop().unwrap();
    let seqs = place.seqs();
    assert_eq!(seqs, (seqs[0]..=5_000).collect::<Vec<_>>());
    assert!(seqs[0] <= 2_501, "what is not covered stays");
}

#[test]
fn a_pin_holds_segments_until_the_limit_and_then_breaks() {
    let place = Place::new();
    let config = JournalConfig {
        keep_bytes: 128 << 10,
        retention_bytes: 1 << 20,
        ..place.config()
    };
    let (mut writer, handle) = Journal::open(config).unwrap().start().unwrap();
    handle.pin("store", Position::start_of(2));
    handle.set_covered(u64::MAX);
    write(&mut writer, 1..=1_500, 32);
    wait_until("the segment below the pin is gone", || !place.segment(1).exists());
    assert!(place.segment(2).exists() && !handle.pin_is_broken("store"));
    write(&mut writer, 1_501..=9_000, 32);
    wait_until("the pin is broken", || handle.pin_is_broken("store"));
    wait_until("the pinned segment is gone", || !place.segment(2).exists());
    handle.stop().unwrap();
}

#[test]
fn a_full_disk_is_announced_before_the_segment_ends_and_loses_nothing() {
    let place = Place::new();
    let disk = SimDisk::default();
    let config = JournalConfig {
        reserve_bytes: 1,
        ..place.config()
    };
    let (mut writer, handle) = Journal::open_on(config, Arc::new(disk.clone()))
        .unwrap()
        .start()
        .unwrap();
    wait_until("the next segment is prepared", || {
        handle.stats().window_segments == 2
    });
    disk.set_full(true);
    wait_until("space is low", || writer.space_low());
    let mut taken = 0;
    while writer.append(&event(taken + 1)).is_ok() {
        taken += 1;
        writer.commit(taken).unwrap();
    }
    assert!(
        taken > 200,
        "the segments that were prepared take what there is: {taken}"
    );
    disk.set_full(false);
    write(&mut writer, taken + 1..=taken + 1_000, 32);
    wait_until("space is back", || !writer.space_low());
    handle.stop().unwrap();
    assert_eq!(place.seqs(), (1..=taken + 1_000).collect::<Vec<_>>());
}

#[test]
fn a_failed_sync_stops_the_journal_for_good() {
    let place = Place::new();
    let disk = SimDisk::default();
    let (mut writer, handle) = Journal::open_on(place.disk_config(), Arc::new(disk.clone()))
        .unwrap()
        .start()
        .unwrap();
    write(&mut writer, 1..=10, 1);
    disk.power_off(|| false);
    let _ = writer.append(&event(11));
    let _ = writer.commit(11);
    wait_until("the failure is known", || handle.failure().is_some());
    assert!(writer.commit(12).is_err());
    assert!(matches!(handle.stop(), Err(JournalError::Failed(_))));
}

#[test]
fn the_writer_waits_while_the_window_is_full() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    let mut written = 0;
    let mut refusals = 0;
    while written < 20_000 {
        if writer.append(&event(written + 1)).is_ok() {
            written += 1;
        } else {
            refusals += 1;
            std::thread::yield_now();
        }
        writer.commit(written).unwrap();
        assert!(handle.stats().window_segments <= 4);
    }
    assert!(refusals > 0, "64 KiB segments are faster written than made");
    handle.stop().unwrap();
    assert_eq!(place.seqs().len(), 20_000);
}
