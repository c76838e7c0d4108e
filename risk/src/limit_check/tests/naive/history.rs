//! The history that the model reads: one list for each kind of fact, nothing is ever changed or taken out, and every question walks
//! the lists from their beginning. No figure is carried from one event to the next.

use super::payments::Action;
use tradewind_domain::codes::{InstrumentKind, OrderState, OrderType, Side};
use tradewind_domain::event::{LimitSet, OrderNew};
use tradewind_domain::ids::LimitId;
use tradewind_domain::reference::Instrument;

/// Place of a fact in the one sequence.
pub(super) type At = u64;
/// Number of a calendar and its trading date.
pub(super) type Date = u32;

/// A node of the firm.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) parent: Option<u32>,
    pub(super) level: u8,
    pub(super) calendar: u16,
    pub(super) account: Option<u32>,
    pub(super) is_cash: bool,
}

/// What an order is worth, frozen when it or its replace was accepted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Price {
    pub(super) risk_px: i128,
    pub(super) unit: i128,
    pub(super) short_unit: i128,
    pub(super) close_qty: i128,
    pub(super) value: i128,
    pub(super) order_value: i128,
    pub(super) cash: i128,
    pub(super) fee: i128,
    pub(super) risk: Option<i128>,
}

/// What happened to an order after it was accepted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Life {
    Filled {
        qty: i128,
    },
    Asked {
        qty: i128,
        px: i64,
        price: Price,
    },
    Replaced,
    ReplaceOff,
    /// So much was filled less: after a bust all of a fill, after a correction the difference.
    Busted {
        qty: i128,
    },
    Went(OrderState),
}

/// An accepted order.
pub(super) struct Order {
    pub(super) id: u64,
    pub(super) asked: OrderNew,
    pub(super) price: Price,
    pub(super) accepted_ns: u64,
    pub(super) held: bool,
    pub(super) life: Vec<Life>,
}

/// A replace on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) qty: i128,
    pub(super) px: i64,
    pub(super) price: Price,
    /// Filled quantity since it was accepted.
    filled: i128,
    /// Filled quantity of the whole order when it was accepted, busts taken off.
    cum: i128,
}

/// An order as its life has left it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) state: OrderState,
    pub(super) cum: i128,
    pub(super) leaves: i128,
    pub(super) px: i64,
    close_qty: i128,
    price: Price,
    /// What the cash of `price` was worked out for.
    cash_whole: i128,
    cash_close: i128,
    cash: i128,
    pub(super) pending: Option<Pending>,
}

impl Order {
    pub(super) fn side(&self) -> Side {
        Side::from_code(self.asked.side).unwrap()
    }

    pub(super) fn is_buy(&self) -> bool {
        self.side().is_buy()
    }

    pub(super) fn ord_type(&self) -> OrderType {
        OrderType::from_code(self.asked.ord_type).unwrap()
    }

    /// LIMITS section 2: the order's life, from the beginning.
    pub(super) fn standing(&self, instrument: &Instrument) -> Standing {
        let qty = i128::from(self.asked.qty);
        let mut now = Standing {
            state: if self.held {
                OrderState::Held
            } else {
                OrderState::PendingNew
            },
            cum: 0,
            leaves: qty,
            px: self.asked.px,
            close_qty: self.price.close_qty,
            price: self.price,
            cash_whole: qty,
            cash_close: self.price.close_qty,
            cash: self.price.cash,
            pending: None,
        };
        for step in &self.life {
            now.live(step, instrument);
        }
        now
    }
}

impl Standing {
    fn live(&mut self, step: &Life, instrument: &Instrument) {
        match *step {
            Life::Filled { qty } => self.fill(qty, instrument),
            Life::Asked { qty, px, price } => {
                let cum = self.cum;
                self.pending = Some(Pending {
                    qty,
                    px,
                    price,
                    filled: 0,
                    cum,
                });
            }
            Life::Replaced => {
                if let Some(new) = self.pending {
                    let leaves = new.leaves(self.cum);
                    let cash = new.cash(self.cum, instrument);
                    (self.leaves, self.px, self.price) = (leaves, new.px, new.price);
                    self.close_qty = new.close_qty();
                    (self.cash_whole, self.cash_close, self.cash) = (leaves, self.close_qty, cash);
                    self.pending = None;
                }
            }
            Life::ReplaceOff => {
                self.cash = self.old_cash(instrument);
                (self.cash_whole, self.cash_close) = (self.leaves, self.close_qty);
                self.pending = None;
            }
            Life::Busted { qty } => {
                self.cum -= qty;
                if let (true, Some(new)) = (self.is_open(), &mut self.pending) {
                    (new.qty, new.cum) = (new.qty - qty, new.cum - qty);
                }
            }
            Life::Went(state) => {
                self.state = state;
                if !state.is_open() {
                    self.pending = None;
                }
            }
        }
    }

    fn fill(&mut self, qty: i128, instrument: &Instrument) {
        self.cum += qty;
        if !self.is_open() {
            return;
        }
        self.leaves = (self.leaves - qty).max(0);
        self.close_qty = (self.close_qty - qty).max(0).min(self.leaves);
        if let Some(new) = &mut self.pending {
            new.filled += qty;
        } else {
            self.cash = self.old_cash(instrument);
            (self.cash_whole, self.cash_close) = (self.leaves, self.close_qty);
        }
        let rest = self.pending.map_or(0, |new| new.leaves(self.cum));
        if self.leaves == 0 && rest == 0 {
            (self.state, self.pending) = (OrderState::Filled, None);
        } else if matches!(self.state, OrderState::PendingNew | OrderState::Held) {
            self.state = OrderState::Working;
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.is_open()
    }

    fn old_value(&self) -> i128 {
        parts(self.leaves, self.close_qty, &self.price)
    }

    fn old_cash(&self, instrument: &Instrument) -> i128 {
        let opens = (self.cash_whole - self.cash_close, self.leaves - self.close_qty);
        rest_of_cash(self.cash, opens, self.price.risk_px, instrument)
    }

    /// Open quantity that is reserved; while a replace is on its way the larger of old and new (section 2, rule b).
    pub(super) fn reserved_qty(&self) -> i128 {
        let new = self.pending.map_or(0, |new| new.leaves(self.cum));
        if self.is_open() { self.leaves.max(new) } else { 0 }
    }

    /// Value that is reserved, likewise.
    pub(super) fn reserved_value(&self) -> i128 {
        let new = self
            .pending
            .map_or(0, |new| parts(new.leaves(self.cum), new.close_qty(), &new.price));
        if self.is_open() {
            self.old_value().max(new)
        } else {
            0
        }
    }

    /// What is reserved, less what closes a long position.
    pub(super) fn opening_value(&self) -> i128 {
        self.reserved_value() - self.close_qty.min(self.leaves) * self.price.unit
    }

    /// Value of the whole order: what is open, and what was filled at the unit of what opens or adds.
    pub(super) fn order_value(&self) -> i128 {
        self.reserved_value() + self.cum * self.price.short_unit
    }

    /// Cash that is reserved, likewise.
    pub(super) fn reserved_cash(&self, instrument: &Instrument) -> i128 {
        let new = self.pending.map_or(0, |new| new.cash(self.cum, instrument));
        if self.is_open() {
            self.old_cash(instrument).max(new)
        } else {
            0
        }
    }
}

impl Pending {
    fn leaves(&self, cum: i128) -> i128 {
        (self.qty - cum).max(0)
    }

    fn close_qty(&self) -> i128 {
        (self.price.close_qty - self.filled).max(0)
    }

    fn cash(&self, cum: i128, instrument: &Instrument) -> i128 {
        let (whole, rest) = (self.qty - self.cum, self.leaves(cum));
        let opens = (whole - self.price.close_qty, rest - self.close_qty());
        rest_of_cash(self.price.cash, opens, self.price.risk_px, instrument)
    }
}

/// Value of an open quantity of which a part closes a position.
fn parts(leaves: i128, close_qty: i128, price: &Price) -> i128 {
    let closes = close_qty.min(leaves);
    closes * price.unit + (leaves - closes) * price.short_unit
}

/// Cash that the rest of an order needs: the principal, and of the fee what the filled part's share, half even, leaves (SETTLEMENT section 12).
fn rest_of_cash(cash: i128, (whole, rest): (i128, i128), px: i128, instrument: &Instrument) -> i128 {
    if cash == 0 || rest <= 0 {
        return 0;
    }
    if rest >= whole {
        return cash;
    }
    let fee = (cash - principal(instrument, whole, px, true).max(0)).max(0);
    let minor = 10i128.pow(8 - u32::from(instrument.money_dp));
    let gone = whole - rest;
    let (product, mut share) = (fee / minor * gone, fee / minor * gone / whole);
    let twice = 2 * (product - share * whole);
    if twice > whole || twice == whole && share % 2 == 1 {
        share += 1;
    }
    (principal(instrument, rest, px, true).max(0) + fee - share * minor).min(cash)
}

/// `a / b`, rounded up; `b` is above zero.
pub(super) fn ceil(a: i128, b: i128) -> i128 {
    a.div_euclid(b) + i128::from(a.rem_euclid(b) != 0)
}

/// Money of a quantity at a price in the instrument's currency at 1e-8: rounded up for orders, half up for executions.
pub(super) fn principal(instrument: &Instrument, qty: i128, px: i128, up: bool) -> i128 {
    let minor = 10i128.pow(8 - u32::from(instrument.money_dp));
    let mult = i128::from(instrument.mult);
    let (amount, per) = if instrument.kind == InstrumentKind::Inverse as u8 {
        (qty * mult, px * minor)
    } else {
        (qty * px * mult, 10i128.pow(16) * minor)
    };
    let whole = if up {
        ceil(amount, per)
    } else {
        (2 * amount + per).div_euclid(2 * per)
    };
    whole * minor
}

/// An execution that was booked.
pub(super) struct Exec {
    pub(super) name: String,
    pub(super) at: At,
    pub(super) leaf: u32,
    pub(super) instrument: usize,
    pub(super) side: Side,
    pub(super) qty: i128,
    pub(super) px: i128,
    pub(super) value: i128,
    pub(super) ns: u64,
    pub(super) trade_date: Date,
    pub(super) order: Option<usize>,
    pub(super) busted: bool,
    /// Quantity and price as they were reported first: what was located stays used, and a mark is no correction's.
    pub(super) first: (i128, i128),
    /// When it settles, where it does not settle at once.
    pub(super) settles: Option<Date>,
}

impl Exec {
    pub(super) fn signed(&self) -> i128 {
        if self.side.is_buy() { self.qty } else { -self.qty }
    }
}

/// A message of a client, with the rates that it used a token of and whether they were slowed down.
pub(super) struct Message {
    pub(super) at: At,
    pub(super) ns: u64,
    pub(super) leaf: u32,
    pub(super) tokens: Vec<(u32, bool)>,
}

/// A figure of equity, or money that came in or went out.
#[derive(Clone, Copy)]
pub(super) enum Worth {
    Valued {
        node: u32,
        equity: i128,
        balance: Option<i128>,
    },
    Paid {
        leaf: u32,
        currency: u16,
        amount: i128,
        value: i128,
    },
}

/// A state that somebody set, at a node or for an instrument.
#[derive(Clone, Copy)]
pub(super) struct Control {
    pub(super) at: At,
    pub(super) node: Option<u32>,
    pub(super) instrument: Option<usize>,
    pub(super) state: u8,
    pub(super) rearms: bool,
}

/// Everything that was accepted, by kind, in order.
#[derive(Default)]
pub(super) struct History {
    pub(super) at: At,
    pub(super) now_ns: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) instruments: Vec<Instrument>,
    pub(super) rolls: Vec<(At, u16, Date)>,
    pub(super) lasts: Vec<(usize, i64, u64)>,
    pub(super) marks: Vec<(usize, i64)>,
    pub(super) rates: Vec<(u16, i64)>,
    pub(super) halts: Vec<(usize, bool)>,
    pub(super) limits: Vec<(At, LimitSet)>,
    pub(super) lines: Vec<(u32, usize, u8)>,
    pub(super) locates: Vec<(u32, usize, i64)>,
    pub(super) sources: Vec<(u64, bool)>,
    pub(super) controls: Vec<Control>,
    pub(super) worths: Vec<(At, Worth)>,
    pub(super) actions: Vec<Action>,
    pub(super) messages: Vec<Message>,
    pub(super) orders: Vec<Order>,
    pub(super) keys: Vec<(String, Date, Option<usize>)>,
    pub(super) execs: Vec<Exec>,
    /// Limits that set a state.
    pub(super) trips: Vec<(At, u32)>,
    /// Warnings: limit, instrument where the limit is per symbol, date.
    pub(super) warnings: Vec<(u32, Option<usize>, Date)>,
}

impl History {
    /// The trading date of a calendar as of a fact.
    pub(super) fn date_at(&self, calendar: u16, at: At) -> Date {
        let before = |roll: &&(At, u16, Date)| roll.1 == calendar && roll.0 <= at;
        self.rolls.iter().rev().find(before).map_or(0, |roll| roll.2)
    }

    pub(super) fn date(&self, calendar: u16) -> Date {
        self.date_at(calendar, At::MAX)
    }

    pub(super) fn date_of(&self, node: u32) -> Date {
        self.date(self.nodes[node as usize].calendar)
    }

    /// True for a fact on the present trading day of a node.
    pub(super) fn is_today(&self, node: u32, at: At) -> bool {
        let calendar = self.nodes[node as usize].calendar;
        self.date_at(calendar, at) == self.date(calendar)
    }

    /// The nodes from a leaf to the firm.
    pub(super) fn chain(&self, leaf: u32) -> Vec<u32> {
        std::iter::successors(Some(leaf), |&node| self.nodes[node as usize].parent).collect()
    }

    pub(super) fn is_below(&self, leaf: u32, node: u32) -> bool {
        let mut at = Some(leaf);
        while let Some(here) = at {
            if here == node {
                return true;
            }
            at = self.nodes[here as usize].parent;
        }
        false
    }

    /// The account of a leaf, as a node.
    pub(super) fn account_of(&self, leaf: u32) -> u32 {
        let is_account = |node: &u32| self.nodes[*node as usize].level == 2;
        self.chain(leaf).into_iter().find(is_account).unwrap()
    }

    pub(super) fn rate(&self, currency: u16) -> i128 {
        let of = self.rates.iter().rev().find(|rate| rate.0 == currency);
        of.map_or(0, |rate| i128::from(rate.1))
    }

    pub(super) fn last(&self, instrument: usize) -> Option<(i64, u64)> {
        let last = self.lasts.iter().rev().find(|last| last.0 == instrument)?;
        Some((last.1, last.2))
    }

    pub(super) fn outside_mark(&self, instrument: usize) -> Option<i64> {
        Some(self.marks.iter().rev().find(|mark| mark.0 == instrument)?.1)
    }

    /// LIMITS section 14: last trade, else the mark from outside, else the last fill.
    pub(super) fn mark(&self, instrument: usize) -> Option<i128> {
        let of_fill = || self.execs.iter().rev().find(|exec| exec.instrument == instrument);
        let said = self
            .last(instrument)
            .map(|last| last.0)
            .or(self.outside_mark(instrument));
        said.map(i128::from)
            .or_else(|| of_fill().map(|exec| exec.first.1))
    }

    /// LIMITS section 1: a last price that is young enough, else the mark from outside, which is never stale.
    pub(super) fn reference(&self, instrument: usize) -> Option<i64> {
        let young = |last: &(i64, u64)| self.now_ns - last.1 <= 60_000_000_000;
        let last = self.last(instrument).filter(young).map(|last| last.0);
        last.or(self.outside_mark(instrument))
    }

    pub(super) fn is_halted(&self, instrument: usize) -> bool {
        self.halts
            .iter()
            .rev()
            .find(|halt| halt.0 == instrument)
            .is_some_and(|halt| halt.1)
    }

    /// The limits in force, the last setting of each.
    pub(super) fn in_force(&self) -> Vec<LimitSet> {
        let mut found: Vec<LimitSet> = Vec::new();
        for (_, set) in self.limits.iter().rev() {
            if !found.iter().any(|known| known.limit == set.limit) {
                found.push(*set);
            }
        }
        found.retain(|set| set.removed == 0);
        found
    }

    pub(super) fn limit(&self, id: u32) -> Option<LimitSet> {
        let last = self.limits.iter().rev().find(|(_, set)| set.limit.0 == id)?;
        Some(last.1).filter(|set| set.removed == 0)
    }

    /// Orders that hold a reservation, as they stand.
    pub(super) fn open(&self) -> impl Iterator<Item = (usize, &Order, Standing)> {
        let of = |order: &Order| order.standing(&self.instruments[order.asked.instrument.index()]);
        self.orders
            .iter()
            .enumerate()
            .map(move |(at, order)| (at, order, of(order)))
            .filter(|(_, _, now)| now.is_open())
    }

    /// The state of a node by people and limits (section 7): what a limit set stands until somebody re-arms it, a day's loss until the
    /// roll.
    pub(super) fn node_state(&self, node: u32) -> u8 {
        let by_people = self
            .controls
            .iter()
            .rev()
            .find(|control| control.node == Some(node));
        let by_limits = self
            .standing_trips(node)
            .into_iter()
            .map(|limit| self.trip_state(limit));
        by_limits
            .filter(|&state| state <= 3)
            .chain(by_people.map(|control| control.state))
            .max()
            .unwrap_or(0)
    }

    /// Limits of a node whose state stands.
    pub(super) fn standing_trips(&self, node: u32) -> Vec<u32> {
        let rearmed = self
            .controls
            .iter()
            .rev()
            .find(|control| control.node == Some(node) && control.rearms);
        let rearmed = rearmed.map_or(0, |control| control.at);
        let stands = |trip: &&(At, u32)| {
            let set = self.setting(trip.1);
            let lapses = set.limit_type == 33 && set.params[0] < 3;
            set.node.0 == node && trip.0 > rearmed && (!lapses || self.is_today(node, trip.0))
        };
        self.trips.iter().filter(stands).map(|trip| trip.1).collect()
    }

    /// When a limit was set first.
    pub(super) fn set_at(&self, limit: LimitId) -> At {
        let first = self.limits.iter().find(|(_, set)| set.limit == limit);
        first.unwrap().0
    }

    pub(super) fn has_tripped(&self, limit: u32) -> bool {
        self.standing_trips(self.setting(limit).node.0).contains(&limit)
    }

    fn setting(&self, limit: u32) -> LimitSet {
        let set = self
            .limits
            .iter()
            .rev()
            .find(|(_, set)| set.limit.0 == limit && set.removed == 0);
        set.unwrap().1
    }

    /// What a breach of a limit sets: a control state, or 16 for a strategy out of play, 17 for slower rates.
    pub(super) fn trip_state(&self, limit: u32) -> u8 {
        state_of(&self.setting(limit)).unwrap_or(0)
    }

    /// Short sales of an account in an instrument that were executed today; busts give no locate back.
    pub(super) fn sold_short_today(&self, account: u32, instrument: usize) -> i128 {
        let mine = |exec: &&Exec| {
            exec.side == Side::SellShort
                && exec.instrument == instrument
                && self.is_below(exec.leaf, account)
                && self.is_today(account, exec.at)
        };
        self.execs.iter().filter(mine).map(|exec| exec.first.0).sum()
    }
}

/// A strategy that is out of play.
pub(super) const DISABLED: u8 = 16;
/// Rates are a tenth.
pub(super) const SLOW: u8 = 17;

/// LIMITS section 4: the state that a breach sets.
pub(super) fn state_of(set: &LimitSet) -> Option<u8> {
    match (set.limit_type, set.action) {
        (33, _) => Some(set.params[0] as u8),
        (34, _) => Some(set.params[1] as u8),
        (35, _) => Some(set.params[3] as u8),
        (13, _) => Some(DISABLED),
        (_, 3) => Some(1),
        (_, 4) => Some(3),
        (_, 5) => Some(SLOW),
        _ => None,
    }
}
