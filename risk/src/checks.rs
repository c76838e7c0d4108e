//! Checks of single values, as pure functions: what validate notes on a new order, and what the limit check asks again of
//! a replace, whose instrument only it knows.

use crate::calendar::Calendars;
use crate::market::Market;
use tradewind_domain::codes::{InstrumentKind, OrderType, Side};
use tradewind_domain::event::Execution;
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::InstrumentId;
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::Note;
use tradewind_domain::time::UnixNanos;

/// Milliseconds that an order's time stamp may be ahead of ours (L09).
const FUTURE_MAX_MS: u64 = 1_000;

/// True where `value` is a multiple of `step`. Steps are above zero; a power of ten is the common case.
#[inline]
pub fn is_multiple(value: i64, step: i64) -> bool {
    step > 0 && value % step == 0
}

/// True where a price may stand on an order of this instrument.
#[inline]
fn is_price(instrument: &Instrument, px: i64) -> bool {
    if instrument.kind == InstrumentKind::Binary as u8 {
        return px > 0 && px < ONE;
    }
    px > 0 || instrument.allows_negative_prices()
}

/// Findings about prices of an order: presence, sign and tick (L05's collar is [`collar_notes`]).
#[inline]
pub fn price_notes(instrument: &Instrument, ord_type: OrderType, px: i64, stop_px: i64) -> u64 {
    let mut notes = 0;
    if matches!(ord_type, OrderType::Limit | OrderType::StopLimit) {
        if !is_price(instrument, px) {
            notes |= Note::InvalidPrice.bit();
        } else if !is_multiple(px, instrument.tick) {
            notes |= Note::InvalidTick.bit();
        }
    }
    if matches!(ord_type, OrderType::Stop | OrderType::StopLimit) {
        if !is_price(instrument, stop_px) {
            notes |= Note::InvalidStopPrice.bit();
        } else if !is_multiple(stop_px, instrument.tick) {
            notes |= Note::InvalidTick.bit();
        }
    }
    notes
}

/// Findings about a quantity.
#[inline]
pub fn qty_notes(instrument: Option<&Instrument>, qty: i64) -> u64 {
    if qty <= 0 {
        return Note::InvalidQty.bit();
    }
    match instrument {
        Some(instrument) if !is_multiple(qty, instrument.lot) => Note::InvalidLot.bit(),
        _ => 0,
    }
}

/// Findings about the age of a time stamp (L09); `max_age_ms` 0 checks nothing, as does a source without time stamps.
#[inline]
pub fn stale_notes(origin_ns: UnixNanos, now_ns: UnixNanos, max_age_ms: u32) -> u64 {
    if max_age_ms == 0 || origin_ns == 0 {
        return 0;
    }
    let too_old = now_ns.saturating_sub(origin_ns) > u64::from(max_age_ms) * 1_000_000;
    let ahead = origin_ns.saturating_sub(now_ns) > FUTURE_MAX_MS * 1_000_000;
    if too_old || ahead {
        Note::StaleOrder.bit()
    } else {
        0
    }
}

/// Findings about the instrument's session and halts (L08).
#[inline]
pub fn session_notes(
    instrument: &Instrument,
    market: &Market,
    calendars: &Calendars,
    now_ns: UnixNanos,
) -> u64 {
    let halted = market.row(instrument.id).is_some_and(|row| row.halted != 0);
    if halted || !calendars.is_open(instrument.calendar, now_ns) {
        Note::MarketClosed.bit()
    } else {
        0
    }
}

/// Findings about the price collar (L05): limit prices against the last trade, or against the configured mark.
#[inline]
pub fn collar_notes(instrument: &Instrument, market: &Market, px: i64, now_ns: UnixNanos) -> u64 {
    if instrument.collar_bps == 0 {
        return 0;
    }
    let Some(row) = market.row(instrument.id) else {
        return 0;
    };
    let reference = if row.last_ns == 0 {
        if row.mark_px == 0 {
            return Note::NoReferencePrice.bit();
        }
        row.mark_px
    } else {
        if now_ns.saturating_sub(row.last_ns) > u64::from(instrument.collar_max_age_ms) * 1_000_000 {
            return Note::StaleReferencePrice.bit();
        }
        row.last_px
    };
    if outside(px, reference, i128::from(instrument.collar_bps)) {
        Note::PriceOutsideCollar.bit()
    } else {
        0
    }
}

/// Findings about an executed trade's price: three times the collar (LIMITS section 9).
#[inline]
fn wide_collar_notes(market: &Market, instrument: &Instrument, px: i64) -> u64 {
    let last = market
        .row(instrument.id)
        .filter(|row| row.last_ns != 0)
        .map(|row| row.last_px);
    match last {
        Some(last)
            if instrument.collar_bps != 0 && outside(px, last, 3 * i128::from(instrument.collar_bps)) =>
        {
            Note::QuarantinePrice.bit()
        }
        _ => 0,
    }
}

/// Findings about an executed trade, and about what a correction makes of one: each puts it aside (LIMITS section 9).
pub fn trade_notes(market: &Market, trade: &Execution) -> u64 {
    let instrument = known(market, trade.instrument);
    let mut notes = qty_notes(instrument, trade.qty);
    if Side::from_code(trade.side).is_none() {
        notes |= Note::InvalidSide.bit();
    }
    if trade.exec_id.is_empty() {
        notes |= Note::Malformed.bit();
    }
    if let Some(instrument) = instrument {
        if trade.px <= 0 && !instrument.allows_negative_prices() {
            notes |= Note::InvalidPrice.bit();
        } else {
            notes |= wide_collar_notes(market, instrument, trade.px);
            if !is_multiple(trade.px, instrument.tick) {
                notes |= Note::InvalidTick.bit();
            }
        }
    }
    notes
}

/// True where `px` is further than `bps` basis points from `reference`; cross-multiplied, never divided.
#[inline]
fn outside(px: i64, reference: i64, bps: i128) -> bool {
    let distance = (i128::from(px) - i128::from(reference)).abs();
    distance * 10_000 > bps * i128::from(reference).abs()
}

/// The instrument of an id that normalize resolved.
#[inline]
pub fn known(market: &Market, id: InstrumentId) -> Option<&Instrument> {
    if id.is_none() { None } else { market.instrument(id) }
}
