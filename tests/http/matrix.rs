//! Each role over every operation of the OpenAPI document and every channel of the live feed: what belongs to another desk is not
//! there. The operations are read from the document, so that a new one is in it by itself; a parameter that is not known here fails.
//!
//! Everything that belongs to a desk has its mark in its name: accounts, limits, orders, executions, reasons.

use crate::client::{Answer, Client, Engine, Place};
use crate::socket::Socket;
use serde_json::{Value, json};

const NORTH: &str = "NORTH-7";
const SOUTH: &str = "SOUTH-7";
const ROLES: [(&str, &[&str]); 5] = [
    ("VIEWER", &["READ"]),
    ("TRADER", &["READ", "TRADE"]),
    ("RISK", &["READ", "CONTROL"]),
    ("SERVICE", &["READ", "TRADE", "CAPTURE"]),
    ("ADMIN", &["READ", "TRADE", "CAPTURE", "CONTROL", "ADMIN"]),
];
const CHANNELS: [&str; 11] = [
    "positions",
    "pnl",
    "orders",
    "trades",
    "rejects",
    "limits",
    "alerts",
    "market",
    "latency",
    "health",
    "settlement",
];

/// What a desk has.
struct Desk {
    mark: &'static str,
    account: String,
    order: String,
    limit: String,
    user: u64,
    group: u64,
    recon_break: u64,
}

/// One of everything that a desk can have.
fn fill(engine: &Engine<'_>, admin: &Client, mark: &'static str) -> Desk {
    let (account, limit) = (format!("ACC-{mark}"), format!("lim-{mark}"));
    let why = format!("because of {mark}");
    let node = |level: &str, parent: &str| json!({ "level": level, "parent": parent, "reason": why });
    admin
        .put(&format!("/api/v1/nodes/{mark}"), &node("DESK", "ORG"))
        .must(200);
    let of_account =
        json!({ "level": "ACCOUNT", "parent": mark, "kind": "MARGIN", "currency": "USD", "reason": why });
    admin
        .put(&format!("/api/v1/nodes/{account}"), &of_account)
        .must(200);
    let bound = json!({ "scope": account, "type": "MAX_ORDER_QTY", "hard": "5000", "reason": why });
    admin.put(&format!("/api/v1/limits/{limit}"), &bound).must(200);
    let fees = json!({ "name": format!("FEE-{mark}"), "account": account, "model": "BPS", "rate": "1", "reason": why });
    admin.put("/api/v1/fee-schedules", &fees).must(200);
    let trade = |exec: &str, px: &str| json!({ "account": account, "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": px, "exec_id": format!("{exec}-{mark}") });
    // The second has a price that no order would have: a person has to look at it.
    let trades = json!({ "trades": [trade("E", "50"), trade("Q", "-1")] });
    admin.post("/api/v1/trades", &trades).must(200);
    let order =
        |qty: &str| json!({ "account": account, "symbol": "GIZMO", "side": "BUY", "qty": qty, "px": "50" });
    let placed = admin
        .keyed("POST", "/api/v1/orders", &format!("O-{mark}"), &order("10"))
        .must(201);
    admin
        .keyed("POST", "/api/v1/orders", &format!("R-{mark}"), &order("7"))
        .refused(422, "INVALID_LOT");
    let (user, risk) = engine.user(admin, &format!("risk-{mark}"), "RISK", Some(mark));
    let stop = json!({ "node": mark, "reason": why });
    risk.post("/api/v1/kill", &stop).must(200);
    risk.post("/api/v1/rearm", &stop).must(200); // waits for a second person
    let group = admin
        .post("/api/v1/groups", &json!({ "name": format!("g-{mark}") }))
        .must(201);
    let line = json!({ "type": "CASH", "account": account, "name": "USD", "amount": "7" });
    let found = admin
        .post(
            &format!("/api/v1/recon/statements?source=of-{mark}"),
            &json!({ "lines": [line] }),
        )
        .must(200);
    Desk {
        mark,
        account,
        order: placed["order_id"].as_str().expect("an id").to_owned(),
        limit,
        user,
        group: group["id"].as_u64().expect("a number"),
        recon_break: found["journaled"]["new"][0].as_u64().expect("a break"),
    }
}

/// A GET operation with the values of a desk.
struct Question {
    template: String,
    permission: String,
    address: String,
    /// True where the request itself names something of the desk.
    is_named: bool,
}

/// What stands for `{name}` in a path.
fn part(desk: &Desk, path: &str, name: &str) -> (String, bool) {
    let own = |value: &str| (value.to_owned(), true);
    let common = |value: &str| (value.to_owned(), false);
    match (path, name) {
        (path, "id") if path.starts_with("/api/v1/orders/") => own(&desk.order),
        (path, "id") if path.starts_with("/api/v1/users/") => own(&desk.user.to_string()),
        (path, "id") if path.starts_with("/api/v1/groups/") => own(&desk.group.to_string()),
        (path, "id") if path.starts_with("/api/v1/recon/breaks/") => own(&desk.recon_break.to_string()),
        (path, "code") if path.starts_with("/api/v1/accounts/") => own(&desk.account),
        ("/api/v1/nodes/{code}", "code") => own(desk.mark),
        (path, "label") if path.starts_with("/api/v1/limits/") => own(&desk.limit),
        (_, "symbol") => common("GIZMO"),
        (_, "report") => common("statement"),
        ("/api/v1/calendars/{name}", "name") => common("floor"),
        _ => panic!("{path} has a parameter {name} that this test does not know: say what it stands for"),
    }
}

/// Every GET operation: as it is, and with each parameter that names an account or node.
fn questions(spec: &Value, desk: &Desk) -> Vec<Question> {
    let mut questions = Vec::new();
    for (path, verbs) in spec["paths"].as_object().expect("paths") {
        let operation = &verbs["get"];
        if operation.is_null() || !path.starts_with("/api/") {
            continue;
        }
        let (mut address, mut is_named, mut filters) = (path.clone(), false, vec![]);
        for parameter in operation["parameters"].as_array().expect("parameters") {
            let name = parameter["name"].as_str().expect("a name");
            match (parameter["in"].as_str(), name) {
                (Some("path"), name) => {
                    let (value, is_own) = part(desk, path, name);
                    address = address.replace(&format!("{{{name}}}"), &value);
                    is_named |= is_own;
                }
                (_, "account") => filters.push(format!("account={}", desk.account)),
                (_, "node") => filters.push(format!("node={}", desk.mark)),
                _ => {}
            }
        }
        let question = |address: String, is_named: bool| Question {
            template: path.clone(),
            permission: operation["x-permission"].as_str().expect("who may").to_owned(),
            address,
            is_named,
        };
        questions.push(question(address.clone(), is_named));
        for filter in filters {
            questions.push(question(format!("{address}?{filter}"), true));
        }
    }
    questions
}

/// An answer, asked for again where the server says that it was busy.
fn get(client: &Client, address: &str) -> Answer {
    loop {
        let answer = client.get(address);
        if answer.status != 503 {
            return answer;
        }
        assert!(
            answer.headers.contains_key("retry-after"),
            "{address}: {}",
            answer.text
        );
        std::thread::yield_now();
    }
}

/// What somebody of a desk gets when he asks about another one.
fn check_stranger(client: &Client, who: &str, permissions: &[&str], question: &Question) {
    let answer = get(client, &question.address);
    let (address, status) = (&question.address, answer.status);
    let is_open = permissions
        .iter()
        .any(|permission| question.permission.starts_with(&format!("{permission} at")));
    let is_for_all = question.permission == "any user";
    assert!(status < 500, "{who}: {address} gives {status}: {}", answer.text);
    if !is_open && !is_for_all {
        assert_eq!(status, 403, "{who}: {address} needs {}", question.permission);
    } else if question.is_named {
        assert!(
            matches!(status, 403 | 404),
            "{who}: {address} gives {status}: {}",
            answer.text
        );
    } else {
        assert!(
            !answer.text.contains(SOUTH),
            "{who}: {address} tells of another desk: {}",
            answer.text
        );
        // What needs a parameter says so; everything else is there.
        assert!(
            matches!(status, 200 | 400),
            "{who}: {address} gives {status}: {}",
            answer.text
        );
    }
}

#[test]
fn no_role_sees_anything_of_another_desk_in_any_get_operation_of_the_document() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["store.enabled=true", "http.requests_per_s=0"]);
    let admin = engine.admin();
    let (north, south) = (fill(&engine, &admin, NORTH), fill(&engine, &admin, SOUTH));
    while !["trades", "orders", "refusals", "audit"].iter().all(|table| {
        let text = get(&admin, &format!("/api/v1/history/{table}")).text;
        text.contains(NORTH) && text.contains(SOUTH)
    }) || !get(&admin, "/api/v1/alerts").text.contains(SOUTH)
    {
        std::thread::yield_now();
    }
    let spec: Value = serde_json::from_str(&tradewind_http::openapi()).expect("JSON");
    let questions_of_south = questions(&spec, &south);
    assert!(questions_of_south.len() > 50, "{}", questions_of_south.len());
    // Who sees the firm sees the other desk, so that what others do not see is hidden and not absent.
    let told: Vec<&Question> = questions_of_south
        .iter()
        .filter(|question| get(&admin, &question.address).text.contains(SOUTH))
        .collect();
    assert!(told.len() > 35, "{}", told.len());
    for (role, permissions) in ROLES {
        let (_, client) = engine.user(&admin, &format!("n-{role}"), role, Some(NORTH));
        for question in &questions_of_south {
            check_stranger(&client, role, permissions, question);
        }
        // His own desk is open to him where his role opens it.
        for question in questions(&spec, &north) {
            let is_open = permissions
                .iter()
                .any(|permission| question.permission.starts_with(&format!("{permission} at")));
            let is_told = told.iter().any(|other| other.template == question.template);
            if is_open && is_told && question.is_named {
                let answer = get(&client, &question.address);
                assert!(
                    answer.status == 200 && answer.text.contains(NORTH),
                    "{role} at {NORTH}: {} gives {}: {}",
                    question.address,
                    answer.status,
                    answer.text
                );
            }
        }
    }
    let (nobody, stranger) = (engine.anybody(), nobody_in_particular(&engine, &admin));
    for question in &questions_of_south {
        if question.permission != "nobody in particular" {
            nobody.get(&question.address).refused(401, "UNAUTHENTICATED");
        }
        if question.permission != "any user" {
            stranger.get(&question.address).refused(403, "NOT_PERMITTED");
        }
    }
}

/// A user to whom nothing was ever granted.
fn nobody_in_particular(engine: &Engine<'_>, admin: &Client) -> Client {
    let password = "a long password";
    admin
        .post(
            "/api/v1/users",
            &json!({ "name": "stranger", "password": password }),
        )
        .must(201);
    engine.login("stranger", password)
}

#[test]
fn no_role_sees_anything_of_another_desk_in_any_channel_of_the_live_feed() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    for mark in [NORTH, SOUTH] {
        fill(&engine, &admin, mark);
    }
    while !get(&admin, "/api/v1/alerts").text.contains(SOUTH) {
        std::thread::yield_now();
    }
    let seen = |client: &Client| -> Vec<(&str, String)> {
        let mut socket = Socket::login(client);
        CHANNELS
            .iter()
            .map(|channel| (*channel, socket.snapshot(channel).to_string()))
            .collect()
    };
    let of_admin = seen(&admin);
    let told: Vec<&str> = of_admin
        .iter()
        .filter(|(_, frame)| frame.contains(NORTH) && frame.contains(SOUTH))
        .map(|(channel, _)| *channel)
        .collect();
    assert_eq!(
        told,
        [
            "positions",
            "pnl",
            "orders",
            "trades",
            "rejects",
            "limits",
            "alerts",
            "settlement"
        ]
    );
    for (role, _) in ROLES {
        let (_, client) = engine.user(&admin, &format!("n-{role}"), role, Some(NORTH));
        for (channel, frame) in seen(&client) {
            assert!(
                !frame.contains(SOUTH),
                "{role} at {NORTH} sees another desk in {channel}: {frame}"
            );
            assert_eq!(
                frame.contains(NORTH),
                told.contains(&channel),
                "{role} at {NORTH} in {channel}: {frame}"
            );
        }
    }
}

/// The operations of the document that change something, with who may; a path's parameters are such as there are none.
fn changes(spec: &Value) -> Vec<(String, String, String)> {
    let paths = spec["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, operations)| {
        let changing = operations.as_object().expect("operations").iter();
        let changing = changing.filter(|(method, _)| *method != "get");
        changing.map(move |(method, operation)| (method.to_uppercase(), path, &operation["x-permission"]))
    });
    let address = |path: &str| {
        let parts = path.split('/');
        let parts = parts.map(|part| if part.starts_with('{') { "987654" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    operations
        .map(|(method, path, need)| (method, address(path), need.as_str().expect("who may").to_owned()))
        .filter(|(.., need)| !["any user", "nobody in particular"].contains(&need.as_str()))
        .collect()
}

#[test]
fn no_role_changes_anything_that_the_document_does_not_open_to_it() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["http.requests_per_s=0"]);
    let admin = engine.admin();
    let spec: Value = serde_json::from_str(&tradewind_http::openapi()).expect("JSON");
    let changes = changes(&spec);
    assert!(changes.len() > 45, "{}", changes.len());
    let ask =
        |client: &Client, method: &str, address: &str| client.ask(method, address, &[], Some(&json!({})));
    let (nobody, stranger) = (engine.anybody(), nobody_in_particular(&engine, &admin));
    for (method, address, _) in &changes {
        ask(&nobody, method, address).refused(401, "UNAUTHENTICATED");
        ask(&stranger, method, address).refused(403, "NOT_PERMITTED");
    }
    for (role, permissions) in ROLES {
        let (_, client) = engine.user(&admin, &format!("d-{role}"), role, Some("DESK"));
        for (method, address, need) in &changes {
            let answer = ask(&client, method, address);
            let is_open = permissions
                .iter()
                .any(|permission| need.starts_with(&format!("{permission} at")));
            if is_open {
                let status = answer.status;
                assert!(
                    status < 500,
                    "{role}: {method} {address} gives {status}: {}",
                    answer.text
                );
            } else {
                answer.refused(403, "NOT_PERMITTED");
            }
        }
    }
}
