//! Where lots are: rows from a pool of fixed size, linked by holding from the oldest to the newest.

use super::highest::Highest;
use super::plus;
use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::codes::LotMethod;
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{HoldingId, Seq};
use tradewind_domain::time::DayNumber;

/// No row.
pub(super) const NIL: u32 = u32::MAX;
/// Marks the index of a holding's own row; others are of the shared pool.
const OWN: u32 = 1 << 31;
/// [`LotRow::flags`]: it stands for several lots.
const MERGED: u32 = 1;

/// A lot's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct LotRow {
    pub(super) cost: Money,
    /// Above zero; zero in a row that is free.
    pub(super) qty: NetQty,
    pub(super) open: Seq,
    pub(super) day: DayNumber,
    pub(super) flags: u32,
    pub(super) older: u32,
    pub(super) newer: u32,
    /// Lots of the subtree that close before this one, and behind it ([`Highest`]).
    pub(super) branches: [u32; 2],
}

const _: () = assert!(size_of::<LotRow>() == 64); // one cache line

impl LotRow {
    const FREE: Self = Self {
        cost: Money::ZERO,
        qty: NetQty::ZERO,
        open: 0,
        day: 0,
        flags: 0,
        older: NIL,
        newer: NIL,
        branches: [NIL; 2],
    };

    pub(super) fn is_merged(&self) -> bool {
        self.flags & MERGED != 0
    }
}

/// How a holding's lots are ordered by unit cost, so that the smallest gain is found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Order {
    /// Not at all: the method does not ask.
    None = 0,
    /// Long linear lots, and short inverse ones.
    HighestFirst = 1,
    /// Short linear lots, and long inverse ones.
    LowestFirst = 2,
}

/// A holding's lots in sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LotHead {
    /// Signed quantity.
    pub qty: NetQty,
    /// Cost of all lots.
    pub cost: Money,
    /// Profit of what was closed, over all time.
    pub realised: Money,
    /// The same in base currency, where who keeps the lots knows the rates.
    pub realised_base: Money,
    pub(super) oldest: u32,
    pub(super) newest: u32,
    pub(super) root: u32,
    /// How many lots there are.
    pub count: u32,
    /// How often two lots became one, since the pool was full.
    pub merges: u32,
    /// [`LotMethod`] that the lots are kept by.
    pub method: u8,
    /// [`Order`] of the tree.
    pub(super) order: u8,
    #[doc(hidden)]
    pub reserved: [u8; 10],
}

const _: () = assert!(size_of::<LotHead>() == 96);

impl LotHead {
    pub(crate) const EMPTY: Self = Self {
        qty: NetQty::ZERO,
        cost: Money::ZERO,
        realised: Money::ZERO,
        realised_base: Money::ZERO,
        oldest: NIL,
        newest: NIL,
        root: NIL,
        count: 0,
        merges: 0,
        method: 0,
        order: Order::None as u8,
        reserved: [0; 10],
    };

    pub(super) fn is_long(&self) -> bool {
        self.qty.raw() > 0
    }

    /// Forgets the order: for rows that are about to change, all of them.
    pub(super) fn drop_order(&mut self) {
        (self.root, self.order) = (NIL, Order::None as u8);
    }

    /// Takes the order in which the method closes lots of the position's side. There must be no lot in the tree.
    pub(super) fn set_order(&mut self, is_long: bool, inverse: bool) {
        self.root = NIL;
        self.order = if self.method != LotMethod::Hifo as u8 {
            Order::None
        } else if is_long != inverse {
            Order::HighestFirst
        } else {
            Order::LowestFirst
        } as u8;
    }
}

/// A lot, as readers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// The trade that opened it; of merged lots the oldest.
    pub open: Seq,
    /// Its trade date.
    pub day: DayNumber,
    /// Quantity, above zero.
    pub qty: NetQty,
    /// Cost.
    pub cost: Money,
    /// True where it stands for several lots.
    pub is_merged: bool,
}

/// The lots of all holdings.
pub struct Lots {
    pub(super) heads: Vec<LotHead>,
    shared: Vec<LotRow>,
    own: Vec<LotRow>,
    /// The free row that was used last; the others follow by `newer`.
    free: u32,
    /// Rows of `shared` that were used ever.
    touched: u32,
    /// Rows of `shared` that are in use.
    used: u32,
    /// Rows of `shared` that may be in use.
    capacity: u32,
}

impl Lots {
    /// Room for so many holdings, and for so many lots beside one of each holding.
    pub fn new(holdings: u32, lots: u32) -> Self {
        let mut pool = Self {
            heads: Vec::new(),
            shared: Vec::new(),
            own: Vec::new(),
            free: NIL,
            touched: 0,
            used: 0,
            capacity: 0,
        };
        pool.grow(holdings, lots);
        pool
    }

    /// Room for a run's tables. Allocates, at start-up only; memory is never given back, what may be used is the run's.
    pub fn grow(&mut self, holdings: u32, lots: u32) {
        let (holdings, lots) = (holdings.min(OWN - 1), lots.min(OWN - 1));
        let rows = self.heads.len().max(holdings as usize);
        self.heads.resize(rows, LotHead::EMPTY);
        self.own.resize(rows, LotRow::FREE);
        self.shared
            .resize(self.shared.len().max(lots as usize), LotRow::FREE);
        self.capacity = lots;
    }

    /// A holding's lots in sum; `None` without a row.
    #[inline]
    pub fn head(&self, holding: HoldingId) -> Option<&LotHead> {
        self.heads.get(holding.index())
    }

    /// A holding's lots, in the order in which they were acquired.
    pub fn lots(&self, holding: HoldingId) -> impl Iterator<Item = Lot> + '_ {
        let mut at = self.head(holding).map_or(NIL, |head| head.oldest);
        std::iter::from_fn(move || {
            let row = self.get(at)?;
            at = row.newer;
            Some(Lot {
                open: row.open,
                day: row.day,
                qty: row.qty,
                cost: row.cost,
                is_merged: row.is_merged(),
            })
        })
    }

    /// Share of the pool that is used, in percent.
    pub fn used_pct(&self) -> u32 {
        (u64::from(self.used) * 100 / u64::from(self.capacity.max(1))) as u32
    }

    /// Takes everything of a holding away: lots and profit.
    pub fn clear(&mut self, holding: HoldingId) {
        let Some(head) = self.heads.get_mut(holding.index()) else {
            return;
        };
        let mut at = head.oldest;
        *head = LotHead {
            merges: head.merges,
            method: head.method,
            ..LotHead::EMPTY
        };
        while let Some(row) = self.get(at) {
            let newer = row.newer;
            self.give_back(at);
            at = newer;
        }
    }

    /// Puts profits in the place of what was realised: for who has replayed a holding's trades.
    pub(crate) fn set_realised(&mut self, holding: HoldingId, realised: Money, base: Money) {
        if let Some(head) = self.heads.get_mut(holding.index()) {
            (head.realised, head.realised_base) = (realised, base);
        }
    }

    /// Adds to the profit in base currency.
    #[inline]
    pub(crate) fn add_base(&mut self, holding: HoldingId, base: Money) {
        if let Some(head) = self.heads.get_mut(holding.index()) {
            head.realised_base = plus(head.realised_base, base.raw());
        }
    }

    /// Feeds the lots to a hash: what they are, not where they stand.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.capacity.to_le_bytes());
        for (at, head) in (0u32..).zip(&self.heads) {
            if head.count == 0 && head.realised.is_zero() && head.merges == 0 {
                continue;
            }
            sink(&at.to_le_bytes());
            sink(bytes_of(&LotHead {
                oldest: 0,
                newest: 0,
                root: 0,
                ..*head
            }));
            for lot in self.lots(HoldingId(at)) {
                sink(&lot.cost.raw().to_le_bytes());
                sink(&lot.qty.raw().to_le_bytes());
                sink(&lot.open.to_le_bytes());
                sink(&lot.day.to_le_bytes());
                sink(&[u8::from(lot.is_merged)]);
            }
        }
    }
}

impl Lots {
    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&LotRow> {
        if at & OWN == 0 {
            self.shared.get(at as usize)
        } else {
            self.own.get((at & !OWN) as usize)
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut LotRow> {
        if at & OWN == 0 {
            self.shared.get_mut(at as usize)
        } else {
            self.own.get_mut((at & !OWN) as usize)
        }
    }

    #[inline]
    fn head_mut(&mut self, holding: HoldingId) -> &mut LotHead {
        &mut self.heads[holding.index()]
    }

    /// Behind the newest lot comes another; its row is zero but for these. True where lots had to be merged for it.
    pub(super) fn append(
        &mut self,
        holding: HoldingId,
        open: Seq,
        day: DayNumber,
        qty: NetQty,
        cost: Money,
    ) -> bool {
        let head = self.heads[holding.index()];
        let by_method = head.method == LotMethod::AverageCost as u8;
        if by_method && head.count > 0 {
            self.add_to(holding, head.newest, qty, cost, 0);
            return false;
        }
        let (at, merged) = match self.claim(holding) {
            Some(at) => (at, false),
            None if head.count == 1 => {
                self.add_to(holding, head.newest, qty, cost, MERGED);
                self.head_mut(holding).merges += 1;
                return true;
            }
            None => (self.merge_oldest(holding), true),
        };
        let older = self.heads[holding.index()].newest;
        if let Some(row) = self.get_mut(at) {
            *row = LotRow {
                cost,
                qty,
                open,
                day,
                older,
                ..LotRow::FREE
            };
        }
        if let Some(row) = self.get_mut(older) {
            row.newer = at;
        }
        let head = self.head_mut(holding);
        head.newest = at;
        if head.oldest == NIL {
            head.oldest = at;
        }
        head.count += 1;
        self.file(holding, at);
        merged
    }

    /// A row for a lot: the holding's own, else one of the pool.
    fn claim(&mut self, holding: HoldingId) -> Option<u32> {
        if self.own[holding.index()].qty.is_zero() {
            return Some(OWN | holding.0);
        }
        if self.used >= self.capacity {
            return None;
        }
        self.used += 1;
        if let Some(row) = self.shared.get(self.free as usize) {
            return Some(std::mem::replace(&mut self.free, row.newer));
        }
        // Rows in use and rows that are free again are all that were touched, and fewer than `capacity` are in use.
        self.touched += 1;
        Some(self.touched - 1)
    }

    fn give_back(&mut self, at: u32) {
        let free = self.free;
        if let Some(row) = self.get_mut(at) {
            *row = LotRow {
                newer: free,
                ..LotRow::FREE
            };
        }
        if at & OWN == 0 {
            self.free = at;
            self.used -= 1;
        }
    }

    /// Adds to a lot that is there.
    pub(super) fn grow_lot(&mut self, holding: HoldingId, at: u32, qty: NetQty, cost: Money) {
        self.add_to(holding, at, qty, cost, 0);
    }

    fn add_to(&mut self, holding: HoldingId, at: u32, qty: NetQty, cost: Money, flags: u32) {
        self.unfile(holding, at);
        if let Some(row) = self.get_mut(at) {
            row.qty = NetQty::from_raw(row.qty.raw().wrapping_add(qty.raw()));
            row.cost = plus(row.cost, cost.raw());
            row.flags |= flags;
        }
        self.file(holding, at);
    }

    /// The second oldest lot goes into the oldest. Gives the row that is free by it; the holding has two lots at least.
    fn merge_oldest(&mut self, holding: HoldingId) -> u32 {
        let oldest = self.heads[holding.index()].oldest;
        let second = self.get(oldest).map_or(NIL, |row| row.newer);
        let absorbed = self.get(second).copied().unwrap_or(LotRow::FREE);
        self.unfile(holding, second);
        self.unlink(holding, second);
        self.add_to(holding, oldest, absorbed.qty, absorbed.cost, MERGED);
        self.head_mut(holding).merges += 1;
        second
    }

    /// Takes a lot away.
    pub(super) fn remove(&mut self, holding: HoldingId, at: u32) {
        self.unfile(holding, at);
        self.unlink(holding, at);
        self.give_back(at);
    }

    fn unlink(&mut self, holding: HoldingId, at: u32) {
        let Some(&LotRow { older, newer, .. }) = self.get(at) else {
            return;
        };
        if let Some(row) = self.get_mut(older) {
            row.newer = newer;
        }
        if let Some(row) = self.get_mut(newer) {
            row.older = older;
        }
        let head = self.head_mut(holding);
        if head.oldest == at {
            head.oldest = newer;
        }
        if head.newest == at {
            head.newest = older;
        }
        head.count -= 1;
    }

    /// Gives a lot another quantity and cost.
    pub(super) fn set(&mut self, holding: HoldingId, at: u32, qty: NetQty, cost: Money) {
        self.unfile(holding, at);
        if let Some(row) = self.get_mut(at) {
            (row.qty, row.cost) = (qty, cost);
        }
        self.file(holding, at);
    }
}

/// The order by cost, where the method asks for it.
impl Lots {
    pub(super) fn file(&mut self, holding: HoldingId, at: u32) {
        let LotHead { root, order, .. } = self.heads[holding.index()];
        if order != Order::None as u8 && self.get(at).is_some() {
            let root = Highest::new(self, order == Order::HighestFirst as u8).insert(root, at);
            self.head_mut(holding).root = root;
        }
    }

    fn unfile(&mut self, holding: HoldingId, at: u32) {
        let LotHead { root, order, .. } = self.heads[holding.index()];
        if order != Order::None as u8 {
            let root = Highest::new(self, order == Order::HighestFirst as u8).remove(root, at);
            self.head_mut(holding).root = root;
        }
    }

    /// The lot that the method closes next.
    pub(super) fn next_to_close(&self, holding: HoldingId) -> u32 {
        let head = &self.heads[holding.index()];
        if head.order != Order::None as u8 {
            return super::highest::first(self, head.root);
        }
        if head.method == LotMethod::Lifo as u8 {
            head.newest
        } else {
            head.oldest
        }
    }
}
