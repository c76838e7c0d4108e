//! What the generated session promises: its grid, its bounds, its seed.

use super::*;
use crate::flow::OPEN_MAX;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_config::{DemoKeys, ReferenceData};
use tradewind_domain::codes::{OrderType, TimeInForce};
use tradewind_domain::event::{
    Body, Event, Execution, InstrumentSet, NodeSet, OrderCancel, OrderNew, OrderReplace,
};
use tradewind_domain::ids::{InstrumentId, NodeId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;
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
        counts.quotes + counts.trades + counts.orders + counts.cancels + counts.replaces + counts.away
    );
    assert_eq!(counts.away, 1);
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
                // An identifier that is used again by mistake stays the first order's.
                instrument_of.entry(body.cl_ord_id).or_insert(message.symbol);
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
    let mistaken = off_grid(&sent(session(1).with_mistake_every(40), 30, SECOND_NS));
    // 6,000 orders, one in 40 a mistake, four kinds of eight off the grid or of an unknown symbol.
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
    assert!(count(session(1).with_mistake_every(40)) > 5);
}

/// A passive order as its trader knows it.
struct Passive {
    symbol: Symbol,
    is_buy: bool,
    px: i64,
}

impl Passive {
    fn stands(&self, (bid, ask): (i64, i64)) -> bool {
        if self.is_buy { self.px < ask } else { self.px > bid }
    }
}

#[test]
fn traders_do_not_pile_up_passive_orders() {
    let opening = |row: Instrument| (row.configured_mark, row.configured_mark + row.tick);
    let mut touch: BTreeMap<Symbol, (i64, i64)> = { rows().into_iter() }
        .map(|(symbol, row)| (symbol, opening(row)))
        .collect();
    let mut open: BTreeMap<u32, BTreeMap<ClOrdId, Passive>> = BTreeMap::new();
    for (_, message) in sent(session(1).with_mistake_every(0), 60, SECOND_NS) {
        let event = event(&message);
        match event.kind() {
            Some(Kind::Quote) => {
                let body: &Quote = event.body();
                let now = (body.bid, body.ask);
                touch.insert(message.symbol, now);
                let is_reached = |order: &Passive| order.symbol == message.symbol && !order.stands(now);
                { open.values_mut() }.for_each(|own| own.retain(|_, order| !is_reached(order)));
            }
            Some(Kind::OrderNew) => {
                let body: &OrderNew = event.body();
                let order = Passive {
                    symbol: message.symbol,
                    is_buy: body.side == Side::Buy as u8,
                    px: body.px,
                };
                let lives_on = body.tif == TimeInForce::Day as u8 || body.tif == TimeInForce::Gtc as u8;
                let is_limit = body.ord_type == OrderType::Limit as u8;
                if is_limit && lives_on && order.stands(touch[&message.symbol]) {
                    open.entry(body.session.0)
                        .or_default()
                        .insert(body.cl_ord_id, order);
                }
            }
            Some(Kind::OrderReplace) => {
                let body: &OrderReplace = event.body();
                let own = open.entry(body.session.0).or_default();
                let mut order = own.remove(&body.orig_cl_ord_id).expect("an order that stands");
                order.px = body.px;
                if order.stands(touch[&order.symbol]) {
                    own.insert(body.cl_ord_id, order);
                }
            }
            Some(Kind::OrderCancel) => {
                let body: &OrderCancel = event.body();
                let own = open.entry(body.session.0).or_default();
                assert!(own.remove(&body.orig_cl_ord_id).is_some());
            }
            _ => {}
        }
        assert!(open.values().all(|own| own.len() <= OPEN_MAX + 1));
    }
    assert_eq!(open.len(), 9);
}

/// A record of the journal with this body.
fn record<B: Body>(kind: Kind, body: &B) -> Event {
    let mut event = Event::empty();
    event.reset(kind);
    *event.body_mut() = *body;
    event
}

/// A session that knows which nodes and instruments its traders and listings are: their place counted from 1.
fn told_session() -> DemoSession {
    let mut session = session(1).with_mistake_every(0);
    let codes: Vec<Code> = session.sessions().map(|(_, code)| code).collect();
    for (code, id) in codes.into_iter().zip(1..) {
        let node = NodeSet {
            code,
            node: NodeId(id),
            ..NodeSet::zeroed()
        };
        session.tell(&record(Kind::AccountSet, &node));
    }
    for (mut row, id) in { demo().instruments.into_iter() }.map(|row| row.row).zip(1..) {
        row.id = InstrumentId(id);
        session.tell(&record(
            Kind::InstrumentSet,
            &InstrumentSet {
                row,
                ..InstrumentSet::zeroed()
            },
        ));
    }
    session
}

/// Orders to sell by the cash account of the first session, within so many seconds.
fn sales(session: DemoSession, seconds: u64) -> usize {
    let events = sent(session, seconds, SECOND_NS)
        .into_iter()
        .map(|(_, message)| event(&message));
    events
        .filter(|event| event.kind() == Some(Kind::OrderNew))
        .filter(|event| {
            let body: &OrderNew = event.body();
            body.session == SessionId(1) && body.side == Side::Sell as u8
        })
        .count()
}

#[test]
fn a_cash_account_that_is_told_sells_what_it_got_and_nothing_else() {
    assert!(sales(session(1).with_mistake_every(0), 60) > 0);
    assert_eq!(sales(told_session(), 60), 0);
    let mut session = told_session();
    for instrument in 1..=12 {
        let fill = Execution {
            leaf: NodeId(1),
            instrument: InstrumentId(instrument),
            side: Side::Buy as u8,
            qty: 1_000_000 * 100_000_000,
            ..Execution::zeroed()
        };
        session.tell(&record(Kind::VenueFill, &fill));
    }
    assert!(sales(session, 60) > 0);
}

#[test]
fn an_account_that_may_not_trade_is_left_alone_for_a_minute() {
    let mut session = told_session();
    let order = OrderNew {
        session: SessionId(1),
        ..OrderNew::zeroed()
    };
    let mut refused = record(Kind::OrderNew, &order);
    refused.head.outcome = RejectCode::TradingHalted as u16;
    session.tell(&refused);
    let stream = sent(session, 70, SECOND_NS);
    let orders: Vec<u64> = { stream.iter() }
        .filter(|(_, message)| {
            let event = event(message);
            event.kind() == Some(Kind::OrderNew) && event.body::<OrderNew>().session == SessionId(1)
        })
        .map(|(_, message)| (message.origin_ns - START_NS) / SECOND_NS)
        .collect();
    assert!(
        orders.iter().all(|second| *second >= 60) && !orders.is_empty(),
        "{orders:?}"
    );
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
