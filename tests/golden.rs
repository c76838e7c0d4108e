//! Golden runs: what a small day becomes, record by record; and a journal that an earlier build wrote.
//!
//! `UPDATE_GOLDEN=1 cargo test --test golden` writes the listing anew; the difference is then read like code.
//! `tests/golden/journal-v1` is never written anew: a build that cannot go on with it needs another format version.

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::journal::{assert_sequence, events};
use support::place::{Place, clock, live_digest};
use tradewind::commands::record::to_json;
use tradewind_config::ReferenceData;
use tradewind_domain::event::{Event, InboundLong};
use tradewind_domain::time::{NANOS_PER_SEC, utc_day};
use tradewind_feeds::codec::{self, Format, Options};
use tradewind_machine::journal::verify;
use tradewind_views::ReplayOptions;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(golden(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A file's messages, and before them the firm's reference data a second earlier.
fn day() -> Vec<InboundLong> {
    let recording =
        codec::open(Format::Jsonl, &golden("input.jsonl"), &Options::default()).expect("a recording");
    let day: Vec<InboundLong> = recording
        .map(|message| message.expect("a readable line").into())
        .collect();
    let first_ns = day.first().expect("a message").event().head.origin_ns;
    let firm =
        ReferenceData::parse(include_str!("support/firm.toml"), "firm.toml").expect("sound reference data");
    let reference = firm.events(utc_day(first_ns), utc_day(first_ns) + 2).into_iter();
    reference
        .map(|event| event.at(first_ns - NANOS_PER_SEC))
        .chain(day)
        .collect()
}

/// A record as a line; what differs from build to build and from run to run is left out.
fn line(event: &Event) -> String {
    let mut record = to_json(event);
    if let Some(fields) = record.as_object_mut() {
        fields.remove("journaled_ns");
        fields.remove("build");
    }
    format!("{record}\n")
}

#[test]
fn a_small_day_becomes_the_records_that_it_became_before() {
    let place = Place::new();
    place.run(&SMALL, &day());
    if let Some(folder) = std::env::var_os("TRADEWIND_GOLDEN_OUT") {
        save(&place, Path::new(&folder));
    }
    let listing: String = events(&place.data()).iter().map(line).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden("expected.jsonl"), &listing).expect("a listing");
    }
    let expected = read("expected.jsonl");
    for (number, (found, expected)) in listing.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "record {}", number + 1);
    }
    assert_eq!(listing.lines().count(), expected.lines().count());
}

/// Settings of the run that wrote `journal-v1`; segments as small as they may be.
const SMALL: [&str; 1] = ["journal.segment_bytes=64KiB"];

/// Sequence numbers at which the state of `journal-v1` is known: in the first day, before the roll, at the end.
const KNOWN_AT: [u64; 3] = [100, 200, 230];

/// The states that the journal led to, with names and decimals: unlike a hash, they do not depend on how a build lays out rows.
fn states(place: &Place) -> Value {
    let state_at = |seq: u64| {
        let options = ReplayOptions {
            to_seq: Some(seq),
            to_time_ns: None,
        };
        let replay = tradewind_views::replay(&place.data(), options, &clock()).expect("a journal");
        assert_eq!(replay.summary.last_seq, seq);
        serde_json::to_value(tradewind_views::state(&replay.replica)).expect("JSON")
    };
    KNOWN_AT.map(state_at).into_iter().collect()
}

/// Everything that was known then is the same now. A later build may know more.
fn assert_known(known: &Value, found: &Value, path: &str) {
    match (known, found) {
        (Value::Object(known), Value::Object(found)) => {
            for (key, value) in known {
                let path = format!("{path}/{key}");
                assert_known(
                    value,
                    found.get(key).unwrap_or_else(|| panic!("{path} is gone")),
                    &path,
                );
            }
        }
        (Value::Array(known), Value::Array(found)) => {
            assert_eq!(known.len(), found.len(), "{path}");
            for (at, (known, found)) in known.iter().zip(found).enumerate() {
                assert_known(known, found, &format!("{path}/{at}"));
            }
        }
        _ => assert_eq!(known, found, "{path}"),
    }
}

fn assert_known_states(place: &Place) {
    let known: Value = serde_json::from_str(&read("journal-v1/states.json")).expect("JSON");
    assert!(
        known.pointer("/1/positions/0/qty").is_some_and(Value::is_string)
            && known.pointer("/1/orders/9").is_some()
    );
    assert_known(&known, &states(place), "");
}

/// For a new format version: `TRADEWIND_GOLDEN_OUT=DIR` saves the run's journal as `journal-v1` was saved.
fn save(place: &Place, folder: &Path) {
    let (from, to) = (place.data().join("journal"), folder.join("journal"));
    std::fs::create_dir_all(&to).expect("a folder");
    for entry in std::fs::read_dir(&from).expect("a journal") {
        let name = entry.expect("a file").file_name();
        if name != "LOCK" {
            std::fs::copy(from.join(&name), to.join(&name)).expect("a copy");
        }
    }
    std::fs::write(folder.join("states.json"), format!("{:#}\n", states(place))).expect("a state");
}

/// A copy of the golden journal that may be written to.
fn copy() -> Place {
    let place = Place::new();
    let folder = place.data().join("journal");
    std::fs::create_dir_all(&folder).expect("a folder");
    for entry in std::fs::read_dir(golden("journal-v1/journal")).expect("the golden journal") {
        let entry = entry.expect("a file");
        std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
    }
    place
}

#[test]
fn a_journal_of_an_earlier_build_leads_to_the_state_that_it_led_to_then() {
    let place = copy();
    assert_known_states(&place);
    assert_eq!(verify(&place.data()).expect("a journal").problems, []);
    let audit = tradewind_views::verify(&place.data()).expect("a journal");
    assert!(audit.is_ok(), "{audit:?}");
}

#[test]
fn the_engine_goes_on_with_a_journal_of_an_earlier_build() {
    let place = copy();
    let before = place.replay(None);
    assert_eq!(place.recovered_digest(&SMALL), before.digest);
    // Two days later the same file again, with identifiers that were used: executions are known, orders are a new day's.
    let later = day().into_iter().map(|message| {
        let origin_ns = message.event().head.origin_ns;
        message.at(origin_ns + 2 * 86_400 * NANOS_PER_SEC)
    });
    let stopped = place.run(&SMALL, &later.collect::<Vec<_>>());
    let after = place.replay(None);
    assert_eq!(after.digest, live_digest(&stopped));
    assert!(after.last_seq > before.last_seq + 100);
    assert_sequence(&events(&place.data()));
    assert_eq!(verify(&place.data()).expect("a journal").problems, []);
    // Going on has changed nothing of what was there.
    assert_known_states(&place);
}
