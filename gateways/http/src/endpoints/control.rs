//! The kill switch and what goes with it: states, re-arm by two people, flatten, quarantine.

use super::changes::outcome_schema;
use super::v1;
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, object, rows, wire};
use serde_json::{Value, json};
use std::sync::Arc;
use tradewind_control::{Command, Confirm, Flatten, Nothing, QuarantineResolve, Rearm, StateSet};
use tradewind_identity::{Permission, Rights};

const GROUP: &str = "control";

wire! {
    /// A node, an instrument or a session to be stopped: exactly one of the three.
    Stop {
        /// The node or account.
        node: Option<String>,
        /// The instrument: for who controls the whole firm.
        symbol: Option<String>,
        /// Number of the session: for who controls the whole firm.
        session: Option<u32>,
        /// REDUCE_ONLY, CANCEL_ONLY or KILL; left out: KILL.
        level: Option<String>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// What is to trade again: exactly one of the three.
    Again {
        /// The node or account.
        node: Option<String>,
        /// The instrument.
        symbol: Option<String>,
        /// Number of the session.
        session: Option<u32>,
        /// Number of the only user who may confirm; left out: anybody but the one who asks.
        second: Option<u32>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// The second person's yes.
    Yes {
        /// Why.
        reason: String,
    }
}

wire! {
    /// Positions that are to be closed.
    Close {
        /// The killed node or account.
        node: String,
        /// Its name again: nothing else confirms it.
        confirm: String,
        /// Why.
        reason: String,
    }
}

wire! {
    /// What becomes of a trade that was put aside.
    Resolve {
        /// RELEASE, REJECT or REPAIR.
        action: String,
        /// Repaired quantity.
        qty: Option<String>,
        /// Repaired price.
        px: Option<String>,
        /// Repaired side.
        side: Option<String>,
        /// Repaired account.
        account: Option<String>,
        /// Repaired instrument.
        symbol: Option<String>,
        /// Why.
        reason: String,
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let control = Need::Right(Permission::Control);
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(
            Verb::Get,
            v1!("/restrictions"),
            read,
            handle!(restrictions),
            "Nodes (organisations, desks, users, accounts, strategies) and instruments that do not trade freely; for who controls the firm also sessions.",
        )
        .gives(200, restrictions_schema),
        new(
            Verb::Post,
            v1!("/kill"),
            control,
            handle!(kill),
            "Stops or restricts trading of a node, an instrument or a session.",
        )
        .takes::<Stop>()
        .gives(200, outcome_schema),
        new(
            Verb::Post,
            v1!("/rearm"),
            control,
            handle!(rearm),
            "Back to trading; after a kill another person has to confirm.",
        )
        .takes::<Again>()
        .gives(200, outcome_schema),
        new(
            Verb::Get,
            v1!("/rearm"),
            control,
            handle!(pending),
            "Re-arms that wait for a second person.",
        )
        .gives(200, pending_schema),
        new(
            Verb::Post,
            v1!("/rearm/{id}/confirm"),
            control,
            handle!(confirm),
            "The second person's yes.",
        )
        .takes::<Yes>()
        .gives(200, outcome_schema),
        new(
            Verb::Post,
            v1!("/flatten"),
            control,
            handle!(flatten),
            "Closes the positions below a killed node at the market.",
        )
        .takes::<Close>()
        .gives(200, outcome_schema),
        new(
            Verb::Get,
            v1!("/quarantine"),
            control,
            handle!(quarantine),
            "Executed trades that were put aside.",
        )
        .gives(200, quarantine_schema),
        new(
            Verb::Post,
            v1!("/quarantine/{seq}"),
            control,
            handle!(resolve),
            "Releases, repairs or refuses a trade that was put aside.",
        )
        .takes::<Resolve>()
        .gives(200, outcome_schema),
    ]
}

fn restrictions_schema() -> Schema {
    let members = [
        ("node", "text", "The node."),
        ("level", "text", "Its level."),
        ("state", "text", "The state that counts."),
        (
            "limit_state",
            "text",
            "What limits set of it; it may end by itself.",
        ),
        ("effects", "any", "What limits do beside: DISABLED, SLOW."),
    ];
    let target = [
        ("target", "text", "Symbol, or number of the session."),
        ("kind", "text", "INSTRUMENT or SESSION."),
        ("state", "text", "Its state."),
    ];
    let target = object("An instrument or session that does not trade freely.", &target);
    let mut schema = rows(object("A node that does not trade freely.", &members), &[]);
    schema["properties"]["targets"] = json!({ "type": "array", "items": target });
    if let Some(required) = schema["required"].as_array_mut() {
        required.push("targets".into());
    }
    schema
}

fn pending_schema() -> Schema {
    rows(
        object(
            "A re-arm that waits.",
            &[
                ("id", "count", "Its number, for the second person."),
                ("target", "text", "What is to be re-armed."),
                ("operator", "text", "Who asked."),
                ("reason", "text", "Why."),
                (
                    "second",
                    "text?",
                    "The only one who may confirm, where somebody was named.",
                ),
                ("seq", "count", "Number of the journaled request."),
                ("expires", "time", "Until when it waits."),
            ],
        ),
        &[],
    )
}

fn quarantine_schema() -> Schema {
    let row = object(
        "A trade that was put aside.",
        &[
            ("seq", "count", "Its number, by which it is resolved."),
            ("time", "time", "When the engine took it."),
            ("kind", "text", "What it is."),
            ("reason", "text", "Why it was put aside."),
            ("exec_id", "text", "The venue's identifier."),
            ("account", "text", "Account, as far as it is known."),
            ("symbol", "text", "Instrument, as far as it is known."),
            ("side", "text", "Side."),
            ("qty", "text", "Quantity."),
            ("px", "text", "Price."),
            (
                "text",
                "text",
                "What its source said of it, and names that did not resolve.",
            ),
        ],
    );
    rows(row, &[("not_listed", "count", "How many more there are.")])
}

/// The rows of a listing of the desk as `data`.
fn data(mut answer: Value, list: &str) -> Value {
    let rows = answer.get_mut(list).map(Value::take);
    json!({ "data": rows.unwrap_or_else(|| json!([])) })
}

/// Keeps the rows whose member names a node or account that the rights open.
fn keep(
    gateway: &Gateway,
    rights: &Rights,
    permission: Permission,
    answer: &mut Value,
    list: &str,
    member: &str,
) {
    let book = gateway.access().book();
    if let Some(rows) = answer.get_mut(list).and_then(Value::as_array_mut) {
        rows.retain(|row| {
            let node = row.get(member).and_then(Value::as_str).unwrap_or("");
            book.allows_named(rights, permission, node)
        });
    }
}

/// A state is about a node that one controls; instruments and sessions are the firm's.
fn require(gateway: &Gateway, call: &Call, node: Option<&String>) -> Result<(), Problem> {
    let asker = call.asker()?;
    match node {
        Some(node) => gateway.require(asker, Permission::Control, node),
        None => gateway.require_firm(asker, Permission::Control),
    }
}

async fn restrictions(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let mut answer = gateway.desk(&call, None, Command::StateList(Nothing {})).await?;
    let asker = call.asker()?;
    keep(
        &gateway,
        &asker.rights,
        Permission::Read,
        &mut answer,
        "states",
        "node",
    );
    let is_firm = gateway.require_firm(asker, Permission::Control).is_ok();
    let mut targets = answer.get_mut("targets").map(Value::take).unwrap_or_default();
    if let Some(rows) = targets.as_array_mut() {
        rows.retain(|row| is_firm || row.get("kind").is_none_or(|kind| kind != "SESSION"));
    }
    let mut answer = data(answer, "states");
    answer["targets"] = targets;
    Reply::json(&answer)
}

async fn kill(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Stop = call.json()?;
    require(&gateway, &call, body.node.as_ref())?;
    let set = StateSet {
        level: body.level.unwrap_or_else(|| "KILL".into()),
        node: body.node,
        symbol: body.symbol,
        session: body.session,
    };
    Reply::json(
        &gateway
            .desk(&call, Some(&body.reason), Command::StateSet(set))
            .await?,
    )
}

async fn rearm(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Again = call.json()?;
    require(&gateway, &call, body.node.as_ref())?;
    let rearm = Rearm {
        node: body.node,
        symbol: body.symbol,
        session: body.session,
        second: body.second.map(|user| format!("u{user}")),
    };
    Reply::json(
        &gateway
            .desk(&call, Some(&body.reason), Command::StateRearm(rearm))
            .await?,
    )
}

async fn pending(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let mut answer = gateway
        .desk(&call, None, Command::StatePending(Nothing {}))
        .await?;
    if let Some(rows) = answer.get_mut("pending").and_then(Value::as_array_mut) {
        rows.retain(|row| may_rearm(&gateway, &call, row).is_ok());
    }
    Reply::json(&data(answer, "pending"))
}

/// The target of a waiting re-arm is written `node X`, `symbol X` or `session N`.
fn may_rearm(gateway: &Gateway, call: &Call, row: &Value) -> Result<(), Problem> {
    let target = row.get("target").and_then(Value::as_str).unwrap_or("");
    let node = target.strip_prefix("node ").map(str::to_owned);
    require(gateway, call, node.as_ref())
}

async fn confirm(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Yes = call.json()?;
    let id = number(&call, "id", "re-arm")?;
    let waiting = gateway
        .desk(&call, None, Command::StatePending(Nothing {}))
        .await?;
    let rows = waiting.get("pending").and_then(Value::as_array);
    let row = rows.and_then(|rows| {
        rows.iter()
            .find(|row| row.get("id").and_then(Value::as_u64) == Some(id))
    });
    let row = row.ok_or_else(|| Problem::not_found("waiting re-arm", id))?;
    may_rearm(&gateway, &call, row)?;
    Reply::json(
        &gateway
            .desk(&call, Some(&body.reason), Command::StateConfirm(Confirm { id }))
            .await?,
    )
}

fn number(call: &Call, name: &str, what: &str) -> Result<u64, Problem> {
    let text = call.path(name);
    text.parse().map_err(|_| Problem::not_found(what, text))
}

async fn flatten(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Close = call.json()?;
    require(&gateway, &call, Some(&body.node))?;
    let flatten = Flatten {
        node: body.node,
        confirm: body.confirm,
    };
    Reply::json(
        &gateway
            .desk(&call, Some(&body.reason), Command::Flatten(flatten))
            .await?,
    )
}

async fn quarantine(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let mut answer = gateway
        .desk(&call, None, Command::QuarantineList(Nothing {}))
        .await?;
    let asker = call.asker()?;
    keep(
        &gateway,
        &asker.rights,
        Permission::Control,
        &mut answer,
        "trades",
        "account",
    );
    // How many others there are is not everybody's to know.
    let is_firm = gateway.require_firm(asker, Permission::Control).is_ok();
    let not_listed = answer.get("not_listed").cloned().filter(|_| is_firm);
    let mut answer = data(answer, "trades");
    answer["not_listed"] = not_listed.unwrap_or_else(|| json!(0));
    Reply::json(&answer)
}

async fn resolve(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Resolve = call.json()?;
    let trade_seq = number(&call, "seq", "trade")?;
    let asker = call.asker()?;
    let listed = gateway
        .desk(&call, None, Command::QuarantineList(Nothing {}))
        .await?;
    let rows = listed.get("trades").and_then(Value::as_array);
    let row = rows.and_then(|rows| {
        rows.iter()
            .find(|row| row.get("seq").and_then(Value::as_u64) == Some(trade_seq))
    });
    let account = row.and_then(|row| row.get("account")).and_then(Value::as_str);
    let account = account.ok_or_else(|| Problem::not_found("quarantined trade", trade_seq))?;
    gateway
        .require(asker, Permission::Control, account)
        .map_err(|_| Problem::not_found("quarantined trade", trade_seq))?;
    if let Some(other) = &body.account {
        gateway.require(asker, Permission::Control, other)?;
    }
    let resolve = QuarantineResolve {
        trade_seq,
        action: body.action,
        qty: body.qty,
        px: body.px,
        side: body.side,
        account: body.account,
        symbol: body.symbol,
    };
    let answer = gateway
        .desk(&call, Some(&body.reason), Command::QuarantineResolve(resolve))
        .await;
    answer.and_then(|answer| Reply::json(&answer))
}
