//! Fields of what moves money and holdings beside trades.

use super::{admin, name, px, qty, side};
use serde_json::{Map, Value, json};
use tradewind_domain::codes::{CorporateActionKind, TransferPhase};
use tradewind_domain::event::{
    Allocation, CashMove, CorporateAction, DatedSettlement, DatedSplit, Event, FxConversion, HitKind,
    HolderAction, Kind, LedgerTransfer, LimitHit, Locate, LotSelect, SettlementFail, Valuation,
};
use tradewind_domain::fixed::Notional;
use tradewind_domain::time::Date;
use tradewind_risk::limit_check::hits;
use tradewind_views::hit_count;

/// Cash, corporate actions, what settles, and what is figured out of it.
pub(super) fn body(fields: &mut Map<String, Value>, event: &Event, kind: Kind) {
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    match kind {
        Kind::CorporateAction | Kind::HolderSplit | Kind::HolderDividend => {
            corporate_action(fields, event.body())
        }
        Kind::HolderFunding | Kind::HolderMargin | Kind::HolderSettled | Kind::StockBorrowed => {
            holder_action(fields, event.body())
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
            if select.alerts != 0 {
                put("alerts", json!(select.alerts));
            }
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
        _ => admin::body(fields, event, kind),
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
