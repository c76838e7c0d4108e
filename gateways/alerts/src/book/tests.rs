//! Rules, incidents and escalation as tables: what is told at which second, and what people hear of it.

use super::*;
use crate::incident::LIVE_FIRST;
use crate::rule::Step;
use tradewind_domain::ids::NodeId;
use tradewind_domain::time::NANOS_PER_SEC as SEC;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;

/// A book with a few rules, and the hand that turns its time.
struct Desk {
    book: IncidentBook,
    now_s: u64,
}

fn rules() -> Vec<Rule> {
    use Severity::{Critical, Error, Warning};
    vec![
        Rule::new(
            Metric::LimitUsage,
            vec![Step::at(8_000, Warning), Step::at(9_500, Error)],
        ),
        Rule::new(
            Metric::LimitReject,
            vec![Step::at(1, Warning), Step::at(3, Error)],
        ),
        Rule::each(Metric::LateFill, Critical),
        Rule::each(Metric::EngineStarted, Severity::Info),
        Rule::new(
            Metric::EntitlementsDown,
            vec![Step::at(1, Error), Step::at(1, Critical).held_for(3_600 * SEC)],
        ),
    ]
}

impl Desk {
    fn new() -> Self {
        Self {
            book: IncidentBook::new(rules().into(), Timings::default(), 1),
            now_s: 0,
        }
    }

    /// Goes to a second, running what is due before it; the facts of that second come first.
    fn at(&mut self, second: u64) -> &mut Self {
        while self.book.next_due_ns() < second * SEC {
            self.book.run_due();
        }
        self.now_s = second;
        self
    }

    fn tell(&mut self, fact: Fact) -> &mut Self {
        self.book.on_fact(&fact, self.now_s * SEC);
        self
    }

    fn usage(&mut self, scope: &str, value: i64) -> &mut Self {
        self.level(Metric::LimitUsage, scope, value)
    }

    fn level(&mut self, metric: Metric, scope: &str, value: i64) -> &mut Self {
        self.tell(Fact::Level {
            metric,
            subject: subject(scope),
            value,
            at_least: None,
            text: value.to_string(),
        })
    }

    fn event(&mut self, metric: Metric, scope: &str) -> &mut Self {
        self.tell(Fact::Event {
            metric,
            subject: subject(scope),
            severity: None,
            text: "it happened".into(),
        })
    }

    fn ack(&mut self, incident: u64) -> &mut Self {
        self.tell(Fact::Acknowledge {
            incident,
            user: "ann".into(),
            comment: "looking".into(),
        })
    }

    fn resolve(&mut self, incident: u64) -> &mut Self {
        self.tell(Fact::Resolve {
            incident,
            user: "ann".into(),
            comment: "done".into(),
        })
    }

    fn mute(&mut self, from_s: u64, until_s: u64, node: NodeId) -> &mut Self {
        self.tell(Fact::Maintenance(Maintenance {
            from_ns: from_s * SEC,
            until_ns: until_s * SEC,
            node,
            user: "ops".into(),
        }))
    }

    /// Notifications since the last call, up to and including a second: `SECOND ID SEVERITY ROUTE`.
    fn heard(&mut self, until_s: u64) -> Vec<String> {
        while self.book.next_due_ns() <= until_s * SEC {
            self.book.run_due();
        }
        self.now_s = until_s;
        let told = self.book.drain();
        told.iter()
            .map(|n| {
                let muted = if n.muted { " muted" } else { "" };
                format!("{} {} {} {}{muted}", n.at_ns / SEC, n.id, n.severity, n.route)
            })
            .collect()
    }

    fn row(&self, incident: u64) -> IncidentRow {
        self.book.row(incident, self.now_s * SEC).unwrap()
    }
}

/// About a node by this name, below node 7.
fn subject(scope: &str) -> Subject {
    let mut subject = Subject::engine(scope);
    subject.chain[0] = NodeId(9);
    subject.chain[1] = NodeId(7);
    subject
}

#[test]
fn a_warning_that_nobody_takes_reaches_level_two_after_a_quarter_of_an_hour() {
    let mut desk = Desk::new();
    desk.usage("DAY", 8_100);
    assert_eq!(desk.heard(15 * MINUTE - 1), ["0 1:1 WARNING warning"]);
    assert_eq!(desk.row(1).level, 1);
    assert_eq!(desk.heard(15 * MINUTE), ["900 1:2 WARNING level2"]);
    assert_eq!(desk.heard(10 * HOUR), [""; 0]);
    assert_eq!(desk.row(1).level, 2);
}

#[test]
fn a_critical_incident_taken_at_twenty_past_never_reaches_level_three() {
    let mut desk = Desk::new();
    desk.event(Metric::LateFill, "A").at(20 * MINUTE).ack(1);
    assert_eq!(
        desk.heard(HOUR),
        ["0 1:1 CRITICAL critical", "900 1:2 CRITICAL level2"]
    );
    let row = desk.row(1);
    assert_eq!((row.state, row.level), (State::Acknowledged, 2));
    assert_eq!(row.acknowledged_by.as_deref(), Some("ann"));
    assert_eq!(row.acknowledge_comment.as_deref(), Some("looking"));
}

#[test]
fn an_acknowledgement_at_the_instant_of_a_level_wins() {
    let mut desk = Desk::new();
    desk.event(Metric::LateFill, "A").at(15 * MINUTE).ack(1);
    assert_eq!(desk.heard(HOUR), ["0 1:1 CRITICAL critical"]);
}

#[test]
fn use_that_falls_only_a_little_is_not_clear() {
    let mut desk = Desk::new();
    desk.usage("DAY", 8_100).at(10).usage("DAY", 7_800);
    assert_eq!(desk.heard(800), ["0 1:1 WARNING warning"]);
    desk.at(801).usage("DAY", 7_590);
    assert_eq!(desk.heard(830), [""; 0]);
    assert_eq!(desk.heard(831), ["831 1:end1 WARNING warning"]);
    assert_eq!(desk.row(1).state, State::Resolved);
    assert_eq!(desk.book.open_count(), 0);
}

#[test]
fn a_worse_figure_raises_the_incident_and_starts_its_clock_anew() {
    let mut desk = Desk::new();
    desk.usage("DAY", 8_100).at(5 * MINUTE).ack(1);
    desk.at(10 * MINUTE).usage("DAY", 9_500);
    assert_eq!(
        desk.heard(40 * MINUTE),
        [
            "0 1:1 WARNING warning",
            "600 1.1:1 ERROR error",
            "1500 1.1:2 ERROR level2",
            "2400 1.1:3 ERROR level3",
        ]
    );
    let row = desk.row(1);
    assert_eq!(
        (row.state, row.acknowledged_by, row.count),
        (State::Open, None, 2)
    );
}

#[test]
fn three_refusals_of_one_limit_within_a_minute_are_an_error_and_of_two_limits_are_not() {
    let mut desk = Desk::new();
    for (second, scope) in [(0, "A"), (1, "B"), (20, "A"), (21, "B"), (40, "A")] {
        desk.at(second).event(Metric::LimitReject, scope);
    }
    assert_eq!(
        desk.heard(50),
        [
            "0 1:1 WARNING warning",
            "1 2:1 WARNING warning",
            "40 1.1:1 ERROR error",
        ]
    );
    assert_eq!(desk.heard(51), ["51 2:end1 WARNING warning"]);
}

#[test]
fn within_ten_minutes_the_same_incident_opens_again_and_nobody_is_told_twice() {
    let mut desk = Desk::new();
    desk.event(Metric::LimitReject, "A"); // over at 30
    desk.at(630).event(Metric::LimitReject, "A"); // ten minutes after that
    assert_eq!(
        desk.heard(659),
        ["0 1:1 WARNING warning", "30 1:end1 WARNING warning"]
    );
    assert_eq!((desk.row(1).state, desk.row(1).count), (State::Open, 2));
}

#[test]
fn a_reopened_incident_reaches_the_level_that_is_due_by_its_first_clock() {
    let mut desk = Desk::new();
    desk.usage("DAY", 8_100);
    desk.at(14 * MINUTE).usage("DAY", 0); // over at 14:30
    desk.at(16 * MINUTE).usage("DAY", 8_100);
    assert_eq!(
        desk.heard(HOUR),
        [
            "0 1:1 WARNING warning",
            "870 1:end1 WARNING warning",
            "960 1:2 WARNING level2",
        ]
    );
}

#[test]
fn a_reopened_incident_that_somebody_had_taken_starts_its_clock_anew() {
    let mut desk = Desk::new();
    desk.usage("DAY", 8_100).at(60).ack(1);
    desk.at(120).usage("DAY", 0);
    desk.at(200).usage("DAY", 8_100);
    assert_eq!(
        desk.heard(HOUR),
        [
            "0 1:1 WARNING warning",
            "150 1:end1 WARNING warning",
            "200 1.1:1 WARNING warning",
            "1100 1.1:2 WARNING level2",
        ]
    );
}

#[test]
fn after_ten_minutes_it_is_a_new_incident() {
    let mut desk = Desk::new();
    desk.event(Metric::LimitReject, "A")
        .at(631)
        .event(Metric::LimitReject, "A");
    desk.heard(631);
    assert_eq!(desk.book.rows(0).count(), 2);
}

#[test]
fn a_critical_incident_waits_for_a_person() {
    let mut desk = Desk::new();
    desk.event(Metric::LateFill, "A");
    desk.heard(10 * HOUR);
    let row = desk.row(1);
    assert_eq!((row.state, row.level), (State::Open, 3));
    assert!(row.cleared_at.is_some());
    desk.at(11 * HOUR).resolve(1);
    assert_eq!(desk.heard(12 * HOUR), ["39600 1:end1 CRITICAL critical"]);
    assert_eq!(desk.row(1).resolved_by.as_deref(), Some("ann"));
}

#[test]
fn those_who_took_it_are_reminded_every_four_hours() {
    let mut desk = Desk::new();
    desk.usage("DAY", 8_100).at(60).ack(1);
    assert_eq!(
        desk.heard(9 * HOUR),
        [
            "0 1:1 WARNING warning",
            "14460 1:1r1 WARNING warning",
            "28860 1:1r2 WARNING warning",
        ]
    );
    desk.at(9 * HOUR).resolve(1);
    assert_eq!(desk.heard(20 * HOUR), ["32400 1:end1 WARNING warning"]);
}

#[test]
fn info_is_told_once() {
    let mut desk = Desk::new();
    desk.event(Metric::EngineStarted, "engine");
    assert_eq!(desk.heard(5 * HOUR), ["0 1:1 INFO info", "30 1:end1 INFO info"]);
}

#[test]
fn an_outage_of_an_hour_is_critical() {
    let mut desk = Desk::new();
    desk.level(Metric::EntitlementsDown, "users", 1).at(100).ack(1);
    desk.at(200).level(Metric::EntitlementsDown, "users", 1); // a second DOWN does not extend it
    assert_eq!(
        desk.heard(HOUR),
        ["0 1:1 ERROR error", "3600 1.1:1 CRITICAL critical"]
    );
}

#[test]
fn a_maintenance_window_mutes_what_is_below_critical_within_its_scope_and_time() {
    let mut desk = Desk::new();
    desk.mute(0, 1_000, NodeId(7));
    desk.usage("DAY", 8_100).event(Metric::LateFill, "A");
    desk.tell(Fact::Event {
        metric: Metric::LimitReject,
        subject: Subject::engine("elsewhere"),
        severity: None,
        text: String::new(),
    });
    assert_eq!(
        desk.heard(20),
        [
            "0 1:1 WARNING warning muted",
            "0 2:1 CRITICAL critical",
            "0 3:1 WARNING warning",
        ]
    );
    desk.at(21).mute(0, 0, NodeId(7)); // ends it
    assert_eq!(desk.book.rows(0).count(), 3, "the record is never muted");
    assert!(desk.heard(900).contains(&"900 1:2 WARNING level2".to_owned()));
}

#[test]
fn a_window_without_a_node_mutes_everything_until_its_end() {
    let mut desk = Desk::new();
    desk.mute(10, 20, NodeId::NONE);
    for (second, scope) in [(9, "A"), (10, "B"), (19, "C"), (20, "D")] {
        desk.at(second).event(Metric::LimitReject, scope);
    }
    let muted: Vec<bool> = desk
        .heard(20)
        .iter()
        .map(|line| line.ends_with("muted"))
        .collect();
    assert_eq!(muted, [false, true, true, false]);
}

#[test]
fn words_on_an_incident_that_is_not_there_or_over_change_nothing() {
    let mut desk = Desk::new();
    desk.ack(1).resolve(7);
    desk.at(10).event(Metric::LimitReject, "A");
    desk.at(50).ack(1).resolve(1);
    assert_eq!(desk.row(1).acknowledged_by, None);
    assert_eq!(
        desk.row(1).resolved_by.as_deref(),
        Some(""),
        "it had cleared by itself"
    );
    desk.at(60).event(Metric::LimitReject, "A").ack(1).ack(1);
    assert_eq!(
        desk.row(1).acknowledged_at.as_deref(),
        Some("1970-01-01T00:01:00.000000000Z")
    );
}

#[test]
fn a_storm_of_keys_ends_in_one_incident_that_stands_for_the_rest() {
    let mut desk = Desk::new();
    for number in 0..OPEN_MAX + 500 {
        desk.event(Metric::LimitReject, &number.to_string());
    }
    assert_eq!(desk.book.open_count(), OPEN_MAX + 1);
    let more = desk.row(OPEN_MAX as u64 + 1);
    assert_eq!((more.scope.as_str(), more.count), (OVERFLOW_SCOPE, 500));
    desk.heard(100);
    assert_eq!(desk.book.open_count(), 0);
}

#[test]
fn what_is_over_is_forgotten_when_there_is_too_much_of_it() {
    let mut desk = Desk::new();
    for number in 0..RESOLVED_MAX as u64 + 100 {
        desk.at(number * 40)
            .event(Metric::LimitReject, &number.to_string());
        desk.heard(number * 40 + 35);
    }
    assert!(desk.book.rows(0).count() <= RESOLVED_MAX + 1);
    assert!(desk.book.row(1, 0).is_none());
    assert!(desk.book.conditions.is_empty());
}

#[test]
fn live_incidents_have_numbers_of_their_own() {
    let mut book = IncidentBook::new(rules().into(), Timings::default(), LIVE_FIRST);
    let fact = Fact::Event {
        metric: Metric::LateFill,
        subject: Subject::engine("x"),
        severity: None,
        text: String::new(),
    };
    book.on_fact(&fact, 5);
    assert!(book.row(LIVE_FIRST, 5).unwrap().live);
}
