//! Loss of the machine: memory is gone, and the disk holds some of what was not synced.

use super::sim::SimDisk;
use super::support::{Bits, Place, append, event, write};
use crate::journal::{Durability, Journal, JournalConfig, verify};
use std::sync::Arc;

/// Writes until the power goes, several times over, and checks what each start finds.
fn lose_power(seed: u64, durability: Durability) {
    let mut bits = Bits::seeded(seed);
    let place = Place::new();
    let config = JournalConfig {
        durability,
        ..place.config()
    };
    let mut next = 1;
    for round in 0..4 {
        let disk = SimDisk::default();
        let (mut writer, handle) = Journal::open_on(config.clone(), Arc::new(disk.clone()))
            .unwrap()
            .start()
            .unwrap();
        let count = bits.next() % 3_000;
        let batch = 1 + bits.next() % 64;
        if count > 0 {
            write(&mut writer, next..=next + count - 1, batch);
        }
        append(&mut writer, &event(next + count)); // appended, never committed
        let share = bits.next() % 5;
        disk.power_off(|| bits.next() % 4 < share);
        let durable = handle.durable();
        handle.kill();
        drop(writer);
        std::fs::remove_dir_all(place.window.path()).unwrap();
        std::fs::create_dir(place.window.path()).unwrap();

        let opened = Journal::open(config.clone()).unwrap();
        let context = format!("seed {seed} round {round}: {:?}", opened.recovery());
        assert!(
            opened.recovery().end >= durable,
            "durable {durable} was lost; {context}"
        );
        let mut records = opened.records().unwrap();
        let mut expected = 1;
        while let Some(record) = records.next().unwrap() {
            super::support::check(&record);
            assert_eq!(record.head().seq, expected, "a gap; {context}");
            expected += 1;
        }
        assert!(
            expected <= next + count,
            "an uncommitted record came back; {context}"
        );
        assert_eq!(
            opened.recovery().last.map_or(0, |last| last.seq),
            expected - 1,
            "{context}"
        );
        next = expected;
        drop(opened);
        assert_eq!(verify(place.data.path()).unwrap().problems, [], "{context}");
    }
}

#[test]
fn nothing_durable_is_lost_with_the_machine() {
    for seed in 1..=12 {
        lose_power(seed, Durability::Memory);
        lose_power(seed, Durability::Disk);
    }
}

#[test]
fn what_was_released_under_durability_disk_survives_the_machine() {
    let place = Place::new();
    let disk = SimDisk::default();
    let opened = Journal::open_on(place.disk_config(), Arc::new(disk.clone())).unwrap();
    let (mut writer, handle) = opened.start().unwrap();
    let mut released = 0;
    for seq in 1..=800 {
        append(&mut writer, &event(seq));
        let position = writer.commit(seq).unwrap();
        if handle.released() >= position {
            released = seq;
        }
    }
    let position = handle.released();
    disk.power_off(|| false);
    handle.kill();
    drop(writer);
    std::fs::remove_dir_all(place.window.path()).unwrap();
    std::fs::create_dir(place.window.path()).unwrap();
    let opened = Journal::open(place.disk_config()).unwrap();
    assert!(opened.recovery().end >= position);
    assert!(opened.recovery().last.map_or(0, |last| last.seq) >= released);
}
