//! What is seen of windows from outside, at any moment.

use super::support::{Place, write};
use crate::journal::window::{create_dir, remove_dir};
use crate::journal::{bytes_left_behind, windows};
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_window_is_never_called_left_behind_while_its_writer_starts_works_or_stops() {
    let place = Place::new();
    let is_done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut seen = 0;
            while !is_done.load(Ordering::Acquire) {
                for window in windows(place.window.path()).unwrap() {
                    assert!(window.has_writer, "{window:?}");
                    assert!(window.journal.is_some(), "{window:?}");
                    seen += 1;
                }
                std::thread::yield_now();
            }
            seen
        });
        for seq in 1..=60 {
            let (mut writer, handle) = place.start();
            write(&mut writer, seq..=seq, 1);
            drop(writer);
            handle.stop().unwrap();
        }
        is_done.store(true, Ordering::Release);
        looker.join().unwrap()
    });
    assert!(seen > 0, "nobody looked while there was a window");
}

#[test]
fn a_window_of_a_dead_writer_is_left_behind_and_its_bytes_come_back_with_the_next_start() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    write(&mut writer, 1..=100, 10);
    drop(writer);
    handle.kill();
    let [left] = &windows(place.window.path()).unwrap()[..] else {
        panic!("one window is left");
    };
    assert!(!left.has_writer);
    assert!(left.bytes >= place.config().window_bytes, "{left:?}");
    assert_eq!(
        bytes_left_behind(place.window.path(), place.data.path()),
        left.bytes
    );
    let (writer, handle) = place.start();
    assert_eq!(bytes_left_behind(place.window.path(), place.data.path()), 0);
    drop(writer);
    handle.stop().unwrap();
    assert_eq!(windows(place.window.path()).unwrap(), []);
}

#[test]
fn a_folder_that_is_no_window_yet_or_no_window_any_more_is_nobodys() {
    let place = Place::new();
    let dir = place.window.path().join("tradewind-00-0");
    create_dir(&dir).unwrap();
    std::fs::write(dir.join("owner.tmp"), "half a na").unwrap();
    assert_eq!(windows(place.window.path()).unwrap(), []);
    remove_dir(&dir).unwrap();
    assert!(!dir.exists());
    remove_dir(&dir).unwrap();
}
