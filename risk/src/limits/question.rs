//! One order as a limit at one node sees it: what is asked for, what it is worth, and where it stands.
//!
//! A question is made of references: what is the same for all limits is looked up once, what only few limits want to know is found out
//! for those ([`FoundOut`]).

use super::Limits;
use crate::calendar::Calendars;
use crate::groups::{Totals, Units};
use crate::hierarchy::{Flow, NodeRow, PairRow, Today};
use crate::market::MarketRow;
use crate::orders::table::OrderRow;
use crate::repeats::STAMPS;
use crate::shorts::ShortFigures;
use crate::stamps::Stamps;
use tradewind_domain::codes::{OrderType, Side};
use tradewind_domain::ids::{InstrumentId, NodeId, SessionId, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::time::{DayNumber, UnixNanos};

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// A new order.
    Place = 1,
    /// The end of one.
    Cancel = 2,
    /// A change of one.
    Replace = 4,
}

/// What an order that is to be replaced holds: zero where none is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Old {
    /// Open quantity.
    pub qty: i64,
    /// Its limit price.
    pub px: i64,
    /// Open value.
    pub value: i128,
    /// Value of the whole order, what was filled at its unit.
    pub order_value: i128,
    /// The part of `value` that closes a position and needs no cash: of a binary sale that opens a short too.
    pub closing_value: i128,
    /// Reserved cash.
    pub cash: i128,
}

impl Old {
    /// As an order's row has it.
    pub fn of(row: &OrderRow) -> Self {
        let value = row.reserved_value().raw();
        Self {
            qty: row.reserved_qty(),
            px: row.px,
            value,
            order_value: value + i128::from(row.cum) * i128::from(row.short_unit),
            closing_value: row.closing_value(),
            cash: row.reserved_cash().raw(),
        }
    }
}

/// An order as the limits are asked about it: a new one, or what a replace would make of an old one.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// The account's wallet in the instrument's currency; none where it has none.
    pub wallet: WalletId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// The client's session.
    pub session: SessionId,
    /// What is asked for.
    pub action: Action,
    /// Side; a side that makes no sense counts as a sale.
    pub side: Side,
    /// Type.
    pub ord_type: OrderType,
    /// True where the order takes the place of `old`.
    pub replaces: bool,
    /// Total quantity of the order, at 1e-8.
    pub qty: i64,
    /// Quantity that would be open.
    pub leaves: i64,
    /// Limit price, at 1e-8.
    pub px: i64,
    /// Stop price.
    pub stop_px: i64,
    /// Price at which the trader would give up; 0 where none.
    pub stop_loss_px: i64,
    /// Time of the event.
    pub now_ns: UnixNanos,
    /// The source's time stamp; 0 where it gave none.
    pub origin_ns: UnixNanos,
    /// The order that a replace takes the place of.
    pub old: Old,
    /// When equal orders were accepted; zeroes where they were not.
    pub repeats: [UnixNanos; STAMPS],
}

impl Ask {
    /// Nothing is asked for: what limits say then is their use as it stands.
    pub fn nothing(instrument: InstrumentId, wallet: WalletId, side: Side, now_ns: UnixNanos) -> Self {
        Self {
            wallet,
            instrument,
            session: SessionId::NONE,
            action: Action::Replace,
            side,
            ord_type: OrderType::Limit,
            replaces: false,
            qty: 0,
            leaves: 0,
            px: 0,
            stop_px: 0,
            stop_loss_px: 0,
            now_ns,
            origin_ns: 0,
            old: Old::default(),
            repeats: [0; STAMPS],
        }
    }

    /// True for purchases.
    #[inline]
    pub fn is_buy(&self) -> bool {
        self.side.is_buy()
    }

    /// 1 for a new order, 0 for a replace or where nothing is asked for.
    #[inline]
    pub fn new_orders(&self) -> u32 {
        u32::from(!self.replaces && self.qty != 0)
    }

    /// By how much the open quantity would change.
    #[inline]
    pub fn added_qty(&self) -> i128 {
        i128::from(self.leaves) - i128::from(self.old.qty)
    }

    /// True where the open quantity would rise.
    #[inline]
    pub fn adds_qty(&self) -> bool {
        self.leaves > self.old.qty
    }
}

/// What an order is worth, frozen at acceptance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Priced {
    /// Risk price, at 1e-8.
    pub risk_px: i64,
    /// Base value of one unit, at 1e-8.
    pub unit: i64,
    /// As `unit`, of what opens a binary short; the same as `unit` else.
    pub short_unit: i64,
    /// What of a binary sale closes a long position.
    pub close_qty: i64,
    /// Value that would be open, 1e-16 base.
    pub value: i128,
    /// Value of the whole order, 1e-16 base.
    pub order_value: i128,
    /// Cash that would be reserved, fee included, at 1e-8.
    pub cash: i128,
    /// The estimated fee within `cash`.
    pub fee: i128,
    /// What one unit loses at the trader's stop price, 1e-16 base; `None` where there is none.
    pub risk_per_unit: Option<i128>,
}

/// What is found out for the few types of limits that ask for it; else all of it is nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoundOut {
    /// Cash of the account's wallet, or of all its wallets in base currency, without what binary shorts must hold; what is not settled
    /// yet is included. Like the next two at 1e-16.
    pub cash_held: i128,
    /// The part of it that is not settled yet.
    pub unsettled: i128,
    /// What open orders hold of it.
    pub reserved: i128,
    /// Fee estimate, in basis points.
    pub fee_bps: u16,
    /// True where one of the wallets cannot be valued in base currency.
    pub is_unpriced: bool,
    /// Located and sold-short figures of the account's holding.
    pub short: ShortFigures,
    /// Position of the account in the instrument, and what is open to sell.
    pub account: Holding,
    /// True where the instrument's session is closed or it is halted.
    pub is_closed: bool,
    /// True for an account that may not sell what it does not hold.
    pub is_cash_account: bool,
    /// True where the order only reduces the account's position.
    pub reduces: bool,
    /// True where the order would trade against one of ours below the limit's node.
    pub crosses: bool,
    /// What a restricted list says of the instrument; 0 for nothing.
    pub restriction: u8,
}

/// What an account holds of an instrument, at 1e-8.
#[derive(Clone, Copy, Debug, Default)]
pub struct Holding {
    /// Position.
    pub position: i128,
    /// Open sell quantity.
    pub sell_qty: i128,
}

impl FoundOut {
    /// Nothing.
    pub const NOTHING: Self = Self {
        cash_held: 0,
        unsettled: 0,
        reserved: 0,
        fee_bps: 0,
        is_unpriced: false,
        short: ShortFigures::NONE,
        account: Holding {
            position: 0,
            sell_qty: 0,
        },
        is_closed: false,
        is_cash_account: false,
        reduces: false,
        crosses: false,
        restriction: 0,
    };
}

/// One order before a limit of one node.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// What is asked for.
    pub ask: &'a Ask,
    /// What it is worth; nothing before it is priced.
    pub priced: &'a Priced,
    /// What the limit counts: the node over all instruments, a sector or kind, or the pair where it binds one instrument.
    pub flow: &'a Flow,
    /// Exposures of what the limit counts, where it asks for them.
    pub totals: Option<Totals>,
    /// The pair of node and instrument.
    pub pair: &'a PairRow,
    /// The node.
    pub node: &'a NodeRow,
    /// Its id.
    pub node_id: NodeId,
    /// The instrument.
    pub instrument: &'a Instrument,
    /// Its units at the mark.
    pub units: &'a Units,
    /// What the market says of it.
    pub market: &'a MarketRow,
    /// The limits' rows: what a limit remembers.
    pub limits: &'a Limits,
    /// Stamps of sliding windows.
    pub stamps: &'a Stamps,
    /// Trading dates.
    pub calendars: &'a Calendars,
    /// What was found out for this limit, where it asks for it.
    pub found: Option<FoundOut>,
}

impl Question<'_> {
    /// Exposures of what the limit counts.
    #[inline]
    pub fn totals(&self) -> &Totals {
        self.totals.as_ref().unwrap_or(&Totals::ZERO)
    }

    /// What was found out for this limit.
    #[inline]
    pub fn found(&self) -> &FoundOut {
        self.found.as_ref().unwrap_or(&FoundOut::NOTHING)
    }

    /// True for purchases.
    #[inline]
    pub fn is_buy(&self) -> bool {
        self.ask.side.is_buy()
    }

    /// Trading date of the node's calendar.
    #[inline]
    pub fn date(&self) -> DayNumber {
        self.calendars.date(self.node.calendar)
    }

    /// The figures of the day.
    #[inline]
    pub fn today(&self) -> Today {
        self.flow.today(self.date())
    }

    /// By how much the open value would change.
    #[inline]
    pub fn added_value(&self) -> i128 {
        self.priced.value - self.ask.old.value
    }

    /// True where the open value would rise.
    #[inline]
    pub fn adds_value(&self) -> bool {
        self.priced.value > self.ask.old.value
    }
}
