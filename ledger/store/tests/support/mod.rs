//! What tests of the store share.
#![allow(dead_code, reason = "each test file uses its own part of this")]

mod cluster;
pub(crate) mod play;

pub(crate) use cluster::Cluster;

use std::path::Path;
use std::time::Duration;

/// How a test's store follows.
pub(crate) fn follow(url: &str, data: &Path) -> tradewind_store::FollowSettings {
    tradewind_store::FollowSettings {
        data_dir: data.to_path_buf(),
        target: tradewind_store::Target::parse(url, data).expect("an address"),
        pause: Duration::from_millis(1),
        drain: Duration::from_secs(60),
        records_max: Some(5_000),
    }
}

/// The rows of a database made anew in a file beside the journal: what any other has to equal.
pub(crate) fn made_anew(data: &Path) -> Vec<tradewind_store::Contents> {
    let clock = tradewind_machine::clock::Clock::start().expect("a clock");
    let settings = tradewind_store::FollowSettings {
        records_max: None,
        ..follow("sqlite:anew.db", data)
    };
    let target = settings.target.clone();
    tradewind_store::rebuild(settings, clock, |_| ()).expect("a whole store");
    tradewind_store::contents(&target).expect("its contents")
}

/// Fails at the first row that differs.
pub(crate) fn assert_same(a: &[tradewind_store::Contents], b: &[tradewind_store::Contents]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert_eq!((a.table, &a.columns), (b.table, &b.columns));
        for (left, right) in a.rows.iter().zip(&b.rows) {
            assert_eq!(left, right, "{} ({:?})", a.table, a.columns);
        }
        assert_eq!(a.rows.len(), b.rows.len(), "{}", a.table);
    }
}

/// Waits for something that comes by itself.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}
