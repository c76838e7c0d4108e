//! Who is let in, who may do what, and how it ends.

use crate::client::{Client, Engine, Place, buy, grant, of_kind};
use serde_json::{Value, json};
use tradewind_domain::codes::AccessStatus;
use tradewind_domain::event::{AccessSet, Kind};

fn me(client: &Client) -> Value {
    client.get("/api/v1/auth/me").must(200)
}

#[test]
fn the_first_start_gives_one_administrator_who_gives_the_others_access() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    assert_eq!(
        me(&admin)["permissions"],
        json!(["READ", "TRADE", "CAPTURE", "CONTROL", "ADMIN"])
    );
    let ann = admin.post("/api/v1/users", &json!({ "name": "ann", "full_name": "Ann Example", "mail": "ann@example.org", "password": "a long password" })).must(201);
    let client = engine.login("ann", "a long password");
    assert_eq!(me(&client)["permissions"], json!([]), "a new user may do nothing");
    client.get("/api/v1/positions").refused(403, "NOT_PERMITTED");
    grant(
        &admin,
        ann["id"].as_u64().expect("a number"),
        "VIEWER",
        Some("DESK"),
        "GRANTED",
    )
    .must(200);
    client.get("/api/v1/positions").must(200);
    client.get("/api/v1/users").refused(403, "NOT_PERMITTED");
    let twice = admin.post("/api/v1/users", &json!({ "name": "ANN" }));
    twice.refused(409, "CONFLICT");
    let last = grant(&admin, 1, "ADMIN", None, "REVOKED");
    last.refused(409, "CONFLICT");
    let events = engine.stop();
    let grants = of_kind(&events, Kind::AccessSet);
    let authors: Vec<&str> = grants
        .iter()
        .map(|event| event.body::<AccessSet>().author.as_str())
        .collect();
    assert_eq!(authors, ["engine", "u1"]);
    let names = [&b"ann"[..], b"Ann Example", b"example.org"];
    for file in std::fs::read_dir(place.data().join("journal")).expect("a folder") {
        let bytes = std::fs::read(file.expect("an entry").path()).unwrap_or_default();
        for name in names {
            assert!(
                !bytes.windows(name.len()).any(|window| window == name),
                "a name stands in the journal"
            );
        }
    }
}

#[test]
fn nobody_comes_in_without_a_token_that_counts() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let nobody = engine.anybody();
    let answer = nobody.get("/api/v1/positions");
    assert!(answer.headers.contains_key("www-authenticate"));
    answer.refused(401, "UNAUTHENTICATED");
    for token in ["x", "a.b.c", "twk_a_b", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."] {
        engine
            .with_token(token)
            .get("/api/v1/positions")
            .refused(401, "UNAUTHENTICATED");
    }
    let login = |user: &str, password: &str| {
        nobody.post(
            "/api/v1/auth/login",
            &json!({ "user": user, "password": password }),
        )
    };
    login("admin", "wrong password").refused(401, "BAD_CREDENTIALS");
    login("nobody", "wrong password").refused(401, "BAD_CREDENTIALS");
    for _ in 0..4 {
        login("admin", "wrong password").refused(401, "BAD_CREDENTIALS");
    }
    let locked = login("admin", engine.password.as_deref().expect("a first start"));
    assert!(
        locked.headers["retry-after"]
            .parse::<u64>()
            .is_ok_and(|seconds| seconds > 800)
    );
    locked.refused(429, "LOCKED_OUT");
}

#[test]
fn tokens_are_renewed_once_and_end_with_the_logout() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let nobody = engine.anybody();
    let password = engine.password.clone().expect("a first start");
    let tokens = nobody
        .post(
            "/api/v1/auth/login",
            &json!({ "user": "admin", "password": password }),
        )
        .must(200);
    assert_eq!(
        (
            &tokens["token_type"],
            &tokens["expires_in"],
            &tokens["user"]["name"]
        ),
        (&json!("Bearer"), &json!(3600), &json!("admin"))
    );
    let renew = |token: &Value| nobody.post("/api/v1/auth/refresh", &json!({ "refresh_token": token }));
    let next = renew(&tokens["refresh_token"]).must(200);
    let client = engine.with_token(next["access_token"].as_str().expect("a token"));
    client.get("/api/v1/auth/me").must(200);
    client
        .post(
            "/api/v1/auth/logout",
            &json!({ "refresh_token": next["refresh_token"] }),
        )
        .must(204);
    client.get("/api/v1/auth/me").refused(401, "TOKEN_REVOKED");
    renew(&next["refresh_token"]).refused(401, "UNAUTHENTICATED");
    let other = engine.login("admin", &password);
    let change = json!({ "old_password": password, "new_password": "another long one" });
    other.post("/api/v1/auth/password", &change).must(204);
    other.get("/api/v1/auth/me").refused(401, "TOKEN_REVOKED");
    engine.login("admin", "another long one");
}

#[test]
fn an_api_key_acts_for_its_user_until_it_is_taken_away() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (_, service) = engine.user(&admin, "algo", "SERVICE", Some("FREE"));
    let made = service
        .post("/api/v1/auth/keys", &json!({ "label": "colo" }))
        .must(201);
    let key = engine.with_token(made["key"].as_str().expect("a key"));
    key.keyed("POST", "/api/v1/orders", "k", &buy("FREE", "10"))
        .must(201);
    key.keyed("POST", "/api/v1/orders", "k", &buy("FREE-2", "10"))
        .refused(403, "NOT_PERMITTED");
    let listed = service.get("/api/v1/auth/keys").must(200);
    assert!(listed["data"][0]["key"].is_null() && listed["data"][0]["label"] == "colo");
    service
        .delete(&format!(
            "/api/v1/auth/keys/{}",
            made["id"].as_str().expect("an id")
        ))
        .must(204);
    key.get("/api/v1/auth/me").refused(401, "UNAUTHENTICATED");
}

#[test]
fn a_revocation_ends_tokens_from_before_it_at_once() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (id, ann) = engine.user(&admin, "ann", "TRADER", Some("DESK"));
    let key = ann.post("/api/v1/auth/keys", &json!({ "label": "k" })).must(201);
    let key = engine.with_token(key["key"].as_str().expect("a key"));
    key.get("/api/v1/auth/me").must(200);
    grant(&admin, id, "TRADER", Some("DESK"), "REVOKED").must(200);
    ann.get("/api/v1/auth/me").refused(401, "TOKEN_REVOKED");
    key.get("/api/v1/auth/me").refused(401, "TOKEN_REVOKED");
    let again = engine.login("ann", "a long password");
    assert_eq!(me(&again)["permissions"], json!([]));
    let password = engine.password.clone().expect("a first start");
    engine.stop();
    let engine = Engine::start(&place);
    ann_of(&engine, &ann)
        .get("/api/v1/auth/me")
        .refused(401, "TOKEN_REVOKED");
    let admin = engine.login("admin", &password);
    assert_eq!(
        admin.get(&format!("/api/v1/access?user={id}")).must(200)["data"][0]["status"],
        "REVOKED"
    );
}

/// The same token at another address.
fn ann_of(engine: &Engine<'_>, client: &Client) -> Client {
    engine.with_token(client.token().expect("a token"))
}

#[test]
fn a_client_gives_an_advisor_a_view_of_his_accounts_and_takes_it_back() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (client_id, client) = engine.user(&admin, "client", "TRADER", Some("FREE"));
    let (advisor_id, _) = engine.user(&admin, "advisor", "VIEWER", Some("KILLED"));
    let advisor = engine.login("advisor", "a long password");
    advisor
        .get("/api/v1/positions?account=FREE")
        .refused(403, "NOT_PERMITTED");
    grant(&client, advisor_id, "VIEWER", Some("FREE"), "GRANTED").must(200);
    advisor.get("/api/v1/positions?account=FREE").must(200);
    // He may give no more than a view, of no more than his own, and nothing to himself.
    grant(&client, advisor_id, "TRADER", Some("FREE"), "GRANTED").refused(403, "NOT_PERMITTED");
    grant(&client, advisor_id, "VIEWER", Some("FREE-2"), "GRANTED").refused(403, "NOT_PERMITTED");
    grant(&client, advisor_id, "VIEWER", Some("KILLED"), "REVOKED").refused(403, "NOT_PERMITTED");
    grant(&client, client_id, "VIEWER", Some("FREE"), "GRANTED").refused(403, "NOT_PERMITTED");
    grant(&advisor, client_id, "VIEWER", Some("FREE"), "REVOKED").refused(403, "NOT_PERMITTED");
    grant(&client, advisor_id, "VIEWER", Some("FREE"), "REVOKED").must(200);
    advisor.get("/api/v1/auth/me").refused(401, "TOKEN_REVOKED");
    let advisor = engine.login("advisor", "a long password");
    advisor
        .get("/api/v1/positions?account=FREE")
        .refused(403, "NOT_PERMITTED");
    advisor.get("/api/v1/positions?account=KILLED").must(200);
}

#[test]
fn access_is_applied_for_seen_and_granted() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let made = admin
        .post(
            "/api/v1/users",
            &json!({ "name": "ann", "password": "a long password" }),
        )
        .must(201);
    let id = made["id"].as_u64().expect("a number");
    let ann = engine.login("ann", "a long password");
    let status = |client: &Client| client.get("/api/v1/access").must(200)["data"][0]["status"].clone();
    grant(&ann, id, "VIEWER", Some("FREE"), "APPLIED").must(200);
    assert_eq!(status(&ann), "APPLIED");
    ann.get("/api/v1/positions").refused(403, "NOT_PERMITTED");
    grant(&ann, id, "VIEWER", Some("FREE"), "GRANTED").refused(403, "NOT_PERMITTED");
    grant(&ann, 1, "VIEWER", Some("FREE"), "APPLIED").refused(403, "NOT_PERMITTED");
    grant(&admin, id, "VIEWER", Some("FREE"), "AWAITING_APPROVAL").must(200);
    assert_eq!(status(&ann), "AWAITING_APPROVAL");
    grant(&admin, id, "VIEWER", Some("FREE"), "GRANTED").must(200);
    ann.get("/api/v1/positions").must(200);
    grant(&ann, id, "TRADER", Some("FREE"), "APPLIED").refused(409, "CONFLICT");
    grant(&admin, id, "VIEWER", Some("NOSUCH"), "GRANTED").refused(422, "UNKNOWN_NODE");
    grant(&admin, 99, "VIEWER", Some("FREE"), "GRANTED").refused(422, "INVALID_VALUE");
    let events = engine.stop();
    let statuses: Vec<u8> = of_kind(&events, Kind::AccessSet)
        .iter()
        .filter(|event| !event.is_rejected())
        .map(|event| event.body::<AccessSet>().status)
        .collect();
    use AccessStatus::{Applied, AwaitingApproval, Granted};
    assert_eq!(
        statuses,
        [
            Granted as u8,
            Applied as u8,
            AwaitingApproval as u8,
            Granted as u8
        ]
    );
}

#[test]
fn a_group_gives_its_members_what_it_has() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let group = admin.post("/api/v1/groups", &json!({ "name": "desk" })).must(201)["id"].clone();
    let made = admin
        .post(
            "/api/v1/users",
            &json!({ "name": "ann", "password": "a long password" }),
        )
        .must(201);
    let set = |body: Value| admin.post("/api/v1/access", &body).must(200);
    set(json!({ "group": group, "role": "TRADER", "node": "DESK", "status": "GRANTED", "reason": "test" }));
    set(json!({ "group": group, "user": made["id"], "status": "GRANTED", "reason": "test" }));
    let ann = engine.login("ann", "a long password");
    ann.keyed("POST", "/api/v1/orders", "k", &buy("FREE", "10"))
        .must(201);
    set(json!({ "group": group, "user": made["id"], "status": "REVOKED", "reason": "test" }));
    ann.get("/api/v1/auth/me").refused(401, "TOKEN_REVOKED");
}

#[test]
fn an_erased_user_is_out_and_his_name_is_gone() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let (id, ann) = engine.user(&admin, "ann.erasable", "TRADER", Some("DESK"));
    admin.delete(&format!("/api/v1/users/{id}?reason=gone")).must(204);
    ann.get("/api/v1/auth/me").refused(401, "TOKEN_REVOKED");
    admin
        .delete(&format!("/api/v1/users/{id}?reason=gone"))
        .refused(404, "NOT_FOUND");
    admin
        .delete("/api/v1/users/1?reason=gone")
        .refused(409, "CONFLICT");
    engine.stop();
    for file in ["identity.db", "identity.db-wal"] {
        let bytes = std::fs::read(place.data().join(file)).unwrap_or_default();
        assert!(
            !bytes.windows(12).any(|window| window == b"ann.erasable"),
            "{file}"
        );
    }
}

#[test]
fn secrets_are_kept_from_others_on_the_machine() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let engine = Engine::start(&place);
    engine.admin();
    for file in ["identity.db", "identity.key"] {
        let mode = std::fs::metadata(place.data().join(file))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn an_operator_of_the_machine_makes_users_helps_them_and_erases_them() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let ask = |args: &[&str]| -> Value {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .arg("user")
            .args(args)
            .args(["--json", "--operator", "root-ann", "--data"])
            .arg(place.data())
            .output()
            .expect("the binary starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let made = ask(&[
        "add",
        "ann",
        "--full-name",
        "Ann Example",
        "--reason",
        "new trader",
    ]);
    let password = made["password"].as_str().expect("a password").to_owned();
    ask(&[
        "grant", "ann", "--role", "TRADER", "--node", "DESK", "--reason", "hired",
    ]);
    let ann = engine.login("ann", &password);
    ann.keyed("POST", "/api/v1/orders", "k", &buy("FREE", "10"))
        .must(201);
    ask(&[
        "revoke", "ann", "--role", "TRADER", "--node", "DESK", "--reason", "moved",
    ]);
    ann.get("/api/v1/auth/me").refused(401, "TOKEN_REVOKED");
    let again = ask(&["password", "admin", "--reason", "lost"]);
    engine.login("admin", again["password"].as_str().expect("a password"));
    assert_eq!(ask(&["list"])["users"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        ask(&["erase", "ann", "--reason", "left"])["erased"],
        made["user"]["id"]
    );
    assert_eq!(ask(&["list"])["users"].as_array().map(Vec::len), Some(1));
    let events = engine.stop();
    let authors: Vec<String> = of_kind(&events, Kind::AccessSet)
        .iter()
        .map(|event| event.body::<AccessSet>().author.to_string())
        .collect();
    assert_eq!(authors, ["engine", "root-ann", "root-ann"]);
}
