//! Why an order, trade or command was refused, with the order in which reasons are given.
//!
//! Invariant: a number is never reused and never changes its meaning; it stands in journals for ever. Add at the end of a
//! group.

macro_rules! reject_codes {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $text:literal, p $priority:literal, ord $fix:literal;)*) => {
        /// Why something was refused: journaled, counted, sent back. When several apply the lowest
        /// [`priority`](RejectCode::priority) is given first (LIMITS sections 5 and 14).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum RejectCode { $($(#[doc = $doc])* $name = $code,)* }

        impl RejectCode {
            /// Every code, in the order of the numbers' declaration.
            pub const ALL: &[RejectCode] = &[$(RejectCode::$name,)*];

            /// The code of a number, or `None` for one that this build does not know.
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($code => Some(RejectCode::$name),)* _ => None }
            }
            /// The name that clients see (FIX text, HTTP `code`).
            pub const fn text(self) -> &'static str {
                match self { $(RejectCode::$name => $text,)* }
            }
            /// What it means, in a sentence for people.
            pub fn words(self) -> &'static str {
                match self { $(RejectCode::$name => concat!($($doc),*),)* }.trim_start()
            }
            /// Precedence: the lowest number is reported first.
            #[inline]
            pub const fn priority(self) -> u8 {
                match self { $(RejectCode::$name => $priority,)* }
            }
            /// OrdRejReason (FIX 4.4 tag 103), LIMITS section 6.
            pub const fn ord_rej_reason(self) -> u16 {
                match self { $(RejectCode::$name => $fix,)* }
            }
        }
    };
}

reject_codes! {
    // 1..=99: the message itself
    /// A field that must be there is missing, or the message makes no sense.
    Malformed = 1, "MALFORMED", p 1, ord 99;
    /// This kind of event, or this use of it, has no behaviour in this version.
    UnsupportedEvent = 2, "UNSUPPORTED_EVENT", p 2, ord 99;
    /// The side is none that the venue or the product knows.
    InvalidSide = 3, "INVALID_SIDE", p 3, ord 99;
    /// The order type is unknown.
    InvalidOrderType = 4, "INVALID_ORDER_TYPE", p 3, ord 99;
    /// The time in force is unknown, or does not go with the order.
    InvalidTimeInForce = 5, "INVALID_TIME_IN_FORCE", p 3, ord 99;
    /// The quantity is not above zero.
    InvalidQty = 6, "INVALID_QTY", p 4, ord 13;
    /// The price is missing, or not above zero where it must be.
    InvalidPrice = 7, "INVALID_PRICE", p 4, ord 99;
    /// A stop price is missing or makes no sense.
    InvalidStopPrice = 8, "INVALID_STOP_PRICE", p 4, ord 99;
    /// More decimals than can be kept.
    InvalidPrecision = 9, "INVALID_PRECISION", p 4, ord 99;
    /// The expiry is missing or in the past.
    InvalidExpiry = 10, "INVALID_EXPIRY", p 4, ord 99;
    /// A value does not fit, or a sum would not.
    Overflow = 11, "OVERFLOW", p 66, ord 3;
    /// The order's time stamp is too old, or more than a second ahead (L09).
    StaleOrder = 12, "STALE_ORDER", p 58, ord 8;
    /// The price is not on the tick.
    InvalidTick = 13, "INVALID_TICK", p 60, ord 99;
    /// The quantity is not a multiple of the lot.
    InvalidLot = 14, "INVALID_LOT", p 60, ord 13;
    /// The currency is not that of the instrument or account.
    CurrencyMismatch = 15, "CURRENCY_MISMATCH", p 4, ord 99;
    /// An admin value is outside its range.
    InvalidValue = 16, "INVALID_VALUE", p 4, ord 99;

    // 100..=199: reference data, orders and trades
    /// No such account (stops every other check).
    UnknownAccount = 100, "UNKNOWN_ACCOUNT", p 5, ord 15;
    /// No such instrument.
    UnknownSymbol = 101, "UNKNOWN_SYMBOL", p 6, ord 1;
    /// The instrument's session is closed, or it is halted.
    MarketClosed = 102, "MARKET_CLOSED", p 55, ord 2;
    /// No reference price where one is needed.
    NoReferencePrice = 103, "NO_REFERENCE_PRICE", p 61, ord 99;
    /// The reference price of the collar is too old.
    StaleReferencePrice = 104, "STALE_REFERENCE_PRICE", p 80, ord 99;
    /// The price is outside the collar (L05).
    PriceOutsideCollar = 105, "PRICE_OUTSIDE_COLLAR", p 80, ord 99;
    /// No such order.
    UnknownOrder = 106, "UNKNOWN_ORDER", p 7, ord 5;
    /// The order is closed already.
    TooLateToCancel = 107, "TOO_LATE_TO_CANCEL", p 7, ord 99;
    /// This ClOrdID was seen in this session and trading day, or belongs to an open order (L10a).
    DuplicateClOrdId = 108, "DUPLICATE_CLORDID", p 40, ord 6;
    /// The same order again within the window (L10b).
    DuplicateOrder = 109, "DUPLICATE_ORDER", p 41, ord 6;
    /// This execution was booked already: ignored and counted.
    DuplicateExecId = 110, "DUPLICATE_EXEC_ID", p 7, ord 99;
    /// A fill for an order that is not known: quarantined.
    OrphanFill = 111, "ORPHAN_FILL", p 7, ord 99;
    /// A replace to no more than what is filled.
    ReplaceQtyNotAboveCum = 112, "REPLACE_QTY_NOT_ABOVE_CUM", p 8, ord 99;
    /// A cancel or replace of the order is pending.
    PendingCancelReplace = 113, "PENDING_CANCEL_REPLACE", p 8, ord 99;
    /// No such node of the hierarchy, or a parent that cannot be one.
    UnknownNode = 114, "UNKNOWN_NODE", p 5, ord 99;
    /// No such currency.
    UnknownCurrency = 115, "UNKNOWN_CURRENCY", p 5, ord 99;
    /// No such calendar.
    UnknownCalendar = 116, "UNKNOWN_CALENDAR", p 5, ord 99;
    /// No such limit, or a type that this version does not evaluate.
    UnknownLimit = 117, "UNKNOWN_LIMIT", p 5, ord 99;
    /// No such session.
    UnknownSession = 118, "UNKNOWN_SESSION", p 5, ord 99;
    /// No such trade.
    UnknownTrade = 119, "UNKNOWN_TRADE", p 7, ord 99;
    /// The trade was busted already.
    AlreadyBusted = 120, "ALREADY_BUSTED", p 7, ord 99;
    /// An executed trade's price is outside the wide collar: quarantined.
    QuarantinePrice = 121, "QUARANTINE_PRICE", p 80, ord 99;
    /// The event does not go with the order's state (an acknowledgement of a closed order): ignored and counted.
    StateMismatch = 122, "STATE_MISMATCH", p 7, ord 99;
    /// The name is taken by something else.
    NameTaken = 123, "NAME_TAKEN", p 5, ord 99;
    /// A business rule refused it: the rule's own code and text stand in the rules document (`Head::rule`).
    BusinessRule = 124, "BUSINESS_RULE", p 52, ord 99;
    /// A business rule put an executed trade aside: quarantined.
    QuarantineRule = 125, "QUARANTINE_RULE", p 81, ord 99;
    /// No such allocation.
    UnknownAllocation = 126, "UNKNOWN_ALLOCATION", p 7, ord 99;
    /// The execution is part of an allocation that stands.
    AlreadyAllocated = 127, "ALREADY_ALLOCATED", p 7, ord 99;
    /// The quantities of the legs do not add up to the block.
    AllocationQty = 128, "ALLOCATION_QTY", p 8, ord 99;
    /// The trade is a leg of an allocation, which is taken back as a whole.
    AllocationLeg = 129, "ALLOCATION_LEG", p 7, ord 99;
    /// No such account of the firm.
    UnknownLedgerAccount = 130, "UNKNOWN_LEDGER_ACCOUNT", p 5, ord 99;
    /// The two accounts belong to different ledgers.
    LedgerMismatch = 131, "LEDGER_MISMATCH", p 5, ord 99;
    /// Debit and credit are one account.
    SameAccount = 132, "SAME_ACCOUNT", p 5, ord 99;
    /// No such pending transfer.
    PendingNotFound = 133, "PENDING_NOT_FOUND", p 7, ord 99;
    /// The pending transfer was posted already.
    PendingAlreadyPosted = 134, "PENDING_ALREADY_POSTED", p 7, ord 99;
    /// The pending transfer was voided already.
    PendingAlreadyVoided = 135, "PENDING_ALREADY_VOIDED", p 7, ord 99;
    /// More is posted than is pending.
    ExceedsPendingAmount = 136, "EXCEEDS_PENDING_AMOUNT", p 8, ord 99;

    // 200..=299: limits
    /// The order's quantity is above the limit (L01).
    MaxOrderQty = 201, "MAX_ORDER_QTY", p 70, ord 3;
    /// The order's value is above the limit (L02).
    MaxOrderNotional = 202, "MAX_ORDER_NOTIONAL", p 72, ord 3;
    /// The order is far larger than is usual (L03).
    FatFinger = 203, "FAT_FINGER", p 74, ord 3;
    /// The order is too large a share of the average daily volume (L04).
    AdvOrder = 204, "ADV_ORDER", p 76, ord 3;
    /// The day's orders are too large a share of the average daily volume (L04).
    AdvDay = 205, "ADV_DAY", p 110, ord 3;
    /// The instrument is on a restricted list: no trade (L06).
    RestrictedSymbol = 206, "RESTRICTED_SYMBOL", p 51, ord 0;
    /// The instrument is on a restricted list: only orders that reduce (L06).
    CloseOnlySymbol = 207, "CLOSE_ONLY_SYMBOL", p 51, ord 0;
    /// The instrument is on a restricted list: no short sales (L06).
    NoShortSymbol = 208, "NO_SHORT_SYMBOL", p 51, ord 0;
    /// Nobody has permitted this account to trade that (L07).
    NotAuthorized = 209, "NOT_AUTHORIZED", p 20, ord 0;
    /// Too many orders in the period (L11).
    OrderRateExceeded = 210, "ORDER_RATE_EXCEEDED", p 31, ord 99;
    /// Too many messages in the period (L12).
    MsgRateExceeded = 211, "MSG_RATE_EXCEEDED", p 30, ord 99;
    /// The strategy is disabled: it traded the same again and again (L13).
    StrategyDisabled = 212, "STRATEGY_DISABLED", p 35, ord 0;
    /// The sale is marked long, and more is sold than is held (L14).
    ShortMarkingRequired = 213, "SHORT_MARKING_REQUIRED", p 85, ord 11;
    /// A short sale needs a locate (L14).
    LocateRequired = 214, "LOCATE_REQUIRED", p 85, ord 0;
    /// The order would trade with an order of the same owner (L15).
    SelfTrade = 215, "SELF_TRADE", p 90, ord 99;
    /// Too many orders are open (L16).
    MaxOpenOrders = 216, "MAX_OPEN_ORDERS", p 100, ord 3;
    /// The value of open orders would be above the limit (L17).
    OpenNotional = 217, "OPEN_NOTIONAL", p 120, ord 3;
    /// The value traded and ordered today would be above the limit (L18).
    DailyNotional = 218, "DAILY_NOTIONAL", p 114, ord 3;
    /// The quantity traded and ordered today would be above the limit (L19).
    DailyQty = 219, "DAILY_QTY", p 112, ord 3;
    /// Too many messages for each trade today (L20).
    OrderToTradeExceeded = 220, "ORDER_TO_TRADE_EXCEEDED", p 102, ord 99;
    /// The long position would be above the limit (L21).
    PositionLong = 221, "POSITION_LONG", p 130, ord 3;
    /// The short position would be above the limit (L22).
    PositionShort = 222, "POSITION_SHORT", p 131, ord 3;
    /// The value of long positions would be above the limit (L23).
    LongExposure = 223, "LONG_EXPOSURE", p 140, ord 3;
    /// The value of short positions would be above the limit (L24).
    ShortExposure = 224, "SHORT_EXPOSURE", p 141, ord 3;
    /// The net value of positions would be above the limit (L25).
    NetExposure = 225, "NET_EXPOSURE", p 142, ord 3;
    /// The gross value of positions would be above the limit (L26).
    GrossExposure = 226, "GROSS_EXPOSURE", p 143, ord 3;
    /// The instrument would be too large a share of equity (L27).
    Concentration = 227, "CONCENTRATION", p 150, ord 3;
    /// The sector would be too large a share of equity (L28).
    Sector = 228, "SECTOR", p 151, ord 3;
    /// There is not enough free cash for it (L29).
    BuyingPower = 229, "BUYING_POWER", p 160, ord 3;
    /// More is sold than a cash account holds (L29).
    InsufficientPosition = 230, "INSUFFICIENT_POSITION", p 160, ord 3;
    /// The margin that it needs would be above the limit (L30).
    Margin = 231, "MARGIN", p 165, ord 3;
    /// The leverage would be above the limit (L31).
    Leverage = 232, "LEVERAGE", p 167, ord 3;
    /// The loss at its stop would be too large a share of equity (L32).
    RiskPerTrade = 233, "RISK_PER_TRADE", p 170, ord 3;
    /// The order is above the emergency limit (L36).
    EmergencySingleLimit = 234, "EMERGENCY_SINGLE_LIMIT", p 26, ord 3;
    /// The day's orders are above the emergency limit (L36).
    EmergencyDailyLimit = 235, "EMERGENCY_DAILY_LIMIT", p 27, ord 3;
    /// The outage lasts longer than the emergency limits do (L36).
    EmergencyExpired = 236, "EMERGENCY_EXPIRED", p 25, ord 0;
    /// This is not allowed while entitlements are out (L36).
    EmergencyAction = 237, "EMERGENCY_ACTION", p 25, ord 0;

    // 300..=399: state
    /// CANCEL_ONLY or KILL on the chain (L37).
    TradingHalted = 300, "TRADING_HALTED", p 10, ord 0;
    /// REDUCE_ONLY on the chain, and the order does not reduce.
    ReduceOnly = 301, "REDUCE_ONLY", p 10, ord 0;
    /// The re-arm of a KILL needs two different people.
    DualControlRequired = 302, "DUAL_CONTROL_REQUIRED", p 10, ord 99;
    /// Only a killed node is flattened.
    NotKilled = 303, "NOT_KILLED", p 10, ord 99;
    /// A node with open orders below it is not flattened: they may still execute.
    OpenOrders = 304, "OPEN_ORDERS", p 10, ord 99;

    // 400..=499: the engine
    /// A table has reached its configured capacity.
    Capacity = 400, "CAPACITY", p 9, ord 99;
    /// The space for the journal is running out: new orders are refused, everything else is taken.
    JournalSpaceLow = 401, "JOURNAL_SPACE_LOW", p 9, ord 99;
}

/// Where each code's name stands among all names in alphabetical order, by number.
static NAME_PLACES: [u8; NUMBER_MAX + 1] = {
    let mut places = [0; NUMBER_MAX + 1];
    let all = RejectCode::ALL;
    assert!(all.len() <= u8::MAX as usize);
    let mut at = 0;
    while at < all.len() {
        let mut other = 0;
        while other < all.len() {
            places[all[at] as usize] += comes_before(all[other].text(), all[at].text()) as u8;
            other += 1;
        }
        at += 1;
    }
    places
};

/// The largest number of a code.
const NUMBER_MAX: usize = {
    let (mut max, mut at) = (0, 0);
    while at < RejectCode::ALL.len() {
        let number = RejectCode::ALL[at] as usize;
        max = if number > max { number } else { max };
        at += 1;
    }
    max
};

/// True where a text comes before another in alphabetical order.
const fn comes_before(text: &str, other: &str) -> bool {
    let (text, other) = (text.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < text.len() && at < other.len() {
        if text[at] != other[at] {
            return text[at] < other[at];
        }
        at += 1;
    }
    text.len() < other.len()
}

impl RejectCode {
    /// Place of the code's name among all names in alphabetical order: among equals, reasons are given by name (LIMITS section 5). It
    /// changes with the names there are, and stands in no record.
    #[inline]
    pub fn name_place(self) -> u8 {
        NAME_PLACES[self as usize]
    }
}

impl RejectCode {
    /// CxlRejReason (FIX 4.4 tag 102) of a refused cancel or replace, LIMITS section 6.
    pub const fn cxl_rej_reason(self) -> u16 {
        match self {
            RejectCode::TooLateToCancel => 0,
            RejectCode::UnknownOrder => 1,
            RejectCode::PendingCancelReplace => 3,
            RejectCode::DuplicateClOrdId => 6,
            RejectCode::ReplaceQtyNotAboveCum => 99,
            _ => 2,
        }
    }
}

impl std::fmt::Display for RejectCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.text())
    }
}

/// A finding of an early stage: one bit of [`Head::notes`](crate::event::Head). Later stages merge it by the priority of
/// its code. Numbers are journaled: append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Note {
    /// Ingest: the journal's space is low.
    JournalSpaceLow = 0,
    /// Normalize: as [`RejectCode::Malformed`].
    Malformed = 1,
    /// Normalize: a decimal that cannot be kept.
    InvalidPrecision = 2,
    /// Normalize: no such account.
    UnknownAccount = 3,
    /// Normalize: no such instrument.
    UnknownSymbol = 4,
    /// Normalize: no such node.
    UnknownNode = 5,
    /// Normalize: no such currency.
    UnknownCurrency = 6,
    /// Normalize: no such calendar.
    UnknownCalendar = 7,
    /// Normalize: a table is full.
    Capacity = 8,
    /// Normalize: the name is taken.
    NameTaken = 9,
    /// Validate: no behaviour for this event.
    UnsupportedEvent = 10,
    /// Validate.
    InvalidSide = 11,
    /// Validate.
    InvalidOrderType = 12,
    /// Validate.
    InvalidTimeInForce = 13,
    /// Validate.
    InvalidQty = 14,
    /// Validate.
    InvalidPrice = 15,
    /// Validate.
    InvalidStopPrice = 16,
    /// Validate.
    InvalidExpiry = 17,
    /// Validate: older than the limit, or from the future.
    StaleOrder = 18,
    /// Validate.
    InvalidTick = 19,
    /// Validate.
    InvalidLot = 20,
    /// Validate: outside the session, or halted.
    MarketClosed = 21,
    /// Validate: the collar has no reference.
    NoReferencePrice = 22,
    /// Validate: the collar's reference is too old.
    StaleReferencePrice = 23,
    /// Validate: outside the collar.
    PriceOutsideCollar = 24,
    /// Validate: an executed trade outside the wide collar.
    QuarantinePrice = 25,
    /// Validate: the currency is not the instrument's.
    CurrencyMismatch = 26,
    /// Validate or normalize: an admin value outside its range.
    InvalidValue = 27,
    /// Validate, and for replaces the limit check: a business rule refuses it.
    BusinessRule = 28,
    /// Validate: a business rule puts the executed trade aside.
    QuarantineRule = 29,
    /// Normalize: no such account of the firm.
    UnknownLedgerAccount = 30,
    /// Normalize: accounts of different ledgers.
    LedgerMismatch = 31,
}

impl Note {
    /// Every note, in the order of its bit.
    pub const ALL: [Note; 32] = [
        Note::JournalSpaceLow,
        Note::Malformed,
        Note::InvalidPrecision,
        Note::UnknownAccount,
        Note::UnknownSymbol,
        Note::UnknownNode,
        Note::UnknownCurrency,
        Note::UnknownCalendar,
        Note::Capacity,
        Note::NameTaken,
        Note::UnsupportedEvent,
        Note::InvalidSide,
        Note::InvalidOrderType,
        Note::InvalidTimeInForce,
        Note::InvalidQty,
        Note::InvalidPrice,
        Note::InvalidStopPrice,
        Note::InvalidExpiry,
        Note::StaleOrder,
        Note::InvalidTick,
        Note::InvalidLot,
        Note::MarketClosed,
        Note::NoReferencePrice,
        Note::StaleReferencePrice,
        Note::PriceOutsideCollar,
        Note::QuarantinePrice,
        Note::CurrencyMismatch,
        Note::InvalidValue,
        Note::BusinessRule,
        Note::QuarantineRule,
        Note::UnknownLedgerAccount,
        Note::LedgerMismatch,
    ];

    /// The note's bit.
    #[inline]
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// The code that a refusal for this finding carries.
    pub const fn code(self) -> RejectCode {
        match self {
            Note::JournalSpaceLow => RejectCode::JournalSpaceLow,
            Note::Malformed => RejectCode::Malformed,
            Note::InvalidPrecision => RejectCode::InvalidPrecision,
            Note::UnknownAccount => RejectCode::UnknownAccount,
            Note::UnknownSymbol => RejectCode::UnknownSymbol,
            Note::UnknownNode => RejectCode::UnknownNode,
            Note::UnknownCurrency => RejectCode::UnknownCurrency,
            Note::UnknownCalendar => RejectCode::UnknownCalendar,
            Note::Capacity => RejectCode::Capacity,
            Note::NameTaken => RejectCode::NameTaken,
            Note::UnsupportedEvent => RejectCode::UnsupportedEvent,
            Note::InvalidSide => RejectCode::InvalidSide,
            Note::InvalidOrderType => RejectCode::InvalidOrderType,
            Note::InvalidTimeInForce => RejectCode::InvalidTimeInForce,
            Note::InvalidQty => RejectCode::InvalidQty,
            Note::InvalidPrice => RejectCode::InvalidPrice,
            Note::InvalidStopPrice => RejectCode::InvalidStopPrice,
            Note::InvalidExpiry => RejectCode::InvalidExpiry,
            Note::StaleOrder => RejectCode::StaleOrder,
            Note::InvalidTick => RejectCode::InvalidTick,
            Note::InvalidLot => RejectCode::InvalidLot,
            Note::MarketClosed => RejectCode::MarketClosed,
            Note::NoReferencePrice => RejectCode::NoReferencePrice,
            Note::StaleReferencePrice => RejectCode::StaleReferencePrice,
            Note::PriceOutsideCollar => RejectCode::PriceOutsideCollar,
            Note::QuarantinePrice => RejectCode::QuarantinePrice,
            Note::CurrencyMismatch => RejectCode::CurrencyMismatch,
            Note::InvalidValue => RejectCode::InvalidValue,
            Note::BusinessRule => RejectCode::BusinessRule,
            Note::QuarantineRule => RejectCode::QuarantineRule,
            Note::UnknownLedgerAccount => RejectCode::UnknownLedgerAccount,
            Note::LedgerMismatch => RejectCode::LedgerMismatch,
        }
    }

    /// Of a set of notes the code to report: lowest priority, then by name (LIMITS section 14).
    #[inline]
    pub fn first(notes: u64) -> Option<RejectCode> {
        if notes == 0 {
            return None;
        }
        Self::first_of(notes)
    }

    #[cold]
    fn first_of(notes: u64) -> Option<RejectCode> {
        Note::ALL
            .iter()
            .filter(|note| notes & note.bit() != 0)
            .map(|note| note.code())
            .min_by_key(|code| (code.priority(), code.text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_and_names_are_unique_and_survive_the_round_trip() {
        let mut names = HashSet::new();
        for &code in RejectCode::ALL {
            assert_eq!(RejectCode::from_number(code as u16), Some(code));
            assert!(names.insert(code.text()), "{code} twice");
        }
        assert_eq!(RejectCode::from_number(0), None);
    }

    /// The numbers stand in journals: this list may grow, no line of it may change.
    #[test]
    fn numbers_are_pinned() {
        let pinned = [
            (RejectCode::Malformed, 1),
            (RejectCode::InvalidValue, 16),
            (RejectCode::UnknownAccount, 100),
            (RejectCode::NameTaken, 123),
            (RejectCode::BusinessRule, 124),
            (RejectCode::QuarantineRule, 125),
            (RejectCode::AllocationLeg, 129),
            (RejectCode::ExceedsPendingAmount, 136),
            (RejectCode::MaxOrderQty, 201),
            (RejectCode::EmergencyAction, 237),
            (RejectCode::TradingHalted, 300),
            (RejectCode::Capacity, 400),
        ];
        for (code, number) in pinned {
            assert_eq!(code as u16, number);
        }
    }

    #[test]
    fn places_of_names_order_codes_as_their_names_do() {
        for &one in RejectCode::ALL {
            for &other in RejectCode::ALL {
                let by_place = one.name_place().cmp(&other.name_place());
                assert_eq!(by_place, one.text().cmp(other.text()), "{one} {other}");
            }
        }
    }

    #[test]
    fn of_several_notes_the_lowest_priority_is_reported() {
        let notes = Note::InvalidTick.bit() | Note::UnknownAccount.bit() | Note::MarketClosed.bit();
        assert_eq!(Note::first(notes), Some(RejectCode::UnknownAccount));
        assert_eq!(
            Note::first(Note::InvalidTick.bit() | Note::MarketClosed.bit()),
            Some(RejectCode::MarketClosed)
        );
        assert_eq!(Note::first(0), None);
    }

    #[test]
    fn every_note_stands_at_its_bit() {
        for (bit, note) in Note::ALL.iter().enumerate() {
            assert_eq!(*note as usize, bit);
        }
    }
}
