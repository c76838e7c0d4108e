//! A few days of the firm in which every stage refuses something, orders live every kind of life, limits do what they do beside
//! refusing, and days roll while hundreds of orders are open.

use super::catalogue;
use super::firm::{
    self, Order, allocation, bust, cancel, cancel_by_id, cash, control, correct, fill, halt, last, quote,
    replace, report, resolve, session, status, text, trade, transfer,
};
use super::script::Script;
use bytemuck::Zeroable;
use tradewind_domain::codes::{
    ControlState, CorporateActionKind, Level, LimitAction, LimitType, OrderState, OrderType,
    QuarantineAction, SelfTradeMode, Side, TimeInForce, TransferPhase,
};
use tradewind_domain::event::{
    Allocation, Blob, CalendarSet, CorporateAction, CurrencySet, EdgeStats, InboundLong, InstrumentSet, Kind,
    LimitSet, Locate, MassCancel, NodeSet, SettlementFail, SymbolChange,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{CalendarId, OrderId, SessionId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::{Code, Symbol};
use tradewind_rules::{Label, compile, encode, parts};

/// Orders of each day: more than the effect slots and rings of the tests, so that a roll's effects fill them many times.
const ORDERS_A_DAY: u64 = 260;
/// Days after the first.
const DAYS: u64 = 4;

/// Everything. It needs `capacity.instruments=5` and `capacity.open_orders=400`.
pub(crate) fn everything() -> Script {
    let mut script = Script::with(firm::reference_with_catalogue());
    refused_reference_data(&mut script);
    refused_names_and_values(&mut script);
    refused_orders(&mut script);
    limits(&mut script);
    lives_of_orders(&mut script);
    controls(&mut script);
    own_orders(&mut script);
    business_rules(&mut script);
    catalogue::first_day(&mut script);
    for day in 0..DAYS {
        if day == 1 {
            script.at(day, 8, 30);
            catalogue::second_day(&mut script);
        }
        busy_day(&mut script, day);
    }
    lost_session(&mut script);
    flood(&mut script);
    after_trade(&mut script);
    corporate_actions(&mut script);
    script
}

/// A block that is allocated and taken back, transfers of the firm, and an instrument that gets another symbol.
pub(crate) fn after_trade(script: &mut Script) {
    let allocate = |id: &str, executions: &[&str], legs: &[(&str, &str)]| {
        allocation(id, ("FREE", "GIZMO"), executions, legs)
    };
    let legs = [("L01", "40"), ("L02", "20")];
    script.accepted(trade("BLOCK", "FREE", "GIZMO", Side::Buy, "60", "50"));
    script.refused(
        allocate("AL-1", &["BLOCK"], &[("L01", "40")]),
        RejectCode::AllocationQty,
    );
    script.accepted(allocate("AL-1", &["BLOCK"], &legs));
    script.refused(allocate("AL-2", &["BLOCK"], &legs), RejectCode::AlreadyAllocated);
    script.accepted(allocate("AL-1", &[], &[]));
    script.accepted(allocate("AL-3", &["BLOCK"], &[("L01", "60")]));
    let accounts = ("STREET:USD", "SUSPENSE:USD");
    script.accepted(transfer("TR-1", TransferPhase::Pending, accounts, "1.50"));
    script.accepted(transfer("TR-1", TransferPhase::Post, ("", ""), "1"));
    script.refused(
        transfer("TR-1", TransferPhase::Void, ("", ""), "0"),
        RejectCode::PendingAlreadyPosted,
    );
    let renamed = SymbolChange {
        symbol: text("NOREF-NEW"),
        author: text("ops"),
        ..SymbolChange::zeroed()
    };
    let message = InboundLong::new(Kind::SymbolChange, &renamed);
    script.accepted(message.named(text("NOREF"), Code::EMPTY));
    let fail = SettlementFail {
        exec_id: text("never"),
        ..SettlementFail::zeroed()
    };
    script.refused(
        InboundLong::new(Kind::SettlementFail, &fail),
        RejectCode::UnknownTrade,
    );
}

/// All who hold something get their part.
pub(crate) fn corporate_actions(script: &mut Script) {
    let dividend = CorporateAction {
        cash_per_unit: Money::from_raw(33_300_000),
        withhold_bps: 1_500,
        action: CorporateActionKind::CashDividend as u8,
        ..CorporateAction::zeroed()
    };
    let split = CorporateAction {
        cash_per_unit: Money::from_raw(2_000_000_000),
        numerator: 1,
        denominator: 3,
        action: CorporateActionKind::Split as u8,
        ..CorporateAction::zeroed()
    };
    for symbol in ["ACME", "GIZMO"] {
        for action in [dividend, split] {
            let message = InboundLong::new(Kind::CorporateAction, &action);
            script.accepted(message.named(text(symbol), Code::EMPTY));
        }
    }
}

/// What normalize refuses itself: rows that contradict or name what is not there.
fn refused_reference_data(script: &mut Script) {
    let currency = CurrencySet {
        code: text("JPY"),
        money_dp: 9,
        ..CurrencySet::zeroed()
    };
    script.refused(
        InboundLong::new(Kind::CurrencySet, &currency),
        RejectCode::InvalidValue,
    );
    let mut node = NodeSet {
        code: text("LOST"),
        parent_code: text("NOWHERE"),
        level: Level::Desk as u8,
        ..NodeSet::zeroed()
    };
    script.refused(InboundLong::new(Kind::NodeSet, &node), RejectCode::UnknownNode);
    (node.code, node.parent_code, node.level) = (text("DESK"), text("ORG"), Level::User as u8);
    script.refused(InboundLong::new(Kind::NodeSet, &node), RejectCode::NameTaken);
    let row = Instrument {
        symbol: text("NEW"),
        ..Instrument::default_linear()
    };
    let mut instrument = InstrumentSet {
        row,
        currency_code: text("XXX"),
        ..InstrumentSet::zeroed()
    };
    script.refused(
        InboundLong::new(Kind::InstrumentSet, &instrument),
        RejectCode::UnknownCurrency,
    );
    instrument.currency_code = text("USD");
    instrument.row.calendar = CalendarId(40);
    script.refused(
        InboundLong::new(Kind::InstrumentSet, &instrument),
        RejectCode::UnknownCalendar,
    );
    instrument.row.calendar = CalendarId::UTC;
    script.refused(
        InboundLong::new(Kind::InstrumentSet, &instrument),
        RejectCode::Capacity,
    );
    let calendar = CalendarSet {
        code: text("broken"),
        calendar: CalendarId(2),
        count: 9,
        ..CalendarSet::zeroed()
    };
    script.refused(
        InboundLong::new(Kind::CalendarSet, &calendar),
        RejectCode::InvalidValue,
    );
    let limit = LimitSet {
        label: text("later"),
        limit_type: 250, // no type has this number
        action: LimitAction::Reject as u8,
        ..LimitSet::zeroed()
    };
    let limit = InboundLong::new(Kind::LimitSet, &limit).named(Symbol::EMPTY, text("FREE"));
    script.refused(limit, RejectCode::UnknownLimit);
}

/// What normalize and validate find in messages that no order table is needed for.
fn refused_names_and_values(script: &mut Script) {
    let free = Order::buy("N1", "FREE", "GIZMO", "10", "50");
    script.refused(
        Order::buy("N1", "NOBODY", "GIZMO", "10", "50").message(),
        RejectCode::UnknownAccount,
    );
    script.refused(
        Order::buy("N2", "FREE", "NOTHING", "10", "50").message(),
        RejectCode::UnknownSymbol,
    );
    let fine = free.with(|body| (body.cl_ord_id, body.qty, body.qty_dp) = (text("N3"), 1, 12));
    script.refused(fine.message(), RejectCode::InvalidPrecision);
    script.refused(quote("NOTHING", "1", "2"), RejectCode::UnknownSymbol);
    script.refused(quote("GIZMO", "-1", "2"), RejectCode::InvalidPrice);
    script.refused(last("GIZMO", "0"), RejectCode::InvalidPrice);
    script.refused(
        cash(Kind::Deposit, "FREE", "XXX", "R1", "1"),
        RejectCode::UnknownCurrency,
    );
    script.refused(
        cash(Kind::Deposit, "FREE", "USD", "R2", "-1"),
        RejectCode::InvalidValue,
    );
    script.accepted(cash(Kind::Deposit, "FREE", "USD", "R3", "12.34"));
    script.refused(
        cash(Kind::Deposit, "FREE", "USD", "R3", "12.34"),
        RejectCode::DuplicateExecId,
    );
    script.refused(
        cash(Kind::Withdrawal, "CASH", "USD", "R4", "10000.01"),
        RejectCode::BuyingPower,
    );
    script.accepted(cash(Kind::Withdrawal, "CASH", "USD", "R5", "0.01"));
    let locate = InboundLong::new(Kind::Locate, &Locate::zeroed()).named(text("ACME"), text("FREE"));
    script.accepted(locate);
    let nothing = InboundLong::new(Kind::CorporateAction, &CorporateAction::zeroed());
    script.refused(nothing.named(text("ACME"), Code::EMPTY), RejectCode::InvalidValue);
    let leg = InboundLong::new(Kind::Allocation, &Allocation::zeroed());
    script.refused(leg.named(text("ACME"), text("FREE")), RejectCode::Malformed);
    script.accepted(InboundLong::new(Kind::Blob, &Blob::zeroed()).with_tail(&[7; 1024]));
    script.accepted(InboundLong::new(Kind::EdgeStats, &EdgeStats::zeroed()));
    script.refused(
        Order::buy("N4", "FREE", "ACME", "10", "100").message(),
        RejectCode::MarketClosed,
    );
}

/// What validate notes on an order and the limit check refuses for it.
fn refused_orders(script: &mut Script) {
    script.at(0, 9, 0);
    let order = |id: &str| Order::buy(id, "FREE", "GIZMO", "10", "50");
    let cases = [
        (
            Order::buy("V1", "FREE", "GIZMO", "10", "50.01"),
            RejectCode::InvalidTick,
        ),
        (
            Order::buy("V2", "FREE", "GIZMO", "11", "50"),
            RejectCode::InvalidLot,
        ),
        (
            Order::buy("V3", "FREE", "GIZMO", "0", "50"),
            RejectCode::InvalidQty,
        ),
        (
            Order::buy("V4", "FREE", "GIZMO", "10", "0"),
            RejectCode::InvalidPrice,
        ),
        (order("V5").with(|body| body.side = 9), RejectCode::InvalidSide),
        (
            order("V6").with(|body| body.ord_type = 9),
            RejectCode::InvalidOrderType,
        ),
        (
            order("V7").with(|body| body.tif = 9),
            RejectCode::InvalidTimeInForce,
        ),
        (
            order("V8").with(|body| body.ord_type = OrderType::Stop as u8),
            RejectCode::InvalidStopPrice,
        ),
        (
            order("V9").with(|body| body.tif = TimeInForce::Gtd as u8),
            RejectCode::InvalidExpiry,
        ),
        (order(""), RejectCode::Malformed),
        (
            Order::buy("V10", "FREE", "ACME", "10", "106"),
            RejectCode::PriceOutsideCollar,
        ),
        (
            Order::buy("V11", "FREE", "NOREF", "10", "106"),
            RejectCode::NoReferencePrice,
        ),
        (
            Order::buy("V12", "FREE", "GIZMO", "90000000000", "500"),
            RejectCode::Overflow,
        ),
    ];
    for (order, code) in cases {
        script.refused(order.message(), code);
    }
    script.refused_late(order("V13").message(), 5, RejectCode::StaleOrder);
    script.accepted(last("ACME", "100"));
    let far = trade("T1", "FREE", "ACME", Side::Buy, "1", "200");
    script.refused(far, RejectCode::QuarantinePrice);
    script.wait_ms(6_000);
    script.refused(
        Order::buy("V14", "FREE", "ACME", "10", "100").message(),
        RejectCode::StaleReferencePrice,
    );
    script.accepted(halt("GIZMO", true));
    script.refused(order("V15").message(), RejectCode::MarketClosed);
    script.accepted(halt("GIZMO", false));
    script.accepted(order("P1").probe());
    script.refused(
        Order::buy("P2", "FREE", "GIZMO", "11", "50").probe(),
        RejectCode::InvalidLot,
    );
}

/// One order that fits and one that does not, for each limit type.
fn limits(script: &mut Script) {
    let buy = |id: &str, account: &str, qty: &str| Order::buy(id, account, "GIZMO", qty, "50");
    let pairs = [
        ("L01", "1000", "1010", RejectCode::MaxOrderQty),
        ("L02", "200", "210", RejectCode::MaxOrderNotional),
        ("L03", "500", "510", RejectCode::FatFinger),
        ("L11", "10", "10", RejectCode::OrderRateExceeded),
        ("L12", "10", "10", RejectCode::MsgRateExceeded),
        ("L16", "10", "10", RejectCode::MaxOpenOrders),
        ("L17", "150", "60", RejectCode::OpenNotional),
        ("L18", "150", "60", RejectCode::DailyNotional),
        ("L19", "60", "50", RejectCode::DailyQty),
        ("L21", "90", "20", RejectCode::PositionLong),
        ("CASH", "190", "20", RejectCode::BuyingPower),
    ];
    for (account, fits, breaks, code) in pairs {
        script.order(buy(&format!("{account}-1"), account, fits));
        script.refused(buy(&format!("{account}-2"), account, breaks).message(), code);
    }
    let short = |id: &str, qty: &str| {
        Order::sell(id, "L22", "GIZMO", qty, "50").with(|body| body.side = Side::SellShort as u8)
    };
    script.order(short("L22-1", "100"));
    script.refused(short("L22-2", "10").message(), RejectCode::PositionShort);
    script.refused(
        Order::sell("CASH-3", "CASH", "GIZMO", "10", "50").message(),
        RejectCode::InsufficientPosition,
    );
}

/// Acknowledged, filled in parts, replaced, cancelled, refused, unknown and resolved; and what does not go with the state.
fn lives_of_orders(script: &mut Script) {
    let order = |id: &str| Order::buy(id, "FREE", "GIZMO", "100", "50");
    let filled = script.order(order("A1"));
    script.refused(order("A1").message(), RejectCode::DuplicateClOrdId);
    script.accepted(report(Kind::VenueAck, filled));
    script.refused(report(Kind::VenueAck, filled), RejectCode::StateMismatch);
    script.accepted(fill("E1", filled, "40", "49.95"));
    script.refused(fill("E1", filled, "40", "49.95"), RejectCode::DuplicateExecId);
    script.refused(replace("A2", "A1", "40", "50"), RejectCode::ReplaceQtyNotAboveCum);
    script.accepted(fill("E2", filled, "60", "49.9"));
    script.accepted(fill("E3", filled, "10", "49.9")); // late, and more than was asked: booked all the same
    script.refused(cancel("A3", "A1"), RejectCode::TooLateToCancel);
    script.refused(
        fill("E4", OrderId::new(0, 999_999), "1", "1"),
        RejectCode::OrphanFill,
    );
    script.refused(
        report(Kind::VenueAck, OrderId::new(0, 999_999)),
        RejectCode::UnknownOrder,
    );
    script.refused(cancel("A4", "NEVER"), RejectCode::UnknownOrder);

    let cancelled = script.order(order("B1"));
    script.accepted(report(Kind::VenueAck, cancelled));
    script.accepted(cancel("B2", "B1"));
    script.refused(cancel("B3", "B1"), RejectCode::PendingCancelReplace);
    script.refused(replace("B4", "B1", "120", "50"), RejectCode::PendingCancelReplace);
    script.accepted(report(Kind::VenueCancelReject, cancelled));
    script.accepted(cancel_by_id("B5", cancelled));
    script.accepted(report(Kind::VenueCancelled, cancelled));

    let replaced = script.order(order("C1"));
    script.accepted(report(Kind::VenueAck, replaced));
    script.accepted(replace("C2", "C1", "200", "50.5"));
    script.accepted(fill("E5", replaced, "30", "50"));
    script.accepted(report(Kind::VenueReplaced, replaced));
    script.accepted(fill("E6", replaced, "170", "50.5"));

    let (rejected, lost) = (script.order(order("D1")), script.order(order("D2")));
    script.accepted(report(Kind::VenueReject, rejected));
    script.accepted(report(Kind::OrderUnknown, lost));
    script.refused(
        status(lost, OrderState::PendingNew as u8),
        RejectCode::StateMismatch,
    );
    script.accepted(status(lost, OrderState::Working as u8));
    script.accepted(report(Kind::VenueExpired, lost));

    script.accepted(trade("T2", "STRATEGY", "EURO", Side::Buy, "7", "20.01"));
    script.accepted(trade("T3", "FREE-2", "FUT", Side::SellShort, "3", "4000.25"));
    script.accepted(trade("T4", "FREE-2", "FUT", Side::Buy, "5", "3999.75")); // crosses through zero
    script.refused(
        trade("T4", "FREE-2", "FUT", Side::Buy, "5", "3999.75"),
        RejectCode::DuplicateExecId,
    );
    taken_back(script);
    script.accepted(quote("GIZMO", "49.95", "50.05"));
}

/// Busts, corrections, and what waits in quarantine.
fn taken_back(script: &mut Script) {
    script.accepted(bust("T3", 0));
    script.refused(bust("T3", 0), RejectCode::AlreadyBusted);
    script.refused(bust("T99", 0), RejectCode::UnknownTrade);
    script.accepted(correct("T4", "4", "3999.50"));
    script.accepted(trade("T5", "FREE", "GIZMO", Side::Sell, "20", "50.05"));
    script.accepted(correct("T5", "30", "50.00"));
    script.accepted(bust("T5", 0));
    script.refused(
        trade("T6", "NOBODY", "GIZMO", Side::Buy, "10", "50.05"),
        RejectCode::UnknownAccount,
    );
    script.refused(
        trade("T7", "FREE", "GIZMO", Side::Buy, "5", "50.05"),
        RejectCode::InvalidLot,
    );
    script.refused(
        trade("T8", "FREE", "GIZMO", Side::Buy, "10", "50.01"),
        RejectCode::InvalidTick,
    );
    script.refused(
        resolve(u64::MAX, QuarantineAction::Release, "", "0"),
        RejectCode::UnknownTrade,
    );
}

/// Kill and rearm with two people, reduce only, mass cancel.
fn controls(script: &mut Script) {
    let order = |id: &str| Order::buy(id, "KILLED", "GIZMO", "10", "50");
    let active = ControlState::Active;
    script.order(order("K1"));
    script.refused(
        control(Kind::Kill, "NOWHERE", active, "ann", ""),
        RejectCode::UnknownNode,
    );
    script.accepted(control(Kind::Kill, "OTHER-DESK", active, "ann", ""));
    script.refused(order("K2").message(), RejectCode::TradingHalted);
    script.refused(
        control(Kind::Rearm, "OTHER-DESK", active, "ann", "ann"),
        RejectCode::DualControlRequired,
    );
    script.accepted(control(Kind::Rearm, "OTHER-DESK", active, "ann", "bob"));
    script.order(order("K3"));
    script.accepted(control(
        Kind::StateSet,
        "KILLED",
        ControlState::ReduceOnly,
        "ann",
        "",
    ));
    script.refused(order("K4").message(), RejectCode::ReduceOnly);
    script.accepted(control(Kind::StateSet, "KILLED", active, "ann", ""));
    let mass = MassCancel {
        cl_ord_id: text("M1"),
        session: SessionId(99),
        session_only: 1,
        ..MassCancel::zeroed()
    };
    script.refused(
        InboundLong::new(Kind::MassCancel, &mass),
        RejectCode::UnknownSession,
    );
    script.accepted(mass_cancel("M1", "OTHER-DESK"));
    let mass = MassCancel {
        session_only: 0,
        ..mass
    };
    script.accepted(InboundLong::new(Kind::MassCancel, &mass).named(text("ACME"), Code::EMPTY));
}

/// Own orders that would meet: one is held, and released when the other is gone. Then a node is killed and its position closed.
fn own_orders(script: &mut Script) {
    let limit = |removed: u8| {
        let limit = LimitSet {
            label: text("OWN"),
            limit_type: LimitType::SelfTrade as u8,
            action: LimitAction::Reject as u8,
            params: [SelfTradeMode::CancelOldest as i64, 0, 0, 0, 0, 0],
            removed,
            ..LimitSet::zeroed()
        };
        InboundLong::new(Kind::LimitSet, &limit).named(Symbol::EMPTY, text("FREE-2"))
    };
    script.accepted(limit(0));
    let sale = script.order(Order::sell("O1", "FREE-2", "GIZMO", "10", "50"));
    let purchase = script.order(Order::buy("O2", "FREE-2", "GIZMO", "10", "50"));
    script.refused(report(Kind::VenueAck, purchase), RejectCode::StateMismatch);
    script.refused(replace("O3", "O2", "20", "50"), RejectCode::PendingCancelReplace);
    script.refused(replace("O4", "O1", "20", "50"), RejectCode::PendingCancelReplace);
    script.accepted(report(Kind::VenueCancelled, sale));
    script.accepted(report(Kind::VenueAck, purchase));
    script.accepted(cancel_by_id("O5", purchase));
    script.accepted(report(Kind::VenueCancelled, purchase));
    script.accepted(limit(1));

    let active = ControlState::Active;
    let command = |kind, second| control(kind, "FREE-2", active, "ann", second);
    script.accepted(last("FUT", "4000"));
    script.refused(command(Kind::Flatten, ""), RejectCode::NotKilled);
    script.accepted(command(Kind::Kill, ""));
    script.accepted(command(Kind::Flatten, ""));
    let closing = script.made();
    script.refused(command(Kind::Flatten, ""), RejectCode::OpenOrders);
    script.accepted(report(Kind::VenueAck, closing));
    script.accepted(fill("E20", closing, "4", "4000"));
    script.accepted(command(Kind::Flatten, ""));
    script.accepted(command(Kind::Rearm, "bob"));
}

/// Asks back every open order below a node.
pub(crate) fn mass_cancel(id: &str, node: &str) -> InboundLong {
    let body = MassCancel {
        cl_ord_id: text(id),
        session: SessionId(99),
        ..MassCancel::zeroed()
    };
    InboundLong::new(Kind::MassCancel, &body).named(Symbol::EMPTY, text(node))
}

/// Rules come into force between orders, refuse and flag what follows, and stay for the busy days.
fn business_rules(script: &mut Script) {
    let bad_qty = |id: &str| Order::buy(id, "FREE", "GIZMO", "170", "50");
    let fine = script.order(bad_qty("RULE-1"));
    script.accepted(report(Kind::VenueAck, fine));
    let parts = rule_parts(RULES);
    assert!(parts.len() > 2, "the document travels in several parts");
    for (part, number) in parts.into_iter().zip(0..) {
        // Nothing is in force before the last part.
        let id = script.order(bad_qty(&format!("RULE-2-{number}")));
        script.accepted(cancel_by_id(&format!("RULE-3-{number}"), id));
        script.accepted(part);
    }
    script.refused(bad_qty("RULE-4").message(), RejectCode::BusinessRule);
    script.refused(bad_qty("RULE-5").probe(), RejectCode::BusinessRule);
    script.refused(replace("RULE-6", "RULE-1", "190", "50"), RejectCode::BusinessRule);
    script.accepted(replace("RULE-7", "RULE-1", "180", "50"));
    let sold = |id: &str, px: &str| trade(id, "FREE", "ACME", Side::Sell, "10", px);
    script.accepted(sold("SOLD-1", "100"));
    script.refused(sold("SOLD-2", "100.5"), RejectCode::QuarantineRule);
    script.refused(quote("GIZMO", "50", "49.9"), RejectCode::BusinessRule);
    script.order(Order::buy("RULE-8", "FREE", "GIZMO", "180", "50"));
    // A part that belongs to nothing leaves the rules as they are.
    script.accepted(
        rule_parts("# a file that never comes whole")
            .remove(0)
            .with_tail(b"torn"),
    );
    script.refused(bad_qty("RULE-9").message(), RejectCode::BusinessRule);
}

/// The rules of the scenario. The last one speaks on many orders of the busy days.
const RULES: &str = r#"
# Rules of the scenario, with a long comment so that the document travels in parts: quantities of 170 and 190 are refused for
# no better reason than that nothing else in the scenario uses them on this instrument and account.
rule "odd" on order
  when account.code = "FREE" and instrument.symbol = "GIZMO" and order.qty in (170, 190)
  then reject "ODD" "170 and 190 are not wanted"
rule "far" on trade
  when trade.side = SELL and abs(trade.px - market.last_px) >= 0.5% of market.last_px
  then quarantine "FAR" "half a percent from the last price"
rule "crossed" on quote
  when quote.bid >= quote.ask
  then reject "CROSSED" "bid at or above offer"
rule "large" on order
  when order.notional > 2_500 or account.strategy != "" and not order.side = SELL
  then alert "LARGE" "large, or a strategy buys"
"#;

/// The parts of a rules document.
pub(crate) fn rule_parts(source: &str) -> Vec<InboundLong> {
    let compiled = compile(source.as_bytes()).expect("sound rules");
    let label = Label {
        author: text("ops"),
        reason: text("the scenario"),
    };
    let document = encode(&compiled, label).expect("a small document");
    parts(&document).collect()
}

/// Some hundred day orders on two calendars, some of them answered; they expire when the day rolls.
fn busy_day(script: &mut Script, day: u64) {
    if day > 0 {
        script.at(day, 9, 0);
    }
    for number in 0..ORDERS_A_DAY {
        if number % 50 == 0 {
            script.accepted(last("ACME", "100"));
            script.accepted(quote("ACME", "99.99", "100.01"));
        }
        let id = format!("D{day}-{number}");
        let (symbol, px) = if number % 2 == 0 {
            ("ACME", "100.01")
        } else {
            ("GIZMO", "50.05")
        };
        let account = ["FREE", "FREE-2", "STRATEGY", "KILLED"][script.random(4) as usize];
        let qty = format!("{}0", 1 + script.random(9));
        let tif = if number % 40 == 7 {
            TimeInForce::Gtc
        } else {
            TimeInForce::Day
        };
        let mut order = Order::buy(&id, account, symbol, &qty, px).with(|body| body.tif = tif as u8);
        if script.random(2) == 0 {
            order = order.with(|body| body.side = Side::Sell as u8);
        }
        let order_id = script.order(order);
        answer(script, order_id, &id, symbol, px);
    }
    script.at(day, 23, 0);
    script.accepted(quote("EURO", "19.99", "20.01")); // the floor has rolled
}

/// What the venue, or the client, makes of an order that has been accepted.
fn answer(script: &mut Script, order_id: OrderId, id: &str, symbol: &str, px: &str) {
    let exec = format!("X-{id}");
    match script.random(10) {
        0 | 1 => script.accepted(report(Kind::VenueAck, order_id)),
        2 => script.accepted(fill(&exec, order_id, "10", px)),
        3 => {
            script.accepted(report(Kind::VenueAck, order_id));
            script.accepted(cancel(&format!("C-{id}"), id));
        }
        4 => {
            script.accepted(report(Kind::VenueAck, order_id));
            script.accepted(replace(&format!("R-{id}"), id, "100", px));
        }
        5 => script.accepted(trade(&exec, "FREE", symbol, Side::Buy, "10", px)),
        _ => {}
    }
}

/// A session goes and does not come back in time: the engine asks for the cancel of each of its orders.
fn lost_session(script: &mut Script) {
    script.at(DAYS, 9, 0);
    script.accepted(session(Kind::SessionConnected, 2, 0));
    script.refused(session(Kind::SessionConnected, 99, 0), RejectCode::UnknownSession);
    for number in 0..100 {
        let tif = if number % 10 == 0 {
            TimeInForce::Gtc
        } else {
            TimeInForce::Day
        };
        let order = Order::buy(&format!("S-{number}"), "FREE", "GIZMO", "10", "50");
        script.order(order.with(|body| (body.session, body.tif) = (SessionId(2), tif as u8)));
    }
    script.accepted(session(Kind::SessionDisconnected, 2, 1_000));
    script.accepted(quote("GIZMO", "49.95", "50.05"));
    script.wait_ms(500);
    script.accepted(session(Kind::SessionConnected, 2, 0));
    script.wait_ms(2_000);
    script.accepted(quote("GIZMO", "49.90", "50.00"));
    script.accepted(session(Kind::SessionDisconnected, 2, 1_000));
    script.wait_ms(2_000);
    script.accepted(quote("GIZMO", "49.85", "50.05")); // the grace is over before it
}

/// More orders than the table has room for, then two days at once.
fn flood(script: &mut Script) {
    for number in 0..450 {
        script.either(Order::buy(&format!("F-{number}"), "FREE", "GIZMO", "10", "50").message());
    }
    script.at(DAYS + 2, 9, 0);
    script.accepted(quote("GIZMO", "49.85", "50.05"));
    script.order(Order::sell("LAST", "FREE", "GIZMO", "10", "50"));
}
