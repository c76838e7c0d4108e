//! Tells a life while the journal goes by.

use super::concern::{Subject, concerns, view_of};
use super::life::{
    ExecutionView, HitView, OrderEvent, OrderLife, PositionAfter, Reservation, RuleView, Verdict,
};
use crate::error::ViewError;
use crate::figures::Unit;
use crate::hits::{hit_count, text_of};
use crate::names::{Names, px_or_none};
use crate::replica::Replica;
use crate::state::level;
use bytemuck::Zeroable;
use std::collections::HashMap;
use tradewind_books::position::PositionRow;
use tradewind_domain::codes::{ClockMode, LimitType, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    DerivedOrder, EngineStarted, Event, Execution, HitKind, Kind, LimitHit, LimitSet, MassCancel,
    OrderCancel, OrderNew, OrderReplace, VenueReport, execution_alerts,
};
use tradewind_domain::fixed::{Money, Notional, Qty, SCALE_DP};
use tradewind_domain::ids::{HoldingId, LimitId, NodeId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::{ClOrdId, Text};
use tradewind_feeds::Registry;
use tradewind_risk::limit_check::hits;
use tradewind_risk::orders::table::OrderRow;
use tradewind_rules::RuleBook;

/// An order's row, as far as its life tells of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shot {
    value: Notional,
    cash: Money,
    leaves: i64,
    cum: i64,
    state: u8,
}

impl Shot {
    pub(crate) fn of(row: &OrderRow) -> Self {
        Self {
            value: row.reserved_value(),
            cash: row.reserved_cash(),
            leaves: row.leaves,
            cum: row.cum,
            state: row.state,
        }
    }
}

/// What a limit's figures mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimitTerms {
    pub(crate) limit_type: u8,
    pub(crate) params: [i64; 6],
    pub(crate) node: NodeId,
}

/// Tells single events. `limits` has the limits that it names, also those that were removed since.
pub(crate) struct Teller<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) rules: &'a RuleBook,
    pub(crate) limits: &'a dyn Fn(LimitId) -> Option<LimitTerms>,
    /// False where `recv_ns` is the input's own time, which says nothing about how long anything took.
    pub(crate) is_wall_time: bool,
}

/// The replica, what has been told, and what must be remembered to tell the rest.
pub(super) struct Story {
    replica: Replica,
    subject: Subject,
    life: OrderLife,
    /// Limits as they were set last: a limit may be removed after it spoke.
    limits: HashMap<LimitId, LimitTerms>,
    is_wall_time: bool,
}

impl Story {
    pub(super) fn new(replica: Replica, subject: Subject) -> Self {
        Self {
            replica,
            subject,
            life: OrderLife::default(),
            limits: HashMap::new(),
            is_wall_time: true,
        }
    }

    pub(super) fn into_life(self) -> OrderLife {
        self.life
    }

    /// Takes the next event of the journal.
    pub(super) fn see(&mut self, event: &Event) -> Result<(), ViewError> {
        if !concerns(event, self.subject, self.replica.limit_check()) {
            self.replica.apply(event)?;
            self.learn(event);
            return Ok(());
        }
        let before = self.row();
        self.replica.apply(event)?;
        let limits = |limit: LimitId| self.limits.get(&limit).copied();
        let teller = Teller {
            registry: self.replica.registry(),
            rules: self.replica.rules(),
            limits: &limits,
            is_wall_time: self.is_wall_time,
        };
        if let Some(Kind::OrderNew) = event.kind() {
            self.life = teller.begin(event.body());
        }
        let shots = (Shot::of(&before), Shot::of(&self.row()));
        let position = self.replica.positions().position(holding_of(event, &before));
        let position = position.map(PositionAfter::of);
        teller.add(&mut self.life, event, shots, position);
        Ok(())
    }

    fn learn(&mut self, event: &Event) {
        match event.kind() {
            Some(Kind::EngineStarted) => {
                self.is_wall_time = event.body::<EngineStarted>().clock_mode != ClockMode::Input as u8;
            }
            Some(Kind::LimitSet) if !event.is_rejected() => {
                let set: &LimitSet = event.body();
                let terms = LimitTerms {
                    limit_type: set.limit_type,
                    params: set.params,
                    node: set.node,
                };
                if set.removed == 0 {
                    self.limits.insert(set.limit, terms);
                }
            }
            _ => {}
        }
    }

    /// The order's row as it stands; one of nothing where there is none.
    fn row(&self) -> OrderRow {
        let row = self.replica.limit_check().order(self.subject.order_id());
        row.copied().unwrap_or(OrderRow::zeroed())
    }
}

/// The holding of an event of an order, whose row was `before`.
pub(crate) fn holding_of(event: &Event, before: &OrderRow) -> HoldingId {
    match event.kind() {
        Some(Kind::OrderNew) => event.body::<OrderNew>().view.holding,
        _ if before.order_id.is_none() => HoldingId::NONE,
        _ => before.holding,
    }
}

impl PositionAfter {
    pub(crate) fn of(row: &PositionRow) -> Self {
        Self {
            qty: row.qty.to_string(),
            cost: row.cost.to_string(),
            realised: row.realised.to_string(),
        }
    }
}

impl Teller<'_> {
    /// The life of an order that begins.
    pub(crate) fn begin(&self, order: &OrderNew) -> OrderLife {
        let names = Names(self.registry);
        OrderLife {
            order_id: (!order.view.order_id.is_none()).then(|| order.view.order_id.to_string()),
            cl_ord_id: order.cl_ord_id.to_string(),
            session: order.session.0,
            account: names.account(order.account),
            node: names.node(order.leaf),
            symbol: names.symbol(order.instrument),
            side: code(Side::from_code(order.side), order.side),
            ord_type: code(OrderType::from_code(order.ord_type), order.ord_type),
            tif: code(TimeInForce::from_code(order.tif), order.tif),
            currency: names.currency(order.currency),
            ..OrderLife::default()
        }
    }

    /// Adds an event that left the order as the second of `shots`.
    pub(crate) fn add(
        &self,
        life: &mut OrderLife,
        event: &Event,
        shots: (Shot, Shot),
        position: Option<PositionAfter>,
    ) {
        let told = self.tell(event, shots, position, life.events.last());
        life.state = told.state_after.clone();
        life.events.push(told);
    }

    fn tell(
        &self,
        event: &Event,
        (before, after): (Shot, Shot),
        position: Option<PositionAfter>,
        previous: Option<&OrderEvent>,
    ) -> OrderEvent {
        let head = &event.head;
        let asked = Asked::of(event);
        let (state_before, state_after) = states(event, &before, &after);
        OrderEvent {
            seq: head.seq,
            part: head.part,
            kind: event
                .kind()
                .map_or_else(|| head.kind.to_string(), |kind| kind.to_string()),
            recv_ns: head.recv_ns,
            since_previous_ns: previous.map(|previous| head.recv_ns.saturating_sub(previous.recv_ns)),
            receipt_to_journal_ns: self
                .is_wall_time
                .then(|| head.journaled_ns.saturating_sub(head.recv_ns)),
            cl_ord_id: asked.cl_ord_id,
            qty: asked.qty,
            px: asked.px,
            stop_px: asked.stop_px,
            verdict: self.verdict(event),
            execution: execution(event),
            state_before,
            state_after,
            reservation: Reservation {
                value_before: before.value.to_string(),
                value_after: after.value.to_string(),
                cash_before: before.cash.to_string(),
                cash_after: after.cash.to_string(),
            },
            leaves: Qty::from_raw(after.leaves).to_string(),
            cum: Qty::from_raw(after.cum).to_string(),
            position,
        }
    }

    fn verdict(&self, event: &Event) -> Verdict {
        let count = hit_count(event);
        let text = Text::<{ tradewind_domain::event::TAIL_MAX }>::lossy(text_of(event));
        let notes = Note::ALL.iter().filter(|note| event.head.notes & note.bit() != 0);
        Verdict {
            accepted: !event.is_rejected(),
            code: event.is_rejected().then(|| reject_text(event.head.outcome)),
            notes: notes.map(|note| note.code().text().to_owned()).collect(),
            text: (!text.is_empty()).then(|| text.to_string()),
            hits: hits(event, count).map(|hit| self.hit(&hit)).collect(),
            rule: self.rule(event.head.rule),
            rule_alert: self.rule(event.head.rule_alert),
        }
    }

    /// The rule of a number, in the document that was in force: it changes only with an event of its own.
    fn rule(&self, number: u8) -> Option<RuleView> {
        let info = self.rules.rule(number)?;
        Some(RuleView {
            name: info.row.name.to_string(),
            action: info.action.text().to_owned(),
            code: info.row.code.to_string(),
            text: info.row.text.to_string(),
        })
    }

    fn hit(&self, hit: &LimitHit) -> HitView {
        let names = Names(self.registry);
        let set = (self.limits)(hit.limit);
        let limit_type = set.and_then(|set| LimitType::from_code(set.limit_type));
        let params = set.map_or([0; 6], |set| set.params);
        let unit = limit_type.map(|known| Unit::of_hit(known, RejectCode::from_number(hit.code), &params));
        let show = |raw: i128| unit.map_or_else(|| raw.to_string(), |unit| unit.show(raw, &params));
        HitView {
            kind: hit_kind(hit.kind),
            code: reject_text(hit.code),
            limit: names.limit(hit.limit),
            limit_type: limit_type.map_or_else(String::new, |known| known.to_string()),
            scope: set.map_or_else(String::new, |set| names.node(set.node)),
            level: level(hit.level),
            used: show(hit.used),
            hard: show(hit.hard),
            unit: unit.map_or("", Unit::text).to_owned(),
        }
    }
}

/// States around an event: those that it recorded, else those of the row.
fn states(event: &Event, before: &Shot, after: &Shot) -> (String, String) {
    let (mut first, mut second) = (before.state, after.state);
    if let Some(view) = view_of(event).filter(|view| view.state_after != 0) {
        (first, second) = (view.state_before, view.state_after);
    } else if event.kind() == Some(Kind::VenueFill) && !event.is_rejected() {
        let fill: &Execution = event.body();
        (first, second) = (fill.state_before, fill.state_after);
    }
    (
        code(OrderState::from_code(first), first),
        code(OrderState::from_code(second), second),
    )
}

/// What a request asks for. A number that was refused for its decimals is none.
#[derive(Default)]
struct Asked {
    cl_ord_id: Option<String>,
    qty: Option<String>,
    px: Option<String>,
    stop_px: Option<String>,
}

impl Asked {
    fn of(event: &Event) -> Self {
        match event.kind() {
            Some(Kind::OrderNew) => {
                let body: &OrderNew = event.body();
                Self::order(
                    body.cl_ord_id,
                    (body.qty, body.qty_dp),
                    (body.px, body.stop_px, body.px_dp),
                )
            }
            Some(Kind::OrderReplace) => {
                let body: &OrderReplace = event.body();
                Self::order(
                    body.cl_ord_id,
                    (body.qty, body.qty_dp),
                    (body.px, body.stop_px, body.px_dp),
                )
            }
            Some(Kind::OrderCancel) => Self::request(event.body::<OrderCancel>().cl_ord_id),
            Some(Kind::MassCancel) => Self::request(event.body::<MassCancel>().cl_ord_id),
            Some(Kind::OrderExpired | Kind::CancelRequested | Kind::OrderReleased) => {
                Self::request(event.body::<DerivedOrder>().cl_ord_id)
            }
            Some(kind) if kind.is_report() => Self::request(event.body::<VenueReport>().cl_ord_id),
            _ => Self::default(),
        }
    }

    fn request(cl_ord_id: ClOrdId) -> Self {
        Self {
            cl_ord_id: (!cl_ord_id.is_empty()).then(|| cl_ord_id.to_string()),
            ..Self::default()
        }
    }

    fn order(cl_ord_id: ClOrdId, (qty, qty_dp): (i64, u8), (px, stop_px, px_dp): (i64, i64, u8)) -> Self {
        let is_scaled = |dp: u8| u32::from(dp) == SCALE_DP;
        Self {
            qty: is_scaled(qty_dp).then(|| Qty::from_raw(qty).to_string()),
            px: px_or_none(px).filter(|_| is_scaled(px_dp)),
            stop_px: px_or_none(stop_px).filter(|_| is_scaled(px_dp)),
            ..Self::request(cl_ord_id)
        }
    }
}

fn execution(event: &Event) -> Option<ExecutionView> {
    if event.kind() != Some(Kind::VenueFill) {
        return None;
    }
    let fill: &Execution = event.body();
    let alerts = [
        (execution_alerts::LATE_FILL, "LATE_FILL"),
        (execution_alerts::OVERFILL, "OVERFILL"),
        (execution_alerts::OVERDRAFT, "OVERDRAFT"),
        (execution_alerts::BREACH, "BREACH"),
        (execution_alerts::SETTLED_EARLY, "SETTLED_EARLY"),
    ];
    let raised = alerts.iter().filter(|(bit, _)| fill.alerts & bit != 0);
    Some(ExecutionView {
        exec_id: fill.exec_id.to_string(),
        qty: Qty::from_raw(fill.qty).to_string(),
        px: tradewind_domain::fixed::Price::from_raw(fill.px).to_string(),
        principal: fill.principal.to_string(),
        fee: fill.fee.to_string(),
        realised: fill.realised.to_string(),
        alerts: raised.map(|(_, text)| (*text).to_owned()).collect(),
    })
}

fn hit_kind(kind: u8) -> String {
    match kind {
        _ if kind == HitKind::Refused as u8 => "REFUSED".to_owned(),
        _ if kind == HitKind::Warned as u8 => "WARNED".to_owned(),
        _ if kind == HitKind::Alerted as u8 => "ALERTED".to_owned(),
        _ if kind == HitKind::Floor as u8 => "FLOOR".to_owned(),
        _ => kind.to_string(),
    }
}

fn reject_text(number: u16) -> String {
    RejectCode::from_number(number).map_or_else(|| number.to_string(), |code| code.text().to_owned())
}

/// The name of a one-byte code, or its number where it is none.
fn code<T: std::fmt::Display>(known: Option<T>, raw: u8) -> String {
    known.map_or_else(|| raw.to_string(), |known| known.to_string())
}
