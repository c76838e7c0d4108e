//! One function for each limit of the catalogue (LIMITS section 8.1), as loops over the history.

use super::history::{DISABLED, History, Price, SLOW, Standing};
use super::look::{Exposure, Look, Row, binds};
use super::money::Cash;
use super::price::Ask;
use tradewind_domain::codes::{InstrumentKind, LimitType, OrderType, SelfTradeMode, Side};
use tradewind_domain::event::LimitSet;
use tradewind_domain::fixed::ONE;
use tradewind_domain::reference::instrument_flags;
use tradewind_domain::reject::RejectCode;

const UNIT: i128 = ONE as i128;
const MS: u64 = 1_000_000;

/// What a limit found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) used: i128,
    pub(super) limit: i128,
    pub(super) code: RejectCode,
    pub(super) priority: u8,
    pub(super) grows: bool,
    /// Warns however near the figure is, each time.
    pub(super) warns: bool,
}

fn found(used: i128, limit: i128, code: RejectCode, grows: bool) -> Found {
    let priority = code.priority();
    Found {
        used,
        limit,
        code,
        priority,
        grows,
        warns: false,
    }
}

fn gate(refuses: bool, code: RejectCode) -> Option<Found> {
    Some(found(i128::from(refuses), 0, code, true))
}

impl History {
    /// What a limit says of an order; `None` where it does not look at it.
    pub(super) fn measure(&self, set: &LimitSet, ask: &Ask<'_>, price: Option<&Price>) -> Option<Found> {
        let unpriced = Price::default();
        if !binds(self, set, ask.instrument) {
            return None;
        }
        let look = Look {
            history: self,
            set,
            ask,
            price: price.unwrap_or(&unpriced),
            node: set.node.0,
        };
        look.measure()
    }
}

impl Look<'_> {
    fn measure(&self) -> Option<Found> {
        match LimitType::from_code(self.set.limit_type)? {
            LimitType::MaxOrderQty => Some(found(
                self.ask.qty,
                self.set.hard,
                RejectCode::MaxOrderQty,
                self.added_qty() > 0,
            )),
            LimitType::MaxOrderNotional => self.max_order_notional(),
            LimitType::FatFinger => self.fat_finger(),
            LimitType::AdvOrder => self.adv_order(),
            LimitType::AdvDay => self.adv_day(),
            LimitType::PriceCollar => self.price_collar(),
            LimitType::Restricted => self.restricted(),
            LimitType::Permission => self.permission(),
            LimitType::MarketHours => gate(
                self.history.is_halted(self.ask.instrument),
                RejectCode::MarketClosed,
            ),
            LimitType::StaleOrder => self.stale_order(),
            LimitType::DupContent => self.dup_content(),
            LimitType::OrderRate => self.rate(RejectCode::OrderRateExceeded),
            LimitType::MsgRate => self.rate(RejectCode::MsgRateExceeded),
            LimitType::ShortSale => self.short_sale(),
            LimitType::SelfTrade => self.self_trade(),
            LimitType::MaxOpenOrders => self.max_open_orders(),
            LimitType::OpenNotional => self.open_notional(),
            LimitType::DailyNotional => self.daily_notional(),
            LimitType::DailyQty => self.daily_qty(),
            LimitType::OrderToTrade => self.order_to_trade(),
            LimitType::PositionLong => self.position_long(),
            LimitType::PositionShort => self.position_short(),
            LimitType::LongExposure => {
                self.exposure(|sum| sum.long, 1, self.set.hard, RejectCode::LongExposure)
            }
            LimitType::ShortExposure => {
                self.exposure(|sum| sum.short, 1, self.set.hard, RejectCode::ShortExposure)
            }
            LimitType::NetExposure => self.net_exposure(),
            LimitType::GrossExposure => {
                self.exposure(|sum| sum.gross, 1, self.set.hard, RejectCode::GrossExposure)
            }
            LimitType::Concentration => self.concentration(),
            LimitType::Sector => self.exposure(|sum| sum.gross, 100, self.of_equity(), RejectCode::Sector),
            LimitType::BuyingPower => self.buying_power(),
            LimitType::Margin => self.exposure(|sum| sum.margin, 100, self.of_equity(), RejectCode::Margin),
            LimitType::Leverage => self.exposure(|sum| sum.gross, 1, self.of_equity(), RejectCode::Leverage),
            LimitType::RiskPerTrade => self.risk_per_trade(),
            LimitType::RepeatedExec
            | LimitType::DailyLoss
            | LimitType::MaxDdStatic
            | LimitType::MaxDdTrailing
            | LimitType::Emergency => None,
        }
    }

    /// L02, on the whole order.
    fn max_order_notional(&self) -> Option<Found> {
        Some(found(
            self.price.order_value,
            self.set.hard,
            RejectCode::MaxOrderNotional,
            self.price.order_value > self.ask.old_order_value(),
        ))
    }

    /// L03: `OrderQty > hard * avg_order_qty`.
    fn fat_finger(&self) -> Option<Found> {
        let usual = i128::from(self.row_of().avg_order_qty);
        Some(found(
            self.ask.qty * UNIT,
            self.set.hard * usual,
            RejectCode::FatFinger,
            self.added_qty() > 0,
        ))
    }

    /// L04, the order: `qty * 100 > hard * ADV`.
    fn adv_order(&self) -> Option<Found> {
        let adv = i128::from(self.row_of().adv);
        Some(found(
            self.ask.qty * 100 * UNIT,
            self.set.hard * adv,
            RejectCode::AdvOrder,
            self.added_qty() > 0,
        ))
    }

    /// L04, the day: `(executed today + bo + so + c) * 100 > hard * ADV`.
    fn adv_day(&self) -> Option<Found> {
        let row = self.of_instrument();
        let used = row.bought_qty + row.sold_qty + row.buy_qty + row.sell_qty + self.added_qty();
        let limit = self.set.hard * i128::from(self.row_of().adv);
        Some(found(
            used * 100 * UNIT,
            limit,
            RejectCode::AdvDay,
            self.added_qty() > 0,
        ))
    }

    /// L05: params pct, abs, age in ms, what a stale reference does, by how much it widens, side mode.
    fn price_collar(&self) -> Option<Found> {
        if !matches!(self.ask.ord_type, OrderType::Limit | OrderType::StopLimit) {
            return None;
        }
        let [pct, abs, max_age_ms, stale_action, widen, side_mode] = self.set.params;
        let at_collar = |refuses, code| {
            gate(refuses, code).map(|found| Found {
                priority: RejectCode::PriceOutsideCollar.priority(),
                ..found
            })
        };
        let (px, stale) = match (
            self.history.last(self.ask.instrument),
            self.history.outside_mark(self.ask.instrument),
        ) {
            (Some((px, ns)), _) => (px, self.history.now_ns - ns > max_age_ms as u64 * MS),
            (None, Some(mark)) => (mark, false),
            (None, None) => return at_collar(true, RejectCode::NoReferencePrice),
        };
        let widened = match (stale, stale_action) {
            (false, _) => UNIT,
            (true, 0) => return at_collar(true, RejectCode::StaleReferencePrice),
            (true, 1) => i128::from(widen),
            (true, _) => {
                let skipped = at_collar(false, RejectCode::StaleReferencePrice);
                return skipped.map(|found| Found { warns: true, ..found });
            }
        };
        // The band at 1e-26.
        let band = if pct > 0 {
            i128::from(pct) * i128::from(px) * widened
        } else {
            i128::from(abs) * 100 * UNIT * widened
        };
        let distance = i128::from(self.ask.px) - i128::from(px);
        let counts = side_mode == 0
            || if self.ask.side.is_buy() {
                distance > 0
            } else {
                distance < 0
            };
        at_collar(
            counts && distance.abs() * 100 * UNIT * UNIT > band,
            RejectCode::PriceOutsideCollar,
        )
    }

    /// L06: what the list says of the instrument.
    fn restricted(&self) -> Option<Found> {
        let mine = |line: &&(u32, usize, u8)| line.0 == self.set.limit.0 && line.1 == self.ask.instrument;
        match self.history.lines.iter().rev().find(mine)?.2 {
            1 => gate(true, RejectCode::RestrictedSymbol),
            2 => gate(!self.history.reduces(self.ask), RejectCode::CloseOnlySymbol),
            3 => gate(self.ask.side == Side::SellShort, RejectCode::NoShortSymbol),
            _ => None,
        }
    }

    /// L07: masks of actions, order types and kinds; 0 allows all.
    fn permission(&self) -> Option<Found> {
        let allows = |mask: i64, bit: i64| mask == 0 || mask & bit != 0;
        let [actions, types, kinds, ..] = self.set.params;
        let action = if self.ask.old.is_some() { 4 } else { 1 };
        let may = allows(actions, action)
            && allows(types, 1 << self.ask.ord_type as u8)
            && allows(kinds, 1 << self.row_of().kind);
        gate(!may, RejectCode::NotAuthorized)
    }

    /// L09: too old, or more than a second ahead.
    fn stale_order(&self) -> Option<Found> {
        let (now, origin) = (self.history.now_ns, self.ask.origin_ns);
        let stale = now.saturating_sub(origin) > self.set.params[0] as u64 * MS || origin > now + 1_000 * MS;
        if origin == 0 {
            None
        } else {
            gate(stale, RejectCode::StaleOrder)
        }
    }

    /// L10b: equal orders accepted within the window, age strictly below it.
    fn dup_content(&self) -> Option<Found> {
        let ask = self.ask;
        if !ask.is_new {
            return None;
        }
        let same = |order: &&super::history::Order| {
            let asked = &order.asked;
            (
                asked.leaf.0,
                asked.instrument.index(),
                order.side(),
                order.ord_type(),
            ) == (ask.leaf, ask.instrument, ask.side, ask.ord_type)
                && (i128::from(asked.qty), asked.px, asked.stop_px) == (ask.qty, ask.px, ask.stop_px)
                && self.history.now_ns - order.accepted_ns < self.set.params[0] as u64 * MS
        };
        let young = self.history.orders.iter().filter(same).count();
        Some(found(
            young as i128 + 1,
            i128::from(self.set.params[1]),
            RejectCode::DuplicateOrder,
            true,
        ))
    }

    /// L11, L12 (section 7): never more than `hard` in any window, or GCRA.
    fn rate(&self, code: RejectCode) -> Option<Found> {
        let (hard, now_ns) = (self.set.hard, self.history.now_ns);
        let period = self.set.params[0] as u64 * MS;
        let is_mine = |message: &&super::history::Message| {
            message.tokens.iter().any(|token| token.0 == self.set.limit.0)
        };
        let tokens = self.history.messages.iter().filter(is_mine);
        if self.set.params[1] == 1 {
            let mut arrival = 0;
            for message in tokens {
                let slow = message.tokens.contains(&(self.set.limit.0, true));
                let share = if slow { 10 } else { 1 };
                arrival =
                    i128::from(message.ns).saturating_mul(hard).max(arrival) + i128::from(period) * share;
            }
            let tau = i128::from(period) * i128::from(self.set.params[2] - 1);
            return Some(found(arrival - i128::from(now_ns) * hard, tau, code, true));
        }
        let hard = if self.history.is_slow(self.node) {
            (hard / 10).max(1)
        } else {
            hard
        };
        let within = tokens.filter(|message| now_ns - message.ns < period).count();
        Some(found(within as i128 + 1, hard, code, true))
    }

    /// L14: a sale marked long against the long position, a short sale against what was located.
    fn short_sale(&self) -> Option<Found> {
        let history = self.history;
        let shorts_open: i128 = history
            .open()
            .filter(|(_, order, _)| {
                order.side() == Side::SellShort
                    && order.asked.instrument.index() == self.ask.instrument
                    && history.is_below(order.asked.leaf.0, self.node)
            })
            .map(|(_, _, now)| now.reserved_qty())
            .sum();
        let (row, added) = (self.of_instrument(), self.added_qty());
        match self.ask.side {
            Side::Buy => None,
            Side::Sell if self.row_of().kind == InstrumentKind::Binary as u8 => None,
            Side::Sell => {
                let used = row.sell_qty - shorts_open + added;
                Some(found(
                    used,
                    row.position.max(0),
                    RejectCode::ShortMarkingRequired,
                    added > 0,
                ))
            }
            Side::SellShort if self.row_of().flags & instrument_flags::EASY_TO_BORROW != 0 => None,
            Side::SellShort => {
                let mine =
                    |grant: &&(u32, usize, i64)| grant.0 == self.node && grant.1 == self.ask.instrument;
                let located = history
                    .locates
                    .iter()
                    .rev()
                    .find(mine)
                    .map_or(0, |grant| i128::from(grant.2));
                let used = history.sold_short_today(self.node, self.ask.instrument) + shorts_open + added;
                Some(found(used, located, RejectCode::LocateRequired, added > 0))
            }
        }
    }

    /// L15: CANCEL_OLDEST holds a newcomer instead of refusing it, and refuses a replace.
    fn self_trade(&self) -> Option<Found> {
        let mode = SelfTradeMode::from_code(self.set.params[0] as u8)?;
        let refuses = match mode {
            SelfTradeMode::Decrement => false,
            SelfTradeMode::CancelOldest => self.ask.old.is_some() || self.set.action == 1,
            SelfTradeMode::CancelNewest | SelfTradeMode::CancelBoth => true,
        };
        gate(
            refuses && self.history.crosses(self.node, self.ask),
            RejectCode::SelfTrade,
        )
    }

    /// L16: `count + 1 > hard`.
    fn max_open_orders(&self) -> Option<Found> {
        let new = i128::from(self.ask.is_new);
        Some(found(
            self.counted().open + new,
            self.set.hard,
            RejectCode::MaxOpenOrders,
            self.ask.is_new,
        ))
    }

    /// L17: value of open orders, both sides.
    fn open_notional(&self) -> Option<Found> {
        let row = self.counted();
        let used = row.buy_value + row.sell_value + self.added_value();
        Some(found(
            used,
            self.set.hard,
            RejectCode::OpenNotional,
            self.added_value() > 0,
        ))
    }

    /// L18: executed today, and what is open, of the side that counts.
    fn daily_notional(&self) -> Option<Found> {
        let row = self.counted();
        let before = self.of_side(row.bought_value + row.buy_value, row.sold_value + row.sell_value);
        let added = if self.side_counts() { self.added_value() } else { 0 };
        Some(found(
            before + added,
            self.set.hard,
            RejectCode::DailyNotional,
            added > 0,
        ))
    }

    /// L19: as L18, with quantities.
    fn daily_qty(&self) -> Option<Found> {
        let row = self.counted();
        let before = self.of_side(row.bought_qty + row.buy_qty, row.sold_qty + row.sell_qty);
        let added = if self.side_counts() { self.added_qty() } else { 0 };
        Some(found(
            before + added,
            self.set.hard,
            RejectCode::DailyQty,
            added > 0,
        ))
    }

    /// L20: `messages > hard * max(1, trades)`, once there are more than `min_msgs`.
    fn order_to_trade(&self) -> Option<Found> {
        let history = self.history;
        let mine = |message: &&super::history::Message| {
            history.is_below(message.leaf, self.node) && history.is_today(self.node, message.at)
        };
        let messages = history.messages.iter().filter(mine).count() as i128 + 1;
        if messages <= i128::from(self.set.params[0]) {
            return None;
        }
        let trades = self.rows(|_| true).trades;
        Some(found(
            messages,
            self.set.hard * trades.max(1),
            RejectCode::OrderToTradeExceeded,
            true,
        ))
    }

    /// L21: `max(0, pos + bo + c) > hard`.
    fn position_long(&self) -> Option<Found> {
        let (row, is_buy) = (self.of_instrument(), self.ask.side.is_buy());
        let added = if is_buy { self.added_qty() } else { 0 };
        let used = (row.position + row.buy_qty + added).max(0);
        Some(found(
            used,
            self.set.hard,
            RejectCode::PositionLong,
            added > 0 && used > 0,
        ))
    }

    /// L22: `max(0, so + c - pos) > hard`.
    fn position_short(&self) -> Option<Found> {
        let (row, is_buy) = (self.of_instrument(), self.ask.side.is_buy());
        let added = if is_buy { 0 } else { self.added_qty() };
        let used = (row.sell_qty + added - row.position).max(0);
        Some(found(
            used,
            self.set.hard,
            RejectCode::PositionShort,
            added > 0 && used > 0,
        ))
    }

    /// L23, L24, L26, L28, L30, L31: sums over instruments of a share each.
    fn exposure(
        &self,
        of: fn(&Exposure) -> i128,
        scale: i128,
        limit: i128,
        code: RejectCode,
    ) -> Option<Found> {
        let mut used = 0;
        let (mut before, mut after) = (0, 0);
        for instrument in 0..self.history.instruments.len() {
            if !self.sums(instrument) {
                continue;
            }
            let row = self.rows(|at| at == instrument);
            let mut share = of(&self.share(instrument, &row));
            if instrument == self.ask.instrument {
                before = share;
                share = of(&self.share(instrument, &self.with_order(row)));
                after = share;
            }
            used += share;
        }
        self.valued(used * scale, limit, code, after > before)
    }

    /// L25: `max(|M + BN|, |M - SN|)`.
    fn net_exposure(&self) -> Option<Found> {
        let mut total = Row::default();
        let mut mark = 0;
        for instrument in (0..self.history.instruments.len()).filter(|&at| self.sums(at)) {
            let row = self.rows(|at| at == instrument);
            mark += self.mark_value(instrument, row.position);
            total.buy_value += row.buy_value;
            total.sell_value += row.sell_value;
        }
        let worse = |row: &Row| (mark + row.buy_value).abs().max((mark - row.sell_value).abs());
        let (before, after) = (worse(&total), worse(&self.with_order(total)));
        self.valued(after, self.set.hard, RejectCode::NetExposure, after > before)
    }

    /// L27: one name against equity.
    fn concentration(&self) -> Option<Found> {
        let row = self.of_instrument();
        let gross = |row: &Row| self.share(self.ask.instrument, row).gross;
        let (before, after) = (gross(&row), gross(&self.with_order(row)));
        self.valued(
            after * 100,
            self.of_equity(),
            RejectCode::Concentration,
            after > before,
        )
    }

    /// L29: settled cash and the credit line; in a cash account sales against what is held.
    fn buying_power(&self) -> Option<Found> {
        let (history, ask, instrument) = (self.history, self.ask, self.row_of());
        if !instrument.moves_principal() {
            return None;
        }
        if !ask.side.is_buy() && instrument.kind != InstrumentKind::Binary as u8 {
            let row = self.of_instrument();
            let limit = if ask.side == Side::SellShort {
                0
            } else {
                row.position.max(0)
            };
            let added = self.added_qty();
            let one = i128::from(ONE);
            let measure = found(
                (row.sell_qty + added) * one,
                limit * one,
                RejectCode::InsufficientPosition,
                added > 0,
            );
            let refuses = measure.used > measure.limit;
            return (history.nodes[self.node as usize].is_cash && refuses).then_some(measure);
        }
        let one = i128::from(ONE);
        let (cash, old, new) = if self.set.params[3] == 1 {
            let closes = self.price.close_qty * self.price.unit;
            let need = |now: &Standing| history.need_in_base(ask.leaf, now, instrument);
            let new = history.with_fee(ask.leaf, self.price.value - closes, self.price.cash);
            let old = ask.old.as_ref().map_or(0, |(_, now)| need(now));
            (history.base_cash(self.node), old, new)
        } else {
            let cash = history.cash(self.node, instrument.currency.0);
            let old = ask
                .old
                .as_ref()
                .map_or(0, |(_, now)| now.reserved_cash(instrument));
            let scaled = Cash {
                held: cash.held * one,
                unsettled: cash.unsettled * one,
                reserved: cash.reserved * one,
                ..cash
            };
            (scaled, old * one, self.price.cash * one)
        };
        let held = if self.set.params[2] == 1 {
            cash.held
        } else {
            cash.held - cash.unsettled
        };
        let used = cash.reserved - old + new;
        let limit = held + i128::from(self.set.params[0]) * one;
        Some(found(used, limit, RejectCode::BuyingPower, new > old))
    }

    /// L32: `|risk_px - stop_loss| * mult * fx * OrderQty * 100 > hard * equity`; without a stop price refused.
    fn risk_per_trade(&self) -> Option<Found> {
        let limit = self.of_equity();
        let used = self
            .price
            .risk
            .map_or(i128::MAX, |risk| risk * self.ask.qty / UNIT * 100);
        Some(found(used, limit, RejectCode::RiskPerTrade, true))
    }

    /// Section 14: what would increase a figure is refused while a position cannot be valued.
    fn valued(&self, used: i128, limit: i128, code: RejectCode, grows: bool) -> Option<Found> {
        let unmarked = self.history.mark(self.ask.instrument).is_none() && self.of_instrument().position != 0;
        if grows && unmarked {
            return gate(true, RejectCode::NoReferencePrice);
        }
        Some(found(used, limit, code, grows))
    }
}

impl History {
    /// True while a limit's SLOW stands at a node.
    pub(super) fn is_slow(&self, node: u32) -> bool {
        self.standing_trips(node)
            .into_iter()
            .any(|limit| self.trip_state(limit) == SLOW)
    }

    /// The limit that has a node's strategies out of play.
    pub(super) fn disabled_by(&self, node: u32) -> Option<u32> {
        self.standing_trips(node)
            .into_iter()
            .filter(|&limit| self.trip_state(limit) == DISABLED)
            .min() // labels are numbered
    }
}
