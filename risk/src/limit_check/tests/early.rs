//! Busts and corrections that come before their trade, and corrections that a person has to let through.

use super::world::{A1, A2, S1, World, dec, digest, id, outcome};
use crate::LimitCheck;
use bytemuck::Zeroable;
use tradewind_domain::codes::{LimitType, QuarantineAction, Side};
use tradewind_domain::event::{
    Capacities, Event, Execution, Kind, QuarantineResolve, TradeBust, execution_alerts, head_flags,
};
use tradewind_domain::fixed::NOTIONAL_ONE;
use tradewind_domain::ids::{AccountId, CalendarId, InstrumentId, NodeId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::{Code, ExecId};
use tradewind_machine::stage::{Expansion, Stage as _};

const DAY: u32 = 20_514;

fn bust_on(world: &mut World, exec_id: &str, trade_date: u32) -> Event {
    let body = TradeBust {
        exec_id: ExecId::new("B").unwrap(),
        exec_ref_id: ExecId::new(exec_id).unwrap(),
        trade_date,
        ..TradeBust::zeroed()
    };
    world.send(Kind::TradeBust, &body)
}

fn correct_as(world: &mut World, exec_id: &str, qty: &str, px: &str, side: u8) -> Event {
    let body = Execution {
        exec_id: ExecId::new(exec_id).unwrap(),
        qty: dec(qty),
        px: dec(px),
        side,
        trade_date: DAY,
        leaf: NodeId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..Execution::zeroed()
    };
    world.send(Kind::TradeCorrect, &body)
}

fn correct(world: &mut World, exec_id: &str, qty: &str, px: &str) -> Event {
    correct_as(world, exec_id, qty, px, 0)
}

fn resolve(world: &mut World, trade_seq: u64, action: QuarantineAction) -> Event {
    let body = QuarantineResolve {
        trade_seq,
        author: Code::new("ann").unwrap(),
        action: action as u8,
        qty_dp: 8,
        px_dp: 8,
        leaf: NodeId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..QuarantineResolve::zeroed()
    };
    world.send(Kind::QuarantineResolve, &body)
}

fn position(world: &World, node: NodeId) -> i128 {
    let pair = world.limit.pairs().iter().find(|row| row.node == node);
    pair.map_or(0, |row| row.flow.position / i128::from(dec("1")))
}

/// Kinds of the last group of records.
fn group(world: &World) -> Vec<Kind> {
    let from = world.records.iter().rposition(|record| record.head.part == 0);
    let kinds = world.records[from.unwrap()..].iter().filter_map(Event::kind);
    kinds.collect()
}

fn assert_agrees(world: &World) {
    assert!(digest(&world.limit) == digest(&world.replica));
    assert_eq!((world.limit.faults(), world.replica.faults()), (0, 0));
}

#[test]
fn a_bust_or_correction_that_came_before_its_trade_takes_effect_with_it() {
    for (date, corrects, left) in [(DAY, false, 0), (0, false, 0), (DAY, true, 4)] {
        let mut world = World::new();
        let early = |world: &mut World| {
            if corrects {
                correct(world, "T1", "4", "10")
            } else {
                bust_on(world, "T1", date)
            }
        };
        let first = early(&mut world);
        assert_eq!(outcome(&first), "UNKNOWN_TRADE");
        early(&mut world);
        let waiting: Vec<_> = world.limit.quarantined().copied().collect();
        assert_eq!(waiting.len(), 1, "the same one waits once");
        assert_eq!(
            (waiting[0].kind(), waiting[0].reason()),
            (first.kind(), Some(RejectCode::UnknownTrade))
        );
        let other = world.trade("T2", A2, Side::Buy, "5", "10");
        assert_eq!(other.body::<Execution>().alerts, 0);
        let trade = world.trade("T1", A2, Side::Buy, "5", "10");
        assert_eq!(
            trade.body::<Execution>().alerts,
            execution_alerts::TAKING_BACK_WAITS
        );
        assert_eq!(group(&world), [Kind::TradeCapture, first.kind().unwrap()]);
        let effect = world.records.last().unwrap();
        assert_eq!(effect.taken_back().unwrap().trade_seq, trade.head.seq);
        assert_eq!(position(&world, A2), 5 + left);
        assert_eq!(world.limit.quarantined().count(), 0);
        let again = if corrects { "OK" } else { "ALREADY_BUSTED" };
        assert_eq!(outcome(&early(&mut world)), again);
        assert_agrees(&world);
    }
}

#[test]
fn a_fill_is_taken_back_in_its_own_group_and_its_order_restated() {
    let mut world = World::new();
    world.deposit(0, "10000");
    let order = world.place("o1", A1, Side::Buy, "100", "10");
    assert_eq!(outcome(&bust_on(&mut world, "F1", DAY)), "UNKNOWN_TRADE");
    let body = Execution {
        exec_id: ExecId::new("F1").unwrap(),
        order_id: id(&order),
        qty: dec("40"),
        px: dec("10"),
        ..Execution::zeroed()
    };
    world.send(Kind::VenueFill, &body);
    assert_eq!(group(&world), [Kind::VenueFill, Kind::TradeBust]);
    let row = world.limit.order(id(&order)).unwrap();
    assert_eq!((row.qty, row.cum, row.leaves), (dec("60"), 0, dec("60")));
    assert_eq!(position(&world, A1), 0);
    assert_agrees(&world);
}

#[test]
fn what_waits_is_booked_in_the_order_in_which_it_came() {
    let mut world = World::new();
    correct(&mut world, "T1", "4", "10");
    bust_on(&mut world, "T1", DAY);
    world.trade("T1", S1, Side::Buy, "5", "10");
    assert_eq!(
        group(&world),
        [Kind::TradeCapture, Kind::TradeCorrect, Kind::TradeBust]
    );
    assert_eq!(world.records.last().unwrap().taken_back().unwrap().qty, dec("4"));
    assert_eq!((position(&world, S1), world.limit.quarantined().count()), (0, 0));
    assert_agrees(&world);

    // The other way round the correction finds no trade that counts, and a person closes it.
    bust_on(&mut world, "T2", DAY);
    let seq = correct(&mut world, "T2", "4", "10").head.seq;
    world.trade("T2", S1, Side::Buy, "5", "10");
    assert_eq!(group(&world), [Kind::TradeCapture, Kind::TradeBust]);
    assert_eq!(world.limit.quarantined().count(), 1);
    let release = resolve(&mut world, seq, QuarantineAction::Release);
    assert_eq!(outcome(&release), "ALREADY_BUSTED");
    assert_eq!(outcome(&resolve(&mut world, seq, QuarantineAction::Reject)), "OK");
    assert_agrees(&world);
}

/// Venues use their identifiers again: a bust without a date may have meant the trade of another day.
#[test]
fn a_trade_of_another_date_is_told_and_not_taken_back() {
    let mut world = World::new();
    let seq = bust_on(&mut world, "T1", 0).head.seq;
    world.roll(CalendarId::UTC, DAY + 1);
    let trade = world.trade("T1", A2, Side::Buy, "5", "10");
    assert_eq!(
        trade.body::<Execution>().alerts,
        execution_alerts::TAKING_BACK_WAITS
    );
    assert_eq!(group(&world), [Kind::TradeCapture]);
    assert_eq!(position(&world, A2), 5);
    let release = resolve(&mut world, seq, QuarantineAction::Release);
    assert_eq!(outcome(&release), "UNKNOWN_TRADE");
    assert_eq!(outcome(&resolve(&mut world, seq, QuarantineAction::Reject)), "OK");
    assert_agrees(&world);
}

#[test]
fn a_bust_of_a_trade_that_waits_itself_takes_effect_when_the_trade_is_released() {
    let mut world = World::new();
    let mut event = Event::empty();
    event.reset(Kind::TradeCapture);
    *event.body_mut() = Execution {
        exec_id: ExecId::new("T1").unwrap(),
        qty: dec("5"),
        px: dec("10"),
        qty_dp: 8,
        px_dp: 8,
        side: Side::Buy as u8,
        leaf: A2,
        account: AccountId(1),
        instrument: InstrumentId(0),
        ..Execution::zeroed()
    };
    event.note(Note::QuarantinePrice);
    let seq = world.run(event).head.seq;
    bust_on(&mut world, "T1", DAY);
    assert_eq!(world.limit.quarantined().count(), 2);
    assert_eq!(
        outcome(&resolve(&mut world, seq, QuarantineAction::Release)),
        "OK"
    );
    assert_eq!(
        group(&world),
        [Kind::QuarantineResolve, Kind::TradeCapture, Kind::TradeBust]
    );
    assert_eq!((position(&world, A2), world.limit.quarantined().count()), (0, 0));
    assert_agrees(&world);
}

/// The position that is left when a trade is taken back with its booking breaks nothing, and what a correction leaves is compared.
#[test]
fn what_a_correction_leaves_is_compared_with_the_limits() {
    let mut world = World::new();
    world.limit(0, A2, LimitType::DailyNotional, 60 * NOTIONAL_ONE, [0; 6]);
    correct(&mut world, "T1", "7", "10");
    world.trade("T1", A2, Side::Buy, "5", "10");
    let effect = world.records.last().unwrap();
    assert_ne!(effect.body::<Execution>().alerts & execution_alerts::BREACH, 0);
    assert_agrees(&world);
}

/// A crash anywhere in the group: the recovered state goes on as the one that was cut off.
#[test]
fn a_group_that_was_cut_off_is_finished_as_it_began() {
    let mut world = World::new();
    correct(&mut world, "T1", "4", "10");
    bust_on(&mut world, "T1", DAY);
    world.trade("T1", A2, Side::Buy, "5", "10");
    let from = world.records.iter().rposition(|record| record.head.part == 0);
    for cut in from.unwrap() + 1..world.records.len() {
        let mut recovered = LimitCheck::new(&Capacities::default(), b"0123456789abcdef");
        for record in &world.records[..cut] {
            recovered.apply(record);
        }
        let mut effect = Event::empty();
        for recorded in &world.records[cut..] {
            while recovered.expand(&mut effect) != Expansion::Produced {}
            assert_eq!(effect.body_bytes(), recorded.body_bytes(), "cut at {cut}");
            assert_eq!(effect.tail(), recorded.tail(), "cut at {cut}");
        }
        while recovered.expand(&mut effect) != Expansion::Done {}
        assert!(digest(&recovered) == digest(&world.limit), "cut at {cut}");
    }
}

/// A journal of a build that only told of what waited: the trade's record says so and has no effects.
#[test]
fn a_group_that_ended_with_its_trade_leaves_what_waits() {
    let mut world = World::new();
    bust_on(&mut world, "T1", DAY);
    world.trade("T1", A2, Side::Buy, "5", "10");
    let (_, before) = world.records.split_last().unwrap();
    let mut older = LimitCheck::new(&Capacities::default(), b"0123456789abcdef");
    for record in before {
        let mut record = *record;
        if record.kind() == Some(Kind::TradeCapture) {
            record.head.flags |= head_flags::LAST;
        }
        older.apply(&record);
    }
    assert_eq!(older.expand(&mut Event::empty()), Expansion::Done);
    assert_eq!(older.quarantined().count(), 1);
}

#[test]
fn a_correction_that_a_trade_would_not_pass_with_waits_until_a_person_lets_it_through() {
    let mut world = World::new();
    world.trade("T1", A2, Side::Buy, "5", "10");
    for (qty, px, code) in [("5.5", "10", "INVALID_LOT"), ("5", "10.005", "INVALID_TICK")] {
        let refused = correct(&mut world, "T1", qty, px);
        assert_eq!(outcome(&refused), code);
        assert_eq!(position(&world, A2), 5);
        let seq = refused.head.seq;
        let repair = resolve(&mut world, seq, QuarantineAction::Repair);
        assert_eq!(outcome(&repair), "INVALID_VALUE");
        let release = resolve(&mut world, seq, QuarantineAction::Release);
        assert_eq!(outcome(&release), "OK");
        assert_eq!(group(&world), [Kind::QuarantineResolve, Kind::TradeCorrect]);
        let booked: Execution = *world.records.last().unwrap().body();
        assert_eq!((booked.qty, booked.px), (dec(qty), dec(px)));
        assert_eq!(world.limit.quarantined().count(), 0);
        assert_agrees(&world);
    }
}

/// A fill of our order is not asked about lots and rules, and neither is its correction.
#[test]
fn a_correction_of_a_fill_is_asked_nothing() {
    let mut world = World::new();
    world.deposit(0, "10000");
    let order = world.place("o1", A1, Side::Buy, "100", "10");
    world.fill(id(&order), "40", "10");
    let exec_id = world.records.last().unwrap().body::<Execution>().exec_id;
    let exec_id = String::from_utf8(exec_id.as_bytes().to_vec()).unwrap();
    assert_eq!(outcome(&correct(&mut world, &exec_id, "40", "10.005")), "OK");
}
