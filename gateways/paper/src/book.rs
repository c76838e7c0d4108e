//! The venue's market: open orders by instrument, side and price, and the fill model `touch-through`.
//!
//! # The model
//! - An order that can trade fills at once at the touch, the best price of the other side in the instrument's last quote. It
//!   gets no more than the quantity displayed there, and what it takes is gone until the next quote.
//! - What is left of a limit order rests. What is left of a market, IOC or FOK order is cancelled; a FOK order that cannot
//!   have everything gets nothing.
//! - A resting order fills at its own limit: as far as the displayed quantity goes when a quote's other side reaches the
//!   limit, and in full when a last trade goes through it (a trade at the limit may have been somebody ahead in the queue).
//!   Better prices first, then the order of arrival; a replace that moves the price or adds quantity arrives anew.
//! - A stop is set off by a last trade at its price or beyond, the one known at its arrival included.
//! - Each of these fills comes in one to three parts, whole lots each but for an odd rest. The parts depend on the seed, the
//!   order and the number of its fills so far.
//!
//! # Invariants
//! - An order is in `orders` exactly while it is open at the venue, then in one ladder, and in `expiries` where it has an end.
//! - Fills of an order never add up to more than its quantity.
//!
//! Not here: our orders against each other, queues of other participants, rejections for prices or hours.

use crate::answer::{Answers, OTHER, TOO_LATE, fee};
use crate::order::Order;
use crate::random::{SplitMix, mix};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::codes::{OrderType, Side, TimeInForce};
use tradewind_domain::event::{Kind, Quote};
use tradewind_domain::ids::{InstrumentId, OrderId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::time::UnixNanos;

/// The most parts that one fill comes in.
pub const FILL_PARTS_MAX: usize = 3;

/// What the fill model may be told. A journal keeps one seed for its life: the venue finds its place again by making the same
/// fills anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillSettings {
    /// Fee of a fill that takes liquidity, in millionths of its principal. May differ from run to run, as the next one.
    pub taker_fee_ppm: i32,
    /// Fee of a fill that makes liquidity, likewise; below zero for a rebate.
    pub maker_fee_ppm: i32,
    /// Seed of the sizes of parts.
    pub seed: u64,
}

impl Default for FillSettings {
    /// What shares cost at an exchange with rebates: 0.3 basis points to take, 0.2 back to make.
    fn default() -> Self {
        Self {
            taker_fee_ppm: 30,
            maker_fee_ppm: -20,
            seed: 1,
        }
    }
}

/// Best price of a side and what is left there since the last quote; nothing left is an empty side.
#[derive(Clone, Copy, Default)]
struct Touch {
    px: i64,
    left: i64,
}

/// Orders by urgency, the first one trades first.
type Ladder = BTreeMap<(i64, u64), OrderId>;

/// One instrument. Arrays are indexed by the side of our orders: [`index`].
#[derive(Default)]
struct Book {
    instrument: Option<Instrument>,
    /// What an order of the side trades against.
    against: [Touch; 2],
    last_px: Option<i64>,
    resting: [Ladder; 2],
    stops: [Ladder; 2],
}

const SIDES: [usize; 2] = [0, 1];

fn index(side: Side) -> usize {
    usize::from(!side.is_buy())
}

/// Key of an order in its ladder. `!` turns the order of integers round and, other than a minus sign, cannot overflow.
fn urgency(order: &Order) -> (i64, u64) {
    let px = match (order.is_stop(), order.side.is_buy()) {
        (false, true) => !order.px,
        (false, false) => order.px,
        (true, true) => order.stop_px,
        (true, false) => !order.stop_px,
    };
    (px, order.rank)
}

impl Book {
    /// Quantity step; any quantity where the instrument is not known.
    fn lot(&self) -> i64 {
        self.instrument.map_or(1, |row| row.lot.max(1))
    }

    fn ladder(&mut self, order: &Order) -> &mut Ladder {
        let side = index(order.side);
        if order.is_stop() {
            &mut self.stops[side]
        } else {
            &mut self.resting[side]
        }
    }

    /// What the order can have at the touch: all it wants, or whole lots.
    fn available(&self, order: &Order) -> i64 {
        let touch = self.against[index(order.side)];
        if touch.left <= 0 || !order.takes(touch.px) {
            0
        } else if touch.left >= order.leaves {
            order.leaves
        } else {
            touch.left - touch.left % self.lot()
        }
    }
}

/// All open orders of the venue.
pub(crate) struct Exchange {
    settings: FillSettings,
    orders: BTreeMap<OrderId, Order>,
    books: BTreeMap<InstrumentId, Book>,
    expiries: BTreeSet<(UnixNanos, OrderId)>,
    next_rank: u64,
}

impl Exchange {
    pub(crate) fn new(settings: FillSettings) -> Self {
        Self {
            settings,
            orders: BTreeMap::new(),
            books: BTreeMap::new(),
            expiries: BTreeSet::new(),
            next_rank: 0,
        }
    }

    pub(crate) fn open_count(&self) -> usize {
        self.orders.len()
    }

    pub(crate) fn set_instrument(&mut self, row: &Instrument) {
        self.books.entry(row.id).or_default().instrument = Some(*row);
    }

    /// Acknowledges a new order and works it.
    pub(crate) fn place(&mut self, mut order: Order, answers: &mut Answers) {
        order.rank = self.rank();
        answers.report(Kind::VenueAck, &order);
        if order.expire_ns != UnixNanos::MAX {
            self.expiries.insert((order.expire_ns, order.id));
        }
        self.orders.insert(order.id, order);
        self.work(order, answers);
    }

    /// Cancels an order, or says that it is too late.
    pub(crate) fn cancel(&mut self, id: OrderId, answers: &mut Answers) {
        match self.remove(id) {
            Some(order) => answers.report(Kind::VenueCancelled, &order),
            None => answers.cancel_reject(id, TOO_LATE),
        }
    }

    /// Replaces quantity (fills included) and prices. No more than what is filled is refused, and the order stays as it is.
    pub(crate) fn replace(&mut self, id: OrderId, qty: i64, px: i64, stop_px: i64, answers: &mut Answers) {
        let Some(held) = self.orders.get(&id).copied() else {
            return answers.cancel_reject(id, TOO_LATE);
        };
        if qty <= held.cum {
            return answers.cancel_reject(id, OTHER);
        }
        self.delist(&held);
        let mut order = Order {
            px,
            stop_px,
            leaves: qty - held.cum,
            ..held
        };
        if (px, stop_px) != (held.px, held.stop_px) || order.leaves > held.leaves {
            order.rank = self.rank();
        }
        self.orders.insert(id, order);
        answers.report(Kind::VenueReplaced, &order);
        self.work(order, answers);
    }

    /// Forgets an order that has ended without the venue.
    pub(crate) fn forget(&mut self, id: OrderId) {
        self.remove(id);
    }

    /// Takes a fill off an order that this model has not made.
    pub(crate) fn reduce(&mut self, id: OrderId, qty: i64) {
        let Some(order) = self.orders.get_mut(&id) else {
            return;
        };
        order.leaves = order.leaves.saturating_sub(qty);
        order.cum = order.cum.saturating_add(qty);
        order.fills += 1;
        if order.leaves <= 0 {
            self.remove(id);
        }
    }

    /// Ends the orders whose time is over.
    pub(crate) fn expire(&mut self, answers: &mut Answers) {
        while let Some(&(expire_ns, id)) = self.expiries.first()
            && expire_ns <= answers.now_ns
        {
            self.expiries.pop_first();
            if let Some(order) = self.remove(id) {
                answers.report(Kind::VenueExpired, &order);
            }
        }
    }

    /// A new touch: resting orders that it reaches fill as far as it goes.
    pub(crate) fn quote(&mut self, quote: &Quote, answers: &mut Answers) {
        let book = self.books.entry(quote.instrument).or_default();
        book.against = [
            Touch {
                px: quote.ask,
                left: quote.ask_qty,
            },
            Touch {
                px: quote.bid,
                left: quote.bid_qty,
            },
        ];
        for side in SIDES {
            while let Some(order) = self.first_resting(quote.instrument, side) {
                let qty = self
                    .books
                    .get(&quote.instrument)
                    .map_or(0, |book| book.available(&order));
                if qty <= 0 {
                    break;
                }
                self.use_touch(&order, qty);
                self.fill(order, qty, order.px, false, answers);
            }
        }
    }

    /// A last trade: it fills what it goes through, then sets off stops.
    pub(crate) fn trade(&mut self, instrument: InstrumentId, px: i64, answers: &mut Answers) {
        self.books.entry(instrument).or_default().last_px = Some(px);
        for side in SIDES {
            while let Some(order) = self.first_resting(instrument, side)
                && order.takes(px)
                && order.px != px
            {
                self.fill(order, order.leaves, order.px, false, answers);
            }
        }
        for side in SIDES {
            while let Some(order) = self.first_stop(instrument, side)
                && order.is_triggered_by(px)
            {
                self.delist(&order);
                self.work(order, answers);
            }
        }
    }

    fn first_resting(&self, instrument: InstrumentId, side: usize) -> Option<Order> {
        let (_, id) = self.books.get(&instrument)?.resting[side].first_key_value()?;
        self.orders.get(id).copied()
    }

    fn first_stop(&self, instrument: InstrumentId, side: usize) -> Option<Order> {
        let (_, id) = self.books.get(&instrument)?.stops[side].first_key_value()?;
        self.orders.get(id).copied()
    }

    fn rank(&mut self) -> u64 {
        self.next_rank += 1;
        self.next_rank
    }

    /// Works an order that stands in no ladder: it waits for its stop, or takes what it can have and rests.
    fn work(&mut self, mut order: Order, answers: &mut Answers) {
        let book = self.books.entry(order.instrument).or_default();
        if order.is_stop() {
            if !book.last_px.is_some_and(|px| order.is_triggered_by(px)) {
                book.ladder(&order).insert(urgency(&order), order.id);
                return;
            }
            order.ord_type = match order.ord_type {
                OrderType::StopLimit => OrderType::Limit,
                _ => OrderType::Market,
            };
            self.orders.insert(order.id, order);
        }
        let qty = book.available(&order);
        if qty > 0 && (order.tif != TimeInForce::Fok || qty == order.leaves) {
            let px = book.against[index(order.side)].px;
            self.use_touch(&order, qty);
            self.fill(order, qty, px, true, answers);
        }
        let Some(&rest) = self.orders.get(&order.id) else {
            return;
        };
        if rest.never_rests() {
            self.remove(rest.id);
            answers.report(Kind::VenueCancelled, &rest);
        } else if let Some(book) = self.books.get_mut(&rest.instrument) {
            book.ladder(&rest).insert(urgency(&rest), rest.id);
        }
    }

    fn use_touch(&mut self, order: &Order, qty: i64) {
        if let Some(book) = self.books.get_mut(&order.instrument) {
            book.against[index(order.side)].left -= qty;
        }
    }

    /// Fills an order in parts.
    fn fill(&mut self, mut order: Order, qty: i64, px: i64, is_taker: bool, answers: &mut Answers) {
        let book = self.books.get(&order.instrument);
        let lot = book.map_or(1, Book::lot);
        let instrument = book.and_then(|book| book.instrument);
        for part in parts(self.settings.seed, order, qty, lot) {
            order.fills += 1;
            order.leaves -= part;
            order.cum += part;
            let ppm = match is_taker {
                true => self.settings.taker_fee_ppm,
                false => self.settings.maker_fee_ppm,
            };
            let fee = { instrument.as_ref() }.and_then(|row| fee(row, part, px, ppm));
            answers.fill(&order, part, px, fee, is_taker);
        }
        self.orders.insert(order.id, order);
        if order.leaves == 0 {
            self.remove(order.id);
        }
    }

    fn remove(&mut self, id: OrderId) -> Option<Order> {
        let order = self.orders.remove(&id)?;
        self.delist(&order);
        self.expiries.remove(&(order.expire_ns, id));
        Some(order)
    }

    fn delist(&mut self, order: &Order) {
        if let Some(book) = self.books.get_mut(&order.instrument) {
            book.ladder(order).remove(&urgency(order));
        }
    }
}

/// Sizes of the parts of a fill: whole lots, the last one what is left. Each leaves at least a lot for each one after it.
fn parts(seed: u64, order: Order, qty: i64, lot: i64) -> impl Iterator<Item = i64> {
    let mut random = SplitMix::new(mix(seed ^ order.id.0).wrapping_add(u64::from(order.fills)));
    let lots = qty / lot;
    let count = random.between(1, FILL_PARTS_MAX as i64).min(lots).max(1);
    let mut left = qty;
    (0..count).rev().map(move |later| {
        let part = if later == 0 {
            left
        } else {
            random.between(1, left / lot - later) * lot
        };
        left -= part;
        part
    })
}
