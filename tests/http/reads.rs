//! Who sees what: each role, over everything that can be read.

use crate::client::{Client, Engine, Place, buy};
use serde_json::{Value, json};

/// Everything that lists rows of accounts, with the member that names the account or node.
const LISTS: [(&str, &str); 8] = [
    ("/api/v1/positions", "account"),
    ("/api/v1/balances", "account"),
    ("/api/v1/orders", "account"),
    ("/api/v1/orders?state=all", "account"),
    ("/api/v1/trades", "account"),
    ("/api/v1/refusals", "account"),
    ("/api/v1/limits", "scope"),
    ("/api/v1/accounts", "code"),
];

/// An order, a refusal, a trade and a position in each of two desks.
fn fill(admin: &Client) {
    let trade = |account: &str, exec_id: &str| json!({ "account": account, "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": exec_id });
    let both = json!({ "trades": [trade("FREE", "a"), trade("KILLED", "b")] });
    assert_eq!(admin.post("/api/v1/trades", &both).must(200)["booked"], 2);
    for (account, key) in [("FREE", "f"), ("KILLED", "k")] {
        admin.keyed("POST", "/api/v1/orders", key, &buy(account, "10"));
        let lot = admin.keyed(
            "POST",
            "/api/v1/orders",
            &format!("{key}-lot"),
            &buy(account, "7"),
        );
        assert_eq!(lot.status, 422, "{}", lot.text);
    }
    let limit = json!({ "scope": "OTHER-DESK", "type": "MAX_ORDER_QTY", "hard": "5000", "reason": "test" });
    admin.put("/api/v1/limits/others", &limit).must(200);
}

fn seen(client: &Client, path: &str, member: &str) -> Vec<String> {
    let answer = client.get(path).must(200);
    let rows = answer["data"]
        .as_array()
        .unwrap_or_else(|| panic!("{path}: {answer}"));
    rows.iter()
        .filter_map(|row| row[member].as_str().map(str::to_owned))
        .collect()
}

/// What lies below a desk of the test firm, as the administrator sees it.
fn below(admin: &Client, desk: &str) -> Vec<String> {
    let nodes = admin.get("/api/v1/nodes").must(200);
    let rows = nodes["data"].as_array().expect("rows");
    let parent_of = |code: &str| {
        rows.iter()
            .find(|row| row["code"] == code)
            .and_then(|row| row["parent"].as_str())
    };
    let is_below = |code: &str| {
        let mut at = Some(code);
        while let Some(node) = at {
            if node == desk {
                return true;
            }
            at = parent_of(node);
        }
        false
    };
    let codes = rows.iter().filter_map(|row| row["code"].as_str());
    codes.filter(|code| is_below(code)).map(str::to_owned).collect()
}

#[test]
fn each_role_sees_its_own_nodes_and_no_others() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    fill(&admin);
    for (desk, elsewhere) in [("DESK", "KILLED"), ("OTHER-DESK", "FREE")] {
        let own = below(&admin, desk);
        for role in ["VIEWER", "TRADER", "RISK", "SERVICE", "ADMIN"] {
            let (_, client) = engine.user(&admin, &format!("{role}-{desk}"), role, Some(desk));
            for (path, member) in LISTS {
                let rows = seen(&client, path, member);
                assert!(!rows.is_empty(), "{role} at {desk} sees nothing in {path}");
                assert!(
                    rows.iter().all(|row| own.contains(row)),
                    "{role} at {desk} sees {rows:?} in {path}"
                );
                let all = seen(&admin, path, member);
                let expected = all.iter().filter(|row| own.contains(row)).count();
                assert_eq!(rows.len(), expected, "{role} at {desk} misses rows of {path}");
            }
            let profit = seen(&client, "/api/v1/pnl", "name");
            assert!(
                profit.iter().all(|name| own.contains(name)),
                "{role} at {desk}: {profit:?}"
            );
            for path in [
                "positions?account=",
                "orders?account=",
                "balances?account=",
                "portfolio?node=",
                "pnl?node=",
                "limits?node=",
                "history/trades?account=",
            ] {
                client
                    .get(&format!("/api/v1/{path}{elsewhere}"))
                    .refused(403, "NOT_PERMITTED");
            }
            let label = if desk == "DESK" { "others" } else { "l01" };
            client
                .get(&format!("/api/v1/limits/{label}"))
                .refused(404, "NOT_FOUND");
            let summary = client.get("/api/v1/dashboard").must(200);
            assert!(
                summary["data"]["accounts"].as_u64() < Some(admin_accounts(&admin)),
                "{summary}"
            );
        }
    }
}

fn admin_accounts(admin: &Client) -> u64 {
    admin.get("/api/v1/dashboard").must(200)["data"]["accounts"]
        .as_u64()
        .expect("a count")
}

#[test]
fn each_role_does_what_it_may_and_nothing_else() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let trade = json!({ "trades": [{ "account": "FREE", "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": "x" }] });
    let limit = json!({ "scope": "FREE", "type": "MAX_ORDER_QTY", "hard": "5000", "reason": "test" });
    let stop = json!({ "node": "FREE", "level": "REDUCE_ONLY", "reason": "test" });
    let again = json!({ "node": "FREE", "reason": "test" });
    let node = json!({ "level": "STRATEGY", "parent": "FREE", "reason": "test" });
    let user = json!({ "name": "x" });
    type Act<'a> = (&'a str, Box<dyn Fn(&Client, &str) -> u16 + 'a>);
    let acts: Vec<Act<'_>> = vec![
        (
            "READ",
            Box::new(|client, _| client.get("/api/v1/positions").status),
        ),
        (
            "TRADE",
            Box::new(|client, key| {
                client
                    .keyed("POST", "/api/v1/orders", key, &buy("FREE", "10"))
                    .status
            }),
        ),
        (
            "CAPTURE",
            Box::new(|client, _| client.post("/api/v1/trades", &trade).status),
        ),
        (
            "CONTROL",
            Box::new(|client, _| client.put("/api/v1/limits/new", &limit).status),
        ),
        (
            "CONTROL",
            Box::new(|client, _| client.post("/api/v1/kill", &stop).status),
        ),
        (
            "CONTROL",
            Box::new(|client, _| client.post("/api/v1/rearm", &again).status),
        ),
        (
            "CONTROL",
            Box::new(|client, _| client.get("/api/v1/quarantine").status),
        ),
        (
            "ADMIN",
            Box::new(|client, key| client.put(&format!("/api/v1/nodes/N-{key}"), &node).status),
        ),
        (
            "FIRM",
            Box::new(|client, _| client.post("/api/v1/users", &user).status),
        ),
        (
            "FIRM",
            Box::new(|client, _| client.get("/api/v1/history/audit").status),
        ),
    ];
    for (role, may) in [
        ("VIEWER", &["READ"][..]),
        ("TRADER", &["READ", "TRADE"]),
        ("RISK", &["READ", "CONTROL"]),
        ("SERVICE", &["READ", "TRADE", "CAPTURE"]),
        ("ADMIN", &["READ", "TRADE", "CAPTURE", "CONTROL", "ADMIN"]),
    ] {
        let (_, client) = engine.user(&admin, &format!("a-{role}"), role, Some("USER"));
        for (at, (permission, act)) in acts.iter().enumerate() {
            let status = act(&client, &format!("{role}-{at}"));
            match may.contains(permission) {
                true => assert!(
                    (200..300).contains(&status),
                    "{role} may {permission} ({at}): {status}"
                ),
                false => assert_eq!(status, 403, "{role} may not {permission} ({at})"),
            }
        }
    }
}

#[test]
fn a_kill_over_http_is_undone_by_two_people() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (_, ann) = engine.user(&admin, "ann", "RISK", Some("DESK"));
    let (_, ben) = engine.user(&admin, "ben", "RISK", Some("DESK"));
    let (_, eve) = engine.user(&admin, "eve", "RISK", Some("OTHER-DESK"));
    let kill = json!({ "node": "DESK", "reason": "runaway" });
    eve.post("/api/v1/kill", &kill).refused(403, "NOT_PERMITTED");
    assert_eq!(
        ann.post("/api/v1/kill", &kill).must(200)["outcome"]["state_after"],
        "KILL"
    );
    let seen = ann.get("/api/v1/restrictions").must(200);
    assert!(
        seen["data"].as_array().is_some_and(|rows| rows
            .iter()
            .any(|row| row["node"] == "DESK" && row["state"] == "KILL")),
        "{seen}"
    );
    assert!(
        eve.get("/api/v1/restrictions").must(200)["data"]
            .as_array()
            .is_some_and(|rows| rows.iter().all(|row| row["node"] != "DESK"))
    );
    let refused = admin.keyed("POST", "/api/v1/orders", "k", &buy("FREE", "10"));
    refused.refused(422, "TRADING_HALTED");
    let asked = ann
        .post("/api/v1/rearm", &json!({ "node": "DESK", "reason": "mended" }))
        .must(200);
    assert_eq!(asked["rearmed"], false);
    let id = asked["pending"]["id"].as_u64().expect("a number");
    let yes = json!({ "reason": "seen" });
    let path = format!("/api/v1/rearm/{id}/confirm");
    ann.post(&path, &yes).refused(409, "SECOND_PERSON_REQUIRED");
    eve.post(&path, &yes).refused(403, "NOT_PERMITTED");
    assert_eq!(eve.get("/api/v1/rearm").must(200)["data"], json!([]));
    assert_eq!(ben.post(&path, &yes).must(200)["rearmed"], true);
    admin
        .keyed("POST", "/api/v1/orders", "k2", &buy("FREE", "10"))
        .must(201);
}

#[test]
fn limits_are_set_shown_asked_and_removed() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let path = "/api/v1/limits/mine";
    admin.get(path).refused(404, "NOT_FOUND");
    admin
        .put(
            path,
            &json!({ "type": "MAX_ORDER_QTY", "hard": "10", "reason": "x" }),
        )
        .refused(422, "INVALID_VALUE");
    admin
        .put(
            path,
            &json!({ "scope": "FREE", "type": "NO_SUCH", "hard": "10", "reason": "x" }),
        )
        .refused(422, "INVALID_VALUE");
    admin
        .put(
            path,
            &json!({ "scope": "FREE", "type": "MAX_ORDER_QTY", "hard": "10", "reason": "" }),
        )
        .refused(422, "INVALID_VALUE");
    admin
        .put(
            path,
            &json!({ "scope": "FREE", "type": "MAX_ORDER_QTY", "hard": "10", "reason": "x" }),
        )
        .must(200);
    assert_eq!(admin.get(path).must(200)["limit"]["hard"], "10");
    admin
        .put(path, &json!({ "hard": "20", "reason": "more" }))
        .must(200);
    let usage = admin
        .get(&format!("{path}/usage?account=FREE&symbol=GIZMO"))
        .must(200);
    assert_eq!(usage["usage"]["hard"], "20");
    admin.delete(&format!("{path}?reason=done")).must(200);
    admin.get(path).refused(404, "NOT_FOUND");
    admin.delete(path).refused(400, "MALFORMED");
}

#[test]
fn reference_data_is_listed_and_made() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let symbols = |client: &Client| -> Vec<Value> {
        client.get("/api/v1/instruments").must(200)["data"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["symbol"].clone())
            .collect()
    };
    assert!(symbols(&admin).contains(&json!("GIZMO")));
    admin
        .put(
            "/api/v1/instruments/NEW",
            &json!({ "tick": "0.5", "reason": "x" }),
        )
        .refused(422, "INVALID_VALUE");
    let new = json!({ "currency": "USD", "kind": "EQUITY", "calendar": "UTC", "tick": "0.5", "mark": "10", "reason": "listed" });
    admin.put("/api/v1/instruments/NEW", &new).must(200);
    assert!(symbols(&admin).contains(&json!("NEW")));
    admin
        .put("/api/v1/instruments/NEW", &json!({ "tick": "0", "reason": "x" }))
        .refused(422, "INVALID_VALUE");
    let market = admin.get("/api/v1/market/NEW").must(200);
    assert_eq!(market["data"]["mark"], "10");
    admin.get("/api/v1/market/NOSUCH").refused(404, "NOT_FOUND");
    let account = json!({ "level": "ACCOUNT", "parent": "USER", "kind": "MARGIN", "currency": "USD", "reason": "new client" });
    admin.put("/api/v1/nodes/NEW-ACC", &account).must(200);
    let row = |code: &str| json!({ "account": code, "symbol": "NEW", "side": "BUY", "qty": "1", "px": "10" });
    admin
        .keyed("POST", "/api/v1/orders", "k", &row("NEW-ACC"))
        .must(201);
    assert!(
        admin.get("/api/v1/calendars").must(200)["data"]
            .as_array()
            .is_some_and(|rows| rows.iter().any(|row| row["name"] == "floor"))
    );
}

#[test]
fn without_a_store_there_is_no_history_and_that_is_said() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["store.enabled=false"]);
    let admin = engine.admin();
    admin.get("/api/v1/history/orders").refused(503, "NO_HISTORY");
}

#[test]
fn incidents_are_listed_and_taken() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    admin
        .post(
            "/api/v1/kill",
            &json!({ "node": "DESK", "reason": "to be told of" }),
        )
        .must(200);
    let mut incidents = Vec::new();
    while incidents.is_empty() {
        let answer = admin.get("/api/v1/alerts").must(200);
        incidents = answer["data"].as_array().cloned().unwrap_or_default();
        incidents.retain(|incident| incident["scope"] == "DESK");
    }
    let id = incidents[0]["id"].as_u64().expect("a number");
    let (_, viewer) = engine.user(&admin, "viewer", "VIEWER", Some("DESK"));
    let (_, other) = engine.user(&admin, "other", "RISK", Some("OTHER-DESK"));
    assert!(
        viewer.get("/api/v1/alerts").must(200)["data"]
            .as_array()
            .is_some_and(|rows| rows.iter().any(|row| row["id"] == id))
    );
    assert!(
        other.get("/api/v1/alerts").must(200)["data"]
            .as_array()
            .is_some_and(|rows| rows.iter().all(|row| row["id"] != id))
    );
    let path = format!("/api/v1/alerts/{id}/acknowledge");
    let comment = json!({ "comment": "looking" });
    viewer.post(&path, &comment).refused(403, "NOT_PERMITTED");
    other.post(&path, &comment).refused(404, "NOT_FOUND");
    admin.post(&path, &comment).must(200);
    admin
        .post("/api/v1/alerts/7/acknowledge", &comment)
        .refused(404, "NOT_FOUND");
}

#[test]
fn history_comes_in_pages_from_the_store_and_only_of_ones_own() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["store.enabled=true"]);
    let admin = engine.admin();
    for (number, account) in ["FREE", "FREE", "KILLED", "FREE"].iter().enumerate() {
        admin.keyed(
            "POST",
            "/api/v1/orders",
            &format!("k{number}"),
            &buy(account, "10"),
        );
    }
    let trade = json!({ "trades": [{ "account": "FREE", "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": "x" }] });
    assert_eq!(admin.post("/api/v1/trades", &trade).must(200)["booked"], 1);
    let rows =
        |client: &Client, path: &str| client.get(path).must(200)["data"].as_array().map_or(0, Vec::len);
    while rows(&admin, "/api/v1/history/trades") == 0 {
        std::thread::yield_now();
    }
    let all = rows(&admin, "/api/v1/history/orders");
    assert!(all >= 3, "{all}");
    let first = admin.get("/api/v1/history/orders?limit=2&account=FREE");
    assert!(first.headers["link"].contains("rel=\"next\""));
    let first = first.must(200);
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let second = admin
        .get(&format!(
            "/api/v1/history/orders?limit=2&account=FREE&cursor={cursor}"
        ))
        .must(200);
    assert_eq!(
        (
            first["data"].as_array().map(Vec::len),
            second["data"].as_array().map(Vec::len)
        ),
        (Some(2), Some(1))
    );
    assert!(second["next_cursor"].is_null());
    let (_, viewer) = engine.user(&admin, "viewer", "VIEWER", Some("DESK"));
    let own = viewer.get("/api/v1/history/orders").must(200);
    assert!(
        own["data"]
            .as_array()
            .is_some_and(|rows| rows.len() == 3 && rows.iter().all(|row| row["account"] == "FREE")),
        "{own}"
    );
    let (_, other) = engine.user(&admin, "other", "VIEWER", Some("OTHER-DESK"));
    assert_eq!(rows(&other, "/api/v1/history/trades"), 0);
    viewer.get("/api/v1/history/audit").refused(403, "NOT_PERMITTED");
    admin
        .get("/api/v1/history/orders?cursor=nonsense")
        .refused(422, "INVALID_VALUE");
    admin
        .get("/api/v1/history/orders?from=yesterday")
        .refused(400, "MALFORMED");
    assert!(rows(&admin, "/api/v1/history/audit") > 0 && rows(&admin, "/api/v1/ledger/entries") > 0);
}
