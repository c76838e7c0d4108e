//! A firm on the real pipeline, with a valuer that is shown each record.

use bytemuck::Zeroable;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_config::ReferenceData;
use tradewind_domain::codes::{ClockMode, OrderType, Side, TimeInForce};
use tradewind_domain::decimal;
use tradewind_domain::event::{
    Capacities, CashMove, Control, EngineStarted, Event, Execution, FxRate, InboundLong, Kind, LastTrade,
    OrderNew, Valuation, execution_flags,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::SessionId;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_domain::time::utc_day;
use tradewind_feeds::Normalize;
use tradewind_machine::append::VecJournal;
use tradewind_machine::clock::{Clock, ManualTime};
use tradewind_machine::pipeline::{Builder, Inline, Settings};
use tradewind_machine::source::LongSource;
use tradewind_machine::stage::Stages;
use tradewind_risk::{LimitCheck, RULES_VERSION, TradingSchedule, Validate};
use tradewind_valuer::Valuer;

pub(crate) const HASH_KEY: [u8; 16] = *b"0123456789abcdef";
/// 2026-03-02T14:30:00Z.
pub(crate) const START_NS: u64 = 1_772_461_800_000_000_000;
pub(crate) const MS: u64 = 1_000_000;

pub(crate) fn dec(text: &str) -> i64 {
    decimal::parse(text.as_bytes()).unwrap()
}

pub(crate) fn money(text: &str) -> Money {
    Money::from_raw(i128::from(dec(text)))
}

pub(crate) fn text<const N: usize>(value: &str) -> Text<N> {
    Text::new(value).unwrap()
}

pub(crate) fn capacities() -> Capacities {
    Capacities {
        instruments: 16,
        nodes: 64,
        open_orders: 64,
        closed_orders: 64,
        node_instruments: 256,
        holdings: 128,
        wallets: 64,
        limits: 32,
        cl_ord_ids: 1_024,
        exec_ids: 1_024,
        sessions: 8,
        executions: 64,
        quarantine: 8,
        unsettled: 64,
        ..Capacities::zeroed()
    }
}

pub(crate) fn stages() -> Stages<Event> {
    let capacities = capacities();
    [
        Box::new(Normalize::new(&capacities)),
        Box::new(Validate::new(&capacities)),
        Box::new(LimitCheck::new(&capacities, &HASH_KEY)),
        Box::new(Settle::new(&capacities)),
        Box::new(Position::new(&capacities)),
    ]
}

/// The pipeline, and the valuer that follows it.
pub(crate) struct Firm {
    pub(crate) pipeline: Inline<Event, VecJournal<Event>>,
    source: LongSource,
    time: ManualTime,
    pub(crate) clock: Clock,
    pub(crate) valuer: Valuer,
    pub(crate) read: usize,
    pub(crate) numbers: u64,
    /// Figures in the order of the journal: node, equity, balance.
    pub(crate) told: Vec<(String, String, String)>,
    pub(crate) names: Vec<String>,
}

impl Firm {
    /// The firm of `firm.toml`, its valuer at work.
    pub(crate) fn new() -> Self {
        let mut firm = Self::without_figures();
        firm.settle();
        firm
    }

    pub(crate) fn without_figures() -> Self {
        let (clock, time) = Clock::manual(START_NS);
        let capacities = capacities();
        let start = EngineStarted {
            epoch: 1,
            rules_version: RULES_VERSION,
            clock_mode: ClockMode::Wall as u8,
            market_slip_bps: 500,
            ref_max_age_ms: 60_000,
            capacities,
            ..EngineStarted::zeroed()
        };
        let builder = Builder::new(
            Settings::default(),
            stages(),
            VecJournal::new(),
            clock.clone(),
            ClockMode::Wall,
        )
        .schedule(Box::new(TradingSchedule::new(capacities.sessions)))
        .open_with(InboundLong::new(Kind::EngineStarted, &start));
        let source = builder.long_source();
        let mut firm = Self {
            pipeline: builder.inline(),
            source,
            time,
            clock,
            valuer: Valuer::new(),
            read: 0,
            numbers: 0,
            told: Vec::new(),
            names: Vec::new(),
        };
        let data =
            ReferenceData::parse(include_str!("../firm.toml"), "firm.toml").expect("sound reference data");
        let day = utc_day(START_NS);
        for message in data.events(day - 2, day + 10) {
            firm.push(message);
        }
        firm
    }

    pub(crate) fn push(&mut self, message: InboundLong) {
        self.time.advance(1_000);
        assert!(self.source.push(message).is_ok(), "the queue is worked off");
        self.pipeline.run().unwrap();
    }

    /// Sends a message and lets the valuer answer as long as it has something to say.
    pub(crate) fn send(&mut self, message: InboundLong) {
        self.push(message);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        loop {
            self.show();
            let mut answers = Vec::new();
            self.valuer.turn(true, self.clock.now_ns(), &mut |message| {
                answers.push(message);
                true
            });
            if answers.is_empty() {
                return;
            }
            for answer in answers {
                self.push(answer.into());
            }
        }
    }

    /// Shows the valuer what is new in the journal.
    pub(crate) fn show(&mut self) {
        let events = self.pipeline.journal().events();
        for event in &events[self.read..] {
            self.valuer.on_record(event);
            if matches!(event.kind(), Some(Kind::AccountSet | Kind::NodeSet)) {
                self.names
                    .push(event.body::<tradewind_domain::event::NodeSet>().code.to_string());
            }
            if event.kind() == Some(Kind::Valuation) && !event.is_rejected() {
                let figure: &Valuation = event.body();
                let node = self.names[figure.node.index()].clone();
                self.told
                    .push((node, figure.equity.to_string(), figure.balance.to_string()));
            }
        }
        self.read = events.len();
    }

    pub(crate) fn pass(&mut self, ns: u64) {
        self.time.advance(ns);
        self.settle();
    }

    /// The figures of a node since the last question.
    pub(crate) fn told(&mut self, node: &str) -> Vec<(String, String)> {
        let (asked, others) = std::mem::take(&mut self.told)
            .into_iter()
            .partition(|(of, _, _): &(String, String, String)| of == node);
        self.told = others;
        asked
            .into_iter()
            .map(|(_, equity, balance)| (equity, balance))
            .collect()
    }

    pub(crate) fn number(&mut self) -> String {
        self.numbers += 1;
        format!("N{}", self.numbers)
    }

    pub(crate) fn cash(&mut self, kind: Kind, account: &str, currency: &str, amount: &str) {
        let body = CashMove {
            reference: text(&self.number()),
            amount: money(amount),
            ..CashMove::zeroed()
        };
        self.send(InboundLong::new(kind, &body).named(text(currency), text(account)));
    }

    pub(crate) fn deposit(&mut self, account: &str, currency: &str, amount: &str) {
        self.cash(Kind::Deposit, account, currency, amount);
    }

    /// A trade executed elsewhere, with a fee of 1.
    pub(crate) fn trade(&mut self, account: &str, symbol: &str, side: Side, qty: &str, px: &str) {
        let body = Execution {
            exec_id: text(&self.number()),
            qty: dec(qty),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            side: side as u8,
            fee: money("1"),
            flags: execution_flags::HAS_FEE,
            ..Execution::zeroed()
        };
        self.send(InboundLong::new(Kind::TradeCapture, &body).named(text(symbol), text(account)));
    }

    pub(crate) fn last(&mut self, symbol: &str, px: &str) {
        let body = LastTrade {
            px: dec(px),
            qty: dec("1"),
            px_dp: 8,
            qty_dp: 8,
            ..LastTrade::zeroed()
        };
        self.send(InboundLong::new(Kind::LastTrade, &body).named(text(symbol), Code::EMPTY));
    }

    pub(crate) fn rate(&mut self, currency: &str, rate: &str) {
        let body = FxRate {
            rate: dec(rate),
            rate_dp: 8,
            ..FxRate::zeroed()
        };
        self.send(InboundLong::new(Kind::FxRate, &body).named(text(currency), Code::EMPTY));
    }

    pub(crate) fn outside(&mut self, node: &str, equity: &str) {
        let body = Valuation {
            equity: money(equity),
            balance: money(equity),
            has_balance: 1,
            ..Valuation::zeroed()
        };
        self.send(InboundLong::new(Kind::Valuation, &body).named(Symbol::EMPTY, text(node)));
    }

    pub(crate) fn buy(&mut self, account: &str, symbol: &str, qty: &str, px: &str) -> Option<RejectCode> {
        let body = OrderNew {
            cl_ord_id: text(&self.number()),
            qty: dec(qty),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            session: SessionId(1),
            side: Side::Buy as u8,
            ord_type: OrderType::Limit as u8,
            tif: TimeInForce::Day as u8,
            ..OrderNew::zeroed()
        };
        let at = self.pipeline.journal().events().len();
        self.send(InboundLong::new(Kind::OrderNew, &body).named(text(symbol), text(account)));
        self.pipeline.journal().events()[at].reject_code()
    }

    /// States that limits have set, by node.
    pub(crate) fn states(&self) -> Vec<(String, u8)> {
        let events = self.pipeline.journal().events().iter();
        let changes = events.filter(|event| event.kind() == Some(Kind::StateChanged));
        changes
            .map(|event| {
                let change: &Control = event.body();
                (self.names[change.node.index()].clone(), change.state_after)
            })
            .collect()
    }
}

pub(crate) fn figure(equity: &str, balance: &str) -> (String, String) {
    (equity.to_owned(), balance.to_owned())
}
