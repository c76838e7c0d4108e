//! Reference data as every stage holds it: instruments as plain rows.

use crate::codes::InstrumentKind;
use crate::corporate::Ratio;
use crate::fixed::ONE;
use crate::ids::{CalendarId, CurrencyId, InstrumentId};
use crate::text::Symbol;
use crate::time::DayNumber;
use bytemuck::{Pod, Zeroable};

/// Currencies that the engine has rows for: a further one is refused with CAPACITY.
pub const CURRENCIES_MAX: usize = 1_024;

/// Bits of [`Instrument::flags`].
pub mod instrument_flags {
    /// Prices may be zero or negative.
    pub const NEGATIVE_PRICES: u8 = 1;
    /// May be sold short without a locate.
    pub const EASY_TO_BORROW: u8 = 2;
}

/// What can be traded, as one plain row of 192 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Instrument {
    /// The name on the wires.
    pub symbol: Symbol,
    /// Sector for exposure limits; empty is UNCLASSIFIED.
    pub sector: Symbol,
    /// Contract multiplier at 1e-8, above zero.
    pub mult: i64,
    /// Price step at 1e-8, above zero.
    pub tick: i64,
    /// Quantity step at 1e-8, above zero.
    pub lot: i64,
    /// Mark and reference until the market gives one, at 1e-8; zero means none.
    pub configured_mark: i64,
    /// Width of the price collar either side of the reference, in basis points; zero means no collar (L05).
    pub collar_bps: u32,
    /// Age at which the collar's reference is stale, in milliseconds.
    pub collar_max_age_ms: u32,
    /// Average daily volume at 1e-8.
    pub adv: i64,
    /// Usual order quantity at 1e-8 (reference of L03).
    pub avg_order_qty: i64,
    /// Initial margin per unit bought, in instrument currency at 1e-8; zero means 100 % of value.
    pub im_buy: i64,
    /// Initial margin per unit sold, as above.
    pub im_sell: i64,
    /// Its row.
    pub id: InstrumentId,
    /// Currency of prices and money.
    pub currency: CurrencyId,
    /// Trading calendar: session hours, day roll.
    pub calendar: CalendarId,
    /// [`InstrumentKind`].
    pub kind: u8,
    /// Decimals of the currency's minor unit.
    pub money_dp: u8,
    /// [`instrument_flags`].
    pub flags: u8,
    /// Business days from trade to settlement. Without a settlement calendar: proceeds of a sale buy nothing before the next
    /// trading day where it is above zero.
    pub settle_days: u8,
    /// Business days of its market, whose roll is the settlement run; [`CalendarId::UTC`] for none: executions settle at once.
    pub settle_calendar: CalendarId,
    /// Business days of its currency, where those count as well; [`CalendarId::UTC`] for none.
    pub cash_calendar: CalendarId,
    /// Trade date from which `settle_days_later` counts instead of `settle_days`; 0 for never.
    pub settle_later_from: DayNumber,
    /// See `settle_later_from`.
    pub settle_days_later: u8,
    #[doc(hidden)]
    pub reserved: [u8; 35],
}

const _: () = assert!(size_of::<Instrument>() == 192);

impl Instrument {
    /// True where value is `qty * mult / px`.
    #[inline]
    pub const fn is_inverse(&self) -> bool {
        self.kind == InstrumentKind::Inverse as u8
    }

    /// True where the principal of a trade moves as cash (equities, crypto, binaries).
    #[inline]
    pub const fn moves_principal(&self) -> bool {
        self.kind == InstrumentKind::Equity as u8
            || self.kind == InstrumentKind::Crypto as u8
            || self.kind == InstrumentKind::Binary as u8
    }

    /// True where executions settle on a date of their own: cash and securities are pending until then.
    #[inline]
    pub const fn settles_later(&self) -> bool {
        self.settle_calendar.0 != CalendarId::UTC.0
    }

    /// Business days from a trade of this date to its settlement.
    #[inline]
    pub const fn settle_days_of(&self, trade_date: DayNumber) -> u8 {
        if self.settle_later_from != 0 && trade_date >= self.settle_later_from {
            self.settle_days_later
        } else {
            self.settle_days
        }
    }

    /// True where prices at or below zero are allowed.
    #[inline]
    pub const fn allows_negative_prices(&self) -> bool {
        self.flags & instrument_flags::NEGATIVE_PRICES != 0
    }

    /// Prices and usual quantities as they are after a split. What would not fit stays.
    pub fn split(&mut self, ratio: Ratio) {
        self.configured_mark = ratio.price(self.configured_mark).unwrap_or(self.configured_mark);
        self.adv = ratio.volume(self.adv).unwrap_or(self.adv);
        self.avg_order_qty = ratio.volume(self.avg_order_qty).unwrap_or(self.avg_order_qty);
    }

    /// A share in currency 0 with a cent tick, a lot of 1 and the UTC calendar: the base of tests and generators.
    pub fn default_linear() -> Self {
        Self {
            mult: ONE,
            tick: ONE / 100,
            lot: ONE,
            collar_max_age_ms: 5_000,
            id: InstrumentId(0),
            currency: CurrencyId(0),
            calendar: CalendarId::UTC,
            kind: InstrumentKind::Equity as u8,
            money_dp: 2,
            ..Self::zeroed()
        }
    }
}

/// One trading day of a calendar, in UTC instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, Default)]
#[repr(C)]
pub struct CalendarDay {
    /// When this trading day begins (the roll), nanoseconds.
    pub roll_ns: u64,
    /// Session opens, nanoseconds.
    pub open_ns: u64,
    /// Session closes (exclusive), nanoseconds; equal to `open_ns` means no session.
    pub close_ns: u64,
    /// The trading date.
    pub date: u32,
    #[doc(hidden)]
    pub reserved: u32,
}

const _: () = assert!(size_of::<CalendarDay>() == 32);
