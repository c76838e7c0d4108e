//! The limit check's state, and how amounts on it change. Every change is an addition or a setting of recorded integers.

use super::allocation::Block;
use super::quarantine::Quarantine;
use super::quota::Quotas;
use super::tables::Rows;
use crate::actions::Actions;
use crate::calendar::Calendars;
use crate::corporate::Announced;
use crate::dated::Dated;
use crate::fees::Fees;
use crate::hierarchy::{Chain, Flow, Hierarchy, NIL, NodeRow};
use crate::limits::Limits;
use crate::market::Market;
use crate::orders::executions::Executions;
use crate::orders::keys::{KeyHasher, KeyTable};
use crate::orders::resting::Resting;
use crate::orders::table::{OrderRow, OrderTable};
use crate::repeats::Repeats;
use crate::restricted::RestrictedLists;
use crate::rules::Rules;
use crate::shorts::{ShortFigures, Shorts};
use crate::stamps::Stamps;
use crate::transfers::Transfers;
use crate::wallets::Wallets;
use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::codes::{AccountKind, ControlState, Level, Side};
use tradewind_domain::event::{Capacities, ChainDays};
use tradewind_domain::ids::{
    AccountId, CalendarId, HoldingId, InstrumentId, NodeId, OrderSlot, Seq, SessionId, VenueId,
};
use tradewind_domain::time::{DayNumber, UnixNanos};
use tradewind_machine::prefetch::prefetch;

/// What a client session is to the limit check.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct SessionRow {
    pub(super) connected: u8,
    pub(super) state: u8,
}

/// Settings that decide outcomes, from the engine's start record.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Settings {
    pub(super) market_slip_bps: u32,
    pub(super) ref_max_age_ms: u32,
    pub(super) shard: u32,
}

/// By how much an execution changes what its order holds open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OpenChange {
    pub(super) qty: i64,
    pub(super) value: i128,
    pub(super) count: i32,
}

/// All state of the limit check.
pub(super) struct Book {
    pub(super) market: Market,
    pub(super) calendars: Calendars,
    pub(super) hierarchy: Hierarchy,
    pub(super) orders: OrderTable,
    /// Follows from the open orders and the limits: no state of its own.
    pub(super) resting: Resting,
    pub(super) cl_ord_ids: KeyTable,
    pub(super) exec_ids: KeyTable,
    pub(super) executions: Executions,
    /// The block whose legs come out: follows from the event that sets them off, no state of its own.
    pub(super) allocating: Block,
    /// Corporate actions that wait for their ex-date.
    pub(super) announced: Announced,
    /// Corporate actions that were booked.
    pub(super) actions: Actions,
    pub(super) quarantine: Quarantine,
    pub(super) hasher: KeyHasher,
    pub(super) limits: Limits,
    /// Asked about replaces, which name no instrument before they come here.
    pub(super) rules: Rules,
    pub(super) stamps: Stamps,
    pub(super) restricted: RestrictedLists,
    pub(super) repeats: Repeats,
    /// Shares of the firm's limits.
    pub(super) quotas: Quotas,
    pub(super) shorts: Shorts,
    pub(super) wallets: Wallets,
    /// Transfers of the firm that are pending.
    pub(super) transfers: Transfers,
    /// Trades that have not settled.
    pub(super) dated: Dated,
    pub(super) fees: Fees,
    pub(super) holdings_used: u32,
    pub(super) holdings_max: u32,
    pub(super) sessions: Vec<SessionRow>,
    /// Sessions that are known: what the run recorded, not how many rows there happen to be.
    pub(super) sessions_max: u32,
    pub(super) instrument_states: Vec<u8>,
    /// [`AccountKind`] and calendar by account: what the account's node says, found without walking to it.
    accounts: Vec<(u8, CalendarId)>,
    pub(super) settings: Settings,
    /// What the run recorded: tables may have more room than they may use.
    pub(super) capacities: Capacities,
    /// Rows of reference data in use.
    pub(super) rows: Rows,
    /// When the entitlement source went down; 0 while it is up.
    pub(super) outage_ns: UnixNanos,
    /// The millisecond in which pairs were revalued last.
    pub(super) drained_ms: u64,
    /// Counter of the last order id given.
    pub(super) order_counter: u64,
    /// Sequence number of the input whose effects come out.
    pub(super) input_seq: Seq,
    /// Facts that named a row which does not exist: a damaged or foreign journal.
    pub(super) faults: u64,
}

impl Book {
    pub(super) fn new(capacities: &Capacities, hash_key: &[u8; 16]) -> Self {
        Self {
            market: Market::new(capacities.instruments),
            calendars: Calendars::new(),
            hierarchy: Hierarchy::new(
                capacities.nodes,
                capacities.node_instruments,
                capacities.instruments,
            ),
            orders: OrderTable::new(capacities.open_orders, capacities.closed_orders),
            resting: Resting::new(
                capacities.open_orders,
                capacities.open_orders + capacities.closed_orders + 1,
            ),
            cl_ord_ids: KeyTable::new(capacities.cl_ord_ids),
            exec_ids: KeyTable::new(capacities.exec_ids),
            executions: Executions::new(capacities.executions),
            allocating: Block::empty(),
            announced: Announced::new(),
            actions: Actions::new(capacities.holdings, capacities.executions),
            quarantine: Quarantine::new(capacities.quarantine),
            hasher: KeyHasher::new(hash_key),
            limits: Limits::new(capacities.limits, capacities.nodes),
            rules: Rules::new(capacities),
            stamps: Stamps::new(capacities.limit_stamps),
            restricted: RestrictedLists::new(capacities.restricted),
            repeats: Repeats::new(capacities.repeats),
            quotas: Quotas::new(capacities.limits),
            shorts: Shorts::new(capacities.holdings),
            wallets: Wallets::new(capacities.wallets),
            transfers: Transfers::new(),
            dated: Dated::new(capacities.unsettled, capacities.holdings),
            fees: Fees::new(capacities.open_orders + capacities.closed_orders + 1),
            holdings_used: 0,
            holdings_max: capacities.holdings,
            sessions: vec![SessionRow::zeroed(); capacities.sessions as usize],
            sessions_max: capacities.sessions,
            instrument_states: vec![0; capacities.instruments as usize],
            accounts: vec![(0, CalendarId::UTC); capacities.nodes as usize],
            settings: Settings::default(),
            capacities: *capacities,
            rows: Rows::default(),
            outage_ns: 0,
            drained_ms: 0,
            order_counter: 0,
            input_seq: 0,
            faults: 0,
        }
    }

    /// Takes the capacities that decide from an engine's start record.
    pub(super) fn set_capacities(&mut self, capacities: &Capacities) {
        self.hierarchy.set_capacity(capacities.node_instruments);
        self.orders
            .set_capacity(capacities.open_orders, capacities.closed_orders);
        self.resting.set_capacity(capacities.open_orders);
        self.cl_ord_ids.set_capacity(capacities.cl_ord_ids);
        self.exec_ids.set_capacity(capacities.exec_ids);
        self.executions.set_capacity(capacities.executions);
        self.actions.set_capacity(capacities.executions);
        self.quarantine.set_capacity(capacities.quarantine);
        self.wallets.set_capacity(capacities.wallets);
        self.dated.set_capacity(capacities.unsettled);
        self.stamps.set_capacity(capacities.limit_stamps);
        self.restricted.set_capacity(capacities.restricted);
        self.repeats.set_capacity(capacities.repeats);
        self.holdings_max = capacities.holdings;
        self.capacities = *capacities;
        self.sessions_max = capacities.sessions.min(self.sessions.len() as u32);
    }

    /// Remembers what kind of account a node stands for, and its calendar.
    pub(super) fn set_account(&mut self, account: AccountId, kind: u8, calendar: CalendarId) {
        if let Some(held) = self.accounts.get_mut(account.index()) {
            *held = (kind, calendar);
        }
    }

    /// Trading date of the account's own calendar, whatever the nodes above and below it have: what an account owns changes its day
    /// with it.
    #[inline]
    pub(super) fn account_date(&self, account: AccountId) -> DayNumber {
        self.accounts
            .get(account.index())
            .map_or(0, |&(_, calendar)| self.calendars.date(calendar))
    }

    /// Fetches what is known of an account.
    #[inline]
    pub(super) fn prefetch_account(&self, account: AccountId) {
        if let Some(row) = self.accounts.get(account.index()) {
            prefetch(row);
        }
    }

    /// True for an account that may own no more than it has paid for.
    #[inline]
    pub(super) fn is_cash_account(&self, account: AccountId) -> bool {
        self.accounts
            .get(account.index())
            .is_some_and(|&(kind, _)| kind == AccountKind::Cash as u8)
    }

    /// True where the run has a row for the session.
    pub(super) fn knows_session(&self, session: SessionId) -> bool {
        session.0 < self.sessions_max
    }

    /// The most severe state on an order's way: its nodes, its instrument, its session.
    #[inline]
    pub(super) fn control_state(&self, chain: &Chain, instrument: InstrumentId, session: SessionId) -> u8 {
        let instrument = self
            .instrument_states
            .get(instrument.index())
            .copied()
            .unwrap_or(0);
        let session = self.sessions.get(session.index()).map_or(0, |row| row.state);
        chain.state.max(instrument).max(session)
    }

    /// The state of what a control event is about; `None` where its target does not exist.
    pub(super) fn control_target(
        &self,
        node: NodeId,
        instrument: InstrumentId,
        session: SessionId,
        venue: VenueId,
    ) -> Option<u8> {
        let named = [
            !node.is_none(),
            !instrument.is_none(),
            !session.is_none(),
            !venue.is_none(),
        ];
        if named.iter().filter(|&&named| named).count() != 1 {
            return None;
        }
        if !node.is_none() {
            return self.hierarchy.node(node).map(NodeRow::control_state);
        }
        if !instrument.is_none() {
            self.market.instrument(instrument)?;
            return self.instrument_states.get(instrument.index()).copied();
        }
        // Orders name no venue yet, so a state on one would stop nothing: refused rather than accepted without effect.
        let known = !session.is_none() && self.knows_session(session);
        known.then(|| self.sessions.get(session.index()).map_or(0, |row| row.state))
    }

    /// Sets the state that people give to a node, an instrument or a session.
    pub(super) fn set_control(
        &mut self,
        node: NodeId,
        instrument: InstrumentId,
        session: SessionId,
        state: u8,
    ) {
        let place = if !node.is_none() {
            self.hierarchy.node_mut(node).map(|row| &mut row.state)
        } else if !instrument.is_none() {
            self.instrument_states.get_mut(instrument.index())
        } else {
            self.sessions.get_mut(session.index()).map(|row| &mut row.state)
        };
        match place {
            Some(place) => *place = state,
            None => self.faults += 1,
        }
    }

    /// Figures of short sales of the account on a chain, on the account's own date.
    pub(super) fn short_figures(&self, chain: &Chain) -> ShortFigures {
        let date = self
            .account_node(chain)
            .map_or(0, |(_, row)| self.calendars.date(row.calendar));
        self.shorts.figures(chain.holding, date)
    }

    /// The account's node on a chain, with its place from the leaf.
    pub(super) fn account_node(&self, chain: &Chain) -> Option<(usize, &NodeRow)> {
        let nodes = chain.levels().filter_map(|(node, _)| self.hierarchy.node(node));
        nodes
            .enumerate()
            .find(|(_, row)| row.level == Level::Account as u8)
    }

    /// True where the state stops new orders.
    #[inline]
    pub(super) fn is_halted(state: u8) -> bool {
        state >= ControlState::CancelOnly as u8
    }

    /// Changes what an order holds open, at its leaf and every node above.
    #[inline]
    pub(super) fn reserve(
        &mut self,
        leaf: NodeId,
        leaf_pair: u32,
        side: Side,
        qty: i64,
        value: i128,
        count: i32,
    ) {
        let is_buy = side.is_buy();
        let mut node = leaf;
        while let Some(row) = self.hierarchy.node_mut(node) {
            row.flow.reserve(is_buy, qty, value, count);
            node = NodeId(row.parent);
        }
        self.reserve_pairs(leaf_pair, side, qty, value, count);
    }

    /// Likewise, of the pairs alone.
    pub(super) fn reserve_pairs(&mut self, leaf_pair: u32, side: Side, qty: i64, value: i128, count: i32) {
        let is_buy = side.is_buy();
        let mut pair = leaf_pair;
        if side == Side::SellShort {
            self.reserve_short(leaf_pair, qty);
        }
        while pair != NIL {
            pair = self
                .hierarchy
                .change_pair(pair, |flow| flow.reserve(is_buy, qty, value, count));
        }
    }

    #[cold]
    fn reserve_short(&mut self, leaf_pair: u32, qty: i64) {
        let mut pair = leaf_pair;
        while let Some(row) = self.hierarchy.pair(pair) {
            if !row.holding.is_none() {
                self.shorts.reserve(row.holding, qty);
            }
            pair = row.parent;
        }
    }

    /// Moves the positions of a leaf's pair and every pair above, where nothing was executed.
    pub(super) fn shift_positions(&mut self, leaf_pair: u32, qty: i128) {
        let mut pair = leaf_pair;
        while self.hierarchy.pair(pair).is_some() {
            pair = self.hierarchy.change_pair(pair, |flow| flow.shift(qty));
        }
    }

    /// Counts an execution at a leaf and every node above, with what it changes of what its order holds open; gives the dates of the
    /// counters that it went into.
    #[inline]
    pub(super) fn execute(
        &mut self,
        leaf: NodeId,
        leaf_pair: u32,
        side: Side,
        (qty, value): (i64, i128),
        open: OpenChange,
    ) -> ChainDays {
        let is_buy = side.is_buy();
        let mut days = ChainDays::default();
        let mut level = 0;
        let (mut node, mut pair) = (leaf, leaf_pair);
        if side == Side::SellShort && open != OpenChange::default() {
            self.reserve_short(leaf_pair, open.qty);
        }
        while let Some(row) = self.hierarchy.node_mut(node) {
            let date = self.calendars.date(row.calendar);
            if let Some(day) = days.get_mut(level) {
                *day = date;
            }
            level += 1;
            let change = |flow: &mut Flow| {
                flow.reserve(is_buy, open.qty, open.value, open.count);
                flow.execute(is_buy, qty, value, date);
            };
            change(&mut row.flow);
            node = NodeId(row.parent);
            if let Some(row) = self.hierarchy.pair(pair) {
                if side == Side::SellShort && !row.holding.is_none() {
                    self.shorts.sell(row.holding, qty, date);
                }
                pair = self.hierarchy.change_pair(pair, change);
            }
        }
        days
    }

    /// The leaf's pair row, made with all above it where the leaf has not traded the instrument yet.
    #[inline]
    pub(super) fn make_pairs(&mut self, leaf: NodeId, instrument: InstrumentId, holding: HoldingId) -> u32 {
        let chain = self.hierarchy.chain(leaf, instrument);
        if chain.missing_pairs() == 0 {
            return chain.leaf_pair();
        }
        if holding.0 >= self.holdings_used && !holding.is_none() {
            self.holdings_used = holding.0 + 1;
        }
        self.hierarchy.make_pairs(&chain, instrument, holding)
    }

    /// The holding of a chain, or the id that a new one would get; `None` where the tables are full.
    #[inline]
    pub(super) fn holding_or_next(&self, chain: &Chain) -> Option<HoldingId> {
        if self.hierarchy.is_full(chain.missing_pairs()) {
            return None;
        }
        let holding = chain.holding;
        if !holding.is_none() {
            return Some(holding);
        }
        (self.holdings_used < self.holdings_max).then_some(HoldingId(self.holdings_used))
    }

    /// Closes an order: nothing of it stays reserved.
    pub(super) fn close_order(&mut self, slot: OrderSlot, state: u8) {
        self.end_hold(slot);
        if self.limits.self_trades != 0 {
            self.resting.remove(slot);
        }
        if let Some(row) = self.orders.get_mut(slot) {
            row.state = state;
            row.leaves = 0;
            row.cash = tradewind_domain::fixed::Money::ZERO;
            row.drop_pending();
            self.orders.close(slot);
        }
    }

    /// A copy of the order's row.
    #[inline]
    pub(super) fn order(&self, slot: OrderSlot) -> Option<OrderRow> {
        self.orders.get(slot).copied()
    }

    pub(super) fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        self.market.digest(sink);
        self.calendars.digest(sink);
        self.rules.digest(sink);
        self.hierarchy.digest(sink);
        self.orders.digest(sink);
        self.cl_ord_ids
            .digest(|id| self.orders.is_open(tradewind_domain::ids::OrderId(id)), sink);
        self.exec_ids.digest(|_| false, sink);
        self.executions.digest(sink);
        self.announced.digest(sink);
        self.actions.digest(sink);
        self.quarantine.digest(sink);
        self.limits.digest(sink);
        self.stamps.digest(sink);
        self.restricted.digest(sink);
        self.repeats.digest(sink);
        self.quotas.digest(sink);
        self.shorts.digest(sink);
        sink(&self.outage_ns.to_le_bytes());
        sink(&self.drained_ms.to_le_bytes());
        self.wallets.digest(sink);
        self.transfers.digest(sink);
        self.dated.digest(sink);
        self.fees.digest(sink);
        sink(&self.holdings_used.to_le_bytes());
        digest_used(bytemuck::cast_slice(&self.sessions), sink);
        digest_used(&self.instrument_states, sink);
        sink(bytes_of(&self.settings));
        sink(&self.order_counter.to_le_bytes());
    }
}

/// Feeds bytes up to the last one that is not zero, after their count, so that the hash does not depend on how much room
/// there is.
fn digest_used(bytes: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let used = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    sink(&(used as u64).to_le_bytes());
    sink(&bytes[..used]);
}
