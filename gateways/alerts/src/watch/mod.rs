//! From journal records to facts. What a record says is turned into a fact at once; what follows from records that do not come
//! (a feed is silent, a trade stays in quarantine) is due at an instant that the records before it fix.
//!
//! # Invariants
//! - Facts follow from the records alone. No clock is read, and a record that was refused changes nothing but what refusals mean.
//! - A record without anything to say costs a look at its kind; market data costs two stores.
//!
//! Not here: thresholds. The book's rules have them, but for those without which nothing would ever be due.

mod feeds;
mod names;
mod orders;
mod quarantine;
mod recon;
mod reject_rate;
mod sessions;

use crate::fact::{Fact, Maintenance, Metric, Subject};
use crate::severity::Severity;
use feeds::Feeds;
use names::Names;
use quarantine::Quarantine;
use recon::Recon;
use reject_rate::RejectRate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tradewind_domain::codes::ControlState;
use tradewind_domain::event::{
    AlertAction, AlertMaintenance, AlertVerb, Control, EdgeStats, EngineStarted, EngineStopped,
    EntitlementSource, Event, InstrumentStatus, Kind, LastTrade, Mark, Quote, Timer, TimerKind,
};
use tradewind_domain::ids::{HoldingId, VenueId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::{DayNumber, UnixNanos};

/// What must be known to tell when something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    /// Nanoseconds without market data after which a venue is silent; 0 for never.
    pub feed_silent_ns: u64,
    /// The same for one instrument.
    pub instrument_silent_ns: u64,
    /// New orders in the last minute below which there is no reject rate.
    pub reject_rate_orders: u64,
    /// Nanoseconds after which a trade in quarantine is overdue.
    pub quarantine_ns: u64,
}

/// See the module.
#[derive(Clone, PartialEq)]
pub(crate) struct Watch {
    names: Arc<Names>,
    feeds: Feeds,
    rate: RejectRate,
    quarantine: Quarantine,
    recon: Recon,
    /// Limits whose use was told since the last roll: limit and instrument.
    used: BTreeSet<(u32, u32)>,
    /// Holdings with trades that failed, by the date on which they are to settle now.
    failed: BTreeMap<(HoldingId, DayNumber), Subject>,
    /// A run of the engine that has not ended.
    running: bool,
}

impl Watch {
    pub(crate) fn new(settings: &WatchSettings) -> Self {
        Self {
            names: Arc::default(),
            feeds: Feeds::new(settings),
            rate: RejectRate::new(settings.reject_rate_orders),
            quarantine: Quarantine::new(settings.quarantine_ns),
            recon: Recon::new(),
            used: BTreeSet::new(),
            failed: BTreeMap::new(),
            running: false,
        }
    }

    /// When something is due without a record; `u64::MAX` for never.
    pub(crate) fn next_due_ns(&self) -> UnixNanos {
        let detectors = self.rate.next_due_ns().min(self.quarantine.next_due_ns());
        detectors
            .min(self.feeds.next_due_ns())
            .min(self.recon.next_due_ns())
    }

    /// What is due at `at_ns`.
    pub(crate) fn run_due(&mut self, at_ns: UnixNanos, out: &mut Vec<Fact>) {
        self.rate.run_due(at_ns, out);
        self.quarantine.run_due(at_ns, out);
        self.feeds.run_due(at_ns, &self.names, out);
        self.recon.run_due(at_ns, &self.names, out);
    }

    /// What a record says.
    pub(crate) fn on_record(&mut self, event: &Event, out: &mut Vec<Fact>) {
        let Some(kind) = event.kind() else { return };
        let at_ns = event.head.recv_ns;
        if event.is_rejected() {
            self.on_refusal(event, kind, out);
        }
        if event.head.rule_alert != 0 {
            let number = event.head.rule_alert;
            let text = format!(
                "record {}, {kind}: rule {number} of the rules in force",
                event.head.seq
            );
            let rule = Subject::engine(&format!("rule {number}"));
            out.push(self.happened(Metric::BusinessRule, rule, text));
        }
        match kind {
            Kind::OrderNew | Kind::OrderReplace | Kind::OrderCancel => self.on_order(event, kind, out),
            Kind::VenueFill | Kind::TradeCapture => self.on_execution(event, kind, out),
            Kind::TradeBust | Kind::TradeCorrect => self.on_taking_back(event, kind, out),
            _ if event.is_rejected() => {}
            Kind::Quote => {
                let body: &Quote = event.body();
                self.feeds
                    .on_market(at_ns, body.venue, body.instrument, false, &self.names, out);
            }
            Kind::LastTrade => {
                let body: &LastTrade = event.body();
                self.feeds
                    .on_market(at_ns, body.venue, body.instrument, true, &self.names, out);
            }
            Kind::Mark => {
                let instrument = event.body::<Mark>().instrument;
                self.feeds
                    .on_market(at_ns, VenueId::NONE, instrument, true, &self.names, out);
            }
            _ => self.on_rare(event, kind, out),
        }
    }

    fn on_rare(&mut self, event: &Event, kind: Kind, out: &mut Vec<Fact>) {
        let at_ns = event.head.recv_ns;
        match kind {
            Kind::NodeSet | Kind::AccountSet | Kind::InstrumentSet | Kind::SymbolChange | Kind::LimitSet => {
                Arc::make_mut(&mut self.names).observe(event, kind);
                if kind == Kind::LimitSet {
                    self.on_limit_set(event, out);
                }
                if kind == Kind::InstrumentSet {
                    self.feeds.on_instrument(event.body(), at_ns);
                }
            }
            Kind::CalendarSet => self.feeds.on_calendar(event.body(), at_ns),
            Kind::InstrumentStatus => {
                let body: &InstrumentStatus = event.body();
                self.feeds.on_status(body.instrument, body.halted != 0, at_ns);
            }
            Kind::LimitProbe => self.on_limit_probe(event.body(), out),
            Kind::Kill | Kind::StateSet | Kind::Rearm | Kind::StateChanged => {
                self.on_control(event.body(), kind, out);
            }
            Kind::Flatten => {
                let body: &Control = event.body();
                let text = format!(
                    "positions are closed at the market, asked by {}",
                    who(&body.author)
                );
                out.push(self.happened(Metric::Flatten, self.names.control(body), text));
            }
            Kind::DatedCashSettled => self.on_settlement(event.body(), out),
            kind if kind.is_of_holder() => self.on_holder(event, kind, out),
            Kind::SettlementFail => self.on_fail(event.body(), out),
            Kind::EntitlementSource => on_entitlements(event.body(), out),
            Kind::QuarantineResolve => self.quarantine.on_resolve(event.body(), out),
            Kind::Timer => self.on_timer(event.body(), out),
            Kind::EdgeStats => on_edge(event.body(), out),
            Kind::EngineStarted => self.on_started(event.body(), at_ns, out),
            Kind::EngineStopped => self.on_stopped(event.body(), out),
            Kind::ReconRun | Kind::ReconFinding | Kind::ReconEnd | Kind::ReconAction => {
                self.recon.on_record(event, kind, &self.names, out);
            }
            Kind::AlertAction => on_action(event, out),
            Kind::AlertMaintenance => {
                let body: &AlertMaintenance = event.body();
                if event.head.notes != 0 {
                    return; // it names a node that there is not: muting everything instead would be wrong
                }
                out.push(Fact::Maintenance(Maintenance {
                    from_ns: body.from_ns,
                    until_ns: body.until_ns,
                    node: body.node,
                    user: body.author.to_string(),
                }));
            }
            _ => {}
        }
    }

    /// Refusals that are about the engine, whatever was refused.
    fn on_refusal(&mut self, event: &Event, kind: Kind, out: &mut Vec<Fact>) {
        match event.reject_code() {
            Some(RejectCode::Capacity) => {
                let text = format!("a table is full: {kind} was refused");
                out.push(self.happened(Metric::Capacity, Subject::engine(kind.text()), text));
            }
            Some(RejectCode::JournalSpaceLow) => {
                let text = "the space for the journal runs out: new orders are refused".into();
                out.push(self.happened(Metric::JournalSpace, Subject::engine("journal"), text));
            }
            _ => {}
        }
    }

    fn on_control(&self, body: &Control, kind: Kind, out: &mut Vec<Fact>) {
        let state = ControlState::from_code(body.state_after).map_or("?", ControlState::text);
        let by = match kind {
            Kind::StateChanged => "a limit".into(),
            _ => who(&body.author),
        };
        out.push(Fact::Level {
            metric: Metric::ControlState,
            subject: self.names.control(body),
            value: i64::from(body.state_after),
            at_least: None,
            text: format!("{state}, set by {by}"),
        });
    }

    fn on_timer(&mut self, timer: &Timer, out: &mut Vec<Fact>) {
        if timer.timer != TimerKind::DayRoll as u8 {
            return;
        }
        let names = &self.names;
        self.used.retain(|&(limit, instrument)| {
            let Some(row) = names.limit(limit).filter(|row| row.calendar == timer.calendar) else {
                return true;
            };
            out.push(Fact::Level {
                metric: Metric::LimitUsage,
                subject: names.limit_subject(row, instrument),
                value: 0,
                at_least: None,
                text: "a new trading day".into(),
            });
            false
        });
    }

    fn on_started(&mut self, body: &EngineStarted, at_ns: UnixNanos, out: &mut Vec<Fact>) {
        let engine = Subject::engine("engine");
        if self.running {
            let text = format!("the run before run {} ended without stopping", body.epoch);
            out.push(self.happened(Metric::EngineFailed, engine.clone(), text));
        }
        self.running = true;
        self.feeds.on_started(body.ref_max_age_ms, at_ns);
        let text = format!("run {} of {}", body.epoch, body.build);
        out.push(self.happened(Metric::EngineStarted, engine, text));
    }

    fn on_stopped(&mut self, body: &EngineStopped, out: &mut Vec<Fact>) {
        self.running = false;
        self.feeds.on_stopped(&self.names, out);
        let text = format!("run {} ended in good order", body.epoch);
        out.push(self.happened(Metric::EngineStopped, Subject::engine("engine"), text));
    }

    fn happened(&self, metric: Metric, subject: Subject, text: String) -> Fact {
        Fact::Event {
            metric,
            subject,
            severity: None,
            text,
        }
    }

    fn on_execution(&mut self, event: &Event, kind: Kind, out: &mut Vec<Fact>) {
        if event.is_rejected() {
            self.quarantine.on_refused(event, kind, out);
            return;
        }
        self.quarantine.on_booked(event, kind, out);
        self.on_execution_alerts(event, out);
    }

    fn on_taking_back(&mut self, event: &Event, kind: Kind, out: &mut Vec<Fact>) {
        if event.is_rejected() {
            self.quarantine.on_refused(event, kind, out);
            return;
        }
        self.quarantine.on_booked(event, kind, out);
        self.on_taking_back_alerts(event, out);
    }
}

fn who(author: &impl ToString) -> String {
    let author = author.to_string();
    if author.is_empty() {
        "nobody named".into()
    } else {
        author
    }
}

fn on_entitlements(body: &EntitlementSource, out: &mut Vec<Fact>) {
    let text = match body.up {
        0 => "the entitlement source is down: emergency limits hold",
        _ => "the entitlement source is up",
    };
    out.push(Fact::Level {
        metric: Metric::EntitlementsDown,
        subject: Subject::engine("entitlements"),
        value: i64::from(body.up == 0),
        at_least: None,
        text: text.into(),
    });
}

/// What an edge refused in its last second.
fn on_edge(body: &EdgeStats, out: &mut Vec<Fact>) {
    let counts = [
        (Metric::EdgeRingFull, body.ring_full, "its ring was full"),
        (Metric::EdgeMalformed, body.malformed, "they could not be read"),
        (
            Metric::EdgeUnauthenticated,
            body.unauthenticated,
            "they were not authenticated",
        ),
    ];
    for (metric, count, why) in counts.into_iter().filter(|(_, count, _)| *count != 0) {
        out.push(Fact::Event {
            metric,
            subject: Subject::engine(body.edge.as_str()),
            severity: None,
            text: format!("{count} messages in a second were refused: {why}"),
        });
    }
}

/// A person's words on an incident.
fn on_action(event: &Event, out: &mut Vec<Fact>) {
    let body: &AlertAction = event.body();
    let (incident, user) = (body.incident, body.author.to_string());
    let comment = String::from_utf8_lossy(event.tail()).into_owned();
    if body.action == AlertVerb::Acknowledge as u8 {
        out.push(Fact::Acknowledge {
            incident,
            user,
            comment,
        });
    } else if body.action == AlertVerb::Resolve as u8 {
        out.push(Fact::Resolve {
            incident,
            user,
            comment,
        });
    }
}

/// How bad a broken limit is where that follows from what it does (LIMITS section 4).
pub(super) fn breach_severity(limit_type: u8, action: u8) -> Option<Severity> {
    use tradewind_domain::codes::{LimitAction, LimitType};
    let is_equity = [
        LimitType::DailyLoss,
        LimitType::MaxDdStatic,
        LimitType::MaxDdTrailing,
    ]
    .iter()
    .any(|kind| *kind as u8 == limit_type);
    match LimitAction::from_code(action) {
        Some(LimitAction::Kill) => Some(Severity::Critical),
        _ if is_equity => Some(Severity::Critical),
        Some(LimitAction::Restrict) => Some(Severity::Error),
        _ => None,
    }
}
