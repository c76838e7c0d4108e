//! Who is to be valued again after a mark or a rate: one walk over those who hold an instrument or a currency, a few at a time.
//!
//! # Invariants
//! - What moves again during its walk gets another walk, behind those that wait: nobody keeps an old mark, nobody waits for ever.

use crate::nodes::grown;
use std::collections::VecDeque;
use tradewind_domain::ids::{CurrencyId, HoldingId, InstrumentId, WalletId};
use tradewind_domain::time::UnixNanos;

/// What somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Holding(HoldingId),
    Wallet(WalletId),
}

/// A place in the queue: an instrument's holders, or a currency's wallets.
#[derive(Clone, Copy)]
enum Place {
    Instrument(usize),
    Currency(usize),
}

/// Those who hold one thing, and where the walk over them stands.
#[derive(Clone, Default)]
struct Walk {
    held: Vec<u32>,
    at: usize,
    /// When the mark moved that this walk tells.
    since_ns: UnixNanos,
    is_queued: bool,
    /// When it moved again since this walk began; 0 for not.
    again_ns: UnixNanos,
}

impl Walk {
    /// True where it has to be queued.
    fn ask(&mut self, now_ns: UnixNanos) -> bool {
        if self.held.is_empty() {
            return false;
        }
        if !self.is_queued {
            (self.at, self.since_ns, self.is_queued) = (0, now_ns, true);
            return true;
        }
        if self.at > 0 && self.again_ns == 0 {
            self.again_ns = now_ns;
        }
        false
    }
}

/// All walks.
#[derive(Default)]
pub(crate) struct Walks {
    instruments: Vec<Walk>,
    currencies: Vec<Walk>,
    /// Instruments that somebody holds, by currency.
    priced: Vec<Vec<InstrumentId>>,
    queue: VecDeque<Place>,
}

impl Walks {
    /// Somebody begins to hold an instrument; true for the first one.
    pub(crate) fn hold(
        &mut self,
        instrument: InstrumentId,
        currency: CurrencyId,
        holding: HoldingId,
    ) -> bool {
        let held = &mut grown(&mut self.instruments, instrument.index()).held;
        held.push(holding.0);
        let is_first = held.len() == 1;
        if is_first {
            grown(&mut self.priced, currency.index()).push(instrument);
        }
        is_first
    }

    /// Somebody begins to have money in a currency.
    pub(crate) fn bank(&mut self, currency: CurrencyId, wallet: WalletId) {
        grown(&mut self.currencies, currency.index()).held.push(wallet.0);
    }

    /// An instrument's holders are to be valued again.
    pub(crate) fn ask_instrument(&mut self, instrument: InstrumentId, now_ns: UnixNanos) {
        let at = instrument.index();
        if self.instruments.get_mut(at).is_some_and(|walk| walk.ask(now_ns)) {
            self.queue.push_back(Place::Instrument(at));
        }
    }

    /// Everybody who has money, or something priced, in a currency.
    pub(crate) fn ask_currency(&mut self, currency: CurrencyId, now_ns: UnixNanos) {
        let at = currency.index();
        if self.currencies.get_mut(at).is_some_and(|walk| walk.ask(now_ns)) {
            self.queue.push_back(Place::Currency(at));
        }
        let priced = self.priced.get(at).cloned().unwrap_or_default();
        for instrument in priced {
            self.ask_instrument(instrument, now_ns);
        }
    }

    /// The next one to be valued, and since when.
    pub(crate) fn next(&mut self) -> Option<(Held, UnixNanos)> {
        let place = *self.queue.front()?;
        let walk = match place {
            Place::Instrument(at) => &mut self.instruments[at],
            Place::Currency(at) => &mut self.currencies[at],
        };
        let (id, since_ns) = (walk.held[walk.at], walk.since_ns);
        walk.at += 1;
        if walk.at == walk.held.len() {
            self.queue.pop_front();
            walk.is_queued = false;
            let again_ns = std::mem::take(&mut walk.again_ns);
            if again_ns != 0 && walk.ask(again_ns) {
                self.queue.push_back(place);
            }
        }
        let held = match place {
            Place::Instrument(_) => Held::Holding(HoldingId(id)),
            Place::Currency(_) => Held::Wallet(WalletId(id)),
        };
        Some((held, since_ns))
    }

    /// Walks that are not at their end.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }
}
