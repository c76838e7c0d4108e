//! Business rules on the pipeline: the rules in force, what they may look at, and what they say about an event.
//!
//! Validate asks them about new orders, probes, executed trades and quotes. A replace names its order only, and a correction its
//! trade, so the limit check asks about them, with its own copy of the same state: both take the same records, so both have the
//! same rules in force. A bust is not asked about: it says nothing of its own but which trade never was.
//!
//! # Invariants
//! - The record names what the rules said: `Head::rule` and `Head::rule_alert`, and a note where the event is not to pass.
//! - An event that its own fields refuse already is not asked about: what it says makes no sense.
//! - The state follows from the records alone. No allocation after [`Rules::new`].
//!
//! Not here: the language and its programs (`tradewind-rules`).

mod directory;
mod facts;
#[cfg(test)]
mod tests;

pub use facts::Requested;

use crate::calendar::Calendars;
use crate::market::Market;
use directory::Directory;
use facts::{EventFacts, Subject};
use tradewind_domain::event::{Capacities, Event, Execution, Kind, OrderNew, OrderReplace, Quote};
use tradewind_domain::ids::{InstrumentId, NodeId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_rules::{Answer, Findings, RuleBook, RuleEvent};

/// Best bid and offer of one instrument at 1e-8.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Best {
    bid: i64,
    ask: i64,
}

impl Best {
    /// What a side without a price holds.
    const EMPTY: i64 = i64::MIN;
    /// Nothing on either side.
    const NONE: Self = Self {
        bid: Self::EMPTY,
        ask: Self::EMPTY,
    };

    fn of(quote: &Quote) -> Self {
        let side = |px: i64, qty: i64| if qty > 0 { px } else { Self::EMPTY };
        Self {
            bid: side(quote.bid, quote.bid_qty),
            ask: side(quote.ask, quote.ask_qty),
        }
    }
}

/// The rules in force and what they look at beside the market.
pub struct Rules {
    book: RuleBook,
    directory: Directory,
    best: Vec<Best>,
}

impl Rules {
    /// No rules, and room as configured.
    pub fn new(capacities: &Capacities) -> Self {
        Self {
            book: RuleBook::new(),
            directory: Directory::new(capacities.nodes),
            best: vec![Best::NONE; capacities.instruments as usize],
        }
    }

    /// The rules in force.
    pub fn book(&self) -> &RuleBook {
        &self.book
    }

    /// Takes what an accepted event says; other kinds change nothing.
    #[inline]
    pub fn apply(&mut self, event: &Event) {
        match event.kind() {
            Some(Kind::Quote) => {
                let quote: &Quote = event.body();
                if let Some(best) = self.best.get_mut(quote.instrument.index()) {
                    *best = Best::of(quote);
                }
            }
            Some(Kind::Blob) => {
                self.book.observe(event);
            }
            Some(Kind::AccountSet | Kind::NodeSet | Kind::CurrencySet) => self.directory.apply(event),
            _ => {}
        }
    }

    /// Asks about an event that validate looks at, or a correction that the limit check has completed, and writes what the rules say
    /// on it.
    #[inline]
    pub fn judge(&self, event: &mut Event, market: &Market, calendars: &Calendars) {
        let findings = match self.asked(event, market, calendars) {
            Some((asked, facts)) => self.book.check(asked, &facts),
            None => Findings::default(),
        };
        write(event, findings);
    }

    /// As [`judge`](Self::judge), about a replace of an order that was found.
    pub fn judge_replace(
        &self,
        event: &mut Event,
        market: &Market,
        calendars: &Calendars,
        requested: &Requested,
    ) {
        let findings = match self.asked_replace(event, market, calendars, requested) {
            Some(facts) => self.book.check(RuleEvent::Order, &facts),
            None => Findings::default(),
        };
        write(event, findings);
    }

    /// What every rule answers about an event that validate looks at, for a dry run: number and answer. False where the rules
    /// would not be asked.
    pub fn answers(
        &self,
        event: &Event,
        market: &Market,
        calendars: &Calendars,
        each: impl FnMut(u8, Answer),
    ) -> bool {
        let asked = self.asked(event, market, calendars);
        let is_asked = asked.is_some();
        if let Some((asked, facts)) = asked {
            self.book.answers(asked, &facts, each);
        }
        is_asked
    }

    /// As [`answers`](Self::answers), about a replace.
    pub fn answers_replace(
        &self,
        event: &Event,
        market: &Market,
        calendars: &Calendars,
        requested: &Requested,
        each: impl FnMut(u8, Answer),
    ) -> bool {
        let facts = self.asked_replace(event, market, calendars, requested);
        let is_asked = facts.is_some();
        if let Some(facts) = facts {
            self.book.answers(RuleEvent::Order, &facts, each);
        }
        is_asked
    }

    #[inline]
    fn asked<'a>(
        &'a self,
        event: &'a Event,
        market: &'a Market,
        calendars: &'a Calendars,
    ) -> Option<(RuleEvent, EventFacts<'a>)> {
        let (asked, instrument, leaf, subject) = match event.kind()? {
            Kind::OrderNew | Kind::Probe => {
                let order: &OrderNew = event.body();
                let subject = Subject::Order(Requested::of_new(order));
                (RuleEvent::Order, order.instrument, order.leaf, subject)
            }
            Kind::TradeCapture | Kind::TradeCorrect => {
                let trade: &Execution = event.body();
                // A correction of a fill is asked about as little as the fill was.
                if event.kind() == Some(Kind::TradeCorrect) && !trade.order_id.is_none() {
                    return None;
                }
                (
                    RuleEvent::Trade,
                    trade.instrument,
                    trade.leaf,
                    Subject::Trade(trade),
                )
            }
            Kind::Quote => {
                let quote: &Quote = event.body();
                (
                    RuleEvent::Quote,
                    quote.instrument,
                    NodeId::NONE,
                    Subject::Quote(quote),
                )
            }
            _ => return None,
        };
        if !self.book.has(asked) || is_refused_already(event.head.notes) {
            return None;
        }
        Some((
            asked,
            self.facts(event, market, calendars, instrument, leaf, subject)?,
        ))
    }

    fn asked_replace<'a>(
        &'a self,
        event: &'a Event,
        market: &'a Market,
        calendars: &'a Calendars,
        requested: &Requested,
    ) -> Option<EventFacts<'a>> {
        if !self.book.has(RuleEvent::Order) || is_refused_already(event.head.notes) {
            return None;
        }
        let replace: &OrderReplace = event.body();
        let subject = Subject::Order(*requested);
        self.facts(
            event,
            market,
            calendars,
            replace.instrument,
            replace.leaf,
            subject,
        )
    }

    #[inline]
    fn facts<'a>(
        &'a self,
        event: &Event,
        market: &'a Market,
        calendars: &'a Calendars,
        instrument: InstrumentId,
        leaf: NodeId,
        subject: Subject<'a>,
    ) -> Option<EventFacts<'a>> {
        Some(EventFacts {
            instrument: crate::checks::known(market, instrument)?,
            market,
            calendars,
            directory: &self.directory,
            best: self.best.get(instrument.index()).copied().unwrap_or(Best::NONE),
            leaf,
            now_ns: event.head.recv_ns,
            subject,
        })
    }

    /// Feeds the state to a hash; where nothing was set it adds nothing.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        self.book.digest(sink);
        self.directory.digest(sink);
        let set = self.best.iter().zip(0_u32..);
        for (best, id) in set.filter(|(best, _)| **best != Best::NONE) {
            sink(&id.to_le_bytes());
            sink(&best.bid.to_le_bytes());
            sink(&best.ask.to_le_bytes());
        }
    }
}

/// True where a finding stands that comes before every business rule.
#[inline]
fn is_refused_already(notes: u64) -> bool {
    let own = Note::BusinessRule.bit() | Note::QuarantineRule.bit();
    notes & !own != 0
        && Note::first(notes & !own).is_some_and(|code| code.priority() < RejectCode::BusinessRule.priority())
}

/// Puts findings on the event, also where there are none: an event may come from a record.
#[inline]
fn write(event: &mut Event, findings: Findings) {
    (event.head.rule, event.head.rule_alert) = (findings.rule, findings.alert);
    if findings.rule != 0 {
        event.note(match event.kind() {
            Some(Kind::TradeCapture | Kind::TradeCorrect) => Note::QuarantineRule,
            _ => Note::BusinessRule,
        });
    }
}
