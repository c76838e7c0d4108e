//! Tax lots and harvest: wash sales over accounts, instruments and splits, and what a firm's file of tax rules changes.

use super::*;

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

#[test]
fn a_split_that_found_nothing_splits_the_lots_that_a_bust_leaves() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(last("GIZMO", "30"));
    script.accepted(trade_with_fee("B1", "GIZMO", Side::Buy, "100", "30", "0"));
    script.at(1, 9, 0);
    script.accepted(trade_with_fee("S1", "GIZMO", Side::Sell, "100", "33", "0"));
    script.accepted(split("GIZMO", 1, 3, "60"));
    script.accepted(bust("S1", 0));
    let [realised, washes, open] = lots_after(&script);
    // Lots of ten: three and a third had cost 300.00 and are paid 200.00.
    assert_eq!(realised, ["B1 3.33333333 -100.00 0.00"]);
    assert!(washes.is_empty(), "{washes:?}");
    assert_eq!(open, ["B1 30 2700.00 0.00"]);
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
fn a_page_names_the_file_of_tax_rules_that_it_is_made_from() {
    let place = journal();
    let footer = |kind, rules: &str| {
        let options = ReportOptions {
            tax: Arc::new(TaxRules::parse(rules).expect("sound rules")),
            ..ReportOptions::default()
        };
        let made = report(&place.data(), kind, "FREE", Period::default(), &options).expect("a report");
        let page = html(&made);
        let (_, footer) = page.rsplit_once("<p>Made from ").expect("a footer");
        footer.split(',').next().unwrap_or("").to_owned()
    };
    for kind in [ReportKind::TaxLots, ReportKind::Harvest] {
        assert_eq!(footer(kind, ""), "the journal alone");
        assert_eq!(
            footer(kind, ALPHA),
            "the journal and the firm's file of tax rules"
        );
    }
    assert_eq!(footer(ReportKind::Statement, ALPHA), "the journal alone");
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
