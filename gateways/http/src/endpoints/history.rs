//! What has been: pages of the store, new to old. Without a store there is none, and the answer says so.

use super::rows::PAGE;
use super::v1;
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Param, Verb, handle, params};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, object, rows};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use tradewind_domain::codes::{OrderState, Side};
use tradewind_domain::time::{parse_date, parse_rfc3339};
use tradewind_identity::Permission;
use tradewind_views::query::history::{
    Accounts, AuditFilter, BarFilter, BarLength, Days, LedgerFilter, LimitFilter, OrderFilter, PAGE_ROWS_MAX,
    Page, PageRequest, PnlFilter, PnlGroup, RefusalFilter, TradeFilter,
};

const GROUP: &str = "history";

const FILTER: &[Param] = params![
    "account" text "Only this account.",
    "symbol" text "Only this instrument.",
    "from" text "First trading day, YYYY-MM-DD.",
    "to" text "Last trading day, YYYY-MM-DD.",
    "side" text "Only this side.",
    "state" text "Only orders in this state.",
    "order_id" text "Only this order.",
    "cl_ord_id" text "Only orders with this identifier of the client.",
    "exec_id" text "Only executions with this identifier of the venue.",
    "currency" text "Only this currency.",
    "limit_label" text "Only this limit.",
    "code" text "Only this reject code.",
    "group" text "Of profit: account, node, instrument, sector, org or account_instrument.",
    "by_day" flag "Of profit: a row for each day.",
    "limit" count "Rows at most, up to 1000; 100 where left out.",
    "cursor" text "`next_cursor` of the page before.",
];

const BARS: &[Param] = params![
    "from" text "First instant, RFC 3339, or midnight of a date in UTC.",
    "to" text "Last instant.",
    "length" text "second or minute; left out: minute.",
    "limit" count "Rows at most, up to 1000; 100 where left out.",
    "cursor" text "`next_cursor` of the page before.",
];
const AUDIT: &[Param] = params![
    "from" text "First trading day, YYYY-MM-DD.",
    "to" text "Last trading day, YYYY-MM-DD.",
    "author" text "Only what this person did.",
    "kind" text "Only this kind of event.",
    "limit" count "Rows at most, up to 1000; 100 where left out.",
    "cursor" text "`next_cursor` of the page before.",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BarsQuery {
    from: Option<String>,
    to: Option<String>,
    length: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    from: Option<String>,
    to: Option<String>,
    author: Option<String>,
    kind: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    account: Option<String>,
    symbol: Option<String>,
    from: Option<String>,
    to: Option<String>,
    side: Option<String>,
    state: Option<String>,
    order_id: Option<String>,
    cl_ord_id: Option<String>,
    exec_id: Option<String>,
    currency: Option<String>,
    limit_label: Option<String>,
    code: Option<String>,
    group: Option<String>,
    by_day: Option<bool>,
    limit: Option<u32>,
    cursor: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let new = |path, need, handle, doc| {
        Endpoint::new(Verb::Get, path, GROUP, need, handle, doc)
            .params(FILTER)
            .gives(200, page_schema)
    };
    vec![
        new(
            v1!("/history/orders"),
            read,
            handle!(orders),
            "Orders as they stand now, or stood at their end.",
        ),
        new(
            v1!("/history/trades"),
            read,
            handle!(trades),
            "Trades, corrected and busted ones marked.",
        ),
        new(
            v1!("/history/refusals"),
            read,
            handle!(refusals),
            "Inputs that were refused, and why.",
        ),
        new(
            v1!("/history/limits"),
            read,
            handle!(limits),
            "Limits that spoke.",
        ),
        new(
            v1!("/history/pnl"),
            read,
            handle!(profit),
            "Profit of trading days by group.",
        ),
        new(
            v1!("/history/bars/{symbol}"),
            read,
            handle!(bars),
            "Bars of the market data that the pipeline saw.",
        )
        .params(BARS),
        new(
            v1!("/ledger/entries"),
            read,
            handle!(entries),
            "Entries of the books.",
        ),
        new(
            v1!("/history/audit"),
            Need::Firm(Permission::Control),
            handle!(audit),
            "What operators did, and what the engine did to nodes by itself.",
        )
        .params(AUDIT),
    ]
}

fn page_schema() -> Schema {
    let mut row = object("A row; docs/http-api.md names its members.", &[]);
    row["additionalProperties"] = true.into();
    rows(row, PAGE)
}

/// Whose rows somebody may see.
fn accounts(gateway: &Gateway, call: &Call, account: Option<&String>) -> Result<Accounts, Problem> {
    let asker = call.asker()?;
    if let Some(account) = account {
        gateway.require(asker, Permission::Read, account)?;
        return Ok(Accounts::Of(vec![account.clone()]));
    }
    if gateway.require_firm(asker, Permission::Read).is_ok() {
        return Ok(Accounts::All);
    }
    let book = gateway.access().book();
    Ok(Accounts::Of(book.accounts_open(&asker.rights, Permission::Read)))
}

fn days(from: &Option<String>, to: &Option<String>) -> Result<Days, Problem> {
    let day = |name: &str, text: &Option<String>| {
        let parsed = text.as_deref().map(|text| parse_date(text).ok_or(text));
        parsed
            .transpose()
            .map_err(|_| Problem::malformed(name, "is no date YYYY-MM-DD"))
    };
    Ok(Days {
        from: day("?from", from)?,
        to: day("?to", to)?,
    })
}

fn page_request(limit: Option<u32>, cursor: &Option<String>) -> PageRequest {
    PageRequest {
        limit: limit.unwrap_or(100).clamp(1, PAGE_ROWS_MAX),
        cursor: cursor.clone(),
    }
}

impl Query {
    fn days(&self) -> Result<Days, Problem> {
        days(&self.from, &self.to)
    }

    fn page(&self) -> PageRequest {
        page_request(self.limit, &self.cursor)
    }

    fn side(&self) -> Result<Option<Side>, Problem> {
        let side = self.side.as_deref().map(|side| Side::from_text(side).ok_or(()));
        side.transpose()
            .map_err(|()| Problem::malformed("?side", "is none of BUY, SELL, SELL_SHORT"))
    }

    fn order_id(&self) -> Result<Option<tradewind_domain::ids::OrderId>, Problem> {
        let id = self.order_id.as_deref().map(str::parse);
        id.transpose()
            .map_err(|error: &str| Problem::malformed("?order_id", error))
    }
}

/// A page as it is answered, with the address of the next one.
fn page<T: Serialize>(call: &Call, page: &Page<T>) -> Result<Reply, Problem> {
    let reply =
        Reply::json(&json!({ "data": page.rows, "next_cursor": page.next, "as_of": page.as_of_seq }))?;
    let Some(next) = &page.next else { return Ok(reply) };
    let kept = form_urlencoded::parse(call.query.as_deref().unwrap_or("").as_bytes())
        .filter(|(name, _)| name != "cursor");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("cursor", next)
        .finish();
    Ok(reply.header("link", &format!("<?{query}>; rel=\"next\"")))
}

async fn orders(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: Query = call.query()?;
    let state = query
        .state
        .as_deref()
        .map(|state| OrderState::from_text(state).ok_or(()));
    let state = state
        .transpose()
        .map_err(|()| Problem::malformed("?state", "is no order state"))?;
    let filter = OrderFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: query.days()?,
        symbol: query.symbol.clone(),
        side: query.side()?,
        states: state.into_iter().collect(),
        order_id: query.order_id()?,
        cl_ord_id: query.cl_ord_id.clone(),
    };
    page(&call, &gateway.history()?.orders(filter, query.page()).await?)
}

async fn trades(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: Query = call.query()?;
    let filter = TradeFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: query.days()?,
        symbol: query.symbol.clone(),
        side: query.side()?,
        order_id: query.order_id()?,
        exec_id: query.exec_id.clone(),
    };
    page(&call, &gateway.history()?.trades(filter, query.page()).await?)
}

async fn refusals(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: Query = call.query()?;
    let filter = RefusalFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: query.days()?,
        code: query.code.clone(),
    };
    page(&call, &gateway.history()?.refusals(filter, query.page()).await?)
}

async fn limits(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: Query = call.query()?;
    let filter = LimitFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: query.days()?,
        limit: query.limit_label.clone(),
        kinds: Vec::new(),
    };
    page(
        &call,
        &gateway.history()?.limit_events(filter, query.page()).await?,
    )
}

async fn entries(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: Query = call.query()?;
    let filter = LedgerFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: query.days()?,
        currency: query.currency.clone(),
        symbol: query.symbol.clone(),
        posted_only: false,
    };
    page(
        &call,
        &gateway.history()?.ledger_entries(filter, query.page()).await?,
    )
}

async fn audit(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: AuditQuery = call.query()?;
    let filter = AuditFilter {
        days: days(&query.from, &query.to)?,
        author: query.author.clone(),
        kind: query.kind.clone(),
    };
    let request = page_request(query.limit, &query.cursor);
    page(&call, &gateway.history()?.audit(filter, request).await?)
}

async fn bars(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: BarsQuery = call.query()?;
    let length = match query.length.as_deref().unwrap_or("minute") {
        "second" => BarLength::Second,
        "minute" => BarLength::Minute,
        _ => return Err(Problem::malformed("?length", "is none of second, minute")),
    };
    // Bars are asked for by instants; a date is its midnight in UTC.
    let instant = |name: &str, text: &Option<String>, open: u64| match text.as_deref() {
        None => Ok(open),
        Some(text) => {
            let midnight =
                || parse_date(text).map(|day| u64::from(day) * tradewind_domain::time::NANOS_PER_DAY);
            let parsed = parse_rfc3339(text).or_else(midnight);
            parsed.ok_or_else(|| Problem::malformed(name, "is neither a date nor an RFC 3339 time"))
        }
    };
    let filter = BarFilter {
        symbol: call.path("symbol").to_owned(),
        length,
        from_ns: instant("?from", &query.from, 0)?,
        to_ns: instant("?to", &query.to, u64::MAX)?,
    };
    let request = page_request(query.limit, &query.cursor);
    page(&call, &gateway.history()?.bars(filter, request).await?)
}

async fn profit(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: Query = call.query()?;
    let group = match query.group.as_deref().unwrap_or("account") {
        "account" => PnlGroup::Account,
        "node" => PnlGroup::Node,
        "instrument" => PnlGroup::Instrument,
        "sector" => PnlGroup::Sector,
        "org" => PnlGroup::Org,
        "account_instrument" => PnlGroup::AccountInstrument,
        _ => {
            let detail = "is none of account, node, instrument, sector, org, account_instrument";
            return Err(Problem::malformed("?group", detail));
        }
    };
    let filter = PnlFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: query.days()?,
        symbol: query.symbol.clone(),
        group,
        by_day: query.by_day.unwrap_or(false),
    };
    let answer = gateway.history()?.pnl(filter).await?;
    Reply::json(&json!({ "data": answer.rows, "next_cursor": null, "as_of": answer.as_of_seq }))
}
