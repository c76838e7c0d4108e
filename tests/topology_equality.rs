//! Where stages run is configuration: the same input gives the same journal, byte for byte, and the same state.
//!
//! The input has refusals from every stage, kills, lost sessions, everything that limits do beside refusing, and day rolls whose
//! effects are many times more than the slots and rings they travel in.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use support::journal::{assert_sequence, events, masked_records, masked_segments, outcomes};
use support::place::{Place, live_digest};
use support::scenario;
use tradewind_domain::event::{Decider, Event, Kind};
use tradewind_domain::reject::RejectCode;
use tradewind_machine::topology::StageName;

/// Tables that the scenario fills.
const FULL: [&str; 2] = ["capacity.instruments=5", "capacity.open_orders=400"];

/// Slots and rings as small as they may be.
const TINY: [&str; 5] = [
    "engine.slab_slots=64",
    "engine.effect_slots=16",
    "engine.ring_slots=16",
    "sources.admin_slots=16",
    "journal.segment_bytes=64KiB",
];

/// What one run leaves behind.
struct Run {
    place: Place,
    digest: String,
    /// How often the thread of the limit check found the ring behind it full, where it ends with that stage.
    waits_behind_limit: u64,
}

fn run(topology: &str, batch_max: u32, more: &[&str]) -> Run {
    let (topology, batch_max) = (
        format!("engine.topology={topology}"),
        format!("engine.batch_max={batch_max}"),
    );
    let mut sets = vec![topology.as_str(), batch_max.as_str()];
    sets.extend(FULL.iter().chain(more));
    let place = Place::new();
    let stopped = place.run(&sets, &scenario::everything().messages);
    let digest = live_digest(&stopped);
    let figures = stopped.finished.reports.iter().map(|report| &report.figures);
    let of_limit = figures.filter(|figures| figures.stage == StageName::Limit);
    Run {
        place,
        digest,
        waits_behind_limit: of_limit.map(|figures| figures.full_waits).sum(),
    }
}

#[test]
fn journals_and_states_are_equal_under_every_topology() {
    let reference = run("fused", 16, &TINY);
    let (records, segments) = (
        masked_records(&reference.place.data()),
        masked_segments(&reference.place.data()),
    );
    assert!(segments.len() > 5, "the journal rolls from segment to segment");
    let others = [
        ("fused", 1),
        ("split", 16),
        ("staged", 16),
        ("staged", 3),
        ("ingest,normalize+validate+limit,settle,position+journal", 7),
        ("ingest+normalize+validate,limit+settle,position,journal", 13),
    ];
    let mut waits = 0;
    for (topology, batch_max) in others {
        let other = run(topology, batch_max, &TINY);
        waits += other.waits_behind_limit;
        let name = format!("{topology} in batches of {batch_max}");
        assert_eq!(other.digest, reference.digest, "{name}: the state differs");
        let theirs = masked_records(&other.place.data());
        assert_eq!(
            theirs.len(),
            records.len(),
            "{name}: the number of records differs"
        );
        let differs = theirs
            .iter()
            .zip(&records)
            .position(|(theirs, ours)| theirs != ours);
        assert_eq!(differs, None, "{name}: the first record that differs");
        assert!(
            masked_segments(&other.place.data()) == segments,
            "{name}: the segment files differ"
        );
    }
    assert!(waits > 0, "the expander never met a full ring");
}

#[test]
fn sizes_of_slabs_and_rings_change_nothing_either() {
    let roomy = run(
        "split",
        16,
        &[
            "engine.slab_slots=4096",
            "engine.effect_slots=4096",
            "journal.segment_bytes=64KiB",
        ],
    );
    let tiny = run("split", 16, &TINY);
    assert_eq!(roomy.digest, tiny.digest);
    assert!(masked_segments(&roomy.place.data()) == masked_segments(&tiny.place.data()));
}

/// The comparison above is worth what the input covers: here it is shown.
#[test]
fn the_input_has_refusals_of_every_stage_and_expansions_longer_than_everything_they_travel_in() {
    let run = run("fused", 16, &TINY);
    let events = events(&run.place.data());
    assert_sequence(&events);
    scenario::everything().assert_outcomes(&outcomes(&events));

    let mut codes: BTreeMap<&'static str, BTreeSet<u16>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.is_rejected()) {
        codes
            .entry(decider(event))
            .or_default()
            .insert(event.head.outcome);
    }
    assert!(codes[&"normalize"].len() >= 6, "{codes:?}");
    assert!(codes[&"validate"].len() >= 3, "{codes:?}");
    assert!(codes[&"limit"].len() >= 45, "{codes:?}");
    assert!(codes[&"limit"].contains(&(RejectCode::Capacity as u16)));

    let mut effects: BTreeMap<u64, u32> = BTreeMap::new();
    for event in &events {
        effects
            .entry(event.head.seq)
            .and_modify(|part| *part = event.head.part)
            .or_insert(0);
    }
    let long = effects.values().filter(|&&count| count > 64).count();
    assert!(
        long >= 6,
        "rolls and a lost session with more effects than slots: {long}"
    );
    let kinds: BTreeSet<Kind> = events
        .iter()
        .filter(|event| event.head.part > 0)
        .filter_map(Event::kind)
        .collect();
    let all = [
        Kind::OrderNew,     // a FLATTEN's
        Kind::TradeCapture, // out of quarantine
        Kind::OrderExpired,
        Kind::CancelRequested,
        Kind::OrderReleased,
        Kind::StateChanged,
        Kind::DatedCashSettled,
        Kind::HolderSplit,
        Kind::HolderDividend,
        Kind::TradeBust,
        Kind::StockBorrowed,
        Kind::DatedSplit,
    ];
    assert_eq!(kinds, BTreeSet::from(all));
    let causes = causes(&events);
    for cause in [
        (Kind::OrderNew, Kind::StateChanged),     // a limit restricts
        (Kind::OrderReplace, Kind::StateChanged), // the same
        (Kind::TradeCapture, Kind::StateChanged), // executions too often
        (Kind::Valuation, Kind::StateChanged),    // a floor
        (Kind::Timer, Kind::StateChanged),        // a day's restriction ends
        (Kind::OrderNew, Kind::CancelRequested),  // what a newcomer would trade against
        (Kind::Valuation, Kind::CancelRequested), // a floor that kills
        (Kind::Kill, Kind::CancelRequested),
        (Kind::MassCancel, Kind::CancelRequested),
        (Kind::Timer, Kind::CancelRequested), // a lost session
        (Kind::VenueCancelled, Kind::OrderReleased),
        (Kind::VenueFill, Kind::OrderReleased),
        (Kind::Flatten, Kind::OrderNew),
        (Kind::QuarantineResolve, Kind::TradeCapture),
    ] {
        assert!(causes.contains(&cause), "{cause:?} is not in the input");
    }
}

/// What was set off by what: kinds of inputs with the kinds of their effects.
fn causes(events: &[Event]) -> BTreeSet<(Kind, Kind)> {
    let mut causes = BTreeSet::new();
    let mut cause = None;
    for event in events {
        match event.head.part {
            0 => cause = event.kind(),
            _ => causes.extend(cause.zip(event.kind())),
        }
    }
    causes
}

fn decider(event: &Event) -> &'static str {
    match event.kind().map(Kind::decider) {
        Some(Decider::Normalize) => "normalize",
        Some(Decider::Validate) => "validate",
        Some(Decider::LimitCheck) => "limit",
        Some(Decider::Nobody) | None => "nobody",
    }
}
