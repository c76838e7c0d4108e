//! Golden runs: what a small day becomes, record by record; and journals that earlier builds wrote.
//!
//! `UPDATE_GOLDEN=1 cargo test --test golden` writes the listing anew; the difference is then read like code.
//! `tests/golden/journal-v*` are never written anew: a build that cannot go on with them needs another format version.

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::firm::{bust, trade};
use support::journal::{assert_sequence, events, outcomes};
use support::place::{Place, clock, live_digest};
use support::script::Script;
use support::{catalogue, firm, round, scenario};
use tradewind::commands::record::to_json;
use tradewind_config::ReferenceData;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, InboundLong};
use tradewind_domain::ids::Seq;
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

/// A morning on which limits do everything that they do beside refusing, and the morning after it.
fn mornings() -> Script {
    let mut script = Script::with(firm::reference_with_catalogue());
    script.at(0, 9, 0);
    catalogue::first_day(&mut script);
    script.at(1, 8, 0);
    catalogue::second_day(&mut script);
    script
}

/// The same, and a third one on which everything else happens that there is a kind for.
fn three_mornings() -> Script {
    let mut script = third_morning();
    scenario::corporate_actions(&mut script);
    script
}

/// On the third one a strategy has its share of a dividend and a split, and an account sells what it bought; the sale is taken back behind
/// both, which found it flat.
fn three_mornings_and_a_bust() -> Script {
    let mut script = third_morning();
    script.accepted(trade("STRATEGY", "STRATEGY", "GIZMO", Side::Buy, "60", "50"));
    script.accepted(trade("BOUGHT", "L02", "GIZMO", Side::Buy, "100", "50"));
    script.accepted(trade("SOLD", "L02", "GIZMO", Side::Sell, "100", "51"));
    scenario::corporate_actions(&mut script);
    script.accepted(bust("SOLD", 0));
    script
}

fn third_morning() -> Script {
    let mut script = mornings();
    script.at(2, 8, 0);
    round::begin(&mut script);
    round::round(&mut script, 1);
    scenario::after_trade(&mut script);
    script.accepted(trade("MISTAKE", "FREE", "GIZMO", Side::Buy, "10", "50"));
    script.accepted(bust("MISTAKE", 0).with_tail(b"the broker took it back"));
    script
}

/// Segments as small as they may be.
const SMALL: [&str; 1] = ["journal.segment_bytes=64KiB"];

/// A journal that an earlier build wrote, with the states that it led to.
struct Kept {
    folder: &'static str,
    /// Sequence numbers at which the state is known.
    known_at: [Seq; 3],
    /// What it was made of.
    messages: fn() -> Vec<InboundLong>,
}

/// The first one: orders, trades and payments of a day. Known: in the first day, before the roll, at the end.
const V1: Kept = Kept {
    folder: "journal-v1",
    known_at: [100, 200, 230],
    messages: day,
};

/// Changes of state, kills, held orders, closed positions, floors, quarantine, busts. Known: with the killed account's cancels under
/// way, before the roll, at the end.
const V2: Kept = Kept {
    folder: "journal-v2",
    known_at: [220, 422, 432],
    messages: || mornings().messages,
};

/// The same two mornings with what came after: trades that settle on their date, tax lots. Known at the same moments.
const V3: Kept = Kept {
    folder: "journal-v3",
    known_at: [220, 422, 432],
    messages: || mornings().messages,
};

/// Three mornings, the third with what came after the third journal. Known: with the killed account's cancels under way, before
/// the second roll, at the end.
const V4: Kept = Kept {
    folder: "journal-v4",
    known_at: [220, 422, 544],
    messages: || three_mornings().messages,
};

/// The same three mornings by rules of version 5. Known at the same moments.
const V5: Kept = Kept {
    folder: "journal-v5",
    known_at: [220, 422, 544],
    messages: || three_mornings().messages,
};

/// By rules of version 6: the same mornings, and a sale that is taken back. Known at the same moments, and at the end.
const V6: Kept = Kept {
    folder: "journal-v6",
    known_at: [220, 422, 548],
    messages: || three_mornings_and_a_bust().messages,
};

/// Those that are kept.
const KEPT: [Kept; 6] = [V1, V2, V3, V4, V5, V6];

#[test]
fn a_small_day_becomes_the_records_that_it_became_before() {
    let place = Place::new();
    place.run(&SMALL, &day());
    save(&V1, &place);
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

#[test]
fn two_mornings_with_everything_that_limits_do_become_what_they_should_and_a_sound_journal() {
    assert_sound(&V3, &mornings());
}

#[test]
fn a_third_morning_with_everything_else_becomes_what_it_should_and_a_sound_journal() {
    assert_sound(&V6, &three_mornings_and_a_bust());
}

fn assert_sound(kept: &Kept, script: &Script) {
    let place = Place::new();
    let stopped = place.run(&SMALL, &script.messages);
    save(kept, &place);
    let events = events(&place.data());
    assert_sequence(&events);
    script.assert_outcomes(&outcomes(&events));
    assert_eq!(place.replay(None).digest, live_digest(&stopped));
    assert_eq!(verify(&place.data()).expect("a journal").problems, []);
    let audit = tradewind_views::verify(&place.data()).expect("a journal");
    assert!(audit.is_ok(), "{audit:#?}");
}

/// The states that the journal led to, with names and decimals: unlike a hash, they do not depend on how a build lays out rows.
fn states(kept: &Kept, place: &Place) -> Value {
    let state_at = |seq: Seq| {
        let options = ReplayOptions {
            to_seq: Some(seq),
            to_time_ns: None,
        };
        let replay = tradewind_views::replay(&place.data(), options, &clock()).expect("a journal");
        assert_eq!(replay.summary.last_seq, seq);
        serde_json::to_value(tradewind_views::state(&replay.replica)).expect("JSON")
    };
    kept.known_at.map(state_at).into_iter().collect()
}

/// Words of views that are others now: where they stand, what they were, what they are. The journal's figures are what they were.
const REWORDED: [(&str, &str, &str); 1] = [
    ("/unit", "cash", ""), // of BUYING_POWER, whose `hard` says nothing
];

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
        // What limits restrict is listed among what people do: each that was known is there.
        (Value::Array(known), Value::Array(found)) if path.ends_with("/restrictions") => {
            for one in known {
                assert!(found.iter().any(|now| holds(now, one)), "{path}: {one} is gone");
            }
        }
        (Value::Array(known), Value::Array(found)) => {
            // Of tables there may be more now; the list goes on behind those that were known.
            let grows = path.ends_with("/tables") && known.len() < found.len();
            assert!(
                grows || known.len() == found.len(),
                "{path}: {} of {}",
                found.len(),
                known.len()
            );
            for (at, (known, found)) in known.iter().zip(found).enumerate() {
                assert_known(known, found, &format!("{path}/{at}"));
            }
        }
        _ => {
            let is_reworded =
                |&(place, was, is): &(&str, &str, &str)| path.ends_with(place) && known == was && found == is;
            assert!(
                known == found || REWORDED.iter().any(is_reworded),
                "{path}: {found}, was {known}"
            );
        }
    }
}

/// True where an entry says all that it said when it was known.
fn holds(now: &Value, known: &Value) -> bool {
    let (Some(now), Some(known)) = (now.as_object(), known.as_object()) else {
        return now == known;
    };
    known.iter().all(|(key, value)| now.get(key) == Some(value))
}

fn assert_known_states(kept: &Kept, place: &Place) {
    let known: Value = serde_json::from_str(&read(&format!("{}/states.json", kept.folder))).expect("JSON");
    assert!(
        known.pointer("/1/positions/0/qty").is_some_and(Value::is_string)
            && known.pointer("/1/orders/9").is_some()
    );
    assert_known(&known, &states(kept, place), "");
}

/// For a new format version, or new kinds: `GOLDEN_OUT=DIR` saves the run's journal as the kept ones were saved.
fn save(kept: &Kept, place: &Place) {
    let Some(out) = std::env::var_os("GOLDEN_OUT") else {
        return;
    };
    let folder = Path::new(&out).join(kept.folder);
    let (from, to) = (place.data().join("journal"), folder.join("journal"));
    std::fs::create_dir_all(&to).expect("a folder");
    for entry in std::fs::read_dir(&from).expect("a journal") {
        let name = entry.expect("a file").file_name();
        if name != "LOCK" {
            std::fs::copy(from.join(&name), to.join(&name)).expect("a copy");
        }
    }
    let states = format!("{:#}\n", states(kept, place));
    std::fs::write(folder.join("states.json"), states).expect("a state");
}

/// A copy of a kept journal that may be written to.
fn copy(kept: &Kept) -> Place {
    let place = Place::new();
    let folder = place.data().join("journal");
    std::fs::create_dir_all(&folder).expect("a folder");
    let journal = golden(kept.folder).join("journal");
    for entry in std::fs::read_dir(journal).expect("the golden journal") {
        let entry = entry.expect("a file");
        std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
    }
    place
}

#[test]
fn a_journal_of_an_earlier_build_leads_to_the_state_that_it_led_to_then() {
    for kept in KEPT {
        let place = copy(&kept);
        assert_known_states(&kept, &place);
        assert_eq!(verify(&place.data()).expect("a journal").problems, []);
        let audit = tradewind_views::verify(&place.data()).expect("a journal");
        assert!(audit.is_ok(), "{audit:?}");
    }
}

#[test]
fn the_engine_goes_on_with_a_journal_of_an_earlier_build() {
    for kept in KEPT {
        let place = copy(&kept);
        let before = place.replay(None);
        assert_eq!(place.recovered_digest(&SMALL), before.digest);
        // Two days later the same again, with identifiers that were used: executions are known, orders are a new day's.
        let later = (kept.messages)().into_iter().map(|message| {
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
        assert_known_states(&kept, &place);
    }
}
