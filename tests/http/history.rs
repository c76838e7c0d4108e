//! Lists of the store: every filter of each that the document names does what it says, and no other is taken.

use crate::client::{Client, Engine, Place, buy};
use crate::shape::differences;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A list, a filter of it with its value, and what holds of every row that it lets through.
type Case = (&'static str, &'static str, &'static str, fn(&Value) -> bool);

const ORDERS: &str = "/api/v1/history/orders";
const TRADES: &str = "/api/v1/history/trades";
const REFUSALS: &str = "/api/v1/history/refusals";
const LIMITS: &str = "/api/v1/history/limits";
const ENTRIES: &str = "/api/v1/ledger/entries";
const PROFIT: &str = "/api/v1/history/pnl";
const AUDIT: &str = "/api/v1/history/audit";
const BARS: &str = "/api/v1/history/bars/{symbol}";

/// Filters that are not tried here one by one: pages are tried elsewhere, and days below.
const OTHERS: [&str; 4] = ["limit", "cursor", "from", "to"];

fn is(name: &str, row: &Value, value: &str) -> bool {
    row[name] == value
}

const CASES: &[Case] = &[
    (ORDERS, "account", "FREE", |row| is("account", row, "FREE")),
    (ORDERS, "symbol", "GIZMO", |row| is("symbol", row, "GIZMO")),
    (ORDERS, "side", "sell", |row| is("side", row, "SELL")),
    (ORDERS, "state", "pending_cancel", |row| {
        is("state", row, "PENDING_CANCEL")
    }),
    (ORDERS, "order_id", "{order}", |row| is("cl_ord_id", row, "o1")),
    (ORDERS, "cl_ord_id", "o2", |row| is("cl_ord_id", row, "o2")),
    (TRADES, "account", "FREE", |row| is("account", row, "FREE")),
    (TRADES, "symbol", "GIZMO", |row| is("symbol", row, "GIZMO")),
    (TRADES, "side", "SELL", |row| is("side", row, "SELL")),
    (TRADES, "exec_id", "x1", |row| is("exec_id", row, "x1")),
    (REFUSALS, "account", "FREE", |row| is("account", row, "FREE")),
    (REFUSALS, "symbol", "GIZMO", |row| is("symbol", row, "GIZMO")),
    (REFUSALS, "code", "INVALID_LOT", |row| {
        is("code", row, "INVALID_LOT")
    }),
    (LIMITS, "account", "L01", |row| is("account", row, "L01")),
    (LIMITS, "limit_label", "l01", |row| is("limit", row, "l01")),
    (ENTRIES, "account", "FREE", |row| is("account", row, "FREE")),
    (ENTRIES, "currency", "USD", |row| is("ledger", row, "USD")),
    (ENTRIES, "symbol", "GIZMO", |row| is("ledger", row, "GIZMO")),
    (ENTRIES, "posted_only", "true", |row| is("phase", row, "POSTED")),
    (PROFIT, "account", "FREE", |row| is("group", row, "FREE")),
    (PROFIT, "symbol", "GIZMO", |row| is("currency", row, "USD")),
    (PROFIT, "group", "instrument", |row| {
        is("group", row, "GIZMO") || is("group", row, "EURO")
    }),
    (PROFIT, "by_day", "true", |row| row["day"].is_string()),
    (AUDIT, "author", "u1", |row| is("author", row, "u1")),
    (AUDIT, "kind", "kill", |row| is("kind", row, "kill")),
];

/// Some of everything: orders, trades, refusals, limits that spoke, changes.
fn fill(admin: &Client) -> String {
    let trade = |account: &str, symbol: &str, side: &str, px: &str, id: &str| json!({ "account": account, "symbol": symbol, "side": side, "qty": "10", "px": px, "exec_id": id });
    let trades = json!({ "trades": [
        trade("FREE", "GIZMO", "BUY", "50", "x1"), trade("KILLED", "GIZMO", "BUY", "50", "x2"), trade("FREE", "EURO", "BUY", "50", "x3"),
        trade("FREE", "GIZMO", "SELL", "51", "x4"), trade("KILLED", "EURO", "SELL_SHORT", "51", "x5"),
    ] });
    assert_eq!(admin.post("/api/v1/trades", &trades).must(200)["booked"], 5);
    let order = |key: &str, body: &Value| admin.keyed("POST", "/api/v1/orders", key, body);
    let first = order("o1", &buy("FREE", "10")).must(201);
    let mut other = buy("FREE-2", "10");
    other["symbol"] = json!("EURO");
    order("o2", &other).must(201);
    let mut sale = buy("KILLED", "10");
    (sale["side"], sale["px"]) = (json!("SELL"), json!("51"));
    let sale = order("o3", &sale).must(201);
    let id = sale["order_id"].as_str().expect("an id");
    admin.delete(&format!("/api/v1/orders/{id}"));
    order("r1", &buy("FREE", "7")).refused(422, "INVALID_LOT");
    order("r2", &buy("L01", "2000")).refused(422, "MAX_ORDER_QTY");
    order("r3", &buy("L02", "7")).refused(422, "INVALID_LOT");
    let mut unknown = buy("FREE", "10");
    unknown["symbol"] = json!("NOBODY");
    order("r4", &unknown).refused(422, "UNKNOWN_SYMBOL");
    let stop = json!({ "node": "OTHER-DESK", "reason": "x" });
    admin.post("/api/v1/kill", &stop).must(200);
    first["order_id"].as_str().expect("an id").to_owned()
}

fn rows(admin: &Client, address: &str) -> Vec<Value> {
    let answer = admin.get(address).must(200);
    answer["data"].as_array().cloned().expect("rows")
}

#[test]
fn every_filter_of_a_list_of_the_store_filters_and_no_other_is_taken() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["store.enabled=true"]);
    let admin = engine.admin();
    let order = fill(&admin);
    while rows(&admin, &format!("{AUDIT}?kind=kill")).is_empty() {
        std::thread::yield_now();
    }
    let spec = engine.anybody().get("/openapi.json").json();
    for list in [ORDERS, TRADES, REFUSALS, LIMITS, ENTRIES, PROFIT, AUDIT] {
        let described = spec["paths"][list]["get"]["parameters"]
            .as_array()
            .expect("parameters");
        let described = described.iter().filter(|one| one["in"] == "query");
        let described: BTreeSet<&str> = described.filter_map(|one| one["name"].as_str()).collect();
        let cases: Vec<&Case> = CASES.iter().filter(|case| case.0 == list).collect();
        let tried: BTreeSet<&str> = cases.iter().map(|case| case.1).collect();
        let own: BTreeSet<&str> = described
            .iter()
            .copied()
            .filter(|name| !OTHERS.contains(name))
            .collect();
        let missing: Vec<_> = own
            .difference(&tried)
            .filter(|name| **name != "order_id")
            .collect();
        assert!(
            missing.is_empty(),
            "{list}: {missing:?} is described and not tried"
        );
        let page = admin.get(list).must(200);
        let all = page["data"].as_array().cloned().expect("rows");
        let schema = &spec["paths"][list]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let mut found = Vec::new();
        differences(&page, schema, list, &mut found);
        assert!(found.is_empty(), "{found:#?}");
        for (_, name, value, holds) in cases {
            let address = format!("{list}?{name}={}", value.replace("{order}", &order));
            let found = rows(&admin, &address);
            assert!(!found.is_empty(), "{address} finds nothing of {all:#?}");
            assert!(found.iter().all(holds), "{address} gives {found:#?}");
            let is_other_sum = ["group", "by_day"].contains(name) && list == PROFIT;
            assert!(
                is_other_sum || found.len() < all.len(),
                "{address} leaves nothing out"
            );
        }
        admin.get(&format!("{list}?colour=red")).refused(400, "MALFORMED");
        for name in CASES
            .iter()
            .map(|case| case.1)
            .filter(|name| !described.contains(name))
        {
            admin.get(&format!("{list}?{name}=x")).refused(400, "MALFORMED");
        }
        check_days(&admin, list, all.len());
    }
}

/// The first and the last day belong to a period; what lies outside of it is left out.
fn check_days(admin: &Client, list: &str, all: usize) {
    for (query, is_all) in [
        ("from=2000-01-01&to=2100-01-01", true),
        ("to=2000-01-01", false),
        ("from=2100-01-01", false),
    ] {
        let found = rows(admin, &format!("{list}?{query}")).len();
        assert_eq!(found, if is_all { all } else { 0 }, "{list}?{query}");
    }
}

#[test]
fn trades_of_one_order_are_found_by_it_and_bars_between_two_instants() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["store.enabled=true", "demo.quotes_per_s=200"]);
    let admin = engine.admin();
    let mut order = buy("FREE", "10");
    order["px"] = json!("75"); // far above the market
    let placed = ["o1", "o2"].map(|key| admin.keyed("POST", "/api/v1/orders", key, &order).must(201));
    let id = placed[0]["order_id"].as_str().expect("an id");
    while rows(&admin, TRADES).len() < 2 {
        std::thread::yield_now();
    }
    let found = rows(&admin, &format!("{TRADES}?order_id={id}"));
    assert!(found.len() == 1 && found[0]["order_id"] == id, "{found:#?}");
    assert!(rows(&admin, &format!("{TRADES}?order_id=0-999999")).is_empty());

    let bars = |query: &str| {
        rows(
            &admin,
            &format!("{}?length=second{query}", BARS.replace("{symbol}", "GIZMO")),
        )
    };
    while bars("").len() < 2 {
        std::thread::yield_now();
    }
    let all = bars("");
    let begin = all[0]["begin_ns"].as_u64().expect("a time");
    let time = |ns: u64| tradewind_domain::time::Rfc3339(ns).to_string();
    let newest = bars(&format!("&from={}", time(begin)));
    assert!(newest.iter().all(|row| row["begin_ns"].as_u64() >= Some(begin)) && !newest.is_empty());
    let older = bars(&format!("&to={}", time(begin)));
    assert!(older.iter().all(|row| row["begin_ns"].as_u64() < Some(begin)));
    assert_eq!(
        older.len() + 1,
        all.len(),
        "the market moves on meanwhile, and only forward"
    );
}
