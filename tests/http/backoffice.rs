//! What the back office books over HTTP: each is one record, twice is once, and only who may is heard.

use crate::client::{Client, Engine, Place, of_kind};
use serde_json::{Value, json};
use tradewind_domain::event::{Kind, LotSelect};

fn trade(account: &str, side: &str, qty: &str, px: &str, exec_id: &str) -> Value {
    json!({ "account": account, "symbol": "GIZMO", "side": side, "qty": qty, "px": px, "exec_id": exec_id })
}

fn book(admin: &Client, trades: &[Value]) {
    let answer = admin
        .post("/api/v1/trades", &json!({ "trades": trades }))
        .must(200);
    assert_eq!(answer["booked"], trades.len());
}

fn settled(client: &Client, account: &str, currency: &str) -> String {
    let rows = client
        .get(&format!("/api/v1/balances?account={account}"))
        .must(200);
    let row = rows["data"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row["currency"] == currency);
    row.map_or_else(String::new, |row| {
        row["settled"].as_str().unwrap_or("").to_owned()
    })
}

#[test]
fn payments_and_conversions_are_booked_once_for_their_reference() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let pay = |path: &str, amount: &str, reference: &str| {
        let body = json!({ "account": "FREE", "currency": "USD", "amount": amount, "reference": reference, "reason": "wire" });
        admin.post(&format!("/api/v1/cash/{path}"), &body)
    };
    pay("deposits", "1000000.50", "w-1").must(200);
    pay("deposits", "1000000.50", "w-1").refused(409, "DUPLICATE_EXEC_ID");
    pay("withdrawals", "250000", "w-2").must(200);
    pay("withdrawals", "-1", "w-3").refused(422, "INVALID_VALUE");
    pay("deposits", "much", "w-4").refused(422, "INVALID_VALUE");
    let convert = json!({ "account": "FREE", "sell": "USD", "buy": "EUR", "amount": "110", "rate": "0.9", "reference": "c-1", "reason": "x" });
    admin.post("/api/v1/cash/conversions", &convert).must(200);
    assert_eq!(settled(&admin, "FREE", "EUR"), "99");
    let usd = settled(&admin, "FREE", "USD");
    assert!(usd.ends_with("749890.5"), "{usd}");

    let (_, capturer) = engine.user(&admin, "custodian", "SERVICE", Some("DESK"));
    let (_, other) = engine.user(&admin, "other", "SERVICE", Some("OTHER-DESK"));
    let (_, risk) = engine.user(&admin, "risk", "RISK", Some("DESK"));
    let body =
        json!({ "account": "FREE", "currency": "USD", "amount": "1", "reference": "s-1", "reason": "wire" });
    for client in [&other, &risk] {
        client
            .post("/api/v1/cash/deposits", &body)
            .refused(403, "NOT_PERMITTED");
    }
    capturer.post("/api/v1/cash/deposits", &body).must(200);
    let mut without = body.clone();
    without["reason"] = json!(" ");
    without["reference"] = json!("s-2");
    capturer
        .post("/api/v1/cash/deposits", &without)
        .refused(422, "INVALID_VALUE");
    let events = engine.stop();
    let deposits = of_kind(&events, Kind::Deposit);
    let told: Vec<String> = deposits
        .iter()
        .map(|event| String::from_utf8_lossy(event.tail()).into_owned())
        .filter(|text| text.contains("wire"))
        .collect();
    assert_eq!(told.len(), 3, "two booked, one a repeat: {told:?}");
    assert!(told[0].starts_with("u1: wire [request "), "{}", told[0]);
}

#[test]
fn a_block_is_allocated_a_trade_fails_and_lots_are_chosen_by_who_captures_at_the_account() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    book(
        &admin,
        &[
            trade("FREE", "BUY", "100", "50", "b-1"),
            trade("FREE", "BUY", "50", "40", "b-2"),
            trade("FREE", "SELL", "50", "60", "s-1"),
            trade("L01", "BUY", "60", "50", "block"),
        ],
    );
    let (_, capturer) = engine.user(&admin, "ops", "SERVICE", Some("USER"));
    let (_, other) = engine.user(&admin, "other", "SERVICE", Some("OTHER-DESK"));

    let legs = json!([{ "account": "L02", "qty": "40" }, { "account": "L03", "qty": "20" }]);
    let block = |account: &str, legs: &Value| json!({ "id": "a-1", "account": account, "symbol": "GIZMO", "executions": ["block"], "legs": legs, "reason": "as agreed" });
    let allocate = |client: &Client, body: &Value| client.post("/api/v1/allocations", body);
    allocate(&other, &block("L01", &legs)).refused(403, "NOT_PERMITTED");
    let foreign = json!([{ "account": "KILLED", "qty": "60" }]);
    allocate(&capturer, &block("L01", &foreign)).refused(403, "NOT_PERMITTED");
    allocate(&capturer, &block("L01", &legs)).must(200);
    allocate(&capturer, &block("L01", &legs)).refused(409, "DUPLICATE_EXEC_ID");
    let position = |account: &str| {
        let rows = admin
            .get(&format!("/api/v1/positions?account={account}&symbol=GIZMO"))
            .must(200);
        rows["data"][0]["qty"].as_str().unwrap_or("").to_owned()
    };
    assert_eq!(
        [position("L01"), position("L02"), position("L03")],
        ["0", "40", "20"]
    );

    let fail = json!({ "exec_id": "b-1", "settle_date": "2100-01-04", "reason": "short of stock" });
    other.post("/api/v1/trades/fail", &fail).refused(404, "NOT_FOUND");
    capturer.post("/api/v1/trades/fail", &fail).must(200);

    let lots =
        json!({ "exec_id": "s-1", "lots": [{ "exec_id": "b-2", "qty": "50" }], "reason": "the client asks" });
    other.post("/api/v1/trades/lots", &lots).refused(404, "NOT_FOUND");
    capturer.post("/api/v1/trades/lots", &lots).must(200);
    let wrong = json!({ "exec_id": "s-1", "lots": [{ "exec_id": "s-1", "qty": "50" }], "reason": "x" });
    capturer
        .post("/api/v1/trades/lots", &wrong)
        .refused(422, "INVALID_VALUE");
    let events = engine.stop();
    let select = of_kind(&events, Kind::LotSelect)[0];
    assert_eq!(select.selected_lots().count(), 1);
    assert!(select.body::<LotSelect>().author.as_str().starts_with('u'));
    assert!(String::from_utf8_lossy(select.lots_reason()).starts_with("the client asks [request "));
}

#[test]
fn prices_halts_symbols_and_transfers_are_for_who_has_the_whole_firm() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (_, desk) = engine.user(&admin, "desk", "ADMIN", Some("DESK"));
    let transfer = json!({ "id": "t-1", "debit": "BANK:USD", "credit": "STREET:USD", "amount": "100", "reason": "funding" });
    let asks: [(&str, &str, Value); 5] = [
        (
            "PUT",
            "/api/v1/market/GIZMO/mark",
            json!({ "px": "51", "reason": "x" }),
        ),
        (
            "PUT",
            "/api/v1/market/GIZMO/halt",
            json!({ "halted": true, "reason": "x" }),
        ),
        (
            "PUT",
            "/api/v1/fx-rates/EUR",
            json!({ "rate": "1.2", "reason": "x" }),
        ),
        ("POST", "/api/v1/ledger/transfers", transfer),
        (
            "PUT",
            "/api/v1/instruments/NOREF/symbol",
            json!({ "symbol": "NEWREF", "reason": "x" }),
        ),
    ];
    for (method, path, body) in &asks {
        desk.ask(method, path, &[], Some(body))
            .refused(403, "NOT_PERMITTED");
        admin.ask(method, path, &[], Some(body)).must(200);
    }
    let halted = admin.keyed("POST", "/api/v1/orders", "h", &crate::client::buy("L01", "10"));
    halted.refused(422, "MARKET_CLOSED");
    admin
        .put(
            "/api/v1/market/GIZMO/halt",
            &json!({ "halted": false, "reason": "x" }),
        )
        .must(200);
    admin
        .keyed("POST", "/api/v1/orders", "i", &crate::client::buy("L01", "10"))
        .must(201);
    admin
        .put("/api/v1/fx-rates/JPY", &json!({ "rate": "1", "reason": "x" }))
        .refused(422, "UNKNOWN_CURRENCY");
    assert_eq!(
        admin.get("/api/v1/instruments/NEWREF").must(200)["symbol"],
        "NEWREF"
    );
}

#[test]
fn what_a_node_is_worth_is_said_from_outside_by_who_controls_it_and_its_floor_acts_on_that() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["valuation.own=false"]);
    let admin = engine.admin();
    let floor = json!({ "scope": "L01", "type": "DAILY_LOSS", "hard": "1000", "action": "REDUCE_ONLY", "reason": "x" });
    admin.put("/api/v1/limits/floor", &floor).must(200);
    let (_, risk) = engine.user(&admin, "risk", "RISK", Some("DESK"));
    let (_, other) = engine.user(&admin, "other", "RISK", Some("OTHER-DESK"));
    let (_, viewer) = engine.user(&admin, "viewer", "VIEWER", Some("DESK"));
    let path = "/api/v1/nodes/L01/valuation";
    let worth = |equity: &str| json!({ "equity": equity, "reason": "administrator's statement" });
    for client in [&other, &viewer] {
        client.put(path, &worth("1")).refused(403, "NOT_PERMITTED");
    }
    let first = json!({ "equity": "10000", "balance": "9000", "reason": "administrator's statement" });
    risk.put(path, &first).must(200);
    risk.put(path, &worth("much")).refused(422, "INVALID_VALUE");
    admin
        .put("/api/v1/nodes/NOBODY/valuation", &worth("1"))
        .refused(422, "UNKNOWN_NODE");
    let restricted = || admin.get("/api/v1/restrictions").must(200)["data"].clone();
    risk.put(path, &worth("8000")).must(200);
    assert_eq!(restricted(), json!([]), "the floor itself: 9000 less 1000");
    let below = risk.put(path, &worth("7999.99")).must(200);
    let hit = &below["outcome"]["hits"][0];
    assert_eq!(
        [&hit["limit"], &hit["used"], &hit["hard"]],
        ["floor", "7999.99", "8000"]
    );
    let now = restricted();
    assert_eq!(
        (&now[0]["node"], &now[0]["limit_state"]),
        (&json!("L01"), &json!("REDUCE_ONLY"))
    );
    let events = engine.stop();
    let tail = of_kind(&events, Kind::Valuation)[0].tail();
    let text = String::from_utf8_lossy(tail);
    assert!(text.contains(": administrator's statement [request "), "{text}");
}

#[test]
fn announced_actions_are_listed_and_so_is_everything_that_does_not_trade_freely() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let announce = |key: &str, body: &Value| {
        admin
            .keyed("POST", "/api/v1/corporate-actions", key, body)
            .must(200)
    };
    announce(
        "a-1",
        &json!({ "symbol": "GIZMO", "action": "SPLIT", "ratio": "2:1", "ex_date": "2100-01-04", "reason": "bulletin" }),
    );
    announce(
        "a-2",
        &json!({ "symbol": "EURO", "action": "CASH_DIVIDEND", "amount": "0.5", "withhold_pct": "15", "reason": "bulletin" }),
    );
    let (_, viewer) = engine.user(&admin, "viewer", "VIEWER", Some("DESK"));
    let listed = viewer.get("/api/v1/corporate-actions").must(200);
    let told: Vec<[&str; 3]> = listed["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| ["symbol", "action", "state"].map(|name| row[name].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        told,
        [
            ["EURO", "CASH_DIVIDEND", "EFFECTIVE"],
            ["GIZMO", "SPLIT", "WAITING"]
        ]
    );
    assert_eq!(
        (&listed["data"][0]["withhold_pct"], &listed["data"][1]["ratio"]),
        (&json!("15"), &json!("2:1"))
    );

    let stop = |body: Value| admin.post("/api/v1/kill", &body).must(200);
    stop(json!({ "node": "USER", "level": "REDUCE_ONLY", "reason": "x" }));
    stop(json!({ "node": "KILLED", "reason": "x" }));
    stop(json!({ "symbol": "FUT", "level": "CANCEL_ONLY", "reason": "x" }));
    let names = |client: &Client| {
        let answer = client.get("/api/v1/restrictions").must(200);
        let of = |list: &str, name: &str| {
            let rows = answer[list].as_array().expect("rows").iter();
            rows.map(|row| row[name].as_str().unwrap_or("").to_owned())
                .collect::<Vec<_>>()
        };
        (of("data", "node"), of("targets", "target"))
    };
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&admin), (own(&["KILLED", "USER"]), own(&["FUT"])));
    assert_eq!(names(&viewer), (own(&["USER"]), own(&["FUT"])));
}
