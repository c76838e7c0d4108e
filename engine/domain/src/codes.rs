//! Small closed sets that travel as one byte: side, order type, state and the like. A byte of the wire or of a file
//! becomes one of them, or `None`.

macro_rules! code_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $number,)* }

        impl $name {
            /// Every value.
            pub const ALL: &[$name] = &[$($name::$variant,)*];
            /// The value of a journaled byte.
            #[inline]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($number => Some($name::$variant),)* _ => None }
            }
            /// The name in files and messages.
            pub const fn text(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
            /// The value of a name, as [`text`](Self::text) gives it.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)* _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.text()) }
        }
    };
}

code_enum!(
    /// Which way a trade goes.
    Side {
        /// Buys.
        Buy = 1, "BUY";
        /// Sells what is held.
        Sell = 2, "SELL";
        /// Sells what is not held.
        SellShort = 5, "SELL_SHORT";
    }
);

impl Side {
    /// True for purchases.
    #[inline]
    pub const fn is_buy(self) -> bool {
        matches!(self, Side::Buy)
    }
    /// +1 for purchases, -1 for sales.
    #[inline]
    pub const fn sign(self) -> i128 {
        if self.is_buy() { 1 } else { -1 }
    }
}

code_enum!(
    /// How an order names its price.
    OrderType {
        /// At the market.
        Market = 1, "MARKET";
        /// At the limit or better.
        Limit = 2, "LIMIT";
        /// Becomes a market order at the stop price.
        Stop = 3, "STOP";
        /// Becomes a limit order at the stop price.
        StopLimit = 4, "STOP_LIMIT";
    }
);

code_enum!(
    /// How long an order lives.
    TimeInForce {
        /// Until the trading day rolls.
        Day = 1, "DAY";
        /// Until cancelled.
        Gtc = 2, "GTC";
        /// At once or not at all, partial fills allowed.
        Ioc = 3, "IOC";
        /// At once and in full, or not at all.
        Fok = 4, "FOK";
        /// Until a stated time.
        Gtd = 5, "GTD";
    }
);

code_enum!(
    /// Where an order is in its life (LIMITS section 2, saga).
    OrderState {
        /// Never accepted.
        None = 0, "NONE";
        /// Accepted and reserved; the venue has not answered.
        PendingNew = 1, "PENDING_NEW";
        /// Working at the venue.
        Working = 2, "WORKING";
        /// A cancel is on its way.
        PendingCancel = 3, "PENDING_CANCEL";
        /// A replace is on its way.
        PendingReplace = 4, "PENDING_REPLACE";
        /// The venue did not answer: the reservation stays until order status or drop copy resolve it.
        Unknown = 5, "UNKNOWN";
        /// Filled in full.
        Filled = 6, "FILLED";
        /// Cancelled.
        Cancelled = 7, "CANCELLED";
        /// Refused by us or by the venue.
        Rejected = 8, "REJECTED";
        /// Expired.
        Expired = 9, "EXPIRED";
        /// Accepted and reserved, but not sent before orders of ours that it would trade against are gone (L15).
        Held = 10, "HELD";
    }
);

impl OrderState {
    /// True while the order holds a reservation.
    #[inline]
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            OrderState::PendingNew
                | OrderState::Working
                | OrderState::PendingCancel
                | OrderState::PendingReplace
                | OrderState::Unknown
                | OrderState::Held
        )
    }
}

code_enum!(
    /// Levels of the hierarchy, narrow to broad (LIMITS section 5).
    Level {
        /// A trading strategy below an account.
        Strategy = 1, "STRATEGY";
        /// An account: owner of cash and positions.
        Account = 2, "ACCOUNT";
        /// A user.
        User = 3, "USER";
        /// A desk or group.
        Desk = 4, "DESK";
        /// An organisation.
        Org = 5, "ORG";
        /// The firm.
        Firm = 6, "FIRM";
    }
);

code_enum!(
    /// Kill switch levels of a node (LIMITS section 7), mild to severe.
    ControlState {
        /// Trades freely.
        Active = 0, "ACTIVE";
        /// Only orders that reduce the position.
        ReduceOnly = 1, "REDUCE_ONLY";
        /// No place, no replace; resting orders stay.
        CancelOnly = 2, "CANCEL_ONLY";
        /// As cancel only, and every open order below is cancelled.
        Kill = 3, "KILL";
    }
);

code_enum!(
    /// What an instrument is.
    InstrumentKind {
        /// Shares and funds.
        Equity = 1, "EQUITY";
        /// Dated futures: no principal moves.
        Future = 2, "FUTURE";
        /// Spot crypto.
        Crypto = 3, "CRYPTO";
        /// Contracts settled in the coin: value is `qty * mult / px`.
        Inverse = 4, "INVERSE";
        /// Contracts that pay 1 or 0.
        Binary = 5, "BINARY";
    }
);

code_enum!(
    /// What an account may do with unsettled money and short positions.
    AccountKind {
        /// Cash account.
        Cash = 1, "CASH";
        /// Margin account.
        Margin = 2, "MARGIN";
    }
);

code_enum!(
    /// What happens to all who hold an instrument (SETTLEMENT section 6).
    CorporateActionKind {
        /// New units for old ones.
        Split = 1, "SPLIT";
        /// Cash for each unit.
        CashDividend = 2, "CASH_DIVIDEND";
        /// Longs of a perpetual contract pay shorts, or the other way round.
        Funding = 3, "FUNDING";
        /// Profit since the last settlement price becomes cash.
        VariationMargin = 4, "VARIATION_MARGIN";
        /// The contract ends at a value: 1, 0 or a fixed one.
        Settlement = 5, "SETTLEMENT";
    }
);

code_enum!(
    /// Which lots of a position close first (SETTLEMENT section 6). A method never changes its meaning.
    LotMethod {
        /// The oldest.
        Fifo = 0, "FIFO";
        /// The newest.
        Lifo = 1, "LIFO";
        /// Those that earn the least.
        Hifo = 2, "HIFO";
        /// One lot at average cost.
        AverageCost = 3, "AVCO";
    }
);

code_enum!(
    /// Accounts of the firm in the chart of the books, by the numbers of their classes.
    FirmAccount {
        /// Venues and clearing, per currency.
        Street = 2, "STREET";
        /// Deposits and withdrawals, per currency.
        Bank = 3, "BANK";
        /// Fees earned, per currency.
        Fees = 4, "FEES";
        /// Counterparty of clients' holdings, per instrument.
        SecStreet = 6, "SECSTREET";
        /// Tax withheld, per currency.
        Tax = 7, "TAX";
        /// Dividends and other income, per currency.
        Div = 8, "DIV";
        /// Position from conversions, per currency.
        FxPool = 9, "FXPOOL";
        /// Unmatched money, per currency.
        Suspense = 11, "SUSPENSE";
        /// Unmatched quantity, per instrument; called SUSPENSE as well.
        SuspenseSec = 12, "SUSPENSE_SEC";
    }
);

code_enum!(
    /// What a transfer does (SETTLEMENT section 1).
    TransferPhase {
        /// Books at once.
        Posted = 0, "POSTED";
        /// Holds the amount on both sides until it is posted or voided.
        Pending = 1, "PENDING";
        /// Books a pending transfer, in full or in part; the rest is released.
        Post = 2, "POST";
        /// Releases a pending transfer.
        Void = 3, "VOID";
    }
);

code_enum!(
    /// The limit catalogue (LIMITS section 8). Numbers are those of the catalogue, where two share one the second has 100 added.
    LimitType {
        /// L01.
        MaxOrderQty = 1, "MAX_ORDER_QTY";
        /// L02.
        MaxOrderNotional = 2, "MAX_ORDER_NOTIONAL";
        /// L03.
        FatFinger = 3, "FAT_FINGER";
        /// L04, one order.
        AdvOrder = 4, "ADV_ORDER";
        /// L04, the day.
        AdvDay = 104, "ADV_DAY";
        /// L05.
        PriceCollar = 5, "PRICE_COLLAR";
        /// L06.
        Restricted = 6, "RESTRICTED";
        /// L07.
        Permission = 7, "PERMISSION";
        /// L08.
        MarketHours = 8, "MARKET_HOURS";
        /// L09.
        StaleOrder = 9, "STALE_ORDER";
        /// L10.
        DupContent = 10, "DUP_CONTENT";
        /// L11.
        OrderRate = 11, "ORDER_RATE";
        /// L12.
        MsgRate = 12, "MSG_RATE";
        /// L13.
        RepeatedExec = 13, "REPEATED_EXEC";
        /// L14.
        ShortSale = 14, "SHORT_SALE";
        /// L15.
        SelfTrade = 15, "SELF_TRADE";
        /// L16.
        MaxOpenOrders = 16, "MAX_OPEN_ORDERS";
        /// L17.
        OpenNotional = 17, "OPEN_NOTIONAL";
        /// L18.
        DailyNotional = 18, "DAILY_NOTIONAL";
        /// L19.
        DailyQty = 19, "DAILY_QTY";
        /// L20.
        OrderToTrade = 20, "ORDER_TO_TRADE";
        /// L21.
        PositionLong = 21, "POSITION_LONG";
        /// L22.
        PositionShort = 22, "POSITION_SHORT";
        /// L23.
        LongExposure = 23, "LONG_EXPOSURE";
        /// L24.
        ShortExposure = 24, "SHORT_EXPOSURE";
        /// L25.
        NetExposure = 25, "NET_EXPOSURE";
        /// L26.
        GrossExposure = 26, "GROSS_EXPOSURE";
        /// L27.
        Concentration = 27, "CONCENTRATION";
        /// L28.
        Sector = 28, "SECTOR";
        /// L29.
        BuyingPower = 29, "BUYING_POWER";
        /// L30.
        Margin = 30, "MARGIN";
        /// L31.
        Leverage = 31, "LEVERAGE";
        /// L32.
        RiskPerTrade = 32, "RISK_PER_TRADE";
        /// L33.
        DailyLoss = 33, "DAILY_LOSS";
        /// L34.
        MaxDdStatic = 34, "MAX_DD_STATIC";
        /// L35.
        MaxDdTrailing = 35, "MAX_DD_TRAILING";
        /// L36.
        Emergency = 36, "EMERGENCY";
    }
);

code_enum!(
    /// What a breached limit does (LIMITS section 4).
    LimitAction {
        /// Accept and raise an alert.
        Alert = 1, "ALERT";
        /// Refuse.
        Reject = 2, "REJECT";
        /// Set REDUCE_ONLY on the scope.
        Restrict = 3, "RESTRICT";
        /// Set KILL on the scope.
        Kill = 4, "KILL";
        /// Shrink the rate of the scope to a tenth.
        Slow = 5, "SLOW";
    }
);

code_enum!(
    /// What a restricted list says of an instrument (L06).
    Restriction {
        /// No order at all.
        NoTrade = 1, "NO_TRADE";
        /// Only orders that reduce the position.
        CloseOnly = 2, "CLOSE_ONLY";
        /// No short sales.
        NoShort = 3, "NO_SHORT";
    }
);

code_enum!(
    /// What prevents a trade of an order with a resting one of the same group (L15).
    SelfTradeMode {
        /// The newcomer is refused.
        CancelNewest = 0, "CANCEL_NEWEST";
        /// The resting orders are cancelled; the newcomer waits for it.
        CancelOldest = 1, "CANCEL_OLDEST";
        /// Both.
        CancelBoth = 2, "CANCEL_BOTH";
        /// The venue takes the smaller quantity off both: passed on, checked by nobody here.
        Decrement = 3, "DECREMENT";
    }
);

code_enum!(
    /// What becomes of a quarantined trade.
    QuarantineAction {
        /// It is booked as it is.
        Release = 1, "RELEASE";
        /// It is not booked, for good.
        Reject = 2, "REJECT";
        /// It is booked with what the repair changes.
        Repair = 3, "REPAIR";
    }
);

code_enum!(
    /// What a user may do at a node and below it (docs/identity.md has the table).
    Role {
        /// Sees.
        Viewer = 1, "VIEWER";
        /// Sees and places orders.
        Trader = 2, "TRADER";
        /// Sees, sets limits, stops and restarts trading.
        Risk = 3, "RISK";
        /// Everything, other people's access included.
        Admin = 4, "ADMIN";
        /// A program: places orders and reports executed trades.
        Service = 5, "SERVICE";
    }
);

code_enum!(
    /// How things stand between a user and a node. Only GRANTED opens anything.
    AccessStatus {
        /// The user asks for it.
        Applied = 1, "APPLIED";
        /// Somebody has seen the request, and it waits for who may grant it.
        AwaitingApproval = 2, "AWAITING_APPROVAL";
        /// The request was turned down or taken back.
        None = 3, "NONE";
        /// The user has the role.
        Granted = 4, "GRANTED";
        /// The user had the role and has lost it: tokens from before the event end.
        Revoked = 5, "REVOKED";
    }
);

code_enum!(
    /// What a line of a statement is about.
    ReconSubject {
        /// Quantity of an instrument.
        Position = 1, "POSITION";
        /// Money of a currency.
        Cash = 2, "CASH";
        /// One trade.
        Trade = 3, "TRADE";
    }
);

code_enum!(
    /// What lies between our books and a statement on a line where they are not alike (SETTLEMENT section 9).
    ReconStatus {
        /// The statement counts trades that are not settled yet.
        Timing = 1, "TIMING";
        /// Cash that differs by no more than the tolerance.
        WithinTolerance = 2, "WITHIN_TOLERANCE";
        /// A quantity that nothing explains.
        QtyBreak = 3, "QTY_BREAK";
        /// Cash that differs by more than the tolerance.
        CashBreak = 4, "CASH_BREAK";
        /// We hold it and the statement does not list it.
        MissingAtBroker = 5, "MISSING_AT_BROKER";
        /// The statement lists it and we do not know it.
        MissingInternally = 6, "MISSING_INTERNALLY";
        /// The drop copy has a trade that we do not have: the venue is the truth, it is to be booked.
        MissingInternal = 7, "MISSING_INTERNAL";
        /// We have a trade that the drop copy does not have.
        MissingExternal = 8, "MISSING_EXTERNAL";
        /// Both have the trade and tell it differently.
        FieldMismatch = 9, "FIELD_MISMATCH";
    }
);

impl ReconStatus {
    /// True where nobody has to see to it: the difference is explained.
    pub const fn is_explained(self) -> bool {
        matches!(self, ReconStatus::Timing | ReconStatus::WithinTolerance)
    }

    /// How bad it is: a position that nothing explains is critical; a trade that we have alone may still come.
    pub const fn severity(self) -> BreakSeverity {
        match self {
            ReconStatus::Timing | ReconStatus::WithinTolerance => BreakSeverity::Info,
            ReconStatus::MissingExternal => BreakSeverity::Warning,
            ReconStatus::CashBreak | ReconStatus::MissingInternal | ReconStatus::FieldMismatch => {
                BreakSeverity::Error
            }
            ReconStatus::QtyBreak | ReconStatus::MissingAtBroker | ReconStatus::MissingInternally => {
                BreakSeverity::Critical
            }
        }
    }
}

code_enum!(
    /// How bad a difference is, mild to severe.
    BreakSeverity {
        /// It is explained.
        Info = 1, "INFO";
        /// It may explain itself.
        Warning = 2, "WARNING";
        /// Somebody has to see to it.
        Error = 3, "ERROR";
        /// Somebody has to see to it at once.
        Critical = 4, "CRITICAL";
    }
);

code_enum!(
    /// What a person does to a break.
    ReconVerb {
        /// Gives it to somebody.
        Assign = 1, "ASSIGN";
        /// Says something about it.
        Comment = 2, "COMMENT";
        /// Closes it with a code.
        Resolve = 3, "RESOLVE";
    }
);

code_enum!(
    /// Why a break is closed (SETTLEMENT section 9).
    ReconResolution {
        /// What was missing has been booked with us.
        Booked = 1, "BOOKED";
        /// What was wrong has been taken back with us.
        Reversed = 2, "REVERSED";
        /// The other side was wrong and corrects it.
        BrokerError = 3, "BROKER_ERROR";
        /// Both are right, at different times.
        Timing = 4, "TIMING";
        /// A fee explains it.
        Fee = 5, "FEE";
    }
);

code_enum!(
    /// Where the engine's time comes from. A journal has one for its whole life.
    ClockMode {
        /// The machine's clock.
        Wall = 1, "wall";
        /// The time stamps of the input.
        Input = 2, "input";
    }
);
