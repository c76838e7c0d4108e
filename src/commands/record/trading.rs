//! Fields of what clients and venues say of orders and trades.

use super::{books, name, px, qty, side, state};
use serde_json::{Map, Value, json};
use tradewind_domain::codes::{OrderType, TimeInForce};
use tradewind_domain::event::{
    DerivedOrder, Event, Execution, Kind, MassCancel, OrderCancel, OrderNew, OrderReplace, OrderView,
    TradeBust, VenueReport,
};
use tradewind_domain::time::Date;

/// Orders, reports of venues, executions, and what follows from them.
pub(super) fn body(fields: &mut Map<String, Value>, event: &Event, kind: Kind) {
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
        _ => books::body(fields, event, kind),
    }
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
