//! Requests made from the OpenAPI document: right ones, nearly right ones and nonsense for every operation. Whatever comes, the server
//! answers with what the document says or with a problem, and never with a fault of its own.
//!
//! The generator has a seed of its own, so a failure comes again; the request is printed with it.

use crate::client::{Answer, Client, Engine, Place, grant};
use crate::shape::differences;
use serde_json::{Map, Value, json};
use tradewind_domain::reject::RejectCode;
use tradewind_http::ProblemCode;

const SEED: u64 = 0x7d1e_5eed;
/// Requests of each operation.
const CASES: u32 = 24;
const PASSWORD: &str = "a long password";
/// Problems that are no fault, whatever was asked.
const PASSING: [&str; 2] = ["BUSY", "RATE_LIMITED"];

/// Steele, Lea and Flood's SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    /// True so many times of a hundred.
    fn is(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// Texts that a member of this name may have, some of them right.
fn usual(name: &str) -> &'static [&'static str] {
    match name {
        "account" | "scope" | "node" | "confirm" => &["FREE", "KILLED", "DESK"],
        "parent" => &["DESK", "USER", "FREE"],
        "code" => &["FREE", "NEW-1", "DESK"],
        "symbol" => &["GIZMO", "FUT", "NEWS"],
        "side" => &["BUY", "SELL", "SELL_SHORT"],
        "qty" | "leaves" | "hard" => &["10", "100", "5000"],
        "px" | "stop_px" | "rate" | "amount" | "mark" => &["50", "49.5", "0.01"],
        "tick" | "lot" | "mult" => &["1", "0.01"],
        "type" => &["LIMIT", "MARKET", "MAX_ORDER_QTY"],
        "tif" => &["DAY", "IOC", "GTC", "GTD"],
        "level" => &["DESK", "ACCOUNT", "STRATEGY", "REDUCE_ONLY", "KILL"],
        "role" => &["VIEWER", "TRADER", "RISK"],
        "status" => &["GRANTED", "REVOKED", "APPLIED", "NONE"],
        "action" => &["SPLIT", "CASH_DIVIDEND", "RELEASE", "REJECT", "REPAIR", "BLOCK"],
        "ratio" => &["2:1", "1:3"],
        "kind" => &["EQUITY", "MARGIN", "CASH", "order_new"],
        "currency" => &["USD", "EUR"],
        "method" => &["FIFO", "HIFO", "AVCO"],
        "model" => &["BPS", "PER_UNIT", "FLAT"],
        "format" => &["json", "csv", "html"],
        "calendar" | "settle_calendar" => &["floor", "UTC"],
        "from" | "to" | "ex_date" | "pay_date" | "trade_date" | "date" => &["2026-03-02", "2030-01-01"],
        "roll" | "open" | "close" | "expires" => &["2030-01-01T00:00:00Z", "2031-05-05T12:00:00.000000001Z"],
        "state" => &["open", "all", "WORKING"],
        "group" => &["account", "node", "sector"],
        "length" => &["second", "minute"],
        "label" | "name" | "user" => &["l01", "floor", "ann"],
        "report" => &[
            "statement",
            "pnl",
            "tax-lots",
            "harvest",
            "breaches",
            "order-to-trade",
        ],
        "exec_id" | "exec_ref_id" => &["x1", "x2", "x3"],
        // The tester's own stays as it is.
        "old_password" => &["no password of anybody"],
        "password" | "new_password" => &["another long one"],
        "id" | "seq" => &["0-1", "0-2", "1", "9"],
        _ => &["why", "1"],
    }
}

/// Texts that no member should have.
const HOSTILE: [&str; 18] = [
    "",
    " ",
    "\u{0}",
    "é√𝕏",
    "-1",
    "0",
    "1e400",
    "NaN",
    "99999999999999999999999999999999999999",
    "-0.000000001",
    "170141183460469231731687303715884105727",
    "2026-02-30",
    "9999-12-31T23:59:60Z",
    "'; DROP TABLE users; --",
    "../../etc/passwd",
    "{{7*7}}",
    "\"\\\r\n",
    "<script>alert(1)</script>",
];

fn text(dice: &mut Dice, name: &str) -> String {
    match dice.below(12) {
        0 => "x".repeat(1 + dice.below(3_000)),
        1 | 2 => dice.of(&HOSTILE).to_owned(),
        _ => dice.of(usual(name)).to_owned(),
    }
}

/// A value of a schema, or what is nearly one.
fn value(dice: &mut Dice, name: &str, schema: &Value) -> Value {
    if dice.is(4) {
        let wrong = [
            json!(null),
            json!([]),
            json!({}),
            json!(-1),
            json!(1.5),
            json!(u64::MAX),
            json!(true),
            json!([[[[]]]]),
        ];
        return wrong[dice.below(wrong.len())].clone();
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let choice = dice.below(choices.len());
        return value(dice, name, &choices[choice]);
    }
    match schema["type"].as_str() {
        Some("object") => object(dice, schema),
        Some("array") => (0..dice.below(4))
            .map(|_| value(dice, name, &schema["items"]))
            .collect(),
        Some("integer") => json!([0, 1, 2, 7, 99, u64::from(u32::MAX)][dice.below(6)]),
        Some("boolean") => json!(dice.is(50)),
        Some("null") => Value::Null,
        _ => text(dice, name).into(),
    }
}

fn object(dice: &mut Dice, schema: &Value) -> Value {
    let mut members = Map::new();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .map_or_else(Vec::new, |names| names.iter().filter_map(Value::as_str).collect());
    let (often, rarely) = (97, [25, 60][dice.below(2)]);
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if dice.is(if required.contains(&name.as_str()) {
            often
        } else {
            rarely
        }) {
            members.insert(name.clone(), value(dice, name, schema));
        }
    }
    if dice.is(3) {
        members.insert("not_a_member".into(), 1.into());
    }
    Value::Object(members)
}

/// For an address, whose length is bounded.
fn escaped(text: &str) -> String {
    text.bytes()
        .take(300)
        .map(|byte| format!("%{byte:02X}"))
        .collect()
}

/// One request.
struct Request {
    method: String,
    address: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Request {
    fn of(dice: &mut Dice, path: &str, method: &str, operation: &Value, number: u32) -> Self {
        let (mut address, mut query, mut headers) = (path.to_owned(), Vec::new(), Vec::new());
        for parameter in operation["parameters"].as_array().expect("parameters") {
            let name = parameter["name"].as_str().expect("a name");
            match parameter["in"].as_str() {
                Some("path") => {
                    let part = escaped(&text(dice, name));
                    address = address.replace(&format!("{{{name}}}"), &part);
                }
                Some("query")
                    if dice.is(if name == "account" || name == "reason" {
                        80
                    } else {
                        25
                    }) =>
                {
                    let text = match parameter["schema"]["type"].as_str() {
                        Some("integer") => dice
                            .of(&["0", "1", "100", "-1", "1e3", "99999999999999999999"])
                            .to_owned(),
                        Some("boolean") => dice.of(&["true", "false", "maybe"]).to_owned(),
                        _ => text(dice, name),
                    };
                    query.push(format!("{name}={}", escaped(&text)));
                }
                Some("header") if name == "Idempotency-Key" && dice.is(95) => {
                    let key = match dice.is(90) {
                        true => format!("k-{number}"),
                        false => "x".repeat(1 + dice.below(80)),
                    };
                    headers.push(("Idempotency-Key", key));
                }
                Some("header") if dice.is(3) => {
                    let name = ["If-Match", "If-None-Match"].into_iter().find(|one| *one == name);
                    let tag = dice.of(&["*", "\"0\"", "nonsense", "W/\"", ","]).to_owned();
                    headers.extend(name.map(|name| (name, tag)));
                }
                _ => {}
            }
        }
        if dice.is(3) {
            query.push("not_a_parameter=1&=&&%ff=%".to_owned());
        }
        if !query.is_empty() {
            address = format!("{address}?{}", query.join("&"));
        }
        let body = body(dice, &operation["requestBody"]["content"], &mut headers);
        Self {
            method: method.to_uppercase(),
            address,
            headers,
            body,
        }
    }

    fn send(&self, client: &Client) -> Answer {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        client.raw(&self.method, &self.address, &headers, &self.body)
    }
}

fn body(dice: &mut Dice, content: &Value, headers: &mut Vec<(&'static str, String)>) -> Vec<u8> {
    let Some(content) = content.as_object() else {
        return Vec::new();
    };
    let types: Vec<&str> = content.keys().map(String::as_str).collect();
    let kind = dice.of(&types);
    let named = match dice.is(97) {
        true => kind,
        false => "application/x-nonsense",
    };
    headers.push(("Content-Type", named.to_owned()));
    if dice.is(5) {
        let broken: [&[u8]; 7] = [
            b"",
            b"{",
            b"null",
            b"\xff\xfe",
            b"{\"a\":1}{",
            b"[1,2,3]",
            &[b'['; 5_000],
        ];
        return broken[dice.below(broken.len())].to_vec();
    }
    match kind {
        "text/csv" => format!(
            "account,symbol,side,qty,px,exec_id\nFREE,GIZMO,BUY,{},{},c-{}\n",
            text(dice, "qty"),
            text(dice, "px"),
            dice.next()
        )
        .into_bytes(),
        kind => value(dice, "", &content[kind]["schema"]).to_string().into_bytes(),
    }
}

/// What is wrong with an answer.
fn fault(operation: &Value, answer: &Answer) -> Option<String> {
    let kind = answer.headers.get("content-type").map_or("", String::as_str);
    if !answer.headers.contains_key("x-request-id") {
        return Some("it does not name its request".to_owned());
    }
    if answer.status >= 400 {
        if kind != "application/problem+json" {
            return Some(format!("a refusal is {kind}"));
        }
        let problem = answer.json();
        let code = answer.code();
        let is_ours = ProblemCode::ALL.iter().any(|known| known.text() == code);
        let is_the_engines = RejectCode::ALL.iter().any(|known| known.text() == code);
        if !is_ours && !is_the_engines {
            return Some(format!("{code:?} is no code"));
        }
        let is_whole = problem["status"] == answer.status && problem["title"].is_string();
        let is_passing = PASSING.contains(&answer.code().as_str());
        return match (is_whole, answer.status >= 500 && !is_passing) {
            (false, _) => Some("the problem is no whole one".to_owned()),
            (_, true) => Some("it is a fault of the server".to_owned()),
            _ => None,
        };
    }
    let described = &operation["responses"][answer.status.to_string()];
    if described.is_null() {
        return Some(format!("{} is not described", answer.status));
    }
    let content = described["content"].as_object();
    if content.is_none_or(Map::is_empty) {
        return (!answer.text.is_empty()).then(|| "it has a body that is not described".to_owned());
    }
    let schema = content.and_then(|content| content.get(kind));
    let Some(schema) = schema else {
        return Some(format!("{kind:?} is not described"));
    };
    let mut found = Vec::new();
    if kind == "application/json" {
        differences(&answer.json(), &schema["schema"], "", &mut found);
    }
    (!found.is_empty()).then(|| format!("{found:?}"))
}

#[test]
fn whatever_is_asked_the_answer_is_what_the_document_says_or_a_problem() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["store.enabled=true", "http.requests_per_s=0"]);
    let admin = engine.admin();
    let made = admin
        .post(
            "/api/v1/users",
            &json!({ "name": "tester", "password": PASSWORD }),
        )
        .must(201);
    let id = made["id"].as_u64().expect("a number");
    grant(&admin, id, "ADMIN", None, "GRANTED").must(200);
    let mut client = engine.login("tester", PASSWORD);
    let trade = json!({ "trades": [{ "account": "FREE", "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": "x1" }] });
    client.post("/api/v1/trades", &trade).must(200);

    let spec: Value = serde_json::from_str(&tradewind_http::openapi()).expect("JSON");
    let mut dice = Dice(SEED);
    let (mut asked, mut fulfilled) = (0, 0);
    for (path, verbs) in spec["paths"].as_object().expect("paths") {
        for (method, operation) in verbs.as_object().expect("verbs") {
            let mut is_fulfilled = false;
            for number in 0..CASES {
                let request = Request::of(&mut dice, path, method, operation, number);
                let mut answer = request.send(&client);
                if answer.status == 401 && operation["x-permission"] != "nobody in particular" {
                    // It logged itself out, or took its own access away.
                    client = again(&engine, id);
                    answer = request.send(&client);
                }
                is_fulfilled |= answer.status < 300;
                if let Some(fault) = fault(operation, &answer) {
                    let Request {
                        method,
                        address,
                        headers,
                        body,
                    } = request;
                    panic!(
                        "{fault}\n{method} {address}\n{headers:?}\n{}\ngives {} {}",
                        String::from_utf8_lossy(&body),
                        answer.status,
                        answer.text
                    );
                }
            }
            asked += 1;
            fulfilled += u32::from(is_fulfilled);
        }
    }
    assert!(asked > 90, "{asked} operations");
    assert!(
        fulfilled * 2 > asked,
        "only {fulfilled} of {asked} operations were ever fulfilled"
    );
    engine.anybody().get("/health").must(200);
    engine.stop();
}

/// The tester's access anew, given by the machine's operator with a new password (guesses at the old one may have locked him out), and a
/// token of after that.
fn again(engine: &Engine<'_>, id: u64) -> Client {
    let user = id.to_string();
    let ask = |args: &[&str]| -> Value {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .arg("user")
            .args(args)
            .args(["--json", "--reason", "test", "--operator", "root", "--data"])
            .arg(engine.data())
            .output()
            .expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        serde_json::from_str(&said).expect("JSON")
    };
    ask(&["grant", &user, "--role", "ADMIN"]);
    let password = ask(&["password", &user])["password"].clone();
    let body = json!({ "user": "tester", "password": password });
    loop {
        let answer = engine.anybody().post("/api/v1/auth/login", &body);
        if answer.status != 429 {
            let tokens = answer.must(200);
            return engine.with_token(tokens["access_token"].as_str().expect("a token"));
        }
        std::thread::yield_now();
    }
}
