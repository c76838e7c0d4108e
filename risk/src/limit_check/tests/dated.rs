//! Settlement dates: what is pending until when, what it may be used for, what settles together.

use super::world::*;
use crate::LimitCheck;
use crate::calendar::calendar_set;
use bytemuck::Zeroable;
use proptest::prelude::*;
use tradewind_domain::codes::{LimitType, Side};
use tradewind_domain::event::{
    Capacities, DatedSettlement, Event, Execution, InstrumentSet, Kind, TradeBust, execution_alerts,
    execution_flags,
};
use tradewind_domain::ids::{AccountId, CalendarId, InstrumentId};
use tradewind_domain::reference::{CalendarDay, Instrument};
use tradewind_domain::text::ExecId;
use tradewind_domain::time::{NANOS_PER_DAY, parse_date};
use tradewind_machine::stage::{Expansion, Stage};

/// The settlement calendar of the market.
const MARKET: CalendarId = CalendarId(1);
/// That of the currency.
const MONEY: CalendarId = CalendarId(2);
/// The world's trading date, a Monday.
const MONDAY: u32 = 20_514;

fn days(calendar: CalendarId, dates: &[u32]) -> tradewind_domain::event::CalendarSet {
    let days: Vec<CalendarDay> = dates
        .iter()
        .map(|&date| {
            let at = u64::from(date) * NANOS_PER_DAY;
            CalendarDay {
                roll_ns: at,
                open_ns: at + 1,
                close_ns: at + 2,
                date,
                reserved: 0,
            }
        })
        .collect();
    calendar_set(calendar, &days)
}

fn list(world: &mut World, id: u32, settle_days: u8) {
    let row = Instrument {
        id: InstrumentId(id),
        settle_days,
        settle_calendar: MARKET,
        cash_calendar: MONEY,
        ..Instrument::default_linear()
    };
    let set = InstrumentSet {
        row,
        ..InstrumentSet::zeroed()
    };
    world.send(Kind::InstrumentSet, &set);
}

/// A world whose first instrument settles on the next business day: Tuesday is closed for the currency, Thursday for the market.
fn world_with(capacities: Capacities) -> World {
    let mut world = World::with(capacities);
    let week = [MONDAY, MONDAY + 1, MONDAY + 2, MONDAY + 4, MONDAY + 7, MONDAY + 8];
    world.send(Kind::CalendarSet, &days(MARKET, &week));
    let week = [MONDAY, MONDAY + 2, MONDAY + 3, MONDAY + 4, MONDAY + 7, MONDAY + 8];
    world.send(Kind::CalendarSet, &days(MONEY, &week));
    list(&mut world, 0, 1);
    world.roll(MARKET, MONDAY);
    world
}

fn world() -> World {
    world_with(Capacities::default())
}

/// Settled, pending in and pending out of an account, in cents.
fn cash(world: &World, account: u32) -> [i128; 3] {
    let cents = |raw: i128| raw / 1_000_000;
    let row = world
        .limit
        .wallets()
        .find(|(_, row)| row.account == AccountId(account));
    let (_, row) = row.expect("a wallet");
    [row.settled_cash(), row.pending_in.raw(), row.pending_out.raw()].map(cents)
}

/// Settlements of the last group: date, cents in and out, trades.
fn settled(world: &World) -> Vec<(u32, i128, i128, u32)> {
    let last = world.records.last().expect("a record").head.seq;
    let group = world.records.iter().filter(|event| event.head.seq == last);
    let settlements = group.filter(|event| event.kind() == Some(Kind::DatedCashSettled));
    let figures = |event: &Event| {
        let body: &DatedSettlement = event.body();
        let cents = |raw: i128| raw / 1_000_000;
        let (cash_in, cash_out) = (cents(body.cash_in.raw()), cents(body.cash_out.raw()));
        (body.settle_date, cash_in, cash_out, body.trades)
    };
    settlements.map(figures).collect()
}

fn bust(world: &mut World, exec_id: &str) -> Event {
    let body = TradeBust {
        exec_ref_id: ExecId::new(exec_id).unwrap(),
        ..TradeBust::zeroed()
    };
    world.send(Kind::TradeBust, &body)
}

#[test]
fn a_trade_is_pending_until_both_calendars_have_had_their_days_and_then_settles() {
    let mut world = world();
    world.deposit(0, "10000");
    let bought = world.trade("T1", S1, Side::Buy, "100", "50");
    let body: &Execution = bought.body();
    // Tuesday is no business day of the currency.
    assert_eq!((body.settle_date, body.settle_calendar), (MONDAY + 2, 1));
    assert_eq!(cash(&world, 0), [1_000_000, 0, 500_000]);
    world.roll(MARKET, MONDAY + 1);
    assert_eq!(settled(&world), []);
    world.roll(MARKET, MONDAY + 2);
    assert_eq!(settled(&world), [(MONDAY + 2, 0, 500_000, 1)]);
    assert_eq!(cash(&world, 0), [500_000, 0, 0]);
    world.roll(MARKET, MONDAY + 4);
    assert_eq!(settled(&world), [], "once");
    assert!(digest(&world.limit) == digest(&world.replica));
    assert_eq!(world.limit.faults(), 0);
}

#[test]
fn a_run_that_was_missed_is_made_up_a_bucket_a_holding_and_date() {
    let mut world = world();
    world.trade("T1", S1, Side::Buy, "10", "10");
    world.trade("T2", S1, Side::Sell, "4", "11");
    world.trade("T3", A2, Side::Buy, "1", "10");
    world.roll(MARKET, MONDAY + 2);
    assert_eq!(
        settled(&world),
        [(MONDAY + 2, 4_400, 10_000, 2), (MONDAY + 2, 0, 1_000, 1)]
    );
    world.roll(CalendarId::UTC, MONDAY + 2);
    world.trade("T4", S1, Side::Buy, "1", "10"); // Thursday is closed: Friday
    world.roll(CalendarId::UTC, MONDAY + 4);
    world.trade("T5", S1, Side::Buy, "2", "10"); // Monday
    world.roll(MARKET, MONDAY + 8);
    assert_eq!(
        settled(&world),
        [(MONDAY + 7, 0, 2_000, 1), (MONDAY + 4, 0, 1_000, 1)],
        "rows are used again the last one freed first"
    );
    assert_eq!(world.limit.unsettled().count(), 0);
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn what_comes_in_buys_in_a_margin_account_alone_and_leaves_the_firm_from_neither() {
    let mut world = world();
    world.limit(0, U1, LimitType::BuyingPower, 0, [0; 6]);
    for (account, leaf) in [(0, S1), (1, A2)] {
        world.trade(&format!("B{account}"), leaf, Side::Buy, "100", "50");
        world.deposit(account, "5000");
    }
    world.roll(MARKET, MONDAY + 2);
    world.roll(CalendarId::UTC, MONDAY + 2);
    for (account, leaf, buys) in [(0, S1, "BUYING_POWER"), (1, A2, "OK")] {
        world.trade(&format!("S{account}"), leaf, Side::Sell, "100", "60");
        assert_eq!(cash(&world, account), [0, 600_000, 0]);
        assert_eq!(
            outcome(&world.place(&format!("o{account}"), leaf, Side::Buy, "1", "10")),
            buys
        );
        assert_eq!(outcome(&world.withdraw(account, "1")), "BUYING_POWER");
    }
    world.roll(MARKET, MONDAY + 4);
    assert_eq!(outcome(&world.place("o3", S1, Side::Buy, "1", "10")), "OK");
    assert_eq!(outcome(&world.withdraw(0, "5990")), "OK");
    assert_eq!(
        outcome(&world.withdraw(1, "5990.01")),
        "BUYING_POWER",
        "10 are held"
    );
    assert_eq!(outcome(&world.withdraw(1, "5990")), "OK");
}

#[test]
fn an_unsettled_trade_is_voided_and_a_settled_one_reversed() {
    let mut world = world();
    world.deposit(0, "1000");
    world.trade("T1", S1, Side::Buy, "10", "10");
    world.trade("T2", S1, Side::Buy, "20", "10");
    let voided = bust(&mut world, "T1").taken_back().unwrap();
    assert_eq!((voided.settle_calendar, voided.settle_date), (1, MONDAY + 2));
    assert_eq!(cash(&world, 0), [100_000, 0, 20_000]);
    world.roll(MARKET, MONDAY + 2);
    assert_eq!(settled(&world), [(MONDAY + 2, 0, 20_000, 1)]);
    let reversed = bust(&mut world, "T2").taken_back().unwrap();
    assert_eq!((reversed.settle_calendar, reversed.settle_date), (0, MONDAY + 2));
    assert_eq!(cash(&world, 0), [100_000, 0, 0]);
    assert_eq!(outcome(&bust(&mut world, "T2")), "ALREADY_BUSTED");
    assert!(digest(&world.limit) == digest(&world.replica));
    assert_eq!(world.limit.faults(), 0);
}

#[test]
fn a_corrected_trade_stays_on_its_date_or_goes_to_the_one_that_is_named() {
    let mut world = world();
    let correct = |world: &mut World, px: &str, date: u32| {
        let body = Execution {
            exec_id: ExecId::new("T1").unwrap(),
            px: dec(px),
            settle_date: date,
            flags: if date == 0 {
                0
            } else {
                execution_flags::HAS_SETTLE_DATE
            },
            account: AccountId::NONE,
            instrument: InstrumentId::NONE,
            ..Execution::zeroed()
        };
        let event = world.send(Kind::TradeCorrect, &body);
        let body: &Execution = event.body();
        (body.settle_date, body.settle_calendar)
    };
    world.trade("T1", S1, Side::Buy, "10", "10");
    assert_eq!(correct(&mut world, "11", 0), (MONDAY + 2, 1));
    assert_eq!(cash(&world, 0), [0, 0, 11_000]);
    assert_eq!(correct(&mut world, "12", MONDAY + 4), (MONDAY + 4, 1));
    let of_the_past = correct(&mut world, "12", MONDAY);
    assert_eq!(of_the_past, (MONDAY + 4, 1), "no date that has settled already");
    world.roll(MARKET, MONDAY + 2);
    assert_eq!(settled(&world), []);
    world.roll(MARKET, MONDAY + 4);
    assert_eq!(settled(&world), [(MONDAY + 4, 0, 12_000, 1)]);
    assert_eq!(correct(&mut world, "13", 0).1, 0);
    assert_eq!(cash(&world, 0), [-13_000, 0, 0]);
    assert_eq!(
        bust(&mut world, "T1").taken_back().unwrap().principal.raw(),
        dec("130").into()
    );
    assert_eq!(cash(&world, 0), [0, 0, 0]);
    assert!(digest(&world.limit) == digest(&world.replica));
    assert_eq!(world.limit.faults(), 0);
}

#[test]
fn days_to_settlement_change_with_the_trade_date_and_a_venues_date_wins() {
    let mut world = world();
    let row = Instrument {
        id: InstrumentId(0),
        settle_days: 2,
        settle_days_later: 0,
        settle_later_from: MONDAY + 2,
        settle_calendar: MARKET,
        ..Instrument::default_linear()
    };
    let set = InstrumentSet {
        row,
        ..InstrumentSet::zeroed()
    };
    world.send(Kind::InstrumentSet, &set);
    let dates = |event: Event| {
        let body: &Execution = event.body();
        (body.settle_date, body.settle_calendar)
    };
    assert_eq!(
        dates(world.trade("T1", S1, Side::Buy, "1", "10")),
        (MONDAY + 2, 1)
    );
    world.roll(CalendarId::UTC, MONDAY + 2);
    assert_eq!(
        dates(world.trade("T2", S1, Side::Buy, "1", "10")),
        (MONDAY + 2, 1)
    );
    world.roll(MARKET, MONDAY + 2);
    assert_eq!(settled(&world), [(MONDAY + 2, 0, 2_000, 2)]);
    assert_eq!(
        dates(world.trade("T3", S1, Side::Buy, "1", "10")),
        (MONDAY + 2, 0),
        "the day's run is over"
    );
    let reported = Execution {
        exec_id: ExecId::new("T4").unwrap(),
        qty: dec("1"),
        px: dec("10"),
        side: Side::Buy as u8,
        leaf: S1,
        account: AccountId(0),
        instrument: InstrumentId(0),
        settle_date: MONDAY + 7,
        flags: execution_flags::HAS_SETTLE_DATE,
        ..Execution::zeroed()
    };
    assert_eq!(dates(world.send(Kind::TradeCapture, &reported)), (MONDAY + 7, 1));
}

#[test]
fn what_finds_no_room_for_its_date_settles_at_once_and_says_so() {
    let mut world = world_with(Capacities {
        unsettled: 1,
        ..Capacities::default()
    });
    world.limit(0, U1, LimitType::BuyingPower, 0, [0; 6]);
    world.trade("T1", S1, Side::Buy, "10", "10");
    let early = world.trade("T2", A2, Side::Buy, "10", "10");
    let body: &Execution = early.body();
    assert_eq!(
        (body.settle_calendar, body.alerts),
        (0, execution_alerts::SETTLED_EARLY)
    );
    assert_eq!(cash(&world, 1), [-10_000, 0, 0]);
    let same_date = world.trade("T3", S1, Side::Buy, "1", "10");
    assert_eq!(same_date.body::<Execution>().settle_calendar, 1);
    // Proceeds of a sale without a date come with the next day.
    let sold = world.trade("T4", A2, Side::Sell, "30", "10");
    assert_eq!(sold.body::<Execution>().alerts, execution_alerts::SETTLED_EARLY);
    assert_eq!(
        outcome(&world.place("o1", A2, Side::Buy, "1", "10")),
        "BUYING_POWER"
    );
    world.roll(CalendarId::UTC, MONDAY + 1);
    assert_eq!(outcome(&world.place("o2", A2, Side::Buy, "1", "10")), "OK");
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn a_settlement_that_overdraws_a_cash_account_says_so() {
    let mut world = world();
    world.deposit(0, "100");
    world.trade("T1", S1, Side::Buy, "20", "10");
    list(&mut world, 0, 2);
    world.trade("T2", S1, Side::Sell, "20", "10");
    world.roll(MARKET, MONDAY + 2);
    let alerts = |world: &World| world.records.last().unwrap().body::<DatedSettlement>().alerts;
    assert_eq!(alerts(&world), execution_alerts::OVERDRAFT);
    assert_eq!(cash(&world, 0), [-10_000, 20_000, 0]);
    world.roll(MARKET, MONDAY + 4);
    assert_eq!(alerts(&world), 0);
}

/// A limit check that applied the records and makes the rest of the last group itself.
fn finished(records: &[Event], capacities: &Capacities) -> (LimitCheck, Vec<Event>) {
    let mut limit = LimitCheck::new(capacities, b"0123456789abcdef");
    records.iter().for_each(|event| limit.apply(event));
    let (mut rest, mut effect) = (Vec::new(), Event::empty());
    loop {
        match limit.expand(&mut effect) {
            Expansion::Done => return (limit, rest),
            Expansion::Busy => {}
            Expansion::Produced => rest.push(effect),
        }
    }
}

#[test]
fn a_settlement_that_a_crash_cut_off_goes_on_where_it_stood() {
    let mut world = world();
    for at in 0..6 {
        let leaf = if at % 2 == 0 { S1 } else { A2 };
        list(&mut world, at % 2, 1 + at as u8 % 3);
        let trade = Execution {
            exec_id: ExecId::new(format!("T{at}")).unwrap(),
            qty: dec("1"),
            px: dec("10"),
            side: Side::Buy as u8,
            leaf,
            account: AccountId(at % 2),
            instrument: InstrumentId(at % 2),
            ..Execution::zeroed()
        };
        world.send(Kind::TradeCapture, &trade);
    }
    world.roll(MARKET, MONDAY + 8);
    let group: Vec<usize> = (0..world.records.len())
        .filter(|&at| world.records[at].head.seq == world.records.last().unwrap().head.seq)
        .collect();
    assert!(group.len() > 4, "{} records", group.len());
    for &cut in &group[1..] {
        let (limit, rest) = finished(&world.records[..cut], &Capacities::default());
        let bodies = |events: &[Event]| {
            events
                .iter()
                .map(|event| event.body_bytes().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(bodies(&rest), bodies(&world.records[cut..]), "cut at {cut}");
        assert!(digest(&limit) == digest(&world.limit), "cut at {cut}");
    }
}

/// A step of a random week.
#[derive(Clone, Copy, Debug)]
enum Step {
    Trade {
        margin: bool,
        buys: bool,
        qty: i64,
        days: u8,
        fee: i64,
    },
    TakeBack {
        nth: usize,
        corrects: bool,
        px: i64,
    },
    Day,
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let trade = (any::<bool>(), any::<bool>(), 1i64..50, 0u8..4, -2i64..3).prop_map(
        |(margin, buys, qty, days, fee)| Step::Trade {
            margin,
            buys,
            qty,
            days,
            fee,
        },
    );
    let take_back = (0usize..32, any::<bool>(), 1i64..30).prop_map(|(nth, corrects, px)| Step::TakeBack {
        nth,
        corrects,
        px,
    });
    let step = prop_oneof![5 => trade, 2 => take_back, 1 => Just(Step::Day), 1 => Just(Step::Settle)];
    prop::collection::vec(step, 1..60)
}

fn play(steps: &[Step], capacities: Capacities) -> World {
    let mut world = world_with(capacities);
    let (mut trades, mut today, mut run) = (0, MONDAY, MONDAY);
    for step in steps {
        match *step {
            Step::Trade {
                margin,
                buys,
                qty,
                days,
                fee,
            } => {
                list(&mut world, 0, days);
                let trade = Execution {
                    exec_id: ExecId::new(format!("T{trades}")).unwrap(),
                    qty: qty * dec("1"),
                    px: dec("10"),
                    fee: tradewind_domain::fixed::Money::from_raw(i128::from(fee * dec("1"))),
                    flags: execution_flags::HAS_FEE,
                    side: if buys { Side::Buy } else { Side::Sell } as u8,
                    leaf: if margin { A2 } else { S1 },
                    account: AccountId(margin.into()),
                    instrument: InstrumentId(0),
                    trade_date: MONDAY,
                    ..Execution::zeroed()
                };
                world.send(Kind::TradeCapture, &trade);
                trades += 1;
            }
            Step::TakeBack { .. } if trades == 0 => {}
            Step::TakeBack { nth, corrects, px } => {
                let exec_id = ExecId::new(format!("T{}", nth % trades)).unwrap();
                if corrects {
                    let body = Execution {
                        exec_id,
                        px: px * dec("1"),
                        trade_date: MONDAY,
                        account: AccountId::NONE,
                        instrument: InstrumentId::NONE,
                        ..Execution::zeroed()
                    };
                    world.send(Kind::TradeCorrect, &body);
                } else {
                    let body = TradeBust {
                        exec_ref_id: exec_id,
                        trade_date: MONDAY,
                        ..TradeBust::zeroed()
                    };
                    world.send(Kind::TradeBust, &body);
                }
            }
            Step::Day => {
                today += 1;
                world.roll(CalendarId::UTC, today);
            }
            Step::Settle => {
                run += 1;
                world.roll(MARKET, run);
            }
        }
    }
    world
}

/// `parse_date` and the world agree on the day of the week that the tests speak of.
#[test]
fn the_worlds_first_day_is_a_monday() {
    assert_eq!(parse_date("2026-03-02"), Some(MONDAY));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pending_cash_is_the_sum_over_dates_and_nothing_is_overdue(steps in steps(), room in 1u32..6) {
        let world = play(&steps, Capacities { unsettled: room, ..Capacities::default() });
        let run = world.limit.date(MARKET);
        for (id, row) in world.limit.wallets() {
            let sum = |of: fn(&crate::dated::Bucket) -> i128| {
                world.limit.unsettled().filter(|bucket| bucket.wallet == id).map(of).sum::<i128>()
            };
            prop_assert_eq!(row.pending_in.raw(), sum(|bucket| bucket.amounts.cash_in.raw()));
            prop_assert_eq!(row.pending_out.raw(), sum(|bucket| bucket.amounts.cash_out.raw()));
        }
        prop_assert!(world.limit.unsettled().all(|bucket| bucket.date > run && bucket.trades > 0));
        prop_assert!(world.limit.unsettled().count() <= room as usize);
        prop_assert!(digest(&world.limit) == digest(&world.replica));
        prop_assert_eq!(world.limit.faults(), 0);
    }
}
