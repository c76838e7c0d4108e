//! Events of any content through ingest and the five stages: nothing panics, the sequence has no gap, and a replay of the
//! records, read from their bytes, comes to the same state.

use super::Script;
use tradewind::engine::stages;
use tradewind_config::ReferenceData;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Capacities, EngineStarted, Event, HEAD_LEN, InboundLong, Kind};
use tradewind_domain::text::Text;
use tradewind_machine::append::VecJournal;
use tradewind_machine::clock::Clock;
use tradewind_machine::pipeline::{Builder, Finished, Inline, Settings};
use tradewind_machine::record::Record;
use tradewind_machine::replay::Replay;
use tradewind_machine::source::LongSource;
use tradewind_machine::stage::{Stage, Stages};
use tradewind_risk::TradingSchedule;
use tradewind_views::state_digest;

/// A small firm with every type of limit that is evaluated at some node.
pub(crate) const REFERENCE: &str = include_str!("../reference.toml");
/// 2026-03-02 14:30:00 UTC: a Monday on which the firm's calendar is open.
pub(crate) const OPENING_NS: u64 = 1_772_461_800_000_000_000;
const OPENING_DAY: u32 = 20_514;
const HASH_KEY: [u8; 16] = [7; 16];
/// Messages of one script; more of them find nothing new and take longer.
const MESSAGES_MAX: usize = 64;
/// Names that messages pick from; the last one is spelled by the script itself.
pub(crate) const SYMBOLS: [&str; 7] = ["SPY", "XBT", "NEG", "YES", "USD", "EUR", ""];
pub(crate) const ACCOUNTS: [&str; 6] = ["A1", "A2", "A1-S", "ORG", "FIRM", ""];

fn capacities() -> Capacities {
    Capacities {
        instruments: 8,
        nodes: 16,
        open_orders: 8,
        closed_orders: 8,
        node_instruments: 24,
        holdings: 8,
        wallets: 6,
        limits: 24,
        cl_ord_ids: 16,
        exec_ids: 16,
        sessions: 4,
        ..Capacities::default()
    }
}

pub(crate) fn process(bytes: &[u8]) {
    let mut script = Script(bytes);
    let (mut pipeline, source) = opened();
    let mut time_ns = OPENING_NS;
    for _ in 0..MESSAGES_MAX {
        if script.is_empty() {
            break;
        }
        let message = message(&mut script, &mut time_ns);
        assert!(
            source.push(message).is_ok(),
            "Invariant: the queue has room for a script"
        );
    }
    let work = pipeline.run();
    assert!(work.is_ok(), "Invariant: a journal in memory does not fail");
    let Ok(Finished {
        stages,
        journal,
        last,
        ..
    }) = pipeline.finish(None)
    else {
        panic!("Invariant: a journal in memory does not fail");
    };
    let (replayed, replayed_last) = replayed(journal.events());
    assert_eq!(last, replayed_last, "Invariant: a replay ends where the run did");
    assert_eq!(
        digest(&stages),
        digest(&replayed),
        "Invariant: a replay comes to the state of the run"
    );
    let faults: u64 = stages.iter().chain(&replayed).map(|stage| stage.faults()).sum();
    assert_eq!(faults, 0, "Invariant: facts name rows that exist");
}

/// A pipeline whose queue holds the firm's reference data, and its queue.
fn opened() -> (Inline<Event, VecJournal<Event>>, LongSource) {
    let settings = Settings {
        long_slots: 256,
        ingest_slots: 32,
        effect_slots: 8,
        ..Settings::default()
    };
    let (clock, _) = Clock::manual(OPENING_NS);
    let stages = stages(&capacities(), &HASH_KEY);
    let builder = Builder::new(settings, stages, VecJournal::new(), clock, ClockMode::Input)
        .schedule(Box::new(TradingSchedule::new(capacities().sessions)))
        .open_with(InboundLong::new(Kind::EngineStarted, &start()).at(OPENING_NS));
    let source = builder.long_source();
    let reference =
        ReferenceData::parse(REFERENCE, "reference.toml").expect("the firm's reference data is sound");
    for event in reference.events(OPENING_DAY - 1, OPENING_DAY + 3) {
        assert!(
            source.push(event.at(OPENING_NS)).is_ok(),
            "Invariant: the queue has room for the firm"
        );
    }
    (builder.inline(), source)
}

fn start() -> EngineStarted {
    EngineStarted {
        epoch: 1,
        rules_version: tradewind_risk::RULES_VERSION,
        build: Text::lossy("fuzz"),
        clock_mode: ClockMode::Input as u8,
        market_slip_bps: 100,
        ref_max_age_ms: 60_000,
        stale_order_ms: 5_000,
        capacities: capacities(),
        ..bytemuck::Zeroable::zeroed()
    }
}

/// One message: kind, time, names, input bytes, and a tail now and then.
fn message(script: &mut Script<'_>, time_ns: &mut u64) -> InboundLong {
    let kind = Kind::ALL[script.below(Kind::ALL.len())];
    let how = script.u8();
    *time_ns = match how & 3 {
        0 => script.u64(),
        1 => time_ns.wrapping_add(3_600_000_000_000),
        _ => time_ns.wrapping_add(u64::from(script.u32())),
    };
    let symbol = SYMBOLS[script.below(SYMBOLS.len())];
    let account = ACCOUNTS[script.below(ACCOUNTS.len())];
    let mut message = empty(kind).at(*time_ns);
    let tail = if how & 4 != 0 {
        script.take(usize::from(how) * 4)
    } else {
        &[]
    };
    let (symbol, account) = match how & 8 {
        0 => (Text::lossy(symbol), Text::lossy(account)),
        _ => (Text::lossy(script.take(8)), Text::lossy(script.take(8))),
    };
    message = message.named(symbol, account).with_tail(tail);
    let input = script.take(kind.input_len());
    bytemuck::bytes_of_mut(&mut message)[HEAD_LEN..HEAD_LEN + input.len()].copy_from_slice(input);
    message
}

/// A message of a kind with nothing in it.
fn empty(kind: Kind) -> InboundLong {
    let mut event = Event::empty();
    event.reset(kind);
    bytemuck::cast(event)
}

/// Stages that have applied the records, and the last input's number and time.
fn replayed(events: &[Event]) -> (Stages<Event>, tradewind_machine::pipeline::LastSeen) {
    let mut stages = stages(&capacities(), &HASH_KEY);
    let mut replay = Replay::new(&mut stages);
    let mut read = Event::empty();
    for event in events {
        let written = read.read_record(&bytes_of(event));
        assert!(written.is_some(), "Invariant: what is journaled can be read");
        let applied = replay.apply(&read);
        assert!(applied.is_ok(), "Invariant: the sequence has no gap: {applied:?}");
    }
    let last = replay.last();
    (stages, last)
}

/// The record of an event, as the journal writes it.
fn bytes_of(event: &Event) -> Vec<u8> {
    let mut bytes = [
        bytemuck::bytes_of(&event.head),
        event.body_bytes(),
        Record::tail(event),
    ]
    .concat();
    bytes.resize(event.record_len(), 0);
    bytes
}

fn digest(stages: &Stages<Event>) -> [u8; 32] {
    state_digest(stages.iter().map(|stage| &**stage as &dyn Stage<Event>))
}
