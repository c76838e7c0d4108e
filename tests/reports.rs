//! `tradewind report`: a week of an account as files, byte for byte, and what must hold of the figures in them.
//!
//! `UPDATE_GOLDEN=1 cargo test --test reports` writes the files anew; the difference is then read like code.

mod support;

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
fn losses_that_are_bought_back_move_into_the_basis_of_what_was_bought() {
    let lots = whole(&journal(), ReportKind::TaxLots, "FREE");
    let sold: Vec<&Value> = rows(&lots, "realised")
        .iter()
        .filter(|row| row["symbol"] == "GIZMO")
        .collect();
    // 100 of T1 at 50.01 and 50 of T2 at 52.01, sold at 45.99; 20 of F1, 60 of T3 and 20 of the other account replace 100 of them.
    assert_eq!(sold[0]["lot"], "T1");
    assert_eq!(
        (figure(sold[0], "gain"), figure(sold[0], "disallowed")),
        (firm::dec("-402"), firm::dec("402"))
    );
    let washes = rows(&lots, "wash_sales");
    let by_replacement: BTreeMap<&str, &Value> = washes
        .iter()
        .map(|row| (row["replacement"].as_str().unwrap_or(""), row))
        .collect();
    assert_eq!(by_replacement["T4"]["account"], "FREE-2");
    let disallowed: i64 = washes.iter().map(|row| figure(row, "disallowed")).sum();
    let of_pieces: i64 = rows(&lots, "realised")
        .iter()
        .map(|row| figure(row, "disallowed"))
        .sum();
    assert_eq!(disallowed, of_pieces);
    // What was disallowed is in the basis of what is held, in that of what was sold later, or in another account.
    let gains: i64 = rows(&lots, "by_term")
        .iter()
        .map(|row| figure(row, "reported"))
        .sum();
    let pieces: i64 = rows(&lots, "realised")
        .iter()
        .map(|row| figure(row, "reported"))
        .sum();
    assert_eq!(gains, pieces);
    assert_eq!(
        rows(&lots, "open_lots")
            .iter()
            .filter(|row| row["symbol"] == "FUT")
            .count(),
        1
    );
}

/// Shares become others, at once; fractions are paid at a price.
fn split(symbol: &str, numerator: u32, denominator: u32, px: &str) -> InboundLong {
    let body = CorporateAction {
        cash_per_unit: Money::from_raw(firm::dec(px).into()),
        numerator,
        denominator,
        action: CorporateActionKind::Split as u8,
        ..CorporateAction::zeroed()
    };
    InboundLong::new(Kind::CorporateAction, &body).named(firm::text(symbol), Code::EMPTY)
}

/// Lots and wash sales of FREE after a script: `lot qty gain disallowed` of what was realised, `replacement qty disallowed` of the washes,
/// `lot qty cost added` of what is held.
fn lots_after(script: &Script) -> [Vec<String>; 3] {
    let place = Place::new();
    place.run(&[], &script.messages);
    let records = support::journal::events(&place.data());
    script.assert_outcomes(&support::journal::outcomes(&records));
    let lots = whole(&place, ReportKind::TaxLots, "FREE");
    [
        cells(&lots, "realised", &["lot", "qty", "gain", "disallowed"]),
        cells(&lots, "wash_sales", &["replacement", "qty", "disallowed"]),
        cells(&lots, "open_lots", &["lot", "qty", "cost", "wash_added"]),
    ]
}

#[test]
fn the_wash_sale_rule_counts_shares_across_a_split() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(last("GIZMO", "50"));
    script.accepted(trade_with_fee("B1", "GIZMO", Side::Buy, "100", "50", "0"));
    script.at(1, 9, 0);
    script.accepted(last("GIZMO", "40"));
    script.accepted(trade_with_fee("S1", "GIZMO", Side::Sell, "100", "40", "0"));
    script.accepted(trade_with_fee("B2", "GIZMO", Side::Buy, "20", "40", "0"));
    script.accepted(split("GIZMO", 3, 1, "14"));
    script.at(2, 9, 0);
    script.accepted(last("GIZMO", "14"));
    script.accepted(trade_with_fee("B3", "GIZMO", Side::Buy, "120", "13", "0"));
    script.accepted(trade_with_fee("S2", "GIZMO", Side::Sell, "30", "15", "0"));
    let [realised, washes, open] = lots_after(&script);
    // The 120 are 40 of the shares that were sold. Half of the 60 that B2 has become take half of what was added to it.
    assert_eq!(realised, ["B1 100 -1000.00 600.00", "B2 30 -50.00 0.00"]);
    assert_eq!(washes, ["B2 20 200.00", "B3 40 400.00"]);
    assert_eq!(open, ["B2 30 400.00 100.00", "B3 120 1560.00 400.00"]);
}

#[test]
fn what_a_wash_sale_added_follows_lots_through_a_reverse_split() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(last("GIZMO", "30"));
    script.accepted(trade_with_fee("B1", "GIZMO", Side::Buy, "100", "30", "0"));
    script.at(1, 9, 0);
    script.accepted(last("GIZMO", "20"));
    script.accepted(trade_with_fee("S1", "GIZMO", Side::Sell, "100", "20", "0"));
    script.accepted(trade_with_fee("B2", "GIZMO", Side::Buy, "20", "20", "0"));
    script.accepted(trade_with_fee("B3", "GIZMO", Side::Buy, "50", "20", "0"));
    script.accepted(split("GIZMO", 1, 3, "60"));
    let [realised, washes, open] = lots_after(&script);
    assert_eq!(washes, ["B2 20 200.00", "B3 50 500.00"]);
    // 70 become 20, in lots of ten, and three and a third that are paid from B3 with their part of what was added; nothing is left of B2,
    // whose cost and addition B3 has.
    assert_eq!(realised, ["B1 100 -1000.00 700.00", "B3 3.33333333 -100.00 0.00"]);
    assert_eq!(open, ["B3 20 1200.00 600.00"]);
}

/// The cells of a section, a line for each row.
fn cells(report: &Value, section: &str, keys: &[&str]) -> Vec<String> {
    let cell = |row: &Value, key: &&str| row[*key].as_str().unwrap_or("").to_owned();
    let line = |row: &Value| {
        let cells: Vec<String> = keys.iter().map(|key| cell(row, key)).collect();
        cells.join(" ")
    };
    rows(report, section).iter().map(line).collect()
}

/// A report under tax rules, of the journal of a script.
fn under(place: &Place, kind: ReportKind, rules: &str, harvest: HarvestTerms) -> Result<Value, ReportError> {
    let options = ReportOptions {
        tax: Arc::new(TaxRules::parse(rules).expect("sound rules")),
        harvest,
        ..ReportOptions::default()
    };
    let made = report(&place.data(), kind, "FREE", Period::default(), &options)?;
    Ok(serde_json::from_str(&json(&made)).expect("JSON"))
}

const ALPHA: &str = "[[identical]]\nname = \"ALPHA\"\nsymbols = [\"GIZMO\", \"ACME\"]\n";

#[test]
fn what_is_identical_replaces_and_a_purchase_for_retirement_takes_the_loss_away() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(trade_with_fee("B1", "GIZMO", Side::Buy, "100", "50", "0"));
    script.at(1, 9, 0);
    script.accepted(trade_with_fee("S1", "GIZMO", Side::Sell, "100", "40", "0"));
    script.accepted(trade_with_fee("B2", "ACME", Side::Buy, "30", "45", "0"));
    script.accepted(trade("B3", "FREE-2", "GIZMO", Side::Buy, "50", "40"));
    let place = Place::new();
    place.run(&[], &script.messages);
    let told = |rules: &str| {
        let lots = under(&place, ReportKind::TaxLots, rules, HarvestTerms::default()).expect("a report");
        (
            cells(
                &lots,
                "wash_sales",
                &["replacement", "bought", "qty", "disallowed", "effect"],
            ),
            cells(&lots, "open_lots", &["lot", "cost", "wash_added"]),
            cells(
                &lots,
                "netting",
                &["short", "net", "against_income", "carried_short"],
            ),
        )
    };
    let (washes, open, netting) = told("");
    assert_eq!(washes, ["B3 GIZMO 50 500.00 DEFERRED"]);
    assert_eq!(open, ["B2 1350.00 0.00"]);
    assert_eq!(netting, ["-500.00 -500.00 500.00 0.00"]);
    let (washes, open, netting) = told(&format!("retirement = [\"FREE-2\"]\n{ALPHA}"));
    assert_eq!(washes, ["B2 ACME 30 300.00 DEFERRED", "B3 GIZMO 50 500.00 LOST"]);
    assert_eq!(open, ["B2 1350.00 300.00"]);
    assert_eq!(netting, ["-200.00 -200.00 200.00 0.00"]);
    // In the account for retirement itself a loss is none.
    let (washes, ..) = told(&format!("retirement = [\"FREE\"]\n{ALPHA}"));
    assert!(washes.is_empty(), "{washes:?}");
}

#[test]
fn tax_rules_that_name_what_is_not_there_make_no_report() {
    let place = journal();
    let problem = |rules: &str| {
        let made = under(&place, ReportKind::Harvest, rules, HarvestTerms::default());
        made.expect_err("no report").to_string()
    };
    assert_eq!(
        problem("retirement = [\"NOBODY\"]"),
        "the tax rules name the account NOBODY, which the journal does not know"
    );
    assert_eq!(
        problem(&ALPHA.replace("ACME", "ACNE")),
        "the tax rules name the instrument ACNE, which the journal does not know"
    );
    assert_eq!(
        problem(&ALPHA.replace("ACME", "EURO")),
        "the tax rules call instruments of more than one currency identical: group ALPHA"
    );
    assert_eq!(
        problem(&ALPHA.replace("ACME", "FUT")),
        "the tax rules call FUT identical, which is neither a share nor a coin: group ALPHA"
    );
}

#[test]
fn harvest_counts_recent_purchases_in_shares_of_today_and_leaves_out_what_has_not_settled() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(trade_with_fee("B1", "GIZMO", Side::Buy, "100", "30", "0"));
    script.at(1, 9, 0);
    script.accepted(trade_with_fee("B2", "GIZMO", Side::Buy, "30", "28", "0"));
    script.at(3, 9, 0);
    script.accepted(split("GIZMO", 2, 1, "14"));
    script.accepted(trade_with_fee("B3", "GIZMO", Side::Buy, "10", "12.5", "0"));
    script.accepted(last("GIZMO", "12"));
    let place = Place::new();
    place.run(&[], &script.messages);
    let found = |rules: &str, terms| under(&place, ReportKind::Harvest, rules, terms).expect("a report");
    let keys = [
        "lot",
        "qty",
        "loss",
        "recent_buys",
        "usable",
        "score",
        "identical",
    ];
    let harvest = found(ALPHA, HarvestTerms::default());
    // Of B1's 200, B2's 60 and B3's 10 were bought in the last 30 days; of B2's 60, more than all. B3 has not settled.
    assert_eq!(
        cells(&harvest, "candidates", &keys),
        [
            "B1 200 600.00 70 390.00 600.00 ACME GIZMO",
            "B2 60 120.00 60 0.00 120.00 ACME GIZMO"
        ]
    );
    assert_eq!(
        cells(&harvest, "lock_out", &["node", "symbol", "restriction"]),
        ["USER ACME CLOSE_ONLY", "USER GIZMO CLOSE_ONLY"]
    );
    // Half of a loss is saved, and a tenth of the value is what it costs: B2 is not worth it.
    let terms = HarvestTerms::of_decimals(0, 0, (50 * firm::dec("1"), 0), 10 * firm::dec("1"));
    let harvest = found("", terms.expect("terms"));
    assert_eq!(
        cells(&harvest, "candidates", &keys),
        ["B1 200 600.00 70 390.00 60.00 "]
    );
    let none = found("retirement = [\"FREE\"]", HarvestTerms::default());
    assert!(rows(&none, "candidates").is_empty());
}

#[test]
fn shares_in_custody_that_are_sold_settle_no_lot_bought_since() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(trade_with_fee("B1", "GIZMO", Side::Buy, "100", "30", "0"));
    script.at(3, 9, 0);
    script.accepted(trade_with_fee("S1", "GIZMO", Side::Sell, "40", "30", "0"));
    script.accepted(trade_with_fee("B2", "GIZMO", Side::Buy, "40", "28", "0"));
    script.accepted(last("GIZMO", "20"));
    let place = Place::new();
    place.run(&[], &script.messages);
    let harvest = under(&place, ReportKind::Harvest, "", HarvestTerms::default()).expect("a report");
    // All 100 of B1 are in custody, 40 of them for a buyer.
    assert_eq!(
        cells(&harvest, "candidates", &["lot", "qty", "loss", "usable"]),
        ["B1 60 600.00 200.00"]
    );
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
