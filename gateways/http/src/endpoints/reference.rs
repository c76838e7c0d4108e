//! Reference data: the hierarchy, instruments, calendars; looking for all, setting for administrators.

use super::orders::{author_code, figure, outcome_schema, text, word};
use super::v1;
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, object, rows, wire};
use bytemuck::Zeroable;
use serde_json::{Value, json};
use std::sync::Arc;
use tradewind_control::Outcome;
use tradewind_domain::codes::{AccountKind, InstrumentKind, Level};
use tradewind_domain::event::{InboundLong, InstrumentSet, Kind, NodeSet};
use tradewind_domain::fixed::Price;
use tradewind_domain::ids::{CalendarId, NodeId};
use tradewind_domain::reference::{Instrument, instrument_flags};
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_identity::Permission;
use tradewind_views::live::Held;

const GROUP: &str = "reference";

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
        /// Average daily volume.
        adv: Option<String>,
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
        .gives(200, nodes_schema),
        new(
            Verb::Get,
            v1!("/nodes"),
            read,
            handle!(nodes),
            "Nodes of the hierarchy that one sees.",
        )
        .gives(200, nodes_schema),
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
            Verb::Put,
            v1!("/instruments/{symbol}"),
            Need::Firm(Permission::Admin),
            handle!(set_instrument),
            "Makes or changes an instrument.",
        )
        .takes::<SetInstrument>()
        .gives(200, outcome_schema),
        new(
            Verb::Get,
            v1!("/calendars"),
            read,
            handle!(calendars),
            "Trading calendars.",
        )
        .gives(200, calendars_schema),
    ]
}

fn nodes_schema() -> Schema {
    let row = object(
        "A node.",
        &[
            ("code", "text", "Code."),
            ("level", "text", "FIRM, ORG, DESK, USER, ACCOUNT or STRATEGY."),
            ("parent", "text?", "Code of the parent; none for the firm."),
            ("currency", "text?", "Base currency of an account."),
            ("kind", "text?", "Kind of an account."),
            ("permissions", "any", "What one may do there."),
        ],
    );
    rows(row, &[])
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
            ("adv", "decimal", "Average daily volume; 0 where it is not known."),
            (
                "easy_to_borrow",
                "flag",
                "True where it may be sold short without a locate.",
            ),
        ],
    )
}

fn calendars_schema() -> Schema {
    rows(
        object(
            "A calendar.",
            &[("id", "count", "Number."), ("name", "text", "Name.")],
        ),
        &[],
    )
}

async fn accounts(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    listed(&gateway, &call, |level| level == Level::Account as u8)
}

async fn nodes(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    listed(&gateway, &call, |_| true)
}

fn listed(gateway: &Gateway, call: &Call, is_asked: fn(u8) -> bool) -> Result<Reply, Problem> {
    let asker = call.asker()?;
    let rows = gateway.live.look(|held| {
        // The replica first, then the book, as the thread that feeds both takes them.
        let book = gateway.access().book();
        let registry = held.replica().registry();
        let mut rows = Vec::new();
        for node in registry.nodes().iter().filter(|node| is_asked(node.level)) {
            let open = |permission: &Permission| book.allows(&asker.rights, *permission, node.node);
            if !open(&Permission::Read) {
                continue;
            }
            let permissions = Permission::ALL.into_iter().filter(open).map(Permission::text);
            let is_account = node.level == Level::Account as u8;
            let kind = AccountKind::from_code(node.kind).filter(|_| is_account);
            rows.push(json!({
                "code": node.code.as_str(),
                "level": Level::from_code(node.level).map_or("", Level::text),
                "parent": registry.node(node.parent).map(|parent| parent.code.to_string()),
                "currency": registry.currency(node.currency).map(|currency| currency.code.to_string()),
                "kind": kind.map(AccountKind::text),
                "permissions": permissions.collect::<Vec<_>>(),
            }));
        }
        rows
    });
    Reply::json(&json!({ "data": rows }))
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

fn instrument(held: &Held, row: &Instrument) -> Value {
    let registry = held.replica().registry();
    let decimal = |raw: i64| Price::from_raw(raw).to_string();
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
        "adv": decimal(row.adv),
        "easy_to_borrow": row.flags & instrument_flags::EASY_TO_BORROW != 0,
    })
}

async fn calendars(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    let rows: Vec<Value> = gateway.live.look(|held| {
        let registry = held.replica().registry();
        let ids = (0..CalendarId::COUNT_MAX).map(CalendarId);
        ids.filter_map(|id| Some(json!({ "id": id.0, "name": registry.calendar(id)?.as_str() })))
            .collect()
    });
    Reply::json(&json!({ "data": rows }))
}

/// A calendar by its name; none keeps `known`.
fn calendar(held: &Held, name: Option<&str>, known: CalendarId) -> Result<CalendarId, Problem> {
    let Some(name) = name else { return Ok(known) };
    let registry = held.replica().registry();
    let found = (0..CalendarId::COUNT_MAX)
        .map(CalendarId)
        .find(|id| registry.calendar(*id).is_some_and(|code| code.as_str() == name));
    found.ok_or_else(|| Problem::value("/calendar", format!("there is no calendar {name}")))
}

async fn send(gateway: &Gateway, call: &Call, message: InboundLong, reason: &str) -> Result<Reply, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > 400 || reason.chars().any(char::is_control) {
        return Err(Problem::value("/reason", "is one line of 1 to 400 bytes"));
    }
    let tail = format!("{reason} [request {}]", call.correlation.request_id);
    let event = gateway.gate.admin(message.with_tail(tail.as_bytes())).await?;
    match event.reject_code() {
        Some(code) => Err(super::orders::refused(gateway, &event, code)),
        None => Reply::json(&json!({ "outcome": Outcome::of(&event, None) })),
    }
}

async fn set_instrument(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetInstrument = call.json()?;
    let symbol: Symbol = text("symbol", call.path("symbol"))?;
    let author = author_code(call.asker()?);
    let set = gateway
        .live
        .look(|held| instrument_set(held, symbol, author, &body))?;
    send(
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
    row.calendar = calendar(held, body.calendar.as_deref(), row.calendar)?;
    if let Some(sector) = &body.sector {
        row.sector = Symbol::new(sector).map_err(|error| Problem::value("/sector", error.to_string()))?;
    }
    for (pointer, value, to) in [
        ("/mult", &body.mult, &mut row.mult),
        ("/tick", &body.tick, &mut row.tick),
        ("/lot", &body.lot, &mut row.lot),
        ("/mark", &body.mark, &mut row.configured_mark),
        ("/adv", &body.adv, &mut row.adv),
    ] {
        if value.is_some() {
            *to = figure(pointer, value.as_deref())?;
        }
    }
    row.collar_bps = body.collar_bps.unwrap_or(row.collar_bps);
    match body.easy_to_borrow {
        Some(true) => row.flags |= instrument_flags::EASY_TO_BORROW,
        Some(false) => row.flags &= !instrument_flags::EASY_TO_BORROW,
        None => {}
    }
    Ok(InstrumentSet {
        row,
        author,
        currency_code: currency,
        ..InstrumentSet::zeroed()
    })
}

async fn set_node(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetNode = call.json()?;
    let asker = call.asker()?;
    gateway.require(asker, Permission::Admin, &body.parent)?;
    let level = word(
        "/level",
        &body.level,
        Level::from_text,
        "FIRM, ORG, DESK, USER, ACCOUNT, STRATEGY",
    )?;
    let kind = body.kind.as_deref();
    let kind = kind
        .map(|kind| word("/kind", kind, AccountKind::from_text, "CASH, MARGIN"))
        .transpose()?;
    let optional = |pointer: &str, value: &Option<String>| {
        Text::new(value.as_deref().unwrap_or("")).map_err(|error| Problem::value(pointer, error.to_string()))
    };
    let set = NodeSet {
        code: text("code", call.path("code"))?,
        parent_code: Code::new(&body.parent).map_err(|error| Problem::value("/parent", error.to_string()))?,
        author: author_code(asker),
        currency_code: optional("/currency", &body.currency)?,
        level: level as u8,
        kind: kind.map_or(0, |kind| kind as u8),
        calendar: gateway
            .live
            .look(|held| calendar(held, body.calendar.as_deref(), CalendarId::UTC))?,
        node: NodeId::NONE,
        parent: NodeId::NONE,
        ..NodeSet::zeroed()
    };
    let kind = if level == Level::Account {
        Kind::AccountSet
    } else {
        Kind::NodeSet
    };
    send(&gateway, &call, InboundLong::new(kind, &set), &body.reason).await
}
