//! Postings: the double-entry legs that an accepted event's facts expand to.
//!
//! A posting is a template, its amounts and the parties. Settle, the auditor and the SQL store expand it alike, so the journal
//! carries no legs: the facts of the event are enough.
//!
//! # Invariants
//! - Every leg debits one account and credits another of the same ledger, so each event sums to zero per ledger.
//! - A leg's amount is above zero. A zero amount leaves no leg; a negative one (negative prices, rebates) exchanges the sides.
//! - Numbers of templates never change their meaning.
//!
//! Not here: variation margin. Futures and inverse contracts move no principal; their realised profit becomes cash with the
//! daily settlement of the ledger issue. Until then their executions post securities and fee only. Settlement dates are that
//! issue's as well: executions post at once.

use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    CashMove, DerivedOrder, Event, Execution, Kind, OrderCancel, OrderNew, OrderReplace, OrderView,
    TradeBust, VenueReport,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, WalletId};

/// The most legs that a template has.
pub const LEGS_MAX: usize = 4;

/// What kind of movement a posting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Template {
    /// Cash held for an order.
    Reserve = 1,
    /// Held cash given back.
    Release = 2,
    /// A purchase.
    Buy = 3,
    /// A sale.
    Sell = 4,
    /// Money that came in.
    Deposit = 5,
    /// Money that went out.
    Withdrawal = 6,
    /// A purchase taken back.
    BustBuy = 7,
    /// A sale taken back.
    BustSell = 8,
    /// The difference between two versions of a purchase.
    CorrectBuy = 9,
    /// The difference between two versions of a sale.
    CorrectSell = 10,
}

/// A class of accounts (the chart).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// A client's cash in one currency. What the client has is credits less debits.
    Cash = 1,
    /// Venues and clearing, per currency.
    Street = 2,
    /// Deposits and withdrawals, per currency.
    Bank = 3,
    /// Fees earned, per currency.
    Fees = 4,
    /// A client's quantity of one instrument.
    Sec = 5,
    /// Counterparty of `Sec`, per instrument.
    SecStreet = 6,
}

/// What a leg changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Adds to the pending side.
    Pending = 1,
    /// Takes from the pending side.
    Release = 2,
    /// Adds to the posted side.
    Posted = 3,
}

/// One line of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegSpec {
    /// Debited class.
    pub debit: Class,
    /// Credited class.
    pub credit: Class,
    /// What it changes.
    pub phase: Phase,
}

const fn line(debit: Class, credit: Class, phase: Phase) -> LegSpec {
    LegSpec { debit, credit, phase }
}

pub(crate) const RESERVE: [LegSpec; 1] = [line(Class::Cash, Class::Street, Phase::Pending)];
pub(crate) const RELEASE: [LegSpec; 1] = [line(Class::Cash, Class::Street, Phase::Release)];
/// Amounts: reservation given back, principal, fee, quantity.
pub(crate) const BUY: [LegSpec; 4] = [
    line(Class::Cash, Class::Street, Phase::Release),
    line(Class::Cash, Class::Street, Phase::Posted),
    line(Class::Cash, Class::Fees, Phase::Posted),
    line(Class::SecStreet, Class::Sec, Phase::Posted),
];
/// Amounts as those of a purchase.
pub(crate) const SELL: [LegSpec; 4] = [
    line(Class::Cash, Class::Street, Phase::Release),
    line(Class::Street, Class::Cash, Phase::Posted),
    line(Class::Cash, Class::Fees, Phase::Posted),
    line(Class::Sec, Class::SecStreet, Phase::Posted),
];
pub(crate) const DEPOSIT: [LegSpec; 1] = [line(Class::Bank, Class::Cash, Phase::Posted)];
pub(crate) const WITHDRAWAL: [LegSpec; 1] = [line(Class::Cash, Class::Bank, Phase::Posted)];

/// Amounts: principal, fee, quantity.
pub(crate) const BUST_BUY: [LegSpec; 3] = [
    line(Class::Street, Class::Cash, Phase::Posted),
    line(Class::Fees, Class::Cash, Phase::Posted),
    line(Class::Sec, Class::SecStreet, Phase::Posted),
];
/// Amounts as those of a purchase taken back.
pub(crate) const BUST_SELL: [LegSpec; 3] = [
    line(Class::Cash, Class::Street, Phase::Posted),
    line(Class::Fees, Class::Cash, Phase::Posted),
    line(Class::SecStreet, Class::Sec, Phase::Posted),
];
/// Amounts: the new version's principal, fee and quantity, less those of the old one.
pub(crate) const CORRECT_BUY: [LegSpec; 3] = [
    line(Class::Cash, Class::Street, Phase::Posted),
    line(Class::Cash, Class::Fees, Phase::Posted),
    line(Class::SecStreet, Class::Sec, Phase::Posted),
];
/// Amounts as those of a corrected purchase.
pub(crate) const CORRECT_SELL: [LegSpec; 3] = [
    line(Class::Street, Class::Cash, Phase::Posted),
    line(Class::Cash, Class::Fees, Phase::Posted),
    line(Class::Sec, Class::SecStreet, Phase::Posted),
];

impl Template {
    /// Every template, by number.
    pub const ALL: [Template; 10] = [
        Self::Reserve,
        Self::Release,
        Self::Buy,
        Self::Sell,
        Self::Deposit,
        Self::Withdrawal,
        Self::BustBuy,
        Self::BustSell,
        Self::CorrectBuy,
        Self::CorrectSell,
    ];

    /// The template of a stored number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Reserve),
            2 => Some(Self::Release),
            3 => Some(Self::Buy),
            4 => Some(Self::Sell),
            5 => Some(Self::Deposit),
            6 => Some(Self::Withdrawal),
            7 => Some(Self::BustBuy),
            8 => Some(Self::BustSell),
            9 => Some(Self::CorrectBuy),
            10 => Some(Self::CorrectSell),
            _ => None,
        }
    }

    /// Name in listings.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::BustBuy => "bust_buy",
            Self::BustSell => "bust_sell",
            Self::CorrectBuy => "correct_buy",
            Self::CorrectSell => "correct_sell",
        }
    }

    /// Its lines, in the order of [`Postings::amounts`].
    #[inline]
    pub const fn lines(self) -> &'static [LegSpec] {
        match self {
            Self::Reserve => &RESERVE,
            Self::Release => &RELEASE,
            Self::Buy => &BUY,
            Self::Sell => &SELL,
            Self::Deposit => &DEPOSIT,
            Self::Withdrawal => &WITHDRAWAL,
            Self::BustBuy => &BUST_BUY,
            Self::BustSell => &BUST_SELL,
            Self::CorrectBuy => &CORRECT_BUY,
            Self::CorrectSell => &CORRECT_SELL,
        }
    }
}

/// One account of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// [`Class::Cash`].
    Cash(WalletId),
    /// [`Class::Street`].
    Street(CurrencyId),
    /// [`Class::Bank`].
    Bank(CurrencyId),
    /// [`Class::Fees`].
    Fees(CurrencyId),
    /// [`Class::Sec`].
    Sec(HoldingId),
    /// [`Class::SecStreet`].
    SecStreet(InstrumentId),
}

/// One unit that is counted: its accounts sum to zero among themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ledger {
    /// Money in units of 1e-8.
    Currency(CurrencyId),
    /// Quantity in units of 1e-8.
    Instrument(InstrumentId),
}

/// One movement between two accounts of one ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Debited account.
    pub debit: Account,
    /// Credited account.
    pub credit: Account,
    /// Their ledger.
    pub ledger: Ledger,
    /// Above zero, in units of 1e-8.
    pub amount: u128,
    /// What it changes.
    pub phase: Phase,
}

/// Whose accounts a posting touches. Ids that the template does not need are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties {
    /// The client's account.
    pub account: AccountId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Currency.
    pub currency: CurrencyId,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Instrument.
    pub instrument: InstrumentId,
}

/// What one event posts: a template, an amount for each of its lines, and the parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Postings {
    /// `None` for events that post nothing.
    pub template: Option<Template>,
    /// Signed amounts, line by line; the rest is zero.
    pub amounts: [i128; LEGS_MAX],
    /// Parties.
    pub parties: Parties,
}

impl Postings {
    /// No movement.
    pub const NONE: Self = Self {
        template: None,
        amounts: [0; LEGS_MAX],
        parties: Parties {
            account: AccountId::NONE,
            wallet: WalletId::NONE,
            currency: CurrencyId::NONE,
            holding: HoldingId::NONE,
            instrument: InstrumentId::NONE,
        },
    };

    /// The legs, in the order of the template's lines.
    #[inline]
    pub fn legs(&self) -> impl Iterator<Item = Leg> + '_ {
        let lines: &'static [LegSpec] = match self.template {
            Some(template) => template.lines(),
            None => &[],
        };
        lines
            .iter()
            .zip(self.amounts)
            .filter_map(|(line, amount)| self.leg(line, amount))
    }

    /// The leg of one line with its amount.
    #[inline(always)] // an account that travels through memory costs its reader a failed store forward
    pub(crate) fn leg(&self, line: &LegSpec, amount: i128) -> Option<Leg> {
        if amount == 0 {
            return None;
        }
        let (mut debit, mut credit, mut phase) = (line.debit, line.credit, line.phase);
        if amount < 0 {
            match phase {
                Phase::Posted => (debit, credit) = (credit, debit),
                Phase::Pending => phase = Phase::Release,
                Phase::Release => phase = Phase::Pending,
            }
        }
        let ledger = match line.debit {
            Class::Sec | Class::SecStreet => Ledger::Instrument(self.parties.instrument),
            _ => Ledger::Currency(self.parties.currency),
        };
        let (debit, credit) = (self.parties.account_of(debit), self.parties.account_of(credit));
        Some(Leg {
            debit,
            credit,
            ledger,
            amount: amount.unsigned_abs(),
            phase,
        })
    }
}

impl Parties {
    #[inline(always)]
    const fn account_of(&self, class: Class) -> Account {
        match class {
            Class::Cash => Account::Cash(self.wallet),
            Class::Street => Account::Street(self.currency),
            Class::Bank => Account::Bank(self.currency),
            Class::Fees => Account::Fees(self.currency),
            Class::Sec => Account::Sec(self.holding),
            Class::SecStreet => Account::SecStreet(self.instrument),
        }
    }
}

/// The instrument that an execution is in: callers look up whether its principal moves as cash.
#[inline]
pub fn execution_instrument(event: &Event) -> Option<InstrumentId> {
    match event.kind()? {
        Kind::VenueFill | Kind::TradeCapture | Kind::TradeCorrect => {
            Some(event.body::<Execution>().instrument)
        }
        Kind::TradeBust => Some(event.body::<TradeBust>().instrument),
        _ => None,
    }
}

/// What the event posts. Refused events post nothing. `moves_principal` is
/// [`Instrument::moves_principal`](tradewind_domain::reference::Instrument::moves_principal) of
/// [`execution_instrument`]; other events do not ask.
#[inline]
pub fn postings(event: &Event, moves_principal: bool) -> Postings {
    if event.is_rejected() {
        return Postings::NONE;
    }
    let Some(kind) = event.kind() else {
        return Postings::NONE;
    };
    match kind {
        Kind::OrderNew => {
            let body: &OrderNew = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::OrderCancel => {
            let body: &OrderCancel = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::OrderReplace => {
            let body: &OrderReplace = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::VenueAck
        | Kind::VenueReject
        | Kind::VenueCancelled
        | Kind::VenueReplaced
        | Kind::VenueCancelReject
        | Kind::VenueExpired
        | Kind::VenueStatus
        | Kind::OrderUnknown => {
            let body: &VenueReport = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::OrderExpired | Kind::CancelRequested => {
            let body: &DerivedOrder = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::VenueFill | Kind::TradeCapture => execution(event.body(), moves_principal),
        Kind::TradeBust | Kind::TradeCorrect => taking_back(event, moves_principal),
        Kind::Deposit => cash_move(Template::Deposit, event.body()),
        Kind::Withdrawal => cash_move(Template::Withdrawal, event.body()),
        _ => Postings::NONE,
    }
}

/// What is held for an order changes by `view.cash`.
#[inline]
fn reservation(
    view: &OrderView,
    account: AccountId,
    currency: CurrencyId,
    instrument: InstrumentId,
) -> Postings {
    let (template, amount) = match view.cash.raw() {
        0 => return Postings::NONE,
        held if held > 0 => (Template::Reserve, held),
        // The one value without a counterpart is far beyond what one event may move.
        held => (Template::Release, held.saturating_neg()),
    };
    let parties = Parties {
        account,
        wallet: view.wallet,
        currency,
        holding: view.holding,
        instrument,
    };
    Postings {
        template: Some(template),
        amounts: [amount, 0, 0, 0],
        parties,
    }
}

#[inline]
fn execution(body: &Execution, moves_principal: bool) -> Postings {
    let Some(side) = Side::from_code(body.side) else {
        return Postings::NONE;
    };
    let principal = if moves_principal {
        body.principal
    } else {
        Money::ZERO
    };
    Postings {
        template: Some(if side.is_buy() {
            Template::Buy
        } else {
            Template::Sell
        }),
        amounts: [
            body.cash_released.raw(),
            principal.raw(),
            body.fee.raw(),
            i128::from(body.qty),
        ],
        parties: Parties {
            account: body.account,
            wallet: body.wallet,
            currency: body.currency,
            holding: body.holding,
            instrument: body.instrument,
        },
    }
}

/// A bust posts the trade's amounts the other way round, a correction the difference between the versions.
fn taking_back(event: &Event, moves_principal: bool) -> Postings {
    let Some(taken) = event.taken_back() else {
        return Postings::NONE;
    };
    let Some(side) = Side::from_code(taken.side) else {
        return Postings::NONE;
    };
    let old = [taken.principal.raw(), taken.fee.raw(), i128::from(taken.qty)];
    let (template, mut amounts) = if event.kind() == Some(Kind::TradeBust) {
        let template = if side.is_buy() {
            Template::BustBuy
        } else {
            Template::BustSell
        };
        (template, old)
    } else {
        let template = if side.is_buy() {
            Template::CorrectBuy
        } else {
            Template::CorrectSell
        };
        let body: &Execution = event.body();
        let new = [body.principal.raw(), body.fee.raw(), i128::from(body.qty)];
        (
            template,
            std::array::from_fn(|line| new[line].wrapping_sub(old[line])),
        )
    };
    if !moves_principal {
        amounts[0] = 0;
    }
    Postings {
        template: Some(template),
        amounts: [amounts[0], amounts[1], amounts[2], 0],
        parties: Parties {
            account: taken.account,
            wallet: taken.wallet,
            currency: taken.currency,
            holding: taken.holding,
            instrument: taken.instrument,
        },
    }
}

#[inline]
fn cash_move(template: Template, body: &CashMove) -> Postings {
    let parties = Parties {
        account: body.account,
        wallet: body.wallet,
        currency: body.currency,
        ..Postings::NONE.parties
    };
    Postings {
        template: Some(template),
        amounts: [body.amount.raw(), 0, 0, 0],
        parties,
    }
}
