//! The verdict on reference data: is the row acceptable, and which ids does it get.
//!
//! Each function reads the registry, writes resolved ids into the body and changes nothing else; the stage's `apply` then
//! stores the row. A refusal gives the first reason met, in the order in which the function reads.

use crate::registry::{NodeRow, Registry};
use tradewind_domain::codes::{AccountKind, InstrumentKind, Level};
use tradewind_domain::event::{Body, CalendarSet, Capacities, CurrencySet, Event, InstrumentSet, NodeSet};
use tradewind_domain::fixed::SCALE_DP;
use tradewind_domain::ids::{AccountId, CalendarId, CurrencyId, InstrumentId, NodeId};
use tradewind_domain::reference::{Instrument, instrument_flags};
use tradewind_domain::reject::RejectCode;

type Verdict = Result<(), RejectCode>;

/// Writes a refusal on the event.
pub(super) fn decide<T: Body>(event: &mut Event, verdict: impl FnOnce(&mut T) -> Verdict) {
    if let Err(code) = verdict(event.body_mut::<T>()) {
        event.reject(code);
    }
}

fn require(holds: bool, code: RejectCode) -> Verdict {
    if holds { Ok(()) } else { Err(code) }
}

/// A known symbol keeps its id, its kind and its currency: positions and reservations are kept in them.
pub(super) fn instrument(registry: &Registry, logical: &Capacities, set: &mut InstrumentSet) -> Verdict {
    set.row.id = InstrumentId::NONE;
    set.row.currency = CurrencyId::NONE;
    let currency = registry
        .currency_named(&set.currency_code)
        .ok_or(RejectCode::UnknownCurrency)?;
    for calendar in [set.row.calendar, set.row.settle_calendar, set.row.cash_calendar] {
        require(registry.calendar(calendar).is_some(), RejectCode::UnknownCalendar)?;
    }
    require(has_valid_values(&set.row), RejectCode::InvalidValue)?;
    let id = match registry.instrument_named(&set.row.symbol) {
        Some(known) => {
            require(known.currency == currency.currency, RejectCode::CurrencyMismatch)?;
            require(known.kind == set.row.kind, RejectCode::InvalidValue)?;
            // A name that it had is another name of it: the row keeps the present one.
            set.row.symbol = known.symbol;
            known.id
        }
        None => {
            require(
                !registry.instruments_full(logical.instruments),
                RejectCode::Capacity,
            )?;
            InstrumentId(registry.instruments().len() as u32)
        }
    };
    set.row.id = id;
    set.row.currency = currency.currency;
    set.row.money_dp = currency.money_dp;
    set.row.reserved = [0; 35];
    Ok(())
}

/// The longest time from trade to settlement, in business days.
const SETTLE_DAYS_MAX: u8 = 30;

fn has_valid_values(row: &Instrument) -> bool {
    const KNOWN_FLAGS: u8 = instrument_flags::NEGATIVE_PRICES | instrument_flags::EASY_TO_BORROW;
    !row.symbol.is_empty()
        && InstrumentKind::from_code(row.kind).is_some()
        && row.mult > 0
        && row.tick > 0
        && row.lot > 0
        && (row.configured_mark >= 0 || row.allows_negative_prices())
        && row.adv >= 0
        && row.avg_order_qty >= 0
        && row.im_buy >= 0
        && row.im_sell >= 0
        && row.flags & !KNOWN_FLAGS == 0
        && row.settle_days <= SETTLE_DAYS_MAX
        && row.settle_days_later <= SETTLE_DAYS_MAX
}

/// An account: a node of level ACCOUNT with a kind and a currency. A known account keeps its currency.
pub(super) fn account(registry: &Registry, logical: &Capacities, set: &mut NodeSet) -> Verdict {
    clear_ids(set);
    require(set.level == Level::Account as u8, RejectCode::InvalidValue)?;
    require(
        AccountKind::from_code(set.kind).is_some(),
        RejectCode::InvalidValue,
    )?;
    let currency = registry
        .currency_named(&set.currency_code)
        .ok_or(RejectCode::UnknownCurrency)?
        .currency;
    let place = place(registry, logical, set)?;
    let account = match place.known {
        Some(known) => {
            require(known.currency == currency, RejectCode::CurrencyMismatch)?;
            known.account
        }
        None => AccountId(registry.account_count() as u32),
    };
    (set.node, set.parent, set.account, set.currency) = (place.node, place.parent, account, currency);
    Ok(())
}

/// A node of any level but ACCOUNT.
pub(super) fn node(registry: &Registry, logical: &Capacities, set: &mut NodeSet) -> Verdict {
    clear_ids(set);
    let level = Level::from_code(set.level).ok_or(RejectCode::InvalidValue)?;
    require(level != Level::Account, RejectCode::InvalidValue)?;
    let currency = match set.currency_code.is_empty() {
        true => CurrencyId::NONE,
        false => {
            registry
                .currency_named(&set.currency_code)
                .ok_or(RejectCode::UnknownCurrency)?
                .currency
        }
    };
    let place = place(registry, logical, set)?;
    let account = registry
        .node(place.parent)
        .map_or(AccountId::NONE, |parent| parent.account);
    (set.node, set.parent, set.account, set.currency) = (place.node, place.parent, account, currency);
    Ok(())
}

fn clear_ids(set: &mut NodeSet) {
    (set.node, set.parent, set.account, set.currency) =
        (NodeId::NONE, NodeId::NONE, AccountId::NONE, CurrencyId::NONE);
}

/// Where a node stands in the hierarchy.
struct Place<'a> {
    node: NodeId,
    parent: NodeId,
    known: Option<&'a NodeRow>,
}

/// Level and parent of a known code never change: limits and daily counters hang on them.
fn place<'a>(registry: &'a Registry, logical: &Capacities, set: &NodeSet) -> Result<Place<'a>, RejectCode> {
    require(!set.code.is_empty(), RejectCode::InvalidValue)?;
    require(
        registry.calendar(set.calendar).is_some(),
        RejectCode::UnknownCalendar,
    )?;
    let known = registry.node_named(&set.code);
    require(
        known.is_none_or(|known| known.level == set.level),
        RejectCode::NameTaken,
    )?;
    let parent = parent(registry, set, known)?;
    if let Some(known) = known {
        require(known.parent == parent, RejectCode::NameTaken)?;
        return Ok(Place {
            node: known.node,
            parent,
            known: Some(known),
        });
    }
    require(!registry.nodes_full(logical.nodes), RejectCode::Capacity)?;
    Ok(Place {
        node: NodeId(registry.nodes().len() as u32),
        parent,
        known: None,
    })
}

/// The firm has no parent and is the only root. A strategy stands directly below an account; every other node below some
/// node of a broader level.
fn parent(registry: &Registry, set: &NodeSet, known: Option<&NodeRow>) -> Result<NodeId, RejectCode> {
    if set.level == Level::Firm as u8 {
        require(set.parent_code.is_empty(), RejectCode::UnknownNode)?;
        require(
            known.is_some() || registry.root().is_none(),
            RejectCode::InvalidValue,
        )?;
        return Ok(NodeId::NONE);
    }
    let parent = registry
        .node_named(&set.parent_code)
        .ok_or(RejectCode::UnknownNode)?;
    let fits = match set.level == Level::Strategy as u8 {
        true => parent.level == Level::Account as u8,
        false => parent.level > set.level,
    };
    require(fits, RejectCode::UnknownNode)?;
    Ok(parent.node)
}

/// The first currency is the base. A known one keeps its decimals: amounts were posted in its minor unit.
pub(super) fn currency(registry: &Registry, set: &mut CurrencySet) -> Verdict {
    set.currency = CurrencyId::NONE;
    require(
        !set.code.is_empty() && u32::from(set.money_dp) <= SCALE_DP,
        RejectCode::InvalidValue,
    )?;
    set.currency = match registry.currency_named(&set.code) {
        Some(known) => {
            require(known.money_dp == set.money_dp, RejectCode::InvalidValue)?;
            known.currency
        }
        None => {
            require(!registry.currencies_full(), RejectCode::Capacity)?;
            CurrencyId(registry.currencies().len() as u16)
        }
    };
    Ok(())
}

/// Days of a calendar whose id the configuration chose; an id keeps its name.
pub(super) fn calendar(registry: &Registry, set: &CalendarSet) -> Verdict {
    require(set.calendar.0 < CalendarId::COUNT_MAX, RejectCode::Capacity)?;
    require(
        !set.code.is_empty() && set.is_well_formed(),
        RejectCode::InvalidValue,
    )?;
    let same_name = registry
        .calendar(set.calendar)
        .is_none_or(|code| *code == set.code);
    require(
        same_name && !registry.calendar_name_taken(set.calendar, &set.code),
        RejectCode::NameTaken,
    )
}
