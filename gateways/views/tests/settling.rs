//! Trades and dividends between trade date and settlement: fails, stock borrowed, pay dates, symbols that change; and all of it mixed.

mod desk;
#[path = "settling/random.rs"]
mod random;

use bytemuck::Zeroable;
use desk::{Desk, HASH_KEY, capacities, dec, digest_of, text};
use proptest::prelude::*;
use random::{Play, step};
use tradewind_books::posting::Account;
use tradewind_domain::codes::{AccountKind, CorporateActionKind, Level, Side, TimeInForce};
use tradewind_domain::event::{
    CalendarSet, CorporateAction, DatedSettlement, Event, Execution, HolderAction, InstrumentSet, Kind,
    SettlementFail, SymbolChange,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{CalendarId, HoldingId, InstrumentId, NodeId};
use tradewind_domain::reference::{CalendarDay, Instrument};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ExecId;
use tradewind_domain::time::{NANOS_PER_DAY, NANOS_PER_SEC};
use tradewind_machine::append::VecJournal;
use tradewind_views::{Auditor, Replica};

type Memory = Desk<VecJournal<Event>>;

/// 2026-03-02, a Monday: the desk's first day.
const MONDAY: u32 = 20_514;
const MARKET: CalendarId = CalendarId(1);

/// A desk whose share settles a business day later, at 06:00; with accounts C and D.
fn desk() -> Memory {
    let mut desk = Desk::in_memory();
    let week = [0, 1, 2, 3, 4, 7, 8, 9].map(|days| {
        let date = MONDAY + days;
        let roll_ns = u64::from(date) * NANOS_PER_DAY + 6 * 3_600 * NANOS_PER_SEC;
        CalendarDay {
            roll_ns,
            open_ns: roll_ns,
            close_ns: roll_ns,
            date,
            reserved: 0,
        }
    });
    let calendar = CalendarSet {
        code: text("market"),
        calendar: MARKET,
        count: 8,
        days: week,
        ..CalendarSet::zeroed()
    };
    desk.send(Kind::CalendarSet, &calendar, "", "");
    let row = Instrument {
        symbol: text("ACME"),
        configured_mark: dec("10"),
        settle_days: 1,
        settle_calendar: MARKET,
        id: InstrumentId::NONE,
        ..Instrument::default_linear()
    };
    set_instrument(&mut desk, row);
    for account in ["C", "D"] {
        desk.node(account, "ORG", Level::Account, Some(AccountKind::Margin));
    }
    for account in ["A", "B", "C", "D"] {
        desk.deposit(account, "10000");
    }
    desk
}

fn set_instrument(desk: &mut Memory, row: Instrument) {
    let set = InstrumentSet {
        row,
        currency_code: text("USD"),
        ..InstrumentSet::zeroed()
    };
    desk.send(Kind::InstrumentSet, &set, "", "");
}

fn trade(desk: &mut Memory, account: &str, side: Side, qty: &str, px: &str) -> ExecId {
    desk.trade(account, side, qty, px);
    assert!(!desk.last().is_rejected());
    desk.last().body::<Execution>().exec_id
}

fn fail(desk: &mut Memory, exec_id: ExecId, settle_date: u32) -> Option<RejectCode> {
    let body = SettlementFail {
        exec_id,
        trade_date: MONDAY,
        settle_date,
        ..SettlementFail::zeroed()
    };
    desk.send(Kind::SettlementFail, &body, "", "");
    desk.last().reject_code()
}

fn action(kind: CorporateActionKind, ex_date: u32, pay_date: u32) -> CorporateAction {
    CorporateAction {
        action: kind as u8,
        ex_date,
        pay_date,
        instrument: InstrumentId::NONE,
        holding: HoldingId::NONE,
        node: NodeId::NONE,
        ..CorporateAction::zeroed()
    }
}

fn dividend(desk: &mut Memory, per_unit: &str, ex_date: u32, pay_date: u32) {
    let body = CorporateAction {
        cash_per_unit: Money::from_raw(dec(per_unit).into()),
        withhold_bps: 1_500,
        ..action(CorporateActionKind::CashDividend, ex_date, pay_date)
    };
    desk.send(Kind::CorporateAction, &body, "ACME", "");
}

/// A split at once; fractions are paid at 10.
fn split(desk: &mut Memory, numerator: u32, denominator: u32) {
    let body = CorporateAction {
        cash_per_unit: Money::from_raw(dec("10").into()),
        numerator,
        denominator,
        ..action(CorporateActionKind::Split, 0, 0)
    };
    desk.send(Kind::CorporateAction, &body, "ACME", "");
}

/// Records of a kind, oldest first.
fn of_kind(desk: &Memory, kind: Kind) -> Vec<Event> {
    let events = desk.events().iter();
    events
        .filter(|event| event.kind() == Some(kind) && !event.is_rejected())
        .copied()
        .collect()
}

/// Settled, pending in and pending out of an account.
fn cash(desk: &Memory, account: &str) -> [String; 3] {
    let replica = replica(desk);
    let account = replica
        .registry()
        .node_named(&text(account))
        .expect("an account")
        .account;
    let mut wallets = replica.settle().wallets();
    let (_, wallet) = wallets
        .find(|(_, wallet)| wallet.account == account)
        .expect("a wallet");
    [wallet.settled, wallet.pending_in, wallet.pending_out].map(|money| money.to_string())
}

/// Settled, pending in and pending out of an account's shares.
fn shares(desk: &Memory, account: &str) -> [String; 3] {
    let replica = replica(desk);
    let account = replica
        .registry()
        .node_named(&text(account))
        .expect("an account")
        .account;
    let mut holdings = replica.settle().holdings();
    let holding = holdings.find(|id| replica.settle().holder(*id).is_some_and(|(of, _)| of == account));
    let custody = replica.settle().custody(holding.expect("a holding"));
    [custody.settled, custody.pending_in, custody.pending_out].map(|qty| qty.to_string())
}

fn replica(desk: &Memory) -> Replica {
    let mut replica = Replica::new(&capacities(), &HASH_KEY);
    desk.events()
        .iter()
        .for_each(|event| replica.apply(event).expect("a record that follows"));
    replica
}

/// The journal agrees with itself, and a replica of it is what the stages were.
fn assert_sound(desk: Memory) {
    let mut auditor = Auditor::new(&capacities(), &HASH_KEY);
    desk.events().iter().for_each(|event| auditor.see(event));
    let report = auditor.finish();
    assert!(report.is_ok(), "{:#?}", report.checks);
    let replica = replica(&desk);
    assert_eq!(replica.digest(), digest_of(&desk.finish().stages));
}

#[test]
fn a_trade_that_fails_on_its_date_goes_back_to_pending_and_settles_with_its_new_one() {
    let mut desk = desk();
    let exec_id = trade(&mut desk, "A", Side::Buy, "100", "10");
    desk.next_day();
    assert_eq!(cash(&desk, "A"), ["8999.75", "0", "0"]);
    assert_eq!(fail(&mut desk, exec_id, 0), None);
    let said: SettlementFail = *desk.last().body();
    assert_eq!(
        (said.was_settled, said.settle_date, said.age_days),
        (1, MONDAY + 2, 1)
    );
    assert_eq!(cash(&desk, "A"), ["10000", "0", "1000.25"]);
    assert_eq!(shares(&desk, "A"), ["0", "100", "0"]);
    desk.next_day();
    assert_eq!(cash(&desk, "A"), ["8999.75", "0", "0"]);
    assert_eq!(fail(&mut desk, exec_id, MONDAY + 7), None);
    assert_eq!(desk.last().body::<SettlementFail>().age_days, 4);
    assert_eq!(shares(&desk, "A"), ["0", "100", "0"]);
    assert_sound(desk);
}

#[test]
fn a_trade_that_is_known_to_fail_before_its_date_moves_to_another_one() {
    let mut desk = desk();
    let exec_id = trade(&mut desk, "A", Side::Buy, "100", "10");
    let other = trade(&mut desk, "A", Side::Sell, "40", "11");
    assert_eq!(fail(&mut desk, exec_id, MONDAY + 3), None);
    assert_eq!(desk.last().body::<SettlementFail>().was_settled, 0);
    desk.next_day();
    assert_eq!(shares(&desk, "A"), ["-40", "100", "0"]);
    assert_eq!(
        fail(&mut desk, exec_id, MONDAY + 2),
        Some(RejectCode::InvalidValue)
    );
    assert_eq!(fail(&mut desk, text("never"), 0), Some(RejectCode::UnknownTrade));
    let booked = of_kind(&desk, Kind::TradeCapture)[0];
    desk.bust(&booked);
    assert_eq!(fail(&mut desk, exec_id, 0), Some(RejectCode::AlreadyBusted));
    assert_eq!(shares(&desk, "A"), ["-40", "0", "0"]);
    assert_eq!(fail(&mut desk, other, 0), None);
    assert_sound(desk);
}

#[test]
fn stock_is_borrowed_for_what_is_short_once_it_settles_and_given_back_when_it_is_covered() {
    let mut desk = desk();
    trade(&mut desk, "B", Side::SellShort, "100", "10");
    assert!(
        of_kind(&desk, Kind::StockBorrowed).is_empty(),
        "nothing has been delivered yet"
    );
    desk.next_day();
    trade(&mut desk, "B", Side::Buy, "130", "10");
    let borrowed: HolderAction = *of_kind(&desk, Kind::StockBorrowed)[0].body();
    assert_eq!(borrowed.qty_delta, dec("100"));
    let row = |desk: &Memory| {
        let replica = replica(desk);
        let row = replica.settle().row(Account::Borrow(borrowed.holding)).copied();
        row.expect("a row").balance()
    };
    assert_eq!(row(&desk), dec("100").into());
    assert_eq!(shares(&desk, "B")[0], "-100");
    desk.next_day();
    assert_eq!((row(&desk), shares(&desk, "B")[0].as_str()), (0, "30"));
    assert_sound(desk);
}

#[test]
fn a_dividend_is_pending_from_its_ex_date_and_paid_on_its_pay_date() {
    let mut desk = desk();
    trade(&mut desk, "A", Side::Buy, "100", "10");
    trade(&mut desk, "B", Side::SellShort, "10", "10");
    dividend(&mut desk, "0.333", MONDAY + 1, MONDAY + 3);
    desk.next_day();
    let dividends = of_kind(&desk, Kind::HolderDividend);
    assert!(
        dividends
            .iter()
            .all(|event| event.body::<CorporateAction>().is_due == 1)
    );
    assert_eq!(cash(&desk, "A"), ["8999.75", "28.3", "0"]);
    assert_eq!(cash(&desk, "B"), ["10099.75", "0", "3.33"]);
    desk.next_day();
    assert_eq!(cash(&desk, "A"), ["8999.75", "28.3", "0"]);
    desk.next_day();
    assert_eq!(cash(&desk, "A"), ["9028.05", "0", "0"]);
    assert_eq!(cash(&desk, "B"), ["10096.42", "0", "0"]);
    let paid = of_kind(&desk, Kind::DatedCashSettled);
    assert_eq!(
        paid.last()
            .expect("a payment")
            .body::<DatedSettlement>()
            .settle_date,
        MONDAY + 3
    );
    assert_sound(desk);
}

#[test]
fn a_dividend_without_a_later_pay_date_is_paid_on_its_ex_date() {
    let mut desk = desk();
    trade(&mut desk, "A", Side::Buy, "100", "10");
    dividend(&mut desk, "0.333", 0, 0);
    assert_eq!(cash(&desk, "A"), ["10028.3", "0", "1000.25"]);
    assert_sound(desk);
}

#[test]
fn behind_a_split_what_is_settled_and_what_is_pending_are_in_new_units() {
    let mut desk = desk();
    trade(&mut desk, "A", Side::Buy, "100", "10");
    desk.next_day();
    trade(&mut desk, "A", Side::Buy, "50", "10");
    trade(&mut desk, "A", Side::Sell, "20", "10");
    trade(&mut desk, "B", Side::SellShort, "30", "10");
    assert_eq!(shares(&desk, "A"), ["100", "50", "20"]);
    split(&mut desk, 2, 1);
    assert_eq!(shares(&desk, "A"), ["200", "100", "40"]);
    assert_eq!(shares(&desk, "B"), ["0", "0", "60"]);
    assert_eq!(
        cash(&desk, "A")[1..],
        ["199.75", "500.25"],
        "money is what it was"
    );
    trade(&mut desk, "A", Side::Buy, "1", "5");
    desk.next_day();
    assert_eq!(shares(&desk, "A"), ["261", "0", "0"]);
    assert_eq!(shares(&desk, "B"), ["-60", "0", "0"]);
    let borrowed = of_kind(&desk, Kind::StockBorrowed);
    assert_eq!(borrowed[0].body::<HolderAction>().qty_delta, dec("60"));
    assert_sound(desk);
}

#[test]
fn an_account_that_is_flat_has_its_unsettled_trades_in_new_units_too() {
    let mut desk = desk();
    let bought = trade(&mut desk, "A", Side::Buy, "100", "10");
    trade(&mut desk, "A", Side::Sell, "100", "10");
    split(&mut desk, 3, 1);
    assert_eq!(shares(&desk, "A"), ["0", "300", "300"]);
    assert_eq!(fail(&mut desk, bought, MONDAY + 2), None);
    assert_eq!(desk.last().body::<SettlementFail>().qty, dec("300"));
    desk.next_day();
    assert_eq!(shares(&desk, "A"), ["-300", "300", "0"]);
    desk.next_day();
    assert_eq!(shares(&desk, "A"), ["0", "0", "0"]);
    assert_sound(desk);
}

#[test]
fn trades_that_are_taken_back_behind_a_split_take_their_part_of_what_is_pending() {
    let mut desk = desk();
    trade(&mut desk, "A", Side::Buy, "100", "10");
    trade(&mut desk, "A", Side::Buy, "51", "10");
    split(&mut desk, 1, 3);
    assert_eq!(shares(&desk, "A"), ["0", "50", "0"], "a third is paid in cash");
    let booked = of_kind(&desk, Kind::TradeCapture);
    desk.bust(&booked[1]);
    assert_eq!(shares(&desk, "A"), ["0", "33", "0"]);
    desk.correct(&booked[0], "70", "10");
    assert_eq!(shares(&desk, "A"), ["0", "23", "0"]);
    desk.next_day();
    assert_eq!(shares(&desk, "A"), ["23", "0", "0"]);
    let exec_id = booked[0].body::<Execution>().exec_id;
    assert_eq!(fail(&mut desk, exec_id, 0), None);
    assert_eq!(shares(&desk, "A"), ["0", "23", "0"]);
    desk.next_day();
    desk.bust(&booked[0]);
    assert_eq!(shares(&desk, "A"), ["0", "0", "0"]);
    assert_sound(desk);
}

#[test]
fn what_rounding_at_a_split_leaves_behind_the_last_trade_settles_on_its_date() {
    let mut desk = desk();
    for _ in 0..3 {
        trade(&mut desk, "A", Side::Buy, "1", "10");
    }
    split(&mut desk, 1, 2);
    assert_eq!(shares(&desk, "A"), ["0", "1", "0"]);
    for booked in of_kind(&desk, Kind::TradeCapture) {
        desk.bust(&booked);
    }
    assert_eq!(shares(&desk, "A"), ["-1", "1", "0"]);
    desk.next_day();
    assert_eq!(shares(&desk, "A"), ["0", "0", "0"]);
    assert_sound(desk);
}

#[test]
fn a_block_is_not_allocated_in_other_units_than_it_was_traded_in() {
    let mut desk = desk();
    let bought = trade(&mut desk, "A", Side::Buy, "100", "10");
    split(&mut desk, 2, 1);
    desk.allocate("AL1", "A", &[bought], &[("B", "100")]);
    assert_eq!(desk.last().reject_code(), Some(RejectCode::InvalidValue));
    assert_sound(desk);
}

#[test]
fn an_instrument_keeps_its_positions_under_another_symbol_and_its_orders_are_cancelled() {
    let mut desk = desk();
    trade(&mut desk, "A", Side::Buy, "100", "10");
    desk.order_tif("o1", "A", Side::Buy, "10", "9", TimeInForce::Gtc);
    let rename = |desk: &mut Memory, from: &str, to: &str| {
        let body = SymbolChange {
            symbol: text(to),
            author: text("ops"),
            ..SymbolChange::zeroed()
        };
        desk.send(Kind::SymbolChange, &body, from, "");
    };
    rename(&mut desk, "ACME", "BOLT");
    let group: Vec<Event> = desk.events().iter().rev().take(2).copied().collect();
    assert_eq!(group[1].body::<SymbolChange>().symbol_before, text("ACME"));
    assert_eq!(group[0].kind(), Some(Kind::CancelRequested));
    let named = |desk: &Memory, name: &str| {
        replica(desk)
            .registry()
            .instrument_named(&text(name))
            .map(|row| row.id)
    };
    assert_eq!(named(&desk, "ACME"), Some(InstrumentId(0)));
    assert_eq!(named(&desk, "BOLT"), Some(InstrumentId(0)));
    assert_eq!(replica(&desk).registry().instruments()[0].symbol, text("BOLT"));
    // Old reference data still means the instrument, and does not take the name back.
    let row = Instrument {
        symbol: text("ACME"),
        configured_mark: dec("11"),
        id: InstrumentId::NONE,
        ..Instrument::default_linear()
    };
    set_instrument(&mut desk, row);
    assert_eq!(replica(&desk).registry().instruments()[0].symbol, text("BOLT"));
    rename(&mut desk, "BOLT", "ACME");
    assert!(!desk.last().is_rejected(), "a name that it had is its own");
    for (from, to, code) in [
        ("ACME", "ACME", RejectCode::InvalidValue),
        ("ACME", "", RejectCode::InvalidValue),
        ("NEVER", "ELSE", RejectCode::UnknownSymbol),
    ] {
        rename(&mut desk, from, to);
        assert_eq!(desk.last().reject_code(), Some(code), "{from} to {to}");
    }
    let other = Instrument {
        symbol: text("OTHER"),
        ..row
    };
    set_instrument(&mut desk, other);
    rename(&mut desk, "ACME", "OTHER");
    assert_eq!(desk.last().reject_code(), Some(RejectCode::NameTaken));
    assert_sound(desk);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_between_trade_and_settlement_the_journal_agrees_with_itself(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut play = Play::new();
        steps.iter().for_each(|step| play.take(step));
        assert_sound(play.desk);
    }
}
