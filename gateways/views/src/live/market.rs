//! Top of book, last trade and first mark of each instrument, as the journal's market data has them.

use tradewind_domain::event::{Event, InstrumentStatus, Kind, LastTrade, Mark, Quote};
use tradewind_domain::ids::InstrumentId;
use tradewind_domain::time::UnixNanos;

/// The market of one instrument.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Top {
    pub(crate) bid: i64,
    pub(crate) bid_qty: i64,
    pub(crate) ask: i64,
    pub(crate) ask_qty: i64,
    pub(crate) last: i64,
    pub(crate) last_qty: i64,
    pub(crate) has_last: bool,
    pub(crate) halted: bool,
    /// The first mark after the replica began.
    pub(crate) first_mark: Option<i64>,
    pub(crate) updated_ns: UnixNanos,
}

/// What a record said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) instrument: InstrumentId,
    /// The price that values positions may be another one.
    pub(crate) is_mark: bool,
}

/// All instruments, by id. Grows with the registry, which has a capacity.
#[derive(Default)]
pub(crate) struct Tops(Vec<Top>);

impl Tops {
    pub(crate) fn get(&self, instrument: InstrumentId) -> Top {
        self.0.get(instrument.index()).copied().unwrap_or_default()
    }

    /// Takes an accepted event; says what moved. `mark` is the mark after it.
    pub(crate) fn observe(
        &mut self,
        event: &Event,
        mark: impl Fn(InstrumentId) -> Option<i64>,
    ) -> Option<Moved> {
        let (instrument, is_mark) = match event.kind()? {
            Kind::Quote => (event.body::<Quote>().instrument, false),
            Kind::LastTrade => (event.body::<LastTrade>().instrument, true),
            Kind::Mark => (event.body::<Mark>().instrument, true),
            Kind::InstrumentStatus => (event.body::<InstrumentStatus>().instrument, false),
            _ => return None,
        };
        if event.is_rejected() || instrument.is_none() {
            return None;
        }
        let at = instrument.index();
        if at >= self.0.len() {
            self.0.resize(at + 1, Top::default());
        }
        let top = &mut self.0[at];
        top.updated_ns = event.head.recv_ns;
        match event.kind() {
            Some(Kind::Quote) => {
                let quote: &Quote = event.body();
                (top.bid, top.bid_qty) = (quote.bid, quote.bid_qty);
                (top.ask, top.ask_qty) = (quote.ask, quote.ask_qty);
            }
            Some(Kind::LastTrade) => {
                let trade: &LastTrade = event.body();
                (top.last, top.last_qty, top.has_last) = (trade.px, trade.qty, true);
            }
            Some(Kind::InstrumentStatus) => top.halted = event.body::<InstrumentStatus>().halted != 0,
            _ => {}
        }
        if top.first_mark.is_none() {
            top.first_mark = mark(instrument);
        }
        Some(Moved { instrument, is_mark })
    }
}
