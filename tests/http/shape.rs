//! The OpenAPI document is what is committed, and answers are what it says.

use crate::client::{Answer, Engine, Place, buy};
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn the_committed_openapi_document_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let now = tradewind_http::openapi();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &now).expect("a file");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == now,
        "docs/openapi.json is old: run with UPDATE_DOCS=1"
    );
}

/// What an answer has that its schema does not say, and the other way round.
pub(crate) fn differences(value: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = choices.iter().any(|choice| {
            let mut of_choice = Vec::new();
            differences(value, choice, at, &mut of_choice);
            of_choice.is_empty()
        });
        if !fits {
            found.push(format!("{at}: {value} fits none of its forms"));
        }
        return;
    }
    let is_right = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => true,
    };
    if !is_right {
        found.push(format!("{at}: {value} is no {}", schema["type"]));
        return;
    }
    if let Some(text) = value.as_str().filter(|_| schema["format"] == "decimal")
        && tradewind_domain::decimal::parse(text.as_bytes()).is_err()
        && text.parse::<f64>().is_err()
    {
        found.push(format!("{at}: {text:?} is no decimal"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        differences(item, &schema["items"], &format!("{at}/{index}"), found);
    }
    let Some(object) = value.as_object() else { return };
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !object.contains_key(name) {
            found.push(format!("{at}: {name} is missing"));
        }
    }
    for (name, member) in object {
        match schema["properties"].get(name) {
            Some(schema) => differences(member, schema, &format!("{at}/{name}"), found),
            None if schema["additionalProperties"] == false => {
                found.push(format!("{at}: {name} is not described"))
            }
            None => {}
        }
    }
}

fn check(spec: &Value, verb: &str, path: &str, answer: Answer) -> Value {
    let operation = &spec["paths"][path][verb];
    assert!(operation.is_object(), "{verb} {path} is not described");
    let described = &operation["responses"][answer.status.to_string()];
    assert!(
        described.is_object(),
        "{verb} {path}: {} is not described: {}",
        answer.status,
        answer.text
    );
    let body = if answer.text.is_empty() {
        Value::Null
    } else {
        answer.json()
    };
    let schema = &described["content"]["application/json"]["schema"];
    let mut found = Vec::new();
    differences(&body, schema, "", &mut found);
    assert!(found.is_empty(), "{verb} {path}: {found:#?}");
    body
}

#[test]
fn answers_are_what_the_document_says() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let spec = engine.anybody().get("/openapi.json").json();
    let trade = json!({ "trades": [{ "account": "FREE", "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": "x" }, { "account": "NOBODY", "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": "y" }] });
    check(
        &spec,
        "post",
        "/api/v1/trades",
        admin.post("/api/v1/trades", &trade),
    );
    let placed = check(
        &spec,
        "post",
        "/api/v1/orders",
        admin.keyed("POST", "/api/v1/orders", "a", &buy("FREE", "10")),
    );
    let id = placed["order_id"].as_str().expect("an id").to_owned();
    admin
        .keyed("POST", "/api/v1/orders", "b", &buy("L01", "2000"))
        .refused(422, "MAX_ORDER_QTY");
    admin
        .post("/api/v1/kill", &json!({ "node": "OTHER-DESK", "reason": "x" }))
        .must(200);
    admin
        .post("/api/v1/rearm", &json!({ "node": "OTHER-DESK", "reason": "x" }))
        .must(200);
    admin.post("/api/v1/groups", &json!({ "name": "g" })).must(201);
    let statement = json!({ "lines": [{ "type": "CASH", "account": "FREE", "name": "USD", "amount": "7" }] });
    let compared = check(
        &spec,
        "post",
        "/api/v1/recon/statements",
        admin.post("/api/v1/recon/statements", &statement),
    );
    let found = &compared["journaled"]["new"][0];
    check(
        &spec,
        "get",
        "/api/v1/recon/breaks/{id}",
        admin.get(&format!("/api/v1/recon/breaks/{found}")),
    );
    admin
        .post("/api/v1/auth/keys", &json!({ "label": "k" }))
        .must(201);
    for (path, query) in [
        ("/api/v1/orders/{id}", format!("/api/v1/orders/{id}")),
        (
            "/api/v1/orders/{id}/explain",
            format!("/api/v1/orders/{id}/explain"),
        ),
        ("/api/v1/market/{symbol}", "/api/v1/market/GIZMO".to_owned()),
        ("/api/v1/limits/{label}", "/api/v1/limits/l01".to_owned()),
        (
            "/api/v1/limits/{label}/usage",
            "/api/v1/limits/l01/usage?account=L01&symbol=GIZMO".to_owned(),
        ),
    ] {
        check(&spec, "get", path, admin.get(&query));
    }
    let validate = json!({ "account": "L01", "symbol": "GIZMO", "side": "BUY", "qty": "2000", "px": "50" });
    check(
        &spec,
        "post",
        "/api/v1/limits/validate",
        admin.post("/api/v1/limits/validate", &validate),
    );
    let mut listed = 0;
    for (path, verbs) in spec["paths"].as_object().expect("paths") {
        let is_plain = verbs.get("get").is_some()
            && !path.contains('{')
            && !path.contains("history")
            && !path.contains("ledger");
        let is_json = is_plain
            && verbs["get"]["responses"]["200"]["content"]
                .get("application/json")
                .is_some();
        if is_json && path != "/openapi.json" {
            check(&spec, "get", path, admin.get(path));
            listed += 1;
        }
    }
    assert!(listed > 25, "{listed}");
    for path in [
        "/api/v1/positions",
        "/api/v1/balances",
        "/api/v1/orders",
        "/api/v1/trades",
        "/api/v1/refusals",
        "/api/v1/pnl",
        "/api/v1/limits",
        "/api/v1/market",
        "/api/v1/users",
        "/api/v1/groups",
        "/api/v1/access",
        "/api/v1/auth/keys",
        "/api/v1/quarantine",
        "/api/v1/restrictions",
        "/api/v1/rearm",
        "/api/v1/nodes",
        "/api/v1/instruments",
        "/api/v1/recon/breaks",
        "/api/v1/recon/runs",
    ] {
        let rows = admin.get(path).must(200)["data"].as_array().map(Vec::len);
        assert!(rows > Some(0), "{path} has no row to check");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_permission_and_a_summary() {
    let spec: Value = serde_json::from_str(&tradewind_http::openapi()).expect("JSON");
    let mut names = Vec::new();
    for verbs in spec["paths"].as_object().expect("paths").values() {
        for operation in verbs.as_object().expect("verbs").values() {
            names.push(operation["operationId"].as_str().expect("a name").to_owned());
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|summary| summary.ends_with(['.', '?'])),
                "{operation}"
            );
            assert!(operation["x-permission"].is_string());
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count > 60, "{count}");
}
