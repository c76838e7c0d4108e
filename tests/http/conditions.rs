//! Conditions of requests (`If-Match`, `If-None-Match`), and what is left of a user's rate.

use crate::client::{Answer, Client, Engine, Place, buy};
use serde_json::{Value, json};

const LIMIT: &str = "/api/v1/limits/mine";

fn limit(hard: &str) -> Value {
    json!({ "scope": "FREE", "type": "MAX_ORDER_QTY", "hard": hard, "reason": "test" })
}

fn put_if(client: &Client, name: &str, tag: &str, hard: &str) -> Answer {
    client.ask("PUT", LIMIT, &[(name, tag)], Some(&limit(hard)))
}

fn tag(client: &Client, path: &str) -> String {
    client.get(path).headers["etag"].clone()
}

#[test]
fn a_change_is_made_only_where_its_condition_holds() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    put_if(&admin, "If-Match", "*", "10").refused(412, "PRECONDITION_FAILED");
    put_if(&admin, "If-None-Match", "*", "10").must(200);
    put_if(&admin, "If-None-Match", "*", "11").refused(412, "PRECONDITION_FAILED");
    let first = tag(&admin, LIMIT);
    assert_eq!(tag(&admin, LIMIT), first, "what is not changed keeps its tag");
    let changed = put_if(&admin, "If-Match", &first, "20");
    assert_eq!(
        changed.headers.get("etag"),
        None,
        "what is said of a change is not what was changed"
    );
    changed.must(200);
    put_if(&admin, "If-Match", &first, "30").refused(412, "PRECONDITION_FAILED");
    assert_eq!(admin.get(LIMIT).must(200)["limit"]["hard"], "20");
    let path = format!("{LIMIT}?reason=done");
    let delete = |tag: &str| admin.ask("DELETE", &path, &[("If-Match", tag)], None);
    delete(&first).refused(412, "PRECONDITION_FAILED");
    delete(&tag(&admin, LIMIT)).must(200);
    admin.get(LIMIT).refused(404, "NOT_FOUND");
}

#[test]
fn a_condition_with_nothing_whole_to_compare_with_does_not_hold() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    // Nothing is read at this path.
    let kill = json!({ "node": "FREE", "reason": "test" });
    let killed = admin.ask("POST", "/api/v1/kill", &[("If-Match", "*")], Some(&kill));
    killed.refused(412, "PRECONDITION_FAILED");
    // Here a page is: an order that is not on it would leave its tag as it is.
    for path in ["/api/v1/orders", "/api/v1/trades"] {
        let page = tag(&admin, path);
        let headers = [("Idempotency-Key", "a-1"), ("If-Match", page.as_str())];
        let placed = admin.ask("POST", path, &headers, Some(&buy("FREE", "10")));
        placed.refused(412, "PRECONDITION_FAILED");
    }
}

/// Trading days, eight at one time, as a calendar takes them.
fn days(numbers: std::ops::Range<usize>) -> Value {
    let day = |number: usize| {
        let (year, month) = (2_100 + number / 336, 1 + number / 28 % 12);
        let date = format!("{year}-{month:02}-{:02}", 1 + number % 28);
        let at = |hour: u8| format!("{date}T{hour:02}:00:00Z");
        json!({ "date": date, "roll": at(0), "open": at(1), "close": at(2) })
    };
    json!({ "days": numbers.map(day).collect::<Vec<_>>(), "reason": "test" })
}

#[test]
fn a_calendars_tag_is_that_of_the_days_too_that_its_listing_has_no_room_for() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let path = "/api/v1/calendars/LONG";
    for first in (0..1_000).step_by(8) {
        admin.put(path, &days(first..first + 8)).must(200);
    }
    let (seen, listed) = (tag(&admin, path), admin.get(path).must(200)["days"].clone());
    assert_eq!(listed.as_array().map(Vec::len), Some(1_000));
    admin.put(path, &days(1_000..1_001)).must(200);
    assert_eq!(admin.get(path).must(200)["days"], listed);
    let late = admin.ask("PUT", path, &[("If-Match", &seen)], Some(&days(1_001..1_002)));
    late.refused(412, "PRECONDITION_FAILED");
    let now = tag(&admin, path);
    let made = admin.ask("PUT", path, &[("If-Match", &now)], Some(&days(1_001..1_002)));
    made.must(200);
}

#[test]
fn a_weak_tag_spares_a_body_and_changes_nothing() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    admin.put(LIMIT, &limit("10")).must(200);
    let strong = tag(&admin, LIMIT);
    let weak = format!("W/{strong}");
    put_if(&admin, "If-Match", &weak, "20").refused(412, "PRECONDITION_FAILED");
    let read = |name: &str, tag: &str| admin.ask("GET", LIMIT, &[(name, tag)], None);
    assert_eq!(read("If-None-Match", &weak).status, 304);
    assert_eq!(read("If-None-Match", &strong).status, 304);
    // A read is held to If-Match too.
    read("If-Match", &strong).must(200);
    read("If-Match", &weak).refused(412, "PRECONDITION_FAILED");
    // The page's own files are compared alike.
    let page = tag(&admin, "/");
    for known in [page.clone(), format!("W/{page}"), format!("\"x\", {page}")] {
        let again = engine
            .anybody()
            .ask("GET", "/", &[("If-None-Match", &known)], None);
        assert_eq!(again.status, 304, "{known}");
    }
}

#[test]
fn nobody_learns_from_a_condition_what_he_may_not_read() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    admin.put(LIMIT, &limit("10")).must(200);
    let seen = tag(&admin, LIMIT);
    let (_, stranger) = engine.user(&admin, "stranger", "RISK", Some("OTHER-DESK"));
    for path in [LIMIT, "/api/v1/limits/nobodys"] {
        let without = stranger.put(path, &limit("20"));
        for tag in [seen.as_str(), "*"] {
            let ask = |name: &str| stranger.ask("PUT", path, &[(name, tag)], Some(&limit("20")));
            // Another desk's limit is not there, whoever knows its tag; and what is not there is no reason to refuse.
            ask("If-Match").refused(412, "PRECONDITION_FAILED");
            ask("If-None-Match").refused(without.status, &without.code());
        }
    }
    assert_eq!(admin.get(LIMIT).must(200)["limit"]["hard"], "10");
}

#[test]
fn of_changes_with_the_same_tag_at_one_time_one_is_made() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    admin.put(LIMIT, &limit("10")).must(200);
    let first = tag(&admin, LIMIT);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let change = |hard: usize| {
            let (admin, first) = (&admin, &first);
            scope.spawn(move || put_if(admin, "If-Match", first, &hard.to_string()).status)
        };
        let changes: Vec<_> = (20..28).map(change).collect();
        { changes.into_iter() }
            .map(|change| change.join().expect("an answer"))
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 412).count(),
        7,
        "{statuses:?}"
    );
}

#[test]
fn an_order_is_replaced_as_it_was_seen_and_a_repeat_gets_the_first_answer() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let placed = admin
        .keyed("POST", "/api/v1/orders", "a-1", &buy("FREE", "10"))
        .must(201);
    let path = format!("/api/v1/orders/{}", placed["order_id"].as_str().expect("an id"));
    let seen = tag(&admin, &path);
    // Other events come, and what was seen is still what is there.
    admin
        .keyed("POST", "/api/v1/orders", "a-2", &buy("FREE", "10"))
        .must(201);
    assert_eq!(tag(&admin, &path), seen);
    let cancel = |tag: &str| admin.ask("DELETE", &path, &[("If-Match", tag)], None);
    cancel("\"other\"").refused(412, "PRECONDITION_FAILED");
    let again = |body: &Value| {
        let headers = [("Idempotency-Key", "a-1"), ("If-None-Match", "*")];
        admin.ask("POST", "/api/v1/orders", &headers, Some(body))
    };
    let repeated = again(&buy("FREE", "10"));
    assert_eq!(repeated.headers["idempotency-replayed"], "true");
    assert_eq!(repeated.must(201)["order_id"], placed["order_id"]);
    // A key that names an order names no other change, which is held to its condition.
    let headers = [("Idempotency-Key", "a-1"), ("If-Match", "\"other\"")];
    let announced = admin.ask("POST", "/api/v1/corporate-actions", &headers, Some(&json!({})));
    announced.refused(412, "PRECONDITION_FAILED");
    assert!(cancel(&seen).status < 300);
}

#[test]
fn answers_say_what_is_left_of_the_rate() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["http.requests_per_s=1", "http.requests_burst=5"]);
    let admin = engine.admin();
    let first = admin.get("/api/v1/auth/me");
    assert_eq!(first.headers["ratelimit-policy"], "\"user\";q=5;w=5");
    assert_eq!(first.headers["ratelimit"], "\"user\";r=4;t=1");
    let mut answers = (0..1_000).map(|_| admin.get("/api/v1/auth/me"));
    let refused = answers.find(|answer| answer.status == 429).expect("a refusal");
    refused.refused(429, "RATE_LIMITED");
    assert!(
        refused.headers["ratelimit"].starts_with("\"user\";r=0;t="),
        "{:?}",
        refused.headers
    );
    assert!(refused.headers.contains_key("retry-after"));
}
