//! What the manager is told: figures that hold, things that happened, and what people did. Journal records become facts in
//! [`watch`](crate::watch), live figures in [`AlertManager::observe`](crate::AlertManager::observe).

use crate::severity::Severity;
use std::sync::Arc;
use tradewind_domain::ids::NodeId;
use tradewind_domain::time::UnixNanos;

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $unit:ident;)*) => {
        /// What is measured or happens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric { $($(#[$doc])* $name,)* }

        impl Metric {
            /// All of them.
            pub const ALL: &[Metric] = &[$(Metric::$name,)*];
            /// The name in rules files and messages.
            pub const fn text(self) -> &'static str {
                match self { $(Metric::$name => $text,)* }
            }
            /// What its figures count.
            pub const fn unit(self) -> Unit {
                match self { $(Metric::$name => Unit::$unit,)* }
            }
            /// True for figures of the running engine, which no journal has.
            pub fn is_live(self) -> bool {
                matches!(
                    self,
                    Self::JournalLag
                        | Self::StoreLag
                        | Self::StoreStopped
                        | Self::PipelineP99
                        | Self::QueueFill
                        | Self::TableFill
                        | Self::EquityFrozen
                        | Self::EquityLate
                        | Self::AuditDifference
                        | Self::DeadLetter
                )
            }
            /// The metric of a name.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Metric::$name),)* _ => None }
            }
        }
    };
}

metrics! {
    /// Use of a limit in hundredths of a percent of it.
    LimitUsage = "limit_usage", BasisPoints;
    /// A limit refused an order.
    LimitReject = "limit_reject", Events;
    /// A limit is broken and only raises an alert, or acts by setting a state.
    LimitBreach = "limit_breach", Events;
    /// Kill switch of a node, session, venue or instrument: 0 active to 3 kill.
    ControlState = "control_state", Number;
    /// Positions are being closed by command.
    Flatten = "flatten", Events;
    /// A fill of an order that nobody knows.
    FillWithoutOrder = "fill_without_order", Events;
    /// A fill of an order that was closed already.
    LateFill = "late_fill", Events;
    /// A fill of more than was open.
    Overfill = "overfill", Events;
    /// A cash account is overdrawn by an execution.
    Overdraft = "overdraft", Events;
    /// A trade that did not settle: business days since it should have.
    SettlementFail = "settlement_fail", Number;
    /// A business rule that only alerts.
    BusinessRule = "business_rule", Events;
    /// A trade went to quarantine.
    Quarantined = "quarantined", Events;
    /// Trades in quarantine for too long.
    QuarantineOverdue = "quarantine_overdue", Number;
    /// A line of a statement that our books do not have alike: whole days since it was found.
    ReconBreak = "recon_break", Number;
    /// Share of new orders that were refused in the last minute.
    RejectRate = "reject_rate", BasisPoints;
    /// A venue's market data: how long it has been silent in the session.
    FeedSilent = "feed_silent", Nanos;
    /// One instrument's market data: how long it has been silent in the session.
    InstrumentSilent = "instrument_silent", Nanos;
    /// Share of instruments whose last price is too old to be a reference.
    StaleReferences = "stale_references", BasisPoints;
    /// The entitlement source is down: 1, up: 0.
    EntitlementsDown = "entitlements_down", Number;
    /// A table is full.
    Capacity = "capacity", Events;
    /// New orders are refused because the journal's space runs out.
    JournalSpace = "journal_space", Events;
    /// An edge refused messages because its ring was full.
    EdgeRingFull = "edge_ring_full", Events;
    /// An edge could not read messages.
    EdgeMalformed = "edge_malformed", Events;
    /// An edge refused messages for want of authentication.
    EdgeUnauthenticated = "edge_unauthenticated", Events;
    /// The engine started.
    EngineStarted = "engine_started", Events;
    /// The engine stopped in good order.
    EngineStopped = "engine_stopped", Events;
    /// The engine had ended without stopping.
    EngineFailed = "engine_failed", Events;
    /// Live: age of the oldest record that is not released.
    JournalLag = "journal_lag", Nanos;
    /// Live: how far the database is behind the journal.
    StoreLag = "store_lag", Nanos;
    /// Live: the database is not written any more: 1, else 0.
    StoreStopped = "store_stopped", Number;
    /// Live: p99 of the pipeline.
    PipelineP99 = "pipeline_p99", Nanos;
    /// Live: fill of a queue.
    QueueFill = "queue_fill", BasisPoints;
    /// Live: fill of a table that refuses when it is full.
    TableFill = "table_fill", BasisPoints;
    /// Live: nodes whose equity is frozen, because something they hold has a stale mark or no rate.
    EquityFrozen = "equity_frozen", Number;
    /// Live: how late a figure of equity came behind its mark.
    EquityLate = "equity_late", Nanos;
    /// Live: the auditor beside the engine found a difference.
    AuditDifference = "audit_difference", Number;
    /// Live: a notification could not be delivered.
    DeadLetter = "dead_letter", Events;
}

/// What a metric's figures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Hundredths of a percent.
    BasisPoints,
    /// Nanoseconds.
    Nanos,
    /// A plain number.
    Number,
    /// Things that happened within the rule's window.
    Events,
}

/// Most nodes on the way from a strategy to the firm.
pub const CHAIN_MAX: usize = 6;

/// Whom and what a fact is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Node, limit, venue or part of the engine; with the rule and the instrument the key by which facts are one incident.
    pub scope: Arc<str>,
    /// Instrument; empty where it is not about one.
    pub instrument: Arc<str>,
    /// The node and those above it, for maintenance windows; `NONE` behind the last.
    pub chain: [NodeId; CHAIN_MAX],
}

impl Subject {
    /// About a part of the whole engine.
    pub fn engine(scope: &str) -> Self {
        Self {
            scope: scope.into(),
            instrument: "".into(),
            chain: [NodeId::NONE; CHAIN_MAX],
        }
    }
}

/// Something that alerts may follow from, or end with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A figure that holds until the next one.
    Level {
        /// What.
        metric: Metric,
        /// Of whom.
        subject: Subject,
        /// The figure, in the metric's unit.
        value: i64,
        /// Severity that it has whatever the rules' thresholds say (a limit's own warning threshold was reached).
        at_least: Option<Severity>,
        /// For people.
        text: String,
    },
    /// Something that happened at this moment.
    Event {
        /// What.
        metric: Metric,
        /// To whom.
        subject: Subject,
        /// Severity where it follows from the event and not from the rule.
        severity: Option<Severity>,
        /// For people.
        text: String,
    },
    /// A person takes an incident.
    Acknowledge {
        /// Number of the incident.
        incident: u64,
        /// Who.
        user: String,
        /// Why, or what is being done.
        comment: String,
    },
    /// A person ends an incident.
    Resolve {
        /// Number of the incident.
        incident: u64,
        /// Who.
        user: String,
        /// What it was.
        comment: String,
    },
    /// Notifications below CRITICAL are muted.
    Maintenance(Maintenance),
}

/// A maintenance window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// From when.
    pub from_ns: UnixNanos,
    /// Until when (exclusive); not above `from_ns` ends the node's windows.
    pub until_ns: UnixNanos,
    /// Only this node and those below; none for everything.
    pub node: NodeId,
    /// Who.
    pub user: String,
}
