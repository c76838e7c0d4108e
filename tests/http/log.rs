//! The log of a running engine, as programs read it.

use crate::client::{Engine, Place, buy};
use crate::support::running::BINARY;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn every_line_is_an_object_names_its_request_and_has_no_secret() {
    let place = Place::new();
    let sets = ["log.format=json", "http.log=true", "log.status_interval_ms=20"];
    let engine = Engine::start_with(&place, &sets);
    // The first password is for one person: a log is for many.
    assert_eq!(engine.password, None);
    let file = place.data().join("first-login");
    let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = std::fs::read_to_string(&file).expect("text");
    let (user, password) = first.trim().split_once(' ').expect("user and password");
    let admin = engine.login(user, password);
    let token = admin.token().expect("a token").to_owned();
    let key = admin
        .post("/api/v1/auth/keys", &json!({ "label": "robot" }))
        .must(201)["key"]
        .as_str()
        .expect("a key")
        .to_owned();
    engine.with_token(&key).get("/api/v1/auth/me?secret=in-the-query");
    engine
        .with_token("no.such.token")
        .get("/api/v1/auth/me")
        .refused(401, "UNAUTHENTICATED");
    admin.get("/api/v1/nowhere").refused(404, "NOT_FOUND");
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [
        ("Idempotency-Key", "a-1"),
        ("X-Request-Id", "mine-7"),
        ("Traceparent", parent.as_str()),
    ];
    admin
        .ask("POST", "/api/v1/orders", &headers, Some(&buy("FREE", "10")))
        .must(201);
    let lines = engine.log();

    for secret in [password, &token, &key, "in-the-query", "no.such.token"] {
        assert!(
            !lines.iter().any(|line| line.contains(secret)),
            "{secret} is in the log"
        );
    }
    let read = |line: &String| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?} is no JSON"));
    let lines: Vec<Value> = lines.iter().map(read).collect();
    for line in &lines {
        for member in ["ts", "level", "target", "message"] {
            assert!(line[member].is_string(), "{line} has no {member}");
        }
    }
    let of = |target: &str| -> Vec<&Value> { lines.iter().filter(|line| line["target"] == target).collect() };
    for target in ["recovery", "reference", "http", "identity", "run", "status"] {
        assert!(!of(target).is_empty(), "nothing of {target}");
    }
    let order = { of("http").into_iter() }.find(|line| line["request_id"] == "mine-7");
    let order = order.expect("the request's line");
    assert_eq!(
        (
            &order["trace_id"],
            &order["route"],
            &order["status"],
            &order["user"]
        ),
        (&json!(TRACE), &json!("/api/v1/orders"), &json!(201), &json!(1))
    );
    let refused = |code: &str| of("http").iter().filter(|line| line["code"] == code).count();
    assert_eq!((refused("UNAUTHENTICATED"), refused("NOT_FOUND")), (1, 1));
}

#[test]
fn a_start_that_cannot_keep_the_first_password_makes_no_administrator_and_the_next_one_does() {
    let place = Place::new();
    let file = place.data().join("first-login");
    std::fs::create_dir_all(&file).expect("a folder in its place");
    let line = Engine::command_line(&place, &["log.format=json"]);
    let ended = Command::new(BINARY).args(line).output().expect("it starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("first-login"), "{said}");
    std::fs::remove_dir(&file).expect("an empty folder");
    let engine = Engine::start_with(&place, &["log.format=json"]);
    let first = std::fs::read_to_string(&file).expect("text");
    let (user, password) = first.trim().split_once(' ').expect("user and password");
    engine.login(user, password).get("/api/v1/users").must(200);
}
