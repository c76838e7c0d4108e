//! What records make of incidents: the standard rules, rules of a file, and the state as a function of the journal, whatever looks
//! at the time there were in between.

#[path = "journal/desk.rs"]
mod desk;
#[path = "journal/standard.rs"]
mod standard;

use desk::{DAY, Desk, POSITION, event, hit, refused, settings};
use proptest::prelude::*;
use tradewind_alerts::{AlertManager, Metric, NUMBERS_OF_A_RECORD, Severity};
use tradewind_domain::event::{
    AlertMaintenance, AlertVerb, EngineStarted, EntitlementSource, HitKind, Kind, execution_alerts,
};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::NANOS_PER_SEC as SEC;

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
