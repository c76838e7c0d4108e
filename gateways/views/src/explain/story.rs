//! Tells a life while the journal goes by.

use super::concern::{Subject, concerns, view_of};
use super::life::{
    ExecutionView, HitView, OrderEvent, OrderLife, PositionAfter, Reservation, RuleView, Verdict,
};
use crate::error::ViewError;
use crate::figures::Unit;
use crate::hits::{hit_count, text_before};
use crate::names::{Names, px_or_none};
use crate::replica::Replica;
use crate::state::level;
use bytemuck::Zeroable;
use std::collections::HashMap;
use tradewind_domain::codes::{ClockMode, LimitType, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    DerivedOrder, EngineStarted, Event, Execution, HitKind, Kind, LimitHit, LimitSet, MassCancel,
    OrderCancel, OrderNew, OrderReplace, VenueReport, execution_alerts,
};
use tradewind_domain::fixed::{Qty, SCALE_DP};
use tradewind_domain::ids::{HoldingId, LimitId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::{ClOrdId, Text};
use tradewind_risk::limit_check::hits;
use tradewind_risk::orders::table::OrderRow;

/// The replica, what has been told, and what must be remembered to tell the rest.
pub(super) struct Story {
    replica: Replica,
    subject: Subject,
    life: OrderLife,
    /// Limits as they were set last: a limit may be removed after it spoke.
    limits: HashMap<LimitId, LimitSet>,
    /// False where `recv_ns` is the input's own time, which says nothing about how long anything took.
    wall_clock: bool,
}

impl Story {
    pub(super) fn new(replica: Replica, subject: Subject) -> Self {
        Self {
            replica,
            subject,
            life: OrderLife::default(),
            limits: HashMap::new(),
            wall_clock: true,
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
        if let Some(Kind::OrderNew) = event.kind() {
            self.begin(event.body());
        }
        let told = self.tell(event, &before);
        self.life.state = told.state_after.clone();
        self.life.events.push(told);
        Ok(())
    }

    fn learn(&mut self, event: &Event) {
        match event.kind() {
            Some(Kind::EngineStarted) => {
                self.wall_clock = event.body::<EngineStarted>().clock_mode != ClockMode::Input as u8;
            }
            Some(Kind::LimitSet) if !event.is_rejected() => {
                let set: &LimitSet = event.body();
                if set.removed == 0 {
                    self.limits.insert(set.limit, *set);
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

    fn begin(&mut self, order: &OrderNew) {
        let names = Names(self.replica.registry());
        self.life = OrderLife {
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
        };
    }

    fn tell(&self, event: &Event, before: &OrderRow) -> OrderEvent {
        let (head, after) = (&event.head, self.row());
        let asked = Asked::of(event);
        let (state_before, state_after) = states(event, before, &after);
        let previous = self.life.events.last();
        OrderEvent {
            seq: head.seq,
            part: head.part,
            kind: event
                .kind()
                .map_or_else(|| head.kind.to_string(), |kind| kind.to_string()),
            recv_ns: head.recv_ns,
            since_previous_ns: previous.map(|previous| head.recv_ns.saturating_sub(previous.recv_ns)),
            receipt_to_journal_ns: self
                .wall_clock
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
                value_before: before.reserved_value().to_string(),
                value_after: after.reserved_value().to_string(),
                cash_before: before.reserved_cash().to_string(),
                cash_after: after.reserved_cash().to_string(),
            },
            leaves: Qty::from_raw(after.leaves).to_string(),
            cum: Qty::from_raw(after.cum).to_string(),
            position: self.position(event, before),
        }
    }

    fn verdict(&self, event: &Event) -> Verdict {
        let count = hit_count(event);
        let text = Text::<{ tradewind_domain::event::TAIL_MAX }>::lossy(text_before(event, count));
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
        let info = self.replica.rules().rule(number)?;
        Some(RuleView {
            name: info.row.name.to_string(),
            action: info.action.text().to_owned(),
            code: info.row.code.to_string(),
            text: info.row.text.to_string(),
        })
    }

    fn hit(&self, hit: &LimitHit) -> HitView {
        let names = Names(self.replica.registry());
        let set = self.limits.get(&hit.limit);
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

    fn position(&self, event: &Event, before: &OrderRow) -> Option<PositionAfter> {
        let holding = match event.kind() {
            Some(Kind::OrderNew) => event.body::<OrderNew>().view.holding,
            _ if before.order_id.is_none() => HoldingId::NONE,
            _ => before.holding,
        };
        self.replica
            .positions()
            .position(holding)
            .map(|row| PositionAfter {
                qty: row.qty.to_string(),
                cost: row.cost.to_string(),
                realised: row.realised.to_string(),
            })
    }
}

/// States around an event: those that it recorded, else those of the row.
fn states(event: &Event, before: &OrderRow, after: &OrderRow) -> (String, String) {
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
