//! The kinds of events, their numbers and sizes.

use super::*;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $body:ty, $text:literal;)*) => {
        /// What an event is about. The number stands in journals and never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Kind { $($(#[$doc])* $name = $number,)* }

        impl Kind {
            /// Every kind, by number.
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];
            /// The kind of a number, or `None` for one that this build does not know.
            #[inline]
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Kind::$name),)* _ => None }
            }
            /// Name in listings.
            pub const fn text(self) -> &'static str {
                match self { $(Kind::$name => $text,)* }
            }
            /// Bytes of the body.
            #[inline]
            pub const fn body_len(self) -> usize { Self::body_len_of(self as u16) }
            /// Bytes of the body of a kind's number; 0 for a number that this build does not know.
            #[inline]
            pub const fn body_len_of(number: u16) -> usize {
                BODY_LENS[(number & 0xff) as usize] as usize * (number < 256) as usize
            }
            /// Bytes of the body that the source fills.
            #[inline]
            pub const fn input_len(self) -> usize {
                match self { $(Kind::$name => <$body as Body>::INPUT_LEN,)* }
            }
        }

        static BODY_LENS: [u16; 256] = {
            let mut lens = [0u16; 256];
            $(lens[$number] = size_of::<$body>() as u16;)*
            lens
        };
        $(const _: () = {
            assert!(size_of::<$body>() % 64 == 0 && size_of::<$body>() <= BODY_MAX);
            assert!(<$body as Body>::INPUT_LEN <= size_of::<$body>());
        };)*
        const _: () = {
            // Every kind of the fast road fits the fast ring's input.
            $(assert!($number >= 64 || <$body as Body>::INPUT_LEN <= INPUT_MAX);)*
        };
    };
}

kinds! {
    // 1..=15: orders from clients
    /// A new order.
    OrderNew = 1, OrderNew, "order_new";
    /// Cancel one order.
    OrderCancel = 2, OrderCancel, "order_cancel";
    /// Replace quantity or price of one order.
    OrderReplace = 3, OrderReplace, "order_replace";
    /// Cancel all orders of a scope.
    MassCancel = 4, MassCancel, "mass_cancel";

    // 16..=31: what venues answer
    /// The venue works the order.
    VenueAck = 16, VenueReport, "venue_ack";
    /// The venue refused the order.
    VenueReject = 17, VenueReport, "venue_reject";
    /// The venue filled the order, in part or in full.
    VenueFill = 18, Execution, "venue_fill";
    /// The venue cancelled the order.
    VenueCancelled = 19, VenueReport, "venue_cancelled";
    /// The venue replaced the order.
    VenueReplaced = 20, VenueReport, "venue_replaced";
    /// The venue refused a cancel or replace.
    VenueCancelReject = 21, VenueReport, "venue_cancel_reject";
    /// The order expired at the venue.
    VenueExpired = 22, VenueReport, "venue_expired";
    /// The venue's answer to a status request.
    VenueStatus = 23, VenueReport, "venue_status";
    /// The venue did not answer: the order's state is unknown.
    OrderUnknown = 24, VenueReport, "order_unknown";

    // 32..=47: executed trades without an order of ours
    /// An executed trade of one of our accounts.
    TradeCapture = 32, Execution, "trade_capture";
    /// A trade is taken back.
    TradeBust = 33, TradeBust, "trade_bust";
    /// A trade is corrected.
    TradeCorrect = 34, Execution, "trade_correct";

    // 48..=63: market data
    /// Best bid and offer.
    Quote = 48, Quote, "quote";
    /// The last trade of the market.
    LastTrade = 49, LastTrade, "last_trade";
    /// A mark or settlement price from outside.
    Mark = 50, Mark, "mark";
    /// An instrument opens, halts or closes.
    InstrumentStatus = 51, InstrumentStatus, "instrument_status";
    /// A currency's rate against the base currency.
    FxRate = 52, FxRate, "fx_rate";

    // 64..=79: cash and positions from outside
    /// Money comes in.
    Deposit = 64, CashMove, "deposit";
    /// Money goes out.
    Withdrawal = 65, CashMove, "withdrawal";
    /// An equity figure from outside that overrides our own.
    Valuation = 66, Valuation, "valuation";
    /// Stock located for short sales, for the day.
    Locate = 67, Locate, "locate";
    /// Split, dividend and the like.
    CorporateAction = 68, CorporateAction, "corporate_action";
    /// A block moves to client accounts.
    Allocation = 69, Allocation, "allocation";
    /// A transfer between accounts of the firm.
    LedgerTransfer = 70, LedgerTransfer, "ledger_transfer";
    /// A client's money of one currency for the firm's of another.
    FxConversion = 71, FxConversion, "fx_conversion";
    /// A trade did not settle on its date.
    SettlementFail = 72, SettlementFail, "settlement_fail";
    /// An instrument gets another symbol.
    SymbolChange = 73, SymbolChange, "symbol_change";
    /// Lots that an execution closes first.
    LotSelect = 74, LotSelect, "lot_select";

    // 80..=95: sessions
    /// A client session is there.
    SessionConnected = 80, SessionEvent, "session_connected";
    /// A client session is gone.
    SessionDisconnected = 81, SessionEvent, "session_disconnected";

    // 96..=127: admin
    /// An instrument's row.
    InstrumentSet = 96, InstrumentSet, "instrument_set";
    /// An account's row, and its node.
    AccountSet = 97, NodeSet, "account_set";
    /// A node of the hierarchy.
    NodeSet = 98, NodeSet, "node_set";
    /// A limit.
    LimitSet = 99, LimitSet, "limit_set";
    /// A fee schedule.
    FeeScheduleSet = 100, FeeScheduleSet, "fee_schedule_set";
    /// Days of a trading calendar.
    CalendarSet = 101, CalendarSet, "calendar_set";
    /// A node's control state, below KILL.
    StateSet = 102, Control, "state_set";
    /// The kill switch.
    Kill = 103, Control, "kill";
    /// Back to ACTIVE.
    Rearm = 104, Control, "rearm";
    /// The entitlement source went up or down.
    EntitlementSource = 105, EntitlementSource, "entitlement_source";
    /// A shard's share of a limit of the firm.
    QuotaGrant = 106, QuotaGrant, "quota_grant";
    /// A currency's row.
    CurrencySet = 107, CurrencySet, "currency_set";
    /// A line of a restricted list.
    RestrictedSet = 108, RestrictedSet, "restricted_set";
    /// A quarantined trade is released, repaired or refused.
    QuarantineResolve = 109, QuarantineResolve, "quarantine_resolve";
    /// An incident is acknowledged or resolved by a person.
    AlertAction = 110, AlertAction, "alert_action";
    /// A maintenance window of the alerts.
    AlertMaintenance = 111, AlertMaintenance, "alert_maintenance";
    /// Positions below a killed node are closed at the market, confirmed by a person.
    Flatten = 112, Control, "flatten";
    /// Access of a user or group to a node, or a user's place in a group.
    AccessSet = 113, AccessSet, "access_set";
    /// How the tax lots of an account are kept.
    LotMethodSet = 116, LotMethodSet, "lot_method_set";
    /// A statement is held against our books.
    ReconRun = 117, ReconRun, "recon_run";
    /// A line of a statement on which the sides are not alike.
    ReconFinding = 118, ReconFinding, "recon_finding";
    /// An account was compared to its end.
    ReconEnd = 119, ReconEnd, "recon_end";
    /// A break is assigned, commented or resolved by a person.
    ReconAction = 120, ReconAction, "recon_action";

    // 128..=159: timers, and effects that the limit check derives
    /// Something is due.
    Timer = 128, Timer, "timer";
    /// An order expired at the day roll.
    OrderExpired = 129, DerivedOrder, "order_expired";
    /// A cancel that the engine asks of the venue (cancel on disconnect).
    CancelRequested = 130, DerivedOrder, "cancel_requested";
    /// A holder's part of a split.
    HolderSplit = 131, CorporateAction, "holder_split";
    /// A holder's part of a dividend.
    HolderDividend = 132, CorporateAction, "holder_dividend";
    /// Trades of a holding settled on their date: dated cash became settled cash, securities were delivered.
    DatedCashSettled = 133, DatedSettlement, "dated_cash_settled";
    /// An order that was held goes out: what stood in its way is gone.
    OrderReleased = 134, DerivedOrder, "order_released";
    /// A limit changed the state of its node.
    StateChanged = 135, Control, "state_changed";
    /// A holder's part of a funding of a perpetual contract.
    HolderFunding = 140, HolderAction, "holder_funding";
    /// A holder's variation margin: the position costs its value at the settlement price from now on.
    HolderMargin = 141, HolderAction, "holder_margin";
    /// A holder's position is closed at the value at which its contract settled.
    HolderSettled = 142, HolderAction, "holder_settled";
    /// Stock that is borrowed for a settled short position, or given back.
    StockBorrowed = 143, HolderAction, "stock_borrowed";
    /// Unsettled trades of a holding that settle on one date are in the new units of a split.
    DatedSplit = 144, DatedSplit, "dated_split";

    // 160..=175: system
    /// Would this order pass? Answered, never booked.
    Probe = 160, OrderNew, "probe";
    /// A part of a document.
    Blob = 161, Blob, "blob";
    /// What an edge refused before ingest saw it.
    EdgeStats = 162, EdgeStats, "edge_stats";
    /// A run begins.
    EngineStarted = 163, EngineStarted, "engine_started";
    /// A run ends in good order.
    EngineStopped = 164, EngineStopped, "engine_stopped";
    /// What is used of a limit? Answered, never booked.
    LimitProbe = 165, LimitProbe, "limit_probe";
}

impl Kind {
    /// True for events that change what accounts hold or may do: refused where the journal's space is low only if
    /// they are new orders.
    #[inline]
    pub const fn is_new_order(self) -> bool {
        matches!(self, Kind::OrderNew | Kind::OrderReplace)
    }
}

/// The stage that gives the verdict on an event; the others note or apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// Reference data: names and rows.
    Normalize,
    /// Market data, and announcements of corporate actions.
    Validate,
    /// Orders, reports, executions, allocations, cash, transfers, limits, states, sessions, timers.
    LimitCheck,
    /// Nobody: a fact about the engine or an edge.
    Nobody,
}

impl Kind {
    /// Which stage decides this kind.
    #[inline]
    pub const fn decider(self) -> Decider {
        match self {
            Kind::InstrumentSet
            | Kind::AccountSet
            | Kind::NodeSet
            | Kind::CalendarSet
            | Kind::CurrencySet
            | Kind::AccessSet
            | Kind::SymbolChange
            | Kind::LotMethodSet => Decider::Normalize,
            Kind::Quote
            | Kind::LastTrade
            | Kind::Mark
            | Kind::InstrumentStatus
            | Kind::FxRate
            | Kind::CorporateAction => Decider::Validate,
            Kind::Blob
            | Kind::EdgeStats
            | Kind::EngineStarted
            | Kind::EngineStopped
            | Kind::AlertAction
            | Kind::AlertMaintenance
            | Kind::ReconRun
            | Kind::ReconFinding
            | Kind::ReconEnd
            | Kind::ReconAction => Decider::Nobody,
            _ => Decider::LimitCheck,
        }
    }

    /// True for what corporate actions do to one holder, or to an instrument as a whole.
    #[inline]
    pub const fn is_of_holder(self) -> bool {
        matches!(
            self,
            Kind::HolderSplit
                | Kind::HolderDividend
                | Kind::HolderFunding
                | Kind::HolderMargin
                | Kind::HolderSettled
        )
    }

    /// True for what venues report of an order beside fills.
    #[inline]
    pub const fn is_report(self) -> bool {
        matches!(
            self,
            Kind::VenueAck
                | Kind::VenueReject
                | Kind::VenueCancelled
                | Kind::VenueReplaced
                | Kind::VenueCancelReject
                | Kind::VenueExpired
                | Kind::VenueStatus
                | Kind::OrderUnknown
        )
    }

    /// True for kinds that only the engine itself makes: from a wire they are refused.
    #[inline]
    pub const fn is_internal(self) -> bool {
        matches!(
            self,
            Kind::Timer
                | Kind::OrderExpired
                | Kind::CancelRequested
                | Kind::HolderSplit
                | Kind::HolderDividend
                | Kind::DatedCashSettled
                | Kind::HolderFunding
                | Kind::HolderMargin
                | Kind::HolderSettled
                | Kind::StockBorrowed
                | Kind::DatedSplit
                | Kind::OrderReleased
                | Kind::StateChanged
                | Kind::EngineStarted
                | Kind::EngineStopped
        )
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.text())
    }
}

/// A hash of all numbers and sizes of bodies: stands in segment headers, so that a reader knows which layouts it meets.
/// FNV-1a of the listing in `kinds.txt`, which a test holds to the code.
pub const fn schema_hash() -> u64 {
    let bytes = include_bytes!("kinds.txt");
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

/// Layouts of earlier versions whose records this version reads as its own: kinds were only added since. A released version's
/// hash is put here when the next kind is added.
pub const SCHEMAS_READ: &[u64] = &[
    0x4532_2b18_a91f_2e9f, // 0.1.0
    0xb6d0_4840_16aa_56ec, // before access_set
    0x37a0_bc2b_b0a2_6de2, // before fx_conversion
    0xde32_ffda_8d6b_5432, // before corporate actions
    0xf463_8f7a_d57d_f265, // before reconciliation
    0x5ded_cfc4_cb08_86c6, // before fails of settlement
    0x72cf_d6c9_3187_5ee3, // before dated_split
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes and numbers stand in journals: lines may be added, none may change.
    #[test]
    fn numbers_and_sizes_are_pinned() {
        let listing: Vec<String> = Kind::ALL
            .iter()
            .map(|k| format!("{} {} {} {}", *k as u16, k, k.body_len(), k.input_len()))
            .collect();
        assert_eq!(listing.join("\n"), include_str!("kinds.txt").trim_end());
    }

    #[test]
    fn an_unknown_number_has_no_kind_and_no_body() {
        assert_eq!(Kind::from_number(0), None);
        for number in [0u16, 5, 255, 256, 257, u16::MAX] {
            assert_eq!(Kind::body_len_of(number), 0, "{number}");
        }
    }
}
