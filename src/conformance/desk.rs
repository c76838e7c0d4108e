//! The pipeline of one case: the stages that `run` builds, on this thread, on input time, with a journal in memory.
//!
//! # Invariants
//! - What a case sees of the engine is the records of its journal, in their order, and nothing else.
//! - The same messages make the same records: nothing here reads a clock or a random number.

use crate::engine;
use bytemuck::Zeroable;
use tradewind_domain::codes::ClockMode;
use tradewind_domain::event::{Capacities, EngineStarted, Event, InboundLong, Kind, schema_hash};
use tradewind_domain::text::Text;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::append::VecJournal;
use tradewind_machine::clock::Clock;
use tradewind_machine::pipeline::{Builder, Inline, Settings};
use tradewind_machine::source::LongSource;
use tradewind_risk::{RULES_VERSION, TradingSchedule};
use tradewind_views::Replica;

/// Room for the largest case, and small enough that a case costs milliseconds.
pub(crate) const CAPACITIES: Capacities = Capacities {
    instruments: 64,
    nodes: 256,
    open_orders: 1_024,
    closed_orders: 4_096,
    node_instruments: 2_048,
    holdings: 512,
    wallets: 256,
    limits: 256,
    cl_ord_ids: 8_192,
    exec_ids: 8_192,
    sessions: 64,
    limit_stamps: 4_096,
    restricted: 64,
    repeats: 256,
    executions: 256,
    quarantine: 64,
    unsettled: 256,
    lots: 256,
};
/// Hash keys of tables; any value will do.
const HASH_KEY: [u8; 16] = *b"conformance-keys";
/// Messages under way: each is answered before the next is sent.
const SLOTS: usize = 16;

/// What the engine's start says of its settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeskSettings {
    /// When it starts.
    pub(crate) start_ns: UnixNanos,
    /// Slippage assumed for market orders, in basis points.
    pub(crate) market_slip_bps: u32,
    /// Age at which a last price is no reference any more, in milliseconds.
    pub(crate) ref_max_age_ms: u32,
}

/// An engine, and how far its journal was read.
pub(crate) struct Desk {
    pipe: Inline<Event, VecJournal<Event>>,
    source: LongSource,
    read: usize,
}

impl Desk {
    /// Starts an engine.
    pub(crate) fn open(settings: DeskSettings) -> Result<Self, String> {
        let start = EngineStarted {
            epoch: 1,
            rules_version: RULES_VERSION,
            schema_hash: schema_hash(),
            build: Text::lossy(engine::build_name()),
            clock_mode: ClockMode::Input as u8,
            market_slip_bps: settings.market_slip_bps,
            ref_max_age_ms: settings.ref_max_age_ms,
            capacities: CAPACITIES,
            ..EngineStarted::zeroed()
        };
        let sizes = Settings {
            ingest_slots: SLOTS,
            effect_slots: SLOTS,
            ring_slots: SLOTS,
            batch_max: SLOTS,
            long_slots: SLOTS,
            ..Settings::default()
        };
        // Time is the messages' own; this clock only stamps when records are released.
        let (clock, _) = Clock::manual(settings.start_ns);
        let stages = engine::stages(&CAPACITIES, &HASH_KEY);
        let builder = Builder::new(sizes, stages, VecJournal::new(), clock, ClockMode::Input)
            .schedule(Box::new(TradingSchedule::new(CAPACITIES.sessions)))
            .open_with(InboundLong::new(Kind::EngineStarted, &start).at(settings.start_ns));
        let source = builder.long_source();
        let mut desk = Self {
            pipe: builder.inline(),
            source,
            read: 0,
        };
        desk.settle()?;
        Ok(desk)
    }

    /// Carries one message through the pipeline. Gives the records that it led to: what was due before it with its effects, its
    /// own, and its effects.
    pub(crate) fn send(&mut self, message: InboundLong) -> Result<Vec<Event>, String> {
        if self.source.push(message).is_err() {
            return Err("the engine takes no more messages".to_owned());
        }
        self.settle()
    }

    /// Every record so far.
    pub(crate) fn records(&self) -> &[Event] {
        self.pipe.journal().events()
    }

    /// A replica with room for what a desk records.
    pub(crate) fn empty_replica() -> Replica {
        Replica::new(&CAPACITIES, &HASH_KEY)
    }

    fn settle(&mut self) -> Result<Vec<Event>, String> {
        loop {
            self.pipe
                .run()
                .map_err(|error| format!("the pipeline stopped: {error}"))?;
            if self.pipe.is_drained() {
                break;
            }
        }
        let events = self.pipe.journal().events();
        let new = events[self.read..].to_vec();
        self.read = events.len();
        Ok(new)
    }
}
