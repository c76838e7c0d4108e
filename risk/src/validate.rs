//! Validate: notes what is wrong with an order or trade by itself, and decides market data.
//!
//! It knows instruments, session hours, halts and last prices; it holds no order state, so what it finds is the same
//! whatever other orders did. The limit check merges its notes with its own findings by priority. Business rules are asked here,
//! once everything else is known to make sense.
//!
//! Not here: names and decimals (normalize), accounts, limits and order state (limit check). A replace names no instrument:
//! the limit check asks [`checks`] for it.

use crate::calendar::Calendars;
use crate::checks;
use crate::corporate::{self, Announced};
use crate::market::Market;
use crate::rules::Rules;
use tradewind_domain::codes::{OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    CalendarSet, Capacities, CorporateAction, Decider, EngineStarted, Event, Execution, FxRate, Kind,
    LastTrade, Mark, OrderNew, Quote, Timer, TimerKind,
};
use tradewind_domain::reject::Note;
use tradewind_machine::stage::Stage;

/// The validate stage.
pub struct Validate {
    market: Market,
    calendars: Calendars,
    rules: Rules,
    announced: Announced,
    stale_order_ms: u32,
}

impl Validate {
    /// Room as configured.
    pub fn new(capacities: &Capacities) -> Self {
        Self {
            market: Market::new(capacities.instruments),
            calendars: Calendars::new(),
            rules: Rules::new(capacities),
            announced: Announced::new(),
            stale_order_ms: 0,
        }
    }

    /// The business rules in force.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Findings about one order. Reads state, changes nothing.
    fn notes_of_order(&self, event: &Event) -> u64 {
        let order: &OrderNew = event.body();
        let now_ns = event.head.recv_ns;
        let instrument = checks::known(&self.market, order.instrument);
        let mut notes = checks::qty_notes(instrument, order.qty);
        notes |= checks::stale_notes(event.head.origin_ns, now_ns, self.stale_order_ms);
        if Side::from_code(order.side).is_none() {
            notes |= Note::InvalidSide.bit();
        }
        match TimeInForce::from_code(order.tif) {
            None => notes |= Note::InvalidTimeInForce.bit(),
            Some(TimeInForce::Gtd) if order.expire_ns <= now_ns => notes |= Note::InvalidExpiry.bit(),
            Some(_) => {}
        }
        if order.cl_ord_id.is_empty() {
            notes |= Note::Malformed.bit();
        }
        let Some(ord_type) = OrderType::from_code(order.ord_type) else {
            return notes | Note::InvalidOrderType.bit();
        };
        if let Some(instrument) = instrument {
            notes |= checks::price_notes(instrument, ord_type, order.px, order.stop_px);
            notes |= checks::session_notes(instrument, &self.market, &self.calendars, now_ns);
            if matches!(ord_type, OrderType::Limit | OrderType::StopLimit) {
                notes |= checks::collar_notes(instrument, &self.market, order.px, now_ns);
            }
        }
        notes
    }

    /// Findings about market data.
    fn notes_of_market(&self, event: &Event, kind: Kind) -> u64 {
        let bad_px = |px: i64, id| {
            let free = checks::known(&self.market, id).is_some_and(|row| row.allows_negative_prices());
            if px <= 0 && !free {
                Note::InvalidPrice.bit()
            } else {
                0
            }
        };
        match kind {
            Kind::Quote => {
                let quote: &Quote = event.body();
                let side = |px: i64, qty: i64| match qty {
                    i64::MIN..=-1 => Note::InvalidQty.bit(),
                    0 => 0,
                    _ => bad_px(px, quote.instrument),
                };
                side(quote.bid, quote.bid_qty) | side(quote.ask, quote.ask_qty)
            }
            Kind::LastTrade => {
                let trade: &LastTrade = event.body();
                bad_px(trade.px, trade.instrument) | if trade.qty < 0 { Note::InvalidQty.bit() } else { 0 }
            }
            Kind::Mark => {
                let mark: &Mark = event.body();
                bad_px(mark.px, mark.instrument)
            }
            Kind::CorporateAction => {
                corporate::notes(event.body(), &self.market, &self.calendars, &self.announced)
            }
            Kind::FxRate => {
                let rate: &FxRate = event.body();
                if rate.rate <= 0 {
                    Note::InvalidPrice.bit()
                } else {
                    0
                }
            }
            _ => 0,
        }
    }
}

impl Validate {
    fn announce(&mut self, action: &CorporateAction) {
        if let Some(instrument) = self.market.instrument(action.instrument) {
            let calendar = instrument.calendar;
            self.announced
                .announce(action, calendar, self.calendars.date(calendar));
            self.take_effect();
        }
    }

    fn roll(&mut self, timer: &Timer) {
        if timer.timer == TimerKind::DayRoll as u8 {
            self.calendars.roll(timer.calendar, timer.date);
            self.announced.roll(timer.calendar, timer.date);
            self.take_effect();
        }
    }

    /// Prices that orders are compared with are those after the splits that are due.
    fn take_effect(&mut self) {
        while let Some(action) = self.announced.finish() {
            if let Some(ratio) = corporate::split_ratio(&action) {
                self.market.split(action.instrument, ratio);
            }
        }
    }
}

impl Stage<Event> for Validate {
    fn name(&self) -> &'static str {
        "validate"
    }

    #[inline]
    fn process(&mut self, event: &mut Event) {
        let Some(kind) = event.kind() else { return };
        match kind {
            Kind::OrderNew | Kind::Probe => {
                event.head.notes |= self.notes_of_order(event);
                self.rules.judge(event, &self.market, &self.calendars);
            }
            Kind::TradeCapture => {
                event.head.notes |= checks::trade_notes(&self.market, event.body());
                self.rules.judge(event, &self.market, &self.calendars);
            }
            Kind::VenueFill => {
                let fill: &Execution = event.body();
                let unnamed = if fill.exec_id.is_empty() {
                    Note::Malformed.bit()
                } else {
                    0
                };
                event.head.notes |= checks::qty_notes(None, fill.qty) | unnamed;
            }
            _ if kind.decider() == Decider::Validate => {
                event.head.notes |= self.notes_of_market(event, kind);
                self.rules.judge(event, &self.market, &self.calendars);
                if let Some(code) = Note::first(event.head.notes) {
                    event.reject(code);
                }
            }
            _ => {}
        }
        self.apply(event);
    }

    #[inline]
    fn apply(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        self.rules.apply(event);
        match event.kind() {
            Some(Kind::CalendarSet) => self.calendars.set_days(event.body::<CalendarSet>()),
            Some(Kind::Timer) => self.roll(event.body()),
            Some(Kind::CorporateAction) => self.announce(event.body()),
            Some(Kind::EngineStarted) => self.stale_order_ms = event.body::<EngineStarted>().stale_order_ms,
            _ => self.market.apply(event),
        }
    }

    fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        self.market.digest(sink);
        self.calendars.digest(sink);
        self.rules.digest(sink);
        self.announced.digest(sink);
        sink(&self.stale_order_ms.to_le_bytes());
    }
}
