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

/// One step of a random day.
#[derive(Clone, Copy, Debug)]
enum Step {
    Pay {
        account: u32,
        currency: u16,
        cents: i64,
        out: bool,
    },
    Reserve {
        account: u32,
        instrument: usize,
        cents: i64,
    },
    Release {
        nth: usize,
    },
    TakeBack {
        nth: usize,
        corrects: bool,
        qty: i64,
        px: i64,
    },
    Trade {
        account: u32,
        instrument: usize,
        side: Side,
        qty: i64,
        px: i64,
        fee: i64,
        refused: bool,
        /// Settlement date; 0 settles at once.
        date: u32,
    },
    Settle {
        date: u32,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let account = 0..ACCOUNTS;
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell), Just(Side::SellShort)];
    let pay = (
        account.clone(),
        0..CURRENCIES as u16,
        1i64..1_000_000,
        any::<bool>(),
    )
        .prop_map(|(account, currency, cents, out)| Step::Pay {
            account,
            currency,
            cents,
            out,
        });
    let reserve = (account.clone(), 0usize..4, 1i64..1_000_000).prop_map(|(account, instrument, cents)| {
        Step::Reserve {
            account,
            instrument,
            cents,
        }
    });
    let release = (0usize..64).prop_map(|nth| Step::Release { nth });
    let trade = (
        account,
        0usize..4,
        side,
        1i64..1_000_000,
        -500i64..10_000,
        -50i64..50,
        any::<bool>(),
        0u32..4,
    )
        .prop_map(
            |(account, instrument, side, qty, px, fee, refused, date)| Step::Trade {
                account,
                instrument,
                side,
                qty,
                px,
                fee,
                refused,
                date,
            },
        );
    let settle = (1u32..4).prop_map(|date| Step::Settle { date });
    let take_back =
        (0usize..64, any::<bool>(), 1i64..1_000_000, -500i64..10_000).prop_map(|(nth, corrects, qty, px)| {
            Step::TakeBack {
                nth,
                corrects,
                qty,
                px,
            }
        });
    prop::collection::vec(
        prop_oneof![pay, reserve, release, trade, take_back, settle],
        1..120,
    )
}

fn instruments() -> [Instrument; 4] {
    [
        share_row(),
        instrument(1, InstrumentKind::Future, 2),
        instrument(2, InstrumentKind::Crypto, 8),
        instrument(3, InstrumentKind::Binary, 0),
    ]
}

const CENT: i128 = 1_000_000;

/// Settles what is due among the live trades, a bucket an event.
fn settle_due(desk: &mut Desk, live: &mut [(Event, Execution)], date: u32) {
    let rows = instruments();
    let mut buckets: BTreeMap<_, Vec<Execution>> = BTreeMap::new();
    for (_, version) in live.iter_mut() {
        if version.settle_calendar != 0 && version.settle_date <= date {
            let bucket = buckets.entry((version.holding, version.settle_date)).or_default();
            bucket.push(*version);
            version.settle_calendar = 0;
        }
    }
    for trades in buckets.values() {
        let event = settlement(&rows[trades[0].instrument.index()], trades);
        desk.run(event);
    }
}

/// A random day: the desk after it, what each wallet's open orders hold, and the trades that count.
struct Day {
    desk: Desk,
    open: Vec<(WalletId, i128)>,
    live: Vec<Execution>,
}

fn run_day(steps: &[Step]) -> Day {
    let rows = instruments();
    let mut desk = Desk::new(&rows);
    let mut open: Vec<(u32, usize, i128)> = Vec::new();
    let mut live: Vec<(Event, Execution)> = Vec::new();
    for step in steps {
        match *step {
            Step::Pay {
                account,
                currency,
                cents,
                out,
            } => {
                let kind = if out { Kind::Withdrawal } else { Kind::Deposit };
                let amount = Money::from_raw(i128::from(cents) * CENT);
                desk.run(cash_move(kind, AccountId(account), CurrencyId(currency), amount));
            }
            Step::Reserve {
                account,
                instrument,
                cents,
            } => {
                let held = i128::from(cents) * CENT;
                desk.run(order(
                    AccountId(account),
                    &rows[instrument],
                    Money::from_raw(held),
                ));
                open.push((account, instrument, held));
            }
            Step::Release { nth } if !open.is_empty() => {
                let (account, instrument, held) = open.swap_remove(nth % open.len());
                let kind = if nth % 2 == 0 {
                    Kind::VenueCancelled
                } else {
                    Kind::VenueReject
                };
                desk.run(report(
                    kind,
                    AccountId(account),
                    &rows[instrument],
                    Money::from_raw(-held),
                ));
            }
            Step::Release { .. } => {}
            Step::TakeBack { .. } if live.is_empty() => {}
            Step::TakeBack {
                nth,
                corrects,
                qty,
                px,
            } => {
                let at = nth % live.len();
                let (trade, version) = live[at];
                let (taken, of) = (taken_back(&trade, &version), &rows[version.instrument.index()]);
                if corrects {
                    let fee = Money::from_raw(version.fee.raw() + CENT);
                    desk.run(correction(&taken, of, qty * 10_000, px * 1_000_000, fee));
                    live[at].1 = *desk.last();
                } else {
                    live.swap_remove(at);
                    desk.run(bust(&taken));
                }
            }
            Step::Trade {
                account,
                instrument,
                side,
                qty,
                px,
                fee,
                refused,
                date,
            } => {
                let fee = Money::from_raw(i128::from(fee) * CENT);
                let (qty, px) = (qty * 10_000, px * 1_000_000);
                let mut event = execution(AccountId(account), &rows[instrument], side, qty, px, fee);
                if date != 0 {
                    event = dated(event, date);
                }
                if refused {
                    event.reject(RejectCode::DuplicateExecId);
                }
                desk.run(event);
                if !refused {
                    live.push((*desk.journal.last().unwrap(), *desk.last()));
                }
            }
            Step::Settle { date } => settle_due(&mut desk, &mut live, date),
        }
    }
    let held = open
        .iter()
        .map(|(account, instrument, held)| (wallet(AccountId(*account), rows[*instrument].currency), *held));
    Day {
        desk,
        open: held.collect(),
        live: live.into_iter().map(|(_, version)| version).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn books_stay_balanced_and_reservations_are_those_of_open_orders(steps in steps()) {
        let Day { desk, open, .. } = run_day(&steps);
        let audit = desk.settle.audit();
        prop_assert!(audit.is_sound(), "{:?}", audit);
        for (id, wallet) in desk.settle.wallets() {
            let expected: i128 = open.iter().filter(|(owner, _)| *owner == id).map(|(_, held)| held).sum();
            prop_assert_eq!(wallet.reserved.raw(), expected);
        }
    }

    #[test]
    fn securities_equal_positions_and_cash_flow_equals_their_profit(steps in steps()) {
        let Day { desk, .. } = run_day(&steps);
        for (id, row) in desk.position.positions() {
            prop_assert_eq!(desk.settle.custody(id).trade_date_qty(), row.qty);
        }
        for (id, wallet) in desk.settle.wallets() {
            // The test has one instrument per currency, so the wallet's holding is the one with the same number.
            let row = desk.position.position(HoldingId(id.0));
            let trades = row.filter(|row| instruments()[row.instrument.index()].moves_principal()).map_or(0, |row| {
                row.realised.raw() - row.qty.raw().signum() * row.cost.raw()
            });
            let payments: i128 = desk.journal.iter().filter(|event| !event.is_rejected()).map(|event| {
                let sign = match event.kind() { Some(Kind::Deposit) => 1, Some(Kind::Withdrawal) => -1, _ => return 0 };
                let body: &CashMove = event.body();
                if body.wallet == id { sign * body.amount.raw() } else { 0 }
            }).sum();
            prop_assert_eq!(wallet.trade_date_balance().raw(), payments + trades - row.map_or(0, |row| row.fees.raw()));
        }
    }

    #[test]
    fn what_is_pending_is_the_sum_of_the_trades_that_have_not_settled(steps in steps()) {
        let Day { desk, live, .. } = run_day(&steps);
        for (id, wallet) in desk.settle.wallets() {
            let unsettled: Vec<&Execution> =
                live.iter().filter(|trade| trade.wallet == id && trade.settle_calendar != 0).collect();
            let net = |trade: &&Execution| {
                let sign = Side::from_code(trade.side).unwrap().sign();
                let moves = instruments()[trade.instrument.index()].moves_principal();
                -sign * i128::from(moves) * trade.principal.raw() - trade.fee.raw()
            };
            let cash: Vec<i128> = unsettled.iter().map(net).collect();
            prop_assert_eq!(wallet.pending_in.raw(), cash.iter().filter(|&&cash| cash > 0).sum::<i128>());
            prop_assert_eq!(wallet.pending_out.raw(), -cash.iter().filter(|&&cash| cash < 0).sum::<i128>());
            let custody = desk.settle.custody(HoldingId(id.0));
            let qty: i128 = unsettled.iter().map(|trade| i128::from(trade.qty)).sum();
            prop_assert_eq!(custody.pending_in.raw() + custody.pending_out.raw(), qty);
        }
    }

    #[test]
    fn applying_the_records_rebuilds_the_state(steps in steps()) {
        let Day { desk, .. } = run_day(&steps);
        prop_assert_eq!(desk.replayed().digest(), desk.digest());
    }

    #[test]
    fn legs_of_any_bytes_move_one_amount_within_one_ledger(kind in 0u16..200, bytes in prop::collection::vec(any::<u8>(), 448)) {
        let Some(kind) = Kind::from_number(kind) else { return Ok(()) };
        let head = Head { kind: kind as u16, ..Head::default() };
        let mut record = bytemuck::bytes_of(&head).to_vec();
        record.extend_from_slice(&bytes[..kind.body_len()]);
        let mut event = Event::empty();
        event.read_record(&record).unwrap();
        for moves_principal in [false, true] {
            for leg in postings(&event, moves_principal).legs() {
                prop_assert!(leg.amount > 0);
                prop_assert_ne!(leg.debit, leg.credit);
                let counts_units = |account| Account::is_quantity(account);
                prop_assert_eq!(counts_units(leg.debit), counts_units(leg.credit));
                prop_assert_eq!(counts_units(leg.debit), matches!(leg.ledger, Ledger::Instrument(_)));
            }
        }
    }

    #[test]
    fn no_amount_stops_the_stages(amounts in prop::collection::vec((any::<i128>(), any::<i128>(), any::<i128>(), any::<i64>(), 0u8..7), 1..40)) {
        let rows = instruments();
        let mut desk = Desk::new(&rows);
        for (principal, fee, released, qty, side) in amounts {
            let mut event = execution(A, &rows[0], Side::Buy, 1, 1, Money::from_raw(fee));
            let body: &mut Execution = event.body_mut();
            body.principal = Money::from_raw(principal);
            body.cash_released = Money::from_raw(released);
            body.qty = qty;
            body.side = side;
            desk.run(event);
            desk.run(cash_move(Kind::Deposit, A, USD, Money::from_raw(principal)));
            desk.run(order(A, &rows[0], Money::from_raw(released)));
        }
        prop_assert_eq!(desk.settle.audit().unbalanced, 0);
        prop_assert_eq!(desk.settle.audit().drifted, 0);
        prop_assert_eq!(desk.replayed().digest(), desk.digest());
        desk.position.account_totals(A, USD);
    }
}
