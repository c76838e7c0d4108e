//! Where a fuzzer begins: small inputs that reach what a target is about. They are made here, and
//! `UPDATE_SEEDS=1 cargo test -p tradewind --test fuzz_seeds` writes them to `fuzz/corpus-seeds`.

use super::journal::{segment_start, slot};
use super::pipeline::{ACCOUNTS, SYMBOLS};
use bytemuck::Zeroable;
use tradewind_domain::codes::{ControlState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    Body, CashMove, Control, Event, Execution, Kind, LastTrade, MassCancel, OrderCancel, OrderNew,
    OrderReplace, Quote, SessionEvent, VenueReport, head_flags,
};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{OrderId, SessionId};
use tradewind_domain::text::Text;

/// A target, the seed's name, its bytes.
pub type Seed = (&'static str, &'static str, Vec<u8>);

/// All seeds.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = journals();
    seeds.extend(records());
    seeds.extend(pipelines());
    seeds.extend(configs());
    seeds.extend(rules());
    seeds.extend(requests());
    let texts = TEXTS
        .iter()
        .map(|&(target, text)| (target, "lines", text.as_bytes().to_vec()));
    seeds.extend(texts);
    seeds
}

/// Scripts of changes to a journal: see `journal.rs` for what the numbers mean.
fn journals() -> Vec<Seed> {
    let raw = [&[0][..], &segment_start()].concat();
    let slots = [&[1][..], &slot()].concat();
    // A record's kind, a header's size, a seal's end, a slot's position, segments taken away and renamed.
    let record = vec![2, 2, 0, 0, 9, 0, 44, 2, 0xfe, 0, 9];
    let header = vec![2, 3, 1, 0, 56, 8, 0, 0, 0, 0, 1, 0, 0, 0];
    let seal = vec![2, 4, 0, 0, 16, 8, 1, 0, 0, 0, 0, 0, 0, 0];
    let moved = vec![2, 5, 0, 0, 32, 8, 0x80, 0x20, 0, 0, 2, 0, 0, 0];
    let before = vec![2, 5, 0, 0, 32, 8, 0x80, 0, 0, 0, 0, 0, 0, 0];
    let gone = vec![2, 6, 1, 0];
    let renamed = vec![2, 7, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
    let short = vec![2, 8, 2, 0, 0, 0x30, 0, 0];
    let torn = vec![2, 0, 2, 0, 0, 0x20, 0, 0, 4, 1, 2, 3, 4];
    let all = [
        ("raw", raw),
        ("slots", slots),
        ("record", record),
        ("header", header),
        ("seal", seal),
        ("moved", moved),
        ("before", before),
        ("gone", gone),
        ("renamed", renamed),
        ("short", short),
        ("torn", torn),
    ];
    let both = all.into_iter().flat_map(|(name, bytes)| {
        [
            ("journal_reader", name, bytes.clone()),
            ("journal_recovery", name, bytes),
        ]
    });
    both.collect()
}

/// One record of every kind, of zeros.
fn records() -> Vec<Seed> {
    let record = |&kind: &Kind| {
        let mut event = Event::empty();
        event.reset(kind);
        event.head.seq = 1;
        event.head.flags = head_flags::LAST;
        event.head.len = event.record_len() as u32;
        let mut bytes = [bytemuck::bytes_of(&event.head), event.body_bytes()].concat();
        bytes.resize(event.record_len(), 0);
        ("record", kind.text(), bytes)
    };
    Kind::ALL.iter().map(record).collect()
}

/// Messages as `pipeline.rs` reads them.
#[derive(Default)]
struct Messages(Vec<u8>);

impl Messages {
    fn add<T: Body>(mut self, kind: Kind, symbol: &str, account: &str, body: &T) -> Self {
        let place =
            |names: &[&str], name: &str| names.iter().position(|known| *known == name).unwrap_or(0) as u16;
        let at = Kind::ALL.iter().position(|known| *known == kind).unwrap_or(0) as u16;
        self.0.extend_from_slice(&at.to_le_bytes());
        self.0.push(2);
        self.0.extend_from_slice(&1_000_000_000u32.to_le_bytes());
        self.0.extend_from_slice(&place(&SYMBOLS, symbol).to_le_bytes());
        self.0.extend_from_slice(&place(&ACCOUNTS, account).to_le_bytes());
        self.0
            .extend_from_slice(&bytemuck::bytes_of(body)[..T::INPUT_LEN]);
        self
    }

    fn order(self, id: &str, symbol: &str, account: &str, qty: i64, px: i64) -> Self {
        let body = OrderNew {
            cl_ord_id: Text::lossy(id),
            qty: qty.abs() * ONE,
            px: px * ONE,
            session: SessionId(1),
            side: if qty > 0 { Side::Buy } else { Side::Sell } as u8,
            ord_type: OrderType::Limit as u8,
            tif: TimeInForce::Day as u8,
            qty_dp: 8,
            px_dp: 8,
            ..OrderNew::zeroed()
        };
        self.add(Kind::OrderNew, symbol, account, &body)
    }

    fn report(self, kind: Kind, order: u64) -> Self {
        let body = VenueReport {
            order_id: OrderId(order),
            ..VenueReport::zeroed()
        };
        self.add(kind, "", "", &body)
    }

    fn fill(self, id: &str, order: u64, qty: i64, px: i64) -> Self {
        let body = Execution {
            order_id: OrderId(order),
            ..execution(id, qty, px)
        };
        self.add(Kind::VenueFill, "", "", &body)
    }

    fn trade(self, id: &str, symbol: &str, account: &str, qty: i64, px: i64) -> Self {
        self.add(Kind::TradeCapture, symbol, account, &execution(id, qty, px))
    }

    fn cash(self, kind: Kind, account: &str, amount: i128) -> Self {
        let body = CashMove {
            amount: Money::from_raw(amount * i128::from(ONE)),
            ..CashMove::zeroed()
        };
        self.add(kind, "USD", account, &body)
    }
}

fn execution(id: &str, qty: i64, px: i64) -> Execution {
    Execution {
        exec_id: Text::lossy(id),
        order_id: OrderId::NONE,
        qty: qty.abs() * ONE,
        px: px * ONE,
        side: if qty > 0 { Side::Buy } else { Side::Sell } as u8,
        qty_dp: 8,
        px_dp: 8,
        ..Execution::zeroed()
    }
}

fn pipelines() -> Vec<Seed> {
    let connected = SessionEvent {
        session: SessionId(1),
        grace_ms: 10,
        name: Text::lossy("S1"),
        ..SessionEvent::zeroed()
    };
    let session = |messages: Messages| messages.add(Kind::SessionConnected, "", "", &connected);
    let life = session(Messages::default())
        .order("C1", "SPY", "A1", 100, 400)
        .report(Kind::VenueAck, 1)
        .fill("X1", 1, 40, 399)
        .fill("X2", 1, 60, 400)
        .order("C2", "SPY", "A1", -150, 401)
        .fill("X3", 2, -150, 401);
    let replace = OrderReplace {
        cl_ord_id: Text::lossy("C2"),
        orig_cl_ord_id: Text::lossy("C1"),
        qty: 120 * ONE,
        px: 401 * ONE,
        session: SessionId(1),
        qty_dp: 8,
        px_dp: 8,
        ..OrderReplace::zeroed()
    };
    let cancel = OrderCancel {
        cl_ord_id: Text::lossy("C3"),
        orig_cl_ord_id: Text::lossy("C2"),
        session: SessionId(1),
        ..OrderCancel::zeroed()
    };
    let changed = session(Messages::default())
        .order("C1", "SPY", "A2", 10, 400)
        .report(Kind::VenueAck, 1)
        .add(Kind::OrderReplace, "", "", &replace)
        .report(Kind::VenueReplaced, 1)
        .add(Kind::OrderCancel, "", "", &cancel)
        .report(Kind::VenueCancelled, 1);
    let lost = session(Messages::default())
        .order("C1", "XBT", "A1-S", 10, 50_000)
        .order("C2", "NEG", "A1", -3, -20)
        .add(Kind::SessionDisconnected, "", "", &connected)
        .cash(Kind::Withdrawal, "A1", 10)
        .cash(Kind::Deposit, "A2", 10);
    let quote = Quote {
        bid: 399 * ONE,
        ask: 401 * ONE,
        bid_qty: ONE,
        ask_qty: ONE,
        px_dp: 8,
        qty_dp: 8,
        ..Quote::zeroed()
    };
    let last = LastTrade {
        px: 400 * ONE,
        qty: ONE,
        px_dp: 8,
        qty_dp: 8,
        ..LastTrade::zeroed()
    };
    let traded = Messages::default()
        .add(Kind::Quote, "SPY", "", &quote)
        .add(Kind::LastTrade, "SPY", "", &last)
        .trade("T1", "SPY", "A1", 10, 400)
        .trade("T1", "SPY", "A1", 10, 400)
        .trade("T2", "XBT", "A2", -10, 50_000);
    let control = Control {
        state: ControlState::Kill as u8,
        author: Text::lossy("desk"),
        ..Control::zeroed()
    };
    let killed = session(Messages::default())
        .order("C1", "SPY", "A1", 10, 400)
        .add(Kind::Kill, "", "ORG", &control)
        .order("C2", "SPY", "A1", 10, 400)
        .add(Kind::MassCancel, "", "ORG", &MassCancel::zeroed());
    let all = [
        ("life", life),
        ("changed", changed),
        ("lost", lost),
        ("traded", traded),
        ("killed", killed),
    ];
    all.into_iter()
        .map(|(name, messages)| ("normalize_process", name, messages.0))
        .collect()
}

fn configs() -> Vec<Seed> {
    let seed = |name, what: u8, text: &str| ("config", name, [&[what][..], text.as_bytes()].concat());
    vec![
        seed(
            "flags",
            0,
            "server\nengine.batch_max=64\njournal.window_bytes=1GiB\nENGINE__IDLE=park\n",
        ),
        seed(
            "file",
            1,
            "[engine]\nidle = \"park\"\nshard = 3\n[journal]\ndurability = \"disk\"\n",
        ),
        seed("reference", 2, super::pipeline::REFERENCE),
    ]
}

fn rules() -> Vec<Seed> {
    let source = super::rules::SOURCE;
    let seed = |name, what: u8, bytes: &[u8]| ("rules", name, [&[what][..], bytes].concat());
    let wrong = source
        .replace("order.px <", "order.price <")
        .replace("(1, 2)", "(1, \"2\"");
    // Bytes of instructions and of the header, as pairs of place and value.
    let changes = [
        8, 0, 2, 16, 0, 0xff, 40, 1, 0x19, 200, 4, 7, 208, 4, 0xff, 216, 4, 0x10,
    ];
    vec![
        seed("source", 0, source.as_bytes()),
        seed("wrong", 0, wrong.as_bytes()),
        seed("document", 1, b"TWRULES1\x01\0\0\0"),
        seed("changed", 2, &changes),
    ]
}

fn requests() -> Vec<Seed> {
    let seed = |name, line: &str| ("control_request", name, line.as_bytes().to_vec());
    vec![
        seed("hello", "{\"v\":1,\"id\":\"1\",\"command\":\"hello\"}\n"),
        seed(
            "kill",
            r#"{"v":1,"id":"2","command":"state.set","operator":"ada","reason":"runaway","args":{"level":"KILL","node":"NORTH"}}"#,
        ),
        seed(
            "limit",
            r#"{"v":1,"command":"limits.set","reason":"\u0061","args":{"label":"x","type":"ORDER_RATE","hard":"5","params":{"burst":"7"}}}"#,
        ),
        seed(
            "order",
            r#"{"v":1,"command":"limits.validate","args":{"account":"A","symbol":"S","side":"BUY","qty":"1","px":"2.5"}}"#,
        ),
        seed("deep", r#"{"v":1,"command":"hello","args":[[[[{"a":[]}]]]]}"#),
    ]
}

const TEXTS: [(&str, &str); 6] = [
    (
        "trades_csv",
        "time,account,symbol,side,qty,px,exec_id,venue,fee,trade_date,settle_date,liquidity,session\n\
         2026-03-02T14:30:00Z,A1,SPY,BUY,100,416.25,X-1,16,0.35,2026-03-02,2026-03-03,TAKER,3\n\
         1772461800000000001,A2,SPY,SELL_SHORT,.5,416.26000000,\"X-2\",,-0.1,,,,\n",
    ),
    (
        "orders_csv",
        "time,type,cl_ord_id,orig_cl_ord_id,order_id,account,symbol,side,ord_type,tif,qty,px\n\
         1,new,C1,,,A1,SPY,BUY,LIMIT,DAY,100,416.25\n\
         2,replace,C2,C1,,,,,,,50,416.5\n\
         3,cancel,C3,,0-42,,,,,,,\n",
    ),
    (
        "jsonl",
        "{\"kind\":\"trade\",\"time\":1,\"account\":\"A1\",\"symbol\":\"SPY\",\"side\":\"BUY\",\"qty\":100,\"px\":416.25,\"exec_id\":\"X\"}\n\
         {\"kind\":\"order_new\",\"time\":\"2\",\"cl_ord_id\":\"C1\",\"account\":\"A1\",\"symbol\":\"SPY\",\"side\":\"BUY\",\"qty\":\"1\"}\n",
    ),
    (
        "us_equity_trades",
        "14417034,1674200,210,Q,2000,0\n14726965,1673300,100,P,20002020,1\n",
    ),
    (
        "binance_trades_csv",
        "recv_ns,event_ms,trade_ms,symbol,trade_id,price,qty,buyer_is_maker\n\
         1723161600164378285,1723161601438,1723161601437,BTCUSDT,3735693016,61685.99,0.00017,true\n",
    ),
    (
        "binance_frames",
        "1723161255088169167 {\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":1,\"s\":\"BTCUSDT\",\"b\":\"1.2\",\"B\":\"2\",\"a\":\"1.3\",\"A\":\"2\"}}\n\
         1723161255088176367 {\"stream\":\"btcusdt@trade\",\"data\":{\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1.2\",\"q\":\"1\",\"X\":\"MARKET\",\"m\":false}}\n",
    ),
];
