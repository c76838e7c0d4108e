//! What has been: pages of the store, new to old. Without a store there is none, and the answer says so.

mod schemas;

use super::v1;
use super::values::word;
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Param, Verb, handle, params};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use tradewind_domain::codes::{OrderState, Side};
use tradewind_domain::ids::OrderId;
use tradewind_domain::time::{parse_date, parse_rfc3339};
use tradewind_identity::Permission;
use tradewind_views::query::history::{
    Accounts, AuditFilter, BarFilter, BarLength, Days, LedgerFilter, LimitFilter, OrderFilter, PAGE_ROWS_MAX,
    Page, PageRequest, PnlFilter, PnlGroup, RefusalFilter, TradeFilter,
};

const GROUP: &str = "history";

/// Parameters that every list takes behind its own.
macro_rules! pages {
    ($($name:literal $kind:ident $doc:literal),* $(,)?) => {
        params![
            $($name $kind $doc,)*
            "limit" count "Rows at most, up to 1000; 100 where left out.",
            "cursor" text "`next_cursor` of the page before.",
        ]
    };
}

const ORDERS: &[Param] = pages![
    "account" text "Only this account.",
    "symbol" text "Only this instrument.",
    "from" text "First trading day on which they were entered, YYYY-MM-DD.",
    "to" text "Last trading day.",
    "side" text "BUY, SELL or SELL_SHORT.",
    "state" text "Only orders in this state.",
    "order_id" text "Only this order.",
    "cl_ord_id" text "Only orders with this identifier of the client.",
];
const TRADES: &[Param] = pages![
    "account" text "Only this account.",
    "symbol" text "Only this instrument.",
    "from" text "First trading day on which they were booked, YYYY-MM-DD.",
    "to" text "Last trading day.",
    "side" text "BUY, SELL or SELL_SHORT.",
    "order_id" text "Only those of this order.",
    "exec_id" text "Only those with this identifier of the venue.",
];
const REFUSALS: &[Param] = pages![
    "account" text "Only this account.",
    "symbol" text "Only this instrument.",
    "from" text "First day in UTC, YYYY-MM-DD.",
    "to" text "Last day in UTC.",
    "code" text "Only this reject code.",
];
const LIMITS: &[Param] = pages![
    "account" text "Only what is about this account.",
    "from" text "First day in UTC, YYYY-MM-DD.",
    "to" text "Last day in UTC.",
    "limit_label" text "Only this limit.",
];
const ENTRIES: &[Param] = pages![
    "account" text "Only this account.",
    "from" text "First trading day, YYYY-MM-DD.",
    "to" text "Last trading day.",
    "currency" text "Only the ledger of this currency.",
    "symbol" text "Only the ledger of this instrument.",
    "posted_only" flag "True leaves out what is held and released for orders.",
];
const PROFIT: &[Param] = params![
    "account" text "Only this account.",
    "symbol" text "Only this instrument.",
    "from" text "First trading day, YYYY-MM-DD.",
    "to" text "Last trading day.",
    "group" text "account, node, instrument, sector, org or account_instrument; left out: account.",
    "by_day" flag "True for a row for each day.",
];
const BARS: &[Param] = pages![
    "from" text "Bars that begin at this instant or later: RFC 3339, or midnight of a date in UTC.",
    "to" text "Bars that begin before this instant.",
    "length" text "second or minute; left out: minute.",
];
const AUDIT: &[Param] = pages![
    "from" text "First day in UTC, YYYY-MM-DD.",
    "to" text "Last day in UTC.",
    "author" text "Only what this person did.",
    "kind" text "Only this kind of event.",
];

/// What a list is asked: exactly the parameters that are described.
macro_rules! query {
    ($Name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $Name {
            $($field: Option<$type>,)*
        }
    };
}

query! { OrdersQuery {
    account: String, symbol: String, from: String, to: String, side: String, state: String, order_id: String, cl_ord_id: String,
    limit: u32, cursor: String,
} }
query! { TradesQuery {
    account: String, symbol: String, from: String, to: String, side: String, order_id: String, exec_id: String,
    limit: u32, cursor: String,
} }
query! { RefusalsQuery {
    account: String, symbol: String, from: String, to: String, code: String, limit: u32, cursor: String,
} }
query! { LimitsQuery { account: String, from: String, to: String, limit_label: String, limit: u32, cursor: String } }
query! { EntriesQuery {
    account: String, from: String, to: String, currency: String, symbol: String, posted_only: bool, limit: u32, cursor: String,
} }
query! { ProfitQuery { account: String, symbol: String, from: String, to: String, group: String, by_day: bool } }
query! { BarsQuery { from: String, to: String, length: String, limit: u32, cursor: String } }
query! { AuditQuery { from: String, to: String, author: String, kind: String, limit: u32, cursor: String } }

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let new = |path, need, params, gives: fn() -> Schema, handle, doc| {
        Endpoint::new(Verb::Get, path, GROUP, need, handle, doc)
            .params(params)
            .gives(200, gives)
    };
    vec![
        new(
            v1!("/history/orders"),
            read,
            ORDERS,
            schemas::order_page,
            handle!(orders),
            "Orders as they stand now, or stood at their end.",
        ),
        new(
            v1!("/history/trades"),
            read,
            TRADES,
            schemas::trade_page,
            handle!(trades),
            "Trades, corrected and busted ones marked.",
        ),
        new(
            v1!("/history/refusals"),
            read,
            REFUSALS,
            schemas::refusal_page,
            handle!(refusals),
            "Inputs that were refused, and why.",
        ),
        new(
            v1!("/history/limits"),
            read,
            LIMITS,
            schemas::limit_event_page,
            handle!(limits),
            "Limits that spoke.",
        ),
        new(
            v1!("/history/pnl"),
            read,
            PROFIT,
            schemas::profit_page,
            handle!(profit),
            "Profit of trading days by group.",
        ),
        new(
            v1!("/history/bars/{symbol}"),
            read,
            BARS,
            schemas::bar_page,
            handle!(bars),
            "Bars of the market data that the pipeline saw.",
        ),
        new(
            v1!("/ledger/entries"),
            read,
            ENTRIES,
            schemas::entry_page,
            handle!(entries),
            "Entries of the books.",
        ),
        new(
            v1!("/history/audit"),
            Need::Firm(Permission::Control),
            AUDIT,
            schemas::audit_page,
            handle!(audit),
            "What operators did, and what the engine did to nodes by itself.",
        ),
    ]
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

fn side(side: Option<&str>) -> Result<Option<Side>, Problem> {
    side.map(|side| word("?side", side, Side::from_text, "BUY, SELL, SELL_SHORT"))
        .transpose()
}

fn order(id: Option<&str>) -> Result<Option<OrderId>, Problem> {
    let id = id.map(str::parse);
    id.transpose()
        .map_err(|error: &str| Problem::malformed("?order_id", error))
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
    let query: OrdersQuery = call.query()?;
    let state = query.state.as_deref();
    let state = state
        .map(|state| word("?state", state, OrderState::from_text, "the states of orders"))
        .transpose()?;
    let filter = OrderFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: days(&query.from, &query.to)?,
        symbol: query.symbol.clone(),
        side: side(query.side.as_deref())?,
        states: state.into_iter().collect(),
        order_id: order(query.order_id.as_deref())?,
        cl_ord_id: query.cl_ord_id.clone(),
    };
    page(
        &call,
        &gateway
            .history()?
            .orders(filter, page_request(query.limit, &query.cursor))
            .await?,
    )
}

async fn trades(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: TradesQuery = call.query()?;
    let filter = TradeFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: days(&query.from, &query.to)?,
        symbol: query.symbol.clone(),
        side: side(query.side.as_deref())?,
        order_id: order(query.order_id.as_deref())?,
        exec_id: query.exec_id.clone(),
    };
    page(
        &call,
        &gateway
            .history()?
            .trades(filter, page_request(query.limit, &query.cursor))
            .await?,
    )
}

async fn refusals(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: RefusalsQuery = call.query()?;
    let filter = RefusalFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: days(&query.from, &query.to)?,
        symbol: query.symbol.clone(),
        code: query.code.clone(),
    };
    page(
        &call,
        &gateway
            .history()?
            .refusals(filter, page_request(query.limit, &query.cursor))
            .await?,
    )
}

async fn limits(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: LimitsQuery = call.query()?;
    let filter = LimitFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: days(&query.from, &query.to)?,
        limit: query.limit_label.clone(),
        kinds: Vec::new(),
    };
    page(
        &call,
        &gateway
            .history()?
            .limit_events(filter, page_request(query.limit, &query.cursor))
            .await?,
    )
}

async fn entries(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: EntriesQuery = call.query()?;
    let filter = LedgerFilter {
        accounts: accounts(&gateway, &call, query.account.as_ref())?,
        days: days(&query.from, &query.to)?,
        currency: query.currency.clone(),
        symbol: query.symbol.clone(),
        posted_only: query.posted_only.unwrap_or(false),
    };
    page(
        &call,
        &gateway
            .history()?
            .ledger_entries(filter, page_request(query.limit, &query.cursor))
            .await?,
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
    let query: ProfitQuery = call.query()?;
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
        days: days(&query.from, &query.to)?,
        symbol: query.symbol.clone(),
        group,
        by_day: query.by_day.unwrap_or(false),
    };
    let answer = gateway.history()?.pnl(filter).await?;
    Reply::json(&json!({ "data": answer.rows, "next_cursor": null, "as_of": answer.as_of_seq }))
}
