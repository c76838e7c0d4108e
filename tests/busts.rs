//! Executions that go wrong, through the whole program: busts, corrections, and trades that wait in quarantine over a restart until
//! a person decides.

mod support;

use support::firm::{Order, bust, correct, dec, fill, last, resolve, text, trade};
use support::journal::{assert_sequence, events, outcomes};
use support::place::{IDENTITY, Place, live_digest};
use support::script::Script;
use tradewind_domain::codes::{QuarantineAction, Side};
use tradewind_domain::event::{Event, Execution, Kind, TradeBust, execution_alerts};
use tradewind_domain::ids::OrderId;
use tradewind_domain::reject::RejectCode;
use tradewind_views::{Replica, larger_capacities, verify};

/// The state that applying all records leads to.
fn replica(records: &[Event]) -> Replica {
    let capacities = records
        .iter()
        .filter(|event| event.kind() == Some(Kind::EngineStarted))
        .map(|event| event.body::<tradewind_domain::event::EngineStarted>().capacities)
        .reduce(|a, b| larger_capacities(&a, &b))
        .expect("a run");
    let mut replica = Replica::new(&capacities, &IDENTITY.hash_key);
    for record in records {
        replica.apply(record).expect("a record that follows");
    }
    replica
}

/// Quantity, cost and realised profit of an account, at 1e-8.
fn position(replica: &Replica, account: &str) -> (i128, i128, i128) {
    let account = replica
        .registry()
        .node_named(&text(account))
        .expect("an account")
        .account;
    let mut held = replica
        .positions()
        .positions()
        .filter(|(_, row)| row.account == account);
    let row = held.next().map(|(_, row)| *row);
    row.map_or((0, 0, 0), |row| {
        (row.qty.raw(), row.cost.raw(), row.realised.raw())
    })
}

fn units(qty: &str, cost: &str, realised: &str) -> (i128, i128, i128) {
    (dec(qty).into(), dec(cost).into(), dec(realised).into())
}

fn assert_sound(place: &Place) {
    let report = verify(&place.data()).expect("a journal");
    assert!(report.is_ok(), "{:#?}", report.checks);
}

#[test]
fn a_busted_and_a_corrected_fill_leave_the_books_that_would_be_without_them() {
    let place = Place::new();
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(last("GIZMO", "50"));
    let order = script.order(Order::buy("C1", "FREE", "GIZMO", "300", "60"));
    for (exec_id, px) in [("F1", "50"), ("F2", "52"), ("F3", "54")] {
        script.accepted(fill(exec_id, order, "50", px));
    }
    script.accepted(trade("S1", "FREE", "GIZMO", Side::Sell, "50", "53"));
    script.refused(bust("F9", 0), RejectCode::UnknownTrade);
    script.accepted(bust("F2", 0));
    script.refused(bust("F2", 0), RejectCode::AlreadyBusted);
    script.refused(correct("F2", "10", "50"), RejectCode::AlreadyBusted);
    script.accepted(correct("F3", "100", "51"));
    let stopped = place.run(&[], &script.messages);
    let records = events(&place.data());
    script.assert_outcomes(&outcomes(&records));
    let replica = replica(&records);
    // 50 @ 50 and 100 @ 51 cost 7600; a third of it went with the sale at 2650.
    assert_eq!(position(&replica, "FREE"), units("100", "5066.67", "116.67"));
    let row = replica.limit_check().order(order).expect("the order");
    assert_eq!(
        (row.cum, row.leaves, row.qty),
        (dec("150"), dec("150"), dec("300"))
    );
    assert_eq!(place.replay(None).digest, live_digest(&stopped));
    assert_sound(&place);
}

#[test]
fn a_trade_waits_in_quarantine_over_a_restart_and_is_booked_once_a_person_repairs_it() {
    let place = Place::new();
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(last("GIZMO", "50"));
    script.refused(
        trade("T1", "NOBODY", "GIZMO", Side::Buy, "100", "50"),
        RejectCode::UnknownAccount,
    );
    script.refused(
        fill("T2", OrderId::new(0, 999), "10", "50"),
        RejectCode::OrphanFill,
    );
    let stopped = place.run(&[], &script.messages);
    let aside = stopped.finished.last.seq - 2; // before the second one and the end of the run
    let before = script.messages.len();
    assert_eq!(place.recovered_digest(&[]), live_digest(&stopped));

    script.at(1, 9, 0);
    script.refused(
        resolve(aside, QuarantineAction::Release, "", "0"),
        RejectCode::UnknownAccount,
    );
    script.accepted(resolve(aside, QuarantineAction::Repair, "FREE", "90"));
    script.refused(
        resolve(aside, QuarantineAction::Reject, "", "0"),
        RejectCode::StateMismatch,
    );
    script.accepted(resolve(aside + 1, QuarantineAction::Reject, "", "0"));
    let stopped = place.run(&[], &script.messages[before..]);
    let records = events(&place.data());
    assert_sequence(&records);
    script.assert_outcomes(&outcomes(&records));
    let booked = records
        .iter()
        .find(|event| event.kind() == Some(Kind::TradeCapture) && event.head.part == 1)
        .expect("the trade is an effect of the command");
    assert_eq!(booked.body::<Execution>().principal.raw(), dec("4500").into());
    let state = replica(&records);
    assert_eq!(position(&state, "FREE"), units("90", "4500", "0"));
    assert_eq!(state.limit_check().quarantined().count(), 0);
    assert_eq!(place.replay(None).digest, live_digest(&stopped));

    let trade_date = booked.body::<Execution>().trade_date;
    let before = script.messages.len();
    script.at(2, 9, 0);
    script.accepted(bust("T1", trade_date));
    place.run(&[], &script.messages[before..]);
    let records = events(&place.data());
    let bust = records
        .iter()
        .find(|event| event.kind() == Some(Kind::TradeBust))
        .expect("the bust");
    assert_eq!(bust.body::<TradeBust>().alerts, execution_alerts::PRIOR_DAY_ADJ);
    assert_eq!(position(&replica(&records), "FREE"), units("0", "0", "0"));
    assert_sound(&place);
}

#[test]
fn a_bust_that_came_before_its_trade_waits_over_a_restart_and_takes_effect_with_it() {
    let place = Place::new();
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.accepted(last("GIZMO", "50"));
    script.refused(bust("T1", 0), RejectCode::UnknownTrade);
    script.refused(correct("T2", "30", "51"), RejectCode::UnknownTrade);
    let stopped = place.run(&[], &script.messages);
    let before = script.messages.len();
    assert_eq!(place.recovered_digest(&[]), live_digest(&stopped));

    script.accepted(trade("T1", "FREE", "GIZMO", Side::Buy, "100", "50"));
    script.accepted(trade("T2", "FREE", "GIZMO", Side::Buy, "20", "50"));
    script.refused(
        correct("T2", "25", "51"),
        RejectCode::InvalidLot, // GIZMO trades in tens
    );
    let stopped = place.run(&[], &script.messages[before..]);
    let records = events(&place.data());
    assert_sequence(&records);
    script.assert_outcomes(&outcomes(&records));
    let effects: Vec<_> = records
        .iter()
        .filter(|event| matches!(event.kind(), Some(Kind::TradeBust | Kind::TradeCorrect)))
        .filter(|event| event.head.part == 1)
        .map(|event| event.kind().expect("a kind"))
        .collect();
    assert_eq!(effects, [Kind::TradeBust, Kind::TradeCorrect]);
    let state = replica(&records);
    assert_eq!(position(&state, "FREE"), units("30", "1530", "0"));
    let waiting: Vec<_> = state
        .limit_check()
        .quarantined()
        .map(|row| row.reason())
        .collect();
    assert_eq!(waiting, [Some(RejectCode::InvalidLot)]);
    assert_eq!(place.replay(None).digest, live_digest(&stopped));
    assert_sound(&place);
}
