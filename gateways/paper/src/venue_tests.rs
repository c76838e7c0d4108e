//! The fill model as tables.
//!
//! A line of a table is what the journal shows, `->`, and what the venue answers. Parts of one fill are added up.

#[path = "venue_crash_tests.rs"]
mod crashes;

use super::*;
use crate::random::SplitMix;
use bytemuck::Zeroable;
use tradewind_domain::codes::{ControlState, OrderType, Side, TimeInForce};
use tradewind_domain::decimal;
use tradewind_domain::event::{Body, Control, MassCancel, Quote, execution_flags};
use tradewind_domain::fixed::{Money, Price, Qty};
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId, SessionId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;

const RUN: u32 = 7;

fn dec(text: &str) -> i64 {
    decimal::parse(text.as_bytes()).unwrap()
}

fn record<T: Body>(kind: Kind, body: &T) -> Event {
    let mut event = Event::empty();
    event.reset(kind);
    *event.body_mut() = *body;
    event
}

/// The record that an answer becomes.
fn recorded(answer: &Inbound) -> Event {
    let mut event = Event::empty();
    assert!(answer.fill(&mut event));
    event
}

fn started(epoch: u32) -> Event {
    let body = EngineStarted {
        epoch,
        ..EngineStarted::zeroed()
    };
    record(Kind::EngineStarted, &body)
}

fn instrument_set(id: u32, lot: &str) -> Event {
    let row = Instrument {
        id: InstrumentId(id),
        lot: dec(lot),
        ..Instrument::default_linear()
    };
    let body = InstrumentSet {
        row,
        ..InstrumentSet::zeroed()
    };
    record(Kind::InstrumentSet, &body)
}

/// Instruments 0 (lot 1) and 1 (lot 0.1).
fn opening() -> Vec<Event> {
    vec![instrument_set(0, "1"), instrument_set(1, "0.1")]
}

fn quote(instrument: u32, bid: &str, ask: &str) -> Event {
    let side = |text: &str| {
        let (px, qty) = text.split_once('x').unwrap();
        (dec(px), dec(qty))
    };
    let ((bid, bid_qty), (ask, ask_qty)) = (side(bid), side(ask));
    let body = Quote {
        bid,
        bid_qty,
        ask,
        ask_qty,
        instrument: InstrumentId(instrument),
        ..Quote::zeroed()
    };
    record(Kind::Quote, &body)
}

fn last(instrument: u32, px: i64) -> Event {
    let body = LastTrade {
        px,
        instrument: InstrumentId(instrument),
        ..LastTrade::zeroed()
    };
    record(Kind::LastTrade, &body)
}

fn new_order(id: u64, side: Side, ord_type: OrderType, tif: TimeInForce, qty: i64, px: i64) -> OrderNew {
    let mut body = OrderNew {
        qty,
        px,
        side: side as u8,
        ord_type: ord_type as u8,
        tif: tif as u8,
        session: SessionId(4),
        leaf: NodeId(2),
        account: AccountId(0),
        instrument: InstrumentId(0),
        ..OrderNew::zeroed()
    };
    body.view.order_id = OrderId::new(0, id);
    body
}

/// `order ID SIDE TYPE TIF QTY [PX] [stop=PX] [until=NS] [on=I]`
fn order_line(words: &[&str]) -> Event {
    let px = words
        .get(5)
        .filter(|word| !word.contains('='))
        .map_or(0, |px| dec(px));
    let mut body = new_order(
        words[0].parse().unwrap(),
        Side::from_text(words[1]).unwrap(),
        OrderType::from_text(words[2]).unwrap(),
        TimeInForce::from_text(words[3]).unwrap(),
        dec(words[4]),
        px,
    );
    for (name, value) in words.iter().filter_map(|word| word.split_once('=')) {
        match name {
            "stop" => body.stop_px = dec(value),
            "until" => body.expire_ns = value.parse().unwrap(),
            "on" => body.instrument = InstrumentId(value.parse().unwrap()),
            _ => panic!("no such option: {name}"),
        }
    }
    record(Kind::OrderNew, &body)
}

fn cancel(id: u64) -> Event {
    let mut body = OrderCancel::zeroed();
    body.view.order_id = OrderId::new(0, id);
    record(Kind::OrderCancel, &body)
}

fn derived(kind: Kind, id: u64) -> Event {
    let mut body = DerivedOrder::zeroed();
    body.view.order_id = OrderId::new(0, id);
    record(kind, &body)
}

fn replace(id: u64, qty: i64, px: i64) -> Event {
    let mut body = OrderReplace {
        qty,
        px,
        ..OrderReplace::zeroed()
    };
    body.view.order_id = OrderId::new(0, id);
    record(Kind::OrderReplace, &body)
}

/// A mass cancel, or a kill of the whole firm.
fn sweep(verb: &str) -> Event {
    if verb == "mass" {
        let mass = MassCancel {
            node: NodeId::NONE,
            instrument: InstrumentId::NONE,
            session: SessionId::NONE,
            ..MassCancel::zeroed()
        };
        return record(Kind::MassCancel, &mass);
    }
    let control = Control {
        state_after: ControlState::Kill as u8,
        venue: VenueId::NONE,
        session: SessionId::NONE,
        node: NodeId(0),
        instrument: InstrumentId::NONE,
        ..Control::zeroed()
    };
    record(Kind::Kill, &control)
}

/// An order that the engine accepts and holds back.
fn held_line(words: &[&str]) -> Event {
    let mut event = order_line(words);
    event.body_mut::<OrderNew>().view.state_after = OrderState::Held as u8;
    event
}

fn line(text: &str) -> Event {
    let words: Vec<&str> = text.split_whitespace().collect();
    let id = || words[1].parse().unwrap();
    match words[0] {
        "quote" => quote(0, words[1], words[2]),
        "quote1" => quote(1, words[1], words[2]),
        "last" => last(0, dec(words[1])),
        "order" => order_line(&words[1..]),
        "cancel" => cancel(id()),
        "asked" => derived(Kind::CancelRequested, id()),
        "expired" => derived(Kind::OrderExpired, id()),
        "replace" => replace(id(), dec(words[2]), dec(words[3])),
        "refused" => {
            let mut event = line(&words[1..].join(" "));
            event.reject(RejectCode::Capacity);
            event
        }
        "released" => derived(Kind::OrderReleased, id()),
        "held" => held_line(&words[1..]),
        verb @ ("mass" | "kill") => sweep(verb),
        "nothing" => record(Kind::EdgeStats, &tradewind_domain::event::EdgeStats::zeroed()),
        verb => panic!("no such line: {verb}"),
    }
}

/// Answers as text, neighbouring parts of one fill added up.
fn shown(answers: &[Inbound]) -> String {
    let mut parts: Vec<(String, i64)> = Vec::new();
    for event in answers.iter().map(recorded) {
        let kind = event.kind().unwrap();
        let (text, qty) = if kind == Kind::VenueFill {
            let fill: &Execution = event.body();
            let who = ["?", "maker", "taker"][usize::from(fill.liquidity)];
            let text = format!(
                "fill {} @{} {who}",
                fill.order_id.counter(),
                Price::from_raw(fill.px)
            );
            (text, fill.qty)
        } else {
            let report: &VenueReport = event.body();
            let name = kind.text().trim_start_matches("venue_");
            let mut text = format!("{name} {}", report.order_id.counter());
            match kind {
                Kind::VenueCancelReject => text.push_str(&format!(" reason {}", report.reason)),
                Kind::VenueReplaced => text.push_str(&format!(" to {}", Qty::from_raw(report.qty))),
                _ => {}
            }
            (text, 0)
        };
        match parts.last_mut() {
            Some((before, sum)) if *before == text && qty != 0 => *sum += qty,
            _ => parts.push((text, qty)),
        }
    }
    let with_qty = |(text, qty): (String, i64)| match qty {
        0 => text,
        _ => text.replace(" @", &format!(" {}@", Qty::from_raw(qty))),
    };
    parts.into_iter().map(with_qty).collect::<Vec<_>>().join(", ")
}

/// A venue that has seen the opening and its own run begin.
fn live() -> PaperVenue {
    let (mut venue, mut out) = (PaperVenue::new(FillSettings::default(), RUN), Vec::new());
    let records = opening();
    records
        .iter()
        .chain([&started(RUN)])
        .for_each(|event| venue.on_record(event, &mut out));
    assert!(out.is_empty() && !venue.is_catching_up());
    venue
}

/// Each line's record comes a nanosecond after the one before, from 1.
fn check(table: &str) {
    let mut venue = live();
    for (at, row) in table
        .lines()
        .map(str::trim)
        .filter(|row| !row.is_empty())
        .enumerate()
    {
        let (input, expected) = row.split_once("->").unwrap();
        let mut event = line(input);
        event.head.recv_ns = at as u64 + 1;
        let mut out = Vec::new();
        venue.on_record(&event, &mut out);
        assert_eq!(shown(&out), expected.trim(), "{row}");
        assert!(out.iter().all(|answer| answer.origin_ns == at as u64 + 1));
    }
}

#[test]
fn orders_that_can_trade_fill_at_the_touch() {
    check(
        "quote 9.99x100 10.01x50                  ->
         order 1 BUY LIMIT DAY 20 10.05           -> ack 1, fill 1 20@10.01 taker
         order 2 BUY MARKET DAY 10                -> ack 2, fill 2 10@10.01 taker
         order 3 SELL LIMIT GTC 40 9.99           -> ack 3, fill 3 40@9.99 taker
         order 4 SELL_SHORT MARKET DAY 60         -> ack 4, fill 4 60@9.99 taker
         order 5 BUY LIMIT DAY 10 10              -> ack 5",
    );
}

#[test]
fn fills_take_no_more_than_the_displayed_quantity_between_two_quotes() {
    check(
        "quote 9.99x100 10.01x50                  ->
         order 1 BUY LIMIT DAY 80 10.01           -> ack 1, fill 1 50@10.01 taker
         order 2 BUY LIMIT DAY 10 10.01           -> ack 2
         quote 9.99x100 10.02x50                  ->
         quote 9.99x100 10.01x35                  -> fill 1 30@10.01 maker, fill 2 5@10.01 maker",
    );
}

#[test]
fn what_is_left_of_market_and_ioc_orders_is_cancelled() {
    check(
        "order 1 BUY MARKET DAY 5                 -> ack 1, cancelled 1
         quote 9.99x0 10.01x50                    ->
         order 2 BUY MARKET DAY 80                -> ack 2, fill 2 50@10.01 taker, cancelled 2
         order 3 SELL MARKET DAY 80               -> ack 3, cancelled 3
         quote 9.99x5 10.01x50                    ->
         order 4 BUY LIMIT IOC 60 10.01           -> ack 4, fill 4 50@10.01 taker, cancelled 4
         order 5 SELL LIMIT IOC 5 10              -> ack 5, cancelled 5",
    );
}

#[test]
fn a_fill_or_kill_order_has_everything_or_nothing() {
    check(
        "quote 9.99x100 10.01x50                  ->
         order 1 BUY LIMIT FOK 51 10.01           -> ack 1, cancelled 1
         order 2 BUY LIMIT FOK 50 10.01           -> ack 2, fill 2 50@10.01 taker
         order 3 SELL LIMIT FOK 10 10             -> ack 3, cancelled 3",
    );
}

#[test]
fn a_quote_that_reaches_resting_orders_fills_the_better_price_and_the_earlier_first() {
    check(
        "order 1 BUY LIMIT DAY 10 9.98            -> ack 1
         order 2 BUY LIMIT DAY 10 9.99            -> ack 2
         order 3 BUY LIMIT DAY 10 9.99            -> ack 3
         order 4 SELL LIMIT DAY 10 10.02          -> ack 4
         quote 9.97x9 9.99x15                     -> fill 2 10@9.99 maker, fill 3 5@9.99 maker
         quote 9.97x9 9.98x100                    -> fill 3 5@9.99 maker, fill 1 10@9.98 maker
         quote 10.02x10 10.03x5                   -> fill 4 10@10.02 maker",
    );
}

#[test]
fn a_last_trade_fills_what_it_goes_through_and_not_what_it_touches() {
    check(
        "order 1 BUY LIMIT DAY 1000 9.98          -> ack 1
         order 2 SELL LIMIT DAY 10 10.02          -> ack 2
         last 9.98                                ->
         last 10.02                               ->
         last 9.97                                -> fill 1 1000@9.98 maker
         last 10.03                               -> fill 2 10@10.02 maker",
    );
}

#[test]
fn a_stop_is_set_off_by_a_last_trade() {
    check(
        "quote 9.99x100 10.01x100                 ->
         order 1 BUY STOP DAY 10 stop=10.05       -> ack 1
         order 2 SELL STOP DAY 10 stop=9.95       -> ack 2
         order 3 BUY STOP_LIMIT DAY 10 10 stop=10.05 -> ack 3
         last 10.04                               ->
         last 10.05                               -> fill 1 10@10.01 taker
         cancel 3                                 -> cancelled 3
         last 9.94                                -> fill 2 10@9.99 taker
         order 4 SELL STOP DAY 10 stop=9.96       -> ack 4, fill 4 10@9.99 taker
         order 5 SELL STOP_LIMIT DAY 10 10.5 stop=9.96 -> ack 5
         last 10.51                               -> fill 5 10@10.5 maker",
    );
}

#[test]
fn a_stop_without_a_market_behind_it_is_cancelled_when_it_is_set_off() {
    check(
        "order 1 BUY STOP DAY 10 stop=10.05       -> ack 1
         last 10.06                               -> cancelled 1
         cancel 1                                 -> cancel_reject 1 reason 0",
    );
}

#[test]
fn cancels_come_too_late_for_orders_that_have_ended() {
    check(
        "quote 9.99x100 10.01x100                 ->
         order 1 BUY LIMIT DAY 10 10              -> ack 1
         cancel 1                                 -> cancelled 1
         cancel 1                                 -> cancel_reject 1 reason 0
         order 2 BUY LIMIT DAY 10 10.01           -> ack 2, fill 2 10@10.01 taker
         cancel 2                                 -> cancel_reject 2 reason 0
         order 3 BUY LIMIT DAY 10 10              -> ack 3
         asked 3                                  -> cancelled 3
         asked 3                                  -> cancel_reject 3 reason 0
         replace 3 20 10                          -> cancel_reject 3 reason 0",
    );
}

#[test]
fn a_replace_keeps_what_is_filled_and_may_trade_at_once() {
    check(
        "quote 9.99x100 10.01x30                  ->
         order 1 BUY LIMIT DAY 50 10.01           -> ack 1, fill 1 30@10.01 taker
         replace 1 30 10.01                       -> cancel_reject 1 reason 99
         replace 1 40 10.01                       -> replaced 1 to 40
         quote 9.99x100 10.02x100                 ->
         replace 1 60 10.02                       -> replaced 1 to 60, fill 1 30@10.02 taker
         cancel 1                                 -> cancel_reject 1 reason 0",
    );
}

#[test]
fn a_replace_keeps_its_place_only_where_it_shrinks() {
    check(
        "order 1 BUY LIMIT DAY 10 10              -> ack 1
         order 2 BUY LIMIT DAY 10 10              -> ack 2
         replace 1 8 10                           -> replaced 1 to 8
         quote 9.99x1 10x4                        -> fill 1 4@10 maker
         replace 1 20 10                          -> replaced 1 to 20
         quote 9.99x1 10x12                       -> fill 2 10@10 maker, fill 1 2@10 maker",
    );
}

#[test]
fn a_stop_may_be_replaced_before_it_is_set_off() {
    check(
        "quote 9.99x100 10.01x100                 ->
         order 1 BUY STOP_LIMIT DAY 10 10.01 stop=10.05 -> ack 1
         replace 1 12 10.02                       -> replaced 1 to 12
         last 0.01                                -> fill 1 12@10.01 taker",
    );
}

#[test]
fn a_mass_cancel_and_a_kill_cancel_each_order_once_by_their_effects() {
    check(
        "order 1 BUY LIMIT DAY 10 9               -> ack 1
         order 2 SELL LIMIT DAY 10 11             -> ack 2
         mass                                     ->
         asked 1                                  -> cancelled 1
         kill                                     ->
         asked 2                                  -> cancelled 2",
    );
}

#[test]
fn an_order_that_is_held_comes_to_the_venue_when_it_is_released() {
    check(
        "quote 9.99x100 10.01x100                 ->
         held 1 BUY LIMIT DAY 10 10.01            ->
         last 10                                  ->
         released 1                               -> ack 1, fill 1 10@10.01 taker
         released 1                               ->
         held 2 BUY LIMIT DAY 10 9                ->
         cancel 2                                 ->
         held 3 BUY LIMIT DAY 10 9                ->
         asked 3                                  ->
         held 4 BUY LIMIT DAY 10 9                ->
         expired 4                                ->
         released 4                               ->",
    );
}

#[test]
fn orders_end_at_their_time_or_when_the_engine_says_so() {
    check(
        "order 1 BUY LIMIT GTD 10 9 until=4       -> ack 1
         order 2 BUY LIMIT DAY 10 9               -> ack 2
         expired 2                                ->
         nothing                                  -> expired 1
         cancel 1                                 -> cancel_reject 1 reason 0
         cancel 2                                 -> cancel_reject 2 reason 0",
    );
}

#[test]
fn refused_events_do_nothing_at_the_venue() {
    check(
        "order 1 BUY LIMIT DAY 10 10              -> ack 1
         refused order 2 BUY LIMIT DAY 10 10      ->
         refused cancel 1                         ->
         refused quote 9x100 9.5x100              ->
         refused asked 1                          ->
         cancel 1                                 -> cancelled 1",
    );
}

#[test]
fn an_odd_display_gives_whole_lots() {
    check(
        "quote1 9.99x1 10.01x0.25                 ->
         order 1 BUY LIMIT DAY 1 10.01 on=1       -> ack 1, fill 1 0.2@10.01 taker
         quote1 9.99x1 10.01x0.05                 ->
         quote1 9.99x1 10.01x9                    -> fill 1 0.8@10.01 maker",
    );
}

/// All fills that a venue makes of orders of 1 to 300 lots.
fn many_fills(seed: u64) -> Vec<Execution> {
    let settings = FillSettings {
        taker_fee_ppm: 500,
        maker_fee_ppm: -200,
        seed,
    };
    let mut venue = PaperVenue::new(settings, RUN);
    let mut out = Vec::new();
    let records = opening();
    records
        .iter()
        .chain([&started(RUN)])
        .for_each(|event| venue.on_record(event, &mut out));
    for id in 1..=300 {
        venue.on_record(&quote(0, "9.99x1", "10.01x1000"), &mut out);
        let qty = dec("1") * id as i64;
        let body = new_order(id, Side::Buy, OrderType::Market, TimeInForce::Day, qty, 0);
        venue.on_record(&record(Kind::OrderNew, &body), &mut out);
    }
    let events = out.iter().map(recorded);
    events
        .filter(|event| event.kind() == Some(Kind::VenueFill))
        .map(|event| *event.body())
        .collect()
}

#[test]
fn a_fill_comes_in_one_to_three_parts_of_whole_lots() {
    let fills = many_fills(1);
    let mut parts_seen = [0; 4];
    for id in 1..=300 {
        let own: Vec<&Execution> = fills
            .iter()
            .filter(|fill| fill.order_id.counter() == id)
            .collect();
        parts_seen[own.len()] += 1;
        assert_eq!(own.iter().map(|fill| fill.qty).sum::<i64>(), dec("1") * id as i64);
        for (n, fill) in own.iter().enumerate() {
            assert!(fill.qty > 0 && fill.qty % dec("1") == 0);
            assert_eq!(fill.exec_id.as_str(), format!("P{id}-{}", n + 1));
        }
    }
    assert!(
        parts_seen[0] == 0 && parts_seen[1..].iter().all(|&count| count > 50),
        "{parts_seen:?}"
    );
    let sizes = |fills: &[Execution]| fills.iter().map(|fill| fill.qty).collect::<Vec<_>>();
    assert_eq!(sizes(&many_fills(1)), sizes(&fills));
    assert_ne!(sizes(&many_fills(2)), sizes(&fills));
}

#[test]
fn each_fill_has_a_fee_rounded_half_up_to_the_minor_unit() {
    let row = Instrument::default_linear();
    let fee = |qty: &str, px: &str, ppm| crate::answer::fee(&row, dec(qty), dec(px), ppm);
    let money = |text: &str| Some(Money::from_raw(i128::from(dec(text))));
    // 5 bp: 10.00 -> 0.005, halves go up; 9.98 -> 0.00499.
    assert_eq!(fee("1", "10", 500), money("0.01"));
    assert_eq!(fee("1", "9.98", 500), money("0"));
    assert_eq!(fee("100", "142.5", 500), money("7.13"));
    assert_eq!(fee("100", "-142.5", 500), money("7.13"));
    assert_eq!(fee("100", "142.5", -200), money("-2.85"), "a rebate");
    assert_eq!(fee("100", "142.5", 0), money("0"));
    let too_large = crate::answer::fee(&row, i64::MAX, i64::MAX, 500);
    assert_eq!(too_large, None);
    for fill in many_fills(1) {
        assert_eq!(fill.flags, execution_flags::HAS_FEE);
        assert_eq!(Some(fill.fee), crate::answer::fee(&row, fill.qty, fill.px, 500));
    }
}

#[test]
fn another_venue_is_not_listened_to() {
    let mut venue = live();
    let mut out = Vec::new();
    venue.on_record(&line("order 1 BUY LIMIT DAY 10 10"), &mut out);
    let report = VenueReport {
        order_id: OrderId::new(0, 1),
        venue: VenueId(9),
        ..VenueReport::zeroed()
    };
    venue.on_record(&record(Kind::VenueCancelled, &report), &mut out);
    assert_eq!(venue.counts().open_orders, 1);
    assert_eq!(venue.counts().foreign, 0);
}
