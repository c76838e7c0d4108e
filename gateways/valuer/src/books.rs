//! What the journal says of money, positions, prices and rates: the stages of the books in apply mode, and the ages of marks.
//!
//! Marks are those of the books (LIMITS section 14): the market's, else the configured one, else the last fill. The configured one is never
//! stale; any other is, once it is older than 60 s while its instrument trades.

use crate::nodes::grown;
use tradewind_books::position::{Position, PositionRow};
use tradewind_books::settle::Settle;
use tradewind_domain::event::{
    CalendarSet, Capacities, Event, Execution, FxRate, InstrumentSet, Kind, LastTrade, Mark, Timer, TimerKind,
};
use tradewind_domain::fixed::{Money, NetQty, ONE};
use tradewind_domain::ids::{AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, WalletId};
use tradewind_domain::reference::{CURRENCIES_MAX, Instrument};
use tradewind_domain::rounding::{Rounding, div_round};
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};
use tradewind_machine::stage::Stage;
use tradewind_risk::calendar::Calendars;

/// Age from which a mark is stale while its instrument trades (L33).
pub(crate) const STALE_NS: u64 = 60 * NANOS_PER_SEC;

/// What something is worth in base currency, at 1e-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Worth {
    /// With what is not realised yet.
    pub(crate) equity: i128,
    /// Without.
    pub(crate) balance: i128,
    /// How many parts of it cannot be valued: a stale mark, no rate, no value that fits.
    pub(crate) frozen: i64,
}

impl Worth {
    /// Of what cannot be valued.
    const FROZEN: Self = Self {
        equity: 0,
        balance: 0,
        frozen: 1,
    };

    pub(crate) fn less(&self, other: &Self) -> Self {
        Self {
            equity: self.equity.saturating_sub(other.equity),
            balance: self.balance.saturating_sub(other.balance),
            frozen: self.frozen - other.frozen,
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.equity = self.equity.saturating_add(other.equity);
        self.balance = self.balance.saturating_add(other.balance);
        self.frozen += other.frozen;
    }
}

/// When an instrument's prices were seen.
#[derive(Clone, Copy, Default)]
struct Seen {
    market_ns: UnixNanos,
    fill_ns: UnixNanos,
    /// The mark that holders were last told to be valued at.
    px: Option<i64>,
    is_stale: bool,
}

/// The books and what values them.
pub(crate) struct Books {
    settle: Settle,
    position: Position,
    calendars: Calendars,
    rates: Vec<i64>,
    seen: Vec<Seen>,
}

impl Books {
    /// Empty books with room for a run that begins so.
    pub(crate) fn new(capacities: &Capacities) -> Self {
        let mut rates = vec![0; CURRENCIES_MAX];
        rates[0] = ONE;
        Self {
            settle: Settle::new(capacities),
            position: Position::new(capacities),
            calendars: Calendars::new(),
            rates,
            seen: Vec::new(),
        }
    }

    /// Takes a record: accepted or not, input or effect.
    pub(crate) fn apply(&mut self, event: &Event) {
        self.settle.apply(event);
        self.position.apply(event);
        if event.is_rejected() {
            return;
        }
        let now_ns = event.head.recv_ns;
        match event.kind() {
            Some(Kind::CalendarSet) => self.calendars.set_days(event.body::<CalendarSet>()),
            Some(Kind::Timer) => {
                let timer: &Timer = event.body();
                if timer.timer == TimerKind::DayRoll as u8 {
                    self.calendars.roll(timer.calendar, timer.date);
                }
            }
            Some(Kind::FxRate) => {
                let rate: &FxRate = event.body();
                if let Some(held) = self.rates.get_mut(rate.currency.index()) {
                    *held = rate.rate;
                }
            }
            Some(Kind::LastTrade) => self.saw(event.body::<LastTrade>().instrument, |seen| {
                seen.market_ns = now_ns
            }),
            Some(Kind::Mark) if event.body::<Mark>().settlement == 0 => {
                self.saw(event.body::<Mark>().instrument, |seen| seen.market_ns = now_ns);
            }
            Some(Kind::VenueFill | Kind::TradeCapture) => {
                self.saw(event.body::<Execution>().instrument, |seen| seen.fill_ns = now_ns);
            }
            Some(Kind::InstrumentSet) => {
                // Its row may value it otherwise: holders are to be valued again.
                self.saw(event.body::<InstrumentSet>().row.id, |seen| seen.px = None);
            }
            _ => {}
        }
    }

    fn saw(&mut self, instrument: InstrumentId, note: impl FnOnce(&mut Seen)) {
        note(grown(&mut self.seen, instrument.index()));
    }

    /// Compares an instrument's mark with what its holders are valued at. True where they are to be valued again: another price, or
    /// one that has become stale or fresh.
    pub(crate) fn moves(&mut self, instrument: InstrumentId, now_ns: UnixNanos) -> bool {
        let px = self.position.mark(instrument).map(|px| px.raw());
        let is_stale = self.is_stale(instrument, now_ns);
        let seen = grown(&mut self.seen, instrument.index());
        let moves = seen.px != px || seen.is_stale != is_stale;
        (seen.px, seen.is_stale) = (px, is_stale);
        moves
    }

    /// When the mark becomes stale, if nothing comes; `None` where it never does.
    pub(crate) fn stale_at_ns(&self, instrument: InstrumentId) -> Option<UnixNanos> {
        let seen = self.seen.get(instrument.index())?;
        let row = self.position.instrument(instrument)?;
        let seen_ns = match (seen.market_ns, row.configured_mark) {
            (0, 0) => seen.fill_ns,
            (0, _) => return None,
            (market_ns, _) => market_ns,
        };
        // What was seen before the session opened counts from its opening. The UTC calendar never closes.
        let opened_ns = match row.calendar {
            CalendarId::UTC => 0,
            calendar => self.calendars.session(calendar).map_or(0, |(open_ns, _)| open_ns),
        };
        Some(seen_ns.max(opened_ns).saturating_add(STALE_NS))
    }

    fn is_stale(&self, instrument: InstrumentId, now_ns: UnixNanos) -> bool {
        let row = self.position.instrument(instrument);
        row.is_some_and(|row| self.calendars.is_open(row.calendar, now_ns))
            && self.stale_at_ns(instrument).is_some_and(|at_ns| now_ns > at_ns)
    }

    /// Account and instrument of a holding that has traded.
    pub(crate) fn holder(&self, holding: HoldingId) -> Option<(AccountId, InstrumentId)> {
        let row = self.position.position(holding)?;
        Some((row.account, row.instrument))
    }

    /// Account and currency of a wallet that was posted to.
    pub(crate) fn owner(&self, wallet: WalletId) -> Option<(AccountId, CurrencyId)> {
        let wallet = self.settle.wallet(wallet)?;
        Some((wallet.account, wallet.currency))
    }

    /// Currency of an instrument.
    pub(crate) fn currency(&self, instrument: InstrumentId) -> Option<CurrencyId> {
        self.position.instrument(instrument).map(|row| row.currency)
    }

    /// What an event has posted: the client's wallet and holding.
    pub(crate) fn parties(&self, event: &Event) -> Option<(WalletId, HoldingId)> {
        let postings = self.settle.postings(event);
        postings
            .template
            .map(|_| (postings.parties.wallet, postings.parties.holding))
    }

    /// The cash of a wallet by trade date.
    pub(crate) fn cash(&self, wallet: WalletId) -> Worth {
        let Some(wallet) = self.settle.wallet(wallet) else {
            return Worth::default();
        };
        match self.base(wallet.currency, wallet.trade_date_balance()) {
            Some(cash) => Worth {
                equity: cash,
                balance: cash,
                frozen: 0,
            },
            None => Worth::FROZEN,
        }
    }

    /// What a holding adds to the cash: where the principal moves, the position's cost and its profit; where only profit does, the
    /// profit that is realised and was not paid as margin, and that which is not.
    pub(crate) fn holding(&self, holding: HoldingId) -> Worth {
        let Some(row) = self.position.position(holding) else {
            return Worth::default();
        };
        self.position
            .instrument(row.instrument)
            .and_then(|instrument| self.worth(holding, row, instrument))
            .unwrap_or(Worth::FROZEN)
    }

    fn worth(&self, holding: HoldingId, row: &PositionRow, instrument: &Instrument) -> Option<Worth> {
        let kept = if instrument.moves_principal() {
            if row.qty.is_negative() {
                row.cost.neg()
            } else {
                row.cost
            }
        } else {
            // What was paid as margin is cash already.
            let paid = self
                .position
                .income(holding)
                .map_or(Money::ZERO, |row| row.margin);
            row.realised.checked_sub(paid)?
        };
        let open = if row.qty == NetQty::ZERO {
            Money::ZERO
        } else {
            self.position.unrealised(holding)?
        };
        let seen = self.seen.get(row.instrument.index())?;
        let is_stale = seen.is_stale && !row.qty.is_zero();
        Some(Worth {
            equity: self.base(instrument.currency, kept.checked_add(open)?)?,
            balance: self.base(instrument.currency, kept)?,
            frozen: i64::from(is_stale),
        })
    }

    /// An amount in base currency, half up at 1e-8. `None` without a rate, or where it does not fit.
    fn base(&self, currency: CurrencyId, amount: Money) -> Option<i128> {
        if amount.is_zero() {
            return Some(0);
        }
        let rate = self
            .rates
            .get(currency.index())
            .copied()
            .filter(|&rate| rate > 0)?;
        let scaled = amount.raw().checked_mul(i128::from(rate))?;
        div_round(scaled, i128::from(ONE), Rounding::HalfUp)
    }
}
