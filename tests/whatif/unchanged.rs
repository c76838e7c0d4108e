//! Under its own limits a journal is what it was.

use crate::support::firm::{Order, cancel, fill, replace};
use crate::support::place::Place;
use crate::support::scenario;
use crate::support::script::Script;
use crate::{ALL, assert_same, file, orders_of_all_accounts, play, play_with, run, tradewind};
use tradewind_domain::reject::RejectCode;
use tradewind_whatif::{Until, journal_limits};

/// Tables that the scenario fills.
const FULL: [&str; 2] = ["capacity.instruments=5", "capacity.open_orders=400"];

#[test]
fn under_its_own_limits_a_journal_is_what_it_was() {
    let place = Place::new();
    place.run(&FULL, &scenario::everything().messages);
    let report = play(&place, &[]);
    assert_same(&report);
    let totals = &report.totals;
    assert!(
        totals.orders.rejected > 50 && totals.orders.accepted > 500,
        "{:?}",
        totals.orders
    );
    assert!(totals.replaces.inputs != 0 && totals.cancels.inputs != 0 && totals.executions.inputs != 0);
}

#[test]
fn restarts_in_a_journal_change_nothing_under_its_own_limits() {
    let script = scenario::everything();
    let place = Place::new();
    let (first, second) = script.messages.split_at(script.messages.len() / 2);
    place.run(&FULL, first);
    place.run(&FULL, second);
    assert_same(&play(&place, &[]));
}

#[test]
fn the_limits_of_a_journal_as_a_file_change_nothing() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    orders_of_all_accounts(&mut script, 400);
    let place = run(&script);
    let text = journal_limits(&place.data(), Until::default()).expect("limits");
    let report = play_with(&place, &file(&text, false), &ALL);
    assert!(
        report.limits.lines.is_empty() && report.limits.before == 12,
        "{:?}",
        report.limits
    );
    assert_same(&report);
    let whole = include_str!("../support/firm.toml");
    assert_same(&play_with(&place, &file(whole, false), &ALL));
}

/// A generated session with a venue that answers, on wall time.
#[test]
fn a_session_of_the_demo_changes_nothing_under_its_own_limits() {
    let place = Place::new();
    let sets = place.sets(&[
        "engine.clock=wall",
        "engine.stale_order_ms=0",
        "demo.orders_per_s=2000",
        "capacity.open_orders=8192",
        "capacity.nodes=1024",
        "capacity.limits=1024",
        "capacity.instruments=1024",
    ]);
    let data = place.data().display().to_string();
    let mut args = vec!["run", "--duration", "1", "--json", "--data", &data];
    sets.iter().for_each(|set| args.extend(["--set", set]));
    assert!(tradewind(&args).status.success());
    let report = play(&place, &[]);
    assert_same(&report);
    assert!(report.totals.orders.inputs > 100 && report.totals.executions.inputs != 0);
    assert!(
        report
            .peaks
            .iter()
            .any(|peak| peak.percent.is_some_and(|percent| percent > 0.0))
    );
    let is_within = |percent: Option<f64>| percent.is_none_or(|percent| percent <= 100.0);
    for peak in report.peaks.iter().filter(|peak| peak.limit_type == "ORDER_RATE") {
        assert!(
            is_within(peak.percent),
            "what a rate that refuses let through is within it: {peak:?}"
        );
    }
    let looser = play_with(&place, &file("", false), &ALL);
    let by_limits: u64 = looser.by_limit.iter().map(|row| row.newly_accepted).sum();
    assert_eq!(
        looser.totals.orders.newly_rejected, 0,
        "without limits nothing more is refused"
    );
    assert!(by_limits != 0 && looser.limits.after == 0);
}

/// A token is used by what no rate is asked about, too: a replace that comes too late. A fill then finds the rate further ahead than any
/// message was that it let through, and says nothing of it.
#[test]
fn the_peak_of_a_rate_is_that_of_the_messages_that_it_let_through() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    let ids = ["A", "B", "C"].map(|id| script.order(Order::buy(id, "FREE", "GIZMO", "10", "50")));
    script.accepted(cancel("X", "A"));
    script.refused(replace("R", "A", "20", "50"), RejectCode::PendingCancelReplace);
    script.accepted(fill("F", ids[1], "10", "50"));
    let place = run(&script);
    // One message each 100 ms on the long run. The orders come a millisecond apart: the third is 198 of 200 ms ahead, the fill 295.
    let rate = r#"
        [[limit]]
        label = "rate"
        scope = "FREE"
        type = "ORDER_RATE"
        hard = "10"
        params = { period_ms = 1000, algo = "GCRA", burst = 3 }
    "#;
    let report = play_with(&place, &file(rate, true), &ALL);
    assert_same(&report);
    let peak = report.peaks.iter().find(|peak| peak.label == "rate");
    assert_eq!(peak.and_then(|peak| peak.percent), Some(99.0));
}

/// What an earlier build wrote is played by the rules of this one; where they are others, the report says so.
#[test]
fn the_journal_of_an_earlier_build_is_played_and_other_rules_are_named() {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journal-v1/journal");
    let place = Place::new();
    let folder = place.data().join("journal");
    std::fs::create_dir_all(&folder).expect("a folder");
    for entry in std::fs::read_dir(golden).expect("a journal") {
        let entry = entry.expect("a file");
        let bytes = std::fs::read(entry.path()).expect("bytes");
        std::fs::write(folder.join(entry.file_name()), bytes).expect("a copy");
    }
    let report = play(&place, &[]);
    if tradewind_views::RULES_VERSION == 1 {
        assert!(report.foreign_rules.is_empty());
        return assert_same(&report);
    }
    assert_eq!(report.foreign_rules, [1]);
    assert_eq!(report.totals.orders.inputs, 124);
}
