//! The gateway between a real journal and a real ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tradewind_domain::codes::{ClockMode, OrderType, Side, TimeInForce};
use tradewind_domain::event::{EngineStarted, Event, Inbound, InboundLong, Kind, OrderNew};
use tradewind_domain::ids::{InstrumentId, OrderId};
use tradewind_machine::clock::Clock;
use tradewind_machine::idle::IdleStrategy;
use tradewind_machine::journal::{Durability, Journal, JournalConfig, JournalHandle, JournalWriter, StartAt};
use tradewind_machine::pipeline::{Builder, Inline, Settings};
use tradewind_machine::source::{Source, SourceClass};
use tradewind_machine::stage::{Stage, Stages};
use tradewind_paper::{FillSettings, PaperGateway, PaperVenue};

/// A stage that lets everything pass and numbers orders where it stands for the limit check.
struct Pass {
    orders: Option<u64>,
}

impl Stage<Event> for Pass {
    fn name(&self) -> &'static str {
        "pass"
    }
    fn process(&mut self, event: &mut Event) {
        if let (Some(orders), Some(Kind::OrderNew)) = (&mut self.orders, event.kind()) {
            *orders += 1;
            let body: &mut OrderNew = event.body_mut();
            body.view.order_id = OrderId::new(0, *orders);
            body.instrument = InstrumentId(0);
        }
    }
    fn apply(&mut self, _event: &Event) {}
    fn digest(&self, _sink: &mut dyn FnMut(&[u8])) {}
}

fn stages() -> Stages<Event> {
    let pass = |orders| Box::new(Pass { orders });
    [pass(None), pass(None), pass(Some(0)), pass(None), pass(None)]
}

struct Engine {
    pipe: Inline<Event, JournalWriter>,
    journal: JournalHandle,
    orders: Source,
    gateway: PaperGateway,
}

fn engine(dir: &std::path::Path, ring_slots: usize) -> Engine {
    let mut config = JournalConfig::new(dir);
    config.window_dir = dir.join("window");
    config.segment_bytes = 1 << 20;
    config.window_bytes = 4 << 20;
    config.durability = Durability::Memory;
    config.allow_unsafe_fs = true;
    std::fs::create_dir_all(&config.window_dir).unwrap();
    let opened = Journal::open(config).unwrap();
    let epoch = opened.epoch();
    let (writer, journal) = opened.start().unwrap();
    let (clock, _) = Clock::manual(1_000);
    let start = EngineStarted {
        epoch,
        ..bytemuck::Zeroable::zeroed()
    };
    let mut builder = Builder::new(Settings::default(), stages(), writer, clock, ClockMode::Wall)
        .open_with(InboundLong::new(Kind::EngineStarted, &start));
    let orders = builder.source(SourceClass::Order, 64);
    let answers = builder.source(SourceClass::Priority, ring_slots);
    let venue = PaperVenue::new(FillSettings::default(), epoch);
    Engine {
        pipe: builder.inline(),
        journal,
        orders,
        gateway: PaperGateway::new(venue, answers),
    }
}

fn market_order() -> Inbound {
    let body = OrderNew {
        qty: 100,
        side: Side::Buy as u8,
        ord_type: OrderType::Market as u8,
        tif: TimeInForce::Day as u8,
        ..bytemuck::Zeroable::zeroed()
    };
    Inbound::new(Kind::OrderNew, &body)
}

#[test]
fn a_full_ring_delays_answers_and_drops_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = engine(dir.path(), 3);
    let mut follower = engine.journal.follower(StartAt::Start).unwrap();
    for _ in 0..40 {
        assert!(engine.orders.push(market_order()).is_ok());
    }
    engine.pipe.run().unwrap();
    // Without the pipeline taking anything, the ring fills and the gateway reads no further.
    for _ in 0..10 {
        engine.gateway.step(&mut follower).unwrap();
    }
    assert!(engine.gateway.counts().full > 0 && engine.gateway.counts().sent == 3);
    assert!(engine.gateway.counts().records < 10);
    loop {
        let work = engine.gateway.step(&mut follower).unwrap() + engine.pipe.run().unwrap();
        if work == 0 {
            break;
        }
    }
    // An acknowledgement and, as there is no market, the cancel of each.
    assert_eq!(engine.gateway.counts().sent, 80);
    assert_eq!(engine.gateway.venue().counts().open_orders, 0);
    assert_eq!(engine.gateway.counts().records, 1 + 40 + 80);
    engine.pipe.finish(None).unwrap();
    engine.journal.stop().unwrap();
}

#[test]
fn the_gateway_ends_when_told_to_and_when_the_pipeline_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let Engine {
        mut pipe,
        journal,
        mut orders,
        mut gateway,
    } = engine(dir.path(), 64);
    let mut follower = journal.follower(StartAt::Start).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let is_told = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        gateway.run(&mut follower, &is_told, IdleStrategy::Park).unwrap();
        (gateway, follower)
    });
    assert!(orders.push(market_order()).is_ok());
    // Start, order, acknowledgement, cancel.
    while pipe.last().seq < 4 {
        pipe.run().unwrap();
        std::thread::yield_now();
    }
    stop.store(true, Ordering::Release);
    let (mut gateway, mut follower) = thread.join().unwrap();
    assert_eq!(gateway.counts().sent, 2);
    pipe.finish(None).unwrap();
    gateway
        .run(&mut follower, &AtomicBool::new(false), IdleStrategy::Park)
        .unwrap();
    journal.stop().unwrap();
}
