//! Which file systems a journal accepts, as statfs(2) names them.

use super::sim::SimDisk;
use super::support::{Place, write};
use crate::journal::sys::UNSAFE;
use crate::journal::{Journal, JournalConfig, JournalError, Opened};
use std::sync::Arc;

const EXT4: u64 = 0xef53;
const TMPFS: u64 = 0x0102_1994;

/// Opens a journal whose data folder and window folder say that they are on these file systems.
fn open_on(place: &Place, data: u64, window: u64, allow_unsafe_fs: bool) -> Result<Opened, JournalError> {
    let disk = SimDisk::default();
    disk.set_file_system(&place.data.path().join("journal"), data);
    disk.set_file_system(place.window.path(), window);
    let config = JournalConfig {
        allow_unsafe_fs,
        ..place.config()
    };
    Journal::open_on(config, Arc::new(disk))
}

fn refusal(place: &Place, data: u64, window: u64) -> String {
    match open_on(place, data, window, false) {
        Ok(_) => panic!("{data:#x} with a window on {window:#x} was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn overlay_and_network_file_systems_are_refused_by_name_and_nothing_is_made_there() {
    for &(magic, name) in UNSAFE {
        let place = Place::new();
        let text = refusal(&place, magic, TMPFS);
        let folder = place.data.path().join("journal");
        assert!(
            text.contains(name) && text.contains(&folder.display().to_string()),
            "{text}"
        );
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn the_refusal_says_what_is_wrong_with_an_overlay_and_what_to_do() {
    let place = Place::new();
    let text = refusal(&place, 0x794c_7630, TMPFS);
    assert_eq!(
        text,
        format!(
            "{} is on overlayfs (a container's own layer), which does not keep what it was told to sync or lock: put the data folder on a local disk file system (ext4, xfs, btrfs, zfs)",
            place.data.path().join("journal").display()
        )
    );
}

#[test]
fn a_window_that_is_not_in_memory_is_refused() {
    let place = Place::new();
    let text = refusal(&place, EXT4, EXT4);
    assert!(
        text.ends_with("is not on a memory file system such as /dev/shm"),
        "{text}"
    );
}

#[test]
fn a_disk_with_a_window_in_memory_is_accepted_and_the_rest_only_when_it_is_allowed() {
    let place = Place::new();
    assert_eq!(open_on(&place, EXT4, TMPFS, false).unwrap().cautions(), [""; 0]);
    let in_memory = open_on(&Place::new(), TMPFS, TMPFS, false).unwrap();
    assert!(in_memory.cautions()[0].ends_with("is gone when the machine restarts"));
    let overlay = 0x794c_7630;
    let opened = open_on(&place, overlay, EXT4, true).unwrap();
    let [data, window] = opened.cautions() else {
        panic!("both are said: {:?}", opened.cautions());
    };
    assert!(data.contains("overlayfs"), "{data}");
    assert!(window.contains("is not on a memory file system"), "{window}");
    let (mut writer, handle) = opened.start().unwrap();
    write(&mut writer, 1..=10, 1);
    handle.stop().unwrap();
    assert_eq!(place.seqs(), (1..=10).collect::<Vec<_>>());
}
