//! Bodies of market data.

use super::Body;
use crate::ids::{CurrencyId, InstrumentId, VenueId};
use bytemuck::{Pod, Zeroable};

/// Best bid and offer. A side with quantity 0 is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Quote {
    /// Best bid; at 1e-8 once `px_dp` is 8.
    pub bid: i64,
    /// Quantity at the bid; at 1e-8 once `qty_dp` is 8.
    pub bid_qty: i64,
    /// Best offer, as `bid`.
    pub ask: i64,
    /// Quantity at the offer, as `bid_qty`.
    pub ask_qty: i64,
    /// The venue's own sequence or update id.
    pub venue_seq: u64,
    /// The venue.
    pub venue: VenueId,
    /// Decimals of the prices.
    pub px_dp: u8,
    /// Decimals of the quantities.
    pub qty_dp: u8,
    /// Instrument.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved: [u64; 2],
}

impl Body for Quote {
    const INPUT_LEN: usize = 44;
}

/// The last trade of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LastTrade {
    /// Price; at 1e-8 once `px_dp` is 8.
    pub px: i64,
    /// Quantity; at 1e-8 once `qty_dp` is 8.
    pub qty: i64,
    /// The venue's trade id.
    pub trade_id: u64,
    /// The venue.
    pub venue: VenueId,
    /// Decimals of the price.
    pub px_dp: u8,
    /// Decimals of the quantity.
    pub qty_dp: u8,
    /// Side of the aggressor; 0 unknown.
    pub aggressor: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
    /// Instrument.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved2: [u32; 7],
}

impl Body for LastTrade {
    const INPUT_LEN: usize = 32;
}

/// A mark or settlement price from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Mark {
    /// Price; at 1e-8 once `px_dp` is 8.
    pub px: i64,
    /// Decimals of the price.
    pub px_dp: u8,
    /// 1 where it is a settlement price.
    pub settlement: u8,
    #[doc(hidden)]
    pub reserved: u16,
    /// Instrument.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved2: [u64; 6],
}

impl Body for Mark {
    const INPUT_LEN: usize = 12;
}

/// An instrument opens, halts or closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct InstrumentStatus {
    /// 1 halted, 0 as the calendar says.
    pub halted: u8,
    #[doc(hidden)]
    pub reserved: [u8; 3],
    /// Instrument.
    pub instrument: InstrumentId,
    #[doc(hidden)]
    pub reserved2: [u64; 7],
}

impl Body for InstrumentStatus {
    const INPUT_LEN: usize = 4;
}

/// A currency's rate: base currency units per unit of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct FxRate {
    /// Rate; at 1e-8 once `rate_dp` is 8.
    pub rate: i64,
    /// Decimals of the rate.
    pub rate_dp: u8,
    #[doc(hidden)]
    pub reserved: u8,
    /// Currency.
    pub currency: CurrencyId,
    #[doc(hidden)]
    pub reserved2: [u32; 13],
}

impl Body for FxRate {
    const INPUT_LEN: usize = 10;
}
