//! Cash, limits, control states, sessions, timers and the engine's start.

use super::book::{Book, Settings};
use crate::hierarchy::NodeRow;
use crate::limits;
use crate::orders::keys::Key;
use tradewind_domain::codes::{ControlState, LimitType, Restriction};
use tradewind_domain::event::{
    CashMove, Control, EngineStarted, Event, Kind, LimitSet, Locate, NodeSet, RestrictedSet, SessionEvent,
    Timer, TimerKind, Verdict,
};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{AccountId, NodeId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::rounding::{Rounding, div_round};
use tradewind_domain::text::ExecId;
use tradewind_domain::time::UnixNanos;

/// Scope of payment references in the key space of executions.
const CASH_SCOPE: u64 = 1 << 41;
/// The largest payment, in units of 1e-8: a hundred trillion.
const AMOUNT_MAX: i128 = 10_000_000_000_000_000_000_000;

impl Book {
    /// Decides a deposit or withdrawal: known account and currency, a sensible amount, a new reference, and for a
    /// withdrawal enough settled cash that no order holds.
    pub(super) fn decide_cash(&self, event: &mut Event, kind: Kind) {
        let notes = event.head.notes;
        let cash: CashMove = *event.body();
        let wallet = self.wallets.find_or_next(cash.account, cash.currency);
        let mut verdict = Verdict::default();
        let code = Note::first(notes).or_else(|| {
            if cash.amount.raw() <= 0 || cash.amount.raw() > AMOUNT_MAX {
                return Some(RejectCode::InvalidValue);
            }
            if cash.reference.is_empty() {
                return Some(RejectCode::Malformed);
            }
            let day = self.calendars.date(tradewind_domain::ids::CalendarId::UTC);
            if self.exec_ids.is_full(day, 0, self.exec_ids.capacity() / 8) {
                return Some(RejectCode::Capacity);
            }
            if self
                .exec_ids
                .is_known(self.payment_key(cash.account, &cash.reference))
            {
                return Some(RejectCode::DuplicateExecId);
            }
            let Some(wallet) = wallet else {
                return Some(RejectCode::Capacity);
            };
            if kind == Kind::Withdrawal && cash.amount.raw() > self.withdrawable(wallet) {
                verdict.used = cash.amount.raw();
                return Some(RejectCode::BuyingPower);
            }
            None
        });
        if let Some(code) = code {
            event.reject(code);
        }
        let rate = self.market.rate(cash.currency).unwrap_or(0);
        let body: &mut CashMove = event.body_mut();
        body.verdict = verdict;
        body.wallet = wallet.unwrap_or_default();
        body.rate = rate;
    }

    /// The key of a payment's reference.
    pub(super) fn payment_key(&self, account: AccountId, reference: &ExecId) -> Key {
        self.hasher
            .key(CASH_SCOPE | u64::from(account.0), reference.padded())
    }

    /// Makes a payment's facts true.
    pub(super) fn apply_cash(&mut self, event: &Event, kind: Kind) {
        if event.is_rejected() {
            return;
        }
        let cash: &CashMove = event.body();
        let key = self.payment_key(cash.account, &cash.reference);
        let day = self.calendars.date(tradewind_domain::ids::CalendarId::UTC);
        self.exec_ids.remember(key, event.head.seq, day);
        self.wallets.make(cash.wallet, cash.account, cash.currency);
        let signed = if kind == Kind::Withdrawal {
            -cash.amount.raw()
        } else {
            cash.amount.raw()
        };
        match self.wallets.row_mut(cash.wallet) {
            Some(row) => row.settled = Money::from_raw(row.settled.raw() + signed),
            None => self.faults += 1,
        }
        self.move_equity(cash.leaf, signed, cash.rate, event.head.recv_ns);
    }

    /// Money from outside moves equity, balance and the start of the day alike, at the node and at those above: it is neither a profit
    /// nor a loss (L33). A node without a figure has nothing to move.
    fn move_equity(&mut self, leaf: NodeId, amount: i128, rate: i64, now_ns: UnixNanos) {
        let scaled = amount.saturating_mul(i128::from(rate));
        let value = div_round(scaled, i128::from(ONE), Rounding::HalfUp).unwrap_or(0);
        let mut at = leaf;
        while let Some(node) = self.hierarchy.node_mut(at) {
            at = NodeId(node.parent);
            node.paid_ns = now_ns;
            if node.sod_day != 0 {
                node.equity = node.equity.saturating_add(value);
                node.balance = node.balance.saturating_add(value);
                node.sod_balance = node.sod_balance.saturating_add(value);
                node.sod_equity = node.sod_equity.saturating_add(value);
            }
        }
    }

    /// Decides a limit: a type that is evaluated, sensible figures, a node that exists. A removal needs to say which limit and no
    /// more: the rest is written from what is in force, so that the record says what was removed.
    pub(super) fn decide_limit(&self, event: &mut Event) {
        let notes = event.head.notes;
        let limit: &mut LimitSet = event.body_mut();
        let code = Note::first(notes)
            .or_else(|| self.complete_removal(limit))
            .or_else(|| limits::refusal(limit))
            .or_else(|| {
                self.hierarchy
                    .node(limit.node)
                    .is_none()
                    .then_some(RejectCode::UnknownNode)
            })
            .or_else(|| self.limits.moves(limit).then_some(RejectCode::NameTaken))
            .or_else(|| {
                let has_room = self.limits.has_room(limit, &self.stamps, &self.hierarchy)
                    && self.limits.has_edge(limit, &self.hierarchy)
                    && self.has_room_to_prevent(limit);
                (!has_room).then_some(RejectCode::Capacity)
            });
        if let Some(code) = code {
            event.reject(code);
        }
    }

    fn complete_removal(&self, limit: &mut LimitSet) -> Option<RejectCode> {
        if limit.removed != 1 {
            return None;
        }
        let Some(held) = self.limits.get(limit.limit) else {
            return Some(RejectCode::UnknownLimit);
        };
        if limit.node.is_none() {
            limit.node = held.node;
        }
        if limit.limit_type == 0 {
            limit.limit_type = held.limit_type;
        }
        (limit.hard, limit.params) = (held.hard, held.all_params());
        (limit.action, limit.soft_pct) = (held.action, held.soft_pct);
        limit.filter_instrument = held.instrument;
        limit.filter_kind = held.filter_kind;
        if held.has_sector == 1 {
            limit.filter_sector = self.hierarchy.groups.sector_name(held.filter_sector);
        }
        None
    }

    /// Decides a line of a restricted list: the limit and the instrument exist, and there is room.
    pub(super) fn decide_restricted(&self, event: &mut Event) {
        let notes = event.head.notes;
        let line: &RestrictedSet = event.body();
        let held = self.limits.get(line.limit);
        let is_list = held.is_some_and(|row| row.limit_type == LimitType::Restricted as u8);
        let code = Note::first(notes).or({
            if !is_list {
                Some(RejectCode::UnknownLimit)
            } else if line.restriction != 0 && Restriction::from_code(line.restriction).is_none() {
                Some(RejectCode::InvalidValue)
            } else if !self.restricted.has_room(line.limit, line.instrument) {
                Some(RejectCode::Capacity)
            } else {
                None
            }
        });
        if let Some(code) = code {
            event.reject(code);
        }
    }

    /// Decides what was located: a known account and instrument, and a row for them.
    pub(super) fn decide_locate(&self, event: &mut Event) {
        let notes = event.head.notes;
        let locate: Locate = *event.body();
        let chain = self.hierarchy.chain(locate.leaf, locate.instrument);
        let holding = self.holding_or_next(&chain);
        let code = Note::first(notes).or(match holding {
            _ if locate.qty < 0 => Some(RejectCode::InvalidQty),
            None => Some(RejectCode::Capacity),
            Some(_) => None,
        });
        if let Some(code) = code {
            event.reject(code);
        }
        event.body_mut::<Locate>().holding = holding.unwrap_or_default();
    }

    /// Makes a locate true. It is a grant for each day until it is changed.
    pub(super) fn apply_locate(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        let locate: Locate = *event.body();
        self.make_pairs(locate.leaf, locate.instrument, locate.holding);
        self.shorts.locate(locate.holding, locate.qty);
    }

    /// Decides a change of a control state. Re-arming a KILL takes two people (LIMITS section 7).
    pub(super) fn decide_control(&self, event: &mut Event, kind: Kind) {
        let control: Control = *event.body();
        let asked = match kind {
            Kind::Kill => Some(ControlState::Kill),
            Kind::Rearm => Some(ControlState::Active),
            _ => ControlState::from_code(control.state).filter(|&state| state != ControlState::Kill),
        };
        let target = self.control_target(control.node, control.instrument, control.session, control.venue);
        let code = match (Note::first(event.head.notes), asked, target) {
            (Some(code), _, _) => Some(code),
            (None, None, _) => Some(RejectCode::InvalidValue),
            (None, _, None) => Some(RejectCode::UnknownNode),
            (None, Some(asked), Some(before)) => {
                let loosens_kill = before == ControlState::Kill as u8 && asked != ControlState::Kill;
                let one_person = control.second.is_empty()
                    || control.second == control.author
                    || control.author.is_empty();
                match kind {
                    Kind::Rearm if loosens_kill && one_person => Some(RejectCode::DualControlRequired),
                    Kind::StateSet if loosens_kill => Some(RejectCode::DualControlRequired),
                    _ => None,
                }
            }
        };
        if let Some(code) = code {
            event.reject(code);
        }
        let before = target.unwrap_or(0);
        let body: &mut Control = event.body_mut();
        body.state_before = before;
        body.state_after = if code.is_some() {
            before
        } else {
            asked.map_or(before, |state| state as u8)
        };
    }

    /// Makes a control state true.
    pub(super) fn apply_control(&mut self, event: &Event, kind: Kind) {
        if event.is_rejected() {
            return;
        }
        let control: Control = *event.body();
        self.set_control(
            control.node,
            control.instrument,
            control.session,
            control.state_after,
        );
        if kind == Kind::Rearm {
            self.rearm_limits(control.node);
        }
    }

    /// Decides a session's coming or going: its number must be in the table.
    pub(super) fn decide_session(&self, event: &mut Event) {
        let session: &SessionEvent = event.body();
        if !self.knows_session(session.session) {
            event.reject(RejectCode::UnknownSession);
        }
    }

    /// Takes reference data and the engine's start: decided elsewhere, or by nobody.
    pub(super) fn apply_reference(&mut self, event: &Event, kind: Kind) {
        if event.is_rejected() {
            return;
        }
        self.rules.apply(event);
        self.rows.see(event, kind);
        match kind {
            Kind::AccountSet | Kind::NodeSet => {
                let body: &NodeSet = event.body();
                let row = NodeRow {
                    parent: body.parent.0,
                    account: body.account,
                    calendar: body.calendar,
                    level: body.level,
                    account_kind: if kind == Kind::AccountSet { body.kind } else { 0 },
                    ..NodeRow::NONE
                };
                if kind == Kind::AccountSet {
                    self.set_account(body.account, body.kind, body.calendar);
                }
                self.hierarchy.set_node(body.node, row);
            }
            Kind::LimitSet => {
                let limit = self.with_quota(event.body());
                let prevented = self.prevents_at(limit.node);
                let is_of_cash = limit.limit_type == LimitType::BuyingPower as u8;
                if is_of_cash {
                    self.note_all_needs(false);
                }
                self.limits
                    .set(&limit, &mut self.hierarchy, &mut self.stamps, event.head.recv_ns);
                if is_of_cash {
                    self.note_all_needs(true);
                }
                if limit.limit_type == LimitType::SelfTrade as u8 {
                    self.apply_self_trade_limit(prevented, limit.node);
                }
            }
            Kind::RestrictedSet => {
                let line: &RestrictedSet = event.body();
                let is_set = self.restricted.set(line.limit, line.instrument, line.restriction);
                self.faults += u64::from(!is_set);
            }
            Kind::EntitlementSource => self.apply_entitlement(event),
            Kind::CalendarSet => self.calendars.set_days(event.body()),
            Kind::SessionConnected | Kind::SessionDisconnected => {
                let session = event.body::<SessionEvent>().session;
                if let Some(row) = self.sessions.get_mut(session.index()) {
                    row.connected = u8::from(kind == Kind::SessionConnected);
                }
            }
            Kind::Timer => {
                let timer: &Timer = event.body();
                if timer.timer == TimerKind::DayRoll as u8 {
                    self.calendars.roll(timer.calendar, timer.date);
                    self.announced.roll(timer.calendar, timer.date);
                    self.note_due(event.head.seq);
                }
            }
            Kind::CorporateAction => self.announce(event.body(), event.head.seq),
            Kind::EngineStarted => {
                let start: &EngineStarted = event.body();
                self.settings = Settings {
                    market_slip_bps: start.market_slip_bps,
                    ref_max_age_ms: start.ref_max_age_ms,
                    shard: u32::from(start.shard),
                };
                self.actions.begin_run(start.rules_version);
                self.set_capacities(&start.capacities);
            }
            _ => {
                self.market.apply(event);
                self.value_instruments(event, kind);
            }
        }
    }
}
