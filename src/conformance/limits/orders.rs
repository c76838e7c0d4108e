//! Steps about orders: what the client asks, and what the venue reports.

use super::answers::{self, FixReason};
use super::opening::VENUE;
use super::play::{Order, Player, Turn, e8, need};
use super::schema::{Op, Step};
use super::units::code;
use bytemuck::Zeroable;
use serde_json::json;
use tradewind_domain::codes::{OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{Execution, Kind, OrderCancel, OrderNew, OrderReplace, TradeBust, VenueReport};
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::OrderId;
use tradewind_domain::reject::RejectCode;

impl Player<'_> {
    pub(super) fn place(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let (cl, node, symbol) = (
            need(&step.cl, "cl")?,
            need(&step.node, "node")?,
            need(&step.sym, "sym")?,
        );
        let body = self.order_of(step)?;
        let mut at_ns = step.t;
        if let Some(sent_ns) = step.sent {
            // On input time a message's own stamp is its time: the engine is brought to the step's time first.
            self.tick(turn, step.t.saturating_sub(1))?;
            at_ns = sent_ns;
        }
        let record = self.send(turn, Kind::OrderNew, &body, (symbol, node), at_ns)?;
        answers::decision(&mut turn.got, &record, FixReason::Order);
        let taken: OrderNew = *record.body();
        answers::verdict(&mut turn.got, &record, &taken.verdict, &self.known);
        if record.is_rejected() {
            return Ok(());
        }
        let order_id = taken.view.order_id;
        self.by_cl.insert(cl.to_owned(), self.orders.len());
        self.orders.push(Order {
            id: order_id,
            body: taken,
            node: node.to_owned(),
            symbol: symbol.to_owned(),
            leaves: taken.view.leaves,
        });
        if !self.is_refused_by_venue(cl) {
            self.report(turn, Kind::VenueAck, order_id)?;
        }
        self.used(turn, self.orders.len() - 1)
    }

    /// The order that a step places.
    fn order_of(&self, step: &Step) -> Result<OrderNew, String> {
        let side = step.side.ok_or("place has no side")?;
        let ord_type = step.ord_type.unwrap_or(OrderType::Limit);
        Ok(OrderNew {
            cl_ord_id: code(need(&step.cl, "cl")?)?,
            qty: e8(step.qty, "qty")?.ok_or("place has no qty")?,
            px: e8(step.px, "px")?.unwrap_or(0),
            stop_px: e8(step.stop_px, "stop_px")?.unwrap_or(0),
            stop_loss_px: e8(step.stop_loss, "stop_loss")?.unwrap_or(0),
            session: self.session(step.session.as_deref())?,
            side: side as u8,
            ord_type: ord_type as u8,
            tif: step.tif.unwrap_or(TimeInForce::Day) as u8,
            qty_dp: 8,
            px_dp: 8,
            located: u8::from(side == Side::SellShort),
            ..OrderNew::zeroed()
        })
    }

    /// True where the venue's first answer to an order is a reject.
    fn is_refused_by_venue(&self, cl: &str) -> bool {
        let steps = &self.case.steps;
        let is_refusal = |step: &&Step| step.op == Op::Reject && step.cl.as_deref() == Some(cl);
        steps.iter().any(|step| is_refusal(&step))
    }

    pub(super) fn replace(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let (orig, cl) = (need(&step.orig, "orig")?, need(&step.cl, "cl")?);
        let at = self.by_cl.get(orig).copied();
        let order = at.map(|at| &self.orders[at].body);
        let body = OrderReplace {
            cl_ord_id: code(cl)?,
            orig_cl_ord_id: code(orig)?,
            qty: e8(step.qty, "qty")?
                .or(order.map(|order| order.qty))
                .ok_or("replace has no qty")?,
            px: e8(step.px, "px")?.or(order.map(|order| order.px)).unwrap_or(ONE),
            stop_px: e8(step.stop_px, "stop_px")?
                .or(order.map(|order| order.stop_px))
                .unwrap_or(0),
            session: order.map_or_else(|| self.session(None), |order| Ok(order.session))?,
            qty_dp: 8,
            px_dp: 8,
            ..OrderReplace::zeroed()
        };
        let record = self.act(turn, Kind::OrderReplace, &body, ("", ""))?;
        answers::decision(&mut turn.got, &record, FixReason::Cancel);
        let taken: OrderReplace = *record.body();
        answers::verdict(&mut turn.got, &record, &taken.verdict, &self.known);
        let Some(at) = at.filter(|_| !record.is_rejected()) else {
            return Ok(());
        };
        let replaced = VenueReport {
            qty: body.qty,
            px: body.px,
            ..report_of(taken.view.order_id)
        };
        self.side_effect(turn, Kind::VenueReplaced, &replaced, ("", ""))?;
        let order = &mut self.orders[at].body;
        (order.qty, order.px, order.stop_px) = (body.qty, body.px, body.stop_px);
        self.by_cl.insert(cl.to_owned(), at);
        self.used(turn, at)
    }

    pub(super) fn cancel(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let cl = need(&turn.step.cl, "cl")?;
        let at = self.by_cl.get(cl).copied();
        self.cancels += 1;
        let body = OrderCancel {
            cl_ord_id: code(&format!("~cancel-{}", self.cancels))?,
            orig_cl_ord_id: code(cl)?,
            session: at.map_or_else(|| self.session(None), |at| Ok(self.orders[at].body.session))?,
            ..OrderCancel::zeroed()
        };
        let record = self.act(turn, Kind::OrderCancel, &body, ("", ""))?;
        if record.is_rejected() {
            answers::decision(&mut turn.got, &record, FixReason::Cancel);
            return Ok(());
        }
        self.close(turn, Kind::VenueCancelled)
    }

    /// The venue closes an order: what it held is released.
    pub(super) fn close(&mut self, turn: &mut Turn<'_>, kind: Kind) -> Result<(), String> {
        let cl = need(&turn.step.cl, "cl")?;
        let order = self.by_cl.get(cl).map(|at| &self.orders[*at]);
        let (order_id, open) = order.map_or((OrderId::NONE, 0), |order| (order.id, order.leaves));
        let record = self.act(turn, kind, &report_of(order_id), ("", ""))?;
        let view = record.body::<VenueReport>().view;
        answers::decision(&mut turn.got, &record, FixReason::Cancel);
        let was_open = OrderState::from_code(view.state_before).is_some_and(OrderState::is_open);
        if record.reject_code() == Some(RejectCode::StateMismatch) && !was_open {
            // A report on a closed order is ignored and counted; the files speak of it as of a client's request that is late.
            let late = RejectCode::TooLateToCancel;
            turn.got.insert("reason".to_owned(), json!(late.text()));
            turn.got
                .insert("fix_cxl_rej_reason".to_owned(), json!(late.cxl_rej_reason()));
        }
        if !record.is_rejected() {
            let released = -view.value.raw();
            turn.got.insert(
                "released_qty".to_owned(),
                answers::figure(i128::from(open - view.leaves), 8),
            );
            turn.got
                .insert("released_notional".to_owned(), answers::figure(released, 16));
        }
        Ok(())
    }

    pub(super) fn fill(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let cl = need(&step.cl, "cl")?;
        self.fills += 1;
        let exec_id = step.exec_id.clone().unwrap_or_else(|| format!("E{}", self.fills));
        let body = Execution {
            exec_id: code(&exec_id)?,
            order_id: self.by_cl.get(cl).map_or(OrderId::NONE, |at| self.orders[*at].id),
            qty: e8(step.qty, "qty")?.ok_or("fill has no qty")?,
            px: e8(step.px, "px")?.ok_or("fill has no px")?,
            qty_dp: 8,
            px_dp: 8,
            venue: VENUE,
            ..Execution::zeroed()
        };
        let record = self.side_effect(turn, Kind::VenueFill, &body, ("", ""))?;
        if !record.is_rejected() {
            answers::fill(&mut turn.got, &record);
            self.trade_dates
                .insert(exec_id, record.body::<Execution>().trade_day);
        }
        Ok(())
    }

    pub(super) fn bust(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let exec_id = need(&turn.step.exec_id, "exec_id")?;
        let body = TradeBust {
            exec_id: code(&format!("~bust-{exec_id}"))?,
            exec_ref_id: code(exec_id)?,
            trade_date: self.trade_dates.get(exec_id).copied().unwrap_or(0),
            venue: VENUE,
            ..TradeBust::zeroed()
        };
        self.side_effect(turn, Kind::TradeBust, &body, ("", "")).map(drop)
    }
}

/// A report of the venue on an order.
pub(super) fn report_of(order_id: OrderId) -> VenueReport {
    VenueReport {
        order_id,
        qty_dp: 8,
        px_dp: 8,
        venue: VENUE,
        ..VenueReport::zeroed()
    }
}
