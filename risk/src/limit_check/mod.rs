//! Limit check: decides whether orders, reports, executions and payments take effect, and what they hold and move.
//!
//! It owns the only order table, the hierarchy with its counters, the limits and the cash line. It computes each amount once and
//! writes it on the event; settle and position post those amounts. A refused event leaves nothing here but its used
//! identifier and its rate tokens.
//!
//! # Invariants
//! - Reserved value, quantity and cash are the sums over open orders, at every node and for every wallet.
//! - The outcome depends on this state and the event alone, so replaying the journal rebuilds the state.
//! - Executions are never refused for a limit.
//!
//! Not here: names (normalize), session hours and price checks of new orders (validate), postings (settle), cost and profit
//! (position).

mod admin;
mod allocation;
mod ask;
mod audit;
mod base_cash;
mod book;
mod bust;
mod conversion;
mod dated;
mod early;
mod effects;
mod execution;
mod expand;
mod fail;
mod fees;
mod findings;
mod flatten;
mod holders;
mod look_ahead;
mod marks;
mod place;
mod quarantine;
mod question;
mod quota;
mod replace;
mod report;
mod rest;
mod select;
mod self_trade;
mod tables;
mod transfer;
mod view;

#[cfg(test)]
mod tests;

use book::Book;
use expand::Cursor;
use findings::Findings;
use place::PlaceHint;
use std::ops::DerefMut;
use std::sync::Arc;
use tradewind_domain::event::{Capacities, Event, Kind, OrderNew, head_flags};
use tradewind_domain::ids::OrderSlot;
use tradewind_machine::slab::Slot;
use tradewind_machine::stage::{Expansion, Stage};

pub use findings::hits;
pub use quarantine::{QuarantineRow, is_put_aside};
pub use tables::{ALERT_PCT, TABLES, TableGauge};
pub use view::{LimitUse, Occasion};

/// The limit-check stage.
pub struct LimitCheck {
    book: Book,
    findings: Findings,
    cursor: Cursor,
    gauge: Arc<TableGauge>,
    /// Events until the gauge is set again.
    gauge_in: u32,
}

/// Events between two settings of the gauge.
const GAUGE_EVERY: u32 = 256;

impl LimitCheck {
    /// Room as configured; `hash_key` is the journal's.
    pub fn new(capacities: &Capacities, hash_key: &[u8; 16]) -> Self {
        Self {
            book: Book::new(capacities, hash_key),
            findings: Findings::new(),
            cursor: Cursor::Idle,
            gauge: Arc::default(),
            gauge_in: 0,
        }
    }

    /// How full the tables are, for a reader beside the running stage. Figures lag by some hundred events.
    pub fn gauge(&self) -> Arc<TableGauge> {
        Arc::clone(&self.gauge)
    }

    #[inline]
    fn show_tables(&mut self) {
        match self.gauge_in.checked_sub(1) {
            Some(left) => self.gauge_in = left,
            None => {
                self.gauge_in = GAUGE_EVERY;
                self.gauge.set(self.book.used_pct());
            }
        }
    }

    fn decide(&mut self, event: &mut Event, kind: Kind) -> Option<PlaceHint> {
        let Self { book, findings, .. } = self;
        match kind {
            Kind::OrderNew => return Some(book.decide_new(event, findings)),
            Kind::Probe => {
                book.decide_new(event, findings);
                // The answer is the verdict: nothing gets an identity or a row.
                let probe: &mut OrderNew = event.body_mut();
                probe.view.order_id = tradewind_domain::ids::OrderId::NONE;
                probe.view.slot = OrderSlot::NONE;
                probe.view.burns_key = 0;
            }
            Kind::OrderReplace => book.decide_replace(event, findings),
            Kind::OrderCancel => book.decide_cancel(event),
            Kind::MassCancel => book.decide_mass_cancel(event),
            Kind::VenueFill | Kind::TradeCapture => book.decide_execution(event, kind),
            Kind::TradeBust | Kind::TradeCorrect => book.take_back(event, kind, false),
            Kind::QuarantineResolve => book.decide_resolve(event),
            Kind::VenueAck
            | Kind::VenueReject
            | Kind::VenueCancelled
            | Kind::VenueReplaced
            | Kind::VenueCancelReject
            | Kind::VenueExpired
            | Kind::VenueStatus
            | Kind::OrderUnknown => book.decide_report(event, kind),
            Kind::Deposit | Kind::Withdrawal => book.decide_cash(event, kind),
            Kind::FxConversion => book.decide_conversion(event),
            Kind::Allocation => book.decide_allocation(event),
            Kind::LedgerTransfer => book.decide_transfer(event),
            Kind::SettlementFail => book.decide_fail(event),
            Kind::LotSelect => book.decide_select(event),
            Kind::FeeScheduleSet => book.decide_fee_schedule(event),
            Kind::Valuation => book.decide_valuation(event),
            Kind::Locate => book.decide_locate(event),
            Kind::LimitSet => book.decide_limit(event),
            Kind::QuotaGrant => book.decide_grant(event),
            Kind::RestrictedSet => book.decide_restricted(event),
            Kind::LimitProbe => book.decide_limit_probe(event),
            Kind::EntitlementSource => book.decide_entitlement(event),
            Kind::StateSet | Kind::Kill | Kind::Rearm => book.decide_control(event, kind),
            Kind::Flatten => book.decide_flatten(event),
            Kind::SessionConnected | Kind::SessionDisconnected => book.decide_session(event),
            _ => {}
        }
        None
    }

    #[inline]
    fn apply_with(&mut self, event: &Event, kind: Kind, hint: Option<PlaceHint>) {
        let book = &mut self.book;
        match kind {
            Kind::OrderNew => {
                if event.head.part != 0 {
                    self.cursor.pass(book, event, kind);
                }
                book.apply_new(event, hint);
            }
            Kind::OrderReplace => book.apply_replace(event),
            Kind::OrderCancel => book.apply_cancel(event),
            Kind::VenueFill => book.apply_execution(event),
            Kind::TradeCapture => {
                if event.head.part != 0 {
                    self.cursor.pass(book, event, kind);
                }
                book.apply_execution(event);
            }
            Kind::TradeBust | Kind::TradeCorrect if event.head.part != 0 => {
                self.cursor.pass(book, event, kind);
                book.apply_early(event, kind);
            }
            Kind::TradeBust | Kind::TradeCorrect => book.apply_taking_back(event, kind),
            Kind::QuarantineResolve => book.apply_resolve(event),
            Kind::VenueAck
            | Kind::VenueReject
            | Kind::VenueCancelled
            | Kind::VenueReplaced
            | Kind::VenueCancelReject
            | Kind::VenueExpired
            | Kind::VenueStatus
            | Kind::OrderUnknown => book.apply_report(event, kind),
            Kind::Deposit | Kind::Withdrawal => book.apply_cash(event, kind),
            Kind::FxConversion => book.apply_conversion(event),
            Kind::Allocation => book.apply_allocation(event),
            Kind::LedgerTransfer => book.apply_transfer(event),
            Kind::SettlementFail => book.apply_fail(event),
            Kind::FeeScheduleSet => book.apply_fee_schedule(event),
            Kind::StateSet | Kind::Kill | Kind::Rearm => book.apply_control(event, kind),
            Kind::Valuation => book.apply_valuation(event),
            Kind::QuotaGrant => book.apply_grant(event),
            Kind::Locate => book.apply_locate(event),
            Kind::OrderExpired
            | Kind::CancelRequested
            | Kind::OrderReleased
            | Kind::StateChanged
            | Kind::DatedCashSettled
            | Kind::StockBorrowed
            | Kind::DatedSplit
            | Kind::HolderSplit
            | Kind::HolderDividend
            | Kind::HolderFunding
            | Kind::HolderMargin
            | Kind::HolderSettled => {
                self.cursor.pass(book, event, kind);
                book.apply_derived(event, kind);
            }
            Kind::Probe
            | Kind::LimitProbe
            | Kind::LotSelect
            | Kind::MassCancel
            | Kind::Flatten
            | Kind::EdgeStats
            | Kind::EngineStopped => {}
            _ => book.apply_reference(event, kind),
        }
    }
}

impl LimitCheck {
    /// Looks ahead at events as the pipeline does at its batches: for benchmarks of the stage alone.
    pub fn look_ahead_at<T: DerefMut<Target = Event>>(&self, batch: &mut [T]) {
        self.book.look_ahead_batch(batch);
    }

    /// Behind each input: what it sets off, and a few pairs whose mark has moved.
    #[inline]
    fn begin_effects(&mut self, event: &Event, kind: Kind) {
        if event.head.part == 0 {
            self.book.input_seq = event.head.seq;
            self.book.drain(event.head.recv_ns);
            self.cursor = Cursor::of(event, kind, &mut self.book);
        } else if kind == Kind::TradeCapture {
            // A trade out of quarantine is an effect that has effects; those of legs come behind the last of them.
            match &mut self.cursor {
                Cursor::Legs(_, trips) => trips.join(&self.book.trips_of(event, kind)),
                cursor => *cursor = Cursor::of(event, kind, &mut self.book),
            }
        }
    }
}

impl Stage<Event> for LimitCheck {
    fn name(&self) -> &'static str {
        "limit"
    }

    #[inline]
    fn process(&mut self, event: &mut Event) {
        let Some(kind) = event.kind() else { return };
        let hint = self.decide(event, kind);
        self.apply_with(event, kind, hint);
        match kind {
            Kind::VenueFill | Kind::TradeCapture => self.book.audit(event, &mut self.findings),
            Kind::TradeBust | Kind::TradeCorrect => self.book.audit_taking_back(event, &mut self.findings),
            _ => {}
        }
        self.begin_effects(event, kind);
        self.show_tables();
    }

    fn apply(&mut self, event: &Event) {
        if let Some(kind) = event.kind() {
            self.apply_with(event, kind, None);
            self.begin_effects(event, kind);
        }
        if event.head.flags & head_flags::LAST != 0 {
            self.book.resting.clear_due();
            self.book.announced.clear_due();
            self.book.quarantine.forget_arrival();
            self.cursor = Cursor::Idle;
        }
    }

    #[inline]
    fn look_ahead(&self, event: &mut Event) {
        self.book.look_ahead(event);
        self.book.fetch(0, event);
    }

    fn look_ahead_batch(&self, batch: &mut [Slot<Event>]) {
        self.book.look_ahead_batch(batch);
    }

    #[inline]
    fn expand(&mut self, out: &mut Event) -> Expansion {
        if self.cursor == Cursor::Idle {
            return Expansion::Done;
        }
        let expansion = self.cursor.next(&mut self.book, &mut self.findings, out);
        match out.kind().filter(|_| expansion == Expansion::Produced) {
            Some(Kind::TradeCapture) => {
                self.book.audit(out, &mut self.findings);
                self.begin_effects(out, Kind::TradeCapture);
            }
            Some(Kind::TradeBust | Kind::TradeCorrect) => {
                self.book.audit_taking_back(out, &mut self.findings);
            }
            _ => {}
        }
        expansion
    }

    fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        self.book.digest(sink);
    }

    fn faults(&self) -> u64 {
        self.book.faults
    }
}
