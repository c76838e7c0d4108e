//! The auditor beside a journal that grows.

use super::{busy_day, nth};
use crate::desk::{Desk, Place};
use tradewind_domain::event::{Event, Execution, Kind};
use tradewind_domain::fixed::Money;
use tradewind_views::{RULES_VERSION, Shadow, verify};

#[test]
fn a_shadow_that_follows_a_sound_journal_finds_nothing() {
    let place = Place::new();
    let (writer, handle) = place.open();
    let mut desk = Desk::new(writer, RULES_VERSION);
    desk.deposit("A", "100000");
    let mut shadow = Shadow::open(place.dir()).unwrap();
    desk.busy_day();
    desk.finish();
    handle.stop().unwrap();
    while shadow.poll(7).unwrap() == 7 {
        assert_eq!(shadow.check(), None);
    }
    assert_eq!(shadow.check(), None);
    assert!(shadow.records() > 60);
    assert_eq!(verify(place.dir()).unwrap().last_seq, shadow.last_seq());
}

#[test]
fn a_shadow_names_the_first_difference_while_the_journal_grows_and_says_nothing_else_after_it() {
    let mut events = busy_day();
    let at = nth(&events, Kind::TradeCapture, 0);
    let body: &mut Execution = events[at].body_mut();
    body.realised = Money::from_raw(body.realised.raw() + 1);
    let place = Place::new();
    let (mut writer, handle) = place.open();
    let write = |writer: &mut tradewind_machine::journal::JournalWriter, event: &Event| {
        writer.append(event).unwrap();
        writer.commit(event.head.recv_ns).unwrap();
    };
    write(&mut writer, &events[0]);
    let mut shadow = Shadow::open(place.dir()).unwrap();
    for (number, event) in events.iter().enumerate().skip(1) {
        write(&mut writer, event);
        while shadow.poll(1).unwrap() == 1 {}
        let found = shadow.check().map(|check| check.invariants);
        assert_eq!(found, (number >= at).then_some("I6"), "record {number}");
    }
    assert!(shadow.records() <= at as u64 + 2 && shadow.last_seq() == events[events.len() - 1].head.seq);
    drop(writer);
    handle.stop().unwrap();
}
