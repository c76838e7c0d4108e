//! What instruments are worth in base currency: kept by instrument whenever its mark, its row or its currency's rate changes, so that
//! revaluing what is held is a multiplication.

use super::book::Book;
use crate::groups::{DRAIN_PER_EVENT, DRAIN_PER_TICK};
use tradewind_domain::codes::InstrumentKind;
use tradewind_domain::event::{Event, FxRate, InstrumentSet, Kind, LastTrade, Mark};
use tradewind_domain::fixed::{ONE, Price};
use tradewind_domain::ids::InstrumentId;
use tradewind_domain::rounding::{self, Rounding, div_round};
use tradewind_domain::time::UnixNanos;

impl Book {
    /// Revalues a few of the pairs whose mark has moved: some with every event, more with the first of each millisecond, so that a quiet
    /// market catches up as well.
    #[inline]
    pub(super) fn drain(&mut self, now_ns: UnixNanos) {
        let millisecond = now_ns / 1_000_000;
        let is_tick = millisecond != self.drained_ms;
        self.drained_ms = millisecond;
        self.hierarchy.drain(if is_tick {
            DRAIN_PER_EVENT + DRAIN_PER_TICK
        } else {
            DRAIN_PER_EVENT
        });
    }

    /// Takes the instruments that an event of the market or of reference data is about.
    #[inline]
    pub(super) fn value_instruments(&mut self, event: &Event, kind: Kind) {
        match kind {
            Kind::LastTrade => self.value_instrument(event.body::<LastTrade>().instrument),
            Kind::Mark => self.value_instrument(event.body::<Mark>().instrument),
            Kind::InstrumentSet => {
                let row = event.body::<InstrumentSet>().row;
                let sector = self.hierarchy.groups.sector(&row.sector);
                self.hierarchy.groups.set_units(row.id, |units| {
                    // What pairs have gathered by sector stays there: a sector is given once.
                    if units.kind == 0 {
                        (units.sector, units.kind) = (sector, row.kind);
                    }
                });
                self.value_instrument(row.id);
            }
            Kind::FxRate => self.value_currency(event.body()),
            _ => {}
        }
    }

    fn value_currency(&mut self, rate: &FxRate) {
        for at in 0..self.instrument_states.len() as u32 {
            let id = InstrumentId(at);
            if self
                .market
                .instrument(id)
                .is_some_and(|row| row.currency == rate.currency)
            {
                self.value_instrument(id);
            }
        }
    }

    /// One unit at the mark, and the margin of one unit, in base currency, ceiled (LIMITS section 1).
    pub(super) fn value_instrument(&mut self, id: InstrumentId) {
        let Some(instrument) = self.market.instrument(id) else {
            return;
        };
        let Some(rate) = self.market.rate(instrument.currency) else {
            return;
        };
        let mark = self.market.mark(id);
        let unit = |px: i64| {
            let unit = rounding::unit_value(instrument, Price::from_raw(px), rate);
            // What cannot be expressed is held for the largest value: it blocks rather than vanishes.
            unit.and_then(i64::checked_abs).unwrap_or(i64::MAX)
        };
        let margin = |amount: i64| {
            let scaled = i128::from(amount) * i128::from(rate);
            div_round(scaled, i128::from(ONE), Rounding::Ceiling)
                .and_then(|margin| i64::try_from(margin).ok())
                .unwrap_or(i64::MAX)
        };
        let (im_buy, im_sell) = (margin(instrument.im_buy), margin(instrument.im_sell));
        let is_binary = instrument.kind == InstrumentKind::Binary as u8;
        let (long, short) = match mark {
            0 => (0, 0),
            px if is_binary => (unit(px), unit(ONE - px)),
            px => (unit(px), unit(px)),
        };
        self.hierarchy.groups.set_units(id, |units| {
            (units.mark, units.short_mark) = (long, short);
            (units.im_buy, units.im_sell) = (im_buy, im_sell);
            units.has_mark = u8::from(mark != 0);
        });
    }
}
