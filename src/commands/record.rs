//! Records as lines: for `journal cat`, `journal follow` and `explain`.

use serde_json::{Map, Value, json};
use tradewind_domain::codes::{
    ControlState, CorporateActionKind, InstrumentKind, LimitType, OrderState, OrderType, QuarantineAction,
    Restriction, Side, TimeInForce, TransferPhase,
};
use tradewind_domain::event::{
    Allocation, CalendarSet, CashMove, Control, CorporateAction, CurrencySet, DatedSettlement, DatedSplit,
    DerivedOrder, EngineStarted, EngineStopped, EntitlementSource, Event, Execution, FxConversion, FxRate,
    HitKind, HolderAction, InstrumentSet, Kind, LastTrade, LedgerTransfer, LimitHit, LimitProbe, LimitSet,
    Locate, LotSelect, Mark, MassCancel, NodeSet, OrderCancel, OrderNew, OrderReplace, OrderView,
    QuarantineResolve, Quote, RestrictedSet, SessionEvent, SettlementFail, SymbolChange, Timer, TradeBust,
    Valuation, VenueReport, control_effects,
};
use tradewind_domain::fixed::{Notional, Price, Qty};
use tradewind_domain::reject::Note;
use tradewind_domain::time::{Date, Rfc3339};
use tradewind_risk::limit_check::hits;
use tradewind_views::{Unit, hit_count};

fn px(raw: i64) -> Value {
    Value::String(Price::from_raw(raw).to_string())
}

fn qty(raw: i64) -> Value {
    Value::String(Qty::from_raw(raw).to_string())
}

fn name<T: Into<Option<&'static str>>>(text: T, code: u8) -> Value {
    text.into().map_or_else(|| json!(code), |text| json!(text))
}

fn side(code: u8) -> Value {
    name(Side::from_code(code).map(Side::text), code)
}

fn state(code: u8) -> Value {
    name(OrderState::from_code(code).map(OrderState::text), code)
}

/// A kill switch level, or what a limit sets beside them.
fn control_text(code: u8) -> Option<&'static str> {
    match code {
        control_effects::DISABLED => Some("DISABLED"),
        control_effects::SLOW => Some("SLOW"),
        code => ControlState::from_code(code).map(ControlState::text),
    }
}

/// What an equity figure came to at the node's floors: each floor, and the limits that it broke or came close to.
fn floors(event: &Event) -> [(&'static str, Vec<Value>); 3] {
    let of = |kind: HitKind, show: fn(&LimitHit) -> Value| {
        let found = hits(event, hit_count(event)).filter(|hit| hit.kind == kind as u8);
        found.map(|hit| show(&hit)).collect()
    };
    let limit: fn(&LimitHit) -> Value = |hit| json!(hit.limit.0);
    [
        (
            "floors",
            of(HitKind::Floor, |hit| {
                json!(Notional::from_raw(hit.hard).to_string())
            }),
        ),
        ("breached", of(HitKind::Alerted, limit)),
        ("warned", of(HitKind::Warned, limit)),
    ]
}

fn view(fields: &mut Map<String, Value>, view: &OrderView) {
    if !view.order_id.is_none() {
        fields.insert("order_id".into(), json!(view.order_id.to_string()));
        fields.insert(
            "state".into(),
            json!([state(view.state_before), state(view.state_after)]),
        );
        fields.insert("leaves".into(), qty(view.leaves));
        fields.insert("cum".into(), qty(view.cum));
    }
    if !view.cash.is_zero() {
        fields.insert("reserved_cash_change".into(), json!(view.cash.to_string()));
    }
    if !view.value.is_zero() {
        fields.insert("reserved_value_change".into(), json!(view.value.to_string()));
    }
}

/// One record as a JSON object: head fields, then the body's, ids as numbers and money as text.
pub fn to_json(event: &Event) -> Value {
    let head = &event.head;
    let mut fields = Map::new();
    fields.insert("seq".into(), json!(head.seq));
    fields.insert("part".into(), json!(head.part));
    fields.insert(
        "kind".into(),
        event
            .kind()
            .map_or_else(|| json!(head.kind), |kind| json!(kind.text())),
    );
    fields.insert("time".into(), json!(Rfc3339(head.recv_ns).to_string()));
    if head.journaled_ns != 0 {
        fields.insert("journaled_ns".into(), json!(head.journaled_ns));
    }
    if event.is_rejected() {
        let code = event
            .reject_code()
            .map_or_else(|| head.outcome.to_string(), |code| code.text().to_owned());
        fields.insert("reject".into(), json!(code));
    }
    if head.notes != 0 {
        let notes = Note::ALL.iter().filter(|note| head.notes & note.bit() != 0);
        let codes: Vec<&str> = notes.map(|note| note.code().text()).collect();
        fields.insert("notes".into(), json!(codes));
    }
    for (name, rule) in [("rule", head.rule), ("rule_alert", head.rule_alert)] {
        if rule != 0 {
            fields.insert(name.into(), json!(rule));
        }
    }
    if let Some(kind) = event.kind() {
        body(&mut fields, event, kind);
    }
    Value::Object(fields)
}

/// One record as a line of text.
pub fn to_line(event: &Event) -> String {
    let Value::Object(fields) = to_json(event) else {
        return String::new();
    };
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let mut line = format!(
        "{:>10}/{} {} {:<18}",
        event.head.seq,
        event.head.part,
        text("time"),
        text("kind")
    );
    if let Some(reject) = fields.get("reject").and_then(Value::as_str) {
        line.push_str(&format!(" REJECTED {reject}"));
    }
    let shown = ["seq", "part", "kind", "time", "reject", "journaled_ns"];
    for (key, value) in fields.iter().filter(|(key, _)| !shown.contains(&key.as_str())) {
        match value {
            Value::String(text) => line.push_str(&format!(" {key}={text}")),
            Value::Array(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                    .collect();
                line.push_str(&format!(" {key}={}", items.join(">")));
            }
            other => line.push_str(&format!(" {key}={other}")),
        }
    }
    // Names in a damaged journal may hold anything: nothing of it reaches the terminal as a command.
    line.replace(char::is_control, "?")
}

fn body(fields: &mut Map<String, Value>, event: &Event, kind: Kind) {
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    match kind {
        Kind::OrderNew | Kind::Probe => {
            let order: &OrderNew = event.body();
            put("cl_ord_id", json!(order.cl_ord_id.as_str()));
            put("leaf", json!(order.leaf.0));
            put("instrument", json!(order.instrument.0));
            put("side", side(order.side));
            put(
                "type",
                name(
                    OrderType::from_code(order.ord_type).map(OrderType::text),
                    order.ord_type,
                ),
            );
            put(
                "tif",
                name(
                    TimeInForce::from_code(order.tif).map(TimeInForce::text),
                    order.tif,
                ),
            );
            put("qty", qty(order.qty));
            put("px", px(order.px));
            view(fields, &order.view);
        }
        Kind::OrderCancel => {
            let request: &OrderCancel = event.body();
            put("cl_ord_id", json!(request.cl_ord_id.as_str()));
            put("orig_cl_ord_id", json!(request.orig_cl_ord_id.as_str()));
            view(fields, &request.view);
        }
        Kind::OrderReplace => {
            let request: &OrderReplace = event.body();
            put("cl_ord_id", json!(request.cl_ord_id.as_str()));
            put("orig_cl_ord_id", json!(request.orig_cl_ord_id.as_str()));
            put("qty", qty(request.qty));
            put("px", px(request.px));
            view(fields, &request.view);
        }
        Kind::MassCancel => {
            let request: &MassCancel = event.body();
            put("node", json!(request.node.to_string()));
            put("instrument", json!(request.instrument.to_string()));
        }
        Kind::VenueAck
        | Kind::VenueReject
        | Kind::VenueCancelled
        | Kind::VenueReplaced
        | Kind::VenueCancelReject
        | Kind::VenueExpired
        | Kind::VenueStatus
        | Kind::OrderUnknown => {
            let report: &VenueReport = event.body();
            put("order_id", json!(report.order_id.to_string()));
            view(fields, &report.view);
        }
        Kind::VenueFill | Kind::TradeCapture | Kind::TradeCorrect => {
            execution(fields, event.body());
            taken_back(fields, event);
        }
        Kind::TradeBust => {
            bust(fields, event.body());
            taken_back(fields, event);
        }
        Kind::OrderExpired | Kind::CancelRequested | Kind::OrderReleased => {
            let derived: &DerivedOrder = event.body();
            put("cl_ord_id", json!(derived.cl_ord_id.as_str()));
            view(fields, &derived.view);
        }
        Kind::CorporateAction | Kind::HolderSplit | Kind::HolderDividend => {
            corporate_action(fields, event.body())
        }
        Kind::HolderFunding | Kind::HolderMargin | Kind::HolderSettled | Kind::StockBorrowed => {
            holder_action(fields, event.body())
        }
        _ => other(fields, event, kind),
    }
}

/// An announcement, or a holder's part of it.
fn corporate_action(fields: &mut Map<String, Value>, action: &CorporateAction) {
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    let kind = CorporateActionKind::from_code(action.action);
    put("action", name(kind.map(CorporateActionKind::text), action.action));
    put("instrument", json!(action.instrument.0));
    put("ex_date", json!(action.ex_date));
    put("per_unit", json!(action.cash_per_unit.to_string()));
    if kind == Some(CorporateActionKind::Split) {
        put("ratio", json!([action.numerator, action.denominator]));
    }
    if action.node.is_none() {
        return;
    }
    put("node", json!(action.node.0));
    put("qty_delta", qty(action.qty_delta));
    put("gross", json!(action.gross.to_string()));
    put("withheld", json!(action.withheld.to_string()));
    put("cost_delta", json!(action.cost_delta.to_string()));
    if action.is_due != 0 {
        put("pays", json!(Date(action.pay_date).to_string()));
    }
}

fn holder_action(fields: &mut Map<String, Value>, action: &HolderAction) {
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    put("instrument", json!(action.instrument.0));
    put("node", json!(action.node.0));
    put("px", px(action.px));
    put("qty_delta", qty(action.qty_delta));
    put("cash", json!(action.cash.to_string()));
    put("realised", json!(action.realised.to_string()));
    put("cost_delta", json!(action.cost_delta.to_string()));
}

fn execution(fields: &mut Map<String, Value>, execution: &Execution) {
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    put("exec_id", json!(execution.exec_id.as_str()));
    if !execution.order_id.is_none() {
        put("order_id", json!(execution.order_id.to_string()));
        put(
            "state",
            json!([state(execution.state_before), state(execution.state_after)]),
        );
        put("leaves", qty(execution.leaves));
    }
    put("account", json!(execution.account.0));
    put("instrument", json!(execution.instrument.0));
    put("side", side(execution.side));
    put("qty", qty(execution.qty));
    put("px", px(execution.px));
    put("principal", json!(execution.principal.to_string()));
    put("fee", json!(execution.fee.to_string()));
    put("realised", json!(execution.realised.to_string()));
    if execution.settle_calendar != 0 {
        put("settles", json!(Date(execution.settle_date).to_string()));
    }
    if execution.alerts != 0 {
        put("alerts", json!(execution.alerts));
    }
}

fn bust(fields: &mut Map<String, Value>, bust: &TradeBust) {
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    put("exec_id", json!(bust.exec_id.as_str()));
    put("exec_ref_id", json!(bust.exec_ref_id.as_str()));
    put("account", json!(bust.account.0));
    put("instrument", json!(bust.instrument.0));
    put("qty", qty(bust.qty));
    put("principal", json!(bust.principal.to_string()));
    put("fee", json!(bust.fee.to_string()));
    put("realised", json!(bust.realised.to_string()));
    if bust.alerts != 0 {
        put("alerts", json!(bust.alerts));
    }
}

/// The version of the trade that counts no more, of accepted busts and corrections.
fn taken_back(fields: &mut Map<String, Value>, event: &Event) {
    let Some(taken) = event.taken_back() else { return };
    let order = (!taken.order_id.is_none()).then(|| taken.order_id.to_string());
    let taken = json!({
        "seq": taken.trade_seq,
        "order_id": order,
        "side": side(taken.side),
        "qty": qty(taken.qty),
        "px": px(taken.px),
        "principal": taken.principal.to_string(),
        "fee": taken.fee.to_string(),
        "version": taken.version,
        "unsettled": taken.settle_calendar != 0,
    });
    fields.insert("taken_back".to_owned(), taken);
}

/// Market data, cash, admin and the engine's own.
fn other(fields: &mut Map<String, Value>, event: &Event, kind: Kind) {
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
        Kind::Deposit | Kind::Withdrawal => {
            let cash: &CashMove = event.body();
            put("account", json!(cash.account.0));
            put("currency", json!(cash.currency.0));
            put("amount", json!(cash.amount.to_string()));
            put("reference", json!(cash.reference.as_str()));
        }
        Kind::FxConversion => {
            let conversion: &FxConversion = event.body();
            put("account", json!(conversion.account.0));
            put("reference", json!(conversion.reference.as_str()));
            put("sold", json!(conversion.amount.to_string()));
            put("sold_currency", json!(conversion.sold.0));
            put("bought", json!(conversion.bought.to_string()));
            put("bought_currency", json!(conversion.currency_bought.0));
            put("rate", px(conversion.rate));
        }
        Kind::Allocation => {
            let allocation: &Allocation = event.body();
            put("alloc_id", json!(allocation.alloc_id.as_str()));
            put("account", json!(allocation.account.0));
            put("instrument", json!(allocation.instrument.0));
            if allocation.taken_back != 0 {
                put("taken_back", json!(allocation.taken_back));
                return;
            }
            put("side", side(allocation.side));
            put("qty", qty(allocation.qty));
            put("px", px(allocation.px));
            put("principal", json!(allocation.principal.to_string()));
            put("fee", json!(allocation.fee.to_string()));
            put("legs", json!(allocation.legs));
        }
        Kind::SettlementFail => {
            let fail: &SettlementFail = event.body();
            put("exec_id", json!(fail.exec_id.as_str()));
            put("account", json!(fail.account.0));
            put("settle_date", json!(Date(fail.settle_date).to_string()));
            put("was_settled", json!(fail.was_settled == 1));
            put("age_days", json!(fail.age_days));
        }
        Kind::LotSelect => {
            let select: &LotSelect = event.body();
            put("exec_id", json!(select.exec_id.as_str()));
            put("account", json!(select.account.0));
            put("author", json!(select.author.as_str()));
            let lots = event.selected_lots().map(|lot| json!([lot.open, qty(lot.qty)]));
            put("lots", json!(lots.collect::<Vec<_>>()));
            put("reason", json!(String::from_utf8_lossy(event.lots_reason())));
            if select.alerts != 0 {
                put("alerts", json!(select.alerts));
            }
        }
        Kind::SymbolChange => {
            let change: &SymbolChange = event.body();
            put("instrument", json!(change.instrument.0));
            put("symbol_before", json!(change.symbol_before.as_str()));
            put("symbol", json!(change.symbol.as_str()));
            put("author", json!(change.author.as_str()));
        }
        Kind::LedgerTransfer => {
            let transfer: &LedgerTransfer = event.body();
            put("transfer_id", json!(transfer.transfer_id.as_str()));
            put(
                "phase",
                name(transfer.phase().map(TransferPhase::text), transfer.phase),
            );
            put("debit", json!(transfer.debit.as_str()));
            put("credit", json!(transfer.credit.as_str()));
            put("amount", json!(transfer.amount.to_string()));
            if let Some(facts) = event.transfer_facts().filter(|facts| !facts.released.is_zero()) {
                put("booked", json!(facts.amount.to_string()));
                put("released", json!(facts.released.to_string()));
            }
        }
        Kind::DatedCashSettled => {
            let settled: &DatedSettlement = event.body();
            put("account", json!(settled.account.0));
            put("instrument", json!(settled.instrument.0));
            put("currency", json!(settled.currency.0));
            put("settle_date", json!(Date(settled.settle_date).to_string()));
            put("trades", json!(settled.trades));
            put("cash_in", json!(settled.cash_in.to_string()));
            put("cash_out", json!(settled.cash_out.to_string()));
            put("qty_in", json!(settled.qty_in.to_string()));
            put("qty_out", json!(settled.qty_out.to_string()));
            if settled.alerts != 0 {
                put("alerts", json!(settled.alerts));
            }
        }
        Kind::DatedSplit => {
            let split: &DatedSplit = event.body();
            put("account", json!(split.account.0));
            put("instrument", json!(split.instrument.0));
            put("settle_date", json!(Date(split.settle_date).to_string()));
            put("trades", json!(split.trades));
            put("ratio", json!([split.numerator, split.denominator]));
            put("qty_in", json!(split.qty_in.to_string()));
            put("new_in", json!(split.new_in.to_string()));
            put("qty_out", json!(split.qty_out.to_string()));
            put("new_out", json!(split.new_out.to_string()));
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
        Kind::Valuation => {
            let valuation: &Valuation = event.body();
            put("node", json!(valuation.node.0));
            put("equity", json!(valuation.equity.to_string()));
            if valuation.has_balance != 0 {
                put("balance", json!(valuation.balance.to_string()));
            }
            put("own_books", json!(valuation.is_own()));
            for (key, found) in floors(event) {
                if !found.is_empty() {
                    put(key, json!(found));
                }
            }
        }
        Kind::Locate => {
            let locate: &Locate = event.body();
            put("account", json!(locate.account.0));
            put("instrument", json!(locate.instrument.0));
            put("qty", qty(locate.qty));
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
