//! `us-equity-trades`: prints of the US consolidated tape, one symbol and day in a file.
//!
//! A line is `milliseconds since midnight New York, price x 10^4, size, exchange letter, sale condition (hex), suspicious
//! (0/1)`, without a header. The milliseconds count wall-clock time; clocks change on days without trading.
//!
//! The side follows the tick rule: above the print before BUY, below it SELL, at the same price as the print before; the
//! first print is BUY. A suspicious print is booked like any other, but does not set a mark.

use super::error::{OpenError, Reason};
use super::fields::{compact_date, integer};
use super::spread::{Print, Spread, exec_id, venue_of_letter};
use super::{Decoder, Options, Outbox};
use jiff::tz::TimeZoneDatabase;
use tradewind_domain::codes::Side;
use tradewind_domain::text::{Symbol, Text};
use tradewind_domain::time::{DayNumber, UnixNanos, civil};

/// The longest symbol whose execution identifiers fit for ten billion lines.
const SYMBOL_MAX: usize = 20;
const NANOS_PER_MILLI: u64 = 1_000_000;
const MILLIS_PER_DAY: u64 = 86_400_000;

/// Reads `us-equity-trades`.
pub(super) struct Prints {
    symbol: Symbol,
    day: DayNumber,
    /// The day as `YYYYMMDD`.
    day_text: Text<8>,
    midnight: UnixNanos,
    last_px: Option<i64>,
    side: Side,
    spread: Spread,
}

impl Prints {
    /// Symbol and day come from the options, else from the first name that says them.
    pub(super) fn new(names: [&str; 2], options: &Options) -> Result<Self, OpenError> {
        let named = names.map(from_name);
        let day = options
            .date
            .or_else(|| named.iter().find_map(|(day, _)| *day))
            .ok_or(OpenError::NoDate)?;
        let symbol = options
            .symbol
            .or_else(|| named.iter().find_map(|(_, symbol)| *symbol))
            .filter(|symbol| !symbol.is_empty() && symbol.as_bytes().len() <= SYMBOL_MAX)
            .ok_or(OpenError::NoSymbol { max: SYMBOL_MAX })?;
        let (year, month, date) = civil(day);
        Ok(Self {
            symbol,
            day,
            day_text: Text::lossy(format!("{year:04}{month:02}{date:02}")),
            midnight: midnight_in_new_york(day).ok_or(OpenError::NoDate)?,
            last_px: None,
            side: Side::Buy,
            spread: Spread::new(options),
        })
    }

    fn tick(&mut self, px: i64) -> Side {
        self.side = match self.last_px.map(|last| px.cmp(&last)) {
            Some(std::cmp::Ordering::Greater) => Side::Buy,
            Some(std::cmp::Ordering::Less) => Side::Sell,
            Some(std::cmp::Ordering::Equal) | None => self.side,
        };
        self.last_px = Some(px);
        self.side
    }
}

impl Decoder for Prints {
    fn line(&mut self, number: u64, line: &[u8], out: &mut Outbox) -> Result<(), Reason> {
        let mut parts = line.split(|byte| *byte == b',');
        let mut values: [&[u8]; 6] = [&[]; 6];
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
        let [millis, px, qty, exchange, condition, suspicious] = values;
        let millis: u64 = integer("time", millis)?;
        if millis >= MILLIS_PER_DAY {
            return Err(Reason::Value {
                field: "time",
                expected: "milliseconds of a day",
            });
        }
        let venue = match exchange {
            [letter] => venue_of_letter(*letter),
            _ => None,
        };
        if !condition.iter().all(u8::is_ascii_hexdigit) {
            return Err(Reason::Value {
                field: "condition",
                expected: "hexadecimal digits",
            });
        }
        let suspicious = match suspicious {
            b"0" => false,
            b"1" => true,
            _ => {
                return Err(Reason::Value {
                    field: "suspicious",
                    expected: "0 or 1",
                });
            }
        };
        let px = integer("price", px)?;
        let print = Print {
            time: self.midnight + millis * NANOS_PER_MILLI,
            symbol: self.symbol,
            exec_id: exec_id(&[self.day_text.as_bytes(), self.symbol.as_bytes()], number)?,
            trade_id: number,
            venue: venue.ok_or(Reason::Value {
                field: "exchange",
                expected: "a letter A to Z",
            })?,
            trade_date: self.day,
            qty: integer("size", qty)?,
            qty_dp: 0,
            px,
            px_dp: 4,
            side: self.tick(px),
            aggressor: None,
            marks: !suspicious,
        };
        self.spread.book(&print, out);
        Ok(())
    }
}

/// Day and symbol of a name like `20131008_spy_Trade_Tick.csv` or `us_equity_spy_20131008_trade.zip`: the part after the
/// date, or where that begins with `trade` the part before it.
fn from_name(name: &str) -> (Option<DayNumber>, Option<Symbol>) {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let parts: Vec<&str> = stem.split('_').collect();
    let Some(at) = parts.iter().position(|part| compact_date(part).is_some()) else {
        return (None, None);
    };
    let is_symbol = |part: &&&str| !part.to_ascii_lowercase().starts_with("trade");
    let after = parts.get(at + 1).filter(is_symbol);
    let symbol = after.or_else(|| at.checked_sub(1).and_then(|before| parts.get(before)));
    (
        compact_date(parts[at]),
        symbol.and_then(|symbol| Symbol::new(symbol.to_ascii_uppercase()).ok()),
    )
}

/// When a day begins in New York.
fn midnight_in_new_york(day: DayNumber) -> Option<UnixNanos> {
    let (year, month, date) = civil(day);
    let date = jiff::civil::Date::new(
        year.try_into().ok()?,
        month.try_into().ok()?,
        date.try_into().ok()?,
    )
    .ok()?;
    let zone = TimeZoneDatabase::bundled().get("America/New_York").ok()?;
    let midnight = date.to_zoned(zone).ok()?.timestamp().as_nanosecond();
    // A whole day of prints must fit as well.
    midnight
        .try_into()
        .ok()
        .filter(|ns: &u64| ns.checked_add(MILLIS_PER_DAY * NANOS_PER_MILLI).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::time::{day_number, parse_rfc3339};

    #[test]
    fn names_say_day_and_symbol() {
        let day = day_number(2013, 10, 8);
        for (name, symbol) in [
            ("20131008_spy_Trade_Tick.csv", Some("SPY")),
            ("us_equity_spy_20131008_trade.zip", Some("SPY")),
            ("spy_20131008.csv", Some("SPY")),
            ("folder/20131008_brk.a.csv", Some("BRK")),
            ("20131008_trade.zip", None),
        ] {
            let expected = symbol.map(|symbol| Symbol::new(symbol).unwrap());
            assert_eq!(from_name(name), (day, expected), "{name}");
        }
        for name in ["spy.csv", "", "20131308_spy.csv", "2013100_spy"] {
            assert_eq!(from_name(name), (None, None), "{name}");
        }
    }

    #[test]
    fn midnight_follows_summer_time() {
        for (day, expected) in [
            ((2013, 10, 8), "2013-10-08T04:00:00Z"),
            ((2013, 12, 9), "2013-12-09T05:00:00Z"),
            ((1970, 1, 2), "1970-01-02T05:00:00Z"),
        ] {
            let number = day_number(day.0, day.1, day.2).unwrap();
            assert_eq!(midnight_in_new_york(number), parse_rfc3339(expected), "{day:?}");
        }
        assert_eq!(midnight_in_new_york(u32::MAX), None);
        assert_eq!(midnight_in_new_york(day_number(9999, 12, 31).unwrap()), None);
    }
}
