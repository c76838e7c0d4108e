//! Rules in the stages: what becomes of orders, replaces, trades and quotes, live and on replay.

use crate::calendar::calendar_set;
use crate::{LimitCheck, Validate};
use bytemuck::Zeroable;
use tradewind_domain::codes::{AccountKind, Level, OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    Body, Capacities, CurrencySet, EngineStarted, Event, Execution, InstrumentSet, InstrumentStatus, Kind,
    LastTrade, Mark, NodeSet, OrderNew, OrderReplace, Quote, Timer, TimerKind, VenueReport, head_flags,
};
use tradewind_domain::ids::{
    AccountId, CalendarId, CurrencyId, InstrumentId, NodeId, OrderId, SessionId, VenueId,
};
use tradewind_domain::reference::{CalendarDay, Instrument};
use tradewind_domain::text::Text;
use tradewind_domain::time::NANOS_PER_DAY;
use tradewind_machine::stage::Stage;
use tradewind_rules::{Label, compile, encode, parts};

const A1: NodeId = NodeId(3);
const S1: NodeId = NodeId(5);
/// 2026-03-02, a Monday.
const DATE: u32 = 20_514;
const NINE: u64 = DATE as u64 * NANOS_PER_DAY + 9 * 3_600_000_000_000;
const CAL: CalendarId = CalendarId(1);

fn dec(text: &str) -> i64 {
    tradewind_domain::decimal::parse(text.as_bytes()).expect("a decimal")
}

/// FIRM > ACME > D1 > accounts A1 (cash, strategy S1) and A2 (margin); GIZMO, a share that trades from 08:00 to 10:00 of
/// calendar 1, last at 10. Live stages, and a second set that only applies what they recorded.
struct Desk {
    validate: Validate,
    limit: LimitCheck,
    replica: (Validate, LimitCheck),
    now_ns: u64,
    seq: u64,
}

impl Desk {
    fn new() -> Self {
        let capacities = Capacities::default();
        let limit = || LimitCheck::new(&capacities, b"0123456789abcdef");
        let mut desk = Self {
            validate: Validate::new(&capacities),
            limit: limit(),
            replica: (Validate::new(&capacities), limit()),
            now_ns: NINE,
            seq: 0,
        };
        let start = EngineStarted {
            epoch: 1,
            market_slip_bps: 500,
            ref_max_age_ms: 60_000,
            capacities,
            ..EngineStarted::zeroed()
        };
        desk.send(Kind::EngineStarted, &start);
        let currency = CurrencySet {
            code: Text::new("USD").expect("short"),
            money_dp: 2,
            ..CurrencySet::zeroed()
        };
        desk.send(Kind::CurrencySet, &currency);
        let open_ns = NINE - 3_600_000_000_000;
        let day = CalendarDay {
            roll_ns: open_ns - 1,
            open_ns,
            close_ns: NINE + 3_600_000_000_000,
            date: DATE,
            reserved: 0,
        };
        desk.send(Kind::CalendarSet, &calendar_set(CAL, &[day]));
        for calendar in [CalendarId::UTC, CAL] {
            let roll = Timer {
                timer: TimerKind::DayRoll as u8,
                calendar,
                date: DATE,
                ..Timer::zeroed()
            };
            desk.send(Kind::Timer, &roll);
        }
        desk.hierarchy();
        let row = Instrument {
            symbol: Text::new("GIZMO").expect("short"),
            sector: Text::new("TOOLS").expect("short"),
            adv: dec("10000"),
            calendar: CAL,
            ..Instrument::default_linear()
        };
        let set = InstrumentSet {
            row,
            ..InstrumentSet::zeroed()
        };
        desk.send(Kind::InstrumentSet, &set);
        let last = LastTrade {
            px: dec("10"),
            qty: dec("1"),
            px_dp: 8,
            qty_dp: 8,
            instrument: InstrumentId(0),
            ..LastTrade::zeroed()
        };
        desk.send(Kind::LastTrade, &last);
        desk
    }

    fn hierarchy(&mut self) {
        let rows = [
            ("FIRM", Level::Firm, NodeId::NONE, AccountId::NONE, 0),
            ("ACME", Level::Org, NodeId(0), AccountId::NONE, 0),
            ("D1", Level::Desk, NodeId(1), AccountId::NONE, 0),
            (
                "A1",
                Level::Account,
                NodeId(2),
                AccountId(0),
                AccountKind::Margin as u8,
            ),
            (
                "A2",
                Level::Account,
                NodeId(2),
                AccountId(1),
                AccountKind::Margin as u8,
            ),
            ("S1", Level::Strategy, A1, AccountId(0), 0),
        ];
        for ((code, level, parent, account, kind), id) in rows.into_iter().zip(0..) {
            let set = NodeSet {
                code: Text::new(code).expect("short"),
                level: level as u8,
                kind,
                node: NodeId(id),
                parent,
                account,
                ..NodeSet::zeroed()
            };
            let event = if kind == 0 {
                Kind::NodeSet
            } else {
                Kind::AccountSet
            };
            self.send(event, &set);
        }
    }

    fn send<T: Body>(&mut self, kind: Kind, body: &T) -> Event {
        let mut event = Event::empty();
        event.reset(kind);
        *event.body_mut() = *body;
        self.run(event)
    }

    fn run(&mut self, mut event: Event) -> Event {
        self.seq += 1;
        self.now_ns += 1;
        (event.head.seq, event.head.recv_ns) = (self.seq, self.now_ns);
        event.head.flags |= head_flags::LAST;
        self.validate.process(&mut event);
        self.limit.process(&mut event);
        self.replica.0.apply(&event);
        self.replica.1.apply(&event);
        event
    }

    /// Puts rules into force.
    fn rules(&mut self, source: &str) {
        let compiled = compile(source.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
        let label = Label {
            author: Text::new("ops").expect("short"),
            reason: Text::new("a test").expect("short"),
        };
        let document = encode(&compiled, label).expect("a small document");
        for part in parts(&document) {
            let event = self.run(*part.event());
            assert!(!event.is_rejected());
        }
        assert_eq!(
            self.validate.rules().book().hash(),
            blake3_of(&document).as_slice()
        );
    }

    fn buy(&mut self, px: &str) -> Event {
        let order = self.order(OrderType::Limit, px);
        self.send(Kind::OrderNew, &order)
    }

    fn order(&self, ord_type: OrderType, px: &str) -> OrderNew {
        OrderNew {
            cl_ord_id: Text::new(format!("C{}", self.seq)).expect("short"),
            qty: dec("100"),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            side: Side::Buy as u8,
            ord_type: ord_type as u8,
            tif: TimeInForce::Day as u8,
            session: SessionId(1),
            leaf: S1,
            account: AccountId(0),
            instrument: InstrumentId(0),
            currency: CurrencyId(0),
            calendar: CAL,
            ..OrderNew::zeroed()
        }
    }

    fn trade(&mut self, px: &str) -> Event {
        let trade = Execution {
            exec_id: Text::new(format!("E{}", self.seq)).expect("short"),
            qty: dec("100"),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            side: Side::Buy as u8,
            venue: VenueId(4),
            leaf: A1,
            account: AccountId(0),
            instrument: InstrumentId(0),
            currency: CurrencyId(0),
            calendar: CAL,
            ..Execution::zeroed()
        };
        self.send(Kind::TradeCapture, &trade)
    }

    fn quote(&mut self, bid: &str, ask: &str) -> Event {
        let quote = Quote {
            bid: dec(bid),
            ask: dec(ask),
            bid_qty: dec("5"),
            ask_qty: dec("5"),
            px_dp: 8,
            qty_dp: 8,
            ..Quote::zeroed()
        };
        let quote = Quote {
            instrument: InstrumentId(0),
            ..quote
        };
        self.send(Kind::Quote, &quote)
    }

    fn digests(&self) -> [Vec<u8>; 4] {
        let digest = |stage: &dyn Stage<Event>| {
            let mut bytes = Vec::new();
            stage.digest(&mut |row| bytes.extend_from_slice(row));
            bytes
        };
        [
            digest(&self.validate),
            digest(&self.replica.0),
            digest(&self.limit),
            digest(&self.replica.1),
        ]
    }

    fn assert_replica_agrees(&self) {
        let [validate, validate_again, limit, limit_again] = self.digests();
        assert!(validate == validate_again, "validate and its replica differ");
        assert!(limit == limit_again, "the limit check and its replica differ");
    }
}

fn blake3_of(document: &[u8]) -> Vec<u8> {
    let first = parts(document).next().expect("a part");
    first
        .event()
        .body::<tradewind_domain::event::Blob>()
        .hash
        .to_vec()
}

/// Outcome, refusing rule and alerting rule of a record.
fn said(event: &Event) -> (String, u8, u8) {
    let code = event
        .reject_code()
        .map_or("OK".to_owned(), |code| code.to_string());
    (code, event.head.rule, event.head.rule_alert)
}

fn outcome(code: &str, rule: u8, alert: u8) -> (String, u8, u8) {
    (code.to_owned(), rule, alert)
}

#[test]
fn a_rule_refuses_an_order_and_the_record_names_it() {
    let mut desk = Desk::new();
    assert_eq!(said(&desk.buy("0.50")), outcome("OK", 0, 0));
    desk.rules(
        r#"
        rule "watch" on order when order.qty >= 100 then alert "WATCH" "large"
        rule "penny" on order when order.px < 1 then reject "PENNY" "price below one dollar"
        "#,
    );
    assert_eq!(said(&desk.buy("0.50")), outcome("BUSINESS_RULE", 2, 1));
    assert_eq!(said(&desk.buy("2")), outcome("OK", 0, 1));
    let rule = desk.validate.rules().book().rule(2).expect("rule 2");
    assert_eq!(
        (rule.row.code.as_str(), rule.row.text.as_str()),
        ("PENNY", "price below one dollar")
    );
    // An empty file takes the rules away.
    desk.rules("");
    assert_eq!(said(&desk.buy("0.50")), outcome("OK", 0, 0));
    desk.assert_replica_agrees();
}

#[test]
fn a_probe_is_asked_about_like_an_order() {
    let mut desk = Desk::new();
    desk.rules(r#"rule "penny" on order when order.px < 1 then reject "P" "t""#);
    let probe = desk.order(OrderType::Limit, "0.50");
    assert_eq!(
        said(&desk.send(Kind::Probe, &probe)),
        outcome("BUSINESS_RULE", 1, 0)
    );
}

#[test]
fn a_replace_cannot_pass_by_a_rule_that_its_order_met() {
    let mut desk = Desk::new();
    desk.rules(
        r#"
        rule "penny" on order
          when account.strategy = "S1" and order.type = LIMIT and order.px < 1
          then reject "PENNY" "price below one dollar"
        rule "no replace above 5" on order when order.is_replace and order.px > 5 then alert "R" "r"
        "#,
    );
    let order = desk.buy("2");
    let view = order.body::<OrderNew>().view;
    let ack = VenueReport {
        order_id: view.order_id,
        ..VenueReport::zeroed()
    };
    desk.send(Kind::VenueAck, &ack);
    let mut replaces = 0;
    let mut replace = |desk: &mut Desk, px: &str, order_id: OrderId| {
        replaces += 1;
        let body = OrderReplace {
            cl_ord_id: Text::new(format!("R{replaces}")).expect("short"),
            order_id,
            qty: dec("100"),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            session: SessionId(1),
            leaf: NodeId::NONE,
            account: AccountId::NONE,
            instrument: InstrumentId::NONE,
            ..OrderReplace::zeroed()
        };
        said(&desk.send(Kind::OrderReplace, &body))
    };
    assert_eq!(
        replace(&mut desk, "0.50", view.order_id),
        outcome("BUSINESS_RULE", 1, 0)
    );
    assert_eq!(
        replace(&mut desk, "0.50", OrderId::new(0, 99)),
        outcome("UNKNOWN_ORDER", 0, 0)
    );
    assert_eq!(replace(&mut desk, "6", view.order_id), outcome("OK", 0, 2));
    desk.assert_replica_agrees();
}

#[test]
fn a_trade_is_put_aside_and_a_quote_is_refused() {
    let mut desk = Desk::new();
    desk.rules(
        r#"
        rule "far" on trade
          when abs(trade.px - market.last_px) > 5% of market.last_px and trade.venue = 4
          then quarantine "FAR" "more than 5 % from the last price"
        rule "crossed" on quote when quote.bid >= quote.ask then reject "CROSSED" "bid at or above offer"
        rule "wide" on quote when quote.ask - quote.bid > 10% of quote.bid then alert "WIDE" "wide"
        "#,
    );
    assert_eq!(said(&desk.trade("10.5")), outcome("OK", 0, 0));
    assert_eq!(said(&desk.trade("10.51")), outcome("QUARANTINE_RULE", 1, 0));
    assert_eq!(said(&desk.quote("10", "10.5")), outcome("OK", 0, 0));
    assert_eq!(said(&desk.quote("10", "12")), outcome("OK", 0, 3));
    assert_eq!(said(&desk.quote("10", "9.9")), outcome("BUSINESS_RULE", 2, 0));
    desk.assert_replica_agrees();
}

/// A trade that rules would have put aside could come in by a correction.
#[test]
fn a_corrected_trade_is_asked_what_a_trade_is_asked() {
    let mut desk = Desk::new();
    desk.rules(
        r#"
        rule "far" on trade
          when abs(trade.px - market.last_px) > 5% of market.last_px and trade.qty > 50 and account.code = "A1"
          then quarantine "FAR" "more than 5 % from the last price"
        rule "small" on trade when trade.qty < 50 then alert "SMALL" "small"
        "#,
    );
    let booked = desk.trade("10");
    let correct = |desk: &mut Desk, qty: &str, px: &str| {
        let trade: &Execution = booked.body();
        let correction = Execution {
            exec_id: trade.exec_id,
            venue: trade.venue,
            trade_date: trade.trade_date,
            qty: dec(qty),
            px: dec(px),
            leaf: NodeId::NONE,
            account: AccountId::NONE,
            instrument: InstrumentId::NONE,
            ..Execution::zeroed()
        };
        said(&desk.send(Kind::TradeCorrect, &correction))
    };
    assert_eq!(correct(&mut desk, "60", "10.5"), outcome("OK", 0, 0));
    // What the source leaves out is that of the trade: 60.
    assert_eq!(correct(&mut desk, "0", "10.6"), outcome("QUARANTINE_RULE", 1, 0));
    assert_eq!(correct(&mut desk, "40", "10.6"), outcome("OK", 0, 2));
    desk.assert_replica_agrees();
}

#[test]
fn an_order_that_makes_no_sense_is_not_asked_about() {
    let mut desk = Desk::new();
    desk.rules(r#"rule "all" on order when order.qty < 1000000 then reject "ALL" "t""#);
    let mut unknown = desk.order(OrderType::Limit, "2");
    unknown.instrument = InstrumentId::NONE;
    let event = desk.send(Kind::OrderNew, &unknown);
    assert_eq!((event.head.rule, event.head.rule_alert), (0, 0));
    let mut no_qty = desk.order(OrderType::Limit, "2");
    no_qty.qty = 0;
    assert_eq!(
        said(&desk.send(Kind::OrderNew, &no_qty)),
        outcome("INVALID_QTY", 0, 0)
    );
    // A tick is asked for after the rules: the rule is named first.
    let off_tick = desk.order(OrderType::Limit, "2.001");
    assert_eq!(
        said(&desk.send(Kind::OrderNew, &off_tick)),
        outcome("BUSINESS_RULE", 1, 0)
    );
}

#[test]
fn fields_are_what_the_manual_says() {
    let mut desk = Desk::new();
    let mark = Mark {
        px: dec("11"),
        px_dp: 8,
        instrument: InstrumentId(0),
        ..Mark::zeroed()
    };
    desk.send(Kind::Mark, &mark);
    desk.quote("9.9", "10.1");
    let holds = [
        r#"order.side = BUY and order.type = LIMIT and order.tif = DAY and order.session = 1"#,
        r#"order.qty = 100 and order.px = 2 and order.px_or_last = 2 and not known(order.stop_px)"#,
        r#"order.notional = 200 and order.value = 200 and not order.located and not order.is_replace"#,
        r#"instrument.symbol = "GIZMO" and instrument.kind = EQUITY and instrument.sector = "TOOLS""#,
        r#"instrument.currency = "USD" and instrument.lot = 1 and instrument.tick = 0.01 and instrument.mult = 1"#,
        r#"instrument.adv = 10_000 and not known(instrument.avg_order_qty) and not instrument.easy_to_borrow"#,
        r#"account.code = "A1" and account.strategy = "S1" and account.desk = "D1" and account.org = "ACME""#,
        r#"account.user = "" and account.kind = MARGIN"#,
        r#"market.last_px = 10 and market.last_age_ms < 1 and market.last_age_ms > 0"#,
        r#"market.bid = 9.9 and market.ask = 10.1 and market.mark = 11 and not market.halted"#,
        r#"time.since_open_min >= 60 and time.since_open_min < 60.001 and time.minute_of_day < 540.001"#,
        r#"time.until_close_min <= 60 and time.until_close_min > 59.999 and time.weekday = MON and time.is_open"#,
    ];
    for condition in holds {
        desk.rules(&format!(
            "rule \"r\" on order when not ({condition}) then alert \"C\" \"t\""
        ));
        let event = desk.buy("2");
        assert_eq!(said(&event), outcome("OK", 0, 0), "{condition}");
    }
    let halt = InstrumentStatus {
        halted: 1,
        instrument: InstrumentId(0),
        ..InstrumentStatus::zeroed()
    };
    desk.send(Kind::InstrumentStatus, &halt);
    desk.rules(r#"rule "halted" on order when market.halted then alert "C" "t""#);
    assert_eq!(said(&desk.buy("2")), outcome("MARKET_CLOSED", 0, 1));
}

#[test]
fn a_market_order_has_no_price_and_is_valued_at_the_last_one() {
    let mut desk = Desk::new();
    let market = desk.order(OrderType::Market, "0");
    desk.rules(r#"rule "r" on order when not known(order.px) and order.notional = 1000 then alert "C" "t""#);
    assert_eq!(desk.send(Kind::OrderNew, &market).head.rule_alert, 1);
    // A condition that cannot be answered counts as met.
    desk.rules(r#"rule "r" on order when order.px < 1 then reject "C" "t""#);
    let market = desk.order(OrderType::Market, "0");
    assert_eq!(
        said(&desk.send(Kind::OrderNew, &market)),
        outcome("BUSINESS_RULE", 1, 0)
    );
    desk.rules(r#"rule "r" on order when known(order.px) and order.px < 1 then reject "C" "t""#);
    let market = desk.order(OrderType::Market, "0");
    assert_eq!(said(&desk.send(Kind::OrderNew, &market)), outcome("OK", 0, 0));
}

#[test]
fn rules_half_sent_are_the_same_state_live_and_replayed() {
    let mut desk = Desk::new();
    let source = format!(
        "{}rule \"all\" on order when order.qty > 0 then reject \"ALL\" \"t\"",
        "# long\n".repeat(1_000)
    );
    let label = Label {
        author: Text::EMPTY,
        reason: Text::EMPTY,
    };
    let document = encode(&compile(source.as_bytes()).expect("sound"), label).expect("small");
    for part in parts(&document) {
        assert_eq!(said(&desk.buy("2")), outcome("OK", 0, 0));
        desk.run(*part.event());
        desk.assert_replica_agrees();
    }
    assert_eq!(said(&desk.buy("2")), outcome("BUSINESS_RULE", 1, 0));
}
