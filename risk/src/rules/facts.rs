//! What a condition sees of an event: each field is looked up when a program asks for it, and not before.

use super::Best;
use super::directory::Directory;
use crate::calendar::Calendars;
use crate::market::{Market, MarketRow};
use crate::orders::table::OrderRow;
use tradewind_domain::codes::{Level, OrderType};
use tradewind_domain::event::{Execution, OrderNew, OrderReplace, Quote};
use tradewind_domain::fixed::{ONE, Price, Qty};
use tradewind_domain::ids::NodeId;
use tradewind_domain::reference::{Instrument, instrument_flags};
use tradewind_domain::rounding;
use tradewind_domain::text::Text;
use tradewind_domain::time::{NANOS_PER_DAY, UnixNanos};
use tradewind_rules::{Facts, Field};

/// Nanoseconds at 1e-8 of a minute.
const NANOS_PER_MINUTE_UNIT: i128 = 600;
/// Parts of a millisecond at 1e-8 in a nanosecond.
const MS_UNITS_PER_NANO: i128 = 100;

/// An order as it is asked for: a new one, or what a replace makes of one.
#[derive(Clone, Copy, Debug)]
pub struct Requested {
    /// [`Side`](tradewind_domain::codes::Side).
    pub side: u8,
    /// [`OrderType`].
    pub ord_type: u8,
    /// [`TimeInForce`](tradewind_domain::codes::TimeInForce).
    pub tif: u8,
    /// Quantity at 1e-8.
    pub qty: i64,
    /// Limit price at 1e-8.
    pub px: i64,
    /// Stop price at 1e-8.
    pub stop_px: i64,
    /// Client session.
    pub session: u32,
    /// A locate was obtained; `None` where nobody said.
    pub located: Option<bool>,
    /// It replaces an order.
    pub is_replace: bool,
}

impl Requested {
    /// A new order.
    #[inline]
    pub fn of_new(order: &OrderNew) -> Self {
        Self {
            side: order.side,
            ord_type: order.ord_type,
            tif: order.tif,
            qty: order.qty,
            px: order.px,
            stop_px: order.stop_px,
            session: order.session.0,
            located: Some(order.located != 0),
            is_replace: false,
        }
    }

    /// What a replace makes of the order in this row.
    pub fn of_replace(replace: &OrderReplace, old: &OrderRow) -> Self {
        Self {
            side: old.side,
            ord_type: old.ord_type,
            tif: old.tif,
            qty: replace.qty,
            px: replace.px,
            stop_px: replace.stop_px,
            session: replace.session.0,
            located: None,
            is_replace: true,
        }
    }

    fn limit_px(&self) -> Option<i64> {
        match OrderType::from_code(self.ord_type)? {
            OrderType::Limit | OrderType::StopLimit => Some(self.px),
            _ => None,
        }
    }

    fn stop_px(&self) -> Option<i64> {
        match OrderType::from_code(self.ord_type)? {
            OrderType::Stop | OrderType::StopLimit => Some(self.stop_px),
            _ => None,
        }
    }
}

/// What the event is about.
pub(super) enum Subject<'a> {
    Order(Requested),
    Trade(&'a Execution),
    Quote(&'a Quote),
}

/// The facts of one event.
pub(super) struct EventFacts<'a> {
    pub(super) instrument: &'a Instrument,
    pub(super) market: &'a Market,
    pub(super) calendars: &'a Calendars,
    pub(super) directory: &'a Directory,
    pub(super) best: Best,
    pub(super) leaf: NodeId,
    pub(super) now_ns: UnixNanos,
    pub(super) subject: Subject<'a>,
}

fn flag(is_set: bool) -> Option<i128> {
    Some(i128::from(is_set))
}

/// A value that is missing where it is zero.
fn unless_zero(raw: i64) -> Option<i128> {
    (raw != 0).then(|| i128::from(raw))
}

fn unless_empty(px: i64) -> Option<i128> {
    (px != Best::EMPTY).then(|| i128::from(px))
}

/// A whole number at 1e-8.
fn whole(number: u32) -> Option<i128> {
    Some(i128::from(number) * i128::from(ONE))
}

impl EventFacts<'_> {
    fn row(&self) -> Option<&MarketRow> {
        self.market.row(self.instrument.id)
    }

    fn last_px(&self) -> Option<i64> {
        self.row().filter(|row| row.last_ns != 0).map(|row| row.last_px)
    }

    fn mark_px(&self) -> Option<i64> {
        self.row().map(|row| row.mark_px).filter(|px| *px != 0)
    }

    /// Value in the currency whose rate is given, as limits value it: one unit, ceiled to 1e-8, times the quantity.
    fn value(&self, qty: i64, px: i64, rate: i64) -> Option<i128> {
        let unit = rounding::unit_value(self.instrument, Price::from_raw(px), rate)?;
        Some(rounding::notional(Qty::from_raw(qty), unit).raw() / i128::from(ONE))
    }

    fn base_value(&self, qty: i64, px: i64) -> Option<i128> {
        self.value(qty, px, self.market.rate(self.instrument.currency)?)
    }

    fn px_or_last(&self, order: &Requested) -> Option<i64> {
        order
            .limit_px()
            .or_else(|| order.stop_px())
            .or_else(|| self.last_px())
            .or_else(|| self.mark_px())
    }

    fn of_order(&self, order: &Requested, field: Field) -> Option<i128> {
        match field {
            Field::OrderSide => Some(order.side.into()),
            Field::OrderType => Some(order.ord_type.into()),
            Field::OrderTif => Some(order.tif.into()),
            Field::OrderQty => Some(order.qty.into()),
            Field::OrderPx => order.limit_px().map(i128::from),
            Field::OrderStopPx => order.stop_px().map(i128::from),
            Field::OrderPxOrLast => self.px_or_last(order).map(i128::from),
            Field::OrderNotional => self.value(order.qty, self.px_or_last(order)?, ONE),
            Field::OrderValue => self.base_value(order.qty, self.px_or_last(order)?),
            Field::OrderSession => whole(order.session),
            Field::OrderLocated => order.located.and_then(flag),
            Field::OrderIsReplace => flag(order.is_replace),
            _ => None,
        }
    }

    fn of_trade(&self, trade: &Execution, field: Field) -> Option<i128> {
        match field {
            Field::TradeSide => Some(trade.side.into()),
            Field::TradeQty => Some(trade.qty.into()),
            Field::TradePx => Some(trade.px.into()),
            Field::TradeNotional => self.value(trade.qty, trade.px, ONE),
            Field::TradeValue => self.base_value(trade.qty, trade.px),
            Field::TradeSession => whole(trade.session.0),
            Field::TradeVenue => whole(trade.venue.0.into()),
            _ => None,
        }
    }

    fn of_quote(quote: &Quote, field: Field) -> Option<i128> {
        let side = |px: i64, qty: i64| (qty > 0).then(|| i128::from(px));
        match field {
            Field::QuoteBid => side(quote.bid, quote.bid_qty),
            Field::QuoteAsk => side(quote.ask, quote.ask_qty),
            Field::QuoteBidQty => Some(quote.bid_qty.into()),
            Field::QuoteAskQty => Some(quote.ask_qty.into()),
            Field::QuoteVenue => whole(quote.venue.0.into()),
            _ => None,
        }
    }

    fn of_time(&self, field: Field) -> Option<i128> {
        let calendar = self.instrument.calendar;
        let minutes =
            |from: UnixNanos, to: UnixNanos| (i128::from(to) - i128::from(from)) / NANOS_PER_MINUTE_UNIT;
        match field {
            Field::SinceOpen => Some(minutes(self.calendars.session(calendar)?.0, self.now_ns)),
            Field::UntilClose => Some(minutes(self.now_ns, self.calendars.session(calendar)?.1)),
            Field::MinuteOfDay => Some(minutes(0, self.now_ns % NANOS_PER_DAY)),
            Field::Weekday => {
                // 1970-01-01, day 0, was a Thursday.
                let date = self.calendars.date(calendar);
                (date != 0).then(|| i128::from((date + 3) % 7 + 1))
            }
            Field::IsOpen => flag(self.calendars.is_open(calendar, self.now_ns)),
            _ => None,
        }
    }
}

impl Facts for EventFacts<'_> {
    #[inline]
    fn number(&self, field: Field) -> Option<i128> {
        let instrument = self.instrument;
        match field {
            Field::Kind => Some(instrument.kind.into()),
            Field::Lot => Some(instrument.lot.into()),
            Field::Tick => Some(instrument.tick.into()),
            Field::Mult => Some(instrument.mult.into()),
            Field::Adv => unless_zero(instrument.adv),
            Field::AvgOrderQty => unless_zero(instrument.avg_order_qty),
            Field::EasyToBorrow => flag(instrument.flags & instrument_flags::EASY_TO_BORROW != 0),
            Field::AccountKind => self.directory.account_kind(self.leaf).map(i128::from),
            Field::LastPx => self.last_px().map(i128::from),
            Field::LastAgeMs => {
                let last_ns = self.row().map(|row| row.last_ns).filter(|ns| *ns != 0)?;
                Some(i128::from(self.now_ns.saturating_sub(last_ns)) * MS_UNITS_PER_NANO)
            }
            Field::Bid => unless_empty(self.best.bid),
            Field::Ask => unless_empty(self.best.ask),
            Field::Mark => self.mark_px().map(i128::from),
            Field::Halted => flag(self.row()?.halted != 0),
            Field::SinceOpen | Field::UntilClose | Field::MinuteOfDay | Field::Weekday | Field::IsOpen => {
                self.of_time(field)
            }
            _ => match &self.subject {
                Subject::Order(order) => self.of_order(order, field),
                Subject::Trade(trade) => self.of_trade(trade, field),
                Subject::Quote(quote) => Self::of_quote(quote, field),
            },
        }
    }

    #[inline]
    fn text(&self, field: Field) -> &[u8; 32] {
        static NONE: Text<32> = Text::EMPTY;
        match field {
            Field::Symbol => self.instrument.symbol.padded(),
            Field::Sector => self.instrument.sector.padded(),
            Field::Currency => self.directory.currency(self.instrument.currency),
            Field::Account => self.directory.name(self.leaf, Level::Account),
            Field::Strategy => self.directory.name(self.leaf, Level::Strategy),
            Field::User => self.directory.name(self.leaf, Level::User),
            Field::Desk => self.directory.name(self.leaf, Level::Desk),
            Field::Organisation => self.directory.name(self.leaf, Level::Org),
            _ => NONE.padded(),
        }
    }
}
