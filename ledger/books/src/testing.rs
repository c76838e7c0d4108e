//! A small desk for tests: it writes the facts that the limit check would write and runs both stages over each event.

use crate::position::Position;
use crate::posting::Ledger;
use crate::settle::Settle;
use tradewind_domain::codes::{InstrumentKind, Side};
use tradewind_domain::decimal;
use tradewind_domain::event::{
    Capacities, CashMove, DatedSettlement, Event, Execution, InstrumentSet, Kind, LastTrade, Mark, OrderNew,
    OrderView, Quote, TakenBack, TradeBust, VenueReport,
};
use tradewind_domain::fixed::{Money, NetQty, ONE, Price, Qty};
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding};
use tradewind_domain::time::DayNumber;
use tradewind_machine::stage::Stage;

/// Accounts that a test may use.
pub(crate) const ACCOUNTS: u32 = 4;
/// Currencies that a test may use.
pub(crate) const CURRENCIES: u32 = 4;

pub(crate) const USD: CurrencyId = CurrencyId(0);
pub(crate) const A: AccountId = AccountId(1);

pub(crate) fn capacities() -> Capacities {
    Capacities {
        instruments: 8,
        holdings: 8 * ACCOUNTS,
        wallets: CURRENCIES * ACCOUNTS,
        executions: 256,
        ..Capacities::default()
    }
}

pub(crate) fn holding(account: AccountId, instrument: InstrumentId) -> HoldingId {
    HoldingId(instrument.0 * ACCOUNTS + account.0)
}

pub(crate) fn wallet(account: AccountId, currency: CurrencyId) -> WalletId {
    WalletId(u32::from(currency.0) * ACCOUNTS + account.0)
}

/// The scaled integer of a decimal.
pub(crate) fn raw(text: &str) -> i64 {
    decimal::parse(text.as_bytes()).unwrap()
}

pub(crate) fn money(text: &str) -> Money {
    Money::from_raw(raw(text).into())
}

pub(crate) fn instrument(id: u32, kind: InstrumentKind, money_dp: u8) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        currency: CurrencyId(id as u16 % CURRENCIES as u16),
        kind: kind as u8,
        money_dp,
        ..Instrument::default_linear()
    }
}

pub(crate) fn event<T: tradewind_domain::event::Body>(kind: Kind, body: T) -> Event {
    let mut event = Event::empty();
    event.reset(kind);
    *event.body_mut() = body;
    event
}

pub(crate) fn instrument_set(row: Instrument) -> Event {
    event(
        Kind::InstrumentSet,
        InstrumentSet {
            row,
            ..bytemuck::Zeroable::zeroed()
        },
    )
}

/// A trade capture with the facts of the limit check.
pub(crate) fn execution(
    account: AccountId,
    of: &Instrument,
    side: Side,
    qty: i64,
    px: i64,
    fee: Money,
) -> Event {
    let principal = rounding::principal(of, Qty::from_raw(qty), Price::from_raw(px), Rounding::HalfUp);
    let body = Execution {
        qty,
        px,
        fee,
        side: side as u8,
        account,
        instrument: of.id,
        currency: of.currency,
        holding: holding(account, of.id),
        wallet: wallet(account, of.currency),
        principal: principal.expect("the test's principal fits"),
        ..bytemuck::Zeroable::zeroed()
    };
    event(Kind::TradeCapture, body)
}

fn view(account: AccountId, of: &Instrument, cash: Money) -> OrderView {
    OrderView {
        holding: holding(account, of.id),
        wallet: wallet(account, of.currency),
        cash,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// An accepted order that holds `cash`.
pub(crate) fn order(account: AccountId, of: &Instrument, cash: Money) -> Event {
    let body = OrderNew {
        account,
        instrument: of.id,
        currency: of.currency,
        view: view(account, of, cash),
        ..bytemuck::Zeroable::zeroed()
    };
    event(Kind::OrderNew, body)
}

/// A venue's report that changes what is held by `cash`.
pub(crate) fn report(kind: Kind, account: AccountId, of: &Instrument, cash: Money) -> Event {
    let body = VenueReport {
        account,
        instrument: of.id,
        currency: of.currency,
        view: view(account, of, cash),
        ..bytemuck::Zeroable::zeroed()
    };
    event(kind, body)
}

pub(crate) fn cash_move(kind: Kind, account: AccountId, currency: CurrencyId, amount: Money) -> Event {
    let wallet = wallet(account, currency);
    event(
        kind,
        CashMove {
            amount,
            account,
            wallet,
            currency,
            ..bytemuck::Zeroable::zeroed()
        },
    )
}

pub(crate) fn last_trade(of: &Instrument, px: i64) -> Event {
    event(
        Kind::LastTrade,
        LastTrade {
            px,
            instrument: of.id,
            ..bytemuck::Zeroable::zeroed()
        },
    )
}

pub(crate) fn outside_mark(of: &Instrument, px: i64, settlement: u8) -> Event {
    event(
        Kind::Mark,
        Mark {
            px,
            settlement,
            instrument: of.id,
            ..bytemuck::Zeroable::zeroed()
        },
    )
}

pub(crate) fn quote(of: &Instrument, bid: i64, ask: i64) -> Event {
    event(
        Kind::Quote,
        Quote {
            bid,
            ask,
            instrument: of.id,
            ..bytemuck::Zeroable::zeroed()
        },
    )
}

/// A trade that settles on a date.
pub(crate) fn dated(mut trade: Event, date: DayNumber) -> Event {
    let body: &mut Execution = trade.body_mut();
    (body.settle_calendar, body.settle_date) = (1, date);
    trade
}

/// The settlement of a holding's trades, as the limit check makes it of their sums.
pub(crate) fn settlement(of: &Instrument, trades: &[Execution]) -> Event {
    let first = trades[0];
    let mut body = DatedSettlement {
        account: first.account,
        wallet: first.wallet,
        holding: first.holding,
        instrument: first.instrument,
        currency: first.currency,
        settle_date: first.settle_date,
        trades: trades.len() as u32,
        ..bytemuck::Zeroable::zeroed()
    };
    for trade in trades {
        let is_buy = Side::from_code(trade.side).unwrap().is_buy();
        let sign = if is_buy { 1 } else { -1 };
        let principal = if of.moves_principal() {
            trade.principal.raw()
        } else {
            0
        };
        let cash = -sign * principal - trade.fee.raw();
        let sum = if cash > 0 {
            &mut body.cash_in
        } else {
            &mut body.cash_out
        };
        *sum = Money::from_raw(sum.raw() + cash.abs());
        let sum = if is_buy {
            &mut body.qty_in
        } else {
            &mut body.qty_out
        };
        *sum = NetQty::from_raw(sum.raw() + i128::from(trade.qty));
    }
    event(Kind::DatedCashSettled, body)
}

/// What a bust or correction of a trade takes back: the trade's record, and the last correction of it, as the limit check keeps them.
pub(crate) fn taken_back(trade: &Event, version: &Execution) -> TakenBack {
    let body: &Execution = trade.body();
    TakenBack {
        trade_seq: trade.head.seq,
        principal: version.principal,
        fee: version.fee,
        qty: version.qty,
        px: version.px,
        account: body.account,
        instrument: body.instrument,
        currency: body.currency,
        holding: body.holding,
        wallet: body.wallet,
        side: body.side,
        settle_calendar: version.settle_calendar,
        settle_date: version.settle_date,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// A bust with the facts of the limit check.
pub(crate) fn bust(taken: &TakenBack) -> Event {
    let body = TradeBust {
        account: taken.account,
        instrument: taken.instrument,
        principal: taken.principal,
        fee: taken.fee,
        qty: taken.qty,
        ..bytemuck::Zeroable::zeroed()
    };
    let mut event = event(Kind::TradeBust, body);
    event.set_tail(bytemuck::bytes_of(taken));
    event
}

/// A correction of quantity, price and fee with the facts of the limit check.
pub(crate) fn correction(taken: &TakenBack, of: &Instrument, qty: i64, px: i64, fee: Money) -> Event {
    let side = Side::from_code(taken.side).expect("a side");
    let mut new = execution(taken.account, of, side, qty, px, fee);
    let body: &mut Execution = new.body_mut();
    (body.settle_calendar, body.settle_date) = (taken.settle_calendar, taken.settle_date);
    let mut event = event(Kind::TradeCorrect, *new.body::<Execution>());
    event.set_tail(bytemuck::bytes_of(taken));
    event
}

/// Both stages, and every event as it was after them.
pub(crate) struct Desk {
    pub(crate) settle: Settle,
    pub(crate) position: Position,
    pub(crate) journal: Vec<Event>,
    executions: u32,
}

impl Desk {
    pub(crate) fn new(instruments: &[Instrument]) -> Self {
        Self::with_executions(instruments, capacities().executions)
    }

    /// A desk that remembers so many executions for busts.
    pub(crate) fn with_executions(instruments: &[Instrument], executions: u32) -> Self {
        let sizes = Capacities {
            executions,
            ..capacities()
        };
        let mut desk = Self {
            settle: Settle::new(&sizes),
            position: Position::new(&sizes),
            journal: Vec::new(),
            executions,
        };
        instruments.iter().for_each(|row| desk.run(instrument_set(*row)));
        desk
    }

    pub(crate) fn run(&mut self, mut event: Event) {
        event.head.seq = self.journal.len() as u64 + 1;
        self.settle.process(&mut event);
        self.position.process(&mut event);
        self.journal.push(event);
    }

    /// Facts that position wrote on the last event.
    pub(crate) fn last(&self) -> &Execution {
        self.journal.last().unwrap().body()
    }

    /// The desk that applies this one's journal.
    pub(crate) fn replayed(&self) -> Self {
        let mut replica = Self::with_executions(&[], self.executions);
        for event in &self.journal {
            replica.settle.apply(event);
            replica.position.apply(event);
        }
        replica
    }

    pub(crate) fn digest(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.settle.digest(&mut |part| bytes.extend_from_slice(part));
        self.position.digest(&mut |part| bytes.extend_from_slice(part));
        bytes
    }

    pub(crate) fn balanced(&self, ledger: Ledger) -> bool {
        self.settle.totals(ledger).unwrap().is_balanced()
    }
}

/// `n` whole units.
pub(crate) const fn units(n: i64) -> i64 {
    n * ONE
}
