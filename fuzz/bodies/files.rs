//! Recorded files of every format: they end, and every line is accounted for.

use tradewind_feeds::codec::{Format, decode_bytes};

fn decode(format: Format, bytes: &[u8]) {
    let counts = decode_bytes(format, bytes);
    let Some(read) = counts.lines.checked_sub(counts.errors + counts.skipped) else {
        panic!("Invariant: a line is read, skipped or an error: {counts:?}");
    };
    // One message a line, or two where prints set marks as well.
    assert!(
        (read..=2 * read).contains(&counts.events),
        "Invariant: every line that was read gives one message or two: {counts:?}"
    );
}

pub(crate) fn trades_csv(bytes: &[u8]) {
    decode(Format::TradesCsv, bytes);
}

pub(crate) fn orders_csv(bytes: &[u8]) {
    decode(Format::OrdersCsv, bytes);
}

pub(crate) fn jsonl(bytes: &[u8]) {
    decode(Format::Jsonl, bytes);
}

pub(crate) fn us_equity_trades(bytes: &[u8]) {
    decode(Format::UsEquityTrades, bytes);
}

pub(crate) fn binance_trades_csv(bytes: &[u8]) {
    decode(Format::BinanceTradesCsv, bytes);
}

pub(crate) fn binance_frames(bytes: &[u8]) {
    decode(Format::BinanceFrames, bytes);
}
