//! Looking ahead at a batch: keys are hashed and the rows that deciding will read are fetched, so that the misses of a batch overlap
//! instead of following one another. Nothing depends on it but time.

use super::book::Book;
use super::execution::exec_scope;
use crate::hierarchy::NIL;
use crate::orders::keys::{IDENTIFIER_LEN, Key};
use std::ops::DerefMut;
use tradewind_domain::event::{Event, Execution, Kind, OrderCancel, OrderNew, OrderReplace, VenueReport};
use tradewind_domain::ids::CalendarId;

/// A key that was hashed ahead, kept in the event's scratch with the event's number and the scope it was hashed in.
#[derive(Clone, Copy)]
pub(super) struct Hint {
    key: Key,
    scope: u64,
    is_set: bool,
}

const ORDER_NEW: u16 = Kind::OrderNew as u16;
const ORDER_CANCEL: u16 = Kind::OrderCancel as u16;
const ORDER_REPLACE: u16 = Kind::OrderReplace as u16;
const VENUE_FILL: u16 = Kind::VenueFill as u16;
const TRADE_CAPTURE: u16 = Kind::TradeCapture as u16;
const VENUE_ACK: u16 = Kind::VenueAck as u16;
const ORDER_UNKNOWN: u16 = Kind::OrderUnknown as u16;

/// Where the scratch keeps the pair of leaf and instrument.
const PAIR: usize = 4;
/// Where it says that what the key leads to is still to be fetched.
const WANTED: usize = 5;

impl Hint {
    /// No hint.
    pub(super) const NONE: Self = Self {
        key: Key(0, 0),
        scope: 0,
        is_set: false,
    };

    /// The pair row that was found for the event's leaf and instrument, where it was looked for. One that did not exist then may
    /// exist now, so none is no answer.
    #[inline]
    pub(super) fn pair(self, event: &Event) -> Option<u32> {
        let pair = event.scratch[PAIR] as u32;
        (self.is_set && pair != NIL).then_some(pair)
    }

    /// The hint of this event; one of the event that used the slot before is none.
    #[inline]
    pub(super) fn of(event: &Event) -> Self {
        let [first, second, seq, scope, ..] = event.scratch;
        Self {
            key: Key(first, second),
            scope,
            is_set: seq != 0 && seq == event.head.seq && event.head.part == 0,
        }
    }

    /// The key, where it was hashed in this scope.
    #[inline]
    pub(super) fn key(self, scope: u64) -> Option<Key> {
        (self.is_set && self.scope == scope).then_some(self.key)
    }
}

impl Book {
    /// Looks ahead at a batch: hashes all keys first, then fetches what they lead to in a loop of its own. A fetch of a large table
    /// waits for the page's address; fetches that stand close together wait together.
    #[inline]
    pub(super) fn look_ahead_batch<T: DerefMut<Target = Event>>(&self, batch: &mut [T]) {
        for event in batch.iter_mut() {
            self.look_ahead(event);
        }
        for event in batch.iter_mut() {
            self.fetch(event);
        }
    }

    /// Fetches what the key that was hashed leads to, once.
    #[inline]
    pub(super) fn fetch(&self, event: &mut Event) {
        if event.scratch[WANTED] == 0 {
            return;
        }
        event.scratch[WANTED] = 0;
        let key = Key(event.scratch[0], event.scratch[1]);
        if event.head.kind == Kind::OrderNew as u16 {
            return self.cl_ord_ids.prefetch(key);
        }
        self.orders.prefetch(event.body::<Execution>().order_id);
        self.exec_ids.prefetch(key);
        self.executions.prefetch(key);
    }

    /// Hashes the event's key. Called when the batch is taken, where names may not be resolved yet, and once more before it is
    /// processed: then the key is there, and the rows of leaf and instrument are fetched.
    #[inline]
    pub(super) fn look_ahead(&self, event: &mut Event) {
        let hint = Hint::of(event);
        let (key, scope) = match event.head.kind {
            ORDER_NEW => {
                let order: &OrderNew = event.body();
                let scope = u64::from(order.session.0);
                if hint.key(scope).is_some() {
                    event.scratch[PAIR] = u64::from(self.hierarchy.prefetch(order.leaf, order.instrument));
                    return;
                }
                (self.hasher.key(scope, order.cl_ord_id.padded()), scope)
            }
            VENUE_FILL | TRADE_CAPTURE => {
                let execution: &Execution = event.body();
                let scope = exec_scope(execution.venue, self.likely_trade_date(execution));
                if hint.key(scope).is_some() {
                    return;
                }
                (self.hasher.key(scope, execution.exec_id.padded()), scope)
            }
            ORDER_CANCEL => {
                let request: &OrderCancel = event.body();
                return self.fetch_named(request.session.0, request.orig_cl_ord_id.padded());
            }
            ORDER_REPLACE => {
                let request: &OrderReplace = event.body();
                return self.fetch_named(request.session.0, request.orig_cl_ord_id.padded());
            }
            VENUE_ACK..=ORDER_UNKNOWN => {
                return self.orders.prefetch(event.body::<VenueReport>().order_id);
            }
            _ => return,
        };
        event.scratch[..6].copy_from_slice(&[key.0, key.1, event.head.seq, scope, u64::from(NIL), 1]);
    }

    /// The trade date that an execution will most likely have: the order's own calendar is not looked up for a guess that costs
    /// no more than a hash where it is wrong.
    #[inline]
    fn likely_trade_date(&self, execution: &Execution) -> u32 {
        let calendar = if execution.calendar.is_none() {
            CalendarId::UTC
        } else {
            execution.calendar
        };
        if execution.trade_date != 0 {
            execution.trade_date
        } else {
            self.calendars.date(calendar)
        }
    }

    /// Fetches the bucket of the key that a request names its order by.
    #[inline]
    fn fetch_named(&self, session: u32, cl_ord_id: &[u8; IDENTIFIER_LEN]) {
        self.cl_ord_ids
            .prefetch(self.hasher.key(u64::from(session), cl_ord_id));
    }
}
