//! The OpenAPI 3.1 document, made from the table of endpoints. A committed copy stands in docs/openapi.json; a test compares.

use crate::endpoint::{Endpoint, Gives, Keyed, Need, Takes, Verb};
use crate::problem;
use serde_json::{Map, Value, json};

/// The document.
pub(crate) fn document(endpoints: &[Endpoint]) -> Value {
    let mut paths = Map::new();
    for endpoint in endpoints {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.verb.text()] = operation(endpoint);
    }
    let mut groups: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.group).collect();
    groups.dedup();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tradewind",
            "version": "1",
            "summary": "Orders, trades, limits, positions and operations of a Tradewind engine.",
            "description": "Decimals are text, times are RFC 3339 in UTC with nanoseconds. Errors are problem details (RFC 9457) with a stable \
                            `code`. Reads hold everything that was released when they were asked for. See docs/http-api.md.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": groups.iter().map(|group| json!({ "name": group })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "An access token (JWT) or an API key." }
            },
            "schemas": { "Problem": problem::schema() },
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = json!({
        "tags": [endpoint.group],
        "operationId": operation_id(endpoint),
        "summary": endpoint.doc,
        "parameters": parameters(endpoint),
        "responses": responses(endpoint),
        "security": if endpoint.need == Need::Nothing { json!([]) } else { json!([{ "bearer": [] }]) },
    });
    let need = match endpoint.need {
        Need::Nothing => "nobody in particular".to_owned(),
        Need::Token => "any user".to_owned(),
        Need::Right(permission) => format!("{} at the node that it is about", permission.text()),
        Need::Firm(permission) => format!("{} for the whole firm", permission.text()),
    };
    operation["x-permission"] = need.into();
    let (schema, has_csv) = match endpoint.takes {
        Takes::Nothing => return operation,
        Takes::Json(schema) => (schema(), false),
        Takes::JsonOrCsv(schema) => (schema(), true),
    };
    let mut content = json!({ "application/json": { "schema": schema } });
    if has_csv {
        content["text/csv"] = json!({ "schema": { "type": "string" } });
    }
    operation["requestBody"] = json!({ "required": true, "content": content });
    operation
}

/// `get_orders_id` of `GET /api/v1/orders/{id}`.
fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint
        .path
        .trim_start_matches("/api/v1")
        .trim_start_matches('/');
    let name: String = path
        .chars()
        .filter(|c| !matches!(c, '{' | '}'))
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("{}_{name}", endpoint.verb.text())
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let in_path = endpoint.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
    });
    let in_query = endpoint.params.iter().map(|param| {
        let schema = match param.kind {
            "count" => json!({ "type": "integer", "minimum": 0 }),
            "flag" => json!({ "type": "boolean" }),
            _ => json!({ "type": "string" }),
        };
        json!({ "name": param.name, "in": "query", "description": param.doc, "schema": schema })
    });
    let key = (endpoint.keyed != Keyed::Nothing).then(|| {
        json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "Names the request: sent again with the same body it gives the first answer.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 40 },
        })
    });
    in_path
        .chain(in_query)
        .chain(key)
        .chain(conditions(endpoint.verb))
        .collect()
}

/// The conditions that a request may carry.
fn conditions(verb: Verb) -> impl Iterator<Item = Value> {
    let all: &[(&str, &str)] = match verb {
        Verb::Get => &[
            (
                "If-None-Match",
                "The ETag of an answer that the client has: 304 where nothing else is there.",
            ),
            (
                "If-Match",
                "The ETag of the only answer that is wanted: 412 where something else is there.",
            ),
        ],
        Verb::Post | Verb::Put | Verb::Delete => &[
            (
                "If-Match",
                "The ETag of a GET of this path that shows all of it, or *: 412 where something else is there.",
            ),
            ("If-None-Match", "*: 412 where something is there."),
        ],
    };
    all.iter().map(|(name, doc)| json!({ "name": name, "in": "header", "description": doc, "schema": { "type": "string" } }))
}

fn responses(endpoint: &Endpoint) -> Value {
    let mut responses = json!({
        "default": {
            "description": "A problem.",
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        }
    });
    if endpoint.verb == Verb::Get {
        responses["304"] = json!({ "description": "The client has the answer (If-None-Match)." });
    }
    match endpoint.gives {
        Gives::Nothing => responses["204"] = json!({ "description": "Done." }),
        Gives::Json(status, schema) => {
            responses[status.to_string()] = json!({ "description": "The answer.", "content": { "application/json": { "schema": schema() } } });
        }
        Gives::JsonOr(status, schema, others) => {
            let mut content = json!({ "application/json": { "schema": schema() } });
            for content_type in others {
                content[*content_type] = json!({ "schema": { "type": "string" } });
            }
            responses[status.to_string()] = json!({ "description": "The answer.", "content": content });
        }
        Gives::Text(content_type) => {
            responses["200"] = json!({ "description": "The answer.", "content": { content_type: { "schema": { "type": "string" } } } });
        }
    }
    responses
}
