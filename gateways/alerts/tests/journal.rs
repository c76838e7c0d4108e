//! What records make of incidents: each standard rule by a record or by the want of one, and the state as a function of the
//! journal, whatever looks at the time there were in between.

use bytemuck::Zeroable;
use proptest::prelude::*;
use tradewind_alerts::{
    AlertManager, AlertSettings, IncidentRow, Metric, NUMBERS_OF_A_RECORD, RuleDocument, Severity, State,
};
use tradewind_config::Settings;
use tradewind_domain::codes::{
    LimitAction, LimitType, ReconResolution, ReconStatus, ReconSubject, ReconVerb,
};
use tradewind_domain::event::{
    AlertAction, AlertMaintenance, AlertVerb, CalendarSet, Control, EdgeStats, EngineStarted, EngineStopped,
    EntitlementSource, Event, Execution, HitKind, InstrumentSet, Kind, LastTrade, LimitHit, LimitSet,
    NodeSet, OrderNew, QuarantineResolve, Quote, ReconAction, ReconFinding, Timer, TimerKind,
    execution_alerts,
};
use tradewind_domain::ids::{CalendarId, InstrumentId, LimitId, NodeId, SessionId, VenueId};
use tradewind_domain::reference::CalendarDay;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Text;
use tradewind_domain::time::NANOS_PER_SEC as SEC;

const MINUTE: u64 = 60;
const CALENDAR: CalendarId = CalendarId(1);
const ACME: InstrumentId = InstrumentId(0);
const VENUE: VenueId = VenueId(4);
const DAY: LimitId = LimitId(0);
const POSITION: LimitId = LimitId(1);
const STOP: LimitId = LimitId(2);

fn settings() -> AlertSettings {
    let sets = ["alerts.instrument_silent_ms=60000".to_owned()];
    AlertSettings::new(&Settings::load("server", None, [], &sets).unwrap().alerts)
}

/// A journal as a list, and the manager that reads it live.
struct Desk {
    manager: AlertManager,
    records: Vec<Event>,
    seq: u64,
}

fn event<T: tradewind_domain::event::Body>(kind: Kind, fill: impl FnOnce(&mut T)) -> Event {
    let mut event = Event::empty();
    event.reset(kind);
    fill(event.body_mut());
    event
}

impl Desk {
    /// A firm over account A, a share with a session from second 1,000 to 2,000, and three limits; the engine started at 0.
    fn new() -> Self {
        let mut desk = Self {
            manager: AlertManager::new(&settings()),
            records: Vec::new(),
            seq: 0,
        };
        desk.put(0, event(Kind::EngineStarted, |b: &mut EngineStarted| b.epoch = 1));
        for (id, code, parent) in [(0, "FIRM", NodeId::NONE), (1, "A", NodeId(0))] {
            let node = event(Kind::NodeSet, |b: &mut NodeSet| {
                b.code = Text::lossy(code);
                (b.node, b.parent, b.calendar) = (NodeId(id), parent, CALENDAR);
            });
            desk.put(0, node);
        }
        let acme = event(Kind::InstrumentSet, |b: &mut InstrumentSet| {
            b.row.symbol = Text::lossy("ACME");
            (b.row.id, b.row.calendar) = (ACME, CALENDAR);
        });
        desk.put(0, acme);
        let days = event(Kind::CalendarSet, |b: &mut CalendarSet| {
            (b.calendar, b.count) = (CALENDAR, 1);
            b.days[0] = CalendarDay {
                roll_ns: 1,
                open_ns: 1_000 * SEC,
                close_ns: 2_000 * SEC,
                ..CalendarDay::zeroed()
            };
        });
        desk.put(0, days);
        desk.limit(DAY, "DAY", LimitType::DailyNotional, LimitAction::Reject);
        desk.limit(POSITION, "POS", LimitType::PositionLong, LimitAction::Alert);
        desk.limit(STOP, "STOP", LimitType::DailyLoss, LimitAction::Restrict);
        desk
    }

    fn limit(&mut self, id: LimitId, label: &str, limit_type: LimitType, action: LimitAction) {
        let limit = event(Kind::LimitSet, |b: &mut LimitSet| {
            b.label = Text::lossy(label);
            (b.limit, b.node, b.filter_instrument) = (id, NodeId(1), InstrumentId::NONE);
            (b.limit_type, b.action) = (limit_type as u8, action as u8);
        });
        self.put(0, limit);
    }

    /// The next record, some nanoseconds after the second.
    fn put(&mut self, second: u64, mut event: Event) -> &mut Self {
        self.seq += 1;
        event.head.seq = self.seq;
        event.head.recv_ns = second * SEC + self.seq;
        self.manager.on_record(&event);
        self.records.push(event);
        self
    }

    /// An order that was decided so, with what limits said of it.
    fn order(&mut self, second: u64, code: Option<RejectCode>, hits: &[LimitHit]) -> &mut Self {
        let mut order = event(Kind::OrderNew, |b: &mut OrderNew| {
            b.cl_ord_id = Text::lossy("C1");
            b.instrument = ACME;
            b.verdict.hits = hits.len() as u16;
        });
        for hit in hits {
            assert!(order.append_tail(bytemuck::bytes_of(hit)));
        }
        if let Some(code) = code {
            order.reject(code);
        }
        self.put(second, order)
    }

    fn execution(&mut self, second: u64, code: Option<RejectCode>, alerts: u8, exec_id: &str) -> &mut Self {
        let mut execution = event(Kind::VenueFill, |b: &mut Execution| {
            b.exec_id = Text::lossy(exec_id);
            (b.alerts, b.venue, b.leaf, b.instrument) = (alerts, VENUE, NodeId(1), ACME);
        });
        if alerts & execution_alerts::BREACH != 0 {
            execution.append_tail(bytemuck::bytes_of(&hit(HitKind::Alerted, POSITION, 120)));
        }
        if let Some(code) = code {
            execution.reject(code);
        }
        self.put(second, execution)
    }

    fn quote(&mut self, second: u64) -> &mut Self {
        let quote = event(Kind::Quote, |b: &mut Quote| {
            (b.venue, b.instrument) = (VENUE, ACME)
        });
        self.put(second, quote)
    }

    fn control(&mut self, second: u64, kind: Kind, state: u8) -> &mut Self {
        let control = event(kind, |b: &mut Control| {
            b.author = Text::lossy("ann");
            (b.node, b.instrument, b.session, b.venue) =
                (NodeId(1), InstrumentId::NONE, SessionId::NONE, VenueId::NONE);
            b.state_after = state;
        });
        self.put(second, control)
    }

    fn act(&mut self, second: u64, verb: AlertVerb, incident: u64) -> &mut Self {
        let mut action = event(Kind::AlertAction, |b: &mut AlertAction| {
            (b.incident, b.action) = (incident, verb as u8);
            b.author = Text::lossy("ann");
        });
        action.set_tail(b"on it");
        self.put(second, action)
    }

    /// A file of own rules comes into force.
    fn rules(&mut self, second: u64, source: &str) -> &mut Self {
        let document = RuleDocument {
            author: "ada".into(),
            reason: "a test".into(),
            source: source.into(),
        };
        for part in document.parts().unwrap() {
            self.put(second, *part.event());
        }
        self
    }

    fn tick(&mut self, second: u64) -> &mut Self {
        self.manager.tick(second * SEC);
        self
    }

    /// The incident of a rule, of which there is one.
    #[track_caller]
    fn one(&self, rule: Metric) -> IncidentRow {
        let mut rows = self.manager.incidents();
        rows.retain(|row| row.rule == rule.text());
        assert_eq!(rows.len(), 1, "{rule:?}: {rows:?}");
        rows.remove(0)
    }

    fn none(&self, rule: Metric) -> bool {
        self.manager.incidents().iter().all(|row| row.rule != rule.text())
    }

    /// A manager that reads the same records afterwards.
    fn rebuilt(&self) -> AlertManager {
        let mut manager = AlertManager::new(&settings());
        self.records.iter().for_each(|event| manager.on_record(event));
        manager
    }
}

fn hit(kind: HitKind, limit: LimitId, used: i128) -> LimitHit {
    LimitHit {
        used,
        hard: 100,
        limit,
        code: RejectCode::DailyNotional as u16,
        kind: kind as u8,
        level: 2,
        ..LimitHit::zeroed()
    }
}

fn refused(limit: LimitId) -> [LimitHit; 1] {
    [hit(HitKind::Refused, limit, 130)]
}

#[test]
fn a_warn_edge_is_a_warning_of_the_limit_until_the_day_rolls() {
    let mut desk = Desk::new();
    desk.order(10, None, &[hit(HitKind::Warned, DAY, 70)]);
    let row = desk.one(Metric::LimitUsage);
    assert_eq!((row.severity, row.scope.as_str()), (Severity::Warning, "A/DAY"));
    assert!(row.text.contains("70.00 %"), "{}", row.text);
    let roll = |calendar| {
        event(Kind::Timer, |b: &mut Timer| {
            (b.timer, b.calendar) = (TimerKind::DayRoll as u8, calendar)
        })
    };
    desk.put(600, roll(CalendarId(2))).tick(640);
    assert_eq!(desk.one(Metric::LimitUsage).state, State::Open);
    desk.put(700, roll(CALENDAR)).tick(731);
    assert_eq!(desk.one(Metric::LimitUsage).state, State::Resolved);
}

#[test]
fn use_of_ninety_five_percent_is_an_error_of_the_same_incident() {
    let mut desk = Desk::new();
    desk.order(10, None, &[hit(HitKind::Warned, DAY, 82)]);
    desk.order(20, None, &[hit(HitKind::Warned, DAY, 95)]);
    let row = desk.one(Metric::LimitUsage);
    assert_eq!((row.severity, row.count), (Severity::Error, 2));
}

#[test]
fn refusals_of_a_limit_are_a_warning_and_three_in_a_minute_an_error() {
    let mut desk = Desk::new();
    for (second, severity) in [
        (10, Severity::Warning),
        (30, Severity::Warning),
        (50, Severity::Error),
    ] {
        desk.order(second, Some(RejectCode::DailyNotional), &refused(DAY));
        assert_eq!(desk.one(Metric::LimitReject).severity, severity, "{second}");
    }
    assert!(desk.none(Metric::LimitUsage), "a refusal uses nothing");
}

#[test]
fn a_breach_by_an_execution_is_as_bad_as_what_the_limit_does() {
    let mut desk = Desk::new();
    desk.execution(10, None, execution_alerts::BREACH, "E1");
    let row = desk.one(Metric::LimitBreach);
    assert_eq!(
        (row.severity, row.instrument.as_str()),
        (Severity::Warning, "ACME")
    );
    assert_eq!(
        desk.one(Metric::LimitUsage).severity,
        Severity::Error,
        "120 % is used"
    );
    desk.order(20, None, &[hit(HitKind::Alerted, STOP, 101)]);
    let worst = desk
        .manager
        .incidents()
        .into_iter()
        .filter(|row| row.scope == "A/STOP");
    assert!(worst.map(|row| row.severity).max() == Some(Severity::Critical));
}

#[test]
fn late_fills_overfills_and_overdrafts_are_told_one_by_one() {
    let alerts = execution_alerts::LATE_FILL | execution_alerts::OVERFILL | execution_alerts::OVERDRAFT;
    let mut desk = Desk::new();
    desk.execution(10, None, alerts, "E1");
    for (metric, severity) in [
        (Metric::LateFill, Severity::Critical),
        (Metric::Overfill, Severity::Critical),
        (Metric::Overdraft, Severity::Critical),
    ] {
        let row = desk.one(metric);
        assert_eq!((row.severity, row.scope.as_str()), (severity, "A"), "{metric:?}");
    }
}

#[test]
fn a_trade_whose_bust_came_before_it_is_told_with_the_quarantine() {
    let mut desk = Desk::new();
    desk.execution(10, None, execution_alerts::TAKING_BACK_WAITS, "E1");
    let row = desk.one(Metric::Quarantined);
    assert_eq!(row.severity, Severity::Warning);
    assert!(
        row.text.contains("execution E1") && row.text.contains("waits"),
        "{}",
        row.text
    );
}

/// A line of a statement about account A; the record's number is the break's where it is the first.
fn finding(status: ReconStatus, subject: ReconSubject) -> Event {
    event(Kind::ReconFinding, |b: &mut ReconFinding| {
        (b.status, b.subject, b.node) = (status as u8, subject as u8, NodeId(1));
        b.key = [subject as u8; 16];
        b.account_code = Text::lossy("A");
        b.item = Text::lossy("ACME");
        b.theirs = 500_000_000;
    })
}

#[test]
fn a_break_is_as_bad_as_what_it_is_and_grows_worse_with_its_age() {
    const DAY: u64 = 24 * 60 * MINUTE;
    let mut desk = Desk::new();
    desk.put(10, finding(ReconStatus::MissingExternal, ReconSubject::Trade));
    let row = desk.one(Metric::ReconBreak);
    assert_eq!(
        (row.severity, row.instrument.as_str()),
        (Severity::Warning, "ACME")
    );
    let id = desk.seq;
    desk.tick(10 + 3 * DAY - 1);
    assert_eq!(desk.one(Metric::ReconBreak).severity, Severity::Warning);
    desk.tick(11 + 3 * DAY);
    assert_eq!(desk.one(Metric::ReconBreak).severity, Severity::Error);
    let resolve = event(Kind::ReconAction, |b: &mut ReconAction| {
        (b.break_seq, b.verb) = (id, ReconVerb::Resolve as u8);
        b.resolution = ReconResolution::Booked as u8;
    });
    desk.put(20 + 3 * DAY, resolve);
    desk.tick(20 + 3 * DAY + MINUTE);
    assert_eq!(desk.one(Metric::ReconBreak).state, State::Resolved);
}

#[test]
fn a_position_that_nothing_explains_is_critical_and_one_that_is_not_settled_is_information() {
    let mut desk = Desk::new();
    desk.put(10, finding(ReconStatus::Timing, ReconSubject::Position));
    assert_eq!(desk.one(Metric::ReconBreak).severity, Severity::Info);
    desk.put(20, finding(ReconStatus::QtyBreak, ReconSubject::Position));
    let row = desk.one(Metric::ReconBreak);
    assert_eq!((row.severity, row.scope.as_str()), (Severity::Critical, "A"));
    assert!(row.text.contains("QTY_BREAK: ours 0, theirs 5"), "{}", row.text);
}

#[test]
fn states_are_errors_and_a_kill_is_critical_until_a_person_ends_it() {
    let mut desk = Desk::new();
    desk.control(10, Kind::StateSet, 1);
    assert_eq!(desk.one(Metric::ControlState).severity, Severity::Error);
    desk.control(20, Kind::Kill, 3);
    let row = desk.one(Metric::ControlState);
    assert_eq!(row.severity, Severity::Critical);
    assert_eq!(row.text, "KILL, set by ann");
    desk.control(30, Kind::Rearm, 0).tick(100);
    let row = desk.one(Metric::ControlState);
    assert_eq!(row.state, State::Open);
    assert!(row.cleared_at.is_some());
    desk.act(110, AlertVerb::Acknowledge, row.id);
    desk.act(120, AlertVerb::Resolve, row.id);
    let row = desk.one(Metric::ControlState);
    assert_eq!(row.state, State::Resolved);
    assert_eq!(row.acknowledge_comment.as_deref(), Some("on it"));
}

#[test]
fn a_fill_without_an_order_is_critical_and_overdue_after_a_quarter_of_an_hour() {
    let mut desk = Desk::new();
    desk.execution(10, Some(RejectCode::OrphanFill), 0, "E1");
    assert_eq!(desk.one(Metric::FillWithoutOrder).severity, Severity::Critical);
    desk.tick(10 + 15 * MINUTE);
    assert!(desk.none(Metric::QuarantineOverdue));
    desk.tick(11 + 15 * MINUTE);
    assert_eq!(desk.one(Metric::QuarantineOverdue).severity, Severity::Error);
}

#[test]
fn a_quarantined_trade_leaves_by_a_persons_word_or_by_being_booked() {
    let mut desk = Desk::new();
    desk.execution(10, Some(RejectCode::QuarantinePrice), 0, "E1");
    let seq = desk.seq;
    desk.execution(20, Some(RejectCode::UnknownSymbol), 0, "E2");
    desk.execution(20, Some(RejectCode::DuplicateExecId), 0, "E3");
    assert_eq!(
        desk.manager
            .incidents()
            .iter()
            .filter(|row| row.rule == "quarantined")
            .count(),
        2
    );
    let resolve = event(Kind::QuarantineResolve, |b: &mut QuarantineResolve| {
        b.trade_seq = seq
    });
    desk.put(60, resolve).execution(70, None, 0, "E2");
    desk.tick(20 * MINUTE);
    assert!(desk.none(Metric::QuarantineOverdue));
}

#[test]
fn overdue_trades_end_when_the_last_one_has_left() {
    let mut desk = Desk::new();
    desk.execution(10, Some(RejectCode::QuarantinePrice), 0, "E1");
    desk.execution(11, Some(RejectCode::QuarantinePrice), 0, "E2");
    desk.execution(2_000, None, 0, "E1").tick(2_040);
    assert_eq!(desk.one(Metric::QuarantineOverdue).state, State::Open);
    desk.execution(2_050, None, 0, "E2").tick(2_081);
    assert_eq!(desk.one(Metric::QuarantineOverdue).state, State::Resolved);
}

#[test]
fn a_feed_is_missed_in_its_session_only() {
    let mut desk = Desk::new();
    desk.quote(900).tick(1_005);
    assert!(
        desk.none(Metric::FeedSilent),
        "before the session, and five seconds into it"
    );
    desk.tick(1_006);
    let row = desk.one(Metric::FeedSilent);
    assert_eq!((row.severity, row.scope.as_str()), (Severity::Error, "venue 4"));
    assert_eq!(row.opened_at, "1970-01-01T00:16:45.000000001Z");
    desk.quote(1_010);
    for second in 1_011..1_041 {
        desk.quote(second);
    }
    assert_eq!(desk.one(Metric::FeedSilent).state, State::Resolved);
}

#[test]
fn a_feed_that_is_silent_at_the_close_is_not_missed_after_it() {
    let mut desk = Desk::new();
    desk.quote(1_990).tick(1_999);
    assert_eq!(desk.one(Metric::FeedSilent).state, State::Open);
    desk.tick(2_031);
    assert_eq!(desk.one(Metric::FeedSilent).state, State::Resolved);
    assert!(desk.none(Metric::InstrumentSilent));
}

#[test]
fn one_instrument_may_be_silent_while_its_venue_is_not() {
    let mut desk = Desk::new();
    let other = event(Kind::InstrumentSet, |b: &mut InstrumentSet| {
        b.row.symbol = Text::lossy("OTHER");
        (b.row.id, b.row.calendar) = (InstrumentId(1), CALENDAR);
    });
    desk.put(1_000, other);
    let quote = || {
        event(Kind::Quote, |b: &mut Quote| {
            (b.venue, b.instrument) = (VENUE, InstrumentId(1))
        })
    };
    desk.put(1_001, quote());
    for second in 1_002..1_064 {
        desk.quote(second);
    }
    let row = desk.one(Metric::InstrumentSilent);
    assert_eq!(
        (row.severity, row.instrument.as_str()),
        (Severity::Warning, "OTHER")
    );
    assert!(desk.none(Metric::FeedSilent));
}

#[test]
fn a_feed_is_expected_from_the_start_of_a_run_on() {
    let mut desk = Desk::new();
    desk.quote(1_100);
    desk.put(
        1_101,
        event(Kind::EngineStopped, |b: &mut EngineStopped| b.epoch = 1),
    );
    desk.tick(1_400);
    assert!(
        desk.none(Metric::FeedSilent),
        "nobody listens while no engine runs"
    );
    desk.put(
        1_500,
        event(Kind::EngineStarted, |b: &mut EngineStarted| b.epoch = 2),
    );
    assert!(desk.none(Metric::EngineFailed));
    desk.tick(1_507);
    assert_eq!(desk.one(Metric::FeedSilent).state, State::Open);
}

#[test]
fn a_run_that_ended_without_stopping_is_an_error() {
    let mut desk = Desk::new();
    desk.put(
        50,
        event(Kind::EngineStarted, |b: &mut EngineStarted| b.epoch = 2),
    );
    assert_eq!(desk.one(Metric::EngineFailed).severity, Severity::Error);
    assert_eq!(desk.one(Metric::EngineStarted).count, 2);
}

#[test]
fn last_prices_that_are_too_old_are_a_warning() {
    let mut desk = Desk::new();
    let start = event(Kind::EngineStarted, |b: &mut EngineStarted| {
        (b.epoch, b.ref_max_age_ms) = (2, 60_000)
    });
    desk.put(1_000, start);
    let trade = event(Kind::LastTrade, |b: &mut LastTrade| {
        (b.venue, b.instrument) = (VENUE, ACME)
    });
    desk.put(1_001, trade).tick(1_060);
    assert!(desk.none(Metric::StaleReferences));
    desk.tick(1_070);
    assert_eq!(desk.one(Metric::StaleReferences).severity, Severity::Warning);
}

#[test]
fn more_than_five_percent_refused_of_twenty_orders_is_a_warning() {
    for (orders, refused, is_told) in [(19, 19, false), (20, 1, false), (20, 2, true), (100, 5, false)] {
        let mut desk = Desk::new();
        for order in 0..orders {
            desk.order(100, (order < refused).then_some(RejectCode::InvalidLot), &[]);
        }
        desk.tick(102);
        assert_eq!(!desk.none(Metric::RejectRate), is_told, "{refused} of {orders}");
    }
}

#[test]
fn an_outage_of_the_entitlement_source_is_an_error_and_critical_after_an_hour() {
    let mut desk = Desk::new();
    let source = |up| event(Kind::EntitlementSource, |b: &mut EntitlementSource| b.up = up);
    desk.put(10, source(0));
    assert_eq!(desk.one(Metric::EntitlementsDown).severity, Severity::Error);
    desk.put(100, source(0)).tick(3_610);
    assert_eq!(desk.one(Metric::EntitlementsDown).severity, Severity::Error);
    desk.tick(3_611);
    assert_eq!(desk.one(Metric::EntitlementsDown).severity, Severity::Critical);
}

#[test]
fn full_tables_and_a_full_disk_are_told() {
    let mut desk = Desk::new();
    desk.order(10, Some(RejectCode::Capacity), &[]);
    desk.order(11, Some(RejectCode::JournalSpaceLow), &[]);
    assert_eq!(desk.one(Metric::Capacity).severity, Severity::Error);
    assert_eq!(desk.one(Metric::JournalSpace).severity, Severity::Critical);
}

#[test]
fn what_an_edge_refused_is_told_by_reason() {
    let mut desk = Desk::new();
    let stats = event(Kind::EdgeStats, |b: &mut EdgeStats| {
        b.edge = Text::lossy("fix-1");
        (b.received, b.ring_full, b.malformed) = (10, 3, 2);
    });
    desk.put(10, stats);
    let row = desk.one(Metric::EdgeRingFull);
    assert_eq!((row.scope.as_str(), row.severity), ("fix-1", Severity::Warning));
    assert!(row.text.starts_with("3 messages"), "{}", row.text);
    assert!(!desk.none(Metric::EdgeMalformed) && desk.none(Metric::EdgeUnauthenticated));
}

#[test]
fn a_business_rule_that_alerts_is_a_warning() {
    let mut desk = Desk::new();
    let mut order = event(Kind::OrderNew, |b: &mut OrderNew| b.instrument = ACME);
    order.head.rule_alert = 3;
    desk.put(10, order);
    assert_eq!(desk.one(Metric::BusinessRule).scope, "rule 3");
}

#[test]
fn a_window_that_names_no_known_node_mutes_nothing() {
    let window = |node| {
        event(Kind::AlertMaintenance, |b: &mut AlertMaintenance| {
            (b.from_ns, b.until_ns, b.node) = (0, u64::MAX, node);
        })
    };
    let mut desk = Desk::new();
    let mut unknown = window(NodeId::NONE);
    unknown.head.notes = 1 << 5;
    desk.put(5, unknown).manager.drain();
    desk.order(10, Some(RejectCode::DailyNotional), &refused(DAY));
    assert!(!desk.manager.drain()[0].muted);
    desk.put(20, window(NodeId(0)));
    desk.order(21, Some(RejectCode::DailyNotional), &refused(POSITION));
    assert!(desk.manager.drain()[0].muted, "the firm is above the account");
}

#[test]
fn live_figures_stay_apart_from_the_journal() {
    let mut desk = Desk::new();
    let lag = |desk: &mut Desk, ms: i64, second: u64| {
        desk.manager.observe(
            Metric::JournalLag,
            "archive",
            ms * 1_000_000,
            format!("{ms} ms"),
            second * SEC,
        );
    };
    lag(&mut desk, 1_000, 10);
    assert!(desk.none(Metric::JournalLag));
    lag(&mut desk, 1_001, 11);
    let row = desk.one(Metric::JournalLag);
    assert_eq!((row.severity, row.live), (Severity::Critical, true));
    assert!(desk.manager.agrees_with(&desk.rebuilt()));
    desk.act(20, AlertVerb::Acknowledge, row.id);
    assert_eq!(desk.one(Metric::JournalLag).state, State::Acknowledged);
    assert!(desk.manager.agrees_with(&desk.rebuilt()));
}

#[test]
fn what_a_tick_foresaw_happens_again_with_the_same_id() {
    let mut desk = Desk::new();
    desk.execution(10, None, execution_alerts::LATE_FILL, "E1")
        .manager
        .drain();
    desk.tick(10 + 15 * MINUTE + 1);
    let foreseen = desk.manager.drain();
    desk.quote(900 + 15 * MINUTE);
    let told = desk.manager.drain();
    let level_2 = |list: &[tradewind_alerts::Notification]| -> Vec<String> {
        list.iter()
            .filter(|n| n.level == 2)
            .map(|n| n.id.clone())
            .collect()
    };
    assert_eq!(level_2(&foreseen).len(), 1);
    assert_eq!(level_2(&foreseen), level_2(&told));
}

#[test]
fn a_record_that_was_on_its_way_takes_back_what_a_tick_foresaw() {
    let mut desk = Desk::new();
    desk.quote(1_001).tick(1_008);
    assert_eq!(desk.one(Metric::FeedSilent).state, State::Open);
    desk.quote(1_004);
    assert!(desk.none(Metric::FeedSilent), "it was not silent after all");
    assert!(desk.manager.agrees_with(&desk.rebuilt()));
}

/// Another figure, a cap, one that is off, one of its own.
const TIGHT: &str = r#"
[[rule]]
name = "limit_usage"
clear = 40
[[rule.step]]
at = 50
severity = "ERROR"
[[rule]]
name = "control_state"
severity_max = "WARNING"
[[rule]]
name = "late_fill"
off = true
[[rule]]
name = "busy"
metric = "limit_reject"
window_ms = 600000
route = "level3"
[[rule.step]]
at = 2
severity = "CRITICAL"
"#;

#[test]
fn rules_of_a_file_hold_from_its_last_part_on_and_judge_what_stands() {
    let mut desk = Desk::new();
    desk.order(10, None, &[hit(HitKind::Warned, DAY, 82)]);
    desk.control(11, Kind::Kill, 3);
    desk.execution(12, None, execution_alerts::LATE_FILL, "E1");
    desk.order(13, Some(RejectCode::DailyNotional), &refused(DAY));
    assert_eq!(desk.one(Metric::LimitUsage).severity, Severity::Warning);
    assert_eq!(desk.one(Metric::ControlState).severity, Severity::Critical);

    desk.rules(20, TIGHT);
    assert_eq!(desk.manager.document().unwrap().author, "ada");
    let usage = desk.one(Metric::LimitUsage);
    assert_eq!(
        (usage.severity, usage.count),
        (Severity::Error, 2),
        "82 % is above 50 now"
    );
    let control = desk.one(Metric::ControlState);
    assert_eq!(
        (control.severity, control.count),
        (Severity::Critical, 1),
        "told is told"
    );
    desk.execution(21, None, execution_alerts::LATE_FILL, "E2");
    assert_eq!(
        desk.one(Metric::LateFill).count,
        1,
        "nobody is told of it any more"
    );
    desk.order(22, Some(RejectCode::DailyNotional), &refused(DAY));
    desk.order(23, Some(RejectCode::DailyNotional), &refused(DAY));
    let rows = desk.manager.incidents();
    let busy = rows.iter().find(|row| row.rule == "busy").unwrap();
    assert_eq!(busy.severity, Severity::Critical);
    let told = desk.manager.drain();
    let opened = told
        .iter()
        .find(|notification| notification.rule == "busy")
        .unwrap();
    assert_eq!(opened.route, "level3");

    // A node that is killed from here on is a warning; without the file it is as it was.
    desk.control(30, Kind::Rearm, 0).tick(100);
    let number = desk.one(Metric::ControlState).id;
    desk.act(101, AlertVerb::Resolve, number);
    desk.control(5_000, Kind::Kill, 3);
    let killed = desk.manager.incidents().pop().unwrap();
    assert_eq!(
        (killed.rule.as_str(), killed.severity),
        ("control_state", Severity::Warning)
    );
    desk.rules(5_010, "");
    let killed = desk.manager.incidents().pop().unwrap();
    assert_eq!(killed.severity, Severity::Critical);
    assert!(desk.manager.agrees_with(&desk.rebuilt()));
}

#[test]
fn a_file_that_is_not_sound_leaves_the_rules_as_they_are() {
    let mut desk = Desk::new();
    desk.rules(10, TIGHT);
    let before = desk.manager.rules().to_vec();
    desk.rules(20, "[[rule]]\nname = \"nothing\"");
    desk.rules(30, "not toml");
    assert_eq!(desk.manager.rules(), before);
    assert!(desk.manager.agrees_with(&desk.rebuilt()));
}

/// A step of a random history: how many milliseconds later, what, and whether somebody looks at the time after it.
#[derive(Clone, Copy, Debug)]
struct Step {
    pause_ms: u64,
    what: u8,
    look_ms: Option<u64>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause = prop_oneof![4 => 0..2_000u64, 2 => 0..60_000u64, 1 => 0..7_200_000u64];
    let look = prop::option::of(prop_oneof![0..2_000u64, 0..3_600_000u64]);
    let step = (pause, 0..18u8, look).prop_map(|(pause_ms, what, look_ms)| Step {
        pause_ms,
        what,
        look_ms,
    });
    prop::collection::vec(step, 1..120)
}

fn take(desk: &mut Desk, second: u64, what: u8) {
    let known = desk.manager.incidents();
    let some = known
        .get(second as usize % known.len().max(1))
        .map_or(7, |row| row.id);
    match what {
        0 | 1 => desk.quote(second),
        2 => desk.order(second, None, &[hit(HitKind::Warned, DAY, 81)]),
        3 => desk.order(second, Some(RejectCode::DailyNotional), &refused(DAY)),
        4 => desk.order(second, Some(RejectCode::DailyNotional), &refused(POSITION)),
        5 => desk.order(second, None, &[]),
        6 => desk.execution(second, None, execution_alerts::LATE_FILL, "E1"),
        7 => desk.execution(second, Some(RejectCode::OrphanFill), 0, "E2"),
        8 => desk.execution(second, None, 0, "E2"),
        9 => desk.control(second, Kind::Kill, 3),
        10 => desk.control(second, Kind::Rearm, 0),
        11 => desk.act(second, AlertVerb::Acknowledge, some),
        12 => desk.act(second, AlertVerb::Resolve, some),
        13 => desk.put(
            second,
            event(Kind::EntitlementSource, |b: &mut EntitlementSource| {
                b.up = (second % 2) as u8
            }),
        ),
        16 => desk.rules(second, TIGHT),
        17 => desk.rules(second, ""),
        14 => desk.put(
            second,
            event(Kind::EngineStarted, |b: &mut EngineStarted| {
                b.ref_max_age_ms = 60_000
            }),
        ),
        _ => desk.put(
            second,
            event(Kind::AlertMaintenance, |b: &mut AlertMaintenance| {
                (b.from_ns, b.until_ns) = (second * SEC, (second + 600) * SEC);
            }),
        ),
    };
}

#[test]
fn an_incident_keeps_its_number_when_rules_change() {
    let mut desk = Desk::new();
    desk.order(10, None, &[hit(HitKind::Warned, DAY, 70)]);
    desk.order(20, Some(RejectCode::DailyNotional), &refused(DAY));
    let number = desk.one(Metric::LimitReject).id;
    assert_eq!(number, desk.seq * NUMBERS_OF_A_RECORD);
    let mut fewer = settings();
    fewer.rules.retain(|rule| rule.metric == Metric::LimitReject);
    let mut manager = AlertManager::new(&fewer);
    desk.records.iter().for_each(|event| manager.on_record(event));
    let ids: Vec<u64> = manager.incidents().iter().map(|row| row.id).collect();
    assert_eq!(ids, [number]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whoever reads the journal afterwards gets the incidents of the one who read it live, whatever looks at the time there were;
    /// and looking once at the end shows what looking all the time showed.
    #[test]
    fn the_state_is_a_function_of_the_journal(steps in steps()) {
        let mut desk = Desk::new();
        let mut now_ms = 1_000_000;
        for step in &steps {
            now_ms += step.pause_ms;
            take(&mut desk, now_ms / 1_000, step.what);
            if let Some(look_ms) = step.look_ms {
                desk.manager.tick((now_ms + look_ms) * 1_000_000);
            }
        }
        let mut rebuilt = desk.rebuilt();
        prop_assert!(desk.manager.agrees_with(&rebuilt));
        let end_ns = (now_ms + 9_000_000) * 1_000_000;
        desk.manager.tick(end_ns);
        rebuilt.tick(end_ns);
        prop_assert_eq!(desk.manager.incidents(), rebuilt.incidents());
        prop_assert_eq!(desk.manager.open_count(), rebuilt.open_count());
    }

    /// No notification id is used twice, however often the records are read.
    #[test]
    fn an_id_means_one_notification(steps in steps()) {
        let mut desk = Desk::new();
        let mut now_ms = 1_000_000;
        for step in &steps {
            now_ms += step.pause_ms;
            take(&mut desk, now_ms / 1_000, step.what);
        }
        desk.manager.tick((now_ms + 9_000_000) * 1_000_000);
        let mut ids: Vec<String> = desk.manager.drain().into_iter().map(|n| n.id).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), count);
    }
}
