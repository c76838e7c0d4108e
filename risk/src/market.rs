//! What the stages here know of the market: instruments, last prices, halts, rates.

use bytemuck::{Pod, Zeroable, bytes_of};
use tradewind_domain::corporate::Ratio;
use tradewind_domain::event::{Event, FxRate, InstrumentSet, InstrumentStatus, Kind, LastTrade, Mark};
use tradewind_domain::fixed::{ONE, Price};
use tradewind_domain::ids::{CurrencyId, InstrumentId};
use tradewind_domain::reference::{CURRENCIES_MAX, Instrument};
use tradewind_domain::time::UnixNanos;

/// The market of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct MarketRow {
    /// Last trade's price at 1e-8.
    pub last_px: i64,
    /// When it was seen; 0 = never.
    pub last_ns: UnixNanos,
    /// Mark from outside at 1e-8; 0 = none. Never stale.
    pub mark_px: i64,
    /// Price of the last execution of our own, at 1e-8: the mark where nothing else says one; 0 = none.
    pub fill_px: i64,
    /// 1 halted.
    pub halted: u8,
    #[doc(hidden)]
    pub reserved: [u8; 7],
}

impl MarketRow {
    /// Nothing is known.
    pub const NONE: Self = Self {
        last_px: 0,
        last_ns: 0,
        mark_px: 0,
        fill_px: 0,
        halted: 0,
        reserved: [0; 7],
    };
}

/// Instruments and their market, by id.
#[derive(Clone)]
pub struct Market {
    instruments: Vec<Instrument>,
    rows: Vec<MarketRow>,
    /// Base currency units per unit, at 1e-8; 0 = not known. The first currency is the base.
    rates: Vec<i64>,
}

impl Market {
    /// Room for `instruments_max` instruments.
    pub fn new(instruments_max: u32) -> Self {
        let mut rates = vec![0; CURRENCIES_MAX];
        rates[0] = ONE;
        Self {
            instruments: vec![Instrument::zeroed(); instruments_max as usize],
            rows: vec![MarketRow::zeroed(); instruments_max as usize],
            rates,
        }
    }

    /// The instrument, where it exists.
    #[inline]
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id.index()).filter(|row| row.mult != 0)
    }

    /// Its market.
    #[inline]
    pub fn row(&self, id: InstrumentId) -> Option<&MarketRow> {
        self.rows.get(id.index())
    }

    /// The rate of a currency; `None` where none is known.
    #[inline]
    pub fn rate(&self, currency: CurrencyId) -> Option<i64> {
        self.rates.get(currency.index()).copied().filter(|&rate| rate > 0)
    }

    /// Reference price for orders without a limit: the last price if it is young enough, else the mark from outside.
    #[inline]
    pub fn reference(&self, id: InstrumentId, now_ns: UnixNanos, max_age_ms: u32) -> Option<Price> {
        let row = self.row(id)?;
        if row.last_ns != 0 && now_ns.saturating_sub(row.last_ns) <= u64::from(max_age_ms) * 1_000_000 {
            return Some(Price::from_raw(row.last_px));
        }
        (row.mark_px != 0).then(|| Price::from_raw(row.mark_px))
    }

    /// The mark: the last trade, else the mark from outside, else the last execution of our own; 0 where there is none at all.
    #[inline]
    pub fn mark(&self, id: InstrumentId) -> i64 {
        let Some(row) = self.row(id) else { return 0 };
        match (row.last_ns, row.mark_px) {
            (0, 0) => row.fill_px,
            (0, mark_px) => mark_px,
            _ => row.last_px,
        }
    }

    /// Remembers the price of an execution where nothing else says a mark; true where it has become the mark.
    #[inline]
    pub fn note_fill(&mut self, id: InstrumentId, px: i64) -> bool {
        let Some(row) = self.rows.get_mut(id.index()) else {
            return false;
        };
        let is_mark = row.last_ns == 0 && row.mark_px == 0 && row.fill_px != px;
        if is_mark {
            row.fill_px = px;
        }
        is_mark
    }

    /// Prices and usual quantities are those after a split from now on.
    pub fn split(&mut self, id: InstrumentId, ratio: Ratio) {
        let at = id.index();
        if let (Some(instrument), Some(row)) = (self.instruments.get_mut(at), self.rows.get_mut(at)) {
            instrument.split(ratio);
            for px in [&mut row.last_px, &mut row.mark_px, &mut row.fill_px] {
                *px = ratio.price(*px).unwrap_or(*px);
            }
        }
    }

    /// Instruments that exist.
    pub fn instruments(&self) -> impl Iterator<Item = &Instrument> {
        self.instruments.iter().filter(|row| row.mult != 0)
    }

    /// Takes what an accepted event says about the market; other kinds change nothing.
    #[inline]
    pub fn apply(&mut self, event: &Event) {
        match event.kind() {
            Some(Kind::LastTrade) => {
                let body: &LastTrade = event.body();
                if let Some(row) = self.rows.get_mut(body.instrument.index()) {
                    row.last_px = body.px;
                    row.last_ns = event.head.recv_ns;
                }
            }
            Some(Kind::Mark) => {
                let body: &Mark = event.body();
                if let Some(row) = self.rows.get_mut(body.instrument.index()) {
                    row.mark_px = body.px;
                }
            }
            Some(Kind::InstrumentStatus) => {
                let body: &InstrumentStatus = event.body();
                if let Some(row) = self.rows.get_mut(body.instrument.index()) {
                    row.halted = body.halted;
                }
            }
            Some(Kind::FxRate) => {
                let body: &FxRate = event.body();
                if let Some(rate) = self.rates.get_mut(body.currency.index()) {
                    *rate = body.rate;
                }
            }
            Some(Kind::InstrumentSet) => {
                let body: &InstrumentSet = event.body();
                let at = body.row.id.index();
                if let (Some(instrument), Some(row)) = (self.instruments.get_mut(at), self.rows.get_mut(at)) {
                    *instrument = body.row;
                    if row.mark_px == 0 {
                        row.mark_px = body.row.configured_mark;
                    }
                }
            }
            _ => {}
        }
    }

    /// Feeds the state to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for (instrument, row) in self
            .instruments
            .iter()
            .zip(&self.rows)
            .filter(|(instrument, _)| instrument.mult != 0)
        {
            sink(bytes_of(instrument));
            sink(bytes_of(row));
        }
        for rate in &self.rates {
            sink(&rate.to_le_bytes());
        }
    }
}
