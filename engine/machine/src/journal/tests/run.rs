//! A journal while it runs: rolls, followers, retention, back-pressure, space.

use super::support::{Place, append, drain, event, wait_until, write};
use crate::journal::{Follower, Journal, JournalConfig, JournalError, Position, StartAt};

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
