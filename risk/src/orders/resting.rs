//! Our own orders that rest, by node, instrument and side, best price first: what a newcomer must not trade against (L15). And the
//! orders that wait until such an order is gone.
//!
//! An order stands here once for each node on its chain that has a SELF_TRADE limit. All ladders are treaps in one pool; a
//! bucket chosen by pair and side holds its root and its smallest entry, so that the best price of a ladder that has its bucket for
//! itself is one look, and everything else grows with the logarithm of the ladder.
//!
//! # Invariants
//! - Each ladder is in order of price, then of acceptance.
//! - The list of held orders is exactly the open orders in state HELD, in acceptance order.
//! - No allocation after [`Resting::new`].
//!
//! Deliberately absent: this is no state of its own. It follows from the open orders and the limits, is rebuilt with them, and so
//! does not go into the digest (a property test compares it with a scan of the open orders).

use super::table::OrderTable;
use tradewind_domain::ids::OrderSlot;

const NIL: u32 = u32::MAX;

/// Places for each open order, on the average: how many of its nodes may have a SELF_TRADE limit. Where they are used up orders
/// and limits are refused with CAPACITY.
const PLACES_PER_ORDER: u32 = 2;

/// Where an entry stands: pair and side, then price (the best lowest), then acceptance.
type Key = (u64, i64, u64);

#[derive(Clone, Copy)]
struct Entry {
    ladder: u64,
    rank: i64,
    age: u64,
    below: u32,
    above: u32,
    order: u32,
    /// The order's next entry; in a free entry the next free one.
    next: u32,
}

#[derive(Clone, Copy)]
struct Bucket {
    root: u32,
    first: u32,
}

/// A side of an instrument's own orders at a node: its pair row, and whether they are purchases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Row of (node, instrument).
    pub pair: u32,
    /// Purchases.
    pub is_buy: bool,
}

impl Ladder {
    /// The orders that one on this side could trade against.
    #[inline]
    pub fn opposite(self) -> Self {
        Self {
            is_buy: !self.is_buy,
            ..self
        }
    }

    #[inline]
    fn number(self) -> u64 {
        u64::from(self.pair) << 1 | u64::from(self.is_buy)
    }

    /// Orders prices: the best is the lowest. A purchase at [`i64::MAX`] and a sale at [`i64::MIN`] stand before all others.
    #[inline]
    fn rank(self, px: i64) -> i64 {
        if self.is_buy { !px } else { px }
    }
}

/// The price of a market order: it crosses every other.
#[inline]
pub fn market_px(is_buy: bool) -> i64 {
    if is_buy { i64::MAX } else { i64::MIN }
}

/// Resting orders by ladder, and held orders.
pub struct Resting {
    entries: Vec<Entry>,
    buckets: Vec<Bucket>,
    /// First entry by order slot.
    first_of: Vec<u32>,
    free: u32,
    used: u32,
    /// What decides: at most what there is memory for.
    max: u32,
    /// Orders that one event found in its way, in acceptance order.
    found: Vec<OrderSlot>,
    held_head: u32,
    held_tail: u32,
    /// An order went while others were held: they have to be looked at.
    is_due: bool,
}

impl Resting {
    /// Room for the orders of a table of `rows` rows, `open_max` of them open.
    pub fn new(open_max: u32, rows: u32) -> Self {
        let max = open_max.saturating_mul(PLACES_PER_ORDER);
        let buckets = (open_max as usize).next_power_of_two().max(16);
        let mut resting = Self {
            entries: Vec::with_capacity(max as usize),
            buckets: vec![
                Bucket {
                    root: NIL,
                    first: NIL
                };
                buckets
            ],
            first_of: vec![NIL; rows as usize],
            free: NIL,
            used: 0,
            max,
            found: Vec::with_capacity(max as usize),
            held_head: 0,
            held_tail: 0,
            is_due: false,
        };
        for at in 0..max {
            let next = if at + 1 < max { at + 1 } else { NIL };
            resting.entries.push(Entry::free(next));
        }
        resting.free = if max > 0 { 0 } else { NIL };
        resting
    }

    /// Sets the number of open orders that decides, at most what there is memory for.
    pub fn set_capacity(&mut self, open_max: u32) {
        self.max = open_max
            .saturating_mul(PLACES_PER_ORDER)
            .min(self.entries.len() as u32);
    }

    /// Places that are left.
    #[inline]
    pub fn room(&self) -> u32 {
        self.max.saturating_sub(self.used)
    }

    /// Places in all, as the run recorded them.
    pub fn capacity(&self) -> u32 {
        self.max
    }

    /// Puts an order on a ladder. False where there is no place.
    pub fn insert(&mut self, slot: OrderSlot, ladder: Ladder, px: i64, age: u64) -> bool {
        let at = self.free;
        let Some(first) = self.first_of.get(slot.index()).copied() else {
            return false;
        };
        let Some(entry) = self.entries.get_mut(at as usize) else {
            return false;
        };
        self.free = entry.next;
        *entry = Entry {
            ladder: ladder.number(),
            rank: ladder.rank(px),
            age,
            below: NIL,
            above: NIL,
            order: slot.0,
            next: first,
        };
        self.first_of[slot.index()] = at;
        self.used += 1;
        self.link(at);
        true
    }

    /// Takes an order off all its ladders.
    pub fn remove(&mut self, slot: OrderSlot) {
        let Some(first) = self.first_of.get_mut(slot.index()) else {
            return;
        };
        let mut at = std::mem::replace(first, NIL);
        while at != NIL {
            let next = self.entries[at as usize].next;
            self.unlink(at);
            self.entries[at as usize] = Entry::free(self.free);
            self.free = at;
            self.used -= 1;
            at = next;
        }
        self.is_due |= self.has_held();
    }

    /// The best order of a ladder, with its price.
    #[inline]
    pub fn best(&self, ladder: Ladder) -> Option<(OrderSlot, i64)> {
        let at = self.at_or_after((ladder.number(), i64::MIN, 0), ladder)?;
        let entry = &self.entries[at as usize];
        Some((OrderSlot(entry.order), ladder.rank(entry.rank)))
    }

    /// True where an order at a price on the opposite side would trade against this ladder.
    #[inline]
    pub fn is_crossed_by(&self, ladder: Ladder, px: i64) -> bool {
        let best = self.at_or_after((ladder.number(), i64::MIN, 0), ladder);
        best.is_some_and(|at| self.entries[at as usize].rank <= ladder.rank(px))
    }

    /// The orders of a ladder that one at a price on the opposite side would trade against, the best first.
    pub fn crossed_by(&self, ladder: Ladder, px: i64) -> impl Iterator<Item = (OrderSlot, u64)> + '_ {
        let mut from = Some((ladder.number(), i64::MIN, 0));
        std::iter::from_fn(move || {
            let at = self.at_or_after(from?, ladder)?;
            let entry = &self.entries[at as usize];
            // Ages stay far below the largest number: they are counters of orders.
            from = entry
                .age
                .checked_add(1)
                .map(|age| (entry.ladder, entry.rank, age));
            (entry.rank <= ladder.rank(px)).then_some((OrderSlot(entry.order), entry.age))
        })
    }

    /// Begins the list of orders that stand in an event's way: the memory of the one before, empty.
    pub fn begin_found(&mut self) -> Vec<OrderSlot> {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        found
    }

    /// Adds what an order at a price would trade against.
    pub fn find(&self, ladder: Ladder, px: i64, found: &mut Vec<OrderSlot>) {
        let room = found.capacity() - found.len();
        found.extend(self.crossed_by(ladder, px).map(|(slot, _)| slot).take(room));
    }

    /// Ends the list: each order once, in acceptance order.
    pub fn end_found(&mut self, mut found: Vec<OrderSlot>, orders: &OrderTable) {
        let age = |slot: &OrderSlot| orders.get(*slot).map_or(0, |row| row.order_id.counter());
        found.sort_unstable_by_key(age);
        found.dedup();
        self.found = found;
    }

    /// The list.
    #[inline]
    pub fn found(&self) -> &[OrderSlot] {
        &self.found
    }

    /// True where orders are held.
    #[inline]
    pub fn has_held(&self) -> bool {
        self.held_head != 0
    }

    /// The oldest held order.
    pub fn first_held(&self) -> Option<OrderSlot> {
        slot_of(self.held_head)
    }

    /// The next younger one.
    pub fn next_held(orders: &OrderTable, slot: OrderSlot) -> Option<OrderSlot> {
        slot_of(orders.get(slot)?.held_next)
    }

    /// An accepted order is held.
    pub fn hold(&mut self, orders: &mut OrderTable, slot: OrderSlot) {
        let number = slot.0 + 1;
        let Some(row) = orders.get_mut(slot) else { return };
        (row.held_prev, row.held_next) = (self.held_tail, 0);
        match slot_of(self.held_tail).and_then(|tail| orders.get_mut(tail)) {
            Some(tail) => tail.held_next = number,
            None => self.held_head = number,
        }
        self.held_tail = number;
    }

    /// An order is held no longer.
    pub fn unhold(&mut self, orders: &mut OrderTable, slot: OrderSlot) {
        let Some(row) = orders.get_mut(slot) else { return };
        let (prev, next) = (row.held_prev, row.held_next);
        (row.held_prev, row.held_next) = (0, 0);
        match slot_of(prev).and_then(|prev| orders.get_mut(prev)) {
            Some(older) => older.held_next = next,
            None => self.held_head = next,
        }
        match slot_of(next).and_then(|next| orders.get_mut(next)) {
            Some(younger) => younger.held_prev = prev,
            None => self.held_tail = prev,
        }
    }

    /// Held orders have to be looked at, where there are any.
    pub fn set_due(&mut self) {
        self.is_due = self.has_held();
    }

    /// True where held orders have to be looked at.
    #[inline]
    pub fn is_due(&self) -> bool {
        self.is_due
    }

    /// They are looked at.
    #[inline]
    pub fn clear_due(&mut self) {
        self.is_due = false;
    }

    #[inline]
    fn key(&self, at: u32) -> Key {
        let entry = &self.entries[at as usize];
        (entry.ladder, entry.rank, entry.age)
    }

    #[inline]
    fn bucket(&self, ladder: u64) -> usize {
        (mix(ladder) as usize) & (self.buckets.len() - 1)
    }

    /// The first entry of a ladder at `key` or behind it.
    #[inline]
    fn at_or_after(&self, key: Key, ladder: Ladder) -> Option<u32> {
        let Bucket { root, first } = self.buckets[self.bucket(key.0)];
        if first == NIL {
            return None;
        }
        let mut found = NIL;
        if self.key(first) >= key {
            found = first;
        } else {
            let mut at = root;
            while at != NIL {
                let entry = &self.entries[at as usize];
                if self.key(at) >= key {
                    found = at;
                    at = entry.below;
                } else {
                    at = entry.above;
                }
            }
        }
        (found != NIL && self.entries[found as usize].ladder == ladder.number()).then_some(found)
    }

    /// Puts an entry into its bucket's treap: it goes where its weight says, and what stood there is split by its key.
    fn link(&mut self, at: u32) {
        let key = self.key(at);
        let bucket = self.bucket(key.0);
        let mut place = self.buckets[bucket].root;
        let mut parent = NIL;
        while place != NIL && self.weight(place) >= self.weight(at) {
            parent = place;
            let entry = &self.entries[place as usize];
            place = if key < self.key(place) {
                entry.below
            } else {
                entry.above
            };
        }
        let (below, above) = self.split(place, key);
        let entry = &mut self.entries[at as usize];
        (entry.below, entry.above) = (below, above);
        self.set_child(bucket, parent, key, at);
        let first = self.buckets[bucket].first;
        if first == NIL || key < self.key(first) {
            self.buckets[bucket].first = at;
        }
    }

    /// Takes an entry out: its two halves take its place.
    fn unlink(&mut self, at: u32) {
        let key = self.key(at);
        let bucket = self.bucket(key.0);
        let (mut parent, mut place) = (NIL, self.buckets[bucket].root);
        while place != at {
            debug_assert!(place != NIL, "Invariant: an entry stands in its bucket's treap");
            if place == NIL {
                return;
            }
            parent = place;
            let entry = &self.entries[place as usize];
            place = if key < self.key(place) {
                entry.below
            } else {
                entry.above
            };
        }
        let Entry { below, above, .. } = self.entries[at as usize];
        let merged = self.merge(below, above);
        self.set_child(bucket, parent, key, merged);
        if self.buckets[bucket].first == at {
            self.buckets[bucket].first = self.lowest(self.buckets[bucket].root);
        }
    }

    fn set_child(&mut self, bucket: usize, parent: u32, key: Key, child: u32) {
        if parent == NIL {
            self.buckets[bucket].root = child;
        } else if key < self.key(parent) {
            self.entries[parent as usize].below = child;
        } else {
            self.entries[parent as usize].above = child;
        }
    }

    /// Heavier entries stand higher. A scattered counter serves as the random weight: the shape is the same in every run.
    #[inline]
    fn weight(&self, at: u32) -> u64 {
        let entry = &self.entries[at as usize];
        mix(entry.age ^ entry.ladder.rotate_left(32))
    }

    fn lowest(&self, mut at: u32) -> u32 {
        while at != NIL && self.entries[at as usize].below != NIL {
            at = self.entries[at as usize].below;
        }
        at
    }

    /// Splits a treap into what stands before `key` and the rest.
    fn split(&mut self, mut at: u32, key: Key) -> (u32, u32) {
        let (mut roots, mut tails) = ([NIL; 2], [NIL; 2]);
        while at != NIL {
            let is_before = self.key(at) < key;
            let side = usize::from(!is_before);
            match tails[side] {
                NIL => roots[side] = at,
                tail if is_before => self.entries[tail as usize].above = at,
                tail => self.entries[tail as usize].below = at,
            }
            tails[side] = at;
            let entry = &self.entries[at as usize];
            at = if is_before { entry.above } else { entry.below };
        }
        if tails[0] != NIL {
            self.entries[tails[0] as usize].above = NIL;
        }
        if tails[1] != NIL {
            self.entries[tails[1] as usize].below = NIL;
        }
        (roots[0], roots[1])
    }

    /// Joins two treaps, all of the first before all of the second.
    fn merge(&mut self, mut low: u32, mut high: u32) -> u32 {
        let (mut root, mut tail, mut tail_is_low) = (NIL, NIL, false);
        loop {
            let takes_low = match (low, high) {
                (NIL, NIL) => return root,
                (_, NIL) => true,
                (NIL, _) => false,
                _ => self.weight(low) >= self.weight(high),
            };
            let taken = if takes_low { low } else { high };
            match tail {
                NIL => root = taken,
                _ if tail_is_low => self.entries[tail as usize].above = taken,
                _ => self.entries[tail as usize].below = taken,
            }
            if low == NIL || high == NIL {
                return root;
            }
            (tail, tail_is_low) = (taken, takes_low);
            let entry = &self.entries[taken as usize];
            if takes_low {
                low = entry.above;
            } else {
                high = entry.below;
            }
        }
    }
}

impl Entry {
    const fn free(next: u32) -> Self {
        Self {
            ladder: 0,
            rank: 0,
            age: 0,
            below: NIL,
            above: NIL,
            order: NIL,
            next,
        }
    }
}

/// The slot of a link that counts from 1; 0 is none.
#[inline]
fn slot_of(number: u32) -> Option<OrderSlot> {
    number.checked_sub(1).map(OrderSlot)
}

/// Scatters a number (the finalizer of splitmix64).
#[inline]
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn ladder(number: u32) -> Ladder {
        Ladder {
            pair: number / 2,
            is_buy: number % 2 == 1,
        }
    }

    /// Every ladder against a sorted set of (rank, age, slot).
    fn check(resting: &Resting, naive: &BTreeSet<(u32, i64, u64, u32)>, px: i64) {
        for number in 0..6 {
            let ladder = ladder(number);
            let all: Vec<_> = naive.iter().filter(|entry| entry.0 == number).collect();
            let best = all.first().map(|entry| OrderSlot(entry.3));
            assert_eq!(resting.best(ladder).map(|(slot, _)| slot), best);
            let crossed: Vec<_> = resting.crossed_by(ladder, px).map(|(slot, _)| slot.0).collect();
            let is_crossed = |rank: i64| if ladder.is_buy { !rank >= px } else { rank <= px };
            let expected: Vec<_> = all
                .iter()
                .filter(|entry| is_crossed(entry.1))
                .map(|entry| entry.3)
                .collect();
            assert_eq!(crossed, expected);
            assert_eq!(resting.is_crossed_by(ladder, px), !expected.is_empty());
        }
        assert_eq!(resting.used as usize, naive.len());
    }

    proptest! {
        #[test]
        fn ladders_agree_with_a_sorted_set(
            steps in prop::collection::vec((0..6u32, 0..24u32, -5i64..6, any::<bool>()), 1..300), px in -6i64..7
        ) {
            let mut resting = Resting::new(24, 64);
            let mut naive = BTreeSet::new();
            for (age, (number, slot, at_px, removes)) in steps.into_iter().enumerate() {
                if removes {
                    resting.remove(OrderSlot(slot));
                    naive.retain(|entry: &(u32, i64, u64, u32)| entry.3 != slot);
                } else {
                    let ladder = ladder(number);
                    let has_room = resting.room() > 0;
                    prop_assert_eq!(resting.insert(OrderSlot(slot), ladder, at_px, age as u64), has_room);
                    if has_room {
                        naive.insert((number, ladder.rank(at_px), age as u64, slot));
                    }
                }
                check(&resting, &naive, px);
            }
        }
    }

    #[test]
    fn a_ladder_of_many_orders_stays_shallow() {
        let mut resting = Resting::new(50_000, 100_001);
        let ladder = ladder(0);
        for at in 0..50_000u32 {
            assert!(resting.insert(OrderSlot(at), ladder, i64::from(at / 100), u64::from(at)));
        }
        fn depth(resting: &Resting, at: u32) -> u32 {
            if at == NIL {
                return 0;
            }
            let entry = &resting.entries[at as usize];
            1 + depth(resting, entry.below).max(depth(resting, entry.above))
        }
        let root = resting.buckets[resting.bucket(ladder.number())].root;
        let deepest = depth(&resting, root);
        assert!(deepest < 60, "{deepest} levels for 50,000 orders");
    }
}
