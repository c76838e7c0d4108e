//! What nodes are worth, through the real pipeline: each record is shown to a valuer, and what it sends goes back in.
//!
//! Figures are worked out by hand in the comments. The clock stands still unless a test moves it.

use bytemuck::Zeroable;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_config::ReferenceData;
use tradewind_domain::codes::{ClockMode, OrderType, Side, TimeInForce};
use tradewind_domain::decimal;
use tradewind_domain::event::{
    Capacities, CashMove, Control, EngineStarted, Event, Execution, FxRate, InboundLong, Kind, LastTrade,
    OrderNew, TradeBust, Valuation, execution_flags,
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
use tradewind_machine::replay::Replay;
use tradewind_machine::source::LongSource;
use tradewind_machine::stage::Stages;
use tradewind_risk::{LimitCheck, RULES_VERSION, TradingSchedule, Validate};
use tradewind_valuer::Valuer;

const HASH_KEY: [u8; 16] = *b"0123456789abcdef";
/// 2026-03-02T14:30:00Z.
const START_NS: u64 = 1_772_461_800_000_000_000;
const MS: u64 = 1_000_000;

fn dec(text: &str) -> i64 {
    decimal::parse(text.as_bytes()).unwrap()
}

fn money(text: &str) -> Money {
    Money::from_raw(i128::from(dec(text)))
}

fn text<const N: usize>(value: &str) -> Text<N> {
    Text::new(value).unwrap()
}

fn capacities() -> Capacities {
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

fn stages() -> Stages<Event> {
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
struct Firm {
    pipeline: Inline<Event, VecJournal<Event>>,
    source: LongSource,
    time: ManualTime,
    clock: Clock,
    valuer: Valuer,
    read: usize,
    numbers: u64,
    /// Figures in the order of the journal: node, equity, balance.
    told: Vec<(String, String, String)>,
    names: Vec<String>,
}

impl Firm {
    /// The firm of `firm.toml`, its valuer at work.
    fn new() -> Self {
        let mut firm = Self::without_figures();
        firm.settle();
        firm
    }

    fn without_figures() -> Self {
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
            ReferenceData::parse(include_str!("firm.toml"), "firm.toml").expect("sound reference data");
        let day = utc_day(START_NS);
        for message in data.events(day - 2, day + 10) {
            firm.push(message);
        }
        firm
    }

    fn push(&mut self, message: InboundLong) {
        self.time.advance(1_000);
        assert!(self.source.push(message).is_ok(), "the queue is worked off");
        self.pipeline.run().unwrap();
    }

    /// Sends a message and lets the valuer answer as long as it has something to say.
    fn send(&mut self, message: InboundLong) {
        self.push(message);
        self.settle();
    }

    fn settle(&mut self) {
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
    fn show(&mut self) {
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

    fn pass(&mut self, ns: u64) {
        self.time.advance(ns);
        self.settle();
    }

    /// The figures of a node since the last question.
    fn told(&mut self, node: &str) -> Vec<(String, String)> {
        let (asked, others) = std::mem::take(&mut self.told)
            .into_iter()
            .partition(|(of, _, _): &(String, String, String)| of == node);
        self.told = others;
        asked
            .into_iter()
            .map(|(_, equity, balance)| (equity, balance))
            .collect()
    }

    fn number(&mut self) -> String {
        self.numbers += 1;
        format!("N{}", self.numbers)
    }

    fn cash(&mut self, kind: Kind, account: &str, currency: &str, amount: &str) {
        let body = CashMove {
            reference: text(&self.number()),
            amount: money(amount),
            ..CashMove::zeroed()
        };
        self.send(InboundLong::new(kind, &body).named(text(currency), text(account)));
    }

    fn deposit(&mut self, account: &str, currency: &str, amount: &str) {
        self.cash(Kind::Deposit, account, currency, amount);
    }

    /// A trade executed elsewhere, with a fee of 1.
    fn trade(&mut self, account: &str, symbol: &str, side: Side, qty: &str, px: &str) {
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

    fn last(&mut self, symbol: &str, px: &str) {
        let body = LastTrade {
            px: dec(px),
            qty: dec("1"),
            px_dp: 8,
            qty_dp: 8,
            ..LastTrade::zeroed()
        };
        self.send(InboundLong::new(Kind::LastTrade, &body).named(text(symbol), Code::EMPTY));
    }

    fn rate(&mut self, currency: &str, rate: &str) {
        let body = FxRate {
            rate: dec(rate),
            rate_dp: 8,
            ..FxRate::zeroed()
        };
        self.send(InboundLong::new(Kind::FxRate, &body).named(text(currency), Code::EMPTY));
    }

    fn outside(&mut self, node: &str, equity: &str) {
        let body = Valuation {
            equity: money(equity),
            balance: money(equity),
            has_balance: 1,
            ..Valuation::zeroed()
        };
        self.send(InboundLong::new(Kind::Valuation, &body).named(Symbol::EMPTY, text(node)));
    }

    fn buy(&mut self, account: &str, symbol: &str, qty: &str, px: &str) -> Option<RejectCode> {
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
    fn states(&self) -> Vec<(String, u8)> {
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

fn figure(equity: &str, balance: &str) -> (String, String) {
    (equity.to_owned(), balance.to_owned())
}

#[test]
fn equity_is_cash_and_positions_at_the_mark() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    assert_eq!(firm.told("A"), [figure("10000", "10000")]);
    assert_eq!(firm.told("FIRM"), [figure("10000", "10000")]);

    // 100 at 20 and a fee of 1: cash 7999, worth 2000 at the fill, which is the only mark.
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    assert_eq!(firm.told("A"), [figure("9999", "9999")]);
    // At 21 there is 100 that is not realised.
    firm.pass(100 * MS);
    firm.last("ACME", "21");
    assert_eq!(firm.told("A"), [figure("10099", "9999")]);
    // 150 sold at 22, fee 1: 200 realised, short 50 at 22; the market says 21, so 50 is not realised.
    firm.trade("A", "ACME", Side::Sell, "150", "22");
    assert_eq!(firm.told("A"), [figure("10248", "10198")]);
    firm.pass(100 * MS);
    firm.last("ACME", "24");
    assert_eq!(firm.told("A"), [figure("10098", "10198")]);
}

#[test]
fn futures_count_their_profit_and_not_their_value() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "100000");
    firm.trade("A", "FUT", Side::Buy, "2", "4000");
    firm.pass(100 * MS);
    firm.last("FUT", "4002"); // 2 x 50 x 2
    firm.trade("A", "FUT", Side::Sell, "1", "4003"); // 150 realised; one is left, 100 up
    assert_eq!(
        firm.told("A"),
        [
            figure("100000", "100000"),
            figure("99999", "99999"),
            figure("100199", "99999"),
            figure("100248", "100148"),
        ]
    );
}

#[test]
fn other_currencies_count_at_their_rate() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "1000");
    firm.deposit("A", "EUR", "1000"); // at 1.10
    firm.trade("A", "EURO", Side::Buy, "10", "20"); // cash 799 EUR, worth 200 EUR
    firm.told("A");
    firm.pass(100 * MS);
    firm.rate("EUR", "1.20");
    // One walk for the wallets, one for the holders: 1000 + 999 x 1.2 in the end.
    assert_eq!(firm.told("A").last(), Some(&figure("2198.8", "2198.8")));
    firm.pass(100 * MS);
    firm.last("EURO", "21"); // 10 EUR more
    assert_eq!(firm.told("A"), [figure("2210.8", "2198.8")]);
}

#[test]
fn the_firm_is_the_sum_of_its_accounts_and_who_has_no_such_limit_is_not_told() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "1000");
    firm.deposit("B", "USD", "500");
    firm.deposit("FREE", "USD", "250");
    assert_eq!(firm.told("FIRM").last(), Some(&figure("1750", "1750")));
    assert_eq!(firm.told("B"), [figure("500", "500")]);
    assert!(firm.told("FREE").is_empty());
    assert_eq!(firm.valuer.figures().strategies, ["STRATEGY"]);
    assert!(firm.told("STRATEGY").is_empty());
    // B may hold twice its equity, which nobody but the books has told.
    assert_eq!(firm.buy("B", "EURO", "45", "20"), None, "990 of 1000");
    assert_eq!(firm.buy("B", "EURO", "1", "20"), Some(RejectCode::Leverage));
}

#[test]
fn a_days_loss_restricts_the_account_and_not_the_firm() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "ACME", Side::Buy, "100", "50");
    firm.pass(100 * MS);
    firm.last("ACME", "40.01"); // 999 and the fee of 1: the floor itself
    assert!(firm.states().is_empty());
    firm.pass(100 * MS);
    firm.last("ACME", "40");
    assert_eq!(firm.states(), [("A".to_owned(), 1)]);
    assert_eq!(firm.buy("A", "ACME", "1", "40"), Some(RejectCode::ReduceOnly));
}

#[test]
fn money_that_goes_out_is_no_loss() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.cash(Kind::Withdrawal, "A", "USD", "5000");
    assert_eq!(firm.told("A").last(), Some(&figure("5000", "5000")));
    assert!(firm.states().is_empty(), "the day began with 5000 now");
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    firm.pass(100 * MS);
    firm.last("ACME", "9.98"); // 1002 and the fee
    assert_eq!(firm.states(), [("A".to_owned(), 1)]);
}

#[test]
fn a_figure_that_a_payment_has_overtaken_is_refused_and_sent_again() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.told("A");
    // The valuer has seen no more than this when the withdrawal comes in, and its figure comes behind it.
    let mut late = Vec::new();
    firm.push({
        let body = Execution {
            exec_id: text("X"),
            qty: dec("1"),
            px: dec("20"),
            qty_dp: 8,
            px_dp: 8,
            side: Side::Buy as u8,
            ..Execution::zeroed()
        };
        InboundLong::new(Kind::TradeCapture, &body).named(text("ACME"), text("A"))
    });
    firm.show();
    firm.valuer.turn(true, firm.clock.now_ns(), &mut |message| {
        late.push(message);
        true
    });
    assert_eq!(late.len(), 0, "the mark is the fill: nothing has changed");
    firm.push({
        let body = Execution {
            exec_id: text("Y"),
            qty: dec("1"),
            px: dec("21"),
            qty_dp: 8,
            px_dp: 8,
            side: Side::Buy as u8,
            ..Execution::zeroed()
        };
        InboundLong::new(Kind::TradeCapture, &body).named(text("ACME"), text("A"))
    });
    firm.show();
    firm.valuer.turn(true, firm.clock.now_ns(), &mut |message| {
        late.push(message);
        true
    });
    assert_eq!(late.len(), 2, "of the account and of the firm");
    let body = CashMove {
        reference: text("out"),
        amount: money("5000"),
        ..CashMove::zeroed()
    };
    firm.push(InboundLong::new(Kind::Withdrawal, &body).named(text("USD"), text("A")));
    for message in late {
        firm.push(message.into());
    }
    firm.settle();
    assert_eq!(firm.valuer.figures().refused, 2);
    assert_eq!(firm.told("A"), [figure("5001", "5000")], "5000 and 1 at the mark");
    assert!(firm.states().is_empty(), "a loss was never seen");
}

#[test]
fn a_mark_gives_one_figure_in_a_tenth_of_a_second_and_a_fill_one_at_once() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    firm.told("A");
    for px in ["20.01", "20.02", "20.03"] {
        firm.last("ACME", px);
    }
    assert!(firm.told("A").is_empty());
    firm.pass(100 * MS);
    assert_eq!(firm.told("A"), [figure("10002", "9999")], "the last of the three");
    firm.last("ACME", "20.03");
    firm.pass(200 * MS);
    assert!(firm.told("A").is_empty(), "nothing has changed");
    firm.last("ACME", "20.04");
    assert_eq!(firm.told("A"), [figure("10003", "9999")], "the pause is over");
    firm.last("ACME", "20.05");
    firm.trade("A", "EURO", Side::Buy, "1", "20"); // 1 EUR of fee, at once
    assert_eq!(firm.told("A"), [figure("10002.9", "9997.9")]);
    let age = firm.valuer.figures().age;
    assert!(age.max_ns >= 100 * MS && age.max_ns < 101 * MS, "{age:?}");
    assert!(age.late_max_ns < MS, "{age:?}");
}

#[test]
fn a_stale_mark_freezes_whoever_holds_it_while_its_session_is_open() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    firm.last("ACME", "20");
    firm.told("A");
    firm.pass(61_000 * MS);
    let figures = firm.valuer.figures();
    assert_eq!(
        (figures.frozen, figures.frozen_node.as_str()),
        (2, "FIRM"),
        "A and the firm"
    );
    firm.trade("A", "EURO", Side::Buy, "1", "20");
    firm.deposit("B", "USD", "500");
    assert!(firm.told("A").is_empty(), "a fee is known, a price is not");
    assert_eq!(firm.told("B"), [figure("500", "500")], "B holds nothing of it");
    firm.last("ACME", "19");
    assert_eq!(firm.valuer.figures().frozen, 0);
    assert_eq!(firm.told("A"), [figure("9897.9", "9997.9")]);
    // The session ends at 20:00: the last price of the day is not stale.
    firm.pass(61_000 * MS);
    assert_eq!(firm.valuer.figures().frozen, 2);
    firm.pass(6 * 3_600_000 * MS);
    assert_eq!(firm.valuer.figures().frozen, 0);
}

#[test]
fn without_a_rate_nobody_is_valued() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "1000");
    firm.told("A");
    let gbp = tradewind_domain::event::CurrencySet {
        code: text("GBP"),
        money_dp: 2,
        ..Zeroable::zeroed()
    };
    firm.send(InboundLong::new(Kind::CurrencySet, &gbp));
    firm.deposit("A", "GBP", "100");
    assert!(firm.told("A").is_empty());
    assert_eq!(firm.valuer.figures().frozen, 2);
    firm.rate("GBP", "1.5");
    firm.pass(100 * MS);
    assert_eq!(firm.told("A"), [figure("1150", "1150")]);
}

#[test]
fn a_figure_from_outside_overrides_ours() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.told("A");
    firm.outside("A", "20000");
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    firm.pass(200 * MS);
    assert_eq!(firm.told("A"), [figure("20000", "20000")]);
    assert_eq!(
        firm.told("FIRM").last(),
        Some(&figure("9999", "9999")),
        "the firm is still ours"
    );
    // One that was on its way is refused.
    let own = Valuation {
        equity: money("1"),
        balance: money("1"),
        has_balance: Valuation::OWN_BOOKS,
        ..Valuation::zeroed()
    };
    let now_ns = firm.clock.now_ns();
    firm.send(
        InboundLong::new(Kind::Valuation, &own)
            .named(Symbol::EMPTY, text("A"))
            .at(now_ns),
    );
    let last = firm.pipeline.journal().events().last().unwrap();
    assert_eq!(last.reject_code(), Some(RejectCode::StateMismatch));
}

#[test]
fn an_opening_figure_counts_beside_the_books() {
    let mut firm = Firm::new();
    let body = Valuation {
        equity: money("5000"),
        balance: money("5000"),
        has_balance: Valuation::OPENING,
        ..Valuation::zeroed()
    };
    firm.send(InboundLong::new(Kind::Valuation, &body).named(Symbol::EMPTY, text("A")));
    firm.deposit("A", "USD", "1000");
    assert_eq!(firm.told("A").last(), Some(&figure("6000", "6000")));
    firm.trade("A", "ACME", Side::Buy, "100", "5");
    assert_eq!(firm.told("A"), [figure("5999", "5999")]);
    assert!(firm.states().is_empty());
}

#[test]
fn a_trade_that_is_taken_back_leaves_no_worth() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "EURO", Side::Buy, "10", "25"); // worth 200 at the mark of 20: 50 EUR down, and 1 EUR of fee
    assert_eq!(firm.told("A").last(), Some(&figure("9943.9", "9998.9")));
    let bust = TradeBust {
        exec_id: text("BUST"),
        exec_ref_id: text(&format!("N{}", firm.numbers)),
        ..TradeBust::zeroed()
    };
    firm.send(InboundLong::new(Kind::TradeBust, &bust).named(text("EURO"), text("A")));
    assert_eq!(firm.told("A"), [figure("10000", "10000")]);
}

#[test]
fn a_start_values_everything_once_at_the_present_marks() {
    let mut firm = Firm::without_figures();
    for _ in 0..2 {
        let body = CashMove {
            reference: text(&firm.number()),
            amount: money("400"),
            ..CashMove::zeroed()
        };
        firm.push(InboundLong::new(Kind::Deposit, &body).named(text("USD"), text("A")));
    }
    firm.settle();
    assert_eq!(firm.told("A"), [figure("800", "800")], "never the half of it");
    // A valuer that begins anew finds what the first one has told, and has nothing to add.
    firm.valuer = Valuer::new();
    firm.read = 0;
    firm.names.clear();
    firm.told.clear();
    let before = firm.pipeline.journal().events().len();
    firm.settle();
    assert_eq!(firm.pipeline.journal().events().len(), before);
}

#[test]
fn a_replay_of_the_journal_gives_the_same_states() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "ACME", Side::Buy, "100", "50");
    firm.pass(100 * MS);
    firm.last("ACME", "30");
    firm.cash(Kind::Withdrawal, "A", "USD", "100");
    assert_eq!(firm.states(), [("A".to_owned(), 1)]);
    let events = firm.pipeline.journal().events().to_vec();
    let live = firm.pipeline.finish(None).unwrap().stages;
    let mut replayed = stages();
    let mut replay = Replay::new(&mut replayed);
    events.iter().for_each(|event| replay.apply(event).unwrap());
    for (live, replayed) in live.iter().zip(&replayed) {
        let rows = |stage: &dyn tradewind_machine::stage::Stage<Event>| {
            let mut rows = Vec::new();
            stage.digest(&mut |row| rows.extend_from_slice(row));
            rows
        };
        assert!(rows(live.as_ref()) == rows(replayed.as_ref()), "{}", live.name());
    }
}

#[test]
fn one_record_queues_one_walk_whoever_holds_the_instrument() {
    let mut firm = Firm::new();
    for account in ["A", "B", "FREE"] {
        firm.deposit(account, "USD", "10000");
        firm.trade(account, "ACME", Side::Buy, "10", "20");
    }
    firm.pass(100 * MS);
    firm.told.clear();
    // Shown, not worked off: figures of before stand.
    let body = LastTrade {
        px: dec("21"),
        qty: dec("1"),
        px_dp: 8,
        qty_dp: 8,
        ..LastTrade::zeroed()
    };
    firm.push(InboundLong::new(Kind::LastTrade, &body).named(text("ACME"), Code::EMPTY));
    firm.show();
    assert!(!firm.valuer.is_idle());
    firm.settle();
    assert_eq!(firm.told("FIRM"), [figure("30027", "29997")]);
    assert!(firm.valuer.is_idle());
}
