//! Fields of prices, of what people set, and of the engine's own.

use super::{name, px, qty};
use serde_json::{Map, Value, json};
use tradewind_domain::codes::{
    AccessStatus, ControlState, InstrumentKind, LimitType, LotMethod, QuarantineAction, Restriction, Role,
};
use tradewind_domain::event::{
    AccessSet, AlertAction, AlertVerb, CalendarSet, Control, CurrencySet, EngineStarted, EngineStopped,
    EntitlementSource, Event, FxRate, InstrumentSet, InstrumentStatus, Kind, LastTrade, LimitProbe, LimitSet,
    LotMethodSet, Mark, NodeSet, QuarantineResolve, Quote, RestrictedSet, SessionEvent, SymbolChange, Timer,
    control_effects,
};
use tradewind_domain::time::Date;
use tradewind_views::Unit;

/// Market data; whatever else has no fields to show.
pub(super) fn body(fields: &mut Map<String, Value>, event: &Event, kind: Kind) {
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    match kind {
        Kind::Quote => {
            let quote: &Quote = event.body();
            put("instrument", json!(quote.instrument.0));
            put("bid", px(quote.bid));
            put("bid_qty", qty(quote.bid_qty));
            put("ask", px(quote.ask));
            put("ask_qty", qty(quote.ask_qty));
        }
        Kind::LastTrade => {
            let trade: &LastTrade = event.body();
            put("instrument", json!(trade.instrument.0));
            put("px", px(trade.px));
            put("qty", qty(trade.qty));
        }
        Kind::Mark => {
            let mark: &Mark = event.body();
            put("instrument", json!(mark.instrument.0));
            put("px", px(mark.px));
        }
        Kind::FxRate => {
            let rate: &FxRate = event.body();
            put("currency", json!(rate.currency.0));
            put("rate", px(rate.rate));
        }
        _ => set(fields, event, kind),
    }
}

/// Reference data, limits, control states and the run itself.
fn set(fields: &mut Map<String, Value>, event: &Event, kind: Kind) {
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    match kind {
        Kind::InstrumentStatus => {
            let status: &InstrumentStatus = event.body();
            put("instrument", json!(status.instrument.0));
            put("halted", json!(status.halted == 1));
        }
        Kind::AccessSet => access(fields, event.body()),
        Kind::AlertAction => {
            let act: &AlertAction = event.body();
            put("incident", json!(act.incident));
            put("ends", json!(act.action == AlertVerb::Resolve as u8));
            put("author", json!(act.author.as_str()));
        }
        Kind::LotMethodSet => {
            let set: &LotMethodSet = event.body();
            put("account", json!(set.account.0));
            put(
                "method",
                name(LotMethod::from_code(set.method).map(LotMethod::text), set.method),
            );
            put("author", json!(set.author.as_str()));
        }
        Kind::SymbolChange => {
            let change: &SymbolChange = event.body();
            put("instrument", json!(change.instrument.0));
            put("symbol_before", json!(change.symbol_before.as_str()));
            put("symbol", json!(change.symbol.as_str()));
            put("author", json!(change.author.as_str()));
        }
        Kind::SessionConnected | Kind::SessionDisconnected => {
            put("session", json!(event.body::<SessionEvent>().session.0));
        }
        Kind::InstrumentSet => {
            let row = &event.body::<InstrumentSet>().row;
            put("id", json!(row.id.0));
            put("symbol", json!(row.symbol.as_str()));
            put(
                "type",
                name(
                    InstrumentKind::from_code(row.kind).map(InstrumentKind::text),
                    row.kind,
                ),
            );
        }
        Kind::AccountSet | Kind::NodeSet => {
            let node: &NodeSet = event.body();
            put("code", json!(node.code.as_str()));
            put("node", json!(node.node.0));
            put("parent", json!(node.parent_code.as_str()));
        }
        Kind::LimitSet => {
            let limit: &LimitSet = event.body();
            put("label", json!(limit.label.as_str()));
            put(
                "type",
                name(
                    LimitType::from_code(limit.limit_type).map(LimitType::text),
                    limit.limit_type,
                ),
            );
            put("node", json!(limit.node.0));
            let unit = LimitType::from_code(limit.limit_type).map(Unit::of_limit);
            put(
                "hard",
                json!(unit.map_or_else(
                    || limit.hard.to_string(),
                    |unit| unit.show(limit.hard, &limit.params)
                )),
            );
            put("unit", json!(unit.map_or("", Unit::text)));
            put("params", json!(limit.params));
            put("removed", json!(limit.removed == 1));
            put("author", json!(limit.author.as_str()));
        }
        Kind::QuarantineResolve => {
            let resolve: &QuarantineResolve = event.body();
            put("trade_seq", json!(resolve.trade_seq));
            let action = QuarantineAction::from_code(resolve.action).map(QuarantineAction::text);
            put("action", name(action, resolve.action));
            put("author", json!(resolve.author.as_str()));
        }
        Kind::RestrictedSet => {
            let line: &RestrictedSet = event.body();
            put("label", json!(line.label.as_str()));
            put("instrument", json!(line.instrument.0));
            let restriction = Restriction::from_code(line.restriction).map(Restriction::text);
            put("restriction", name(restriction, line.restriction));
            put("author", json!(line.author.as_str()));
        }
        Kind::EntitlementSource => {
            let source: &EntitlementSource = event.body();
            put("up", json!(source.up == 1));
            put("author", json!(source.author.as_str()));
        }
        Kind::LimitProbe => {
            let probe: &LimitProbe = event.body();
            put("label", json!(probe.label.as_str()));
            let limit_type = LimitType::from_code(probe.limit_type);
            put("type", name(limit_type.map(LimitType::text), probe.limit_type));
            put("used", json!(probe.used.to_string()));
            put("hard", json!(probe.hard.to_string()));
        }
        Kind::CalendarSet => {
            let calendar: &CalendarSet = event.body();
            put("code", json!(calendar.code.as_str()));
            let days = calendar.days.iter().take(usize::from(calendar.count));
            put(
                "dates",
                json!(days.map(|day| Date(day.date).to_string()).collect::<Vec<_>>()),
            );
        }
        Kind::CurrencySet => {
            let currency: &CurrencySet = event.body();
            put("code", json!(currency.code.as_str()));
            put("currency", json!(currency.currency.0));
        }
        Kind::StateSet | Kind::Kill | Kind::Rearm | Kind::Flatten | Kind::StateChanged => {
            let control: &Control = event.body();
            let text = |code| name(control_text(code), code);
            put("node", json!(control.node.to_string()));
            if event.kind() == Some(Kind::StateChanged) && !control.limit.is_none() {
                put("limit", json!(control.limit.0));
                put("lapses", json!(control.lapses == 1));
            }
            put("author", json!(control.author.as_str()));
            put(
                "state",
                json!([text(control.state_before), text(control.state_after)]),
            );
        }
        Kind::Timer => {
            let timer: &Timer = event.body();
            put("timer", json!(timer.timer));
            put("calendar", json!(timer.calendar.0));
            put("date", json!(Date(timer.date).to_string()));
        }
        Kind::EngineStarted => {
            let start: &EngineStarted = event.body();
            put("epoch", json!(start.epoch));
            put("build", json!(start.build.as_str()));
            put("rules_version", json!(start.rules_version));
        }
        Kind::EngineStopped => put("epoch", json!(event.body::<EngineStopped>().epoch)),
        _ => {}
    }
}

/// How a user or a group stands to a node, or a user to a group; without a node, to the whole firm.
fn access(fields: &mut Map<String, Value>, set: &AccessSet) {
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    if !set.user.is_none() {
        put("user", json!(set.user.0));
    }
    if !set.group.is_none() {
        put("group", json!(set.group.0));
    }
    if !set.is_membership() {
        put("node", json!(set.node.to_string()));
        put("role", name(Role::from_code(set.role).map(Role::text), set.role));
    }
    let status = AccessStatus::from_code(set.status).map(AccessStatus::text);
    put("status", name(status, set.status));
    put("author", json!(set.author.as_str()));
}

/// A kill switch level, or what a limit sets beside them.
fn control_text(code: u8) -> Option<&'static str> {
    match code {
        control_effects::DISABLED => Some("DISABLED"),
        control_effects::SLOW => Some("SLOW"),
        code => ControlState::from_code(code).map(ControlState::text),
    }
}
