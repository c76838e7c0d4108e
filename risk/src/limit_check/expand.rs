//! Effects: a day roll expires orders, a lost session's grace asks for cancels. One effect an order, in acceptance order.
//!
//! The cursor is state like any other: applying the timer's record sets it, applying an effect's record moves it. So a group
//! that a crash left open is finished from where it stood.

use super::book::Book;
use super::report::view_of;
use super::rest::Need;
use bytemuck::Zeroable;
use tradewind_domain::codes::{OrderState, TimeInForce};
use tradewind_domain::event::{DerivedOrder, Event, Kind, OrderView, Timer, TimerKind};
use tradewind_domain::ids::{CalendarId, OrderSlot, SessionId};
use tradewind_machine::stage::Expansion;

/// Rows that one call looks at.
const ROWS_PER_CALL: usize = 256;

/// What is being expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Nothing.
    #[default]
    Idle,
    /// Day orders of a calendar expire; the next open order to look at.
    Roll(CalendarId, Option<OrderSlot>),
    /// Orders of a lost session are cancelled; the next open order to look at.
    Disconnect(SessionId, bool, Option<OrderSlot>),
}

impl Cursor {
    /// The cursor that a timer starts.
    pub(super) fn of_timer(timer: &Timer, book: &Book) -> Self {
        let first = book.orders.first_open();
        if timer.timer == TimerKind::DayRoll as u8 {
            Cursor::Roll(timer.calendar, first)
        } else {
            Cursor::Disconnect(timer.session, timer.include_gtc != 0, first)
        }
    }

    /// Writes the next effect and applies it.
    pub(super) fn next(&mut self, book: &mut Book, out: &mut Event) -> Expansion {
        for _ in 0..ROWS_PER_CALL {
            let at = match *self {
                Cursor::Idle => return Expansion::Done,
                Cursor::Roll(_, at) | Cursor::Disconnect(_, _, at) => at,
            };
            let Some(slot) = at else {
                *self = Cursor::Idle;
                return Expansion::Done;
            };
            // The row leaves the open list when its effect is applied: look ahead first.
            let next = book.orders.next_open(slot);
            let kind = self.effect_on(book, slot);
            self.move_to(next);
            if let Some(kind) = kind {
                write(book, slot, kind, out);
                book.apply_derived(out, kind);
                return Expansion::Produced;
            }
        }
        Expansion::Busy
    }

    /// Moves behind the order of an effect that was recorded.
    pub(super) fn pass(&mut self, book: &Book, slot: OrderSlot) {
        let next = book.orders.next_open(slot);
        self.move_to(next);
    }

    fn move_to(&mut self, next: Option<OrderSlot>) {
        match self {
            Cursor::Idle => {}
            Cursor::Roll(_, at) | Cursor::Disconnect(_, _, at) => *at = next,
        }
    }

    fn effect_on(&self, book: &Book, slot: OrderSlot) -> Option<Kind> {
        let row = book.orders.get(slot)?;
        let tif = row.time_in_force();
        match *self {
            Cursor::Roll(calendar, _) => {
                let expires = row.calendar == calendar
                    && matches!(tif, TimeInForce::Day | TimeInForce::Ioc | TimeInForce::Fok)
                    && row.order_state() != OrderState::Unknown;
                expires.then_some(Kind::OrderExpired)
            }
            Cursor::Disconnect(session, include_gtc, _) => {
                let lives_on = matches!(tif, TimeInForce::Gtc | TimeInForce::Gtd) && !include_gtc;
                let asked = row.order_state() == OrderState::PendingCancel;
                (row.session == session && !lives_on && !asked).then_some(Kind::CancelRequested)
            }
            Cursor::Idle => None,
        }
    }
}

/// Writes an effect's facts.
fn write(book: &Book, slot: OrderSlot, kind: Kind, out: &mut Event) {
    out.reset(kind);
    let Some(row) = book.order(slot) else { return };
    let mut view: OrderView = view_of(slot, &row);
    view.trade_day = book.calendars.date(row.calendar);
    if kind == Kind::OrderExpired {
        view.state_after = OrderState::Expired as u8;
        view.leaves = 0;
        book.hold(&row, Need::default(), &mut view);
    } else {
        view.state_after = OrderState::PendingCancel as u8;
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
}

impl Book {
    /// Makes an effect's facts true.
    pub(super) fn apply_derived(&mut self, event: &Event, kind: Kind) {
        let view = event.body::<DerivedOrder>().view;
        if kind == Kind::OrderExpired {
            self.apply_view(&view, false);
        } else {
            self.set_pending_cancel(view.slot, view.state_after);
        }
    }
}
