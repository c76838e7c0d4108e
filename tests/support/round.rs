//! A round of messages of every kind that has behaviour, with names of its own: for tests that repeat it many times.
//!
//! A round leaves few orders open and positions as they were, so that a thousand of them fill no table. Days roll between rounds; what
//! rolls set off (expired orders, trades that settle) comes on top, as do corporate actions, once a day.

use super::firm::{
    Order, bust, cancel, cash, control, correct, fill, halt, last, quote, replace, report, session, status,
    text, trade,
};
use super::scenario::mass_cancel;
use super::script::Script;
use bytemuck::Zeroable;
use tradewind_domain::codes::{
    ControlState, CorporateActionKind, LimitAction, LimitType, LotMethod, OrderState, Restriction,
    SelfTradeMode, Side, TimeInForce,
};
use tradewind_domain::event::{
    AlertAction, AlertMaintenance, CorporateAction, EdgeStats, EntitlementSource, FeeScheduleSet,
    FxConversion, FxRate, InboundLong, Kind, LimitProbe, LimitSet, Locate, LotMethodSet, Mark, RestrictedSet,
    Valuation,
};
use tradewind_domain::fees::{FeeModel, fee_params};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{AccountId, InstrumentId, SessionId, VenueId};
use tradewind_domain::text::{Code, Symbol};

/// Kinds that a day of rounds leads to, effects included.
pub(crate) const KINDS: &[Kind] = &[
    Kind::OrderNew,
    Kind::OrderCancel,
    Kind::OrderReplace,
    Kind::MassCancel,
    Kind::VenueAck,
    Kind::VenueReject,
    Kind::VenueFill,
    Kind::VenueCancelled,
    Kind::VenueReplaced,
    Kind::VenueCancelReject,
    Kind::VenueExpired,
    Kind::VenueStatus,
    Kind::OrderUnknown,
    Kind::TradeCapture,
    Kind::TradeBust,
    Kind::TradeCorrect,
    Kind::Quote,
    Kind::LastTrade,
    Kind::Mark,
    Kind::InstrumentStatus,
    Kind::FxRate,
    Kind::Deposit,
    Kind::Withdrawal,
    Kind::Valuation,
    Kind::Locate,
    Kind::CorporateAction,
    Kind::SessionConnected,
    Kind::SessionDisconnected,
    Kind::LimitSet,
    Kind::FeeScheduleSet,
    Kind::StateSet,
    Kind::Kill,
    Kind::Rearm,
    Kind::EntitlementSource,
    Kind::RestrictedSet,
    Kind::AlertAction,
    Kind::AlertMaintenance,
    Kind::Flatten,
    Kind::LotMethodSet,
    Kind::Timer,
    Kind::OrderExpired,
    Kind::CancelRequested,
    Kind::HolderSplit,
    Kind::DatedCashSettled,
    Kind::OrderReleased,
    Kind::StateChanged,
    Kind::Probe,
    Kind::EdgeStats,
    Kind::LimitProbe,
    Kind::FxConversion,
    Kind::HolderDividend,
];

/// The limits that the rounds meet, once before the first.
pub(crate) fn begin(script: &mut Script) {
    let own = [SelfTradeMode::CancelOldest as i64, 0, 0, 0, 0, 0];
    script.accepted(limit(
        "OWN",
        "FREE",
        LimitType::SelfTrade,
        (0, LimitAction::Reject),
        own,
    ));
    script.accepted(limit(
        "LIST",
        "FREE",
        LimitType::Restricted,
        (0, LimitAction::Reject),
        [0; 6],
    ));
    let five = (i128::from(5 * ONE), LimitAction::Restrict);
    script.accepted(limit("TRIP", "KILLED", LimitType::MaxOrderQty, five, [0; 6]));
    for account in ["FREE", "FREE-2"] {
        script.accepted(cash(Kind::Deposit, account, "EUR", "E-1", "1000000"));
    }
}

fn limit(
    label: &str,
    node: &str,
    limit_type: LimitType,
    (hard, action): (i128, LimitAction),
    params: [i64; 6],
) -> InboundLong {
    let body = LimitSet {
        hard,
        params,
        label: text(label),
        author: text("ann"),
        limit_type: limit_type as u8,
        action: action as u8,
        soft_pct: 80,
        ..LimitSet::zeroed()
    };
    InboundLong::new(Kind::LimitSet, &body).named(Symbol::EMPTY, text(node))
}

/// One round.
pub(crate) fn round(script: &mut Script, number: u64) {
    market(script, number);
    orders(script, number);
    own_orders(script, number);
    trades(script, number);
    money(script, number);
    controls(script, number);
    sessions(script, number);
    questions(script);
}

fn market(script: &mut Script, number: u64) {
    script.accepted(last("GIZMO", "50"));
    script.accepted(quote(
        "GIZMO",
        if number.is_multiple_of(2) {
            "49.95"
        } else {
            "49.90"
        },
        "50.05",
    ));
    let mark = Mark {
        px: 20 * ONE,
        px_dp: 8,
        ..Mark::zeroed()
    };
    script.accepted(InboundLong::new(Kind::Mark, &mark).named(text("EURO"), Code::EMPTY));
    let rate = FxRate {
        rate: ONE / 100 * 110,
        rate_dp: 8,
        ..FxRate::zeroed()
    };
    script.accepted(InboundLong::new(Kind::FxRate, &rate).named(text("EUR"), Code::EMPTY));
    script.accepted(halt("NOREF", true));
    script.accepted(halt("NOREF", false));
    script.accepted(InboundLong::new(Kind::EdgeStats, &EdgeStats::zeroed()));
}

/// Acknowledged, filled, replaced, busted, corrected, cancelled, refused, lost and found; now and then one stays open.
fn orders(script: &mut Script, number: u64) {
    let name = |letter: &str| format!("{letter}{number}");
    let buy = |letter: &str| Order::buy(&name(letter), "FREE-2", "GIZMO", "100", "50");
    let first = script.order(buy("A"));
    script.accepted(report(Kind::VenueAck, first));
    script.accepted(fill(&name("FA"), first, "40", "50"));
    script.accepted(replace(&name("AR"), &name("A"), "120", "50"));
    script.accepted(report(Kind::VenueReplaced, first));
    script.accepted(fill(&name("FB"), first, "20", "50"));
    script.accepted(bust(&name("FA"), 0));
    script.accepted(correct(&name("FB"), "30", "49.95"));
    script.accepted(bust(&name("FB"), 0));
    script.accepted(cancel(&name("AC"), &name("AR")));
    script.accepted(report(Kind::VenueCancelReject, first));
    script.accepted(cancel(&name("AD"), &name("AR")));
    script.accepted(report(Kind::VenueCancelled, first));
    // A fill whose bust came before it.
    script.either(bust(&name("FC"), 0));
    let early = script.order(buy("B"));
    script.accepted(fill(&name("FC"), early, "40", "50"));
    script.accepted(report(Kind::VenueExpired, early));
    let (refused, lost) = (script.order(buy("C")), script.order(buy("D")));
    script.accepted(report(Kind::VenueReject, refused));
    script.accepted(report(Kind::OrderUnknown, lost));
    script.accepted(status(lost, OrderState::Working as u8));
    script.accepted(report(Kind::VenueExpired, lost));
    let whole = script.order(buy("E"));
    script.accepted(fill(&name("FE"), whole, "100", "50"));
    let sale = Order::sell(&name("F"), "FREE-2", "GIZMO", "100", "50");
    let sale = script.order(sale);
    script.accepted(fill(&name("FF"), sale, "100", "50.05"));
    if number.is_multiple_of(16) {
        script.order(buy("G"));
    }
    // Refused by a limit that restricts its node, which a person lets trade again.
    let large = Order::buy(&name("T"), "KILLED", "GIZMO", "10", "50");
    script.either(large.message());
    script.accepted(control(Kind::Rearm, "KILLED", ControlState::Active, "ann", "bob"));
}

/// A purchase that an own sale stands in the way of: it is held, and goes out once that is cancelled.
fn own_orders(script: &mut Script, number: u64) {
    let sale = Order::sell(&format!("H{number}"), "FREE", "GIZMO", "10", "50");
    let sale = script.order(sale);
    let purchase = script.order(Order::buy(&format!("I{number}"), "FREE", "GIZMO", "10", "50"));
    script.accepted(report(Kind::VenueCancelled, sale));
    script.accepted(report(Kind::VenueCancelled, purchase));
}

/// Trades that settle on their date, with busts and corrections behind and before them, and one that is refused.
fn trades(script: &mut Script, number: u64) {
    let name = |letter: &str| format!("{letter}{number}");
    let buy = |letter: &str| trade(&name(letter), "FREE", "GIZMO", Side::Buy, "20", "50");
    let sell = |letter: &str| trade(&name(letter), "FREE", "GIZMO", Side::Sell, "20", "50.05");
    script.accepted(buy("TA"));
    script.accepted(sell("TB"));
    script.accepted(buy("TC"));
    script.accepted(correct(&name("TC"), "30", "50.10"));
    script.accepted(bust(&name("TC"), 0));
    script.either(correct(&name("TD"), "10", "50"));
    script.either(bust(&name("TD"), 0));
    script.accepted(buy("TD"));
    script.accepted(trade(&name("TE"), "FREE-2", "FUT", Side::Buy, "2", "4000"));
    script.accepted(trade(&name("TF"), "FREE-2", "FUT", Side::Sell, "2", "4000.25"));
}

fn money(script: &mut Script, number: u64) {
    let reference = |letter: &str| format!("{letter}{number}");
    script.accepted(cash(Kind::Deposit, "FREE", "USD", &reference("D"), "100"));
    script.accepted(cash(Kind::Withdrawal, "FREE", "USD", &reference("W"), "100"));
    let (sold, bought) = if number.is_multiple_of(2) {
        ("USD", "EUR")
    } else {
        ("EUR", "USD")
    };
    let conversion = FxConversion {
        reference: text::<40>(&reference("X")),
        session: SessionId::NONE,
        amount: Money::from_raw(i128::from(100 * ONE)),
        bought_code: text(bought),
        rate: ONE,
        rate_dp: 8,
        ..FxConversion::zeroed()
    };
    script.accepted(InboundLong::new(Kind::FxConversion, &conversion).named(text(sold), text("FREE")));
    let valuation = Valuation {
        equity: Money::from_raw(i128::from(1_000_000 * ONE)),
        balance: Money::from_raw(i128::from(1_000_000 * ONE)),
        has_balance: 1,
        ..Valuation::zeroed()
    };
    script.accepted(InboundLong::new(Kind::Valuation, &valuation).named(Symbol::EMPTY, text("FREE-2")));
    let locate = Locate {
        qty: 100 * ONE,
        qty_dp: 8,
        ..Locate::zeroed()
    };
    script.accepted(InboundLong::new(Kind::Locate, &locate).named(text("ACME"), text("FREE")));
    let mut params = [0; 6];
    params[fee_params::RATE] = (1 + number as i64 % 3) * ONE;
    let fees = FeeScheduleSet {
        params,
        author: text("ann"),
        model: FeeModel::Bps as u8,
        venue: VenueId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..FeeScheduleSet::zeroed()
    };
    script.accepted(InboundLong::new(Kind::FeeScheduleSet, &fees).named(Symbol::EMPTY, text("FREE-2")));
    let lots = LotMethodSet {
        author: text("ann"),
        method: LotMethod::ALL[number as usize % LotMethod::ALL.len()] as u8,
        ..LotMethodSet::zeroed()
    };
    script.either(InboundLong::new(Kind::LotMethodSet, &lots).named(Symbol::EMPTY, text("CASH")));
}

/// Kill with an order to cancel and positions to close, undone by two people; lists, limits, the entitlement source.
fn controls(script: &mut Script, number: u64) {
    let active = ControlState::Active;
    let order = Order::buy(&format!("K{number}"), "STRATEGY", "EURO", "5", "20");
    let order = script.order(order);
    script.accepted(control(Kind::Kill, "STRATEGY", active, "ann", ""));
    script.accepted(report(Kind::VenueCancelled, order));
    let flatten = control(Kind::Flatten, "STRATEGY", ControlState::Kill, "ann", "");
    script.accepted(flatten);
    script.accepted(control(Kind::Rearm, "STRATEGY", active, "ann", "bob"));
    let reduce = control(Kind::StateSet, "STRATEGY", ControlState::ReduceOnly, "ann", "");
    script.accepted(reduce);
    script.accepted(control(Kind::Rearm, "STRATEGY", active, "ann", ""));
    for restriction in [Restriction::NoTrade as u8, 0] {
        let line = RestrictedSet {
            label: text("LIST"),
            author: text("ann"),
            restriction,
            ..RestrictedSet::zeroed()
        };
        script.accepted(InboundLong::new(Kind::RestrictedSet, &line).named(text("EURO"), Code::EMPTY));
    }
    let figure = (
        i128::from(1_000_000 * ONE) + i128::from(number),
        LimitAction::Reject,
    );
    script.accepted(limit("SIZE", "FREE", LimitType::MaxOrderQty, figure, [0; 6]));
    for up in [0, 1] {
        let source = EntitlementSource {
            up,
            ..EntitlementSource::zeroed()
        };
        script.accepted(InboundLong::new(Kind::EntitlementSource, &source));
    }
    script.accepted(InboundLong::new(
        Kind::AlertAction,
        &AlertAction {
            author: text("ann"),
            ..AlertAction::zeroed()
        },
    ));
    script.accepted(InboundLong::new(
        Kind::AlertMaintenance,
        &AlertMaintenance::zeroed(),
    ));
}

/// A session that comes back in time, and one that does not: its order is asked back.
fn sessions(script: &mut Script, number: u64) {
    script.accepted(session(Kind::SessionConnected, 2, 0));
    let order = Order::buy(&format!("S{number}"), "FREE-2", "GIZMO", "10", "40");
    let order = order.with(|body| (body.session, body.tif) = (SessionId(2), TimeInForce::Day as u8));
    let order = script.order(order);
    script.accepted(session(Kind::SessionDisconnected, 2, 20));
    script.accepted(session(Kind::SessionConnected, 2, 0));
    script.accepted(session(Kind::SessionDisconnected, 2, 1));
    script.wait_ms(5);
    script.accepted(quote("EURO", "19.99", "20.01"));
    script.accepted(report(Kind::VenueCancelled, order));
    let order = script.order(Order::buy(&format!("M{number}"), "FREE-2", "GIZMO", "10", "40"));
    script.accepted(mass_cancel(&format!("MC{number}"), "FREE-2"));
    script.accepted(report(Kind::VenueCancelled, order));
}

fn questions(script: &mut Script) {
    script.accepted(Order::buy("P", "FREE", "GIZMO", "10", "50").probe());
    let probe = LimitProbe {
        label: text("SIZE"),
        qty_dp: 8,
        px_dp: 8,
        ..LimitProbe::zeroed()
    };
    script.accepted(InboundLong::new(Kind::LimitProbe, &probe));
}

/// Corporate actions of a day, with somebody who holds the instrument: two halves of a unit, then one again, and a dividend.
pub(crate) fn corporate_actions(script: &mut Script, day: u64) {
    let held = |script: &mut Script, side, letter| {
        let name = format!("CA{letter}{day}");
        script.accepted(trade(&name, "FREE-2", "GIZMO", side, "100", "50"));
    };
    held(script, Side::Buy, 'B');
    let split = |numerator, denominator| CorporateAction {
        numerator,
        denominator,
        action: CorporateActionKind::Split as u8,
        ..CorporateAction::zeroed()
    };
    let dividend = CorporateAction {
        cash_per_unit: Money::from_raw(1_000_000),
        withhold_bps: 1_500,
        action: CorporateActionKind::CashDividend as u8,
        ..CorporateAction::zeroed()
    };
    for action in [split(2, 1), split(1, 2), dividend] {
        script.accepted(InboundLong::new(Kind::CorporateAction, &action).named(text("GIZMO"), Code::EMPTY));
    }
    held(script, Side::Sell, 'S');
}
