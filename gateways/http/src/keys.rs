//! Idempotency: the `Idempotency-Key` of an order is its ClOrdID, so the engine itself refuses a second one; that of another change
//! stands at the end of its record's text. This index finds the first answer again.
//!
//! It is made from the journal alone: a restart rebuilds it, and what is answered twice is read from the same record.
//!
//! # Invariants
//! - Of several requests with one key at one time only one is sent.
//! - A key with another body is refused, whatever became of the first one.
//! - Memory is bounded: the newest [`KEYS_MAX`] orders and [`CHANGES_MAX`] other changes are answered again. An older key of an order is
//!   refused by the engine as a duplicate of its trading day; an older one of a change is a new one.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tradewind_domain::event::{Event, Kind, OrderNew, OrderReplace};
use tradewind_domain::ids::{OrderId, SessionId, UserId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ClOrdId;
use tradewind_machine::source::SOURCE_LONG;

/// Requests whose answers are kept.
pub(crate) const KEYS_MAX: usize = 65_536;
/// Other changes whose answers are kept.
pub(crate) const CHANGES_MAX: usize = 8_192;
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

/// What a change asked for: the request's target and body, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change(u64);

/// What stands before user, hash and key in a record's text.
const KEY_WORD: &str = "key";

impl Change {
    pub(crate) fn of(target: &str, body: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(target.as_bytes()).update(&[0]).update(body);
        let mut hash = [0; 8];
        hasher.finalize_xof().fill(&mut hash);
        Self(u64::from_le_bytes(hash))
    }

    /// As the record has it. The key has no space.
    pub(crate) fn name(self, user: UserId, key: ClOrdId) -> String {
        format!("{KEY_WORD} u{} {:016x} {key}", user.0, self.0)
    }

    /// What a record's text ends with: `key u7 0123456789abcdef KEY]`. Only the last four words are looked at, and what a client writes
    /// into a reason stands before them.
    fn of_text(text: &[u8]) -> Option<(UserId, ClOrdId, Self)> {
        let text = std::str::from_utf8(text).ok()?.strip_suffix(']')?;
        let mut words = text.rsplitn(5, ' ');
        let (key, hash, user) = (words.next()?, words.next()?, words.next()?);
        if words.next()? != KEY_WORD || hash.len() != 16 {
            return None;
        }
        let hash = u64::from_str_radix(hash, 16).ok()?;
        let user = user.strip_prefix('u')?.parse().ok()?;
        Some((UserId(user), ClOrdId::new(key).ok()?, Self(hash)))
    }
}

/// The requests of the journal, by key.
pub struct KeyIndex {
    orders: Mutex<Table<(SessionId, ClOrdId), Asked>>,
    changes: Mutex<Table<(UserId, ClOrdId), Change>>,
}

impl Default for KeyIndex {
    fn default() -> Self {
        Self {
            orders: Mutex::new(Table::new(KEYS_MAX)),
            changes: Mutex::new(Table::new(CHANGES_MAX)),
        }
    }
}

/// A record as the journal has it: head, body and tail.
type Record = Box<[u8]>;

/// The newest requests of one kind, and those that are being worked on.
struct Table<N, W> {
    records: HashMap<N, (W, Record)>,
    order: VecDeque<N>,
    at_work: HashSet<N>,
    max: usize,
}

impl<N: Copy + Eq + Hash, W: Copy + PartialEq> Table<N, W> {
    fn new(max: usize) -> Self {
        Self {
            records: HashMap::new(),
            order: VecDeque::new(),
            at_work: HashSet::new(),
            max,
        }
    }

    fn put(&mut self, name: N, wish: W, event: &Event) {
        self.at_work.remove(&name);
        if self.records.insert(name, (wish, bytes(event))).is_none() {
            self.order.push_back(name);
        }
        if self.order.len() > self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.records.remove(&oldest);
        }
    }
}

/// What a key stands for.
pub(crate) enum Found<'a, N: Copy + Eq + Hash, W> {
    /// Nothing yet: the request may be sent, and nobody else's with this key while this lives.
    New(AtWork<'a, N, W>),
    /// The record of the same request.
    Same(Box<Event>),
    /// Another request.
    Other,
    /// A request that is being worked on.
    InFlight,
}

/// Keeps others out until the request is done.
pub(crate) struct AtWork<'a, N: Copy + Eq + Hash, W> {
    table: &'a Mutex<Table<N, W>>,
    name: N,
}

impl<N: Copy + Eq + Hash, W> AtWork<'_, N, W> {
    /// Keeps them out for good, or until the record comes: nobody knows what became of the request.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl<N: Copy + Eq + Hash, W> Drop for AtWork<'_, N, W> {
    fn drop(&mut self) {
        lock(self.table).at_work.remove(&self.name);
    }
}

fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a name stands for, which is taken where it is new.
fn take<'a, N: Copy + Eq + Hash, W: Copy + PartialEq>(
    table: &'a Mutex<Table<N, W>>,
    name: N,
    wish: &W,
) -> Found<'a, N, W> {
    let mut held = lock(table);
    if let Some((first, record)) = held.records.get(&name) {
        let mut event = Box::new(Event::empty());
        return match first == wish && event.read_record(record).is_some() {
            true => Found::Same(event),
            false => Found::Other,
        };
    }
    if !held.at_work.insert(name) {
        return Found::InFlight;
    }
    drop(held);
    Found::New(AtWork { table, name })
}

impl KeyIndex {
    /// Takes the next record of the journal.
    pub fn observe(&self, event: &Event) {
        if event.head.part != 0 {
            return;
        }
        if let Some((session, key, asked)) = Asked::of(event) {
            let is_user = session.0 & SESSION_BASE != 0 && !session.is_none();
            // A repeat that came to the engine itself leaves the first answer as it is.
            if is_user && event.reject_code() != Some(RejectCode::DuplicateClOrdId) {
                lock(&self.orders).put((session, key), asked, event);
            }
        } else if event.head.source == SOURCE_LONG
            && let Some((user, key, change)) = Change::of_text(event.tail())
        {
            lock(&self.changes).put((user, key), change, event);
        }
    }

    /// What the key of a session stands for, and takes it where it is new.
    pub(crate) fn take(
        &self,
        session: SessionId,
        key: ClOrdId,
        asked: &Asked,
    ) -> Found<'_, (SessionId, ClOrdId), Asked> {
        take(&self.orders, (session, key), asked)
    }

    /// True where the journal has an order or a replace of the user with this key: his next one is answered from its record.
    pub(crate) fn has_order(&self, user: UserId, key: ClOrdId) -> bool {
        lock(&self.orders).records.contains_key(&(session_of(user), key))
    }

    /// As [`has_order`](Self::has_order), for what is no order.
    pub(crate) fn has_change(&self, user: UserId, key: ClOrdId) -> bool {
        lock(&self.changes).records.contains_key(&(user, key))
    }

    /// As [`take`](Self::take), for what is no order.
    pub(crate) fn take_change(
        &self,
        user: UserId,
        key: ClOrdId,
        change: &Change,
    ) -> Found<'_, (UserId, ClOrdId), Change> {
        take(&self.changes, (user, key), change)
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
        assert!(lock(&index.orders).records.is_empty());
    }

    #[test]
    fn the_newest_are_kept() {
        let index = KeyIndex::default();
        let session = session_of(UserId(7));
        for number in 0..=KEYS_MAX {
            index.observe(&order(session, &number.to_string(), 5));
        }
        assert_eq!(lock(&index.orders).records.len(), KEYS_MAX);
        let (_, oldest, wish) = asked(&order(session, "0", 5));
        assert!(matches!(index.take(session, oldest, &wish), Found::New(_)));
    }

    #[test]
    fn a_changes_key_is_read_from_the_end_of_its_records_text() {
        let (user, key) = (UserId(7), ClOrdId::new("pay]-1").unwrap());
        let change = Change::of("POST /x", b"{}");
        let text = format!(
            "why [request r key u9 0000000000000000 k]; {}]",
            change.name(user, key)
        );
        assert_eq!(Change::of_text(text.as_bytes()), Some((user, key, change)));
        assert_ne!(change, Change::of("POST /x", b"{ }"));
        for other in [
            "",
            "why [request r]",
            "why [os user ann]",
            "key u7 0123 k]",
            "key ann 0123456789abcdef k]",
        ] {
            assert_eq!(Change::of_text(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_change_is_answered_again_and_one_whose_outcome_is_unknown_stays_in_flight() {
        let index = KeyIndex::default();
        let (user, key) = (UserId(7), ClOrdId::new("k").unwrap());
        let change = Change::of("POST /x", b"{}");
        let Found::New(work) = index.take_change(user, key, &change) else {
            panic!()
        };
        work.keep();
        assert!(matches!(index.take_change(user, key, &change), Found::InFlight));
        let mut event = Event::empty();
        event.reset(Kind::CorporateAction);
        event.head.source = SOURCE_LONG;
        event.set_tail(format!("why [request r; {}]", change.name(user, key)).as_bytes());
        index.observe(&event);
        assert!(matches!(index.take_change(user, key, &change), Found::Same(_)));
        let other = Change::of("POST /x", b"[]");
        assert!(matches!(index.take_change(user, key, &other), Found::Other));
    }
}
