//! Bodies of cash and position events from outside.

use super::{Body, Verdict};
use crate::fixed::{Money, NetQty};
use crate::ids::{AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, NodeId, SessionId, WalletId};
use crate::text::{ExecId, Text};
use crate::time::DayNumber;
use bytemuck::{Pod, Zeroable};

/// Money that comes in or goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CashMove {
    /// Reference of the payment: booked once per account and reference.
    pub reference: ExecId,
    /// The session that reported it.
    pub session: SessionId,
    #[doc(hidden)]
    pub reserved: u32,
    /// Amount, above zero, in the currency's minor unit or coarser.
    pub amount: Money,
    /// Account.
    pub account: AccountId,
    /// Its node.
    pub leaf: NodeId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Currency.
    pub currency: CurrencyId,
    #[doc(hidden)]
    pub reserved2: u16,
    /// Facts.
    pub verdict: Verdict,
    /// Date from which the money is settled; 0 = at once.
    pub value_date: DayNumber,
    #[doc(hidden)]
    pub reserved3: u32,
    /// Base currency units per unit when it was booked, at 1e-8; 0 where none was known.
    pub rate: i64,
}

impl Body for CashMove {
    const INPUT_LEN: usize = 64;
}

/// The trades of one holding that settle on one date, in one posting: delivery against payment. Made by the limit check when the
/// settlement calendar rolls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct DatedSettlement {
    /// Cash that comes in: proceeds of sales, fees apart.
    pub cash_in: Money,
    /// Cash that goes out: purchases with their fees, and fees beyond proceeds.
    pub cash_out: Money,
    /// Quantity that comes in, at 1e-8.
    pub qty_in: NetQty,
    /// Quantity that goes out, at 1e-8.
    pub qty_out: NetQty,
    /// Account.
    pub account: AccountId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Settlement date of the trades.
    pub settle_date: DayNumber,
    /// Trades in it.
    pub trades: u32,
    /// Narrowest node of the first of them.
    pub leaf: NodeId,
    /// Currency.
    pub currency: CurrencyId,
    /// Settlement calendar.
    pub calendar: CalendarId,
    /// [`execution_alerts`](super::execution_alerts): OVERDRAFT where settled cash of a cash account falls below zero.
    pub alerts: u8,
    #[doc(hidden)]
    pub reserved: [u8; 31],
}

const _: () = assert!(size_of::<DatedSettlement>() == 128);

impl Body for DatedSettlement {
    // The kind's number and sizes are older than its layout, and no source fills it.
    const INPUT_LEN: usize = 64;
}

/// A node's equity: from outside, or from our own books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Valuation {
    /// Equity in base currency.
    pub equity: Money,
    /// Balance in base currency.
    pub balance: Money,
    /// 1 where `balance` is given; [`Valuation::OWN_BOOKS`] or [`Valuation::OPENING`] where it is and both are of that kind.
    pub has_balance: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
    /// Node.
    pub node: NodeId,
    /// How many [`LimitHit`](super::LimitHit)s stand at the end of the tail: floors, warnings, breaches.
    pub hits: u16,
    #[doc(hidden)]
    pub reserved3: [u16; 3],
    #[doc(hidden)]
    pub reserved2: [u64; 2],
}

impl Valuation {
    /// Both figures come from our own books, as they were at the event whose time the source's time stamp says. What others say of
    /// a node overrides them.
    pub const OWN_BOOKS: u8 = 2;

    /// Both figures are a beginning: what the node is worth beside what its accounts hold in our books.
    pub const OPENING: u8 = 3;

    /// True for a figure of somebody who goes on to value the node.
    #[inline]
    pub const fn is_from_outside(&self) -> bool {
        !matches!(self.has_balance, Self::OWN_BOOKS | Self::OPENING)
    }

    /// True for a figure from our own books.
    #[inline]
    pub const fn is_own(&self) -> bool {
        self.has_balance == Self::OWN_BOOKS
    }
}

impl Body for Valuation {
    const INPUT_LEN: usize = 33;
}

/// Stock located for short sales, for the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Locate {
    /// Quantity; at 1e-8 once `qty_dp` is 8.
    pub qty: i64,
    /// Decimals of the quantity.
    pub qty_dp: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Narrowest node.
    pub leaf: NodeId,
    /// Account and instrument.
    pub holding: HoldingId,
    #[doc(hidden)]
    pub reserved2: [u32; 9],
}

impl Body for Locate {
    const INPUT_LEN: usize = 9;
}

/// A corporate action ([`CorporateActionKind`](crate::codes::CorporateActionKind)); with a holding one holder's part of it, with a node
/// alone that of a strategy's position, with neither the action as it takes effect on prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CorporateAction {
    /// Dividend per unit; of a split the price at which fractions are paid; of variation margin and settlement the price; of a funding
    /// the rate.
    pub cash_per_unit: Money,
    /// Holder's gross amount, cash for a fraction included; of an announced funding the price that it is reckoned at (0: the mark).
    pub gross: Money,
    /// Holder's withheld tax.
    pub withheld: Money,
    /// Holder's cost that goes with a fraction.
    pub cost_delta: Money,
    /// Split: new units ...
    pub numerator: u32,
    /// ... for old units.
    pub denominator: u32,
    /// Withheld share in basis points.
    pub withhold_bps: u32,
    /// Ex-date: it takes effect when the instrument's calendar rolls to it; 0, or the present date, at once.
    pub ex_date: DayNumber,
    /// Pay date; 0 for the ex-date.
    pub pay_date: DayNumber,
    /// [`CorporateActionKind`](crate::codes::CorporateActionKind).
    pub action: u8,
    /// [`execution_alerts`](super::execution_alerts) of a holder's part.
    pub alerts: u8,
    /// Currency of the instrument.
    pub currency: CurrencyId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Holder; none for the announcement.
    pub holding: HoldingId,
    /// Holder's account.
    pub account: AccountId,
    /// Holder's wallet.
    pub wallet: WalletId,
    /// Holder's change of quantity, at 1e-8.
    pub qty_delta: i64,
    /// The node whose position it is: the holder's account, or a strategy.
    pub node: NodeId,
    /// 1 where the position is short.
    pub is_short: u8,
    /// 1 where a holder's dividend is pending until its pay date.
    pub is_due: u8,
    #[doc(hidden)]
    pub reserved2: [u8; 2],
    /// Base currency units per unit when it was booked, at 1e-8; 0 where none was known.
    pub rate: i64,
}

const _: () = assert!(size_of::<CorporateAction>() == 128);

impl CorporateAction {
    /// True for a holder's part of a split that found nothing and moved nothing: its holder was flat. It stands in the journal for trades of
    /// before it that are taken back later.
    pub const fn found_nothing(&self) -> bool {
        self.qty_delta == 0 && self.gross.is_zero() && self.cost_delta.is_zero()
    }

    /// Profit of a holder's part of a split: cash for the fraction, which a short position pays, less the cost that went with it.
    pub const fn split_profit(&self) -> Money {
        let cost = if self.is_short == 0 {
            self.cost_delta.raw()
        } else {
            self.cost_delta.raw().wrapping_neg()
        };
        Money::from_raw(self.gross.raw().wrapping_add(cost))
    }
}

impl Body for CorporateAction {
    const INPUT_LEN: usize = 85;
}

/// A client's money of one currency for the firm's of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct FxConversion {
    /// Reference: booked once per account and reference, as payments are.
    pub reference: ExecId,
    /// The session that asked.
    pub session: SessionId,
    #[doc(hidden)]
    pub reserved: u32,
    /// Amount that is sold, above zero, in the currency's minor unit or coarser; the event's names say the currency.
    pub amount: Money,
    /// Units bought per unit sold; at 1e-8 once `rate_dp` is 8.
    pub rate: i64,
    /// Currency that is bought.
    pub bought_code: Text<8>,
    /// Decimals of the rate.
    pub rate_dp: u8,
    /// Decimals of the minor unit of the currency that is sold.
    pub sold_dp: u8,
    /// Decimals of the minor unit of the currency that is bought.
    pub bought_dp: u8,
    #[doc(hidden)]
    pub reserved2: u8,
    /// Currency that is sold.
    pub sold: CurrencyId,
    /// Currency that is bought.
    pub currency_bought: CurrencyId,
    /// Account.
    pub account: AccountId,
    /// Its node.
    pub leaf: NodeId,
    /// Amount that is bought, rounded half up to the minor unit.
    pub bought: Money,
    /// Facts.
    pub verdict: Verdict,
    /// Account and currency that is sold.
    pub wallet_sold: WalletId,
    /// Account and currency that is bought.
    pub wallet_bought: WalletId,
    #[doc(hidden)]
    pub reserved3: [u64; 5],
}

const _: () = assert!(size_of::<FxConversion>() == 192);

impl Body for FxConversion {
    const INPUT_LEN: usize = 81;
}
