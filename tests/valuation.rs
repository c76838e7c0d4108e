//! Limits on equity that nobody but our own books feeds: engine, journal and valuer as `tradewind run` wires them.

mod support;

use bytemuck::Zeroable;
use support::firm::{Order, cash, last, reference, text, trade};
use support::journal::events;
use support::place::{Place, clock, feed, live_digest};
use tradewind::engine::Engine;
use tradewind::valuation::ValuationService;
use tradewind_domain::codes::{ControlState, LimitAction, LimitType, Side};
use tradewind_domain::event::{Control, Event, InboundLong, Kind, LimitSet, Valuation};
use tradewind_domain::fixed::{NOTIONAL_ONE, ONE};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Symbol;
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::StartAt;
use tradewind_machine::source::SourceClass;

const SETS: &[&str] = &["engine.clock=wall", "engine.stale_order_ms=0"];

/// An account may lose so much a day.
fn daily_loss(account: &str, hard: i128) -> InboundLong {
    let body = LimitSet {
        hard: hard * NOTIONAL_ONE,
        params: [i64::from(ControlState::ReduceOnly as u8), 0, 0, 0, 0, 0],
        label: text("loss"),
        limit_type: LimitType::DailyLoss as u8,
        action: LimitAction::Restrict as u8,
        ..LimitSet::zeroed()
    };
    InboundLong::new(Kind::LimitSet, &body).named(Symbol::EMPTY, text(account))
}

/// Reads the journal until an event is there; a pipeline that ends first fails the test.
fn wait_for(engine: &Engine, is_it: impl Fn(&Event) -> bool) -> Event {
    let mut follower = engine.follower(StartAt::Start).expect("a follower");
    let mut event = Event::empty();
    loop {
        match follower.poll().expect("a sound journal") {
            Some(record) => {
                event.read_record(record.bytes()).expect("a known kind");
                if is_it(&event) {
                    return event;
                }
            }
            None => {
                assert!(!engine.running().is_ended(), "the pipeline ended first");
                std::thread::yield_now();
            }
        }
    }
}

fn is_figure(event: &Event, equity: i64) -> bool {
    event.kind() == Some(Kind::Valuation)
        && !event.is_rejected()
        && event.body::<Valuation>().is_own()
        && event.body::<Valuation>().equity.raw() == i128::from(equity) * i128::from(ONE)
}

#[test]
fn a_mark_that_loses_too_much_restricts_the_account_and_a_restart_agrees() {
    let place = Place::new();
    let settings = place.settings(SETS);
    let mut prepared = place.prepare(SETS);
    let ring = prepared.builder.source(SourceClass::Market, 64);
    let engine = Engine::start(prepared, &Cores::detect()).expect("a running engine");
    let clock = clock();
    let service = ValuationService::start(ring, &settings, &engine, &clock, None).expect("a thread");
    feed(&engine, &reference());
    feed(
        &engine,
        &[
            cash(Kind::Deposit, "L01", "USD", "in", "10000"),
            daily_loss("L01", 1_000),
            trade("t1", "L01", "GIZMO", Side::Buy, "100", "50"),
        ],
    );
    wait_for(&engine, |event| is_figure(event, 10_000));
    feed(&engine, &[last("GIZMO", "40")]); // the floor itself
    wait_for(&engine, |event| is_figure(event, 9_000));
    feed(&engine, &[last("GIZMO", "39")]);
    let change = wait_for(&engine, |event| event.kind() == Some(Kind::StateChanged));
    assert_eq!(
        change.body::<Control>().state_after,
        ControlState::ReduceOnly as u8
    );
    feed(
        &engine,
        &[
            Order::buy("o1", "L01", "GIZMO", "10", "39").message(),
            Order::sell("o2", "L01", "GIZMO", "100", "39").message(),
        ],
    );
    let figures = service.stop().expect("a valuer").expect("figures");
    assert_eq!(figures.nodes, 1);
    assert!(figures.sent >= 3, "{figures:?}");
    let stopped = engine.stop().expect("a clean stop");

    let orders: Vec<Option<RejectCode>> = events(&place.data())
        .iter()
        .filter(|event| event.kind() == Some(Kind::OrderNew))
        .map(Event::reject_code)
        .collect();
    assert_eq!(orders, [Some(RejectCode::ReduceOnly), None]);
    let live = live_digest(&stopped);
    assert_eq!(place.recovered_digest(SETS), live);
    assert_eq!(place.replay(None).digest, live);
}

#[test]
fn without_a_limit_on_equity_nothing_is_valued() {
    let place = Place::new();
    let settings = place.settings(SETS);
    let mut prepared = place.prepare(SETS);
    let ring = prepared.builder.source(SourceClass::Market, 64);
    let engine = Engine::start(prepared, &Cores::detect()).expect("a running engine");
    let service = ValuationService::start(ring, &settings, &engine, &clock(), None).expect("a thread");
    feed(&engine, &reference());
    feed(&engine, &[cash(Kind::Deposit, "L01", "USD", "in", "10000")]);
    wait_for(&engine, |event| event.kind() == Some(Kind::Deposit));
    assert!(service.stop().expect("a valuer").is_none());
    engine.stop().expect("a clean stop");
    let valued = events(&place.data())
        .iter()
        .any(|event| event.kind() == Some(Kind::Valuation));
    assert!(!valued);
}
