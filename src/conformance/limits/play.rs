//! Steps of a case: each becomes events, and the records that come out become its answer.
//!
//! The player is client, venue and operator in one. As the venue it acknowledges at once: an order that is accepted is working, a
//! cancel or replace is done, before the next step. Engine time moves by at least a nanosecond an event, so what follows a step's
//! own event is stamped that little later.

use super::answers::{self, Answer, Figures};
use super::opening::{Opened, SESSION_DEFAULT};
use super::orders::report_of;
use super::schema::{Case, Op, Step};
use super::seen::Seen;
use super::units::{AUTHOR, code};
use crate::conformance::decimals::Decimal;
use crate::conformance::desk::Desk;
use crate::conformance::known::Known;
use bytemuck::Zeroable;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use tradewind_domain::codes::LimitType;
use tradewind_domain::event::{
    Body, DerivedOrder, EdgeStats, Event, Execution, InboundLong, Kind, LimitProbe, OrderNew, OrderView,
    VenueReport,
};
use tradewind_domain::ids::{OrderId, SessionId};
use tradewind_domain::text::Code;
use tradewind_domain::time::{DayNumber, UnixNanos};
use tradewind_risk::groups::DRAIN_PER_EVENT;

/// How long before a step the engine catches up with marks. The files' clock has milliseconds: no other step falls in between.
const REVALUED_BEFORE_NS: u64 = 100_000;

/// Plays the steps of one case on its engine.
pub(crate) struct Player<'a> {
    pub(super) case: &'a Case,
    pub(super) desk: Desk,
    pub(super) known: Known,
    pub(super) sessions: Vec<String>,
    pub(super) orders: Vec<Order>,
    /// The newest order with an identifier.
    pub(super) by_cl: HashMap<String, usize>,
    pub(super) fills: u32,
    /// Trade date of each fill.
    pub(super) trade_dates: HashMap<String, DayNumber>,
    /// When the grace of a lost session ends.
    pub(super) graces: Vec<(UnixNanos, SessionId)>,
    pub(super) cancels: u32,
    /// A mark may have moved: what is held is not valued at it yet.
    pub(super) marks_moved: bool,
}

/// An order as its client and its venue know it.
pub(super) struct Order {
    pub(super) id: OrderId,
    pub(super) body: OrderNew,
    pub(super) node: String,
    pub(super) symbol: String,
    pub(super) leaves: i64,
}

/// What a step is to be played with.
pub(super) struct Turn<'a> {
    pub(super) step: &'a Step,
    pub(super) seen: Seen,
    pub(super) got: Answer,
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
            marks_moved: true,
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
        self.revalue(&mut turn)?;
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
        self.marks_moved |= matches!(step.op, Op::Md | Op::Fill);
        let Turn { seen, mut got, .. } = turn;
        seen.write(&mut got);
        Ok(got)
    }

    /// Sends an event at a time; as the venue, cancels what the engine asks to be cancelled. Gives the event's record.
    pub(super) fn send<T: Body>(
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
            let record = self.act(turn, Kind::VenueCancelled, &report_of(order_id), ("", ""))?;
            // The roll that comes with the answer may have expired the order before it.
            if !turn.seen.has_expired(order_id) {
                answers::side_effect(&mut turn.got, &record);
            }
        }
        own.ok_or_else(|| format!("{kind} left no record"))
    }

    /// As `send`, at the time of the step.
    pub(super) fn act<T: Body>(
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
    pub(super) fn side_effect<T: Body>(
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
    pub(super) fn report(
        &mut self,
        turn: &mut Turn<'_>,
        kind: Kind,
        order_id: OrderId,
    ) -> Result<Event, String> {
        self.side_effect(turn, kind, &report_of(order_id), ("", ""))
    }

    /// Moves time without doing anything.
    pub(super) fn tick(&mut self, turn: &mut Turn<'_>, at_ns: UnixNanos) -> Result<(), String> {
        let body = EdgeStats {
            edge: Code::lossy(AUTHOR),
            ..EdgeStats::zeroed()
        };
        self.send(turn, Kind::EdgeStats, &body, ("", ""), at_ns).map(drop)
    }

    /// The files value at once what a mark moves, the engine a few rows with each event: it gets as many events as that takes, a
    /// little before the step, whose own time they leave alone.
    fn revalue(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let setup = &self.case.setup;
        let events = setup.levels.len() * setup.instruments.len() / DRAIN_PER_EVENT + 1;
        let before_ns = turn.step.t.saturating_sub(REVALUED_BEFORE_NS);
        if std::mem::take(&mut self.marks_moved) {
            (0..events).try_for_each(|_| self.tick(turn, before_ns))?;
        }
        Ok(())
    }

    /// Cancels on disconnect are due before the step: the venue's answers must be there, too.
    pub(super) fn end_graces(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
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

    /// What is used of each limit that the file speaks of, after an order was taken; not where other orders were cancelled for it.
    pub(super) fn used(&mut self, turn: &mut Turn<'_>, at: usize) -> Result<(), String> {
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
    pub(super) fn ask(
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

    /// The number of a session: its place among those of the case. Where sessions mean nothing but a cancel on disconnect, a case
    /// without one has one space of ClOrdIDs: its orders are of one session.
    pub(super) fn session(&self, name: Option<&str>) -> Result<SessionId, String> {
        let name = name.filter(|_| self.case.setup.cod.is_some());
        let name = name.unwrap_or(SESSION_DEFAULT);
        let at = self.sessions.iter().position(|session| session == name);
        at.map(|at| SessionId(at as u32 + 1))
            .ok_or_else(|| format!("no session {name}"))
    }
}

fn of_view(view: &OrderView) -> (OrderId, i64) {
    (view.order_id, view.leaves)
}

pub(super) fn need<'s>(value: &'s Option<String>, name: &str) -> Result<&'s str, String> {
    value.as_deref().ok_or_else(|| format!("the step has no {name}"))
}

pub(super) fn e8(value: Option<Decimal>, what: &str) -> Result<Option<i64>, String> {
    let Some(value) = value else { return Ok(None) };
    value
        .e8()
        .map(Some)
        .ok_or_else(|| format!("{what} {value} does not fit"))
}
