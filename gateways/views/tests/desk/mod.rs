//! A small desk that runs the real pipeline: FIRM over ORG over accounts A (cash, strategy S below it) and B (margin), a share
//! ACME in USD, and limits that can refuse, warn and alert.
//!
//! The clock stands still unless a test moves it; each message is a microsecond after the one before.

#![allow(dead_code, unreachable_pub)] // reason: each test file has its own copy and uses a part of it

mod day;
mod trades;

use bytemuck::Zeroable;
use std::path::Path;
use tempfile::TempDir;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_domain::codes::{
    AccountKind, ClockMode, Level, LimitAction, LimitType, OrderType, Side, TimeInForce,
};
use tradewind_domain::decimal;
use tradewind_domain::event::{
    Body, Capacities, CashMove, Control, CurrencySet, EngineStarted, Event, Execution, Head, InboundLong,
    InstrumentSet, Kind, LastTrade, LimitSet, MassCancel, NodeSet, OrderCancel, OrderNew, OrderReplace,
    VenueReport,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{InstrumentId, NodeId, OrderId, SessionId, VenueId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{ClOrdId, ExecId, Text};
use tradewind_domain::time::NANOS_PER_DAY;
use tradewind_feeds::Normalize;
use tradewind_machine::append::{Append, VecJournal};
use tradewind_machine::clock::{Clock, ManualTime};
use tradewind_machine::journal::{
    Durability, Identity, Journal, JournalConfig, JournalHandle, JournalWriter,
};
use tradewind_machine::pipeline::{Builder, Finished, Inline, LastSeen, Schedule, Settings};
use tradewind_machine::replay::Replay;
use tradewind_machine::source::LongSource;
use tradewind_machine::stage::{Stage, Stages};
use tradewind_risk::{LimitCheck, TradingSchedule, Validate};
use tradewind_views::{RULES_VERSION, state_digest};

pub const HASH_KEY: [u8; 16] = *b"0123456789abcdef";
pub const SESSION: SessionId = SessionId(1);
/// 2026-03-02T14:30:00Z.
pub const START_NS: u64 = 1_772_461_800_000_000_000;
const STEP_NS: u64 = 1_000;

/// `text` at 1e-8.
pub fn dec(text: &str) -> i64 {
    decimal::parse(text.as_bytes()).unwrap()
}

pub fn capacities() -> Capacities {
    Capacities {
        instruments: 16,
        nodes: 16,
        open_orders: 64,
        closed_orders: 64,
        node_instruments: 64,
        holdings: 32,
        wallets: 16,
        limits: 32,
        cl_ord_ids: 1_024,
        exec_ids: 1_024,
        sessions: 8,
        ..Capacities::default()
    }
}

pub fn stages(capacities: &Capacities) -> Stages<Event> {
    [
        Box::new(Normalize::new(capacities)),
        Box::new(Validate::new(capacities)),
        Box::new(LimitCheck::new(capacities, &HASH_KEY)),
        Box::new(Settle::new(capacities)),
        Box::new(Position::new(capacities)),
    ]
}

/// Hash of live stages.
pub fn digest_of(stages: &Stages<Event>) -> [u8; 32] {
    state_digest(stages.iter().map(|stage| stage.as_ref() as &dyn Stage<Event>))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Folders of a journal.
pub struct Place {
    data: TempDir,
    window: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            data: TempDir::new().unwrap(),
            window: TempDir::new().unwrap(),
        }
    }

    pub fn dir(&self) -> &Path {
        self.data.path()
    }

    pub fn open(&self) -> (JournalWriter, JournalHandle) {
        let config = JournalConfig {
            window_dir: self.window.path().to_path_buf(),
            segment_bytes: 64 << 10,
            window_bytes: 256 << 10,
            durability: Durability::Memory,
            reserve_bytes: 0,
            identity: Some(Identity {
                id: [7; 16],
                hash_key: HASH_KEY,
            }),
            allow_unsafe_fs: true,
            ..JournalConfig::new(self.dir())
        };
        Journal::open(config).unwrap().start().unwrap()
    }
}

/// The pipeline and what talks to it.
pub struct Desk<J> {
    pipeline: Inline<Event, J>,
    source: LongSource,
    time: ManualTime,
    execs: u64,
}

impl Desk<VecJournal<Event>> {
    /// A desk whose journal is a list.
    pub fn in_memory() -> Self {
        Self::new(VecJournal::new(), RULES_VERSION)
    }

    pub fn events(&self) -> &[Event] {
        self.pipeline.journal().events()
    }

    /// The last record.
    pub fn last(&self) -> &Event {
        self.events().last().unwrap()
    }
}

impl<J: Append<Event> + 'static> Desk<J> {
    /// A desk that writes this journal, with its reference data set.
    pub fn new(journal: J, rules_version: u32) -> Self {
        let capacities = capacities();
        let mut desk = Self::start(journal, stages(&capacities), capacities, rules_version, &[]);
        desk.set_reference_data();
        desk
    }

    /// A desk that goes on after these records, with tables of another size.
    pub fn resume(journal: J, capacities: Capacities, records: &[Event]) -> Self {
        let mut stages = stages(&capacities);
        let mut replay = Replay::new(&mut stages);
        records.iter().for_each(|event| replay.apply(event).unwrap());
        Self::start(journal, stages, capacities, RULES_VERSION, records)
    }

    fn start(
        journal: J,
        stages: Stages<Event>,
        capacities: Capacities,
        rules_version: u32,
        records: &[Event],
    ) -> Self {
        let head = records.last().map_or(Head::default(), |event| event.head);
        let (clock, time) = Clock::manual(START_NS.max(head.recv_ns));
        let start = EngineStarted {
            epoch: 1,
            rules_version,
            previous_seq: head.seq,
            clock_mode: ClockMode::Wall as u8,
            market_slip_bps: 500,
            ref_max_age_ms: 60_000,
            capacities,
            ..EngineStarted::zeroed()
        };
        let mut schedule = TradingSchedule::new(capacities.sessions);
        for event in records.iter().filter(|event| event.head.part == 0) {
            schedule.observe(event);
        }
        let last = LastSeen {
            seq: head.seq,
            recv_ns: head.recv_ns,
        };
        let builder = Builder::new(Settings::default(), stages, journal, clock, ClockMode::Wall)
            .resume_after(last)
            .schedule(Box::new(schedule))
            .open_with(InboundLong::new(Kind::EngineStarted, &start));
        let source = builder.long_source();
        let mut desk = Self {
            pipeline: builder.inline(),
            source,
            time,
            execs: head.seq, // identifiers that no run before has used
        };
        desk.pipeline.run().unwrap();
        desk
    }

    fn set_reference_data(&mut self) {
        let usd = CurrencySet {
            code: text("USD"),
            money_dp: 2,
            ..CurrencySet::zeroed()
        };
        self.send(Kind::CurrencySet, &usd, "", "");
        self.node("FIRM", "", Level::Firm, None);
        self.node("ORG", "FIRM", Level::Org, None);
        self.node("A", "ORG", Level::Account, Some(AccountKind::Cash));
        self.node("B", "ORG", Level::Account, Some(AccountKind::Margin));
        self.node("S", "A", Level::Strategy, None);
        let row = Instrument {
            symbol: text("ACME"),
            configured_mark: dec("10"),
            avg_order_qty: dec("100"),
            id: InstrumentId::NONE,
            ..Instrument::default_linear()
        };
        let acme = InstrumentSet {
            row,
            currency_code: text("USD"),
            ..InstrumentSet::zeroed()
        };
        self.send(Kind::InstrumentSet, &acme, "", "");
        let fee_bps = [0, 10, 0, 0, 0, 0];
        self.limit(
            "A-cash",
            LimitType::BuyingPower,
            "A",
            0,
            fee_bps,
            LimitAction::Reject,
        );
        self.limit(
            "B-cash",
            LimitType::BuyingPower,
            "B",
            0,
            [dec("100000"), 0, 0, 0, 0, 0],
            LimitAction::Reject,
        );
        self.limit(
            "max-qty",
            LimitType::MaxOrderQty,
            "ORG",
            dec("1000").into(),
            [0; 6],
            LimitAction::Reject,
        );
        self.limit(
            "long",
            LimitType::PositionLong,
            "ORG",
            dec("1500").into(),
            [0; 6],
            LimitAction::Alert,
        );
    }

    pub fn node(&mut self, code: &str, parent: &str, level: Level, kind: Option<AccountKind>) {
        let body = NodeSet {
            code: text(code),
            parent_code: text(parent),
            currency_code: if kind.is_some() { text("USD") } else { Text::EMPTY },
            level: level as u8,
            kind: kind.map_or(0, |kind| kind as u8),
            ..NodeSet::zeroed()
        };
        self.send(
            if kind.is_some() {
                Kind::AccountSet
            } else {
                Kind::NodeSet
            },
            &body,
            "",
            "",
        );
    }

    pub fn limit(
        &mut self,
        label: &str,
        limit_type: LimitType,
        node: &str,
        hard: i128,
        params: [i64; 6],
        action: LimitAction,
    ) {
        let body = LimitSet {
            hard,
            params,
            label: text(label),
            limit_type: limit_type as u8,
            action: action as u8,
            soft_pct: 80,
            ..LimitSet::zeroed()
        };
        self.send(Kind::LimitSet, &body, "", node);
    }

    /// Sends a message and lets the pipeline work it off.
    pub fn send<T: Body>(&mut self, kind: Kind, body: &T, symbol: &str, account: &str) {
        self.send_with_tail(kind, body, symbol, account, &[]);
    }

    /// As [`send`](Self::send), with a tail.
    pub fn send_with_tail<T: Body>(
        &mut self,
        kind: Kind,
        body: &T,
        symbol: &str,
        account: &str,
        tail: &[u8],
    ) {
        self.time.advance(STEP_NS);
        let message = InboundLong::new(kind, body)
            .named(text(symbol), text(account))
            .with_tail(tail);
        assert!(
            self.source.push(message).is_ok(),
            "the desk works its queue off after each message"
        );
        self.pipeline.run().unwrap();
    }

    pub fn advance(&mut self, ns: u64) {
        self.time.advance(ns);
    }

    /// The next trading day begins; day orders expire.
    pub fn next_day(&mut self) {
        self.time.advance(NANOS_PER_DAY);
        self.last_trade("10");
    }

    pub fn deposit(&mut self, account: &str, amount: &str) {
        self.cash(Kind::Deposit, account, amount);
    }

    pub fn cash(&mut self, kind: Kind, account: &str, amount: &str) {
        self.execs += 1;
        let body = CashMove {
            reference: text(&format!("P{}", self.execs)),
            amount: Money::from_raw(dec(amount).into()),
            ..CashMove::zeroed()
        };
        self.send(kind, &body, "USD", account);
    }

    pub fn last_trade(&mut self, px: &str) {
        let body = LastTrade {
            px: dec(px),
            qty: dec("1"),
            px_dp: 8,
            qty_dp: 8,
            ..LastTrade::zeroed()
        };
        self.send(Kind::LastTrade, &body, "ACME", "");
    }

    pub fn order(&mut self, cl_ord_id: &str, account: &str, side: Side, qty: &str, px: &str) {
        self.order_tif(cl_ord_id, account, side, qty, px, TimeInForce::Day);
    }

    pub fn order_tif(&mut self, cl: &str, account: &str, side: Side, qty: &str, px: &str, tif: TimeInForce) {
        let body = OrderNew {
            cl_ord_id: text(cl),
            qty: dec(qty),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            session: SESSION,
            side: side as u8,
            ord_type: OrderType::Limit as u8,
            tif: tif as u8,
            ..OrderNew::zeroed()
        };
        self.send(Kind::OrderNew, &body, "ACME", account);
    }

    pub fn cancel(&mut self, orig: &str) {
        let body = OrderCancel {
            cl_ord_id: text(&format!("X{orig}")),
            orig_cl_ord_id: text(orig),
            session: SESSION,
            ..OrderCancel::zeroed()
        };
        self.send(Kind::OrderCancel, &body, "", "");
    }

    pub fn replace(&mut self, orig: &str, cl: &str, qty: &str, px: &str) {
        let body = OrderReplace {
            cl_ord_id: text(cl),
            orig_cl_ord_id: text(orig),
            qty: dec(qty),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            session: SESSION,
            ..OrderReplace::zeroed()
        };
        self.send(Kind::OrderReplace, &body, "", "");
    }

    pub fn report(&mut self, kind: Kind, order: u64) {
        let body = VenueReport {
            order_id: OrderId::new(0, order),
            status: tradewind_domain::codes::OrderState::Working as u8,
            qty_dp: 8,
            px_dp: 8,
            ..VenueReport::zeroed()
        };
        self.send(kind, &body, "", "");
    }

    pub fn fill(&mut self, order: u64, qty: &str, px: &str) {
        let body = Execution {
            order_id: OrderId::new(0, order),
            ..self.execution(qty, px)
        };
        self.send(Kind::VenueFill, &body, "", "");
    }

    fn execution(&mut self, qty: &str, px: &str) -> Execution {
        self.execs += 1;
        Execution {
            exec_id: text::<40>(&format!("E{}", self.execs)) as ExecId,
            qty: dec(qty),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            fee: Money::from_raw(dec("0.25").into()),
            flags: tradewind_domain::event::execution_flags::HAS_FEE,
            ..Execution::zeroed()
        }
    }

    pub fn mass_cancel(&mut self, node: &str) {
        let body = MassCancel {
            cl_ord_id: text::<40>("MC") as ClOrdId,
            session: SESSION,
            ..MassCancel::zeroed()
        };
        self.send(Kind::MassCancel, &body, "", node);
    }

    pub fn control(&mut self, kind: Kind, node: &str, second: &str) {
        let body = Control {
            author: text("ops"),
            second: text(second),
            venue: VenueId::NONE,
            session: SessionId::NONE,
            node: NodeId::NONE,
            instrument: InstrumentId::NONE,
            ..Control::zeroed()
        };
        self.send(kind, &body, "", node);
    }

    /// Ends the run and gives back stages and journal.
    pub fn finish(self) -> Finished<Event, J> {
        self.pipeline.finish(None).unwrap()
    }
}

pub fn text<const N: usize>(value: &str) -> Text<N> {
    Text::new(value).unwrap()
}
