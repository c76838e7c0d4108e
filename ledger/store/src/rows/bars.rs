//! Bars of the market.

use super::opt_px;
use crate::table::table;
use tradewind_domain::ids::InstrumentId;
use tradewind_domain::time::UnixNanos;

/// What the market did in one second or minute, or the part of it that a batch saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Seconds of the bar: 1 or 60.
    pub(crate) seconds: u16,
    /// Instrument.
    pub(crate) instrument: InstrumentId,
    /// Begin.
    pub(crate) begin_ns: UnixNanos,
    /// First, highest, lowest and last trade; none without trades.
    pub(crate) prices: Option<[i64; 4]>,
    /// Quantity traded.
    pub(crate) volume: i128,
    /// Price times quantity, at 1e-16.
    pub(crate) turnover: i128,
    /// Trades.
    pub(crate) trades: i64,
    /// Best bid and offer of the last quote, 0 where a side was empty; none without quotes.
    pub(crate) quote: Option<[i64; 2]>,
    /// Quotes.
    pub(crate) quotes: i64,
}

impl Bar {
    /// Lays what came later over it.
    pub(crate) fn merge(&mut self, later: &Bar) {
        self.prices = match (self.prices, later.prices) {
            (Some([open, high, low, _]), Some([_, high2, low2, close])) => {
                Some([open, high.max(high2), low.min(low2), close])
            }
            (old, new) => new.or(old),
        };
        self.volume += later.volume;
        self.turnover += later.turnover;
        self.trades += later.trades;
        self.quote = later.quote.or(self.quote);
        self.quotes += later.quotes;
    }
}

impl Bar {
    fn price(&self, at: usize) -> Option<i128> {
        self.prices.map(|prices| prices[at].into())
    }

    fn side(&self, at: usize) -> Option<i128> {
        self.quote.and_then(|quote| opt_px(quote[at]))
    }
}

table! {
    /// Seconds and minutes of instruments.
    BARS = "bars", key [seconds, instrument_id, begin_ns], of |row: Bar| {
        seconds: int2 = row.seconds as i16;
        instrument_id: int4 = row.instrument.0 as i32;
        begin: time = row.begin_ns;
        open: opt_dec [First] = row.price(0);
        high: opt_dec [High] = row.price(1);
        low: opt_dec [Low] = row.price(2);
        close: opt_dec [Last] = row.price(3);
        volume: dec [Add] = row.volume;
        turnover: wide [Add] = row.turnover;
        trades: int8 [Add] = row.trades;
        bid: opt_dec [Quoted] = row.side(0);
        ask: opt_dec [Quoted] = row.side(1);
        quotes: int8 [Add] = row.quotes;
    }
}
