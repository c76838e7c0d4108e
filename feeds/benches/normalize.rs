//! What normalize costs per order: two names resolved and two decimals scaled, over accounts drawn at random.
//!
//! A regression here means that a name costs more cache lines than its control bytes and its bucket. `cargo bench -p
//! tradewind-feeds` prints the curve from 1,000 to 1,000,000 accounts; `cargo test` runs it small. The hash of the result
//! keeps the work from being optimised away and shows that two builds did the same.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads the clock and prints; no stage does"
)]

use bytemuck::Zeroable;
use std::hint::black_box;
use std::time::Instant;
use tradewind_domain::codes::{AccountKind, Level};
use tradewind_domain::event::{
    Capacities, CurrencySet, Event, Inbound, InboundLong, InstrumentSet, Kind, NodeSet, OrderNew,
};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::Text;
use tradewind_feeds::Normalize;
use tradewind_machine::stage::Stage;

const INSTRUMENTS: u32 = 1_000;
const BATCH: usize = 32;

fn main() {
    let full = std::env::args().any(|arg| arg == "--bench");
    let (accounts, orders): (&[u32], usize) = if full {
        (&[1_000, 10_000, 100_000, 1_000_000], 8_000_000)
    } else {
        (&[1_000], 20_000)
    };
    for &accounts in accounts {
        let (ns, hash) = measure(accounts, orders);
        println!("accounts {accounts:>9}  ns/order {ns:>6.1}  hash {hash:016x}");
    }
}

/// Nanoseconds per order, and a hash over the ids found.
fn measure(accounts: u32, orders: usize) -> (f64, u64) {
    let mut stage = world(accounts);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut batch = vec![Event::empty(); BATCH];
    let (mut elapsed, mut hash) = (0u128, 0u64);
    for _ in 0..orders / BATCH {
        for event in &mut batch {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            order(
                (random >> 33) as u32 % accounts,
                (random >> 20) as u32 % INSTRUMENTS,
            )
            .fill(event);
        }
        let start = Instant::now();
        for event in &mut batch {
            stage.process(black_box(event));
        }
        elapsed += start.elapsed().as_nanos();
        for event in &batch {
            let body = event.body::<OrderNew>();
            assert!(event.head.notes == 0 && body.qty_dp == 8);
            hash = (hash ^ u64::from(body.account.0) ^ (u64::from(body.instrument.0) << 32))
                .wrapping_mul(0x0100_0000_01b3);
        }
    }
    (elapsed as f64 / (orders / BATCH * BATCH) as f64, hash)
}

fn code<const N: usize>(prefix: &str, number: u32) -> Text<N> {
    Text::lossy(format!("{prefix}{number:07}"))
}

fn order(account: u32, instrument: u32) -> Inbound {
    let body = OrderNew {
        qty: 100,
        px: 16_742,
        px_dp: 2,
        ..Zeroable::zeroed()
    };
    Inbound::new(Kind::OrderNew, &body).named(code("SYM", instrument), code("ACC", account))
}

fn world(accounts: u32) -> Normalize {
    let capacities = Capacities {
        instruments: INSTRUMENTS,
        nodes: accounts + 1,
        ..Capacities::default()
    };
    let mut stage = Normalize::new(&capacities);
    let mut event = Event::empty();
    let mut send = |message: InboundLong| {
        message.fill(&mut event);
        stage.process(&mut event);
        assert!(!event.is_rejected(), "{:?}", event.reject_code());
    };
    let currency = Text::lossy("USD");
    send(InboundLong::new(
        Kind::CurrencySet,
        &CurrencySet {
            code: currency,
            money_dp: 2,
            ..Zeroable::zeroed()
        },
    ));
    let firm = NodeSet {
        code: Text::lossy("FIRM"),
        level: Level::Firm as u8,
        ..Zeroable::zeroed()
    };
    send(InboundLong::new(Kind::NodeSet, &firm));
    for number in 0..INSTRUMENTS {
        let row = Instrument {
            symbol: code("SYM", number),
            ..Instrument::default_linear()
        };
        send(InboundLong::new(
            Kind::InstrumentSet,
            &InstrumentSet {
                row,
                currency_code: currency,
                ..Zeroable::zeroed()
            },
        ));
    }
    for number in 0..accounts {
        let account = NodeSet {
            code: code("ACC", number),
            parent_code: firm.code,
            currency_code: currency,
            level: Level::Account as u8,
            kind: AccountKind::Margin as u8,
            ..Zeroable::zeroed()
        };
        send(InboundLong::new(Kind::AccountSet, &account));
    }
    stage
}
