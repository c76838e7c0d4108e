//! Steps of a case: each becomes events, and the records that come out become its answer.
//!
//! The player is client, venue and operator in one. As the venue it acknowledges at once: an order that is accepted is working, a
//! cancel or replace is done, before the next step. Engine time moves by at least a nanosecond an event, so what follows a step's
//! own event is stamped that little later.

use super::answers::{self, Answer, Figures, FixReason};
use super::days::NODES;
use super::opening::{Opened, SESSION_DEFAULT, VENUE, session_event};
use super::schema::{Case, Op, Step};
use super::seen::Seen;
use super::units::{AUTHOR, code};
use crate::conformance::decimals::Decimal;
use crate::conformance::desk::Desk;
use crate::conformance::known::Known;
use bytemuck::Zeroable;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use tradewind_domain::codes::{ControlState, LimitType, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    Body, Control, DerivedOrder, EdgeStats, EntitlementSource, Event, Execution, InboundLong,
    InstrumentStatus, Kind, LastTrade, LimitProbe, OrderCancel, OrderNew, OrderReplace, OrderView, TradeBust,
    Valuation, VenueReport,
};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{NodeId, OrderId, SessionId, VenueId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Code;
use tradewind_domain::time::{Date, DayNumber, UnixNanos};

/// Plays the steps of one case on its engine.
pub(crate) struct Player<'a> {
    case: &'a Case,
    desk: Desk,
    known: Known,
    sessions: Vec<String>,
    orders: Vec<Order>,
    /// The newest order with an identifier.
    by_cl: HashMap<String, usize>,
    fills: u32,
    /// Trade date of each fill.
    trade_dates: HashMap<String, DayNumber>,
    /// When the grace of a lost session ends.
    graces: Vec<(UnixNanos, SessionId)>,
    cancels: u32,
}

/// An order as its client and its venue know it.
struct Order {
    id: OrderId,
    body: OrderNew,
    node: String,
    symbol: String,
    leaves: i64,
}

/// What a step is to be played with.
struct Turn<'a> {
    step: &'a Step,
    seen: Seen,
    got: Answer,
}

impl<'a> Player<'a> {
    /// A player before the first step.
    pub(crate) fn new(case: &'a Case, opened: Opened) -> Self {
        Self {
            case,
            desk: opened.desk,
            known: opened.known,
            sessions: opened.sessions,
            orders: Vec::new(),
            by_cl: HashMap::new(),
            fills: 0,
            trade_dates: HashMap::new(),
            graces: Vec::new(),
            cancels: 0,
        }
    }

    /// Plays a step and gives its answer.
    pub(crate) fn play(&mut self, step: &'a Step) -> Result<Map<String, Value>, String> {
        let mut turn = Turn {
            step,
            seen: Seen::default(),
            got: Answer::new(),
        };
        self.end_graces(&mut turn)?;
        match step.op {
            Op::Place => self.place(&mut turn)?,
            Op::Replace => self.replace(&mut turn)?,
            Op::Cancel => self.cancel(&mut turn)?,
            Op::Reject => self.close(&mut turn, Kind::VenueReject)?,
            Op::Expire => self.close(&mut turn, Kind::VenueExpired)?,
            Op::Fill => self.fill(&mut turn)?,
            Op::Bust => self.bust(&mut turn)?,
            Op::Md => self.market_data(&mut turn)?,
            Op::Equity => self.equity(&mut turn)?,
            Op::Kill => self.kill(&mut turn)?,
            Op::Rearm => self.rearm(&mut turn)?,
            Op::State => self.state(&mut turn)?,
            Op::UserService => self.user_service(&mut turn)?,
            Op::Disconnect => self.disconnect(&mut turn)?,
            Op::Reconnect => self.reconnect(&mut turn)?,
            Op::Tick => self.tick(&mut turn, step.t)?,
            Op::Query => self.query(&mut turn)?,
            Op::TradingDate => self.trading_date(&mut turn)?,
        }
        let Turn { seen, mut got, .. } = turn;
        seen.write(&mut got);
        Ok(got)
    }

    /// Sends an event at a time; as the venue, cancels what the engine asks to be cancelled. Gives the event's record.
    fn send<T: Body>(
        &mut self,
        turn: &mut Turn<'_>,
        kind: Kind,
        body: &T,
        names: (&str, &str),
        at_ns: UnixNanos,
    ) -> Result<Event, String> {
        let (symbol, account) = names;
        let message = InboundLong::new(kind, body).named(code(symbol)?, code(account)?);
        let mut own = None;
        for record in self.desk.send(message.at(at_ns))? {
            self.known.observe(&record);
            turn.seen.observe(&record, &self.known);
            self.follow(&record);
            if record.kind() == Some(kind) && record.head.part == 0 {
                own = Some(record);
            }
        }
        for order_id in turn.seen.take_asked() {
            self.report(turn, Kind::VenueCancelled, order_id)?;
        }
        own.ok_or_else(|| format!("{kind} left no record"))
    }

    /// As `send`, at the time of the step.
    fn act<T: Body>(
        &mut self,
        turn: &mut Turn<'_>,
        kind: Kind,
        body: &T,
        names: (&str, &str),
    ) -> Result<Event, String> {
        let at_ns = turn.step.t;
        self.send(turn, kind, body, names, at_ns)
    }

    /// An event whose only answer is that it is taken.
    fn side_effect<T: Body>(
        &mut self,
        turn: &mut Turn<'_>,
        kind: Kind,
        body: &T,
        names: (&str, &str),
    ) -> Result<Event, String> {
        let record = self.act(turn, kind, body, names)?;
        answers::side_effect(&mut turn.got, &record);
        Ok(record)
    }

    /// A report of the venue on an order; the engine must take it.
    fn report(&mut self, turn: &mut Turn<'_>, kind: Kind, order_id: OrderId) -> Result<Event, String> {
        self.side_effect(turn, kind, &report_of(order_id), ("", ""))
    }

    /// Moves time without doing anything.
    fn tick(&mut self, turn: &mut Turn<'_>, at_ns: UnixNanos) -> Result<(), String> {
        let body = EdgeStats {
            edge: Code::lossy(AUTHOR),
            ..EdgeStats::zeroed()
        };
        self.send(turn, Kind::EdgeStats, &body, ("", ""), at_ns).map(drop)
    }

    /// Cancels on disconnect are due before the step: the venue's answers must be there, too.
    fn end_graces(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let now_ns = turn.step.t;
        self.graces.sort_unstable();
        let due: Vec<UnixNanos> = self
            .graces
            .iter()
            .map(|grace| grace.0)
            .filter(|due_ns| *due_ns <= now_ns)
            .collect();
        self.graces.retain(|grace| grace.0 > now_ns);
        due.into_iter().try_for_each(|due_ns| self.tick(turn, due_ns))
    }

    /// Keeps what is open of each order.
    fn follow(&mut self, record: &Event) {
        if record.is_rejected() {
            return;
        }
        let (order_id, leaves) = match record.kind() {
            Some(
                Kind::VenueAck
                | Kind::VenueReject
                | Kind::VenueCancelled
                | Kind::VenueReplaced
                | Kind::VenueExpired,
            ) => of_view(&record.body::<VenueReport>().view),
            Some(Kind::OrderExpired) => of_view(&record.body::<DerivedOrder>().view),
            Some(Kind::VenueFill) => {
                let body: &Execution = record.body();
                (body.order_id, body.leaves)
            }
            _ => return,
        };
        if let Some(order) = self.orders.iter_mut().find(|order| order.id == order_id) {
            order.leaves = leaves;
        }
    }

    fn place(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
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

    fn replace(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
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

    fn cancel(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
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
    fn close(&mut self, turn: &mut Turn<'_>, kind: Kind) -> Result<(), String> {
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

    fn fill(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
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

    fn bust(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
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

    fn market_data(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let symbol = need(&step.sym, "sym")?;
        if let Some(px) = e8(step.last, "last")? {
            let body = LastTrade {
                px,
                qty: ONE,
                px_dp: 8,
                qty_dp: 8,
                ..LastTrade::zeroed()
            };
            self.side_effect(turn, Kind::LastTrade, &body, (symbol, ""))?;
        }
        // The engine always keeps to a halt; in the files only a MARKET_HOURS limit does.
        let limits = &self.case.setup.limits;
        let has_hours = limits
            .iter()
            .any(|limit| limit.limit_type == LimitType::MarketHours);
        if let Some(halted) = step.halted.filter(|_| has_hours) {
            let body = InstrumentStatus {
                halted: u8::from(halted),
                ..InstrumentStatus::zeroed()
            };
            self.side_effect(turn, Kind::InstrumentStatus, &body, (symbol, ""))?;
        }
        Ok(())
    }

    fn equity(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let money = |value: Option<Decimal>, what: &str| match value {
            Some(value) => value
                .raw(8)
                .map(Money::from_raw)
                .ok_or_else(|| format!("{what} {value} does not fit")),
            None => Ok(Money::ZERO),
        };
        step.equity.ok_or("equity has no figure")?;
        let body = Valuation {
            equity: money(step.equity, "equity")?,
            balance: money(step.balance, "balance")?,
            has_balance: u8::from(step.balance.is_some()),
            ..Valuation::zeroed()
        };
        let record = self.side_effect(turn, Kind::Valuation, &body, ("", need(&step.node, "node")?))?;
        if !record.is_rejected() {
            answers::equity(&mut turn.got, &record, &self.known);
        }
        Ok(())
    }

    fn kill(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let level = need(&step.level, "level")?;
        let state = ControlState::from_text(level).ok_or_else(|| format!("`{level}` is no state"))?;
        let kind = if state == ControlState::Kill {
            Kind::Kill
        } else {
            Kind::StateSet
        };
        let body = control(AUTHOR, "", state)?;
        self.side_effect(turn, kind, &body, ("", need(&step.node, "node")?))
            .map(drop)
    }

    fn rearm(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let person = |at: usize| {
            step.by
                .as_ref()
                .and_then(|by| by.get(at))
                .map_or("", String::as_str)
        };
        let body = control(person(0), person(1), ControlState::Active)?;
        let record = self.act(turn, Kind::Rearm, &body, ("", need(&step.node, "node")?))?;
        turn.got.insert(
            "decision".to_owned(),
            json!(if record.is_rejected() { "REJECT" } else { "ACCEPT" }),
        );
        if let Some(code) = record.reject_code() {
            turn.got.insert("reason".to_owned(), json!(code.text()));
        }
        Ok(())
    }

    fn state(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        self.tick(turn, step.t)?;
        if let Some(state) = self.known.state(need(&step.node, "node")?) {
            turn.got.insert("state".to_owned(), json!(state.text()));
        }
        Ok(())
    }

    fn user_service(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let up = match turn.step.status.as_deref() {
            Some("UP") => 1,
            Some("DOWN") => 0,
            other => return Err(format!("status {other:?} is neither UP nor DOWN")),
        };
        let body = EntitlementSource {
            up,
            author: Code::lossy(AUTHOR),
            ..EntitlementSource::zeroed()
        };
        self.side_effect(turn, Kind::EntitlementSource, &body, ("", ""))
            .map(drop)
    }

    fn disconnect(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let name = step.session.as_deref().unwrap_or(SESSION_DEFAULT);
        let session = self.session(Some(name))?;
        let body = session_event(self.case, session, name)?;
        let record = self.side_effect(turn, Kind::SessionDisconnected, &body, ("", ""))?;
        if body.grace_ms != u32::MAX {
            let due_ns = record.head.recv_ns + u64::from(body.grace_ms) * 1_000_000;
            self.graces.push((due_ns, session));
        }
        // A grace of 0 ends here.
        self.tick(turn, step.t)?;
        self.end_graces(turn)
    }

    fn reconnect(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let name = turn.step.session.as_deref().unwrap_or(SESSION_DEFAULT);
        let session = self.session(Some(name))?;
        self.graces.retain(|grace| grace.1 != session);
        let body = session_event(self.case, session, name)?;
        self.side_effect(turn, Kind::SessionConnected, &body, ("", ""))
            .map(drop)
    }

    fn query(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let (label, symbol) = (
            need(&step.limit_id, "limit_id")?,
            step.sym.as_deref().unwrap_or_default(),
        );
        match self.ask(turn, label, (symbol, ""), None)? {
            Figures::Known(used, limit) => {
                turn.got.insert("used".to_owned(), json!(used));
                turn.got.insert("limit".to_owned(), json!(limit));
                turn.got.insert("remaining".to_owned(), json!(limit.minus(used)));
            }
            Figures::Refused(why) => answers::refused(&mut turn.got, Kind::LimitProbe, &why),
        }
        Ok(())
    }

    fn trading_date(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let at_ns = turn.step.t;
        self.tick(turn, at_ns)?;
        if let Some(date) = self.known.date(NODES) {
            turn.got
                .insert("trading_date".to_owned(), json!(Date(date).to_string()));
        }
        Ok(())
    }

    /// What is used of each limit that the file speaks of, after an order was taken; not where other orders were cancelled for it.
    fn used(&mut self, turn: &mut Turn<'_>, at: usize) -> Result<(), String> {
        let Some(Value::Object(expected)) = turn.step.expect.get("used") else {
            return Ok(());
        };
        if turn.seen.has_cancelled() {
            return Ok(());
        }
        let order = &self.orders[at];
        let (body, node, symbol) = (order.body, order.node.clone(), order.symbol.clone());
        let mut used = Map::new();
        for label in expected.keys() {
            let figure = match self.ask(turn, label, (&symbol, &node), Some(&body))? {
                Figures::Known(used, _) => json!(used),
                Figures::Refused(why) => json!(format!("refused: {why}")),
            };
            used.insert(label.clone(), figure);
        }
        turn.got.insert("used".to_owned(), Value::Object(used));
        Ok(())
    }

    /// Asks the engine what is used of a limit as things stand. The risk of one order is asked with the order: it adds up to
    /// nothing.
    fn ask(
        &mut self,
        turn: &mut Turn<'_>,
        label: &str,
        names: (&str, &str),
        order: Option<&OrderNew>,
    ) -> Result<Figures, String> {
        let mut body = LimitProbe {
            label: code(label)?,
            qty_dp: 8,
            px_dp: 8,
            ..LimitProbe::zeroed()
        };
        let by_order = self.known.limit_type(label) == Some(LimitType::RiskPerTrade);
        if let Some(order) = order.filter(|_| by_order) {
            (body.qty, body.px, body.stop_px) = (order.qty, order.px, order.stop_px);
            (body.stop_loss_px, body.side, body.ord_type) = (order.stop_loss_px, order.side, order.ord_type);
        }
        let record = self.act(turn, Kind::LimitProbe, &body, names)?;
        Ok(answers::figures(&record, &self.known, label))
    }

    /// The number of a session: its place among those of the case.
    fn session(&self, name: Option<&str>) -> Result<SessionId, String> {
        let name = name.unwrap_or(SESSION_DEFAULT);
        let at = self.sessions.iter().position(|session| session == name);
        at.map(|at| SessionId(at as u32 + 1))
            .ok_or_else(|| format!("no session {name}"))
    }
}

fn report_of(order_id: OrderId) -> VenueReport {
    VenueReport {
        order_id,
        qty_dp: 8,
        px_dp: 8,
        venue: VENUE,
        ..VenueReport::zeroed()
    }
}

fn control(author: &str, second: &str, state: ControlState) -> Result<Control, String> {
    Ok(Control {
        author: code(author)?,
        second: code(second)?,
        state: state as u8,
        venue: VenueId::NONE,
        session: SessionId::NONE,
        node: NodeId::NONE,
        ..Control::zeroed()
    })
}

fn of_view(view: &OrderView) -> (OrderId, i64) {
    (view.order_id, view.leaves)
}

fn need<'s>(value: &'s Option<String>, name: &str) -> Result<&'s str, String> {
    value.as_deref().ok_or_else(|| format!("the step has no {name}"))
}

fn e8(value: Option<Decimal>, what: &str) -> Result<Option<i64>, String> {
    let Some(value) = value else { return Ok(None) };
    value
        .e8()
        .map(Some)
        .ok_or_else(|| format!("{what} {value} does not fit"))
}
