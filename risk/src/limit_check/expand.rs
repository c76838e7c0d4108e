//! Effects: what one event sets off. A day roll expires orders, ends restrictions and settles trades, a lost session's grace, a mass cancel and a kill ask
//! for cancels, a broken limit changes a state, a newcomer cancels what it would trade against, what is held goes out, a trade meets the bust
//! that came before it. One effect an
//! order or state, orders in acceptance order.
//!
//! Held orders are looked at last, whatever set the group off: their turn has come where something in their way is gone.
//!
//! The cursor is state like any other: applying the cause's record sets it, applying an effect's record moves it. So a group
//! that a crash left open is finished from where it stood.

use super::book::Book;
use super::effects::Trips;
use super::findings::Findings;
use super::flatten::Closing;
use super::report::{Replace, view_of};
use super::rest::Need;
use crate::hierarchy::NIL;
use crate::orders::resting::Resting;
use crate::orders::table::OrderRow;
use bytemuck::Zeroable;
use tradewind_domain::codes::{ControlState, OrderState, Side, TimeInForce};
use tradewind_domain::event::{
    Control, DatedSettlement, DerivedOrder, Event, HolderAction, Kind, MassCancel, OrderNew, OrderView,
    SymbolChange, Timer, TimerKind,
};
use tradewind_domain::ids::{CalendarId, InstrumentId, LimitId, NodeId, OrderSlot, Seq, SessionId};
use tradewind_machine::stage::Expansion;

/// Rows that one call looks at.
const ROWS_PER_CALL: usize = 256;

/// Which open orders are swept, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Day orders of a calendar expire.
    Roll(CalendarId),
    /// Orders of a session that is gone are cancelled.
    Session { session: SessionId, include_gtc: bool },
    /// Orders that a request or a kill names are cancelled.
    Named {
        node: NodeId,
        instrument: InstrumentId,
        session: SessionId,
        side: u8,
    },
    /// Orders below nodes whose state the event's limits have set are cancelled: all of them where it is KILL, what does not reduce where a
    /// limit on equity says so.
    Tripped(Trips),
}

/// What is being expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Nothing.
    #[default]
    Idle,
    /// States that broken limits change.
    Trips(Trips),
    /// Own orders that a newcomer would trade against, the next one of [`Resting::found`]; then states that its limits change.
    Crossed(u32, Trips),
    /// Open orders; the next one to look at.
    Orders(Scope, Option<OrderSlot>),
    /// Restrictions that end with a calendar's trading day; the next limit to look at.
    Lapses(CalendarId, u32),
    /// Trades that settle with a calendar's roll; the next bucket to look at.
    Settling(CalendarId, u32),
    /// Stock that is borrowed once a calendar's trades have settled; the next pair to look at.
    Borrowing(CalendarId, u32),
    /// Positions that are closed below a killed node.
    Flatten(Closing),
    /// Orders that are held; the next one to look at.
    Held(Option<OrderSlot>),
    /// A trade, bust or correction that a person lets out of quarantine: its row.
    Released(u32),
    /// Busts and corrections that came before the trade which has come; behind the one that this record put aside.
    TakingBack(Seq),
    /// A corporate action that takes effect: 0 for prices, then the pair of node and instrument to look at, counted from 1.
    Holders(u32),
    /// Unsettled trades that such an action puts into other units, behind its holders; the next bucket to look at.
    Pending(u32),
    /// Legs of the allocation that is being booked; the next one. Then states that their limits change.
    Legs(u16, Trips),
    /// Legs of an allocation that is taken back; the next one.
    Unallocated(Seq, u16),
}

impl Cursor {
    /// The cursor that an event starts once it is applied.
    #[inline]
    pub(super) fn of(event: &Event, kind: Kind, book: &mut Book) -> Self {
        if is_quiet(event, kind) && !book.resting.is_due() {
            return Cursor::Idle;
        }
        Self::of_event(event, kind, book)
    }

    fn of_event(event: &Event, kind: Kind, book: &mut Book) -> Self {
        if kind == Kind::OrderNew && event.body::<OrderNew>().view.cancels_resting != 0 {
            book.find_crossed(event);
            return Cursor::Crossed(0, book.trips_of(event, kind));
        }
        let cursor = match kind {
            Kind::Allocation => book.allocation_effects(event),
            _ => Self::of_cause(event, kind, book),
        };
        match cursor {
            Cursor::Idle if book.quarantine.arrived().is_some() => Cursor::TakingBack(0),
            Cursor::Idle if book.announced.is_due() => Cursor::Holders(0),
            Cursor::Idle if book.resting.is_due() => Self::held(book),
            cursor => cursor,
        }
    }

    fn of_cause(event: &Event, kind: Kind, book: &Book) -> Self {
        let sweep = |scope| Cursor::Orders(scope, book.orders.first_open());
        match kind {
            Kind::Timer => {
                let timer: &Timer = event.body();
                if timer.timer == TimerKind::DayRoll as u8 {
                    return sweep(Scope::Roll(timer.calendar));
                }
                sweep(Scope::Session {
                    session: timer.session,
                    include_gtc: timer.include_gtc != 0,
                })
            }
            Kind::Kill if !event.is_rejected() => {
                let control: &Control = event.body();
                sweep(Scope::Named {
                    node: control.node,
                    instrument: control.instrument,
                    session: control.session,
                    side: 0,
                })
            }
            Kind::SymbolChange if !event.is_rejected() => sweep(Scope::Named {
                node: NodeId::NONE,
                instrument: event.body::<SymbolChange>().instrument,
                session: SessionId::NONE,
                side: 0,
            }),
            Kind::Flatten if !event.is_rejected() => Cursor::Flatten(Closing::begin(event, book)),
            Kind::MassCancel if !event.is_rejected() => {
                let request: &MassCancel = event.body();
                let session = if request.session_only != 0 {
                    request.session
                } else {
                    SessionId::NONE
                };
                sweep(Scope::Named {
                    node: request.node,
                    instrument: request.instrument,
                    session,
                    side: request.side,
                })
            }
            Kind::Valuation | Kind::OrderNew | Kind::OrderReplace | Kind::VenueFill | Kind::TradeCapture => {
                Self::of_trips(book.trips_of(event, kind))
            }
            Kind::QuarantineResolve => book.released_by(event).map_or(Cursor::Idle, Cursor::Released),
            Kind::TradeBust | Kind::TradeCorrect => book
                .unallocated_by(event, kind)
                .map_or(Cursor::Idle, |seq| Cursor::Unallocated(seq, 0)),
            _ => Cursor::Idle,
        }
    }

    fn of_trips(trips: Trips) -> Self {
        if trips.is_empty() {
            Cursor::Idle
        } else {
            Cursor::Trips(trips)
        }
    }

    /// All held orders, from the oldest.
    fn held(book: &mut Book) -> Self {
        book.resting.clear_due();
        Cursor::Held(book.resting.first_held())
    }

    /// Writes the next effect and applies it.
    pub(super) fn next(&mut self, book: &mut Book, findings: &mut Findings, out: &mut Event) -> Expansion {
        for _ in 0..ROWS_PER_CALL {
            let kind = match self {
                Cursor::Idle if book.quarantine.arrived().is_some() => {
                    *self = Cursor::TakingBack(0);
                    None
                }
                Cursor::Idle if book.announced.is_due() => {
                    *self = Cursor::Holders(0);
                    None
                }
                Cursor::Idle if book.resting.is_due() => {
                    *self = Self::held(book);
                    None
                }
                Cursor::Idle => return Expansion::Done,
                Cursor::Crossed(..) => self.next_crossed(book, out),
                Cursor::Held(_) => self.next_held(book, out),
                Cursor::Flatten(closing) => match closing.next(book, findings, out) {
                    Some(writes) => writes.then_some(Kind::OrderNew),
                    None => {
                        *self = Cursor::Idle;
                        None
                    }
                },
                Cursor::Trips(_) => self.next_trip(book, out),
                Cursor::Orders(..) => self.next_order(book, out),
                Cursor::Lapses(..) => self.next_lapse(book, out),
                Cursor::Settling(..) => self.next_settlement(book, out),
                Cursor::Borrowing(..) => self.next_borrow(book, out),
                Cursor::Holders(_) => self.next_holder(book, out),
                Cursor::Pending(_) => self.next_pending(book, out),
                Cursor::Legs(..) => self.next_leg(book, out),
                Cursor::Unallocated(..) => self.next_unallocated(book, out),
                Cursor::Released(at) => {
                    let at = *at;
                    *self = Cursor::Idle;
                    book.write_released(at, out)
                }
                Cursor::TakingBack(_) => self.next_taking_back(book, out),
            };
            if let Some(kind) = kind {
                book.apply_derived(out, kind);
                return Expansion::Produced;
            }
        }
        Expansion::Busy
    }

    fn next_taking_back(&mut self, book: &mut Book, out: &mut Event) -> Option<Kind> {
        let Cursor::TakingBack(after) = self else {
            return None;
        };
        let Some((seq, at)) = book.next_early(*after) else {
            book.quarantine.forget_arrival();
            *self = Cursor::Idle;
            return None;
        };
        *after = seq;
        book.write_early(at, out)
    }

    fn next_crossed(&mut self, book: &Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Crossed(at, trips) = self else {
            return None;
        };
        let Some(&slot) = book.resting.found().get(*at as usize) else {
            *self = Self::of_trips(*trips);
            return None;
        };
        *at += 1;
        let asked = book.orders.get(slot)?.order_state() == OrderState::PendingCancel;
        (!asked).then(|| write(book, slot, Kind::CancelRequested, out))
    }

    fn next_held(&mut self, book: &Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Held(at) = self else { return None };
        let Some(slot) = *at else {
            *self = Cursor::Idle;
            return None;
        };
        // The row leaves the list when its effect is applied: look ahead first.
        *at = Resting::next_held(&book.orders, slot);
        let row = book.orders.get(slot)?;
        if book.is_blocked(row) {
            return None;
        }
        // An order that may not be placed any more when its turn comes is cancelled instead.
        let kind = if book.may_go_out(row) {
            Kind::OrderReleased
        } else {
            Kind::CancelRequested
        };
        Some(write(book, slot, kind, out))
    }

    fn next_trip(&mut self, book: &Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Trips(trips) = self else { return None };
        match trips.take() {
            Some(limit) => book.write_trip(limit, out).then_some(Kind::StateChanged),
            None => {
                let trips = *trips;
                self.after_trips(trips, book);
                None
            }
        }
    }

    /// Behind the last change of state: orders that it leaves no room for are cancelled.
    fn after_trips(&mut self, trips: Trips, book: &Book) {
        let cancels = trips
            .all()
            .any(|limit| kills(book, limit).is_some() || book.holds_to_reducing(limit).is_some());
        *self = if cancels {
            Cursor::Orders(Scope::Tripped(trips), book.orders.first_open())
        } else {
            Cursor::Idle
        };
    }

    fn next_order(&mut self, book: &Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Orders(scope, at) = self else {
            return None;
        };
        let Some(slot) = *at else {
            self.after_orders();
            return None;
        };
        // The row leaves the open list when its effect is applied: look ahead first.
        *at = book.orders.next_open(slot);
        let kind = effect_on(scope, book, slot)?;
        Some(write(book, slot, kind, out))
    }

    fn after_orders(&mut self) {
        *self = match self {
            Cursor::Orders(Scope::Roll(calendar), _) => Cursor::Lapses(*calendar, 0),
            _ => Cursor::Idle,
        };
    }

    fn next_leg(&mut self, book: &Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Legs(at, trips) = self else {
            return None;
        };
        match book.write_leg(*at, out) {
            Some(kind) => {
                *at += 1;
                Some(kind)
            }
            None => {
                *self = Self::of_trips(*trips);
                None
            }
        }
    }

    fn next_unallocated(&mut self, book: &Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Unallocated(seq, at) = self else {
            return None;
        };
        match book.write_unallocated(*seq, *at, out) {
            Some(written) => {
                *at += 1;
                written
            }
            None => {
                *self = Cursor::Idle;
                None
            }
        }
    }

    fn next_lapse(&mut self, book: &Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Lapses(calendar, at) = self else {
            return None;
        };
        if *at >= book.limits.used() {
            *self = Cursor::Settling(*calendar, 0);
            return None;
        }
        let limit = LimitId(*at);
        *at += 1;
        (book.lapses(limit, *calendar) && book.write_lapse(limit, out)).then_some(Kind::StateChanged)
    }

    fn next_settlement(&mut self, book: &Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Settling(calendar, at) = self else {
            return None;
        };
        let Some(bucket) = book.dated.row(*at) else {
            *self = if book.dated.has_calendar(*calendar) {
                Cursor::Borrowing(*calendar, 0)
            } else {
                Cursor::Idle
            };
            return None;
        };
        *at += 1;
        book.is_due(bucket, *calendar)
            .then(|| book.write_settlement(bucket, out))
    }

    fn next_borrow(&mut self, book: &Book, out: &mut Event) -> Option<Kind> {
        let Cursor::Borrowing(calendar, at) = self else {
            return None;
        };
        let Some(pair) = book.hierarchy.pair(*at) else {
            *self = Cursor::Idle;
            return None;
        };
        *at += 1;
        book.write_borrow(pair, *calendar, out)
    }

    /// Moves behind an effect that was recorded, before it is applied.
    pub(super) fn pass(&mut self, book: &mut Book, event: &Event, kind: Kind) {
        if kind == Kind::StateChanged {
            let control: &Control = event.body();
            return self.pass_state(control);
        }
        if kind == Kind::DatedCashSettled {
            let body: &DatedSettlement = event.body();
            if let Some(at) = book.settled_row(body) {
                *self = Cursor::Settling(body.calendar, at + 1);
            }
            return;
        }
        if kind == Kind::DatedSplit {
            return self.pass_pending(book, event.body());
        }
        if kind == Kind::StockBorrowed {
            let body: &HolderAction = event.body();
            let calendar = book
                .market
                .instrument(body.instrument)
                .map(|row| row.settle_calendar);
            let pair = book.hierarchy.find_pair(body.node, body.instrument);
            if let Some(calendar) = calendar.filter(|_| pair != NIL) {
                *self = Cursor::Borrowing(calendar, pair + 1);
            }
            return;
        }
        if kind == Kind::OrderNew {
            if let Cursor::Flatten(closing) = self {
                closing.pass(event, book);
            }
            return;
        }
        if kind.is_of_holder() {
            return self.pass_holder(book, event, kind);
        }
        if matches!(kind, Kind::TradeCapture | Kind::TradeBust | Kind::TradeCorrect) {
            match self {
                Cursor::Legs(at, _) | Cursor::Unallocated(_, at) => *at += 1,
                _ if kind == Kind::TradeCapture => {}
                // One that a person let through has no row that waits.
                _ => {
                    *self = match book.early_of(event, kind) {
                        Some((seq, _)) => Cursor::TakingBack(seq),
                        None => Cursor::Idle,
                    };
                }
            }
            return;
        }
        self.pass_to_orders(book);
        let slot = event.body::<DerivedOrder>().view.slot;
        if let Cursor::Crossed(at, trips) = *self {
            let mut ahead = book.resting.found().iter().skip(at as usize);
            match ahead.position(|&found| found == slot) {
                Some(further) => return *self = Cursor::Crossed(at + further as u32 + 1, trips),
                None => *self = Self::of_trips(trips),
            }
        }
        if let Cursor::Trips(trips) = *self {
            self.after_trips(trips, book);
        }
        match self {
            Cursor::Orders(scope, at) if effect_on(scope, book, slot) == Some(kind) => {
                *at = book.orders.next_open(slot);
            }
            _ => {
                book.resting.clear_due();
                *self = Cursor::Held(Resting::next_held(&book.orders, slot));
            }
        }
    }

    fn pass_state(&mut self, control: &Control) {
        if let Cursor::Crossed(_, trips) = *self {
            *self = Cursor::Trips(trips);
        }
        if control.lapses != 0 {
            if let Cursor::Orders(Scope::Roll(calendar), _) = *self {
                *self = Cursor::Lapses(calendar, 0);
            }
            if let Cursor::Lapses(_, at) = self {
                *at = control.limit.0 + 1;
            }
        } else if let Cursor::Trips(trips) = self {
            while trips.take().is_some_and(|limit| limit != control.limit) {}
        }
    }
}

/// True for an order that no limit spoke about and that stands in nobody's way: it sets nothing off.
#[inline]
fn is_quiet(event: &Event, kind: Kind) -> bool {
    kind == Kind::OrderNew && {
        let order: &OrderNew = event.body();
        order.verdict.hits == 0 && order.view.cancels_resting == 0
    }
}

/// The node that a limit's effect killed.
fn kills(book: &Book, limit: LimitId) -> Option<NodeId> {
    let row = book.limits.get(limit)?;
    let is_kill = super::effects::state_of(row) == Some(ControlState::Kill as u8);
    (is_kill && row.tripped == 1).then_some(row.node)
}

fn effect_on(scope: &Scope, book: &Book, slot: OrderSlot) -> Option<Kind> {
    let row = book.orders.get(slot)?;
    let tif = row.time_in_force();
    let asks = match scope {
        Scope::Roll(calendar) => {
            let expires = row.calendar == *calendar
                && matches!(tif, TimeInForce::Day | TimeInForce::Ioc | TimeInForce::Fok)
                && !is_unknown(row);
            return expires.then_some(Kind::OrderExpired);
        }
        Scope::Session { session, include_gtc } => {
            let lives_on = matches!(tif, TimeInForce::Gtc | TimeInForce::Gtd) && !include_gtc;
            row.session == *session && !lives_on
        }
        Scope::Named {
            node,
            instrument,
            session,
            side,
        } => {
            (node.is_none() || book.hierarchy.is_within(row.leaf, *node))
                && (instrument.is_none() || row.instrument == *instrument)
                && (session.is_none() || row.session == *session)
                && (*side == 0 || is_side(row, *side))
        }
        Scope::Tripped(trips) => trips.all().any(|limit| {
            let is_below = |node: NodeId| book.hierarchy.is_within(row.leaf, node);
            kills(book, limit).is_some_and(is_below)
                || book.holds_to_reducing(limit).is_some_and(is_below) && !book.still_reduces(row)
        }),
    };
    let asked = row.order_state() == OrderState::PendingCancel;
    (asks && !asked).then_some(Kind::CancelRequested)
}

/// True for an order that nobody knows to be at the venue, whatever was asked of it since.
fn is_unknown(row: &OrderRow) -> bool {
    let rests = match row.order_state() {
        OrderState::PendingCancel | OrderState::PendingReplace => row.resting_state,
        _ => row.state,
    };
    rests == OrderState::Unknown as u8
}

/// True for orders of a side; sales marked long and short are one.
fn is_side(row: &OrderRow, side: u8) -> bool {
    Side::from_code(side).is_some_and(|side| side.is_buy() == row.order_side().is_buy())
}

/// Writes an effect's facts.
fn write(book: &Book, slot: OrderSlot, kind: Kind, out: &mut Event) -> Kind {
    out.reset(kind);
    let Some(row) = book.order(slot) else { return kind };
    let mut view: OrderView = view_of(slot, &row);
    view.trade_day = book.calendars.date(row.calendar);
    match kind {
        Kind::OrderExpired => {
            view.state_after = OrderState::Expired as u8;
            view.leaves = 0;
            book.hold(&row, Need::default(), &mut view);
        }
        Kind::OrderReleased => view.state_after = OrderState::PendingNew as u8,
        _ => book.end_by_cancel(&row, &mut view),
    }
    *out.body_mut() = DerivedOrder {
        cl_ord_id: row.cl_ord_id,
        session: row.session,
        side: row.side,
        leaf: row.leaf,
        account: row.account,
        instrument: row.instrument,
        currency: row.currency,
        calendar: row.calendar,
        view,
        ..DerivedOrder::zeroed()
    };
    kind
}

impl Book {
    /// Makes an effect's facts true.
    pub(super) fn apply_derived(&mut self, event: &Event, kind: Kind) {
        match kind {
            Kind::StateChanged => return self.apply_state_changed(event),
            Kind::DatedCashSettled => return self.apply_settlement(event),
            Kind::StockBorrowed => return self.apply_borrow(event.body()),
            Kind::DatedSplit => return self.apply_dated_split(event.body()),
            kind if kind.is_of_holder() => return self.apply_holder(event, kind),
            Kind::TradeCapture => return self.apply_execution(event),
            Kind::TradeBust | Kind::TradeCorrect => return self.apply_early(event, kind),
            Kind::OrderNew => return self.apply_new(event, None),
            _ => {}
        }
        let view = event.body::<DerivedOrder>().view;
        match kind {
            Kind::OrderExpired => self.apply_view(&view, Replace::Off),
            Kind::OrderReleased => self.apply_release(view.slot, view.state_after),
            _ => self.apply_cancelled(&view),
        }
    }
}
