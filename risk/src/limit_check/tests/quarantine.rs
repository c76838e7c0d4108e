//! Quarantine: refused executions wait for a person, and are booked once released.

use super::world::{A1, A2, U1, World, dec, digest, outcome};
use crate::LimitCheck;
use bytemuck::Zeroable;
use tradewind_domain::codes::{LimitAction, LimitType, QuarantineAction, Side};
use tradewind_domain::event::{
    Capacities, Event, Execution, InstrumentSet, Kind, LimitSet, QuarantineResolve, TradeBust,
    execution_alerts,
};
use tradewind_domain::ids::{AccountId, CalendarId, InstrumentId, LimitId, NodeId, OrderId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::{Code, ExecId};
use tradewind_machine::stage::{Expansion, Stage as _};

const DAY: u32 = 20_514;

/// A trade that a feed reports, with what normalize could not resolve.
fn capture(world: &mut World, exec_id: &str, note: Option<Note>, text: &str) -> Event {
    let known = note.is_none();
    let mut event = Event::empty();
    event.reset(Kind::TradeCapture);
    *event.body_mut() = Execution {
        exec_id: ExecId::new(exec_id).unwrap(),
        qty: dec("5"),
        px: dec("10"),
        qty_dp: 8,
        px_dp: 8,
        side: Side::Buy as u8,
        leaf: if known { A2 } else { NodeId::NONE },
        account: if known { AccountId(1) } else { AccountId::NONE },
        instrument: InstrumentId(0),
        ..Execution::zeroed()
    };
    if let Some(note) = note {
        event.note(note);
    }
    event.set_tail(text.as_bytes());
    world.run(event)
}

fn resolve(world: &mut World, seq: u64, action: QuarantineAction) -> Event {
    resolve_with(world, seq, action, |_| {})
}

fn resolve_with(
    world: &mut World,
    seq: u64,
    action: QuarantineAction,
    change: impl Fn(&mut QuarantineResolve),
) -> Event {
    let mut body = QuarantineResolve {
        trade_seq: seq,
        author: Code::new("ann").unwrap(),
        action: action as u8,
        qty_dp: 8,
        px_dp: 8,
        leaf: NodeId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..QuarantineResolve::zeroed()
    };
    change(&mut body);
    world.send(Kind::QuarantineResolve, &body)
}

fn position(world: &World, node: NodeId) -> i128 {
    let pair = world.limit.pairs().iter().find(|row| row.node == node);
    pair.map_or(0, |row| row.flow.position / i128::from(dec("1")))
}

fn waiting(world: &World) -> Vec<(u64, RejectCode)> {
    let rows = world.limit.quarantined();
    let mut rows: Vec<_> = rows.map(|row| (row.seq, row.reason().unwrap())).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn a_trade_of_an_unknown_account_waits_until_a_repair_names_one() {
    let mut world = World::new();
    let trade = capture(&mut world, "T1", Some(Note::UnknownAccount), "account=ZZZ");
    let seq = trade.head.seq;
    assert_eq!(outcome(&trade), "UNKNOWN_ACCOUNT");
    assert_eq!(waiting(&world), [(seq, RejectCode::UnknownAccount)]);
    let row = *world.limit.quarantined().next().unwrap();
    assert_eq!(
        (row.text(), row.kind()),
        (&b"account=ZZZ"[..], Some(Kind::TradeCapture))
    );
    assert_eq!(position(&world, U1), 0);
    let release = resolve(&mut world, seq, QuarantineAction::Release);
    assert_eq!(
        outcome(&release),
        "UNKNOWN_ACCOUNT",
        "what cannot be booked cannot be overruled"
    );
    let repair = resolve_with(&mut world, seq, QuarantineAction::Repair, |body| {
        (body.leaf, body.account) = (A1, AccountId(0));
        body.qty = dec("4");
        body.px = dec("9");
        body.side = Side::Sell as u8;
    });
    assert_eq!(outcome(&repair), "OK");
    let part = *world.records.last().unwrap();
    assert_eq!((part.kind(), part.head.part), (Some(Kind::TradeCapture), 1));
    let booked: &Execution = part.body();
    assert_eq!(
        (booked.account, booked.qty, booked.px),
        (AccountId(0), dec("4"), dec("9"))
    );
    assert_eq!(booked.principal.raw(), dec("36").into());
    assert_eq!(position(&world, A1), -4);
    assert!(waiting(&world).is_empty());
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn what_a_person_releases_is_booked_against_collar_and_rules_and_may_break_limits() {
    let mut world = World::new();
    world.limit(0, U1, LimitType::PositionLong, i128::from(dec("4")), [0; 6]);
    for (exec_id, note) in [("T1", Note::QuarantinePrice), ("T2", Note::QuarantineRule)] {
        let mut event = Event::empty();
        event.reset(Kind::TradeCapture);
        *event.body_mut() = Execution {
            exec_id: ExecId::new(exec_id).unwrap(),
            qty: dec("5"),
            px: dec("99"),
            qty_dp: 8,
            px_dp: 8,
            side: Side::Buy as u8,
            leaf: A2,
            account: AccountId(1),
            instrument: InstrumentId(0),
            ..Execution::zeroed()
        };
        event.note(note);
        let seq = world.run(event).head.seq;
        assert_eq!(
            outcome(&resolve(&mut world, seq, QuarantineAction::Release)),
            "OK"
        );
        let booked = *world.records.last().unwrap().body::<Execution>();
        assert_ne!(booked.alerts & execution_alerts::BREACH, 0);
    }
    assert_eq!(position(&world, A2), 10);
}

#[test]
fn a_trade_is_resolved_once() {
    let mut world = World::new();
    assert_eq!(
        outcome(&resolve(&mut world, 7, QuarantineAction::Reject)),
        "UNKNOWN_TRADE"
    );
    let seq = capture(&mut world, "T1", Some(Note::UnknownAccount), "").head.seq;
    let nobody = resolve_with(&mut world, seq, QuarantineAction::Reject, |body| {
        body.author = Code::EMPTY
    });
    assert_eq!(outcome(&nobody), "MALFORMED");
    let nothing = resolve_with(&mut world, seq, QuarantineAction::Reject, |body| body.action = 9);
    assert_eq!(outcome(&nothing), "INVALID_VALUE");
    assert_eq!(outcome(&resolve(&mut world, seq, QuarantineAction::Reject)), "OK");
    for action in [QuarantineAction::Reject, QuarantineAction::Release] {
        assert_eq!(outcome(&resolve(&mut world, seq, action)), "STATE_MISMATCH");
    }
    assert_eq!(position(&world, A2), 0);
}

#[test]
fn what_was_booked_already_waits_for_nobody_and_the_same_trade_waits_once() {
    let mut world = World::new();
    world.trade("T1", A2, Side::Buy, "5", "10");
    assert_eq!(
        outcome(&world.trade("T1", A2, Side::Buy, "5", "10")),
        "DUPLICATE_EXEC_ID"
    );
    assert!(waiting(&world).is_empty());
    capture(&mut world, "T2", Some(Note::UnknownAccount), "");
    let first = waiting(&world);
    capture(&mut world, "T2", Some(Note::UnknownAccount), "");
    assert_eq!(waiting(&world), first);
    // The venue sends it once more, with an account this time: the one that waits is not booked again.
    assert_eq!(outcome(&capture(&mut world, "T2", None, "")), "OK");
    let repair = resolve_with(&mut world, first[0].0, QuarantineAction::Repair, |body| {
        (body.leaf, body.account) = (A2, AccountId(1));
    });
    assert_eq!(outcome(&repair), "DUPLICATE_EXEC_ID");
    assert_eq!(position(&world, A2), 10);
}

#[test]
fn a_fill_of_an_unknown_order_is_repaired_to_a_trade_of_an_account_and_can_be_busted() {
    let mut world = World::new();
    let body = Execution {
        exec_id: ExecId::new("F1").unwrap(),
        order_id: OrderId::new(0, 999),
        qty: dec("3"),
        px: dec("10"),
        qty_dp: 8,
        px_dp: 8,
        leaf: NodeId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..Execution::zeroed()
    };
    let fill = world.send(Kind::VenueFill, &body);
    assert_eq!(waiting(&world), [(fill.head.seq, RejectCode::OrphanFill)]);
    let repair = resolve_with(&mut world, fill.head.seq, QuarantineAction::Repair, |body| {
        (body.leaf, body.account) = (A2, AccountId(1));
        body.instrument = InstrumentId(0);
        body.side = Side::Sell as u8;
    });
    assert_eq!((outcome(&repair), position(&world, A2)), ("OK", -3));
    let bust = TradeBust {
        exec_ref_id: body.exec_id,
        ..TradeBust::zeroed()
    };
    assert_eq!(outcome(&world.send(Kind::TradeBust, &bust)), "OK");
    assert_eq!(position(&world, A2), 0);
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn a_released_trade_that_breaks_a_limit_sets_its_state_in_the_same_group() {
    let mut world = World::new();
    let body = LimitSet {
        hard: 1,
        params: [10_000, 0, 0, 0, 0, 0],
        limit_type: LimitType::RepeatedExec as u8,
        action: LimitAction::Reject as u8,
        limit: LimitId(0),
        node: A2,
        filter_instrument: InstrumentId::NONE,
        ..LimitSet::zeroed()
    };
    assert_eq!(outcome(&world.send(Kind::LimitSet, &body)), "OK");
    let seq = capture(&mut world, "T1", Some(Note::QuarantinePrice), "")
        .head
        .seq;
    resolve_with(&mut world, seq, QuarantineAction::Repair, |body| {
        (body.leaf, body.account) = (A2, AccountId(1));
    });
    let kinds: Vec<_> = world
        .records
        .iter()
        .rev()
        .take(3)
        .map(|record| record.kind().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [Kind::StateChanged, Kind::TradeCapture, Kind::QuarantineResolve]
    );
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn a_full_quarantine_counts_what_it_cannot_keep_and_uses_resolved_rows_again() {
    let small = Capacities {
        quarantine: 2,
        ..Capacities::default()
    };
    let mut world = World::with(small);
    let seqs: Vec<_> = ["T1", "T2", "T3"]
        .map(|exec_id| {
            capture(&mut world, exec_id, Some(Note::UnknownAccount), "")
                .head
                .seq
        })
        .to_vec();
    assert_eq!((waiting(&world).len(), world.limit.quarantine_lost()), (2, 1));
    assert_eq!(
        outcome(&resolve(&mut world, seqs[0], QuarantineAction::Reject)),
        "OK"
    );
    capture(&mut world, "T4", Some(Note::UnknownAccount), "");
    assert_eq!((waiting(&world).len(), world.limit.quarantine_lost()), (2, 1));
    assert_eq!(
        outcome(&resolve(&mut world, seqs[0], QuarantineAction::Reject)),
        "UNKNOWN_TRADE"
    );
    assert!(digest(&world.limit) == digest(&world.replica));
}

#[test]
fn trades_off_lot_or_tick_or_with_impossible_dates_wait_and_a_person_may_overrule() {
    let mut world = World::new();
    let good = Execution {
        exec_id: ExecId::new("T").unwrap(),
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
    let (today, cases) = (
        20_514,
        [
            (
                "INVALID_LOT",
                Execution {
                    qty: dec("0.5"),
                    ..good
                },
            ),
            (
                "INVALID_TICK",
                Execution {
                    px: dec("10.005"),
                    ..good
                },
            ),
            (
                "INVALID_VALUE",
                Execution {
                    trade_date: 20_515,
                    ..good
                },
            ),
            (
                "INVALID_VALUE",
                Execution {
                    trade_date: 20_513,
                    settle_date: 20_512,
                    ..good
                },
            ),
        ],
    );
    for (at, (expected, body)) in cases.into_iter().enumerate() {
        let exec_id = ExecId::new(format!("T{at}")).unwrap();
        let trade = world.send(Kind::TradeCapture, &Execution { exec_id, ..body });
        assert_eq!(outcome(&trade), expected);
        assert_eq!(waiting(&world).len(), 1);
        let release = resolve(&mut world, trade.head.seq, QuarantineAction::Release);
        assert_eq!(outcome(&release), "OK", "{expected}");
    }
    let good = Execution {
        trade_date: today,
        settle_date: today,
        ..good
    };
    assert_eq!(outcome(&world.send(Kind::TradeCapture, &good)), "OK");
}

/// A trade that waits while its instrument is unknown comes again, and is booked then: on the same day, on the next, or under the
/// date of a calendar that is ahead.
#[test]
fn a_trade_that_waits_and_is_booked_when_it_comes_again_is_not_booked_twice() {
    for ahead in [0, 1] {
        for booked_on in [0, 1] {
            let mut world = World::new();
            let row = Instrument {
                id: InstrumentId(2),
                calendar: CalendarId(1),
                ..Instrument::default_linear()
            };
            let body = InstrumentSet {
                row,
                ..InstrumentSet::zeroed()
            };
            let waiting = capture(&mut world, "E1", Some(Note::UnknownSymbol), "symbol=NEW");
            assert_eq!(outcome(&waiting), "UNKNOWN_SYMBOL");
            assert_eq!(outcome(&world.send(Kind::InstrumentSet, &body)), "OK");
            world.last(2, "10");
            let roll = |world: &mut World, day: u32| {
                world.roll(CalendarId::UTC, DAY + day);
                world.roll(CalendarId(1), DAY + day + ahead);
            };
            roll(&mut world, booked_on);
            let again = Execution {
                instrument: InstrumentId(2),
                calendar: CalendarId(1),
                leaf: A2,
                account: AccountId(1),
                ..*waiting.body()
            };
            assert_eq!(outcome(&world.send(Kind::TradeCapture, &again)), "OK");
            roll(&mut world, 2);
            let repair = resolve_with(&mut world, waiting.head.seq, QuarantineAction::Repair, |body| {
                (body.leaf, body.account) = (A2, AccountId(1));
                body.instrument = InstrumentId(2);
            });
            assert_eq!(
                outcome(&repair),
                "DUPLICATE_EXEC_ID",
                "{ahead} ahead, day {booked_on}"
            );
            assert_eq!(position(&world, A2), 5);
            assert!(digest(&world.limit) == digest(&world.replica));
        }
    }
}

#[test]
fn a_trade_is_booked_under_the_date_on_which_it_was_put_aside() {
    let mut world = World::new();
    let seq = capture(&mut world, "E1", Some(Note::UnknownAccount), "").head.seq;
    world.roll(CalendarId::UTC, DAY + 1);
    let repair = resolve_with(&mut world, seq, QuarantineAction::Repair, |body| {
        (body.leaf, body.account) = (A2, AccountId(1));
    });
    assert_eq!(outcome(&repair), "OK");
    let booked = world.records.last().unwrap().body::<Execution>();
    assert_eq!((booked.trade_date, booked.trade_day), (DAY, DAY + 1));
}

#[test]
fn identifiers_that_a_venue_uses_again_every_day_are_trades_of_their_own() {
    let mut world = World::new();
    let trades = [0, 1].map(|day| {
        world.roll(CalendarId::UTC, DAY + day);
        capture(&mut world, "17", Some(Note::UnknownAccount), "").head.seq
    });
    assert_eq!(waiting(&world).len(), 2, "neither is dropped");
    // The second was another trade: of another quantity.
    for (seq, qty) in trades.into_iter().zip(["5", "6"]) {
        let repair = resolve_with(&mut world, seq, QuarantineAction::Repair, |body| {
            (body.leaf, body.account) = (A2, AccountId(1));
            body.qty = dec(qty);
        });
        assert_eq!(outcome(&repair), "OK");
    }
    assert_eq!((position(&world, A2), world.limit.quarantine_lost()), (11, 0));
}

/// A crash after the command's record: the trade comes out of the recovered state as it would have come.
#[test]
fn a_release_that_was_cut_off_is_finished_as_it_began() {
    let mut world = World::new();
    let seq = capture(&mut world, "T1", Some(Note::UnknownAccount), "").head.seq;
    resolve_with(&mut world, seq, QuarantineAction::Repair, |body| {
        (body.leaf, body.account) = (A2, AccountId(1));
    });
    let (booked, before) = world.records.split_last().unwrap();
    let mut recovered = LimitCheck::new(&Capacities::default(), b"0123456789abcdef");
    for record in before {
        recovered.apply(record);
    }
    let mut effect = Event::empty();
    assert_eq!(recovered.expand(&mut effect), Expansion::Produced);
    assert_eq!(effect.body::<Execution>(), booked.body::<Execution>());
    assert_eq!(recovered.expand(&mut effect), Expansion::Done);
    assert!(digest(&recovered) == digest(&world.limit));
}
