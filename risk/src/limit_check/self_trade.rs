//! Self-trade prevention (L15): which own orders a newcomer would trade against, and orders that are held until those are gone.
//!
//! A newcomer that may cancel what stands in its way is accepted and reserved, HELD and not sent; the cancels go out in its group.
//! Whenever an order is gone, the held orders that nothing older stands in the way of any more are released, each by an effect of its
//! own: only then do they go to the venue.
//!
//! # Invariants
//! - An open LIMIT order stands in the index for each node on its chain that has a SELF_TRADE limit; STOP and STOP_LIMIT orders do
//!   not (they are not triggered as far as anybody tells us), MARKET orders only while they are held.
//! - While a replace is on its way an order stands at the more aggressive of its two prices.
//! - A held order waits for older orders only, so no two orders wait for each other.
//!
//! Deliberately absent: DECREMENT, which is the venue's to do; and holding a replace, which is refused instead.

use super::book::Book;
use super::findings::Findings;
use super::question::Scene;
use crate::hierarchy::{Chain, node_flags};
use crate::limits::gate::self_trade;
use crate::limits::{Ask, Priced, Terms};
use crate::orders::resting::{Ladder, market_px};
use crate::orders::table::OrderRow;
use tradewind_domain::codes::{
    ControlState, LimitAction, LimitType, OrderState, OrderType, SelfTradeMode, Side,
};
use tradewind_domain::event::{Event, LimitSet, OrderNew};
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId, OrderSlot, WalletId};

/// The price up to which an order trades; `None` for one that waits for its trigger.
#[inline]
fn reach(ord_type: OrderType, is_buy: bool, px: i64) -> Option<i64> {
    match ord_type {
        OrderType::Limit => Some(px),
        OrderType::Market => Some(market_px(is_buy)),
        OrderType::Stop | OrderType::StopLimit => None,
    }
}

/// The price at which an open order stands in the way of others.
fn stands_at(row: &OrderRow) -> Option<i64> {
    let is_buy = row.order_side().is_buy();
    let px = reach(row.order_type(), is_buy, row.px)?;
    if row.order_type() == OrderType::Market {
        return (row.order_state() == OrderState::Held).then_some(px);
    }
    Some(match (row.has_replace(), is_buy) {
        (false, _) => px,
        (true, true) => px.max(row.new_px),
        (true, false) => px.min(row.new_px),
    })
}

impl Scene<'_> {
    /// Calls back with the ladders against the order, at each node with a limit in a wanted mode that acts on it.
    fn prevented(&self, wants: impl Fn(SelfTradeMode) -> bool, mut found: impl FnMut(Ladder)) {
        let is_buy = !self.ask.side.is_buy();
        for (id, pair) in self.chain.levels() {
            let node = self.book.hierarchy.node(id);
            let Some(node) = node.filter(|node| node.flags & node_flags::SELF_TRADE != 0) else {
                continue;
            };
            let acts = |terms: &Terms| {
                self_trade::mode_of(terms).is_some_and(|mode| mode != SelfTradeMode::Decrement && wants(mode))
                    && terms.action != LimitAction::Alert as u8
                    && self.binds(terms)
            };
            if self.book.limits.terms(node.limits).iter().any(acts) {
                found(Ladder { pair, is_buy });
            }
        }
    }

    /// True where the order would trade against one that rests at the limit's node. A replace that reaches no further than the order
    /// it takes the place of makes nothing worse.
    pub(super) fn crosses(&self, limit: LimitId) -> bool {
        let ask = self.ask;
        let is_buy = ask.side.is_buy();
        let Some(px) = reach(ask.ord_type, is_buy, ask.px).filter(|_| ask.leaves > 0) else {
            return false;
        };
        let old_px = ask.replaces.then_some(ask.old.px);
        let reaches_further = old_px.is_none_or(|old| if is_buy { px > old } else { px < old });
        let owner = self.book.limits.node_of(limit);
        let Some((_, pair)) = self.chain.levels().find(|&(node, _)| node == owner) else {
            return false;
        };
        let ladder = Ladder {
            pair,
            is_buy: !is_buy,
        };
        reaches_further && self.book.resting.is_crossed_by(ladder, px)
    }
}

impl Book {
    /// Calls back with the ladders that an order would trade against, at each node with a limit in a wanted mode that acts on it.
    fn prevented(
        &self,
        chain: &Chain,
        instrument: InstrumentId,
        side: Side,
        wants: impl Fn(SelfTradeMode) -> bool,
        found: impl FnMut(Ladder),
    ) {
        let Some(row) = self.market.instrument(instrument) else {
            return;
        };
        let ask = Ask::nothing(instrument, WalletId::NONE, side, 0);
        Scene::new(self, &ask, chain, row, &Priced::default()).prevented(wants, found);
    }

    /// True where an order that passes every check has to wait for older ones of ours.
    #[inline]
    pub(super) fn has_to_wait(&self, ask: &Ask, chain: &Chain) -> bool {
        self.limits.self_trades != 0 && self.meets_any(ask, chain, |mode| mode == SelfTradeMode::CancelOldest)
    }

    /// True where an order would trade against one of ours, whatever the limit would do about it.
    pub(super) fn meets_own_order(&self, ask: &Ask, chain: &Chain) -> bool {
        self.limits.self_trades != 0 && self.meets_any(ask, chain, |_| true)
    }

    fn meets_any(&self, ask: &Ask, chain: &Chain, wants: impl Fn(SelfTradeMode) -> bool) -> bool {
        let Some(px) = reach(ask.ord_type, ask.side.is_buy(), ask.px) else {
            return false;
        };
        let mut meets = false;
        self.prevented(chain, ask.instrument, ask.side, wants, |ladder| {
            meets |= self.resting.is_crossed_by(ladder, px);
        });
        meets
    }

    /// True where nothing speaks against an order but limits that cancel it together with what it would trade against.
    pub(super) fn cancels_with_itself(&self, findings: &Findings) -> bool {
        let is_both =
            |limit| self.limits.get(limit).and_then(self_trade::mode) == Some(SelfTradeMode::CancelBoth);
        self.limits.self_trades != 0 && findings.refused_by_all(is_both)
    }

    /// True where the index has a place for the order at every node that needs one.
    #[inline]
    pub(super) fn has_resting_room(&self, chain: &Chain) -> bool {
        if self.limits.self_trades == 0 {
            return true;
        }
        let needed = chain.levels().filter(|&(node, _)| self.prevents_at(node)).count();
        needed as u32 <= self.resting.room()
    }

    /// True where orders below the node stand in the index.
    #[inline]
    pub(super) fn prevents_at(&self, node: NodeId) -> bool {
        self.hierarchy
            .node(node)
            .is_some_and(|row| row.flags & node_flags::SELF_TRADE != 0)
    }

    /// True where the orders that rest below a node have places once a limit stands there.
    pub(super) fn has_room_to_prevent(&self, limit: &LimitSet) -> bool {
        let needs_places = limit.limit_type == LimitType::SelfTrade as u8
            && limit.removed == 0
            && !self.prevents_at(limit.node);
        let below = || {
            self.orders
                .open()
                .filter(|(_, row)| stands_at(row).is_some() && self.hierarchy.is_within(row.leaf, limit.node))
        };
        !needs_places || below().count() as u32 <= self.resting.room()
    }

    /// Puts an open order where it stands now.
    pub(super) fn rest(&mut self, slot: OrderSlot) {
        if self.limits.self_trades == 0 {
            return;
        }
        let Some(row) = self.orders.get(slot) else { return };
        let Some(px) = stands_at(row) else { return };
        let (is_buy, age) = (row.order_side().is_buy(), row.order_id.counter());
        let mut pair = row.node_instrument;
        while let Some(row) = self.hierarchy.pair(pair) {
            let ladder = Ladder { pair, is_buy };
            if self.prevents_at(row.node) && !self.resting.insert(slot, ladder, px, age) {
                self.faults += 1;
            }
            pair = row.parent;
        }
    }

    /// An order stands elsewhere from now on.
    pub(super) fn rest_anew(&mut self, slot: OrderSlot) {
        if self.limits.self_trades != 0 {
            self.resting.remove(slot);
            self.rest(slot);
        }
    }

    /// A SELF_TRADE limit was set or removed. Where a node begins or ends to need the index, all open orders are walked: an
    /// operator's change may take milliseconds.
    pub(super) fn apply_self_trade_limit(&mut self, prevented_before: bool, node: NodeId) {
        if self.prevents_at(node) != prevented_before {
            let mut at = self.orders.first_open();
            while let Some(slot) = at {
                self.resting.remove(slot);
                self.rest(slot);
                at = self.orders.next_open(slot);
            }
        }
        self.resting.set_due();
    }

    /// Lists what a newcomer's event cancels: the orders in the way of one that is held, or of one that was refused with them.
    pub(super) fn find_crossed(&mut self, event: &Event) {
        let mut found = self.resting.begin_found();
        let order: OrderNew = *event.body();
        let mode = if event.is_rejected() {
            SelfTradeMode::CancelBoth
        } else {
            SelfTradeMode::CancelOldest
        };
        let side = Side::from_code(order.side).unwrap_or(Side::Sell);
        let ord_type = OrderType::from_code(order.ord_type).unwrap_or(OrderType::Limit);
        if let Some(px) = reach(ord_type, side.is_buy(), order.px) {
            let chain = self.hierarchy.chain(order.leaf, order.instrument);
            self.prevented(
                &chain,
                order.instrument,
                side,
                |it| it == mode,
                |ladder| {
                    self.resting.find(ladder, px, &mut found);
                },
            );
        }
        self.resting.end_found(found, &self.orders);
    }

    /// True where something older than a held order still stands in its way.
    pub(super) fn is_blocked(&self, row: &OrderRow) -> bool {
        let side = row.order_side();
        let Some(px) = reach(row.order_type(), side.is_buy(), row.px) else {
            return false;
        };
        let age = row.order_id.counter();
        let chain = self
            .hierarchy
            .chain_from(row.leaf, row.node_instrument, row.instrument);
        let mut blocked = false;
        self.prevented(
            &chain,
            row.instrument,
            side,
            |_| true,
            |ladder| {
                blocked |= self.resting.crossed_by(ladder, px).any(|(_, other)| other < age);
            },
        );
        blocked
    }

    /// True where the states on a held order's way let it out.
    pub(super) fn may_go_out(&self, row: &OrderRow) -> bool {
        let chain = self
            .hierarchy
            .chain_from(row.leaf, row.node_instrument, row.instrument);
        let state = self.control_state(&chain, row.instrument, row.session);
        let is_disabled = chain.flags & node_flags::DISABLED != 0;
        let may_reduce = state != ControlState::ReduceOnly as u8 || self.still_reduces(row);
        !Self::is_halted(state) && !is_disabled && may_reduce
    }

    /// Makes a release true: the order is on its way to the venue.
    pub(super) fn apply_release(&mut self, slot: OrderSlot, state_after: u8) {
        self.end_hold(slot);
        match self.orders.get_mut(slot) {
            Some(row) => (row.state, row.resting_state) = (state_after, OrderState::PendingNew as u8),
            None => self.faults += 1,
        }
        // A market order that is out rests no longer.
        self.rest_anew(slot);
    }

    /// An order that is held is held no longer.
    pub(super) fn end_hold(&mut self, slot: OrderSlot) {
        if self
            .orders
            .get(slot)
            .is_some_and(|row| row.state == OrderState::Held as u8)
        {
            self.resting.unhold(&mut self.orders, slot);
        }
    }
}
