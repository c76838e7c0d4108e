//! Random days: what holds of the books after each of them, and of events that no stage would have written.

use super::*;

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
