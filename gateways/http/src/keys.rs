//! Idempotency: the `Idempotency-Key` of an order is its ClOrdID, so the engine itself refuses a second one; this index finds the first
//! answer again.
//!
//! It is made from the journal alone: a restart rebuilds it, and what is answered twice is read from the same record.
//!
//! # Invariants
//! - Of several requests with one key at one time only one is sent.
//! - A key with another body is refused, whatever became of the first one.
//! - Memory is bounded: the newest [`KEYS_MAX`] requests are answered again; an older key is refused by the engine as a duplicate of its
//!   trading day.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tradewind_domain::event::{Event, Kind, OrderNew, OrderReplace};
use tradewind_domain::ids::{OrderId, SessionId, UserId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ClOrdId;

/// Requests whose answers are kept.
pub(crate) const KEYS_MAX: usize = 65_536;
/// Sessions of users begin here: session 0x8000_0000 + N is user N's.
const SESSION_BASE: u32 = 1 << 31;

/// The session in which a user's ClOrdIDs count.
pub(crate) fn session_of(user: UserId) -> SessionId {
    SessionId(SESSION_BASE | user.0)
}

/// What a request asked for, as far as two of them can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    /// Of a replace.
    pub(crate) order: OrderId,
    /// Quantity, limit price, stop price, stop-loss price, at 1e-8, and expiry.
    pub(crate) figures: [u64; 5],
    /// Side, type, time in force, located.
    pub(crate) codes: [u8; 4],
    /// Account and symbol, where both are known to the engine.
    pub(crate) ids: (u32, u32),
}

impl Asked {
    /// What a record asked for.
    fn of(event: &Event) -> Option<(SessionId, ClOrdId, Self)> {
        match event.kind()? {
            Kind::OrderNew => {
                let body: &OrderNew = event.body();
                let figures =
                    [body.qty, body.px, body.stop_px, body.stop_loss_px].map(|figure| figure as u64);
                let asked = Self {
                    kind: Kind::OrderNew,
                    order: OrderId::NONE,
                    figures: [figures[0], figures[1], figures[2], figures[3], body.expire_ns],
                    codes: [body.side, body.ord_type, body.tif, body.located],
                    ids: (body.leaf.0, body.instrument.0),
                };
                Some((body.session, body.cl_ord_id, asked))
            }
            Kind::OrderReplace => {
                let body: &OrderReplace = event.body();
                let asked = Self {
                    kind: Kind::OrderReplace,
                    order: body.order_id,
                    figures: [body.qty as u64, body.px as u64, body.stop_px as u64, 0, 0],
                    codes: [0; 4],
                    ids: (u32::MAX, u32::MAX),
                };
                Some((body.session, body.cl_ord_id, asked))
            }
            _ => None,
        }
    }
}

type Name = (SessionId, ClOrdId);

/// The requests of the journal, by key.
#[derive(Default)]
pub struct KeyIndex {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    records: HashMap<Name, (Asked, Record)>,
    order: VecDeque<Name>,
    at_work: HashSet<Name>,
}

/// A record as the journal has it: head, body and tail.
type Record = Box<[u8]>;

/// What a key stands for.
pub(crate) enum Found<'a> {
    /// Nothing yet: the request may be sent, and nobody else's with this key while this lives.
    New(AtWork<'a>),
    /// The record of the same request.
    Same(Box<Event>),
    /// Another request.
    Other,
    /// A request that is being worked on.
    InFlight,
}

/// Keeps others out until the request is done.
pub(crate) struct AtWork<'a> {
    index: &'a KeyIndex,
    name: Name,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.index.held().at_work.remove(&self.name);
    }
}

impl KeyIndex {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next record of the journal.
    pub fn observe(&self, event: &Event) {
        if event.head.part != 0 {
            return;
        }
        let Some((session, key, asked)) = Asked::of(event) else {
            return;
        };
        let is_user = session.0 & SESSION_BASE != 0 && !session.is_none();
        // A repeat that came to the engine itself leaves the first answer as it is.
        if !is_user || event.reject_code() == Some(RejectCode::DuplicateClOrdId) {
            return;
        }
        let mut held = self.held();
        let name = (session, key);
        if held.records.insert(name, (asked, bytes(event))).is_none() {
            held.order.push_back(name);
        }
        if held.order.len() > KEYS_MAX
            && let Some(oldest) = held.order.pop_front()
        {
            held.records.remove(&oldest);
        }
    }

    /// What the key of a session stands for, and takes it where it is new.
    pub(crate) fn take(&self, session: SessionId, key: ClOrdId, asked: &Asked) -> Found<'_> {
        let name = (session, key);
        let mut held = self.held();
        if let Some((first, record)) = held.records.get(&name) {
            let mut event = Box::new(Event::empty());
            return match first == asked && event.read_record(record).is_some() {
                true => Found::Same(event),
                false => Found::Other,
            };
        }
        if !held.at_work.insert(name) {
            return Found::InFlight;
        }
        drop(held);
        Found::New(AtWork { index: self, name })
    }
}

fn bytes(event: &Event) -> Record {
    let mut bytes = Vec::with_capacity(event.record_len());
    bytes.extend_from_slice(bytemuck::bytes_of(&event.head));
    bytes.extend_from_slice(event.body_bytes());
    bytes.extend_from_slice(event.tail());
    bytes.resize(event.record_len(), 0);
    bytes.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(session: SessionId, key: &str, qty: i64) -> Event {
        let mut event = Event::empty();
        event.reset(Kind::OrderNew);
        *event.body_mut() = OrderNew {
            cl_ord_id: ClOrdId::new(key).unwrap(),
            session,
            qty,
            ..bytemuck::Zeroable::zeroed()
        };
        event
    }

    fn asked(event: &Event) -> (SessionId, ClOrdId, Asked) {
        Asked::of(event).unwrap()
    }

    #[test]
    fn a_key_is_new_in_flight_and_then_the_first_answer() {
        let index = KeyIndex::default();
        let event = order(session_of(UserId(7)), "k", 5);
        let (session, key, wish) = asked(&event);
        let Found::New(work) = index.take(session, key, &wish) else {
            panic!()
        };
        assert!(matches!(index.take(session, key, &wish), Found::InFlight));
        index.observe(&event);
        drop(work);
        let Found::Same(record) = index.take(session, key, &wish) else {
            panic!()
        };
        assert_eq!(record.body::<OrderNew>().qty, 5);
        let other = asked(&order(session, "k", 6)).2;
        assert!(matches!(index.take(session, key, &other), Found::Other));
        let another = session_of(UserId(8));
        assert!(matches!(index.take(another, key, &wish), Found::New(_)));
    }

    #[test]
    fn what_was_not_sent_leaves_the_key_free() {
        let index = KeyIndex::default();
        let (session, key, wish) = asked(&order(session_of(UserId(7)), "k", 5));
        drop(index.take(session, key, &wish));
        assert!(matches!(index.take(session, key, &wish), Found::New(_)));
    }

    #[test]
    fn sessions_of_others_and_repeats_are_not_kept() {
        let index = KeyIndex::default();
        index.observe(&order(SessionId(3), "k", 5));
        index.observe(&order(SessionId::NONE, "k", 5));
        let mut repeat = order(session_of(UserId(7)), "k", 5);
        repeat.reject(RejectCode::DuplicateClOrdId);
        index.observe(&repeat);
        assert!(index.held().records.is_empty());
    }

    #[test]
    fn the_newest_are_kept() {
        let index = KeyIndex::default();
        let session = session_of(UserId(7));
        for number in 0..=KEYS_MAX {
            index.observe(&order(session, &number.to_string(), 5));
        }
        assert_eq!(index.held().records.len(), KEYS_MAX);
        let (_, oldest, wish) = asked(&order(session, "0", 5));
        assert!(matches!(index.take(session, oldest, &wish), Found::New(_)));
    }
}
