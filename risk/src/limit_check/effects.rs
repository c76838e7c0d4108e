//! What limits do beside refusing: they set the state of their node (actions RESTRICT, KILL, SLOW), disable strategies that execute too
//! often, and hold equity above its floor. Each change of a state is an effect of its own, in the group of the event that
//! caused it (docs/architecture, "one input, many effects").

use super::book::Book;
use super::findings::hits;
use crate::hierarchy::{NIL, NodeRow, node_flags};
use crate::limits::{Ask, LimitRow, Old, equity, reaches};
use crate::orders::table::OrderRow;
use bytemuck::{Zeroable, bytes_of};
use tradewind_domain::codes::{ControlState, LimitAction, LimitType};
use tradewind_domain::event::{
    Control, EntitlementSource, Event, Execution, HitKind, Kind, LimitHit, OrderNew, OrderReplace, Valuation,
    control_effects, execution_alerts,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId, SessionId, VenueId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::Code;

/// Limits of one event that change a state; further ones act on the next event.
pub(super) const TRIPS_MAX: usize = 8;

/// Limits whose effect is still to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trips {
    limits: [u32; TRIPS_MAX],
    count: u8,
    next: u8,
}

impl Trips {
    fn push(&mut self, limit: LimitId) {
        let so_far = &self.limits[..usize::from(self.count)];
        if usize::from(self.count) < TRIPS_MAX && !so_far.contains(&limit.0) {
            self.limits[usize::from(self.count)] = limit.0;
            self.count += 1;
        }
    }

    /// Takes another event's in.
    pub(super) fn join(&mut self, other: &Self) {
        other.all().for_each(|limit| self.push(limit));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.next == self.count
    }

    pub(super) fn take(&mut self) -> Option<LimitId> {
        let limit = *self.limits[..usize::from(self.count)].get(usize::from(self.next))?;
        self.next += 1;
        Some(LimitId(limit))
    }

    /// All of them, taken or not.
    pub(super) fn all(&self) -> impl Iterator<Item = LimitId> + '_ {
        self.limits[..usize::from(self.count)]
            .iter()
            .map(|&limit| LimitId(limit))
    }
}

/// The state that a breach of the limit sets; `None` where it only refuses or alerts.
pub(super) fn state_of(row: &LimitRow) -> Option<u8> {
    match LimitType::from_code(row.limit_type) {
        Some(LimitType::DailyLoss | LimitType::MaxDdStatic | LimitType::MaxDdTrailing) => {
            Some(equity::action(row))
        }
        Some(LimitType::RepeatedExec) => Some(control_effects::DISABLED),
        _ => match LimitAction::from_code(row.action)? {
            LimitAction::Restrict => Some(ControlState::ReduceOnly as u8),
            LimitAction::Kill => Some(ControlState::Kill as u8),
            LimitAction::Slow => Some(control_effects::SLOW),
            LimitAction::Alert | LimitAction::Reject => None,
        },
    }
}

impl Book {
    /// Decides an equity figure, and says how it stands to the node's floors.
    pub(super) fn decide_valuation(&self, event: &mut Event) {
        let valuation: Valuation = *event.body();
        let bad = |figure: Money| !figure.is_postable();
        let node = self.hierarchy.node(valuation.node);
        let code = Note::first(event.head.notes).or(match node {
            None => Some(RejectCode::UnknownNode),
            Some(_) if bad(valuation.equity) || bad(valuation.balance) => Some(RejectCode::InvalidValue),
            Some(node) => superseded(node, event),
        });
        if let Some(code) = code {
            event.reject(code);
            event.body_mut::<Valuation>().hits = 0;
            return;
        }
        let Some(node) = node else { return };
        let after = self.valued(node, &valuation);
        // What has happened goes first: with many floors the tail may have no room for how they all stand.
        let mut count = 0;
        for kinds in [&[HitKind::Alerted, HitKind::Warned][..], &[HitKind::Floor]] {
            for (id, row) in self.limits.list(node.equities) {
                let (hit, found) = self.stands(id, &ratcheted(row, node, &after), &after);
                for kind in kinds
                    .iter()
                    .filter(|&&kind| kind == HitKind::Floor || found == Some(kind))
                {
                    let hit = LimitHit {
                        kind: *kind as u8,
                        ..hit
                    };
                    count += u16::from(event.append_tail(bytes_of(&hit)));
                }
            }
        }
        event.body_mut::<Valuation>().hits = count;
    }

    /// How a node's equity stands to a floor, and whether that is a breach or a warning.
    fn stands(&self, id: LimitId, row: &LimitRow, node: &NodeRow) -> (LimitHit, Option<HitKind>) {
        let (reference, floor) = equity::floor(row, node);
        let used = node
            .equity
            .saturating_mul(i128::from(tradewind_domain::fixed::ONE));
        let hit = LimitHit {
            used,
            hard: floor,
            limit: id,
            level: node.level,
            ..LimitHit::zeroed()
        };
        let is_new = row.warned_day != self.calendars.date(node.calendar);
        let found = if used < floor {
            (row.tripped == 0).then_some(HitKind::Alerted)
        } else {
            (is_new && equity::warns(row, reference, node.equity)).then_some(HitKind::Warned)
        };
        (hit, found)
    }

    /// The node with the new figures. The first figure of a trading day makes the last one of the day before its start.
    fn valued(&self, node: &NodeRow, valuation: &Valuation) -> NodeRow {
        let mut after = *node;
        let date = self.calendars.date(node.calendar);
        let balance = valuation.balance.raw();
        let is_first = after.sod_day == 0;
        after.equity = valuation.equity.raw();
        if valuation.has_balance != 0 {
            after.balance = balance;
            after.flags |= node_flags::HAS_BALANCE;
        }
        if valuation.is_from_outside() {
            after.flags |= node_flags::VALUED_OUTSIDE;
        }
        if is_first {
            after.sod_balance = if valuation.has_balance != 0 {
                balance
            } else {
                after.equity
            };
            after.sod_equity = after.equity;
        } else if after.sod_day != date {
            (after.sod_balance, after.sod_equity) = start_of_day(node);
        }
        after.sod_day = date;
        after
    }

    /// Makes an equity figure true.
    pub(super) fn apply_valuation(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        let valuation: Valuation = *event.body();
        let Some(node) = self.hierarchy.node(valuation.node).copied() else {
            self.faults += 1;
            return;
        };
        let after = self.valued(&node, &valuation);
        let mut place = 0;
        while let Some(row) = self.limits.nth_mut(node.equities, place) {
            place += 1;
            *row = ratcheted(row, &node, &after);
        }
        if let Some(held) = self.hierarchy.node_mut(valuation.node) {
            *held = after;
        }
        self.mark_warnings(event, valuation.hits, NIL);
    }

    /// The limits whose breach this event records, or that its execution has tripped.
    pub(super) fn trips_of(&self, event: &Event, kind: Kind) -> Trips {
        let mut trips = Trips::default();
        let (count, wanted) = match kind {
            Kind::Valuation => (event.body::<Valuation>().hits, HitKind::Alerted),
            Kind::OrderNew => (event.body::<OrderNew>().verdict.hits, HitKind::Refused),
            Kind::OrderReplace => (event.body::<OrderReplace>().verdict.hits, HitKind::Refused),
            Kind::VenueFill | Kind::TradeCapture if !event.is_rejected() => {
                return self.trips_of_execution(event);
            }
            _ => return trips,
        };
        if count != 0 {
            for hit in hits(event, count).filter(|hit| hit.kind == wanted as u8) {
                if self.acts(hit.limit).is_some() {
                    trips.push(hit.limit);
                }
            }
        }
        trips
    }

    /// Limits that the execution broke and that act on a state, and those that count executions (LIMITS section 9).
    fn trips_of_execution(&self, event: &Event) -> Trips {
        let mut trips = Trips::default();
        let execution: &Execution = event.body();
        if execution.alerts & execution_alerts::BREACH != 0 {
            // The tail of an accepted execution holds nothing but what the limits said.
            let count = usize::from(event.head.tail_len) / size_of::<LimitHit>();
            hits(event, count as u16)
                .filter(|hit| hit.kind == HitKind::Alerted as u8 && self.acts(hit.limit).is_some())
                .for_each(|hit| trips.push(hit.limit));
        }
        if !self.limits.watches {
            return trips;
        }
        let mut node = execution.leaf;
        while let Some(row) = self.hierarchy.node(node) {
            node = NodeId(row.parent);
            if row.flags & node_flags::WATCHED == 0 {
                continue;
            }
            for (id, limit) in self.limits.list(row.watchers) {
                if limit.tripped == 0 && reaches(limit, &self.stamps, event.head.recv_ns) {
                    trips.push(id);
                }
            }
        }
        trips
    }

    /// Counts an execution for the limits that watch executions.
    pub(super) fn watch_execution(&mut self, leaf: NodeId, now_ns: u64) {
        if !self.limits.watches {
            return;
        }
        let mut node = leaf;
        while let Some(row) = self.hierarchy.node(node) {
            node = NodeId(row.parent);
            if row.flags & node_flags::WATCHED == 0 {
                continue;
            }
            let (watchers, mut place) = (row.watchers, 0);
            while let Some(limit) = self.limits.nth_mut(watchers, place) {
                place += 1;
                if limit.state == 1 {
                    self.stamps.put(&mut limit.ring, now_ns);
                }
            }
        }
    }

    /// Writes the effect of a limit that was broken.
    pub(super) fn write_trip(&self, limit: LimitId, out: &mut Event) -> bool {
        let Some((row, state)) = self.acts(limit) else {
            return false;
        };
        self.write_state(row.node, limit, state, false, out);
        true
    }

    /// Writes that a limit's restriction ends with the trading day: what others set stays.
    pub(super) fn write_lapse(&self, limit: LimitId, out: &mut Event) -> bool {
        let Some(row) = self.limits.get(limit) else {
            return false;
        };
        let left = self.state_by_limits(row.node, limit);
        self.write_state(row.node, limit, left, true, out);
        true
    }

    fn write_state(&self, node: NodeId, limit: LimitId, state: u8, lapses: bool, out: &mut Event) {
        let before = self.hierarchy.node(node).map_or(0, NodeRow::control_state);
        out.reset(Kind::StateChanged);
        *out.body_mut() = Control {
            author: author_of(&self.limits.label(limit)),
            state,
            node,
            instrument: InstrumentId::NONE,
            session: SessionId::NONE,
            venue: VenueId::NONE,
            state_before: before,
            state_after: state,
            lapses: u8::from(lapses),
            limit,
            ..Control::zeroed()
        };
    }

    /// The most severe state below KILL that limits of the node hold it in, without this one.
    fn state_by_limits(&self, node: NodeId, without: LimitId) -> u8 {
        let Some(row) = self.hierarchy.node(node) else {
            return 0;
        };
        [row.limits, row.gates, row.equities]
            .into_iter()
            .flat_map(|first| self.limits.list(first))
            .filter(|(id, row)| *id != without && row.tripped == 1)
            .filter_map(|(_, row)| state_of(row))
            .filter(|&state| state < ControlState::Kill as u8)
            .max()
            .unwrap_or(0)
    }

    /// The node that a limit holds to orders which reduce its position, what rests included.
    pub(super) fn holds_to_reducing(&self, limit: LimitId) -> Option<NodeId> {
        let row = self.limits.get(limit)?;
        (row.tripped == 1 && equity::cancels_resting(row)).then_some(row.node)
    }

    /// True where an order that rests would pass the reduce test if it came now, itself left out (LIMITS section 14).
    pub(super) fn still_reduces(&self, order: &OrderRow) -> bool {
        let ask = Ask {
            leaves: order.leaves,
            replaces: true,
            old: Old::of(order),
            ..Ask::nothing(order.instrument, order.wallet, order.order_side(), 0)
        };
        let chain = self
            .hierarchy
            .chain_from(order.leaf, order.node_instrument, order.instrument);
        self.reduces(&ask, &chain)
    }

    /// True for a limit whose restriction ends when this calendar rolls: a day's loss, KILL apart.
    pub(super) fn lapses(&self, limit: LimitId, calendar: tradewind_domain::ids::CalendarId) -> bool {
        let row = self.limits.get(limit).filter(|row| row.tripped == 1);
        row.is_some_and(|row| {
            row.limit_type == LimitType::DailyLoss as u8
                && equity::action(row) != ControlState::Kill as u8
                && self
                    .hierarchy
                    .node(row.node)
                    .is_some_and(|node| node.calendar == calendar)
        })
    }

    /// Makes a limit's change of state true.
    pub(super) fn apply_state_changed(&mut self, event: &Event) {
        let control: &Control = event.body();
        let lapses = control.lapses != 0;
        if let Some(row) = self.limits.row_mut(control.limit) {
            row.tripped = u8::from(!lapses);
        }
        let Some(node) = self.hierarchy.node_mut(control.node) else {
            self.faults += 1;
            return;
        };
        match control.state_after {
            control_effects::DISABLED => node.flags |= node_flags::DISABLED,
            control_effects::SLOW => node.flags |= node_flags::SLOW,
            state if state == ControlState::Kill as u8 => node.state = state,
            state if lapses => node.limit_state = state,
            state => node.limit_state = node.limit_state.max(state),
        }
    }

    /// Takes back what limits have set at a node: a person has re-armed it.
    pub(super) fn rearm_limits(&mut self, node: NodeId) {
        let Some(row) = self.hierarchy.node_mut(node) else {
            return;
        };
        row.limit_state = 0;
        row.flags &= !(node_flags::DISABLED | node_flags::SLOW);
        let (lists, watchers) = ([row.limits, row.gates, row.equities], row.watchers);
        for list in lists {
            let mut place = 0;
            while let Some(limit) = self.limits.nth_mut(list, place) {
                place += 1;
                limit.tripped = 0;
            }
        }
        let mut place = 0;
        while let Some(limit) = self.limits.nth_mut(watchers, place) {
            place += 1;
            limit.tripped = 0;
            limit.ring.clear();
        }
    }

    /// Decides whether the entitlement source can be heard: always.
    pub(super) fn decide_entitlement(&self, event: &mut Event) {
        if event.body::<EntitlementSource>().up > 1 {
            event.reject(RejectCode::InvalidValue);
        }
    }

    /// The entitlement source went up or down; a second DOWN does not extend the outage.
    pub(super) fn apply_entitlement(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        let source: &EntitlementSource = event.body();
        if source.up != 0 {
            self.outage_ns = 0;
        } else if self.outage_ns == 0 {
            self.outage_ns = event.head.recv_ns;
        }
    }
}

/// Why a figure of our own books does not count: somebody outside values the node, or money has moved since the books were read, which
/// the figures that are held know already (a floor must not see a payment as a loss).
fn superseded(node: &NodeRow, event: &Event) -> Option<RejectCode> {
    let is_old = node.flags & node_flags::VALUED_OUTSIDE != 0 || event.head.origin_ns < node.paid_ns;
    (event.body::<Valuation>().is_own() && is_old).then_some(RejectCode::StateMismatch)
}

/// Balance and equity with which a trading day starts: the last ones of the day before.
fn start_of_day(node: &NodeRow) -> (i128, i128) {
    let balance = if node.flags & node_flags::HAS_BALANCE != 0 {
        node.balance
    } else {
        node.sod_balance
    };
    (balance, node.equity)
}

/// The limit with its high-water mark after the new figures: at the roll the closing balance counts, within the day equity, each where
/// the limit follows it. A mark never falls.
fn ratcheted(row: &LimitRow, before: &NodeRow, after: &NodeRow) -> LimitRow {
    let mut row = *row;
    let rolled = before.sod_day != 0 && before.sod_day != after.sod_day;
    if rolled && equity::follows_close(&row) && before.flags & node_flags::HAS_BALANCE != 0 {
        row.own = row.own.max(before.balance);
    }
    if equity::follows_equity(&row) {
        row.own = row.own.max(after.equity);
    }
    row
}

/// Who changed the state: the limit, by its label.
fn author_of(label: &Code) -> Code {
    const PREFIX: &[u8] = b"limit:";
    let mut name = [0; 32];
    let label = label.as_bytes();
    let len = label.len().min(name.len() - PREFIX.len());
    name[..PREFIX.len()].copy_from_slice(PREFIX);
    name[PREFIX.len()..PREFIX.len() + len].copy_from_slice(&label[..len]);
    Code::lossy(&name[..PREFIX.len() + len])
}
