//! What is now: positions, money, profit, executions, refusals, the market, summaries. Answered by the live replica.

use super::rows::{
    AS_OF, balance_schema, market_schema, one, position_schema, profit_point_schema, profit_schema,
    refusal_schema, summary_schema, trade_schema,
};
use super::v1;
use super::values::text;
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Param, Verb, handle, params};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, object, rows};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tradewind_domain::time::Rfc3339;
use tradewind_identity::Permission;
use tradewind_views::query::current::{Current, Filter, Scope};

const GROUP: &str = "portfolio";
/// Rows where nothing else is asked, and at most.
const LISTED: u32 = 500;
const LISTED_MAX: u32 = 5_000;

const FILTER: &[Param] = params![
    "account" text "Only this account.",
    "symbol" text "Only this instrument.",
    "limit" count "Rows at most, up to 5000; 500 where left out.",
];
const NODE: &[Param] =
    params!["node" text "Only this node and what is below it; left out: all that one sees."];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    account: Option<String>,
    symbol: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    node: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let new = |path, handle, doc| Endpoint::new(Verb::Get, path, GROUP, read, handle, doc);
    vec![
        new(
            v1!("/positions"),
            handle!(positions),
            "Positions that ever traded, flat ones included.",
        )
        .params(FILTER)
        .gives(200, || rows(position_schema(), AS_OF)),
        new(
            v1!("/balances"),
            handle!(balances),
            "Money by account and currency.",
        )
        .params(FILTER)
        .gives(200, || rows(balance_schema(), AS_OF)),
        new(
            v1!("/pnl"),
            handle!(profit),
            "Profit by strategy, account, node; by instrument and sector for who sees the firm.",
        )
        .params(NODE)
        .gives(200, || rows(profit_schema(), AS_OF)),
        new(
            v1!("/pnl/history"),
            handle!(profit_history),
            "Profit over time in base currency, oldest first: the newest four hours, every ten seconds. Also from before a restart.",
        )
        .params(NODE)
        .gives(200, || rows(profit_point_schema(), AS_OF)),
        new(
            v1!("/trades"),
            handle!(trades),
            "The newest executions, newest first.",
        )
        .params(FILTER)
        .gives(200, || rows(trade_schema(), AS_OF)),
        new(
            v1!("/refusals"),
            handle!(refusals),
            "The newest refusals, newest first.",
        )
        .params(FILTER)
        .gives(200, || rows(refusal_schema(), AS_OF)),
        new(
            v1!("/portfolio"),
            handle!(portfolio),
            "Sums, positions and money of a node, of one moment each.",
        )
        .params(NODE)
        .gives(200, portfolio_schema),
        new(
            v1!("/dashboard"),
            handle!(dashboard),
            "Counts and sums for a first page.",
        )
        .params(NODE)
        .gives(200, || one(summary_schema())),
        new(
            v1!("/market"),
            handle!(markets),
            "The market of every instrument.",
        )
        .gives(200, || rows(market_schema(), AS_OF)),
        new(
            v1!("/market/{symbol}"),
            handle!(market),
            "The market of one instrument.",
        )
        .gives(200, || one(market_schema())),
    ]
}

fn portfolio_schema() -> Schema {
    let mut schema = object(
        "A portfolio.",
        &[
            ("summary", "any", ""),
            ("positions", "any", ""),
            ("balances", "any", ""),
        ],
    );
    schema["properties"]["summary"] = one(summary_schema());
    schema["properties"]["positions"] = rows(position_schema(), AS_OF);
    schema["properties"]["balances"] = rows(balance_schema(), AS_OF);
    schema
}

/// Whose rows, and how many.
fn filter(gateway: &Gateway, call: &Call) -> Result<(Filter, usize), Problem> {
    let which: Which = call.query()?;
    let filter = Filter {
        scope: gateway.scope_at(call.asker()?, "?account", which.account.as_deref())?,
        account: which
            .account
            .as_deref()
            .map(|account| text("?account", account))
            .transpose()?,
        symbol: which
            .symbol
            .as_deref()
            .map(|symbol| text("?symbol", symbol))
            .transpose()?,
    };
    Ok((
        filter,
        which.limit.unwrap_or(LISTED).clamp(1, LISTED_MAX) as usize,
    ))
}

fn scope(gateway: &Gateway, call: &Call) -> Result<Scope, Problem> {
    let at: At = call.query()?;
    gateway.scope_at(call.asker()?, "?node", at.node.as_deref())
}

async fn positions(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let (filter, max) = filter(&gateway, &call)?;
    let mut now = gateway.read(move |live| live.positions(&filter)).await?;
    now.data.truncate(max);
    Reply::json(&now)
}

async fn balances(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let (filter, max) = filter(&gateway, &call)?;
    let mut now = gateway.read(move |live| live.balances(&filter)).await?;
    now.data.truncate(max);
    Reply::json(&now)
}

async fn profit(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let scope = scope(&gateway, &call)?;
    Reply::json(&gateway.read(move |live| live.profit(&scope)).await?)
}

async fn profit_history(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let scope = scope(&gateway, &call)?;
    Reply::json(&gateway.read(move |live| live.profit_history(&scope)).await?)
}

async fn trades(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let (filter, max) = filter(&gateway, &call)?;
    Reply::json(&gateway.read(move |live| live.recent_trades(&filter, max)).await?)
}

async fn refusals(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let (filter, max) = filter(&gateway, &call)?;
    Reply::json(
        &gateway
            .read(move |live| live.recent_refusals(&filter, max))
            .await?,
    )
}

async fn portfolio(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let scope = scope(&gateway, &call)?;
    let answer = gateway.read(move |live| {
        let filter = Filter::of(scope.clone());
        Ok(json!({
            "summary": live.summary(&scope)?,
            "positions": live.positions(&filter)?,
            "balances": live.balances(&filter)?,
        }))
    });
    Reply::json(&answer.await?)
}

async fn dashboard(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let scope = scope(&gateway, &call)?;
    Reply::json(&gateway.read(move |live| live.summary(&scope)).await?)
}

async fn markets(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    Reply::json(&gateway.read(|live| live.market(None)).await?)
}

async fn market(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let name = call.path("symbol").to_owned();
    let symbol = text("symbol", &name)?;
    let now = gateway.read(move |live| live.market(Some(symbol))).await?;
    let row = now
        .data
        .first()
        .ok_or_else(|| Problem::not_found("instrument", &name))?;
    let as_of_time = (now.as_of_time != 0).then(|| Rfc3339(now.as_of_time).to_string());
    Reply::json(&json!({ "as_of": now.as_of, "as_of_time": as_of_time, "data": row }))
}
