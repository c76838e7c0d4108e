//! Orders and trades over HTTP.

use crate::client::{Engine, Place, buy, grant, of_kind};
use serde_json::{Value, json};
use std::sync::Barrier;
use tradewind_domain::event::{Kind, OrderNew};

const ORDERS: &str = "/api/v1/orders";

#[test]
fn an_order_is_placed_listed_replaced_and_cancelled() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let answer = admin.keyed("POST", ORDERS, "key-1", &buy("FREE", "10"));
    let location = answer.headers["location"].clone();
    let placed = answer.must(201);
    let id = placed["order_id"].as_str().expect("an id").to_owned();
    assert_eq!(location, format!("{ORDERS}/{id}"));
    assert_eq!(
        (&placed["state"], &placed["leaves"], &placed["cl_ord_id"]),
        (&json!("PENDING_NEW"), &json!("10"), &json!("key-1"))
    );
    assert_eq!(placed["acknowledgement"], "MEMORY");
    assert!(placed["seq"].as_u64().is_some_and(|seq| seq > 0) && placed["released"].is_string());

    let open = admin.get("/api/v1/orders?account=FREE&symbol=GIZMO").must(200);
    assert_eq!(open["data"][0]["order_id"], id.as_str());
    assert!(
        open["as_of"].as_u64() >= placed["seq"].as_u64(),
        "a read after an answer holds it"
    );
    let one = admin.get(&location).must(200);
    assert_eq!(
        (&one["data"]["qty"], &one["data"]["px"]),
        (&json!("10"), &json!("50"))
    );

    let life = admin.get(&format!("{location}/explain")).must(200);
    assert_eq!(life["events"][0]["kind"], "order_new");
    let replaced = admin
        .keyed("PUT", &location, "key-2", &json!({ "qty": "20", "px": "50" }))
        .must(202);
    assert_eq!(replaced["state"], "PENDING_REPLACE");
    let refused = admin.delete(&location);
    refused.refused(409, "PENDING_CANCEL_REPLACE");
    assert_eq!(refused.json()["outcome"]["kind"], "order_cancel");
    let second = admin.keyed("POST", ORDERS, "key-3", &buy("FREE", "10")).must(201);
    let cancelled = admin
        .delete(&format!(
            "{ORDERS}/{}",
            second["order_id"].as_str().expect("an id")
        ))
        .must(202);
    assert_eq!(cancelled["state"], "PENDING_CANCEL");
    let scope = json!({ "node": "DESK", "reason": "end of the test" });
    let many = admin.post("/api/v1/orders/mass-cancel", &scope).must(202);
    assert_eq!(many["outcome"]["accepted"], true);
    assert_eq!(
        admin.get("/api/v1/orders?state=all").must(200)["data"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let events = engine.stop();
    assert_eq!(of_kind(&events, Kind::OrderNew).len(), 2);
}

#[test]
fn a_refused_order_says_which_limit_spoke_and_with_what_figures() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let answer = admin.keyed("POST", ORDERS, "large", &buy("L01", "2000"));
    answer.refused(422, "MAX_ORDER_QTY");
    let outcome = &answer.json()["outcome"];
    let hit = &outcome["hits"][0];
    assert_eq!(
        (&hit["limit"], &hit["used"], &hit["hard"]),
        (&json!("l01"), &json!("2000"), &json!("1000"))
    );
    assert_eq!(
        answer.json()["detail"],
        "the engine refused it with MAX_ORDER_QTY: limit l01 at ACCOUNT L01: 2000 against 1000 (quantity)"
    );
    let asked = json!({ "account": "L01", "symbol": "GIZMO", "side": "BUY", "qty": "2000", "px": "50" });
    let verdict = admin.post("/api/v1/limits/validate", &asked).must(200);
    assert_eq!(
        (&verdict["passes"], &verdict["outcome"]["code"]),
        (&json!(false), &json!("MAX_ORDER_QTY"))
    );
    let passes = json!({ "account": "L01", "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50" });
    assert_eq!(
        admin.post("/api/v1/limits/validate", &passes).must(200)["passes"],
        true
    );
    let refusals = admin.get("/api/v1/refusals").must(200);
    assert_eq!(
        (&refusals["data"][0]["code"], &refusals["data"][0]["cl_ord_id"]),
        (&json!("MAX_ORDER_QTY"), &json!("large"))
    );
}

#[test]
fn a_repeated_request_gives_the_first_answer_also_after_a_restart_and_one_order() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let first = admin.keyed("POST", ORDERS, "again", &buy("FREE", "10")).must(201);
    let again = admin.keyed("POST", ORDERS, "again", &buy("FREE", "10"));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.must(201), first);
    admin
        .keyed("POST", ORDERS, "again", &buy("FREE", "20"))
        .refused(422, "IDEMPOTENCY_KEY_REUSED");
    admin
        .keyed("POST", ORDERS, "no", &buy("L01", "2000"))
        .refused(422, "MAX_ORDER_QTY");
    admin
        .keyed("POST", ORDERS, "no", &buy("L01", "2000"))
        .refused(422, "MAX_ORDER_QTY");
    admin
        .post(ORDERS, &buy("FREE", "10"))
        .refused(400, "IDEMPOTENCY_KEY_REQUIRED");
    let password = engine.password.clone().expect("a first start");
    engine.stop();

    let engine = Engine::start(&place);
    assert!(engine.password.is_none(), "the password is shown once");
    let admin = engine.login("admin", &password);
    let after = admin.keyed("POST", ORDERS, "again", &buy("FREE", "10"));
    assert_eq!(after.headers["idempotency-replayed"], "true");
    assert_eq!(after.must(201), first);
    let events = engine.stop();
    assert_eq!(of_kind(&events, Kind::OrderNew).len(), 2);
}

#[test]
fn concurrent_repeats_make_one_order() {
    const CLIENTS: usize = 16;
    const KEYS: usize = 8;
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let barrier = Barrier::new(CLIENTS);
    let answers: Vec<(usize, u16, Value)> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let ask = |key: usize| {
                        let answer = admin.keyed("POST", ORDERS, &format!("same-{key}"), &buy("FREE", "10"));
                        (key, answer.status, answer.json())
                    };
                    (0..KEYS).map(ask).collect::<Vec<_>>()
                })
            })
            .collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("a client"))
            .collect()
    });
    for key in 0..KEYS {
        let of_key: Vec<_> = answers.iter().filter(|(other, ..)| *other == key).collect();
        let orders: std::collections::BTreeSet<String> = of_key
            .iter()
            .filter(|(_, status, _)| *status == 201)
            .map(|(.., body)| body["order_id"].to_string())
            .collect();
        assert_eq!(orders.len(), 1, "{of_key:?}");
        let others = of_key.iter().filter(|(_, status, _)| *status != 201);
        assert!(
            others
                .clone()
                .all(|(_, status, body)| *status == 409 && body["code"] == "REQUEST_IN_FLIGHT"),
            "{of_key:?}"
        );
    }
    let events = engine.stop();
    assert_eq!(of_kind(&events, Kind::OrderNew).len(), KEYS);
}

#[test]
fn the_key_of_one_user_is_nothing_to_another() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (_, ann) = engine.user(&admin, "ann", "TRADER", Some("USER"));
    let one = admin.keyed("POST", ORDERS, "mine", &buy("FREE", "10")).must(201);
    let other = ann.keyed("POST", ORDERS, "mine", &buy("FREE", "20")).must(201);
    assert_ne!(one["order_id"], other["order_id"]);
    let events = engine.stop();
    let sessions: Vec<u32> = of_kind(&events, Kind::OrderNew)
        .iter()
        .map(|event| event.body::<OrderNew>().session.0)
        .collect();
    assert_eq!(sessions, [0x8000_0001, 0x8000_0002]);
}

#[test]
fn what_cannot_be_an_order_is_refused_with_a_pointer_and_reaches_no_journal() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let with = |name: &str, value: Value| {
        let mut body = buy("FREE", "10");
        body[name] = value;
        body
    };
    for (body, status, code, pointer) in [
        (with("qty", json!("ten")), 422, "INVALID_VALUE", "/qty"),
        (with("qty", json!(10)), 422, "INVALID_VALUE", "/qty"),
        (with("qty", json!("0.123456789")), 422, "INVALID_VALUE", "/qty"),
        (with("side", json!("HOLD")), 422, "INVALID_VALUE", "/side"),
        (with("tif", json!("GTD")), 422, "INVALID_VALUE", "/expires"),
        (with("type", json!("PEG")), 422, "INVALID_VALUE", "/type"),
        (with("symbol", json!("")), 422, "INVALID_VALUE", "/symbol"),
        (
            with("symbol", json!("X".repeat(33))),
            422,
            "INVALID_VALUE",
            "/symbol",
        ),
        (with("colour", json!("red")), 422, "INVALID_VALUE", "/colour"),
    ] {
        let answer = admin.keyed("POST", ORDERS, "bad", &body);
        answer.refused(status, code);
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    let json_type = [("Content-Type", "application/json"), ("Idempotency-Key", "bad")];
    for bytes in [
        "",
        "{",
        "[]",
        "nul",
        "{\"account\":\"FREE\"} x",
        "\u{0}",
        "{\"account\":\"\\ud800\"}",
    ] {
        let answer = admin.raw("POST", ORDERS, &json_type, bytes.as_bytes());
        assert!(matches!(answer.status, 400 | 422), "{bytes:?}: {}", answer.text);
    }
    let deep = "[".repeat(100_000);
    assert_eq!(admin.raw("POST", ORDERS, &json_type, deep.as_bytes()).status, 422);
    admin
        .raw("POST", ORDERS, &[("Idempotency-Key", "k")], b"{}")
        .refused(415, "UNSUPPORTED_MEDIA_TYPE");
    admin
        .keyed("POST", ORDERS, &"k".repeat(41), &buy("FREE", "10"))
        .refused(400, "MALFORMED");
    admin
        .keyed("POST", ORDERS, "k", &buy("NOBODY", "10"))
        .refused(404, "NOT_FOUND");
    admin
        .keyed("POST", ORDERS, "k", &buy("DESK", "10"))
        .refused(404, "NOT_FOUND");
    admin.get("/api/v1/orders?colour=red").refused(400, "MALFORMED");
    admin.get("/api/v1/orders/0-99").refused(404, "NOT_FOUND");
    admin.get("/api/v1/orders/x").refused(404, "NOT_FOUND");
    let unknown = admin.keyed("POST", ORDERS, "unknown", &with("symbol", json!("NOSUCH")));
    unknown.refused(422, "UNKNOWN_SYMBOL");
    assert_eq!(
        unknown.json()["detail"],
        "the engine refused it with UNKNOWN_SYMBOL: symbol=NOSUCH account=FREE"
    );
    let events = engine.stop();
    assert_eq!(
        of_kind(&events, Kind::OrderNew).len(),
        1,
        "the unknown symbol is the engine's to refuse"
    );
}

#[test]
fn trades_are_captured_as_json_and_csv_with_a_result_for_each_line() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let trade = |account: &str, exec_id: &str| json!({ "account": account, "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": exec_id, "venue": 7 });
    let mut bad = trade("FREE", "e3");
    bad["qty"] = json!("many");
    let batch = json!({ "trades": [trade("FREE", "e1"), trade("FREE", "e1"), trade("NOBODY", "e2"), bad, trade("FREE-2", "e4")] });
    let answer = admin.post("/api/v1/trades", &batch).must(200);
    let statuses: Vec<&str> = answer["results"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["status"].as_str())
        .collect();
    assert_eq!(
        statuses,
        ["BOOKED", "DUPLICATE", "QUARANTINED", "INVALID", "BOOKED"],
        "{answer}"
    );
    assert_eq!(
        (&answer["booked"], &answer["results"][1]["code"]),
        (&json!(2), &json!("DUPLICATE_EXEC_ID"))
    );

    let (_, desk) = engine.user(&admin, "feed", "SERVICE", Some("DESK"));
    let csv = "account,symbol,side,qty,px,exec_id\nFREE,GIZMO,SELL,10,51,c1\nKILLED,GIZMO,BUY,10,50,c2\nFREE,GIZMO,SELL\n";
    let answer = desk
        .raw(
            "POST",
            "/api/v1/trades",
            &[("Content-Type", "text/csv")],
            csv.as_bytes(),
        )
        .must(200);
    let statuses: Vec<&str> = answer["results"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["status"].as_str())
        .collect();
    assert_eq!(statuses, ["BOOKED", "NOT_PERMITTED", "INVALID"], "{answer}");
    admin
        .post("/api/v1/trades", &json!({ "trades": [] }))
        .refused(422, "INVALID_VALUE");

    let positions = admin.get("/api/v1/positions?account=FREE").must(200);
    assert_eq!(
        (
            &positions["data"][0]["symbol"],
            &positions["data"][0]["qty"],
            &positions["data"][0]["realised"]
        ),
        (&json!("GIZMO"), &json!("0"), &json!("10"))
    );
    let blotter = admin.get("/api/v1/trades?account=FREE").must(200);
    assert_eq!(blotter["data"].as_array().map(Vec::len), Some(2));
    let waiting = admin.get("/api/v1/quarantine").must(200);
    assert_eq!(waiting["data"][0]["exec_id"], "e2");
    let path = format!("/api/v1/quarantine/{}", waiting["data"][0]["seq"]);
    let resolved = admin.post(&path, &json!({ "action": "REJECT", "reason": "no such account" }));
    // A trade of an account that nobody has is for who controls the whole firm.
    assert!(matches!(resolved.status, 200 | 403), "{}", resolved.text);
}

#[test]
fn an_order_of_somebody_else_is_not_there() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (_, ann) = engine.user(&admin, "ann", "TRADER", Some("OTHER-DESK"));
    let (bob_id, bob) = engine.user(&admin, "bob", "VIEWER", Some("DESK"));
    let placed = admin.keyed("POST", ORDERS, "k", &buy("FREE", "10")).must(201);
    let path = format!("{ORDERS}/{}", placed["order_id"].as_str().expect("an id"));
    let change = json!({ "qty": "20", "px": "50" });
    for answer in [
        ann.get(&path),
        ann.delete(&path),
        ann.keyed("PUT", &path, "x", &change),
        ann.get(&format!("{path}/explain")),
    ] {
        answer.refused(404, "NOT_FOUND");
    }
    ann.keyed("POST", ORDERS, "x", &buy("FREE", "10"))
        .refused(403, "NOT_PERMITTED");
    bob.get(&path).must(200);
    bob.delete(&path).refused(403, "NOT_PERMITTED");
    bob.keyed("PUT", &path, "x", &change)
        .refused(403, "NOT_PERMITTED");
    grant(&admin, bob_id, "TRADER", Some("DESK"), "GRANTED").must(200);
    bob.delete(&path).must(202);
    let events = engine.stop();
    assert_eq!(of_kind(&events, Kind::OrderCancel).len(), 1);
    assert!(of_kind(&events, Kind::OrderReplace).is_empty());
}
