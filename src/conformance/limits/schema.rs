//! Setup and steps of the family `limits`, as its schema has them. A field that is not known is an error: it would have a meaning
//! that is not played.

use crate::conformance::decimals::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tradewind_domain::codes::{InstrumentKind, Level, LimitType, OrderType, Side, TimeInForce};
use tradewind_domain::time::{DayNumber, UnixNanos, parse_date, parse_rfc3339};

/// Values by name.
pub(crate) type ByName<T> = BTreeMap<String, T>;

/// A case.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    /// How things stand before the first step.
    pub(crate) setup: Setup,
    /// What happens, in this order.
    pub(crate) steps: Vec<Step>,
}

/// How things stand before the first step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setup {
    /// Base currency.
    pub(crate) base_ccy: String,
    /// Time zone of the trading day, by IANA name.
    pub(crate) tz: String,
    /// Local time at which it rolls.
    #[serde(deserialize_with = "minute")]
    pub(crate) day_roll: u16,
    /// Dates that are no trading dates.
    #[serde(default, deserialize_with = "dates")]
    pub(crate) holidays: Vec<DayNumber>,
    /// True where weekends and holidays are trading dates too.
    #[serde(default)]
    pub(crate) weekend_trading: bool,
    /// Parent of each node.
    pub(crate) tree: ByName<String>,
    /// Level of each node.
    #[serde(deserialize_with = "levels")]
    pub(crate) levels: ByName<Level>,
    /// Instruments by symbol.
    pub(crate) instruments: ByName<Instrument>,
    /// Base currency units per unit of a currency.
    #[serde(default)]
    pub(crate) fx: ByName<Decimal>,
    /// Slippage assumed for market orders, in basis points.
    #[serde(default = "slip_default")]
    pub(crate) market_slip_bps: Decimal,
    /// Age at which a last price is no reference any more.
    #[serde(default = "age_default")]
    pub(crate) risk_ref_max_age_ms: u32,
    /// Quantities by leaf and symbol.
    #[serde(default)]
    pub(crate) positions: ByName<ByName<Decimal>>,
    /// Configured marks by symbol.
    #[serde(default)]
    pub(crate) marks: ByName<Decimal>,
    /// Settled cash by node, in base currency.
    #[serde(default)]
    pub(crate) cash: ByName<Decimal>,
    /// Equity by node.
    #[serde(default)]
    pub(crate) equity: ByName<Decimal>,
    /// Balance at the start of the day by node.
    #[serde(default)]
    pub(crate) sod_balance: ByName<Decimal>,
    /// Located quantities by account and symbol.
    #[serde(default)]
    pub(crate) locates: ByName<ByName<Decimal>>,
    /// What holds while the user service is down.
    pub(crate) emergency: Option<Emergency>,
    /// Cancel on disconnect.
    pub(crate) cod: Option<CancelOnDisconnect>,
    /// Limits.
    #[serde(default)]
    pub(crate) limits: Vec<Limit>,
}

/// An instrument.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Instrument {
    /// Currency.
    pub(crate) ccy: String,
    /// Contract multiplier.
    pub(crate) mult: Decimal,
    /// Kind.
    #[serde(deserialize_with = "kind")]
    pub(crate) kind: InstrumentKind,
    /// Sector.
    #[serde(default)]
    pub(crate) sector: String,
    /// Average daily volume; 0 where absent.
    pub(crate) adv: Option<Decimal>,
    /// Usual order quantity; 0 where absent.
    pub(crate) avg_order_qty: Option<Decimal>,
    /// Quantity step.
    pub(crate) lot: Option<Decimal>,
    /// Price step.
    pub(crate) tick: Option<Decimal>,
    /// Initial margin of a unit bought; 100 % of value where absent.
    pub(crate) im_buy: Option<Decimal>,
    /// Initial margin of a unit sold; 100 % of value where absent.
    pub(crate) im_sell: Option<Decimal>,
    /// May be sold short without a locate.
    #[serde(default)]
    pub(crate) easy_to_borrow: bool,
    /// Trading hours.
    pub(crate) session: Option<Session>,
}

/// Trading hours in local time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    /// Time zone by IANA name.
    pub(crate) tz: String,
    /// Opens, minutes after midnight.
    #[serde(deserialize_with = "minute")]
    pub(crate) open: u16,
    /// Closes, exclusive.
    #[serde(deserialize_with = "minute")]
    pub(crate) close: u16,
    /// Earlier closes by date.
    #[serde(default)]
    pub(crate) early_close: ByName<String>,
}

/// Emergency limits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Emergency {
    /// Value of a day in base currency.
    pub(crate) daily: Decimal,
    /// Value of one order.
    pub(crate) single: Decimal,
    /// Seconds for which they hold.
    pub(crate) valid_s: u32,
    /// What may be done.
    pub(crate) actions: Vec<String>,
    /// Level whose daily counter is compared.
    #[serde(deserialize_with = "level")]
    pub(crate) scope_level: Level,
}

/// Cancel on disconnect.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelOnDisconnect {
    /// How long a lost session may take to come back.
    pub(crate) grace_ms: u32,
    /// GTC and GTD orders are cancelled too.
    #[serde(default)]
    pub(crate) include_gtc: bool,
}

/// A limit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// Label.
    pub(crate) id: String,
    /// Node that it binds.
    pub(crate) scope: String,
    /// Type.
    #[serde(rename = "type", deserialize_with = "limit_type")]
    pub(crate) limit_type: LimitType,
    /// The figure that must not be exceeded.
    pub(crate) hard: Option<Decimal>,
    /// Warning threshold in percent.
    pub(crate) soft_pct: Option<Decimal>,
    /// What it looks at.
    #[serde(default)]
    pub(crate) filter: Option<Filter>,
    /// Parameters by type.
    #[serde(default)]
    pub(crate) params: Option<Map<String, Value>>,
}

/// What a limit looks at; everything where a field is absent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Only this instrument.
    pub(crate) symbol: Option<String>,
    /// Only this sector.
    pub(crate) sector: Option<String>,
    /// Only this kind.
    #[serde(default, deserialize_with = "some_kind")]
    pub(crate) kind: Option<InstrumentKind>,
}

/// One thing that happens, and what becomes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// When.
    #[serde(deserialize_with = "instant")]
    pub(crate) t: UnixNanos,
    /// What happens.
    pub(crate) op: Op,
    /// What becomes of it.
    #[serde(default)]
    pub(crate) expect: Map<String, Value>,
    /// Identifier of the order, or of the replacing request.
    pub(crate) cl: Option<String>,
    /// Identifier of the order that is replaced.
    pub(crate) orig: Option<String>,
    /// Node.
    pub(crate) node: Option<String>,
    /// Symbol.
    pub(crate) sym: Option<String>,
    /// Side.
    #[serde(default, deserialize_with = "some_side")]
    pub(crate) side: Option<Side>,
    /// Order type.
    #[serde(default, rename = "type", deserialize_with = "some_order_type")]
    pub(crate) ord_type: Option<OrderType>,
    /// Quantity.
    pub(crate) qty: Option<Decimal>,
    /// Price.
    pub(crate) px: Option<Decimal>,
    /// Stop price.
    pub(crate) stop_px: Option<Decimal>,
    /// Price at which the trader would give up.
    pub(crate) stop_loss: Option<Decimal>,
    /// Time in force.
    #[serde(default, deserialize_with = "some_tif")]
    pub(crate) tif: Option<TimeInForce>,
    /// Session.
    pub(crate) session: Option<String>,
    /// The client's own time stamp.
    #[serde(default, deserialize_with = "some_instant")]
    pub(crate) sent: Option<UnixNanos>,
    /// The venue's identifier of a fill.
    pub(crate) exec_id: Option<String>,
    /// Price of the last trade.
    pub(crate) last: Option<Decimal>,
    /// Trading is halted.
    pub(crate) halted: Option<bool>,
    /// Equity of a node.
    pub(crate) equity: Option<Decimal>,
    /// Balance of a node.
    pub(crate) balance: Option<Decimal>,
    /// State that is asked for.
    pub(crate) level: Option<String>,
    /// Who asks.
    pub(crate) by: Option<Vec<String>>,
    /// UP or DOWN.
    pub(crate) status: Option<String>,
    /// Label of a limit.
    pub(crate) limit_id: Option<String>,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are those of the schema")]
pub(crate) enum Op {
    Place,
    Replace,
    Cancel,
    Reject,
    Expire,
    Fill,
    Bust,
    Md,
    Equity,
    Kill,
    Rearm,
    State,
    UserService,
    Disconnect,
    Reconnect,
    Tick,
    Query,
    TradingDate,
}

fn slip_default() -> Decimal {
    Decimal::scaled(500, 0).unwrap_or_else(|| unreachable!("Invariant: 500 fits"))
}

const fn age_default() -> u32 {
    60_000
}

/// `HH:MM` as minutes after midnight; 24:00 is the end of the day.
pub(crate) fn minute_of(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && hour * 60 + minute <= 1_440).then_some(hour * 60 + minute)
}

/// Reads a text with `read`; `what` says what it should have been.
fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    what: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    said(&text, what, read)
}

fn said<E: serde::de::Error, T>(text: &str, what: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, E> {
    read(text).ok_or_else(|| E::custom(format!("`{text}` is no {what}")))
}

macro_rules! texts {
    ($($name:ident, $some:ident: $type:ty, $what:literal, $read:expr;)*) => {$(
        #[allow(dead_code, reason = "a field is required or optional")]
        fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
            text(deserializer, $what, $read)
        }
        #[allow(dead_code, reason = "a field is required or optional")]
        fn $some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<$type>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| said(&text, $what, $read)).transpose()
        }
    )*};
}

texts! {
    minute, some_minute: u16, "time of day", minute_of;
    instant, some_instant: UnixNanos, "instant", parse_rfc3339;
    kind, some_kind: InstrumentKind, "kind of instrument", InstrumentKind::from_text;
    level, some_level: Level, "level", Level::from_text;
    limit_type, some_limit_type: LimitType, "limit type", LimitType::from_text;
    side, some_side: Side, "side", Side::from_text;
    order_type, some_order_type: OrderType, "order type", OrderType::from_text;
    tif, some_tif: TimeInForce, "time in force", TimeInForce::from_text;
}

fn dates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DayNumber>, D::Error> {
    let mut days = Vec::new();
    for text in Vec::<String>::deserialize(deserializer)? {
        let day = parse_date(&text);
        days.push(day.ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no date")))?);
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

fn levels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByName<Level>, D::Error> {
    let mut levels = ByName::new();
    for (node, text) in ByName::<String>::deserialize(deserializer)? {
        let level = Level::from_text(&text);
        let level = level.ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no level")))?;
        levels.insert(node, level);
    }
    Ok(levels)
}
