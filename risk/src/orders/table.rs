//! The order table: one plain row an order, found by order id, kept in acceptance order while open.
//!
//! # Invariants
//! - `OrderState::is_open(row.state)` exactly while the row is in the open list.
//! - A closed order's row stays until `closed_max` later ones have closed, so that late fills find it.
//! - No allocation after [`OrderTable::new`].

use bytemuck::{Pod, Zeroable, bytes_of, bytes_of_mut};
use tradewind_domain::codes::{OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::ids::{
    AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, NodeId, OrderId, OrderSlot, SessionId,
    WalletId,
};
use tradewind_domain::text::ClOrdId;
use tradewind_domain::time::DayNumber;
use tradewind_machine::prefetch::{prefetch, prefetch_lines};

/// One order. What every fill reads and changes stands in the first two cache lines, what only a replace needs in the last two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct OrderRow {
    /// The order; none in a free row.
    pub order_id: OrderId,
    /// Total quantity at 1e-8.
    pub qty: i64,
    /// Filled quantity.
    pub cum: i64,
    /// Open quantity.
    pub leaves: i64,
    /// Limit price; 0 where none.
    pub px: i64,
    /// Risk price, frozen.
    pub risk_px: i64,
    /// Base value of one unit, frozen; of a binary sale that opens a short the part that closes a long position.
    pub unit: i64,
    /// Base value of one unit of the rest: differs from `unit` for such a sale only.
    pub short_unit: i64,
    /// Reserved cash, estimated fee included: for `leaves`, or while a replace is pending for what was open when it was accepted.
    pub cash: Money,
    /// Open quantity that closes a long position, of a binary sale that opens a short; fills use it up first.
    pub close_qty: i64,
    /// Pending replace: total quantity; 0 where none is pending, below zero where busts took more than it.
    pub new_qty: i64,
    /// Narrowest node.
    pub leaf: NodeId,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Row of (leaf, instrument).
    pub node_instrument: u32,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Account and currency.
    pub wallet: WalletId,
    /// [`Side`].
    pub side: u8,
    /// [`OrderType`].
    pub ord_type: u8,
    /// [`TimeInForce`].
    pub tif: u8,
    /// [`OrderState`].
    pub state: u8,
    /// State to return to when a pending cancel or replace is refused.
    pub resting_state: u8,
    /// Cancels that were sent and not answered; counted anew once no replace is on its way.
    pub cancels: u8,
    /// 1 once a replace was pending: the fields from `new_cash` on are in use.
    pub was_replaced: u8,
    #[doc(hidden)]
    pub reserved: u8,
    /// Older neighbour in the open list.
    pub(crate) prev: u32,
    /// Newer neighbour in the open list; in a free row the next free one.
    pub(crate) next: u32,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// Calendar of the instrument.
    pub calendar: CalendarId,
    /// Identifiers that name this order while it is open: its own and those of its replaces.
    pub keys: u32,
    /// Limit value held beside `leaves * unit` while a replace is pending.
    pub extra_value: Notional,
    /// Cash held beside `cash` while a replace is pending; below zero once fills have used more than it.
    pub extra_cash: Money,
    /// Client session.
    pub session: SessionId,
    /// Trading date of acceptance.
    pub trade_day: DayNumber,
    /// Stop price; 0 where none.
    pub stop_px: i64,
    /// End of a GTD order, nanoseconds.
    pub expire_ns: u64,
    /// Price at which the trader would give up; 0 where none.
    pub stop_loss_px: i64,
    /// Older neighbour among the held orders, counted from 1; 0 where there is none (L15).
    pub(crate) held_prev: u32,
    /// Younger neighbour among the held orders, likewise.
    pub(crate) held_next: u32,
    /// The client's identifier.
    pub cl_ord_id: ClOrdId,
    /// Pending replace: reserved cash of the new order when it was accepted, estimated fee included.
    pub new_cash: Money,
    /// Pending replace: filled quantity when it was accepted.
    pub pending_cum: i64,
    /// Pending replace: `close_qty` when it was accepted.
    pub pending_close: i64,
    /// Pending replace: limit price.
    pub new_px: i64,
    /// Pending replace: stop price.
    pub new_stop_px: i64,
    /// Pending replace: risk price.
    pub new_risk_px: i64,
    /// Pending replace: unit.
    pub new_unit: i64,
    /// Pending replace: as `short_unit`.
    pub new_short_unit: i64,
    /// Pending replace: as `close_qty`, when it was accepted.
    pub new_close_qty: i64,
    /// Pending replace: the client's identifier from then on.
    pub new_cl_ord_id: ClOrdId,
    #[doc(hidden)]
    pub reserved2: u64,
}

/// Where the fields of replaces begin.
const REPLACE_AT: usize = std::mem::offset_of!(OrderRow, new_cash);

const _: () = assert!(size_of::<OrderRow>() == 384 && REPLACE_AT == 256);

const NIL: u32 = u32::MAX;

impl OrderRow {
    /// State, `None` for a damaged row.
    #[inline]
    pub fn order_state(&self) -> OrderState {
        OrderState::from_code(self.state).unwrap_or(OrderState::None)
    }
    /// Side; damaged rows count as sales.
    #[inline]
    pub fn order_side(&self) -> Side {
        Side::from_code(self.side).unwrap_or(Side::Sell)
    }
    /// Type; damaged rows count as limit orders.
    #[inline]
    pub fn order_type(&self) -> OrderType {
        OrderType::from_code(self.ord_type).unwrap_or(OrderType::Limit)
    }
    /// Time in force; damaged rows count as day orders.
    #[inline]
    pub fn time_in_force(&self) -> TimeInForce {
        TimeInForce::from_code(self.tif).unwrap_or(TimeInForce::Day)
    }
    /// Reserved limit value, what a pending replace holds included.
    #[inline]
    pub fn reserved_value(&self) -> Notional {
        Notional::from_raw(self.open_value() + self.extra_value.raw())
    }
    /// Limit value of what is open, a pending replace apart.
    #[inline]
    pub fn open_value(&self) -> i128 {
        parts_value(self.leaves, self.close_qty, self.unit, self.short_unit)
    }
    /// The part of it that closes a long position, of a binary sale that opens a short.
    #[inline]
    pub fn closing_value(&self) -> i128 {
        i128::from(self.close_qty.min(self.leaves)) * i128::from(self.unit)
    }
    /// What the order that a pending replace asks for has left to close: fills since it was accepted have used it up first.
    #[inline]
    pub fn new_close_left(&self) -> i64 {
        let filled = self.cum.saturating_sub(self.pending_cum);
        self.new_close_qty.saturating_sub(filled).max(0)
    }
    /// Reserved cash, what a pending replace holds included.
    #[inline]
    pub fn reserved_cash(&self) -> Money {
        Money::from_raw(self.cash.raw() + self.extra_cash.raw())
    }
    /// Open quantity, what a pending replace holds included.
    #[inline]
    pub fn reserved_qty(&self) -> i64 {
        self.leaves.max(self.new_leaves())
    }
    /// What the order will have open if the pending replace takes place; 0 where none is pending.
    #[inline]
    pub fn new_leaves(&self) -> i64 {
        self.new_qty.saturating_sub(self.cum).max(0)
    }
    /// True while a replace is on its way: the order then holds the larger of old and new.
    #[inline]
    pub fn has_replace(&self) -> bool {
        self.new_qty != 0
    }
    /// A bust or correction of one of its fills changes the filled quantity by `delta`. While the order is open its quantity, and
    /// the one that a pending replace asks for, change alike: what is open stays as it is (LIMITS section 14).
    pub fn restate(&mut self, delta: i64) {
        self.cum = self.cum.saturating_add(delta);
        if !self.order_state().is_open() {
            return;
        }
        self.qty = self.qty.saturating_add(delta);
        if self.has_replace() {
            self.pending_cum = self.pending_cum.saturating_add(delta);
            // Fills were beyond a new quantity that comes to zero, so it opens nothing; below zero it does not either.
            self.new_qty = match self.new_qty.saturating_add(delta) {
                0 => -1,
                new_qty => new_qty,
            };
        }
    }
    /// Becomes another order's row, a new one's. Few orders are ever replaced: what replaces need is written only where it was used.
    #[inline]
    fn renew(&mut self, row: &OrderRow) {
        let was_replaced = self.was_replaced != 0;
        let bytes = bytes_of_mut(self);
        bytes[..REPLACE_AT].copy_from_slice(&bytes_of(row)[..REPLACE_AT]);
        if was_replaced {
            bytes[REPLACE_AT..].fill(0);
        }
    }

    /// Forgets a pending replace.
    #[inline]
    pub fn drop_pending(&mut self) {
        self.extra_value = Notional::ZERO;
        self.extra_cash = Money::ZERO;
        self.cancels = 0;
        self.new_qty = 0;
        if self.was_replaced != 0 {
            self.new_cl_ord_id = ClOrdId::EMPTY;
        }
    }
}

/// Value of an open quantity whose first part closes a position and counts by another unit than the rest.
#[inline]
pub fn parts_value(leaves: i64, close_qty: i64, unit: i64, short_unit: i64) -> i128 {
    if unit == short_unit {
        return i128::from(leaves) * i128::from(unit);
    }
    let closes = close_qty.min(leaves);
    i128::from(leaves) * i128::from(short_unit)
        + i128::from(closes) * (i128::from(unit) - i128::from(short_unit))
}

/// Entries of the index that stand together: one cache line.
const GROUP: u64 = 8;

/// An entry of the index. Homes follow from the tag alone: closing a gap reads no row.
#[derive(Clone, Copy)]
struct Entry {
    /// Low bits of the order's counter.
    tag: u32,
    /// The row; [`NIL`] in a free entry.
    slot: u32,
}

/// All orders that are open or recently closed.
pub struct OrderTable {
    rows: Vec<OrderRow>,
    /// Order id's counter to row, open addressing in groups of [`GROUP`]: neighbours share a cache line, and groups are
    /// scattered, so that dense ids do not make one endless probe run.
    index: Vec<Entry>,
    index_mask: usize,
    free_head: u32,
    /// Closed rows, oldest first.
    closed: std::collections::VecDeque<u32>,
    open_head: u32,
    open_tail: u32,
    open_count: u32,
    /// Sum of `keys` over the open orders.
    open_keys: u32,
    open_max: u32,
    closed_max: u32,
}

impl OrderTable {
    /// Room for `open_max` open orders and `closed_max` closed ones.
    pub fn new(open_max: u32, closed_max: u32) -> Self {
        let rows_count = open_max as usize + closed_max as usize + 1;
        let mut rows = vec![OrderRow::zeroed(); rows_count];
        for (at, row) in rows.iter_mut().enumerate() {
            row.next = if at + 1 < rows_count { at as u32 + 1 } else { NIL };
        }
        let buckets = (rows_count * 2).next_power_of_two().max(2 * GROUP as usize);
        Self {
            rows,
            index: vec![Entry { tag: 0, slot: NIL }; buckets],
            index_mask: buckets - 1,
            free_head: 0,
            closed: std::collections::VecDeque::with_capacity(closed_max as usize + 1),
            open_head: NIL,
            open_tail: NIL,
            open_count: 0,
            open_keys: 0,
            open_max,
            closed_max,
        }
    }

    /// Sets the capacities that decide, at most what there is memory for.
    pub fn set_capacity(&mut self, open_max: u32, closed_max: u32) {
        let rows_max = self.rows.len() as u32 - 1;
        self.closed_max = closed_max.min(rows_max);
        self.open_max = open_max.min(rows_max - self.closed_max);
    }

    /// Identifiers that name open orders.
    #[inline]
    pub fn open_keys(&self) -> u32 {
        self.open_keys
    }

    /// One identifier more names an order, if it is open.
    pub fn add_key(&mut self, slot: OrderSlot) {
        if let Some(row) = self.get_mut(slot)
            && row.order_state().is_open()
        {
            row.keys += 1;
            self.open_keys += 1;
        }
    }

    /// True where no further order can be accepted.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.open_count >= self.open_max
    }

    /// Share of open orders' capacity that is used, in percent.
    pub fn used_pct(&self) -> u32 {
        (u64::from(self.open_count) * 100 / u64::from(self.open_max.max(1))) as u32
    }

    /// The row that the next accepted order gets.
    #[inline]
    pub fn next_slot(&self) -> OrderSlot {
        if self.free_head != NIL {
            OrderSlot(self.free_head)
        } else {
            OrderSlot(self.closed.front().copied().unwrap_or(NIL))
        }
    }

    /// Brings an order's index entry closer, for a lookup that comes soon.
    #[inline]
    pub fn prefetch(&self, order_id: OrderId) {
        prefetch(&self.index[self.home(order_id.counter() as u32)]);
    }

    /// Brings closer what the `n`th order from now on will be written to, where that can be told.
    #[inline]
    pub fn prefetch_next(&self, n: usize) {
        let free = self.free_head as usize;
        let slot = if free < self.rows.len() {
            // Rows that were never used follow one another.
            free + n
        } else {
            self.closed.get(n).map_or(usize::MAX, |&slot| slot as usize)
        };
        if let Some(row) = self.rows.get(slot) {
            prefetch_lines::<4, _>(row);
        }
    }

    /// Brings closer the entry of the `n`th order that will be forgotten, whose row was fetched before.
    #[inline]
    pub fn prefetch_forgotten(&self, n: usize) {
        if self.free_head == NIL
            && let Some(&slot) = self.closed.get(n)
        {
            self.prefetch(self.rows[slot as usize].order_id);
        }
    }

    /// Finds an order and brings closer what a fill reads of it.
    #[inline]
    pub fn prefetch_row(&self, order_id: OrderId) {
        if let Some(slot) = self.likely_slot(order_id.counter() as u32) {
            prefetch_lines::<3, _>(&self.rows[slot as usize]);
        }
    }

    /// The row that an order most likely stands in, without a look at it.
    #[inline]
    pub fn likely_slot(&self, tag: u32) -> Option<u32> {
        let mut at = self.home(tag);
        while self.index[at].slot != NIL {
            if self.index[at].tag == tag {
                return Some(self.index[at].slot);
            }
            at = (at + 1) & self.index_mask;
        }
        None
    }

    /// The row in a slot.
    #[inline]
    pub fn get(&self, slot: OrderSlot) -> Option<&OrderRow> {
        self.rows.get(slot.index()).filter(|row| !row.order_id.is_none())
    }

    /// The row in a slot, to apply facts to.
    #[inline]
    pub fn get_mut(&mut self, slot: OrderSlot) -> Option<&mut OrderRow> {
        self.rows
            .get_mut(slot.index())
            .filter(|row| !row.order_id.is_none())
    }

    /// The order's row.
    #[inline]
    pub fn find(&self, order_id: OrderId) -> Option<(OrderSlot, &OrderRow)> {
        if order_id.is_none() {
            return None;
        }
        let tag = order_id.counter() as u32;
        let mut at = self.home(tag);
        loop {
            let entry = self.index[at];
            if entry.slot == NIL {
                return None;
            }
            if entry.tag == tag {
                let row = &self.rows[entry.slot as usize];
                if row.order_id == order_id {
                    return Some((OrderSlot(entry.slot), row));
                }
            }
            at = (at + 1) & self.index_mask;
        }
    }

    /// True for an order that is open.
    #[inline]
    pub fn is_open(&self, order_id: OrderId) -> bool {
        self.find(order_id)
            .is_some_and(|(_, row)| row.order_state().is_open())
    }

    /// Ids are dense: side by side they would be one run as long as all remembered orders, and taking the oldest out would
    /// walk all of it (17 us with 16,384). Scattered groups keep runs short.
    #[inline]
    fn home(&self, tag: u32) -> usize {
        let group = (u64::from(tag) / GROUP).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (group * GROUP + u64::from(tag) % GROUP) as usize & self.index_mask
    }

    /// Puts an accepted order into the row that [`next_slot`](Self::next_slot) named; `None` where there is none.
    #[inline]
    pub fn insert(&mut self, row: &OrderRow) -> Option<OrderSlot> {
        let slot = if self.free_head != NIL {
            let slot = self.free_head;
            self.free_head = self.rows[slot as usize].next;
            slot
        } else {
            let slot = self.closed.pop_front()?;
            self.unindex(slot);
            slot
        };
        self.rows[slot as usize].renew(row);
        let tag = row.order_id.counter() as u32;
        let mut at = self.home(tag);
        while self.index[at].slot != NIL {
            at = (at + 1) & self.index_mask;
        }
        self.index[at] = Entry { tag, slot };
        self.link(slot);
        Some(OrderSlot(slot))
    }

    fn link(&mut self, slot: u32) {
        let tail = self.open_tail;
        let row = &mut self.rows[slot as usize];
        row.prev = tail;
        row.next = NIL;
        if tail == NIL {
            self.open_head = slot;
        } else {
            self.rows[tail as usize].next = slot;
        }
        self.open_tail = slot;
        self.open_count += 1;
        self.open_keys += self.rows[slot as usize].keys;
    }

    /// Takes a row whose state has become closed out of the open list and remembers it for late fills.
    pub fn close(&mut self, slot: OrderSlot) {
        let Some(row) = self.get(slot) else { return };
        let (prev, next, keys) = (row.prev, row.next, row.keys);
        match prev {
            NIL => self.open_head = next,
            _ => self.rows[prev as usize].next = next,
        }
        match next {
            NIL => self.open_tail = prev,
            _ => self.rows[next as usize].prev = prev,
        }
        self.open_count -= 1;
        self.open_keys -= keys;
        self.closed.push_back(slot.0);
        while self.closed.len() > self.closed_max as usize {
            let Some(oldest) = self.closed.pop_front() else {
                break;
            };
            self.unindex(oldest);
            self.rows[oldest as usize].order_id = OrderId::NONE;
            self.rows[oldest as usize].next = self.free_head;
            self.free_head = oldest;
        }
    }

    /// Removes a row's entry from the index and closes the gap in its probe run.
    fn unindex(&mut self, slot: u32) {
        let mut hole = self.home(self.rows[slot as usize].order_id.counter() as u32);
        while self.index[hole].slot != slot {
            if self.index[hole].slot == NIL {
                return;
            }
            hole = (hole + 1) & self.index_mask;
        }
        let mut at = hole;
        loop {
            at = (at + 1) & self.index_mask;
            let other = self.index[at];
            if other.slot == NIL {
                break;
            }
            let home = self.home(other.tag);
            if (at.wrapping_sub(home) & self.index_mask) >= (at.wrapping_sub(hole) & self.index_mask) {
                self.index[hole] = other;
                hole = at;
            }
        }
        self.index[hole].slot = NIL;
    }

    /// The oldest open order.
    #[inline]
    pub fn first_open(&self) -> Option<OrderSlot> {
        (self.open_head != NIL).then_some(OrderSlot(self.open_head))
    }

    /// The open order accepted after this open one.
    #[inline]
    pub fn next_open(&self, slot: OrderSlot) -> Option<OrderSlot> {
        let next = self.rows.get(slot.index())?.next;
        (next != NIL).then_some(OrderSlot(next))
    }

    /// Open orders in acceptance order.
    pub fn open(&self) -> impl Iterator<Item = (OrderSlot, &OrderRow)> {
        std::iter::successors(self.first_open(), |&slot| self.next_open(slot))
            .map(|slot| (slot, &self.rows[slot.index()]))
    }

    /// Feeds the rows to a hash: open ones in acceptance order, then closed ones from the oldest.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for (slot, row) in self.open() {
            sink(&slot.0.to_le_bytes());
            sink(bytes_of(row));
        }
        for &slot in &self.closed {
            let row = OrderRow {
                prev: 0,
                next: 0,
                ..self.rows[slot as usize]
            };
            sink(&slot.to_le_bytes());
            sink(bytes_of(&row));
        }
    }
}

#[cfg(test)]
mod tests;
