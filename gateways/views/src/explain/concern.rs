//! Which events concern an order.

use tradewind_domain::codes::ControlState;
use tradewind_domain::event::{
    Control, DerivedOrder, Event, Execution, Kind, MassCancel, OrderCancel, OrderNew, OrderReplace,
    OrderView, VenueReport,
};
use tradewind_domain::ids::{OrderId, Seq};
use tradewind_domain::text::ClOrdId;
use tradewind_risk::LimitCheck;
use tradewind_risk::orders::table::OrderRow;

/// Whose life is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// An order that was accepted.
    Order(OrderId),
    /// One that was refused, by the number of its event: it never got an id.
    Refused(Seq),
}

impl Subject {
    pub(super) fn order_id(self) -> OrderId {
        match self {
            Subject::Order(id) => id,
            Subject::Refused(_) => OrderId::NONE,
        }
    }
}

/// The order that an event brings into being, or renames, with its identifier.
pub(super) fn subject_of(event: &Event) -> Option<(ClOrdId, Subject)> {
    match event.kind()? {
        Kind::OrderNew => {
            let body: &OrderNew = event.body();
            let subject = if event.is_rejected() {
                Subject::Refused(event.head.seq)
            } else {
                Subject::Order(body.view.order_id)
            };
            Some((body.cl_ord_id, subject))
        }
        Kind::OrderReplace if !event.is_rejected() => {
            let body: &OrderReplace = event.body();
            Some((body.cl_ord_id, Subject::Order(body.view.order_id)))
        }
        _ => None,
    }
}

/// The facts about an order on an event; `None` where the kind has none of this form.
pub(super) fn view_of(event: &Event) -> Option<&OrderView> {
    match event.kind()? {
        Kind::OrderNew => Some(&event.body::<OrderNew>().view),
        Kind::OrderCancel => Some(&event.body::<OrderCancel>().view),
        Kind::OrderReplace => Some(&event.body::<OrderReplace>().view),
        Kind::OrderExpired | Kind::CancelRequested | Kind::OrderReleased => {
            Some(&event.body::<DerivedOrder>().view)
        }
        kind if kind.is_report() => Some(&event.body::<VenueReport>().view),
        _ => None,
    }
}

/// The order that the event names; none where it names none.
pub(crate) fn named(event: &Event) -> OrderId {
    let asked = match event.kind() {
        Some(Kind::VenueFill) => event.body::<Execution>().order_id,
        Some(Kind::TradeBust | Kind::TradeCorrect) => {
            event.taken_back().map_or(OrderId::NONE, |taken| taken.order_id)
        }
        Some(Kind::OrderCancel) => event.body::<OrderCancel>().order_id,
        Some(Kind::OrderReplace) => event.body::<OrderReplace>().order_id,
        Some(kind) if kind.is_report() => event.body::<VenueReport>().order_id,
        _ => OrderId::NONE,
    };
    let found = view_of(event).map_or(OrderId::NONE, |view| view.order_id);
    if found.is_none() { asked } else { found }
}

/// True where the event concerns the subject. `limit` is the state before the event.
pub(super) fn concerns(event: &Event, subject: Subject, limit: &LimitCheck) -> bool {
    let id = match subject {
        Subject::Refused(seq) => return event.head.seq == seq && event.head.part == 0,
        Subject::Order(id) => id,
    };
    if named(event) == id {
        return true;
    }
    let open = |row: &&OrderRow| row.order_state().is_open();
    match event.kind() {
        Some(Kind::MassCancel | Kind::Kill) if !event.is_rejected() => limit
            .order(id)
            .filter(open)
            .is_some_and(|row| stops(event, row, limit)),
        _ => false,
    }
}

/// True where an accepted mass cancel or kill covers the order.
fn stops(event: &Event, row: &OrderRow, limit: &LimitCheck) -> bool {
    if event.kind() == Some(Kind::MassCancel) {
        let request: &MassCancel = event.body();
        return (request.session_only == 0 || request.session == row.session)
            && (request.side == 0 || request.side == row.side)
            && (request.node.is_none() || limit.is_within(row, request.node))
            && (request.instrument.is_none() || request.instrument == row.instrument);
    }
    let control: &Control = event.body();
    control.state_after == ControlState::Kill as u8
        && (control.node.is_none() || limit.is_within(row, control.node))
        && (control.instrument.is_none() || control.instrument == row.instrument)
        && (control.session.is_none() || control.session == row.session)
        && control.venue.is_none()
}
