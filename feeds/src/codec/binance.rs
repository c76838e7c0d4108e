//! `binance-trades-csv` and `binance-frames`: what was recorded at Binance.
//!
//! Times of the messages are the recorder's, in nanoseconds at the beginning of each line: the venue's own clock runs apart
//! from it. Trades become executed trades of our accounts with the side of the aggressor.

use super::error::Reason;
use super::fields::{decimal, integer, seconds_ns, text};
use super::spread::{BINANCE, Print, Spread, exec_id};
use super::{Decoder, Options, Outbox};
use bytemuck::Zeroable;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Inbound, Kind, LastTrade, Quote};
use tradewind_domain::fixed::SCALE_DP;
use tradewind_domain::ids::VenueId;
use tradewind_domain::text::{Code, Symbol};
use tradewind_domain::time::{UnixNanos, utc_day};

const DP: u8 = SCALE_DP as u8;
const NANOS_PER_MILLI: u64 = 1_000_000;
const HEADER: &str = "recv_ns,event_ms,trade_ms,symbol,trade_id,price,qty,buyer_is_maker";

/// Reads `binance-trades-csv`.
pub(super) struct Trades {
    venue: VenueId,
    spread: Spread,
}

impl Trades {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            venue: options.venue.unwrap_or(BINANCE),
            spread: Spread::new(options),
        }
    }
}

impl Decoder for Trades {
    fn has_header(&self) -> bool {
        true
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Reason> {
        if line == HEADER.as_bytes() {
            Ok(())
        } else {
            Err(Reason::Header { expected: HEADER })
        }
    }

    fn line(&mut self, _number: u64, line: &[u8], out: &mut Outbox) -> Result<(), Reason> {
        let mut parts = line.split(|byte| *byte == b',');
        let mut values: [&[u8]; 8] = [&[]; 8];
        let found = parts
            .by_ref()
            .zip(&mut values)
            .map(|(part, value)| *value = part)
            .count()
            + parts.count();
        if found != values.len() {
            return Err(Reason::FieldCount {
                found,
                expected: values.len(),
            });
        }
        let [
            recv_ns,
            event_ms,
            trade_ms,
            symbol,
            trade_id,
            price,
            qty,
            buyer_is_maker,
        ] = values;
        integer::<u64>("event_ms", event_ms)?;
        let out_of_range = Reason::Value {
            field: "trade_ms",
            expected: "milliseconds since 1970",
        };
        let trade_ns = integer::<u64>("trade_ms", trade_ms)?
            .checked_mul(NANOS_PER_MILLI)
            .ok_or(out_of_range)?;
        let aggressor = match buyer_is_maker {
            b"true" => Side::Sell,
            b"false" => Side::Buy,
            _ => {
                return Err(Reason::Value {
                    field: "buyer_is_maker",
                    expected: "true or false",
                });
            }
        };
        let trade_id = integer("trade_id", trade_id)?;
        let print = Print {
            time: integer("recv_ns", recv_ns)?,
            symbol: needed("symbol", symbol)?,
            exec_id: exec_id(&[symbol], trade_id)?,
            trade_id,
            venue: self.venue,
            trade_date: utc_day(trade_ns),
            side: aggressor,
            aggressor: Some(aggressor),
            qty: decimal("qty", qty)?,
            qty_dp: DP,
            px: decimal("price", price)?,
            px_dp: DP,
            marks: true,
        };
        self.spread.book(&print, out);
        Ok(())
    }
}

/// A symbol, which must be there.
fn needed(field: &'static str, bytes: &[u8]) -> Result<Symbol, Reason> {
    if bytes.is_empty() {
        Err(Reason::Missing { field })
    } else {
        text(field, bytes)
    }
}

/// Reads `binance-frames`: `<receipt> <frame of a combined stream>`, with the receipt in nanoseconds, or in seconds and a colon.
pub(super) struct Frames {
    venue: VenueId,
}

impl Frames {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            venue: options.venue.unwrap_or(BINANCE),
        }
    }

    fn quote(&self, time: UnixNanos, ticker: &BookTicker<'_>) -> Result<Inbound, Reason> {
        let body = Quote {
            bid: decimal("b", ticker.bid.as_bytes())?,
            bid_qty: decimal("B", ticker.bid_qty.as_bytes())?,
            ask: decimal("a", ticker.ask.as_bytes())?,
            ask_qty: decimal("A", ticker.ask_qty.as_bytes())?,
            venue_seq: ticker.update_id,
            venue: self.venue,
            px_dp: DP,
            qty_dp: DP,
            ..Quote::zeroed()
        };
        let symbol = needed("s", ticker.symbol.as_bytes())?;
        Ok(Inbound::new(Kind::Quote, &body)
            .named(symbol, Code::EMPTY)
            .at(time))
    }

    fn last_trade(&self, time: UnixNanos, trade: &Trade<'_>) -> Result<Inbound, Reason> {
        let aggressor = if trade.buyer_is_maker {
            Side::Sell
        } else {
            Side::Buy
        };
        let body = LastTrade {
            px: decimal("p", trade.px.as_bytes())?,
            qty: decimal("q", trade.qty.as_bytes())?,
            trade_id: trade.trade_id,
            venue: self.venue,
            px_dp: DP,
            qty_dp: DP,
            aggressor: aggressor as u8,
            ..LastTrade::zeroed()
        };
        let symbol = needed("s", trade.symbol.as_bytes())?;
        Ok(Inbound::new(Kind::LastTrade, &body)
            .named(symbol, Code::EMPTY)
            .at(time))
    }
}

impl Decoder for Frames {
    fn line(&mut self, _number: u64, line: &[u8], out: &mut Outbox) -> Result<(), Reason> {
        if is_note(line) {
            return Ok(());
        }
        let space = line.iter().position(|byte| *byte == b' ');
        let (time, frame) = line.split_at(space.ok_or(Reason::Missing { field: "frame" })?);
        let time = match time.strip_suffix(b":") {
            Some(seconds) => seconds_ns("recv_s", seconds)?,
            None => integer("recv_ns", time)?,
        };
        let frame: Frame<'_> = serde_json::from_slice(&frame[1..])?;
        let (Some(stream), Some(data)) = (&frame.stream, frame.data) else {
            // Not of a stream: a snapshot of the book, or an answer to a subscription.
            return Ok(());
        };
        match stream.0.split('@').nth(1) {
            Some("bookTicker") => out.push_back(self.quote(time, &serde_json::from_str(data.get())?)?),
            Some("trade") => {
                let trade: Trade<'_> = serde_json::from_str(data.get())?;
                // Futures streams also carry trades of the insurance fund and of liquidations: they are no market price.
                if trade
                    .execution
                    .as_ref()
                    .is_none_or(|execution| execution.0 == "MARKET")
                {
                    out.push_back(self.last_trade(time, &trade)?);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// True for a line in which a recorder says what it asked for, and where: it begins with the address.
fn is_note(line: &[u8]) -> bool {
    [&b"wss://"[..], b"ws://", b"https://", b"http://"]
        .iter()
        .any(|scheme| line.starts_with(scheme))
}

/// The envelope of a combined stream.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    stream: Option<Str<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Best bid and offer. Unknown members are passed over: the venue adds some from time to time.
#[derive(Deserialize)]
struct BookTicker<'a> {
    #[serde(rename = "u")]
    update_id: u64,
    #[serde(rename = "s", borrow)]
    symbol: Cow<'a, str>,
    #[serde(rename = "b", borrow)]
    bid: Cow<'a, str>,
    #[serde(rename = "B", borrow)]
    bid_qty: Cow<'a, str>,
    #[serde(rename = "a", borrow)]
    ask: Cow<'a, str>,
    #[serde(rename = "A", borrow)]
    ask_qty: Cow<'a, str>,
}

/// A trade of the market.
#[derive(Deserialize)]
struct Trade<'a> {
    #[serde(rename = "s", borrow)]
    symbol: Cow<'a, str>,
    #[serde(rename = "t")]
    trade_id: u64,
    #[serde(rename = "p", borrow)]
    px: Cow<'a, str>,
    #[serde(rename = "q", borrow)]
    qty: Cow<'a, str>,
    #[serde(rename = "m")]
    buyer_is_maker: bool,
    /// Futures only: how the trade came about.
    #[serde(rename = "X", borrow)]
    execution: Option<Str<'a>>,
}

/// A string that is borrowed where it has no escapes, also within an `Option`.
#[derive(Deserialize)]
#[serde(transparent)]
struct Str<'a>(#[serde(borrow)] Cow<'a, str>);
