//! What a start would find and refuse, without one: the journal is applied to stages of its own, and reference data and rules are carried
//! through them on this thread, into a journal in memory.
//!
//! # Invariants
//! - Nothing is written and no thread is started; an engine may write the journal meanwhile.
//! - A table has the configured capacity, or room for everything that the journal holds and that is sent where that is less: what finds no
//!   room here finds none in a start either, and no more memory is taken than that needs.

use super::EngineError;
use super::reference::{ReferenceChanges, Refused, is_reference, refused};
use super::wiring::{engine_started, replay, stages};
use std::path::Path;
use tradewind_config::{Known, Settings};
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Capacities, EngineStarted, Event, HEAD_LEN, InboundLong, Kind};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::append::VecJournal;
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::{Records, overview};
use tradewind_machine::pipeline::{Builder, Inline, LastSeen, Settings as PipelineSettings};
use tradewind_machine::replay::Replay;
use tradewind_machine::source::LongSource;
use tradewind_machine::stage::Stages;
use tradewind_risk::TradingSchedule;
use tradewind_rules::Document;

/// Hash keys of tables; any value will do.
const HASH_KEY: [u8; 16] = *b"trial-start-keys";
/// Messages under way: each is answered before the next is sent.
const SLOTS: usize = 16;
/// Rows that the engine itself may need beside what is sent.
const ROWS_BESIDE: u64 = 64;
/// The most stamps that are taken memory for: eight bytes each.
const STAMPS_MAX: u32 = 1 << 24;

/// What a start would go on from.
pub struct Trial {
    /// Reference data as the journal has it.
    pub known: Known,
    /// Business rules in force.
    pub rules: Option<Document>,
    /// Records of the journal.
    pub records: u64,
    stages: Stages<Event>,
    schedule: TradingSchedule,
    capacities: Capacities,
    last: LastSeen,
    epoch: u32,
}

impl Trial {
    /// Of a start without a journal. `messages` bounds how many changes that take rows will be tried.
    pub fn of_nothing(settings: &Settings, messages: usize) -> Self {
        Self::empty(settings, messages as u64)
    }

    /// Of a start on the journal of a data folder, with the torn end that a crash may have left. An error is what the start would say.
    pub fn of_journal(
        settings: &Settings,
        data_dir: &Path,
        messages: usize,
        now_ns: UnixNanos,
    ) -> Result<Self, EngineError> {
        let there = overview(data_dir)?;
        let bytes: u64 = there.segments.iter().map(|segment| segment.bytes).sum();
        let mut trial = Self::empty(settings, messages as u64 + bytes / HEAD_LEN as u64);
        let records = Records::of(data_dir)?;
        let recovered = replay(
            settings,
            data_dir,
            records,
            &mut trial.stages,
            &mut trial.schedule,
        )?;
        trial.last = recovered.last;
        if let Some(tail) = recovered.open_group {
            let mut replay = Replay::resume(&mut trial.stages, tail);
            replay.finish_group(&mut VecJournal::new(), now_ns)?;
            trial.last = replay.last();
        }
        trial.epoch = there.epoch;
        trial.records = recovered.records;
        trial.rules = recovered.rules.document();
        trial.known = recovered.known;
        Ok(trial)
    }

    fn empty(settings: &Settings, rows: u64) -> Self {
        let capacities = bounded(&settings.capacities(), rows.saturating_add(ROWS_BESIDE));
        Self {
            known: Known::default(),
            rules: None,
            records: 0,
            stages: stages(&capacities, &HASH_KEY),
            schedule: TradingSchedule::new(capacities.sessions),
            capacities,
            last: LastSeen::default(),
            epoch: 0,
        }
    }

    /// The changes that the start would refuse at `now_ns`.
    pub fn refused(
        self,
        settings: &Settings,
        changes: &ReferenceChanges,
        now_ns: UnixNanos,
    ) -> Result<Vec<Refused>, EngineError> {
        let (mut pipe, source) = self.pipeline(settings, now_ns);
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

    fn pipeline(
        self,
        settings: &Settings,
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
            ..engine_started(settings, self.epoch + 1, self.last.seq, &self.capacities)
        };
        // Time is the messages' own; this clock only stamps when records are released.
        let (clock, _) = Clock::manual(now_ns);
        let builder = Builder::new(sizes, self.stages, VecJournal::new(), clock, ClockMode::Input)
            .resume_after(self.last)
            .schedule(Box::new(self.schedule))
            .open_with(InboundLong::new(Kind::EngineStarted, &start).at(now_ns));
        let source = builder.long_source();
        (builder.inline(), source)
    }
}

fn settle(pipe: &mut Inline<Event, VecJournal<Event>>) -> Result<(), EngineError> {
    pipe.run()?;
    while !pipe.is_drained() {
        pipe.run()?;
    }
    Ok(())
}

/// The configured capacities, none larger than so many messages and records can need.
fn bounded(configured: &Capacities, rows: u64) -> Capacities {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
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
