//! Decides everything anew and compares: same input, same state, same outcome, to the last byte.
//!
//! A second set of stages takes each input without its facts and processes it. Names are not part of a record, so normalize
//! cannot decide again: the ids that it resolved, its findings and its verdicts on reference data count as input, and
//! re-execution begins at validate. Runs of rules that this build does not implement are applied as recorded, and counted.
//!
//! # Invariants
//! - After the first difference nothing more is executed: state made of other decisions would differ in everything.
//!
//! Tables here have the room of the largest run in the journal. Logical capacities, which decide, are those that each run
//! recorded.

use super::difference::{First, difference, place};
use super::{Check, number_of};
use crate::hits::text_of;
use crate::replica::{Replica, state_digest};
use bytemuck::Zeroable;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_domain::event::{
    Allocation, Capacities, CashMove, Control, Decider, EngineStarted, Event, Execution, FxConversion, Kind,
    LotSelect, OrderCancel, OrderNew, OrderReplace, OrderView, SettlementFail, TAIL_MAX, TradeBust,
    TransferFacts, VenueReport, head_flags,
};
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::ids::{
    AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, NodeId, OrderSlot, SessionId, WalletId,
};
use tradewind_domain::reject::Note;
use tradewind_domain::text::ClOrdId;
use tradewind_machine::stage::{Expansion, Stage};
use tradewind_risk::{LimitCheck, RULES_VERSION, Validate};

/// Findings that stand before re-execution begins: those of ingest and normalize.
const GIVEN_NOTES: u64 = Note::JournalSpaceLow.bit()
    | Note::InvalidPrecision.bit()
    | Note::UnknownAccount.bit()
    | Note::UnknownSymbol.bit()
    | Note::UnknownLedgerAccount.bit()
    | Note::LedgerMismatch.bit()
    | Note::UnknownNode.bit()
    | Note::UnknownCurrency.bit()
    | Note::UnknownCalendar.bit()
    | Note::Capacity.bit()
    | Note::NameTaken.bit()
    | Note::InvalidValue.bit();

pub(super) struct Repeat {
    validate: Validate,
    limit: LimitCheck,
    settle: Settle,
    position: Position,
    /// True in a run whose rules this build implements.
    can_execute: bool,
    /// True where the last record closed its group and the expander was not asked whether it agrees.
    closed: bool,
    executed: u64,
    applied: u64,
    /// Versions of rules that this build does not implement.
    foreign: Vec<u32>,
    first: First,
    scratch: Box<Event>,
}

impl Repeat {
    pub(super) fn new(capacities: &Capacities, hash_key: &[u8; 16]) -> Self {
        Self {
            validate: Validate::new(capacities),
            limit: LimitCheck::new(capacities, hash_key),
            settle: Settle::new(capacities),
            position: Position::new(capacities),
            can_execute: false,
            closed: false,
            executed: 0,
            applied: 0,
            foreign: Vec::new(),
            first: First::default(),
            scratch: Box::new(Event::empty()),
        }
    }

    pub(super) fn see(&mut self, event: &Event) {
        if event.kind() == Some(Kind::EngineStarted) && event.head.part == 0 {
            self.begin_run(event.body::<EngineStarted>().rules_version);
        }
        if self.first.0.is_some() || !self.can_execute {
            self.applied += 1;
        }
        if self.first.0.is_some() {
            return;
        }
        if !self.can_execute {
            return self.apply(event);
        }
        self.executed += 1;
        if event.head.part == 0 {
            self.expect_end(event);
            self.decide(event);
        } else {
            self.expand(event);
        }
        self.closed = event.head.flags & head_flags::LAST != 0;
    }

    fn begin_run(&mut self, rules_version: u32) {
        self.can_execute = rules_version == RULES_VERSION;
        if !self.can_execute && !self.foreign.contains(&rules_version) {
            self.foreign.push(rules_version);
        }
    }

    fn apply(&mut self, event: &Event) {
        if event.head.part == 0 {
            self.validate.apply(event);
        }
        self.limit.apply(event);
        self.settle.apply(event);
        self.position.apply(event);
        self.closed = false; // applying the last effect of a group ends it
    }

    /// The group before is over: the expander must have nothing more.
    fn expect_end(&mut self, next: &Event) {
        if self.closed && self.ask() {
            self.first.note(|| {
                format!(
                    "before record {}: an effect comes out that is not recorded",
                    place(next)
                )
            });
        }
    }

    fn decide(&mut self, recorded: &Event) {
        *self.scratch = *recorded;
        let event = &mut *self.scratch;
        without_facts(event);
        self.validate.process(event);
        self.limit.process(event);
        self.settle.process(event);
        self.position.process(event);
        self.compare(recorded);
    }

    fn expand(&mut self, recorded: &Event) {
        if !self.ask() {
            return self.first.note(|| {
                format!(
                    "record {}: an effect is recorded that does not come out",
                    place(recorded)
                )
            });
        }
        let event = &mut *self.scratch;
        self.settle.process(event);
        self.position.process(event);
        self.compare(recorded);
    }

    /// Asks the expander for the next effect. False where there is none.
    fn ask(&mut self) -> bool {
        loop {
            match self.limit.expand(&mut self.scratch) {
                Expansion::Busy => {}
                expansion => return expansion == Expansion::Produced,
            }
        }
    }

    fn compare(&mut self, recorded: &Event) {
        if let Some(text) = difference(recorded, &self.scratch) {
            let kind = recorded.kind().map_or("event", Kind::text);
            self.first
                .note(|| format!("record {} ({kind}): {text}", place(recorded)));
        }
    }

    pub(super) fn finish(&mut self, replica: &Replica) -> Check {
        if self.first.0.is_none() && self.closed && self.ask() {
            self.first
                .note(|| "after the last record: an effect comes out that is not recorded".to_owned());
        }
        if self.first.0.is_none() {
            self.compare_state(replica);
        }
        let figure = format!(
            "{} re-executed, {} not",
            number_of(self.executed, "record"),
            self.applied
        );
        let name = "outcomes repeat on re-execution";
        match self.first.0.clone() {
            Some(finding) => Check::of(name, figure, Some(finding)),
            None => Check {
                detail: self.not_executed(),
                ..Check::of(name, figure, None)
            },
        }
    }

    fn compare_state(&mut self, replica: &Replica) {
        let pairs: [(&dyn Stage<Event>, &dyn Stage<Event>); 3] = [
            (&self.limit, replica.limit_check()),
            (&self.settle, replica.settle()),
            (&self.position, replica.positions()),
        ];
        let differs = pairs
            .iter()
            .find(|(again, applied)| state_digest([*again]) != state_digest([*applied]));
        if let Some((stage, _)) = differs {
            let name = stage.name();
            self.first
                .note(|| format!("all records repeat, but the state of {name} differs"));
        }
    }

    fn not_executed(&self) -> Option<String> {
        let versions: Vec<String> = self.foreign.iter().map(u32::to_string).collect();
        let text = format!(
            "{} records were decided by rules of version {}; this build implements {RULES_VERSION}",
            self.applied,
            versions.join(", ")
        );
        (!versions.is_empty()).then_some(text)
    }
}

/// Makes a record the input that it was when normalize had done its part: what is to be decided anew goes through validate and
/// the stages after it. Records that normalize or nobody decides stay as they are.
pub fn without_facts(event: &mut Event) {
    let Some(kind) = event.kind() else { return };
    if matches!(kind.decider(), Decider::Normalize | Decider::Nobody) {
        return;
    }
    let (mut text, len) = ([0; TAIL_MAX], text_of(event).len());
    text[..len].copy_from_slice(text_of(event));
    event.set_tail(&text[..len]);
    event.head.outcome = 0;
    event.head.field = 0;
    event.head.notes &= GIVEN_NOTES;
    match kind {
        Kind::OrderNew | Kind::Probe => {
            let body: &mut OrderNew = event.body_mut();
            (body.view, body.verdict) = (OrderView::zeroed(), Zeroable::zeroed());
        }
        Kind::OrderCancel => {
            let body: &mut OrderCancel = event.body_mut();
            (body.view, body.verdict) = (OrderView::zeroed(), Zeroable::zeroed());
        }
        Kind::OrderReplace => {
            let body: &mut OrderReplace = event.body_mut();
            (body.view, body.verdict) = (OrderView::zeroed(), Zeroable::zeroed());
            (body.new_cash, body.new_fee) = (Money::ZERO, Money::ZERO);
        }
        Kind::VenueFill | Kind::TradeCapture => execution_without_facts(event.body_mut(), kind),
        Kind::TradeBust => {
            let body: &mut TradeBust = event.body_mut();
            (body.account, body.instrument, body.alerts) = (AccountId(0), InstrumentId(0), 0);
            (body.principal, body.fee, body.qty) = (Money::ZERO, Money::ZERO, 0);
            (body.realised, body.cost_delta, body.closed_qty) = (Money::ZERO, Money::ZERO, 0);
            body.consumed = Notional::ZERO;
        }
        Kind::TradeCorrect => {
            let body: &mut Execution = event.body_mut();
            (body.realised, body.cost_delta, body.closed_qty) = (Money::ZERO, Money::ZERO, 0);
            (body.principal, body.consumed, body.alerts) = (Money::ZERO, Notional::ZERO, 0);
            body.settle_calendar = 0;
        }
        Kind::Deposit | Kind::Withdrawal => {
            let body: &mut CashMove = event.body_mut();
            (body.verdict, body.wallet) = (Zeroable::zeroed(), WalletId::NONE);
        }
        Kind::FxConversion => {
            let body: &mut FxConversion = event.body_mut();
            (body.verdict, body.bought) = (Zeroable::zeroed(), Money::ZERO);
            (body.wallet_sold, body.wallet_bought) = (WalletId::NONE, WalletId::NONE);
        }
        Kind::Allocation => {
            let body: &mut Allocation = event.body_mut();
            (body.px, body.taken_back) = (0, 0);
            (body.principal, body.fee) = (Money::ZERO, Money::ZERO);
        }
        Kind::LedgerTransfer => {
            if let Some(facts) = event.transfer_facts() {
                event.set_transfer_facts(&TransferFacts {
                    amount: Money::ZERO,
                    released: Money::ZERO,
                    ..facts
                });
            }
        }
        Kind::LotSelect => {
            let len = event.lots_from_source().len();
            event.head.tail_len = len as u16;
            let body: &mut LotSelect = event.body_mut();
            (body.trade_seq, body.alerts) = (0, 0);
        }
        Kind::SettlementFail => {
            let body: &mut SettlementFail = event.body_mut();
            (body.settle_calendar, body.was_settled, body.side) = (0, 0, 0);
            (body.qty, body.cash) = (0, Money::ZERO);
            (body.settle_date_before, body.failed_from, body.age_days) = (0, 0, 0);
            body.trade_seq = 0;
        }
        Kind::StateSet | Kind::Kill | Kind::Rearm => {
            let body: &mut Control = event.body_mut();
            (body.state_before, body.state_after) = (0, 0);
        }
        _ if kind.is_report() => report_without_facts(event.body_mut()),
        _ => {}
    }
}

/// Ids that the limit check takes from the order are facts of a report.
fn report_without_facts(body: &mut VenueReport) {
    (body.leaf, body.account, body.instrument) = (NodeId::NONE, AccountId::NONE, InstrumentId::NONE);
    (body.currency, body.calendar) = (CurrencyId::NONE, CalendarId::NONE);
    (body.session, body.side, body.cl_ord_id) = (SessionId(0), 0, ClOrdId::EMPTY);
    body.view = OrderView::zeroed();
}

/// Side, dates and fee belong to the input even where the limit check completed them: completing them again gives the same.
fn execution_without_facts(body: &mut Execution, kind: Kind) {
    if kind == Kind::VenueFill {
        (body.leaf, body.account, body.instrument) = (NodeId::NONE, AccountId::NONE, InstrumentId::NONE);
        (body.currency, body.calendar) = (CurrencyId::NONE, CalendarId::NONE);
    }
    (body.state_before, body.state_after, body.alerts) = (0, 0, 0);
    (body.slot, body.holding, body.wallet) = (OrderSlot::NONE, HoldingId::NONE, WalletId::NONE);
    (body.principal, body.cash_released) = (Money::ZERO, Money::ZERO);
    (body.consumed, body.released_value) = (Notional::ZERO, Notional::ZERO);
    (body.realised, body.cost_delta, body.closed_qty) = (Money::ZERO, Money::ZERO, 0);
    (body.leaves, body.cum, body.trade_day) = (0, 0, 0);
    body.settle_calendar = 0;
}
