//! Restart: the state comes back from the journal alone, an open group is finished, and what cannot go on says why.

mod support;

use std::collections::HashMap;
use std::error::Error;
use support::firm::{Order, last, quote};
use support::journal::{assert_sequence, event, events, masked_records, outcomes};
use support::place::{IDENTITY, Place, feed, live_digest};
use support::scenario;
use tradewind::engine::{Engine, EngineError, prepare};
use tradewind_domain::event::{
    EngineStarted, Event, Execution, Head, InboundLong, Kind, TakenBack, TradeBust, head_flags, schema_hash,
};
use tradewind_domain::ids::Seq;
use tradewind_domain::text::{ExecId, Text};
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::{Journal, JournalConfig};

/// Tables that the scenario fills.
const FULL: [&str; 2] = ["capacity.instruments=5", "capacity.open_orders=400"];

/// A journal of these records in a place of its own, as a process leaves it that was killed after the last of them.
fn journal_of(records: &[Vec<u8>]) -> Place {
    let place = Place::new();
    let config = JournalConfig {
        window_dir: place.window(),
        segment_bytes: 256 << 10,
        window_bytes: 1 << 20,
        reserve_bytes: 512 << 10,
        schema_hash: schema_hash(),
        identity: Some(IDENTITY),
        allow_unsafe_fs: true,
        ..JournalConfig::new(place.data())
    };
    let (mut writer, handle) = Journal::open(config)
        .expect("a journal")
        .start()
        .expect("a running journal");
    for record in records {
        let record = event(record);
        while writer.append(&record).is_err() {
            writer.commit(1).expect("a commit");
            std::thread::yield_now();
        }
    }
    writer.commit(1).expect("a commit");
    handle.stop().expect("a clean stop");
    place
}

/// What went wrong, with its causes.
fn refusal(place: &Place, more: &[&str]) -> (EngineError, String) {
    let error = prepare(
        &place.settings(more),
        &place.data(),
        &Cores::detect(),
        Some(IDENTITY),
    );
    let error = error.err().expect("the engine must not start");
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    (error, text)
}

#[test]
fn live_state_replayed_state_and_recovered_state_are_one() {
    let place = Place::new();
    let stopped = place.run(&FULL, &scenario::everything().messages);
    let live = live_digest(&stopped);
    let replay = place.replay(None);
    assert_eq!(replay.digest, live);
    assert_eq!(replay.last_seq, stopped.finished.last.seq);
    assert!(!replay.open_group && replay.effects > 1_000);
    assert_eq!(place.recovered_digest(&FULL), live);
}

#[test]
fn larger_tables_and_another_topology_recover_the_same_state() {
    let place = Place::new();
    let live = live_digest(&place.run(&FULL, &scenario::everything().messages));
    let more = [
        "engine.topology=staged",
        "capacity.open_orders=3000",
        "capacity.nodes=500",
        "capacity.cl_ord_ids=50000",
    ];
    assert_eq!(place.recovered_digest(&more), live);
}

/// Records by the number that they would have if runs had neither starts nor ends.
fn ranks(events: &[Event]) -> HashMap<Seq, Seq> {
    let of_runs = [Some(Kind::EngineStarted), Some(Kind::EngineStopped)];
    let inputs = events
        .iter()
        .filter(|event| event.head.part == 0 && !of_runs.contains(&event.kind()));
    inputs.map(|event| event.head.seq).zip(1..).collect()
}

/// `alloc-SEQ-LEG` with another number.
fn renumbered(id: ExecId, ranks: &HashMap<Seq, Seq>) -> ExecId {
    let parts = id
        .as_str()
        .strip_prefix("alloc-")
        .and_then(|rest| rest.split_once('-'));
    let rank = parts.and_then(|(seq, leg)| Some((ranks.get(&seq.parse().ok()?)?, leg)));
    rank.map_or(id, |(rank, leg)| Text::lossy(format!("alloc-{rank}-{leg}")))
}

/// An effect: kind, head, body and tail.
type Effect = (Option<Kind>, Head, Vec<u8>, Vec<u8>);

/// What the schedule and the expansions made of the same input, in their order: kind and findings, body and tail, byte for byte. What
/// names records is numbered as without starts and ends of runs.
fn effects(events: &[Event]) -> Vec<Effect> {
    let ranks = ranks(events);
    let mut effects = Vec::new();
    for mut event in events.iter().filter(|event| event.head.part > 0).copied() {
        let kind = event.kind();
        let taken = event.taken_back();
        match kind {
            Some(Kind::TradeCapture | Kind::TradeCorrect) => {
                let body: &mut Execution = event.body_mut();
                body.exec_id = renumbered(body.exec_id, &ranks);
            }
            Some(Kind::TradeBust) => {
                let body: &mut TradeBust = event.body_mut();
                body.exec_id = renumbered(body.exec_id, &ranks);
                body.exec_ref_id = renumbered(body.exec_ref_id, &ranks);
            }
            _ => {}
        }
        let mut tail = event.tail().to_vec();
        if let Some(taken) = taken {
            let trade_seq = ranks[&taken.trade_seq];
            let taken = TakenBack { trade_seq, ..taken };
            tail[..size_of::<TakenBack>()].copy_from_slice(bytemuck::bytes_of(&taken));
        }
        let head = Head {
            crc: 0,
            seq: ranks[&event.head.seq],
            journaled_ns: 0,
            recv_ns: 0, // after a start of a run time goes on behind it
            ..event.head
        };
        effects.push((kind, head, event.body_bytes().to_vec(), tail));
    }
    effects
}

#[test]
fn a_restart_goes_on_with_the_next_number_and_the_next_run() {
    let script = scenario::everything();
    let whole = Place::new();
    whole.run(&FULL, &script.messages);
    // One of the restarts lies within the grace of a lost session: its timer must survive.
    let gone = |message: &InboundLong| message.kind() == Some(Kind::SessionDisconnected);
    let gone_at = script.messages.iter().rposition(gone).expect("a lost session") + 1;
    let (quarter, half) = (script.messages.len() / 4, script.messages.len() / 2);
    let bounds = [0, quarter, half, gone_at, script.messages.len()];

    let place = Place::new();
    let mut last_seq = 0;
    for (run, bound) in bounds.windows(2).enumerate() {
        let prepared = place.prepare(&FULL);
        assert_eq!(prepared.epoch as usize, run + 1);
        assert_eq!(
            (prepared.recovery.is_new, prepared.recovery.last_seq),
            (run == 0, last_seq)
        );
        let engine = Engine::start(prepared, &Cores::detect()).expect("a running engine");
        feed(&engine, &script.messages[bound[0]..bound[1]]);
        last_seq = engine.stop().expect("a clean stop").finished.last.seq;
    }
    let events = events(&place.data());
    assert_sequence(&events);
    script.assert_outcomes(&outcomes(&events));
    let (found, expected) = (
        effects(&events),
        effects(&support::journal::events(&whole.data())),
    );
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
    let starts = events
        .iter()
        .filter(|event| event.kind() == Some(Kind::EngineStarted));
    for (run, start) in starts.enumerate() {
        let body: &EngineStarted = start.body();
        assert_eq!(
            (body.epoch as usize, body.previous_seq),
            (run + 1, start.head.seq - 1)
        );
    }
    let inputs: Vec<&Event> = events.iter().filter(|event| event.head.part == 0).collect();
    assert!(
        inputs
            .windows(2)
            .all(|pair| pair[0].head.recv_ns < pair[1].head.recv_ns),
        "time never stands still"
    );
}

/// A crash in the middle of an expansion: the restart finishes the group with the very effects that were under way.
#[test]
fn an_open_group_is_finished_as_if_nothing_had_happened() {
    let whole = Place::new();
    whole.run(&FULL, &scenario::everything().messages);
    let records = masked_records(&whole.data());
    let events = events(&whole.data());
    let behind_a_timer = |kind: Kind| {
        let pair = |pair: &[Event]| pair[0].kind() == Some(Kind::Timer) && pair[1].kind() == Some(kind);
        events.windows(2).position(pair).map(|timer| timer + 1)
    };
    let cancels = behind_a_timer(Kind::CancelRequested).expect("a lost session");
    let expiries = behind_a_timer(Kind::OrderExpired).expect("a day roll");
    for first in [cancels, expiries] {
        let timer = first - 1;
        let seq = events[timer].head.seq;
        let count = events[first..]
            .iter()
            .take_while(|event| event.head.seq == seq)
            .count();
        assert!(count > 64, "an expansion longer than its slots");
        for kept in [0, 1, count / 2, count - 1] {
            let place = journal_of(&records[..=timer + kept]);
            assert!(place.replay(None).open_group);
            let prepared = place.prepare(&FULL);
            assert_eq!(prepared.recovery.finished_effects as usize, count - kept);
            assert_eq!(prepared.recovery.last_seq, seq);
            drop(prepared.builder);
            prepared.journal.stop().expect("a clean stop");
            assert!(
                masked_records(&place.data()) == records[..=timer + count],
                "{kept} of {count} were kept"
            );
            assert_eq!(place.replay(None).digest, whole.replay(Some(seq)).digest);
            assert_eq!(place.recovered_digest(&FULL), whole.replay(Some(seq)).digest);
        }
    }
}

#[test]
fn an_open_group_is_finished_before_anything_new_is_taken() {
    let whole = Place::new();
    whole.run(&FULL, &scenario::everything().messages);
    let events = events(&whole.data());
    let first = events
        .iter()
        .position(|event| event.kind() == Some(Kind::OrderExpired))
        .expect("a day roll");
    assert_eq!(events[first + 9].head.flags & head_flags::LAST, 0);
    let place = journal_of(&masked_records(&whole.data())[..first + 10]);
    let now_ns = events[first].head.recv_ns + 1_000_000;
    let messages = [
        last("ACME", "100"),
        Order::buy("NEW", "FREE", "GIZMO", "10", "50").message(),
    ];
    place.run(&FULL, &messages.map(|message| message.at(now_ns)));
    let after = support::journal::events(&place.data());
    assert_sequence(&after);
    let start = after
        .iter()
        .rposition(|event| event.kind() == Some(Kind::EngineStarted))
        .expect("a second run");
    assert_eq!(after[start - 1].kind(), Some(Kind::OrderExpired));
    assert_eq!(after[start - 1].head.flags & head_flags::LAST, head_flags::LAST);
    assert_eq!(after.last().and_then(Event::kind), Some(Kind::EngineStopped));
    assert!(
        after[start..]
            .iter()
            .any(|event| event.kind() == Some(Kind::OrderNew) && !event.is_rejected())
    );
}

#[test]
fn tables_that_are_too_small_for_the_journal_are_named() {
    let place = Place::new();
    place.run(&FULL, &scenario::everything().messages);
    let smaller = [
        ("capacity.instruments=3", "capacity.instruments: 3, was 5"),
        ("capacity.nodes=10", "capacity.nodes: 10, was 64"),
        ("capacity.open_orders=100", "capacity.open_orders: 100, was 400"),
        (
            "capacity.node_instruments=600",
            "capacity.node_instruments: 600, was 1024",
        ),
        ("capacity.holdings=3", "capacity.holdings: 3, was 512"),
        ("capacity.wallets=2", "capacity.wallets: 2, was 128"),
        ("capacity.limits=5", "capacity.limits: 5, was 64"),
        ("capacity.cl_ord_ids=16", "capacity.cl_ord_ids: 16, was 16384"),
        ("capacity.exec_ids=16", "capacity.exec_ids: 16, was 16384"),
    ];
    for (set, hint) in smaller {
        let (_, text) = refusal(&place, &[FULL[0], FULL[1], set]);
        assert!(text.contains(hint), "{set}: {text}");
    }
    // Nothing was written by the attempts.
    assert!(!place.replay(None).open_group);
}

#[test]
fn a_journal_keeps_its_clock_and_its_shard() {
    let place = Place::new();
    place.run(&[], &[quote("GIZMO", "49.95", "50.05").at(1)]);
    let (error, text) = refusal(&place, &["engine.clock=wall"]);
    assert!(
        matches!(
            error,
            EngineError::ClockMode {
                journal: "input",
                configured: "wall",
                ..
            }
        ),
        "{text}"
    );
    let (_, text) = refusal(&place, &["engine.shard=3"]);
    assert!(text.contains("shard"), "{text}");
    assert_eq!(place.run(&[], &[]).finished.last.seq, place.replay(None).last_seq);
}

#[test]
fn a_second_engine_is_told_who_has_the_journal() {
    let place = Place::new();
    let engine = place.start(&[]);
    let (_, text) = refusal(&place, &[]);
    assert!(
        text.contains(&format!("process {}", std::process::id())),
        "{text}"
    );
    engine.stop().expect("a clean stop");
    place.start(&[]).stop().expect("the journal is free again");
}

/// Postings, positions, reservations and outcomes, made anew from the records alone.
#[test]
fn an_audit_of_days_with_every_kind_of_life_finds_nothing() {
    let place = Place::new();
    place.run(&FULL, &scenario::everything().messages);
    let report = tradewind_views::verify(&place.data()).expect("a journal");
    let broken: Vec<_> = report.checks.iter().filter(|check| !check.ok).collect();
    assert!(broken.is_empty() && report.is_ok(), "{broken:#?}");
}
