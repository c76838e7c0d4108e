//! The paper venue: reads a journal's records in order and answers accepted orders as a venue would.
//!
//! What it answers follows from the records that are no answers of its own: reference data, market data, orders, cancels,
//! controls, times. So each run makes the same answers in the same order as the runs before it, and needs no memory but the
//! journal.
//!
//! # Resuming
//! The answers leave through one ring, so the journal holds them in the order in which they were made, and what a crash lost
//! is the end of that list. Until the venue sees `EngineStarted` of its own run it is *catching up*: answers wait in a queue,
//! and each of the venue's own answers that it finds recorded, refused or not, takes its counterpart out of the queue. At
//! `EngineStarted` what is left has never been recorded: it goes out, first made first, and from there on answers go out as
//! they are made.
//!
//! # Invariants
//! - Over all runs of a journal, each answer is given once, however often and wherever runs were cut off.
//! - Memory is bounded by what the engine holds open and by what a crash can lose.
//! - A recorded answer that this version would not have made (another fill model or seed) wins: the order is taken to be what
//!   the record says, and the case is counted.
//!
//! Not here: threads, rings, files ([`PaperGateway`](crate::PaperGateway)); the fill model (`book`).

use crate::answer::{Answer, AnswerKey, Answers};
use crate::book::{Exchange, FillSettings};
use crate::order::Order;
use std::collections::{BTreeMap, VecDeque};
use tradewind_domain::codes::OrderState;
use tradewind_domain::event::{
    DerivedOrder, EngineStarted, Event, Execution, Inbound, InstrumentSet, Kind, LastTrade, OrderCancel,
    OrderNew, OrderReplace, VenueReport,
};
use tradewind_domain::ids::{OrderId, VenueId};

/// The paper venue's number in reports and fills.
pub const PAPER_VENUE: VenueId = VenueId(1);

/// What the venue has done and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VenueCounts {
    /// Orders open at the venue.
    pub open_orders: u64,
    /// Answers given out by this instance.
    pub answered: u64,
    /// Answers of earlier runs that were found recorded.
    pub found: u64,
    /// Answers that wait for the end of catching up.
    pub waiting: u64,
    /// Recorded answers that this version would not have made.
    pub foreign: u64,
}

/// The venue.
pub struct PaperVenue {
    epoch: u32,
    exchange: Exchange,
    /// Orders that the engine has accepted and holds back: they come here when it releases them.
    held: BTreeMap<OrderId, Order>,
    /// Answers made and not found yet; `None` once caught up.
    waiting: Option<VecDeque<Answer>>,
    answers: Answers,
    counts: VenueCounts,
}

impl PaperVenue {
    /// A venue for the run with this number ([`EngineStarted::epoch`]). It is to see every record from the journal's start.
    pub fn new(settings: FillSettings, epoch: u32) -> Self {
        Self {
            epoch,
            exchange: Exchange::new(settings),
            held: BTreeMap::new(),
            waiting: Some(VecDeque::new()),
            answers: Answers::new(),
            counts: VenueCounts::default(),
        }
    }

    /// Looks at the next record and appends what the venue has to say to `out`: messages for a
    /// [`Priority`](tradewind_machine::source::SourceClass::Priority) ring, all to be sent, in this order.
    pub fn on_record(&mut self, event: &Event, out: &mut Vec<Inbound>) {
        if let Some(key) = AnswerKey::of_record(event) {
            self.find(&key, event);
        }
        self.answers.now_ns = event.head.recv_ns;
        self.exchange.expire(&mut self.answers);
        if !event.is_rejected() {
            self.react(event);
        }
        match &mut self.waiting {
            Some(waiting) => waiting.extend(self.answers.list.drain(..)),
            None => {
                self.counts.answered += self.answers.list.len() as u64;
                out.extend(self.answers.list.drain(..).map(|answer| answer.message));
            }
        }
        if event.kind() == Some(Kind::EngineStarted) && event.body::<EngineStarted>().epoch >= self.epoch {
            self.resume(out);
        }
    }

    /// True until the venue has seen its own run begin.
    pub fn is_catching_up(&self) -> bool {
        self.waiting.is_some()
    }

    /// Figures.
    pub fn counts(&self) -> VenueCounts {
        VenueCounts {
            open_orders: self.exchange.open_count() as u64,
            waiting: self.waiting.as_ref().map_or(0, VecDeque::len) as u64,
            ..self.counts
        }
    }

    /// Ends catching up: what was never recorded goes out.
    fn resume(&mut self, out: &mut Vec<Inbound>) {
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        self.counts.answered += waiting.len() as u64;
        out.extend(waiting.into_iter().map(|answer| answer.message));
    }

    /// Takes a recorded answer out of the queue. It is the first one, unless another version wrote the journal.
    fn find(&mut self, key: &AnswerKey, event: &Event) {
        let Some(waiting) = &mut self.waiting else { return };
        if let Some(at) = waiting.iter().position(|answer| answer.key == *key) {
            waiting.remove(at);
            self.counts.found += 1;
            return;
        }
        self.counts.foreign += 1;
        let order_id = key.order_id();
        let closed = |state: u8| OrderState::from_code(state).is_some_and(|state| !state.is_open());
        let is_closed = if event.kind() == Some(Kind::VenueFill) {
            let fill: &Execution = event.body();
            self.exchange.reduce(order_id, fill.qty);
            closed(fill.state_after)
        } else {
            closed(event.body::<VenueReport>().view.state_after)
        };
        if is_closed {
            waiting.retain(|answer| answer.key.order_id() != order_id);
            self.exchange.forget(order_id);
        }
    }

    /// What an accepted record does at the venue.
    fn react(&mut self, event: &Event) {
        let Self {
            exchange,
            answers,
            held,
            ..
        } = self;
        match event.kind() {
            Some(Kind::InstrumentSet) => exchange.set_instrument(&event.body::<InstrumentSet>().row),
            Some(Kind::Quote) => exchange.quote(event.body(), answers),
            Some(Kind::LastTrade) => {
                let body: &LastTrade = event.body();
                exchange.trade(body.instrument, body.px, answers);
            }
            Some(Kind::OrderNew) => {
                let Some(order) = Order::of(event) else { return };
                if event.body::<OrderNew>().view.state_after == OrderState::Held as u8 {
                    held.insert(order.id, order);
                } else {
                    exchange.place(order, answers);
                }
            }
            Some(Kind::OrderReleased) => {
                if let Some(order) = held.remove(&event.body::<DerivedOrder>().view.order_id) {
                    exchange.place(order, answers);
                }
            }
            // A mass cancel and a kill ask for each cancel by an effect of its own.
            Some(Kind::OrderCancel) => self.cancel(event.body::<OrderCancel>().view.order_id),
            Some(Kind::CancelRequested) => self.cancel(event.body::<DerivedOrder>().view.order_id),
            Some(Kind::OrderReplace) => {
                let body: &OrderReplace = event.body();
                exchange.replace(body.view.order_id, body.qty, body.px, body.stop_px, answers);
            }
            Some(Kind::OrderExpired) => {
                let id = event.body::<DerivedOrder>().view.order_id;
                held.remove(&id);
                exchange.forget(id);
            }
            _ => {}
        }
    }

    /// An order that the engine holds has never been here: it has ended, and there is nothing to answer.
    fn cancel(&mut self, id: OrderId) {
        if self.held.remove(&id).is_none() {
            self.exchange.cancel(id, &mut self.answers);
        }
    }
}

#[cfg(test)]
#[path = "venue_tests.rs"]
mod tests;
