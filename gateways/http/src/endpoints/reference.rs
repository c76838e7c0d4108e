//! Reference data: the hierarchy and instruments; looking for all, setting for administrators.
//!
//! Not here: taking away. A node or instrument that was ever set stays; a kill ends its trading.

use super::calendars::calendar;
use super::changes::{author_code, changed, outcome_schema};
use super::v1;
use super::values::{figure, optional, text, word};
use crate::call::{Asker, Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle, params};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, object, rows, wire};
use bytemuck::Zeroable;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tradewind_domain::codes::{AccountKind, InstrumentKind, Level};
use tradewind_domain::event::{InboundLong, InstrumentSet, Kind, NodeSet};
use tradewind_domain::fixed::Price;
use tradewind_domain::ids::{CalendarId, NodeId};
use tradewind_domain::reference::{Instrument, instrument_flags};
use tradewind_domain::text::{Code, Symbol};
use tradewind_feeds::NodeRow;
use tradewind_identity::{AccessBook, Permission};
use tradewind_views::live::Held;

const GROUP: &str = "reference";
const LEVELS: &str = "FIRM, ORG, DESK, USER, ACCOUNT, STRATEGY";

wire! {
    /// An instrument. Members that are left out keep their value where the instrument is known, and else take their default.
    SetInstrument {
        /// EQUITY, FUTURE, CRYPTO, INVERSE or BINARY; never changes.
        kind: Option<String>,
        /// Currency; never changes.
        currency: Option<String>,
        /// Name of the trading calendar.
        calendar: Option<String>,
        /// Sector.
        sector: Option<String>,
        /// Contract multiplier.
        mult: Option<String>,
        /// Price step.
        tick: Option<String>,
        /// Quantity step.
        lot: Option<String>,
        /// Mark until the market gives one.
        mark: Option<String>,
        /// Width of the price collar either side, basis points; 0 for none.
        collar_bps: Option<u32>,
        /// Age at which the collar's reference is stale, milliseconds.
        collar_max_age_ms: Option<u32>,
        /// Average daily volume.
        adv: Option<String>,
        /// Usual order quantity.
        avg_order_qty: Option<String>,
        /// Initial margin per unit bought, in its currency; 0 for all of the value.
        im_buy: Option<String>,
        /// Initial margin per unit sold.
        im_sell: Option<String>,
        /// Settlement calendar of its market; empty: its trades settle at once.
        settle_calendar: Option<String>,
        /// Settlement calendar of its currency; empty for none.
        cash_calendar: Option<String>,
        /// Business days from trade to settlement.
        settle_days: Option<u32>,
        /// True where prices may be zero or negative.
        negative_prices: Option<bool>,
        /// True where it may be sold short without a locate.
        easy_to_borrow: Option<bool>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// A node of the hierarchy. Level and parent never change.
    SetNode {
        /// FIRM, ORG, DESK, USER, ACCOUNT or STRATEGY.
        level: String,
        /// Code of the parent; empty for the firm.
        parent: String,
        /// Name of the calendar whose roll resets daily counters.
        calendar: Option<String>,
        /// Base currency of an account.
        currency: Option<String>,
        /// Kind of an account: CASH or MARGIN.
        kind: Option<String>,
        /// Why.
        reason: String,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfLevel {
    level: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Need::Right(Permission::Read);
    let admin = Need::Right(Permission::Admin);
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(
            Verb::Get,
            v1!("/accounts"),
            read,
            handle!(accounts),
            "Accounts that one sees.",
        )
        .gives(200, || rows(node_schema(), &[])),
        new(
            Verb::Get,
            v1!("/nodes"),
            read,
            handle!(nodes),
            "Nodes of the hierarchy that one sees: organisations, desks, users, accounts, strategies.",
        )
        .params(params!["level" text "Only nodes of this level: FIRM, ORG, DESK, USER, ACCOUNT or STRATEGY."])
        .gives(200, || rows(node_schema(), &[])),
        new(Verb::Get, v1!("/nodes/{code}"), read, handle!(node), "One node.").gives(200, node_schema),
        new(
            Verb::Put,
            v1!("/nodes/{code}"),
            admin,
            handle!(set_node),
            "Makes a node or account below a node that one administers.",
        )
        .takes::<SetNode>()
        .gives(200, outcome_schema),
        new(
            Verb::Get,
            v1!("/instruments"),
            read,
            handle!(instruments),
            "Instruments.",
        )
        .gives(200, || rows(instrument_schema(), &[])),
        new(
            Verb::Get,
            v1!("/instruments/{symbol}"),
            read,
            handle!(one_instrument),
            "One instrument.",
        )
        .gives(200, instrument_schema),
        new(
            Verb::Put,
            v1!("/instruments/{symbol}"),
            Need::Firm(Permission::Admin),
            handle!(set_instrument),
            "Makes or changes an instrument.",
        )
        .takes::<SetInstrument>()
        .gives(200, outcome_schema),
    ]
}

fn node_schema() -> Schema {
    object(
        "A node.",
        &[
            ("code", "text", "Code."),
            ("level", "text", "FIRM, ORG, DESK, USER, ACCOUNT or STRATEGY."),
            ("parent", "text?", "Code of the parent; none for the firm."),
            ("currency", "text?", "Base currency of an account."),
            ("kind", "text?", "Kind of an account."),
            ("permissions", "any", "What one may do there."),
        ],
    )
}

fn instrument_schema() -> Schema {
    object(
        "An instrument.",
        &[
            ("symbol", "text", "Symbol."),
            ("kind", "text", "Kind."),
            ("currency", "text", "Currency."),
            ("calendar", "text", "Trading calendar."),
            ("sector", "text", "Sector; empty where it has none."),
            ("mult", "decimal", "Contract multiplier."),
            ("tick", "decimal", "Price step."),
            ("lot", "decimal", "Quantity step."),
            ("mark", "decimal", "Mark until the market gives one; 0 for none."),
            ("collar_bps", "count", "Width of the price collar; 0 for none."),
            (
                "collar_max_age_ms",
                "count",
                "Age at which its reference is stale.",
            ),
            ("adv", "decimal", "Average daily volume; 0 where it is not known."),
            (
                "avg_order_qty",
                "decimal",
                "Usual order quantity; 0 where it is not known.",
            ),
            (
                "im_buy",
                "decimal",
                "Initial margin per unit bought; 0 for all of the value.",
            ),
            ("im_sell", "decimal", "Initial margin per unit sold."),
            (
                "settle_calendar",
                "text?",
                "Settlement calendar of its market; none: trades settle at once.",
            ),
            ("cash_calendar", "text?", "Settlement calendar of its currency."),
            ("settle_days", "count", "Business days from trade to settlement."),
            (
                "negative_prices",
                "flag",
                "True where prices may be zero or negative.",
            ),
            (
                "easy_to_borrow",
                "flag",
                "True where it may be sold short without a locate.",
            ),
        ],
    )
}

async fn accounts(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    listed(&gateway, &call, Some(Level::Account))
}

async fn nodes(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let OfLevel { level } = call.query()?;
    let level = level.as_deref();
    let level = level.map(|level| word("?level", level, Level::from_text, LEVELS));
    listed(&gateway, &call, level.transpose()?)
}

fn listed(gateway: &Gateway, call: &Call, level: Option<Level>) -> Result<Reply, Problem> {
    let asker = call.asker()?;
    let rows: Vec<Value> = gateway.live.look(|held| {
        // The replica first, then the book, as the thread that feeds both takes them.
        let book = gateway.access().book();
        let nodes = held.replica().registry().nodes().iter();
        nodes
            .filter(|node| level.is_none_or(|level| node.level == level as u8))
            .filter_map(|node| node_row(held, &book, asker, node))
            .collect()
    });
    Reply::json(&json!({ "data": rows }))
}

async fn node(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let (asker, code) = (call.asker()?, call.path("code"));
    let row = gateway.live.look(|held| {
        let book = gateway.access().book();
        let node = held.replica().registry().node_named(&Code::new(code).ok()?)?;
        node_row(held, &book, asker, node)
    });
    Reply::json(&row.ok_or_else(|| Problem::not_found("node", code))?)
}

/// A node as somebody sees it; none where he does not.
fn node_row(held: &Held, book: &AccessBook, asker: &Asker, node: &NodeRow) -> Option<Value> {
    let registry = held.replica().registry();
    let open = |permission: &Permission| book.allows(&asker.rights, *permission, node.node);
    let permissions = Permission::ALL.into_iter().filter(open).map(Permission::text);
    let is_account = node.level == Level::Account as u8;
    let kind = AccountKind::from_code(node.kind).filter(|_| is_account);
    open(&Permission::Read).then(|| {
        json!({
            "code": node.code.as_str(),
            "level": Level::from_code(node.level).map_or("", Level::text),
            "parent": registry.node(node.parent).map(|parent| parent.code.to_string()),
            "currency": registry.currency(node.currency).map(|currency| currency.code.to_string()),
            "kind": kind.map(AccountKind::text),
            "permissions": permissions.collect::<Vec<_>>(),
        })
    })
}

async fn instruments(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    let rows: Vec<Value> = gateway.live.look(|held| {
        let registry = held.replica().registry();
        registry
            .instruments()
            .iter()
            .map(|row| instrument(held, row))
            .collect()
    });
    Reply::json(&json!({ "data": rows }))
}

async fn one_instrument(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let symbol = call.path("symbol");
    let row = gateway.live.look(|held| {
        let row = held
            .replica()
            .registry()
            .instrument_named(&Symbol::new(symbol).ok()?)?;
        Some(instrument(held, row))
    });
    Reply::json(&row.ok_or_else(|| Problem::not_found("instrument", symbol))?)
}

fn instrument(held: &Held, row: &Instrument) -> Value {
    let registry = held.replica().registry();
    let decimal = |raw: i64| Price::from_raw(raw).to_string();
    let settlement = |id: CalendarId| {
        registry
            .calendar(id)
            .filter(|_| id != CalendarId::UTC)
            .map(ToString::to_string)
    };
    json!({
        "symbol": row.symbol.as_str(),
        "kind": InstrumentKind::from_code(row.kind).map_or("", InstrumentKind::text),
        "currency": registry.currency(row.currency).map_or_else(String::new, |currency| currency.code.to_string()),
        "calendar": registry.calendar(row.calendar).map_or_else(String::new, ToString::to_string),
        "sector": row.sector.as_str(),
        "mult": decimal(row.mult),
        "tick": decimal(row.tick),
        "lot": decimal(row.lot),
        "mark": decimal(row.configured_mark),
        "collar_bps": row.collar_bps,
        "collar_max_age_ms": row.collar_max_age_ms,
        "adv": decimal(row.adv),
        "avg_order_qty": decimal(row.avg_order_qty),
        "im_buy": decimal(row.im_buy),
        "im_sell": decimal(row.im_sell),
        "settle_calendar": settlement(row.settle_calendar),
        "cash_calendar": settlement(row.cash_calendar),
        "settle_days": row.settle_days,
        "negative_prices": row.allows_negative_prices(),
        "easy_to_borrow": row.flags & instrument_flags::EASY_TO_BORROW != 0,
    })
}

async fn set_instrument(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetInstrument = call.json()?;
    let symbol: Symbol = text("symbol", call.path("symbol"))?;
    let author = author_code(call.asker()?);
    let set = gateway
        .live
        .look(|held| instrument_set(held, symbol, author, &body))?;
    changed(
        &gateway,
        &call,
        InboundLong::new(Kind::InstrumentSet, &set),
        &body.reason,
    )
    .await
}

/// The row as it is to be: what is known, changed by what the request names.
fn instrument_set(
    held: &Held,
    symbol: Symbol,
    author: Code,
    body: &SetInstrument,
) -> Result<InstrumentSet, Problem> {
    let registry = held.replica().registry();
    let known = registry.instrument_named(&symbol);
    let mut row = known.copied().unwrap_or_else(Instrument::default_linear);
    let currency = known
        .and_then(|row| registry.currency(row.currency))
        .map(|currency| currency.code);
    let currency = match (&body.currency, currency) {
        (Some(code), _) => text("/currency", code)?,
        (None, Some(code)) => code,
        (None, None) => return Err(Problem::value("/currency", "a new instrument has a currency")),
    };
    row.symbol = symbol;
    if let Some(kind) = &body.kind {
        row.kind = word(
            "/kind",
            kind,
            InstrumentKind::from_text,
            "EQUITY, FUTURE, CRYPTO, INVERSE, BINARY",
        )? as u8;
    }
    row.calendar = calendar(held, "/calendar", body.calendar.as_deref(), row.calendar)?;
    row.settle_calendar = settlement(
        held,
        "/settle_calendar",
        &body.settle_calendar,
        row.settle_calendar,
    )?;
    row.cash_calendar = settlement(held, "/cash_calendar", &body.cash_calendar, row.cash_calendar)?;
    if let Some(days) = body.settle_days {
        row.settle_days = u8::try_from(days).map_err(|_| Problem::value("/settle_days", "is at most 255"))?;
    }
    if let Some(sector) = &body.sector {
        row.sector = Symbol::new(sector).map_err(|error| Problem::value("/sector", error.to_string()))?;
    }
    for (pointer, value, to) in [
        ("/mult", &body.mult, &mut row.mult),
        ("/tick", &body.tick, &mut row.tick),
        ("/lot", &body.lot, &mut row.lot),
        ("/mark", &body.mark, &mut row.configured_mark),
        ("/adv", &body.adv, &mut row.adv),
        ("/avg_order_qty", &body.avg_order_qty, &mut row.avg_order_qty),
        ("/im_buy", &body.im_buy, &mut row.im_buy),
        ("/im_sell", &body.im_sell, &mut row.im_sell),
    ] {
        if value.is_some() {
            *to = figure(pointer, value.as_deref())?;
        }
    }
    row.collar_bps = body.collar_bps.unwrap_or(row.collar_bps);
    row.collar_max_age_ms = body.collar_max_age_ms.unwrap_or(row.collar_max_age_ms);
    for (wish, flag) in [
        (body.easy_to_borrow, instrument_flags::EASY_TO_BORROW),
        (body.negative_prices, instrument_flags::NEGATIVE_PRICES),
    ] {
        match wish {
            Some(true) => row.flags |= flag,
            Some(false) => row.flags &= !flag,
            None => {}
        }
    }
    Ok(InstrumentSet {
        row,
        author,
        currency_code: currency,
        ..InstrumentSet::zeroed()
    })
}

/// A settlement calendar: an empty name means none.
fn settlement(
    held: &Held,
    pointer: &str,
    name: &Option<String>,
    known: CalendarId,
) -> Result<CalendarId, Problem> {
    match name.as_deref() {
        Some("") => Ok(CalendarId::UTC),
        name => calendar(held, pointer, name, known),
    }
}

async fn set_node(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetNode = call.json()?;
    let asker = call.asker()?;
    gateway.require(asker, Permission::Admin, &body.parent)?;
    let level = word("/level", &body.level, Level::from_text, LEVELS)?;
    let kind = body.kind.as_deref();
    let kind = kind
        .map(|kind| word("/kind", kind, AccountKind::from_text, "CASH, MARGIN"))
        .transpose()?;
    let set = NodeSet {
        code: text("code", call.path("code"))?,
        parent_code: Code::new(&body.parent).map_err(|error| Problem::value("/parent", error.to_string()))?,
        author: author_code(asker),
        currency_code: optional("/currency", body.currency.as_deref())?,
        level: level as u8,
        kind: kind.map_or(0, |kind| kind as u8),
        calendar: gateway
            .live
            .look(|held| calendar(held, "/calendar", body.calendar.as_deref(), CalendarId::UTC))?,
        node: NodeId::NONE,
        parent: NodeId::NONE,
        ..NodeSet::zeroed()
    };
    let kind = if level == Level::Account {
        Kind::AccountSet
    } else {
        Kind::NodeSet
    };
    changed(&gateway, &call, InboundLong::new(kind, &set), &body.reason).await
}
