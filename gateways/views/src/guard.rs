//! What a record must fulfil before the stages apply it. The stages trust their own journal and stop at a broken invariant; a
//! reader may be given a journal that was forged or mixed up, and says so instead.
//!
//! Checked: dense ids of reference data, parents before children, states of orders before a step. Amounts are the auditor's
//! business (see `verify`), since a wrong amount breaks figures and not tables.

use crate::error::ViewError;
use crate::replica::Replica;
use tradewind_domain::codes::{Level, OrderState};
use tradewind_domain::event::{
    CalendarSet, CurrencySet, DerivedOrder, Event, Execution, InstrumentSet, Kind, LimitSet, NodeSet,
    OrderCancel, OrderReplace, OrderView, VenueReport,
};
use tradewind_domain::ids::CalendarId;
use tradewind_domain::reference::CURRENCIES_MAX;
use tradewind_feeds::Registry;

type Finding = Result<(), &'static str>;

/// Refuses a record that contradicts the state which it is to change.
pub(crate) fn check(event: &Event, replica: &Replica) -> Result<(), ViewError> {
    finding(event, replica).map_err(|what| ViewError::Contradiction {
        seq: event.head.seq,
        part: event.head.part,
        what,
    })
}

fn finding(event: &Event, replica: &Replica) -> Finding {
    let Some(kind) = event.kind() else { return Ok(()) };
    if kind == Kind::LimitSet {
        return limit(event.body(), replica); // its label has an id even where it is refused
    }
    if event.is_rejected() {
        return Ok(());
    }
    match kind {
        Kind::InstrumentSet => instrument(event.body(), replica),
        Kind::AccountSet | Kind::NodeSet => node(event.body(), replica),
        Kind::CurrencySet => currency(event.body(), replica.registry()),
        Kind::CalendarSet => calendar(event.body()),
        Kind::OrderCancel => order(&event.body::<OrderCancel>().view, replica),
        Kind::OrderReplace => order(&event.body::<OrderReplace>().view, replica),
        Kind::OrderExpired | Kind::CancelRequested | Kind::OrderReleased => {
            order(&event.body::<DerivedOrder>().view, replica)
        }
        Kind::VenueFill => fill(event.body(), replica),
        Kind::TradeBust | Kind::TradeCorrect => require(
            event.taken_back().is_some(),
            "the tail does not say what is taken back",
        ),
        _ if kind.is_report() => order(&event.body::<VenueReport>().view, replica),
        _ => Ok(()),
    }
}

/// An id is that of the row with this name, or the next one where the name is new and there is room.
fn dense(id: usize, known: Option<usize>, count: usize, room: usize) -> bool {
    match known {
        Some(known) => known == id,
        None => id == count && count < room,
    }
}

fn require(holds: bool, what: &'static str) -> Finding {
    if holds { Ok(()) } else { Err(what) }
}

fn instrument(set: &InstrumentSet, replica: &Replica) -> Finding {
    let registry = replica.registry();
    let known = registry
        .instrument_named(&set.row.symbol)
        .map(|row| row.id.index());
    let (count, room) = (registry.instruments().len(), replica.room().instruments as usize);
    require(
        dense(set.row.id.index(), known, count, room),
        "the instrument's id is not the next one",
    )
}

fn node(set: &NodeSet, replica: &Replica) -> Finding {
    let registry = replica.registry();
    let known = registry.node_named(&set.code);
    let (count, room) = (registry.nodes().len(), replica.room().nodes as usize);
    let id = set.node.index();
    require(
        dense(id, known.map(|row| row.node.index()), count, room),
        "the node's id is not the next one",
    )?;
    // Ids rise from parent to child, so that no chain of parents is a circle.
    require(
        set.parent.is_none() || set.parent.index() < id,
        "the node's parent comes after it",
    )?;
    if set.level != Level::Account as u8 {
        return Ok(());
    }
    let account = known.map(|row| row.account.index());
    require(
        dense(set.account.index(), account, registry.account_count(), room),
        "the account's id is not the next one",
    )
}

fn currency(set: &CurrencySet, registry: &Registry) -> Finding {
    let known = registry.currency_named(&set.code).map(|row| row.currency.index());
    let count = registry.currencies().len();
    require(
        dense(set.currency.index(), known, count, CURRENCIES_MAX),
        "the currency's id is not the next one",
    )
}

fn calendar(set: &CalendarSet) -> Finding {
    require(
        set.calendar.0 < CalendarId::COUNT_MAX,
        "the calendar's id is out of range",
    )
}

fn limit(set: &LimitSet, replica: &Replica) -> Finding {
    if set.limit.is_none() {
        return Ok(());
    }
    let registry = replica.registry();
    let known = registry.limit_named(&set.label).map(|id| id.index());
    let (count, room) = (registry.limits().len(), replica.room().limits as usize);
    require(
        dense(set.limit.index(), known, count, room),
        "the limit's id is not the next one",
    )
}

/// An accepted step begins at the state that the order has, and that is an open one.
fn order(view: &OrderView, replica: &Replica) -> Finding {
    let row = replica
        .limit_check()
        .order(view.order_id)
        .ok_or("there is no such order")?;
    require(row.state == view.state_before, "the order is in another state")?;
    require(row.order_state().is_open(), "the order is closed")
}

fn fill(fill: &Execution, replica: &Replica) -> Finding {
    let row = replica
        .limit_check()
        .order(fill.order_id)
        .ok_or("there is no such order")?;
    require(row.state == fill.state_before, "the order is in another state")?;
    let after = OrderState::from_code(fill.state_after);
    require(after.is_some(), "the order's state after the fill is none")
}
