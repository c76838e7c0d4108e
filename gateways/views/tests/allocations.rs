//! Blocks that are allocated: what the pipeline books, what the auditor says of it, and what a replay makes of it.

mod desk;

use desk::{Desk, HASH_KEY, capacities, dec, digest_of, text};
use tradewind_domain::codes::{AccountKind, Level, Side};
use tradewind_domain::event::{Allocation, Event, Execution, Kind, TradeBust, execution_flags};
use tradewind_domain::fixed::Money;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ExecId;
use tradewind_machine::append::VecJournal;
use tradewind_views::{Auditor, Replica};

type Memory = Desk<VecJournal<Event>>;

/// A desk with client accounts C, D and E beside A (cash) and B (margin).
fn desk() -> Memory {
    let mut desk = Desk::in_memory();
    for account in ["C", "D", "E"] {
        desk.node(account, "ORG", Level::Account, Some(AccountKind::Margin));
        desk.deposit(account, "10000");
    }
    desk
}

/// Books a trade of the account and gives its identifier.
fn trade(desk: &mut Memory, account: &str, side: Side, qty: &str, px: &str) -> ExecId {
    desk.trade(account, side, qty, px);
    assert!(!desk.last().is_rejected());
    desk.last().body::<Execution>().exec_id
}

fn outcome(desk: &Memory) -> Option<RejectCode> {
    desk.last().reject_code()
}

/// Quantity, cost and realised profit of an account's position, as decimals.
fn position(replica: &Replica, account: &str) -> (String, String, String) {
    let registry = replica.registry();
    let account = registry.node_named(&text(account)).expect("an account").account;
    let mut positions = replica.positions().positions();
    let row = positions
        .find(|(_, row)| row.account == account)
        .map(|(_, row)| *row);
    row.map_or_else(
        || ["0"; 3].map(str::to_owned).into(),
        |row| {
            (
                row.qty.to_string(),
                row.cost.to_string(),
                row.realised.to_string(),
            )
        },
    )
}

fn cash(replica: &Replica, account: &str) -> Money {
    let account = replica
        .registry()
        .node_named(&text(account))
        .expect("an account")
        .account;
    let mut wallets = replica.settle().wallets();
    let wallet = wallets.find(|(_, wallet)| wallet.account == account);
    wallet.map_or(Money::ZERO, |(_, wallet)| wallet.trade_date_balance())
}

/// The journal agrees with itself, and a replica of it is what the stages were.
fn assert_sound(desk: Memory) -> Replica {
    let events = desk.events().to_vec();
    let mut auditor = Auditor::new(&capacities(), &HASH_KEY);
    events.iter().for_each(|event| auditor.see(event));
    let report = auditor.finish();
    assert!(report.is_ok(), "{:#?}", report.checks);
    let mut replica = Replica::new(&capacities(), &HASH_KEY);
    events
        .iter()
        .for_each(|event| replica.apply(event).expect("a record that follows"));
    assert_eq!(replica.digest(), digest_of(&desk.finish().stages));
    replica
}

#[test]
fn a_block_goes_to_its_clients_at_the_average_price_and_its_account_is_flat() {
    let mut desk = desk();
    desk.deposit("B", "10000");
    let first = trade(&mut desk, "B", Side::Buy, "99", "10");
    let second = trade(&mut desk, "B", Side::Buy, "1", "10.01");
    desk.allocate(
        "AL-1",
        "B",
        &[first, second],
        &[("C", "34"), ("D", "33"), ("E", "33")],
    );
    let events = desk.events();
    let of_group: Vec<&Event> = events.iter().rev().take(5).rev().collect();
    let kinds: Vec<Option<Kind>> = of_group.iter().map(|event| event.kind()).collect();
    assert_eq!(kinds[0], Some(Kind::Allocation));
    assert!(kinds[1..].iter().all(|kind| *kind == Some(Kind::TradeCapture)));
    let block: &Allocation = of_group[0].body();
    assert_eq!(
        (block.principal.to_string(), block.px),
        ("1000.01".to_owned(), dec("10.0001"))
    );
    let legs: Vec<(String, String)> = of_group[1..]
        .iter()
        .map(|leg| leg.body::<Execution>())
        .map(|leg| (leg.principal.to_string(), leg.fee.to_string()))
        .collect();
    let leg = |principal: &str, fee: &str| (principal.to_owned(), fee.to_owned());
    // 0.50 of fees: 0.17, 0.16 and 0.16 by quantity, and what is left to the largest.
    let expected = [
        leg("1000.01", "-0.5"),
        leg("340.01", "0.18"),
        leg("330", "0.16"),
        leg("330", "0.16"),
    ];
    assert_eq!(legs, expected);
    let replica = assert_sound(desk);
    assert_eq!(position(&replica, "B"), ("0".into(), "0".into(), "0".into()));
    assert_eq!(
        position(&replica, "C"),
        ("34".into(), "340.01".into(), "0".into())
    );
    assert_eq!(cash(&replica, "B").to_string(), "10000");
    assert_eq!(cash(&replica, "C").to_string(), "9659.81");
}

#[test]
fn no_counter_of_the_day_sees_an_allocation() {
    let mut desk = desk();
    let exec = trade(&mut desk, "B", Side::Buy, "100", "10");
    desk.allocate("AL-1", "B", &[exec], &[("C", "100")]);
    assert!(desk.last().body::<Execution>().flags & execution_flags::ALLOCATED != 0);
    let replica = assert_sound(desk);
    let limit = replica.limit_check();
    let traded = |code: &str| {
        let node = replica.registry().node_named(&text(code)).expect("a node").node;
        let (_, row) = limit.nodes().find(|(id, _)| *id == node).expect("a row");
        row.flow.today(limit.date(row.calendar)).trades
    };
    assert_eq!((traded("B"), traded("C"), traded("ORG")), (1, 0, 1));
}

#[test]
fn an_allocation_counts_once_and_a_wrong_one_changes_nothing() {
    let mut desk = desk();
    let exec = trade(&mut desk, "B", Side::Buy, "100", "10");
    let other = trade(&mut desk, "B", Side::Sell, "10", "10");
    let foreign = trade(&mut desk, "C", Side::Buy, "100", "10");
    let unknown: ExecId = text("never");
    type Legs<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&[ExecId], Legs<'_>, RejectCode); 10] = [
        (&[exec], &[("C", "99")], RejectCode::AllocationQty),
        (&[exec], &[("C", "101")], RejectCode::AllocationQty),
        (&[exec], &[("C", "50"), ("C", "50")], RejectCode::InvalidValue),
        (&[exec], &[("B", "100")], RejectCode::InvalidValue),
        (&[exec], &[("C", "100.5"), ("D", "-0.5")], RejectCode::InvalidQty),
        (&[exec], &[("C", "99.5"), ("D", "0.5")], RejectCode::InvalidLot),
        (&[exec], &[("nobody", "100")], RejectCode::UnknownAccount),
        (&[unknown], &[("C", "100")], RejectCode::UnknownTrade),
        (&[exec, other], &[("C", "110")], RejectCode::InvalidValue),
        (&[foreign], &[("C", "100")], RejectCode::InvalidValue),
    ];
    for (at, (executions, legs, code)) in cases.into_iter().enumerate() {
        desk.allocate(&format!("AL-{at}"), "B", executions, legs);
        assert_eq!(outcome(&desk), Some(code), "case {at}");
    }
    desk.allocate("AL", "B", &[exec], &[("C", "60"), ("D", "40")]);
    assert_eq!(outcome(&desk), None);
    desk.allocate("AL", "B", &[exec], &[("C", "60"), ("D", "40")]);
    assert_eq!(outcome(&desk), Some(RejectCode::DuplicateExecId));
    desk.allocate("AL-new", "B", &[exec], &[("C", "60"), ("D", "40")]);
    assert_eq!(outcome(&desk), Some(RejectCode::AlreadyAllocated));
    desk.allocate("nothing", "B", &[], &[]);
    assert_eq!(outcome(&desk), Some(RejectCode::UnknownAllocation));
    let replica = assert_sound(desk);
    assert_eq!(position(&replica, "C").0, "160");
    assert_eq!(position(&replica, "B").0, "-10");
}

#[test]
fn an_allocation_is_taken_back_whole_and_the_block_may_be_allocated_anew() {
    let mut desk = desk();
    let exec = trade(&mut desk, "B", Side::Sell, "100", "10");
    desk.allocate("AL-1", "B", &[exec], &[("C", "60"), ("D", "40")]);
    let leg = *desk.last();
    desk.bust(&leg);
    assert_eq!(outcome(&desk), Some(RejectCode::AllocationLeg));
    desk.correct(&leg, "41", "10");
    assert_eq!(outcome(&desk), Some(RejectCode::AllocationLeg));
    desk.allocate("AL-1", "B", &[], &[]);
    let mut busts = desk.events().iter().rev().take(3);
    assert!(
        busts
            .clone()
            .all(|event| event.kind() == Some(Kind::TradeBust) && !event.is_rejected())
    );
    assert_eq!(
        busts.next_back().expect("a bust").body::<TradeBust>().qty,
        dec("100")
    );
    desk.allocate("AL-1", "B", &[], &[]);
    assert_eq!(outcome(&desk), Some(RejectCode::AlreadyBusted));
    desk.allocate("AL-2", "B", &[exec], &[("E", "100")]);
    assert_eq!(outcome(&desk), None);
    let replica = assert_sound(desk);
    let held = ["B", "C", "D", "E"].map(|account| position(&replica, account).0);
    assert_eq!(held, ["0", "0", "0", "-100"]);
}

#[test]
fn a_bust_or_correction_of_an_execution_takes_its_allocation_back_first() {
    let mut desk = desk();
    let first = trade(&mut desk, "B", Side::Buy, "100", "10");
    let booked = *desk.last();
    let second = trade(&mut desk, "B", Side::Buy, "50", "11");
    desk.allocate("AL-1", "B", &[first, second], &[("C", "90"), ("D", "60")]);
    desk.correct(&booked, "80", "10");
    desk.allocate("AL-2", "B", &[first, second], &[("C", "80"), ("D", "50")]);
    assert_eq!(outcome(&desk), None);
    desk.next_day();
    let booked = desk
        .events()
        .iter()
        .find(|event| event.kind() == Some(Kind::TradeCapture))
        .copied();
    desk.bust(&booked.expect("the first trade"));
    let replica = assert_sound(desk);
    let held = ["B", "C", "D"].map(|account| position(&replica, account).0);
    assert_eq!(held, ["50", "0", "0"]);
    assert_eq!(position(&replica, "B").1, "550");
}

#[test]
fn executions_of_several_prices_leave_no_money_with_the_block() {
    let mut desk = desk();
    desk.deposit("B", "10000");
    let prices = ["9.97", "10.01", "10.03"];
    let executions: Vec<ExecId> = prices
        .iter()
        .map(|px| trade(&mut desk, "B", Side::Buy, "7", px))
        .collect();
    desk.allocate("AL-1", "B", &executions, &[("C", "7"), ("D", "7"), ("E", "7")]);
    assert_eq!(outcome(&desk), None);
    let paid: Money = Money::from_raw(
        desk.events()
            .iter()
            .rev()
            .take(3)
            .map(|leg| leg.body::<Execution>().principal.raw())
            .sum(),
    );
    assert_eq!(paid.to_string(), "210.07");
    let replica = assert_sound(desk);
    assert_eq!(cash(&replica, "B").to_string(), "10000");
    assert_eq!(position(&replica, "B").2, "0");
}
