//! The projection: from records to rows. A function of the records and of reference data, apart from any database.
//!
//! # Invariants
//! - Every kind of event is named here: one that is added does not compile until somebody has said what becomes of it.
//! - Nothing is decided, priced or rounded: rows carry the facts of the record, and sums of them.
//! - The same records give the same rows, however they are cut into batches: merged rows add up, appended ones follow one another.
//!
//! Not kept, on purpose: quotes, last trades, marks and figures of equity one by one (the journal has them; bars and days sum them up),
//! questions, and what edges counted.

mod audit;
mod books;
mod limits;
mod market;
mod orders;
mod recon;
mod valued;

use crate::batch::Batch;
use crate::names::Names;
use crate::rows::{About, Alert, Origin, Refusal};
use tradewind_books::posting::Postings;
use tradewind_domain::event::{
    Allocation, CashMove, CorporateAction, DatedSettlement, DatedSplit, DerivedOrder, Event, Execution,
    FxConversion, HolderAction, Kind, LedgerTransfer, Locate, LotMethodSet, LotSelect, MassCancel,
    OrderCancel, OrderNew, OrderReplace, ReconEnd, ReconFinding, SettlementFail, SymbolChange, TradeBust,
    Valuation, VenueReport, execution_alerts,
};
use tradewind_domain::ids::{AccountId, InstrumentId, OrderId};
use tradewind_domain::text::{ExecId, Text};
use tradewind_domain::time::{DayNumber, utc_day};
use tradewind_views::recon::ReconBook;

/// Turns records into rows.
#[derive(Debug, Default)]
pub(crate) struct Projection {
    names: Names,
    breaks: ReconBook,
}

/// What an event is about.
struct Concern {
    about: About,
    /// Trading day; 0 where the record has none.
    trade_day: DayNumber,
    identifier: ExecId,
}

impl Projection {
    /// A projection that knows this reference data and these breaks.
    pub(crate) fn new(names: Names, breaks: ReconBook) -> Self {
        Self { names, breaks }
    }

    /// Adds what one record changes.
    pub(crate) fn add(&mut self, event: &Event, batch: &mut Batch) {
        let Some(kind) = event.kind() else {
            return; // the reader refuses such records
        };
        if matches!(kind, Kind::Probe | Kind::LimitProbe) {
            return; // questions change nothing
        }
        let concern = concern(event, kind);
        let origin = origin(event, concern.trade_day);
        self.limit_events(event, origin, concern.about, batch);
        self.rule_alert(event, origin, concern.about, batch);
        if event.is_rejected() {
            batch.refusals.push(Refusal {
                origin: utc(origin),
                on: event.head.kind,
                code: event.head.outcome,
                rule: event.head.rule,
                about: concern.about,
                identifier: concern.identifier,
                text: text_of(event),
            });
            return self.audit(event, kind, origin, batch);
        }
        let posted = self.posted(event);
        self.entries(event, kind, origin, (concern.about.account, &posted), batch);
        self.accepted(event, kind, origin, &posted, batch);
        alerts_beside_executions(event, kind, origin, concern.about, batch);
        self.audit(event, kind, origin, batch);
    }

    /// What an accepted event changes beside the books and the audit trail.
    fn accepted(&mut self, event: &Event, kind: Kind, origin: Origin, posted: &Postings, batch: &mut Batch) {
        match kind {
            Kind::OrderNew => orders::entered(event, origin, batch),
            Kind::OrderCancel => {
                orders::changed(event, &event.body::<OrderCancel>().view, batch);
            }
            Kind::OrderReplace => orders::asked(event, batch),
            Kind::VenueAck
            | Kind::VenueReject
            | Kind::VenueCancelled
            | Kind::VenueReplaced
            | Kind::VenueCancelReject
            | Kind::VenueExpired
            | Kind::VenueStatus
            | Kind::OrderUnknown => orders::reported(event, kind, batch),
            Kind::OrderExpired | Kind::CancelRequested | Kind::OrderReleased => {
                orders::changed(event, &event.body::<DerivedOrder>().view, batch);
            }
            Kind::VenueFill | Kind::TradeCapture => self.executed(event, origin, posted, batch),
            Kind::TradeBust | Kind::TradeCorrect => self.restated(event, kind, origin, batch),
            Kind::HolderSplit | Kind::HolderFunding | Kind::HolderMargin | Kind::HolderSettled => {
                self.acted(event, kind, origin, batch);
            }
            Kind::HolderDividend => self.paid(event.body(), origin, batch),
            Kind::ReconRun | Kind::ReconFinding | Kind::ReconEnd | Kind::ReconAction => {
                self.reconciled(event, kind, batch);
            }
            Kind::Valuation => valued::valued(event, batch),
            Kind::Quote => market::quoted(event, batch),
            Kind::LastTrade => market::traded(event, batch),
            Kind::InstrumentSet
            | Kind::AccountSet
            | Kind::NodeSet
            | Kind::LimitSet
            | Kind::CurrencySet
            | Kind::SymbolChange
            | Kind::FxRate
            | Kind::SessionConnected => self.reference(event, kind, batch),
            // The books have these, or the audit trail, or nobody asks for them later (head of this module).
            Kind::MassCancel
            | Kind::Mark
            | Kind::InstrumentStatus
            | Kind::Deposit
            | Kind::Withdrawal
            | Kind::Locate
            | Kind::CorporateAction
            | Kind::Allocation
            | Kind::LedgerTransfer
            | Kind::SettlementFail
            | Kind::LotSelect
            | Kind::StockBorrowed
            | Kind::FxConversion
            | Kind::SessionDisconnected
            | Kind::FeeScheduleSet
            | Kind::CalendarSet
            | Kind::StateSet
            | Kind::Kill
            | Kind::Rearm
            | Kind::EntitlementSource
            | Kind::QuotaGrant
            | Kind::RestrictedSet
            | Kind::QuarantineResolve
            | Kind::AlertAction
            | Kind::AlertMaintenance
            | Kind::Flatten
            | Kind::AccessSet
            | Kind::LotMethodSet
            | Kind::Timer
            | Kind::DatedCashSettled
            | Kind::DatedSplit
            | Kind::StateChanged
            | Kind::Probe
            | Kind::Blob
            | Kind::EdgeStats
            | Kind::EngineStarted
            | Kind::EngineStopped
            | Kind::LimitProbe => {}
        }
    }

    /// A business rule that only alerts.
    fn rule_alert(&self, event: &Event, origin: Origin, about: About, batch: &mut Batch) {
        let rule = event.head.rule_alert;
        if rule != 0 {
            batch
                .alerts
                .push(alert(event, origin, 0, "BUSINESS_RULE", rule, about));
        }
    }
}

/// Alerts of an accepted event that no execution is behind: the run of a settlement date, a holder's part of a corporate action, lots that
/// are named too late.
fn alerts_beside_executions(event: &Event, kind: Kind, origin: Origin, about: About, batch: &mut Batch) {
    let alerts = match kind {
        Kind::DatedCashSettled => event.body::<DatedSettlement>().alerts,
        Kind::LotSelect => event.body::<LotSelect>().alerts,
        Kind::HolderSplit | Kind::HolderDividend => event.body::<CorporateAction>().alerts,
        Kind::HolderFunding | Kind::HolderMargin | Kind::HolderSettled => event.body::<HolderAction>().alerts,
        _ => return,
    };
    execution_alerts(event, origin, alerts, about, batch);
}

/// Alerts of an execution, a bust or a correction, by the bits that mark them.
fn execution_alerts(event: &Event, origin: Origin, alerts: u8, about: About, batch: &mut Batch) {
    const NAMES: [(u8, &str); 8] = [
        (execution_alerts::LATE_FILL, "LATE_FILL"),
        (execution_alerts::OVERFILL, "OVERFILL"),
        (execution_alerts::OVERDRAFT, "OVERDRAFT"),
        (execution_alerts::BREACH, "BREACH"),
        (execution_alerts::PRIOR_DAY_ADJ, "PRIOR_DAY_ADJ"),
        (execution_alerts::NOT_REPLAYED, "NOT_REPLAYED"),
        (execution_alerts::TAKING_BACK_WAITS, "TAKING_BACK_WAITS"),
        (execution_alerts::SETTLED_EARLY, "SETTLED_EARLY"),
    ];
    for (line, (bit, name)) in NAMES.into_iter().enumerate() {
        if alerts & bit != 0 {
            batch
                .alerts
                .push(alert(event, origin, line as u16 + 1, name, 0, about));
        }
    }
}

fn alert(event: &Event, origin: Origin, line: u16, name: &'static str, rule: u8, about: About) -> Alert {
    Alert {
        origin: utc(origin),
        line,
        on: event.head.kind,
        alert: name,
        rule,
        about,
    }
}

fn origin(event: &Event, trade_day: DayNumber) -> Origin {
    let head = &event.head;
    Origin {
        seq: head.seq,
        part: head.part,
        day: if trade_day == 0 {
            utc_day(head.recv_ns)
        } else {
            trade_day
        },
        recv_ns: head.recv_ns,
    }
}

/// By the UTC date: for rows that are asked for by when they happened.
fn utc(origin: Origin) -> Origin {
    Origin {
        day: utc_day(origin.recv_ns),
        ..origin
    }
}

/// Whom an event is about, on which trading day, and by which identifier its source knows it.
fn concern(event: &Event, kind: Kind) -> Concern {
    let of = |account: AccountId, instrument: InstrumentId, order: OrderId, trade_day, identifier| Concern {
        about: About {
            account,
            instrument,
            order,
        },
        trade_day,
        identifier,
    };
    let none = |account, instrument| of(account, instrument, OrderId::NONE, 0, ExecId::EMPTY);
    macro_rules! of_order {
        ($body:ty) => {{
            let body: &$body = event.body();
            let view = &body.view;
            of(
                body.account,
                body.instrument,
                view.order_id,
                view.trade_day,
                body.cl_ord_id,
            )
        }};
    }
    match kind {
        Kind::OrderNew | Kind::Probe => of_order!(OrderNew),
        Kind::OrderCancel => of_order!(OrderCancel),
        Kind::OrderReplace => of_order!(OrderReplace),
        Kind::VenueAck
        | Kind::VenueReject
        | Kind::VenueCancelled
        | Kind::VenueReplaced
        | Kind::VenueCancelReject
        | Kind::VenueExpired
        | Kind::VenueStatus
        | Kind::OrderUnknown => {
            let body: &VenueReport = event.body();
            let day = body.view.trade_day;
            of(
                body.account,
                body.instrument,
                body.order_id,
                day,
                body.venue_order_id,
            )
        }
        Kind::OrderExpired | Kind::CancelRequested | Kind::OrderReleased => of_order!(DerivedOrder),
        Kind::VenueFill | Kind::TradeCapture | Kind::TradeCorrect => {
            let body: &Execution = event.body();
            of(
                body.account,
                body.instrument,
                body.order_id,
                body.trade_day,
                body.exec_id,
            )
        }
        Kind::TradeBust => {
            let body: &TradeBust = event.body();
            let order = event.taken_back().map_or(OrderId::NONE, |taken| taken.order_id);
            of(body.account, body.instrument, order, 0, body.exec_id)
        }
        Kind::Deposit | Kind::Withdrawal => {
            let body: &CashMove = event.body();
            of(body.account, InstrumentId::NONE, OrderId::NONE, 0, body.reference)
        }
        Kind::Locate => {
            let body: &Locate = event.body();
            none(body.account, body.instrument)
        }
        Kind::CorporateAction | Kind::HolderSplit | Kind::HolderDividend => {
            let body: &CorporateAction = event.body();
            none(body.account, body.instrument)
        }
        Kind::HolderFunding | Kind::HolderMargin | Kind::HolderSettled | Kind::StockBorrowed => {
            let body: &HolderAction = event.body();
            none(body.account, body.instrument)
        }
        Kind::SettlementFail => {
            let body: &SettlementFail = event.body();
            of(body.account, body.instrument, OrderId::NONE, 0, body.exec_id)
        }
        Kind::LotSelect => {
            let body: &LotSelect = event.body();
            of(body.account, body.instrument, OrderId::NONE, 0, body.exec_id)
        }
        Kind::SymbolChange => none(AccountId::NONE, event.body::<SymbolChange>().instrument),
        Kind::LotMethodSet => none(event.body::<LotMethodSet>().account, InstrumentId::NONE),
        Kind::ReconFinding => {
            let body: &ReconFinding = event.body();
            of(body.account, body.instrument, OrderId::NONE, 0, body.identifier)
        }
        Kind::ReconEnd => none(event.body::<ReconEnd>().account, InstrumentId::NONE),
        Kind::Allocation => {
            let body: &Allocation = event.body();
            of(body.account, body.instrument, OrderId::NONE, 0, body.alloc_id)
        }
        Kind::LedgerTransfer => {
            let body: &LedgerTransfer = event.body();
            of(
                AccountId::NONE,
                InstrumentId::NONE,
                OrderId::NONE,
                0,
                body.transfer_id,
            )
        }
        Kind::MassCancel => {
            let body: &MassCancel = event.body();
            of(AccountId::NONE, body.instrument, OrderId::NONE, 0, body.cl_ord_id)
        }
        Kind::FxConversion => {
            let body: &FxConversion = event.body();
            of(body.account, InstrumentId::NONE, OrderId::NONE, 0, body.reference)
        }
        Kind::DatedCashSettled => {
            let body: &DatedSettlement = event.body();
            none(body.account, body.instrument)
        }
        Kind::DatedSplit => {
            let body: &DatedSplit = event.body();
            none(body.account, body.instrument)
        }
        Kind::Quote
        | Kind::LastTrade
        | Kind::Mark
        | Kind::InstrumentStatus
        | Kind::FxRate
        | Kind::Valuation
        | Kind::SessionConnected
        | Kind::SessionDisconnected
        | Kind::InstrumentSet
        | Kind::AccountSet
        | Kind::NodeSet
        | Kind::LimitSet
        | Kind::FeeScheduleSet
        | Kind::CalendarSet
        | Kind::StateSet
        | Kind::Kill
        | Kind::Rearm
        | Kind::EntitlementSource
        | Kind::QuotaGrant
        | Kind::CurrencySet
        | Kind::RestrictedSet
        | Kind::QuarantineResolve
        | Kind::AlertAction
        | Kind::AlertMaintenance
        | Kind::Flatten
        | Kind::AccessSet
        | Kind::ReconRun
        | Kind::ReconAction
        | Kind::Timer
        | Kind::StateChanged
        | Kind::Blob
        | Kind::EdgeStats
        | Kind::EngineStarted
        | Kind::EngineStopped
        | Kind::LimitProbe => none(AccountId::NONE, InstrumentId::NONE),
    }
}

/// The text that the source or normalize put into the tail. Databases take no zero bytes.
fn text_of(event: &Event) -> String {
    String::from_utf8_lossy(tradewind_views::text_of(event)).replace('\0', "\u{fffd}")
}

/// Text of a fixed size, owned.
fn owned<const N: usize>(text: &Text<N>) -> String {
    text.as_str().to_owned()
}

/// True for a figure of equity whose hits are limits that spoke on a node.
fn valued_node(event: &Event, kind: Kind) -> Option<u32> {
    (kind == Kind::Valuation).then(|| event.body::<Valuation>().node.0)
}
