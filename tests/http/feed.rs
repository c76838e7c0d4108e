//! The live feed's door: who is let in, whose rights change while he looks, and who is thrown out.

use crate::client::{Client, Engine, Place, buy, grant};
use crate::socket::{Came, Socket};
use serde_json::json;

/// Close code: no token, or none that lets anybody in.
const NOT_AUTHENTICATED: u16 = 4001;
/// Close code: what let somebody in was taken away.
const REVOKED: u16 = 4003;
/// Heartbeats, which come once a second where nothing else does, that a revoked connection may still get: one that was on its way, and
/// one of the second that a revocation may take.
const HEARTBEATS_MAX: u32 = 2;

/// Accounts that a channel's snapshot names in its first column.
fn accounts(socket: &mut Socket, channel: &str) -> Vec<String> {
    let frame = socket.snapshot(channel);
    let rows = frame["data"].as_array().expect("rows");
    let names = rows.iter().filter_map(|row| row[0].as_str().map(str::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A position in two accounts of different desks.
fn trade(admin: &Client) {
    let trade = |account: &str| json!({ "account": account, "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": account });
    let both = json!({ "trades": [trade("FREE"), trade("KILLED")] });
    assert_eq!(admin.post("/api/v1/trades", &both).must(200)["booked"], 2);
}

/// The connection is closed as revoked, within a second of its own clock.
fn is_thrown_out(mut socket: Socket) {
    let mut heartbeats = 0;
    loop {
        match socket.next() {
            Came::Closed(code) => return assert_eq!(code, Some(REVOKED)),
            Came::Json(frame) => heartbeats += u32::from(frame["channel"] == "heartbeat"),
        }
        assert!(
            heartbeats <= HEARTBEATS_MAX,
            "it is still there after {heartbeats} seconds"
        );
    }
}

#[test]
fn a_token_and_a_key_let_in_and_nothing_else_does() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    trade(&admin);
    assert_eq!(
        accounts(&mut Socket::login(&admin), "positions"),
        ["FREE", "KILLED"]
    );
    let key = admin
        .post("/api/v1/auth/keys", &json!({ "label": "screen" }))
        .must(201);
    let by_key = engine.with_token(key["key"].as_str().expect("a key"));
    assert_eq!(
        accounts(&mut Socket::login(&by_key), "positions"),
        ["FREE", "KILLED"]
    );
    for token in ["", "twk_nonsense", "eyJ.nonsense.x"] {
        let mut socket = Socket::connect(&engine.anybody());
        socket.send(&json!({ "method": "authenticate", "req_id": 1, "params": { "token": token } }));
        assert_eq!(socket.end(), Some(NOT_AUTHENTICATED), "{token:?}");
    }
    let mut early = Socket::connect(&engine.anybody());
    let refused = early.ask("subscribe", &json!({ "channel": "positions" }));
    assert_eq!(refused["error"]["code"], "NOT_AUTHENTICATED");
}

#[test]
fn a_revoked_grant_ends_the_connection_within_a_second() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    trade(&admin);
    let (id, ann) = engine.user(&admin, "ann", "VIEWER", Some("DESK"));
    let (_, ben) = engine.user(&admin, "ben", "VIEWER", Some("DESK"));
    let (mut socket, mut other) = (Socket::login(&ann), Socket::login(&ben));
    assert_eq!(accounts(&mut socket, "positions"), ["FREE"]);
    assert_eq!(accounts(&mut other, "positions"), ["FREE"]);
    grant(&admin, id, "VIEWER", Some("DESK"), "REVOKED").must(200);
    is_thrown_out(socket);
    // Nobody else is disturbed.
    admin
        .keyed("POST", "/api/v1/orders", "k", &buy("FREE", "10"))
        .must(201);
    assert_eq!(accounts(&mut other, "orders").len(), 1);
}

#[test]
fn a_key_that_is_taken_away_and_a_login_that_ends_close_their_connections() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (_, service) = engine.user(&admin, "screen", "VIEWER", Some("DESK"));
    let made = service
        .post("/api/v1/auth/keys", &json!({ "label": "k" }))
        .must(201);
    let key = engine.with_token(made["key"].as_str().expect("a key"));
    let (by_key, by_login) = (Socket::login(&key), Socket::login(&service));
    let path = format!("/api/v1/auth/keys/{}", made["id"].as_str().expect("an id"));
    service.delete(&path).must(204);
    is_thrown_out(by_key);
    key.get("/api/v1/auth/me").refused(401, "UNAUTHENTICATED");
    service.post("/api/v1/auth/logout", &json!({})).must(204);
    is_thrown_out(by_login);
}

#[test]
fn an_advisor_sees_a_clients_account_while_the_client_lets_him() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    trade(&admin);
    let (_, client) = engine.user(&admin, "client", "TRADER", Some("FREE"));
    let (advisor_id, advisor) = engine.user(&admin, "advisor", "VIEWER", Some("KILLED"));
    let mut socket = Socket::login(&advisor);
    assert_eq!(accounts(&mut socket, "positions"), ["KILLED"]);
    grant(&client, advisor_id, "VIEWER", Some("FREE"), "GRANTED").must(200);
    // The grant shows in the connection that is there.
    loop {
        let frame = socket.frame_of("positions");
        if frame.to_string().contains("FREE") {
            break;
        }
    }
    grant(&client, advisor_id, "VIEWER", Some("FREE"), "REVOKED").must(200);
    is_thrown_out(socket);
    let again = engine.login("advisor", "a long password");
    assert_eq!(accounts(&mut Socket::login(&again), "positions"), ["KILLED"]);
}

#[test]
fn an_erased_user_is_thrown_out() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (id, ann) = engine.user(&admin, "ann", "VIEWER", Some("DESK"));
    let socket = Socket::login(&ann);
    admin.delete(&format!("/api/v1/users/{id}?reason=left")).must(204);
    is_thrown_out(socket);
}

#[test]
fn a_client_that_says_nothing_is_closed() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let mut silent = Socket::connect(&engine.anybody());
    match silent.next() {
        Came::Closed(code) => assert_eq!(code, Some(NOT_AUTHENTICATED)),
        Came::Json(message) => panic!("{message}"),
    }
}
