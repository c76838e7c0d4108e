//! Bars: what the market did in each second and each minute, from the quotes and trades that the pipeline saw.

use crate::batch::Batch;
use crate::rows::Bar;
use tradewind_domain::event::{Event, LastTrade, Quote};
use tradewind_domain::ids::InstrumentId;
use tradewind_domain::time::NANOS_PER_SEC;

/// Lengths in seconds.
const LENGTHS: [u16; 2] = [1, 60];

/// Best bid and offer.
pub(super) fn quoted(event: &Event, batch: &mut Batch) {
    let quote: &Quote = event.body();
    let side = |px: i64, qty: i64| if qty == 0 { 0 } else { px };
    let sides = [side(quote.bid, quote.bid_qty), side(quote.ask, quote.ask_qty)];
    add(event, quote.instrument, batch, |bar| {
        bar.quote = Some(sides);
        bar.quotes = 1;
    });
}

/// A trade of the market.
pub(super) fn traded(event: &Event, batch: &mut Batch) {
    let trade: &LastTrade = event.body();
    add(event, trade.instrument, batch, |bar| {
        bar.prices = Some([trade.px; 4]);
        bar.volume = trade.qty.into();
        bar.turnover = i128::from(trade.px) * i128::from(trade.qty);
        bar.trades = 1;
    });
}

/// Adds to the bars of the moment at which ingest took the event.
fn add(event: &Event, instrument: InstrumentId, batch: &mut Batch, fill: impl Fn(&mut Bar)) {
    if instrument.is_none() {
        return;
    }
    for seconds in LENGTHS {
        let recv_ns = event.head.recv_ns;
        let begin_ns = recv_ns - recv_ns % (u64::from(seconds) * NANOS_PER_SEC);
        let mut part = Bar {
            seconds,
            instrument,
            begin_ns,
            prices: None,
            volume: 0,
            turnover: 0,
            trades: 0,
            quote: None,
            quotes: 0,
        };
        fill(&mut part);
        batch
            .bars
            .entry((seconds, begin_ns, instrument.0))
            .and_modify(|bar| bar.merge(&part))
            .or_insert(part);
    }
}
