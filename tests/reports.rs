//! `tradewind report`: a week of an account as files, byte for byte, and what must hold of the figures in them.
//!
//! `UPDATE_GOLDEN=1 cargo test --test reports` writes the files anew; the difference is then read like code.

mod support;
#[path = "reports/tax.rs"]
mod tax;

use bytemuck::Zeroable;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use support::firm::{self, Order, bust, cancel, cash, control, correct, last, report as venue, trade};
use support::place::Place;
use support::script::Script;
use tradewind_domain::codes::{ControlState, CorporateActionKind, Side};
use tradewind_domain::event::{CorporateAction, Execution, InboundLong, Kind, execution_flags};
use tradewind_domain::fixed::Money;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Code;
use tradewind_domain::time::parse_date;
use tradewind_reports::{
    HarvestTerms, Period, ReportError, ReportKind, ReportOptions, TaxRules, csv, html, json, report,
};

/// A trade whose venue reports a fee.
fn trade_with_fee(exec_id: &str, symbol: &str, side: Side, qty: &str, px: &str, fee: &str) -> InboundLong {
    let mut body: Execution = *trade(exec_id, "FREE", symbol, side, qty, px).event().body();
    body.fee = Money::from_raw(firm::dec(fee).into());
    body.flags |= execution_flags::HAS_FEE;
    InboundLong::new(Kind::TradeCapture, &body).named(firm::text(symbol), firm::text("FREE"))
}

/// A new version of a trade of the first day.
fn correct_of_first_day(exec_id: &str, qty: &str, px: &str) -> InboundLong {
    let mut body: Execution = *correct(exec_id, qty, px).event().body();
    body.trade_date = firm::first_day();
    InboundLong::new(Kind::TradeCorrect, &body)
}

/// What happens to all who hold an instrument.
fn action(symbol: &str, kind: CorporateActionKind, per_unit: &str, withhold_bps: u32) -> InboundLong {
    let body = CorporateAction {
        cash_per_unit: Money::from_raw(firm::dec(per_unit).into()),
        withhold_bps,
        action: kind as u8,
        ..CorporateAction::zeroed()
    };
    InboundLong::new(Kind::CorporateAction, &body).named(firm::text(symbol), Code::EMPTY)
}

/// Losses that are bought back, in this account and in another one of the same owner; a bust, a correction, payments, refusals.
fn week() -> Script {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(last("GIZMO", "50"));
    script.accepted(cash(Kind::Deposit, "FREE", "EUR", "D-EUR", "10000"));
    script.accepted(trade_with_fee("T1", "GIZMO", Side::Buy, "100", "50", "1"));
    script.accepted(trade_with_fee("T2", "GIZMO", Side::Buy, "100", "52", "1"));
    script.accepted(trade_with_fee("E1", "EURO", Side::Buy, "100", "20", "0.5"));
    script.accepted(trade_with_fee("U1", "FUT", Side::Sell, "2", "4000", "4.2"));
    script.at(1, 9, 0);
    script.accepted(last("GIZMO", "47"));
    script.accepted(last("EURO", "21.5"));
    script.accepted(trade_with_fee("S1", "GIZMO", Side::Sell, "150", "46", "1.5"));
    let order = script.order(Order::buy("C1", "FREE", "GIZMO", "40", "46"));
    script.accepted(venue(Kind::VenueAck, order));
    script.accepted(firm::replace("C2", "C1", "50", "46"));
    script.accepted(venue(Kind::VenueReplaced, order));
    script.accepted(firm::fill("F1", order, "20", "46"));
    script.accepted(cancel("C3", "C2"));
    script.accepted(venue(Kind::VenueCancelled, order));
    script.at(2, 9, 0);
    script.accepted(trade_with_fee("T3", "GIZMO", Side::Buy, "60", "47", "1"));
    script.accepted(trade("T4", "FREE-2", "GIZMO", Side::Buy, "20", "47.5"));
    script.accepted(last("FUT", "3990"));
    script.at(3, 9, 0);
    script.accepted(trade("X1", "FREE", "GIZMO", Side::Buy, "500", "45"));
    script.accepted(bust("X1", 0));
    script.accepted(correct_of_first_day("E1", "90", "20"));
    script.accepted(cash(Kind::Withdrawal, "FREE", "USD", "W-1", "1000"));
    script.accepted(action("FUT", CorporateActionKind::VariationMargin, "3985", 0));
    script.accepted(action("GIZMO", CorporateActionKind::CashDividend, "0.333", 1_500));
    script.accepted(trade("E2", "FREE", "EURO", Side::Sell, "40", "21"));
    script.at(4, 9, 0);
    script.accepted(last("GIZMO", "44"));
    script.accepted(trade_with_fee("S2", "GIZMO", Side::Sell, "80", "45", "1"));
    script.accepted(control(
        Kind::StateSet,
        "FREE",
        ControlState::ReduceOnly,
        "ann",
        "",
    ));
    script.refused(
        Order::buy("C4", "FREE", "GIZMO", "10", "44").message(),
        RejectCode::ReduceOnly,
    );
    script.order(Order::buy("L1", "L18", "GIZMO", "100", "60"));
    script.refused(
        Order::buy("L2", "L18", "GIZMO", "200", "60").message(),
        RejectCode::DailyNotional,
    );
    script.at(5, 9, 0);
    script.accepted(last("GIZMO", "43"));
    script
}

/// The journal of the week.
fn journal() -> Place {
    let (place, script) = (Place::new(), week());
    place.run(&[], &script.messages);
    let records = support::journal::events(&place.data());
    script.assert_outcomes(&support::journal::outcomes(&records));
    place
}

fn made(
    place: &Place,
    kind: ReportKind,
    account: &str,
    period: Period,
) -> Result<tradewind_reports::Report, ReportError> {
    report(&place.data(), kind, account, period, &ReportOptions::default())
}

fn whole(place: &Place, kind: ReportKind, account: &str) -> Value {
    let made = made(place, kind, account, Period::default()).expect("a report");
    serde_json::from_str(&json(&made)).expect("JSON")
}

fn rows<'a>(report: &'a Value, section: &str) -> &'a [Value] {
    let rows = report.pointer(&format!("/sections/{section}"));
    rows.and_then(Value::as_array)
        .unwrap_or_else(|| panic!("no section {section}"))
}

/// A decimal of a report at 1e-8.
fn figure(row: &Value, key: &str) -> i64 {
    firm::dec(
        row[key]
            .as_str()
            .unwrap_or_else(|| panic!("no figure {key} in {row}")),
    )
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/reports")
        .join(name)
}

#[test]
fn the_reports_of_a_week_are_the_files_that_they_were_before() {
    let place = journal();
    for kind in ReportKind::ALL {
        let account = match kind {
            ReportKind::Breaches => "L18",
            ReportKind::Groups => "FIRM",
            _ => "FREE",
        };
        let made = made(&place, kind, account, Period::default()).expect("a report");
        for (extension, text) in [("csv", csv(&made)), ("json", json(&made)), ("html", html(&made))] {
            let path = golden(&format!("{}.{extension}", kind.text()));
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::create_dir_all(golden("")).expect("a folder");
                std::fs::write(&path, &text).expect("a file");
            }
            let expected =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(text, expected, "{}", path.display());
        }
    }
}

#[test]
fn the_command_writes_what_the_library_makes_and_the_same_every_time() {
    let place = journal();
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        command.args([
            "report",
            "statement",
            "--account",
            "FREE",
            "--format",
            "csv",
            "--data",
        ]);
        command.arg(place.data()).output().expect("the binary starts")
    };
    let (first, second) = (run(), run());
    assert!(first.status.success());
    assert_eq!(first.stdout, second.stdout);
    let library = made(&place, ReportKind::Statement, "FREE", Period::default()).expect("a report");
    assert_eq!(String::from_utf8(first.stdout).expect("text"), csv(&library));
}

#[test]
fn cash_entries_lead_from_the_opening_to_the_closing_balance() {
    let statement = whole(&journal(), ReportKind::Statement, "FREE");
    for summary in rows(&statement, "cash") {
        let entries = rows(&statement, "cash_entries")
            .iter()
            .filter(|row| row["currency"] == summary["currency"]);
        let amounts: Vec<i64> = entries.map(|row| figure(row, "amount")).collect();
        assert!(!amounts.is_empty());
        assert_eq!(
            figure(summary, "opening") + amounts.iter().sum::<i64>(),
            figure(summary, "closing")
        );
        let by_purpose = [
            "payments",
            "trades",
            "fees",
            "income",
            "actions",
            "conversions",
            "other",
        ]
        .map(|key| figure(summary, key));
        assert_eq!(by_purpose.iter().sum::<i64>(), amounts.iter().sum::<i64>());
    }
}

#[test]
fn a_dated_trades_fee_has_its_own_line_and_what_is_not_settled_its_own_columns() {
    let place = journal();
    let first_day = Period::new(None, Some(firm::first_day())).expect("a period");
    let early = made(&place, ReportKind::Statement, "FREE", first_day).expect("a report");
    let early: Value = serde_json::from_str(&json(&early)).expect("JSON");
    let usd = |report: &Value, section: &str| {
        let found = rows(report, section).iter().find(|row| row["currency"] == "USD");
        found.expect("dollars").clone()
    };
    // 100 at 50 and 100 at 52, and their fees: by trade date gone, in the books still there.
    let cash = usd(&early, "balances");
    assert_eq!(figure(&cash, "unsettled_out"), firm::dec("-10202"));
    assert_eq!(
        figure(&cash, "settled") + figure(&cash, "unsettled_in") + figure(&cash, "unsettled_out"),
        figure(&cash, "trade_date")
    );
    let waiting = rows(&early, "unsettled_trades");
    let of_dollars = waiting.iter().filter(|row| row["currency"] == "USD");
    assert_eq!(
        of_dollars.map(|row| figure(row, "cash")).sum::<i64>(),
        firm::dec("-10202")
    );
    let statement = whole(&place, ReportKind::Statement, "FREE");
    let settled: Vec<(&str, i64)> = rows(&statement, "cash_entries")
        .iter()
        .filter(|row| row["event"] == "dated_cash_settled" && row["currency"] == "USD")
        .map(|row| (row["purpose"].as_str().unwrap_or(""), figure(row, "amount")))
        .collect();
    assert_eq!(
        settled[..2],
        [("trades", firm::dec("-10200")), ("fees", firm::dec("-2"))]
    );
    let kinds: Vec<&str> = rows(&statement, "corporate_actions")
        .iter()
        .filter_map(|row| row["action"].as_str())
        .collect();
    assert_eq!(kinds, ["VARIATION_MARGIN", "CASH_DIVIDEND"]);
    assert_eq!(figure(&usd(&statement, "cash"), "income"), firm::dec("36.8"));
    let adjusted: Vec<&str> = rows(&statement, "adjustments")
        .iter()
        .filter_map(|row| row["what"].as_str())
        .collect();
    assert_eq!(adjusted, ["BUSTED", "CORRECTED"]);
}

#[test]
fn a_statement_of_some_days_continues_the_one_before_it() {
    let place = journal();
    let of = |from: Option<&str>, to: Option<&str>| {
        let period = Period::new(from.and_then(parse_date), to.and_then(parse_date)).expect("a period");
        let made = made(&place, ReportKind::Statement, "FREE", period).expect("a report");
        serde_json::from_str::<Value>(&json(&made)).expect("JSON")
    };
    let (first, second, all) = (
        of(None, Some("2026-03-03")),
        of(Some("2026-03-04"), None),
        of(None, None),
    );
    for (before, after) in rows(&first, "cash").iter().zip(rows(&second, "cash")) {
        assert_eq!(
            (&before["currency"], &before["closing"]),
            (&after["currency"], &after["opening"])
        );
    }
    assert_eq!(
        rows(&second, "cash")
            .iter()
            .map(|row| &row["closing"])
            .collect::<Vec<_>>(),
        rows(&all, "cash")
            .iter()
            .map(|row| &row["closing"])
            .collect::<Vec<_>>()
    );
    assert_eq!(
        rows(&first, "trades").len() + rows(&second, "trades").len(),
        rows(&all, "trades").len()
    );
    // Profit of both parts is the profit of all.
    let total = |report: &Value| {
        let days = rows(report, "pnl_by_day")
            .iter()
            .filter(|row| row["currency"] == "USD");
        days.map(|row| figure(row, "total")).sum::<i64>()
    };
    assert_eq!(total(&first) + total(&second), total(&all));
    assert!(first["as_of_seq"].as_u64() < second["as_of_seq"].as_u64());
}

#[test]
fn profit_explains_equity_and_adds_up_by_day_and_by_instrument() {
    let pnl = whole(&journal(), ReportKind::Pnl, "FREE");
    for currency in ["USD", "EUR"] {
        let days: Vec<&Value> = rows(&pnl, "pnl_by_day")
            .iter()
            .filter(|row| row["currency"] == currency)
            .collect();
        let mut equity = 0;
        for day in &days {
            let parts = ["realised", "unrealised_change", "fees", "income"].map(|key| figure(day, key));
            assert_eq!(parts.iter().sum::<i64>(), figure(day, "total"));
            assert_eq!(
                equity + figure(day, "flows") + figure(day, "total"),
                figure(day, "equity"),
                "{day}"
            );
            equity = figure(day, "equity");
        }
        let of_days: i64 = days.iter().map(|day| figure(day, "total")).sum();
        let instruments = rows(&pnl, "pnl_by_instrument")
            .iter()
            .filter(|row| row["currency"] == currency);
        let (totals, rest): (Vec<&Value>, Vec<&Value>) =
            instruments.partition(|row| row["symbol"] == "Total");
        assert_eq!(rest.iter().map(|row| figure(row, "total")).sum::<i64>(), of_days);
        assert_eq!(figure(totals[0], "total"), of_days);
    }
}

#[test]
fn a_busted_trade_is_listed_and_counts_nowhere() {
    let place = journal();
    let statement = whole(&place, ReportKind::Statement, "FREE");
    let busted: Vec<&Value> = rows(&statement, "trades")
        .iter()
        .filter(|row| row["status"] == "BUSTED")
        .collect();
    assert_eq!(busted.len(), 1);
    assert_eq!(busted[0]["exec_id"], "X1");
    let corrected = rows(&statement, "trades")
        .iter()
        .find(|row| row["exec_id"] == "E1")
        .expect("the trade");
    assert_eq!(
        (corrected["qty"].as_str(), corrected["status"].as_str()),
        (Some("90"), Some("CORRECTED"))
    );
    let lots = whole(&place, ReportKind::TaxLots, "FREE");
    assert!(!lots.to_string().contains("X1"));
}

#[test]
fn limits_that_spoke_and_acts_of_people_are_told_to_those_whom_they_concern() {
    let place = journal();
    let limited = whole(&place, ReportKind::Breaches, "L18");
    let outcomes: Vec<&str> = rows(&limited, "limits_that_spoke")
        .iter()
        .filter_map(|row| row["outcome"].as_str())
        .collect();
    assert_eq!(outcomes, ["WARNED", "REFUSED"]);
    assert!(rows(&limited, "acts").is_empty());
    let restricted = whole(&place, ReportKind::Breaches, "FREE");
    assert_eq!(rows(&restricted, "acts").len(), 1);
    assert_eq!(rows(&restricted, "acts")[0]["after"], "REDUCE_ONLY");
    let messages = whole(&place, ReportKind::OrderToTrade, "FREE");
    let total = rows(&messages, "by_day").last().expect("a total");
    let counts =
        ["orders", "replaces", "cancels", "messages", "refused", "trades"].map(|key| total[key].as_u64());
    assert_eq!(counts, [Some(2), Some(1), Some(1), Some(4), Some(1), Some(10)]);
}

#[test]
fn an_account_that_is_not_there_and_a_period_that_ends_before_it_begins_are_errors() {
    let place = journal();
    let unknown = made(&place, ReportKind::Statement, "NOBODY", Period::default());
    assert!(matches!(unknown, Err(ReportError::Account { .. })));
    let node = made(&place, ReportKind::Statement, "DESK", Period::default());
    assert!(matches!(node, Err(ReportError::Account { .. })));
    assert!(Period::new(Some(5), Some(4)).is_err());
    // After the journal's end nothing happened, and the account is as it was.
    let later = Period::new(parse_date("2027-01-01"), None).expect("a period");
    let statement = made(&place, ReportKind::Statement, "FREE", later).expect("a report");
    let statement: Value = serde_json::from_str(&json(&statement)).expect("JSON");
    assert!(rows(&statement, "trades").is_empty());
    assert!(
        rows(&statement, "cash")
            .iter()
            .all(|row| row["opening"] == row["closing"])
    );
}

#[test]
fn a_page_needs_nothing_from_anywhere() {
    let page = html(&made(&journal(), ReportKind::Pnl, "FREE", Period::default()).expect("a report"));
    for word in ["http://", "https://", "<script", "url(", "@import", "src="] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("<svg") && page.contains("@media print"));
}
