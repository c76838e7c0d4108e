//! Each standard rule, by a record or by the want of one.

use crate::desk::{ACME, CALENDAR, DAY, Desk, MINUTE, POSITION, STOP, VENUE, event, hit, refused};
use bytemuck::Zeroable;
use tradewind_alerts::{Metric, Severity, State};
use tradewind_domain::codes::{ReconResolution, ReconStatus, ReconSubject, ReconVerb};
use tradewind_domain::event::{
    Adjustment, AlertMaintenance, AlertVerb, EdgeStats, EngineStarted, EngineStopped, EntitlementSource,
    Event, HitKind, HolderAction, InstrumentSet, Kind, LastTrade, OrderNew, QuarantineResolve, Quote,
    ReconAction, ReconFinding, TakenBack, Timer, TimerKind, TradeBust, execution_alerts,
};
use tradewind_domain::ids::{CalendarId, InstrumentId, NodeId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Text;
use tradewind_domain::time::NANOS_PER_SEC as SEC;

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
fn a_bust_and_a_corporate_action_that_overdraw_are_told_as_executions_are() {
    let mut desk = Desk::new();
    let mut bust = event(Kind::TradeBust, |b: &mut TradeBust| {
        (b.exec_ref_id, b.alerts) = (Text::lossy("E1"), execution_alerts::OVERDRAFT);
    });
    let taken = TakenBack {
        leaf: NodeId(1),
        instrument: ACME,
        ..TakenBack::zeroed()
    };
    bust.put_taken_back(&taken, &Adjustment::default());
    desk.put(10, bust);
    let row = desk.one(Metric::Overdraft);
    assert_eq!((row.severity, row.scope.as_str()), (Severity::Critical, "A"));
    assert!(row.text.contains("bust of execution E1"), "{}", row.text);
    let margin = event(Kind::HolderMargin, |b: &mut HolderAction| {
        (b.node, b.instrument, b.alerts) = (NodeId(1), ACME, execution_alerts::OVERDRAFT);
    });
    desk.put(20, margin);
    let row = desk.one(Metric::Overdraft);
    assert!(row.count == 2 && row.text.contains("holder_margin"), "{row:?}");
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
