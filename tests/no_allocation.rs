//! Once it is warm, the pipeline asks nothing of the allocator: the real stages and the real journal, a million events.

mod support;

use bytemuck::Zeroable;
use std::collections::BTreeMap;
use std::io::Write as _;
use support::firm::{Order, cancel_by_id, dec, fill, last, quote, report};
use support::place::Place;
use support::round;
use support::scenario::rule_parts;
use support::script::Script;
use tradewind::allocator::{self, Allocator};
use tradewind::engine::Prepared;
use tradewind_domain::codes::{LimitAction, LimitType, SelfTradeMode, Side};
use tradewind_domain::event::{
    Event, Execution, Inbound, InboundLong, Kind, LimitSet, OrderCancel, OrderNew, Quote, VenueReport,
};
use tradewind_domain::ids::OrderId;
use tradewind_domain::text::Text;
use tradewind_machine::journal::{JournalHandle, JournalWriter, StartAt};
use tradewind_machine::pipeline::Inline;
use tradewind_machine::source::{Source, SourceClass};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Turns before counting begins: tables and pages are touched once.
const WARM_UP: u64 = 20_000;
/// Counted turns of five events each.
const TURNS: u64 = 200_000;

/// Rules that look at everything and stop nothing.
const RULES: &str = r#"
rule "orders" on order
  when order.qty > 5% of instrument.adv and account.code in ("FREE", "X") or abs(order.px - market.last_px) > 20
  then alert "O" "o"
rule "never" on order
  when min(order.notional, order.qty / 2) < 0 or instrument.symbol in ("A", "B") or known(order.value) and order.value < 0
  then reject "N" "n"
rule "quotes" on quote
  when quote.ask - quote.bid > 100 or known(market.bid) and market.bid > quote.ask + 50
  then reject "Q" "q"
"#;

/// Text from a prefix and a number, made without the heap.
fn numbered<const N: usize>(prefix: u8, number: u64) -> Text<N> {
    let mut bytes = [0; 24];
    let mut rest = &mut bytes[..];
    let written = write!(rest, "{}{number}", char::from(prefix));
    let left = rest.len();
    assert!(written.is_ok());
    Text::new(&bytes[..24 - left]).expect("a short text")
}

/// A pipeline on this thread, and what it is fed with.
struct Desk {
    pipe: Inline<Event, JournalWriter>,
    source: Source,
    now_ns: u64,
    orders: u64,
    /// Messages with all their names; what differs from turn to turn is set anew.
    new: OrderNew,
    fill: Execution,
    ack: VenueReport,
    cancel: OrderCancel,
    quote: Quote,
}

impl Desk {
    fn push(&mut self, message: Inbound) {
        self.now_ns += 1_000;
        assert!(
            self.source.push(message.at(self.now_ns)).is_ok(),
            "the ring has room for a turn"
        );
    }

    fn place(&mut self, side: Side) -> OrderId {
        self.orders += 1;
        self.new.cl_ord_id = numbered(b'C', self.orders);
        self.new.side = side as u8;
        let (symbol, account) = (
            Text::new("GIZMO").expect("short"),
            Text::new("FREE").expect("short"),
        );
        self.push(Inbound::new(Kind::OrderNew, &self.new).named(symbol, account));
        OrderId::new(0, self.orders)
    }

    fn cancelled(&mut self, order_id: OrderId) {
        self.ack.order_id = order_id;
        self.push(Inbound::new(Kind::VenueCancelled, &self.ack));
    }

    /// A purchase that an own sale stands in the way of: it is held, and goes out once that is cancelled.
    fn meet(&mut self) {
        let sale = self.place(Side::Sell);
        let purchase = self.place(Side::Buy);
        self.cancelled(sale);
        self.cancelled(purchase);
    }

    /// A quote; an order that is acknowledged and filled, or cancelled; now and then two that would meet.
    fn turn(&mut self, turn: u64) {
        if turn % 10 == 7 {
            self.meet();
        }
        self.quote.bid = dec("49.95") - (turn % 7) as i64 * dec("0.05");
        let symbol = Text::new("GIZMO").expect("short");
        self.push(Inbound::new(Kind::Quote, &self.quote).named(symbol, Text::EMPTY));
        let order_id = self.place(if turn.is_multiple_of(2) {
            Side::Buy
        } else {
            Side::Sell
        });
        self.ack.order_id = order_id;
        self.push(Inbound::new(Kind::VenueAck, &self.ack));
        if turn % 5 == 4 {
            (self.cancel.cl_ord_id, self.cancel.order_id) = (numbered(b'X', self.orders), order_id);
            self.push(Inbound::new(Kind::OrderCancel, &self.cancel));
            self.cancelled(order_id);
        } else {
            self.fill.order_id = order_id;
            self.fill.qty = dec("10");
            for half in [b'A', b'B'] {
                self.fill.exec_id = numbered(half, self.orders);
                self.fill.qty = dec("5");
                self.push(Inbound::new(Kind::VenueFill, &self.fill));
            }
        }
    }

    /// Runs until nothing is under way, also where the journal makes it wait.
    fn settle(&mut self) {
        while !self.pipe.is_drained() {
            if self.pipe.run().expect("a sound journal") == 0 {
                std::thread::yield_now();
            }
        }
    }

    fn turns(&mut self, turns: std::ops::Range<u64>) {
        for turn in turns {
            self.turn(turn);
            if turn % 16 == 15 {
                self.settle();
            }
        }
        self.settle();
    }
}

/// Own orders of the account do not meet: the older one is cancelled.
fn self_trade_limit() -> InboundLong {
    let limit = LimitSet {
        label: Text::new("OWN").expect("short"),
        params: [SelfTradeMode::CancelOldest as i64, 0, 0, 0, 0, 0],
        limit_type: LimitType::SelfTrade as u8,
        action: LimitAction::Reject as u8,
        ..LimitSet::zeroed()
    };
    let account = Text::new("FREE").expect("short");
    InboundLong::new(Kind::LimitSet, &limit).named(Text::EMPTY, account)
}

/// A pipeline that is fed with what a script has, and counts what it allocates while it runs: making messages is not its work.
struct Counted {
    pipe: Inline<Event, JournalWriter>,
    admin: tradewind_machine::source::LongSource,
    counted: u64,
}

impl Counted {
    fn run(&mut self) -> usize {
        let before = allocator::count();
        let done = self.pipe.run().expect("a sound journal");
        self.counted += allocator::count() - before;
        done
    }

    /// Hands over all messages, and runs until nothing is under way.
    fn feed(&mut self, script: &mut Script) {
        for message in &script.messages {
            while self.admin.push(*message).is_err() {
                self.run();
            }
        }
        script.messages.clear();
        script.expected.clear();
        while !self.pipe.is_drained() {
            if self.run() == 0 {
                std::thread::yield_now();
            }
        }
    }
}

/// Days of the second million, after one that warms up.
const DAYS: u64 = 10;

#[test]
fn a_million_events_of_every_kind_allocate_nothing() {
    let place = Place::new();
    let Prepared { builder, journal, .. } = place.prepare(&[
        "capacity.cl_ord_ids=1000000",
        "capacity.exec_ids=1000000",
        "capacity.closed_orders=100000",
        "capacity.open_orders=20000",
        "journal.segment_bytes=4MiB",
        "journal.window_bytes=32MiB",
        "journal.reserve_bytes=8MiB",
        "journal.retention_bytes=64MiB",
        "journal.durability=memory",
    ]);
    let admin = builder.long_source();
    let mut desk = Counted {
        pipe: builder.inline(),
        admin,
        counted: 0,
    };
    allocator::watch_current_thread();
    let mut script = Script::new();
    round::begin(&mut script);
    let (mut number, mut before_seq, mut events) = (0, 0, 0);
    for day in 0..=DAYS {
        script.at(day, if day == 0 { 8 } else { 1 }, 0);
        // The last day is short, so that a look at its records sees all of it.
        let rounds = match day {
            0 => 200,
            DAYS => 40,
            _ => 1_400,
        };
        for _ in 0..rounds {
            round::round(&mut script, number);
            number += 1;
            desk.feed(&mut script);
        }
        round::corporate_actions(&mut script, day);
        desk.feed(&mut script);
        events = desk.pipe.last().seq;
        // Nobody reads this journal later: old segments may go, so that the disk is not filled.
        journal.set_covered(events.saturating_sub(50_000));
        if day == 0 {
            (before_seq, desk.counted) = (events, 0);
        }
    }
    script.at(DAYS + 1, 12, 0);
    round::round(&mut script, number);
    desk.feed(&mut script);
    events = desk.pipe.last().seq.max(events) - before_seq;
    assert!(events > 1_000_000, "{events} events");
    assert_eq!(desk.counted, 0, "allocations in {events} events");
    assert_every_kind(&journal, desk.pipe.last().seq);
    drop(desk);
    journal.stop().expect("a clean stop");
}

/// The last records are of every kind, and of each some were taken.
fn assert_every_kind(journal: &JournalHandle, last_seq: u64) {
    let mut follower = journal
        .follower(StartAt::Seq(last_seq - 6_000))
        .expect("a follower");
    let (mut taken, mut refused) = (BTreeMap::new(), BTreeMap::new());
    while let Some(record) = follower.poll().expect("a sound journal") {
        let (kind, outcome) = (record.head().kind, record.head().outcome);
        if outcome == 0 {
            *taken.entry(kind).or_insert(0) += 1;
        } else {
            *refused.entry((kind, outcome)).or_insert(0) += 1;
        }
    }
    let missing: Vec<_> = round::KINDS
        .iter()
        .filter(|kind| !taken.contains_key(&(**kind as u16)))
        .collect();
    assert!(
        missing.is_empty(),
        "never taken: {missing:?}; refused: {refused:?}"
    );
}

#[test]
fn a_million_events_after_the_warm_up_allocate_nothing() {
    let place = Place::new();
    let Prepared {
        mut builder, journal, ..
    } = place.prepare(&[
        "capacity.cl_ord_ids=1000000",
        "capacity.exec_ids=1000000",
        "journal.segment_bytes=4MiB",
        "journal.window_bytes=32MiB",
        "journal.reserve_bytes=8MiB",
        "journal.retention_bytes=32MiB",
        "journal.durability=memory",
    ]);
    let source = builder.source(SourceClass::Order, 1_024);
    let admin = builder.long_source();
    let mut pipe = builder.inline();
    let mut script = Script::new();
    script.accepted(last("GIZMO", "50"));
    // Business rules run on every order and quote of the million.
    for part in rule_parts(RULES) {
        script.accepted(part);
    }
    script.accepted(self_trade_limit());
    for message in &script.messages {
        while admin.push(*message).is_err() {
            pipe.run().expect("a sound journal");
        }
    }
    let now_ns = script.messages.last().expect("a message").event().head.origin_ns;
    let body = |message: InboundLong| *message.event();
    let id = OrderId::new(0, 1);
    let mut desk = Desk {
        pipe,
        source,
        now_ns,
        orders: 0,
        new: *body(Order::buy("C", "FREE", "GIZMO", "10", "50").message()).body(),
        fill: *body(fill("E", id, "5", "50")).body(),
        ack: *body(report(Kind::VenueAck, id)).body(),
        cancel: *body(cancel_by_id("X", id)).body(),
        quote: *body(quote("GIZMO", "49.95", "50.05")).body(),
    };
    desk.settle();
    let before_seq = desk.pipe.last().seq;
    // Nobody reads this journal later: old segments may go, so that the disk is not filled.
    journal.set_covered(u64::MAX);

    desk.turns(0..WARM_UP);
    allocator::watch_current_thread();
    let before = allocator::count();
    desk.turns(WARM_UP..WARM_UP + TURNS);
    let counted = allocator::count() - before;
    let events = desk.pipe.last().seq - before_seq;
    assert!(events > 1_000_000, "{events} events");
    assert_eq!(counted, 0, "allocations in a million events");

    // The counter counts, the journal rolled, and the events were what they should be: all of them taken.
    drop(Box::new(std::hint::black_box(1_u64)));
    assert!(allocator::count() > before);
    assert!(
        journal.committed().segment() > 50,
        "the journal rolled many times"
    );
    let last_seq = desk.pipe.last().seq;
    let mut follower = journal
        .follower(StartAt::Seq(last_seq - 10_000))
        .expect("a follower");
    let (mut seen, mut alerted, mut released) = (0, 0, 0);
    while let Some(record) = follower.poll().expect("a sound journal") {
        assert_eq!(
            record.head().outcome,
            0,
            "record {} was refused",
            record.head().seq
        );
        seen += 1;
        alerted += u32::from(record.head().rule_alert == 1);
        released += u32::from(record.head().kind == Kind::OrderReleased as u16);
    }
    assert_eq!(
        seen,
        10_001 + 2 * released,
        "each release has a cancel beside it, and both are parts"
    );
    assert!(released > 100, "orders were held and released: {released}");
    assert!(alerted > 1_000, "the rules ran: {alerted} alerts");
    drop(desk);
    journal.stop().expect("a clean stop");
}
