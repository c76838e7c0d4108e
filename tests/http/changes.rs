//! What administrators and services change beside orders and limits: trades taken back, corporate actions, lot methods, calendars, fees,
//! instruments, users, groups, keys.

use crate::client::{Client, Engine, Place, buy, of_kind};
use crate::support::running::BINARY;
use serde_json::{Value, json};
use std::process::Command;
use tradewind_domain::event::{Kind, OrderNew};

fn trade(account: &str, exec_id: &str) -> Value {
    json!({ "trades": [{ "account": account, "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": exec_id }] })
}

fn qty(client: &Client, account: &str) -> String {
    let answer = client
        .get(&format!("/api/v1/positions?account={account}&symbol=GIZMO"))
        .must(200);
    answer["data"][0]["qty"].as_str().unwrap_or("none").to_owned()
}

#[test]
fn a_trade_is_corrected_and_taken_back_by_who_captures_for_its_account() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    admin.post("/api/v1/trades", &trade("FREE", "e1")).must(200);
    let (_, service) = engine.user(&admin, "drop-copy", "SERVICE", Some("FREE"));
    let (_, trader) = engine.user(&admin, "trader", "TRADER", Some("FREE"));
    let (_, other) = engine.user(&admin, "other", "SERVICE", Some("KILLED"));
    let correction = json!({ "exec_id": "e1", "qty": "20" });
    trader
        .post("/api/v1/trades/correct", &correction)
        .refused(403, "NOT_PERMITTED");
    other
        .post("/api/v1/trades/correct", &correction)
        .refused(404, "NOT_FOUND");
    let corrected = service.post("/api/v1/trades/correct", &correction).must(200);
    assert_eq!(corrected["status"], "BOOKED");
    assert_eq!(qty(&service, "FREE"), "20");
    service
        .post("/api/v1/trades/correct", &json!({ "exec_id": "e1", "px": "x" }))
        .refused(422, "INVALID_VALUE");
    let bust = json!({ "exec_ref_id": "e1", "exec_id": "b1", "reason": "the venue says so" });
    other.post("/api/v1/trades/bust", &bust).refused(404, "NOT_FOUND");
    assert_eq!(
        service.post("/api/v1/trades/bust", &bust).must(200)["status"],
        "BOOKED"
    );
    assert_eq!(qty(&service, "FREE"), "none", "as if it had never traded");
    let again = service.post("/api/v1/trades/bust", &bust).must(200);
    assert_eq!(
        (&again["status"], &again["code"]),
        (&json!("DUPLICATE"), &json!("ALREADY_BUSTED"))
    );
    let waiting = |client: &Client| client.get("/api/v1/quarantine").must(200)["data"].clone();
    assert_eq!(waiting(&admin), json!([]), "nothing of it waits for a person");
    // One of a trade that nobody knows is for who captures for the firm, and waits.
    let unknown = json!({ "exec_ref_id": "nobody-knows", "exec_id": "b2" });
    service
        .post("/api/v1/trades/bust", &unknown)
        .refused(404, "NOT_FOUND");
    assert_eq!(
        admin.post("/api/v1/trades/bust", &unknown).must(200)["status"],
        "QUARANTINED"
    );
    assert_eq!(waiting(&admin)[0]["reason"], "UNKNOWN_TRADE");
    let other_side = json!({ "exec_id": "e2", "side": "SELL" });
    admin.post("/api/v1/trades", &trade("FREE", "e2")).must(200);
    let never = admin.post("/api/v1/trades/correct", &other_side).must(200);
    assert_eq!(
        (&never["status"], &never["code"]),
        (&json!("INVALID"), &json!("INVALID_SIDE")),
        "refused for good"
    );
    let events = engine.stop();
    let told = |kind: Kind| {
        let event = of_kind(&events, kind)[0];
        String::from_utf8_lossy(&event.tail()[event.taken_back_len()..]).into_owned()
    };
    let busted = told(Kind::TradeBust);
    assert!(busted.contains(": the venue says so [request "), "{busted}");
    assert!(told(Kind::TradeCorrect).contains("[request "));
    assert!(told(Kind::TradeCapture).starts_with("[request "));
}

#[test]
fn a_corporate_action_takes_effect_once_however_often_it_is_asked_for() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    admin.post("/api/v1/trades", &trade("FREE", "e1")).must(200);
    let split =
        json!({ "symbol": "GIZMO", "action": "SPLIT", "ratio": "2:1", "amount": "25", "reason": "split" });
    let path = "/api/v1/corporate-actions";
    admin.post(path, &split).refused(400, "IDEMPOTENCY_KEY_REQUIRED");
    admin
        .keyed("POST", path, "a key", &split)
        .refused(400, "MALFORMED");
    let (_, risk) = engine.user(&admin, "risk", "RISK", Some("DESK"));
    risk.keyed("POST", path, "k", &split)
        .refused(403, "NOT_PERMITTED");
    let first = admin.keyed("POST", path, "split-1", &split).must(200);
    assert_eq!(qty(&admin, "FREE"), "20");
    let again = admin.keyed("POST", path, "split-1", &split);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.must(200), first);
    assert_eq!(qty(&admin, "FREE"), "20");
    let other =
        json!({ "symbol": "GIZMO", "action": "SPLIT", "ratio": "3:1", "amount": "25", "reason": "split" });
    admin
        .keyed("POST", path, "split-1", &other)
        .refused(422, "IDEMPOTENCY_KEY_REUSED");
    let nonsense = json!({ "symbol": "NOSUCH", "action": "SPLIT", "ratio": "2:1", "reason": "split" });
    admin
        .keyed("POST", path, "split-2", &nonsense)
        .refused(422, "UNKNOWN_SYMBOL");
    // The index is rebuilt from the journal.
    let password = engine.password.clone().expect("a first start");
    engine.stop();
    let engine = Engine::start(&place);
    let admin = engine.login("admin", &password);
    let later = admin.keyed("POST", path, "split-1", &split);
    assert_eq!(later.headers["idempotency-replayed"], "true");
    assert_eq!(later.must(200), first);
    assert_eq!(qty(&admin, "FREE"), "20");
    let events = engine.stop();
    let announced = of_kind(&events, Kind::CorporateAction);
    let of_person = announced.iter().filter(|event| event.head.part == 0);
    assert_eq!(of_person.filter(|event| !event.is_rejected()).count(), 1);
}

#[test]
fn the_lot_method_of_an_account_is_seen_and_set() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let path = "/api/v1/accounts/FREE/lot-method";
    assert_eq!(
        admin.get(path).must(200),
        json!({ "account": "FREE", "method": "FIFO", "fee_in_basis": false })
    );
    let hifo = json!({ "method": "HIFO", "fee_in_basis": true, "reason": "the client's choice" });
    let (_, viewer) = engine.user(&admin, "viewer", "VIEWER", Some("FREE"));
    viewer.put(path, &hifo).refused(403, "NOT_PERMITTED");
    admin.put(path, &hifo).must(200);
    assert_eq!(
        viewer.get(path).must(200),
        json!({ "account": "FREE", "method": "HIFO", "fee_in_basis": true })
    );
    admin
        .put(path, &json!({ "method": "MOOD", "reason": "x" }))
        .refused(422, "INVALID_VALUE");
    viewer
        .get("/api/v1/accounts/KILLED/lot-method")
        .refused(404, "NOT_FOUND");
    admin
        .get("/api/v1/accounts/DESK/lot-method")
        .refused(404, "NOT_FOUND");
}

#[test]
fn calendars_are_shown_with_their_days_and_get_more() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let floor = admin.get("/api/v1/calendars/floor").must(200);
    assert!(
        floor["days"].as_array().is_some_and(|days| days.len() > 20) && floor["today"].is_string(),
        "{floor}"
    );
    let few = admin
        .get("/api/v1/calendars/floor?from=2020-01-01&to=2020-01-02")
        .must(200);
    assert_eq!(few["days"], json!([]));
    let day = |date: &str, roll: &str| json!({ "date": date, "roll": format!("{roll}T21:00:00Z"), "open": format!("{date}T08:00:00Z"), "close": format!("{date}T16:00:00.5Z") });
    let days = json!({ "days": [day("2035-01-02", "2035-01-01"), day("2035-01-03", "2035-01-02")], "reason": "new market" });
    let (_, desk) = engine.user(&admin, "desk", "ADMIN", Some("DESK"));
    desk.put("/api/v1/calendars/lunar", &days)
        .refused(403, "NOT_PERMITTED");
    admin.put("/api/v1/calendars/lunar", &days).must(200);
    let lunar = desk.get("/api/v1/calendars/lunar?from=2035-01-03").must(200);
    assert_eq!(
        lunar["days"],
        json!([{ "date": "2035-01-03", "roll": "2035-01-02T21:00:00.000000000Z", "open": "2035-01-03T08:00:00.000000000Z",
                 "close": "2035-01-03T16:00:00.500000000Z" }])
    );
    let back =
        json!({ "days": [day("2035-01-03", "2035-01-02"), day("2035-01-02", "2035-01-01")], "reason": "x" });
    assert_eq!(admin.put("/api/v1/calendars/lunar", &back).status, 422);
    let many = json!({ "days": vec![day("2035-01-02", "2035-01-01"); 9], "reason": "x" });
    admin
        .put("/api/v1/calendars/lunar", &many)
        .refused(422, "INVALID_VALUE");
    let mut wrong = days.clone();
    wrong["days"][1]["open"] = "noon".into();
    let refused = admin.put("/api/v1/calendars/lunar", &wrong);
    refused.refused(422, "INVALID_VALUE");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/days/1/open");
    admin.get("/api/v1/calendars/solar").refused(404, "NOT_FOUND");
}

#[test]
fn fee_schedules_are_listed_set_charged_and_taken_away() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let path = "/api/v1/fee-schedules";
    let flat =
        json!({ "name": "ticket", "account": "FREE", "model": "FLAT", "rate": "1.5", "reason": "contract" });
    let (_, desk) = engine.user(&admin, "desk", "ADMIN", Some("DESK"));
    let (_, other) = engine.user(&admin, "other", "VIEWER", Some("OTHER-DESK"));
    desk.put(path, &flat).refused(403, "NOT_PERMITTED");
    admin.put(path, &flat).must(200);
    let all =
        json!({ "name": "house", "model": "BPS", "rate": "2", "maker_rate": "-1", "reason": "standard" });
    admin.put(path, &all).must(200);
    let names = |client: &Client| -> Vec<String> {
        let rows = client.get(path).must(200);
        let rows = rows["data"].as_array().expect("rows").iter();
        rows.map(|row| row["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let mut seen = names(&desk);
    seen.sort();
    assert_eq!(seen, ["house", "ticket"]);
    assert_eq!(names(&other), ["house"]);
    admin.post("/api/v1/trades", &trade("FREE", "e1")).must(200);
    assert_eq!(admin.get("/api/v1/trades").must(200)["data"][0]["fee"], "1.5");
    let nonsense = json!({ "name": "x", "model": "FLAT", "rate": "1", "min": "5", "reason": "x" });
    admin.put(path, &nonsense).refused(422, "INVALID_VALUE");
    let unknown = json!({ "name": "x", "account": "NOSUCH", "model": "FLAT", "rate": "1", "reason": "x" });
    admin.put(path, &unknown).refused(422, "UNKNOWN_ACCOUNT");
    admin
        .delete(&format!("{path}?account=FREE&reason=over"))
        .must(200);
    admin
        .delete(&format!("{path}?account=FREE&reason=over"))
        .refused(404, "NOT_FOUND");
    assert_eq!(names(&desk), ["house"]);
}

#[test]
fn single_things_are_found_by_name_and_instruments_keep_what_is_not_named() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (_, viewer) = engine.user(&admin, "viewer", "VIEWER", Some("DESK"));
    assert_eq!(viewer.get("/api/v1/nodes/FREE").must(200)["level"], "ACCOUNT");
    viewer.get("/api/v1/nodes/OTHER-DESK").refused(404, "NOT_FOUND");
    let desks = admin.get("/api/v1/nodes?level=desk").must(200);
    assert_eq!(desks["data"].as_array().map(Vec::len), Some(2));
    admin
        .get("/api/v1/nodes?level=floor")
        .refused(422, "INVALID_VALUE");
    let before = admin.get("/api/v1/instruments/GIZMO").must(200);
    let more = json!({ "avg_order_qty": "70", "collar_bps": 700, "reason": "x" });
    admin.put("/api/v1/instruments/GIZMO", &more).must(200);
    let mut expected = before;
    (expected["avg_order_qty"], expected["collar_bps"]) = ("70".into(), 700.into());
    assert_eq!(viewer.get("/api/v1/instruments/GIZMO").must(200), expected);
    admin.get("/api/v1/instruments/NOSUCH").refused(404, "NOT_FOUND");
}

#[test]
fn users_are_changed_and_their_keys_taken_away() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (id, ann) = engine.user(&admin, "ann", "VIEWER", Some("DESK"));
    let path = format!("/api/v1/users/{id}");
    ann.get(&path).refused(403, "NOT_PERMITTED");
    let changed = admin
        .put(&path, &json!({ "name": "anna", "mail": "anna@example.org" }))
        .must(200);
    assert_eq!(
        (&changed["name"], &changed["mail"], &changed["full_name"]),
        (&json!("anna"), &json!("anna@example.org"), &json!(""))
    );
    assert_eq!(admin.get(&path).must(200), changed);
    ann.get("/api/v1/auth/me").must(200);
    engine.login("anna", "a long password");
    admin
        .put(&path, &json!({ "name": "admin" }))
        .refused(409, "CONFLICT");
    admin
        .put(&path, &json!({ "name": "a b" }))
        .refused(422, "INVALID_VALUE");
    admin.get("/api/v1/users/99").refused(404, "NOT_FOUND");
    let made = admin
        .post(&format!("{path}/keys"), &json!({ "label": "screen" }))
        .must(201);
    let key = engine.with_token(made["key"].as_str().expect("a key"));
    key.get("/api/v1/auth/me").must(200);
    let listed = admin.get(&format!("{path}/keys")).must(200);
    assert_eq!(listed["data"][0]["label"], "screen");
    let of_key = format!("{path}/keys/{}", made["id"].as_str().expect("an id"));
    admin.delete(&of_key).must(204);
    key.get("/api/v1/auth/me").refused(401, "UNAUTHENTICATED");
    admin.delete(&of_key).refused(404, "NOT_FOUND");
}

#[test]
fn a_group_that_is_removed_takes_what_it_gave() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let group = admin.post("/api/v1/groups", &json!({ "name": "desk" })).must(201)["id"].clone();
    let path = format!("/api/v1/groups/{group}");
    let renamed = admin.put(&path, &json!({ "name": "floor" })).must(200);
    assert_eq!(admin.get(&path).must(200), renamed);
    let made = admin
        .post(
            "/api/v1/users",
            &json!({ "name": "ann", "password": "a long password" }),
        )
        .must(201);
    let set = |body: Value| admin.post("/api/v1/access", &body).must(200);
    set(json!({ "group": group, "role": "VIEWER", "node": "DESK", "status": "GRANTED", "reason": "test" }));
    set(json!({ "group": group, "user": made["id"], "status": "GRANTED", "reason": "test" }));
    let ann = engine.login("ann", "a long password");
    ann.get("/api/v1/positions").must(200);
    admin.delete(&path).refused(400, "MALFORMED");
    admin.delete(&format!("{path}?reason=closed")).must(204);
    ann.get("/api/v1/auth/me").refused(401, "TOKEN_REVOKED");
    let ann = engine.login("ann", "a long password");
    ann.get("/api/v1/positions").refused(403, "NOT_PERMITTED");
    admin.get(&path).refused(404, "NOT_FOUND");
}

#[test]
fn an_operator_of_the_machine_makes_lists_and_revokes_keys() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    engine.user(&admin, "algo", "SERVICE", Some("FREE"));
    let token = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .arg("token")
            .args(args)
            .args(["--operator", "root-ann", "--data"])
            .arg(place.data())
            .output()
            .expect("the binary starts")
    };
    let json_of = |args: &[&str]| -> Value {
        let output = token(&[args, &["--json"]].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let made = json_of(&["create", "algo", "--label", "colo", "--reason", "asked"]);
    let key = engine.with_token(made["key"].as_str().expect("a key"));
    key.keyed("POST", "/api/v1/orders", "k", &buy("FREE", "10"))
        .must(201);
    let id = made["id"].as_str().expect("an id");
    for listed in [json_of(&["list"]), json_of(&["list", "--user", "algo"])] {
        let row = &listed["keys"][0];
        assert_eq!(
            (&row["id"], &row["name"], &row["label"]),
            (&json!(id), &json!("algo"), &json!("colo"))
        );
        assert!(row.get("key").is_none() && row.get("hash").is_none());
    }
    let shown = String::from_utf8(token(&["list"]).stdout).expect("text");
    assert!(shown.contains(id) && shown.contains("colo"), "{shown}");
    json_of(&["revoke", id, "--reason", "left the colo"]);
    key.get("/api/v1/auth/me").refused(401, "UNAUTHENTICATED");
    assert_eq!(token(&["revoke", id, "--reason", "again"]).status.code(), Some(1));
}

#[test]
fn a_record_names_its_request_and_the_trace_that_it_belongs_to() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [
        ("Idempotency-Key", "k"),
        ("X-Request-Id", "mine-1"),
        ("traceparent", traceparent.as_str()),
    ];
    let order = admin.ask("POST", "/api/v1/orders", &headers, Some(&buy("FREE", "10")));
    let id = order.must(201)["order_id"].as_str().expect("an id").to_owned();
    let expected = format!("[request mine-1 trace {trace}]");
    let life = admin.get(&format!("/api/v1/orders/{id}/explain")).must(200);
    assert_eq!(life["events"][0]["verdict"]["text"], expected);
    let stop = json!({ "node": "OTHER-DESK", "reason": "test" });
    let killed = admin
        .ask("POST", "/api/v1/kill", &headers[1..], Some(&stop))
        .must(200);
    assert_eq!(killed["outcome"]["text"], format!("test {expected}"));
    admin
        .keyed("POST", "/api/v1/orders", "plain", &buy("FREE", "10"))
        .must(201);
    let events = engine.stop();
    let texts: Vec<String> = of_kind(&events, Kind::OrderNew)
        .iter()
        .map(|event| String::from_utf8_lossy(event.tail()).into_owned())
        .collect();
    assert_eq!(texts[0], expected);
    assert!(
        texts[1].starts_with("[request r") && !texts[1].contains("trace"),
        "{texts:?}"
    );
    assert_eq!(
        of_kind(&events, Kind::OrderNew)[1]
            .body::<OrderNew>()
            .cl_ord_id
            .as_str(),
        "plain"
    );
    // And so do the tools that show a journal, with who did it.
    let data = place.data().display().to_string();
    let shown = |args: &[&str]| {
        let output = Command::new(BINARY).args(args).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let first = |kind: &str| {
        let listed = shown(&["journal", "cat", &data, "--kind", kind]);
        listed.lines().next().unwrap_or_default().to_owned()
    };
    assert!(first("order_new").ends_with(&format!("text={expected:?}")));
    let kill = first("kill");
    assert!(
        kill.contains("author=u1") && kill.ends_with(&format!("text={:?}", format!("test {expected}"))),
        "{kill}"
    );
    let grant = first("access_set");
    assert!(
        grant.contains("author=engine") && grant.contains("role=ADMIN") && grant.contains("status=GRANTED"),
        "{grant}"
    );
    assert!(shown(&["explain", &data, &id]).contains(&expected));
}

#[test]
fn restrictions_set_by_limits_are_listed_with_those_that_people_set() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let repeated = json!({ "scope": "FREE", "type": "REPEATED_EXEC", "hard": "2", "params": { "window_ms": "60000" }, "reason": "x" });
    admin.put("/api/v1/limits/repeated", &repeated).must(200);
    for exec_id in ["a", "b", "c"] {
        admin.post("/api/v1/trades", &trade("FREE", exec_id)).must(200);
    }
    let reduce = json!({ "node": "OTHER-DESK", "level": "REDUCE_ONLY", "reason": "test" });
    admin.post("/api/v1/kill", &reduce).must(200);
    let rows = admin.get("/api/v1/restrictions").must(200);
    assert_eq!(
        rows["data"],
        json!([
            { "node": "FREE", "level": "ACCOUNT", "state": "ACTIVE", "limit_state": "ACTIVE", "effects": ["DISABLED"] },
            { "node": "OTHER-DESK", "level": "DESK", "state": "REDUCE_ONLY", "limit_state": "ACTIVE", "effects": [] },
        ])
    );
    assert_eq!(
        admin.get("/api/v1/dashboard").must(200)["data"]["restricted_nodes"],
        2
    );
    let (_, viewer) = engine.user(&admin, "viewer", "VIEWER", Some("OTHER-DESK"));
    let own = viewer.get("/api/v1/restrictions").must(200);
    assert_eq!(own["data"].as_array().map(Vec::len), Some(1));
}
