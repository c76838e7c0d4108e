//! What a condition may look at: every field with its number, name, type, and the events that have it.
//!
//! Invariant: a field's number stands in journaled programs. It is never reused and keeps its meaning and its type.

use tradewind_domain::codes::{AccountKind, InstrumentKind, OrderType, Side, TimeInForce};

/// What a rule is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RuleEvent {
    /// A new order, or a replace of one.
    Order = 1,
    /// A trade executed elsewhere for one of our accounts. Fills of our own orders are none: their orders were asked about.
    Trade = 2,
    /// Best bid and offer of a venue.
    Quote = 3,
}

impl RuleEvent {
    /// Every event, by number.
    pub const ALL: [RuleEvent; 3] = [RuleEvent::Order, RuleEvent::Trade, RuleEvent::Quote];

    /// The event of a number in a program.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(RuleEvent::Order),
            2 => Some(RuleEvent::Trade),
            3 => Some(RuleEvent::Quote),
            _ => None,
        }
    }

    /// The word in a rules file.
    pub const fn text(self) -> &'static str {
        match self {
            RuleEvent::Order => "order",
            RuleEvent::Trade => "trade",
            RuleEvent::Quote => "quote",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A decimal, at 1e-8.
    Number,
    /// True or false.
    Flag,
    /// Printable ASCII of at most 32 bytes.
    Text,
    /// [`Side`].
    Side,
    /// [`OrderType`].
    OrderType,
    /// [`TimeInForce`].
    TimeInForce,
    /// [`InstrumentKind`].
    InstrumentKind,
    /// [`AccountKind`].
    AccountKind,
    /// A day of the week, 1 for Monday.
    Weekday,
}

const WEEKDAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

impl FieldType {
    /// What it is called in messages.
    pub const fn text(self) -> &'static str {
        match self {
            FieldType::Number => "a number",
            FieldType::Flag => "a condition",
            FieldType::Text => "a text",
            FieldType::Side => "a side",
            FieldType::OrderType => "an order type",
            FieldType::TimeInForce => "a time in force",
            FieldType::InstrumentKind => "an instrument kind",
            FieldType::AccountKind => "an account kind",
            FieldType::Weekday => "a day of the week",
        }
    }

    /// The words of a closed set, with the codes that a program compares; nothing for other types.
    pub fn words(self) -> Vec<(&'static str, i128)> {
        macro_rules! words {
            ($code:ty) => {
                <$code>::ALL
                    .iter()
                    .map(|code| (code.text(), *code as i128))
                    .collect()
            };
        }
        match self {
            FieldType::Side => words!(Side),
            FieldType::OrderType => words!(OrderType),
            FieldType::TimeInForce => words!(TimeInForce),
            FieldType::InstrumentKind => words!(InstrumentKind),
            FieldType::AccountKind => words!(AccountKind),
            FieldType::Weekday => WEEKDAYS.into_iter().zip(1..).collect(),
            FieldType::Number | FieldType::Flag | FieldType::Text => Vec::new(),
        }
    }

    /// True where two values have an order, so that `<` means something.
    pub const fn is_ordered(self) -> bool {
        matches!(self, FieldType::Number | FieldType::Weekday)
    }
}

const ORDER: u8 = RuleEvent::Order.bit();
const TRADE: u8 = RuleEvent::Trade.bit();
const QUOTE: u8 = RuleEvent::Quote.bit();
const CLIENT: u8 = ORDER | TRADE;
const ALL: u8 = ORDER | TRADE | QUOTE;

macro_rules! fields {
    ($($name:ident = $number:literal, $text:literal, $events:expr, $type:ident, $doc:literal;)*) => {
        /// A field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Field { $(#[doc = $doc] $name = $number,)* }

        impl Field {
            /// Every field, by number.
            pub const ALL: &[Field] = &[$(Field::$name,)*];
            /// The field of a number in a program.
            #[inline]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Field::$name),)* _ => None }
            }
            /// Its name in a rules file.
            pub const fn text(self) -> &'static str {
                match self { $(Field::$name => $text,)* }
            }
            /// What it holds.
            pub const fn field_type(self) -> FieldType {
                match self { $(Field::$name => FieldType::$type,)* }
            }
            /// What it means, for the manual.
            pub const fn doc(self) -> &'static str {
                match self { $(Field::$name => $doc,)* }
            }
            const fn events(self) -> u8 {
                match self { $(Field::$name => $events,)* }
            }
        }
    };
}

fields! {
    OrderSide = 1, "order.side", ORDER, Side, "Side.";
    OrderType = 2, "order.type", ORDER, OrderType, "Order type.";
    OrderTif = 3, "order.tif", ORDER, TimeInForce, "Time in force.";
    OrderQty = 4, "order.qty", ORDER, Number, "Quantity; of a replace the new total, fills included.";
    OrderPx = 5, "order.px", ORDER, Number, "Limit price; missing for market and stop orders.";
    OrderStopPx = 6, "order.stop_px", ORDER, Number, "Stop price; missing where the type has none.";
    OrderPxOrLast = 7, "order.px_or_last", ORDER, Number, "Limit price, else the stop price, else the last price, else the mark.";
    OrderNotional = 8, "order.notional", ORDER, Number, "Value at `order.px_or_last` in the instrument's currency.";
    OrderValue = 9, "order.value", ORDER, Number, "Value at `order.px_or_last` in base currency; missing without a rate.";
    OrderSession = 10, "order.session", ORDER, Number, "Number of the client session.";
    OrderLocated = 11, "order.located", ORDER, Flag, "A locate was obtained; missing for a replace.";
    OrderIsReplace = 12, "order.is_replace", ORDER, Flag, "It replaces an order.";

    TradeSide = 20, "trade.side", TRADE, Side, "Side.";
    TradeQty = 21, "trade.qty", TRADE, Number, "Quantity.";
    TradePx = 22, "trade.px", TRADE, Number, "Price.";
    TradeNotional = 23, "trade.notional", TRADE, Number, "Value in the instrument's currency.";
    TradeValue = 24, "trade.value", TRADE, Number, "Value in base currency; missing without a rate.";
    TradeSession = 25, "trade.session", TRADE, Number, "Number of the session that reported it.";
    TradeVenue = 26, "trade.venue", TRADE, Number, "Number of the venue.";

    QuoteBid = 30, "quote.bid", QUOTE, Number, "Best bid; missing where that side is empty.";
    QuoteAsk = 31, "quote.ask", QUOTE, Number, "Best offer; missing where that side is empty.";
    QuoteBidQty = 32, "quote.bid_qty", QUOTE, Number, "Quantity at the bid.";
    QuoteAskQty = 33, "quote.ask_qty", QUOTE, Number, "Quantity at the offer.";
    QuoteVenue = 34, "quote.venue", QUOTE, Number, "Number of the venue.";

    Symbol = 40, "instrument.symbol", ALL, Text, "Symbol.";
    Kind = 41, "instrument.kind", ALL, InstrumentKind, "Kind.";
    Sector = 42, "instrument.sector", ALL, Text, "Sector; empty where none is set.";
    Currency = 43, "instrument.currency", ALL, Text, "Currency of its prices.";
    Lot = 44, "instrument.lot", ALL, Number, "Quantity step.";
    Tick = 45, "instrument.tick", ALL, Number, "Price step.";
    Mult = 46, "instrument.mult", ALL, Number, "Contract multiplier.";
    Adv = 47, "instrument.adv", ALL, Number, "Average daily volume; missing where none is set.";
    AvgOrderQty = 48, "instrument.avg_order_qty", ALL, Number, "Usual order quantity; missing where none is set.";
    EasyToBorrow = 49, "instrument.easy_to_borrow", ALL, Flag, "It may be sold short without a locate.";

    Account = 60, "account.code", CLIENT, Text, "Account.";
    AccountKind = 61, "account.kind", CLIENT, AccountKind, "Kind.";
    Strategy = 62, "account.strategy", CLIENT, Text, "Strategy below the account; empty where none is named.";
    User = 63, "account.user", CLIENT, Text, "User above the account; empty where there is none.";
    Desk = 64, "account.desk", CLIENT, Text, "Desk above the account; empty where there is none.";
    Organisation = 65, "account.org", CLIENT, Text, "Organisation above the account; empty where there is none.";

    LastPx = 80, "market.last_px", ALL, Number, "Last traded price; missing before the first trade.";
    LastAgeMs = 81, "market.last_age_ms", ALL, Number, "Milliseconds since then; missing before the first trade.";
    Bid = 82, "market.bid", ALL, Number, "Best bid before this event; missing where that side is empty.";
    Ask = 83, "market.ask", ALL, Number, "Best offer before this event; missing where that side is empty.";
    Mark = 84, "market.mark", ALL, Number, "Mark from outside; missing where there is none.";
    Halted = 85, "market.halted", ALL, Flag, "The instrument is halted.";

    SinceOpen = 90, "time.since_open_min", ALL, Number, "Minutes since the session opened, negative before; missing on a day without a session.";
    UntilClose = 91, "time.until_close_min", ALL, Number, "Minutes until the session closes, negative after; missing on a day without a session.";
    MinuteOfDay = 92, "time.minute_of_day", ALL, Number, "Minutes since midnight UTC.";
    Weekday = 93, "time.weekday", ALL, Weekday, "Day of the week of the trading date; missing before the calendar's first day.";
    IsOpen = 94, "time.is_open", ALL, Flag, "The instrument's session is open.";
}

impl Field {
    /// The field of a name in a rules file.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.text() == name)
    }

    /// True where rules of this event may look at it.
    pub const fn is_of(self, event: RuleEvent) -> bool {
        self.events() & event.bit() != 0
    }
}
