//! Space for the journal runs out: new orders are refused with their own code, everything else goes on.

mod support;

use support::firm::{Order, cancel, cash, fill, quote, replace, report, trade};
use support::journal::events;
use support::place::Place;
use tradewind::engine::Engine;
use tradewind_domain::codes::{OrderState, Side};
use tradewind_domain::event::{Event, Execution, InboundLong, Kind, OrderCancel, OrderNew};
use tradewind_domain::ids::OrderId;
use tradewind_domain::reject::RejectCode;
use tradewind_machine::journal::StartAt;

/// More than any disk has free: space is low from the first look on.
const LOW: [&str; 1] = ["journal.reserve_bytes=16TiB"];

fn order(id: &str) -> InboundLong {
    Order::buy(id, "FREE", "GIZMO", "100", "50").message()
}

/// Sends orders until one of them is refused for want of space: from then on all of them are.
fn wait_until_low(engine: &Engine, now_ns: &mut u64) {
    let mut follower = engine.follower(StartAt::End).expect("a follower");
    for number in 0.. {
        *now_ns += 1;
        let small = Order::buy(&format!("TRY-{number}"), "FREE", "GIZMO", "10", "50");
        assert!(engine.admin().push(small.message().at(*now_ns)).is_ok());
        let outcome = loop {
            match follower.poll().expect("a journal") {
                Some(record) if record.head().kind == Kind::OrderNew as u16 => break record.head().outcome,
                Some(_) => {}
                None => std::thread::yield_now(),
            }
        };
        if outcome == RejectCode::JournalSpaceLow as u16 {
            return;
        }
    }
}

/// Runs messages with little space, and gives what became of them.
fn run_low(place: &Place, now_ns: &mut u64, messages: &[InboundLong]) -> Vec<Event> {
    let engine = place.start(&LOW);
    wait_until_low(&engine, now_ns);
    let first = place_of_next(&engine);
    for message in messages {
        *now_ns += 1_000;
        assert!(engine.admin().push(message.at(*now_ns)).is_ok());
    }
    assert!(engine.journal().space_low());
    engine.stop().expect("a clean stop");
    events(&place.data())
        .into_iter()
        .filter(|event| event.head.seq >= first)
        .take(messages.len())
        .collect()
}

/// Number of the next input.
fn place_of_next(engine: &Engine) -> u64 {
    let mut follower = engine.follower(StartAt::Start).expect("a follower");
    let mut last = 0;
    while let Some(record) = follower.poll().expect("a journal") {
        last = record.head().seq;
    }
    last + 1
}

#[test]
fn new_orders_are_refused_and_executions_booked_while_space_is_low() {
    let place = Place::new();
    let mut script = support::script::Script::new();
    script.at(0, 9, 0);
    let held = script.order(Order::buy("HELD", "FREE", "GIZMO", "100", "50"));
    script.accepted(report(Kind::VenueAck, held));
    let mut now_ns = script.messages.last().expect("a message").event().head.origin_ns;
    place.run(&[], &script.messages);

    let low = run_low(
        &place,
        &mut now_ns,
        &[
            order("NEW"),
            replace("MORE", "HELD", "200", "50"),
            fill("E1", held, "40", "50"),
            trade("T1", "FREE", "GIZMO", Side::Sell, "10", "50"),
            cash(Kind::Deposit, "FREE", "USD", "R1", "5"),
            quote("GIZMO", "49.95", "50.05"),
            cancel("OFF", "HELD"),
            report(Kind::VenueCancelled, held),
        ],
    );
    let refused = Some(RejectCode::JournalSpaceLow);
    let outcomes: Vec<_> = low.iter().map(Event::reject_code).collect();
    assert_eq!(outcomes, [refused, refused, None, None, None, None, None, None]);
    assert_eq!(low[2].body::<Execution>().cum, support::firm::dec("40"));
    assert_eq!(
        low[6].body::<OrderCancel>().view.state_after,
        OrderState::PendingCancel as u8
    );
    assert_eq!(low[0].body::<OrderNew>().view.order_id, OrderId::NONE);

    // With space again the same order is taken: the refusal has used its identifier for the day, so it needs another one.
    place.run(&[], &[order("AGAIN").at(now_ns + 1_000)]);
    let taken = events(&place.data());
    let again = taken
        .iter()
        .rev()
        .find(|event| event.kind() == Some(Kind::OrderNew))
        .expect("an order");
    assert_eq!(again.reject_code(), None);
    assert_eq!(place.replay(None).rejects.get("JOURNAL_SPACE_LOW"), Some(&3));
}
