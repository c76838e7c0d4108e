//! Files in, messages out: as tables here, then compressed and cut off, with damaged bytes, and against recordings.

mod damage;
mod recorded;
mod streams;

use super::*;
use tradewind_domain::event::{
    Event, Execution, Kind, LastTrade, OrderCancel, OrderNew, OrderReplace, Quote,
};
use tradewind_domain::fixed::{Price, Qty};
use tradewind_domain::time::{Date, Rfc3339};

fn options() -> Options {
    Options {
        accounts: ["A1", "A2", "A3"].map(Code::lossy).to_vec(),
        session: SessionId(7),
        last_trades: false,
        ..Options::default()
    }
}

fn recording(format: Format, bytes: &[u8], options: &Options) -> Result<Recording, OpenError> {
    read(
        format,
        Cursor::new(bytes.to_vec()),
        bytes.len() as u64,
        "20131008_spy_Trade_Tick.csv",
        options,
    )
}

/// A message in words.
fn describe(inbound: &Inbound) -> String {
    let mut event = Event::empty();
    assert!(inbound.fill(&mut event));
    let (symbol, account) = (event.names.symbol, event.names.account);
    let number = |raw, dp| {
        format!(
            "{}",
            Price::from_raw(tradewind_domain::decimal::rescale(raw, dp).unwrap())
        )
    };
    let rest = match event.kind().unwrap() {
        Kind::TradeCapture => {
            let b = event.body::<Execution>();
            let (qty, px) = (number(b.qty, b.qty_dp), number(b.px, b.px_dp));
            let (trade_date, settle_date) = (Date(b.trade_date), Date(b.settle_date));
            format!(
                "side {} {qty}@{px} id {} venue {} fee {} flags {} on {trade_date} settles {settle_date} liquidity {} session {}",
                b.side, b.exec_id, b.venue, b.fee, b.flags, b.liquidity, b.session
            )
        }
        Kind::LastTrade => {
            let b = event.body::<LastTrade>();
            format!(
                "{}@{} id {} venue {} aggressor {}",
                number(b.qty, b.qty_dp),
                number(b.px, b.px_dp),
                b.trade_id,
                b.venue,
                b.aggressor
            )
        }
        Kind::Quote => {
            let b = event.body::<Quote>();
            let side = |qty, px| format!("{}@{}", number(qty, b.qty_dp), number(px, b.px_dp));
            format!(
                "{} / {} id {} venue {}",
                side(b.bid_qty, b.bid),
                side(b.ask_qty, b.ask),
                b.venue_seq,
                b.venue
            )
        }
        Kind::OrderNew => {
            let b = event.body::<OrderNew>();
            let prices = [b.px, b.stop_px, b.stop_loss_px].map(Price::from_raw);
            format!(
                "{} side {} type {} tif {} {} {prices:?} until {} located {} session {}",
                b.cl_ord_id,
                b.side,
                b.ord_type,
                b.tif,
                Qty::from_raw(b.qty),
                b.expire_ns,
                b.located,
                b.session
            )
        }
        Kind::OrderCancel => {
            let b = event.body::<OrderCancel>();
            format!(
                "{} of {} order {} session {}",
                b.cl_ord_id, b.orig_cl_ord_id, b.order_id, b.session
            )
        }
        Kind::OrderReplace => {
            let b = event.body::<OrderReplace>();
            let (qty, px) = (Qty::from_raw(b.qty), Price::from_raw(b.px));
            format!(
                "{} of {} order {} to {qty}@{px} session {}",
                b.cl_ord_id, b.orig_cl_ord_id, b.order_id, b.session
            )
        }
        kind => panic!("no format makes {kind}"),
    };
    format!(
        "{} {} {symbol} {account} {rest}",
        Rfc3339(event.head.origin_ns),
        event.kind().unwrap()
    )
}

/// Everything that comes out, in words.
fn outcomes(format: Format, text: &str, options: &Options) -> Vec<String> {
    let recording = match recording(format, text.as_bytes(), options) {
        Ok(recording) => recording,
        Err(error) => return vec![format!("open: {error}")],
    };
    recording
        .map(|read| read.map_or_else(|error| error.to_string(), |inbound| describe(&inbound)))
        .collect()
}

fn check(format: Format, text: &str, expected: &[&str]) {
    let got = outcomes(format, text, &options());
    assert_eq!(got, expected, "\n{text}");
}

const TRADES: &str = "\
time,account,symbol,side,qty,px,exec_id,venue,fee,trade_date,settle_date,liquidity,session
2026-03-02T14:30:00Z,A1,SPY,BUY,100,416.25,X-1,16,0.35,2026-03-02,2026-03-03,TAKER,3
1772461800000000001,A2,SPY,SELL_SHORT,.5,416.26000000,\"X-2\",,-0.1,,,,
";

#[test]
fn trades_csv_reads_every_column_and_its_default() {
    check(
        Format::TradesCsv,
        TRADES,
        &[
            "2026-03-02T14:30:00.000000000Z trade_capture SPY A1 side 1 100@416.25 id X-1 venue 16 fee 0.35 flags 3 \
             on 2026-03-02 settles 2026-03-03 liquidity 2 session 3",
            "2026-03-02T14:30:00.000000001Z trade_capture SPY A2 side 5 0.5@416.26 id X-2 venue 0 fee -0.1 flags 1 \
             on 1970-01-01 settles 1970-01-01 liquidity 0 session 7",
        ],
    );
}

#[test]
fn a_broken_line_is_named_and_the_rest_goes_on() {
    let text = "\
px,qty,exec_id,time,symbol,account,side
1,1,X1,0,SPY,A1,BUY
1e5,1,X2,0,SPY,A1,BUY
1,0.123456789,X3,0,SPY,A1,BUY

1,1,X4,yesterday,SPY,A1,BUY
1,1,,0,SPY,A1,BUY
1,1,X6,0,,A1,BUY
1,1,X7,0,SPY,A1,buy
1,1,X8,0,SPY,A1
1,1,X9,0,SPY,A1,BUY,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9
1,1,\"X10,0,SPY,A1,BUY
1,1,12345678901234567890123456789012345678901,0,SPY,A1,BUY
1,1,X\u{e9},0,SPY,A1,BUY\r
1,1,X13,0,SPY,A1,BUY\r
";
    let expected = [
        "1970-01-01T00:00:00.000000000Z trade_capture SPY A1 side 1 1@1 id X1 venue 0 fee 0 flags 0 on 1970-01-01 settles 1970-01-01 liquidity 0 session 7",
        "line 3: px: not a decimal number",
        "line 4: qty: more than 8 decimals",
        "line 6: time: expected nanoseconds since 1970, or a time as 2026-03-02T14:30:00.5Z",
        "line 7: exec_id: missing",
        "line 8: symbol: missing",
        "line 9: side: expected BUY, SELL or SELL_SHORT",
        "line 10: 6 fields, expected 7",
        "line 11: 25 fields, expected 7",
        "line 12: not a line of CSV: a quote is not closed, or a carriage return stands in the middle",
        "line 13: exec_id: longer than 40 bytes",
        "line 14: exec_id: byte 0xc3 is not printable ASCII",
        "1970-01-01T00:00:00.000000000Z trade_capture SPY A1 side 1 1@1 id X13 venue 0 fee 0 flags 0 on 1970-01-01 settles 1970-01-01 liquidity 0 session 7",
    ];
    check(Format::TradesCsv, text, &expected);
    let mut read = recording(Format::TradesCsv, text.as_bytes(), &options()).unwrap();
    let fields: Vec<Option<String>> = read
        .by_ref()
        .filter_map(Result::err)
        .map(|error| error.reason.field().map(str::to_owned))
        .collect();
    assert_eq!(fields[..2], [Some("px".to_owned()), Some("qty".to_owned())]);
    assert_eq!(
        read.counts(),
        Counts {
            lines: 13,
            events: 2,
            skipped: 0,
            errors: 11
        }
    );
}

#[test]
fn headers_say_what_is_wrong_with_them() {
    for (format, text, expected) in [
        (
            Format::TradesCsv,
            "",
            "open: line 1: the file is empty: its first line must name the columns",
        ),
        (
            Format::TradesCsv,
            "time,acount\n",
            "open: line 1: there is no column \"acount\"; did you mean \"account\"?",
        ),
        (
            Format::TradesCsv,
            "time,time\n",
            "open: line 1: time: given twice",
        ),
        (
            Format::TradesCsv,
            "time,account\n",
            "open: line 1: the header lacks the column \"symbol\"",
        ),
        (
            Format::OrdersCsv,
            "time,type\n",
            "open: line 1: the header lacks the column \"cl_ord_id\"",
        ),
        (
            Format::BinanceTradesCsv,
            "recv_ns\n",
            "open: line 1: the header must be \"recv_ns,event_ms,trade_ms,symbol,trade_id,price,qty,buyer_is_maker\"",
        ),
    ] {
        assert_eq!(outcomes(format, text, &options()), [expected]);
    }
    let with_mark = format!("\u{feff}{TRADES}");
    assert_eq!(outcomes(Format::TradesCsv, &with_mark, &options()).len(), 2);
}

const ORDERS: &str = "\
time,type,cl_ord_id,orig_cl_ord_id,order_id,account,symbol,side,ord_type,tif,qty,px,stop_px,stop_loss_px,expire_time,located,session
1,new,C1,,,A1,SPY,BUY,LIMIT,GTD,100,416.25,,400,2026-03-02T21:00:00Z,1,3
2,new,C2,,,A1,SPY,SELL,,,10,,,,,,
3,new,C3,,,A1,SPY,SELL,,IOC,10,1,,,,,
4,cancel,C4,C1,,A1,SPY,BUY,,,,,,,,,
5,cancel,C5,,0-42,,,,,,,,,,,,
6,replace,C6,C1,,A1,SPY,BUY,,,50,416.5,,,,,
7,cancel,C7,,,A1,SPY,BUY,,,,,,,,,
8,cancel,C8,C1,,,,,,,5,,,,,,
9,amend,C9,C1,,,,,,,,,,,,,
10,new,,,,A1,SPY,BUY,,,1,1,,,,,
11,new,C11,C1,,A1,SPY,BUY,,,1,1,,,,,
";

const ORDERS_READ: &[&str] = &[
    "1970-01-01T00:00:00.000000001Z order_new SPY A1 C1 side 1 type 2 tif 5 100 [416.25, 0, 400] until 1772485200000000000 located 1 session 3",
    "1970-01-01T00:00:00.000000002Z order_new SPY A1 C2 side 2 type 1 tif 1 10 [0, 0, 0] until 0 located 0 session 7",
    "1970-01-01T00:00:00.000000003Z order_new SPY A1 C3 side 2 type 2 tif 3 10 [1, 0, 0] until 0 located 0 session 7",
    "1970-01-01T00:00:00.000000004Z order_cancel SPY A1 C4 of C1 order 0-0 session 7",
    "1970-01-01T00:00:00.000000005Z order_cancel   C5 of  order 0-42 session 7",
    "1970-01-01T00:00:00.000000006Z order_replace SPY A1 C6 of C1 order 0-0 to 50@416.5 session 7",
];

#[test]
fn orders_csv_reads_orders_cancels_and_replaces() {
    let refused = [
        "line 8: orig_cl_ord_id: missing",
        "line 9: qty: does not belong to \"cancel\"",
        "line 10: type: expected new, cancel or replace",
        "line 11: cl_ord_id: missing",
        "line 12: orig_cl_ord_id: does not belong to \"new\"",
    ];
    check(Format::OrdersCsv, ORDERS, &[ORDERS_READ, &refused].concat());
}

const JSONL: &str = r#"{"kind":"order_new","time":1,"cl_ord_id":"C1","account":"A1","symbol":"SPY","side":"BUY","ord_type":"LIMIT","tif":"GTD","qty":100,"px":"416.25","stop_loss_px":400,"expire_time":"2026-03-02T21:00:00Z","located":1,"session":3}
{"time":"2","kind":"order_new","cl_ord_id":"C2","account":"A1","symbol":"S\u0050Y","side":"SELL","qty":10.000,"px":null}
{"kind":"order_new","time":3,"cl_ord_id":"C3","account":"A1","symbol":"SPY","side":"SELL","tif":"IOC","qty":"10","px":1.0}
{"kind":"order_cancel","time":4,"cl_ord_id":"C4","orig_cl_ord_id":"C1","account":"A1","symbol":"SPY","side":"BUY"}
{"kind":"order_cancel","time":5,"cl_ord_id":"C5","order_id":"0-42"}
 {"kind":"order_replace","time":6,"cl_ord_id":"C6","orig_cl_ord_id":"C1","account":"A1","symbol":"SPY","qty":50,"px":416.5}
"#;

#[test]
fn jsonl_reads_the_same_as_csv() {
    check(Format::Jsonl, JSONL, ORDERS_READ);
    let trade = r#"{"kind":"trade","time":"2026-03-02T14:30:00Z","account":"A1","symbol":"SPY","side":"BUY","qty":100,"px":416.25,"exec_id":"X-1","venue":16,"fee":0.35,"trade_date":"2026-03-02","settle_date":"2026-03-03","liquidity":"TAKER","session":3}"#;
    assert_eq!(
        outcomes(Format::Jsonl, trade, &options()),
        outcomes(Format::TradesCsv, TRADES, &options())[..1]
    );
}

#[test]
fn jsonl_keeps_numbers_exact_and_refuses_what_it_does_not_know() {
    let trade = |more: &str| {
        format!(r#"{{"kind":"trade","time":1,"account":"A","symbol":"S","side":"BUY","exec_id":"X",{more}}}"#)
    };
    for (line, expected) in [
        (
            trade(r#""qty":0.1,"px":90071992547.40993"#),
            "1970-01-01T00:00:00.000000001Z trade_capture S A side 1 0.1@90071992547.40993 id X venue 0 fee 0 flags 0 on 1970-01-01 settles 1970-01-01 liquidity 0 session 7",
        ),
        (trade(r#""qty":1,"px":1e2"#), "line 1: px: not a decimal number"),
        (
            trade(r#""qty":1,"price":1"#),
            "line 1: there is no column \"price\"; did you mean \"time\"?",
        ),
        (trade(r#""qty":1,"qty":1"#), "line 1: qty: given twice"),
        (
            trade(r#""qty":1,"px":true"#),
            "line 1: px: expected a string or a number",
        ),
        (
            trade(r#""qty":1,"px":1,"tif":"DAY""#),
            "line 1: tif: does not belong to \"trade\"",
        ),
        (
            trade(r#""qty":1,"px":1"#) + "x",
            "line 1: trailing characters at line 1 column 95",
        ),
        (r#"{"time":1}"#.to_owned(), "line 1: kind: missing"),
        (
            r#"{"kind":"quote"}"#.to_owned(),
            "line 1: kind: expected trade, order_new, order_cancel or order_replace",
        ),
        (
            "[]".to_owned(),
            "line 1: invalid type: sequence, expected an object at line 1 column 0",
        ),
        (
            "{".to_owned(),
            "line 1: EOF while parsing an object at line 1 column 1",
        ),
        (
            r#"{"type":"new"}"#.to_owned(),
            "line 1: there is no column \"type\"; did you mean \"time\"?",
        ),
    ] {
        assert_eq!(outcomes(Format::Jsonl, &line, &options()), [expected], "{line}");
    }
}

const PRINTS: &str = "\
14417034,1674200,210,Q,2000,0
14726965,1673300,200,Q,20002020,0
14726965,1673300,100,P,20002020,1
14727122,1673500,100,Z,2000,0
14727124,1673700,1x,Q,2000,0
14727124,16737,1,QQ,2000,0
86400000,1673700,1,Q,2000,0
14727124,1673700,1,Q,200g,0
14727124,1673700,1,Q,2000
14727124,1673700,1,Q,2000,2
14727125,1673500,5,D,,0";

#[test]
fn prints_go_to_accounts_in_turn_with_the_side_of_the_tick() {
    check(
        Format::UsEquityTrades,
        PRINTS,
        &[
            "2013-10-08T08:00:17.034000000Z trade_capture SPY A1 side 1 210@167.42 id 20131008-SPY-1 venue 17 fee 0 flags 0 on 2013-10-08 settles 1970-01-01 liquidity 0 session 7",
            "2013-10-08T08:05:26.965000000Z trade_capture SPY A2 side 2 200@167.33 id 20131008-SPY-2 venue 17 fee 0 flags 0 on 2013-10-08 settles 1970-01-01 liquidity 0 session 7",
            "2013-10-08T08:05:26.965000000Z trade_capture SPY A3 side 2 100@167.33 id 20131008-SPY-3 venue 16 fee 0 flags 0 on 2013-10-08 settles 1970-01-01 liquidity 0 session 7",
            "2013-10-08T08:05:27.122000000Z trade_capture SPY A1 side 1 100@167.35 id 20131008-SPY-4 venue 26 fee 0 flags 0 on 2013-10-08 settles 1970-01-01 liquidity 0 session 7",
            "line 5: size: expected a whole number within range",
            "line 6: exchange: expected a letter A to Z",
            "line 7: time: expected milliseconds of a day",
            "line 8: condition: expected hexadecimal digits",
            "line 9: 5 fields, expected 6",
            "line 10: suspicious: expected 0 or 1",
            "2013-10-08T08:05:27.125000000Z trade_capture SPY A2 side 1 5@167.35 id 20131008-SPY-11 venue 4 fee 0 flags 0 on 2013-10-08 settles 1970-01-01 liquidity 0 session 7",
        ],
    );
}

#[test]
fn prints_set_marks_where_asked_but_not_the_suspicious_ones() {
    let options = Options {
        last_trades: true,
        symbol: Some(Symbol::lossy("XYZ")),
        ..options()
    };
    let got = outcomes(Format::UsEquityTrades, PRINTS, &options);
    assert_eq!(
        got[0],
        "2013-10-08T08:00:17.034000000Z last_trade XYZ  210@167.42 id 1 venue 17 aggressor 0"
    );
    let kinds: Vec<&str> = got
        .iter()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|kind| kind.contains('_'))
        .collect();
    let pair = ["last_trade", "trade_capture"];
    assert_eq!(
        kinds,
        [&pair[..], &pair, &["trade_capture"], &pair, &pair].concat()
    );
}

#[test]
fn prints_need_accounts_a_day_and_a_symbol() {
    let open = |name: &str, options: &Options| {
        read(Format::UsEquityTrades, Cursor::new(Vec::new()), 0, name, options)
            .err()
            .map(|error| error.to_string())
    };
    let nobody = Options {
        accounts: Vec::new(),
        ..options()
    };
    let text = |found: Option<String>| found.unwrap_or_default();
    assert_eq!(
        text(open("20131008_spy.csv", &nobody)),
        "us-equity-trades needs at least one account to book the prints to"
    );
    assert!(text(open("spy.csv", &options())).starts_with("no date"));
    assert!(text(open("20131008_trade.zip", &options())).starts_with("no symbol"));
    let given = Options {
        date: Some(1),
        symbol: Some(Symbol::lossy("X")),
        ..options()
    };
    assert_eq!(open("spy.csv", &given), None);
    assert_eq!(
        recording(Format::BinanceTradesCsv, b"", &nobody)
            .err()
            .map(|e| e.to_string())
            .unwrap(),
        "binance-trades-csv needs at least one account to book the prints to"
    );
}

const BINANCE_TRADES: &str = "\
recv_ns,event_ms,trade_ms,symbol,trade_id,price,qty,buyer_is_maker
1723161600164378285,1723161601438,1723161601437,BTCUSDT,3735693016,61685.99000000,0.00017000,true
1723161600225262985,1723161601499,1723161601498,BTCUSDT,3735693017,61686.00000000,0.00016000,false
1723161600225262985,1723161601499,1723161601498,BTCUSDT,3735693017,61686.00000000,0.00016000,maybe
1723161600225262985,1723161601499,1723161601498,,3735693017,61686.00000000,0.00016000,false
";

#[test]
fn binance_trades_take_the_side_of_the_aggressor() {
    check(
        Format::BinanceTradesCsv,
        BINANCE_TRADES,
        &[
            "2024-08-09T00:00:00.164378285Z trade_capture BTCUSDT A1 side 2 0.00017@61685.99 id BTCUSDT-3735693016 venue 101 fee 0 flags 0 on 2024-08-09 settles 1970-01-01 liquidity 2 session 7",
            "2024-08-09T00:00:00.225262985Z trade_capture BTCUSDT A2 side 1 0.00016@61686 id BTCUSDT-3735693017 venue 101 fee 0 flags 0 on 2024-08-09 settles 1970-01-01 liquidity 2 session 7",
            "line 4: buyer_is_maker: expected true or false",
            "line 5: symbol: missing",
        ],
    );
}

const FRAMES: &str = r#"1723161255088169167 {"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256313}}
1723161255088176367 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}
1723161255088176368 {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":1,"s":"BTCUSDT","t":5266583936,"p":"0","q":"0","X":"NA","m":true}}
1723161255088176369 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","b":[],"a":[]}}
1723161255088176370 {"lastUpdateId":50093421585,"bids":[["1","2"]],"asks":[]}
1723161255088176371 {"stream":"btcusdt@trade","data":{"s":"BTCUSDT","t":1,"p":"61800.3000000001","q":"1","m":true,"M":true}}
1723161255088176372 {"stream":"btcusdt@trade","data":{"s":"BTCUSDT","t":1}}
1723161255088176373
x {}
1723161255088176374 {"stream":"btcusdt@trade","data":{"s":"BTC\u0055SDT","t":1,"p":"61800.3","q":"1","m":true,"M":true}}
"#;

#[test]
fn frames_become_quotes_and_last_trades() {
    check(
        Format::BinanceFrames,
        FRAMES,
        &[
            "2024-08-08T23:54:15.088169167Z quote BTCUSDT  2.507@61800.2 / 2.51@61800.3 id 5123107839020 venue 101",
            "2024-08-08T23:54:15.088176367Z last_trade BTCUSDT  0.006@61800.3 id 5266583935 venue 101 aggressor 1",
            "line 6: p: more than 8 decimals",
            "line 7: missing field `p` at line 1 column 21",
            "line 8: frame: missing",
            "line 9: recv_ns: expected a whole number within range",
            "2024-08-08T23:54:15.088176374Z last_trade BTCUSDT  1@61800.3 id 1 venue 101 aggressor 2",
        ],
    );
    let mut read = recording(Format::BinanceFrames, FRAMES.as_bytes(), &options()).unwrap();
    read.by_ref().for_each(drop);
    assert_eq!(
        read.counts(),
        Counts {
            lines: 10,
            events: 3,
            skipped: 3,
            errors: 4
        }
    );
}

/// Frames of a recorder that writes seconds, and what it asked for.
const FRAMES_IN_SECONDS: &str = r#"wss://stream.binance.com:9443/stream?streams=nknusdt@bookTicker <-> 1633998511.159679
1633998513.377805: {"stream":"nknusdt@bookTicker","data":{"u":499869768,"s":"NKNUSDT","b":"0.3521","B":"672","a":"0.3526","A":"3199"}}
1633998514.4812010001: {"stream":"nknusdt@bookTicker","data":{}}
https://api.binance.com/api/v3/depth?symbol=NKNUSDT -> 1633998512.320639: {"lastUpdateId":499869752,"bids":[],"asks":[]}
"#;

#[test]
fn frames_with_their_receipt_in_seconds_are_read_alike() {
    check(
        Format::BinanceFrames,
        FRAMES_IN_SECONDS,
        &[
            "2021-10-12T00:28:33.377805000Z quote NKNUSDT  672@0.3521 / 3199@0.3526 id 499869768 venue 101",
            "line 3: recv_s: expected seconds since 1970 with at most nine decimals",
        ],
    );
}

#[test]
fn format_names_are_read_back_and_others_name_the_nearest() {
    for format in Format::ALL {
        assert_eq!(format.text().parse(), Ok(format));
    }
    let error = "trade-csv".parse::<Format>().unwrap_err().to_string();
    assert!(
        error.starts_with("there is no format \"trade-csv\"; did you mean trades-csv?"),
        "{error}"
    );
}

/// The examples of docs/file-formats.md are read without an error.
#[test]
fn the_examples_of_the_documentation_are_readable() {
    let page = include_str!("../../../../docs/file-formats.md");
    let mut read = 0;
    for (heading, format) in Format::ALL.map(|format| (format!("\n## `{format}`\n"), format)) {
        let section = page
            .split(&heading)
            .nth(1)
            .unwrap()
            .split("\n## ")
            .next()
            .unwrap();
        for example in section.split("```").skip(1).step_by(2) {
            let (_, text) = example.split_once('\n').unwrap();
            for line in recording(format, text.as_bytes(), &options()).unwrap() {
                assert!(line.is_ok(), "{format}: {}", line.err().unwrap());
                read += 1;
            }
        }
    }
    assert_eq!(read, 10);
}
