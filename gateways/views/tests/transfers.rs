//! Transfers between accounts of the firm: what the books make of them, and what is refused.

mod desk;

use bytemuck::Zeroable;
use desk::{Desk, HASH_KEY, capacities, dec, digest_of, text};
use proptest::prelude::*;
use tradewind_books::posting::Account;
use tradewind_domain::codes::TransferPhase;
use tradewind_domain::event::{Event, Kind, LedgerTransfer};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{CurrencyId, InstrumentId};
use tradewind_domain::reject::RejectCode;
use tradewind_machine::append::VecJournal;
use tradewind_views::{Auditor, Replica, VerifyReport};

type Memory = Desk<VecJournal<Event>>;

const USD: CurrencyId = CurrencyId(0);
const ACME: InstrumentId = InstrumentId(0);

fn transfer(desk: &mut Memory, id: &str, phase: TransferPhase, accounts: (&str, &str), amount: &str) {
    let body = LedgerTransfer {
        transfer_id: text(id),
        phase: phase as u8,
        debit: text(accounts.0),
        credit: text(accounts.1),
        amount: Money::from_raw(dec(amount).into()),
        ..LedgerTransfer::zeroed()
    };
    desk.send_with_tail(Kind::LedgerTransfer, &body, "", "", b"found by the month's end");
}

fn audit(events: &[Event]) -> VerifyReport {
    let mut auditor = Auditor::new(&capacities(), &HASH_KEY);
    events.iter().for_each(|event| auditor.see(event));
    auditor.finish()
}

/// The journal agrees with itself, and a replica of it is what the stages were.
fn assert_sound(desk: Memory) -> (Replica, VerifyReport) {
    let events = desk.events().to_vec();
    let report = audit(&events);
    assert!(report.is_ok(), "{:#?}", report.checks);
    let mut replica = Replica::new(&capacities(), &HASH_KEY);
    events
        .iter()
        .for_each(|event| replica.apply(event).expect("a record that follows"));
    assert_eq!(replica.digest(), digest_of(&desk.finish().stages));
    (replica, report)
}

fn balance(replica: &Replica, account: Account) -> String {
    let row = replica.settle().row(account).expect("a row");
    Money::from_raw(row.balance()).to_string()
}

#[test]
fn a_transfer_is_booked_and_what_is_in_suspense_is_itemised() {
    let mut desk = Desk::in_memory();
    transfer(
        &mut desk,
        "T1",
        TransferPhase::Posted,
        ("STREET:USD", "SUSPENSE:USD"),
        "0.01",
    );
    transfer(
        &mut desk,
        "T2",
        TransferPhase::Posted,
        ("SUSPENSE:ACME", "SECSTREET:ACME"),
        "3",
    );
    transfer(
        &mut desk,
        "T3",
        TransferPhase::Posted,
        ("FEES:USD", "BANK:USD"),
        "12.50",
    );
    assert!(!desk.last().is_rejected());
    let (replica, report) = assert_sound(desk);
    assert_eq!(balance(&replica, Account::Suspense(USD)), "0.01");
    assert_eq!(balance(&replica, Account::SuspenseSec(ACME)), "-3");
    assert_eq!(balance(&replica, Account::Bank(USD)), "12.5");
    let check = report
        .checks
        .iter()
        .find(|check| check.invariants == "I10")
        .expect("its check");
    assert!(
        check.applies && check.figure.starts_with("2 suspense accounts open with 2 items"),
        "{check:?}"
    );
}

#[test]
fn what_is_pending_is_posted_in_part_or_voided_and_resolves_once() {
    let mut desk = Desk::in_memory();
    let accounts = ("STREET:USD", "BANK:USD");
    transfer(&mut desk, "P1", TransferPhase::Pending, accounts, "100");
    transfer(&mut desk, "P2", TransferPhase::Pending, accounts, "50");
    transfer(&mut desk, "P3", TransferPhase::Pending, accounts, "7");
    transfer(&mut desk, "P1", TransferPhase::Post, ("", ""), "100.01");
    assert_eq!(desk.last().reject_code(), Some(RejectCode::ExceedsPendingAmount));
    transfer(&mut desk, "P1", TransferPhase::Post, ("", ""), "60");
    transfer(&mut desk, "P2", TransferPhase::Void, ("", ""), "0");
    assert!(!desk.last().is_rejected());
    for (id, phase, code) in [
        ("P1", TransferPhase::Post, RejectCode::PendingAlreadyPosted),
        ("P1", TransferPhase::Void, RejectCode::PendingAlreadyPosted),
        ("P2", TransferPhase::Post, RejectCode::PendingAlreadyVoided),
        ("P9", TransferPhase::Void, RejectCode::PendingNotFound),
    ] {
        transfer(&mut desk, id, phase, ("", ""), "0");
        assert_eq!(desk.last().reject_code(), Some(code), "{id} {phase}");
    }
    let (replica, _) = assert_sound(desk);
    let bank = replica.settle().row(Account::Bank(USD)).expect("a row");
    assert_eq!(
        (bank.credits_posted, bank.credits_pending),
        (dec("60").into(), dec("7").into())
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_its_reason() {
    let mut desk = Desk::in_memory();
    let posted = TransferPhase::Posted;
    for (accounts, amount, code) in [
        (("STREET:EUR", "BANK:EUR"), "1", RejectCode::UnknownLedgerAccount),
        (("CASH:A:USD", "BANK:USD"), "1", RejectCode::UnknownLedgerAccount),
        (("STREET", "BANK:USD"), "1", RejectCode::UnknownLedgerAccount),
        (("STREET:USD", "SUSPENSE:ACME"), "1", RejectCode::LedgerMismatch),
        (("STREET:USD", "STREET:USD"), "1", RejectCode::SameAccount),
        (("STREET:USD", "BANK:USD"), "0", RejectCode::InvalidValue),
        (("STREET:USD", "BANK:USD"), "-1", RejectCode::InvalidValue),
        (("STREET:USD", "BANK:USD"), "0.001", RejectCode::InvalidValue),
    ] {
        transfer(&mut desk, "T1", posted, accounts, amount);
        assert_eq!(desk.last().reject_code(), Some(code), "{accounts:?} {amount}");
    }
    // An identifier that was refused may be used; one that was booked counts once.
    transfer(&mut desk, "T1", posted, ("STREET:USD", "BANK:USD"), "1");
    assert!(!desk.last().is_rejected());
    transfer(&mut desk, "T1", posted, ("STREET:USD", "BANK:USD"), "1");
    assert_eq!(desk.last().reject_code(), Some(RejectCode::DuplicateExecId));
    assert_sound(desk);
}

#[test]
fn money_in_suspense_that_no_record_explains_is_found() {
    let mut desk = Desk::in_memory();
    transfer(
        &mut desk,
        "T1",
        TransferPhase::Posted,
        ("STREET:USD", "SUSPENSE:USD"),
        "5",
    );
    transfer(
        &mut desk,
        "T2",
        TransferPhase::Posted,
        ("STREET:USD", "SUSPENSE:USD"),
        "6",
    );
    let mut events = desk.events().to_vec();
    let at = events
        .iter()
        .position(|event| event.kind() == Some(Kind::LedgerTransfer))
        .expect("a transfer");
    // Booked by the postings, and by its phase nothing that was booked.
    let body: &mut LedgerTransfer = events[at].body_mut();
    body.phase = TransferPhase::Void as u8;
    let mut facts = events[at].transfer_facts().expect("facts");
    facts.released = Money::from_raw(-facts.amount.raw());
    events[at].set_transfer_facts(&facts);
    assert!(!audit(&events).is_ok());
}

const ACCOUNTS: [&str; 5] = [
    "STREET:USD",
    "BANK:USD",
    "SUSPENSE:USD",
    "SUSPENSE:ACME",
    "SECSTREET:ACME",
];
const PHASES: [TransferPhase; 4] = [
    TransferPhase::Posted,
    TransferPhase::Pending,
    TransferPhase::Post,
    TransferPhase::Void,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_transferred_the_books_balance_and_a_replay_agrees(
        steps in proptest::collection::vec((0..6u8, 0..4usize, 0..5usize, 0..5usize, 0..200u16), 1..60),
    ) {
        let mut desk = Desk::in_memory();
        for (id, phase, debit, credit, cents) in steps {
            let amount = format!("{}.{:02}", cents / 100, cents % 100);
            let accounts = (ACCOUNTS[debit], ACCOUNTS[credit]);
            transfer(&mut desk, &format!("T{id}"), PHASES[phase], accounts, &amount);
        }
        assert_sound(desk);
    }
}
