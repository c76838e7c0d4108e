//! Looking ahead at a batch: keys are hashed and the rows that deciding will read are fetched, so that the misses of a batch overlap
//! instead of following one another. Nothing depends on it but time.

use super::book::Book;
use super::execution::exec_scope;
use crate::hierarchy::{NIL, NodeRow};
use crate::orders::keys::{IDENTIFIER_LEN, Key};
use std::ops::DerefMut;
use tradewind_domain::event::{Event, Execution, Kind, OrderCancel, OrderNew, OrderReplace, VenueReport};
use tradewind_domain::ids::{CalendarId, NodeId, OrderId, OrderSlot};

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

/// Rows that are written one after the other are fetched so many events before their turn: where events come one by one, there is
/// no time for it between taking one and deciding it.
const AHEAD: usize = 2;

/// Where the scratch keeps the pair of leaf and instrument.
const PAIR: usize = 4;
/// Where it keeps what is to be fetched next.
const STEP: usize = 5;

/// What is to be fetched next for an event, where the step before has fetched what says where that is.
mod step {
    /// Nothing more.
    pub(super) const DONE: u64 = 0;
    /// What its key leads to: names may not be resolved yet.
    pub(super) const KEY: u64 = 1;
    /// The rows of its leaf, of its pair and of its order.
    pub(super) const ROWS: u64 = 2;
    /// The rows above these, and what they name: limits and wallet.
    pub(super) const ABOVE: u64 = 3;
    /// What the rates of the leaf and of the node above it remember, and the pair two above.
    pub(super) const LIMITS: u64 = 4;
}

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
    /// Looks ahead at a batch. Each step is a loop of its own: what it reads was fetched by the loop before, and its misses, which
    /// stand close together, pass together.
    #[inline]
    pub(super) fn look_ahead_batch<T: DerefMut<Target = Event>>(&self, batch: &mut [T]) {
        let mut steps = 0;
        for event in batch.iter_mut() {
            self.look_ahead(event);
            steps |= event.scratch[STEP];
        }
        if steps != step::DONE {
            for (n, event) in batch.iter_mut().enumerate() {
                self.fetch(n, event);
            }
        }
        if steps & step::ROWS != 0 {
            for (n, event) in batch.iter_mut().enumerate() {
                self.fetch_above(n, event);
            }
            for event in batch.iter_mut() {
                self.fetch_limits(event);
            }
        }
    }

    /// Fetches what the event's key leads to, or the rows of its leaf and order.
    #[inline]
    pub(super) fn fetch(&self, n: usize, event: &mut Event) {
        match std::mem::replace(&mut event.scratch[STEP], step::DONE) {
            step::KEY => {
                let key = Key(event.scratch[0], event.scratch[1]);
                if event.head.kind == ORDER_NEW {
                    return self.cl_ord_ids.prefetch(key);
                }
                self.orders.prefetch(event.body::<Execution>().order_id);
                self.exec_ids.prefetch(key);
                self.executions.prefetch(key);
            }
            step::ROWS => {
                event.scratch[STEP] = step::ABOVE;
                if event.head.kind != ORDER_NEW {
                    return self.orders.prefetch_row(event.body::<Execution>().order_id);
                }
                let order: &OrderNew = event.body();
                let pair = self.hierarchy.find_pair(order.leaf, order.instrument);
                self.hierarchy.prefetch_pair(pair);
                self.orders.prefetch_next(n + AHEAD);
                let place = (n + AHEAD) as u64;
                self.orders
                    .prefetch(OrderId(self.order_counter.wrapping_add(place)));
                if let Some(node) = self.hierarchy.node(order.leaf) {
                    self.hierarchy.prefetch_node(NodeId(node.parent));
                    self.limits.prefetch_ceilings(order.leaf);
                    self.limits.prefetch_ceilings(NodeId(node.parent));
                    self.limits.prefetch(node.gates);
                }
                event.scratch[PAIR] = u64::from(pair);
            }
            _ => {}
        }
    }

    /// Fetches what the rows of the step before name.
    #[inline]
    fn fetch_above(&self, n: usize, event: &mut Event) {
        if event.scratch[STEP] != step::ABOVE {
            return;
        }
        event.scratch[STEP] = step::DONE;
        if event.head.kind == ORDER_NEW {
            event.scratch[STEP] = step::LIMITS;
            self.orders.prefetch_forgotten(n + AHEAD);
            if let Some(pair) = self.hierarchy.pair(event.scratch[PAIR] as u32) {
                self.hierarchy.prefetch_pair(pair.parent);
                self.wallets.prefetch(pair.wallet);
            }
            self.limits.prefetch_asked(event.body::<OrderNew>().leaf);
            if let Some(above) = self.node_above(event) {
                self.limits.prefetch(above.gates);
            }
            return;
        }
        let tag = event.body::<Execution>().order_id.counter() as u32;
        let slot = self.orders.likely_slot(tag).map_or(OrderSlot::NONE, OrderSlot);
        if let Some(row) = self.orders.get(slot) {
            self.hierarchy.prefetch_node(row.leaf);
            self.hierarchy.prefetch_pair(row.node_instrument);
            self.wallets.prefetch(row.wallet);
            self.prefetch_account(row.account);
        }
    }

    #[inline]
    fn fetch_limits(&self, event: &mut Event) {
        if event.scratch[STEP] != step::LIMITS {
            return;
        }
        event.scratch[STEP] = step::DONE;
        let pair = self.hierarchy.pair(event.scratch[PAIR] as u32);
        if let Some(above) = pair.and_then(|pair| self.hierarchy.pair(pair.parent)) {
            self.hierarchy.prefetch_pair(above.parent);
        }
        let leaf = self.hierarchy.node(event.body::<OrderNew>().leaf);
        for node in [leaf, self.node_above(event)].into_iter().flatten() {
            self.limits.prefetch_rates(node.gates);
        }
    }

    /// The node above the leaf of an order.
    #[inline]
    fn node_above(&self, event: &Event) -> Option<&NodeRow> {
        let leaf = self.hierarchy.node(event.body::<OrderNew>().leaf)?;
        self.hierarchy.node(NodeId(leaf.parent))
    }

    /// Hashes the event's key. Called when the batch is taken, where names may not be resolved yet, and once more before it is
    /// processed: then the key is there, and the rows of leaf and instrument are wanted.
    #[inline]
    pub(super) fn look_ahead(&self, event: &mut Event) {
        let hint = Hint::of(event);
        event.scratch[STEP] = step::DONE;
        let (key, scope) = match event.head.kind {
            ORDER_NEW => {
                let order: &OrderNew = event.body();
                let scope = u64::from(order.session.0);
                if hint.key(scope).is_some() {
                    self.hierarchy.prefetch_leaf(order.leaf, order.instrument);
                    event.scratch[STEP] = step::ROWS;
                    return;
                }
                (self.hasher.key(scope, order.cl_ord_id.padded()), scope)
            }
            VENUE_FILL | TRADE_CAPTURE => {
                let execution: &Execution = event.body();
                let scope = exec_scope(execution.venue, self.likely_trade_date(execution));
                if hint.key(scope).is_some() {
                    event.scratch[STEP] = step::ROWS;
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
        event.scratch[..6].copy_from_slice(&[key.0, key.1, event.head.seq, scope, u64::from(NIL), step::KEY]);
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
