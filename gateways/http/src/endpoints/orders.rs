//! Orders: place, replace, cancel, list, and the life of one.

use super::changes::{outcome_schema, refused};
use super::life;
use super::values::{figure, key, text, word};
use super::{rows::order_schema, v1};
use crate::call::{Asker, Call, Reply};
use crate::endpoint::{Endpoint, Keyed, Need, Verb, handle, params};
use crate::gateway::Gateway;
use crate::keys::{Asked, Found, session_of};
use crate::problem::Problem;
use crate::schema::{Schema, object, rows, wire};
use axum::http::StatusCode;
use bytemuck::Zeroable;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tradewind_control::{Command, MassCancel};
use tradewind_domain::codes::{OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{Event, Inbound, Kind, OrderCancel, OrderNew, OrderReplace, OrderView};
use tradewind_domain::fixed::{Qty, SCALE_DP};
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId, OrderId};
use tradewind_domain::text::{ClOrdId, Code, Symbol};
use tradewind_domain::time::{Rfc3339, parse_rfc3339};
use tradewind_identity::Permission;
use tradewind_views::query::current::{Current, Filter, Order};

const GROUP: &str = "orders";
/// Orders that are listed where nothing else is asked, and at most.
const LISTED: u32 = 500;
const LISTED_MAX: u32 = 2_000;

wire! {
    /// A new order. Its `Idempotency-Key` is its ClOrdID.
    PlaceOrder {
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
        /// Price at which the position would be given up, for limits on risk.
        stop_loss_px: Option<String>,
        /// MARKET, LIMIT, STOP or STOP_LIMIT; left out: what the prices say.
        ord_type as "type": Option<String>,
        /// DAY, GTC, IOC, FOK or GTD; left out: DAY.
        tif: Option<String>,
        /// When a GTD order ends, RFC 3339.
        expires: Option<String>,
        /// True where the stock of a short sale was located.
        located: Option<bool>,
    }
}

wire! {
    /// What an order is to become. The `Idempotency-Key` is its ClOrdID from then on.
    ReplaceOrder {
        /// New total quantity, fills included.
        qty: String,
        /// New limit price.
        px: Option<String>,
        /// New stop price.
        stop_px: Option<String>,
    }
}

wire! {
    /// Which orders are to be cancelled.
    CancelMany {
        /// Only those below this node or account; left out: of the whole firm.
        node: Option<String>,
        /// Only this instrument.
        symbol: Option<String>,
        /// Only this side.
        side: Option<String>,
        /// Why.
        reason: String,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    account: Option<String>,
    symbol: Option<String>,
    state: Option<String>,
    limit: Option<u32>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let trade = Need::Right(Permission::Trade);
    let read = Need::Right(Permission::Read);
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(
            Verb::Post,
            v1!("/orders"),
            trade,
            handle!(place),
            "Places an order. The answer comes when its record is released.",
        )
        .takes::<PlaceOrder>()
        .gives(201, placed_schema)
        .keyed(Keyed::Order),
        new(
            Verb::Get,
            v1!("/orders"),
            read,
            handle!(list),
            "Open orders, or the newest ones.",
        )
        .params(params![
            "account" text "Only this account.",
            "symbol" text "Only this instrument.",
            "state" text "`open` (the default) or `all`: with those closed not long ago, newest first.",
            "limit" count "Rows at most, up to 2000; 500 where left out.",
        ])
        .gives(200, orders_schema),
        new(
            Verb::Post,
            v1!("/orders/mass-cancel"),
            Need::Token,
            handle!(cancel_many),
            "Asks the venues to cancel all orders of a scope.",
        )
        .takes::<CancelMany>()
        .gives(202, outcome_schema),
        new(
            Verb::Get,
            v1!("/orders/{id}"),
            read,
            handle!(one),
            "One order, open or closed not long ago.",
        )
        .gives(200, order_now_schema),
        new(
            Verb::Put,
            v1!("/orders/{id}"),
            trade,
            handle!(replace),
            "Asks the venue to replace quantity and prices.",
        )
        .takes::<ReplaceOrder>()
        .gives(202, placed_schema)
        .keyed(Keyed::Order),
        new(
            Verb::Delete,
            v1!("/orders/{id}"),
            trade,
            handle!(cancel),
            "Asks the venue to cancel the order.",
        )
        .gives(202, placed_schema),
        new(
            Verb::Get,
            v1!("/orders/{id}/explain"),
            read,
            handle!(life::explain),
            "The whole life of an order, event by event, from the journal.",
        )
        .gives(200, life::schema),
    ]
}

fn placed_schema() -> Schema {
    object(
        "What the journal says of the request.",
        &[
            ("order_id", "text", "The order, `SHARD-COUNTER`."),
            (
                "cl_ord_id",
                "text",
                "The client's identifier: the Idempotency-Key.",
            ),
            ("state", "text", "The order's state after the request."),
            ("leaves", "decimal", "Open quantity."),
            ("cum", "decimal", "Filled quantity."),
            ("seq", "count", "Number of the request in the journal."),
            ("received", "time", "When the engine took it."),
            ("released", "time?", "When its record was released."),
            (
                "acknowledgement",
                "text",
                "MEMORY: the record survives the process. DISK: it survives the machine.",
            ),
        ],
    )
}

fn orders_schema() -> Schema {
    rows(order_schema(), super::rows::AS_OF)
}

fn order_now_schema() -> Schema {
    super::rows::one(order_schema())
}

async fn place(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let asker = call.asker()?;
    let body: PlaceOrder = call.json()?;
    let key = key(&call)?;
    gateway.require(asker, Permission::Trade, &body.account)?;
    let (symbol, account): (Symbol, Code) =
        (text("/symbol", &body.symbol)?, text("/account", &body.account)?);
    let order = order_of(&body, key, asker)?;
    let asked = Asked {
        kind: Kind::OrderNew,
        order: OrderId::NONE,
        figures: [
            order.qty as u64,
            order.px as u64,
            order.stop_px as u64,
            order.stop_loss_px as u64,
            order.expire_ns,
        ],
        codes: [order.side, order.ord_type, order.tif, order.located],
        ids: ids(&gateway, &account, &symbol)?,
    };
    let message = call
        .correlation
        .on(Inbound::new(Kind::OrderNew, &order).named(symbol, account));
    let (event, is_replay) = keyed(&gateway, asker, key, &asked, message).await?;
    let view = event.body::<OrderNew>().view;
    answer(&gateway, &event, &view, key, is_replay).map(|reply| {
        let place = format!("/api/v1/orders/{}", view.order_id);
        reply.status(StatusCode::CREATED).header("location", &place)
    })
}

/// The order as the pipeline takes it.
fn order_of(body: &PlaceOrder, key: ClOrdId, asker: &Asker) -> Result<OrderNew, Problem> {
    let ord_type = match (body.ord_type.as_deref(), &body.px, &body.stop_px) {
        (Some(named), ..) => word(
            "/type",
            named,
            OrderType::from_text,
            "MARKET, LIMIT, STOP, STOP_LIMIT",
        )?,
        (None, Some(_), Some(_)) => OrderType::StopLimit,
        (None, Some(_), None) => OrderType::Limit,
        (None, None, Some(_)) => OrderType::Stop,
        (None, None, None) => OrderType::Market,
    };
    let tif = body.tif.as_deref().unwrap_or("DAY");
    let tif = word("/tif", tif, TimeInForce::from_text, "DAY, GTC, IOC, FOK, GTD")?;
    let expire_ns = match &body.expires {
        None => 0,
        Some(time) => parse_rfc3339(time).ok_or_else(|| Problem::value("/expires", "is no RFC 3339 time"))?,
    };
    if (tif == TimeInForce::Gtd) != (expire_ns != 0) {
        return Err(Problem::value("/expires", "goes with tif GTD, and GTD needs it"));
    }
    Ok(OrderNew {
        cl_ord_id: key,
        qty: figure("/qty", Some(&body.qty))?,
        px: figure("/px", body.px.as_deref())?,
        stop_px: figure("/stop_px", body.stop_px.as_deref())?,
        stop_loss_px: figure("/stop_loss_px", body.stop_loss_px.as_deref())?,
        expire_ns,
        session: session_of(asker.caller.user),
        side: word("/side", &body.side, Side::from_text, "BUY, SELL, SELL_SHORT")? as u8,
        ord_type: ord_type as u8,
        tif: tif as u8,
        qty_dp: SCALE_DP as u8,
        px_dp: SCALE_DP as u8,
        located: u8::from(body.located.unwrap_or(false)),
        ..OrderNew::zeroed()
    })
}

/// Ids of account and instrument as the order's record will have them. An account must be there; an instrument that is not is the
/// engine's to refuse.
fn ids(gateway: &Gateway, account: &Code, symbol: &Symbol) -> Result<(u32, u32), Problem> {
    gateway.live.look(|held| {
        let registry = held.replica().registry();
        let node = registry
            .node_named(account)
            .filter(|node| !node.account.is_none());
        let node = node.ok_or_else(|| Problem::not_found("account", account))?;
        let instrument = registry
            .instrument_named(symbol)
            .map_or(InstrumentId::NONE, |row| row.id);
        Ok((node.node.0, instrument.0))
    })
}

/// Sends what is new under its key; gives back the record of what is not.
async fn keyed(
    gateway: &Gateway,
    asker: &Asker,
    key: ClOrdId,
    asked: &Asked,
    message: Inbound,
) -> Result<(Box<Event>, bool), Problem> {
    let session = session_of(asker.caller.user);
    let work = match gateway.keys.take(session, key, asked) {
        Found::New(work) => work,
        Found::Same(event) => return Ok((event, true)),
        Found::Other => return Err(Problem::key_reused(&key)),
        Found::InFlight => return Err(Problem::in_flight(&key)),
    };
    let event = gateway.gate.order(message).await?;
    drop(work);
    Ok((event, false))
}

/// The answer to a request about one order, or the refusal with everything that the journal says of it.
fn answer(
    gateway: &Gateway,
    event: &Event,
    view: &OrderView,
    cl_ord_id: ClOrdId,
    is_replay: bool,
) -> Result<Reply, Problem> {
    if let Some(code) = event.reject_code() {
        return Err(refused(gateway, event, code));
    }
    let head = &event.head;
    let state = OrderState::from_code(view.state_after).map_or("", OrderState::text);
    let reply = Reply::json(&json!({
        "order_id": view.order_id.to_string(),
        "cl_ord_id": cl_ord_id.as_str(),
        "state": state,
        "leaves": Qty::from_raw(view.leaves).to_string(),
        "cum": Qty::from_raw(view.cum).to_string(),
        "seq": head.seq,
        "received": Rfc3339(head.recv_ns).to_string(),
        "released": (head.journaled_ns != 0).then(|| Rfc3339(head.journaled_ns).to_string()),
        "acknowledgement": gateway.acknowledgement.text(),
    }))?;
    Ok(match is_replay {
        true => reply.header("idempotency-replayed", "true"),
        false => reply,
    })
}

pub(super) fn order_id(call: &Call) -> Result<OrderId, Problem> {
    let id = call.path("id");
    id.parse().map_err(|_| Problem::not_found("order", id))
}

/// An order that may be touched by who asks. Others are not there for him.
async fn owned(
    gateway: &Arc<Gateway>,
    call: &Call,
    permission: Permission,
) -> Result<(u64, u64, Order), Problem> {
    let id = order_id(call)?;
    let now = gateway.read(move |live| live.order(id)).await;
    let now = now.map_err(|_| Problem::not_found("order", id))?;
    let asker = call.asker()?;
    let book = gateway.access().book();
    if !book.allows(&asker.rights, Permission::Read, now.data.account_node) {
        return Err(Problem::not_found("order", id));
    }
    if !book.allows(&asker.rights, permission, now.data.account_node) {
        let detail = format!("{} may see the order and not touch it", asker.caller.name);
        return Err(Problem::not_permitted(detail));
    }
    Ok((now.as_of, now.as_of_time, now.data))
}

async fn one(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let (as_of, as_of_time, order) = owned(&gateway, &call, Permission::Read).await?;
    Reply::json(&json!({ "as_of": as_of, "as_of_time": Rfc3339(as_of_time).to_string(), "data": order }))
}

async fn list(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let query: List = call.query()?;
    let filter = Filter {
        scope: gateway.scope_at(call.asker()?, "?account", query.account.as_deref())?,
        account: query
            .account
            .as_deref()
            .map(|account| text("?account", account))
            .transpose()?,
        symbol: query
            .symbol
            .as_deref()
            .map(|symbol| text("?symbol", symbol))
            .transpose()?,
    };
    let max = query.limit.unwrap_or(LISTED).clamp(1, LISTED_MAX) as usize;
    let is_open = match query.state.as_deref().unwrap_or("open") {
        "open" => true,
        "all" => false,
        _ => return Err(Problem::value("?state", "is none of open, all")),
    };
    let now = gateway.read(move |live| match is_open {
        true => live.open_orders(&filter),
        false => live.recent_orders(&filter, max),
    });
    let mut now = now.await?;
    now.data.truncate(max);
    Reply::json(&now)
}

async fn replace(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: ReplaceOrder = call.json()?;
    let key = key(&call)?;
    let (_, _, order) = owned(&gateway, &call, Permission::Trade).await?;
    let asker = call.asker()?;
    let request = OrderReplace {
        cl_ord_id: key,
        order_id: order.order_id,
        qty: figure("/qty", Some(&body.qty))?,
        px: figure("/px", body.px.as_deref())?,
        stop_px: figure("/stop_px", body.stop_px.as_deref())?,
        session: session_of(asker.caller.user),
        qty_dp: SCALE_DP as u8,
        px_dp: SCALE_DP as u8,
        ..OrderReplace::zeroed()
    };
    let asked = Asked {
        kind: Kind::OrderReplace,
        order: order.order_id,
        figures: [
            request.qty as u64,
            request.px as u64,
            request.stop_px as u64,
            0,
            0,
        ],
        codes: [0; 4],
        ids: (u32::MAX, u32::MAX),
    };
    let message = call.correlation.on(Inbound::new(Kind::OrderReplace, &request));
    let (event, is_replay) = keyed(&gateway, asker, key, &asked, message).await?;
    let view = event.body::<OrderReplace>().view;
    Ok(answer(&gateway, &event, &view, key, is_replay)?.status(StatusCode::ACCEPTED))
}

async fn cancel(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let (_, _, order) = owned(&gateway, &call, Permission::Trade).await?;
    let request = OrderCancel {
        order_id: order.order_id,
        session: session_of(call.asker()?.caller.user),
        leaf: NodeId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..OrderCancel::zeroed()
    };
    let message = call.correlation.on(Inbound::new(Kind::OrderCancel, &request));
    let event = gateway.gate.order(message).await?;
    let view = event.body::<OrderCancel>().view;
    Ok(answer(&gateway, &event, &view, order.cl_ord_id, false)?.status(StatusCode::ACCEPTED))
}

/// Whoever trades at a node, or controls it, may cancel everything below it.
async fn cancel_many(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: CancelMany = call.json()?;
    let asker = call.asker()?;
    let may = |permission| match &body.node {
        Some(node) => gateway.require(asker, permission, node),
        None => gateway.require_firm(asker, permission),
    };
    may(Permission::Trade).or_else(|_| may(Permission::Control))?;
    let scope = MassCancel {
        node: body.node.clone(),
        symbol: body.symbol.clone(),
        side: body.side.clone(),
        session: None,
    };
    let answer: Value = gateway
        .desk(&call, Some(&body.reason), Command::OrdersMassCancel(scope))
        .await?;
    Ok(Reply::json(&answer)?.status(StatusCode::ACCEPTED))
}
