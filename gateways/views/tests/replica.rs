//! The replica against the live stages, and what it shows.

mod desk;

use desk::{Desk, Place, digest_of, hex};
use tradewind_domain::codes::Side;
use tradewind_domain::event::Capacities;
use tradewind_machine::clock::Clock;
use tradewind_views::{RULES_VERSION, Reader, ReplayOptions, ViewError, replay, state, verify};

#[test]
fn a_replayed_journal_has_the_state_of_the_live_stages() {
    let place = Place::new();
    let (writer, handle) = place.open();
    let mut desk = Desk::new(writer, RULES_VERSION);
    desk.busy_day();
    let finished = desk.finish();
    handle.stop().unwrap();

    let (clock, _) = Clock::manual(0);
    let replayed = replay(place.dir(), ReplayOptions::default(), &clock).unwrap();
    assert_eq!(replayed.summary.digest, hex(&digest_of(&finished.stages)));
    assert_eq!(replayed.summary.last_seq, finished.last.seq);
    assert_eq!(replayed.summary.inputs, finished.last.seq);
    assert!(replayed.summary.kinds["order_expired"] > 1 && replayed.summary.kinds["cancel_requested"] > 0);
    assert_eq!(
        replayed.summary.kinds.values().sum::<u64>(),
        replayed.summary.records
    );

    let mut same = Desk::in_memory();
    same.busy_day();
    let mut rejects = std::collections::BTreeMap::new();
    for code in same.events().iter().filter_map(|event| event.reject_code()) {
        *rejects.entry(code.text().to_owned()).or_insert(0u64) += 1;
    }
    assert!(rejects.len() > 8, "{rejects:?}");
    assert_eq!(replayed.summary.rejects, rejects);
    let effects = same.events().iter().filter(|event| event.head.part > 0).count();
    assert_eq!(replayed.summary.effects, effects as u64);
}

/// The second run has larger tables: the replica has room for it from the start, and hashes alike nevertheless.
#[test]
fn a_journal_of_two_runs_has_the_state_of_the_second_ones_stages() {
    let mut first = Desk::in_memory();
    first.busy_day();
    let records = first.events().to_vec();
    let place = Place::new();
    let (mut writer, handle) = place.open();
    for event in &records {
        writer.append(event).unwrap();
        writer.commit(1).unwrap();
    }
    let larger = Capacities {
        sessions: 100,
        instruments: 50,
        wallets: 40,
        ..desk::capacities()
    };
    let mut desk = Desk::resume(writer, larger, &records);
    desk.order("second", "B", Side::Buy, "1", "10");
    let finished = desk.finish();
    handle.stop().unwrap();
    let (clock, _) = Clock::manual(0);
    let replayed = replay(place.dir(), ReplayOptions::default(), &clock).unwrap();
    assert_eq!(replayed.summary.kinds["engine_started"], 2);
    assert_eq!(replayed.summary.digest, hex(&digest_of(&finished.stages)));
    let report = verify(place.dir()).unwrap();
    assert!(report.is_ok(), "{:#?}", report.checks);

    let at_the_end_of_the_first = ReplayOptions {
        to_seq: records.last().map(|event| event.head.seq),
        to_time_ns: None,
    };
    let replayed = replay(place.dir(), at_the_end_of_the_first, &clock).unwrap();
    assert_eq!(replayed.summary.digest, hex(&digest_of(&first.finish().stages)));
}

#[test]
fn a_journal_whose_beginning_was_removed_is_refused() {
    let place = Place::new();
    let (writer, handle) = place.open();
    let mut desk = Desk::new(writer, RULES_VERSION);
    (0..400).for_each(|_| desk.deposit("A", "1"));
    desk.finish();
    handle.stop().unwrap();
    std::fs::remove_file(place.dir().join("journal").join(format!("{:020}.twj", 1))).unwrap();
    assert!(matches!(Reader::open(place.dir()).err(), Some(ViewError::BeginsLate { seq }) if seq > 100));
}

#[test]
fn a_replica_reads_beside_a_running_writer() {
    let place = Place::new();
    let (writer, handle) = place.open();
    let mut desk = Desk::new(writer, RULES_VERSION);
    desk.deposit("A", "500");
    let (clock, _) = Clock::manual(0);
    let early = replay(place.dir(), ReplayOptions::default(), &clock).unwrap();
    assert_eq!(state(&early.replica).balances[0].settled, "500");
    desk.deposit("A", "11.50");
    let later = replay(place.dir(), ReplayOptions::default(), &clock).unwrap();
    assert_eq!(state(&later.replica).balances[0].settled, "511.5");
    drop(desk);
    handle.stop().unwrap();
}

#[test]
fn a_replay_ends_where_it_is_told_with_whole_groups() {
    let place = Place::new();
    let (writer, handle) = place.open();
    let mut desk = Desk::new(writer, RULES_VERSION);
    desk.busy_day();
    let last = desk.finish().last;
    handle.stop().unwrap();
    let (clock, _) = Clock::manual(0);
    let mut digests = std::collections::HashSet::new();
    for to_seq in 1..=last.seq {
        let options = ReplayOptions {
            to_seq: Some(to_seq),
            to_time_ns: None,
        };
        let replayed = replay(place.dir(), options, &clock).unwrap();
        assert_eq!(replayed.summary.last_seq, to_seq);
        assert!(!replayed.summary.open_group);
        let by_time = ReplayOptions {
            to_seq: None,
            to_time_ns: Some(replayed.summary.last_recv_ns),
        };
        assert_eq!(
            replay(place.dir(), by_time, &clock).unwrap().summary.digest,
            replayed.summary.digest
        );
        digests.insert(replayed.summary.digest);
    }
    assert!(digests.len() as u64 > last.seq / 2, "most inputs change state");
}

#[test]
fn state_shows_what_is_held_with_names_and_decimals() {
    let mut desk = Desk::in_memory();
    desk.deposit("A", "10000");
    desk.order("a1", "A", Side::Buy, "100", "10");
    desk.fill(1, "40", "9.90");
    desk.last_trade("10.10");
    let events = desk.events().to_vec();
    let mut replica = tradewind_views::Replica::new(&desk::capacities(), &desk::HASH_KEY);
    events.iter().for_each(|event| replica.apply(event).unwrap());
    let view = state(&replica);

    let position = &view.positions[0];
    assert_eq!(
        (position.account.as_str(), position.symbol.as_str()),
        ("A", "ACME")
    );
    assert_eq!((position.qty.as_str(), position.cost.as_str()), ("40", "396"));
    assert_eq!(position.avg_px.as_deref(), Some("9.9"));
    assert_eq!(position.mark.as_deref(), Some("10.1"));
    assert_eq!(position.unrealised.as_deref(), Some("8"));
    let balance = &view.balances[0];
    // 10000 less 396 and 0.25; for the rest 60 at 10 and a tenth of a percent are held.
    assert_eq!(
        (balance.settled.as_str(), balance.reserved.as_str()),
        ("9603.75", "600.6")
    );
    assert_eq!(balance.available, "9003.15");
    let order = &view.orders[0];
    assert_eq!(
        (
            order.cl_ord_id.as_str(),
            order.order_id.as_str(),
            order.state.as_str()
        ),
        ("a1", "0-1", "WORKING")
    );
    assert_eq!(
        (order.qty.as_str(), order.cum.as_str(), order.leaves.as_str()),
        ("100", "40", "60")
    );
    assert_eq!(order.reserved_cash, "600.6");
    assert_eq!(view.pnl[0].total, "7.75");
    let scopes: Vec<_> = view
        .limits
        .iter()
        .map(|limit| (limit.scope.as_str(), limit.label.as_str()))
        .collect();
    assert_eq!(
        scopes,
        [
            ("A", "A-cash"),
            ("B", "B-cash"),
            ("ORG", "long"),
            ("ORG", "max-qty")
        ]
    );
    assert_eq!(
        (view.limits[3].hard.as_str(), view.limits[3].unit.as_str()),
        ("1000", "quantity")
    );
    assert!(view.restrictions.is_empty());
    serde_json::to_string(&view).unwrap();
}

#[test]
fn a_folder_without_a_journal_is_an_error() {
    let place = Place::new();
    assert!(matches!(
        Reader::open(place.dir()).err(),
        Some(ViewError::Journal(_))
    ));
}

#[test]
fn records_that_do_not_follow_are_refused() {
    let mut desk = Desk::in_memory();
    desk.busy_day();
    let events = desk.events();
    for skipped in [1, 5, events.len() - 2] {
        let mut replica = tradewind_views::Replica::new(&desk::capacities(), &desk::HASH_KEY);
        events[..skipped]
            .iter()
            .for_each(|event| replica.apply(event).unwrap());
        let before = replica.digest();
        assert!(matches!(
            replica.apply(&events[skipped + 1]),
            Err(ViewError::OutOfSequence { .. })
        ));
        assert_eq!(replica.digest(), before, "a refused record leaves no trace");
    }
}
