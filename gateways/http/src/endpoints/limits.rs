//! Limits: look, set, remove, ask what is used, ask whether an order would pass.

use super::changes::outcome_schema;
use super::rows::{AS_OF, limit_schema};
use super::v1;
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle, params};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, object, rows, wire};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tradewind_control::{Command, LimitName, LimitSet, LimitUsage, OrderQuestion};
use tradewind_identity::Permission;
use tradewind_views::query::current::{Current, Scope};

const GROUP: &str = "limits";

wire! {
    /// A limit to be set. Members that are left out keep their value where the limit is in force, and else take their default. Values are
    /// written as in a `[[limit]]` table of reference data (docs/limits.md).
    SetLimit {
        /// The node or account that it binds.
        scope: Option<String>,
        /// Type of the catalogue.
        limit_type as "type": Option<String>,
        /// The figure that must not be exceeded.
        hard: Option<String>,
        /// Warning threshold in percent.
        soft_pct: Option<String>,
        /// What a breach does.
        action: Option<String>,
        /// Parameters by name.
        params: Option<BTreeMap<String, String>>,
        /// Only this instrument.
        symbol: Option<String>,
        /// Only this kind of instrument.
        kind: Option<String>,
        /// Only this sector.
        sector: Option<String>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// Would this order pass? Nothing is reserved.
    WouldPass {
        /// Account, or a strategy below one.
        account: String,
        /// Instrument.
        symbol: String,
        /// BUY, SELL or SELL_SHORT.
        side: String,
        /// Quantity.
        qty: String,
        /// Limit price.
        px: Option<String>,
        /// Stop price.
        stop_px: Option<String>,
        /// MARKET, LIMIT, STOP or STOP_LIMIT; left out: what the prices say.
        ord_type as "type": Option<String>,
        /// DAY, GTC, IOC or FOK; left out: DAY.
        tif: Option<String>,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    node: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageOf {
    account: Option<String>,
    symbol: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let control = Need::Right(Permission::Control);
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(Verb::Get, v1!("/limits"), read, handle!(list), "Limits in force, and what is used of them.")
            .params(params!["node" text "Only those of this node and of what is below it."])
            .gives(200, || rows(limit_schema(), AS_OF)),
        new(Verb::Post, v1!("/limits/validate"), read, handle!(validate), "Would this order pass? Answered by the running stages, journaled, nothing is reserved.")
            .takes::<WouldPass>()
            .gives(200, validated_schema),
        new(Verb::Get, v1!("/limits/{label}"), read, handle!(show), "One limit, all of it.").gives(200, limit_row_schema),
        new(Verb::Put, v1!("/limits/{label}"), control, handle!(set), "Sets a limit: a new one, or some members of one in force.")
            .takes::<SetLimit>()
            .gives(200, outcome_schema),
        new(Verb::Delete, v1!("/limits/{label}"), control, handle!(remove), "Removes a limit.")
            .params(params!["reason" text "Why."])
            .gives(200, outcome_schema),
        new(Verb::Get, v1!("/limits/{label}/usage"), read, handle!(usage), "What is used of a limit, asked of the running stage. Journaled.")
            .params(params!["account" text "Account or strategy of the question.", "symbol" text "Instrument of the question."])
            .gives(200, usage_schema),
    ]
}

fn validated_schema() -> Schema {
    object(
        "The verdict.",
        &[
            ("passes", "flag", "True where it would pass."),
            ("outcome", "any", "The journal's record."),
        ],
    )
}

fn limit_row_schema() -> Schema {
    object(
        "A limit.",
        &[("limit", "any", "All of it, as docs/limits.md describes it.")],
    )
}

fn usage_schema() -> Schema {
    object(
        "What is used.",
        &[
            ("usage", "any", "Use and limit."),
            ("outcome", "any", "The journal's record."),
        ],
    )
}

async fn list(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: List = call.query()?;
    let scope = gateway.scope_at(call.asker()?, "?node", query.node.as_deref())?;
    Reply::json(&gateway.read(move |live| live.limits(&scope)).await?)
}

async fn validate(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: WouldPass = call.json()?;
    gateway.require(call.asker()?, Permission::Read, &body.account)?;
    let question = OrderQuestion {
        account: body.account,
        symbol: body.symbol,
        side: body.side,
        qty: body.qty,
        px: body.px,
        stop_px: body.stop_px,
        ord_type: body.ord_type,
        tif: body.tif,
    };
    Reply::json(
        &gateway
            .desk(&call, None, Command::LimitsValidate(question))
            .await?,
    )
}

/// The node of a limit that is in force and that who asks has this permission for. Others are not there for him.
async fn scope_of(
    gateway: &Arc<Gateway>,
    call: &Call,
    permission: Permission,
) -> Result<Option<String>, Problem> {
    let label = call.path("label").to_owned();
    let now = gateway.read(|live| live.limits(&Scope::All)).await?;
    let found = now.data.iter().find(|limit| limit.label.as_str() == label);
    let Some(limit) = found else { return Ok(None) };
    let asker = call.asker()?;
    let scope = limit.scope.to_string();
    gateway
        .require(asker, Permission::Read, &scope)
        .map_err(|_| Problem::not_found("limit", &label))?;
    gateway.require(asker, permission, &scope)?;
    Ok(Some(scope))
}

async fn known(gateway: &Arc<Gateway>, call: &Call, permission: Permission) -> Result<String, Problem> {
    let found = scope_of(gateway, call, permission).await?;
    found.ok_or_else(|| Problem::not_found("limit", call.path("label")))
}

async fn show(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    known(&gateway, &call, Permission::Read).await?;
    let label = call.path("label").to_owned();
    Reply::json(
        &gateway
            .desk(&call, None, Command::LimitsShow(LimitName { label }))
            .await?,
    )
}

async fn set(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetLimit = call.json()?;
    let in_force = scope_of(&gateway, &call, Permission::Control).await?;
    // A limit that moves has to be one's own at both places.
    match (&body.scope, &in_force) {
        (Some(scope), _) => gateway.require(call.asker()?, Permission::Control, scope)?,
        (None, Some(_)) => {}
        (None, None) => return Err(Problem::value("/scope", "a new limit binds a node")),
    }
    let command = LimitSet {
        label: call.path("label").to_owned(),
        scope: body.scope,
        limit_type: body.limit_type,
        hard: body.hard,
        soft_pct: body.soft_pct,
        action: body.action,
        params: body.params.unwrap_or_default(),
        symbol: body.symbol,
        kind: body.kind,
        sector: body.sector,
    };
    let answer: Value = gateway
        .desk(&call, Some(&body.reason), Command::LimitsSet(command))
        .await?;
    Reply::json(&answer)
}

async fn remove(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let Reason { reason } = call.query()?;
    known(&gateway, &call, Permission::Control).await?;
    let label = call.path("label").to_owned();
    Reply::json(
        &gateway
            .desk(&call, Some(&reason), Command::LimitsRemove(LimitName { label }))
            .await?,
    )
}

async fn usage(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let UsageOf { account, symbol } = call.query()?;
    known(&gateway, &call, Permission::Read).await?;
    if let Some(account) = &account {
        gateway.require(call.asker()?, Permission::Read, account)?;
    }
    let label = call.path("label").to_owned();
    Reply::json(
        &gateway
            .desk(
                &call,
                None,
                Command::LimitsUsage(LimitUsage {
                    label,
                    account,
                    symbol,
                }),
            )
            .await?,
    )
}
