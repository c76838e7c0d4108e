//! The journal between processes: this test starts itself again as the other one.

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;
use tempfile::TempDir;
use tradewind_domain::event::{Event, Kind, Quote, head_flags};
use tradewind_machine::journal::{
    Durability, Follower, Journal, JournalConfig, JournalError, JournalWriter, StartAt, verify,
};

const ROLE: &str = "TRADEWIND_TEST_ROLE";
const DATA: &str = "TRADEWIND_TEST_DATA";
const COUNT: u64 = 20_000;

fn config(data: &Path) -> JournalConfig {
    JournalConfig {
        window_dir: data.to_path_buf(),
        segment_bytes: 128 << 10,
        window_bytes: 512 << 10,
        durability: Durability::Memory,
        reserve_bytes: 0,
        allow_unsafe_fs: true,
        ..JournalConfig::new(data)
    }
}

fn write(writer: &mut JournalWriter, seqs: std::ops::RangeInclusive<u64>) {
    let mut event = Event::empty();
    for seq in seqs {
        event.reset(Kind::Quote);
        event.body_mut::<Quote>().bid = seq as i64;
        event.head.seq = seq;
        event.head.flags = head_flags::LAST;
        while writer.append(&event).is_err() {
            writer.commit(seq).unwrap();
            std::thread::yield_now();
        }
        if seq.is_multiple_of(16) {
            writer.commit(seq).unwrap();
        }
    }
    writer.commit(0).unwrap();
}

/// Follows from `from` until `to` has come; every number must come once.
fn follow(data: &Path, from: u64, to: u64) {
    follow_and(data, from, to, |_| {});
}

/// As [`follow`], and tells of each number.
fn follow_and(data: &Path, from: u64, to: u64, tell: impl Fn(u64)) {
    let mut follower = Follower::open(data, StartAt::Seq(from)).unwrap();
    let mut next = from;
    let mut idle = 0;
    while next <= to {
        match follower.poll().unwrap() {
            Some(record) => {
                assert_eq!(record.head().seq, next);
                tell(next);
                (next, idle) = (next + 1, 0);
            }
            None => {
                idle += 1;
                assert!(idle < 100_000, "nothing came after {}", next - 1);
                std::thread::park_timeout(Duration::from_micros(100));
            }
        }
    }
}

fn spawn(test: &str, role: &str, data: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--quiet"])
        .env(ROLE, role)
        .env(DATA, data)
        .spawn()
        .unwrap()
}

/// The role that the parent gave, and its data folder.
fn role() -> Option<(String, std::path::PathBuf)> {
    Some((std::env::var(ROLE).ok()?, std::env::var_os(DATA)?.into()))
}

#[test]
fn a_follower_in_another_process_sees_every_record_over_rolls_and_restarts() {
    if let Some((_, data)) = role() {
        return follow(&data, 1, 2 * COUNT);
    }
    let data = TempDir::new().unwrap();
    let (mut writer, handle) = Journal::open(config(data.path())).unwrap().start().unwrap();
    let mut child = spawn(
        "a_follower_in_another_process_sees_every_record_over_rolls_and_restarts",
        "follower",
        data.path(),
    );
    write(&mut writer, 1..=COUNT);
    handle.stop().unwrap();
    drop(writer);
    let (mut writer, handle) = Journal::open(config(data.path())).unwrap().start().unwrap();
    write(&mut writer, COUNT + 1..=2 * COUNT);
    assert!(child.wait().unwrap().success(), "the follower missed something");
    assert!(handle.committed().segment() > 20);
    handle.stop().unwrap();
}

#[test]
fn a_follower_in_another_process_goes_on_while_covered_segments_are_removed_behind_it() {
    const READ: &str = "read";
    if let Some((_, data)) = role() {
        let say = |seq| {
            if seq == COUNT {
                std::fs::write(data.join(READ), "").unwrap();
            }
        };
        return follow_and(&data, 1, 2 * COUNT, say);
    }
    let data = TempDir::new().unwrap();
    let keeps_little = JournalConfig {
        keep_bytes: 256 << 10,
        ..config(data.path())
    };
    let (mut writer, handle) = Journal::open(keeps_little).unwrap().start().unwrap();
    let mut child = spawn(
        "a_follower_in_another_process_goes_on_while_covered_segments_are_removed_behind_it",
        "follower",
        data.path(),
    );
    write(&mut writer, 1..=COUNT);
    wait_until("the follower has read", || data.path().join(READ).exists());
    handle.set_covered(COUNT);
    let first = data.path().join("journal/00000000000000000001.twj");
    wait_until("the first segment is removed", || !first.exists());
    write(&mut writer, COUNT + 1..=2 * COUNT);
    assert!(child.wait().unwrap().success(), "the follower missed something");
    let late = Follower::open(data.path(), StartAt::Seq(1)).map(drop);
    assert!(
        matches!(late, Err(JournalError::SeqExpired { asked: 1, .. })),
        "{late:?}"
    );
    handle.stop().unwrap();
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if is_so() {
            return;
        }
        std::thread::park_timeout(Duration::from_micros(200));
    }
    panic!("not in time: {what}");
}

#[test]
fn what_a_killed_process_committed_is_taken_over_from_its_memory() {
    if let Some((_, data)) = role() {
        let slow = JournalConfig {
            sync_interval: Duration::from_secs(3_600),
            ..config(&data)
        };
        let opened = Journal::open(slow).unwrap();
        let first = opened.recovery().last.map_or(0, |last| last.seq) + 1;
        let (mut writer, _handle) = opened.start().unwrap();
        write(&mut writer, first..=first + 5_000);
        std::process::abort();
    }
    let data = TempDir::new().unwrap();
    for round in 1..=4 {
        let mut child = spawn(
            "what_a_killed_process_committed_is_taken_over_from_its_memory",
            "writer",
            data.path(),
        );
        assert!(!child.wait().unwrap().success());
        let opened = Journal::open(config(data.path())).unwrap();
        assert_eq!(opened.recovery().last.unwrap().seq, round * 5_001);
        assert!(!opened.recovery().clean);
        drop(opened);
        follow(data.path(), 1, round * 5_001);
    }
    let report = verify(data.path()).unwrap();
    assert_eq!((report.problems.len(), report.records), (0, 4 * 5_001));
}
