//! The limits that are set, as plain rows, and the lists in which a node finds its own.

use super::ceilings::Ceilings;
use super::terms::{Block, Pool, Terms, traits};
use super::{HARD_MAX, SPECS, Spec, When, cash, gate, spec_of};
use crate::groups::gathers;
use crate::hierarchy::{Hierarchy, NodeRow, node_flags};
use crate::stamps::{Ring, Stamps};
use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::codes::{InstrumentKind, LimitAction, LimitType, SelfTradeMode};
use tradewind_domain::event::LimitSet;
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Code;
use tradewind_domain::time::{DayNumber, UnixNanos};
use tradewind_machine::prefetch::prefetch_lines;

/// One limit, with what it remembers. What every order reads of it stands in its [`Terms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct LimitRow {
    /// The figure that must not be exceeded, in the type's unit.
    pub hard: i128,
    /// First two parameters by type (docs/limits.md); the others stand in `more_params`.
    pub params: [i64; 2],
    /// The node that it binds.
    pub node: NodeId,
    /// Only this instrument; none for all.
    pub instrument: InstrumentId,
    /// Date of the last warning.
    pub warned_day: DayNumber,
    /// [`LimitType`].
    pub limit_type: u8,
    /// [`LimitAction`].
    pub action: u8,
    /// Warning threshold in percent; 0 for none.
    pub soft_pct: u8,
    /// 1 set, 2 removed, 0 never set.
    pub state: u8,
    /// Index into [`SPECS`].
    pub(super) spec: u8,
    /// Only this kind of instrument; 0 for all.
    pub filter_kind: u8,
    /// Number of the only sector, where `has_sector` is 1.
    pub filter_sector: u16,
    /// 1 where it binds one sector.
    pub has_sector: u8,
    /// 1 while the state that it set stands (limits on equity, actions RESTRICT and KILL).
    pub tripped: u8,
    /// Place of the gathered row that it counts in, plus 1; 0 for none.
    pub(super) place: u8,
    #[doc(hidden)]
    pub reserved: [u8; 9],
    /// State of its own: GCRA's theoretical arrival time in nanoseconds times rate; the high-water mark of a trailing
    /// drawdown at 1e-8.
    pub own: i128,
    /// Parameters from the third on.
    pub more_params: [i64; 4],
    /// Stamps of a sliding window.
    pub ring: Ring,
}

const _: () = assert!(size_of::<LimitRow>() == 128);

impl LimitRow {
    /// A limit that was never set.
    pub const NONE: Self = Self {
        hard: 0,
        params: [0; 2],
        node: NodeId::NONE,
        instrument: InstrumentId::NONE,
        warned_day: 0,
        limit_type: 0,
        action: 0,
        soft_pct: 0,
        state: 0,
        spec: 0,
        filter_kind: 0,
        filter_sector: 0,
        has_sector: 0,
        tripped: 0,
        place: 0,
        reserved: [0; 9],
        own: 0,
        more_params: [0; 4],
        ring: Ring::NONE,
    };

    /// All parameters, in the order of the event that set them.
    #[inline]
    pub fn all_params(&self) -> [i64; 6] {
        let ([first, second], [third, fourth, fifth, sixth]) = (self.params, self.more_params);
        [first, second, third, fourth, fifth, sixth]
    }

    /// What its type measures.
    #[inline]
    pub fn spec(&self) -> &'static Spec {
        &SPECS[usize::from(self.spec) % SPECS.len()]
    }

    fn place_of(&self) -> Option<usize> {
        let by_sector = self.has_sector == 1 || self.limit_type == LimitType::Sector as u8;
        match (by_sector, self.filter_kind != 0) {
            _ if !self.instrument.is_none() => None,
            (false, false) => self.spec().totals.then_some(0),
            (true, false) => Some(1),
            (false, true) => Some(2),
            (true, true) => Some(3),
        }
    }

    /// What the node has to gather for it, as bits of [`gathers`].
    fn gathers(&self) -> u8 {
        let of_instrument = if self.spec().totals { gathers::ALL } else { 0 };
        let place = self.place.checked_sub(1);
        place.map_or(of_instrument, |place| 1 << place)
    }
}

/// Why a limit cannot be set, or `None` where it can.
pub fn refusal(event: &LimitSet) -> Option<RejectCode> {
    let Some((_, spec)) = spec_of(event.limit_type) else {
        return Some(RejectCode::UnknownLimit);
    };
    let action = LimitAction::from_code(event.action);
    // SLOW shrinks rates; the other types have none.
    let is_rate = matches!(spec.limit_type, LimitType::OrderRate | LimitType::MsgRate);
    let acts = action.is_some_and(|action| action != LimitAction::Slow || is_rate);
    let kind_ok = event.filter_kind == 0 || InstrumentKind::from_code(event.filter_kind).is_some();
    let filters = event.filter_kind != 0 || !event.filter_sector.is_empty();
    let filter_ok = kind_ok && (!filters || event.filter_instrument.is_none());
    // What looks at no instrument cannot be filtered by one.
    let filterable = !matches!(spec.when, When::Equity | When::Execution)
        && spec.limit_type != LimitType::Emergency
        && !is_rate
        || !filters && event.filter_instrument.is_none();
    let ok = acts
        && (0..=HARD_MAX).contains(&event.hard)
        && event.soft_pct <= 100
        && event.removed <= 1
        && filter_ok
        && filterable
        && (spec.accepts)(event);
    (!ok).then_some(RejectCode::InvalidValue)
}

/// The list that a spec's limits stand in.
fn list_of(node: &mut NodeRow, when: When) -> &mut Block {
    match when {
        When::Gate | When::GateOfInstrument => &mut node.gates,
        When::Order => &mut node.limits,
        When::Equity => &mut node.equities,
        When::Execution => &mut node.watchers,
    }
}

/// All limits, by id.
pub struct Limits {
    rows: Vec<LimitRow>,
    pool: Pool,
    /// By node.
    ceilings: Vec<Ceilings>,
    labels: Vec<Code>,
    used: u32,
    /// Limits in force that ask whether an order repeats another (L10).
    pub repeats: u32,
    /// The longest window that such a limit has had, nanoseconds: what is older was never asked for.
    pub repeats_window_ns: u64,
    /// Limits in force that keep own orders from trading with one another (L15).
    pub self_trades: u32,
    /// True once a limit compared cash in base currency (L29): what open orders need of it is kept from then on.
    pub counts_base: bool,
    /// True once a limit that watches executions was set (L13).
    pub watches: bool,
}

impl Limits {
    /// Room for `max` limits of `nodes` nodes.
    pub fn new(max: u32, nodes: u32) -> Self {
        Self {
            rows: vec![LimitRow::NONE; max as usize],
            pool: Pool::new(max),
            ceilings: vec![Ceilings::NONE; nodes as usize],
            labels: vec![Code::EMPTY; max as usize],
            used: 0,
            repeats: 0,
            repeats_window_ns: 0,
            self_trades: 0,
            counts_base: false,
            watches: false,
        }
    }

    /// The row of a limit that is in force.
    #[inline]
    pub fn get(&self, limit: LimitId) -> Option<&LimitRow> {
        self.rows.get(limit.index()).filter(|row| row.state == 1)
    }

    /// Its name.
    pub fn label(&self, limit: LimitId) -> Code {
        self.labels.get(limit.index()).copied().unwrap_or(Code::EMPTY)
    }

    /// How many have a row.
    pub fn used(&self) -> u32 {
        self.used
    }

    /// The row, whatever its state.
    #[inline]
    pub fn row_mut(&mut self, limit: LimitId) -> Option<&mut LimitRow> {
        self.rows.get_mut(limit.index())
    }

    /// The terms of a node's list, those of the limit that was set first in front. Some may be removed.
    #[inline]
    pub fn terms(&self, list: Block) -> &[Terms] {
        self.pool.of(list)
    }

    /// The ceilings of a node's limits on orders.
    #[inline]
    pub fn ceilings(&self, node: NodeId) -> &Ceilings {
        self.ceilings.get(node.index()).unwrap_or(&Ceilings::NONE)
    }

    /// Fetches a node's ceilings.
    #[inline]
    pub fn prefetch_ceilings(&self, node: NodeId) {
        self.ceilings(node).prefetch();
    }

    /// Fetches the limits that a node's ceilings leave; these have been fetched before.
    #[inline]
    pub fn prefetch_asked(&self, node: NodeId) {
        self.pool.prefetch(self.ceilings(node).asked());
    }

    /// Fetches what an order reads of a node's list.
    #[inline]
    pub fn prefetch(&self, list: Block) {
        self.pool.prefetch(list);
    }

    /// Fetches the rows of a list of gates that remember messages; its terms have been fetched before.
    #[inline]
    pub fn prefetch_rates(&self, gates: Block) {
        for terms in self.terms(gates).iter().filter(|terms| terms.has(traits::RATE)) {
            if let Some(row) = self.rows.get(terms.id.index()) {
                prefetch_lines::<2, _>(row);
            }
        }
    }

    /// The row of the limit in a place of a node's list, whatever its state, for a walk that changes rows; `None` behind the last.
    #[inline]
    pub fn nth_mut(&mut self, list: Block, place: usize) -> Option<&mut LimitRow> {
        let limit = self.pool.of(list).get(place)?.id;
        self.rows.get_mut(limit.index())
    }

    /// Limits in a node's list that are in force, the newest first.
    #[inline]
    pub fn list(&self, list: Block) -> impl Iterator<Item = (LimitId, &LimitRow)> {
        let ids = self.pool.of(list).iter().rev().map(|terms| terms.id);
        ids.filter_map(|id| self.get(id).map(|row| (id, row)))
    }

    /// True where there is room for what the limit needs beside its row.
    pub fn has_room(&self, event: &LimitSet, stamps: &Stamps, hierarchy: &Hierarchy) -> bool {
        let Some((spec_at, _)) = spec_of(event.limit_type) else {
            return false;
        };
        let held = self.rows.get(event.limit.index());
        let stamps_needed = ring_len(event);
        let has_ring = held.is_some_and(|row| row.state != 0 && row.ring.room() >= stamps_needed);
        let wanted = row_of(event, spec_at, 0).gathers();
        let node_has = hierarchy.node(event.node).map_or(0, |node| node.gathers);
        let rows_needed = if wanted & !node_has == 0 {
            0
        } else {
            hierarchy.count_pairs(event.node)
        };
        (stamps_needed == 0 || has_ring || stamps.has_room(stamps_needed))
            && !hierarchy.groups.is_full(rows_needed)
    }

    /// Puts an accepted limit into its row, and a new one into its node's list.
    pub fn set(
        &mut self,
        event: &LimitSet,
        hierarchy: &mut Hierarchy,
        stamps: &mut Stamps,
        now_ns: UnixNanos,
    ) {
        let Some((spec_at, spec)) = spec_of(event.limit_type) else {
            return;
        };
        let Some(held) = self.rows.get(event.limit.index()).copied() else {
            return;
        };
        let sector = if event.filter_sector.is_empty() {
            0
        } else {
            hierarchy.groups.sector(&event.filter_sector)
        };
        let is_new = held.state == 0;
        let fresh = row_of(event, spec_at, sector);
        let mut row = LimitRow {
            warned_day: held.warned_day,
            tripped: held.tripped,
            own: held.own,
            ring: if is_new { Ring::NONE } else { held.ring },
            ..fresh
        };
        if super::rate::is_gcra(&held) && super::rate::is_gcra(&row) {
            row.own = super::rate::rescaled(&held, &row, now_ns);
        }
        super::equity::begin(&mut row, &held);
        let needed = ring_len(event);
        if row.ring.room() < needed {
            stamps.grow(&mut row.ring, needed);
        }
        self.count_kind(&held, &row);
        self.rows[event.limit.index()] = row;
        self.labels[event.limit.index()] = event.label;
        self.used = self.used.max(event.limit.0 + 1);
        if let Some(node) = hierarchy.node_mut(event.node) {
            self.pool
                .put(list_of(node, spec.when), Terms::of(event.limit, &row));
            if spec.when == When::Order {
                let list = node.limits;
                self.set_ceilings(list, event.node, &Terms::of(event.limit, &row));
            }
            if spec.when == When::Execution {
                node.flags |= node_flags::WATCHED;
                self.watches = true;
            }
            match spec.limit_type {
                LimitType::BuyingPower => {
                    self.counts_base |= cash::in_base(&event.params);
                    self.set_fee(node);
                }
                LimitType::SelfTrade => self.set_self_trade(node),
                _ => {}
            }
        }
        if row.state == 1 {
            hierarchy.ask_for(event.node, row.gathers());
        }
    }

    /// Works out the ceilings of a node, one of whose limits was set.
    fn set_ceilings(&mut self, list: Block, node: NodeId, terms: &Terms) {
        let Some(held) = self.ceilings.get_mut(node.index()) else {
            return;
        };
        let mut asked = held.asked();
        if !terms.is_covered() {
            self.pool.put(&mut asked, *terms);
        } else if self.pool.has(asked, terms.id) {
            self.pool.put(&mut asked, terms.removed());
        }
        *held = Ceilings::of(self.pool.of(list), asked);
    }

    /// Counts what is asked for only where a limit of the kind is in force.
    fn count_kind(&mut self, held: &LimitRow, row: &LimitRow) {
        let (was, is) = (held.state == 1, row.state == 1);
        if row.limit_type == LimitType::DupContent as u8 {
            self.repeats = self.repeats + u32::from(is) - u32::from(was);
            self.repeats_window_ns = self.repeats_window_ns.max(gate::dup_window_ns(row));
        }
        if row.limit_type == LimitType::SelfTrade as u8 {
            self.self_trades = self.self_trades + u32::from(is) - u32::from(was);
        }
    }

    /// Writes the fee estimate of a node's BUYING_POWER limits on the node: the highest of those in force.
    fn set_fee(&self, node: &mut NodeRow) {
        let of_cash = |row: &&LimitRow| row.limit_type == LimitType::BuyingPower as u8;
        let bps = self
            .list(node.limits)
            .map(|(_, row)| row)
            .filter(of_cash)
            .map(|row| row.params[cash::FEE_BPS])
            .max();
        node.fee_bps = bps.map_or(NodeRow::NO_FEE, |bps| bps as u16);
    }

    /// Marks a node whose own orders must not trade with one another; where that is the venue's to see to, nothing is asked here.
    fn set_self_trade(&self, node: &mut NodeRow) {
        let mode = |row: &LimitRow| gate::self_trade::mode(row);
        let prevents = self
            .list(node.limits)
            .filter_map(|(_, row)| mode(row))
            .any(|mode| mode != SelfTradeMode::Decrement);
        node.flags &= !node_flags::SELF_TRADE;
        if prevents {
            node.flags |= node_flags::SELF_TRADE;
        }
    }

    /// True where the event would move a limit that is set to another node or type: refused, a limit keeps both.
    pub fn moves(&self, event: &LimitSet) -> bool {
        let held = self.rows.get(event.limit.index()).filter(|row| row.state != 0);
        held.is_some_and(|row| row.node != event.node || row.limit_type != event.limit_type)
    }

    /// The node that a limit binds, for a removal that does not name it.
    pub fn node_of(&self, limit: LimitId) -> NodeId {
        let held = self.rows.get(limit.index()).filter(|row| row.state != 0);
        held.map_or(NodeId::NONE, |row| row.node)
    }

    /// Every limit in force.
    pub fn all(&self) -> impl Iterator<Item = (LimitId, &LimitRow)> {
        self.rows[..self.used as usize]
            .iter()
            .enumerate()
            .filter(|(_, row)| row.state == 1)
            .map(|(at, row)| (LimitId(at as u32), row))
    }

    /// Feeds the rows to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        let used = self.used as usize;
        for row in self.rows[..used].iter().filter(|row| row.state != 0) {
            sink(bytes_of(row));
        }
        for label in &self.labels[..used] {
            sink(bytes_of(label));
        }
    }
}

/// The row that an event asks for, without what a limit gathers while it is in force.
fn row_of(event: &LimitSet, spec: u8, sector: u16) -> LimitRow {
    let row = LimitRow {
        hard: event.hard,
        params: [event.params[0], event.params[1]],
        more_params: [event.params[2], event.params[3], event.params[4], event.params[5]],
        node: event.node,
        instrument: event.filter_instrument,
        limit_type: event.limit_type,
        action: event.action,
        soft_pct: event.soft_pct,
        state: if event.removed == 1 { 2 } else { 1 },
        spec,
        filter_kind: event.filter_kind,
        filter_sector: sector,
        has_sector: u8::from(!event.filter_sector.is_empty()),
        ..LimitRow::NONE
    };
    LimitRow {
        place: row.place_of().map_or(0, |place| place as u8 + 1),
        ..row
    }
}

/// Stamps that the limit needs: those of a sliding window, or of a count of executions.
fn ring_len(event: &LimitSet) -> u32 {
    let slides = match LimitType::from_code(event.limit_type) {
        Some(LimitType::OrderRate | LimitType::MsgRate) => event.params[1] == super::rate::SLIDING,
        Some(LimitType::RepeatedExec) => true,
        _ => false,
    };
    if slides && event.removed == 0 {
        u32::try_from(event.hard).unwrap_or(u32::MAX)
    } else {
        0
    }
}
