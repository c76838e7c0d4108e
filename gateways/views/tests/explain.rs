//! Lives of orders, told from a journal.

mod desk;

use desk::{Desk, Place, dec};
use tradewind_domain::codes::{LimitAction, LimitType, Side};
use tradewind_domain::event::Kind;
use tradewind_domain::ids::OrderId;
use tradewind_machine::journal::JournalWriter;
use tradewind_machine::journal::{Follower, StartAt};
use tradewind_views::live::{Live, LiveThread};
use tradewind_views::query::current::LiveError;
use tradewind_views::{ExplainError, OrderEvent, OrderKey, OrderLife, RULES_VERSION, Reader, explain};

/// A journal of what `script` does, for `ask` to be asked about.
fn told(
    script: impl FnOnce(&mut Desk<JournalWriter>),
    ask: impl Into<OrderKey>,
) -> Result<OrderLife, ExplainError> {
    let place = Place::new();
    let (writer, handle) = place.open();
    let mut desk = Desk::new(writer, RULES_VERSION);
    script(&mut desk);
    desk.finish();
    handle.stop().unwrap();
    let told = explain(place.dir(), ask);
    if let Ok(life) = &told {
        tells_the_same(place.dir(), life);
    }
    told
}

/// A replica tells the same from the order's own records, where it tells anything.
fn tells_the_same(dir: &std::path::Path, life: &OrderLife) {
    let Some(id) = life.order_id.as_ref().and_then(|id| id.parse().ok()) else {
        return;
    };
    let reader = Reader::open(dir).unwrap();
    let live = Live::new(dir, reader.capacities()).unwrap();
    let thread = LiveThread::start(live, Follower::open(dir, StartAt::Start).unwrap()).unwrap();
    let of_replica = loop {
        match thread.live().life(id) {
            Err(LiveError::Behind { .. }) => {}
            other => break other.unwrap(),
        }
    };
    assert_eq!(of_replica.as_ref(), Some(life));
    thread.stop();
}

fn kinds(life: &OrderLife) -> Vec<&str> {
    life.events.iter().map(|event| event.kind.as_str()).collect()
}

fn held(event: &OrderEvent) -> (&str, &str) {
    (
        event.reservation.cash_before.as_str(),
        event.reservation.cash_after.as_str(),
    )
}

#[test]
fn a_life_shows_each_step_with_what_is_held_and_what_came_of_it() {
    let script = |desk: &mut Desk<JournalWriter>| {
        desk.deposit("A", "10000");
        desk.order("other", "B", Side::Buy, "5", "10"); // 1
        desk.order("a1", "A", Side::Buy, "100", "10"); // 2
        desk.report(Kind::VenueAck, 2);
        desk.advance(5_000);
        desk.fill(2, "40", "9.90");
        desk.fill(1, "5", "10");
        desk.fill(2, "60", "10");
    };
    let life = told(script, OrderId::new(0, 2)).unwrap();
    assert_eq!(life.order_id.as_deref(), Some("0-2"));
    assert_eq!(
        (
            life.cl_ord_id.as_str(),
            life.account.as_str(),
            life.symbol.as_str()
        ),
        ("a1", "A", "ACME")
    );
    assert_eq!(
        (life.side.as_str(), life.tif.as_str(), life.currency.as_str()),
        ("BUY", "DAY", "USD")
    );
    assert_eq!(life.state, "FILLED");
    assert_eq!(
        kinds(&life),
        ["order_new", "venue_ack", "venue_fill", "venue_fill"]
    );

    let [new, ack, first, last] = &life.events[..] else {
        panic!("four events")
    };
    assert_eq!(
        (new.qty.as_deref(), new.px.as_deref(), new.stop_px.as_deref()),
        (Some("100"), Some("10"), None)
    );
    assert_eq!(
        (new.state_before.as_str(), new.state_after.as_str()),
        ("NONE", "PENDING_NEW")
    );
    assert_eq!(held(new), ("0", "1001"));
    assert_eq!(
        (
            new.reservation.value_before.as_str(),
            new.reservation.value_after.as_str()
        ),
        ("0", "1000")
    );
    assert_eq!((new.since_previous_ns, new.position.as_ref()), (None, None));
    assert_eq!(new.receipt_to_journal_ns, Some(0), "the clock stands still");
    assert_eq!(
        (ack.state_after.as_str(), held(ack)),
        ("WORKING", ("1001", "1001"))
    );

    let execution = first.execution.as_ref().unwrap();
    assert_eq!((execution.qty.as_str(), execution.px.as_str()), ("40", "9.9"));
    assert_eq!(
        (execution.principal.as_str(), execution.fee.as_str()),
        ("396", "0.25")
    );
    assert!(execution.alerts.is_empty());
    assert_eq!(first.since_previous_ns, Some(6_000));
    assert_eq!(
        (held(first), first.leaves.as_str(), first.cum.as_str()),
        (("1001", "600.6"), "60", "40")
    );
    let position = first.position.as_ref().unwrap();
    assert_eq!(
        (
            position.qty.as_str(),
            position.cost.as_str(),
            position.realised.as_str()
        ),
        ("40", "396", "0")
    );
    assert_eq!(
        (held(last), last.leaves.as_str(), last.cum.as_str()),
        (("600.6", "0"), "0", "100")
    );
    assert_eq!(last.position.as_ref().unwrap().cost, "996");
    serde_json::to_string(&life).unwrap();
}

#[test]
fn a_refused_order_is_found_by_its_identifier_with_every_limit_that_spoke() {
    let script = |desk: &mut Desk<JournalWriter>| {
        desk.deposit("A", "100");
        desk.limit(
            "a-value",
            LimitType::MaxOrderNotional,
            "A",
            5_000 * 10i128.pow(16),
            [0; 6],
            LimitAction::Reject,
        );
        desk.order("big", "A", Side::Buy, "2000", "10");
    };
    let life = told(script, OrderKey::of_text("big")).unwrap();
    assert_eq!(
        (life.order_id.as_deref(), life.state.as_str()),
        (None, "REJECTED")
    );
    let verdict = &life.events[0].verdict;
    assert!(!verdict.accepted);
    assert_eq!(verdict.code.as_deref(), Some("MAX_ORDER_QTY"));
    let mut hits: Vec<_> = verdict
        .hits
        .iter()
        .map(|hit| {
            (
                hit.limit.as_str(),
                hit.scope.as_str(),
                hit.level.as_str(),
                hit.used.as_str(),
                hit.hard.as_str(),
            )
        })
        .collect();
    hits.sort_unstable();
    let expected = [
        ("A-cash", "A", "ACCOUNT", "20020", "100"),
        ("a-value", "A", "ACCOUNT", "20000", "5000"),
        ("max-qty", "ORG", "ORG", "2000", "1000"),
    ];
    assert_eq!(hits, expected);
    assert!(verdict.hits.iter().all(|hit| hit.kind == "REFUSED"));
}

#[test]
fn a_name_that_does_not_resolve_stands_in_the_verdict() {
    let script = |desk: &mut Desk<JournalWriter>| desk.order("n1", "Z", Side::Buy, "1", "10");
    let life = told(script, OrderKey::of_text("n1")).unwrap();
    let verdict = &life.events[0].verdict;
    assert_eq!(verdict.code.as_deref(), Some("UNKNOWN_ACCOUNT"));
    assert_eq!(verdict.notes, ["UNKNOWN_ACCOUNT"]);
    assert_eq!(verdict.text.as_deref(), Some("symbol=ACME account=Z"));
}

#[test]
fn a_life_has_requests_effects_and_what_stopped_the_order() {
    let script = |desk: &mut Desk<JournalWriter>| {
        desk.deposit("A", "10000");
        desk.order("a1", "A", Side::Buy, "100", "10"); // 1
        desk.report(Kind::VenueAck, 1);
        desk.replace("a1", "a2", "150", "10");
        desk.report(Kind::VenueReplaced, 1);
        desk.replace("a2", "a3", "5000", "10");
        desk.mass_cancel("ORG");
        desk.mass_cancel("B");
        desk.cancel("a2");
        desk.report(Kind::VenueCancelReject, 1);
        desk.control(Kind::Kill, "ORG", "");
        desk.next_day();
        desk.fill(1, "10", "10"); // too late, and booked
    };
    let life = told(script, OrderKey::of_text("0-1")).unwrap();
    let expected = [
        "order_new",
        "venue_ack",
        "order_replace",
        "venue_replaced",
        "order_replace",
        "mass_cancel",
        "cancel_requested",
        "order_cancel",
        "venue_cancel_reject",
        "kill",
        "cancel_requested",
        "order_expired",
        "venue_fill",
    ];
    assert_eq!(kinds(&life), expected);
    assert_eq!(
        held(&life.events[2]),
        ("1001", "1501.5"),
        "the larger one is held until the venue answers"
    );
    assert_eq!(life.events[4].verdict.code.as_deref(), Some("MAX_ORDER_QTY"));
    let expiry = &life.events[11];
    assert_eq!(
        (expiry.part, expiry.state_after.as_str(), held(expiry)),
        (1, "EXPIRED", ("1501.5", "0"))
    );
    assert_eq!(life.events[12].execution.as_ref().unwrap().alerts, ["LATE_FILL"]);
    assert_eq!(life.events[12].position.as_ref().unwrap().qty, "10");
}

#[test]
fn the_newest_of_several_orders_with_one_identifier_is_told() {
    let script = |desk: &mut Desk<JournalWriter>| {
        desk.order("x", "B", Side::Buy, "1", "10"); // 1
        desk.next_day();
        desk.order("x", "B", Side::Buy, "2", "10"); // 2
    };
    let key = OrderKey::of_cl_ord_id(desk::text("x"));
    let life = told(script, key).unwrap();
    assert_eq!(life.order_id.as_deref(), Some("0-2"));
    assert_eq!(life.events[0].qty.as_deref(), Some("2"));
}

#[test]
fn an_alert_on_a_fill_names_its_limit() {
    let script = |desk: &mut Desk<JournalWriter>| {
        desk.trade("B", Side::Buy, "1400", "10");
        desk.order("b1", "B", Side::Buy, "300", "10"); // 1
        desk.fill(1, "300", "10");
    };
    let life = told(script, OrderId::new(0, 1)).unwrap();
    let fill = &life.events[1];
    assert_eq!(fill.execution.as_ref().unwrap().alerts, ["BREACH"]);
    let hit = &fill.verdict.hits[0];
    assert_eq!(
        (hit.kind.as_str(), hit.limit.as_str(), hit.scope.as_str()),
        ("ALERTED", "long", "ORG")
    );
    assert_eq!((hit.used.as_str(), hit.hard.as_str()), ("1700", "1500"));
    assert_eq!(dec(&hit.used), dec("1700"));
}

#[test]
fn an_order_that_never_was_is_an_error_that_names_it() {
    let error = told(|_| (), OrderId::new(0, 9)).unwrap_err();
    assert_eq!(error.to_string(), "the journal has no order 0-9");
    let error = told(|_| (), OrderKey::of_text("nothing")).unwrap_err();
    assert_eq!(error.to_string(), "the journal has no order nothing");
}
