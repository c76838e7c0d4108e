//! Incidents: look, acknowledge, resolve.

use super::changes::outcome_schema;
use super::v1;
use crate::call::{Asker, Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, object, rows, wire};
use serde_json::{Value, json};
use std::sync::Arc;
use tradewind_control::{AlertAct, Command, Nothing};
use tradewind_identity::Permission;

const GROUP: &str = "alerts";

wire! {
    /// What a person says about an incident.
    Comment {
        /// Why, or what is being done.
        comment: String,
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let control = Need::Right(Permission::Control);
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(
            Verb::Get,
            v1!("/alerts"),
            read,
            handle!(list),
            "Incidents of what one sees; those of the engine itself for who controls the firm.",
        )
        .gives(200, alerts_schema),
        new(
            Verb::Post,
            v1!("/alerts/{id}/acknowledge"),
            control,
            handle!(acknowledge),
            "Takes an incident: it escalates no further.",
        )
        .takes::<Comment>()
        .gives(200, outcome_schema),
        new(
            Verb::Post,
            v1!("/alerts/{id}/resolve"),
            control,
            handle!(resolve),
            "Ends an incident.",
        )
        .takes::<Comment>()
        .gives(200, outcome_schema),
    ]
}

fn alerts_schema() -> Schema {
    let mut row = object("An incident; docs/alerts.md names its members.", &[]);
    row["additionalProperties"] = true.into();
    rows(row, &[])
}

/// An incident belongs to the node that it is about; the engine's own to those who control the firm.
fn may(gateway: &Gateway, asker: &Asker, permission: Permission, incident: &Value) -> bool {
    let scope = incident.get("scope").and_then(Value::as_str).unwrap_or("");
    let book = gateway.access().book();
    if book.node(scope).is_some() {
        return book.allows_named(&asker.rights, permission, scope);
    }
    drop(book);
    gateway.require_firm(asker, Permission::Control).is_ok()
}

async fn incidents(gateway: &Arc<Gateway>, call: &Call) -> Result<Vec<Value>, Problem> {
    let answer = gateway.desk(call, None, Command::AlertsList(Nothing {})).await?;
    let list = answer.get("incidents").and_then(Value::as_array).cloned();
    Ok(list.unwrap_or_default())
}

async fn list(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let mut list = incidents(&gateway, &call).await?;
    let asker = call.asker()?;
    list.retain(|incident| may(&gateway, asker, Permission::Read, incident));
    Reply::json(&json!({ "data": list }))
}

async fn acknowledge(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    act(gateway, call, "ACKNOWLEDGE").await
}

async fn resolve(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    act(gateway, call, "RESOLVE").await
}

async fn act(gateway: Arc<Gateway>, call: Call, action: &str) -> Result<Reply, Problem> {
    let body: Comment = call.json()?;
    let text = call.path("id");
    let id: u64 = text.parse().map_err(|_| Problem::not_found("incident", text))?;
    let list = incidents(&gateway, &call).await?;
    let found = list
        .iter()
        .find(|incident| incident.get("id").and_then(Value::as_u64) == Some(id));
    let asker = call.asker()?;
    let incident = found
        .filter(|incident| may(&gateway, asker, Permission::Read, incident))
        .ok_or_else(|| Problem::not_found("incident", id))?;
    if !may(&gateway, asker, Permission::Control, incident) {
        return Err(Problem::not_permitted("the incident is not yours to take"));
    }
    let act = AlertAct {
        incident: id,
        action: action.to_owned(),
    };
    Reply::json(
        &gateway
            .desk(&call, Some(&body.comment), Command::AlertsAct(act))
            .await?,
    )
}
