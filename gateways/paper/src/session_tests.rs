//! What the generated session promises: its grid, its bounds, its seed.

use super::*;
use crate::flow::OPEN_MAX;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_config::{DemoKeys, ReferenceData};
use tradewind_domain::codes::{OrderType, TimeInForce};
use tradewind_domain::event::{Event, OrderCancel, OrderNew, OrderReplace};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{ClOrdId, Symbol};

const START_NS: u64 = 1_772_461_800_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;

fn keys(seed: u64) -> DemoKeys {
    DemoKeys {
        instruments: 0,
        accounts: 0,
        orders_per_s: 200,
        quotes_per_s: 1_000,
        seed,
        speed: "max".to_owned(),
    }
}

fn demo() -> ReferenceData {
    ReferenceData::load(None).unwrap()
}

fn session(seed: u64) -> DemoSession {
    DemoSession::new(&keys(seed), &demo(), START_NS, 0xabc)
}

/// Everything that a session sends in so many seconds, taken in steps of `step_ns`.
fn sent(mut session: DemoSession, seconds: u64, step_ns: u64) -> Vec<(SourceClass, Inbound)> {
    let mut all = Vec::new();
    let end_ns = START_NS + seconds * SECOND_NS;
    let mut now_ns = START_NS;
    while now_ns < end_ns {
        now_ns = (now_ns + step_ns).min(end_ns);
        session.next_before(now_ns, &mut |class, message| all.push((class, message)));
    }
    all
}

fn event(message: &Inbound) -> Event {
    let mut event = Event::empty();
    assert!(message.fill(&mut event));
    event
}

fn bytes(sent: &[(SourceClass, Inbound)]) -> Vec<&[u8]> {
    sent.iter()
        .map(|(_, message)| bytemuck::bytes_of(message))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_stream_in_whatever_steps_time_moves() {
    let stream = sent(session(1), 10, SECOND_NS / 1_000);
    assert!(bytes(&stream) == bytes(&sent(session(1), 10, SECOND_NS / 1_000)));
    assert!(bytes(&stream) == bytes(&sent(session(1), 10, 7 * SECOND_NS)));
    assert!(bytes(&stream) != bytes(&sent(session(2), 10, SECOND_NS / 1_000)));
}

#[test]
fn messages_fall_due_at_the_given_rates_and_in_order() {
    let mut session = session(1);
    assert_eq!(session.next_due_ns(), START_NS + SECOND_NS / 1_000);
    let (mut count, mut last_ns) = (0, 0);
    session.next_before(START_NS + 10 * SECOND_NS, &mut |_, message| {
        count += 1;
        let kind = event(&message).kind();
        let is_stale = message.origin_ns < START_NS;
        assert!(message.origin_ns >= last_ns || (is_stale && kind == Some(Kind::OrderNew)));
        last_ns = last_ns.max(message.origin_ns);
    });
    let counts = session.counts();
    assert_eq!((counts.quotes, counts.orders), (10_000, 2_000));
    assert_eq!(
        count,
        counts.quotes + counts.trades + counts.orders + counts.cancels + counts.replaces
    );
    assert!(
        counts.trades > 2_000 && counts.cancels > 300 && counts.replaces > 100,
        "{counts:?}"
    );
    session.next_before(START_NS + 10 * SECOND_NS, &mut |_, _| {
        panic!("nothing is due twice")
    });
}

#[test]
fn a_rate_of_zero_sends_nothing() {
    let mut quiet = keys(1);
    (quiet.orders_per_s, quiet.quotes_per_s) = (0, 0);
    let mut session = DemoSession::new(&quiet, &demo(), START_NS, 1);
    assert_eq!(session.next_due_ns(), u64::MAX);
    session.next_before(u64::MAX, &mut |_, _| panic!("nothing is due"));
    let mut nobody = DemoSession::new(&keys(1), &ReferenceData::default(), START_NS, 1);
    nobody.next_before(u64::MAX, &mut |_, _| panic!("nobody is there"));
}

fn rows() -> BTreeMap<Symbol, Instrument> {
    { demo().instruments.into_iter() }
        .map(|row| (row.row.symbol, row.row))
        .collect()
}

/// Counts orders whose price or quantity is off the grid.
fn off_grid(sent: &[(SourceClass, Inbound)]) -> usize {
    let rows = rows();
    let mut instrument_of: BTreeMap<ClOrdId, Symbol> = BTreeMap::new();
    let is_off = |symbol: &Symbol, qty: i64, prices: [i64; 2]| {
        rows.get(symbol).is_none_or(|row| {
            qty <= 0 || qty % row.lot != 0 || prices.iter().any(|px| px % row.tick != 0 || *px < 0)
        })
    };
    let mut count = 0;
    for (_, message) in sent {
        let event = event(message);
        match event.kind() {
            Some(Kind::OrderNew) => {
                let body: &OrderNew = event.body();
                instrument_of.insert(body.cl_ord_id, message.symbol);
                count += usize::from(is_off(&message.symbol, body.qty, [body.px, body.stop_px]));
                let has_px = [OrderType::Limit as u8, OrderType::StopLimit as u8].contains(&body.ord_type);
                assert_eq!(has_px, body.px > 0, "{body:?}");
            }
            Some(Kind::OrderReplace) => {
                let body: &OrderReplace = event.body();
                let symbol = instrument_of[&body.orig_cl_ord_id];
                instrument_of.insert(body.cl_ord_id, symbol);
                assert!(!is_off(&symbol, body.qty, [body.px, body.stop_px]));
            }
            Some(Kind::Quote) => {
                let body: &Quote = event.body();
                let lot_qty = body.bid_qty.min(body.ask_qty);
                assert!(!is_off(&message.symbol, lot_qty, [body.bid, body.ask]) && body.bid < body.ask);
            }
            Some(Kind::LastTrade) => {
                let body: &LastTrade = event.body();
                assert!(!is_off(&message.symbol, body.qty, [body.px, 0]));
            }
            _ => {}
        }
    }
    count
}

#[test]
fn only_deliberate_mistakes_leave_the_grid() {
    let clean = sent(session(1).with_mistake_every(0), 30, SECOND_NS);
    assert_eq!(off_grid(&clean), 0);
    let mistaken = off_grid(&sent(session(1), 30, SECOND_NS));
    // 6,000 orders, one in 40 a mistake, four kinds of nine off the grid or of an unknown symbol.
    assert!((30..150).contains(&mistaken), "{mistaken}");
}

#[test]
fn cl_ord_ids_are_never_used_twice_but_by_mistake() {
    let count = |session: DemoSession| {
        let (mut seen, mut twice) = (BTreeSet::new(), 0);
        for (_, message) in sent(session, 30, SECOND_NS) {
            let event = event(&message);
            let id = match event.kind() {
                Some(Kind::OrderNew) => event.body::<OrderNew>().cl_ord_id,
                Some(Kind::OrderCancel) => event.body::<OrderCancel>().cl_ord_id,
                Some(Kind::OrderReplace) => event.body::<OrderReplace>().cl_ord_id,
                _ => continue,
            };
            assert!(id.as_str().starts_with("Dabc-"));
            twice += usize::from(!seen.insert(id));
        }
        twice
    };
    assert_eq!(count(session(1).with_mistake_every(0)), 0);
    assert!(count(session(1)) > 5);
}

#[test]
fn traders_do_not_pile_up_passive_orders() {
    let opening = |row: Instrument| (row.configured_mark, row.configured_mark + row.tick);
    let mut touch: BTreeMap<Symbol, (i64, i64)> = { rows().into_iter() }
        .map(|(symbol, row)| (symbol, opening(row)))
        .collect();
    let mut open: BTreeMap<u32, BTreeSet<ClOrdId>> = BTreeMap::new();
    for (_, message) in sent(session(1).with_mistake_every(0), 60, SECOND_NS) {
        let event = event(&message);
        match event.kind() {
            Some(Kind::Quote) => {
                let body: &Quote = event.body();
                touch.insert(message.symbol, (body.bid, body.ask));
            }
            Some(Kind::OrderNew) => {
                let body: &OrderNew = event.body();
                let (bid, ask) = touch[&message.symbol];
                let is_passive = if body.side == Side::Buy as u8 {
                    body.px < ask
                } else {
                    body.px > bid
                };
                let lives_on = body.tif == TimeInForce::Day as u8 || body.tif == TimeInForce::Gtc as u8;
                if body.ord_type == OrderType::Limit as u8 && is_passive && lives_on {
                    open.entry(body.session.0).or_default().insert(body.cl_ord_id);
                }
            }
            Some(Kind::OrderReplace) => {
                let body: &OrderReplace = event.body();
                let own = open.entry(body.session.0).or_default();
                assert!(own.remove(&body.orig_cl_ord_id));
                own.insert(body.cl_ord_id);
            }
            Some(Kind::OrderCancel) => {
                let body: &OrderCancel = event.body();
                assert!(
                    open.entry(body.session.0)
                        .or_default()
                        .remove(&body.orig_cl_ord_id)
                );
            }
            _ => {}
        }
        assert!(open.values().all(|own| own.len() <= OPEN_MAX + 1));
    }
    assert_eq!(open.len(), 9);
}

#[test]
fn sessions_are_those_of_the_chosen_accounts_and_the_strategies_below_them() {
    let names = |accounts: u32| {
        let chosen = DemoKeys { accounts, ..keys(1) };
        let session = DemoSession::new(&chosen, &demo(), START_NS, 1);
        let names: Vec<String> = session
            .sessions()
            .map(|(id, code)| format!("{id} {code}"))
            .collect();
        names.join(", ")
    };
    assert_eq!(names(2), "1 N-CASH-1, 2 N-MARGIN-1");
    assert_eq!(names(3), "1 N-CASH-1, 2 N-MARGIN-1, 3 N-MARGIN-2, 4 N-M2-MAKER");
    assert_eq!(names(0).split(", ").count(), 9);
}

#[test]
fn all_types_and_both_sides_are_sent() {
    let mut seen: BTreeMap<(u8, u8, u8), usize> = BTreeMap::new();
    for (_, message) in sent(session(1), 60, SECOND_NS) {
        let event = event(&message);
        if event.kind() == Some(Kind::OrderNew) {
            let body: &OrderNew = event.body();
            *seen.entry((body.side, body.ord_type, body.tif)).or_default() += 1;
        }
    }
    // Two sides; market, stop and stop limit for the day; limit with each of five times in force.
    assert_eq!(seen.len(), 2 * (3 + 5), "{seen:?}");
}
