//! Order flow of one account: orders near the touch, cancels and replaces of its own, and now and then a mistake.
//!
//! A trader knows what it asked for and sees the market: an order that the market reaches it takes to be filled, so that a cancel
//! now and then comes too late, as in life. What became of its orders it may be told; until it is, it believes that all were filled.
//!
//! # Invariants
//! - Prices are on the tick and quantities in lots, unless it is a deliberate mistake.
//! - A trader remembers at most [`OPEN_MAX`] passive orders; when there are more it cancels the oldest.

use crate::random::SplitMix;
use crate::walk::Walk;
use bytemuck::Zeroable;
use std::collections::VecDeque;
use tradewind_domain::codes::{OrderType, Side, TimeInForce};
use tradewind_domain::event::{Inbound, Kind, OrderCancel, OrderNew, OrderReplace};
use tradewind_domain::fixed::SCALE_DP;
use tradewind_domain::ids::{OrderId, SessionId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{ClOrdId, Code, Symbol};
use tradewind_domain::time::UnixNanos;

/// Orders that a trader leaves open, as far as it knows.
pub(crate) const OPEN_MAX: usize = 24;
/// Net quantity asked for, in usual orders, from which on a trader prefers the other side.
const NET_MAX: i64 = 10;
/// By so many of a hundred orders a trader leans towards what the market comes back to: about what the spread and the fees cost, so that an
/// account neither wins nor loses for long.
const LEAN: u64 = 3;
/// One order in so many is in an instrument that is restricted, where the choice falls on one.
const SHY_ORDERS: u64 = 40;
/// How long a trader waits after an order that was refused because of its state, nanoseconds.
const REST_NS: u64 = 60 * SECOND_NS;
/// How old a deliberately stale order says that it is.
const STALE_NS: u64 = 3_600_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;

/// An instrument with its market.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing {
    pub(crate) row: Instrument,
    pub(crate) walk: Walk,
}

impl Listing {
    /// Usual order quantity in lots.
    pub(crate) fn usual_lots(&self) -> i64 {
        const DEFAULT: i64 = 100;
        match self.row.avg_order_qty / self.row.lot.max(1) {
            lots if lots > 0 => lots,
            _ => DEFAULT,
        }
    }

    /// So many lots as a quantity; what does not fit becomes one lot.
    pub(crate) fn qty(&self, lots: i64) -> i64 {
        lots.max(1)
            .checked_mul(self.row.lot.max(1))
            .unwrap_or(self.row.lot.max(1))
    }
}

/// Gives ClOrdIDs that no other run gives: `D<token>-<number>`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) token: u64,
    pub(crate) given: u64,
}

impl Ids {
    fn next(&mut self) -> ClOrdId {
        self.given += 1;
        ClOrdId::lossy(format!("D{:x}-{}", self.token, self.given))
    }
}

/// What can be wrong with an order on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    OffTick,
    OffLot,
    NoQty,
    UnknownSymbol,
    UnknownAccount,
    UsedClOrdId,
    Stale,
    FarPrice,
}

const MISTAKES: [Mistake; 8] = [
    Mistake::OffTick,
    Mistake::OffLot,
    Mistake::NoQty,
    Mistake::UnknownSymbol,
    Mistake::UnknownAccount,
    Mistake::UsedClOrdId,
    Mistake::Stale,
    Mistake::FarPrice,
];

/// An order that the trader takes to be open.
#[derive(Clone, Copy, Debug)]
struct Placed {
    cl_ord_id: ClOrdId,
    listing: usize,
    side: Side,
    lots: i64,
    px: i64,
}

impl Placed {
    /// True while the market has not come to its price.
    fn stands(&self, walk: &Walk) -> bool {
        if self.side.is_buy() {
            self.px < walk.ask()
        } else {
            self.px > walk.bid()
        }
    }
}

/// A listing that the trader trades, and what it has asked for.
#[derive(Clone, Copy, Debug)]
struct Interest {
    listing: usize,
    /// It is restricted: mostly left alone.
    is_shy: bool,
    /// Lots bought less lots sold: of all that was asked for, or of what is known to be filled once the trader is told.
    net_lots: i64,
}

impl Interest {
    fn add(&mut self, side: Side, lots: i64) {
        let change = if side.is_buy() {
            lots
        } else {
            lots.saturating_neg()
        };
        self.net_lots = self.net_lots.saturating_add(change);
    }
}

/// One account or strategy with a session of its own.
#[derive(Clone, Debug)]
pub(crate) struct Trader {
    pub(crate) code: Code,
    pub(crate) session: SessionId,
    /// Sells only what it has asked to buy.
    owns_what_it_sells: bool,
    interests: Vec<Interest>,
    open: VecDeque<Placed>,
    last_cl_ord_id: ClOrdId,
    /// True once it is told what became of its orders.
    is_told: bool,
    rests_until_ns: UnixNanos,
}

/// What a trader needs to make a message.
pub(crate) struct Desk<'a> {
    pub(crate) listings: &'a [Listing],
    pub(crate) random: &'a mut SplitMix,
    pub(crate) ids: &'a mut Ids,
    pub(crate) now_ns: UnixNanos,
}

impl Trader {
    /// A trader of these listings, given by their indices; of those that `is_shy` names it sends little.
    pub(crate) fn new(
        code: Code,
        session: SessionId,
        owns_what_it_sells: bool,
        listings: &[usize],
        is_shy: impl Fn(usize) -> bool,
    ) -> Self {
        let interest = |&listing| Interest {
            listing,
            is_shy: is_shy(listing),
            net_lots: 0,
        };
        Self {
            code,
            session,
            owns_what_it_sells,
            interests: listings.iter().map(interest).collect(),
            open: VecDeque::with_capacity(OPEN_MAX + 1),
            last_cl_ord_id: ClOrdId::EMPTY,
            is_told: false,
            rests_until_ns: 0,
        }
    }

    /// A new order, right or with a mistake. `None` where it trades nothing.
    pub(crate) fn order(&mut self, desk: &mut Desk<'_>, is_mistaken: bool) -> Option<Inbound> {
        let mut at = desk.random.below(self.interests.len() as u64) as usize;
        if self.interests.get(at)?.is_shy && !desk.random.chance(1, SHY_ORDERS) {
            at = (at + 1) % self.interests.len();
        }
        let interest = *self.interests.get(at)?;
        let listing = desk.listings.get(interest.listing)?;
        let side = self.side(desk, &interest, listing);
        let mut lots = lots(desk.random, listing);
        if self.owns_what_it_sells && !side.is_buy() {
            lots = lots.min(self.sellable_lots(&interest)).max(1);
        }
        let mut body = OrderNew {
            cl_ord_id: desk.ids.next(),
            qty: listing.qty(lots),
            session: self.session,
            side: side as u8,
            qty_dp: SCALE_DP as u8,
            px_dp: SCALE_DP as u8,
            ..OrderNew::zeroed()
        };
        // A stop rests unseen and keeps what it offers from being sold otherwise.
        let has_stops = !self.owns_what_it_sells;
        set_terms(&mut body, desk, listing, side, has_stops);
        if is_mistaken {
            return Some(self.mistaken(desk, listing, body));
        }
        if !self.is_told {
            self.interests.get_mut(at)?.add(side, lots);
        }
        self.last_cl_ord_id = body.cl_ord_id;
        let placed = Placed {
            cl_ord_id: body.cl_ord_id,
            listing: interest.listing,
            side,
            lots,
            px: body.px,
        };
        if rests(&body) && placed.stands(&listing.walk) {
            self.open.push_back(placed);
        }
        let order = Inbound::new(Kind::OrderNew, &body);
        Some(order.named(listing.row.symbol, self.code).at(desk.now_ns))
    }

    fn side(&self, desk: &mut Desk<'_>, interest: &Interest, listing: &Listing) -> Side {
        let net = interest.net_lots / listing.usual_lots();
        let buys_of_100 = match net {
            _ if self.owns_what_it_sells && self.sellable_lots(interest) <= 0 => 100,
            NET_MAX.. => 25,
            _ if net <= -NET_MAX => 75,
            _ if listing.walk.is_cheap() => 50 + LEAN,
            _ => 50 - LEAN,
        };
        if desk.random.chance(buys_of_100, 100) {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    /// Half of what it has and does not offer already: of what it believes to have it may not have got all.
    fn sellable_lots(&self, interest: &Interest) -> i64 {
        let offers =
            { self.open.iter() }.filter(|placed| placed.listing == interest.listing && !placed.side.is_buy());
        let offered: i64 = offers.map(|placed| placed.lots).sum();
        interest.net_lots.saturating_sub(offered) / 2
    }

    /// The order with something wrong. The trader does not remember it.
    fn mistaken(&self, desk: &mut Desk<'_>, listing: &Listing, mut body: OrderNew) -> Inbound {
        let row = &listing.row;
        let (mut symbol, mut account, mut origin_ns) = (row.symbol, self.code, desk.now_ns);
        let at_limit = |body: &mut OrderNew, px| {
            (body.ord_type, body.tif, body.px) = (OrderType::Limit as u8, TimeInForce::Day as u8, px);
        };
        let pick = desk.random.below(MISTAKES.len() as u64) as usize;
        match MISTAKES[pick] {
            Mistake::OffTick => at_limit(&mut body, listing.walk.bid() + row.tick / 2),
            Mistake::OffLot => body.qty += row.lot / 2,
            Mistake::NoQty => body.qty = 0,
            Mistake::UnknownSymbol => symbol = Symbol::lossy("NOSUCH"),
            Mistake::UnknownAccount => account = Code::lossy("NOBODY"),
            Mistake::UsedClOrdId if !self.last_cl_ord_id.is_empty() => body.cl_ord_id = self.last_cl_ord_id,
            Mistake::Stale => origin_ns = origin_ns.saturating_sub(STALE_NS),
            Mistake::FarPrice | Mistake::UsedClOrdId => {
                let bid = listing.walk.bid();
                at_limit(&mut body, listing.walk.shifted(bid, bid / row.tick.max(1) / 4));
            }
        }
        let order = Inbound::new(Kind::OrderNew, &body);
        order.named(symbol, account).at(origin_ns)
    }

    /// A cancel of one of its orders: the oldest where there are too many, else any. `None` where it knows of none.
    pub(crate) fn cancel(&mut self, desk: &mut Desk<'_>) -> Option<Inbound> {
        let at = if self.has_too_many() {
            0
        } else {
            desk.random.below(self.open.len() as u64) as usize
        };
        let placed = self.open.remove(at)?;
        let body = OrderCancel {
            cl_ord_id: desk.ids.next(),
            orig_cl_ord_id: placed.cl_ord_id,
            order_id: OrderId::NONE,
            session: self.session,
            ..OrderCancel::zeroed()
        };
        Some(Inbound::new(Kind::OrderCancel, &body).at(desk.now_ns))
    }

    /// A replace of one of its orders: another price near the touch, now and then another quantity.
    pub(crate) fn replace(&mut self, desk: &mut Desk<'_>) -> Option<Inbound> {
        let at = desk.random.below(self.open.len() as u64) as usize;
        let placed = self.open.get_mut(at)?;
        let listing = desk.listings.get(placed.listing)?;
        if desk.random.chance(1, 3) {
            placed.lots = placed.lots.saturating_add(placed.lots / 2).max(1);
        }
        let body = OrderReplace {
            cl_ord_id: desk.ids.next(),
            orig_cl_ord_id: placed.cl_ord_id,
            order_id: OrderId::NONE,
            qty: listing.qty(placed.lots),
            px: limit_px(desk.random, listing, placed.side),
            session: self.session,
            qty_dp: SCALE_DP as u8,
            px_dp: SCALE_DP as u8,
            ..OrderReplace::zeroed()
        };
        (placed.cl_ord_id, placed.px) = (body.cl_ord_id, body.px);
        if !placed.stands(&listing.walk) {
            self.open.remove(at);
        }
        Some(Inbound::new(Kind::OrderReplace, &body).at(desk.now_ns))
    }

    /// The market of a listing has moved: orders that it has reached are taken to be filled.
    pub(crate) fn look(&mut self, listing: usize, walk: &Walk) {
        self.open
            .retain(|placed| placed.listing != listing || placed.stands(walk));
    }

    /// What it believed so far gives way to what it is told from now on.
    pub(crate) fn begin_to_tell(&mut self) {
        self.is_told = true;
        self.interests
            .iter_mut()
            .for_each(|interest| interest.net_lots = 0);
    }

    /// So many lots of a listing were bought or sold.
    pub(crate) fn tell_fill(&mut self, listing: usize, side: Side, lots: i64) {
        let interests = self.interests.iter_mut();
        interests
            .filter(|interest| interest.listing == listing)
            .for_each(|interest| interest.add(side, lots));
    }

    /// An order was refused. Where that was for the account's state rather than for the order, the trader waits.
    pub(crate) fn tell_refusal(&mut self, cl_ord_id: ClOrdId, is_for_state: bool, now_ns: UnixNanos) {
        self.open.retain(|placed| placed.cl_ord_id != cl_ord_id);
        if is_for_state {
            self.rests_until_ns = now_ns.saturating_add(REST_NS);
        }
    }

    /// True while it sends nothing.
    pub(crate) fn rests(&self, now_ns: UnixNanos) -> bool {
        now_ns < self.rests_until_ns
    }

    /// True where the oldest order is to be cancelled.
    pub(crate) fn has_too_many(&self) -> bool {
        self.open.len() > OPEN_MAX
    }

    /// True where there is something that it may trade.
    pub(crate) fn trades_something(&self) -> bool {
        !self.interests.is_empty()
    }
}

/// A quarter to three halves of the usual quantity; one in 32 is 2 to 8 times as large.
fn lots(random: &mut SplitMix, listing: &Listing) -> i64 {
    let usual = listing.usual_lots();
    let lots =
        (usual / 100).saturating_mul(random.between(25, 150)) + (usual % 100) * random.between(25, 150) / 100;
    let factor = if random.chance(1, 32) {
        1 << random.between(1, 3)
    } else {
        1
    };
    lots.max(1).saturating_mul(factor)
}

/// True where what the market does not take at once stays.
fn rests(body: &OrderNew) -> bool {
    let lives_on = [TimeInForce::Day as u8, TimeInForce::Gtc as u8].contains(&body.tif);
    lives_on && body.ord_type == OrderType::Limit as u8
}

/// Mostly passive, within some basis points of the touch; two in five would trade at once.
fn limit_px(random: &mut SplitMix, listing: &Listing, side: Side) -> i64 {
    let walk = &listing.walk;
    let away = random.between(0, 12) * walk.bp();
    let crosses = random.chance(2, 5);
    match (side.is_buy(), crosses) {
        (true, true) => walk.ask(),
        (true, false) => walk.shifted(walk.bid(), -away),
        (false, true) => walk.bid(),
        (false, false) => walk.shifted(walk.ask(), away),
    }
}

/// Type, time in force and prices: of 100 orders 8 market, 8 IOC, 2 FOK, 4 stops (limit orders where there are none), 78 limit of which
/// some GTC and GTD.
fn set_terms(body: &mut OrderNew, desk: &mut Desk<'_>, listing: &Listing, side: Side, has_stops: bool) {
    let walk = &listing.walk;
    let (touch, beyond) = if side.is_buy() {
        (walk.ask(), 1)
    } else {
        (walk.bid(), -1)
    };
    let stop_px = walk.shifted(touch, beyond * walk.bp() * desk.random.between(2, 20));
    let (ord_type, tif) = match desk.random.below(100) {
        0..8 => (OrderType::Market, TimeInForce::Day),
        8..16 => (OrderType::Limit, TimeInForce::Ioc),
        16..18 => (OrderType::Limit, TimeInForce::Fok),
        18..20 if has_stops => (OrderType::Stop, TimeInForce::Day),
        20..22 if has_stops => (OrderType::StopLimit, TimeInForce::Day),
        22..24 => (OrderType::Limit, TimeInForce::Gtd),
        24..54 => (OrderType::Limit, TimeInForce::Gtc),
        _ => (OrderType::Limit, TimeInForce::Day),
    };
    (body.ord_type, body.tif) = (ord_type as u8, tif as u8);
    body.px = match (ord_type, tif) {
        (OrderType::Market | OrderType::Stop, _) => 0,
        (OrderType::StopLimit, _) => walk.shifted(stop_px, beyond * walk.bp()),
        (_, TimeInForce::Ioc | TimeInForce::Fok) => touch,
        _ => limit_px(desk.random, listing, side),
    };
    if matches!(ord_type, OrderType::Stop | OrderType::StopLimit) {
        body.stop_px = stop_px;
    }
    if tif == TimeInForce::Gtd {
        body.expire_ns = desk.now_ns.saturating_add(SECOND_NS * (1 + desk.random.below(5)));
    }
}
