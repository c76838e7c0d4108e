//! The second world: the engine's own stages, fed with the inputs of a journal under other limits.
//!
//! Inputs enter as they were when normalize had done its part: names are not part of a record, so its ids, findings and verdicts
//! on reference data count as input. Everything after it is decided anew, and effects are those of this world's own expander.
//! What a venue said about an order that this world refused is dropped; an order, replace or cancel that only this world
//! accepted is answered in the venue's place (see `answers`).
//!
//! # Invariants
//! - Under the journal's own limits every input has the outcome that is recorded.
//! - A limit's label has one id in both worlds, nodes and instruments have theirs.
//! - Times and sequence numbers are those of the journal.

use crate::error::WhatIfError;
use crate::orders::{Orders, Twin, named_by_id};
use crate::peaks::Peaks;
use crate::survey::Survey;
use bytemuck::Zeroable;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_config::Limit;
use tradewind_domain::codes::OrderState;
use tradewind_domain::event::{
    Capacities, DerivedOrder, EngineStarted, Event, Execution, Head, Kind, LimitSet, OrderCancel, OrderNew,
    OrderReplace, execution_alerts,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId, OrderId};
use tradewind_domain::reject::RejectCode;
use tradewind_feeds::{Normalize, Registry};
use tradewind_machine::stage::{Expansion, Stage};
use tradewind_risk::{LimitCheck, Validate};
use tradewind_views::without_facts;

/// Orders that only this world has take no room from those of the journal, up to so many.
const ALONE_ROOM_MAX: u64 = 1 << 18;

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It was decided.
    Played,
    /// It was decided with this much less quantity: the order has no more open here.
    Cut(i64),
    /// A request about an order that this world refused: it used its identifier and counts as a message, and finds nothing.
    Moot,
    /// It was left out: it is about an order that this world refused, or about quantity that it did not allow.
    Dropped,
}

/// How an order lives that only the second world accepts. It is never filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unfilled {
    /// It is acknowledged and takes room under limits until it expires.
    #[default]
    Open,
    /// It ends at once, as if it were IOC.
    Ended,
}

pub(crate) struct World {
    pub(crate) unfilled: Unfilled,
    normalize: Normalize,
    validate: Validate,
    pub(crate) limit: LimitCheck,
    settle: Settle,
    position: Position,
    pub(crate) orders: Orders,
    pub(crate) peaks: Peaks,
    /// Limits that wait for the names which they mention.
    pending: Vec<Limit>,
    names_changed: bool,
    limits_max: u32,
    /// Room of the order table, that for orders of this world alone included.
    open_orders_room: u32,
    /// The start of the run as this world was told of it.
    start: Option<Box<Event>>,
    open_orders: u32,
    /// The input, decided.
    pub(crate) event: Box<Event>,
    pub(crate) scratch: Box<Event>,
    /// Orders of this world alone whose cancel the engine asked for.
    pub(crate) cancels: Vec<OrderId>,
    /// Orders that this world's engine made itself (FLATTEN) and whose recorded twin has not come yet.
    pub(crate) made: Vec<(NodeId, InstrumentId, OrderId)>,
}

impl World {
    /// With room for the journal's runs, for `pending` limits beside the recorded ones, and for orders that the journal refused.
    pub(crate) fn new(
        capacities: &Capacities,
        hash_key: &[u8; 16],
        survey: &Survey,
        pending: Vec<Limit>,
        unfilled: Unfilled,
    ) -> Self {
        let limits_max = (survey.labels.len() + pending.len()) as u32;
        let alone = survey.refused_orders.min(ALONE_ROOM_MAX) as u32;
        let room = Capacities {
            limits: capacities.limits.max(limits_max),
            open_orders: capacities.open_orders.saturating_add(alone),
            ..*capacities
        };
        let mut normalize = Normalize::new(&room);
        for (at, label) in survey.labels.iter().enumerate() {
            normalize.apply(&labelled(LimitId(at as u32), label));
        }
        Self {
            unfilled,
            normalize,
            validate: Validate::new(&room),
            limit: LimitCheck::new(&room, hash_key),
            settle: Settle::new(&room),
            position: Position::new(&room),
            orders: Orders::new(),
            peaks: Peaks::default(),
            pending,
            names_changed: false,
            limits_max,
            open_orders_room: room.open_orders,
            start: None,
            open_orders: 0,
            event: Box::new(Event::empty()),
            scratch: Box::new(Event::empty()),
            cancels: Vec::new(),
            made: Vec::new(),
        }
    }

    /// Names and rows of reference data, those of both worlds.
    pub(crate) fn registry(&self) -> &Registry {
        self.normalize.registry()
    }

    /// A run begins: capacities are those of the journal, with room for the limits that are new.
    pub(crate) fn begin_run(&mut self, recorded: &Event) {
        let mut start = Box::new(*recorded);
        let body: &mut EngineStarted = start.body_mut();
        body.capacities.limits = body.capacities.limits.max(self.limits_max);
        self.open_orders = body.capacities.open_orders;
        *self.event = *start;
        self.start = Some(start);
        self.decide();
        self.make_room();
    }

    /// Orders that only this world has do not count against the journal's capacity.
    pub(crate) fn make_room(&mut self) {
        let alone = self.orders.alone_count().min(u32::MAX as usize) as u32;
        let Some(start) = self.start.as_mut().filter(|_| alone != 0) else {
            return;
        };
        let body: &mut EngineStarted = start.body_mut();
        body.capacities.open_orders = self.open_orders.saturating_add(alone).min(self.open_orders_room);
        self.limit.apply(start);
    }

    /// Takes reference data: decided by normalize, and so as recorded.
    pub(crate) fn take_reference(&mut self, recorded: &Event) {
        *self.event = *recorded;
        self.decide();
        self.names_changed = true;
    }

    /// Sets a limit as the journal set it. False where this world refuses it.
    pub(crate) fn set_recorded(&mut self, recorded: &Event) -> bool {
        *self.event = *recorded;
        without_facts(&mut self.event);
        self.decide();
        !self.event.is_rejected()
    }

    /// Sets a limit, under the number and time of a record.
    pub(crate) fn set(&mut self, limit: &Limit, at: &Head) -> Result<LimitSet, WhatIfError> {
        limit.event().fill(&mut self.event);
        (self.event.head.seq, self.event.head.recv_ns) = (at.seq, at.recv_ns);
        self.normalize.process(&mut self.event);
        self.decide();
        match self.event.reject_code() {
            None => Ok(*self.event.body()),
            Some(code) => Err(WhatIfError::Refused {
                label: limit.label.to_string(),
                code: code.text().to_owned(),
            }),
        }
    }

    /// The limits that wait and whose names are there now, in the order of their file.
    pub(crate) fn ready(&mut self) -> Vec<Limit> {
        if !self.names_changed || self.pending.is_empty() {
            return Vec::new();
        }
        self.names_changed = false;
        let registry = self.normalize.registry();
        let is_ready = |limit: &Limit| {
            registry.node_named(&limit.scope).is_some()
                && (limit.instrument.is_empty() || registry.instrument_named(&limit.instrument).is_some())
        };
        let (ready, pending) = self.pending.iter().partition(|limit| is_ready(limit));
        self.pending = pending;
        ready
    }

    /// Plays an input of the journal. What it was decided to be stands in `event`.
    pub(crate) fn play(&mut self, recorded: &Event) -> Step {
        self.end_made();
        *self.event = *recorded;
        without_facts(&mut self.event);
        let is_moot = self.is_moot(recorded);
        let step = self.translate(recorded);
        if step == Step::Dropped {
            return step;
        }
        self.decide();
        self.peaks.see(&self.event, &self.limit);
        self.answer(recorded);
        if is_moot { Step::Moot } else { step }
    }

    /// True for a cancel or replace that found an order in the journal which this world refused.
    fn is_moot(&self, recorded: &Event) -> bool {
        let view = match recorded.kind() {
            Some(Kind::OrderCancel) => &recorded.body::<OrderCancel>().view,
            Some(Kind::OrderReplace) => &recorded.body::<OrderReplace>().view,
            _ => return false,
        };
        !view.order_id.is_none() && self.orders.twin(recorded, view.order_id) == Twin::Refused
    }

    /// Lets the event name this world's order.
    fn translate(&mut self, recorded: &Event) -> Step {
        let Some(id) = named_by_id(&mut self.event) else {
            return Step::Played;
        };
        let is_request = matches!(recorded.kind(), Some(Kind::OrderCancel | Kind::OrderReplace));
        *id = match self.orders.twin(recorded, *id) {
            Twin::Is(again) => again,
            // A client's request counts as a message and uses its identifier, whatever it is about.
            Twin::Refused if !is_request => return Step::Dropped,
            Twin::Refused | Twin::Unknown => OrderId::NONE,
        };
        if recorded.kind() == Some(Kind::VenueFill) && !recorded.is_rejected() {
            return self.fit(recorded);
        }
        Step::Played
    }

    /// Cuts a fill down to what is open here: quantity that a refused replace would have added was never on the market.
    fn fit(&mut self, recorded: &Event) -> Step {
        const AS_IT_CAME: u8 = execution_alerts::LATE_FILL | execution_alerts::OVERFILL;
        let fill: &mut Execution = self.event.body_mut();
        let Some(row) = self.limit.order(fill.order_id) else {
            return Step::Dropped;
        };
        if recorded.body::<Execution>().alerts & AS_IT_CAME != 0 {
            return Step::Played;
        }
        let open = if row.order_state().is_open() {
            row.leaves
        } else {
            0
        };
        if open <= 0 {
            return Step::Dropped;
        }
        let excess = fill.qty - open;
        if excess <= 0 {
            return Step::Played;
        }
        let (part, whole) = (i128::from(open), i128::from(fill.qty));
        // A fee is bounded far below what this product may hold; should one not be, it stays as it came.
        let fee = fill.fee.raw().checked_mul(part).map(|product| product / whole);
        fill.fee = fee.map_or(fill.fee, Money::from_raw);
        fill.qty = open;
        Step::Cut(excess)
    }

    /// Carries `event` through the stages, and all that follows from it.
    fn decide(&mut self) {
        self.normalize.apply(&self.event); // reference data as decided; other kinds change nothing there
        self.validate.process(&mut self.event);
        self.limit.process(&mut self.event);
        self.settle.process(&mut self.event);
        self.position.process(&mut self.event);
        self.expand();
    }

    fn expand(&mut self) {
        loop {
            match self.limit.expand(&mut self.scratch) {
                Expansion::Busy => {}
                Expansion::Produced => {
                    self.settle.process(&mut self.scratch);
                    self.position.process(&mut self.scratch);
                    self.note_cancel();
                    self.note_made();
                }
                Expansion::Done => return,
            }
        }
    }

    /// An order that closes a position: its twin is the recorded part for the same node and instrument.
    fn note_made(&mut self) {
        if self.scratch.kind() == Some(Kind::OrderNew) && !self.scratch.is_rejected() {
            let order: &OrderNew = self.scratch.body();
            self.made
                .push((order.leaf, order.instrument, order.view.order_id));
        }
    }

    /// Nobody but this world can answer a cancel of an order that is here alone.
    fn note_cancel(&mut self) {
        if self.scratch.kind() != Some(Kind::CancelRequested) {
            return;
        }
        let view = &self.scratch.body::<DerivedOrder>().view;
        // One that was held has ended: there is nothing to answer.
        if view.state_after == OrderState::PendingCancel as u8 && self.orders.is_alone(view.order_id) {
            self.cancels.push(view.order_id);
        }
    }

    /// Processes what a venue would say, under the number and time of the last input.
    pub(crate) fn say(&mut self, kind: Kind, order_id: OrderId) {
        debug_assert!(kind.is_report(), "Invariant: answers are reports");
        let head = self.event.head;
        let event = &mut self.scratch;
        event.reset(kind);
        (event.head.seq, event.head.recv_ns) = (head.seq, head.recv_ns);
        *event.body_mut() = tradewind_domain::event::VenueReport {
            order_id,
            qty_dp: 8,
            px_dp: 8,
            ..Zeroable::zeroed()
        };
        self.validate.process(&mut self.scratch);
        self.limit.process(&mut self.scratch);
        self.settle.process(&mut self.scratch);
        self.position.process(&mut self.scratch);
        self.expand();
    }
}

/// The event by which normalize learns a label's id.
fn labelled(limit: LimitId, label: &tradewind_domain::text::Code) -> Event {
    let mut event = Event::empty();
    event.reset(Kind::LimitSet);
    event.reject(RejectCode::UnknownLimit); // the id stands, the limit is not set
    let body: &mut LimitSet = event.body_mut();
    (body.limit, body.label) = (limit, *label);
    event
}
