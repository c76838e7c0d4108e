//! Postings of single events and short days, leg by leg.

#[path = "settle_day_tests.rs"]
mod random_days;

use super::*;
use crate::position::Position;
use crate::posting::{Class, LegSpec, Template};
use crate::testing::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradewind_domain::codes::{InstrumentKind, Side};
use tradewind_domain::event::NodeSet;
use tradewind_domain::event::{CashMove, Execution, Head};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;

fn share_row() -> Instrument {
    instrument(0, InstrumentKind::Equity, 2)
}

/// A fill of an order that gives back `released`.
fn fill(of: &Instrument, side: Side, qty: &str, px: &str, fee: &str, released: &str) -> Event {
    let mut event = execution(A, of, side, raw(qty), raw(px), money(fee));
    event.head.kind = Kind::VenueFill as u16;
    event.body_mut::<Execution>().cash_released = money(released);
    event
}

/// "debit>credit amount phase" of every leg.
fn legs(desk: &Desk, event: &Event) -> Vec<String> {
    let name = |account| match account {
        Account::Cash(_) => "CASH",
        Account::Street(_) => "STREET",
        Account::Bank(_) => "BANK",
        Account::Fees(_) => "FEES",
        Account::Sec(_) => "SEC",
        Account::SecStreet(_) => "SECSTREET",
        other => panic!("no event of these tests posts to {other:?}"),
    };
    let line = |leg: Leg| {
        let amount = Money::from_raw(leg.amount as i128);
        format!(
            "{}>{} {} {:?}",
            name(leg.debit),
            name(leg.credit),
            amount,
            leg.phase
        )
    };
    desk.settle.postings(event).legs().map(line).collect()
}

#[test]
fn an_order_filled_in_parts_and_cancelled_leaves_only_what_was_bought() {
    // SETTLEMENT section 2, worked example.
    let of = share_row();
    let mut desk = Desk::new(&[of]);
    let check = |desk: &Desk, settled: &str, reserved: &str, available: &str| {
        let wallet = desk.settle.wallet(wallet(A, USD)).unwrap();
        assert_eq!(
            (wallet.settled, wallet.reserved, wallet.available),
            (money(settled), money(reserved), money(available))
        );
        assert_eq!((wallet.account, wallet.currency), (A, USD));
        assert!(desk.settle.audit().is_sound());
    };
    desk.run(cash_move(Kind::Deposit, A, USD, money("10000")));
    check(&desk, "10000", "0", "10000");
    desk.run(order(A, &of, money("5002.50")));
    check(&desk, "10000", "5002.50", "4997.50");
    desk.run(fill(&of, Side::Buy, "40", "49.99", "0.80", "2001.00"));
    check(&desk, "7999.60", "3001.50", "4998.10");
    desk.run(fill(&of, Side::Buy, "20", "50.00", "0.40", "1000.50"));
    check(&desk, "6999.20", "2001", "4998.20");
    desk.run(report(Kind::VenueCancelled, A, &of, money("-2001")));
    check(&desk, "6999.20", "0", "6999.20");
    assert_eq!(
        desk.settle.custody(holding(A, of.id)).settled,
        NetQty::from_raw(units(60).into())
    );
    let fees = desk.settle.row(Account::Fees(USD)).unwrap();
    assert_eq!(fees.balance(), money("1.20").raw());
}

#[test]
fn legs_of_each_template() {
    let of = share_row();
    let desk = Desk::new(&[of]);
    let check = |event: Event, expected: &[&str]| assert_eq!(legs(&desk, &event), expected);
    check(order(A, &of, money("12.5")), &["CASH>STREET 12.5 Pending"]);
    check(order(A, &of, Money::ZERO), &[]);
    for kind in [
        Kind::VenueReject,
        Kind::VenueCancelled,
        Kind::VenueReplaced,
        Kind::VenueCancelReject,
        Kind::VenueExpired,
        Kind::VenueStatus,
    ] {
        check(report(kind, A, &of, money("-7")), &["CASH>STREET 7 Release"]);
    }
    check(
        fill(&of, Side::Buy, "10", "5", "0.1", "51"),
        &[
            "CASH>STREET 51 Release",
            "CASH>STREET 50 Posted",
            "CASH>FEES 0.1 Posted",
            "SECSTREET>SEC 10 Posted",
        ],
    );
    check(
        fill(&of, Side::SellShort, "10", "5", "0.1", "0"),
        &[
            "STREET>CASH 50 Posted",
            "CASH>FEES 0.1 Posted",
            "SEC>SECSTREET 10 Posted",
        ],
    );
    check(
        cash_move(Kind::Deposit, A, USD, money("3")),
        &["BANK>CASH 3 Posted"],
    );
    check(
        cash_move(Kind::Withdrawal, A, USD, money("3")),
        &["CASH>BANK 3 Posted"],
    );
}

#[test]
fn a_trade_that_settles_later_is_pending_and_its_fee_is_earned_at_once() {
    let of = share_row();
    let desk = Desk::new(&[of]);
    let check = |event: &Event, expected: &[&str]| assert_eq!(legs(&desk, event), expected);
    let bought = dated(fill(&of, Side::Buy, "10", "5", "0.1", "51"), 7);
    let sold = dated(fill(&of, Side::Sell, "10", "5", "0.1", "0"), 7);
    check(
        &bought,
        &[
            "CASH>STREET 51 Release",
            "CASH>STREET 50.1 Unsettled",
            "STREET>FEES 0.1 Posted",
            "SECSTREET>SEC 10 Unsettled",
        ],
    );
    check(
        &sold,
        &[
            "STREET>CASH 49.9 Unsettled",
            "STREET>FEES 0.1 Posted",
            "SEC>SECSTREET 10 Unsettled",
        ],
    );
    check(
        &settlement(&of, &[*bought.body(), *sold.body()]),
        &[
            "CASH>STREET 50.1 Settled",
            "STREET>CASH 49.9 Settled",
            "SECSTREET>SEC 10 Settled",
            "SEC>SECSTREET 10 Settled",
        ],
    );
    let taken = taken_back(&sold, sold.body());
    check(
        &bust(&taken),
        &[
            "STREET>CASH 49.9 Voided",
            "FEES>STREET 0.1 Posted",
            "SEC>SECSTREET 10 Voided",
        ],
    );
    // A fee beyond the proceeds goes out.
    check(
        &correction(&taken, &of, units(1), units(1), money("3")),
        &[
            "STREET>CASH 49.9 Voided",
            "CASH>STREET 2 Unsettled",
            "STREET>FEES 2.9 Posted",
            "SEC>SECSTREET 10 Voided",
            "SEC>SECSTREET 1 Unsettled",
        ],
    );
}

#[test]
fn a_wallet_tells_settled_from_pending_cash_and_a_margin_account_may_use_what_comes_in() {
    // SETTLEMENT section 10, and a sale on top.
    let of = share_row();
    for (kind, available) in [(AccountKind::Cash, "4999"), (AccountKind::Margin, "5998")] {
        let mut desk = Desk::new(&[of]);
        let account = NodeSet {
            account: A,
            kind: kind as u8,
            ..Zeroable::zeroed()
        };
        desk.run(event(Kind::AccountSet, account));
        desk.run(cash_move(Kind::Deposit, A, USD, money("10000")));
        let bought = dated(fill(&of, Side::Buy, "100", "50", "1", "0"), 7);
        desk.run(bought);
        desk.run(dated(fill(&of, Side::Sell, "20", "50", "1", "0"), 8));
        let found = desk.settle.wallet(wallet(A, USD)).unwrap();
        let figures = [found.settled, found.pending_in, found.pending_out, found.reserved];
        assert_eq!(figures, ["10000", "999", "5001", "0"].map(money));
        assert_eq!(found.available, money(available));
        assert_eq!(found.trade_date_balance(), money("5998"));
        assert_eq!(found.withdrawable(), money(available));
        desk.run(settlement(&of, &[*bought.body()]));
        let found = desk.settle.wallet(wallet(A, USD)).unwrap();
        assert_eq!((found.settled, found.pending_out), (money("4999"), Money::ZERO));
        assert_eq!(
            found.withdrawable(),
            money("4999"),
            "what comes in never goes out"
        );
        let custody = desk.settle.custody(holding(A, of.id));
        assert_eq!(custody.settled.raw(), units(100).into());
        assert_eq!(custody.trade_date_qty().raw(), units(80).into());
        assert!(desk.settle.audit().is_sound());
    }
}

#[test]
fn negative_prices_and_rebates_exchange_the_sides() {
    let of = share_row();
    let desk = Desk::new(&[of]);
    let event = fill(&of, Side::Buy, "10", "-5", "-0.1", "0");
    assert_eq!(
        legs(&desk, &event),
        [
            "STREET>CASH 50 Posted",
            "FEES>CASH 0.1 Posted",
            "SECSTREET>SEC 10 Posted"
        ]
    );
}

#[test]
fn a_negative_amount_exchanges_holding_and_release() {
    let parties = Postings::NONE.parties;
    for (template, phase) in [
        (Template::Reserve, Phase::Release),
        (Template::Release, Phase::Pending),
        (Template::Buy, Phase::Pending),
    ] {
        let postings = Postings {
            template: Some(template),
            amounts: [-5, 0, 0, 0, 0, 0],
            parties,
        };
        let legs: Vec<Leg> = postings.legs().collect();
        assert_eq!(legs.len(), 1);
        assert_eq!((legs[0].amount, legs[0].phase), (5, phase), "{}", template.text());
        assert_eq!(
            (legs[0].debit, legs[0].credit),
            (Account::Cash(parties.wallet), Account::Street(parties.currency))
        );
    }
}

#[test]
fn futures_and_inverse_contracts_move_no_principal() {
    for kind in [InstrumentKind::Future, InstrumentKind::Inverse] {
        let of = instrument(0, kind, 8);
        let desk = Desk::new(&[of]);
        let event = fill(&of, Side::Buy, "10", "5", "0.1", "3");
        assert_eq!(
            legs(&desk, &event),
            [
                "CASH>STREET 3 Release",
                "CASH>FEES 0.1 Posted",
                "SECSTREET>SEC 10 Posted"
            ],
            "{kind}"
        );
    }
}

#[test]
fn refused_events_probes_and_market_data_post_nothing() {
    let of = share_row();
    let mut desk = Desk::new(&[of]);
    let before = desk.digest();
    let mut refused = fill(&of, Side::Buy, "10", "5", "0.1", "3");
    refused.reject(RejectCode::DuplicateExecId);
    desk.run(refused);
    let mut refused = cash_move(Kind::Deposit, A, USD, money("3"));
    refused.reject(RejectCode::UnknownAccount);
    desk.run(refused);
    let mut probe = order(A, &of, money("3"));
    probe.head.kind = Kind::Probe as u16;
    desk.run(probe);
    desk.run(quote(&of, 1, 2));
    assert_eq!(desk.digest(), before);
}

#[test]
fn template_numbers_and_lines_are_pinned() {
    // They stand in stored rows: numbers may be added, none may change.
    use Class::*;
    use Phase::*;
    let line = |debit, credit, phase| LegSpec { debit, credit, phase };
    let fill = |principal, securities| {
        vec![
            line(Cash, Street, Release),
            principal,
            line(Cash, Fees, Posted),
            securities,
        ]
    };
    let back = |principal, securities| vec![principal, line(Fees, Cash, Posted), securities];
    let difference = |principal, securities| vec![principal, line(Cash, Fees, Posted), securities];
    let dated_fill = |cash, securities| {
        vec![
            line(Cash, Street, Release),
            cash,
            line(Street, Fees, Posted),
            securities,
        ]
    };
    let void = |cash, securities| vec![cash, line(Fees, Street, Posted), securities];
    let rebook = |cash: (Class, Class), securities: (Class, Class)| {
        vec![
            line(cash.0, cash.1, Voided),
            line(cash.0, cash.1, Unsettled),
            line(Street, Fees, Posted),
            line(securities.0, securities.1, Voided),
            line(securities.0, securities.1, Unsettled),
        ]
    };
    let expected = [
        (1, vec![line(Cash, Street, Pending)]),
        (2, vec![line(Cash, Street, Release)]),
        (3, fill(line(Cash, Street, Posted), line(SecStreet, Sec, Posted))),
        (4, fill(line(Street, Cash, Posted), line(Sec, SecStreet, Posted))),
        (5, vec![line(Bank, Cash, Posted)]),
        (6, vec![line(Cash, Bank, Posted)]),
        (7, back(line(Street, Cash, Posted), line(Sec, SecStreet, Posted))),
        (8, back(line(Cash, Street, Posted), line(SecStreet, Sec, Posted))),
        (
            9,
            difference(line(Cash, Street, Posted), line(SecStreet, Sec, Posted)),
        ),
        (
            10,
            difference(line(Street, Cash, Posted), line(Sec, SecStreet, Posted)),
        ),
        (
            11,
            dated_fill(line(Cash, Street, Unsettled), line(SecStreet, Sec, Unsettled)),
        ),
        (
            12,
            dated_fill(line(Street, Cash, Unsettled), line(Sec, SecStreet, Unsettled)),
        ),
        (
            13,
            vec![
                line(Cash, Street, Settled),
                line(Street, Cash, Settled),
                line(SecStreet, Sec, Settled),
                line(Sec, SecStreet, Settled),
            ],
        ),
        (14, void(line(Cash, Street, Voided), line(SecStreet, Sec, Voided))),
        (15, void(line(Street, Cash, Voided), line(Sec, SecStreet, Voided))),
        (16, rebook((Cash, Street), (SecStreet, Sec))),
        (17, rebook((Street, Cash), (Sec, SecStreet))),
        (
            18,
            vec![line(Cash, FxPool, Posted), line(FxPoolBought, CashBought, Posted)],
        ),
        (19, vec![line(Debited, Credited, Posted)]),
        (20, vec![line(Debited, Credited, Pending)]),
        (
            21,
            vec![line(Debited, Credited, Release), line(Debited, Credited, Posted)],
        ),
        (22, vec![line(Debited, Credited, Release)]),
        (
            23,
            vec![
                line(Street, Cash, Posted),
                line(Cash, Street, Unsettled),
                line(Sec, SecStreet, Posted),
                line(SecStreet, Sec, Unsettled),
            ],
        ),
        (
            24,
            vec![
                line(Cash, Street, Posted),
                line(Street, Cash, Unsettled),
                line(SecStreet, Sec, Posted),
                line(Sec, SecStreet, Unsettled),
            ],
        ),
        (30, vec![line(Street, Cash, Posted), line(SecStreet, Sec, Posted)]),
        (31, vec![line(Div, Cash, Posted), line(Cash, Tax, Posted)]),
        (32, vec![line(Street, Cash, Posted)]),
        (33, vec![line(Street, Cash, Posted)]),
        (34, vec![line(Street, Cash, Posted), line(SecStreet, Sec, Posted)]),
        (
            35,
            vec![
                line(Street, Cash, Posted),
                line(SecStreet, Sec, Posted),
                line(Div, Cash, Posted),
                line(Cash, Tax, Posted),
            ],
        ),
        (36, vec![line(SecStreet, Borrow, Posted)]),
        (
            37,
            vec![
                line(Div, Street, Posted),
                line(Street, Tax, Posted),
                line(Street, Cash, Unsettled),
            ],
        ),
        (
            38,
            vec![
                line(SecStreet, Sec, Unsettled),
                line(Sec, SecStreet, Posted),
                line(Sec, SecStreet, Unsettled),
                line(SecStreet, Sec, Posted),
            ],
        ),
        (
            39,
            vec![
                line(SecStreet, Sec, Voided),
                line(SecStreet, Sec, Posted),
                line(Sec, SecStreet, Voided),
                line(Sec, SecStreet, Posted),
            ],
        ),
    ];
    assert_eq!(expected.len(), Template::ALL.len());
    for (number, lines) in expected {
        let template = Template::from_number(number).unwrap();
        assert_eq!(template as u8, number);
        assert_eq!(template.lines(), lines, "{}", template.text());
    }
    assert_eq!(Template::from_number(0), None);
}

#[test]
fn the_audit_sees_a_wallet_that_serves_two_currencies() {
    let mut desk = Desk::new(&[]);
    desk.run(cash_move(Kind::Deposit, A, USD, money("3")));
    assert!(desk.settle.audit().is_sound());
    let mut wrong = cash_move(Kind::Deposit, A, CurrencyId(1), money("3"));
    wrong.body_mut::<CashMove>().wallet = wallet(A, USD);
    desk.run(wrong);
    assert_eq!(desk.settle.audit().unbalanced, 2);
    assert!(!desk.balanced(Ledger::Currency(USD)));
}

#[test]
fn the_audit_sees_more_released_than_was_held() {
    let of = share_row();
    let mut desk = Desk::new(&[of]);
    desk.run(order(A, &of, money("3")));
    desk.run(report(Kind::VenueExpired, A, &of, money("-3.01")));
    assert_eq!(
        desk.settle.audit(),
        Audit {
            ledgers: 1,
            accounts: 2,
            negative: 2,
            ..Audit::default()
        }
    );
}

#[test]
fn a_leg_without_a_row_is_counted_and_posted_on_neither_side() {
    let mut desk = Desk::new(&[]);
    desk.run(cash_move(Kind::Deposit, A, USD, money("3")));
    let before = desk.settle.audit();
    let mut no_wallet = cash_move(Kind::Deposit, A, USD, money("3"));
    no_wallet.body_mut::<CashMove>().wallet = WalletId::NONE;
    desk.run(no_wallet);
    let mut no_bank = cash_move(Kind::Withdrawal, A, USD, money("2"));
    no_bank.body_mut::<CashMove>().currency = CurrencyId::NONE;
    desk.run(no_bank);
    assert_eq!(
        desk.settle.audit(),
        Audit {
            unposted: 2,
            ..before
        }
    );
    assert_eq!(desk.settle.wallet(wallet(A, USD)).unwrap().settled, money("3"));
}

#[test]
fn tables_grow_when_a_run_begins_with_larger_ones() {
    let small = Capacities {
        wallets: 1,
        holdings: 1,
        instruments: 1,
        ..Capacities::default()
    };
    let mut settle = Settle::new(&small);
    let mut position = Position::new(&small);
    let started = event(
        Kind::EngineStarted,
        EngineStarted {
            capacities: capacities(),
            ..Zeroable::zeroed()
        },
    );
    settle.apply(&started);
    position.apply(&started);
    let of = share_row();
    let mut bought = execution(A, &of, Side::Buy, units(2), units(3), Money::ZERO);
    for event in [&mut instrument_set(of), &mut bought] {
        settle.process(event);
        position.process(event);
    }
    assert_eq!(settle.audit().unposted, 0);
    assert_eq!(settle.wallet(wallet(A, USD)).unwrap().settled, money("-6"));
    assert_eq!(position.position(holding(A, of.id)).unwrap().cost, money("6"));
}
