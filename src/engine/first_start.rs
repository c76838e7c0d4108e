//! What a first start would refuse: reference data and rules are carried through the stages on this thread, into a journal in memory.
//!
//! # Invariants
//! - Nothing is written and no thread is started.
//! - A table has the configured capacity, or room for everything that is sent where that is less: what finds no room here finds none in a
//!   start either, and no more memory is taken than what is sent needs.
//!
//! Not here: a journal that is there already. What of the reference data it has taken, only a start knows.

use super::EngineError;
use super::reference::{ReferenceChanges, Refused, is_reference, refused};
use super::wiring::{engine_started, stages};
use tradewind_config::Settings;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Capacities, EngineStarted, Event, InboundLong, Kind};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::append::VecJournal;
use tradewind_machine::clock::Clock;
use tradewind_machine::pipeline::{Builder, Inline, Settings as PipelineSettings};
use tradewind_machine::source::LongSource;
use tradewind_risk::TradingSchedule;

/// Hash keys of tables; any value will do.
const HASH_KEY: [u8; 16] = *b"first-start-keys";
/// Messages under way: each is answered before the next is sent.
const SLOTS: usize = 16;
/// Rows that the engine itself may need beside what is sent.
const ROWS_BESIDE: usize = 64;
/// The most stamps that are taken memory for: eight bytes each.
const STAMPS_MAX: u32 = 1 << 24;

/// The changes that an engine with these settings and without a journal would refuse at `now_ns`.
pub fn refused_at_first_start(
    settings: &Settings,
    changes: &ReferenceChanges,
    now_ns: UnixNanos,
) -> Result<Vec<Refused>, EngineError> {
    let capacities = bounded(&settings.capacities(), changes.events.len());
    let (mut pipe, source) = pipeline(settings, &capacities, now_ns);
    for message in &changes.events {
        if source.push(message.at(now_ns)).is_err() {
            return Err(EngineError::Ended("reference data was tried"));
        }
        settle(&mut pipe)?;
    }
    let ours = pipe.journal().events().iter().filter(|event| is_reference(event));
    Ok(ours
        .enumerate()
        .filter_map(|(at, event)| refused(event, changes.lines.get(at)))
        .collect())
}

fn settle(pipe: &mut Inline<Event, VecJournal<Event>>) -> Result<(), EngineError> {
    pipe.run()?;
    while !pipe.is_drained() {
        pipe.run()?;
    }
    Ok(())
}

fn pipeline(
    settings: &Settings,
    capacities: &Capacities,
    now_ns: UnixNanos,
) -> (Inline<Event, VecJournal<Event>>, LongSource) {
    let sizes = PipelineSettings {
        ingest_slots: SLOTS,
        effect_slots: SLOTS,
        ring_slots: SLOTS,
        batch_max: SLOTS,
        long_slots: SLOTS,
        ..PipelineSettings::default()
    };
    let start = EngineStarted {
        clock_mode: ClockMode::Input as u8,
        ..engine_started(settings, 1, 0, capacities)
    };
    // Time is the messages' own; this clock only stamps when records are released.
    let (clock, _) = Clock::manual(now_ns);
    let builder = Builder::new(
        sizes,
        stages(capacities, &HASH_KEY),
        VecJournal::new(),
        clock,
        ClockMode::Input,
    )
    .schedule(Box::new(TradingSchedule::new(capacities.sessions)))
    .open_with(InboundLong::new(Kind::EngineStarted, &start).at(now_ns));
    let source = builder.long_source();
    (builder.inline(), source)
}

/// The configured capacities, none larger than so many messages can need.
fn bounded(configured: &Capacities, messages: usize) -> Capacities {
    let rows = u32::try_from(messages + ROWS_BESIDE).unwrap_or(u32::MAX);
    let room = |rows_max: u32, each: u32| rows_max.min(rows.saturating_mul(each));
    let c = configured;
    Capacities {
        instruments: room(c.instruments, 1),
        nodes: room(c.nodes, 1),
        open_orders: room(c.open_orders, 1),
        closed_orders: room(c.closed_orders, 1),
        node_instruments: room(c.node_instruments, 16), // a pair at each level above
        holdings: room(c.holdings, 2),
        wallets: room(c.wallets, 2),
        limits: room(c.limits, 1),
        cl_ord_ids: room(c.cl_ord_ids, 1),
        exec_ids: room(c.exec_ids, 1),
        sessions: room(c.sessions, 1),
        limit_stamps: c.limit_stamps.min(STAMPS_MAX), // a limit takes as many as its figure says
        restricted: room(c.restricted, 1),
        repeats: room(c.repeats, 16),
        executions: room(c.executions, 1),
        quarantine: room(c.quarantine, 1),
        unsettled: room(c.unsettled, 1),
        lots: room(c.lots, 1),
    }
}
