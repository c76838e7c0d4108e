//! A journal that an earlier build wrote is read, verified and continued by this one.
//!
//! `golden/v1` was written by the commit that fixed format version 1. It is never written anew: a build that cannot read
//! it needs another format version.

use super::support::{Place, event, write};
use crate::journal::{Journal, verify};
use std::fs;
use std::path::Path;

/// Records in the golden journal.
const COUNT: u64 = 400;

fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal/tests/golden/v1")
}

#[test]
fn a_journal_of_an_earlier_build_is_read_and_continued() {
    let place = Place::new();
    let folder = place.data.path().join("journal");
    fs::create_dir(&folder).unwrap();
    for entry in fs::read_dir(golden()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let report = verify(place.data.path()).unwrap();
    assert_eq!(
        (report.records, report.seqs, report.seals),
        (COUNT, (1, COUNT), 1)
    );
    assert_eq!(report.problems, []);
    let (mut writer, handle) = Journal::open(place.config()).unwrap().start().unwrap();
    write(&mut writer, COUNT + 1..=COUNT + 500, 10);
    handle.stop().unwrap();
    assert_eq!(place.seqs(), (1..=COUNT + 500).collect::<Vec<_>>());
    assert_eq!(verify(place.data.path()).unwrap().problems, []);
}

/// What this build writes is, byte for byte, what the earlier one wrote.
#[test]
fn the_same_records_still_become_the_same_bytes() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    for seq in 1..=COUNT {
        writer.append(&event(seq)).unwrap();
        writer.commit(1_000_000 + seq).unwrap();
        if seq == 1 {
            super::support::wait_until("a segment is prepared", || handle.stats().window_segments > 1);
        }
    }
    handle.stop().unwrap();
    for index in [1, 2] {
        let name = format!("{index:020}.twj");
        let (written, kept) = (
            fs::read(place.segment(index)).unwrap(),
            fs::read(golden().join(&name)),
        );
        if let Some(folder) = std::env::var_os("TRADEWIND_GOLDEN_OUT") {
            // For a new format version: writes the files of its golden journal.
            fs::copy(place.segment(index), Path::new(&folder).join(&name)).unwrap();
            fs::copy(
                place.data.path().join("journal/durable"),
                Path::new(&folder).join("durable"),
            )
            .unwrap();
            continue;
        }
        assert!(written == kept.unwrap(), "segment {index} differs");
    }
}
