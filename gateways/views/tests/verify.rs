//! The auditor: sound journals pass, forged ones fail where they were forged.

mod desk;
#[path = "verify/random_day.rs"]
mod random_day;
#[path = "verify/shadow.rs"]
mod shadow;

use desk::{Desk, HASH_KEY, Place, capacities, dec};
use proptest::prelude::*;
use random_day::{Play, step};
use tradewind_domain::codes::{QuarantineAction, Side};
use tradewind_domain::event::{
    Event, Execution, HEAD_LEN, InstrumentSet, Kind, NodeSet, OrderNew, OrderView, VenueReport, head_flags,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{HoldingId, InstrumentId, NodeId, WalletId};
use tradewind_domain::reject::RejectCode;
use tradewind_views::{Auditor, RULES_VERSION, Replica, VerifyReport, verify};

const SEQUENCE: &str = "the sequence has no gap and no contradiction";
const SUMS: &str = "postings sum to zero per ledger";
const BOOKS: &str = "the books are the sum of the postings";
const AMOUNTS: &str = "amounts decided are amounts posted";
const SIGNS: &str = "no account has a sum below zero, after any record";
const FILLS: &str = "positions are the sum of fills";
const MONEY: &str = "profit and cost are the net money of the trades";
const LOTS: &str = "lots add up to their position, by every method";
const KEYS: &str = "each trade is booked once, and none is filled unsaid beyond its order";
const HELD: &str = "reservations are the sum over open orders";
const REPEAT: &str = "outcomes repeat on re-execution";

fn audit(events: &[Event]) -> VerifyReport {
    let mut auditor = Auditor::new(&capacities(), &HASH_KEY);
    events.iter().for_each(|event| auditor.see(event));
    auditor.finish()
}

fn busy_day() -> Vec<Event> {
    let mut desk = Desk::in_memory();
    desk.busy_day();
    desk.events().to_vec()
}

/// Names of the checks that fail.
fn failing(report: &VerifyReport) -> Vec<&'static str> {
    report
        .checks
        .iter()
        .filter(|check| !check.ok)
        .map(|check| check.name)
        .collect()
}

fn detail<'a>(report: &'a VerifyReport, name: &str) -> &'a str {
    let check = report.checks.iter().find(|check| check.name == name).unwrap();
    check.detail.as_deref().unwrap_or("")
}

/// The index of the nth accepted event of a kind.
fn nth(events: &[Event], kind: Kind, n: usize) -> usize {
    let found = events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind() == Some(kind) && !event.is_rejected());
    found.map(|(at, _)| at).nth(n).unwrap()
}

#[test]
fn a_sound_journal_passes_every_check_and_is_re_executed_to_the_last_record() {
    let place = Place::new();
    let (writer, handle) = place.open();
    let mut desk = Desk::new(writer, RULES_VERSION);
    desk.busy_day();
    desk.finish();
    handle.stop().unwrap();
    let report = verify(place.dir()).unwrap();
    assert!(report.is_ok(), "{:#?}", report.checks);
    let shown: Vec<&str> = report
        .checks
        .iter()
        .map(|check| check.invariants)
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(
        shown,
        [
            "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12"
        ]
    );
    let repeat = report.checks.iter().find(|check| check.name == REPEAT).unwrap();
    assert_eq!(
        repeat.figure,
        format!("{} records re-executed, 0 not", report.records)
    );
    assert_eq!(repeat.detail, None);
    serde_json::to_string(&report).unwrap();
}

/// Trades of today and yesterday, of open and closed orders, busted and corrected; a trade out of quarantine, and one that stays.
fn day_of_busts() -> Vec<Event> {
    let mut desk = Desk::in_memory();
    desk.deposit("A", "100000");
    desk.last_trade("10");
    desk.trade("A", Side::Buy, "30", "10");
    let yesterdays = *desk.last();
    desk.next_day();
    desk.order("o1", "A", Side::Buy, "100", "10");
    desk.report(Kind::VenueAck, 1);
    desk.fill(1, "20", "10");
    let first = *desk.last();
    desk.replace("o1", "r1", "60", "11");
    desk.fill(1, "10", "9.99");
    let second = *desk.last();
    desk.bust(&first);
    desk.correct(&second, "12", "9.98");
    desk.correct(&second, "11", "9.97");
    desk.report(Kind::VenueReplaced, 1);
    desk.bust(&second);
    desk.bust(&second);
    desk.bust(&yesterdays);
    desk.trade("A", Side::Sell, "5", "10");
    let sale = *desk.last();
    desk.correct(&sale, "50", "10.5");
    desk.trade("ZZZ", Side::Buy, "7", "10");
    let aside = desk.last().head.seq;
    desk.resolve(aside, QuarantineAction::Release, "");
    desk.resolve(aside, QuarantineAction::Repair, "B");
    let booked = *desk.last();
    desk.bust(&booked);
    desk.trade("ZZZ", Side::Buy, "8", "10");
    desk.events().to_vec()
}

#[test]
fn a_journal_with_busts_corrections_and_a_released_trade_passes_every_check() {
    let events = day_of_busts();
    let count = |kind| {
        let of_kind = events.iter().filter(|event| event.kind() == Some(kind));
        of_kind.filter(|event| !event.is_rejected()).count()
    };
    assert_eq!((count(Kind::TradeBust), count(Kind::TradeCorrect)), (4, 3));
    let released = events
        .iter()
        .find(|event| event.kind() == Some(Kind::TradeCapture) && event.head.part == 1);
    assert!(released.is_some_and(|event| event.body::<Execution>().account.0 == 1));
    let report = audit(&events);
    assert!(report.is_ok(), "{:#?}", report.checks);
}

#[test]
fn a_bust_that_takes_back_more_than_was_booked_is_found() {
    let mut events = day_of_busts();
    let at = nth(&events, Kind::TradeBust, 0);
    let mut taken = events[at].taken_back().unwrap();
    taken.principal = Money::from_raw(taken.principal.raw() + 1_000_000);
    let tail_len = events[at].head.tail_len;
    let mut tail = events[at].tail().to_vec();
    tail[..size_of_val(&taken)].copy_from_slice(bytemuck::bytes_of(&taken));
    events[at].set_tail(&tail);
    assert_eq!(events[at].head.tail_len, tail_len);
    let report = audit(&events);
    assert!(failing(&report).contains(&REPEAT), "{:#?}", report.checks);
    assert!(failing(&report).contains(&MONEY), "{:#?}", report.checks);
}

/// A pending replace holds more than the order; when the venue is silent and then says that it works the order, that must come
/// back or stay, in the order's row and in every sum alike.
#[test]
fn what_a_replace_held_is_not_lost_when_a_silent_venue_answers() {
    let answers = [
        Kind::VenueAck,
        Kind::VenueStatus,
        Kind::VenueCancelReject,
        Kind::VenueReplaced,
    ];
    for (at, answer) in answers.into_iter().cycle().take(16).enumerate() {
        let (is_acked, is_cancelled) = (at & 4 != 0, at & 8 != 0);
        let mut desk = Desk::in_memory();
        desk.deposit("A", "10000");
        desk.order("a1", "A", Side::Buy, "100", "10"); // 1
        if is_acked {
            desk.report(Kind::VenueAck, 1);
        }
        desk.replace("a1", "a2", "150", "10");
        desk.report(Kind::OrderUnknown, 1);
        if is_cancelled {
            desk.cancel("a1");
            desk.report(Kind::OrderUnknown, 1);
        }
        desk.report(answer, 1);
        let what = format!("{answer}, acknowledged {is_acked}, cancel sent {is_cancelled}");
        let report = audit(desk.events());
        assert!(report.is_ok(), "open after {what}: {:#?}", report.checks);
        desk.report(Kind::VenueCancelReject, 1);
        let report = audit(desk.events());
        assert!(report.is_ok(), "refused after {what}: {:#?}", report.checks);
        desk.report(Kind::VenueCancelled, 1);
        let report = audit(desk.events());
        assert!(report.is_ok(), "closed after {what}: {:#?}", report.checks);
    }
}

#[test]
fn a_reservation_that_was_raised_is_found() {
    let mut events = busy_day();
    let at = nth(&events, Kind::OrderNew, 0);
    let body: &mut OrderNew = events[at].body_mut();
    body.view.cash = Money::from_raw(body.view.cash.raw() + i128::from(dec("1")));
    let report = audit(&events);
    assert!(failing(&report).contains(&REPEAT), "{:#?}", report.checks);
    assert!(
        failing(&report).contains(&HELD),
        "the order closes holding a dollar"
    );
    let place = std::mem::offset_of!(OrderNew, view) + std::mem::offset_of!(OrderView, cash);
    let text = detail(&report, REPEAT);
    let record = format!("record {}/0 (order_new)", events[at].head.seq);
    assert!(text.starts_with(&record), "{text}");
    let byte: usize = text
        .split_once("byte ")
        .unwrap()
        .1
        .split_once(' ')
        .unwrap()
        .0
        .parse()
        .unwrap();
    assert!(
        (HEAD_LEN + place..HEAD_LEN + place + 16).contains(&byte),
        "{text}"
    );
}

#[test]
fn a_reservation_given_back_in_part_is_found_without_re_execution() {
    let mut events = busy_day();
    events[0]
        .body_mut::<tradewind_domain::event::EngineStarted>()
        .rules_version = RULES_VERSION + 1;
    let at = nth(&events, Kind::VenueCancelled, 0);
    let body: &mut VenueReport = events[at].body_mut();
    body.view.value = tradewind_domain::fixed::Notional::from_raw(body.view.value.raw() + 1);
    let report = audit(&events);
    assert_eq!(failing(&report), [HELD], "{:#?}", report.checks);
    assert!(
        detail(&report, HELD).contains("which still holds value 1"),
        "{}",
        detail(&report, HELD)
    );
    assert!(
        detail(&report, REPEAT).contains(&format!("rules of version {}", RULES_VERSION + 1)),
        "{}",
        detail(&report, REPEAT)
    );
}

#[test]
fn a_price_improved_afterwards_is_found() {
    let mut events = busy_day();
    let at = nth(&events, Kind::VenueFill, 1);
    let body: &mut Execution = events[at].body_mut();
    body.principal = Money::from_raw(body.principal.raw() - i128::from(dec("0.01")));
    let report = audit(&events);
    assert!(
        failing(&report).contains(&REPEAT) && failing(&report).contains(&MONEY),
        "{:#?}",
        report.checks
    );
    assert!(
        detail(&report, MONEY).starts_with("money of holding"),
        "{}",
        detail(&report, MONEY)
    );
}

#[test]
fn a_profit_that_was_invented_is_found() {
    let mut events = busy_day();
    let at = nth(&events, Kind::TradeCapture, 0);
    let body: &mut Execution = events[at].body_mut();
    assert!(!body.realised.is_zero());
    body.realised = Money::from_raw(body.realised.raw() + i128::from(dec("100")));
    let report = audit(&events);
    assert_eq!(failing(&report), [MONEY, REPEAT], "{:#?}", report.checks);
}

#[test]
fn money_that_goes_to_another_clients_wallet_is_found() {
    let mut events = busy_day();
    let (a, b) = (nth(&events, Kind::VenueFill, 0), nth(&events, Kind::VenueFill, 2));
    let wallets = [a, b].map(|at| events[at].body::<Execution>().wallet);
    assert_ne!(wallets[0], wallets[1]);
    events[b].body_mut::<Execution>().wallet = wallets[0];
    let report = audit(&events);
    assert!(failing(&report).contains(&SUMS), "{:#?}", report.checks);
    assert!(detail(&report, SUMS).contains("of another ledger or client"));
}

#[test]
fn an_execution_without_a_row_is_found() {
    let mut events = busy_day();
    let at = nth(&events, Kind::TradeCapture, 0);
    events[at].body_mut::<Execution>().wallet = WalletId(9_999);
    events[at].body_mut::<Execution>().holding = HoldingId(9_999);
    let report = audit(&events);
    for name in [BOOKS, AMOUNTS, FILLS, REPEAT, "every fact has its row"] {
        assert!(failing(&report).contains(&name), "{name}: {:#?}", report.checks);
    }
}

#[test]
fn a_refusal_made_an_acceptance_and_the_other_way_round_is_found() {
    let events = busy_day();
    let refused = events
        .iter()
        .position(|event| event.reject_code() == Some(RejectCode::BuyingPower))
        .unwrap();
    let mut forged = events.clone();
    forged[refused].head.outcome = 0;
    assert!(failing(&audit(&forged)).contains(&REPEAT));
    let mut forged = events.clone();
    let deposit = nth(&events, Kind::Deposit, 0);
    forged[deposit].head.outcome = RejectCode::InvalidValue as u16;
    let report = audit(&forged);
    assert!(
        detail(&report, REPEAT).contains("outcome INVALID_VALUE is recorded, OK comes out"),
        "{:#?}",
        report.checks
    );
}

#[test]
fn an_effect_left_out_or_added_is_found() {
    let events = busy_day();
    let last = events
        .iter()
        .rposition(|event| event.kind() == Some(Kind::OrderExpired))
        .unwrap();
    let mut shorter = events.clone();
    shorter.remove(last);
    shorter[last - 1].head.flags |= head_flags::LAST;
    let report = audit(&shorter);
    assert!(
        detail(&report, REPEAT).contains("an effect comes out that is not recorded"),
        "{:#?}",
        report.checks
    );

    let mut longer = events.clone();
    let quote = nth(&events, Kind::LastTrade, 0);
    let mut extra = events[quote];
    extra.head.part = 1;
    longer[quote].head.flags &= !head_flags::LAST;
    longer.insert(quote + 1, extra);
    let report = audit(&longer);
    assert!(
        detail(&report, REPEAT).contains("an effect is recorded that does not come out"),
        "{:#?}",
        report.checks
    );
}

#[test]
fn a_group_that_a_crash_cut_off_is_no_difference() {
    let events = busy_day();
    let first = events
        .iter()
        .position(|event| event.kind() == Some(Kind::OrderExpired))
        .unwrap();
    let report = audit(&events[..=first]);
    assert!(report.is_ok(), "{:#?}", report.checks);
}

#[test]
fn records_that_would_break_a_stage_are_named_and_stop_nothing() {
    let events = busy_day();
    let instrument = nth(&events, Kind::InstrumentSet, 0);
    let node = nth(&events, Kind::NodeSet, 1);
    let cancelled = nth(&events, Kind::VenueCancelled, 0);
    let forge = |at: usize, change: &dyn Fn(&mut Event)| {
        let mut forged = events.clone();
        change(&mut forged[at]);
        let report = audit(&forged);
        assert!(failing(&report).contains(&SEQUENCE), "{:#?}", report.checks);
        detail(&report, SEQUENCE).to_owned()
    };
    let text = forge(instrument, &|event| {
        event.body_mut::<InstrumentSet>().row.id = InstrumentId(7)
    });
    assert!(text.contains("the instrument's id is not the next one"), "{text}");
    let text = forge(node, &|event| {
        event.body_mut::<NodeSet>().parent = event.body::<NodeSet>().node
    });
    assert!(text.contains("the node's parent comes after it"), "{text}");
    let text = forge(node, &|event| {
        event.body_mut::<NodeSet>().node = NodeId(u32::MAX - 1)
    });
    assert!(text.contains("the node's id is not the next one"), "{text}");
    let mut twice = events.clone();
    let mut again = events[cancelled];
    twice[cancelled + 1..]
        .iter_mut()
        .for_each(|event| event.head.seq += 1);
    again.head.seq += 1;
    twice.insert(cancelled + 1, again);
    let report = audit(&twice);
    assert!(
        detail(&report, SEQUENCE).contains("the order is in another state"),
        "{:#?}",
        report.checks
    );
}

#[test]
fn a_forged_record_appended_with_a_good_checksum_is_found() {
    let place = Place::new();
    let (writer, handle) = place.open();
    let mut desk = Desk::new(writer, RULES_VERSION);
    desk.deposit("A", "10");
    let mut finished = desk.finish();
    let mut forged = Event::empty();
    let mut source = Desk::in_memory();
    source.deposit("A", "10");
    source.deposit("A", "10");
    forged.clone_from(source.last());
    forged.body_mut::<tradewind_domain::event::CashMove>().amount = Money::from_raw(dec("10").into());
    forged.head.seq = finished.last.seq + 1;
    forged.head.notes = tradewind_domain::reject::Note::MarketClosed.bit();
    finished.journal.append(&forged).unwrap();
    finished.journal.commit(1).unwrap();
    drop(finished);
    handle.stop().unwrap();
    let report = verify(place.dir()).unwrap();
    assert_eq!(failing(&report), [REPEAT], "{:#?}", report.checks);
    assert!(
        detail(&report, REPEAT).contains("findings 0x200000 are recorded"),
        "{:#?}",
        report.checks
    );
}

#[test]
fn a_damaged_byte_fails_the_checksums() {
    let place = Place::new();
    let (writer, handle) = place.open();
    let mut desk = Desk::new(writer, RULES_VERSION);
    desk.busy_day();
    desk.finish();
    handle.stop().unwrap();
    let segment = place.dir().join("journal").join(format!("{:020}.twj", 1));
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[6_000] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let report = verify(place.dir()).unwrap();
    assert!(
        failing(&report).contains(&"checksums and seals are good"),
        "{:#?}",
        report.checks
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_journal_agrees_with_itself(steps in proptest::collection::vec(step(), 1..120)) {
        let mut play = Play { desk: Desk::in_memory(), names: Vec::new(), requests: 0 };
        play.desk.deposit("A", "5000");
        steps.iter().for_each(|step| play.take(step));
        let events = play.desk.events().to_vec();
        let report = audit(&events);
        prop_assert!(report.is_ok(), "{:#?}", report.checks);
        let mut replica = Replica::new(&capacities(), &HASH_KEY);
        events.iter().for_each(|event| replica.apply(event).unwrap());
        prop_assert_eq!(replica.digest(), desk::digest_of(&play.desk.finish().stages));
    }
}

/// One forged record for each invariant that can be broken by one, and the check that names it. The counters of I12 follow from the
/// same fields as their recount; the test of its module breaks them.
#[test]
fn every_invariant_is_named_by_the_forgery_that_breaks_it() {
    type Forge = fn(&mut Vec<Event>);
    let forgeries: [(&str, &str, Forge); 9] = [
        ("I1", SUMS, |events| {
            let (a, b) = (nth(events, Kind::VenueFill, 0), nth(events, Kind::VenueFill, 2));
            let wallet = events[a].body::<Execution>().wallet;
            events[b].body_mut::<Execution>().wallet = wallet;
        }),
        ("I2", SIGNS, |events| {
            let at = nth(events, Kind::VenueCancelled, 0);
            let body: &mut VenueReport = events[at].body_mut();
            body.view.cash = Money::from_raw(body.view.cash.raw() - i128::from(dec("1000000")));
        }),
        ("I3", FILLS, |events| {
            let (a, b) = (nth(events, Kind::VenueFill, 0), nth(events, Kind::VenueFill, 2));
            let holding = events[a].body::<Execution>().holding;
            events[b].body_mut::<Execution>().holding = holding;
        }),
        ("I4", HELD, |events| {
            let at = nth(events, Kind::OrderNew, 0);
            let body: &mut OrderNew = events[at].body_mut();
            body.view.cash = Money::from_raw(body.view.cash.raw() + 1);
        }),
        ("I5", LOTS, |events| {
            let at = nth(events, Kind::VenueFill, 0);
            let body: &mut Execution = events[at].body_mut();
            body.cost_delta = Money::from_raw(body.cost_delta.raw() + 1);
        }),
        ("I6", MONEY, |events| {
            let at = nth(events, Kind::TradeCapture, 0);
            let body: &mut Execution = events[at].body_mut();
            body.realised = Money::from_raw(body.realised.raw() + 1);
        }),
        ("I7", AMOUNTS, |events| {
            let at = nth(events, Kind::TradeCapture, 0);
            events[at].body_mut::<Execution>().wallet = WalletId(9_999);
        }),
        ("I9", KEYS, |events| {
            let (a, b) = (nth(events, Kind::VenueFill, 0), nth(events, Kind::VenueFill, 1));
            let exec_id = events[a].body::<Execution>().exec_id;
            events[b].body_mut::<Execution>().exec_id = exec_id;
        }),
        ("I11", REPEAT, |events| {
            let at = nth(events, Kind::Deposit, 0);
            events[at].head.outcome = RejectCode::InvalidValue as u16;
        }),
    ];
    assert!(audit(&busy_day()).is_ok());
    for (invariant, name, forge) in forgeries {
        let mut events = busy_day();
        forge(&mut events);
        let report = audit(&events);
        let found = report
            .checks
            .iter()
            .find(|check| check.invariants == invariant)
            .expect("its check");
        assert_eq!(found.name, name);
        assert!(
            !found.ok && found.detail.is_some(),
            "{invariant}: {:#?}",
            report.checks
        );
    }
}

#[test]
fn an_invariant_without_a_subject_is_not_called_proven() {
    let report = audit(&busy_day());
    let without: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| !check.applies)
        .map(|check| check.invariants)
        .collect();
    assert_eq!(without, ["I10"]);
    assert!(
        report
            .checks
            .iter()
            .filter(|check| !check.applies)
            .all(|check| check.detail.is_some())
    );
}

#[test]
fn an_overfill_that_is_not_said_is_found() {
    let mut events = busy_day();
    events[0]
        .body_mut::<tradewind_domain::event::EngineStarted>()
        .rules_version = RULES_VERSION + 1;
    let at = nth(&events, Kind::VenueFill, 0);
    events[at].body_mut::<Execution>().qty += dec("1000000");
    let report = audit(&events);
    assert!(failing(&report).contains(&KEYS), "{:#?}", report.checks);
    assert!(
        detail(&report, KEYS).contains("says nothing"),
        "{}",
        detail(&report, KEYS)
    );
}
